// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * vnode_pager: one object a file, found by its inode.
 *
 * The object opens the file once more for itself, with the credentials of the
 * descriptor it was mapped through: its writes must not go to the end of a file
 * that somebody opened with O_APPEND, nor around the page cache by O_DIRECT.
 *
 * Life of an object: it stays in the table from its creation until its last
 * reference is gone and its dirty pages are written. Who maps the file in
 * between the two waits, since a new object would read what the old one has not
 * written yet.
 *
 * Pages. A page of the object shows the very frame that Linux's page cache has for the
 * file there; its own frame of the pool lies idle meanwhile, so that the pool bounds
 * what mappings keep of the page cache. Whoever reads or writes the file, and we,
 * see one memory:
 *
 *	write(2) ──► page cache [ f f . f . ] ◄── file system
 *	                          ▲ ▲   ▲
 *	             vm_object  [ m m . m . ] ◄── entries that map the file
 *
 * Page-in takes the page from the cache and no inode lock, as a write(2) from window
 * memory may hold it. Page-out tells the file system that the page was written to,
 * by what a write(2) of the page would call, but for the copying: nothing can
 * come between a store and the copy of it, for there is none. Where the file has a block
 * for the page already, the page is written there (vnode_pager_bio.c).
 *
 * What is cut out of the file, by ftruncate(2), a hole, or O_DIRECT, leaves the page cache
 * while we hold it. A mark of fsnotify has us called behind each change; then
 * vnode_pager_revise() looks for pages whose frame is no longer the file's, and
 * unmaps and frees them: what they had, stores included, was cut out. A page that is
 * being brought in meanwhile gets PGA_GONE, and is read again. A plain write(2) cuts
 * nothing out, and is spared the looking: it is told by the system call it comes from.
 *
 * A file system whose pages may not change while it writes them (checksums, data in a
 * journal), that has no such calls, or that may drop pages by itself (of the network) is
 * not shared with, nor is a memfd that can be sealed yet. There a page has a copy in its
 * own frame: clean ones are dropped when the file is changed, dirty ones win, and
 * write(2) and read(2) are coherent with mappings after msync(2).
 *
 * The last write-back of a file's object may be done by whoever happens to unmap
 * it last, perhaps while being killed, or with a limit on file sizes: a worker does
 * it, whom neither stops, with the credentials of who mapped the file to write.
 * The syncer has workers write the pages of each file now and then, too.
 *
 * Locks: vnode_pager_lock guards the table; a leaf. No file is opened under it: a
 * file system that does not answer may not stop the others. The mark's function
 * may run with the inode's lock held, so it takes the object's lock, and
 * does no I/O but reading.
 */
#include "vnode_pager.h"

#include <asm/syscall.h>
#include <linux/buffer_head.h>
#include <linux/compat.h>
#include <linux/cred.h>
#include <linux/dcache.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/fsnotify_backend.h>
#include <linux/highmem.h>
#include <linux/magic.h>
#include <linux/major.h>
#include <linux/mount.h>
#include <linux/pagemap.h>
#include <linux/shmem_fs.h>
#include <linux/writeback.h>

#include "../compat.h"
#include "pmap.h"
#include "vm_page.h"
#include "vm_pager.h"
#include "vmmeter.h"
#include "vnode_pager_bio.h"

/* Minor of /dev/zero, a number every Linux shares. */
#define DEVZERO_MINOR	5

/* vnode_pager.logged: bit numbers. */
#define VNODE_LOGGED_IN		0
#define VNODE_LOGGED_OUT	1

unsigned int vm_filedelay = 30;

/**
 * struct vnode_pager - what an object knows of its file
 * @node: (T, or RCU to read) place in the table
 * @inode: (C) the file, held by @rfile
 * @rfile: (C) the object's own open file
 * @wfile: (T, then C) the file opened for writing, once somebody needed that
 * @object: (C) the object
 * @shares: (C) pages show the page cache's frames
 * @users: (A) the object's dealloc waits for who is in here from outside
 * @logged: (A) VNODE_LOGGED_*
 * @written: (A) how often pages were written, also such as the object no longer has
 * @stable: (A) what @written was when all of that was last known to be on the disk
 * @mark: (C) has us told of changes
 * @sync: writes dirty pages
 * @rcu: for freeing it
 *
 * Locks: (A) atomic, (C) constant, (T) vnode_pager_lock.
 */
struct vnode_pager {
	struct hlist_node node;
	struct inode *inode;
	struct file *rfile;
	struct file *wfile;
	struct vm_object *object;
	bool shares;
	refcount_t users;
	unsigned long logged;
	atomic_long_t written;
	long stable;
	struct fsnotify_mark *mark;
	struct work_struct sync;
	struct rcu_head rcu;
};

static DEFINE_HASHTABLE(vnode_pager_table, 10);
static DEFINE_MUTEX(vnode_pager_lock);
/* Counts files that left the table; who waits for one waits for this to move. */
static atomic_t vnode_pager_gone;
static struct workqueue_struct *vnode_pager_wq;
static struct fsnotify_group *vnode_pager_group;

static void vnode_pager_syncer(struct work_struct *work);
static DECLARE_DELAYED_WORK(vnode_pager_syncer_work, vnode_pager_syncer);

static void vnode_pager_changed(struct vnode_pager *vnp, bool plain);
static void vnode_pager_sync_work(struct work_struct *work);

static struct vnode_pager *vnode_pager_lookup(struct inode *inode)
{
	struct vnode_pager *vnp;

