// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * vm_map_tree: the entries of a map in order of address.
 *
 * They stand on a list, and in a red-black tree. Every entry knows the gap below it and
 * the largest gap of its subtree, so that a free place is found by one descent.
 *
 *	  min          start  end        start  end                    max
 *	   |....gap....[ entry ]....gap....[ entry ]...................|
 *
 * Locks: whoever calls has the map locked, exclusively for what changes it.
 */
#include "vm_map_var.h"

static inline vm_size_t entry_own_gap(struct vm_map_entry *entry)
{
	return entry->gap;
}

RB_DECLARE_CALLBACKS_MAX(static, vm_map_gap_cb,
			 struct vm_map_entry, rb, vm_size_t, max_gap, entry_own_gap)

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
	bool hinted = !map->hint;
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
		VM_ASSERT(entry->object || !entry->offset);
		VM_ASSERT(!(entry->eflags & MAP_ENTRY_NEEDS_COPY) ||
			  ((entry->eflags & MAP_ENTRY_COW) && entry->object));
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
		hinted |= entry == map->hint;
		last = entry->end;
		node = rb_next(node);
		n++;
	}
	VM_ASSERT(!node);
	VM_ASSERT(hinted);
	VM_ASSERT(last <= map->max_offset);
	VM_ASSERT(n == map->nentries);
	VM_ASSERT(size == map->size);
	VM_ASSERT(wired == map->wired);
	VM_ASSERT(charge == map->charge);
}
EXPORT_SYMBOL_IF_KUNIT(vm_map_assert_consistent);
#endif

/* --- linking */

/* The entry's start, or its predecessor's end, has moved. */
static void vm_map_entry_gap_changed(struct vm_map *map, struct vm_map_entry *entry)
{
	struct vm_map_entry *pred;
	vm_size_t gap;

	if (!entry)
		return;
	pred = vm_map_entry_pred(map, entry);
	gap = entry->start - (pred ? pred->end : map->min_offset);
	if (gap == entry->gap)
		return;
	entry->gap = gap;
	vm_map_gap_cb.propagate(&entry->rb, NULL);
}

/*
 * Between two neighbours there is a place for a leaf: one of them has no child on that
 * side, and is the other's descendant.
 */
void vm_map_entry_link_behind(struct vm_map *map, struct vm_map_entry *pred,
			      struct vm_map_entry *entry)
{
	struct vm_map_entry *succ = pred ? vm_map_entry_succ(map, pred) : vm_map_entry_first(map);
	struct rb_node **link = &map->root.rb_node, *parent = NULL;

	VM_MAP_ASSERT_WLOCKED(map);
	if (pred && !pred->rb.rb_right) {
		parent = &pred->rb;
		link = &parent->rb_right;
	} else if (succ) {
		parent = &succ->rb;
		link = &parent->rb_left;
	}
	list_add(&entry->link, pred ? &pred->link : &map->header);
	entry->gap = entry->start - (pred ? pred->end : map->min_offset);
	entry->max_gap = entry->gap;
	rb_link_node(&entry->rb, parent, link);
	if (entry->gap)
		vm_map_gap_cb.propagate(parent, NULL);
	vm_map_entry_gap_changed(map, succ);
	rb_insert_augmented(&entry->rb, &map->root, &vm_map_gap_cb);
	map->nentries++;
	map->hint = entry;
}

void vm_map_entry_link(struct vm_map *map, struct vm_map_entry *entry)
{
	struct vm_map_entry *pred;

	vm_map_lookup_entry(map, entry->start, &pred);
	vm_map_entry_link_behind(map, pred, entry);
}

/**
 * struct tree_build - a tree that is made of a list, from its lowest entry on
 * @next: the entry whose turn it is
 * @last: where the one before ended
 */
struct tree_build {
	struct vm_map_entry *next;
	vm_offset_t last;
};

/*
 * A tree of the next @n entries, at least one. Its halves differ by one entry at most: so
 * all levels are full but the one at the bottom, and with that one red and all others
 * black each path has as many blacks. @black: levels that are full.
 */
static struct rb_node *vm_map_build_subtree(struct tree_build *build, unsigned long n,
					    unsigned int black)
{
	const unsigned long below = n / 2, above = n - 1 - below;
	struct rb_node *left = NULL, *right = NULL;
	struct vm_map_entry *entry;
	vm_size_t max_gap;

	if (below)
		left = vm_map_build_subtree(build, below, black - 1);
	entry = build->next;
	build->next = list_next_entry(entry, link);
	max_gap = entry->start - build->last;
	build->last = entry->end;
	entry->gap = max_gap;
	if (above)
		right = vm_map_build_subtree(build, above, black - 1);
	if (left) {
		rb_set_parent(left, &entry->rb);
		max_gap = max(max_gap, rb_to_entry(left)->max_gap);
	}
	if (right) {
		rb_set_parent(right, &entry->rb);
		max_gap = max(max_gap, rb_to_entry(right)->max_gap);
	}
	entry->max_gap = max_gap;
	entry->rb.rb_left = left;
	entry->rb.rb_right = right;
	rb_set_parent_color(&entry->rb, NULL, black ? RB_BLACK : RB_RED);
	return &entry->rb;
}

