// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * vm_map_wire: memory that stays where it is.
 *
 * Wiring faults every page of a range in, and a fault may sleep for memory and for
 * I/O: it cannot be done with the map locked. So it has three steps:
 *
 *  1. under the map's lock the entries are clipped, checked and marked in
 *     transition, and the users' limit is charged;
 *  2. with no lock held every page is faulted in and wired. Who would unmap, move
 *     or protect such an entry is told to wait (KERN_RESTART); fork copies it;
 *  3. under the lock again the entries become wired; or, when a page could not be
 *     had, what was wired is unwired.
 *
 * Lock: the map's.
 */
#include "vm_map_var.h"

#include "vm_page.h"

unsigned long vm_max_user_wired = ULONG_MAX;
EXPORT_SYMBOL_IF_KUNIT(vm_max_user_wired);

static atomic_long_t user_wire_count;

unsigned long vm_map_user_wire_count(void)
{
	return atomic_long_read(&user_wire_count);
}
EXPORT_SYMBOL_IF_KUNIT(vm_map_user_wire_count);

static bool user_wire_add(unsigned long pages)
{
	unsigned long after = atomic_long_add_return(pages, &user_wire_count);

	if (after <= READ_ONCE(vm_max_user_wired) || !pages)
		return true;
	atomic_long_sub(pages, &user_wire_count);
	return false;
}

static void user_wire_sub(unsigned long pages)
{
	atomic_long_sub(pages, &user_wire_count);
}

static vm_size_t entry_length(const struct vm_map_entry *entry)
{
	return entry->end - entry->start;
}

static void entry_become_wired(struct vm_map *map, struct vm_map_entry *entry)
{
	entry->wired_count = 1;
	entry->eflags |= MAP_ENTRY_USER_WIRED;
	map->wired += entry_length(entry);
}

bool vm_map_entry_set_wired(struct vm_map *map, struct vm_map_entry *entry)
{
	vm_pindex_t first = OFF_TO_IDX(entry->offset), last = first + atop(entry_length(entry)) - 1;
	unsigned long index, n = 0;
	struct vm_page *m;
	bool whole;

	VM_MAP_ASSERT_WLOCKED(map);
	if (!user_wire_add(atop(entry_length(entry))))
		return false;
	VM_OBJECT_RLOCK(entry->object);
	xa_for_each_range(&entry->object->pages, index, m, first, last)
		n++;
	/* Some may have been paged out since they were made. */
	whole = n == atop(entry_length(entry));
	if (whole)
		xa_for_each_range(&entry->object->pages, index, m, first, last)
			vm_page_wire(m);
	VM_OBJECT_RUNLOCK(entry->object);
	if (whole)
		entry_become_wired(map, entry);
	else
		user_wire_sub(atop(entry_length(entry)));
	return whole;
}

void vm_map_entry_unwire(struct vm_map *map, struct vm_map_entry *entry)
{
	vm_pindex_t first = OFF_TO_IDX(entry->offset);

	VM_MAP_ASSERT_WLOCKED(map);
	vm_object_unwire(entry->object, first, first + atop(entry_length(entry)));
	entry->wired_count = 0;
	entry->eflags &= ~MAP_ENTRY_USER_WIRED;
	map->wired -= entry_length(entry);
	user_wire_sub(atop(entry_length(entry)));
}

/* Is a part of [start, end) not mapped? */
static bool range_has_hole(struct vm_map *map, vm_offset_t start, vm_offset_t end)
{
	struct vm_map_entry *entry = vm_map_lookup_entry_ge(map, start);

	for (; start < end; start = entry->end, entry = vm_map_entry_succ(map, entry))
		if (!entry || entry->start > start)
			return true;
	return false;
}

/*
 * Does this thread wire it? Not everything in its range: what was mapped into a hole
 * since, another thread may be wiring.
 */
static bool entry_wiring(const struct vm_map_entry *entry)
{
	return (entry->eflags & MAP_ENTRY_IN_TRANSITION) && entry->wiring_thread == current;
}

