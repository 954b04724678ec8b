// SPDX-License-Identifier: BSD-2-Clause
/*
 * Stores reach the disk whatever ext4 keeps there and how, are not written while that
 * may not be, and never to blocks that have become somebody else's.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <linux/fs.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/statvfs.h>
#include <sys/swap.h>
#include <sys/wait.h>
#include <unistd.h>

#include "vm.h"

#define PAGES	   ((size_t)24)
/* Such that the last page is not whole. */
#define SIZE	   ((PAGES - 1) * PAGE + 100)
#define DISK_FILE  "/tmp/disk/file"
#define CRASH_FILE "/tmp/crash/file"

static char *map_shared(int fd, size_t pages)
{
	char *map = bsdvm_mmap(NULL, pages * PAGE, RW, BSDVM_MAP_SHARED, fd, 0);

	ASSERT(map != BSDVM_MAP_FAILED);
	return map;
}

static void disk_make(const char *features, const char *options)
{
	char command[512];

	snprintf(
		command, sizeof(command),
		"truncate -s 16M /tmp/disk.img && mkfs.ext4 -q %s /tmp/disk.img && "
		"mkdir -p /tmp/disk && mount -o noinit_itable%s $(" VM_LOOP
		"/tmp/disk.img) /tmp/disk",
		features, options);
	vm_run(command);
}

static void disk_end(void)
{
	vm_run("umount /tmp/disk && losetup -D && rm /tmp/disk.img");
}

static int disk_file(void)
{
	int fd = open(DISK_FILE, O_RDWR | O_CREAT | O_CLOEXEC, 0600);

	ASSERT(fd >= 0);
	return fd;
}

/* If the machine went down now, the file would have this. */
static void expect_after_crash(const char *want, size_t size)
{
	char *got = malloc(size);
	int fd;

	vm_run("cp /tmp/disk.img /tmp/crash.img && mkdir -p /tmp/crash && "
	       "mount $(" VM_LOOP "/tmp/crash.img) /tmp/crash");
	fd = open(CRASH_FILE, O_RDONLY | O_CLOEXEC);
	ASSERT(got && fd >= 0);
	ASSERT(pread(fd, got, size, 0) == (ssize_t)size);
	EXPECT(!memcmp(got, want, size));
	close(fd);
	free(got);
	vm_run("dev=$(findmnt -n -o SOURCE /tmp/crash) && umount /tmp/crash && "
	       "losetup -d $dev && rm /tmp/crash.img");
}

/*
 * First where nothing is, then where blocks are, then where some are no longer. Where no
 * journal has them, msync on Linux 6.1 leaves new blocks to be found in the inode by
 * sync(2), that of Linux's own mappings, too.
 */
static void store_and_crash(bool journal)
{
	int fd = disk_file();
	char *map;

	ASSERT(!ftruncate(fd, SIZE));
	map = map_shared(fd, PAGES);
	memset(map, '1', SIZE);
	EXPECT_ERRNO(bsdvm_msync(map, 0, BSDVM_MS_SYNC), 0);
	ASSERT(journal || !syncfs(fd));
	expect_after_crash(map, SIZE);
	memset(map + 2 * PAGE, '2', SIZE - 2 * PAGE);
	EXPECT_ERRNO(bsdvm_msync(map, 0, BSDVM_MS_SYNC), 0);
	memset(map + 4 * PAGE, '3', PAGE);
	EXPECT_ERRNO(bsdvm_msync(map, 0, BSDVM_MS_SYNC), 0);
	ASSERT(journal || !syncfs(fd));
	expect_after_crash(map, SIZE);
	if (!fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 5 * PAGE,
		       9 * PAGE))
		EXPECT(vm_all(map + 5 * PAGE, 9 * PAGE, 0));
	if (!fallocate(fd, FALLOC_FL_ZERO_RANGE, 16 * PAGE + 10, 3 * PAGE))
		EXPECT(vm_all(map + 16 * PAGE + 10, 3 * PAGE, 0));
	memset(map + 8 * PAGE, '4', 2 * PAGE);
	memset(map + 15 * PAGE, '5', 3 * PAGE);
	EXPECT_ERRNO(bsdvm_msync(map, 0, BSDVM_MS_SYNC), 0);
	ASSERT(journal || !syncfs(fd));
	expect_after_crash(map, SIZE);
	ASSERT(!bsdvm_munmap(map, PAGES * PAGE));
	close(fd);
}