void vm_map_build_tree(struct vm_map *map)
{
	struct tree_build build = { vm_map_entry_first(map), map->min_offset };

	VM_MAP_ASSERT_WLOCKED(map);
	/* A full tree of n levels has 2^n - 1 entries. */
	if (map->nentries)
		map->root.rb_node = vm_map_build_subtree(&build, map->nentries,
							 ilog2(map->nentries + 1));
}

void vm_map_entry_unlink(struct vm_map *map, struct vm_map_entry *entry)
{
	struct vm_map_entry *succ = vm_map_entry_succ(map, entry);

	VM_MAP_ASSERT_WLOCKED(map);
	if (map->hint == entry)
		map->hint = vm_map_entry_pred(map, entry);
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

/* --- looking */

bool vm_map_lookup_entry(struct vm_map *map, vm_offset_t address, struct vm_map_entry **entry)
{
	return vm_map_entry_find(map, address, entry);
}
EXPORT_SYMBOL_IF_KUNIT(vm_map_lookup_entry);

struct vm_map_entry *vm_map_lookup_entry_ge(struct vm_map *map, vm_offset_t address)
{
	struct vm_map_entry *entry = map->hint;

	VM_MAP_ASSERT_LOCKED(map);
	if (entry && address >= entry->start && address < entry->end)
		return entry;
	if (vm_map_entry_find(map, address, &entry))
		return entry;
	return entry ? vm_map_entry_succ(map, entry) : vm_map_entry_first(map);
}
EXPORT_SYMBOL_IF_KUNIT(vm_map_lookup_entry_ge);

struct vm_map_entry *vm_map_entry_before(struct vm_map *map, struct vm_map_entry *succ)
{
	if (succ)
		return vm_map_entry_pred(map, succ);
	return list_empty(&map->header) ? NULL :
	       list_last_entry(&map->header, struct vm_map_entry, link);
}

vm_size_t vm_map_largest_free(struct vm_map *map)
{
	struct vm_map_entry *last;

	VM_MAP_ASSERT_LOCKED(map);
	last = vm_map_entry_before(map, NULL);
	if (!last)
		return map->max_offset - map->min_offset;
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
	vm_size_t power, colour;
	vm_offset_t place;

	if (align == VM_PAGE_SIZE)
		return round_page(from);
	power = rounddown_pow_of_two(align);
	colour = align - power;
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

static bool vm_map_subtree_has_gap(const struct rb_node *node, vm_size_t length)
{
	return node && rb_entry(node, struct vm_map_entry, rb)->max_gap >= length;
}

/* The first entry above an address with a gap large enough below it. */
static struct vm_map_entry *vm_map_gap_first(struct vm_map *map, vm_offset_t start,
					     vm_size_t length)
{
	struct rb_node *node = map->root.rb_node;
	struct vm_map_entry *cur, *found = NULL;

	/* Where the way turns left, what lies right of it comes after what is yet to see. */
	while (vm_map_subtree_has_gap(node, length)) {
		cur = rb_to_entry(node);
		if (cur->start <= start) {
			node = node->rb_right;
			continue;
		}
		if (cur->gap >= length || vm_map_subtree_has_gap(node->rb_right, length))
			found = cur;
		node = node->rb_left;
	}
	if (!found || found->gap >= length)
		return found;
	return vm_map_gap_leftmost(found->rb.rb_right, length);
}

int vm_map_findspace_succ(struct vm_map *map, vm_offset_t start, vm_size_t length,
			  vm_size_t align, vm_offset_t max, vm_offset_t *addr,
			  struct vm_map_entry **succ)
{
	struct vm_map_entry *entry, *last;
	vm_offset_t from;

	VM_MAP_ASSERT_LOCKED(map);
	max = min(max, map->max_offset);
	start = max(start, map->min_offset);
	for (entry = vm_map_gap_first(map, start, length); entry;
	     entry = vm_map_gap_next(entry, length)) {
		/* The first gap may begin below where the search does. */
		from = max(start, entry->start - entry->gap);
		if (from > max)
			return KERN_NO_SPACE;
		if (gap_fits(from, min(entry->start, max), length, align, addr)) {
			*succ = entry;
			return KERN_SUCCESS;
		}
	}
	*succ = NULL;
	last = vm_map_entry_before(map, NULL);
	from = last ? max(start, last->end) : start;
	return gap_fits(from, max, length, align, addr) ? KERN_SUCCESS : KERN_NO_SPACE;
}

int vm_map_findspace(struct vm_map *map, vm_offset_t start, vm_size_t length, vm_size_t align,
		     vm_offset_t max, vm_offset_t *addr)
{
	struct vm_map_entry *succ;

	return vm_map_findspace_succ(map, start, length, align, max, addr, &succ);
}
EXPORT_SYMBOL_IF_KUNIT(vm_map_findspace);
