// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * vm_map_fork: a map copied entry by entry, as inheritance says.
 *
 *	NONE	a hole
 *	SHARE	the same object
 *	COPY	the same object, behind a shadow for whoever writes first; but
 *		wired pages are copied here and now
 *	ZERO	new memory
 *
 * Locks: both maps', the parent's first. Linux has the page tables of both stand
 * still, and holds locks that a thread which wires memory may want: a fork never
 * waits for one.
 */
#include "vm_map_var.h"

#include "pmap.h"
#include "trace.h"

int vm_map_entry_share(struct vm_map *map, struct vm_map_entry *old, struct vm_map_entry *new)
{
	int rv;

	if (!old->object && !(old->eflags & MAP_ENTRY_GUARD)) {
		rv = vm_map_entry_make_object(old);
		if (rv != KERN_SUCCESS)
			return rv;
	}
	if (old->eflags & MAP_ENTRY_NEEDS_COPY) {
		rv = vm_map_entry_make_shadow(old);
		if (rv != KERN_SUCCESS)
			return rv;
	}
	if (old->object) {
		/* So that nobody comes by the pages of other entries with it. */
		vm_object_split(&old->object, &old->offset, old->end - old->start);
		VM_OBJECT_WLOCK(old->object);
		old->object->flags &= ~OBJ_ONEMAPPING;
		if (old->eflags & MAP_ENTRY_CHARGED) {
			/* Whoever lives longest: the object does. */
			old->object->charge += old->end - old->start;
			map->charge -= old->end - old->start;
			old->eflags &= ~MAP_ENTRY_CHARGED;
		}
		VM_OBJECT_WUNLOCK(old->object);
		vm_object_reference(old->object);
	}
	new->object = old->object;
	new->offset = old->offset;
	new->eflags = old->eflags & ~(MAP_ENTRY_USER_WIRED | MAP_ENTRY_IN_TRANSITION |
				      MAP_ENTRY_WIRE_SKIPPED);
	new->wired_count = 0;
	vm_map_entry_writecnt(new);
	return KERN_SUCCESS;
}

/* Write protection of neighbouring entries, gathered so that it is shot down once. */
struct protect_run {
	vm_offset_t start, end;
};

static void protect_run_flush(struct vm_map *map, struct protect_run *run)
{
	if (run->start < run->end)
		pmap_protect(map->pmap, run->start, run->end, VM_PROT_READ | VM_PROT_EXECUTE);
	run->start = 0;
	run->end = 0;
}

static void protect_run_add(struct protect_run *run, const struct vm_map_entry *entry)
{
	if (run->start >= run->end)
		run->start = entry->start;
	run->end = entry->end;
}

/* Is the entry wired, or about to be? Then its pages must stay the parent's. */
static bool vm_map_entry_held(const struct vm_map_entry *entry)
{
	return entry->wired_count || (entry->eflags & MAP_ENTRY_IN_TRANSITION);
}

/* COPY of such memory. */
static int vm_map_fork_copy_wired(struct vm_map_entry *old, struct vm_map_entry *new)
{
	struct vm_object *object = vm_object_allocate_anon(atop(old->end - old->start));
	int rv;

	if (!object)
		return KERN_RESOURCE_SHORTAGE;
	rv = vm_object_copy_resident(old->object, OFF_TO_IDX(old->offset), object);
	if (rv != KERN_SUCCESS) {
		vm_object_deallocate_later(object);
		return rv;
	}
	new->object = object;
	new->offset = 0;
	new->eflags |= MAP_ENTRY_COW;
	new->eflags &= ~MAP_ENTRY_NEEDS_COPY;
	return KERN_SUCCESS;
}

static int vm_map_fork_copy(struct vm_map *old_map, struct vm_map_entry *old,
			    struct vm_map_entry *new, struct protect_run *run)
{
	bool was_writable = !(old->eflags & MAP_ENTRY_NEEDS_COPY);

	if (!old->object)
		return KERN_SUCCESS;
	if (vm_map_entry_held(old))
		return vm_map_fork_copy_wired(old, new);
	/* So that the child's pages are those of the entry, and die with it. */
	vm_object_split(&old->object, &old->offset, old->end - old->start);
	VM_OBJECT_WLOCK(old->object);
	vm_object_collapse(old->object);
	old->object->flags &= ~OBJ_ONEMAPPING;
	VM_OBJECT_WUNLOCK(old->object);
	vm_object_reference(old->object);
	old->eflags |= MAP_ENTRY_COW | MAP_ENTRY_NEEDS_COPY;
	new->object = old->object;
	new->offset = old->offset;
	new->eflags |= MAP_ENTRY_COW | MAP_ENTRY_NEEDS_COPY;
	if (was_writable && (old->protection & VM_PROT_WRITE))
		protect_run_add(run, old);
	/* Once it is no longer counted the object may be sealed: nobody may write then. */
	if (old->eflags & MAP_ENTRY_WRITECNT) {
		protect_run_flush(old_map, run);
		vm_map_entry_release_writecnt(old);
	}
	return KERN_SUCCESS;
}

