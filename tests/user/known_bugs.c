// SPDX-License-Identifier: BSD-2-Clause
/*
 * Bugs that BSD kernels have had, and what their users stumbled over: a test for
 * each, named by the number that docs and commits give it. Where a test of
 * another program has the case itself, the one here is a variant.
 *
 * Runs with a small pool and a short wait for memory, as tests/user/exhaustion.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "vm.h"

/* Seconds that a race is given. */
#define RACE_SECONDS 2

static double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec + ts.tv_nsec / 1e9;
}

static void pin(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	ASSERT(!sched_setaffinity(0, sizeof(set), &set));
}

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

static void turns_end(struct turns *turns)
{
	close(turns->down[0]);
	close(turns->down[1]);
	close(turns->up[0]);
	close(turns->up[1]);
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

static char load(const char *p)
{
	return *(const volatile char *)p;
}

/* --- 1: a parent that forks for ever keeps what nobody can see any more */

/*
 * tests/user/fork_tree has the parent; here each child forks as well, and writes
 * before and behind, and generations overlap. Hidden pages and objects of one
 * generation must go with it.
 */
TEST_LIMIT(bug_01_chains_of_a_forking_parent_stay_short, 120)
{
	const int pages = 16;
	uint64_t objects = vm_stats().o_count, before;
	char *map = vm_anon(pages);
	struct turns turns[2];
	pid_t child[2];
	int i;

	memset(map, 'o', pages * PAGE);
	before = vm_free_pages();
	for (i = 0; i < 60; i++) {
		const int n = i % 2;

		turns[n] = turns_make();
		child[n] = harness_fork();
		if (!child[n]) {
			pid_t grandchild;

			map[i % pages * PAGE] = 'c';
			grandchild = harness_fork();
			map[(i + 3) % pages * PAGE] = grandchild ? 'd' : 'g';
			if (!grandchild)
				harness_exit();
			harness_join(grandchild);
			take(turns[n].down);
			EXPECT_EQ(map[i % pages * PAGE], 'c');
			EXPECT_EQ(map[(i + 3) % pages * PAGE], 'd');
			harness_exit();
		}
		/* Each page in turn is hidden from the children. */
		map[(i + 1) % pages * PAGE] = 'p';
		if (i) {
			give(turns[!n].down);
			harness_join(child[!n]);
			turns_end(&turns[!n]);
		}
		EXPECT(vm_entry_at(map).e.kve_nobjects <= 4);
		EXPECT(vm_stats().o_count - objects <= 8);
		EXPECT(before - vm_free_pages() <= 3 * (uint64_t)pages);
	}
	give(turns[!(i % 2)].down);
	harness_join(child[!(i % 2)]);
	EXPECT_EQ(vm_entry_at(map).e.kve_nobjects, 1);
	EXPECT_EQ(vm_entry_at(map).object[0].kvo_resident, pages);
	EXPECT_EQ(vm_free_pages(), before);
	EXPECT_EQ(vm_stats().o_count, objects + 1);
}

/* --- 2: one CPU merges a chain while the other one splits its object */

#define SPLIT_PAGES 64
#define PIECE	    8

static char *split;
static atomic_int split_rounds;
static atomic_bool stop;

/*
 * An entry that has only a piece of its object: fork(2) splits the piece off.
 * Pieces are unmapped and come back, as the other thread forks.
 */
static void *punch_holes(void *arg)
{
	int n;

	(void)arg;
	pin(1);
	for (n = 1; !stop; n = (n + 2) % (SPLIT_PAGES / PIECE)) {
		char *piece = split + n * PIECE * PAGE;

		EXPECT_ERRNO(bsdvm_munmap(piece, PIECE * PAGE), 0);
		ASSERT(bsdvm_mmap(piece, PIECE * PAGE, RW,
				  ANON | BSDVM_MAP_FIXED | BSDVM_MAP_EXCL, -1,
				  0) == piece);
		EXPECT_EQ(load(piece + PAGE), 0);
		piece[0] = 'n';
		atomic_fetch_add(&split_rounds, 1);
	}
	return NULL;
}

/* Even pieces belong to us: each page has the number of its piece. */
static void check_even_pieces(const char *map, char page0)
{
	int n;

	for (n = 0; n < SPLIT_PAGES / PIECE; n += 2) {
		const char *piece = map + n * PIECE * PAGE;

		EXPECT_EQ(load(piece), page0);
		EXPECT_EQ(load(piece + PAGE), 'A' + n);
		EXPECT_EQ(load(piece + (PIECE - 1) * PAGE), 'A' + n);
	}
}

static void write_even_pieces(char *map, char page0)
{
	int n;

	for (n = 0; n < SPLIT_PAGES / PIECE; n += 2)
		map[n * PIECE * PAGE] = page0;
}

/* Its exit on the other CPU makes the parent's chain mergeable. */
static pid_t split_child(char seen, struct turns *turns)
{
	pid_t pid = harness_fork();

	if (pid)
		return pid;
	pin(1);
	check_even_pieces(split, seen);
	write_even_pieces(split, 'c');
	if (turns)
		take(turns->down);
	check_even_pieces(split, 'c');
	harness_exit();
}

TEST(bug_02_merging_a_chain_and_splitting_its_object_do_not_meet)
{
	const double end = now() + RACE_SECONDS;
	uint64_t before = vm_free_pages();
	pthread_t thread;
	int rounds, n;

	split = vm_anon(SPLIT_PAGES);
	for (n = 0; n < SPLIT_PAGES; n++)
		split[n * PAGE] = 'A' + n / PIECE;
	write_even_pieces(split, 'o');
	ASSERT(!pthread_create(&thread, NULL, punch_holes, NULL));
	pin(0);
	for (rounds = 0; now() < end || rounds < 4; rounds++) {
		struct turns turns = turns_make();
		const char mine = 'a' + rounds % 26;
		pid_t first, second;

		write_even_pieces(split, mine);
		first = split_child(mine, &turns);
		/* The first one exits while the second is forked. */
		give(turns.down);
		second = split_child(mine, NULL);
		write_even_pieces(split, 'w');
		check_even_pieces(split, 'w');
		harness_join(first);
		harness_join(second);
		check_even_pieces(split, 'w');
		turns_end(&turns);
	}
	stop = true;
	pthread_join(thread, NULL);
	EXPECT(split_rounds > 0);
	ASSERT(!bsdvm_munmap(split, SPLIT_PAGES * PAGE));
	EXPECT_EQ(vm_free_settles(before), before);
}

/* --- 3: CVE-2021-29626, a copy that others who share the shadow do not see */

/* Ways to get a copy of a page that is not a plain store. */
enum copier {
	BY_STORE,
	BY_SYSTEM_CALL,
	BY_FAULT_CALL,
	BY_LOCKING,
	COPIERS
};

static void copy_page(enum copier how, char *page)
{
	int pipes[2];

	switch (how) {
	case BY_STORE:
		break;
	case BY_SYSTEM_CALL:
		ASSERT(!pipe(pipes) && write(pipes[1], "x", 1) == 1);
		EXPECT_EQ(read(pipes[0], page + 1, 1), 1);
		close(pipes[0]);
		close(pipes[1]);
		break;
	case BY_FAULT_CALL:
		EXPECT_ERRNO(bsdvm_fault(page, PAGE, BSDVM_PROT_WRITE, NULL,
					 NULL),
			     0);
		break;
	case BY_LOCKING:
		EXPECT_ERRNO(bsdvm_mlock(page, PAGE), 0);
		break;
	case COPIERS:
		break;
	}
	page[0] = 's';
}

/*
 * tests/user/shared_shadow races them; here each step has its turn. P forks C,
 * which keeps O's pages, then shares with P2. P2 maps O's page, and then one of
 * the two gets a copy, by each way there is: the other one must not go on with
 * O's page. tests/user/inherit has the store.
 */
TEST(bug_03_a_copy_in_a_shared_shadow_is_seen_however_it_was_made)
{
	uint64_t before = vm_free_pages();
	int how;

	for (how = 0; how < COPIERS; how++) {
		struct turns c_turns = turns_make(), turns = turns_make();
		char *map = vm_anon(3), *second = map + PAGE;
		pid_t c, p2;

		memset(map, 'o', 3 * PAGE);
		c = harness_fork();
		if (!c) {
			take(c_turns.down);
			EXPECT(vm_all(map, 3 * PAGE, 'o'));
			harness_exit();
		}
		ASSERT(!bsdvm_minherit(map, 3 * PAGE, BSDVM_INHERIT_SHARE));
		/* The shadow is there before it is shared. */
		map[2 * PAGE] = 'p';
		p2 = harness_fork();
		if (!p2) {
			EXPECT_EQ(load(map), 'o');
			EXPECT_EQ(load(second), 'o');
			give(turns.up);
			take(turns.down);
			EXPECT_EQ(load(map), 's');
			copy_page(how, second);
			give(turns.up);
			take(turns.down);
			EXPECT_EQ(load(map), 't');
			EXPECT_EQ(load(second), 't');
			harness_exit();
		}
		take(turns.up);
		EXPECT_EQ(load(second), 'o');
		copy_page(how, map);
		give(turns.down);
		take(turns.up);
		EXPECT_EQ(load(second), 's');
		map[0] = 't';
		second[0] = 't';
		give(turns.down);
		harness_join(p2);
		give(c_turns.down);
		harness_join(c);
		turns_end(&turns);
		turns_end(&c_turns);
		ASSERT(!bsdvm_munmap(map, 3 * PAGE));
	}
	EXPECT_EQ(vm_free_settles(before), before);
}

/* --- 4: MADV_FREE and content that comes back from the past */

/* What a page that was given up may show: its last content, or zeroes. */
static bool last_or_zero(const char *page, char last)
{
	return vm_all(page, PAGE, last) || vm_all(page, PAGE, 0);
}

TEST(bug_04_free_does_not_bring_back_what_was_before_a_fork)
{
	struct turns turns = turns_make();
	char *map = vm_anon(5), *seen = map + 4 * PAGE;
	uint64_t freed;
	pid_t child;
	int i;

	memset(map, 'o', 5 * PAGE);
	child = harness_fork();
	if (!child) {
		take(turns.down);
		EXPECT(vm_all(map, 5 * PAGE, 'o'));
		harness_exit();
	}
	/* One page is seen through, so the object below stays there. */
	memset(map, 'n', 4 * PAGE);
	EXPECT_EQ(vm_entry_at(map).e.kve_nobjects, 2);
	/* While there is an older content below, the pages stay. */
	freed = vm_stats().v_lazyfree_count;
	EXPECT_ERRNO(bsdvm_madvise(map, 2 * PAGE, BSDVM_MADV_FREE), 0);
	EXPECT_EQ(vm_stats().v_lazyfree_count, freed);
	EXPECT(vm_all(map, 4 * PAGE, 'n'));
	give(turns.down);
	harness_join(child);
	EXPECT(vm_all(map, 4 * PAGE, 'n'));
	EXPECT(vm_all(seen, PAGE, 'o'));
	/* Alone, they may go; still nothing comes from below. */
	EXPECT_ERRNO(bsdvm_madvise(map, 4 * PAGE, BSDVM_MADV_FREE), 0);
	for (i = 0; i < 4; i++)
		EXPECT(last_or_zero(map + i * PAGE, 'n'));
	/* A child gets neither more nor less. */
	child = harness_fork();
	if (!child) {
		for (i = 0; i < 4; i++)
			EXPECT(last_or_zero(map + i * PAGE, 'n'));
		harness_exit();
	}
	harness_join(child);
}

TEST_FILES(bug_04_free_does_not_bring_back_the_files_content)
{
	int fd = vm_file(dir, 2 * PAGE);
	char *map = bsdvm_mmap(NULL, 2 * PAGE, RW, BSDVM_MAP_PRIVATE, fd, 0);
	uint64_t freed;

	ASSERT(map != BSDVM_MAP_FAILED);
	memset(map, 'n', 2 * PAGE);
	freed = vm_stats().v_lazyfree_count;
	EXPECT_ERRNO(bsdvm_madvise(map, 2 * PAGE, BSDVM_MADV_FREE), 0);
	EXPECT_EQ(vm_stats().v_lazyfree_count, freed);
	EXPECT(vm_all(map, 2 * PAGE, 'n'));
	ASSERT(!bsdvm_munmap(map, 2 * PAGE));
}

/* --- 5: what DONTNEED and FREE give back, and who sees it */

TEST(bug_05_dontneed_keeps_data_and_free_is_counted)
{
	uint64_t before = vm_stats().v_lazyfree_count;
	const int pages = 32;
	char *map = vm_anon(pages);
	int i;

	memset(map, 'x', pages * PAGE);
	EXPECT_ERRNO(bsdvm_madvise(map, pages * PAGE, BSDVM_MADV_DONTNEED), 0);
	EXPECT_EQ(vm_stats().v_lazyfree_count, before);
	EXPECT(vm_all(map, pages * PAGE, 'x'));
	EXPECT_ERRNO(bsdvm_madvise(map, 16 * PAGE, BSDVM_MADV_FREE), 0);
	EXPECT_EQ(vm_stats().v_lazyfree_count - before, 16);
	/* Twice is no more than once. */
	EXPECT_ERRNO(bsdvm_madvise(map, 16 * PAGE, BSDVM_MADV_FREE), 0);
	EXPECT_EQ(vm_stats().v_lazyfree_count - before, 16);
	/* A store takes its page back. */
	for (i = 0; i < 4; i++)
		map[i * PAGE] = 'y';
	EXPECT_EQ(vm_stats().v_lazyfree_count - before, 12);
	for (i = 0; i < 4; i++)
		EXPECT_EQ(map[i * PAGE], 'y');
	EXPECT(vm_all(map + 16 * PAGE, (pages - 16) * PAGE, 'x'));
	ASSERT(!bsdvm_munmap(map, pages * PAGE));
	EXPECT_EQ(vm_stats().v_lazyfree_count, before);
}

/* --- 6: mappings and files: what msync promises, no less and no more */

TEST_FILES(bug_06_msync_writes_what_is_dirty_in_its_range_and_once)
{
	const size_t size = 8 * PAGE - 100;
	int fd = vm_file(dir, size);
	char *map = bsdvm_mmap(NULL, 8 * PAGE, RW, BSDVM_MAP_SHARED, fd, 0);
	uint64_t written;
	pid_t child;

	ASSERT(map != BSDVM_MAP_FAILED);
	/* Stores of one process are seen by the other one before any msync. */
	child = harness_fork();
	if (!child) {
		map[PAGE] = 'c';
		map[3 * PAGE] = 'c';
		map[7 * PAGE + 5] = 'c';
		/* Behind the end of the file. */
		map[8 * PAGE - 1] = 'c';
		harness_exit();
	}
	harness_join(child);
	EXPECT_EQ(map[PAGE], 'c');
	EXPECT_EQ(load(map + 2 * PAGE), vm_file_byte(2 * PAGE));
	written = vm_stats().v_vnodepgsout;
	EXPECT_ERRNO(bsdvm_msync(map, 3 * PAGE, BSDVM_MS_SYNC), 0);
	EXPECT_EQ(vm_stats().v_vnodepgsout - written, 1);
	EXPECT_EQ(vm_file_read(fd, PAGE), 'c');
	EXPECT_ERRNO(bsdvm_msync(map, 8 * PAGE, BSDVM_MS_SYNC), 0);
	EXPECT_EQ(vm_stats().v_vnodepgsout - written, 3);
	EXPECT_EQ(vm_file_read(fd, 3 * PAGE), 'c');
	EXPECT_EQ(vm_file_read(fd, 7 * PAGE + 5), 'c');
	EXPECT_ERRNO(bsdvm_msync(map, 8 * PAGE, BSDVM_MS_SYNC), 0);
	EXPECT_EQ(vm_stats().v_vnodepgsout - written, 3);
	/* Neither has the file grown, nor has it the stray byte. */
	EXPECT_EQ(lseek(fd, 0, SEEK_END), size);
	ASSERT(!ftruncate(fd, 8 * PAGE));
	EXPECT_EQ(vm_file_read(fd, 8 * PAGE - 1), 0);
	ASSERT(!bsdvm_munmap(map, 8 * PAGE));
}

/* --- 7: state that a child must not have: a call that does nothing goes unseen */

/* The state of a generator of random numbers. */
struct generator {
	uint64_t seeded;
	uint64_t state;
};

static uint64_t generate(struct generator *g, uint64_t seed)
{
	if (!g->seeded) {
		g->seeded = 1;
		g->state = seed;
	}
	g->state = g->state * 6364136223846793005 + 1442695040888963407;
	return g->state;
}

TEST(bug_07_a_childs_generator_begins_anew)
{
	char *map = vm_anon(3);
	struct generator *g = (struct generator *)(map + PAGE);
	uint64_t number;
	pid_t child;

	memset(map, 'p', PAGE);
	ASSERT(!bsdvm_minherit(map + PAGE, PAGE, BSDVM_INHERIT_ZERO));
	EXPECT_EQ(vm_entry_at(g).e.kve_inheritance, BSDVM_INHERIT_ZERO);
	EXPECT_EQ(vm_entry_at(map).e.kve_inheritance, BSDVM_INHERIT_COPY);
	EXPECT_EQ(vm_entry_at(map + 2 * PAGE).e.kve_inheritance,
		  BSDVM_INHERIT_COPY);
	/* Also where the page is locked, as keys are. */
	ASSERT(!bsdvm_mlock(g, PAGE));
	generate(g, 1);
	child = harness_fork();
	if (!child) {
		pid_t grandchild;

		EXPECT_EQ(g->seeded, 0);
		EXPECT_EQ(g->state, 0);
		EXPECT(vm_all(map, PAGE, 'p'));
		number = generate(g, 2);
		grandchild = harness_fork();
		if (!grandchild) {
			EXPECT_EQ(g->seeded, 0);
			EXPECT(generate(g, 3) != number);
			harness_exit();
		}
		harness_join(grandchild);
		EXPECT_EQ(g->state, number);
		harness_exit();
	}
	number = generate(g, 1);
	harness_join(child);
	EXPECT_EQ(g->state, number);
	EXPECT_EQ(g->seeded, 1);
}

/* --- 8: who waits for memory is woken, whoever frees it */

/* Seconds that the fault waits, so many that a slow machine is not taken for it. */
#define PATIENCE 50

static char *waited_for, *spare;

static void *write_one(void *arg)
{
	const double begin = now();

	(void)arg;
	EXPECT_NO_FAULT(vm_write(waited_for, 'x'));
	/* Not at the end of its patience. */
	EXPECT(now() - begin < PATIENCE / 2.);
	return NULL;
}

static void free_by_unmapping(void)
{
	ASSERT(!bsdvm_munmap(spare, PAGE));
}

static void free_by_replacing(void)
{
	ASSERT(bsdvm_mmap(spare, PAGE, RW, ANON | BSDVM_MAP_FIXED, -1, 0) ==
	       spare);
}

static void free_by_shrinking_the_heap(void)
{
	ASSERT(bsdvm_sbrk(-(intptr_t)PAGE) != (void *)-1);
}

/*
 * tests/user/exhaustion's a_waiting_fault_goes_on_when_another_process_frees has
 * another process; here a thread of the same one frees a single page.
 */
static void wake_by(void (*free_a_page)(void))
{
	size_t pages = 2 * vm_stats().v_page_count, done;
	char *all = vm_anon(pages);
	pthread_t thread;
	uint64_t wait;
	int outcome;

	waited_for = vm_anon(1);
	*spare = 's';
	ASSERT(!bsdvm_fault(all, pages * PAGE, BSDVM_PROT_WRITE, &done,
			    &outcome));
	EXPECT_EQ(outcome, BSDVM_FAULT_SHORTAGE);
	ASSERT(!bsdvm_sysctl_get("vm.pfault_oom_wait", &wait) &&
	       !bsdvm_sysctl_set("vm.pfault_oom_wait", PATIENCE));
	ASSERT(!pthread_create(&thread, NULL, write_one, NULL));
	/* It has begun to wait by now. */
	usleep(300 * 1000);
	free_a_page();
	pthread_join(thread, NULL);
	ASSERT(!bsdvm_sysctl_set("vm.pfault_oom_wait", wait));
	EXPECT_EQ(*waited_for, 'x');
	ASSERT(!bsdvm_munmap(all, pages * PAGE));
}

TEST(bug_08_a_single_page_freed_wakes_who_waits)
{
	spare = vm_anon(1);
	wake_by(free_by_unmapping);
	spare = vm_anon(1);
	wake_by(free_by_replacing);
	spare = bsdvm_sbrk(PAGE);
	ASSERT(spare != (void *)-1);
	wake_by(free_by_shrinking_the_heap);
}

/* --- 9: wired pages and fork */

static uint64_t copies(void)
{
	const struct bsdvm_stats stats = vm_stats();

	return stats.v_cow_faults + stats.v_cow_optim;
}

/*
 * The parent's pages stay where they are, for a device may write there: the child
 * gets copies at once, and the parent's stores fault no more than before.
 */
TEST(bug_09_a_fork_leaves_wired_pages_where_they_are)
{
	struct turns turns = turns_make();
	const int pages = 8;
	char *map = vm_anon(pages);
	struct vm_entry entry;
	uint64_t object, before, faults;
	pid_t child;
	int i;

	memset(map, 'p', pages * PAGE);
	ASSERT(!bsdvm_mlock(map, pages * PAGE));
	object = vm_entry_at(map).object[0].kvo_id;
	before = copies();
	child = harness_fork();
	if (!child) {
		entry = vm_entry_at(map);
		EXPECT_EQ(entry.e.kve_wired_count, 0);
		EXPECT(!(entry.e.kve_flags & BSDVM_KVME_FLAG_USER_WIRED));
		/* It has pages of its own already. */
		EXPECT_EQ(entry.e.kve_private_resident, pages);
		EXPECT_EQ(entry.e.kve_nobjects, 1);
		EXPECT(entry.object[0].kvo_id != object);
		EXPECT(vm_all(map, pages * PAGE, 'p'));
		memset(map, 'c', pages * PAGE);
		give(turns.up);
		take(turns.down);
		EXPECT(vm_all(map, pages * PAGE, 'c'));
		harness_exit();
	}
	take(turns.up);
	EXPECT(vm_all(map, pages * PAGE, 'p'));
	faults = vm_stats().v_vm_faults;
	for (i = 0; i < pages; i++)
		map[i * PAGE] = 'q';
	EXPECT_EQ(vm_stats().v_vm_faults, faults);
	EXPECT_EQ(copies(), before);
	entry = vm_entry_at(map);
	EXPECT_EQ(entry.object[0].kvo_id, object);
	EXPECT_EQ(entry.e.kve_nobjects, 1);
	EXPECT_EQ(entry.e.kve_wired_count, 1);
	EXPECT(!(entry.e.kve_flags &
		 (BSDVM_KVME_FLAG_COW | BSDVM_KVME_FLAG_NEEDS_COPY)));
	give(turns.down);
	harness_join(child);
	for (i = 0; i < pages; i++)
		EXPECT_EQ(map[i * PAGE], 'q');
}

/* A child that sees @first in the first byte, the file in others, and may write. */
static void fork_and_write(char *map, char first)
{
	pid_t child = harness_fork();

	if (!child) {
		EXPECT_EQ(load(map), first);
		EXPECT_EQ(load(map + 1), vm_file_byte(1));
		EXPECT_EQ(load(map + 3 * PAGE), vm_file_byte(3 * PAGE));
		ASSERT(!bsdvm_mprotect(map, 4 * PAGE, RW));
		map[0] = 'c';
		map[2 * PAGE] = 'c';
		harness_exit();
	}
	harness_join(child);
	EXPECT_EQ(load(map), first);
	EXPECT_EQ(load(map + 2 * PAGE), vm_file_byte(2 * PAGE));
}

/* "vm_fault_copy_entry: main object missing page": it is in the file's object. */
TEST_FILES(bug_09_a_fork_copies_wired_pages_of_a_file)
{
	int fd = vm_file(dir, 4 * PAGE);
	char *map = bsdvm_mmap(NULL, 4 * PAGE, BSDVM_PROT_READ,
			       BSDVM_MAP_PRIVATE, fd, 0);
	uint64_t before, faults;

	ASSERT(map != BSDVM_MAP_FAILED);
	ASSERT(!bsdvm_mlock(map, 4 * PAGE));
	fork_and_write(map, vm_file_byte(0));
	/* Wired memory that becomes writable is copied by then. */
	ASSERT(!bsdvm_mprotect(map, 4 * PAGE, RW));
	before = copies();
	map[0] = 'p';
	EXPECT_EQ(copies(), before);
	/* And forks leave it writable. */
	fork_and_write(map, 'p');
	faults = vm_stats().v_vm_faults;
	map[0] = 'q';
	EXPECT_EQ(vm_stats().v_vm_faults, faults);
	map[PAGE] = 'q';
	EXPECT_EQ(copies(), before);
	fork_and_write(map, 'q');
	EXPECT_EQ(map[PAGE], 'q');
	EXPECT_EQ(vm_file_read(fd, 0), vm_file_byte(0));
	ASSERT(!bsdvm_munmap(map, 4 * PAGE));
}

/* --- 10: stacks that cease to grow */

#define STACK_PAGES 256

static char *map_stack(void)
{
	char *stack = bsdvm_mmap(NULL, STACK_PAGES * PAGE, RW, BSDVM_MAP_STACK,
				 -1, 0);

	ASSERT(stack != BSDVM_MAP_FAILED);
	return stack;
}

/* All of it is there but the guard. */
static void check_growth(char *stack)
{
	int i;

	for (i = STACK_PAGES - 1; i > 0; i--)
		EXPECT_NO_FAULT(vm_write(stack + i * PAGE + 1, 's'));
	EXPECT_FAULT(vm_write(stack + PAGE - 1, 's'), SIGSEGV, SEGV_ACCERR,
		     stack + PAGE - 1);
}

TEST(bug_10_a_stack_grows_whatever_mprotect_did_to_its_top)
{
	char *stack = map_stack(), *top = stack + STACK_PAGES * PAGE;
	const char *low;

	/* Without mprotect. */
	check_growth(stack);
	ASSERT(!bsdvm_munmap(stack, STACK_PAGES * PAGE));

	/* To and back, of the topmost page. */
	stack = map_stack();
	top = stack + STACK_PAGES * PAGE;
	ASSERT(!bsdvm_mprotect(top - PAGE, PAGE, BSDVM_PROT_NONE));
	ASSERT(!bsdvm_mprotect(top - PAGE, PAGE, RW));
	check_growth(stack);
	ASSERT(!bsdvm_munmap(stack, STACK_PAGES * PAGE));

	/* Of all there is, the lowest page included (PR 272585). */
	stack = map_stack();
	top = stack + STACK_PAGES * PAGE;
	low = (char *)(uintptr_t)vm_entry_at(top - 1).e.kve_start;
	ASSERT(low > stack + PAGE);
	ASSERT(!bsdvm_mprotect((void *)low, top - low, RWX));
	check_growth(stack);
	ASSERT(!bsdvm_munmap(stack, STACK_PAGES * PAGE));

	/* Of a range that ends within what it may grow into. */
	stack = map_stack();
	ASSERT(!bsdvm_mprotect(stack, STACK_PAGES / 2 * PAGE, BSDVM_PROT_READ));
	check_growth(stack);
	ASSERT(!bsdvm_munmap(stack, STACK_PAGES * PAGE));

	/* And where the lowest page stays as it was made. */
	stack = map_stack();
	top = stack + STACK_PAGES * PAGE;
	low = (char *)(uintptr_t)vm_entry_at(top - 1).e.kve_start;
	ASSERT(!bsdvm_mprotect((void *)low, PAGE, BSDVM_PROT_READ));
	EXPECT_NO_FAULT(vm_write(stack + 2 * PAGE, 's'));
	EXPECT_FAULT(vm_write((void *)low, 's'), SIGSEGV, SEGV_ACCERR, low);
	EXPECT_EQ(load(stack + 2 * PAGE), 's');
	ASSERT(!bsdvm_munmap(stack, STACK_PAGES * PAGE));
}

TEST(bug_10_a_stack_is_what_its_rules_say)
{
	char *stack, *low;

	EXPECT_ERRNO(bsdvm_mmap(NULL, STACK_PAGES * PAGE, BSDVM_PROT_READ,
				BSDVM_MAP_STACK, -1, 0),
		     EINVAL);
	EXPECT_ERRNO(bsdvm_mmap(NULL, STACK_PAGES * PAGE, BSDVM_PROT_WRITE,
				BSDVM_MAP_STACK, -1, 0),
		     EINVAL);
	EXPECT_ERRNO(bsdvm_mmap(NULL, PAGE, RW, BSDVM_MAP_STACK, -1, 0),
		     EINVAL);
	stack = map_stack();
	/* Its place is taken, though nothing can be accessed there. */
	EXPECT_ERRNO(bsdvm_mmap(stack, PAGE, RW,
				ANON | BSDVM_MAP_FIXED | BSDVM_MAP_EXCL, -1, 0),
		     ENOMEM);
	low = (char *)(uintptr_t)vm_entry_at(stack + STACK_PAGES * PAGE - 1)
		      .e.kve_start;
	/* What lies in its way stops it, with a guard's distance. */
	ASSERT(bsdvm_mmap(low - 4 * PAGE, PAGE, RW, ANON | BSDVM_MAP_FIXED, -1,
			  0) == low - 4 * PAGE);
	low[-4 * (ptrdiff_t)PAGE] = 'x';
	EXPECT_NO_FAULT(vm_write(low - PAGE, 's'));
	EXPECT_NO_FAULT(vm_write(low - 2 * PAGE, 's'));
	EXPECT_FAULT(vm_write(low - 2 * PAGE - 1, 's'), SIGSEGV, SEGV_ACCERR,
		     low - 2 * PAGE - 1);
	EXPECT_EQ(low[-4 * (ptrdiff_t)PAGE], 'x');
	ASSERT(!bsdvm_munmap(stack, STACK_PAGES * PAGE));
}

/* --- 11: the errno of a place that is taken */

TEST(bug_11_excl_says_enomem_and_replaces_nothing)
{
	const int excl = BSDVM_MAP_FIXED | BSDVM_MAP_EXCL;
	char *map = vm_anon(8), *guard = map + 4 * PAGE;
	size_t count;
	int i;

	memset(map, 'x', 8 * PAGE);
	ASSERT(bsdvm_mmap(guard, PAGE, BSDVM_PROT_NONE,
			  BSDVM_MAP_GUARD | BSDVM_MAP_FIXED, -1, 0) == guard);
	ASSERT(!bsdvm_munmap(map + 6 * PAGE, PAGE));
	count = vm_entry_count();
	/* Begins in, ends in, lies in, encloses; a guard is no exception. */
	for (i = 0; i < 8; i++) {
		if (i == 6)
			continue;
		EXPECT_ERRNO(bsdvm_mmap(map + i * PAGE, PAGE, RW, ANON | excl,
					-1, 0),
			     ENOMEM);
	}
	EXPECT_ERRNO(bsdvm_mmap(map + 6 * PAGE, 2 * PAGE, RW, ANON | excl, -1,
				0),
		     ENOMEM);
	EXPECT_ERRNO(bsdvm_mmap(map + 5 * PAGE, 2 * PAGE, RW, ANON | excl, -1,
				0),
		     ENOMEM);
	EXPECT_ERRNO(bsdvm_mmap(map + 5 * PAGE, 3 * PAGE, BSDVM_PROT_NONE,
				BSDVM_MAP_GUARD | excl, -1, 0),
		     ENOMEM);
	EXPECT_ERRNO(bsdvm_mmap(map + 6 * PAGE, PAGE, RW, ANON | BSDVM_MAP_EXCL,
				-1, 0),
		     EINVAL);
	EXPECT_EQ(vm_entry_count(), count);
	EXPECT(vm_all(map, 4 * PAGE, 'x'));
	EXPECT(bsdvm_mmap(map + 6 * PAGE, PAGE, RW, ANON | excl, -1, 0) ==
	       map + 6 * PAGE);
}

/* --- 12: code that a program makes itself */

/* mov $n, %eax; ret */
static void write_code(char *to, int n)
{
	to[0] = (char)0xb8;
	memcpy(to + 1, &n, sizeof(n));
	to[5] = (char)0xc3;
}

static int run_code(const char *code)
{
	return ((int (*)(void))(uintptr_t)code)();
}

TEST(bug_12_memory_may_be_writable_and_executable)
{
	char *map = bsdvm_mmap(NULL, PAGE, RWX, ANON, -1, 0);

	ASSERT(map != BSDVM_MAP_FAILED);
	write_code(map, 1);
	EXPECT_EQ(run_code(map), 1);
	write_code(map, 2);
	EXPECT_EQ(run_code(map), 2);
	EXPECT_ERRNO(bsdvm_mprotect(map, PAGE, RW), 0);
	write_code(map, 3);
	EXPECT_FAULT(vm_execute(map), SIGSEGV, SEGV_ACCERR, map);
	EXPECT_ERRNO(bsdvm_mprotect(map, PAGE, RWX), 0);
	EXPECT_EQ(run_code(map), 3);
}

/* Where nothing is both: the same memory at two addresses. */
TEST(bug_12_remapdup_gives_code_a_second_address)
{
	char *writable = vm_anon(2), *code;
	int i;

	write_code(writable, 1);
	code = bsdvm_mremap(writable, 2 * PAGE, NULL, 2 * PAGE,
			    BSDVM_MAP_REMAPDUP);
	ASSERT(code != BSDVM_MAP_FAILED);
	EXPECT(code != writable);
	ASSERT(!bsdvm_mprotect(code, 2 * PAGE, RX));
	EXPECT_EQ(run_code(code), 1);
	for (i = 2; i < 10; i++) {
		/* The second page had no content when it was shared. */
		write_code(writable + i % 2 * PAGE, i);
		EXPECT_EQ(run_code(code + i % 2 * PAGE), i);
	}
	EXPECT_FAULT(vm_write(code, 0), SIGSEGV, SEGV_ACCERR, code);
	EXPECT_FAULT(vm_execute(writable), SIGSEGV, SEGV_ACCERR, writable);
	/* Either may go first. */
	ASSERT(!bsdvm_munmap(writable, 2 * PAGE));
	EXPECT_EQ(run_code(code), 8);
}

/* --- 13: those who read statistics while they change */

#define CHURN_PAGES 64

static char *churned;

static void *change_map(void *arg)
{
	uint32_t seed = 1;

	(void)arg;
	pin(1);
	while (!stop) {
		int n;

		seed = seed * 1103515245 + 12345;
		n = seed / 65536 % (CHURN_PAGES - 4);
		switch (seed / 1024 % 3) {
		case 0:
			bsdvm_munmap(churned + n * PAGE, 3 * PAGE);
			break;
		case 1:
			bsdvm_mmap(churned + n * PAGE, 4 * PAGE, RW,
				   ANON | BSDVM_MAP_FIXED, -1, 0);
			break;
		default:
			bsdvm_mprotect(churned + n * PAGE, 2 * PAGE,
				       BSDVM_PROT_READ);
			break;
		}
	}
	return NULL;
}

/* A record must be whole, and its members must go together. */
static void check_record(const struct bsdvm_vmentry *e, uint64_t last)
{
	const char *end = (const char *)e + e->kve_structsize;
	const struct bsdvm_vmobject *objects = bsdvm_vmentry_objects(e);

	EXPECT(e->kve_structsize % 8 == 0);
	EXPECT(e->kve_start < e->kve_end && e->kve_start >= last);
	EXPECT(!(e->kve_start % PAGE) && !(e->kve_end % PAGE));
	EXPECT(!(e->kve_protection & ~e->kve_max_protection));
	EXPECT((const char *)(objects + e->kve_nobjects) + e->kve_path_len <=
	       end);
	EXPECT(e->kve_resident <= (e->kve_end - e->kve_start) / PAGE);
	EXPECT(!e->kve_nobjects || objects[0].kvo_id);
}

TEST_FILES(bug_13_a_map_is_listed_whole_while_it_changes)
{
	const double end = now() + RACE_SECONDS;
	int fd = vm_file(dir, PAGE), lists;
	pthread_t thread;
	char *first, *last;

	/* Two that nobody changes, around the memory that a thread does. */
	churned = vm_anon(CHURN_PAGES + 2);
	first = churned;
	churned += PAGE;
	last = churned + CHURN_PAGES * PAGE;
	ASSERT(bsdvm_mmap(first, PAGE, BSDVM_PROT_READ,
			  BSDVM_MAP_SHARED | BSDVM_MAP_FIXED, fd, 0) == first);
	ASSERT(bsdvm_mmap(last, PAGE, BSDVM_PROT_READ,
			  BSDVM_MAP_PRIVATE | BSDVM_MAP_FIXED, fd, 0) == last);
	stop = false;
	ASSERT(!pthread_create(&thread, NULL, change_map, NULL));
	pin(0);
	for (lists = 0; now() < end || lists < 4; lists++) {
		struct bsdvm_vmentry *map, *e;
		bool seen[2] = { false };
		uint64_t behind = 0;
		size_t count;

		map = bsdvm_getvmmap(&count);
		ASSERT(map);
		for (e = map; count--; e = bsdvm_vmentry_next(e)) {
			check_record(e, behind);
			behind = e->kve_end;
			if (e->kve_start != (uintptr_t)first &&
			    e->kve_start != (uintptr_t)last)
				continue;
			seen[e->kve_start == (uintptr_t)last] = true;
			EXPECT_EQ(e->kve_end, e->kve_start + PAGE);
			EXPECT_EQ(e->kve_type, BSDVM_KVME_TYPE_VNODE);
			EXPECT(strstr(bsdvm_vmentry_path(e), "bsdvm-test"));
		}
		EXPECT(seen[0] && seen[1]);
		bsdvm_freevmmap(map);
	}
	stop = true;
	pthread_join(thread, NULL);
	ASSERT(!bsdvm_munmap(first, (CHURN_PAGES + 2) * PAGE));
}

/* Whether others have read a file is no business of ours. */
TEST_FILES(bug_13_mincore_tells_of_own_mappings_alone)
{
	struct turns turns = turns_make();
	const int pages = 4;
	int fd = vm_file(dir, pages * PAGE), i;
	char *map = bsdvm_mmap(NULL, pages * PAGE, BSDVM_PROT_READ,
			       BSDVM_MAP_SHARED, fd, 0);
	char vec[4];
	pid_t child;

	ASSERT(map != BSDVM_MAP_FAILED);
	child = harness_fork();
	if (!child) {
		for (i = 0; i < pages; i++)
			EXPECT_EQ(load(map + i * PAGE), vm_file_byte(i * PAGE));
		give(turns.up);
		take(turns.down);
		harness_exit();
	}
	take(turns.up);
	memset(vec, 1, sizeof(vec));
	EXPECT_ERRNO(bsdvm_mincore(map, pages * PAGE, vec), 0);
	for (i = 0; i < pages; i++)
		EXPECT_EQ(vec[i], 0);
	/* Who administers the machine can have it otherwise. */
	ASSERT(!bsdvm_sysctl_set("vm.mincore_mapped", 0));
	EXPECT_ERRNO(bsdvm_mincore(map, pages * PAGE, vec), 0);
	ASSERT(!bsdvm_sysctl_set("vm.mincore_mapped", 1));
	for (i = 0; i < pages; i++)
		EXPECT(vec[i] & BSDVM_MINCORE_INCORE);
	give(turns.down);
	harness_join(child);
	ASSERT(!bsdvm_munmap(map, pages * PAGE));
}
