/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * vm_swapout: whole address spaces, out of memory and in again.
 *
 * When free memory stays far too low, paging page by page makes everybody slow. Then an
 * address space that nobody has run in for a while goes as a whole: its mappings are
 * removed and its pages are the next to be taken. Who touches it waits until it is let
 * in again: first those that went out first, when there is memory, and after a while in
 * any case.
 *
 * (McKusick et al., chapter 6.12, swapping; FreeBSD's vm.swap_idle_threshold.)
 */
#ifndef BSDVM_VM_SWAPOUT_H
#define BSDVM_VM_SWAPOUT_H

#include "vm_fork.h"

/**
 * vm_swapout_idle() - note what a vmspace's threads have run, and judge it by that
 * @vm: the vmspace
 * @ran: a number that moves whenever one of its threads runs
 *
 * Context: one caller at a time.
 * Return: seconds since @ran was last seen to move; 0 for one that is out.
 */
unsigned long vm_swapout_idle(struct vmspace *vm, u64 ran);

/**
 * vm_swapout_out() - swap a vmspace out
 * @vm: the vmspace, which the caller keeps from going
 *
 * Only tries the locks of the address space.
 *
 * Context: process, may sleep, no lock held; one caller at a time.
 * Return: true when it is out now; false when it was busy.
 */
bool vm_swapout_out(struct vmspace *vm);

/**
 * vm_swapped_out() - is a vmspace swapped out?
 * @vm: the vmspace
 *
 * Context: any.
 * Return: true: vm_swapin_wait() before anything of it is touched.
 */
static inline bool vm_swapped_out(const struct vmspace *vm)
{
	return unlikely(READ_ONCE(vm->vm_swapped));
}

/**
 * vm_swapin_wait() - wait until a vmspace is let in
 * @vm: the vmspace, which the caller keeps from going
 *
 * Context: process, sleeps killably; no VM lock held.
 * Return: 0, -EINTR on a fatal signal.
 */
int vm_swapin_wait(struct vmspace *vm);

/* Tunables: seconds that a vmspace must have been idle, when nothing is free and else. */
extern unsigned int vm_swap_idle_threshold1;
extern unsigned int vm_swap_idle_threshold2;

#endif /* BSDVM_VM_SWAPOUT_H */
