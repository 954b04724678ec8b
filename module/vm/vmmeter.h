/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Event counters of the VM system (FreeBSD's struct vmmeter), one set a CPU so
 * that counting shares no cache line. Every floor counts; vm_meter.c adds up.
 */
#ifndef BSDVM_VMMETER_H
#define BSDVM_VMMETER_H

#include "vm_linux.h"

/* Order and names follow SEMANTICS of vm.stats.vm and vm.stats.object. */
struct vmmeter {
	u64 v_vm_faults;	/* faults taken */
	u64 v_io_faults;	/* ... that needed a pager */
	u64 v_cow_faults;	/* ... that copied a page */
	u64 v_cow_optim;	/* ... that took the page over instead */
	u64 v_zfod;		/* pages zero-filled on demand */
	u64 v_intrans;		/* faults that waited for a busy page */
	u64 v_vnodein;		/* page-ins from files */
	u64 v_vnodeout;		/* page-outs to files */
	u64 v_vnodepgsin;	/* pages paged in from files */
	u64 v_vnodepgsout;	/* pages paged out to files */
	u64 v_tfree;		/* pages freed */
	u64 v_forks;		/* vmspaces forked */
	u64 v_forkpages;	/* pages their maps covered */
	u64 v_prefault;		/* neighbours mapped by faults */
	u64 v_shootdowns;	/* TLB shootdowns begun */
	u64 v_shootdown_cpus;	/* CPUs interrupted for them */
	u64 v_stackgrows;	/* growths of stacks */
	u64 v_reactivated;	/* pages that went back to the active queue */
	u64 v_swapin;		/* page-ins from swap */
	u64 v_swapout;		/* page-outs to swap */
	u64 v_swappgsin;	/* pages paged in from swap */
	u64 v_swappgsout;	/* pages paged out to swap */
	u64 v_pdwakeups;	/* passes of the pageout daemon */
	u64 v_pdpages;		/* pages it looked at */
	u64 v_pdshortfalls;	/* passes that freed less than was wanted */
	u64 v_dfree;		/* pages it freed */
	u64 v_lock_miss;	/* pages whose object somebody else had locked */
	u64 v_pagein_errors;	/* pages that could not be read */
	u64 v_pageout_errors;	/* pages that could not be written */
	u64 v_vmspace_swapout;	/* vmspaces swapped out */
	u64 v_vmspace_swapin;	/* ... and in again */
	u64 v_oom_kills;	/* processes killed for want of memory */
	s64 v_lazyfree;		/* pages given up by MADV_FREE (sum over CPUs) */
	u64 o_collapses;	/* backing objects merged upward */
	u64 o_bypasses;		/* backing objects skipped */
	s64 o_count;		/* objects alive (sum over CPUs) */
};

DECLARE_PER_CPU(struct vmmeter, bsd_vmmeter);

#define VM_CNT_ADD(counter, n)	this_cpu_add(bsd_vmmeter.counter, n)
#define VM_CNT_INC(counter)	this_cpu_inc(bsd_vmmeter.counter)
#define VM_CNT_DEC(counter)	this_cpu_dec(bsd_vmmeter.counter)

#endif /* BSDVM_VMMETER_H */
