// SPDX-License-Identifier: BSD-2-Clause
/*
 * A pool without a free page. Runs with a pool of 16 MiB, that it fills; to be
 * run alone.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "vm.h"

static double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec + ts.tv_nsec / 1e9;
}

/* Twice as much memory as there is; @pages is filled with its pages. */
static char *map_too_much(size_t *pages)
{
	*pages = 2 * vm_stats().v_page_count;
	return vm_anon(*pages);
}

/*
 * Touch pages until the pool is empty, and the kernel has given up what it did not use
 * itself. Returns how many had one.
 */
static size_t take_all(char *map, size_t pages)
{
	size_t all = 0, done;
	int outcome;

	do {
		ASSERT(!bsdvm_fault(map + all, pages * PAGE - all,
				    BSDVM_PROT_WRITE, &done, &outcome));
		EXPECT_EQ(outcome, BSDVM_FAULT_SHORTAGE);
		all += done;
	} while (done);
	return all / PAGE;
}

/* The kernel's own killer, which must have nothing to do with our pool. */
static long oom_kills(void)
{
	FILE *file = fopen("/proc/vmstat", "r");
	long kills = -1;
	char line[128];

	ASSERT(file);
	while (fgets(line, sizeof(line), file))
		sscanf(line, "oom_kill %ld", &kills);
	fclose(file);
	return kills;
}

TEST(wanting_more_than_the_pool_is_sigbus_oomerr)
{
	const long kills = oom_kills();
	uint64_t before = vm_free_pages();
	size_t pages, i;
	char *map = map_too_much(&pages);
	struct vm_fault fault = { 0 };

	for (i = 0; i < pages && !fault.sig; i++)
		fault = vm_write(map + i * PAGE, 'x');
	i--;
	EXPECT_FAULT(fault, SIGBUS, BSDVM_BUS_OOMERR, map + i * PAGE);
	EXPECT(i <= before && i > before / 2);
	/* What was touched is there, and the program goes on. */
	EXPECT_EQ(map[0], 'x');
	EXPECT_EQ(map[(i - 1) * PAGE], 'x');
	ASSERT(!bsdvm_munmap(map, PAGE));
	EXPECT_NO_FAULT(vm_write(map + i * PAGE, 'x'));
	ASSERT(!bsdvm_munmap(map, pages * PAGE));
	EXPECT_EQ(vm_free_settles(before), before);
	EXPECT_EQ(oom_kills(), kills);
}

static char *spare;

static void free_spare(int sig)
{
	(void)sig;
	bsdvm_munmap(spare, PAGE);
}

TEST(a_handler_can_free_memory_and_go_on)
{
	size_t pages, held;
	char *map = map_too_much(&pages);

	spare = vm_anon(1);
	*spare = 'x';
	held = take_all(map, pages);
	signal(SIGBUS, free_spare);
	map[held * PAGE] = 'x';
	EXPECT_EQ(map[held * PAGE], 'x');
}

TEST(a_system_call_gets_efault_when_there_is_no_page)
{
	size_t pages, held;
	char *map = map_too_much(&pages);
	int pipes[2];

	ASSERT(!pipe(pipes));
	ASSERT(write(pipes[1], "abc", 3) == 3);
	held = take_all(map, pages);
	EXPECT_ERRNO(read(pipes[0], map + held * PAGE, 3), EFAULT);
	EXPECT_EQ(read(pipes[0], map, 3), 3);
}

TEST(a_child_can_read_what_it_inherits_when_there_is_no_page)
{
	size_t pages;
	char *map = map_too_much(&pages);
	pid_t child;

	map[0] = 'p';
	map[PAGE] = 'p';
	take_all(map, pages);
	child = harness_fork();
	if (!child) {
		EXPECT_EQ(map[0], 'p');
		EXPECT_FAULT(vm_write(map, 'c'), SIGBUS, BSDVM_BUS_OOMERR, map);
		EXPECT_EQ(map[0], 'p');
		harness_exit();
	}
	harness_join(child);
	/* Alone again: the pages are taken over, none is copied. */
	EXPECT_NO_FAULT(vm_write(map, 'q'));
	EXPECT_EQ(map[0], 'q');
}

