/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * vm_mmap: the system calls on mappings, as a BSD kernel has them.
 *
 * They answer 0 or a negative errno, FreeBSD 14's in Linux's numbers. Values of
 * flags are those of the ABI header, bsdvm.h. None holds a lock when it returns,
 * and none may be called with one.
 *
 * (mmap(2), munmap(2), mprotect(2), msync(2), minherit(2).)
 */
#ifndef BSDVM_VM_MMAP_H
#define BSDVM_VM_MMAP_H

#include "vm_fork.h"

struct shmfd;

/**
 * struct mmap_req - arguments of kern_mmap()
 * @addr: in: hint or address; out: where it was mapped
 * @len: bytes
 * @pos: byte offset in the file
 * @prot: BSDVM_PROT_*, BSDVM_PROT_MAX()
 * @flags: BSDVM_MAP_*
 * @fd: descriptor of the calling process, -1 for none
 * @shm: the shared memory object that @fd is, referenced; NULL when it is
 *	something else
 * @shm_prot: what @fd allows of it: VM_PROT_READ, VM_PROT_WRITE
 */
struct mmap_req {
	u64 addr;
	u64 len;
	s64 pos;
	u32 prot;
	u32 flags;
	int fd;
	struct shmfd *shm;
	vm_prot_t shm_prot;
};

/**
 * kern_mmap() - map memory
 * @vm: the calling process's address space
 * @req: what
 *
 * Context: process, may sleep.
 * Return: 0; -EINVAL, -EOPNOTSUPP, -ENOMEM, -EBADF, -ENODEV, -EACCES, -EPERM as
 * mmap(2) says; -EINTR on a fatal signal.
 */
int kern_mmap(struct vmspace *vm, struct mmap_req *req);

/**
 * kern_munmap() - unmap memory
 * @vm: the calling process's address space
 * @addr: start, truncated to a page
 * @len: bytes
 *
 * Context: process, may sleep and do I/O.
 * Return: 0; -EINVAL for length 0, a wrap or a range outside the window;
 * -ENOMEM; -EINTR on a fatal signal.
 */
int kern_munmap(struct vmspace *vm, u64 addr, u64 len);

/**
 * kern_mprotect() - change protection
 * @vm: the calling process's address space
 * @addr: start, truncated to a page
 * @len: bytes
 * @prot: BSDVM_PROT_*, BSDVM_PROT_MAX()
 *
 * Context: process, may sleep.
 * Return: 0; -EINVAL for unknown bits or a wrap; -EOPNOTSUPP when the
 * protection is no subset of the maximum given; -EACCES beyond an entry's
 * maximum; -ENOMEM; -EINTR on a fatal signal.
 */
int kern_mprotect(struct vmspace *vm, u64 addr, u64 len, u32 prot);

/**
 * kern_msync() - write file pages back
 * @vm: the calling process's address space
 * @addr: start, truncated to a page
 * @len: bytes, 0 for the whole entry at @addr
 * @flags: BSDVM_MS_*
 *
 * Context: process, does I/O.
 * Return: 0; -EINVAL for a wrap or ASYNC with INVALIDATE; -ENOMEM for a hole;
 * -EBUSY for INVALIDATE over wired memory; -ENOSPC, -EIO.
 */
int kern_msync(struct vmspace *vm, u64 addr, u64 len, u32 flags);

/**
 * kern_minherit() - say what a fork child gets
 * @vm: the calling process's address space
 * @addr: start, truncated to a page
 * @len: bytes
 * @inherit: BSDVM_INHERIT_*
 *
 * Context: process, may sleep.
 * Return: 0; -EINVAL for a wrap or an unknown value; -ENOMEM.
 */
int kern_minherit(struct vmspace *vm, u64 addr, u64 len, u32 inherit);

/**
 * kern_fault() - fault a range in
 * @vm: the calling process's address space
 * @addr: start, truncated to a page
 * @len: bytes
 * @prot: VM_PROT_* of the access
 * @done: where the bytes faulted in go
 * @outcome: where the KERN_* of the page behind them goes
 *
 * Context: process, may sleep and do I/O.
 * Return: 0; -EINVAL for a range outside the window or a bad @prot; -EINTR on a
 * fatal signal.
 */
int kern_fault(struct vmspace *vm, u64 addr, u64 len, u32 prot, u64 *done,
	       u32 *outcome);

/**
 * kern_mquery() - where would kern_mmap() put it? (OpenBSD's mquery(2))
 * @vm: the calling process's address space
 * @req: what; @req->addr: out: where
 *
 * Maps nothing.
 *
 * Context: process, may sleep.
 * Return: as kern_mmap(); -ENOMEM with BSDVM_MAP_FIXED where something is mapped.
 */
int kern_mquery(struct vmspace *vm, struct mmap_req *req);

/**
 * kern_madvise() - say how memory will be used
 * @vm: the calling process's address space
 * @addr: start, truncated to a page
 * @len: bytes
 * @behav: BSDVM_MADV_*
 *
 * Context: process, may sleep.
 * Return: 0; -EINVAL for unknown advice; -ENOMEM for a wrap or a range outside the
 * window, or without kernel memory; -EPERM for BSDVM_MADV_PROTECT without the
 * right, and for BSDVM_MADV_FREE of immutable memory; -EINTR on a fatal signal.
 */
int kern_madvise(struct vmspace *vm, u64 addr, u64 len, u32 behav);

