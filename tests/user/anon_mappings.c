// SPDX-License-Identifier: BSD-2-Clause
/* Anonymous memory: contents, cost, placement, and the entries it makes. */
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "vm.h"

static char *map_at(char *addr, size_t pages, int flags)
{
	return bsdvm_mmap(addr, pages * PAGE, RW, ANON | flags, -1, 0);
}

/* --- contents and cost */

TEST(anonymous_memory_is_zero)
{
	char *map = vm_anon(16);

	EXPECT(vm_all(map, 16 * PAGE, 0));
	memset(map, 'x', 16 * PAGE);
	EXPECT(vm_all(map, 16 * PAGE, 'x'));
}

TEST(memory_given_back_comes_back_as_zero)
{
	int i;

	for (i = 0; i < 20; i++) {
		char *map = vm_anon(64);

		EXPECT(vm_all(map, 64 * PAGE, 0));
		memset(map, 'x', 64 * PAGE);
		ASSERT(!bsdvm_munmap(map, 64 * PAGE));
	}
}

TEST(only_touched_pages_cost_memory)
{
	uint64_t before = vm_free_pages();
	char *map = vm_anon(1000);

	EXPECT_EQ(before - vm_free_pages(), 0);
	map[0] = 'x';
	map[500 * PAGE] = 'x';
	EXPECT_EQ(before - vm_free_pages(), 2);
	EXPECT_EQ(vm_entry_at(map).e.kve_resident, 2);
	ASSERT(!bsdvm_munmap(map + 500 * PAGE, PAGE));
	EXPECT_EQ(before - vm_free_pages(), 1);
	ASSERT(!bsdvm_munmap(map, 1000 * PAGE));
	EXPECT_EQ(before - vm_free_pages(), 0);
}

TEST(a_sparse_window_costs_its_two_touched_pages)
{
	uint64_t before = vm_free_pages();
	char *window, *map;
	size_t size;

	ASSERT(!bsdvm_window((void **)&window, &size));
	EXPECT_EQ(size, (size_t)64 << 30);
	map = map_at(window, size / PAGE, BSDVM_MAP_FIXED);
	ASSERT(map == window);
	map[0] = 'a';
	map[size - 1] = 'z';
	EXPECT_EQ(before - vm_free_pages(), 2);
	EXPECT_EQ(map[size / 2], 0);
	EXPECT_EQ(before - vm_free_pages(), 3);
	ASSERT(!bsdvm_munmap(window, size));
	EXPECT_EQ(vm_free_pages(), before);
}

TEST(a_page_read_and_then_written_is_zero_filled_once)
{
	struct bsdvm_stats before, after;
	char *map = vm_anon(1);

	before = vm_stats();
	EXPECT_EQ(*(volatile char *)map, 0);
	*map = 'x';
	after = vm_stats();
	EXPECT_EQ(*map, 'x');
	EXPECT_EQ(after.v_zfod - before.v_zfod, 1);
	EXPECT_EQ(after.v_cow_faults - before.v_cow_faults, 0);
}

/* --- pages that come ahead of stores in sequence */

static uint64_t faults(void)
{
	struct bsdvm_rusage usage;

	ASSERT(!bsdvm_rusage(0, &usage));
	return usage.ru_minflt + usage.ru_majflt;
}

/* Store to @count pages in order; each must be zero but for that. Returns the faults. */
static uint64_t store_in_sequence(char *map, size_t count)
{
	const uint64_t before = faults();
	uint64_t taken;
	size_t i;

	for (i = 0; i < count; i++)
		map[i * PAGE + 1] = 's';
	taken = faults() - before;
	for (i = 0; i < count; i++) {
		EXPECT_EQ(map[i * PAGE + 1], 's');
		map[i * PAGE + 1] = 0;
		EXPECT(vm_all(map + i * PAGE, PAGE, 0));
	}
	return taken;
}

TEST(stores_in_sequence_get_pages_ahead)
{
	const size_t pages = 256;
	char *map = vm_anon(pages);

	EXPECT(store_in_sequence(map, pages) < pages / 4);
	/* Also where it has been used, and is new again. */
	ASSERT(!bsdvm_munmap(map, pages * PAGE));
	EXPECT(store_in_sequence(vm_anon(pages), pages) < pages / 4);
}

