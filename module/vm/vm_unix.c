// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * vm_unix: brk, and where a program's segments lie.
 *
 * The end of the heap is kept to the byte, as brk(2) was told; pages are mapped and
 * unmapped by whole ones. vm_brk_lock keeps two threads that move it apart: moving
 * takes several holds of the map's lock.
 */
#include "vm_unix.h"

#include <bsdvm.h>

#include "pmap.h"
#include "vm_mmap.h"

unsigned long vm_maxdsiz = 8UL << 30;

/* The end of the heap, to the byte. Its base is the first page behind vm_daddr. */
static vm_offset_t vmspace_break(const struct vmspace *vm)
{
	return vm->vm_daddr + vm->vm_dsize;
}

vm_offset_t vmspace_data_end(struct vmspace *vm)
{
	const struct vm_map *map = &vm->vm_map;
	vm_size_t size = (map->max_offset - map->min_offset) / 4;

	size = min3(size, (vm_size_t)READ_ONCE(vm_maxdsiz), (vm_size_t)rlimit_max(RLIMIT_DATA));
	return min(round_page(READ_ONCE(vm->vm_daddr) + trunc_page(size)), map->max_offset);
}

static void break_set(struct vmspace *vm, vm_offset_t addr)
{
	VM_MAP_ASSERT_WLOCKED(&vm->vm_map);
	WRITE_ONCE(vm->vm_dsize, addr - vm->vm_daddr);
}

/* Let the heap end at @addr, and map what it gains: [from, to), page aligned. */
static int break_grow(struct vmspace *vm, vm_offset_t base, vm_offset_t from, vm_offset_t to,
		      vm_offset_t addr)
{
	vm_offset_t before = vmspace_break(vm);
	struct vm_map *map = &vm->vm_map;
	vm_size_t size = to - from;
	int ret;

	if (to > map->max_offset || to - base > rlimit(RLIMIT_DATA) ||
	    to - base > READ_ONCE(vm_maxdsiz) ||
	    size > rlimit(RLIMIT_AS) || READ_ONCE(map->size) > rlimit(RLIMIT_AS) - size)
		return -ENOMEM;
	ret = vm_mmap_check_wired(map, size);
	if (ret)
		return ret;
	vm_map_lock(map);
	ret = vm_mmap_to_errno(vm_map_insert(map, NULL, 0, from, to, VM_PROT_READ | VM_PROT_WRITE,
					     VM_PROT_ALL, 0));
	/* Under the same lock: a fork copies both or neither. */
	if (!ret)
		break_set(vm, addr);
	vm_map_unlock(map);
	if (ret)
		return ret;
	/* Here, unlike in mmap(2), memory that cannot be wired is not had at all. */
	ret = vm_mmap_wire_future(map, from, to, VM_MAP_WIRE_NOHOLES);
	if (ret) {
		kern_munmap(vm, from, size);
		vm_map_lock(map);
		break_set(vm, before);
		vm_map_unlock(map);
		return ret == -EINTR ? ret : -ENOMEM;
	}
	return 0;
}

int kern_break(struct vmspace *vm, u64 *addr)
{
	vm_offset_t base, old, new;
	int ret = 0;

	if (mutex_lock_killable(&vm->vm_brk_lock))
		return -EINTR;
	base = round_page(vm->vm_daddr);
	if (*addr < base)
		goto done;
	if (*addr > vm->vm_map.max_offset) {
		ret = -ENOMEM;
		goto done;
	}
	old = round_page(vmspace_break(vm));
	new = round_page(*addr);
	if (new > old)
		ret = break_grow(vm, base, old, new, *addr);
	else if (new < old)
		ret = kern_munmap(vm, new, old - new);
	if (!ret && new <= old) {
		vm_map_lock(&vm->vm_map);
		break_set(vm, *addr);
		vm_map_unlock(&vm->vm_map);
	}
done:
	*addr = vmspace_break(vm);
	mutex_unlock(&vm->vm_brk_lock);
	return ret;
}

static bool segment_fits(const struct vm_map *map, u64 addr, u64 size)
{
	return addr >= map->min_offset && addr <= map->max_offset &&
	       size <= map->max_offset - addr;
}

int kern_segments(struct vmspace *vm, const struct bsdvm_segments *seg)
{
	struct vm_map *map = &vm->vm_map;

	if (!segment_fits(map, seg->taddr, seg->tsize) ||
	    !segment_fits(map, seg->daddr, seg->dsize) || seg->taddr > seg->daddr ||
	    (seg->maxsaddr && !segment_fits(map, seg->maxsaddr, 0)))
		return -EINVAL;
	if (mutex_lock_killable(&vm->vm_brk_lock))
		return -EINTR;
	vm_map_lock(map);
	vm->vm_taddr = seg->taddr;
	vm->vm_tsize = seg->tsize;
	vm->vm_daddr = seg->daddr;
	vm->vm_dsize = min(round_page(seg->daddr + seg->dsize), map->max_offset) - seg->daddr;
	vm->vm_maxsaddr = seg->maxsaddr;
	vm_map_unlock(map);
	mutex_unlock(&vm->vm_brk_lock);
	return 0;
}