	lockdep_assert_held(&vnode_pager_lock);
	hash_for_each_possible(vnode_pager_table, vnp, node, (unsigned long)inode)
		if (vnp->inode == inode)
			return vnp;
	return NULL;
}

struct file *vnode_pager_getfile(int fd)
{
	return fget(fd);
}

void vnode_pager_putfile(struct file *file)
{
	fput(file);
}

/* tmpfs has a page cache and no read_folio. */
static bool vnode_pager_readable(struct address_space *mapping)
{
	return shmem_mapping(mapping) || mapping->a_ops->read_folio;
}

/*
 * May pages of the file be shared with its file system? Pages of a disk's change only by
 * calls that the mark is told of, but for FUSE, whose server may do as it likes.
 */
static bool vnode_pager_shareable(struct address_space *mapping)
{
	const struct super_block *sb = mapping->host->i_sb;

	/* A seal against writing waits until nobody but the page cache has its pages. */
	if (shmem_mapping(mapping))
		return SHMEM_I(mapping->host)->seals & F_SEAL_SEAL;
	return mapping->a_ops->write_begin && mapping->a_ops->write_end && sb->s_bdev &&
	       sb->s_magic != FUSE_SUPER_MAGIC && !(sb->s_iflags & SB_I_STABLE_WRITES) &&
	       !mapping_stable_writes(mapping) && !vnode_bio_journalled(mapping->host);
}

/*
 * The page-cache page at @pindex, read in and referenced. A page of tmpfs that is not
 * there is a hole, which is filled only when the page is @wanted.
 */
static struct page *vnode_pager_read(struct vnode_pager *vnp, vm_pindex_t pindex, bool wanted)
{
	struct address_space *mapping = vnp->inode->i_mapping;
	struct page *page;

	if (!shmem_mapping(mapping)) {
		/* A page may not come back while its block is being freed. */
		filemap_invalidate_lock_shared(mapping);
		page = read_mapping_page(mapping, pindex, vnp->rfile);
		filemap_invalidate_unlock_shared(mapping);
		return page;
	}
	if (wanted)
		return shmem_read_mapping_page(mapping, pindex);
	page = find_get_page(mapping, pindex);
	if (page && !PageUptodate(page)) {
		put_page(page);
		page = NULL;
	}
	return page ? page : ERR_PTR(-ENOENT);
}

static bool vnode_pager_is_zero(const struct inode *inode)
{
	return S_ISCHR(inode->i_mode) && inode->i_rdev == MKDEV(MEM_MAJOR, DEVZERO_MINOR);
}

/* What a descriptor allows. */
static vm_prot_t vnode_pager_fdprot(struct file *file, bool shared)
{
	vm_prot_t prot = VM_PROT_READ;

	/* What may be written or run can be read: not without the right to read. */
	if (!(file->f_mode & FMODE_READ))
		return VM_PROT_NONE;
	if (!(file->f_path.mnt->mnt_flags & MNT_NOEXEC))
		prot |= VM_PROT_EXECUTE;
	if (!shared || (file->f_mode & FMODE_WRITE))
		prot |= VM_PROT_WRITE;
	return prot;
}

bool vnode_pager_cdev(struct file *file, bool shared, vm_prot_t *maxprot, dev_t *dev)
{
	struct inode *inode = file_inode(file);

	if (!S_ISCHR(inode->i_mode) || vnode_pager_is_zero(inode))
		return false;
	*maxprot = vnode_pager_fdprot(file, shared);
	*dev = inode->i_rdev;
	return true;
}

int vnode_pager_maxprot(struct file *file, bool shared, vm_prot_t *maxprot, bool *zero)
{
	struct inode *inode = file_inode(file);

	*zero = vnode_pager_is_zero(inode);
	if (!*zero &&
	    (!S_ISREG(inode->i_mode) || !file->f_op->mmap ||
	     !vnode_pager_readable(file->f_mapping)))
		return -ENODEV;
	*maxprot = vnode_pager_fdprot(file, shared);
	return 0;
}

bool vnode_pager_unlinked(struct file *file)
{
	return !file_inode(file)->i_nlink;
}

bool vnode_pager_denies_write(struct file *file)
{
	struct inode *inode = file_inode(file);

	if (shmem_mapping(file->f_mapping) &&
	    (SHMEM_I(inode)->seals & (F_SEAL_WRITE | F_SEAL_FUTURE_WRITE)))
		return true;
	return IS_IMMUTABLE(inode) || IS_APPEND(inode) || IS_SWAPFILE(inode);
}

static struct file *vnode_pager_open(struct file *file, int flags)
{
	/* As with Linux's own mappings, nobody is notified of what goes through it. */
	return dentry_open(&file->f_path, flags | O_LARGEFILE | __FMODE_NONOTIFY, file->f_cred);
}

/* Open for writing, which the file's seals may forbid and then may no longer. */
static struct file *vnode_pager_open_write(struct file *file)
{
	struct file *wfile = vnode_pager_open(file, O_RDWR);
	int ret;

	if (IS_ERR(wfile))
		return wfile;
	ret = mapping_map_writable(wfile->f_mapping);
	if (ret) {
		fput(wfile);
		return ERR_PTR(ret);
	}
	return wfile;
}

static void vnode_pager_close_write(struct file *wfile)
{
	mapping_unmap_writable(wfile->f_mapping);
	fput(wfile);
}