/**
 * kern_mincore() - which pages are resident
 * @vm: the calling process's address space
 * @addr: start, truncated to a page
 * @len: bytes
 * @put: takes the BSDVM_MINCORE_* of @count pages from page @first of the range
 *	on; called with no lock held; what it answers other than 0 ends the call
 * @cookie: for @put
 *
 * Context: process, may sleep.
 * Return: 0; -ENOMEM for a hole, a wrap or a range outside the window; -EINTR;
 * what @put said.
 */
int kern_mincore(struct vmspace *vm, u64 addr, u64 len,
		 int (*put)(void *cookie, u64 first, const u8 *bits,
			    unsigned int count),
		 void *cookie);

/**
 * kern_mlock() - wire memory
 * @vm: the calling process's address space
 * @addr: start, truncated to a page
 * @len: bytes
 *
 * Context: process, may sleep and do I/O.
 * Return: 0; -EPERM without the right; -EINVAL for a wrap; -ENOMEM beyond
 * RLIMIT_MEMLOCK or vm.max_user_wired, for a hole, memory that may not be
 * accessed, a page that cannot be had, or a range outside the window: nothing
 * is wired then; -EINTR.
 */
int kern_mlock(struct vmspace *vm, u64 addr, u64 len);

/**
 * kern_munlock() - undo kern_mlock(), however often it was called
 * @vm: the calling process's address space
 * @addr: start, truncated to a page
 * @len: bytes
 *
 * Context: process, may sleep.
 * Return: 0; -EPERM without the right; -EINVAL for a wrap; -ENOMEM for a hole;
 * -EINTR.
 */
int kern_munlock(struct vmspace *vm, u64 addr, u64 len);

/**
 * kern_mlockall() - wire all memory
 * @vm: the calling process's address space
 * @how: BSDVM_MCL_*
 *
 * Context: process, may sleep and do I/O.
 * Return: 0; -EINVAL for no or unknown flags; -EPERM without the right; -ENOMEM
 * beyond a limit; -EAGAIN when something could not be wired; -EINTR.
 */
int kern_mlockall(struct vmspace *vm, u32 how);

/**
 * kern_munlockall() - unwire all memory, and what is mapped later
 * @vm: the calling process's address space
 *
 * Context: process, may sleep.
 * Return: 0; -EPERM without the right; -EINTR.
 */
int kern_munlockall(struct vmspace *vm);

/**
 * kern_mremap() - move or resize a mapping (NetBSD's mremap(2))
 * @vm: the calling process's address space
 * @old_addr: start, page aligned
 * @old_len: bytes
 * @new_addr: in: address or hint; out: where it is
 * @new_len: bytes
 * @flags: BSDVM_MAP_FIXED, BSDVM_MAP_ALIGNED(n), BSDVM_MAP_REMAPDUP
 *
 * Context: process, may sleep and do I/O.
 * Return: 0; -EINVAL for other flags, unaligned addresses, zero lengths, a
 * wrap, a range outside the window, a hole; -ENOMEM where there is no room, or
 * the place of BSDVM_MAP_FIXED is not free; -EPERM for immutable memory; -EINTR.
 */
int kern_mremap(struct vmspace *vm, u64 old_addr, u64 old_len, u64 *new_addr,
		u64 new_len, u32 flags);

/**
 * kern_mimmutable() - make what is mapped stay as it is (OpenBSD's mimmutable(2))
 * @vm: the calling process's address space
 * @addr: start, truncated to a page
 * @len: bytes
 *
 * Context: process, may sleep.
 * Return: 0 (holes are no error); -EINVAL for a wrap or a range outside the
 * window; -ENOMEM; -EINTR.
 */
int kern_mimmutable(struct vmspace *vm, u64 addr, u64 len);

/**
 * vm_mmap_to_errno() - errno of a KERN_*
 * @rv: KERN_*
 *
 * Return: 0 or a negative errno.
 */
int vm_mmap_to_errno(int rv);

/**
 * vm_mmap_again() - must a call on a map be made again?
 * @map: the map
 * @rv: what the map's function answered
 * @ret: out: 0 or a negative errno, when it need not
 *
 * Waits where something was being wired.
 *
 * Context: process, sleeps killably; no lock held, page tables not pinned.
 * Return: true when it must.
 */
bool vm_mmap_again(struct vm_map *map, int rv, int *ret);

/**
 * vm_mmap_check_wired() - may as much more be mapped, where it would be wired?
 * @map: the map
 * @size: bytes
 *
 * Return: 0; -ENOMEM beyond RLIMIT_MEMLOCK while mlockall(MCL_FUTURE) is on.
 */
int vm_mmap_check_wired(struct vm_map *map, vm_size_t size);

/**
 * vm_mmap_wire_future() - wire what was just mapped, while MCL_FUTURE is on
 * @map: the map
 * @start: first address
 * @end: address behind the last
 * @flags: VM_MAP_WIRE_*
 *
 * Context: process, may sleep and do I/O; no lock held.
 * Return: 0, also where nothing is to be wired; -ENOMEM, -EINTR.
 */
int vm_mmap_wire_future(struct vm_map *map, vm_offset_t start, vm_offset_t end,
			unsigned int flags);

/* Tunables. */
extern unsigned int vm_mincore_mapped;		/* mincore: only what the caller maps */
extern unsigned int vm_imply_prot_max;		/* mmap: maximum is the protection */
extern unsigned int vm_unprivileged_mlock;	/* everyone may lock memory */

#endif /* BSDVM_VM_MMAP_H */
