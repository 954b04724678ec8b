/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * vm_map: an address space as a sorted list of entries.
 *
 * Each entry maps one range of addresses to one range of an object, with one
 * protection, inheritance and state. Entries hang in a red-black tree augmented
 * with the largest gap below each node, for lookup and first-fit placement in
 * O(log n), and on a list in order of address.
 *
 * Invariants (vm_map_assert_consistent()): entries are page aligned, not empty,
 * sorted and disjoint, inside [min_offset, max_offset); size is their sum;
 * every max_gap is right; timestamp moves with every exclusive lock.
 *
 * Lock: vm_map.lock, a sleeping reader-writer lock. Faults share it. Who takes it
 * to change translations, outside a fault or fork, first makes the page tables
 * stand still (pmap_pin()).
 *
 * What a call takes out of the map is not freed under its lock: it is gathered on
 * a list that the caller hands to vm_map_process_deferred() once no lock is
 * held, since letting go of a file's last page may mean I/O.
 *
 * "end" is always the address behind the last one.
 *
 * (McKusick et al., chapter 6.4; FreeBSD sys/vm/vm_map.h for the names.)
 */
#ifndef BSDVM_VM_MAP_H
#define BSDVM_VM_MAP_H

#include "vm_object.h"

struct pmap;

/* vm_map_entry.eflags */
#define MAP_ENTRY_NOSYNC	0x0001	/* the syncer leaves its pages alone */
#define MAP_ENTRY_COW		0x0004	/* private: writes go to a shadow */
#define MAP_ENTRY_NEEDS_COPY	0x0008	/* ... that is not there yet */
#define MAP_ENTRY_NOCOREDUMP	0x0400	/* not part of a core dump */
#define MAP_ENTRY_GUARD		0x1000	/* no memory, no access; holds the place */

/**
 * struct vm_map_entry - one range of a map
 * @rb: (M) place in the tree
 * @link: (M) place on the list, or on a list of deferred entries
 * @gap: (M) free bytes right below @start
 * @max_gap: (M) largest @gap in the subtree
 * @start: (M) first address
 * @end: (M) address behind the last
 * @object: (M) object mapped; NULL: none yet (zero-fill), or a guard
 * @offset: (M) byte offset of @start in it
 * @eflags: (M) MAP_ENTRY_*
 * @protection: (M) VM_PROT_* in force
 * @max_protection: (M) bound of @protection
 * @inheritance: (M) VM_INHERIT_*
 * @wired_count: (M) times wired
 *
 * Locks: (M) the map's.
 */
struct vm_map_entry {
	struct rb_node rb;
	struct list_head link;
	vm_size_t gap;
	vm_size_t max_gap;
	vm_offset_t start;
	vm_offset_t end;
	struct vm_object *object;
	vm_ooffset_t offset;
	u32 eflags;
	vm_prot_t protection;
	vm_prot_t max_protection;
	vm_inherit_t inheritance;
	u32 wired_count;
};

/**
 * struct vm_map - an address space
 * @lock: this map's lock
 * @root: (M) tree of entries
 * @header: (M) list of entries
 * @min_offset: (C) first address
 * @max_offset: (C) address behind the last
 * @size: (M) bytes mapped, guards not counted
 * @nentries: (M) entries
 * @timestamp: (M) counts exclusive locks
 * @pmap: (C) where translations go, or NULL; set to NULL when they are gone
 *
 * Locks: (C) constant, (M) lock.
 */
struct vm_map {
	struct rw_semaphore lock;
	struct rb_root root;
	struct list_head header;
	vm_offset_t min_offset;
	vm_offset_t max_offset;
	vm_size_t size;
	unsigned long nentries;
	unsigned int timestamp;
	struct pmap *pmap;
};

/* "cow" argument of vm_map_insert() and its kin. */
#define MAP_COPY_ON_WRITE	0x0002	/* private mapping of the object */
#define MAP_DISABLE_SYNCER	0x0020	/* MAP_NOSYNC */
#define MAP_DISABLE_COREDUMP	0x0100	/* MAP_NOCORE */
#define MAP_CREATE_GUARD	0x0080	/* guard entry, object NULL */
#define MAP_INHERIT_SHARE	0x10000	/* inheritance SHARE, not COPY */

