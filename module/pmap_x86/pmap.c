// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * pmap: translations in the page tables of a real process.
 *
 * Linux owns the tables and frees them with the window; we own what stands in
 * the slots of the window. Every slot is special (no struct page to Linux) and
 * changed under the page table's own lock, which Linux's fault path takes as
 * well.
 *
 * Linux may clear slots behind our back (exit, or our own
 * unmap_mapping_range()), never change or move one. Nothing is lost by that:
 * dirty is noted in the vm_page before a slot is writable, and whether a page is
 * used is only a guess for the pageout daemon.
 *
 * Locks: see vm/pmap.h. mmap_lock or the lock of the window's VMA stands outside
 * of all VM locks, page-table locks inside.
 */
#include <linux/mm.h>
#include <linux/mm_inline.h>
#include <linux/mmap_lock.h>
#include <linux/pgtable.h>

#include "compat.h"
#include "pmap_var.h"
#include "trace.h"
#include "vm/vm_page.h"

/* Indices of the page attribute table. */
#define PMAP_MEMATTRS	8

/*
 * The bits of a PTE for each VM_MEMATTR_* and VM_PROT_*, all but the frame. Dirty
 * where writable: that is noted elsewhere, and spares the CPU from writing it.
 */
static pteval_t pmap_pte_bits[PMAP_MEMATTRS][VM_PROT_ALL + 1];

static pgprot_t pmap_cache_pgprot(pgprot_t pgprot, vm_memattr_t memattr)
{
	switch (memattr) {
	case VM_MEMATTR_WRITE_BACK:
		return pgprot;
	case VM_MEMATTR_WRITE_COMBINING:
		return pgprot_decrypted(pgprot_writecombine(pgprot));
	default:
		return pgprot_decrypted(pgprot_noncached(pgprot));
	}
}

static pteval_t pmap_make_pte_bits(vm_memattr_t memattr, vm_prot_t prot)
{
	pgprot_t pgprot = vm_get_page_prot(VM_SHARED | (prot & VM_PROT_READ ? VM_READ : 0) |
					   (prot & VM_PROT_WRITE ? VM_WRITE : 0) |
					   (prot & VM_PROT_EXECUTE ? VM_EXEC : 0));
	pte_t pte = pte_mkspecial(pfn_pte(0, pmap_cache_pgprot(pgprot, memattr)));

	return pte_val(prot & VM_PROT_WRITE ? pte_mkdirty(pte) : pte);
}

int pmap_init(void)
{
	vm_memattr_t memattr;
	vm_prot_t prot;

	/* Slots are read and written directly, which Xen's paravirtual guests may not. */
	if (boot_cpu_has(X86_FEATURE_XENPV))
		return -ENODEV;
	for (memattr = 0; memattr < PMAP_MEMATTRS; memattr++)
		for (prot = 0; prot <= VM_PROT_ALL; prot++)
			pmap_pte_bits[memattr][prot] = pmap_make_pte_bits(memattr, prot);
	return pmap_pv_init();
}

void pmap_fini(void)
{
	pmap_pv_fini();
}

void pmap_pinit(struct pmap *pmap, struct pmap_group *group, struct vm_area_struct *vma)
{
	mmap_assert_write_locked(vma->vm_mm);
	pmap->mm = vma->vm_mm;
	pmap->vma = vma;
	pmap->start = vma->vm_start;
	pmap->end = vma->vm_end;
	/* What the CPU can write or run it can read. */
	pmap->prot = (vma->vm_flags & (VM_READ | VM_WRITE | VM_EXEC) ? VM_PROT_READ : 0) |
		     (vma->vm_flags & VM_WRITE ? VM_PROT_WRITE : 0) |
		     (vma->vm_flags & VM_EXEC ? VM_PROT_EXECUTE : 0);
	pmap->group = group;
	mutex_lock(&group->lock);
	list_add(&pmap->link, &group->pmaps);
	mutex_unlock(&group->lock);
}
EXPORT_SYMBOL_IF_KUNIT(pmap_pinit);

void pmap_release(struct pmap *pmap)
{
	/* Another VMA may soon have the same address. */
	WRITE_ONCE(pmap->vma, NULL);
	mutex_lock(&pmap->group->lock);
	list_del(&pmap->link);
	mutex_unlock(&pmap->group->lock);
}
EXPORT_SYMBOL_IF_KUNIT(pmap_release);

