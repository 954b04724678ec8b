// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * vm_object: references, chains of shadows, resident pages.
 *
 * How a chain grows and shrinks. A fork lets two entries share an object; the
 * first write on either side puts a shadow in front of it for that side, which
 * gets the pages written:
 *
 *	parent ──► S1 ──► O ◄── S2 ◄── child
 *
 * When the child goes, O is left with S1 alone: vm_object_collapse() moves O's
 * pages that S1 does not hide into S1 and destroys O. When O is still in use by
 * others but S1 has every page of its own, S1 skips over O (bypass). So a program
 * that forks for ever keeps a bounded chain.
 *
 * Invariants: an object's shadow_count is the length of its shadow_head list;
 * each shadow holds one reference to its backing object; only anonymous objects
 * are collapsed; a page in a collapsed or bypassed object's way is never mapped,
 * since the page that hides it replaced its mapping.
 *
 * Lock order: a shadow before its backing object, see vm_object.h. Where the
 * order is against us (from an object up to its shadow) the lock is tried.
 */
#include "vm_object.h"

#include "pmap.h"
#include "swap_reserve.h"
#include "trace.h"
#include "uma.h"
#include "vm_object_var.h"
#include "vm_page.h"
#include "vm_pager.h"
#include "vm_user.h"
#include "vmmeter.h"

/* Pages that are freed at once. */
#define VM_OBJECT_FREE_RUN	32

unsigned int vm_old_msync;

static struct uma_zone *obj_zone;
static atomic64_t next_object_id;

/**
 * struct object_list - the objects that one CPU has made
 * @lock: guards @head against other writers; a leaf
 * @head: the objects in order of id, by vm_object.object_list
 */
struct object_list {
	spinlock_t lock; /* who adds and removes */
	struct list_head head;
};

static DEFINE_PER_CPU(struct object_list, object_lists);

static void vm_object_later(struct work_struct *work);
static LLIST_HEAD(later_list);
static DECLARE_WORK(later_work, vm_object_later);

static void vm_object_dead(struct work_struct *work);
static LLIST_HEAD(dead_list);
static DECLARE_WORK(dead_work, vm_object_dead);

int vm_object_init(void)
{
	struct object_list *list;
	unsigned int cpu;

	for_each_possible_cpu(cpu) {
		list = per_cpu_ptr(&object_lists, cpu);
		spin_lock_init(&list->lock);
		INIT_LIST_HEAD(&list->head);
	}
	obj_zone = uma_zcreate("VM OBJECT", sizeof(struct vm_object), NULL, NULL, NULL, NULL,
			       UMA_ALIGN_PTR, 0);
	return obj_zone ? 0 : -ENOMEM;
}

void vm_object_fini(void)
{
	flush_work(&later_work);
	rcu_barrier();
	flush_work(&dead_work);
	uma_zdestroy(obj_zone);
	obj_zone = NULL;
	vm_user_fini();
}

/* Name an object and list it; under the lock, so that the list is in order. */
static void vm_object_list_add(struct vm_object *object)
{
	struct object_list *list;

	object->cpu = raw_smp_processor_id();
	list = per_cpu_ptr(&object_lists, object->cpu);
	spin_lock(&list->lock);
	object->id = atomic64_inc_return(&next_object_id);
	list_add_tail_rcu(&object->object_list, &list->head);
	spin_unlock(&list->lock);
}

static void vm_object_list_remove(struct vm_object *object)
{
	struct object_list *list = per_cpu_ptr(&object_lists, object->cpu);

	spin_lock(&list->lock);
	list_del_rcu(&object->object_list);
	spin_unlock(&list->lock);
}

struct vm_object *vm_object_allocate(u8 type, vm_pindex_t size)
{
	struct vm_user *user = vm_user_current();
	struct vm_object *object = user ? uma_zalloc(obj_zone, M_NOWAIT) : NULL;

	if (!object)
		return NULL;
	object->user = user;
	init_rwsem(&object->lock);
	xa_init(&object->pages);
	xa_init(&object->swap);
	refcount_set(&object->ref_count, 1);
	object->shadow_count = 0;
	INIT_LIST_HEAD(&object->shadow_head);
	INIT_LIST_HEAD(&object->shadow_list);
	object->backing_object = NULL;
	object->backing_object_offset = 0;
	object->size = size;
	object->resident_page_count = 0;
	object->type = type;
	object->flags = 0;
	object->charge = 0;
	atomic64_set(&object->writemappings, 0);
	atomic_set(&object->paging_in_progress, 0);
	atomic_set(&object->later_queued, 0);
	object->vnp = NULL;
	vm_object_list_add(object);
	VM_CNT_INC(o_count);
	trace_bsdvm_object_create(object->id, type, size);
	return object;
}
EXPORT_SYMBOL_IF_KUNIT(vm_object_allocate);

