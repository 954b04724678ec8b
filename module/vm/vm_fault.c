// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * vm_fault: the path from an address to a mapped page.
 *
 * A pass has four steps, each a function that fills in struct faultstate:
 *
 *  1. vm_fault_lookup()  the entry, its object, what the access may do; makes
 *                        the shadow of an entry that needs a copy
 *  2. vm_fault_find()    the page, down the chain of shadows: resident or in swap
 *  3. vm_fault_fill()    where none is resident: page-in, or a zeroed page;
 *     vm_fault_cow()     where it lies below the first object and is written:
 *                        a copy in the first object, or the page itself
 *  4. vm_fault_enter()   the mapping
 *
 *	first_object   [ . . . ]   write: the page must end up here
 *	     │
 *	  object       [ . m . ]   read: mapped from here, read-only
 *	     │
 *	   bottom      [ m m m ]   a file, or nothing: zero
 *
 * Locks. The map is locked shared from step 1 to the end, so that no mapping can
 * be entered for an entry that is being removed. The first object is locked from
 * step 2 to the end, exclusively when a page must be put into it in front of others;
 * the object that holds the page is locked too; the ones between are passed hand over
 * hand. A page that hides nothing may come while others have the lock shared: they find
 * it whole, or not yet.
 *
 * A fault that would have to sleep for a page or for I/O lets go of everything
 * and returns KERN_RESTART, see vm_fault.h. What it found is not trusted when it
 * comes back: it starts again at step 1.
 */
#include "vm_fault.h"

#include "pmap.h"
#include "trace.h"
#include "vm_fault_var.h"
#include "vm_page.h"
#include "vm_pageout.h"
#include "vm_pager.h"
#include "vm_user.h"
#include "vmmeter.h"

/*
 * How many objects deep a page is copied from before its chain is made shorter; and how
 * many pages of its own make it pay for the first object to have only one below it.
 */
#define VM_FAULT_DEPTH_MAX	3
#define VM_FAULT_DEPTH_PAYS	64
/* How often a fault tries again that was short of memory while pages are free. */
#define VM_FAULT_SHORTAGES	8

/* VM_FAULT_WAIT_* are printed by show_bsdvm_wait(). */
static_assert(VM_FAULT_WAIT_PAGEIN == 4 && VM_FAULT_WAIT_PREPARE == 6);

/* Where the page was found; the map and both objects are locked. */
static noinline void fault_note_found(const struct faultstate *fs)
{
	struct bsdvm_fault_trace *note = fs->note;

	note->start = fs->entry->start;
	note->end = fs->entry->end;
	note->object = fs->first_object->id;
	note->source = fs->object->id;
	note->pindex = fs->pindex;
	note->depth = fs->depth;
}

/* Let go of the objects; the map stays locked. */
static __always_inline void fault_unlock_objects(struct faultstate *fs)
{
	if (fs->object != fs->first_object)
		object_unlock(fs->object, &fs->object_lock);
	object_unlock(fs->first_object, &fs->first_lock);
	fs->object = fs->first_object;
}

/* Let go of everything; in line only where a fault has gone well. */
static __always_inline void fault_unlock(struct faultstate *fs)
{
	fault_unlock_objects(fs);
	vm_map_unlock_read(fs->map);
}

/* End the pass. */
static noinline int fault_fail(struct faultstate *fs, int rv)
{
	fault_unlock(fs);
	return rv;
}

/* End the pass: the page is somebody else's for now. */
static int fault_wait_busy(struct faultstate *fs)
{
	fs->fw->what = VM_FAULT_WAIT_BUSY;
	fs->fw->ma[0] = fs->m;
	VM_CNT_INC(v_intrans);
	return fault_fail(fs, KERN_RESTART);
}

/* A page for @object, unless its user has as many as he may have. */
static struct vm_page *fault_alloc_page(const struct vm_object *object)
{
	return vm_user_over(object->user) ? NULL : vm_page_alloc_noobj(VM_ALLOC_NORMAL);
}

