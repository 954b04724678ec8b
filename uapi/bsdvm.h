/* SPDX-License-Identifier: (GPL-2.0 WITH Linux-syscall-note) OR BSD-2-Clause */
/*
 * /dev/bsdvm: the ABI between the module and user space.
 *
 * A process opens the device and maps one window:
 *
 *	mmap(NULL, size, prot, MAP_SHARED | MAP_NORESERVE, fd, 0)
 *
 * Inside the window BSD semantics hold; the calls below work on it. The
 * vmspace is the one of the calling process, whichever descriptor of the device
 * the call is made on: a fork child that inherits a descriptor works on its
 * own copy, threads share one.
 *
 * DOC: conventions
 *
 * Every ioctl takes a pointer to a structure whose first member is its size in
 * bytes, so that structures can grow: a shorter one than the kernel's is taken
 * as if zeroes followed, a longer one is refused with E2BIG unless the tail is
 * zero. Reserved members must be zero. The kernel writes results, if there are
 * any, back into the same structure.
 *
 * "len" counts bytes, "end" is exclusive, addresses are virtual addresses of
 * the calling process.
 *
 * DOC: errors of every call
 *
 *  ENOTTY	no such ioctl
 *  EINVAL	structure too short, reserved member not zero, or what the call
 *		names
 *  E2BIG	structure longer than the kernel's with a non-zero tail
 *  EFAULT	the structure or a buffer it names cannot be read or written
 *  ENXIO	the calling process has no window (not from the calls that do
 *		without: INFO, STATS, SYSCTL, OBJECTS, KMAP, SHM_*, and ENTRIES,
 *		PAGES and RUSAGE for another process)
 *  EINTR	a fatal signal came while the call waited
 *  ENOMEM	no kernel memory for the call's own records; the map is as before
 *
 * The errno of each BSD call is that of FreeBSD 14; see bsdvm(3).
 */
#ifndef _UAPI_BSDVM_H
#define _UAPI_BSDVM_H

#include <linux/ioctl.h>
#include <linux/types.h>

#define BSDVM_DEVICE		"/dev/bsdvm"
#define BSDVM_IOC_MAGIC		0xBD
#define BSDVM_ABI_VERSION	1

/* Protections (FreeBSD values). */
#define BSDVM_PROT_NONE		0x00
#define BSDVM_PROT_READ		0x01
#define BSDVM_PROT_WRITE	0x02
#define BSDVM_PROT_EXEC		0x04
#define BSDVM_PROT_ALL		0x07
/* Upper bound for later mprotect calls, or'ed into prot. */
#define BSDVM_PROT_MAX(prot)	((prot) << 16)

/* mmap flags (FreeBSD values). */
#define BSDVM_MAP_SHARED	0x00000001
#define BSDVM_MAP_PRIVATE	0x00000002
#define BSDVM_MAP_COPY		BSDVM_MAP_PRIVATE
#define BSDVM_MAP_FIXED		0x00000010
#define BSDVM_MAP_RESERVED0020	0x00000020
#define BSDVM_MAP_RESERVED0040	0x00000040
#define BSDVM_MAP_RESERVED0080	0x00000080
#define BSDVM_MAP_RESERVED0100	0x00000100
#define BSDVM_MAP_HASSEMAPHORE	0x00000200
#define BSDVM_MAP_STACK		0x00000400
#define BSDVM_MAP_NOSYNC	0x00000800
#define BSDVM_MAP_ANON		0x00001000
#define BSDVM_MAP_ANONYMOUS	BSDVM_MAP_ANON
#define BSDVM_MAP_GUARD		0x00002000
#define BSDVM_MAP_EXCL		0x00004000
#define BSDVM_MAP_NOCORE	0x00020000
#define BSDVM_MAP_PREFAULT_READ	0x00040000
#define BSDVM_MAP_32BIT		0x00080000
#define BSDVM_MAP_ALIGNMENT_SHIFT 24
#define BSDVM_MAP_ALIGNED(n)	((__u32)(n) << BSDVM_MAP_ALIGNMENT_SHIFT)
#define BSDVM_MAP_ALIGNMENT_MASK BSDVM_MAP_ALIGNED(0xff)
#define BSDVM_MAP_ALIGNED_SUPER	BSDVM_MAP_ALIGNED(1)

/* msync flags. */
#define BSDVM_MS_SYNC		0x0000
#define BSDVM_MS_ASYNC		0x0001
#define BSDVM_MS_INVALIDATE	0x0002

/* madvise values (FreeBSD values). */
#define BSDVM_MADV_NORMAL	0
#define BSDVM_MADV_RANDOM	1
#define BSDVM_MADV_SEQUENTIAL	2
#define BSDVM_MADV_WILLNEED	3
#define BSDVM_MADV_DONTNEED	4
#define BSDVM_MADV_FREE		5
#define BSDVM_MADV_NOSYNC	6
#define BSDVM_MADV_AUTOSYNC	7
#define BSDVM_MADV_NOCORE	8
#define BSDVM_MADV_CORE		9
#define BSDVM_MADV_PROTECT	10

/* mincore bits (FreeBSD values). */
#define BSDVM_MINCORE_INCORE		0x01
#define BSDVM_MINCORE_REFERENCED	0x02
#define BSDVM_MINCORE_MODIFIED		0x04
#define BSDVM_MINCORE_REFERENCED_OTHER	0x08
#define BSDVM_MINCORE_MODIFIED_OTHER	0x10
#define BSDVM_MINCORE_SUPER		0x60
#define BSDVM_MINCORE_PSIND(i)		(((i) << 5) & BSDVM_MINCORE_SUPER)

/* mlockall flags. */
#define BSDVM_MCL_CURRENT	0x0001
#define BSDVM_MCL_FUTURE	0x0002

/* mremap flag (NetBSD value); beside it BSDVM_MAP_FIXED and BSDVM_MAP_ALIGNED(n). */
#define BSDVM_MAP_REMAPDUP	0x0004

