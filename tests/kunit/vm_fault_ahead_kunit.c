// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Tests of the pages that come ahead of stores in order of address: how many, up to where,
 * and that they are what they must be.
 *
 * The map has a real pmap, of a window that the thread of the test maps: a page comes ahead
 * only where it can be mapped. A test makes the window and takes it down before it ends;
 * between the two it must not abort.
 */
#include "pmap_kunit.h"

#include "vm/vm_user.h"

#include "vm_fault_kunit.h"

#define AHEAD_PAGES	128
#define ZEROES		32	/* come at once, with MADV_SEQUENTIAL */
#define COPIES		16

/**
 * struct ahead - a window with one entry
 * @window: the window, of which the first AHEAD_PAGES are used
 * @map: the map
 * @entry: its entry, from the first address on
 * @first: the entry's object
 * @beneath: what that shadows, or NULL
 */
struct ahead {
	struct test_window window;
	struct vm_map map;
	struct vm_map_entry *entry;
	struct vm_object *first;
	struct vm_object *beneath;
};

/* Show @pages pages of @a->first, from @offset on. */
static void ahead_enter(struct kunit *test, struct ahead *a, vm_pindex_t offset, u64 pages)
{
	vm_offset_t start = a->window.start;

	vm_map_lock(&a->map);
	KUNIT_EXPECT_EQ(test, KERN_SUCCESS,
			vm_map_insert(&a->map, a->first, IDX_TO_OFF(offset), start,
				      start + ptoa(pages), VM_PROT_ALL, VM_PROT_ALL, 0));
	vm_map_lookup_entry(&a->map, start, &a->entry);
	vm_map_unlock(&a->map);
}

/* A window with nothing in it. */
static struct ahead *ahead_open(struct kunit *test)
{
	struct ahead *a = kunit_kzalloc(test, sizeof(*a), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, a);
	test_window_open(test, &a->window, NULL);
	a->window.pmap.prot = RW;
	vm_map_init(&a->map, &a->window.pmap, a->window.start,
		    window_va(&a->window, AHEAD_PAGES));
	return a;
}

static void ahead_close(struct ahead *a)
{
	test_map_remove(&a->map, a->window.start, window_va(&a->window, AHEAD_PAGES));
	if (a->beneath)
		vm_object_deallocate(a->beneath);
	test_window_close(&a->window, NULL);
}

/* New memory, @pages of it mapped. */
static struct ahead *ahead_zero(struct kunit *test, u64 pages)
{
	struct ahead *a = ahead_open(test);

	a->first = vm_object_allocate_anon(AHEAD_PAGES);
	ahead_enter(test, a, 0, pages);
	return a;
}

/* A page that holds the number of its place. */
static struct vm_page *ahead_put(struct kunit *test, struct vm_object *object, vm_pindex_t pindex)
{
	struct vm_page *m = test_page_of_word(test, pindex);

	if (m)
		test_page_insert_dirty(test, m, object, pindex);
	return m;
}

static int ahead_fault(struct ahead *a, u64 page, vm_prot_t type)
{
	return test_fault_at(&a->map, window_va(&a->window, page), type, NULL);
}

/* @pages of a shadow from @offset on; all of what is beneath is resident, and not its alone. */
static struct ahead *ahead_cow(struct kunit *test, vm_pindex_t offset, u64 pages)
{
	struct ahead *a = ahead_open(test);
	vm_ooffset_t shadow_offset = 0;
	vm_pindex_t i;

	a->beneath = vm_object_allocate_anon(AHEAD_PAGES);
	for (i = 0; i < AHEAD_PAGES; i++)
		ahead_put(test, a->beneath, i);
	vm_object_reference(a->beneath);
	a->first = a->beneath;
	KUNIT_EXPECT_EQ(test, KERN_SUCCESS,
			vm_object_shadow(&a->first, &shadow_offset, ptoa(AHEAD_PAGES)));
	ahead_enter(test, a, offset, pages);
	/* Makes the page table. */
	KUNIT_EXPECT_EQ(test, KERN_SUCCESS, ahead_fault(a, 0, R));
	return a;
}

