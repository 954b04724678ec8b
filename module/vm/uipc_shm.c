// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * uipc_shm: shared memory objects, their pages and their names.
 *
 * The pages belong to a vm_object: what is mapped outlives the shmfd. Its type is
 * OBJT_SWAP, or OBJT_PHYS when the tunable kern.ipc.shm_use_phys was set.
 * The object is never anonymous to the rest of the VM
 * system (OBJ_ANON), so nobody collapses it, extends it, or frees a part of it
 * because one mapping is gone.
 *
 * Swap is reserved for the whole size, whoever maps it, and given back with the
 * object.
 *
 * Locks: shmfd.lock stands outside of all VM locks and of mmap_lock, like the lock
 * of a file: user memory may be touched under it. It is never taken in a fault.
 * shm_dict_lock guards the names, shmfd.attr_lock owner and times; both are taken
 * with no other lock of ours inside.
 */
#include "uipc_shm.h"

#include <bsdvm.h>

#include "phys_pager.h"
#include "pmap.h"
#include "swap_reserve.h"
#include "vm_fault.h"
#include "vm_page.h"
#include "vm_pager.h"
#include "vm_user.h"
#include "vmmeter.h"

#define SHM_OPEN_FLAGS \
	(BSDVM_O_RDWR | BSDVM_O_CREAT | BSDVM_O_TRUNC | BSDVM_O_EXCL | BSDVM_O_CLOEXEC)
#define SHM_ACCMODE	3

#define SHM_FLAGS \
	(BSDVM_SHM_ALLOW_SEALING | BSDVM_SHM_GROW_ON_WRITE | BSDVM_SHM_LARGEPAGE)

#define SHM_SEALS \
	(BSDVM_F_SEAL_SEAL | BSDVM_F_SEAL_SHRINK | BSDVM_F_SEAL_GROW | BSDVM_F_SEAL_WRITE)

/* read, write and run, for each of user, group and others */
#define ACCESSPERMS	0777
#define ACCESS_READ	04
#define ACCESS_WRITE	02

/**
 * struct shmfd - a shared memory object
 * @refs: (A) one of each name, one of each open descriptor, short ones
 * @lock: this object's lock
 * @object: (C) its pages; referenced
 * @size: (S) bytes; object.size is the pages they are in
 * @seals: (S) BSDVM_F_SEAL_*
 * @mmaps: (A) mappings that are being made
 * @shmflags: (C) BSDVM_SHM_*
 * @ino: (C) a number that names it
 * @attr_lock: guards the rest; a leaf
 * @uid: (T) owner
 * @gid: (T) group
 * @mode: (T) permission bits
 * @atime: (T) last mapped
 * @mtime: (T) last truncated
 * @ctime: (T) likewise
 * @btime: (C) made
 *
 * Locks: (A) atomic, (C) constant, (S) lock, (T) attr_lock.
 */
struct shmfd {
	refcount_t refs;
	struct rw_semaphore lock; /* outside of all VM locks */
	struct vm_object *object;
	u64 size;
	u32 seals;
	atomic_t mmaps;
	u32 shmflags;
	u64 ino;
	spinlock_t attr_lock; /* owner, mode, times */
	kuid_t uid;
	kgid_t gid;
	u32 mode;
	s64 atime;
	s64 mtime;
	s64 ctime;
	s64 btime;
};

/**
 * struct shm_mapping - a name
 * @node: (D) place in the dictionary
 * @shmfd: (D) what it names, referenced
 * @path: (C) the name
 *
 * Locks: (C) constant, (D) shm_dict_lock.
 */
struct shm_mapping {
	struct rb_node node;
	struct shmfd *shmfd;
	char path[];
};

unsigned int shm_use_phys;

static struct rb_root shm_dictionary = RB_ROOT;
static DEFINE_MUTEX(shm_dict_lock);
static atomic64_t shm_next_ino;

MALLOC_DEFINE(M_SHMFD, "shmfd", "shared memory objects and their names");

/* --- objects */

static struct shmfd *shm_alloc(u32 mode, u32 shmflags)
{
	struct shmfd *shmfd = malloc(sizeof(*shmfd), M_SHMFD, M_NOWAIT | M_ZERO);