/* Have vnode_pager_modified() called behind each change of the file. */
static int vnode_pager_watch(struct vnode_pager *vnp)
{
	struct fsnotify_mark *mark = kzalloc(sizeof(*mark), GFP_KERNEL_ACCOUNT);
	int ret;

	if (!mark)
		return -ENOMEM;
	fsnotify_init_mark(mark, vnode_pager_group);
	mark->mask = FS_MODIFY;
	ret = fsnotify_add_inode_mark(mark, vnp->inode, 0);
	if (ret)
		fsnotify_put_mark(mark);
	else
		vnp->mark = mark;
	return ret;
}

static void vnode_pager_unwatch(struct vnode_pager *vnp)
{
	fsnotify_destroy_mark(vnp->mark, vnode_pager_group);
	fsnotify_put_mark(vnp->mark);
}

/* A new object with one reference, not in the table yet. */
static struct vnode_pager *vnode_pager_create(struct file *file)
{
	struct inode *inode = file->f_mapping->host;
	struct vnode_pager *vnp;
	int ret;

	vnp = kzalloc(sizeof(*vnp), GFP_KERNEL_ACCOUNT);
	if (!vnp)
		return ERR_PTR(-ENOMEM);
	vnp->inode = inode;
	vnp->shares = vnode_pager_shareable(inode->i_mapping);
	refcount_set(&vnp->users, 1);
	INIT_WORK(&vnp->sync, vnode_pager_sync_work);
	vnp->rfile = vnode_pager_open(file, O_RDONLY);
	if (IS_ERR(vnp->rfile)) {
		ret = PTR_ERR(vnp->rfile);
		goto free_vnp;
	}
	ret = vnode_pager_watch(vnp);
	if (ret)
		goto put_rfile;
	ret = -ENOMEM;
	vnp->object = vm_object_allocate(OBJT_VNODE, OFF_TO_IDX(round_page(i_size_read(inode))));
	if (!vnp->object)
		goto unwatch;
	vnp->object->vnp = vnp;
	return vnp;

unwatch:
	vnode_pager_unwatch(vnp);
put_rfile:
	fput(vnp->rfile);
free_vnp:
	kfree(vnp);
	return ERR_PTR(ret);
}

/* The file opened for writing, NULL if nobody ever could. */
static struct file *vnode_pager_wfile(struct vnode_pager *vnp)
{
	/* Pairs with vnode_pager_enable_write(). */
	return smp_load_acquire(&vnp->wfile);
}

static int vnode_pager_enable_write(struct vnode_pager *vnp, struct file *file)
{
	struct file *wfile;

	if (vnode_pager_wfile(vnp))
		return 0;
	wfile = vnode_pager_open_write(file);
	if (IS_ERR(wfile))
		return PTR_ERR(wfile);
	mutex_lock(&vnode_pager_lock);
	if (!vnp->wfile) {
		/* Read without the lock once a page is dirty. */
		smp_store_release(&vnp->wfile, wfile);
		wfile = NULL;
	}
	mutex_unlock(&vnode_pager_lock);
	if (wfile)
		vnode_pager_close_write(wfile);
	return 0;
}

/*
 * Reference what the table has of a file, or put @new there, whose reference is the
 * caller's. NULL: it has none, and there is no @new; or, with *dying set, one whose
 * last reference is gone.
 */
static struct vnode_pager *vnode_pager_get(struct inode *inode, struct vnode_pager *new,
					   bool *dying, int *gone)
{
	struct vnode_pager *vnp;

	mutex_lock(&vnode_pager_lock);
	vnp = vnode_pager_lookup(inode);
	*gone = atomic_read(&vnode_pager_gone);
	*dying = vnp && !refcount_inc_not_zero(&vnp->object->ref_count);
	if (*dying) {
		vnp = NULL;
	} else if (!vnp && new) {
		hash_add_rcu(vnode_pager_table, &new->node, (unsigned long)inode);
		vnp = new;
	}
	mutex_unlock(&vnode_pager_lock);
	return vnp;
}

int vnode_pager_alloc(struct file *file, bool write, struct vm_object **objectp)
{
	struct inode *inode = file->f_mapping->host;
	struct vnode_pager *vnp, *new = NULL;
	bool dying;
	int gone, ret = 0;

	while (!(vnp = vnode_pager_get(inode, new, &dying, &gone))) {
		if (dying) {
			ret = wait_var_event_killable(&vnode_pager_gone,
						      atomic_read(&vnode_pager_gone) != gone);
			if (ret)
				break;
			continue;
		}
		new = vnode_pager_create(file);
		if (IS_ERR(new))
			return PTR_ERR(new);
	}
	if (new && new != vnp)
		vm_object_deallocate(new->object);
	if (!vnp)
		return -EINTR;
	/* The mark's function has not found it before it was in the table. */
	if (new == vnp)
		vnode_pager_changed(vnp, false);

	if (write)
		ret = vnode_pager_enable_write(vnp, file);
	if (ret)
		vm_object_deallocate(vnp->object);
	else
		*objectp = vnp->object;
	return ret;
}

void vnode_pager_getattr(struct vm_object *object, struct vnode_attr *attr)
{
	struct inode *inode = object->vnp->inode;

	attr->fileid = inode->i_ino;
	attr->fsid = new_encode_dev(inode->i_sb->s_dev);
	attr->rdev = new_encode_dev(inode->i_rdev);
	attr->size = i_size_read(inode);
	attr->mode = inode->i_mode & 07777;
}

