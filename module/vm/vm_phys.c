// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * vm_phys: the buddy allocator over the reserved frames.
 *
 * A free block of order k is 2^k frames, aligned to its size. Its first page is
 * on free_lists[k] and has order == k; every other page, free or not, has order
 * == VM_NFREEORDER:
 *
 *	frame	0   1   2   3   4   5   6   7
 *		used    [ free ][     free     ]	on lists 1 and 2
 *	order	10  10  1   10  2   10  10  10
 *
 * The buddy of a block is the block of the same order that together with it
 * makes an aligned one of the next. Blocks never exceed a slot, and a slot's
 * pages are consecutive in the array, so the buddy is found by arithmetic on the
 * index. A frame that is not ours has phys_addr 0 and, like a used one, order
 * VM_NFREEORDER, so that no block ever merges with it: a slot of which we own
 * only part needs no case of its own.
 *
 * Invariants, which vm_phys_check() checks: blocks are aligned and consist of
 * our frames, no two buddies are both free, free_count is the sum.
 *
 * Locks: the free-list lock is the innermost of the VM system.
 *
 * (McKusick et al., chapter 6.10 on page allocation; Knuth, volume 1, 2.5.)
 */

#include "vm_phys.h"

#define VM_PHYS_SLOT_PAGES	(1U << (VM_NFREEORDER - 1))

/* No frame begins here: it marks those in our slots that are not ours. */
#define VM_PHYS_NOT_OURS	0

static struct vm_phys_domain vm_phys_pool;

/* --- segments and slots */

static int vm_phys_grow_segs(struct vm_phys_domain *vd)
{
	unsigned int size = max(16U, 2 * vd->segs_size);
	struct vm_phys_seg *segs;

	segs = kvmalloc_array(size, sizeof(*segs), GFP_KERNEL);
	if (!segs)
		return -ENOMEM;
	if (vd->nsegs)
		memcpy(segs, vd->segs, vd->nsegs * sizeof(*segs));
	kvfree(vd->segs);
	vd->segs = segs;
	vd->segs_size = size;
	return 0;
}

