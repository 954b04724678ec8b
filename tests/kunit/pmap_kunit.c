// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Tests of the pmap against the page tables of a real address space: what it
 * enters is loaded from and stored to by a CPU, through the TLB.
 */
#include "pmap_kunit.h"

#include "vm_fault_kunit.h"

#include <linux/mmap_lock.h>

/* --- one page */

static void pmap_nothing_is_mapped_at_first(struct kunit *test)
{
	struct test_window *w = test_window(test);

	KUNIT_EXPECT_EQ(test, window_load(w, 0), WINDOW_NO_ACCESS);
	KUNIT_EXPECT_EQ(test, atomic_read(&w->faults), 1);
	KUNIT_EXPECT_FALSE(test, window_store(w, 1, 1));
	KUNIT_EXPECT_EQ(test, window_extract(w, 0), 0ULL);
	KUNIT_EXPECT_EQ(test, window_resident(w), 0UL);
	window_remove(w, 0, TEST_WINDOW_PAGES);
	window_protect(w, 0, TEST_WINDOW_PAGES, R);
	test_window_close(w, NULL);
}

static void pmap_enter_for_reading(struct kunit *test)
{
	struct test_window *w = test_window(test);
	struct vm_page *m = window_page(test, w, 42);

	KUNIT_EXPECT_FALSE(test, pmap_page_is_mapped(m));
	KUNIT_EXPECT_EQ(test, KERN_SUCCESS, window_enter(w, 5, m, R));
	KUNIT_EXPECT_TRUE(test, pmap_page_is_mapped(m));
	KUNIT_EXPECT_EQ(test, window_load(w, 5), 42ULL);
	KUNIT_EXPECT_EQ(test, atomic_read(&w->faults), 0);
	KUNIT_EXPECT_FALSE(test, window_store(w, 5, 43));
	KUNIT_EXPECT_EQ(test, *test_page_words(m), 42ULL);
	KUNIT_EXPECT_FALSE(test, vm_page_is_dirty(m));
	KUNIT_EXPECT_FALSE(test, pmap_is_modified(m));
	KUNIT_EXPECT_EQ(test, window_extract(w, 5), m->phys_addr);
	KUNIT_EXPECT_EQ(test, window_resident(w), 1UL);
	KUNIT_EXPECT_EQ(test, window_load(w, 4), WINDOW_NO_ACCESS);
	KUNIT_EXPECT_EQ(test, window_load(w, 6), WINDOW_NO_ACCESS);
	KUNIT_EXPECT_FALSE(test, window_may_execute(w, 5));
	test_window_close(w, NULL);
}

static void pmap_enter_for_writing(struct kunit *test)
{
	struct test_window *w = test_window(test);
	struct vm_page *m = window_page(test, w, 42);

	KUNIT_EXPECT_EQ(test, KERN_SUCCESS, window_enter(w, 5, m, RW));
	KUNIT_EXPECT_TRUE_MSG(test, vm_page_is_dirty(m), "dirty as soon as it can be written");
	KUNIT_EXPECT_TRUE(test, window_store(w, 5, 43));
	KUNIT_EXPECT_EQ(test, window_load(w, 5), 43ULL);
	KUNIT_EXPECT_EQ(test, *test_page_words(m), 43ULL);
	KUNIT_EXPECT_EQ(test, atomic_read(&w->faults), 0);
	test_window_close(w, NULL);
}

static void pmap_enter_for_execution(struct kunit *test)
{
	struct test_window *w = test_window(test);
	struct vm_page *m = window_page(test, w, 42);

	KUNIT_EXPECT_EQ(test, KERN_SUCCESS, window_enter(w, 5, m, R | X));
	KUNIT_EXPECT_TRUE(test, window_may_execute(w, 5));
	KUNIT_EXPECT_FALSE(test, window_store(w, 5, 43));
	window_protect(w, 5, 6, R);
	KUNIT_EXPECT_FALSE(test, window_may_execute(w, 5));
	KUNIT_EXPECT_EQ(test, window_load(w, 5), 42ULL);
	test_window_close(w, NULL);
}

