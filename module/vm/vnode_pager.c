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
 * Page-in copies from Linux's page cache by read_mapping_page(), which takes no
 * inode lock. Page-out is kernel_write(), called with no lock of ours held.
 *
 * The last write-back of a file's object may be done by whoever happens to unmap
 * it last, perhaps while being killed, or with a limit on file sizes: a worker does
 * it, whom neither stops, with the credentials of who mapped the file to write.
 *
 * Lock: vnode_pager_lock guards the table; a leaf. No file is opened under it: a
 * file system that does not answer may not stop the others.
 */
#include "vnode_pager.h"

#include <linux/cred.h>
#include <linux/dcache.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/major.h>
#include <linux/mount.h>
#include <linux/pagemap.h>
#include <linux/shmem_fs.h>

#include "pmap.h"
#include "vm_page.h"
#include "vm_pager.h"
#include "vmmeter.h"

/* Minor of /dev/zero, a number every Linux shares. */
#define DEVZERO_MINOR	5

/* Pages that a page-in may bring at once, aligned in the file. */
#define VNODE_PAGER_CLUSTER	16

/**
 * struct vnode_pager - what an object knows of its file
 * @node: (T) place in the table
 * @inode: (C) the file, held by @rfile
 * @rfile: (C) the object's own open file
 * @wfile: (T, then C) the file opened for writing, once somebody needed that
 * @object: (C) the object
 *
 * Locks: (C) constant, (T) vnode_pager_lock.
 */
struct vnode_pager {
	struct hlist_node node;
	struct inode *inode;
	struct file *rfile;
	struct file *wfile;
	struct vm_object *object;
};

static DEFINE_HASHTABLE(vnode_pager_table, 10);
static DEFINE_MUTEX(vnode_pager_lock);
/* Counts files that left the table; who waits for one waits for this to move. */
static atomic_t vnode_pager_gone;
static struct workqueue_struct *vnode_pager_wq;

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

/* The page-cache page at @pindex, read in and referenced. */
static struct page *vnode_pager_read(struct vnode_pager *vnp, vm_pindex_t pindex)
{
	struct address_space *mapping = vnp->inode->i_mapping;

	return shmem_mapping(mapping) ? shmem_read_mapping_page(mapping, pindex) :
					read_mapping_page(mapping, pindex, vnp->rfile);
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
	return IS_IMMUTABLE(inode) || IS_APPEND(inode);
}

static struct file *vnode_pager_open(struct file *file, int flags)
{
	return dentry_open(&file->f_path, flags | O_LARGEFILE, file->f_cred);
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

/* A new object with one reference, not in the table yet. */
static struct vnode_pager *vnode_pager_create(struct file *file)
{
	struct inode *inode = file->f_mapping->host;
	struct vnode_pager *vnp;
	int ret = -ENOMEM;

