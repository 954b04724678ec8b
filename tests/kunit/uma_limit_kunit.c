// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Tests of the limit of a zone, and of who waits: for an item, or for a page.
 */
#include "uma_kunit.h"

#include <linux/mm.h>
#include <linux/sched/signal.h>

/* --- the limit */

static void uma_limit_is_exact(struct kunit *test)
{
	void *items[10];
	unsigned int i, j;

	for (i = 0; i < ARRAY_SIZE(test_uma_modes); i++) {
		struct uma_zone *zone = test_zone(test, 100, test_uma_modes[i]);

		KUNIT_EXPECT_EQ(test, uma_zone_get_max(zone), 0U);
		KUNIT_EXPECT_EQ(test, uma_zone_set_max(zone, ARRAY_SIZE(items)),
				(unsigned int)ARRAY_SIZE(items));
		KUNIT_EXPECT_EQ(test, uma_zone_get_max(zone), (unsigned int)ARRAY_SIZE(items));
		for (j = 0; j < ARRAY_SIZE(items); j++) {
			items[j] = uma_zalloc(zone, M_NOWAIT);
			KUNIT_ASSERT_NOT_NULL(test, items[j]);
		}
		KUNIT_EXPECT_NULL(test, uma_zalloc(zone, M_NOWAIT));
		KUNIT_EXPECT_NULL(test, uma_zalloc(zone, M_NOWAIT | M_USE_RESERVE));
		KUNIT_EXPECT_EQ(test, test_stats(zone).failures, 2ULL);
		KUNIT_EXPECT_EQ(test, test_stats(zone).limit, (u64)ARRAY_SIZE(items));
		uma_zfree(zone, items[3]);
		items[3] = uma_zalloc(zone, M_NOWAIT);
		KUNIT_EXPECT_NOT_NULL(test, items[3]);
		uma_zone_set_max(zone, 0);
		items[3] = (uma_zfree(zone, items[3]), uma_zalloc(zone, M_NOWAIT));
		KUNIT_EXPECT_NOT_NULL(test, items[3]);
		test_free_items(zone, items, ARRAY_SIZE(items));
	}
}

/* What is at hand on a CPU counts, and is no more than half. */
static void uma_limit_of_many_leaves_half(struct kunit *test)
{
	struct uma_zone *zone = test_zone(test, 64, UMA_ZONE_NODEBUG);
	void **items = kunit_kcalloc(test, 400, sizeof(*items), GFP_KERNEL);
	unsigned int n;

	KUNIT_ASSERT_NOT_NULL(test, items);
	uma_zone_set_max(zone, 400);
	for (n = 0; n < 400; n++) {
		items[n] = uma_zalloc(zone, M_NOWAIT);
		if (!items[n])
			break;
	}
	KUNIT_EXPECT_GE(test, n, 200U);
	test_free_items(zone, items, n);
}

struct limit_share {
	struct uma_zone *zone;
	unsigned int limit;
	unsigned int rounds;
	atomic_t used;
	atomic_t over;
};

static int limit_share_thread(void *arg)
{
	struct limit_share *share = arg;
	unsigned int i;
	void *item;

	for (i = 0; i < share->rounds; i++) {
		item = uma_zalloc(share->zone, M_WAITOK);
		if (!item)
			return -ENOMEM;
		if (atomic_inc_return(&share->used) > share->limit)
			atomic_inc(&share->over);
		cond_resched();
		atomic_dec(&share->used);
		uma_zfree(share->zone, item);
	}
	return 0;
}

/* Everyone gets through, and there are never more. */
static void uma_limit_lets_everyone_through(struct kunit *test)
{
	struct limit_share *share = kunit_kzalloc(test, sizeof(*share), GFP_KERNEL);
	struct test_thread *thread[5];
	unsigned int i;

	KUNIT_ASSERT_NOT_NULL(test, share);
	share->zone = test_zone(test, 64, 0);
	share->limit = 2;
	share->rounds = 60;
	uma_zone_set_max(share->zone, share->limit);
	for (i = 0; i < ARRAY_SIZE(thread); i++)
		thread[i] = test_thread(test, test_cpu(i), limit_share_thread, share);
	for (i = 0; i < ARRAY_SIZE(thread); i++)
		KUNIT_EXPECT_EQ(test, 0, test_thread_join(thread[i]));
	KUNIT_EXPECT_EQ(test, atomic_read(&share->over), 0);
	KUNIT_EXPECT_EQ(test, uma_zone_get_cur(share->zone), 0UL);
}

/* Who waits in a thread for an item of a zone of its own, and may be killed. */
struct alloc_one {
	struct uma_zone *zone;
	void *item;
};

