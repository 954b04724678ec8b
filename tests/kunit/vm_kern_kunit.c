// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Tests of the kernel map: its bounds and submaps, wired memory, what is left when there is
 * no more, and threads against a model.
 */
#include "vm_kern_kunit.h"

#include <linux/sched/signal.h>

static void test_submap_free(void *map)
{
	WARN_ON(kmem_subfree(kernel_map, map) != KERN_SUCCESS);
}

/* A submap of the kernel map that is freed when the test ends. */
static struct vm_map *test_submap(struct kunit *test, vm_size_t size)
{
	vm_offset_t min, max;
	struct vm_map *map = kmem_suballoc(kernel_map, "test_map", &min, &max, size);

	KUNIT_ASSERT_NOT_NULL(test, map);
	KUNIT_ASSERT_EQ(test, 0, kunit_add_action_or_reset(test, test_submap_free, map));
	KUNIT_EXPECT_EQ(test, max - min, size);
	return map;
}

/* --- layout */

static void kernel_map_has_its_parts_in_order(struct kunit *test)
{
	const vm_offset_t bounds[] = {
		virtual_avail, kmembase, kmemlimit, buffer_sva, buffer_eva, exec_sva, exec_eva,
		virtual_end,
	};
	struct vm_map *map;
	unsigned int i;

	for (i = 1; i < ARRAY_SIZE(bounds); i++)
		KUNIT_EXPECT_LE(test, bounds[i - 1], bounds[i]);
	KUNIT_EXPECT_LT(test, kmembase, kmemlimit);
	KUNIT_EXPECT_LT(test, buffer_sva, buffer_eva);
	KUNIT_EXPECT_LT(test, exec_sva, exec_eva);
	/* The kernel map has addresses of its own, too. */
	KUNIT_EXPECT_LT(test, exec_eva, virtual_end);
	for (i = 0; (map = test_kernel_map(i)); i++) {
		KUNIT_EXPECT_TRUE(test, map->system_map);
		KUNIT_EXPECT_EQ(test, map->min_offset & VM_PAGE_MASK, 0ULL);
		KUNIT_EXPECT_EQ(test, map->max_offset & VM_PAGE_MASK, 0ULL);
	}
	KUNIT_EXPECT_EQ(test, kmem_map->min_offset, kmembase);
	KUNIT_EXPECT_EQ(test, kmem_map->max_offset, kmemlimit);
	KUNIT_EXPECT_EQ(test, buffer_map->min_offset, buffer_sva);
	KUNIT_EXPECT_EQ(test, buffer_map->max_offset, buffer_eva);
	KUNIT_EXPECT_EQ(test, exec_map->min_offset, exec_sva);
	KUNIT_EXPECT_EQ(test, exec_map->max_offset, exec_eva);
}

static void statistics_list_the_maps_in_order(struct kunit *test)
{
	static const char * const names[] = { "kernel_map", "kmem_map", "buffer_map", "exec_map" };
	struct kmem_info info, last = { 0 };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(names); i++) {
		KUNIT_ASSERT_EQ(test, 0, kmem_info(i, &info));
		KUNIT_EXPECT_STREQ(test, info.name, names[i]);
		KUNIT_EXPECT_LE(test, last.start, info.start);
		KUNIT_EXPECT_LE(test, info.used + info.largest_free, info.end - info.start);
		last = info;
	}
	KUNIT_EXPECT_EQ(test, -ENOENT, kmem_info(i, &info));
	KUNIT_EXPECT_EQ(test, -ENOENT, kmem_info(UINT_MAX, &info));
}

static void statistics_count_what_happens(struct kunit *test)
{
	struct vm_map *map = test_submap(test, 16 * VM_PAGE_SIZE);
	struct kmem_info info = test_kmem_info(test, map);
	vm_offset_t addr[2];

	KUNIT_EXPECT_EQ(test, info.used, 0ULL);
	KUNIT_EXPECT_EQ(test, info.entries, 0ULL);
	KUNIT_EXPECT_EQ(test, info.largest_free, 16 * VM_PAGE_SIZE);
	addr[0] = kmem_alloc(map, 3 * VM_PAGE_SIZE, 0);
	addr[1] = kmem_alloc_pageable(map, 2 * VM_PAGE_SIZE);
	KUNIT_EXPECT_EQ(test, kmem_malloc(map, 16 * VM_PAGE_SIZE + 1, M_NOWAIT), 0ULL);
	info = test_kmem_info(test, map);
	KUNIT_EXPECT_EQ(test, info.used, 5 * VM_PAGE_SIZE + 2 * KMEM_GUARD);
	KUNIT_EXPECT_EQ(test, info.entries, 2ULL);
	KUNIT_EXPECT_EQ(test, info.largest_free, 11 * VM_PAGE_SIZE - 2 * KMEM_GUARD);
	KUNIT_EXPECT_EQ(test, info.allocations, 2ULL);
	KUNIT_EXPECT_EQ(test, info.failures, 1ULL);
	KUNIT_EXPECT_EQ(test, info.sleeps, 0ULL);
	KUNIT_EXPECT_EQ(test, kmem_free(map, addr[0], 3 * VM_PAGE_SIZE), KERN_SUCCESS);
	/* Above and below what is left. */
	info = test_kmem_info(test, map);
	KUNIT_EXPECT_EQ(test, info.largest_free, 11 * VM_PAGE_SIZE - 2 * KMEM_GUARD);
	KUNIT_EXPECT_EQ(test, kmem_free(map, addr[1], 2 * VM_PAGE_SIZE), KERN_SUCCESS);
	info = test_kmem_info(test, map);
	KUNIT_EXPECT_EQ(test, info.largest_free, 16 * VM_PAGE_SIZE);
}

