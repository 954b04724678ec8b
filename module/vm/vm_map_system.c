// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * vm_map_system: maps of kernel addresses.
 *
 * They are what other maps are, a tree of entries with gaps, but who allocates kernel
 * memory may hold a spinlock. So their own lock is one, and nothing here sleeps while
 * it is held: entries are neither clipped nor merged, and pages, objects and
 * translations are the caller's business.
 *
 * An entry that comes is made before the lock is taken. Who cannot wait for Linux
 * to have memory takes one from a reserve, which entries that go fill up again.
 *
 * An entry that goes is claimed first. Claimed, it holds its place while its pages
 * are unmapped and freed with no lock held, and then it is deleted: so no address is
 * used again before every CPU has forgotten it.
 */
#include "vm_map_var.h"

/* Entries in reserve: for as many allocations beyond what Linux has memory for. */
#define KMAPENT_RESERVE	64

/**
 * struct kmapent - entries in reserve
 * @lock: guards the other members; a leaf
 * @free: the entries, by link
 * @count: how many
 */
static struct kmapent {
	spinlock_t lock; /* guards all of it */
	struct list_head free;
	unsigned int count;
} kmapent = {
	.lock = __SPIN_LOCK_UNLOCKED(kmapent.lock),
	.free = LIST_HEAD_INIT(kmapent.free),
};

/* Not that of other entries, which may come to be made of kernel memory itself. */
static struct kmem_cache *kmapentzone;

static struct vm_map_entry *kmapent_take(void)
{
	struct vm_map_entry *entry;

	spin_lock(&kmapent.lock);
	entry = list_first_entry_or_null(&kmapent.free, struct vm_map_entry, link);
	if (entry) {
		list_del(&entry->link);
		kmapent.count--;
	}
	spin_unlock(&kmapent.lock);
	return entry;
}

/* Keep the entry in reserve; false when there are enough. */
static bool kmapent_keep(struct vm_map_entry *entry)
{
	bool keep;

	spin_lock(&kmapent.lock);
	keep = kmapent.count < KMAPENT_RESERVE;
	if (keep) {
		list_add(&entry->link, &kmapent.free);
		kmapent.count++;
	}
	spin_unlock(&kmapent.lock);
	return keep;
}

int vm_map_system_startup(void)
{
	struct vm_map_entry *entry;

	kmapentzone = kmem_cache_create("bsdvm_kmap_entry", sizeof(*entry), 0, 0, NULL);
	if (!kmapentzone)
		return -ENOMEM;
	do {
		entry = kmem_cache_alloc(kmapentzone, GFP_KERNEL);
		if (!entry)
			return -ENOMEM;
	} while (kmapent_keep(entry));
	kmem_cache_free(kmapentzone, entry);
	return 0;
}

void vm_map_system_shutdown(void)
{
	struct vm_map_entry *entry;

	while ((entry = kmapent_take()))
		kmem_cache_free(kmapentzone, entry);
	kmem_cache_destroy(kmapentzone);
	kmapentzone = NULL;
}

static struct vm_map_entry *system_entry_create(bool nowait)
{
	struct vm_map_entry *entry;

	entry = kmem_cache_alloc(kmapentzone, nowait ? GFP_NOWAIT | __GFP_NOWARN : GFP_KERNEL);
	return entry ?: kmapent_take();
}

static void system_entry_dispose(struct vm_map_entry *entry)
{
	if (!kmapent_keep(entry))
		kmem_cache_free(kmapentzone, entry);
}

void vm_map_system_init(struct vm_map *map, vm_offset_t min, vm_offset_t max)
{
	vm_map_init(map, NULL, min, max);
	map->system_map = true;
}

/* Not every time where it takes long: the lock is a spinlock. */
static void system_map_check(struct vm_map *map)
{
	if (map->nentries < 64 || map->timestamp % 64 == 0)
		vm_map_assert_consistent(map);
}

int vm_map_system_insert(struct vm_map *map, struct vm_object *object, struct vm_map *sub_map,
			 vm_size_t size, bool nowait, vm_offset_t *addr)
{
	struct vm_map_entry *entry = system_entry_create(nowait);
	int rv;

	if (!entry)
		return KERN_RESOURCE_SHORTAGE;
	memset(entry, 0, sizeof(*entry));
	if (object) {
		entry->object = object;
	} else if (sub_map) {
		entry->sub_map = sub_map;
		entry->eflags = MAP_ENTRY_IS_SUB_MAP;
	}
	entry->protection = VM_PROT_READ | VM_PROT_WRITE;
	entry->max_protection = entry->protection;
	entry->inheritance = VM_INHERIT_NONE;

	vm_map_lock(map);
	rv = vm_map_findspace(map, map->min_offset, size, VM_PAGE_SIZE, map->max_offset,
			      &entry->start);
	if (rv == KERN_SUCCESS) {
		entry->end = entry->start + size;
		*addr = entry->start;
		vm_map_entry_link(map, entry);
		map->size += size;
		system_map_check(map);
	}
	vm_map_unlock(map);
	if (rv != KERN_SUCCESS)
		system_entry_dispose(entry);
	return rv;
}
EXPORT_SYMBOL_IF_KUNIT(vm_map_system_insert);

struct vm_map_entry *vm_map_system_claim(struct vm_map *map, vm_offset_t start, vm_offset_t end,
					 bool sub_map)
{
	struct vm_map_entry *entry;

	vm_map_lock(map);
	if (!vm_map_lookup_entry(map, start, &entry) || entry->start != start ||
	    entry->end != end || (entry->eflags & MAP_ENTRY_IN_TRANSITION) ||
	    !(entry->eflags & MAP_ENTRY_IS_SUB_MAP) == sub_map)
		entry = NULL;
	else
		entry->eflags |= MAP_ENTRY_IN_TRANSITION;
	vm_map_unlock(map);
	return entry;
}
EXPORT_SYMBOL_IF_KUNIT(vm_map_system_claim);

void vm_map_system_delete(struct vm_map *map, struct vm_map_entry *entry)
{
	vm_map_lock(map);
	vm_map_entry_unlink(map, entry);
	map->size -= entry->end - entry->start;
	system_map_check(map);
	vm_map_unlock(map);
	system_entry_dispose(entry);
}
EXPORT_SYMBOL_IF_KUNIT(vm_map_system_delete);
