// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * vm_object_clean: what was written to a file's pages, on its way to the file.
 */
#include "vm_object.h"

#include "vm_object_var.h"

/* The first page in [*@at, @last] that may be dirty or not on the disk yet; *@at is its index. */
static struct vm_page *vm_object_written(struct vm_object *object, unsigned long *at,
					 vm_pindex_t last)
{
	return *at > last ? NULL : xa_find(&object->pages, at, last, VM_OBJECT_WRITTEN);
}

/*
 * Gather a run of dirty pages from *@index on: read-only everywhere, clean, and
 * wired so that they stay while they are written with no lock held.
 */
static unsigned int vm_object_clean_run(struct vm_object *object, vm_pindex_t *index,
					vm_pindex_t last, unsigned int flags,
					struct vm_page **ma)
{
	unsigned long at = *index;
	unsigned int n = 0;
	struct vm_page *m;

	VM_OBJECT_ASSERT_WLOCKED(object);
	for (; (m = vm_object_written(object, &at, last)); at++) {
		if (n && m->pindex != ma[n - 1]->pindex + 1)
			break;
		if (!vm_page_is_dirty(m) ||
		    ((flags & OBJPC_NOSYNC) && test_bit(PGA_NOSYNC, &m->aflags))) {
			if (n)
				break;
			continue;
		}
		vm_pager_clean_page(m);
		ma[n++] = m;
		if (n == VM_PAGEOUT_CLUSTER)
			break;
	}
	*index = n ? ma[n - 1]->pindex + 1 : last;
	return n;
}

/*
 * Bring what was written to stable storage. A file system may find out only now that
 * it has no room: then the pages that are not known to be there are dirty again.
 */
static int vm_object_stabilize(struct vm_object *object, vm_pindex_t start, vm_pindex_t end,
			       vm_pindex_t last)
{
	unsigned long index = start;
	struct vm_page *m;
	int err;

	err = vm_pager_ops(object)->sync(object, IDX_TO_OFF(start),
					 end ? IDX_TO_OFF(end) : S64_MAX);
	VM_OBJECT_WLOCK(object);
	for (; (m = vm_object_written(object, &index, last)); index++) {
		if (test_and_clear_bit(PGA_UNSTABLE, &m->aflags) && err)
			vm_page_dirty(m);
		/* What somebody else is writing may turn out to be dirty still. */
		if (!vm_page_is_dirty(m) && !atomic_read(&object->paging_in_progress))
			xa_clear_mark(&object->pages, index, VM_OBJECT_WRITTEN);
		cond_resched();
	}
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

	while (index <= last) {
		VM_OBJECT_WLOCK(object);
		n = vm_object_clean_run(object, &index, last, flags, ma);
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
