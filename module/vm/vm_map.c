// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * vm_map: the sorted list of entries that an address space is.
 *
 * An operation on a range clips the entries at its two ends so that it then works
 * on whole entries, and merges neighbours again afterwards; clipping is the only
 * step that needs memory, it comes before anything else changes, and merging takes
 * it back when it fails half-way.
 *
 * The map has five more files: vm_map_tree.c, vm_map_wire.c, vm_map_fork.c,
 * vm_map_move.c, vm_map_system.c.
 *
 * Lock order: vm_map.lock, parent before fork child, then object locks.
 */
#include "vm_map_var.h"

#include "pmap.h"
#include "swap_reserve.h"
#include "uma.h"
#include "vmmeter.h"

unsigned int vm_stack_guard_page = 1;
EXPORT_SYMBOL_IF_KUNIT(vm_stack_guard_page);
unsigned long vm_sgrowsiz = 128 * 1024;
EXPORT_SYMBOL_IF_KUNIT(vm_sgrowsiz);

static struct uma_zone *mapentzone;
static atomic64_t next_map_id;

unsigned long vm_max_proc_mmap;

int vm_map_startup(void)
{
	mapentzone = uma_zcreate("MAP ENTRY", sizeof(struct vm_map_entry), NULL, NULL, NULL, NULL,
				 UMA_ALIGN_PTR, 0);
	return mapentzone ? vm_map_system_startup() : -ENOMEM;
}

void vm_map_shutdown(void)
{
	vm_map_system_shutdown();
	uma_zdestroy(mapentzone);
	mapentzone = NULL;
}

void vm_map_init(struct vm_map *map, struct pmap *pmap, vm_offset_t min, vm_offset_t max)
{
	init_rwsem(&map->lock);
	spin_lock_init(&map->system_lock);
	map->system_map = false;
	map->root = RB_ROOT;
	INIT_LIST_HEAD(&map->header);
	map->hint = NULL;
	map->min_offset = min;
	map->max_offset = max;
	map->size = 0;
	map->nentries = 0;
	map->wired = 0;
	map->charge = 0;
	map->flags = 0;
	map->timestamp = 0;
	map->id = atomic64_inc_return(&next_map_id);
	map->transitions = 0;
	map->transition_gen = 0;
	map->pmap = pmap;
}
EXPORT_SYMBOL_IF_KUNIT(vm_map_init);

struct vm_map_entry *vm_map_entry_create(void)
{
	return uma_zalloc(mapentzone, M_NOWAIT);
}

void vm_map_entry_dispose(struct vm_map_entry *entry)
{
	if (entry)
		uma_zfree(mapentzone, entry);
}

bool vm_map_charge(struct vm_map *map, vm_size_t size)
{
	VM_MAP_ASSERT_WLOCKED(map);
	if (size && !swap_reserve(size))
		return false;
	map->charge += size;
	return true;
}

void vm_map_uncharge(struct vm_map *map, vm_size_t size)
{
	VM_MAP_ASSERT_WLOCKED(map);
	if (size)
		swap_release(size);
	map->charge -= size;
}

/* May two neighbours be one entry? */
static bool vm_map_mergeable(const struct vm_map_entry *prev, const struct vm_map_entry *entry)
{
	/* First what neighbours differ in most often. */
	return prev->end == entry->start && prev->protection == entry->protection &&
	       prev->object == entry->object && prev->eflags == entry->eflags &&
	       !(prev->eflags & MAP_ENTRY_NOMERGE) &&
	       (!prev->object || prev->offset + (prev->end - prev->start) == entry->offset) &&
	       prev->max_protection == entry->max_protection &&
	       prev->inheritance == entry->inheritance &&
	       prev->stack_prot == entry->stack_prot &&
	       prev->stack_max == entry->stack_max &&
	       prev->wired_count == entry->wired_count;
}

/* Merge @entry into the one in front of it, where that is possible. */
static void vm_map_try_merge_entries(struct vm_map *map, struct vm_map_entry *entry)
{
	struct vm_map_entry *prev = entry ? vm_map_entry_pred(map, entry) : NULL;

	if (!prev || !vm_map_mergeable(prev, entry))
		return;
	/* In this order, so that no gap changes. */
	prev->end = entry->end;
	vm_map_entry_unlink(map, entry);
	/* prev holds a reference of its own, so this is never the last. */
	if (entry->object)
		vm_object_deallocate_later(entry->object);
	vm_map_entry_dispose(entry);
}

void vm_map_simplify(struct vm_map *map, struct vm_map_entry *entry, vm_offset_t end)
{
	struct vm_map_entry *next;

	for (; entry && entry->start <= end; entry = next) {
		next = vm_map_entry_succ(map, entry);
		vm_map_try_merge_entries(map, entry);
	}
}

/* May the map have an entry more? They are the kernel's memory. */
static bool vm_map_has_room(const struct vm_map *map)
{
	return map->nentries < READ_ONCE(vm_max_proc_mmap);
}

/* Split @entry at @addr, which lies inside it; the upper part, or NULL without memory. */
static struct vm_map_entry *vm_map_entry_clip(struct vm_map *map, struct vm_map_entry *entry,
					      vm_offset_t addr)
{
	struct vm_map_entry *upper;

	VM_MAP_ASSERT_WLOCKED(map);
	upper = vm_map_has_room(map) ? vm_map_entry_create() : NULL;
	if (!upper)
		return NULL;
	trace_bsdvm_map_clip(map->id, entry->start, entry->end, addr);
	*upper = *entry;
	upper->start = addr;
	if (entry->object) {
		vm_object_reference(entry->object);
		upper->offset += addr - entry->start;
	}
	entry->end = addr;
	vm_map_entry_link_behind(map, entry, upper);
	return upper;
}

