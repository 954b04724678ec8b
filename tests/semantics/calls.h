/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the tests of calls in docs/semantics.md are written in: BSD's names for
 * the calls, and its constants with and without MAP_ and PROT_.
 */
#ifndef _SEMANTICS_CALLS_H
#define _SEMANTICS_CALLS_H

#include <fcntl.h>

#include "scene.h"

/**
 * struct semantics_call - a call of a row
 * @text: as the table has it
 * @prepare: what must succeed before it, or NULL
 * @make: makes the call; -1 is a failure
 * @want: the errno it must answer, 0 for success
 * @pieces: SCENE_* that it needs
 */
struct semantics_call {
	const char *text;
	void (*prepare)(void);
	long (*make)(void);
	int want;
	unsigned int pieces;
};

/*
 * Make the calls of the row in this line of the table. Each has a scene of its
 * own, or one that only calls have seen that must fail.
 */
void semantics_row(int line, const struct semantics_call *calls, size_t count);

/* Note a preparation that failed, and end the test. */
void semantics_unprepared(const char *text);

#define PREPARE(_call)                                \
	do {                                          \
		if ((long)(_call) == -1)              \
			semantics_unprepared(#_call); \
	} while (0)

/* Room for mincore, and a name that is too long. */
extern char vec[];
extern char long_name[];

#define mmap(...)	   ((long)bsdvm_mmap(__VA_ARGS__))
#define munmap(...)	   ((long)bsdvm_munmap(__VA_ARGS__))
#define mprotect(...)	   ((long)bsdvm_mprotect(__VA_ARGS__))
#define msync(...)	   ((long)bsdvm_msync(__VA_ARGS__))
#define madvise(...)	   ((long)bsdvm_madvise(__VA_ARGS__))
#define posix_madvise(...) semantics_result(bsdvm_posix_madvise(__VA_ARGS__))
#define mincore(...)	   ((long)bsdvm_mincore(__VA_ARGS__))
#define mlock(...)	   ((long)bsdvm_mlock(__VA_ARGS__))
#define munlock(...)	   ((long)bsdvm_munlock(__VA_ARGS__))
#define mlockall(...)	   ((long)bsdvm_mlockall(__VA_ARGS__))
#define munlockall()	   ((long)bsdvm_munlockall())
#define minherit(...)	   ((long)bsdvm_minherit(__VA_ARGS__))
#define brk(...)	   ((long)bsdvm_brk(__VA_ARGS__))
#define sbrk(...)	   ((long)bsdvm_sbrk(__VA_ARGS__))
#define shm_open(...)	   ((long)bsdvm_shm_open(__VA_ARGS__))
#define shm_unlink(...)	   ((long)bsdvm_shm_unlink(__VA_ARGS__))
#define shm_rename(...)	   ((long)bsdvm_shm_rename(__VA_ARGS__))
#define memfd_create(...)  ((long)bsdvm_memfd_create(__VA_ARGS__))
#define mremap(...)	   ((long)bsdvm_mremap(__VA_ARGS__))
#define mimmutable(...)	   ((long)bsdvm_mimmutable(__VA_ARGS__))
#define mquery(...)	   ((long)bsdvm_mquery(__VA_ARGS__))

/* An error number as a result, as others answer. */
static inline long semantics_result(int error)
{
	errno = error;
	return error ? -1 : 0;
}

#define PROT_MAX(_prot) BSDVM_PROT_MAX(_prot)
#define SHARED		BSDVM_MAP_SHARED
#define PRIVATE		BSDVM_MAP_PRIVATE
#define FIXED		BSDVM_MAP_FIXED
#define HASSEMAPHORE	BSDVM_MAP_HASSEMAPHORE
#define STACK		BSDVM_MAP_STACK
#define NOSYNC		BSDVM_MAP_NOSYNC
#undef ANON
#define ANON		     BSDVM_MAP_ANON
#define GUARD		     BSDVM_MAP_GUARD
#define EXCL		     BSDVM_MAP_EXCL
#define NOCORE		     BSDVM_MAP_NOCORE
#define PREFAULT_READ	     BSDVM_MAP_PREFAULT_READ
#define BIT32		     BSDVM_MAP_32BIT
#define ALIGNED(_n)	     BSDVM_MAP_ALIGNED(_n)
#define ALIGNED_SUPER	     BSDVM_MAP_ALIGNED_SUPER
#define REMAPDUP	     BSDVM_MAP_REMAPDUP
#define MS_SYNC		     BSDVM_MS_SYNC
#define MS_ASYNC	     BSDVM_MS_ASYNC
#define MS_INVALIDATE	     BSDVM_MS_INVALIDATE
#define MADV_NORMAL	     BSDVM_MADV_NORMAL
#define MADV_RANDOM	     BSDVM_MADV_RANDOM
#define MADV_WILLNEED	     BSDVM_MADV_WILLNEED
#define MADV_DONTNEED	     BSDVM_MADV_DONTNEED
#define MADV_FREE	     BSDVM_MADV_FREE
#define MADV_PROTECT	     BSDVM_MADV_PROTECT
#define MCL_CURRENT	     BSDVM_MCL_CURRENT
#define MCL_FUTURE	     BSDVM_MCL_FUTURE
#define INHERIT_SHARE	     BSDVM_INHERIT_SHARE
#define INHERIT_NONE	     BSDVM_INHERIT_NONE
#define INHERIT_ZERO	     BSDVM_INHERIT_ZERO
#define SHM_ANON	     BSDVM_SHM_ANON_PATH
#define SHM_RENAME_NOREPLACE BSDVM_SHM_RENAME_NOREPLACE
#define SHM_RENAME_EXCHANGE  BSDVM_SHM_RENAME_EXCHANGE

#endif /* _SEMANTICS_CALLS_H */
