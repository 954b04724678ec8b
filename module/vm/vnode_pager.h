/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * vnode_pager: objects that are files.
 *
 * One object a file, whoever maps it and through whatever descriptor. Its pages show
 * the frames of Linux's page cache, where the file system allows that: mappings,
 * read(2) and write(2) by anyone are one memory, and the end of the object follows
 * that of the file. Elsewhere its pages are copies, coherent after msync(2).
 */
#ifndef BSDVM_VNODE_PAGER_H
#define BSDVM_VNODE_PAGER_H

#include "vm_object.h"

struct file;

/* Tunable: seconds between two runs of the syncer (kern.filedelay), 0 for none. */
extern unsigned int vm_filedelay;

/**
 * struct vnode_attr - what is known of an object's file
 * @fileid: inode number
 * @fsid: device number of the file system
 * @rdev: device number, for device files
 * @size: bytes
 * @mode: permission bits
 */
struct vnode_attr {
	u64 fileid;
	u64 fsid;
	u32 rdev;
	u64 size;
	u32 mode;
};

/**
 * vnode_pager_init() - register the pager
 *
 * Context: start-up only.
 * Return: 0, -ENOMEM.
 */
int vnode_pager_init(void);

/**
 * vnode_pager_stop() - let go of the objects that the syncer is writing
 *
 * Some of them may then be waited for by vm_object_fini().
 *
 * Context: shut-down only; nobody makes objects any more.
 */
void vnode_pager_stop(void);

/**
 * vnode_pager_fini() - undo vnode_pager_init(); every file's object is gone
 *
 * Context: shut-down only.
 */
void vnode_pager_fini(void);

/**
 * vnode_pager_getfile() - the file of a descriptor of the calling process
 * @fd: the descriptor
 *
 * Context: process.
 * Return: the file, to be given back by vnode_pager_putfile(); NULL when @fd is
 * not open.
 */
struct file *vnode_pager_getfile(int fd);

/**
 * vnode_pager_putfile() - give a file back
 * @file: the file
 *
 * Context: process.
 */
void vnode_pager_putfile(struct file *file);

/**
 * vnode_pager_maxprot() - what a mapping of a file may ever allow
 * @file: the file
 * @shared: of a shared mapping
 * @maxprot: where the VM_PROT_* go
 * @zero: set when @file is /dev/zero, whose private mapping is anonymous memory
 *
 * Context: any.
 * Return: 0, -ENODEV when the file cannot be mapped.
 */
int vnode_pager_maxprot(struct file *file, bool shared, vm_prot_t *maxprot,
			bool *zero);

/**
 * vnode_pager_cdev() - is the file a device whose memory could be mapped?
 * @file: the file
 * @shared: for a shared mapping
 * @maxprot: where it goes what such a mapping may ever allow
 * @dev: where the number of the device goes
 *
 * Return: true for a character device, but for /dev/zero.
 */
bool vnode_pager_cdev(struct file *file, bool shared, vm_prot_t *maxprot,
		      dev_t *dev);

/**
 * vnode_pager_unlinked() - is the file without a name?
 * @file: the file
 *
 * Return: true when nobody will find it once it is closed, so that writing it back
 * before its pages are needed serves nobody.
 */
bool vnode_pager_unlinked(struct file *file);

/**
 * vnode_pager_denies_write() - is the file immutable, append-only or Linux's swap?
 * @file: the file
 *
 * Return: true when shared mappings of it may not be writable.
 */
bool vnode_pager_denies_write(struct file *file);

/**
 * vnode_pager_alloc() - the object of a file
 * @file: the file
 * @write: pages will be written through it (a shared writable mapping)
 * @objectp: where the object goes, with one reference for the caller
 *
 * Waits killably where the file's last object is still writing its pages back.
 *
 * Context: process, may sleep, no VM lock held.
 * Return: 0, -ENOMEM, -EINTR, or what opening the file once more answered.
 */
int vnode_pager_alloc(struct file *file, bool write, struct vm_object **objectp);

/**
 * vnode_pager_getattr() - what is known of an object's file
 * @object: an object of type OBJT_VNODE
 * @attr: where it goes
 *
 * Context: any.
 */
void vnode_pager_getattr(struct vm_object *object, struct vnode_attr *attr);

/**
 * vnode_pager_path() - path of an object's file, as the caller sees it
 * @object: an object of type OBJT_VNODE
 * @buf: room for it
 * @len: bytes of @buf
 *
 * Context: process.
 * Return: the path, somewhere in @buf; NULL when it does not fit.
 */
const char *vnode_pager_path(struct vm_object *object, char *buf, size_t len);

#endif /* BSDVM_VNODE_PAGER_H */
