// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * vm_radix: the tree of an object's pages, where it must grow.
 */
#include "vm_radix.h"

/* A lone entry in the first place needs no node. */
static bool vm_radix_insert_root(struct xarray *tree, void *entry)
{
	bool root;

	xa_lock(tree);
	root = xa_empty(tree);
	if (root)
		rcu_assign_pointer(tree->xa_head, entry);
	xa_unlock(tree);
	return root;
}

int vm_radix_insert(struct xarray *tree, unsigned long index, void *entry)
{
	XA_STATE(xas, tree, index | XA_CHUNK_MASK);

	if (!index && vm_radix_insert_root(tree, entry))
		return 0;
	if (vm_radix_lookup(tree, index))
		return -EEXIST;
	do {
		xas_lock(&xas);
		xas_create_range(&xas);
		xas_unlock(&xas);
	} while (xas_nomem(&xas, GFP_KERNEL));
	if (xas_error(&xas))
		return xas_error(&xas);
	return vm_radix_fill(tree, index, &entry, 1) ? 0 : -EEXIST;
}
EXPORT_SYMBOL_IF_KUNIT(vm_radix_insert);