static void submap_goes_only_when_it_is_empty(struct kunit *test)
{
	vm_offset_t min, max, addr;
	struct vm_map *map = kmem_suballoc(kernel_map, "test_map", &min, &max, 8 * VM_PAGE_SIZE);

	KUNIT_ASSERT_NOT_NULL(test, map);
	addr = kmem_alloc(map, VM_PAGE_SIZE, 0);
	KUNIT_EXPECT_TRUE(test, addr >= min && addr < max);
	KUNIT_EXPECT_EQ(test, kmem_subfree(kernel_map, map), KERN_FAILURE);
	/* Its place is not an allocation of the map above. */
	KUNIT_EXPECT_EQ(test, kmem_free(kernel_map, min, max - min - KMEM_GUARD),
			KERN_INVALID_ADDRESS);
	KUNIT_EXPECT_EQ(test, kmem_free(map, addr, VM_PAGE_SIZE), KERN_SUCCESS);
	KUNIT_EXPECT_EQ(test, kmem_subfree(kernel_map, map), KERN_SUCCESS);
	KUNIT_EXPECT_NULL(test, kmem_suballoc(kernel_map, "test_map", &min, &max,
					      virtual_end - virtual_avail));
}

/* --- wired memory */

static bool test_zero(vm_offset_t addr, vm_size_t size)
{
	return !memchr_inv((void *)addr, 0, size);
}

static void wired_memory_is_there_zero_and_wired(struct kunit *test)
{
	static const int flags[] = {
		M_WAITOK, M_NOWAIT, M_WAITOK | M_ZERO, M_NOWAIT | M_ZERO,
		M_WAITOK | M_USE_RESERVE, M_NOWAIT | M_USE_RESERVE,
	};
	/* More than a batch, less than a page, and what is not a multiple. */
	static const vm_size_t sizes[] = { 1, 4095, 4096, 4097, 16 * 4096, 17 * 4096 + 5, 400000 };
	unsigned int i, j, k;
	unsigned long kmem;
	struct vm_page *m;
	vm_size_t size;
	vm_offset_t addr;
	u64 pages;

	/* The zone of entries has then what it needs. */
	addr = kmem_malloc(kmem_map, VM_PAGE_SIZE, M_NOWAIT);
	KUNIT_EXPECT_EQ(test, kmem_free(kmem_map, addr, VM_PAGE_SIZE), KERN_SUCCESS);
	kmem = vm_kmem_count();
	for (i = 0; i < ARRAY_SIZE(flags) * ARRAY_SIZE(sizes) * 4; i++) {
		j = i % ARRAY_SIZE(sizes);
		k = i / ARRAY_SIZE(sizes) % ARRAY_SIZE(flags);
		struct vm_map *map = test_kernel_map(i / ARRAY_SIZE(sizes) / ARRAY_SIZE(flags));

		size = sizes[j];
		pages = atop(round_page(size));
		addr = kmem_malloc(map, size, flags[k]);
		if (!addr || addr & VM_PAGE_MASK || addr < map->min_offset ||
		    addr + size > map->max_offset) {
			KUNIT_FAIL(test, "%llu bytes, flags %x", size, flags[k]);
			return;
		}
		KUNIT_EXPECT_TRUE(test, test_zero(addr, ptoa(pages)));
		KUNIT_EXPECT_EQ(test, vm_kmem_count(), kmem + pages);
		m = kmem_page((void *)(addr + size - 1));
		KUNIT_ASSERT_NOT_NULL(test, m);
		KUNIT_EXPECT_TRUE(test, vm_page_wired(m));
		KUNIT_EXPECT_EQ(test, vm_page_queue(m), (unsigned int)PQ_NONE);
		KUNIT_EXPECT_NULL(test, m->object);
		/* For who gets the pages next. */
		memset((void *)addr, 0xa5, ptoa(pages));
		KUNIT_EXPECT_EQ(test, *((u8 *)pmap_quick_enter_page(m) + VM_PAGE_MASK), 0xa5);
		KUNIT_EXPECT_EQ(test, kmem_free(map, addr, size), KERN_SUCCESS);
		KUNIT_EXPECT_EQ(test, test_kernel_load(addr), TEST_NOT_MAPPED);
		KUNIT_EXPECT_EQ(test, vm_kmem_count(), kmem);
	}
}