const char *vnode_pager_path(struct vm_object *object, char *buf, size_t len)
{
	char *path = d_path(&object->vnp->rfile->f_path, buf, len);

	return IS_ERR(path) ? NULL : path;
}

/* --- pages */

static vm_pindex_t vnode_pager_end(const struct vnode_pager *vnp)
{
	return OFF_TO_IDX(round_page(i_size_read(vnp->inode)));
}

static bool vnode_pager_haspage(struct vm_object *object, vm_pindex_t pindex, int *before,
				int *after)
{
	vm_pindex_t end = vnode_pager_end(object->vnp);

	if (pindex >= end)
		return false;
	if (before)
		*before = min_t(vm_pindex_t, pindex, INT_MAX);
	if (after)
		*after = min_t(vm_pindex_t, end - pindex - 1, INT_MAX);
	return true;
}

/* Count what went wrong with the file, and say so the first time. */
static void vnode_pager_failed(struct vnode_pager *vnp, unsigned int bit, int err)
{
	bool in = bit == VNODE_LOGGED_IN;

	if (in)
		VM_CNT_INC(v_pagein_errors);
	else
		VM_CNT_INC(v_pageout_errors);
	if (!test_and_set_bit(bit, &vnp->logged))
		pr_warn("inode %lu of %s: a page could not be %s (%d)\n", vnp->inode->i_ino,
			vnp->inode->i_sb->s_id, in ? "read" : "written", err);
}

static vm_paddr_t page_pa(struct page *page)
{
	return ptoa((vm_paddr_t)page_to_pfn(page));
}

/* vm_page_foreign_release() */
static void vnode_pager_put_frame(vm_paddr_t pa)
{
	put_page(pfn_to_page(atop(pa)));
}

/*
 * Bytes behind the end of the file are zero, whatever somebody else's mapping has put
 * there. The page's lock keeps a write(2) from moving the end behind what it has copied.
 */
static void vnode_pager_zero_tail(struct vnode_pager *vnp, struct page *page, loff_t pos)
{
	loff_t size;

	if (pos + VM_PAGE_SIZE <= i_size_read(vnp->inode))
		return;
	lock_page(page);
	size = i_size_read(vnp->inode);
	if (pos < size && size - pos < VM_PAGE_SIZE)
		zero_user_segment(page, size - pos, VM_PAGE_SIZE);
	unlock_page(page);
}

static void vnode_pager_copy(struct vnode_pager *vnp, struct vm_page *m, struct page *page)
{
	loff_t left = i_size_read(vnp->inode) - IDX_TO_OFF(m->pindex);
	void *dst = pmap_quick_enter_page(m), *src = kmap_local_page(page);

	memcpy(dst, src, VM_PAGE_SIZE);
	kunmap_local(src);
	if (left > 0 && left < VM_PAGE_SIZE)
		memset(dst + left, 0, VM_PAGE_SIZE - left);
}

/* Give a page, which is busied, the content that the file has there now. */
static int vnode_pager_getpage(struct vm_object *object, struct vm_page *m, bool wanted)
{
	struct vnode_pager *vnp = object->vnp;
	struct page *page;

	if (!vnode_pager_haspage(object, m->pindex, NULL, NULL))
		return VM_PAGER_BAD;
	page = vnode_pager_read(vnp, m->pindex, wanted);
	if (!IS_ERR(page) && vnp->shares) {
		vnode_pager_zero_tail(vnp, page, IDX_TO_OFF(m->pindex));
		vm_page_set_foreign(m, page_pa(page));
	} else if (!IS_ERR(page)) {
		vnode_pager_copy(vnp, m, page);
		put_page(page);
	}
	/* The end of the file may have come nearer meanwhile. */
	if (!vnode_pager_haspage(object, m->pindex, NULL, NULL))
		return VM_PAGER_BAD;
	if (IS_ERR(page)) {
		if (wanted)
			vnode_pager_failed(vnp, VNODE_LOGGED_IN, PTR_ERR(page));
		return VM_PAGER_ERROR;
	}
	m->valid = 1;
	if (!vnp->shares || shmem_mapping(vnp->inode->i_mapping))
		set_bit(PGA_PREPARED, &m->aflags);
	return VM_PAGER_OK;
}

static int vnode_pager_getpages(struct vm_object *object, struct vm_page **ma, unsigned int count,
				unsigned int req)
{
	struct vnode_pager *vnp = object->vnp;
	struct address_space *mapping = vnp->inode->i_mapping;
	unsigned int i, n = 0;
	int rv = VM_PAGER_OK;

	if (count > 1 && !shmem_mapping(mapping)) {
		DEFINE_READAHEAD(ractl, vnp->rfile, &vnp->rfile->f_ra, mapping, ma[0]->pindex);

		/* So that the disk sees one request. */
		page_cache_ra_unbounded(&ractl, count, 0);
	}
	for (i = 0; i < count; i++) {
		int ret = vnode_pager_getpage(object, ma[i], i == req);

		n += ret == VM_PAGER_OK;
		if (i == req)
			rv = ret;
	}
	VM_CNT_INC(v_vnodein);
	VM_CNT_ADD(v_vnodepgsin, n);
	return rv;
}

/* The page cache's page that a page shows, referenced; NULL when it has been cut out. */
static struct page *vnode_pager_attached(struct vnode_pager *vnp, const struct vm_page *m)
{
	struct page *page = find_get_page(vnp->inode->i_mapping, m->pindex);

