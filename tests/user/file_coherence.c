// SPDX-License-Identifier: BSD-2-Clause
/*
 * A mapping of a file and the file are one: what anybody writes to the file, cuts off it
 * or puts in its place is seen through mappings, and what is stored through them is seen
 * by read(2), at once. Run with a pool of 16 MiB.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <linux/fs.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "vm.h"

/* More than the pool has. */
#define LARGE_PAGES ((size_t)24 << 8)

static char *map_shared(int fd, size_t pages)
{
	char *map = bsdvm_mmap(NULL, pages * PAGE, RW, BSDVM_MAP_SHARED, fd, 0);

	ASSERT(map != BSDVM_MAP_FAILED);
	return map;
}

static void file_write(int fd, off_t off, char byte)
{
	ASSERT(pwrite(fd, &byte, 1, off) == 1);
}

static void sleep_ms(long ms)
{
	const struct timespec ts = { ms / 1000, ms % 1000 * 1000000 };

	nanosleep(&ts, NULL);
}

/* A named file of @size bytes, all @byte. */
static int named(const char *path, size_t size, char byte)
{
	int fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	size_t i;

	ASSERT(fd >= 0);
	for (i = 0; i < size; i++)
		ASSERT(write(fd, &byte, 1) == 1);
	return fd;
}

/* --- write(2) and read(2) */

TEST_FILES(a_write_is_seen_through_mappings_at_once)
{
	int fd = vm_file(dir, 3 * PAGE);
	char *map = map_shared(fd, 3);
	const char *private =
		bsdvm_mmap(NULL, 3 * PAGE, RW, BSDVM_MAP_PRIVATE, fd, 0);
	pid_t child;

	EXPECT_EQ(map[PAGE], vm_file_byte(PAGE));
	EXPECT_EQ(private[PAGE], vm_file_byte(PAGE));
	file_write(fd, PAGE, '1');
	EXPECT_EQ(map[PAGE], '1');
	EXPECT_EQ(private[PAGE], '1');
	EXPECT_EQ(map[PAGE + 1], vm_file_byte(PAGE + 1));
	child = harness_fork();
	if (!child) {
		file_write(vm_reopen(fd, O_WRONLY), PAGE, '2');
		harness_exit();
	}
	harness_join(child);
	EXPECT_EQ(map[PAGE], '2');
}

TEST_FILES(a_store_is_seen_by_read_at_once)
{
	int fd = vm_file(dir, 2 * PAGE), out[2];
	char *map = map_shared(fd, 2), byte = 0;
	off_t at = 5;
	pid_t child;

	map[5] = '!';
	EXPECT_EQ(vm_file_read(fd, 5), '!');
	EXPECT_EQ(vm_file_read(fd, 6), vm_file_byte(6));
	map[5] = '?';
	child = harness_fork();
	if (!child) {
		EXPECT_EQ(vm_file_read(vm_reopen(fd, O_RDONLY), 5), '?');
		harness_exit();
	}
	harness_join(child);
	ASSERT(!pipe(out));
	ASSERT(sendfile(out[1], fd, &at, 1) == 1);
	ASSERT(read(out[0], &byte, 1) == 1);
	EXPECT_EQ(byte, '?');
}

TEST_FILES(a_store_and_a_write_to_one_page_are_both_kept)
{
	int fd = vm_file(dir, PAGE), i;
	char *map = map_shared(fd, 1);

	for (i = 0; i < 100; i++) {
		map[10] = i;
		file_write(fd, 20, i + 1);
		EXPECT_EQ(map[10], (char)i);
		EXPECT_EQ(map[20], (char)(i + 1));
		if (i % 3 == 0)
			EXPECT_ERRNO(
				bsdvm_msync(map, PAGE, BSDVM_MS_INVALIDATE), 0);
	}
	ASSERT(!bsdvm_munmap(map, PAGE));
	EXPECT_EQ(vm_file_read(fd, 10), 99);
	EXPECT_EQ(vm_file_read(fd, 20), 100);
}

/* Linux's own mapping of the file shows the same memory. */
TEST_FILES(a_mapping_of_linux_is_the_same_memory)
{
	int fd = vm_file(dir, PAGE);
	char *map = map_shared(fd, 1);
	char *linux_map =
		mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	ASSERT(linux_map != MAP_FAILED);
	map[0] = 'b';
	EXPECT_EQ(linux_map[0], 'b');
	linux_map[1] = 'l';
	EXPECT_EQ(map[1], 'l');
}

static void drop_caches(void)
{
	int fd = open("/proc/sys/vm/drop_caches", O_WRONLY);

	sync();
	ASSERT(fd >= 0 && write(fd, "3", 1) == 1);
	close(fd);
}

TEST(stores_are_on_the_disk_after_msync)
{
	int fd = vm_file("/mnt/ext4", 8 * PAGE);
	char *map = map_shared(fd, 8);

	memset(map, 's', 8 * PAGE);
	EXPECT_ERRNO(bsdvm_msync(map, 8 * PAGE, BSDVM_MS_SYNC), 0);
	ASSERT(!bsdvm_munmap(map, 8 * PAGE));
	drop_caches();
	map = map_shared(fd, 8);
	EXPECT(vm_all(map, 8 * PAGE, 's'));
}

