/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * vm_map_var: what the files of the map share among themselves.
 *
 * All of it needs the map locked exclusively unless it says otherwise.
 */
#ifndef BSDVM_VM_MAP_VAR_H
#define BSDVM_VM_MAP_VAR_H

#include "trace.h"
#include "vm_map.h"

/* What makes two neighbours two for ever. */
#define MAP_ENTRY_NOMERGE	(MAP_ENTRY_IN_TRANSITION | MAP_ENTRY_GROWS_DOWN)

/* The entry of a node of the tree. */
static inline struct vm_map_entry *rb_to_entry(struct rb_node *node)
{
	return rb_entry(node, struct vm_map_entry, rb);
}

/**
 * vm_map_entry_find() - vm_map_lookup_entry(), in line
 * @map: the map
 * @address: the address
 * @entry: as vm_map_lookup_entry() has it
 *
 * Context: @map locked.
 * Return: true when *@entry holds @address.
 */
static __always_inline bool vm_map_entry_find(struct vm_map *map, vm_offset_t address,
					      struct vm_map_entry **entry)
{
	struct rb_node *node = map->root.rb_node;
	struct vm_map_entry *cur, *found = NULL;

	VM_MAP_ASSERT_LOCKED(map);
	while (node) {
		cur = rb_to_entry(node);
		if (address < cur->start) {
			node = node->rb_left;
			continue;
		}
		found = cur;
		if (address < cur->end)
			break;
		node = node->rb_right;
	}
	*entry = found;
	return node;
}

/**
 * vm_map_entry_before() - the entry in front of one
 * @map: the map
 * @succ: the entry, or NULL for the end of the map
 *
 * Context: @map locked.
 * Return: the entry, NULL when there is none.
 */
struct vm_map_entry *vm_map_entry_before(struct vm_map *map, struct vm_map_entry *succ);

/**
 * vm_map_findspace_succ() - vm_map_findspace(), which also says between which entries
 * @map: the map
 * @start: as vm_map_findspace() has it, as the next four
 * @length: see there
 * @align: see there
 * @max: see there
 * @addr: see there
 * @succ: where the entry behind the place goes, NULL when there is none
 *
 * Context: @map locked.
 * Return: as vm_map_findspace().
 */
int vm_map_findspace_succ(struct vm_map *map, vm_offset_t start, vm_size_t length,
			  vm_size_t align, vm_offset_t max, vm_offset_t *addr,
			  struct vm_map_entry **succ);

/**
 * vm_map_entry_create() - room for an entry
 *
 * Context: process, may sleep; no lock needed.
 * Return: the entry, not filled in; NULL when there is no kernel memory.
 */
struct vm_map_entry *vm_map_entry_create(void);

/**
 * vm_map_entry_dispose() - give an entry's room back
 * @entry: an entry of no map and without a reference to an object; or NULL
 *
 * Context: any.
 */
void vm_map_entry_dispose(struct vm_map_entry *entry);

/**
 * vm_map_system_startup() - set vm_map_system.c up, a part of vm_map_startup()
 *
 * Context: start-up only.
 * Return: 0, -ENOMEM.
 */
int vm_map_system_startup(void);

/**
 * vm_map_system_shutdown() - undo vm_map_system_startup(); harmless when it failed
 *
 * Context: shut-down only; system maps are empty.
 */
void vm_map_system_shutdown(void);

/**
 * vm_map_entry_link() - put an entry into a map's tree and list
 * @map: the map
 * @entry: the entry, whose place is free
 */
void vm_map_entry_link(struct vm_map *map, struct vm_map_entry *entry);

/**
 * vm_map_entry_link_behind() - the same where the place is known
 * @map: the map
 * @pred: the entry in front of the place, or NULL when that is the first one
 * @entry: the entry, whose place is free
 */
void vm_map_entry_link_behind(struct vm_map *map, struct vm_map_entry *pred,
			      struct vm_map_entry *entry);

/**
 * vm_map_entry_unlink() - take an entry out of a map's tree and list
 * @map: the map
 * @entry: one of its entries
 */