static void no_map_has_nothing_or_too_much(struct kunit *test)
{
	static const vm_size_t sizes[] = {
		0, 1ULL << 46, U64_MAX, U64_MAX - VM_PAGE_SIZE, U64_MAX - 2 * VM_PAGE_SIZE,
	};
	struct kmem_info info = test_kmem_info(test, kmem_map);
	u64 failures = info.failures;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		KUNIT_EXPECT_EQ(test, kmem_alloc(kmem_map, sizes[i], 0), 0ULL);
		KUNIT_EXPECT_EQ(test, kmem_malloc(kmem_map, sizes[i], M_NOWAIT), 0ULL);
		KUNIT_EXPECT_EQ(test, kmem_alloc_pageable(kmem_map, sizes[i]), 0ULL);
		KUNIT_EXPECT_EQ(test, kmem_alloc_wait(kmem_map, sizes[i]), 0ULL);
		KUNIT_EXPECT_EQ(test, kmem_free(kmem_map, kmembase, sizes[i]),
				KERN_INVALID_ADDRESS);
	}
	/* The whole of it, where a guard has no place: and it does not wait for ever. */
	if (KMEM_GUARD)
		KUNIT_EXPECT_EQ(test, kmem_alloc_wait(exec_map, exec_eva - exec_sva), 0ULL);
	KUNIT_EXPECT_EQ(test, test_kmem_info(test, kmem_map).failures,
			failures + 4 * ARRAY_SIZE(sizes));
}

static void guard_behind_each_allocation_faults(struct kunit *test)
{
	struct vm_map *map = test_submap(test, 12 * VM_PAGE_SIZE);
	vm_offset_t addr[4];
	unsigned int i;

	if (!KMEM_GUARD) {
		kunit_skip(test, "no guards in this build");
		return;
	}
	/* One to three pages and a guard each: 2, 3, 4, and 3 that end the map. */
	for (i = 0; i < 4; i++) {
		addr[i] = kmem_alloc(map, ptoa(i % 3 + 1 + i / 3), 0);
		KUNIT_ASSERT_NE(test, addr[i], 0ULL);
	}
	KUNIT_EXPECT_EQ(test, test_kmem_info(test, map).largest_free, 0ULL);
	for (i = 0; i < 4; i++) {
		vm_offset_t end = addr[i] + ptoa(i % 3 + 1 + i / 3);

		KUNIT_EXPECT_EQ(test, test_kernel_load(end - sizeof(u64)), 0ULL);
		KUNIT_EXPECT_EQ(test, test_kernel_load(end), TEST_NOT_MAPPED);
		KUNIT_EXPECT_EQ(test, test_kernel_load(end + KMEM_GUARD - sizeof(u64)),
				TEST_NOT_MAPPED);
		/* What is read through the map ends there, too. */
		KUNIT_EXPECT_EQ(test, -EFAULT, kmem_read(map, end, &(u8){ 0 }, 1));
	}
	for (i = 0; i < 4; i++)
		KUNIT_EXPECT_EQ(test, kmem_free(map, addr[i], ptoa(i % 3 + 1 + i / 3)),
				KERN_SUCCESS);
}

static void only_an_allocation_is_freed(struct kunit *test)
{
	const vm_size_t size = 3 * VM_PAGE_SIZE;
	vm_offset_t addr = kmem_alloc(kmem_map, size, 0);
	const struct {
		struct vm_map *map;
		vm_offset_t addr;
		vm_size_t size;
	} bad[] = {
		{ kmem_map, addr, size - VM_PAGE_SIZE },
		{ kmem_map, addr, size + VM_PAGE_SIZE },
		{ kmem_map, addr, size + 1 },
		{ kmem_map, addr + VM_PAGE_SIZE, size - VM_PAGE_SIZE },
		{ kmem_map, addr + 8, size },
		{ kmem_map, addr + size, VM_PAGE_SIZE },
		{ kernel_map, addr, size },
		{ exec_map, addr, size },
		{ kmem_map, 0, size },
		{ kmem_map, kmemlimit, size },
	};
	unsigned int i;

	KUNIT_ASSERT_NE(test, addr, 0ULL);
	*(u64 *)addr = 7;
	for (i = 0; i < ARRAY_SIZE(bad); i++)
		KUNIT_EXPECT_EQ_MSG(test, kmem_free(bad[i].map, bad[i].addr, bad[i].size),
				    KERN_INVALID_ADDRESS, "row %u", i);
	KUNIT_EXPECT_EQ(test, *(u64 *)addr, 7ULL);
	/* The last page may have been asked for in part. */
	KUNIT_EXPECT_EQ(test, kmem_free(kmem_map, addr, size - 1), KERN_SUCCESS);
	KUNIT_EXPECT_EQ(test, kmem_free(kmem_map, addr, size), KERN_INVALID_ADDRESS);
}