/* What the window was mapped with bounds every translation. */
static void pmap_enter_is_bounded_by_window(struct kunit *test)
{
	struct test_window *w = test_window(test);
	struct vm_page *m = window_page(test, w, 42), *ma[1] = { window_page(test, w, 43) };

	w->pmap.prot = R;
	KUNIT_EXPECT_EQ(test, KERN_SUCCESS, window_enter(w, 5, m, RW | X));
	KUNIT_EXPECT_EQ(test, window_load(w, 5), 42ULL);
	KUNIT_EXPECT_FALSE(test, window_store(w, 5, 43));
	KUNIT_EXPECT_FALSE(test, window_may_execute(w, 5));
	pmap_pin(&w->pmap);
	VM_OBJECT_RLOCK(w->object);
	KUNIT_EXPECT_EQ(test, 1U, pmap_enter_object(&w->pmap, window_va(w, 6), ma, 1, R | X));
	VM_OBJECT_RUNLOCK(w->object);
	pmap_unpin(&w->pmap);
	KUNIT_EXPECT_EQ(test, window_load(w, 6), 43ULL);
	KUNIT_EXPECT_FALSE(test, window_may_execute(w, 6));
	test_window_close(w, NULL);
}

/* The same page again, with another protection. */
static void pmap_enter_again(struct kunit *test)
{
	struct test_window *w = test_window(test);
	struct vm_page *m = window_page(test, w, 42);

	KUNIT_EXPECT_EQ(test, KERN_SUCCESS, window_enter(w, 5, m, R));
	KUNIT_EXPECT_FALSE(test, window_store(w, 5, 43));
	KUNIT_EXPECT_EQ(test, KERN_SUCCESS, window_enter(w, 5, m, RW));
	KUNIT_EXPECT_TRUE(test, window_store(w, 5, 43));
	KUNIT_EXPECT_EQ(test, KERN_SUCCESS, window_enter(w, 5, m, R));
	KUNIT_EXPECT_FALSE_MSG(test, window_store(w, 5, 44), "the TLB must forget");
	KUNIT_EXPECT_EQ(test, window_load(w, 5), 43ULL);
	KUNIT_EXPECT_EQ(test, window_resident(w), 1UL);
	KUNIT_EXPECT_TRUE(test, RB_EMPTY_ROOT(&m->md.pv_more));
	test_window_close(w, NULL);
}

/* Another page in place of one: what copy-on-write does. */
static void pmap_enter_replaces(struct kunit *test)
{
	struct test_window *w = test_window(test);
	struct vm_page *old = window_page(test, w, 42), *new = window_page(test, w, 43);

	KUNIT_EXPECT_EQ(test, KERN_SUCCESS, window_enter(w, 5, old, R));
	KUNIT_EXPECT_EQ(test, window_load(w, 5), 42ULL);
	KUNIT_EXPECT_EQ(test, KERN_SUCCESS, window_enter(w, 5, new, RW));
	KUNIT_EXPECT_EQ(test, window_load(w, 5), 43ULL);
	KUNIT_EXPECT_TRUE(test, window_store(w, 5, 44));
	KUNIT_EXPECT_EQ(test, *test_page_words(old), 42ULL);
	KUNIT_EXPECT_EQ(test, *test_page_words(new), 44ULL);
	KUNIT_EXPECT_EQ(test, window_extract(w, 5), new->phys_addr);
	KUNIT_EXPECT_EQ(test, window_resident(w), 1UL);
	test_window_close(w, NULL);
}

static void pmap_enter_without_sleeping(struct kunit *test)
{
	struct test_window *w = test_window(test);
	struct vm_page *m = window_page(test, w, 42);
	unsigned long seam = window_seam(w);

	KUNIT_EXPECT_EQ_MSG(test, KERN_RESOURCE_SHORTAGE,
			    window_enter_flags(w, seam, m, R, PMAP_ENTER_NOSLEEP), "no page table");
	KUNIT_EXPECT_EQ(test, window_extract(w, seam), 0ULL);
	KUNIT_EXPECT_EQ(test, KERN_SUCCESS, window_enter(w, seam, m, R));
	test_fail_init(test);
	test_fail_from(1);
	KUNIT_EXPECT_EQ_MSG(test, KERN_RESOURCE_SHORTAGE,
			    window_enter_flags(w, seam + 1, m, R, PMAP_ENTER_NOSLEEP),
			    "no pv entry");
	KUNIT_EXPECT_TRUE(test, test_fail_done());
	KUNIT_EXPECT_EQ(test, window_extract(w, seam + 1), 0ULL);
	/* It need not sleep for one as long as there is memory. */
	KUNIT_EXPECT_EQ(test, KERN_SUCCESS,
			window_enter_flags(w, seam + 1, m, R, PMAP_ENTER_NOSLEEP));
	test_fail_from(1);
	KUNIT_EXPECT_EQ_MSG(test, KERN_SUCCESS,
			    window_enter_flags(w, seam + 1, m, R, PMAP_ENTER_NOSLEEP),
			    "is noted already");
	KUNIT_EXPECT_FALSE(test, test_fail_done());
	test_window_close(w, NULL);
}

