// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * swap_pager: anonymous and shared memory, out to swap devices and in again.
 *
 * A slot is named by its device's place in the table and its number there, in one word.
 * vm_object.swap is a tree of blocks, each with the slots of a run of pages. Page-out
 * takes a run of slots on one device, the next cluster goes to the next device. A slot
 * is entered in the object when the page has been written and nobody has changed it
 * meanwhile; until then nobody knows it but who writes. So what the tree names is
 * always the page's content, and a page that is resident beside its slot is clean.
 *
 * I/O goes straight from and to the pool's frames, by the file's own read_iter and
 * write_iter with no page of ours ever referenced: past the page cache where the file
 * can do that, through it where not (tmpfs, and the embedded device, which is tmpfs).
 *
 * Taking a device away: no new slots come from it; every object that has something
 * there is found in swap_objects, its pages are brought in and made dirty.
 *
 * Locks: swap_lock guards the table of devices, and inside it a device's lock its slots.
 * Both are leaves but for each other. swap_off_mutex stands outside of all VM locks.
 *
 * (McKusick et al., chapter 6.10, the swap pager.)
 */
#include "swap_pager.h"

#include <linux/blkdev.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/mount.h>
#include <linux/pagemap.h>
#include <linux/shmem_fs.h>
#include <linux/uio.h>

#include "pmap.h"
#include "swap_reserve.h"
#include "uma.h"
#include "vm_page.h"
#include "vmmeter.h"

#define SWAP_DEVICES_MAX	16
/* Where a slot's word has the place of its device, counted from 1: no slot is 0. */
#define SWAP_DEVICE_SHIFT	40
#define SWAPBLK_NONE		0

/* Pages whose slots a block has. */
#define SWAP_META_PAGES		16
/* Blocks that are there when no page is free: for some clusters of each who writes. */
#define SWBLK_RESERVE		64

/* Slots whose free ones are counted together: 2 MiB. */
#define SWAP_CHUNK		512

/* How long the embedded device keeps memory that it does not use, jiffies. */
#define SWAP_TRIM_DELAY		HZ

/* How often objects are counted again because somebody had one locked. */
#define SWAP_COUNT_TRIES	50

/* Pages that may come with one that is needed, to either side. */
#define SWAP_READ_AROUND	31

/**
 * struct swdevt - a swap device
 * @id: (C) its number, never used twice
 * @place: (C) where it is in the table
 * @flags: (T) SWAP_*
 * @file: (C) its open file
 * @nslots: (C) its slots
 * @lock: this device's lock
 * @map: (S) slots in use
 * @chunk_free: (S) free slots of each chunk
 * @trim: (S) chunks that have come to be free since their memory was given back
 * @used: (S) slots in use
 * @hint: (S) where the search for free slots begins
 * @errors: (A) slots that could not be read or written
 * @path: (C) its name
 *
 * Locks: (A) atomic, (C) constant, (S) lock, (T) swap_lock.
 */
struct swdevt {
	u32 id;
	u32 place;
	u32 flags;
	struct file *file;
	u64 nslots;
	spinlock_t lock; /* its slots */
	unsigned long *map;
	u16 *chunk_free;
	unsigned long *trim;
	u64 used;
	u64 hint;
	atomic64_t errors;
	char path[SWAP_PATH_MAX];
};

/**
 * struct swblk - the slots of a run of pages of an object
 * @slots: one for each page, SWAPBLK_NONE: it is not in swap
 *
 * Locks: a slot is entered with the object's lock held exclusively. It may be taken out
 * with that held shared, and the block goes with the last one: so who looks at a block
 * holds the lock of the tree, or the object's exclusively.
 */
struct swblk {
	u64 slots[SWAP_META_PAGES];
};

static struct uma_zone *swblk_zone;

static struct swdevt *swdevs[SWAP_DEVICES_MAX];
static DEFINE_SPINLOCK(swap_lock);
static u32 swap_next_id = 1;
/* The place in the table where the next cluster goes. */
static unsigned int swdevs_next;
/* Slots of devices that are not being taken away, and those in use; pages. */
static atomic64_t swap_slots = ATOMIC64_INIT(0);
static atomic64_t swap_used = ATOMIC64_INIT(0);
static DEFINE_MUTEX(swap_off_mutex);

atomic_t swap_pager_freed = ATOMIC_INIT(0);

/* Objects that have something in swap, by id; an object's entry changes with its lock. */
static DEFINE_XARRAY(swap_objects);

/* For tests: every n-th request to read or write fails. */
unsigned int swap_fail_read, swap_fail_write;
static atomic_t swap_reads, swap_writes;

static void swap_pager_trim(struct work_struct *work);
static DECLARE_DELAYED_WORK(swap_trim_work, swap_pager_trim);

/* --- slots */

static u64 slot_make(const struct swdevt *sw, u64 number)
{
	return (u64)(sw->place + 1) << SWAP_DEVICE_SHIFT | number;
}

