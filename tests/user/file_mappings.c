// SPDX-License-Identifier: BSD-2-Clause
/* Mappings of files, on tmpfs and on ext4. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <linux/magic.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <time.h>
#include <unistd.h>

#include "vm.h"

static char *map_file(int fd, size_t len, int prot, int flags, off_t off)
{
	char *map = bsdvm_mmap(NULL, len, prot, flags, fd, off);

	ASSERT(map != BSDVM_MAP_FAILED);
	return map;
}

static bool same_as_file(const char *map, size_t len, size_t off)
{
	size_t i;

	for (i = 0; i < len; i++) {
		if (map[i] != vm_file_byte(off + i))
			return false;
	}
	return true;
}

TEST_FILES(a_private_mapping_shows_the_file)
{
	int fd = vm_file(dir, 40 * PAGE);
	char *map =
		map_file(fd, 40 * PAGE, BSDVM_PROT_READ, BSDVM_MAP_PRIVATE, 0);

	EXPECT(same_as_file(map, 40 * PAGE, 0));
	EXPECT_EQ(vm_entry_at(map).e.kve_type, BSDVM_KVME_TYPE_VNODE);
}

TEST_FILES(an_offset_is_where_the_mapping_begins)
{
	int fd = vm_file(dir, 8 * PAGE);
	char *map = map_file(fd, 2 * PAGE, BSDVM_PROT_READ, BSDVM_MAP_SHARED,
			     3 * PAGE);

	EXPECT(same_as_file(map, 2 * PAGE, 3 * PAGE));
}

TEST_FILES(an_unaligned_offset_comes_back_in_the_address)
{
	int fd = vm_file(dir, 4 * PAGE);
	char *map = map_file(fd, PAGE, BSDVM_PROT_READ, BSDVM_MAP_SHARED,
			     PAGE + 100);

	EXPECT_EQ((uintptr_t)map % PAGE, 100);
	EXPECT(same_as_file(map, PAGE, PAGE + 100));
	/* 100 + PAGE bytes touch two pages. */
	EXPECT_EQ(vm_entry_at(map).e.kve_end - vm_entry_at(map).e.kve_start,
		  2 * PAGE);
}

TEST_FILES(private_stores_do_not_reach_the_file)
{
	int fd = vm_file(dir, 2 * PAGE);
	char *map = map_file(fd, 2 * PAGE, RW, BSDVM_MAP_PRIVATE, 0);
	char *other =
		map_file(fd, 2 * PAGE, BSDVM_PROT_READ, BSDVM_MAP_SHARED, 0);

	map[1] = '!';
	EXPECT_EQ(map[0], vm_file_byte(0));
	EXPECT_EQ(map[1], '!');
	EXPECT_EQ(other[1], vm_file_byte(1));
	EXPECT_ERRNO(bsdvm_msync(map, 2 * PAGE, BSDVM_MS_SYNC), 0);
	EXPECT_EQ(vm_file_read(fd, 1), vm_file_byte(1));
	ASSERT(!bsdvm_munmap(map, 2 * PAGE));
	EXPECT_EQ(vm_file_read(fd, 1), vm_file_byte(1));
}

TEST_FILES(a_private_mapping_of_a_read_only_descriptor_can_be_written)
{
	int fd = vm_reopen(vm_file(dir, PAGE), O_RDONLY);
	char *map = map_file(fd, PAGE, RW, BSDVM_MAP_PRIVATE, 0);

	EXPECT_NO_FAULT(vm_write(map, '!'));
	EXPECT_EQ(*map, '!');
	EXPECT_EQ(map[1], vm_file_byte(1));
}

TEST_FILES(shared_stores_reach_the_file_by_msync)
{
	int fd = vm_file(dir, 4 * PAGE);
	char *map = map_file(fd, 4 * PAGE, RW, BSDVM_MAP_SHARED, 0);
	struct bsdvm_stats before = vm_stats(), after;

	map[0] = '0';
	map[3 * PAGE] = '3';
	EXPECT_ERRNO(bsdvm_msync(map, 4 * PAGE, BSDVM_MS_SYNC), 0);
	EXPECT_EQ(vm_file_read(fd, 0), '0');
	EXPECT_EQ(vm_file_read(fd, 1), vm_file_byte(1));
	EXPECT_EQ(vm_file_read(fd, 3 * PAGE), '3');
	after = vm_stats();
	EXPECT_EQ(after.v_vnodepgsout - before.v_vnodepgsout, 2);
	/* Clean now: nothing more to write. */
	EXPECT_ERRNO(bsdvm_msync(map, 4 * PAGE, BSDVM_MS_SYNC), 0);
	EXPECT_EQ(vm_stats().v_vnodepgsout, after.v_vnodepgsout);
	/* And dirty again by the next store. */
	map[0] = 'A';
	EXPECT_ERRNO(bsdvm_msync(map, 0, BSDVM_MS_SYNC), 0);
	EXPECT_EQ(vm_file_read(fd, 0), 'A');
}

