// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Tests of the pages that come ahead of stores in order of address: how many, up to where,
 * and that they are what they must be.
 *
 * The map has a real pmap, of a window that the thread of the test maps: a page comes ahead
 * only where it can be mapped. A test makes the window and takes it down before it ends;
 * between the two it must not abort.
 */
#include "bsdvm_kunit.h"

#include <linux/anon_inodes.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/mm.h>
#include <linux/mman.h>
#include <linux/mmap_lock.h>

#include "pmap_x86/pmap_x86.h"
#include "vm/vm_fault.h"
#include "vm/vm_map.h"
#include "vm/vm_object.h"
#include "vm/vm_pager.h"
#include "vm/vm_user.h"

#define AHEAD_PAGES	128
#define ZEROES		32	/* come at once, with MADV_SEQUENTIAL */
#define COPIES		16

#define R	VM_PROT_READ
#define W	VM_PROT_WRITE

/**
 * struct ahead - a window with one entry
 * @file: what is mapped
 * @group: of the pmap
 * @pmap: the translations
 * @start: the window's first address
 * @map: the map
 * @entry: its entry, from the first address on
 * @first: the entry's object
 * @beneath: what that shadows, or NULL
 */
struct ahead {
	struct file *file;
	struct pmap_group *group;
	struct pmap pmap;
	unsigned long start;
	struct vm_map map;
	struct vm_map_entry *entry;
	struct vm_object *first;
	struct vm_object *beneath;
};

static void ahead_vma_close(struct vm_area_struct *vma)
{
	struct ahead *a = vma->vm_private_data;

	pmap_release(&a->pmap);
}

static const struct vm_operations_struct ahead_vma_ops = {
	.close = ahead_vma_close,
};

static int ahead_mmap(struct file *file, struct vm_area_struct *vma)
{
	struct ahead *a = file->private_data;

	vm_flags_set(vma, VM_IO | VM_PFNMAP | VM_DONTEXPAND | VM_DONTDUMP);
	vma->vm_private_data = a;
	vma->vm_ops = &ahead_vma_ops;
	pmap_pinit(&a->pmap, a->group, vma);
	return 0;
}

static const struct file_operations ahead_file_ops = {
	.owner = THIS_MODULE,
	.mmap = ahead_mmap,
};

/* Show @pages pages of @a->first, from @offset on. */
static void ahead_enter(struct kunit *test, struct ahead *a, vm_pindex_t offset, u64 pages)
{
	vm_offset_t end = a->start + ptoa(pages);

	vm_map_lock(&a->map);
	KUNIT_EXPECT_EQ(test, KERN_SUCCESS,
			vm_map_insert(&a->map, a->first, IDX_TO_OFF(offset), a->start, end,
				      VM_PROT_ALL, VM_PROT_ALL, 0));
	vm_map_lookup_entry(&a->map, a->start, &a->entry);
	vm_map_unlock(&a->map);
}

/* A window with nothing in it. */
static struct ahead *ahead_open(struct kunit *test)
{
	struct ahead *a = kunit_kzalloc(test, sizeof(*a), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, a);
	a->file = anon_inode_create_getfile("[bsdvm_kunit]", &ahead_file_ops, a, O_RDWR, NULL);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, a->file);
	a->group = pmap_group_create(file_inode(a->file));
	KUNIT_ASSERT_NOT_NULL(test, a->group);
	a->start = kunit_vm_mmap(test, a->file, 0, ptoa(AHEAD_PAGES), PROT_READ | PROT_WRITE,
				 MAP_SHARED, 0);
	KUNIT_ASSERT_FALSE(test, !a->start || IS_ERR_VALUE(a->start));
	vm_map_init(&a->map, &a->pmap, a->start, a->start + ptoa(AHEAD_PAGES));
	return a;
}

static void ahead_close(struct ahead *a)
{
	LIST_HEAD(deferred);

	pmap_pin(&a->pmap);
	vm_map_remove(&a->map, a->start, a->start + ptoa(AHEAD_PAGES), &deferred);
	pmap_unpin(&a->pmap);
	vm_map_process_deferred(&deferred);
	if (a->beneath)
		vm_object_deallocate(a->beneath);
	vm_munmap(a->start, ptoa(AHEAD_PAGES));
	pmap_group_put(a->group);
	__fput_sync(a->file);
}

/* New memory, @pages of it mapped. */
static struct ahead *ahead_zero(struct kunit *test, u64 pages)
{
	struct ahead *a = ahead_open(test);

	a->first = vm_object_allocate_anon(AHEAD_PAGES);
	ahead_enter(test, a, 0, pages);
	return a;
}

static u64 *content(struct vm_page *m)
{
	return pmap_quick_enter_page(m);
}