/* End the pass: no page is free, or none for the user whose object it would be. */
static int fault_wait_memory(struct faultstate *fs, struct vm_user *user)
{
	fs->fw->what = vm_user_over(user) ? VM_FAULT_WAIT_USER : VM_FAULT_WAIT_MEMORY;
	fs->fw->user = user;
	return fault_fail(fs, KERN_RESTART);
}

/* Step 1. */
static int vm_fault_lookup(struct faultstate *fs)
{
	int rv;

	rv = vm_map_lookup(fs->map, fs->vaddr, fs->fault_type, &fs->entry, &fs->first_object,
			   &fs->first_pindex, &fs->prot);
	fs->first_lock = UNLOCKED;
	fs->object_lock = UNLOCKED;
	fs->object = fs->first_object;
	fs->pindex = fs->first_pindex;
	fs->copied = false;
	return rv;
}

/*
 * How many pages a page-in brings beside the one that is needed. Who goes on where
 * the last page-in ended reads in sequence: more and more comes ahead. For anybody
 * else it is what is around in the cluster, which is cheap to get. Faults of other
 * threads may change the entry's memory of it at any time; it is only a guess.
 */
static void fault_read_window(const struct faultstate *fs, unsigned int *behind,
			      unsigned int *ahead)
{
	struct vm_map_entry *entry = fs->entry;
	unsigned int place = atop(fs->vaddr) % VM_FAULT_READ_DEFAULT;

	*behind = 0;
	*ahead = 0;
	if (entry->eflags & MAP_ENTRY_BEHAV_RANDOM)
		return;
	if (entry->eflags & MAP_ENTRY_BEHAV_SEQ) {
		*ahead = VM_FAULT_READ_MAX - 1;
	} else if (fs->vaddr == READ_ONCE(entry->next_read)) {
		*ahead = clamp_t(unsigned int, READ_ONCE(entry->read_ahead),
				 VM_FAULT_READ_DEFAULT - 1, VM_FAULT_READ_MAX - 1);
		WRITE_ONCE(entry->read_ahead, 2 * *ahead + 1);
	} else {
		*behind = place;
		*ahead = VM_FAULT_READ_DEFAULT - 1 - place;
		WRITE_ONCE(entry->read_ahead, 0);
	}
	*behind = min_t(u64, *behind, atop(fs->vaddr - entry->start));
	*ahead = min_t(u64, *ahead, atop(entry->end - fs->vaddr) - 1);
	WRITE_ONCE(entry->next_read, fs->vaddr + ptoa(*ahead + 1));
}

/*
 * Drop behind: what a reader in sequence has passed is what memory is taken from
 * first.
 */
static void fault_dontneed_behind(const struct faultstate *fs, struct vm_object *object)
{
	vm_pindex_t pindex = fs->pindex;
	struct vm_page *m;
	unsigned int i;

	if (!(fs->entry->eflags & MAP_ENTRY_BEHAV_SEQ))
		return;
	for (i = 0; i < VM_FAULT_READ_MAX && pindex--; i++) {
		m = vm_page_lookup(object, pindex);
		if (m && !vm_page_busied(m) && !vm_page_wired(m))
			vm_page_deactivate(m);
	}
}

/*
 * How to lock the object that @fs->object shadows. A write may take a page out of
 * a backing object that nobody else uses, and must unmap the old page where the
 * first object is shared between maps: both change the page's state.
 */
static enum objlock backing_lock_mode(const struct faultstate *fs,
				      const struct vm_object *backing)
{
	if (!writes(fs))
		return RLOCKED;
	if (!(fs->first_object->flags & OBJ_ONEMAPPING))
		return WLOCKED;
	if (fs->object == fs->first_object && refcount_read(&backing->ref_count) == 1)
		return WLOCKED;
	return RLOCKED;
}

/* Is what is neither resident nor in swap zero? */
static bool fault_zerofills(const struct vm_object *object)
{
	return object->type == OBJT_DEFAULT || object->type == OBJT_SWAP;
}