TEST_FILES(shared_stores_reach_the_file_when_the_last_mapping_goes)
{
	int fd = vm_file(dir, 2 * PAGE);
	char *map = map_file(fd, 2 * PAGE, RW, BSDVM_MAP_SHARED, 0);

	map[PAGE] = '!';
	ASSERT(!bsdvm_munmap(map, 2 * PAGE));
	EXPECT_EQ(vm_file_read(fd, PAGE), '!');
}

TEST_FILES(shared_stores_reach_the_file_when_the_process_ends)
{
	int fd = vm_file(dir, 2 * PAGE);
	pid_t child = harness_fork();

	if (!child) {
		char *map = map_file(fd, 2 * PAGE, RW, BSDVM_MAP_SHARED, 0);

		map[PAGE] = '!';
		harness_exit();
	}
	harness_join(child);
	EXPECT_EQ(vm_file_read(fd, PAGE), '!');
}

TEST_FILES(shared_mappings_of_two_processes_are_one_memory)
{
	int fd = vm_file(dir, PAGE), pipes[2];
	char *map, byte;
	pid_t child;

	ASSERT(!pipe(pipes));
	child = harness_fork();
	if (!child) {
		map = map_file(fd, PAGE, RW, BSDVM_MAP_SHARED, 0);
		map[0] = 'c';
		ASSERT(write(pipes[1], "", 1) == 1);
		while (*(volatile char *)map != 'p')
			usleep(1000);
		harness_exit();
	}
	ASSERT(read(pipes[0], &byte, 1) == 1);
	map = map_file(fd, PAGE, RW, BSDVM_MAP_SHARED, 0);
	EXPECT_EQ(map[0], 'c');
	EXPECT_EQ(vm_entry_at(map).object[0].kvo_ref_count, 2);
	map[0] = 'p';
	harness_join(child);
}

TEST_FILES(two_mappings_of_a_file_share_one_object)
{
	int fd = vm_file(dir, 4 * PAGE);
	int again = vm_reopen(fd, O_RDONLY);
	char *a = map_file(fd, 4 * PAGE, RW, BSDVM_MAP_SHARED, 0);
	char *b =
		map_file(again, PAGE, BSDVM_PROT_READ, BSDVM_MAP_PRIVATE, PAGE);

	EXPECT_EQ(vm_entry_at(a).object[0].kvo_id,
		  vm_entry_at(b).object[0].kvo_id);
	a[PAGE] = '!';
	EXPECT_EQ(*b, '!');
}

TEST_FILES(a_mapping_outlives_its_descriptor_and_its_name)
{
	int fd = vm_file(dir, 2 * PAGE);
	char *map = map_file(fd, 2 * PAGE, RW, BSDVM_MAP_SHARED, 0);

	close(fd);
	EXPECT(same_as_file(map, 2 * PAGE, 0));
	map[0] = '!';
	EXPECT_ERRNO(bsdvm_msync(map, 0, BSDVM_MS_SYNC), 0);
	EXPECT_EQ(map[0], '!');
}

/* --- the end of the file */

TEST_FILES(behind_the_end_the_last_page_is_zero_and_the_next_is_sigbus)
{
	int fd = vm_file(dir, PAGE + 100);
	char *map = map_file(fd, 4 * PAGE, RW, BSDVM_MAP_SHARED, 0);

	EXPECT(same_as_file(map, PAGE + 100, 0));
	EXPECT(vm_all(map + PAGE + 100, PAGE - 100, 0));
	EXPECT_FAULT(vm_read(map + 2 * PAGE), SIGBUS, BUS_OBJERR,
		     map + 2 * PAGE);
	EXPECT_FAULT(vm_write(map + 3 * PAGE + 5, 'x'), SIGBUS, BUS_OBJERR,
		     map + 3 * PAGE + 5);
}

/* Linux shows what somebody stores there through its own mapping. */
TEST_FILES(behind_the_end_it_is_zero_whatever_the_page_cache_has)
{
	int fd = vm_file(dir, 100);
	char *cached =
		mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	char *map;

	ASSERT(cached != MAP_FAILED);
	memset(cached, 'x', PAGE);
	map = map_file(fd, PAGE, BSDVM_PROT_READ, BSDVM_MAP_SHARED, 0);
	EXPECT(vm_all(map, 100, 'x'));
	EXPECT(vm_all(map + 100, PAGE - 100, 0));
}

