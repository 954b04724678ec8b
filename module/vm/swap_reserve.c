// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * swap_reserve: the account of memory promised.
 *
 * One counter for the machine: it moves with mappings, not with faults.
 */
#include "swap_reserve.h"

#include "vm_phys.h"

unsigned int vm_overcommit;
EXPORT_SYMBOL_IF_KUNIT(vm_overcommit);

/* In pages: bytes could be counted up to the end by two huge objects. */
static atomic64_t reserved;

/* Pages of swap devices. */
static atomic64_t devices;

void swap_reserve_grow(u64 pages)
{
	atomic64_add(pages, &devices);
}
EXPORT_SYMBOL_IF_KUNIT(swap_reserve_grow);

void swap_reserve_shrink(u64 pages)
{
	atomic64_sub(pages, &devices);
}
EXPORT_SYMBOL_IF_KUNIT(swap_reserve_shrink);

u64 swap_total(void)
{
	u64 pages = atomic64_read(&devices);

	if (READ_ONCE(vm_overcommit) & SWAP_RESERVE_ALLOW_NONWIRED)
		pages += vm_phys_page_count();
	return ptoa(pages);
}
EXPORT_SYMBOL_IF_KUNIT(swap_total);

u64 swap_reserved(void)
{
	return ptoa(min_t(u64, atomic64_read(&reserved), atop(U64_MAX)));
}
EXPORT_SYMBOL_IF_KUNIT(swap_reserved);

static bool swap_enforced(void)
{
	return READ_ONCE(vm_overcommit) & SWAP_RESERVE_FORCE_ON;
}

bool swap_reserve(u64 incr)
{
	u64 after = atomic64_add_return(atop(incr), &reserved);

	if (!incr || !swap_enforced() || after <= atop(swap_total()))
		return true;
	atomic64_sub(atop(incr), &reserved);
	return false;
}
EXPORT_SYMBOL_IF_KUNIT(swap_reserve);

void swap_reserve_force(u64 incr)
{
	atomic64_add(atop(incr), &reserved);
}
EXPORT_SYMBOL_IF_KUNIT(swap_reserve_force);

void swap_release(u64 decr)
{
	VM_ASSERT((u64)atomic64_read(&reserved) >= atop(decr));
	atomic64_sub(atop(decr), &reserved);
}
EXPORT_SYMBOL_IF_KUNIT(swap_release);