#define VM_MAP_ASSERT_LOCKED(map)  lockdep_assert_held(&(map)->lock)
#define VM_MAP_ASSERT_WLOCKED(map) lockdep_assert_held_write(&(map)->lock)

static inline void vm_map_lock(struct vm_map *map)
{
	down_write(&map->lock);
	map->timestamp++;
}

static inline void vm_map_unlock(struct vm_map *map)
{
	up_write(&map->lock);
}

static inline void vm_map_lock_read(struct vm_map *map)
{
	down_read(&map->lock);
}

static inline bool vm_map_trylock_read(struct vm_map *map)
{
	return down_read_trylock(&map->lock);
}

static inline void vm_map_unlock_read(struct vm_map *map)
{
	up_read(&map->lock);
}

static inline void vm_map_lock_downgrade(struct vm_map *map)
{
	downgrade_write(&map->lock);
}

#define VM_MAP_ENTRY_FOREACH(entry, map) \
	list_for_each_entry(entry, &(map)->header, link)

/**
 * vm_map_entry_first() - entry with the lowest address
 * @map: the map
 *
 * Context: @map locked.
 * Return: the entry, NULL in an empty map.
 */
static inline struct vm_map_entry *vm_map_entry_first(struct vm_map *map)
{
	return list_first_entry_or_null(&map->header, struct vm_map_entry, link);
}

/**
 * vm_map_entry_succ() - entry behind an entry
 * @map: the map
 * @entry: one of its entries
 *
 * Context: @map locked.
 * Return: the entry, NULL behind the last.
 */
static inline struct vm_map_entry *vm_map_entry_succ(struct vm_map *map,
						     struct vm_map_entry *entry)
{
	if (list_is_last(&entry->link, &map->header))
		return NULL;
	return list_next_entry(entry, link);
}

/**
 * vm_map_entry_pred() - entry in front of an entry
 * @map: the map
 * @entry: one of its entries
 *
 * Context: @map locked.
 * Return: the entry, NULL in front of the first.
 */
static inline struct vm_map_entry *vm_map_entry_pred(struct vm_map *map,
						     struct vm_map_entry *entry)
{
	if (list_is_first(&entry->link, &map->header))
		return NULL;
	return list_prev_entry(entry, link);
}

/**
 * vm_map_startup() - set the module's part up
 *
 * Context: start-up only.
 * Return: 0, -ENOMEM.
 */
int vm_map_startup(void);

/**
 * vm_map_shutdown() - undo vm_map_startup(); harmless when it failed
 *
 * Context: shut-down only.
 */
void vm_map_shutdown(void);

/**
 * vm_map_init() - make an empty map
 * @map: the map
 * @pmap: where translations go, or NULL
 * @min: first address, page aligned
 * @max: address behind the last, page aligned
 *
 * Context: any; nobody else knows @map.
 */
void vm_map_init(struct vm_map *map, struct pmap *pmap, vm_offset_t min,
		 vm_offset_t max);

/**
 * vm_map_lookup_entry() - the entry that holds an address
 * @map: the map
 * @address: the address
 * @entry: where the entry goes; when none holds @address the one in front of
 *	it, NULL when that is none either
 *
 * Context: @map locked.
 * Return: true when @entry holds @address.
 */
bool vm_map_lookup_entry(struct vm_map *map, vm_offset_t address,
			 struct vm_map_entry **entry);

/**
 * vm_map_lookup_entry_ge() - the entry that holds an address, or the next one
 * @map: the map
 * @address: the address
 *
 * Context: @map locked.
 * Return: the first entry that ends above @address, NULL when there is none.
 */
struct vm_map_entry *vm_map_lookup_entry_ge(struct vm_map *map,
					    vm_offset_t address);

/**
 * vm_map_findspace() - the first free place
 * @map: the map
 * @start: not below this address
 * @length: bytes, page aligned, not zero
 * @align: power of two, VM_PAGE_SIZE at least
 * @max: the place must end at or below this address
 * @addr: where the place goes
 *
 * Context: @map locked.
 * Return: KERN_SUCCESS, KERN_NO_SPACE.
 */
int vm_map_findspace(struct vm_map *map, vm_offset_t start, vm_size_t length,
		     vm_size_t align, vm_offset_t max, vm_offset_t *addr);