static int alloc_one_thread(void *arg)
{
	struct alloc_one *one = arg;

	allow_signal(SIGKILL);
	WRITE_ONCE(one->item, uma_zalloc(one->zone, M_WAITOK));
	return one->item ? 0 : -ENOMEM;
}

static struct alloc_one *alloc_one(struct kunit *test, size_t size)
{
	struct alloc_one *one = kunit_kzalloc(test, sizeof(*one), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, one);
	one->zone = test_zone(test, size, 0);
	return one;
}

static void uma_limit_waiter_is_woken(struct kunit *test)
{
	struct alloc_one *one;
	struct test_thread *thread;
	unsigned long start;
	void *item;

	one = alloc_one(test, 64);
	uma_zone_set_max(one->zone, 1);
	item = uma_zalloc(one->zone, M_WAITOK);
	thread = test_thread(test, test_cpu(1), alloc_one_thread, one);
	msleep(100);
	KUNIT_EXPECT_NULL(test, READ_ONCE(one->item));
	KUNIT_EXPECT_GE(test, test_stats(one->zone).sleeps, 1ULL);
	start = jiffies;
	uma_zfree(one->zone, item);
	KUNIT_EXPECT_EQ(test, 0, test_thread_join(thread));
	KUNIT_EXPECT_TRUE(test, time_before(jiffies, start + 3 * HZ));
	uma_zfree(one->zone, one->item);
}

/* It need not give anything back for that: the limit is exceeded. */
static void uma_limit_waiter_is_killed(struct kunit *test)
{
	struct alloc_one *one;
	struct test_thread *thread;
	void *item;

	one = alloc_one(test, 64);
	uma_zone_set_max(one->zone, 1);
	item = uma_zalloc(one->zone, M_WAITOK);
	thread = test_thread(test, -1, alloc_one_thread, one);
	msleep(50);
	KUNIT_EXPECT_NULL(test, READ_ONCE(one->item));
	send_sig(SIGKILL, thread->task, 1);
	KUNIT_EXPECT_EQ(test, 0, test_thread_join(thread));
	KUNIT_EXPECT_EQ(test, uma_zone_get_cur(one->zone), 2UL);
	KUNIT_EXPECT_NULL(test, uma_zalloc(one->zone, M_NOWAIT));
	uma_zfree(one->zone, one->item);
	uma_zfree(one->zone, item);
}

/* Nobody frees anything meanwhile: what the other CPU has at hand must be taken. */
static void uma_limit_waiter_gets_what_is_at_hand(struct kunit *test)
{
	struct uma_zone *zone = test_zone(test, 64, UMA_ZONE_NODEBUG);
	struct churn *churn = test_churn(test, zone, 200);

	uma_zone_set_max(zone, 200);
	KUNIT_EXPECT_EQ(test, 0, churn_on(test, 1, churn));
	KUNIT_EXPECT_GT(test, test_stats(zone).free, 0ULL);
	KUNIT_EXPECT_EQ(test, 0, churn_on(test, 0, churn));
	if (num_online_cpus() > 1)
		KUNIT_EXPECT_GE(test, test_stats(zone).sleeps, 1ULL);
	KUNIT_EXPECT_EQ(test, uma_zone_get_cur(zone), 0UL);
}

/* --- no memory */

static void uma_exhaustion_and_recovery(struct kunit *test)
{
	unsigned long before, n, i;
	struct uma_zone *zone;
	void **items;

	for (i = 0; i < ARRAY_SIZE(test_uma_modes); i++) {
		zone = test_zone(test, 3000, test_uma_modes[i]);
		items = kvcalloc(vm_phys_page_count(), sizeof(*items), GFP_KERNEL);
		KUNIT_ASSERT_NOT_NULL(test, items);
		uma_reclaim(UMA_RECLAIM_DRAIN_CPU);
		before = vm_free_count();
		for (n = 0; n < vm_phys_page_count(); n++) {
			items[n] = uma_zalloc(zone, M_NOWAIT);
			if (!items[n])
				break;
			cond_resched();
		}
		KUNIT_EXPECT_GT(test, n, before - before / 50 - 2 * vm_free_reserved());
		KUNIT_EXPECT_EQ(test, vm_free_count(), vm_dom.v_pageout_free_min);
		KUNIT_EXPECT_NULL(test, uma_zalloc(zone, M_NOWAIT));
		test_free_items(zone, items, n);
		KUNIT_EXPECT_EQ(test, test_stats(zone).used, 0ULL);
		items[0] = uma_zalloc(zone, M_NOWAIT);
		KUNIT_EXPECT_NOT_NULL(test, items[0]);
		uma_zfree(zone, items[0]);
		uma_reclaim(UMA_RECLAIM_DRAIN_CPU);
		KUNIT_EXPECT_EQ(test, vm_free_count(), before);
		kvfree(items);
	}
}