	if (!shmfd)
		return NULL;
	shmfd->object = vm_object_allocate(READ_ONCE(shm_use_phys) ? OBJT_PHYS : OBJT_SWAP, 0);
	if (!shmfd->object) {
		free(shmfd, M_SHMFD);
		return NULL;
	}
	refcount_set(&shmfd->refs, 1);
	init_rwsem(&shmfd->lock);
	spin_lock_init(&shmfd->attr_lock);
	shmfd->seals = shmflags & BSDVM_SHM_ALLOW_SEALING ? 0 : BSDVM_F_SEAL_SEAL;
	shmfd->shmflags = shmflags;
	shmfd->ino = atomic64_inc_return(&shm_next_ino);
	shmfd->uid = current_fsuid();
	shmfd->gid = current_fsgid();
	shmfd->mode = mode & ACCESSPERMS;
	shmfd->btime = ktime_get_real_ns();
	shmfd->atime = shmfd->btime;
	shmfd->mtime = shmfd->btime;
	shmfd->ctime = shmfd->btime;
	return shmfd;
}

struct shmfd *shm_hold(struct shmfd *shmfd)
{
	refcount_inc(&shmfd->refs);
	return shmfd;
}

void shm_drop(struct shmfd *shmfd)
{
	if (!shmfd || !refcount_dec_and_test(&shmfd->refs))
		return;
	vm_object_deallocate(shmfd->object);
	free(shmfd, M_SHMFD);
}
EXPORT_SYMBOL_IF_KUNIT(shm_drop);

u64 shm_size(struct shmfd *shmfd)
{
	return READ_ONCE(shmfd->size);
}

/* May the caller do as much (ACCESS_*) with it? */
static int shm_access(struct shmfd *shmfd, u32 want)
{
	u32 mode;

	spin_lock(&shmfd->attr_lock);
	mode = shmfd->mode;
	if (uid_eq(shmfd->uid, current_fsuid()))
		mode >>= 6;
	else if (in_group_p(shmfd->gid))
		mode >>= 3;
	spin_unlock(&shmfd->attr_lock);
	return !(want & ~mode) || capable(CAP_DAC_OVERRIDE) ? 0 : -EACCES;
}

/*
 * Free the pages from @start on. One that is busied is on its way in, and goes when it
 * has come; a wired one must stay, and becomes zero.
 */
static void shm_remove_pages(struct vm_object *object, vm_pindex_t start)
{
	bool phys = object->type == OBJT_PHYS;
	unsigned long index;
	struct vm_page *m;

	VM_OBJECT_ASSERT_WLOCKED(object);
	xa_for_each_range(&object->pages, index, m, start, ULONG_MAX) {
		if (vm_page_busied(m)) {
			set_bit(PGA_GONE, &m->aflags);
			continue;
		}
		pmap_remove_all(m);
		if (vm_page_wired_beside(m, phys)) {
			pmap_zero_page(m);
			vm_page_dirty(m);
		} else if (phys) {
			phys_pager_destroy(m);
		} else {
			vm_page_destroy(m);
		}
		cond_resched();
	}
	vm_pager_freespace(object, start, 0);
}

/* Zero the last page from @length on, where that is not its start. */
static void shm_zero_tail(struct vm_object *object, u64 length)
{
	u64 base = length & VM_PAGE_MASK;
	struct vm_page *m;

	if (!base)
		return;
	m = vm_page_lookup(object, OFF_TO_IDX(length));
	if (!m)
		return;
	vm_pager_page_unswapped(m);
	memset(pmap_quick_enter_page(m) + base, 0, VM_PAGE_SIZE - base);
	vm_page_dirty(m);
}

/*
 * Lock the object with the last page that @length leaves resident, if there is one.
 */
static int shm_lock_tail(struct vm_object *object, u64 length)
{
	vm_pindex_t pindex = OFF_TO_IDX(length);
	struct vm_page *m;
	int ret = 0;

	VM_OBJECT_WLOCK(object);
	while (length & VM_PAGE_MASK) {
		m = vm_page_lookup(object, pindex);
		if (m ? !vm_page_busied(m) : !vm_pager_has_page(object, pindex))
			break;
		VM_OBJECT_WUNLOCK(object);
		ret = vm_object_pagein(object, pindex);
		if (ret)
			break;
		VM_OBJECT_WLOCK(object);
	}
	return ret;
}