int vm_map_clip_range(struct vm_map *map, struct vm_map_entry **first, vm_offset_t start,
		      vm_offset_t end)
{
	struct vm_map_entry *entry = *first;

	if (entry && entry->start < start) {
		entry = vm_map_entry_clip(map, entry, start);
		if (!entry)
			return KERN_RESOURCE_SHORTAGE;
		*first = entry;
	}
	/* Where the range ends, if that is in an entry that begins in it. */
	if (!entry || entry->start >= end || entry->end == end)
		return KERN_SUCCESS;
	if (entry->end < end &&
	    (!vm_map_lookup_entry(map, end, &entry) || entry->start == end))
		return KERN_SUCCESS;
	if (vm_map_entry_clip(map, entry, end))
		return KERN_SUCCESS;
	vm_map_simplify(map, *first, end);
	return KERN_RESOURCE_SHORTAGE;
}

static bool vm_map_range_valid(const struct vm_map *map, vm_offset_t start, vm_offset_t end)
{
	return start >= map->min_offset && end <= map->max_offset && start < end;
}

/* May entries that have these flags among them be changed? */
static inline int vm_map_check_eflags(u32 eflags)
{
	if (eflags & MAP_ENTRY_IMMUTABLE)
		return KERN_NO_ACCESS;
	return eflags & MAP_ENTRY_IN_TRANSITION ? KERN_RESTART : KERN_SUCCESS;
}

int vm_map_check_range(struct vm_map *map, struct vm_map_entry *entry, vm_offset_t end)
{
	u32 eflags = 0;

	VM_MAP_ASSERT_LOCKED(map);
	for (; entry && entry->start < end; entry = vm_map_entry_succ(map, entry))
		eflags |= entry->eflags;
	return vm_map_check_eflags(eflags);
}

/**
 * struct insertion - what is inserted, and what that needs, had before anything changes
 * @object: what is mapped; or NULL
 * @offset: where in it
 * @start: first address
 * @end: address behind the last
 * @prot: protection
 * @max: bound of that
 * @cow: MAP_COPY_ON_WRITE and its kin
 * @entry: the entry
 * @gap: a stack's gap, or NULL
 * @low: where the memory begins, above a stack's gap
 * @charge: bytes of swap to reserve
 */
struct insertion {
	struct vm_object *object;
	vm_ooffset_t offset;
	vm_offset_t start;
	vm_offset_t end;
	vm_prot_t prot;
	vm_prot_t max;
	int cow;
	struct vm_map_entry *entry;
	struct vm_map_entry *gap;
	vm_offset_t low;
	vm_size_t charge;
};

static void vm_map_insertion_drop(struct insertion *ins)
{
	vm_map_entry_dispose(ins->entry);
	vm_map_entry_dispose(ins->gap);
}

static int vm_map_insertion_prepare(const struct vm_map *map, struct insertion *ins)
{
	vm_size_t guard = ptoa(READ_ONCE(vm_stack_guard_page)), size = ins->end - ins->start;

	ins->low = ins->start;
	ins->gap = NULL;
	ins->charge = 0;
	if (ins->cow & MAP_STACK_GROWS_DOWN) {
		if (size <= guard)
			return KERN_INVALID_ARGUMENT;
		ins->low = ins->end - min(size - guard, round_page(READ_ONCE(vm_sgrowsiz)));
	}
	/* What others can reach as well is charged to the object, if to anyone. */
	if ((ins->prot & VM_PROT_WRITE) && (!ins->object || (ins->cow & MAP_COPY_ON_WRITE)))
		ins->charge = ins->end - ins->low;
	ins->entry = vm_map_has_room(map) ? vm_map_entry_create() : NULL;
	if (ins->low != ins->start)
		ins->gap = vm_map_entry_create();
	if (ins->entry && (ins->gap || ins->low == ins->start))
		return KERN_SUCCESS;
	vm_map_insertion_drop(ins);
	return KERN_RESOURCE_SHORTAGE;
}

/* Fill in what is the same for all new entries. */
static void vm_map_entry_init(struct vm_map_entry *entry, vm_offset_t start, vm_offset_t end,
			      int cow)
{
	entry->start = start;
	entry->end = end;
	entry->eflags = cow & MAP_DISABLE_COREDUMP ? MAP_ENTRY_NOCOREDUMP : 0;
	entry->inheritance = cow & MAP_INHERIT_SHARE ? VM_INHERIT_SHARE : VM_INHERIT_DEFAULT;
	entry->stack_prot = VM_PROT_NONE;
	entry->stack_max = VM_PROT_NONE;
	entry->wired_count = 0;
	entry->read_ahead = 0;
	entry->next_read = start;
}

/* Link a new entry behind @pred; its place must be free, and paid for. */
static void vm_map_entry_insert(struct vm_map *map, struct vm_map_entry *pred,
				struct vm_map_entry *entry)
{
	vm_map_entry_link_behind(map, pred, entry);
	map->size += vm_map_entry_size(entry);
	vm_map_trace_insert(map, entry);
}

static void vm_map_insert_gap(struct vm_map *map, struct vm_map_entry *pred,
			      const struct insertion *ins)
{
	struct vm_map_entry *gap = ins->gap;

	vm_map_entry_init(gap, ins->start, ins->low, ins->cow & MAP_DISABLE_COREDUMP);
	gap->object = NULL;
	gap->offset = 0;
	gap->eflags |= MAP_ENTRY_GUARD | MAP_ENTRY_STACK_GAP;
	gap->protection = VM_PROT_NONE;
	gap->max_protection = VM_PROT_NONE;
	gap->stack_prot = ins->prot;
	gap->stack_max = ins->max;
	vm_map_entry_insert(map, pred, gap);
}

