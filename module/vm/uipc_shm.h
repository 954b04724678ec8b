/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * uipc_shm: shared memory objects, and the dictionary of their names.
 *
 *	name ──► shmfd ──► vm_object ◄── entries that map it
 *	           ▲
 *	    open descriptors
 *
 * An object of shared memory has a size in bytes, an owner and a mode as a file
 * has; it lives as long as a name, a descriptor or a mapping refers to it. Pages
 * come with the first touch, zeroed; a page behind the end is out of bounds.
 *
 * (shm_open(2), memfd_create(3); FreeBSD sys/kern/uipc_shm.c for the names.)
 */
#ifndef BSDVM_UIPC_SHM_H
#define BSDVM_UIPC_SHM_H

#include "malloc.h"
#include "vm_object.h"

struct shmfd;

/* The objects and their names. */
MALLOC_DECLARE(M_SHMFD);

/* Tunable: what is made from now on stays in memory (kern.ipc.shm_use_phys). */
extern unsigned int shm_use_phys;

/**
 * struct shm_attr - what stat(2) tells of a shared memory object
 * @ino: a number that names it
 * @size: bytes
 * @resident: resident pages
 * @nlink: references to its pages' object
 * @uid: owner
 * @gid: group
 * @mode: permission bits
 * @atime: last mapped, ns
 * @mtime: last truncated, ns
 * @ctime: likewise
 * @btime: made, ns
 */
struct shm_attr {
	u64 ino;
	u64 size;
	u64 resident;
	u32 nlink;
	kuid_t uid;
	kgid_t gid;
	u32 mode;
	s64 atime;
	s64 mtime;
	s64 ctime;
	s64 btime;
};

/**
 * uipc_shm_fini() - forget all names; no descriptor and no mapping is left
 *
 * Context: shut-down only, before vm_object_fini().
 */
void uipc_shm_fini(void);

/**
 * shm_open_check() - are the flags of kern_shm_open() allowed at all?
 * @flags: BSDVM_O_*
 * @shmflags: BSDVM_SHM_*
 *
 * Return: 0; -EINVAL; -EOPNOTSUPP for BSDVM_SHM_LARGEPAGE.
 */
int shm_open_check(u32 flags, u32 shmflags);

/**
 * kern_shm_open() - find or make a shared memory object
 * @path: its name, from '/' on; NULL for one without a name
 * @flags: BSDVM_O_*, which shm_open_check() has let pass
 * @mode: permission bits of a new one
 * @shmflags: BSDVM_SHM_*
 * @shmfdp: where it goes, referenced
 *
 * Context: process, may sleep.
 * Return: 0; -EINVAL for one without a name and read-only, or @shmflags that an
 * old one was not made with; -ENOENT; -EEXIST; -EACCES; -EPERM where
 * BSDVM_O_TRUNC meets a seal; -ENOMEM; -EINTR.
 */
int kern_shm_open(const char *path, u32 flags, u32 mode, u32 shmflags,
		  struct shmfd **shmfdp);

/**
 * kern_shm_unlink() - take a name away
 * @path: the name
 *
 * Context: process, may sleep.
 * Return: 0; -ENOENT; -EACCES for who may not read and write the object.
 */
int kern_shm_unlink(const char *path);

/**
 * kern_shm_rename() - give an object another name
 * @from: its name
 * @to: the name it gets; what had it loses it
 * @flags: BSDVM_SHM_RENAME_NOREPLACE: not where that is in use;
 *	BSDVM_SHM_RENAME_EXCHANGE: what had it gets @from
 *
 * Context: process, may sleep.
 * Return: 0; -EINVAL for other flags or both; -ENOENT; -EEXIST; -EACCES for who
 * may not read and write both objects; -ENOMEM.
 */
int kern_shm_rename(const char *from, const char *to, u32 flags);

/**
 * shm_hold() - one more reference
 * @shmfd: an object that the caller has a reference to
 *
 * Return: @shmfd.
 */
struct shmfd *shm_hold(struct shmfd *shmfd);

/**
 * shm_drop() - drop a reference
 * @shmfd: the object, or NULL
 *
 * Context: process, may sleep, no VM lock held.
 */
void shm_drop(struct shmfd *shmfd);

/**
 * shm_size() - how many bytes it has now
 * @shmfd: the object
 *
 * Return: bytes.
 */
u64 shm_size(struct shmfd *shmfd);

/**
 * shm_dotruncate() - change the size
 * @shmfd: the object
 * @length: bytes
 *
 * What lies behind a new end is unmapped everywhere and freed; the rest of the
 * last page is zeroed. A wired page stays where it is, zeroed and out of reach.
 *
 * Context: process, may sleep, no VM lock held.
 * Return: 0; -EPERM where a seal forbids it; -ENOMEM when no swap can be
 * reserved; -EINTR.
 */
