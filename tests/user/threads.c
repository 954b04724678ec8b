// SPDX-License-Identifier: BSD-2-Clause
/*
 * Two threads on two CPUs, one vmspace, the same pages. What a call has taken
 * away must be gone for the other CPU too when the call returns.
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "vm.h"

/* Seconds that a race is given. */
#define RACE_ROUNDS_MIN 20
#define RACE_SECONDS	2

static char *region;
static atomic_bool stop;

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

/* --- accesses that may fail, in any thread */

static _Thread_local sigjmp_buf escape;
static _Thread_local volatile bool trying;

static void catch (int sig)
{
	if (!trying) {
		signal(sig, SIG_DFL);
		return;
	}
	trying = false;
	siglongjmp(escape, 1);
}

static void catch_faults(void)
{
	struct sigaction action = {
		.sa_handler = catch,
		.sa_flags = SA_NODEFER,
	};

	sigaction(SIGSEGV, &action, NULL);
}

/* Returns whether it went well. */
static bool try_write(volatile char *addr, char byte)
{
	if (sigsetjmp(escape, 0))
		return false;
	trying = true;
	*addr = byte;
	trying = false;
	return true;
}

static bool try_read(const volatile char *addr, char *byte)
{
	if (sigsetjmp(escape, 0))
		return false;
	trying = true;
	*byte = *addr;
	trying = false;
	return true;
}

/*
 * Run @other on CPU 1 while @body runs on CPU 0, until the time is up: at least some
 * rounds, however slow the machine is.
 */
static void race(void (*body)(void), void *(*other)(void *))
{
	const double end = now() + RACE_SECONDS;
	unsigned long rounds = 0;
	pthread_t thread;

	catch_faults();
	ASSERT(!pthread_create(&thread, NULL, other, NULL));
	pin(0);
	while (now() < end || rounds < RACE_ROUNDS_MIN) {
		body();
		rounds++;
	}
	stop = true;
	pthread_join(thread, NULL);
}

/* --- unmapping: pages move between two areas, each with a byte of its own */

#define AREA 8

static char *area_of(int i)
{
	return region + i * AREA * PAGE;
}

static const char area_byte[2] = { 'A', 'B' };

static void *look_and_write(void *arg)
{
	unsigned int i;

	(void)arg;
	pin(1);
	for (i = 0; !stop; i++) {
		const int area = i % 2;
		char *addr = area_of(area) + i / 2 % AREA * PAGE + 64;
		char byte;

		if (try_read(addr, &byte) && byte)
			EXPECT_EQ(byte, area_byte[area]);
		try_write(addr, area_byte[area]);
	}
	return NULL;
}

static void map_and_unmap(void)
{
	static unsigned int round;
	const int area = round++ % 2;
	char *map = area_of(area);
	int i;

	ASSERT(bsdvm_mmap(map, AREA * PAGE, RW, ANON | BSDVM_MAP_FIXED, -1,
			  0) == map);
	for (i = 0; i < AREA; i++) {
		EXPECT_EQ(map[i * PAGE], 0);
		map[i * PAGE] = area_byte[area];
		if (map[i * PAGE + 64])
			EXPECT_EQ(map[i * PAGE + 64], area_byte[area]);
	}
	ASSERT(!bsdvm_munmap(map, AREA * PAGE));
}

TEST(a_page_never_shows_another_mappings_data)
{
	uint64_t before = vm_free_pages();

	region = vm_anon(2 * AREA);
	race(map_and_unmap, look_and_write);
	ASSERT(!bsdvm_munmap(region, 2 * AREA * PAGE));
	EXPECT_EQ(vm_free_pages(), before);
}

/* --- protection: a read-only page stands still */

static void *write_always(void *arg)
{
	unsigned int i;

	(void)arg;
	pin(1);
	for (i = 0; !stop; i++)
		try_write(region + i % 4 * PAGE, i);
	return NULL;
}

static void freeze_and_look(void)
{
	char first[4];
	int i, k;

	ASSERT(!bsdvm_mprotect(region, 4 * PAGE, BSDVM_PROT_READ));
	for (i = 0; i < 4; i++)
		first[i] = ((volatile char *)region)[i * PAGE];
	for (k = 0; k < 50; k++) {
		for (i = 0; i < 4; i++)
			EXPECT_EQ(((volatile char *)region)[i * PAGE],
				  first[i]);
	}
	ASSERT(!bsdvm_mprotect(region, 4 * PAGE, RW));
	for (k = 0; k < 50; k++)
		sched_yield();
}