/* Is the window still there? It may be gone since the caller found its vmspace. */
static bool pmap_attached(struct pmap *pmap)
{
	struct vm_area_struct *vma;
	bool attached;

	rcu_read_lock_sched();
	vma = READ_ONCE(pmap->vma);
	attached = vma && compat_vma_attached(pmap->mm, vma, pmap->start);
	rcu_read_unlock_sched();
	return attached;
}

bool pmap_pin_nowait(struct pmap *pmap)
{
	if (!pmap)
		return true;
	if (!mmap_read_trylock(pmap->mm))
		return false;
	if (pmap_attached(pmap))
		return true;
	mmap_read_unlock(pmap->mm);
	return false;
}
EXPORT_SYMBOL_IF_KUNIT(pmap_pin_nowait);

int pmap_pin(struct pmap *pmap)
{
	if (pmap_pin_nowait(pmap))
		return 0;
	if (mmap_read_lock_killable(pmap->mm))
		return -EINTR;
	if (pmap_attached(pmap))
		return 0;
	mmap_read_unlock(pmap->mm);
	return -ENXIO;
}
EXPORT_SYMBOL_IF_KUNIT(pmap_pin);

void pmap_unpin(struct pmap *pmap)
{
	if (pmap)
		mmap_read_unlock(pmap->mm);
}
EXPORT_SYMBOL_IF_KUNIT(pmap_unpin);

/*
 * What was changed and must be shot down, from the first slot to the last.
 *
 * Between the first change and the shootdown Linux must know that a flush is
 * owed: whoever finds a slot empty meanwhile, and would free its frame in the
 * belief that nobody reaches it, then flushes as well.
 */
struct flush_range {
	vm_offset_t start;
	vm_offset_t end;
};

static void flush_range_begin(struct pmap *pmap, struct flush_range *range)
{
	range->start = 0;
	range->end = 0;
	inc_tlb_flush_pending(pmap->mm);
}

static void flush_range_add(struct flush_range *range, vm_offset_t va)
{
	if (range->start >= range->end)
		range->start = va;
	range->end = va + PAGE_SIZE;
}

/*
 * The same the other way round: a slot that was empty may have been emptied by
 * Linux (a zap for a relative's page at this place) that has not flushed yet.
 */
static void flush_range_done(struct pmap *pmap, const struct flush_range *range)
{
	if (mm_tlb_flush_nested(pmap->mm))
		pmap_tlb_shootdown(pmap, pmap->start, pmap->end);
	else if (range->start < range->end)
		pmap_tlb_shootdown(pmap, range->start, range->end);
	dec_tlb_flush_pending(pmap->mm);
}

static int pmap_table_present(pte_t *pte, unsigned long addr, void *data)
{
	return 0;
}

/* Let Linux make the page table of @va. */
static int pmap_alloc_table(struct pmap *pmap, vm_offset_t va)
{
	return apply_to_page_range(pmap->mm, va, PAGE_SIZE, pmap_table_present, NULL);
}

static pte_t pmap_make_pte(const struct vm_page *m, vm_prot_t prot)
{
	return native_make_pte(m->phys_addr | pmap_pte_bits[m->memattr][prot]);
}

/* Would a TLB that still holds @old allow or mean more than @new? */
static __always_inline bool pmap_pte_needs_flush(pte_t old, pte_t new)
{
	if (!pte_present(old))
		return false;
	/* Both present: the frames stand there as they are. */
	return ((native_pte_val(old) ^ native_pte_val(new)) & PTE_PFN_MASK) ||
	       (pte_write(old) && !pte_write(new)) ||
	       (pte_exec(old) && !pte_exec(new));
}

/* The slot of @va, from the page middle directory slot @md if the trap has passed it. */
static pte_t *pmap_slot(struct pmap *pmap, void *md, vm_offset_t va, spinlock_t **ptl)
{
	pmd_t *pmd = md;

	if (!pmd || pmd_none(*pmd))
		return pmap_pte_lookup(pmap->mm, va, ptl);
	*ptl = pte_lockptr(pmap->mm, pmd);
	return pte_offset_kernel(pmd, va);
}