static void vm_map_insert_entry(struct vm_map *map, struct vm_map_entry *pred,
				const struct insertion *ins)
{
	struct vm_map_entry *entry = ins->entry;
	struct vm_object *object = ins->object;

	vm_map_entry_init(entry, ins->low, ins->end, ins->cow);
	entry->object = object;
	entry->offset = object ? ins->offset : 0;
	entry->protection = ins->prot;
	entry->max_protection = ins->max;
	if (ins->cow & MAP_DISABLE_SYNCER)
		entry->eflags |= MAP_ENTRY_NOSYNC;
	if (ins->cow & MAP_CREATE_GUARD)
		entry->eflags |= MAP_ENTRY_GUARD;
	if (ins->cow & MAP_STACK_GROWS_DOWN)
		entry->eflags |= MAP_ENTRY_GROWS_DOWN;
	if (ins->charge)
		entry->eflags |= MAP_ENTRY_CHARGED;
	/* What is nobody else's needs no copy. */
	if (object && (ins->cow & MAP_COPY_ON_WRITE))
		entry->eflags |= MAP_ENTRY_COW | MAP_ENTRY_NEEDS_COPY;
	else if (object && vm_object_sized(object) && (ins->max & VM_PROT_WRITE))
		entry->eflags |= MAP_ENTRY_WRITECNT;
	vm_map_entry_writecnt(entry);
	vm_map_entry_insert(map, pred, entry);
}

bool vm_map_try_extend(struct vm_map *map, struct vm_map_entry *entry)
{
	struct vm_map_entry *prev = vm_map_entry_pred(map, entry);

	if (!prev || entry->object || !prev->object || (entry->eflags & MAP_ENTRY_GUARD) ||
	    prev->end != entry->start || prev->eflags != entry->eflags ||
	    prev->protection != entry->protection ||
	    prev->max_protection != entry->max_protection ||
	    prev->inheritance != entry->inheritance || prev->wired_count != entry->wired_count)
		return false;
	if (!vm_object_coalesce(prev->object, prev->offset, prev->end - prev->start,
				entry->end - entry->start))
		return false;
	prev->end = entry->end;
	vm_map_entry_unlink(map, entry);
	vm_map_entry_dispose(entry);
	return true;
}

/* Insert what was prepared and charged behind @pred. Cannot fail. */
static void vm_map_insertion_commit(struct vm_map *map, struct vm_map_entry *pred,
				    struct insertion *ins)
{
	struct vm_map_entry *succ;

	if (ins->gap) {
		vm_map_insert_gap(map, pred, ins);
		pred = ins->gap;
	}
	vm_map_insert_entry(map, pred, ins);
	succ = vm_map_entry_succ(map, ins->entry);
	if (!vm_map_try_extend(map, ins->entry))
		vm_map_try_merge_entries(map, ins->entry);
	vm_map_try_merge_entries(map, succ);
	vm_map_assert_consistent(map);
}

/* Insert where there is room, in front of @succ or behind all entries. */
static int vm_map_insert_before(struct vm_map *map, struct vm_map_entry *succ,
				struct insertion *ins)
{
	int rv;

	if (ins->prot & ~ins->max)
		return KERN_INVALID_ARGUMENT;
	rv = vm_map_insertion_prepare(map, ins);
	if (rv != KERN_SUCCESS)
		return rv;
	if (!vm_map_charge(map, ins->charge)) {
		vm_map_insertion_drop(ins);
		return KERN_RESOURCE_SHORTAGE;
	}
	vm_map_insertion_commit(map, vm_map_entry_before(map, succ), ins);
	return KERN_SUCCESS;
}

int vm_map_insert(struct vm_map *map, struct vm_object *object, vm_ooffset_t offset,
		  vm_offset_t start, vm_offset_t end, vm_prot_t prot, vm_prot_t max, int cow)
{
	struct insertion ins = {
		.object = object,
		.offset = offset,
		.start = start,
		.end = end,
		.prot = prot,
		.max = max,
		.cow = cow,
	};
	struct vm_map_entry *succ;

	VM_MAP_ASSERT_WLOCKED(map);
	if (!vm_map_range_valid(map, start, end))
		return KERN_INVALID_ADDRESS;
	if (prot & ~max)
		return KERN_INVALID_ARGUMENT;
	succ = vm_map_lookup_entry_ge(map, start);
	if (succ && succ->start < end)
		return KERN_NO_SPACE;
	return vm_map_insert_before(map, succ, &ins);
}
EXPORT_SYMBOL_IF_KUNIT(vm_map_insert);

int vm_map_find(struct vm_map *map, struct vm_object *object, vm_ooffset_t offset,
		vm_offset_t *addr, vm_size_t length, vm_size_t align, vm_offset_t max_addr,
		vm_prot_t prot, vm_prot_t max, int cow)
{
	struct insertion ins = {
		.object = object,
		.offset = offset,
		.prot = prot,
		.max = max,
		.cow = cow,
	};
	struct vm_map_entry *succ;
	int rv;

	if (!length)
		return KERN_INVALID_ADDRESS;
	vm_map_lock(map);
	rv = vm_map_findspace_succ(map, *addr, length, align, max_addr, &ins.start, &succ);
	if (rv == KERN_NO_SPACE && *addr > map->min_offset)
		rv = vm_map_findspace_succ(map, map->min_offset, length, align, max_addr,
					   &ins.start, &succ);
	if (rv == KERN_SUCCESS) {
		ins.end = ins.start + length;
		rv = vm_map_insert_before(map, succ, &ins);
	}
	vm_map_unlock(map);
	if (rv == KERN_SUCCESS)
		*addr = ins.start;
	return rv;
}
EXPORT_SYMBOL_IF_KUNIT(vm_map_find);

/*
 * Pages of an anonymous object that only this entry could reach: nobody will ask
 * for them again, though other parts of the object live on.
 */