void vm_map_entry_unlink(struct vm_map *map, struct vm_map_entry *entry);

/**
 * vm_map_build_tree() - make the tree of a map of which there is only the list
 * @map: the map, with its count of entries, and without a tree
 *
 * For many entries this is much less work than to link one after the other.
 */
void vm_map_build_tree(struct vm_map *map);

/**
 * vm_map_entry_resize() - move an entry's bounds within its neighbours'
 * @map: the map
 * @entry: one of its entries
 * @start: first address
 * @end: address behind the last
 *
 * Neither object nor offset nor the map's counts change.
 */
void vm_map_entry_resize(struct vm_map *map, struct vm_map_entry *entry,
			 vm_offset_t start, vm_offset_t end);

/**
 * vm_map_trace_insert() - tell who traces it that an entry is in the map
 * @map: the map
 * @entry: the entry
 */
static inline void vm_map_trace_insert(const struct vm_map *map,
				       const struct vm_map_entry *entry)
{
	if (trace_bsdvm_map_insert_enabled())
		trace_bsdvm_map_insert(map->id, entry->start, entry->end,
				       entry->object ? entry->object->id : 0, entry->offset,
				       entry->protection, entry->max_protection);
}

/**
 * vm_map_trace_delete() - the same of one that leaves it
 * @map: the map
 * @entry: the entry
 */
static inline void vm_map_trace_delete(const struct vm_map *map,
				       const struct vm_map_entry *entry)
{
	if (trace_bsdvm_map_delete_enabled())
		trace_bsdvm_map_delete(map->id, entry->start, entry->end,
				       entry->object ? entry->object->id : 0);
}

/**
 * vm_map_clip_range() - see to it that entries end where a range ends
 * @map: the map
 * @first: what vm_map_lookup_entry_ge() has said of @start; the same of the clipped
 *	map afterwards, if it succeeds
 * @start: first address
 * @end: address behind the last
 *
 * Context: may sleep.
 * Return: KERN_SUCCESS; KERN_RESOURCE_SHORTAGE, and the map is as before.
 */
int vm_map_clip_range(struct vm_map *map, struct vm_map_entry **first, vm_offset_t start,
		      vm_offset_t end);

/**
 * vm_map_simplify() - merge what can be merged around and in a range
 * @map: the map
 * @first: the first entry of the range, or behind it; may be gone afterwards; or NULL
 * @end: address behind the last of the range
 */
void vm_map_simplify(struct vm_map *map, struct vm_map_entry *first, vm_offset_t end);

/**
 * vm_map_try_extend() - let the entry in front grow over a new one
 * @map: the map
 * @entry: an entry that is linked; gone when the answer is true
 *
 * Zero-fill memory right behind zero-fill memory of the same kind needs neither an
 * entry nor an object of its own.
 *
 * Context: may sleep.
 * Return: true when it did.
 */
bool vm_map_try_extend(struct vm_map *map, struct vm_map_entry *entry);

/**
 * vm_map_check_range() - may the entries of a range be changed?
 * @map: the map
 * @first: the first entry of the range, or behind it; or NULL
 * @end: address behind the last of the range
 *
 * Return: KERN_SUCCESS; KERN_NO_ACCESS when one is immutable; KERN_RESTART when
 * one is in transition.
 */
int vm_map_check_range(struct vm_map *map, struct vm_map_entry *first, vm_offset_t end);

/**
 * vm_map_delete_clipped() - take whole entries out of a range
 * @map: the map; page tables pinned
 * @first: the first entry of the range, which does not begin below it, or one behind
 *	it; or NULL
 * @end: address behind the last of the range, where an entry begins or none is
 * @deferred: where they go
 */
void vm_map_delete_clipped(struct vm_map *map, struct vm_map_entry *first, vm_offset_t end,
			   struct list_head *deferred);

/**
 * vm_map_entry_make_object() - give an entry an object of its own
 * @entry: an entry without one
 *
 * Context: may sleep. The map may be locked shared: then another thread's object may be
 * the one.
 * Return: KERN_SUCCESS, KERN_RESOURCE_SHORTAGE.
 */
