// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Tests of the pmap's memory of where a page is mapped: in one window, in those of a child
 * of fork, in those of others; to unmap it everywhere, and to ask who has used it.
 */
#include "pmap_kunit.h"

#include <linux/mmap_lock.h>

/* --- pages, wherever they are mapped */

static void pmap_remove_all_in_one_window(struct kunit *test)
{
	struct test_window *w = test_window(test);
	struct vm_page *m = window_page(test, w, 42), *other = window_page(test, w, 43);
	unsigned long seam = window_seam(w), pages[] = { 0, 1, 7, seam, TEST_WINDOW_PAGES - 1 };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(pages); i++) {
		KUNIT_EXPECT_EQ(test, KERN_SUCCESS, window_enter(w, pages[i], m, i & 1 ? RW : R));
		KUNIT_EXPECT_EQ(test, window_load(w, pages[i]), 42ULL);
	}
	KUNIT_EXPECT_EQ(test, KERN_SUCCESS, window_enter(w, 2, other, RW));
	window_remove_all(w, m);
	for (i = 0; i < ARRAY_SIZE(pages); i++)
		KUNIT_EXPECT_EQ_MSG(test, window_load(w, pages[i]), WINDOW_NO_ACCESS, "page %lu",
				    pages[i]);
	KUNIT_EXPECT_EQ(test, window_load(w, 2), 43ULL);
	KUNIT_EXPECT_FALSE(test, pmap_page_is_mapped(m));
	KUNIT_EXPECT_EQ(test, m->md.pv_first, 0ULL);
	KUNIT_EXPECT_TRUE(test, RB_EMPTY_ROOT(&m->md.pv_more));
	KUNIT_EXPECT_TRUE_MSG(test, pmap_is_modified(m), "dirty outlives the mappings");
	window_remove_all(w, m);

	KUNIT_EXPECT_EQ(test, KERN_SUCCESS, window_enter(w, 3, m, R));
	KUNIT_EXPECT_EQ(test, window_load(w, 3), 42ULL);
	test_window_close(w, NULL);
}

/*
 * A page that wanders through a window leaves no more than a few entries behind,
 * and no mapping that nobody remembers.
 */
static void pmap_places_are_bounded(struct kunit *test)
{
	struct test_window *w = test_window(test);
	struct vm_page *m = window_page(test, w, 42);
	unsigned int i, mapped = 0, reclaims = 0;
	int rv;

	for (i = 0; i < 200; i++) {
		rv = window_enter(w, i, m, R);
		if (rv == KERN_NO_SPACE) {
			KUNIT_EXPECT_EQ(test, window_load(w, i), WINDOW_NO_ACCESS);
			VM_OBJECT_WLOCK(w->object);
			pmap_pv_reclaim(&w->pmap, m);
			VM_OBJECT_WUNLOCK(w->object);
			reclaims++;
			rv = window_enter(w, i, m, R);
		}
		KUNIT_EXPECT_EQ(test, rv, KERN_SUCCESS);
		KUNIT_EXPECT_EQ(test, window_load(w, i), 42ULL);
	}
	KUNIT_EXPECT_GT(test, reclaims, 1U);
	KUNIT_EXPECT_LT(test, reclaims, 20U);
	for (i = 0; i < 200; i++)
		mapped += window_load(w, i) == 42;
	KUNIT_EXPECT_EQ(test, (unsigned long)mapped, window_resident(w));
	KUNIT_EXPECT_LT(test, mapped, 100U);
	window_remove_all(w, m);
	KUNIT_EXPECT_EQ(test, window_resident(w), 0UL);
	for (i = 0; i < 200; i++)
		KUNIT_EXPECT_EQ_MSG(test, window_load(w, i), WINDOW_NO_ACCESS, "page %u", i);
	test_window_close(w, NULL);
}

/* Another process: a thread with an mm and a window of its own. */
struct other_process {
	struct kunit *test;
	struct test_window *first;	/* whose group it shares, or NULL */
	struct test_window window;
	struct completion ready;
	struct completion go;
	struct completion done;
	u64 value;
	bool stored;
};

/* Each go: load from page 5 and store to it. The third ends it. */
static int other_process_thread(void *arg)
{
	struct other_process *other = arg;
	unsigned int i;

	test_window_open(other->test, &other->window, other->first);
	complete(&other->ready);
	for (i = 0; i < 2; i++) {
		wait_for_completion(&other->go);
		other->value = window_load(&other->window, 5);
		other->stored = window_store(&other->window, 5, other->value + 1);
		complete(&other->done);
	}
	wait_for_completion(&other->go);
	test_window_close(&other->window, other->first);
	return 0;
}

