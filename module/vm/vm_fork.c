// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * vm_fork: birth, fork and death of a vmspace.
 */
#include "vm_fork.h"

#include "vmmeter.h"

void vmspace_init(struct vmspace *vm, struct pmap *pmap, vm_offset_t min, vm_offset_t max)
{
	vm_map_init(&vm->vm_map, pmap, min, max);
}

int vmspace_fork(struct vmspace *vm, struct vmspace *child)
{
	if (vm_map_fork(&vm->vm_map, &child->vm_map) != KERN_SUCCESS)
		return -ENOMEM;
	VM_CNT_INC(v_forks);
	VM_CNT_ADD(v_forkpages, atop(child->vm_map.size));
	return 0;
}

void vmspace_exit(struct vmspace *vm)
{
	struct vm_map *map = &vm->vm_map;
	LIST_HEAD(deferred);
	int rv;

	/* Nothing is translated any more, and there are no tables to look at. */
	map->pmap = NULL;
	/* Whole entries only, so nothing is split and it cannot fail. */
	rv = vm_map_remove(map, map->min_offset, map->max_offset, &deferred);
	WARN_ON(rv != KERN_SUCCESS);
	vm_map_process_deferred(&deferred);
}
