// SPDX-License-Identifier: BSD-2-Clause
/* fork(2) and minherit: what the child gets, by the inheritance of an entry. */
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "vm.h"

/* Two processes that take turns: each waits for the other's byte. */
struct turns {
	int down[2];
	int up[2];
};

static struct turns turns_make(void)
{
	struct turns turns;

	ASSERT(!pipe(turns.down) && !pipe(turns.up));
	return turns;
}

static void give(const int *pipe)
{
	ASSERT(write(pipe[1], "", 1) == 1);
}

static void take(const int *pipe)
{
	char byte;

	ASSERT(read(pipe[0], &byte, 1) == 1);
}

TEST(cow_child_write_is_invisible_to_parent)
{
	char *map = vm_anon(2);
	pid_t child;

	memset(map, 'p', 2 * PAGE);
	child = harness_fork();
	if (!child) {
		EXPECT(vm_all(map, 2 * PAGE, 'p'));
		memset(map, 'c', PAGE);
		EXPECT(vm_all(map, PAGE, 'c'));
		EXPECT(vm_all(map + PAGE, PAGE, 'p'));
		harness_exit();
	}
	harness_join(child);
	EXPECT(vm_all(map, 2 * PAGE, 'p'));
}

TEST(cow_parent_write_is_invisible_to_child)
{
	struct turns turns = turns_make();
	char *map = vm_anon(2);
	pid_t child;

	memset(map, 'p', 2 * PAGE);
	child = harness_fork();
	if (!child) {
		take(turns.down);
		EXPECT(vm_all(map, 2 * PAGE, 'p'));
		harness_exit();
	}
	memset(map, 'q', 2 * PAGE);
	give(turns.down);
	harness_join(child);
	EXPECT(vm_all(map, 2 * PAGE, 'q'));
}

TEST(untouched_memory_is_private_after_fork)
{
	struct turns turns = turns_make();
	char *map = vm_anon(2);
	pid_t child = harness_fork();

	if (!child) {
		map[0] = 'c';
		give(turns.up);
		take(turns.down);
		EXPECT_EQ(map[0], 'c');
		EXPECT_EQ(map[PAGE], 0);
		harness_exit();
	}
	take(turns.up);
	EXPECT_EQ(map[0], 0);
	map[PAGE] = 'p';
	give(turns.down);
	harness_join(child);
}

TEST(the_window_is_at_the_same_address_in_the_child)
{
	struct bsdvm_info parent, info;
	pid_t child;

	vm_anon(1);
	ASSERT(!bsdvm_info(&parent));
	child = harness_fork();
	if (!child) {
		ASSERT(!bsdvm_info(&info));
		EXPECT_EQ(info.window_start, parent.window_start);
		EXPECT_EQ(info.window_size, parent.window_size);
		harness_exit();
	}
	harness_join(child);
}

TEST(the_childs_calls_do_not_touch_the_parents_map)
{
	char *map = vm_anon(4);
	pid_t child;

	memset(map, 'p', 4 * PAGE);
	child = harness_fork();
	if (!child) {
		EXPECT_ERRNO(bsdvm_munmap(map, PAGE), 0);
		EXPECT_ERRNO(bsdvm_mprotect(map + PAGE, PAGE, 0), 0);
		vm_anon(8);
		harness_exit();
	}
	harness_join(child);
	EXPECT_EQ(vm_entry_count(), 1);
	EXPECT(vm_all(map, 4 * PAGE, 'p'));
	EXPECT_NO_FAULT(vm_write(map + PAGE, 'x'));
}

TEST(shared_memory_is_shared)
{
	char *map = vm_anon_flags(4, BSDVM_MAP_SHARED);
	pid_t child;

	map[0] = 'p';
	child = harness_fork();
	if (!child) {
		EXPECT_EQ(map[0], 'p');
		map[0] = 'c';
		/* A page that nobody had touched before the fork. */
		map[2 * PAGE] = 'c';
		harness_exit();
	}
	harness_join(child);
	EXPECT_EQ(map[0], 'c');
	EXPECT_EQ(map[2 * PAGE], 'c');
}

