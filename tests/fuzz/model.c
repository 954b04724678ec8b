// SPDX-License-Identifier: BSD-2-Clause
#include <stdlib.h>
#include <string.h>

#include "model.h"

struct model model;

static unsigned long slots;

struct slot *slot_new(void)
{
	struct slot *slot = calloc(1, sizeof(*slot));

	if (!slot)
		abort();
	slot->refs = 1;
	slot->has = true;
	slots++;
	return slot;
}

static void slot_ref(struct slot *slot)
{
	slot->refs++;
}

static void slot_put(struct slot *slot)
{
	while (slot && !--slot->refs) {
		struct slot *backing = slot->backing;

		free(slot);
		slots--;
		slot = backing;
	}
}

struct slot *slot_of_file(struct file *file, uint64_t index)
{
	static struct file behind;
	struct slot *slot;

	if (index < FILE_PAGES) {
		slot_ref(&file->slot[index]);
		return &file->slot[index];
	}
	/* Never more than the end of it. */
	slot = slot_new();
	slot->file = &behind;
	return slot;
}

/* A slot without contents in front of another, whose reference it takes over. */
static struct slot *slot_shadow(struct slot *backing)
{
	struct slot *slot = slot_new();

	slot->has = false;
	slot->backing = backing;
	return slot;
}

/* The slot that has the contents; NULL behind the end of a file. */
static struct slot *slot_shows(struct slot *slot)
{
	while (!slot->has)
		slot = slot->backing;
	return slot->file && slot->index * PAGE >= slot->file->size ? NULL :
								      slot;
}

static void slot_copy(struct slot *to, const struct slot *from)
{
	to->freed = from->freed;
	to->loose = from->loose;
	memcpy(to->stamp, from->stamp, sizeof(to->stamp));
}

/* Give a slot contents of its own. */
static void slot_fill(struct slot *slot)
{
	struct slot *from = slot_shows(slot);

	if (slot->has)
		return;
	slot->has = true;
	slot_copy(slot, from);
	slot_put(slot->backing);
	slot->backing = NULL;
}

void page_unmap(struct page *page)
{
	slot_put(page->slot);
	memset(page, 0, sizeof(*page));
}

void page_map(struct page *page, struct slot *slot, int prot, int max,
	      int inherit, uint32_t flags)
{
	page_unmap(page);
	*page = (struct page){
		.mapped = true,
		.prot = prot,
		.max = max,
		.inherit = inherit,
		.flags = flags,
		.slot = slot,
	};
}

/* The shadow that a page has put off. */
static void page_shadow(struct page *page)
{
	if (page->flags & PAGE_NEEDS_COPY)
		page->slot = slot_shadow(page->slot);
	page->flags &= ~PAGE_NEEDS_COPY;
}

struct slot *page_shows(const struct page *page)
{
	return page->slot ? slot_shows(page->slot) : NULL;
}

bool page_wire(struct page *page)
{
	if (!page_shows(page))
		return false;
	page_shadow(page);
	slot_fill(page->slot);
	page->flags |= PAGE_WIRED;
	return true;
}

/* Are pages @i and @i + 1 of one gap? Equal neighbours are one entry. */
static bool same_gap(const struct proc *p, unsigned int i)
{
	const uint32_t same = PAGE_GAP | PAGE_IMMUTABLE | PAGE_NOCORE |
			      PAGE_NOSYNC | PAGE_RANDOM | PAGE_SEQUENTIAL;
	const struct page *low = &p->page[i], *high = low + 1;

	return low->mapped && high->mapped && (low->flags & PAGE_GAP) &&
	       (low->flags & same) == (high->flags & same) &&
	       low->inherit == high->inherit &&
	       low->stack_prot == high->stack_prot &&
	       low->stack_max == high->stack_max;
}

/* Grow the stack that ends above the gap of page @i, if that is possible. */
static void grow_stack(struct proc *p, unsigned int i)
{
	unsigned int first = i, last = i + 1, size;
	struct page like, gap = p->page[i];

	while (first && same_gap(p, first - 1))
		first--;
	while (last < WINDOW_PAGES && same_gap(p, last - 1))
		last++;
	if (last == WINDOW_PAGES || !p->page[last].mapped ||
	    !(p->page[last].flags & PAGE_STACK))
		return;
	size = last - i;
	if (size + STACK_GUARD > last - first)
		return;
	size = (size + STACK_GROWS - 1) / STACK_GROWS * STACK_GROWS;
	if (size > last - first - STACK_GUARD)
		size = last - first - STACK_GUARD;
	like = p->page[last];
	like.flags &= PAGE_STACK | PAGE_NOCORE | PAGE_RANDOM | PAGE_SEQUENTIAL;
	for (i = last - size; i < last; i++) {
		page_map(&p->page[i], slot_new(), gap.stack_prot, gap.stack_max,
			 like.inherit, like.flags);
		if (p->lock_future)
			page_wire(&p->page[i]);
	}
}

