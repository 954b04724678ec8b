// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * vm_object_collapse: how a chain of shadows becomes shorter.
 *
 * Two ways, see vm_object.c: an object that only its one shadow refers to is merged with
 * it; one that others use as well is skipped by a shadow that shows nothing of it.
 *
 *	merge	S [ . m . ]  and only S's  B [ m h m ]  make  S [ m m m ]
 *	skip	S [ m . . ]  ──►  B [ h . . ]  ──►  C	      S  ──►  C
 *
 * (m shows, h is hidden.) A shadow may copy the few pages that it shows of what others
 * use, so as to skip it: a copy on write may be made before the write. Where generations
 * live that have each written a little, chains become so long as there are generations
 * otherwise.
 */
#include "vm_object.h"

#include "pmap.h"
#include "trace.h"
#include "vm_object_var.h"
#include "vmmeter.h"

/* Pages that are copied at once to make a chain shorter. */
#define VM_OBJECT_ABSORB_MAX	64
/* So few that they are copied even into a shadow that has hardly any of its own. */
#define VM_OBJECT_ABSORB_FEW	4

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

	/* It has all there can be. */
	if (backing->resident_page_count == object->size)
		return 0;
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

/*
 * Which pages of @backing must @object copy before it can skip it? Returns how many,
 * @max + 1 when they are more, or one of them cannot be copied now.
 */
static unsigned int vm_object_shown(struct vm_object *object, struct vm_object *backing,
				    struct vm_page **ma, unsigned int max)
{
	vm_pindex_t shift = OFF_TO_IDX(object->backing_object_offset);
	unsigned int n = 0;
	unsigned long index;
	struct vm_page *m;

	xa_for_each_range(&backing->pages, index, m, shift, shift + object->size - 1) {
		if (vm_object_has(object, index - shift))
			continue;
		if (n == max || !m->valid || vm_page_busied(m) || vm_page_wired(m) ||
		    !vm_page_copyable(m))
			return max + 1;
		ma[n++] = m;
	}
	return n;
}

/*
 * Copy what @object shows of @backing, which others refer to as well, if that is little
 * and nobody else may want the memory. Both are locked. Returns how many pages were copied.
 *
 * No more than twice what @object has already, or a few: so a page is copied again only
 * into an object that has half as many more, and where no object can be skipped each has
 * more than twice the pages of the one before it. Either way a number of generations costs
 * what its digits are.
 */
static unsigned int vm_object_absorb(struct vm_object *object, struct vm_object *backing,
				     unsigned int max)
{
	struct vm_page *ma[VM_OBJECT_ABSORB_MAX] __uninitialized;
	unsigned int n, i;

	max = min_t(unsigned long, max,
		    max_t(unsigned long, VM_OBJECT_ABSORB_FEW, 2 * object->resident_page_count));
	if ((backing->flags & (OBJ_ANON | OBJ_DEAD)) != OBJ_ANON || vm_pager_swapped(backing) ||
	    backing->resident_page_count > max || refcount_read(&backing->ref_count) == 1 ||
	    !object->size || vm_free_count() < vm_dom.v_free_target + max ||
	    !vm_user_has_room(object->user, max))
		return 0;
	n = vm_object_shown(object, backing, ma, max);
	if (n > max)
		return 0;
	for (i = 0; i < n; i++) {
		/* Of what is hidden now our own mappings are wrong: which ones is not known. */
		pmap_remove_all(ma[i]);
		if (IS_ERR(vm_object_make_page(object, ma[i]->pindex -
					       OFF_TO_IDX(object->backing_object_offset), ma[i])))
			break;
	}
	return i;
}

void vm_object_shorten(struct vm_object *object)
{
	unsigned int max = VM_OBJECT_ABSORB_MAX, copied;
	struct vm_object *backing;

	VM_OBJECT_ASSERT_WLOCKED(object);
	while ((backing = object->backing_object)) {
		VM_OBJECT_WLOCK_NESTED(backing, VM_OBJECT_BACKING);
		copied = vm_object_absorb(object, backing, max);
		VM_OBJECT_WUNLOCK(backing);
		if (!copied)
			break;
		max -= copied;
		vm_object_collapse(object);
	}
}
EXPORT_SYMBOL_IF_KUNIT(vm_object_shorten);