/* The device of a slot in use, which keeps it there. */
static struct swdevt *slot_device(u64 slot)
{
	return READ_ONCE(swdevs[(slot >> SWAP_DEVICE_SHIFT) - 1]);
}

static u64 slot_number(u64 slot)
{
	return slot & ((1ULL << SWAP_DEVICE_SHIFT) - 1);
}

/* The first free slot at or behind @from, past chunks that have none. */
static u64 swdev_next_free(const struct swdevt *sw, u64 from)
{
	u64 at = from, limit, found;

	for (; at < sw->nslots; at = limit) {
		limit = min(sw->nslots, round_down(at, SWAP_CHUNK) + SWAP_CHUNK);
		if (!sw->chunk_free[at / SWAP_CHUNK])
			continue;
		found = find_next_zero_bit(sw->map, limit, at);
		if (found < limit)
			return found;
	}
	return sw->nslots;
}

static void swdev_count(struct swdevt *sw, u64 slot, bool use)
{
	lockdep_assert_held(&sw->lock);
	if (use) {
		__set_bit(slot, sw->map);
		sw->chunk_free[slot / SWAP_CHUNK]--;
		sw->used++;
	} else {
		__clear_bit(slot, sw->map);
		sw->chunk_free[slot / SWAP_CHUNK]++;
		sw->used--;
	}
}

/* A run of up to @want slots; *@got says how many. */
static u64 swdev_alloc(struct swdevt *sw, unsigned int want, unsigned int *got)
{
	u64 start, end;

	spin_lock(&sw->lock);
	start = swdev_next_free(sw, sw->hint);
	if (start == sw->nslots)
		start = swdev_next_free(sw, 0);
	for (end = start; end < sw->nslots && end - start < want && !test_bit(end, sw->map); end++)
		swdev_count(sw, end, true);
	sw->hint = end;
	spin_unlock(&sw->lock);
	*got = end - start;
	return start;
}

/* Slots on the next device that has any. Returns how many, from *@slot on. */
static unsigned int swp_pager_getswapspace(unsigned int want, u64 *slot)
{
	unsigned int i, place, got = 0;
	struct swdevt *sw;

	spin_lock(&swap_lock);
	for (i = 0; i < SWAP_DEVICES_MAX && !got; i++) {
		place = (swdevs_next + i) % SWAP_DEVICES_MAX;
		sw = swdevs[place];
		if (!sw || (sw->flags & SWAP_CLOSING))
			continue;
		*slot = slot_make(sw, swdev_alloc(sw, want, &got));
		if (got)
			swdevs_next = place + 1;
	}
	spin_unlock(&swap_lock);
	atomic64_add(got, &swap_used);
	return got;
}

/* Give memory of a chunk back in a while, if nobody wants it again. */
static void swdev_chunk_freed(struct swdevt *sw, u64 number)
{
	if ((sw->flags & SWAP_EMBEDDED) && sw->chunk_free[number / SWAP_CHUNK] == SWAP_CHUNK &&
	    !__test_and_set_bit(number / SWAP_CHUNK, sw->trim))
		queue_delayed_work(system_unbound_wq, &swap_trim_work, SWAP_TRIM_DELAY);
}

static void swp_pager_freeswapspace(u64 slot, unsigned int count)
{
	struct swdevt *sw = slot_device(slot);
	u64 number = slot_number(slot);
	bool full = swap_pager_full();
	unsigned int i;

	spin_lock(&sw->lock);
	for (i = 0; i < count; i++) {
		VM_ASSERT(test_bit(number + i, sw->map));
		swdev_count(sw, number + i, false);
		swdev_chunk_freed(sw, number + i);
	}
	/* The last reader of @sw: with nothing in use it may go. */
	spin_unlock(&sw->lock);
	atomic64_sub(count, &swap_used);
	if (full)
		atomic_inc(&swap_pager_freed);
}

bool swap_pager_full(void)
{
	return atomic64_read(&swap_used) >= atomic64_read(&swap_slots);
}
EXPORT_SYMBOL_IF_KUNIT(swap_pager_full);

/* More than three quarters in use: room matters more than to write a page once less. */
static bool swap_pager_crowded(void)
{
	return 4 * atomic64_read(&swap_used) > 3 * atomic64_read(&swap_slots);
}

void swap_pager_status(u64 *total, u64 *used)
{
	*total = atomic64_read(&swap_slots);
	*used = atomic64_read(&swap_used);
}
EXPORT_SYMBOL_IF_KUNIT(swap_pager_status);

/* Memory that chunks of the embedded device do not need any more. */
static void swdev_trim(struct swdevt *sw)
{
	struct inode *inode = file_inode(sw->file);
	u64 chunk, slot, start;

	spin_lock(&sw->lock);
	for_each_set_bit(chunk, sw->trim, sw->nslots / SWAP_CHUNK) {
		__clear_bit(chunk, sw->trim);
		if (sw->chunk_free[chunk] != SWAP_CHUNK)
			continue;
		/* Nobody may write there meanwhile. */
		start = chunk * SWAP_CHUNK;
		for (slot = start; slot < start + SWAP_CHUNK; slot++)
			swdev_count(sw, slot, true);
		spin_unlock(&sw->lock);
		shmem_truncate_range(inode, IDX_TO_OFF(start),
				     IDX_TO_OFF(start + SWAP_CHUNK) - 1);
		cond_resched();
		spin_lock(&sw->lock);
		for (slot = start; slot < start + SWAP_CHUNK; slot++)
			swdev_count(sw, slot, false);
	}
	spin_unlock(&sw->lock);
}

