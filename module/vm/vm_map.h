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
 * stand still (pmap_pin()), or tries to while it holds it (pmap_pin_nowait()).
 *
 * What a call takes out of the map is not freed under its lock: it is gathered on
 * a list that the caller hands to vm_map_process_deferred() once no lock is
 * held, since letting go of a file's last page may mean I/O.
 *
 * System maps describe kernel addresses. Their lock is a spinlock, and they have only
 * the functions of vm_map_system.c, which do not sleep, and those that look.
 *
 * "end" is always the address behind the last one.
 *
 * (McKusick et al., chapter 6.4; FreeBSD sys/vm/vm_map.h for the names.)
 */
#ifndef BSDVM_VM_MAP_H
#define BSDVM_VM_MAP_H

#include "vm_lock.h"
#include "vm_object.h"

struct pmap;

/* vm_map_entry.eflags */
#define MAP_ENTRY_NOSYNC	0x00001	/* the syncer leaves its pages alone */
#define MAP_ENTRY_IS_SUB_MAP	0x00002	/* of a system map: another map's addresses */
#define MAP_ENTRY_COW		0x00004	/* private: writes go to a shadow */
#define MAP_ENTRY_NEEDS_COPY	0x00008	/* ... that is not there yet */
#define MAP_ENTRY_USER_WIRED	0x00020	/* wired by mlock(2) */
#define MAP_ENTRY_BEHAV_SEQ	0x00040	/* accessed in order: read far ahead */
#define MAP_ENTRY_BEHAV_RANDOM	0x00080	/* in no order: read nothing ahead */
#define MAP_ENTRY_BEHAV_MASK	0x000c0
#define MAP_ENTRY_IN_TRANSITION	0x00100	/* being wired: stays where it is */
#define MAP_ENTRY_WIRE_SKIPPED	0x00200	/* ... but this one is not */
#define MAP_ENTRY_NOCOREDUMP	0x00400	/* not part of a core dump */
#define MAP_ENTRY_GUARD		0x01000	/* no memory, no access; holds the place */
#define MAP_ENTRY_GROWS_DOWN	0x02000	/* a stack */
#define MAP_ENTRY_STACK_GAP	0x04000	/* a guard that a stack may grow into */
#define MAP_ENTRY_IMMUTABLE	0x08000	/* mimmutable(2) */
#define MAP_ENTRY_CHARGED	0x10000	/* swap is reserved for it */
#define MAP_ENTRY_WRITECNT	0x20000	/* counted in its object's writemappings */

/**
 * struct vm_map_entry - one range of a map
 * @rb: (M) place in the tree
 * @link: (M) place on the list, or on a list of deferred entries
 * @gap: (M) free bytes right below @start
 * @max_gap: (M) largest @gap in the subtree
 * @start: (M) first address
 * @end: (M) address behind the last
 * @object: (M) object mapped; NULL: none yet (zero-fill), or a guard, with @offset zero
 *	and nothing in the pmap; in a system map: memory that is wired and whose pages the
 *	pmap knows. A first object may come while the map is locked shared, by cmpxchg()
 * @sub_map: (M) with MAP_ENTRY_IS_SUB_MAP: the map
 * @offset: (M) byte offset of @start in it
 * @eflags: (M) MAP_ENTRY_*
 * @protection: (M) VM_PROT_* in force
 * @max_protection: (M) bound of @protection
 * @inheritance: (M) VM_INHERIT_*
 * @stack_prot: (M) of a stack gap: what the stack gets when it grows
 * @stack_max: (M) of a stack gap: the bound of that
 * @wired_count: (M) times wired
 * @next_read: where the next page-in is if the entry is read in sequence; changed by
 *	any fault
 * @read_ahead: pages that a page-in brings ahead then; likewise
 * @wiring_thread: (M) with MAP_ENTRY_IN_TRANSITION: who wires it
 *
 * A wired entry has each of its pages in @object itself, wired once for the entry,
 * and never needs a copy: wiring copies what it must, fork copies wired pages at
 * once. So its pages are found, to be unwired, without looking down a chain.
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
	union {
		struct vm_object *object;
		struct vm_map *sub_map;
	};
	vm_ooffset_t offset;
	u32 eflags;
	vm_prot_t protection;
	vm_prot_t max_protection;
	vm_inherit_t inheritance;
	vm_prot_t stack_prot;
	vm_prot_t stack_max;
	u32 wired_count;
	u8 read_ahead;
	vm_offset_t next_read;
	const struct task_struct *wiring_thread;
};

/* Entries that a map may have, but for what forks and growing stacks add. */
extern unsigned long vm_max_proc_mmap;

