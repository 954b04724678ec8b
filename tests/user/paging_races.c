// SPDX-License-Identifier: BSD-2-Clause
/*
 * Page-out beside everything that changes a map. Runs with a pool of 8 MiB, to be run
 * alone; each test for some seconds.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "vm.h"

#define ROUNDS_MIN 4
#define SECONDS	   5
/* Pages of what is worked on. */
#define PAGES	   256

static double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec + ts.tv_nsec / 1e9;
}

/* Keeps memory short. */
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
	ASSERT(!kill(pid, SIGKILL));
	ASSERT(waitpid(pid, NULL, 0) == pid);
}

static void fill(char *map, size_t pages, char byte)
{
	size_t i;

	for (i = 0; i < pages; i++) {
		map[i * PAGE] = byte;
		map[(i + 1) * PAGE - 1] = byte;
	}
}

static bool filled(const char *map, size_t pages, char byte)
{
	size_t i;

	for (i = 0; i < pages; i++)
		if (map[i * PAGE] != byte || map[(i + 1) * PAGE - 1] != byte)
			return false;
	return true;
}

/* Do it again and again on fresh memory, some times at least, while pages come and go. */
static void beside_pageout(void (*operation)(char *map, unsigned int round))
{
	const double until = now() + SECONDS;
	pid_t press = presser();
	unsigned int round;
	char *map;

	for (round = 0; round < ROUNDS_MIN || now() < until; round++) {
		map = vm_anon(PAGES);
		fill(map, PAGES, 'a' + round % 26);
		operation(map, round);
		ASSERT(!bsdvm_munmap(map, PAGES * PAGE));
	}
	end(press);
}

static void expect_child(pid_t pid)
{
	int status;

	ASSERT(waitpid(pid, &status, 0) == pid);
	ASSERT(WIFEXITED(status) && !WEXITSTATUS(status));
}

static void fork_and_write(char *map, unsigned int round)
{
	const char was = 'a' + round % 26;
	pid_t pid = fork();

	ASSERT(pid >= 0);
	if (!pid) {
		ASSERT(filled(map, PAGES, was));
		fill(map, PAGES / 2, 'C');
		ASSERT(filled(map, PAGES / 2, 'C'));
		ASSERT(filled(map + PAGES / 2 * PAGE, PAGES / 2, was));
		_exit(0);
	}
	fill(map + PAGES / 4 * PAGE, PAGES / 2, 'P');
	ASSERT(filled(map, PAGES / 4, was));
	ASSERT(filled(map + PAGES / 4 * PAGE, PAGES / 2, 'P'));
	expect_child(pid);
	ASSERT(filled(map, PAGES / 4, was));
}

TEST_LIMIT(pageout_against_fork, 120)
{
	beside_pageout(fork_and_write);
}

static void cut_and_fill(char *map, unsigned int round)
{
	char *hole = map + PAGES / 4 * PAGE;

	ASSERT(!bsdvm_munmap(hole, PAGES / 4 * PAGE));
	ASSERT(bsdvm_mmap(hole, PAGES / 4 * PAGE, RW, ANON | BSDVM_MAP_FIXED,
			  -1, 0) == hole);
	/* Nothing of what was there shows again. */
	ASSERT(filled(hole, PAGES / 4, 0));
	ASSERT(filled(map, PAGES / 4, 'a' + round % 26));
	ASSERT(filled(map + PAGES / 2 * PAGE, PAGES / 2, 'a' + round % 26));
}

TEST_LIMIT(pageout_against_munmap, 120)
{
	beside_pageout(cut_and_fill);
}

static void protect(char *map, unsigned int round)
{
	const char was = 'a' + round % 26;

	ASSERT(!bsdvm_mprotect(map, PAGES / 2 * PAGE, BSDVM_PROT_READ));
	EXPECT_FAULT(vm_write(map, 'x'), SIGSEGV, SEGV_ACCERR, map);
	ASSERT(filled(map, PAGES, was));
	ASSERT(!bsdvm_mprotect(map, PAGES / 2 * PAGE, BSDVM_PROT_NONE));
	ASSERT(!bsdvm_mprotect(map, PAGES * PAGE, RW));
	ASSERT(filled(map, PAGES, was));
}

TEST_LIMIT(pageout_against_mprotect, 120)
{
	beside_pageout(protect);
}

static void lock(char *map, unsigned int round)
{
	char vec[PAGES];
	size_t i;

	ASSERT(!bsdvm_mlock(map, PAGES * PAGE));
	ASSERT(!bsdvm_mincore(map, PAGES * PAGE, vec));
	for (i = 0; i < PAGES; i++)
		ASSERT(vec[i] & BSDVM_MINCORE_INCORE);
	ASSERT(filled(map, PAGES, 'a' + round % 26));
	/* A child's are copies, which need not stay. */
	if (round % 4 == 0)
		fork_and_write(map, round);
	ASSERT(!bsdvm_munlock(map, PAGES * PAGE));
	if (round % 4)
		ASSERT(filled(map, PAGES, 'a' + round % 26));
}

TEST_LIMIT(pageout_against_mlock, 120)
{
	beside_pageout(lock);
}