static void swap_pager_trim(struct work_struct *work)
{
	struct swdevt *sw;
	unsigned int i;

	/* Who takes a device out of the table waits for this before it goes. */
	for (i = 0; i < SWAP_DEVICES_MAX; i++) {
		sw = READ_ONCE(swdevs[i]);
		if (sw && (sw->flags & SWAP_EMBEDDED))
			swdev_trim(sw);
	}
}

/* --- the objects' trees */

/*
 * The block of a page. Without the object's exclusive lock it can go at any time, unless
 * the tree is locked.
 */
static struct swblk *swblk_lookup(struct vm_object *object, vm_pindex_t pindex)
{
	return xa_load(&object->swap, pindex / SWAP_META_PAGES);
}

/* The slot of a page, or SWAPBLK_NONE. */
static u64 swp_pager_lookup(struct vm_object *object, vm_pindex_t pindex)
{
	const struct swblk *sb;
	u64 slot;

	if (xa_empty(&object->swap))
		return SWAPBLK_NONE;
	xa_lock(&object->swap);
	sb = swblk_lookup(object, pindex);
	slot = sb ? sb->slots[pindex % SWAP_META_PAGES] : SWAPBLK_NONE;
	xa_unlock(&object->swap);
	return slot;
}

/*
 * How many pages, from @pindex on upwards or, with a @step of -1, downwards, have slots that
 * go on in the same way from @slot? Not more than @max.
 */
static unsigned int swp_pager_run(struct vm_object *object, vm_pindex_t pindex, u64 slot,
				  unsigned int max, int step)
{
	unsigned int n = 0, place;
	const struct swblk *sb;

	while (n < max) {
		xa_lock(&object->swap);
		sb = swblk_lookup(object, pindex);
		for (place = pindex % SWAP_META_PAGES; sb && n < max && place < SWAP_META_PAGES;
		     place += step, pindex += step, slot += step, n++) {
			if (sb->slots[place] == slot)
				continue;
			max = n;
			break;
		}
		xa_unlock(&object->swap);
		if (!sb)
			break;
	}
	return n;
}

/* The slot of the first page in [*@pindex, @end) that has one; *@pindex says which it is. */
static u64 swp_pager_next(struct vm_object *object, vm_pindex_t *pindex, vm_pindex_t end)
{
	u64 slot = SWAPBLK_NONE;
	const struct swblk *sb;
	unsigned long index;

	while (*pindex < end && slot == SWAPBLK_NONE) {
		index = *pindex / SWAP_META_PAGES;
		xa_lock(&object->swap);
		sb = xa_find(&object->swap, &index, (end - 1) / SWAP_META_PAGES, XA_PRESENT);
		if (!sb) {
			xa_unlock(&object->swap);
			break;
		}
		*pindex = max_t(vm_pindex_t, *pindex, index * SWAP_META_PAGES);
		for (; *pindex < end && *pindex / SWAP_META_PAGES == index; ++*pindex) {
			slot = sb->slots[*pindex % SWAP_META_PAGES];
			if (slot != SWAPBLK_NONE)
				break;
		}
		xa_unlock(&object->swap);
	}
	return slot;
}

/* The object has nothing in swap any more, or may have something soon. */
static void swap_object_forget(struct vm_object *object)
{
	if (xa_empty(&object->swap))
		xa_erase(&swap_objects, object->id);
}

static int swap_object_note(struct vm_object *object)
{
	if (xa_load(&swap_objects, object->id))
		return 0;
	return xa_err(xa_store(&swap_objects, object->id, object, GFP_KERNEL));
}

/*
 * The block of a page, made if there is none; without waiting, for the object is locked.
 * Whoever pages out makes memory free with it, and has it from the reserve.
 */
static struct swblk *swblk_get(struct vm_object *object, vm_pindex_t pindex, int flags)
{
	struct swblk *sb = swblk_lookup(object, pindex);

	if (sb)
		return sb;
	sb = uma_zalloc(swblk_zone, M_NOWAIT | M_ZERO | flags);
	if (!sb)
		return NULL;
	if (xa_err(xa_store(&object->swap, pindex / SWAP_META_PAGES, sb, GFP_KERNEL))) {
		uma_zfree(swblk_zone, sb);
		return NULL;
	}
	return sb;
}

