// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * uma_keg: the slabs of a zone.
 *
 *	one page, the header inside		several pages, or items that leave
 *	+------+----+----+----+------+		no room: the header apart
 *	|colour|item|item|item|header|		+----------------+	+------+
 *	+------+----+----+----+------+		|	item	 |	|header|
 *			       ^		+----------------+	+------+
 *	vm_page.uma ___________|		vm_page.uma _____________^
 *
 * Colour. What is left of a page when its items and its header are in lies before
 * the first item, more or less of it: a cache line more from one slab to the next. So
 * the first words of items of different slabs do not all compete for the same cache
 * lines.
 *
 * Pages. A slab of one page is a page of the pool, where the kernel reaches all memory;
 * it needs no lock and no address space, and so can be had in any context. A slab of
 * several pages has its addresses from the kernel map, floors above, which says how by
 * uma_set_kmem().
 *
 * From an item to its slab: by the vm_page of the address, whose plinks no queue uses
 * while it is wired.
 *
 * Invariants: a slab is on one list, by its us_freecount; uk_free is the sum of those;
 * uk_free + uk_out is uk_slabs times uk_ipers.
 *
 * (Bonwick, "The Slab Allocator", USENIX Summer 1994, for slabs and colours; McKusick
 * et al., chapter 6.3, for kegs.)
 */

#include "uma_int.h"

static const struct uma_kmem *uma_kmem;

/* --- pages */

void uma_set_kmem(const struct uma_kmem *kmem)
{
	WRITE_ONCE(uma_kmem, kmem);
}
EXPORT_SYMBOL_IF_KUNIT(uma_set_kmem);

void *uma_kmem_alloc(size_t size, int flags, int *why)
{
	const struct uma_kmem *kmem = READ_ONCE(uma_kmem);
	void *addr = kmem ? kmem->alloc(size, flags) : NULL;

	if (!addr)
		*why = kmem && flags & M_NOWAIT ? UMA_NOPAGE : -ENOMEM;
	return addr;
}

void uma_kmem_free(void *addr, size_t size)
{
	uma_kmem->free(addr, size);
}

/* The page behind an address, if it is the pool's. In line: each free() asks. */
static __always_inline struct vm_page *keg_page(const void *addr)
{
	struct vm_page *m = PHYS_TO_VM_PAGE(DMAP_TO_PHYS(addr));
	const struct uma_kmem *kmem;

	if (likely(m))
		return m;
	kmem = READ_ONCE(uma_kmem);
	return kmem ? kmem->page(addr) : NULL;
}

struct vm_page *uma_page(const void *addr)
{
	struct vm_page *m = keg_page(addr);

	return m && test_bit(PGA_SLAB, &m->aflags) ? m : NULL;
}

/* As uma_page(), and the page need not be the allocator's yet. */
static void uma_page_set(const void *addr, unsigned long uma)
{
	struct vm_page *m = PHYS_TO_VM_PAGE(DMAP_TO_PHYS(addr));

	if (!m)
		m = uma_kmem->page(addr);
	m->uma = uma;
	if (uma)
		set_bit(PGA_SLAB, &m->aflags);
	else
		clear_bit(PGA_SLAB, &m->aflags);
}

void uma_page_set_size(const void *addr, size_t size)
{
	uma_page_set(addr, size ? size << 1 | UMA_PAGE_SIZE_FLAG : 0);
}

size_t uma_page_size(const void *addr)
{
	struct vm_page *m = uma_page(addr);

	if (!m || !(m->uma & UMA_PAGE_SIZE_FLAG) || (unsigned long)addr & VM_PAGE_MASK)
		return 0;
	return m->uma >> 1;
}

struct uma_slab *vtoslab(const void *addr)
{
	struct vm_page *m = keg_page(addr);

	if (unlikely(!m || !test_bit(PGA_SLAB, &m->aflags) || m->uma & UMA_PAGE_SIZE_FLAG))
		return NULL;
	return (struct uma_slab *)m->uma;
}
EXPORT_SYMBOL_IF_KUNIT(vtoslab);

static void *keg_alloc_pages(struct uma_keg *keg, int flags, int *why)
{
	struct vm_page *m;

	if (keg->uk_ppera > 1)
		return uma_kmem_alloc(ptoa(keg->uk_ppera), flags & ~M_ZERO, why);
	m = vm_page_alloc_kmem(malloc2vm_flags(flags));
	if (!m) {
		*why = UMA_NOPAGE;
		return NULL;
	}
	return PHYS_TO_DMAP(m->phys_addr);
}

