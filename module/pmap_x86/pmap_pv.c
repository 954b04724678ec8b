// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * pmap_pv: from a page to where it may be mapped.
 *
 * A pv entry is one number, the group of a pmap and the page's offset in the
 * window:
 *
 *	63       35 34            0
 *	[ group id ][ page of window ]
 *
 * It says that processes of the group may map the page there. unmap_mapping_range()
 * on the group's address_space then reaches all of them, whatever they do
 * meanwhile: Linux itself keeps track of which windows exist. So
 *
 *  - the first pv entry of a page lives in its vm_page and needs no allocation;
 *  - a fork child that maps the page where its parent does needs no entry either;
 *  - removing a mapping need not touch pv entries: they promise too much, never
 *    too little. They go when the page is unmapped everywhere or freed.
 *
 * A page that one program maps in more and more places is unmapped from all of
 * them when there are too many (pmap_pv_reclaim()). A file's page that one unrelated
 * process after the other maps would gather entries of dead groups; they are
 * recognised by their id and replaced when another one comes.
 *
 * Locks. Entries are added with the object of the page locked shared, and read and
 * removed with it locked exclusively. Adding beyond the first takes one of the
 * hashed pv_locks, which order adders among themselves; leaves. Group ids are
 * looked up under RCU.
 */
#include <linux/fs.h>
#include <linux/hash.h>
#include <linux/mm.h>
#include <linux/mm_inline.h>
#include <linux/mmap_lock.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>
#include <linux/xarray.h>

#include "pmap_var.h"
#include "trace.h"
#include "vm/uma.h"
#include "vm/vm_page.h"

#define PV_PGOFF_MASK	((1ULL << PV_PGOFF_BITS) - 1)
#define PV_GROUP_MAX	((1U << (64 - PV_PGOFF_BITS)) - 1)

/*
 * Places of one window at which one page may be noted. A program that maps a page
 * at one address after the other would otherwise leave an entry at each.
 */
#define PV_PLACES_MAX	32

/* As many uses as the ageing of pages wants to know. */
#define PMAP_TS_REFERENCED_MAX	5

#define PV_LOCKS_SHIFT	6

struct pv_entry {
	struct rb_node node;
	u64 key;
};

static DEFINE_XARRAY_ALLOC1(pmap_groups);
static u32 pmap_next_group;
static spinlock_t pv_locks[1 << PV_LOCKS_SHIFT];
static struct uma_zone *pv_zone;

int pmap_pv_init(void)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(pv_locks); i++)
		spin_lock_init(&pv_locks[i]);
	pv_zone = uma_zcreate("PV ENTRY", sizeof(struct pv_entry), NULL, NULL, NULL, NULL,
			      UMA_ALIGN_PTR, 0);
	return pv_zone ? 0 : -ENOMEM;
}

void pmap_pv_fini(void)
{
	WARN_ON(!xa_empty(&pmap_groups));
	rcu_barrier();
	xa_destroy(&pmap_groups);
	uma_zdestroy(pv_zone);
	pv_zone = NULL;
}

struct pmap_group *pmap_group_create(struct inode *inode)
{
	struct pmap_group *group = kzalloc(sizeof(*group), GFP_KERNEL_ACCOUNT);

	if (!group)
		return NULL;
	refcount_set(&group->refs, 1);
	mutex_init(&group->lock);
	INIT_LIST_HEAD(&group->pmaps);
	if (xa_alloc_cyclic(&pmap_groups, &group->id, group, XA_LIMIT(1, PV_GROUP_MAX),
			    &pmap_next_group, GFP_KERNEL_ACCOUNT) < 0) {
		kfree(group);
		return NULL;
	}
	ihold(inode);
	group->inode = inode;
	return group;
}
EXPORT_SYMBOL_IF_KUNIT(pmap_group_create);

void pmap_group_put(struct pmap_group *group)
{
	if (!refcount_dec_and_test(&group->refs))
		return;
	WARN_ON(!list_empty(&group->pmaps));
	xa_erase(&pmap_groups, group->id);
	iput(group->inode);
	kfree_rcu_mightsleep(group);
}
EXPORT_SYMBOL_IF_KUNIT(pmap_group_put);

static struct pmap_group *pmap_group_get(u64 key)
{
	struct pmap_group *group;