TEST(stores_in_no_order_get_none)
{
	const size_t pages = 256;
	char *map = vm_anon(pages);
	uint64_t before;
	size_t i;

	ASSERT(!bsdvm_madvise(map, pages * PAGE, BSDVM_MADV_RANDOM));
	EXPECT_EQ(store_in_sequence(map, pages), pages);
	map = vm_anon(pages);
	before = faults();
	for (i = pages; i--;)
		map[i * PAGE] = 's';
	EXPECT_EQ(faults() - before, pages);
}

/* A few that were not asked for, a third of what there is at the most. */
TEST(pages_ahead_are_few_and_within_the_entry)
{
	char *map = vm_anon(64);
	uint64_t touched;

	ASSERT(!bsdvm_mprotect(map + 20 * PAGE, 44 * PAGE, BSDVM_PROT_READ));
	store_in_sequence(map, 7);
	EXPECT_EQ(vm_entry_at(map).e.kve_resident, 7);
	for (touched = 7; touched < 20; touched++) {
		map[touched * PAGE] = 's';
		EXPECT(vm_entry_at(map).e.kve_resident <=
		       (touched + 1) * 3 / 2 + 1);
	}
	EXPECT_EQ(vm_entry_at(map).e.kve_resident, 20);
	EXPECT_EQ(vm_entry_at(map + 20 * PAGE).e.kve_resident, 0);
}

/* --- neighbours of a read */

/* A leaf of the tree of an object's pages, in the object's own count. */
#define LEAF 64

/* Neighbours that come with a read of a page, which is the @want-th of its kind. */
static uint64_t neighbours(const char *map, size_t page, char want)
{
	const struct bsdvm_stats before = vm_stats();
	struct bsdvm_stats after;

	EXPECT_EQ(map[page * PAGE], want);
	after = vm_stats();
	EXPECT_EQ(after.v_vm_faults - before.v_vm_faults, 1);
	return after.v_prefault - before.v_prefault;
}

/* Of what it got a child has nothing mapped, and all of it is resident. */
TEST(a_read_maps_the_leaf_around_it)
{
	const size_t pages = 3 * LEAF + 20;
	uint64_t before;
	pid_t child;
	size_t i;
	char *map;

	/* Of one page table. */
	map = vm_anon_flags(pages, BSDVM_MAP_PRIVATE | BSDVM_MAP_ALIGNED_SUPER);
	for (i = 0; i < pages; i++)
		map[i * PAGE] = i;
	child = harness_fork();
	if (child) {
		harness_join(child);
		return;
	}
	/* Where no page table stands nothing comes with it. */
	neighbours(map, 0, 0);
	/* One entry as well as the next, of which neither has all of the leaf. */
	ASSERT(!bsdvm_mprotect(map + 100 * PAGE, (pages - 100) * PAGE,
			       BSDVM_PROT_READ));
	EXPECT_EQ(neighbours(map, 70, 70), 100 - LEAF - 1);
	EXPECT_EQ(neighbours(map, 110, 110), 2 * LEAF - 100 - 1);
	/* With a page of its own in front of it. */
	ASSERT(!bsdvm_mprotect(map + 100 * PAGE, (pages - 100) * PAGE, RW));
	map[130 * PAGE] = 'c';
	EXPECT_EQ(neighbours(map, 129, (char)129), LEAF - 2);
	EXPECT_EQ(neighbours(map, pages - 1, pages - 1), 20 - 1);
	before = vm_stats().v_vm_faults;
	for (i = LEAF; i < pages; i++)
		EXPECT_EQ(map[i * PAGE], i == 130 ? 'c' : (char)i);
	EXPECT_EQ(vm_stats().v_vm_faults, before);
	harness_exit();
}

/* --- copies that come ahead of stores in sequence */

/*
 * Of two processes one stores to @pages pages in order, and the other to half of them, so
 * that it goes on using what the first copies. Each must have its own. Returns the faults
 * of the first.
 */
