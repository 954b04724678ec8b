// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * vm_pageout: which pages go when memory is short.
 *
 *	active --ages--> inactive --dirty--> laundry --no swap--> unswappable
 *	   ^               |   ^               |  |
 *	   |<-----used-----+   +----written----+  |
 *	   |               |                      |
 *	   |             clean --> free           |
 *	   +<----------------used-----------------+
 *
 * The daemon is woken when free pages fall below vm_dom.wakeup and works towards
 * vm_dom.v_free_target. A pass looks at inactive pages first: one that was used since
 * goes back to the active queue, one that is clean is freed, one that is dirty goes to
 * the laundry. Then it ages active pages until there are enough inactive ones. What the
 * pass could not free, the laundry thread is asked to write; it also writes a little
 * when nobody asks and clean pages get rare.
 *
 * Nobody who waits for memory can stop the two threads. A page is found by its queue,
 * its object's lock is only tried; who holds that lock never waits for memory. Reference
 * bits are read where the address space's lock can be had at once. The laundry thread
 * does wait: for a swap device, and for an object's lock afterwards. Writing to a file
 * may have to wait for the file's lock, which a write(2) from a window holds while it
 * faults: workers do that, a few at a time.
 *
 * When a number of passes have freed nothing, nothing was written, free pages are below
 * v_free_min, and somebody waits for one, memory is out: the largest vmspace is killed.
 *
 * (McKusick et al., chapter 6.12.)
 */
#include "vm_pageout.h"

#include "pmap.h"
#include "swap_pager.h"
#include "trace.h"
#include "uma.h"
#include "vm_object.h"
#include "vm_page.h"
#include "vm_pager.h"
#include "vm_phys.h"
#include "vm_user.h"
#include "vmmeter.h"

unsigned int vm_pageout_oom_seq = 12;
unsigned int vm_pageout_update_period = 600;
unsigned int vm_lowmem_period = 10;
unsigned int vm_disable_swapspace_pageouts;
unsigned int vm_background_launder_rate = 4096;
unsigned int vm_act_scan_laundry_weight = 3;
unsigned int vm_oom_kill = 1;

/* Most pages an object stays locked for. */
#define VM_PAGEOUT_BATCH	VM_PAGEOUT_CLUSTER
/* Passes in a row that may do nothing but age pages. */
#define VM_PAGEOUT_AGEING	ACT_MAX
/* Pages in a row whose object is locked, before a walk over a queue gives up. */
#define VM_PAGEOUT_MISSES	VM_PAGEOUT_CLUSTER
/* Between two passes while memory is short and nothing comes of it. */
#define VM_PAGEOUT_PAUSE	(HZ / 10)
/* Seconds that writing may take before it no longer counts as progress. */
#define VM_LAUNDRY_PATIENCE	10
/* Clusters of files that workers may be writing. */
#define VM_LAUNDRY_WORKERS	8

static const struct vm_pageout_hooks *pageout_hooks;
static struct task_struct *pageout_task, *laundry_task;
static struct workqueue_struct *laundry_wq;

/* Pages that the laundry thread is asked to write. */
static atomic_long_t laundry_wanted = ATOMIC_LONG_INIT(0);
static DECLARE_WAIT_QUEUE_HEAD(laundry_wait);
/* Requests served so far, pages written, and clusters being written since when. */
static atomic_long_t laundry_served = ATOMIC_LONG_INIT(0);
static atomic_long_t laundry_written = ATOMIC_LONG_INIT(0);
static atomic_t laundry_writing = ATOMIC_INIT(0);
static unsigned long laundry_since;
/* Pages that either thread has freed. */
static atomic64_t pageout_freed = ATOMIC64_INIT(0);
/* The last out-of-memory hook found nobody to kill. */
static bool pageout_hopeless;

/**
 * struct laundry_work - a cluster of a file, for a worker
 * @work: what the worker is given
 * @busy: in use
 * @object: referenced
 * @count: pages of @ma
 * @ma: the pages
 */
struct laundry_work {
	struct work_struct work;
	atomic_t busy;
	struct vm_object *object;
	unsigned int count;
	struct vm_page *ma[VM_PAGEOUT_CLUSTER];
};

static struct laundry_work laundry_works[VM_LAUNDRY_WORKERS];

void vm_pageout_register(const struct vm_pageout_hooks *hooks)
{
	WRITE_ONCE(pageout_hooks, hooks);
}

bool vm_pageout_oom_hopeful(void)
{
	return READ_ONCE(vm_oom_kill) && !READ_ONCE(pageout_hopeless);
}