static void pmap_enter_without_memory(struct kunit *test)
{
	struct test_window *w = test_window(test);
	struct vm_page *m = window_page(test, w, 42);

	test_fail_init(test);
	KUNIT_EXPECT_EQ(test, KERN_SUCCESS, window_enter(w, 5, m, R));
	test_fail_from(1);
	KUNIT_EXPECT_EQ(test, KERN_RESOURCE_SHORTAGE, window_enter(w, 6, m, R));
	KUNIT_EXPECT_TRUE(test, test_fail_done());
	KUNIT_EXPECT_EQ(test, window_load(w, 6), WINDOW_NO_ACCESS);
	KUNIT_EXPECT_EQ(test, window_load(w, 5), 42ULL);
	test_window_close(w, NULL);
}

/* --- ranges */

/* The pages of a range test, around the seams of page tables, and a far one. */
static unsigned int range_pages(struct test_window *w, unsigned long *pages)
{
	unsigned long seam = window_seam(w);

	pages[0] = 0;
	pages[1] = seam - 1;
	pages[2] = seam;
	pages[3] = seam + 1;
	pages[4] = seam + TABLE_PAGES - 1;
	/* The table between stays empty. */
	pages[5] = seam + 2 * TABLE_PAGES + 7;
	pages[6] = TEST_WINDOW_PAGES - 1;
	return 7;
}

struct range_case {
	const char *name;
	int first, last;	/* of the pages above, inclusive; -1: the window's ends */
};

static const struct range_case range_cases[] = {
	{ "all", -1, -1 },
	{ "one page", 2, 2 },
	{ "across a seam", 1, 2 },
	{ "up to a seam", 0, 1 },
	{ "from a seam", 2, 4 },
	{ "over a table that is not there", 3, 5 },
	{ "to the end", 4, -1 },
	{ "from the start", -1, 3 },
};

static void range_of(struct test_window *w, const struct range_case *c, unsigned long *start,
		     unsigned long *end)
{
	unsigned long pages[8];

	range_pages(w, pages);
	*start = c->first < 0 ? 0 : pages[c->first];
	*end = c->last < 0 ? TEST_WINDOW_PAGES : pages[c->last] + 1;
}

static void pmap_remove_range(struct kunit *test)
{
	const struct range_case *c = test->param_value;
	struct test_window *w = test_window(test);
	unsigned long pages[8], start, end, left = 0;
	unsigned int n = range_pages(w, pages), i;

	range_of(w, c, &start, &end);
	for (i = 0; i < n; i++) {
		KUNIT_EXPECT_EQ(test, KERN_SUCCESS,
				window_enter(w, pages[i], window_page(test, w, 100 + i), RW));
		KUNIT_EXPECT_EQ(test, window_load(w, pages[i]), 100ULL + i);
	}
	KUNIT_EXPECT_EQ(test, window_resident(w), (unsigned long)n);
	window_remove(w, start, end);
	for (i = 0; i < n; i++) {
		bool gone = pages[i] >= start && pages[i] < end;

		KUNIT_EXPECT_EQ_MSG(test, window_load(w, pages[i]),
				    gone ? WINDOW_NO_ACCESS : 100ULL + i, "page %lu", pages[i]);
		left += !gone;
	}
	KUNIT_EXPECT_EQ(test, window_resident(w), left);
	test_window_close(w, NULL);
}

KUNIT_ARRAY_PARAM_DESC(range, range_cases, name);