/* Is it not resident in @fs->object, which is locked, but in swap? */
static bool fault_paged_out(const struct faultstate *fs)
{
	return vm_pager_swapped(fs->object) && vm_pager_has_page(fs->object, fs->pindex);
}

/* Look for the page in @fs->object, which is locked. */
static __always_inline struct vm_page *fault_look(struct faultstate *fs)
{
	struct xa_node *leaf;
	void *entry = vm_radix_walk(&fs->object->pages, fs->pindex, &leaf);

	if (fs->object == fs->first_object)
		fs->leaf = leaf;
	return entry && !xa_is_internal(entry) && fault_visible(fs->object, fs->pindex) ? entry :
											  NULL;
}

/* Look for the page in @fs->object, which is locked, and below. */
static __always_inline void fault_walk(struct faultstate *fs)
{
	struct vm_object *backing;
	enum objlock lock;
	int level;

	fs->depth = 0;
	fs->leaf = NULL;
	while (!(fs->m = fault_look(fs)) && !fault_paged_out(fs)) {
		backing = fs->object->backing_object;
		if (!backing)
			break;
		lock = backing_lock_mode(fs, backing);
		level = fs->object == fs->first_object ? VM_OBJECT_BACKING : VM_OBJECT_NEXT;
		if (lock == WLOCKED)
			VM_OBJECT_WLOCK_NESTED(backing, level);
		else
			VM_OBJECT_RLOCK_NESTED(backing, level);
		fs->pindex += OFF_TO_IDX(fs->object->backing_object_offset);
		if (fs->object != fs->first_object) {
			object_unlock(fs->object, &fs->object_lock);
			VM_OBJECT_NEXT_IS_BACKING(backing);
		}
		fs->object = backing;
		fs->object_lock = lock;
		fs->depth++;
	}
	if (fault_traced(fs))
		fault_note_found(fs);
}

/* Is a page of the first object resident there? A guess: the object is not locked. */
static __always_inline bool fault_guess_resident(const struct faultstate *fs)
{
	bool resident;

	/* The map's lock keeps the object; not to be preempted, the nodes of its tree. */
	preempt_disable();
	resident = vm_radix_lookup(&fs->first_object->pages, fs->first_pindex);
	preempt_enable();
	return resident;
}

/*
 * Step 2. Most pages are in the first object, or come there where nothing is behind it:
 * others may look at it meanwhile.
 */
static __always_inline void vm_fault_find(struct faultstate *fs)
{
	struct vm_object *first = fs->first_object;

	fs->first_lock = RLOCKED;
	if (!writes(fs) || !READ_ONCE(first->backing_object) || fault_guess_resident(fs)) {
		VM_OBJECT_RLOCK(first);
		if (writes(fs) && first->backing_object &&
		    !vm_page_lookup(first, fs->first_pindex)) {
			VM_OBJECT_RUNLOCK(first);
			fs->first_lock = WLOCKED;
		}
	} else {
		fs->first_lock = WLOCKED;
	}
	if (fs->first_lock == WLOCKED)
		VM_OBJECT_WLOCK(first);
	fault_walk(fs);
}

/* A page for page-in, busied and in its place; NULL when there is one, or no memory. */
static struct vm_page *fault_pagein_page(struct vm_object *object, vm_pindex_t pindex)
{
	struct vm_page *m;

	if (vm_page_lookup(object, pindex))
		return NULL;
	m = fault_alloc_page(object);
	if (!m)
		return NULL;
	vm_page_tryxbusy(m);
	if (!vm_page_insert(m, object, pindex))
		return m;
	vm_page_xunbusy(m);
	vm_page_free(m);
	return NULL;
}

/*
 * Take pages for a page-in from the pager of @object, which is locked
 * exclusively: the one that is needed, and those around it that are not there.
 */