/* shm_open flags (FreeBSD values, whatever Linux calls by these names). */
#define BSDVM_O_RDONLY		0x00000000
#define BSDVM_O_RDWR		0x00000002
#define BSDVM_O_CREAT		0x00000200
#define BSDVM_O_TRUNC		0x00000400
#define BSDVM_O_EXCL		0x00000800
#define BSDVM_O_CLOEXEC		0x00100000

/* The path that asks shm_open for an object without a name. */
#define BSDVM_SHM_ANON		1
/* Longest name of a shared memory object, the final NUL counted. */
#define BSDVM_SHM_PATH_MAX	1024

/* shm_open2 flags. */
#define BSDVM_SHM_ALLOW_SEALING	0x00000001
#define BSDVM_SHM_GROW_ON_WRITE	0x00000002
#define BSDVM_SHM_LARGEPAGE	0x00000004

/* shm_rename flags. */
#define BSDVM_SHM_RENAME_NOREPLACE 0x00000001
#define BSDVM_SHM_RENAME_EXCHANGE  0x00000002

/* Seals of a shared memory object (FreeBSD values). */
#define BSDVM_F_SEAL_SEAL	0x0001
#define BSDVM_F_SEAL_SHRINK	0x0002
#define BSDVM_F_SEAL_GROW	0x0004
#define BSDVM_F_SEAL_WRITE	0x0008

/* minherit values. */
#define BSDVM_INHERIT_SHARE	0
#define BSDVM_INHERIT_COPY	1
#define BSDVM_INHERIT_NONE	2
#define BSDVM_INHERIT_ZERO	3

/* si_code of SIGBUS when no page can be had (FreeBSD value). */
#define BSDVM_BUS_OOMERR	100
/* ... of a forbidden access, with machdep.prot_fault_translation (FreeBSD value). */
#define BSDVM_BUS_PAGEFLT	12

/**
 * struct bsdvm_info - what the module is and where the caller's window lies
 * @size: in: size of this structure
 * @abi_version: out: BSDVM_ABI_VERSION of the module
 * @window_start: out: first address of the window, 0 when there is none
 * @window_size: out: bytes of the window, 0 when there is none
 * @pool_bytes: out: physical memory the module reserved, bytes
 * @page_size: out: bytes of a page
 * @reserved: zero
 *
 * Works without a window (no ENXIO).
 */
struct bsdvm_info {
	__u32 size;
	__u32 abi_version;
	__u64 window_start;
	__u64 window_size;
	__u64 pool_bytes;
	__u32 page_size;
	__u32 reserved;
};

/**
 * struct bsdvm_mmap - mmap(2)
 * @size: in: size of this structure
 * @prot: in: BSDVM_PROT_*, with BSDVM_PROT_MAX() or'ed in where wanted
 * @flags: in: BSDVM_MAP_*
 * @fd: in: file to map, -1 with BSDVM_MAP_ANON or BSDVM_MAP_GUARD
 * @addr: in: hint, or the address with BSDVM_MAP_FIXED; out: where it was mapped
 * @len: in: bytes
 * @offset: in: byte offset in the file
 */
struct bsdvm_mmap {
	__u32 size;
	__u32 prot;
	__u32 flags;
	__s32 fd;
	__u64 addr;
	__u64 len;
	__s64 offset;
};

/**
 * struct bsdvm_munmap - munmap(2)
 * @size: in: size of this structure
 * @reserved: zero
 * @addr: in: start, rounded down to a page
 * @len: in: bytes
 */
struct bsdvm_munmap {
	__u32 size;
	__u32 reserved;
	__u64 addr;
	__u64 len;
};

/**
 * struct bsdvm_mprotect - mprotect(2)
 * @size: in: size of this structure
 * @prot: in: BSDVM_PROT_*, with BSDVM_PROT_MAX() or'ed in where wanted
 * @addr: in: start, rounded down to a page
 * @len: in: bytes
 */
struct bsdvm_mprotect {
	__u32 size;
	__u32 prot;
	__u64 addr;
	__u64 len;
};

/**
 * struct bsdvm_msync - msync(2)
 * @size: in: size of this structure
 * @flags: in: BSDVM_MS_*
 * @addr: in: start, rounded down to a page
 * @len: in: bytes; 0 means the whole entry that contains @addr
 */
struct bsdvm_msync {
	__u32 size;
	__u32 flags;
	__u64 addr;
	__u64 len;
};

/**
 * struct bsdvm_minherit - minherit(2)
 * @size: in: size of this structure
 * @inherit: in: BSDVM_INHERIT_*
 * @addr: in: start, rounded down to a page
 * @len: in: bytes
 */
struct bsdvm_minherit {
	__u32 size;
	__u32 inherit;
	__u64 addr;
	__u64 len;
};

/* Object types, as kinfo_vmentry and kinfo_vmobject give them. */
#define BSDVM_KVME_TYPE_NONE	0
#define BSDVM_KVME_TYPE_DEFAULT	1
#define BSDVM_KVME_TYPE_VNODE	2
#define BSDVM_KVME_TYPE_SWAP	3
#define BSDVM_KVME_TYPE_DEVICE	4
#define BSDVM_KVME_TYPE_PHYS	5
#define BSDVM_KVME_TYPE_DEAD	6
#define BSDVM_KVME_TYPE_SG	7
#define BSDVM_KVME_TYPE_MGTDEVICE 8
#define BSDVM_KVME_TYPE_GUARD	9
#define BSDVM_KVME_TYPE_UNKNOWN	255

/* Entry flags. */
#define BSDVM_KVME_FLAG_COW		0x00000001
#define BSDVM_KVME_FLAG_NEEDS_COPY	0x00000002
#define BSDVM_KVME_FLAG_NOCOREDUMP	0x00000004
#define BSDVM_KVME_FLAG_SUPER		0x00000008
#define BSDVM_KVME_FLAG_GROWS_UP	0x00000010
#define BSDVM_KVME_FLAG_GROWS_DOWN	0x00000020
#define BSDVM_KVME_FLAG_USER_WIRED	0x00000040
/* Beyond FreeBSD's. */
#define BSDVM_KVME_FLAG_NOSYNC		0x00010000
#define BSDVM_KVME_FLAG_IMMUTABLE	0x00020000
#define BSDVM_KVME_FLAG_RANDOM		0x00040000
#define BSDVM_KVME_FLAG_SEQUENTIAL	0x00080000
#define BSDVM_KVME_FLAG_CHARGED		0x00100000