struct vm_object *vm_object_allocate_anon(vm_pindex_t size)
{
	struct vm_object *object = vm_object_allocate(OBJT_DEFAULT, size);

	if (object)
		object->flags = OBJ_ANON | OBJ_ONEMAPPING;
	return object;
}
EXPORT_SYMBOL_IF_KUNIT(vm_object_allocate_anon);

void vm_object_reference(struct vm_object *object)
{
	if (object)
		refcount_inc(&object->ref_count);
}
EXPORT_SYMBOL_IF_KUNIT(vm_object_reference);

void vm_object_clear_flag(struct vm_object *object, u16 flag)
{
	VM_OBJECT_WLOCK(object);
	object->flags &= ~flag;
	VM_OBJECT_WUNLOCK(object);
}

#ifdef BSDVM_DEBUG
void vm_object_assert_consistent(struct vm_object *object)
{
	unsigned long n = 0, index;
	struct vm_page *m;

	VM_OBJECT_ASSERT_WLOCKED(object);
	xa_for_each(&object->pages, index, m) {
		VM_ASSERT(m->object == object && m->pindex == index);
		n++;
	}
	VM_ASSERT(n == object->resident_page_count);
}
EXPORT_SYMBOL_IF_KUNIT(vm_object_assert_consistent);
#else
void vm_object_assert_consistent(struct vm_object *object)
{
}
#endif

int vm_page_insert_at(struct vm_page *m, struct vm_object *object, vm_pindex_t pindex,
		      struct xa_node *node)
{
	int ret = 0;

	VM_OBJECT_ASSERT_LOCKED(object);
	VM_ASSERT(!m->object);
	/* Before others can find it, who have the lock shared as well. */
	m->pindex = pindex;
	WRITE_ONCE(m->object, object);
	if (unlikely(!vm_radix_put(node, pindex, m)))
		ret = vm_radix_insert(&object->pages, pindex, m);
	if (unlikely(ret))
		WRITE_ONCE(m->object, NULL);
	else
		vm_object_count(object, 1);
	return ret;
}

int vm_page_insert(struct vm_page *m, struct vm_object *object, vm_pindex_t pindex)
{
	struct xa_node *node;

	VM_OBJECT_ASSERT_LOCKED(object);
	vm_radix_walk(&object->pages, pindex, &node);
	return vm_page_insert_at(m, object, pindex, node);
}
EXPORT_SYMBOL_IF_KUNIT(vm_page_insert);

unsigned int vm_page_insert_npages(struct vm_page **ma, unsigned int n, struct vm_object *object,
				   vm_pindex_t pindex)
{
	unsigned int i, done;

	VM_OBJECT_ASSERT_LOCKED(object);
	for (i = 0; i < n; i++) {
		VM_ASSERT(!ma[i]->object);
		ma[i]->pindex = pindex + i;
		WRITE_ONCE(ma[i]->object, object);
	}
	done = vm_radix_fill(&object->pages, pindex, (void **)ma, n);
	for (i = done; i < n; i++)
		WRITE_ONCE(ma[i]->object, NULL);
	vm_object_count(object, done);
	return done;
}
EXPORT_SYMBOL_IF_KUNIT(vm_page_insert_npages);

void vm_page_remove(struct vm_page *m)
{
	struct vm_object *object = m->object;

	VM_OBJECT_ASSERT_WLOCKED(object);
	xa_erase(&object->pages, m->pindex);
	vm_object_count(object, -1);
	m->object = NULL;
}
EXPORT_SYMBOL_IF_KUNIT(vm_page_remove);

int vm_page_rename(struct vm_page *m, struct vm_object *object, vm_pindex_t pindex)
{
	struct vm_object *old_object = m->object;
	vm_pindex_t old_pindex = m->pindex;
	int ret;

	VM_OBJECT_ASSERT_WLOCKED(old_object);
	m->object = NULL;
	ret = vm_page_insert(m, object, pindex);
	if (ret) {
		m->pindex = old_pindex;
		m->object = old_object;
		return ret;
	}
	xa_erase(&old_object->pages, old_pindex);
	vm_object_count(old_object, -1);
	return 0;
}
EXPORT_SYMBOL_IF_KUNIT(vm_page_rename);