static int shm_dotruncate_locked(struct shmfd *shmfd, u64 length)
{
	struct vm_object *object = shmfd->object;
	vm_pindex_t old = object->size, new = OFF_TO_IDX(round_page(length));
	int ret;

	lockdep_assert_held_write(&shmfd->lock);
	if (length == shmfd->size)
		return 0;
	if (shmfd->seals & (length < shmfd->size ? BSDVM_F_SEAL_SHRINK : BSDVM_F_SEAL_GROW))
		return -EPERM;
	if (new > old && !swap_reserve(IDX_TO_OFF(new - old)))
		return -ENOMEM;

	ret = shm_lock_tail(object, length);
	if (ret) {
		if (new > old)
			swap_release(IDX_TO_OFF(new - old));
		return ret;
	}
	/* From now on no fault brings a page in behind the end. */
	object->size = new;
	object->charge = IDX_TO_OFF(new);
	if (length < shmfd->size)
		shm_zero_tail(object, length);
	/*
	 * Where it grows: what could not be freed when it shrank. Somebody who held
	 * such a page may have written to it since.
	 */
	shm_remove_pages(object, min(old, new));
	VM_OBJECT_WUNLOCK(object);
	WRITE_ONCE(shmfd->size, length);
	if (new < old)
		swap_release(IDX_TO_OFF(old - new));

	spin_lock(&shmfd->attr_lock);
	shmfd->mtime = ktime_get_real_ns();
	shmfd->ctime = shmfd->mtime;
	spin_unlock(&shmfd->attr_lock);
	return 0;
}

int shm_dotruncate(struct shmfd *shmfd, u64 length)
{
	int ret;

	if (down_write_killable(&shmfd->lock))
		return -EINTR;
	ret = shm_dotruncate_locked(shmfd, length);
	up_write(&shmfd->lock);
	return ret;
}
EXPORT_SYMBOL_IF_KUNIT(shm_dotruncate);

/* --- content */

/* Read or write what lies below the end. The object is locked, by the caller. */
static ssize_t shm_uiomove(struct shmfd *shmfd, u64 pos, size_t len, bool write, shm_copy_t copy,
			   void *cookie)
{
	size_t done = 0, count, copied;
	struct vm_page *m;
	int ret = 0;
	u64 base;

	lockdep_assert_held(&shmfd->lock);
	while (!ret && done < len && pos < shmfd->size) {
		base = pos & VM_PAGE_MASK;
		count = min3((u64)len - done, VM_PAGE_SIZE - base, shmfd->size - pos);
		ret = vm_object_grab_page(shmfd->object, OFF_TO_IDX(pos), write, &m);
		if (ret)
			break;
		copied = copy(cookie, m ? pmap_quick_enter_page(m) + base : NULL, count);
		if (m) {
			if (write)
				vm_object_page_written(shmfd->object, m);
			vm_page_unwire(m, PQ_ACTIVE);
		}
		done += copied;
		pos += copied;
		if (copied != count)
			ret = -EFAULT;
		else if (fatal_signal_pending(current))
			ret = -EINTR;
		cond_resched();
	}
	return done ? done : ret;
}

ssize_t shm_read(struct shmfd *shmfd, u64 pos, size_t len, shm_copy_t copy, void *cookie)
{
	ssize_t ret;

	if (down_read_killable(&shmfd->lock))
		return -EINTR;
	ret = shm_uiomove(shmfd, pos, len, false, copy, cookie);
	up_read(&shmfd->lock);
	return ret;
}
EXPORT_SYMBOL_IF_KUNIT(shm_read);

static ssize_t shm_write_locked(struct shmfd *shmfd, u64 pos, size_t len, shm_copy_t copy,
				void *cookie)
{
	u64 end;
	int ret;

	if (shmfd->seals & BSDVM_F_SEAL_WRITE)
		return -EPERM;
	if (shmfd->shmflags & BSDVM_SHM_GROW_ON_WRITE) {
		if (check_add_overflow(pos, (u64)len, &end) || end > S64_MAX)
			return -EFBIG;
		if (end > shmfd->size) {
			ret = shm_dotruncate_locked(shmfd, end);
			if (ret)
				return ret;
		}
	}
	return shm_uiomove(shmfd, pos, len, true, copy, cookie);
}

ssize_t shm_write(struct shmfd *shmfd, u64 pos, size_t len, shm_copy_t copy, void *cookie)
{
	ssize_t ret;

	/* Exclusively: a read sees all of a write or nothing, and so does a seal. */
	if (down_write_killable(&shmfd->lock))
		return -EINTR;
	ret = shm_write_locked(shmfd, pos, len, copy, cookie);
	up_write(&shmfd->lock);
	return ret;
}
EXPORT_SYMBOL_IF_KUNIT(shm_write);

