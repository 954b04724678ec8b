// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * shm: shared memory objects as Linux files, so that what a descriptor is good for
 * works on them: fstat, ftruncate, read, write, lseek, fchmod, fchown, dup, fork,
 * sending it to somebody else.
 *
 * Each open makes a file with an inode of its own; what the inode says of size,
 * owner and mode means nothing, the shmfd has it. The inode holds the shmfd: it
 * can outlive the file, by way of /proc/PID/fd.
 *
 * The inodes are on a pseudo file system that is mounted as long as there is a
 * file of ours, and that pins the module: when the last file goes, Linux still has
 * work to do on its inode and its mount after it has let go of the file's own hold
 * on the module.
 *
 * Linux's mmap(2) of such a file answers ENODEV: the window is where it can be
 * mapped.
 */
#include "shm.h"

#include <linux/file.h>
#include <linux/fs.h>
#include <linux/module.h>
#include <linux/mount.h>
#include <linux/pseudo_fs.h>
#include <linux/stat.h>
#include <linux/uaccess.h>
#include <linux/uio.h>

#include <bsdvm.h>

#include "compat.h"
#include "vm/malloc.h"

static struct vfsmount *shm_mnt;
static int shm_mnt_count;

static void shm_evict_inode(struct inode *inode)
{
	truncate_inode_pages_final(&inode->i_data);
	clear_inode(inode);
	shm_drop(inode->i_private);
}

static const struct super_operations shm_super_ops = {
	.statfs = simple_statfs,
	.evict_inode = shm_evict_inode,
};

static int shm_init_fs_context(struct fs_context *fc)
{
	struct pseudo_fs_context *ctx = init_pseudo(fc, 0x6273736d); /* "bssm" */

	if (!ctx)
		return -ENOMEM;
	ctx->ops = &shm_super_ops;
	return 0;
}

static struct file_system_type shm_fs_type = {
	.name = "bsdvm_shm",
	.owner = THIS_MODULE,
	.init_fs_context = shm_init_fs_context,
	.kill_sb = kill_anon_super,
};

static int shm_file_getattr(struct bsdvm_idmap *idmap, const struct path *path, struct kstat *stat,
			    u32 request_mask, unsigned int flags)
{
	struct inode *inode = d_inode(path->dentry);
	struct shm_attr attr;

	shm_stat(inode->i_private, &attr);
	stat->dev = inode->i_sb->s_dev;
	stat->ino = attr.ino;
	stat->mode = S_IFREG | attr.mode;
	stat->nlink = attr.nlink;
	stat->uid = attr.uid;
	stat->gid = attr.gid;
	stat->size = attr.size;
	stat->atime = ns_to_timespec64(attr.atime);
	stat->mtime = ns_to_timespec64(attr.mtime);
	stat->ctime = ns_to_timespec64(attr.ctime);
	stat->btime = ns_to_timespec64(attr.btime);
	stat->result_mask |= STATX_BTIME;
	stat->blksize = VM_PAGE_SIZE;
	stat->blocks = attr.resident * (VM_PAGE_SIZE / 512);
	return 0;
}

static int shm_file_setattr(struct bsdvm_idmap *idmap, struct dentry *dentry, struct iattr *attr)
{
	struct shmfd *shmfd = d_inode(dentry)->i_private;
	int ret = -EINVAL;

	/* By a descriptor, which is open for writing then; never by its place in /proc. */
	if (attr->ia_valid & ATTR_SIZE)
		return attr->ia_valid & ATTR_FILE ? shm_dotruncate(shmfd, attr->ia_size) : -EINVAL;
	if (attr->ia_valid & (ATTR_UID | ATTR_GID))
		ret = shm_chown(shmfd, attr->ia_valid & ATTR_UID ? attr->ia_uid : INVALID_UID,
				attr->ia_valid & ATTR_GID ? attr->ia_gid : INVALID_GID);
	else if (attr->ia_valid & ATTR_MODE)
		ret = shm_chmod(shmfd, attr->ia_mode);
	return ret;
}

static const struct inode_operations shm_inode_ops = {
	.getattr = shm_file_getattr,
	.setattr = shm_file_setattr,
};

