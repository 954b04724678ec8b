// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * vm_object_clean: what was written to a file's pages, on its way to the file.
 */
#include "vm_object.h"

#include "vm_object_var.h"

/*
 * Gather dirty pages from *@index on, in order: read-only everywhere, clean, and
 * wired so that they stay while they are written with no lock held.
 */
static unsigned int vm_object_clean_some(struct vm_object *object, vm_pindex_t *index,
					 vm_pindex_t last, unsigned int flags,
					 struct vm_page **ma)
{
	XA_STATE(xas, &object->pages, *index);
	unsigned int n = 0;
	struct vm_page *m;

	VM_OBJECT_ASSERT_WLOCKED(object);
	rcu_read_lock();
	xas_for_each_marked(&xas, m, last, VM_OBJECT_WRITTEN) {
		if (!vm_page_is_dirty(m) ||
		    ((flags & OBJPC_NOSYNC) && test_bit(PGA_NOSYNC, &m->aflags)))
			continue;
		ma[n++] = m;
		if (n == VM_PAGEOUT_CLUSTER)
			break;
	}
	rcu_read_unlock();
	vm_pager_clean_pages(ma, n);
	if (n)
		*index = ma[n - 1]->pindex + 1;
	return n;
}

/*
 * Bring what was written to stable storage. A file system may find out only now that
 * it has no room: then the pages that are not known to be there are dirty again.
 */
static int vm_object_stabilize(struct vm_object *object, vm_pindex_t start, vm_pindex_t end,
			       vm_pindex_t last)
{
	XA_STATE(xas, &object->pages, start);
	struct vm_page *m;
	int err;

	err = vm_pager_ops(object)->sync(object, IDX_TO_OFF(start),
					 end ? IDX_TO_OFF(end) : S64_MAX);
	if (!xa_marked(&object->pages, VM_OBJECT_WRITTEN))
		return err;
	VM_OBJECT_WLOCK(object);
	xas_lock(&xas);
	xas_for_each_marked(&xas, m, last, VM_OBJECT_WRITTEN) {
		if (test_and_clear_bit(PGA_UNSTABLE, &m->aflags) && err)
			vm_page_dirty(m);
		/* What somebody else is writing may turn out to be dirty still. */
		if (!vm_page_is_dirty(m) && !atomic_read(&object->paging_in_progress))
			xas_clear_mark(&xas, VM_OBJECT_WRITTEN);
		if (!need_resched())
			continue;
		xas_pause(&xas);
		xas_unlock(&xas);
		cond_resched();
		xas_lock(&xas);
	}
	xas_unlock(&xas);
	VM_OBJECT_WUNLOCK(object);
	return err;
}

int vm_object_page_clean(struct vm_object *object, vm_pindex_t start, vm_pindex_t end,
			 unsigned int flags)
{
	vm_pindex_t last = end ? end - 1 : ULONG_MAX, index = start;
	struct vm_page *ma[VM_PAGEOUT_CLUSTER];
	unsigned int n;
	int ret = 0, err;

	/* Who has stored to a page has left the mark first. */
	while (index <= last && xa_marked(&object->pages, VM_OBJECT_WRITTEN)) {
		VM_OBJECT_WLOCK(object);
		n = vm_object_clean_some(object, &index, last, flags, ma);
		VM_OBJECT_WUNLOCK(object);
		if (!n)
			break;
		err = vm_pager_put_pages(object, ma, n, PQ_INACTIVE, PQ_INACTIVE, NULL);
		if (err && !ret)
			ret = err;
	}
	/* Pages that somebody else has made clean may still be on their way. */
	wait_var_event(&object->paging_in_progress,
		       !atomic_read(&object->paging_in_progress));
	if (flags & OBJPC_SYNC) {
		err = vm_object_stabilize(object, start, end, last);
		if (err && !ret)
			ret = err;
	}
	return ret;
}

bool vm_object_settled(const struct vm_object *object)
{
	if (object->type != OBJT_VNODE || xa_marked(&object->pages, VM_OBJECT_WRITTEN) ||
	    atomic_read(&object->paging_in_progress))
		return false;
	/* Who writes a page tells the pager before the mark goes; see vm_pager_put_pages(). */
	smp_rmb();
	return vm_pager_ops(object)->settled && vm_pager_ops(object)->settled(object);
}

int vm_object_sync(struct vm_object *object, vm_ooffset_t offset, vm_size_t size, bool sync,
		   bool invalidate)
{
	struct vm_object *backing;
	int ret = 0;

	vm_object_reference(object);
	for (;;) {
		VM_OBJECT_RLOCK(object);
		backing = object->backing_object;
		if (backing) {
			offset += object->backing_object_offset;
			vm_object_reference(backing);
		}
		VM_OBJECT_RUNLOCK(object);
		if (!backing)
			break;
		vm_object_deallocate(object);
		object = backing;
	}
	if (object->type == OBJT_VNODE) {
		ret = vm_object_page_clean(object, OFF_TO_IDX(offset),
					   OFF_TO_IDX(round_page(offset + size)),
					   sync ? OBJPC_SYNC : 0);
		if (invalidate) {
			VM_OBJECT_WLOCK(object);
			vm_object_page_remove(object, OFF_TO_IDX(offset),
					      OFF_TO_IDX(round_page(offset + size)),
					      READ_ONCE(vm_old_msync) ? OBJPR_UNWIRED :
									OBJPR_CLEANONLY);
			VM_OBJECT_WUNLOCK(object);
		}
	}
	vm_object_deallocate(object);
	return ret;
}