TEST_LIMIT(what_is_synced_outlives_a_crash_on_each_kind_of_ext4, 300)
{
	static const struct {
		const char *features, *options;
	} kinds[] = {
		{ "-b 4096", "" },
		{ "-b 4096", ",data=journal" },
		{ "-b 4096", ",data=writeback,nodelalloc" },
		{ "-b 4096", ",nodelalloc,dioread_lock" },
		{ "-b 1024", "" },
		{ "-b 4096 -O ^has_journal", "" },
		{ "-b 4096 -O ^extent,^64bit", "" },
		{ "-b 4096 -O inline_data", "" },
		{ "-b 4096 -O bigalloc -C 16384", "" },
		{ "-b 4096 -O fast_commit", "" },
	};
	size_t i;

	for (i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		printf("# %s%s\n", kinds[i].features, kinds[i].options);
		disk_make(kinds[i].features, kinds[i].options);
		store_and_crash(!strstr(kinds[i].features, "^has_journal"));
		disk_end();
	}
}

/* A file whose data goes through the journal from now on, and no longer. */
TEST(what_is_synced_outlives_a_crash_where_the_journal_takes_the_data)
{
	int fd, flags, i;
	char *map;

	disk_make("-b 4096", "");
	fd = disk_file();
	ASSERT(!ftruncate(fd, SIZE));
	map = map_shared(fd, PAGES);
	for (i = 0; i < 4; i++) {
		memset(map, '1' + i, SIZE);
		EXPECT_ERRNO(bsdvm_msync(map, 0, BSDVM_MS_SYNC), 0);
		map[3 * PAGE] = 'a' + i;
		EXPECT_ERRNO(bsdvm_msync(map, 0, BSDVM_MS_SYNC), 0);
		expect_after_crash(map, SIZE);
		ASSERT(!ioctl(fd, FS_IOC_GETFLAGS, &flags));
		flags ^= FS_JOURNAL_DATA_FL;
		ASSERT(!ioctl(fd, FS_IOC_SETFLAGS, &flags));
	}
	ASSERT(!bsdvm_munmap(map, PAGES * PAGE));
	close(fd);
	disk_end();
}

/* --- a file system that stands still */

