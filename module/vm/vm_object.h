/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * vm_object: a thing that can be mapped, and its resident pages.
 *
 * Objects form chains: a shadow holds the pages that were copied on write, what
 * it does not have is looked up in its backing object.
 *
 *	entry ──► shadow ──► shadow ──► vnode or anonymous object
 *	           3, 7       1, 3       0 1 2 3 4 5 6 7 ...
 *
 * References: one for each map entry, one for each shadow, and short ones of
 * whoever works on an object with no lock held. The last one to go destroys it.
 *
 * Lock: vm_object.lock, a sleeping reader-writer lock. A shadow's comes before
 * that of what it shadows; the lock of a backing object therefore may be taken
 * while its shadow's is held, never the other way round.
 *
 * (McKusick et al., chapter 6.5 on objects and shadow chains, 6.6 on fork.)
 */
#ifndef BSDVM_VM_OBJECT_H
#define BSDVM_VM_OBJECT_H

#include "_vm_page.h"
#include "vm_lock.h"
#include "vm_radix.h"

struct cdev_pager;
struct vm_user;
struct vnode_pager;

/* vm_object.type: kinfo_vmobject's numbers; see vm_object_sized(). */
#define OBJT_DEFAULT	1	/* anonymous: swap, or zero */
#define OBJT_VNODE	2	/* a file */
#define OBJT_SWAP	3	/* shared memory: swap, or zero, up to its size */
#define OBJT_DEVICE	4	/* memory of a device */
#define OBJT_PHYS	5	/* memory that is never paged */
#define OBJT_COUNT	6

/* vm_object.flags */
#define OBJ_ANON	0x0001	/* anonymous: may be collapsed */
#define OBJ_DEAD	0x0002	/* being destroyed */
#define OBJ_ONEMAPPING	0x0004	/* each page is mapped by one entry at most */

/**
 * struct vm_object - an object
 * @lock: this object's lock
 * @pages: (O; pages come with the lock shared, too) resident pages by pindex
 * @swap: (O, and its own lock) where pages are in swap, by pindex: the pager's
 * @ref_count: (A) references
 * @shadow_count: (O) objects that shadow this one
 * @shadow_head: (O) those objects, by shadow_list
 * @shadow_list: (O of the backing object) place on its shadow_head
 * @backing_object: (O) the object this one shadows, or NULL
 * @backing_object_offset: (O) where this object begins in it, bytes
 * @size: (O) pages
 * @resident_page_count: (as @pages) number of @pages
 * @type: (C) OBJT_*
 * @flags: (O) OBJ_*
 * @user: (C) whose pages its pages are
 * @charge: (A) bytes of swap reserved for it, given back when it goes
 * @writemappings: (A) bytes of entries that share the object and may come to write
 *	to it; counted for shared memory objects
 * @id: (C) a number that names the object to people
 * @paging_in_progress: (A) pages that are being written with no lock held
 * @vnp: (C) the pager's part, for OBJT_VNODE
 * @devp: (C) the same for OBJT_DEVICE
 * @object_list: (L) place on the list of all objects that its CPU made
 * @cpu: (C) that CPU
 * @later: (A) place on the list of vm_object_deallocate_later()
 * @later_queued: (A) it is on that list
 * @rcu: for freeing it behind unlockers
 *
 * Locks: (A) atomic, (C) constant after creation, (L) the list's, RCU for
 * readers, (O) lock.
 */
struct vm_object {
	struct rw_semaphore lock;
	struct xarray pages;
	struct xarray swap;
	refcount_t ref_count;
	unsigned int shadow_count;
	struct list_head shadow_head;
	struct list_head shadow_list;
	struct vm_object *backing_object;
	vm_ooffset_t backing_object_offset;
	vm_pindex_t size;
	unsigned long resident_page_count;
	u8 type;
	u16 flags;
	struct vm_user *user;
	u64 charge;
	atomic64_t writemappings;
	u64 id;
	atomic_t paging_in_progress;
	union {
		struct vnode_pager *vnp;
		struct cdev_pager *devp;
	};
	struct list_head object_list;
	unsigned int cpu;
	atomic_t later_queued;
	union {
		struct llist_node later;
		struct rcu_head rcu;
	};
};

/**
 * vm_object_sized() - does the object end at its size?
 * @object: the object
 *
 * Pages that are wired may still be there when it has become smaller, but nobody may
 * see them. Files have their own end, and of anonymous memory there is no more than
 * is mapped.
 *
 * Return: true for shared memory and devices.
 */
