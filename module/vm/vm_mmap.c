// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * vm_mmap: argument checks of the system calls on mappings, and what they call.
 *
 * The order of the checks is FreeBSD's: where two arguments are wrong the first
 * check decides which errno is seen.
 *
 * A call that may change translations runs in a bracket: page tables pinned, map
 * locked and changed, unpinned, and only then what was taken out of the map is
 * freed, since the last mapping of a file means I/O.
 */
#include "vm_mmap.h"

#include <bsdvm.h>

#include "device_pager.h"
#include "pmap.h"
#include "uipc_shm.h"
#include "vm_fault.h"
#include "vm_page.h"
#include "vm_phys.h"
#include "vm_unix.h"
#include "vnode_pager.h"

unsigned int vm_mincore_mapped = 1;
unsigned int vm_imply_prot_max;
unsigned int vm_unprivileged_mlock = 1;

static_assert(MINCORE_INCORE == BSDVM_MINCORE_INCORE);
static_assert(MINCORE_REFERENCED == BSDVM_MINCORE_REFERENCED);
static_assert(MINCORE_MODIFIED == BSDVM_MINCORE_MODIFIED);
static_assert(MINCORE_REFERENCED_OTHER == BSDVM_MINCORE_REFERENCED_OTHER);
static_assert(MINCORE_MODIFIED_OTHER == BSDVM_MINCORE_MODIFIED_OTHER);
static_assert(VM_ADVICE_NORMAL == BSDVM_MADV_NORMAL);
static_assert(VM_ADVICE_RANDOM == BSDVM_MADV_RANDOM);
static_assert(VM_ADVICE_SEQUENTIAL == BSDVM_MADV_SEQUENTIAL);
static_assert(VM_ADVICE_DONTNEED == BSDVM_MADV_DONTNEED);
static_assert(VM_ADVICE_FREE == BSDVM_MADV_FREE);
static_assert(VM_ADVICE_NOSYNC == BSDVM_MADV_NOSYNC);
static_assert(VM_ADVICE_AUTOSYNC == BSDVM_MADV_AUTOSYNC);
static_assert(VM_ADVICE_NOCORE == BSDVM_MADV_NOCORE);
static_assert(VM_ADVICE_CORE == BSDVM_MADV_CORE);

#define PROT_BITS	((u32)BSDVM_PROT_ALL)
#define PROT_MAX_BITS	BSDVM_PROT_MAX(PROT_BITS)

#define MAP_KNOWN \
	(BSDVM_MAP_SHARED | BSDVM_MAP_PRIVATE | BSDVM_MAP_FIXED | BSDVM_MAP_RESERVED0020 | \
	 BSDVM_MAP_RESERVED0040 | BSDVM_MAP_HASSEMAPHORE | BSDVM_MAP_STACK | \
	 BSDVM_MAP_NOSYNC | BSDVM_MAP_ANON | BSDVM_MAP_GUARD | BSDVM_MAP_EXCL | \
	 BSDVM_MAP_NOCORE | BSDVM_MAP_PREFAULT_READ | BSDVM_MAP_32BIT | \
	 BSDVM_MAP_ALIGNMENT_MASK)

#define MAP_GUARD_ALLOWED \
	(BSDVM_MAP_GUARD | BSDVM_MAP_FIXED | BSDVM_MAP_EXCL | BSDVM_MAP_32BIT | \
	 BSDVM_MAP_ALIGNMENT_MASK)

/* MAP_32BIT means the first 2 GiB. */
#define MAP_32BIT_MAX	0x80000000ULL

/* Alignment of BSDVM_MAP_ALIGNED_SUPER. */
#define SUPERPAGE_SHIFT	21

/* Bytes that BSDVM_MAP_PREFAULT_READ reads ahead. */
#define PREFAULT_READ_MAX	(16 * VM_PAGE_SIZE)

int vm_mmap_to_errno(int rv)
{
	switch (rv) {
	case KERN_SUCCESS:
		return 0;
	case KERN_INVALID_ADDRESS:
	case KERN_NO_SPACE:
	case KERN_RESOURCE_SHORTAGE:
		return -ENOMEM;
	case KERN_PROTECTION_FAILURE:
		return -EACCES;
	case KERN_NO_ACCESS:
		return -EPERM;
	case KERN_OUT_OF_BOUNDS:
		return -EOPNOTSUPP;
	case KERN_NOT_RECEIVER:
		return -ENXIO; /* or the process is being killed, and never sees it */
	default:
		return -EINVAL;
	}
}

