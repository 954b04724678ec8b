/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * pmap_x86: what the Linux side must tell the pmap about real address spaces.
 * The contract with module/vm/ is vm/pmap.h.
 */
#ifndef BSDVM_PMAP_X86_H
#define BSDVM_PMAP_X86_H

#include <linux/list.h>
#include <linux/mm_types.h>
#include <linux/mutex.h>
#include <linux/refcount.h>
#include <linux/types.h>

#include "vm/pmap.h"

struct inode;

/**
 * struct pmap_group - pmaps that one address_space reaches
 * @inode: (C) whose i_mapping every window of the group is linked to
 * @id: (C) number in pv entries, never 0
 * @refs: (A) the open file, and whoever looks the group up for a moment
 * @lock: guards @pmaps
 * @pmaps: (L) the pmaps, by pmap.link
 *
 * The windows of one open device file, and of the processes that inherited it by
 * fork, are all mapped by that file: unmap_mapping_range() on its address_space
 * reaches each of them. That makes the pair of group and window offset the
 * natural reverse mapping, see pmap_pv.c.
 *
 * Locks: (A) atomic, (C) constant, (L) lock; below mmap_lock and object locks.
 */
struct pmap_group {
	struct inode *inode;
	u32 id;
	refcount_t refs;
	struct mutex lock; /* guards pmaps */
	struct list_head pmaps;
};

/**
 * struct pmap - the translations of one window
 * @mm: (C) the address space it is in, which outlives the pmap's use
 * @vma: (mmap_lock) the window, NULL when it is gone
 * @start: (C) first address of the window
 * @end: (C) address behind the last
 * @prot: (C) VM_PROT_* that the window was mapped with: no more is ever allowed
 * @group: (C) its group, kept alive by the window's file
 * @link: (group's lock) place in the group
 *
 * Page tables of the window stand still while mmap_lock is held and @vma is
 * found there, or while a fault holds the lock of @vma.
 */
struct pmap {
	struct mm_struct *mm;
	struct vm_area_struct *vma;
	vm_offset_t start;
	vm_offset_t end;
	vm_prot_t prot;
	struct pmap_group *group;
	struct list_head link;
};

/**
 * pmap_init() - set the module's part up
 *
 * Context: start-up only.
 * Return: 0, -ENODEV where page tables may not be written directly.
 */
int pmap_init(void);

/**
 * pmap_fini() - undo pmap_init(); no pmap and no group is left
 *
 * Context: shut-down only.
 */
void pmap_fini(void);

/**
 * pmap_group_create() - a group for a new open file
 * @inode: the inode whose i_mapping its windows will be linked to; the group
 *	takes a reference
 *
 * Context: process, may sleep.
 * Return: the group with one reference, NULL when there is no memory.
 */
struct pmap_group *pmap_group_create(struct inode *inode);

/**
 * pmap_group_put() - drop a reference to a group
 * @group: the group
 *
 * The file's own goes when no window is left: pv entries of the group then mean
 * nothing any more.
 *
 * Context: process, may sleep.
 */
void pmap_group_put(struct pmap_group *group);

/**
 * pmap_pinit() - make the pmap of a new window
 * @pmap: the pmap
 * @group: the group of its file
 * @vma: the window
 *
 * Context: mmap_lock of the window's address space held exclusively.
 */
void pmap_pinit(struct pmap *pmap, struct pmap_group *group,
		struct vm_area_struct *vma);

/**
 * pmap_release() - the window is gone, and its translations with it
 * @pmap: the pmap
 *
 * Context: process, may sleep; no page tables are left to look at.
 */
void pmap_release(struct pmap *pmap);

#endif /* BSDVM_PMAP_X86_H */
