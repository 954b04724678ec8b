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
#include <linux/sched/mm.h>
#include <linux/slab.h>
#include <linux/xarray.h>

#include "pmap_var.h"
#include "trace.h"
#include "vm/uma.h"
#include "vm/vm_page.h"

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

static void pv_unmap(u64 key)
{
	struct pmap_group *group = pmap_group_get(key);

	if (!group)
		return;
	unmap_mapping_range(group->inode->i_mapping, (key & PV_PGOFF_MASK) << PAGE_SHIFT, PAGE_SIZE,
			    1);
	pmap_group_put(group);
}

void pmap_remove_all(struct vm_page *m)
{
	struct rb_node *node;

	if (!m->md.pv_first)
		return;
	trace_bsdvm_pmap_remove_all(m->phys_addr);
	pv_unmap(m->md.pv_first);
	for (node = rb_first(&m->md.pv_more); node; node = rb_next(node))
		pv_unmap(rb_entry(node, struct pv_entry, node)->key);
	pmap_page_reset(m);
}
EXPORT_SYMBOL_IF_KUNIT(pmap_remove_all);

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

void pmap_remove_write(struct vm_page *m)
{
	/* A writable mapping is never entered without this mark. */
	if (vm_page_is_dirty(m))
		pmap_remove_all(m);
}
EXPORT_SYMBOL_IF_KUNIT(pmap_remove_write);

bool pmap_is_modified(struct vm_page *m)
{
	return vm_page_is_dirty(m);
}
EXPORT_SYMBOL_IF_KUNIT(pmap_is_modified);

/* Has this window used the page through the slot at @va? */
static bool pmap_pte_referenced(struct pmap *pmap, vm_offset_t va, struct vm_page *m, bool clear)
{
	bool ret = false;
	spinlock_t *ptl; /* the page table's */
	pte_t *ptep;

	ptep = pmap_pte_lookup(pmap->mm, va, &ptl);
	if (!ptep)
		return false;
	spin_lock(ptl);
	if (pmap_pte_maps(ptep_get(ptep), m) && pte_young(ptep_get(ptep))) {
		/* No flush: a use that the TLB hides is seen the next time. */
		if (clear)
			clear_bit(_PAGE_BIT_ACCESSED, (unsigned long *)&ptep->pte);
		ret = true;
	}
	spin_unlock(ptl);
	return ret;
}

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

/* Look at one window, if its page tables can be made to stand still at once. */
static bool pmap_referenced(struct pmap *pmap, u64 pgoff, struct vm_page *m, bool clear)
{
	struct mm_struct *mm = pmap->mm;
	bool ret = false;

	if (!mmget_not_zero(mm))
		return false;
	if (mmap_read_trylock(mm)) {
		if (find_vma(mm, pmap->start) == pmap->vma)
			ret = pmap_pte_referenced(pmap, pmap->start + (pgoff << PAGE_SHIFT), m,
						  clear);
		mmap_read_unlock(mm);
	}
	/* Not mmput(): tearing an address space down here would need our locks. */
	mmput_async(mm);
	return ret;
}

static unsigned int pv_referenced(u64 key, struct vm_page *m, bool clear)
{
	struct pmap_group *group = pmap_group_get(key);
	unsigned int n = 0;
	struct pmap *pmap;

	if (!group)
		return 0;
	mutex_lock(&group->lock);
	list_for_each_entry(pmap, &group->pmaps, link)
		n += pmap_referenced(pmap, key & PV_PGOFF_MASK, m, clear);
	mutex_unlock(&group->lock);
	pmap_group_put(group);
	return n;
}

static unsigned int pmap_count_referenced(struct vm_page *m, bool clear, unsigned int enough)
{
	struct rb_node *node;
	unsigned int n = 0;

	if (!m->md.pv_first)
		return 0;
	n = pv_referenced(m->md.pv_first, m, clear);
	for (node = rb_first(&m->md.pv_more); node && n < enough; node = rb_next(node))
		n += pv_referenced(rb_entry(node, struct pv_entry, node)->key, m, clear);
	return n;
}

bool pmap_is_referenced(struct vm_page *m)
{
	return pmap_count_referenced(m, false, 1);
}
EXPORT_SYMBOL_IF_KUNIT(pmap_is_referenced);

unsigned int pmap_ts_referenced(struct vm_page *m)
{
	return min_t(unsigned int, pmap_count_referenced(m, true, PMAP_TS_REFERENCED_MAX),
		     PMAP_TS_REFERENCED_MAX);
}
EXPORT_SYMBOL_IF_KUNIT(pmap_ts_referenced);
