// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * uma: zones, the allocator of items of one size.
 *
 *	zone ── CPU: alloc bucket ◄─1─► whoever allocates and frees
 *	 │	      ▲
 *	 │	      ▼ exchanged, when the one is empty or full
 *	 │	     free bucket
 *	 │	      ▲
 *	 │	      ▼ full ones
 *	 ├── depot: full buckets ◄─► other CPUs
 *	 │	      ▲
 *	 │	      ▼ items
 *	 └── keg: slabs (uma_keg.c) ◄─► pages of the pool
 *
 * Buckets. A CPU takes items from its alloc bucket and puts them back there, with
 * preemption off and nothing else: no lock, nothing that another CPU reads. When that
 * is empty or full it is exchanged with the free bucket, which is the opposite; so
 * somebody who allocates and frees at the edge of a bucket does not go to the depot each
 * time. Only when neither helps does a bucket go to the depot or come from it, or is
 * filled from the slabs. Buckets are items of zones themselves, of zones that have
 * none. Without memory for a bucket everything goes on, by the slabs.
 *
 * Size. A bucket is made larger when a CPU found the depot's lock taken, or its depot
 * empty, several times; and smaller when memory is reclaimed. It is never so large that
 * CPUs keep much memory from each other, nor half of what a limit allows.
 *
 * Other CPUs' buckets are emptied by themselves, in a work item that each gets from
 * uma_drain(). The workqueue has a rescuer and is used for nothing else, so that this
 * waits for nobody's memory.
 *
 * Waiting. Who finds the limit reached sets UZ_SLEEPERS; from then on freed items go to
 * their slabs at once. Then it has the buckets emptied, which also makes every CPU see
 * UZ_SLEEPERS, and then it looks at the keg, under the keg's lock: no item freed
 * is missed.
 *
 * Zones themselves and what stands at each CPU are the kernel's memory, not the
 * pool's: they are few, and made when the module is loaded.
 *
 * Locks: the list of zones > uma_drain_lock, mutexes that are never held while waiting
 * for pages or items. A zone's, a keg's: spinlocks, one at a time, before
 * those of the page caches. Every call out of here (constructors and the like) is made
 * with none of the spinlocks held, init and fini perhaps with the mutexes.
 *
 * (McKusick et al., chapter 6.3; Bonwick and Adams, "Magazines and Vmem", USENIX 2001,
 * for buckets in pairs.)
 */

#include "trace.h"
#include "uma_int.h"

/* A bucket keeps no more bytes than these from other CPUs. */
#define UMA_BUCKET_BYTES	(16 * 1024)
/* Buckets are so large at first. */
#define UMA_BUCKET_START	13
/* What says that they should be larger: an empty depot once, a lock taken, enough. */
#define UMA_PRESSURE_MISS	1
#define UMA_PRESSURE_LOCK	8
#define UMA_PRESSURE_ENOUGH	32

/* How long to wait for a page, for an item, before looking whether it came unseen. */
#define UMA_PAGE_PATIENCE	(HZ / 4)
#define UMA_ITEM_PATIENCE	(5 * HZ)
/* A killed task that finds not even a page of the reserve. */
#define UMA_KILLED_PATIENCE	(HZ / 20)

/* Zones of buckets, so large that no page has room for another one beside them. */
static struct uma_bucket_zone {
	const char *name;
	unsigned int size;
	struct uma_zone *zone;
} bucket_zones[] = {
	{ "13 Bucket", 128 },
	{ "29 Bucket", 256 },
	{ "60 Bucket", 504 },
	{ "123 Bucket", 1008 },
};

/* What a CPU has at first: it is empty, and has no room. */
static struct uma_bucket bucket_none;

static DEFINE_MUTEX(zones_lock);
static LIST_HEAD(zones);

/* All of it under uma_drain_lock: whose buckets are emptied, NULL for all zones'. */
static DEFINE_MUTEX(uma_drain_lock);
static struct uma_zone *uma_drain_zone;
static DEFINE_PER_CPU(struct work_struct, uma_drain_work);
static struct workqueue_struct *uma_drain_wq;

