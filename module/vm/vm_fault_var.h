/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * vm_fault_var: what the files of the fault share among themselves.
 */
#ifndef BSDVM_VM_FAULT_VAR_H
#define BSDVM_VM_FAULT_VAR_H

#include "trace.h"
#include "vm_fault.h"
#include "vm_page.h"
#include "vm_pager.h"

/* Pages in a row after which more come ahead. */
#define VM_FAULT_RUN_MIN	8
/* The most that come at once: of zeroes, and of copies. */
#define VM_FAULT_ZERO_MAX	32
#define VM_FAULT_COPY_MAX	16

enum objlock { UNLOCKED, RLOCKED, WLOCKED };

/**
 * struct faultstate - one pass over a fault
 * @map: locked shared once step 1 succeeded
 * @vaddr: address, page aligned
 * @fault_type: VM_PROT_* of the access
 * @fw: what to wait for, when the pass ends with KERN_RESTART
 * @prot: what a mapping of a page of @first_object may allow
 * @single: no other page is to come with it
 * @entry: the entry
 * @first_object: its object
 * @first_pindex: the page there
 * @first_lock: how @first_object is locked
 * @leaf: where the page would be in the tree of @first_object, while that is locked
 * @object: where the page was found, or the last object of the chain
 * @pindex: the page there
 * @object_lock: how @object is locked, when it is not @first_object
 * @depth: how many objects below @first_object it is
 * @m: the page, NULL when none is resident
 * @copied: the page was put in front of another one
 * @note: what is noted of the pass for who traces it, or NULL
 */
struct faultstate {
	struct vm_map *map;
	vm_offset_t vaddr;
	vm_prot_t fault_type;
	struct vm_fault_wait *fw;

	vm_prot_t prot;
	bool single;
	struct vm_map_entry *entry;
	struct vm_object *first_object;
	vm_pindex_t first_pindex;
	enum objlock first_lock;
	struct xa_node *leaf;

	struct vm_object *object;
	vm_pindex_t pindex;
	enum objlock object_lock;
	unsigned int depth;
	struct vm_page *m;
	bool copied;
	struct bsdvm_fault_trace *note;
};

/* Tracing: each of these is a nop while nobody listens. */
static __always_inline bool fault_traced(const struct faultstate *fs)
{
	return trace_bsdvm_fault_end_enabled() && fs->note;
}

/* How the fault was resolved, one of BSDVM_FAULT_*. */
static __always_inline void fault_note_how(const struct faultstate *fs, u32 how)
{
	if (fault_traced(fs))
		fs->note->how |= how;
}

/* Must the page end up in the first object? */
static inline bool writes(const struct faultstate *fs)
{
	return fs->fault_type & (VM_PROT_WRITE | VM_PROT_COPY);
}

/*
 * Are those before it in order of address there, so that it is worth a closer look how many?
 * The first object is locked.
 */
static __always_inline bool fault_in_sequence(const struct faultstate *fs)
{
	return !fs->single && ((fs->entry->eflags & MAP_ENTRY_BEHAV_SEQ) ||
			       vm_radix_may_follow(fs->leaf, fs->first_pindex,
						   VM_FAULT_RUN_MIN - 1));
}

static inline void object_unlock(struct vm_object *object, enum objlock *lock)
{
	if (*lock == RLOCKED)
		VM_OBJECT_RUNLOCK(object);
	else if (*lock == WLOCKED)
		VM_OBJECT_WUNLOCK(object);
	*lock = UNLOCKED;
}

/* Does anybody listen? What faults then note has no place on the stack of the others. */
static __always_inline bool vm_fault_tracing(void)
{
	return trace_bsdvm_fault_begin_enabled() || trace_bsdvm_fault_end_enabled();
}

/*
 * Wired pages of a shared memory object or a file that has become smaller are still
 * there, but nobody may see them.
 */
static inline bool fault_visible(struct vm_object *object, vm_pindex_t pindex)
{
	if (object->type == OBJT_VNODE)
		return vm_pager_has_page(object, pindex);
	return !vm_object_sized(object) || pindex < object->size;
}

/* The page of an object, which is locked. */
static inline struct vm_page *fault_page_at(struct vm_object *object, vm_pindex_t pindex)
{
	return fault_visible(object, pindex) ? vm_page_lookup(object, pindex) : NULL;
}

/* Move a page up into the first object; both objects are locked exclusively. */
static inline int fault_take_page(struct vm_page *m, struct vm_object *first, vm_pindex_t pindex)
{
	/* What is in swap belongs to the old place. */
	vm_pager_page_unswapped(m);
	vm_page_dirty(m);
	return vm_page_rename(m, first, pindex);
}

/**
 * vm_fault_sole_owner() - may the page be taken over rather than copied?
 * @fs: @fs->m was found below the first object, which is written
 *
 * Only if nobody but the first object could ever look at it where it is.
 *
 * Context: both objects locked.
 * Return: true when it may; @fs->object is locked exclusively then.
 */
static __always_inline bool vm_fault_sole_owner(const struct faultstate *fs)
{
	const struct vm_object *object = fs->object;

	return fs->object_lock == WLOCKED && object == fs->first_object->backing_object &&
	       (object->flags & OBJ_ANON) && object->shadow_count == 1 &&
	       refcount_read(&object->ref_count) == 1 && !vm_page_wired(fs->m);
}

/**
 * vm_fault_zero_alloc() - pages of zeroes for a fault and what comes ahead of it
 * @fs: nothing was found for it, and nothing is behind its first object
 * @ma: VM_FAULT_ZERO_MAX of them
 *
 * Context: the first object locked.
 * Return: how many; none where the fault is alone, or memory is short.
 */
unsigned int vm_fault_zero_alloc(const struct faultstate *fs, struct vm_page **ma);

/**
 * vm_fault_zero_ahead() - put pages of zeroes behind that of the fault, and map them
 * @fs: its first object is locked, shadows nothing and has nothing in swap
 * @ma: the pages
 * @count: how many, 1 at least
 *
 * Return: how many were put there, up to where something is; the others are the caller's.
 */
unsigned int vm_fault_zero_ahead(struct faultstate *fs, struct vm_page **ma, unsigned int count);

/**
 * vm_fault_cow_cluster() - copy the page of a fault together with its successors
 * @fs: a write; @fs->m was found below the first object, is not busied, and both objects
 *	are locked, the first exclusively
 *
 * Or takes them over, if it may. The pages are mapped in place of what was there, with one
 * shootdown.
 *
 * Return: true: @fs->m is the first object's now, which alone is still locked. false: the
 * fault is alone, and nothing has changed.
 */
bool vm_fault_cow_cluster(struct faultstate *fs);

#endif /* BSDVM_VM_FAULT_VAR_H */
