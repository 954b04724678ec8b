// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * uma_dbg: misuse of items is found.
 *
 *	use after free	KASAN finds it when it happens: free items are poisoned. Without
 *			KASAN a change of a free item is found when it is next allocated,
 *			or its slab given back: it was filled with a pattern
 *	double free	each slab knows which of its items are in somebody's hands
 *	wrong zone	each slab knows its keg
 *	overrun		KASAN as above; without it, when the item is freed: behind it is a
 *			red zone, as long as an item that fills its page does not need a
 *			second one for it
 *	leak		whatever has not come back when its zone goes
 *
 * An item that is freed though it cannot be is left alone: what it was part of stays
 * whole. Items with an init keep their content while they are free, so they are filled
 * with no pattern; those of UMA_ZONE_NOFREE may be read while they are free, so
 * they are not poisoned either.
 *
 * This file is compiled without KASAN, for it reads what nobody may.
 *
 * (McKusick et al., chapter 6.3; the pattern is that of BSD kernels since 4.3BSD-Reno.)
 */

#include "uma_int.h"

#ifdef BSDVM_DEBUG
bool uma_debug = true;
#else
bool uma_debug;
#endif

/* A KASAN shadow byte is about so many bytes. */
#define DBG_GRANULE	8
/* The shadow of bytes that may be used, of free items, and of what lies between. */
#define DBG_ALL_GOOD	0
#define DBG_FREE	0xfb
#define DBG_REDZONE	0xfc

#define DBG_REDZONE_BYTE 0xcc

#ifdef CONFIG_FAULT_INJECTION
static DECLARE_FAULT_ATTR(uma_fail);

/*
 * Is this allocation to fail, for the sake of a test? As Linux's allocators it obeys
 * /proc/PID/fail-nth; and it may be probed.
 */
noinline bool uma_dbg_fail(struct uma_zone *zone, int flags)
{
	uma_fail.verbose = 0;
	return flags & M_NOWAIT && should_fail(&uma_fail, zone->uz_keg.uk_size);
}
#else
bool uma_dbg_fail(struct uma_zone *zone, int flags)
{
	return false;
}
#endif

static const char *const misuses[] = {
	[UMA_USE_AFTER_FREE] = "changed after it was freed",
	[UMA_DOUBLE_FREE] = "freed twice",
	[UMA_OVERRUN] = "changed behind its end",
	[UMA_WRONG_ZONE] = "freed, and of another zone",
	[UMA_BAD_ADDRESS] = "freed, and not an item",
};

static void dbg_warn(const char *zone, enum uma_misuse what, const void *item)
{
	if (what == UMA_LEAK) {
		pr_err("%s: %lu items were never freed\n", zone, (unsigned long)item);
		WARN(1, "leak in zone %s\n", zone);
	} else {
		pr_err("%s: item %p was %s\n", zone, item, misuses[what]);
		WARN(1, "misuse of zone %s: item was %s\n", zone, misuses[what]);
	}
}

typeof(dbg_warn) *uma_dbg_report = dbg_warn;
EXPORT_SYMBOL_IF_KUNIT(uma_dbg_report);

/* --- KASAN */

#ifdef CONFIG_KASAN_GENERIC
/* The last bytes may be fewer than a shadow byte is about, if they may be used. */
static void dbg_shadow(const void *addr, size_t size, u8 value)
{
	u8 *shadow = kasan_mem_to_shadow(addr);
	size_t i, n = size / DBG_GRANULE, rest = size % DBG_GRANULE;

	for (i = 0; i < n; i++)
		WRITE_ONCE(shadow[i], value);
	if (rest)
		WRITE_ONCE(shadow[n], value == DBG_ALL_GOOD ? rest : value);
}
#else
static void dbg_shadow(const void *addr, size_t size, u8 value)
{
}
#endif

static void dbg_poison(struct uma_keg *keg, const void *item, u8 value)
{
	if (keg->uk_flags & UK_POISON)
		dbg_shadow(item, keg->uk_size, value);
}

/* --- patterns */

static u8 dbg_trash_byte(size_t i)
{
	return (u8)(0xdeadc0de >> i % 4 * BITS_PER_BYTE);
}

static void dbg_trash(struct uma_keg *keg, u8 *item)
{
	size_t i;

	if (!(keg->uk_flags & UK_TRASH))
		return;
	for (i = 0; i < keg->uk_size; i++)
		item[i] = dbg_trash_byte(i);
}

static bool dbg_trash_whole(const struct uma_keg *keg, const u8 *item)
{
	size_t i;

	if (!(keg->uk_flags & UK_TRASH))
		return true;
	for (i = 0; i < keg->uk_size; i++) {
		if (item[i] != dbg_trash_byte(i))
			return false;
	}
	return true;
}

