// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Tests of fictitious pages and of the device pager, with a driver of our own. Maps
 * here have no pmap: a fault finds its page and maps nothing.
 */
#include "vm_map_kunit.h"

#include <linux/kdev_t.h>

#include "vm/device_pager.h"
#include "vm/vm_pager.h"

/* A major for experiments. */
#define TEST_DEV	MKDEV(240, 77)
#define TEST_PAGES	4
#define TEST_SIZE	(TEST_PAGES * VM_PAGE_SIZE)
/* A frame that is no memory of the machine. */
#define TEST_ROM	0xf0000ULL

/**
 * struct test_drv - a driver with memory
 * @cdev: what it is registered as
 * @pages: its memory
 * @paddr: answered in place of it, unless 0
 * @mmap: what it answers to who maps
 * @asked: how often it was asked for a frame
 */
struct test_drv {
	struct cdev_pager *cdev;
	unsigned long pages[TEST_PAGES];
	phys_addr_t paddr;
	int mmap;
	atomic_t asked;
};

static int test_drv_mmap(void *arg, u64 offset, u64 size)
{
	struct test_drv *drv = arg;

	return drv->mmap;
}

static int test_drv_fault(void *arg, u64 offset, phys_addr_t *paddr, unsigned int *memattr)
{
	struct test_drv *drv = arg;

	atomic_inc(&drv->asked);
	if (offset >= TEST_SIZE)
		return -ENXIO;
	*paddr = drv->paddr ?: __pa(drv->pages[OFF_TO_IDX(offset)]);
	return 0;
}

static const struct bsdvm_cdevsw test_cdevsw = {
	.mmap = test_drv_mmap,
	.fault = test_drv_fault,
};

static void test_drv_end(void *arg)
{
	struct test_drv *drv = arg;
	unsigned int i;

	bsdvm_cdev_unregister(drv->cdev);
	for (i = 0; i < TEST_PAGES; i++)
		free_page(drv->pages[i]);
}

/* A driver, registered. Its device is forgotten when the test ends. */
static struct test_drv *test_drv(struct kunit *test)
{
	struct test_drv *drv = kunit_kzalloc(test, sizeof(*drv), GFP_KERNEL);
	unsigned int i;

	KUNIT_ASSERT_NOT_NULL(test, drv);
	KUNIT_ASSERT_EQ(test, 0, kunit_add_action_or_reset(test, test_drv_end, drv));
	for (i = 0; i < TEST_PAGES; i++) {
		drv->pages[i] = get_zeroed_page(GFP_KERNEL);
		KUNIT_ASSERT_NE(test, drv->pages[i], 0UL);
	}
	drv->cdev = bsdvm_cdev_register(TEST_DEV, &test_cdevsw, drv);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, drv->cdev);
	return drv;
}

static struct vm_object *test_object(struct kunit *test, vm_ooffset_t offset, vm_size_t size)
{
	struct vm_object *object = NULL;

	KUNIT_ASSERT_EQ(test, 0, cdev_pager_allocate(TEST_DEV, offset, size, &object));
	return object;
}

/* All of the device at the first pages of a map, which a child shares or copies. */
static struct vm_map *test_map(struct kunit *test, int cow)
{
	struct vm_map *map = test_map_new(test);

	test_map_insert(test, map, test_object(test, 0, TEST_SIZE), test_va(0),
			test_va(TEST_PAGES), RW, cow);
	return map;
}

static struct vm_object *test_map_object(struct vm_map *map)
{
	struct vm_object *object;

	vm_map_lock_read(map);
	object = vm_map_lookup_entry_ge(map, test_va(0))->object;
	vm_map_unlock_read(map);
	return object;
}

/* --- fictitious pages */