	rcu_read_lock();
	group = xa_load(&pmap_groups, key >> PV_PGOFF_BITS);
	if (group && !refcount_inc_not_zero(&group->refs))
		group = NULL;
	rcu_read_unlock();
	return group;
}

static bool pv_dead(u64 key)
{
	return !xa_load(&pmap_groups, key >> PV_PGOFF_BITS);
}

static spinlock_t *pv_lock(const struct vm_page *m)
{
	return &pv_locks[hash_long(m->phys_addr >> PAGE_SHIFT, PV_LOCKS_SHIFT)];
}

/* Ids grow, so the entries of the oldest groups come first: drop dead ones there. */
static void pv_prune(struct vm_page *m)
{
	struct pv_entry *pv;
	struct rb_node *node;

	while ((node = rb_first(&m->md.pv_more))) {
		pv = rb_entry(node, struct pv_entry, node);
		if (!pv_dead(pv->key))
			break;
		rb_erase(node, &m->md.pv_more);
		uma_zfree(pv_zone, pv);
	}
}

/* Put @new into the tree; false when @key was there. */
static bool pv_link(struct vm_page *m, struct pv_entry *new, u64 key)
{
	struct rb_node **link = &m->md.pv_more.rb_node, *parent = NULL;
	struct pv_entry *pv;

	while (*link) {
		parent = *link;
		pv = rb_entry(parent, struct pv_entry, node);
		if (pv->key == key)
			return false;
		link = key < pv->key ? &parent->rb_left : &parent->rb_right;
	}
	if (new) {
		new->key = key;
		rb_link_node(&new->node, parent, link);
		rb_insert_color(&new->node, &m->md.pv_more);
	}
	return true;
}

/* The first entry of the tree that belongs to the group of @key. */
static struct rb_node *pv_group_first(const struct vm_page *m, u64 key)
{
	struct rb_node *node = m->md.pv_more.rb_node, *found = NULL;

	while (node) {
		if (rb_entry(node, struct pv_entry, node)->key >= (key & ~PV_PGOFF_MASK)) {
			found = node;
			node = node->rb_left;
		} else {
			node = node->rb_right;
		}
	}
	return found;
}

static bool pv_same_group(const struct rb_node *node, u64 key)
{
	return node && !((rb_entry(node, struct pv_entry, node)->key ^ key) & ~PV_PGOFF_MASK);
}

/* Has the group of @key used its places up? */
static bool pv_crowded(const struct vm_page *m, u64 key)
{
	struct rb_node *node = pv_group_first(m, key);
	unsigned int n;

	for (n = 0; pv_same_group(node, key); node = rb_next(node))
		if (++n >= PV_PLACES_MAX)
			return true;
	return false;
}

int pmap_pv_insert_more(struct vm_page *m, u64 key)
{
	struct pv_entry *new = NULL;
	bool missing, crowded;
	u64 first;

	first = READ_ONCE(m->md.pv_first);
	if (pv_dead(first) && try_cmpxchg64(&m->md.pv_first, &first, key))
		return KERN_SUCCESS;

	spin_lock(pv_lock(m));
	missing = pv_link(m, NULL, key);
	crowded = missing && pv_crowded(m, key);
	spin_unlock(pv_lock(m));
	if (!missing)
		return KERN_SUCCESS;
	if (crowded)
		return KERN_NO_SPACE;

	/* The page's object is locked, on whose lock the page daemon may wait. */
	new = uma_zalloc(pv_zone, M_NOWAIT);
	if (!new)
		return KERN_RESOURCE_SHORTAGE;
	spin_lock(pv_lock(m));
	pv_prune(m);
	missing = pv_link(m, new, key);
	spin_unlock(pv_lock(m));
	if (!missing)
		uma_zfree(pv_zone, new);
	return KERN_SUCCESS;
}

bool pmap_page_is_mapped(struct vm_page *m)
{
	return READ_ONCE(m->md.pv_first);
}
EXPORT_SYMBOL_IF_KUNIT(pmap_page_is_mapped);

void pmap_page_reset(struct vm_page *m)
{
	struct pv_entry *pv, *next;

	m->md.pv_first = 0;
	if (likely(RB_EMPTY_ROOT(&m->md.pv_more)))
		return;
	rbtree_postorder_for_each_entry_safe(pv, next, &m->md.pv_more, node)
		uma_zfree(pv_zone, pv);
	m->md.pv_more = RB_ROOT;
}