/* A page that holds the number of its place. */
static struct vm_page *ahead_put(struct kunit *test, struct vm_object *object, vm_pindex_t pindex)
{
	struct vm_page *m = vm_page_alloc_noobj(VM_ALLOC_NORMAL);

	if (!m) {
		KUNIT_FAIL(test, "no page is free");
		return NULL;
	}
	pmap_zero_page(m);
	*content(m) = pindex;
	m->valid = 1;
	vm_page_dirty(m);
	VM_OBJECT_WLOCK(object);
	KUNIT_EXPECT_EQ(test, 0, vm_page_insert(m, object, pindex));
	vm_page_enqueue(m, PQ_ACTIVE);
	VM_OBJECT_WUNLOCK(object);
	return m;
}

static int ahead_fault(struct ahead *a, u64 page, vm_prot_t type)
{
	struct vm_fault_wait fw = { .restarts = 0 };
	int rv;

	do {
		pmap_pin(&a->pmap);
		rv = vm_fault(&a->map, a->start + ptoa(page), type, &fw, NULL);
		pmap_unpin(&a->pmap);
		if (rv == KERN_RESTART)
			rv = vm_fault_wait(&fw);
	} while (rv == KERN_RESTART);
	return rv;
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
	vm_paddr_t pa;
	u64 i;

	for (i = 0; i < AHEAD_PAGES; i++) {
		m = ahead_page(a->first, i);
		pmap_pin(&a->pmap);
		pa = pmap_extract(&a->pmap, a->start + ptoa(i));
		pmap_unpin(&a->pmap);
		KUNIT_EXPECT_EQ_MSG(test, !!m, i < n, "page %llu", i);
		if (!m || i >= n)
			continue;
		KUNIT_EXPECT_EQ_MSG(test, pa, m->phys_addr, "page %llu", i);
		KUNIT_EXPECT_EQ(test, *content(m), zero ? 0 : i);
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
		KUNIT_EXPECT_EQ(test, *content(ahead_page(a->beneath, i)), i);
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
	KUNIT_EXPECT_EQ(test, *content(m), 5ULL);
	ahead_close(a);

	a = ahead_cow(test, 0, AHEAD_PAGES);
	m = ahead_put(test, a->first, 5);
	ahead_advise(a, MAP_ENTRY_BEHAV_SEQ);
	KUNIT_EXPECT_EQ(test, ahead_store(test, a, 0), 5UL);
	KUNIT_EXPECT_PTR_EQ(test, ahead_page(a->first, 5), m);
	ahead_close(a);
}

/* Write a page to swap, as the laundry does, and free it. */
static void ahead_page_out(struct kunit *test, struct vm_object *object, vm_pindex_t pindex)
{
	struct vm_page *m;
	unsigned int done;

	VM_OBJECT_WLOCK(object);
	m = vm_page_lookup(object, pindex);
	vm_pager_clean_pages(&m, 1);
	VM_OBJECT_WUNLOCK(object);
	KUNIT_EXPECT_EQ(test, 0, vm_pager_put_pages(object, &m, 1, PQ_ACTIVE, PQ_ACTIVE, &done));
	VM_OBJECT_WLOCK(object);
	KUNIT_EXPECT_TRUE(test, vm_pager_has_page(object, pindex));
	vm_page_destroy(m);
	VM_OBJECT_WUNLOCK(object);
}

static void ahead_stops_at_what_is_in_swap(struct kunit *test)
{
	struct ahead *a = ahead_cow(test, 0, AHEAD_PAGES);

	ahead_advise(a, MAP_ENTRY_BEHAV_SEQ);
	ahead_page_out(test, a->beneath, 6);
	KUNIT_EXPECT_EQ(test, ahead_store(test, a, 0), 6UL);
	expect_ahead(test, a, 6, false);
	ahead_close(a);

	/* What the first object has in swap hides what is resident beneath. */
	a = ahead_cow(test, 0, AHEAD_PAGES);
	*content(ahead_put(test, a->first, 6)) = 600;
	ahead_page_out(test, a->first, 6);
	ahead_advise(a, MAP_ENTRY_BEHAV_SEQ);
	KUNIT_EXPECT_EQ(test, ahead_store(test, a, 0), 6UL);
	expect_ahead(test, a, 6, false);
	KUNIT_EXPECT_EQ(test, KERN_SUCCESS, ahead_fault(a, 6, R));
	KUNIT_EXPECT_EQ(test, *content(ahead_page(a->first, 6)), 600ULL);
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

	VM_OBJECT_WLOCK(a->first);
	a->first->flags &= ~OBJ_ONEMAPPING;
	VM_OBJECT_WUNLOCK(a->first);
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
		KUNIT_EXPECT_EQ(test, *content(m[i]), i);
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