static void keg_free_pages(struct uma_keg *keg, void *base)
{
	struct vm_page *m;

	if (keg->uk_ppera > 1) {
		uma_kmem_free(base, ptoa(keg->uk_ppera));
		return;
	}
	m = PHYS_TO_VM_PAGE(DMAP_TO_PHYS(base));
	vm_page_free_kmem(m);
}

static void keg_set_pages(struct uma_keg *keg, void *base, struct uma_slab *slab)
{
	unsigned int i;

	for (i = 0; i < keg->uk_ppera; i++)
		uma_page_set(base + ptoa(i), (unsigned long)slab);
}

/* --- layout */

static unsigned int keg_header_size(const struct uma_keg *keg, unsigned int items)
{
	unsigned int words = BITS_TO_LONGS(items);

	return sizeof(struct uma_slab) +
	       words * sizeof(unsigned long) * (keg->uk_flags & UK_DEBUG ? 2 : 1);
}

/* Items of a page that has its header inside. */
static unsigned int keg_inline_items(const struct uma_keg *keg)
{
	unsigned int items = VM_PAGE_SIZE / keg->uk_rsize;

	while (items && items * keg->uk_rsize + keg_header_size(keg, items) > VM_PAGE_SIZE)
		items--;
	return items;
}

static void keg_layout_inline(struct uma_keg *keg)
{
	keg->uk_ipers = keg_inline_items(keg);
	keg->uk_ppera = 1;
}

static void keg_layout_offpage(struct uma_keg *keg)
{
	keg->uk_flags |= UK_OFFPAGE;
	keg->uk_ppera = atop(round_page(keg->uk_rsize));
	keg->uk_ipers = ptoa(keg->uk_ppera) / keg->uk_rsize;
	if (keg->uk_ppera > 1)
		keg->uk_ipers = 1;
}

static void keg_layout_color(struct uma_keg *keg)
{
	unsigned int left = VM_PAGE_SIZE - keg->uk_ipers * keg->uk_rsize;

	if (keg->uk_ppera > 1)
		return;
	if (!(keg->uk_flags & UK_OFFPAGE))
		left -= keg->uk_hdrsize;
	keg->uk_color_step = max_t(unsigned int, keg->uk_align + 1, L1_CACHE_BYTES);
	keg->uk_color_max = rounddown(left, keg->uk_color_step);
}

/* Red zones, unless items would no longer fit into the pages they fit into. */
static unsigned int keg_rsize(const struct uma_keg *keg)
{
	unsigned int plain = max_t(unsigned int, keg->uk_size, UMA_SMALLEST_UNIT);
	unsigned int more = plain + UMA_REDZONE;

	plain = round_up(plain, keg->uk_align + 1);
	more = round_up(more, keg->uk_align + 1);
	if (keg->uk_flags & UK_DEBUG && round_page(more) == round_page(plain))
		return more;
	return plain;
}

void uma_keg_init(struct uma_keg *keg)
{
	unsigned int apart;

	spin_lock_init(&keg->uk_lock);
	INIT_LIST_HEAD(&keg->uk_part);
	INIT_LIST_HEAD(&keg->uk_empty);
	INIT_LIST_HEAD(&keg->uk_full);
	/* KASAN sees eight bytes at a time. */
	if (keg->uk_flags & UK_DEBUG)
		keg->uk_align |= UMA_REDZONE - 1;
	keg->uk_rsize = keg_rsize(keg);

	/* Apart, a header costs memory of its own: only where that gains an item. */
	apart = VM_PAGE_SIZE / keg->uk_rsize;
	if (!apart || (apart <= UMA_SLAB_ITEMS && apart > keg_inline_items(keg)))
		keg_layout_offpage(keg);
	else
		keg_layout_inline(keg);
	keg->uk_words = BITS_TO_LONGS(keg->uk_ipers);
	keg->uk_hdrsize = keg_header_size(keg, keg->uk_ipers);
	keg_layout_color(keg);
}

/* --- slabs */

static struct uma_slab *keg_alloc_header(struct uma_keg *keg, void *base, int flags)
{
	if (!(keg->uk_flags & UK_OFFPAGE))
		return base + VM_PAGE_SIZE - keg->uk_hdrsize;
	/* Who may wait does so where nothing is held. */
	return uma_zalloc(uma_slab_zone, M_NOWAIT | (flags & M_USE_RESERVE));
}

static void keg_free_header(struct uma_keg *keg, struct uma_slab *slab)
{
	if (keg->uk_flags & UK_OFFPAGE)
		uma_zfree(uma_slab_zone, slab);
}

static unsigned int keg_next_color(struct uma_keg *keg)
{
	unsigned int color;

	spin_lock(&keg->uk_lock);
	color = keg->uk_color;
	keg->uk_color = color < keg->uk_color_max ? color + keg->uk_color_step : 0;
	spin_unlock(&keg->uk_lock);
	return color;
}

