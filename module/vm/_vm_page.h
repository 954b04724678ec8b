/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * struct vm_page: one for each frame of the pool, and for frames of others that
 * are mapped, see vm_page_getfake().
 *
 * Apart from vm_page.h (as FreeBSD keeps its _vm_*.h) because the buddy
 * allocator one floor below keeps free frames on lists by it.
 */
#ifndef BSDVM__VM_PAGE_H
#define BSDVM__VM_PAGE_H

#include "vm.h"

struct vm_object;

/*
 * What the pmap remembers of a page; opaque to module/vm/. All zero means that
 * the page was never mapped, so that a page needs no allocation for its first
 * mapping. pmap_pv.c explains it.
 */
struct md_page {
	u64 pv_first;
	struct rb_root pv_more;
};

/**
 * struct vm_page - a physical page
 * @plinks: (F) buddy free list, or (Q) page queue
 * @uma: (U) with PGA_SLAB, in place of @plinks: what the zone allocator keeps of it
 * @object: (O) the object that holds the page, or NULL
 * @pindex: (O) its place there
 * @phys_addr: (C) physical address; (B) where it is lent, see vm_page_set_foreign()
 * @md: (P) the pmap's part
 * @wire_count: (A) reasons why the page must stay where it is; and
 *	VM_PAGE_ORPHAN, VM_PAGE_FICTITIOUS
 * @busy: (A) VPB_*; who holds it exclusively may do I/O with no lock held
 * @aflags: (A) PGA_*
 * @queue: (A, Q) PQ_NONE, or the PQ_* and the CPU whose queue it is on; from
 *	PQ_NONE it changes atomically, to PQ_NONE or another queue under (Q)
 * @order: (F) order of the free block this page begins, or VM_NFREEORDER
 * @act_count: (Q) activity, for the pageout daemon's ageing
 * @valid: (O, B) its content is that of its object
 * @memattr: (C) how it is cached; VM_MEMATTR_WRITE_BACK, but for what is not memory
 *
 * Locks: (A) atomic, (B) exclusively busied, (C) constant after start-up, (F)
 * free-list lock, (O) the object's lock, (P) the pmap's, (Q) the page queue's, (U)
 * who allocated it from the zone allocator, or that itself.
 */
struct vm_page {
	union {
		struct list_head plinks;
		unsigned long uma;
	};
	struct vm_object *object;
	vm_pindex_t pindex;
	vm_paddr_t phys_addr;
	struct md_page md;
	atomic_t wire_count;
	atomic_t busy;
	unsigned long aflags;
	u32 queue;
	u8 order;
	u8 act_count;
	u8 valid;
	vm_memattr_t memattr;
};

#endif /* BSDVM__VM_PAGE_H */
