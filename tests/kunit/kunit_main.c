// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * bsdvm_kunit.ko: the tests that need to see inside bsdvm.ko.
 *
 * They run when the module is loaded, inside a bsdvm.ko that is loaded and not in
 * use, one file a subject:
 *
 *	vm_phys_kunit.c		the buddy allocator, on private domains
 *	vm_page_kunit.c		caches, waiting, queues, wiring, busying
 *	uma_kunit.c		zones: limits, reserves, waiting, reclaiming, misuse
 *	kern_malloc_kunit.c	memory of any size, and who uses it
 *	vm_object_kunit.c	shadows, collapse, bypass, with page identity
 *	swap_reserve_kunit.c	promises: who is charged, and when no more are made
 *	vm_map_kunit.c		clipping, merging, placement, against a model
 *	vm_map_wire_kunit.c	wiring, and entries in transition
 *	vm_map_fork_kunit.c	what a child has; processes against a model
 *	vm_map_stack_kunit.c	stacks that grow
 *	pmap_kunit.c		translations in a real process's page tables
 *	pmap_kernel_kunit.c	translations of kernel addresses
 *	vm_kern_kunit.c		the kernel map, wired and pageable memory in it
 *	uipc_shm_kunit.c	shared memory objects: size, names, seals
 *	device_pager_kunit.c	fictitious pages, devices that come and go
 *	phys_pager_kunit.c	memory that is never paged
 *	trace_kunit.c		tracepoints, where no program can make them fire
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
