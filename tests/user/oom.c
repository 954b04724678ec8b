// SPDX-License-Identifier: BSD-2-Clause
/*
 * No memory left, and none to be had: the largest process goes. Runs with a pool of
 * 8 MiB and no swap, to be run alone.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "vm.h"

/* Pages of a process that nobody should take for the largest. */
#define SMALL 64

/* A child that has @pages and says so, and then waits until it is told to look. */
struct keeper {
	pid_t pid;
	int ready;
	int go;
};

static void keep(size_t pages, int ready, int go)
{
	char *map = vm_anon(pages), c = 0;
	size_t i;

	for (i = 0; i < pages; i++)
		memset(map + i * PAGE, 'a' + i % 26, PAGE);
	ASSERT(write(ready, &c, 1) == 1);
	ASSERT(read(go, &c, 1) == 1);
	for (i = 0; i < pages; i++)
		ASSERT(vm_all(map + i * PAGE, PAGE, 'a' + i % 26));
	_exit(0);
}

static struct keeper keeper_new(size_t pages)
{
	int ready[2], go[2];
	struct keeper k;
	char c;

	ASSERT(!pipe(ready) && !pipe(go));
	k.pid = fork();
	ASSERT(k.pid >= 0);
	if (!k.pid)
		keep(pages, ready[1], go[0]);
	ASSERT(read(ready[0], &c, 1) == 1);
	k.ready = ready[0];
	k.go = go[1];
	return k;
}

/* What it has is as it was. */
static void expect_kept(struct keeper *k)
{
	int status;
	char c = 0;

	ASSERT(write(k->go, &c, 1) == 1);
	ASSERT(waitpid(k->pid, &status, 0) == k->pid);
	EXPECT(WIFEXITED(status) && !WEXITSTATUS(status));
}

/* Touch more than there is. */
static void grow(void)
{
	size_t pages = 2 * vm_stats().v_page_count, i;
	char *map = vm_anon(pages);

	for (i = 0; i < pages; i++)
		map[i * PAGE] = 'x';
	_exit(0);
}

static int hog(bool protect)
{
	pid_t pid = fork();
	int status;

	ASSERT(pid >= 0);
	if (!pid) {
		if (protect)
			ASSERT(!bsdvm_madvise(vm_anon(1), PAGE,
					      BSDVM_MADV_PROTECT));
		grow();
	}
	ASSERT(waitpid(pid, &status, 0) == pid);
	return status;
}

TEST(the_largest_process_is_killed)
{
	uint64_t before = vm_free_pages(), kills = vm_stats().v_oom_kills;
	struct keeper k = keeper_new(SMALL);
	int status = hog(false);

	EXPECT(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
	EXPECT_EQ(vm_stats().v_oom_kills, kills + 1);
	expect_kept(&k);
	EXPECT_EQ(vm_free_settles(before), before);
}

TEST(who_waits_beside_the_largest_goes_on)
{
	struct keeper k = keeper_new(SMALL), other;
	pid_t pid = fork();
	int status;

	ASSERT(pid >= 0);
	if (!pid)
		grow();
	/* Takes its pages while there are none. */
	usleep(300 * 1000);
	other = keeper_new(SMALL);
	ASSERT(waitpid(pid, &status, 0) == pid);
	EXPECT(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
	expect_kept(&k);
	expect_kept(&other);
}

TEST(a_protected_process_is_not_killed)
{
	uint64_t kills = vm_stats().v_oom_kills;
	struct keeper k = keeper_new(8 * SMALL);
	int status = hog(true), other;

	/* First everybody else, then nobody is left, and it is told. */
	EXPECT(WIFSIGNALED(status) && WTERMSIG(status) == SIGBUS);
	ASSERT(waitpid(k.pid, &other, 0) == k.pid);
	EXPECT(WIFSIGNALED(other) && WTERMSIG(other) == SIGKILL);
	EXPECT(vm_stats().v_oom_kills > kills);
}

TEST(who_faults_is_told_when_nobody_may_be_killed)
{
	uint64_t kills = vm_stats().v_oom_kills;
	struct keeper k = keeper_new(SMALL);
	int status;

	ASSERT(!bsdvm_sysctl_set("vm.oom_kill", 0));
	status = hog(false);
	ASSERT(!bsdvm_sysctl_set("vm.oom_kill", 1));
	EXPECT(WIFSIGNALED(status) && WTERMSIG(status) == SIGBUS);
	EXPECT_EQ(vm_stats().v_oom_kills, kills);
	expect_kept(&k);
}

/* All but a few pages are somebody's, who wants no more: nobody is to go for that. */
TEST(who_has_all_but_wants_no_more_stays)
{
	uint64_t kills = vm_stats().v_oom_kills;
	struct bsdvm_stats s = vm_stats();
	struct keeper k = keeper_new(s.v_free_count - s.v_free_reserved - 4);

	EXPECT(vm_stats().v_free_count < s.v_free_min);
	sleep(4);
	EXPECT_EQ(vm_stats().v_oom_kills, kills);
	expect_kept(&k);
}

TEST(shared_memory_counts_for_who_maps_it)
{
	size_t pages = 2 * vm_stats().v_page_count, i;
	struct keeper k = keeper_new(SMALL);
	pid_t pid = fork();
	int status;
	char *map;

	ASSERT(pid >= 0);
	if (!pid) {
		map = vm_anon_flags(pages, BSDVM_MAP_ANON | BSDVM_MAP_SHARED);
		for (i = 0; i < pages; i++)
			map[i * PAGE] = 'x';
		_exit(0);
	}
	ASSERT(waitpid(pid, &status, 0) == pid);
	EXPECT(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
	expect_kept(&k);
}
