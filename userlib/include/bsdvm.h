/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * libbsdvm: the BSD virtual memory calls, served by /dev/bsdvm.
 *
 * Each process has one window: a large range of addresses inside which 4.4BSD
 * and FreeBSD rules hold. The functions below take the arguments and give the
 * results of the BSD calls of the same name, errno included, for addresses in
 * the window; any other address is EINVAL or ENOMEM, as the call has it. The
 * device is opened and the window made on first use. All functions may be called
 * from any thread. A child of fork(2) keeps the window, at the same address, with
 * memory of its own.
 *
 * bsdvm(3) is the manual.
 */
#ifndef _BSDVM_H
#define _BSDVM_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include <bsdvm/uapi.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Bytes of address space of a window that nobody asked a size for: 64 GiB. */
#define BSDVM_WINDOW_SIZE_DEFAULT ((size_t)64 << 30)

/* What bsdvm_mmap() returns on failure. */
#define BSDVM_MAP_FAILED ((void *)-1)

/**
 * bsdvm_attach() - make the window of this process
 * @size: bytes of address space, rounded up to a page; 0 for the default
 *
 * Not needed: every other function does it with the default size. Where the
 * process has a window already, the call succeeds if @size bytes fit into it.
 *
 * Return: 0, or -1 with errno: EBUSY (there is a smaller window), ENOENT (the
 * module is not loaded), ENOMEM (no room for the window), or what open(2) and
 * mmap(2) say.
 */
int bsdvm_attach(size_t size);

/**
 * bsdvm_fd() - the descriptor of the device, for calls to ioctl(2)
 *
 * It belongs to the library and is closed on exec(3). Who closes it, by closing
 * all descriptors for instance, makes the library open another one.
 *
 * Return: the descriptor, or -1 with the errno of open(2).
 */
int bsdvm_fd(void);

/**
 * bsdvm_window() - where the window is
 * @start: filled with its first address; may be NULL
 * @size: filled with its bytes; may be NULL
 *
 * Return: 0, or -1 with the errno of bsdvm_attach().
 */
int bsdvm_window(void **start, size_t *size);

/**
 * bsdvm_mmap() - map anonymous memory or a file, mmap(2)
 * @addr: hint, or the address with BSDVM_MAP_FIXED
 * @len: bytes
 * @prot: BSDVM_PROT_*, and BSDVM_PROT_MAX() of them where wanted
 * @flags: BSDVM_MAP_*
 * @fd: file, or -1 with BSDVM_MAP_ANON or BSDVM_MAP_GUARD
 * @off: offset in the file; it need not be aligned: its low bits are found
 *	again in the address returned
 *
 * Return: the address, or BSDVM_MAP_FAILED with errno.
 */
void *bsdvm_mmap(void *addr, size_t len, int prot, int flags, int fd,
		 off_t off);

/**
 * bsdvm_munmap() - remove mappings, munmap(2)
 * @addr: start, rounded down to a page
 * @len: bytes
 *
 * Return: 0 (holes are no error), or -1 with errno.
 */
int bsdvm_munmap(void *addr, size_t len);

/**
 * bsdvm_mprotect() - change protection, mprotect(2)
 * @addr: start, rounded down to a page
 * @len: bytes
 * @prot: BSDVM_PROT_*, and BSDVM_PROT_MAX() of them where wanted
 *
 * Return: 0 (holes are no error), or -1 with errno.
 */
int bsdvm_mprotect(void *addr, size_t len, int prot);

/**
 * bsdvm_msync() - write shared file pages to their file, msync(2)
 * @addr: start, rounded down to a page
 * @len: bytes; 0 for the whole map entry that contains @addr
 * @flags: BSDVM_MS_*
 *
 * Return: 0, or -1 with errno (ENOMEM for a hole).
 */
int bsdvm_msync(void *addr, size_t len, int flags);

/**
 * bsdvm_minherit() - what a child of fork(2) gets, minherit(2)
 * @addr: start, rounded down to a page
 * @len: bytes
 * @inherit: BSDVM_INHERIT_*
 *
 * Return: 0 (holes are no error), or -1 with errno.
 */
