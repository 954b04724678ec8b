// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Tests of translations of kernel addresses. The addresses are a place in the kernel
 * map that nobody else uses, the frames are the pool's. An address that may be mapped
 * nowhere is read by copy_from_kernel_nofault().
 */
#include "bsdvm_kunit.h"

#include <linux/kasan.h>
#include <linux/mm.h>

#include "vm/pmap.h"
#include "vm/vm_kern.h"

#define TABLE_PAGES	512

/**
 * struct test_range - kernel addresses of a test
 * @va: the first
 * @size: bytes
 */
struct test_range {
	vm_offset_t va;
	vm_size_t size;
};

static void test_range_free(void *arg)
{
	struct test_range *range = arg;
	struct vm_map_entry *entry;

	pmap_qremove(range->va, atop(range->size));
	entry = vm_map_system_claim(kernel_map, range->va, range->va + range->size, false);
	if (!WARN_ON(!entry))
		vm_map_system_delete(kernel_map, entry);
}

/* Addresses of @pages pages; what is mapped there goes when the test ends. */
static vm_offset_t test_range(struct kunit *test, unsigned int pages)
{
	struct test_range *range = kunit_kzalloc(test, sizeof(*range), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, range);
	range->size = ptoa(pages);
	KUNIT_ASSERT_EQ(test, KERN_SUCCESS,
			vm_map_system_insert(kernel_map, NULL, NULL, range->size, false,
					     &range->va));
	KUNIT_ASSERT_EQ(test, 0, kunit_add_action_or_reset(test, test_range_free, range));
	return range->va;
}

static void test_page_free(void *m)
{
	vm_page_free(m);
}

/*
 * A page whose first word is @value, freed when the test ends. Comes before the
 * range that it is mapped in, to be freed after it is unmapped.
 */
static struct vm_page *test_page(struct kunit *test, u64 value)
{
	struct vm_page *m = vm_page_alloc_noobj(VM_ALLOC_NORMAL);

	KUNIT_ASSERT_NOT_NULL(test, m);
	KUNIT_ASSERT_EQ(test, 0, kunit_add_action_or_reset(test, test_page_free, m));
	pmap_zero_page(m);
	*(u64 *)pmap_quick_enter_page(m) = value;
	return m;
}

/* --- entering and removing */

static void kernel_addresses_fault_before_anything_is_entered(struct kunit *test)
{
	vm_offset_t va = test_range(test, 4);
	unsigned int i;

	for (i = 0; i < 4; i++) {
		KUNIT_EXPECT_EQ(test, test_kernel_load(va + ptoa(i)), TEST_NOT_MAPPED);
		KUNIT_EXPECT_EQ(test, pmap_kextract(va + ptoa(i)), 0ULL);
	}
	/* The ends of the whole range, of which the end is above what is used. */
	KUNIT_EXPECT_EQ(test, test_kernel_load(virtual_end - sizeof(u64)), TEST_NOT_MAPPED);
	KUNIT_EXPECT_EQ(test, virtual_avail & VM_PAGE_MASK, 0ULL);
	KUNIT_EXPECT_EQ(test, virtual_end & VM_PAGE_MASK, 0ULL);
}

static void kenter_maps_and_kremove_unmaps(struct kunit *test)
{
	struct vm_page *m = test_page(test, 17);
	vm_offset_t va = test_range(test, 3) + VM_PAGE_SIZE;

	pmap_kenter(va, m->phys_addr);
	KUNIT_EXPECT_EQ(test, *(u64 *)va, 17ULL);
	*(u64 *)va = 18;
	*((u8 *)va + VM_PAGE_SIZE - 1) = 19;
	KUNIT_EXPECT_EQ(test, *(u64 *)pmap_quick_enter_page(m), 18ULL);
	KUNIT_EXPECT_EQ(test, *((u8 *)pmap_quick_enter_page(m) + VM_PAGE_SIZE - 1), 19);
	/* The neighbours are as they were. */
	KUNIT_EXPECT_EQ(test, test_kernel_load(va - VM_PAGE_SIZE), TEST_NOT_MAPPED);
	KUNIT_EXPECT_EQ(test, test_kernel_load(va + VM_PAGE_SIZE), TEST_NOT_MAPPED);

	pmap_kremove(va);
	KUNIT_EXPECT_EQ(test, test_kernel_load(va), TEST_NOT_MAPPED);
	pmap_kremove(va);
	KUNIT_EXPECT_EQ(test, test_kernel_load(va), TEST_NOT_MAPPED);
}