int pmap_enter_at(struct pmap *pmap, void *md, vm_offset_t va, struct vm_page *m, vm_prot_t prot,
		  unsigned int flags)
{
	bool nosleep = flags & PMAP_ENTER_NOSLEEP;
	spinlock_t *ptl; /* the page table's */
	pte_t *ptep, old, new;
	int rv;

	if (!pmap)
		return KERN_SUCCESS;
	prot &= pmap->prot;
	if (!prot)
		return KERN_SUCCESS;
	ptep = pmap_slot(pmap, md, va, &ptl);
	if (!ptep) {
		if (nosleep || pmap_alloc_table(pmap, va))
			return KERN_RESOURCE_SHORTAGE;
		ptep = pmap_pte_lookup(pmap->mm, va, &ptl);
	}
	rv = pmap_pv_insert(m, pmap_pv_key(pmap, va));
	if (rv != KERN_SUCCESS)
		return rv;
	if (prot & VM_PROT_WRITE)
		vm_page_dirty(m);
	new = pmap_make_pte(m, prot);
	trace_bsdvm_pmap_enter(va, m->phys_addr, prot);

	spin_lock(ptl);
	old = ptep_get(ptep);
	if (pmap_pte_needs_flush(old, new)) {
		/*
		 * Nobody may see the new page while somebody still sees the old
		 * one: a store to the one would be missed by a load of the other.
		 */
		ptep_get_and_clear(pmap->mm, va, ptep);
		pmap_tlb_shootdown(pmap, va, va + PAGE_SIZE);
	} else if (mm_tlb_flush_pending(pmap->mm)) {
		/* Emptied by somebody who has not flushed yet. */
		pmap_tlb_shootdown(pmap, va, va + PAGE_SIZE);
	}
	native_set_pte(ptep, new);
	spin_unlock(ptl);
	return KERN_SUCCESS;
}

int pmap_enter(struct pmap *pmap, vm_offset_t va, struct vm_page *m, vm_prot_t prot,
	       unsigned int flags)
{
	return pmap_enter_at(pmap, NULL, va, m, prot, flags);
}
EXPORT_SYMBOL_IF_KUNIT(pmap_enter);

/*
 * Empty the slots of a run that map what must not be seen any more once the pages are
 * mapped there. Nobody may see a new one while somebody sees the old: see pmap_enter_at().
 */
static void pte_run_make_way(struct pmap *pmap, const struct pte_run *run, struct vm_page **ma,
			     vm_prot_t prot)
{
	bool flush = mm_tlb_flush_pending(pmap->mm);
	vm_offset_t va = run->va;
	pte_t *ptep = run->ptep;

	for (; va < run->end; va += PAGE_SIZE, ptep++, ma++) {
		if (pmap_pte_needs_flush(ptep_get(ptep), pmap_make_pte(*ma, prot))) {
			ptep_get_and_clear(pmap->mm, va, ptep);
			flush = true;
		}
	}
	if (flush)
		pmap_tlb_shootdown(pmap, run->va, run->end);
}

/* Map pages at the slots of a run, or only at those that are empty. Returns how many. */
static __always_inline unsigned int pte_run_enter(struct pmap *pmap, const struct pte_run *run,
						  struct vm_page **ma, vm_prot_t prot,
						  bool replace)
{
	unsigned int count = (run->end - run->va) / PAGE_SIZE, n = 0, i;
	u64 key = pmap_pv_key(pmap, run->va);
	pte_t *ptep = run->ptep;
	struct vm_page *m;

	for (i = 0; i < count; i++) {
		m = ma[i];
		if (!m || (!replace && pte_present(READ_ONCE(ptep[i]))))
			continue;
		if (pmap_pv_insert(m, key + i) != KERN_SUCCESS) {
			ma[i] = NULL;
			continue;
		}
		if (prot & VM_PROT_WRITE)
			vm_page_dirty(m);
		/* Not used yet, and perhaps never: the CPU sets A when it is. */
		native_set_pte(&ptep[i], pte_mkold(pmap_make_pte(m, prot)));
		n++;
	}
	return n;
}

static __always_inline unsigned int pmap_enter_run(struct pmap *pmap, vm_offset_t start,
						   struct vm_page **ma, unsigned int count,
						   vm_prot_t prot, bool replace)
{
	struct pte_run run = { .end = start };
	unsigned int n = 0, i = 0;

	prot = pmap ? prot & pmap->prot : VM_PROT_NONE;
	while (prot && pte_run_next(pmap->mm, &run, start + ptoa(count))) {
		/* Slots without a table cannot be mapped without sleeping. */
		for (; start + ptoa(i) < run.va; i++)
			ma[i] = NULL;
		spin_lock(run.ptl);
		if (replace)
			pte_run_make_way(pmap, &run, ma + i, prot);
		else if ((prot & VM_PROT_WRITE) && mm_tlb_flush_pending(pmap->mm))
			/* Emptied by somebody who has not flushed yet. */
			pmap_tlb_shootdown(pmap, run.va, run.end);
		n += pte_run_enter(pmap, &run, ma + i, prot, replace);
		spin_unlock(run.ptl);
		i = atop(run.end - start);
	}
	for (; i < count; i++)
		ma[i] = NULL;
	trace_bsdvm_pmap_enter_object(start, count, n, prot);
	return n;
}