static void slab_is_memory_of_kmem_map(struct kunit *test)
{
	void *mem = kmem_slab_alloc(5 * VM_PAGE_SIZE, M_NOWAIT);
	unsigned int i;

	KUNIT_ASSERT_NOT_NULL(test, mem);
	KUNIT_EXPECT_TRUE(test, (u64)mem >= kmembase && (u64)mem < kmemlimit);
	for (i = 0; i < 5; i++) {
		*(u64 *)(mem + ptoa(i)) = i;
		KUNIT_EXPECT_EQ(test, *(u64 *)pmap_quick_enter_page(kmem_page(mem + ptoa(i))),
				(u64)i);
	}
	kmem_slab_free(mem, 5 * VM_PAGE_SIZE);
	KUNIT_EXPECT_NULL(test, kmem_page(mem));
}

static void wired_memory_comes_and_goes_in_atomic_context(struct kunit *test)
{
	static DEFINE_SPINLOCK(lock);
	vm_offset_t addr[8];
	unsigned int i, freed = 0;

	spin_lock(&lock);
	for (i = 0; i < ARRAY_SIZE(addr); i++)
		addr[i] = kmem_malloc(kmem_map, ptoa(i + 1), M_NOWAIT);
	for (i = 0; i < ARRAY_SIZE(addr); i++)
		freed += kmem_free(kmem_map, addr[i], ptoa(i + 1)) == KERN_SUCCESS;
	spin_unlock(&lock);
	KUNIT_EXPECT_EQ(test, freed, (unsigned int)ARRAY_SIZE(addr));

	preempt_disable();
	addr[0] = (vm_offset_t)kmem_slab_alloc(ptoa(40), M_NOWAIT | M_USE_RESERVE);
	if (addr[0])
		kmem_slab_free((void *)addr[0], ptoa(40));
	preempt_enable();
	KUNIT_EXPECT_NE(test, addr[0], 0ULL);
}

/* --- no more room */

/* Fill the map with pageable memory, which needs no pages; answers how many. */
static unsigned int test_fill(struct kunit *test, struct vm_map *map, vm_size_t size,
			      vm_offset_t *addr, unsigned int max)
{
	unsigned int n = 0;

	while (n < max && (addr[n] = kmem_alloc_pageable(map, size)))
		n++;
	KUNIT_EXPECT_LT_MSG(test, n, max, "there is no end to it");
	return n;
}

#define FILL_SIZE	(64 * 1024)

static void test_exhaust_map(struct kunit *test, struct vm_map *map)
{
	const unsigned int max = (map->max_offset - map->min_offset) / FILL_SIZE + 2;
	vm_offset_t *addr = kunit_kcalloc(test, max, sizeof(*addr), GFP_KERNEL);
	unsigned int n, i;
	vm_offset_t other;

	KUNIT_ASSERT_NOT_NULL(test, addr);
	n = test_fill(test, map, FILL_SIZE, addr, max);
	KUNIT_EXPECT_GT(test, n, 3U);
	KUNIT_EXPECT_EQ(test, kmem_malloc(map, FILL_SIZE, M_NOWAIT), 0ULL);
	KUNIT_EXPECT_EQ(test, kmem_alloc(map, FILL_SIZE, 0), 0ULL);
	/* No other notices. */
	for (i = 0; test_kernel_map(i); i++) {
		if (test_kernel_map(i) == map)
			continue;
		other = kmem_malloc(test_kernel_map(i), FILL_SIZE, M_NOWAIT);
		KUNIT_EXPECT_NE(test, other, 0ULL);
		if (other)
			kmem_free(test_kernel_map(i), other, FILL_SIZE);
	}

	/* In every second place there is room for as much, but for no more. */
	for (i = 0; i < n; i += 2)
		KUNIT_EXPECT_EQ(test, kmem_free(map, addr[i], FILL_SIZE), KERN_SUCCESS);
	KUNIT_EXPECT_EQ(test, kmem_alloc_pageable(map, 2 * FILL_SIZE), 0ULL);
	for (i = 0; i < n; i += 2) {
		addr[i] = kmem_malloc(map, i ? FILL_SIZE : VM_PAGE_SIZE, M_NOWAIT);
		KUNIT_EXPECT_NE(test, addr[i], 0ULL);
		if (i >= 6)
			break;
	}
	for (i = 0; i < n; i++)
		if (i % 2 || i <= 6)
			KUNIT_EXPECT_EQ(test, kmem_free(map, addr[i], i ? FILL_SIZE : VM_PAGE_SIZE),
					KERN_SUCCESS);
}

static void exhausted_map_affects_no_other_and_recovers(struct kunit *test)
{
	unsigned int i;

	for (i = 0; test_kernel_map(i); i++)
		test_exhaust_map(test, test_kernel_map(i));
}

