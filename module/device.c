// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * device: file operations and the ioctl table of /dev/bsdvm.
 *
 * Each open file has an inode of its own on a small pseudo file system as its
 * address_space: unmap_mapping_range() on it reaches the windows that were mapped
 * by this file and no others.
 *
 * An ioctl is a row of a table: the size of its structure, the size of its first
 * version, its function. The dispatcher copies the structure in (shorter ones
 * filled up with zeroes, longer ones only with a zero tail), finds the caller's
 * window, and copies the result out.
 */
#include "device.h"

#include <linux/compat.h>
#include <linux/fault-inject-usercopy.h>
#include <linux/fs.h>
#include <linux/miscdevice.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/mount.h>
#include <linux/pseudo_fs.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include <bsdvm.h>

#include "copyio.h"
#include "inspect.h"
#include "pool.h"
#include "shm.h"
#include "vm/pmap.h"
#include "vm/vm_kern.h"
#include "vm/vm_meter.h"
#include "vm/vm_mmap.h"
#include "vm/vm_page.h"
#include "vm/swap_pager.h"
#include "vm/vm_sysctl.h"
#include "vm/vm_unix.h"
#include "window.h"

static_assert(BSDVM_PROT_READ == VM_PROT_READ);
static_assert(BSDVM_PROT_WRITE == VM_PROT_WRITE);
static_assert(BSDVM_PROT_EXEC == VM_PROT_EXECUTE);
static_assert(BSDVM_INHERIT_SHARE == VM_INHERIT_SHARE);
static_assert(BSDVM_INHERIT_COPY == VM_INHERIT_COPY);
static_assert(BSDVM_INHERIT_NONE == VM_INHERIT_NONE);
static_assert(BSDVM_INHERIT_ZERO == VM_INHERIT_ZERO);
static_assert(BSDVM_FAULT_OK == KERN_SUCCESS);
static_assert(BSDVM_FAULT_INVALID_ADDRESS == KERN_INVALID_ADDRESS);
static_assert(BSDVM_FAULT_PROTECTION == KERN_PROTECTION_FAILURE);
static_assert(BSDVM_FAULT_OUT_OF_BOUNDS == KERN_OUT_OF_BOUNDS);
static_assert(BSDVM_FAULT_SHORTAGE == KERN_RESOURCE_SHORTAGE);
static_assert(sizeof(struct bsdvm_info) == 40);
static_assert(sizeof(struct bsdvm_mmap) == 40);
static_assert(sizeof(struct bsdvm_munmap) == 24);
static_assert(sizeof(struct bsdvm_mprotect) == 24);
static_assert(sizeof(struct bsdvm_msync) == 24);
static_assert(sizeof(struct bsdvm_minherit) == 24);
static_assert(sizeof(struct bsdvm_vmobject) == 48);
static_assert(sizeof(struct bsdvm_vmentry) == 120);
static_assert(sizeof(struct bsdvm_entries) == 48);
static_assert(sizeof(struct bsdvm_pagerun) == 24);
static_assert(sizeof(struct bsdvm_pages) == 56);
static_assert(sizeof(struct bsdvm_stats) == 488);
static_assert(sizeof(struct bsdvm_rusage) == 168);
static_assert(sizeof(struct bsdvm_kvmobject) == 88);
static_assert(sizeof(struct bsdvm_objects) == 40);
static_assert(sizeof(struct bsdvm_sysctl) == 232);
static_assert(sizeof(struct bsdvm_swapon) == 16);
static_assert(sizeof(struct bsdvm_swapoff) == 8);
static_assert(sizeof(struct bsdvm_swapinfo) == 296);
static_assert(sizeof(struct bsdvm_kmap) == 104);
static_assert(sizeof(struct bsdvm_table) == 40);
static_assert(sizeof(struct bsdvm_zone) == 120);
static_assert(sizeof(struct bsdvm_malloc_type) == 72);
static_assert(sizeof(struct bsdvm_shm_open) == 32);
static_assert(sizeof(struct bsdvm_shm_unlink) == 16);
static_assert(sizeof(struct bsdvm_shm_rename) == 24);
static_assert(sizeof(struct bsdvm_shm_seals) == 16);
static_assert(sizeof(struct bsdvm_fault) == 40);
static_assert(sizeof(struct bsdvm_madvise) == 24);
static_assert(sizeof(struct bsdvm_mincore) == 32);
static_assert(sizeof(struct bsdvm_mlock) == 24);
static_assert(sizeof(struct bsdvm_mlockall) == 8);
static_assert(sizeof(struct bsdvm_break) == 16);
static_assert(sizeof(struct bsdvm_segments) == 48);
static_assert(sizeof(struct bsdvm_mremap) == 40);
static_assert(sizeof(struct bsdvm_mimmutable) == 24);

