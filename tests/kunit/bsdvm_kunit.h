/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * What the tests share: random numbers, threads on a given CPU, the check that no
 * page was lost. Beside it, what the tests of one thing share:
 *
 *	uma_kunit.h		zones
 *	pmap_kunit.h		windows, with page tables
 *	vm_object_kunit.h	objects, shadows and their pages
 *	vm_fault_kunit.h	faults, in a map of any kind
 *	vm_map_kunit.h		a map as a text, operations on it as tables give them
 *	vm_map_table_kunit.h	the same where objects have names
 *	vm_kern_kunit.h		the kernel map
 */
#ifndef BSDVM_KUNIT_H
#define BSDVM_KUNIT_H

#include <kunit/test.h>
#include <linux/completion.h>
#include <linux/delay.h>
#include <linux/kthread.h>
#include <linux/prandom.h>
#include <linux/uaccess.h>

#include "vm/uma.h"
#include "vm/vm_page.h"
#include "vm/vm_phys.h"
#include "vm/vmmeter.h"

/* How long a test waits for what must come before it fails. */
#define TEST_PATIENCE	(20 * HZ)

/* A random number below @n. */
static inline u32 test_random(struct rnd_state *rnd, u32 n)
{
	return (u64)prandom_u32_state(rnd) * n >> 32;
}

static inline void test_seed(struct kunit *test, struct rnd_state *rnd, u64 seed)
{
	kunit_info(test, "seed %llu\n", seed);
	prandom_seed_state(rnd, seed);
}

/*
 * Free pages, and those that the kernel itself has: in between lies what it has at hand,
 * which depends on what went before.
 */
static inline unsigned long test_free_count(void)
{
	return vm_free_count() + vm_kmem_count();
}

/* Wired pages but for the kernel's own. */
static inline unsigned long test_wire_count(void)
{
	return vm_wire_count() - vm_kmem_count();
}

static inline void test_pages_check(void *arg)
{
	struct kunit *test = arg;
	unsigned long before = (unsigned long)test->priv;
	unsigned long end = jiffies + TEST_PATIENCE;

	uma_reclaim(UMA_RECLAIM_DRAIN_CPU);
	/* A worker may still be letting go of an object. */
	while (vm_free_count() != before && time_before(jiffies, end)) {
		msleep(20);
		uma_reclaim(UMA_RECLAIM_DRAIN_CPU);
	}
	KUNIT_EXPECT_EQ_MSG(test, vm_free_count(), before, "pages were lost");
	KUNIT_EXPECT_TRUE_MSG(test, vm_phys_check(), "vm_phys_check");
}

/*
 * For suites: every test must leave as many free pages as it found, but for those that
 * zones hold with nothing in use. The first action added is the last one done, so
 * whatever a test adds comes before.
 */
static inline int test_pages_init(struct kunit *test)
{
	uma_reclaim(UMA_RECLAIM_DRAIN_CPU);
	test->priv = (void *)vm_free_count();
	return kunit_add_action(test, test_pages_check, test);
}

/*
 * Pages taken from the pool for a test, linked by plinks. They go back when the
 * test ends, however it ends.
 */
struct test_pages {
	struct list_head list;
	unsigned long count;
};

static inline void test_pages_put(struct test_pages *pages)
{
	struct vm_page *m;

	m = list_first_entry_or_null(&pages->list, struct vm_page, plinks);
	if (!m)
		return;
	list_del(&m->plinks);
	pages->count--;
	vm_page_free(m);
}

static inline void test_pages_put_all(void *arg)
{
	struct test_pages *pages = arg;

	while (!list_empty(&pages->list))
		test_pages_put(pages);
}

static inline bool test_pages_get(struct test_pages *pages, int req)
{
	struct vm_page *m = vm_page_alloc_noobj(req);

	if (!m)
		return false;
	list_add(&m->plinks, &pages->list);
	pages->count++;
	return true;
}