/**
 * struct vm_map - an address space
 * @lock: this map's lock
 * @system_lock: in its place for a system map
 * @id: (C) a number that names the map to who traces it
 * @system_map: (C) kernel addresses
 * @root: (M) tree of entries
 * @header: (M) list of entries
 * @hint: (M) an entry that has come or changed last, or NULL: calls come in pairs
 * @min_offset: (C) first address
 * @max_offset: (C) address behind the last
 * @size: (M) bytes mapped, guards not counted
 * @nentries: (M) entries
 * @wired: (M) bytes of entries that are MAP_ENTRY_USER_WIRED
 * @charge: (M) bytes of entries that are MAP_ENTRY_CHARGED
 * @flags: (M) MAP_*
 * @timestamp: (M) counts exclusive locks
 * @transitions: (M) threads that wire a range of the map
 * @transition_gen: (M) counts the ends of that; who waits for one waits for this
 * @pmap: (C) where translations go, or NULL; set to NULL when they are gone
 *
 * Locks: (C) constant, (M) lock, or system_lock.
 */
struct vm_map {
	struct rw_semaphore lock;
	spinlock_t system_lock; /* in its place, see above */
	u64 id;
	bool system_map;
	struct rb_root root;
	struct list_head header;
	struct vm_map_entry *hint;
	vm_offset_t min_offset;
	vm_offset_t max_offset;
	vm_size_t size;
	unsigned long nentries;
	vm_size_t wired;
	vm_size_t charge;
	unsigned int flags;
	unsigned int timestamp;
	unsigned int transitions;
	unsigned int transition_gen;
	struct pmap *pmap;
};

/* vm_map.flags */
#define MAP_WIREFUTURE		0x01	/* wire what is mapped from now on */

/* "cow" argument of vm_map_insert() and its kin. */
#define MAP_COPY_ON_WRITE	0x0002	/* private mapping of the object */
#define MAP_DISABLE_SYNCER	0x0020	/* MAP_NOSYNC */
#define MAP_DISABLE_COREDUMP	0x0100	/* MAP_NOCORE */
#define MAP_CREATE_GUARD	0x0080	/* guard entry, object NULL */
#define MAP_STACK_GROWS_DOWN	0x1000	/* a stack, with a gap to grow into */
#define MAP_INHERIT_SHARE	0x10000	/* inheritance SHARE, not COPY */

static inline void VM_MAP_ASSERT_LOCKED(struct vm_map *map)
{
	if (map->system_map)
		lockdep_assert_held(&map->system_lock);
	else
		lockdep_assert_held(&map->lock);
}

static inline void VM_MAP_ASSERT_WLOCKED(struct vm_map *map)
{
	if (map->system_map)
		lockdep_assert_held(&map->system_lock);
	else
		lockdep_assert_held_write(&map->lock);
}

/* A system map is not locked shared: nobody holds it for long. */
static inline void vm_map_lock(struct vm_map *map)
{
	if (map->system_map)
		spin_lock(&map->system_lock);
	else
		vm_lock_write(&map->lock, 0);
	map->timestamp++;
}

/* Lock a fork child's map while the parent's is locked. */
static inline void vm_map_lock_child(struct vm_map *map)
{
	vm_lock_write(&map->lock, SINGLE_DEPTH_NESTING);
	map->timestamp++;
}

static inline void vm_map_unlock(struct vm_map *map)
{
	if (map->system_map)
		spin_unlock(&map->system_lock);
	else
		up_write(&map->lock);
}