/* Enter a page's slot. */
static int swp_pager_meta_build(struct vm_object *object, vm_pindex_t pindex, u64 slot,
				int flags)
{
	struct swblk *sb;

	if (swap_object_note(object))
		return -ENOMEM;
	sb = swblk_get(object, pindex, flags);
	if (!sb)
		return -ENOMEM;
	VM_ASSERT(sb->slots[pindex % SWAP_META_PAGES] == SWAPBLK_NONE);
	sb->slots[pindex % SWAP_META_PAGES] = slot;
	return 0;
}

/* Take a page's slot out of its object, and the block that it was the last of. */
static u64 swp_pager_meta_take(struct vm_object *object, vm_pindex_t pindex)
{
	u64 slot = SWAPBLK_NONE;
	struct swblk *sb;

	xa_lock(&object->swap);
	sb = swblk_lookup(object, pindex);
	if (sb) {
		slot = sb->slots[pindex % SWAP_META_PAGES];
		sb->slots[pindex % SWAP_META_PAGES] = SWAPBLK_NONE;
		if (memchr_inv(sb->slots, 0, sizeof(sb->slots)))
			sb = NULL;
		else
			__xa_erase(&object->swap, pindex / SWAP_META_PAGES);
	}
	xa_unlock(&object->swap);
	uma_zfree(swblk_zone, sb);
	return slot;
}

/* ... and free it. */
static void swp_pager_meta_free(struct vm_object *object, vm_pindex_t pindex)
{
	u64 slot = swp_pager_meta_take(object, pindex);

	if (slot != SWAPBLK_NONE)
		swp_pager_freeswapspace(slot, 1);
}

static bool swap_pager_haspage(struct vm_object *object, vm_pindex_t pindex, int *before,
			       int *after)
{
	u64 slot;

	if (!(object->flags & OBJ_ANON) && pindex >= object->size)
		return false;
	slot = swp_pager_lookup(object, pindex);
	if (slot == SWAPBLK_NONE)
		return false;
	if (before)
		*before = swp_pager_run(object, pindex - 1, slot - 1,
					min_t(vm_pindex_t, SWAP_READ_AROUND, pindex), -1);
	if (after)
		*after = swp_pager_run(object, pindex + 1, slot + 1, SWAP_READ_AROUND, 1);
	return true;
}

static bool swap_pager_next(struct vm_object *object, vm_pindex_t *pindex, vm_pindex_t end)
{
	return swp_pager_next(object, pindex, end) != SWAPBLK_NONE;
}

static void swap_pager_freespace(struct vm_object *object, vm_pindex_t start, vm_pindex_t end)
{
	vm_pindex_t at = start;
	struct vm_page *m;

	VM_OBJECT_ASSERT_WLOCKED(object);
	for (; swp_pager_next(object, &at, end) != SWAPBLK_NONE; at++) {
		m = vm_page_lookup(object, at);
		if (!m || !vm_page_busied(m))
			swp_pager_meta_free(object, at);
		cond_resched();
	}
	swap_object_forget(object);
}

static void swap_pager_unswapped(struct vm_page *m)
{
	VM_OBJECT_ASSERT_LOCKED(m->object);
	swp_pager_meta_free(m->object, m->pindex);
	swap_object_forget(m->object);
}

static int swap_pager_reserve(struct vm_object *object, vm_pindex_t pindex)
{
	VM_OBJECT_ASSERT_WLOCKED(object);
	return swap_object_note(object) || !swblk_get(object, pindex, 0) ? -ENOMEM : 0;
}

static int swap_pager_copy(struct vm_object *src, struct vm_object *dst, vm_pindex_t offset,
			   vm_pindex_t size, bool destroy)
{
	vm_pindex_t at, to;
	int ret = 0;
	u64 slot;

	VM_OBJECT_ASSERT_WLOCKED(src);
	VM_OBJECT_ASSERT_WLOCKED(dst);
	for (at = 0; (slot = swp_pager_next(src, &at, ULONG_MAX)) != SWAPBLK_NONE; at++) {
		to = at - offset;
		if (at < offset || to >= size || vm_page_lookup(dst, to) ||
		    swp_pager_lookup(dst, to) != SWAPBLK_NONE) {
			if (destroy)
				swp_pager_meta_free(src, at);
			continue;
		}
		ret = swp_pager_meta_build(dst, to, slot, 0);
		if (ret)
			break;
		swp_pager_meta_take(src, at);
		cond_resched();
	}
	swap_object_forget(src);
	swap_object_forget(dst);
	return ret;
}

static void swap_pager_dealloc(struct vm_object *object)
{
	unsigned long index;
	struct swblk *sb;
	unsigned int i;

	if (xa_empty(&object->swap))
		return;
	xa_for_each(&object->swap, index, sb) {
		for (i = 0; i < SWAP_META_PAGES; i++)
			if (sb->slots[i] != SWAPBLK_NONE)
				swp_pager_freeswapspace(sb->slots[i], 1);
		xa_erase(&object->swap, index);
		uma_zfree(swblk_zone, sb);
		cond_resched();
	}
	xa_erase(&swap_objects, object->id);
}

/* --- input and output */

static bool swap_fails(unsigned int every, atomic_t *count)
{
	return unlikely(every) && !(atomic_inc_return(count) % every);
}

