// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Tests of zones, on the real pool. Nobody else uses it meanwhile.
 *
 * The debug kernel watches every zone for misuse, and then nothing of a zone is in
 * line. So most tests are done with a zone that is watched, and with one that is
 * not.
 */
#include "bsdvm_kunit.h"

#include <linux/io.h>
#include <linux/mm.h>
#include <linux/sched/signal.h>
#include <linux/vmalloc.h>

#include "vm/uma_int.h"
#include "vm/vm_kern.h"

/* --- what the tests of malloc() need, too */

struct test_misuse test_misuse;

static void test_note_misuse(const char *zone, enum uma_misuse what, const void *item)
{
	test_misuse.count++;
	test_misuse.what = what;
	test_misuse.zone = zone;
	test_misuse.item = item;
}

static void test_misuse_end(void *report)
{
	uma_dbg_report = report;
}

void test_misuse_init(struct kunit *test)
{
	void *report = uma_dbg_report;

	memset(&test_misuse, 0, sizeof(test_misuse));
	uma_dbg_report = test_note_misuse;
	KUNIT_ASSERT_EQ(test, 0, kunit_add_action_or_reset(test, test_misuse_end, report));
}

__no_sanitize_address u8 test_kasan_shadow(const void *addr)
{
	return *(u8 *)kasan_mem_to_shadow(addr);
}

static unsigned int test_kmem_order(size_t size)
{
	return get_order(size);
}

/* Who may wait gets addresses of their own, others those that all memory has. */
static void *test_kmem_alloc(size_t size, int flags)
{
	unsigned int order = test_kmem_order(size), i;
	struct vm_page *m;
	struct page **pages;
	void *addr;

	m = vm_phys_alloc_pages(order);
	if (!m)
		return NULL;
	for (i = 0; i < 1U << order; i++) {
		m[i].aflags = 0;
		m[i].queue = PQ_NONE;
		vm_page_wire(&m[i]);
	}
	addr = PHYS_TO_DMAP(m->phys_addr);
	if (!(flags & M_WAITOK))
		return addr;
	pages = kmalloc_array(1U << order, sizeof(*pages), GFP_KERNEL);
	if (pages) {
		for (i = 0; i < 1U << order; i++)
			pages[i] = virt_to_page(addr + ptoa(i));
		addr = vmap(pages, 1U << order, VM_MAP, PAGE_KERNEL) ?: addr;
	}
	kfree(pages);
	return addr;
}

static struct vm_page *test_kmem_page(const void *addr)
{
	if (!is_vmalloc_addr(addr))
		return NULL;
	return PHYS_TO_VM_PAGE(page_to_phys(vmalloc_to_page(addr)));
}

static void test_kmem_free(void *addr, size_t size)
{
	unsigned int order = test_kmem_order(size), i;
	struct vm_page *m = test_kmem_page(addr) ?: PHYS_TO_VM_PAGE(DMAP_TO_PHYS(addr));

	if (is_vmalloc_addr(addr))
		vunmap(addr);
	for (i = 0; i < 1U << order; i++)
		vm_page_unwire(&m[i], PQ_NONE);
	vm_phys_free_pages(m, order);
}

static const struct uma_kmem test_kmem = {
	.alloc = test_kmem_alloc,
	.free = test_kmem_free,
	.page = test_kmem_page,
};

static void test_kmem_end(void *arg)
{
	uma_reclaim(UMA_RECLAIM_DRAIN_CPU);
	uma_set_kmem(NULL);
}

static void test_kmem_real(void *arg)
{
	uma_set_kmem(&kmem_slabs);
}

int test_kmem_none(struct kunit *test)
{
	int ret = test_pages_init(test);

	if (ret)
		return ret;
	uma_set_kmem(NULL);
	return kunit_add_action_or_reset(test, test_kmem_real, NULL);
}

void test_kmem_init(struct kunit *test)
{
	uma_set_kmem(&test_kmem);
	KUNIT_ASSERT_EQ(test, 0, kunit_add_action_or_reset(test, test_kmem_end, NULL));
}

/* --- zones of tests */

static void test_zone_end(void *arg)
{
	struct uma_zone **zone = arg;

	uma_zdestroy(*zone);
}

/* Put a zone where the end of the test finds it. */
static struct uma_zone *test_zone_keep(struct kunit *test, struct uma_zone *zone)
{
	struct uma_zone **place = kunit_kzalloc(test, sizeof(*place), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, place);
	KUNIT_ASSERT_NOT_NULL(test, zone);
	*place = zone;
	KUNIT_ASSERT_EQ(test, 0, kunit_add_action_or_reset(test, test_zone_end, place));
	return zone;
}

static struct uma_zone *test_zone(struct kunit *test, size_t size, u32 flags)
{
	return test_zone_keep(test, uma_zcreate("test", size, NULL, NULL, NULL, NULL,
						UMA_ALIGN_PTR, flags));
}

/* Flags of a zone that is watched, and of one that is not. */
static const u32 modes[] = { 0, UMA_ZONE_NODEBUG };

static struct uma_stats test_stats(struct uma_zone *zone)
{
	struct uma_stats stats;

	uma_zone_get_stats(zone, &stats);
	return stats;
}

static void test_free_items(struct uma_zone *zone, void **items, unsigned int n)
{
	while (n--)
		uma_zfree(zone, items[n]);
}

/* --- items */

#define MANY 300

static void uma_check_items(struct kunit *test, size_t size, unsigned int align, u32 flags)
{
	void **items = kunit_kcalloc(test, MANY, sizeof(*items), GFP_KERNEL);
	struct uma_zone *zone;
	unsigned int i;

	KUNIT_ASSERT_NOT_NULL(test, items);
	zone = uma_zcreate("test", size, NULL, NULL, NULL, NULL, align, flags);
	KUNIT_ASSERT_NOT_NULL(test, zone);
	for (i = 0; i < MANY; i++) {
		items[i] = uma_zalloc(zone, i & 1 ? M_WAITOK : M_NOWAIT);
		KUNIT_ASSERT_NOT_NULL(test, items[i]);
		KUNIT_EXPECT_EQ_MSG(test, (unsigned long)items[i] & align, 0UL, "size %zu", size);
		memset(items[i], i, size);
	}
	KUNIT_EXPECT_EQ(test, uma_zone_get_cur(zone), (unsigned long)MANY);
	for (i = 0; i < MANY; i++)
		KUNIT_ASSERT_NULL_MSG(test, memchr_inv(items[i], i, size),
				      "items of %zu bytes overlap", size);
	test_free_items(zone, items, MANY);
	KUNIT_EXPECT_EQ(test, uma_zone_get_cur(zone), 0UL);
	uma_zdestroy(zone);
	kunit_kfree(test, items);
}