	if (page && page_pa(page) != READ_ONCE(m->phys_addr)) {
		put_page(page);
		page = NULL;
	}
	return page;
}

/* Have tmpfs keep what was stored to a page: there is room for what is there. */
static void vnode_pager_touch_shmem(struct page *page, struct vnode_pager *vnp, loff_t pos)
{
	vnode_pager_zero_tail(vnp, page, pos);
	lock_page(page);
	if (page->mapping == vnp->inode->i_mapping)
		set_page_dirty(page);
	unlock_page(page);
}

/*
 * Where a file system has room for a page already, as it has since prepare_write(), it
 * only needs to hear that the page is dirty, as it hears of Linux's own mappings.
 */
static bool vnode_pager_touch_mapped(struct vm_page *m, struct page *page,
				     struct vnode_pager *vnp)
{
	struct buffer_head *head, *bh;
	bool mapped;

	if (vnp->inode->i_sb->s_magic != EXT4_SUPER_MAGIC || vnode_bio_journalled(vnp->inode))
		return false;
	lock_page(page);
	mapped = page->mapping == vnp->inode->i_mapping && page_has_buffers(page);
	if (mapped) {
		head = page_buffers(page);
		bh = head;
		do {
			mapped = mapped && buffer_mapped(bh) && !buffer_unwritten(bh);
			bh = bh->b_this_page;
		} while (bh != head);
	}
	if (mapped)
		set_page_dirty(page);
	unlock_page(page);
	return mapped;
}

/* Have a file system find room for a page, and note that @len bytes have changed. */
static int vnode_pager_touch_disk(struct vm_page *m, struct file *file, loff_t pos,
				  unsigned int len)
{
	struct page *page;
	void *fsdata;
	bool ours;
	int ret;

	ret = compat_write_begin(file, pos, len, &page, &fsdata);
	if (ret)
		return ret;
	ours = page_pa(page) == READ_ONCE(m->phys_addr);
	if (ours && len < VM_PAGE_SIZE)
		zero_user_segment(page, len, VM_PAGE_SIZE);
	ret = compat_write_end(file, pos, len, ours ? len : 0, page, fsdata);
	if (ret < 0)
		return ret;
	return !ours || ret == len ? 0 : -EIO;
}

/*
 * A store that has been cut out of the file is done with, as is one behind its end. What
 * goes into @vb, unless NULL, is still to be written.
 */
static int vnode_pager_touch(struct vnode_pager *vnp, struct vm_page *m, struct file *file,
			     struct vnode_bio *vb)
{
	loff_t pos = IDX_TO_OFF(m->pindex), size = i_size_read(vnp->inode);
	struct page *page;
	int ret = 0;

	if (pos >= size)
		return 0;
	/* Its blocks are memory of Linux's. */
	if (IS_SWAPFILE(vnp->inode))
		return -ETXTBSY;
	page = vnode_pager_attached(vnp, m);
	if (!page)
		return 0;
	if (vb && size - pos >= VM_PAGE_SIZE && vnode_bio_add(vb, page))
		return 0;
	/* Pages are locked in order, and none while the file system finds room for another. */
	if (vb)
		ret = vnode_bio_write(vb);
	if (ret)
		goto put;
	if (shmem_mapping(file->f_mapping))
		vnode_pager_touch_shmem(page, vnp, pos);
	else if (size - pos < VM_PAGE_SIZE || !vnode_pager_touch_mapped(m, page, vnp))
		ret = vnode_pager_touch_disk(m, file, pos, min_t(loff_t, VM_PAGE_SIZE, size - pos));
put:
	put_page(page);
	return ret;
}

/*
 * Keep the end of the file from coming nearer while pages are written. Who holds the inode's
 * lock may be waiting for the memory that this is to free, if it is a write(2) from a
 * window. What Linux's own write faults do of ext4 needs less: its pages are
 * cut off under the lock taken here. tmpfs needs nothing.
 */
static void vnode_pager_lock_file(struct vnode_pager *vnp, struct file *file)
{
	file_start_write(file);
	if (vnp->inode->i_sb->s_magic == EXT4_SUPER_MAGIC)
		filemap_invalidate_lock_shared(file->f_mapping);
	else if (!shmem_mapping(file->f_mapping))
		inode_lock(vnp->inode);
}

static void vnode_pager_unlock_file(struct vnode_pager *vnp, struct file *file)
{
	if (vnp->inode->i_sb->s_magic == EXT4_SUPER_MAGIC)
		filemap_invalidate_unlock_shared(file->f_mapping);
	else if (!shmem_mapping(file->f_mapping))
		inode_unlock(vnp->inode);
	file_end_write(file);
}

/* Tell the file system of stores to pages that are its own. */
static int vnode_pager_put_shared(struct vnode_pager *vnp, struct file *file, struct vm_page **ma,
				  unsigned int count, unsigned int *done)
{
	struct vnode_bio vb;
	unsigned int i;
	int ret = 0, err;

	vb.inode = vnp->inode;
	vb.count = 0;
	vb.error = 0;
	vnode_pager_lock_file(vnp, file);
	for (i = 0; i < count; i++) {
		ret = vnode_pager_touch(vnp, ma[i], file, &vb);
		if (ret)
			break;
	}
	/* Which page failed is not known, nor whether it came with the last ones. */
	err = vnode_bio_write(&vb);
	if (err) {
		ret = err;
		i = 0;
	}
	if (i)
		file_update_time(file);
	vnode_pager_unlock_file(vnp, file);
	balance_dirty_pages_ratelimited(file->f_mapping);
	*done = i;
	return ret;
}