static void keg_fini_items(struct uma_keg *keg, struct uma_slab *slab, unsigned int n)
{
	unsigned int i;

	if (!keg->uk_fini)
		return;
	for (i = 0; i < n; i++) {
		if (test_bit(i, slab->us_bits))
			keg->uk_fini(uma_slab_item(slab, i), keg->uk_size);
	}
}

static int keg_init_items(struct uma_keg *keg, struct uma_slab *slab, int flags)
{
	unsigned int i;
	int ret;

	if (!keg->uk_init)
		return 0;
	for (i = 0; i < keg->uk_ipers; i++) {
		ret = keg->uk_init(uma_slab_item(slab, i), keg->uk_size, flags);
		if (ret) {
			keg_fini_items(keg, slab, i);
			return ret < 0 ? ret : -ret;
		}
	}
	return 0;
}

static void keg_slab_setup(struct uma_keg *keg, struct uma_slab *slab, void *base)
{
	slab->us_keg = keg;
	slab->us_data = base + keg_next_color(keg);
	slab->us_freecount = keg->uk_ipers;
	bitmap_zero(slab->us_bits, (keg->uk_hdrsize - sizeof(*slab)) * BITS_PER_BYTE);
	bitmap_set(slab->us_bits, 0, keg->uk_ipers);
}

/* Make a slab that is on no list yet. */
static struct uma_slab *keg_alloc_slab(struct uma_keg *keg, int flags, int *why)
{
	struct uma_slab *slab;
	void *base;

	base = keg_alloc_pages(keg, flags, why);
	if (!base)
		return NULL;
	slab = keg_alloc_header(keg, base, flags);
	if (!slab) {
		*why = UMA_NOPAGE;
		goto free_pages;
	}
	keg_slab_setup(keg, slab, base);
	*why = keg_init_items(keg, slab, flags);
	if (*why)
		goto free_header;
	keg_set_pages(keg, base, slab);
	/* It may hold the only pointer to somebody's memory; it is none that leaks. */
	kmemleak_alloc(base, ptoa(keg->uk_ppera), 0, GFP_NOWAIT);
	if (keg->uk_flags & UK_DEBUG)
		uma_dbg_slab_new(slab);
	return slab;

free_header:
	keg_free_header(keg, slab);
free_pages:
	keg_free_pages(keg, base);
	return NULL;
}

/* The slab is on no list any more. */
static void keg_free_slab(struct uma_keg *keg, struct uma_slab *slab)
{
	void *base = uma_slab_base(slab);

	if (keg->uk_flags & UK_DEBUG)
		uma_dbg_slab_free(slab);
	keg_fini_items(keg, slab, keg->uk_ipers);
	kmemleak_free(base);
	keg_set_pages(keg, base, NULL);
	keg_free_header(keg, slab);
	keg_free_pages(keg, base);
}

int uma_keg_grow(struct uma_keg *keg, int flags)
{
	struct uma_slab *slab;
	int why;

	slab = keg_alloc_slab(keg, flags, &why);
	if (!slab)
		return why;
	spin_lock(&keg->uk_lock);
	list_add(&slab->us_link, &keg->uk_empty);
	keg->uk_slabs++;
	keg->uk_free += keg->uk_ipers;
	spin_unlock(&keg->uk_lock);
	return 0;
}

/* --- items */

/* Fill holes first: what is empty may be given back one day. */
static struct uma_slab *keg_first_slab_locked(struct uma_keg *keg)
{
	struct uma_slab *slab;

	lockdep_assert_held(&keg->uk_lock);
	slab = list_first_entry_or_null(&keg->uk_part, struct uma_slab, us_link);
	if (!slab)
		slab = list_first_entry_or_null(&keg->uk_empty, struct uma_slab, us_link);
	return slab;
}

/* Take up to @n items of a slab that has some, the lowest first. Returns how many. */
static unsigned int keg_take_locked(struct uma_keg *keg, struct uma_slab *slab, void **items,
				    unsigned int n)
{
	bool empty = slab->us_freecount == keg->uk_ipers;
	unsigned int got = 0, word;
	unsigned long bits;

	lockdep_assert_held(&keg->uk_lock);
	n = min(n, slab->us_freecount);
	for (word = 0; got < n; word++) {
		VM_ASSERT(word < BITS_TO_LONGS(keg->uk_ipers));
		for (bits = slab->us_bits[word]; bits && got < n; bits &= bits - 1)
			items[got++] = uma_slab_item(slab, word * BITS_PER_LONG + __ffs(bits));
		slab->us_bits[word] = bits;
	}
	keg->uk_free -= n;
	keg->uk_out += n;
	slab->us_freecount -= n;
	if (!slab->us_freecount)
		list_move(&slab->us_link, &keg->uk_full);
	else if (empty)
		list_move(&slab->us_link, &keg->uk_part);
	return n;
}