static void vm_map_entry_free_pages(struct vm_map_entry *entry)
{
	struct vm_object *object = entry->object;

	VM_OBJECT_WLOCK(object);
	if ((object->flags & OBJ_ONEMAPPING) && !object->shadow_count &&
	    refcount_read(&object->ref_count) > 1)
		vm_object_page_remove(object, OFF_TO_IDX(entry->offset),
				      OFF_TO_IDX(entry->offset + (entry->end - entry->start)),
				      OBJPR_NOTMAPPED);
	VM_OBJECT_WUNLOCK(object);
}

void vm_map_delete_clipped(struct vm_map *map, struct vm_map_entry *entry, vm_offset_t end,
			   struct list_head *deferred)
{
	struct vm_map_entry *next;
	bool removed = false;

	VM_MAP_ASSERT_WLOCKED(map);
	for (; entry && entry->start < end; entry = next) {
		next = vm_map_entry_succ(map, entry);
		/* Nothing is mapped of what has no object. */
		if (entry->object && !removed) {
			pmap_remove(map->pmap, entry->start, end);
			removed = true;
		}
		if (entry->wired_count)
			vm_map_entry_unwire(map, entry);
		vm_map_trace_delete(map, entry);
		vm_map_entry_unlink(map, entry);
		map->size -= vm_map_entry_size(entry);
		if (entry->eflags & MAP_ENTRY_CHARGED)
			vm_map_uncharge(map, entry->end - entry->start);
		vm_map_entry_release_writecnt(entry);
		if (entry->object) {
			vm_map_entry_free_pages(entry);
			list_add_tail(&entry->link, deferred);
		} else {
			vm_map_entry_dispose(entry);
		}
		cond_resched();
	}
}

/* May pages of a range be mapped? Nothing is of what has no object. */
static bool vm_map_range_touched(struct vm_map *map, struct vm_map_entry *entry, vm_offset_t end)
{
	for (; entry && entry->start < end; entry = vm_map_entry_succ(map, entry))
		if (entry->object)
			return true;
	return false;
}

/*
 * Lock the map to change a range, which begins with *@first, and make page tables stand
 * still if that is needed: what nobody has touched may go without. Their lock comes before
 * the map's; but most of the time it is free.
 */
static int vm_map_lock_range(struct vm_map *map, vm_offset_t start, vm_offset_t end,
			     struct vm_map_entry **first, bool *pinned)
{
	*pinned = false;
	for (;;) {
		vm_map_lock(map);
		*first = vm_map_lookup_entry_ge(map, start);
		if (*pinned || !vm_map_range_touched(map, *first, end))
			return KERN_SUCCESS;
		*pinned = pmap_pin_nowait(map->pmap);
		if (*pinned)
			return KERN_SUCCESS;
		vm_map_unlock(map);
		if (pmap_pin(map->pmap))
			return KERN_NOT_RECEIVER;
		*pinned = true;
	}
}

static void vm_map_unlock_range(struct vm_map *map, bool pinned)
{
	vm_map_unlock(map);
	if (pinned)
		pmap_unpin(map->pmap);
}

int vm_map_remove(struct vm_map *map, vm_offset_t start, vm_offset_t end,
		  struct list_head *deferred)
{
	struct vm_map_entry *first;
	bool pinned;
	int rv;

	rv = vm_map_lock_range(map, start, end, &first, &pinned);
	if (rv != KERN_SUCCESS)
		return rv;
	rv = vm_map_check_range(map, first, end);
	if (rv == KERN_SUCCESS)
		rv = vm_map_clip_range(map, &first, start, end);
	if (rv == KERN_SUCCESS)
		vm_map_delete_clipped(map, first, end, deferred);
	vm_map_assert_consistent(map);
	vm_map_unlock_range(map, pinned);
	return rv;
}
EXPORT_SYMBOL_IF_KUNIT(vm_map_remove);

void vm_map_remove_all(struct vm_map *map, struct list_head *deferred)
{
	vm_map_lock(map);
	vm_map_delete_clipped(map, vm_map_entry_first(map), map->max_offset, deferred);
	vm_map_assert_consistent(map);
	vm_map_unlock(map);
}
EXPORT_SYMBOL_IF_KUNIT(vm_map_remove_all);

void vm_map_process_deferred(struct list_head *deferred)
{
	struct vm_map_entry *entry, *next;

	list_for_each_entry_safe(entry, next, deferred, link) {
		list_del(&entry->link);
		vm_object_deallocate(entry->object);
		vm_map_entry_dispose(entry);
		cond_resched();
	}
}
EXPORT_SYMBOL_IF_KUNIT(vm_map_process_deferred);

/* Swap reserved for whole entries, from @entry to @end. */
static vm_size_t vm_map_charged(struct vm_map *map, struct vm_map_entry *entry, vm_offset_t end)
{
	vm_size_t charge = 0;

	for (; entry && entry->start < end; entry = vm_map_entry_succ(map, entry))
		if (entry->eflags & MAP_ENTRY_CHARGED)
			charge += entry->end - entry->start;
	return charge;
}