static int fault_pagein_prepare(struct faultstate *fs, struct vm_object *object,
				const struct pagerops *ops)
{
	struct vm_fault_wait *fw = fs->fw;
	unsigned int behind, ahead, i;
	int before, after;
	struct vm_page *m;

	/* What was in swap may have gone meanwhile; a file may have ended before. */
	if (!ops->haspage(object, fs->pindex, &before, &after))
		return fault_zerofills(object) ? KERN_RESTART : KERN_OUT_OF_BOUNDS;
	fw->count = 0;
	fw->req = 0;
	m = fault_pagein_page(object, fs->pindex);
	if (!m)
		return KERN_RESOURCE_SHORTAGE;
	fw->ma[fw->count++] = m;

	/* Not what others wait for. */
	if (vm_free_count() < vm_dom.v_free_min)
		return KERN_SUCCESS;
	fault_read_window(fs, &behind, &ahead);
	behind = min_t(unsigned int, behind, before);
	ahead = min_t(unsigned int, ahead, after);
	for (i = 1; i <= behind; i++) {
		m = fault_pagein_page(object, fs->pindex - i);
		if (!m)
			break;
		memmove(&fw->ma[1], &fw->ma[0], fw->count * sizeof(fw->ma[0]));
		fw->ma[0] = m;
		fw->count++;
		fw->req++;
	}
	for (i = 1; i <= ahead; i++) {
		m = fault_pagein_page(object, fs->pindex + i);
		if (!m)
			break;
		fw->ma[fw->count++] = m;
	}
	return KERN_SUCCESS;
}

/* End the pass: the pager of @fs->object puts the page there itself. */
static int fault_populate(struct faultstate *fs)
{
	struct vm_object *object = fs->object;

	vm_object_reference(object);
	fs->fw->what = VM_FAULT_WAIT_POPULATE;
	fs->fw->object = object;
	fs->fw->pindex = fs->pindex;
	return fault_fail(fs, KERN_RESTART);
}

/* End the pass: the page must come from the pager of @fs->object. */
static int fault_pagein(struct faultstate *fs)
{
	struct vm_object *object = fs->object;
	struct vm_user *user;
	int rv = KERN_RESTART;

	fault_note_how(fs, BSDVM_FAULT_PAGEIN);
	if (vm_pager_ops(object)->populate)
		return fault_populate(fs);
	/*
	 * The map is still locked, so a file stays at the end of the chain while the
	 * object locks change; our reference keeps an anonymous object from being
	 * merged with its shadow.
	 */
	vm_object_reference(object);
	fault_unlock_objects(fs);
	fs->fw->what = VM_FAULT_WAIT_NONE;
	VM_OBJECT_WLOCK(object);
	/* Unless somebody else was faster. */
	if (!fault_page_at(object, fs->pindex)) {
		rv = fault_pagein_prepare(fs, object, vm_pager_ops(object));
		fault_dontneed_behind(fs, object);
	}
	VM_OBJECT_WUNLOCK(object);
	if (rv == KERN_SUCCESS) {
		fs->fw->what = VM_FAULT_WAIT_PAGEIN;
		fs->fw->object = object;
		VM_CNT_INC(v_io_faults);
		return fault_fail(fs, KERN_RESTART);
	}
	user = object->user;
	vm_object_deallocate_later(object);
	if (rv == KERN_RESOURCE_SHORTAGE)
		return fault_wait_memory(fs, user);
	return fault_fail(fs, rv);
}

/*
 * Put a fresh page into the first object, in place of @fs->m. A page that another
 * thread has put there meanwhile is taken instead.
 */
static __always_inline int fault_insert(struct faultstate *fs, struct vm_page *m)
{
	int ret;

	/* As others will find it, at once. */
	m->valid = 1;
	vm_page_enqueue(m, PQ_ACTIVE);
	ret = vm_page_insert_at(m, fs->first_object, fs->first_pindex, fs->leaf);
	if (ret) {
		vm_page_free(m);
		if (ret != -EEXIST)
			return fault_fail(fs, KERN_RESOURCE_SHORTAGE);
		fs->m = vm_page_lookup(fs->first_object, fs->first_pindex);
		return KERN_SUCCESS;
	}
	if (fs->object != fs->first_object)
		object_unlock(fs->object, &fs->object_lock);
	fs->object = fs->first_object;
	fs->pindex = fs->first_pindex;
	fs->m = m;
	return KERN_SUCCESS;
}