bool vm_mmap_again(struct vm_map *map, int rv, int *ret)
{
	if (rv != KERN_RESTART) {
		*ret = vm_mmap_to_errno(rv);
		return false;
	}
	*ret = vm_map_transition_wait(map);
	return !*ret;
}

int vm_mmap_check_wired(struct vm_map *map, vm_size_t size)
{
	if (!(READ_ONCE(map->flags) & MAP_WIREFUTURE))
		return 0;
	return size > rlimit(RLIMIT_MEMLOCK) ||
	       READ_ONCE(map->wired) > rlimit(RLIMIT_MEMLOCK) - size ? -ENOMEM : 0;
}

int vm_mmap_wire_future(struct vm_map *map, vm_offset_t start, vm_offset_t end,
			unsigned int flags)
{
	int rv;

	if (!(READ_ONCE(map->flags) & MAP_WIREFUTURE))
		return 0;
	rv = vm_map_wire(map, start, end, flags, vm_fault_wire);
	if (rv == KERN_FAILURE && fatal_signal_pending(current))
		return -EINTR;
	return rv == KERN_SUCCESS ? 0 : -ENOMEM;
}

/* Widen [*addr, *addr + *len) to whole pages; false when it wraps. */
static bool page_range(u64 *addr, u64 *len)
{
	u64 pageoff = *addr & VM_PAGE_MASK, size;

	*addr -= pageoff;
	if (check_add_overflow(*len, pageoff, &size))
		return false;
	if (round_page(size) < size)
		return false;
	*len = round_page(size);
	return *addr + *len >= *addr;
}

/* Split prot into protection and maximum. */
static int prot_split(u32 prot, vm_prot_t *new_prot, vm_prot_t *maxprot, bool *max_given)
{
	if (prot & ~(PROT_BITS | PROT_MAX_BITS))
		return -EINVAL;
	*new_prot = prot & PROT_BITS;
	*maxprot = (prot & PROT_MAX_BITS) >> 16;
	*max_given = *maxprot;
	if (!*max_given)
		*maxprot = VM_PROT_ALL;
	return *new_prot & ~*maxprot ? -EOPNOTSUPP : 0;
}

static int mmap_check_flags(const struct mmap_req *req, vm_prot_t prot)
{
	u32 flags = req->flags;

	if (!req->len)
		return -EINVAL;
	if ((flags & BSDVM_MAP_ANON) && (req->fd != -1 || req->pos))
		return -EINVAL;
	if ((flags & BSDVM_MAP_STACK) &&
	    (req->fd != -1 || (prot & (VM_PROT_READ | VM_PROT_WRITE)) !=
			      (VM_PROT_READ | VM_PROT_WRITE)))
		return -EINVAL;
	if (flags & ~MAP_KNOWN)
		return -EINVAL;
	if ((flags & (BSDVM_MAP_EXCL | BSDVM_MAP_FIXED)) == BSDVM_MAP_EXCL)
		return -EINVAL;
	if ((flags & (BSDVM_MAP_SHARED | BSDVM_MAP_PRIVATE)) ==
	    (BSDVM_MAP_SHARED | BSDVM_MAP_PRIVATE))
		return -EINVAL;
	if ((flags & BSDVM_MAP_GUARD) &&
	    (prot != VM_PROT_NONE || req->fd != -1 || req->pos || (flags & ~MAP_GUARD_ALLOWED)))
		return -EINVAL;
	return 0;
}

/**
 * struct mmap_place - where a mapping is to go
 * @addr: address or hint, page aligned
 * @size: bytes, page aligned
 * @align: power of two, plus the object's colour
 * @max: the mapping must end at or below this address
 * @pageoff: bytes that the file offset was off a page; added to the result
 */
struct mmap_place {
	vm_offset_t addr;
	vm_size_t size;
	vm_size_t align;
	vm_offset_t max;
	u64 pageoff;
};

static int mmap_check_place(struct vmspace *vm, const struct mmap_req *req,
			    struct mmap_place *place)
{
	const struct vm_map *map = &vm->vm_map;
	u32 shift = req->flags >> BSDVM_MAP_ALIGNMENT_SHIFT;
	vm_offset_t end;

	place->pageoff = req->pos & VM_PAGE_MASK;
	if (check_add_overflow(req->len, place->pageoff, &place->size) ||
	    round_page(place->size) < place->size)
		return -ENOMEM;
	place->size = round_page(place->size);