int vm_map_fixed(struct vm_map *map, struct vm_object *object, vm_ooffset_t offset,
		 vm_offset_t start, vm_size_t length, vm_prot_t prot, vm_prot_t max, int cow,
		 bool excl, struct list_head *deferred)
{
	vm_offset_t end = start + length;
	struct insertion ins = {
		.object = object,
		.offset = offset,
		.start = start,
		.end = end,
		.prot = prot,
		.max = max,
		.cow = cow,
	};
	struct vm_map_entry *first, *pred;
	vm_size_t old;
	int rv;

	if (end < start || !vm_map_range_valid(map, start, end))
		return KERN_INVALID_ADDRESS;
	if (prot & ~max)
		return KERN_INVALID_ARGUMENT;
	if (excl) {
		vm_map_lock(map);
		rv = vm_map_insert(map, object, offset, start, end, prot, max, cow);
		vm_map_unlock(map);
		return rv;
	}
	/* All that may fail comes first: once the old entries are gone nothing may. */
	rv = vm_map_insertion_prepare(map, &ins);
	if (rv != KERN_SUCCESS)
		return rv;
	vm_map_lock(map);
	first = vm_map_lookup_entry_ge(map, start);
	rv = vm_map_check_range(map, first, end);
	if (rv == KERN_SUCCESS)
		rv = vm_map_clip_range(map, &first, start, end);
	if (rv == KERN_SUCCESS) {
		pred = vm_map_entry_before(map, first);
		/* What is replaced pays for what replaces it. */
		old = vm_map_charged(map, first, end);
		if (swap_reserve(ins.charge > old ? ins.charge - old : 0)) {
			map->charge += ins.charge;
			swap_reserve_force(min(ins.charge, old));
			vm_map_delete_clipped(map, first, end, deferred);
			vm_map_insertion_commit(map, pred, &ins);
		} else {
			vm_map_simplify(map, first, end);
			rv = KERN_RESOURCE_SHORTAGE;
		}
	}
	vm_map_unlock(map);
	if (rv != KERN_SUCCESS)
		vm_map_insertion_drop(&ins);
	return rv;
}
EXPORT_SYMBOL_IF_KUNIT(vm_map_fixed);

/* Must swap be reserved for this entry before it may be written? */
static bool vm_map_entry_wants_charge(struct vm_map_entry *entry)
{
	if (entry->eflags & (MAP_ENTRY_CHARGED | MAP_ENTRY_GUARD))
		return false;
	if (!entry->object || (entry->eflags & MAP_ENTRY_COW))
		return true;
	/* Shared memory is charged to the object, once. */
	return (entry->object->flags & OBJ_ANON) && !entry->object->charge;
}

/*
 * First pass of vm_map_protect(): is the change allowed everywhere, and what swap
 * does it need?
 */
static int vm_map_protect_check(struct vm_map *map, struct vm_map_entry *entry,
				vm_offset_t start, vm_offset_t end, vm_prot_t wanted,
				vm_prot_t new_prot, vm_size_t *charge)
{
	vm_prot_t allowed = VM_PROT_ALL;
	u32 eflags = 0;
	int rv;

	*charge = 0;
	for (; entry && entry->start < end; entry = vm_map_entry_succ(map, entry)) {
		eflags |= entry->eflags;
		if (entry->eflags & MAP_ENTRY_GUARD)
			continue;
		allowed &= entry->max_protection;
		if ((new_prot & VM_PROT_WRITE) && vm_map_entry_wants_charge(entry))
			*charge += min(entry->end, end) - max(entry->start, start);
	}
	rv = vm_map_check_eflags(eflags);
	return rv == KERN_SUCCESS && (wanted & ~allowed) ? KERN_PROTECTION_FAILURE : rv;
}

/* Second pass: change one entry, and what is mapped of it. */
static void vm_map_protect_entry(struct vm_map *map, struct vm_map_entry *entry,
				 vm_prot_t new_prot, vm_prot_t new_maxprot, int flags)
{
	vm_prot_t old = entry->protection;

	if (flags & VM_MAP_PROTECT_SET_PROT)
		entry->protection = new_prot;
	if (flags & VM_MAP_PROTECT_SET_MAXPROT) {
		entry->max_protection = new_maxprot;
		entry->protection &= new_maxprot;
	}
	/*
	 * Nothing is mapped of what has no object. A fetch from a page that is mapped
	 * without EXEC never reaches vm_fault(): Linux takes it for an error. So such
	 * pages must go.
	 */
	if (!entry->object)
		return;
	if (entry->protection & ~old & VM_PROT_EXECUTE)
		pmap_remove(map->pmap, entry->start, entry->end);
	else if (old & ~entry->protection)
		pmap_protect(map->pmap, entry->start, entry->end, entry->protection);
	/* Not before nobody can write through it any more. */
	if (!(entry->max_protection & VM_PROT_WRITE))
		vm_map_entry_release_writecnt(entry);
}

int vm_map_protect(struct vm_map *map, vm_offset_t start, vm_offset_t end, vm_prot_t new_prot,
		   vm_prot_t new_maxprot, int flags)
{
	struct vm_map_entry *entry, *first;
	vm_prot_t wanted = 0;
	vm_size_t charge;
	bool pinned;
	int rv;

	if (flags & VM_MAP_PROTECT_SET_PROT)
		wanted |= new_prot;
	else
		new_prot = VM_PROT_NONE;
	if (flags & VM_MAP_PROTECT_SET_MAXPROT) {
		wanted |= new_maxprot;
		if (new_prot & ~new_maxprot)
			return KERN_OUT_OF_BOUNDS;
	}
	if (start >= end)
		return KERN_SUCCESS;

	rv = vm_map_lock_range(map, start, end, &first, &pinned);
	if (rv != KERN_SUCCESS)
		return rv;
	rv = vm_map_protect_check(map, first, start, end, wanted, new_prot, &charge);
	if (rv == KERN_SUCCESS)
		rv = vm_map_clip_range(map, &first, start, end);
	if (rv == KERN_SUCCESS && !vm_map_charge(map, charge)) {
		vm_map_simplify(map, first, end);
		rv = KERN_RESOURCE_SHORTAGE;
	}
	if (rv != KERN_SUCCESS)
		goto unlock;

	for (entry = first; entry && entry->start < end; entry = vm_map_entry_succ(map, entry)) {
		if (entry->eflags & MAP_ENTRY_GUARD)
			continue;
		if ((new_prot & VM_PROT_WRITE) && vm_map_entry_wants_charge(entry)) {
			entry->eflags |= MAP_ENTRY_CHARGED;
			charge -= entry->end - entry->start;
		}
		vm_map_protect_entry(map, entry, new_prot, new_maxprot, flags);
	}
	/* What somebody else has paid for in the meantime, for an object we share. */
	vm_map_uncharge(map, charge);
	vm_map_simplify(map, first, end);
	vm_map_assert_consistent(map);
unlock:
	vm_map_unlock_range(map, pinned);
	return rv;
}
EXPORT_SYMBOL_IF_KUNIT(vm_map_protect);

