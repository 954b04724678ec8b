// SPDX-License-Identifier: BSD-2-Clause
/*
 * A user who wants more memory than one user may have pages against himself. Runs with
 * a pool of 8 MiB, to be run alone.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "vm.h"

/* Pages that a user may have, and how far off the count may be. */
#define MAX   512
#define SLACK 192
#define OTHER 256

static void limit(uint64_t pages)
{
	ASSERT(!bsdvm_sysctl_set("vm.max_user_pages", pages));
}

/* Become somebody, with an address space of his. */
static void become(uid_t uid)
{
	ASSERT(!setgid(uid) && !setuid(uid));
}

/* Write and check three times what one may have, beside each other. */
static void churn(void)
{
	size_t pages = 3 * MAX, i, round;
	char *map = vm_anon(pages);

	for (round = 0; round < 3; round++)
		for (i = 0; i < pages; i++) {
			ASSERT(map[i * PAGE] == (char)round);
			map[i * PAGE]++;
		}
}

static int in_child_of(uid_t uid, void (*body)(void))
{
	pid_t pid = fork();
	int status;

	ASSERT(pid >= 0);
	if (!pid) {
		become(uid);
		body();
		_exit(0);
	}
	ASSERT(waitpid(pid, &status, 0) == pid);
	return status;
}

static uint64_t most_used;

static void *watch(void *arg)
{
	const volatile int *stop = arg;
	struct bsdvm_stats stats;
	uint64_t used;

	while (!*stop) {
		stats = vm_stats();
		used = stats.v_page_count - vm_free_of(stats);
		if (used > most_used)
			most_used = used;
		usleep(2000);
	}
	return NULL;
}

TEST(a_user_gets_no_more_than_he_may_have)
{
	static volatile int stop;
	pthread_t thread;
	int status;

	limit(MAX);
	ASSERT(!pthread_create(&thread, NULL, watch, (void *)&stop));
	status = in_child_of(1234, churn);
	stop = 1;
	pthread_join(thread, NULL);
	EXPECT(WIFEXITED(status) && !WEXITSTATUS(status));
	EXPECT(most_used > MAX / 2 && most_used < MAX + SLACK);
}

TEST(another_users_pages_stay)
{
	char *map = vm_anon(OTHER);
	struct bsdvm_rusage before, after;
	char vec[OTHER];
	size_t i;
	int status;

	memset(map, 'o', OTHER * PAGE);
	ASSERT(!bsdvm_rusage(0, &before));
	limit(MAX);
	status = in_child_of(1234, churn);
	EXPECT(WIFEXITED(status) && !WEXITSTATUS(status));
	/* Not even touched: they are nobody's who has too many. */
	ASSERT(!bsdvm_rusage(0, &after));
	EXPECT_EQ(after.ru_majflt, before.ru_majflt);
	EXPECT(vm_all(map, OTHER * PAGE, 'o'));
	ASSERT(!bsdvm_rusage(0, &after));
	EXPECT_EQ(after.ru_majflt, before.ru_majflt);
	ASSERT(!bsdvm_mincore(map, OTHER * PAGE, vec));
	for (i = 0; i < OTHER; i++)
		ASSERT(vec[i] & BSDVM_MINCORE_INCORE);
}

static void take_all(void)
{
	char *map = vm_anon(4 * MAX);
	size_t i;

	for (i = 0; i < 2 * MAX; i++)
		map[i * PAGE] = 'x';
}

TEST(root_is_not_bounded)
{
	uint64_t out;

	limit(MAX);
	out = vm_stats().v_swappgsout;
	take_all();
	EXPECT_EQ(vm_stats().v_swappgsout, out);
}

static void lock_too_much(void)
{
	char *map = vm_anon(2 * MAX);

	EXPECT(!bsdvm_mlock(map, MAX / 2 * PAGE));
	/* Nothing of it may be taken back: it ends, and is told. */
	EXPECT(bsdvm_mlock(map, 2 * MAX * PAGE) == -1 && errno == ENOMEM);
	harness_exit();
}

TEST(what_is_locked_counts)
{
	int status;

	limit(MAX);
	/* Nothing else shall be in the way. */
	ASSERT(!bsdvm_sysctl_set("vm.max_user_wired", 4 * MAX));
	ASSERT(!bsdvm_sysctl_set("vm.pfault_oom_attempts", 1));
	ASSERT(!bsdvm_sysctl_set("vm.pfault_oom_wait", 1));
	status = in_child_of(1234, lock_too_much);
	EXPECT(WIFEXITED(status) && !WEXITSTATUS(status));
}

TEST(no_limit_is_no_limit)
{
	uint64_t out;
	int status;

	limit(0);
	out = vm_stats().v_swappgsout;
	status = in_child_of(1234, take_all);
	EXPECT(WIFEXITED(status) && !WEXITSTATUS(status));
	EXPECT_EQ(vm_stats().v_swappgsout, out);
}
