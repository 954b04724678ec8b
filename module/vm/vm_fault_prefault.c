// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * vm_fault_prefault: resident pages around a read, mapped together.
 *
 * Nothing is brought in or made, and nobody is waited for: a lock that cannot be had at
 * once ends it, and the fault goes its own way.
 */
#include "vm_fault.h"

#include "pmap.h"
#include "trace.h"
#include "vm_fault_var.h"
#include "vm_page.h"
#include "vm_pager.h"
#include "vmmeter.h"

/* Pages around a read fault that are mapped with it: those of a leaf of the object's tree. */
#define VM_FAULT_AROUND		VM_RADIX_LEAF
/* How deep in a chain neighbours are looked for. */
#define VM_FAULT_AROUND_DEPTH	4

/* As many pages as the neighbours are, by their place: which of them are found already. */
typedef u64 around_t;
static_assert(VM_FAULT_AROUND <= 64);

/* What is in swap hides what is below it, too. */
static noinline void prefault_hide_swapped(struct vm_object *object, vm_pindex_t pindex,
					   unsigned int count, around_t *hidden)
{
	vm_pindex_t at = pindex;

	for (; vm_pager_ops(object)->next(object, &at, pindex + count); at++)
		*hidden |= BIT_ULL(at - pindex);
}

/* Gather what one object of a chain, which is locked, has in a window. */
static __always_inline void prefault_gather_object(struct vm_object *object, vm_pindex_t pindex,
						   unsigned int count, struct vm_page **ma,
						   around_t *hidden)
{
	void __rcu **place;
	unsigned int slot, run;
	struct vm_page *m;

	/* Two leaves where the object begins elsewhere in what it shadows. */
	for (slot = 0; slot < count; slot += run) {
		run = count - slot;
		place = vm_radix_run(&object->pages, pindex + slot, &run);
		for (unsigned int i = 0; place && i < run; i++) {
			m = vm_radix_run_entry(place + i);
			if (!m || (*hidden & BIT_ULL(slot + i)))
				continue;
			*hidden |= BIT_ULL(slot + i);
			if (m->valid && !vm_page_busied(m) && fault_visible(object, m->pindex))
				ma[slot + i] = m;
		}
	}
}

/*
 * Gather the pages that show through a window of a chain. @top is locked; what is
 * locked below it is noted in @locked.
 */
static unsigned int prefault_gather(struct vm_object *top, vm_pindex_t pindex, unsigned int count,
				    struct vm_page **ma, struct vm_object **locked)
{
	struct vm_object *object = top, *backing;
	unsigned int depth = 0;
	around_t hidden = 0;

	for (;;) {
		prefault_gather_object(object, pindex, count, ma, &hidden);
		backing = object->backing_object;
		if (!backing || depth == VM_FAULT_AROUND_DEPTH)
			return depth;
		if (vm_pager_swapped(object))
			prefault_hide_swapped(object, pindex, count, &hidden);
		if (hidden == GENMASK_ULL(count - 1, 0) || !VM_OBJECT_TRYRLOCK(backing))
			return depth;
		pindex += OFF_TO_IDX(object->backing_object_offset);
		locked[depth++] = backing;
		object = backing;
	}
}

/*
 * Map what is resident in the leaf of @pindex, a place in the object of an entry, below
 * its place @end. *served, unless NULL: whether @pindex is mapped. Returns how many
 * pages were mapped.
 */
static unsigned int prefault_entry(struct vm_map *map, struct vm_map_entry *entry,
				   vm_pindex_t pindex, vm_pindex_t end, bool *served)
{
	vm_pindex_t first = OFF_TO_IDX(entry->offset), leaf = ALIGN_DOWN(pindex, VM_FAULT_AROUND);
	vm_pindex_t start = max(leaf, first);
	struct vm_object *locked[VM_FAULT_AROUND_DEPTH], *top = entry->object;
	struct vm_page *ma[VM_FAULT_AROUND] __uninitialized;
	unsigned int count, depth, mapped = 0;

	if (served)
		*served = false;
	if (!VM_OBJECT_TRYRLOCK(top))
		return 0;
	count = min(end, leaf + VM_FAULT_AROUND) - start;
	memset(ma, 0, count * sizeof(ma[0]));
	depth = prefault_gather(top, start, count, ma, locked);
	if (!served || ma[pindex - start]) {
		mapped = pmap_enter_object(map->pmap, entry->start + ptoa(start - first), ma, count,
					   entry->protection & ~VM_PROT_WRITE);
		if (served)
			*served = ma[pindex - start];
	}
	while (depth)
		VM_OBJECT_RUNLOCK(locked[--depth]);
	VM_OBJECT_RUNLOCK(top);
	return mapped;
}

/* The place of an address in the object of an entry. */
static vm_pindex_t entry_pindex(const struct vm_map_entry *entry, vm_offset_t va)
{
	return OFF_TO_IDX(entry->offset) + atop(va - entry->start);
}

