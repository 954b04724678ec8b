/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * vm_radix: the tree of an object's pages, where a fault walks it.
 *
 * The tree is an xarray. Its own functions are made for who knows nothing of it:
 * they are called out of line, read under RCU, find the way twice and look at marks
 * and at entries of many places. A fault knows that the object's lock keeps the tree
 * as it is, and most of the time that a leaf stands where it wants to put a page.
 * These two do the common cases by the tree's nodes, and leave the rest to the xarray.
 *
 * Entries are pointers to pages, or those of the xarray for itself: reserved, or about
 * to be freed with their node. Neither is a page.
 */
#ifndef BSDVM_VM_RADIX_H
#define BSDVM_VM_RADIX_H

#include "vm.h"

/*
 * Walk to @index. What stands there is returned, a page, NULL, or something of the
 * xarray's own; *@node is the node that it stands in, NULL if it is the only entry.
 */
static __always_inline void *vm_radix_walk(const struct xarray *tree, unsigned long index,
					   struct xa_node **node)
{
	void *entry = rcu_dereference_raw(tree->xa_head);

	*node = NULL;
	if (!xa_is_node(entry))
		return index ? NULL : entry;
	if (index >> xa_to_node(entry)->shift > XA_CHUNK_MASK)
		return NULL;
	do {
		*node = xa_to_node(entry);
		entry = rcu_dereference_raw((*node)->slots[index >> (*node)->shift &
							   XA_CHUNK_MASK]);
	} while (xa_is_node(entry));
	return entry;
}

/**
 * vm_radix_lookup() - what stands at a place
 * @tree: the tree
 * @index: the place
 *
 * Context: who changes the tree is locked out; or not preempted, and then it is what
 * may have stood there a moment ago.
 * Return: the entry, NULL when there is none.
 */
static __always_inline void *vm_radix_lookup(const struct xarray *tree, unsigned long index)
{
	struct xa_node *node;
	void *entry = vm_radix_walk(tree, index, &node);

	return xa_is_internal(entry) ? NULL : entry;
}

/**
 * vm_radix_fill() - put an entry where nothing is, if that needs no new node
 * @tree: the tree
 * @index: the place
 * @entry: the entry
 *
 * Context: everybody else is locked out, but for readers under RCU.
 * Return: false when the place is taken, or no leaf stands there: ask the xarray.
 */
static __always_inline bool vm_radix_fill(struct xarray *tree, unsigned long index, void *entry)
{
	struct xa_node *node;

	if (vm_radix_walk(tree, index, &node) || !node || node->shift)
		return false;
	rcu_assign_pointer(node->slots[index & XA_CHUNK_MASK], entry);
	node->count++;
	return true;
}

#endif /* BSDVM_VM_RADIX_H */
