// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * bsdvm_kunit.ko: the tests that need to see inside bsdvm.ko.
 *
 * They run when the module is loaded, inside a bsdvm.ko that is loaded and not in
 * use, one file a subject:
 *
 *	vm_phys_kunit.c		the buddy allocator, on private domains
 *	vm_page_kunit.c		caches, waiting, queues, wiring, busying
 *	uma_kunit.c		zones: items, statistics, buckets, against a model
 *	uma_limit_kunit.c	limits, and who waits for an item or a page
 *	uma_keg_kunit.c		slabs: reserves, reclaiming, layout
 *	uma_dbg_kunit.c		misuse
 *	kern_malloc_kunit.c	memory of any size, and who uses it
 *	vm_radix_kunit.c	the tree of the pages of an object
 *	vm_object_kunit.c	references, pages, shadows, growing in place
 *	vm_object_collapse_kunit.c  collapse and bypass, with page identity
 *	vm_object_shorten_kunit.c  long chains made shorter
 *	vm_object_fork_kunit.c	chains of processes that fork; against a model
 *	swap_pager_kunit.c	what becomes of pages in swap
 *	swap_reserve_kunit.c	promises: who is charged, and when no more are made
 *	vm_map_kunit.c		placement, failure, what a fault is told, fork
 *	vm_map_clip_kunit.c	clipping and merging
 *	vm_map_model_kunit.c	against a model
 *	vm_map_wire_kunit.c	wiring, and entries in transition
 *	vm_map_fork_kunit.c	what a child has; processes against a model
 *	vm_map_stack_kunit.c	stacks that grow
 *	vm_fault_kunit.c	what happens while a fault holds no lock
 *	vm_fault_ahead_kunit.c	pages that come ahead of stores
 *	pmap_kunit.c		translations in a real process's page tables
 *	pmap_pv_kunit.c		where a page is mapped, and who has used it
 *	pmap_tlb_kunit.c	what other CPUs see of a change
 *	pmap_kernel_kunit.c	translations of kernel addresses
 *	vm_kern_kunit.c		the kernel map, wired memory in it
 *	vm_kern_pageable_kunit.c  pageable memory in it
 *	uipc_shm_kunit.c	shared memory objects: size, names, seals
 *	device_pager_kunit.c	fictitious pages, devices that come and go
 *	phys_pager_kunit.c	memory that is never paged
 *	trace_kunit.c		tracepoints, where no program can make them fire
 *
 * What several of them need is in headers, which bsdvm_kunit.h lists, and in kunit_*.c.
 *
 * Random tests print their seed, which is always the same, and stop at the first
 * step that goes wrong. Every test checks that the free pages are as many as
 * before (bsdvm_kunit.h).
 */
#include "bsdvm_kunit.h"

MODULE_DESCRIPTION("Tests of BSD VM");
MODULE_LICENSE("Dual BSD/GPL");
MODULE_IMPORT_NS(BSDVM);
MODULE_IMPORT_NS(EXPORTED_FOR_KUNIT_TESTING);