/* Nobody reaches the page any more: free it now or with its last wiring. */
static void vm_page_release(struct vm_page *m)
{
	pmap_page_reset(m);
	vm_page_release_orphan(m);
}

void vm_page_destroy(struct vm_page *m)
{
	vm_page_remove(m);
	vm_page_release(m);
}
EXPORT_SYMBOL_IF_KUNIT(vm_page_destroy);

/* The next pages of a range that nobody has mapped, taken out of the object. */
static unsigned int vm_object_take_pages(struct vm_object *object, struct xa_state *xas,
					 vm_pindex_t last, struct vm_page **ma, unsigned int max)
{
	unsigned int n = 0;
	struct vm_page *m;

	xas_lock(xas);
	while (n < max && (m = xas_next_entry(xas, last))) {
		if (xas_retry(xas, m))
			continue;
		/* On its way in: who brings it destroys it. */
		if (vm_page_busied(m)) {
			set_bit(PGA_GONE, &m->aflags);
			continue;
		}
		xas_store(xas, NULL);
		m->object = NULL;
		ma[n++] = m;
	}
	xas_unlock(xas);
	vm_object_count(object, -(long)n);
	return n;
}

/* Free the pages of a range that nobody has mapped, many at a time. */
static void vm_object_free_range(struct vm_object *object, vm_pindex_t start, vm_pindex_t last)
{
	struct vm_page *ma[VM_OBJECT_FREE_RUN] __uninitialized;
	XA_STATE(xas, &object->pages, start);
	unsigned int n, i;

	while ((n = vm_object_take_pages(object, &xas, last, ma, ARRAY_SIZE(ma)))) {
		for (i = 0; i < n; i++)
			pmap_page_reset(ma[i]);
		vm_page_release_orphans(ma, n);
	}
}

void vm_object_page_remove(struct vm_object *object, vm_pindex_t start, vm_pindex_t end,
			   unsigned int options)
{
	vm_pindex_t last = end ? end - 1 : ULONG_MAX;
	unsigned long index;
	struct vm_page *m;

	VM_OBJECT_ASSERT_WLOCKED(object);
	if (options == OBJPR_NOTMAPPED) {
		vm_object_free_range(object, start, last);
		vm_pager_freespace(object, start, end);
		return;
	}
	xa_for_each_range(&object->pages, index, m, start, last) {
		if (vm_page_busied(m)) {
			/* On its way in: who brings it destroys it. */
			if (!(options & (OBJPR_CLEANONLY | OBJPR_UNWIRED)))
				set_bit(PGA_GONE, &m->aflags);
			continue;
		}
		/* Dirty is known only once nobody can write. */
		if (!(options & OBJPR_NOTMAPPED))
			pmap_remove_all(m);
		/* Wired: on its way to the file, which is older than it. */
		if ((options & OBJPR_CLEANONLY) && (vm_page_is_dirty(m) || vm_page_wired(m)))
			continue;
		if ((options & OBJPR_UNWIRED) && vm_page_wired(m))
			continue;
		vm_page_destroy(m);
	}
	if (!(options & (OBJPR_CLEANONLY | OBJPR_UNWIRED)))
		vm_pager_freespace(object, start, end);
}
EXPORT_SYMBOL_IF_KUNIT(vm_object_page_remove);

struct vm_object *vm_object_trylock_page(struct vm_page *m)
{
	struct vm_object *object;

	/* Keeps the object's memory; what is locked and not dead stays by itself. */
	rcu_read_lock();
	object = READ_ONCE(m->object);
	if (object && !down_write_trylock(&object->lock))
		object = NULL;
	if (object && (READ_ONCE(m->object) != object || (object->flags & OBJ_DEAD))) {
		VM_OBJECT_WUNLOCK(object);
		object = NULL;
	}
	rcu_read_unlock();
	return object;
}
EXPORT_SYMBOL_IF_KUNIT(vm_object_trylock_page);

/*
 * A page for page-in, busied and in its place. NULL with *@err 0: there is one
 * already, or nothing to bring in.
 */
static struct vm_page *vm_object_pagein_prepare(struct vm_object *object, vm_pindex_t pindex,
						int *err)
{
	struct vm_page *m;

	*err = 0;
	VM_OBJECT_WLOCK(object);
	m = vm_page_lookup(object, pindex);
	if (m || !vm_pager_has_page(object, pindex)) {
		VM_OBJECT_WUNLOCK(object);
		if (m && vm_page_busy_sleep(m))
			*err = -EINTR;
		return NULL;
	}
	m = vm_page_alloc_noobj(VM_ALLOC_NORMAL);
	if (!m) {
		*err = -EAGAIN;
	} else {
		vm_page_tryxbusy(m);
		if (vm_page_insert(m, object, pindex)) {
			vm_page_xunbusy(m);
			vm_page_free(m);
			m = NULL;
			*err = -ENOMEM;
		}
	}
	VM_OBJECT_WUNLOCK(object);
	return m;
}