static void ahead_advise(struct ahead *a, u32 flag)
{
	vm_map_lock(&a->map);
	a->entry->eflags |= flag;
	vm_map_unlock(&a->map);
}

/* Store to a page; returns how many pages the first object has got by that. */
static unsigned long ahead_store(struct kunit *test, struct ahead *a, u64 page)
{
	unsigned long before = a->first->resident_page_count;

	KUNIT_EXPECT_EQ(test, KERN_SUCCESS, ahead_fault(a, page, W));
	return a->first->resident_page_count - before;
}

static struct vm_page *ahead_page(struct vm_object *object, vm_pindex_t pindex)
{
	struct vm_page *m;

	VM_OBJECT_RLOCK(object);
	m = vm_page_lookup(object, pindex);
	VM_OBJECT_RUNLOCK(object);
	return m;
}

/* The first @n pages are the first object's, mapped, with this content; no other is. */
static void expect_ahead(struct kunit *test, struct ahead *a, u64 n, bool zero)
{
	struct vm_page *m;
	u64 i;

	for (i = 0; i < AHEAD_PAGES; i++) {
		m = ahead_page(a->first, i);
		KUNIT_EXPECT_EQ_MSG(test, !!m, i < n, "page %llu", i);
		if (!m || i >= n)
			continue;
		KUNIT_EXPECT_EQ_MSG(test, window_extract(&a->window, i), m->phys_addr,
				    "page %llu", i);
		KUNIT_EXPECT_EQ(test, *test_page_words(m), zero ? 0 : i);
		KUNIT_EXPECT_TRUE(test, m->valid && vm_page_is_dirty(m));
		KUNIT_EXPECT_EQ(test, vm_page_queue(m), PQ_ACTIVE);
	}
	VM_OBJECT_WLOCK(a->first);
	vm_object_assert_consistent(a->first);
	VM_OBJECT_WUNLOCK(a->first);
}

/* --- how many */

static void expect_growth(struct kunit *test, struct ahead *a)
{
	u64 page;

	/* The eighth in a row gets half as many as there have been. */
	for (page = 0; page < 7; page++)
		KUNIT_EXPECT_EQ(test, ahead_store(test, a, page), 1UL);
	KUNIT_EXPECT_EQ(test, ahead_store(test, a, 7), 5UL);
	KUNIT_EXPECT_EQ(test, ahead_store(test, a, 12), 7UL);
}

static void ahead_zeroes_come_as_many_as_have_been_wanted(struct kunit *test)
{
	struct ahead *a = ahead_zero(test, AHEAD_PAGES);

	expect_growth(test, a);
	expect_ahead(test, a, 19, true);
	ahead_close(a);
}

static void ahead_copies_come_as_many_as_have_been_wanted(struct kunit *test)
{
	struct ahead *a = ahead_cow(test, 0, AHEAD_PAGES);

	expect_growth(test, a);
	expect_ahead(test, a, 19, false);
	ahead_close(a);
}

static void ahead_advice_is_followed(struct kunit *test)
{
	struct ahead *a = ahead_zero(test, AHEAD_PAGES);
	u64 page, zeroed = TEST_VMMETER(v_zfod);

	ahead_fault(a, AHEAD_PAGES - 1, R);	/* makes the page table */
	ahead_advise(a, MAP_ENTRY_BEHAV_SEQ);
	KUNIT_EXPECT_EQ(test, ahead_store(test, a, 0), (unsigned long)ZEROES);
	KUNIT_EXPECT_EQ(test, TEST_VMMETER(v_zfod) - zeroed, ZEROES + 1ULL);
	ahead_close(a);

	a = ahead_cow(test, 0, AHEAD_PAGES);
	ahead_advise(a, MAP_ENTRY_BEHAV_RANDOM);
	for (page = 0; page < 40; page++)
		KUNIT_EXPECT_EQ(test, ahead_store(test, a, page), 1UL);
	ahead_close(a);
}

