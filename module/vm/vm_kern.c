// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * vm_kern: the kernel map, and memory for the kernel in it.
 *
 * An allocation is one entry of a system map, never merged with its neighbours: so
 * what is freed can be checked against what was allocated. The entry covers the guard
 * behind it too. Wired memory needs no list of its pages: they are what the kernel
 * pmap says is mapped there.
 *
 *	entry  [ page | page | page | guard ]
 *
 * Order. Who allocates takes the place first, then gets pages, zeroes and maps them,
 * and gives the address out. Who frees claims the entry, unmaps all pages with one
 * shootdown, frees them, and gives the place back at last.
 *
 * Waiting for room: a counter moves with each range that comes free. Who found no
 * room sleeps until it has moved since before he looked.
 */
#include "vm_kern.h"

#include "pmap.h"
#include "swap_reserve.h"
#include "uma.h"
#include "vm_page.h"
#include "vm_phys.h"

/* Parts of the kernel map: so many sixteenths. What is left is its own. */
#define KMEM_MAP_PART	8
#define BUFFER_MAP_PART	2
#define EXEC_MAP_PART	2

/* Pages that are mapped under one walk. */
#define KMEM_BATCH	16

/**
 * struct kmem_area - the kernel map or a submap
 * @map: the map
 * @name: (C) what people call it
 * @link: (L) place in kmem_areas, which is in order of address
 * @wait: who waits for room
 * @freed: (A) counts ranges that came free
 * @allocations: (A) that succeeded
 * @failures: (A) that did not
 * @sleeps: (A) sleeps of allocations
 *
 * Locks: (A) atomic, (C) constant, (L) kmem_areas_lock.
 */
struct kmem_area {
	struct vm_map map;
	const char *name;
	struct list_head link;
	wait_queue_head_t wait;
	atomic_t freed;
	atomic64_t allocations;
	atomic64_t failures;
	atomic64_t sleeps;
};

struct vm_map *kernel_map;
EXPORT_SYMBOL_NS_GPL(kernel_map, BSDVM);
struct vm_map *kmem_map;
EXPORT_SYMBOL_IF_KUNIT(kmem_map);
struct vm_map *buffer_map;
EXPORT_SYMBOL_IF_KUNIT(buffer_map);
struct vm_map *exec_map;
EXPORT_SYMBOL_IF_KUNIT(exec_map);

vm_offset_t kmembase;
EXPORT_SYMBOL_IF_KUNIT(kmembase);
vm_offset_t kmemlimit;
EXPORT_SYMBOL_IF_KUNIT(kmemlimit);
vm_offset_t buffer_sva;
EXPORT_SYMBOL_IF_KUNIT(buffer_sva);
vm_offset_t buffer_eva;
EXPORT_SYMBOL_IF_KUNIT(buffer_eva);
vm_offset_t exec_sva;
EXPORT_SYMBOL_IF_KUNIT(exec_sva);
vm_offset_t exec_eva;
EXPORT_SYMBOL_IF_KUNIT(exec_eva);

static LIST_HEAD(kmem_areas);
static DEFINE_MUTEX(kmem_areas_lock);

static const struct kmem_user_ops *kmem_user;

static struct kmem_area *map_area(struct vm_map *map)
{
	return container_of(map, struct kmem_area, map);
}

/* --- pages of wired memory */

static struct vm_page *kmem_page_alloc(struct kmem_area *area, int flags)
{
	unsigned int attempts = 0;
	struct vm_page *m;

	while (!(m = vm_page_alloc_kmem(malloc2vm_flags(flags)))) {
		if (flags & M_NOWAIT) {
			vm_pageout_wakeup();
			return NULL;
		}
		atomic64_inc(&area->sleeps);
		if (vm_wait_attempt(&attempts))
			return NULL;
	}
	/* What it held last was perhaps a process's. */
	pmap_zero_page(m);
	return m;
}

/* Unmap and free the pages of a range. */
static void kmem_unback(vm_offset_t addr, vm_size_t size)
{
	struct vm_page *m, *next;
	LIST_HEAD(pages);
	vm_size_t off;

	/* Who owns a wired page owns its plinks. */
	for (off = 0; off < size; off += VM_PAGE_SIZE) {
		m = PHYS_TO_VM_PAGE(pmap_kextract(addr + off));
		if (!WARN_ON_ONCE(!m))
			list_add(&m->plinks, &pages);
	}
	pmap_qremove(addr, atop(size));
	list_for_each_entry_safe(m, next, &pages, plinks)
		vm_page_free_kmem(m);
}