/*
 * A store is coming to a page, perhaps to one for which the file has no block yet. A file
 * system takes such a page for a hole and does not zero what is cut out of it, so it
 * is told now, as of a write fault of Linux's. If it has no room, msync(2)
 * will say so: the store is kept in memory.
 */
static void vnode_pager_prepare_write(struct vm_object *object, struct vm_page *m)
{
	struct vnode_pager *vnp = object->vnp;
	struct file *file = vnode_pager_wfile(vnp);
	struct address_space *mapping = vnp->inode->i_mapping;

	set_bit(PGA_PREPARED, &m->aflags);
	if (!file || !vnp->shares || shmem_mapping(mapping))
		return;
	sb_start_pagefault(vnp->inode->i_sb);
	if (vnp->inode->i_sb->s_magic == EXT4_SUPER_MAGIC) {
		filemap_invalidate_lock_shared(mapping);
		vnode_pager_touch(vnp, m, file, NULL);
		filemap_invalidate_unlock_shared(mapping);
	} else if (inode_trylock(vnp->inode)) {
		/* Who has the lock may be waiting for this store. */
		vnode_pager_touch(vnp, m, file, NULL);
		inode_unlock(vnp->inode);
	}
	sb_end_pagefault(vnp->inode->i_sb);
}

/* Write copies of pages into the file. */
static int vnode_pager_put_copied(struct vnode_pager *vnp, struct file *file, struct vm_page **ma,
				  unsigned int count, unsigned int *done)
{
	unsigned int i;
	loff_t pos, size;
	ssize_t written;
	size_t len;

	for (i = 0; i < count; i++) {
		pos = IDX_TO_OFF(ma[i]->pindex);
		size = i_size_read(vnp->inode);
		*done = i;
		if (pos >= size)
			continue;
		len = min_t(loff_t, VM_PAGE_SIZE, size - pos);
		written = kernel_write(file, pmap_quick_enter_page(ma[i]), len, &pos);
		if (written < 0)
			return written;
		if (written != len)
			return -EIO;
	}
	*done = count;
	return 0;
}

static int vnode_pager_putpages(struct vm_object *object, struct vm_page **ma, unsigned int count,
				unsigned int *done)
{
	struct vnode_pager *vnp = object->vnp;
	struct file *file = vnode_pager_wfile(vnp);
	int ret;

	if (vnp->shares)
		ret = vnode_pager_put_shared(vnp, file, ma, count, done);
	else
		ret = vnode_pager_put_copied(vnp, file, ma, count, done);
	if (ret)
		vnode_pager_failed(vnp, VNODE_LOGGED_OUT, ret);
	/* Before the pages may be forgotten. */
	atomic_long_inc(&vnp->written);
	VM_CNT_INC(v_vnodeout);
	VM_CNT_ADD(v_vnodepgsout, *done);
	return ret;
}

/* Is there nothing that is not on the disk, of our pages or of the page cache? */
static bool vnode_pager_settled(const struct vm_object *object)
{
	const struct vnode_pager *vnp = object->vnp;
	struct address_space *mapping = vnp->inode->i_mapping;

	return atomic_long_read(&vnp->written) == READ_ONCE(vnp->stable) &&
	       !mapping_tagged(mapping, PAGECACHE_TAG_DIRTY) &&
	       !mapping_tagged(mapping, PAGECACHE_TAG_WRITEBACK);
}

/*
 * The data, and what it takes to read it again; times of the file follow when they do, as
 * with msync(2) of Linux's own mappings.
 */
static int vnode_pager_sync(struct vm_object *object, vm_ooffset_t start, vm_ooffset_t end)
{
	struct vnode_pager *vnp = object->vnp;
	struct file *file = vnode_pager_wfile(vnp);
	bool whole = !start && end >= i_size_read(vnp->inode);
	long written;
	int ret;

	if (!file || vnode_pager_settled(object))
		return 0;
	/* What is written from now on is not part of this; nor is it settled until it is done. */
	written = atomic_long_read(&vnp->written);
	ret = vfs_fsync_range(file, start, end - 1, 1);
	if (ret) {
		atomic_long_inc(&vnp->written);
		vnode_pager_failed(vnp, VNODE_LOGGED_OUT, ret);
	} else if (whole) {
		WRITE_ONCE(vnp->stable, written);
	}
	return ret;
}

/* --- changes of the file by others */

/* Is the page not, or perhaps not, what the file has there? */
static bool vnode_pager_stale(const struct vnode_pager *vnp, struct vm_page *m)
{
	/* It may have been read before the change. */
	if (vm_page_busied(m) || m->pindex >= vnp->object->size)
		return true;
	if (!vnp->shares)
		return !vm_page_is_dirty(m) && !vm_page_wired(m);
	return READ_ONCE(page_folio(pfn_to_page(atop(m->phys_addr)))->mapping) !=
	       vnp->inode->i_mapping;
}

/* The first stale page from *@index on. */
static struct vm_page *vnode_pager_next_stale(const struct vnode_pager *vnp, unsigned long *index)
{
	struct vm_page *m;

	VM_OBJECT_ASSERT_LOCKED(vnp->object);
	xa_for_each_start(&vnp->object->pages, *index, m, *index)
		if (vnode_pager_stale(vnp, m))
			return m;
	return NULL;
}