static inline bool vm_object_sized(const struct vm_object *object)
{
	return unlikely(object->type >= OBJT_SWAP);
}

#define VM_OBJECT_ASSERT_LOCKED(object)	 lockdep_assert_held(&(object)->lock)
#define VM_OBJECT_ASSERT_WLOCKED(object) lockdep_assert_held_write(&(object)->lock)

static inline void VM_OBJECT_RLOCK(struct vm_object *object)
{
	vm_lock_read(&object->lock, 0);
}

static inline bool VM_OBJECT_TRYRLOCK(struct vm_object *object)
{
	return down_read_trylock(&object->lock);
}

/*
 * Whoever gets the lock next may drop the last reference while we are still in
 * here. RCU, whose readers need not be more than not preempted, keeps the object's
 * memory until we are out.
 */
static inline void VM_OBJECT_RUNLOCK(struct vm_object *object)
{
	preempt_disable();
	up_read(&object->lock);
	preempt_enable();
}

static inline void VM_OBJECT_WLOCK(struct vm_object *object)
{
	vm_lock_write(&object->lock, 0);
}

static inline void VM_OBJECT_WUNLOCK(struct vm_object *object)
{
	preempt_disable();
	up_write(&object->lock);
	preempt_enable();
}

/*
 * Locks of a chain are of one class and always taken from the shadow down. What
 * lockdep is told of it: the object where a walk begins has level 0, the one
 * below it VM_OBJECT_BACKING, and the one below that VM_OBJECT_NEXT, which
 * becomes VM_OBJECT_BACKING once the one above it is unlocked.
 */
#define VM_OBJECT_BACKING	1
#define VM_OBJECT_NEXT		2

static inline void VM_OBJECT_RLOCK_NESTED(struct vm_object *object, int level)
{
	vm_lock_read(&object->lock, level);
}

static inline void VM_OBJECT_WLOCK_NESTED(struct vm_object *object, int level)
{
	vm_lock_write(&object->lock, level);
}

static inline void VM_OBJECT_NEXT_IS_BACKING(struct vm_object *object)
{
	lock_set_subclass(&object->lock.dep_map, VM_OBJECT_BACKING, _THIS_IP_);
}

/**
 * vm_object_init() - set the module's part up
 *
 * Context: start-up only.
 * Return: 0, -ENOMEM.
 */
int vm_object_init(void);

/**
 * vm_object_fini() - undo vm_object_init(); harmless when it failed
 *
 * Context: shut-down only.
 */
void vm_object_fini(void);

/**
 * vm_object_allocate() - a new object with one reference
 * @type: OBJT_*
 * @size: pages
 *
 * Context: process, may sleep.
 * Return: the object, NULL when there is no kernel memory.
 */
struct vm_object *vm_object_allocate(u8 type, vm_pindex_t size);

/**
 * vm_object_allocate_anon() - a new anonymous object with one reference
 * @size: pages
 *
 * OBJ_ANON and OBJ_ONEMAPPING are set.
 *
 * Context: process, may sleep.
 * Return: the object, NULL when there is no kernel memory.
 */
struct vm_object *vm_object_allocate_anon(vm_pindex_t size);

/**
 * vm_object_reference() - one more reference
 * @object: an object the caller has a reference to, or NULL
 *
 * Context: any.
 */
void vm_object_reference(struct vm_object *object);

/**
 * vm_object_clear_flag() - clear a flag
 * @object: the object
 * @flag: OBJ_*
 *
 * Context: process; takes the object's lock exclusively.
 */
void vm_object_clear_flag(struct vm_object *object, u16 flag);

/**
 * vm_object_deallocate() - drop a reference
 * @object: the object, or NULL
 *
 * The last reference frees the pages and goes on with the backing object; the
 * last one to a file's object first writes its dirty pages back. When one
 * reference is left and it is that of a shadow, the two are collapsed.
 *
 * Context: process, may sleep, may do I/O when the chain ends in a file: no VM
 * lock and no address-space lock held.
 */
void vm_object_deallocate(struct vm_object *object);

/**
 * vm_object_deallocate_later() - drop a reference while holding locks
 * @object: the object
 *
 * As vm_object_deallocate(), but a last reference is dropped by a worker.
 *
 * Context: any but interrupt.
 */
void vm_object_deallocate_later(struct vm_object *object);