/* Get up to KMEM_BATCH pages and map them; answers how many. */
static unsigned int kmem_back_batch(struct kmem_area *area, vm_offset_t addr, u64 wanted,
				    int flags)
{
	struct vm_page *ma[KMEM_BATCH];
	unsigned int n = 0;

	while (n < min_t(u64, wanted, KMEM_BATCH)) {
		ma[n] = kmem_page_alloc(area, flags);
		if (!ma[n])
			break;
		n++;
	}
	pmap_qenter(addr, ma, n);
	return n;
}

/* Map pages to all of a range, or to nothing of it. */
static bool kmem_back(struct kmem_area *area, vm_offset_t addr, vm_size_t size, int flags)
{
	u64 done = 0, pages = atop(size);
	unsigned int n;

	while (done < pages) {
		n = kmem_back_batch(area, addr + ptoa(done), pages - done, flags);
		done += n;
		if (done < pages && n < KMEM_BATCH) {
			kmem_unback(addr, ptoa(done));
			return false;
		}
		if (!(flags & M_NOWAIT))
			cond_resched();
	}
	return true;
}

/* --- allocation */

/* Bytes that an allocation takes of its map; 0 for what no map has. */
static vm_size_t kmem_span(const struct vm_map *map, vm_size_t size)
{
	if (!size || size > map->max_offset - map->min_offset)
		return 0;
	return round_page(size) + KMEM_GUARD;
}

static vm_offset_t kmem_count(struct kmem_area *area, vm_offset_t addr)
{
	atomic64_inc(addr ? &area->allocations : &area->failures);
	return addr;
}

/* The place of an allocation has come free. */
static void kmem_wakeup(struct kmem_area *area)
{
	/* Who sees it move finds the place free; and it moves before we look who waits. */
	atomic_fetch_add_release(1, &area->freed);
	if (wq_has_sleeper(&area->wait))
		wake_up_all(&area->wait);
}

/* Give the place of a claimed entry back. */
static void kmem_give_up(struct kmem_area *area, struct vm_map_entry *entry)
{
	vm_map_system_delete(&area->map, entry);
	kmem_wakeup(area);
}

static vm_offset_t kmem_alloc_wired(struct kmem_area *area, vm_size_t size, int flags)
{
	vm_size_t span = kmem_span(&area->map, size);
	vm_offset_t addr;

	if (!span || vm_map_system_insert(&area->map, NULL, NULL, span, flags & M_NOWAIT, &addr))
		return 0;
	if (kmem_back(area, addr, span - KMEM_GUARD, flags))
		return addr;
	kmem_give_up(area, vm_map_system_claim(&area->map, addr, addr + span, false));
	return 0;
}

vm_offset_t kmem_malloc(struct vm_map *map, vm_size_t size, int flags)
{
	struct kmem_area *area = map_area(map);

	VM_ASSERT(!(flags & M_NOWAIT) == !!(flags & M_WAITOK));
	if (!(flags & M_NOWAIT))
		might_sleep();
	return kmem_count(area, kmem_alloc_wired(area, size, flags));
}
EXPORT_SYMBOL_IF_KUNIT(kmem_malloc);

vm_offset_t kmem_alloc(struct vm_map *map, vm_size_t size, int flags)
{
	return kmem_malloc(map, size, flags | M_WAITOK);
}
EXPORT_SYMBOL_NS_GPL(kmem_alloc, BSDVM);

/* An object for @size bytes, with swap reserved for it. */
static struct vm_object *kmem_object(vm_size_t size)
{
	struct vm_object *object;

	if (!swap_reserve(size))
		return NULL;
	object = vm_object_allocate_anon(atop(size));
	if (object)
		object->charge = size;
	else
		swap_release(size);
	return object;
}

vm_offset_t kmem_alloc_pageable(struct vm_map *map, vm_size_t size)
{
	struct kmem_area *area = map_area(map);
	vm_size_t span = kmem_span(map, size);
	struct vm_object *object = span ? kmem_object(span - KMEM_GUARD) : NULL;
	vm_offset_t addr;

	if (object && vm_map_system_insert(map, object, NULL, span, false, &addr) == KERN_SUCCESS)
		return kmem_count(area, addr);
	vm_object_deallocate(object);
	return kmem_count(area, 0);
}
EXPORT_SYMBOL_IF_KUNIT(kmem_alloc_pageable);

