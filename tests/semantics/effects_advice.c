// SPDX-License-Identifier: BSD-2-Clause
/* madvise, posix_madvise and mincore: what they do and tell. */
#include <string.h>

#include "scene.h"
#include "effects.h"

#define SHARED	BSDVM_MAP_SHARED
#define PRIVATE BSDVM_MAP_PRIVATE

#define BEHAVIOUR (BSDVM_KVME_FLAG_RANDOM | BSDVM_KVME_FLAG_SEQUENTIAL)

/* Pages of a file that a first touch in its middle brings in. */
static unsigned int pages_read(int advice, uint32_t flags)
{
	const int fd = vm_file("/tmp", 64 * PAGE);
	char *map = must_map(NULL, 64 * PAGE, R, SHARED, fd, 0);

	EXPECT_ERRNO(bsdvm_madvise(map, 64 * PAGE, advice), 0);
	EXPECT_EQ(entry_flags(map) & BEHAVIOUR, flags);
	EXPECT_EQ(map[32 * PAGE], vm_file_byte(32 * PAGE));
	return vm_entry_at(map).e.kve_resident;
}

void effect_madvise_NORMAL(void)
{
	const unsigned int random =
		pages_read(BSDVM_MADV_RANDOM, BSDVM_KVME_FLAG_RANDOM);
	const unsigned int normal = pages_read(BSDVM_MADV_NORMAL, 0);
	const unsigned int sequential =
		pages_read(BSDVM_MADV_SEQUENTIAL, BSDVM_KVME_FLAG_SEQUENTIAL);
	char *map = vm_anon(3);

	EXPECT_EQ(random, 1);
	EXPECT(normal > 1);
	EXPECT(sequential >= normal);
	/* One advice replaces the other. */
	ASSERT(!bsdvm_madvise(map, 3 * PAGE, BSDVM_MADV_RANDOM));
	ASSERT(!bsdvm_madvise(map + PAGE, PAGE, BSDVM_MADV_SEQUENTIAL));
	EXPECT_EQ(entry_flags(map) & BEHAVIOUR, BSDVM_KVME_FLAG_RANDOM);
	EXPECT_EQ(entry_flags(map + PAGE) & BEHAVIOUR,
		  BSDVM_KVME_FLAG_SEQUENTIAL);
	ASSERT(!bsdvm_madvise(map, 3 * PAGE, BSDVM_MADV_NORMAL));
	EXPECT_EQ(entry_flags(map + PAGE) & BEHAVIOUR, 0);
	EXPECT_EQ(vm_entry_count(), 4);
}

static uint64_t inactive_pages(const void *addr)
{
	const uint64_t id = vm_entry_at(addr).object[0].kvo_id;
	struct bsdvm_kvmobject *all, *object;
	uint64_t found = 0;
	size_t count;

	all = bsdvm_getvmobject(&count);
	ASSERT(all);
	for (object = all; count; count--) {
		if (object->kvo_id == id)
			found = object->kvo_inactive;
		if (count > 1)
			object = bsdvm_kvmobject_next(object);
	}
	bsdvm_freevmobject(all);
	return found;
}

void effect_madvise_SEQUENTIAL(void)
{
	const size_t pages = 256;
	const int fd = vm_file("/tmp", pages * PAGE);
	char *map = must_map(NULL, pages * PAGE, R, SHARED, fd, 0);
	size_t i;

	ASSERT(!bsdvm_madvise(map, pages * PAGE, BSDVM_MADV_SEQUENTIAL));
	for (i = 0; i < pages; i++)
		EXPECT_EQ(map[i * PAGE], vm_file_byte(i * PAGE));
	EXPECT(inactive_pages(map) > 0);
	for (i = 0; i < pages; i++)
		EXPECT_EQ(map[i * PAGE + 1], vm_file_byte(i * PAGE + 1));
}