TEST(a_frozen_file_system_is_written_when_it_thaws)
{
	int fd, mount;
	pid_t child;
	char *map;

	disk_make("-b 4096", "");
	fd = disk_file();
	mount = open("/tmp/disk", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	ASSERT(mount >= 0 && !ftruncate(fd, SIZE));
	map = map_shared(fd, PAGES);
	memset(map, '1', SIZE);
	EXPECT_ERRNO(bsdvm_msync(map, 0, BSDVM_MS_SYNC), 0);
	ASSERT(!ioctl(mount, FIFREEZE, 0));
	vm_run("cp /tmp/disk.img /tmp/frozen.img");
	memset(map, '2', 4 * PAGE);
	child = harness_fork();
	if (!child) {
		EXPECT_ERRNO(bsdvm_msync(map, 0, BSDVM_MS_SYNC), 0);
		harness_exit();
	}
	usleep(300000);
	EXPECT_EQ(waitpid(child, NULL, WNOHANG), 0);
	vm_run("cmp /tmp/disk.img /tmp/frozen.img && rm /tmp/frozen.img");
	ASSERT(!ioctl(mount, FITHAW, 0));
	harness_join(child);
	expect_after_crash(map, SIZE);
	ASSERT(!bsdvm_munmap(map, PAGES * PAGE));
	close(mount);
	close(fd);
	disk_end();
}

/* --- a file whose blocks are somebody else's */

struct move_extent {
	uint32_t reserved, donor_fd;
	uint64_t orig_start, donor_start, len, moved_len;
};

#define EXT4_IOC_MOVE_EXT _IOWR('f', 15, struct move_extent)

/* Leave about @pages of the disk, so that what is given back is soon another's. */
static int fill_but(size_t pages)
{
	int fd = open("/tmp/disk", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	struct statvfs fs;

	ASSERT(fd >= 0 && !fstatvfs(fd, &fs));
	ASSERT(!fallocate(fd, 0, 0, (fs.f_bavail - pages) * PAGE));
	return fd;
}

/* Have the file's data in other blocks, as e4defrag(8) does. Says whether it is. */
static bool move_blocks(int fd)
{
	int donor = open("/tmp/disk", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	struct move_extent move = { .donor_fd = donor, .len = PAGES };
	bool moved;

	ASSERT(donor >= 0 && !fallocate(donor, 0, 0, PAGES * PAGE));
	moved = !ioctl(fd, EXT4_IOC_MOVE_EXT, &move) && move.moved_len;
	close(donor);
	return moved;
}

#define KEPT_PAGES (8 * PAGES)

/* A file that gets all blocks which others have given back, and keeps what it has. */
static void expect_kept(const char *kept, const atomic_int *rounds)
{
	int fd = open("/tmp/disk", O_TMPFILE | O_RDWR | O_DIRECT | O_CLOEXEC,
		      0600);
	char *got = aligned_alloc(PAGE, KEPT_PAGES * PAGE);
	int round = *rounds;
	ssize_t size = 0;

	ASSERT(fd >= 0 && got);
	while (size < (ssize_t)(KEPT_PAGES * PAGE) &&
	       pwrite(fd, kept, PAGE, size) == (ssize_t)PAGE)
		size += PAGE;
	while (*rounds < round + 2)
		usleep(100);
	ASSERT(pread(fd, got, size, 0) == size);
	EXPECT(!memcmp(got, kept, size));
	free(got);
	close(fd);
}

static void store_for_ever(int fd, atomic_int *rounds)
{
	char *map = map_shared(fd, PAGES);
	size_t i;

	for (;;) {
		for (i = 0; i < PAGES; i++)
			vm_write(map + i * PAGE, 's');
		bsdvm_msync(map, 0, BSDVM_MS_SYNC);
		++*rounds;
	}
}

/* The file's blocks come and go while what is stored is written to them. */
TEST_LIMIT(blocks_that_are_given_back_are_not_written, 300)
{
	char *kept = aligned_alloc(PAGE, KEPT_PAGES * PAGE);
	int fd, filler, i, round, moved = 0;
	atomic_int *rounds = mmap(NULL, PAGE, PROT_READ | PROT_WRITE,
				  MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	pid_t child;

	disk_make("-b 4096 -m 0", "");
	fd = disk_file();
	filler = fill_but(3 * PAGES);
	ASSERT(kept && rounds != MAP_FAILED && !ftruncate(fd, PAGES * PAGE));
	memset(kept, 'k', KEPT_PAGES * PAGE);
	child = harness_fork();
	if (!child)
		store_for_ever(fd, rounds);
	for (i = 0; i < 60; i++) {
		/* Until it has blocks, and is being written there. */
		for (round = *rounds; *rounds < round + 3;)
			usleep(100);
		switch (i % 4) {
		case 0:
			ASSERT(!fallocate(
				fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
				PAGE, (PAGES - 2) * PAGE));
			break;
		case 1:
			ASSERT(!ftruncate(fd, 3 * PAGE) &&
			       !ftruncate(fd, PAGES * PAGE));
			break;
		case 2:
			ASSERT(!fallocate(fd, FALLOC_FL_COLLAPSE_RANGE, PAGE,
					  PAGE));
			ASSERT(!ftruncate(fd, PAGES * PAGE));
			break;
		default:
			moved += move_blocks(fd);
		}
		syncfs(fd);
		expect_kept(kept, rounds);
	}
	EXPECT(moved > 0);
	ASSERT(!kill(child, SIGKILL));
	harness_wait(child);
	close(filler);
	close(fd);
	free(kept);
	vm_run("umount /tmp/disk && e2fsck -f -n /tmp/disk.img > /dev/null 2>&1 && "
	       "losetup -D && rm /tmp/disk.img");
}

/* Where Linux looks for it in the first page of swap; see mkswap(8). */
static void swap_header(int fd)
{
	const uint32_t info[] = { 1, PAGES - 1, 0 };

	ASSERT(pwrite(fd, info, sizeof(info), 1024) == sizeof(info));
	ASSERT(pwrite(fd, "SWAPSPACE2", 10, PAGE - 10) == 10);
}

TEST(a_file_that_linux_swaps_to_is_not_written)
{
	char stored[PAGES * PAGE] = "";
	int fd;
	char *map;

	disk_make("-b 4096", "");
	fd = disk_file();
	ASSERT(pwrite(fd, stored, sizeof(stored), 0) == sizeof(stored));
	swap_header(fd);
	map = map_shared(fd, PAGES);
	memset(map + PAGE, '1', (PAGES - 1) * PAGE);
	EXPECT_ERRNO(bsdvm_msync(map, 0, BSDVM_MS_SYNC), 0);
	memcpy(stored, map, sizeof(stored));
	ASSERT(!swapon(DISK_FILE, 0));
	map[20 * PAGE] = '2';
	EXPECT_ERRNO(bsdvm_msync(map, 0, BSDVM_MS_SYNC), EIO);
	expect_after_crash(stored, sizeof(stored));
	EXPECT_ERRNO(bsdvm_mmap(NULL, PAGE, RW, BSDVM_MAP_SHARED, fd, 0),
		     EPERM);
	ASSERT(!swapoff(DISK_FILE));
	EXPECT_ERRNO(bsdvm_msync(map, 0, BSDVM_MS_SYNC), 0);
	expect_after_crash(map, sizeof(stored));
	ASSERT(!bsdvm_munmap(map, PAGES * PAGE));
	close(fd);
	disk_end();
}