static struct test_thread *other_process(struct kunit *test, struct other_process *other,
					 struct test_window *first)
{
	struct test_thread *thread;

	memset(other, 0, sizeof(*other));
	other->test = test;
	other->first = first;
	init_completion(&other->ready);
	init_completion(&other->go);
	init_completion(&other->done);
	thread = test_thread(test, -1, other_process_thread, other);
	wait_for_completion(&other->ready);
	return thread;
}

static void other_process_access(struct other_process *other)
{
	complete(&other->go);
	wait_for_completion(&other->done);
}

static void two_processes(struct kunit *test, bool same_group)
{
	struct other_process *other = kunit_kzalloc(test, sizeof(*other), GFP_KERNEL);
	struct test_window *w = test_window(test);
	struct vm_page *m = window_page(test, w, 42);
	struct test_thread *thread;

	if (!other)
		return;
	thread = other_process(test, other, same_group ? w : NULL);
	KUNIT_EXPECT_PTR_NE(test, other->window.pmap.mm, w->pmap.mm);
	KUNIT_EXPECT_EQ(test, KERN_SUCCESS, window_enter(w, 5, m, R));
	KUNIT_EXPECT_EQ(test, KERN_SUCCESS, window_enter(&other->window, 5, m, RW));
	KUNIT_EXPECT_EQ_MSG(test, RB_EMPTY_ROOT(&m->md.pv_more), same_group,
			    "the same place in the same group is one entry");
	other_process_access(other);
	KUNIT_EXPECT_EQ(test, other->value, 42ULL);
	KUNIT_EXPECT_TRUE(test, other->stored);
	KUNIT_EXPECT_EQ(test, window_load(w, 5), 43ULL);
	KUNIT_EXPECT_FALSE(test, window_store(w, 5, 44));

	window_remove_all(w, m);
	KUNIT_EXPECT_EQ(test, window_load(w, 5), WINDOW_NO_ACCESS);
	other_process_access(other);
	KUNIT_EXPECT_EQ(test, other->value, WINDOW_NO_ACCESS);
	KUNIT_EXPECT_FALSE(test, other->stored);
	KUNIT_EXPECT_FALSE(test, pmap_page_is_mapped(m));

	complete(&other->go);
	test_thread_join(thread);
	test_window_close(w, NULL);
}

static void pmap_remove_all_in_a_fork_child(struct kunit *test)
{
	two_processes(test, true);
}

static void pmap_remove_all_in_another_process(struct kunit *test)
{
	two_processes(test, false);
}

/* Windows go without a word to the pages they mapped. */
static void pmap_page_outlives_window(struct kunit *test)
{
	struct other_process *other = kunit_kzalloc(test, sizeof(*other), GFP_KERNEL);
	struct test_window *w = test_window(test);
	struct vm_page *m = window_page(test, w, 42);
	struct test_thread *thread;
	unsigned int i;

	if (!other)
		return;
	for (i = 0; i < 4; i++) {
		thread = other_process(test, other, NULL);
		KUNIT_EXPECT_EQ(test, KERN_SUCCESS, window_enter(&other->window, 5, m, R));
		other_process_access(other);
		KUNIT_EXPECT_EQ(test, other->value, 42ULL);
		other_process_access(other);
		complete(&other->go);
		test_thread_join(thread);
	}
	/* The entry of a dead group was replaced each time: there is one at most. */
	KUNIT_EXPECT_TRUE(test, RB_EMPTY_ROOT(&m->md.pv_more));
	window_remove_all(w, m);
	KUNIT_EXPECT_FALSE(test, pmap_page_is_mapped(m));
	KUNIT_EXPECT_EQ(test, KERN_SUCCESS, window_enter(w, 5, m, R));
	KUNIT_EXPECT_EQ(test, window_load(w, 5), 42ULL);
	window_remove_all(w, m);
	KUNIT_EXPECT_EQ(test, window_load(w, 5), WINDOW_NO_ACCESS);
	test_window_close(w, NULL);
}