static struct vfsmount *device_mnt;

static int device_init_fs_context(struct fs_context *fc)
{
	return init_pseudo(fc, 0x62736476) ? 0 : -ENOMEM; /* "bsdv" */
}

/*
 * No owner: our own mount would pin the module for ever. Its inodes are in use
 * only while a file of ours is open, and that pins the module.
 */
static struct file_system_type device_fs_type = {
	.name = "bsdvm",
	.init_fs_context = device_init_fs_context,
	.kill_sb = kill_anon_super,
};

static int device_open(struct inode *inode, struct file *file)
{
	struct pmap_group *group;
	struct inode *own;

	own = alloc_anon_inode(device_mnt->mnt_sb);
	if (IS_ERR(own))
		return PTR_ERR(own);
	group = pmap_group_create(own);
	iput(own);
	if (!group)
		return -ENOMEM;
	file->f_mapping = group->inode->i_mapping;
	file->private_data = group;
	return nonseekable_open(inode, file);
}

static int device_release(struct inode *inode, struct file *file)
{
	pmap_group_put(file->private_data);
	return 0;
}

static int device_mmap(struct file *file, struct vm_area_struct *vma)
{
	return window_mmap(vma, file->private_data);
}

union device_arg {
	u32 size;
	struct {
		struct bsdvm_shm_open req;
		struct file *file;
	} shm_open;
	struct bsdvm_rusage rusage;
	struct bsdvm_objects objects;
	struct bsdvm_sysctl sysctl;
	struct bsdvm_shm_unlink shm_unlink;
	struct bsdvm_shm_rename shm_rename;
	struct bsdvm_shm_seals shm_seals;
	struct bsdvm_info info;
	struct bsdvm_mmap mmap;
	struct bsdvm_munmap munmap;
	struct bsdvm_mprotect mprotect;
	struct bsdvm_msync msync;
	struct bsdvm_minherit minherit;
	struct bsdvm_entries entries;
	struct bsdvm_pages pages;
	struct bsdvm_stats stats;
	struct bsdvm_fault fault;
	struct bsdvm_madvise madvise;
	struct bsdvm_mincore mincore;
	struct bsdvm_mlock mlock;
	struct bsdvm_mlockall mlockall;
	struct bsdvm_break brk;
	struct bsdvm_segments segments;
	struct bsdvm_mremap mremap;
	struct bsdvm_mimmutable mimmutable;
	struct bsdvm_swapon swapon;
	struct bsdvm_swapoff swapoff;
	struct bsdvm_swapinfo swapinfo;
	struct bsdvm_kmap kmap;
	struct bsdvm_table table;
};

/* @window is NULL only for calls that do without one. */
static int device_info(struct window *window, union device_arg *arg)
{
	struct bsdvm_info *info = &arg->info;

	if (info->reserved)
		return -EINVAL;
	info->abi_version = BSDVM_ABI_VERSION;
	info->window_start = window ? window->pmap.start : 0;
	info->window_size = window ? window->pmap.end - window->pmap.start : 0;
	info->pool_bytes = pool_bytes();
	info->page_size = PAGE_SIZE;
	return 0;
}

static int device_mmap_call(struct window *window, union device_arg *arg)
{
	struct mmap_req req = {
		.addr = arg->mmap.addr,
		.len = arg->mmap.len,
		.pos = arg->mmap.offset,
		.prot = arg->mmap.prot,
		.flags = arg->mmap.flags,
		.fd = arg->mmap.fd,
	};
	int ret;

	req.shm = shm_file_get(req.fd, &req.shm_prot);
	shm_mmap_begin(req.shm);
	ret = kern_mmap(window->vmspace, &req);
	shm_mmap_end(req.shm);
	shm_drop(req.shm);
	if (!ret)
		arg->mmap.addr = req.addr;
	return ret;
}