/*
 * Shared memory that is mapped privately has nothing there yet: the page goes into
 * the shared object, since a read may not part the two.
 */
static int fault_fill_shared(struct faultstate *fs)
{
	struct vm_object *object = fs->object;
	struct vm_page *m;
	int ret;

	/* Its shadow, the entry and the map's lock keep it where it is. */
	fault_unlock_objects(fs);
	m = fault_alloc_page(object);
	if (!m)
		return fault_wait_memory(fs, object->user);
	pmap_zero_page(m);
	m->valid = 1;
	VM_OBJECT_WLOCK(object);
	/* Smaller now, or what came meanwhile has gone to swap since: look again. */
	ret = -EEXIST;
	if (fault_visible(object, fs->pindex) && !vm_pager_has_page(object, fs->pindex))
		ret = vm_page_insert(m, object, fs->pindex);
	if (!ret)
		vm_page_enqueue(m, PQ_ACTIVE);
	VM_OBJECT_WUNLOCK(object);
	if (ret) {
		vm_page_free(m);
	} else {
		VM_CNT_INC(v_zfod);
		fault_note_how(fs, BSDVM_FAULT_ZERO);
	}
	fs->fw->what = VM_FAULT_WAIT_NONE;
	return fault_fail(fs, ret == -ENOMEM ? KERN_RESOURCE_SHORTAGE : KERN_RESTART);
}

/*
 * Nothing was found, and the page of zeroes shall hide what is behind the first object. That
 * was locked for no more than a look: lock it so that nobody can map what will be hidden,
 * and look again. Another thread may have been faster, here or, where the chain is shared,
 * further down: what it has mapped since may not be hidden unseen, nor what was paged out
 * since.
 */
static noinline int fault_find_again(struct faultstate *fs)
{
	VM_OBJECT_WLOCK(fs->first_object);
	fs->first_lock = WLOCKED;
	if (!fault_visible(fs->first_object, fs->first_pindex))
		/* Its end has come nearer meanwhile. */
		return fault_fail(fs, KERN_OUT_OF_BOUNDS);
	fs->pindex = fs->first_pindex;
	fault_walk(fs);
	return !fs->m && fault_paged_out(fs) ? fault_pagein(fs) : KERN_SUCCESS;
}

/*
 * Step 3, a page of zeroes: @m, unless NULL. Where there is nothing behind the first object,
 * that stays locked, shared: only another page can be in its place, and only one of those
 * who come at once gets there. Otherwise the page is zeroed with no object locked; the
 * map's lock keeps the chain's meaning.
 */
static int fault_zero(struct faultstate *fs, struct vm_page *m)
{
	int rv = KERN_SUCCESS;

	if (!m)
		m = fault_alloc_page(fs->first_object);
	if (!m)
		return fault_wait_memory(fs, fs->first_object->user);
	pmap_zero_page(m);
	if (fs->first_lock == UNLOCKED)
		rv = fault_find_again(fs);
	if (rv != KERN_SUCCESS || fs->m) {
		vm_page_free(m);
		return rv;
	}
	rv = fault_insert(fs, m);
	if (fs->m == m) {
		VM_CNT_INC(v_zfod);
		fault_note_how(fs, BSDVM_FAULT_ZERO);
	}
	return rv;
}

