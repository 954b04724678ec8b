// SPDX-License-Identifier: BSD-2-Clause
/*
 * More memory than there is: programs run to the end with every byte right. Runs with a
 * pool of 8 MiB, to be run alone.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "vm.h"

#define WORDS (PAGE / sizeof(uint64_t))

static size_t pool(void)
{
	return vm_stats().v_page_count;
}

static uint64_t next_random(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state;
}

/* What a page holds at its @version-th writing: a word that says so, and its sum. */
static void page_write(char *page, uint64_t number, uint64_t version)
{
	uint64_t *word = (uint64_t *)page, sum = 0;
	size_t i;

	for (i = 0; i < WORDS - 1; i++) {
		word[i] = (number << 32 | version) * (2 * i + 1);
		sum += word[i];
	}
	word[WORDS - 1] = sum;
}

static bool page_right(const char *page, uint64_t number, uint64_t version)
{
	const uint64_t *word = (const uint64_t *)page;
	uint64_t sum = 0;
	size_t i;

	if (!version)
		return vm_all(page, PAGE, 0);
	for (i = 0; i < WORDS - 1; i++) {
		if (word[i] != (number << 32 | version) * (2 * i + 1))
			return false;
		sum += word[i];
	}
	return word[WORDS - 1] == sum;
}

/**
 * struct set - pages that are written at random and checked
 * @map: where
 * @pages: how many
 * @version: how often each has been written
 * @seed: state of the random numbers
 */
struct set {
	char *map;
	size_t pages;
	uint32_t *version;
	uint64_t seed;
};

static struct set set_new(size_t pages, uint64_t seed)
{
	struct set set = {
		.map = vm_anon(pages),
		.pages = pages,
		.version = calloc(pages, sizeof(uint32_t)),
		.seed = seed * 0x9e3779b97f4a7c15ull + 1,
	};

	ASSERT(set.version);
	return set;
}

static void set_touch(struct set *set, size_t page)
{
	char *at = set->map + page * PAGE;

	ASSERT(page_right(at, page, set->version[page]));
	page_write(at, page, ++set->version[page]);
}

static void set_check(const struct set *set)
{
	size_t i;

	for (i = 0; i < set->pages; i++)
		ASSERT(page_right(set->map + i * PAGE, i, set->version[i]));
}

static void set_churn(struct set *set, size_t steps)
{
	while (steps--)
		set_touch(set, next_random(&set->seed) % set->pages);
}

TEST_LIMIT(four_times_the_pool, 600)
{
	struct set set = set_new(4 * pool(), 1);
	struct bsdvm_stats stats;
	size_t i;

	for (i = 0; i < set.pages; i++)
		set_touch(&set, i);
	set_churn(&set, set.pages / 2);
	set_check(&set);
	stats = vm_stats();
	EXPECT(stats.v_swappgsout >= set.pages - stats.v_page_count);
	EXPECT(stats.v_swappgsin > 0 && stats.v_dfree > 0);
	ASSERT(!bsdvm_munmap(set.map, set.pages * PAGE));
	EXPECT_EQ(vm_stats().v_swap_inuse, 0);
}

static void process(uint64_t seed)
{
	struct set set = set_new(2 * pool(), seed);
	size_t i;

	for (i = 0; i < set.pages; i++)
		set_touch(&set, i);
	set_churn(&set, set.pages / 2);
	set_check(&set);
	harness_exit();
}

static void expect_success(pid_t pid)
{
	int status;

	ASSERT(waitpid(pid, &status, 0) == pid);
	EXPECT(WIFEXITED(status) && !WEXITSTATUS(status));
}

TEST_LIMIT(two_processes_of_twice_the_pool, 600)
{
	pid_t pid[2];
	int i;

	for (i = 0; i < 2; i++) {
		pid[i] = fork();
		ASSERT(pid[i] >= 0);
		if (!pid[i])
			process(i + 1);
	}
	for (i = 0; i < 2; i++)
		expect_success(pid[i]);
}

