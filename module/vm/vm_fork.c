// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * vm_fork: birth, fork and death of a vmspace.
 */
#include "vm_fork.h"

#include "uma.h"
#include "vmmeter.h"

static struct uma_zone *vmspace_zone;

int vmspace_startup(void)
{
	vmspace_zone = uma_zcreate("VMSPACE", sizeof(struct vmspace), NULL, NULL, NULL, NULL,
				   UMA_ALIGN_PTR, 0);
	return vmspace_zone ? 0 : -ENOMEM;
}

void vmspace_shutdown(void)
{
	uma_zdestroy(vmspace_zone);
	vmspace_zone = NULL;
}

struct vmspace *vmspace_alloc(struct pmap *pmap, vm_offset_t min, vm_offset_t max)
{
	struct vmspace *vm = uma_zalloc(vmspace_zone, M_NOWAIT);

	if (!vm)
		return NULL;
	vm_map_init(&vm->vm_map, pmap, min, max);
	atomic_long_set(&vm->vm_minflt, 0);
	atomic_long_set(&vm->vm_majflt, 0);
	atomic_long_set(&vm->vm_maxrss, 0);
	vm->vm_taddr = min;
	vm->vm_tsize = 0;
	vm->vm_daddr = min;
	vm->vm_dsize = 0;
	vm->vm_maxsaddr = 0;
	vm->vm_protected = false;
	vm->vm_ran = 0;
	vm->vm_ran_at = jiffies;
	vm->vm_swapped = false;
	vm->vm_swapwaiters = 0;
	INIT_LIST_HEAD(&vm->vm_swapq);
	vm->vm_nswap = 0;
	mutex_init(&vm->vm_brk_lock);
	return vm;
}

int vmspace_fork(struct vmspace *vm, struct vmspace *child)
{
	int rv;

	vm_map_lock(&vm->vm_map);
	vm_map_lock_child(&child->vm_map);
	rv = vm_map_fork_locked(&vm->vm_map, &child->vm_map);
	child->vm_taddr = vm->vm_taddr;
	child->vm_tsize = vm->vm_tsize;
	child->vm_daddr = vm->vm_daddr;
	child->vm_dsize = vm->vm_dsize;
	child->vm_maxsaddr = vm->vm_maxsaddr;
	child->vm_protected = READ_ONCE(vm->vm_protected);
	vm_map_unlock(&child->vm_map);
	vm_map_unlock(&vm->vm_map);
	if (rv != KERN_SUCCESS)
		return -ENOMEM;
	VM_CNT_INC(v_forks);
	VM_CNT_ADD(v_forkpages, atop(child->vm_map.size));
	return 0;
}

void vmspace_free(struct vmspace *vm)
{
	struct vm_map *map = &vm->vm_map;
	LIST_HEAD(deferred);

	/* What is gone is not out. */
	if (vm->vm_swapped)
		VM_CNT_INC(v_vmspace_swapin);

	/* Nothing is translated any more, and there are no tables to look at. */
	map->pmap = NULL;
	vm_map_remove_all(map, &deferred);
	vm_map_process_deferred(&deferred);
	uma_zfree(vmspace_zone, vm);
}