/* Wherever the page is; what else is there goes with it. */
static void pv_group_unmap(struct pmap_group *group, u64 key)
{
	unmap_mapping_range(group->inode->i_mapping, (key & PV_PGOFF_MASK) << PAGE_SHIFT, PAGE_SIZE,
			    1);
}

static void pv_unmap(u64 key)
{
	struct pmap_group *group = pmap_group_get(key);

	if (!group)
		return;
	pv_group_unmap(group, key);
	pmap_group_put(group);
}

void pmap_pv_reclaim(struct pmap *pmap, struct vm_page *m)
{
	u64 key = (u64)pmap->group->id << PV_PGOFF_BITS;
	struct rb_node *node;

	while (pv_same_group(node = pv_group_first(m, key), key)) {
		pv_unmap(rb_entry(node, struct pv_entry, node)->key);
		rb_erase(node, &m->md.pv_more);
		uma_zfree(pv_zone, rb_entry(node, struct pv_entry, node));
	}
}
EXPORT_SYMBOL_IF_KUNIT(pmap_pv_reclaim);

bool pmap_is_modified(struct vm_page *m)
{
	return vm_page_is_dirty(m);
}
EXPORT_SYMBOL_IF_KUNIT(pmap_is_modified);

/* The group of a pmap that may be going; the mm of one in it is there. */
static struct pmap_group *pmap_group_of(struct pmap *pmap)
{
	struct pmap_group *group = NULL;

	/* The window's file, which keeps the group, is closed after the window has gone. */
	rcu_read_lock();
	if (READ_ONCE(pmap->vma) && refcount_inc_not_zero(&pmap->group->refs))
		group = pmap->group;
	rcu_read_unlock();
	return group;
}

bool pmap_trypin(struct pmap *pmap)
{
	struct pmap_group *group = pmap ? pmap_group_of(pmap) : NULL;
	struct mm_struct *mm = NULL;

	if (!group)
		return false;
	mutex_lock(&group->lock);
	if (READ_ONCE(pmap->vma) && mmget_not_zero(pmap->mm))
		mm = pmap->mm;
	mutex_unlock(&group->lock);
	pmap_group_put(group);
	if (!mm)
		return false;
	if (mmap_read_trylock(mm)) {
		if (pmap->vma && find_vma(mm, pmap->start) == pmap->vma)
			return true;
		mmap_read_unlock(mm);
	}
	mmput_async(mm);
	return false;
}

void pmap_unpin_async(struct pmap *pmap)
{
	mmap_read_unlock(pmap->mm);
	mmput_async(pmap->mm);
}

/* --- pages, wherever they are mapped */

/* What is done to the slots of a page. Those from PV_PROTECT on must reach all of them. */
enum pv_op { PV_LOOK, PV_AGE, PV_PROTECT, PV_REMOVE };

/* Nobody may see a page through a TLB any more as it was before the slots changed. */
static void pmap_hold_flush(struct pmap_hold *hold)
{
	struct pmap *pmap = hold->pmap;

	if (!hold->changing)
		return;
	/* Linux may have emptied slots that were looked at, and not have flushed yet. */
	if (mm_tlb_flush_nested(pmap->mm))
		pmap_tlb_shootdown(pmap, pmap->start, pmap->end);
	else if (hold->start < hold->end)
		pmap_tlb_shootdown(pmap, hold->start, hold->end);
	dec_tlb_flush_pending(pmap->mm);
	hold->changing = false;
}

/* Slots are going to change: Linux must know that a flush is owed. */
static void pmap_hold_change(struct pmap_hold *hold)
{
	if (hold->changing)
		return;
	inc_tlb_flush_pending(hold->pmap->mm);
	hold->changing = true;
	hold->start = ULONG_MAX;
	hold->end = 0;
}

void pmap_hold_drop(struct pmap_hold *hold)
{
	struct mm_struct *mm;

	if (!hold->pmap)
		return;
	pmap_hold_flush(hold);
	mm = hold->pmap->mm;
	hold->pmap = NULL;
	hold->table = NULL;
	mmap_read_unlock(mm);
	/* Not mmput(): tearing an address space down here would need our locks. */
	mmput_async(mm);
}
EXPORT_SYMBOL_IF_KUNIT(pmap_hold_drop);

