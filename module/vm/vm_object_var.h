/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * vm_object_var: what the files of the object share among themselves.
 */
#ifndef BSDVM_VM_OBJECT_VAR_H
#define BSDVM_VM_OBJECT_VAR_H

#include "vm_object.h"
#include "vm_page.h"
#include "vm_pager.h"
#include "vm_user.h"

/* Pages have come into an object, whose lock others may have shared, or left it. */
static inline void vm_object_count(struct vm_object *object, long pages)
{
	unsigned long count = READ_ONCE(object->resident_page_count);

	while (!try_cmpxchg(&object->resident_page_count, &count, count + pages))
		;
	vm_user_charge(object->user, pages);
}

/* Has an anonymous object a page of its own there, resident or in swap? */
static inline bool vm_object_has(struct vm_object *object, vm_pindex_t pindex)
{
	return vm_page_lookup(object, pindex) ||
	       (vm_pager_swapped(object) && vm_pager_has_page(object, pindex));
}

/* Hang @object before @backing, whose reference it takes over. */
static inline void vm_object_backing_insert(struct vm_object *object, struct vm_object *backing)
{
	VM_OBJECT_ASSERT_WLOCKED(backing);
	object->backing_object = backing;
	list_add(&object->shadow_list, &backing->shadow_head);
	backing->shadow_count++;
}

/* Take @object from before its backing object; the reference stays with the caller. */
static inline void vm_object_backing_remove(struct vm_object *object)
{
	struct vm_object *backing = object->backing_object;

	VM_OBJECT_ASSERT_WLOCKED(backing);
	list_del_init(&object->shadow_list);
	backing->shadow_count--;
	object->backing_object = NULL;
}

/**
 * vm_object_free() - the end of an object
 * @object: it has no reference, nothing shadows it, and it shadows nothing
 *
 * Its pages and what it had in swap are freed, and its room when nobody can be looking at
 * it any more.
 *
 * Context: process, may sleep; the object not locked.
 */
void vm_object_free(struct vm_object *object);

#endif /* BSDVM_VM_OBJECT_VAR_H */