/* Step 3, a page of zeroes and as many more ahead of it, as far as they are easily had. */
static noinline int fault_zero_cluster(struct faultstate *fs)
{
	struct vm_page *ma[VM_FAULT_ZERO_MAX] __uninitialized;
	unsigned int count = vm_fault_zero_alloc(fs, ma), used = 1;
	int rv;

	rv = fault_zero(fs, count ? ma[0] : NULL);
	/* Nothing is behind the object, but something beside it may be in swap. */
	if (count > 1 && rv == KERN_SUCCESS && !vm_pager_swapped(fs->first_object))
		used += vm_fault_zero_ahead(fs, ma + 1, count - 1);
	if (used < count)
		vm_page_free_npages(ma + used, count - used);
	return rv;
}

/* Step 3, no page resident anywhere. */
static __always_inline int vm_fault_fill(struct faultstate *fs)
{
	if (!fault_zerofills(fs->object) || fault_paged_out(fs))
		return fault_pagein(fs);
	if (!fault_visible(fs->object, fs->pindex))
		return fault_fail(fs, KERN_OUT_OF_BOUNDS);
	if (!(fs->object->flags & OBJ_ANON) && fs->object != fs->first_object)
		return fault_fill_shared(fs);
	if (fs->object != fs->first_object)
		fault_unlock_objects(fs);
	else if (fault_in_sequence(fs))
		return fault_zero_cluster(fs);
	return fault_zero(fs, NULL);
}

/* Step 3, a write to a page below the first object. */
static __always_inline int vm_fault_cow(struct faultstate *fs)
{
	struct vm_object *first = fs->first_object;
	struct vm_page *m;
	int rv;

	if (fault_in_sequence(fs) && vm_fault_cow_cluster(fs))
		return KERN_SUCCESS;
	if (vm_fault_sole_owner(fs)) {
		if (fault_take_page(fs->m, first, fs->first_pindex))
			return fault_fail(fs, KERN_RESOURCE_SHORTAGE);
		object_unlock(fs->object, &fs->object_lock);
		fs->object = first;
		fs->pindex = fs->first_pindex;
		VM_CNT_INC(v_cow_optim);
		fault_note_how(fs, BSDVM_FAULT_TAKEOVER);
	} else {
		if (!vm_page_copyable(fs->m))
			return fault_fail(fs, KERN_PROTECTION_FAILURE);
		m = fault_alloc_page(first);
		if (!m)
			return fault_wait_memory(fs, first->user);
		pmap_copy_page(fs->m, m);
		vm_page_dirty(m);
		/*
		 * Other maps that share the first object may have mapped the page
		 * that is now hidden; they must come here again.
		 */
		if (!(first->flags & OBJ_ONEMAPPING))
			pmap_remove_all(fs->m);
		rv = fault_insert(fs, m);
		if (rv != KERN_SUCCESS)
			return rv;
		VM_CNT_INC(v_cow_faults);
		fault_note_how(fs, BSDVM_FAULT_COW);
	}
	fs->copied = true;
	return KERN_SUCCESS;
}

/*
 * After a copy, the last page may have been hidden that showed through, or the
 * last other user may be gone; or it had to be looked for far down: shorten the chain.
 * Not before the mapping of the hidden page was replaced, since collapsing frees hidden
 * pages.
 */
static __always_inline void fault_collapse(struct faultstate *fs)
{
	struct vm_object *first = fs->first_object;

	if (!fs->copied || !first->backing_object)
		return;
	if (first->resident_page_count == first->size ||
	    refcount_read(&first->backing_object->ref_count) == 1)
		vm_object_collapse(first);
	else if (fs->depth > VM_FAULT_DEPTH_MAX ||
		 (fs->depth > 1 && first->resident_page_count % VM_FAULT_DEPTH_PAYS == 0))
		vm_object_shorten(first);
}

/* The page is noted in too many places of the window: start them anew. */
static int fault_reclaim_pv(struct faultstate *fs)
{
	struct vm_object *object = fs->object;
	struct vm_page *m;

	vm_object_reference(object);
	fault_unlock_objects(fs);
	VM_OBJECT_WLOCK(object);
	m = vm_page_lookup(object, fs->pindex);
	if (m)
		pmap_pv_reclaim(fs->map->pmap, m);
	VM_OBJECT_WUNLOCK(object);
	vm_object_deallocate_later(object);
	fs->fw->what = VM_FAULT_WAIT_NONE;
	return fault_fail(fs, KERN_RESTART);
}