	vnp = kzalloc(sizeof(*vnp), GFP_KERNEL_ACCOUNT);
	if (!vnp)
		return ERR_PTR(-ENOMEM);
	vnp->inode = inode;
	vnp->rfile = vnode_pager_open(file, O_RDONLY);
	if (IS_ERR(vnp->rfile)) {
		ret = PTR_ERR(vnp->rfile);
		goto free_vnp;
	}
	vnp->object = vm_object_allocate(OBJT_VNODE, OFF_TO_IDX(round_page(i_size_read(inode))));
	if (!vnp->object)
		goto put_rfile;
	vnp->object->vnp = vnp;
	return vnp;

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
		hash_add(vnode_pager_table, &new->node, (unsigned long)inode);
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

static bool vnode_pager_haspage(struct vm_object *object, vm_pindex_t pindex, int *before,
				int *after)
{
	vm_pindex_t end = OFF_TO_IDX(round_page(i_size_read(object->vnp->inode)));
	vm_pindex_t first = round_down(pindex, VNODE_PAGER_CLUSTER);

	if (pindex >= end)
		return false;
	if (before)
		*before = pindex - first;
	if (after)
		*after = min_t(vm_pindex_t, end, first + VNODE_PAGER_CLUSTER) - pindex - 1;
	return true;
}

/* Fill one page from the page cache. */
static int vnode_pager_getpage(struct vm_object *object, struct vm_page *m)
{
	struct vnode_pager *vnp = object->vnp;
	loff_t pos = IDX_TO_OFF(m->pindex), size;
	void *dst = pmap_quick_enter_page(m);
	struct page *page;
	void *src;

	if (!vnode_pager_haspage(object, m->pindex, NULL, NULL))
		return VM_PAGER_BAD;
	page = vnode_pager_read(vnp, m->pindex);
	if (IS_ERR(page))
		return VM_PAGER_ERROR;
	src = kmap_local_page(page);
	memcpy(dst, src, VM_PAGE_SIZE);
	kunmap_local(src);
	put_page(page);

	/* The end of the file may have come nearer meanwhile. */
	size = i_size_read(vnp->inode);
	if (pos >= size)
		return VM_PAGER_BAD;
	if (size - pos < VM_PAGE_SIZE)
		memset(dst + (size - pos), 0, VM_PAGE_SIZE - (size - pos));
	m->valid = 1;
	return VM_PAGER_OK;
}

static int vnode_pager_getpages(struct vm_object *object, struct vm_page **ma, unsigned int count,
				unsigned int req)
{
	unsigned int i, n = 0;
	int rv;

	for (i = 0; i < count; i++)
		n += vnode_pager_getpage(object, ma[i]) == VM_PAGER_OK;
	rv = ma[req]->valid ? VM_PAGER_OK : VM_PAGER_ERROR;
	VM_CNT_INC(v_vnodein);
	VM_CNT_ADD(v_vnodepgsin, n);
	return rv;
}

static int vnode_pager_putpages(struct vm_object *object, struct vm_page **ma, unsigned int count,
				unsigned int *done_pages)
{
	struct vnode_pager *vnp = object->vnp;
	struct file *file = vnode_pager_wfile(vnp);
	unsigned int i;
	loff_t pos, size;
	ssize_t done;
	size_t len;

	for (i = 0; i < count; i++) {
		pos = IDX_TO_OFF(ma[i]->pindex);
		size = i_size_read(vnp->inode);
		*done_pages = i;
		if (pos >= size)
			continue;
		len = min_t(loff_t, VM_PAGE_SIZE, size - pos);
		done = kernel_write(file, pmap_quick_enter_page(ma[i]), len, &pos);
		if (done < 0)
			return done;
		if (done != len)
			return -EIO;
	}
	*done_pages = count;
	VM_CNT_INC(v_vnodeout);
	VM_CNT_ADD(v_vnodepgsout, count);
	return 0;
}

static int vnode_pager_sync(struct vm_object *object, vm_ooffset_t start, vm_ooffset_t end)
{
	struct file *file = vnode_pager_wfile(object->vnp);

	return file ? vfs_fsync_range(file, start, end - 1, 0) : 0;
}

/**
 * struct vnode_writeback - the last write-back of an object
 * @work: what the worker is given
 * @object: the object
 */
struct vnode_writeback {
	struct work_struct work;
	struct vm_object *object;
};

static void vnode_pager_writeback(struct work_struct *work)
{
	struct vm_object *object = container_of(work, struct vnode_writeback, work)->object;
	const struct cred *old = override_creds(object->vnp->wfile->f_cred);
	int err;

	err = vm_object_page_clean(object, 0, 0, false);
	revert_creds(old);
	if (err)
		pr_warn_ratelimited("pages of inode %lu could not be written back (%d) and are lost\n",
				    object->vnp->inode->i_ino, err);
}

static void vnode_pager_dealloc(struct vm_object *object)
{
	struct vnode_pager *vnp = object->vnp;
	struct vnode_writeback wb = { .object = object };

	if (vnp->wfile) {
		INIT_WORK_ONSTACK(&wb.work, vnode_pager_writeback);
		queue_work(vnode_pager_wq, &wb.work);
		flush_work(&wb.work);
		destroy_work_on_stack(&wb.work);
	}
	mutex_lock(&vnode_pager_lock);
	hash_del(&vnp->node);
	mutex_unlock(&vnode_pager_lock);
	atomic_inc(&vnode_pager_gone);
	smp_mb__after_atomic(); /* as wake_up_var() wants it */
	wake_up_var(&vnode_pager_gone);
	if (vnp->wfile)
		vnode_pager_close_write(vnp->wfile);
	fput(vnp->rfile);
	kfree(vnp);
}

static const struct pagerops vnodepagerops = {
	.getpages = vnode_pager_getpages,
	.putpages = vnode_pager_putpages,
	.sync = vnode_pager_sync,
	.haspage = vnode_pager_haspage,
	.dealloc = vnode_pager_dealloc,
};

int vnode_pager_init(void)
{
	vnode_pager_wq = alloc_workqueue("bsdvm_vnode", WQ_UNBOUND, 0);
	if (!vnode_pager_wq)
		return -ENOMEM;
	vm_pager_register(OBJT_VNODE, &vnodepagerops);
	return 0;
}

void vnode_pager_fini(void)
{
	vm_pager_register(OBJT_VNODE, NULL);
	destroy_workqueue(vnode_pager_wq);
}