static int alloc_wait_thread(void *arg)
{
	struct test_mem *mem = arg;

	allow_signal(SIGKILL);
	mem->addr = kmem_alloc_wait(mem->map, mem->size);
	return mem->addr ? 0 : -EINTR;
}

/* Wait until somebody sleeps in an allocation of the map. */
static bool test_wait_sleeps(struct kunit *test, struct vm_map *map, u64 sleeps)
{
	unsigned long end = jiffies + TEST_PATIENCE;

	while (test_kmem_info(test, map).sleeps < sleeps && time_before(jiffies, end))
		msleep(20);
	msleep(20);
	return test_kmem_info(test, map).sleeps >= sleeps;
}

static void alloc_wait_gets_room_when_it_comes(struct kunit *test)
{
	struct vm_map *map = test_submap(test, 16 * VM_PAGE_SIZE);
	const vm_size_t size = 16 * VM_PAGE_SIZE - KMEM_GUARD;
	struct test_mem mem = { .map = map, .size = size };
	vm_offset_t addr = kmem_alloc_wait(map, size);
	struct test_thread *thread;

	KUNIT_ASSERT_NE(test, addr, 0ULL);
	thread = test_thread(test, -1, alloc_wait_thread, &mem);
	KUNIT_EXPECT_TRUE(test, test_wait_sleeps(test, map, 1));
	KUNIT_EXPECT_FALSE(test, completion_done(&thread->done));
	KUNIT_EXPECT_EQ(test, kmem_free_wakeup(map, addr, size), KERN_SUCCESS);
	KUNIT_EXPECT_EQ(test, 0, test_thread_join(thread));
	KUNIT_EXPECT_EQ(test, mem.addr, addr);
	KUNIT_EXPECT_EQ(test, kmem_free_wakeup(map, mem.addr, size), KERN_SUCCESS);
}

/* Each that is woken looks again, and those that find nothing sleep again. */
static void alloc_wait_serves_all_who_wait(struct kunit *test)
{
	struct vm_map *map = test_submap(test, 16 * VM_PAGE_SIZE);
	const vm_size_t size = 16 * VM_PAGE_SIZE - KMEM_GUARD;
	const vm_size_t part = 4 * VM_PAGE_SIZE - KMEM_GUARD;
	struct test_mem mem[4];
	struct test_thread *thread[4];
	vm_offset_t addr = kmem_alloc_wait(map, size);
	unsigned int i;

	KUNIT_ASSERT_NE(test, addr, 0ULL);
	for (i = 0; i < 4; i++) {
		mem[i] = (struct test_mem){ .map = map, .size = part };
		thread[i] = test_thread(test, test_cpu(i), alloc_wait_thread, &mem[i]);
	}
	KUNIT_EXPECT_TRUE(test, test_wait_sleeps(test, map, 4));
	KUNIT_EXPECT_EQ(test, kmem_free(map, addr, size), KERN_SUCCESS);
	for (i = 0; i < 4; i++) {
		KUNIT_EXPECT_EQ(test, 0, test_thread_join(thread[i]));
		KUNIT_EXPECT_NE(test, mem[i].addr, 0ULL);
	}
	KUNIT_EXPECT_EQ(test, test_kmem_info(test, map).entries, 4ULL);
	for (i = 0; i < 4; i++)
		KUNIT_EXPECT_EQ(test, kmem_free(map, mem[i].addr, part), KERN_SUCCESS);
}

static void alloc_wait_is_killable(struct kunit *test)
{
	struct vm_map *map = test_submap(test, 8 * VM_PAGE_SIZE);
	const vm_size_t size = 8 * VM_PAGE_SIZE - KMEM_GUARD;
	struct test_mem mem = { .map = map, .size = VM_PAGE_SIZE };
	vm_offset_t addr = kmem_alloc_wait(map, size);
	struct test_thread *thread;

	KUNIT_ASSERT_NE(test, addr, 0ULL);
	thread = test_thread(test, -1, alloc_wait_thread, &mem);
	KUNIT_EXPECT_TRUE(test, test_wait_sleeps(test, map, 1));
	send_sig(SIGKILL, thread->task, 1);
	KUNIT_EXPECT_EQ(test, -EINTR, test_thread_join(thread));
	KUNIT_EXPECT_EQ(test, test_kmem_info(test, map).entries, 1ULL);
	KUNIT_EXPECT_EQ(test, test_kmem_info(test, map).failures, 1ULL);
	KUNIT_EXPECT_EQ(test, kmem_free_wakeup(map, addr, size), KERN_SUCCESS);
}

/* --- no more pages */

