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

void vm_pager_clean_page(struct vm_page *m)
{
	VM_OBJECT_ASSERT_WLOCKED(m->object);
	atomic_inc(&m->object->paging_in_progress);
	pmap_remove_write(m);
	vm_page_undirty(m);
	if (m->object->type == OBJT_VNODE)
		set_bit(PGA_UNSTABLE, &m->aflags);
	vm_page_wire(m);
}
EXPORT_SYMBOL_IF_KUNIT(vm_pager_clean_page);

int vm_pager_put_pages(struct vm_object *object, struct vm_page **ma, unsigned int count,
		       unsigned int queue, unsigned int err_queue, unsigned int *done)
{
	unsigned int n = 0, i;
	int ret;

	ret = vm_pager_ops(object)->putpages(object, ma, count, &n);
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
