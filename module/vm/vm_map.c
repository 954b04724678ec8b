// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * vm_map: the sorted list of entries that an address space is.
 *
 * Two ideas carry the file. First, an operation on a range clips the entries at
 * its two ends so that it then works on whole entries, and merges neighbours
 * again afterwards; clipping is the only step that needs memory, it comes before
 * anything else changes, and merging takes it back when it fails half-way.
 * Second, every entry knows the gap below it and the largest gap of its subtree,
 * so that a free place is found by one descent.
 *
 * The map has four more files: vm_map_wire.c, vm_map_fork.c, vm_map_move.c,
 * vm_map_system.c.
 *
 *	  min          start  end        start  end                    max
 *	   |....gap....[ entry ]....gap....[ entry ]...................|
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

static inline struct vm_map_entry *rb_to_entry(struct rb_node *node)
{
	return rb_entry(node, struct vm_map_entry, rb);
}

static inline vm_size_t entry_own_gap(struct vm_map_entry *entry)
{
	return entry->gap;
}

RB_DECLARE_CALLBACKS_MAX(static, vm_map_gap_cb,
			 struct vm_map_entry, rb, vm_size_t, max_gap, entry_own_gap)

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

#ifdef BSDVM_DEBUG
static vm_size_t entry_max_gap(struct rb_node *node)
{
	return node ? rb_to_entry(node)->max_gap : 0;
}

void vm_map_assert_consistent(struct vm_map *map)
{
	vm_offset_t last = map->min_offset;
	struct vm_map_entry *entry;
	struct rb_node *node = rb_first(&map->root);
	vm_size_t size = 0, wired = 0, charge = 0;
	unsigned long n = 0;

	VM_MAP_ASSERT_LOCKED(map);
	VM_MAP_ENTRY_FOREACH(entry, map) {
		VM_ASSERT(node == &entry->rb);
		VM_ASSERT(entry->start >= last && entry->start < entry->end);
		VM_ASSERT(!((entry->start | entry->end | entry->offset) & VM_PAGE_MASK));
		VM_ASSERT(entry->gap == entry->start - last);
		VM_ASSERT(entry->max_gap == max3(entry->gap, entry_max_gap(node->rb_left),
						 entry_max_gap(node->rb_right)));
		VM_ASSERT(!(entry->protection & ~entry->max_protection));
		VM_ASSERT(!(entry->eflags & MAP_ENTRY_GUARD) || !entry->object);
		VM_ASSERT(!(entry->eflags & MAP_ENTRY_NEEDS_COPY) ||
			  (entry->eflags & MAP_ENTRY_COW));
		VM_ASSERT(!(entry->eflags & MAP_ENTRY_USER_WIRED) == !entry->wired_count);
		VM_ASSERT(!entry->wired_count || entry->object);
		VM_ASSERT(!entry->wired_count || !(entry->eflags & MAP_ENTRY_NEEDS_COPY));
		VM_ASSERT(!(entry->eflags & MAP_ENTRY_STACK_GAP) ||
			  (entry->eflags & MAP_ENTRY_GUARD));
		size += vm_map_entry_size(entry);
		if (entry->eflags & MAP_ENTRY_USER_WIRED)
			wired += entry->end - entry->start;
		if (entry->eflags & MAP_ENTRY_CHARGED)
			charge += entry->end - entry->start;
		last = entry->end;
		node = rb_next(node);
		n++;
	}
	VM_ASSERT(!node);
	VM_ASSERT(last <= map->max_offset);
	VM_ASSERT(n == map->nentries);
	VM_ASSERT(size == map->size);
	VM_ASSERT(wired == map->wired);
	VM_ASSERT(charge == map->charge);
}
EXPORT_SYMBOL_IF_KUNIT(vm_map_assert_consistent);
#else
void vm_map_assert_consistent(struct vm_map *map)
{
}
#endif

/* The entry's start, or its predecessor's end, has moved. */
static void vm_map_entry_gap_changed(struct vm_map *map, struct vm_map_entry *entry)
{
	struct vm_map_entry *pred;

	if (!entry)
		return;
	pred = vm_map_entry_pred(map, entry);
	entry->gap = entry->start - (pred ? pred->end : map->min_offset);
	vm_map_gap_cb.propagate(&entry->rb, NULL);
}