/* --- mappings and seals */

int shm_mmap(struct shmfd *shmfd, vm_prot_t fd_prot, bool shared, vm_prot_t prot,
	     vm_prot_t *maxprot, struct vm_object **object)
{
	vm_prot_t max = 0;
	int ret = 0;

	if (down_read_killable(&shmfd->lock))
		return -EINTR;
	if (fd_prot & VM_PROT_READ)
		max |= VM_PROT_READ | VM_PROT_EXECUTE;
	/* What is written privately is nobody's else. */
	if (!shared || ((fd_prot & VM_PROT_WRITE) && !(shmfd->seals & BSDVM_F_SEAL_WRITE)))
		max |= VM_PROT_WRITE;
	max &= *maxprot;
	if (prot & ~max) {
		ret = -EACCES;
		goto unlock;
	}
	vm_object_reference(shmfd->object);
	*maxprot = max;
	*object = shmfd->object;
	spin_lock(&shmfd->attr_lock);
	shmfd->atime = ktime_get_real_ns();
	spin_unlock(&shmfd->attr_lock);
unlock:
	up_read(&shmfd->lock);
	return ret;
}
EXPORT_SYMBOL_IF_KUNIT(shm_mmap);

void shm_mmap_begin(struct shmfd *shmfd)
{
	if (shmfd)
		atomic_inc(&shmfd->mmaps);
}
EXPORT_SYMBOL_IF_KUNIT(shm_mmap_begin);

void shm_mmap_end(struct shmfd *shmfd)
{
	if (shmfd)
		atomic_dec_return_release(&shmfd->mmaps);
}
EXPORT_SYMBOL_IF_KUNIT(shm_mmap_end);

static int shm_add_seals_locked(struct shmfd *shmfd, u32 seals)
{
	if (seals & ~SHM_SEALS)
		return -EINVAL;
	if (shmfd->seals & BSDVM_F_SEAL_SEAL)
		return -EPERM;
	if (seals & ~shmfd->seals & BSDVM_F_SEAL_WRITE) {
		/*
		 * What passed shm_mmap() is counted, here first and then by the map;
		 * what did not will see the seal.
		 */
		if (atomic_read_acquire(&shmfd->mmaps) ||
		    atomic64_read(&shmfd->object->writemappings))
			return -EBUSY;
	}
	shmfd->seals |= seals;
	return 0;
}

int shm_add_seals(struct shmfd *shmfd, u32 seals)
{
	int ret;

	if (down_write_killable(&shmfd->lock))
		return -EINTR;
	ret = shm_add_seals_locked(shmfd, seals);
	up_write(&shmfd->lock);
	return ret;
}
EXPORT_SYMBOL_IF_KUNIT(shm_add_seals);

u32 shm_get_seals(struct shmfd *shmfd)
{
	return READ_ONCE(shmfd->seals);
}
EXPORT_SYMBOL_IF_KUNIT(shm_get_seals);

/* --- owner, mode, times */

int shm_chmod(struct shmfd *shmfd, u32 mode)
{
	bool privileged = capable(CAP_FOWNER);
	int ret = -EPERM;

	spin_lock(&shmfd->attr_lock);
	if (privileged || uid_eq(shmfd->uid, current_fsuid())) {
		shmfd->mode = mode & ACCESSPERMS;
		shmfd->ctime = ktime_get_real_ns();
		ret = 0;
	}
	spin_unlock(&shmfd->attr_lock);
	return ret;
}
EXPORT_SYMBOL_IF_KUNIT(shm_chmod);

int shm_chown(struct shmfd *shmfd, kuid_t uid, kgid_t gid)
{
	bool privileged = capable(CAP_CHOWN), owner;
	int ret = -EPERM;

	spin_lock(&shmfd->attr_lock);
	if (!uid_valid(uid))
		uid = shmfd->uid;
	if (!gid_valid(gid))
		gid = shmfd->gid;
	owner = uid_eq(shmfd->uid, current_fsuid());
	if (privileged || (owner && uid_eq(uid, shmfd->uid) &&
			   (gid_eq(gid, shmfd->gid) || in_group_p(gid)))) {
		shmfd->uid = uid;
		shmfd->gid = gid;
		shmfd->ctime = ktime_get_real_ns();
		ret = 0;
	}
	spin_unlock(&shmfd->attr_lock);
	return ret;
}
EXPORT_SYMBOL_IF_KUNIT(shm_chown);