/* Read or write the frames of @ma at @slot and the slots behind it, in one request. */
static int swap_pager_io(u64 slot, struct vm_page **ma, unsigned int count, bool write)
{
	struct swdevt *sw = slot_device(slot);
	size_t len = ptoa(count);
	struct bio_vec bvec[VM_PAGEOUT_CLUSTER];
	struct iov_iter iter;
	struct kiocb kiocb;
	unsigned int i;
	ssize_t done;

	if (write ? swap_fails(READ_ONCE(swap_fail_write), &swap_writes) :
		    swap_fails(READ_ONCE(swap_fail_read), &swap_reads))
		return -EIO;
	for (i = 0; i < count; i++) {
		bvec[i].bv_page = virt_to_page(pmap_quick_enter_page(ma[i]));
		bvec[i].bv_len = VM_PAGE_SIZE;
		bvec[i].bv_offset = 0;
	}
	iov_iter_bvec(&iter, write ? WRITE : READ, bvec, count, len);
	init_sync_kiocb(&kiocb, sw->file);
	kiocb.ki_pos = IDX_TO_OFF(slot_number(slot));
	if (write) {
		file_start_write(sw->file);
		done = sw->file->f_op->write_iter(&kiocb, &iter);
		file_end_write(sw->file);
	} else {
		done = sw->file->f_op->read_iter(&kiocb, &iter);
	}
	if (done == len)
		return 0;
	return done < 0 ? done : -EIO;
}

static void swap_pager_complain(u64 slot, unsigned int count, int err, bool write)
{
	struct swdevt *sw = slot_device(slot);

	if (!atomic64_fetch_add(count, &sw->errors))
		pr_warn("swap on %s: cannot %s (%d); later errors are only counted\n", sw->path,
			write ? "write" : "read", err);
	if (write)
		VM_CNT_ADD(v_pageout_errors, count);
	else
		VM_CNT_ADD(v_pagein_errors, count);
}

/* Fill pages from consecutive slots; those that can be read, when not all can. */
static void swap_pager_read(u64 slot, struct vm_page **ma, unsigned int count)
{
	unsigned int i;
	int err;

	err = swap_pager_io(slot, ma, count, false);
	if (err && count > 1) {
		for (i = 0; i < count; i++)
			swap_pager_read(slot + i, &ma[i], 1);
		return;
	}
	if (err) {
		swap_pager_complain(slot, 1, err, false);
		return;
	}
	for (i = 0; i < count; i++)
		ma[i]->valid = 1;
	VM_CNT_INC(v_swapin);
	VM_CNT_ADD(v_swappgsin, count);
}

static int swap_pager_getpages(struct vm_object *object, struct vm_page **ma, unsigned int count,
			       unsigned int req)
{
	unsigned int i, n;
	u64 slot;

	for (i = 0; i < count; i += n) {
		/* The pages are busied: their slots stay. */
		slot = swp_pager_lookup(object, ma[i]->pindex);
		n = 1;
		if (slot == SWAPBLK_NONE)
			continue;
		n += swp_pager_run(object, ma[i]->pindex + 1, slot + 1,
				   min_t(unsigned int, count - i, VM_PAGEOUT_CLUSTER) - 1, 1);
		swap_pager_read(slot, &ma[i], n);
	}
	return ma[req]->valid ? VM_PAGER_OK : VM_PAGER_ERROR;
}

/*
 * A page has been written to @slot. If it still is what was written, that is where it
 * is from now on; else the slot is free again. -ENOMEM: the slot cannot be entered.
 */
static int swap_pager_written(struct vm_object *object, struct vm_page *m, u64 slot)
{
	VM_OBJECT_ASSERT_WLOCKED(object);
	if (READ_ONCE(m->object) != object || vm_page_is_dirty(m)) {
		vm_page_dirty(m);
		swp_pager_freeswapspace(slot, 1);
		return 0;
	}
	if (swp_pager_meta_build(object, m->pindex, slot, M_USE_RESERVE))
		return -ENOMEM;
	VM_CNT_INC(v_swappgsout);
	return 0;
}

static int swap_pager_putpages(struct vm_object *object, struct vm_page **ma, unsigned int count,
			       unsigned int *done)
{
	unsigned int n, i;
	u64 slot;
	int err;

	*done = 0;
	n = swp_pager_getswapspace(count, &slot);
	if (!n)
		return -ENOSPC;
	err = swap_pager_io(slot, ma, n, true);
	if (err) {
		swap_pager_complain(slot, n, err, true);
		swp_pager_freeswapspace(slot, n);
		return err;
	}
	VM_CNT_INC(v_swapout);
	VM_OBJECT_WLOCK(object);
	for (i = 0; i < n && !swap_pager_written(object, ma[i], slot + i); i++)
		;
	swap_object_forget(object);
	VM_OBJECT_WUNLOCK(object);
	*done = i;
	if (i < n) {
		/* What has no slot is as if it had not been written. */
		swp_pager_freeswapspace(slot + i, n - i);
		return -ENOMEM;
	}
	return n < count ? -EAGAIN : 0;
}

