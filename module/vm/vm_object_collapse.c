// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * vm_object_collapse: how a chain of shadows becomes shorter.
 *
 * Two ways, see vm_object.c: an object that only its one shadow refers to is merged with
 * it; one that others use as well is skipped by a shadow that shows nothing of it.
 */
#include "vm_object.h"

#include "trace.h"
#include "vm_object_var.h"
#include "vmmeter.h"

/*
 * Does @object hide every page of @backing that it could show, down the whole
 * chain? Only a page of @backing itself matters: what lies deeper is still found
 * once @backing is skipped.
 */
static bool vm_object_hides(struct vm_object *object, struct vm_object *backing)
{
	vm_pindex_t shift = OFF_TO_IDX(object->backing_object_offset), at = shift;
	unsigned long index;
	struct vm_page *m;

	if (object->size == 0)
		return true;
	xa_for_each_range(&backing->pages, index, m, shift, shift + object->size - 1) {
		if (!vm_object_has(object, index - shift))
			return false;
	}
	if (!vm_pager_swapped(backing))
		return true;
	for (; vm_pager_ops(backing)->next(backing, &at, shift + object->size); at++)
		if (!vm_object_has(object, at - shift))
			return false;
	return true;
}

/* Move a page up. What is behind it stays behind: from now on the page is all there is. */
static int vm_object_collapse_page(struct vm_page *m, struct vm_object *object,
				   vm_pindex_t pindex)
{
	struct vm_object *backing = m->object;
	bool swapped = vm_pager_swapped(backing) && vm_pager_has_page(backing, m->pindex);
	int ret;

	ret = vm_page_rename(m, object, pindex);
	if (!ret && swapped)
		vm_page_dirty(m);
	return ret;
}

/*
 * Is it less work to let the two have each other's tree? Each place must be the same in
 * both; and with swap behind the pages they are better moved one by one.
 */
static bool vm_object_exchangeable(const struct vm_object *object, const struct vm_object *backing)
{
	return object->resident_page_count < backing->resident_page_count &&
	       !object->backing_object_offset && backing->size <= object->size &&
	       !vm_pager_swapped(object) && !vm_pager_swapped(backing);
}

/* The next place at or behind @index where @object has a page and @backing has none. */
static bool vm_object_next_alone(struct vm_object *object, struct vm_object *backing,
				 unsigned long *index)
{
	void __rcu **mine, **its;
	unsigned int n, i;

	while (xa_find(&object->pages, index, ULONG_MAX, XA_PRESENT)) {
		n = VM_RADIX_LEAF;
		mine = vm_radix_run(&object->pages, *index, &n);
		its = vm_radix_run(&backing->pages, *index, &n);
		for (i = 0; i < n; i++, ++*index)
			if (vm_radix_run_entry(&mine[i]) && !(its && vm_radix_run_entry(&its[i])))
				return true;
		cond_resched();
	}
	return false;
}

static void vm_object_exchange_cancel(struct vm_object *object, struct vm_object *backing)
{
	unsigned long index;

	for (index = 0; vm_object_next_alone(object, backing, &index); index++)
		xa_release(&backing->pages, index);
}

/*
 * Make room in @backing for the pages that @object has and it has not, so that exchanging
 * cannot fail. Returns how many they are, -ENOMEM: nothing has changed.
 */
static long vm_object_exchange_reserve(struct vm_object *object, struct vm_object *backing)
{
	unsigned long index;
	long n = 0;

	for (index = 0; vm_object_next_alone(object, backing, &index); index++, n++) {
		if (xa_reserve(&backing->pages, index, GFP_KERNEL)) {
			vm_object_exchange_cancel(object, backing);
			return -ENOMEM;
		}
		cond_resched();
	}
	return n;
}

/* Put each page of @object where @backing has the one that it hides, and that in its place. */
static void vm_object_exchange_pages(struct vm_object *object, struct vm_object *backing)
{
	void __rcu **mine, **its;
	unsigned long index = 0;
	unsigned int n, i;
	void *m;

	while (xa_find(&object->pages, &index, ULONG_MAX, XA_PRESENT)) {
		n = VM_RADIX_LEAF;
		mine = vm_radix_run(&object->pages, index, &n);
		its = vm_radix_run(&backing->pages, index, &n);
		for (i = 0; i < n; i++) {
			m = vm_radix_run_entry(&mine[i]);
			if (!m)
				continue;
			/* As it is: reserved where nothing is hidden. */
			rcu_assign_pointer(mine[i], rcu_dereference_raw(its[i]));
			rcu_assign_pointer(its[i], m);
		}
		index += n;
		cond_resched();
	}
}

/* All pages that are in the tree of @object are its own from now on. */
static void vm_object_adopt_pages(struct vm_object *object)
{
	unsigned long index = 0;
	unsigned int n, i;
	void __rcu **place;
	struct vm_page *m;

	while (xa_find(&object->pages, &index, ULONG_MAX, XA_PRESENT)) {
		n = VM_RADIX_LEAF;
		place = vm_radix_run(&object->pages, index, &n);
		for (i = 0; i < n; i++) {
			m = vm_radix_run_entry(&place[i]);
			if (m)
				m->object = object;
		}
		index += n;
		cond_resched();
	}
}

/*
 * Give @object the tree of @backing, with its own pages in it, and @backing the pages that
 * it hides. False when there is no memory.
 */
static bool vm_object_exchange(struct vm_object *object, struct vm_object *backing)
{
	long gained = vm_object_exchange_reserve(object, backing);

	if (gained < 0)
		return false;
	gained += backing->resident_page_count - object->resident_page_count;
	vm_object_exchange_pages(object, backing);
	vm_radix_exchange(&object->pages, &backing->pages);
	vm_object_adopt_pages(object);
	vm_object_count(object, gained);
	vm_object_count(backing, -gained);
	return true;
}

