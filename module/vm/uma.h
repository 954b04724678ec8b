/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * uma: zones, the allocator of items of one size, uma(9).
 *
 * uma.c explains how it works. What stands here of its data is what the two
 * functions that are in line, allocation from and freeing to a CPU's bucket, touch.
 *
 * Semantics: FreeBSD 14, uma(9); where an allocation that may wait ends because its
 * task is killed is ours, see uma_zalloc_arg().
 *
 * Locks: nobody outside holds any of them; they come below every lock of the VM
 * system but those of the page caches and the free lists.
 */
#ifndef BSDVM_UMA_H
#define BSDVM_UMA_H

#include "malloc.h"

struct uma_zone;
struct vm_page;

/*
 * Called with no lock held, with the flags of the allocation that they are part of.
 * A constructor or an init that returns an errno makes that allocation fail.
 */
typedef int (*uma_ctor)(void *mem, int size, void *arg, int flags);
typedef void (*uma_dtor)(void *mem, int size, void *arg);
typedef int (*uma_init)(void *mem, int size, int flags);
typedef void (*uma_fini)(void *mem, int size);

/* Flags of uma_zcreate(); the values are FreeBSD's where it has them. */
#define UMA_ZONE_ZINIT		0x0002	/* init: all bytes zero */
#define UMA_ZONE_NOFREE		0x0020	/* the memory stays the zone's, free or not */
#define UMA_ZONE_NOBUCKET	0x2000	/* nothing stays at hand on a CPU */
#define UMA_ZONE_NODEBUG	0x10000	/* nothing looks for misuse */

/* Alignments of uma_zcreate(): a power of two less one. */
#define UMA_ALIGN_PTR		(sizeof(void *) - 1)
#define UMA_ALIGN_LONG		(sizeof(long) - 1)
#define UMA_ALIGN_INT		(sizeof(int) - 1)
#define UMA_ALIGN_SHORT		(sizeof(short) - 1)
#define UMA_ALIGN_CHAR		(sizeof(char) - 1)
#define UMA_ALIGN_CACHE		(L1_CACHE_BYTES - 1)

/* What uma_reclaim() gives back, each also what those before it do. */
#define UMA_RECLAIM_TRIM	1	/* slabs with no item in use */
#define UMA_RECLAIM_DRAIN	2	/* items in full buckets */
#define UMA_RECLAIM_DRAIN_CPU	3	/* items in the CPUs' buckets */

/**
 * struct uma_bucket - some free items
 * @ub_link: (Z) place in the zone's depot
 * @ub_cnt: (P, Z) number of items
 * @ub_entries: (C) the most it is to hold
 * @ub_index: (C) which zone the bucket itself is of
 * @ub_items: (P, Z) a stack of them
 *
 * Locks: (C) constant while it is in use, (P) of a CPU's buckets, by that CPU with
 * preemption off, (Z) of those in the depot, the zone's lock.
 */
struct uma_bucket {
	struct list_head ub_link;
	u16 ub_cnt;
	u16 ub_entries;
	u16 ub_index;
	void *ub_items[];
};

/**
 * struct uma_cache - what is at hand on one CPU
 * @uc_allocbucket: (P) items come from here, and go here while there is room
 * @uc_freebucket: (P) full or empty, for when the other is the opposite
 * @uc_allocs: (P) items allocated
 * @uc_frees: (P) items freed
 * @uc_fails: (P) allocations that failed
 *
 * Locks: (P) by its CPU with preemption off.
 */
struct uma_cache {
	struct uma_bucket *uc_allocbucket;
	struct uma_bucket *uc_freebucket;
	u64 uc_allocs;
	u64 uc_frees;
	u64 uc_fails;
};

/* The part of a zone that allocation and freeing look at; uma_int.h has the rest. */
struct uma_zone_hot {
	struct uma_cache __percpu *uz_cpu;	/* constant */
	/* Other than zero: there is more to do than move an item. See UZ_*. */
	unsigned int uz_special;
};

/* Functions behind those in line below. */
void *uma_zalloc_special(struct uma_zone *zone, void *udata, int flags);
void uma_zfree_special(struct uma_zone *zone, void *item, void *udata);

/**
 * uma_zalloc_arg() - allocate an item
 * @zone: its zone
 * @udata: for the zone's constructor
 * @flags: M_*
 *
 * With M_WAITOK this waits until there is a page in the pool, or until an item of a
 * limited zone is freed: its caller holds no lock that anyone who frees them may
 * want. Such a wait has no result but an item. So a task that is being killed waits
 * for the limit no more, but exceeds it by what it allocates from then on, and digs
 * into the reserve of pages, which it will soon give back; only when that is empty
 * does it wait, unkillably.
 *
 * Context: any but interrupt, hard or soft. With M_NOWAIT spinlocks may be held and
 * preemption may be off.
 * Return: the item. NULL with M_NOWAIT when there is no memory or the limit is
 * reached; with either when constructor or init refuse, or items are larger than a
 * page and the kernel map has none, see malloc().
 */