static void pmap_remove_write_leaves_none(struct kunit *test)
{
	struct test_window *w = test_window(test);
	struct vm_page *clean = window_page(test, w, 42), *dirty = window_page(test, w, 43);

	KUNIT_EXPECT_EQ(test, KERN_SUCCESS, window_enter(w, 1, clean, R));
	KUNIT_EXPECT_EQ(test, KERN_SUCCESS, window_enter(w, 2, dirty, RW));
	KUNIT_EXPECT_EQ(test, KERN_SUCCESS, window_enter(w, 3, dirty, RW));
	KUNIT_EXPECT_TRUE(test, window_store(w, 2, 44));
	KUNIT_EXPECT_TRUE(test, window_store(w, 3, 45));
	VM_OBJECT_WLOCK(w->object);
	pmap_remove_write(clean);
	pmap_remove_write(dirty);
	VM_OBJECT_WUNLOCK(w->object);
	KUNIT_EXPECT_EQ_MSG(test, window_load(w, 1), 42ULL, "a clean page has no writable mapping");
	KUNIT_EXPECT_FALSE(test, window_store(w, 2, 46));
	KUNIT_EXPECT_FALSE(test, window_store(w, 3, 47));
	KUNIT_EXPECT_EQ(test, *test_page_words(dirty), 45ULL);
	test_window_close(w, NULL);
}

/* Several pages at once, in several tables; @locked: while their address space is not to be had. */
static void several_pages(struct kunit *test, bool locked)
{
	struct test_window *w = test_window(test);
	unsigned long places[] = { 1, 2, window_seam(w), TEST_WINDOW_PAGES - 1 };
	struct vm_page *ma[ARRAY_SIZE(places)];
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(places); i++) {
		ma[i] = window_page(test, w, 40 + i);
		KUNIT_EXPECT_EQ(test, KERN_SUCCESS, window_enter(w, places[i], ma[i], i ? RW : R));
	}
	/* One of them in a second place. */
	KUNIT_EXPECT_EQ(test, KERN_SUCCESS, window_enter(w, 7, ma[1], RW));
	if (locked)
		mmap_write_lock(w->pmap.mm);
	VM_OBJECT_WLOCK(w->object);
	pmap_remove_write_pages(ma, ARRAY_SIZE(ma));
	VM_OBJECT_WUNLOCK(w->object);
	if (locked)
		mmap_write_unlock(w->pmap.mm);
	KUNIT_EXPECT_EQ(test, window_load(w, places[0]), 40ULL);
	for (i = 1; i < ARRAY_SIZE(places); i++) {
		KUNIT_EXPECT_FALSE(test, window_store(w, places[i], 1));
		KUNIT_EXPECT_EQ(test, window_load(w, places[i]),
				locked ? WINDOW_NO_ACCESS : 40ULL + i);
		KUNIT_EXPECT_EQ(test, KERN_SUCCESS, window_enter(w, places[i], ma[i], RW));
	}
	KUNIT_EXPECT_FALSE(test, window_store(w, 7, 1));
	KUNIT_EXPECT_EQ(test, window_load(w, 7), locked ? WINDOW_NO_ACCESS : 41ULL);

	if (locked)
		mmap_write_lock(w->pmap.mm);
	VM_OBJECT_WLOCK(w->object);
	pmap_remove_all_pages(ma, ARRAY_SIZE(ma));
	VM_OBJECT_WUNLOCK(w->object);
	if (locked)
		mmap_write_unlock(w->pmap.mm);
	for (i = 0; i < ARRAY_SIZE(places); i++) {
		KUNIT_EXPECT_EQ(test, window_load(w, places[i]), WINDOW_NO_ACCESS);
		KUNIT_EXPECT_FALSE(test, pmap_page_is_mapped(ma[i]));
	}
	KUNIT_EXPECT_EQ(test, window_load(w, 7), WINDOW_NO_ACCESS);
	test_window_close(w, NULL);
}

static void pmap_deals_with_several_pages(struct kunit *test)
{
	several_pages(test, false);
}

static void pmap_deals_with_several_pages_of_a_busy_address_space(struct kunit *test)
{
	several_pages(test, true);
}

/* --- who has used it */

static unsigned int ts_referenced(struct test_window *w, struct vm_page *m)
{
	unsigned int n;

	VM_OBJECT_WLOCK(w->object);
	n = pmap_ts_referenced(m);
	VM_OBJECT_WUNLOCK(w->object);
	return n;
}

static bool is_referenced(struct test_window *w, struct vm_page *m)
{
	bool ret;

	VM_OBJECT_RLOCK(w->object);
	ret = pmap_is_referenced(m);
	VM_OBJECT_RUNLOCK(w->object);
	return ret;
}