TEST(inherit_none_leaves_a_hole)
{
	char *map = vm_anon(3);
	pid_t child;

	memset(map, 'p', 3 * PAGE);
	ASSERT(!bsdvm_minherit(map + PAGE, PAGE, BSDVM_INHERIT_NONE));
	child = harness_fork();
	if (!child) {
		EXPECT_EQ(map[0], 'p');
		EXPECT_FAULT(vm_read(map + PAGE), SIGSEGV, SEGV_MAPERR,
			     map + PAGE);
		EXPECT_EQ(map[2 * PAGE], 'p');
		EXPECT_EQ(vm_entry_count(), 2);
		harness_exit();
	}
	harness_join(child);
	EXPECT(vm_all(map, 3 * PAGE, 'p'));
}

TEST(inherit_zero_gives_the_child_zeroes)
{
	char *map = vm_anon(3);
	pid_t child;

	memset(map, 'p', 3 * PAGE);
	ASSERT(!bsdvm_minherit(map + PAGE, PAGE, BSDVM_INHERIT_ZERO));
	child = harness_fork();
	if (!child) {
		EXPECT_EQ(map[0], 'p');
		EXPECT(vm_all(map + PAGE, PAGE, 0));
		EXPECT_NO_FAULT(vm_write(map + PAGE, 'c'));
		EXPECT_EQ(map[2 * PAGE], 'p');
		harness_exit();
	}
	harness_join(child);
	EXPECT(vm_all(map, 3 * PAGE, 'p'));
}

TEST(inherit_share_shares_private_memory)
{
	struct turns turns = turns_make();
	char *map = vm_anon(3);
	pid_t child;

	map[0] = 'p';
	ASSERT(!bsdvm_minherit(map, 3 * PAGE, BSDVM_INHERIT_SHARE));
	child = harness_fork();
	if (!child) {
		EXPECT_EQ(map[0], 'p');
		map[PAGE] = 'c';
		give(turns.up);
		take(turns.down);
		EXPECT_EQ(map[0], 'q');
		harness_exit();
	}
	take(turns.up);
	EXPECT_EQ(map[PAGE], 'c');
	map[0] = 'q';
	give(turns.down);
	harness_join(child);
}

/* minherit(2) says so: from the next fork on, the parent copies as well. */
TEST(inherit_copy_makes_shared_memory_private)
{
	struct turns turns = turns_make();
	char *map = vm_anon_flags(2, BSDVM_MAP_SHARED);
	pid_t child;

	memset(map, 'p', 2 * PAGE);
	ASSERT(!bsdvm_minherit(map, 2 * PAGE, BSDVM_INHERIT_COPY));
	child = harness_fork();
	if (!child) {
		map[0] = 'c';
		give(turns.up);
		take(turns.down);
		EXPECT_EQ(map[PAGE], 'p');
		harness_exit();
	}
	take(turns.up);
	EXPECT_EQ(map[0], 'p');
	map[PAGE] = 'q';
	give(turns.down);
	harness_join(child);
}

TEST(a_child_inherits_the_inheritance)
{
	char *map = vm_anon(1);
	pid_t child;

	*map = 'p';
	ASSERT(!bsdvm_minherit(map, PAGE, BSDVM_INHERIT_ZERO));
	child = harness_fork();
	if (!child) {
		pid_t grandchild;

		EXPECT_EQ(vm_entry_at(map).e.kve_inheritance,
			  BSDVM_INHERIT_ZERO);
		*map = 'c';
		grandchild = harness_fork();
		if (!grandchild) {
			EXPECT_EQ(*map, 0);
			harness_exit();
		}
		harness_join(grandchild);
		EXPECT_EQ(*map, 'c');
		harness_exit();
	}
	harness_join(child);
	EXPECT_EQ(*map, 'p');
}

