// SPDX-License-Identifier: BSD-2-Clause
/*
 * Trees of processes, eight generations deep, all of which write at random.
 *
 * The model of private memory is ordinary memory, which Linux copies on fork
 * just as the private entry should be; the model of shared memory is memory
 * that Linux shares.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "vm.h"

#define DEPTH 8
#define PAGES 24
/* Two children each in the first generations, then one. */
#define BUSHY 3

/* Each process writes its own byte in every page of the shared entry. */
#define SLOTS 128

static char *private, *shared;
static char private_model[PAGES];
static char *shared_model;
static int *processes;

static void write_some(int slot)
{
	int i;

	for (i = 0; i < 8; i++) {
		const int page = rand() % PAGES;
		const char byte = rand();

		private[page * PAGE + slot] = byte;
		private[page * PAGE] = byte;
		private_model[page] = byte;
		shared[page * PAGE + slot] = byte;
		shared_model[page * PAGE + slot] = byte;
	}
}

static void check_private(void)
{
	int i;

	for (i = 0; i < PAGES; i++)
		EXPECT_EQ(private[i * PAGE], private_model[i]);
}

static int next_slot(void)
{
	return 1 + __atomic_fetch_add(processes, 1, __ATOMIC_RELAXED);
}

static void live(int depth)
{
	const int slot = next_slot();
	const int children = depth == DEPTH ? 0 : depth < BUSHY ? 2 : 1;
	pid_t child[2];
	int i;

	ASSERT(slot < SLOTS);
	srand(slot);
	write_some(slot);
	check_private();
	for (i = 0; i < children; i++) {
		child[i] = harness_fork();
		if (!child[i]) {
			check_private();
			live(depth + 1);
			harness_exit();
		}
		write_some(slot);
		check_private();
	}
	for (i = 0; i < children; i++)
		harness_join(child[i]);
	check_private();
	write_some(slot);
	check_private();
}