void vm_map_entry_link(struct vm_map *map, struct vm_map_entry *entry)
{
	struct rb_node **link = &map->root.rb_node, *parent = NULL;
	struct vm_map_entry *pred = NULL;

	VM_MAP_ASSERT_WLOCKED(map);
	while (*link) {
		parent = *link;
		if (entry->start < rb_to_entry(parent)->start) {
			link = &parent->rb_left;
		} else {
			pred = rb_to_entry(parent);
			link = &parent->rb_right;
		}
	}
	list_add(&entry->link, pred ? &pred->link : &map->header);
	entry->gap = entry->start - (pred ? pred->end : map->min_offset);
	entry->max_gap = 0;
	rb_link_node(&entry->rb, parent, link);
	vm_map_gap_cb.propagate(&entry->rb, NULL);
	rb_insert_augmented(&entry->rb, &map->root, &vm_map_gap_cb);
	vm_map_entry_gap_changed(map, vm_map_entry_succ(map, entry));
	map->nentries++;
}

void vm_map_entry_unlink(struct vm_map *map, struct vm_map_entry *entry)
{
	struct vm_map_entry *succ = vm_map_entry_succ(map, entry);

	VM_MAP_ASSERT_WLOCKED(map);
	rb_erase_augmented(&entry->rb, &map->root, &vm_map_gap_cb);
	list_del(&entry->link);
	vm_map_entry_gap_changed(map, succ);
	map->nentries--;
}

void vm_map_entry_resize(struct vm_map *map, struct vm_map_entry *entry, vm_offset_t start,
			 vm_offset_t end)
{
	VM_MAP_ASSERT_WLOCKED(map);
	entry->start = start;
	entry->end = end;
	vm_map_entry_gap_changed(map, entry);
	vm_map_entry_gap_changed(map, vm_map_entry_succ(map, entry));
}

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
	if (!swap_reserve(size))
		return false;
	map->charge += size;
	return true;
}

void vm_map_uncharge(struct vm_map *map, vm_size_t size)
{
	VM_MAP_ASSERT_WLOCKED(map);
	swap_release(size);
	map->charge -= size;
}

bool vm_map_lookup_entry(struct vm_map *map, vm_offset_t address, struct vm_map_entry **entry)
{
	struct rb_node *node = map->root.rb_node;
	struct vm_map_entry *cur;

	VM_MAP_ASSERT_LOCKED(map);
	*entry = NULL;
	while (node) {
		cur = rb_to_entry(node);
		if (address < cur->start) {
			node = node->rb_left;
			continue;
		}
		*entry = cur;
		if (address < cur->end)
			return true;
		node = node->rb_right;
	}
	return false;
}
EXPORT_SYMBOL_IF_KUNIT(vm_map_lookup_entry);

struct vm_map_entry *vm_map_lookup_entry_ge(struct vm_map *map, vm_offset_t address)
{
	struct vm_map_entry *entry;

	if (vm_map_lookup_entry(map, address, &entry))
		return entry;
	return entry ? vm_map_entry_succ(map, entry) : vm_map_entry_first(map);
}
EXPORT_SYMBOL_IF_KUNIT(vm_map_lookup_entry_ge);

vm_size_t vm_map_largest_free(struct vm_map *map)
{
	struct vm_map_entry *last;

	VM_MAP_ASSERT_LOCKED(map);
	if (list_empty(&map->header))
		return map->max_offset - map->min_offset;
	last = list_last_entry(&map->header, struct vm_map_entry, link);
	return max(rb_to_entry(map->root.rb_node)->max_gap, map->max_offset - last->end);
}

/* The lowest entry of a subtree, known to hold one, with a gap large enough. */
static struct vm_map_entry *vm_map_gap_leftmost(struct rb_node *node, vm_size_t length)
{
	for (;;) {
		while (node->rb_left && rb_to_entry(node->rb_left)->max_gap >= length)
			node = node->rb_left;
		if (rb_to_entry(node)->gap >= length)
			return rb_to_entry(node);
		node = node->rb_right;
	}
}

