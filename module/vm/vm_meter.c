// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * vm_meter: counters added up, entries and object chains described.
 */
#include "vm_meter.h"

#include <bsdvm.h>

#include "malloc.h"
#include "pmap.h"
#include "swap_pager.h"
#include "swap_reserve.h"
#include "vm_page.h"
#include "vm_pager.h"
#include "vm_phys.h"
#include "vmmeter.h"
#include "vnode_pager.h"

#define VM_PATH_MAX	1024

/* Pages of an object that are looked at before others may have its lock. */
#define VM_METER_PAGES		256

/* Objects that are looked at together. */
#define VM_METER_OBJECTS	64

static struct vmmeter vm_meter_total(void)
{
	struct vmmeter total = { 0 };
	const u64 *from;
	u64 *to = (u64 *)&total;
	unsigned int cpu, i;

	BUILD_BUG_ON(sizeof(total) % sizeof(u64));
	for_each_possible_cpu(cpu) {
		from = (const u64 *)per_cpu_ptr(&bsd_vmmeter, cpu);
		for (i = 0; i < sizeof(total) / sizeof(u64); i++)
			to[i] += READ_ONCE(from[i]);
	}
	return total;
}

void vm_meter_stats(struct bsdvm_stats *stats)
{
	struct vmmeter total = vm_meter_total();

	stats->v_vm_faults = total.v_vm_faults;
	stats->v_io_faults = total.v_io_faults;
	stats->v_cow_faults = total.v_cow_faults;
	stats->v_cow_optim = total.v_cow_optim;
	stats->v_zfod = total.v_zfod;
	stats->v_intrans = total.v_intrans;
	stats->v_vnodein = total.v_vnodein;
	stats->v_vnodeout = total.v_vnodeout;
	stats->v_vnodepgsin = total.v_vnodepgsin;
	stats->v_vnodepgsout = total.v_vnodepgsout;
	stats->v_tfree = total.v_tfree;
	stats->v_forks = total.v_forks;
	stats->v_forkpages = total.v_forkpages;
	stats->v_prefault = total.v_prefault;
	stats->v_shootdowns = total.v_shootdowns;
	stats->v_shootdown_cpus = total.v_shootdown_cpus;
	stats->o_collapses = total.o_collapses;
	stats->o_bypasses = total.o_bypasses;
	stats->o_count = total.o_count;
	stats->v_page_size = VM_PAGE_SIZE;
	stats->v_page_count = vm_phys_page_count();
	stats->v_free_count = vm_free_count();
	stats->v_wire_count = vm_wire_count();
	stats->v_active_count = vm_page_queue_count(PQ_ACTIVE);
	stats->v_inactive_count = vm_page_queue_count(PQ_INACTIVE);
	stats->v_laundry_count = vm_page_queue_count(PQ_LAUNDRY);
	stats->v_user_wire_count = vm_map_user_wire_count();
	stats->v_swap_reserved = swap_reserved();
	stats->v_swap_total = swap_total();
	stats->v_lazyfree_count = total.v_lazyfree;
	stats->v_stackgrows = total.v_stackgrows;
	stats->v_reactivated = total.v_reactivated;
	stats->v_swapin = total.v_swapin;
	stats->v_swapout = total.v_swapout;
	stats->v_swappgsin = total.v_swappgsin;
	stats->v_swappgsout = total.v_swappgsout;
	stats->v_pdwakeups = total.v_pdwakeups;
	stats->v_pdpages = total.v_pdpages;
	stats->v_pdshortfalls = total.v_pdshortfalls;
	stats->v_dfree = total.v_dfree;
	/* Who freed the rest exited or unmapped. */
	stats->v_pfree = total.v_tfree - min(total.v_tfree, total.v_dfree);
	stats->v_lock_miss = total.v_lock_miss;
	stats->v_pagein_errors = total.v_pagein_errors;
	stats->v_pageout_errors = total.v_pageout_errors;
	stats->v_vmspace_swapout = total.v_vmspace_swapout;
	stats->v_vmspace_swapin = total.v_vmspace_swapin;
	stats->v_vmspaces_out = total.v_vmspace_swapout - total.v_vmspace_swapin;
	stats->v_oom_kills = total.v_oom_kills;
	stats->v_free_target = vm_dom.v_free_target;
	stats->v_free_min = vm_dom.v_free_min;
	stats->v_free_reserved = vm_dom.v_free_reserved;
	stats->v_inactive_target = vm_dom.v_inactive_target;
	stats->v_pageout_free_min = vm_dom.v_pageout_free_min;
	stats->v_interrupt_free_min = vm_dom.v_interrupt_free_min;
	stats->v_free_severe = vm_dom.v_free_severe;
	stats->v_unswappable_count = vm_page_queue_count(PQ_UNSWAPPABLE);
	stats->v_kmem_count = vm_kmem_count();
	swap_pager_status(&stats->v_swap_size, &stats->v_swap_inuse);
}

