/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * BSD's memory calls under their own names, for source that knows no others:
 *
 *	cc -include bsdvm/compat.h program.c -lbsdvm
 *
 * The system's headers come first, so that including them again declares nothing
 * more. Then Linux's constants go, those that BSD does not have for good: a
 * program that asks whether MAP_POPULATE is defined shall take the way that it
 * takes on BSD. BSD's take their place.
 *
 * The names of the calls are macros without arguments. So the address of a call
 * is the address of ours, as is a declaration that somebody repeats; and a member
 * or a variable of such a name is renamed wherever it stands, to no effect. The
 * rest of the process is as it was: malloc(3) and other libraries keep using
 * Linux's calls, under whatever name they have there.
 *
 * bsdvm(7) has more about it.
 */
#ifndef _BSDVM_COMPAT_H
#define _BSDVM_COMPAT_H

#ifndef __ASSEMBLER__

/* BSD shows everything unless asked for less, also with -std=c11. */
#if !defined(_DEFAULT_SOURCE) && !defined(_GNU_SOURCE) &&       \
	!defined(_POSIX_SOURCE) && !defined(_POSIX_C_SOURCE) && \
	!defined(_XOPEN_SOURCE)
#define _DEFAULT_SOURCE 1
#endif

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

#include <bsdvm.h>
#include <bsdvm/compat_calls.h>

/* Protections. */
#undef PROT_NONE
#undef PROT_READ
#undef PROT_WRITE
#undef PROT_EXEC
#undef PROT_SEM
#undef PROT_GROWSDOWN
#undef PROT_GROWSUP
#define PROT_NONE	       BSDVM_PROT_NONE
#define PROT_READ	       BSDVM_PROT_READ
#define PROT_WRITE	       BSDVM_PROT_WRITE
#define PROT_EXEC	       BSDVM_PROT_EXEC
#define PROT_EXTRACT(prot)     ((prot)&BSDVM_PROT_ALL)
#define PROT_MAX(prot)	       BSDVM_PROT_MAX(prot)
#define PROT_MAX_EXTRACT(prot) (((prot) >> 16) & BSDVM_PROT_ALL)

/* mmap flags. */
#undef MAP_32BIT
#undef MAP_ANON
#undef MAP_ANONYMOUS
#undef MAP_DENYWRITE
#undef MAP_DROPPABLE
#undef MAP_EXECUTABLE
#undef MAP_FAILED
#undef MAP_FILE
#undef MAP_FIXED
#undef MAP_FIXED_NOREPLACE
#undef MAP_GROWSDOWN
#undef MAP_HUGETLB
#undef MAP_HUGE_MASK
#undef MAP_HUGE_SHIFT
#undef MAP_LOCKED
#undef MAP_NONBLOCK
#undef MAP_NORESERVE
#undef MAP_POPULATE
#undef MAP_PRIVATE
#undef MAP_SHARED
#undef MAP_SHARED_VALIDATE
#undef MAP_STACK
#undef MAP_SYNC
#undef MAP_TYPE
#undef MAP_UNINITIALIZED
#define MAP_FAILED	    BSDVM_MAP_FAILED
#define MAP_FILE	    0
#define MAP_SHARED	    BSDVM_MAP_SHARED
#define MAP_PRIVATE	    BSDVM_MAP_PRIVATE
#define MAP_COPY	    BSDVM_MAP_COPY
#define MAP_FIXED	    BSDVM_MAP_FIXED
#define MAP_RESERVED0020    BSDVM_MAP_RESERVED0020
#define MAP_RESERVED0040    BSDVM_MAP_RESERVED0040
#define MAP_RESERVED0080    BSDVM_MAP_RESERVED0080
#define MAP_RESERVED0100    BSDVM_MAP_RESERVED0100
#define MAP_HASSEMAPHORE    BSDVM_MAP_HASSEMAPHORE
#define MAP_STACK	    BSDVM_MAP_STACK
#define MAP_NOSYNC	    BSDVM_MAP_NOSYNC
#define MAP_ANON	    BSDVM_MAP_ANON
#define MAP_ANONYMOUS	    BSDVM_MAP_ANON
#define MAP_GUARD	    BSDVM_MAP_GUARD
#define MAP_EXCL	    BSDVM_MAP_EXCL
#define MAP_NOCORE	    BSDVM_MAP_NOCORE
#define MAP_PREFAULT_READ   BSDVM_MAP_PREFAULT_READ
#define MAP_32BIT	    BSDVM_MAP_32BIT
/* An int, as FreeBSD has it, which BSDVM_MAP_ALIGNED() is not. */
#define MAP_ALIGNED(n)	    ((n) << BSDVM_MAP_ALIGNMENT_SHIFT)
#define MAP_ALIGNED_SUPER   MAP_ALIGNED(1)
#define MAP_ALIGNMENT_SHIFT BSDVM_MAP_ALIGNMENT_SHIFT
#define MAP_ALIGNMENT_MASK  BSDVM_MAP_ALIGNMENT_MASK