/* The next entry behind this one with a gap large enough below it. */
static struct vm_map_entry *vm_map_gap_next(struct vm_map_entry *entry, vm_size_t length)
{
	struct rb_node *node = &entry->rb, *parent;

	for (;;) {
		if (node->rb_right && rb_to_entry(node->rb_right)->max_gap >= length)
			return vm_map_gap_leftmost(node->rb_right, length);
		for (;;) {
			parent = rb_parent(node);
			if (!parent)
				return NULL;
			if (node == parent->rb_left)
				break;
			node = parent;
		}
		node = parent;
		if (rb_to_entry(node)->gap >= length)
			return rb_to_entry(node);
	}
}

/* The first place from an address on that is aligned; 0 when there is none. */
static vm_offset_t align_place(vm_offset_t from, vm_size_t align)
{
	vm_size_t power = rounddown_pow_of_two(align), colour = align - power;
	vm_offset_t place;

	if (from <= colour)
		return colour;
	place = ALIGN(from - colour, power) + colour;
	return place < from ? 0 : place;
}

/* Does [from, limit) hold length bytes at an aligned place? */
static bool gap_fits(vm_offset_t from, vm_offset_t limit, vm_size_t length, vm_size_t align,
		     vm_offset_t *addr)
{
	vm_offset_t place = align_place(from, align);

	if (place < from || place > limit || limit - place < length)
		return false;
	*addr = place;
	return true;
}

int vm_map_findspace(struct vm_map *map, vm_offset_t start, vm_size_t length, vm_size_t align,
		     vm_offset_t max, vm_offset_t *addr)
{
	struct vm_map_entry *entry, *pred;
	vm_offset_t from;

	VM_MAP_ASSERT_LOCKED(map);
	max = min(max, map->max_offset);
	from = max(start, map->min_offset);
	entry = vm_map_lookup_entry_ge(map, from);
	if (entry && entry->start <= from) {
		/* Inside an entry: the first gap is the one behind it. */
		from = entry->end;
		entry = vm_map_entry_succ(map, entry);
	}
	while (entry && from <= max) {
		if (gap_fits(from, min(entry->start, max), length, align, addr))
			return KERN_SUCCESS;
		entry = vm_map_gap_next(entry, length);
		if (!entry)
			break;
		pred = vm_map_entry_pred(map, entry);
		from = pred ? pred->end : map->min_offset;
	}
	if (!entry) {
		if (!list_empty(&map->header))
			from = max(from, list_last_entry(&map->header, struct vm_map_entry,
							 link)->end);
		if (gap_fits(from, max, length, align, addr))
			return KERN_SUCCESS;
	}
	return KERN_NO_SPACE;
}
EXPORT_SYMBOL_IF_KUNIT(vm_map_findspace);

/* May two neighbours be one entry? */
static bool vm_map_mergeable(const struct vm_map_entry *prev, const struct vm_map_entry *entry)
{
	return prev->end == entry->start && prev->object == entry->object &&
	       !(prev->eflags & MAP_ENTRY_NOMERGE) &&
	       (!prev->object || prev->offset + (prev->end - prev->start) == entry->offset) &&
	       prev->eflags == entry->eflags && prev->protection == entry->protection &&
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
	vm_map_entry_unlink(map, entry);
	prev->end = entry->end;
	vm_map_entry_gap_changed(map, vm_map_entry_succ(map, prev));
	/* prev holds a reference of its own, so this is never the last. */
	if (entry->object)
		vm_object_deallocate_later(entry->object);
	vm_map_entry_dispose(entry);
}

/* Merge all that can be merged from the entry at @start to the one at @end. */
void vm_map_simplify(struct vm_map *map, vm_offset_t start, vm_offset_t end)
{
	struct vm_map_entry *entry = vm_map_lookup_entry_ge(map, start), *next;

	while (entry && entry->start <= end) {
		next = vm_map_entry_succ(map, entry);
		vm_map_try_merge_entries(map, entry);
		entry = next;
	}
}

