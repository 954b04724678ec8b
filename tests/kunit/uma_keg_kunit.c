// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Tests of the slabs that items come from: what is in reserve, what is given back, how a
 * slab is laid out.
 */
#include "uma_kunit.h"

#include <linux/mm.h>

/* --- reserve and preallocation */

static void uma_reserve_is_for_who_may(struct kunit *test)
{
	struct test_pages *pages = test_pages_alloc(test);
	void *items[8], *item;
	unsigned int i, n;

	for (i = 0; i < ARRAY_SIZE(test_uma_modes); i++) {
		/* Of four to a page, four are for anyone. */
		struct uma_zone *zone = test_zone(test, 900, test_uma_modes[i]);

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

	for (i = 0; i < ARRAY_SIZE(test_uma_modes); i++) {
		struct uma_zone *zone = test_zone(test, 300, test_uma_modes[i] | UMA_ZONE_NOBUCKET);

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

	for (i = 0; i < ARRAY_SIZE(test_uma_modes); i++) {
		struct uma_zone *zone = test_zone(test, 64, UMA_ZONE_NOFREE | test_uma_modes[i]);

		item = uma_zalloc(zone, M_WAITOK);
		*item = 0x600d;
		uma_zfree(zone, item);
		uma_reclaim(UMA_RECLAIM_DRAIN_CPU);
		KUNIT_EXPECT_EQ(test, test_stats(zone).pages, 1ULL);
		/* It may be read. */
		KUNIT_EXPECT_EQ(test, READ_ONCE(*item), 0x600dU);
	}
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

static struct kunit_case uma_keg_cases[] = {
	KUNIT_CASE(uma_reserve_is_for_who_may),
	KUNIT_CASE(uma_preallocated_items_need_no_page),
	KUNIT_CASE(uma_use_reserve_has_pages_of_the_reserve),
	KUNIT_CASE(uma_reclaim_gives_back_what_it_says),
	KUNIT_CASE(uma_reclaim_leaves_what_is_in_use),
	KUNIT_CASE(uma_nofree_keeps_its_memory),
	KUNIT_CASE(uma_slabs_are_coloured),
	KUNIT_CASE(uma_large_items_have_headers_apart),
	KUNIT_CASE(uma_larger_than_a_page_needs_the_kernel_map),
	{}
};

static struct kunit_suite uma_keg_suite = {
	.name = "bsdvm_uma_keg",
	.init = test_kmem_none,
	.test_cases = uma_keg_cases,
};

kunit_test_suite(uma_keg_suite);