static size_t shm_copy_out(void *cookie, void *at, size_t count)
{
	return at ? copy_to_iter(at, count, cookie) : iov_iter_zero(count, cookie);
}

static size_t shm_copy_in(void *cookie, void *at, size_t count)
{
	return copy_from_iter(at, count, cookie);
}

static ssize_t shm_file_read_iter(struct kiocb *iocb, struct iov_iter *to)
{
	ssize_t ret = shm_read(iocb->ki_filp->private_data, iocb->ki_pos, iov_iter_count(to),
			       shm_copy_out, to);

	if (ret > 0)
		iocb->ki_pos += ret;
	return ret;
}

static ssize_t shm_file_write_iter(struct kiocb *iocb, struct iov_iter *from)
{
	ssize_t ret = shm_write(iocb->ki_filp->private_data, iocb->ki_pos, iov_iter_count(from),
				shm_copy_in, from);

	if (ret > 0)
		iocb->ki_pos += ret;
	return ret;
}

/* Nobody may stand behind the end. */
static loff_t shm_file_llseek(struct file *file, loff_t offset, int whence)
{
	loff_t size = shm_size(file->private_data), base;

	switch (whence) {
	case SEEK_SET:
		base = 0;
		break;
	case SEEK_CUR:
		base = file->f_pos;
		break;
	case SEEK_END:
		base = size;
		break;
	default:
		return -EINVAL;
	}
	if (check_add_overflow(base, offset, &offset))
		return -EOVERFLOW;
	if (offset < 0 || offset > size)
		return -EINVAL;
	file->f_pos = offset;
	return offset;
}

static int shm_file_release(struct inode *inode, struct file *file)
{
	simple_release_fs(&shm_mnt, &shm_mnt_count);
	return 0;
}

static const struct file_operations shm_file_ops = {
	.owner = THIS_MODULE,
	.llseek = shm_file_llseek,
	.read_iter = shm_file_read_iter,
	.write_iter = shm_file_write_iter,
	.release = shm_file_release,
};

/*
 * A file that has no object yet: making it may fail, and what opening an object
 * changes could not be undone then.
 */
static struct file *shm_file_create(const char *name, int flags)
{
	struct inode *inode;
	struct file *file;
	int ret;

	ret = simple_pin_fs(&shm_fs_type, &shm_mnt, &shm_mnt_count);
	if (ret)
		return ERR_PTR(ret);
	inode = alloc_anon_inode(shm_mnt->mnt_sb);
	if (IS_ERR(inode)) {
		file = ERR_CAST(inode);
		goto release_fs;
	}
	/* Who may is for the shmfd to say: nobody gets anything by way of the inode. */
	inode->i_mode = S_IFREG;
	inode->i_op = &shm_inode_ops;
	/* What the file's last fput() will give back. */
	__module_get(THIS_MODULE);
	file = alloc_file_pseudo(inode, shm_mnt, name, flags | O_LARGEFILE, &shm_file_ops);
	if (IS_ERR(file))
		goto put_module;
	file->f_mode |= FMODE_LSEEK | FMODE_PREAD | FMODE_PWRITE | FMODE_ATOMIC_POS;
	return file;

put_module:
	module_put(THIS_MODULE);
	iput(inode);
release_fs:
	simple_release_fs(&shm_mnt, &shm_mnt_count);
	return file;
}

/* The file is that of @shmfd from now on, and has the reference. */
static void shm_file_set(struct file *file, struct shmfd *shmfd)
{
	file_inode(file)->i_private = shmfd;
	file->private_data = shmfd;
}

/* The name at a user address, to be freed; ERR_PTR() when it is none. */
static char *shm_copyin_path(u64 addr)
{
	char *path = malloc(BSDVM_SHM_PATH_MAX, M_TEMP, M_WAITOK);
	long len;

	len = strncpy_from_user(path, u64_to_user_ptr(addr), BSDVM_SHM_PATH_MAX);
	if (len == BSDVM_SHM_PATH_MAX)
		len = -ENAMETOOLONG;
	else if (len >= 0 && *path != '/')
		len = -EINVAL;
	if (len < 0) {
		free(path, M_TEMP);
		return ERR_PTR(len);
	}
	return path;
}

