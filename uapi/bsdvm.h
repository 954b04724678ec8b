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
 * zero. Reserved members must be zero. The kernel writes results back into the
 * same structure.
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
 *  ENXIO	the calling process has no window (not from BSDVM_IOC_INFO and
 *		BSDVM_IOC_STATS, which do without)
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

/* minherit values. */
#define BSDVM_INHERIT_SHARE	0
#define BSDVM_INHERIT_COPY	1
#define BSDVM_INHERIT_NONE	2
#define BSDVM_INHERIT_ZERO	3

/* si_code of SIGBUS when no page can be had (FreeBSD value). */
#define BSDVM_BUS_OOMERR	100

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

/* File types of kve_vn_type. */
#define BSDVM_KF_VTYPE_VNON	0
#define BSDVM_KF_VTYPE_VREG	1

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
 * @start: in: list entries that end above this address; out: where to go on
 *	(the end of the last entry listed)
 * @buf: in: address of the buffer for records
 * @buf_len: in: its bytes; out: bytes written
 * @count: in: zero; out: records written
 * @more: in: zero; out: 1 when entries are left, 0 at the end of the map
 *
 * Records are whole. The map may change between two calls. ENOSPC: the first
 * record alone does not fit into the buffer.
 */
struct bsdvm_entries {
	__u32 size;
	__u32 flags;
	__u64 start;
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

#endif /* _UAPI_BSDVM_H */