TEST_FILES(stores_behind_the_end_are_not_written)
{
	int fd = vm_file(dir, 100);
	char *map = map_file(fd, PAGE, RW, BSDVM_MAP_SHARED, 0);
	struct stat st;

	map[99] = '!';
	map[100] = '?';
	EXPECT_ERRNO(bsdvm_msync(map, PAGE, BSDVM_MS_SYNC), 0);
	EXPECT_EQ(vm_file_read(fd, 99), '!');
	EXPECT_EQ(vm_file_read(fd, 100), -1);
	ASSERT(!fstat(fd, &st));
	EXPECT_EQ(st.st_size, 100);
}

TEST_FILES(a_private_write_behind_the_end_is_sigbus)
{
	int fd = vm_file(dir, PAGE);
	char *map = map_file(fd, 2 * PAGE, RW, BSDVM_MAP_PRIVATE, 0);

	EXPECT_FAULT(vm_write(map + PAGE, 'x'), SIGBUS, BUS_OBJERR, map + PAGE);
	EXPECT_NO_FAULT(vm_write(map, 'x'));
}

TEST_FILES(an_empty_file_can_be_mapped_and_not_touched)
{
	int fd = vm_file(dir, 0);
	char *map = map_file(fd, PAGE, RW, BSDVM_MAP_SHARED, 0);

	EXPECT_FAULT(vm_read(map), SIGBUS, BUS_OBJERR, map);
}

TEST_FILES(holes_of_a_file_read_as_zero)
{
	int fd = vm_file(dir, 0);
	char *map;

	ASSERT(!ftruncate(fd, 64 * PAGE));
	map = map_file(fd, 64 * PAGE, RW, BSDVM_MAP_SHARED, 0);
	EXPECT(vm_all(map, 64 * PAGE, 0));
	map[10 * PAGE] = '!';
	EXPECT_ERRNO(bsdvm_msync(map, 0, BSDVM_MS_SYNC), 0);
	EXPECT_EQ(vm_file_read(fd, 10 * PAGE), '!');
	EXPECT_EQ(vm_file_read(fd, 11 * PAGE), 0);
}

/* --- what cannot be mapped */

/* Of overlayfs only the files beneath it have pages. */
TEST(a_file_of_overlayfs_is_enodev)
{
	int fd = open("/etc/passwd", O_RDONLY | O_CLOEXEC);
	struct statfs fs;

	ASSERT(fd >= 0 && !fstatfs(fd, &fs));
	if (fs.f_type != OVERLAYFS_SUPER_MAGIC)
		return;
	EXPECT_ERRNO(bsdvm_mmap(NULL, PAGE, BSDVM_PROT_READ, BSDVM_MAP_PRIVATE,
				fd, 0),
		     ENODEV);
}

/* --- fork */

TEST_FILES(a_child_shares_a_shared_mapping)
{
	int fd = vm_file(dir, PAGE);
	char *map = map_file(fd, PAGE, RW, BSDVM_MAP_SHARED, 0);
	pid_t child;

	map[0] = 'p';
	child = harness_fork();
	if (!child) {
		EXPECT_EQ(map[0], 'p');
		map[1] = 'c';
		harness_exit();
	}
	harness_join(child);
	EXPECT_EQ(map[1], 'c');
}

TEST_FILES(a_child_copies_a_private_mapping)
{
	int fd = vm_file(dir, 2 * PAGE);
	char *map = map_file(fd, 2 * PAGE, RW, BSDVM_MAP_PRIVATE, 0);
	pid_t child;

	map[0] = 'p';
	child = harness_fork();
	if (!child) {
		EXPECT_EQ(map[0], 'p');
		map[0] = 'c';
		map[PAGE] = 'c';
		harness_exit();
	}
	harness_join(child);
	EXPECT_EQ(map[0], 'p');
	EXPECT_EQ(map[PAGE], vm_file_byte(PAGE));
}

/* --- one page at many addresses */

#define PLACES 200

static double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec + ts.tv_nsec / 1e9;
}

/* A store through @map, and whoever looks at the file sees it after msync. */
static void store_and_sync(int fd, char *map, char byte)
{
	const double begin = now();

	*map = byte;
	EXPECT_ERRNO(bsdvm_msync(map, PAGE, BSDVM_MS_SYNC), 0);
	/* It may have to unmap the page from many places, but not from each. */
	EXPECT(now() - begin < 5);
	EXPECT_EQ(vm_file_read(fd, 0), byte);
}