/*
 * Stores through this entry are not for the syncer, if they are the first since the page
 * was clean; once somebody stores who wants it, they are.
 */
static __always_inline void fault_note_nosync(const struct faultstate *fs)
{
	if (!(fs->entry->eflags & MAP_ENTRY_NOSYNC)) {
		if (test_bit(PGA_NOSYNC, &fs->m->aflags))
			clear_bit(PGA_NOSYNC, &fs->m->aflags);
	} else if (!vm_page_is_dirty(fs->m)) {
		set_bit(PGA_NOSYNC, &fs->m->aflags);
	}
}

/* Would the access have gone well already? Somebody else was faster, or memory is wired. */
static noinline void fault_note_spurious(const struct faultstate *fs)
{
	struct pmap *pmap = fs->map->pmap;
	unsigned int slot = pmap_mincore(pmap, fs->vaddr);

	if ((slot & MINCORE_INCORE) && pmap_extract(pmap, fs->vaddr) == fs->m->phys_addr &&
	    (!writes(fs) || (slot & MINCORE_MODIFIED)))
		fs->note->how |= BSDVM_FAULT_SPURIOUS;
}

/* Step 4. */
static __always_inline int vm_fault_enter(struct faultstate *fs, struct vm_page **m_hold)
{
	vm_prot_t prot = fs->prot;
	int rv;

	/*
	 * Writable only if it is the first object's page, and written now or dirty
	 * already: a clean page's first write must come here to make it dirty.
	 * (A copy was made dirty with its content.)
	 */
	if (fs->object != fs->first_object || (!writes(fs) && !vm_page_is_dirty(fs->m)))
		prot &= ~VM_PROT_WRITE;
	if (prot & VM_PROT_WRITE)
		fault_note_nosync(fs);
	if ((prot & VM_PROT_WRITE) && !vm_page_is_dirty(fs->m)) {
		/* Before what may fail: nothing is behind the page any more. */
		vm_pager_page_unswapped(fs->m);
		vm_object_note_write(fs->m);
		vm_page_dirty(fs->m);
	}
	if (fault_traced(fs))
		fault_note_spurious(fs);
	rv = pmap_enter_at(fs->map->pmap, fs->fw->md, fs->vaddr, fs->m, prot, fs->fault_type);
	if (rv == KERN_NO_SPACE)
		return fault_reclaim_pv(fs);
	if (rv == KERN_SUCCESS)
		fault_collapse(fs);
	if (rv == KERN_SUCCESS && m_hold) {
		vm_page_wire(fs->m);
		*m_hold = fs->m;
	}
	fault_unlock(fs);
	return rv;
}

/* Is this the first store to a page whose pager wants to know before? */
static __always_inline bool fault_unprepared(const struct faultstate *fs)
{
	return fs->object->type == OBJT_VNODE && fs->object == fs->first_object && writes(fs) &&
	       !test_bit(PGA_PREPARED, &fs->m->aflags);
}

/* End the pass: the pager must be told. */
static int fault_prepare_write(struct faultstate *fs)
{
	vm_object_reference(fs->object);
	vm_page_wire(fs->m);
	fs->fw->what = VM_FAULT_WAIT_PREPARE;
	fs->fw->object = fs->object;
	fs->fw->ma[0] = fs->m;
	return fault_fail(fs, KERN_RESTART);
}

/* In line: a frame of its own would cost each fault ten instructions. */
static __always_inline int fault_pass(struct vm_map *map, vm_offset_t vaddr, vm_prot_t fault_type,
				      struct vm_fault_wait *fw, struct vm_page **m_hold,
				      struct bsdvm_fault_trace *note)
{
	struct faultstate fs __uninitialized;
	int rv;

