/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * vm_radix: the tree of an object's pages, where a fault walks it.
 *
 * The tree is an xarray. Its own functions are made for who knows nothing of it:
 * they are called out of line, read under RCU, find the way twice and look at marks
 * and at entries of many places. A fault knows that the object's lock keeps the tree
 * as it is but for pages that come, and most of the time that a leaf stands where it
 * wants to put one. These do the common cases by the tree's nodes, and leave the rest to
 * the xarray.
 *
 * Who holds the object's lock shared may put pages into the tree, as many at once as there
 * are. Of a leaf they change the places that are empty, by cmpxchg, and the count, by cmpxchg
 * as well; nodes come under the tree's own lock, and none goes. The xarray's functions know
 * nothing of this: those that change entries of a leaf (xa_store(), xa_erase(),
 * xa_reserve()) need the object's lock exclusively. Those that read may be used, and so may
 * xa_set_mark(), which changes nothing else.
 *
 * Entries are pointers to pages, or those of the xarray for itself: reserved, or about
 * to be freed with their node. Neither is a page.
 */
#ifndef BSDVM_VM_RADIX_H
#define BSDVM_VM_RADIX_H

#include "vm.h"

/* Places of a leaf: entries that belong to no two leaves are put there most cheaply. */
#define VM_RADIX_LEAF	XA_CHUNK_SIZE

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
 * vm_radix_run() - the places of a leaf from one on
 * @tree: the tree
 * @index: the first place
 * @n: how many are wanted, 1 at least; afterwards how many there are up to the end of the
 *	leaf
 *
 * Context: as vm_radix_lookup().
 * Return: the first of *@n places; NULL when nothing stands in any of them.
 */
static __always_inline void __rcu **vm_radix_run(struct xarray *tree, unsigned long index,
						 unsigned int *n)
{
	unsigned int offset = index & XA_CHUNK_MASK;
	struct xa_node *node;
	void *entry = vm_radix_walk(tree, index, &node);

	*n = min_t(unsigned int, *n, XA_CHUNK_SIZE - offset);
	if (node && !node->shift)
		return &node->slots[offset];
	if (node || !entry)
		return NULL;
	*n = 1;
	return &tree->xa_head;
}

/**
 * vm_radix_run_entry() - what stands at one of the places of vm_radix_run()
 * @place: the place
 *
 * Context: as vm_radix_lookup().
 * Return: the entry, NULL when there is none.
 */
static __always_inline void *vm_radix_run_entry(void __rcu **place)
{
	void *entry = rcu_dereference_raw(*place);

	return xa_is_internal(entry) ? NULL : entry;
}

/**
 * vm_radix_may_follow() - may there be entries in a row before a place?
 * @node: where vm_radix_walk() has come to, on the way to @index
 * @index: the place
 * @n: how many in a row
 *
 * Looks at two of them, in the leaf; vm_radix_run_before() knows more.
 *
 * Context: as vm_radix_lookup().
 * Return: false only when there are none, or so few that they are not worth a look.
 */
static __always_inline bool vm_radix_may_follow(const struct xa_node *node, unsigned long index,
						unsigned int n)
{
	unsigned int offset = index & XA_CHUNK_MASK;

	if (offset < n)
		return index >= n;
	return node && !node->shift && rcu_access_pointer(node->slots[offset - 1]) &&
	       rcu_access_pointer(node->slots[offset - n]);
}

/**
 * vm_radix_run_before() - how many entries stand in a row before a place
 * @tree: the tree
 * @index: the place
 * @max: how many are of interest
 *
 * Context: as vm_radix_lookup().
 * Return: how many, @max at the most.
 */
static inline unsigned int vm_radix_run_before(const struct xarray *tree, unsigned long index,
					       unsigned int max)
{
	void __rcu *const *slot;
	void __rcu *const *end;
	unsigned int run = 0, offset;
	struct xa_node *node;

	max = min_t(unsigned long, max, index);
	while (run < max && vm_radix_walk(tree, index - run - 1, &node)) {
		if (!node || node->shift)
			return run + 1;
		/* Down to the first place of this leaf. */
		offset = (index - run - 1) & XA_CHUNK_MASK;
		slot = &node->slots[offset];
		end = slot - min(max - run, offset + 1);
		for (; slot > end; slot--, run++)
			if (!rcu_access_pointer(*slot))
				return run;
	}
	return run;
}

/* Places of a leaf have been filled. */
static __always_inline void vm_radix_count(struct xa_node *leaf, unsigned int n)
{
	u8 count = READ_ONCE(leaf->count);

	while (!try_cmpxchg(&leaf->count, &count, count + n))
		;
}

/**
 * vm_radix_put() - put an entry where nothing is, on a way that has been gone
 * @node: where vm_radix_walk() has come to, on the way to @index
 * @index: the place
 * @entry: the entry
 *
 * Context: as vm_radix_fill(), from the walk on.
 * Return: false when there was no leaf, or the place was taken: vm_radix_insert() knows.
 */
static __always_inline bool vm_radix_put(struct xa_node *node, unsigned long index, void *entry)
{
	if (!node || node->shift ||
	    cmpxchg((void __force **)&node->slots[index & XA_CHUNK_MASK], NULL, entry))
		return false;
	vm_radix_count(node, 1);
	return true;
}

/**
 * vm_radix_fill() - put entries where nothing is, as far as that needs no new node
 * @tree: the tree
 * @index: the first place
 * @entries: the entries
 * @n: how many, 1 at least
 *
 * Others may do the same meanwhile: each place is one's who finds it empty.
 *
 * Context: who takes entries out or moves them is locked out.
 * Return: how many were put there: up to the first place that is taken, or the end of a
 * leaf. Where it is not the first one that is taken, vm_radix_insert() can do the next.
 */
static __always_inline unsigned int vm_radix_fill(struct xarray *tree, unsigned long index,
						  void **entries, unsigned int n)
{
	unsigned int offset = index & XA_CHUNK_MASK, i = 0;
	struct xa_node *node;
	void **slot;

	if (vm_radix_walk(tree, index, &node) || !node || node->shift)
		return 0;
	n = min_t(unsigned int, n, XA_CHUNK_SIZE - offset);
	slot = (void __force **)&node->slots[offset];
	while (i < n && !cmpxchg(&slot[i], NULL, entries[i]))
		i++;
	if (i)
		vm_radix_count(node, i);
	return i;
}

/**
 * vm_radix_exchange() - let two trees have each other's entries
 * @a: a tree without marks
 * @b: another one
 *
 * The nodes still name the tree that they were made for: nobody asks them.
 *
 * Context: everybody else is locked out of both, but for readers under RCU, who see one
 * tree or the other.
 */
static __always_inline void vm_radix_exchange(struct xarray *a, struct xarray *b)
{
	void *head = rcu_dereference_raw(a->xa_head);

	VM_ASSERT(!xa_marked(a, XA_MARK_0) && !xa_marked(b, XA_MARK_0));
	rcu_assign_pointer(a->xa_head, rcu_dereference_raw(b->xa_head));
	rcu_assign_pointer(b->xa_head, head);
}

/**
 * vm_radix_insert() - put an entry where nothing is
 * @tree: the tree
 * @index: the place
 * @entry: the entry
 *
 * Nodes are made under the tree's own lock; of their entries that touches only those that
 * vm_radix_fill() does not, the nodes and the root.
 *
 * Context: as vm_radix_fill(); process, may sleep.
 * Return: 0; -EEXIST; -ENOMEM.
 */
int vm_radix_insert(struct xarray *tree, unsigned long index, void *entry);

#endif /* BSDVM_VM_RADIX_H */