/*
 * What was mapped before shows the copies, after one shootdown; nobody else's page has
 * changed. One fault is counted, and those that came with it as neighbours.
 */
static void ahead_copies_replace_what_was_mapped(struct kunit *test)
{
	struct ahead *a = ahead_cow(test, 0, AHEAD_PAGES);
	u64 copies, neighbours, shootdowns, i;

	for (i = 0; i < AHEAD_PAGES; i++)
		KUNIT_EXPECT_EQ(test, KERN_SUCCESS, ahead_fault(a, i, R));
	ahead_advise(a, MAP_ENTRY_BEHAV_SEQ);
	copies = TEST_VMMETER(v_cow_faults);
	neighbours = TEST_VMMETER(v_prefault);
	shootdowns = TEST_VMMETER(v_shootdowns);
	KUNIT_EXPECT_EQ(test, ahead_store(test, a, 0), (unsigned long)COPIES);
	KUNIT_EXPECT_EQ(test, TEST_VMMETER(v_cow_faults) - copies, 1ULL);
	KUNIT_EXPECT_EQ(test, TEST_VMMETER(v_prefault) - neighbours, COPIES - 1ULL);
	KUNIT_EXPECT_EQ(test, TEST_VMMETER(v_shootdowns) - shootdowns, 1ULL);
	expect_ahead(test, a, COPIES, false);
	for (i = 0; i < AHEAD_PAGES; i++)
		KUNIT_EXPECT_EQ(test, *test_page_words(ahead_page(a->beneath, i)), i);
	ahead_close(a);
}

/* --- up to where */

static void ahead_ends_with_the_entry(struct kunit *test)
{
	struct ahead *a = ahead_cow(test, 0, 10);

	ahead_advise(a, MAP_ENTRY_BEHAV_SEQ);
	KUNIT_EXPECT_EQ(test, ahead_store(test, a, 0), 10UL);
	expect_ahead(test, a, 10, false);
	ahead_close(a);

	/* And with a leaf of the tree. */
	a = ahead_cow(test, VM_RADIX_LEAF - 4, 60);
	ahead_advise(a, MAP_ENTRY_BEHAV_SEQ);
	KUNIT_EXPECT_EQ(test, ahead_store(test, a, 0), 4UL);
	KUNIT_EXPECT_EQ(test, ahead_store(test, a, 4), (unsigned long)COPIES);
	ahead_close(a);
}

static void ahead_stops_at_what_is_in_the_way(struct kunit *test)
{
	struct ahead *a = ahead_zero(test, AHEAD_PAGES);
	struct vm_page *m = ahead_put(test, a->first, 5);

	ahead_fault(a, AHEAD_PAGES - 1, R);
	ahead_advise(a, MAP_ENTRY_BEHAV_SEQ);
	KUNIT_EXPECT_EQ(test, ahead_store(test, a, 0), 5UL);
	KUNIT_EXPECT_PTR_EQ(test, ahead_page(a->first, 5), m);
	KUNIT_EXPECT_EQ(test, *test_page_words(m), 5ULL);
	ahead_close(a);

	a = ahead_cow(test, 0, AHEAD_PAGES);
	m = ahead_put(test, a->first, 5);
	ahead_advise(a, MAP_ENTRY_BEHAV_SEQ);
	KUNIT_EXPECT_EQ(test, ahead_store(test, a, 0), 5UL);
	KUNIT_EXPECT_PTR_EQ(test, ahead_page(a->first, 5), m);
	ahead_close(a);
}