/* Map the object as soon as there is room for it. */
static vm_offset_t kmem_insert_wait(struct kmem_area *area, struct vm_object *object,
				    vm_size_t span)
{
	vm_offset_t addr;
	int freed, rv;

	for (;;) {
		freed = atomic_read_acquire(&area->freed);
		rv = vm_map_system_insert(&area->map, object, NULL, span, false, &addr);
		if (rv == KERN_SUCCESS)
			return addr;
		if (rv != KERN_NO_SPACE || span > area->map.max_offset - area->map.min_offset)
			return 0;
		atomic64_inc(&area->sleeps);
		if (wait_event_killable(area->wait, atomic_read(&area->freed) != freed))
			return 0;
	}
}

vm_offset_t kmem_alloc_wait(struct vm_map *map, vm_size_t size)
{
	struct kmem_area *area = map_area(map);
	vm_size_t span = kmem_span(map, size);
	struct vm_object *object = span ? kmem_object(span - KMEM_GUARD) : NULL;
	vm_offset_t addr = object ? kmem_insert_wait(area, object, span) : 0;

	if (!addr)
		vm_object_deallocate(object);
	return kmem_count(area, addr);
}
EXPORT_SYMBOL_IF_KUNIT(kmem_alloc_wait);

int kmem_free(struct vm_map *map, vm_offset_t addr, vm_size_t size)
{
	struct kmem_area *area = map_area(map);
	vm_size_t span = kmem_span(map, size);
	struct vm_map_entry *entry;
	struct vm_object *object;

	entry = span ? vm_map_system_claim(map, addr, addr + span, false) : NULL;
	if (!entry)
		return KERN_INVALID_ADDRESS;
	object = entry->object;
	if (!object)
		kmem_unback(addr, span - KMEM_GUARD);
	kmem_give_up(area, entry);
	vm_object_deallocate(object);
	return KERN_SUCCESS;
}
EXPORT_SYMBOL_NS_GPL(kmem_free, BSDVM);

void *kmem_slab_alloc(size_t size, int flags)
{
	return (void *)kmem_malloc(kmem_map, size, flags);
}
EXPORT_SYMBOL_IF_KUNIT(kmem_slab_alloc);

void kmem_slab_free(void *mem, size_t size)
{
	WARN_ON(kmem_free(kmem_map, (vm_offset_t)mem, size) != KERN_SUCCESS);
}
EXPORT_SYMBOL_IF_KUNIT(kmem_slab_free);

struct vm_page *kmem_page(const void *addr)
{
	return PHYS_TO_VM_PAGE(pmap_kextract((vm_offset_t)addr));
}
EXPORT_SYMBOL_IF_KUNIT(kmem_page);

/* --- content */

void kmem_user_register(const struct kmem_user_ops *ops)
{
	kmem_user = ops;
}

/*
 * Find the allocation that a range lies in. Its object is referenced for the caller,
 * if it has one.
 */
static bool kmem_find(struct vm_map *map, vm_offset_t kva, size_t len, vm_offset_t *base,
		      struct vm_object **object)
{
	struct vm_map_entry *entry;
	struct vm_map *sub_map;
	bool found;

	for (;;) {
		vm_map_lock(map);
		found = vm_map_lookup_entry(map, kva, &entry) &&
			!(entry->eflags & MAP_ENTRY_IN_TRANSITION);
		sub_map = found && (entry->eflags & MAP_ENTRY_IS_SUB_MAP) ? entry->sub_map : NULL;
		if (found && !sub_map) {
			found = len <= entry->end - KMEM_GUARD - kva &&
				kva < entry->end - KMEM_GUARD;
			*base = entry->start;
			*object = found ? entry->object : NULL;
			vm_object_reference(*object);
		}
		vm_map_unlock(map);
		if (!sub_map)
			return found;
		map = sub_map;
	}
}

int kmem_iter_begin(struct kmem_iter *iter, struct vm_map *map, vm_offset_t kva, size_t len,
		    bool write)
{
	*iter = (struct kmem_iter){ .va = kva, .end = kva + len, .write = write };
	return kmem_find(map ?: kernel_map, kva, len, &iter->base, &iter->object) ? 0 : -EFAULT;
}
EXPORT_SYMBOL_IF_KUNIT(kmem_iter_begin);