/* --- scanning */

/**
 * struct scan - a walk over a queue
 * @object: locked exclusively, with the page looked at; or NULL
 * @held: pages looked at since it was locked
 * @misses: pages in a row whose object somebody else had locked
 * @hold: the address space that the last page was looked for in, while @object is locked
 */
struct scan {
	struct vm_object *object;
	struct pmap_hold hold;
	unsigned int held;
	unsigned int misses;
};

static void scan_unlock(struct scan *scan)
{
	pmap_hold_drop(&scan->hold);
	if (scan->object)
		VM_OBJECT_WUNLOCK(scan->object);
	scan->object = NULL;
	scan->held = 0;
}

/* Neighbours on a queue often are neighbours in an object: keep its lock. */
static bool scan_hold(struct vm_page *m, void *arg)
{
	struct scan *scan = arg;

	if (scan->object && READ_ONCE(m->object) == scan->object &&
	    scan->held++ < VM_PAGEOUT_BATCH)
		return true;
	scan_unlock(scan);
	scan->object = vm_object_trylock_page(m);
	if (scan->object) {
		scan->misses = 0;
		return true;
	}
	scan->misses++;
	VM_CNT_INC(v_lock_miss);
	return false;
}

/* The next page of a queue, off the queue, its object locked; NULL at the end. */
static struct vm_page *scan_next(struct scan *scan, unsigned int queue, unsigned int cpu,
				 unsigned long *max)
{
	struct vm_page *m = NULL;
	unsigned long few;

	/* Who works on one large object has all of the queue locked. */
	while (!m && *max && scan->misses < VM_PAGEOUT_MISSES) {
		few = min_t(unsigned long, *max, VM_PAGEOUT_MISSES);
		*max -= few;
		m = vm_page_scan(queue, cpu, &few, scan_hold, scan);
		*max += few;
	}
	if (m) {
		VM_CNT_INC(v_pdpages);
	} else {
		scan_unlock(scan);
		/* The next queue may be another's. */
		scan->misses = 0;
	}
	return m;
}

/* What is about to become of a page that was on @queue; its object is locked. */
static __always_inline void page_trace(const struct vm_page *m, unsigned int queue,
				       unsigned int verdict)
{
	if (trace_bsdvm_pageout_page_enabled())
		trace_bsdvm_pageout_page(m->object->id, m->pindex, queue, verdict);
}

static unsigned int page_referenced(struct pmap_hold *hold, struct vm_page *m)
{
	return pmap_ts_referenced_held(hold, m) + test_and_clear_bit(PGA_REFERENCED, &m->aflags);
}

/* Free a page that is clean once nobody can write to it. */
static bool page_try_free(struct pmap_hold *hold, struct vm_page *m, unsigned int queue,
			  unsigned int verdict)
{
	if (vm_page_is_dirty(m))
		return false;
	page_trace(m, queue, verdict);
	pmap_remove_all_held(hold, m);
	/* Nobody can have made it dirty meanwhile: that needs the object's lock. */
	vm_page_destroy(m);
	VM_CNT_INC(v_dfree);
	atomic64_inc(&pageout_freed);
	return true;
}

static bool page_unwanted(const struct vm_page *m)
{
	return test_bit(PGA_LAZYFREE, &m->aflags) && !vm_page_is_dirty(m);
}

/* Has its user more than he may have? Then whether it is used does not matter. */
static bool page_pressed(const struct vm_page *m)
{
	return vm_user_over(m->object->user);
}

/* Is it off the queues for good, or somebody else's for now? */
static bool page_passed_by(struct vm_page *m, unsigned int queue)
{
	bool busied = vm_page_busied(m);

	if (!busied && !vm_page_wired(m))
		return false;
	page_trace(m, queue, BSDVM_PAGEOUT_PASSED);
	if (busied)
		vm_page_enqueue(m, queue);
	return true;
}

/* --- the laundry */

static void laundry_begin(void)
{
	if (atomic_inc_return(&laundry_writing) == 1)
		WRITE_ONCE(laundry_since, jiffies);
}

/*
 * What has been written while memory is short is free at once, unless it has been used
 * since. Who has a reference may wait for the object's lock: nobody who holds it waits for
 * memory. The pages may be others by now, but those that are in the object are its.
 */