/* File types of kve_vn_type. */
#define BSDVM_KF_VTYPE_VNON	0
#define BSDVM_KF_VTYPE_VREG	1

/**
 * struct bsdvm_madvise - madvise(2)
 * @size: in: size of this structure
 * @behav: in: BSDVM_MADV_*
 * @addr: in: start, rounded down to a page
 * @len: in: bytes
 */
struct bsdvm_madvise {
	__u32 size;
	__u32 behav;
	__u64 addr;
	__u64 len;
};

/**
 * struct bsdvm_mincore - mincore(2)
 * @size: in: size of this structure
 * @reserved: zero
 * @addr: in: start, rounded down to a page
 * @len: in: bytes
 * @vec: in: address of one byte for each page, filled with BSDVM_MINCORE_*
 */
struct bsdvm_mincore {
	__u32 size;
	__u32 reserved;
	__u64 addr;
	__u64 len;
	__u64 vec;
};

/**
 * struct bsdvm_mlock - mlock(2) and munlock(2)
 * @size: in: size of this structure
 * @reserved: zero
 * @addr: in: start, rounded down to a page
 * @len: in: bytes
 */
struct bsdvm_mlock {
	__u32 size;
	__u32 reserved;
	__u64 addr;
	__u64 len;
};

/**
 * struct bsdvm_mlockall - mlockall(2) and munlockall(2)
 * @size: in: size of this structure
 * @how: in: BSDVM_MCL_*; zero for munlockall
 */
struct bsdvm_mlockall {
	__u32 size;
	__u32 how;
};

/**
 * struct bsdvm_break - brk(2) and sbrk(2)
 * @size: in: size of this structure
 * @reserved: zero
 * @addr: in: the end of the heap wanted; below the heap's base: change
 *	nothing; out: the end there is now, not rounded
 */
struct bsdvm_break {
	__u32 size;
	__u32 reserved;
	__u64 addr;
};

/**
 * struct bsdvm_segments - where a program's text and data lie, as execve sets it
 * @size: in: size of this structure
 * @reserved: zero
 * @taddr: in: first address of the text
 * @tsize: in: its bytes
 * @daddr: in: first address of the data
 * @dsize: in: bytes of data and bss; the heap begins behind them, at the next page
 * @maxsaddr: in: lowest address that the stack may reach; 0 when it is not known
 *
 * A window begins with all of them at its start and empty. Nothing is mapped or
 * unmapped. EINVAL: a range outside the window, text behind data.
 */
struct bsdvm_segments {
	__u32 size;
	__u32 reserved;
	__u64 taddr;
	__u64 tsize;
	__u64 daddr;
	__u64 dsize;
	__u64 maxsaddr;
};

/**
 * struct bsdvm_rusage - what a vmspace uses and has used
 * @size: in: size of this structure
 * @pid: in: process, 0 for the caller
 * @ru_minflt: out: faults served without I/O
 * @ru_majflt: out: faults that waited for I/O
 * @ru_nswap: out: times the whole vmspace was swapped out
 * @ru_maxrss: out: most pages seen resident, KiB
 * @ru_ixrss: out: zero (text size over time, which nobody samples)
 * @ru_idrss: out: zero
 * @ru_isrss: out: zero
 * @vm_size: out: bytes mapped, guards not counted
 * @vm_rssize: out: pages resident in the map now
 * @vm_tsize: out: text, pages
 * @vm_dsize: out: data, bss and heap, pages
 * @vm_ssize: out: stack, pages
 * @vm_taddr: out: first address of the text
 * @vm_daddr: out: first address of the data
 * @vm_maxsaddr: out: lowest address of the stack, 0 when not known
 * @vm_wired: out: bytes locked by mlock and mlockall
 * @vm_swrss: out: zero so far
 * @vm_charge: out: bytes of swap reserved for private memory
 * @vm_entries: out: entries of the map
 * @vm_flags: out: BSDVM_VMSPACE_*
 * @reserved: out: zero
 *
 * ESRCH: no such process; EPERM: not allowed to look at it; ENXIO: it has no
 * window.
 */
struct bsdvm_rusage {
	__u32 size;
	__s32 pid;
	__u64 ru_minflt;
	__u64 ru_majflt;
	__u64 ru_nswap;
	__u64 ru_maxrss;
	__u64 ru_ixrss;
	__u64 ru_idrss;
	__u64 ru_isrss;
	__u64 vm_size;
	__u64 vm_rssize;
	__u64 vm_tsize;
	__u64 vm_dsize;
	__u64 vm_ssize;
	__u64 vm_taddr;
	__u64 vm_daddr;
	__u64 vm_maxsaddr;
	__u64 vm_wired;
	__u64 vm_swrss;
	__u64 vm_charge;
	__u64 vm_entries;
	__u32 vm_flags;
	__u32 reserved;
};

#define BSDVM_VMSPACE_WIREFUTURE	0x1	/* mlockall(MCL_FUTURE) */
#define BSDVM_VMSPACE_PROTECTED		0x2	/* madvise(MADV_PROTECT) */

/**
 * struct bsdvm_mremap - NetBSD's mremap(2)
 * @size: in: size of this structure
 * @flags: in: BSDVM_MAP_FIXED, BSDVM_MAP_ALIGNED(n), BSDVM_MAP_REMAPDUP
 * @old_addr: in: start of the mapping, page aligned
 * @old_len: in: its bytes
 * @new_addr: in: where to, with BSDVM_MAP_FIXED, or a hint; out: where it is
 * @new_len: in: bytes wanted
 */
