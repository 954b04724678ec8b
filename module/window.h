/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * window: the VMA inside which BSD rules, and its life with the process.
 */
#ifndef BSDVM_WINDOW_H
#define BSDVM_WINDOW_H

#include <linux/list.h>
#include <linux/refcount.h>
#include <linux/types.h>

#include "pmap_x86/pmap_x86.h"
#include "vm/vm_fork.h"

struct file;
struct mm_struct;
struct vm_area_struct;

/**
 * struct window - a window and the vmspace behind it
 * @vmspace: (C) the BSD address space
 * @pmap: its translations, in the page tables of the window
 * @node: (T) place in the table of windows, by mm
 * @refs: (A) one of the VMA, by way of @reaper; one of each call under way
 * @reaper: (C) an open file of ours whose closing drops the VMA's reference
 * @rcu: for freeing it behind window_get()
 *
 * Locks: (A) atomic, (C) constant, (T) the table's.
 */
struct window {
	struct vmspace *vmspace;
	struct pmap pmap;
	struct hlist_node node;
	refcount_t refs;
	struct file *reaper;
	struct rcu_head rcu;
};

/**
 * window_mmap() - mmap(2) of the device: make a window
 * @vma: the VMA to be
 * @group: the group of the file's pmaps
 *
 * Context: mmap_lock held exclusively.
 * Return: 0; -EINVAL for a private mapping or an offset; -EBUSY when the address
 * space has a window; -ENOMEM, -ENFILE.
 */
int window_mmap(struct vm_area_struct *vma, struct pmap_group *group);

/**
 * window_get() - the window of the calling process
 *
 * Context: any.
 * Return: the window, referenced; NULL when it has none.
 */
struct window *window_get(void);

/**
 * window_get_of() - the window in an address space
 * @mm: the address space, referenced by the caller as long as page tables are to be
 *	looked at
 *
 * Context: any.
 * Return: the window, referenced; NULL when it has none.
 */
struct window *window_get_of(struct mm_struct *mm);

/**
 * window_count() - how many windows there are
 *
 * Return: windows that are mapped.
 */
unsigned int window_count(void);

/**
 * window_list() - all windows there are
 * @windows: where an array of them goes, each referenced
 *
 * Context: process, may sleep.
 * Return: how many, to be given back by window_list_free(); -ENOMEM.
 */
int window_list(struct window ***windows);

/**
 * window_list_free() - give back what window_list() gave
 * @windows: the array
 * @n: how many
 *
 * Context: as window_put().
 */
void window_list_free(struct window **windows, int n);

/**
 * window_put() - drop a reference
 * @window: the window
 *
 * Context: process; the last one may do I/O: no lock held.
 */
void window_put(struct window *window);

#endif /* BSDVM_WINDOW_H */
