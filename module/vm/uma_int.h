/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * uma_int: what the parts of the zone allocator share: uma.c (zones and the CPUs'
 * buckets), uma_keg.c (slabs), uma_dbg.c (misuse). kern_malloc.c asks here of what
 * an address is.
 */
#ifndef BSDVM_UMA_INT_H
#define BSDVM_UMA_INT_H

#include "uma.h"
#include "vm_page.h"
#include "vm_phys.h"

/* Items are not smaller: a page has no more than 256. */
#define UMA_SMALLEST_UNIT	16
/* Nor larger. */
#define UMA_LARGEST_UNIT	(1024 * 1024)

/* uz_special: what allocating or freeing has to do beyond moving an item. */
#define UZ_CTOR		0x01
#define UZ_DTOR		0x02
#define UZ_DEBUG	0x04
#define UZ_NOBUCKET	0x08	/* nothing is kept on CPUs */
#define UZ_SLEEPERS	0x10	/* somebody waits for an item to be freed */

/* uk_flags */
#define UK_OFFPAGE	0x01	/* headers are apart from their slabs */
#define UK_DEBUG	0x02	/* slabs know which items are in use; red zones */
#define UK_TRASH	0x04	/* free items are filled with a pattern */
#define UK_POISON	0x08	/* KASAN is told of free items */
#define UK_NOFREE	0x10	/* slabs are not given back */

/**
 * struct uma_slab - some pages of items
 * @us_link: (K) on one of the keg's lists
 * @us_keg: (C) whose it is
 * @us_data: (C) its first item
 * @us_freecount: (K) how many are free
 * @us_bits: (K) a bit for each item that is free; with UK_DEBUG, (A) after those a bit
 *	for each that is in somebody's hands
 *
 * Locks: (A) atomic, (C) constant, (K) the keg's.
 */
struct uma_slab {
	struct list_head us_link;
	struct uma_keg *us_keg;
	void *us_data;
	unsigned int us_freecount;
	unsigned long us_bits[];
};

/**
 * struct uma_keg - the slabs of a zone
 * @uk_lock: the keg's lock
 * @uk_part: (K) slabs with items free and items not
 * @uk_empty: (K) slabs with all items free
 * @uk_full: (K) slabs with none
 * @uk_slabs: (K) slabs
 * @uk_free: (K) items free in slabs
 * @uk_out: (K) items that are not: in use, or in a bucket
 * @uk_max: (K) most @uk_out may be, 0 for no limit
 * @uk_reserve: (K) of @uk_free, as many are for M_USE_RESERVE
 * @uk_color: (K) where the items of the next slab begin
 * @uk_size: (C) bytes of an item
 * @uk_rsize: (C) bytes from one to the next
 * @uk_align: (C) address bits that are zero
 * @uk_ipers: (C) items of a slab
 * @uk_ppera: (C) pages of a slab
 * @uk_words: (C) words of as many bits as there are items
 * @uk_hdrsize: (C) bytes of a header
 * @uk_color_step: (C) @uk_color grows by this,
 * @uk_color_max: (C) to this
 * @uk_flags: (C) UK_*
 * @uk_init: (C) for each item of a new slab
 * @uk_fini: (C) for each item of a slab that goes
 *
 * Locks: (C) constant once the zone is made, (K) uk_lock. Nothing is called with it
 * held.
 */
struct uma_keg {
	spinlock_t uk_lock;	/* see above */
	struct list_head uk_part;
	struct list_head uk_empty;
	struct list_head uk_full;
	unsigned long uk_slabs;
	unsigned long uk_free;
	unsigned long uk_out;
	unsigned int uk_max;
	unsigned int uk_reserve;
	unsigned int uk_color;
	unsigned int uk_size;
	unsigned int uk_rsize;
	unsigned int uk_align;
	unsigned int uk_ipers;
	unsigned int uk_ppera;
	unsigned int uk_words;
	unsigned int uk_hdrsize;
	unsigned int uk_color_step;
	unsigned int uk_color_max;
	unsigned int uk_flags;
	uma_init uk_init;
	uma_fini uk_fini;
};