/* vm_object_page_clean() flags. */
#define OBJPC_SYNC	0x1	/* the pages are on stable storage when it returns */
#define OBJPC_NOSYNC	0x4	/* leave pages that are not for the syncer */

/* Mark in vm_object.pages: may be dirty, or written and not known to be on the disk. */
#define VM_OBJECT_WRITTEN	XA_MARK_0

/**
 * vm_object_note_write() - note that a page is going to be dirty
 * @m: a page of an object
 *
 * So that vm_object_page_clean() need not look at all pages of a file.
 *
 * Context: the object locked, shared is enough, from here until the page is dirty.
 */
static inline void vm_object_note_write(struct vm_page *m)
{
	if (m->object->type == OBJT_VNODE)
		xa_set_mark(&m->object->pages, m->pindex, VM_OBJECT_WRITTEN);
}

/**
 * vm_object_dirty_page() - make a page dirty whose object is not locked
 * @m: the page, wired by the caller
 *
 * Context: process, may sleep; no VM lock held.
 */
void vm_object_dirty_page(struct vm_page *m);

/**
 * vm_object_page_clean() - write dirty pages to their pager
 * @object: an object of a file; the caller has a reference
 * @start: first page
 * @end: page behind the last, 0 for all from @start
 * @flags: OBJPC_*
 *
 * A page is made read-only everywhere and clean before its content is read, so
 * a store that comes later makes it dirty again. A page that could not be
 * written is dirty again.
 *
 * Context: process, does I/O: no VM lock and no address-space lock held.
 * Return: 0, -EIO or what the file system answered to the first write that
 * failed.
 */
int vm_object_page_clean(struct vm_object *object, vm_pindex_t start,
			 vm_pindex_t end, unsigned int flags);

/**
 * vm_object_settled() - is all of a file on stable storage?
 * @object: an object, which is referenced or locked
 *
 * Context: any.
 * Return: true when vm_object_sync() of any part of it has nothing to do but, perhaps, to
 * invalidate; false when that is not known.
 */
bool vm_object_settled(const struct vm_object *object);

/**
 * vm_object_sync() - msync for one entry's range
 * @object: the topmost object; the caller has a reference
 * @offset: byte offset in it
 * @size: bytes
 * @sync: wait for stable storage
 * @invalidate: afterwards unmap the file's pages and free the clean ones
 *
 * Walks down to the file, if there is one; anonymous memory is left alone.
 *
 * Context: as vm_object_page_clean().
 * Return: as vm_object_page_clean().
 */
int vm_object_sync(struct vm_object *object, vm_ooffset_t offset,
		   vm_size_t size, bool sync, bool invalidate);

/**
 * vm_object_shadow() - put a shadow in front of an object
 * @object: in: the caller's reference, given up; out: the shadow, with one
 *	reference; the same when nothing else refers to an anonymous object
 * @offset: in: byte offset of the caller in the object; out: in the shadow
 * @length: bytes the caller covers
 *
 * Context: process, may sleep; no object lock held.
 * Return: KERN_SUCCESS, KERN_RESOURCE_SHORTAGE (nothing has changed).
 */
int vm_object_shadow(struct vm_object **object, vm_ooffset_t *offset,
		     vm_size_t length);

/**
 * vm_object_collapse() - shorten the chain under an object
 * @object: the object
 *
 * Merges the backing object upward where this object alone refers to it, skips
 * over it where this object hides all of it; goes on until neither is possible.
 * Never destroys a file's object.
 *
 * Context: process, may sleep; @object locked exclusively, nothing below it.
 */
void vm_object_collapse(struct vm_object *object);

/**
 * vm_object_shorten() - shorten a chain that is long by copying a few pages
 * @object: the object
 *
 * Where @object shows only a few pages of its backing object, which others use as well,
 * it gets copies of them, as if it had been written there, and skips that one; and so on,
 * up to a bounded number of pages. Nothing is done where a page is in swap, busy or wired,
 * or where memory, or the user's share of it, is short.
 *
 * Context: process, may sleep; @object locked exclusively, nothing below it. Mappings of
 * what is copied are gone afterwards.
 */
void vm_object_shorten(struct vm_object *object);

/**
 * vm_object_coalesce() - let an object grow over the range behind it
 * @object: the object of the entry in front, or NULL
 * @offset: that entry's byte offset
 * @prev_size: its bytes
 * @next_size: bytes to add
 *
 * Context: process, may sleep; no object lock held.
 * Return: true when the entry may simply be made longer.
 */