void shm_stat(struct shmfd *shmfd, struct shm_attr *attr)
{
	struct vm_object *object = shmfd->object;

	attr->ino = shmfd->ino;
	attr->size = shm_size(shmfd);
	attr->resident = READ_ONCE(object->resident_page_count);
	attr->nlink = refcount_read(&object->ref_count);
	attr->btime = shmfd->btime;
	spin_lock(&shmfd->attr_lock);
	attr->uid = shmfd->uid;
	attr->gid = shmfd->gid;
	attr->mode = shmfd->mode;
	attr->atime = shmfd->atime;
	attr->mtime = shmfd->mtime;
	attr->ctime = shmfd->ctime;
	spin_unlock(&shmfd->attr_lock);
}
EXPORT_SYMBOL_IF_KUNIT(shm_stat);

/* --- names */

static int shm_mapping_cmp(const void *path, const struct rb_node *node)
{
	return strcmp(path, rb_entry(node, struct shm_mapping, node)->path);
}

static bool shm_mapping_less(struct rb_node *a, const struct rb_node *b)
{
	return shm_mapping_cmp(rb_entry(a, struct shm_mapping, node)->path, b) < 0;
}

static struct shm_mapping *shm_lookup(const char *path)
{
	lockdep_assert_held(&shm_dict_lock);
	return rb_entry_safe(rb_find(path, &shm_dictionary, shm_mapping_cmp), struct shm_mapping,
			     node);
}

static struct shm_mapping *shm_mapping_alloc(const char *path)
{
	size_t len = strlen(path) + 1;
	struct shm_mapping *map = malloc(struct_size(map, path, len), M_SHMFD, M_NOWAIT);

	if (map)
		memcpy(map->path, path, len);
	return map;
}

/* The dictionary takes over the reference. */
static void shm_insert(struct shm_mapping *map, struct shmfd *shmfd)
{
	lockdep_assert_held(&shm_dict_lock);
	map->shmfd = shmfd;
	rb_add(&map->node, &shm_dictionary, shm_mapping_less);
}

/* The reference passes to the caller, with the name's memory. */
static void shm_remove(struct shm_mapping *map)
{
	lockdep_assert_held(&shm_dict_lock);
	rb_erase(&map->node, &shm_dictionary);
}

int shm_open_check(u32 flags, u32 shmflags)
{
	u32 accmode = flags & SHM_ACCMODE;

	if (shmflags & ~SHM_FLAGS)
		return -EINVAL;
	if (accmode != BSDVM_O_RDONLY && accmode != BSDVM_O_RDWR)
		return -EINVAL;
	if (flags & ~SHM_OPEN_FLAGS)
		return -EINVAL;
	return shmflags & BSDVM_SHM_LARGEPAGE ? -EOPNOTSUPP : 0;
}

static bool shm_open_writes(u32 flags)
{
	return (flags & SHM_ACCMODE) == BSDVM_O_RDWR;
}

/* May what exists be opened so? If so, open it. */
static int shm_open_old(struct shmfd *shmfd, u32 flags, u32 shmflags)
{
	int ret = 0;

	if (down_write_killable(&shmfd->lock))
		return -EINTR;
	if ((flags & BSDVM_O_CREAT) && (flags & BSDVM_O_EXCL))
		ret = -EEXIST;
	else if (shmflags && shmflags != shmfd->shmflags)
		ret = -EINVAL;
	else
		ret = shm_access(shmfd, ACCESS_READ | (shm_open_writes(flags) ? ACCESS_WRITE : 0));
	if (!ret && shm_open_writes(flags) && (flags & BSDVM_O_TRUNC))
		ret = shm_dotruncate_locked(shmfd, 0);
	/* Who opens it without asking for seals ends the time of sealing. */
	if (!ret && !(shmflags & BSDVM_SHM_ALLOW_SEALING))
		shmfd->seals |= BSDVM_F_SEAL_SEAL;
	up_write(&shmfd->lock);
	return ret;
}

