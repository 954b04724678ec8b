// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * vm_map_move: a mapping that grows, shrinks, moves or is doubled.
 *
 * What moves is the entry, not the memory: its object and offset stay, only its
 * addresses change (UVM's map-entry passing). The old translations go, faults make
 * new ones.
 *
 *	old   [ a ][  b  ]                      start, old_size
 *	new                  [ a ][  b  ][ext]  *addr,  new_size
 *
 * All entries that will be needed are made before anything changes.
 *
 * Lock: the map's, exclusively, for the whole of it.
 */
#include "vm_map_var.h"

#include "pmap.h"

/**
 * struct move - one call of vm_map_move()
 * @map: the map
 * @start: first address of the old mapping
 * @old_end: address behind it
 * @size: bytes that move
 * @new_start: where they go
 * @ext: the entry of what is gained behind them, or NULL
 * @ext_size: its bytes
 * @spare: entries for a doubled mapping
 */
struct move {
	struct vm_map *map;
	vm_offset_t start;
	vm_offset_t old_end;
	vm_size_t size;
	vm_offset_t new_start;
	struct vm_map_entry *ext;
	vm_size_t ext_size;
	struct list_head spare;
};

static bool range_is_free(struct vm_map *map, vm_offset_t start, vm_size_t size)
{
	struct vm_map_entry *entry = vm_map_lookup_entry_ge(map, start);

	if (!size)
		return true;
	return start >= map->min_offset && start <= map->max_offset &&
	       size <= map->max_offset - start && (!entry || entry->start >= start + size);
}

/* Nothing immutable, nothing being wired, no hole. */
static int move_check(struct vm_map *map, vm_offset_t start, vm_offset_t end)
{
	struct vm_map_entry *entry = vm_map_lookup_entry_ge(map, start);
	int rv = vm_map_check_range(map, entry, end);

	for (; start < end; start = entry->end, entry = vm_map_entry_succ(map, entry))
		if (!entry || entry->start > start)
			return KERN_INVALID_ARGUMENT;
	return rv;
}

/* What the mapping gains at its end is more of @last, its last entry. */
static int ext_prepare(struct move *mv, const struct vm_map_entry *last)
{
	struct vm_map_entry *ext;
	struct vm_object *object;
	int rv;

	if (!mv->ext_size)
		return KERN_SUCCESS;
	ext = vm_map_entry_create();
	if (!ext)
		return KERN_RESOURCE_SHORTAGE;
	*ext = *last;
	ext->wired_count = 0;
	ext->object = NULL;
	ext->offset = 0;
	ext->eflags &= ~(MAP_ENTRY_USER_WIRED | MAP_ENTRY_CHARGED | MAP_ENTRY_COW |
			 MAP_ENTRY_NEEDS_COPY | MAP_ENTRY_GROWS_DOWN | MAP_ENTRY_STACK_GAP);
	rv = vm_object_extension(last->object, last->offset + (last->end - last->start),
				 mv->ext_size, last->eflags & MAP_ENTRY_COW, &object,
				 &ext->offset);
	if (rv != KERN_SUCCESS) {
		vm_map_entry_dispose(ext);
		return rv;
	}
	ext->object = object;
	if (object && (last->eflags & MAP_ENTRY_COW))
		ext->eflags |= MAP_ENTRY_COW | MAP_ENTRY_NEEDS_COPY;
	if ((ext->protection & VM_PROT_WRITE) && !(ext->eflags & MAP_ENTRY_GUARD) &&
	    (!object || (ext->eflags & MAP_ENTRY_COW))) {
		if (!vm_map_charge(mv->map, mv->ext_size)) {
			if (object)
				vm_object_deallocate_later(object);
			vm_map_entry_dispose(ext);
			return KERN_RESOURCE_SHORTAGE;
		}
		ext->eflags |= MAP_ENTRY_CHARGED;
	}
	mv->ext = ext;
	return KERN_SUCCESS;
}

/* Put what is gained behind the rest. Cannot fail. */
static void ext_commit(struct move *mv)
{
	if (!mv->ext)
		return;
	mv->ext->start = mv->new_start + mv->size;
	mv->ext->end = mv->ext->start + mv->ext_size;
	vm_map_entry_link(mv->map, mv->ext);
	vm_map_trace_insert(mv->map, mv->ext);
	mv->map->size += vm_map_entry_size(mv->ext);
	vm_map_entry_writecnt(mv->ext);
	vm_map_try_extend(mv->map, mv->ext);
}

static void spare_drop(struct move *mv)
{
	struct vm_map_entry *entry, *next;

	list_for_each_entry_safe(entry, next, &mv->spare, link) {
		vm_map_entry_release_writecnt(entry);
		if (entry->object)
			vm_object_deallocate_later(entry->object);
		vm_map_entry_dispose(entry);
	}
}

/* For a doubled mapping: a second entry for each, meaning the same memory. */
static int spare_prepare(struct move *mv)
{
	struct vm_map_entry *entry = vm_map_lookup_entry_ge(mv->map, mv->start), *new;
	int rv;

	for (; entry && entry->start < mv->start + mv->size;
	     entry = vm_map_entry_succ(mv->map, entry)) {
		new = vm_map_entry_create();
		if (!new)
			return KERN_RESOURCE_SHORTAGE;
		*new = *entry;
		new->object = NULL;
		new->eflags &= ~MAP_ENTRY_WRITECNT;
		list_add_tail(&new->link, &mv->spare);
		rv = vm_map_entry_share(mv->map, entry, new);
		if (rv != KERN_SUCCESS)
			return rv;
	}
	return KERN_SUCCESS;
}

/* Cannot fail. */
static void spare_commit(struct move *mv)
{
	struct vm_map_entry *entry, *next;

	list_for_each_entry_safe(entry, next, &mv->spare, link) {
		list_del(&entry->link);
		entry->start += mv->new_start - mv->start;
		entry->end += mv->new_start - mv->start;
		vm_map_entry_link(mv->map, entry);
		vm_map_trace_insert(mv->map, entry);
		mv->map->size += vm_map_entry_size(entry);
	}
}

/* Move the entries themselves. Cannot fail. */
static void entries_move(struct move *mv)
{
	struct vm_map_entry *entry = vm_map_lookup_entry_ge(mv->map, mv->start), *next;
	LIST_HEAD(moving);

	pmap_remove(mv->map->pmap, mv->start, mv->start + mv->size);
	for (; entry && entry->start < mv->start + mv->size; entry = next) {
		next = vm_map_entry_succ(mv->map, entry);
		vm_map_trace_delete(mv->map, entry);
		vm_map_entry_unlink(mv->map, entry);
		list_add_tail(&entry->link, &moving);
	}
	list_for_each_entry_safe(entry, next, &moving, link) {
		list_del(&entry->link);
		entry->start += mv->new_start - mv->start;
		entry->end += mv->new_start - mv->start;
		vm_map_entry_link(mv->map, entry);
		vm_map_trace_insert(mv->map, entry);
	}
}

/* Where does the mapping go? It may stay where it is, but not when it is doubled. */
static int move_place(struct move *mv, vm_offset_t hint, vm_size_t new_size, vm_size_t align,
		      unsigned int flags)
{
	struct vm_map *map = mv->map;
	bool stays = !(flags & VM_MAP_MOVE_DUP) && IS_ALIGNED(mv->start, align) &&
		     (!(flags & VM_MAP_MOVE_FIXED) || hint == mv->start) &&
		     (!hint || hint == mv->start) &&
		     range_is_free(map, mv->old_end, mv->ext_size);
	int rv;

	mv->new_start = mv->start;
	if (stays)
		return KERN_SUCCESS;
	if (flags & VM_MAP_MOVE_FIXED) {
		mv->new_start = hint;
		return IS_ALIGNED(hint, align) && range_is_free(map, hint, new_size) ?
			       KERN_SUCCESS : KERN_NO_SPACE;
	}
	rv = vm_map_findspace(map, hint ? hint : mv->start, new_size, align, map->max_offset,
			      &mv->new_start);
	if (rv == KERN_NO_SPACE)
		rv = vm_map_findspace(map, map->min_offset, new_size, align, map->max_offset,
				      &mv->new_start);
	return rv;
}

/* With the map locked and everything checked. */
static int move_locked(struct move *mv, unsigned int flags, struct list_head *deferred)
{
	bool dup = flags & VM_MAP_MOVE_DUP;
	struct vm_map *map = mv->map;
	vm_offset_t end = mv->start + mv->size;
	struct vm_map_entry *first, *rest, *last;
	int rv;

	first = vm_map_lookup_entry_ge(map, mv->start);
	rv = vm_map_clip_range(map, &first, mv->start, end);
	if (rv != KERN_SUCCESS)
		return rv;
	rest = vm_map_lookup_entry_ge(map, end);
	if (!dup && end < mv->old_end)
		rv = vm_map_clip_range(map, &rest, end, mv->old_end);
	if (rv == KERN_SUCCESS && dup)
		rv = spare_prepare(mv);
	if (rv == KERN_SUCCESS) {
		vm_map_lookup_entry(map, end - 1, &last);
		rv = ext_prepare(mv, last);
	}
	if (rv != KERN_SUCCESS) {
		spare_drop(mv);
		vm_map_simplify(map, first, mv->old_end);
		return rv;
	}
	if (dup) {
		spare_commit(mv);
	} else {
		vm_map_delete_clipped(map, rest, mv->old_end, deferred);
		if (mv->new_start != mv->start)
			entries_move(mv);
	}
	ext_commit(mv);
	vm_map_simplify(map, vm_map_lookup_entry_ge(map, mv->start), mv->old_end);
	vm_map_simplify(map, vm_map_lookup_entry_ge(map, mv->new_start),
			mv->new_start + mv->size + mv->ext_size);
	return KERN_SUCCESS;
}

int vm_map_move(struct vm_map *map, vm_offset_t start, vm_size_t old_size, vm_offset_t *addr,
		vm_size_t new_size, vm_size_t align, unsigned int flags,
		struct list_head *deferred)
{
	struct move mv = {
		.map = map,
		.start = start,
		.old_end = start + old_size,
		.size = min(old_size, new_size),
		.ext_size = new_size > old_size ? new_size - old_size : 0,
		.spare = LIST_HEAD_INIT(mv.spare),
	};
	int rv;

	vm_map_lock(map);
	rv = move_check(map, start, mv.old_end);
	if (rv == KERN_SUCCESS)
		rv = move_place(&mv, *addr, new_size, align, flags);
	if (rv == KERN_SUCCESS)
		rv = move_locked(&mv, flags, deferred);
	if (rv == KERN_SUCCESS)
		*addr = mv.new_start;
	vm_map_assert_consistent(map);
	vm_map_unlock(map);
	return rv;
}
EXPORT_SYMBOL_IF_KUNIT(vm_map_move);