/**
 * struct uma_zone - items of one kind
 * @uz_hot: what uma.h knows; uz_special (Z) but read without the lock
 * @uz_ctor: (C) for each item allocated
 * @uz_dtor: (C) for each item freed
 * @uz_name: (C) for statistics
 * @uz_link: (L) place on the list of zones
 * @uz_internal: (C) one of uma.c's own
 * @uz_malloc: (C) one of malloc()'s
 * @uz_nobucket: (C) UMA_ZONE_NOBUCKET
 * @uz_lock: the zone's lock
 * @uz_depot: (Z) full buckets
 * @uz_depot_count: (Z) their number,
 * @uz_depot_max: (C) and the most there are
 * @uz_bucket_size: (Z) items that a new bucket is to hold,
 * @uz_bucket_min: (Z) at first,
 * @uz_bucket_max: (Z) and at the most
 * @uz_pressure: (Z) how often a larger one would have been better
 * @uz_sleepers: (Z) tasks that wait for an item to be freed,
 * @uz_wait: where they wait
 * @uz_sleeps: (A) how often anybody waited
 * @uz_keg: the slabs
 *
 * Locks: (A) atomic, (C) constant, (L) the list's, (Z) uz_lock. The keg's lock and
 * this one are not held together.
 */
struct uma_zone {
	struct uma_zone_hot uz_hot;
	uma_ctor uz_ctor;
	uma_dtor uz_dtor;
	const char *uz_name;
	struct list_head uz_link;
	bool uz_internal;
	bool uz_malloc;
	bool uz_nobucket;

	spinlock_t uz_lock ____cacheline_aligned_in_smp;
	struct list_head uz_depot;
	unsigned int uz_depot_count;
	unsigned int uz_depot_max;
	unsigned int uz_bucket_size;
	unsigned int uz_bucket_min;
	unsigned int uz_bucket_max;
	unsigned int uz_pressure;
	unsigned int uz_sleepers;
	wait_queue_head_t uz_wait;
	atomic64_t uz_sleeps;

	struct uma_keg uz_keg ____cacheline_aligned_in_smp;
};

/* Headers of slabs that have none inside. */
extern struct uma_zone *uma_slab_zone;
#define UMA_SLAB_ITEMS		64	/* items they have bits for */
#define UMA_SLAB_SIZE		(sizeof(struct uma_slab) + 2 * sizeof(unsigned long))

static inline struct uma_zone *uma_keg_zone(struct uma_keg *keg)
{
	return container_of(keg, struct uma_zone, uz_keg);
}

/* --- uma_keg.c */

/* Why uma_keg_alloc() has nothing, beside an errno of the keg's init. */
#define UMA_NOPAGE	1	/* no page is free */
#define UMA_LIMITED	2	/* there are as many items as there may be */

/**
 * uma_keg_init() - lay slabs out
 * @keg: the keg; uk_size, uk_align, uk_flags (all but UK_OFFPAGE), uk_init, uk_fini
 *	are set, all else is zero
 *
 * Context: any.
 */
void uma_keg_init(struct uma_keg *keg);

/**
 * uma_keg_alloc() - take items out of slabs
 * @keg: the keg
 * @items: where they go
 * @n: how many at the most
 * @flags: M_*; waits only for the kernel map
 * @over: the limit does not matter
 * @why: out, if there were none: UMA_*, or an errno
 *
 * Context: as uma_zalloc_arg().
 * Return: how many there were.
 */
unsigned int uma_keg_alloc(struct uma_keg *keg, void **items, unsigned int n, int flags,
			   bool over, int *why);

/**
 * uma_keg_free() - put items back into their slabs
 * @keg: the keg
 * @items: the items
 * @n: how many
 *
 * Context: any but interrupt.
 */
void uma_keg_free(struct uma_keg *keg, void **items, unsigned int n);

/**
 * uma_keg_grow() - take a slab
 * @keg: the keg
 * @flags: as uma_keg_alloc()
 *
 * Context: as uma_zalloc_arg().
 * Return: 0, UMA_NOPAGE, or an errno of the keg's init.
 */
int uma_keg_grow(struct uma_keg *keg, int flags);

/**
 * uma_keg_room() - may there be another item?
 * @keg: the keg
 *
 * Context: any but interrupt.
 * Return: true when the limit is not reached.
 */
bool uma_keg_room(struct uma_keg *keg);

/**
 * uma_keg_reclaim() - give slabs back that have no item in use
 * @keg: the keg
 *
 * As long as what is kept in reserve remains.
 *
 * Context: process, for fini.
 */
void uma_keg_reclaim(struct uma_keg *keg);

/**
 * uma_keg_fini() - give all slabs back
 * @keg: the keg
 *
 * Context: process.
 * Return: items that were not back.
 */
unsigned long uma_keg_fini(struct uma_keg *keg);

