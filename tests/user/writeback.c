// SPDX-License-Identifier: BSD-2-Clause
/*
 * Stores to a shared mapping reach the file, however the mapping ends and whoever
 * writes back, drops or maps the same pages meanwhile.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "vm.h"

#define PAGES 64

/* Seconds that a race is given in each directory. */
#define RACE_SECONDS 2
/* However slow the machine is. */
#define ROUNDS_MIN   10

static char *map_shared(int fd, size_t pages)
{
	char *map = bsdvm_mmap(NULL, pages * PAGE, RW, BSDVM_MAP_SHARED, fd, 0);

	ASSERT(map != BSDVM_MAP_FAILED);
	return map;
}

/* A mapping of the whole file, with a store to each page of it. */
static char *map_and_store(int fd)
{
	char *map = map_shared(fd, PAGES);

	memset(map, 's', PAGES * PAGE);
	return map;
}

/* What map_and_store() stored is what read(2) sees. */
static void expect_stored(int fd)
{
	char *content = malloc(PAGES * PAGE);

	ASSERT(content);
	ASSERT(pread(fd, content, PAGES * PAGE, 0) == (ssize_t)(PAGES * PAGE));
	EXPECT(vm_all(content, PAGES * PAGE, 's'));
	free(content);
}

/* --- the last mapping goes with its process or with the window */

static void forbid(int resource)
{
	const struct rlimit none = { 0, 0 };

	ASSERT(!setrlimit(resource, &none));
}

TEST_FILES(stores_of_a_killed_process_reach_the_file)
{
	int fd = vm_file(dir, PAGES * PAGE), ready[2];
	pid_t child;
	char byte;

	ASSERT(!pipe(ready));
	child = harness_fork();
	if (!child) {
		map_and_store(fd);
		ASSERT(write(ready[1], "", 1) == 1);
		pause();
	}
	ASSERT(read(ready[0], &byte, 1) == 1);
	EXPECT(!kill(child, SIGKILL));
	EXPECT_EQ(WTERMSIG(harness_wait(child)), SIGKILL);
	expect_stored(fd);
}

TEST_FILES(stores_of_a_process_killed_while_it_unmaps_reach_the_file)
{
	int ready[2], i;
	char byte;

	ASSERT(!pipe(ready));
	for (i = 0; i < 10; i++) {
		int fd = vm_file(dir, PAGES * PAGE);
		pid_t child = harness_fork();

		if (!child) {
			char *map = map_and_store(fd);

			ASSERT(write(ready[1], "", 1) == 1);
			bsdvm_munmap(map, PAGES * PAGE);
			pause();
		}
		ASSERT(read(ready[0], &byte, 1) == 1);
		usleep(i * 200);
		EXPECT(!kill(child, SIGKILL));
		EXPECT_EQ(WTERMSIG(harness_wait(child)), SIGKILL);
		expect_stored(fd);
		close(fd);
	}
}

TEST_FILES(stores_of_a_crashed_process_reach_the_file)
{
	int fd = vm_file(dir, PAGES * PAGE);
	pid_t child = harness_fork();

	if (!child) {
		char *map = map_and_store(fd);

		forbid(RLIMIT_CORE);
		/* A hole. */
		*(volatile char *)(map + PAGES * PAGE) = 'x';
		harness_exit();
	}
	EXPECT_EQ(WTERMSIG(harness_wait(child)), SIGSEGV);
	expect_stored(fd);
}

/* The limit is for the files that a process writes, not for those it unmaps. */
TEST_FILES(stores_reach_the_file_whatever_the_file_size_limit_is)
{
	int fd = vm_file(dir, PAGES * PAGE);
	pid_t child = harness_fork();

	if (!child) {
		char *map = map_and_store(fd);

		forbid(RLIMIT_FSIZE);
		EXPECT_ERRNO(bsdvm_munmap(map, PAGES * PAGE), 0);
		expect_stored(fd);
		harness_exit();
	}
	harness_join(child);

	fd = vm_file(dir, PAGES * PAGE);
	child = harness_fork();
	if (!child) {
		map_and_store(fd);
		forbid(RLIMIT_FSIZE);
		harness_exit();
	}
	harness_join(child);
	expect_stored(fd);
}

TEST_FILES(stores_reach_the_file_when_the_window_is_unmapped)
{
	int fd = vm_file(dir, PAGES * PAGE);
	pid_t child = harness_fork();
	void *start;
	size_t size;

	if (!child) {
		map_and_store(fd);
		ASSERT(!bsdvm_window(&start, &size));
		ASSERT(!munmap(start, size));
		expect_stored(fd);
		harness_exit();
	}
	harness_join(child);
	expect_stored(fd);
}

