// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Tests of what a fault must see that happens while it holds no lock. A map here
 * has no pmap. The fault runs in a thread of its own, and the test holds a lock
 * that it needs until what shall happen has happened.
 */
#include "vm_fault_kunit.h"
#include "vm_object_kunit.h"

#define ADDRESS	0x10000000ULL

/**
 * struct test_fault - a fault in another thread
 * @map: where
 * @type: the access
 * @go: it may begin
 * @m: the page it ended with, wired
 */
struct test_fault {
	struct vm_map map;
	vm_prot_t type;
	struct completion go;
	struct vm_page *m;
};

static int test_fault_thread(void *arg)
{
	struct test_fault *fault = arg;

	wait_for_completion(&fault->go);
	return test_fault_at(&fault->map, ADDRESS, fault->type, &fault->m);
}

static void test_page_insert(struct kunit *test, struct vm_object *object, struct vm_page *m)
{
	VM_OBJECT_WLOCK_NESTED(object, VM_OBJECT_BACKING);
	KUNIT_EXPECT_EQ(test, 0, vm_page_insert(m, object, 0));
	m->valid = 1;
	VM_OBJECT_WUNLOCK(object);
}

/*
 * Two processes share the shadow of an object. One finds no page and zeroes one;
 * meanwhile a third puts a page into the object beneath, and the second maps
 * that. Hidden by a page of the shadow it would stay mapped, and stores of one
 * be unseen by the other.
 */
static void fault_hides_no_page_that_came_while_it_zeroed(struct kunit *test)
{
	struct test_fault *fault = kunit_kzalloc(test, sizeof(*fault), GFP_KERNEL);
	struct vm_object *beneath, *shadow;
	struct test_thread *thread;
	vm_ooffset_t offset = 0;
	struct vm_page *m;

	KUNIT_ASSERT_NOT_NULL(test, fault);
	beneath = vm_object_allocate_anon(1);
	m = vm_page_alloc_noobj(VM_ALLOC_NORMAL);
	KUNIT_ASSERT_NOT_NULL(test, beneath);
	KUNIT_ASSERT_NOT_NULL(test, m);
	vm_object_reference(beneath);
	shadow = beneath;
	KUNIT_ASSERT_EQ(test, KERN_SUCCESS, vm_object_shadow(&shadow, &offset, VM_PAGE_SIZE));
	test_object_mapped_twice(shadow);
	vm_map_init(&fault->map, NULL, ADDRESS, ADDRESS + VM_PAGE_SIZE);
	test_map_insert(test, &fault->map, shadow, ADDRESS, ADDRESS + VM_PAGE_SIZE, VM_PROT_ALL,
			0);
	fault->type = VM_PROT_READ;
	init_completion(&fault->go);
	thread = test_thread(test, test_cpu(1), test_fault_thread, fault);

	/* It can look, and waits for us when it has zeroed its page. */
	VM_OBJECT_RLOCK(shadow);
	complete(&fault->go);
	KUNIT_EXPECT_TRUE(test, test_object_wait_contended(shadow));
	test_page_insert(test, beneath, m);
	VM_OBJECT_RUNLOCK(shadow);

	KUNIT_EXPECT_EQ(test, KERN_SUCCESS, test_thread_join(thread));
	KUNIT_EXPECT_PTR_EQ(test, fault->m, m);
	KUNIT_EXPECT_EQ(test, shadow->resident_page_count, 0UL);
	if (fault->m)
		vm_page_unwire(fault->m, PQ_ACTIVE);
	test_map_remove(&fault->map, ADDRESS, ADDRESS + VM_PAGE_SIZE);
	vm_object_deallocate(beneath);
}

static struct kunit_case fault_cases[] = {
	KUNIT_CASE(fault_hides_no_page_that_came_while_it_zeroed),
	{}
};

static struct kunit_suite fault_suite = {
	.name = "bsdvm_fault",
	.init = test_pages_init,
	.test_cases = fault_cases,
};

kunit_test_suite(fault_suite);
