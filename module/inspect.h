/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * inspect: what a process may learn of a window, its own or another's, and of the
 * objects of the machine.
 */
#ifndef BSDVM_INSPECT_H
#define BSDVM_INSPECT_H

struct bsdvm_entries;
struct bsdvm_objects;
struct bsdvm_rusage;
struct window;

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

#endif /* BSDVM_INSPECT_H */