TEST_FILES(msync_moves_the_time_of_modification)
{
	int fd = vm_file(dir, PAGE);
	const struct timespec old[2] = { { 1000, 0 }, { 1000, 0 } };
	char *map = map_shared(fd, 1);
	struct stat st;

	ASSERT(!futimens(fd, old));
	*map = '!';
	EXPECT_ERRNO(bsdvm_msync(map, PAGE, BSDVM_MS_SYNC), 0);
	ASSERT(!fstat(fd, &st));
	EXPECT(st.st_mtime > 1000);
}

TEST_FILES(a_file_that_cannot_be_written_shows_what_others_write)
{
	int fd = vm_file(dir, PAGE), ro;
	char *map;

	ASSERT(!fchmod(fd, 0444));
	ro = vm_reopen(fd, O_RDONLY);
	map = bsdvm_mmap(NULL, PAGE, BSDVM_PROT_READ, BSDVM_MAP_SHARED, ro, 0);
	ASSERT(map != BSDVM_MAP_FAILED);
	EXPECT_EQ(*map, vm_file_byte(0));
	file_write(fd, 0, '!');
	EXPECT_EQ(*map, '!');
	EXPECT_FAULT(vm_write(map, 'x'), SIGSEGV, SEGV_ACCERR, map);
}

/* --- the end of the file */

TEST_FILES(what_is_cut_off_is_sigbus_and_the_tail_is_zero)
{
	int fd = vm_file(dir, 4 * PAGE);
	char *map = map_shared(fd, 4);

	memset(map, 'x', 4 * PAGE);
	ASSERT(!ftruncate(fd, PAGE + 100));
	EXPECT(vm_all(map, PAGE + 100, 'x'));
	EXPECT(vm_all(map + PAGE + 100, PAGE - 100, 0));
	EXPECT_FAULT(vm_read(map + 2 * PAGE), SIGBUS, BUS_OBJERR,
		     map + 2 * PAGE);
	EXPECT_FAULT(vm_write(map + 3 * PAGE, 'x'), SIGBUS, BUS_OBJERR,
		     map + 3 * PAGE);
	EXPECT_ERRNO(bsdvm_msync(map, 4 * PAGE, BSDVM_MS_SYNC), 0);
	EXPECT_EQ(vm_file_read(fd, PAGE + 100), -1);
}

TEST_FILES(what_is_cut_off_is_free)
{
	int fd = vm_file(dir, 64 * PAGE);
	uint64_t before = vm_free_pages();
	char *map = map_shared(fd, 64);

	memset(map, 'x', 64 * PAGE);
	EXPECT_EQ(before - vm_free_pages(), 64);
	ASSERT(!ftruncate(fd, 10 * PAGE));
	EXPECT_EQ(before - vm_free_pages(), 10);
	ASSERT(!ftruncate(fd, 0));
	EXPECT_EQ(vm_free_pages(), before);
}

TEST_FILES(a_file_emptied_by_open_is_empty)
{
	int fd = vm_file(dir, 2 * PAGE);
	char *map = map_shared(fd, 2);

	map[0] = '!';
	close(vm_reopen(fd, O_WRONLY | O_TRUNC));
	EXPECT_FAULT(vm_read(map), SIGBUS, BUS_OBJERR, map);
}

TEST_FILES(extension_makes_pages_reachable)
{
	int fd = vm_file(dir, PAGE);
	char *map = map_shared(fd, 8);

	EXPECT_FAULT(vm_read(map + PAGE), SIGBUS, BUS_OBJERR, map + PAGE);
	ASSERT(!ftruncate(fd, 2 * PAGE));
	EXPECT(vm_all(map + PAGE, PAGE, 0));
	file_write(fd, 4 * PAGE, 'w');
	EXPECT_EQ(map[4 * PAGE], 'w');
	EXPECT(vm_all(map + 3 * PAGE, PAGE, 0));
	EXPECT_FAULT(vm_read(map + 5 * PAGE), SIGBUS, BUS_OBJERR,
		     map + 5 * PAGE);
	map[4 * PAGE] = 's';
	EXPECT_EQ(vm_file_read(fd, 4 * PAGE), 's');
}

TEST_FILES(what_was_cut_off_does_not_come_back)
{
	int fd = vm_file(dir, 4 * PAGE), i;
	char *map = map_shared(fd, 4);

	for (i = 0; i < 20; i++) {
		memset(map, 'x', 4 * PAGE);
		ASSERT(!ftruncate(fd, PAGE + i));
		ASSERT(!ftruncate(fd, 4 * PAGE));
		EXPECT(vm_all(map, PAGE + i, 'x'));
		EXPECT(vm_all(map + PAGE + i, 3 * PAGE - i, 0));
		EXPECT_EQ(vm_file_read(fd, 2 * PAGE), 0);
	}
}

TEST_FILES(stores_to_the_tail_are_gone_when_the_file_grows)
{
	int fd = vm_file(dir, 100);
	char *map = map_shared(fd, 1);

	memset(map, 'x', PAGE);
	EXPECT_ERRNO(bsdvm_msync(map, PAGE, BSDVM_MS_SYNC), 0);
	ASSERT(!ftruncate(fd, PAGE));
	EXPECT(vm_all(map, 100, 'x'));
	EXPECT(vm_all(map + 100, PAGE - 100, 0));
	EXPECT_EQ(vm_file_read(fd, 100), 0);
}