	fs.map = map;
	fs.vaddr = trunc_page(vaddr);
	fs.fault_type = fault_type;
	fs.fw = fw;
	fs.single = m_hold;
	fs.note = note;
	if (!fw->restarts++)
		VM_CNT_INC(v_vm_faults);
	fw->what = VM_FAULT_WAIT_NONE;

	rv = vm_fault_lookup(&fs);
	if (rv != KERN_SUCCESS)
		return rv;
	vm_fault_find(&fs);
	if (!fs.m)
		rv = vm_fault_fill(&fs);
	if (rv != KERN_SUCCESS)
		return rv;
	if (vm_page_busied(fs.m))
		return fault_wait_busy(&fs);
	if (writes(&fs) && fs.object != fs.first_object) {
		rv = vm_fault_cow(&fs);
		if (rv != KERN_SUCCESS)
			return rv;
	}
	if (fault_unprepared(&fs))
		return fault_prepare_write(&fs);
	return vm_fault_enter(&fs, m_hold);
}

static __always_inline int fault_try(struct vm_map *map, vm_offset_t vaddr, vm_prot_t fault_type,
				     struct vm_fault_wait *fw, struct vm_page **m_hold,
				     struct bsdvm_fault_trace *note)
{
	int rv = fault_pass(map, vaddr, fault_type, fw, m_hold, note);

	/*
	 * The kernel's records of it want pages as well. Some may have come free since; but
	 * then it may have been something else that was short, and will be.
	 */
	if (unlikely(rv == KERN_RESOURCE_SHORTAGE) &&
	    (vm_free_count() <= vm_dom.v_free_reserved ||
	     (vm_free_count() < vm_dom.v_free_target && fw->shortages++ < VM_FAULT_SHORTAGES))) {
		fw->what = VM_FAULT_WAIT_MEMORY;
		rv = KERN_RESTART;
	}
	return rv;
}

static noinline int fault_try_traced(struct vm_map *map, vm_offset_t vaddr, vm_prot_t fault_type,
				     struct vm_fault_wait *fw, struct vm_page **m_hold)
{
	struct bsdvm_fault_trace note = { .how = 0 };
	int rv;

	trace_bsdvm_fault_begin(vaddr, fault_type, fw->restarts);
	rv = fault_try(map, vaddr, fault_type, fw, m_hold, &note);
	trace_bsdvm_fault_end(vaddr, fault_type, &note, rv,
			      rv == KERN_RESTART ? fw->what : VM_FAULT_WAIT_NONE);
	return rv;
}

int vm_fault(struct vm_map *map, vm_offset_t vaddr, vm_prot_t fault_type, struct vm_fault_wait *fw,
	     struct vm_page **m_hold)
{
	if (vm_fault_tracing())
		return fault_try_traced(map, vaddr, fault_type, fw, m_hold);
	return fault_try(map, vaddr, fault_type, fw, m_hold, NULL);
}
EXPORT_SYMBOL_IF_KUNIT(vm_fault);

int vm_fault_wire(struct vm_map *map, vm_offset_t va, vm_prot_t prot, bool copy)
{
	struct vm_fault_wait fw = { .restarts = 0 };
	vm_prot_t fault_type = prot & VM_PROT_READ ? VM_PROT_READ : VM_PROT_EXECUTE;
	struct vm_page *m;
	int rv;

	if (copy)
		fault_type |= VM_PROT_COPY;
	do {
		if (pmap_pin(map->pmap))
			return KERN_FAILURE;
		rv = vm_fault(map, va, fault_type, &fw, &m);
		pmap_unpin(map->pmap);
		if (rv == KERN_RESTART)
			rv = vm_fault_wait(&fw);
	} while (rv == KERN_RESTART);
	if (rv == KERN_SUCCESS && fatal_signal_pending(current)) {
		vm_page_unwire(m, PQ_ACTIVE);
		rv = KERN_FAILURE;
	}
	cond_resched();
	return rv;
}
EXPORT_SYMBOL_IF_KUNIT(vm_fault_wire);