unsigned int pmap_enter_object(struct pmap *pmap, vm_offset_t start, struct vm_page **ma,
			       unsigned int count, vm_prot_t prot)
{
	return pmap_enter_run(pmap, start, ma, count, prot, false);
}
EXPORT_SYMBOL_IF_KUNIT(pmap_enter_object);

unsigned int pmap_enter_copies(struct pmap *pmap, vm_offset_t start, struct vm_page **ma,
			       unsigned int count, vm_prot_t prot)
{
	return pmap_enter_run(pmap, start, ma, count, prot, true);
}
EXPORT_SYMBOL_IF_KUNIT(pmap_enter_copies);

void pmap_remove(struct pmap *pmap, vm_offset_t sva, vm_offset_t eva)
{
	struct pte_run run = { .end = sva };
	struct flush_range range;
	pte_t *ptep;

	if (!pmap)
		return;
	trace_bsdvm_pmap_remove(sva, eva);
	flush_range_begin(pmap, &range);
	while (pte_run_next(pmap->mm, &run, eva)) {
		spin_lock(run.ptl);
		for (ptep = run.ptep; run.va < run.end; ptep++, run.va += PAGE_SIZE) {
			if (pte_none(ptep_get(ptep)))
				continue;
			pte_clear(pmap->mm, run.va, ptep);
			flush_range_add(&range, run.va);
		}
		spin_unlock(run.ptl);
		cond_resched();
	}
	flush_range_done(pmap, &range);
}
EXPORT_SYMBOL_IF_KUNIT(pmap_remove);

/*
 * Take write access from every slot of the run, as fork does to all of a process.
 * One instruction a slot: the flags concerned are in its lowest byte, an empty
 * slot stays empty, and it costs more to see whether a slot needs it. The CPU may
 * set A and D meanwhile; neither matters. Dirty goes too: Linux might take it for
 * leave to make the slot writable, and without write access it means a shadow
 * stack to the CPU.
 */
static void pte_run_wrprotect(const struct pte_run *run)
{
	pte_t *ptep = run->ptep, *end = ptep + (run->end - run->va) / PAGE_SIZE;

	BUILD_BUG_ON((_PAGE_RW | _PAGE_DIRTY) > U8_MAX);
#pragma GCC unroll 16
	for (; ptep < end; ptep++)
		*(u8 *)ptep &= (u8)~(_PAGE_RW | _PAGE_DIRTY);
}

void pmap_protect(struct pmap *pmap, vm_offset_t sva, vm_offset_t eva, vm_prot_t prot)
{
	struct pte_run run = { .end = sva };
	struct flush_range range;
	const vm_prot_t all = VM_PROT_WRITE | VM_PROT_EXECUTE;
	pte_t *ptep, old, new;

	if (!pmap || (prot & all) == all)
		return;
	if (!(prot & VM_PROT_READ)) {
		pmap_remove(pmap, sva, eva);
		return;
	}
	trace_bsdvm_pmap_protect(sva, eva, prot);
	flush_range_begin(pmap, &range);
	while (pte_run_next(pmap->mm, &run, eva)) {
		spin_lock(run.ptl);
		if (prot & VM_PROT_EXECUTE) {
			pte_run_wrprotect(&run);
			flush_range_add(&range, run.va);
			flush_range_add(&range, run.end - PAGE_SIZE);
			run.va = run.end;
		}
		for (ptep = run.ptep; run.va < run.end; ptep++, run.va += PAGE_SIZE) {
			old = ptep_get(ptep);
			if (!pte_present(old))
				continue;
			new = old;
			/* Not dirty either: Linux may take that for writable. */
			if (!(prot & VM_PROT_WRITE) && pte_write(old))
				new = pte_wrprotect(pte_mkclean(new));
			if (!(prot & VM_PROT_EXECUTE))
				new = pte_set_flags(new, _PAGE_NX & __supported_pte_mask);
			if (pte_val(new) == pte_val(old))
				continue;
			/* The CPU may set A and D meanwhile; neither matters. */
			set_pte(ptep, new);
			flush_range_add(&range, run.va);
		}
		spin_unlock(run.ptl);
		cond_resched();
	}
	flush_range_done(pmap, &range);
}
EXPORT_SYMBOL_IF_KUNIT(pmap_protect);