struct uma_zone *uma_slab_zone;

/* --- buckets */

static unsigned int bucket_capacity(unsigned int index)
{
	return (bucket_zones[index].size - sizeof(struct uma_bucket)) / sizeof(void *);
}

static struct uma_bucket *bucket_alloc(unsigned int entries)
{
	struct uma_bucket *bucket;
	unsigned int index = 0;

	/* A limit is just being set that leaves no room for any. */
	if (!entries)
		return NULL;
	while (bucket_capacity(index) < entries)
		index++;
	bucket = uma_zalloc(bucket_zones[index].zone, M_NOWAIT);
	if (bucket) {
		bucket->ub_cnt = 0;
		bucket->ub_entries = entries;
		bucket->ub_index = index;
	}
	return bucket;
}

static void bucket_free(struct uma_bucket *bucket)
{
	if (bucket && bucket != &bucket_none)
		uma_zfree(bucket_zones[bucket->ub_index].zone, bucket);
}

/* Put its items back into their slabs, and free it. */
static void bucket_drain(struct uma_zone *zone, struct uma_bucket *bucket)
{
	if (bucket->ub_cnt) {
		trace_bsdvm_zone_drain(zone->uz_name, bucket->ub_cnt);
		uma_keg_free(&zone->uz_keg, bucket->ub_items, bucket->ub_cnt);
		bucket->ub_cnt = 0;
	}
	bucket_free(bucket);
}

/* --- the depot */

static void zone_press_locked(struct uma_zone *zone, unsigned int pressure)
{
	unsigned int size = zone->uz_bucket_size;

	lockdep_assert_held(&zone->uz_lock);
	zone->uz_pressure += pressure;
	if (zone->uz_pressure < UMA_PRESSURE_ENOUGH)
		return;
	zone->uz_pressure = 0;
	WRITE_ONCE(zone->uz_bucket_size, min(size + size / 2 + 1, zone->uz_bucket_max));
}

static void zone_lock_depot(struct uma_zone *zone)
{
	if (likely(spin_trylock(&zone->uz_lock)))
		return;
	spin_lock(&zone->uz_lock);
	zone_press_locked(zone, UMA_PRESSURE_LOCK);
}

static struct uma_bucket *depot_get(struct uma_zone *zone)
{
	struct uma_bucket *bucket;

	zone_lock_depot(zone);
	bucket = list_first_entry_or_null(&zone->uz_depot, struct uma_bucket, ub_link);
	if (bucket) {
		list_del(&bucket->ub_link);
		zone->uz_depot_count--;
	} else {
		zone_press_locked(zone, UMA_PRESSURE_MISS);
	}
	spin_unlock(&zone->uz_lock);
	return bucket;
}

static void depot_put(struct uma_zone *zone, struct uma_bucket *bucket)
{
	bool room;

	zone_lock_depot(zone);
	room = zone->uz_depot_count < zone->uz_depot_max &&
	       !(zone->uz_hot.uz_special & (UZ_SLEEPERS | UZ_NOBUCKET));
	if (room) {
		list_add(&bucket->ub_link, &zone->uz_depot);
		zone->uz_depot_count++;
	}
	spin_unlock(&zone->uz_lock);
	if (!room)
		bucket_drain(zone, bucket);
}

static void depot_drain(struct uma_zone *zone)
{
	struct uma_bucket *bucket, *next;
	LIST_HEAD(list);

	spin_lock(&zone->uz_lock);
	list_splice_init(&zone->uz_depot, &list);
	zone->uz_depot_count = 0;
	spin_unlock(&zone->uz_lock);
	list_for_each_entry_safe(bucket, next, &list, ub_link)
		bucket_drain(zone, bucket);
}

/* --- a CPU's buckets */

static void cache_swap(struct uma_cache *cache)
{
	swap(cache->uc_allocbucket, cache->uc_freebucket);
}

/* Take an item from this CPU's buckets; NULL when there is none. Preemption is off. */
static void *cache_pop(struct uma_cache *cache)
{
	if (!cache->uc_allocbucket->ub_cnt)
		cache_swap(cache);
	if (!cache->uc_allocbucket->ub_cnt)
		return NULL;
	return cache->uc_allocbucket->ub_items[--cache->uc_allocbucket->ub_cnt];
}