int vm_map_entry_make_object(struct vm_map_entry *entry);

/**
 * vm_map_entry_make_shadow() - make the shadow that an entry has put off
 * @entry: an entry with MAP_ENTRY_NEEDS_COPY and an object
 *
 * Context: may sleep.
 * Return: KERN_SUCCESS, KERN_RESOURCE_SHORTAGE.
 */
int vm_map_entry_make_shadow(struct vm_map_entry *entry);

/**
 * vm_map_entry_share() - make a second entry mean the same memory as a first
 * @map: the map of @old
 * @old: the entry
 * @new: a copy of the record; its object, offset and flags are set here
 *
 * The reservation of @old passes to the object. @new is not wired.
 *
 * Context: may sleep; page tables of @map stand still.
 * Return: KERN_SUCCESS, KERN_RESOURCE_SHORTAGE.
 */
int vm_map_entry_share(struct vm_map *map, struct vm_map_entry *old,
		       struct vm_map_entry *new);

/**
 * vm_map_entry_unwire() - unwire the pages of a wired entry
 * @map: the map
 * @entry: the entry
 *
 * Cannot fail. The entry is user-wired no more.
 */
void vm_map_entry_unwire(struct vm_map *map, struct vm_map_entry *entry);

/**
 * vm_map_entry_set_wired() - wire an entry whose pages are all there
 * @map: the map
 * @entry: an entry, not wired, with each of its pages in its object
 *
 * Return: false when users may not wire as much more; nothing has changed.
 */
bool vm_map_entry_set_wired(struct vm_map *map, struct vm_map_entry *entry);

/**
 * vm_map_growstack() - grow a stack into its gap
 * @map: the map
 * @addr: the address that must become memory
 * @gap: the entry there, a stack gap
 *
 * Context: may sleep.
 * Return: KERN_SUCCESS; KERN_NO_SPACE when only the guard is left, or a limit
 * forbids it; KERN_RESOURCE_SHORTAGE; KERN_FAILURE when no stack ends there.
 */
int vm_map_growstack(struct vm_map *map, vm_offset_t addr,
		     struct vm_map_entry *gap);

/**
 * vm_map_charge() - reserve swap for entries of a map
 * @map: the map
 * @size: bytes
 *
 * Return: false when it cannot be had.
 */
bool vm_map_charge(struct vm_map *map, vm_size_t size);

/**
 * vm_map_uncharge() - give back what vm_map_charge() reserved
 * @map: the map
 * @size: bytes
 */
void vm_map_uncharge(struct vm_map *map, vm_size_t size);

/**
 * vm_map_entry_writecnt() - count a new entry in its object's writemappings
 * @entry: the entry
 *
 * If it is to be counted, that is if MAP_ENTRY_WRITECNT is set.
 */
static inline void vm_map_entry_writecnt(const struct vm_map_entry *entry)
{
	if (entry->eflags & MAP_ENTRY_WRITECNT)
		atomic64_add(entry->end - entry->start, &entry->object->writemappings);
}

/**
 * vm_map_entry_release_writecnt() - undo vm_map_entry_writecnt()
 * @entry: an entry that goes, or will never write to its object again, without a
 *	mapping that still does
 */
static inline void vm_map_entry_release_writecnt(struct vm_map_entry *entry)
{
	if (entry->eflags & MAP_ENTRY_WRITECNT)
		atomic64_sub(entry->end - entry->start, &entry->object->writemappings);
	entry->eflags &= ~MAP_ENTRY_WRITECNT;
}

/**
 * vm_map_entry_size() - what an entry counts in the size of its map
 * @entry: the entry
 *
 * Return: bytes; none for a guard.
 */
static inline vm_size_t vm_map_entry_size(const struct vm_map_entry *entry)
{
	return entry->eflags & MAP_ENTRY_GUARD ? 0 : entry->end - entry->start;
}

#endif /* BSDVM_VM_MAP_VAR_H */
