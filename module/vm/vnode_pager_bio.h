/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * vnode_pager_bio: pages of a file, straight to the blocks where the file has them.
 *
 * A part of vnode_pager. Nobody else includes this.
 */
#ifndef BSDVM_VNODE_PAGER_BIO_H
#define BSDVM_VNODE_PAGER_BIO_H

#include <linux/blk_types.h>
#include <linux/fs.h>

#include "vm_page.h"

/**
 * struct vnode_bio - pages on their way, in order of their place in the file
 * @page: locked and referenced
 * @sector: where each belongs
 * @bdev: on which device
 * @inode: the file
 * @count: how many
 * @error: what went wrong so far, also with such as were added and written before
 */
struct vnode_bio {
	struct page *page[VM_PAGEOUT_CLUSTER];
	sector_t sector[VM_PAGEOUT_CLUSTER];
	struct block_device *bdev;
	struct inode *inode;
	unsigned int count;
	int error;
};

/**
 * vnode_bio_journalled() - does a journal of ext4 take the data of a file, too?
 * @inode: the file
 *
 * Then making a page dirty does not get it written, nor may it change while the journal
 * takes it. That may change while the file is open (chattr(1)).
 *
 * Context: any.
 * Return: true also when that cannot be found out.
 */
bool vnode_bio_journalled(const struct inode *inode);

/**
 * vnode_bio_add() - have a page written to the block that its file has for it
 * @vb: where to put it; there is room
 * @page: a page of the file, referenced and whole within the end of the file
 *
 * Context: process; the file system not frozen, filemap_invalidate_lock() held, which
 * keeps the file's blocks where they are.
 * Return: true: the page stays locked and the reference is taken over, until
 * vnode_bio_write(). False: the file system must be told of the page.
 */
bool vnode_bio_add(struct vnode_bio *vb, struct page *page);

/**
 * vnode_bio_write() - write what was added
 * @vb: empty afterwards
 *
 * Written, but perhaps still in the device's cache: fsync(2) flushes that. Who syncs
 * the file next is told of an error, as of any other of its write-back.
 *
 * Context: process, does I/O.
 * Return: 0, a negative errno when not all was written that has ever been added.
 */
int vnode_bio_write(struct vnode_bio *vb);

#endif /* BSDVM_VNODE_PAGER_BIO_H */
