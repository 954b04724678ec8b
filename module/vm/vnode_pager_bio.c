// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * vnode_pager_bio: pages of a file, straight to the blocks where the file has them.
 *
 * What Linux's page cache spends on a page that is written is for the most part to note
 * that it is dirty, to find it by that, and to count it. We know which pages are dirty.
 * Where a file has a block for a page, the page's buffer says which, and the block
 * stays while the page is locked: truncation, holes and defragmentation all take
 * the page's lock before the block goes. So the page is written as the file system would
 * write it, but for the notes.
 *
 * Not where Linux has something to do with the page itself: when it is dirty in the page
 * cache (then it is going to be written anyway), when it is being written (the two would
 * race for the block), or has no block yet. Nor where a file system does more to a page
 * than write it: encryption, or a journal that has the data, too; nor where the device
 * must not see it change, which we do not keep Linux's own mappings from.
 *
 * Nor may a write still be on its way when the blocks become Linux's swap: to who waits for
 * the file's direct I/O, as swapon(2) does, it is that.
 */
#include "vnode_pager_bio.h"

#include <linux/bio.h>
#include <linux/blkdev.h>
#include <linux/buffer_head.h>
#include <linux/magic.h>
#include <linux/pagemap.h>

bool vnode_bio_journalled(const struct inode *inode)
{
	if (inode->i_sb->s_magic != EXT4_SUPER_MAGIC)
		return false;
	/*
	 * With data in the journal pages may not be moved while buffers are referenced; a
	 * kernel that moves no pages does not tell.
	 */
	return !IS_ENABLED(CONFIG_MIGRATION) ||
	       inode->i_mapping->a_ops->migrate_folio != buffer_migrate_folio;
}

/* Is a page of this file written by just writing it? */
static bool vnode_bio_plain(const struct inode *inode)
{
	const struct super_block *sb = inode->i_sb;

	return sb->s_magic == EXT4_SUPER_MAGIC && !sb_rdonly(sb) && !IS_ENCRYPTED(inode) &&
	       !(sb->s_iflags & SB_I_STABLE_WRITES) && !vnode_bio_journalled(inode);
}

/* The block of a page, which is locked; NULL when it has none, or is Linux's to write. */
static struct buffer_head *vnode_bio_block(const struct inode *inode, struct page *page)
{
	struct buffer_head *bh;

	if (page->mapping != inode->i_mapping || PageCompound(page) || !PageUptodate(page) ||
	    PageDirty(page) || PageWriteback(page) || !page_has_buffers(page))
		return NULL;
	bh = page_buffers(page);
	if (bh->b_size != PAGE_SIZE || !buffer_mapped(bh) || buffer_delay(bh) ||
	    buffer_unwritten(bh) || buffer_new(bh) || buffer_dirty(bh))
		return NULL;
	return bh;
}

bool vnode_bio_add(struct vnode_bio *vb, struct page *page)
{
	struct buffer_head *bh;

	if (!vnode_bio_plain(vb->inode) || !trylock_page(page))
		return false;
	bh = vnode_bio_block(vb->inode, page);
	if (!bh) {
		unlock_page(page);
		return false;
	}
	if (!vb->count) {
		/* swapon(2) waits for it, before it takes the file's blocks. */
		inode_dio_begin(vb->inode);
		smp_mb__after_atomic(); /* pairs with the wait that follows S_SWAPFILE */
	}
	vb->bdev = bh->b_bdev;
	vb->sector[vb->count] = (sector_t)bh->b_blocknr << (PAGE_SHIFT - SECTOR_SHIFT);
	vb->page[vb->count++] = page;
	return true;
}

/* How many pages from that one on lie one behind the other. */
static unsigned int vnode_bio_run(const struct vnode_bio *vb, unsigned int first)
{
	unsigned int n = 1;

	while (first + n < vb->count &&
	       vb->sector[first + n] == vb->sector[first] + n * PAGE_SECTORS)
		n++;
	return n;
}

/* One more request, which ends when @last has, too; @last begins. */
static struct bio *vnode_bio_next(struct bio *last, struct vnode_bio *vb, unsigned int first,
				  unsigned int count)
{
	struct bio *bio = bio_alloc(vb->bdev, count, REQ_OP_WRITE | REQ_SYNC, GFP_NOIO);
	unsigned int i;

	bio->bi_iter.bi_sector = vb->sector[first];
	for (i = 0; i < count; i++)
		__bio_add_page(bio, vb->page[first + i], PAGE_SIZE, 0);
	if (last) {
		bio_chain(last, bio);
		submit_bio(last);
	}
	return bio;
}

static int vnode_bio_submit(struct vnode_bio *vb)
{
	struct bio *bio = NULL;
	struct blk_plug plug;
	unsigned int i, n;
	int ret;

	blk_start_plug(&plug);
	for (i = 0; i < vb->count; i += n) {
		n = vnode_bio_run(vb, i);
		bio = vnode_bio_next(bio, vb, i, n);
	}
	ret = submit_bio_wait(bio);
	blk_finish_plug(&plug);
	bio_put(bio);
	return ret;
}

int vnode_bio_write(struct vnode_bio *vb)
{
	unsigned int i;
	int ret;

	if (!vb->count)
		return vb->error;
	ret = IS_SWAPFILE(vb->inode) ? -ETXTBSY : vnode_bio_submit(vb);
	if (ret) {
		mapping_set_error(vb->inode->i_mapping, ret);
		vb->error = ret;
	}
	for (i = 0; i < vb->count; i++) {
		unlock_page(vb->page[i]);
		put_page(vb->page[i]);
	}
	vb->count = 0;
	inode_dio_end(vb->inode);
	return vb->error;
}