static uint64_t copy_in_sequence(char *map, size_t pages)
{
	uint64_t before, taken;
	int done[2];
	pid_t child;
	size_t i;
	char c;

	for (i = 0; i < pages; i++)
		map[i * PAGE + 2] = (char)i;
	ASSERT(!pipe(done));
	child = harness_fork();
	if (!child) {
		for (i = pages / 2; i < pages; i++)
			map[i * PAGE] = 'c';
		EXPECT_EQ(read(done[0], &c, 1), 1);
		for (i = 0; i < pages; i++) {
			EXPECT_EQ(map[i * PAGE], i < pages / 2 ? 0 : 'c');
			EXPECT_EQ(map[i * PAGE + 2], (char)i);
		}
		harness_exit();
	}
	before = faults();
	for (i = 0; i < pages; i++) {
		map[i * PAGE] = 'p';
		EXPECT_EQ(map[i * PAGE + 2], (char)i);
	}
	taken = faults() - before;
	EXPECT_EQ(write(done[1], "", 1), 1);
	harness_join(child);
	close(done[0]);
	close(done[1]);
	for (i = 0; i < pages; i++) {
		EXPECT_EQ(map[i * PAGE], 'p');
		EXPECT_EQ(map[i * PAGE + 2], (char)i);
	}
	return taken;
}

TEST(stores_in_sequence_after_a_fork_get_copies_ahead)
{
	const size_t pages = 256;
	char *map = vm_anon(pages);

	EXPECT(copy_in_sequence(map, pages) < pages / 4);
	map = vm_anon(pages);
	ASSERT(!bsdvm_madvise(map, pages * PAGE, BSDVM_MADV_SEQUENTIAL));
	EXPECT(copy_in_sequence(map, pages) < pages / 4);
}

TEST(stores_in_sequence_after_a_fork_get_none_with_advice_of_random)
{
	const size_t pages = 256;
	char *map = vm_anon(pages);

	ASSERT(!bsdvm_madvise(map, pages * PAGE, BSDVM_MADV_RANDOM));
	EXPECT_EQ(copy_in_sequence(map, pages), pages);
}

/* --- fixed */

TEST(fixed_replaces_what_is_there)
{
	char *map = vm_anon(4);

	memset(map, 'x', 4 * PAGE);
	ASSERT(map_at(map + PAGE, 2, BSDVM_MAP_FIXED) == map + PAGE);
	EXPECT(vm_all(map, PAGE, 'x'));
	EXPECT(vm_all(map + PAGE, 2 * PAGE, 0));
	EXPECT(vm_all(map + 3 * PAGE, PAGE, 'x'));
}

TEST(fixed_excl_replaces_nothing)
{
	char *map = vm_anon(4);

	ASSERT(!bsdvm_munmap(map + PAGE, 2 * PAGE));
	memset(map, 'x', PAGE);
	EXPECT_ERRNO(map_at(map, 3, BSDVM_MAP_FIXED | BSDVM_MAP_EXCL), ENOMEM);
	EXPECT_ERRNO(map_at(map + 2 * PAGE, 2,
			    BSDVM_MAP_FIXED | BSDVM_MAP_EXCL),
		     ENOMEM);
	EXPECT(vm_all(map, PAGE, 'x'));
	EXPECT(map_at(map + PAGE, 2, BSDVM_MAP_FIXED | BSDVM_MAP_EXCL) ==
	       map + PAGE);
}

/* --- placement */

TEST(placement_takes_the_first_gap_that_is_large_enough)
{
	char *map = vm_anon(16);

	ASSERT(!bsdvm_munmap(map + PAGE, 2 * PAGE));
	ASSERT(!bsdvm_munmap(map + 4 * PAGE, 4 * PAGE));
	ASSERT(!bsdvm_munmap(map + 9 * PAGE, 3 * PAGE));
	EXPECT_EQ(map_at(NULL, 3, 0) - map, 4 * PAGE);
	EXPECT_EQ(map_at(NULL, 3, 0) - map, 9 * PAGE);
	EXPECT_EQ(map_at(NULL, 1, 0) - map, PAGE);
	EXPECT_EQ(map_at(NULL, 2, 0) - map, 16 * PAGE);
	EXPECT_EQ(map_at(NULL, 1, 0) - map, 2 * PAGE);
	EXPECT_EQ(map_at(NULL, 1, 0) - map, 7 * PAGE);
}