/*
 * Move into @object what it can see of @backing and does not hide, free the rest.
 * False when memory ran out half-way: both objects are whole, the chain stands.
 */
static bool vm_object_collapse_pages(struct vm_object *object, struct vm_object *backing)
{
	vm_pindex_t shift = OFF_TO_IDX(object->backing_object_offset);
	unsigned long index;
	struct vm_page *m;

	if (vm_object_exchangeable(object, backing))
		return vm_object_exchange(object, backing);
	xa_for_each(&backing->pages, index, m) {
		if (index < shift || index - shift >= object->size ||
		    vm_object_has(object, index - shift))
			vm_page_destroy(m);
		else if (vm_object_collapse_page(m, object, index - shift))
			return false;
		cond_resched();
	}
	return !vm_pager_swapped(backing) ||
	       !vm_pager_ops(backing)->copy(backing, object, shift, object->size, true);
}

/* Of the pages @backing had, what @object has gained was moved, the others were freed. */
static void vm_object_trace_collapse(const struct vm_object *object,
				     const struct vm_object *backing, unsigned long before,
				     unsigned long had)
{
	unsigned long moved = object->resident_page_count - before;
	const struct vm_object *next = object->backing_object;

	trace_bsdvm_object_collapse(object->id, backing->id, next ? next->id : 0, moved,
				    had > moved ? had - moved : 0);
}

/*
 * Merge @backing, to which only @object refers, into @object. Both are locked;
 * @backing is gone when this returns true, untouched but for pages when not.
 */
static bool vm_object_merge(struct vm_object *object, struct vm_object *backing)
{
	struct vm_object *next = backing->backing_object;
	unsigned long before = 0, had = 0;

	if (trace_bsdvm_object_collapse_enabled()) {
		before = object->resident_page_count;
		had = backing->resident_page_count;
	}
	if (!vm_object_collapse_pages(object, backing))
		return false;
	if (next) {
		VM_OBJECT_WLOCK_NESTED(next, VM_OBJECT_NEXT);
		/* Under this lock nobody finds backing any more but through us. */
		if (refcount_read(&backing->ref_count) != 1) {
			VM_OBJECT_WUNLOCK(next);
			return false;
		}
	}
	vm_object_backing_remove(object);
	if (next) {
		/* backing's reference to next becomes object's. */
		vm_object_backing_remove(backing);
		vm_object_backing_insert(object, next);
		VM_OBJECT_WUNLOCK(next);
		object->backing_object_offset += backing->backing_object_offset;
	} else {
		object->backing_object_offset = 0;
	}
	if (trace_bsdvm_object_collapse_enabled())
		vm_object_trace_collapse(object, backing, before, had);
	backing->flags |= OBJ_DEAD;
	VM_OBJECT_WUNLOCK(backing);
	vm_object_free(backing);
	VM_CNT_INC(o_collapses);
	return true;
}

/*
 * Let @object skip @backing, which others refer to as well. Both are locked.
 * False when @backing has only our reference after all.
 */
static bool vm_object_bypass(struct vm_object *object, struct vm_object *backing)
{
	struct vm_object *next = backing->backing_object;

	/* Never the last reference, so nothing is destroyed here. */
	if (!refcount_dec_not_one(&backing->ref_count))
		return false;
	vm_object_backing_remove(object);
	if (next) {
		VM_OBJECT_WLOCK_NESTED(next, VM_OBJECT_NEXT);
		vm_object_reference(next);
		vm_object_backing_insert(object, next);
		VM_OBJECT_WUNLOCK(next);
		object->backing_object_offset += backing->backing_object_offset;
	} else {
		object->backing_object_offset = 0;
	}
	if (trace_bsdvm_object_bypass_enabled())
		trace_bsdvm_object_bypass(object->id, backing->id, next ? next->id : 0);
	VM_CNT_INC(o_bypasses);
	return true;
}

/*
 * @backing, locked, has just lost a shadow. Where that leaves one other shadow as
 * its only user, merge the two, if that one's lock can be had against the order.
 * Otherwise they are merged when that shadow is next forked or freed. Drops the
 * lock of @backing.
 */
static void vm_object_merge_upward(struct vm_object *backing)
{
	struct vm_object *shadow;

	if (backing->shadow_count == 1 && refcount_read(&backing->ref_count) == 1) {
		shadow = list_first_entry(&backing->shadow_head, struct vm_object, shadow_list);
		if (down_write_trylock(&shadow->lock)) {
			if (!vm_object_merge(shadow, backing))
				VM_OBJECT_WUNLOCK(backing);
			VM_OBJECT_WUNLOCK(shadow);
			return;
		}
	}
	VM_OBJECT_WUNLOCK(backing);
}

void vm_object_collapse(struct vm_object *object)
{
	struct vm_object *backing;

	VM_OBJECT_ASSERT_WLOCKED(object);
	while ((backing = object->backing_object)) {
		VM_OBJECT_WLOCK_NESTED(backing, VM_OBJECT_BACKING);
		if (!(backing->flags & OBJ_ANON) || (backing->flags & OBJ_DEAD))
			break;
		if (refcount_read(&backing->ref_count) == 1) {
			if (!vm_object_merge(object, backing))
				break;
			continue;
		}
		if (!vm_object_hides(object, backing) || !vm_object_bypass(object, backing))
			break;
		vm_object_merge_upward(backing);
	}
	if (backing)
		VM_OBJECT_WUNLOCK(backing);
	vm_object_assert_consistent(object);
}
EXPORT_SYMBOL_IF_KUNIT(vm_object_collapse);