TEST(a_write_to_a_read_only_page_never_succeeds)
{
	region = vm_anon(4);
	race(freeze_and_look, write_always);
}

static void forbid_and_look(void)
{
	ASSERT(!bsdvm_mprotect(region, 4 * PAGE, BSDVM_PROT_NONE));
	ASSERT(!bsdvm_mprotect(region, 4 * PAGE, RW));
	ASSERT(!bsdvm_munmap(region, PAGE));
	ASSERT(bsdvm_mmap(region, PAGE, RW, ANON | BSDVM_MAP_FIXED, -1, 0) ==
	       region);
}

TEST(protecting_unmapping_and_faulting_the_same_pages_loses_none)
{
	uint64_t before = vm_free_pages();

	region = vm_anon(4);
	race(forbid_and_look, write_always);
	ASSERT(!bsdvm_munmap(region, 4 * PAGE));
	EXPECT_EQ(vm_free_pages(), before);
}

/* --- copy-on-write: the other CPU sees the new page */

static atomic_ulong published;

static void *count_up(void *arg)
{
	unsigned long i;

	(void)arg;
	pin(1);
	for (i = 1; !stop; i++) {
		*(volatile unsigned long *)region = i;
		atomic_store(&published, i);
	}
	return NULL;
}

static void fork_and_compare(void)
{
	volatile unsigned long *page = (void *)region;
	pid_t child = harness_fork();
	unsigned long old;
	int i;

	if (!child) {
		/* Nobody writes here: our copy must stand still. */
		old = *page;
		for (i = 0; i < 1000; i++)
			EXPECT_EQ(*page, old);
		*page = 0;
		EXPECT_EQ(*page, 0);
		harness_exit();
	}
	for (i = 0; i < 1000; i++) {
		old = atomic_load(&published);
		EXPECT(*page >= old);
	}
	harness_join(child);
}

TEST(a_copied_page_is_seen_by_the_other_cpu_at_once)
{
	uint64_t before = vm_free_pages();

	region = vm_anon(1);
	race(fork_and_compare, count_up);
	ASSERT(!bsdvm_munmap(region, PAGE));
	EXPECT_EQ(vm_free_pages(), before);
}

/* The same, where this thread makes the copy and the other looks. */
static void *look_always(void *arg)
{
	(void)arg;
	pin(1);
	while (!stop) {
		unsigned long old = atomic_load(&published);

		EXPECT(*(volatile unsigned long *)region >= old);
	}
	return NULL;
}

static void fork_and_count(void)
{
	static unsigned long count;
	pid_t child = harness_fork();
	int i;

	if (!child)
		harness_exit();
	for (i = 0; i < 100; i++) {
		*(volatile unsigned long *)region = ++count;
		atomic_store(&published, count);
	}
	harness_join(child);
}

TEST(a_page_copied_here_is_not_stale_there)
{
	region = vm_anon(1);
	race(fork_and_count, look_always);
}

/* --- the map itself: both threads change it */

static void *map_elsewhere(void *arg)
{
	(void)arg;
	pin(1);
	while (!stop) {
		char *map = vm_anon(3);

		map[PAGE] = 'o';
		EXPECT_EQ(map[0], 0);
		EXPECT_EQ(map[PAGE], 'o');
		ASSERT(!bsdvm_munmap(map, 3 * PAGE));
	}
	return NULL;
}

static void map_here(void)
{
	char *map = vm_anon(2);

	map[0] = 'h';
	ASSERT(!bsdvm_mprotect(map, PAGE, BSDVM_PROT_READ));
	EXPECT_EQ(map[0], 'h');
	EXPECT_EQ(map[PAGE], 0);
	ASSERT(!bsdvm_munmap(map, 2 * PAGE));
}

TEST(two_threads_map_and_unmap_without_meeting)
{
	uint64_t before = vm_free_pages();

	race(map_here, map_elsewhere);
	EXPECT_EQ(vm_entry_count(), 0);
	EXPECT_EQ(vm_free_pages(), before);
}

/* --- first touch: both threads fault the same pages */

static atomic_int round_number;