	if (shift == 1)
		shift = SUPERPAGE_SHIFT;
	else if (shift && (shift < VM_PAGE_SHIFT || shift >= 64))
		return -EINVAL;
	place->align = shift ? 1ULL << shift : VM_PAGE_SIZE;
	/* So that the file's superpages are superpages of the address space. */
	if (req->flags >> BSDVM_MAP_ALIGNMENT_SHIFT == 1)
		place->align += (req->pos - place->pageoff) & (place->align - 1);
	place->max = map->max_offset;

	if (req->flags & BSDVM_MAP_FIXED) {
		place->addr = req->addr - place->pageoff;
		if (place->addr & VM_PAGE_MASK)
			return -EINVAL;
		if (place->addr < map->min_offset ||
		    check_add_overflow(place->addr, place->size, &end) || end > map->max_offset)
			return -EINVAL;
		if ((req->flags & BSDVM_MAP_32BIT) && end > MAP_32BIT_MAX)
			return -EINVAL;
		return 0;
	}
	/* A hint that cannot be met is no error. */
	place->addr = round_page(req->addr);
	if (place->addr < map->min_offset || place->addr >= map->max_offset)
		place->addr = 0;
	if (req->flags & BSDVM_MAP_32BIT)
		place->max = min_t(u64, place->max, MAP_32BIT_MAX);
	else if (!place->addr ||
		 (place->addr >= vm->vm_taddr && place->addr < vmspace_data_end(vm)))
		/* Room is left for the heap. */
		place->addr = vmspace_data_end(vm);
	return 0;
}

/* How vm_map_insert() is told about the flags. */
static int mmap_cow(u32 flags)
{
	int cow = 0;

	if (flags & BSDVM_MAP_NOSYNC)
		cow |= MAP_DISABLE_SYNCER;
	if (flags & BSDVM_MAP_NOCORE)
		cow |= MAP_DISABLE_COREDUMP;
	if (flags & BSDVM_MAP_GUARD)
		cow |= MAP_CREATE_GUARD;
	if (flags & BSDVM_MAP_STACK)
		cow |= MAP_STACK_GROWS_DOWN;
	if (flags & BSDVM_MAP_SHARED)
		cow |= MAP_INHERIT_SHARE;
	return cow;
}

/* Does all of the mapping lie where files can be? */
static bool mmap_pos_valid(const struct mmap_req *req, const struct mmap_place *place)
{
	return req->pos >= 0 && req->pos - place->pageoff + place->size <= S64_MAX;
}

/*
 * The object of a file mapping, NULL for /dev/zero; and what the descriptor
 * allows.
 */
static int mmap_file(const struct mmap_req *req, const struct mmap_place *place, vm_prot_t prot,
		     struct file *file, vm_prot_t *maxprot, struct vm_object **object)
{
	bool shared = req->flags & BSDVM_MAP_SHARED;
	vm_prot_t file_prot;
	bool zero;
	int ret;

	ret = vnode_pager_maxprot(file, shared, &file_prot, &zero);
	if (ret)
		return ret;
	if (!(req->flags & (BSDVM_MAP_SHARED | BSDVM_MAP_PRIVATE)))
		return -EINVAL;
	if (prot & ~file_prot)
		return -EACCES;
	if (shared && vnode_pager_denies_write(file)) {
		if (prot & VM_PROT_WRITE)
			return -EPERM;
		file_prot &= ~VM_PROT_WRITE;
	}
	*maxprot &= file_prot;
	if (zero)
		return 0;
	if (!mmap_pos_valid(req, place))
		return -EINVAL;
	return vnode_pager_alloc(file, shared && (file_prot & VM_PROT_WRITE), object);
}

/*
 * The object of a device that a driver offers. Where its memory begins and ends the
 * driver knows. Nobody has a copy of it.
 */
static int mmap_cdev(const struct mmap_req *req, const struct mmap_place *place, vm_prot_t prot,
		     dev_t dev, vm_prot_t dev_prot, vm_prot_t *maxprot, struct vm_object **object)
{
	if (!cdev_pager_known(dev))
		return -ENODEV;
	if (!(req->flags & (BSDVM_MAP_SHARED | BSDVM_MAP_PRIVATE)))
		return -EINVAL;
	if (prot & ~dev_prot)
		return -EACCES;
	if (!(req->flags & BSDVM_MAP_SHARED))
		return -EINVAL;
	*maxprot &= dev_prot;
	return cdev_pager_allocate(dev, req->pos - place->pageoff, place->size, object);
}

