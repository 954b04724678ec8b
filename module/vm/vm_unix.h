/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * vm_unix: the heap and the segments of a classic Unix process.
 *
 *	taddr    tsize   daddr        dsize          break               maxsaddr
 *	  | text |         | data | bss | heap ------->  |   ...   <---- stack |
 *
 * (McKusick et al., chapters 5.7 and 6.4; brk(2), sbrk(2).)
 */
#ifndef BSDVM_VM_UNIX_H
#define BSDVM_VM_UNIX_H

#include "vm_fork.h"

struct bsdvm_segments;

/**
 * kern_break() - move the end of the heap
 * @vm: the calling process's address space
 * @addr: in: the end wanted; below the base of the heap nothing changes; out:
 *	the end there is now
 *
 * What the heap gains is anonymous memory, readable and writable; what it loses
 * is unmapped.
 *
 * Context: process, may sleep and do I/O.
 * Return: 0; -ENOMEM beyond RLIMIT_DATA, RLIMIT_AS, RLIMIT_MEMLOCK (where
 * mlockall(MCL_FUTURE) is on) or the window, over a range in use, without swap
 * to reserve or kernel memory: the heap is as before; -EINTR.
 */
int kern_break(struct vmspace *vm, u64 *addr);

/**
 * kern_segments() - say where text and data lie, as execve(2) does
 * @vm: the calling process's address space
 * @seg: where
 *
 * Context: process, may sleep.
 * Return: 0; -EINVAL for a range outside the window or out of order.
 */
int kern_segments(struct vmspace *vm, const struct bsdvm_segments *seg);

/**
 * vmspace_data_end() - the end of what the heap may grow to
 * @vm: the address space
 *
 * Mappings that nobody gave an address are placed behind it.
 *
 * Context: any.
 * Return: the address.
 */
vm_offset_t vmspace_data_end(struct vmspace *vm);

/* Tunable: most bytes a heap may have room for. */
extern unsigned long vm_maxdsiz;

#endif /* BSDVM_VM_UNIX_H */