static void ahead_stops_at_what_is_in_swap(struct kunit *test)
{
	struct ahead *a = ahead_cow(test, 0, AHEAD_PAGES);

	ahead_advise(a, MAP_ENTRY_BEHAV_SEQ);
	test_page_out(test, a->beneath, 6, true);
	KUNIT_EXPECT_EQ(test, ahead_store(test, a, 0), 6UL);
	expect_ahead(test, a, 6, false);
	ahead_close(a);

	/* What the first object has in swap hides what is resident beneath. */
	a = ahead_cow(test, 0, AHEAD_PAGES);
	*test_page_words(ahead_put(test, a->first, 6)) = 600;
	test_page_out(test, a->first, 6, true);
	ahead_advise(a, MAP_ENTRY_BEHAV_SEQ);
	KUNIT_EXPECT_EQ(test, ahead_store(test, a, 0), 6UL);
	expect_ahead(test, a, 6, false);
	KUNIT_EXPECT_EQ(test, KERN_SUCCESS, ahead_fault(a, 6, R));
	KUNIT_EXPECT_EQ(test, *test_page_words(ahead_page(a->first, 6)), 600ULL);
	ahead_close(a);
}

static void ahead_stops_at_a_busy_page(struct kunit *test)
{
	struct ahead *a = ahead_cow(test, 0, AHEAD_PAGES);
	struct vm_page *m = ahead_page(a->beneath, 3);

	ahead_advise(a, MAP_ENTRY_BEHAV_SEQ);
	KUNIT_EXPECT_TRUE(test, vm_page_tryxbusy(m));
	KUNIT_EXPECT_EQ(test, ahead_store(test, a, 0), 3UL);
	expect_ahead(test, a, 3, false);
	vm_page_xunbusy(m);
	ahead_close(a);
}

/* Other maps that share the first object may have mapped any of the old pages. */
static void ahead_nothing_in_a_shared_object(struct kunit *test)
{
	struct ahead *a = ahead_cow(test, 0, AHEAD_PAGES);

	test_object_mapped_twice(a->first);
	ahead_advise(a, MAP_ENTRY_BEHAV_SEQ);
	KUNIT_EXPECT_EQ(test, ahead_store(test, a, 0), 1UL);
	expect_ahead(test, a, 1, false);
	ahead_close(a);
}

/* --- pages taken over */

/* Let the shadow alone refer to what is beneath, as it is where a collapse did not come off. */
static void ahead_own(struct ahead *a)
{
	refcount_dec(&a->beneath->ref_count);
}

static void ahead_takes_over_what_is_its_own(struct kunit *test)
{
	struct ahead *a = ahead_cow(test, 0, AHEAD_PAGES);
	struct vm_page *m[COPIES + 1];
	u64 taken = TEST_VMMETER(v_cow_optim), i;

	for (i = 0; i <= COPIES; i++)
		m[i] = ahead_page(a->beneath, i);
	ahead_advise(a, MAP_ENTRY_BEHAV_SEQ);
	ahead_own(a);
	/* Whoever wired it wants it where it is. */
	vm_page_wire(m[9]);
	KUNIT_EXPECT_EQ(test, KERN_SUCCESS, ahead_fault(a, 0, W));
	KUNIT_EXPECT_EQ(test, TEST_VMMETER(v_cow_optim) - taken, 1ULL);
	for (i = 0; i < 9; i++) {
		KUNIT_EXPECT_PTR_EQ(test, ahead_page(a->first, i), m[i]);
		KUNIT_EXPECT_EQ(test, *test_page_words(m[i]), i);
	}
	vm_page_unwire(m[9], PQ_ACTIVE);
	/* The fault ends with a collapse: the object beneath is gone. */
	KUNIT_EXPECT_NULL(test, a->first->backing_object);
	a->beneath = NULL;
	ahead_close(a);
}