/* The object that a descriptor means, with a reference; NULL for /dev/zero. */
static int mmap_object(struct mmap_req *req, const struct mmap_place *place, vm_prot_t prot,
		       vm_prot_t *maxprot, struct vm_object **object)
{
	bool shared = req->flags & BSDVM_MAP_SHARED;
	vm_prot_t dev_prot;
	struct file *file;
	dev_t dev;
	int ret;

	if (req->shm) {
		if (!(req->flags & (BSDVM_MAP_SHARED | BSDVM_MAP_PRIVATE)))
			return -EINVAL;
		ret = shm_mmap(req->shm, req->shm_prot, shared, prot, maxprot, object);
		if (!ret && !mmap_pos_valid(req, place)) {
			vm_object_deallocate(*object);
			ret = -EINVAL;
		}
		return ret;
	}
	file = vnode_pager_getfile(req->fd);
	if (!file)
		return -EBADF;
	if (vnode_pager_cdev(file, shared, &dev_prot, &dev))
		ret = mmap_cdev(req, place, prot, dev, dev_prot, maxprot, object);
	else
		ret = mmap_file(req, place, prot, file, maxprot, object);
	if (!ret && vnode_pager_unlinked(file))
		req->flags |= BSDVM_MAP_NOSYNC;
	vnode_pager_putfile(file);
	return ret;
}

/* Everything is known and checked: change the map. Takes over the reference. */
static int mmap_insert(struct vm_map *map, const struct mmap_req *req, struct mmap_place *place,
		       struct vm_object *object, vm_prot_t prot, vm_prot_t maxprot)
{
	vm_ooffset_t offset = object ? req->pos - place->pageoff : 0;
	int cow = mmap_cow(req->flags), rv, ret;
	LIST_HEAD(deferred);

	if (object && !(req->flags & BSDVM_MAP_SHARED))
		cow |= MAP_COPY_ON_WRITE;
	do {
		if (!(req->flags & BSDVM_MAP_FIXED)) {
			rv = vm_map_find(map, object, offset, &place->addr, place->size,
					 place->align, place->max, prot, maxprot, cow);
			continue;
		}
		ret = pmap_pin(map->pmap);
		if (ret)
			break;
		rv = vm_map_fixed(map, object, offset, place->addr, place->size, prot, maxprot,
				  cow, req->flags & BSDVM_MAP_EXCL, &deferred);
		pmap_unpin(map->pmap);
		vm_map_process_deferred(&deferred);
	} while (vm_mmap_again(map, rv, &ret));
	if (ret)
		vm_object_deallocate(object);
	return ret;
}

/* Limits on what a process maps. */
static int mmap_check_limits(struct vm_map *map, vm_size_t size)
{
	if (size > rlimit(RLIMIT_AS) || READ_ONCE(map->size) > rlimit(RLIMIT_AS) - size)
		return -ENOMEM;
	return vm_mmap_check_wired(map, size);
}

/* All that is checked before anything is looked up. */
static int mmap_check(struct vmspace *vm, struct mmap_req *req, struct mmap_place *place,
		      vm_prot_t *prot, vm_prot_t *maxprot)
{
	bool max_given;
	int ret;

	ret = prot_split(req->prot, prot, maxprot, &max_given);
	if (!ret)
		ret = mmap_check_flags(req, *prot);
	if (ret)
		return ret;
	if (!max_given && READ_ONCE(vm_imply_prot_max) && *prot)
		*maxprot = *prot;
	if (req->flags & BSDVM_MAP_STACK)
		req->pos = 0;
	return mmap_check_place(vm, req, place);
}

#define MAP_NO_OBJECT	(BSDVM_MAP_ANON | BSDVM_MAP_GUARD | BSDVM_MAP_STACK)