static int device_munmap(struct window *window, union device_arg *arg)
{
	if (arg->munmap.reserved)
		return -EINVAL;
	return kern_munmap(window->vmspace, arg->munmap.addr, arg->munmap.len);
}

static int device_mprotect(struct window *window, union device_arg *arg)
{
	return kern_mprotect(window->vmspace, arg->mprotect.addr, arg->mprotect.len,
			     arg->mprotect.prot);
}

static int device_msync(struct window *window, union device_arg *arg)
{
	return kern_msync(window->vmspace, arg->msync.addr, arg->msync.len, arg->msync.flags);
}

static int device_minherit(struct window *window, union device_arg *arg)
{
	return kern_minherit(window->vmspace, arg->minherit.addr, arg->minherit.len,
			     arg->minherit.inherit);
}

static int device_entries(struct window *window, union device_arg *arg)
{
	return inspect_entries(window, &arg->entries);
}

static int device_pages(struct window *window, union device_arg *arg)
{
	return inspect_pages(window, &arg->pages);
}

static int device_rusage(struct window *window, union device_arg *arg)
{
	return inspect_rusage(window, &arg->rusage);
}

static int device_objects(struct window *window, union device_arg *arg)
{
	return inspect_objects(&arg->objects);
}

static int device_stats(struct window *window, union device_arg *arg)
{
	if (arg->stats.reserved)
		return -EINVAL;
	vm_meter_stats(&arg->stats);
	arg->stats.v_vmspaces = window_count();
	return 0;
}

static int device_fault(struct window *window, union device_arg *arg)
{
	struct bsdvm_fault *req = &arg->fault;

	if (req->reserved || req->done || req->outcome)
		return -EINVAL;
	return kern_fault(window->vmspace, req->addr, req->len, req->prot, &req->done,
			  &req->outcome);
}

static int device_madvise(struct window *window, union device_arg *arg)
{
	return kern_madvise(window->vmspace, arg->madvise.addr, arg->madvise.len,
			    arg->madvise.behav);
}

/* The chunks come in order. */
static int device_mincore_put(void *stage, u64 first, const u8 *bits, unsigned int count)
{
	return copyio_stage_put(stage, bits, count);
}

static int device_mincore(struct window *window, union device_arg *arg)
{
	const struct bsdvm_mincore *req = &arg->mincore;
	struct copyio_stage stage;
	int ret;

	if (req->reserved)
		return -EINVAL;
	ret = copyio_stage_begin(&stage, req->vec, atop(req->len));
	if (ret)
		return ret;
	ret = kern_mincore(window->vmspace, req->addr, req->len, device_mincore_put, &stage);
	return copyio_stage_end(&stage, ret);
}

static int device_mlock(struct window *window, union device_arg *arg)
{
	if (arg->mlock.reserved)
		return -EINVAL;
	return kern_mlock(window->vmspace, arg->mlock.addr, arg->mlock.len);
}

static int device_munlock(struct window *window, union device_arg *arg)
{
	if (arg->mlock.reserved)
		return -EINVAL;
	return kern_munlock(window->vmspace, arg->mlock.addr, arg->mlock.len);
}

static int device_mlockall(struct window *window, union device_arg *arg)
{
	return kern_mlockall(window->vmspace, arg->mlockall.how);
}

static int device_munlockall(struct window *window, union device_arg *arg)
{
	if (arg->mlockall.how)
		return -EINVAL;
	return kern_munlockall(window->vmspace);
}

static int device_break(struct window *window, union device_arg *arg)
{
	if (arg->brk.reserved)
		return -EINVAL;
	return kern_break(window->vmspace, &arg->brk.addr);
}

static int device_segments(struct window *window, union device_arg *arg)
{
	if (arg->segments.reserved)
		return -EINVAL;
	return kern_segments(window->vmspace, &arg->segments);
}