/* The next place at or behind @pindex where anything of a chain is resident. */
static bool chain_next_resident(struct vm_object *top, vm_pindex_t *pindex, vm_pindex_t last)
{
	struct vm_object *object = top, *backing;
	vm_pindex_t shift = 0, nearest = last + 1;
	unsigned long index;
	unsigned int level = 0;

	for (;;) {
		index = *pindex + shift;
		if (nearest > *pindex &&
		    xa_find(&object->pages, &index, nearest - 1 + shift, XA_PRESENT))
			nearest = index - shift;
		backing = object->backing_object;
		if (!backing || level++ == VM_FAULT_AROUND_DEPTH)
			break;
		shift += OFF_TO_IDX(object->backing_object_offset);
		VM_OBJECT_RLOCK_NESTED(backing, object == top ? VM_OBJECT_BACKING :
								VM_OBJECT_NEXT);
		if (object != top) {
			VM_OBJECT_RUNLOCK(object);
			VM_OBJECT_NEXT_IS_BACKING(backing);
		}
		object = backing;
	}
	if (object != top)
		VM_OBJECT_RUNLOCK(object);
	*pindex = nearest;
	return nearest <= last;
}

/* Activate and map what is resident of one entry's [start, end). */
static void willneed_entry(struct vm_map *map, struct vm_map_entry *entry, vm_offset_t start,
			   vm_offset_t end)
{
	vm_pindex_t pindex = entry_pindex(entry, start), last = entry_pindex(entry, end) - 1;
	struct vm_object *object = entry->object;
	bool more;

	vm_object_willneed(object, pindex, last + 1);
	for (;;) {
		VM_OBJECT_RLOCK(object);
		more = chain_next_resident(object, &pindex, last);
		VM_OBJECT_RUNLOCK(object);
		if (!more || fatal_signal_pending(current))
			break;
		prefault_entry(map, entry, pindex, last + 1, NULL);
		pindex = ALIGN_DOWN(pindex, VM_FAULT_AROUND) + VM_FAULT_AROUND;
		cond_resched();
	}
}

void vm_fault_willneed(struct vm_map *map, vm_offset_t start, vm_offset_t end)
{
	struct vm_map_entry *entry;

	vm_map_lock_read(map);
	entry = vm_map_lookup_entry_ge(map, start);
	for (; entry && entry->start < end; entry = vm_map_entry_succ(map, entry))
		if (entry->object && (entry->protection & (VM_PROT_READ | VM_PROT_EXECUTE)))
			willneed_entry(map, entry, max(start, entry->start),
				       min(end, entry->end));
	vm_map_unlock_read(map);
}
EXPORT_SYMBOL_IF_KUNIT(vm_fault_willneed);

/* What the tracepoint tells of a fault that was served with its neighbours. */
static noinline void fault_note_around(const struct vm_map_entry *entry, vm_offset_t vaddr,
				       struct bsdvm_fault_trace *note)
{
	note->start = entry->start;
	note->end = entry->end;
	/* Which of the chain's objects had the page is not known any more. */
	note->object = entry->object->id;
	note->pindex = entry_pindex(entry, vaddr);
}

static bool fault_around(struct vm_map *map, vm_offset_t vaddr, vm_prot_t fault_type,
			 struct bsdvm_fault_trace *note)
{
	struct vm_map_entry *entry;
	bool served = false;
	unsigned int mapped;

	if (!vm_map_trylock_read(map))
		return false;
	if (vm_map_lookup_entry(map, vaddr, &entry) && entry->object &&
	    !(fault_type & ~entry->protection)) {
		mapped = prefault_entry(map, entry, entry_pindex(entry, vaddr),
					entry_pindex(entry, entry->end), &served);
		if (served && mapped) {
			VM_CNT_INC(v_vm_faults);
			VM_CNT_ADD(v_prefault, mapped - 1);
		}
		if (trace_bsdvm_fault_end_enabled() && note)
			fault_note_around(entry, vaddr, note);
	}
	vm_map_unlock_read(map);
	return served;
}

static noinline bool fault_around_traced(struct vm_map *map, vm_offset_t vaddr,
					 vm_prot_t fault_type)
{
	struct bsdvm_fault_trace note = { .how = BSDVM_FAULT_AROUND };
	bool served;

	trace_bsdvm_fault_begin(vaddr, fault_type, 0);
	served = fault_around(map, vaddr, fault_type, &note);
	trace_bsdvm_fault_end(vaddr, fault_type, &note, served ? KERN_SUCCESS : KERN_RESTART,
			      VM_FAULT_WAIT_NONE);
	return served;
}

bool vm_fault_prefault(struct vm_map *map, vm_offset_t vaddr, vm_prot_t fault_type)
{
	if (vm_fault_tracing())
		return fault_around_traced(map, vaddr, fault_type);
	return fault_around(map, vaddr, fault_type, NULL);
}
