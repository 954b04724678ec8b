/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * shm: descriptors of shared memory objects.
 */
#ifndef BSDVM_SHM_H
#define BSDVM_SHM_H

#include "vm/uipc_shm.h"

struct bsdvm_shm_open;
struct bsdvm_shm_rename;
struct bsdvm_shm_seals;
struct bsdvm_shm_unlink;
struct file;

/**
 * shm_file_open() - the call shm_open2(2), up to the descriptor
 * @req: what; @req->fd: out: a descriptor, reserved
 * @filep: where the file goes that is to be installed there
 *
 * Context: process, may sleep.
 * Return: 0, and the caller gives both to shm_file_install(); -EINVAL,
 * -EOPNOTSUPP, -EFAULT, -ENAMETOOLONG, -EMFILE, -ENFILE, -ENOMEM, or what
 * kern_shm_open() says.
 */
int shm_file_open(struct bsdvm_shm_open *req, struct file **filep);

/**
 * shm_file_install() - make a descriptor of what shm_file_open() gave, or undo it
 * @fd: the descriptor
 * @file: the file
 * @undo: undo it
 *
 * Context: process.
 */
void shm_file_install(int fd, struct file *file, bool undo);

/**
 * shm_file_get() - the shared memory object of a descriptor
 * @fd: the descriptor
 * @prot: where what it allows goes, VM_PROT_*
 *
 * Context: process.
 * Return: the object, to be given back by shm_drop(); NULL when @fd is something
 * else, or not open.
 */
struct shmfd *shm_file_get(int fd, vm_prot_t *prot);

/**
 * shm_file_unlink() - the call shm_unlink(2)
 * @req: what
 *
 * Context: process, may sleep.
 * Return: 0; -EINVAL, -EFAULT, -ENAMETOOLONG; or what kern_shm_unlink() says.
 */
int shm_file_unlink(const struct bsdvm_shm_unlink *req);

/**
 * shm_file_rename() - the call shm_rename(2)
 * @req: what
 *
 * Context: process, may sleep.
 * Return: 0; -EINVAL, -EFAULT, -ENAMETOOLONG; or what kern_shm_rename() says.
 */
int shm_file_rename(const struct bsdvm_shm_rename *req);

/**
 * shm_file_seals() - the calls F_ADD_SEALS and F_GET_SEALS of fcntl(2)
 * @req: what; @req->seals: out: the seals there are
 *
 * Context: process, may sleep.
 * Return: 0; -EINVAL, -EBADF, -EPERM, -EBUSY, -EINTR.
 */
int shm_file_seals(struct bsdvm_shm_seals *req);

#endif /* BSDVM_SHM_H */