/*
 * A wired page must stay: it gets what the file has now. Unlocks the object meanwhile. What
 * cannot be read stays as it was cut out.
 */
static void vnode_pager_refresh(struct vnode_pager *vnp, struct vm_page *m)
{
	struct vm_object *object = vnp->object;

	if (!vnp->shares) {
		/* Behind the end. */
		pmap_zero_page(m);
		return;
	}
	if (m->pindex >= object->size || !vm_page_tryxbusy(m))
		return;
	do {
		clear_bit(PGA_GONE, &m->aflags);
		VM_OBJECT_WUNLOCK(object);
		vnode_pager_getpage(object, m, true);
		VM_OBJECT_WLOCK(object);
	} while (test_bit(PGA_GONE, &m->aflags) && m->pindex < object->size);
	clear_bit(PGA_GONE, &m->aflags);
	vm_page_xunbusy(m);
}

/* Drop stale pages, from @start on. */
static void vnode_pager_revise(struct vnode_pager *vnp, vm_pindex_t start)
{
	struct vm_object *object = vnp->object;
	unsigned long index = start;
	struct vm_page *m;

	/* Most changes leave all pages as they are. */
	VM_OBJECT_RLOCK(object);
	m = vnode_pager_next_stale(vnp, &index);
	VM_OBJECT_RUNLOCK(object);
	if (!m)
		return;
	VM_OBJECT_WLOCK(object);
	for (; (m = vnode_pager_next_stale(vnp, &index)); index++) {
		if (vm_page_busied(m)) {
			set_bit(PGA_GONE, &m->aflags);
			continue;
		}
		pmap_remove_all(m);
		vm_page_undirty(m);
		if (vm_page_wired(m))
			vnode_pager_refresh(vnp, m);
		else
			vm_page_destroy(m);
	}
	VM_OBJECT_WUNLOCK(object);
}

/* Behind the end of the file, a copy of its last page is zero, too. */
static void vnode_pager_zero_copy(struct vnode_pager *vnp, loff_t size)
{
	struct vm_page *m = vm_page_lookup(vnp->object, OFF_TO_IDX(size));
	size_t tail = size & VM_PAGE_MASK;

	if (!vnp->shares && tail && m && !vm_page_busied(m))
		memset(pmap_quick_enter_page(m) + tail, 0, VM_PAGE_SIZE - tail);
}

/* Have the object follow the end of the file. Returns from where on pages may be stale. */
static vm_pindex_t vnode_pager_setsize(struct vnode_pager *vnp)
{
	struct vm_object *object = vnp->object;
	vm_pindex_t old, end;

	VM_OBJECT_WLOCK(object);
	old = object->size;
	end = vnode_pager_end(vnp);
	object->size = end;
	vnode_pager_zero_copy(vnp, i_size_read(vnp->inode));
	VM_OBJECT_WUNLOCK(object);
	return min(old, end);
}

/*
 * The file has changed: its end, its pages, or, by a @plain write(2), only what is in
 * them, which is seen through shared pages anyway.
 */
static void vnode_pager_changed(struct vnode_pager *vnp, bool plain)
{
	vm_pindex_t start = READ_ONCE(vnp->object->size);

	if (start != vnode_pager_end(vnp) || !vnp->shares)
		start = vnode_pager_setsize(vnp);
	vnode_pager_revise(vnp, plain && vnp->shares ? start : 0);
}

/*
 * Is the calling process in a write(2) or one of its kin, to the page cache? All that
 * cannot be told for sure is none: it only takes longer.
 */
static bool vnode_pager_plain_write(struct inode *inode)
{
	unsigned long args[6];
	struct file *file;
	bool plain;

	if ((current->flags & (PF_KTHREAD | PF_IO_WORKER)) || in_compat_syscall())
		return false;
	switch (syscall_get_nr(current, task_pt_regs(current))) {
	case __NR_write:
	case __NR_pwrite64:
	case __NR_writev:
	case __NR_pwritev:
	case __NR_pwritev2:
		break;
	default:
		return false;
	}
	syscall_get_arguments(current, task_pt_regs(current), args);
	file = fget(args[0]);
	plain = file && file_inode(file) == inode && !(READ_ONCE(file->f_flags) & O_DIRECT);
	if (file)
		fput(file);
	return plain;
}

/* What is known of a file, if it is mapped; its object may be on its way out. */
static struct vnode_pager *vnode_pager_enter(struct inode *inode)
{
	struct vnode_pager *vnp, *found = NULL;

	rcu_read_lock();
	hash_for_each_possible_rcu(vnode_pager_table, vnp, node, (unsigned long)inode) {
		if (vnp->inode == inode && refcount_inc_not_zero(&vnp->users)) {
			found = vnp;
			break;
		}
	}
	rcu_read_unlock();
	return found;
}

static void vnode_pager_leave(struct vnode_pager *vnp)
{
	/* The object's dealloc may free it as soon as the count is zero. */
	rcu_read_lock();
	if (refcount_dec_and_test(&vnp->users))
		wake_up_var(&vnp->users);
	rcu_read_unlock();
}

static int vnode_pager_modified(struct fsnotify_mark *mark, u32 mask, struct inode *inode,
				struct inode *dir, const struct qstr *name, u32 cookie)
{
	struct vnode_pager *vnp = inode ? vnode_pager_enter(inode) : NULL;