static int shm_open_new(const char *path, u32 mode, u32 shmflags, struct shmfd **shmfdp)
{
	struct shm_mapping *map = shm_mapping_alloc(path);

	*shmfdp = shm_alloc(mode, shmflags);
	if (!map || !*shmfdp) {
		free(map, M_SHMFD);
		shm_drop(*shmfdp);
		return -ENOMEM;
	}
	shm_insert(map, shm_hold(*shmfdp));
	return 0;
}

int kern_shm_open(const char *path, u32 flags, u32 mode, u32 shmflags, struct shmfd **shmfdp)
{
	struct shm_mapping *map;
	int ret;

	if (!path) {
		/* Nobody could ever put anything into it. */
		if (!shm_open_writes(flags))
			return -EINVAL;
		*shmfdp = shm_alloc(mode, shmflags);
		return *shmfdp ? 0 : -ENOMEM;
	}
	mutex_lock(&shm_dict_lock);
	map = shm_lookup(path);
	if (!map) {
		ret = flags & BSDVM_O_CREAT ? shm_open_new(path, mode, shmflags, shmfdp) : -ENOENT;
		mutex_unlock(&shm_dict_lock);
		return ret;
	}
	*shmfdp = shm_hold(map->shmfd);
	mutex_unlock(&shm_dict_lock);
	/* Its lock may be held by who waits for a page: not under the dictionary's. */
	ret = shm_open_old(*shmfdp, flags, shmflags);
	if (ret)
		shm_drop(*shmfdp);
	return ret;
}
EXPORT_SYMBOL_IF_KUNIT(kern_shm_open);

int kern_shm_unlink(const char *path)
{
	struct shm_mapping *map;
	int ret = -ENOENT;

	mutex_lock(&shm_dict_lock);
	map = shm_lookup(path);
	if (map)
		ret = shm_access(map->shmfd, ACCESS_READ | ACCESS_WRITE);
	if (!ret)
		shm_remove(map);
	mutex_unlock(&shm_dict_lock);
	if (!ret) {
		shm_drop(map->shmfd);
		free(map, M_SHMFD);
	}
	return ret;
}
EXPORT_SYMBOL_IF_KUNIT(kern_shm_unlink);

static int shm_rename_check(const struct shm_mapping *from, const struct shm_mapping *to, u32 flags)
{
	int ret;

	if (!from)
		return -ENOENT;
	if (to && (flags & BSDVM_SHM_RENAME_NOREPLACE))
		return -EEXIST;
	ret = shm_access(from->shmfd, ACCESS_READ | ACCESS_WRITE);
	if (!ret && to)
		ret = shm_access(to->shmfd, ACCESS_READ | ACCESS_WRITE);
	return ret;
}

int kern_shm_rename(const char *from, const char *to, u32 flags)
{
	struct shm_mapping *map_from, *map_to, *new, *gone = NULL;
	int ret;

	if (flags & ~(BSDVM_SHM_RENAME_NOREPLACE | BSDVM_SHM_RENAME_EXCHANGE) ||
	    flags == (BSDVM_SHM_RENAME_NOREPLACE | BSDVM_SHM_RENAME_EXCHANGE))
		return -EINVAL;
	if (!strcmp(from, to))
		return 0;
	new = shm_mapping_alloc(to);
	if (!new)
		return -ENOMEM;

	mutex_lock(&shm_dict_lock);
	map_from = shm_lookup(from);
	map_to = shm_lookup(to);
	ret = shm_rename_check(map_from, map_to, flags);
	if (ret)
		goto unlock;
	if (map_to)
		swap(map_from->shmfd, map_to->shmfd);
	if (!map_to || !(flags & BSDVM_SHM_RENAME_EXCHANGE)) {
		shm_remove(map_from);
		gone = map_from;
	}
	if (!map_to) {
		shm_insert(new, gone->shmfd);
		gone->shmfd = NULL;
		new = NULL;
	}
unlock:
	mutex_unlock(&shm_dict_lock);
	free(new, M_SHMFD);
	if (gone) {
		shm_drop(gone->shmfd);
		free(gone, M_SHMFD);
	}
	return ret;
}
EXPORT_SYMBOL_IF_KUNIT(kern_shm_rename);

void uipc_shm_fini(void)
{
	struct shm_mapping *map, *next;

	rbtree_postorder_for_each_entry_safe(map, next, &shm_dictionary, node) {
		shm_drop(map->shmfd);
		free(map, M_SHMFD);
	}
	shm_dictionary = RB_ROOT;
}
