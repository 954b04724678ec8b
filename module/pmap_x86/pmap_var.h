/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * pmap_var: what the files of the pmap share among themselves.
 */
#ifndef BSDVM_PMAP_VAR_H
#define BSDVM_PMAP_VAR_H

#include <linux/mm.h>
#include <linux/pgtable.h>

#include "pmap_x86.h"
#include "vm/_vm_page.h"

/**
 * pmap_pv_init() - set up pmap_pv.c, a part of pmap_init()
 *
 * Context: start-up only.
 * Return: 0, -ENOMEM.
 */
int pmap_pv_init(void);

/**
 * pmap_pv_fini() - undo pmap_pv_init()
 *
 * Context: shut-down only.
 */
void pmap_pv_fini(void);

/* A pv entry: the group's id above, the page of the window below. */
#define PV_PGOFF_BITS	35

/**
 * pmap_pv_key() - the pv entry of an address
 * @pmap: the pmap
 * @va: the address
 *
 * Return: the entry; that of the next page is one more.
 */
static inline u64 pmap_pv_key(const struct pmap *pmap, vm_offset_t va)
{
	return (u64)pmap->group->id << PV_PGOFF_BITS | (va - pmap->start) >> PAGE_SHIFT;
}

/**
 * pmap_pv_insert_more() - pmap_pv_insert() for a page that is mapped elsewhere already
 * @m: the page
 * @key: the entry
 *
 * Context: as pmap_pv_insert().
 * Return: as pmap_pv_insert().
 */
int pmap_pv_insert_more(struct vm_page *m, u64 key);

/**
 * pmap_pv_insert() - note that a pmap may map a page
 * @m: the page
 * @key: where, as pmap_pv_key() says
 *
 * Costs a comparison when it is noted already, one atomic operation for the first
 * mapping of a page, an allocation only beyond. Does not sleep.
 *
 * Context: the page's object locked, shared or exclusively.
 * Return: KERN_SUCCESS; KERN_NO_SPACE when the group has too many entries for the
 * page already; KERN_RESOURCE_SHORTAGE for want of memory.
 */
static __always_inline int pmap_pv_insert(struct vm_page *m, u64 key)
{
	u64 old = READ_ONCE(m->md.pv_first);

	if (old == key)
		return KERN_SUCCESS;
	if (!old && (try_cmpxchg64(&m->md.pv_first, &old, key) || old == key))
		return KERN_SUCCESS;
	return pmap_pv_insert_more(m, key);
}

/**
 * pmap_tlb_shootdown() - make every CPU forget a range
 * @pmap: the pmap
 * @sva: first address, page aligned
 * @eva: address behind the last
 *
 * Call after the page tables were changed. Finished when it returns.
 *
 * Context: any in which CPUs can be interrupted: interrupts on. Spinlocks may be
 * held that nobody takes with interrupts off.
 */
void pmap_tlb_shootdown(struct pmap *pmap, vm_offset_t sva, vm_offset_t eva);

/**
 * pmap_pmd_lookup() - what points to the page table of an address, if that stands
 * @mm: the address space
 * @va: the address
 * @next: where it goes from which address on something else does
 *
 * Context: page tables stand still.
 * Return: the slot of the page middle directory, NULL when there is no table.
 */
pmd_t *pmap_pmd_lookup(struct mm_struct *mm, vm_offset_t va, vm_offset_t *next);

/**
 * pmap_pte_lookup() - the slot of an address, if its page table stands
 * @mm: the address space
 * @va: the address
 * @ptl: where the lock of the page table goes
 *
 * Context: page tables stand still.
 * Return: the slot, NULL when there is no table.
 */
pte_t *pmap_pte_lookup(struct mm_struct *mm, vm_offset_t va, spinlock_t **ptl);

/**
 * struct pte_run - the slots of one page table within a range
 * @va: address of the first slot
 * @end: address behind the last
 * @ptep: the first slot
 * @ptl: lock of the table
 */
struct pte_run {
	vm_offset_t va;
	vm_offset_t end;
	pte_t *ptep;
	spinlock_t *ptl; /* the page table's */
};

/**
 * pte_run_next() - go to the next table that stands below an address
 * @mm: the address space
 * @run: the run to move; start with its end at the start of the range
 * @eva: address behind the range
 *
 * A range costs what stands in it, not its length.
 *
 * Context: page tables stand still.
 * Return: false when there is none.
 */
bool pte_run_next(struct mm_struct *mm, struct pte_run *run, vm_offset_t eva);

/**
 * pmap_pte_maps() - is this the translation to that page?
 * @pte: the translation
 * @m: the page
 *
 * Return: true when it is.
 */
static inline bool pmap_pte_maps(pte_t pte, const struct vm_page *m)
{
	return pte_present(pte) && pte_pfn(pte) == m->phys_addr >> PAGE_SHIFT;
}

#endif /* BSDVM_PMAP_VAR_H */