/*
 * Make the page tables of a window stand still, if that is done at once. The lock of its
 * group keeps @pmap; from then on the window cannot go, as munmap and exit need what is
 * held here.
 */
static bool pmap_hold_take(struct pmap_hold *hold, struct pmap *pmap)
{
	struct mm_struct *mm = pmap->mm;

	if (hold->pmap == pmap)
		return true;
	pmap_hold_drop(hold);
	if (!mmget_not_zero(mm))
		return false;
	if (mmap_read_trylock(mm)) {
		if (find_vma(mm, pmap->start) == pmap->vma) {
			hold->pmap = pmap;
			return true;
		}
		mmap_read_unlock(mm);
	}
	mmput_async(mm);
	return false;
}

/* The slot of an address, from the table where the last one was: tables stand still. */
static pte_t *pmap_hold_slot(struct pmap_hold *hold, vm_offset_t va, spinlock_t **ptl)
{
	pmd_t *pmd = hold->table;
	vm_offset_t next;

	if (!pmd || (va & PMD_MASK) != hold->table_va) {
		pmd = pmap_pmd_lookup(hold->pmap->mm, va, &next);
		hold->table = pmd;
		hold->table_va = va & PMD_MASK;
		if (!pmd)
			return NULL;
	}
	*ptl = pte_lockptr(hold->pmap->mm, pmd);
	return pte_offset_kernel(pmd, va);
}

/* Has the page been used through a slot? If @age, forget it. */
static bool pte_age(pte_t *ptep, const struct vm_page *m, bool age)
{
	pte_t pte = ptep_get(ptep);

	if (!pmap_pte_maps(pte, m) || !pte_young(pte))
		return false;
	/*
	 * No flush: a use that the TLB hides is seen the next time. No lock: if another page
	 * comes here just now, a use of that one is missed.
	 */
	if (age)
		clear_bit(_PAGE_BIT_ACCESSED, (unsigned long *)&ptep->pte);
	return true;
}

/* Take a page's slot away, or write access through it. */
static void pte_reduce(struct pmap_hold *hold, vm_offset_t va, pte_t *ptep,
		       const struct vm_page *m, bool remove)
{
	pte_t pte = ptep_get(ptep);

	if (!pmap_pte_maps(pte, m) || !(remove || pte_write(pte)))
		return;
	if (remove)
		pte_clear(hold->pmap->mm, va, ptep);
	else
		/* Not dirty either, see pmap_protect(); A may get lost, or D come. */
		set_pte(ptep, pte_wrprotect(pte_mkclean(pte)));
	hold->start = min(hold->start, va);
	hold->end = max(hold->end, va + PAGE_SIZE);
}

/* One place of a page, in the window that is held. Has that used the page? */
static bool pmap_hold_apply(struct pmap_hold *hold, u64 key, struct vm_page *m, enum pv_op op)
{
	vm_offset_t va = hold->pmap->start + ((key & PV_PGOFF_MASK) << PAGE_SHIFT);
	spinlock_t *ptl; /* the page table's */
	pte_t *ptep;

	if (op >= PV_PROTECT)
		pmap_hold_change(hold);
	ptep = pmap_hold_slot(hold, va, &ptl);
	if (!ptep)
		return false;
	if (op < PV_PROTECT)
		return pte_age(ptep, m, op == PV_AGE);
	spin_lock(ptl);
	pte_reduce(hold, va, ptep, m, op == PV_REMOVE);
	spin_unlock(ptl);
	return false;
}

/*
 * Is the window that is held all there is of the group of @key? Who joins it now has not
 * mapped the page yet, as that needs the lock of its object.
 */
static bool pmap_hold_suffices(const struct pmap_hold *hold, u64 key)
{
	return hold->pmap && hold->pmap->group->id == key >> PV_PGOFF_BITS &&
	       list_is_singular(&hold->pmap->group->pmaps);
}