static void fake_page_is_wired_and_counted_nowhere(struct kunit *test)
{
	unsigned long wired = test_wire_count();
	struct vm_page *m = vm_page_getfake(TEST_ROM, VM_MEMATTR_UNCACHEABLE);

	KUNIT_ASSERT_NOT_NULL(test, m);
	KUNIT_EXPECT_TRUE(test, vm_page_fictitious(m));
	KUNIT_EXPECT_TRUE(test, vm_page_wired(m));
	KUNIT_EXPECT_FALSE(test, vm_page_wired_beside(m, 0));
	KUNIT_EXPECT_FALSE(test, vm_page_copyable(m));
	KUNIT_EXPECT_EQ(test, m->phys_addr, TEST_ROM);
	KUNIT_EXPECT_EQ(test, m->valid, 1);
	vm_page_activate(m);
	vm_page_deactivate(m);
	vm_page_launder(m);
	KUNIT_EXPECT_EQ(test, vm_page_queue(m), (unsigned int)PQ_NONE);
	vm_page_wire(m);
	vm_page_wire(m);
	KUNIT_EXPECT_TRUE(test, vm_page_wired_beside(m, 1));
	KUNIT_EXPECT_EQ(test, test_wire_count(), wired);
	vm_page_unwire(m, PQ_ACTIVE);
	vm_page_unwire(m, PQ_ACTIVE);
	KUNIT_EXPECT_EQ(test, vm_page_queue(m), (unsigned int)PQ_NONE);
	KUNIT_EXPECT_FALSE(test, vm_page_wired_beside(m, 0));
	KUNIT_EXPECT_EQ(test, test_wire_count(), wired);
	vm_page_putfake(m);
}

/* Freed with the object, or with the last wiring: KASAN and kmemleak see to it. */
static void fake_page_goes_with_its_object(struct kunit *test)
{
	struct vm_object *object = vm_object_allocate(OBJT_DEFAULT, 2);
	struct vm_page *m[2];
	unsigned int i;

	KUNIT_ASSERT_NOT_NULL(test, object);
	VM_OBJECT_WLOCK(object);
	for (i = 0; i < 2; i++) {
		m[i] = vm_page_getfake(TEST_ROM, VM_MEMATTR_UNCACHEABLE);
		KUNIT_EXPECT_NOT_NULL(test, m[i]);
		KUNIT_EXPECT_EQ(test, 0, vm_page_insert(m[i], object, i));
	}
	vm_page_wire(m[1]);
	VM_OBJECT_WUNLOCK(object);
	vm_object_deallocate(object);
	KUNIT_EXPECT_NULL(test, m[1]->object);
	KUNIT_EXPECT_TRUE(test, vm_page_wired_beside(m[1], 0));
	vm_page_unwire(m[1], PQ_ACTIVE);
}

/* --- devices */

static void cdev_number_is_registered_once(struct kunit *test)
{
	struct test_drv *drv;

	KUNIT_EXPECT_FALSE(test, cdev_pager_known(TEST_DEV));
	drv = test_drv(test);
	KUNIT_EXPECT_TRUE(test, cdev_pager_known(TEST_DEV));
	KUNIT_EXPECT_EQ(test, -EBUSY,
			PTR_ERR(bsdvm_cdev_register(TEST_DEV, &test_cdevsw, drv)));
	bsdvm_cdev_unregister(drv->cdev);
	drv->cdev = NULL;
	KUNIT_EXPECT_FALSE(test, cdev_pager_known(TEST_DEV));
	bsdvm_cdev_unregister(ERR_PTR(-ENOMEM));
}