static void laundry_free(struct vm_object *object, struct vm_page **ma, unsigned int count)
{
	struct pmap_hold hold = { NULL };
	struct vm_page *m;
	unsigned int i;

	if (vm_free_count() >= vm_dom.v_free_target)
		return;
	VM_OBJECT_WLOCK(object);
	for (i = 0; i < count; i++) {
		m = ma[i];
		if (READ_ONCE(m->object) == object && !vm_page_busied(m) && !vm_page_wired(m) &&
		    !page_referenced(&hold, m))
			page_try_free(&hold, m, vm_page_queue(m), BSDVM_PAGEOUT_FREED);
	}
	pmap_hold_drop(&hold);
	VM_OBJECT_WUNLOCK(object);
}

/* Write a cluster, made clean and wired; drops the caller's reference. */
static unsigned int laundry_flush(struct vm_object *object, struct vm_page **ma,
				  unsigned int count)
{
	/* What a file did not take is tried again later; there may be other swap at once. */
	unsigned int err_queue = object->type == OBJT_VNODE ? PQ_ACTIVE : PQ_LAUNDRY;
	unsigned int done;

	vm_pager_put_pages(object, ma, count, PQ_INACTIVE, err_queue, &done);
	laundry_free(object, ma, done);
	vm_object_deallocate_later(object);
	atomic_long_add(done, &laundry_written);
	atomic_dec(&laundry_writing);
	/* Also when the daemon is in a pause, and not on account of that. */
	wake_up(&vm_pageout_wait);
	return done;
}

static void laundry_worker(struct work_struct *work)
{
	struct laundry_work *lw = container_of(work, struct laundry_work, work);

	laundry_flush(lw->object, lw->ma, lw->count);
	atomic_set_release(&lw->busy, 0);
}

static struct laundry_work *laundry_work_get(void)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(laundry_works); i++)
		if (!atomic_read(&laundry_works[i].busy) &&
		    !atomic_xchg_acquire(&laundry_works[i].busy, 1))
			return &laundry_works[i];
	return NULL;
}

/* May the page be written together with one that has to be? */
static struct vm_page *cluster_page(struct vm_object *object, vm_pindex_t pindex)
{
	struct vm_page *m = vm_page_lookup(object, pindex);

	if (!m || vm_page_busied(m) || vm_page_wired(m) || !vm_page_is_dirty(m))
		return NULL;
	switch (vm_page_queue(m)) {
	case PQ_LAUNDRY:
	case PQ_INACTIVE:
		return m;
	default:
		return NULL;
	}
}

/*
 * Gather the run of pages around @m, which is dirty and off the queues. The object is
 * locked; all are clean and wired then.
 */
static unsigned int cluster_gather(struct vm_object *object, struct vm_page *m,
				   struct vm_page **ma)
{
	vm_pindex_t first = m->pindex, pindex = m->pindex;
	unsigned int n;

	while (pindex - first < VM_PAGEOUT_CLUSTER - 1 && first &&
	       first % VM_PAGEOUT_CLUSTER && cluster_page(object, first - 1))
		first--;
	for (n = 0; n < VM_PAGEOUT_CLUSTER; n++) {
		ma[n] = first + n == pindex ? m : cluster_page(object, first + n);
		if (!ma[n])
			break;
	}
	/* They are about to go: one shootdown is enough. */
	pmap_remove_all_pages(ma, n);
	vm_pager_clean_pages(ma, n);
	return n;
}

/*
 * Write the cluster of @m. Unlocks the object of @scan. Returns the pages that were
 * written, or are going to be.
 */
static unsigned int laundry_write(struct scan *scan, struct vm_page *m)
{
	struct vm_object *object = scan->object;
	struct laundry_work *lw = NULL;
	struct vm_page *ma[VM_PAGEOUT_CLUSTER];
	unsigned int n;

	if (object->type == OBJT_VNODE) {
		lw = laundry_work_get();
		if (!lw) {
			page_trace(m, PQ_LAUNDRY, BSDVM_PAGEOUT_LATER);
			vm_page_launder(m);
			scan_unlock(scan);
			return 0;
		}
	}
	page_trace(m, PQ_LAUNDRY, BSDVM_PAGEOUT_WRITTEN);
	n = cluster_gather(object, m, ma);
	vm_object_reference(object);
	scan_unlock(scan);
	laundry_begin();
	if (!lw)
		return laundry_flush(object, ma, n);
	lw->object = object;
	lw->count = n;
	memcpy(lw->ma, ma, n * sizeof(ma[0]));
	queue_work(laundry_wq, &lw->work);
	return n;
}