void vm_object_pagein_done(struct vm_object *object, struct vm_page **ma, unsigned int count,
			   unsigned int req)
{
	bool crowded = vm_pager_swapped(object) && vm_pager_ops(object)->crowded();
	struct vm_page *m;
	unsigned int i;

	VM_OBJECT_WLOCK(object);
	for (i = 0; i < count; i++) {
		m = ma[i];
		if (m->valid && !test_bit(PGA_GONE, &m->aflags)) {
			if (crowded) {
				vm_pager_page_unswapped(m);
				vm_page_dirty(m);
			}
			vm_page_enqueue(m, i == req ? PQ_ACTIVE : PQ_INACTIVE);
			vm_page_xunbusy(m);
			continue;
		}
		vm_page_xunbusy(m);
		/* What was freed meanwhile left this behind, see vm_object_page_remove(). */
		if (test_bit(PGA_GONE, &m->aflags))
			vm_pager_freespace(object, m->pindex, m->pindex + 1);
		vm_page_destroy(m);
	}
	VM_OBJECT_WUNLOCK(object);
}

int vm_object_pagein(struct vm_object *object, vm_pindex_t pindex)
{
	unsigned int attempts = 0;
	struct vm_page *m;
	int ret;

	while (!(m = vm_object_pagein_prepare(object, pindex, &ret))) {
		if (ret != -EAGAIN)
			return ret;
		ret = vm_wait_attempt(&attempts);
		if (ret)
			return ret;
	}
	ret = vm_pager_get_pages(object, &m, 1, 0);
	vm_object_pagein_done(object, &m, 1, 0);
	return ret == VM_PAGER_OK ? 0 : -EIO;
}
EXPORT_SYMBOL_IF_KUNIT(vm_object_pagein);

/* Wait for a page, or for fewer pages of the object's user. */
static int vm_object_wait_memory(struct vm_object *object, unsigned int *attempts)
{
	return vm_user_over(object->user) ? vm_user_wait_attempt(object->user, attempts) :
					    vm_wait_attempt(attempts);
}

/*
 * Put a zeroed page where none is, unless somebody else is faster. -EAGAIN: no page is
 * free.
 */
static int vm_object_add_page(struct vm_object *object, vm_pindex_t pindex)
{
	const struct pagerops *ops = vm_pager_ops(object);
	struct vm_page *m;
	int ret;

	if (ops && ops->populate) {
		ret = ops->populate(object, pindex);
		if (ret == VM_PAGER_AGAIN)
			return -EAGAIN;
		return ret == VM_PAGER_OK ? 0 : -ENOMEM;
	}
	m = vm_user_over(object->user) ? NULL : vm_page_alloc_noobj(VM_ALLOC_NORMAL);
	if (!m)
		return -EAGAIN;
	pmap_zero_page(m);
	m->valid = 1;
	VM_OBJECT_WLOCK(object);
	/* One that came meanwhile may have gone to swap since. */
	ret = vm_pager_has_page(object, pindex) ? -EEXIST : vm_page_insert(m, object, pindex);
	if (!ret)
		vm_page_enqueue(m, PQ_ACTIVE);
	VM_OBJECT_WUNLOCK(object);
	if (ret)
		vm_page_free(m);
	else if (!(object->flags & OBJ_ANON))
		/* Shared memory: what the kernel stages in pages of its own nobody asked for. */
		VM_CNT_INC(v_zfod);
	return ret == -EEXIST ? 0 : ret;
}

int vm_object_grab_page(struct vm_object *object, vm_pindex_t pindex, bool create,
			struct vm_page **mp)
{
	unsigned int attempts = 0;
	bool busied, paged_out;
	struct vm_page *m;
	int ret;

