// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * vm_page: states of a physical page, the per-CPU page caches, the page queues.
 *
 *	buddy allocator ◄─32─► a CPU's cache ◄─1─► allocated
 *	                       (64 at most)          │ wired, or on at most one of
 *	                                             ▼ a CPU's queues:
 *	                            inactive ◄──► active ◄──► laundry
 *
 * Caches. Allocation and freeing work on the cache of the CPU they happen to
 * begin on, under that cache's lock, which no other CPU wants until memory runs
 * out: then an allocation takes pages out of other CPUs' caches. Pages move
 * between a cache and the buddy allocator with the cache's lock held, so that one
 * who holds it does not miss a page in between.
 *
 * Shortage. How many pages are to be free is computed from the size of the pool when
 * the module is loaded. An allocation that refills its CPU's cache looks, and wakes
 * the pageout daemon; one in thirty-two at most.
 *
 * Waiting. vm_wait() counts itself as a waiter, then visits every cache under its
 * lock. A page freed before the visit is found by it; one that frees later takes
 * the lock after the visit, and so sees the waiter when it looks, which it does
 * last. So no wake-up is lost and vm_page_free() needs no barrier.
 *
 * Queues. vm_page.queue names queue and CPU in one word. A page goes from no
 * queue to one by cmpxchg under the lock of the CPU that gets it, so that of two
 * who want to enqueue it one wins; any other change is made under the lock of the
 * CPU the word names. A wired page is on no queue: who wires raises the count and
 * then looks at the word, who enqueues sets the word and then looks at the count.
 *
 * Invariants: a free page is in no object, not busied, not wired, on no queue,
 * never mapped.
 *
 * Locks: cache locks and page-queue locks are not held together; a cache lock
 * comes before the free-list lock of vm_phys.c.
 *
 * (McKusick et al., chapter 6.11 on the page queues; the caches are FreeBSD's
 * per-CPU page caches, the idea is that of Bonwick's magazines.)
 */

#include "trace.h"
#include "vm_page.h"
#include "vm_phys.h"
#include "vmmeter.h"

#define VM_PAGE_CACHE_BATCH	(VM_PAGE_CACHE_SIZE / 2)

/* Pages of the largest request that anyone ever makes at once, in BSD. */
#define MAXBSIZE_PAGES		16
/* A small pool keeps this part of itself at the most. */
#define VM_PAGE_RESERVE_SHIFT	4

/**
 * struct vm_page_cache - free pages at hand on one CPU
 * @lock: this cache's lock
 * @count: (L) number of @pages; may be read without the lock
 * @pages: (L) a stack of free pages
 *
 * Locks: (L) lock.
 */
struct vm_page_cache {
	spinlock_t lock;	/* see above */
	unsigned int count;
	struct vm_page *pages[VM_PAGE_CACHE_SIZE];
};

/**
 * struct vm_pagequeues - one CPU's page queues
 * @lock: page-queue lock of this CPU
 * @lists: (Q) pages by PQ_*, linked by plinks, the most recent last
 * @counts: (Q) their lengths; may be read without the lock
 *
 * Locks: (Q) lock.
 */
struct vm_pagequeues {
	spinlock_t lock;	/* see above */
	struct list_head lists[PQ_COUNT];
	unsigned long counts[PQ_COUNT];
};

static DEFINE_PER_CPU_ALIGNED(struct vm_page_cache, vm_page_caches);
static DEFINE_PER_CPU_ALIGNED(struct vm_pagequeues, vm_pagequeues);
static DEFINE_PER_CPU(long, vm_page_wirings);

/* Set once at start-up; zero until then. */
struct vm_domain vm_dom __read_mostly;
EXPORT_SYMBOL_IF_KUNIT(vm_dom);

unsigned int vm_pfault_oom_attempts = 3;
EXPORT_SYMBOL_IF_KUNIT(vm_pfault_oom_attempts);
unsigned int vm_pfault_oom_wait = 2;

DECLARE_WAIT_QUEUE_HEAD(vm_pageout_wait);
atomic_t vm_pageout_wanted = ATOMIC_INIT(0);

/* Read by who has no lock, too: their memory stays that of pages. */
static struct kmem_cache *fakepg_zone;

/* Pages that are the kernel's own. */
static atomic_long_t vm_page_kmem = ATOMIC_LONG_INIT(0);
atomic_t vm_page_kmem_failures = ATOMIC_INIT(0);

static atomic_t vm_page_waiters = ATOMIC_INIT(0);
static DECLARE_WAIT_QUEUE_HEAD(vm_page_wait);

/* --- start and end */

/* FreeBSD's thresholds, see the table of semantics; a small pool has small ones. */
static void vm_domain_init(struct vm_domain *dom, unsigned long n)
{
	unsigned long most = n >> VM_PAGE_RESERVE_SHIFT;

	dom->v_interrupt_free_min = min(2UL, most);
	dom->v_pageout_free_min = min(2 * MAXBSIZE_PAGES + dom->v_interrupt_free_min, most);
	dom->v_free_reserved = min(VM_PAGEOUT_CLUSTER + dom->v_pageout_free_min + n / 768, most);
	dom->v_free_min = 4 + (n > 1024 ? (n - 1024) / 200 : 0);
	dom->v_free_severe = dom->v_free_min / 2 + dom->v_free_reserved;
	dom->v_free_target = 4 * dom->v_free_min + dom->v_free_reserved;
	dom->v_free_min += dom->v_free_reserved;
	dom->v_inactive_target = min(3 * dom->v_free_target / 2, n / 3);
	/* The caches hold free pages that are not looked at when one is refilled. */
	dom->wakeup = dom->v_free_target / 10 * 9;
}

int vm_page_startup(void)
{
	unsigned int cpu, queue;

	/* A page's word has room for this many. */
	if (nr_cpu_ids > 1U << (32 - PQ_CPU_SHIFT))
		return -EINVAL;
	for_each_possible_cpu(cpu) {
		struct vm_page_cache *cache = per_cpu_ptr(&vm_page_caches, cpu);
		struct vm_pagequeues *pqs = per_cpu_ptr(&vm_pagequeues, cpu);

		spin_lock_init(&cache->lock);
		spin_lock_init(&pqs->lock);
		for (queue = 0; queue < PQ_COUNT; queue++)
			INIT_LIST_HEAD(&pqs->lists[queue]);
	}
	vm_domain_init(&vm_dom, vm_phys_page_count());
	fakepg_zone = kmem_cache_create("bsdvm_fakepg", sizeof(struct vm_page), 0,
					SLAB_ACCOUNT | SLAB_TYPESAFE_BY_RCU, NULL);
	return fakepg_zone ? 0 : -ENOMEM;
}

/* Give the @n pages that were freed longest ago back to the buddy allocator. */
static void vm_page_cache_drain_locked(struct vm_page_cache *cache,
				       unsigned int n)
{
	lockdep_assert_held(&cache->lock);
	vm_phys_free_npages(cache->pages, n);
	WRITE_ONCE(cache->count, cache->count - n);
	memmove(cache->pages, cache->pages + n,
		cache->count * sizeof(cache->pages[0]));
}

void vm_page_drain_caches(void)
{
	struct vm_page_cache *cache;
	unsigned int cpu;

	for_each_possible_cpu(cpu) {
		cache = per_cpu_ptr(&vm_page_caches, cpu);
		spin_lock(&cache->lock);
		vm_page_cache_drain_locked(cache, cache->count);
		spin_unlock(&cache->lock);
	}
}
EXPORT_SYMBOL_IF_KUNIT(vm_page_drain_caches);

void vm_page_shutdown(void)
{
	unsigned int queue;

	kmem_cache_destroy(fakepg_zone);
	fakepg_zone = NULL;
	/* The locks of caches that were never set up are not to be taken. */
	if (!vm_phys_page_count() || vm_phys_free_count() == vm_phys_page_count())
		return;
	vm_page_drain_caches();
	for (queue = 0; queue < PQ_COUNT; queue++)
		VM_ASSERT(vm_page_queue_count(queue) == 0);
	VM_ASSERT(vm_wire_count() == 0);
}

/* --- allocation and freeing */

/* Pages that a request must leave in the buddy allocator. */
static unsigned long vm_page_keep_free(int req)
{
	switch (req) {
	case VM_ALLOC_INTERRUPT:
		return 0;
	case VM_ALLOC_SYSTEM:
		return vm_dom.v_pageout_free_min;
	default:
		return vm_dom.v_free_reserved;
	}
}

/* The last is taken first: pages that come in order of address shall go so. */
static void vm_page_reverse(struct vm_page **ma, unsigned int n)
{
	unsigned int i;

	for (i = 0; i < n / 2; i++)
		swap(ma[i], ma[n - 1 - i]);
}

/* Put more pages on a cache of which at most half is full, from the buddy allocator. */
static noinline void vm_page_cache_refill_locked(struct vm_page_cache *cache,
						 int req)
{
	unsigned long keep = vm_page_keep_free(req);
	unsigned int n = VM_PAGE_CACHE_BATCH;

	lockdep_assert_held(&cache->lock);
	/* What comes from the reserve is not left where anyone may have it. */
	if (req != VM_ALLOC_NORMAL && vm_phys_free_count() < vm_dom.v_free_reserved + n)
		n = 1;
	n = vm_phys_alloc_npages(cache->pages + cache->count, n, keep);
	vm_page_reverse(cache->pages + cache->count, n);
	WRITE_ONCE(cache->count, cache->count + n);
	if (vm_phys_free_count() < vm_dom.wakeup)
		vm_pageout_wakeup();
}

static struct vm_page *vm_page_cache_pop_locked(struct vm_page_cache *cache)
{
	lockdep_assert_held(&cache->lock);
	if (!cache->count)
		return NULL;
	WRITE_ONCE(cache->count, cache->count - 1);
	return cache->pages[cache->count];
}

/*
 * Take a page from any CPU's cache, beginning with the next CPU's, so that not
 * everyone robs the first.
 */
static noinline struct vm_page *vm_page_steal(void)
{
	struct vm_page_cache *cache;
	struct vm_page *m = NULL;
	unsigned int cpu;

	for_each_cpu_wrap(cpu, cpu_possible_mask, raw_smp_processor_id() + 1) {
		cache = per_cpu_ptr(&vm_page_caches, cpu);
		if (!READ_ONCE(cache->count))
			continue;
		spin_lock(&cache->lock);
		m = vm_page_cache_pop_locked(cache);
		spin_unlock(&cache->lock);
		if (m)
			break;
	}
	return m;
}

void vm_pageout_wakeup(void)
{
	/* Who finds it set already need not wake: the daemon has yet to look. */
	if (!atomic_read(&vm_pageout_wanted) && !atomic_xchg(&vm_pageout_wanted, 1))
		wake_up(&vm_pageout_wait);
}
EXPORT_SYMBOL_IF_KUNIT(vm_pageout_wakeup);

static void vm_page_alloc_prep(struct vm_page *m)
{
	m->aflags = 0;
	m->queue = PQ_NONE;
	m->act_count = 0;
	m->valid = 0;
	trace_bsdvm_page_alloc(m->phys_addr);
}

struct vm_page *vm_page_alloc_noobj(int req)
{
	/* Only a preference: being moved to another CPU now does no harm. */
	struct vm_page_cache *cache = raw_cpu_ptr(&vm_page_caches);
	struct vm_page *m;

	spin_lock(&cache->lock);
	if (unlikely(!cache->count))
		vm_page_cache_refill_locked(cache, req);
	m = vm_page_cache_pop_locked(cache);
	spin_unlock(&cache->lock);
	if (unlikely(!m)) {
		m = vm_page_steal();
		if (!m)
			return NULL;
	}
	vm_page_alloc_prep(m);
	return m;
}
EXPORT_SYMBOL_IF_KUNIT(vm_page_alloc_noobj);

unsigned int vm_page_alloc_npages(struct vm_page **ma, unsigned int n)
{
	struct vm_page_cache *cache = raw_cpu_ptr(&vm_page_caches);
	unsigned int i;

	VM_ASSERT(n <= VM_PAGE_CACHE_BATCH);
	spin_lock(&cache->lock);
	if (cache->count < n)
		vm_page_cache_refill_locked(cache, VM_ALLOC_NORMAL);
	n = min(n, cache->count);
	WRITE_ONCE(cache->count, cache->count - n);
	memcpy(ma, cache->pages + cache->count, n * sizeof(ma[0]));
	spin_unlock(&cache->lock);
	vm_page_reverse(ma, n);
	for (i = 0; i < n; i++)
		vm_page_alloc_prep(ma[i]);
	return n;
}
EXPORT_SYMBOL_IF_KUNIT(vm_page_alloc_npages);

struct vm_page *vm_page_alloc_kmem(int req)
{
	struct vm_page *m = vm_page_alloc_noobj(req);

	if (m) {
		vm_page_wire(m);
		atomic_long_inc(&vm_page_kmem);
	} else {
		atomic_inc(&vm_page_kmem_failures);
	}
	return m;
}
EXPORT_SYMBOL_IF_KUNIT(vm_page_alloc_kmem);

void vm_page_free_kmem(struct vm_page *m)
{
	atomic_long_dec(&vm_page_kmem);
	vm_page_unwire(m, PQ_NONE);
	vm_page_free(m);
}
EXPORT_SYMBOL_IF_KUNIT(vm_page_free_kmem);

unsigned long vm_kmem_count(void)
{
	return atomic_long_read(&vm_page_kmem);
}
EXPORT_SYMBOL_IF_KUNIT(vm_kmem_count);

static void vm_page_wakeup(void)
{
	if (unlikely(atomic_read(&vm_page_waiters)))
		wake_up(&vm_page_wait);
}

void (*vm_page_foreign_release)(vm_paddr_t pa);

/* Give the frame back that the page was lent. */
static noinline void vm_page_unset_foreign(struct vm_page *m)
{
	vm_page_foreign_release(m->phys_addr);
	m->phys_addr = vm_phys_frame(m);
	clear_bit(PGA_FOREIGN, &m->aflags);
}

void vm_page_set_foreign(struct vm_page *m, vm_paddr_t pa)
{
	if (test_bit(PGA_FOREIGN, &m->aflags))
		vm_page_unset_foreign(m);
	m->phys_addr = pa;
	set_bit(PGA_FOREIGN, &m->aflags);
	clear_bit(PGA_PREPARED, &m->aflags);
}
EXPORT_SYMBOL_IF_KUNIT(vm_page_set_foreign);

static void vm_page_dequeue_npages(struct vm_page **ma, unsigned int n);

/* Take what is left from a page that goes; its queue it has left already. */
static void vm_page_free_prep(struct vm_page *m)
{
	VM_ASSERT(!m->object);
	VM_ASSERT(!vm_page_busied(m));
	VM_ASSERT(!atomic_read(&m->wire_count));
	VM_ASSERT(!m->md.pv_first && RB_EMPTY_ROOT(&m->md.pv_more));
	VM_ASSERT(m->order == VM_NFREEORDER);
	VM_ASSERT(m->queue == PQ_NONE);
	vm_page_keep(m);
	if (unlikely(test_bit(PGA_FOREIGN, &m->aflags)))
		vm_page_unset_foreign(m);
	trace_bsdvm_page_free(m->phys_addr);
}

void vm_page_free(struct vm_page *m)
{
	struct vm_page_cache *cache;

	vm_page_dequeue(m);
	vm_page_free_prep(m);

	cache = raw_cpu_ptr(&vm_page_caches);
	spin_lock(&cache->lock);
	if (unlikely(cache->count == VM_PAGE_CACHE_SIZE))
		vm_page_cache_drain_locked(cache, VM_PAGE_CACHE_BATCH);
	cache->pages[cache->count] = m;
	WRITE_ONCE(cache->count, cache->count + 1);
	spin_unlock(&cache->lock);
	VM_CNT_INC(v_tfree);
	vm_page_wakeup();
}
EXPORT_SYMBOL_IF_KUNIT(vm_page_free);

void vm_page_free_npages(struct vm_page **ma, unsigned int n)
{
	struct vm_page_cache *cache;
	unsigned int i;

	VM_ASSERT(n <= VM_PAGE_CACHE_SIZE);
	vm_page_dequeue_npages(ma, n);
	for (i = 0; i < n; i++)
		vm_page_free_prep(ma[i]);

	cache = raw_cpu_ptr(&vm_page_caches);
	spin_lock(&cache->lock);
	if (cache->count + n <= VM_PAGE_CACHE_SIZE) {
		memcpy(cache->pages + cache->count, ma, n * sizeof(ma[0]));
		WRITE_ONCE(cache->count, cache->count + n);
	} else {
		vm_phys_free_npages(ma, n);
	}
	spin_unlock(&cache->lock);
	VM_CNT_ADD(v_tfree, n);
	vm_page_wakeup();
}
EXPORT_SYMBOL_IF_KUNIT(vm_page_free_npages);

/*
 * Pages that VM_ALLOC_NORMAL could have. Gathers the caches in the buddy
 * allocator first, which also lets blocks merge again.
 */
static bool vm_page_available(void)
{
	vm_page_drain_caches();
	return vm_phys_free_count() > vm_dom.v_free_reserved;
}

int vm_wait(unsigned long timeout)
{
	long left;

	/* The first cache lock taken by the visit orders this before it. */
	atomic_inc(&vm_page_waiters);
	vm_pageout_wakeup();
	left = wait_event_killable_timeout(vm_page_wait, vm_page_available(),
					   timeout);
	atomic_dec(&vm_page_waiters);
	if (left < 0)
		return -EINTR;
	return left ? 0 : -ETIMEDOUT;
}
EXPORT_SYMBOL_IF_KUNIT(vm_wait);

bool vm_waiting(void)
{
	return atomic_read(&vm_page_waiters);
}
EXPORT_SYMBOL_IF_KUNIT(vm_waiting);

int vm_wait_attempt(unsigned int *attempts)
{
	int ret;

	if (*attempts >= READ_ONCE(vm_pfault_oom_attempts))
		return -ENOMEM;
	ret = vm_wait((unsigned long)READ_ONCE(vm_pfault_oom_wait) * HZ);
	if (ret != -ETIMEDOUT)
		return ret;
	++*attempts;
	return 0;
}
EXPORT_SYMBOL_IF_KUNIT(vm_wait_attempt);

unsigned long vm_free_reserved(void)
{
	return vm_dom.v_free_reserved;
}
EXPORT_SYMBOL_IF_KUNIT(vm_free_reserved);

unsigned long vm_free_count(void)
{
	unsigned long count = vm_phys_free_count();
	unsigned int cpu;

	for_each_possible_cpu(cpu)
		count += READ_ONCE(per_cpu_ptr(&vm_page_caches, cpu)->count);
	return count;
}
EXPORT_SYMBOL_IF_KUNIT(vm_free_count);

/* --- page queues */

unsigned long vm_page_queue_length(unsigned int queue, unsigned int cpu)
{
	return READ_ONCE(per_cpu_ptr(&vm_pagequeues, cpu)->counts[queue]);
}

unsigned long vm_page_queue_count(unsigned int queue)
{
	unsigned long count = 0;
	unsigned int cpu;

	for_each_possible_cpu(cpu)
		count += vm_page_queue_length(queue, cpu);
	return count;
}
EXPORT_SYMBOL_IF_KUNIT(vm_page_queue_count);

/* PQ_* are printed by show_bsdvm_queue(). */
static_assert(PQ_INACTIVE == 0 && PQ_UNSWAPPABLE == 3 && PQ_COUNT == 4 && PQ_NONE == 255);

static u32 vm_page_queue_word(unsigned int queue, unsigned int cpu)
{
	return queue | cpu << PQ_CPU_SHIFT;
}

/*
 * Lock the queues of the CPU that the page is queued on. Returns NULL, nothing
 * locked, when it is on none.
 */
static struct vm_pagequeues *vm_page_lock_queue(struct vm_page *m)
{
	struct vm_pagequeues *pqs;
	u32 before, now;

	for (;;) {
		before = READ_ONCE(m->queue);
		if (before == PQ_NONE)
			return NULL;
		pqs = per_cpu_ptr(&vm_pagequeues, before >> PQ_CPU_SHIFT);
		spin_lock(&pqs->lock);
		now = READ_ONCE(m->queue);
		if (now != PQ_NONE &&
		    now >> PQ_CPU_SHIFT == before >> PQ_CPU_SHIFT)
			return pqs;
		spin_unlock(&pqs->lock);
	}
}

static void vm_page_link_locked(struct vm_pagequeues *pqs, struct vm_page *m,
				unsigned int queue)
{
	lockdep_assert_held(&pqs->lock);
	list_add_tail(&m->plinks, &pqs->lists[queue]);
	WRITE_ONCE(pqs->counts[queue], pqs->counts[queue] + 1);
}

static void vm_page_unlink_locked(struct vm_pagequeues *pqs, struct vm_page *m)
{
	unsigned int queue = vm_page_queue(m);

	lockdep_assert_held(&pqs->lock);
	list_del(&m->plinks);
	WRITE_ONCE(pqs->counts[queue], pqs->counts[queue] - 1);
}

static void vm_page_dequeue_locked(struct vm_pagequeues *pqs, struct vm_page *m)
{
	lockdep_assert_held(&pqs->lock);
	if (trace_bsdvm_page_queue_enabled())
		trace_bsdvm_page_queue(m->phys_addr, vm_page_queue(m), PQ_NONE);
	vm_page_unlink_locked(pqs, m);
	/* From here on another CPU may enqueue it under its own lock. */
	smp_store_release(&m->queue, PQ_NONE);
}

void vm_page_dequeue(struct vm_page *m)
{
	struct vm_pagequeues *pqs;

	pqs = vm_page_lock_queue(m);
	if (!pqs)
		return;
	vm_page_dequeue_locked(pqs, m);
	spin_unlock(&pqs->lock);
}
EXPORT_SYMBOL_IF_KUNIT(vm_page_dequeue);

/* The same of pages most of which are on queues of one CPU. */
static void vm_page_dequeue_npages(struct vm_page **ma, unsigned int n)
{
	struct vm_pagequeues *pqs = NULL;
	unsigned int i;
	u32 queue;

	for (i = 0; i < n; i++) {
		queue = READ_ONCE(ma[i]->queue);
		if (queue == PQ_NONE)
			continue;
		/* A word that names the CPU whose lock is held stands still. */
		if (!pqs || pqs != per_cpu_ptr(&vm_pagequeues, queue >> PQ_CPU_SHIFT)) {
			if (pqs)
				spin_unlock(&pqs->lock);
			pqs = vm_page_lock_queue(ma[i]);
		}
		if (pqs)
			vm_page_dequeue_locked(pqs, ma[i]);
	}
	if (pqs)
		spin_unlock(&pqs->lock);
}

/*
 * Lock this CPU's queues and put a page of no queue there. Returns NULL, nothing
 * locked, when somebody else was faster.
 */
static struct vm_pagequeues *vm_page_try_enqueue(struct vm_page *m,
						 unsigned int queue)
{
	unsigned int cpu = raw_smp_processor_id();
	struct vm_pagequeues *pqs = per_cpu_ptr(&vm_pagequeues, cpu);

	spin_lock(&pqs->lock);
	if (cmpxchg(&m->queue, PQ_NONE, vm_page_queue_word(queue, cpu)) !=
	    PQ_NONE) {
		spin_unlock(&pqs->lock);
		return NULL;
	}
	vm_page_link_locked(pqs, m, queue);
	trace_bsdvm_page_queue(m->phys_addr, PQ_NONE, queue);
	return pqs;
}

/* Move a queued page to another queue of the same CPU. */
static void vm_page_requeue_locked(struct vm_pagequeues *pqs, struct vm_page *m,
				   unsigned int queue)
{
	unsigned int cpu = m->queue >> PQ_CPU_SHIFT;

	lockdep_assert_held(&pqs->lock);
	if (vm_page_queue(m) == queue)
		return;
	if (trace_bsdvm_page_queue_enabled())
		trace_bsdvm_page_queue(m->phys_addr, vm_page_queue(m), queue);
	vm_page_unlink_locked(pqs, m);
	WRITE_ONCE(m->queue, vm_page_queue_word(queue, cpu));
	vm_page_link_locked(pqs, m, queue);
}

/* Put the page on @queue, unless it is wired. */
static void vm_page_set_queue(struct vm_page *m, unsigned int queue)
{
	struct vm_pagequeues *pqs;

	do {
		if (vm_page_queue(m) == queue || vm_page_wired(m))
			return;
		pqs = vm_page_lock_queue(m);
		if (pqs)
			vm_page_requeue_locked(pqs, m, queue);
		else
			pqs = vm_page_try_enqueue(m, queue);
	} while (!pqs);

	/* The cmpxchg of vm_page_try_enqueue() is a barrier, like vm_page_wire()'s. */
	if (vm_page_wired(m))
		vm_page_dequeue_locked(pqs, m);
	else if (queue == PQ_ACTIVE && m->act_count < ACT_INIT)
		m->act_count = ACT_INIT;
	spin_unlock(&pqs->lock);
}

void vm_page_enqueue(struct vm_page *m, unsigned int queue)
{
	m->act_count = ACT_INIT;
	vm_page_requeue(m, queue);
}
EXPORT_SYMBOL_IF_KUNIT(vm_page_enqueue);

void vm_page_requeue(struct vm_page *m, unsigned int queue)
{
	unsigned int cpu = raw_smp_processor_id();
	struct vm_pagequeues *pqs = per_cpu_ptr(&vm_pagequeues, cpu);

	trace_bsdvm_page_queue(m->phys_addr, PQ_NONE, queue);
	spin_lock(&pqs->lock);
	WRITE_ONCE(m->queue, vm_page_queue_word(queue, cpu));
	vm_page_link_locked(pqs, m, queue);
	spin_unlock(&pqs->lock);
}
EXPORT_SYMBOL_IF_KUNIT(vm_page_requeue);

void vm_page_enqueue_npages(struct vm_page **ma, unsigned int n, unsigned int queue)
{
	unsigned int cpu = raw_smp_processor_id(), i;
	struct vm_pagequeues *pqs = per_cpu_ptr(&vm_pagequeues, cpu);

	spin_lock(&pqs->lock);
	for (i = 0; i < n; i++) {
		ma[i]->act_count = ACT_INIT;
		WRITE_ONCE(ma[i]->queue, vm_page_queue_word(queue, cpu));
		vm_page_link_locked(pqs, ma[i], queue);
		trace_bsdvm_page_queue(ma[i]->phys_addr, PQ_NONE, queue);
	}
	spin_unlock(&pqs->lock);
}
EXPORT_SYMBOL_IF_KUNIT(vm_page_enqueue_npages);

void vm_page_activate(struct vm_page *m)
{
	vm_page_set_queue(m, PQ_ACTIVE);
}
EXPORT_SYMBOL_IF_KUNIT(vm_page_activate);

void vm_page_deactivate(struct vm_page *m)
{
	vm_page_set_queue(m, PQ_INACTIVE);
}
EXPORT_SYMBOL_IF_KUNIT(vm_page_deactivate);

void vm_page_deactivate_noreuse(struct vm_page *m)
{
	struct vm_pagequeues *pqs;

	vm_page_deactivate(m);
	pqs = vm_page_lock_queue(m);
	if (!pqs)
		return;
	if (vm_page_queue(m) == PQ_INACTIVE)
		list_move(&m->plinks, &pqs->lists[PQ_INACTIVE]);
	spin_unlock(&pqs->lock);
}
EXPORT_SYMBOL_IF_KUNIT(vm_page_deactivate_noreuse);

void vm_page_launder(struct vm_page *m)
{
	vm_page_set_queue(m, PQ_LAUNDRY);
}
EXPORT_SYMBOL_IF_KUNIT(vm_page_launder);

void vm_page_unswappable(struct vm_page *m)
{
	vm_page_set_queue(m, PQ_UNSWAPPABLE);
}
EXPORT_SYMBOL_IF_KUNIT(vm_page_unswappable);

struct vm_page *vm_page_scan(unsigned int queue, unsigned int cpu, unsigned long *max,
			     bool (*hold)(struct vm_page *m, void *arg), void *arg)
{
	struct vm_pagequeues *pqs = per_cpu_ptr(&vm_pagequeues, cpu);
	struct list_head *list = &pqs->lists[queue];
	struct vm_page *m = NULL;

	spin_lock(&pqs->lock);
	if (list_empty(list))
		*max = 0;
	while (*max && !list_empty(list)) {
		--*max;
		m = list_first_entry(list, struct vm_page, plinks);
		if (hold(m, arg)) {
			vm_page_dequeue_locked(pqs, m);
			break;
		}
		list_move_tail(&m->plinks, list);
		m = NULL;
	}
	spin_unlock(&pqs->lock);
	return m;
}
EXPORT_SYMBOL_IF_KUNIT(vm_page_scan);

/* --- wiring */

unsigned long vm_wire_count(void)
{
	unsigned int cpu;
	long count = 0;

	/* One CPU's may be negative: it unwires what another wired. */
	for_each_possible_cpu(cpu)
		count += READ_ONCE(*per_cpu_ptr(&vm_page_wirings, cpu));
	return max(count, 0L);
}
EXPORT_SYMBOL_IF_KUNIT(vm_wire_count);

void vm_page_wire(struct vm_page *m)
{
	int count = atomic_inc_return(&m->wire_count);

	VM_ASSERT(count > 0);
	if (count == 1)
		this_cpu_inc(vm_page_wirings);
	/* Even if not the first: that one may not have come this far. */
	vm_page_dequeue(m);
}
EXPORT_SYMBOL_IF_KUNIT(vm_page_wire);

/*
 * Drop the last wiring of a page that an object holds, leaving it on @queue.
 *
 * With the wiring gone its object may free the page. So it goes on the queue
 * first; who frees it then has to wait for the queue's lock. Returns false when
 * the wiring is no longer the last, or the page has become an orphan.
 */
static bool vm_page_unwire_to_queue(struct vm_page *m, unsigned int queue)
{
	struct vm_pagequeues *pqs;
	bool done;

	pqs = vm_page_try_enqueue(m, queue);
	if (!pqs)
		return false;
	done = atomic_cmpxchg(&m->wire_count, 1, 0) == 1;
	if (!done)
		vm_page_dequeue_locked(pqs, m);
	spin_unlock(&pqs->lock);
	return done;
}

/* The page is an orphan and nobody wires it. */
static void vm_page_free_orphan(struct vm_page *m)
{
	if (vm_page_fictitious(m)) {
		vm_page_putfake(m);
		return;
	}
	atomic_set(&m->wire_count, 0);
	vm_page_free(m);
}

void vm_page_unwire(struct vm_page *m, unsigned int queue)
{
	int count = atomic_read(&m->wire_count);

	for (;;) {
		VM_ASSERT(count & ~VM_PAGE_ORPHAN);
		if (count == 1 && queue != PQ_NONE) {
			if (vm_page_unwire_to_queue(m, queue))
				break;
			cpu_relax();
			count = atomic_read(&m->wire_count);
		} else if (atomic_try_cmpxchg(&m->wire_count, &count, count - 1)) {
			break;
		}
	}
	if ((count & ~VM_PAGE_ORPHAN) == 1)
		this_cpu_dec(vm_page_wirings);
	if ((count & ~VM_PAGE_FICTITIOUS) == (VM_PAGE_ORPHAN | 1))
		vm_page_free_orphan(m);
}
EXPORT_SYMBOL_IF_KUNIT(vm_page_unwire);

void vm_page_release_orphan(struct vm_page *m)
{
	VM_ASSERT(!m->object);
	if (!(atomic_fetch_or(VM_PAGE_ORPHAN, &m->wire_count) & ~VM_PAGE_FICTITIOUS))
		vm_page_free_orphan(m);
}
EXPORT_SYMBOL_IF_KUNIT(vm_page_release_orphan);

void vm_page_release_orphans(struct vm_page **ma, unsigned int n)
{
	unsigned int i, unwired = 0;

	for (i = 0; i < n; i++) {
		VM_ASSERT(!ma[i]->object);
		if (atomic_read(&ma[i]->wire_count))
			vm_page_release_orphan(ma[i]);
		else
			ma[unwired++] = ma[i];
	}
	vm_page_free_npages(ma, unwired);
}

/* --- frames of others */

struct vm_page *vm_page_getfake(vm_paddr_t paddr, vm_memattr_t memattr)
{
	struct vm_page *m = kmem_cache_zalloc(fakepg_zone, GFP_KERNEL);

	if (!m)
		return NULL;
	m->phys_addr = paddr;
	m->memattr = memattr;
	m->valid = 1;
	m->order = VM_NFREEORDER;
	m->queue = PQ_NONE;
	atomic_set(&m->wire_count, VM_PAGE_FICTITIOUS);
	return m;
}
EXPORT_SYMBOL_IF_KUNIT(vm_page_getfake);

void vm_page_putfake(struct vm_page *m)
{
	VM_ASSERT(vm_page_fictitious(m) && !m->object);
	VM_ASSERT(!m->md.pv_first && RB_EMPTY_ROOT(&m->md.pv_more));
	kmem_cache_free(fakepg_zone, m);
}
EXPORT_SYMBOL_IF_KUNIT(vm_page_putfake);

/* --- busy */

void vm_page_xunbusy(struct vm_page *m)
{
	int busy = atomic_xchg_release(&m->busy, VPB_UNBUSIED);

	VM_ASSERT(busy & VPB_EXCLUSIVE);
	if (unlikely(busy & VPB_WAITERS)) {
		smp_mb(); /* before the waitqueue_active() of wake_up_var() */
		wake_up_var(&m->busy);
	}
}
EXPORT_SYMBOL_IF_KUNIT(vm_page_xunbusy);

/* Ask for a wake-up. Returns false when the page is not busied. */
static bool vm_page_busy_ask(struct vm_page *m)
{
	int busy = atomic_read(&m->busy);

	while (busy != VPB_UNBUSIED && !(busy & VPB_WAITERS)) {
		if (atomic_try_cmpxchg(&m->busy, &busy, busy | VPB_WAITERS))
			return true;
	}
	return busy != VPB_UNBUSIED;
}

int vm_page_busy_sleep(struct vm_page *m)
{
	if (wait_var_event_killable(&m->busy, !vm_page_busy_ask(m)))
		return -EINTR;
	return 0;
}
EXPORT_SYMBOL_IF_KUNIT(vm_page_busy_sleep);