TEST(a_free_hint_is_taken)
{
	char *map = vm_anon(1), *hint = map + 100 * PAGE;

	EXPECT(map_at(hint, 2, 0) == hint);
	/* The next one goes behind it, not below the hint. */
	EXPECT(map_at(hint, 2, 0) == hint + 2 * PAGE);
}

TEST(a_hint_with_no_room_above_falls_back_below)
{
	char *window;
	size_t size;
	char *last;

	ASSERT(!bsdvm_window((void **)&window, &size));
	last = window + size - PAGE;
	EXPECT(map_at(last, 1, 0) == last);
	EXPECT_NO_FAULT(vm_write(map_at(last, 4, 0), 'x'));
	EXPECT(map_at(window + 2 * size, 1, 0) < last);
}

TEST(aligned_mappings_are_aligned)
{
	int n;

	vm_anon(1);
	for (n = 12; n <= 30; n++) {
		char *map = map_at(NULL, 1, BSDVM_MAP_ALIGNED(n));

		EXPECT(map != BSDVM_MAP_FAILED);
		EXPECT_EQ((uintptr_t)map & (((uintptr_t)1 << n) - 1), 0);
	}
	EXPECT_EQ((uintptr_t)map_at(NULL, 1024, BSDVM_MAP_ALIGNED_SUPER) &
			  ((2 << 20) - 1),
		  0);
}

/* --- entries */

TEST(neighbours_alike_are_one_entry)
{
	char *map = vm_anon(1);

	ASSERT(map_at(map + PAGE, 1, BSDVM_MAP_FIXED) == map + PAGE);
	EXPECT_EQ(vm_entry_count(), 1);
	EXPECT_EQ(vm_entry_at(map).e.kve_end, (uintptr_t)map + 2 * PAGE);
}

TEST(neighbours_that_differ_stay_two_entries)
{
	char *map = vm_anon(1);

	ASSERT(bsdvm_mmap(map + PAGE, PAGE, BSDVM_PROT_READ,
			  ANON | BSDVM_MAP_FIXED, -1, 0) == map + PAGE);
	EXPECT_EQ(vm_entry_count(), 2);
}

TEST(mprotect_clips_and_merges_again)
{
	char *map = vm_anon(5);

	memset(map, 'x', 5 * PAGE);
	ASSERT(!bsdvm_mprotect(map + PAGE, 2 * PAGE, BSDVM_PROT_READ));
	EXPECT_EQ(vm_entry_count(), 3);
	EXPECT_EQ(vm_entry_at(map).e.kve_end, (uintptr_t)map + PAGE);
	EXPECT_EQ(vm_entry_at(map + PAGE).e.kve_end, (uintptr_t)map + 3 * PAGE);
	EXPECT_EQ(vm_entry_at(map + 3 * PAGE).e.kve_end,
		  (uintptr_t)map + 5 * PAGE);
	ASSERT(!bsdvm_mprotect(map + PAGE, 2 * PAGE, RW));
	EXPECT_EQ(vm_entry_count(), 1);
	EXPECT(vm_all(map, 5 * PAGE, 'x'));
}

TEST(munmap_in_the_middle_splits_an_entry)
{
	char *map = vm_anon(3);

	memset(map, 'x', 3 * PAGE);
	ASSERT(!bsdvm_munmap(map + PAGE, PAGE));
	EXPECT_EQ(vm_entry_count(), 2);
	EXPECT_EQ(*map, 'x');
	EXPECT_FAULT(vm_read(map + PAGE), SIGSEGV, SEGV_MAPERR, map + PAGE);
	EXPECT_EQ(map[2 * PAGE], 'x');
}