static const struct pagerops swappagerops = {
	.getpages = swap_pager_getpages,
	.putpages = swap_pager_putpages,
	.haspage = swap_pager_haspage,
	.dealloc = swap_pager_dealloc,
	.freespace = swap_pager_freespace,
	.copy = swap_pager_copy,
	.reserve = swap_pager_reserve,
	.unswapped = swap_pager_unswapped,
	.next = swap_pager_next,
	.crowded = swap_pager_crowded,
};

/* --- devices */

static void swdev_free(struct swdevt *sw)
{
	if (sw->file)
		fput(sw->file);
	kvfree(sw->map);
	kvfree(sw->chunk_free);
	kvfree(sw->trim);
	kfree(sw);
}

/* A device of @nslots on @file, whose reference it takes over, also when it fails. */
static struct swdevt *swdev_create(struct file *file, u64 nslots, u32 flags)
{
	u64 chunks = DIV_ROUND_UP(nslots, SWAP_CHUNK), i;
	struct swdevt *sw;

	sw = kzalloc(sizeof(*sw), GFP_KERNEL);
	if (!sw) {
		fput(file);
		return NULL;
	}
	sw->file = file;
	sw->nslots = nslots;
	sw->flags = flags;
	spin_lock_init(&sw->lock);
	sw->map = kvcalloc(BITS_TO_LONGS(nslots), sizeof(long), GFP_KERNEL);
	sw->trim = kvcalloc(BITS_TO_LONGS(chunks), sizeof(long), GFP_KERNEL);
	sw->chunk_free = kvcalloc(chunks, sizeof(u16), GFP_KERNEL);
	if (!sw->map || !sw->trim || !sw->chunk_free) {
		swdev_free(sw);
		return NULL;
	}
	for (i = 0; i < chunks; i++)
		sw->chunk_free[i] = min_t(u64, SWAP_CHUNK, nslots - i * SWAP_CHUNK);
	return sw;
}

/* Put a device into the table; its inode may not be there yet. */
static int swdev_add(struct swdevt *sw)
{
	unsigned int i, place = SWAP_DEVICES_MAX;

	spin_lock(&swap_lock);
	for (i = SWAP_DEVICES_MAX; i-- > 0;) {
		if (!swdevs[i]) {
			place = i;
		} else if (swdevs[i]->file->f_mapping == sw->file->f_mapping) {
			spin_unlock(&swap_lock);
			return -EBUSY;
		}
	}
	if (place == SWAP_DEVICES_MAX) {
		spin_unlock(&swap_lock);
		return -ENOSPC;
	}
	sw->place = place;
	sw->id = swap_next_id++;
	WRITE_ONCE(swdevs[place], sw);
	spin_unlock(&swap_lock);
	atomic64_add(sw->nslots, &swap_slots);
	swap_reserve_grow(sw->nslots);
	/* What found no swap may go now. */
	atomic_inc(&swap_pager_freed);
	return 0;
}

/* Open what the descriptor has open once more, for us alone and past the page cache. */
static struct file *swap_open(struct file *file)
{
	int flags = O_RDWR | O_LARGEFILE | (S_ISBLK(file_inode(file)->i_mode) ? O_EXCL : 0);
	struct file *own;

	own = dentry_open(&file->f_path, flags | O_DIRECT, file->f_cred);
	if (IS_ERR(own) && PTR_ERR(own) == -EINVAL)
		own = dentry_open(&file->f_path, flags, file->f_cred);
	return own;
}

static int swap_check_file(struct file *file)
{
	umode_t mode = file_inode(file)->i_mode;

	if ((file->f_mode & (FMODE_READ | FMODE_WRITE)) != (FMODE_READ | FMODE_WRITE))
		return -EBADF;
	if (!S_ISREG(mode) && !S_ISBLK(mode))
		return -ENOTBLK;
	if (!file->f_op->read_iter || !file->f_op->write_iter)
		return -EINVAL;
	return 0;
}

static int swap_pager_on_file(struct file *file, u32 *id)
{
	struct swdevt *sw;
	struct file *own;
	u64 nslots;
	char *path;
	int ret;

	ret = swap_check_file(file);
	if (ret)
		return ret;
	own = swap_open(file);
	if (IS_ERR(own))
		return PTR_ERR(own);
	nslots = OFF_TO_IDX(i_size_read(own->f_mapping->host));
	if (nslots < 2 || nslots >> SWAP_DEVICE_SHIFT) {
		fput(own);
		return -EINVAL;
	}
	sw = swdev_create(own, nslots, 0);
	if (!sw)
		return -ENOMEM;
	path = file_path(own, sw->path, sizeof(sw->path) - 1);
	if (IS_ERR(path))
		strscpy(sw->path, "?", sizeof(sw->path));
	else
		memmove(sw->path, path, strlen(path) + 1);
	ret = swdev_add(sw);
	if (ret)
		swdev_free(sw);
	else
		*id = sw->id;
	return ret;
}