/* May the map have an entry more? They are the kernel's memory. */
static bool vm_map_has_room(const struct vm_map *map)
{
	return map->nentries < READ_ONCE(vm_max_proc_mmap);
}

/* Split @entry at @addr, which lies inside it; @entry keeps the upper part. */
static int vm_map_entry_clip(struct vm_map *map, struct vm_map_entry *entry, vm_offset_t addr)
{
	struct vm_map_entry *lower;

	VM_MAP_ASSERT_WLOCKED(map);
	lower = vm_map_has_room(map) ? vm_map_entry_create() : NULL;
	if (!lower)
		return KERN_RESOURCE_SHORTAGE;
	trace_bsdvm_map_clip(map->id, entry->start, entry->end, addr);
	*lower = *entry;
	lower->end = addr;
	if (entry->object) {
		vm_object_reference(entry->object);
		entry->offset += addr - entry->start;
	}
	entry->start = addr;
	vm_map_entry_link(map, lower);
	return KERN_SUCCESS;
}

/*
 * Clip so that every entry in [start, end) lies there wholly. When it fails the
 * map is as before.
 */
int vm_map_clip_range(struct vm_map *map, vm_offset_t start, vm_offset_t end)
{
	struct vm_map_entry *entry;
	int rv;

	if (vm_map_lookup_entry(map, start, &entry) && entry->start < start) {
		rv = vm_map_entry_clip(map, entry, start);
		if (rv != KERN_SUCCESS)
			return rv;
	}
	if (vm_map_lookup_entry(map, end, &entry) && entry->start < end) {
		rv = vm_map_entry_clip(map, entry, end);
		if (rv != KERN_SUCCESS) {
			vm_map_simplify(map, start, end);
			return rv;
		}
	}
	return KERN_SUCCESS;
}

static bool vm_map_range_valid(const struct vm_map *map, vm_offset_t start, vm_offset_t end)
{
	return start >= map->min_offset && end <= map->max_offset && start < end;
}

int vm_map_check_range(struct vm_map *map, vm_offset_t start, vm_offset_t end)
{
	struct vm_map_entry *entry = vm_map_lookup_entry_ge(map, start);
	int rv = KERN_SUCCESS;

	VM_MAP_ASSERT_LOCKED(map);
	for (; entry && entry->start < end; entry = vm_map_entry_succ(map, entry)) {
		if (entry->eflags & MAP_ENTRY_IMMUTABLE)
			return KERN_NO_ACCESS;
		if (entry->eflags & MAP_ENTRY_IN_TRANSITION)
			rv = KERN_RESTART;
	}
	return rv;
}

/* Fill @entry in and link it; its place must be free, and paid for. */
static void vm_map_insert_entry(struct vm_map *map, struct vm_map_entry *entry,
				struct vm_object *object, vm_ooffset_t offset, vm_offset_t start,
				vm_offset_t end, vm_prot_t prot, vm_prot_t max, int cow)
{
	entry->start = start;
	entry->end = end;
	entry->object = object;
	entry->offset = object ? offset : 0;
	entry->eflags = 0;
	if (cow & MAP_COPY_ON_WRITE)
		entry->eflags |= MAP_ENTRY_COW | MAP_ENTRY_NEEDS_COPY;
	if (cow & MAP_DISABLE_SYNCER)
		entry->eflags |= MAP_ENTRY_NOSYNC;
	if (cow & MAP_DISABLE_COREDUMP)
		entry->eflags |= MAP_ENTRY_NOCOREDUMP;
	if (cow & MAP_CREATE_GUARD)
		entry->eflags |= MAP_ENTRY_GUARD;
	if (cow & MAP_STACK_GROWS_DOWN)
		entry->eflags |= MAP_ENTRY_GROWS_DOWN;
	entry->protection = prot;
	entry->max_protection = max;
	entry->inheritance = cow & MAP_INHERIT_SHARE ? VM_INHERIT_SHARE : VM_INHERIT_DEFAULT;
	entry->stack_prot = VM_PROT_NONE;
	entry->stack_max = VM_PROT_NONE;
	entry->wired_count = 0;
	entry->read_ahead = 0;
	entry->zero_run = 0;
	entry->next_read = entry->start;
	vm_map_entry_link(map, entry);
	map->size += vm_map_entry_size(entry);
	vm_map_trace_insert(map, entry);
}