/* What other BSDs call the same, or need not be asked for here. */
#define MAP_NORESERVE	   BSDVM_MAP_RESERVED0040
#define MAP_TRYFIXED	   0
#define MAP_CONCEAL	   BSDVM_MAP_NOCORE
#define __MAP_NOREPLACE	   BSDVM_MAP_EXCL
#define MAP_ALIGNMENT_64KB MAP_ALIGNED(16)
#define MAP_ALIGNMENT_16MB MAP_ALIGNED(24)
#define MAP_ALIGNMENT_4GB  MAP_ALIGNED(32)

/* msync flags. */
#undef MS_SYNC
#undef MS_ASYNC
#undef MS_INVALIDATE
#define MS_SYNC	      BSDVM_MS_SYNC
#define MS_ASYNC      BSDVM_MS_ASYNC
#define MS_INVALIDATE BSDVM_MS_INVALIDATE

/* madvise values. */
#undef MADV_COLD
#undef MADV_COLLAPSE
#undef MADV_DODUMP
#undef MADV_DOFORK
#undef MADV_DONTDUMP
#undef MADV_DONTFORK
#undef MADV_DONTNEED
#undef MADV_DONTNEED_LOCKED
#undef MADV_FREE
#undef MADV_GUARD_INSTALL
#undef MADV_GUARD_REMOVE
#undef MADV_HUGEPAGE
#undef MADV_HWPOISON
#undef MADV_KEEPONFORK
#undef MADV_MERGEABLE
#undef MADV_NOHUGEPAGE
#undef MADV_NORMAL
#undef MADV_PAGEOUT
#undef MADV_POPULATE_READ
#undef MADV_POPULATE_WRITE
#undef MADV_RANDOM
#undef MADV_REMOVE
#undef MADV_SEQUENTIAL
#undef MADV_SOFT_OFFLINE
#undef MADV_UNMERGEABLE
#undef MADV_WILLNEED
#undef MADV_WIPEONFORK
#define MADV_NORMAL	BSDVM_MADV_NORMAL
#define MADV_RANDOM	BSDVM_MADV_RANDOM
#define MADV_SEQUENTIAL BSDVM_MADV_SEQUENTIAL
#define MADV_WILLNEED	BSDVM_MADV_WILLNEED
#define MADV_DONTNEED	BSDVM_MADV_DONTNEED
#define MADV_FREE	BSDVM_MADV_FREE
#define MADV_NOSYNC	BSDVM_MADV_NOSYNC
#define MADV_AUTOSYNC	BSDVM_MADV_AUTOSYNC
#define MADV_NOCORE	BSDVM_MADV_NOCORE
#define MADV_CORE	BSDVM_MADV_CORE
#define MADV_PROTECT	BSDVM_MADV_PROTECT

#undef POSIX_MADV_NORMAL
#undef POSIX_MADV_RANDOM
#undef POSIX_MADV_SEQUENTIAL
#undef POSIX_MADV_WILLNEED
#undef POSIX_MADV_DONTNEED
#define POSIX_MADV_NORMAL     BSDVM_MADV_NORMAL
#define POSIX_MADV_RANDOM     BSDVM_MADV_RANDOM
#define POSIX_MADV_SEQUENTIAL BSDVM_MADV_SEQUENTIAL
#define POSIX_MADV_WILLNEED   BSDVM_MADV_WILLNEED
#define POSIX_MADV_DONTNEED   BSDVM_MADV_DONTNEED

/* mincore bits. */
#define MINCORE_INCORE		 BSDVM_MINCORE_INCORE
#define MINCORE_REFERENCED	 BSDVM_MINCORE_REFERENCED
#define MINCORE_MODIFIED	 BSDVM_MINCORE_MODIFIED
#define MINCORE_REFERENCED_OTHER BSDVM_MINCORE_REFERENCED_OTHER
#define MINCORE_MODIFIED_OTHER	 BSDVM_MINCORE_MODIFIED_OTHER
#define MINCORE_SUPER		 BSDVM_MINCORE_SUPER
#define MINCORE_PSIND(i)	 BSDVM_MINCORE_PSIND(i)