int swap_pager_on(int fd, u32 *id)
{
	struct file *file = fget(fd);
	int ret;

	if (!file)
		return -EBADF;
	ret = swap_pager_on_file(file, id);
	fput(file);
	return ret;
}

/* An object that has something in swap, at or behind *@id, referenced; see vm_object.h. */
static struct vm_object *swap_object_next(unsigned long *id, bool *missed)
{
	struct vm_object *object;

	rcu_read_lock();
	while ((object = xa_find(&swap_objects, id, ULONG_MAX, XA_PRESENT))) {
		++*id;
		if (!down_write_trylock(&object->lock)) {
			*missed = true;
			continue;
		}
		if (!(object->flags & OBJ_DEAD) && !xa_empty(&object->swap)) {
			vm_object_reference(object);
			VM_OBJECT_WUNLOCK(object);
			break;
		}
		VM_OBJECT_WUNLOCK(object);
	}
	rcu_read_unlock();
	return object;
}

/*
 * The next page of the object that is on the device. What is resident is made dirty and
 * let go of; *@pindex is left at what has to be brought in, or waited for.
 */
static bool swap_object_off_resident(struct vm_object *object, const struct swdevt *sw,
				     vm_pindex_t *pindex)
{
	bool found = false;
	struct vm_page *m;
	u64 slot;

	VM_OBJECT_WLOCK(object);
	for (; (slot = swp_pager_next(object, pindex, ULONG_MAX)) != SWAPBLK_NONE; ++*pindex) {
		if (slot_device(slot) != sw)
			continue;
		m = vm_page_lookup(object, *pindex);
		found = !m || vm_page_busied(m);
		if (found)
			break;
		vm_page_dirty(m);
		swp_pager_meta_free(object, *pindex);
		cond_resched();
	}
	swap_object_forget(object);
	VM_OBJECT_WUNLOCK(object);
	return found;
}

static int swap_object_off(struct vm_object *object, const struct swdevt *sw)
{
	vm_pindex_t pindex = 0;
	int ret = 0;

	while (!ret && swap_object_off_resident(object, sw, &pindex)) {
		ret = vm_object_pagein(object, pindex);
		if (signal_pending(current))
			ret = -EINTR;
		cond_resched();
	}
	return ret;
}

static u64 swdev_used(struct swdevt *sw)
{
	u64 used;

	spin_lock(&sw->lock);
	used = sw->used;
	spin_unlock(&sw->lock);
	return used;
}

/* Bring everything back that is on a device that gets nothing new. */
static int swap_pager_swapoff_one(struct swdevt *sw)
{
	struct vm_object *object;
	unsigned long id;
	bool missed;
	int ret = 0;

	while (!ret && swdev_used(sw)) {
		id = 0;
		missed = false;
		while (!ret && (object = swap_object_next(&id, &missed))) {
			ret = swap_object_off(object, sw);
			vm_object_deallocate_later(object);
		}
		/* Somebody still writes there, or had an object locked. */
		if (!ret && swdev_used(sw) && schedule_timeout_interruptible(1))
			ret = signal_pending(current) ? -EINTR : 0;
	}
	return ret;
}

/* How many pages of an object are in swap and nowhere else. */
static u64 swap_object_only(struct vm_object *object)
{
	vm_pindex_t at;
	u64 n = 0;

	VM_OBJECT_RLOCK(object);
	for (at = 0; swp_pager_next(object, &at, ULONG_MAX) != SWAPBLK_NONE; at++) {
		n += !vm_page_lookup(object, at);
		cond_resched();
	}
	VM_OBJECT_RUNLOCK(object);
	return n;
}

/* Pages that are in swap and nowhere else. False: somebody had an object locked. */
static bool swap_count_only(s64 *pages)
{
	struct vm_object *object;
	unsigned long id = 0;
	bool missed = false;

	*pages = 0;
	while ((object = swap_object_next(&id, &missed))) {
		*pages += swap_object_only(object);
		vm_object_deallocate_later(object);
		cond_resched();
	}
	return !missed;
}

/*
 * Is there room for the pages that are in swap and nowhere else, once a device has gone?
 * What is resident stays so, or goes where another one came from. An estimate, made
 * before anything is moved; where objects are never unlocked, of those that are.
 */
static bool swap_off_fits(void)
{
	unsigned int tries = SWAP_COUNT_TRIES;
	s64 pages;

	while (!swap_count_only(&pages) && --tries)
		schedule_timeout_interruptible(1);
	return pages <= (s64)(atomic64_read(&swap_slots) + vm_free_count() - vm_dom.v_free_min);
}

static struct swdevt *swdev_find(u32 id)
{
	unsigned int i;

	lockdep_assert_held(&swap_lock);
	for (i = 0; i < SWAP_DEVICES_MAX; i++)
		if (swdevs[i] && swdevs[i]->id == id)
			return swdevs[i];
	return NULL;
}

/* Begin or give up taking a device away. */
static struct swdevt *swdev_set_closing(u32 id, bool closing)
{
	struct swdevt *sw;