/* One page of the laundry. Returns how many pages need no more washing. */
static unsigned int laundry_page(struct scan *scan, struct vm_page *m)
{
	bool anonymous = scan->object->type != OBJT_VNODE;

	if (page_passed_by(m, PQ_LAUNDRY))
		return 0;
	if (page_unwanted(m))
		return page_try_free(&scan->hold, m, PQ_LAUNDRY, BSDVM_PAGEOUT_UNWANTED);
	if (!page_pressed(m) && page_referenced(&scan->hold, m)) {
		page_trace(m, PQ_LAUNDRY, BSDVM_PAGEOUT_USED);
		vm_page_activate(m);
		VM_CNT_INC(v_reactivated);
		return 0;
	}
	if (page_try_free(&scan->hold, m, PQ_LAUNDRY, BSDVM_PAGEOUT_FREED))
		return 1;
	if (anonymous && READ_ONCE(vm_disable_swapspace_pageouts)) {
		page_trace(m, PQ_LAUNDRY, BSDVM_PAGEOUT_NO_SWAP);
		vm_page_activate(m);
		return 0;
	}
	if (anonymous && swap_pager_full()) {
		page_trace(m, PQ_LAUNDRY, BSDVM_PAGEOUT_NO_SWAP);
		vm_page_unswappable(m);
		return 0;
	}
	return laundry_write(scan, m);
}

/* Is what was asked for no longer needed? */
static bool laundry_enough(unsigned int reason)
{
	return reason == BSDVM_LAUNDER_ASKED && vm_free_count() >= vm_dom.v_free_target &&
	       !vm_user_waiting();
}

/* Write up to @wanted pages, as far as one look at each page of the laundry goes. */
static unsigned long vm_pageout_launder(unsigned long wanted, unsigned int reason)
{
	struct scan scan = { NULL };
	unsigned long max, done = 0;
	struct vm_page *m;
	unsigned int cpu;

	for_each_possible_cpu(cpu) {
		max = vm_page_queue_length(PQ_LAUNDRY, cpu);
		while (done < wanted && !laundry_enough(reason) &&
		       (m = scan_next(&scan, PQ_LAUNDRY, cpu, &max)))
			done += laundry_page(&scan, m);
		scan_unlock(&scan);
		cond_resched();
	}
	return done;
}

/*
 * There is swap again for what found none. What could not be looked at, since somebody
 * had its object locked, is looked at next time: only this thread puts pages there.
 */
static void laundry_take_back(void)
{
	static int seen;
	struct scan scan = { NULL };
	int freed = atomic_read(&swap_pager_freed);
	unsigned long max;
	struct vm_page *m;
	unsigned int cpu;

	if (freed == seen)
		return;
	for_each_possible_cpu(cpu) {
		max = vm_page_queue_length(PQ_UNSWAPPABLE, cpu);
		while ((m = scan_next(&scan, PQ_UNSWAPPABLE, cpu, &max)))
			vm_page_launder(m);
	}
	if (!vm_page_queue_count(PQ_UNSWAPPABLE))
		seen = freed;
}

/*
 * Pages to write when nobody asks: some, once a second, while dirty pages are many to
 * the clean ones, and the more so the more the daemon has freed since.
 */
static unsigned long laundry_background(void)
{
	static u64 last_freed;
	unsigned long clean = vm_free_count() + vm_page_queue_count(PQ_INACTIVE);
	unsigned long dirty = vm_page_queue_count(PQ_LAUNDRY);
	unsigned long unit = vm_dom.v_free_target - vm_dom.v_free_min + 1;
	u64 freed = atomic64_read(&pageout_freed);

	if (!dirty || freed == last_freed ||
	    dirty * int_sqrt(DIV_ROUND_UP(freed - last_freed, unit)) < clean)
		return 0;
	last_freed = freed;
	return READ_ONCE(vm_background_launder_rate) / (VM_PAGE_SIZE >> 10);
}

static int vm_pageout_laundry_worker(void *arg)
{
	unsigned long wanted, done;
	unsigned int reason;
	bool any;

	while (!kthread_should_stop()) {
		wait_event_idle_timeout(laundry_wait,
					atomic_long_read(&laundry_wanted) ||
					kthread_should_stop(), HZ);
		laundry_take_back();
		wanted = atomic_long_xchg(&laundry_wanted, 0);
		reason = wanted ? BSDVM_LAUNDER_ASKED : BSDVM_LAUNDER_BACKGROUND;
		if (!wanted)
			wanted = laundry_background();
		any = vm_page_queue_count(PQ_LAUNDRY);
		if (wanted) {
			trace_bsdvm_launder_begin(reason, wanted);
			done = vm_pageout_launder(wanted, reason);
			trace_bsdvm_launder_end(reason, wanted, done);
		}
		/* Also when nothing was written: then there may be more to age. */
		if (wanted && any) {
			atomic_long_inc(&laundry_served);
			wake_up(&vm_pageout_wait);
		}
	}
	return 0;
}

