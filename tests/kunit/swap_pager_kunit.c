// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Tests of what becomes of pages in swap when their object is merged, skipped, split or
 * cut, and of page-out when no page is free. Pages are told apart by their content, and
 * slots are counted.
 *
 * Needs a swap device; the embedded one will do.
 */
#include "vm_object_kunit.h"

#include <linux/delay.h>

#include "vm/swap_pager.h"
#include "vm/vm_pageout.h"

/* More than the slots of two blocks. */
#define PAGES	40
#define NONE	0

static u64 slots_used(void)
{
	u64 total, used;

	swap_pager_status(&total, &used);
	return used;
}

static void slots_check(void *arg)
{
	struct kunit *test = arg;
	unsigned long end = jiffies + TEST_PATIENCE;

	while (slots_used() && time_before(jiffies, end))
		msleep(20);
	KUNIT_EXPECT_EQ_MSG(test, slots_used(), 0ULL, "slots were lost");
}

static int swap_test_init(struct kunit *test)
{
	int ret = test_pages_init(test);

	return ret ?: kunit_add_action_or_reset(test, slots_check, test);
}

/* A dirty page of this content. */
static struct vm_page *test_put(struct kunit *test, struct vm_object *object, vm_pindex_t pindex,
				u8 content)
{
	struct vm_page *m = vm_page_alloc_noobj(VM_ALLOC_NORMAL);

	KUNIT_ASSERT_NOT_NULL(test, m);
	memset(pmap_quick_enter_page(m), content, VM_PAGE_SIZE);
	test_page_insert_dirty(test, m, object, pindex);
	return m;
}

/* What an object itself has there, brought in if need be. */
static u8 test_content(struct kunit *test, struct vm_object *object, vm_pindex_t pindex)
{
	struct vm_page *m;
	bool swapped;
	u8 *content;

	VM_OBJECT_RLOCK(object);
	m = vm_page_lookup(object, pindex);
	swapped = !m && vm_pager_has_page(object, pindex);
	VM_OBJECT_RUNLOCK(object);
	if (swapped) {
		KUNIT_EXPECT_EQ(test, 0, vm_object_pagein(object, pindex));
		VM_OBJECT_RLOCK(object);
		m = vm_page_lookup(object, pindex);
		VM_OBJECT_RUNLOCK(object);
		KUNIT_EXPECT_NOT_NULL(test, m);
	}
	if (!m)
		return NONE;
	content = pmap_quick_enter_page(m);
	KUNIT_EXPECT_EQ(test, content[0], content[VM_PAGE_MASK]);
	return content[0];
}

/* What shows at a page, down the chain. */
static u8 test_shows(struct kunit *test, struct vm_object *object, vm_pindex_t pindex)
{
	u8 content = NONE;

	while (object && content == NONE) {
		content = test_content(test, object, pindex);
		pindex += OFF_TO_IDX(object->backing_object_offset);
		object = object->backing_object;
	}
	return content;
}

/*
 * Give an object pages at random: not there, resident, in swap, or both; @model says
 * what is in each.
 */
static void test_fill(struct kunit *test, struct rnd_state *rnd, struct vm_object *object,
		      vm_pindex_t size, unsigned int absent, u8 *model)
{
	vm_pindex_t i;

	for (i = 0; i < size; i++) {
		model[i] = NONE;
		if (test_random(rnd, 8) < absent)
			continue;
		model[i] = 1 + test_random(rnd, 255);
		test_put(test, object, i, model[i]);
		if (test_random(rnd, 3))
			test_page_out(test, object, i, test_random(rnd, 3));
	}
}

static void swap_has_the_content(struct kunit *test)
{
	struct vm_object *object = test_object(test, PAGES);
	vm_pindex_t i;

	for (i = 0; i < PAGES; i++) {
		test_put(test, object, i, 1 + i);
		test_page_out(test, object, i, true);
	}
	KUNIT_EXPECT_EQ(test, slots_used(), (u64)PAGES);
	KUNIT_EXPECT_EQ(test, object->resident_page_count, 0UL);
	for (i = 0; i < PAGES; i++)
		KUNIT_EXPECT_EQ(test, test_content(test, object, i), (u8)(1 + i));
	/* Clean copies of what is still there. */
	KUNIT_EXPECT_EQ(test, slots_used(), (u64)PAGES);
	vm_object_deallocate(object);
	KUNIT_EXPECT_EQ(test, slots_used(), 0ULL);
}

static void swap_forgets_what_changes(struct kunit *test)
{
	struct vm_object *object = test_object(test, PAGES);
	struct vm_page *m = test_put(test, object, 17, 'a');

	test_page_out(test, object, 17, false);
	KUNIT_EXPECT_EQ(test, slots_used(), 1ULL);
	VM_OBJECT_RLOCK(object);
	vm_pager_page_unswapped(m);
	vm_page_dirty(m);
	KUNIT_EXPECT_FALSE(test, vm_pager_has_page(object, 17));
	VM_OBJECT_RUNLOCK(object);
	KUNIT_EXPECT_EQ(test, slots_used(), 0ULL);
	test_page_out(test, object, 17, true);
	KUNIT_EXPECT_EQ(test, test_content(test, object, 17), (u8)'a');
	vm_object_deallocate(object);
}