static void nowait_fails_at_once_without_pages_and_reserve_helps(struct kunit *test)
{
	struct test_pages *pages = test_pages_alloc(test);
	struct kmem_info info = test_kmem_info(test, kmem_map);
	vm_offset_t addr;

	test_pages_exhaust(pages, VM_ALLOC_SYSTEM);
	KUNIT_EXPECT_EQ(test, kmem_malloc(kmem_map, VM_PAGE_SIZE, M_NOWAIT), 0ULL);
	KUNIT_EXPECT_EQ(test, test_kmem_info(test, kmem_map).used, info.used);
	KUNIT_EXPECT_EQ(test, test_kmem_info(test, kmem_map).sleeps, info.sleeps);
	addr = kmem_malloc(kmem_map, VM_PAGE_SIZE, M_NOWAIT | M_USE_RESERVE);
	KUNIT_EXPECT_NE(test, addr, 0ULL);
	if (addr)
		kmem_free(kmem_map, addr, VM_PAGE_SIZE);
	test_pages_put_all(pages);
	addr = kmem_malloc(kmem_map, VM_PAGE_SIZE, M_NOWAIT);
	KUNIT_EXPECT_NE(test, addr, 0ULL);
	if (addr)
		kmem_free(kmem_map, addr, VM_PAGE_SIZE);
}

/* Some pages are to be had, but not all: those that were go back. */
static void allocation_in_part_leaves_nothing_behind(struct kunit *test)
{
	struct test_pages *pages = test_pages_alloc(test);
	unsigned long free;
	unsigned int i;
	vm_offset_t addr;

	/* The zone of entries has then what it needs. */
	addr = kmem_malloc(kmem_map, VM_PAGE_SIZE, M_NOWAIT);
	KUNIT_EXPECT_EQ(test, kmem_free(kmem_map, addr, VM_PAGE_SIZE), KERN_SUCCESS);
	test_pages_exhaust(pages, VM_ALLOC_SYSTEM);
	for (i = 0; i < 40; i++)
		test_pages_put(pages);
	free = vm_free_count();
	KUNIT_EXPECT_EQ(test, kmem_malloc(kmem_map, ptoa(200), M_NOWAIT), 0ULL);
	KUNIT_EXPECT_EQ(test, vm_free_count(), free);
	KUNIT_EXPECT_EQ(test, test_wire_count(), test_kern_before.wired);
	KUNIT_EXPECT_EQ(test, test_kmem_info(test, kmem_map).used, test_kern_before.info[1].used);
}

static int alloc_thread(void *arg)
{
	struct test_mem *mem = arg;

	mem->addr = kmem_alloc(mem->map, mem->size, 0);
	return mem->addr ? 0 : -ENOMEM;
}

static void waitok_waits_for_pages(struct kunit *test)
{
	struct test_mem mem = { .map = kmem_map, .size = ptoa(20) };
	struct test_pages *pages = test_pages_alloc(test);
	unsigned long end = jiffies + TEST_PATIENCE;
	u64 sleeps = test_kmem_info(test, kmem_map).sleeps;
	struct test_thread *thread;

	test_pages_exhaust(pages, VM_ALLOC_SYSTEM);
	thread = test_thread(test, -1, alloc_thread, &mem);
	while (!vm_waiting() && time_before(jiffies, end))
		msleep(20);
	KUNIT_EXPECT_TRUE(test, vm_waiting());
	KUNIT_EXPECT_FALSE(test, completion_done(&thread->done));
	test_pages_put_all(pages);
	KUNIT_EXPECT_EQ(test, 0, test_thread_join(thread));
	KUNIT_EXPECT_GT(test, test_kmem_info(test, kmem_map).sleeps, sleeps);
	if (mem.addr)
		KUNIT_EXPECT_EQ(test, kmem_free(kmem_map, mem.addr, mem.size), KERN_SUCCESS);
}

static void waitok_gives_up_as_a_fault_does(struct kunit *test)
{
	struct test_pages *pages = test_pages_alloc(test);
	unsigned int attempts = vm_pfault_oom_attempts;
	unsigned long start;

	test_pages_exhaust(pages, VM_ALLOC_SYSTEM);
	vm_pfault_oom_attempts = 1;
	start = jiffies;
	KUNIT_EXPECT_EQ(test, kmem_alloc(kmem_map, VM_PAGE_SIZE, 0), 0ULL);
	KUNIT_EXPECT_GE(test, jiffies - start, (unsigned long)HZ / 2);
	vm_pfault_oom_attempts = attempts;
}

/* All pages that are to be had, in pieces; then they are all free again. */
static void pool_is_used_up_and_recovered(struct kunit *test)
{
	const vm_size_t size = 16 * VM_PAGE_SIZE;
	vm_offset_t *addr = kunit_kcalloc(test, 4096, sizeof(*addr), GFP_KERNEL);
	struct test_pages *pages = test_pages_alloc(test);
	unsigned int i, n = 0, round;

	KUNIT_ASSERT_NOT_NULL(test, addr);
	/* What the map has no addresses for. */
	while (vm_free_count() > 2048 && test_pages_get(pages, VM_ALLOC_NORMAL))
		;
	for (round = 0; round < 2; round++) {
		for (n = 0; n < 4096; n++) {
			addr[n] = kmem_malloc(kmem_map, size, M_NOWAIT);
			if (!addr[n])
				break;
			cond_resched();
		}
		KUNIT_EXPECT_GT(test, n, 50U);
		KUNIT_EXPECT_LT(test, vm_free_count(), vm_free_reserved() + 128);
		for (i = 0; i < n; i++)
			KUNIT_EXPECT_EQ(test, kmem_free(kmem_map, addr[i], size), KERN_SUCCESS);
	}
}