int proc_access(struct proc *p, unsigned int i, int prot)
{
	struct page *page = &p->page[i];

	if (!page->mapped)
		return BSDVM_FAULT_INVALID_ADDRESS;
	if (page->flags & PAGE_GAP)
		grow_stack(p, i);
	if ((page->flags & PAGE_GUARD) || (prot & ~page->prot) || !page->prot)
		return BSDVM_FAULT_PROTECTION;
	if (!page_shows(page))
		return BSDVM_FAULT_OUT_OF_BOUNDS;
	if (prot & BSDVM_PROT_WRITE) {
		page_shadow(page);
		slot_fill(page->slot);
	}
	return BSDVM_FAULT_OK;
}

void slot_write(struct slot *slot, unsigned int i, uint64_t value)
{
	const struct file *file = slot->file;
	unsigned int j;

	/* The other stamps may have become zero, this one must not any more. */
	for (j = 0; slot->freed && j < STAMPS; j++)
		slot->loose |= 1U << j;
	slot->freed = false;
	slot->stamp[i] = value;
	slot->loose &= ~(1U << i);
	if (file && slot->index * PAGE + stamp_offset(i) >= file->size)
		slot->loose |= 1U << i;
}

bool slot_settle(struct slot *slot, const uint64_t *got)
{
	static const uint64_t zero[STAMPS];
	unsigned int i;

	if (slot->freed && !memcmp(got, zero, sizeof(zero)))
		memset(slot->stamp, 0, sizeof(slot->stamp));
	for (i = 0; i < STAMPS; i++) {
		if (got[i] == slot->stamp[i])
			continue;
		if (got[i] || !(slot->loose & (1U << i)))
			return false;
		slot->stamp[i] = 0;
	}
	/* A page of a file, or one given up, may lose it yet. */
	if (!slot->file)
		slot->loose = 0;
	return true;
}

void page_share(struct page *from, struct page *to)
{
	if (from->slot) {
		page_shadow(from);
		slot_ref(from->slot);
	}
	page_unmap(to);
	*to = *from;
}

/* @to shall show what @from shows now, and writes be seen by neither. */
static void page_copy(struct page *from, struct page *to)
{
	if (from->slot) {
		from->flags |= PAGE_NEEDS_COPY | PAGE_COW;
		slot_ref(from->slot);
	}
	page_unmap(to);
	*to = *from;
}

/* A copy at once, which leaves a wired page where it is. */
static void page_copy_now(struct page *from, struct page *to)
{
	struct slot *shows = page_shows(from), *slot;

	if (shows) {
		slot = slot_new();
		slot_copy(slot, shows);
	} else {
		slot = from->slot;
		slot_ref(slot);
	}
	page_map(to, slot, from->prot, from->max, from->inherit, from->flags);
	if (!shows)
		to->flags |= PAGE_NEEDS_COPY;
}

void page_free(struct page *page)
{
	struct slot *slot;

	if (!page->slot || (page->flags & PAGE_GUARD))
		return;
	for (slot = page->slot;; slot = slot->backing) {
		if (slot->refs != 1 || slot->file)
			return;
		if (slot->has)
			break;
	}
	slot->freed = true;
}

static void page_fork(struct page *from, struct page *to)
{
	switch (from->inherit) {
	case BSDVM_INHERIT_NONE:
		return;
	case BSDVM_INHERIT_SHARE:
		page_share(from, to);
		break;
	case BSDVM_INHERIT_ZERO:
		page_map(to, from->slot ? slot_new() : NULL, from->prot,
			 from->max, from->inherit,
			 from->flags & ~PAGE_NEEDS_COPY);
		break;
	default:
		if (from->flags & PAGE_WIRED)
			page_copy_now(from, to);
		else
			page_copy(from, to);
	}
	to->flags &= ~PAGE_WIRED;
}

void proc_share(struct proc *p)
{
	unsigned int i;

	for (i = 0; i < WINDOW_PAGES; i++)
		p->page[i].flags &= ~PAGE_ALONE;
}

void proc_fork(struct proc *parent, struct proc *child)
{
	unsigned int i;

	proc_share(parent);
	child->start = parent->start;
	child->taddr = parent->taddr;
	child->daddr = parent->daddr;
	child->dsize = parent->dsize;
	for (i = 0; i < WINDOW_PAGES; i++) {
		if (parent->page[i].mapped)
			page_fork(&parent->page[i], &child->page[i]);
	}
}

void proc_exit(struct proc *p)
{
	unsigned int i;

	for (i = 0; i < WINDOW_PAGES; i++)
		page_unmap(&p->page[i]);
	memset(p, 0, sizeof(*p));
}

void file_truncate(struct file *file, uint64_t size)
{
	unsigned int i, j;

	for (i = 0; i < FILE_PAGES; i++) {
		for (j = 0; j < STAMPS; j++) {
			if (i * PAGE + stamp_offset(j) < size)
				continue;
			file->slot[i].stamp[j] = 0;
			file->slot[i].loose = 0;
		}
	}
	file->size = size;
}

unsigned long model_end(void)
{
	unsigned int i;

	for (i = 0; i < WORKERS; i++) {
		if (model.proc[i].alive)
			proc_exit(&model.proc[i]);
	}
	return slots;
}