static void cdev_object_is_the_range_that_the_driver_has(struct kunit *test)
{
	static const struct {
		vm_ooffset_t offset;
		vm_size_t size;
		int ret;
	} table[] = {
		{ 0, TEST_SIZE, 0 },
		{ TEST_SIZE - VM_PAGE_SIZE, VM_PAGE_SIZE, 0 },
		{ 0, TEST_SIZE + VM_PAGE_SIZE, -EINVAL },
		{ TEST_SIZE, VM_PAGE_SIZE, -EINVAL },
		{ 0 - VM_PAGE_SIZE, VM_PAGE_SIZE, -EINVAL },
		{ 0 - VM_PAGE_SIZE, 2 * VM_PAGE_SIZE, -EINVAL },
		{ 0 - 2 * VM_PAGE_SIZE, VM_PAGE_SIZE, -EINVAL },
	};
	struct vm_object *object = NULL;
	struct test_drv *drv;
	unsigned int i;
	int ret;

	KUNIT_EXPECT_EQ(test, -ENODEV, cdev_pager_allocate(TEST_DEV, 0, TEST_SIZE, &object));
	drv = test_drv(test);
	for (i = 0; i < ARRAY_SIZE(table); i++) {
		ret = cdev_pager_allocate(TEST_DEV, table[i].offset, table[i].size, &object);
		KUNIT_EXPECT_EQ_MSG(test, ret, table[i].ret, "row %u", i);
		if (!ret)
			vm_object_deallocate(object);
	}
	drv->mmap = -EPERM;
	KUNIT_EXPECT_EQ(test, -EPERM, cdev_pager_allocate(TEST_DEV, 0, TEST_SIZE, &object));
}

static void cdev_frame_of_the_pool_is_refused(struct kunit *test)
{
	struct vm_page *m = vm_page_alloc_noobj(VM_ALLOC_NORMAL);
	struct test_drv *drv = test_drv(test);
	struct vm_object *object = NULL;

	KUNIT_ASSERT_NOT_NULL(test, m);
	drv->paddr = m->phys_addr;
	KUNIT_EXPECT_EQ(test, -EINVAL, cdev_pager_allocate(TEST_DEV, 0, TEST_SIZE, &object));
	vm_page_free(m);
	/* Nor what is no frame at all. */
	drv->paddr = TEST_ROM + 1;
	KUNIT_EXPECT_EQ(test, -EINVAL, cdev_pager_allocate(TEST_DEV, 0, TEST_SIZE, &object));
	drv->paddr = 1ULL << 60;
	KUNIT_EXPECT_EQ(test, -EINVAL, cdev_pager_allocate(TEST_DEV, 0, TEST_SIZE, &object));
	drv->paddr = TEST_ROM;
	KUNIT_EXPECT_EQ(test, 0, cdev_pager_allocate(TEST_DEV, 0, TEST_SIZE, &object));
	vm_object_deallocate(object);
}

static void cdev_has_one_object_at_a_time(struct kunit *test)
{
	struct vm_object *first, *second;
	u64 id;

	test_drv(test);
	first = test_object(test, 0, VM_PAGE_SIZE);
	KUNIT_EXPECT_EQ(test, first->type, OBJT_DEVICE);
	KUNIT_EXPECT_EQ(test, first->size, 1ULL);
	second = test_object(test, VM_PAGE_SIZE, TEST_SIZE - VM_PAGE_SIZE);
	KUNIT_EXPECT_PTR_EQ(test, first, second);
	KUNIT_EXPECT_EQ(test, first->size, (vm_pindex_t)TEST_PAGES);
	id = first->id;
	vm_object_deallocate(first);
	vm_object_deallocate(second);
	first = test_object(test, 0, VM_PAGE_SIZE);
	KUNIT_EXPECT_NE(test, first->id, id);
	KUNIT_EXPECT_EQ(test, first->size, 1ULL);
	vm_object_deallocate(first);
}

static void cdev_page_is_the_drivers_frame(struct kunit *test)
{
	struct test_drv *drv = test_drv(test);
	struct vm_map *map = test_map(test, MAP_INHERIT_SHARE);
	unsigned long wired = test_wire_count(), nfree = test_free_count();
	struct vm_page *m;
	int asked;

	asked = atomic_read(&drv->asked);
	KUNIT_EXPECT_EQ(test, KERN_SUCCESS, test_store(map, 2, 42));
	KUNIT_EXPECT_EQ(test, *(u64 *)drv->pages[2], 42ULL);
	*(u64 *)drv->pages[2] = 43;
	KUNIT_EXPECT_EQ(test, test_load(map, 2), 43ULL);
	KUNIT_EXPECT_EQ(test, atomic_read(&drv->asked), asked + 1);
	m = test_page(map, 2);
	KUNIT_EXPECT_EQ(test, m->phys_addr, (vm_paddr_t)__pa(drv->pages[2]));
	KUNIT_EXPECT_EQ(test, (int)m->memattr, VM_MEMATTR_WRITE_BACK);
	KUNIT_EXPECT_EQ(test, vm_page_queue(m), (unsigned int)PQ_NONE);
	KUNIT_EXPECT_EQ(test, test_wire_count(), wired);
	KUNIT_EXPECT_EQ(test, test_free_count(), nfree);
}