static int device_mremap(struct window *window, union device_arg *arg)
{
	struct bsdvm_mremap *req = &arg->mremap;

	return kern_mremap(window->vmspace, req->old_addr, req->old_len, &req->new_addr,
			   req->new_len, req->flags);
}

static int device_mimmutable(struct window *window, union device_arg *arg)
{
	if (arg->mimmutable.reserved)
		return -EINVAL;
	return kern_mimmutable(window->vmspace, arg->mimmutable.addr, arg->mimmutable.len);
}

static int device_mquery(struct window *window, union device_arg *arg)
{
	struct mmap_req req = {
		.addr = arg->mmap.addr,
		.len = arg->mmap.len,
		.pos = arg->mmap.offset,
		.prot = arg->mmap.prot,
		.flags = arg->mmap.flags,
		.fd = arg->mmap.fd,
	};
	int ret;

	req.shm = shm_file_get(req.fd, &req.shm_prot);
	ret = kern_mquery(window->vmspace, &req);
	shm_drop(req.shm);
	if (!ret)
		arg->mmap.addr = req.addr;
	return ret;
}

/* A name that ends where it should; with an index none at all. */
static bool device_sysctl_named(const struct bsdvm_sysctl *req)
{
	if (req->flags & BSDVM_SYSCTL_INDEX)
		return !memchr_inv(req->name, 0, sizeof(req->name));
	return !req->index && memchr(req->name, 0, sizeof(req->name));
}

static const struct vm_sysctl *device_sysctl_find(const struct bsdvm_sysctl *req)
{
	return req->flags & BSDVM_SYSCTL_INDEX ? vm_sysctl_at(req->index) :
						 vm_sysctl_find(req->name);
}

static int device_sysctl(struct window *window, union device_arg *arg)
{
	struct bsdvm_sysctl *req = &arg->sysctl;
	bool set = req->flags & BSDVM_SYSCTL_SET;
	const struct vm_sysctl *sysctl;
	u64 old;
	int ret;

	if (req->flags & ~(BSDVM_SYSCTL_SET | BSDVM_SYSCTL_INDEX) || !device_sysctl_named(req) ||
	    req->attr || (!set && req->value) || req->min || req->max ||
	    memchr_inv(req->desc, 0, sizeof(req->desc)))
		return -EINVAL;
	sysctl = device_sysctl_find(req);
	if (!sysctl)
		return -ENOENT;
	old = vm_sysctl_get(sysctl);
	if (set) {
		ret = capable(CAP_SYS_ADMIN) ? vm_sysctl_set(sysctl, req->value) : -EPERM;
		if (ret)
			return ret;
	}
	req->value = old;
	req->attr = vm_sysctl_writable(sysctl) ? BSDVM_SYSCTL_WRITABLE : 0;
	req->min = sysctl->min;
	req->max = vm_sysctl_max(sysctl);
	strscpy_pad(req->name, sysctl->name, sizeof(req->name));
	strscpy_pad(req->desc, sysctl->desc, sizeof(req->desc));
	return 0;
}

static int device_shm_open(struct window *window, union device_arg *arg)
{
	return shm_file_open(&arg->shm_open.req, &arg->shm_open.file);
}

static void device_shm_open_finish(union device_arg *arg, int err)
{
	shm_file_install(arg->shm_open.req.fd, arg->shm_open.file, err);
}

static int device_shm_unlink(struct window *window, union device_arg *arg)
{
	return shm_file_unlink(&arg->shm_unlink);
}

static int device_shm_rename(struct window *window, union device_arg *arg)
{
	return shm_file_rename(&arg->shm_rename);
}

static int device_shm_seals(struct window *window, union device_arg *arg)
{
	return shm_file_seals(&arg->shm_seals);
}

static int device_swapon(struct window *window, union device_arg *arg)
{
	struct bsdvm_swapon *req = &arg->swapon;

	if (req->id || req->reserved)
		return -EINVAL;
	if (!capable(CAP_SYS_ADMIN))
		return -EPERM;
	return swap_pager_on(req->fd, &req->id);
}

static int device_swapoff(struct window *window, union device_arg *arg)
{
	if (!capable(CAP_SYS_ADMIN))
		return -EPERM;
	return swap_pager_off(arg->swapoff.id);
}