static void sync_file(char *map, unsigned int round)
{
	int fd = vm_file("/mnt/ext4", PAGES * PAGE);
	char *file =
		bsdvm_mmap(NULL, PAGES * PAGE, RW, BSDVM_MAP_SHARED, fd, 0);
	size_t i;

	ASSERT(file != BSDVM_MAP_FAILED);
	memcpy(file, map, PAGES * PAGE);
	ASSERT(!bsdvm_msync(file, PAGES * PAGE, BSDVM_MS_SYNC));
	for (i = 0; i < PAGES; i += 16)
		ASSERT(vm_file_read(fd, i * PAGE) == 'a' + (int)(round % 26));
	ASSERT(filled(file, PAGES, 'a' + round % 26));
	ASSERT(!bsdvm_munmap(file, PAGES * PAGE));
	close(fd);
}

TEST_LIMIT(pageout_against_msync, 120)
{
	beside_pageout(sync_file);
}

static void inherit(char *map, unsigned int round)
{
	const char was = 'a' + round % 26;
	const size_t quarter = PAGES / 4 * PAGE;
	pid_t pid;

	ASSERT(!bsdvm_minherit(map, quarter, BSDVM_INHERIT_SHARE));
	ASSERT(!bsdvm_minherit(map + quarter, quarter, BSDVM_INHERIT_ZERO));
	ASSERT(!bsdvm_minherit(map + 2 * quarter, quarter, BSDVM_INHERIT_NONE));
	pid = fork();
	ASSERT(pid >= 0);
	if (!pid) {
		ASSERT(filled(map, PAGES / 4, was));
		ASSERT(filled(map + quarter, PAGES / 4, 0));
		ASSERT(filled(map + 3 * quarter, PAGES / 4, was));
		fill(map, PAGES / 4, 'S');
		fill(map + 3 * quarter, PAGES / 4, 'C');
		_exit(0);
	}
	expect_child(pid);
	ASSERT(filled(map, PAGES / 4, 'S'));
	ASSERT(filled(map + quarter, 3 * PAGES / 4, was));
}

TEST_LIMIT(pageout_against_minherit, 120)
{
	beside_pageout(inherit);
}

static void move(char *map, unsigned int round)
{
	char *to;

	to = bsdvm_mremap(map, PAGES * PAGE, NULL, 2 * PAGES * PAGE, 0);
	ASSERT(to != BSDVM_MAP_FAILED);
	ASSERT(filled(to, PAGES, 'a' + round % 26));
	ASSERT(filled(to + PAGES * PAGE, PAGES, 0));
	ASSERT(!bsdvm_munmap(to, 2 * PAGES * PAGE));
}

TEST_LIMIT(pageout_against_mremap, 120)
{
	beside_pageout(move);
}

static void advise(char *map, unsigned int round)
{
	const char was = 'a' + round % 26;
	size_t i;

	ASSERT(!bsdvm_madvise(map, PAGES * PAGE, BSDVM_MADV_DONTNEED));
	ASSERT(filled(map, PAGES, was));
	ASSERT(!bsdvm_madvise(map, PAGES * PAGE, BSDVM_MADV_WILLNEED));
	ASSERT(!bsdvm_madvise(map, PAGES / 2 * PAGE, BSDVM_MADV_FREE));
	for (i = 0; i < PAGES / 2; i++)
		ASSERT(map[i * PAGE] == was || !map[i * PAGE]);
	fill(map, PAGES / 2, 'w');
	ASSERT(filled(map, PAGES / 2, 'w'));
	ASSERT(filled(map + PAGES / 2 * PAGE, PAGES / 2, was));
}

TEST_LIMIT(pageout_against_madvise, 120)
{
	beside_pageout(advise);
}

static void exit_in_the_midst(char *map, unsigned int round)
{
	pid_t pid = fork();

	ASSERT(pid >= 0);
	if (!pid) {
		fill(map, PAGES, 'X');
		_exit(0);
	}
	usleep(round % 7 * 1000);
	kill(pid, SIGKILL);
	ASSERT(waitpid(pid, NULL, 0) == pid);
	ASSERT(filled(map, PAGES, 'a' + round % 26));
}

TEST_LIMIT(pageout_against_exit, 120)
{
	beside_pageout(exit_in_the_midst);
}

/* Two threads of one process, on the same pages. */
static char *common;
static volatile bool stop;

static void *add(void *arg)
{
	const size_t offset = *(int *)arg * sizeof(uint64_t);
	uint64_t round;
	size_t i;

	for (round = 1; !stop; round++)
		for (i = 0; i < 8 * PAGES; i++) {
			uint64_t *word = (void *)(common + i * PAGE + offset);

			ASSERT(*word == round - 1);
			*word = round;
		}
	return NULL;
}

TEST_LIMIT(two_threads, 120)
{
	static int number[2] = { 0, 1 };
	pthread_t thread[2];
	pid_t press = presser();
	int i;

	common = vm_anon(8 * PAGES);
	for (i = 0; i < 2; i++)
		ASSERT(!pthread_create(&thread[i], NULL, add, &number[i]));
	sleep(SECONDS);
	stop = true;
	for (i = 0; i < 2; i++)
		pthread_join(thread[i], NULL);
	end(press);
}
