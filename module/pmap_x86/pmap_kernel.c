// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * pmap_kernel: translations of kernel addresses.
 *
 * The kernel's own page tables are not for a module to extend. So we have Linux map
 * one frame of ours, the placeholder, over and over through a range of its vmalloc
 * area: that makes all the page tables that the range will ever need, and makes the
 * range ours until we give it back. Then every slot is cleared, so that an address
 * at which nothing was entered faults and does not reach the placeholder. Clear slots
 * are what vunmap() leaves behind itself, and it minds them as little in the end.
 *
 * Nobody else looks at the slots but to read /proc/kcore. Whoever enters or removes
 * a translation owns its address; no lock is needed.
 *
 * TLB. Kernel addresses may be cached on every CPU, whatever process it runs. No CPU
 * caches that there is no translation, so only one that goes or changes is shot
 * down, once for a call: see pmap_tlb.c for why the flush is our own.
 *
 * KASAN. Linux made shadow for the whole range when it mapped it. Here it follows
 * the translations: what is not entered is as forbidden to KASAN as it is to the MMU, so
 * that the report names the access and not only the address.
 */
#include <linux/kasan.h>
#include <linux/mm.h>
#include <linux/smp.h>
#include <linux/vmalloc.h>

#include <asm/cpufeature.h>
#include <asm/pgtable_types.h>
#include <asm/tlbflush.h>

#include "pmap_var.h"
#include "vm/vm_phys.h"
#include "vm/vmmeter.h"

/* Beyond this many pages a full flush is cheaper, as Linux has it. */
#define PMAP_KERNEL_SINGLE_MAX	33

/* What KASAN's reports call out of the bounds of a vmalloc area. */
#define PMAP_KERNEL_POISON	0xf8

vm_offset_t virtual_avail;
EXPORT_SYMBOL_IF_KUNIT(virtual_avail);
vm_offset_t virtual_end;
EXPORT_SYMBOL_IF_KUNIT(virtual_end);

static struct page *placeholder;

/* The page table of each PMD_SIZE of the range. They stay as long as it is ours. */
static pte_t **kernel_tables;

#ifdef CONFIG_KASAN_VMALLOC
static void shadow_set(vm_offset_t va, unsigned long count, u8 value)
{
	__memset(kasan_mem_to_shadow((void *)va), value,
		 count << (PAGE_SHIFT - KASAN_SHADOW_SCALE_SHIFT));
}
#else
static void shadow_set(vm_offset_t va, unsigned long count, u8 value)
{
}
#endif

/* --- slots */

static bool in_arena(vm_offset_t va)
{
	return va >= virtual_avail && va < virtual_end;
}

static unsigned long kernel_table_index(vm_offset_t va)
{
	return (va >> PMD_SHIFT) - (virtual_avail >> PMD_SHIFT);
}

static pte_t *kernel_slot(vm_offset_t va)
{
	VM_ASSERT(in_arena(va));
	return kernel_tables[kernel_table_index(va)] + pte_index(va);
}

/* The slot of @va, behind @ptep, that of the page below: in the same table mostly. */
static pte_t *kernel_slot_next(pte_t *ptep, vm_offset_t va)
{
	return va & ~PMD_MASK ? ptep + 1 : kernel_slot(va);
}

/* --- shootdown */

/**
 * struct kernel_range - addresses whose translations have gone or changed
 * @start: the first; above @end when there are none
 * @end: the address behind the last
 */
struct kernel_range {
	vm_offset_t start;
	vm_offset_t end;
};

#define KERNEL_RANGE_NONE	{ .start = U64_MAX, .end = 0 }

static void kernel_range_add(struct kernel_range *range, vm_offset_t va)
{
	range->start = min(range->start, va);
	range->end = va + PAGE_SIZE;
}

static void kernel_flush_local(void *arg)
{
	const struct kernel_range *range = arg;
	vm_offset_t va;

	/* Without global translations INVLPG leaves those of other ASIDs alone. */
	if (boot_cpu_has(X86_FEATURE_PTI) ||
	    range->end - range->start > PMAP_KERNEL_SINGLE_MAX * PAGE_SIZE) {
		__flush_tlb_all();
		return;
	}
	for (va = range->start; va < range->end; va += PAGE_SIZE)
		asm volatile("invlpg (%0)" : : "r" (va) : "memory");
}

static void kernel_shootdown(struct kernel_range *range)
{
	if (range->start >= range->end)
		return;
	VM_CNT_INC(v_shootdowns);
	VM_CNT_ADD(v_shootdown_cpus, num_online_cpus() - 1);
	on_each_cpu(kernel_flush_local, range, 1);
}

/* --- the contract */

static void kernel_set(pte_t *ptep, vm_offset_t va, vm_paddr_t pa, struct kernel_range *stale)
{
	pte_t old = READ_ONCE(*ptep);

	set_pte(ptep, pfn_pte(pa >> PAGE_SHIFT, PAGE_KERNEL));
	if (pte_present(old) && pte_pfn(old) != pa >> PAGE_SHIFT)
		kernel_range_add(stale, va);
}