/* Is anything immutable, from @entry to @end? */
static bool vm_map_range_immutable(struct vm_map *map, struct vm_map_entry *entry, vm_offset_t end)
{
	return vm_map_check_range(map, entry, end) == KERN_NO_ACCESS;
}

int vm_map_inherit(struct vm_map *map, vm_offset_t start, vm_offset_t end,
		   vm_inherit_t new_inheritance)
{
	struct vm_map_entry *entry, *first;
	int rv;

	if (new_inheritance > VM_INHERIT_ZERO)
		return KERN_INVALID_ARGUMENT;
	if (start >= end)
		return KERN_SUCCESS;

	vm_map_lock(map);
	first = vm_map_lookup_entry_ge(map, start);
	rv = vm_map_range_immutable(map, first, end) ? KERN_NO_ACCESS :
	     vm_map_clip_range(map, &first, start, end);
	if (rv == KERN_SUCCESS) {
		entry = first;
		for (; entry && entry->start < end; entry = vm_map_entry_succ(map, entry)) {
			if ((entry->eflags & MAP_ENTRY_GUARD) && new_inheritance == VM_INHERIT_ZERO)
				continue;
			entry->inheritance = new_inheritance;
		}
		vm_map_simplify(map, first, end);
	}
	vm_map_assert_consistent(map);
	vm_map_unlock(map);
	return rv;
}
EXPORT_SYMBOL_IF_KUNIT(vm_map_inherit);

int vm_map_immutable(struct vm_map *map, vm_offset_t start, vm_offset_t end)
{
	struct vm_map_entry *entry, *first;
	int rv;

	if (start >= end)
		return KERN_SUCCESS;
	vm_map_lock(map);
	first = vm_map_lookup_entry_ge(map, start);
	rv = vm_map_clip_range(map, &first, start, end);
	if (rv == KERN_SUCCESS) {
		for (entry = first; entry && entry->start < end;
		     entry = vm_map_entry_succ(map, entry))
			entry->eflags |= MAP_ENTRY_IMMUTABLE;
		vm_map_simplify(map, first, end);
	}
	vm_map_unlock(map);
	return rv;
}
EXPORT_SYMBOL_IF_KUNIT(vm_map_immutable);

/* Advice that is a property of the entry: what it sets and clears. */
static bool vm_map_advice_flags(unsigned int advice, u32 *set, u32 *clear)
{
	*set = 0;
	*clear = 0;
	switch (advice) {
	case VM_ADVICE_NORMAL:
		*clear = MAP_ENTRY_BEHAV_MASK;
		return true;
	case VM_ADVICE_RANDOM:
		*clear = MAP_ENTRY_BEHAV_MASK;
		*set = MAP_ENTRY_BEHAV_RANDOM;
		return true;
	case VM_ADVICE_SEQUENTIAL:
		*clear = MAP_ENTRY_BEHAV_MASK;
		*set = MAP_ENTRY_BEHAV_SEQ;
		return true;
	case VM_ADVICE_NOSYNC:
		*set = MAP_ENTRY_NOSYNC;
		return true;
	case VM_ADVICE_AUTOSYNC:
		*clear = MAP_ENTRY_NOSYNC;
		return true;
	case VM_ADVICE_NOCORE:
		*set = MAP_ENTRY_NOCOREDUMP;
		return true;
	case VM_ADVICE_CORE:
		*clear = MAP_ENTRY_NOCOREDUMP;
		return true;
	default:
		return false;
	}
}

static int vm_map_madvise_flags(struct vm_map *map, vm_offset_t start, vm_offset_t end, u32 set,
				u32 clear)
{
	struct vm_map_entry *entry, *first;
	int rv;

	vm_map_lock(map);
	first = vm_map_lookup_entry_ge(map, start);
	rv = vm_map_clip_range(map, &first, start, end);
	if (rv == KERN_SUCCESS) {
		for (entry = first; entry && entry->start < end;
		     entry = vm_map_entry_succ(map, entry))
			entry->eflags = (entry->eflags & ~clear) | set;
		vm_map_simplify(map, first, end);
	}
	vm_map_assert_consistent(map);
	vm_map_unlock(map);
	return rv;
}

/*
 * MADV_FREE of a part of an entry. Nobody but this map has the pages, and under the
 * object's lock nobody gets write access: what is taken here stays taken.
 */
static void vm_map_entry_lazyfree(struct vm_map *map, struct vm_map_entry *entry,
				  vm_offset_t start, vm_offset_t end)
{
	struct vm_object *object = entry->object;

	VM_OBJECT_WLOCK(object);
	if (vm_object_may_lazyfree(object)) {
		pmap_protect(map->pmap, start, end, VM_PROT_READ | VM_PROT_EXECUTE);
		vm_object_lazyfree(object, OFF_TO_IDX(entry->offset + (start - entry->start)),
				   OFF_TO_IDX(entry->offset + (end - entry->start)));
	}
	VM_OBJECT_WUNLOCK(object);
}