bool vm_object_coalesce(struct vm_object *object, vm_ooffset_t offset,
			vm_size_t prev_size, vm_size_t next_size);

/**
 * vm_object_extension() - what lies behind the end of a mapping
 * @object: the topmost object of the last entry, or NULL
 * @offset: byte offset where that entry ends in it
 * @size: bytes that the mapping gains
 * @cow: the entry is private
 * @result: out: the object to map there, referenced; NULL for new memory
 * @result_offset: out: byte offset in @result
 *
 * Private memory goes on as new memory, or as the file that the chain ends in;
 * shared memory as more of the same object.
 *
 * Context: process, may sleep; no object lock held.
 * Return: KERN_SUCCESS, KERN_RESOURCE_SHORTAGE; KERN_INVALID_ARGUMENT for the memory of a
 * device, more of which would have to be asked for.
 */
int vm_object_extension(struct vm_object *object, vm_ooffset_t offset,
			vm_size_t size, bool cow, struct vm_object **result,
			vm_ooffset_t *result_offset);

/* Tunable: MS_INVALIDATE also drops what was stored while it wrote (vm.old_msync). */
extern unsigned int vm_old_msync;

/**
 * vm_object_trylock_page() - lock the object that a page is in
 * @m: a page that nobody keeps where it is
 *
 * For who finds a page by its queue. The object cannot go while it is locked, and a
 * reference may be taken meanwhile.
 *
 * Context: any but interrupt, spinlocks may be held.
 * Return: the object, locked exclusively; NULL when the page is in none, or somebody
 * else has the lock.
 */
struct vm_object *vm_object_trylock_page(struct vm_page *m);

/* vm_object_page_remove() options. */
#define OBJPR_CLEANONLY	0x1	/* leave pages that are dirty or being written */
#define OBJPR_NOTMAPPED	0x2	/* the caller knows that they are not mapped */
#define OBJPR_UNWIRED	0x4	/* leave pages that are wired */

/**
 * vm_object_page_remove() - free resident pages
 * @object: the object
 * @start: first page
 * @end: page behind the last, 0 for all from @start
 * @options: OBJPR_*
 *
 * Busied pages stay. Wired pages leave the object and are freed with their last
 * wiring.
 *
 * Context: process, may sleep; @object locked exclusively.
 */
void vm_object_page_remove(struct vm_object *object, vm_pindex_t start,
			   vm_pindex_t end, unsigned int options);

/**
 * vm_object_make_page() - put a new page into an object
 * @object: an anonymous object
 * @pindex: where; nothing is resident there
 * @src: what to copy; NULL for zeroes
 *
 * Context: process, may sleep; @object locked exclusively, the object of @src
 * locked.
 * Return: the page, valid, dirty and on the active queue; ERR_PTR(-EAGAIN) when no
 * page is free, ERR_PTR(-ENOMEM) when there is no kernel memory.
 */
struct vm_page *vm_object_make_page(struct vm_object *object, vm_pindex_t pindex,
				    struct vm_page *src);

/**
 * vm_object_copy_resident() - copy what is seen of a chain
 * @src: the topmost object
 * @pindex: first page there
 * @dst: a new anonymous object, which gets the pages from 0 on
 *
 * As many pages as @dst has. Where some are not resident and the chain ends in
 * something that is not anonymous, @dst is put in front of that and shows them.
 *
 * Context: process, may sleep; no object lock held; the caller has a reference
 * to @src.
 * Return: KERN_SUCCESS; KERN_RESOURCE_SHORTAGE, and @dst may be given up.
 */
int vm_object_copy_resident(struct vm_object *src, vm_pindex_t pindex,
			    struct vm_object *dst);

/**
 * vm_object_split() - give one of several entries an object of its own
 * @object: in: the object of the entry; out: the same, or the new one
 * @offset: in: the entry's byte offset; out: in the new one
 * @size: the entry's bytes
 *
 * Only where each page is one entry's (OBJ_ONEMAPPING) does anything happen; then
 * the entry's pages move, and a later unmapping of the entry frees them. The
 * reference passes on. Where memory is short, nothing happens either.
 *
 * Context: process, may sleep; no object lock held.
 */
void vm_object_split(struct vm_object **object, vm_ooffset_t *offset,
		     vm_size_t size);

