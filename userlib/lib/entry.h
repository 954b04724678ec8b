/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The public calls, one a line, and the names that they have inside the library.
 *
 * Each call bsdvm_NAME() that a program sees is made by entry.c around the function
 * that is written as bsdvm_NAME() in the other sources; these are told here to name it
 * libbsdvm_inner_NAME(). So there is one place that sees every call of a program begin
 * and end, and calls that the library makes itself do not pass through it.
 */
#ifndef _LIBBSDVM_ENTRY_H
#define _LIBBSDVM_ENTRY_H

#include <bsdvm.h>
#include <bsdvm/compat_calls.h>

/*
 * For each call CALL(type, name, parameters, arguments...), and VOID(name, parameters,
 * arguments...) when it returns nothing. bsdvm_compat_fcntl() is not among them: its
 * arguments cannot be named.
 */
/* clang-format off */
#define LIBBSDVM_CALLS(CALL, VOID)					\
	CALL(int, attach, (size_t size), size)				\
	CALL(int, fd, (void))						\
	CALL(int, window, (void **start, size_t *size), start, size)	\
	CALL(void *, mmap,						\
	     (void *addr, size_t len, int prot, int flags, int fd, off_t off), \
	     addr, len, prot, flags, fd, off)				\
	CALL(int, munmap, (void *addr, size_t len), addr, len)		\
	CALL(int, mprotect, (void *addr, size_t len, int prot), addr, len, prot) \
	CALL(int, msync, (void *addr, size_t len, int flags), addr, len, flags)	\
	CALL(int, minherit, (void *addr, size_t len, int inherit),	\
	     addr, len, inherit)					\
	CALL(void *, mquery,						\
	     (void *addr, size_t len, int prot, int flags, int fd, off_t off), \
	     addr, len, prot, flags, fd, off)				\
	CALL(void *, mremap,						\
	     (void *old_addr, size_t old_len, void *new_addr, size_t new_len, \
	      int flags),						\
	     old_addr, old_len, new_addr, new_len, flags)		\
	CALL(int, mimmutable, (void *addr, size_t len), addr, len)	\
	CALL(int, madvise, (void *addr, size_t len, int behav), addr, len, behav) \
	CALL(int, posix_madvise, (void *addr, size_t len, int behav),	\
	     addr, len, behav)						\
	CALL(int, mincore, (const void *addr, size_t len, char *vec),	\
	     addr, len, vec)						\
	CALL(int, mlock, (const void *addr, size_t len), addr, len)	\
	CALL(int, munlock, (const void *addr, size_t len), addr, len)	\
	CALL(int, mlockall, (int flags), flags)				\
	CALL(int, munlockall, (void))					\
	CALL(int, brk, (const void *addr), addr)			\
	CALL(void *, sbrk, (intptr_t incr), incr)			\
	CALL(int, segments, (const struct bsdvm_segments *segments), segments) \
	CALL(int, rusage, (pid_t pid, struct bsdvm_rusage *usage), pid, usage) \
	CALL(int, shm_open, (const char *path, int flags, mode_t mode),	\
	     path, flags, mode)						\
	CALL(int, shm_open2,						\
	     (const char *path, int flags, mode_t mode, int shmflags,	\
	      const char *name),					\
	     path, flags, mode, shmflags, name)				\
	CALL(int, shm_unlink, (const char *path), path)			\
	CALL(int, shm_rename, (const char *from, const char *to, int flags), \
	     from, to, flags)						\
	CALL(int, memfd_create, (const char *name, unsigned int flags),	\
	     name, flags)						\
	CALL(int, shm_create_largepage,					\
	     (const char *path, int flags, int psind, int alloc_policy,	\
	      mode_t mode),						\
	     path, flags, psind, alloc_policy, mode)			\
	CALL(int, shm_seals, (int fd, int add), fd, add)		\
	CALL(int, getpagesizes, (size_t pagesize[], int nelem),		\
	     pagesize, nelem)						\
	CALL(int, fault,						\
	     (void *addr, size_t len, int prot, size_t *done, int *outcome), \
	     addr, len, prot, done, outcome)				\
	CALL(int, info, (struct bsdvm_info *info), info)		\
	CALL(int, stats, (struct bsdvm_stats *stats), stats)		\
	CALL(int, sysctl_get, (const char *name, uint64_t *value), name, value) \
	CALL(int, sysctl_set, (const char *name, uint64_t value), name, value) \
	CALL(int, sysctl_info,						\
	     (const char *name, unsigned int index, struct bsdvm_sysctl *info), \
	     name, index, info)						\
	CALL(int, swapon, (const char *special), special)		\
	CALL(int, swapoff, (const char *special), special)		\
	CALL(int, swapinfo,						\
	     (unsigned int index, struct bsdvm_swapinfo *info), index, info) \
	CALL(int, swapfind,						\
	     (const char *special, struct bsdvm_swapinfo *info), special, info) \
	CALL(int, kmap, (unsigned int index, struct bsdvm_kmap *info),	\
	     index, info)						\
	CALL(struct bsdvm_zone *, getzones, (size_t *count), count)	\
	VOID(freezones, (struct bsdvm_zone *zones), zones)		\
	CALL(struct bsdvm_malloc_type *, getmalloctypes, (size_t *count), count) \
	VOID(freemalloctypes, (struct bsdvm_malloc_type *types), types)	\
	CALL(struct bsdvm_vmentry *, getvmmap, (size_t *count), count)	\
	CALL(struct bsdvm_vmentry *, getvmmap_pid, (pid_t pid, size_t *count), \
	     pid, count)						\
	VOID(freevmmap, (struct bsdvm_vmentry *map), map)		\
	CALL(struct bsdvm_kvmobject *, getvmobject, (size_t *count), count) \
	VOID(freevmobject, (struct bsdvm_kvmobject *objects), objects)	\
	CALL(struct bsdvm_pagerun *, getpages,				\
	     (pid_t pid, uint64_t addr, uint64_t object, size_t *count), \
	     pid, addr, object, count)					\
	VOID(freepages, (struct bsdvm_pagerun *pages), pages)		\
	CALL(int, compat_munmap, (void *addr, size_t len), addr, len)	\
	CALL(int, compat_mprotect, (void *addr, size_t len, int prot),	\
	     addr, len, prot)						\
	CALL(int, compat_msync, (void *addr, size_t len, int flags),	\
	     addr, len, flags)						\
	CALL(int, compat_madvise, (void *addr, size_t len, int behav),	\
	     addr, len, behav)						\
	CALL(int, compat_posix_madvise, (void *addr, size_t len, int behav), \
	     addr, len, behav)						\
	CALL(int, compat_mincore, (const void *addr, size_t len, char *vec), \
	     addr, len, vec)						\
	CALL(int, compat_mlock, (const void *addr, size_t len), addr, len) \
	CALL(int, compat_munlock, (const void *addr, size_t len), addr, len) \
	CALL(int, compat_minherit, (void *addr, size_t len, int inherit), \
	     addr, len, inherit)
/* clang-format on */

/* bsdvm_compat_fcntl() as it is inside: its third argument has been taken already. */
int libbsdvm_inner_compat_fcntl(int fd, int cmd, void *arg);

#ifndef LIBBSDVM_NAMES_OUTSIDE
#define LIBBSDVM_INNER(_name)                                   \
	extern __typeof__(bsdvm_##_name) bsdvm_##_name __asm__( \
		"libbsdvm_inner_" #_name);
#define LIBBSDVM_INNER_CALL(_type, _name, ...) LIBBSDVM_INNER(_name)
#define LIBBSDVM_INNER_VOID(_name, ...)	       LIBBSDVM_INNER(_name)

LIBBSDVM_CALLS(LIBBSDVM_INNER_CALL, LIBBSDVM_INNER_VOID)
#endif

#endif /* _LIBBSDVM_ENTRY_H */