int vm_map_madvise(struct vm_map *map, vm_offset_t start, vm_offset_t end, unsigned int advice)
{
	struct vm_map_entry *entry;
	vm_offset_t from, to;
	int rv = KERN_SUCCESS;
	u32 set, clear;

	if (start >= end)
		return KERN_SUCCESS;
	if (vm_map_advice_flags(advice, &set, &clear))
		return vm_map_madvise_flags(map, start, end, set, clear);

	vm_map_lock_read(map);
	entry = vm_map_lookup_entry_ge(map, start);
	if (advice == VM_ADVICE_FREE && vm_map_range_immutable(map, entry, end)) {
		rv = KERN_NO_ACCESS;
		entry = NULL;
	}
	for (; entry && entry->start < end; entry = vm_map_entry_succ(map, entry)) {
		if (!entry->object || entry->wired_count ||
		    (entry->eflags & MAP_ENTRY_IN_TRANSITION))
			continue;
		/* The page may be the parent's as well, until a copy is made. */
		if (advice == VM_ADVICE_FREE && (entry->eflags & MAP_ENTRY_NEEDS_COPY))
			continue;
		from = max(start, entry->start);
		to = min(end, entry->end);
		if (advice == VM_ADVICE_FREE)
			vm_map_entry_lazyfree(map, entry, from, to);
		else
			vm_object_dontneed(entry->object,
					   OFF_TO_IDX(entry->offset + (from - entry->start)),
					   OFF_TO_IDX(entry->offset + (to - entry->start)));
		pmap_advise(map->pmap, from, to);
	}
	vm_map_unlock_read(map);
	return rv;
}
EXPORT_SYMBOL_IF_KUNIT(vm_map_madvise);

/* First pass of vm_map_sync(): no holes, nothing wired where it matters. */
static int vm_map_sync_check(struct vm_map *map, vm_offset_t *start, vm_offset_t *end,
			     bool invalidate)
{
	struct vm_map_entry *entry;
	vm_offset_t at;

	if (!vm_map_lookup_entry(map, *start, &entry))
		return KERN_INVALID_ADDRESS;
	if (*start == *end) {
		*start = entry->start;
		*end = entry->end;
	}
	for (at = *start; at < *end; at = entry->end, entry = vm_map_entry_succ(map, entry)) {
		if (!entry || entry->start > at)
			return KERN_INVALID_ADDRESS;
		if (invalidate && (entry->eflags & MAP_ENTRY_IMMUTABLE))
			return KERN_NO_ACCESS;
		if (invalidate && entry->wired_count)
			return KERN_INVALID_ARGUMENT;
	}
	return KERN_SUCCESS;
}

int vm_map_sync(struct vm_map *map, vm_offset_t start, vm_offset_t end, bool sync,
		bool invalidate)
{
	struct vm_map_entry *entry;
	struct vm_object *object;
	vm_ooffset_t offset;
	vm_offset_t stop;
	int rv, err, failed = 0;

	vm_map_lock_read(map);
	rv = vm_map_sync_check(map, &start, &end, invalidate);
	/* Each entry's I/O is done unlocked, on a reference to its object. */
	while (rv == KERN_SUCCESS && start < end) {
		entry = vm_map_lookup_entry_ge(map, start);
		if (!entry || entry->start >= end)
			break;
		start = max(start, entry->start);
		stop = min(end, entry->end);
		object = entry->object;
		if (object && (invalidate || !vm_object_settled(object))) {
			offset = entry->offset + (start - entry->start);
			vm_object_reference(object);
			vm_map_unlock_read(map);
			err = vm_object_sync(object, offset, stop - start, sync, invalidate);
			if (!failed)
				failed = err;
			vm_object_deallocate(object);
			vm_map_lock_read(map);
		}
		start = stop;
	}
	vm_map_unlock_read(map);
	if (failed == -ENOSPC || failed == -EDQUOT)
		return KERN_NO_SPACE;
	return failed ? KERN_FAILURE : rv;
}
EXPORT_SYMBOL_IF_KUNIT(vm_map_sync);

int vm_map_entry_make_object(struct vm_map_entry *entry)
{
	struct vm_object *object;

	VM_ASSERT(!entry->offset);
	object = vm_object_allocate_anon(OFF_TO_IDX(entry->end - entry->start));
	if (!object)
		return KERN_RESOURCE_SHORTAGE;
	/* Another fault may have been faster; then its object is the one. */
	if (cmpxchg(&entry->object, NULL, object))
		vm_object_deallocate_later(object);
	return KERN_SUCCESS;
}

int vm_map_entry_make_shadow(struct vm_map_entry *entry)
{
	int rv;

	rv = vm_object_shadow(&entry->object, &entry->offset, entry->end - entry->start);
	if (rv == KERN_SUCCESS)
		entry->eflags &= ~MAP_ENTRY_NEEDS_COPY;
	return rv;
}

/*
 * Memory that must not be waited for: MCL_FUTURE is on, and the stack grows in a
 * fault. Its pages are made here and now, wired.
 */
static int vm_map_growstack_wire(struct vm_map *map, struct vm_map_entry *entry)
{
	vm_size_t size = entry->end - entry->start;
	struct vm_page *m;
	vm_pindex_t pindex;
	int rv;

	if (map->wired + size > rlimit(RLIMIT_MEMLOCK))
		return KERN_NO_SPACE;
	rv = vm_map_entry_make_object(entry);
	if (rv != KERN_SUCCESS)
		return rv;
	VM_OBJECT_WLOCK(entry->object);
	for (pindex = 0; pindex < OFF_TO_IDX(size); pindex++) {
		m = vm_object_make_page(entry->object, pindex, NULL);
		if (IS_ERR(m))
			break;
		/* What cannot be mapped now is mapped when it is touched. */
		pmap_enter(map->pmap, entry->start + ptoa(pindex), m, entry->protection, 0);
	}
	VM_OBJECT_WUNLOCK(entry->object);
	if (pindex == OFF_TO_IDX(size) && vm_map_entry_set_wired(map, entry))
		return KERN_SUCCESS;
	pmap_remove(map->pmap, entry->start, entry->end);
	vm_object_deallocate_later(entry->object);
	entry->object = NULL;
	return KERN_NO_SPACE;
}

