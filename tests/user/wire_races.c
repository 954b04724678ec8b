// SPDX-License-Identifier: BSD-2-Clause
/*
 * Memory is wired while other threads change the map: what one thread wires is
 * wired once, and is unwired when it goes.
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "vm.h"

/* Seconds that a race is given. */
#define RACE_SECONDS 3

static atomic_bool stop;

static double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec + ts.tv_nsec / 1e9;
}

/* Run these for a while, each in a thread. */
static void race(void *(*const threads[])(void *), int n)
{
	double end = now() + RACE_SECONDS;
	pthread_t id[4];
	int i;

	ASSERT(n <= 4);
	for (i = 0; i < n; i++)
		ASSERT(!pthread_create(&id[i], NULL, threads[i], NULL));
	while (now() < end)
		usleep(10000);
	stop = true;
	for (i = 0; i < n; i++)
		ASSERT(!pthread_join(id[i], NULL));
}

/* Do this in a process of its own, which must leave nothing wired or reserved. */
static void leaves_nothing(void (*body)(void))
{
	struct bsdvm_stats before = vm_stats(), after;
	pid_t pid;

	pid = harness_fork();
	if (!pid) {
		body();
		harness_exit();
	}
	harness_join(pid);
	vm_free_settles(vm_free_of(before));
	after = vm_stats();
	EXPECT_EQ(vm_wired_of(after), vm_wired_of(before));
	EXPECT_EQ(after.v_user_wire_count, before.v_user_wire_count);
	EXPECT_EQ(after.v_swap_reserved, before.v_swap_reserved);
	EXPECT_EQ(vm_free_of(after), vm_free_of(before));
}

/* --- one thread wires all there is, another what it has just mapped */

static void *wire_all(void *unused)
{
	while (!stop) {
		EXPECT(!bsdvm_mlockall(BSDVM_MCL_CURRENT) || errno == ENOMEM);
		EXPECT(!bsdvm_munlockall());
	}
	return unused;
}

static void *map_and_wire(void *unused)
{
	char *p;

	while (!stop) {
		p = vm_anon(32);
		EXPECT(!bsdvm_mlock(p, 32 * PAGE));
		EXPECT(!bsdvm_munmap(p, 32 * PAGE));
	}
	return unused;
}

static void wire_in_a_hole(void)
{
	void *(*const threads[])(void *) = { wire_all, map_and_wire };
	char *low = vm_anon(64);

	ASSERT(low);
	race(threads, 2);
}

TEST(what_two_threads_wire_at_once_is_wired_once)
{
	leaves_nothing(wire_in_a_hole);
}

/* --- two threads wire the same immutable memory */

static char *region;

static void *wire_region(void *unused)
{
	while (!stop) {
		EXPECT(!bsdvm_mlock(region, 64 * PAGE));
		EXPECT(!bsdvm_munlock(region, 64 * PAGE));
	}
	return unused;
}

static void wire_immutable(void)
{
	void *(*const threads[])(void *) = { wire_region, wire_region };

	region = vm_anon(64);
	ASSERT(!bsdvm_mimmutable(region, PAGE));
	race(threads, 2);
}

TEST(immutable_memory_is_wired_by_one_thread_at_a_time)
{
	leaves_nothing(wire_immutable);
}

/* --- forks while memory is wired */

static void *fork_often(void *unused)
{
	pid_t pid;

	while (!stop) {
		pid = harness_fork();
		if (!pid)
			_exit(0);
		harness_join(pid);
	}
	return unused;
}

static void *inherit_often(void *unused)
{
	unsigned int i;

	for (i = 0; !stop; i++) {
		EXPECT(!bsdvm_minherit(region + i % 64 * PAGE, PAGE,
				       i & 1 ? BSDVM_INHERIT_SHARE :
					       BSDVM_INHERIT_COPY));
		EXPECT(!bsdvm_madvise(region + i * 7 % 64 * PAGE, PAGE,
				      i & 2 ? BSDVM_MADV_RANDOM :
					      BSDVM_MADV_NORMAL));
		region[i * 5 % 64 * PAGE]++;
	}
	return unused;
}

static void wire_and_fork(void)
{
	void *(*const threads[])(void *) = { wire_region, fork_often,
					     inherit_often };

	region = vm_anon(64);
	race(threads, 3);
}

TEST(forks_leave_wired_memory_alone)
{
	leaves_nothing(wire_and_fork);
}

/* --- the window goes while memory is wired */

static void exit_while_wiring(void)
{
	pthread_t id;

	region = vm_anon(512);
	ASSERT(!pthread_create(&id, NULL, wire_region, NULL));
	usleep(3000);
	_exit(0);
}

TEST(exit_ends_wiring)
{
	int i;

	for (i = 0; i < 20; i++)
		leaves_nothing(exit_while_wiring);
}

/* --- what a child may see */

