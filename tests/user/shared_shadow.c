// SPDX-License-Identifier: BSD-2-Clause
/*
 * Shadow objects that several processes or threads look through at once. P and C
 * have the pages of O by copy-on-write; P shares with its child P2 the shadow S
 * that takes their copies (CVE-2021-29626):
 *
 *	P   P2	C
 *	 \ /	|
 *	  S	|
 *	   \	/
 *	    \  /
 *	     O
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "vm.h"

/* Seconds that a race is given. */
#define RACE_SECONDS 2

static double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec + ts.tv_nsec / 1e9;
}

static void pin(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	ASSERT(!sched_setaffinity(0, sizeof(set), &set));
}

/* --- three processes */

#define PARTIES 3
#define PAGES	64

enum party {
	P,
	P2,
	C
};

static const char stored[] = { 'p', '2' };

/* Linux memory that all parties share. */
struct common {
	atomic_int arrived;
	atomic_int written[PAGES];
};

static struct common *common;

/* Go on when all parties are here. */
static void meet(void)
{
	const int place = atomic_fetch_add(&common->arrived, 1);
	const int all = (place / PARTIES + 1) * PARTIES;

	while (atomic_load(&common->arrived) < all)
		sched_yield();
}

/* Of four pages P writes two and P2 two; each has one that had content. */
static enum party writer_of(int i)
{
	return i % 4 < 2 ? P : P2;
}

static char content_before(int i)
{
	return i % 2 ? 0 : 'o';
}

/* Write the pages that are ours, and look at the others. */
static void write_and_look(enum party self, char *map)
{
	int i;

	for (i = 0; i < PAGES; i++) {
		const enum party writer = writer_of(i);
		volatile char *byte = map + i * PAGE;
		bool written;
		char seen;

		if (writer == self) {
			*byte = stored[self];
			atomic_store(&common->written[i], 1);
			continue;
		}
		written = atomic_load(&common->written[i]);
		seen = *byte;
		if (self == C)
			EXPECT_EQ(seen, content_before(i));
		else if (written || seen != content_before(i))
			EXPECT_EQ(seen, stored[writer]);
	}
}

static void look_at_the_end(enum party self, const char *map)
{
	int i;

	for (i = 0; i < PAGES; i++)
		EXPECT_EQ(map[i * PAGE],
			  self == C ? content_before(i) : stored[writer_of(i)]);
}

static void take_part(enum party self, char *map)
{
	pin(self == P ? 0 : 1);
	meet();
	write_and_look(self, map);
	meet();
	look_at_the_end(self, map);
	/* Nobody leaves, and so has chains collapse, while others still look. */
	meet();
}

static pid_t start(enum party self, char *map)
{
	pid_t pid = harness_fork();

	if (pid)
		return pid;
	take_part(self, map);
	harness_exit();
}

static void share_and_race(void)
{
	char *map = vm_anon(PAGES);
	pid_t c, p2;
	int i;

	memset(common, 0, sizeof(*common));
	for (i = 0; i < PAGES; i++) {
		if (content_before(i))
			map[i * PAGE] = content_before(i);
	}
	c = start(C, map);
	ASSERT(!bsdvm_minherit(map, PAGES * PAGE, BSDVM_INHERIT_SHARE));
	p2 = start(P2, map);
	take_part(P, map);
	harness_join(c);
	harness_join(p2);
	look_at_the_end(P, map);
	ASSERT(!bsdvm_munmap(map, PAGES * PAGE));
}

TEST(who_shares_a_shadow_sees_each_store_and_who_copied_sees_none)
{
	const double end = now() + RACE_SECONDS;
	uint64_t before = vm_free_pages();
	int rounds;

	common = mmap(NULL, sizeof(*common), PROT_READ | PROT_WRITE,
		      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	ASSERT(common != MAP_FAILED);
	for (rounds = 0; now() < end || rounds < 2; rounds++)
		share_and_race();
	EXPECT_EQ(vm_free_settles(before), before);
}

/* --- two threads: a page that a write has hidden is freed in the same fault */

/* Freeing that many takes a while, in which the first can find a new user. */
#define HIDDEN 1024
#define CHURN  256

static char *hidden, *churn;
static atomic_bool stop;

/* What a page shows must be one of its own contents. */
static void look(void)
{
	char seen = *(volatile char *)hidden;

	EXPECT(seen == 'o' || seen == 'p');
}

/* Take pages as they become free, fill them with a pattern, and look. */
static void *churn_and_look(void *arg)
{
	int i;

	(void)arg;
	pin(1);
	while (!stop) {
		for (i = 0; i < CHURN && !stop; i++) {
			memset(churn + i * PAGE, '!', 64);
			look();
		}
		ASSERT(bsdvm_mmap(churn, CHURN * PAGE, RW,
				  ANON | BSDVM_MAP_FIXED, -1, 0) == churn);
	}
	return NULL;
}

/*
 * The child has copies of all pages, and so has the parent once it has written
 * the page at @hidden, last of all: nobody sees the pages beneath any more.
 */
static void hide_all(void)
{
	int ready[2], done[2], i;
	pid_t child;
	char byte;

	ASSERT(!pipe(ready) && !pipe(done));
	for (i = 0; i < HIDDEN; i++)
		hidden[i * PAGE] = 'o';
	child = harness_fork();
	if (!child) {
		for (i = 0; i < HIDDEN; i++)
			hidden[i * PAGE] = 'c';
		ASSERT(write(ready[1], "", 1) == 1);
		ASSERT(read(done[0], &byte, 1) == 1);
		for (i = 0; i < HIDDEN; i++)
			EXPECT_EQ(hidden[i * PAGE], 'c');
		harness_exit();
	}
	ASSERT(read(ready[0], &byte, 1) == 1);
	for (i = HIDDEN - 1; i >= 0; i--)
		hidden[i * PAGE] = 'p';
	ASSERT(write(done[1], "", 1) == 1);
	harness_join(child);
	close(ready[0]);
	close(ready[1]);
	close(done[0]);
	close(done[1]);
}

TEST(a_page_that_a_write_hides_is_not_freed_while_it_is_mapped)
{
	const double end = now() + 2 * RACE_SECONDS;
	uint64_t before = vm_free_pages();
	pthread_t thread;

	hidden = vm_anon(HIDDEN);
	churn = vm_anon(CHURN);
	*hidden = 'o';
	ASSERT(!pthread_create(&thread, NULL, churn_and_look, NULL));
	pin(0);
	while (now() < end)
		hide_all();
	stop = true;
	pthread_join(thread, NULL);
	ASSERT(!bsdvm_munmap(hidden, HIDDEN * PAGE));
	ASSERT(!bsdvm_munmap(churn, CHURN * PAGE));
	EXPECT_EQ(vm_free_settles(before), before);
}
