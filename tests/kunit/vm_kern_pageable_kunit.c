// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Tests of pageable memory in the kernel map: its content, which goes to swap and comes
 * back, and who may reach it.
 */
#include "vm_kern_kunit.h"

#include <linux/mman.h>
#include <linux/uaccess.h>

#include "vm/vm_pager.h"

static void test_mem_free(void *arg)
{
	struct test_mem *mem = arg;

	WARN_ON(kmem_free(mem->map, mem->addr, mem->size) != KERN_SUCCESS);
}

/* Pageable memory that is freed when the test ends. */
static vm_offset_t test_pageable(struct kunit *test, struct vm_map *map, vm_size_t size)
{
	struct test_mem *mem = kunit_kzalloc(test, sizeof(*mem), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, mem);
	mem->map = map;
	mem->size = size;
	mem->addr = kmem_alloc_pageable(map, size);
	KUNIT_ASSERT_NE(test, mem->addr, 0ULL);
	KUNIT_ASSERT_EQ(test, 0, kunit_add_action_or_reset(test, test_mem_free, mem));
	return mem->addr;
}

static void test_pattern(u8 *buf, size_t len, u32 seed)
{
	struct rnd_state rnd;

	prandom_seed_state(&rnd, seed);
	prandom_bytes_state(&rnd, buf, len);
}

static void pageable_memory_is_zero_and_keeps_what_is_written(struct kunit *test)
{
	const size_t size = 5 * VM_PAGE_SIZE;
	vm_offset_t addr = test_pageable(test, exec_map, size);
	u8 *in = kunit_kmalloc(test, size, GFP_KERNEL);
	u8 *out = kunit_kmalloc(test, size, GFP_KERNEL);

	KUNIT_ASSERT_TRUE(test, in && out);
	/* It has no translations. */
	KUNIT_EXPECT_EQ(test, test_kernel_load(addr), TEST_NOT_MAPPED);
	memset(out, 1, size);
	KUNIT_EXPECT_EQ(test, 0, kmem_read(exec_map, addr, out, size));
	KUNIT_EXPECT_NULL(test, memchr_inv(out, 0, size));
	test_pattern(in, size, 1);
	KUNIT_EXPECT_EQ(test, 0, kmem_write(exec_map, addr + 100, in, size - 200));
	KUNIT_EXPECT_EQ(test, 0, kmem_read(NULL, addr, out, size));
	KUNIT_EXPECT_NULL(test, memchr_inv(out, 0, 100));
	KUNIT_EXPECT_EQ(test, 0, memcmp(out + 100, in, size - 200));
	KUNIT_EXPECT_NULL(test, memchr_inv(out + size - 100, 0, 100));
	/* A few bytes across two pages. */
	KUNIT_EXPECT_EQ(test, 0, kmem_read(kernel_map, addr + VM_PAGE_SIZE - 3, out, 7));
	KUNIT_EXPECT_EQ(test, 0, memcmp(out, in + VM_PAGE_SIZE - 103, 7));
	KUNIT_EXPECT_EQ(test, test_wire_count(), test_kern_before.wired);
}