TEST(a_child_cannot_grow_into_what_it_was_not_given)
{
	char *p = vm_anon(8), *q;
	pid_t pid;

	p[0] = 'p';
	memset(p + 4 * PAGE, 's', 4 * PAGE);
	ASSERT(!bsdvm_minherit(p, 4 * PAGE, BSDVM_INHERIT_SHARE));
	ASSERT(!bsdvm_minherit(p + 4 * PAGE, 4 * PAGE, BSDVM_INHERIT_NONE));
	pid = harness_fork();
	if (!pid) {
		q = bsdvm_mremap(p, 4 * PAGE, NULL, 8 * PAGE, 0);
		ASSERT(q != BSDVM_MAP_FAILED);
		EXPECT_EQ(q[0], 'p');
		EXPECT_EQ(q[4 * PAGE], 0);
		q[5 * PAGE] = 'c';
		harness_exit();
	}
	harness_join(pid);
	EXPECT_EQ(p[5 * PAGE], 's');
}

/* --- an immutable stack */

TEST(what_an_immutable_stack_grows_by_is_immutable)
{
	char *p = bsdvm_mmap(NULL, 256 * PAGE, RW, BSDVM_MAP_STACK, -1, 0);

	ASSERT(p != BSDVM_MAP_FAILED);
	ASSERT(!bsdvm_mimmutable(p, 256 * PAGE));
	p[256 * PAGE - 40 * PAGE] = 1;
	EXPECT_ERRNO(bsdvm_munmap(p + 256 * PAGE - 40 * PAGE, PAGE), EPERM);
}

/* --- what is copied when memory is being wired */

static bool all_pages_are(int generation)
{
	int i;

	for (i = 0; i < 64; i++)
		if (*(int *)(region + i * PAGE) != generation)
			return false;
	return true;
}

static void set_pages(int generation)
{
	int i;

	for (i = 0; i < 64; i++)
		*(int *)(region + i * PAGE) = generation;
}

static void *fork_and_compare(void *unused)
{
	int generation;
	pid_t pid, grandchild;

	for (generation = 1; !stop; generation++) {
		/* The rest is what the last fork has left: some pages ours, some not. */
		if (generation % 3)
			set_pages(generation);
		else
			memset(region + generation % 64 * PAGE + 8, 1, 8);
		pid = harness_fork();
		if (!pid) {
			generation -= !(generation % 3);
			EXPECT(all_pages_are(generation));
			region[generation * 5 % 64 * PAGE + 16] = 1;
			grandchild = harness_fork();
			EXPECT(all_pages_are(generation));
			set_pages(-1);
			EXPECT(all_pages_are(-1));
			if (grandchild)
				harness_join(grandchild);
			harness_exit();
		}
		if (generation & 1)
			EXPECT(all_pages_are(generation - !(generation % 3)));
		harness_join(pid);
		EXPECT(all_pages_are(generation - !(generation % 3)));
	}
	return unused;
}

static void wire_and_compare(void)
{
	void *(*const threads[])(void *) = { wire_region, fork_and_compare };

	region = vm_anon(64);
	race(threads, 2);
}

TEST(a_fork_copies_memory_that_is_being_wired)
{
	leaves_nothing(wire_and_compare);
}

/* --- sealing while a fork takes write access away */

static int sealed_fd;
static volatile char *sealed_at;

static void *write_always(void *unused)
{
	while (!stop)
		++*(volatile long *)sealed_at;
	return unused;
}

static void *fork_once(void *unused)
{
	pid_t pid = harness_fork();

	if (!pid)
		_exit(0);
	harness_join(pid);
	return unused;
}

TEST(a_sealed_object_does_not_change)
{
	const size_t entries = 4000;
	long at_seal, later = 0;
	pthread_t writer, forker;
	size_t i;
	char *p;

	sealed_fd = bsdvm_memfd_create("sealed", BSDVM_MFD_ALLOW_SEALING);
	ASSERT(sealed_fd >= 0);
	ASSERT(!ftruncate(sealed_fd, PAGE));
	p = vm_anon(entries + 1);
	sealed_at = p;
	ASSERT(bsdvm_mmap(p, PAGE, RW, BSDVM_MAP_SHARED | BSDVM_MAP_FIXED,
			  sealed_fd, 0) == p);
	/* From the next fork on it is private, which takes a while to arrive. */
	ASSERT(!bsdvm_minherit(p, PAGE, BSDVM_INHERIT_COPY));
	for (i = 2; i < entries; i += 2)
		ASSERT(!bsdvm_madvise(p + i * PAGE, PAGE, BSDVM_MADV_RANDOM));
	EXPECT(bsdvm_shm_seals(sealed_fd, BSDVM_F_SEAL_WRITE) == -1);
	ASSERT(!pthread_create(&writer, NULL, write_always, NULL));
	ASSERT(!pthread_create(&forker, NULL, fork_once, NULL));
	while (bsdvm_shm_seals(sealed_fd, BSDVM_F_SEAL_WRITE) == -1)
		;
	ASSERT(pread(sealed_fd, &at_seal, sizeof(at_seal), 0) ==
	       sizeof(at_seal));
	usleep(200 * 1000);
	ASSERT(pread(sealed_fd, &later, sizeof(later), 0) == sizeof(later));
	EXPECT_EQ(later, at_seal);
	stop = true;
	ASSERT(!pthread_join(writer, NULL));
	ASSERT(!pthread_join(forker, NULL));
}
