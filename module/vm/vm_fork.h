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
 *
 * Who owns it sees to it that it lives as long as anyone uses it.
 */
struct vmspace {
	struct vm_map vm_map;
};

/**
 * vmspace_init() - make an empty address space
 * @vm: the address space
 * @pmap: its translations
 * @min: first address
 * @max: address behind the last
 *
 * Context: any; nobody else knows @vm.
 */
void vmspace_init(struct vmspace *vm, struct pmap *pmap, vm_offset_t min,
		  vm_offset_t max);

/**
 * vmspace_fork() - make an empty address space a copy of another
 * @vm: the parent's
 * @child: the child's, from vmspace_init()
 *
 * Context: process, may sleep; page tables of both stand still.
 * Return: 0; -ENOMEM, and @child must be given to vmspace_exit() as it is.
 */
int vmspace_fork(struct vmspace *vm, struct vmspace *child);

/**
 * vmspace_exit() - empty an address space whose translations are gone
 * @vm: the address space; nobody else uses it any more
 *
 * Context: process, may do I/O: no lock held.
 */
void vmspace_exit(struct vmspace *vm);

#endif /* BSDVM_VM_FORK_H */