static bool bucket_has_room(const struct uma_bucket *bucket)
{
	return bucket->ub_cnt < bucket->ub_entries;
}

/* Put an item into this CPU's buckets; false when there is no room. Preemption is off. */
static bool cache_push(struct uma_cache *cache, void *item)
{
	if (!bucket_has_room(cache->uc_allocbucket))
		cache_swap(cache);
	if (!bucket_has_room(cache->uc_allocbucket))
		return false;
	cache->uc_allocbucket->ub_items[cache->uc_allocbucket->ub_cnt++] = item;
	return true;
}

/* Fill a bucket from the slabs; never waits. NULL when that is not possible. */
static struct uma_bucket *zone_fill_bucket(struct uma_zone *zone, int flags)
{
	struct uma_bucket *bucket;
	int why;

	/* What is in reserve is not for those that come after. */
	if (flags & M_USE_RESERVE || zone->uz_hot.uz_special & UZ_SLEEPERS)
		return NULL;
	bucket = bucket_alloc(READ_ONCE(zone->uz_bucket_size));
	if (!bucket)
		return NULL;
	bucket->ub_cnt = uma_keg_alloc(&zone->uz_keg, bucket->ub_items, bucket->ub_entries,
				       M_NOWAIT, false, &why);
	trace_bsdvm_zone_refill(zone->uz_name, bucket->ub_entries, bucket->ub_cnt);
	if (bucket->ub_cnt)
		return bucket;
	bucket_free(bucket);
	return NULL;
}

/* Allocate by the buckets, which never waits; NULL when they have nothing. */
static void *cache_alloc(struct uma_zone *zone, int flags)
{
	struct uma_bucket *full = NULL, *empty = NULL;
	struct uma_cache *cache;
	void *item;

	if (zone->uz_hot.uz_special & UZ_NOBUCKET)
		return NULL;
	for (;;) {
		preempt_disable();
		cache = this_cpu_ptr(zone->uz_hot.uz_cpu);
		item = cache_pop(cache);
		if (!item && full) {
			empty = cache->uc_allocbucket;
			cache->uc_allocbucket = full;
			full = NULL;
			item = cache_pop(cache);
		}
		preempt_enable();
		if (item)
			break;
		full = depot_get(zone);
		if (!full)
			full = zone_fill_bucket(zone, flags);
		if (!full)
			break;
	}
	/* On another CPU, there was one. */
	if (full)
		depot_put(zone, full);
	bucket_free(empty);
	return item;
}

/* Free by the buckets; false when they cannot take it. */
static bool cache_free(struct uma_zone *zone, void *item)
{
	struct uma_bucket *empty = NULL, *full = NULL;
	struct uma_cache *cache;
	bool done;

	if (zone->uz_hot.uz_special & (UZ_NOBUCKET | UZ_SLEEPERS))
		return false;
	for (;;) {
		preempt_disable();
		cache = this_cpu_ptr(zone->uz_hot.uz_cpu);
		done = cache_push(cache, item);
		if (!done && empty) {
			full = cache->uc_freebucket;
			cache->uc_freebucket = empty;
			empty = NULL;
			done = cache_push(cache, item);
		}
		preempt_enable();
		if (done)
			break;
		empty = bucket_alloc(READ_ONCE(zone->uz_bucket_size));
		if (!empty)
			break;
	}
	bucket_free(empty);
	if (full && full != &bucket_none)
		depot_put(zone, full);
	return done;
}

/* Empty the buckets of @cpu, which is this one, or is off and nobody runs on it. */
static void cache_drain(struct uma_zone *zone, int cpu)
{
	struct uma_bucket *first, *second;
	struct uma_cache *cache;

	preempt_disable();
	cache = per_cpu_ptr(zone->uz_hot.uz_cpu, cpu);
	first = cache->uc_allocbucket;
	second = cache->uc_freebucket;
	cache->uc_allocbucket = &bucket_none;
	cache->uc_freebucket = &bucket_none;
	preempt_enable();
	bucket_drain(zone, first);
	bucket_drain(zone, second);
}