static void kmem_iter_release(struct kmem_iter *iter)
{
	if (!iter->m)
		return;
	if (iter->write)
		vm_object_page_written(iter->object, iter->m);
	vm_page_unwire(iter->m, PQ_ACTIVE);
	iter->m = NULL;
}

int kmem_iter_next(struct kmem_iter *iter)
{
	size_t offset = iter->va & VM_PAGE_MASK;
	int ret;

	kmem_iter_release(iter);
	if (iter->va == iter->end)
		return 0;
	iter->at = (void *)iter->va;
	if (iter->object) {
		ret = vm_object_grab_page(iter->object, OFF_TO_IDX(iter->va - iter->base), true,
					  &iter->m);
		if (ret)
			return ret;
		iter->at = pmap_quick_enter_page(iter->m) + offset;
	}
	iter->len = min(VM_PAGE_SIZE - offset, iter->end - iter->va);
	iter->va += iter->len;
	return 1;
}
EXPORT_SYMBOL_IF_KUNIT(kmem_iter_next);

void kmem_iter_end(struct kmem_iter *iter)
{
	kmem_iter_release(iter);
	vm_object_deallocate(iter->object);
	iter->object = NULL;
}
EXPORT_SYMBOL_IF_KUNIT(kmem_iter_end);

int kmem_copyin(struct vm_map *map, u64 uaddr, vm_offset_t kva, size_t len)
{
	struct kmem_iter iter;
	int ret;

	ret = kmem_iter_begin(&iter, map, kva, len, true);
	if (ret)
		return ret;
	while ((ret = kmem_iter_next(&iter)) > 0) {
		if (kmem_user->copyin(iter.at, uaddr, iter.len)) {
			ret = -EFAULT;
			break;
		}
		uaddr += iter.len;
		cond_resched();
	}
	kmem_iter_end(&iter);
	return ret;
}
EXPORT_SYMBOL_IF_KUNIT(kmem_copyin);

int kmem_copyout(struct vm_map *map, vm_offset_t kva, u64 uaddr, size_t len)
{
	struct kmem_iter iter;
	int ret;

	ret = kmem_iter_begin(&iter, map, kva, len, false);
	if (ret)
		return ret;
	while ((ret = kmem_iter_next(&iter)) > 0) {
		if (kmem_user->copyout(uaddr, iter.at, iter.len)) {
			ret = -EFAULT;
			break;
		}
		uaddr += iter.len;
		cond_resched();
	}
	kmem_iter_end(&iter);
	return ret;
}
EXPORT_SYMBOL_IF_KUNIT(kmem_copyout);

int kmem_read(struct vm_map *map, vm_offset_t kva, void *buf, size_t len)
{
	struct kmem_iter iter;
	int ret;

	ret = kmem_iter_begin(&iter, map, kva, len, false);
	if (ret)
		return ret;
	while ((ret = kmem_iter_next(&iter)) > 0) {
		memcpy(buf, iter.at, iter.len);
		buf += iter.len;
		cond_resched();
	}
	kmem_iter_end(&iter);
	return ret;
}
EXPORT_SYMBOL_IF_KUNIT(kmem_read);

int kmem_write(struct vm_map *map, vm_offset_t kva, const void *buf, size_t len)
{
	struct kmem_iter iter;
	int ret;

	ret = kmem_iter_begin(&iter, map, kva, len, true);
	if (ret)
		return ret;
	while ((ret = kmem_iter_next(&iter)) > 0) {
		memcpy(iter.at, buf, iter.len);
		buf += iter.len;
		cond_resched();
	}
	kmem_iter_end(&iter);
	return ret;
}
EXPORT_SYMBOL_IF_KUNIT(kmem_write);

/* --- submaps and statistics */

/* Put a map where it belongs among the others: what holds it comes before it. */
static void kmem_area_link(struct kmem_area *area)
{
	struct kmem_area *other;

	mutex_lock(&kmem_areas_lock);
	list_for_each_entry(other, &kmem_areas, link)
		if (other->map.min_offset > area->map.min_offset)
			break;
	list_add_tail(&area->link, &other->link);
	mutex_unlock(&kmem_areas_lock);
}

static void kmem_area_free(struct kmem_area *area)
{
	mutex_lock(&kmem_areas_lock);
	list_del(&area->link);
	mutex_unlock(&kmem_areas_lock);
	kfree(area);
}