/**
 * struct insertion - what an insertion needs, had before anything changes
 * @entry: the entry
 * @gap: a stack's gap, or NULL
 * @size: bytes of memory that begin to exist at the top of the range
 * @charge: bytes of swap to reserve
 */
struct insertion {
	struct vm_map_entry *entry;
	struct vm_map_entry *gap;
	vm_size_t size;
	vm_size_t charge;
};

static void vm_map_insertion_drop(struct insertion *ins)
{
	vm_map_entry_dispose(ins->entry);
	vm_map_entry_dispose(ins->gap);
}

static int vm_map_insertion_prepare(const struct vm_map *map, struct insertion *ins,
				    struct vm_object *object, vm_size_t size, vm_prot_t prot,
				    int cow)
{
	vm_size_t guard = ptoa(READ_ONCE(vm_stack_guard_page));
	bool stack = cow & MAP_STACK_GROWS_DOWN;

	*ins = (struct insertion){ .size = size };
	if (stack) {
		if (size <= guard)
			return KERN_INVALID_ARGUMENT;
		ins->size = min(size - guard, round_page(READ_ONCE(vm_sgrowsiz)));
	}
	/* What others can reach as well is charged to the object, if to anyone. */
	if ((prot & VM_PROT_WRITE) && (!object || (cow & MAP_COPY_ON_WRITE)))
		ins->charge = ins->size;
	ins->entry = vm_map_has_room(map) ? vm_map_entry_create() : NULL;
	if (ins->size < size)
		ins->gap = vm_map_entry_create();
	if (ins->entry && (ins->gap || ins->size == size))
		return KERN_SUCCESS;
	vm_map_insertion_drop(ins);
	return KERN_RESOURCE_SHORTAGE;
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
	vm_map_entry_unlink(map, entry);
	prev->end = entry->end;
	vm_map_entry_gap_changed(map, vm_map_entry_succ(map, prev));
	vm_map_entry_dispose(entry);
	return true;
}

/* Insert what was prepared and charged. Cannot fail. */
static void vm_map_insertion_commit(struct vm_map *map, struct insertion *ins,
				    struct vm_object *object, vm_ooffset_t offset,
				    vm_offset_t start, vm_offset_t end, vm_prot_t prot,
				    vm_prot_t max, int cow)
{
	vm_offset_t low = end - ins->size;

	if (ins->gap) {
		vm_map_insert_entry(map, ins->gap, NULL, 0, start, low, VM_PROT_NONE, VM_PROT_NONE,
				    MAP_CREATE_GUARD | (cow & MAP_DISABLE_COREDUMP));
		ins->gap->eflags |= MAP_ENTRY_STACK_GAP;
		ins->gap->stack_prot = prot;
		ins->gap->stack_max = max;
	}
	vm_map_insert_entry(map, ins->entry, object, offset, low, end, prot, max, cow);
	if (ins->charge)
		ins->entry->eflags |= MAP_ENTRY_CHARGED;
	if (object && vm_object_sized(object) && (max & VM_PROT_WRITE) &&
	    !(cow & MAP_COPY_ON_WRITE))
		ins->entry->eflags |= MAP_ENTRY_WRITECNT;
	vm_map_entry_writecnt(ins->entry);
	vm_map_try_extend(map, ins->entry);
	vm_map_simplify(map, start, end);
	vm_map_assert_consistent(map);
}