int bsdvm_minherit(void *addr, size_t len, int inherit);

/**
 * bsdvm_mquery() - where bsdvm_mmap() would map, OpenBSD's mquery(2)
 * @addr: as for bsdvm_mmap()
 * @len: as for bsdvm_mmap()
 * @prot: as for bsdvm_mmap()
 * @flags: as for bsdvm_mmap(); with BSDVM_MAP_FIXED the range must be free
 * @fd: as for bsdvm_mmap()
 * @off: as for bsdvm_mmap()
 *
 * Maps nothing and keeps nothing free: another thread may take the place.
 *
 * Return: the address, or BSDVM_MAP_FAILED with errno.
 */
void *bsdvm_mquery(void *addr, size_t len, int prot, int flags, int fd,
		   off_t off);

/**
 * bsdvm_mremap() - resize or move a mapping, NetBSD's mremap(2)
 * @old_addr: start of the mapping, page aligned
 * @old_len: its bytes
 * @new_addr: where to, with BSDVM_MAP_FIXED; else a hint
 * @new_len: bytes wanted
 * @flags: BSDVM_MAP_FIXED, BSDVM_MAP_ALIGNED(n), BSDVM_MAP_REMAPDUP
 *
 * The order of the arguments is NetBSD's, not Linux's. With
 * BSDVM_MAP_REMAPDUP the old mapping stays and both are of one memory.
 *
 * Return: the address, or BSDVM_MAP_FAILED with errno; then the old mapping is
 * as before.
 */
void *bsdvm_mremap(void *old_addr, size_t old_len, void *new_addr,
		   size_t new_len, int flags);

/**
 * bsdvm_mimmutable() - forbid all changes for good, OpenBSD's mimmutable(2)
 * @addr: start, rounded down to a page
 * @len: bytes
 *
 * Return: 0 (holes are no error), or -1 with errno.
 */
int bsdvm_mimmutable(void *addr, size_t len);

/**
 * bsdvm_madvise() - tell how memory will be used, madvise(2)
 * @addr: start, rounded down to a page
 * @len: bytes
 * @behav: BSDVM_MADV_*
 *
 * BSDVM_MADV_DONTNEED keeps the data, unlike Linux's.
 *
 * Return: 0 (holes are no error), or -1 with errno.
 */
int bsdvm_madvise(void *addr, size_t len, int behav);

/**
 * bsdvm_posix_madvise() - the same, posix_madvise(2)
 * @addr: start, rounded down to a page
 * @len: bytes
 * @behav: BSDVM_MADV_NORMAL, _RANDOM, _SEQUENTIAL, _WILLNEED or _DONTNEED
 *
 * Leaves errno alone.
 *
 * Return: 0, or the error number.
 */
int bsdvm_posix_madvise(void *addr, size_t len, int behav);

/**
 * bsdvm_mincore() - which pages are there, mincore(2)
 * @addr: start, rounded down to a page
 * @len: bytes
 * @vec: filled with a byte of BSDVM_MINCORE_* for each page
 *
 * Return: 0, or -1 with errno (ENOMEM for a hole).
 */
int bsdvm_mincore(const void *addr, size_t len, char *vec);

/**
 * bsdvm_mlock() - wire memory, mlock(2)
 * @addr: start, rounded down to a page
 * @len: bytes
 *
 * Does not nest: one bsdvm_munlock() undoes any number of these.
 *
 * Return: 0, or -1 with errno; then nothing has been wired.
 */
int bsdvm_mlock(const void *addr, size_t len);

/**
 * bsdvm_munlock() - undo bsdvm_mlock(), munlock(2)
 * @addr: start, rounded down to a page
 * @len: bytes
 *
 * Return: 0 (also where nothing was wired), or -1 with errno.
 */
int bsdvm_munlock(const void *addr, size_t len);

/**
 * bsdvm_mlockall() - wire the whole window, mlockall(2)
 * @flags: BSDVM_MCL_CURRENT for what is mapped now, BSDVM_MCL_FUTURE for what
 *	will be, or both
 *
 * Return: 0, or -1 with errno.
 */