/* Its entries do not depend on there being a page. */
static void system_map_has_entries_without_pages(struct kunit *test)
{
	struct test_pages *pages = test_pages_alloc(test);
	vm_offset_t addr[64], more;
	unsigned int i;

	test_pages_exhaust(pages, VM_ALLOC_INTERRUPT);
	for (i = 0; i < ARRAY_SIZE(addr); i++) {
		if (vm_map_system_insert(kmem_map, NULL, NULL, VM_PAGE_SIZE, true, &addr[i]))
			break;
	}
	KUNIT_EXPECT_EQ(test, i, (unsigned int)ARRAY_SIZE(addr));
	KUNIT_EXPECT_EQ(test, kmem_malloc(kmem_map, VM_PAGE_SIZE, M_NOWAIT | M_USE_RESERVE), 0ULL);
	while (i-- > 0)
		vm_map_system_delete(kmem_map,
				     vm_map_system_claim(kmem_map, addr[i], addr[i] + VM_PAGE_SIZE,
							 false));
	test_pages_put_all(pages);
	more = kmem_malloc(kmem_map, VM_PAGE_SIZE, M_NOWAIT);
	KUNIT_EXPECT_NE(test, more, 0ULL);
	KUNIT_EXPECT_EQ(test, kmem_free(kmem_map, more, VM_PAGE_SIZE), KERN_SUCCESS);
}

static bool test_everything(void)
{
	vm_offset_t wired, pageable, waited;
	vm_offset_t min, max;
	struct vm_map *map;
	u64 value = 1;
	bool good;

	wired = kmem_alloc(kmem_map, 3 * VM_PAGE_SIZE, 0);
	pageable = kmem_alloc_pageable(exec_map, 3 * VM_PAGE_SIZE);
	waited = kmem_alloc_wait(exec_map, VM_PAGE_SIZE);
	map = kmem_suballoc(kernel_map, "test_map", &min, &max, 4 * VM_PAGE_SIZE);
	good = wired && pageable && waited && map;
	if (pageable)
		good &= !kmem_write(NULL, pageable + 2 * VM_PAGE_SIZE, &value, sizeof(value));
	if (wired)
		kmem_free(kmem_map, wired, 3 * VM_PAGE_SIZE);
	if (pageable)
		kmem_free(exec_map, pageable, 3 * VM_PAGE_SIZE);
	if (waited)
		kmem_free_wakeup(exec_map, waited, VM_PAGE_SIZE);
	if (map)
		kmem_subfree(kernel_map, map);
	return good;
}

static void failing_allocations_leave_nothing_behind(struct kunit *test)
{
	unsigned int nth, failures = 0;
	bool failed = true, good;

	test_fail_init(test);
	for (nth = 1; failed && nth < 100; nth++) {
		test_fail_from(nth);
		good = test_everything();
		failed = test_fail_done();
		failures += !good;
		KUNIT_EXPECT_TRUE(test, good || failed);
	}
	KUNIT_EXPECT_FALSE(test, failed);
	KUNIT_EXPECT_GT(test, failures, 3U);
}

/* --- threads against a model */

#define MODEL_STEPS	1500
#define MODEL_SLOTS	24

/**
 * struct model - what a thread believes to have
 * @rnd: its random numbers
 * @id: its number, part of what it writes
 * @wrong: the step at which something was wrong, or 0
 * @done: allocations
 * @mem: what it has
 * @pageable: of them, those that are
 * @tag: what it wrote to them
 */
struct model {
	struct rnd_state rnd;
	u64 id;
	unsigned int wrong;
	unsigned int done;
	struct test_mem mem[MODEL_SLOTS];
	bool pageable[MODEL_SLOTS];
	u64 tag[MODEL_SLOTS];
};

/* Write or check one word of an allocation: its tag, and where it is. */
static bool model_word(struct model *model, unsigned int slot, vm_size_t off, bool write)
{
	vm_offset_t at = model->mem[slot].addr + off;
	u64 want = model->tag[slot] ^ off, value = want;
	int ret = 0;

	if (model->pageable[slot])
		ret = write ? kmem_write(NULL, at, &value, sizeof(value)) :
			      kmem_read(NULL, at, &value, sizeof(value));
	else if (write)
		*(u64 *)at = value;
	else
		value = *(u64 *)at;
	return !ret && value == want;
}