/* mlockall flags. */
#undef MCL_CURRENT
#undef MCL_FUTURE
#undef MCL_ONFAULT
#undef MLOCK_ONFAULT
#define MCL_CURRENT BSDVM_MCL_CURRENT
#define MCL_FUTURE  BSDVM_MCL_FUTURE

/* minherit values; NetBSD and OpenBSD begin them with MAP_. */
#define INHERIT_SHARE	  BSDVM_INHERIT_SHARE
#define INHERIT_COPY	  BSDVM_INHERIT_COPY
#define INHERIT_NONE	  BSDVM_INHERIT_NONE
#define INHERIT_ZERO	  BSDVM_INHERIT_ZERO
#define MAP_INHERIT_SHARE BSDVM_INHERIT_SHARE
#define MAP_INHERIT_COPY  BSDVM_INHERIT_COPY
#define MAP_INHERIT_NONE  BSDVM_INHERIT_NONE
#define MAP_INHERIT_ZERO  BSDVM_INHERIT_ZERO

/* mremap flags: NetBSD's, not Linux's. */
#undef MREMAP_MAYMOVE
#undef MREMAP_FIXED
#undef MREMAP_DONTUNMAP
#define MAP_REMAPDUP BSDVM_MAP_REMAPDUP

/* Shared memory objects. The flags of open(2) are Linux's throughout. */
#define SHM_ANON		    BSDVM_SHM_ANON_PATH
#define SHM_ALLOW_SEALING	    BSDVM_SHM_ALLOW_SEALING
#define SHM_GROW_ON_WRITE	    BSDVM_SHM_GROW_ON_WRITE
#define SHM_LARGEPAGE		    BSDVM_SHM_LARGEPAGE
#define SHM_LARGEPAGE_ALLOC_DEFAULT BSDVM_SHM_LARGEPAGE_ALLOC_DEFAULT
#define SHM_LARGEPAGE_ALLOC_NOWAIT  BSDVM_SHM_LARGEPAGE_ALLOC_NOWAIT
#define SHM_LARGEPAGE_ALLOC_HARD    BSDVM_SHM_LARGEPAGE_ALLOC_HARD
#define SHM_RENAME_NOREPLACE	    BSDVM_SHM_RENAME_NOREPLACE
#define SHM_RENAME_EXCHANGE	    BSDVM_SHM_RENAME_EXCHANGE

/* The same values here and there, where the headers show them. */
#ifndef MFD_CLOEXEC
#define MFD_CLOEXEC	  BSDVM_MFD_CLOEXEC
#define MFD_ALLOW_SEALING BSDVM_MFD_ALLOW_SEALING
#define MFD_HUGETLB	  BSDVM_MFD_HUGETLB
#endif
#ifndef F_ADD_SEALS
#define F_ADD_SEALS   1033
#define F_GET_SEALS   1034
#define F_SEAL_SEAL   BSDVM_F_SEAL_SEAL
#define F_SEAL_SHRINK BSDVM_F_SEAL_SHRINK
#define F_SEAL_GROW   BSDVM_F_SEAL_GROW
#define F_SEAL_WRITE  BSDVM_F_SEAL_WRITE
#endif

/* si_code of SIGBUS; the others are the same. */
#define BUS_OOMERR BSDVM_BUS_OOMERR

/* The calls. */
#define mmap		     bsdvm_mmap
#define munmap		     bsdvm_compat_munmap
#define mprotect	     bsdvm_compat_mprotect
#define msync		     bsdvm_compat_msync
#define madvise		     bsdvm_compat_madvise
#define posix_madvise	     bsdvm_compat_posix_madvise
#define mincore		     bsdvm_compat_mincore
#define mlock		     bsdvm_compat_mlock
#define munlock		     bsdvm_compat_munlock
#define mlockall	     bsdvm_mlockall
#define munlockall	     bsdvm_munlockall
#define minherit	     bsdvm_compat_minherit
#define brk		     bsdvm_brk
#define sbrk		     bsdvm_sbrk
#define mremap		     bsdvm_mremap
#define mquery		     bsdvm_mquery
#define mimmutable	     bsdvm_mimmutable
#define getpagesizes	     bsdvm_getpagesizes
#define shm_open	     bsdvm_shm_open
#define shm_open2	     bsdvm_shm_open2
#define shm_unlink	     bsdvm_shm_unlink
#define shm_rename	     bsdvm_shm_rename
#define shm_create_largepage bsdvm_shm_create_largepage
#define memfd_create	     bsdvm_memfd_create
#define fcntl		     bsdvm_compat_fcntl

#endif /* !__ASSEMBLER__ */

#endif /* _BSDVM_COMPAT_H */
