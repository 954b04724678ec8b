// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* Slots in kernel memory, until there are devices. */
#include "swap_pager.h"
#include <linux/delay.h>
#include <linux/gfp.h>
#include "vm_page.h"
#include "pmap.h"
#include "vmmeter.h"
atomic_t swap_pager_freed;
static void **slots;
static unsigned long *map;
static u64 nslots;
static atomic_long_t used;
static DEFINE_SPINLOCK(slock);
static long salloc(void)
{
	unsigned long i;
	spin_lock(&slock);
	i = find_first_zero_bit(map, nslots);
	if (i >= nslots) {
		spin_unlock(&slock);
		return -1;
	}
	__set_bit(i, map);
	spin_unlock(&slock);
	atomic_long_inc(&used);
	return i;
}
static void sfree(long i)
{
	WARN_ON(!test_bit(i, map));
	spin_lock(&slock);
	__clear_bit(i, map);
	spin_unlock(&slock);
	memset(slots[i], 0xee, 4096);
	if (atomic_long_dec_return(&used) == nslots - 1)
		atomic_inc(&swap_pager_freed);
}
static bool has(struct vm_object *o, vm_pindex_t p, int *b, int *a)
{
	if (b)
		*b = 0;
	if (a)
		*a = 0;
	if (o->type == OBJT_SWAP && p >= o->size)
		return false;
	if (!xa_load(&o->swap, p))
		return false;
	if (b)
		while (*b < 16 && p > *b && xa_load(&o->swap, p - *b - 1))
			++*b;
	if (a)
		while (*a < 31 && xa_load(&o->swap, p + *a + 1))
			++*a;
	return true;
}
static int get(struct vm_object *o, struct vm_page **ma, unsigned int n,
	       unsigned int req)
{
	unsigned i;
	VM_CNT_INC(v_swapin);
	for (i = 0; i < n; i++) {
		void *e = xa_load(&o->swap, ma[i]->pindex);
		if (!e)
			continue;
		memcpy(pmap_quick_enter_page(ma[i]), slots[xa_to_value(e)],
		       4096);
		ma[i]->valid = 1;
		VM_CNT_INC(v_swappgsin);
	}
	return ma[req]->valid ? VM_PAGER_OK : VM_PAGER_ERROR;
}
static int put(struct vm_object *o, struct vm_page **ma, unsigned int n,
	       unsigned int *done)
{
	unsigned i;
	long s[64];
	for (i = 0; i < n; i++) {
		s[i] = salloc();
		if (s[i] < 0)
			break;
		if (!slots[s[i]]) {
			slots[s[i]] = (void *)__get_free_page(GFP_KERNEL);
		}
		memcpy(slots[s[i]], pmap_quick_enter_page(ma[i]), 4096);
	}
	n = i;
	VM_CNT_INC(v_swapout);

	VM_OBJECT_WLOCK(o);
	for (i = 0; i < n; i++) {
		if (READ_ONCE(ma[i]->object) == o && !vm_page_is_dirty(ma[i]) &&
		    !xa_err(xa_store(&o->swap, ma[i]->pindex, xa_mk_value(s[i]),
				     GFP_KERNEL))) {
			VM_CNT_INC(v_swappgsout);
		} else {
			sfree(s[i]);
			vm_page_dirty(ma[i]);
		}
	}
	VM_OBJECT_WUNLOCK(o);
	*done = n;
	return n ? 0 : -ENOSPC;
}
static void frees(struct vm_object *o, vm_pindex_t st, vm_pindex_t en)
{
	unsigned long i;
	void *e;
	xa_for_each_range(&o->swap, i, e, st, en - 1)
	{
		struct vm_page *m = vm_page_lookup(o, i);
		if (m && vm_page_busied(m))
			continue;
		xa_erase(&o->swap, i);
		sfree(xa_to_value(e));
	}
}
static void deal(struct vm_object *o)
{
	unsigned long i;
	void *e;
	xa_for_each(&o->swap, i, e)
	{
		xa_erase(&o->swap, i);
		sfree(xa_to_value(e));
	}
}
static int cpy(struct vm_object *s, struct vm_object *d, vm_pindex_t off,
	       vm_pindex_t size, bool destroy)
{
	unsigned long i;
	void *e;
	xa_for_each(&s->swap, i, e)
	{
		if (i >= off && i - off < size && !vm_page_lookup(d, i - off) &&
		    !xa_load(&d->swap, i - off)) {
			if (xa_err(xa_store(&d->swap, i - off, e, GFP_KERNEL)))
				return -ENOMEM;
			xa_erase(&s->swap, i);
		} else if (destroy) {
			xa_erase(&s->swap, i);
			sfree(xa_to_value(e));
		}
	}
	return 0;
}
static void unsw(struct vm_page *m)
{
	void *e = xa_erase(&m->object->swap, m->pindex);
	if (e)
		sfree(xa_to_value(e));
}
static bool nxt(struct vm_object *o, vm_pindex_t *p, vm_pindex_t end)
{
	unsigned long i = *p;
	if (i >= end || !xa_find(&o->swap, &i, end - 1, XA_PRESENT))
		return false;
	*p = i;
	return true;
}
static const struct pagerops ops = { .getpages = get,
				     .putpages = put,
				     .haspage = has,
				     .dealloc = deal,
				     .freespace = frees,
				     .copy = cpy,
				     .unswapped = unsw,
				     .next = nxt };
int swap_pager_init(u64 n)
{
	nslots = n;
	slots = vzalloc(8 * n + 8);
	map = vzalloc(n / 8 + 8);
	vm_pager_register(OBJT_DEFAULT, &ops);
	vm_pager_register(OBJT_SWAP, &ops);
	return 0;
}
void swap_pager_fini(void)
{
	u64 i;
	WARN_ON(atomic_long_read(&used));
	for (i = 0; i < nslots; i++)
		if (slots[i])
			free_page((unsigned long)slots[i]);
	vfree(slots);
	vfree(map);
}
void swap_pager_status(u64 *t, u64 *u)
{
	*t = nslots;
	*u = atomic_long_read(&used);
}
bool swap_pager_full(void)
{
	return atomic_long_read(&used) >= nslots;
}
