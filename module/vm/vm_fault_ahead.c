// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * vm_fault_ahead: pages that are made ahead of stores in order of address.
 *
 *	first_object   [ 1 2 3 ... 8 * + + + + . . ]
 *	                 made before ^ ^ with it
 *
 * Who goes on where pages have just been made will want the next ones. What was made
 * before is seen in the tree of the first object: nothing need be written down, so threads
 * that work side by side neither disturb each other's sequences nor share a cache line.
 * Half as many come ahead as stand before: what nobody ever touches is a third at the most.
 * MADV_SEQUENTIAL is taken at its word, MADV_RANDOM too.
 *
 * Nothing comes ahead when somebody else may want the memory, beyond the entry, or beyond
 * a leaf of the tree, where it would not be cheap.
 */
#include "vm_fault.h"

#include "pmap.h"
#include "vm_fault_var.h"
#include "vm_object_var.h"
#include "vm_page.h"
#include "vm_user.h"
#include "vmmeter.h"

/* Pages that stand in a row before that of the fault, no more than @max. */
static unsigned int fault_run(const struct faultstate *fs, unsigned int max)
{
	max = min_t(u64, max, atop(fs->vaddr - fs->entry->start));
	return vm_radix_run_before(&fs->first_object->pages, fs->first_pindex, max);
}

/* Places in a row behind that of the fault where nothing stands, no more than @max. */
static unsigned int fault_room(const struct faultstate *fs, unsigned int max)
{
	unsigned int room = max, i;
	void __rcu **place;

	if (!max)
		return 0;
	place = vm_radix_run(&fs->first_object->pages, fs->first_pindex + 1, &room);
	for (i = 0; place && i < room; i++)
		if (rcu_access_pointer(place[i]))
			return i;
	return room;
}

/* How many pages shall come ahead, where @max come at once. */
static unsigned int fault_ahead(const struct faultstate *fs, unsigned int max)
{
	struct vm_map_entry *entry = fs->entry;
	unsigned int ahead = max - 1, run;

	if ((entry->eflags & MAP_ENTRY_BEHAV_RANDOM) || !writes(fs) || !fs->map->pmap)
		return 0;
	if (!(entry->eflags & MAP_ENTRY_BEHAV_SEQ)) {
		run = 1 + fault_run(fs, 2 * max);
		if (run < VM_FAULT_RUN_MIN)
			return 0;
		ahead = min(ahead, run / 2);
	}
	ahead = min_t(unsigned int, ahead, VM_RADIX_LEAF - 1 - fs->first_pindex % VM_RADIX_LEAF);
	ahead = min_t(u64, ahead, atop(entry->end - fs->vaddr) - 1);
	return fault_room(fs, ahead);
}

/* May pages be had that nobody has asked for? Not when somebody else may want them. */
static bool fault_may_cluster(const struct faultstate *fs, unsigned int pages)
{
	return vm_free_count() >= vm_dom.v_free_target + pages &&
	       vm_user_has_room(fs->first_object->user, pages);
}

/* Is there a page table? Where there is none they could not be mapped. */
static bool fault_can_map(const struct faultstate *fs)
{
	return pmap_is_prefaultable(fs->map->pmap, fs->vaddr) ||
	       pmap_extract(fs->map->pmap, fs->vaddr);
}

/* Put pages into the first object, up to where something is, and return how many. */
static unsigned int fault_insert_run(struct vm_object *first, vm_pindex_t pindex,
				     struct vm_page **ma, unsigned int n)
{
	unsigned int done = 0, now;

	while (done < n) {
		now = vm_page_insert_npages(ma + done, n - done, first, pindex + done);
		/* The leaf is yet to be made, or something is in the way. */
		if (!now)
			now = !vm_page_insert(ma[done], first, pindex + done);
		if (!now)
			break;
		done += now;
	}
	return done;
}

/* --- zeroes */

unsigned int vm_fault_zero_alloc(const struct faultstate *fs, struct vm_page **ma)
{
	unsigned int ahead = fault_ahead(fs, VM_FAULT_ZERO_MAX), count, i;

	if (!ahead || !fault_may_cluster(fs, ahead + 1) || !fault_can_map(fs))
		return 0;
	count = vm_page_alloc_npages(ma, ahead + 1);
	for (i = 1; i < count; i++)
		pmap_zero_page(ma[i]);
	return count;
}