static int device_swapinfo(struct window *window, union device_arg *arg)
{
	struct bsdvm_swapinfo *req = &arg->swapinfo;
	struct swap_device_info info = { 0 };
	int ret;

	BUILD_BUG_ON(sizeof(req->path) != sizeof(info.path));
	BUILD_BUG_ON(BSDVM_SWAPINFO_EMBEDDED != SWAP_EMBEDDED);
	BUILD_BUG_ON(BSDVM_SWAPINFO_CLOSING != SWAP_CLOSING);
	if (req->id || req->flags || req->total || req->used || req->errors ||
	    memchr_inv(req->path, 0, sizeof(req->path)))
		return -EINVAL;
	ret = swap_pager_info(req->index, &info);
	if (ret)
		return ret;
	req->id = info.id;
	req->flags = info.flags;
	req->total = info.total;
	req->used = info.used;
	req->errors = info.errors;
	memcpy(req->path, info.path, sizeof(req->path));
	return 0;
}

static int device_kmap(struct window *window, union device_arg *arg)
{
	struct bsdvm_kmap *req = &arg->kmap;
	struct kmem_info info;
	u64 base;
	int ret;

	if (req->start || req->end || req->used || req->largest_free || req->entries ||
	    req->allocations || req->failures || req->sleeps ||
	    memchr_inv(req->name, 0, sizeof(req->name)))
		return -EINVAL;
	ret = kmem_info(req->index, &info);
	if (ret)
		return ret;
	base = capable(CAP_SYSLOG) ? 0 : virtual_avail;
	req->start = info.start - base;
	req->end = info.end - base;
	req->used = info.used;
	req->largest_free = info.largest_free;
	req->entries = info.entries;
	req->allocations = info.allocations;
	req->failures = info.failures;
	req->sleeps = info.sleeps;
	strscpy_pad(req->name, info.name, sizeof(req->name));
	return 0;
}

static int device_zones(struct window *window, union device_arg *arg)
{
	return inspect_zones(&arg->table);
}

static int device_malloc_types(struct window *window, union device_arg *arg)
{
	return inspect_malloc_types(&arg->table);
}

/**
 * struct device_op - one ioctl
 * @size: bytes of its structure
 * @min_size: bytes of the structure's first version
 * @windowless: works without a window
 * @silent: has no result: its structure is only read
 * @execute: does it, and answers 0 or a negative errno
 * @finish: NULL, or what is left to do once the caller has been told of success, or
 *	@err because that failed
 */
struct device_op {
	unsigned int size;
	unsigned int min_size;
	bool windowless;
	bool silent;
	int (*execute)(struct window *window, union device_arg *arg);
	void (*finish)(union device_arg *arg, int err);
};

#define DEVICE_OP(_number, _struct, _last, _execute, _windowless)	\
	[_IOC_NR(_number)] = {						\
		.size = sizeof(_struct),				\
		.min_size = offsetofend(_struct, _last),		\
		.windowless = (_windowless),				\
		.execute = (_execute),					\
	}

#define DEVICE_SILENT(_number, _struct, _last, _execute)		\
	[_IOC_NR(_number)] = {						\
		.size = sizeof(_struct),				\
		.min_size = offsetofend(_struct, _last),		\
		.silent = true,						\
		.execute = (_execute),					\
	}