	if (vnp) {
		vnode_pager_changed(vnp, vnode_pager_plain_write(inode));
		vnode_pager_leave(vnp);
	}
	return 0;
}

static void vnode_pager_free_mark(struct fsnotify_mark *mark)
{
	kfree(mark);
}

static const struct fsnotify_ops vnode_pager_fsnotify = {
	.handle_inode_event = vnode_pager_modified,
	.free_mark = vnode_pager_free_mark,
};

/* --- the syncer */

/* Write dirty pages with the credentials of who mapped the file to write. */
static int vnode_pager_clean(struct vnode_pager *vnp, unsigned int flags)
{
	const struct cred *old = override_creds(vnode_pager_wfile(vnp)->f_cred);
	int ret = vm_object_page_clean(vnp->object, 0, 0, flags);

	revert_creds(old);
	return ret;
}

static void vnode_pager_sync_work(struct work_struct *work)
{
	struct vnode_pager *vnp = container_of(work, struct vnode_pager, sync);
	struct vm_object *object = vnp->object;

	/* Its last write-back may have begun. */
	if (!refcount_inc_not_zero(&object->ref_count))
		return;
	vnode_pager_clean(vnp, OBJPC_NOSYNC);
	vm_object_deallocate_later(object);
}

/* Once a second, so that a change of vm_filedelay is seen. */
static void vnode_pager_syncer(struct work_struct *work)
{
	static unsigned int seconds;
	unsigned int delay = READ_ONCE(vm_filedelay), bucket;
	struct vnode_pager *vnp;

	if (delay && ++seconds >= delay) {
		seconds = 0;
		mutex_lock(&vnode_pager_lock);
		hash_for_each(vnode_pager_table, bucket, vnp, node)
			if (vnode_pager_wfile(vnp))
				queue_work(vnode_pager_wq, &vnp->sync);
		mutex_unlock(&vnode_pager_lock);
	}
	queue_delayed_work(vnode_pager_wq, &vnode_pager_syncer_work, HZ);
}

/* --- the end of an object */

/**
 * struct vnode_writeback - the last write-back of an object
 * @work: what the worker is given
 * @vnp: the file
 */
struct vnode_writeback {
	struct work_struct work;
	struct vnode_pager *vnp;
};

static void vnode_pager_writeback(struct work_struct *work)
{
	struct vnode_pager *vnp = container_of(work, struct vnode_writeback, work)->vnp;
	int err = vnode_pager_clean(vnp, 0);

	if (err)
		pr_warn_ratelimited("pages of inode %lu could not be written back (%d) and are lost\n",
				    vnp->inode->i_ino, err);
}

static void vnode_pager_dealloc(struct vm_object *object)
{
	struct vnode_pager *vnp = object->vnp;
	struct vnode_writeback wb = { .vnp = vnp };

	if (vnp->wfile) {
		INIT_WORK_ONSTACK(&wb.work, vnode_pager_writeback);
		queue_work(vnode_pager_wq, &wb.work);
		flush_work(&wb.work);
		destroy_work_on_stack(&wb.work);
	}
	vnode_pager_unwatch(vnp);
	mutex_lock(&vnode_pager_lock);
	hash_del_rcu(&vnp->node);
	mutex_unlock(&vnode_pager_lock);
	/* From here on nobody finds it; who has found it must get out. */
	vnode_pager_leave(vnp);
	wait_var_event(&vnp->users, !refcount_read(&vnp->users));
	cancel_work_sync(&vnp->sync);

	atomic_inc(&vnode_pager_gone);
	smp_mb__after_atomic(); /* as wake_up_var() wants it */
	wake_up_var(&vnode_pager_gone);
	if (vnp->wfile)
		vnode_pager_close_write(vnp->wfile);
	fput(vnp->rfile);
	kfree_rcu(vnp, rcu);
}

static const struct pagerops vnodepagerops = {
	.getpages = vnode_pager_getpages,
	.putpages = vnode_pager_putpages,
	.sync = vnode_pager_sync,
	.settled = vnode_pager_settled,
	.prepare_write = vnode_pager_prepare_write,
	.haspage = vnode_pager_haspage,
	.dealloc = vnode_pager_dealloc,
};

int vnode_pager_init(void)
{
	vnode_pager_wq = alloc_workqueue("bsdvm_vnode", WQ_UNBOUND, 0);
	if (!vnode_pager_wq)
		return -ENOMEM;
	/* An object's mark may come before that of the last one has gone. */
	vnode_pager_group = fsnotify_alloc_group(&vnode_pager_fsnotify, FSNOTIFY_GROUP_DUPS);
	if (IS_ERR(vnode_pager_group)) {
		destroy_workqueue(vnode_pager_wq);
		return PTR_ERR(vnode_pager_group);
	}
	vm_page_foreign_release = vnode_pager_put_frame;
	vm_pager_register(OBJT_VNODE, &vnodepagerops);
	queue_delayed_work(vnode_pager_wq, &vnode_pager_syncer_work, HZ);
	return 0;
}

void vnode_pager_stop(void)
{
	cancel_delayed_work_sync(&vnode_pager_syncer_work);
	flush_workqueue(vnode_pager_wq);
}

void vnode_pager_fini(void)
{
	vnode_pager_stop();
	vm_pager_register(OBJT_VNODE, NULL);
	fsnotify_put_group(vnode_pager_group);
	fsnotify_wait_marks_destroyed();
	destroy_workqueue(vnode_pager_wq);
	rcu_barrier();
}