/* An advice and its opposite, and the flag that they set and clear. */
static void set_and_clear(int set, int clear, uint32_t flag)
{
	char *map = vm_anon(3);

	EXPECT_ERRNO(bsdvm_madvise(map + PAGE, PAGE, set), 0);
	EXPECT(!(entry_flags(map) & flag));
	EXPECT(entry_flags(map + PAGE) & flag);
	EXPECT(!(entry_flags(map + 2 * PAGE) & flag));
	EXPECT_EQ(vm_entry_count(), 3);
	EXPECT_ERRNO(bsdvm_madvise(map, 3 * PAGE, clear), 0);
	EXPECT(!(entry_flags(map + PAGE) & flag));
	EXPECT_EQ(vm_entry_count(), 1);
}

void effect_madvise_NOSYNC(void)
{
	set_and_clear(BSDVM_MADV_NOSYNC, BSDVM_MADV_AUTOSYNC,
		      BSDVM_KVME_FLAG_NOSYNC);
}

void effect_madvise_NOCORE(void)
{
	set_and_clear(BSDVM_MADV_NOCORE, BSDVM_MADV_CORE,
		      BSDVM_KVME_FLAG_NOCOREDUMP);
}

void effect_madvise_WILLNEED(void)
{
	const int fd = vm_file("/tmp", 8 * PAGE);
	char *map = must_map(NULL, 8 * PAGE, R, SHARED, fd, 0);
	uint64_t before = vm_stats().v_vnodepgsin;
	char *other, vec[8];
	size_t i;

	/* Nothing is resident: nothing happens. */
	EXPECT_ERRNO(bsdvm_madvise(map, 8 * PAGE, BSDVM_MADV_WILLNEED), 0);
	EXPECT_EQ(vm_stats().v_vnodepgsin, before);
	EXPECT_EQ(vm_entry_at(map).e.kve_resident, 0);
	for (i = 0; i < 8; i++)
		EXPECT_EQ(map[i * PAGE], vm_file_byte(i * PAGE));
	other = must_map(NULL, 8 * PAGE, R, SHARED, fd, 0);
	EXPECT_ERRNO(bsdvm_madvise(other, 8 * PAGE, BSDVM_MADV_WILLNEED), 0);
	ASSERT(!bsdvm_mincore(other, 8 * PAGE, vec));
	for (i = 0; i < 8; i++)
		EXPECT(vec[i] & BSDVM_MINCORE_INCORE);
	before = fault_count();
	for (i = 0; i < 8; i++)
		EXPECT_EQ(other[i * PAGE], vm_file_byte(i * PAGE));
	EXPECT_EQ(fault_count(), before);
}

void effect_madvise_DONTNEED(void)
{
	char *map = vm_anon(8);

	memset(map, 'x', 8 * PAGE);
	EXPECT_EQ(inactive_pages(map), 0);
	EXPECT_ERRNO(bsdvm_madvise(map, 8 * PAGE, BSDVM_MADV_DONTNEED), 0);
	EXPECT(inactive_pages(map) > 0);
	EXPECT(vm_all(map, 8 * PAGE, 'x'));
}

/* Every page as a whole has what was there, or zeroes. */
static void expect_old_or_zero(const char *map, size_t pages, char old)
{
	size_t i;

	for (i = 0; i < pages; i++)
		EXPECT(vm_all(map + i * PAGE, PAGE, map[i * PAGE] ? old : 0));
}

void effect_madvise_FREE(void)
{
	char *map = vm_anon(8);

	memset(map, 'x', 8 * PAGE);
	EXPECT_ERRNO(bsdvm_madvise(map, 8 * PAGE, BSDVM_MADV_FREE), 0);
	expect_old_or_zero(map, 8, 'x');
	EXPECT_EQ(vm_entry_count(), 1);
	/* The pages are written again like new ones. */
	memset(map, 'y', 8 * PAGE);
	EXPECT(vm_all(map, 8 * PAGE, 'y'));
}

void effect_madvise_FREE_write(void)
{
	char *map = vm_anon(4);

	memset(map, 'x', 4 * PAGE);
	ASSERT(!bsdvm_madvise(map, 4 * PAGE, BSDVM_MADV_FREE));
	map[PAGE + 7] = 'w';
	/* Whoever wants memory now does not get that page. */
	IN_CHILD()
	{
		memset(vm_anon(64), 'm', 64 * PAGE);
		EXPECT_EQ(map[PAGE + 7], 'w');
	}
	EXPECT_EQ(map[PAGE + 7], 'w');
	expect_old_or_zero(map, 1, 'x');
	expect_old_or_zero(map + 2 * PAGE, 2, 'x');
}