/* Take all pages that a request like @req may have. */
static inline void test_pages_exhaust(struct test_pages *pages, int req)
{
	while (test_pages_get(pages, req)) {
		if (pages->count % 1024 == 0)
			cond_resched();
	}
}

static inline struct test_pages *test_pages_alloc(struct kunit *test)
{
	struct test_pages *pages = kunit_kzalloc(test, sizeof(*pages), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, pages);
	INIT_LIST_HEAD(&pages->list);
	KUNIT_ASSERT_EQ(test, 0,
			kunit_add_action_or_reset(test, test_pages_put_all, pages));
	return pages;
}

/* What test_kernel_load() gives where nothing is mapped. */
#define TEST_NOT_MAPPED	0xdead0000deadULL

/* The word at a kernel address that may be mapped nowhere. */
static inline u64 test_kernel_load(vm_offset_t va)
{
	u64 value;

	if (copy_from_kernel_nofault(&value, (void *)va, sizeof(value)))
		return TEST_NOT_MAPPED;
	return value;
}

static inline u64 test_vmmeter(size_t offset)
{
	unsigned int cpu;
	u64 n = 0;

	for_each_possible_cpu(cpu)
		n += READ_ONCE(*(u64 *)((char *)per_cpu_ptr(&bsd_vmmeter, cpu) + offset));
	return n;
}

/* How often something happened so far, a field of struct vmmeter, on all CPUs. */
#define TEST_VMMETER(counter)	test_vmmeter(offsetof(struct vmmeter, counter))

/* A thread of a test, which ends by itself. */
struct test_thread {
	struct task_struct *task;
	struct completion done;
	int (*fn)(void *arg);
	void *arg;
	int ret;
};

static inline int test_thread_main(void *data)
{
	struct test_thread *thread = data;

	thread->ret = thread->fn(thread->arg);
	complete(&thread->done);
	return 0;
}

static inline struct test_thread *test_thread(struct kunit *test, int cpu,
					      int (*fn)(void *arg), void *arg)
{
	struct test_thread *thread = kunit_kzalloc(test, sizeof(*thread), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, thread);
	init_completion(&thread->done);
	thread->fn = fn;
	thread->arg = arg;
	thread->task = kthread_create(test_thread_main, thread, "bsdvm_kunit");
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, thread->task);
	if (cpu >= 0)
		kthread_bind(thread->task, cpu);
	get_task_struct(thread->task);
	wake_up_process(thread->task);
	return thread;
}

/* Wait until the thread is gone; returns what its function returned. */
static inline int test_thread_join(struct test_thread *thread)
{
	wait_for_completion(&thread->done);
	kthread_stop(thread->task);
	put_task_struct(thread->task);
	return thread->ret;
}

/*
 * kunit_fail.c: after test_fail_init(), test_fail_from() lets the @nth kernel
 * allocation of the calling thread fail (1 is the next one) and all after it, up
 * to test_fail_done(), which says whether any did.
 */
void test_fail_init(struct kunit *test);
void test_fail_from(unsigned int nth);
bool test_fail_done(void);

/*
 * kunit_uma.c: after test_misuse_init(), misuse of zones is written down here, and
 * nobody is warned of it, up to the end of the test.
 */
struct test_misuse {
	unsigned int count;
	enum uma_misuse what;	/* the last */
	const char *zone;
	const void *item;
};

extern struct test_misuse test_misuse;
void test_misuse_init(struct kunit *test);

/* For suites: no slabs of several pages are to be had, as before there is a kernel map. */
int test_kmem_none(struct kunit *test);

/* They are from now on, up to the end of the test, from the pool itself. */
void test_kmem_init(struct kunit *test);

/* What KASAN knows of a byte: 0 or the number of good ones of 8: it may be used. */
u8 test_kasan_shadow(const void *addr);

/* The @n-th CPU that is online, modulo their number. */
static inline int test_cpu(unsigned int n)
{
	int cpu;

	n %= num_online_cpus();
	for_each_online_cpu(cpu) {
		if (n-- == 0)
			break;
	}
	return cpu;
}

#endif /* BSDVM_KUNIT_H */
