// SPDX-License-Identifier: BSD-2-Clause
/* A RAM disk: for native Linux to page to, or with a file system for both peers. */
#define _GNU_SOURCE
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/swap.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "bench.h"

#define DISK	   "/dev/ram0"
#define DISK_MAJOR 1
#define DISK_KIB   "65536"
#define DISK_PAGES 16384

#define MOUNT "/tmp/bench"

/* With the same identity every time: it decides where things are. */
#define MKFS                                                 \
	"mkfs.ext4 -q -F -b 4096 "                           \
	"-U 6a5e7f0e-3f52-4c43-9a70-2d7f3a0c8b11 "           \
	"-E hash_seed=6a5e7f0e-3f52-4c43-9a70-2d7f3a0c8b11," \
	"lazy_itable_init=0,nodiscard " DISK

/* What mkswap(8) writes: the version, the last page, and the name. */
static void make_swap(void)
{
	static union {
		char bytes[PAGE];
		struct {
			char boot[1024];
			uint32_t version;
			uint32_t last_page;
		} info;
	} header = { .info = { .version = 1, .last_page = DISK_PAGES - 1 } };
	int fd = open(DISK, O_WRONLY);

	memcpy(header.bytes + PAGE - 10, "SWAPSPACE2", 10);
	if (fd < 0 || write(fd, &header, PAGE) != (ssize_t)PAGE || fsync(fd))
		err(1, "%s", DISK);
	close(fd);
}

static void load_driver(void)
{
	if (!access(DISK, F_OK))
		return;
	load_module("brd", "rd_nr=1 rd_size=" DISK_KIB);
	if (access(DISK, F_OK) &&
	    mknod(DISK, S_IFBLK | 0600, makedev(DISK_MAJOR, 0)))
		err(1, "%s", DISK);
}

void swap_begin(void)
{
	load_driver();
	make_swap();
	if (swapon(DISK, 0))
		err(1, "swapon %s", DISK);
}

void swap_end(void)
{
	if (swapoff(DISK))
		err(1, "swapoff %s", DISK);
}

static void load_file_system(void)
{
	load_module("crc16", "");
	load_module("crc32c_generic", "");
	load_module("mbcache", "");
	load_module("jbd2", "");
	load_module("ext4", "");
}

void disk_load(void)
{
	load_driver();
	load_file_system();
}

int disk_file(size_t pages)
{
	static char page[PAGE] = "bench";
	size_t i;
	int fd;

	disk_load();
	if (system(MKFS))
		errx(1, "%s", MKFS);
	if (mkdir(MOUNT, 0700) && errno != EEXIST)
		err(1, "%s", MOUNT);
	if (mount(DISK, MOUNT, "ext4", 0, NULL))
		err(1, "mount %s", DISK);
	fd = open(MOUNT "/file", O_RDWR | O_CREAT | O_EXCL, 0600);
	if (fd < 0)
		err(1, "%s", MOUNT);
	for (i = 0; i < pages; i++)
		if (write(fd, page, PAGE) != (ssize_t)PAGE)
			err(1, "%s", MOUNT);
	if (fsync(fd))
		err(1, "%s", MOUNT);
	return fd;
}

void disk_end(int fd)
{
	close(fd);
	if (umount(MOUNT))
		err(1, "umount %s", MOUNT);
}