static void uma_items_have_their_size_and_alignment(struct kunit *test)
{
	static const size_t sizes[] = {
		1, 7, 8, 16, 17, 40, 64, 100, 128, 255, 500, 512, 900, 1000, 1024, 1300, 2000,
		2032, 2048, 2049, 4000, 4095, 4096,
	};
	static const unsigned int aligns[] = {
		UMA_ALIGN_CHAR, UMA_ALIGN_SHORT, UMA_ALIGN_INT, UMA_ALIGN_PTR, UMA_ALIGN_CACHE,
		511, 4095,
	};
	unsigned int i, j, k;

	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		for (j = 0; j < ARRAY_SIZE(aligns); j++) {
			for (k = 0; k < ARRAY_SIZE(modes); k++)
				uma_check_items(test, sizes[i], aligns[j], modes[k]);
		}
	}
}

static void uma_zcreate_refuses_nonsense(struct kunit *test)
{
	KUNIT_EXPECT_NULL(test, uma_zcreate("test", 0, NULL, NULL, NULL, NULL, 7, 0));
	KUNIT_EXPECT_NULL(test, uma_zcreate("test", UMA_LARGEST_UNIT + 1, NULL, NULL, NULL, NULL,
					    7, 0));
	KUNIT_EXPECT_NULL(test, uma_zcreate("test", 8, NULL, NULL, NULL, NULL, 8, 0));
	KUNIT_EXPECT_NULL(test, uma_zcreate("test", 8, NULL, NULL, NULL, NULL, 8191, 0));
}

static void uma_zcreate_without_memory(struct kunit *test)
{
	struct uma_zone *zone;
	unsigned int n;
	bool failed;

	test_fail_init(test);
	for (n = 1; n < 20; n++) {
		test_fail_from(n);
		zone = uma_zcreate("test", 100, NULL, NULL, NULL, NULL, UMA_ALIGN_PTR, 0);
		failed = test_fail_done();
		KUNIT_EXPECT_EQ(test, failed, !zone);
		uma_zdestroy(zone);
		if (!failed)
			break;
	}
	KUNIT_EXPECT_GT(test, n, 1U);
	KUNIT_EXPECT_FALSE(test, failed);
}

static void uma_null_is_freed_and_destroyed(struct kunit *test)
{
	struct uma_zone *zone = test_zone(test, 64, 0);

	uma_zfree(zone, NULL);
	uma_zdestroy(NULL);
	KUNIT_EXPECT_EQ(test, uma_zone_get_cur(zone), 0UL);
	KUNIT_EXPECT_EQ(test, test_stats(zone).slabs, 0ULL);
}

/* Both when the item comes from its slab and when it comes from a bucket. */
static void uma_zero_flag_zeroes(struct kunit *test)
{
	unsigned int i, round;
	void *items[40];

	for (i = 0; i < ARRAY_SIZE(modes); i++) {
		struct uma_zone *zone = test_zone(test, 200, modes[i]);

		for (round = 0; round < 2 * ARRAY_SIZE(items); round++) {
			unsigned int j = round % ARRAY_SIZE(items);

			items[j] = uma_zalloc(zone, M_WAITOK | M_ZERO);
			KUNIT_ASSERT_NOT_NULL(test, items[j]);
			KUNIT_EXPECT_NULL(test, memchr_inv(items[j], 0, 200));
			memset(items[j], 0xff, 200);
			if (j == ARRAY_SIZE(items) - 1)
				test_free_items(zone, items, ARRAY_SIZE(items));
		}
	}
}

/* Zeroed by whoever made the slab; what was stored since stays, free or not. */
static void uma_zinit_items_begin_zero(struct kunit *test)
{
	unsigned int i, j;
	static u8 *items[64];

	for (i = 0; i < ARRAY_SIZE(modes); i++) {
		struct uma_zone *zone = test_zone(test, 100, UMA_ZONE_ZINIT | modes[i]);

		for (j = 0; j < ARRAY_SIZE(items); j++) {
			items[j] = uma_zalloc(zone, M_WAITOK);
			KUNIT_ASSERT_NOT_NULL(test, items[j]);
			KUNIT_EXPECT_NULL(test, memchr_inv(items[j], 0, 100));
			memset(items[j], 0x5a, 100);
		}
		test_free_items(zone, (void **)items, ARRAY_SIZE(items));
		migrate_disable();
		items[0] = uma_zalloc(zone, M_WAITOK);
		KUNIT_EXPECT_NULL(test, memchr_inv(items[0], 0x5a, 100));
		uma_zfree(zone, items[0]);
		migrate_enable();
	}
}

/* --- constructors and the like */

static struct {
	unsigned int ctors, dtors, inits, finis;
	unsigned int fail_ctor;	/* the next but so many fails, 0: none */
	unsigned int fail_init;
	void *arg;
	int flags;
	int size;
} calls;

#define MADE 0x1234

struct made {
	u32 made;
	u32 used;
	char more[80];
};

static int made_ctor(void *mem, int size, void *arg, int flags)
{
	struct made *item = mem;

	if (calls.fail_ctor && !--calls.fail_ctor)
		return -EPERM;
	calls.ctors += item->made == MADE && !item->used;
	calls.arg = arg;
	calls.flags = flags;
	item->used = 1;
	return 0;
}

static void made_dtor(void *mem, int size, void *arg)
{
	struct made *item = mem;

	calls.dtors += item->made == MADE && item->used;
	calls.arg = arg;
	item->used = 0;
}

static int made_init(void *mem, int size, int flags)
{
	struct made *item = mem;

	if (calls.fail_init && !--calls.fail_init)
		return -EPERM;
	calls.inits++;
	calls.size = size;
	item->made = MADE;
	item->used = 0;
	return 0;
}

static void made_fini(void *mem, int size)
{
	struct made *item = mem;

	calls.finis += item->made == MADE && !item->used;
	item->made = 0;
}