static void kextract_answers_for_both_kinds_of_address(struct kunit *test)
{
	struct vm_page *m = test_page(test, 0);
	vm_offset_t va = test_range(test, 1);
	vm_offset_t direct = (vm_offset_t)pmap_quick_enter_page(m);

	pmap_kenter(va, m->phys_addr);
	KUNIT_EXPECT_EQ(test, pmap_kextract(va), m->phys_addr);
	KUNIT_EXPECT_EQ(test, pmap_kextract(va + 123), m->phys_addr + 123);
	KUNIT_EXPECT_PTR_EQ(test, kmem_page((void *)(va + 123)), m);
	pmap_kremove(va);
	KUNIT_EXPECT_EQ(test, pmap_kextract(va), 0ULL);
	KUNIT_EXPECT_NULL(test, kmem_page((void *)va));

	KUNIT_EXPECT_EQ(test, pmap_kextract(direct), m->phys_addr);
	KUNIT_EXPECT_PTR_EQ(test, kmem_page((void *)direct), m);
	KUNIT_EXPECT_EQ(test, pmap_kextract(0), 0ULL);
	KUNIT_EXPECT_EQ(test, pmap_kextract(virtual_end), 0ULL);
	/* Linux's own memory is no page of ours. */
	KUNIT_EXPECT_NULL(test, kmem_page(test));
}

/* More pages than a page table has slots: at least one seam lies within. */
static void qenter_maps_across_page_tables(struct kunit *test)
{
	const unsigned int count = TABLE_PAGES + 40;
	struct vm_page **ma = kunit_kcalloc(test, count, sizeof(*ma), GFP_KERNEL);
	unsigned int i;
	vm_offset_t va;

	KUNIT_ASSERT_NOT_NULL(test, ma);
	for (i = 0; i < count; i++)
		ma[i] = test_page(test, i + 1);
	va = test_range(test, count + 1);

	pmap_qenter(va, ma, count);
	for (i = 0; i < count; i++) {
		if (test_kernel_load(va + ptoa(i)) == i + 1 &&
		    pmap_kextract(va + ptoa(i)) == ma[i]->phys_addr)
			continue;
		KUNIT_FAIL(test, "page %u", i);
		break;
	}
	KUNIT_EXPECT_EQ(test, test_kernel_load(va + ptoa(count)), TEST_NOT_MAPPED);
	pmap_qremove(va, count);
	for (i = 0; i < count; i++) {
		if (test_kernel_load(va + ptoa(i)) == TEST_NOT_MAPPED)
			continue;
		KUNIT_FAIL(test, "page %u after its removal", i);
		break;
	}
}

static void qenter_replaces_and_qremove_skips_holes(struct kunit *test)
{
	struct vm_page *ma[4];
	vm_offset_t va;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(ma); i++)
		ma[i] = test_page(test, i);
	va = test_range(test, 6);
	pmap_qenter(va, ma, 4);
	pmap_kremove(va + ptoa(1));
	pmap_qenter(va, ma + 2, 2);
	KUNIT_EXPECT_EQ(test, test_kernel_load(va), 2ULL);
	KUNIT_EXPECT_EQ(test, test_kernel_load(va + ptoa(1)), 3ULL);
	KUNIT_EXPECT_EQ(test, test_kernel_load(va + ptoa(2)), 2ULL);
	KUNIT_EXPECT_EQ(test, test_kernel_load(va + ptoa(3)), 3ULL);
	pmap_kremove(va + ptoa(2));
	pmap_qremove(va, 6);
	for (i = 0; i < 6; i++)
		KUNIT_EXPECT_EQ(test, test_kernel_load(va + ptoa(i)), TEST_NOT_MAPPED);
	/* Nothing happens on an empty range. */
	pmap_qenter(va, ma, 0);
	pmap_qremove(va, 0);
	KUNIT_EXPECT_EQ(test, test_kernel_load(va), TEST_NOT_MAPPED);
}

static void kasan_forbids_what_is_not_mapped(struct kunit *test)
{
#ifdef CONFIG_KASAN_VMALLOC
	struct vm_page *m = test_page(test, 1);
	vm_offset_t va = test_range(test, 2);
	u8 *shadow = kasan_mem_to_shadow((void *)va);
	const size_t n = VM_PAGE_SIZE >> KASAN_SHADOW_SCALE_SHIFT;

	KUNIT_EXPECT_NULL(test, memchr(shadow, 0, 2 * n));
	pmap_kenter(va, m->phys_addr);
	KUNIT_EXPECT_NULL(test, memchr_inv(shadow, 0, n));
	KUNIT_EXPECT_NULL(test, memchr(shadow + n, 0, n));
	pmap_kremove(va);
	KUNIT_EXPECT_NULL(test, memchr(shadow, 0, 2 * n));
#else
	kunit_skip(test, "no KASAN");
#endif
}

/* --- shootdown */