	*mp = NULL;
	for (;;) {
		VM_OBJECT_RLOCK(object);
		m = vm_page_lookup(object, pindex);
		busied = m && vm_page_busied(m);
		if (m && !busied)
			vm_page_wire(m);
		paged_out = !m && vm_pager_has_page(object, pindex);
		VM_OBJECT_RUNLOCK(object);
		if (busied && vm_page_busy_sleep(m))
			return -EINTR;
		if (busied)
			continue;
		if (m) {
			*mp = m;
			return 0;
		}
		if (paged_out) {
			ret = vm_object_pagein(object, pindex);
			if (ret)
				return ret;
			continue;
		}
		if (!create)
			return 0;

		ret = vm_object_add_page(object, pindex);
		if (ret == -EAGAIN)
			ret = vm_object_wait_memory(object, &attempts);
		if (ret)
			return ret;
	}
}
EXPORT_SYMBOL_IF_KUNIT(vm_object_grab_page);

void vm_object_page_written(struct vm_object *object, struct vm_page *m)
{
	VM_OBJECT_RLOCK(object);
	if (m->object == object)
		vm_pager_page_unswapped(m);
	vm_page_dirty(m);
	VM_OBJECT_RUNLOCK(object);
}

struct vm_page *vm_object_make_page(struct vm_object *object, vm_pindex_t pindex,
				    struct vm_page *src)
{
	struct vm_page *m = vm_page_alloc_noobj(VM_ALLOC_NORMAL);

	VM_OBJECT_ASSERT_WLOCKED(object);
	if (!m)
		return ERR_PTR(-EAGAIN);
	if (src)
		pmap_copy_page(src, m);
	else
		pmap_zero_page(m);
	if (vm_page_insert(m, object, pindex)) {
		vm_page_free(m);
		return ERR_PTR(-ENOMEM);
	}
	m->valid = 1;
	vm_page_dirty(m);
	vm_page_enqueue(m, PQ_ACTIVE);
	return m;
}
EXPORT_SYMBOL_IF_KUNIT(vm_object_make_page);

void vm_object_unwire(struct vm_object *object, vm_pindex_t start, vm_pindex_t end)
{
	unsigned long index;
	struct vm_page *m;

	VM_OBJECT_RLOCK(object);
	xa_for_each_range(&object->pages, index, m, start, end - 1) {
		VM_ASSERT(vm_page_wired(m));
		vm_page_unwire(m, PQ_ACTIVE);
		cond_resched();
	}
	VM_OBJECT_RUNLOCK(object);
}
EXPORT_SYMBOL_IF_KUNIT(vm_object_unwire);

void vm_object_lazyfree(struct vm_object *object, vm_pindex_t start, vm_pindex_t end)
{
	unsigned long index;
	struct vm_page *m;

	VM_OBJECT_ASSERT_WLOCKED(object);
	xa_for_each_range(&object->pages, index, m, start, end - 1) {
		if (vm_page_busied(m))
			continue;
		if (vm_page_wired(m)) {
			/* It is kept, and what is behind it goes. */
			vm_page_dirty(m);
			continue;
		}
		vm_page_undirty(m);
		vm_page_lazyfree(m);
		vm_page_deactivate_noreuse(m);
		cond_resched();
	}
	vm_pager_freespace(object, start, end);
}
EXPORT_SYMBOL_IF_KUNIT(vm_object_lazyfree);

unsigned long vm_object_resident(struct vm_object *object, vm_pindex_t start, vm_pindex_t end)
{
	unsigned long n = 0, index;
	struct vm_page *m;

	VM_OBJECT_ASSERT_LOCKED(object);
	if (start >= end)
		return 0;
	xa_for_each_range(&object->pages, index, m, start, end - 1)
		n++;
	return n;
}
EXPORT_SYMBOL_IF_KUNIT(vm_object_resident);

/* Objects that nobody can be looking at any more. */
static void vm_object_dead(struct work_struct *work)
{
	struct vm_object *object, *next;

	llist_for_each_entry_safe(object, next, llist_del_all(&dead_list), later)
		uma_zfree(obj_zone, object);
}

/* In an interrupt, where zones are out of bounds. */
static void vm_object_free_rcu(struct rcu_head *rcu)
{
	struct vm_object *object = container_of(rcu, struct vm_object, rcu);

	if (llist_add(&object->later, &dead_list))
		schedule_work(&dead_work);
}

/* The next pages of an object that nobody changes any more. */
static unsigned int vm_object_next_pages(struct xa_state *xas, struct vm_page **ma,
					 unsigned int max)
{
	unsigned int n = 0;
	struct vm_page *m;

	/* For the xarray's sake: it knows no other reason why nodes stay. */
	rcu_read_lock();
	while (n < max && (m = xas_next_entry(xas, ULONG_MAX)))
		if (!xas_retry(xas, m))
			ma[n++] = m;
	rcu_read_unlock();
	return n;
}

