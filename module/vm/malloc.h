/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * malloc: memory of any size for the kernel's own records, malloc(9).
 *
 * The flags stand on this floor because the zones of uma.h take them too; the
 * functions are kern_malloc.c's, some floors above.
 *
 * Semantics: FreeBSD 14, malloc(9).
 */
#ifndef BSDVM_MALLOC_H
#define BSDVM_MALLOC_H

#include "vm_page.h"

/*
 * One of the first two, and any of the others. The values are FreeBSD's.
 *
 * M_WAITOK waits until there is memory, and does not fail for want of it; a task
 * that is being killed waits no longer than it must, see uma_zalloc_arg().
 * M_NOWAIT fails instead. M_USE_RESERVE may have the pages and the items that are
 * kept from ordinary requests.
 */
#define M_NOWAIT	0x0001
#define M_WAITOK	0x0002
#define M_ZERO		0x0100	/* all bytes zero */
#define M_USE_RESERVE	0x0400

/**
 * malloc2vm_flags() - how far into the reserves an allocation may dig
 * @flags: M_*
 *
 * Return: VM_ALLOC_*.
 */
static inline int malloc2vm_flags(int flags)
{
	return flags & M_USE_RESERVE ? VM_ALLOC_INTERRUPT : VM_ALLOC_SYSTEM;
}

/**
 * struct malloc_type_stats - what one CPU has allocated of a type
 * @mts_memalloced: (P) bytes allocated
 * @mts_memfreed: (P) bytes freed
 * @mts_numallocs: (P) allocations
 * @mts_numfrees: (P) frees
 * @mts_size: (P) a bit for each zone used, from the smallest; the last is for what
 *	is too large for a zone
 * @mts_delta: (P) bytes allocated and not freed since they were last summed up
 * @mts_peak: (P) the most that @mts_delta has been since
 *
 * Locks: (P) changed by its CPU with preemption off.
 */
struct malloc_type_stats {
	u64 mts_memalloced;
	u64 mts_memfreed;
	u64 mts_numallocs;
	u64 mts_numfrees;
	u32 mts_size;
	long mts_delta;
	long mts_peak;
};

/**
 * struct malloc_type - what memory is used for
 * @ks_shortdesc: (C) its name in statistics
 * @ks_longdesc: (C) a sentence about it
 * @ks_stats: (C) one for each CPU
 * @ks_memuse: (A) bytes in use, less what stands in mts_delta
 * @ks_highuse: (A) the most bytes that were in use
 * @ks_link: (T) place on the list of types
 * @ks_listed: (T) it has been used and is on that list; set once
 *
 * Locks: (A) atomic, (C) constant, (T) the list's lock.
 */
struct malloc_type {
	const char *ks_shortdesc;
	const char *ks_longdesc;
	struct malloc_type_stats __percpu *ks_stats;
	atomic64_t ks_memuse;
	atomic64_t ks_highuse;
	struct list_head ks_link;
	bool ks_listed;
};

/**
 * MALLOC_DEFINE() - define a type of memory
 * @type: its name in C
 * @shortdesc: its name in statistics
 * @longdesc: a sentence about it
 *
 * It is listed with its first use. The module that defines it calls malloc_uninit()
 * before it goes; kmemfini() does so for those of bsdvm itself.
 */
#define MALLOC_DEFINE(type, shortdesc, longdesc)				\
	static DEFINE_PER_CPU(struct malloc_type_stats, type##_stats);		\
	struct malloc_type type[1] = {{						\
		.ks_shortdesc = (shortdesc),					\
		.ks_longdesc = (longdesc),					\
		.ks_stats = &type##_stats,					\
	}}

/**
 * MALLOC_DECLARE() - declare a type that another file defines
 * @type: its name in C
 */
#define MALLOC_DECLARE(type)	extern struct malloc_type type[1]

/* What no other type fits. */
MALLOC_DECLARE(M_TEMP);

/**
 * struct malloc_type_info - a type of memory, summed up over all CPUs
 * @name: its name
 * @inuse: allocations not freed yet
 * @memuse: their bytes, as they were rounded up
 * @highuse: the most bytes there were; too high by at most what each CPU sums up
 *	by itself, 64 KiB
 * @requests: allocations ever made
 * @sizes: as mts_size
 */
struct malloc_type_info {
	char name[32];
	u64 inuse;
	u64 memuse;
	u64 highuse;
	u64 requests;
	u32 sizes;
};

/**
 * kmeminit() - make malloc() work, after uma_startup()
 *
 * Context: start-up only, may sleep.
 * Return: 0, -ENOMEM.
 */
int kmeminit(void);

/**
 * kmemfini() - say what was not freed, by its type, and end malloc()
 *
 * Context: shut-down only, before uma_shutdown(). Harmless when kmeminit() was not
 * called or failed.
 */
void kmemfini(void);

/**
 * malloc() - allocate memory
 * @size: bytes; 0 is as good as 1
 * @type: what for
 * @flags: M_*
 *
 * Aligned to 16 bytes; more than half a page, to a page. More than a page is taken
 * from the kernel map.
 *
 * Context: as uma_zalloc_arg().
 * Return: the memory. NULL with M_NOWAIT when there is none; with either when more
 * than a page is wanted and the kernel map has no room for it, or no pages come free
 * for as long as a fault waits, or the task is killed meanwhile.
 */
void *malloc(size_t size, struct malloc_type *type, int flags);

/**
 * free() - give memory back
 * @addr: what malloc() or realloc() returned, or NULL
 * @type: what for, as it was allocated
 *
 * Context: any but interrupt, spinlocks may be held if malloc_usable_size() is not
 * more than a page.
 */
void free(void *addr, struct malloc_type *type);

/**
 * realloc() - change the size of memory
 * @addr: what malloc() or realloc() returned; NULL: allocate
 * @size: bytes it is to have
 * @type: what for
 * @flags: M_*; M_ZERO is for bytes there were not before, and only if @addr is NULL
 *	does it cover everything
 *
 * The memory stays where it is when it is not much too large. Otherwise as many
 * bytes as fit are copied.
 *
 * Context: as malloc() and free().
 * Return: the memory, perhaps elsewhere; NULL as malloc(), and @addr is as it was.
 */
void *realloc(void *addr, size_t size, struct malloc_type *type, int flags);

/**
 * reallocf() - change the size of memory, or free it
 * @addr: as realloc()
 * @size: as realloc()
 * @type: as realloc()
 * @flags: as realloc()
 *
 * Context: as realloc().
 * Return: as realloc(), but with NULL @addr has been freed.
 */
void *reallocf(void *addr, size_t size, struct malloc_type *type, int flags);

/**
 * malloc_usable_size() - how many bytes memory really has
 * @addr: what malloc() or realloc() returned, or NULL
 *
 * Context: any.
 * Return: bytes.
 */
size_t malloc_usable_size(const void *addr);

/**
 * malloc_uninit() - a type's definition is about to go
 * @type: the type, used or not
 *
 * What was not freed is reported as a leak, and is nobody's from then on.
 *
 * Context: process, may sleep; nobody uses the type any more.
 */
void malloc_uninit(struct malloc_type *type);

/**
 * malloc_type_info() - sum up a type of memory
 * @index: 0, 1, ... of those that have been used, in no particular order
 * @info: where it goes
 *
 * Context: process, may sleep.
 * Return: 0, -ENOENT when there are not so many.
 */
int malloc_type_info(unsigned int index, struct malloc_type_info *info);

#endif /* BSDVM_MALLOC_H */
