/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * vm_lock: locks that are free most of the time.
 *
 * An uncontended fault takes three of them, and spends a third of their cost on being
 * offered to be preempted. To try first costs nothing where the lock is free, and is as
 * fair: it fails while anybody waits. A kernel that checks the order of locks is not told
 * of it by a lock that was only tried for, so there all of them wait.
 */
#ifndef BSDVM_VM_LOCK_H
#define BSDVM_VM_LOCK_H

#include "vm_linux.h"

#define VM_LOCK_TRIES	(!IS_ENABLED(CONFIG_DEBUG_LOCK_ALLOC))

/**
 * vm_lock_read() - lock shared
 * @lock: the lock
 * @level: what lockdep is told of its place among locks of its class, 0 for most
 *
 * Context: process, may sleep.
 */
static __always_inline void vm_lock_read(struct rw_semaphore *lock, int level)
{
	if (!VM_LOCK_TRIES || unlikely(!down_read_trylock(lock)))
		down_read_nested(lock, level);
}

/**
 * vm_lock_write() - lock exclusively
 * @lock: the lock
 * @level: what lockdep is told of its place among locks of its class, 0 for most
 *
 * Context: process, may sleep.
 */
static __always_inline void vm_lock_write(struct rw_semaphore *lock, int level)
{
	if (!VM_LOCK_TRIES || unlikely(!down_write_trylock(lock)))
		down_write_nested(lock, level);
}

#endif /* BSDVM_VM_LOCK_H */
