/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * vm_pager: the table of pagers, one struct pagerops an object type.
 *
 * A pager brings pages in from what lies behind an object and writes them back.
 * Its functions do I/O, so nobody calls them with a lock held.
 *
 * (McKusick et al., chapter 6.10, the pager interface.)
 */
#ifndef BSDVM_VM_PAGER_H
#define BSDVM_VM_PAGER_H

#include "vm_object.h"

/* Results of a pager. */
#define VM_PAGER_OK	0
#define VM_PAGER_BAD	1	/* the page lies behind the end of the object */
#define VM_PAGER_FAIL	2
#define VM_PAGER_PEND	3
#define VM_PAGER_ERROR	4	/* an I/O error */
#define VM_PAGER_AGAIN	5

/**
 * struct pagerops - what a pager can do
 * @getpages: fill @count pages, exclusively busied and in order of pindex;
 *	answers VM_PAGER_OK when the first is filled and sets @valid for each that
 *	is. Context: process, no lock held, may do I/O.
 * @putpages: write @count pages, wired and in order of pindex, from their
 *	frames. Return: 0 or a negative errno. Context: as @getpages.
 * @sync: bring what @putpages wrote to stable storage, bytes @start to @end.
 *	Return: 0 or a negative errno. Context: as @getpages.
 * @haspage: does the page exist behind the object? @before and @after, unless
 *	NULL, say how many neighbours may come with it. Context: any.
 * @zerofill: a missing page that @haspage knows of is all zeroes: nothing is to be
 *	waited for
 * @dealloc: the last reference is gone; write what is dirty and let go of what
 *	lies behind. Context: as @getpages.
 */
struct pagerops {
	int (*getpages)(struct vm_object *object, struct vm_page **ma,
			unsigned int count);
	int (*putpages)(struct vm_object *object, struct vm_page **ma,
			unsigned int count);
	int (*sync)(struct vm_object *object, vm_ooffset_t start,
		    vm_ooffset_t end);
	bool (*haspage)(struct vm_object *object, vm_pindex_t pindex, int *before,
			int *after);
	bool zerofill;
	void (*dealloc)(struct vm_object *object);
};

/**
 * vm_pager_register() - name the pager of an object type
 * @type: OBJT_*
 * @ops: its functions, NULL to take them away
 *
 * Context: start-up and shut-down only.
 */
void vm_pager_register(u8 type, const struct pagerops *ops);

/**
 * vm_pager_ops() - the pager of an object
 * @object: the object
 *
 * Return: its functions; NULL for an object with no pager, whose missing pages
 * are zero.
 */
const struct pagerops *vm_pager_ops(const struct vm_object *object);

#endif /* BSDVM_VM_PAGER_H */