TEST_FILES(stores_reach_the_file_when_the_process_executes_another_program)
{
	static char *argv[] = { "/bin/cat", NULL };
	int fd = vm_file(dir, PAGES * PAGE), in[2];
	pid_t child;

	ASSERT(!pipe2(in, O_CLOEXEC));
	child = harness_fork();
	if (!child) {
		dup2(in[0], 0);
		map_and_store(fd);
		execv(argv[0], argv);
		ASSERT(false);
	}
	close(in[1]);
	EXPECT_EQ(harness_wait(child), 0);
	expect_stored(fd);
}

/* --- races between processes */

/* Linux memory that the processes share. */
struct common {
	atomic_int stored;
	atomic_int checked;
	atomic_bool stop;
};

static struct common *common;

static void race_begin(void)
{
	common = mmap(NULL, sizeof(*common), PROT_READ | PROT_WRITE,
		      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	ASSERT(common != MAP_FAILED);
}

static void pin(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	ASSERT(!sched_setaffinity(0, sizeof(set), &set));
}

static double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec + ts.tv_nsec / 1e9;
}

/* Wait until @counter reaches @round; false when the race is over. */
static bool wait_for(atomic_int *counter, int round)
{
	while (atomic_load(counter) < round) {
		if (atomic_load(&common->stop))
			return false;
		sched_yield();
	}
	return true;
}

static int *number_at(char *map, size_t page)
{
	return (int *)(map + page * PAGE);
}

static void expect_numbers(const char *file, int line, char *map, size_t pages,
			   int least)
{
	size_t i;

	for (i = 0; i < pages; i++) {
		const int got = *(volatile int *)number_at(map, i);

		if (got < least)
			harness_fail(file, line, "page %zu has %d, not %d", i,
				     got, least);
	}
}

#define NUMBERS 32

/* Maps the file while the other unmaps it, and so writes it back. */
static void map_and_check(int fd)
{
	int round;

	pin(1);
	for (round = 1; wait_for(&common->stored, round); round++) {
		char *map = map_shared(fd, NUMBERS);

		expect_numbers(__FILE__, __LINE__, map, NUMBERS, round);
		ASSERT(!bsdvm_munmap(map, NUMBERS * PAGE));
		atomic_store(&common->checked, round);
	}
}

TEST_FILES(who_maps_a_file_sees_what_is_still_being_written_back)
{
	const double end = now() + RACE_SECONDS;
	int fd = vm_file(dir, NUMBERS * PAGE), round;
	pid_t child;
	size_t i;

	race_begin();
	child = harness_fork();
	if (!child) {
		map_and_check(fd);
		harness_exit();
	}
	pin(0);
	for (round = 1; round <= ROUNDS_MIN || now() < end; round++) {
		char *map = map_shared(fd, NUMBERS);

		for (i = 0; i < NUMBERS; i++)
			*number_at(map, i) = round;
		atomic_store(&common->stored, round);
		ASSERT(!bsdvm_munmap(map, NUMBERS * PAGE));
		if (!wait_for(&common->checked, round))
			break;
	}
	atomic_store(&common->stop, true);
	harness_join(child);
	EXPECT(round > ROUNDS_MIN);
}

/* Drops pages as soon as they are clean, and looks at what comes back. */
static void invalidate_and_check(int fd)
{
	char *map = map_shared(fd, NUMBERS);

	pin(1);
	while (!atomic_load(&common->stop)) {
		int stored;

		EXPECT_ERRNO(bsdvm_msync(map, NUMBERS * PAGE,
					 BSDVM_MS_INVALIDATE),
			     0);
		stored = atomic_load(&common->stored);
		expect_numbers(__FILE__, __LINE__, map, NUMBERS, stored);
	}
}

TEST_FILES(invalidating_loses_no_store_while_another_process_syncs)
{
	const double end = now() + RACE_SECONDS;
	int fd = vm_file(dir, NUMBERS * PAGE), round;
	char *map = map_shared(fd, NUMBERS);
	pid_t child;
	size_t i;

	race_begin();
	for (i = 0; i < NUMBERS; i++)
		*number_at(map, i) = 0;
	child = harness_fork();
	if (!child) {
		invalidate_and_check(fd);
		harness_exit();
	}
	pin(0);
	for (round = 1; round <= ROUNDS_MIN || now() < end; round++) {
		for (i = 0; i < NUMBERS; i++)
			*number_at(map, i) = round;
		atomic_store(&common->stored, round);
		expect_numbers(__FILE__, __LINE__, map, NUMBERS, round);
		/* Now and then leave it to the other. */
		if (round % 4)
			EXPECT_ERRNO(bsdvm_msync(map, NUMBERS * PAGE,
						 round % 2 ? BSDVM_MS_SYNC :
							     BSDVM_MS_ASYNC),
				     0);
		expect_numbers(__FILE__, __LINE__, map, NUMBERS, round);
	}
	atomic_store(&common->stop, true);
	harness_join(child);
	EXPECT(round > ROUNDS_MIN);
	ASSERT(!bsdvm_munmap(map, NUMBERS * PAGE));
	EXPECT_EQ(vm_file_read(fd, 0), (round - 1) & 0xff);
}