static void laundry_request(unsigned long pages)
{
	atomic_long_set(&laundry_wanted, pages);
	wake_up(&laundry_wait);
}

/* Is something being written, and not for too long? */
static bool laundry_under_way(void)
{
	return atomic_read(&laundry_writing) &&
	       time_before(jiffies, READ_ONCE(laundry_since) + VM_LAUNDRY_PATIENCE * HZ);
}

/* --- the daemon */

/* One inactive page. Returns whether it was freed. */
static bool inactive_page(struct pmap_hold *hold, struct vm_page *m, bool pressed_only)
{
	bool pressed = page_pressed(m);

	if (page_passed_by(m, PQ_INACTIVE))
		return false;
	if (pressed_only && !pressed) {
		page_trace(m, PQ_INACTIVE, BSDVM_PAGEOUT_NOT_HIS);
		vm_page_requeue(m, PQ_INACTIVE);
		return false;
	}
	if (page_unwanted(m))
		return page_try_free(hold, m, PQ_INACTIVE, BSDVM_PAGEOUT_UNWANTED);
	if (!pressed && page_referenced(hold, m)) {
		page_trace(m, PQ_INACTIVE, BSDVM_PAGEOUT_USED);
		vm_page_activate(m);
		VM_CNT_INC(v_reactivated);
		return false;
	}
	if (page_try_free(hold, m, PQ_INACTIVE, BSDVM_PAGEOUT_FREED))
		return true;
	page_trace(m, PQ_INACTIVE, BSDVM_PAGEOUT_DIRTY);
	vm_page_launder(m);
	return false;
}

static unsigned long vm_pageout_scan_inactive(unsigned long shortage, bool pressed_only)
{
	struct scan scan = { NULL };
	unsigned long max, freed = 0;
	struct vm_page *m;
	unsigned int cpu;

	for_each_possible_cpu(cpu) {
		max = vm_page_queue_length(PQ_INACTIVE, cpu);
		while (freed < shortage && (m = scan_next(&scan, PQ_INACTIVE, cpu, &max)))
			freed += inactive_page(&scan.hold, m, pressed_only);
		scan_unlock(&scan);
		cond_resched();
	}
	return freed;
}

/**
 * struct ageing - a walk over active pages
 * @wanted: pages are to become inactive, not only older
 * @pressed_only: only those of users who have more than they may
 * @decline: what a page loses that has not been used
 * @lowest: what is left to the one that has the least of these
 * @aged: pages that have not been used
 * @gained: what has become inactive, see active_page()
 */
struct ageing {
	bool wanted;
	bool pressed_only;
	unsigned int decline;
	unsigned int lowest;
	unsigned long aged;
	unsigned long gained;
};

/*
 * Age one active page. Returns what is gained when it leaves the active queue: a clean
 * page is worth more than one that must be written.
 */
static unsigned long active_page(struct pmap_hold *hold, struct vm_page *m,
				 struct ageing *ageing)
{
	bool pressed = ageing->wanted && page_pressed(m);
	unsigned int used = 0;

	if (page_passed_by(m, PQ_ACTIVE))
		return 0;
	if (ageing->pressed_only && !pressed) {
		page_trace(m, PQ_ACTIVE, BSDVM_PAGEOUT_NOT_HIS);
		vm_page_requeue(m, PQ_ACTIVE);
		return 0;
	}
	if (pressed)
		m->act_count = 0;
	else
		used = page_referenced(hold, m);
	if (used) {
		m->act_count = min_t(unsigned int, m->act_count + ACT_ADVANCE + used, ACT_MAX);
	} else {
		m->act_count -= min_t(unsigned int, m->act_count, ageing->decline);
		ageing->aged++;
	}
	if (m->act_count || !ageing->wanted) {
		if (!used)
			ageing->lowest = min_t(unsigned int, ageing->lowest, m->act_count);
		page_trace(m, PQ_ACTIVE, used ? BSDVM_PAGEOUT_USED : BSDVM_PAGEOUT_AGED);
		vm_page_requeue(m, PQ_ACTIVE);
		return 0;
	}
	if (vm_page_is_dirty(m)) {
		page_trace(m, PQ_ACTIVE, BSDVM_PAGEOUT_DIRTY);
		vm_page_launder(m);
		return 1;
	}
	page_trace(m, PQ_ACTIVE, BSDVM_PAGEOUT_IDLE);
	vm_page_deactivate(m);
	return READ_ONCE(vm_act_scan_laundry_weight);
}

