// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * vm_object_copy: pages of their own for somebody, by copying or by moving.
 *
 * Copied is what is wired when a process forks, since it may not be taken from below its
 * owner; moved are the pages of one entry, where the other entries of an object would
 * otherwise be in its way.
 */
#include "vm_object.h"

#include "trace.h"
#include "vm_object_var.h"

/**
 * struct copy_wait - what a copy must wait for with no object locked
 * @err: -EAGAIN: a page must come free; 0: the page at @pindex must be brought in;
 *	anything else: waiting does not help
 * @object: where, referenced
 * @pindex: which page
 */
struct copy_wait {
	int err;
	struct vm_object *object;
	vm_pindex_t pindex;
};

/* The first page of a window that is in swap, and that @dst has not yet. */
static bool vm_object_copy_paged_out(struct vm_object *object, vm_pindex_t pindex,
				     vm_pindex_t end, struct vm_object *dst,
				     struct copy_wait *wait)
{
	vm_pindex_t at = pindex;

	if (!vm_pager_swapped(object))
		return false;
	for (; vm_pager_ops(object)->next(object, &at, end); at++) {
		if (vm_object_has(dst, at - pindex) ||
		    (vm_page_lookup(object, at) && !vm_page_busied(vm_page_lookup(object, at))))
			continue;
		vm_object_reference(object);
		wait->err = 0;
		wait->object = object;
		wait->pindex = at;
		return true;
	}
	return false;
}

/*
 * Copy what @object, one of a chain, has of a window and @dst has not yet. (What an earlier
 * pass has copied may be in swap by now.) False: *@wait says what for.
 */
static bool vm_object_copy_level(struct vm_object *object, vm_pindex_t pindex,
				 struct vm_object *dst, struct copy_wait *wait)
{
	vm_pindex_t end = pindex + dst->size;
	unsigned long index;
	struct vm_page *m, *copy;

	/* Wired pages behind its end are nobody's to see, see vm_fault.c. */
	if (vm_object_sized(object))
		end = min(end, object->size);
	if (end <= pindex)
		return true;
	xa_for_each_range(&object->pages, index, m, pindex, end - 1) {
		if (!m->valid || vm_page_busied(m) || vm_object_has(dst, index - pindex))
			continue;
		/* Shows through, to be read. */
		if (!vm_page_copyable(m))
			continue;
		copy = vm_object_make_page(dst, index - pindex, m);
		if (IS_ERR(copy)) {
			wait->err = PTR_ERR(copy);
			return false;
		}
		cond_resched();
	}
	return !vm_object_copy_paged_out(object, pindex, end, dst, wait);
}

/* One pass over a chain; false: *@wait says what for. */
static bool vm_object_copy_chain(struct vm_object *object, vm_pindex_t pindex,
				 struct vm_object *dst, struct copy_wait *wait)
{
	struct vm_object *backing;
	bool good;

	/* As if it were the shadow of them all, which it will be of the last. */
	VM_OBJECT_WLOCK(dst);
	VM_OBJECT_WLOCK_NESTED(object, VM_OBJECT_BACKING);
	for (;;) {
		good = vm_object_copy_level(object, pindex, dst, wait);
		backing = object->backing_object;
		if (!good || !backing)
			break;
		pindex += OFF_TO_IDX(object->backing_object_offset);
		VM_OBJECT_WLOCK_NESTED(backing, VM_OBJECT_NEXT);
		VM_OBJECT_WUNLOCK(object);
		VM_OBJECT_NEXT_IS_BACKING(backing);
		object = backing;
	}
	/* What has all of its pages needs nothing behind it. */
	if (good && dst->resident_page_count < dst->size && !(object->flags & OBJ_ANON)) {
		vm_object_reference(object);
		vm_object_backing_insert(dst, object);
		dst->backing_object_offset = IDX_TO_OFF(pindex);
		trace_bsdvm_object_shadow(dst->id, object->id, dst->backing_object_offset,
					  dst->size);
	}
	VM_OBJECT_WUNLOCK(object);
	VM_OBJECT_WUNLOCK(dst);
	return good;
}