static void uma_drain_cpu(int cpu)
{
	struct uma_zone *zone;

	if (uma_drain_zone) {
		cache_drain(uma_drain_zone, cpu);
		return;
	}
	list_for_each_entry(zone, &zones, uz_link)
		cache_drain(zone, cpu);
}

/* A work item of a CPU does not leave it: CPUs stay as they are meanwhile. */
static void uma_drain_work_fn(struct work_struct *work)
{
	uma_drain_cpu(raw_smp_processor_id());
}

static void uma_drain_locked(struct uma_zone *zone)
{
	int cpu;

	lockdep_assert_held(&uma_drain_lock);
	/* Who changes the set of CPUs is not waited for: that takes its time, and locks. */
	if (!cpus_read_trylock())
		return;
	uma_drain_zone = zone;
	for_each_online_cpu(cpu)
		queue_work_on(cpu, uma_drain_wq, per_cpu_ptr(&uma_drain_work, cpu));
	for_each_possible_cpu(cpu) {
		if (cpu_online(cpu))
			flush_work(per_cpu_ptr(&uma_drain_work, cpu));
		else
			uma_drain_cpu(cpu);
	}
	cpus_read_unlock();
}

/* Empty all CPUs' buckets of @zone; NULL: of all zones, zones_lock is held. */
static void uma_drain(struct uma_zone *zone)
{
	mutex_lock(&uma_drain_lock);
	uma_drain_locked(zone);
	mutex_unlock(&uma_drain_lock);
}

/* --- waiting */

static void zone_sleep_begin(struct uma_zone *zone)
{
	atomic64_inc(&zone->uz_sleeps);
	spin_lock(&zone->uz_lock);
	if (!zone->uz_sleepers++)
		WRITE_ONCE(zone->uz_hot.uz_special, zone->uz_hot.uz_special | UZ_SLEEPERS);
	spin_unlock(&zone->uz_lock);
}

static void zone_sleep_end(struct uma_zone *zone)
{
	spin_lock(&zone->uz_lock);
	if (!--zone->uz_sleepers)
		WRITE_ONCE(zone->uz_hot.uz_special, zone->uz_hot.uz_special & ~UZ_SLEEPERS);
	spin_unlock(&zone->uz_lock);
}

/* Wait for an item to be freed. Returns true when the limit matters no more. */
static bool zone_wait_item(struct uma_zone *zone)
{
	if (fatal_signal_pending(current))
		return true;
	zone_sleep_begin(zone);
	uma_drain(zone);
	depot_drain(zone);
	/* The time is for buckets that could not be emptied. */
	wait_event_killable_timeout(zone->uz_wait, uma_keg_room(&zone->uz_keg),
				    UMA_ITEM_PATIENCE);
	zone_sleep_end(zone);
	return fatal_signal_pending(current);
}

/*
 * Wait for a page, or an item that somebody freed meanwhile. Returns flags to go on
 * with.
 */
static int zone_wait_page(struct uma_zone *zone, int flags)
{
	unsigned int i;

	atomic64_inc(&zone->uz_sleeps);
	if (fatal_signal_pending(current)) {
		/* The first time, it has not tried the reserve. */
		if (flags & M_USE_RESERVE) {
			vm_pageout_wakeup();
			schedule_timeout_uninterruptible(UMA_KILLED_PATIENCE);
		}
		return flags | M_USE_RESERVE;
	}
	vm_wait(UMA_PAGE_PATIENCE);
	if (mutex_trylock(&uma_drain_lock)) {
		uma_drain_locked(zone);
		mutex_unlock(&uma_drain_lock);
	}
	/* They may have got what this one needs. */
	for (i = 0; i < ARRAY_SIZE(bucket_zones); i++)
		uma_keg_reclaim(&bucket_zones[i].zone->uz_keg);
	return flags;
}

/* --- items */

