// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * pmap_pte: the way to a slot through Linux's page tables.
 *
 * Read-only walks by the kernel's inline helpers, without their checks for entries
 * gone bad: within a window nobody but us and Linux's own teardown writes, and the
 * tables stand still (see vm/pmap.h).
 */
#include "pmap_var.h"

/*
 * The page middle directory slot of @va, NULL when the tables do not reach that
 * far. *@next is then where the hole ends.
 */
pmd_t *pmap_pmd_lookup(struct mm_struct *mm, vm_offset_t va, vm_offset_t *next)
{
	pgd_t *pgd = pgd_offset(mm, va);
	p4d_t *p4d;
	pud_t *pud;
	pmd_t *pmd;

	*next = ALIGN_DOWN(va, PGDIR_SIZE) + PGDIR_SIZE;
	if (pgd_none(*pgd))
		return NULL;
	p4d = p4d_offset(pgd, va);
	*next = ALIGN_DOWN(va, P4D_SIZE) + P4D_SIZE;
	if (p4d_none(*p4d))
		return NULL;
	pud = pud_offset(p4d, va);
	*next = ALIGN_DOWN(va, PUD_SIZE) + PUD_SIZE;
	if (pud_none(*pud))
		return NULL;
	pmd = pmd_offset(pud, va);
	*next = ALIGN_DOWN(va, PMD_SIZE) + PMD_SIZE;
	return pmd_none(*pmd) ? NULL : pmd;
}

pte_t *pmap_pte_lookup(struct mm_struct *mm, vm_offset_t va, spinlock_t **ptl)
{
	vm_offset_t next;
	pmd_t *pmd = pmap_pmd_lookup(mm, va, &next);

	if (!pmd)
		return NULL;
	*ptl = pte_lockptr(mm, pmd);
	return pte_offset_kernel(pmd, va);
}

bool pte_run_next(struct mm_struct *mm, struct pte_run *run, vm_offset_t eva)
{
	vm_offset_t va = run->end, next;
	pmd_t *pmd;

	for (; va < eva; va = next) {
		pmd = pmap_pmd_lookup(mm, va, &next);
		if (!pmd)
			continue;
		run->va = va;
		run->end = min(next, eva);
		run->ptep = pte_offset_kernel(pmd, va);
		run->ptl = pte_lockptr(mm, pmd);
		return true;
	}
	return false;
}
