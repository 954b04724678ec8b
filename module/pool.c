// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * pool: reserve frames, freeze them, give them back.
 *
 * Frames are taken in blocks as large as there are, 2 MiB to 4 KiB, and frozen:
 * their struct page's reference count is zero, so that nothing in Linux (GUP,
 * O_DIRECT, vmsplice, KVM) can ever take a reference to a frame that we later
 * hand to somebody else.
 */
#include "pool.h"

#include <linux/gfp.h>
#include <linux/list.h>
#include <linux/mm.h>
#include <linux/page_ref.h>
#include <linux/sched.h>
#include <linux/slab.h>

#include "vm/vm_phys.h"

/**
 * struct pool_block - frames that were allocated together
 * @link: place on pool_blocks
 * @page: the first
 * @order: log2 of their number
 */
struct pool_block {
	struct list_head link;
	struct page *page;
	unsigned int order;
};

static LIST_HEAD(pool_blocks);
static u64 pool_pages;

static void pool_freeze(struct page *page, unsigned int order)
{
	unsigned long i;

	split_page(page, order);
	for (i = 0; i < 1UL << order; i++)
		WARN_ON(!page_ref_freeze(page + i, 1));
}

static void pool_thaw(struct page *page, unsigned int order)
{
	unsigned long i;

	for (i = 0; i < 1UL << order; i++) {
		page_ref_unfreeze(page + i, 1);
		__free_page(page + i);
	}
}

static int pool_add_block(unsigned int order)
{
	/* The larger ones are a bonus; for single pages Linux may try harder. */
	gfp_t gfp = GFP_KERNEL | __GFP_NOWARN | (order ? __GFP_NORETRY : __GFP_RETRY_MAYFAIL);
	struct pool_block *block;
	vm_paddr_t pa;

	block = kmalloc(sizeof(*block), GFP_KERNEL | __GFP_RETRY_MAYFAIL | __GFP_NOWARN);
	if (!block)
		return -ENOMEM;
	block->page = alloc_pages(gfp, order);
	if (!block->page) {
		kfree(block);
		return -ENOMEM;
	}
	pa = PFN_PHYS(page_to_pfn(block->page));
	if (vm_phys_add_seg(pa, pa + (PAGE_SIZE << order))) {
		__free_pages(block->page, order);
		kfree(block);
		return -ENOMEM;
	}
	block->order = order;
	pool_freeze(block->page, order);
	list_add(&block->link, &pool_blocks);
	pool_pages += 1UL << order;
	return 0;
}

int pool_reserve(u64 bytes)
{
	u64 pages = bytes >> PAGE_SHIFT;
	int order = VM_NFREEORDER - 1;

	/* Pressing Linux for what it has not got would hurt others first. */
	if (pages > si_mem_available())
		return -ENOMEM;
	while (pool_pages < pages) {
		if (fatal_signal_pending(current))
			goto release;
		while (order > 0 && 1ULL << order > pages - pool_pages)
			order--;
		if (!pool_add_block(order))
			continue;
		if (!order--)
			goto release;
		cond_resched();
	}
	return 0;

release:
	pool_release();
	return -ENOMEM;
}

void pool_release(void)
{
	struct pool_block *block, *next;

	list_for_each_entry_safe(block, next, &pool_blocks, link) {
		pool_thaw(block->page, block->order);
		kfree(block);
	}
	INIT_LIST_HEAD(&pool_blocks);
	pool_pages = 0;
}

u64 pool_bytes(void)
{
	return pool_pages << PAGE_SHIFT;
}