TEST_LIMIT(a_tree_of_random_writers_agrees_with_the_model, 120)
{
	uint64_t before = vm_free_pages();
	struct bsdvm_stats start = vm_stats(), end;
	struct vm_entry entry;

	private = vm_anon(PAGES);
	shared = vm_anon_flags(PAGES, BSDVM_MAP_SHARED);
	shared_model = mmap(NULL, PAGES * PAGE, PROT_READ | PROT_WRITE,
			    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	processes = mmap(NULL, PAGE, PROT_READ | PROT_WRITE,
			 MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	ASSERT(shared_model != MAP_FAILED && processes != MAP_FAILED);
	live(0);
	EXPECT(!memcmp(shared, shared_model, PAGES * PAGE));
	/* All relatives are gone: nothing of them is left in the chains. */
	entry = vm_entry_at(private);
	EXPECT_EQ(entry.e.kve_nobjects, 1);
	EXPECT(entry.object[0].kvo_resident <= PAGES);
	EXPECT_EQ(vm_entry_at(shared).e.kve_nobjects, 1);
	EXPECT_EQ(vm_entry_at(shared).e.kve_ref_count, 1);
	ASSERT(!bsdvm_munmap(private, PAGES * PAGE));
	ASSERT(!bsdvm_munmap(shared, PAGES * PAGE));
	end = vm_stats();
	EXPECT_EQ(vm_free_of(end), before);
	EXPECT_EQ(end.o_count, start.o_count);
	EXPECT_EQ(end.v_forks - start.v_forks, *processes - 1);
}

/* A server that forks for ever, with a child alive at any time. */
TEST_LIMIT(a_parent_that_forks_for_ever_holds_a_bounded_chain, 120)
{
	const int pages = 8;
	char *map = vm_anon(pages);
	uint64_t before;
	int pipes[2][2];
	pid_t child[2];
	int i;

	memset(map, 0, pages * PAGE);
	before = vm_free_pages();
	for (i = 0; i < 200; i++) {
		const int n = i % 2;

		ASSERT(!pipe(pipes[n]));
		child[n] = harness_fork();
		if (!child[n]) {
			char byte;

			map[i % pages * PAGE] = 'c';
			/* Until the parent has forked the next one. */
			read(pipes[n][0], &byte, 1);
			harness_exit();
		}
		close(pipes[n][0]);
		map[(i + 1) % pages * PAGE] = 'p';
		if (i) {
			ASSERT(write(pipes[!n][1], "", 1) == 1);
			harness_join(child[!n]);
			close(pipes[!n][1]);
		}
		EXPECT(vm_entry_at(map).e.kve_nobjects <= 4);
		EXPECT(before - vm_free_pages() <= 3 * (uint64_t)pages);
	}
	ASSERT(write(pipes[1][1], "", 1) == 1);
	harness_join(child[1]);
	EXPECT_EQ(vm_entry_at(map).e.kve_nobjects, 1);
	EXPECT_EQ(vm_free_pages(), before);
}

/* The line of descent: each generation forks, and the elder exits. */
TEST_LIMIT(a_line_of_descendants_does_not_grow, 120)
{
	const int pages = 8, generations = 60;
	char *map = vm_anon(pages);
	uint64_t before;
	pid_t first;
	int pipes[2], i;
	char byte;

	memset(map, 'x', pages * PAGE);
	before = vm_free_pages();
	ASSERT(!pipe(pipes));
	first = harness_fork();
	for (i = 0; !first && i < generations; i++) {
		const pid_t elder = getpid();
		const pid_t next = harness_fork();
		const char want = i ? 'a' + (i - 1) % 26 : 'x';

		if (next)
			harness_exit();
		while (getppid() == elder)
			usleep(1000);
		EXPECT_EQ(map[0], want);
		map[0] = 'a' + i % 26;
		EXPECT_EQ(vm_entry_at(map).e.kve_nobjects, 2);
		EXPECT(vm_all(map + PAGE, (pages - 1) * PAGE, 'x'));
	}
	if (!first) {
		byte = map[0];
		ASSERT(write(pipes[1], &byte, 1) == 1);
		harness_exit();
	}
	close(pipes[1]);
	harness_join(first);
	ASSERT(read(pipes[0], &byte, 1) == 1);
	EXPECT_EQ(byte, 'a' + (generations - 1) % 26);
	/* The end of the pipe: the last of them is gone. */
	EXPECT_EQ(read(pipes[0], &byte, 1), 0);
	EXPECT_EQ(map[0], 'x');
	EXPECT_EQ(vm_free_settles(before), before);
	EXPECT_EQ(vm_entry_at(map).e.kve_nobjects, 1);
}

/* --- generations that all live */

#define LINE	   64
#define LINE_PAGES 200

static char model[LINE_PAGES];
static int line_ready[2], line_done[2];

/* Pages that nobody else writes now, and some that all do; what others do is not seen. */
static void line_write(int generation)
{
	int i;

	for (i = 0; i < 3; i++) {
		const int page = i ? rand() % LINE_PAGES : generation;

		private[page * PAGE] = generation + 1;
		model[page] = generation + 1;
	}
}

static void line_check(void)
{
	int i;

	for (i = 0; i < LINE_PAGES; i++)
		EXPECT_EQ(private[i * PAGE], model[i]);
}

/* All write, while on the other CPU others do: until the last generation has looked. */
static void line_live(int generation)
{
	pid_t next = 0;
	char byte;

	srand(generation);
	line_write(generation);
	line_check();
	EXPECT(vm_entry_at(private).e.kve_nobjects <= 12);
	if (generation < LINE)
		next = harness_fork();
	if (generation < LINE && !next) {
		line_live(generation + 1);
		harness_exit();
	}
	line_write(generation);
	line_check();
	if (generation == LINE)
		ASSERT(write(line_ready[1], "", 1) == 1);
	else if (generation)
		ASSERT(read(line_done[0], &byte, 1) == 0);
	line_write(generation);
	line_check();
	if (generation && next)
		harness_join(next);
}

/*
 * Each generation has its pages and those its elders had when it was forked, with a
 * chain that is much shorter than the line.
 */
TEST_LIMIT(generations_that_all_live_have_short_chains, 120)
{
	uint64_t before = vm_free_pages();
	struct bsdvm_stats start = vm_stats();
	pid_t first;
	char byte;

	ASSERT(!pipe(line_ready) && !pipe(line_done));
	private = vm_anon(LINE_PAGES);
	memset(private, 0, LINE_PAGES * PAGE);
	first = harness_fork();
	if (!first) {
		close(line_done[1]);
		line_live(1);
		harness_exit();
	}
	ASSERT(read(line_ready[0], &byte, 1) == 1);
	line_write(0);
	line_check();
	close(line_done[1]);
	harness_join(first);
	line_check();
	EXPECT_EQ(vm_entry_at(private).e.kve_nobjects, 1);
	EXPECT_EQ(vm_entry_at(private).object[0].kvo_resident, LINE_PAGES);
	ASSERT(!bsdvm_munmap(private, LINE_PAGES * PAGE));
	EXPECT_EQ(vm_free_settles(before), before);
	EXPECT_EQ(vm_stats().o_count, start.o_count);
}

/* A chain of three is made shorter only where that is worth its while. */
TEST(who_writes_much_skips_a_parent_that_wrote_little)
{
	char *map = vm_anon(LINE_PAGES);
	pid_t child, grandchild;
	int i;

	memset(map, 'r', LINE_PAGES * PAGE);
	child = harness_fork();
	if (child) {
		harness_join(child);
		EXPECT(vm_all(map, LINE_PAGES * PAGE, 'r'));
		return;
	}
	map[0] = 'c';
	grandchild = harness_fork();
	if (grandchild) {
		harness_join(grandchild);
		EXPECT_EQ(map[0], 'c');
		EXPECT(vm_all(map + PAGE, (LINE_PAGES - 1) * PAGE, 'r'));
		harness_exit();
	}
	for (i = 1; i <= 10; i++)
		map[i * PAGE] = 'g';
	EXPECT_EQ(vm_entry_at(map).e.kve_nobjects, 3);
	for (; i <= 100; i++)
		map[i * PAGE] = 'g';
	EXPECT_EQ(vm_entry_at(map).e.kve_nobjects, 2);
	EXPECT_EQ(map[0], 'c');
	for (i = 1; i < LINE_PAGES; i++) {
		EXPECT_EQ(map[i * PAGE], i <= 100 ? 'g' : 'r');
		EXPECT_EQ(map[i * PAGE + 1], 'r');
	}
	harness_exit();
}