/* Allocate by the slabs, waiting if need be. */
static void *zone_alloc_item(struct uma_zone *zone, int flags)
{
	bool over = false;
	void *item;
	int why;

	while (!uma_keg_alloc(&zone->uz_keg, &item, 1, flags, over, &why)) {
		if (flags & M_NOWAIT || (why != UMA_NOPAGE && why != UMA_LIMITED))
			return NULL;
		if (why == UMA_LIMITED)
			over = zone_wait_item(zone);
		else
			flags = zone_wait_page(zone, flags);
		/* What there is; but now no page is taken for a bucket. */
		item = cache_alloc(zone, flags | M_USE_RESERVE);
		if (item)
			break;
	}
	return item;
}

static void zone_free_item(struct uma_zone *zone, void *item)
{
	if (zone->uz_hot.uz_special & UZ_DEBUG)
		uma_dbg_free(zone, item);
	if (!cache_free(zone, item))
		uma_keg_free(&zone->uz_keg, &item, 1);
}

void *uma_zalloc_special(struct uma_zone *zone, void *udata, int flags)
{
	void *item;

	VM_ASSERT(!(flags & M_WAITOK) != !(flags & M_NOWAIT));
	VM_ASSERT(!in_hardirq() && !in_serving_softirq());
	if (zone->uz_hot.uz_special & UZ_DEBUG && uma_dbg_fail(zone, flags))
		goto fail;
	item = cache_alloc(zone, flags);
	if (!item)
		item = zone_alloc_item(zone, flags);
	if (!item)
		goto fail;
	if (zone->uz_hot.uz_special & UZ_DEBUG)
		uma_dbg_alloc(zone, item);
	if (flags & M_ZERO)
		memset(item, 0, zone->uz_keg.uk_size);
	if (zone->uz_ctor && zone->uz_ctor(item, zone->uz_keg.uk_size, udata, flags))
		goto free_item;
	this_cpu_inc(zone->uz_hot.uz_cpu->uc_allocs);
	return item;

free_item:
	if (!(zone->uz_hot.uz_special & UZ_DEBUG) || uma_dbg_check_free(zone, item))
		zone_free_item(zone, item);
fail:
	this_cpu_inc(zone->uz_hot.uz_cpu->uc_fails);
	return NULL;
}
EXPORT_SYMBOL_NS_GPL(uma_zalloc_special, BSDVM);

void uma_zfree_special(struct uma_zone *zone, void *item, void *udata)
{
	if (!item)
		return;
	if (zone->uz_hot.uz_special & UZ_DEBUG && !uma_dbg_check_free(zone, item))
		return;
	if (zone->uz_dtor)
		zone->uz_dtor(item, zone->uz_keg.uk_size, udata);
	this_cpu_inc(zone->uz_hot.uz_cpu->uc_frees);
	zone_free_item(zone, item);
}
EXPORT_SYMBOL_NS_GPL(uma_zfree_special, BSDVM);

/* --- zones */

static int zone_zero_init(void *mem, int size, int flags)
{
	memset(mem, 0, size);
	return 0;
}

static void zone_init_keg(struct uma_zone *zone, size_t size, uma_init uminit, uma_fini fini,
			  unsigned int align, u32 flags)
{
	struct uma_keg *keg = &zone->uz_keg;

	keg->uk_size = size;
	keg->uk_align = align;
	keg->uk_init = flags & UMA_ZONE_ZINIT ? zone_zero_init : uminit;
	keg->uk_fini = fini;
	if (flags & UMA_ZONE_NOFREE)
		keg->uk_flags |= UK_NOFREE;
	if (uma_debug && !(flags & UMA_ZONE_NODEBUG)) {
		keg->uk_flags |= UK_DEBUG;
		if (!keg->uk_init && !fini && !(flags & UMA_ZONE_NOFREE))
			keg->uk_flags |= UK_TRASH;
		if (IS_ENABLED(CONFIG_KASAN_GENERIC) && !(flags & UMA_ZONE_NOFREE))
			keg->uk_flags |= UK_POISON;
	}
	uma_keg_init(keg);
}

