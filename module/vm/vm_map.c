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
 *	  min          start  end        start  end                    max
 *	   |....gap....[ entry ]....gap....[ entry ]...................|
 *
 * Lock order: vm_map.lock, parent before fork child, then object locks.
 */
#include "vm_map.h"

#include "pmap.h"

static struct kmem_cache *mapentzone;

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
	mapentzone = kmem_cache_create("bsdvm_map_entry", sizeof(struct vm_map_entry), 0,
				       SLAB_ACCOUNT, NULL);
	return mapentzone ? 0 : -ENOMEM;
}

void vm_map_shutdown(void)
{
	kmem_cache_destroy(mapentzone);
	mapentzone = NULL;
}

void vm_map_init(struct vm_map *map, struct pmap *pmap, vm_offset_t min, vm_offset_t max)
{
	init_rwsem(&map->lock);
	map->root = RB_ROOT;
	INIT_LIST_HEAD(&map->header);
	map->min_offset = min;
	map->max_offset = max;
	map->size = 0;
	map->nentries = 0;
	map->timestamp = 0;
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
	unsigned long n = 0;
	vm_size_t size = 0;

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
		if (!(entry->eflags & MAP_ENTRY_GUARD))
			size += entry->end - entry->start;
		last = entry->end;
		node = rb_next(node);
		n++;
	}
	VM_ASSERT(!node);
	VM_ASSERT(last <= map->max_offset);
	VM_ASSERT(n == map->nentries);
	VM_ASSERT(size == map->size);
}
EXPORT_SYMBOL_IF_KUNIT(vm_map_assert_consistent);
#else
void vm_map_assert_consistent(struct vm_map *map)
{
}
#endif

/* Every entry counts in the map's size but guards. */
static vm_size_t entry_size(const struct vm_map_entry *entry)
{
	return entry->eflags & MAP_ENTRY_GUARD ? 0 : entry->end - entry->start;
}

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

static void vm_map_entry_link(struct vm_map *map, struct vm_map_entry *entry)
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

static void vm_map_entry_unlink(struct vm_map *map, struct vm_map_entry *entry)
{
	struct vm_map_entry *succ = vm_map_entry_succ(map, entry);

	VM_MAP_ASSERT_WLOCKED(map);
	rb_erase_augmented(&entry->rb, &map->root, &vm_map_gap_cb);
	list_del(&entry->link);
	vm_map_entry_gap_changed(map, succ);
	map->nentries--;
}

static struct vm_map_entry *vm_map_entry_create(void)
{
	return kmem_cache_alloc(mapentzone, GFP_KERNEL);
}

