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

#include "pmap.h"
#include "vm_fault.h"
#include "vnode_pager.h"

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

static int vm_mmap_to_errno(int rv)
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
	case KERN_OUT_OF_BOUNDS:
		return -EOPNOTSUPP;
	default:
		return -EINVAL;
	}
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
	return flags & BSDVM_MAP_STACK ? -EOPNOTSUPP : 0;
}

/**
 * struct mmap_place - where a mapping is to go
 * @addr: address or hint, page aligned
 * @size: bytes, page aligned
 * @align: power of two
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

static int mmap_check_place(const struct vm_map *map, const struct mmap_req *req,
			    struct mmap_place *place)
{
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
		place->addr = map->min_offset;
	if (req->flags & BSDVM_MAP_32BIT)
		place->max = min_t(u64, place->max, MAP_32BIT_MAX);
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
	if (flags & BSDVM_MAP_SHARED)
		cow |= MAP_INHERIT_SHARE;
	return cow;
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
	if (req->pos < 0 || req->pos - place->pageoff + place->size > S64_MAX)
		return -EINVAL;
	return vnode_pager_alloc(file, shared && (file_prot & VM_PROT_WRITE), object);
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
	if (req->flags & BSDVM_MAP_FIXED) {
		ret = pmap_pin(map->pmap);
		if (ret)
			goto put_object;
		rv = vm_map_fixed(map, object, offset, place->addr, place->size, prot, maxprot,
				  cow, req->flags & BSDVM_MAP_EXCL, &deferred);
		pmap_unpin(map->pmap);
		vm_map_process_deferred(&deferred);
	} else {
		rv = vm_map_find(map, object, offset, &place->addr, place->size, place->align,
				 place->max, prot, maxprot, cow);
	}
	if (rv == KERN_SUCCESS)
		return 0;
	ret = vm_mmap_to_errno(rv);
put_object:
	vm_object_deallocate(object);
	return ret;
}

int kern_mmap(struct vmspace *vm, struct mmap_req *req)
{
	struct vm_map *map = &vm->vm_map;
	struct vm_object *object = NULL;
	struct mmap_place place;
	vm_prot_t prot, maxprot;
	struct file *file;
	bool max_given;
	u64 done;
	u32 outcome;
	int ret;

	ret = prot_split(req->prot, &prot, &maxprot, &max_given);
	if (!ret)
		ret = mmap_check_flags(req, prot);
	if (!ret)
		ret = mmap_check_place(map, req, &place);
	if (ret)
		return ret;
	if (!(req->flags & (BSDVM_MAP_ANON | BSDVM_MAP_GUARD))) {
		file = vnode_pager_getfile(req->fd);
		if (!file)
			return -EBADF;
		ret = mmap_file(req, &place, prot, file, &maxprot, &object);
		vnode_pager_putfile(file);
		if (ret)
			return ret;
	}
	if (place.size > rlimit(RLIMIT_AS) ||
	    READ_ONCE(map->size) > rlimit(RLIMIT_AS) - place.size) {
		vm_object_deallocate(object);
		return -ENOMEM;
	}
	ret = mmap_insert(map, req, &place, object, prot, maxprot);
	if (ret)
		return ret;
	req->addr = place.addr + place.pageoff;
	/* A hint: what it finds missing is left to the first access. */
	if ((req->flags & BSDVM_MAP_PREFAULT_READ) && (prot & VM_PROT_READ))
		kern_fault(vm, place.addr, min_t(u64, place.size, PREFAULT_READ_MAX), VM_PROT_READ,
			   &done, &outcome);
	return 0;
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
	ret = pmap_pin(map->pmap);
	if (ret)
		return ret;
	rv = vm_map_remove(map, addr, addr + len, &deferred);
	pmap_unpin(map->pmap);
	vm_map_process_deferred(&deferred);
	return vm_mmap_to_errno(rv);
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
	ret = pmap_pin(map->pmap);
	if (ret)
		return ret;
	rv = vm_map_protect(map, addr, addr + len, new_prot, maxprot, flags);
	pmap_unpin(map->pmap);
	return vm_mmap_to_errno(rv);
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
	case KERN_INVALID_ARGUMENT:
		return -EBUSY;
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
