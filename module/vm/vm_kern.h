/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * vm_kern: the kernel map, and memory for the kernel in it.
 *
 *	virtual_avail                                               virtual_end
 *	  |    kmem_map    |  buffer_map  |   exec_map   |   kernel_map itself  |
 *	kmembase   kmemlimit = buffer_sva  buffer_eva = exec_sva   exec_eva
 *
 * The kernel map is a system map over all addresses that the kernel pmap has. Parts of
 * it are submaps, maps of their own, so that who uses up one leaves the others alone:
 * kmem_map is for malloc(9) and the zones, buffer_map for buffers, exec_map for
 * arguments on their way between user and kernel.
 *
 * Memory is wired or pageable. Wired memory has its pages from the beginning and is
 * used through its address. Pageable memory is an anonymous object: it has no
 * translations, is reached through kmem_copyin() and its kin or a struct kmem_iter,
 * and goes to swap as a process's would.
 *
 * Locks: that of one map at a time, a spinlock, inside all sleeping locks of the VM
 * system and outside the free-list lock's floor; it is not held while pages are had,
 * freed or mapped.
 *
 * (McKusick, Bostic, Karels and Quarterman, "The Design and Implementation of the
 * 4.4BSD Operating System", chapter 5.5 on kernel memory; FreeBSD's kmem(9) names.)
 */
#ifndef BSDVM_VM_KERN_H
#define BSDVM_VM_KERN_H

#include "uma.h"
#include "vm_map.h"

/*
 * Behind each allocation this many bytes of addresses stay unmapped, to catch who
 * runs over its end.
 */
#ifdef BSDVM_DEBUG
#define KMEM_GUARD		VM_PAGE_SIZE
#else
#define KMEM_GUARD		0
#endif

extern struct vm_map *kernel_map;
extern struct vm_map *kmem_map;
extern struct vm_map *buffer_map;
extern struct vm_map *exec_map;

extern vm_offset_t kmembase, kmemlimit;
extern vm_offset_t buffer_sva, buffer_eva;
extern vm_offset_t exec_sva, exec_eva;

/**
 * kmem_init() - make the kernel map and its submaps
 *
 * Context: start-up only, may sleep.
 * Return: 0, -ENOMEM.
 */
int kmem_init(void);

/**
 * kmem_fini() - undo kmem_init(); nothing is allocated. Harmless when it failed
 *
 * Context: shut-down only.
 */
void kmem_fini(void);

/**
 * kmem_suballoc() - make a submap
 * @parent: the map it becomes a part of
 * @name: what people call it; stays where it is
 * @min: where its first address goes
 * @max: where the address behind its last goes
 * @size: bytes, whole pages
 *
 * Context: process, may sleep.
 * Return: the submap, NULL when @parent has no room or there is no kernel memory.
 */
struct vm_map *kmem_suballoc(struct vm_map *parent, const char *name, vm_offset_t *min,
			     vm_offset_t *max, vm_size_t size);

/**
 * kmem_subfree() - give a submap back
 * @parent: the map it is a part of
 * @map: the submap, which nobody uses any more
 *
 * Context: process, may sleep.
 * Return: KERN_SUCCESS; KERN_FAILURE when something is allocated in it still.
 */
int kmem_subfree(struct vm_map *parent, struct vm_map *map);

/**
 * kmem_alloc() - wired memory, waiting for it
 * @map: where
 * @size: bytes
 * @flags: M_ZERO, which is so anyway; M_USE_RESERVE
 *
 * Waits for pages as long as a fault does, not for room in @map.
 *
 * Context: process, may sleep; no lock held that anyone who frees pages may want.
 * Return: the address of memory filled with zeroes; 0 where there is no room in @map,
 * no page came free for long, or on a fatal signal.
 */
vm_offset_t kmem_alloc(struct vm_map *map, vm_size_t size, int flags);

/**
 * kmem_malloc() - wired memory, at once or waiting for it
 * @map: where
 * @size: bytes
 * @flags: M_NOWAIT or M_WAITOK; M_USE_RESERVE
 *
 * Context: with M_NOWAIT any thread with interrupts on, spinlocks may be held that
 * nobody takes with interrupts off; with M_WAITOK as kmem_alloc().
 * Return: as kmem_alloc(); with M_NOWAIT 0 also where it would have to wait.
 */
vm_offset_t kmem_malloc(struct vm_map *map, vm_size_t size, int flags);

/**
 * kmem_alloc_pageable() - pageable memory
 * @map: where
 * @size: bytes
 *
 * Swap is reserved for it. It reads as zeroes until it is written.
 *
 * Context: process, may sleep.
 * Return: its address, for kmem_copyin() and its kin; 0 where there is no room in @map,
 * no swap to reserve or no kernel memory.
 */
vm_offset_t kmem_alloc_pageable(struct vm_map *map, vm_size_t size);

/**
 * kmem_alloc_wait() - pageable memory, waiting for room
 * @map: where
 * @size: bytes
 *
 * Context: process, sleeps killably; nothing held that those need who have memory in
 * @map.
 * Return: as kmem_alloc_pageable(); 0 for want of room only when @map will never have
 * as much, or on a fatal signal.
 */
vm_offset_t kmem_alloc_wait(struct vm_map *map, vm_size_t size);

/**
 * kmem_free() - free memory
 * @map: the map it was allocated in
 * @addr: its address
 * @size: its size
 *
 * No CPU reaches it any more when the pages are freed. Wakes who waits for room.
 *
 * Context: wired memory: as kmem_malloc() with M_NOWAIT; pageable memory: process, may
 * sleep.
 * Return: KERN_SUCCESS; KERN_INVALID_ADDRESS where there is no allocation of just this
 * address and size, and nothing has changed.
 */
int kmem_free(struct vm_map *map, vm_offset_t addr, vm_size_t size);

/**
 * kmem_free_wakeup() - free memory that kmem_alloc_wait() gave
 * @map: the map it was allocated in
 * @addr: its address
 * @size: its size
 *
 * As kmem_free(), which wakes who waits as well: the name that 4.4BSD has for it.
 *
 * Context: process, may sleep.
 * Return: as kmem_free().
 */
static inline int kmem_free_wakeup(struct vm_map *map, vm_offset_t addr, vm_size_t size)
{
	return kmem_free(map, addr, size);
}

/* Where slabs of several pages come from, once there is a kernel map. */
extern const struct uma_kmem kmem_slabs;

/**
 * kmem_slab_alloc() - memory for a slab, out of kmem_map
 * @size: bytes
 * @flags: as kmem_malloc()
 *
 * Context: as kmem_malloc().
 * Return: as kmem_malloc(), a pointer.
 */
void *kmem_slab_alloc(size_t size, int flags);

/**
 * kmem_slab_free() - free a slab
 * @mem: what kmem_slab_alloc() gave
 * @size: its size
 *
 * Context: as kmem_free() of wired memory.
 */
void kmem_slab_free(void *mem, size_t size);

/**
 * kmem_page() - the page behind an address of wired memory
 * @addr: the address, in the kernel map or what pmap_quick_enter_page() gave
 *
 * Context: any; the memory is not freed meanwhile.
 * Return: the page; NULL when none of the pool's is mapped there.
 */
struct vm_page *kmem_page(const void *addr);

/* --- content */

/**
 * struct kmem_user_ops - how user memory is reached
 * @copyin: copy from user memory
 * @copyout: copy to user memory
 *
 * Each answers how many bytes were not copied. Linux's side registers them.
 *
 * Context: process, may sleep and fault; no VM lock held.
 */
struct kmem_user_ops {
	unsigned long (*copyin)(void *kaddr, u64 uaddr, size_t len);
	unsigned long (*copyout)(u64 uaddr, const void *kaddr, size_t len);
};

/**
 * kmem_user_register() - register how user memory is reached
 * @ops: the functions, NULL to take them away
 *
 * Context: start-up and shut-down only.
 */
void kmem_user_register(const struct kmem_user_ops *ops);

/**
 * kmem_copyin() - copy from user memory to kernel memory, of either kind
 * @map: the map of the memory, NULL to find it
 * @uaddr: address in the calling process
 * @kva: where to
 * @len: bytes; all of it lies in one allocation
 *
 * Context: process, does I/O and may wait for memory, killably; no VM lock held. The
 * memory is not freed meanwhile.
 * Return: 0; -EFAULT where either side is no memory, and part of it may be copied;
 * -ENOMEM, -EIO, or -EINTR on a fatal signal when a page cannot be had.
 */
int kmem_copyin(struct vm_map *map, u64 uaddr, vm_offset_t kva, size_t len);

/**
 * kmem_copyout() - copy from kernel memory, of either kind, to user memory
 * @map: the map of the memory, NULL to find it
 * @kva: where from
 * @uaddr: address in the calling process
 * @len: bytes; all of it lies in one allocation
 *
 * Context: as kmem_copyin().
 * Return: as kmem_copyin().
 */
int kmem_copyout(struct vm_map *map, vm_offset_t kva, u64 uaddr, size_t len);

/**
 * kmem_read() - copy kernel memory of either kind to a buffer
 * @map: the map of the memory, NULL to find it
 * @kva: where from
 * @buf: where to
 * @len: bytes; all of it lies in one allocation
 *
 * Context: as kmem_copyin().
 * Return: as kmem_copyin().
 */
int kmem_read(struct vm_map *map, vm_offset_t kva, void *buf, size_t len);

/**
 * kmem_write() - copy a buffer to kernel memory of either kind
 * @map: the map of the memory, NULL to find it
 * @kva: where to
 * @buf: where from
 * @len: bytes; all of it lies in one allocation
 *
 * Context: as kmem_copyin().
 * Return: as kmem_copyin().
 */
int kmem_write(struct vm_map *map, vm_offset_t kva, const void *buf, size_t len);

/**
 * struct kmem_iter - kernel memory of either kind, a page at a time
 * @at: out: where the bytes are
 * @len: out: how many are there in one piece
 * @va: the address of the next piece
 * @end: the address behind the last byte
 * @object: of pageable memory, referenced; else NULL
 * @base: the address of its first page
 * @write: the bytes are to be changed
 * @m: of pageable memory: the page they are on, wired; else NULL
 */
struct kmem_iter {
	void *at;
	size_t len;
	vm_offset_t va;
	vm_offset_t end;
	struct vm_object *object;
	vm_offset_t base;
	bool write;
	struct vm_page *m;
};

/**
 * kmem_iter_begin() - begin to go through kernel memory
 * @iter: the iterator
 * @map: the map of the memory, NULL to find it
 * @kva: where
 * @len: bytes; all of it lies in one allocation
 * @write: they are to be changed
 *
 * Context: process; the memory is not freed before kmem_iter_end().
 * Return: 0; -EFAULT where there is no such memory, and there is nothing to end.
 */
int kmem_iter_begin(struct kmem_iter *iter, struct vm_map *map, vm_offset_t kva,
		    size_t len, bool write);

/**
 * kmem_iter_next() - go to the next piece
 * @iter: the iterator; its @at and @len are the piece, which stays until the next call
 *
 * Context: process, does I/O and may wait for memory, killably; no VM lock held.
 * Return: 1; 0 when there is no more; -ENOMEM, -EIO, -EINTR on a fatal signal.
 */
int kmem_iter_next(struct kmem_iter *iter);

/**
 * kmem_iter_end() - let go of what an iterator holds
 * @iter: the iterator
 *
 * Context: process, may sleep.
 */
void kmem_iter_end(struct kmem_iter *iter);

/* --- statistics */

/**
 * struct kmem_info - the kernel map or one of its submaps
 * @name: what people call it
 * @start: its first address
 * @end: the address behind its last
 * @used: bytes of addresses that are taken, guards and submaps included
 * @largest_free: the longest run of free ones, bytes
 * @entries: entries
 * @allocations: allocations that succeeded
 * @failures: and that did not
 * @sleeps: how often one slept, for a page or for room
 */
struct kmem_info {
	const char *name;
	vm_offset_t start;
	vm_offset_t end;
	vm_size_t used;
	vm_size_t largest_free;
	u64 entries;
	u64 allocations;
	u64 failures;
	u64 sleeps;
};

/**
 * kmem_info() - look at the kernel map or one of its submaps
 * @index: 0 for the kernel map, then the submaps in order of address
 * @info: where it goes
 *
 * Context: process, may sleep.
 * Return: 0, -ENOENT when there are not as many.
 */
int kmem_info(unsigned int index, struct kmem_info *info);

#endif /* BSDVM_VM_KERN_H */
