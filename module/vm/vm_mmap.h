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

/**
 * struct mmap_req - arguments of kern_mmap()
 * @addr: in: hint or address; out: where it was mapped
 * @len: bytes
 * @pos: byte offset in the file
 * @prot: BSDVM_PROT_*, BSDVM_PROT_MAX()
 * @flags: BSDVM_MAP_*
 * @fd: descriptor of the calling process, -1 for none
 */
struct mmap_req {
	u64 addr;
	u64 len;
	s64 pos;
	u32 prot;
	u32 flags;
	int fd;
};

/**
 * kern_mmap() - map memory
 * @vm: the calling process's address space
 * @req: what
 *
 * Context: process, may sleep.
 * Return: 0; -EINVAL, -EOPNOTSUPP, -ENOMEM, -EBADF, -ENODEV, -EACCES, -EPERM as
 * mmap(2) says; -EOPNOTSUPP also for BSDVM_MAP_STACK, which does not exist yet;
 * -EINTR on a fatal signal.
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
 * -EBUSY for INVALIDATE over wired memory; -EIO.
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

#endif /* BSDVM_VM_MMAP_H */
