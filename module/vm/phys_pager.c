// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * phys_pager: memory that is never paged.
 *
 * The object itself wires each of its pages once. That keeps a page off the queues,
 * where the pageout daemon would find it, and counts it in v_wire_count. The object's
 * wiring goes with the page; those of others (mlock) come on top of it.
 */
#include "phys_pager.h"

#include "pmap.h"
#include "vm_page.h"
#include "vm_pager.h"

static int phys_pager_populate(struct vm_object *object, vm_pindex_t pindex)
{
	struct vm_page *m = vm_page_alloc_noobj(VM_ALLOC_NORMAL);
	int ret = -ERANGE;

	if (!m)
		return VM_PAGER_AGAIN;
	pmap_zero_page(m);
	m->valid = 1;
	vm_page_wire(m);
	VM_OBJECT_WLOCK(object);
	if (pindex < object->size)
		ret = vm_page_insert(m, object, pindex);
	VM_OBJECT_WUNLOCK(object);
	if (!ret) {
		VM_CNT_INC(v_zfod);
		return VM_PAGER_OK;
	}
	vm_page_unwire(m, PQ_NONE);
	vm_page_free(m);
	if (ret == -ENOMEM)
		return VM_PAGER_FAIL;
	return ret == -EEXIST ? VM_PAGER_OK : VM_PAGER_BAD;
}

void phys_pager_destroy(struct vm_page *m)
{
	vm_page_destroy(m);
	/* It is nobody's now, and goes with this unless it is wired by others. */
	vm_page_unwire(m, PQ_NONE);
}

static void phys_pager_dealloc(struct vm_object *object)
{
	unsigned long index;
	struct vm_page *m;

	xa_for_each(&object->pages, index, m) {
		vm_page_unwire(m, PQ_NONE);
		cond_resched();
	}
}

static const struct pagerops physpagerops = {
	.populate = phys_pager_populate,
	.dealloc = phys_pager_dealloc,
};

void phys_pager_init(void)
{
	vm_pager_register(OBJT_PHYS, &physpagerops);
}

void phys_pager_fini(void)
{
	vm_pager_register(OBJT_PHYS, NULL);
}