static void dbg_redzone(const struct uma_keg *keg, u8 *item)
{
	size_t i;

	for (i = keg->uk_size; i < keg->uk_rsize; i++)
		item[i] = DBG_REDZONE_BYTE;
}

static bool dbg_redzone_whole(const struct uma_keg *keg, const u8 *item)
{
	size_t i;

	for (i = keg->uk_size; i < keg->uk_rsize; i++) {
		if (item[i] != DBG_REDZONE_BYTE)
			return false;
	}
	return true;
}

/* A free item is as it was left. */
static void dbg_check_whole(struct uma_keg *keg, void *item)
{
	const char *name = uma_keg_zone(keg)->uz_name;

	if (!dbg_trash_whole(keg, item))
		uma_dbg_report(name, UMA_USE_AFTER_FREE, item);
	if (!dbg_redzone_whole(keg, item)) {
		uma_dbg_report(name, UMA_OVERRUN, item);
		dbg_redzone(keg, item);
	}
}

/* --- slabs */

/* Bytes of a slab that are no header. */
static size_t dbg_slab_space(const struct uma_keg *keg)
{
	size_t space = ptoa(keg->uk_ppera);

	return keg->uk_flags & UK_OFFPAGE ? space : space - keg->uk_hdrsize;
}

void uma_dbg_slab_new(struct uma_slab *slab)
{
	struct uma_keg *keg = slab->us_keg;
	unsigned int i;

	if (keg->uk_flags & UK_POISON)
		dbg_shadow(uma_slab_base(slab), rounddown(dbg_slab_space(keg), DBG_GRANULE),
			   DBG_REDZONE);
	for (i = 0; i < keg->uk_ipers; i++) {
		dbg_trash(keg, uma_slab_item(slab, i));
		dbg_redzone(keg, uma_slab_item(slab, i));
		dbg_poison(keg, uma_slab_item(slab, i), DBG_FREE);
	}
}

void uma_dbg_slab_free(struct uma_slab *slab)
{
	struct uma_keg *keg = slab->us_keg;
	unsigned int i;

	for (i = 0; i < keg->uk_ipers; i++) {
		if (test_bit(i, slab->us_bits))
			dbg_check_whole(keg, uma_slab_item(slab, i));
	}
	if (keg->uk_flags & UK_POISON)
		dbg_shadow(uma_slab_base(slab), ptoa(keg->uk_ppera), DBG_ALL_GOOD);
}

/* --- items */

void uma_dbg_alloc(struct uma_zone *zone, void *item)
{
	struct uma_slab *slab = vtoslab(item);
	struct uma_keg *keg = &zone->uz_keg;

	dbg_check_whole(keg, item);
	if (test_and_set_bit(uma_slab_index(slab, item), uma_slab_used(slab)))
		uma_dbg_report(zone->uz_name, UMA_DOUBLE_FREE, item);
	dbg_poison(keg, item, DBG_ALL_GOOD);
}

bool uma_dbg_check_free(struct uma_zone *zone, void *item)
{
	struct uma_slab *slab = vtoslab(item);
	struct uma_keg *keg = &zone->uz_keg;
	enum uma_misuse what;
	unsigned int i;

	if (!slab) {
		what = UMA_BAD_ADDRESS;
		goto report;
	}
	if (slab->us_keg != keg) {
		what = UMA_WRONG_ZONE;
		goto report;
	}
	i = uma_slab_index(slab, item);
	if (i >= keg->uk_ipers || item != uma_slab_item(slab, i)) {
		what = UMA_BAD_ADDRESS;
		goto report;
	}
	if (!test_and_clear_bit(i, uma_slab_used(slab))) {
		what = UMA_DOUBLE_FREE;
		goto report;
	}
	if (!dbg_redzone_whole(keg, item)) {
		uma_dbg_report(zone->uz_name, UMA_OVERRUN, item);
		dbg_redzone(keg, item);
	}
	/* The destructor may use all of it, whatever uma_dbg_resize() said. */
	dbg_poison(keg, item, DBG_ALL_GOOD);
	return true;

report:
	uma_dbg_report(zone->uz_name, what, item);
	return false;
}

void uma_dbg_free(struct uma_zone *zone, void *item)
{
	dbg_trash(&zone->uz_keg, item);
	dbg_poison(&zone->uz_keg, item, DBG_FREE);
}

void uma_dbg_resize(struct uma_zone *zone, void *item, size_t size)
{
	if (!(zone->uz_keg.uk_flags & UK_POISON))
		return;
	dbg_poison(&zone->uz_keg, item, DBG_REDZONE);
	dbg_shadow(item, size, DBG_ALL_GOOD);
}