/**
 * struct chain - a chain of objects, referenced
 * @link: the objects, topmost first
 * @offset: byte offset of the entry in each
 * @n: how many
 * @room: room in the arrays
 */
struct chain {
	struct vm_object **link;
	vm_ooffset_t *offset;
	unsigned int n;
	unsigned int room;
};

static void chain_free(struct chain *chain)
{
	unsigned int i;

	for (i = 0; i < chain->n; i++)
		vm_object_deallocate(chain->link[i]);
	free(chain->link, M_TEMP);
	free(chain->offset, M_TEMP);
}

static int chain_grow(struct chain *chain)
{
	unsigned int room = chain->room ? 2 * chain->room : 16;
	struct vm_object **link = malloc(room * sizeof(*link), M_TEMP, M_NOWAIT | M_ZERO);
	vm_ooffset_t *offset = malloc(room * sizeof(*offset), M_TEMP, M_NOWAIT | M_ZERO);

	if (!link || !offset) {
		free(link, M_TEMP);
		free(offset, M_TEMP);
		return -ENOMEM;
	}
	if (chain->n) {
		memcpy(link, chain->link, chain->n * sizeof(*link));
		memcpy(offset, chain->offset, chain->n * sizeof(*offset));
	}
	free(chain->link, M_TEMP);
	free(chain->offset, M_TEMP);
	chain->link = link;
	chain->offset = offset;
	chain->room = room;
	return 0;
}

/* Take over a reference to @object and reference all that is below. */
static int chain_gather(struct chain *chain, struct vm_object *object, vm_ooffset_t offset)
{
	struct vm_object *backing;

	while (object) {
		if (chain->n == chain->room && chain_grow(chain)) {
			vm_object_deallocate(object);
			return -ENOMEM;
		}
		chain->link[chain->n] = object;
		chain->offset[chain->n++] = offset;
		VM_OBJECT_RLOCK(object);
		offset += object->backing_object_offset;
		backing = object->backing_object;
		vm_object_reference(backing);
		VM_OBJECT_RUNLOCK(object);
		object = backing;
	}
	return 0;
}

/* Pages seen through a window of @size bytes: each place once, from any level. */
static u32 chain_resident(const struct chain *chain, vm_size_t size)
{
	vm_pindex_t at = 0, pages = OFF_TO_IDX(size), nearest;
	unsigned long index;
	vm_pindex_t first;
	unsigned int i;
	u32 n = 0;

	for (;; at = nearest + 1, n++) {
		nearest = pages;
		for (i = 0; i < chain->n; i++) {
			first = OFF_TO_IDX(chain->offset[i]);
			index = first + at;
			/* Also where the object ends before the window does. */
			if (at < nearest && xa_find(&chain->link[i]->pages, &index,
						    first + nearest - 1, XA_PRESENT))
				nearest = index - first;
		}
		if (nearest >= pages)
			return n;
		cond_resched();
	}
}

static void fill_object(struct bsdvm_vmobject *kvo, struct vm_object *object)
{
	memset(kvo, 0, sizeof(*kvo));
	VM_OBJECT_RLOCK(object);
	kvo->kvo_id = object->id;
	kvo->kvo_size = object->size;
	kvo->kvo_backing_offset = object->backing_object_offset;
	kvo->kvo_type = vm_pager_type(object);
	kvo->kvo_ref_count = refcount_read(&object->ref_count) - 1; /* but ours */
	kvo->kvo_shadow_count = object->shadow_count;
	kvo->kvo_resident = object->resident_page_count;
	VM_OBJECT_RUNLOCK(object);
}