static void pmap_protect_range(struct kunit *test)
{
	const struct range_case *c = test->param_value;
	struct test_window *w = test_window(test);
	unsigned long pages[8], start, end;
	unsigned int n = range_pages(w, pages), i;

	range_of(w, c, &start, &end);
	for (i = 0; i < n; i++) {
		KUNIT_EXPECT_EQ(test, KERN_SUCCESS,
				window_enter(w, pages[i], window_page(test, w, 0), RW | X));
		KUNIT_EXPECT_TRUE(test, window_store(w, pages[i], 100 + i));
	}
	window_protect(w, start, end, R);
	for (i = 0; i < n; i++) {
		bool gone = pages[i] >= start && pages[i] < end;

		KUNIT_EXPECT_EQ_MSG(test, window_store(w, pages[i], 200 + i), !gone, "page %lu",
				    pages[i]);
		KUNIT_EXPECT_EQ_MSG(test, window_load(w, pages[i]), (gone ? 100ULL : 200ULL) + i,
				    "page %lu", pages[i]);
		KUNIT_EXPECT_EQ(test, window_may_execute(w, pages[i]), !gone);
	}
	KUNIT_EXPECT_EQ(test, window_resident(w), (unsigned long)n);
	test_window_close(w, NULL);
}

struct protect_case {
	const char *name;
	vm_prot_t from, to;
	bool load, store, execute;
};

static const struct protect_case protect_cases[] = {
	{ "rwx to rwx", RW | X, RW | X, true, true, true },
	{ "rwx to rw", RW | X, RW, true, true, false },
	{ "rwx to rx", RW | X, R | X, true, false, true },
	{ "rwx to r", RW | X, R, true, false, false },
	{ "rwx to nothing", RW | X, 0, false, false, false },
	{ "rw to rwx grants nothing", RW, RW | X, true, true, false },
	{ "r to rw grants nothing", R, RW, true, false, false },
	{ "rx to rw grants nothing", R | X, RW, true, false, false },
	{ "r to r", R, R, true, false, false },
	{ "r to nothing", R, 0, false, false, false },
};

static void pmap_protect_only_takes_away(struct kunit *test)
{
	const struct protect_case *c = test->param_value;
	struct test_window *w = test_window(test);
	struct vm_page *m = window_page(test, w, 42);

	KUNIT_EXPECT_EQ(test, KERN_SUCCESS, window_enter(w, 5, m, c->from));
	KUNIT_EXPECT_EQ(test, window_load(w, 5), 42ULL);
	window_store(w, 5, 42);
	window_protect(w, 5, 6, c->to);
	KUNIT_EXPECT_EQ(test, window_load(w, 5), c->load ? 42ULL : WINDOW_NO_ACCESS);
	KUNIT_EXPECT_EQ(test, window_store(w, 5, 43), c->store);
	KUNIT_EXPECT_EQ(test, *test_page_words(m), c->store ? 43ULL : 42ULL);
	KUNIT_EXPECT_EQ(test, c->load && window_may_execute(w, 5), c->execute);
	test_window_close(w, NULL);
}

KUNIT_ARRAY_PARAM_DESC(protect, protect_cases, name);

static void pmap_null_is_a_map_without_translations(struct kunit *test)
{
	pmap_remove(NULL, 0, PAGE_SIZE);
	pmap_protect(NULL, 0, PAGE_SIZE, R);
	KUNIT_EXPECT_EQ(test, 0, pmap_pin(NULL));
	pmap_unpin(NULL);
}

/* --- many at once */

static unsigned int enter_object(struct test_window *w, unsigned long page, struct vm_page **ma,
				 unsigned int count)
{
	unsigned int n;

	pmap_pin(&w->pmap);
	VM_OBJECT_RLOCK(w->object);
	n = pmap_enter_object(&w->pmap, window_va(w, page), ma, count, R);
	VM_OBJECT_RUNLOCK(w->object);
	pmap_unpin(&w->pmap);
	return n;
}

static void pmap_enter_object_maps_what_is_easy(struct kunit *test)
{
	struct test_window *w = test_window(test);
	struct vm_page *there = window_page(test, w, 1), *ma[8];
	unsigned long seam = window_seam(w), page = seam - 4;
	unsigned int i;

	/* One table stands, with one slot taken; one page is missing. */
	KUNIT_EXPECT_EQ(test, KERN_SUCCESS, window_enter(w, page + 1, there, RW));
	for (i = 0; i < ARRAY_SIZE(ma); i++)
		ma[i] = i == 2 ? NULL : window_page(test, w, 100 + i);
	KUNIT_EXPECT_EQ(test, 2U, enter_object(w, page, ma, ARRAY_SIZE(ma)));

	KUNIT_EXPECT_EQ(test, window_load(w, page), 100ULL);
	KUNIT_EXPECT_FALSE(test, window_store(w, page, 0));
	KUNIT_EXPECT_EQ_MSG(test, window_load(w, page + 1), 1ULL, "what was there stays");
	KUNIT_EXPECT_TRUE(test, window_store(w, page + 1, 2));
	KUNIT_EXPECT_EQ(test, window_load(w, page + 2), WINDOW_NO_ACCESS);
	KUNIT_EXPECT_EQ(test, window_load(w, page + 3), 103ULL);
	for (i = 4; i < 8; i++)
		KUNIT_EXPECT_EQ_MSG(test, window_load(w, page + i), WINDOW_NO_ACCESS,
				    "no table there");
	KUNIT_EXPECT_EQ(test, window_resident(w), 3UL);
	test_window_close(w, NULL);
}