/* How large buckets may become; 0: there are none. */
static unsigned int zone_bucket_max(const struct uma_zone *zone, unsigned int limit)
{
	unsigned int most = min_t(unsigned int, bucket_capacity(ARRAY_SIZE(bucket_zones) - 1),
				  UMA_BUCKET_BYTES / zone->uz_keg.uk_rsize);

	/* Two on each CPU, and then half of the limit is left. */
	return limit ? min(most, limit / (4 * num_possible_cpus())) : most;
}

static void zone_set_bucket_max_locked(struct uma_zone *zone, unsigned int limit)
{
	unsigned int special = zone->uz_hot.uz_special & ~UZ_NOBUCKET;

	lockdep_assert_held(&zone->uz_lock);
	zone->uz_bucket_max = zone->uz_nobucket ? 0 : zone_bucket_max(zone, limit);
	zone->uz_bucket_min = min_t(unsigned int, UMA_BUCKET_START, zone->uz_bucket_max);
	WRITE_ONCE(zone->uz_bucket_size, zone->uz_bucket_min);
	if (!zone->uz_bucket_max)
		special |= UZ_NOBUCKET;
	WRITE_ONCE(zone->uz_hot.uz_special, special);
}

static void zone_init(struct uma_zone *zone)
{
	unsigned int cpu;

	for_each_possible_cpu(cpu) {
		struct uma_cache *cache = per_cpu_ptr(zone->uz_hot.uz_cpu, cpu);

		cache->uc_allocbucket = &bucket_none;
		cache->uc_freebucket = &bucket_none;
	}
	spin_lock_init(&zone->uz_lock);
	INIT_LIST_HEAD(&zone->uz_depot);
	zone->uz_depot_max = 2 * num_possible_cpus();
	init_waitqueue_head(&zone->uz_wait);
	if (zone->uz_ctor)
		zone->uz_hot.uz_special |= UZ_CTOR;
	if (zone->uz_dtor)
		zone->uz_hot.uz_special |= UZ_DTOR;
	if (zone->uz_keg.uk_flags & UK_DEBUG)
		zone->uz_hot.uz_special |= UZ_DEBUG;
	spin_lock(&zone->uz_lock);
	zone_set_bucket_max_locked(zone, 0);
	spin_unlock(&zone->uz_lock);
}

struct uma_zone *uma_zcreate(const char *name, size_t size, uma_ctor ctor, uma_dtor dtor,
			     uma_init uminit, uma_fini fini, unsigned int align, u32 flags)
{
	struct uma_zone *zone;

	if (!size || size > UMA_LARGEST_UNIT || !is_power_of_2(align + 1) || align >= VM_PAGE_SIZE)
		return NULL;
	zone = kzalloc(sizeof(*zone), GFP_KERNEL);
	if (!zone)
		return NULL;
	zone->uz_hot.uz_cpu = alloc_percpu(struct uma_cache);
	if (!zone->uz_hot.uz_cpu) {
		kfree(zone);
		return NULL;
	}
	zone->uz_name = name;
	zone->uz_ctor = ctor;
	zone->uz_dtor = dtor;
	zone_init_keg(zone, size, uminit, fini, align, flags);
	zone->uz_nobucket = flags & UMA_ZONE_NOBUCKET;
	zone_init(zone);
	mutex_lock(&zones_lock);
	list_add_tail(&zone->uz_link, &zones);
	mutex_unlock(&zones_lock);
	return zone;
}
EXPORT_SYMBOL_NS_GPL(uma_zcreate, BSDVM);

void uma_zdestroy(struct uma_zone *zone)
{
	unsigned long leaked;
	unsigned int cpu;

	if (!zone)
		return;
	mutex_lock(&zones_lock);
	list_del(&zone->uz_link);
	mutex_unlock(&zones_lock);
	if (zone->uz_keg.uk_flags & UK_NOFREE)
		synchronize_rcu();
	/* Nobody uses them any more, so they need not be emptied by their CPUs. */
	for_each_possible_cpu(cpu)
		cache_drain(zone, cpu);
	depot_drain(zone);
	leaked = uma_keg_fini(&zone->uz_keg);
	if (leaked)
		uma_dbg_report(zone->uz_name, UMA_LEAK, (void *)leaked);
	free_percpu(zone->uz_hot.uz_cpu);
	kfree(zone);
}
EXPORT_SYMBOL_NS_GPL(uma_zdestroy, BSDVM);

