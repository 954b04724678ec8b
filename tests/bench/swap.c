// SPDX-License-Identifier: BSD-2-Clause
/*
 * A RAM disk for native Linux to page to. The driver's module is TEST_BRD in the
 * environment, where it is not part of the kernel.
 */
#define _GNU_SOURCE
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/swap.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "bench.h"

#define DISK	   "/dev/ram0"
#define DISK_MAJOR 1
#define DISK_KIB   "65536"
#define DISK_PAGES 16384

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
	const char *path = getenv("TEST_BRD");
	int fd;

	if (!access(DISK, F_OK))
		return;
	fd = open(path ? path : "", O_RDONLY);
	if (fd < 0)
		err(1, "TEST_BRD=%s", path ? path : "");
	if (syscall(SYS_finit_module, fd, "rd_nr=1 rd_size=" DISK_KIB, 0) &&
	    errno != EEXIST)
		err(1, "%s", path);
	close(fd);
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