static struct uma_zone *made_zone(u32 flags)
{
	memset(&calls, 0, sizeof(calls));
	return uma_zcreate("made", sizeof(struct made), made_ctor, made_dtor, made_init,
			   made_fini, UMA_ALIGN_PTR, flags);
}

static void uma_callbacks_are_called(struct kunit *test)
{
	unsigned int i, j, arg;
	struct uma_zone *zone;
	static void *items[100];

	for (i = 0; i < ARRAY_SIZE(modes); i++) {
		zone = made_zone(modes[i]);
		KUNIT_ASSERT_NOT_NULL(test, zone);
		for (j = 0; j < ARRAY_SIZE(items); j++) {
			items[j] = uma_zalloc_arg(zone, &arg, M_NOWAIT);
			KUNIT_ASSERT_NOT_NULL(test, items[j]);
			KUNIT_EXPECT_EQ(test, calls.ctors, j + 1);
			KUNIT_EXPECT_PTR_EQ(test, calls.arg, (void *)&arg);
			KUNIT_EXPECT_EQ(test, calls.flags, M_NOWAIT);
		}
		KUNIT_EXPECT_EQ(test, calls.size, (int)sizeof(struct made));
		KUNIT_EXPECT_GE(test, calls.inits, (unsigned int)ARRAY_SIZE(items));
		for (j = 0; j < ARRAY_SIZE(items); j++) {
			uma_zfree_arg(zone, items[j], items);
			KUNIT_EXPECT_EQ(test, calls.dtors, j + 1);
			KUNIT_EXPECT_PTR_EQ(test, calls.arg, (void *)items);
		}
		KUNIT_EXPECT_EQ(test, calls.finis, 0U);
		uma_zone_reclaim(zone, UMA_RECLAIM_DRAIN_CPU);
		KUNIT_EXPECT_EQ(test, calls.finis, calls.inits);
		items[0] = uma_zalloc(zone, M_WAITOK);
		uma_zfree(zone, items[0]);
		uma_zdestroy(zone);
		KUNIT_EXPECT_EQ(test, calls.finis, calls.inits);
		KUNIT_EXPECT_EQ(test, calls.ctors, calls.dtors);
	}
}

static void uma_ctor_that_refuses(struct kunit *test)
{
	unsigned int i;
	struct uma_zone *zone;
	void *item;

	for (i = 0; i < ARRAY_SIZE(modes); i++) {
		zone = made_zone(modes[i]);
		KUNIT_ASSERT_NOT_NULL(test, zone);
		calls.fail_ctor = 1;
		KUNIT_EXPECT_NULL(test, uma_zalloc(zone, M_WAITOK));
		calls.fail_ctor = 1;
		KUNIT_EXPECT_NULL(test, uma_zalloc(zone, M_NOWAIT));
		KUNIT_EXPECT_EQ(test, calls.dtors, 0U);
		KUNIT_EXPECT_EQ(test, test_stats(zone).failures, 2ULL);
		KUNIT_EXPECT_EQ(test, test_stats(zone).used, 0ULL);
		item = uma_zalloc(zone, M_WAITOK);
		KUNIT_EXPECT_NOT_NULL(test, item);
		uma_zfree(zone, item);
		uma_zdestroy(zone);
		KUNIT_EXPECT_EQ(test, calls.finis, calls.inits);
	}
}

static void uma_init_that_refuses(struct kunit *test)
{
	unsigned int i, n;
	struct uma_zone *zone;
	void *item;

	for (i = 0; i < ARRAY_SIZE(modes); i++) {
		zone = made_zone(modes[i] | UMA_ZONE_NOBUCKET);
		KUNIT_ASSERT_NOT_NULL(test, zone);
		for (n = 1; n < 10; n++) {
			calls.fail_init = n;
			KUNIT_EXPECT_NULL(test, uma_zalloc(zone, n & 1 ? M_WAITOK : M_NOWAIT));
			KUNIT_EXPECT_EQ(test, calls.finis, calls.inits);
			KUNIT_EXPECT_EQ(test, test_stats(zone).slabs, 0ULL);
		}
		calls.fail_init = 1;
		KUNIT_EXPECT_EQ(test, -EPERM, uma_prealloc(zone, 1));
		item = uma_zalloc(zone, M_WAITOK);
		KUNIT_EXPECT_NOT_NULL(test, item);
		uma_zfree(zone, item);
		uma_zdestroy(zone);
		KUNIT_EXPECT_EQ(test, calls.finis, calls.inits);
	}
}

/* --- the limit */