int bsdvm_mlockall(int flags);

/**
 * bsdvm_munlockall() - unwire the whole window, munlockall(2)
 *
 * Return: 0, or -1 with errno.
 */
int bsdvm_munlockall(void);

/**
 * bsdvm_brk() - set the end of the heap, brk(2)
 * @addr: the end wanted; below the data of the program nothing changes
 *
 * Return: 0, or -1 with errno.
 */
int bsdvm_brk(const void *addr);

/**
 * bsdvm_sbrk() - move the end of the heap, sbrk(2)
 * @incr: bytes, negative to shrink
 *
 * The heap is the one in the window: malloc(3) has Linux's.
 *
 * Return: the end there was before, or (void *)-1 with errno: ENOMEM, or EINVAL
 * to shrink by more than there is.
 */
void *bsdvm_sbrk(intptr_t incr);

/**
 * bsdvm_segments() - say where text and data lie, as execve(2) does
 * @segments: the segments; its size member is not read
 *
 * The heap begins behind the data. Maps and unmaps nothing.
 *
 * Return: 0, or -1 with errno.
 */
int bsdvm_segments(const struct bsdvm_segments *segments);

/**
 * bsdvm_rusage() - what a window uses, and has used
 * @pid: process, 0 for the caller
 * @usage: filled in
 *
 * Return: 0, or -1 with errno: ESRCH (no such process), EPERM (not allowed to
 * look at it), ENXIO (it has no window).
 */
int bsdvm_rusage(pid_t pid, struct bsdvm_rusage *usage);

/* The path that asks bsdvm_shm_open() for an object without a name. */
#define BSDVM_SHM_ANON_PATH ((char *)BSDVM_SHM_ANON)

/* How bsdvm_shm_create_largepage() looks for memory (FreeBSD values). */
#define BSDVM_SHM_LARGEPAGE_ALLOC_DEFAULT 0
#define BSDVM_SHM_LARGEPAGE_ALLOC_NOWAIT  1
#define BSDVM_SHM_LARGEPAGE_ALLOC_HARD	  2

/* bsdvm_memfd_create() flags (the same values on FreeBSD and Linux). */
#define BSDVM_MFD_CLOEXEC	0x1
#define BSDVM_MFD_ALLOW_SEALING 0x2
#define BSDVM_MFD_HUGETLB	0x4

/**
 * bsdvm_shm_open() - open a shared memory object, shm_open(2)
 * @path: a name that begins with a slash, or BSDVM_SHM_ANON_PATH
 * @flags: O_RDONLY or O_RDWR, and O_CREAT, O_EXCL, O_TRUNC, O_CLOEXEC, as
 *	<fcntl.h> has them
 * @mode: permission bits of a new object, less the umask
 *
 * The names are bsdvm's own: they are not in any file system, nor in what
 * Linux's shm_open(3) sees. Makes no window.
 *
 * Return: a descriptor, close-on-exec, or -1 with errno.
 */
int bsdvm_shm_open(const char *path, int flags, mode_t mode);

/**
 * bsdvm_shm_open2() - the same with more to say, shm_open2(2)
 * @path: as for bsdvm_shm_open()
 * @flags: as for bsdvm_shm_open()
 * @mode: as for bsdvm_shm_open()
 * @shmflags: BSDVM_SHM_ALLOW_SEALING, BSDVM_SHM_GROW_ON_WRITE,
 *	BSDVM_SHM_LARGEPAGE
 * @name: what to call an object without a name; not used
 *
 * Return: a descriptor, close-on-exec with O_CLOEXEC, or -1 with errno.
 */
int bsdvm_shm_open2(const char *path, int flags, mode_t mode, int shmflags,
		    const char *name);

/**
 * bsdvm_shm_unlink() - remove the name of an object, shm_unlink(2)
 * @path: its name
 *
 * Return: 0, or -1 with errno.
 */
int bsdvm_shm_unlink(const char *path);