static u32 entry_flags(u32 eflags)
{
	u32 flags = 0;

	if (eflags & MAP_ENTRY_COW)
		flags |= BSDVM_KVME_FLAG_COW;
	if (eflags & MAP_ENTRY_NEEDS_COPY)
		flags |= BSDVM_KVME_FLAG_NEEDS_COPY;
	if (eflags & MAP_ENTRY_NOCOREDUMP)
		flags |= BSDVM_KVME_FLAG_NOCOREDUMP;
	if (eflags & MAP_ENTRY_GROWS_DOWN)
		flags |= BSDVM_KVME_FLAG_GROWS_DOWN;
	if (eflags & MAP_ENTRY_USER_WIRED)
		flags |= BSDVM_KVME_FLAG_USER_WIRED;
	if (eflags & MAP_ENTRY_NOSYNC)
		flags |= BSDVM_KVME_FLAG_NOSYNC;
	if (eflags & MAP_ENTRY_IMMUTABLE)
		flags |= BSDVM_KVME_FLAG_IMMUTABLE;
	if (eflags & MAP_ENTRY_BEHAV_RANDOM)
		flags |= BSDVM_KVME_FLAG_RANDOM;
	if (eflags & MAP_ENTRY_BEHAV_SEQ)
		flags |= BSDVM_KVME_FLAG_SEQUENTIAL;
	if (eflags & MAP_ENTRY_CHARGED)
		flags |= BSDVM_KVME_FLAG_CHARGED;
	return flags;
}

static void fill_entry(struct bsdvm_vmentry *kve, const struct vm_map_entry *entry)
{
	memset(kve, 0, sizeof(*kve));
	kve->kve_start = entry->start;
	kve->kve_end = entry->end;
	kve->kve_offset = entry->offset;
	kve->kve_flags = entry_flags(entry->eflags);
	kve->kve_protection = entry->protection;
	kve->kve_max_protection = entry->max_protection;
	kve->kve_inheritance = entry->inheritance;
	kve->kve_wired_count = entry->wired_count;
	kve->kve_type = entry->eflags & MAP_ENTRY_GUARD ? BSDVM_KVME_TYPE_GUARD :
							  BSDVM_KVME_TYPE_NONE;
}

static void fill_vnode(struct bsdvm_vmentry *kve, struct vm_object *object)
{
	struct vnode_attr attr;

	vnode_pager_getattr(object, &attr);
	kve->kve_vn_fileid = attr.fileid;
	kve->kve_vn_fsid = attr.fsid;
	kve->kve_vn_rdev = attr.rdev;
	kve->kve_vn_size = attr.size;
	kve->kve_vn_mode = attr.mode;
	kve->kve_vn_type = BSDVM_KF_VTYPE_VREG;
}

static ssize_t fill_record(struct bsdvm_vmentry *kve, struct chain *chain, void *buf, size_t len,
			   char *path_buf)
{
	struct vm_object *bottom = chain->n ? chain->link[chain->n - 1] : NULL;
	vm_size_t size = kve->kve_end - kve->kve_start;
	struct bsdvm_vmobject *kvo;
	const char *path = NULL;
	vm_pindex_t first;
	size_t total;
	unsigned int i;

	if (bottom) {
		kve->kve_type = vm_pager_type(bottom);
		kve->kve_resident = chain_resident(chain, size);
		first = OFF_TO_IDX(kve->kve_offset);
		VM_OBJECT_RLOCK(chain->link[0]);
		kve->kve_private_resident = vm_object_resident(chain->link[0], first,
							       first + OFF_TO_IDX(size));
		VM_OBJECT_RUNLOCK(chain->link[0]);
		if (bottom->type == OBJT_VNODE) {
			fill_vnode(kve, bottom);
			path = vnode_pager_path(bottom, path_buf, VM_PATH_MAX);
		}
	}
	kve->kve_nobjects = chain->n;
	kve->kve_path_len = path ? strlen(path) + 1 : 0;
	total = sizeof(*kve) + chain->n * sizeof(*kvo) + kve->kve_path_len;
	kve->kve_structsize = ALIGN(total, 8);
	if (kve->kve_structsize > len)
		return -ENOSPC;

	memset(buf, 0, kve->kve_structsize);
	kvo = buf + sizeof(*kve);
	for (i = 0; i < chain->n; i++)
		fill_object(&kvo[i], chain->link[i]);
	if (chain->n) {
		kve->kve_ref_count = kvo[0].kvo_ref_count;
		kve->kve_shadow_count = kvo[0].kvo_shadow_count;
	}
	if (path)
		memcpy(kvo + chain->n, path, kve->kve_path_len);
	memcpy(buf, kve, sizeof(*kve));
	return kve->kve_structsize;
}

