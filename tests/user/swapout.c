// SPDX-License-Identifier: BSD-2-Clause
/*
 * Whole processes that go out of memory, and come in again when they are touched. Runs
 * with a pool of 8 MiB, to be run alone.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "vm.h"

#define PAGES	 256
/* Seconds until an idle process must have gone out. */
#define PATIENCE 60

struct idler {
	pid_t pid;
	int ready;
	int go;
};

static void check(const char *map)
{
	size_t i;

	for (i = 0; i < PAGES; i++)
		ASSERT(vm_all(map + i * PAGE, PAGE, 'a' + i % 26));
}

static void idle(int ready, int go)
{
	char *map = vm_anon(PAGES), c = 0;
	struct bsdvm_rusage usage;
	int status;
	size_t i;
	pid_t pid;

	for (i = 0; i < PAGES; i++)
		memset(map + i * PAGE, 'a' + i % 26, PAGE);
	ASSERT(write(ready, &c, 1) == 1);
	ASSERT(read(go, &c, 1) == 1);
	if (c == 'f') {
		/* Fork while it is out, and look at it from both sides. */
		pid = fork();
		ASSERT(pid >= 0);
		check(map);
		if (!pid)
			_exit(0);
		ASSERT(waitpid(pid, &status, 0) == pid);
		ASSERT(WIFEXITED(status) && !WEXITSTATUS(status));
	}
	check(map);
	ASSERT(!bsdvm_rusage(0, &usage));
	_exit(usage.ru_nswap ? 0 : 3);
}

static struct idler idler_new(void)
{
	int ready[2], go[2];
	struct idler idler;
	char c;

	ASSERT(!pipe(ready) && !pipe(go));
	idler.pid = fork();
	ASSERT(idler.pid >= 0);
	if (!idler.pid)
		idle(ready[1], go[0]);
	ASSERT(read(ready[0], &c, 1) == 1);
	idler.ready = ready[0];
	idler.go = go[1];
	return idler;
}

static void expect_fine(struct idler *idler, char how)
{
	int status;

	ASSERT(write(idler->go, &how, 1) == 1);
	ASSERT(waitpid(idler->pid, &status, 0) == idler->pid);
	EXPECT(WIFEXITED(status) && !WEXITSTATUS(status));
}

static double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec + ts.tv_nsec / 1e9;
}

/* Want much more memory than there is, until @count more vmspaces have gone out. */
static void press_until_out(uint64_t count)
{
	size_t pages = 3 * vm_stats().v_page_count, i;
	uint64_t want = vm_stats().v_vmspace_swapout + count;
	double end = now() + PATIENCE;
	char *map = vm_anon(pages);

	for (i = 0; vm_stats().v_vmspace_swapout < want && now() < end; i++)
		map[i % pages * PAGE]++;
	EXPECT(vm_stats().v_vmspace_swapout >= want);
	ASSERT(!bsdvm_munmap(map, pages * PAGE));
}

static void tune(void)
{
	ASSERT(!bsdvm_sysctl_set("vm.swap_idle_threshold1", 1));
	ASSERT(!bsdvm_sysctl_set("vm.swap_idle_threshold2", 1));
}

TEST(an_idle_process_goes_out_and_comes_back)
{
	uint64_t in = vm_stats().v_vmspace_swapin;
	struct idler idler = idler_new();

	tune();
	press_until_out(1);
	EXPECT_EQ(vm_stats().v_vmspaces_out, 1);
	expect_fine(&idler, 'c');
	EXPECT_EQ(vm_stats().v_vmspaces_out, 0);
	EXPECT_EQ(vm_stats().v_vmspace_swapin, in + 1);
}

TEST(several_come_back_beside_each_other)
{
	struct idler idlers[3];
	char c = 'c';
	int status;
	size_t i;

	for (i = 0; i < 3; i++)
		idlers[i] = idler_new();
	tune();
	press_until_out(3);
	for (i = 0; i < 3; i++)
		ASSERT(write(idlers[i].go, &c, 1) == 1);
	for (i = 0; i < 3; i++) {
		ASSERT(waitpid(idlers[i].pid, &status, 0) == idlers[i].pid);
		EXPECT(WIFEXITED(status) && !WEXITSTATUS(status));
	}
	EXPECT_EQ(vm_stats().v_vmspaces_out, 0);
}

TEST(a_process_that_is_out_can_be_killed)
{
	uint64_t before = vm_free_pages();
	struct idler idler = idler_new();
	int status;

	tune();
	press_until_out(1);
	ASSERT(!kill(idler.pid, SIGKILL));
	ASSERT(waitpid(idler.pid, &status, 0) == idler.pid);
	EXPECT(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
	EXPECT_EQ(vm_stats().v_vmspaces_out, 0);
	EXPECT_EQ(vm_free_settles(before), before);
}

TEST(a_process_that_is_out_can_fork)
{
	struct idler idler = idler_new();

	tune();
	press_until_out(1);
	expect_fine(&idler, 'f');
}

/* What is out is read by others as by itself. */
TEST(a_process_that_is_out_can_be_looked_at)
{
	struct idler idler = idler_new();
	struct bsdvm_rusage usage;

	tune();
	press_until_out(1);
	ASSERT(!bsdvm_rusage(idler.pid, &usage));
	EXPECT_EQ(usage.vm_rssize, 0);
	EXPECT(usage.ru_nswap >= 1);
	expect_fine(&idler, 'c');
}
