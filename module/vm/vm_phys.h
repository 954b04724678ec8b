/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * vm_phys: the buddy allocator over the reserved frames.
 *
 * The pool is a set of segments of physical memory that the Linux side reserved.
 * It is described by 2 MiB slots: each aligned 2 MiB of physical address space
 * that holds at least one of our frames owns 512 consecutive entries of
 * vm_page_array, so that a physical address finds its vm_page by two loads and a
 * scattered pool costs no more than the slots it touches.
 *
 * Lock: one spinlock for all free lists, the innermost of the VM system. The
 * per-CPU caches of vm_page.c stand in front of it.
 */
#ifndef BSDVM_VM_PHYS_H
#define BSDVM_VM_PHYS_H

#include "_vm_page.h"

/* Block orders 0 to 9: 4 KiB to 2 MiB. */
#define VM_NFREEORDER		10
#define VM_PHYS_SLOT_SHIFT	(VM_PAGE_SHIFT + VM_NFREEORDER - 1)

struct vm_phys_seg {
	vm_paddr_t start;
	vm_paddr_t end;
};

/**
 * struct vm_phys_domain - some frames, and which of them are free
 * @segs: (C) the frames, sorted, neither overlapping nor touching
 * @nsegs: (C) number of @segs
 * @segs_size: (C) number of @segs there is room for
 * @slots: (C) the first vm_page of each slot from the lowest to the highest, or
 *	NULL where no frame is ours
 * @first_slot: (C) number of the lowest slot
 * @nslots: (C) number of @slots
 * @pages: (C) the vm_page_array
 * @npages: (C) length of @pages, frames of others in our slots included
 * @bases: (C) where each 512 entries of @pages begin in physical memory
 * @page_count: (C) frames that are ours
 * @lock: free-list lock
 * @free_lists: (F) first pages of free blocks by order, linked by plinks
 * @free_count: (F) pages on @free_lists; may be read without the lock
 *
 * The pool is one; the tests make more of them, over frames that do not exist,
 * for nothing here looks into a frame. All zero is a domain with no segments.
 *
 * Locks: (C) constant after vm_phys_domain_init(), (F) lock.
 */
struct vm_phys_domain {
	struct vm_phys_seg *segs;
	unsigned int nsegs;
	unsigned int segs_size;
	struct vm_page **slots;
	u64 first_slot;
	u64 nslots;
	struct vm_page *pages;
	u64 npages;
	vm_paddr_t *bases;
	unsigned long page_count;

	/* Apart from what PHYS_TO_VM_PAGE() reads. */
	spinlock_t lock ____cacheline_aligned_in_smp;
	struct list_head free_lists[VM_NFREEORDER];
	unsigned long free_count;
};

/*
 * The same as the functions below, which work on the pool, on any domain.
 */
int vm_phys_domain_add_seg(struct vm_phys_domain *vd, vm_paddr_t start,
			   vm_paddr_t end);
int vm_phys_domain_init(struct vm_phys_domain *vd);
void vm_phys_domain_fini(struct vm_phys_domain *vd);
struct vm_page *vm_phys_domain_alloc_pages(struct vm_phys_domain *vd,
					   unsigned int order);
void vm_phys_domain_free_pages(struct vm_phys_domain *vd, struct vm_page *m,
			       unsigned int order);
unsigned int vm_phys_domain_alloc_npages(struct vm_phys_domain *vd,
					 struct vm_page **ma, unsigned int n,
					 unsigned long keep);
void vm_phys_domain_free_npages(struct vm_phys_domain *vd, struct vm_page **ma,
				unsigned int n);
struct vm_page *vm_phys_domain_page(const struct vm_phys_domain *vd,
				    vm_paddr_t pa);
bool vm_phys_domain_check(struct vm_phys_domain *vd);

/**
 * vm_phys_add_seg() - offer a segment of frames, before vm_phys_init()
 * @start: physical address of the first byte, page aligned
 * @end: physical address behind the last byte, page aligned
 *
 * Context: start-up only, may sleep.
 * Return: 0, -EINVAL for an empty, unaligned or overlapping segment, -ENOMEM.
 */
int vm_phys_add_seg(vm_paddr_t start, vm_paddr_t end);

/**
 * vm_phys_init() - make the vm_page of every frame offered and free them all
 *
 * Context: start-up only, may sleep.
 * Return: 0, -EINVAL when no segment was offered, -ENOMEM.
 */
int vm_phys_init(void);

/**
 * vm_phys_fini() - forget all segments
 *
 * Every page must be back. Harmless when vm_phys_init() was not called or failed.
 *
 * Context: shut-down only.
 */
void vm_phys_fini(void);

/**
 * vm_phys_alloc_pages() - take a block
 * @order: log2 of the number of pages, below VM_NFREEORDER
 *
 * Context: any but interrupt.
 * Return: the first page of the block, its neighbours follow in memory and in
 * vm_page_array; NULL when no block is large enough.
 */
struct vm_page *vm_phys_alloc_pages(unsigned int order);

/**
 * vm_phys_free_pages() - give a block back, merging it with its free buddies
 * @m: first page of the block
 * @order: its order, as it was allocated
 *
 * Context: any but interrupt.
 */
void vm_phys_free_pages(struct vm_page *m, unsigned int order);

/**
 * vm_phys_alloc_npages() - take single pages, for a cache, under one lock hold
 * @ma: where they go
 * @n: how many are wanted
 * @keep: how many free pages must be left
 *
 * Context: any but interrupt.
 * Return: how many were taken, 0 to @n.
 */
unsigned int vm_phys_alloc_npages(struct vm_page **ma, unsigned int n,
				  unsigned long keep);

/**
 * vm_phys_free_npages() - give single pages back under one lock hold
 * @ma: the pages
 * @n: how many
 *
 * Context: any but interrupt.
 */
void vm_phys_free_npages(struct vm_page **ma, unsigned int n);

/**
 * PHYS_TO_VM_PAGE() - the page of a physical address
 * @pa: physical address
 *
 * Context: any; takes no lock.
 * Return: the page, or NULL when the frame is not ours.
 */
struct vm_page *PHYS_TO_VM_PAGE(vm_paddr_t pa);

/**
 * vm_phys_frame() - the frame of the pool that a page stands for
 * @m: a page of the pool, whatever its phys_addr says now
 *
 * Context: any; takes no lock.
 * Return: its physical address.
 */
vm_paddr_t vm_phys_frame(const struct vm_page *m);

/**
 * vm_phys_free_count() - pages on the free lists (caches not counted)
 *
 * Return: pages; exact only while nobody allocates.
 */
unsigned long vm_phys_free_count(void);

/**
 * vm_phys_page_count() - pages of the pool
 *
 * Return: pages.
 */
unsigned long vm_phys_page_count(void);

/**
 * vm_phys_check() - check every free list against the vm_pages
 *
 * Walks all free pages: each block aligned, inside its segment, marked with its
 * order, no two buddies both free, and the total right.
 *
 * Context: any but interrupt.
 * Return: true when all is well.
 */
bool vm_phys_check(void);

#endif /* BSDVM_VM_PHYS_H */