static const struct device_op device_ops[] = {
	DEVICE_OP(BSDVM_IOC_INFO, struct bsdvm_info, reserved, device_info, true),
	DEVICE_OP(BSDVM_IOC_MMAP, struct bsdvm_mmap, offset, device_mmap_call, false),
	DEVICE_SILENT(BSDVM_IOC_MUNMAP, struct bsdvm_munmap, len, device_munmap),
	DEVICE_SILENT(BSDVM_IOC_MPROTECT, struct bsdvm_mprotect, len, device_mprotect),
	DEVICE_SILENT(BSDVM_IOC_MSYNC, struct bsdvm_msync, len, device_msync),
	DEVICE_SILENT(BSDVM_IOC_MINHERIT, struct bsdvm_minherit, len, device_minherit),
	DEVICE_OP(BSDVM_IOC_ENTRIES, struct bsdvm_entries, more, device_entries, true),
	DEVICE_OP(BSDVM_IOC_PAGES, struct bsdvm_pages, more, device_pages, true),
	DEVICE_OP(BSDVM_IOC_RUSAGE, struct bsdvm_rusage, reserved, device_rusage, true),
	DEVICE_OP(BSDVM_IOC_OBJECTS, struct bsdvm_objects, more, device_objects, true),
	DEVICE_OP(BSDVM_IOC_STATS, struct bsdvm_stats, v_shootdown_cpus, device_stats, true),
	DEVICE_OP(BSDVM_IOC_FAULT, struct bsdvm_fault, reserved, device_fault, false),
	DEVICE_OP(BSDVM_IOC_SYSCTL, struct bsdvm_sysctl, desc, device_sysctl, true),
	[_IOC_NR(BSDVM_IOC_SHM_OPEN)] = {
		.size = sizeof(struct bsdvm_shm_open),
		.min_size = offsetofend(struct bsdvm_shm_open, reserved),
		.windowless = true,
		.execute = device_shm_open,
		.finish = device_shm_open_finish,
	},
	DEVICE_OP(BSDVM_IOC_SHM_UNLINK, struct bsdvm_shm_unlink, path, device_shm_unlink, true),
	DEVICE_OP(BSDVM_IOC_SHM_RENAME, struct bsdvm_shm_rename, to, device_shm_rename, true),
	DEVICE_OP(BSDVM_IOC_SHM_SEALS, struct bsdvm_shm_seals, seals, device_shm_seals, true),
	DEVICE_SILENT(BSDVM_IOC_MADVISE, struct bsdvm_madvise, len, device_madvise),
	DEVICE_OP(BSDVM_IOC_MINCORE, struct bsdvm_mincore, vec, device_mincore, false),
	DEVICE_SILENT(BSDVM_IOC_MLOCK, struct bsdvm_mlock, len, device_mlock),
	DEVICE_SILENT(BSDVM_IOC_MUNLOCK, struct bsdvm_mlock, len, device_munlock),
	DEVICE_SILENT(BSDVM_IOC_MLOCKALL, struct bsdvm_mlockall, how, device_mlockall),
	DEVICE_SILENT(BSDVM_IOC_MUNLOCKALL, struct bsdvm_mlockall, how, device_munlockall),
	DEVICE_OP(BSDVM_IOC_BREAK, struct bsdvm_break, addr, device_break, false),
	DEVICE_OP(BSDVM_IOC_SEGMENTS, struct bsdvm_segments, maxsaddr, device_segments, false),
	DEVICE_OP(BSDVM_IOC_MREMAP, struct bsdvm_mremap, new_len, device_mremap, false),
	DEVICE_SILENT(BSDVM_IOC_MIMMUTABLE, struct bsdvm_mimmutable, len, device_mimmutable),
	DEVICE_OP(BSDVM_IOC_SWAPON, struct bsdvm_swapon, reserved, device_swapon, true),
	DEVICE_OP(BSDVM_IOC_SWAPOFF, struct bsdvm_swapoff, id, device_swapoff, true),
	DEVICE_OP(BSDVM_IOC_SWAPINFO, struct bsdvm_swapinfo, path, device_swapinfo, true),
	DEVICE_OP(BSDVM_IOC_KMAP, struct bsdvm_kmap, name, device_kmap, true),
	DEVICE_OP(BSDVM_IOC_ZONES, struct bsdvm_table, reserved, device_zones, true),
	DEVICE_OP(BSDVM_IOC_MALLOC_TYPES, struct bsdvm_table, reserved, device_malloc_types, true),
	DEVICE_OP(BSDVM_IOC_MQUERY, struct bsdvm_mmap, offset, device_mquery, false),
};

/*
 * A call that changes the map and failed for want of pages for the kernel's own records
 * has changed nothing: it is made again when there are some, as long as a fault would
 * wait for that. Others may have been short of them just now; then it fails again.
 */
static int device_execute(const struct device_op *op, struct window *window,
			  union device_arg *arg, void __user *uarg, size_t size)
{
	unsigned int attempts = 0;
	int ret, failures;

