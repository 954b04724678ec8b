// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * vm_swapout: whole address spaces, out of memory and in again.
 *
 * Out: the mark comes first, so that who faults from then on waits; then the mappings
 * go, then the pages are put where the pageout daemon looks first. A fault that was under
 * way may map a page again: that one stays longer, no more.
 *
 * In: who waits for his vmspace stands in one queue, ordered by when the vmspaces went
 * out. The first of it goes in when there are pages, or when it has waited for
 * VM_SWAPIN_PATIENCE; then the next may. Waiters look for themselves, a few times a
 * second: there is no thread that could be held up.
 *
 * Lock: swapin_lock guards the queue; a leaf.
 */
#include "vm_swapout.h"

#include "pmap.h"
#include "vm_object.h"
#include "vm_page.h"

unsigned int vm_swap_idle_threshold1 = 2;
unsigned int vm_swap_idle_threshold2 = 10;

/* Longest wait of the first in the queue, and how often it looks; jiffies. */
#define VM_SWAPIN_PATIENCE	(10 * HZ)
#define VM_SWAPIN_PERIOD	(HZ / 10)

static LIST_HEAD(swapin_queue);
static DEFINE_SPINLOCK(swapin_lock);
static DECLARE_WAIT_QUEUE_HEAD(swapin_wait);
/* When the last one was let in, jiffies; 0: never. */
static unsigned long swapin_last;

unsigned long vm_swapout_idle(struct vmspace *vm, u64 ran)
{
	if (vm->vm_ran != ran || vm_swapped_out(vm)) {
		vm->vm_ran = ran;
		vm->vm_ran_at = jiffies;
	}
	return (jiffies - vm->vm_ran_at) / HZ;
}

/* Send what can be seen of the map's objects to where pages are taken from. */
static void vm_swapout_map_deactivate_pages(struct vm_map *map)
{
	struct vm_map_entry *entry;

	VM_MAP_ENTRY_FOREACH(entry, map) {
		if (!entry->object || entry->wired_count)
			continue;
		vm_object_dontneed(entry->object, OFF_TO_IDX(entry->offset),
				   OFF_TO_IDX(entry->offset + (entry->end - entry->start)));
		cond_resched();
	}
}

bool vm_swapout_out(struct vmspace *vm)
{
	struct vm_map *map = &vm->vm_map;

	if (vm_swapped_out(vm) || !pmap_trypin(map->pmap))
		return false;
	if (!vm_map_trylock_read(map)) {
		pmap_unpin_async(map->pmap);
		return false;
	}
	vm->vm_swapped_at = jiffies;
	WRITE_ONCE(vm->vm_swapped, true);
	pmap_remove(map->pmap, map->min_offset, map->max_offset);
	vm_swapout_map_deactivate_pages(map);
	vm_map_unlock_read(map);
	pmap_unpin_async(map->pmap);
	vm->vm_nswap++;
	VM_CNT_INC(v_vmspace_swapout);
	return true;
}

/* Stand in the queue; all threads that wait for the vmspace have one place there. */
static void swapin_enqueue(struct vmspace *vm)
{
	struct vmspace *other;

	spin_lock(&swapin_lock);
	if (!vm->vm_swapwaiters++) {
		list_for_each_entry(other, &swapin_queue, vm_swapq)
			if (time_after(other->vm_swapped_at, vm->vm_swapped_at))
				break;
		/* Before the first that went out later, or at the end. */
		list_add_tail(&vm->vm_swapq, &other->vm_swapq);
		vm->vm_wanted_at = jiffies;
	}
	spin_unlock(&swapin_lock);
}

static void swapin_dequeue(struct vmspace *vm)
{
	spin_lock(&swapin_lock);
	if (!--vm->vm_swapwaiters)
		list_del_init(&vm->vm_swapq);
	spin_unlock(&swapin_lock);
	/* The next may be the first now. */
	wake_up_all(&swapin_wait);
}

/* Let the vmspace in if it is its turn. Returns whether it is in. */
static bool swapin_try(struct vmspace *vm)
{
	bool first, room, late;

	if (!vm_swapped_out(vm))
		return true;
	spin_lock(&swapin_lock);
	first = list_first_entry(&swapin_queue, struct vmspace, vm_swapq) == vm;
	/* One at a time: the last one's pages have to come first. */
	room = vm_free_count() >= vm_dom.v_free_min &&
	       time_after_eq(jiffies, swapin_last + VM_SWAPIN_PERIOD);
	late = time_after(jiffies, vm->vm_wanted_at + VM_SWAPIN_PATIENCE);
	if (vm_swapped_out(vm) && ((first && room) || late)) {
		swapin_last = jiffies;
		vm->vm_ran_at = jiffies;
		WRITE_ONCE(vm->vm_swapped, false);
		VM_CNT_INC(v_vmspace_swapin);
	}
	spin_unlock(&swapin_lock);
	return !vm_swapped_out(vm);
}

int vm_swapin_wait(struct vmspace *vm)
{
	long left = 0;

	swapin_enqueue(vm);
	while (!left)
		left = wait_event_killable_timeout(swapin_wait, swapin_try(vm), VM_SWAPIN_PERIOD);
	swapin_dequeue(vm);
	return left < 0 ? -EINTR : 0;
}