/**
 * uma_kmem_alloc() - memory of several pages
 * @size: bytes, a multiple of a page
 * @flags: M_*
 * @why: out, if there is none: UMA_NOPAGE or -ENOMEM, as UMA_* of uma_keg_alloc()
 *
 * Context: as uma_zalloc_arg().
 * Return: the memory; NULL.
 */
void *uma_kmem_alloc(size_t size, int flags, int *why);

/**
 * uma_kmem_free() - the opposite
 * @addr: the memory
 * @size: as it was allocated
 *
 * Context: process.
 */
void uma_kmem_free(void *addr, size_t size);

/**
 * uma_page() - the page behind an address
 * @addr: an address of the zone allocator's
 *
 * Context: any; takes no lock.
 * Return: the page; NULL when it is no page of the allocator's.
 */
struct vm_page *uma_page(const void *addr);

/**
 * vtoslab() - the slab of an item
 * @addr: an address in it
 *
 * Context: any; takes no lock. Some item of the slab is in use, or the keg locked.
 * Return: the slab; NULL when the address is in none.
 */
struct uma_slab *vtoslab(const void *addr);

/*
 * In vm_page.uma: memory that is of no slab. The first page of it has its size.
 */
#define UMA_PAGE_SIZE_FLAG	1UL

/**
 * uma_page_set_size() - note the size of memory of uma_kmem_alloc()
 * @addr: the memory
 * @size: bytes; 0: forget it
 *
 * Context: any.
 */
void uma_page_set_size(const void *addr, size_t size);

/**
 * uma_page_size() - what uma_page_set_size() noted
 * @addr: an address
 *
 * Context: any.
 * Return: bytes; 0 when it is not the beginning of such memory.
 */
size_t uma_page_size(const void *addr);

/**
 * uma_slab_index() - which item of its slab
 * @slab: the slab
 * @item: the item
 *
 * Return: its number; not below uk_ipers when it is none.
 */
static inline unsigned int uma_slab_index(const struct uma_slab *slab, const void *item)
{
	return (u32)(item - slab->us_data) / slab->us_keg->uk_rsize;
}

static inline void *uma_slab_item(const struct uma_slab *slab, unsigned int i)
{
	return slab->us_data + (size_t)i * slab->us_keg->uk_rsize;
}

/* Where its memory begins. */
static inline void *uma_slab_base(const struct uma_slab *slab)
{
	return (void *)trunc_page((unsigned long)slab->us_data);
}

/* The bits of items that are in somebody's hands. */
static inline unsigned long *uma_slab_used(struct uma_slab *slab)
{
	return slab->us_bits + slab->us_keg->uk_words;
}

/* --- uma_dbg.c; none of this is called but with UK_DEBUG, where not said otherwise */

/* Bytes behind an item in which nobody writes, where there is room for them. */
#define UMA_REDZONE	8

/**
 * uma_dbg_slab_new() - a slab was made, and its items initialized
 * @slab: the slab
 */
void uma_dbg_slab_new(struct uma_slab *slab);

/**
 * uma_dbg_slab_free() - a slab goes; its items are to be finished
 * @slab: the slab
 */
void uma_dbg_slab_free(struct uma_slab *slab);

/**
 * uma_dbg_fail() - is an allocation to fail, for the sake of a test?
 * @zone: its zone
 * @flags: M_*
 *
 * Return: true when it is.
 */
bool uma_dbg_fail(struct uma_zone *zone, int flags);

/**
 * uma_dbg_alloc() - an item goes to somebody
 * @zone: its zone
 * @item: the item
 */
void uma_dbg_alloc(struct uma_zone *zone, void *item);

/**
 * uma_dbg_check_free() - somebody wants to free an item
 * @zone: the zone it is said to be of
 * @item: the item
 *
 * Return: true when it is one, and it is in use no more. Otherwise it was reported.
 */
bool uma_dbg_check_free(struct uma_zone *zone, void *item);

/**
 * uma_dbg_free() - an item is free
 * @zone: its zone
 * @item: the item, after its destructor
 */
void uma_dbg_free(struct uma_zone *zone, void *item);

/**
 * uma_dbg_resize() - fewer bytes of an item are used, or more of them
 * @zone: its zone
 * @item: the item
 * @size: how many
 *
 * Called for any zone.
 */
void uma_dbg_resize(struct uma_zone *zone, void *item, size_t size);

#endif /* BSDVM_UMA_INT_H */
