// SPDX-License-Identifier: BSD-2-Clause
/* munmap, mprotect, msync and minherit: what they do. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "scene.h"
#include "effects.h"

#define SHARED	BSDVM_MAP_SHARED
#define PRIVATE BSDVM_MAP_PRIVATE

/* --- munmap */

void effect_munmap_wired(void)
{
	const uint64_t before = vm_stats().v_user_wire_count;
	char *map = vm_anon(4);

	ASSERT(!bsdvm_mlock(map, 4 * PAGE));
	EXPECT_EQ(vm_stats().v_user_wire_count, before + 4);
	EXPECT_ERRNO(bsdvm_munmap(map + PAGE, 2 * PAGE), 0);
	EXPECT_EQ(vm_stats().v_user_wire_count, before + 2);
	EXPECT_EQ(usage().vm_wired, 2 * PAGE);
	EXPECT_EQ(vm_read(map + PAGE).sig ? 1 : 0, 1);
	must_map(map + PAGE, PAGE, RW, ANON | BSDVM_MAP_FIXED, -1, 0);
	EXPECT(none_locked(map + PAGE, 1));
	EXPECT_ERRNO(bsdvm_munmap(map, 4 * PAGE), 0);
	EXPECT_EQ(vm_stats().v_user_wire_count, before);
	EXPECT_EQ(usage().vm_wired, 0);
}

void effect_munmap_free(void)
{
	const size_t pages = 256;
	char *map = vm_anon(pages);
	uint64_t used;

	memset(map, 'x', pages * PAGE);
	used = vm_free_pages();
	EXPECT_ERRNO(bsdvm_munmap(map + PAGE, (pages - 2) * PAGE), 0);
	EXPECT(vm_free_pages() >= used + pages - 2);
	must_map(map + PAGE, (pages - 2) * PAGE, RW, ANON | BSDVM_MAP_FIXED, -1,
		 0);
	EXPECT(vm_all(map + PAGE, (pages - 2) * PAGE, 0));
	EXPECT_EQ(map[0], 'x');
	EXPECT_EQ(map[(pages - 1) * PAGE], 'x');
}

/* --- mprotect */

void effect_mprotect_whole(void)
{
	char *map = vm_anon(4);

	must_map(map + 2 * PAGE, PAGE, R | BSDVM_PROT_MAX(R),
		 ANON | BSDVM_MAP_FIXED, -1, 0);
	EXPECT_ERRNO(bsdvm_mprotect(map, 4 * PAGE, RW), EACCES);
	EXPECT_ERRNO(bsdvm_mprotect(map, 4 * PAGE, RWX), EACCES);
	EXPECT_EQ(vm_entry_at(map).e.kve_protection, RW);
	EXPECT_EQ(vm_entry_at(map + 3 * PAGE).e.kve_protection, RW);
	EXPECT_EQ(vm_entry_count(), 3);
	EXPECT_NO_FAULT(vm_write(map, 'x'));
	EXPECT_NO_FAULT(vm_write(map + 3 * PAGE, 'x'));
}

void effect_mprotect_more(void)
{
	char *map = vm_anon(1);
	uint64_t before;

	*map = 'x';
	ASSERT(!bsdvm_mprotect(map, PAGE, R));
	EXPECT_EQ(*map, 'x');
	before = fault_count();
	ASSERT(!bsdvm_mprotect(map, PAGE, RW));
	EXPECT_EQ(fault_count(), before);
	*map = 'y';
	EXPECT(fault_count() > before);
	EXPECT_EQ(*map, 'y');
}

void effect_mprotect_wired(void)
{
	const int fd = vm_file("/tmp", 2 * PAGE);
	char *map = must_map(NULL, 2 * PAGE, R, PRIVATE, fd, 0);
	uint64_t copied, faults;

	ASSERT(!bsdvm_mlock(map, 2 * PAGE));
	ASSERT(!bsdvm_mprotect(map, 2 * PAGE, RW));
	EXPECT_EQ(vm_entry_at(map).e.kve_private_resident, 2);
	EXPECT(!(entry_flags(map) & BSDVM_KVME_FLAG_NEEDS_COPY));
	copied = vm_stats().v_cow_faults;
	faults = fault_count();
	EXPECT_EQ(map[1], vm_file_byte(1));
	EXPECT_EQ(fault_count(), faults);
	map[0] = '!';
	map[PAGE] = '!';
	EXPECT_EQ(vm_stats().v_cow_faults, copied);
	EXPECT(all_locked(map, 2));
	EXPECT_EQ(vm_file_read(fd, 0), vm_file_byte(0));
	EXPECT_ERRNO(bsdvm_munlock(map, 2 * PAGE), 0);
	EXPECT_EQ(map[PAGE], '!');
}

void effect_mprotect_max_lower(void)
{
	char *map = vm_anon(1);

	EXPECT_ERRNO(bsdvm_mprotect(map, PAGE, R | BSDVM_PROT_MAX(RW)), 0);
	EXPECT_EQ(vm_entry_at(map).e.kve_max_protection, RW);
	EXPECT_EQ(vm_entry_at(map).e.kve_protection, R);
	EXPECT_ERRNO(bsdvm_mprotect(map, PAGE, R | BSDVM_PROT_MAX(RWX)),
		     EACCES);
	EXPECT_ERRNO(bsdvm_mprotect(map, PAGE, RWX), EACCES);
	EXPECT_EQ(vm_entry_at(map).e.kve_max_protection, RW);
	EXPECT_ERRNO(bsdvm_mprotect(map, PAGE, RW), 0);
}

/* --- msync */

/* Pages that have been written to files: read(2) sees stores before they are. */
static uint64_t written(void)
{
	return vm_stats().v_vnodepgsout;
}