int kern_mmap(struct vmspace *vm, struct mmap_req *req)
{
	struct vm_map *map = &vm->vm_map;
	struct vm_object *object = NULL;
	struct mmap_place place;
	vm_prot_t prot, maxprot;
	u32 outcome;
	u64 done;
	int ret;

	ret = mmap_check(vm, req, &place, &prot, &maxprot);
	if (!ret && !(req->flags & MAP_NO_OBJECT))
		ret = mmap_object(req, &place, prot, &maxprot, &object);
	if (ret)
		return ret;
	ret = mmap_check_limits(map, place.size);
	if (ret) {
		vm_object_deallocate(object);
		return ret;
	}
	ret = mmap_insert(map, req, &place, object, prot, maxprot);
	if (ret)
		return ret;
	req->addr = place.addr + place.pageoff;
	/* A mapping that cannot be wired is a mapping all the same. */
	vm_mmap_wire_future(map, place.addr, place.addr + place.size, VM_MAP_WIRE_HOLESOK);
	/* A hint: what it finds missing is left to the first access. */
	if ((req->flags & BSDVM_MAP_PREFAULT_READ) && (prot & VM_PROT_READ))
		kern_fault(vm, place.addr, min_t(u64, place.size, PREFAULT_READ_MAX), VM_PROT_READ,
			   &done, &outcome);
	return 0;
}

int kern_mquery(struct vmspace *vm, struct mmap_req *req)
{
	struct vm_map *map = &vm->vm_map;
	struct vm_map_entry *entry;
	struct mmap_place place;
	vm_prot_t prot, maxprot;
	struct file *file;
	int ret, rv;

	ret = mmap_check(vm, req, &place, &prot, &maxprot);
	if (ret)
		return ret;
	/* As with OpenBSD's, no file is no error: it matters to nothing. */
	if (req->fd >= 0 && !req->shm) {
		file = vnode_pager_getfile(req->fd);
		if (!file)
			return -EBADF;
		vnode_pager_putfile(file);
	}
	vm_map_lock_read(map);
	if (req->flags & BSDVM_MAP_FIXED) {
		entry = vm_map_lookup_entry_ge(map, place.addr);
		rv = entry && entry->start < place.addr + place.size ? KERN_NO_SPACE :
								       KERN_SUCCESS;
	} else {
		rv = vm_map_findspace(map, place.addr, place.size, place.align, place.max,
				      &place.addr);
		if (rv == KERN_NO_SPACE)
			rv = vm_map_findspace(map, map->min_offset, place.size, place.align,
					      place.max, &place.addr);
	}
	vm_map_unlock_read(map);
	if (rv == KERN_SUCCESS)
		req->addr = place.addr + place.pageoff;
	return vm_mmap_to_errno(rv);
}

static bool in_map(const struct vm_map *map, u64 addr, u64 len)
{
	return addr >= map->min_offset && addr + len <= map->max_offset;
}

int kern_munmap(struct vmspace *vm, u64 addr, u64 len)
{
	struct vm_map *map = &vm->vm_map;
	LIST_HEAD(deferred);
	int ret, rv;

	if (!len || !page_range(&addr, &len) || !in_map(map, addr, len))
		return -EINVAL;
	do {
		rv = vm_map_remove(map, addr, addr + len, &deferred);
		vm_map_process_deferred(&deferred);
	} while (vm_mmap_again(map, rv, &ret));
	return ret;
}

int kern_mprotect(struct vmspace *vm, u64 addr, u64 len, u32 prot)
{
	struct vm_map *map = &vm->vm_map;
	int flags = VM_MAP_PROTECT_SET_PROT, ret, rv;
	vm_prot_t new_prot, maxprot;
	bool max_given;

	ret = prot_split(prot, &new_prot, &maxprot, &max_given);
	if (ret)
		return ret;
	if (!page_range(&addr, &len) || !in_map(map, addr, len))
		return -EINVAL;
	if (max_given)
		flags |= VM_MAP_PROTECT_SET_MAXPROT;
	do {
		rv = vm_map_protect(map, addr, addr + len, new_prot, maxprot, flags);
	} while (vm_mmap_again(map, rv, &ret));
	return ret;
}

int kern_msync(struct vmspace *vm, u64 addr, u64 len, u32 flags)
{
	bool invalidate = flags & BSDVM_MS_INVALIDATE;
	bool async = flags & BSDVM_MS_ASYNC;
	u64 whole = !len;

	if (!page_range(&addr, &len) || (async && invalidate))
		return -EINVAL;
	if (whole)
		len = 0;
	switch (vm_map_sync(&vm->vm_map, addr, addr + len, !async, invalidate)) {
	case KERN_SUCCESS:
		return 0;
	case KERN_INVALID_ADDRESS:
		return -ENOMEM;
	case KERN_NO_ACCESS:
		return -EPERM;
	case KERN_INVALID_ARGUMENT:
		return -EBUSY;
	case KERN_NO_SPACE:
		return -ENOSPC;
	case KERN_FAILURE:
		return -EIO;
	default:
		return -EINVAL;
	}
}