/*
 * Look at @max active pages, or fewer when @shortage of them, unless it is 0, have
 * become inactive.
 */
static void vm_pageout_scan_active(unsigned long shortage, unsigned long max,
				   struct ageing *ageing)
{
	struct scan scan = { NULL };
	unsigned long left;
	struct vm_page *m;
	unsigned int cpu;

	ageing->wanted = shortage;
	ageing->decline = max_t(unsigned int, ageing->decline, ACT_DECLINE);
	ageing->lowest = ACT_MAX;
	for_each_possible_cpu(cpu) {
		left = min(max, vm_page_queue_length(PQ_ACTIVE, cpu));
		while ((!shortage || ageing->gained < shortage) &&
		       (m = scan_next(&scan, PQ_ACTIVE, cpu, &left)))
			ageing->gained += active_page(&scan.hold, m, ageing);
		scan_unlock(&scan);
		cond_resched();
	}
}

static unsigned long positive(long n)
{
	return n > 0 ? n : 0;
}

/* How many pages are missing from the active scan's point of view. */
static unsigned long inactive_shortage(unsigned long shortage)
{
	unsigned long weight = READ_ONCE(vm_act_scan_laundry_weight);
	unsigned long enough = vm_dom.v_inactive_target + shortage;
	unsigned long there = vm_page_queue_count(PQ_INACTIVE) +
			      vm_page_queue_count(PQ_LAUNDRY) / max(weight, 1UL);

	return positive(enough - there) * max(weight, 1UL);
}

/*
 * Age some of the active pages each second, so that all are looked at in a period. Not
 * while half of the pool is free: nobody will want to know for long.
 */
static void vm_pageout_update(void)
{
	unsigned int period = READ_ONCE(vm_pageout_update_period);
	struct ageing ageing = { false };

	if (period && vm_free_count() < vm_phys_page_count() / 2)
		vm_pageout_scan_active(0, DIV_ROUND_UP(vm_page_queue_count(PQ_ACTIVE),
						       (unsigned long)period), &ageing);
}

/**
 * enum outcome - what came of a pass
 * @PASS_NOTHING: nothing
 * @PASS_USED: all pages had been used; the next one sees which are used still
 * @PASS_AGED: pages have become older; the next one may free some
 * @PASS_FREED: pages are free, or have been written, or are being written
 */
enum outcome { PASS_NOTHING, PASS_USED, PASS_AGED, PASS_FREED };

/**
 * struct daemon - what the daemon remembers from pass to pass
 * @written: value of laundry_written when the last pass began
 * @served: value of laundry_served then
 * @ageing: passes in a row that only looked at pages
 * @decline: what a page loses in the next pass that it has not been used in; 0: as usual
 * @fruitless: pauses in which nothing came free, see vm_pageout_oom_seq
 * @next_fruitless: when the next one may be counted, jiffies
 * @next_update: when the next of the periodic looks at active pages is due, jiffies
 * @next_lowmem: when the kernel's zones may be asked for memory again, jiffies
 */
struct daemon {
	long written;
	long served;
	unsigned int ageing;
	unsigned int decline;
	unsigned int fruitless;
	unsigned long next_fruitless;
	unsigned long next_update;
	unsigned long next_lowmem;
};

/*
 * How many active pages a pass may look at. Where enough has left their queue for what is
 * short now, what follows is for later, and takes the place of what has @gone since the last
 * pass; unless nothing comes free of what has left: there may be clean ones among the others.
 */
static unsigned long active_pace(const struct daemon *daemon, unsigned long shortage,
				 unsigned long gone)
{
	unsigned long there = vm_page_queue_count(PQ_INACTIVE) + vm_page_queue_count(PQ_LAUNDRY);

	return there < shortage || daemon->fruitless ? ULONG_MAX : gone;
}

/* Outcomes are printed by show_bsdvm_outcome(). */
static_assert(PASS_NOTHING == 0 && PASS_FREED == 3);

/* What came of a pass; @idle: there are active pages to be made inactive. */
static enum outcome pass_outcome(unsigned long freed, unsigned long aged, bool wrote, bool idle)
{
	if (freed || wrote)
		return PASS_FREED;
	if (aged)
		return PASS_AGED;
	return idle ? PASS_USED : PASS_NOTHING;
}

static enum outcome vm_pageout_pass(struct daemon *daemon, unsigned long shortage)
{
	long written = atomic_long_read(&laundry_written);
	unsigned long wrote = written - daemon->written;
	struct ageing ageing = { .decline = daemon->decline };
	unsigned long freed, missing;
	enum outcome outcome;