static void uma_waitok_waits_for_a_page(struct kunit *test)
{
	struct alloc_one *one;
	struct test_pages *pages = test_pages_alloc(test);
	struct test_thread *thread;

	one = alloc_one(test, 4096);
	test_pages_exhaust(pages, VM_ALLOC_SYSTEM);
	thread = test_thread(test, test_cpu(1), alloc_one_thread, one);
	msleep(400);
	KUNIT_EXPECT_NULL(test, READ_ONCE(one->item));
	KUNIT_EXPECT_GE(test, test_stats(one->zone).sleeps, 1ULL);
	/* Who waits is in nobody's way. */
	uma_reclaim(UMA_RECLAIM_DRAIN_CPU);
	KUNIT_EXPECT_NULL(test, READ_ONCE(one->item));
	test_pages_put(pages);
	test_pages_put(pages);
	KUNIT_EXPECT_EQ(test, 0, test_thread_join(thread));
	uma_zfree(one->zone, one->item);
}

/* Or for an item, which somebody else frees and no page comes of. */
static void uma_waitok_waits_for_a_freed_item(struct kunit *test)
{
	struct alloc_one *one;
	struct test_pages *pages = test_pages_alloc(test);
	struct test_thread *thread;
	void *item;

	one = alloc_one(test, 4096);
	uma_prealloc(one->zone, 1);
	item = uma_zalloc(one->zone, M_WAITOK);
	uma_reclaim(UMA_RECLAIM_DRAIN_CPU);
	test_pages_exhaust(pages, VM_ALLOC_SYSTEM);
	thread = test_thread(test, test_cpu(1), alloc_one_thread, one);
	msleep(100);
	KUNIT_EXPECT_NULL(test, READ_ONCE(one->item));
	uma_zfree(one->zone, item);
	KUNIT_EXPECT_EQ(test, 0, test_thread_join(thread));
	uma_zfree(one->zone, one->item);
}

static void uma_waitok_killed_has_the_reserve(struct kunit *test)
{
	struct alloc_one *one;
	struct test_pages *pages = test_pages_alloc(test);
	struct test_thread *thread;

	one = alloc_one(test, 4096);
	test_pages_exhaust(pages, VM_ALLOC_SYSTEM);
	thread = test_thread(test, -1, alloc_one_thread, one);
	msleep(100);
	KUNIT_EXPECT_NULL(test, READ_ONCE(one->item));
	send_sig(SIGKILL, thread->task, 1);
	KUNIT_EXPECT_EQ(test, 0, test_thread_join(thread));
	KUNIT_EXPECT_LT(test, vm_free_count(), vm_dom.v_pageout_free_min);
	uma_zfree(one->zone, one->item);

	/* When that is empty it still comes back with an item, if not at once. */
	uma_zone_reclaim(one->zone, UMA_RECLAIM_DRAIN_CPU);
	test_pages_exhaust(pages, VM_ALLOC_INTERRUPT);
	one->item = NULL;
	thread = test_thread(test, -1, alloc_one_thread, one);
	msleep(50);
	send_sig(SIGKILL, thread->task, 1);
	msleep(200);
	KUNIT_EXPECT_NULL(test, READ_ONCE(one->item));
	test_pages_put(pages);
	test_pages_put(pages);
	KUNIT_EXPECT_EQ(test, 0, test_thread_join(thread));
	uma_zfree(one->zone, one->item);
}

static struct kunit_case uma_limit_cases[] = {
	KUNIT_CASE(uma_limit_is_exact),
	KUNIT_CASE(uma_limit_of_many_leaves_half),
	KUNIT_CASE(uma_limit_lets_everyone_through),
	KUNIT_CASE(uma_limit_waiter_is_woken),
	KUNIT_CASE(uma_limit_waiter_is_killed),
	KUNIT_CASE(uma_limit_waiter_gets_what_is_at_hand),
	KUNIT_CASE_SLOW(uma_exhaustion_and_recovery),
	KUNIT_CASE(uma_waitok_waits_for_a_page),
	KUNIT_CASE(uma_waitok_waits_for_a_freed_item),
	KUNIT_CASE(uma_waitok_killed_has_the_reserve),
	{}
};

static struct kunit_suite uma_limit_suite = {
	.name = "bsdvm_uma_limit",
	.init = test_kmem_none,
	.test_cases = uma_limit_cases,
};

kunit_test_suite(uma_limit_suite);