struct bsdvm_mremap {
	__u32 size;
	__u32 flags;
	__u64 old_addr;
	__u64 old_len;
	__u64 new_addr;
	__u64 new_len;
};

/**
 * struct bsdvm_mimmutable - OpenBSD's mimmutable(2)
 * @size: in: size of this structure
 * @reserved: zero
 * @addr: in: start, rounded down to a page
 * @len: in: bytes
 */
struct bsdvm_mimmutable {
	__u32 size;
	__u32 reserved;
	__u64 addr;
	__u64 len;
};

/**
 * struct bsdvm_shm_open - shm_open(2), shm_open2(2), memfd_create(2)
 * @size: in: size of this structure
 * @flags: in: BSDVM_O_*
 * @mode: in: permission bits of a new object, less the umask
 * @shmflags: in: BSDVM_SHM_ALLOW_SEALING, _GROW_ON_WRITE, _LARGEPAGE
 * @path: in: address of a NUL-terminated name, or BSDVM_SHM_ANON
 * @fd: in: zero; out: the descriptor, which is close-on-exec
 * @reserved: zero
 *
 * A descriptor may be given to fstat(2), ftruncate(2), read(2), write(2),
 * lseek(2), fchmod(2), fchown(2), and to another process. Works without a
 * window.
 */
struct bsdvm_shm_open {
	__u32 size;
	__u32 flags;
	__u32 mode;
	__u32 shmflags;
	__u64 path;
	__s32 fd;
	__u32 reserved;
};

/**
 * struct bsdvm_shm_unlink - shm_unlink(2)
 * @size: in: size of this structure
 * @reserved: zero
 * @path: in: address of a NUL-terminated name
 */
struct bsdvm_shm_unlink {
	__u32 size;
	__u32 reserved;
	__u64 path;
};

/**
 * struct bsdvm_shm_rename - shm_rename(2)
 * @size: in: size of this structure
 * @flags: in: BSDVM_SHM_RENAME_*
 * @from: in: address of a NUL-terminated name
 * @to: in: address of a NUL-terminated name
 */
struct bsdvm_shm_rename {
	__u32 size;
	__u32 flags;
	__u64 from;
	__u64 to;
};

/**
 * struct bsdvm_shm_seals - fcntl(2) with F_ADD_SEALS and F_GET_SEALS
 * @size: in: size of this structure
 * @fd: in: a descriptor of a shared memory object
 * @add: in: BSDVM_F_SEAL_* to add
 * @seals: in: zero; out: the seals there are
 *
 * EINVAL: not a shared memory object; EBADF; EPERM: sealed against sealing, or
 * not writable; EBUSY: F_SEAL_WRITE while mapped writable and shared.
 */
struct bsdvm_shm_seals {
	__u32 size;
	__s32 fd;
	__u32 add;
	__u32 seals;
};

/* Longest name of a tunable, the final NUL counted. */
#define BSDVM_SYSCTL_NAME_MAX	64
#define BSDVM_SYSCTL_DESC_MAX	128

/* struct bsdvm_sysctl.flags */
#define BSDVM_SYSCTL_SET	0x1	/* change it to value */
#define BSDVM_SYSCTL_INDEX	0x2	/* by index rather than by name */

/* struct bsdvm_sysctl.attr */
#define BSDVM_SYSCTL_WRITABLE	0x1

/**
 * struct bsdvm_sysctl - sysctl(3): read or change one tunable or gauge
 * @size: in: size of this structure
 * @flags: in: BSDVM_SYSCTL_*
 * @index: in: 0, 1, ... with BSDVM_SYSCTL_INDEX, zero otherwise
 * @attr: in: zero; out: BSDVM_SYSCTL_WRITABLE
 * @value: in: the new value with BSDVM_SYSCTL_SET, zero otherwise; out: the
 *	value there was before
 * @min: in: zero; out: least value allowed
 * @max: in: zero; out: greatest value allowed
 * @name: in: the name, NUL-terminated, zeroes without one; out: the name
 * @desc: in: zeroes; out: one line about it
 *
 * ENOENT: no such name or index; EPERM: it cannot be changed, or not by the
 * caller; EINVAL: a value out of range. Works without a window.
 */
struct bsdvm_sysctl {
	__u32 size;
	__u32 flags;
	__u32 index;
	__u32 attr;
	__u64 value;
	__u64 min;
	__u64 max;
	char name[BSDVM_SYSCTL_NAME_MAX];
	char desc[BSDVM_SYSCTL_DESC_MAX];
};

/**
 * struct bsdvm_vmobject - one object of an entry's chain, topmost first
 * @kvo_id: a number that names the object as long as it lives
 * @kvo_size: size, pages
 * @kvo_backing_offset: where this object begins in the next one, bytes
 * @kvo_type: BSDVM_KVME_TYPE_*
 * @kvo_ref_count: references held by entries and by shadows
 * @kvo_shadow_count: objects that shadow this one
 * @kvo_resident: resident pages of the whole object
 * @kvo_flags: zero so far
 * @kvo_reserved: zero
 */
struct bsdvm_vmobject {
	__u64 kvo_id;
	__u64 kvo_size;
	__u64 kvo_backing_offset;
	__u32 kvo_type;
	__u32 kvo_ref_count;
	__u32 kvo_shadow_count;
	__u32 kvo_resident;
	__u32 kvo_flags;
	__u32 kvo_reserved;
};

