// SPDX-License-Identifier: BSD-2-Clause
/*
 * The calls of <bsdvm/compat.h>. This file sees both worlds: MAP_*, MADV_* and so
 * on are Linux's here, BSDVM_* are BSD's.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/mman.h>
#include <unistd.h>

#include <bsdvm/compat_calls.h>

#include "window.h"

/* Of <fcntl.h>, which keeps them for _GNU_SOURCE. */
#ifndef F_ADD_SEALS
#define F_ADD_SEALS 1033
#define F_GET_SEALS 1034
#endif

/*
 * Is this a matter for Linux? If so, make whole pages of the range. What wraps or
 * reaches into the window is BSD's to refuse: Linux would end the window that a
 * large enough munmap covers.
 */
static bool range_outside(void **addr, size_t *len)
{
	const uintptr_t mask = sysconf(_SC_PAGESIZE) - 1;
	const uintptr_t start = (uintptr_t)*addr & ~mask;
	const uintptr_t last = (uintptr_t)*addr + *len;
	const uintptr_t end = (last + mask) & ~mask;

	if (last < (uintptr_t)*addr || end < last ||
	    libbsdvm_window_meets(start, end))
		return false;
	/* A range without a byte stays one. */
	if (*len)
		*len = end - start;
	*addr = (void *)start;
	return true;
}

int bsdvm_compat_munmap(void *addr, size_t len)
{
	if (!range_outside(&addr, &len))
		return bsdvm_munmap(addr, len);
	return munmap(addr, len);
}

int bsdvm_compat_mprotect(void *addr, size_t len, int prot)
{
	const int max = BSDVM_PROT_MAX(BSDVM_PROT_ALL);

	if (!range_outside(&addr, &len))
		return bsdvm_mprotect(addr, len, prot);
	if (prot & ~(BSDVM_PROT_ALL | max)) {
		errno = EINVAL;
		return -1;
	}
	if ((prot & max) && (BSDVM_PROT_MAX(prot & BSDVM_PROT_ALL) & ~prot)) {
		errno = ENOTSUP;
		return -1;
	}
	/* The bits themselves are the same. */
	return mprotect(addr, len, prot & BSDVM_PROT_ALL);
}

int bsdvm_compat_msync(void *addr, size_t len, int flags)
{
	int linux_flags = flags & BSDVM_MS_ASYNC ? MS_ASYNC : MS_SYNC;

	if (!range_outside(&addr, &len))
		return bsdvm_msync(addr, len, flags);
	if (flags & BSDVM_MS_INVALIDATE)
		linux_flags |= MS_INVALIDATE;
	if ((flags & BSDVM_MS_ASYNC) && (flags & BSDVM_MS_INVALIDATE)) {
		errno = EINVAL;
		return -1;
	}
	return msync(addr, len, linux_flags);
}

/* What Linux calls an advice of BSD; -1 where it knows none. */
static int linux_advice(int behav)
{
	switch (behav) {
	case BSDVM_MADV_NORMAL:
		return MADV_NORMAL;
	case BSDVM_MADV_RANDOM:
		return MADV_RANDOM;
	case BSDVM_MADV_SEQUENTIAL:
		return MADV_SEQUENTIAL;
	case BSDVM_MADV_WILLNEED:
		return MADV_WILLNEED;
	case BSDVM_MADV_DONTNEED:
		/* Linux's own MADV_DONTNEED throws the data away. */
		return MADV_COLD;
	case BSDVM_MADV_FREE:
		return MADV_FREE;
	case BSDVM_MADV_NOCORE:
		return MADV_DONTDUMP;
	case BSDVM_MADV_CORE:
		return MADV_DODUMP;
	default:
		return -1;
	}
}

int bsdvm_compat_madvise(void *addr, size_t len, int behav)
{
	const int saved = errno;
	int advice;

	/* About the process rather than the range. */
	if (behav == BSDVM_MADV_PROTECT || behav < 0 ||
	    behav > BSDVM_MADV_PROTECT || !range_outside(&addr, &len))
		return bsdvm_madvise(addr, len, behav);
	advice = linux_advice(behav);
	/* A file's pages cannot be freed, a hole cannot be advised: no matter. */
	if (advice >= 0)
		madvise(addr, len, advice);
	errno = saved;
	return 0;
}

int bsdvm_compat_posix_madvise(void *addr, size_t len, int behav)
{
	const int saved = errno;
	const int error = bsdvm_compat_madvise(addr, len, behav) ? errno : 0;

	errno = saved;
	return error;
}

int bsdvm_compat_mincore(const void *addr, size_t len, char *vec)
{
	const size_t page = sysconf(_SC_PAGESIZE);
	void *start = (void *)addr;
	size_t i;

	if (!range_outside(&start, &len))
		return bsdvm_mincore(addr, len, vec);
	if (mincore(start, len, (unsigned char *)vec))
		return -1;
	/* The other bits are reserved. */
	for (i = 0; i < len / page; i++)
		vec[i] = vec[i] & 1 ? BSDVM_MINCORE_INCORE : 0;
	return 0;
}

int bsdvm_compat_mlock(const void *addr, size_t len)
{
	void *start = (void *)addr;

	if (!range_outside(&start, &len))
		return bsdvm_mlock(addr, len);
	return mlock(start, len);
}

int bsdvm_compat_munlock(const void *addr, size_t len)
{
	void *start = (void *)addr;

	if (!range_outside(&start, &len))
		return bsdvm_munlock(addr, len);
	return munlock(start, len);
}

/* Holes are no error in BSD; Linux reports them when it has done the rest. */
static int advise_fork(void *addr, size_t len, int advice)
{
	if (!madvise(addr, len, advice) || errno == ENOMEM)
		return 0;
	return -1;
}

int bsdvm_compat_minherit(void *addr, size_t len, int inherit)
{
	if (!range_outside(&addr, &len))
		return bsdvm_minherit(addr, len, inherit);
	switch (inherit) {
	case BSDVM_INHERIT_COPY:
		/* What cannot be wiped need not be kept from it. */
		if (advise_fork(addr, len, MADV_KEEPONFORK) && errno != EINVAL)
			return -1;
		return advise_fork(addr, len, MADV_DOFORK);
	case BSDVM_INHERIT_NONE:
		return advise_fork(addr, len, MADV_DONTFORK);
	case BSDVM_INHERIT_ZERO:
		if (advise_fork(addr, len, MADV_WIPEONFORK))
			return -1;
		return advise_fork(addr, len, MADV_DOFORK);
	default:
		errno = EINVAL;
		return -1;
	}
}

int libbsdvm_inner_compat_fcntl(int fd, int cmd, void *arg)
{
	const int saved = errno;
	int ret;

	ret = fcntl(fd, cmd, arg);
	if (ret >= 0 || errno != EINVAL ||
	    (cmd != F_ADD_SEALS && cmd != F_GET_SEALS))
		return ret;
	/* Not one of Linux's objects that can be sealed. */
	if (bsdvm_fd() < 0) {
		errno = EINVAL;
		return -1;
	}
	if (cmd == F_GET_SEALS)
		arg = NULL;
	ret = bsdvm_shm_seals(fd, (int)(intptr_t)arg);
	if (ret < 0)
		return -1;
	errno = saved;
	return cmd == F_GET_SEALS ? ret : 0;
}