void effect_madvise_FREE_other(void)
{
	const int fd = vm_file("/tmp", 2 * PAGE);
	char *file = must_map(NULL, 2 * PAGE, RW, SHARED, fd, 0);
	char *copy = must_map(NULL, 2 * PAGE, RW, PRIVATE, fd, 0);
	char *memory = vm_anon(2), *both = vm_anon_flags(2, SHARED);
	const uint64_t given_up = vm_stats().v_lazyfree_count;

	file[PAGE] = 'f';
	copy[0] = 'p';
	memset(memory, 'm', 2 * PAGE);
	memset(both, 's', 2 * PAGE);
	IN_CHILD()
	{
		memory[0] = 'c';
		EXPECT_ERRNO(bsdvm_madvise(memory, 2 * PAGE, BSDVM_MADV_FREE),
			     0);
		EXPECT_EQ(memory[0], 'c');
		EXPECT_EQ(memory[PAGE], 'm');
		EXPECT_ERRNO(bsdvm_madvise(both, 2 * PAGE, BSDVM_MADV_FREE), 0);
		EXPECT_ERRNO(bsdvm_madvise(file, 2 * PAGE, BSDVM_MADV_FREE), 0);
		EXPECT_ERRNO(bsdvm_madvise(copy, 2 * PAGE, BSDVM_MADV_FREE), 0);
		EXPECT_EQ(copy[0], 'p');
		EXPECT_EQ(vm_stats().v_lazyfree_count, given_up);
	}
	EXPECT_ERRNO(bsdvm_madvise(both, 2 * PAGE, BSDVM_MADV_FREE), 0);
	EXPECT_ERRNO(bsdvm_madvise(copy, 2 * PAGE, BSDVM_MADV_FREE), 0);
	EXPECT_EQ(vm_stats().v_lazyfree_count, given_up);
	EXPECT(vm_all(memory, 2 * PAGE, 'm'));
	EXPECT(vm_all(both, 2 * PAGE, 's'));
	EXPECT_EQ(file[PAGE], 'f');
	EXPECT_EQ(copy[0], 'p');
	EXPECT_EQ(copy[PAGE], 'f');
}

void effect_madvise_FREE_stats(void)
{
	const uint64_t before = vm_stats().v_lazyfree_count;
	char *map = vm_anon(4);

	memset(map, 'x', 4 * PAGE);
	ASSERT(!bsdvm_madvise(map, 4 * PAGE, BSDVM_MADV_FREE));
	EXPECT_EQ(vm_stats().v_lazyfree_count, before + 4);
	map[0] = 'y';
	EXPECT_EQ(vm_stats().v_lazyfree_count, before + 3);
	ASSERT(!bsdvm_munmap(map, 4 * PAGE));
	EXPECT_EQ(vm_stats().v_lazyfree_count, before);
}

void effect_madvise_PROTECT(void)
{
	vm_anon(1);
	EXPECT(!(usage().vm_flags & BSDVM_VMSPACE_PROTECTED));
	EXPECT_ERRNO(bsdvm_madvise(NULL, 0, BSDVM_MADV_PROTECT), 0);
	EXPECT(usage().vm_flags & BSDVM_VMSPACE_PROTECTED);
}

void effect_posix_madvise(void)
{
	char *map = vm_anon(1);

	errno = EXDEV;
	EXPECT_EQ(bsdvm_posix_madvise(map, PAGE, 100), EINVAL);
	EXPECT_EQ(errno, EXDEV);
	EXPECT_EQ(bsdvm_posix_madvise(map, PAGE, BSDVM_MADV_RANDOM), 0);
	EXPECT_EQ(errno, EXDEV);
	EXPECT(entry_flags(map) & BSDVM_KVME_FLAG_RANDOM);
}