TEST_FILES(a_hole_is_zero_in_the_mapping)
{
	int fd = vm_file(dir, 8 * PAGE);
	char *map = map_shared(fd, 8);

	memset(map, 'x', 8 * PAGE);
	ASSERT(!fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
			  2 * PAGE - 10, 3 * PAGE));
	EXPECT(vm_all(map, 2 * PAGE - 10, 'x'));
	EXPECT(vm_all(map + 2 * PAGE - 10, 3 * PAGE, 0));
	EXPECT(vm_all(map + 5 * PAGE - 10, 3 * PAGE + 10, 'x'));
	EXPECT_ERRNO(bsdvm_msync(map, 0, BSDVM_MS_SYNC), 0);
	EXPECT_EQ(vm_file_read(fd, 3 * PAGE), 0);
	map[3 * PAGE] = 'y';
	EXPECT_EQ(vm_file_read(fd, 3 * PAGE), 'y');
}

/* The file system has no block for what is cut out; nobody has written it yet. */
TEST_FILES(a_part_of_a_page_that_was_a_hole_is_cut_out)
{
	int fd = vm_file(dir, 0);
	char *map;

	ASSERT(!ftruncate(fd, 4 * PAGE));
	map = map_shared(fd, 4);
	memset(map, 'x', 4 * PAGE);
	ASSERT(!fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
			  PAGE + 100, PAGE));
	EXPECT(vm_all(map, PAGE + 100, 'x'));
	EXPECT(vm_all(map + PAGE + 100, PAGE, 0));
	EXPECT(vm_all(map + 2 * PAGE + 100, 2 * PAGE - 100, 'x'));
	EXPECT_EQ(vm_file_read(fd, PAGE + 100), 0);
	EXPECT_EQ(vm_file_read(fd, 2 * PAGE + 99), 0);
}

TEST(a_write_around_the_page_cache_is_seen)
{
	int fd = vm_file("/mnt/ext4", 4 * PAGE);
	int direct = vm_reopen(fd, O_RDWR | O_DIRECT);
	char *map = map_shared(fd, 4);
	char *source = mmap(NULL, PAGE, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	ASSERT(source != MAP_FAILED);
	EXPECT_EQ(map[PAGE], vm_file_byte(PAGE));
	memset(source, 'd', PAGE);
	ASSERT(pwrite(direct, source, PAGE, PAGE) == (ssize_t)PAGE);
	EXPECT(vm_all(map + PAGE, PAGE, 'd'));
	EXPECT_EQ(map[2 * PAGE], vm_file_byte(2 * PAGE));
}

/* A locked page is a page of the file as it is, not as it was. */
TEST_FILES(locked_pages_follow_the_file)
{
	int fd = vm_file(dir, 4 * PAGE);
	uint64_t before = vm_free_pages();
	char *map = map_shared(fd, 4);

	memset(map, 'x', 4 * PAGE);
	ASSERT(!bsdvm_mlock(map, 4 * PAGE));
	ASSERT(!ftruncate(fd, PAGE));
	EXPECT_FAULT(vm_read(map + 2 * PAGE), SIGBUS, BUS_OBJERR,
		     map + 2 * PAGE);
	ASSERT(!ftruncate(fd, 4 * PAGE));
	EXPECT(vm_all(map + PAGE, 3 * PAGE, 0));
	map[2 * PAGE] = '!';
	EXPECT_EQ(vm_file_read(fd, 2 * PAGE), '!');
	ASSERT(!fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
			  2 * PAGE, PAGE));
	EXPECT_EQ(map[2 * PAGE], 0);
	ASSERT(!bsdvm_munlock(map, 4 * PAGE));
	ASSERT(!bsdvm_munmap(map, 4 * PAGE));
	EXPECT_EQ(vm_free_pages(), before);
}

/* --- names */

TEST_FILES(a_file_renamed_over_is_the_one_that_is_mapped)
{
	char path[256], other[256];
	char *map, *new_map;
	int fd, new_fd;

	snprintf(path, sizeof(path), "%s/name", dir);
	snprintf(other, sizeof(other), "%s/other", dir);
	fd = named(path, 100, 'o');
	map = map_shared(fd, 1);
	EXPECT_EQ(*map, 'o');
	new_fd = named(other, 100, 'n');
	ASSERT(!rename(other, path));
	EXPECT_EQ(*map, 'o');
	*map = 'O';
	EXPECT_EQ(vm_file_read(fd, 0), 'O');
	close(new_fd);
	new_fd = open(path, O_RDWR | O_CLOEXEC);
	ASSERT(new_fd >= 0);
	new_map = map_shared(new_fd, 1);
	EXPECT_EQ(*new_map, 'n');
	EXPECT_EQ(vm_file_read(new_fd, 0), 'n');
	EXPECT_EQ(*map, 'O');
	unlink(path);
}