/**
 * struct bsdvm_vmentry - one map entry, in the manner of kinfo_vmentry
 * @kve_structsize: bytes of this record with its chain and path; the next
 *	record begins that many bytes on (a multiple of 8)
 * @kve_type: type of the bottom object, or NONE or GUARD
 * @kve_start: first address
 * @kve_end: address behind the last
 * @kve_offset: byte offset in the topmost object
 * @kve_vn_fileid: inode number of the file mapped
 * @kve_vn_fsid: device number of its file system
 * @kve_vn_size: size of the file, bytes
 * @kve_flags: BSDVM_KVME_FLAG_*
 * @kve_resident: resident pages seen through the entry, whole chain
 * @kve_private_resident: resident pages of the topmost object within the entry
 * @kve_protection: BSDVM_PROT_*
 * @kve_max_protection: BSDVM_PROT_*
 * @kve_inheritance: BSDVM_INHERIT_*
 * @kve_ref_count: references to the topmost object
 * @kve_shadow_count: shadows of the topmost object
 * @kve_vn_type: BSDVM_KF_VTYPE_*
 * @kve_vn_mode: permission bits of the file
 * @kve_vn_rdev: device number, for device files
 * @kve_status: zero so far
 * @kve_wired_count: times the entry is wired
 * @kve_nobjects: number of struct bsdvm_vmobject behind this structure
 * @kve_path_len: bytes of the path behind the objects, with its final NUL;
 *	0 when there is none
 * @kve_reserved: zero
 *
 * Behind the structure stand @kve_nobjects objects, then the path, then
 * padding.
 */
struct bsdvm_vmentry {
	__u32 kve_structsize;
	__u32 kve_type;
	__u64 kve_start;
	__u64 kve_end;
	__u64 kve_offset;
	__u64 kve_vn_fileid;
	__u64 kve_vn_fsid;
	__u64 kve_vn_size;
	__u32 kve_flags;
	__u32 kve_resident;
	__u32 kve_private_resident;
	__u32 kve_protection;
	__u32 kve_max_protection;
	__u32 kve_inheritance;
	__u32 kve_ref_count;
	__u32 kve_shadow_count;
	__u32 kve_vn_type;
	__u32 kve_vn_mode;
	__u32 kve_vn_rdev;
	__u32 kve_status;
	__u32 kve_wired_count;
	__u32 kve_nobjects;
	__u32 kve_path_len;
	__u32 kve_reserved;
};

/**
 * struct bsdvm_entries - the entry list of the caller's map
 * @size: in: size of this structure
 * @flags: zero
 * @start: in: list what is mapped from this page on: of an entry that begins
 *	below only the rest; out: where to go on (the end of the last entry listed)
 * @buf: in: address of the buffer for records
 * @buf_len: in: its bytes; out: bytes written
 * @count: in: zero; out: records written
 * @more: in: zero; out: 1 when entries are left, 0 at the end of the map
 * @pid: in: process, 0 for the caller
 * @reserved: zero
 *
 * Records are whole. The map may change between two calls. ENOSPC: the first
 * record alone does not fit into the buffer. ESRCH: no such process; EPERM: not
 * allowed to look at it; ENXIO: it has no window.
 */
struct bsdvm_entries {
	__u32 size;
	__u32 flags;
	__u64 start;
	__u64 buf;
	__u64 buf_len;
	__u32 count;
	__u32 more;
	__s32 pid;
	__u32 reserved;
};

/* pr_flags */
#define BSDVM_PAGE_RESIDENT	0x1	/* there is a page of the pool for it */
#define BSDVM_PAGE_SWAPPED	0x2	/* what is in it is on a swap device */

/**
 * struct bsdvm_pagerun - pages of an object that follow one another
 * @pr_start: index of the first in the object, pages
 * @pr_count: how many
 * @pr_flags: BSDVM_PAGE_*, at least one, the same for all of them
 * @pr_reserved: zero
 *
 * A page that is both resident and on a swap device is clean. A page without any of
 * this is in no run: it is looked for in the object below, or in the file, or is zero.
 */
struct bsdvm_pagerun {
	__u64 pr_start;
	__u64 pr_count;
	__u32 pr_flags;
	__u32 pr_reserved;
};

/**
 * struct bsdvm_pages - the pages that an object of a map has
 * @size: in: size of this structure
 * @pid: in: process, 0 for the caller
 * @addr: in: an address that the object is mapped at, be it below other objects
 * @object: in: its number, as kvo_id of struct bsdvm_vmobject
 * @start: in: list pages from this index on; out: where to go on
 * @buf: in: address of the buffer for struct bsdvm_pagerun
 * @buf_len: in: its bytes; out: bytes written
 * @count: in: zero; out: records written
 * @more: in: zero; out: 1 when pages are left
 *
 * Of the whole object, in order of index, whatever part of it the entry maps. Pages come
 * and go meanwhile. ENOENT: the chain of the entry at @addr has no such object (any
 * more); otherwise as for struct bsdvm_entries.
 */
struct bsdvm_pages {
	__u32 size;
	__s32 pid;
	__u64 addr;
	__u64 object;
	__u64 start;
	__u64 buf;
	__u64 buf_len;
	__u32 count;
	__u32 more;
};

/**
 * struct bsdvm_kvmobject - an object of the machine, in the manner of
 *	kinfo_vmobject
 * @kvo_structsize: bytes of this record with its path; the next record begins
 *	that many bytes on (a multiple of 8)
 * @kvo_type: BSDVM_KVME_TYPE_*
 * @kvo_id: as in struct bsdvm_vmobject
 * @kvo_size: size, pages
 * @kvo_resident: resident pages
 * @kvo_active: of them on the active queue
 * @kvo_inactive: of them on the inactive queue
 * @kvo_backing_id: the object it shadows, 0 for none
 * @kvo_vn_fileid: inode number of a file
 * @kvo_vn_fsid: device number of its file system
 * @kvo_ref_count: references
 * @kvo_shadow_count: objects that shadow it
 * @kvo_memattr: caching, as x86 numbers it: 6 write-back, for devices also 0
 *	uncacheable, 1 write-combining
 * @kvo_path_len: bytes of the path behind this structure, its NUL counted; 0
 *	when there is none
 *
 * Behind the structure stands the path, then padding. A path is given only to
 * who may administer the machine.
 */