/**
 * vm_object_unwire() - unwire the pages of a range, once each
 * @object: the object
 * @start: first page
 * @end: page behind the last
 *
 * Context: process; takes the object's lock.
 */
void vm_object_unwire(struct vm_object *object, vm_pindex_t start,
		      vm_pindex_t end);

/**
 * vm_object_dontneed() - make the pages of a range the next to be reused
 * @object: the topmost object of a chain
 * @start: first page
 * @end: page behind the last
 *
 * Their content stays. Walks down the chain.
 *
 * Context: process; takes the locks of the chain.
 */
void vm_object_dontneed(struct vm_object *object, vm_pindex_t start,
			vm_pindex_t end);

/**
 * vm_object_willneed() - make the pages of a range the last to be reused
 * @object: the topmost object of a chain
 * @start: first page
 * @end: page behind the last
 *
 * Walks down the chain.
 *
 * Context: process; takes the locks of the chain.
 */
void vm_object_willneed(struct vm_object *object, vm_pindex_t start,
			vm_pindex_t end);

/**
 * vm_object_pagein_done() - let go of pages that a pager was given to fill
 * @object: their object
 * @ma: the pages, busied
 * @count: how many
 * @req: the one that somebody waits for
 *
 * Those that are valid stay, that one active, the others not before they are used;
 * what is not valid, or was freed meanwhile, goes.
 *
 * Context: process, may sleep; takes the lock of @object.
 */
void vm_object_pagein_done(struct vm_object *object, struct vm_page **ma,
			   unsigned int count, unsigned int req);

/**
 * vm_object_pagein() - have a page that is in swap brought in
 * @object: the object; the caller has a reference
 * @pindex: which page
 *
 * Context: process, does I/O and may wait for memory, killably; no object lock
 * held. A map lock may be.
 * Return: 0: it is worth looking again; -ENOMEM: no page came free for long; -EIO;
 * -EINTR on a fatal signal.
 */
int vm_object_pagein(struct vm_object *object, vm_pindex_t pindex);

/**
 * vm_object_grab_page() - wire one page of an object to look into it
 * @object: memory, of type OBJT_DEFAULT, OBJT_SWAP or OBJT_PHYS, that shadows nothing;
 *	the caller has a reference
 * @pindex: which page
 * @create: make a page of zeroes where there is none
 * @mp: out: the page, valid, for vm_page_unwire(); NULL where there is none
 *
 * It stays while its content is copied with no object locked.
 *
 * Context: process, does I/O and may wait for memory, killably; no VM lock held.
 * Return: 0, -ENOMEM, -EIO, -EINTR on a fatal signal.
 */
int vm_object_grab_page(struct vm_object *object, vm_pindex_t pindex, bool create,
			struct vm_page **mp);

/**
 * vm_object_page_written() - note that a page's content was changed
 * @object: the object
 * @m: what vm_object_grab_page() gave, still wired
 *
 * What is behind it in swap is stale now, and a page-out under way has to notice.
 *
 * Context: process, may sleep; takes the lock of @object.
 */
void vm_object_page_written(struct vm_object *object, struct vm_page *m);

/**
 * vm_object_lazyfree() - let the pages of a range be forgotten
 * @object: an anonymous object; no writable mapping of the pages exists
 * @start: first page
 * @end: page behind the last
 *
 * They keep their content until they are reused, and for good when they are
 * written first. Wired pages are left alone.
 *
 * Context: process; @object locked exclusively.
 */
void vm_object_lazyfree(struct vm_object *object, vm_pindex_t start,
			vm_pindex_t end);

/**
 * vm_object_may_lazyfree() - may pages be forgotten without showing older ones?
 * @object: the object
 *
 * Context: @object locked.
 * Return: true for anonymous memory that nobody shares and that hides nothing.
 */
static inline bool vm_object_may_lazyfree(const struct vm_object *object)
{
	const u16 wanted = OBJ_ANON | OBJ_ONEMAPPING;

	return (object->flags & wanted) == wanted && !object->backing_object &&
	       !object->shadow_count;
}

/**
 * vm_object_resident() - resident pages in a window of one object
 * @object: the object
 * @start: first page
 * @end: page behind the last
 *
 * Context: @object locked.
 * Return: pages.
 */
unsigned long vm_object_resident(struct vm_object *object, vm_pindex_t start,
				 vm_pindex_t end);