TEST_FILES(a_deleted_file_goes_on)
{
	int fd = vm_file(dir, 2 * PAGE), other;
	char *map = map_shared(fd, 2);

	other = vm_reopen(fd, O_RDWR);
	close(fd);
	map[0] = '!';
	EXPECT_EQ(vm_file_read(other, 0), '!');
	file_write(other, PAGE, '?');
	EXPECT_EQ(map[PAGE], '?');
	close(other);
	EXPECT_EQ(map[PAGE], '?');
	EXPECT_ERRNO(bsdvm_msync(map, 2 * PAGE, BSDVM_MS_SYNC), 0);
}

/* --- large files */

TEST_FILES(a_sparse_file_has_pages_where_it_was_written)
{
	const off_t far = (off_t)1 << 40;
	int fd = vm_file(dir, 0);
	struct stat st;
	char *map;

	ASSERT(!ftruncate(fd, far + 64 * PAGE));
	map = bsdvm_mmap(NULL, 64 * PAGE, RW, BSDVM_MAP_SHARED, fd, far);
	ASSERT(map != BSDVM_MAP_FAILED);
	EXPECT_EQ(map[32 * PAGE], 0);
	map[32 * PAGE] = '!';
	file_write(fd, far + 40 * PAGE, '?');
	EXPECT_EQ(map[40 * PAGE], '?');
	EXPECT_ERRNO(bsdvm_msync(map, 0, BSDVM_MS_SYNC), 0);
	EXPECT_EQ(vm_file_read(fd, far + 32 * PAGE), '!');
	EXPECT_EQ(vm_file_read(fd, far + 33 * PAGE), 0);
	ASSERT(!fstat(fd, &st));
	/* What was only around is a hole still. */
	EXPECT(st.st_blocks * 512 <= 8 * (off_t)PAGE);
}

TEST_FILES_LIMIT(a_file_larger_than_the_pool_is_stored_and_loaded, 240)
{
	int fd = vm_file(dir, 0);
	struct bsdvm_stats before;
	size_t i, page, *map;

	ASSERT(LARGE_PAGES > vm_stats().v_page_count);
	ASSERT(!ftruncate(fd, LARGE_PAGES * PAGE));
	map = (size_t *)map_shared(fd, LARGE_PAGES);
	before = vm_stats();
	for (i = 0; i < LARGE_PAGES; i++)
		map[i * PAGE / sizeof(*map) + i % 512] = i + 1;
	EXPECT(vm_stats().v_vnodepgsout > before.v_vnodepgsout);
	for (i = 0; i < LARGE_PAGES; i++) {
		ASSERT(pread(fd, &page, sizeof(page),
			     i * PAGE + i % 512 * sizeof(page)) ==
		       sizeof(page));
		EXPECT_EQ(page, i + 1);
	}
	for (i = LARGE_PAGES; i--;)
		EXPECT_EQ(map[i * PAGE / sizeof(*map) + i % 512], i + 1);
	ASSERT(!bsdvm_munmap(map, LARGE_PAGES * PAGE));
}

/* The source of the write must be brought in while the file's lock is held. */
TEST_FILES(a_large_file_is_written_from_its_own_mapping)
{
	const size_t half = LARGE_PAGES / 2 * PAGE;
	int fd = vm_file(dir, 0);
	size_t i;
	char *map;

	ASSERT(!ftruncate(fd, 2 * half));
	map = map_shared(fd, LARGE_PAGES);
	for (i = 0; i < half; i += PAGE)
		map[i] = i / PAGE;
	ASSERT(pwrite(fd, map, half, half) == (ssize_t)half);
	for (i = 0; i < half; i += PAGE)
		EXPECT_EQ(map[half + i], (char)(i / PAGE));
	ASSERT(!bsdvm_munmap(map, LARGE_PAGES * PAGE));
}

/* --- no room, and no disk */

static double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec + ts.tv_nsec / 1e9;
}

/* Take all the room there is. */
static int fill(const char *path)
{
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	off_t end = 0, len = 1 << 30;

	ASSERT(fd >= 0);
	while (len >= (off_t)PAGE) {
		if (fallocate(fd, 0, end, len))
			len /= 2;
		else
			end += len;
	}
	return fd;
}

TEST(no_room_for_a_store_is_msyncs_enospc_and_the_data_stays)
{
	char byte;
	int fd, filler;
	char *map;

	vm_run("truncate -s 8M /tmp/small.img && mkfs.ext4 -q -m 0 /tmp/small.img && "
	       "mkdir -p /tmp/small && mount $(" VM_LOOP
	       "/tmp/small.img) /tmp/small");
	fd = vm_file("/tmp/small", 0);
	ASSERT(!ftruncate(fd, 64 * PAGE));
	filler = fill("/tmp/small/filler");
	map = map_shared(fd, 64);
	memset(map, 's', 64 * PAGE);
	EXPECT_ERRNO(bsdvm_msync(map, 64 * PAGE, BSDVM_MS_SYNC), ENOSPC);
	EXPECT(vm_all(map, 64 * PAGE, 's'));
	EXPECT_EQ(vm_file_read(fd, 33 * PAGE), 's');
	EXPECT(vm_stats().v_pageout_errors > 0);
	/* And is written as soon as there is. */
	ASSERT(!ftruncate(filler, 0) && !fsync(filler));
	EXPECT_ERRNO(bsdvm_msync(map, 64 * PAGE, BSDVM_MS_SYNC), 0);
	ASSERT(!bsdvm_munmap(map, 64 * PAGE));
	drop_caches();
	for (byte = 0; byte < 64; byte++)
		EXPECT_EQ(vm_file_read(fd, byte * PAGE), 's');
	close(fd);
	close(filler);
	vm_run("umount /tmp/small && losetup -D && rm /tmp/small.img");
}