static void pmap_counts_references(struct kunit *test)
{
	struct test_window *w = test_window(test);
	struct vm_page *m = window_page(test, w, 42);
	unsigned int i;

	KUNIT_EXPECT_EQ(test, ts_referenced(w, m), 0U);
	for (i = 0; i < 3; i++)
		KUNIT_EXPECT_EQ(test, KERN_SUCCESS, window_enter(w, 10 * i, m, R));
	KUNIT_EXPECT_TRUE(test, is_referenced(w, m));
	KUNIT_EXPECT_TRUE_MSG(test, is_referenced(w, m), "a look changes nothing");
	KUNIT_EXPECT_EQ_MSG(test, ts_referenced(w, m), 3U, "entered is used");
	KUNIT_EXPECT_EQ(test, ts_referenced(w, m), 0U);
	KUNIT_EXPECT_FALSE(test, is_referenced(w, m));

	/* Two were never loaded into the TLB, so the CPU tells. */
	KUNIT_EXPECT_EQ(test, window_load(w, 0), 42ULL);
	KUNIT_EXPECT_EQ(test, window_load(w, 20), 42ULL);
	KUNIT_EXPECT_TRUE(test, is_referenced(w, m));
	KUNIT_EXPECT_EQ(test, ts_referenced(w, m), 2U);
	KUNIT_EXPECT_EQ(test, ts_referenced(w, m), 0U);
	KUNIT_EXPECT_EQ_MSG(test, window_load(w, 0), 42ULL, "clearing takes no access away");
	/* Seen or not, as the TLB still had it or not. */
	KUNIT_EXPECT_LE(test, ts_referenced(w, m), 1U);

	/* A slot that holds another page by now says nothing about this one. */
	KUNIT_EXPECT_EQ(test, KERN_SUCCESS, window_enter(w, 10, window_page(test, w, 1), R));
	KUNIT_EXPECT_EQ(test, window_load(w, 10), 1ULL);
	KUNIT_EXPECT_EQ(test, ts_referenced(w, m), 0U);
	test_window_close(w, NULL);
}

static void pmap_counts_references_up_to_a_few(struct kunit *test)
{
	struct test_window *w = test_window(test);
	struct vm_page *m = window_page(test, w, 42);
	unsigned int i, n;

	for (i = 0; i < 20; i++)
		KUNIT_EXPECT_EQ(test, KERN_SUCCESS, window_enter(w, i, m, R));
	n = ts_referenced(w, m);
	KUNIT_EXPECT_GT(test, n, 0U);
	KUNIT_EXPECT_LE(test, n, 20U);
	/* All are seen in the end. */
	for (i = 0; i < 20 && ts_referenced(w, m); i++)
		;
	KUNIT_EXPECT_LT(test, i, 20U);
	KUNIT_EXPECT_FALSE(test, is_referenced(w, m));
	test_window_close(w, NULL);
}

static void pmap_counts_references_of_a_fork_child(struct kunit *test)
{
	struct other_process *other = kunit_kzalloc(test, sizeof(*other), GFP_KERNEL);
	struct test_window *w = test_window(test);
	struct vm_page *m = window_page(test, w, 42);
	struct test_thread *thread;

	if (!other)
		return;
	thread = other_process(test, other, w);
	KUNIT_EXPECT_EQ(test, KERN_SUCCESS, window_enter(w, 5, m, R));
	KUNIT_EXPECT_EQ(test, KERN_SUCCESS, window_enter(&other->window, 5, m, R));
	KUNIT_EXPECT_EQ(test, ts_referenced(w, m), 2U);
	KUNIT_EXPECT_EQ(test, ts_referenced(w, m), 0U);
	other_process_access(other);
	KUNIT_EXPECT_EQ(test, other->value, 42ULL);
	KUNIT_EXPECT_EQ(test, ts_referenced(w, m), 1U);
	other_process_access(other);
	complete(&other->go);
	test_thread_join(thread);
	test_window_close(w, NULL);
}

static struct kunit_case pmap_pv_cases[] = {
	KUNIT_CASE(pmap_remove_all_in_one_window),
	KUNIT_CASE(pmap_places_are_bounded),
	KUNIT_CASE(pmap_remove_all_in_a_fork_child),
	KUNIT_CASE(pmap_remove_all_in_another_process),
	KUNIT_CASE(pmap_page_outlives_window),
	KUNIT_CASE(pmap_remove_write_leaves_none),
	KUNIT_CASE(pmap_deals_with_several_pages),
	KUNIT_CASE(pmap_deals_with_several_pages_of_a_busy_address_space),
	KUNIT_CASE(pmap_counts_references),
	KUNIT_CASE(pmap_counts_references_up_to_a_few),
	KUNIT_CASE(pmap_counts_references_of_a_fork_child),
	{}
};

static struct kunit_suite pmap_pv_suite = {
	.name = "bsdvm_pmap_pv",
	.init = test_pages_init,
	.test_cases = pmap_pv_cases,
};

kunit_test_suite(pmap_pv_suite);