void effect_msync_zero(void)
{
	const int fd = vm_file("/tmp", 4 * PAGE);
	char *map = must_map(NULL, 4 * PAGE, RW, SHARED, fd, 0);
	uint64_t before = written();
	size_t i;

	for (i = 0; i < 4; i++)
		map[i * PAGE] = '!';
	/* The last page is an entry of its own. */
	ASSERT(!bsdvm_mprotect(map + 3 * PAGE, PAGE, R));
	EXPECT_ERRNO(bsdvm_msync(map + PAGE, 0, 0), 0);
	EXPECT_EQ(written() - before, 3);
	EXPECT_ERRNO(bsdvm_msync(map + 3 * PAGE, 0, 0), 0);
	EXPECT_EQ(written() - before, 4);
}

void effect_msync_file(void)
{
	const int fd = vm_file("/tmp", 2 * PAGE);
	char *map = must_map(NULL, 2 * PAGE, RW, SHARED, fd, 0);
	char *copy = must_map(NULL, 2 * PAGE, RW, PRIVATE, fd, 0);
	uint64_t before = written();

	copy[PAGE] = 'p';
	map[0] = '!';
	/* The private entry has a shadow; the file lies below it. */
	EXPECT_ERRNO(bsdvm_msync(copy, 2 * PAGE, 0), 0);
	EXPECT_EQ(written() - before, 1);
	EXPECT_EQ(vm_file_read(fd, 0), '!');
	EXPECT_EQ(vm_file_read(fd, PAGE), vm_file_byte(PAGE));
	EXPECT_EQ(copy[PAGE], 'p');
}

static void invalidate(void)
{
	const int fd = vm_file("/tmp", 2 * PAGE);
	char *map = must_map(NULL, 2 * PAGE, RW, SHARED, fd, 0);
	char *memory = vm_anon(1);
	uint64_t before = written();

	*memory = 'm';
	map[0] = '!';
	EXPECT_EQ(map[PAGE], vm_file_byte(PAGE));
	EXPECT_ERRNO(bsdvm_msync(map, 2 * PAGE, BSDVM_MS_INVALIDATE), 0);
	EXPECT_EQ(written() - before, 1);
	EXPECT_EQ(vm_file_read(fd, 0), '!');
	EXPECT_EQ(map[0], '!');
	EXPECT_ERRNO(bsdvm_msync(memory, PAGE, BSDVM_MS_INVALIDATE), 0);
	EXPECT_EQ(*memory, 'm');
}

void effect_msync_invalidate(void)
{
	const int fd = vm_file("/tmp", PAGE);
	char *map = must_map(NULL, PAGE, RW, SHARED, fd, 0);
	uint64_t before;

	invalidate();
	EXPECT_EQ(*map, vm_file_byte(0));
	before = fault_count();
	EXPECT_ERRNO(bsdvm_msync(map, PAGE, BSDVM_MS_INVALIDATE), 0);
	ASSERT(pwrite(fd, "?", 1, 0) == 1);
	EXPECT_EQ(*map, '?');
	EXPECT(fault_count() > before);
}

void effect_msync_old(void)
{
	ASSERT(!tunable("vm.old_msync", 1));
	invalidate();
}

void effect_msync_async(void)
{
	const struct timespec nap = { .tv_nsec = 10 * 1000 * 1000 };
	const int fd = vm_file("/tmp", PAGE);
	char *map = must_map(NULL, PAGE, RW, SHARED, fd, 0);
	uint64_t before = written();
	int tries;

	*map = '!';
	EXPECT_ERRNO(bsdvm_msync(map, PAGE, BSDVM_MS_ASYNC), 0);
	for (tries = 0; written() == before && tries < 1000; tries++)
		nanosleep(&nap, NULL);
	EXPECT_EQ(written() - before, 1);
	EXPECT_EQ(vm_file_read(fd, 0), '!');
}

/* Leave nothing free on the file system of @fd, which grows by that. */
static void fill(int fd)
{
	off_t step = (off_t)1 << 30, size = 0;

	while (step >= (off_t)PAGE) {
		if (fallocate(fd, 0, size, step))
			step /= 2;
		else
			size += step;
	}
	ASSERT(errno == ENOSPC);
}

void effect_msync_io(void)
{
	const int fd = vm_file("/mnt/ext4", 0);
	const int filler = vm_file("/mnt/ext4", 0);
	char *map;

	/* A store to a hole of the file, for which there is no room. */
	ASSERT(!ftruncate(fd, 2 * PAGE));
	map = must_map(NULL, 2 * PAGE, RW, SHARED, fd, 0);
	fill(filler);
	*map = 'x';
	EXPECT_ERRNO(bsdvm_msync(map, PAGE, 0), ENOSPC);
	EXPECT_EQ(*map, 'x');
	/* Once there is room it is written after all. */
	ASSERT(!ftruncate(filler, 0));
	EXPECT_ERRNO(bsdvm_msync(map, PAGE, 0), 0);
	EXPECT_EQ(vm_file_read(fd, 0), 'x');
}

/* --- minherit */

void effect_minherit_copy(void)
{
	char *map = vm_anon_flags(1, SHARED);

	*map = 'p';
	ASSERT(!bsdvm_minherit(map, PAGE, BSDVM_INHERIT_COPY));
	EXPECT(!(entry_flags(map) & BSDVM_KVME_FLAG_COW));
	IN_CHILD()
	{
		EXPECT(entry_flags(map) & BSDVM_KVME_FLAG_COW);
		*map = 'c';
	}
	EXPECT(entry_flags(map) & BSDVM_KVME_FLAG_COW);
	EXPECT_EQ(*map, 'p');
}