static void shootdown_comes_once_and_only_where_something_was_valid(struct kunit *test)
{
	struct vm_page *ma[5], *other;
	vm_offset_t va;
	unsigned int i;
	u64 before;

	for (i = 0; i < ARRAY_SIZE(ma); i++)
		ma[i] = test_page(test, i);
	other = test_page(test, 99);
	va = test_range(test, 8);

	before = TEST_VMMETER(v_shootdowns);
	pmap_kenter(va, ma[0]->phys_addr);
	pmap_qenter(va + ptoa(1), ma + 1, 4);
	/* The same again changes nothing. */
	pmap_kenter(va, ma[0]->phys_addr);
	pmap_kremove(va + ptoa(6));
	KUNIT_EXPECT_EQ(test, TEST_VMMETER(v_shootdowns), before);

	pmap_kenter(va, other->phys_addr);
	KUNIT_EXPECT_EQ(test, TEST_VMMETER(v_shootdowns), before + 1);
	pmap_qenter(va + ptoa(1), ma, 4);
	KUNIT_EXPECT_EQ(test, TEST_VMMETER(v_shootdowns), before + 2);
	pmap_qremove(va, 8);
	KUNIT_EXPECT_EQ(test, TEST_VMMETER(v_shootdowns), before + 3);
	pmap_qremove(va, 8);
	KUNIT_EXPECT_EQ(test, TEST_VMMETER(v_shootdowns), before + 3);
}

/**
 * struct test_race - an address that one CPU maps anew and another reads
 * @va: the address
 * @now: what is to be read there at least; moves when the mapping has
 * @stop: it is over
 * @reads: how often it was read
 * @stale: what was read there, when that was older; or 0
 */
struct test_race {
	vm_offset_t va;
	u64 now;
	bool stop;
	unsigned long reads;
	u64 stale;
};

static int race_reader(void *arg)
{
	struct test_race *race = arg;
	u64 now, value;

	while (!READ_ONCE(race->stop)) {
		/* What is read next is as new as this. */
		now = smp_load_acquire(&race->now);
		value = READ_ONCE(*(u64 *)race->va);
		if (value < now && !race->stale)
			race->stale = value + 1;
		if (++race->reads % 1024 == 0)
			cond_resched();
	}
	return 0;
}

/*
 * Each frame is written before it is mapped, and again, with what is too old, after it
 * was replaced: a CPU that still has the old translation reads that.
 */
static void other_cpu_never_reads_a_replaced_frame(struct kunit *test)
{
	struct vm_page *m[2] = { test_page(test, 0), test_page(test, 0) };
	struct test_race race = { .va = test_range(test, 1) };
	struct test_thread *reader;
	unsigned long end;
	u64 i;

	if (num_online_cpus() < 2)
		kunit_skip(test, "one CPU");
	pmap_kenter(race.va, m[0]->phys_addr);
	migrate_disable();
	reader = test_thread(test, test_cpu(raw_smp_processor_id() + 1), race_reader, &race);
	migrate_enable();
	end = jiffies + TEST_PATIENCE;
	while (!READ_ONCE(race.reads) && time_before(jiffies, end))
		cond_resched();

	for (i = 1; i <= 2000; i++) {
		*(u64 *)pmap_quick_enter_page(m[i % 2]) = i;
		if (i % 3)
			pmap_kenter(race.va, m[i % 2]->phys_addr);
		else
			pmap_qenter(race.va, &m[i % 2], 1);
		/* The mapping has changed before this does. */
		smp_store_release(&race.now, i);
		*(u64 *)pmap_quick_enter_page(m[(i + 1) % 2]) = 0;
		if (i % 64 == 0)
			cond_resched();
	}
	WRITE_ONCE(race.stop, true);
	test_thread_join(reader);
	KUNIT_EXPECT_EQ(test, race.stale, 0ULL);
	KUNIT_EXPECT_GT(test, race.reads, 100UL);
	kunit_info(test, "%lu reads\n", race.reads);
}

/**
 * struct test_removal - an address that one CPU unmaps and another reads
 * @va: the address
 * @count: pages
 * @removed: counts removals that have returned
 * @seen: counts those that the reader has looked at
 * @warm: counts the reader's looks before
 * @reached: pages that it could read though they were removed
 */
struct test_removal {
	vm_offset_t va;
	unsigned int count;
	unsigned int removed;
	unsigned int seen;
	unsigned int warm;
	unsigned int reached;
};

#define REMOVALS	50

static bool test_wait_for(unsigned int *counter, unsigned int value)
{
	unsigned long end = jiffies + TEST_PATIENCE;

	/* What the other thread did before it counted is done. */
	while (smp_load_acquire(counter) != value) {
		if (time_after(jiffies, end))
			return false;
		cond_resched();
	}
	return true;
}

