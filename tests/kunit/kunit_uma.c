// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * What the tests of zones share, and partly those of malloc(): misuse that is written down,
 * memory for large slabs, zones that go with the test.
 */
#include "uma_kunit.h"

#include <linux/io.h>
#include <linux/mm.h>
#include <linux/vmalloc.h>

#include "vm/vm_kern.h"

/* --- misuse */

struct test_misuse test_misuse;

static void test_note_misuse(const char *zone, enum uma_misuse what, const void *item)
{
	test_misuse.count++;
	test_misuse.what = what;
	test_misuse.zone = zone;
	test_misuse.item = item;
}

static void test_misuse_end(void *report)
{
	uma_dbg_report = report;
}

void test_misuse_init(struct kunit *test)
{
	void *report = uma_dbg_report;

	memset(&test_misuse, 0, sizeof(test_misuse));
	uma_dbg_report = test_note_misuse;
	KUNIT_ASSERT_EQ(test, 0, kunit_add_action_or_reset(test, test_misuse_end, report));
}

__no_sanitize_address u8 test_kasan_shadow(const void *addr)
{
	return *(u8 *)kasan_mem_to_shadow(addr);
}

/* --- slabs of several pages, before there is a kernel map */

static unsigned int test_kmem_order(size_t size)
{
	return get_order(size);
}

/* Who may wait gets addresses of their own, others those that all memory has. */
static void *test_kmem_alloc(size_t size, int flags)
{
	unsigned int order = test_kmem_order(size), i;
	struct vm_page *m;
	struct page **pages;
	void *addr;

	m = vm_phys_alloc_pages(order);
	if (!m)
		return NULL;
	for (i = 0; i < 1U << order; i++) {
		m[i].aflags = 0;
		m[i].queue = PQ_NONE;
		vm_page_wire(&m[i]);
	}
	addr = PHYS_TO_DMAP(m->phys_addr);
	if (!(flags & M_WAITOK))
		return addr;
	pages = kmalloc_array(1U << order, sizeof(*pages), GFP_KERNEL);
	if (pages) {
		for (i = 0; i < 1U << order; i++)
			pages[i] = virt_to_page(addr + ptoa(i));
		addr = vmap(pages, 1U << order, VM_MAP, PAGE_KERNEL) ?: addr;
	}
	kfree(pages);
	return addr;
}

static struct vm_page *test_kmem_page(const void *addr)
{
	if (!is_vmalloc_addr(addr))
		return NULL;
	return PHYS_TO_VM_PAGE(page_to_phys(vmalloc_to_page(addr)));
}

static void test_kmem_free(void *addr, size_t size)
{
	unsigned int order = test_kmem_order(size), i;
	struct vm_page *m = test_kmem_page(addr) ?: PHYS_TO_VM_PAGE(DMAP_TO_PHYS(addr));

	if (is_vmalloc_addr(addr))
		vunmap(addr);
	for (i = 0; i < 1U << order; i++)
		vm_page_unwire(&m[i], PQ_NONE);
	vm_phys_free_pages(m, order);
}

static const struct uma_kmem test_kmem = {
	.alloc = test_kmem_alloc,
	.free = test_kmem_free,
	.page = test_kmem_page,
};

static void test_kmem_end(void *arg)
{
	uma_reclaim(UMA_RECLAIM_DRAIN_CPU);
	uma_set_kmem(NULL);
}

static void test_kmem_real(void *arg)
{
	uma_set_kmem(&kmem_slabs);
}

int test_kmem_none(struct kunit *test)
{
	int ret = test_pages_init(test);

	if (ret)
		return ret;
	uma_set_kmem(NULL);
	return kunit_add_action_or_reset(test, test_kmem_real, NULL);
}

void test_kmem_init(struct kunit *test)
{
	uma_set_kmem(&test_kmem);
	KUNIT_ASSERT_EQ(test, 0, kunit_add_action_or_reset(test, test_kmem_end, NULL));
}

/* --- zones of tests */

const u32 test_uma_modes[2] = { 0, UMA_ZONE_NODEBUG };

static void test_zone_end(void *arg)
{
	struct uma_zone **zone = arg;

	uma_zdestroy(*zone);
}

struct uma_zone *test_zone_keep(struct kunit *test, struct uma_zone *zone)
{
	struct uma_zone **place = kunit_kzalloc(test, sizeof(*place), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, place);
	KUNIT_ASSERT_NOT_NULL(test, zone);
	*place = zone;
	KUNIT_ASSERT_EQ(test, 0, kunit_add_action_or_reset(test, test_zone_end, place));
	return zone;
}

struct uma_zone *test_zone(struct kunit *test, size_t size, u32 flags)
{
	return test_zone_keep(test, uma_zcreate("test", size, NULL, NULL, NULL, NULL,
						UMA_ALIGN_PTR, flags));
}

void test_free_items(struct uma_zone *zone, void **items, unsigned int n)
{
	while (n--)
		uma_zfree(zone, items[n]);
}

/* --- a thread that uses a zone */

static int churn_thread(void *arg)
{
	struct churn *churn = arg;
	unsigned int n;

	for (n = 0; n < churn->n; n++) {
		churn->items[n] = uma_zalloc(churn->zone, M_WAITOK);
		if (!churn->items[n])
			return -ENOMEM;
	}
	test_free_items(churn->zone, churn->items, churn->n);
	return 0;
}

struct churn *test_churn(struct kunit *test, struct uma_zone *zone, unsigned int n)
{
	struct churn *churn = kunit_kzalloc(test, sizeof(*churn), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, churn);
	churn->zone = zone;
	churn->n = n;
	churn->items = kunit_kcalloc(test, n, sizeof(void *), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, churn->items);
	return churn;
}

int churn_on(struct kunit *test, unsigned int cpu, struct churn *churn)
{
	return test_thread_join(test_thread(test, test_cpu(cpu), churn_thread, churn));
}
