// SPDX-License-Identifier: BSD-2-Clause
/*
 * Where all the pages are: what is held, in memory and in swap, is what somebody can
 * reach, whatever was forked, paged and killed before. Runs with a pool of 8 MiB, to be
 * run alone.
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

/* Rounds of parent and child, and the pages they share. */
#define ROUNDS 1000
#define SHARED 64

/* What pages and slots hold of it; those that are in both places count once. */
static uint64_t held(void)
{
	const struct bsdvm_stats s = vm_stats();

	return s.v_page_count - vm_free_of(s) + s.v_swap_inuse;
}

/* Objects and pages that go a moment later than their process. */
static uint64_t settled(uint64_t (*gauge)(void), uint64_t want)
{
	int tries = 500;

	while (gauge() != want && --tries)
		usleep(10 * 1000);
	return gauge();
}

static uint64_t swap_used(void)
{
	return vm_stats().v_swap_inuse;
}

static uint64_t objects(void)
{
	return vm_stats().o_count;
}

/* A process that keeps memory short, until it is killed. */
static pid_t presser(void)
{
	size_t pages = 2 * vm_stats().v_page_count, i;
	pid_t pid = fork();
	char *map;

	ASSERT(pid >= 0);
	if (pid)
		return pid;
	map = vm_anon(pages);
	for (i = 0;; i++)
		map[i % pages * PAGE]++;
}

static void end(pid_t pid)
{
	int status;

	ASSERT(!kill(pid, SIGKILL));
	ASSERT(waitpid(pid, &status, 0) == pid);
}

/*
 * Parent and child in turn fork, write some of the pages, and exit: UVM's case of swap
 * that leaked. Each page has one owner in the end.
 */
TEST_LIMIT(a_thousand_forks_hold_what_can_be_reached, 900)
{
	uint64_t objs = objects(), start = held();
	char *map = vm_anon(SHARED), *vec = malloc(SHARED);
	pid_t press, pid;
	size_t i, resident = 0;
	int round, status;

	memset(map, 'a', SHARED * PAGE);
	press = presser();
	for (round = 0; round < ROUNDS; round++) {
		pid = fork();
		ASSERT(pid >= 0);
		if (!pid) {
			for (i = round % 3; i < SHARED; i += 3)
				map[i * PAGE + 1]++;
			for (i = 0; i < SHARED; i++)
				if (map[i * PAGE] != 'a')
					_exit(1);
			_exit(0);
		}
		for (i = round % 5; i < SHARED; i += 5)
			map[i * PAGE + 2]++;
		ASSERT(waitpid(pid, &status, 0) == pid);
		ASSERT(WIFEXITED(status) && !WEXITSTATUS(status));
	}
	end(press);
	/* Bring all of it in, and write it, so that nothing is in two places. */
	for (i = 0; i < SHARED; i++) {
		ASSERT(map[i * PAGE] == 'a' && map[i * PAGE + 1] == 'a');
		map[i * PAGE + 3] = 'w';
	}
	EXPECT_EQ(settled(held, start + SHARED), start + SHARED);
	EXPECT_EQ(settled(swap_used, 0), 0);
	ASSERT(!bsdvm_mincore(map, SHARED * PAGE, vec));
	for (i = 0; i < SHARED; i++)
		resident += vec[i] & BSDVM_MINCORE_INCORE;
	EXPECT_EQ(resident, SHARED);
	/* The chain is as short as it can be. */
	EXPECT(settled(objects, objs + 1) <= objs + 2);
	ASSERT(!bsdvm_munmap(map, SHARED * PAGE));
	EXPECT_EQ(settled(held, start), start);
	EXPECT_EQ(settled(objects, objs), objs);
}

/* The same, left in swap: the slots are those of the pages that are not in memory. */
TEST_LIMIT(slots_are_of_pages_that_are_not_in_memory, 300)
{
	size_t pages = 512, i, out = 0;
	char *map = vm_anon(pages), *vec = malloc(pages);
	pid_t pid, press;
	int status, round;

	memset(map, 'b', pages * PAGE);
	press = presser();
	for (round = 0; round < 20; round++) {
		pid = fork();
		ASSERT(pid >= 0);
		if (!pid) {
			for (i = 0; i < pages; i += 2)
				map[i * PAGE]++;
			_exit(0);
		}
		for (i = round % 2; i < pages; i += 2)
			map[i * PAGE + 1]++;
		ASSERT(waitpid(pid, &status, 0) == pid);
	}
	/* Until it is mostly out. */
	for (round = 0; round < 500 && out < pages / 2; round++) {
		usleep(20 * 1000);
		ASSERT(!bsdvm_mincore(map, pages * PAGE, vec));
		for (i = out = 0; i < pages; i++)
			out += !(vec[i] & BSDVM_MINCORE_INCORE);
	}
	EXPECT(out >= pages / 2);
	end(press);
	/* Whatever is in swap now is of these pages, once each. */
	EXPECT(settled(swap_used, 0) <= pages);
	EXPECT(swap_used() > 0);
	for (i = 0; i < pages; i++)
		ASSERT(map[i * PAGE] == 'b');
	ASSERT(!bsdvm_munmap(map, pages * PAGE));
	EXPECT_EQ(settled(swap_used, 0), 0);
}

static void heavy(void)
{
	size_t pages = 2 * vm_stats().v_page_count, i, round;
	char *map = vm_anon(pages);

	for (round = 0;; round++) {
		if (round == 1 && fork() < 0)
			_exit(1);
		for (i = 0; i < pages; i += 1 + round % 3)
			map[i * PAGE] = (char)(i + round);
	}
}

TEST_LIMIT(killed_while_paging, 300)
{
	uint64_t objs = objects(), start = held();
	int round, i;
	pid_t pid[2];

	for (round = 0; round < 12; round++) {
		for (i = 0; i < 2; i++) {
			pid[i] = fork();
			ASSERT(pid[i] >= 0);
			if (!pid[i]) {
				setpgid(0, 0);
				heavy();
			}
		}
		usleep((100 + 37 * round) * 1000);
		for (i = 0; i < 2; i++) {
			setpgid(pid[i], pid[i]);
			kill(-pid[i], SIGKILL);
			kill(pid[i], SIGKILL);
			ASSERT(waitpid(pid[i], NULL, 0) == pid[i]);
		}
	}
	EXPECT_EQ(settled(swap_used, 0), 0);
	EXPECT_EQ(settled(held, start), start);
	EXPECT_EQ(settled(objects, objs), objs);
}