static void uma_limit_is_exact(struct kunit *test)
{
	void *items[10];
	unsigned int i, j;

	for (i = 0; i < ARRAY_SIZE(modes); i++) {
		struct uma_zone *zone = test_zone(test, 100, modes[i]);

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

struct alloc_one {
	struct uma_zone *zone;
	int flags;
	void *item;
};

static int alloc_one_thread(void *arg)
{
	struct alloc_one *one = arg;

	allow_signal(SIGKILL);
	WRITE_ONCE(one->item, uma_zalloc(one->zone, one->flags));
	return one->item ? 0 : -ENOMEM;
}

static void uma_limit_waiter_is_woken(struct kunit *test)
{
	struct alloc_one *one = kunit_kzalloc(test, sizeof(*one), GFP_KERNEL);
	struct test_thread *thread;
	unsigned long start;
	void *item;

	KUNIT_ASSERT_NOT_NULL(test, one);
	one->zone = test_zone(test, 64, 0);
	one->flags = M_WAITOK;
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
	struct alloc_one *one = kunit_kzalloc(test, sizeof(*one), GFP_KERNEL);
	struct test_thread *thread;
	void *item;

	KUNIT_ASSERT_NOT_NULL(test, one);
	one->zone = test_zone(test, 64, 0);
	one->flags = M_WAITOK;
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

struct churn {
	struct uma_zone *zone;
	unsigned int n;
	void **items;
};

static int churn_thread(void *arg)
{
	struct churn *churn = arg;
	unsigned int n;

	for (n = 0; n < churn->n; n++) {
		churn->items[n] = uma_zalloc(churn->zone, M_WAITOK);
		if (!churn->items[n])
			return -ENOMEM;
	}
	test_free_items(churn->zone, churn->items, churn->n);
	return 0;
}

static struct churn *test_churn(struct kunit *test, struct uma_zone *zone, unsigned int n)
{
	struct churn *churn = kunit_kzalloc(test, sizeof(*churn), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, churn);
	churn->zone = zone;
	churn->n = n;
	churn->items = kunit_kcalloc(test, n, sizeof(void *), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, churn->items);
	return churn;
}

static int churn_on(struct kunit *test, unsigned int cpu, struct churn *churn)
{
	return test_thread_join(test_thread(test, test_cpu(cpu), churn_thread, churn));
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

/* --- reserve and preallocation */

static void uma_reserve_is_for_who_may(struct kunit *test)
{
	struct test_pages *pages = test_pages_alloc(test);
	void *items[8], *item;
	unsigned int i, n;

	for (i = 0; i < ARRAY_SIZE(modes); i++) {
		/* Of four to a page, four are for anyone. */
		struct uma_zone *zone = test_zone(test, 900, modes[i]);

		uma_zone_reserve(zone, 4);
		KUNIT_ASSERT_EQ(test, 0, uma_prealloc(zone, 8));
		KUNIT_EXPECT_EQ(test, test_stats(zone).pages, 2ULL);
		test_pages_exhaust(pages, VM_ALLOC_INTERRUPT);
		uma_zone_reclaim(zone, UMA_RECLAIM_DRAIN_CPU);
		/* A page went, but not the one in reserve. */
		KUNIT_EXPECT_EQ(test, test_stats(zone).pages, 1ULL);
		test_pages_exhaust(pages, VM_ALLOC_INTERRUPT);
		KUNIT_EXPECT_NULL(test, uma_zalloc(zone, M_NOWAIT));
		for (n = 0; n < 4; n++) {
			items[n] = uma_zalloc(zone, M_NOWAIT | M_USE_RESERVE);
			KUNIT_EXPECT_NOT_NULL(test, items[n]);
		}
		KUNIT_EXPECT_NULL(test, uma_zalloc(zone, M_NOWAIT | M_USE_RESERVE));
		test_pages_put_all(pages);
		/* It is not filled again by itself, but what is freed is kept. */
		item = uma_zalloc(zone, M_NOWAIT);
		KUNIT_EXPECT_NOT_NULL(test, item);
		uma_zfree(zone, item);
		test_free_items(zone, items, 4);
	}
}

static void uma_preallocated_items_need_no_page(struct kunit *test)
{
	struct test_pages *pages = test_pages_alloc(test);
	unsigned int i, n;
	void *items[50];

	for (i = 0; i < ARRAY_SIZE(modes); i++) {
		struct uma_zone *zone = test_zone(test, 300, modes[i] | UMA_ZONE_NOBUCKET);

		KUNIT_ASSERT_EQ(test, 0, uma_prealloc(zone, ARRAY_SIZE(items)));
		KUNIT_EXPECT_GE(test, test_stats(zone).free, (u64)ARRAY_SIZE(items));
		test_pages_exhaust(pages, VM_ALLOC_INTERRUPT);
		for (n = 0; n < ARRAY_SIZE(items); n++) {
			items[n] = uma_zalloc(zone, M_NOWAIT);
			KUNIT_ASSERT_NOT_NULL(test, items[n]);
		}
		test_free_items(zone, items, ARRAY_SIZE(items));
		test_pages_put_all(pages);
	}
}

/* Pages of the pool's reserve are for who may, too. */
static void uma_use_reserve_has_pages_of_the_reserve(struct kunit *test)
{
	struct uma_zone *zone = test_zone(test, 4096, UMA_ZONE_NOBUCKET);
	struct test_pages *pages = test_pages_alloc(test);
	void *item;

	test_pages_exhaust(pages, VM_ALLOC_SYSTEM);
	KUNIT_EXPECT_NULL(test, uma_zalloc(zone, M_NOWAIT));
	item = uma_zalloc(zone, M_NOWAIT | M_USE_RESERVE);
	KUNIT_EXPECT_NOT_NULL(test, item);
	uma_zfree(zone, item);
}

/* --- statistics */

static void uma_stats_add_up(struct kunit *test)
{
	unsigned int i, n;
	static void *items[100];

	for (i = 0; i < ARRAY_SIZE(modes); i++) {
		struct uma_zone *zone = test_zone(test, 200, modes[i]);
		struct uma_stats stats;

		for (n = 0; n < ARRAY_SIZE(items); n++)
			items[n] = uma_zalloc(zone, M_WAITOK);
		test_free_items(zone, items + 60, 40);
		stats = test_stats(zone);
		KUNIT_EXPECT_STREQ(test, stats.name, "test");
		KUNIT_EXPECT_EQ(test, stats.size, 200ULL);
		KUNIT_EXPECT_GE(test, stats.rsize, 200ULL);
		KUNIT_EXPECT_EQ(test, stats.used, 60ULL);
		KUNIT_EXPECT_EQ(test, stats.requests, 100ULL);
		KUNIT_EXPECT_EQ(test, stats.failures, 0ULL);
		KUNIT_EXPECT_EQ(test, stats.sleeps, 0ULL);
		KUNIT_EXPECT_EQ(test, stats.limit, 0ULL);
		KUNIT_EXPECT_EQ(test, stats.pages, stats.slabs);
		KUNIT_EXPECT_GE(test, stats.free, 40ULL);
		/* All of it is in slabs, but for their headers and what is left of a page. */
		KUNIT_EXPECT_LE(test, (stats.used + stats.free) * stats.rsize, stats.pages * 4096);
		KUNIT_EXPECT_GE(test, (stats.used + stats.free + stats.slabs) * stats.rsize +
				stats.slabs * 128, stats.pages * 4096);
		test_free_items(zone, items, 60);
	}
}

static void uma_zones_are_listed(struct kunit *test)
{
	struct uma_stats stats;
	unsigned int i, n, found = 0;
	struct uma_zone *zone;
	void *item;

	for (n = 0; !uma_zone_stats(n, &stats); n++)
		KUNIT_EXPECT_STRNEQ(test, stats.name, "test listed");
	KUNIT_EXPECT_GT(test, n, 5U);
	zone = test_zone_keep(test, uma_zcreate("test listed", 40, NULL, NULL, NULL, NULL,
						UMA_ALIGN_PTR, 0));
	item = uma_zalloc(zone, M_WAITOK);
	for (i = 0; !uma_zone_stats(i, &stats); i++) {
		if (strcmp(stats.name, "test listed"))
			continue;
		found++;
		KUNIT_EXPECT_EQ(test, stats.used, 1ULL);
	}
	KUNIT_EXPECT_EQ(test, found, 1U);
	KUNIT_EXPECT_EQ(test, i, n + 1);
	KUNIT_EXPECT_EQ(test, -ENOENT, uma_zone_stats(i, &stats));
	uma_zfree(zone, item);
}

/* --- giving memory back */

static void uma_reclaim_gives_back_what_it_says(struct kunit *test)
{
	struct uma_zone *zone = test_zone(test, 1000, UMA_ZONE_NODEBUG);
	struct churn *churn = test_churn(test, zone, 1000);
	u64 pages[4];
	int req;

	KUNIT_EXPECT_EQ(test, 0, churn_on(test, 1, churn));
	pages[0] = test_stats(zone).pages;
	KUNIT_EXPECT_GE(test, pages[0], 250ULL);
	for (req = UMA_RECLAIM_TRIM; req <= UMA_RECLAIM_DRAIN_CPU; req++) {
		uma_zone_reclaim(zone, req);
		pages[req] = test_stats(zone).pages;
		KUNIT_EXPECT_LT(test, pages[req], pages[req - 1]);
	}
	KUNIT_EXPECT_EQ(test, pages[UMA_RECLAIM_DRAIN_CPU], 0ULL);
	/* All zones, and from both CPUs. */
	KUNIT_EXPECT_EQ(test, 0, churn_on(test, 0, churn));
	KUNIT_EXPECT_EQ(test, 0, churn_on(test, 1, churn));
	uma_reclaim(UMA_RECLAIM_DRAIN_CPU);
	KUNIT_EXPECT_EQ(test, test_stats(zone).pages, 0ULL);
}

static void uma_reclaim_leaves_what_is_in_use(struct kunit *test)
{
	struct uma_zone *zone = test_zone(test, 1000, 0);
	void *item = uma_zalloc(zone, M_WAITOK);

	memset(item, 0x77, 1000);
	uma_reclaim(UMA_RECLAIM_DRAIN_CPU);
	KUNIT_EXPECT_EQ(test, test_stats(zone).pages, 1ULL);
	KUNIT_EXPECT_NULL(test, memchr_inv(item, 0x77, 1000));
	uma_zfree(zone, item);
}

static void uma_nofree_keeps_its_memory(struct kunit *test)
{
	unsigned int i;
	u32 *item;

	for (i = 0; i < ARRAY_SIZE(modes); i++) {
		struct uma_zone *zone = test_zone(test, 64, UMA_ZONE_NOFREE | modes[i]);

		item = uma_zalloc(zone, M_WAITOK);
		*item = 0x600d;
		uma_zfree(zone, item);
		uma_reclaim(UMA_RECLAIM_DRAIN_CPU);
		KUNIT_EXPECT_EQ(test, test_stats(zone).pages, 1ULL);
		/* It may be read. */
		KUNIT_EXPECT_EQ(test, READ_ONCE(*item), 0x600dU);
	}
}

static void uma_buckets_grow_and_shrink(struct kunit *test)
{
	struct uma_zone *zone = test_zone(test, 32, UMA_ZONE_NODEBUG);
	struct churn *churn = test_churn(test, zone, 4000);
	u64 before = test_stats(zone).bucket, after;

	KUNIT_EXPECT_EQ(test, 0, churn_on(test, 0, churn));
	KUNIT_EXPECT_EQ(test, 0, churn_on(test, 0, churn));
	after = test_stats(zone).bucket;
	KUNIT_EXPECT_GT(test, after, before);
	uma_zone_reclaim(zone, UMA_RECLAIM_TRIM);
	KUNIT_EXPECT_LT(test, test_stats(zone).bucket, after);
}

static void uma_nobucket_has_none(struct kunit *test)
{
	struct uma_zone *zone = test_zone(test, 1000, UMA_ZONE_NOBUCKET);
	void *item = uma_zalloc(zone, M_WAITOK);

	KUNIT_EXPECT_EQ(test, test_stats(zone).bucket, 0ULL);
	uma_zfree(zone, item);
	uma_zone_reclaim(zone, UMA_RECLAIM_TRIM);
	KUNIT_EXPECT_EQ(test, test_stats(zone).pages, 0ULL);
	uma_zone_set_max(zone, 10000);
	KUNIT_EXPECT_EQ(test, test_stats(zone).bucket, 0ULL);
}

/* --- slabs */

static void uma_slabs_are_coloured(struct kunit *test)
{
	static unsigned long begins[64];
	static void *items[64];
	unsigned long colours = 0;
	unsigned int i, j;
	struct uma_zone *zone = test_zone(test, 900, UMA_ZONE_NODEBUG | UMA_ZONE_NOBUCKET);

	for (i = 0; i < ARRAY_SIZE(items); i++) {
		struct uma_slab *slab;

		items[i] = uma_zalloc(zone, M_WAITOK);
		slab = vtoslab(items[i]);
		KUNIT_ASSERT_NOT_NULL(test, slab);
		begins[i] = (unsigned long)slab->us_data & VM_PAGE_MASK;
		KUNIT_EXPECT_EQ(test, begins[i] % L1_CACHE_BYTES, 0UL);
		for (j = 0; j < i && begins[j] != begins[i]; j++)
			;
		colours += j == i;
	}
	KUNIT_EXPECT_GE(test, colours, 5UL);
	test_free_items(zone, items, ARRAY_SIZE(items));
}

/* Two of half a page each are a page only when the header is elsewhere. */
static void uma_large_items_have_headers_apart(struct kunit *test)
{
	struct uma_zone *zone = test_zone(test, 2048, UMA_ZONE_NODEBUG | UMA_ZONE_NOBUCKET);
	struct uma_slab *slab;
	void *items[2];

	items[0] = uma_zalloc(zone, M_WAITOK);
	items[1] = uma_zalloc(zone, M_WAITOK);
	KUNIT_EXPECT_EQ(test, test_stats(zone).pages, 1ULL);
	slab = vtoslab(items[0]);
	KUNIT_EXPECT_PTR_EQ(test, vtoslab(items[1] + 2047), slab);
	KUNIT_EXPECT_NE(test, trunc_page((unsigned long)slab),
			trunc_page((unsigned long)items[0]));
	test_free_items(zone, items, 2);

	zone = test_zone(test, 100, UMA_ZONE_NOBUCKET);
	items[0] = uma_zalloc(zone, M_WAITOK);
	slab = vtoslab(items[0]);
	KUNIT_EXPECT_EQ(test, trunc_page((unsigned long)slab),
			trunc_page((unsigned long)items[0]));
	uma_zfree(zone, items[0]);
}

static void uma_larger_than_a_page_needs_the_kernel_map(struct kunit *test)
{
	struct uma_zone *zone = test_zone(test, 10000, 0);
	unsigned int i;
	void *items[20];

	KUNIT_EXPECT_NULL(test, uma_zalloc(zone, M_NOWAIT));
	KUNIT_EXPECT_NULL(test, uma_zalloc(zone, M_WAITOK));
	KUNIT_EXPECT_EQ(test, -ENOMEM, uma_prealloc(zone, 1));
	KUNIT_EXPECT_EQ(test, test_stats(zone).failures, 2ULL);

	test_kmem_init(test);
	for (i = 0; i < ARRAY_SIZE(items); i++) {
		items[i] = uma_zalloc(zone, i & 1 ? M_WAITOK : M_NOWAIT);
		KUNIT_ASSERT_NOT_NULL(test, items[i]);
		memset(items[i], i, 10000);
		KUNIT_EXPECT_PTR_EQ(test, vtoslab(items[i]), vtoslab(items[i] + 9999));
	}
	for (i = 0; i < ARRAY_SIZE(items); i++)
		KUNIT_EXPECT_NULL(test, memchr_inv(items[i], i, 10000));
	KUNIT_EXPECT_EQ(test, test_stats(zone).slabs * 3, test_stats(zone).pages);
	test_free_items(zone, items, ARRAY_SIZE(items));
	uma_zone_reclaim(zone, UMA_RECLAIM_DRAIN_CPU);
	KUNIT_EXPECT_EQ(test, test_stats(zone).pages, 0ULL);

	KUNIT_EXPECT_EQ(test, 0, uma_prealloc(zone, 2));
	KUNIT_EXPECT_EQ(test, test_stats(zone).pages, 6ULL);
	items[0] = uma_zalloc(zone, M_WAITOK);
	KUNIT_EXPECT_TRUE(test, is_vmalloc_addr(items[0]));
	uma_zfree(zone, items[0]);
	uma_zone_reclaim(zone, UMA_RECLAIM_DRAIN_CPU);
}

/* --- contexts */

static void uma_nowait_is_for_atomic_context(struct kunit *test)
{
	static DEFINE_SPINLOCK(lock);
	unsigned int i, n, failed = 0;
	static void *items[200];

	for (i = 0; i < ARRAY_SIZE(modes); i++) {
		struct uma_zone *zone = test_zone(test, 500, modes[i]);

		spin_lock_irq(&lock);
		for (n = 0; n < ARRAY_SIZE(items); n++) {
			items[n] = uma_zalloc(zone, M_NOWAIT | (n & 1 ? M_ZERO : 0));
			failed += !items[n];
		}
		test_free_items(zone, items, ARRAY_SIZE(items));
		spin_unlock_irq(&lock);
		KUNIT_EXPECT_EQ(test, failed, 0U);
		rcu_read_lock();
		preempt_disable();
		uma_zfree(zone, uma_zalloc(zone, M_NOWAIT));
		preempt_enable();
		rcu_read_unlock();
	}
}

/* --- no memory */

static void uma_exhaustion_and_recovery(struct kunit *test)
{
	unsigned long before, n, i;
	struct uma_zone *zone;
	void **items;

	for (i = 0; i < ARRAY_SIZE(modes); i++) {
		zone = test_zone(test, 3000, modes[i]);
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
	struct alloc_one *one = kunit_kzalloc(test, sizeof(*one), GFP_KERNEL);
	struct test_pages *pages = test_pages_alloc(test);
	struct test_thread *thread;

	KUNIT_ASSERT_NOT_NULL(test, one);
	one->zone = test_zone(test, 4096, 0);
	one->flags = M_WAITOK;
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
	struct alloc_one *one = kunit_kzalloc(test, sizeof(*one), GFP_KERNEL);
	struct test_pages *pages = test_pages_alloc(test);
	struct test_thread *thread;
	void *item;

	KUNIT_ASSERT_NOT_NULL(test, one);
	one->zone = test_zone(test, 4096, 0);
	one->flags = M_WAITOK;
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
	struct alloc_one *one = kunit_kzalloc(test, sizeof(*one), GFP_KERNEL);
	struct test_pages *pages = test_pages_alloc(test);
	struct test_thread *thread;

	KUNIT_ASSERT_NOT_NULL(test, one);
	one->zone = test_zone(test, 4096, 0);
	one->flags = M_WAITOK;
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

/* --- against a model */

#define MODEL_ZONES	6
#define MODEL_SLOTS	128
#define MODEL_STEPS	6000

/* In each item; the rest of it is the low byte of its stamp. */
struct model_item {
	u32 zone;
	u32 stamp;
	u8 rest[];
};

/* Slots are exchanged, so that items are often freed by another CPU. */
struct model {
	struct uma_zone *zones[MODEL_ZONES];
	size_t sizes[MODEL_ZONES];
	struct model_item *slots[MODEL_SLOTS];
	atomic_t used[MODEL_ZONES];
	atomic_t running;
};

struct model_thread {
	struct model *model;
	u64 seed;
};

static void model_fill(struct model *model, struct model_item *item, u32 zone, u32 stamp)
{
	item->zone = zone;
	item->stamp = stamp;
	memset(item->rest, stamp, model->sizes[zone] - sizeof(*item));
}

static bool model_free(struct model *model, struct model_item *item)
{
	u32 zone;
	bool good;

	if (!item)
		return true;
	zone = item->zone;
	if (zone >= MODEL_ZONES)
		return false;
	good = !memchr_inv(item->rest, item->stamp & 0xff, model->sizes[zone] - sizeof(*item));
	atomic_dec(&model->used[zone]);
	uma_zfree(model->zones[zone], item);
	return good;
}

static int model_thread(void *arg)
{
	struct model_thread *self = arg;
	struct model *model = self->model;
	struct model_item *item;
	struct rnd_state rnd;
	unsigned int i;
	int ret = 0;
	u32 zone;

	prandom_seed_state(&rnd, self->seed);
	for (i = 0; i < MODEL_STEPS && !ret; i++) {
		item = NULL;
		if (test_random(&rnd, 5)) {
			zone = test_random(&rnd, MODEL_ZONES);
			item = uma_zalloc(model->zones[zone],
					  test_random(&rnd, 2) ? M_WAITOK : M_NOWAIT);
			if (item) {
				atomic_inc(&model->used[zone]);
				model_fill(model, item, zone, prandom_u32_state(&rnd));
			}
		}
		item = xchg(&model->slots[test_random(&rnd, MODEL_SLOTS)], item);
		if (!model_free(model, item))
			ret = -EIO;
		if (i % 64 == 0)
			cond_resched();
	}
	atomic_dec(&model->running);
	return ret;
}

static void model_run(struct kunit *test, u32 flags, u64 seed)
{
	static const size_t sizes[MODEL_ZONES] = { 16, 48, 200, 1024, 2048, 4096 };
	struct model *model = kunit_kzalloc(test, sizeof(*model), GFP_KERNEL);
	struct model_thread self[3];
	struct test_thread *thread[3];
	unsigned int i;

	KUNIT_ASSERT_NOT_NULL(test, model);
	for (i = 0; i < MODEL_ZONES; i++) {
		model->sizes[i] = sizes[i];
		model->zones[i] = test_zone(test, sizes[i], flags);
	}
	/* One that is often full; who waits for it holds none of it. */
	uma_zone_set_max(model->zones[2], MODEL_SLOTS + ARRAY_SIZE(thread));
	atomic_set(&model->running, ARRAY_SIZE(thread));
	for (i = 0; i < ARRAY_SIZE(thread); i++) {
		self[i] = (struct model_thread){ model, seed + i };
		thread[i] = test_thread(test, test_cpu(i), model_thread, &self[i]);
	}
	while (atomic_read(&model->running)) {
		uma_reclaim(UMA_RECLAIM_DRAIN_CPU);
		msleep(20);
	}
	for (i = 0; i < ARRAY_SIZE(thread); i++)
		KUNIT_EXPECT_EQ(test, 0, test_thread_join(thread[i]));
	for (i = 0; i < MODEL_ZONES; i++)
		KUNIT_EXPECT_EQ(test, uma_zone_get_cur(model->zones[i]),
				(unsigned long)atomic_read(&model->used[i]));
	for (i = 0; i < MODEL_SLOTS; i++)
		KUNIT_EXPECT_TRUE(test, model_free(model, model->slots[i]));
}

static void uma_random_on_two_cpus(struct kunit *test)
{
	model_run(test, 0, 100);
	model_run(test, UMA_ZONE_NODEBUG, 200);
	model_run(test, UMA_ZONE_NODEBUG | UMA_ZONE_NOBUCKET, 300);
}

/* --- misuse */

static __no_sanitize_address noinline void test_poke(void *addr, u8 value)
{
	WRITE_ONCE(*(u8 *)addr, value);
}

static void test_expect_misuse(struct kunit *test, unsigned int count, enum uma_misuse what,
			       const void *item)
{
	KUNIT_EXPECT_EQ(test, test_misuse.count, count);
	KUNIT_EXPECT_EQ(test, test_misuse.what, what);
	KUNIT_EXPECT_PTR_EQ(test, test_misuse.item, item);
	if (count)
		KUNIT_EXPECT_STREQ(test, test_misuse.zone, "test");
}

static void uma_finds_use_after_free(struct kunit *test)
{
	struct uma_zone *zone = test_zone(test, 100, 0);
	void *item;

	test_misuse_init(test);
	/* Found when it is allocated again, */
	migrate_disable();
	item = uma_zalloc(zone, M_WAITOK);
	uma_zfree(zone, item);
	test_poke(item + 50, 1);
	KUNIT_EXPECT_PTR_EQ(test, uma_zalloc(zone, M_NOWAIT), item);
	migrate_enable();
	test_expect_misuse(test, 1, UMA_USE_AFTER_FREE, item);
	uma_zfree(zone, item);
	/* or when the slab goes. */
	test_poke(item + 99, 1);
	uma_zone_reclaim(zone, UMA_RECLAIM_DRAIN_CPU);
	test_expect_misuse(test, 2, UMA_USE_AFTER_FREE, item);
}

static void uma_finds_double_free(struct kunit *test)
{
	struct uma_zone *zone = test_zone(test, 100, 0);
	void *items[2];

	test_misuse_init(test);
	items[0] = uma_zalloc(zone, M_WAITOK);
	uma_zfree(zone, items[0]);
	uma_zfree(zone, items[0]);
	test_expect_misuse(test, 1, UMA_DOUBLE_FREE, items[0]);
	/* No harm came of it. */
	items[0] = uma_zalloc(zone, M_WAITOK);
	items[1] = uma_zalloc(zone, M_WAITOK);
	KUNIT_EXPECT_PTR_NE(test, items[0], items[1]);
	test_free_items(zone, items, 2);
	KUNIT_EXPECT_EQ(test, test_misuse.count, 1U);

	/* Slabs know when nobody watches, too. */
	zone = test_zone(test, 100, UMA_ZONE_NODEBUG | UMA_ZONE_NOBUCKET);
	items[0] = uma_zalloc(zone, M_WAITOK);
	uma_zfree(zone, items[0]);
	uma_zfree(zone, items[0]);
	test_expect_misuse(test, 2, UMA_DOUBLE_FREE, items[0]);
}

static void uma_finds_overrun(struct kunit *test)
{
	static const size_t sizes[] = { 16, 100, 1024, 2048 };
	unsigned int i;
	void *item;

	test_misuse_init(test);
	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		struct uma_zone *zone = test_zone(test, sizes[i], 0);

		item = uma_zalloc(zone, M_WAITOK);
		test_poke(item + sizes[i], 1);
		uma_zfree(zone, item);
		test_expect_misuse(test, i + 1, UMA_OVERRUN, item);
		uma_zone_reclaim(zone, UMA_RECLAIM_DRAIN_CPU);
		KUNIT_EXPECT_EQ(test, test_misuse.count, i + 1);
	}
}

static void uma_finds_wrong_zone(struct kunit *test)
{
	struct uma_zone *zone = test_zone(test, 100, 0), *other = test_zone(test, 100, 0);
	void *item;

	test_misuse_init(test);
	item = uma_zalloc(zone, M_WAITOK);
	uma_zfree(other, item);
	test_expect_misuse(test, 1, UMA_WRONG_ZONE, item);
	KUNIT_EXPECT_EQ(test, uma_zone_get_cur(zone), 1UL);
	uma_zfree(zone, item);
	KUNIT_EXPECT_EQ(test, test_misuse.count, 1U);
}

static void uma_finds_bad_addresses(struct kunit *test)
{
	struct uma_zone *zone = test_zone(test, 100, 0);
	struct vm_page *m = vm_page_alloc_noobj(VM_ALLOC_NORMAL);
	void *item = uma_zalloc(zone, M_WAITOK), *bad[5];
	unsigned int i;

	KUNIT_ASSERT_NOT_NULL(test, m);
	bad[0] = item + 8;
	bad[1] = test;
	bad[2] = uma_finds_bad_addresses;
	bad[3] = PHYS_TO_DMAP(m->phys_addr);
	bad[4] = vtoslab(item);
	test_misuse_init(test);
	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		uma_zfree(zone, bad[i]);
		test_expect_misuse(test, i + 1, UMA_BAD_ADDRESS, bad[i]);
	}
	uma_zfree(zone, item);
	KUNIT_EXPECT_EQ(test, test_misuse.count, i);
	vm_page_free(m);
}

static void uma_finds_leaks(struct kunit *test)
{
	struct uma_zone *zone;
	unsigned int i;

	test_misuse_init(test);
	for (i = 0; i < ARRAY_SIZE(modes); i++) {
		zone = uma_zcreate("test", 100, NULL, NULL, NULL, NULL, UMA_ALIGN_PTR, modes[i]);
		KUNIT_ASSERT_NOT_NULL(test, zone);
		uma_zalloc(zone, M_WAITOK);
		uma_zalloc(zone, M_WAITOK);
		uma_zalloc(zone, M_WAITOK);
		uma_zdestroy(zone);
		test_expect_misuse(test, i + 1, UMA_LEAK, (void *)3);
	}
}

/* KASAN itself would end the test: its memory of what may be used is looked at. */
static void uma_kasan_knows_free_items(struct kunit *test)
{
	struct uma_zone *zone = test_zone(test, 100, 0);
	u8 *item = uma_zalloc(zone, M_WAITOK);
	unsigned int i;

	for (i = 0; i < 96; i += 8)
		KUNIT_EXPECT_EQ(test, test_kasan_shadow(item + i), 0);
	KUNIT_EXPECT_EQ(test, test_kasan_shadow(item + 96), 4);
	KUNIT_EXPECT_GE(test, test_kasan_shadow(item + 104), 0x80);
	uma_zfree(zone, item);
	for (i = 0; i <= 104; i += 8)
		KUNIT_EXPECT_GE(test, test_kasan_shadow(item + i), 0x80);
	/* The page is everybody's again. */
	uma_zone_reclaim(zone, UMA_RECLAIM_DRAIN_CPU);
	for (i = 0; i <= 104; i += 8)
		KUNIT_EXPECT_EQ(test, test_kasan_shadow(item + i), 0);
}

static struct kunit_case uma_cases[] = {
	KUNIT_CASE_SLOW(uma_items_have_their_size_and_alignment),
	KUNIT_CASE(uma_zcreate_refuses_nonsense),
	KUNIT_CASE(uma_zcreate_without_memory),
	KUNIT_CASE(uma_null_is_freed_and_destroyed),
	KUNIT_CASE(uma_zero_flag_zeroes),
	KUNIT_CASE(uma_zinit_items_begin_zero),
	KUNIT_CASE(uma_callbacks_are_called),
	KUNIT_CASE(uma_ctor_that_refuses),
	KUNIT_CASE(uma_init_that_refuses),
	KUNIT_CASE(uma_limit_is_exact),
	KUNIT_CASE(uma_limit_of_many_leaves_half),
	KUNIT_CASE(uma_limit_lets_everyone_through),
	KUNIT_CASE(uma_limit_waiter_is_woken),
	KUNIT_CASE(uma_limit_waiter_is_killed),
	KUNIT_CASE(uma_limit_waiter_gets_what_is_at_hand),
	KUNIT_CASE(uma_reserve_is_for_who_may),
	KUNIT_CASE(uma_preallocated_items_need_no_page),
	KUNIT_CASE(uma_use_reserve_has_pages_of_the_reserve),
	KUNIT_CASE(uma_stats_add_up),
	KUNIT_CASE(uma_zones_are_listed),
	KUNIT_CASE(uma_reclaim_gives_back_what_it_says),
	KUNIT_CASE(uma_reclaim_leaves_what_is_in_use),
	KUNIT_CASE(uma_nofree_keeps_its_memory),
	KUNIT_CASE(uma_buckets_grow_and_shrink),
	KUNIT_CASE(uma_nobucket_has_none),
	KUNIT_CASE(uma_slabs_are_coloured),
	KUNIT_CASE(uma_large_items_have_headers_apart),
	KUNIT_CASE(uma_larger_than_a_page_needs_the_kernel_map),
	KUNIT_CASE(uma_nowait_is_for_atomic_context),
	KUNIT_CASE_SLOW(uma_exhaustion_and_recovery),
	KUNIT_CASE(uma_waitok_waits_for_a_page),
	KUNIT_CASE(uma_waitok_waits_for_a_freed_item),
	KUNIT_CASE(uma_waitok_killed_has_the_reserve),
	KUNIT_CASE(uma_random_on_two_cpus),
	KUNIT_CASE(uma_finds_use_after_free),
	KUNIT_CASE(uma_finds_double_free),
	KUNIT_CASE(uma_finds_overrun),
	KUNIT_CASE(uma_finds_wrong_zone),
	KUNIT_CASE(uma_finds_bad_addresses),
	KUNIT_CASE(uma_finds_leaks),
	KUNIT_CASE(uma_kasan_knows_free_items),
	{}
};

static struct kunit_suite uma_suite = {
	.name = "bsdvm_uma",
	.init = test_kmem_none,
	.test_cases = uma_cases,
};

kunit_test_suite(uma_suite);