static void content_is_reached_in_one_allocation_only(struct kunit *test)
{
	vm_offset_t first = test_pageable(test, exec_map, 2 * VM_PAGE_SIZE);
	vm_offset_t wired = kmem_alloc(kmem_map, 2 * VM_PAGE_SIZE, 0);
	const vm_size_t size = 2 * VM_PAGE_SIZE;
	u8 *buf = kunit_kzalloc(test, 3 * VM_PAGE_SIZE, GFP_KERNEL);
	const struct {
		struct vm_map *map;
		vm_offset_t addr;
		size_t len;
		int ret;
	} rows[] = {
		{ exec_map, first, size, 0 },
		{ NULL, first, size, 0 },
		{ NULL, first, 0, 0 },
		{ NULL, first, size + 1, -EFAULT },
		{ NULL, first + 1, size, -EFAULT },
		{ NULL, first + size, 1, -EFAULT },
		{ NULL, first, SIZE_MAX, -EFAULT },
		{ kmem_map, first, 1, -EFAULT },
		{ NULL, wired, size, 0 },
		{ kmem_map, wired + 5, 10, 0 },
		{ NULL, wired, size + 1, -EFAULT },
		{ exec_map, wired, 1, -EFAULT },
		{ NULL, exec_eva - 1, 1, -EFAULT },
		{ NULL, virtual_end, 1, -EFAULT },
		{ NULL, 0, 1, -EFAULT },
	};
	unsigned int i;

	KUNIT_ASSERT_NOT_NULL(test, buf);
	KUNIT_ASSERT_NE(test, wired, 0ULL);
	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		KUNIT_EXPECT_EQ_MSG(test, kmem_read(rows[i].map, rows[i].addr, buf, rows[i].len),
				    rows[i].ret, "row %u", i);
		KUNIT_EXPECT_EQ_MSG(test, kmem_write(rows[i].map, rows[i].addr, buf, rows[i].len),
				    rows[i].ret, "row %u", i);
	}
	buf[0] = 0x77;
	KUNIT_EXPECT_EQ(test, 0, kmem_write(NULL, wired + VM_PAGE_SIZE, buf, 1));
	KUNIT_EXPECT_EQ(test, *(u8 *)(wired + VM_PAGE_SIZE), 0x77);
	KUNIT_EXPECT_EQ(test, kmem_free(kmem_map, wired, size), KERN_SUCCESS);
	KUNIT_EXPECT_EQ(test, -EFAULT, kmem_read(NULL, wired, buf, 1));
}

static void iterator_wires_one_page_at_a_time(struct kunit *test)
{
	vm_offset_t addr = test_pageable(test, buffer_map, 4 * VM_PAGE_SIZE);
	const size_t lens[] = { VM_PAGE_SIZE - 10, VM_PAGE_SIZE, VM_PAGE_SIZE, 20 };
	struct kmem_iter iter;
	struct vm_page *m;
	unsigned int i = 0;

	KUNIT_ASSERT_EQ(test, 0, kmem_iter_begin(&iter, NULL, addr + 10,
						 3 * VM_PAGE_SIZE + 10, true));
	while (kmem_iter_next(&iter) > 0) {
		KUNIT_EXPECT_EQ(test, test_wire_count(), test_kern_before.wired + 1);
		KUNIT_ASSERT_LT(test, i, (unsigned int)ARRAY_SIZE(lens));
		KUNIT_EXPECT_EQ(test, iter.len, lens[i]);
		m = PHYS_TO_VM_PAGE(pmap_kextract((vm_offset_t)iter.at));
		KUNIT_EXPECT_TRUE(test, m && vm_page_wired(m));
		memset(iter.at, 'a' + i++, iter.len);
	}
	KUNIT_EXPECT_EQ(test, i, 4U);
	KUNIT_EXPECT_EQ(test, 0, kmem_iter_next(&iter));
	kmem_iter_end(&iter);
	KUNIT_EXPECT_EQ(test, test_wire_count(), test_kern_before.wired);

	/* Ended in the middle. */
	KUNIT_ASSERT_EQ(test, 0, kmem_iter_begin(&iter, buffer_map, addr, 4 * VM_PAGE_SIZE,
						 false));
	KUNIT_EXPECT_EQ(test, 1, kmem_iter_next(&iter));
	KUNIT_EXPECT_EQ(test, ((u8 *)iter.at)[9], 0);
	KUNIT_EXPECT_EQ(test, ((u8 *)iter.at)[10], 'a');
	KUNIT_EXPECT_EQ(test, 1, kmem_iter_next(&iter));
	KUNIT_EXPECT_EQ(test, ((u8 *)iter.at)[0], 'b');
	kmem_iter_end(&iter);
	KUNIT_EXPECT_EQ(test, test_wire_count(), test_kern_before.wired);
}