int kern_minherit(struct vmspace *vm, u64 addr, u64 len, u32 inherit)
{
	struct vm_map *map = &vm->vm_map;

	if (!page_range(&addr, &len) || !in_map(map, addr, len) || inherit > BSDVM_INHERIT_ZERO)
		return -EINVAL;
	return vm_mmap_to_errno(vm_map_inherit(map, addr, addr + len, inherit));
}

int kern_fault(struct vmspace *vm, u64 addr, u64 len, u32 prot, u64 *done, u32 *outcome)
{
	struct vm_map *map = &vm->vm_map;
	struct vm_fault_wait fw = { .restarts = 0 };
	int rv = KERN_SUCCESS, ret;

	if (!prot || (prot & ~PROT_BITS) || !page_range(&addr, &len) || !in_map(map, addr, len))
		return -EINVAL;
	for (*done = 0; *done < len;) {
		ret = pmap_pin(map->pmap);
		if (ret)
			return ret;
		rv = vm_fault(map, addr + *done, prot, &fw, NULL);
		pmap_unpin(map->pmap);
		if (rv == KERN_RESTART)
			rv = vm_fault_wait(&fw);
		if (rv == KERN_RESTART)
			continue;
		if (rv != KERN_SUCCESS)
			break;
		*done += VM_PAGE_SIZE;
		fw.restarts = 0;
		if (fatal_signal_pending(current))
			return -EINTR;
		cond_resched();
	}
	if (rv == KERN_FAILURE)
		return -EINTR;
	*outcome = rv;
	return 0;
}

int kern_madvise(struct vmspace *vm, u64 addr, u64 len, u32 behav)
{
	struct vm_map *map = &vm->vm_map;
	int ret, rv = KERN_SUCCESS;

	if (behav == BSDVM_MADV_PROTECT) {
		if (!capable(CAP_SYS_RESOURCE))
			return -EPERM;
		WRITE_ONCE(vm->vm_protected, true);
		return 0;
	}
	if (behav > BSDVM_MADV_PROTECT)
		return -EINVAL;
	if (!page_range(&addr, &len) || !in_map(map, addr, len))
		return -ENOMEM;
	ret = pmap_pin(map->pmap);
	if (ret)
		return ret;
	if (behav == BSDVM_MADV_WILLNEED)
		vm_fault_willneed(map, addr, addr + len);
	else
		rv = vm_map_madvise(map, addr, addr + len, behav);
	pmap_unpin(map->pmap);
	return vm_mmap_to_errno(rv);
}

/* Pages that are looked at before the locks are dropped and the result is put. */
#define MINCORE_CHUNK	256

/*
 * The page of a file that shows a frame of the file system's, at the end of an entry's
 * chain. Only for who is mapped there: the pmap keeps the page where it is.
 */
static struct vm_page *mincore_lent(const struct vm_map_entry *entry, vm_offset_t va)
{
	vm_pindex_t pindex = OFF_TO_IDX(entry->offset + (va - entry->start));
	struct vm_object *object = entry->object, *backing;
	struct vm_page *m = NULL;

	VM_OBJECT_RLOCK(object);
	while ((backing = object->backing_object)) {
		pindex += OFF_TO_IDX(object->backing_object_offset);
		VM_OBJECT_RLOCK_NESTED(backing, VM_OBJECT_BACKING);
		VM_OBJECT_RUNLOCK(object);
		lock_set_subclass(&backing->lock.dep_map, 0, _THIS_IP_);
		object = backing;
	}
	if (object->type == OBJT_VNODE)
		m = vm_page_lookup(object, pindex);
	VM_OBJECT_RUNLOCK(object);
	return m;
}