/* A page of tmpfs must be there before it can be stored to. */
TEST(no_room_in_tmpfs_is_sigbus_where_there_is_none)
{
	int fd, filler;
	char *map;

	vm_run("mkdir -p /tmp/small && mount -t tmpfs -o size=256k small /tmp/small");
	fd = vm_file("/tmp/small", 0);
	ASSERT(!ftruncate(fd, 64 * PAGE));
	map = map_shared(fd, 64);
	*map = '!';
	filler = fill("/tmp/small/filler");
	EXPECT_FAULT(vm_write(map + PAGE, 'x'), SIGBUS, BUS_OBJERR, map + PAGE);
	EXPECT_EQ(*map, '!');
	ASSERT(!ftruncate(filler, 0));
	EXPECT_NO_FAULT(vm_write(map + PAGE, 'x'));
	EXPECT_EQ(vm_file_read(fd, PAGE), 'x');
	ASSERT(!bsdvm_munmap(map, 64 * PAGE));
	close(fd);
	close(filler);
	vm_run("umount /tmp/small");
}

/*
 * An ext4 of 2048 blocks in /tmp/bad, on a disk that fails where it is told to.
 */
static void bad_disk(void)
{
	vm_run("modprobe -q dm-mod; truncate -s 8M /tmp/bad.img && "
	       "mkfs.ext4 -q -b 4096 /tmp/bad.img && mkdir -p /tmp/bad && "
	       "export DM_DISABLE_UDEV=1 && dev=$(" VM_LOOP "/tmp/bad.img) && "
	       "dmsetup create bad --table \"0 16384 linear $dev 0\" && "
	       "mount /dev/mapper/bad /tmp/bad");
}

/* Have 4 KiB from @block on fail, or none of them for 0. */
static void bad_block(unsigned int block)
{
	const unsigned int at = block * 8, end = 16384;
	char command[512], table[256];

	if (block)
		snprintf(
			table, sizeof(table),
			"0 %u linear $dev 0\\n%u 8 error\\n%u %u linear $dev %u",
			at, at, at + 8, end - at - 8, at + 8);
	else
		snprintf(table, sizeof(table), "0 %u linear $dev 0", end);
	snprintf(
		command, sizeof(command),
		"export DM_DISABLE_UDEV=1; dev=$(losetup -j /tmp/bad.img -O NAME -n) && "
		"printf \"%s\\n\" | dmsetup load bad && dmsetup suspend --nolockfs bad && "
		"dmsetup resume bad",
		table);
	vm_run(command);
}

static void bad_disk_end(void)
{
	vm_run("umount /tmp/bad && DM_DISABLE_UDEV=1 dmsetup remove bad && "
	       "losetup -D && rm /tmp/bad.img");
}

static unsigned int block_of(int fd, int page)
{
	ASSERT(!ioctl(fd, FIBMAP, &page));
	ASSERT(page);
	return page;
}

TEST(a_page_that_cannot_be_read_is_sigbus_there_alone)
{
	uint64_t before = vm_stats().v_pagein_errors;
	unsigned int i;
	char *map;
	int fd;

	bad_disk();
	fd = vm_file("/tmp/bad", 8 * PAGE);
	ASSERT(!fsync(fd));
	drop_caches();
	bad_block(block_of(fd, 3));
	map = map_shared(fd, 8);
	EXPECT_FAULT(vm_read(map + 3 * PAGE + 5), SIGBUS, BUS_OBJERR,
		     map + 3 * PAGE + 5);
	for (i = 0; i < 8; i++) {
		if (i != 3)
			EXPECT_EQ(map[i * PAGE], vm_file_byte(i * PAGE));
	}
	EXPECT_EQ(vm_stats().v_pagein_errors - before, 1);
	bad_block(0);
	EXPECT_EQ(map[3 * PAGE], vm_file_byte(3 * PAGE));
	ASSERT(!bsdvm_munmap(map, 8 * PAGE));
	close(fd);
	bad_disk_end();
}

TEST(a_page_that_cannot_be_written_stays_dirty)
{
	uint64_t before = vm_stats().v_pageout_errors;
	char *map;
	int fd;

	bad_disk();
	fd = vm_file("/tmp/bad", 8 * PAGE);
	ASSERT(!fsync(fd));
	map = map_shared(fd, 8);
	memset(map, 's', 8 * PAGE);
	bad_block(block_of(fd, 3));
	EXPECT_ERRNO(bsdvm_msync(map, 8 * PAGE, BSDVM_MS_SYNC), EIO);
	EXPECT(vm_stats().v_pageout_errors > before);
	EXPECT(vm_all(map, 8 * PAGE, 's'));
	bad_block(0);
	EXPECT_ERRNO(bsdvm_msync(map, 8 * PAGE, BSDVM_MS_SYNC), 0);
	ASSERT(!bsdvm_munmap(map, 8 * PAGE));
	drop_caches();
	EXPECT_EQ(vm_file_read(fd, 3 * PAGE), 's');
	close(fd);
	bad_disk_end();
}