static bool keg_limited_locked(const struct uma_keg *keg)
{
	return keg->uk_max && keg->uk_out >= keg->uk_max;
}

/* Returns how many; *@limited: why there are no more. */
static unsigned int keg_take(struct uma_keg *keg, void **items, unsigned int n, int flags,
			     bool over, bool *limited)
{
	unsigned long reserve;
	unsigned int got = 0, want;

	spin_lock(&keg->uk_lock);
	reserve = flags & M_USE_RESERVE ? 0 : keg->uk_reserve;
	for (;;) {
		*limited = !over && keg_limited_locked(keg);
		if (got == n || *limited || keg->uk_free <= reserve)
			break;
		want = min_t(unsigned long, n - got, keg->uk_free - reserve);
		if (!over && keg->uk_max)
			want = min_t(unsigned long, want, keg->uk_max - keg->uk_out);
		got += keg_take_locked(keg, keg_first_slab_locked(keg), items + got, want);
	}
	spin_unlock(&keg->uk_lock);
	return got;
}

unsigned int uma_keg_alloc(struct uma_keg *keg, void **items, unsigned int n, int flags,
			   bool over, int *why)
{
	unsigned int got;
	bool limited;

	for (;;) {
		got = keg_take(keg, items, n, flags, over, &limited);
		if (got)
			return got;
		*why = limited ? UMA_LIMITED : uma_keg_grow(keg, flags);
		if (*why)
			return 0;
	}
}

/* Returns false when it is not an item of the keg's that is not free. */
static bool keg_put_locked(struct uma_keg *keg, void *item)
{
	struct uma_slab *slab = vtoslab(item);
	unsigned int i;

	lockdep_assert_held(&keg->uk_lock);
	if (!slab || slab->us_keg != keg)
		return false;
	i = uma_slab_index(slab, item);
	if (i >= keg->uk_ipers || test_bit(i, slab->us_bits))
		return false;
	__set_bit(i, slab->us_bits);
	keg->uk_free++;
	keg->uk_out--;
	if (++slab->us_freecount == keg->uk_ipers)
		list_move(&slab->us_link, &keg->uk_empty);
	else if (slab->us_freecount == 1)
		list_move(&slab->us_link, &keg->uk_part);
	return true;
}

void uma_keg_free(struct uma_keg *keg, void **items, unsigned int n)
{
	struct uma_zone *zone = uma_keg_zone(keg);
	void *stray = NULL;
	unsigned int i;
	bool sleepers;

	spin_lock(&keg->uk_lock);
	for (i = 0; i < n; i++) {
		if (unlikely(!keg_put_locked(keg, items[i])))
			stray = items[i];
	}
	/* Who waits has said so before it looked, with this lock held. */
	sleepers = READ_ONCE(zone->uz_hot.uz_special) & UZ_SLEEPERS;
	spin_unlock(&keg->uk_lock);
	if (sleepers)
		wake_up(&zone->uz_wait);
	if (unlikely(stray))
		uma_dbg_report(zone->uz_name, vtoslab(stray) ? UMA_DOUBLE_FREE : UMA_BAD_ADDRESS,
			       stray);
}

bool uma_keg_room(struct uma_keg *keg)
{
	bool limited;

	spin_lock(&keg->uk_lock);
	limited = keg_limited_locked(keg);
	spin_unlock(&keg->uk_lock);
	return !limited;
}

/* --- end */

static void keg_free_list(struct uma_keg *keg, struct list_head *list)
{
	struct uma_slab *slab, *next;

	list_for_each_entry_safe(slab, next, list, us_link)
		keg_free_slab(keg, slab);
}

void uma_keg_reclaim(struct uma_keg *keg)
{
	struct uma_slab *slab, *next;
	LIST_HEAD(list);

	if (keg->uk_flags & UK_NOFREE)
		return;
	spin_lock(&keg->uk_lock);
	list_for_each_entry_safe(slab, next, &keg->uk_empty, us_link) {
		if (keg->uk_free - keg->uk_ipers < keg->uk_reserve)
			break;
		list_move(&slab->us_link, &list);
		keg->uk_slabs--;
		keg->uk_free -= keg->uk_ipers;
	}
	spin_unlock(&keg->uk_lock);
	keg_free_list(keg, &list);
}

unsigned long uma_keg_fini(struct uma_keg *keg)
{
	unsigned long leaked = keg->uk_out;

	keg_free_list(keg, &keg->uk_empty);
	keg_free_list(keg, &keg->uk_part);
	keg_free_list(keg, &keg->uk_full);
	return leaked;
}