int shm_dotruncate(struct shmfd *shmfd, u64 length);

/**
 * typedef shm_copy_t - copies a piece of a page out, or in
 * @cookie: what shm_read() or shm_write() was given
 * @at: the bytes; NULL, in shm_read() only, for so many zeroes
 * @count: how many
 *
 * Called with no VM lock held but that of the shared memory object, outside of
 * all others: it may touch user memory.
 *
 * Return: bytes copied; fewer than @count when user memory cannot be accessed.
 */
typedef size_t (*shm_copy_t)(void *cookie, void *at, size_t count);

/**
 * shm_read() - read, as from a file
 * @shmfd: the object
 * @pos: from which byte on
 * @len: how many
 * @copy: takes the bytes
 * @cookie: for @copy
 *
 * Where no page is, zeroes are read and none is made.
 *
 * Context: process, may sleep, no VM lock held.
 * Return: bytes read, 0 at the end; -EFAULT; -EINTR.
 */
ssize_t shm_read(struct shmfd *shmfd, u64 pos, size_t len, shm_copy_t copy,
		 void *cookie);

/**
 * shm_write() - write, as to a file
 * @shmfd: the object
 * @pos: from which byte on
 * @len: how many
 * @copy: gives the bytes
 * @cookie: for @copy
 *
 * Writes no further than the end, unless the object was made with
 * BSDVM_SHM_GROW_ON_WRITE.
 *
 * Context: process, may sleep, no VM lock held.
 * Return: bytes written, 0 behind the end; -EPERM where a seal forbids it; -EFBIG
 * for an end that cannot be; -ENOMEM; -EFAULT; -EINTR.
 */
ssize_t shm_write(struct shmfd *shmfd, u64 pos, size_t len, shm_copy_t copy,
		  void *cookie);

/**
 * shm_mmap() - the object to map
 * @shmfd: the shared memory object
 * @fd_prot: what the descriptor allows, VM_PROT_*
 * @shared: for a shared mapping
 * @prot: protection wanted
 * @maxprot: in: bound of it; out: what later mprotect calls may set
 * @object: where the object goes, with one reference for the caller
 *
 * Between shm_mmap_begin() and shm_mmap_end().
 *
 * Context: process, may sleep, no VM lock held.
 * Return: 0; -EACCES; -EINTR.
 */
int shm_mmap(struct shmfd *shmfd, vm_prot_t fd_prot, bool shared,
	     vm_prot_t prot, vm_prot_t *maxprot, struct vm_object **object);

/**
 * shm_mmap_begin() - a mapping of an object is about to be made
 * @shmfd: the object, or NULL
 *
 * Context: any.
 */
void shm_mmap_begin(struct shmfd *shmfd);

/**
 * shm_mmap_end() - the mapping has been made, or not
 * @shmfd: the object, or NULL
 *
 * Context: any.
 */
void shm_mmap_end(struct shmfd *shmfd);

/**
 * shm_add_seals() - forbid changes for good
 * @shmfd: the object
 * @seals: BSDVM_F_SEAL_*
 *
 * Against writing it may be sealed only while no map shares the object that may
 * write to it, or could come to by mprotect(2).
 *
 * Context: process, may sleep, no VM lock held.
 * Return: 0; -EINVAL for unknown seals; -EPERM when sealed against that; -EBUSY;
 * -EINTR.
 */
int shm_add_seals(struct shmfd *shmfd, u32 seals);

/**
 * shm_get_seals() - what is forbidden
 * @shmfd: the object
 *
 * Return: BSDVM_F_SEAL_*.
 */
u32 shm_get_seals(struct shmfd *shmfd);

/**
 * shm_chmod() - change the permission bits
 * @shmfd: the object
 * @mode: permission bits
 *
 * Context: process.
 * Return: 0; -EPERM for who neither owns it nor is privileged.
 */
int shm_chmod(struct shmfd *shmfd, u32 mode);

/**
 * shm_chown() - change owner and group
 * @shmfd: the object
 * @uid: owner, INVALID_UID to keep it
 * @gid: group, INVALID_GID to keep it
 *
 * The owner may give it to a group that it is in; the rest takes privilege.
 *
 * Context: process.
 * Return: 0; -EPERM.
 */
int shm_chown(struct shmfd *shmfd, kuid_t uid, kgid_t gid);

/**
 * shm_stat() - what is known of an object
 * @shmfd: the object
 * @attr: where it goes
 *
 * Context: process.
 */
void shm_stat(struct shmfd *shmfd, struct shm_attr *attr);

#endif /* BSDVM_UIPC_SHM_H */