ssize_t vm_meter_entry(struct vm_map *map, u64 *start, void *buf, size_t len)
{
	struct vm_object *object = NULL;
	struct vm_map_entry *entry;
	struct bsdvm_vmentry kve;
	struct chain chain = { 0 };
	char *path_buf;
	ssize_t ret;

	*start = trunc_page(*start);
	vm_map_lock_read(map);
	entry = vm_map_lookup_entry_ge(map, *start);
	if (entry) {
		fill_entry(&kve, entry);
		if (kve.kve_start < *start) {
			/* What is below has been listed, perhaps as another entry. */
			if (!(entry->eflags & MAP_ENTRY_GUARD))
				kve.kve_offset += *start - kve.kve_start;
			kve.kve_start = *start;
		}
		object = entry->object;
		vm_object_reference(object);
	}
	vm_map_unlock_read(map);
	if (!entry)
		return 0;

	path_buf = malloc(VM_PATH_MAX, M_TEMP, M_NOWAIT);
	if (!path_buf) {
		vm_object_deallocate(object);
		return -ENOMEM;
	}
	ret = chain_gather(&chain, object, kve.kve_offset);
	if (!ret)
		ret = fill_record(&kve, &chain, buf, len, path_buf);
	if (ret > 0)
		*start = kve.kve_end;
	chain_free(&chain);
	free(path_buf, M_TEMP);
	return ret;
}

/* The object that the entry at an address has on top, referenced; or NULL. */
static struct vm_object *entry_object(struct vm_map *map, u64 addr)
{
	struct vm_object *object = NULL;
	struct vm_map_entry *entry;

	vm_map_lock_read(map);
	if (vm_map_lookup_entry(map, addr, &entry)) {
		object = entry->object;
		vm_object_reference(object);
	}
	vm_map_unlock_read(map);
	return object;
}

struct vm_object *vm_meter_object(struct vm_map *map, u64 addr, u64 id)
{
	struct vm_object *object = entry_object(map, addr), *backing;

	while (object && object->id != id) {
		VM_OBJECT_RLOCK(object);
		backing = object->backing_object;
		vm_object_reference(backing);
		VM_OBJECT_RUNLOCK(object);
		vm_object_deallocate(object);
		object = backing;
	}
	return object;
}

/* The first page from @at on that there is something of, BSDVM_PAGE_*; @end for none. */
static vm_pindex_t object_next_page(struct vm_object *object, vm_pindex_t at, vm_pindex_t end,
				    u32 *flags)
{
	vm_pindex_t swapped = at, nearest;
	unsigned long resident = at;

	VM_OBJECT_ASSERT_LOCKED(object);
	if (at >= end)
		return end;
	if (!xa_find(&object->pages, &resident, end - 1, XA_PRESENT))
		resident = end;
	if (!vm_pager_swapped(object) || !vm_pager_ops(object)->next(object, &swapped, end))
		swapped = end;
	nearest = min_t(vm_pindex_t, resident, swapped);
	*flags = (resident == nearest ? BSDVM_PAGE_RESIDENT : 0) |
		 (swapped == nearest ? BSDVM_PAGE_SWAPPED : 0);
	return nearest;
}

/* Put a page behind the runs there are; false when it needs a new one, and no room is. */
static bool runs_add(struct bsdvm_pagerun *runs, unsigned int *n, unsigned int max,
		     vm_pindex_t pindex, u32 flags)
{
	struct bsdvm_pagerun *last = runs + *n - 1;

	if (*n && last->pr_flags == flags && last->pr_start + last->pr_count == pindex) {
		last->pr_count++;
		return true;
	}
	if (*n == max)
		return false;
	runs[(*n)++] = (struct bsdvm_pagerun){
		.pr_start = pindex,
		.pr_count = 1,
		.pr_flags = flags,
	};
	return true;
}

unsigned int vm_meter_pages(struct vm_object *object, u64 *start, struct bsdvm_pagerun *runs,
			    unsigned int max, bool *more)
{
	unsigned int n = 0, looked;
	vm_pindex_t end, at;
	u32 flags;

	*more = true;
	do {
		VM_OBJECT_RLOCK(object);
		end = vm_object_sized(object) ? object->size : ULONG_MAX;
		for (looked = 0; *more && looked < VM_METER_PAGES; looked++) {
			at = object_next_page(object, *start, end, &flags);
			*more = at < end;
			if (!*more || !runs_add(runs, &n, max, at, flags))
				break;
			*start = at + 1;
		}
		VM_OBJECT_RUNLOCK(object);
		cond_resched();
	} while (looked == VM_METER_PAGES);
	return n;
}

/* Pages mapped now; none when the window has just gone. */
static int rusage_resident(struct vm_map *map, unsigned long *pages)
{
	int ret = pmap_pin(map->pmap);

	*pages = 0;
	if (ret == -ENXIO)
		return 0;
	if (ret)
		return ret;
	*pages = pmap_resident_count(map->pmap, map->min_offset, map->max_offset);
	pmap_unpin(map->pmap);
	return 0;
}

/* Note that @pages were resident; returns the most there ever were. */
static unsigned long rusage_maxrss(struct vmspace *vm, unsigned long pages)
{
	long most = atomic_long_read(&vm->vm_maxrss);

	while (most < (long)pages && !atomic_long_try_cmpxchg(&vm->vm_maxrss, &most, pages))
		;
	return max_t(unsigned long, most, pages);
}