static void cdev_fork_copies_what_is_memory(struct kunit *test)
{
	struct test_drv *drv = test_drv(test);
	struct vm_map *map = test_map(test, 0), *child;

	KUNIT_EXPECT_EQ(test, KERN_SUCCESS, test_store(map, 0, 1));
	child = test_fork(test, map);
	KUNIT_EXPECT_EQ(test, KERN_SUCCESS, test_store(child, 0, 2));
	*(u64 *)drv->pages[1] = 3;
	KUNIT_EXPECT_EQ(test, test_load(child, 1), 3ULL);
	KUNIT_EXPECT_EQ(test, KERN_SUCCESS, test_store(map, 1, 4));
	KUNIT_EXPECT_EQ(test, *(u64 *)drv->pages[0], 1ULL);
	KUNIT_EXPECT_EQ(test, *(u64 *)drv->pages[1], 3ULL);
	KUNIT_EXPECT_EQ(test, test_load(child, 0), 2ULL);
	KUNIT_EXPECT_EQ(test, test_load(map, 1), 4ULL);
	bsdvm_cdev_withdraw(drv->cdev);
	KUNIT_EXPECT_EQ(test, test_load(child, 0), 2ULL);
	KUNIT_EXPECT_EQ(test, test_load(child, 1), NO_ACCESS + KERN_OUT_OF_BOUNDS);
}

static void cdev_fork_does_not_copy_what_is_not(struct kunit *test)
{
	struct test_drv *drv = test_drv(test);
	struct vm_map *map, *child;
	struct vm_page *m;

	drv->paddr = TEST_ROM;
	map = test_map(test, 0);
	m = test_page(map, 0);
	KUNIT_ASSERT_NOT_NULL(test, m);
	KUNIT_EXPECT_EQ(test, (int)m->memattr, VM_MEMATTR_UNCACHEABLE);
	child = test_fork(test, map);
	KUNIT_EXPECT_PTR_EQ(test, test_page(child, 0), m);
	KUNIT_EXPECT_EQ(test, KERN_PROTECTION_FAILURE, test_store(child, 0, 2));
	KUNIT_EXPECT_EQ(test, KERN_PROTECTION_FAILURE, test_store(map, 0, 2));
}

static void cdev_withdrawn_memory_is_out_of_bounds(struct kunit *test)
{
	struct test_drv *drv = test_drv(test);
	struct vm_map *map = test_map(test, MAP_INHERIT_SHARE);
	struct vm_object *object = NULL;
	int asked;

	KUNIT_EXPECT_EQ(test, KERN_SUCCESS, test_store(map, 0, 1));
	KUNIT_EXPECT_EQ(test, KERN_SUCCESS,
			vm_map_wire(map, test_va(1), test_va(2), VM_MAP_WIRE_NOHOLES,
				    vm_fault_wire));
	asked = atomic_read(&drv->asked);
	bsdvm_cdev_withdraw(drv->cdev);
	/* What is wired is left, and nobody sees it. */
	KUNIT_EXPECT_EQ(test, test_map_object(map)->resident_page_count, 1UL);
	KUNIT_EXPECT_EQ(test, test_load(map, 0), NO_ACCESS + KERN_OUT_OF_BOUNDS);
	KUNIT_EXPECT_EQ(test, test_load(map, 1), NO_ACCESS + KERN_OUT_OF_BOUNDS);
	KUNIT_EXPECT_EQ(test, test_load(map, 2), NO_ACCESS + KERN_OUT_OF_BOUNDS);
	KUNIT_EXPECT_EQ(test, -ENXIO, cdev_pager_allocate(TEST_DEV, 0, TEST_SIZE, &object));
	bsdvm_cdev_withdraw(drv->cdev);
	KUNIT_EXPECT_EQ(test, atomic_read(&drv->asked), asked);
	KUNIT_EXPECT_EQ(test, KERN_SUCCESS,
			vm_map_unwire(map, test_va(1), test_va(2), VM_MAP_WIRE_NOHOLES));
	bsdvm_cdev_unregister(drv->cdev);
	drv->cdev = NULL;
	KUNIT_EXPECT_EQ(test, -ENODEV, cdev_pager_allocate(TEST_DEV, 0, TEST_SIZE, &object));
	KUNIT_EXPECT_EQ(test, test_load(map, 1), NO_ACCESS + KERN_OUT_OF_BOUNDS);
}