/* Make @new what the child gets of @old; its object is set when it succeeds. */
static int vm_map_fork_entry(struct vm_map *old_map, struct vm_map_entry *old,
			     struct vm_map_entry *new, struct protect_run *run)
{
	*new = *old;
	new->wired_count = 0;
	new->eflags &= ~(MAP_ENTRY_USER_WIRED | MAP_ENTRY_IN_TRANSITION |
			 MAP_ENTRY_WIRE_SKIPPED | MAP_ENTRY_CHARGED | MAP_ENTRY_WRITECNT);
	if (old->inheritance == VM_INHERIT_SHARE)
		return vm_map_entry_share(old_map, old, new);

	if ((old->eflags & MAP_ENTRY_CHARGED) ||
	    ((old->protection & VM_PROT_WRITE) && !(old->eflags & MAP_ENTRY_GUARD)))
		new->eflags |= MAP_ENTRY_CHARGED;
	if (old->inheritance == VM_INHERIT_ZERO) {
		new->object = NULL;
		new->offset = 0;
		new->eflags &= ~(MAP_ENTRY_COW | MAP_ENTRY_NEEDS_COPY);
		return KERN_SUCCESS;
	}
	return vm_map_fork_copy(old_map, old, new, run);
}

/* Pay for what is charged to the child, all of it or nothing. */
static int vm_map_fork_charge(struct vm_map *new_map, vm_size_t charge)
{
	struct vm_map_entry *entry;

	if (vm_map_charge(new_map, charge))
		return KERN_SUCCESS;
	VM_MAP_ENTRY_FOREACH(entry, new_map)
		entry->eflags &= ~MAP_ENTRY_CHARGED;
	return KERN_RESOURCE_SHORTAGE;
}

/*
 * Entries come in order, into a map that nobody has seen: so they go on the list first,
 * and the tree and the account are made for all of them at once.
 */
static int vm_map_fork_entries(struct vm_map *old_map, struct vm_map *new_map,
			       struct protect_run *run, vm_size_t *charge)
{
	struct vm_map_entry *old, *new;
	int rv;

	VM_MAP_ENTRY_FOREACH(old, old_map) {
		/* A run may cross holes, but nothing that keeps its mappings. */
		if (old->inheritance != VM_INHERIT_COPY || vm_map_entry_held(old))
			protect_run_flush(old_map, run);
		if (old->inheritance == VM_INHERIT_NONE)
			continue;
		new = vm_map_entry_create();
		rv = new ? vm_map_fork_entry(old_map, old, new, run) : KERN_RESOURCE_SHORTAGE;
		if (rv != KERN_SUCCESS) {
			vm_map_entry_dispose(new);
			return rv;
		}
		list_add_tail(&new->link, &new_map->header);
		new_map->nentries++;
		new_map->size += vm_map_entry_size(new);
		if (new->eflags & MAP_ENTRY_CHARGED)
			*charge += new->end - new->start;
	}
	return KERN_SUCCESS;
}

int vm_map_fork_locked(struct vm_map *old_map, struct vm_map *new_map)
{
	struct protect_run run = { 0, 0 };
	vm_size_t charge = 0;
	int rv, charged;

	VM_MAP_ASSERT_WLOCKED(old_map);
	VM_MAP_ASSERT_WLOCKED(new_map);
	trace_bsdvm_map_fork_begin(old_map->id, new_map->id, old_map->nentries, old_map->size);
	rv = vm_map_fork_entries(old_map, new_map, &run, &charge);
	vm_map_build_tree(new_map);
	charged = vm_map_fork_charge(new_map, charge);
	if (rv == KERN_SUCCESS)
		rv = charged;
	protect_run_flush(old_map, &run);
	trace_bsdvm_map_fork_end(old_map->id, new_map->id, new_map->nentries, new_map->size, rv);
	vm_map_assert_consistent(old_map);
	vm_map_assert_consistent(new_map);
	return rv;
}

int vm_map_fork(struct vm_map *old_map, struct vm_map *new_map)
{
	int rv;

	vm_map_lock(old_map);
	vm_map_lock_child(new_map);
	rv = vm_map_fork_locked(old_map, new_map);
	vm_map_unlock(new_map);
	vm_map_unlock(old_map);
	return rv;
}
EXPORT_SYMBOL_IF_KUNIT(vm_map_fork);
