/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * The words every part of the VM system uses: addresses, protections, results.
 *
 * Names and values are FreeBSD's (sys/vm/vm.h, sys/vm/vm_param.h, mach errors),
 * as McKusick, Neville-Neil and Watson, "The Design and Implementation of the
 * FreeBSD Operating System", 2nd ed., chapter 6, use them.
 */
#ifndef BSDVM_VM_H
#define BSDVM_VM_H

#include <bsdvm_cdev.h>

#include "vm_linux.h"

typedef u64 vm_offset_t;	/* a virtual address */
typedef u64 vm_size_t;		/* bytes of virtual address space */
typedef u64 vm_ooffset_t;	/* a byte offset in an object */
typedef u64 vm_pindex_t;	/* a page's place in an object */
typedef u64 vm_paddr_t;		/* a physical address */
typedef u8 vm_prot_t;		/* VM_PROT_* */
typedef u8 vm_inherit_t;	/* VM_INHERIT_* */
typedef u8 vm_memattr_t;	/* VM_MEMATTR_*, see bsdvm_cdev.h */

#define VM_PROT_NONE		0x00
#define VM_PROT_READ		0x01
#define VM_PROT_WRITE		0x02
#define VM_PROT_EXECUTE		0x04
#define VM_PROT_ALL		0x07
#define VM_PROT_COPY		0x08	/* in a fault: copy as a write would */

#define VM_INHERIT_SHARE	0
#define VM_INHERIT_COPY		1
#define VM_INHERIT_NONE		2
#define VM_INHERIT_ZERO		3
#define VM_INHERIT_DEFAULT	VM_INHERIT_COPY

/* Results of the machine-independent layer. */
#define KERN_SUCCESS		0
#define KERN_INVALID_ADDRESS	1
#define KERN_PROTECTION_FAILURE	2
#define KERN_NO_SPACE		3
#define KERN_INVALID_ARGUMENT	4
#define KERN_FAILURE		5
#define KERN_RESOURCE_SHORTAGE	6
#define KERN_NOT_RECEIVER	7
#define KERN_NO_ACCESS		8
#define KERN_OUT_OF_BOUNDS	9
#define KERN_RESTART		10

/* A page is 4 KiB on every machine the pmap knows. */
#define VM_PAGE_SHIFT		12
#define VM_PAGE_SIZE		BIT_ULL(VM_PAGE_SHIFT)
#define VM_PAGE_MASK		(VM_PAGE_SIZE - 1)

#define trunc_page(x)		((vm_offset_t)(x) & ~VM_PAGE_MASK)
#define round_page(x)		(((vm_offset_t)(x) + VM_PAGE_MASK) & ~VM_PAGE_MASK)
#define OFF_TO_IDX(off)		((vm_pindex_t)((vm_ooffset_t)(off) >> VM_PAGE_SHIFT))
#define IDX_TO_OFF(idx)		((vm_ooffset_t)(idx) << VM_PAGE_SHIFT)
#define atop(x)			((u64)(x) >> VM_PAGE_SHIFT)
#define ptoa(x)			((u64)(x) << VM_PAGE_SHIFT)

#endif /* BSDVM_VM_H */