static void vm_map_entry_dispose(struct vm_map_entry *entry)
{
	kmem_cache_free(mapentzone, entry);
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

/* Does [from, limit) hold length bytes at an aligned place? */
static bool gap_fits(vm_offset_t from, vm_offset_t limit, vm_size_t length, vm_size_t align,
		     vm_offset_t *addr)
{
	vm_offset_t place = ALIGN(from, align);

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
	       (!prev->object || prev->offset + (prev->end - prev->start) == entry->offset) &&
	       prev->eflags == entry->eflags && prev->protection == entry->protection &&
	       prev->max_protection == entry->max_protection &&
	       prev->inheritance == entry->inheritance &&
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
static void vm_map_simplify(struct vm_map *map, vm_offset_t start, vm_offset_t end)
{
	struct vm_map_entry *entry = vm_map_lookup_entry_ge(map, start), *next;

	while (entry && entry->start <= end) {
		next = vm_map_entry_succ(map, entry);
		vm_map_try_merge_entries(map, entry);
		entry = next;
	}
}

/* Split @entry at @addr, which lies inside it; @entry keeps the upper part. */
static int vm_map_entry_clip(struct vm_map *map, struct vm_map_entry *entry, vm_offset_t addr)
{
	struct vm_map_entry *lower;

	VM_MAP_ASSERT_WLOCKED(map);
	lower = vm_map_entry_create();
	if (!lower)
		return KERN_RESOURCE_SHORTAGE;
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
static int vm_map_clip_range(struct vm_map *map, vm_offset_t start, vm_offset_t end)
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

/* Fill @entry in; its place must be free. */
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
	entry->protection = prot;
	entry->max_protection = max;
	entry->inheritance = cow & MAP_INHERIT_SHARE ? VM_INHERIT_SHARE : VM_INHERIT_DEFAULT;
	entry->wired_count = 0;
	vm_map_entry_link(map, entry);
	map->size += entry_size(entry);
}

/*
 * Zero-fill memory right behind zero-fill memory of the same kind: let the entry
 * and the object in front grow instead of making new ones.
 */
static bool vm_map_try_extend(struct vm_map *map, struct vm_map_entry *entry)
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

static void vm_map_insert_finish(struct vm_map *map, struct vm_map_entry *entry)
{
	vm_offset_t start = entry->start, end = entry->end;

	vm_map_try_extend(map, entry);
	vm_map_simplify(map, start, end);
	vm_map_assert_consistent(map);
}

int vm_map_insert(struct vm_map *map, struct vm_object *object, vm_ooffset_t offset,
		  vm_offset_t start, vm_offset_t end, vm_prot_t prot, vm_prot_t max, int cow)
{
	struct vm_map_entry *entry;

	VM_MAP_ASSERT_WLOCKED(map);
	if (!vm_map_range_valid(map, start, end))
		return KERN_INVALID_ADDRESS;
	if (prot & ~max)
		return KERN_INVALID_ARGUMENT;
	entry = vm_map_lookup_entry_ge(map, start);
	if (entry && entry->start < end)
		return KERN_NO_SPACE;
	entry = vm_map_entry_create();
	if (!entry)
		return KERN_RESOURCE_SHORTAGE;
	vm_map_insert_entry(map, entry, object, offset, start, end, prot, max, cow);
	vm_map_insert_finish(map, entry);
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

/* Take whole entries out of [start, end), which is clipped. Cannot fail. */
static void vm_map_delete_clipped(struct vm_map *map, vm_offset_t start, vm_offset_t end,
				  struct list_head *deferred)
{
	struct vm_map_entry *entry = vm_map_lookup_entry_ge(map, start), *next;

	VM_MAP_ASSERT_WLOCKED(map);
	if (!entry || entry->start >= end)
		return;
	pmap_remove(map->pmap, start, end);
	for (; entry && entry->start < end; entry = next) {
		next = vm_map_entry_succ(map, entry);
		vm_map_entry_unlink(map, entry);
		map->size -= entry_size(entry);
		if (entry->object)
			vm_map_entry_free_pages(entry);
		list_add_tail(&entry->link, deferred);
	}
}

int vm_map_remove(struct vm_map *map, vm_offset_t start, vm_offset_t end,
		  struct list_head *deferred)
{
	int rv;

	vm_map_lock(map);
	rv = vm_map_clip_range(map, start, end);
	if (rv == KERN_SUCCESS)
		vm_map_delete_clipped(map, start, end, deferred);
	vm_map_assert_consistent(map);
	vm_map_unlock(map);
	return rv;
}
EXPORT_SYMBOL_IF_KUNIT(vm_map_remove);

void vm_map_process_deferred(struct list_head *deferred)
{
	struct vm_map_entry *entry, *next;

	list_for_each_entry_safe(entry, next, deferred, link) {
		list_del(&entry->link);
		vm_object_deallocate(entry->object);
		vm_map_entry_dispose(entry);
	}
}
EXPORT_SYMBOL_IF_KUNIT(vm_map_process_deferred);

int vm_map_fixed(struct vm_map *map, struct vm_object *object, vm_ooffset_t offset,
		 vm_offset_t start, vm_size_t length, vm_prot_t prot, vm_prot_t max, int cow,
		 bool excl, struct list_head *deferred)
{
	vm_offset_t end = start + length;
	struct vm_map_entry *entry;
	int rv = KERN_SUCCESS;

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
	/* All memory first: once the old entries are gone nothing may fail. */
	entry = vm_map_entry_create();
	if (!entry)
		return KERN_RESOURCE_SHORTAGE;
	vm_map_lock(map);
	rv = vm_map_clip_range(map, start, end);
	if (rv == KERN_SUCCESS) {
		vm_map_delete_clipped(map, start, end, deferred);
		vm_map_insert_entry(map, entry, object, offset, start, end, prot, max, cow);
		vm_map_insert_finish(map, entry);
	}
	vm_map_unlock(map);
	if (rv != KERN_SUCCESS)
		vm_map_entry_dispose(entry);
	return rv;
}
EXPORT_SYMBOL_IF_KUNIT(vm_map_fixed);

/* First pass of vm_map_protect(): is the change allowed everywhere? */
static int vm_map_protect_check(struct vm_map *map, vm_offset_t start, vm_offset_t end,
				vm_prot_t wanted)
{
	struct vm_map_entry *entry = vm_map_lookup_entry_ge(map, start);

	for (; entry && entry->start < end; entry = vm_map_entry_succ(map, entry)) {
		if (entry->eflags & MAP_ENTRY_GUARD)
			continue;
		if (wanted & ~entry->max_protection)
			return KERN_PROTECTION_FAILURE;
	}
	return KERN_SUCCESS;
}

int vm_map_protect(struct vm_map *map, vm_offset_t start, vm_offset_t end, vm_prot_t new_prot,
		   vm_prot_t new_maxprot, int flags)
{
	struct vm_map_entry *entry;
	vm_prot_t wanted = 0, old;
	int rv;

	if (flags & VM_MAP_PROTECT_SET_PROT)
		wanted |= new_prot;
	if (flags & VM_MAP_PROTECT_SET_MAXPROT) {
		wanted |= new_maxprot;
		if ((flags & VM_MAP_PROTECT_SET_PROT) && (new_prot & ~new_maxprot))
			return KERN_OUT_OF_BOUNDS;
	}
	if (start >= end)
		return KERN_SUCCESS;

	vm_map_lock(map);
	rv = vm_map_protect_check(map, start, end, wanted);
	if (rv == KERN_SUCCESS)
		rv = vm_map_clip_range(map, start, end);
	if (rv != KERN_SUCCESS)
		goto unlock;

	entry = vm_map_lookup_entry_ge(map, start);
	for (; entry && entry->start < end; entry = vm_map_entry_succ(map, entry)) {
		if (entry->eflags & MAP_ENTRY_GUARD)
			continue;
		old = entry->protection;
		if (flags & VM_MAP_PROTECT_SET_PROT)
			entry->protection = new_prot;
		if (flags & VM_MAP_PROTECT_SET_MAXPROT) {
			entry->max_protection = new_maxprot;
			entry->protection &= new_maxprot;
		}
		/*
		 * A fetch from a page that is mapped without EXEC never reaches
		 * vm_fault(): Linux takes it for an error. So such pages must go.
		 */
		if (entry->protection & ~old & VM_PROT_EXECUTE)
			pmap_remove(map->pmap, entry->start, entry->end);
		else if (old & ~entry->protection)
			pmap_protect(map->pmap, entry->start, entry->end, entry->protection);
	}
	vm_map_simplify(map, start, end);
	vm_map_assert_consistent(map);
unlock:
	vm_map_unlock(map);
	return rv;
}
EXPORT_SYMBOL_IF_KUNIT(vm_map_protect);

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
	rv = vm_map_clip_range(map, start, end);
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
	bool failed = false;
	int rv;

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
		if (object) {
			offset = entry->offset + (start - entry->start);
			vm_object_reference(object);
			vm_map_unlock_read(map);
			if (vm_object_sync(object, offset, stop - start, sync, invalidate))
				failed = true;
			vm_object_deallocate(object);
			vm_map_lock_read(map);
		}
		start = stop;
	}
	vm_map_unlock_read(map);
	return failed ? KERN_FAILURE : rv;
}
EXPORT_SYMBOL_IF_KUNIT(vm_map_sync);

/* The object of an entry that has none: made when first needed. */
static int vm_map_entry_make_object(struct vm_map_entry *entry)
{
	struct vm_object *object;

	object = vm_object_allocate_anon(OFF_TO_IDX(entry->end - entry->start));
	if (!object)
		return KERN_RESOURCE_SHORTAGE;
	entry->object = object;
	entry->offset = 0;
	return KERN_SUCCESS;
}

/* The shadow that a NEEDS_COPY entry has put off. */
static int vm_map_entry_make_shadow(struct vm_map_entry *entry)
{
	int rv;

	rv = vm_object_shadow(&entry->object, &entry->offset, entry->end - entry->start);
	if (rv == KERN_SUCCESS)
		entry->eflags &= ~MAP_ENTRY_NEEDS_COPY;
	return rv;
}

/* Fork one entry with inheritance SHARE: both sides must mean the same object. */
static int vm_map_fork_share(struct vm_map_entry *old, struct vm_map_entry *new)
{
	int rv;

	if (!old->object && !(old->eflags & MAP_ENTRY_GUARD)) {
		rv = vm_map_entry_make_object(old);
		if (rv != KERN_SUCCESS)
			return rv;
	}
	if (old->eflags & MAP_ENTRY_NEEDS_COPY) {
		rv = vm_map_entry_make_shadow(old);
		if (rv != KERN_SUCCESS)
			return rv;
	}
	if (old->object) {
		vm_object_clear_flag(old->object, OBJ_ONEMAPPING);
		vm_object_reference(old->object);
	}
	new->object = old->object;
	new->offset = old->offset;
	new->eflags = old->eflags;
	return KERN_SUCCESS;
}

/*
 * Fork one entry with inheritance COPY. Returns whether the parent's mappings
 * must become read-only.
 */
static bool vm_map_fork_copy(struct vm_map_entry *old, struct vm_map_entry *new)
{
	bool was_writable = !(old->eflags & MAP_ENTRY_NEEDS_COPY);

	if (!old->object)
		return false;
	VM_OBJECT_WLOCK(old->object);
	vm_object_collapse(old->object);
	old->object->flags &= ~OBJ_ONEMAPPING;
	VM_OBJECT_WUNLOCK(old->object);
	vm_object_reference(old->object);
	old->eflags |= MAP_ENTRY_COW | MAP_ENTRY_NEEDS_COPY;
	new->eflags = old->eflags;
	return was_writable && (old->protection & VM_PROT_WRITE);
}

/* Write protection of neighbouring entries, gathered so that it is shot down once. */
struct protect_run {
	vm_offset_t start, end;
};

static void protect_run_flush(struct vm_map *map, struct protect_run *run)
{
	if (run->start < run->end)
		pmap_protect(map->pmap, run->start, run->end, VM_PROT_READ | VM_PROT_EXECUTE);
	run->start = 0;
	run->end = 0;
}

static void protect_run_add(struct protect_run *run, const struct vm_map_entry *entry)
{
	if (run->start >= run->end)
		run->start = entry->start;
	run->end = entry->end;
}

int vm_map_fork(struct vm_map *old_map, struct vm_map *new_map)
{
	struct protect_run run = { 0, 0 };
	struct vm_map_entry *old, *new;
	int rv = KERN_SUCCESS;

	vm_map_lock(old_map);
	down_write_nested(&new_map->lock, SINGLE_DEPTH_NESTING);
	VM_MAP_ENTRY_FOREACH(old, old_map) {
		if (old->inheritance == VM_INHERIT_NONE) {
			protect_run_flush(old_map, &run);
			continue;
		}
		new = vm_map_entry_create();
		if (!new) {
			rv = KERN_RESOURCE_SHORTAGE;
			break;
		}
		*new = *old;
		new->wired_count = 0;
		if (old->inheritance == VM_INHERIT_SHARE) {
			protect_run_flush(old_map, &run);
			rv = vm_map_fork_share(old, new);
			if (rv != KERN_SUCCESS) {
				vm_map_entry_dispose(new);
				break;
			}
		} else if (old->inheritance == VM_INHERIT_ZERO) {
			protect_run_flush(old_map, &run);
			new->object = NULL;
			new->offset = 0;
			new->eflags &= ~(MAP_ENTRY_COW | MAP_ENTRY_NEEDS_COPY);
		} else if (vm_map_fork_copy(old, new)) {
			protect_run_add(&run, old);
		}
		vm_map_entry_link(new_map, new);
		new_map->size += entry_size(new);
	}
	protect_run_flush(old_map, &run);
	vm_map_assert_consistent(old_map);
	vm_map_assert_consistent(new_map);
	vm_map_unlock(new_map);
	vm_map_unlock(old_map);
	return rv;
}
EXPORT_SYMBOL_IF_KUNIT(vm_map_fork);

/* Look a fault up; *exclusive says that the entry must change, under which lock. */
static int vm_map_lookup_locked(struct vm_map *map, vm_offset_t vaddr, vm_prot_t fault_type,
				bool *exclusive, struct vm_map_entry **out_entry)
{
	struct vm_map_entry *entry;
	bool copy;
	int rv;

	if (!vm_map_lookup_entry(map, vaddr, &entry))
		return KERN_INVALID_ADDRESS;
	/* A guard's protection is NONE. */
	if ((fault_type & ~entry->protection) || entry->protection == VM_PROT_NONE)
		return KERN_PROTECTION_FAILURE;
	*out_entry = entry;

	copy = (entry->eflags & MAP_ENTRY_NEEDS_COPY) && (fault_type & VM_PROT_WRITE);
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
