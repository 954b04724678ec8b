/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * vm_fault_var: what the files of the fault share among themselves.
 */
#ifndef BSDVM_VM_FAULT_VAR_H
#define BSDVM_VM_FAULT_VAR_H

#include "trace.h"
#include "vm_fault.h"
#include "vm_pager.h"

/* Does anybody listen? What faults then note has no place on the stack of the others. */
static __always_inline bool vm_fault_tracing(void)
{
	return trace_bsdvm_fault_begin_enabled() || trace_bsdvm_fault_end_enabled();
}

/*
 * Wired pages of a shared memory object or a file that has become smaller are still
 * there, but nobody may see them.
 */
static inline bool fault_visible(struct vm_object *object, vm_pindex_t pindex)
{
	if (object->type == OBJT_VNODE)
		return vm_pager_has_page(object, pindex);
	return !vm_object_sized(object) || pindex < object->size;
}

#endif /* BSDVM_VM_FAULT_VAR_H */