/* Memory that cannot even be read cannot be wired. */
static bool entry_wirable(const struct vm_map_entry *entry)
{
	return entry->protection & (VM_PROT_READ | VM_PROT_EXECUTE);
}

/*
 * Does another thread wire a part of [start, end)? What is immutable may be wired
 * all the same, so vm_map_check_range() is not the one to ask.
 */
static bool range_in_transition(struct vm_map *map, vm_offset_t start, vm_offset_t end)
{
	struct vm_map_entry *entry = vm_map_lookup_entry_ge(map, start);

	for (; entry && entry->start < end; entry = vm_map_entry_succ(map, entry))
		if (entry->eflags & MAP_ENTRY_IN_TRANSITION)
			return true;
	return false;
}

/* Would step 1 fail? */
static int wire_check(struct vm_map *map, vm_offset_t start, vm_offset_t end, unsigned int flags)
{
	struct vm_map_entry *entry = vm_map_lookup_entry_ge(map, start);

	if (flags & VM_MAP_WIRE_HOLESOK)
		return KERN_SUCCESS;
	if (range_has_hole(map, start, end))
		return KERN_INVALID_ADDRESS;
	for (; entry && entry->start < end; entry = vm_map_entry_succ(map, entry))
		if (!entry->wired_count && !entry_wirable(entry))
			return KERN_INVALID_ADDRESS;
	return KERN_SUCCESS;
}

/* Step 1, with the map locked. */
static int wire_begin(struct vm_map *map, vm_offset_t start, vm_offset_t end, unsigned int flags)
{
	struct vm_map_entry *entry, *first;
	unsigned long pages = 0;
	int rv;

	if (range_in_transition(map, start, end))
		return KERN_RESTART;
	first = vm_map_lookup_entry_ge(map, start);
	rv = wire_check(map, start, end, flags);
	if (rv == KERN_SUCCESS)
		rv = vm_map_clip_range(map, &first, start, end);
	if (rv != KERN_SUCCESS)
		return rv;

	for (entry = first; entry && entry->start < end; entry = vm_map_entry_succ(map, entry))
		if (!entry->wired_count && entry_wirable(entry))
			pages += atop(entry_length(entry));
	if (!user_wire_add(pages)) {
		vm_map_simplify(map, first, end);
		return KERN_RESOURCE_SHORTAGE;
	}
	for (entry = first; entry && entry->start < end; entry = vm_map_entry_succ(map, entry)) {
		entry->eflags |= MAP_ENTRY_IN_TRANSITION;
		entry->wiring_thread = current;
		if (!entry->wired_count && !entry_wirable(entry))
			entry->eflags |= MAP_ENTRY_WIRE_SKIPPED;
	}
	map->transitions++;
	return KERN_SUCCESS;
}

/* Step 2. *reached is where it ended. */
static int wire_pages(struct vm_map *map, vm_offset_t start, vm_offset_t end, vm_offset_t *reached,
		      int (*fault)(struct vm_map *map, vm_offset_t va, vm_prot_t prot, bool copy))
{
	struct vm_map_entry *entry;
	vm_offset_t stop;
	vm_prot_t prot;
	bool skip, copy;
	int rv;

	for (*reached = start; *reached < end;) {
		vm_map_lock_read(map);
		entry = vm_map_lookup_entry_ge(map, *reached);
		if (!entry || entry->start >= end) {
			vm_map_unlock_read(map);
			*reached = end;
			break;
		}
		*reached = max(*reached, entry->start);
		stop = min(entry->end, end);
		skip = entry->wired_count || !entry_wiring(entry) ||
		       (entry->eflags & MAP_ENTRY_WIRE_SKIPPED);
		prot = entry->protection;
		copy = entry->eflags & MAP_ENTRY_COW;
		vm_map_unlock_read(map);
		for (; !skip && *reached < stop; *reached += VM_PAGE_SIZE) {
			rv = fault(map, *reached, prot, copy);
			if (rv != KERN_SUCCESS)
				return rv;
		}
		*reached = stop;
	}
	return KERN_SUCCESS;
}