	for (;;) {
		failures = atomic_read(&vm_page_kmem_failures);
		ret = op->execute(window, arg);
		if (ret != -ENOMEM || op->windowless ||
		    failures == atomic_read(&vm_page_kmem_failures))
			return ret;
		ret = vm_wait_attempt(&attempts);
		if (ret)
			return ret;
		ret = copy_struct_from_user(arg, op->size, uarg, size);
		if (ret)
			return ret;
		cond_resched();
	}
}

/* Words that are copied one by one: to call for so few takes three times as long. */
#define DEVICE_COPY_WORDS	6

/* Copy the whole structure in, as copy_struct_from_user() does. */
static int device_copy_in(union device_arg *arg, size_t room, const void __user *uarg,
			  size_t size)
{
	const u64 __user *from = uarg;
	u64 *to = (u64 *)arg, *end = to + size / sizeof(*to);

	if (size != room || size % sizeof(*to) || size > DEVICE_COPY_WORDS * sizeof(*to))
		return copy_struct_from_user(arg, room, uarg, size);
	if (should_fail_usercopy() || !user_read_access_begin(from, size))
		return -EFAULT;
	for (; to < end; to++, from++)
		unsafe_get_user(*to, from, efault);
	user_read_access_end();
	return 0;
efault:
	user_read_access_end();
	return -EFAULT;
}

/* Copy as much of it as the caller has back. */
static int device_copy_out(void __user *uarg, const union device_arg *arg, size_t size)
{
	const u64 *from = (const u64 *)arg, *end = from + size / sizeof(*from);
	u64 __user *to = uarg;

	if (size % sizeof(*to) || size > DEVICE_COPY_WORDS * sizeof(*to))
		return copy_to_user(uarg, arg, size) ? -EFAULT : 0;
	if (should_fail_usercopy() || !user_write_access_begin(to, size))
		return -EFAULT;
	for (; from < end; to++, from++)
		unsafe_put_user(*from, to, efault);
	user_write_access_end();
	return 0;
efault:
	user_write_access_end();
	return -EFAULT;
}

static long device_ioctl(struct file *file, unsigned int cmd, unsigned long ptr)
{
	void __user *uarg = (void __user *)ptr;
	unsigned int nr = _IOC_NR(cmd);
	const struct device_op *op;
	/* As much of it as the call has is filled below; no more of it goes back. */
	union device_arg arg __uninitialized;
	struct window *window;
	u32 size;
	int ret;

	if (nr >= ARRAY_SIZE(device_ops) || cmd != _IO(BSDVM_IOC_MAGIC, nr) ||
	    !device_ops[nr].execute)
		return -ENOTTY;
	op = &device_ops[nr];
	if (get_user(size, (u32 __user *)uarg))
		return -EFAULT;
	if (size < op->min_size)
		return -EINVAL;
	if (size > PAGE_SIZE)
		return -E2BIG;
	ret = device_copy_in(&arg, op->size, uarg, size);
	if (ret)
		return ret;

	window = window_get();
	if (!window && !op->windowless)
		return -ENXIO;
	ret = device_execute(op, window, &arg, uarg, size);
	if (window)
		window_put(window);
	if (ret || op->silent)
		return ret;
	/* The size may have changed under us: what was checked is what counts. */
	arg.size = size;
	ret = device_copy_out(uarg, &arg, min(size, op->size));
	if (op->finish)
		op->finish(&arg, ret);
	return ret;
}

static const struct file_operations device_fops = {
	.owner = THIS_MODULE,
	.open = device_open,
	.release = device_release,
	.mmap = device_mmap,
	.unlocked_ioctl = device_ioctl,
	.compat_ioctl = compat_ptr_ioctl,
};

static struct miscdevice device_misc = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "bsdvm",
	.nodename = "bsdvm",
	.mode = 0666,
	.fops = &device_fops,
};

int device_init(void)
{
	int ret;

	device_mnt = kern_mount(&device_fs_type);
	if (IS_ERR(device_mnt))
		return PTR_ERR(device_mnt);
	ret = misc_register(&device_misc);
	if (ret)
		kern_unmount(device_mnt);
	return ret;
}

void device_fini(void)
{
	misc_deregister(&device_misc);
	kern_unmount(device_mnt);
}