unsigned int uma_zone_set_max(struct uma_zone *zone, unsigned int nitems)
{
	struct uma_keg *keg = &zone->uz_keg;

	spin_lock(&keg->uk_lock);
	keg->uk_max = nitems;
	spin_unlock(&keg->uk_lock);
	spin_lock(&zone->uz_lock);
	zone_set_bucket_max_locked(zone, nitems);
	spin_unlock(&zone->uz_lock);
	/* Those there are may be too large. */
	uma_zone_reclaim(zone, UMA_RECLAIM_DRAIN_CPU);
	wake_up(&zone->uz_wait);
	return nitems;
}
EXPORT_SYMBOL_IF_KUNIT(uma_zone_set_max);

unsigned int uma_zone_get_max(struct uma_zone *zone)
{
	return READ_ONCE(zone->uz_keg.uk_max);
}
EXPORT_SYMBOL_IF_KUNIT(uma_zone_get_max);

void uma_zone_reserve(struct uma_zone *zone, unsigned int nitems)
{
	spin_lock(&zone->uz_keg.uk_lock);
	zone->uz_keg.uk_reserve = nitems;
	spin_unlock(&zone->uz_keg.uk_lock);
}
EXPORT_SYMBOL_IF_KUNIT(uma_zone_reserve);

int uma_prealloc(struct uma_zone *zone, unsigned int nitems)
{
	struct uma_keg *keg = &zone->uz_keg;
	unsigned int slabs = DIV_ROUND_UP(nitems, keg->uk_ipers);
	int flags = M_WAITOK, ret;

	while (slabs) {
		ret = uma_keg_grow(keg, flags);
		if (ret < 0)
			return ret;
		if (ret)
			flags = zone_wait_page(zone, flags);
		else
			slabs--;
	}
	return 0;
}
EXPORT_SYMBOL_IF_KUNIT(uma_prealloc);

/* --- reclaiming */

static void zone_reclaim(struct uma_zone *zone, int req)
{
	if (req >= UMA_RECLAIM_DRAIN)
		depot_drain(zone);
	spin_lock(&zone->uz_lock);
	WRITE_ONCE(zone->uz_bucket_size, max(zone->uz_bucket_min, zone->uz_bucket_size / 2));
	spin_unlock(&zone->uz_lock);
	uma_keg_reclaim(&zone->uz_keg);
}

void uma_zone_reclaim(struct uma_zone *zone, int req)
{
	if (req >= UMA_RECLAIM_DRAIN_CPU)
		uma_drain(zone);
	zone_reclaim(zone, req);
}
EXPORT_SYMBOL_NS_GPL(uma_zone_reclaim, BSDVM);

void uma_reclaim(int req)
{
	struct uma_zone *zone;

	mutex_lock(&zones_lock);
	if (req >= UMA_RECLAIM_DRAIN_CPU)
		uma_drain(NULL);
	/* The oldest last: what others' buckets and headers were of. */
	list_for_each_entry_reverse(zone, &zones, uz_link)
		zone_reclaim(zone, req);
	mutex_unlock(&zones_lock);
}
EXPORT_SYMBOL_NS_GPL(uma_reclaim, BSDVM);

/* --- statistics */

/* Items in use, and the sums it is made of; never less than 0. */
static u64 zone_count(struct uma_zone *zone, u64 *allocs, u64 *fails)
{
	u64 frees = 0;
	unsigned int cpu;

	*allocs = 0;
	*fails = 0;
	for_each_possible_cpu(cpu) {
		struct uma_cache *cache = per_cpu_ptr(zone->uz_hot.uz_cpu, cpu);

		/* In this order nobody's freeing is seen without its allocation. */
		frees += READ_ONCE(cache->uc_frees);
		*allocs += READ_ONCE(cache->uc_allocs);
		*fails += READ_ONCE(cache->uc_fails);
	}
	return *allocs > frees ? *allocs - frees : 0;
}