/* What mincore(2) says of one page of an entry. */
static u8 mincore_page(struct vm_map *map, struct vm_map_entry *entry, vm_offset_t va)
{
	unsigned int bits = pmap_mincore(map->pmap, va);
	struct vm_page *m = bits ? PHYS_TO_VM_PAGE(pmap_extract(map->pmap, va)) : NULL;
	struct vm_object *object = entry->object;

	if (bits && !m)
		m = mincore_lent(entry, va);
	/* Of a device's frame the pmap knows all there is to know. */
	if (bits && !m)
		return bits;
	if (!m) {
		/*
		 * Who maps nothing of it could learn what others do with it. What is
		 * wired is there, though the pmap may have forgotten the mapping.
		 */
		if (!object || (READ_ONCE(vm_mincore_mapped) && !entry->wired_count))
			return 0;
		VM_OBJECT_RLOCK(object);
		m = vm_page_lookup(object, OFF_TO_IDX(entry->offset + (va - entry->start)));
		if (m && m->valid)
			bits = MINCORE_INCORE | (vm_page_is_dirty(m) ? MINCORE_MODIFIED_OTHER : 0);
		VM_OBJECT_RUNLOCK(object);
		return bits;
	}
	if (vm_page_is_dirty(m))
		bits |= MINCORE_MODIFIED_OTHER;
	if (test_bit(PGA_REFERENCED, &m->aflags))
		bits |= MINCORE_REFERENCED_OTHER;
	return bits;
}

/* One chunk: false when there is a hole. */
static bool mincore_chunk(struct vm_map *map, vm_offset_t addr, u8 *bits, unsigned int count)
{
	struct vm_map_entry *entry = NULL;
	unsigned int i;
	bool whole = true;

	vm_map_lock_read(map);
	for (i = 0; i < count && whole; i++, addr += VM_PAGE_SIZE) {
		if (!entry || addr >= entry->end)
			whole = vm_map_lookup_entry(map, addr, &entry);
		if (whole)
			bits[i] = mincore_page(map, entry, addr);
	}
	vm_map_unlock_read(map);
	return whole;
}

int kern_mincore(struct vmspace *vm, u64 addr, u64 len,
		 int (*put)(void *cookie, u64 first, const u8 *bits, unsigned int count),
		 void *cookie)
{
	struct vm_map *map = &vm->vm_map;
	u8 bits[MINCORE_CHUNK];
	unsigned int count;
	u64 done, pages;
	bool whole;
	int ret;

	if (!page_range(&addr, &len) || !in_map(map, addr, len))
		return -ENOMEM;
	pages = atop(len);
	for (done = 0; done < pages; done += count) {
		count = min_t(u64, pages - done, MINCORE_CHUNK);
		ret = pmap_pin(map->pmap);
		if (ret)
			return ret;
		whole = mincore_chunk(map, addr + ptoa(done), bits, count);
		pmap_unpin(map->pmap);
		if (!whole)
			return -ENOMEM;
		ret = put(cookie, done, bits, count);
		if (ret)
			return ret;
		if (fatal_signal_pending(current))
			return -EINTR;
		cond_resched();
	}
	return 0;
}

static bool may_mlock(void)
{
	return READ_ONCE(vm_unprivileged_mlock) || capable(CAP_IPC_LOCK);
}

int kern_mlock(struct vmspace *vm, u64 addr, u64 len)
{
	struct vm_map *map = &vm->vm_map;
	int rv;

	if (!may_mlock())
		return -EPERM;
	if (!page_range(&addr, &len))
		return -EINVAL;
	if (atop(len) > READ_ONCE(vm_max_user_wired))
		return -ENOMEM;
	if (len > rlimit(RLIMIT_MEMLOCK) ||
	    READ_ONCE(map->wired) > rlimit(RLIMIT_MEMLOCK) - len)
		return -ENOMEM;
	rv = vm_map_wire(map, addr, addr + len, VM_MAP_WIRE_NOHOLES, vm_fault_wire);
	if (rv == KERN_FAILURE && fatal_signal_pending(current))
		return -EINTR;
	return rv == KERN_SUCCESS ? 0 : -ENOMEM;
}

int kern_munlock(struct vmspace *vm, u64 addr, u64 len)
{
	struct vm_map *map = &vm->vm_map;
	int ret, rv;

	if (!may_mlock())
		return -EPERM;
	if (!page_range(&addr, &len))
		return -EINVAL;
	do {
		rv = vm_map_unwire(map, addr, addr + len, VM_MAP_WIRE_NOHOLES);
	} while (vm_mmap_again(map, rv, &ret));
	return ret;
}

static void map_set_wirefuture(struct vm_map *map, bool on)
{
	vm_map_lock(map);
	if (on)
		map->flags |= MAP_WIREFUTURE;
	else
		map->flags &= ~MAP_WIREFUTURE;
	vm_map_unlock(map);
}