int vm_map_insert(struct vm_map *map, struct vm_object *object, vm_ooffset_t offset,
		  vm_offset_t start, vm_offset_t end, vm_prot_t prot, vm_prot_t max, int cow)
{
	struct vm_map_entry *entry;
	struct insertion ins;
	int rv;

	VM_MAP_ASSERT_WLOCKED(map);
	if (!vm_map_range_valid(map, start, end))
		return KERN_INVALID_ADDRESS;
	if (prot & ~max)
		return KERN_INVALID_ARGUMENT;
	entry = vm_map_lookup_entry_ge(map, start);
	if (entry && entry->start < end)
		return KERN_NO_SPACE;
	rv = vm_map_insertion_prepare(map, &ins, object, end - start, prot, cow);
	if (rv != KERN_SUCCESS)
		return rv;
	if (!vm_map_charge(map, ins.charge)) {
		vm_map_insertion_drop(&ins);
		return KERN_RESOURCE_SHORTAGE;
	}
	vm_map_insertion_commit(map, &ins, object, offset, start, end, prot, max, cow);
	return KERN_SUCCESS;
}
EXPORT_SYMBOL_IF_KUNIT(vm_map_insert);

int vm_map_find(struct vm_map *map, struct vm_object *object, vm_ooffset_t offset,
		vm_offset_t *addr, vm_size_t length, vm_size_t align, vm_offset_t max_addr,
		vm_prot_t prot, vm_prot_t max, int cow)
{
	vm_offset_t place;
	int rv;

	vm_map_lock(map);
	rv = vm_map_findspace(map, *addr, length, align, max_addr, &place);
	if (rv == KERN_NO_SPACE && *addr > map->min_offset)
		rv = vm_map_findspace(map, map->min_offset, length, align, max_addr, &place);
	if (rv == KERN_SUCCESS)
		rv = vm_map_insert(map, object, offset, place, place + length, prot, max, cow);
	vm_map_unlock(map);
	if (rv == KERN_SUCCESS)
		*addr = place;
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

void vm_map_delete_clipped(struct vm_map *map, vm_offset_t start, vm_offset_t end,
			   struct list_head *deferred)
{
	struct vm_map_entry *entry = vm_map_lookup_entry_ge(map, start), *next;

	VM_MAP_ASSERT_WLOCKED(map);
	if (!entry || entry->start >= end)
		return;
	pmap_remove(map->pmap, start, end);
	for (; entry && entry->start < end; entry = next) {
		next = vm_map_entry_succ(map, entry);
		if (entry->wired_count)
			vm_map_entry_unwire(map, entry);
		vm_map_trace_delete(map, entry);
		vm_map_entry_unlink(map, entry);
		map->size -= vm_map_entry_size(entry);
		if (entry->eflags & MAP_ENTRY_CHARGED)
			vm_map_uncharge(map, entry->end - entry->start);
		vm_map_entry_release_writecnt(entry);
		if (entry->object)
			vm_map_entry_free_pages(entry);
		list_add_tail(&entry->link, deferred);
		cond_resched();
	}
}

int vm_map_remove(struct vm_map *map, vm_offset_t start, vm_offset_t end,
		  struct list_head *deferred)
{
	int rv;

	vm_map_lock(map);
	rv = vm_map_check_range(map, start, end);
	if (rv == KERN_SUCCESS)
		rv = vm_map_clip_range(map, start, end);
	if (rv == KERN_SUCCESS)
		vm_map_delete_clipped(map, start, end, deferred);
	vm_map_assert_consistent(map);
	vm_map_unlock(map);
	return rv;
}
EXPORT_SYMBOL_IF_KUNIT(vm_map_remove);

void vm_map_remove_all(struct vm_map *map, struct list_head *deferred)
{
	vm_map_lock(map);
	vm_map_delete_clipped(map, map->min_offset, map->max_offset, deferred);
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

/* Swap reserved for entries of [start, end), which is clipped. */
static vm_size_t vm_map_charged(struct vm_map *map, vm_offset_t start, vm_offset_t end)
{
	struct vm_map_entry *entry = vm_map_lookup_entry_ge(map, start);
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
	struct insertion ins;
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
	rv = vm_map_insertion_prepare(map, &ins, object, length, prot, cow);
	if (rv != KERN_SUCCESS)
		return rv;
	vm_map_lock(map);
	rv = vm_map_check_range(map, start, end);
	if (rv == KERN_SUCCESS)
		rv = vm_map_clip_range(map, start, end);
	if (rv == KERN_SUCCESS) {
		/* What is replaced pays for what replaces it. */
		old = vm_map_charged(map, start, end);
		if (swap_reserve(ins.charge > old ? ins.charge - old : 0)) {
			map->charge += ins.charge;
			swap_reserve_force(min(ins.charge, old));
			vm_map_delete_clipped(map, start, end, deferred);
			vm_map_insertion_commit(map, &ins, object, offset, start, end, prot, max,
						cow);
		} else {
			vm_map_simplify(map, start, end);
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
static int vm_map_protect_check(struct vm_map *map, vm_offset_t start, vm_offset_t end,
				vm_prot_t wanted, vm_prot_t new_prot, vm_size_t *charge)
{
	struct vm_map_entry *entry = vm_map_lookup_entry_ge(map, start);
	int rv = vm_map_check_range(map, start, end);

	*charge = 0;
	for (; rv == KERN_SUCCESS && entry && entry->start < end;
	     entry = vm_map_entry_succ(map, entry)) {
		if (entry->eflags & MAP_ENTRY_GUARD)
			continue;
		if (wanted & ~entry->max_protection)
			rv = KERN_PROTECTION_FAILURE;
		if ((new_prot & VM_PROT_WRITE) && vm_map_entry_wants_charge(entry))
			*charge += min(entry->end, end) - max(entry->start, start);
	}
	return rv;
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
	 * A fetch from a page that is mapped without EXEC never reaches vm_fault():
	 * Linux takes it for an error. So such pages must go.
	 */
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
	struct vm_map_entry *entry;
	vm_prot_t wanted = 0;
	vm_size_t charge;
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

	vm_map_lock(map);
	rv = vm_map_protect_check(map, start, end, wanted, new_prot, &charge);
	if (rv == KERN_SUCCESS)
		rv = vm_map_clip_range(map, start, end);
	if (rv == KERN_SUCCESS && !vm_map_charge(map, charge)) {
		vm_map_simplify(map, start, end);
		rv = KERN_RESOURCE_SHORTAGE;
	}
	if (rv != KERN_SUCCESS)
		goto unlock;

	entry = vm_map_lookup_entry_ge(map, start);
	for (; entry && entry->start < end; entry = vm_map_entry_succ(map, entry)) {
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
	vm_map_simplify(map, start, end);
	vm_map_assert_consistent(map);
unlock:
	vm_map_unlock(map);
	return rv;
}
EXPORT_SYMBOL_IF_KUNIT(vm_map_protect);

/* Is anything in [start, end) immutable? */
static bool vm_map_range_immutable(struct vm_map *map, vm_offset_t start, vm_offset_t end)
{
	return vm_map_check_range(map, start, end) == KERN_NO_ACCESS;
}

int vm_map_inherit(struct vm_map *map, vm_offset_t start, vm_offset_t end,
		   vm_inherit_t new_inheritance)
{
	struct vm_map_entry *entry;
	int rv;

	if (new_inheritance > VM_INHERIT_ZERO)
		return KERN_INVALID_ARGUMENT;
	if (start >= end)
		return KERN_SUCCESS;

	vm_map_lock(map);
	rv = vm_map_range_immutable(map, start, end) ? KERN_NO_ACCESS :
						       vm_map_clip_range(map, start, end);
	if (rv == KERN_SUCCESS) {
		entry = vm_map_lookup_entry_ge(map, start);
		for (; entry && entry->start < end; entry = vm_map_entry_succ(map, entry)) {
			if ((entry->eflags & MAP_ENTRY_GUARD) && new_inheritance == VM_INHERIT_ZERO)
				continue;
			entry->inheritance = new_inheritance;
		}
		vm_map_simplify(map, start, end);
	}
	vm_map_assert_consistent(map);
	vm_map_unlock(map);
	return rv;
}
EXPORT_SYMBOL_IF_KUNIT(vm_map_inherit);

int vm_map_immutable(struct vm_map *map, vm_offset_t start, vm_offset_t end)
{
	struct vm_map_entry *entry;
	int rv;

	if (start >= end)
		return KERN_SUCCESS;
	vm_map_lock(map);
	rv = vm_map_clip_range(map, start, end);
	if (rv == KERN_SUCCESS) {
		entry = vm_map_lookup_entry_ge(map, start);
		for (; entry && entry->start < end; entry = vm_map_entry_succ(map, entry))
			entry->eflags |= MAP_ENTRY_IMMUTABLE;
		vm_map_simplify(map, start, end);
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
	struct vm_map_entry *entry;
	int rv;

	vm_map_lock(map);
	rv = vm_map_clip_range(map, start, end);
	if (rv == KERN_SUCCESS) {
		entry = vm_map_lookup_entry_ge(map, start);
		for (; entry && entry->start < end; entry = vm_map_entry_succ(map, entry))
			entry->eflags = (entry->eflags & ~clear) | set;
		vm_map_simplify(map, start, end);
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
	if (advice == VM_ADVICE_FREE && vm_map_range_immutable(map, start, end))
		rv = KERN_NO_ACCESS;
	entry = rv == KERN_SUCCESS ? vm_map_lookup_entry_ge(map, start) : NULL;
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

	object = vm_object_allocate_anon(OFF_TO_IDX(entry->end - entry->start));
	if (!object)
		return KERN_RESOURCE_SHORTAGE;
	entry->object = object;
	entry->offset = 0;
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
static int vm_map_lookup_locked(struct vm_map *map, vm_offset_t vaddr, vm_prot_t fault_type,
				bool *exclusive, struct vm_map_entry **out_entry)
{
	struct vm_map_entry *entry;
	bool copy;
	int rv;

	if (!vm_map_lookup_entry(map, vaddr, &entry))
		return KERN_INVALID_ADDRESS;
	if (unlikely(entry->eflags & MAP_ENTRY_STACK_GAP)) {
		if (!*exclusive) {
			*exclusive = true;
			return KERN_RESTART;
		}
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

	copy = (entry->eflags & MAP_ENTRY_NEEDS_COPY) &&
	       (fault_type & (VM_PROT_WRITE | VM_PROT_COPY));
	if (entry->object && !copy)
		return KERN_SUCCESS;
	if (!*exclusive) {
		*exclusive = true;
		return KERN_RESTART;
	}
	if (copy && entry->object) {
		rv = vm_map_entry_make_shadow(entry);
	} else {
		rv = vm_map_entry_make_object(entry);
		/* Nothing is shared with anyone, so nothing needs copying. */
		entry->eflags &= ~MAP_ENTRY_NEEDS_COPY;
	}
	return rv;
}

int vm_map_lookup(struct vm_map *map, vm_offset_t vaddr, vm_prot_t fault_type,
		  struct vm_map_entry **out_entry, struct vm_object **object, vm_pindex_t *pindex,
		  vm_prot_t *out_prot)
{
	struct vm_map_entry *entry = NULL;
	bool exclusive = false;
	int rv;

	vm_map_lock_read(map);
	rv = vm_map_lookup_locked(map, vaddr, fault_type, &exclusive, &entry);
	if (rv == KERN_RESTART) {
		vm_map_unlock_read(map);
		vm_map_lock(map);
		rv = vm_map_lookup_locked(map, vaddr, fault_type, &exclusive, &entry);
		if (rv == KERN_SUCCESS)
			vm_map_lock_downgrade(map);
		else
			vm_map_unlock(map);
	} else if (rv != KERN_SUCCESS) {
		vm_map_unlock_read(map);
	}
	if (rv != KERN_SUCCESS)
		return rv;

	*out_entry = entry;
	*object = entry->object;
	*pindex = OFF_TO_IDX(entry->offset + (vaddr - entry->start));
	*out_prot = entry->protection;
	if (entry->eflags & MAP_ENTRY_NEEDS_COPY)
		*out_prot &= ~VM_PROT_WRITE;
	return KERN_SUCCESS;
}
EXPORT_SYMBOL_IF_KUNIT(vm_map_lookup);