struct bsdvm_kvmobject {
	__u32 kvo_structsize;
	__u32 kvo_type;
	__u64 kvo_id;
	__u64 kvo_size;
	__u64 kvo_resident;
	__u64 kvo_active;
	__u64 kvo_inactive;
	__u64 kvo_backing_id;
	__u64 kvo_vn_fileid;
	__u64 kvo_vn_fsid;
	__u32 kvo_ref_count;
	__u32 kvo_shadow_count;
	__u32 kvo_memattr;
	__u32 kvo_path_len;
};

/**
 * struct bsdvm_objects - all objects of the machine, vm.objects
 * @size: in: size of this structure
 * @flags: zero
 * @after: in: list objects with ids above this one; out: the last id listed
 * @buf: in: address of the buffer for records
 * @buf_len: in: its bytes; out: bytes written
 * @count: in: zero; out: records written
 * @more: in: zero; out: 1 when objects are left
 *
 * In order of id. ENOSPC as for struct bsdvm_entries. Works without a window.
 */
struct bsdvm_objects {
	__u32 size;
	__u32 flags;
	__u64 after;
	__u64 buf;
	__u64 buf_len;
	__u32 count;
	__u32 more;
};

/**
 * struct bsdvm_stats - vm.stats.vm and vm.stats.object, the whole machine
 * @size: in: size of this structure
 * @reserved: zero
 * @v_vm_faults: faults taken
 * @v_io_faults: faults that needed a pager
 * @v_cow_faults: copy-on-write faults that copied a page
 * @v_cow_optim: copy-on-write faults that took the page over instead
 * @v_zfod: pages zero-filled on demand
 * @v_intrans: faults that waited for a busy page
 * @v_vnodein: page-ins from files
 * @v_vnodeout: page-outs to files
 * @v_vnodepgsin: pages paged in from files
 * @v_vnodepgsout: pages paged out to files
 * @v_tfree: pages freed
 * @v_forks: forks of a vmspace
 * @v_forkpages: pages covered by the maps forked
 * @v_prefault: neighbours mapped by faults
 * @v_page_size: bytes of a page
 * @v_page_count: pages of the pool
 * @v_free_count: free pages
 * @v_wire_count: wired pages
 * @v_active_count: pages on the active queue
 * @v_inactive_count: pages on the inactive queue
 * @v_laundry_count: pages on the laundry queue
 * @o_collapses: backing objects merged upward
 * @o_bypasses: backing objects skipped
 * @o_count: objects alive
 * @v_shootdowns: TLB shootdowns begun
 * @v_shootdown_cpus: CPUs interrupted for them
 * @v_user_wire_count: pages locked by users, each as often as an entry locks it
 * @v_swap_reserved: bytes of swap reserved (vm.swap_reserved)
 * @v_swap_total: bytes that may be, when vm.overcommit enforces it (vm.swap_total)
 * @v_lazyfree_count: pages that madvise(MADV_FREE) gave up and nobody has taken
 *	or written yet
 * @v_stackgrows: growths of stacks
 * @v_reactivated: pages that went back to the active queue
 * @v_dfree: pages freed by the pageout daemon
 * @v_swapin: page-ins from swap
 * @v_swapout: page-outs to swap
 * @v_swappgsin: pages paged in from swap
 * @v_swappgsout: pages paged out to swap
 * @v_free_target: free pages that the pageout daemon aims at
 * @v_free_min: free pages below which memory is short
 * @v_free_reserved: free pages kept from ordinary requests
 * @v_vmspaces: windows alive
 * @v_pdwakeups: passes of the pageout daemon
 * @v_pdpages: pages it looked at
 * @v_pdshortfalls: passes that did not free what was wanted
 * @v_pfree: pages freed by processes that exit or unmap
 * @v_inactive_target: inactive pages that the pageout daemon aims at
 * @v_pageout_free_min: free pages that only page-out may use
 * @v_interrupt_free_min: free pages that nobody who may wait gets
 * @v_free_severe: free pages below which whole vmspaces are swapped out
 * @v_unswappable_count: dirty pages that there is no swap for
 * @v_swap_size: pages of all swap devices
 * @v_swap_inuse: pages of swap in use
 * @v_pagein_errors: pages that could not be read
 * @v_pageout_errors: pages that could not be written
 * @v_lock_miss: pages that the daemon passed by, since somebody held their object
 * @v_vmspace_swapout: vmspaces swapped out
 * @v_vmspace_swapin: vmspaces swapped in again
 * @v_vmspaces_out: vmspaces that are swapped out
 * @v_oom_kills: processes killed for want of memory
 * @v_kmem_count: pages that are the kernel's own, some of @v_wire_count
 */
struct bsdvm_stats {
	__u32 size;
	__u32 reserved;
	__u64 v_vm_faults;
	__u64 v_io_faults;
	__u64 v_cow_faults;
	__u64 v_cow_optim;
	__u64 v_zfod;
	__u64 v_intrans;
	__u64 v_vnodein;
	__u64 v_vnodeout;
	__u64 v_vnodepgsin;
	__u64 v_vnodepgsout;
	__u64 v_tfree;
	__u64 v_forks;
	__u64 v_forkpages;
	__u64 v_prefault;
	__u64 v_page_size;
	__u64 v_page_count;
	__u64 v_free_count;
	__u64 v_wire_count;
	__u64 v_active_count;
	__u64 v_inactive_count;
	__u64 v_laundry_count;
	__u64 o_collapses;
	__u64 o_bypasses;
	__u64 o_count;
	__u64 v_shootdowns;
	__u64 v_shootdown_cpus;
	__u64 v_user_wire_count;
	__u64 v_swap_reserved;
	__u64 v_swap_total;
	__u64 v_lazyfree_count;
	__u64 v_stackgrows;
	__u64 v_reactivated;
	__u64 v_dfree;
	__u64 v_swapin;
	__u64 v_swapout;
	__u64 v_swappgsin;
	__u64 v_swappgsout;
	__u64 v_free_target;
	__u64 v_free_min;
	__u64 v_free_reserved;
	__u64 v_vmspaces;
	__u64 v_pdwakeups;
	__u64 v_pdpages;
	__u64 v_pdshortfalls;
	__u64 v_pfree;
	__u64 v_inactive_target;
	__u64 v_pageout_free_min;
	__u64 v_interrupt_free_min;
	__u64 v_free_severe;
	__u64 v_unswappable_count;
	__u64 v_swap_size;
	__u64 v_swap_inuse;
	__u64 v_pagein_errors;
	__u64 v_pageout_errors;
	__u64 v_lock_miss;
	__u64 v_vmspace_swapout;
	__u64 v_vmspace_swapin;
	__u64 v_vmspaces_out;
	__u64 v_oom_kills;
	__u64 v_kmem_count;
};