static int removal_reader(void *arg)
{
	struct test_removal *removal = arg;
	unsigned int round, i;

	for (round = 1; round <= REMOVALS; round++) {
		/* Have every translation in the TLB. */
		for (i = 0; i < removal->count; i++)
			test_kernel_load(removal->va + ptoa(i));
		/* The looks come before the count of them. */
		smp_store_release(&removal->warm, round);
		if (!test_wait_for(&removal->removed, round))
			return -ETIMEDOUT;
		for (i = 0; i < removal->count; i++)
			removal->reached += test_kernel_load(removal->va + ptoa(i)) !=
					    TEST_NOT_MAPPED;
		/* Likewise. */
		smp_store_release(&removal->seen, round);
	}
	return 0;
}

/* @count: few pages are flushed one by one, many at once. */
static void test_removal_is_seen(struct kunit *test, unsigned int count)
{
	struct vm_page **ma = kunit_kcalloc(test, count, sizeof(*ma), GFP_KERNEL);
	struct test_removal removal = { .count = count };
	struct test_thread *reader;
	unsigned int i;

	if (num_online_cpus() < 2)
		kunit_skip(test, "one CPU");
	KUNIT_ASSERT_NOT_NULL(test, ma);
	for (i = 0; i < count; i++)
		ma[i] = test_page(test, i);
	removal.va = test_range(test, count);
	pmap_qenter(removal.va, ma, count);
	migrate_disable();
	reader = test_thread(test, test_cpu(raw_smp_processor_id() + 1), removal_reader,
			     &removal);
	migrate_enable();
	for (i = 1; i <= REMOVALS; i++) {
		if (!test_wait_for(&removal.warm, i))
			break;
		pmap_qremove(removal.va, count);
		/* They are removed before anyone is told. */
		smp_store_release(&removal.removed, i);
		if (!test_wait_for(&removal.seen, i))
			break;
		/* The reader goes on when it sees them again, or not: both are fine. */
		pmap_qenter(removal.va, ma, count);
	}
	KUNIT_EXPECT_EQ(test, i, REMOVALS + 1U);
	KUNIT_EXPECT_EQ(test, 0, test_thread_join(reader));
	KUNIT_EXPECT_EQ(test, removal.reached, 0U);
}

static void other_cpu_faults_where_few_were_removed(struct kunit *test)
{
	test_removal_is_seen(test, 3);
}

static void other_cpu_faults_where_many_were_removed(struct kunit *test)
{
	test_removal_is_seen(test, 100);
}

static void kernel_addresses_can_be_mapped_in_atomic_context(struct kunit *test)
{
	struct vm_page *m[2] = { test_page(test, 1), test_page(test, 2) };
	vm_offset_t va = test_range(test, 2);
	static DEFINE_SPINLOCK(lock);
	u64 value[2];

	spin_lock(&lock);
	pmap_kenter(va, m[0]->phys_addr);
	value[0] = *(u64 *)va;
	pmap_qenter(va, m, 2);
	pmap_qenter(va, m + 1, 1);
	value[1] = *(u64 *)va;
	pmap_qremove(va, 2);
	spin_unlock(&lock);
	KUNIT_EXPECT_EQ(test, value[0], 1ULL);
	KUNIT_EXPECT_EQ(test, value[1], 2ULL);
	KUNIT_EXPECT_EQ(test, test_kernel_load(va), TEST_NOT_MAPPED);
}

static struct kunit_case pmap_kernel_cases[] = {
	KUNIT_CASE(kernel_addresses_fault_before_anything_is_entered),
	KUNIT_CASE(kenter_maps_and_kremove_unmaps),
	KUNIT_CASE(kextract_answers_for_both_kinds_of_address),
	KUNIT_CASE(qenter_maps_across_page_tables),
	KUNIT_CASE(qenter_replaces_and_qremove_skips_holes),
	KUNIT_CASE(kasan_forbids_what_is_not_mapped),
	KUNIT_CASE(shootdown_comes_once_and_only_where_something_was_valid),
	KUNIT_CASE(other_cpu_never_reads_a_replaced_frame),
	KUNIT_CASE(other_cpu_faults_where_few_were_removed),
	KUNIT_CASE(other_cpu_faults_where_many_were_removed),
	KUNIT_CASE(kernel_addresses_can_be_mapped_in_atomic_context),
	{}
};

static struct kunit_suite pmap_kernel_suite = {
	.name = "bsdvm_pmap_kernel",
	.init = test_pages_init,
	.test_cases = pmap_kernel_cases,
};

kunit_test_suite(pmap_kernel_suite);