int kern_mlockall(struct vmspace *vm, u32 how)
{
	struct vm_map *map = &vm->vm_map;
	int rv;

	if (!may_mlock())
		return -EPERM;
	if (!how || (how & ~(BSDVM_MCL_CURRENT | BSDVM_MCL_FUTURE)))
		return -EINVAL;
	if ((how & BSDVM_MCL_CURRENT) && READ_ONCE(map->size) > rlimit(RLIMIT_MEMLOCK))
		return -ENOMEM;
	if (how & BSDVM_MCL_FUTURE)
		map_set_wirefuture(map, true);
	if (!(how & BSDVM_MCL_CURRENT))
		return 0;
	rv = vm_map_wire(map, map->min_offset, map->max_offset, VM_MAP_WIRE_HOLESOK,
			 vm_fault_wire);
	if (rv == KERN_FAILURE && fatal_signal_pending(current))
		return -EINTR;
	if (rv == KERN_RESOURCE_SHORTAGE)
		return -ENOMEM;
	return rv == KERN_SUCCESS ? 0 : -EAGAIN;
}

int kern_munlockall(struct vmspace *vm)
{
	struct vm_map *map = &vm->vm_map;
	int ret, rv;

	if (!may_mlock())
		return -EPERM;
	map_set_wirefuture(map, false);
	do {
		rv = vm_map_unwire(map, map->min_offset, map->max_offset, VM_MAP_WIRE_HOLESOK);
	} while (vm_mmap_again(map, rv, &ret));
	return ret;
}

#define MREMAP_KNOWN	(BSDVM_MAP_FIXED | BSDVM_MAP_REMAPDUP | BSDVM_MAP_ALIGNMENT_MASK)

/* A range as mremap(2) takes it: aligned, not empty, inside the window. */
static bool mremap_range(const struct vm_map *map, u64 addr, u64 *len)
{
	u64 start = addr;

	return !(addr & VM_PAGE_MASK) && *len && page_range(&start, len) &&
	       in_map(map, addr, *len);
}

int kern_mremap(struct vmspace *vm, u64 old_addr, u64 old_len, u64 *new_addr, u64 new_len,
		u32 flags)
{
	u32 shift = flags >> BSDVM_MAP_ALIGNMENT_SHIFT;
	struct vm_map *map = &vm->vm_map;
	unsigned int move = 0;
	vm_offset_t addr = *new_addr;
	LIST_HEAD(deferred);
	vm_size_t align;
	u64 start = 0;
	int ret, rv;

	if ((flags & ~MREMAP_KNOWN) || (shift && (shift < VM_PAGE_SHIFT || shift >= 64)))
		return -EINVAL;
	if (!mremap_range(map, old_addr, &old_len) || (addr & VM_PAGE_MASK) || !new_len ||
	    !page_range(&start, &new_len))
		return -EINVAL;
	if (flags & BSDVM_MAP_FIXED) {
		if (!mremap_range(map, addr, &new_len))
			return -EINVAL;
		move |= VM_MAP_MOVE_FIXED;
	}
	if (flags & BSDVM_MAP_REMAPDUP)
		move |= VM_MAP_MOVE_DUP;
	align = shift ? 1ULL << shift : VM_PAGE_SIZE;
	if (align >= map->max_offset - map->min_offset)
		return -ENOMEM;
	if (new_len > old_len || (move & VM_MAP_MOVE_DUP)) {
		ret = mmap_check_limits(map, move & VM_MAP_MOVE_DUP ? new_len : new_len - old_len);
		if (ret)
			return ret;
	}
	do {
		ret = pmap_pin(map->pmap);
		if (ret)
			return ret;
		addr = *new_addr;
		rv = vm_map_move(map, old_addr, old_len, &addr, new_len, align, move, &deferred);
		pmap_unpin(map->pmap);
		vm_map_process_deferred(&deferred);
	} while (vm_mmap_again(map, rv, &ret));
	if (ret)
		return ret;
	*new_addr = addr;
	vm_mmap_wire_future(map, addr, addr + new_len, VM_MAP_WIRE_HOLESOK);
	return 0;
}

int kern_mimmutable(struct vmspace *vm, u64 addr, u64 len)
{
	struct vm_map *map = &vm->vm_map;

	if (!page_range(&addr, &len) || !in_map(map, addr, len))
		return -EINVAL;
	return vm_mmap_to_errno(vm_map_immutable(map, addr, addr + len));
}
