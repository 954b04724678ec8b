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
 * Lock: vnode_pager_lock guards the table and the opening of a file for writing;
 * a leaf among VM locks, but file-system locks come below it.
 */
#include "vnode_pager.h"

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

/**
 * struct vnode_pager - what an object knows of its file
 * @node: (T) place in the table
 * @inode: (C) the file, held by @rfile
 * @rfile: (C) the object's own open file
 * @wfile: (T, then C) the same opened for writing, once somebody needed that
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

int vnode_pager_maxprot(struct file *file, bool shared, vm_prot_t *maxprot, bool *zero)
{
	struct inode *inode = file_inode(file);

	*zero = false;
	if (S_ISCHR(inode->i_mode) && inode->i_rdev == MKDEV(MEM_MAJOR, DEVZERO_MINOR))
		*zero = true;
	else if (!S_ISREG(inode->i_mode) || !file->f_op->mmap ||
		 !vnode_pager_readable(file->f_mapping))
		return -ENODEV;

	*maxprot = 0;
	if (!(file->f_path.mnt->mnt_flags & MNT_NOEXEC))
		*maxprot |= VM_PROT_EXECUTE;
	if (file->f_mode & FMODE_READ)
		*maxprot |= VM_PROT_READ;
	if (!shared || (file->f_mode & FMODE_WRITE))
		*maxprot |= VM_PROT_WRITE;
	return 0;
}

bool vnode_pager_denies_write(struct file *file)
{
	struct inode *inode = file_inode(file);

	return IS_IMMUTABLE(inode) || IS_APPEND(inode);
}

static struct file *vnode_pager_open(struct file *file, int flags)
{
	return dentry_open(&file->f_path, flags | O_LARGEFILE, file->f_cred);
}

/* A new object for a file that has none. */
static int vnode_pager_create(struct file *file, bool write, struct vm_object **objectp)
{
	struct inode *inode = file->f_mapping->host;
	struct vnode_pager *vnp;
	int ret = -ENOMEM;

	lockdep_assert_held(&vnode_pager_lock);
	vnp = kzalloc(sizeof(*vnp), GFP_KERNEL_ACCOUNT);
	if (!vnp)
		return -ENOMEM;
	vnp->inode = inode;
	vnp->rfile = vnode_pager_open(file, write ? O_RDWR : O_RDONLY);
	if (IS_ERR(vnp->rfile)) {
		ret = PTR_ERR(vnp->rfile);
		goto free_vnp;
	}
	if (write)
		vnp->wfile = get_file(vnp->rfile);
	vnp->object = vm_object_allocate(OBJT_VNODE, OFF_TO_IDX(round_page(i_size_read(inode))));
	if (!vnp->object)
		goto put_files;
	vnp->object->vnp = vnp;
	hash_add(vnode_pager_table, &vnp->node, (unsigned long)inode);
	*objectp = vnp->object;
	return 0;

put_files:
	if (vnp->wfile)
		fput(vnp->wfile);
	fput(vnp->rfile);
free_vnp:
	kfree(vnp);
	return ret;
}

static bool vnode_pager_dying(struct inode *inode)
{
	struct vnode_pager *vnp;
	bool ret;

	mutex_lock(&vnode_pager_lock);
	vnp = vnode_pager_lookup(inode);
	ret = vnp && !refcount_read(&vnp->object->ref_count);
	mutex_unlock(&vnode_pager_lock);
	return ret;
}

int vnode_pager_alloc(struct file *file, bool write, struct vm_object **objectp)
{
	struct inode *inode = file->f_mapping->host;
	struct vm_object *object;
	struct vnode_pager *vnp;
	struct file *wfile;
	int ret;

	for (;;) {
		mutex_lock(&vnode_pager_lock);
		vnp = vnode_pager_lookup(inode);
		if (!vnp || refcount_inc_not_zero(&vnp->object->ref_count))
			break;
		mutex_unlock(&vnode_pager_lock);
		ret = wait_var_event_killable(inode, !vnode_pager_dying(inode));
		if (ret)
			return -EINTR;
	}
	if (!vnp) {
		ret = vnode_pager_create(file, write, objectp);
		mutex_unlock(&vnode_pager_lock);
		return ret;
	}

	object = vnp->object;
	ret = 0;
	if (write && !vnp->wfile) {
		wfile = vnode_pager_open(file, O_RDWR);
		if (IS_ERR(wfile))
			ret = PTR_ERR(wfile);
		else
			/* Read without the lock once a page is dirty. */
			smp_store_release(&vnp->wfile, wfile);
	}
	mutex_unlock(&vnode_pager_lock);
	if (ret)
		vm_object_deallocate(object);
	else
		*objectp = object;
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

static bool vnode_pager_haspage(struct vm_object *object, vm_pindex_t pindex)
{
	return IDX_TO_OFF(pindex) < i_size_read(object->vnp->inode);
}

/* Fill one page from the page cache. */
static int vnode_pager_getpage(struct vm_object *object, struct vm_page *m)
{
	struct vnode_pager *vnp = object->vnp;
	loff_t pos = IDX_TO_OFF(m->pindex), size;
	void *dst = pmap_quick_enter_page(m);
	struct page *page;
	void *src;

	if (!vnode_pager_haspage(object, m->pindex))
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

static int vnode_pager_getpages(struct vm_object *object, struct vm_page **ma, unsigned int count)
{
	unsigned int i;
	int rv;

	rv = vnode_pager_getpage(object, ma[0]);
	for (i = 1; i < count && vnode_pager_getpage(object, ma[i]) == VM_PAGER_OK; i++)
		;
	VM_CNT_INC(v_vnodein);
	if (rv == VM_PAGER_OK)
		VM_CNT_ADD(v_vnodepgsin, i);
	return rv;
}

/* The file opened for writing, NULL if nobody ever could. */
static struct file *vnode_pager_wfile(struct vnode_pager *vnp)
{
	/* Pairs with vnode_pager_alloc(). */
	return smp_load_acquire(&vnp->wfile);
}

static int vnode_pager_putpages(struct vm_object *object, struct vm_page **ma, unsigned int count)
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
		if (pos >= size)
			continue;
		len = min_t(loff_t, VM_PAGE_SIZE, size - pos);
		done = kernel_write(file, pmap_quick_enter_page(ma[i]), len, &pos);
		if (done < 0)
			return done;
		if (done != len)
			return -EIO;
	}
	VM_CNT_INC(v_vnodeout);
	VM_CNT_ADD(v_vnodepgsout, count);
	return 0;
}

static int vnode_pager_sync(struct vm_object *object, vm_ooffset_t start, vm_ooffset_t end)
{
	struct file *file = vnode_pager_wfile(object->vnp);

	return file ? vfs_fsync_range(file, start, end - 1, 0) : 0;
}

static void vnode_pager_dealloc(struct vm_object *object)
{
	struct vnode_pager *vnp = object->vnp;
	int err;

	err = vm_object_page_clean(object, 0, 0, false);
	if (err)
		pr_warn_ratelimited("pages of inode %lu could not be written back (%d) and are lost\n",
				    vnp->inode->i_ino, err);
	mutex_lock(&vnode_pager_lock);
	hash_del(&vnp->node);
	mutex_unlock(&vnode_pager_lock);
	smp_mb(); /* the table before the waiters, as wake_up_var() wants it */
	wake_up_var(vnp->inode);
	if (vnp->wfile)
		fput(vnp->wfile);
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
	vm_pager_register(OBJT_VNODE, &vnodepagerops);
	return 0;
}

void vnode_pager_fini(void)
{
	vm_pager_register(OBJT_VNODE, NULL);
}