static void *touch_too(void *arg)
{
	int seen = 0, i;

	(void)arg;
	pin(1);
	while (!stop) {
		while (atomic_load(&round_number) == seen && !stop)
			;
		seen = atomic_load(&round_number);
		for (i = 0; i < AREA; i++)
			try_write(region + i * PAGE + 1, 'o');
	}
	return NULL;
}

static void touch(void)
{
	int i;

	ASSERT(bsdvm_mmap(region, AREA * PAGE, RW, ANON | BSDVM_MAP_FIXED, -1,
			  0) == region);
	atomic_fetch_add(&round_number, 1);
	for (i = 0; i < AREA; i++)
		region[i * PAGE] = 'h';
	for (i = 0; i < AREA; i++)
		EXPECT_EQ(region[i * PAGE], 'h');
}

TEST(a_page_touched_by_two_cpus_at_once_is_one_page)
{
	uint64_t before = vm_free_pages();

	region = vm_anon(AREA);
	race(touch, touch_too);
	ASSERT(!bsdvm_munmap(region, AREA * PAGE));
	EXPECT_EQ(vm_free_pages(), before);
}

/*
 * --- a page of a file leaves one place by munmap and the other by msync, which
 * frees it: not before no CPU reaches it through the first
 */

#define FILE_PAGES 4

static int file;
static char *place[2];

/* Takes the pages that become free, in a process that has no business with @file. */
static void own_and_check(const atomic_bool *over)
{
	char *map = vm_anon(AREA);
	unsigned char round;
	int i;

	for (round = 1; !atomic_load(over); round = round % 100 + 1) {
		ASSERT(bsdvm_mmap(map, AREA * PAGE, RW, ANON | BSDVM_MAP_FIXED,
				  -1, 0) == map);
		for (i = 0; i < AREA; i++) {
			EXPECT(vm_all(map + i * PAGE, 128, 0));
			memset(map + i * PAGE, round, 128);
		}
		sched_yield();
		for (i = 0; i < AREA; i++)
			EXPECT(vm_all(map + i * PAGE, 128, round));
	}
}

static void map_place(int i)
{
	ASSERT(bsdvm_mmap(place[i], FILE_PAGES * PAGE, RW,
			  BSDVM_MAP_SHARED | BSDVM_MAP_FIXED, file,
			  0) == place[i]);
}

static void *store_always(void *arg)
{
	unsigned int i;

	(void)arg;
	pin(1);
	for (i = 0; !stop; i++)
		try_write(place[i % 2] + i / 2 % FILE_PAGES * PAGE + i % 64,
			  'f');
	return NULL;
}

static void *invalidate_always(void *arg)
{
	(void)arg;
	while (!stop)
		EXPECT_ERRNO(bsdvm_msync(place[1], FILE_PAGES * PAGE,
					 BSDVM_MS_INVALIDATE),
			     0);
	return NULL;
}

static void unmap_the_first(void)
{
	char byte;
	int i;

	map_place(0);
	for (i = 0; i < FILE_PAGES; i++) {
		try_write(place[0] + i * PAGE + 64, 'f');
		EXPECT(try_read(place[0] + i * PAGE + 64, &byte));
		EXPECT_EQ(byte, 'f');
	}
	ASSERT(!bsdvm_munmap(place[0], FILE_PAGES * PAGE));
}

TEST(a_page_that_leaves_two_places_at_once_is_out_of_reach_when_freed)
{
	uint64_t before = vm_free_pages();
	atomic_bool *over;
	pthread_t thread;
	pid_t child;
	int i;

	over = mmap(NULL, PAGE, PROT_READ | PROT_WRITE,
		    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	ASSERT(over != MAP_FAILED);
	child = harness_fork();
	if (!child) {
		own_and_check(over);
		harness_exit();
	}
	file = vm_file("/tmp", FILE_PAGES * PAGE);
	region = vm_anon(2 * FILE_PAGES);
	for (i = 0; i < 2; i++) {
		place[i] = region + i * FILE_PAGES * PAGE;
		map_place(i);
	}
	ASSERT(!pthread_create(&thread, NULL, invalidate_always, NULL));
	race(unmap_the_first, store_always);
	pthread_join(thread, NULL);
	atomic_store(over, true);
	harness_join(child);
	ASSERT(!bsdvm_munmap(region, 2 * FILE_PAGES * PAGE));
	EXPECT_EQ(vm_free_settles(before), before);
}