static void pmap_enter_object_across_tables(struct kunit *test)
{
	struct test_window *w = test_window(test);
	unsigned long seam = window_seam(w);
	struct vm_page *ma[8];
	unsigned int i;

	KUNIT_EXPECT_EQ(test, KERN_SUCCESS, window_enter(w, 0, window_page(test, w, 1), R));
	KUNIT_EXPECT_EQ(test, KERN_SUCCESS,
			window_enter(w, seam + 100, window_page(test, w, 1), R));
	for (i = 0; i < ARRAY_SIZE(ma); i++)
		ma[i] = window_page(test, w, 100 + i);
	KUNIT_EXPECT_EQ(test, 8U, enter_object(w, seam - 4, ma, ARRAY_SIZE(ma)));
	for (i = 0; i < ARRAY_SIZE(ma); i++)
		KUNIT_EXPECT_EQ(test, window_load(w, seam - 4 + i), 100ULL + i);
	test_window_close(w, NULL);
}

static void pmap_prefaultable(struct kunit *test)
{
	struct test_window *w = test_window(test);
	unsigned long seam = window_seam(w);

	KUNIT_EXPECT_EQ(test, KERN_SUCCESS, window_enter(w, seam, window_page(test, w, 1), R));
	pmap_pin(&w->pmap);
	KUNIT_EXPECT_FALSE(test, pmap_is_prefaultable(&w->pmap, window_va(w, seam)));
	KUNIT_EXPECT_TRUE(test, pmap_is_prefaultable(&w->pmap, window_va(w, seam + 1)));
	KUNIT_EXPECT_FALSE(test, pmap_is_prefaultable(&w->pmap, window_va(w, seam - 1)));
	pmap_unpin(&w->pmap);
	test_window_close(w, NULL);
}

/* --- page content */

static void pmap_fills_pages(struct kunit *test)
{
	struct test_window *w = test_window(test);
	struct vm_page *a = window_page(test, w, 1), *b = window_page(test, w, 2);
	u64 *from = test_page_words(a), *to = test_page_words(b);
	unsigned int i;

	for (i = 0; i < PAGE_SIZE / sizeof(u64); i++)
		from[i] = i * 0x0101010101010101ULL + 1;
	pmap_copy_page(a, b);
	KUNIT_EXPECT_EQ(test, 0, memcmp(from, to, PAGE_SIZE));
	pmap_zero_page(a);
	KUNIT_EXPECT_NULL(test, memchr_inv(from, 0, PAGE_SIZE));
	KUNIT_EXPECT_EQ(test, to[511], 511 * 0x0101010101010101ULL + 1);
	test_window_close(w, NULL);
}

/* --- pinning */

static void pmap_pin_refuses_what_is_gone(struct kunit *test)
{
	struct test_window *w = test_window(test);
	int ret;

	ret = pmap_pin(&w->pmap);
	KUNIT_EXPECT_EQ(test, 0, ret);
	mmap_assert_locked(w->pmap.mm);
	if (!ret)
		pmap_unpin(&w->pmap);
	test_window_unmap(w);
	ret = pmap_pin(&w->pmap);
	KUNIT_EXPECT_EQ(test, -ENXIO, ret);
	if (!ret)
		pmap_unpin(&w->pmap);
	/* And has not left it locked. */
	KUNIT_EXPECT_FALSE(test, rwsem_is_locked(&w->pmap.mm->mmap_lock));
	test_window_close(w, NULL);
}