/* A process that holds all memory until it is told to end. */
static pid_t start_hog(int *release)
{
	int ready[2], go[2];
	char byte;
	pid_t hog;

	ASSERT(!pipe(ready) && !pipe(go));
	hog = harness_fork();
	if (!hog) {
		size_t pages;
		char *map = map_too_much(&pages);

		close(go[1]);
		take_all(map, pages);
		ASSERT(write(ready[1], "", 1) == 1);
		EXPECT_EQ(read(go[0], &byte, 1), 0);
		harness_exit();
	}
	close(go[0]);
	ASSERT(read(ready[0], &byte, 1) == 1);
	*release = go[1];
	return hog;
}

TEST(a_waiting_fault_goes_on_when_another_process_frees)
{
	char *map = vm_anon(1);
	int release;
	pid_t hog = start_hog(&release), waiter;

	waiter = harness_fork();
	if (!waiter) {
		close(release);
		EXPECT_NO_FAULT(vm_write(map, 'x'));
		EXPECT_EQ(*map, 'x');
		harness_exit();
	}
	/* It has begun to wait by now. */
	usleep(300 * 1000);
	close(release);
	harness_join(hog);
	harness_join(waiter);
}

/* Seconds that a fault waits, so many that a slow machine is not taken for it. */
#define PATIENCE 50

TEST(a_killed_waiter_dies_promptly)
{
	char *map = vm_anon(1);
	uint64_t before = vm_free_pages(), wait;
	int release, status;
	pid_t hog = start_hog(&release), waiter;
	double killed;

	ASSERT(!bsdvm_sysctl_get("vm.pfault_oom_wait", &wait) &&
	       !bsdvm_sysctl_set("vm.pfault_oom_wait", PATIENCE));
	waiter = harness_fork();
	if (!waiter) {
		close(release);
		for (;;)
			vm_write(map, 'x');
	}
	usleep(300 * 1000);
	killed = now();
	EXPECT(!kill(waiter, SIGKILL));
	status = harness_wait(waiter);
	EXPECT(WIFSIGNALED(status));
	EXPECT_EQ(WTERMSIG(status), SIGKILL);
	EXPECT(now() - killed < PATIENCE / 2.);
	ASSERT(!bsdvm_sysctl_set("vm.pfault_oom_wait", wait));
	close(release);
	harness_join(hog);
	EXPECT_EQ(vm_free_settles(before), before);
}

static void *touch(void *addr)
{
	*(volatile char *)addr = 'x';
	return NULL;
}

TEST(the_window_can_go_while_a_thread_waits_in_it)
{
	uint64_t before = vm_free_pages();
	int release, status;
	pid_t hog = start_hog(&release), waiter;

	waiter = harness_fork();
	if (!waiter) {
		char *map = vm_anon(1), *start;
		pthread_t thread;
		size_t size;

		close(release);
		ASSERT(!bsdvm_window((void **)&start, &size));
		ASSERT(!pthread_create(&thread, NULL, touch, map));
		usleep(300 * 1000);
		EXPECT_ERRNO(munmap(start, size), 0);
		pthread_join(thread, NULL);
		harness_exit();
	}
	/* The thread finds a hole, or that there was no page. */
	status = harness_wait(waiter);
	EXPECT(WIFSIGNALED(status));
	EXPECT(WTERMSIG(status) == SIGSEGV || WTERMSIG(status) == SIGBUS);
	close(release);
	harness_join(hog);
	EXPECT_EQ(vm_free_settles(before), before);
}

TEST(a_killed_hog_gives_everything_back)
{
	uint64_t before = vm_free_pages();
	int release;
	pid_t hog = start_hog(&release);

	EXPECT(vm_stats().v_free_count <= vm_stats().v_free_reserved);
	EXPECT(!kill(hog, SIGKILL));
	harness_wait(hog);
	EXPECT_EQ(vm_free_settles(before), before);
}

/* Promises as large as can be, while nothing bounds them. */
TEST(what_one_promises_itself_is_not_taken_from_others)
{
	const off_t most = INT64_MAX;
	struct bsdvm_stats before = vm_stats();
	int fd[4];
	size_t i;

	for (i = 0; i < 4; i++) {
		fd[i] = bsdvm_shm_open(BSDVM_SHM_ANON_PATH, O_RDWR, 0600);
		ASSERT(fd[i] >= 0);
		EXPECT(!ftruncate(fd[i], most));
	}
	EXPECT(vm_stats().v_swap_reserved >= (uint64_t)most);
	EXPECT(vm_anon(1024));
	for (i = 0; i < 4; i++)
		close(fd[i]);
	EXPECT_EQ(vm_stats().v_swap_reserved,
		  before.v_swap_reserved + 1024 * PAGE);
}
