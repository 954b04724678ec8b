// SPDX-License-Identifier: BSD-2-Clause
/*
 * The heap. The kernel alone knows where it ends: a number kept here would go
 * stale with each brk made by other means, and asking costs one system call. The
 * lock makes the question and the change of sbrk one step.
 *
 * The window is made before the lock is taken, so that this lock and the window's
 * are never held together and a fork may take them in any order.
 */
#include <errno.h>
#include <pthread.h>
#include <stdint.h>

#include "window.h"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static void lock_heap(void)
{
	pthread_mutex_lock(&lock);
}

static void unlock_heap(void)
{
	pthread_mutex_unlock(&lock);
}

/* The child of a fork finds the lock free, whoever held it in the parent. */
__attribute__((constructor)) static void register_fork_handlers(void)
{
	pthread_atfork(lock_heap, unlock_heap, unlock_heap);
}

/* Move the end of the heap to *addr, and fill in where it is then. */
static int break_set_locked(uintptr_t *addr)
{
	struct bsdvm_break arg = { .size = sizeof(arg), .addr = *addr };

	if (libbsdvm_ioctl(BSDVM_IOC_BREAK, &arg))
		return -1;
	*addr = arg.addr;
	return 0;
}

int bsdvm_brk(const void *addr)
{
	uintptr_t end = (uintptr_t)addr;
	int ret;

	if (bsdvm_attach(0))
		return -1;
	lock_heap();
	ret = break_set_locked(&end);
	unlock_heap();
	return ret;
}

static int break_move_locked(intptr_t incr, uintptr_t *old)
{
	uintptr_t end, wanted;

	/* No heap reaches down to 0: this only asks. */
	*old = 0;
	if (break_set_locked(old))
		return -1;
	if (!incr)
		return 0;
	wanted = end = *old + (uintptr_t)incr;
	if (incr > 0 && end < *old) {
		errno = ENOMEM;
		return -1;
	}
	if (incr < 0 && end > *old) {
		errno = EINVAL;
		return -1;
	}
	if (break_set_locked(&end))
		return -1;
	/* What lies below the base, brk ignores; here nothing was given back. */
	if (end != wanted) {
		errno = EINVAL;
		return -1;
	}
	return 0;
}

void *bsdvm_sbrk(intptr_t incr)
{
	uintptr_t old;
	int ret;

	if (bsdvm_attach(0))
		return (void *)-1;
	lock_heap();
	ret = break_move_locked(incr, &old);
	unlock_heap();
	return ret ? (void *)-1 : (void *)old;
}

int bsdvm_segments(const struct bsdvm_segments *segments)
{
	struct bsdvm_segments arg = *segments;

	arg.size = sizeof(arg);
	return libbsdvm_ioctl(BSDVM_IOC_SEGMENTS, &arg);
}