/**
 * struct vm_object_info - an object at a glance
 * @id: vm_object.id
 * @backing_id: that of the object it shadows, 0 for none
 * @size: pages
 * @resident: resident pages
 * @active: of them on the active queue
 * @inactive: of them on the inactive queue
 * @ref_count: references
 * @shadow_count: objects that shadow it
 * @type: OBJT_*
 * @memattr: VM_MEMATTR_*, that of a resident page
 * @file: the object itself, referenced, when it is a file's; NULL otherwise
 */
struct vm_object_info {
	u64 id;
	u64 backing_id;
	u64 size;
	u64 resident;
	u64 active;
	u64 inactive;
	u32 ref_count;
	u32 shadow_count;
	u8 type;
	vm_memattr_t memattr;
	struct vm_object *file;
};

/**
 * vm_object_list() - look at the next objects of the machine, in order of id
 * @after: begin with the first id above this one
 * @info: room for @max of them
 * @max: how many
 *
 * Locks none of them: what it says of one that is changing was never true as a
 * whole. The caller gives each @info.file back by vm_object_deallocate().
 *
 * Context: process, may sleep.
 * Return: how many were filled in, fewer than @max when there are no more;
 * -ENOMEM.
 */
int vm_object_list(u64 after, struct vm_object_info *info, unsigned int max);

/**
 * vm_page_lookup() - the resident page of an object
 * @object: the object
 * @pindex: which
 *
 * Context: @object locked.
 * Return: the page, busied or not, valid or not; NULL when none is resident.
 */
static inline struct vm_page *vm_page_lookup(struct vm_object *object,
					     vm_pindex_t pindex)
{
	return vm_radix_lookup(&object->pages, pindex);
}

/**
 * vm_page_insert() - put a page into an object
 * @m: a page of no object
 * @object: the object
 * @pindex: where
 *
 * With the lock shared others may look for the page, and put pages there themselves: who
 * has it so makes @m valid and puts it on a queue before. Nothing else of the object may
 * depend on there being no page: a shadow whose page would hide another one needs the lock
 * exclusively.
 *
 * Context: process, may sleep; @object locked, shared or exclusively.
 * Return: 0; -EEXIST when a page is resident at @pindex; -ENOMEM.
 */
int vm_page_insert(struct vm_page *m, struct vm_object *object,
		   vm_pindex_t pindex);

/**
 * vm_page_insert_at() - put a page into an object where one was looked for
 * @m: a page of no object
 * @object: the object, locked since
 * @pindex: where
 * @node: where vm_radix_walk() has come to, on the way to @pindex
 *
 * Context: as vm_page_insert().
 * Return: as vm_page_insert().
 */
int vm_page_insert_at(struct vm_page *m, struct vm_object *object, vm_pindex_t pindex,
		      struct xa_node *node);

/**
 * vm_page_insert_npages() - put pages into an object, as far as it is easy
 * @ma: pages of no object
 * @n: how many, 1 at least
 * @object: the object
 * @pindex: where the first goes, the others behind it
 *
 * Stops where a page is resident, and where the tree of pages would have to grow:
 * every 64 pages.
 *
 * Context: as vm_page_insert().
 * Return: how many were put there.
 */
unsigned int vm_page_insert_npages(struct vm_page **ma, unsigned int n,
				   struct vm_object *object, vm_pindex_t pindex);

/**
 * vm_page_remove() - take a page out of its object
 * @m: the page
 *
 * Context: its object locked exclusively.
 */
void vm_page_remove(struct vm_page *m);

/**
 * vm_page_rename() - move a page from its object to another
 * @m: the page; its mappings stay
 * @object: the new object, with nothing resident at @pindex
 * @pindex: where
 *
 * Context: process, may sleep; both objects locked exclusively.
 * Return: 0, -ENOMEM (nothing has changed).
 */
int vm_page_rename(struct vm_page *m, struct vm_object *object,
		   vm_pindex_t pindex);

/**
 * vm_page_destroy() - take a page out of its object and free it
 * @m: the page: not busied, mapped nowhere
 *
 * Context: its object locked exclusively.
 */
void vm_page_destroy(struct vm_page *m);

/**
 * vm_object_assert_consistent() - check an object's pages against its counts
 * @object: the object
 *
 * Does nothing outside the debug build.
 *
 * Context: @object locked exclusively.
 */
void vm_object_assert_consistent(struct vm_object *object);

#endif /* BSDVM_VM_OBJECT_H */