/**
 * bsdvm_shm_rename() - give an object another name, shm_rename(2)
 * @from: its name
 * @to: the new name; what had it loses it
 * @flags: BSDVM_SHM_RENAME_NOREPLACE (EEXIST instead) or
 *	BSDVM_SHM_RENAME_EXCHANGE (swap the names)
 *
 * Return: 0, or -1 with errno.
 */
int bsdvm_shm_rename(const char *from, const char *to, int flags);

/**
 * bsdvm_memfd_create() - an object without a name, memfd_create(3)
 * @name: not used, but not longer than NAME_MAX less the six of "memfd:"
 * @flags: BSDVM_MFD_CLOEXEC, BSDVM_MFD_ALLOW_SEALING
 *
 * Return: a descriptor, or -1 with errno.
 */
int bsdvm_memfd_create(const char *name, unsigned int flags);

/**
 * bsdvm_shm_create_largepage() - an object of large pages,
 *	shm_create_largepage(3)
 * @path: as for bsdvm_shm_open()
 * @flags: as for bsdvm_shm_open(); O_CREAT is implied
 * @psind: index of a page size, not 0
 * @alloc_policy: BSDVM_SHM_LARGEPAGE_ALLOC_*
 * @mode: as for bsdvm_shm_open()
 *
 * Return: -1 with errno: there are no large pages yet, which is EOPNOTSUPP.
 */
int bsdvm_shm_create_largepage(const char *path, int flags, int psind,
			       int alloc_policy, mode_t mode);

/**
 * bsdvm_shm_seals() - seal an object, fcntl(2) with F_ADD_SEALS
 * @fd: a descriptor of a shared memory object
 * @add: BSDVM_F_SEAL_* to add; 0 to ask only
 *
 * Return: the seals there are now, or -1 with errno.
 */
int bsdvm_shm_seals(int fd, int add);

/**
 * bsdvm_getpagesizes() - the page sizes of mappings, getpagesizes(3)
 * @pagesize: filled with them, the smallest first; may be NULL if @nelem is 0
 * @nelem: how many fit
 *
 * Return: how many were filled in, or how many there are if @nelem is 0, or -1
 * with errno.
 */
int bsdvm_getpagesizes(size_t pagesize[], int nelem);

/**
 * bsdvm_fault() - take the faults of an access now and without signals
 * @addr: start, rounded down to a page
 * @len: bytes
 * @prot: the access: BSDVM_PROT_READ, _WRITE, _EXEC or several of them
 * @done: filled with the bytes that were faulted in; may be NULL
 * @outcome: filled with the BSDVM_FAULT_* that ended it; may be NULL
 *
 * Return: 0 if the range was tried, whatever the outcome, or -1 with errno.
 */
int bsdvm_fault(void *addr, size_t len, int prot, size_t *done, int *outcome);

/**
 * bsdvm_info() - what the module is and where the window lies
 * @info: filled in
 *
 * Makes no window.
 *
 * Return: 0, or -1 with errno.
 */
int bsdvm_info(struct bsdvm_info *info);

/**
 * bsdvm_stats() - counters and gauges of the whole machine
 * @stats: filled in
 *
 * Makes no window.
 *
 * Return: 0, or -1 with errno.
 */
int bsdvm_stats(struct bsdvm_stats *stats);

/**
 * bsdvm_sysctl_get() - read a tunable or gauge, sysctl(3)
 * @name: as in "vm.overcommit"
 * @value: filled in
 *
 * bsdvm(4) lists them. Makes no window.
 *
 * Return: 0, or -1 with errno (ENOENT: no such name).
 */
int bsdvm_sysctl_get(const char *name, uint64_t *value);

/**
 * bsdvm_sysctl_set() - change a tunable
 * @name: as in "vm.overcommit"
 * @value: the new value
 *
 * Return: 0, or -1 with errno: ENOENT (no such name), EPERM (not a tunable, or
 * the caller may not), EINVAL (out of range).
 */
int bsdvm_sysctl_set(const char *name, uint64_t value);

/**
 * bsdvm_sysctl_info() - all about a tunable or gauge
 * @name: its name, or NULL to go by @index
 * @index: 0, 1, ...
 * @info: filled in
 *
 * To list them all, count @index up until it is ENOENT.
 *
 * Return: 0, or -1 with errno.
 */