/**
 * vm_map_insert() - map an object into a free range
 * @map: the map
 * @object: the object, whose reference passes to the map when the call
 *	succeeds; NULL for zero-fill memory or a guard
 * @offset: byte offset in @object, page aligned
 * @start: first address, page aligned
 * @end: address behind the last, page aligned
 * @prot: protection
 * @max: bound of the protection
 * @cow: MAP_COPY_ON_WRITE and its kin
 *
 * Extends the entry in front where that is possible.
 *
 * Context: process, may sleep; @map locked exclusively.
 * Return: KERN_SUCCESS; KERN_INVALID_ADDRESS outside the map; KERN_NO_SPACE
 * where something is mapped; KERN_INVALID_ARGUMENT for @prot beyond @max;
 * KERN_RESOURCE_SHORTAGE. The map is unchanged unless it succeeds.
 */
int vm_map_insert(struct vm_map *map, struct vm_object *object,
		  vm_ooffset_t offset, vm_offset_t start, vm_offset_t end,
		  vm_prot_t prot, vm_prot_t max, int cow);

/**
 * vm_map_find() - map an object at the first free place
 * @map: the map
 * @object: as vm_map_insert()
 * @offset: as vm_map_insert()
 * @addr: in: hint; out: where it was mapped
 * @length: bytes, page aligned
 * @align: power of two, VM_PAGE_SIZE at least
 * @max_addr: the place must end at or below this address
 * @prot: as vm_map_insert()
 * @max: as vm_map_insert()
 * @cow: as vm_map_insert()
 *
 * First fit at or behind the hint; where there is none, in the whole map.
 *
 * Context: process, may sleep; takes the lock of @map.
 * Return: as vm_map_insert(), KERN_NO_SPACE when no gap is large enough.
 */
int vm_map_find(struct vm_map *map, struct vm_object *object,
		vm_ooffset_t offset, vm_offset_t *addr, vm_size_t length,
		vm_size_t align, vm_offset_t max_addr, vm_prot_t prot,
		vm_prot_t max, int cow);

/**
 * vm_map_fixed() - map an object at an address
 * @map: the map
 * @object: as vm_map_insert()
 * @offset: as vm_map_insert()
 * @start: first address, page aligned
 * @length: bytes, page aligned
 * @prot: as vm_map_insert()
 * @max: as vm_map_insert()
 * @cow: as vm_map_insert()
 * @excl: fail where something is mapped, rather than replace it
 * @deferred: where what was replaced goes
 *
 * Replaces and maps under one hold of the lock.
 *
 * Context: process, may sleep; page tables pinned; takes the lock of @map.
 * Return: as vm_map_insert(); the map is unchanged unless it succeeds.
 */
int vm_map_fixed(struct vm_map *map, struct vm_object *object,
		 vm_ooffset_t offset, vm_offset_t start, vm_size_t length,
		 vm_prot_t prot, vm_prot_t max, int cow, bool excl,
		 struct list_head *deferred);

/**
 * vm_map_remove() - unmap a range
 * @map: the map
 * @start: first address, page aligned
 * @end: address behind the last, page aligned
 * @deferred: where what was unmapped goes
 *
 * Holes are skipped.
 *
 * Context: process, may sleep; page tables pinned; takes the lock of @map.
 * Return: KERN_SUCCESS; KERN_RESOURCE_SHORTAGE when an entry would have to be
 * split and there is no kernel memory (nothing is unmapped).
 */
int vm_map_remove(struct vm_map *map, vm_offset_t start, vm_offset_t end,
		  struct list_head *deferred);

/**
 * vm_map_process_deferred() - free what was taken out of a map
 * @deferred: a list that vm_map_remove() or its kin filled; empty afterwards
 *
 * Context: process, may do I/O: no VM lock and no address-space lock held.
 */
void vm_map_process_deferred(struct list_head *deferred);

/* vm_map_protect() flags. */
#define VM_MAP_PROTECT_SET_PROT		0x1
#define VM_MAP_PROTECT_SET_MAXPROT	0x2