void pmap_advise(struct pmap *pmap, vm_offset_t sva, vm_offset_t eva)
{
	struct pte_run run = { .end = sva };
	pte_t *ptep;

	if (!pmap)
		return;
	while (pte_run_next(pmap->mm, &run, eva)) {
		spin_lock(run.ptl);
		for (ptep = run.ptep; run.va < run.end; ptep++, run.va += PAGE_SIZE)
			if (pte_present(ptep_get(ptep)) && pte_young(ptep_get(ptep)))
				clear_bit(_PAGE_BIT_ACCESSED, (unsigned long *)&ptep->pte);
		spin_unlock(run.ptl);
		cond_resched();
	}
}
EXPORT_SYMBOL_IF_KUNIT(pmap_advise);

unsigned int pmap_mincore(struct pmap *pmap, vm_offset_t va)
{
	unsigned int bits = MINCORE_INCORE;
	spinlock_t *ptl; /* the page table's */
	pte_t *ptep, pte;

	ptep = pmap ? pmap_pte_lookup(pmap->mm, va, &ptl) : NULL;
	if (!ptep)
		return 0;
	pte = ptep_get(ptep);
	if (!pte_present(pte))
		return 0;
	if (pte_young(pte))
		bits |= MINCORE_REFERENCED | MINCORE_REFERENCED_OTHER;
	if (pte_write(pte) || pte_dirty(pte))
		bits |= MINCORE_MODIFIED | MINCORE_MODIFIED_OTHER;
	return bits;
}
EXPORT_SYMBOL_IF_KUNIT(pmap_mincore);

vm_paddr_t pmap_extract(struct pmap *pmap, vm_offset_t va)
{
	spinlock_t *ptl; /* the page table's */
	pte_t *ptep, pte;

	ptep = pmap_pte_lookup(pmap->mm, va, &ptl);
	if (!ptep)
		return 0;
	pte = ptep_get(ptep);
	return pte_present(pte) ? PFN_PHYS(pte_pfn(pte)) | (va & ~PAGE_MASK) : 0;
}
EXPORT_SYMBOL_IF_KUNIT(pmap_extract);

bool pmap_is_prefaultable(struct pmap *pmap, vm_offset_t va)
{
	spinlock_t *ptl; /* the page table's */
	pte_t *ptep;

	ptep = pmap_pte_lookup(pmap->mm, va, &ptl);
	return ptep && pte_none(ptep_get(ptep));
}
EXPORT_SYMBOL_IF_KUNIT(pmap_is_prefaultable);

unsigned long pmap_resident_count(struct pmap *pmap, vm_offset_t sva, vm_offset_t eva)
{
	struct pte_run run = { .end = sva };
	unsigned long n = 0;
	pte_t *ptep;

	while (pte_run_next(pmap->mm, &run, eva))
		for (ptep = run.ptep; run.va < run.end; ptep++, run.va += PAGE_SIZE)
			n += !!pte_present(ptep_get(ptep));
	return n;
}
EXPORT_SYMBOL_IF_KUNIT(pmap_resident_count);

int pmap_phys_memattr(vm_paddr_t pa, unsigned int memattr)
{
	/* The CPU faults on bits that it has not. */
	if (pa >> boot_cpu_data.x86_phys_bits)
		return -EINVAL;
	if (page_is_ram(PHYS_PFN(pa)))
		return VM_MEMATTR_WRITE_BACK;
	return memattr == VM_MEMATTR_WRITE_COMBINING ? memattr : VM_MEMATTR_UNCACHEABLE;
}
EXPORT_SYMBOL_IF_KUNIT(pmap_phys_memattr);

void *pmap_quick_enter_page(struct vm_page *m)
{
	return __va(m->phys_addr);
}
EXPORT_SYMBOL_IF_KUNIT(pmap_quick_enter_page);

void pmap_zero_page(struct vm_page *m)
{
	clear_page(pmap_quick_enter_page(m));
}
EXPORT_SYMBOL_IF_KUNIT(pmap_zero_page);

void pmap_copy_page(struct vm_page *src, struct vm_page *dst)
{
	copy_page(pmap_quick_enter_page(dst), pmap_quick_enter_page(src));
}
EXPORT_SYMBOL_IF_KUNIT(pmap_copy_page);