void pmap_kenter(vm_offset_t va, vm_paddr_t pa)
{
	struct kernel_range stale = KERNEL_RANGE_NONE;

	kernel_set(kernel_slot(va), va, pa, &stale);
	shadow_set(va, 1, 0);
	kernel_shootdown(&stale);
}
EXPORT_SYMBOL_IF_KUNIT(pmap_kenter);

void pmap_qenter(vm_offset_t va, struct vm_page **ma, unsigned long count)
{
	struct kernel_range stale = KERNEL_RANGE_NONE;
	pte_t *ptep = NULL;
	unsigned long i;

	for (i = 0; i < count; i++) {
		ptep = ptep ? kernel_slot_next(ptep, va + ptoa(i)) : kernel_slot(va);
		kernel_set(ptep, va + ptoa(i), ma[i]->phys_addr, &stale);
	}
	shadow_set(va, count, 0);
	kernel_shootdown(&stale);
}
EXPORT_SYMBOL_IF_KUNIT(pmap_qenter);

void pmap_qremove(vm_offset_t va, unsigned long count)
{
	struct kernel_range stale = KERNEL_RANGE_NONE;
	pte_t *ptep = NULL;
	unsigned long i;

	shadow_set(va, count, PMAP_KERNEL_POISON);
	for (i = 0; i < count; i++) {
		ptep = ptep ? kernel_slot_next(ptep, va + ptoa(i)) : kernel_slot(va);
		if (!pte_present(READ_ONCE(*ptep)))
			continue;
		set_pte(ptep, __pte(0));
		kernel_range_add(&stale, va + ptoa(i));
	}
	kernel_shootdown(&stale);
}
EXPORT_SYMBOL_IF_KUNIT(pmap_qremove);

void pmap_kremove(vm_offset_t va)
{
	pmap_qremove(va, 1);
}
EXPORT_SYMBOL_IF_KUNIT(pmap_kremove);

vm_paddr_t pmap_kextract(vm_offset_t va)
{
	pte_t pte;

	if (!in_arena(va))
		return virt_addr_valid((void *)va) ? __pa(va) : 0;
	pte = READ_ONCE(*kernel_slot(va));
	return pte_present(pte) ? PFN_PHYS(pte_pfn(pte)) | (va & ~PAGE_MASK) : 0;
}
EXPORT_SYMBOL_IF_KUNIT(pmap_kextract);

/* --- start and end */

/* Have Linux map the placeholder @count times. */
static void *arena_map(unsigned long count)
{
	struct page **pages;
	void *mem = NULL;

	/* vmap() would refuse it, but not before we had asked for much memory. */
	if (count > totalram_pages())
		return NULL;
	pages = kvmalloc_array(count, sizeof(*pages),
			       GFP_KERNEL | __GFP_RETRY_MAYFAIL | __GFP_NOWARN);
	if (pages) {
		memset64((u64 *)pages, (u64)placeholder, count);
		mem = vmap(pages, count, VM_MAP, PAGE_KERNEL);
	}
	kvfree(pages);
	return mem;
}

/* Find the page tables of the range, for it takes Linux hundreds of instructions. */
static int kernel_tables_init(void)
{
	unsigned long i, count = kernel_table_index(virtual_end - 1) + 1;
	unsigned int level;
	vm_offset_t va;
	pte_t *ptep;

	kernel_tables = kvmalloc_array(count, sizeof(*kernel_tables), GFP_KERNEL);
	if (!kernel_tables)
		return -ENOMEM;
	for (i = 0, va = virtual_avail; i < count; i++, va = (va & PMD_MASK) + PMD_SIZE) {
		ptep = lookup_address(va, &level);
		/* That is how vmap() maps pages. */
		if (WARN_ON(!ptep || level != PG_LEVEL_4K)) {
			kvfree(kernel_tables);
			return -ENOMEM;
		}
		kernel_tables[i] = ptep - pte_index(va);
	}
	return 0;
}

int pmap_kernel_init(vm_size_t size)
{
	void *mem;

	placeholder = alloc_page(GFP_KERNEL | __GFP_ZERO);
	if (!placeholder)
		return -ENOMEM;
	mem = arena_map(atop(size));
	if (!mem)
		goto free_placeholder;
	virtual_avail = (vm_offset_t)mem;
	virtual_end = virtual_avail + size;
	if (kernel_tables_init())
		goto unmap;
	pmap_qremove(virtual_avail, atop(size));
	return 0;

unmap:
	vunmap(mem);
	virtual_avail = 0;
	virtual_end = 0;
free_placeholder:
	__free_page(placeholder);
	return -ENOMEM;
}

void pmap_kernel_fini(void)
{
	vunmap((void *)virtual_avail);
	virtual_avail = 0;
	virtual_end = 0;
	kvfree(kernel_tables);
	__free_page(placeholder);
}