	if (trace_bsdvm_pageout_begin_enabled())
		trace_bsdvm_pageout_begin(BSDVM_PAGEOUT_SHORTAGE, shortage, vm_free_count());
	daemon->written = written;
	daemon->served = atomic_long_read(&laundry_served);
	VM_CNT_INC(v_pdwakeups);
	freed = vm_pageout_scan_inactive(shortage, false);
	if (freed < shortage) {
		VM_CNT_INC(v_pdshortfalls);
		laundry_request(shortage - freed);
	}
	missing = inactive_shortage(shortage);
	if (missing)
		vm_pageout_scan_active(missing, active_pace(daemon, shortage, freed + wrote),
				       &ageing);
	outcome = pass_outcome(freed, ageing.aged, wrote,
			       missing && vm_page_queue_count(PQ_ACTIVE));
	/*
	 * A pass that only counts down is followed by others like it, until the page that has
	 * the least left goes: let the next one count for all of them.
	 */
	daemon->decline = ageing.aged && !ageing.gained ? ageing.lowest : 0;
	trace_bsdvm_pageout_end(BSDVM_PAGEOUT_SHORTAGE, freed, ageing.aged, outcome);
	return outcome;
}

/* Nothing helps: in the end a process goes. */
static void vm_pageout_mightbe_oom(struct daemon *daemon)
{
	const struct vm_pageout_hooks *hooks = READ_ONCE(pageout_hooks);

	if (vm_free_count() >= vm_dom.v_free_min || !vm_waiting() || laundry_under_way() ||
	    time_before(jiffies, daemon->next_fruitless))
		return;
	daemon->next_fruitless = jiffies + VM_PAGEOUT_PAUSE;
	if (++daemon->fruitless < READ_ONCE(vm_pageout_oom_seq))
		return;
	daemon->fruitless = 0;
	uma_reclaim(UMA_RECLAIM_DRAIN_CPU);
	if (vm_free_count() >= vm_dom.v_free_min)
		return;
	if (hooks && READ_ONCE(vm_oom_kill))
		WRITE_ONCE(pageout_hopeless, !hooks->oom());
}

/* Until the laundry has done something since the last pass began, or for a while. */
static void vm_pageout_pause(const struct daemon *daemon)
{
	wait_event_idle_timeout(vm_pageout_wait,
				atomic_long_read(&laundry_written) != daemon->written ||
				atomic_long_read(&laundry_served) != daemon->served ||
				kthread_should_stop(), VM_PAGEOUT_PAUSE);
}

/* Users wait who have all they may have: take pages from them, and from nobody else. */
static bool vm_pageout_users(struct daemon *daemon)
{
	bool wrote = atomic_long_read(&laundry_written) != daemon->written;
	struct ageing ageing = { .pressed_only = true };
	unsigned long freed;
	enum outcome outcome;

	if (trace_bsdvm_pageout_begin_enabled())
		trace_bsdvm_pageout_begin(BSDVM_PAGEOUT_USER, VM_PAGEOUT_CLUSTER, vm_free_count());
	VM_CNT_INC(v_pdwakeups);
	daemon->written = atomic_long_read(&laundry_written);
	daemon->served = atomic_long_read(&laundry_served);
	freed = vm_pageout_scan_inactive(VM_PAGEOUT_CLUSTER, true);
	if (freed < VM_PAGEOUT_CLUSTER) {
		vm_pageout_scan_active(VM_PAGEOUT_CLUSTER, ULONG_MAX, &ageing);
		laundry_request(VM_PAGEOUT_CLUSTER);
	}
	vm_user_wakeup();
	outcome = pass_outcome(freed, ageing.aged, wrote, false);
	trace_bsdvm_pageout_end(BSDVM_PAGEOUT_USER, freed, ageing.aged, outcome);
	return outcome != PASS_NOTHING;
}

/*
 * Now and then have the kernel's zones give back what they do not use. Under a severe
 * shortage also what is at hand on the CPUs.
 */
static void vm_pageout_lowmem(struct daemon *daemon)
{
	if (time_before(jiffies, daemon->next_lowmem))
		return;
	daemon->next_lowmem = jiffies + READ_ONCE(vm_lowmem_period) * HZ;
	uma_reclaim(vm_free_count() < vm_dom.v_free_severe ? UMA_RECLAIM_DRAIN_CPU :
							      UMA_RECLAIM_DRAIN);
}