static void cdev_mapping_does_not_grow(struct kunit *test)
{
	struct vm_object *object, *result = NULL;
	vm_ooffset_t offset;

	test_drv(test);
	object = test_object(test, 0, TEST_SIZE);
	KUNIT_EXPECT_EQ(test, KERN_INVALID_ARGUMENT,
			vm_object_extension(object, VM_PAGE_SIZE, VM_PAGE_SIZE, false, &result,
					    &offset));
	KUNIT_EXPECT_EQ(test, KERN_INVALID_ARGUMENT,
			vm_object_extension(object, VM_PAGE_SIZE, VM_PAGE_SIZE, true, &result,
					    &offset));
	KUNIT_EXPECT_EQ(test, refcount_read(&object->ref_count), 1U);
	vm_object_deallocate(object);
}

static void cdev_without_memory(struct kunit *test)
{
	struct vm_object *object = NULL;
	unsigned int nth;
	bool failed;
	int rv;

	test_drv(test);
	test_fail_init(test);
	for (nth = 1; nth < 100; nth++) {
		test_fail_from(nth);
		rv = cdev_pager_allocate(TEST_DEV, 0, TEST_SIZE, &object);
		failed = test_fail_done();
		KUNIT_EXPECT_EQ(test, failed ? -ENOMEM : 0, rv);
		if (!failed)
			break;
	}
	KUNIT_EXPECT_EQ(test, nth, 2U);
	for (nth = 1; nth < 100; nth++) {
		test_fail_from(nth);
		rv = vm_pager_ops(object)->populate(object, 1);
		failed = test_fail_done();
		KUNIT_EXPECT_EQ(test, failed ? VM_PAGER_FAIL : VM_PAGER_OK, rv);
		if (!failed)
			break;
		KUNIT_EXPECT_EQ(test, object->resident_page_count, 0UL);
	}
	KUNIT_EXPECT_GE(test, nth, 2U);
	KUNIT_EXPECT_EQ(test, object->resident_page_count, 1UL);
	vm_object_deallocate(object);
}

static struct kunit_case device_pager_cases[] = {
	KUNIT_CASE(fake_page_is_wired_and_counted_nowhere),
	KUNIT_CASE(fake_page_goes_with_its_object),
	KUNIT_CASE(cdev_number_is_registered_once),
	KUNIT_CASE(cdev_object_is_the_range_that_the_driver_has),
	KUNIT_CASE(cdev_frame_of_the_pool_is_refused),
	KUNIT_CASE(cdev_has_one_object_at_a_time),
	KUNIT_CASE(cdev_page_is_the_drivers_frame),
	KUNIT_CASE(cdev_fork_copies_what_is_memory),
	KUNIT_CASE(cdev_fork_does_not_copy_what_is_not),
	KUNIT_CASE(cdev_withdrawn_memory_is_out_of_bounds),
	KUNIT_CASE(cdev_mapping_does_not_grow),
	KUNIT_CASE(cdev_without_memory),
	{}
};

static struct kunit_suite device_pager_suite = {
	.name = "bsdvm_device_pager",
	.init = test_pages_init,
	.test_cases = device_pager_cases,
};

kunit_test_suite(device_pager_suite);