TEST_FILES(a_page_stays_mapped_while_it_wanders_through_the_window)
{
	int fd = vm_file(dir, PAGE), i;
	char *kept = map_file(fd, PAGE, RW, BSDVM_MAP_SHARED, 0);
	char *window;
	double begin;

	ASSERT(!bsdvm_window((void **)&window, NULL));
	*kept = 'k';
	for (i = 0; i < PLACES; i++) {
		char *map = window + ((size_t)i + 1) * (1 << 20);

		ASSERT(bsdvm_mmap(map, PAGE, RW,
				  BSDVM_MAP_SHARED | BSDVM_MAP_FIXED, fd,
				  0) == map);
		EXPECT_EQ(*map, i ? (char)(i - 1) : 'k');
		*map = i;
		EXPECT_EQ(*kept, (char)i);
		ASSERT(!bsdvm_munmap(map, PAGE));
	}
	store_and_sync(fd, kept, 'a');
	store_and_sync(fd, kept, 'b');
	*kept = 'c';
	begin = now();
	ASSERT(!bsdvm_munmap(kept, PAGE));
	EXPECT(now() - begin < 5);
	EXPECT_EQ(vm_file_read(fd, 0), 'c');
}

TEST_FILES(a_page_mapped_at_many_addresses_is_one_page)
{
	int fd = vm_file(dir, PAGE), i, k;
	uint64_t before;
	char *maps[PLACES];

	before = vm_free_pages();
	for (i = 0; i < PLACES; i++) {
		maps[i] = map_file(fd, PAGE, RW, BSDVM_MAP_SHARED, 0);
		*maps[i] = i;
		for (k = 0; k <= i; k += 13)
			EXPECT_EQ(*maps[k], (char)i);
	}
	EXPECT_EQ(before - vm_free_pages(), 1);
	/* Clean and unwritable everywhere after msync: each store is seen. */
	for (i = 0; i < PLACES; i++)
		store_and_sync(fd, maps[i], 'a' + i % 26);
	for (i = 0; i < PLACES; i++) {
		EXPECT_EQ(*maps[i], 'a' + (PLACES - 1) % 26);
		ASSERT(!bsdvm_munmap(maps[i], PAGE));
	}
	EXPECT_EQ(vm_free_pages(), before);
}

/* --- what the entry list says of it */

TEST_FILES(the_entry_names_the_file)
{
	int fd = vm_file(dir, 3 * PAGE + 1);
	char *map = map_file(fd, 4 * PAGE, RW, BSDVM_MAP_PRIVATE, 0);
	struct bsdvm_vmentry e = vm_entry_at(map).e;
	struct stat st;

	ASSERT(!fstat(fd, &st));
	EXPECT_EQ(e.kve_type, BSDVM_KVME_TYPE_VNODE);
	EXPECT_EQ(e.kve_vn_type, BSDVM_KF_VTYPE_VREG);
	EXPECT_EQ(e.kve_vn_size, st.st_size);
	EXPECT_EQ(e.kve_vn_fileid, st.st_ino);
	EXPECT_EQ(e.kve_vn_mode & 07777, st.st_mode & 07777);
	EXPECT_EQ(e.kve_flags &
			  (BSDVM_KVME_FLAG_COW | BSDVM_KVME_FLAG_NEEDS_COPY),
		  BSDVM_KVME_FLAG_COW | BSDVM_KVME_FLAG_NEEDS_COPY);
	map[0] = 'x';
	e = vm_entry_at(map).e;
	EXPECT_EQ(e.kve_flags &
			  (BSDVM_KVME_FLAG_COW | BSDVM_KVME_FLAG_NEEDS_COPY),
		  BSDVM_KVME_FLAG_COW);
	EXPECT_EQ(e.kve_nobjects, 2);
	EXPECT_EQ(e.kve_type, BSDVM_KVME_TYPE_VNODE);
}

TEST_FILES(pages_of_a_file_are_free_again_at_the_end)
{
	int fd = vm_file(dir, 100 * PAGE);
	uint64_t before = vm_free_pages();
	char *map = map_file(fd, 100 * PAGE, RW, BSDVM_MAP_SHARED, 0);

	EXPECT(same_as_file(map, 100 * PAGE, 0));
	EXPECT_EQ(before - vm_free_pages(), 100);
	memset(map, 'x', 100 * PAGE);
	EXPECT_EQ(before - vm_free_pages(), 100);
	ASSERT(!bsdvm_munmap(map, 100 * PAGE));
	EXPECT_EQ(vm_free_pages(), before);
}
