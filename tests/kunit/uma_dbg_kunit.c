// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Tests of what is found when an item is misused, and of what KASAN knows of it.
 */
#include "uma_kunit.h"

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
	for (i = 0; i < ARRAY_SIZE(test_uma_modes); i++) {
		zone = uma_zcreate("test", 100, NULL, NULL, NULL, NULL, UMA_ALIGN_PTR,
				   test_uma_modes[i]);
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

static struct kunit_case uma_dbg_cases[] = {
	KUNIT_CASE(uma_finds_use_after_free),
	KUNIT_CASE(uma_finds_double_free),
	KUNIT_CASE(uma_finds_overrun),
	KUNIT_CASE(uma_finds_wrong_zone),
	KUNIT_CASE(uma_finds_bad_addresses),
	KUNIT_CASE(uma_finds_leaks),
	KUNIT_CASE(uma_kasan_knows_free_items),
	{}
};

static struct kunit_suite uma_dbg_suite = {
	.name = "bsdvm_uma_dbg",
	.init = test_kmem_none,
	.test_cases = uma_dbg_cases,
};

kunit_test_suite(uma_dbg_suite);
