/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * model: what the map of each worker, and each byte of it, must be.
 *
 * It knows neither entries nor objects, only pages. What a page shows is a slot:
 * one page of an object, which has contents of its own or shows those of the
 * slot behind it. That is BSD's chain of shadow objects, page by page and
 * without what makes it fast: nothing is ever collapsed.
 *
 *	page of worker 0 ----.
 *	                     v
 *	page of worker 1 -> slot (no contents) -> slot (stamps) <- page of worker 2
 *
 * A page that needs a copy gets a slot of its own, in front of the one it shows,
 * when it is first written.
 */
#ifndef _FUZZ_MODEL_H
#define _FUZZ_MODEL_H

#include <stdbool.h>
#include <stdint.h>

#include "worker.h"

#define PROT_ALL   BSDVM_PROT_ALL
/* Pages of a file at most. */
#define FILE_PAGES 24

struct file;

/**
 * struct slot - a page of an object
 * @refs: pages and slots that show it; a page of a file has one more
 * @backing: what shows through while there are no contents
 * @has: has contents
 * @freed: they may have become zero, all of them, by MADV_FREE
 * @loose: a bit for each stamp that may have become zero: behind the end of a
 *	file nothing is kept
 * @file: whose page it is, NULL for anonymous memory
 * @index: which of them
 * @stamp: the contents
 */
struct slot {
	unsigned int refs;
	struct slot *backing;
	bool has;
	bool freed;
	unsigned int loose;
	struct file *file;
	unsigned int index;
	uint64_t stamp[STAMPS];
};

/**
 * struct file - a file or a shared memory object
 * @size: bytes
 * @shm: it is a shared memory object
 * @unlinked: it has no name
 * @slot: its pages, those behind the end, too
 */
struct file {
	uint64_t size;
	bool shm;
	bool unlinked;
	struct slot slot[FILE_PAGES];
};

/* A descriptor, and what mmap makes of it. */
enum handle_kind {
	HANDLE_NONE, /* -1 */
	HANDLE_CLOSED,
	HANDLE_NODEV, /* cannot be mapped */
	HANDLE_ZERO, /* anonymous memory */
	HANDLE_FILE,
};

struct handle {
	const char *name;
	enum handle_kind kind;
	int fd;
	struct file *file;
	bool readable;
	bool writable;
};

#define HANDLES 16

/* What a page has beside its protections. */
#define PAGE_GUARD	0x0001
#define PAGE_NEEDS_COPY 0x0002
#define PAGE_WIRED	0x0004
#define PAGE_IMMUTABLE	0x0008
#define PAGE_NOCORE	0x0010
#define PAGE_NOSYNC	0x0020
#define PAGE_RANDOM	0x0040
#define PAGE_SEQUENTIAL 0x0080
#define PAGE_STACK	0x0100 /* of a stack that grows */
#define PAGE_GAP	0x0200 /* a guard that it grows into */
#define PAGE_COW	0x1000 /* writes are never the file's */
#define PAGE_ALONE	0x0800 /* new since the worker last shared anything */

/**
 * struct page - a page of a worker's map
 * @mapped: there is an entry; the rest means nothing otherwise
 * @prot: its protection
 * @max: its maximum protection
 * @inherit: its inheritance
 * @flags: PAGE_*
 * @stack_prot: of a gap: protection of the stack to come
 * @stack_max: of a gap: its maximum protection
 * @file: the file at the bottom of the chain, NULL for anonymous memory
 * @index: which page of it
 * @slot: what it shows; NULL for a guard
 */
struct page {
	bool mapped;
	uint8_t prot;
	uint8_t max;
	uint8_t inherit;
	uint32_t flags;
	uint8_t stack_prot;
	uint8_t stack_max;
	struct file *file;
	uint64_t index;
	struct slot *slot;
};

/* Pages that a stack grows by, and that it leaves free at the bottom. */
#define STACK_GROWS 32
#define STACK_GUARD 1

/**
 * struct proc - a worker
 * @alive: there is one
 * @pid: its process id
 * @parent: worker that forked it and must wait for it, -1 for the driver
 * @start: its window
 * @lock_future: mlockall(MCL_FUTURE)
 * @taddr: beginning of the text
 * @daddr: beginning of the data
 * @dsize: bytes of data and heap
 * @forget: page from which on the model does not know what a call has mapped
 * @forget_pages: how many; the driver unmaps them
 * @page: its map
 */
struct proc {
	bool alive;
	pid_t pid;
	int parent;
	uint64_t start;
	bool lock_future;
	uint64_t taddr;
	uint64_t daddr;
	uint64_t dsize;
	unsigned int forget;
	unsigned int forget_pages;
	struct page page[WINDOW_PAGES];
};

/* Everything there is. */
struct model {
	struct proc proc[WORKERS];
	struct handle handle[HANDLES];
	unsigned int handles;
};

extern struct model model;

/* The window has no page behind this one. */
static inline uint64_t proc_end(const struct proc *p)
{
	return p->start + WINDOW_PAGES * PAGE;
}

/* The page that an address in the window, or its end, belongs to. */
static inline unsigned int proc_page(const struct proc *p, uint64_t addr)
{
	return (addr - p->start) / PAGE;
}

/* A fresh slot of zeroes. */
struct slot *slot_new(void);

/* The slot of a page of a file, with a reference. */
struct slot *slot_of_file(struct file *file, uint64_t index);

/* Take a page out of the map. */
void page_unmap(struct page *page);

/**
 * page_map() - put a page into the map, in place of what is there
 * @page: where
 * @slot: what it shows; the reference is taken over
 * @prot: protection
 * @max: maximum protection
 * @inherit: inheritance
 * @flags: PAGE_*
 */
void page_map(struct page *page, struct slot *slot, int prot, int max,
	      int inherit, uint32_t flags);

/**
 * proc_access() - an access to a page, as vm_fault() sees it
 * @p: whose
 * @i: which page
 * @prot: BSDVM_PROT_* of the access
 *
 * A write gives the page contents of its own. A stack may grow.
 *
 * Return: BSDVM_FAULT_*.
 */
int proc_access(struct proc *p, unsigned int i, int prot);

/**
 * page_wire() - make a page stay
 * @page: which; it may be accessed
 *
 * What a write would copy is copied now.
 *
 * Return: false where there is no page: behind the end of a file.
 */
bool page_wire(struct page *page);

/* The slot whose contents a page shows; NULL behind the end of a file. */
struct slot *page_shows(const struct page *page);

/**
 * slot_write() - a stamp is written to a page that shows this slot
 * @slot: what page_shows() says
 * @i: which stamp
 * @value: the stamp
 */
void slot_write(struct slot *slot, unsigned int i, uint64_t value);

/**
 * slot_settle() - compare what was read, and decide by it what was open
 * @slot: what page_shows() says
 * @got: the stamps read
 *
 * Return: whether the model allows them.
 */
bool slot_settle(struct slot *slot, const uint64_t *got);

/* Both shall show the same from now on, whoever writes: REMAPDUP, or a fork. */
void page_share(struct page *from, struct page *to);

/* MADV_FREE: the contents may become zero, where they are nobody else's. */
void page_free(struct page *page);

/* The worker shares what it has: none of it is alone any more. */
void proc_share(struct proc *p);

/* A worker forks. */
void proc_fork(struct proc *parent, struct proc *child);

/* A worker has gone. */
void proc_exit(struct proc *p);

/* The file has another size. */
void file_truncate(struct file *file, uint64_t size);

/* Give up all that is mapped; returns how many slots are left over. */
unsigned long model_end(void);

#endif /* _FUZZ_MODEL_H */