static inline void *uma_zalloc_arg(struct uma_zone *zone, void *udata, int flags)
{
	struct uma_zone_hot *hot = (struct uma_zone_hot *)zone;
	struct uma_bucket *bucket;
	void *item;

	if (IS_ENABLED(CONFIG_DEBUG_ATOMIC_SLEEP))
		might_sleep_if(flags & M_WAITOK);
	if (unlikely(hot->uz_special | (flags & M_ZERO)))
		return uma_zalloc_special(zone, udata, flags);
	preempt_disable();
	bucket = __this_cpu_read(hot->uz_cpu->uc_allocbucket);
	if (unlikely(!bucket->ub_cnt)) {
		preempt_enable();
		return uma_zalloc_special(zone, udata, flags);
	}
	item = bucket->ub_items[--bucket->ub_cnt];
	__this_cpu_inc(hot->uz_cpu->uc_allocs);
	preempt_enable();
	return item;
}

/**
 * uma_zfree_arg() - free an item
 * @zone: its zone
 * @item: the item, or NULL
 * @udata: for the zone's destructor
 *
 * Its memory stays the zone's until uma_reclaim().
 *
 * Context: any but interrupt, hard or soft, spinlocks may be held.
 */
static inline void uma_zfree_arg(struct uma_zone *zone, void *item, void *udata)
{
	struct uma_zone_hot *hot = (struct uma_zone_hot *)zone;
	struct uma_bucket *bucket;

	if (unlikely(hot->uz_special || !item)) {
		uma_zfree_special(zone, item, udata);
		return;
	}
	preempt_disable();
	bucket = __this_cpu_read(hot->uz_cpu->uc_allocbucket);
	if (unlikely(bucket->ub_cnt >= bucket->ub_entries)) {
		preempt_enable();
		uma_zfree_special(zone, item, udata);
		return;
	}
	bucket->ub_items[bucket->ub_cnt++] = item;
	__this_cpu_inc(hot->uz_cpu->uc_frees);
	preempt_enable();
}

/**
 * uma_zalloc() - allocate an item, with nothing for the constructor
 * @zone: its zone
 * @flags: M_*
 *
 * Context: as uma_zalloc_arg().
 * Return: as uma_zalloc_arg().
 */
static inline void *uma_zalloc(struct uma_zone *zone, int flags)
{
	return uma_zalloc_arg(zone, NULL, flags);
}

/**
 * uma_zfree() - free an item, with nothing for the destructor
 * @zone: its zone
 * @item: the item, or NULL
 *
 * Context: as uma_zfree_arg().
 */
static inline void uma_zfree(struct uma_zone *zone, void *item)
{
	uma_zfree_arg(zone, item, NULL);
}

/**
 * uma_startup() - make zones work, after vm_page_startup()
 *
 * Context: start-up only, may sleep.
 * Return: 0, -ENOMEM.
 */
int uma_startup(void);

/**
 * uma_shutdown() - give all memory back, before vm_page_shutdown()
 *
 * Zones that nobody destroyed are reported as leaks.
 *
 * Context: shut-down only. Harmless when uma_startup() was not called or failed.
 */
void uma_shutdown(void);

/**
 * uma_zcreate() - make a zone
 * @name: its name in statistics; stays the caller's, and there
 * @size: bytes of an item
 * @ctor: called for each item that is allocated, or NULL
 * @dtor: called for each item that is freed, or NULL
 * @uminit: called for each item when memory for it is taken, or NULL
 * @fini: called for each item when its memory is given back, or NULL
 * @align: UMA_ALIGN_*: address bits of an item that are zero
 * @flags: UMA_ZONE_*
 *
 * What an item contained when it was freed it contains when it is allocated again,
 * if there is an init (UMA_ZONE_ZINIT is one) or UMA_ZONE_NOFREE, and a constructor
 * does not change it.
 *
 * Context: process, may sleep.
 * Return: the zone; NULL when the kernel has no memory for it, @size is 0 or beyond
 * 1 MiB, or @align is none or beyond a page.
 */
struct uma_zone *uma_zcreate(const char *name, size_t size, uma_ctor ctor, uma_dtor dtor,
			     uma_init uminit, uma_fini fini, unsigned int align, u32 flags);

/**
 * uma_zdestroy() - give a zone and all its memory back
 * @zone: the zone, or NULL
 *
 * Items that were not freed are reported as a leak, and their memory goes as well.
 * Whoever may still look at free items of a UMA_ZONE_NOFREE zone does so under RCU,
 * and is waited for.
 *
 * Context: process, may sleep; nobody uses the zone any more.
 */
void uma_zdestroy(struct uma_zone *zone);

/**
 * uma_zone_set_max() - limit a zone
 * @zone: the zone
 * @nitems: most items there may be, those at hand on CPUs included; 0: no limit
 *
 * No more than half of that is ever at hand on CPUs. Exceeded by tasks that are
 * killed, see uma_zalloc_arg(), and by what is in use when the limit is set.
 *
 * Context: process, may sleep.
 * Return: @nitems.
 */
unsigned int uma_zone_set_max(struct uma_zone *zone, unsigned int nitems);

/**
 * uma_zone_get_max() - a zone's limit
 * @zone: the zone
 *
 * Return: items, 0 for no limit.
 */