unsigned long uma_zone_get_cur(struct uma_zone *zone)
{
	u64 allocs, fails;

	return zone_count(zone, &allocs, &fails);
}
EXPORT_SYMBOL_IF_KUNIT(uma_zone_get_cur);

void uma_zone_get_stats(struct uma_zone *zone, struct uma_stats *stats)
{
	struct uma_keg *keg = &zone->uz_keg;
	u64 items;

	memset(stats, 0, sizeof(*stats));
	strscpy(stats->name, zone->uz_name, sizeof(stats->name));
	stats->size = keg->uk_size;
	stats->rsize = keg->uk_rsize;
	stats->used = zone_count(zone, &stats->requests, &stats->failures);
	stats->sleeps = atomic64_read(&zone->uz_sleeps);
	stats->bucket = READ_ONCE(zone->uz_bucket_size);
	spin_lock(&keg->uk_lock);
	stats->limit = keg->uk_max;
	stats->slabs = keg->uk_slabs;
	items = keg->uk_free + keg->uk_out;
	spin_unlock(&keg->uk_lock);
	stats->pages = stats->slabs * keg->uk_ppera;
	stats->free = items > stats->used ? items - stats->used : 0;
}
EXPORT_SYMBOL_IF_KUNIT(uma_zone_get_stats);

int uma_zone_stats(unsigned int index, struct uma_stats *stats)
{
	struct uma_zone *zone;
	int ret = -ENOENT;

	mutex_lock(&zones_lock);
	list_for_each_entry(zone, &zones, uz_link) {
		if (index--)
			continue;
		uma_zone_get_stats(zone, stats);
		ret = 0;
		break;
	}
	mutex_unlock(&zones_lock);
	return ret;
}
EXPORT_SYMBOL_IF_KUNIT(uma_zone_stats);

/* --- start and end */

static struct uma_zone *zone_create_internal(const char *name, size_t size)
{
	struct uma_zone *zone;

	zone = uma_zcreate(name, size, NULL, NULL, NULL, NULL, UMA_ALIGN_PTR,
			   UMA_ZONE_NOBUCKET | UMA_ZONE_NODEBUG);
	if (zone)
		zone->uz_internal = true;
	return zone;
}

int uma_startup(void)
{
	unsigned int i;
	int cpu;

	uma_drain_wq = alloc_workqueue("bsdvm_uma", WQ_MEM_RECLAIM, 0);
	if (!uma_drain_wq)
		return -ENOMEM;
	for_each_possible_cpu(cpu)
		INIT_WORK(per_cpu_ptr(&uma_drain_work, cpu), uma_drain_work_fn);
	/* The oldest of all: everybody's, buckets' included. */
	uma_slab_zone = zone_create_internal("UMA Slabs", UMA_SLAB_SIZE);
	if (!uma_slab_zone)
		goto fail;
	for (i = 0; i < ARRAY_SIZE(bucket_zones); i++) {
		bucket_zones[i].zone = zone_create_internal(bucket_zones[i].name,
							    bucket_zones[i].size);
		if (!bucket_zones[i].zone)
			goto fail;
	}
	return 0;

fail:
	uma_shutdown();
	return -ENOMEM;
}

/* Zones that were to be gone by now. */
static void uma_destroy_strays(void)
{
	struct uma_zone *zone, *next;

	list_for_each_entry_safe_reverse(zone, next, &zones, uz_link) {
		if (zone->uz_internal)
			continue;
		uma_dbg_report(zone->uz_name, UMA_LEAK, (void *)uma_zone_get_cur(zone));
		uma_zdestroy(zone);
	}
}

void uma_shutdown(void)
{
	unsigned int i = ARRAY_SIZE(bucket_zones);

	uma_destroy_strays();
	while (i--) {
		uma_zdestroy(bucket_zones[i].zone);
		bucket_zones[i].zone = NULL;
	}
	uma_zdestroy(uma_slab_zone);
	uma_slab_zone = NULL;
	if (uma_drain_wq)
		destroy_workqueue(uma_drain_wq);
	uma_drain_wq = NULL;
}