TEST(a_hole_filled_again_is_zero)
{
	char *map = vm_anon(3);

	memset(map, 'x', 3 * PAGE);
	ASSERT(!bsdvm_munmap(map + PAGE, PAGE));
	ASSERT(map_at(map + PAGE, 1, BSDVM_MAP_FIXED) == map + PAGE);
	EXPECT(vm_all(map, PAGE, 'x'));
	EXPECT(vm_all(map + PAGE, PAGE, 0));
	EXPECT(vm_all(map + 2 * PAGE, PAGE, 'x'));
}

TEST(a_thousand_entries_are_found)
{
	const size_t count = 1000;
	char *map = vm_anon(2 * count);
	size_t i;

	for (i = 0; i < count; i++)
		ASSERT(!bsdvm_munmap(map + (2 * i + 1) * PAGE, PAGE));
	EXPECT_EQ(vm_entry_count(), count);
	for (i = 0; i < count; i += 7) {
		EXPECT_NO_FAULT(vm_write(map + 2 * i * PAGE, 'x'));
		EXPECT_EQ(vm_read(map + (2 * i + 1) * PAGE).sig, SIGSEGV);
	}
	for (i = 0; i < count; i++) {
		EXPECT_EQ(map[2 * i * PAGE], i % 7 ? 0 : 'x');
	}
}

/* --- protection */

TEST(no_access_means_none)
{
	char *map = bsdvm_mmap(NULL, PAGE, BSDVM_PROT_NONE, ANON, -1, 0);

	ASSERT(map != BSDVM_MAP_FAILED);
	EXPECT_FAULT(vm_read(map), SIGSEGV, SEGV_ACCERR, map);
	EXPECT_FAULT(vm_write(map, 'x'), SIGSEGV, SEGV_ACCERR, map);
	ASSERT(!bsdvm_mprotect(map, PAGE, RW));
	EXPECT_NO_FAULT(vm_write(map, 'x'));
}

TEST(mprotect_takes_effect_on_touched_pages)
{
	char *map = vm_anon(1);

	*map = 'x';
	ASSERT(!bsdvm_mprotect(map, PAGE, BSDVM_PROT_READ));
	EXPECT_FAULT(vm_write(map, 'y'), SIGSEGV, SEGV_ACCERR, map);
	EXPECT_EQ(*map, 'x');
	ASSERT(!bsdvm_mprotect(map, PAGE, BSDVM_PROT_NONE));
	EXPECT_FAULT(vm_read(map), SIGSEGV, SEGV_ACCERR, map);
	ASSERT(!bsdvm_mprotect(map, PAGE, RW));
	EXPECT_EQ(*map, 'x');
	EXPECT_NO_FAULT(vm_write(map, 'y'));
	EXPECT_EQ(*map, 'y');
}

/* --- guards */

TEST(a_guard_faults_and_holds_its_place)
{
	char *map = vm_anon(3);

	*map = 'x';
	ASSERT(bsdvm_mmap(map + PAGE, PAGE, BSDVM_PROT_NONE,
			  BSDVM_MAP_GUARD | BSDVM_MAP_FIXED, -1,
			  0) == map + PAGE);
	EXPECT_EQ(vm_read(map + PAGE).sig, SIGSEGV);
	EXPECT_ERRNO(bsdvm_mprotect(map + PAGE, PAGE, RW), 0);
	EXPECT_EQ(vm_read(map + PAGE).sig, SIGSEGV);
	/* Not taken for free space. */
	EXPECT_EQ(map_at(NULL, 1, 0) - map, 3 * PAGE);
	EXPECT(map_at(map + PAGE, 1, BSDVM_MAP_FIXED) == map + PAGE);
	EXPECT_NO_FAULT(vm_write(map + PAGE, 'x'));
}

TEST(a_guard_can_be_unmapped)
{
	char *map = bsdvm_mmap(NULL, 4 * PAGE, BSDVM_PROT_NONE, BSDVM_MAP_GUARD,
			       -1, 0);

	ASSERT(map != BSDVM_MAP_FAILED);
	EXPECT_EQ(vm_entry_count(), 1);
	ASSERT(!bsdvm_munmap(map, 4 * PAGE));
	EXPECT_EQ(vm_entry_count(), 0);
}
