// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Tests of the pager of memory that is never paged. Maps here have no pmap.
 */
#include "vm_map_kunit.h"

#include "vm/vm_pager.h"

#define TEST_PAGES	4

/* A map whose first pages are those of an object, one page longer than that. */
static struct vm_map *test_map(struct kunit *test, struct vm_object **objectp)
{
	struct vm_object *object = vm_object_allocate(OBJT_PHYS, TEST_PAGES);
	struct vm_map *map = test_map_new(test);

	KUNIT_ASSERT_NOT_NULL(test, object);
	test_map_insert(test, map, object, test_va(0), test_va(TEST_PAGES + 1), RW,
			MAP_INHERIT_SHARE);
	*objectp = object;
	return map;
}

static void phys_page_is_wired_once(struct kunit *test)
{
	unsigned long wired = test_wire_count();
	struct vm_object *object;
	struct vm_map *map = test_map(test, &object);
	struct vm_page *m;

	KUNIT_EXPECT_EQ(test, test_load(map, 1), 0ULL);
	KUNIT_EXPECT_EQ(test, test_wire_count(), wired + 1);
	KUNIT_EXPECT_EQ(test, test_wirings(map, 1), 1);
	m = test_page(map, 1);
	vm_page_activate(m);
	KUNIT_EXPECT_EQ(test, vm_page_queue(m), (unsigned int)PQ_NONE);
	KUNIT_EXPECT_EQ(test, KERN_SUCCESS, test_store(map, 1, 7));
	KUNIT_EXPECT_PTR_EQ(test, test_page(map, 1), m);
	KUNIT_EXPECT_EQ(test, object->resident_page_count, 1UL);
	/* Who wires it beside the object takes nothing from it. */
	KUNIT_EXPECT_EQ(test, KERN_SUCCESS,
			vm_map_wire(map, test_va(0), test_va(2), VM_MAP_WIRE_NOHOLES,
				    vm_fault_wire));
	KUNIT_EXPECT_EQ(test, test_wirings(map, 1), 2);
	KUNIT_EXPECT_EQ(test, test_wire_count(), wired + 2);
	KUNIT_EXPECT_EQ(test, KERN_SUCCESS,
			vm_map_unwire(map, test_va(0), test_va(2), VM_MAP_WIRE_NOHOLES));
	KUNIT_EXPECT_EQ(test, test_wirings(map, 1), 1);
	KUNIT_EXPECT_EQ(test, test_wire_count(), wired + 2);
	KUNIT_EXPECT_EQ(test, test_load(map, 1), 7ULL);

	KUNIT_EXPECT_EQ(test, KERN_SUCCESS,
			test_map_remove(map, test_va(0), test_va(TEST_PAGES + 1)));
	KUNIT_EXPECT_EQ(test, test_wire_count(), wired);
}

static void phys_object_ends_at_its_size(struct kunit *test)
{
	struct vm_object *object;
	struct vm_map *map = test_map(test, &object);

	KUNIT_EXPECT_EQ(test, test_load(map, TEST_PAGES - 1), 0ULL);
	KUNIT_EXPECT_EQ(test, test_load(map, TEST_PAGES), NO_ACCESS + KERN_OUT_OF_BOUNDS);
	KUNIT_EXPECT_EQ(test, object->resident_page_count, 1UL);
	KUNIT_EXPECT_FALSE(test, vm_pager_ops(object)->haspage);
}

/* Somebody still reads it when the object goes. */
static void phys_page_that_is_held_goes_later(struct kunit *test)
{
	unsigned long wired = test_wire_count();
	struct vm_object *object;
	struct vm_map *map = test_map(test, &object);
	struct vm_page *m = NULL;

	KUNIT_EXPECT_EQ(test, KERN_SUCCESS, test_store(map, 0, 5));
	KUNIT_ASSERT_EQ(test, KERN_SUCCESS, test_fault(map, 0, R, &m));
	test_map_remove(map, test_va(0), test_va(TEST_PAGES + 1));
	KUNIT_EXPECT_EQ(test, *(u64 *)pmap_quick_enter_page(m), 5ULL);
	KUNIT_EXPECT_EQ(test, test_wire_count(), wired + 1);
	vm_page_unwire(m, PQ_ACTIVE);
	KUNIT_EXPECT_EQ(test, test_wire_count(), wired);
}

static int test_toucher(void *arg)
{
	struct vm_object *object = arg;
	unsigned int i;
	int rv = VM_PAGER_OK;

	for (i = 0; i < TEST_PAGES && rv == VM_PAGER_OK; i++)
		rv = vm_pager_ops(object)->populate(object, i);
	return rv;
}

static void phys_page_is_made_once(struct kunit *test)
{
	unsigned long wired = test_wire_count();
	struct test_thread *threads[2];
	struct vm_object *object;
	unsigned int round, i;

	for (round = 0; round < 50; round++) {
		object = vm_object_allocate(OBJT_PHYS, TEST_PAGES);
		KUNIT_ASSERT_NOT_NULL(test, object);
		for (i = 0; i < 2; i++)
			threads[i] = test_thread(test, test_cpu(i), test_toucher, object);
		for (i = 0; i < 2; i++)
			KUNIT_EXPECT_EQ(test, VM_PAGER_OK, test_thread_join(threads[i]));
		KUNIT_EXPECT_EQ(test, object->resident_page_count, (unsigned long)TEST_PAGES);
		KUNIT_EXPECT_EQ(test, test_wire_count(), wired + TEST_PAGES);
		vm_object_deallocate(object);
	}
	KUNIT_EXPECT_EQ(test, test_wire_count(), wired);
}

static void phys_page_without_memory(struct kunit *test)
{
	struct vm_object *object = vm_object_allocate(OBJT_PHYS, TEST_PAGES);
	unsigned int nth;
	bool failed;
	int rv;

	KUNIT_ASSERT_NOT_NULL(test, object);
	test_fail_init(test);
	for (nth = 1; nth < 100; nth++) {
		test_fail_from(nth);
		/* The first page of an object needs no node of its tree. */
		rv = vm_pager_ops(object)->populate(object, 3);
		failed = test_fail_done();
		KUNIT_EXPECT_EQ(test, failed ? VM_PAGER_FAIL : VM_PAGER_OK, rv);
		if (!failed)
			break;
		KUNIT_EXPECT_EQ(test, object->resident_page_count, 0UL);
	}
	KUNIT_EXPECT_EQ(test, nth, 2U);
	vm_object_deallocate(object);
}

static struct kunit_case phys_pager_cases[] = {
	KUNIT_CASE(phys_page_is_wired_once),
	KUNIT_CASE(phys_object_ends_at_its_size),
	KUNIT_CASE(phys_page_that_is_held_goes_later),
	KUNIT_CASE(phys_page_is_made_once),
	KUNIT_CASE(phys_page_without_memory),
	{}
};

static struct kunit_suite phys_pager_suite = {
	.name = "bsdvm_phys_pager",
	.init = test_pages_init,
	.test_cases = phys_pager_cases,
};

kunit_test_suite(phys_pager_suite);