int bsdvm_sysctl_info(const char *name, unsigned int index,
		      struct bsdvm_sysctl *info);

/**
 * bsdvm_swapon() - page to a file or block device, swapon(2)
 * @special: its path
 *
 * What is in it is lost. Needs CAP_SYS_ADMIN.
 *
 * Return: 0; -1 with errno of open(2), EPERM, ENOTBLK, EINVAL (too small), EBUSY (in
 * use), ENOSPC (too many), ENOMEM.
 */
int bsdvm_swapon(const char *special);

/**
 * bsdvm_swapoff() - page to it no more, swapoff(2)
 * @special: its path, or "embedded"
 *
 * Brings all of its pages back first. Needs CAP_SYS_ADMIN.
 *
 * Return: 0; -1 with errno EPERM, ENXIO (none of that name), EBUSY, ENOMEM (no room
 * for its pages), EIO, EINTR.
 */
int bsdvm_swapoff(const char *special);

/**
 * bsdvm_swapinfo() - describe a swap device
 * @index: which one, from 0
 * @info: where it goes
 *
 * Return: 0; -1 with errno ENOENT behind the last.
 */
int bsdvm_swapinfo(unsigned int index, struct bsdvm_swapinfo *info);

/**
 * bsdvm_swapfind() - describe a swap device, by name
 * @special: its path, or "embedded"
 * @info: where it goes
 *
 * Return: 0; -1 with errno ENXIO when there is none of that name.
 */
int bsdvm_swapfind(const char *special, struct bsdvm_swapinfo *info);

/**
 * bsdvm_kmap() - describe the kernel map, or one of its submaps
 * @index: 0 for the kernel map, then its submaps in order of address
 * @info: where it goes
 *
 * To list them all, count @index up until it is ENOENT. Who has not CAP_SYSLOG is told
 * no kernel addresses, but how far from the kernel map's beginning they are.
 *
 * Return: 0; -1 with errno ENOENT behind the last.
 */
int bsdvm_kmap(unsigned int index, struct bsdvm_kmap *info);

/**
 * bsdvm_getzones() - the zones of the kernel memory allocator, as vmstat -z
 * @count: filled with their number
 *
 * Return: an array of records, to be freed by bsdvm_freezones() also when there are
 * none, or NULL with errno.
 */
struct bsdvm_zone *bsdvm_getzones(size_t *count);

/**
 * bsdvm_freezones() - free what bsdvm_getzones() returned
 * @zones: the first record, or NULL
 */
void bsdvm_freezones(struct bsdvm_zone *zones);

/**
 * bsdvm_getmalloctypes() - what kernel memory of malloc(9) is for, as vmstat -m
 * @count: filled with the number of types
 *
 * Return: an array of records, to be freed by bsdvm_freemalloctypes() also when there
 * are none, or NULL with errno.
 */
struct bsdvm_malloc_type *bsdvm_getmalloctypes(size_t *count);

/**
 * bsdvm_freemalloctypes() - free what bsdvm_getmalloctypes() returned
 * @types: the first record, or NULL
 */
void bsdvm_freemalloctypes(struct bsdvm_malloc_type *types);

/**
 * bsdvm_getvmmap() - the entries of the map, as kinfo_getvmmap(3) has them
 * @count: filled with their number
 *
 * The records follow one another in memory, each as long as it says:
 *
 *	struct bsdvm_vmentry *map, *entry;
 *	size_t n;
 *
 *	map = bsdvm_getvmmap(&n);
 *	for (entry = map; n--; entry = bsdvm_vmentry_next(entry))
 *		...
 *	bsdvm_freevmmap(map);
 *
 * Return: the first record, to be freed by bsdvm_freevmmap() also when there
 * are none, or NULL with errno.
 */
struct bsdvm_vmentry *bsdvm_getvmmap(size_t *count);

/**
 * bsdvm_getvmmap_pid() - the entries of a process's map
 * @pid: process, 0 for the caller
 * @count: filled with their number
 *
 * Return: as bsdvm_getvmmap(); for another process also ESRCH (there is none),
 * EPERM (not allowed to look at it), ENXIO (it has no window).
 */