/* Free the pages of an object that nobody can find any more, but for who only looks. */
static void vm_object_free_pages(struct vm_object *object)
{
	struct vm_page *ma[VM_OBJECT_FREE_RUN] __uninitialized;
	XA_STATE(xas, &object->pages, 0);
	unsigned int n, i;

	while ((n = vm_object_next_pages(&xas, ma, ARRAY_SIZE(ma)))) {
		for (i = 0; i < n; i++) {
			ma[i]->object = NULL;
			pmap_page_reset(ma[i]);
		}
		vm_page_release_orphans(ma, n);
		cond_resched();
	}
}

/* The last reference is gone and nobody can find the object any more. */
void vm_object_free(struct vm_object *object)
{
	trace_bsdvm_object_destroy(object->id, object->type, object->resident_page_count);
	vm_object_free_pages(object);
	vm_object_count(object, -(long)object->resident_page_count);
	VM_ASSERT(!atomic64_read(&object->writemappings));
	xa_destroy(&object->pages);
	xa_destroy(&object->swap);
	swap_release(object->charge);
	vm_object_list_remove(object);
	VM_CNT_DEC(o_count);
	call_rcu(&object->rcu, vm_object_free_rcu);
}

/*
 * An object has lost its last reference, under its lock, which this drops.
 * Returns its backing object, whose reference is the caller's now.
 */
static struct vm_object *vm_object_terminate(struct vm_object *object)
{
	struct vm_object *backing = object->backing_object;
	const struct pagerops *ops = vm_pager_ops(object);

	object->flags |= OBJ_DEAD;
	VM_ASSERT(!object->shadow_count);
	vm_object_assert_consistent(object);
	if (backing) {
		VM_OBJECT_WLOCK_NESTED(backing, VM_OBJECT_BACKING);
		vm_object_backing_remove(object);
		VM_OBJECT_WUNLOCK(backing);
	}
	VM_OBJECT_WUNLOCK(object);
	if (ops)
		ops->dealloc(object);
	vm_object_free(object);
	return backing;
}

/*
 * The one reference left may be that of the one shadow left. Returns that shadow,
 * referenced, so that it can be collapsed.
 */
static struct vm_object *vm_object_last_shadow(struct vm_object *object)
{
	struct vm_object *shadow;

	VM_OBJECT_ASSERT_WLOCKED(object);
	if (!(object->flags & OBJ_ANON) || object->shadow_count != 1 ||
	    refcount_read(&object->ref_count) != 1)
		return NULL;
	shadow = list_first_entry(&object->shadow_head, struct vm_object, shadow_list);
	/* It cannot leave our list while we are locked, but may be dying. */
	return refcount_inc_not_zero(&shadow->ref_count) ? shadow : NULL;
}

void vm_object_deallocate(struct vm_object *object)
{
	struct vm_object *shadow;

	while (object) {
		VM_OBJECT_WLOCK(object);
		if (refcount_dec_and_test(&object->ref_count)) {
			object = vm_object_terminate(object);
			continue;
		}
		shadow = vm_object_last_shadow(object);
		VM_OBJECT_WUNLOCK(object);
		if (shadow) {
			VM_OBJECT_WLOCK(shadow);
			vm_object_collapse(shadow);
			VM_OBJECT_WUNLOCK(shadow);
		}
		object = shadow;
	}
}
EXPORT_SYMBOL_IF_KUNIT(vm_object_deallocate);

static void vm_object_later(struct work_struct *work)
{
	struct llist_node *list = llist_del_all(&later_list);
	struct vm_object *object, *next;

	llist_for_each_entry_safe(object, next, list, later) {
		/* From now on somebody else may put it on the list. */
		atomic_set_release(&object->later_queued, 0);
		vm_object_deallocate(object);
	}
}

void vm_object_deallocate_later(struct vm_object *object)
{
	bool shadowed = (object->flags & OBJ_ANON) && READ_ONCE(object->shadow_count);

	/* What is shadowed may have to be collapsed: that needs locks. */
	if (!shadowed && refcount_dec_not_one(&object->ref_count))
		return;
	if (atomic_xchg(&object->later_queued, 1)) {
		/* Never the last: the list has one. */
		refcount_dec(&object->ref_count);
		return;
	}
	if (llist_add(&object->later, &later_list))
		queue_work(system_unbound_wq, &later_work);
}