/**
 * vm_map_protect() - change the protection of a range
 * @map: the map
 * @start: first address, page aligned
 * @end: address behind the last, page aligned
 * @new_prot: protection
 * @new_maxprot: bound, with VM_MAP_PROTECT_SET_MAXPROT
 * @flags: VM_MAP_PROTECT_*
 *
 * Holes and guards are skipped. All or nothing. What is taken away is taken
 * away at once; what is granted is granted by the next fault.
 *
 * Context: process, may sleep; page tables pinned; takes the lock of @map.
 * Return: KERN_SUCCESS; KERN_PROTECTION_FAILURE beyond an entry's maximum;
 * KERN_OUT_OF_BOUNDS when @new_prot is no subset of @new_maxprot;
 * KERN_RESOURCE_SHORTAGE. The map is unchanged unless it succeeds.
 */
int vm_map_protect(struct vm_map *map, vm_offset_t start, vm_offset_t end,
		   vm_prot_t new_prot, vm_prot_t new_maxprot, int flags);

/**
 * vm_map_inherit() - say what a fork child gets of a range
 * @map: the map
 * @start: first address, page aligned
 * @end: address behind the last, page aligned
 * @new_inheritance: VM_INHERIT_*
 *
 * Holes are skipped, guards do not take VM_INHERIT_ZERO.
 *
 * Context: process, may sleep; takes the lock of @map.
 * Return: KERN_SUCCESS, KERN_INVALID_ARGUMENT for an unknown value,
 * KERN_RESOURCE_SHORTAGE. The map is unchanged unless it succeeds.
 */
int vm_map_inherit(struct vm_map *map, vm_offset_t start, vm_offset_t end,
		   vm_inherit_t new_inheritance);

/**
 * vm_map_sync() - write a range's file pages back
 * @map: the map
 * @start: first address, page aligned
 * @end: address behind the last; @start itself for the whole entry there
 * @sync: wait for stable storage
 * @invalidate: afterwards drop clean pages and their mappings
 *
 * Context: process, does I/O: no VM lock, no pinned page tables.
 * Return: KERN_SUCCESS; KERN_INVALID_ADDRESS for a hole (nothing is written);
 * KERN_INVALID_ARGUMENT for @invalidate over wired entries; KERN_FAILURE when
 * a write failed.
 */
int vm_map_sync(struct vm_map *map, vm_offset_t start, vm_offset_t end,
		bool sync, bool invalidate);

/**
 * vm_map_fork() - copy a map as its entries' inheritance says
 * @old_map: the parent's
 * @new_map: the child's, empty, same bounds
 *
 * Copied memory is shared until written: both sides get NEEDS_COPY and the
 * parent's mappings become read-only.
 *
 * Context: process, may sleep; page tables of both stand still; takes both
 * maps' locks.
 * Return: KERN_SUCCESS, KERN_RESOURCE_SHORTAGE (@new_map holds a part then and
 * must be emptied).
 */
int vm_map_fork(struct vm_map *old_map, struct vm_map *new_map);

/**
 * vm_map_lookup() - what a fault needs to know of an address
 * @map: the map
 * @vaddr: the address
 * @fault_type: VM_PROT_* of the access
 * @out_entry: the entry
 * @object: its object, never NULL
 * @pindex: the page in it
 * @out_prot: what a mapping may allow; without VM_PROT_WRITE as long as the
 *	entry needs a copy
 *
 * Makes the shadow of a NEEDS_COPY entry when the access writes, and the object
 * of an entry that has none.
 *
 * Context: process, may sleep; page tables stand still. Returns with @map locked
 * shared when it succeeds, unlocked otherwise.
 * Return: KERN_SUCCESS, KERN_INVALID_ADDRESS, KERN_PROTECTION_FAILURE,
 * KERN_RESOURCE_SHORTAGE.
 */
int vm_map_lookup(struct vm_map *map, vm_offset_t vaddr, vm_prot_t fault_type,
		  struct vm_map_entry **out_entry, struct vm_object **object,
		  vm_pindex_t *pindex, vm_prot_t *out_prot);

/**
 * vm_map_assert_consistent() - check the invariants above
 * @map: the map
 *
 * Does nothing outside the debug build.
 *
 * Context: @map locked.
 */
void vm_map_assert_consistent(struct vm_map *map);

#endif /* BSDVM_VM_MAP_H */