/* Every process of the tree writes to what it inherits, and sees its own. */
static void tree(struct set *set, int depth)
{
	pid_t pid[2];
	int i, children = depth ? 2 : 0;

	for (i = 0; i < children; i++) {
		set_churn(set, set->pages / 8);
		pid[i] = fork();
		ASSERT(pid[i] >= 0);
		if (!pid[i]) {
			set->seed += 2 * depth + i;
			tree(set, depth - 1);
			harness_exit();
		}
	}
	set_churn(set, set->pages / 4);
	set_check(set);
	for (i = 0; i < children; i++)
		expect_success(pid[i]);
	set_check(set);
}

TEST_LIMIT(a_tree_of_forks, 900)
{
	/* Fifteen processes that each write a third of it anew. */
	struct set set = set_new(pool() / 2, 3);
	size_t i;

	for (i = 0; i < set.pages; i++)
		set_touch(&set, i);
	tree(&set, 3);
	ASSERT(!bsdvm_munmap(set.map, set.pages * PAGE));
	EXPECT_EQ(vm_stats().v_swap_inuse, 0);
}

TEST_LIMIT(shared_memory_of_thrice_the_pool, 600)
{
	size_t pages = 3 * pool(), i;
	char *map = vm_anon_flags(pages, BSDVM_MAP_ANON | BSDVM_MAP_SHARED);
	pid_t pid;

	for (i = 0; i < pages; i++)
		page_write(map + i * PAGE, i, 1);
	pid = fork();
	ASSERT(pid >= 0);
	if (!pid) {
		for (i = 0; i < pages; i++) {
			ASSERT(page_right(map + i * PAGE, i, 1));
			page_write(map + i * PAGE, i, 2);
		}
		harness_exit();
	}
	expect_success(pid);
	for (i = 0; i < pages; i++)
		ASSERT(page_right(map + i * PAGE, i, 2));
}

/* What is only read is written once, and dropped as often as memory is short. */
TEST_LIMIT(reading_writes_nothing, 300)
{
	size_t pages = 2 * pool(), i, round;
	char *map = vm_anon(pages);
	uint64_t out, in;

	ASSERT(!bsdvm_sysctl_set("vm.background_launder_rate", 0));
	for (i = 0; i < pages; i++)
		page_write(map + i * PAGE, i, 1);
	out = vm_stats().v_swappgsout;
	in = vm_stats().v_swappgsin;
	for (round = 0; round < 6; round++)
		for (i = 0; i < pages; i++)
			ASSERT(page_right(map + i * PAGE, i, 1));
	EXPECT(vm_stats().v_swappgsin - in >= 6 * (pages - pool()));
	/* What was dirty and resident is written while others are read back, but once. */
	EXPECT(vm_stats().v_swappgsout - out <= pool());
	ASSERT(!bsdvm_sysctl_set("vm.background_launder_rate", 4096));
}

static void press(size_t pages)
{
	char *map = vm_anon(pages);
	size_t i, round;

	for (round = 0; round < 2; round++)
		for (i = 0; i < pages; i++)
			map[i * PAGE]++;
	ASSERT(!bsdvm_munmap(map, pages * PAGE));
}

TEST_LIMIT(locked_memory_stays, 300)
{
	size_t pages = pool() / 4, i;
	char *map = vm_anon(pages), *vec = malloc(pages);
	struct bsdvm_rusage before, after;

	memset(map, 'l', pages * PAGE);
	ASSERT(!bsdvm_mlock(map, pages * PAGE));
	press(2 * pool());
	ASSERT(!bsdvm_rusage(0, &before));
	ASSERT(!bsdvm_mincore(map, pages * PAGE, vec));
	for (i = 0; i < pages; i++)
		ASSERT(vec[i] & BSDVM_MINCORE_INCORE);
	EXPECT(vm_all(map, pages * PAGE, 'l'));
	ASSERT(!bsdvm_rusage(0, &after));
	EXPECT_EQ(after.ru_majflt, before.ru_majflt);
}