/* Step 3 for one entry, whose pages below @reached are wired. */
static void wire_end_entry(struct vm_map *map, struct vm_map_entry *entry, bool good,
			   vm_offset_t reached)
{
	bool skipped = entry->eflags & MAP_ENTRY_WIRE_SKIPPED;
	vm_pindex_t first = OFF_TO_IDX(entry->offset);

	entry->eflags &= ~(MAP_ENTRY_IN_TRANSITION | MAP_ENTRY_WIRE_SKIPPED);
	if (skipped || entry->wired_count)
		return;
	if (good) {
		entry_become_wired(map, entry);
		return;
	}
	reached = min(reached, entry->end);
	if (entry->start < reached)
		vm_object_unwire(entry->object, first, first + atop(reached - entry->start));
	user_wire_sub(atop(entry_length(entry)));
}

static void wire_end(struct vm_map *map, vm_offset_t start, vm_offset_t end, bool good,
		     vm_offset_t reached)
{
	struct vm_map_entry *entry, *first;

	vm_map_lock(map);
	first = vm_map_lookup_entry_ge(map, start);
	for (entry = first; entry && entry->start < end; entry = vm_map_entry_succ(map, entry))
		if (entry_wiring(entry))
			wire_end_entry(map, entry, good, reached);
	map->transitions--;
	map->transition_gen++;
	vm_map_simplify(map, first, end);
	vm_map_assert_consistent(map);
	vm_map_unlock(map);
	wake_up_var(&map->transition_gen);
}

int vm_map_wire(struct vm_map *map, vm_offset_t start, vm_offset_t end, unsigned int flags,
		int (*fault)(struct vm_map *map, vm_offset_t va, vm_prot_t prot, bool copy))
{
	vm_offset_t reached;
	int rv;

	if (start >= end)
		return KERN_SUCCESS;
	for (;;) {
		vm_map_lock(map);
		rv = wire_begin(map, start, end, flags);
		vm_map_unlock(map);
		if (rv != KERN_RESTART)
			break;
		if (vm_map_transition_wait(map))
			return KERN_FAILURE;
	}
	if (rv != KERN_SUCCESS)
		return rv;
	rv = wire_pages(map, start, end, &reached, fault);
	wire_end(map, start, end, rv == KERN_SUCCESS, reached);
	return rv;
}
EXPORT_SYMBOL_IF_KUNIT(vm_map_wire);

int vm_map_unwire(struct vm_map *map, vm_offset_t start, vm_offset_t end, unsigned int flags)
{
	struct vm_map_entry *entry, *first;
	int rv = KERN_SUCCESS;

	if (start >= end)
		return KERN_SUCCESS;
	vm_map_lock(map);
	first = vm_map_lookup_entry_ge(map, start);
	if (range_in_transition(map, start, end))
		rv = KERN_RESTART;
	else if (!(flags & VM_MAP_WIRE_HOLESOK) && range_has_hole(map, start, end))
		rv = KERN_INVALID_ADDRESS;
	else
		rv = vm_map_clip_range(map, &first, start, end);
	if (rv == KERN_SUCCESS) {
		for (entry = first; entry && entry->start < end;
		     entry = vm_map_entry_succ(map, entry))
			if (entry->wired_count)
				vm_map_entry_unwire(map, entry);
		vm_map_simplify(map, first, end);
	}
	vm_map_assert_consistent(map);
	vm_map_unlock(map);
	return rv;
}
EXPORT_SYMBOL_IF_KUNIT(vm_map_unwire);

int vm_map_transition_wait(struct vm_map *map)
{
	unsigned int gen;
	bool busy;

	vm_map_lock_read(map);
	gen = map->transition_gen;
	busy = map->transitions;
	vm_map_unlock_read(map);
	if (!busy)
		return 0;
	return wait_var_event_killable(&map->transition_gen,
				       READ_ONCE(map->transition_gen) != gen) ? -EINTR : 0;
}
EXPORT_SYMBOL_IF_KUNIT(vm_map_transition_wait);