static inline void vm_map_lock_read(struct vm_map *map)
{
	vm_lock_read(&map->lock, 0);
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
 * vm_map_system_init() - make an empty system map
 * @map: the map
 * @min: first address, page aligned
 * @max: address behind the last, page aligned
 *
 * Context: any; nobody else knows @map.
 */
void vm_map_system_init(struct vm_map *map, vm_offset_t min, vm_offset_t max);

/**
 * vm_map_system_insert() - take the first free place of a system map
 * @map: the map
 * @object: what to map there from its start on, whose reference passes to the map when
 *	the call succeeds; or NULL
 * @sub_map: with no @object: another system map, which the place is for; or NULL
 * @size: bytes, page aligned, not zero
 * @nowait: do not sleep
 * @addr: where the place goes
 *
 * The entry is never one with a neighbour. It comes from a reserve made beforehand
 * where Linux has no memory for it at once, so that who may not sleep does not depend
 * on that, and asking for kernel memory never means asking for kernel memory first.
 *
 * Context: any but interrupt, may sleep unless @nowait; takes the lock of @map.
 * Return: KERN_SUCCESS; KERN_NO_SPACE; KERN_RESOURCE_SHORTAGE when the reserve is empty.
 */
int vm_map_system_insert(struct vm_map *map, struct vm_object *object,
			 struct vm_map *sub_map, vm_size_t size, bool nowait,
			 vm_offset_t *addr);

/**
 * vm_map_system_claim() - begin to take an entry out of a system map
 * @map: the map
 * @start: where the entry begins
 * @end: where it ends
 * @sub_map: it is the place of a submap, and not one of anything else
 *
 * It keeps its place, but nobody else finds it any more.
 *
 * Context: any but interrupt; takes the lock of @map.
 * Return: the entry, to be given to vm_map_system_delete(); NULL when there is no entry
 * of just this range and kind, or somebody else claimed it.
 */
struct vm_map_entry *vm_map_system_claim(struct vm_map *map, vm_offset_t start,
					 vm_offset_t end, bool sub_map);

/**
 * vm_map_system_delete() - take an entry out of a system map
 * @map: the map
 * @entry: what vm_map_system_claim() gave; gone afterwards
 *
 * The reference to its object passes to the caller.
 *
 * Context: any but interrupt; takes the lock of @map.
 */
void vm_map_system_delete(struct vm_map *map, struct vm_map_entry *entry);

/**
 * vm_map_largest_free() - the longest free range
 * @map: the map
 *
 * Context: @map locked.
 * Return: bytes.
 */
vm_size_t vm_map_largest_free(struct vm_map *map);

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
 * @align: power of two, VM_PAGE_SIZE at least; plus what the address is to leave
 *	when divided by it, whole pages
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
 * Extends the entry in front where that is possible. Reserves swap for memory that
 * may be written and is nobody else's. With MAP_STACK_GROWS_DOWN only the top of
 * the range becomes memory, the rest a gap that faults turn into memory.
 *
 * Context: process, may sleep; @map locked exclusively.
 * Return: KERN_SUCCESS; KERN_INVALID_ADDRESS outside the map; KERN_NO_SPACE
 * where something is mapped; KERN_INVALID_ARGUMENT for @prot beyond @max, or a
 * stack no longer than its guard; KERN_RESOURCE_SHORTAGE. The map is unchanged
 * unless it succeeds.
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
 * @align: as vm_map_findspace()
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
 * Return: as vm_map_insert(); KERN_RESTART where something is being wired, see
 * vm_map_transition_wait(); KERN_NO_ACCESS over immutable entries. The map is
 * unchanged unless it succeeds.
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
 * Holes are skipped. Page tables are pinned only where something may be mapped.
 *
 * Context: process, may sleep; takes the lock of @map; no VM lock held.
 * Return: KERN_SUCCESS; KERN_RESOURCE_SHORTAGE when an entry would have to be
 * split and there is no kernel memory; KERN_RESTART where something is being
 * wired, see vm_map_transition_wait(); KERN_NO_ACCESS over immutable entries;
 * KERN_NOT_RECEIVER when pmap_pin() fails. Nothing is unmapped unless it succeeds.
 */
int vm_map_remove(struct vm_map *map, vm_offset_t start, vm_offset_t end,
		  struct list_head *deferred);

/**
 * vm_map_remove_all() - empty a map that nobody else uses any more
 * @map: the map, with no translations
 * @deferred: where everything goes
 *
 * Context: process, may sleep; takes the lock of @map.
 */
void vm_map_remove_all(struct vm_map *map, struct list_head *deferred);

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
 * away at once; what is granted is granted by the next fault. Page tables are pinned
 * only where something may be mapped.
 *
 * Context: process, may sleep; takes the lock of @map; no VM lock held.
 * Return: KERN_SUCCESS; KERN_PROTECTION_FAILURE beyond an entry's maximum;
 * KERN_OUT_OF_BOUNDS when @new_prot is no subset of @new_maxprot;
 * KERN_RESOURCE_SHORTAGE, also where swap cannot be reserved; KERN_RESTART where
 * something is being wired, see vm_map_transition_wait(); KERN_NO_ACCESS over
 * immutable entries; KERN_NOT_RECEIVER when pmap_pin() fails. The map is unchanged
 * unless it succeeds.
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
 * KERN_NO_ACCESS over immutable entries, KERN_RESOURCE_SHORTAGE. The map is
 * unchanged unless it succeeds.
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
 * KERN_INVALID_ARGUMENT for @invalidate over wired entries, KERN_NO_ACCESS over
 * immutable ones; KERN_NO_SPACE when the file system has no room, KERN_FAILURE when
 * a write failed otherwise.
 */
int vm_map_sync(struct vm_map *map, vm_offset_t start, vm_offset_t end,
		bool sync, bool invalidate);

/**
 * vm_map_fork() - copy a map as its entries' inheritance says
 * @old_map: the parent's
 * @new_map: the child's, empty, same bounds
 *
 * Copied memory is shared until written: both sides get NEEDS_COPY and the
 * parent's mappings become read-only. But what is wired, or being wired, is copied
 * at once: the parent's pages must stay what they are.
 *
 * Context: process, may sleep; page tables of both stand still; takes both
 * maps' locks.
 * Return: KERN_SUCCESS, KERN_RESOURCE_SHORTAGE (@new_map holds a part then and
 * must be emptied).
 */
int vm_map_fork(struct vm_map *old_map, struct vm_map *new_map);

/**
 * vm_map_fork_locked() - vm_map_fork() for who copies more under the same locks
 * @old_map: the parent's
 * @new_map: the child's, empty, same bounds
 *
 * Context: as vm_map_fork(), with both maps locked exclusively.
 * Return: as vm_map_fork().
 */
int vm_map_fork_locked(struct vm_map *old_map, struct vm_map *new_map);

/**
 * vm_map_lookup() - what a fault needs to know of an address
 * @map: the map
 * @vaddr: the address
 * @fault_type: VM_PROT_* of the access; VM_PROT_COPY: copy what a write would
 *	copy, whether or not the entry may be written
 * @out_entry: the entry
 * @object: its object, never NULL
 * @pindex: the page in it
 * @out_prot: what a mapping may allow; without VM_PROT_WRITE as long as the
 *	entry needs a copy
 *
 * Makes the shadow of a NEEDS_COPY entry when the access writes, and the object
 * of an entry that has none; grows a stack into its gap.
 *
 * Context: process, may sleep; page tables stand still. Returns with @map locked
 * shared when it succeeds, unlocked otherwise.
 * Return: KERN_SUCCESS, KERN_INVALID_ADDRESS, KERN_PROTECTION_FAILURE,
 * KERN_RESOURCE_SHORTAGE.
 */
int vm_map_lookup(struct vm_map *map, vm_offset_t vaddr, vm_prot_t fault_type,
		  struct vm_map_entry **out_entry, struct vm_object **object,
		  vm_pindex_t *pindex, vm_prot_t *out_prot);

/* vm_map_wire() and vm_map_unwire() flags. */
#define VM_MAP_WIRE_NOHOLES	0x0	/* a hole is an error */
#define VM_MAP_WIRE_HOLESOK	0x1	/* what cannot be wired is passed over */

/**
 * vm_map_wire() - wire a range
 * @map: the map
 * @start: first address, page aligned
 * @end: address behind the last
 * @flags: VM_MAP_WIRE_*
 * @fault: brings one page in and wires it; @copy says that it must be the
 *	entry's own page. Called with no lock held; answers KERN_*
 *
 * Meanwhile the entries are in transition: they can be forked, but not unmapped,
 * moved or protected. All or nothing.
 *
 * Context: process, may sleep and do I/O; no lock held, page tables not pinned.
 * Return: KERN_SUCCESS; KERN_INVALID_ADDRESS for a hole or memory that may not be
 * accessed; KERN_RESOURCE_SHORTAGE beyond vm.max_user_wired; KERN_FAILURE on a
 * fatal signal; what @fault said.
 */
int vm_map_wire(struct vm_map *map, vm_offset_t start, vm_offset_t end,
		unsigned int flags,
		int (*fault)(struct vm_map *map, vm_offset_t va, vm_prot_t prot,
			     bool copy));

/**
 * vm_map_unwire() - undo vm_map_wire()
 * @map: the map
 * @start: first address, page aligned
 * @end: address behind the last
 * @flags: VM_MAP_WIRE_*
 *
 * Context: process, may sleep; takes the lock of @map.
 * Return: KERN_SUCCESS, also where nothing is wired; KERN_INVALID_ADDRESS for a
 * hole; KERN_RESTART where something is being wired; KERN_RESOURCE_SHORTAGE.
 * Nothing is unwired unless it succeeds.
 */
int vm_map_unwire(struct vm_map *map, vm_offset_t start, vm_offset_t end,
		  unsigned int flags);

/**
 * vm_map_transition_wait() - wait for a thread that wires
 * @map: the map, of which a function said KERN_RESTART
 *
 * Waits for the next wiring to end, if one is under way.
 *
 * Context: process, sleeps killably; no lock held, page tables not pinned.
 * Return: 0, -EINTR on a fatal signal.
 */
int vm_map_transition_wait(struct vm_map *map);

/**
 * vm_map_user_wire_count() - memory wired by users
 *
 * Return: pages, each as often as an entry wires it.
 */
unsigned long vm_map_user_wire_count(void);

/* vm_map_madvise() advice. */
#define VM_ADVICE_NORMAL	0
#define VM_ADVICE_RANDOM	1
#define VM_ADVICE_SEQUENTIAL	2
#define VM_ADVICE_DONTNEED	4
#define VM_ADVICE_FREE		5
#define VM_ADVICE_NOSYNC	6
#define VM_ADVICE_AUTOSYNC	7
#define VM_ADVICE_NOCORE	8
#define VM_ADVICE_CORE		9

/**
 * vm_map_madvise() - take advice on a range
 * @map: the map
 * @start: first address, page aligned
 * @end: address behind the last
 * @advice: VM_ADVICE_*
 *
 * Holes are skipped. Wired memory is never given up.
 *
 * Context: process, may sleep; page tables pinned; takes the lock of @map.
 * Return: KERN_SUCCESS; KERN_NO_ACCESS for VM_ADVICE_FREE of immutable memory;
 * KERN_RESOURCE_SHORTAGE (nothing has changed).
 */
int vm_map_madvise(struct vm_map *map, vm_offset_t start, vm_offset_t end,
		   unsigned int advice);

/**
 * vm_map_immutable() - make entries stay as they are for good
 * @map: the map
 * @start: first address, page aligned
 * @end: address behind the last
 *
 * Context: process, may sleep; takes the lock of @map.
 * Return: KERN_SUCCESS, KERN_RESOURCE_SHORTAGE (nothing has changed).
 */
int vm_map_immutable(struct vm_map *map, vm_offset_t start, vm_offset_t end);

/* vm_map_move() flags. */
#define VM_MAP_MOVE_DUP		0x1	/* the old mapping stays and shares */
#define VM_MAP_MOVE_FIXED	0x2	/* to the address given and nowhere else */

/**
 * vm_map_move() - move, resize or double a mapping
 * @map: the map
 * @start: first address, page aligned
 * @old_size: bytes, page aligned
 * @addr: in: where to, or a hint; out: where it is
 * @new_size: bytes, page aligned
 * @align: power of two, VM_PAGE_SIZE at least
 * @flags: VM_MAP_MOVE_*
 * @deferred: where what is unmapped goes
 *
 * The entries themselves pass to their new place: no page is copied and nothing
 * is written back. What the mapping gains is more of its last entry.
 *
 * Context: process, may sleep; page tables pinned; takes the lock of @map.
 * Return: KERN_SUCCESS; KERN_INVALID_ARGUMENT where the old range has a hole;
 * KERN_NO_SPACE; KERN_NO_ACCESS for immutable entries; KERN_RESTART where
 * something is being wired; KERN_RESOURCE_SHORTAGE. The map is unchanged unless
 * it succeeds.
 */
int vm_map_move(struct vm_map *map, vm_offset_t start, vm_size_t old_size,
		vm_offset_t *addr, vm_size_t new_size, vm_size_t align,
		unsigned int flags, struct list_head *deferred);

/* Tunables. */
extern unsigned int vm_stack_guard_page;	/* pages a stack never grows into */
extern unsigned long vm_sgrowsiz;		/* bytes that a stack grows by */
extern unsigned long vm_max_user_wired;		/* pages that users may wire */

/**
 * vm_map_assert_consistent() - check the invariants above
 * @map: the map
 *
 * Does nothing outside the debug build.
 *
 * Context: @map locked.
 */
#ifdef BSDVM_DEBUG
void vm_map_assert_consistent(struct vm_map *map);
#else
static inline void vm_map_assert_consistent(struct vm_map *map)
{
}
#endif

#endif /* BSDVM_VM_MAP_H */