unsigned int uma_zone_get_max(struct uma_zone *zone);

/**
 * uma_zone_reserve() - keep free items for who may use the reserve
 * @zone: the zone, before its first allocation
 * @nitems: items that only M_USE_RESERVE gets
 *
 * The memory for them is not there until uma_prealloc() takes it. From then on as many
 * stay in the zone's slabs, beyond the reach of uma_reclaim().
 *
 * Context: any.
 */
void uma_zone_reserve(struct uma_zone *zone, unsigned int nitems);

/**
 * uma_prealloc() - take memory for items ahead of their use
 * @zone: the zone
 * @nitems: for how many
 *
 * Context: process, waits for pages.
 * Return: 0; the errno of an init that refused; -ENOMEM: items are larger than a page
 * and there is no kernel map that could hold them.
 */
int uma_prealloc(struct uma_zone *zone, unsigned int nitems);

/**
 * uma_zone_get_cur() - items in use
 * @zone: the zone
 *
 * Return: items; exact only while nobody allocates or frees.
 */
unsigned long uma_zone_get_cur(struct uma_zone *zone);

/**
 * uma_reclaim() - give memory back that no zone needs at the moment
 * @req: UMA_RECLAIM_*
 *
 * Waits for nobody who may wait for a page: it may be called by who is to make pages
 * free. Runs one at a time; who comes second waits for the first. While a CPU goes on
 * or off line, CPUs' buckets are left alone.
 *
 * Context: process, may sleep, none of the caller's locks may be wanted by a fini.
 */
void uma_reclaim(int req);

/**
 * uma_zone_reclaim() - uma_reclaim() for one zone
 * @zone: the zone
 * @req: UMA_RECLAIM_*
 *
 * Context: as uma_reclaim().
 */
void uma_zone_reclaim(struct uma_zone *zone, int req);

/**
 * struct uma_stats - what a zone has and has done
 * @name: its name
 * @size: bytes of an item
 * @rsize: bytes that an item takes in its slab
 * @limit: most items there may be, 0 for no limit
 * @used: items in use
 * @free: items at hand on CPUs, in buckets and in slabs
 * @requests: items allocated ever
 * @failures: allocations that failed
 * @sleeps: how often an allocation waited
 * @slabs: slabs
 * @pages: their pages
 * @bucket: items that a bucket is to hold, at present
 */
struct uma_stats {
	char name[32];
	u64 size;
	u64 rsize;
	u64 limit;
	u64 used;
	u64 free;
	u64 requests;
	u64 failures;
	u64 sleeps;
	u64 slabs;
	u64 pages;
	u64 bucket;
};

/**
 * uma_zone_stats() - describe a zone
 * @index: 0, 1, ...: in the order they were made
 * @stats: where it goes; exact only while nobody uses the zone
 *
 * Context: process, may sleep.
 * Return: 0, -ENOENT when there are not so many.
 */
int uma_zone_stats(unsigned int index, struct uma_stats *stats);

/**
 * uma_zone_get_stats() - describe a zone that one has
 * @zone: the zone
 * @stats: where it goes
 *
 * Context: any but interrupt.
 */
void uma_zone_get_stats(struct uma_zone *zone, struct uma_stats *stats);

/**
 * struct uma_kmem - where slabs of several pages come from
 * @alloc: @size bytes, a multiple of a page, of consecutive wired pages' addresses;
 *	waits with M_WAITOK as long as a fault waits
 * @free: the opposite
 * @page: the page behind an address of @alloc's; NULL for any other address; any
 *	context, takes no lock
 *
 * The page belongs to whom it was allocated for: its plinks are not @alloc's.
 */
struct uma_kmem {
	void *(*alloc)(size_t size, int flags);
	void (*free)(void *addr, size_t size);
	struct vm_page *(*page)(const void *addr);
};

/**
 * uma_set_kmem() - say where slabs of several pages come from
 * @kmem: functions, which stay; NULL: from nowhere any more
 *
 * Until then whoever needs one gets nothing, M_WAITOK or not.
 *
 * Context: start-up and shut-down; nobody allocates meanwhile, and no such slab is
 * left.
 */
void uma_set_kmem(const struct uma_kmem *kmem);

/* --- misuse */

/* Zones made from now on are watched for misuse. Set before uma_startup(). */
extern bool uma_debug;

enum uma_misuse {
	UMA_USE_AFTER_FREE,	/* changed while it was free */
	UMA_DOUBLE_FREE,	/* freed while it was free */
	UMA_OVERRUN,		/* changed behind its end */
	UMA_WRONG_ZONE,		/* freed to a zone that it is not of */
	UMA_BAD_ADDRESS,	/* freed, and not an item at all */
	UMA_LEAK,		/* never freed */
};

/*
 * Told of each misuse: the zone (or type of memory), which, and the item (a leak: how
 * many). Prints and warns; tests put something else there while they misuse.
 * Context: that of the allocation or freeing.
 */
extern void (*uma_dbg_report)(const char *zone, enum uma_misuse what, const void *item);

#endif /* BSDVM_UMA_H */