/* A page that changed while it was written has no slot. */
static void swap_keeps_no_stale_copy(struct kunit *test)
{
	struct vm_object *object = test_object(test, PAGES);
	struct vm_page *m = test_put(test, object, 3, 'a');
	unsigned int done;

	VM_OBJECT_WLOCK(object);
	vm_pager_clean_pages(&m, 1);
	vm_page_dirty(m);
	VM_OBJECT_WUNLOCK(object);
	vm_pager_put_pages(object, &m, 1, PQ_ACTIVE, PQ_ACTIVE, &done);
	VM_OBJECT_RLOCK(object);
	KUNIT_EXPECT_TRUE(test, vm_page_is_dirty(m));
	KUNIT_EXPECT_FALSE(test, vm_pager_has_page(object, 3));
	VM_OBJECT_RUNLOCK(object);
	KUNIT_EXPECT_EQ(test, slots_used(), 0ULL);
	vm_object_deallocate(object);
}

static void swap_frees_a_range(struct kunit *test)
{
	struct vm_object *object = test_object(test, PAGES);
	vm_pindex_t i;

	for (i = 0; i < PAGES; i++) {
		test_put(test, object, i, 1 + i);
		test_page_out(test, object, i, true);
	}
	VM_OBJECT_WLOCK(object);
	vm_pager_freespace(object, 5, 35);
	VM_OBJECT_WUNLOCK(object);
	KUNIT_EXPECT_EQ(test, slots_used(), PAGES - 30ULL);
	for (i = 0; i < PAGES; i++)
		KUNIT_EXPECT_EQ(test, test_content(test, object, i),
				(u8)(i < 5 || i >= 35 ? 1 + i : NONE));
	VM_OBJECT_WLOCK(object);
	vm_pager_freespace(object, 0, 0);
	VM_OBJECT_WUNLOCK(object);
	KUNIT_EXPECT_EQ(test, slots_used(), 0ULL);
	vm_object_deallocate(object);
}

/* The next page that is in swap is found, across blocks. */
static void swap_next_finds_each(struct kunit *test)
{
	static const vm_pindex_t where[] = { 0, 15, 16, 31, 33, 1000 };
	struct vm_object *object = test_object(test, 1024);
	vm_pindex_t at = 0;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(where); i++) {
		test_put(test, object, where[i], 1);
		test_page_out(test, object, where[i], true);
	}
	VM_OBJECT_RLOCK(object);
	for (i = 0; i < ARRAY_SIZE(where); i++, at++) {
		KUNIT_EXPECT_TRUE(test, vm_pager_ops(object)->next(object, &at, 1024));
		KUNIT_EXPECT_EQ(test, at, where[i]);
	}
	KUNIT_EXPECT_FALSE(test, vm_pager_ops(object)->next(object, &at, 1024));
	at = 17;
	KUNIT_EXPECT_FALSE(test, vm_pager_ops(object)->next(object, &at, 31));
	VM_OBJECT_RUNLOCK(object);
	vm_object_deallocate(object);
}

/*
 * A shadow and what it shadows, each with pages in memory and in swap, before and after
 * the other user of the lower one goes, or while it stays.
 */
static void chain_case(struct kunit *test, struct rnd_state *rnd, bool other_stays)
{
	vm_pindex_t shift = test_random(rnd, PAGES / 2), size = PAGES - shift, i;
	struct vm_object *object = test_object(test, PAGES), *shadow = object;
	vm_ooffset_t offset = IDX_TO_OFF(shift);
	u8 below[PAGES], above[PAGES];

	test_fill(test, rnd, object, PAGES, 3, below);
	test_object_share(object);
	KUNIT_ASSERT_EQ(test, KERN_SUCCESS, vm_object_shadow(&shadow, &offset, IDX_TO_OFF(size)));
	/* Where all is hidden the lower object is skipped, as long as another has it. */
	test_fill(test, rnd, shadow, size, other_stays && test_random(rnd, 2) ? 0 : 4, above);
	if (!other_stays)
		vm_object_deallocate(object);
	VM_OBJECT_WLOCK(shadow);
	vm_object_collapse(shadow);
	vm_object_assert_consistent(shadow);
	VM_OBJECT_WUNLOCK(shadow);
	if (!other_stays)
		KUNIT_EXPECT_NULL(test, shadow->backing_object);
	for (i = 0; i < size; i++)
		KUNIT_EXPECT_EQ_MSG(test, test_shows(test, shadow, i), above[i] ?: below[shift + i],
				    "page %llu", (u64)i);
	if (other_stays) {
		for (i = 0; i < PAGES; i++)
			KUNIT_EXPECT_EQ(test, test_content(test, object, i), below[i]);
		vm_object_deallocate(object);
	}
	vm_object_deallocate(shadow);
	KUNIT_EXPECT_EQ(test, slots_used(), 0ULL);
}

static void swap_goes_with_a_collapse(struct kunit *test)
{
	struct rnd_state rnd;
	unsigned int i;

	test_seed(test, &rnd, 1977);
	for (i = 0; i < 30; i++)
		chain_case(test, &rnd, false);
}