int vm_object_shadow(struct vm_object **object, vm_ooffset_t *offset, vm_size_t length)
{
	struct vm_object *source = *object, *result;

	VM_OBJECT_WLOCK(source);
	if ((source->flags & OBJ_ANON) && refcount_read(&source->ref_count) == 1) {
		/* Nobody to share with: one entry maps it, nothing shadows it. */
		source->flags |= OBJ_ONEMAPPING;
		VM_OBJECT_WUNLOCK(source);
		return KERN_SUCCESS;
	}
	VM_OBJECT_WUNLOCK(source);

	result = vm_object_allocate_anon(OFF_TO_IDX(length));
	if (!result)
		return KERN_RESOURCE_SHORTAGE;
	result->backing_object_offset = *offset;
	VM_OBJECT_WLOCK(source);
	vm_object_backing_insert(result, source);
	trace_bsdvm_object_shadow(result->id, source->id, *offset, result->size);
	VM_OBJECT_WUNLOCK(source);
	*object = result;
	*offset = 0;
	return KERN_SUCCESS;
}
EXPORT_SYMBOL_IF_KUNIT(vm_object_shadow);

/* Put the pages of a range, down a chain, on one queue. */
static void vm_object_requeue(struct vm_object *object, vm_pindex_t start, vm_pindex_t end,
			      void (*requeue)(struct vm_page *m))
{
	struct vm_object *backing;
	unsigned long index;
	struct vm_page *m;

	VM_OBJECT_RLOCK(object);
	for (;;) {
		xa_for_each_range(&object->pages, index, m, start, end - 1) {
			if (!vm_page_wired(m) && !vm_page_busied(m))
				requeue(m);
			cond_resched();
		}
		backing = object->backing_object;
		if (!backing)
			break;
		start += OFF_TO_IDX(object->backing_object_offset);
		end += OFF_TO_IDX(object->backing_object_offset);
		VM_OBJECT_RLOCK_NESTED(backing, VM_OBJECT_BACKING);
		VM_OBJECT_RUNLOCK(object);
		/* What is walked on from is where the walk begins, as lockdep sees it. */
		lock_set_subclass(&backing->lock.dep_map, 0, _THIS_IP_);
		object = backing;
	}
	VM_OBJECT_RUNLOCK(object);
}

void vm_object_dontneed(struct vm_object *object, vm_pindex_t start, vm_pindex_t end)
{
	vm_object_requeue(object, start, end, vm_page_deactivate);
}

void vm_object_willneed(struct vm_object *object, vm_pindex_t start, vm_pindex_t end)
{
	vm_object_requeue(object, start, end, vm_page_activate);
}
EXPORT_SYMBOL_IF_KUNIT(vm_object_dontneed);

bool vm_object_coalesce(struct vm_object *object, vm_ooffset_t offset, vm_size_t prev_size,
			vm_size_t next_size)
{
	vm_pindex_t next_start = OFF_TO_IDX(offset + prev_size);
	vm_pindex_t next_end = next_start + OFF_TO_IDX(next_size);
	bool ret = false;

	if (!object)
		return true;
	VM_OBJECT_WLOCK(object);
	/* The new part must be nobody's: no other entry, nothing behind or before. */
	if ((object->flags & (OBJ_ANON | OBJ_ONEMAPPING)) != (OBJ_ANON | OBJ_ONEMAPPING) ||
	    object->backing_object || object->shadow_count ||
	    refcount_read(&object->ref_count) != 1)
		goto unlock;
	/* What an entry once mapped there is gone, its pages may not show again. */
	vm_object_page_remove(object, next_start, next_end, OBJPR_NOTMAPPED);
	object->size = max(object->size, next_end);
	ret = true;
unlock:
	VM_OBJECT_WUNLOCK(object);
	return ret;
}
EXPORT_SYMBOL_IF_KUNIT(vm_object_coalesce);

/* The last object of a chain, referenced, and an offset in the first seen from there. */
static struct vm_object *vm_object_bottom(struct vm_object *object, vm_ooffset_t *offset)
{
	struct vm_object *backing;

	vm_object_reference(object);
	for (;;) {
		VM_OBJECT_RLOCK(object);
		backing = object->backing_object;
		*offset += object->backing_object_offset;
		vm_object_reference(backing);
		VM_OBJECT_RUNLOCK(object);
		if (!backing)
			return object;
		vm_object_deallocate_later(object);
		object = backing;
	}
}

/* Does a chain end in the memory of a device? */
static bool vm_object_shows_device(struct vm_object *object)
{
	vm_ooffset_t offset = 0;
	struct vm_object *bottom = vm_object_bottom(object, &offset);
	bool ret = bottom->type == OBJT_DEVICE;

	vm_object_deallocate_later(bottom);
	return ret;
}

