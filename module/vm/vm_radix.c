// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * vm_radix: the tree of an object's pages, where it must grow.
 */
#include "vm_radix.h"

int vm_radix_insert(struct xarray *tree, unsigned long index, void *entry)
{
	XA_STATE(xas, tree, index);
	bool root;

	if (vm_radix_lookup(tree, index))
		return -EEXIST;
	do {
		xas_lock(&xas);
		/* A lone entry in the first place needs no node. */
		root = !index && xa_empty(tree);
		if (root) {
			xas_store(&xas, entry);
		} else {
			xas_set(&xas, index | XA_CHUNK_MASK);
			xas_create_range(&xas);
		}
		xas_unlock(&xas);
	} while (xas_nomem(&xas, GFP_KERNEL));
	if (xas_error(&xas))
		return xas_error(&xas);
	return root || vm_radix_fill(tree, index, &entry, 1) ? 0 : -EEXIST;
}
EXPORT_SYMBOL_IF_KUNIT(vm_radix_insert);