int vm_object_copy_resident(struct vm_object *src, vm_pindex_t pindex, struct vm_object *dst)
{
	struct copy_wait wait;
	unsigned int attempts = 0;
	int ret = 0;

	while (!ret && !vm_object_copy_chain(src, pindex, dst, &wait)) {
		ret = wait.err;
		if (!ret) {
			ret = vm_object_pagein(wait.object, wait.pindex);
			vm_object_deallocate_later(wait.object);
		} else if (ret == -EAGAIN) {
			ret = vm_wait_attempt(&attempts);
		}
	}
	return ret ? KERN_RESOURCE_SHORTAGE : KERN_SUCCESS;
}
EXPORT_SYMBOL_IF_KUNIT(vm_object_copy_resident);

/* May the pages of one entry leave the object, which is locked? */
static bool vm_object_splittable(const struct vm_object *object)
{
	const u16 wanted = OBJ_ANON | OBJ_ONEMAPPING;

	return (object->flags & wanted) == wanted && !object->shadow_count &&
	       refcount_read(&object->ref_count) > 1;
}

/* Make room in @new for what it will get of @object, so that moving cannot fail. */
static bool vm_object_split_reserve(struct vm_object *object, vm_pindex_t start,
				    struct vm_object *new)
{
	vm_pindex_t at;
	unsigned long index;
	struct vm_page *m;

	xa_for_each_range(&object->pages, index, m, start, start + new->size - 1)
		if (vm_page_busied(m) || xa_reserve(&new->pages, index - start, GFP_KERNEL))
			return false;
	if (!vm_pager_swapped(object))
		return true;
	for (at = start; vm_pager_ops(object)->next(object, &at, start + new->size); at++)
		if (vm_pager_ops(object)->reserve(new, at - start))
			return false;
	return true;
}

static void vm_object_split_move(struct vm_object *object, vm_pindex_t start,
				 struct vm_object *new)
{
	struct vm_object *backing = object->backing_object;
	unsigned long index;
	struct vm_page *m;

	/* Before the pages: what @new has no page for it takes. Reserved, too. */
	if (vm_pager_swapped(object))
		vm_pager_ops(object)->copy(object, new, start, new->size, false);
	xa_for_each_range(&object->pages, index, m, start, start + new->size - 1) {
		vm_page_remove(m);
		/* Reserved, so this allocates nothing. */
		xa_store(&new->pages, index - start, m, GFP_KERNEL);
		m->object = new;
		m->pindex = index - start;
		vm_object_count(new, 1);
	}
	if (!backing)
		return;
	VM_OBJECT_WLOCK_NESTED(backing, VM_OBJECT_NEXT);
	vm_object_reference(backing);
	vm_object_backing_insert(new, backing);
	new->backing_object_offset = object->backing_object_offset + IDX_TO_OFF(start);
	trace_bsdvm_object_shadow(new->id, backing->id, new->backing_object_offset, new->size);
	VM_OBJECT_WUNLOCK(backing);
}

void vm_object_split(struct vm_object **objectp, vm_ooffset_t *offset, vm_size_t size)
{
	struct vm_object *object = *objectp, *new;
	vm_pindex_t start = OFF_TO_IDX(*offset);
	bool split = false;

	VM_OBJECT_RLOCK(object);
	split = vm_object_splittable(object);
	VM_OBJECT_RUNLOCK(object);
	if (!split)
		return;
	new = vm_object_allocate_anon(OFF_TO_IDX(size));
	if (!new)
		return;
	VM_OBJECT_WLOCK(new);
	VM_OBJECT_WLOCK_NESTED(object, VM_OBJECT_BACKING);
	split = vm_object_splittable(object) && vm_object_split_reserve(object, start, new);
	if (split)
		vm_object_split_move(object, start, new);
	VM_OBJECT_WUNLOCK(object);
	VM_OBJECT_WUNLOCK(new);
	if (split) {
		*objectp = new;
		*offset = 0;
		vm_object_deallocate_later(object);
	} else {
		vm_object_deallocate_later(new);
	}
}
EXPORT_SYMBOL_IF_KUNIT(vm_object_split);
