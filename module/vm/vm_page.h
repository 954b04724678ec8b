/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * vm_page: states of a physical page, the per-CPU page caches, the page queues.
 *
 * A page is free (in the buddy allocator or in a CPU's cache), or allocated. An
 * allocated page belongs to an object or to nobody, is wired or pageable, and a
 * pageable page is on one page queue at most. Queues are kept by CPU, each with
 * a lock of its own: a fault enqueues on the queue of the CPU it runs on and
 * takes no lock that another CPU wants.
 *
 * What links pages to objects (vm_page_insert and its kin) stands in vm_object.h.
 *
 * Locks: page-queue locks and cache locks are leaves but for the free-list lock.
 */
#ifndef BSDVM_VM_PAGE_H
#define BSDVM_VM_PAGE_H

#include "_vm_page.h"
#include "vmmeter.h"

/* vm_page.queue: PQ_NONE, or one of these and the CPU above it. */
#define PQ_INACTIVE	0
#define PQ_ACTIVE	1
#define PQ_LAUNDRY	2
#define PQ_UNSWAPPABLE	3	/* dirty, and there is no swap for it */
#define PQ_COUNT	4
#define PQ_NONE		255
#define PQ_MASK		255
#define PQ_CPU_SHIFT	8

/* In vm_page.wire_count: no object holds the page, the last wiring frees it. */
#define VM_PAGE_ORPHAN	0x40000000
/* The frame is not the pool's: as good as wired, and counted nowhere. */
#define VM_PAGE_FICTITIOUS 0x20000000

/* vm_page.act_count: the daemon's ageing. */
#define ACT_INIT	5
#define ACT_ADVANCE	3
#define ACT_DECLINE	1
#define ACT_MAX		64

/* vm_page.aflags: bit numbers, changed atomically. */
#define PGA_REFERENCED	0	/* seen used by somebody who kept no PTE */
#define PGA_DIRTY	1	/* differs from its backing store */
#define PGA_LAZYFREE	2	/* its owner does not want it any more, MADV_FREE */
#define PGA_UNSTABLE	3	/* written to its file, perhaps not to the disk yet */
#define PGA_GONE	4	/* on its way in, and not wanted any more */
#define PGA_FOREIGN	5	/* phys_addr is somebody else's frame, see its pager */
#define PGA_NOSYNC	6	/* stores to it are not for the syncer to write */
#define PGA_PREPARED	7	/* its pager knows that it is stored to */
#define PGA_SLAB	8	/* the zone allocator's: it is wired, and plinks is uma */

/* vm_page.busy */
#define VPB_UNBUSIED	0
#define VPB_EXCLUSIVE	1
#define VPB_WAITERS	2	/* beside VPB_EXCLUSIVE: somebody sleeps on it */

/* Most pages that are written at once. */
#define VM_PAGEOUT_CLUSTER	32

/* Most free pages that a CPU keeps at hand. */
#define VM_PAGE_CACHE_SIZE	64

/*
 * vm_page_alloc_noobj: a few pages in the buddy allocator are kept from ordinary
 * requests, and some of these from all but page-out, which needs memory to free memory.
 */
#define VM_ALLOC_NORMAL		0
#define VM_ALLOC_SYSTEM		1	/* may dig into that reserve */
#define VM_ALLOC_INTERRUPT	2	/* ... and use it up */

/**
 * struct vm_domain - how many pages there should be, by the size of the pool
 * @v_free_reserved: VM_ALLOC_NORMAL never gets these
 * @v_pageout_free_min: part of them, for page-out: VM_ALLOC_SYSTEM never gets these
 * @v_interrupt_free_min: part of those, for nobody who may wait
 * @v_free_severe: fewer free ones than these are a severe shortage
 * @v_free_min: fewer than these are a shortage
 * @v_free_target: what the pageout daemon aims at
 * @v_inactive_target: inactive pages that it aims at
 * @wakeup: fewer free ones than these wake it
 */
struct vm_domain {
	unsigned long v_free_reserved;
	unsigned long v_pageout_free_min;
	unsigned long v_interrupt_free_min;
	unsigned long v_free_severe;
	unsigned long v_free_min;
	unsigned long v_free_target;
	unsigned long v_inactive_target;
	unsigned long wakeup;
};

/* Constant between vm_page_startup() and vm_page_shutdown(). */
extern struct vm_domain vm_dom;

/*
 * Where the pageout daemon sleeps, and whether it is wanted: set by who finds few
 * pages free, cleared by the daemon.
 */
extern wait_queue_head_t vm_pageout_wait;
extern atomic_t vm_pageout_wanted;

/**
 * vm_pageout_wakeup() - memory is short: wake the pageout daemon
 *
 * Context: any.
 */
void vm_pageout_wakeup(void);

/**
 * vm_page_startup() - set up caches and queues, after vm_phys_init()
 *
 * Context: start-up only, may sleep.
 * Return: 0, -ENOMEM.
 */
int vm_page_startup(void);

/**
 * vm_page_shutdown() - give the caches back to the buddy allocator
 *
 * Context: shut-down only, before vm_phys_fini(). Harmless when vm_page_startup()
 * was not called or failed.
 */
void vm_page_shutdown(void);

/**
 * vm_page_drain_caches() - gather the caches' pages in the buddy allocator
 *
 * Context: any but interrupt.
 */
void vm_page_drain_caches(void);

/**
 * vm_page_alloc_noobj() - a page that belongs to no object yet
 * @req: VM_ALLOC_*
 *
 * The page is unbusied, unwired, on no queue, clean, not valid, never mapped
 * since it was freed; its content is whatever it was: zero or overwrite it
 * before anyone else can see it. Comes from this CPU's cache; refills it from
 * the buddy allocator, and when that is empty takes back other CPUs' caches.
 *
 * Context: any but interrupt.
 * Return: the page, or NULL when none is free (see vm_wait()).
 */
struct vm_page *vm_page_alloc_noobj(int req);

/**
 * vm_page_alloc_npages() - some pages at once, as far as it is easy
 * @ma: where they go
 * @n: how many are wanted, VM_PAGE_CACHE_SIZE / 2 at the most
 *
 * Each as vm_page_alloc_noobj(VM_ALLOC_NORMAL) gives it; only what this CPU has at
 * hand, and as many as it then takes from the buddy allocator. In order of address where
 * the buddy allocator gave them so.
 *
 * Context: any but interrupt.
 * Return: how many there are, perhaps none.
 */
unsigned int vm_page_alloc_npages(struct vm_page **ma, unsigned int n);

/**
 * vm_page_alloc_kmem() - a page for the kernel's own use
 * @req: VM_ALLOC_*
 *
 * As vm_page_alloc_noobj(), wired, and counted as the kernel's.
 *
 * Context: any but interrupt.
 * Return: the page, or NULL.
 */
struct vm_page *vm_page_alloc_kmem(int req);

/* How often there was none. */
extern atomic_t vm_page_kmem_failures;

/**
 * vm_page_free_kmem() - the opposite
 * @m: a page of vm_page_alloc_kmem()
 *
 * Context: any but interrupt.
 */
void vm_page_free_kmem(struct vm_page *m);

/**
 * vm_kmem_count() - pages that the kernel uses itself
 *
 * Context: any.
 */
unsigned long vm_kmem_count(void);

/**
 * vm_page_free() - free a page
 * @m: the page: in no object, not busied, not wired, not mapped
 *
 * Takes it from its page queue. Wakes vm_wait().
 *
 * Context: any but interrupt.
 */
void vm_page_free(struct vm_page *m);

/**
 * vm_page_free_npages() - free pages under few lock holds
 * @ma: the pages, each as for vm_page_free()
 * @n: how many, VM_PAGE_CACHE_SIZE at the most
 *
 * What is in order of address costs least.
 *
 * Context: as vm_page_free().
 */
void vm_page_free_npages(struct vm_page **ma, unsigned int n);

/*
 * Gives a frame back that pages were lent by vm_page_set_foreign(); set by who lends
 * them. Context: any but interrupt, spinlocks may be held.
 */
extern void (*vm_page_foreign_release)(vm_paddr_t pa);

/**
 * vm_page_set_foreign() - let a page show a frame that is not the pool's
 * @m: a page of the pool, mapped nowhere and busied
 * @pa: physical address of the frame
 *
 * Its own frame lies idle until @m is freed, or shows another one; then @pa is given
 * to vm_page_foreign_release().
 *
 * Context: any but interrupt.
 */
void vm_page_set_foreign(struct vm_page *m, vm_paddr_t pa);

/**
 * vm_wait() - wait until pages may be free
 * @timeout: jiffies to wait at the most
 *
 * The caller holds no lock that anyone who frees pages may want: no map, object,
 * page or address-space lock.
 *
 * Context: process, sleeps killably.
 * Return: 0 when it is worth trying again, -ETIMEDOUT when @timeout passed and
 * no page came free that VM_ALLOC_NORMAL may have, -EINTR on a fatal signal.
 */
int vm_wait(unsigned long timeout);

/* Tunables: how long a fault waits for memory before it gives up. */
extern unsigned int vm_pfault_oom_attempts;
extern unsigned int vm_pfault_oom_wait;		/* seconds an attempt */

/**
 * vm_waiting() - does anybody wait in vm_wait()?
 *
 * Context: any.
 * Return: true when somebody does.
 */
bool vm_waiting(void);

/**
 * vm_wait_attempt() - wait for memory as often as a fault does
 * @attempts: how often it was in vain; zero it before the first
 *
 * Context: as vm_wait().
 * Return: 0: try again; -ENOMEM: no more attempts; -EINTR on a fatal signal.
 */
int vm_wait_attempt(unsigned int *attempts);

/**
 * vm_free_count() - free pages, caches included
 *
 * Return: pages; exact only while nobody allocates or frees.
 */
unsigned long vm_free_count(void);

/**
 * vm_free_reserved() - pages that VM_ALLOC_NORMAL never gets
 *
 * Return: pages.
 */
unsigned long vm_free_reserved(void);

/**
 * vm_page_queue() - the queue a page is on
 * @m: the page
 *
 * Return: PQ_*, PQ_NONE included; a guess unless the page stands still.
 */
static inline unsigned int vm_page_queue(const struct vm_page *m)
{
	return READ_ONCE(m->queue) & PQ_MASK;
}

/**
 * vm_page_wired() - must the page stay where it is?
 * @m: the page
 *
 * Return: true when it is wired.
 */
static inline bool vm_page_wired(const struct vm_page *m)
{
	return atomic_read(&m->wire_count) & ~VM_PAGE_ORPHAN;
}

/**
 * vm_page_wired_beside() - is the page wired by others than its object?
 * @m: the page
 * @own: how often its object wired it
 *
 * Return: true when it is.
 */
static inline bool vm_page_wired_beside(const struct vm_page *m, int own)
{
	return (atomic_read(&m->wire_count) & ~(VM_PAGE_ORPHAN | VM_PAGE_FICTITIOUS)) > own;
}

/**
 * vm_page_fictitious() - is the frame somebody else's?
 * @m: the page
 *
 * Return: true for what vm_page_getfake() made.
 */
static inline bool vm_page_fictitious(const struct vm_page *m)
{
	return atomic_read(&m->wire_count) & VM_PAGE_FICTITIOUS;
}

/**
 * vm_page_copyable() - has the kernel an address for the page's content?
 * @m: the page
 *
 * Return: false for device memory, which is only mapped.
 */
static inline bool vm_page_copyable(const struct vm_page *m)
{
	return m->memattr == VM_MEMATTR_WRITE_BACK;
}

/**
 * vm_page_queue_length() - pages on a queue of one CPU
 * @queue: PQ_*
 * @cpu: the CPU
 *
 * Return: pages.
 */
unsigned long vm_page_queue_length(unsigned int queue, unsigned int cpu);

/**
 * vm_page_queue_count() - pages on a queue, over all CPUs
 * @queue: PQ_INACTIVE, PQ_ACTIVE or PQ_LAUNDRY
 *
 * Return: pages.
 */
unsigned long vm_page_queue_count(unsigned int queue);

/**
 * vm_wire_count() - wired pages
 *
 * Return: pages with a wire count above zero.
 */
unsigned long vm_wire_count(void);

/**
 * vm_page_enqueue() - put a new page on a queue
 * @m: a page that is on no queue, and that nobody else could wire or enqueue yet
 * @queue: PQ_*
 *
 * Context: as vm_page_activate().
 */
void vm_page_enqueue(struct vm_page *m, unsigned int queue);

/**
 * vm_page_enqueue_npages() - put new pages on a queue
 * @ma: pages, each as for vm_page_enqueue()
 * @n: how many
 * @queue: PQ_*
 *
 * Context: as vm_page_activate().
 */
void vm_page_enqueue_npages(struct vm_page **ma, unsigned int n, unsigned int queue);

/**
 * vm_page_activate() - put the page on the active queue
 * @m: the page; nothing happens when it is wired or there already
 *
 * Context: any but interrupt; takes page-queue locks. The page cannot be freed
 * meanwhile (its object is locked or it is busied).
 */
void vm_page_activate(struct vm_page *m);

/**
 * vm_page_deactivate() - put the page on the inactive queue
 * @m: the page; nothing happens when it is wired or there already
 *
 * Context: as vm_page_activate().
 */
void vm_page_deactivate(struct vm_page *m);

/**
 * vm_page_deactivate_noreuse() - put the page where it is taken first
 * @m: the page; nothing happens when it is wired
 *
 * At the head of the inactive queue: nobody is expected to use it again.
 *
 * Context: as vm_page_activate().
 */
void vm_page_deactivate_noreuse(struct vm_page *m);

/**
 * vm_page_launder() - put the page on the laundry queue
 * @m: the page; nothing happens when it is wired or there already
 *
 * Context: as vm_page_activate().
 */
void vm_page_launder(struct vm_page *m);

/**
 * vm_page_dequeue() - take the page from its queue, if it is on one
 * @m: the page
 *
 * Context: as vm_page_activate().
 */
void vm_page_dequeue(struct vm_page *m);

/**
 * vm_page_requeue() - put a page that vm_page_scan() took on a queue
 * @m: the page, still held
 * @queue: PQ_*
 *
 * Its activity stays as it is.
 *
 * Context: as vm_page_activate().
 */
void vm_page_requeue(struct vm_page *m, unsigned int queue);

/**
 * vm_page_unswappable() - put the page aside: it is dirty and there is no swap
 * @m: the page; nothing happens when it is wired or there already
 *
 * Context: as vm_page_activate().
 */
void vm_page_unswappable(struct vm_page *m);

/**
 * vm_page_scan() - take the first page of a queue that can be held
 * @queue: PQ_*
 * @cpu: whose queue
 * @max: in: how many to look at, under one lock hold; out: how many are left, 0 of an
 *	empty queue
 * @hold: called with the page-queue lock held; makes the page stay when it is off
 *	the queue (locks its object), without sleeping; false when it cannot
 * @arg: for @hold
 *
 * Pages that cannot be held go to the end of the queue.
 *
 * Context: process; takes page-queue locks.
 * Return: the page, on no queue, held; NULL when there was none.
 */
struct vm_page *vm_page_scan(unsigned int queue, unsigned int cpu, unsigned long *max,
			     bool (*hold)(struct vm_page *m, void *arg), void *arg);

/**
 * vm_page_wire() - hold the page where it is
 * @m: the page; it leaves its queue with the first wiring
 *
 * Context: as vm_page_activate().
 */
void vm_page_wire(struct vm_page *m);

/**
 * vm_page_unwire() - undo one vm_page_wire()
 * @m: the page
 * @queue: the queue it goes to with the last wiring, or PQ_NONE
 *
 * A page whose object let go of it while it was wired
 * is freed with the last wiring.
 *
 * Context: any but interrupt.
 */
void vm_page_unwire(struct vm_page *m, unsigned int queue);

/**
 * vm_page_release_orphan() - free a page that may be wired
 * @m: the page: in no object, not mapped
 *
 * Frees it now, or with its last wiring.
 *
 * Context: any but interrupt.
 */
void vm_page_release_orphan(struct vm_page *m);

/**
 * vm_page_release_orphans() - the same of several
 * @ma: the pages; not in order any more when it returns
 * @n: how many, VM_PAGE_CACHE_SIZE at the most
 *
 * Nobody can come to wire one of them.
 *
 * Context: any but interrupt.
 */
void vm_page_release_orphans(struct vm_page **ma, unsigned int n);

/**
 * vm_page_getfake() - a page for a frame that is not the pool's
 * @paddr: the frame
 * @memattr: how it is to be mapped
 *
 * Valid, in no object, and never on a queue, as a wired page. When the object it is
 * put into lets go of it (vm_page_destroy()) it is gone, with the last wiring; the
 * frame is left alone.
 *
 * Context: process, may sleep.
 * Return: the page, NULL when there is no kernel memory.
 */
struct vm_page *vm_page_getfake(vm_paddr_t paddr, vm_memattr_t memattr);

/**
 * vm_page_putfake() - give such a page back that is in no object
 * @m: the page: not mapped, not wired
 *
 * Context: any but interrupt.
 */
void vm_page_putfake(struct vm_page *m);

/**
 * vm_page_tryxbusy() - busy the page exclusively
 * @m: the page
 *
 * Context: any; the page cannot be freed meanwhile.
 * Return: true when the caller now holds it.
 */
static inline bool vm_page_tryxbusy(struct vm_page *m)
{
	return atomic_cmpxchg_acquire(&m->busy, VPB_UNBUSIED, VPB_EXCLUSIVE) ==
	       VPB_UNBUSIED;
}

/**
 * vm_page_busied() - is the page busied by anyone?
 * @m: the page
 *
 * Return: true when it is.
 */
static inline bool vm_page_busied(struct vm_page *m)
{
	return atomic_read_acquire(&m->busy) != VPB_UNBUSIED;
}

/**
 * vm_page_xunbusy() - let go of a page busied exclusively, waking who waits
 * @m: the page
 *
 * Context: any but interrupt.
 */
void vm_page_xunbusy(struct vm_page *m);

/**
 * vm_page_busy_sleep() - wait until the page is not busied
 * @m: the page; only its address is used, so it may be freed meanwhile
 *
 * Context: process, no VM lock held, sleeps killably.
 * Return: 0, -EINTR on a fatal signal.
 */
int vm_page_busy_sleep(struct vm_page *m);

/**
 * vm_page_lazyfree() - note that nobody would miss the page's content
 * @m: the page: anonymous, clean, with no writable mapping
 *
 * Until somebody writes to it.
 *
 * Context: the object's lock held exclusively.
 */
static inline void vm_page_lazyfree(struct vm_page *m)
{
	if (!test_and_set_bit(PGA_LAZYFREE, &m->aflags))
		VM_CNT_INC(v_lazyfree);
}

/**
 * vm_page_keep() - undo vm_page_lazyfree()
 * @m: the page
 *
 * Context: any; the page cannot be freed meanwhile.
 */
static inline void vm_page_keep(struct vm_page *m)
{
	if (unlikely(test_bit(PGA_LAZYFREE, &m->aflags)) &&
	    test_and_clear_bit(PGA_LAZYFREE, &m->aflags))
		VM_CNT_DEC(v_lazyfree);
}

/**
 * vm_page_dirty() - note that the page differs from its backing store
 * @m: the page
 *
 * Context: any; the page cannot be freed meanwhile.
 */
static inline void vm_page_dirty(struct vm_page *m)
{
	if (!test_bit(PGA_DIRTY, &m->aflags)) {
		set_bit(PGA_DIRTY, &m->aflags);
		vm_page_keep(m);
	}
}

/**
 * vm_page_undirty() - note that the page is as its backing store has it
 * @m: the page; no writable mapping exists
 *
 * Context: the object's lock held exclusively.
 */
static inline void vm_page_undirty(struct vm_page *m)
{
	clear_bit(PGA_DIRTY, &m->aflags);
}

/**
 * vm_page_is_dirty() - does the page differ from its backing store?
 * @m: the page
 *
 * Return: true when it does.
 */
static inline bool vm_page_is_dirty(const struct vm_page *m)
{
	return test_bit(PGA_DIRTY, &m->aflags);
}

#endif /* BSDVM_VM_PAGE_H */