static void expect_on_disk(int direct, const char *map, unsigned int pages)
{
	char *page = mmap(NULL, PAGE, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	unsigned int i;

	ASSERT(page != MAP_FAILED);
	for (i = 0; i < pages; i++) {
		ASSERT(pread(direct, page, PAGE, i * PAGE) == (ssize_t)PAGE);
		EXPECT(!memcmp(page, map + i * PAGE, PAGE));
	}
	munmap(page, PAGE);
}

/* The file has its blocks from the first time on. */
TEST(what_is_synced_again_is_on_the_disk)
{
	static const unsigned int stored[] = { 0, 1, 2, 7, 31, 32, 33, 63 };
	int fd, direct;
	unsigned int i;
	char *map;

	bad_disk();
	fd = vm_file("/tmp/bad", 64 * PAGE);
	direct = vm_reopen(fd, O_RDONLY | O_DIRECT);
	map = map_shared(fd, 64);
	memset(map, '1', 64 * PAGE);
	EXPECT_ERRNO(bsdvm_msync(map, 64 * PAGE, BSDVM_MS_SYNC), 0);
	expect_on_disk(direct, map, 64);
	/* In runs, alone, and across what is written in one go. */
	for (i = 0; i < sizeof(stored) / sizeof(stored[0]); i++)
		map[stored[i] * PAGE + i] = '2';
	EXPECT_ERRNO(bsdvm_msync(map, 64 * PAGE, BSDVM_MS_SYNC), 0);
	expect_on_disk(direct, map, 64);
	/* A part of the file; the other store goes with the next sync. */
	map[7 * PAGE] = '3';
	map[9 * PAGE] = '3';
	EXPECT_ERRNO(bsdvm_msync(map + 7 * PAGE, PAGE, BSDVM_MS_SYNC), 0);
	expect_on_disk(direct, map, 8);
	EXPECT_ERRNO(bsdvm_msync(map, 64 * PAGE, BSDVM_MS_SYNC), 0);
	expect_on_disk(direct, map, 64);
	/* With one by write(2) beside it. */
	map[5 * PAGE] = '4';
	ASSERT(pwrite(fd, "4", 1, 6 * PAGE) == 1);
	EXPECT_ERRNO(bsdvm_msync(map, 64 * PAGE, BSDVM_MS_SYNC), 0);
	expect_on_disk(direct, map, 64);
	/* What cannot be written is written when it can. */
	bad_block(block_of(fd, 31));
	map[31 * PAGE] = '5';
	map[2 * PAGE] = '5';
	EXPECT_ERRNO(bsdvm_msync(map, 64 * PAGE, BSDVM_MS_SYNC), EIO);
	bad_block(0);
	EXPECT_ERRNO(bsdvm_msync(map, 64 * PAGE, BSDVM_MS_SYNC), 0);
	expect_on_disk(direct, map, 64);
	ASSERT(!bsdvm_munmap(map, 64 * PAGE));
	close(direct);
	close(fd);
	bad_disk_end();
}

/* Have what the disk has in its cache take @ms to be on it. */
static void slow_flush(unsigned int ms)
{
	char command[512];

	snprintf(
		command, sizeof(command),
		"export DM_DISABLE_UDEV=1; modprobe -q dm-delay; "
		"dev=$(losetup -j /tmp/bad.img -O NAME -n) && "
		"echo \"0 16384 delay $dev 0 0 $dev 0 0 $dev 0 %u\" | dmsetup load bad && "
		"dmsetup suspend --nolockfs bad && dmsetup resume bad",
		ms);
	vm_run(command);
}

/* Nothing is left to be written, but it is not on the disk yet. */
TEST(msync_waits_for_the_disk_with_who_has_written)
{
	uint64_t written;
	double start;
	pid_t child;
	char *map;
	int fd;

	bad_disk();
	fd = vm_file("/tmp/bad", 8 * PAGE);
	map = map_shared(fd, 8);
	memset(map, '1', 8 * PAGE);
	EXPECT_ERRNO(bsdvm_msync(map, 8 * PAGE, BSDVM_MS_SYNC), 0);
	slow_flush(4000);
	memset(map, '2', 8 * PAGE);
	written = vm_stats().v_vnodepgsout;
	child = harness_fork();
	if (!child) {
		EXPECT_ERRNO(bsdvm_msync(map, 8 * PAGE, BSDVM_MS_SYNC), 0);
		harness_exit();
	}
	while (vm_stats().v_vnodepgsout == written)
		usleep(1000);
	usleep(300 * 1000);
	start = now();
	EXPECT_ERRNO(bsdvm_msync(map, 8 * PAGE, BSDVM_MS_SYNC), 0);
	EXPECT(now() - start > 1);
	harness_join(child);
	bad_block(0);
	ASSERT(!bsdvm_munmap(map, 8 * PAGE));
	close(fd);
	bad_disk_end();
}

/* Who syncs the file otherwise hears of it, too. */
TEST(what_was_not_written_fails_the_fsync_of_others)
{
	int fd, other;
	char *map;

	bad_disk();
	fd = vm_file("/tmp/bad", 8 * PAGE);
	other = vm_reopen(fd, O_RDWR);
	map = map_shared(fd, 8);
	memset(map, '1', 8 * PAGE);
	EXPECT_ERRNO(bsdvm_msync(map, 8 * PAGE, BSDVM_MS_SYNC), 0);
	bad_block(block_of(fd, 3));
	map[3 * PAGE] = '2';
	EXPECT_ERRNO(bsdvm_msync(map, 8 * PAGE, BSDVM_MS_SYNC), EIO);
	bad_block(0);
	EXPECT_ERRNO(fsync(other), EIO);
	EXPECT_ERRNO(fsync(other), 0);
	EXPECT_ERRNO(bsdvm_msync(map, 8 * PAGE, BSDVM_MS_SYNC), 0);
	ASSERT(!bsdvm_munmap(map, 8 * PAGE));
	close(other);
	close(fd);
	bad_disk_end();
}

/* A page that the file system writes, since write(2) was there, behind one that fails. */
TEST(what_was_not_written_stays_dirty_whatever_is_behind_it)
{
	int fd, direct;
	char *map;

	bad_disk();
	fd = vm_file("/tmp/bad", 8 * PAGE);
	direct = vm_reopen(fd, O_RDONLY | O_DIRECT);
	map = map_shared(fd, 8);
	memset(map, '1', 8 * PAGE);
	EXPECT_ERRNO(bsdvm_msync(map, 8 * PAGE, BSDVM_MS_SYNC), 0);
	bad_block(block_of(fd, 3));
	memset(map, '2', 8 * PAGE);
	file_write(fd, 5 * PAGE, '3');
	EXPECT_ERRNO(bsdvm_msync(map, 8 * PAGE, BSDVM_MS_SYNC), EIO);
	bad_block(0);
	EXPECT_ERRNO(bsdvm_msync(map, 8 * PAGE, BSDVM_MS_SYNC), 0);
	expect_on_disk(direct, map, 8);
	ASSERT(!bsdvm_munmap(map, 8 * PAGE));
	close(direct);
	close(fd);
	bad_disk_end();
}

/* --- a file system that does not share its pages */

TEST(without_sharing_msync_is_exact)
{
	char *map;
	int fd;

	vm_run("mkdir -p /tmp/ram && mount -t ramfs ram /tmp/ram");
	fd = vm_file("/tmp/ram", 4 * PAGE);
	map = map_shared(fd, 4);
	/* A write is seen by pages that were not stored to. */
	EXPECT_EQ(map[0], vm_file_byte(0));
	file_write(fd, 0, 'w');
	EXPECT_EQ(map[0], 'w');
	/* A store is seen after msync. */
	map[PAGE] = 's';
	EXPECT_EQ(vm_file_read(fd, PAGE), vm_file_byte(PAGE));
	EXPECT_ERRNO(bsdvm_msync(map, 0, BSDVM_MS_SYNC), 0);
	EXPECT_EQ(vm_file_read(fd, PAGE), 's');
	EXPECT_EQ(vm_file_read(fd, 0), 'w');
	/* The end is where it is. */
	memset(map, 'x', 4 * PAGE);
	ASSERT(!ftruncate(fd, PAGE + 100));
	EXPECT(vm_all(map, PAGE + 100, 'x'));
	EXPECT(vm_all(map + PAGE + 100, PAGE - 100, 0));
	EXPECT_FAULT(vm_read(map + 2 * PAGE), SIGBUS, BUS_OBJERR,
		     map + 2 * PAGE);
	ASSERT(!ftruncate(fd, 4 * PAGE));
	EXPECT(vm_all(map + PAGE + 100, 3 * PAGE - 100, 0));
	ASSERT(!bsdvm_munmap(map, 4 * PAGE));
	EXPECT_EQ(vm_file_read(fd, PAGE), 'x');
	close(fd);
	vm_run("umount /tmp/ram");
}

/* --- the syncer */

static void filedelay(uint64_t seconds)
{
	ASSERT(!bsdvm_sysctl_set("kern.filedelay", seconds));
}

static uint64_t paged_out(void)
{
	return vm_stats().v_vnodepgsout;
}

TEST_FILES(the_syncer_writes_stores_and_leaves_those_that_do_not_want_it)
{
	int fd = vm_file(dir, 4 * PAGE), i;
	char *map = map_shared(fd, 2);
	char *nosync = bsdvm_mmap(NULL, 2 * PAGE, RW,
				  BSDVM_MAP_SHARED | BSDVM_MAP_NOSYNC, fd,
				  2 * PAGE);
	uint64_t before = paged_out();

	/* An unlinked file is not for the syncer, but the entry may ask for it. */
	ASSERT(nosync != BSDVM_MAP_FAILED);
	ASSERT(!bsdvm_madvise(map, 2 * PAGE, BSDVM_MADV_AUTOSYNC));
	filedelay(1);
	map[0] = 's';
	nosync[0] = 'n';
	for (i = 0; i < 50 && paged_out() == before; i++)
		sleep_ms(100);
	EXPECT_EQ(paged_out() - before, 1);
	sleep_ms(2500);
	EXPECT_EQ(paged_out() - before, 1);
	EXPECT_ERRNO(bsdvm_msync(nosync, 2 * PAGE, BSDVM_MS_SYNC), 0);
	EXPECT_EQ(paged_out() - before, 2);
	filedelay(30);
}

/* --- races */

#define RACE_PAGES   16
#define RACE_SECONDS 2
/* However slow the machine is. */
#define ROUNDS_MIN   10

/* What is there is 'x' or, cut off and extended, zero. */
static void load_while_it_is_cut(int fd, double end)
{
	char *map = map_shared(fd, RACE_PAGES);
	size_t i;

	while (now() < end) {
		for (i = 0; i < RACE_PAGES; i++) {
			const struct vm_fault fault = vm_read(map + i * PAGE);

			if (fault.sig)
				EXPECT_FAULT(fault, SIGBUS, BUS_OBJERR,
					     map + i * PAGE);
		}
	}
}

TEST_FILES(cutting_a_file_that_is_being_loaded_and_stored)
{
	const double end = now() + RACE_SECONDS;
	int fd = vm_file(dir, RACE_PAGES * PAGE), i;
	uint64_t before = vm_free_pages();
	pid_t child = harness_fork();
	char *map;

	if (!child) {
		load_while_it_is_cut(fd, end);
		harness_exit();
	}
	map = map_shared(fd, RACE_PAGES);
	for (i = 0; i < ROUNDS_MIN || now() < end; i++) {
		memset(map, 'x', RACE_PAGES * PAGE);
		ASSERT(!ftruncate(fd, i % RACE_PAGES * PAGE + i % PAGE));
		if (i % 2)
			bsdvm_msync(map, RACE_PAGES * PAGE, BSDVM_MS_ASYNC);
		ASSERT(!ftruncate(fd, RACE_PAGES * PAGE));
		EXPECT(vm_all(map, i % RACE_PAGES * PAGE + i % PAGE, 'x'));
		EXPECT(vm_all(map + i % RACE_PAGES * PAGE + i % PAGE,
			      (RACE_PAGES - i % RACE_PAGES) * PAGE - i % PAGE,
			      0));
	}
	harness_join(child);
	ASSERT(!bsdvm_munmap(map, RACE_PAGES * PAGE));
	EXPECT_EQ(vm_free_settles(before), before);
}

/* Bring pages of a file in again and again. */
static void load_afresh(int fd, double end)
{
	char *map = map_shared(fd, RACE_PAGES);
	size_t i;

	ASSERT(!bsdvm_madvise(map, RACE_PAGES * PAGE, BSDVM_MADV_RANDOM));
	while (now() < end) {
		for (i = 0; i < RACE_PAGES; i++)
			EXPECT_NO_FAULT(vm_read(map + i * PAGE));
		bsdvm_msync(map, RACE_PAGES * PAGE, BSDVM_MS_INVALIDATE);
	}
}

/* Pages of the file that take time to be cut out. */
#define HOLE_PAGES ((size_t)1024)

/* What is brought in while its block goes must not stay in the page cache. */
TEST_FILES(a_hole_in_what_is_being_loaded_is_zero)
{
	const double end = now() + RACE_SECONDS;
	const size_t size = RACE_PAGES * PAGE;
	char *content = malloc(HOLE_PAGES * PAGE);
	int fd = vm_file(dir, size), i;
	pid_t child;

	ASSERT(content && !ftruncate(fd, HOLE_PAGES * PAGE));
	child = harness_fork();
	if (!child) {
		load_afresh(fd, end);
		harness_exit();
	}
	for (i = 0; i < ROUNDS_MIN || now() < end; i++) {
		memset(content, 'x', size);
		ASSERT(pwrite(fd, content, size, 0) == (ssize_t)size);
		sync_file_range(fd, 0, 0,
				SYNC_FILE_RANGE_WRITE |
					SYNC_FILE_RANGE_WAIT_AFTER);
		ASSERT(!fallocate(fd,
				  FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0,
				  HOLE_PAGES * PAGE));
		ASSERT(pread(fd, content, HOLE_PAGES * PAGE, 0) ==
		       (ssize_t)(HOLE_PAGES * PAGE));
		EXPECT(vm_all(content, HOLE_PAGES * PAGE, 0));
	}
	harness_join(child);
	free(content);
}

/* A counter that two processes raise in turn, one through its mapping, one by write(2). */
TEST_FILES(stores_and_writes_in_turn)
{
	int fd = vm_file(dir, PAGE), i;
	char *map = map_shared(fd, 1);
	volatile char *count = map, *turn = map + 100;
	pid_t child;

	*count = 0;
	*turn = 0;
	child = harness_fork();
	if (!child) {
		for (i = 0; i < 200; i++) {
			while (vm_file_read(fd, 100) != 1)
				sched_yield();
			file_write(fd, 0, vm_file_read(fd, 0) + 1);
			file_write(fd, 100, 0);
		}
		harness_exit();
	}
	for (i = 0; i < 200; i++) {
		++*count;
		*turn = 1;
		while (*turn != 0)
			sched_yield();
		if (i % 16 == 0)
			bsdvm_msync(map, PAGE, BSDVM_MS_INVALIDATE);
	}
	harness_join(child);
	EXPECT_EQ(*count, (char)400);
}
