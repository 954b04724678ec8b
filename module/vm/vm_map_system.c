// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * vm_map_system: maps of kernel addresses.
 *
 * They are what other maps are, a tree of entries with gaps, but who allocates kernel
 * memory may hold a spinlock. So their own lock is one, and nothing here sleeps while
 * it is held: entries are neither clipped nor merged, and pages, objects and
 * translations are the caller's business.
 *
 * An entry that comes is made before the lock is taken, out of a zone of its own. That
 * has slabs of one page, which are not made of addresses of a map, and a reserve; so
 * asking for kernel memory never means asking for kernel memory first.
 *
 * An entry that goes is claimed first. Claimed, it holds its place while its pages
 * are unmapped and freed with no lock held, and then it is deleted: so no address is
 * used again before every CPU has forgotten it.
 */
#include "vm_map_var.h"

#include "uma.h"

/* Entries in reserve: for as many allocations when there is no page. */
#define KMAPENT_RESERVE	64

static struct uma_zone *kmapentzone;

int vm_map_system_startup(void)
{
	kmapentzone = uma_zcreate("KMAP ENTRY", sizeof(struct vm_map_entry), NULL, NULL, NULL,
				  NULL, UMA_ALIGN_PTR, UMA_ZONE_NOBUCKET);
	if (!kmapentzone)
		return -ENOMEM;
	uma_zone_reserve(kmapentzone, KMAPENT_RESERVE);
	return uma_prealloc(kmapentzone, KMAPENT_RESERVE);
}

void vm_map_system_shutdown(void)
{
	uma_zdestroy(kmapentzone);
	kmapentzone = NULL;
}

void vm_map_system_init(struct vm_map *map, vm_offset_t min, vm_offset_t max)
{
	vm_map_init(map, NULL, min, max);
	map->system_map = true;
}

/* Not every time where it takes long: the lock is a spinlock. */
static void system_map_check(struct vm_map *map)
{
	if (map->nentries < 64 || map->timestamp % 64 == 0)
		vm_map_assert_consistent(map);
}

int vm_map_system_insert(struct vm_map *map, struct vm_object *object, struct vm_map *sub_map,
			 vm_size_t size, bool nowait, vm_offset_t *addr)
{
	struct vm_map_entry *entry;
	int rv;

	entry = uma_zalloc(kmapentzone, (nowait ? M_NOWAIT : M_WAITOK) | M_USE_RESERVE);
	if (!entry)
		return KERN_RESOURCE_SHORTAGE;
	memset(entry, 0, sizeof(*entry));
	if (object) {
		entry->object = object;
	} else if (sub_map) {
		entry->sub_map = sub_map;
		entry->eflags = MAP_ENTRY_IS_SUB_MAP;
	}
	entry->protection = VM_PROT_READ | VM_PROT_WRITE;
	entry->max_protection = entry->protection;
	entry->inheritance = VM_INHERIT_NONE;

	vm_map_lock(map);
	rv = vm_map_findspace(map, map->min_offset, size, VM_PAGE_SIZE, map->max_offset,
			      &entry->start);
	if (rv == KERN_SUCCESS) {
		entry->end = entry->start + size;
		*addr = entry->start;
		vm_map_entry_link(map, entry);
		map->size += size;
		system_map_check(map);
	}
	vm_map_unlock(map);
	if (rv != KERN_SUCCESS)
		uma_zfree(kmapentzone, entry);
	return rv;
}
EXPORT_SYMBOL_IF_KUNIT(vm_map_system_insert);

struct vm_map_entry *vm_map_system_claim(struct vm_map *map, vm_offset_t start, vm_offset_t end,
					 bool sub_map)
{
	struct vm_map_entry *entry;

	vm_map_lock(map);
	if (!vm_map_lookup_entry(map, start, &entry) || entry->start != start ||
	    entry->end != end || (entry->eflags & MAP_ENTRY_IN_TRANSITION) ||
	    !(entry->eflags & MAP_ENTRY_IS_SUB_MAP) == sub_map)
		entry = NULL;
	else
		entry->eflags |= MAP_ENTRY_IN_TRANSITION;
	vm_map_unlock(map);
	return entry;
}
EXPORT_SYMBOL_IF_KUNIT(vm_map_system_claim);

void vm_map_system_delete(struct vm_map *map, struct vm_map_entry *entry)
{
	vm_map_lock(map);
	vm_map_entry_unlink(map, entry);
	map->size -= entry->end - entry->start;
	system_map_check(map);
	vm_map_unlock(map);
	uma_zfree(kmapentzone, entry);
}
EXPORT_SYMBOL_IF_KUNIT(vm_map_system_delete);