int vm_meter_rusage(struct vmspace *vm, struct bsdvm_rusage *usage)
{
	struct vm_map *map = &vm->vm_map;
	struct vm_map_entry *entry;
	unsigned long resident;
	int ret;

	ret = rusage_resident(map, &resident);
	if (ret)
		return ret;
	usage->ru_minflt = atomic_long_read(&vm->vm_minflt);
	usage->ru_majflt = atomic_long_read(&vm->vm_majflt);
	usage->ru_maxrss = ptoa(rusage_maxrss(vm, resident)) / 1024;
	usage->ru_nswap = READ_ONCE(vm->vm_nswap);
	usage->vm_rssize = resident;

	vm_map_lock_read(map);
	usage->vm_size = map->size;
	usage->vm_tsize = atop(round_page(vm->vm_tsize));
	usage->vm_dsize = atop(round_page(vm->vm_dsize));
	usage->vm_taddr = vm->vm_taddr;
	usage->vm_daddr = vm->vm_daddr;
	usage->vm_maxsaddr = vm->vm_maxsaddr;
	usage->vm_wired = map->wired;
	usage->vm_charge = map->charge;
	usage->vm_entries = map->nentries;
	usage->vm_flags = (map->flags & MAP_WIREFUTURE ? BSDVM_VMSPACE_WIREFUTURE : 0) |
			  (READ_ONCE(vm->vm_protected) ? BSDVM_VMSPACE_PROTECTED : 0);
	VM_MAP_ENTRY_FOREACH(entry, map) {
		if (entry->eflags & MAP_ENTRY_GROWS_DOWN)
			usage->vm_ssize += atop(entry->end - entry->start);
		/* What was promised to one entry moves to its object at a fork. */
		if (entry->object && (entry->object->flags & OBJ_ANON))
			usage->vm_charge += READ_ONCE(entry->object->charge);
	}
	vm_map_unlock_read(map);
	return 0;
}

static size_t fill_kvmobject(const struct vm_object_info *info, bool paths, void *buf, size_t len,
			     char *path_buf)
{
	struct bsdvm_kvmobject kvo = {
		.kvo_type = info->type,
		.kvo_id = info->id,
		.kvo_size = info->size,
		.kvo_resident = info->resident,
		.kvo_active = info->active,
		.kvo_inactive = info->inactive,
		.kvo_backing_id = info->backing_id,
		.kvo_ref_count = info->ref_count,
		.kvo_shadow_count = info->shadow_count,
		.kvo_memattr = info->memattr,
	};
	const char *path = NULL;
	struct vnode_attr attr;

	if (info->file) {
		vnode_pager_getattr(info->file, &attr);
		kvo.kvo_vn_fileid = attr.fileid;
		kvo.kvo_vn_fsid = attr.fsid;
		if (paths)
			path = vnode_pager_path(info->file, path_buf, VM_PATH_MAX);
	}
	kvo.kvo_path_len = path ? strlen(path) + 1 : 0;
	kvo.kvo_structsize = ALIGN(sizeof(kvo) + kvo.kvo_path_len, 8);
	if (kvo.kvo_structsize > len)
		return 0;
	memset(buf, 0, kvo.kvo_structsize);
	memcpy(buf, &kvo, sizeof(kvo));
	if (path)
		memcpy(buf + sizeof(kvo), path, kvo.kvo_path_len);
	return kvo.kvo_structsize;
}

ssize_t vm_meter_objects(u64 *after, bool paths, void *buf, size_t len, u32 *count, bool *more)
{
	struct vm_object_info *info = malloc(VM_METER_OBJECTS * sizeof(*info), M_TEMP, M_WAITOK);
	char *path_buf = malloc(VM_PATH_MAX, M_TEMP, M_WAITOK);
	size_t done = 0, size = 1;
	int n = -ENOMEM, i;

	*count = 0;
	if (info)
		n = vm_object_list(*after, info, VM_METER_OBJECTS);
	for (i = 0; i < n; i++) {
		/* The records are in order: what comes after one that does not fit waits. */
		if (size)
			size = fill_kvmobject(&info[i], paths, buf + done, len - done, path_buf);
		vm_object_deallocate(info[i].file);
		if (!size)
			continue;
		done += size;
		*after = info[i].id;
		++*count;
	}
	*more = !size || n == VM_METER_OBJECTS;
	free(path_buf, M_TEMP);
	free(info, M_TEMP);
	return n < 0 ? n : done;
}
