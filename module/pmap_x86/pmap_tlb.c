// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * pmap_tlb: TLB shootdown.
 *
 * Linux's flush functions are not exported, so this does what they do. First the
 * mm's tlb_gen moves: a CPU that switches to the mm later sees that its TLB is
 * stale and flushes by itself. Then every CPU in the mm's mask is interrupted and
 * flushes now. A CPU in the mask whose CR3 does not hold the mm has nothing to
 * do: it will see tlb_gen.
 */
#include <linux/cpumask.h>
#include <linux/mm.h>
#include <linux/smp.h>

#include <asm/cpufeature.h>
#include <asm/tlbflush.h>

#include "pmap_var.h"
#include "trace.h"
#include "vm/vmmeter.h"

/* Beyond this many pages a full flush is cheaper, as Linux has it. */
#define PMAP_TLB_SINGLE_MAX	33

struct tlb_range {
	struct mm_struct *mm;
	vm_offset_t start;
	vm_offset_t end;
};

/* What this CPU has of a range; it stays on this CPU. */
static __always_inline void pmap_tlb_flush(struct mm_struct *mm, vm_offset_t start,
					   vm_offset_t end)
{
	/* A process's own is what CR3 holds; were it not, to flush something else is harmless. */
	if (current->mm != mm && read_cr3_pa() != __pa(mm->pgd))
		return;
	/* INVLPG does not reach the user's half of the ASIDs under PTI. */
	if (boot_cpu_has(X86_FEATURE_PTI) || end - start > PMAP_TLB_SINGLE_MAX * PAGE_SIZE) {
		__flush_tlb_all();
		return;
	}
	for (; start < end; start += PAGE_SIZE)
		asm volatile("invlpg (%0)" : : "r" (start) : "memory");
}

static void pmap_tlb_flush_local(void *arg)
{
	const struct tlb_range *range = arg;

	pmap_tlb_flush(range->mm, range->start, range->end);
}

/* All that the mask has, of which @cpu, this one, may be. Returns how many are others. */
static noinline unsigned int pmap_tlb_flush_mask(struct pmap *pmap, vm_offset_t sva,
						 vm_offset_t eva, unsigned int cpu)
{
	struct tlb_range range = { .mm = pmap->mm, .start = sva, .end = eva };
	const struct cpumask *cpus = mm_cpumask(pmap->mm);
	unsigned int others = cpumask_weight(cpus) - cpumask_test_cpu(cpu, cpus);

	VM_CNT_ADD(v_shootdown_cpus, others);
	on_each_cpu_mask(cpus, pmap_tlb_flush_local, &range, true);
	return others;
}

void pmap_tlb_shootdown(struct pmap *pmap, vm_offset_t sva, vm_offset_t eva)
{
	unsigned int cpu, others = 0;

	/* Also the barrier between the page tables and reading the mask. */
	atomic64_inc_return(&pmap->mm->context.tlb_gen);
	VM_CNT_INC(v_shootdowns);

	cpu = get_cpu();
	if (likely(cpumask_equal(mm_cpumask(pmap->mm), cpumask_of(cpu))))
		pmap_tlb_flush(pmap->mm, sva, eva);
	else
		others = pmap_tlb_flush_mask(pmap, sva, eva, cpu);
	put_cpu();
	trace_bsdvm_pmap_shootdown(sva, eva, others);
}