/* The first segment that ends behind @pa, nsegs if there is none. */
static unsigned int vm_phys_find_seg(const struct vm_phys_domain *vd,
				     vm_paddr_t pa)
{
	unsigned int low = 0, high = vd->nsegs;

	while (low < high) {
		unsigned int mid = low + (high - low) / 2;

		if (vd->segs[mid].end <= pa)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

static void vm_phys_delete_seg(struct vm_phys_domain *vd, unsigned int i)
{
	vd->nsegs--;
	memmove(&vd->segs[i], &vd->segs[i + 1],
		(vd->nsegs - i) * sizeof(vd->segs[0]));
}

int vm_phys_domain_add_seg(struct vm_phys_domain *vd, vm_paddr_t start,
			   vm_paddr_t end)
{
	unsigned int i;
	int error;

	if (start >= end || ((start | end) & VM_PAGE_MASK) ||
	    start == VM_PHYS_NOT_OURS)
		return -EINVAL;
	i = vm_phys_find_seg(vd, start);
	if (i < vd->nsegs && vd->segs[i].start < end)
		return -EINVAL;

	/* Segments that touch become one. */
	if (i > 0 && vd->segs[i - 1].end == start) {
		vd->segs[i - 1].end = end;
		if (i < vd->nsegs && vd->segs[i].start == end) {
			vd->segs[i - 1].end = vd->segs[i].end;
			vm_phys_delete_seg(vd, i);
		}
		return 0;
	}
	if (i < vd->nsegs && vd->segs[i].start == end) {
		vd->segs[i].start = start;
		return 0;
	}

	if (vd->nsegs == vd->segs_size) {
		error = vm_phys_grow_segs(vd);
		if (error)
			return error;
	}
	memmove(&vd->segs[i + 1], &vd->segs[i],
		(vd->nsegs - i) * sizeof(vd->segs[0]));
	vd->segs[i].start = start;
	vd->segs[i].end = end;
	vd->nsegs++;
	return 0;
}
EXPORT_SYMBOL_IF_KUNIT(vm_phys_domain_add_seg);

static u64 vm_phys_slot(vm_paddr_t pa)
{
	return pa >> VM_PHYS_SLOT_SHIFT;
}

static unsigned int vm_phys_index_in_slot(vm_paddr_t pa)
{
	return atop(pa) % VM_PHYS_SLOT_PAGES;
}

struct vm_page *vm_phys_domain_page(const struct vm_phys_domain *vd,
				    vm_paddr_t pa)
{
	u64 slot = vm_phys_slot(pa) - vd->first_slot;
	struct vm_page *m;

	if (slot >= vd->nslots)
		return NULL;
	m = vd->slots[slot];
	if (!m)
		return NULL;
	m += vm_phys_index_in_slot(pa);
	return m->phys_addr == trunc_page(pa) ? m : NULL;
}
EXPORT_SYMBOL_IF_KUNIT(vm_phys_domain_page);

/*
 * Count the slots that the segments touch. They are sorted, so only the first
 * slot of a segment can have been counted with the one before it.
 */
static u64 vm_phys_count_slots(const struct vm_phys_domain *vd)
{
	u64 count = 0, next = 0;
	unsigned int i;

	for (i = 0; i < vd->nsegs; i++) {
		u64 first = max(vm_phys_slot(vd->segs[i].start), next);

		next = vm_phys_slot(vd->segs[i].end - 1) + 1;
		count += next - first;
	}
	return count;
}

/* Give each slot with a frame of ours its part of the page array. */
static void vm_phys_init_slots(struct vm_phys_domain *vd)
{
	struct vm_page *m = vd->pages;
	unsigned int i;
	u64 slot, last;

	for (i = 0; i < vd->nsegs; i++) {
		slot = vm_phys_slot(vd->segs[i].start) - vd->first_slot;
		last = vm_phys_slot(vd->segs[i].end - 1) - vd->first_slot;
		for (; slot <= last; slot++) {
			if (vd->slots[slot])
				continue;
			vd->slots[slot] = m;
			vd->bases[(m - vd->pages) / VM_PHYS_SLOT_PAGES] =
				(slot + vd->first_slot) << VM_PHYS_SLOT_SHIFT;
			m += VM_PHYS_SLOT_PAGES;
		}
	}
	VM_ASSERT(m == vd->pages + vd->npages);
}

static void vm_phys_init_pages(struct vm_phys_domain *vd)
{
	vm_paddr_t pa;
	unsigned int i;
	u64 n;

	for (n = 0; n < vd->npages; n++) {
		vd->pages[n].order = VM_NFREEORDER;
		vd->pages[n].memattr = VM_MEMATTR_WRITE_BACK;
		vd->pages[n].phys_addr = VM_PHYS_NOT_OURS;
	}
	for (i = 0; i < vd->nsegs; i++) {
		for (pa = vd->segs[i].start; pa < vd->segs[i].end; pa += VM_PAGE_SIZE) {
			struct vm_page *m;

			m = vd->slots[vm_phys_slot(pa) - vd->first_slot];
			m[vm_phys_index_in_slot(pa)].phys_addr = pa;
			vd->page_count++;
		}
	}
}

/* Free all frames, in the largest blocks that fit. */
static void vm_phys_free_segs(struct vm_phys_domain *vd)
{
	unsigned int i, order;
	vm_paddr_t pa, end;

	for (i = 0; i < vd->nsegs; i++) {
		end = vd->segs[i].end;
		for (pa = vd->segs[i].start; pa < end; pa += ptoa(1ULL << order)) {
			order = min3(__ffs64(atop(pa)), __fls(atop(end - pa)),
				     VM_NFREEORDER - 1UL);
			vm_phys_domain_free_pages(vd, vm_phys_domain_page(vd, pa),
						  order);
		}
	}
}

int vm_phys_domain_init(struct vm_phys_domain *vd)
{
	unsigned int order;

	if (!vd->nsegs)
		return -EINVAL;

	vd->first_slot = vm_phys_slot(vd->segs[0].start);
	vd->nslots = vm_phys_slot(vd->segs[vd->nsegs - 1].end - 1) -
		     vd->first_slot + 1;
	vd->npages = vm_phys_count_slots(vd) * VM_PHYS_SLOT_PAGES;

	vd->slots = vzalloc(array_size(vd->nslots, sizeof(*vd->slots)));
	if (!vd->slots)
		goto fini;
	vd->pages = vzalloc(array_size(vd->npages, sizeof(*vd->pages)));
	if (!vd->pages)
		goto fini;
	vd->bases = vzalloc(array_size(vd->npages / VM_PHYS_SLOT_PAGES, sizeof(*vd->bases)));
	if (!vd->bases)
		goto fini;

	spin_lock_init(&vd->lock);
	for (order = 0; order < VM_NFREEORDER; order++)
		INIT_LIST_HEAD(&vd->free_lists[order]);
	vm_phys_init_slots(vd);
	vm_phys_init_pages(vd);
	vm_phys_free_segs(vd);
	return 0;

fini:
	vm_phys_domain_fini(vd);
	return -ENOMEM;
}
EXPORT_SYMBOL_IF_KUNIT(vm_phys_domain_init);

void vm_phys_domain_fini(struct vm_phys_domain *vd)
{
	VM_ASSERT(vd->free_count == vd->page_count);
	vfree(vd->bases);
	vfree(vd->pages);
	vfree(vd->slots);
	kvfree(vd->segs);
	memset(vd, 0, sizeof(*vd));
}
EXPORT_SYMBOL_IF_KUNIT(vm_phys_domain_fini);

/* --- free lists */

static void vm_phys_enqueue_locked(struct vm_phys_domain *vd, struct vm_page *m,
				   unsigned int order)
{
	lockdep_assert_held(&vd->lock);
	m->order = order;
	list_add(&m->plinks, &vd->free_lists[order]);
}

static void vm_phys_dequeue_locked(struct vm_phys_domain *vd, struct vm_page *m)
{
	lockdep_assert_held(&vd->lock);
	m->order = VM_NFREEORDER;
	list_del(&m->plinks);
}

static struct vm_page *vm_phys_buddy(const struct vm_phys_domain *vd,
				     const struct vm_page *m, unsigned int order)
{
	u64 index = m - vd->pages;

	return &vd->pages[index ^ (1ULL << order)];
}

/* The lowest order from @order up that has a free block, or VM_NFREEORDER. */
static unsigned int vm_phys_find_order_locked(struct vm_phys_domain *vd,
					      unsigned int order)
{
	lockdep_assert_held(&vd->lock);
	while (order < VM_NFREEORDER && list_empty(&vd->free_lists[order]))
		order++;
	return order;
}

/*
 * Take a block of order @have, of which there is one, and free all of it but its
 * first 2^@order pages: its upper half, then the upper half of what is left...
 */
static struct vm_page *vm_phys_take_locked(struct vm_phys_domain *vd,
					   unsigned int have,
					   unsigned int order)
{
	struct vm_page *m;

	lockdep_assert_held(&vd->lock);
	m = list_first_entry(&vd->free_lists[have], struct vm_page, plinks);
	vm_phys_dequeue_locked(vd, m);
	while (have > order) {
		have--;
		vm_phys_enqueue_locked(vd, m + (1U << have), have);
	}
	WRITE_ONCE(vd->free_count, vd->free_count - (1UL << order));
	return m;
}

static void vm_phys_free_pages_locked(struct vm_phys_domain *vd,
				      struct vm_page *m, unsigned int order)
{
	struct vm_page *buddy;

	lockdep_assert_held(&vd->lock);
	VM_ASSERT(m->order == VM_NFREEORDER);
	VM_ASSERT(m->phys_addr != VM_PHYS_NOT_OURS);
	VM_ASSERT(IS_ALIGNED(m->phys_addr, ptoa(1ULL << order)));
	WRITE_ONCE(vd->free_count, vd->free_count + (1UL << order));

	for (; order < VM_NFREEORDER - 1; order++) {
		buddy = vm_phys_buddy(vd, m, order);
		if (buddy->order != order)
			break;
		vm_phys_dequeue_locked(vd, buddy);
		m = min(m, buddy);
	}
	vm_phys_enqueue_locked(vd, m, order);
}

struct vm_page *vm_phys_domain_alloc_pages(struct vm_phys_domain *vd,
					   unsigned int order)
{
	struct vm_page *m = NULL;
	unsigned int have;

	spin_lock(&vd->lock);
	have = vm_phys_find_order_locked(vd, order);
	if (have < VM_NFREEORDER)
		m = vm_phys_take_locked(vd, have, order);
	spin_unlock(&vd->lock);
	return m;
}
EXPORT_SYMBOL_IF_KUNIT(vm_phys_domain_alloc_pages);

void vm_phys_domain_free_pages(struct vm_phys_domain *vd, struct vm_page *m,
			       unsigned int order)
{
	spin_lock(&vd->lock);
	vm_phys_free_pages_locked(vd, m, order);
	spin_unlock(&vd->lock);
}
EXPORT_SYMBOL_IF_KUNIT(vm_phys_domain_free_pages);

/*
 * The smallest blocks go first, so that large ones last; and a block goes as one,
 * not page by page.
 */
unsigned int vm_phys_domain_alloc_npages(struct vm_phys_domain *vd,
					 struct vm_page **ma, unsigned int n,
					 unsigned long keep)
{
	unsigned int have, order, i, got = 0;
	struct vm_page *m;

	spin_lock(&vd->lock);
	if (vd->free_count <= keep)
		n = 0;
	else
		n = min_t(unsigned long, n, vd->free_count - keep);
	while (got < n) {
		have = vm_phys_find_order_locked(vd, 0);
		order = min_t(unsigned int, have, ilog2(n - got));
		m = vm_phys_take_locked(vd, have, order);
		for (i = 0; i < 1U << order; i++)
			ma[got++] = m + i;
	}
	spin_unlock(&vd->lock);
	return got;
}
EXPORT_SYMBOL_IF_KUNIT(vm_phys_domain_alloc_npages);

/* The order of the largest block that the first of @n pages begins. */
static unsigned int vm_phys_block_order(const struct vm_phys_domain *vd, struct vm_page **ma,
					unsigned int n)
{
	u64 index = ma[0] - vd->pages;
	unsigned int run = 1;

	if (index & 1)
		return 0;
	while (run < n && ma[run] == ma[0] + run)
		run++;
	return min_t(unsigned int, ilog2(run), __ffs64(index | 1ULL << (VM_NFREEORDER - 1)));
}

void vm_phys_domain_free_npages(struct vm_phys_domain *vd, struct vm_page **ma,
				unsigned int n)
{
	unsigned int i, order;

	spin_lock(&vd->lock);
	for (i = 0; i < n; i += 1U << order) {
		order = vm_phys_block_order(vd, ma + i, n - i);
		vm_phys_free_pages_locked(vd, ma[i], order);
	}
	spin_unlock(&vd->lock);
}
EXPORT_SYMBOL_IF_KUNIT(vm_phys_domain_free_npages);

/* --- the check */

/* Is the block of @order at @m free, aligned, all ours and merged? */
static bool vm_phys_check_block_locked(struct vm_phys_domain *vd,
				       struct vm_page *m, unsigned int order)
{
	vm_paddr_t size = ptoa(1ULL << order);
	unsigned int i;

	lockdep_assert_held(&vd->lock);
	if (m->order != order || !IS_ALIGNED(m->phys_addr, size))
		return false;
	i = vm_phys_find_seg(vd, m->phys_addr);
	if (i == vd->nsegs || m->phys_addr < vd->segs[i].start ||
	    m->phys_addr + size > vd->segs[i].end)
		return false;
	if (vm_phys_domain_page(vd, m->phys_addr) != m)
		return false;
	for (i = 1; i < 1U << order; i++) {
		if (m[i].order != VM_NFREEORDER)
			return false;
	}
	return order == VM_NFREEORDER - 1 ||
	       vm_phys_buddy(vd, m, order)->order != order;
}

bool vm_phys_domain_check(struct vm_phys_domain *vd)
{
	unsigned long pages = 0, listed = 0, marked = 0;
	unsigned int order;
	struct vm_page *m;
	bool ok = true;
	u64 i;

	spin_lock(&vd->lock);
	for (order = 0; order < VM_NFREEORDER; order++) {
		list_for_each_entry(m, &vd->free_lists[order], plinks) {
			ok = ok && vm_phys_check_block_locked(vd, m, order);
			pages += 1UL << order;
			listed++;
		}
	}
	/* Whatever says that it begins a free block must have been seen. */
	for (i = 0; i < vd->npages; i++)
		marked += vd->pages[i].order != VM_NFREEORDER;
	ok = ok && pages == vd->free_count && listed == marked;
	spin_unlock(&vd->lock);
	return ok;
}
EXPORT_SYMBOL_IF_KUNIT(vm_phys_domain_check);

/* --- the pool */

int vm_phys_add_seg(vm_paddr_t start, vm_paddr_t end)
{
	return vm_phys_domain_add_seg(&vm_phys_pool, start, end);
}

int vm_phys_init(void)
{
	return vm_phys_domain_init(&vm_phys_pool);
}

void vm_phys_fini(void)
{
	vm_phys_domain_fini(&vm_phys_pool);
}

struct vm_page *vm_phys_alloc_pages(unsigned int order)
{
	return vm_phys_domain_alloc_pages(&vm_phys_pool, order);
}
EXPORT_SYMBOL_IF_KUNIT(vm_phys_alloc_pages);

void vm_phys_free_pages(struct vm_page *m, unsigned int order)
{
	vm_phys_domain_free_pages(&vm_phys_pool, m, order);
}
EXPORT_SYMBOL_IF_KUNIT(vm_phys_free_pages);

unsigned int vm_phys_alloc_npages(struct vm_page **ma, unsigned int n,
				  unsigned long keep)
{
	return vm_phys_domain_alloc_npages(&vm_phys_pool, ma, n, keep);
}

void vm_phys_free_npages(struct vm_page **ma, unsigned int n)
{
	vm_phys_domain_free_npages(&vm_phys_pool, ma, n);
}

struct vm_page *PHYS_TO_VM_PAGE(vm_paddr_t pa)
{
	return vm_phys_domain_page(&vm_phys_pool, pa);
}
EXPORT_SYMBOL_IF_KUNIT(PHYS_TO_VM_PAGE);

vm_paddr_t vm_phys_frame(const struct vm_page *m)
{
	u64 index = m - vm_phys_pool.pages;

	return vm_phys_pool.bases[index / VM_PHYS_SLOT_PAGES] + ptoa(index % VM_PHYS_SLOT_PAGES);
}
EXPORT_SYMBOL_IF_KUNIT(vm_phys_frame);

unsigned long vm_phys_free_count(void)
{
	return READ_ONCE(vm_phys_pool.free_count);
}
EXPORT_SYMBOL_IF_KUNIT(vm_phys_free_count);

unsigned long vm_phys_page_count(void)
{
	return vm_phys_pool.page_count;
}
EXPORT_SYMBOL_IF_KUNIT(vm_phys_page_count);

bool vm_phys_check(void)
{
	return vm_phys_domain_check(&vm_phys_pool);
}
EXPORT_SYMBOL_IF_KUNIT(vm_phys_check);