static void pmap_pin_nowait_does_not_wait(struct kunit *test)
{
	struct test_window *w = test_window(test);
	bool pinned;

	KUNIT_EXPECT_TRUE(test, pmap_pin_nowait(NULL));
	pinned = pmap_pin_nowait(&w->pmap);
	KUNIT_EXPECT_TRUE(test, pinned);
	if (pinned)
		pmap_unpin(&w->pmap);
	mmap_write_lock(w->pmap.mm);
	KUNIT_EXPECT_FALSE(test, pmap_pin_nowait(&w->pmap));
	mmap_write_unlock(w->pmap.mm);
	test_window_unmap(w);
	KUNIT_EXPECT_FALSE(test, pmap_pin_nowait(&w->pmap));
	KUNIT_EXPECT_FALSE(test, rwsem_is_locked(&w->pmap.mm->mmap_lock));
	test_window_close(w, NULL);
}

/* Where the window has gone one sees what asks for it: what nobody has touched does not. */
static void pmap_is_pinned_where_something_may_be_mapped(struct kunit *test)
{
	struct vm_map *map = kunit_kzalloc(test, sizeof(*map), GFP_KERNEL);
	struct vm_object *object = vm_object_allocate_anon(1);
	struct test_window *w = test_window(test);
	const vm_offset_t start = w->start;
	struct vm_map_entry *entry;
	LIST_HEAD(deferred);

	KUNIT_ASSERT_TRUE(test, map && object);
	vm_map_init(map, &w->pmap, start, window_va(w, TEST_WINDOW_PAGES));
	test_map_insert(test, map, NULL, start, start + ptoa(4), RW, 0);
	test_map_insert(test, map, object, start + ptoa(8), start + ptoa(9), RW, 0);
	test_window_unmap(w);

	KUNIT_EXPECT_EQ(test, KERN_SUCCESS,
			vm_map_protect(map, start, start + ptoa(2), VM_PROT_READ, 0,
				       VM_MAP_PROTECT_SET_PROT));
	KUNIT_EXPECT_EQ(test, KERN_SUCCESS, test_map_remove(map, start + ptoa(1), start + ptoa(8)));
	KUNIT_EXPECT_EQ(test, KERN_NOT_RECEIVER,
			vm_map_protect(map, start, start + ptoa(9), VM_PROT_READ, 0,
				       VM_MAP_PROTECT_SET_PROT));
	KUNIT_EXPECT_EQ(test, KERN_NOT_RECEIVER, test_map_remove(map, start, start + ptoa(9)));

	vm_map_lock_read(map);
	KUNIT_EXPECT_EQ(test, map->size, 2 * VM_PAGE_SIZE);
	KUNIT_EXPECT_TRUE(test, vm_map_lookup_entry(map, start, &entry));
	if (vm_map_lookup_entry(map, start + ptoa(8), &entry))
		KUNIT_EXPECT_EQ(test, entry->protection, RW);
	else
		KUNIT_FAIL(test, "what may be mapped is gone");
	vm_map_unlock_read(map);
	map->pmap = NULL;
	vm_map_remove_all(map, &deferred);
	vm_map_process_deferred(&deferred);
	test_window_close(w, NULL);
}

static struct kunit_case pmap_cases[] = {
	KUNIT_CASE(pmap_nothing_is_mapped_at_first),
	KUNIT_CASE(pmap_enter_for_reading),
	KUNIT_CASE(pmap_enter_for_writing),
	KUNIT_CASE(pmap_enter_for_execution),
	KUNIT_CASE(pmap_enter_is_bounded_by_window),
	KUNIT_CASE(pmap_enter_again),
	KUNIT_CASE(pmap_enter_replaces),
	KUNIT_CASE(pmap_enter_without_sleeping),
	KUNIT_CASE(pmap_enter_without_memory),
	KUNIT_CASE_PARAM(pmap_remove_range, range_gen_params),
	KUNIT_CASE_PARAM(pmap_protect_range, range_gen_params),
	KUNIT_CASE_PARAM(pmap_protect_only_takes_away, protect_gen_params),
	KUNIT_CASE(pmap_null_is_a_map_without_translations),
	KUNIT_CASE(pmap_enter_object_maps_what_is_easy),
	KUNIT_CASE(pmap_enter_object_across_tables),
	KUNIT_CASE(pmap_prefaultable),
	KUNIT_CASE(pmap_fills_pages),
	KUNIT_CASE(pmap_pin_refuses_what_is_gone),
	KUNIT_CASE(pmap_pin_nowait_does_not_wait),
	KUNIT_CASE(pmap_is_pinned_where_something_may_be_mapped),
	{}
};

static struct kunit_suite pmap_suite = {
	.name = "bsdvm_pmap",
	.init = test_pages_init,
	.test_cases = pmap_cases,
};

kunit_test_suite(pmap_suite);