TEST(a_child_inherits_protection_and_guards)
{
	char *map = vm_anon(3);
	pid_t child;

	map[0] = 'p';
	ASSERT(!bsdvm_mprotect(map, PAGE, BSDVM_PROT_READ));
	ASSERT(bsdvm_mmap(map + PAGE, PAGE, 0,
			  BSDVM_MAP_GUARD | BSDVM_MAP_FIXED, -1,
			  0) != BSDVM_MAP_FAILED);
	child = harness_fork();
	if (!child) {
		EXPECT_EQ(map[0], 'p');
		EXPECT_FAULT(vm_write(map, 'c'), SIGSEGV, SEGV_ACCERR, map);
		EXPECT_EQ(vm_read(map + PAGE).sig, SIGSEGV);
		EXPECT_EQ(vm_entry_at(map + PAGE).e.kve_type,
			  BSDVM_KVME_TYPE_GUARD);
		harness_exit();
	}
	harness_join(child);
}

/*
 * CVE-2021-29626. P and C have the page O by copy-on-write; C shares with its
 * child D the shadow S that will take its copies:
 *
 *	P	C   D
 *	|	 \ /
 *	|	  S
 *	 \	 /
 *	  \	/
 *	    O
 *
 * D reads the page, and maps O's. Then C writes: S gets a copy, which D must
 * see, though D has O's page in its page table.
 */
TEST(a_copy_in_a_shared_shadow_replaces_the_old_page_everywhere)
{
	struct turns turns = turns_make();
	char *map = vm_anon(2);
	pid_t child;

	memset(map, 'p', 2 * PAGE);
	child = harness_fork();
	if (!child) {
		pid_t grandchild;

		ASSERT(!bsdvm_minherit(map, 2 * PAGE, BSDVM_INHERIT_SHARE));
		grandchild = harness_fork();
		if (!grandchild) {
			EXPECT_EQ(((volatile char *)map)[0], 'p');
			EXPECT_EQ(((volatile char *)map)[PAGE], 'p');
			give(turns.up);
			take(turns.down);
			EXPECT_EQ(((volatile char *)map)[0], 'c');
			map[PAGE] = 'd';
			harness_exit();
		}
		take(turns.up);
		EXPECT_EQ(((volatile char *)map)[PAGE], 'p');
		map[0] = 'c';
		give(turns.down);
		harness_join(grandchild);
		EXPECT_EQ(((volatile char *)map)[PAGE], 'd');
		harness_exit();
	}
	harness_join(child);
	EXPECT(vm_all(map, 2 * PAGE, 'p'));
}

/*
 * The same figure, but the process that copied came first: P forks C, and only
 * then shares with P2. Pages 0 and 1 have content, 2 and 3 are untouched; P2 and
 * C look at some of them before P writes them all.
 */
TEST(sharing_after_a_copy_shares_later_stores_and_leaves_the_copy)
{
	struct turns c_turns = turns_make(), p2_turns = turns_make();
	uint64_t before = vm_free_pages();
	char *map = vm_anon(4);
	pid_t c, p2;
	int i;

	memset(map, 'o', 2 * PAGE);
	c = harness_fork();
	if (!c) {
		take(c_turns.down);
		EXPECT(vm_all(map + 2 * PAGE, 2 * PAGE, 0));
		give(c_turns.up);
		take(c_turns.down);
		EXPECT(vm_all(map, 2 * PAGE, 'o'));
		EXPECT(vm_all(map + 2 * PAGE, 2 * PAGE, 0));
		harness_exit();
	}
	ASSERT(!bsdvm_minherit(map, 4 * PAGE, BSDVM_INHERIT_SHARE));
	p2 = harness_fork();
	if (!p2) {
		volatile char *page = map;

		EXPECT_EQ(page[0], 'o');
		EXPECT_EQ(page[2 * PAGE], 0);
		give(p2_turns.up);
		take(p2_turns.down);
		EXPECT_EQ(page[3 * PAGE], 0);
		give(p2_turns.up);
		take(p2_turns.down);
		for (i = 0; i < 4; i++)
			EXPECT_EQ(page[i * PAGE], 'p');
		page[3 * PAGE] = '2';
		harness_exit();
	}
	take(p2_turns.up);
	give(c_turns.down);
	take(c_turns.up);
	give(p2_turns.down);
	take(p2_turns.up);
	for (i = 0; i < 4; i++)
		map[i * PAGE] = 'p';
	give(p2_turns.down);
	harness_join(p2);
	EXPECT_EQ(((volatile char *)map)[3 * PAGE], '2');
	give(c_turns.down);
	harness_join(c);
	EXPECT_EQ(map[0], 'p');
	EXPECT_EQ(map[3 * PAGE], '2');
	ASSERT(!bsdvm_munmap(map, 4 * PAGE));
	EXPECT_EQ(vm_free_settles(before), before);
}

