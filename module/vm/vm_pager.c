// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * vm_pager: which pager serves which type of object, and what is the same for all
 * of them when pages are written.
 *
 * The pagers stand one floor up and register themselves, so that objects can
 * reach them without calling upwards by name.
 */
#include "vm_pager.h"

#include "pmap.h"
#include "trace.h"
#include "vm_page.h"

static const struct pagerops *pagertab[OBJT_COUNT];

void vm_pager_register(u8 type, const struct pagerops *ops)
{
	pagertab[type] = ops;
}
EXPORT_SYMBOL_IF_KUNIT(vm_pager_register);

const struct pagerops *vm_pager_ops(const struct vm_object *object)
{
	return pagertab[object->type];
}
EXPORT_SYMBOL_IF_KUNIT(vm_pager_ops);

bool vm_pager_has_page(struct vm_object *object, vm_pindex_t pindex)
{
	const struct pagerops *ops = vm_pager_ops(object);

	VM_OBJECT_ASSERT_LOCKED(object);
	return ops && ops->haspage && ops->haspage(object, pindex, NULL, NULL);
}
EXPORT_SYMBOL_IF_KUNIT(vm_pager_has_page);

void vm_pager_freespace(struct vm_object *object, vm_pindex_t start, vm_pindex_t end)
{
	VM_OBJECT_ASSERT_WLOCKED(object);
	if (vm_pager_swapped(object))
		vm_pager_ops(object)->freespace(object, start, end ? end : ULONG_MAX);
}
EXPORT_SYMBOL_IF_KUNIT(vm_pager_freespace);

void vm_pager_clean_pages(struct vm_page **ma, unsigned int count)
{
	unsigned int i;

	if (!count)
		return;
	VM_OBJECT_ASSERT_WLOCKED(ma[0]->object);
	atomic_add(count, &ma[0]->object->paging_in_progress);
	pmap_remove_write_pages(ma, count);
	for (i = 0; i < count; i++) {
		vm_page_undirty(ma[i]);
		if (ma[i]->object->type == OBJT_VNODE)
			set_bit(PGA_UNSTABLE, &ma[i]->aflags);
		vm_page_wire(ma[i]);
	}
}
EXPORT_SYMBOL_IF_KUNIT(vm_pager_clean_pages);

/* OBJT_* are printed by show_bsdvm_type(). */
static_assert(OBJT_DEFAULT == 1 && OBJT_SWAP == 3 && OBJT_PHYS == 5 && OBJT_COUNT == 6);

static unsigned int pages_valid(struct vm_page **ma, unsigned int count)
{
	unsigned int n = 0, i;

	for (i = 0; i < count; i++)
		n += READ_ONCE(ma[i]->valid);
	return n;
}

int vm_pager_get_pages(struct vm_object *object, struct vm_page **ma, unsigned int count,
		       unsigned int req)
{
	int rv;

	trace_bsdvm_pager_get_begin(object->id, object->type, ma[0]->pindex, count);
	rv = vm_pager_ops(object)->getpages(object, ma, count, req);
	if (trace_bsdvm_pager_get_end_enabled())
		trace_bsdvm_pager_get_end(object->id, object->type, count, pages_valid(ma, count),
					  rv);
	return rv;
}

int vm_pager_put_pages(struct vm_object *object, struct vm_page **ma, unsigned int count,
		       unsigned int queue, unsigned int err_queue, unsigned int *done)
{
	unsigned int n = 0, i;
	int ret;

	trace_bsdvm_pager_put_begin(object->id, object->type, ma[0]->pindex, count);
	ret = vm_pager_ops(object)->putpages(object, ma, count, &n);
	trace_bsdvm_pager_put_end(object->id, object->type, count, n, ret);
	/* Dirty before they may be freed: what is wired stays. */
	for (i = n; i < count; i++)
		vm_page_dirty(ma[i]);
	for (i = 0; i < count; i++)
		vm_page_unwire(ma[i], i < n ? queue : err_queue);
	if (atomic_sub_and_test(count, &object->paging_in_progress))
		wake_up_var(&object->paging_in_progress);
	if (done)
		*done = n;
	return ret;
}
EXPORT_SYMBOL_IF_KUNIT(vm_pager_put_pages);