struct bsdvm_vmentry *bsdvm_getvmmap_pid(pid_t pid, size_t *count);

/**
 * bsdvm_freevmmap() - free what bsdvm_getvmmap() or _pid() returned
 * @map: the first record, or NULL
 */
void bsdvm_freevmmap(struct bsdvm_vmentry *map);

/**
 * bsdvm_vmentry_next() - the record behind this one
 * @entry: a record of bsdvm_getvmmap(), not the last one
 *
 * Return: the next record.
 */
static inline struct bsdvm_vmentry *
bsdvm_vmentry_next(const struct bsdvm_vmentry *entry)
{
	return (struct bsdvm_vmentry *)((char *)entry + entry->kve_structsize);
}

/**
 * bsdvm_vmentry_objects() - the chain of objects of an entry
 * @entry: a record of bsdvm_getvmmap()
 *
 * Return: an array of @entry->kve_nobjects objects, the topmost first.
 */
static inline const struct bsdvm_vmobject *
bsdvm_vmentry_objects(const struct bsdvm_vmentry *entry)
{
	return (const struct bsdvm_vmobject *)(entry + 1);
}

/**
 * bsdvm_vmentry_path() - the path of the file that an entry maps
 * @entry: a record of bsdvm_getvmmap()
 *
 * Return: the path, empty where there is none.
 */
static inline const char *bsdvm_vmentry_path(const struct bsdvm_vmentry *entry)
{
	const struct bsdvm_vmobject *objects = bsdvm_vmentry_objects(entry);

	return entry->kve_path_len ?
		       (const char *)(objects + entry->kve_nobjects) :
		       "";
}

/**
 * bsdvm_getvmobject() - all objects of the machine, as kinfo_getvmobject(3)
 *	has them
 * @count: filled with their number
 *
 * The records follow one another as those of bsdvm_getvmmap() do, in order of
 * their numbers. Makes no window.
 *
 * Return: the first record, to be freed by bsdvm_freevmobject() also when there
 * are none, or NULL with errno.
 */
struct bsdvm_kvmobject *bsdvm_getvmobject(size_t *count);

/**
 * bsdvm_freevmobject() - free what bsdvm_getvmobject() returned
 * @objects: the first record, or NULL
 */
void bsdvm_freevmobject(struct bsdvm_kvmobject *objects);

/**
 * bsdvm_kvmobject_next() - the record behind this one
 * @object: a record of bsdvm_getvmobject(), not the last one
 *
 * Return: the next record.
 */
static inline struct bsdvm_kvmobject *
bsdvm_kvmobject_next(const struct bsdvm_kvmobject *object)
{
	return (struct bsdvm_kvmobject *)((char *)object +
					  object->kvo_structsize);
}

/**
 * bsdvm_kvmobject_path() - the path of the file behind an object
 * @object: a record of bsdvm_getvmobject()
 *
 * Return: the path, empty where there is none or the caller may not know it.
 */
static inline const char *
bsdvm_kvmobject_path(const struct bsdvm_kvmobject *object)
{
	return object->kvo_path_len ? (const char *)(object + 1) : "";
}

/**
 * bsdvm_getpages() - the pages that an object of a map has
 * @pid: process, 0 for the caller
 * @addr: an address that the object is mapped at, be it below other objects
 * @object: its number, kvo_id
 * @count: filled with the number of runs
 *
 * Return: an array of runs of pages in order of index, to be freed by
 * bsdvm_freepages() also when there are none, or NULL with errno: as
 * bsdvm_getvmmap_pid(), and ENOENT when no such object is mapped there.
 */
struct bsdvm_pagerun *bsdvm_getpages(pid_t pid, uint64_t addr, uint64_t object,
				     size_t *count);

/**
 * bsdvm_freepages() - free what bsdvm_getpages() returned
 * @pages: the first run, or NULL
 */
void bsdvm_freepages(struct bsdvm_pagerun *pages);

#ifdef __cplusplus
}
#endif

#endif /* _BSDVM_H */