/* Nor does a child see what was locked behind the end of an object. */
TEST(a_child_of_locked_memory_sees_no_more_than_its_parent)
{
	const int fd = bsdvm_shm_open((const char *)BSDVM_SHM_ANON, O_RDWR, 0);
	char *map;
	pid_t child;

	ASSERT(fd >= 0 && !ftruncate(fd, 3 * PAGE));
	map = bsdvm_mmap(NULL, 3 * PAGE, RW, BSDVM_MAP_SHARED, fd, 0);
	ASSERT(map != BSDVM_MAP_FAILED);
	memset(map, 'x', 3 * PAGE);
	ASSERT(!bsdvm_mlock(map, 3 * PAGE));
	ASSERT(!bsdvm_minherit(map, 3 * PAGE, BSDVM_INHERIT_COPY));
	ASSERT(!ftruncate(fd, PAGE));
	child = harness_fork();
	if (!child) {
		EXPECT_EQ(map[0], 'x');
		EXPECT_EQ(vm_read(map + PAGE).sig, SIGBUS);
		EXPECT_EQ(vm_read(map + 2 * PAGE).sig, SIGBUS);
		harness_exit();
	}
	harness_join(child);
	EXPECT_EQ(vm_read(map + PAGE).sig, SIGBUS);
}

/* What a child gets of locked memory is copied, all of it: the file is not behind. */
TEST_FILES(a_child_of_locked_memory_of_a_file_has_all_of_its_pages)
{
	const int fd = vm_file(dir, 3 * PAGE);
	char *map = bsdvm_mmap(NULL, 3 * PAGE, RW, BSDVM_MAP_PRIVATE, fd, 0);
	char *longer;
	pid_t child;

	ASSERT(map != BSDVM_MAP_FAILED);
	ASSERT(!ftruncate(fd, 3 * PAGE + 1));
	ASSERT(!bsdvm_mlock(map, 3 * PAGE));
	child = harness_fork();
	if (!child) {
		const struct vm_entry found = vm_entry_at(map);

		EXPECT_EQ(found.e.kve_nobjects, 1);
		EXPECT_EQ(found.e.kve_resident, 3);
		EXPECT_EQ(map[2 * PAGE], vm_file_byte(2 * PAGE));
		/* More of it is new memory, not more of the file. */
		longer = bsdvm_mremap(map, 3 * PAGE, NULL, 8 * PAGE, 0);
		ASSERT(longer != BSDVM_MAP_FAILED);
		EXPECT_NO_FAULT(vm_write(longer + 7 * PAGE, 'x'));
		harness_exit();
	}
	harness_join(child);
	/* The parent's does go on as the file does. */
	longer = bsdvm_mremap(map, 3 * PAGE, NULL, 8 * PAGE, 0);
	ASSERT(longer != BSDVM_MAP_FAILED);
	EXPECT_NO_FAULT(vm_read(longer + 3 * PAGE));
	EXPECT_EQ(vm_read(longer + 7 * PAGE).sig, SIGBUS);
}