/* While page by page is not enough, idle vmspaces go as a whole. */
static void vm_pageout_severe(void)
{
	const struct vm_pageout_hooks *hooks = READ_ONCE(pageout_hooks);

	if (hooks && vm_free_count() < vm_dom.v_free_severe)
		hooks->severe();
}

static void vm_pageout_once(struct daemon *daemon)
{
	unsigned long shortage = positive(vm_dom.v_free_target - vm_free_count());
	enum outcome outcome = shortage ? vm_pageout_pass(daemon, shortage) : PASS_FREED;

	if (shortage) {
		vm_pageout_lowmem(daemon);
		vm_pageout_severe();
	}
	if (vm_user_waiting() && !vm_pageout_users(daemon))
		vm_pageout_pause(daemon);

	if (outcome == PASS_FREED) {
		daemon->ageing = 0;
		daemon->fruitless = 0;
		WRITE_ONCE(pageout_hopeless, false);
	} else if (outcome == PASS_NOTHING || ++daemon->ageing > VM_PAGEOUT_AGEING) {
		vm_pageout_mightbe_oom(daemon);
		vm_pageout_pause(daemon);
	} else if (outcome == PASS_USED) {
		/* Time to be used again, or not. */
		schedule_timeout_idle(1);
	}
}

static int vm_pageout_worker(void *arg)
{
	struct daemon daemon = {
		.next_update = jiffies,
		.next_fruitless = jiffies,
		.next_lowmem = jiffies,
	};

	while (!kthread_should_stop()) {
		wait_event_idle_timeout(vm_pageout_wait,
					atomic_read(&vm_pageout_wanted) || vm_user_waiting() ||
					kthread_should_stop(), HZ);
		atomic_set(&vm_pageout_wanted, 0);
		if (time_after_eq(jiffies, daemon.next_update)) {
			daemon.next_update = jiffies + HZ;
			vm_pageout_update();
		}
		vm_pageout_once(&daemon);
		/* Not done yet: go on without being asked. */
		if (vm_free_count() < vm_dom.v_free_min)
			atomic_set(&vm_pageout_wanted, 1);
		cond_resched();
	}
	return 0;
}

/* --- out of memory */

/* Pages of an anonymous object that are resident or in swap. */
static unsigned long oom_object_pages(struct vm_object *object)
{
	unsigned long n;
	vm_pindex_t at;

	VM_OBJECT_RLOCK(object);
	n = object->resident_page_count;
	if (vm_pager_swapped(object))
		for (at = 0; vm_pager_ops(object)->next(object, &at, ULONG_MAX); at++)
			n += !vm_page_lookup(object, at);
	VM_OBJECT_RUNLOCK(object);
	return n;
}

unsigned long vm_pageout_oom_pagecount(struct vm_map *map)
{
	struct vm_map_entry *entry;
	unsigned long n = 0;

	if (!vm_map_trylock_read(map))
		return 0;
	VM_MAP_ENTRY_FOREACH(entry, map) {
		if (!entry->object || entry->object->type == OBJT_VNODE ||
		    entry->object->type == OBJT_DEVICE)
			continue;
		/* What others have too does not go with it. */
		if ((entry->eflags & MAP_ENTRY_NEEDS_COPY) &&
		    refcount_read(&entry->object->ref_count) != 1)
			continue;
		n += min_t(u64, oom_object_pages(entry->object), atop(entry->end - entry->start));
		cond_resched();
	}
	/* The kernel's records of it go as well. */
	n += DIV_ROUND_UP(map->nentries * sizeof(*entry), VM_PAGE_SIZE);
	vm_map_unlock_read(map);
	return n;
}

/* --- start and end */

int vm_pageout_init(void)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(laundry_works); i++)
		INIT_WORK(&laundry_works[i].work, laundry_worker);
	laundry_wq = alloc_workqueue("bsdvm_laundry", WQ_UNBOUND | WQ_MEM_RECLAIM,
				     VM_LAUNDRY_WORKERS);
	if (!laundry_wq)
		return -ENOMEM;
	laundry_task = kthread_run(vm_pageout_laundry_worker, NULL, "bsdvm_laundry");
	if (IS_ERR(laundry_task))
		goto destroy;
	pageout_task = kthread_run(vm_pageout_worker, NULL, "bsdvm_pagedaemon");
	if (IS_ERR(pageout_task))
		goto stop;
	return 0;

stop:
	kthread_stop(laundry_task);
destroy:
	destroy_workqueue(laundry_wq);
	return -ENOMEM;
}

void vm_pageout_fini(void)
{
	kthread_stop(pageout_task);
	kthread_stop(laundry_task);
	destroy_workqueue(laundry_wq);
}
