/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The calls that <bsdvm/compat.h> puts in the place of the system's where those
 * of <bsdvm.h> would be too strict.
 *
 * Each is the call of its name in the window, with BSD's arguments, results and
 * errors. A program that takes BSD's calls for granted also gives them addresses
 * that are not in the window: a static buffer, a block of malloc(3), a mapping
 * that a library made. A range that lies wholly outside, and does not wrap, goes
 * to the Linux call of the name; its start is rounded down to a page and its
 * constants are translated first. It fails as Linux has it.
 *
 * A function of Linux that does not do what BSD's would is not called: see
 * bsdvm_compat_madvise() and bsdvm_compat_minherit().
 */
#ifndef _BSDVM_COMPAT_CALLS_H
#define _BSDVM_COMPAT_CALLS_H

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * bsdvm_compat_munmap() - munmap(2)
 * @addr: start, rounded down to a page
 * @len: bytes
 *
 * Return: 0, or -1 with errno.
 */
int bsdvm_compat_munmap(void *addr, size_t len);

/**
 * bsdvm_compat_mprotect() - mprotect(2)
 * @addr: start, rounded down to a page
 * @len: bytes
 * @prot: BSDVM_PROT_*; outside the window BSDVM_PROT_MAX() is checked against
 *	it and then forgotten
 *
 * Return: 0, or -1 with errno.
 */
int bsdvm_compat_mprotect(void *addr, size_t len, int prot);

/**
 * bsdvm_compat_msync() - msync(2)
 * @addr: start, rounded down to a page
 * @len: bytes
 * @flags: BSDVM_MS_*
 *
 * Return: 0, or -1 with errno.
 */
int bsdvm_compat_msync(void *addr, size_t len, int flags);

/**
 * bsdvm_compat_madvise() - madvise(2)
 * @addr: start, rounded down to a page
 * @len: bytes
 * @behav: BSDVM_MADV_*
 *
 * Outside the window advice does not fail: what Linux does not understand is
 * ignored. BSDVM_MADV_DONTNEED keeps the data there, too (it is Linux's
 * MADV_COLD), and BSDVM_MADV_NOSYNC and _AUTOSYNC do nothing.
 *
 * Return: 0, or -1 with errno.
 */
int bsdvm_compat_madvise(void *addr, size_t len, int behav);

/**
 * bsdvm_compat_posix_madvise() - posix_madvise(2)
 * @addr: start, rounded down to a page
 * @len: bytes
 * @behav: as for bsdvm_posix_madvise()
 *
 * Return: 0, or the error number.
 */
int bsdvm_compat_posix_madvise(void *addr, size_t len, int behav);

/**
 * bsdvm_compat_mincore() - mincore(2)
 * @addr: start, rounded down to a page
 * @len: bytes
 * @vec: filled with BSDVM_MINCORE_*; outside the window only
 *	BSDVM_MINCORE_INCORE
 *
 * Return: 0, or -1 with errno.
 */
int bsdvm_compat_mincore(const void *addr, size_t len, char *vec);

/**
 * bsdvm_compat_mlock() - mlock(2)
 * @addr: start, rounded down to a page
 * @len: bytes
 *
 * Return: 0, or -1 with errno.
 */
int bsdvm_compat_mlock(const void *addr, size_t len);

/**
 * bsdvm_compat_munlock() - munlock(2)
 * @addr: start, rounded down to a page
 * @len: bytes
 *
 * Return: 0, or -1 with errno.
 */
int bsdvm_compat_munlock(const void *addr, size_t len);

/**
 * bsdvm_compat_minherit() - minherit(2)
 * @addr: start, rounded down to a page
 * @len: bytes
 * @inherit: BSDVM_INHERIT_*
 *
 * Outside the window these are Linux's madvise(2) with MADV_DONTFORK,
 * MADV_WIPEONFORK (private anonymous memory only) and their opposites;
 * BSDVM_INHERIT_SHARE, which Linux does not have, is EINVAL.
 *
 * Return: 0, or -1 with errno.
 */
int bsdvm_compat_minherit(void *addr, size_t len, int inherit);

/**
 * bsdvm_compat_fcntl() - fcntl(2), which can seal objects of bsdvm_shm_open()
 * @fd: descriptor
 * @cmd: F_*
 *
 * Return: as fcntl(2).
 */
int bsdvm_compat_fcntl(int fd, int cmd, ...);

#ifdef __cplusplus
}
#endif

#endif /* _BSDVM_COMPAT_CALLS_H */