int shm_file_open(struct bsdvm_shm_open *req, struct file **filep)
{
	bool writes = req->flags & BSDVM_O_RDWR;
	struct shmfd *shmfd;
	char *path = NULL;
	struct file *file;
	int ret, fd;

	if (req->fd || req->reserved)
		return -EINVAL;
	ret = shm_open_check(req->flags, req->shmflags);
	if (ret)
		return ret;
	if (req->path != BSDVM_SHM_ANON) {
		path = shm_copyin_path(req->path);
		if (IS_ERR(path))
			return PTR_ERR(path);
	}
	fd = get_unused_fd_flags(O_CLOEXEC);
	if (fd < 0) {
		ret = fd;
		goto free_path;
	}
	file = shm_file_create(path ? path : "SHM_ANON", writes ? O_RDWR : O_RDONLY);
	if (IS_ERR(file)) {
		ret = PTR_ERR(file);
		goto put_fd;
	}
	ret = kern_shm_open(path, req->flags, req->mode & ~current_umask(), req->shmflags, &shmfd);
	if (ret)
		goto put_file;
	shm_file_set(file, shmfd);
	req->fd = fd;
	*filep = file;
	free(path, M_TEMP);
	return 0;

put_file:
	fput(file);
put_fd:
	put_unused_fd(fd);
free_path:
	free(path, M_TEMP);
	return ret;
}

void shm_file_install(int fd, struct file *file, bool undo)
{
	if (undo) {
		put_unused_fd(fd);
		fput(file);
	} else {
		fd_install(fd, file);
	}
}

static struct shmfd *shm_from_file(struct file *file)
{
	return file->f_op == &shm_file_ops ? file->private_data : NULL;
}

struct shmfd *shm_file_get(int fd, vm_prot_t *prot)
{
	/* No descriptor at all is what most ask for. */
	struct file *file = fd < 0 ? NULL : fget(fd);
	struct shmfd *shmfd;

	if (!file)
		return NULL;
	shmfd = shm_from_file(file);
	if (shmfd)
		shm_hold(shmfd);
	*prot = (file->f_mode & FMODE_READ ? VM_PROT_READ : 0) |
		(file->f_mode & FMODE_WRITE ? VM_PROT_WRITE : 0);
	fput(file);
	return shmfd;
}

int shm_file_unlink(const struct bsdvm_shm_unlink *req)
{
	char *path;
	int ret;

	if (req->reserved)
		return -EINVAL;
	path = shm_copyin_path(req->path);
	if (IS_ERR(path))
		return PTR_ERR(path);
	ret = kern_shm_unlink(path);
	free(path, M_TEMP);
	return ret;
}

int shm_file_rename(const struct bsdvm_shm_rename *req)
{
	char *from, *to;
	int ret;

	if (req->from == BSDVM_SHM_ANON || req->to == BSDVM_SHM_ANON)
		return -EINVAL;
	from = shm_copyin_path(req->from);
	if (IS_ERR(from))
		return PTR_ERR(from);
	to = shm_copyin_path(req->to);
	if (IS_ERR(to)) {
		free(from, M_TEMP);
		return PTR_ERR(to);
	}
	ret = kern_shm_rename(from, to, req->flags);
	free(to, M_TEMP);
	free(from, M_TEMP);
	return ret;
}

int shm_file_seals(struct bsdvm_shm_seals *req)
{
	struct file *file;
	struct shmfd *shmfd;
	int ret = 0;

	if (req->seals)
		return -EINVAL;
	file = fget(req->fd);
	if (!file)
		return -EBADF;
	shmfd = shm_from_file(file);
	if (!shmfd) {
		ret = -EINVAL;
		goto put_file;
	}
	if (req->add && !(file->f_mode & FMODE_WRITE))
		ret = -EPERM;
	else if (req->add)
		ret = shm_add_seals(shmfd, req->add);
	req->seals = shm_get_seals(shmfd);
put_file:
	fput(file);
	return ret;
}