unsigned int vm_fault_zero_ahead(struct faultstate *fs, struct vm_page **ma, unsigned int count)
{
	unsigned int i, mapped;

	for (i = 0; i < count; i++)
		ma[i]->valid = 1;
	vm_page_enqueue_npages(ma, count, PQ_ACTIVE);
	count = fault_insert_run(fs->first_object, fs->first_pindex + 1, ma, count);
	VM_CNT_ADD(v_zfod, count);
	mapped = pmap_enter_object(fs->map->pmap, fs->vaddr + VM_PAGE_SIZE, ma, count, fs->prot);
	VM_CNT_ADD(v_prefault, mapped);
	return count;
}

/* --- copies */

/*
 * The page of the fault and those behind it in the same object, as far as they could be
 * copied at once: resident, nobody's for now, and not hidden.
 */
static unsigned int fault_gather_run(const struct faultstate *fs, struct vm_page **ma,
				     unsigned int max)
{
	struct vm_page *m = fs->m;
	unsigned int i = 0;

	while (m && m->valid && !vm_page_busied(m) && vm_page_copyable(m)) {
		ma[i++] = m;
		if (i == max || vm_object_has(fs->first_object, fs->first_pindex + i))
			break;
		m = fault_page_at(fs->object, fs->pindex + i);
	}
	return i;
}

/* Put copies into the first object, and into @ma instead of what was copied. */
static unsigned int fault_copy_run(struct faultstate *fs, struct vm_page **ma, unsigned int n)
{
	struct vm_page *new[VM_FAULT_COPY_MAX] __uninitialized;
	unsigned int i, done;

	n = vm_page_alloc_npages(new, n);
	for (i = 0; i < n; i++) {
		pmap_copy_page(ma[i], new[i]);
		new[i]->valid = 1;
		vm_page_dirty(new[i]);
	}
	done = fault_insert_run(fs->first_object, fs->first_pindex, new, n);
	vm_page_enqueue_npages(new, done, PQ_ACTIVE);
	if (done < n)
		vm_page_free_npages(new + done, n - done);
	memcpy(ma, new, done * sizeof(ma[0]));
	return done;
}

/* Move pages up into the first object, up to one that is wired where it is. */
static unsigned int fault_take_run(struct faultstate *fs, struct vm_page **ma, unsigned int n)
{
	unsigned int i;

	for (i = 0; i < n && !vm_page_wired(ma[i]); i++)
		if (fault_take_page(ma[i], fs->first_object, fs->first_pindex + i))
			break;
	return i;
}

bool vm_fault_cow_cluster(struct faultstate *fs)
{
	struct vm_page *ma[VM_FAULT_COPY_MAX] __uninitialized;
	unsigned int n = 1 + fault_ahead(fs, VM_FAULT_COPY_MAX), mapped;
	struct vm_object *first = fs->first_object;
	bool take;

	/*
	 * What lies between the two objects may hide pages, and is not locked. Where other
	 * maps share the first object they may have mapped each of the old pages.
	 */
	if (n == 1 || fs->object != first->backing_object || !(first->flags & OBJ_ONEMAPPING) ||
	    !fault_may_cluster(fs, n) || !fault_can_map(fs))
		return false;
	n = fault_gather_run(fs, ma, n);
	if (n < 2)
		return false;
	take = vm_fault_sole_owner(fs);
	n = take ? fault_take_run(fs, ma, n) : fault_copy_run(fs, ma, n);
	if (!n)
		return false;
	fs->m = ma[0];
	/* The page of the fault is entered again, as one that was used. */
	mapped = pmap_enter_copies(fs->map->pmap, fs->vaddr, ma, n, fs->prot);
	VM_CNT_ADD(v_prefault, mapped ? mapped - 1 : 0);
	object_unlock(fs->object, &fs->object_lock);
	fs->object = first;
	fs->pindex = fs->first_pindex;
	fs->copied = true;
	if (take)
		VM_CNT_INC(v_cow_optim);
	else
		VM_CNT_INC(v_cow_faults);
	fault_note_how(fs, take ? BSDVM_FAULT_TAKEOVER : BSDVM_FAULT_COW);
	return true;
}