/* A copy leaves a wired page where it is, wired. */
static void ahead_copies_a_wired_page(struct kunit *test)
{
	struct ahead *a = ahead_cow(test, 0, AHEAD_PAGES);
	struct vm_page *m = ahead_page(a->beneath, 4);

	vm_page_wire(m);
	ahead_advise(a, MAP_ENTRY_BEHAV_SEQ);
	KUNIT_EXPECT_EQ(test, ahead_store(test, a, 0), (unsigned long)COPIES);
	expect_ahead(test, a, COPIES, false);
	KUNIT_EXPECT_PTR_EQ(test, ahead_page(a->beneath, 4), m);
	KUNIT_EXPECT_FALSE(test, vm_page_wired(ahead_page(a->first, 4)));
	vm_page_unwire(m, PQ_ACTIVE);
	ahead_close(a);
}

/* --- when others want the memory */

static void expect_none(struct kunit *test, struct ahead *a)
{
	ahead_fault(a, AHEAD_PAGES - 1, R);
	ahead_advise(a, MAP_ENTRY_BEHAV_SEQ);
	KUNIT_EXPECT_EQ(test, ahead_store(test, a, 0), 1UL);
	KUNIT_EXPECT_EQ(test, ahead_store(test, a, 1), 1UL);
}

static void ahead_nothing_when_memory_is_short(struct kunit *test)
{
	struct ahead *zero = ahead_zero(test, AHEAD_PAGES);
	struct ahead *cow = ahead_cow(test, 0, AHEAD_PAGES);
	struct test_pages *pages = test_pages_alloc(test);

	while (vm_free_count() >= vm_dom.v_free_target + COPIES &&
	       test_pages_get(pages, VM_ALLOC_NORMAL))
		;
	expect_none(test, zero);
	expect_none(test, cow);
	test_pages_put_all(pages);
	KUNIT_EXPECT_EQ(test, ahead_store(test, zero, 2), (unsigned long)ZEROES);
	KUNIT_EXPECT_EQ(test, ahead_store(test, cow, 2), (unsigned long)COPIES);
	ahead_close(zero);
	ahead_close(cow);
}

static void ahead_nothing_above_the_users_limit(struct kunit *test)
{
	struct ahead *zero = ahead_zero(test, AHEAD_PAGES);
	struct ahead *cow = ahead_cow(test, 0, AHEAD_PAGES);
	struct vm_user *user = zero->first->user;
	const bool exempt = user->exempt;

	user->exempt = false;
	/* By the same rough count that is asked. */
	WRITE_ONCE(vm_max_user_pages, percpu_counter_read_positive(&user->pages) + COPIES / 2);
	expect_none(test, zero);
	expect_none(test, cow);
	WRITE_ONCE(vm_max_user_pages, 0);
	user->exempt = exempt;
	KUNIT_EXPECT_EQ(test, ahead_store(test, zero, 2), (unsigned long)ZEROES);
	KUNIT_EXPECT_EQ(test, ahead_store(test, cow, 2), (unsigned long)COPIES);
	ahead_close(zero);
	ahead_close(cow);
}

static struct kunit_case ahead_cases[] = {
	KUNIT_CASE(ahead_zeroes_come_as_many_as_have_been_wanted),
	KUNIT_CASE(ahead_copies_come_as_many_as_have_been_wanted),
	KUNIT_CASE(ahead_advice_is_followed),
	KUNIT_CASE(ahead_copies_replace_what_was_mapped),
	KUNIT_CASE(ahead_ends_with_the_entry),
	KUNIT_CASE(ahead_stops_at_what_is_in_the_way),
	KUNIT_CASE(ahead_stops_at_what_is_in_swap),
	KUNIT_CASE(ahead_stops_at_a_busy_page),
	KUNIT_CASE(ahead_nothing_in_a_shared_object),
	KUNIT_CASE(ahead_takes_over_what_is_its_own),
	KUNIT_CASE(ahead_copies_a_wired_page),
	KUNIT_CASE(ahead_nothing_when_memory_is_short),
	KUNIT_CASE(ahead_nothing_above_the_users_limit),
	{}
};

static struct kunit_suite ahead_suite = {
	.name = "bsdvm_fault_ahead",
	.init = test_pages_init,
	.test_cases = ahead_cases,
};

kunit_test_suite(ahead_suite);
