/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * swap_pager: anonymous and shared memory, out to swap devices and in again.
 *
 * A swap device is a file or a block device, cut into slots of a page. Slots of all
 * devices are numbered through; vm_object.swap says in which slot a page is, for the
 * pages that are in any. A page that is resident and in swap is clean; whoever is
 * going to change it frees its slot first.
 *
 * (McKusick et al., chapter 6.10, the swap pager.)
 */
#ifndef BSDVM_SWAP_PAGER_H
#define BSDVM_SWAP_PAGER_H

#include "vm_pager.h"

struct file;

/* Room for the name of a device, the zero at its end included. */
#define SWAP_PATH_MAX	256

/* swap_device_info.flags */
#define SWAP_EMBEDDED	0x1	/* made at load, of Linux's memory */
#define SWAP_CLOSING	0x2	/* being taken away */

/**
 * struct swap_device_info - a swap device described
 * @id: its number
 * @flags: SWAP_*
 * @total: its slots
 * @used: those in use
 * @errors: slots that could not be read or written
 * @path: its name
 */
struct swap_device_info {
	u32 id;
	u32 flags;
	u64 total;
	u64 used;
	u64 errors;
	char path[SWAP_PATH_MAX];
};

/**
 * swap_pager_init() - set the pager up, with an embedded device
 * @embedded: pages of the embedded device, 0 for none
 *
 * Context: start-up only, after vm_object_init().
 * Return: 0, -ENOMEM.
 */
int swap_pager_init(u64 embedded);

/**
 * swap_pager_fini() - undo swap_pager_init(); no object is left
 *
 * Closes all devices.
 *
 * Context: shut-down only.
 */
void swap_pager_fini(void);

/**
 * swap_pager_on() - page to a file or block device
 * @fd: a descriptor of the calling process, open for reading and writing
 * @id: where its number goes
 *
 * Context: process, may sleep; no VM lock held. The caller has checked the right.
 * Return: 0; -EBADF, -ENOTBLK, -EINVAL, -EBUSY, -ENOSPC, -ENOMEM as swapon(2) has them.
 */
int swap_pager_on(int fd, u32 *id);

/**
 * swap_pager_off() - bring back what is on a device, and page to it no more
 * @id: its number
 *
 * Context: process, does I/O, killably; no VM lock held.
 * Return: 0; -ENXIO no such device; -EBUSY being taken away already; -ENOMEM its
 * pages have no room elsewhere; -EIO one could not be read; -EINTR. A device that
 * could not be emptied goes on as before.
 */
int swap_pager_off(u32 id);

/**
 * swap_pager_info() - describe a device
 * @index: which one, from 0, in order of id
 * @info: where it goes
 *
 * Context: process, may sleep.
 * Return: 0, -ENOENT when there are not as many.
 */
int swap_pager_info(unsigned int index, struct swap_device_info *info);

/**
 * swap_pager_status() - how much swap there is
 * @total: where the number of slots goes, those of devices being taken away excluded
 * @used: where the number of slots in use goes
 *
 * Context: any.
 */
void swap_pager_status(u64 *total, u64 *used);

/**
 * swap_pager_full() - is there no slot left?
 *
 * Context: any.
 * Return: true when nothing can be paged out now.
 */
bool swap_pager_full(void);

/*
 * Counts slots that come free, or devices that come, after there was none: pages on
 * PQ_UNSWAPPABLE may go again.
 */
extern atomic_t swap_pager_freed;

/* Tunables for tests: every n-th request to read, or to write, fails; 0: none. */
extern unsigned int swap_fail_read;
extern unsigned int swap_fail_write;

#endif /* BSDVM_SWAP_PAGER_H */