/**
 * struct bsdvm_swapon - page to a file or block device, swapon(2)
 * @size: in: size of this structure
 * @fd: in: the file or block device, open for reading and writing
 * @id: in: zero; out: the number by which BSDVM_IOC_SWAPOFF and
 *	BSDVM_IOC_SWAPINFO know it
 * @reserved: zero
 *
 * What is in the file is lost. The file is used as long as it is (it should have no
 * holes), and must not be written to, nor cut short, by anyone else.
 *
 * EPERM without CAP_SYS_ADMIN, EBADF when @fd is not open so, ENOTBLK when it is
 * neither a regular file nor a block device, EINVAL when it is smaller than two
 * pages, EBUSY when it is in use for that already, ENOSPC when there is no room for
 * its pages in the numbers of slots.
 */
struct bsdvm_swapon {
	__u32 size;
	__s32 fd;
	__u32 id;
	__u32 reserved;
};

/**
 * struct bsdvm_swapoff - page to it no more, swapoff(2)
 * @size: in: size of this structure
 * @id: in: the device's number
 *
 * Brings back every page that is there. EPERM without CAP_SYS_ADMIN, ENXIO when
 * there is no such device, EBUSY when somebody else is taking it away, ENOMEM when
 * its pages would find no room elsewhere, EIO when one could not be read, EINTR on
 * a signal; then it goes on as before.
 */
struct bsdvm_swapoff {
	__u32 size;
	__u32 id;
};

#define BSDVM_SWAPINFO_EMBEDDED	0x1	/* made by the module, of Linux's memory */
#define BSDVM_SWAPINFO_CLOSING	0x2	/* being taken away */

/**
 * struct bsdvm_swapinfo - describe a swap device, vm.swap_info.N
 * @size: in: size of this structure
 * @index: in: which one, counted from 0
 * @id: out: its number
 * @flags: out: BSDVM_SWAPINFO_*
 * @total: out: pages
 * @used: out: pages in use
 * @errors: out: pages that could not be read or written
 * @path: out: its name, "embedded" for what the module made at load
 *
 * Output fields must be zero on input. ENOENT behind the last device.
 */
struct bsdvm_swapinfo {
	__u32 size;
	__u32 index;
	__u32 id;
	__u32 flags;
	__u64 total;
	__u64 used;
	__u64 errors;
	char path[256];
};

/**
 * struct bsdvm_kmap - describe the kernel map, or one of its submaps
 * @size: in: size of this structure
 * @index: in: which one: 0 for the kernel map, then its submaps in order of address
 * @start: out: its first address
 * @end: out: the address behind its last
 * @used: out: bytes of addresses that are taken, guards and submaps included
 * @largest_free: out: bytes of the longest run of free ones
 * @entries: out: entries
 * @allocations: out: allocations that succeeded
 * @failures: out: allocations that failed
 * @sleeps: out: how often one slept, for a page or for room
 * @name: out: its name
 *
 * Who has not CAP_SYSLOG is told no kernel addresses: @start and @end then count from
 * where the kernel map begins. Output fields must be zero on input. ENOENT behind the
 * last submap.
 */
struct bsdvm_kmap {
	__u32 size;
	__u32 index;
	__u64 start;
	__u64 end;
	__u64 used;
	__u64 largest_free;
	__u64 entries;
	__u64 allocations;
	__u64 failures;
	__u64 sleeps;
	char name[32];
};

/**
 * struct bsdvm_table - fetch a table of records
 * @size: in: size of this structure
 * @record: in: bytes of a record; one may be asked for the beginning of it, as far as
 *	the first version went, or for more, which is zero then
 * @buf: in: address of the buffer for records
 * @buf_len: in: its bytes; out: bytes written
 * @start: in: how many records to pass over
 * @count: in: zero; out: records written
 * @more: in: zero; out: 1 when records are left
 * @reserved: zero
 *
 * BSDVM_IOC_ZONES gives a struct bsdvm_zone for each zone of the kernel memory
 * allocator, uma(9), in the order they were made; BSDVM_IOC_MALLOC_TYPES gives a struct
 * bsdvm_malloc_type for each type of malloc(9) that memory was allocated of. EINVAL when
 * @record is less than the first version of that or no multiple of 8, E2BIG when it is
 * more than a page, ENOSPC when the buffer has no room for one and there is one.
 * Works without a window.
 */
struct bsdvm_table {
	__u32 size;
	__u32 record;
	__u64 buf;
	__u64 buf_len;
	__u32 start;
	__u32 count;
	__u32 more;
	__u32 reserved;
};

/**
 * struct bsdvm_zone - a zone of the kernel memory allocator, as vmstat -z has it
 * @uz_name: its name
 * @uz_size: bytes of an item
 * @uz_rsize: bytes that an item takes
 * @uz_limit: most items there may be, 0 for no limit
 * @uz_used: items in use
 * @uz_free: items that are not
 * @uz_requests: items allocated ever
 * @uz_failures: allocations that failed
 * @uz_sleeps: how often an allocation waited
 * @uz_slabs: slabs
 * @uz_pages: their pages
 * @uz_bucket: items that a CPU's bucket is to hold
 */
struct bsdvm_zone {
	char uz_name[32];
	__u64 uz_size;
	__u64 uz_rsize;
	__u64 uz_limit;
	__u64 uz_used;
	__u64 uz_free;
	__u64 uz_requests;
	__u64 uz_failures;
	__u64 uz_sleeps;
	__u64 uz_slabs;
	__u64 uz_pages;
	__u64 uz_bucket;
};