static struct kmem_area *kmem_area_alloc(const char *name)
{
	struct kmem_area *area = kzalloc(sizeof(*area), GFP_KERNEL);

	if (area) {
		area->name = name;
		init_waitqueue_head(&area->wait);
	}
	return area;
}

struct vm_map *kmem_suballoc(struct vm_map *parent, const char *name, vm_offset_t *min,
			     vm_offset_t *max, vm_size_t size)
{
	struct kmem_area *area = kmem_area_alloc(name);

	if (!area)
		return NULL;
	if (vm_map_system_insert(parent, NULL, &area->map, size, false, min) != KERN_SUCCESS) {
		kfree(area);
		return NULL;
	}
	*max = *min + size;
	vm_map_system_init(&area->map, *min, *max);
	kmem_area_link(area);
	return &area->map;
}
EXPORT_SYMBOL_IF_KUNIT(kmem_suballoc);

int kmem_subfree(struct vm_map *parent, struct vm_map *map)
{
	struct vm_map_entry *entry;

	if (READ_ONCE(map->nentries))
		return KERN_FAILURE;
	entry = vm_map_system_claim(parent, map->min_offset, map->max_offset, true);
	if (WARN_ON(!entry))
		return KERN_FAILURE;
	kmem_give_up(map_area(parent), entry);
	kmem_area_free(map_area(map));
	return KERN_SUCCESS;
}
EXPORT_SYMBOL_IF_KUNIT(kmem_subfree);

static void kmem_area_info(struct kmem_area *area, struct kmem_info *info)
{
	struct vm_map *map = &area->map;

	info->name = area->name;
	info->start = map->min_offset;
	info->end = map->max_offset;
	vm_map_lock(map);
	info->used = map->size;
	info->largest_free = vm_map_largest_free(map);
	info->entries = map->nentries;
	vm_map_unlock(map);
	info->allocations = atomic64_read(&area->allocations);
	info->failures = atomic64_read(&area->failures);
	info->sleeps = atomic64_read(&area->sleeps);
}

int kmem_info(unsigned int index, struct kmem_info *info)
{
	struct kmem_area *area;
	int ret = -ENOENT;

	mutex_lock(&kmem_areas_lock);
	list_for_each_entry(area, &kmem_areas, link) {
		if (index--)
			continue;
		kmem_area_info(area, info);
		ret = 0;
		break;
	}
	mutex_unlock(&kmem_areas_lock);
	return ret;
}
EXPORT_SYMBOL_IF_KUNIT(kmem_info);

/* --- start and end */

const struct uma_kmem kmem_slabs = {
	.alloc = kmem_slab_alloc,
	.free = kmem_slab_free,
	.page = kmem_page,
};
EXPORT_SYMBOL_IF_KUNIT(kmem_slabs);

int kmem_init(void)
{
	vm_size_t part = trunc_page((virtual_end - virtual_avail) / 16);
	struct kmem_area *area = kmem_area_alloc("kernel_map");

	if (!area)
		return -ENOMEM;
	kernel_map = &area->map;
	vm_map_system_init(kernel_map, virtual_avail, virtual_end);
	kmem_area_link(area);
	/* First fit puts them one behind the other, as the picture has them. */
	kmem_map = kmem_suballoc(kernel_map, "kmem_map", &kmembase, &kmemlimit,
				 KMEM_MAP_PART * part);
	buffer_map = kmem_suballoc(kernel_map, "buffer_map", &buffer_sva, &buffer_eva,
				   BUFFER_MAP_PART * part);
	exec_map = kmem_suballoc(kernel_map, "exec_map", &exec_sva, &exec_eva,
				 EXEC_MAP_PART * part);
	if (kmem_map && buffer_map && exec_map) {
		uma_set_kmem(&kmem_slabs);
		return 0;
	}
	kmem_fini();
	return -ENOMEM;
}

static void kmem_submap_fini(struct vm_map **map)
{
	if (*map)
		WARN_ON(kmem_subfree(kernel_map, *map) != KERN_SUCCESS);
	*map = NULL;
}

void kmem_fini(void)
{
	if (!kernel_map)
		return;
	uma_set_kmem(NULL);
	kmem_submap_fini(&exec_map);
	kmem_submap_fini(&buffer_map);
	kmem_submap_fini(&kmem_map);
	WARN_ON(kernel_map->nentries);
	kmem_area_free(map_area(kernel_map));
	kernel_map = NULL;
}