/* The first and the last word of each page say whose it is. */
static bool model_tag(struct model *model, unsigned int slot, bool write)
{
	vm_size_t off, size = round_page(model->mem[slot].size);
	bool good = true;

	for (off = 0; off < size; off += VM_PAGE_SIZE)
		good &= model_word(model, slot, off, write) &&
			model_word(model, slot, off + VM_PAGE_SIZE - sizeof(u64), write);
	return good;
}

static bool model_step(struct model *model, unsigned int step)
{
	unsigned int slot = test_random(&model->rnd, MODEL_SLOTS);
	struct test_mem *mem = &model->mem[slot];
	bool good;

	if (mem->addr) {
		good = model_tag(model, slot, false) &&
		       kmem_free(mem->map, mem->addr, mem->size) == KERN_SUCCESS;
		mem->addr = 0;
		return good;
	}
	mem->map = test_kernel_map(test_random(&model->rnd, 4));
	mem->size = 1 + test_random(&model->rnd, test_random(&model->rnd, 4) ? 3 * VM_PAGE_SIZE :
				    30 * VM_PAGE_SIZE);
	model->pageable[slot] = !test_random(&model->rnd, 3);
	model->tag[slot] = model->id << 56 | (u64)step << 32;
	if (model->pageable[slot])
		mem->addr = kmem_alloc_pageable(mem->map, mem->size);
	else
		mem->addr = kmem_malloc(mem->map, mem->size, test_random(&model->rnd, 2) ?
					M_NOWAIT : M_WAITOK);
	/* There is room for all that they may have. */
	if (!mem->addr)
		return false;
	model->done++;
	return model_tag(model, slot, true);
}

static int model_thread(void *arg)
{
	struct model *model = arg;
	unsigned int i;

	for (i = 1; i <= MODEL_STEPS && !model->wrong; i++) {
		if (!model_step(model, i))
			model->wrong = i;
		cond_resched();
	}
	for (i = 0; i < MODEL_SLOTS; i++) {
		if (!model->mem[i].addr)
			continue;
		if (!model_tag(model, i, false) ||
		    kmem_free(model->mem[i].map, model->mem[i].addr, model->mem[i].size))
			model->wrong = model->wrong ?: MODEL_STEPS + 1;
	}
	return model->wrong;
}

static void threads_against_a_model(struct kunit *test)
{
	struct test_thread *thread[2];
	struct model *model[2];
	unsigned int i;

	for (i = 0; i < 2; i++) {
		model[i] = kunit_kzalloc(test, sizeof(*model[i]), GFP_KERNEL);
		KUNIT_ASSERT_NOT_NULL(test, model[i]);
		test_seed(test, &model[i]->rnd, 4711 + i);
		model[i]->id = i + 1;
	}
	for (i = 0; i < 2; i++)
		thread[i] = test_thread(test, test_cpu(i), model_thread, model[i]);
	for (i = 0; i < 2; i++) {
		KUNIT_EXPECT_EQ_MSG(test, 0, test_thread_join(thread[i]), "thread %u, step", i);
		KUNIT_EXPECT_GT(test, model[i]->done, MODEL_STEPS / 3U);
	}
}

static struct kunit_case vm_kern_cases[] = {
	KUNIT_CASE(kernel_map_has_its_parts_in_order),
	KUNIT_CASE(statistics_list_the_maps_in_order),
	KUNIT_CASE(statistics_count_what_happens),
	KUNIT_CASE(submap_goes_only_when_it_is_empty),
	KUNIT_CASE(wired_memory_is_there_zero_and_wired),
	KUNIT_CASE(no_map_has_nothing_or_too_much),
	KUNIT_CASE(guard_behind_each_allocation_faults),
	KUNIT_CASE(only_an_allocation_is_freed),
	KUNIT_CASE(slab_is_memory_of_kmem_map),
	KUNIT_CASE(wired_memory_comes_and_goes_in_atomic_context),
	KUNIT_CASE(exhausted_map_affects_no_other_and_recovers),
	KUNIT_CASE(alloc_wait_gets_room_when_it_comes),
	KUNIT_CASE(alloc_wait_serves_all_who_wait),
	KUNIT_CASE(alloc_wait_is_killable),
	KUNIT_CASE(nowait_fails_at_once_without_pages_and_reserve_helps),
	KUNIT_CASE(allocation_in_part_leaves_nothing_behind),
	KUNIT_CASE(waitok_waits_for_pages),
	KUNIT_CASE_SLOW(waitok_gives_up_as_a_fault_does),
	KUNIT_CASE(pool_is_used_up_and_recovered),
	KUNIT_CASE(system_map_has_entries_without_pages),
	KUNIT_CASE(failing_allocations_leave_nothing_behind),
	KUNIT_CASE_SLOW(threads_against_a_model),
	{}
};

static struct kunit_suite vm_kern_suite = {
	.name = "bsdvm_vm_kern",
	.init = test_kern_init,
	.test_cases = vm_kern_cases,
};

kunit_test_suite(vm_kern_suite);