/**
 * struct bsdvm_malloc_type - what memory of malloc(9) is for, as vmstat -m has it
 * @mt_name: its name
 * @mt_inuse: allocations not freed yet
 * @mt_memuse: their bytes
 * @mt_highuse: the most bytes there were
 * @mt_requests: allocations ever
 * @mt_sizes: bit n: some were of 16 << n bytes; the bit above that for a page: of more
 * @mt_reserved: zero
 */
struct bsdvm_malloc_type {
	char mt_name[32];
	__u64 mt_inuse;
	__u64 mt_memuse;
	__u64 mt_highuse;
	__u64 mt_requests;
	__u32 mt_sizes;
	__u32 mt_reserved;
};

/* Outcome of an explicit fault. */
#define BSDVM_FAULT_OK			0
#define BSDVM_FAULT_INVALID_ADDRESS	1
#define BSDVM_FAULT_PROTECTION		2
#define BSDVM_FAULT_OUT_OF_BOUNDS	9
#define BSDVM_FAULT_SHORTAGE		6

/**
 * struct bsdvm_fault - fault a range in, as an access to each page would
 * @size: in: size of this structure
 * @prot: in: access, one of BSDVM_PROT_READ, _WRITE, _EXEC or a union of them
 * @addr: in: start, rounded down to a page
 * @len: in: bytes
 * @done: in: zero; out: bytes from the rounded start that were faulted in
 * @outcome: in: zero; out: BSDVM_FAULT_* of the page at @done (OK: the whole range)
 * @reserved: zero
 *
 * The call itself succeeds whatever the outcome, as long as the range lies in
 * the window (EINVAL otherwise, and for @prot 0 or with unknown bits).
 */
struct bsdvm_fault {
	__u32 size;
	__u32 prot;
	__u64 addr;
	__u64 len;
	__u64 done;
	__u32 outcome;
	__u32 reserved;
};

#define BSDVM_IOC_INFO		_IO(BSDVM_IOC_MAGIC, 0x00)
#define BSDVM_IOC_MMAP		_IO(BSDVM_IOC_MAGIC, 0x01)
#define BSDVM_IOC_MUNMAP	_IO(BSDVM_IOC_MAGIC, 0x02)
#define BSDVM_IOC_MPROTECT	_IO(BSDVM_IOC_MAGIC, 0x03)
#define BSDVM_IOC_MSYNC		_IO(BSDVM_IOC_MAGIC, 0x04)
#define BSDVM_IOC_MINHERIT	_IO(BSDVM_IOC_MAGIC, 0x05)
#define BSDVM_IOC_ENTRIES	_IO(BSDVM_IOC_MAGIC, 0x06)
#define BSDVM_IOC_STATS		_IO(BSDVM_IOC_MAGIC, 0x07)
#define BSDVM_IOC_FAULT		_IO(BSDVM_IOC_MAGIC, 0x08)
#define BSDVM_IOC_MADVISE	_IO(BSDVM_IOC_MAGIC, 0x09)
#define BSDVM_IOC_MINCORE	_IO(BSDVM_IOC_MAGIC, 0x0a)
#define BSDVM_IOC_MLOCK		_IO(BSDVM_IOC_MAGIC, 0x0b)
#define BSDVM_IOC_MUNLOCK	_IO(BSDVM_IOC_MAGIC, 0x0c)
#define BSDVM_IOC_MLOCKALL	_IO(BSDVM_IOC_MAGIC, 0x0d)
#define BSDVM_IOC_MUNLOCKALL	_IO(BSDVM_IOC_MAGIC, 0x0e)
#define BSDVM_IOC_BREAK		_IO(BSDVM_IOC_MAGIC, 0x0f)
#define BSDVM_IOC_SEGMENTS	_IO(BSDVM_IOC_MAGIC, 0x10)
#define BSDVM_IOC_RUSAGE	_IO(BSDVM_IOC_MAGIC, 0x11)
#define BSDVM_IOC_MREMAP	_IO(BSDVM_IOC_MAGIC, 0x12)
#define BSDVM_IOC_MIMMUTABLE	_IO(BSDVM_IOC_MAGIC, 0x13)
/* OpenBSD's mquery(2): struct bsdvm_mmap; nothing is mapped. */
#define BSDVM_IOC_MQUERY	_IO(BSDVM_IOC_MAGIC, 0x14)
#define BSDVM_IOC_SHM_OPEN	_IO(BSDVM_IOC_MAGIC, 0x15)
#define BSDVM_IOC_SHM_UNLINK	_IO(BSDVM_IOC_MAGIC, 0x16)
#define BSDVM_IOC_SHM_RENAME	_IO(BSDVM_IOC_MAGIC, 0x17)
#define BSDVM_IOC_SHM_SEALS	_IO(BSDVM_IOC_MAGIC, 0x18)
#define BSDVM_IOC_SYSCTL	_IO(BSDVM_IOC_MAGIC, 0x19)
#define BSDVM_IOC_OBJECTS	_IO(BSDVM_IOC_MAGIC, 0x1a)
#define BSDVM_IOC_SWAPON	_IO(BSDVM_IOC_MAGIC, 0x1b)
#define BSDVM_IOC_SWAPOFF	_IO(BSDVM_IOC_MAGIC, 0x1c)
#define BSDVM_IOC_SWAPINFO	_IO(BSDVM_IOC_MAGIC, 0x1d)
#define BSDVM_IOC_ZONES		_IO(BSDVM_IOC_MAGIC, 0x1e)
#define BSDVM_IOC_MALLOC_TYPES	_IO(BSDVM_IOC_MAGIC, 0x1f)
#define BSDVM_IOC_KMAP		_IO(BSDVM_IOC_MAGIC, 0x20)
#define BSDVM_IOC_PAGES		_IO(BSDVM_IOC_MAGIC, 0x21)

#endif /* _UAPI_BSDVM_H */