/* The object of pageable memory, referenced. */
static struct vm_object *test_object(struct kunit *test, struct vm_map *map, vm_offset_t addr)
{
	struct vm_object *object = NULL;
	struct vm_map_entry *entry;

	vm_map_lock(map);
	if (vm_map_lookup_entry(map, addr, &entry))
		object = entry->object;
	vm_object_reference(object);
	vm_map_unlock(map);
	KUNIT_ASSERT_NOT_NULL(test, object);
	return object;
}

static unsigned long test_resident(struct vm_object *object)
{
	return READ_ONCE(object->resident_page_count);
}

/* Free the page, written to swap first if it is dirty, as laundry and daemon do. */
static bool test_evict(struct vm_object *object, vm_pindex_t pindex)
{
	struct vm_page *m;
	bool gone;

	VM_OBJECT_WLOCK(object);
	m = vm_page_lookup(object, pindex);
	if (m && vm_page_is_dirty(m))
		vm_pager_clean_pages(&m, 1);
	else
		m = NULL;
	VM_OBJECT_WUNLOCK(object);
	if (m && vm_pager_put_pages(object, &m, 1, PQ_INACTIVE, PQ_ACTIVE, NULL))
		return false;
	VM_OBJECT_WLOCK(object);
	m = vm_page_lookup(object, pindex);
	gone = m && !vm_page_is_dirty(m) && !vm_page_wired(m) && !vm_page_busied(m);
	if (gone)
		vm_page_destroy(m);
	gone &= vm_pager_has_page(object, pindex);
	VM_OBJECT_WUNLOCK(object);
	return gone;
}

static void evicted_memory_comes_back_with_its_content(struct kunit *test)
{
	const unsigned int pages = 24;
	const size_t size = ptoa(pages);
	vm_offset_t addr = test_pageable(test, exec_map, size);
	struct vm_object *object = test_object(test, exec_map, addr);
	u8 *in = kunit_kmalloc(test, size, GFP_KERNEL);
	u8 *out = kunit_kzalloc(test, size, GFP_KERNEL);
	unsigned int i, evicted = 0;

	KUNIT_ASSERT_TRUE(test, in && out);
	test_pattern(in, size, 2);
	KUNIT_EXPECT_EQ(test, 0, kmem_write(NULL, addr, in, size));
	KUNIT_EXPECT_EQ(test, test_resident(object), (unsigned long)pages);
	for (i = 0; i < pages; i++)
		evicted += test_evict(object, i);
	KUNIT_EXPECT_EQ(test, evicted, pages);
	KUNIT_EXPECT_EQ(test, test_resident(object), 0UL);

	KUNIT_EXPECT_EQ(test, 0, kmem_read(NULL, addr, out, size));
	KUNIT_EXPECT_EQ(test, 0, memcmp(in, out, size));
	KUNIT_EXPECT_EQ(test, test_resident(object), (unsigned long)pages);
	/* Clean pages are just dropped; what is written is not lost to what swap has. */
	KUNIT_EXPECT_TRUE(test, test_evict(object, 1));
	KUNIT_EXPECT_TRUE(test, test_evict(object, 2));
	in[5] ^= 0xff;
	KUNIT_EXPECT_EQ(test, 0, kmem_write(NULL, addr + 5, in + 5, 1));
	KUNIT_EXPECT_TRUE(test, test_evict(object, 0));
	KUNIT_EXPECT_EQ(test, 0, kmem_read(NULL, addr, out, size));
	KUNIT_EXPECT_EQ(test, 0, memcmp(in, out, size));
	vm_object_deallocate(object);
}