	spin_lock(&swap_lock);
	sw = swdev_find(id);
	if (sw && closing)
		sw->flags |= SWAP_CLOSING;
	else if (sw)
		sw->flags &= ~SWAP_CLOSING;
	spin_unlock(&swap_lock);
	if (!sw)
		return NULL;
	if (closing) {
		atomic64_sub(sw->nslots, &swap_slots);
		swap_reserve_shrink(sw->nslots);
	} else {
		atomic64_add(sw->nslots, &swap_slots);
		swap_reserve_grow(sw->nslots);
		atomic_inc(&swap_pager_freed);
	}
	return sw;
}

int swap_pager_off(u32 id)
{
	struct swdevt *sw;
	int ret;

	if (!mutex_trylock(&swap_off_mutex))
		return -EBUSY;
	sw = swdev_set_closing(id, true);
	if (!sw) {
		mutex_unlock(&swap_off_mutex);
		return -ENXIO;
	}
	ret = swap_off_fits() ? swap_pager_swapoff_one(sw) : -ENOMEM;
	if (ret) {
		swdev_set_closing(id, false);
	} else {
		spin_lock(&swap_lock);
		WRITE_ONCE(swdevs[sw->place], NULL);
		spin_unlock(&swap_lock);
		flush_delayed_work(&swap_trim_work);
		/* Who freed the last slot may still be unlocking. */
		spin_lock(&sw->lock);
		spin_unlock(&sw->lock);
		swdev_free(sw);
	}
	mutex_unlock(&swap_off_mutex);
	return ret;
}

int swap_pager_info(unsigned int index, struct swap_device_info *info)
{
	struct swdevt *sw, *found = NULL;
	unsigned int i, lower;
	u32 last = 0;

	/* In order of id, which is not that of the table. */
	spin_lock(&swap_lock);
	for (lower = 0; lower <= index; lower++) {
		found = NULL;
		for (i = 0; i < SWAP_DEVICES_MAX; i++) {
			sw = swdevs[i];
			if (sw && sw->id > last && (!found || sw->id < found->id))
				found = sw;
		}
		if (!found)
			break;
		last = found->id;
	}
	if (found) {
		info->id = found->id;
		info->flags = found->flags;
		info->total = found->nslots;
		info->used = READ_ONCE(found->used);
		info->errors = atomic64_read(&found->errors);
		memcpy(info->path, found->path, sizeof(info->path));
	}
	spin_unlock(&swap_lock);
	return found ? 0 : -ENOENT;
}

/* A device of Linux's own memory, so that paging works with no set-up. */
static int swap_pager_embed(u64 pages)
{
	struct swdevt *sw;
	struct file *file;
	int ret;

	file = shmem_file_setup("bsdvm-swap", IDX_TO_OFF(pages), VM_NORESERVE);
	if (IS_ERR(file))
		return PTR_ERR(file);
	/* Where Linux is short of memory our pages stay where they are. */
	mapping_set_gfp_mask(file->f_mapping,
			     GFP_HIGHUSER | __GFP_RETRY_MAYFAIL | __GFP_NOWARN);
	sw = swdev_create(file, pages, SWAP_EMBEDDED);
	if (!sw)
		return -ENOMEM;
	strscpy(sw->path, "embedded", sizeof(sw->path));
	ret = swdev_add(sw);
	if (ret)
		swdev_free(sw);
	return ret;
}

int swap_pager_init(u64 embedded)
{
	int ret;

	/* What makes memory free may not have to wait for memory. */
	swblk_zone = uma_zcreate("SWBLK", sizeof(struct swblk), NULL, NULL, NULL, NULL,
				 UMA_ALIGN_PTR, UMA_ZONE_NOBUCKET);
	if (!swblk_zone)
		return -ENOMEM;
	uma_zone_reserve(swblk_zone, SWBLK_RESERVE);
	ret = uma_prealloc(swblk_zone, SWBLK_RESERVE);
	if (!ret && embedded)
		ret = swap_pager_embed(embedded);
	if (ret) {
		uma_zdestroy(swblk_zone);
		swblk_zone = NULL;
		return ret;
	}
	vm_pager_register(OBJT_DEFAULT, &swappagerops);
	vm_pager_register(OBJT_SWAP, &swappagerops);
	return 0;
}

void swap_pager_fini(void)
{
	unsigned int i;

	cancel_delayed_work_sync(&swap_trim_work);
	vm_pager_register(OBJT_DEFAULT, NULL);
	vm_pager_register(OBJT_SWAP, NULL);
	for (i = 0; i < SWAP_DEVICES_MAX; i++) {
		if (!swdevs[i])
			continue;
		VM_ASSERT(!swdevs[i]->used);
		swdev_free(swdevs[i]);
		swdevs[i] = NULL;
	}
	VM_ASSERT(xa_empty(&swap_objects));
	xa_destroy(&swap_objects);
	uma_zdestroy(swblk_zone);
	swblk_zone = NULL;
}
