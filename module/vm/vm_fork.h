/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * vm_fork: the vmspace, an address space as a process has it.
 *
 * (McKusick et al., chapters 5.8 and 6.6.)
 */
#ifndef BSDVM_VM_FORK_H
#define BSDVM_VM_FORK_H

#include "vm_map.h"

struct pmap;

/**
 * struct vmspace - an address space
 * @vm_map: its map
 * @vm_minflt: (A) faults served without I/O
 * @vm_majflt: (A) faults that waited for a pager
 * @vm_taddr: (M) first address of the text
 * @vm_tsize: (M) its bytes
 * @vm_daddr: (M) first address of data and bss
 * @vm_dsize: (M) bytes of data, bss and heap
 * @vm_maxsaddr: (M) lowest address of the stack, 0 when not known
 * @vm_maxrss: (A) most pages seen resident by whoever looked
 * @vm_protected: (A) madvise(MADV_PROTECT)
 * @vm_ran: what its threads had run when somebody last looked
 * @vm_ran_at: when that was last seen to move, jiffies
 * @vm_swapped: (A) swapped out: wait before anything is touched
 * @vm_swapped_at: when it went out, jiffies
 * @vm_wanted_at: (W) since when somebody waits for it to come in, jiffies
 * @vm_swapwaiters: (W) threads that wait for that
 * @vm_swapq: (W) place in their queue
 * @vm_nswap: how often it went out
 * @vm_brk_lock: outside of all VM locks: who moves the end of the heap
 *
 * Who owns it sees to it that it lives as long as anyone uses it.
 *
 * Locks: (A) atomic, (M) the map's, (W) that of the queue.
 */
struct vmspace {
	struct vm_map vm_map;
	atomic_long_t vm_minflt;
	atomic_long_t vm_majflt;
	vm_offset_t vm_taddr;
	vm_size_t vm_tsize;
	vm_offset_t vm_daddr;
	vm_size_t vm_dsize;
	vm_offset_t vm_maxsaddr;
	atomic_long_t vm_maxrss;
	bool vm_protected;
	u64 vm_ran;
	unsigned long vm_ran_at;
	bool vm_swapped;
	unsigned long vm_swapped_at;
	unsigned long vm_wanted_at;
	unsigned int vm_swapwaiters;
	struct list_head vm_swapq;
	unsigned long vm_nswap;
	struct mutex vm_brk_lock; /* one thread moves the heap's end */
};

/**
 * vmspace_startup() - make the zone of address spaces
 *
 * Context: start-up only.
 * Return: 0, -ENOMEM.
 */
int vmspace_startup(void);

/**
 * vmspace_shutdown() - undo vmspace_startup(); harmless when it failed
 *
 * Context: shut-down only.
 */
void vmspace_shutdown(void);

/**
 * vmspace_alloc() - make an empty address space
 * @pmap: its translations
 * @min: first address
 * @max: address behind the last
 *
 * Context: process, waits for memory; no VM lock held.
 * Return: the address space; NULL without memory.
 */
struct vmspace *vmspace_alloc(struct pmap *pmap, vm_offset_t min, vm_offset_t max);

/**
 * vmspace_fork() - make an empty address space a copy of another
 * @vm: the parent's
 * @child: the child's, from vmspace_alloc()
 *
 * Context: process, may sleep; page tables of both stand still.
 * Return: 0; -ENOMEM, and @child must be given to vmspace_free() as it is.
 */
int vmspace_fork(struct vmspace *vm, struct vmspace *child);

/**
 * vmspace_free() - end an address space whose translations are gone
 * @vm: the address space; nobody else uses it any more
 *
 * Context: process, may do I/O: no lock held.
 */
void vmspace_free(struct vmspace *vm);

#endif /* BSDVM_VM_FORK_H */