/* MADV_FREE: gone first, and never written. */
TEST_LIMIT(what_is_given_up_goes_first, 300)
{
	size_t pages = pool() / 2, i, gone = 0;
	char *map = vm_anon(pages), *other;
	uint64_t out;

	memset(map, 'f', pages * PAGE);
	ASSERT(!bsdvm_madvise(map, pages * PAGE, BSDVM_MADV_FREE));
	out = vm_stats().v_swappgsout;
	other = vm_anon(3 * pool() / 4);
	for (i = 0; i < 3 * pool() / 4; i++)
		other[i * PAGE] = 'o';
	EXPECT_EQ(vm_stats().v_swappgsout, out);
	for (i = 0; i < pages; i++) {
		ASSERT(map[i * PAGE] == 'f' || !map[i * PAGE]);
		gone += !map[i * PAGE];
	}
	EXPECT(gone > 0);
}

static double pages_per_pagein(char *map, size_t pages, int advice)
{
	struct bsdvm_stats before, after;
	size_t i;

	for (i = 0; i < pages; i++)
		page_write(map + i * PAGE, i, 1);
	press(3 * pool() / 2);
	ASSERT(!bsdvm_madvise(map, pages * PAGE, advice));
	before = vm_stats();
	for (i = 0; i < pages; i++)
		ASSERT(page_right(map + i * PAGE, i, 1));
	after = vm_stats();
	ASSERT(after.v_swapin > before.v_swapin);
	return (double)(after.v_swappgsin - before.v_swappgsin) /
	       (after.v_swapin - before.v_swapin);
}

TEST_LIMIT(advice_says_how_much_comes_at_once, 300)
{
	size_t pages = pool() / 4;
	char *map = vm_anon(pages);

	EXPECT(pages_per_pagein(map, pages, BSDVM_MADV_RANDOM) < 1.01);
	EXPECT(pages_per_pagein(map, pages, BSDVM_MADV_NORMAL) > 2);
	EXPECT(pages_per_pagein(map, pages, BSDVM_MADV_SEQUENTIAL) > 4);
}

/*
 * What is used all the time stays while much more goes by once: chance alone would take
 * each page of it three times.
 */
TEST_LIMIT(a_hot_set_stays, 300)
{
	size_t hot = pool() / 8, cold = 3 * pool(), i, j;
	char *map = vm_anon(hot), *stream = vm_anon(cold);
	struct bsdvm_rusage before, after;

	memset(map, 'h', hot * PAGE);
	ASSERT(!bsdvm_rusage(0, &before));
	for (i = 0; i < cold; i++) {
		stream[i * PAGE] = 'c';
		if (i % 16 == 0)
			for (j = 0; j < hot; j++)
				ASSERT(map[j * PAGE] == 'h');
	}
	ASSERT(!bsdvm_rusage(0, &after));
	EXPECT(after.ru_majflt - before.ru_majflt < hot);
	EXPECT(vm_stats().v_swappgsout > cold / 2);
}

static void expect_thresholds(uint64_t n)
{
	const struct bsdvm_stats s = vm_stats();
	const uint64_t min = 4 + (n - 1024) / 200;

	EXPECT_EQ(s.v_interrupt_free_min, 2);
	EXPECT_EQ(s.v_pageout_free_min, 34);
	EXPECT_EQ(s.v_free_reserved, 32 + 34 + n / 768);
	EXPECT_EQ(s.v_free_severe, min / 2 + s.v_free_reserved);
	EXPECT_EQ(s.v_free_target, 4 * min + s.v_free_reserved);
	EXPECT_EQ(s.v_free_min, min + s.v_free_reserved);
	EXPECT_EQ(s.v_inactive_target, 3 * s.v_free_target / 2);
}

TEST_LIMIT(the_daemon_keeps_its_target, 120)
{
	uint64_t wakeups = vm_stats().v_pdwakeups;
	size_t pages = 2 * pool(), i;
	char *map = vm_anon(pages);
	struct bsdvm_stats stats;
	int tries = 100;

	expect_thresholds(pool());
	for (i = 0; i < pages; i++)
		map[i * PAGE] = 'x';
	do {
		usleep(20 * 1000);
		stats = vm_stats();
	} while (stats.v_free_count < stats.v_free_min && --tries);
	EXPECT(stats.v_free_count >= stats.v_free_min);
	EXPECT(stats.v_pdwakeups > wakeups);
	EXPECT(stats.v_pdpages > 0);
}