static void swap_hides_what_is_below(struct kunit *test)
{
	struct rnd_state rnd;
	unsigned int i;

	test_seed(test, &rnd, 1978);
	for (i = 0; i < 30; i++)
		chain_case(test, &rnd, true);
}

static void swap_goes_with_a_split(struct kunit *test)
{
	struct vm_object *object, *upper;
	struct rnd_state rnd;
	vm_ooffset_t offset;
	vm_pindex_t from, i;
	u8 model[PAGES];
	unsigned int n;

	test_seed(test, &rnd, 1979);
	for (n = 0; n < 30; n++) {
		object = test_object(test, PAGES);
		test_fill(test, &rnd, object, PAGES, 2, model);
		from = 1 + test_random(&rnd, PAGES - 2);
		offset = IDX_TO_OFF(from);
		upper = object;
		/* Two entries have it; the upper one gets an object of its own. */
		vm_object_reference(object);
		vm_object_split(&upper, &offset, IDX_TO_OFF(PAGES - from));
		KUNIT_ASSERT_PTR_NE(test, upper, object);
		for (i = 0; i < PAGES - from; i++)
			KUNIT_EXPECT_EQ(test, test_content(test, upper, OFF_TO_IDX(offset) + i),
					model[from + i]);
		vm_object_deallocate(upper);
		for (i = 0; i < PAGES; i++)
			KUNIT_EXPECT_EQ(test, test_content(test, object, i),
					(u8)(i < from ? model[i] : NONE));
		vm_object_deallocate(object);
		KUNIT_EXPECT_EQ(test, slots_used(), 0ULL);
	}
}

/*
 * A copy is made in passes, and what one pass has copied may be in swap before the next:
 * it is there all the same.
 */
static void swap_keeps_what_a_copy_has(struct kunit *test)
{
	struct vm_object *src = test_object(test, PAGES), *dst = test_object(test, PAGES);
	vm_pindex_t i;

	for (i = 0; i < PAGES; i++) {
		test_put(test, src, i, 1 + i);
		/* Of both kinds: resident, and to be waited for. */
		if (i % 4 < 2)
			test_page_out(test, src, i, true);
		if (i % 2)
			continue;
		test_put(test, dst, i, 101 + i);
		test_page_out(test, dst, i, true);
	}
	KUNIT_EXPECT_EQ(test, KERN_SUCCESS, vm_object_copy_resident(src, 0, dst));
	for (i = 0; i < PAGES; i++) {
		KUNIT_EXPECT_EQ(test, test_content(test, dst, i), (u8)(i % 2 ? 1 + i : 101 + i));
		KUNIT_EXPECT_EQ(test, vm_page_is_dirty(vm_page_lookup(dst, i)), i % 2);
	}
	vm_object_deallocate(dst);
	vm_object_deallocate(src);
	KUNIT_EXPECT_EQ(test, slots_used(), 0ULL);
}

/* Page-out needs memory to make memory free, and has put it aside. */
static void pageout_goes_on_without_a_free_page(struct kunit *test)
{
	struct test_pages *pages = test_pages_alloc(test);
	struct vm_object *object = test_object(test, PAGES);
	unsigned long end = jiffies + TEST_PATIENCE;
	vm_pindex_t i;

	for (i = 0; i < PAGES; i++)
		test_put(test, object, i, 1 + i);
	while (test_pages_get(pages, VM_ALLOC_INTERRUPT))
		;
	KUNIT_EXPECT_EQ(test, vm_free_count(), 0UL);
	while (READ_ONCE(object->resident_page_count) && time_before(jiffies, end)) {
		/* Whatever came free is somebody's at once. */
		while (test_pages_get(pages, VM_ALLOC_INTERRUPT))
			;
		vm_pageout_wakeup();
		msleep(20);
	}
	KUNIT_EXPECT_EQ(test, READ_ONCE(object->resident_page_count), 0UL);
	test_pages_put_all(pages);
	for (i = 0; i < PAGES; i++)
		KUNIT_EXPECT_EQ(test, test_content(test, object, i), (u8)(1 + i));
	vm_object_deallocate(object);
}

static struct kunit_case swap_pager_cases[] = {
	KUNIT_CASE(swap_has_the_content),
	KUNIT_CASE(swap_forgets_what_changes),
	KUNIT_CASE(swap_keeps_no_stale_copy),
	KUNIT_CASE(swap_frees_a_range),
	KUNIT_CASE(swap_next_finds_each),
	KUNIT_CASE_SLOW(swap_goes_with_a_collapse),
	KUNIT_CASE_SLOW(swap_hides_what_is_below),
	KUNIT_CASE_SLOW(swap_goes_with_a_split),
	KUNIT_CASE(swap_keeps_what_a_copy_has),
	KUNIT_CASE_SLOW(pageout_goes_on_without_a_free_page),
	{}
};

static struct kunit_suite swap_pager_suite = {
	.name = "bsdvm_swap_pager",
	.init = swap_test_init,
	.test_cases = swap_pager_cases,
};

kunit_test_suite(swap_pager_suite);