/* The daemon itself takes the pages when others want them all. */
static void daemon_evicts_kernel_memory_when_memory_is_short(struct kunit *test)
{
	const size_t size = ptoa(64);
	vm_offset_t addr = test_pageable(test, exec_map, size);
	struct vm_object *object = test_object(test, exec_map, addr);
	struct test_pages *pages = test_pages_alloc(test);
	unsigned long end = jiffies + 3 * TEST_PATIENCE;
	u8 *in = kunit_kmalloc(test, size, GFP_KERNEL);
	u8 *out = kunit_kzalloc(test, size, GFP_KERNEL);

	KUNIT_ASSERT_TRUE(test, in && out);
	test_pattern(in, size, 3);
	KUNIT_EXPECT_EQ(test, 0, kmem_write(NULL, addr, in, size));
	while (test_resident(object) && time_before(jiffies, end)) {
		test_pages_exhaust(pages, VM_ALLOC_NORMAL);
		vm_pageout_wakeup();
		msleep(20);
	}
	KUNIT_EXPECT_EQ(test, test_resident(object), 0UL);
	test_pages_put_all(pages);
	KUNIT_EXPECT_EQ(test, 0, kmem_read(NULL, addr, out, size));
	KUNIT_EXPECT_EQ(test, 0, memcmp(in, out, size));
	vm_object_deallocate(object);
}

static void copies_between_user_and_pageable_memory(struct kunit *test)
{
	const size_t size = 3 * VM_PAGE_SIZE;
	vm_offset_t addr = test_pageable(test, exec_map, size);
	u8 *in = kunit_kmalloc(test, size, GFP_KERNEL);
	u8 *out = kunit_kzalloc(test, size, GFP_KERNEL);
	u64 user = kunit_vm_mmap(test, NULL, 0, 2 * size, PROT_READ | PROT_WRITE,
				 MAP_ANONYMOUS | MAP_PRIVATE, 0);

	KUNIT_ASSERT_TRUE(test, in && out && user && !IS_ERR_VALUE(user));
	test_pattern(in, size, 4);
	KUNIT_ASSERT_EQ(test, 0UL, copy_to_user(u64_to_user_ptr(user), in, size));
	KUNIT_EXPECT_EQ(test, 0, kmem_copyin(exec_map, user + 1, addr + 7, size - 8));
	KUNIT_EXPECT_EQ(test, 0, kmem_read(NULL, addr, out, size));
	KUNIT_EXPECT_EQ(test, 0, memcmp(out + 7, in + 1, size - 8));
	KUNIT_EXPECT_EQ(test, 0, kmem_copyout(NULL, addr, user + size, size));
	memset(in, 0, size);
	KUNIT_ASSERT_EQ(test, 0UL, copy_from_user(in, u64_to_user_ptr(user + size), size));
	KUNIT_EXPECT_EQ(test, 0, memcmp(in, out, size));

	/* Where there is no user memory, and where there is no kernel memory. */
	KUNIT_EXPECT_EQ(test, -EFAULT, kmem_copyin(NULL, 8, addr, 1));
	KUNIT_EXPECT_EQ(test, -EFAULT, kmem_copyout(NULL, addr, 8, 1));
	KUNIT_EXPECT_EQ(test, -EFAULT, kmem_copyin(NULL, addr, addr, 1));
	KUNIT_EXPECT_EQ(test, -EFAULT, kmem_copyin(NULL, user, addr, size + 1));
	KUNIT_EXPECT_EQ(test, -EFAULT, kmem_copyout(NULL, addr + size, user, 1));
	KUNIT_EXPECT_EQ(test, test_wire_count(), test_kern_before.wired);
}

static struct kunit_case vm_kern_pageable_cases[] = {
	KUNIT_CASE(pageable_memory_is_zero_and_keeps_what_is_written),
	KUNIT_CASE(content_is_reached_in_one_allocation_only),
	KUNIT_CASE(iterator_wires_one_page_at_a_time),
	KUNIT_CASE(evicted_memory_comes_back_with_its_content),
	KUNIT_CASE(daemon_evicts_kernel_memory_when_memory_is_short),
	KUNIT_CASE(copies_between_user_and_pageable_memory),
	{}
};

static struct kunit_suite vm_kern_pageable_suite = {
	.name = "bsdvm_vm_kern_pageable",
	.init = test_kern_init,
	.test_cases = vm_kern_pageable_cases,
};

kunit_test_suite(vm_kern_pageable_suite);
