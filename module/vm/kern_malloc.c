// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * kern_malloc: memory of any size for the kernel's own records.
 *
 * Up to a page, it is an item of the zone of the next power of two; beyond that, pages
 * of their own out of the kernel map. Which it was, and how large, stands behind the
 * vm_page of its address, so that free() is told neither.
 *
 * What is in use of each type is counted by each CPU for itself, with preemption off.
 * The bytes are summed up whenever a CPU has a batch of them, for the most there ever
 * were: how many that is cannot be found out later. In between each CPU remembers its own
 * peak. Adding those up is exact while one CPU is at it, else a bit too much.
 *
 * Locks: a mutex would do for the list of types but for the first malloc() of a type,
 * which may be in atomic context; so it is a spinlock.
 *
 * (McKusick et al., chapter 6.3; McKusick and Karels, "Design of a General Purpose
 * Memory Allocator for the 4.3BSD UNIX Kernel", USENIX Summer 1988.)
 */

#include "uma_int.h"

#define MALLOC_MIN_SHIFT	4
#define MALLOC_MAX_SHIFT	VM_PAGE_SHIFT
#define MALLOC_ZONES		(MALLOC_MAX_SHIFT - MALLOC_MIN_SHIFT + 1)
#define MALLOC_MAX_ZONE		BIT(MALLOC_MAX_SHIFT)

/* For any type of C. */
#define MALLOC_ALIGN		(BIT(MALLOC_MIN_SHIFT) - 1)

/* The bit of mts_size for what is larger. */
#define MALLOC_LARGE		MALLOC_ZONES

/* A CPU sums up when its part has changed by so many bytes. */
#define MALLOC_BATCH		(64 * 1024)

static struct malloc_zone {
	const char *name;
	struct uma_zone *zone;
} malloc_zones[MALLOC_ZONES] = {
	{ "malloc-16" }, { "malloc-32" }, { "malloc-64" }, { "malloc-128" }, { "malloc-256" },
	{ "malloc-512" }, { "malloc-1024" }, { "malloc-2048" }, { "malloc-4096" },
};

static DEFINE_SPINLOCK(types_lock);
static LIST_HEAD(types);

MALLOC_DEFINE(M_TEMP, "temp", "What no other type fits");

/* --- statistics */

static noinline void malloc_list_type(struct malloc_type *type)
{
	spin_lock(&types_lock);
	if (!type->ks_listed) {
		list_add_tail(&type->ks_link, &types);
		WRITE_ONCE(type->ks_listed, true);
	}
	spin_unlock(&types_lock);
}

static void malloc_raise_highuse(struct malloc_type *type, s64 use)
{
	s64 high = atomic64_read(&type->ks_highuse);

	while (use > high && !atomic64_try_cmpxchg(&type->ks_highuse, &high, use))
		;
}

/* Preemption is off. */
static noinline void malloc_sum_up(struct malloc_type *type, struct malloc_type_stats *stats)
{
	s64 before = atomic64_read(&type->ks_memuse);

	malloc_raise_highuse(type, before + stats->mts_peak);
	atomic64_add(stats->mts_delta, &type->ks_memuse);
	stats->mts_delta = 0;
	stats->mts_peak = 0;
}

static void malloc_type_allocated(struct malloc_type *type, size_t size, unsigned int zone)
{
	struct malloc_type_stats *stats;

	if (unlikely(!READ_ONCE(type->ks_listed)))
		malloc_list_type(type);
	preempt_disable();
	stats = this_cpu_ptr(type->ks_stats);
	stats->mts_memalloced += size;
	stats->mts_numallocs++;
	stats->mts_size |= BIT(zone);
	stats->mts_delta += size;
	stats->mts_peak = max(stats->mts_peak, stats->mts_delta);
	if (unlikely(stats->mts_delta > MALLOC_BATCH))
		malloc_sum_up(type, stats);
	preempt_enable();
}

static void malloc_type_freed(struct malloc_type *type, size_t size)
{
	struct malloc_type_stats *stats;

	preempt_disable();
	stats = this_cpu_ptr(type->ks_stats);
	stats->mts_memfreed += size;
	stats->mts_numfrees++;
	stats->mts_delta -= size;
	if (unlikely(stats->mts_delta < -MALLOC_BATCH))
		malloc_sum_up(type, stats);
	preempt_enable();
}

static void malloc_type_sum(struct malloc_type *type, struct malloc_type_info *info)
{
	u64 numfrees = 0, memalloced = 0, memfreed = 0;
	s64 peak = atomic64_read(&type->ks_memuse);
	unsigned int cpu;

	memset(info, 0, sizeof(*info));
	strscpy(info->name, type->ks_shortdesc, sizeof(info->name));
	for_each_possible_cpu(cpu) {
		struct malloc_type_stats *stats = per_cpu_ptr(type->ks_stats, cpu);

		/* Frees first: not one whose allocation is not seen. */
		numfrees += READ_ONCE(stats->mts_numfrees);
		memfreed += READ_ONCE(stats->mts_memfreed);
		info->requests += READ_ONCE(stats->mts_numallocs);
		memalloced += READ_ONCE(stats->mts_memalloced);
		info->sizes |= READ_ONCE(stats->mts_size);
		peak += READ_ONCE(stats->mts_peak);
	}
	malloc_raise_highuse(type, peak);
	info->inuse = info->requests > numfrees ? info->requests - numfrees : 0;
	info->memuse = memalloced > memfreed ? memalloced - memfreed : 0;
	info->highuse = max_t(u64, atomic64_read(&type->ks_highuse), info->memuse);
}

int malloc_type_info(unsigned int index, struct malloc_type_info *info)
{
	struct malloc_type *type;
	int ret = -ENOENT;

	spin_lock(&types_lock);
	list_for_each_entry(type, &types, ks_link) {
		if (index--)
			continue;
		malloc_type_sum(type, info);
		ret = 0;
		break;
	}
	spin_unlock(&types_lock);
	return ret;
}
EXPORT_SYMBOL_IF_KUNIT(malloc_type_info);

void malloc_uninit(struct malloc_type *type)
{
	struct malloc_type_info info;

	if (!type->ks_listed)
		return;
	spin_lock(&types_lock);
	list_del(&type->ks_link);
	type->ks_listed = false;
	malloc_type_sum(type, &info);
	spin_unlock(&types_lock);
	if (info.inuse)
		uma_dbg_report(type->ks_shortdesc, UMA_LEAK, (void *)(unsigned long)info.inuse);
}
EXPORT_SYMBOL_NS_GPL(malloc_uninit, BSDVM);

/* --- memory */

static unsigned int malloc_zone_index(size_t size)
{
	if (size <= BIT(MALLOC_MIN_SHIFT))
		return 0;
	return fls_long(size - 1) - MALLOC_MIN_SHIFT;
}

static noinline void *malloc_large(size_t size, struct malloc_type *type, int flags)
{
	size_t pages = round_page(size);
	void *addr;
	int why;

	if (pages < size)
		return NULL;
	addr = uma_kmem_alloc(pages, flags & ~M_ZERO, &why);
	if (!addr)
		return NULL;
	uma_page_set_size(addr, pages);
	if (flags & M_ZERO)
		memset(addr, 0, size);
	malloc_type_allocated(type, pages, MALLOC_LARGE);
	return addr;
}

void *malloc(size_t size, struct malloc_type *type, int flags)
{
	unsigned int i;
	void *addr;

	if (unlikely(size > MALLOC_MAX_ZONE))
		return malloc_large(size, type, flags);
	i = malloc_zone_index(size);
	addr = uma_zalloc(malloc_zones[i].zone, flags);
	if (unlikely(!addr))
		return NULL;
	/* That is for KASAN alone. */
	if (IS_ENABLED(CONFIG_KASAN_GENERIC))
		uma_dbg_resize(malloc_zones[i].zone, addr, size);
	malloc_type_allocated(type, BIT(i + MALLOC_MIN_SHIFT), i);
	return addr;
}
EXPORT_SYMBOL_NS_GPL(malloc, BSDVM);

static noinline void free_large(void *addr, struct malloc_type *type)
{
	size_t size;

	if (!addr)
		return;
	size = uma_page_size(addr);
	if (!size) {
		uma_dbg_report(type->ks_shortdesc, UMA_BAD_ADDRESS, addr);
		return;
	}
	uma_page_set_size(addr, 0);
	malloc_type_freed(type, size);
	uma_kmem_free(addr, size);
}

void free(void *addr, struct malloc_type *type)
{
	struct uma_slab *slab;
	struct uma_zone *zone;

	/* NULL is in no slab either. */
	slab = vtoslab(addr);
	if (unlikely(!slab)) {
		free_large(addr, type);
		return;
	}
	zone = uma_keg_zone(slab->us_keg);
	if (unlikely(!zone->uz_malloc)) {
		uma_dbg_report(type->ks_shortdesc, UMA_WRONG_ZONE, addr);
		return;
	}
	malloc_type_freed(type, slab->us_keg->uk_size);
	uma_zfree(zone, addr);
}
EXPORT_SYMBOL_NS_GPL(free, BSDVM);

size_t malloc_usable_size(const void *addr)
{
	struct uma_slab *slab;

	if (!addr)
		return 0;
	slab = vtoslab(addr);
	return slab ? slab->us_keg->uk_size : uma_page_size(addr);
}
EXPORT_SYMBOL_IF_KUNIT(malloc_usable_size);

/* Is it worth while to keep the memory for so many bytes? */
static bool malloc_keeps(size_t usable, size_t size)
{
	if (size > usable)
		return false;
	return size > usable / 2 || usable == BIT(MALLOC_MIN_SHIFT);
}

void *realloc(void *addr, size_t size, struct malloc_type *type, int flags)
{
	struct uma_slab *slab;
	size_t usable;
	void *new;

	if (!addr)
		return malloc(size, type, flags);
	usable = malloc_usable_size(addr);
	slab = vtoslab(addr);
	if (malloc_keeps(usable, size)) {
		if (slab)
			uma_dbg_resize(uma_keg_zone(slab->us_keg), addr, size);
		return addr;
	}
	new = malloc(size, type, flags);
	if (!new)
		return NULL;
	/* How much of it was asked for is not known. */
	if (slab)
		uma_dbg_resize(uma_keg_zone(slab->us_keg), addr, usable);
	memcpy(new, addr, min(usable, size));
	free(addr, type);
	return new;
}
EXPORT_SYMBOL_IF_KUNIT(realloc);

void *reallocf(void *addr, size_t size, struct malloc_type *type, int flags)
{
	void *new = realloc(addr, size, type, flags);

	if (!new)
		free(addr, type);
	return new;
}
EXPORT_SYMBOL_IF_KUNIT(reallocf);

/* --- start and end */

int kmeminit(void)
{
	unsigned int i;

	for (i = 0; i < MALLOC_ZONES; i++) {
		size_t size = BIT(i + MALLOC_MIN_SHIFT);

		malloc_zones[i].zone = uma_zcreate(malloc_zones[i].name, size, NULL, NULL, NULL,
						   NULL, MALLOC_ALIGN, 0);
		if (!malloc_zones[i].zone) {
			kmemfini();
			return -ENOMEM;
		}
		malloc_zones[i].zone->uz_malloc = true;
	}
	return 0;
}

void kmemfini(void)
{
	struct malloc_type *type, *next;
	unsigned int i;

	list_for_each_entry_safe(type, next, &types, ks_link)
		malloc_uninit(type);
	for (i = 0; i < MALLOC_ZONES; i++) {
		uma_zdestroy(malloc_zones[i].zone);
		malloc_zones[i].zone = NULL;
	}
}
