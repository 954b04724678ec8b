/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * libbsdvm: the BSD virtual memory calls, served by /dev/bsdvm.
 *
 * Each process has one window: a large range of addresses inside which 4.4BSD
 * and FreeBSD rules hold. The functions below take the arguments and give the
 * results of the BSD calls of the same name, errno included, for addresses in
 * the window; any other address is EINVAL. The device is opened and the window
 * made on first use. All functions may be called from any thread. A child of
 * fork(2) keeps the window, at the same address, with memory of its own.
 *
 * bsdvm(3) is the manual.
 */
#ifndef _BSDVM_H
#define _BSDVM_H

#include <stddef.h>
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
 * It belongs to the library: do not close it. It is closed on exec(3).
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
 * bsdvm_freevmmap() - free what bsdvm_getvmmap() returned
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

#ifdef __cplusplus
}
#endif

#endif /* _BSDVM_H */