int vm_object_extension(struct vm_object *object, vm_ooffset_t offset, vm_size_t size, bool cow,
			struct vm_object **result, vm_ooffset_t *result_offset)
{
	const u16 private = OBJ_ANON | OBJ_ONEMAPPING;
	int rv = KERN_SUCCESS;

	*result = NULL;
	*result_offset = 0;
	if (!object)
		return KERN_SUCCESS;
	/* It was asked what may be mapped, and by whom. */
	if (vm_object_shows_device(object))
		return KERN_INVALID_ARGUMENT;
	if (cow) {
		object = vm_object_bottom(object, &offset);
		if (object->flags & OBJ_ANON) {
			vm_object_deallocate_later(object);
			return KERN_SUCCESS;
		}
		*result = object;
		*result_offset = offset;
		return KERN_SUCCESS;
	}
	VM_OBJECT_WLOCK(object);
	if ((object->flags & private) != private) {
		if ((object->flags & OBJ_ANON) && OFF_TO_IDX(offset + size) > object->size) {
			if (swap_reserve(size)) {
				object->charge += size;
				object->size = OFF_TO_IDX(offset + size);
			} else {
				rv = KERN_RESOURCE_SHORTAGE;
			}
		}
		if (rv == KERN_SUCCESS) {
			vm_object_reference(object);
			*result = object;
			*result_offset = offset;
		}
	}
	VM_OBJECT_WUNLOCK(object);
	return rv;
}
EXPORT_SYMBOL_IF_KUNIT(vm_object_extension);

void vm_object_dirty_page(struct vm_page *m)
{
	struct vm_object *object;

	/* A page of no object is nobody's to write. */
	while (READ_ONCE(m->object)) {
		object = vm_object_trylock_page(m);
		if (object) {
			vm_object_note_write(m);
			vm_page_dirty(m);
			VM_OBJECT_WUNLOCK(object);
			break;
		}
		cond_resched();
	}
}

/*
 * Put an object that has an id into its place among the @n with the least ones
 * found so far. False when there are @max less ones.
 */
static bool object_list_gather(struct vm_object **found, unsigned int *n, unsigned int max,
			       struct vm_object *object)
{
	unsigned int at = *n;

	if (at == max && found[at - 1]->id < object->id)
		return false;
	if (at == max)
		at--;
	else
		++*n;
	for (; at && found[at - 1]->id > object->id; at--)
		found[at] = found[at - 1];
	found[at] = object;
	return true;
}

/* RCU keeps the object, what it shadows and the nodes of its tree of pages. */
static void object_list_fill(struct vm_object_info *info, struct vm_object *object)
{
	struct vm_object *backing = READ_ONCE(object->backing_object);
	unsigned int queue;
	unsigned long index;
	struct vm_page *m;

	memset(info, 0, sizeof(*info));
	info->id = object->id;
	info->backing_id = backing ? backing->id : 0;
	info->size = READ_ONCE(object->size);
	info->ref_count = refcount_read(&object->ref_count);
	info->shadow_count = READ_ONCE(object->shadow_count);
	info->type = vm_pager_type(object);
	info->memattr = VM_MEMATTR_WRITE_BACK;
	xa_for_each(&object->pages, index, m) {
		queue = vm_page_queue(m);
		info->memattr = m->memattr;
		info->resident++;
		info->active += queue == PQ_ACTIVE;
		info->inactive += queue == PQ_INACTIVE;
	}
	/* No other type may get a reference from nowhere: vm_object_merge(). */
	if (info->type == OBJT_VNODE && refcount_inc_not_zero(&object->ref_count))
		info->file = object;
}

int vm_object_list(u64 after, struct vm_object_info *info, unsigned int max)
{
	struct vm_object **found, *object;
	unsigned int n = 0, cpu, i;
	struct list_head *head;

	found = kvmalloc_array(max, sizeof(*found), GFP_KERNEL);
	if (!found)
		return -ENOMEM;
	rcu_read_lock();
	for_each_possible_cpu(cpu) {
		head = &per_cpu_ptr(&object_lists, cpu)->head;
		list_for_each_entry_rcu(object, head, object_list)
			if (object->id > after && refcount_read(&object->ref_count) &&
			    !object_list_gather(found, &n, max, object))
				break;
	}
	for (i = 0; i < n; i++)
		object_list_fill(&info[i], found[i]);
	rcu_read_unlock();
	kvfree(found);
	return n;
}
EXPORT_SYMBOL_IF_KUNIT(vm_object_list);
