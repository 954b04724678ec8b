/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * inspect: what a process may learn of a window, its own or another's, and of the
 * objects of the machine.
 */
#ifndef BSDVM_INSPECT_H
#define BSDVM_INSPECT_H

#include <linux/types.h>

struct bsdvm_entries;
struct bsdvm_objects;
struct bsdvm_pages;
struct bsdvm_rusage;
struct bsdvm_table;
struct vm_map;
struct window;

/* A record that does not fit into so many bytes is no record: 300,000 objects. */
#define INSPECT_BUF_MAX		(16 * 1024 * 1024)

/**
 * struct inspect_buf - room for a record
 * @mem: the room, NULL at first; to be given back by kvfree()
 * @len: its bytes
 */
struct inspect_buf {
	void *mem;
	size_t len;
};

/**
 * inspect_record() - vm_meter_entry() with as much room as it takes
 * @map: the map
 * @start: as vm_meter_entry()
 * @buf: the room, which grows
 * @max: it need not grow beyond so many bytes
 *
 * Context: process, may sleep and do I/O, no lock held.
 * Return: as vm_meter_entry(); -ENOSPC where @max bytes are too few.
 */
ssize_t inspect_record(struct vm_map *map, u64 *start, struct inspect_buf *buf,
		       size_t max);

/**
 * inspect_entries() - list the entries of a map
 * @own: the caller's window, or NULL
 * @req: whose, from where, and where they go
 *
 * Context: process, may sleep and do I/O.
 * Return: 0; -EINVAL, -ESRCH, -EPERM, -ENXIO, -ENOSPC, -EFAULT, -ENOMEM, -EINTR.
 */
int inspect_entries(struct window *own, struct bsdvm_entries *req);

/**
 * inspect_pages() - list the pages that an object of a map has
 * @own: the caller's window, or NULL
 * @req: whose, of which object, from where, and where they go
 *
 * Context: process, may sleep and do I/O.
 * Return: 0; -EINVAL, -ESRCH, -EPERM, -ENXIO, -ENOENT, -ENOSPC, -EFAULT, -ENOMEM,
 * -EINTR.
 */
int inspect_pages(struct window *own, struct bsdvm_pages *req);

/**
 * inspect_rusage() - what a vmspace uses and has used
 * @own: the caller's window, or NULL
 * @req: whose, and where it goes
 *
 * Context: process, may sleep.
 * Return: 0; -EINVAL, -ESRCH, -EPERM, -ENXIO, -EINTR.
 */
int inspect_rusage(struct window *own, struct bsdvm_rusage *req);

/**
 * inspect_objects() - list the objects of the machine
 * @req: from where, and where they go
 *
 * Context: process, may sleep and do I/O.
 * Return: 0; -EINVAL, -ENOSPC, -EFAULT, -ENOMEM, -EINTR.
 */
int inspect_objects(struct bsdvm_objects *req);

/**
 * inspect_zones() - list the zones of the kernel memory allocator
 * @req: from where, and where they go
 *
 * Context: process, may sleep.
 * Return: 0; -EINVAL, -E2BIG, -ENOSPC, -EFAULT, -EINTR.
 */
int inspect_zones(struct bsdvm_table *req);

/**
 * inspect_malloc_types() - list the types of malloc(9)
 * @req: from where, and where they go
 *
 * Context: process, may sleep.
 * Return: 0; -EINVAL, -E2BIG, -ENOSPC, -EFAULT, -EINTR.
 */
int inspect_malloc_types(struct bsdvm_table *req);

#endif /* BSDVM_INSPECT_H */