int vm_map_growstack(struct vm_map *map, vm_offset_t addr, struct vm_map_entry *gap)
{
	struct vm_map_entry *stack = vm_map_entry_succ(map, gap), *entry;
	vm_size_t guard = ptoa(READ_ONCE(vm_stack_guard_page));
	vm_size_t room = gap->end - gap->start, size;
	vm_offset_t end = gap->end;
	int rv = KERN_SUCCESS;

	VM_MAP_ASSERT_WLOCKED(map);
	if (!stack || stack->start != end || !(stack->eflags & MAP_ENTRY_GROWS_DOWN))
		return KERN_FAILURE;
	size = end - trunc_page(addr);
	if (room <= guard || size > room - guard)
		return KERN_NO_SPACE;
	size = min(roundup(size, round_page(READ_ONCE(vm_sgrowsiz))), room - guard);
	if (map->size + size > rlimit(RLIMIT_AS))
		return KERN_NO_SPACE;

	entry = vm_map_entry_create();
	if (!entry)
		return KERN_RESOURCE_SHORTAGE;
	/* As the stack was made, whatever was done to its pages since. */
	*entry = *stack;
	entry->start = end - size;
	entry->end = end;
	entry->object = NULL;
	entry->offset = 0;
	entry->eflags &= MAP_ENTRY_GROWS_DOWN | MAP_ENTRY_NOCOREDUMP | MAP_ENTRY_BEHAV_MASK;
	entry->eflags |= gap->eflags & MAP_ENTRY_IMMUTABLE;
	entry->protection = gap->stack_prot;
	entry->max_protection = gap->stack_max;
	entry->wired_count = 0;
	if (entry->protection & VM_PROT_WRITE) {
		if (!vm_map_charge(map, size)) {
			vm_map_entry_dispose(entry);
			return KERN_NO_SPACE;
		}
		entry->eflags |= MAP_ENTRY_CHARGED;
	}
	if (map->flags & MAP_WIREFUTURE)
		rv = vm_map_growstack_wire(map, entry);
	if (rv != KERN_SUCCESS) {
		if (entry->eflags & MAP_ENTRY_CHARGED)
			vm_map_uncharge(map, size);
		vm_map_entry_dispose(entry);
		return rv;
	}
	if (size == room) {
		vm_map_entry_unlink(map, gap);
		vm_map_entry_dispose(gap);
	} else {
		vm_map_entry_resize(map, gap, gap->start, entry->start);
	}
	vm_map_entry_link(map, entry);
	map->size += size;
	vm_map_trace_insert(map, entry);
	VM_CNT_INC(v_stackgrows);
	vm_map_assert_consistent(map);
	return KERN_SUCCESS;
}

/* Look a fault up; *exclusive says that the entry must change, under which lock. */
static __always_inline int vm_map_lookup_locked(struct vm_map *map, vm_offset_t vaddr,
						vm_prot_t fault_type, bool exclusive,
						struct vm_map_entry **out_entry)
{
	struct vm_map_entry *entry;
	bool copy;
	int rv;

	if (!vm_map_entry_find(map, vaddr, &entry))
		return KERN_INVALID_ADDRESS;
	if (unlikely(entry->eflags & MAP_ENTRY_STACK_GAP)) {
		if (!exclusive)
			return KERN_RESTART;
		/* Where it may not grow, the gap is what any guard is. */
		rv = vm_map_growstack(map, vaddr, entry);
		if (rv == KERN_RESOURCE_SHORTAGE)
			return rv;
		if (rv == KERN_SUCCESS)
			vm_map_lookup_entry(map, vaddr, &entry);
	}
	/* A guard's protection is NONE. */
	if ((fault_type & VM_PROT_ALL & ~entry->protection) || entry->protection == VM_PROT_NONE)
		return KERN_PROTECTION_FAILURE;
	*out_entry = entry;

	if (!READ_ONCE(entry->object)) {
		rv = vm_map_entry_make_object(entry);
		if (rv != KERN_SUCCESS)
			return rv;
	}
	copy = (entry->eflags & MAP_ENTRY_NEEDS_COPY) &&
	       (fault_type & (VM_PROT_WRITE | VM_PROT_COPY));
	if (!copy)
		return KERN_SUCCESS;
	if (!exclusive)
		return KERN_RESTART;
	return vm_map_entry_make_shadow(entry);
}

/* The map must change. It is locked shared afterwards, if that goes well. */
static noinline int vm_map_lookup_changing(struct vm_map *map, vm_offset_t vaddr,
					   vm_prot_t fault_type, struct vm_map_entry **entry)
{
	int rv;

	vm_map_lock(map);
	rv = vm_map_lookup_locked(map, vaddr, fault_type, true, entry);
	if (rv == KERN_SUCCESS)
		vm_map_lock_downgrade(map);
	else
		vm_map_unlock(map);
	return rv;
}

int vm_map_lookup(struct vm_map *map, vm_offset_t vaddr, vm_prot_t fault_type,
		  struct vm_map_entry **out_entry, struct vm_object **object, vm_pindex_t *pindex,
		  vm_prot_t *out_prot)
{
	struct vm_map_entry *entry = NULL;
	int rv;

	vm_map_lock_read(map);
	rv = vm_map_lookup_locked(map, vaddr, fault_type, false, &entry);
	if (unlikely(rv != KERN_SUCCESS)) {
		vm_map_unlock_read(map);
		if (rv == KERN_RESTART)
			rv = vm_map_lookup_changing(map, vaddr, fault_type, &entry);
		if (rv != KERN_SUCCESS)
			return rv;
	}

	*out_entry = entry;
	*object = entry->object;
	*pindex = OFF_TO_IDX(entry->offset + (vaddr - entry->start));
	*out_prot = entry->protection;
	if (entry->eflags & MAP_ENTRY_NEEDS_COPY)
		*out_prot &= ~VM_PROT_WRITE;
	return KERN_SUCCESS;
}
EXPORT_SYMBOL_IF_KUNIT(vm_map_lookup);