/* --- mincore */

#define SEEN (BSDVM_MINCORE_INCORE | BSDVM_MINCORE_REFERENCED)

static int mincore_at(const char *addr)
{
	char byte = 0x7f;

	EXPECT_ERRNO(bsdvm_mincore(addr, PAGE, &byte), 0);
	return byte;
}

void effect_mincore_bits(void)
{
	char *map = vm_anon(3);

	EXPECT_EQ(map[PAGE], 0);
	map[2 * PAGE] = 'x';
	EXPECT_EQ(mincore_at(map), 0);
	EXPECT_EQ(mincore_at(map + PAGE) & (SEEN | BSDVM_MINCORE_MODIFIED),
		  SEEN);
	EXPECT_EQ(mincore_at(map + 2 * PAGE) & (SEEN | BSDVM_MINCORE_MODIFIED),
		  SEEN | BSDVM_MINCORE_MODIFIED);
	EXPECT_EQ(mincore_at(map + 2 * PAGE) & BSDVM_MINCORE_SUPER, 0);
}

void effect_mincore_other(void)
{
	char *map = vm_anon_flags(2, SHARED);

	EXPECT_EQ(map[0], 0);
	EXPECT_EQ(map[PAGE], 0);
	IN_CHILD()
	{
		map[0] = 'c';
	}
	EXPECT_EQ(mincore_at(map) & (SEEN | BSDVM_MINCORE_MODIFIED), SEEN);
	EXPECT(mincore_at(map) & BSDVM_MINCORE_MODIFIED_OTHER);
	EXPECT(!(mincore_at(map + PAGE) & BSDVM_MINCORE_MODIFIED_OTHER));
}

/* Shared memory that only a child has touched. */
static char *touched_by_child(void)
{
	char *map = vm_anon_flags(2, SHARED);

	IN_CHILD()
	{
		map[0] = 'c';
	}
	return map;
}

void effect_mincore_mapped(void)
{
	char *map = touched_by_child();

	ASSERT(!tunable("vm.mincore_mapped", 1));
	EXPECT_EQ(mincore_at(map), 0);
	EXPECT_EQ(map[0], 'c');
	EXPECT(mincore_at(map) & BSDVM_MINCORE_INCORE);
	EXPECT_EQ(mincore_at(map + PAGE), 0);
}

void effect_mincore_resident(void)
{
	char *map = touched_by_child();

	ASSERT(!tunable("vm.mincore_mapped", 0));
	EXPECT(mincore_at(map) & BSDVM_MINCORE_INCORE);
	EXPECT(!(mincore_at(map) & BSDVM_MINCORE_MODIFIED));
	EXPECT_EQ(mincore_at(map + PAGE), 0);
}

void effect_mincore_null(void)
{
	char *map = vm_anon(2), *guards;
	uint64_t mapped;

	guards = must_map(NULL, PAGE, BSDVM_PROT_NONE, BSDVM_MAP_GUARD, -1, 0);
	for (mapped = 0; mapped < 2; mapped++) {
		ASSERT(!tunable("vm.mincore_mapped", mapped));
		EXPECT_EQ(mincore_at(map), 0);
		EXPECT_EQ(mincore_at(guards), 0);
	}
}

void effect_mincore_vector(void)
{
	char *map = vm_anon(600);
	char vec[602];
	size_t i;

	/* More than one piece, if the answer comes in pieces. */
	memset(map, 'x', 600 * PAGE);
	memset(vec, 0x7e, sizeof(vec));
	EXPECT_ERRNO(bsdvm_mincore(map, 600 * PAGE - 1, vec + 1), 0);
	EXPECT_EQ(vec[0], 0x7e);
	EXPECT_EQ(vec[601], 0x7e);
	for (i = 1; i <= 600; i++)
		EXPECT(vec[i] != 0x7e && (vec[i] & BSDVM_MINCORE_INCORE));
	memset(vec, 0x7e, sizeof(vec));
	EXPECT_ERRNO(bsdvm_mincore(map, 0, vec), 0);
	EXPECT_EQ(vec[0], 0x7e);
}