/* All windows of a group. Returns how many of them have used the page. */
static unsigned int pv_apply(struct pmap_hold *hold, u64 key, struct vm_page *m, enum pv_op op)
{
	struct pmap_group *group;
	bool missed = false;
	unsigned int n = 0;
	struct pmap *pmap;

	if (pmap_hold_suffices(hold, key))
		return pmap_hold_apply(hold, key, m, op);
	group = pmap_group_get(key);
	if (!group)
		return 0;
	mutex_lock(&group->lock);
	list_for_each_entry(pmap, &group->pmaps, link) {
		if (pmap_hold_take(hold, pmap))
			n += pmap_hold_apply(hold, key, m, op);
		else
			missed = true;
	}
	mutex_unlock(&group->lock);
	/* Linux itself need not wait for anybody. */
	if (missed && op >= PV_PROTECT)
		pv_group_unmap(group, key);
	pmap_group_put(group);
	return n;
}

/* All places of a page, or as many as it takes. */
static unsigned int pmap_page_apply(struct pmap_hold *hold, struct vm_page *m, enum pv_op op,
				    unsigned int enough)
{
	struct rb_node *node;
	unsigned int n;

	if (!m->md.pv_first)
		return 0;
	n = pv_apply(hold, m->md.pv_first, m, op);
	for (node = rb_first(&m->md.pv_more); node && n < enough; node = rb_next(node))
		n += pv_apply(hold, rb_entry(node, struct pv_entry, node)->key, m, op);
	return n;
}

static void pmap_page_remove(struct pmap_hold *hold, struct vm_page *m)
{
	if (!m->md.pv_first)
		return;
	trace_bsdvm_pmap_remove_all(m->phys_addr);
	pmap_page_apply(hold, m, PV_REMOVE, UINT_MAX);
	pmap_page_reset(m);
}

void pmap_remove_all_held(struct pmap_hold *hold, struct vm_page *m)
{
	pmap_page_remove(hold, m);
	if (hold->pmap)
		pmap_hold_flush(hold);
}
EXPORT_SYMBOL_IF_KUNIT(pmap_remove_all_held);

void pmap_remove_all_pages(struct vm_page **ma, unsigned int count)
{
	struct pmap_hold hold = { NULL };
	unsigned int i;

	for (i = 0; i < count; i++)
		pmap_page_remove(&hold, ma[i]);
	pmap_hold_drop(&hold);
}
EXPORT_SYMBOL_IF_KUNIT(pmap_remove_all_pages);

void pmap_remove_all(struct vm_page *m)
{
	pmap_remove_all_pages(&m, 1);
}
EXPORT_SYMBOL_IF_KUNIT(pmap_remove_all);

void pmap_remove_write_pages(struct vm_page **ma, unsigned int count)
{
	struct pmap_hold hold = { NULL };
	unsigned int i;

	for (i = 0; i < count; i++) {
		/* A writable mapping is never entered without this mark. */
		if (!vm_page_is_dirty(ma[i]))
			continue;
		trace_bsdvm_pmap_remove_write(ma[i]->phys_addr);
		pmap_page_apply(&hold, ma[i], PV_PROTECT, UINT_MAX);
	}
	pmap_hold_drop(&hold);
}
EXPORT_SYMBOL_IF_KUNIT(pmap_remove_write_pages);

void pmap_remove_write(struct vm_page *m)
{
	pmap_remove_write_pages(&m, 1);
}
EXPORT_SYMBOL_IF_KUNIT(pmap_remove_write);

bool pmap_is_referenced(struct vm_page *m)
{
	struct pmap_hold hold = { NULL };
	bool ret = pmap_page_apply(&hold, m, PV_LOOK, 1);

	pmap_hold_drop(&hold);
	return ret;
}
EXPORT_SYMBOL_IF_KUNIT(pmap_is_referenced);

unsigned int pmap_ts_referenced_held(struct pmap_hold *hold, struct vm_page *m)
{
	return min_t(unsigned int, pmap_page_apply(hold, m, PV_AGE, PMAP_TS_REFERENCED_MAX),
		     PMAP_TS_REFERENCED_MAX);
}
EXPORT_SYMBOL_IF_KUNIT(pmap_ts_referenced_held);

unsigned int pmap_ts_referenced(struct vm_page *m)
{
	struct pmap_hold hold = { NULL };
	unsigned int n = pmap_ts_referenced_held(&hold, m);

	pmap_hold_drop(&hold);
	return n;
}
EXPORT_SYMBOL_IF_KUNIT(pmap_ts_referenced);
