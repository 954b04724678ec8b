// SPDX-License-Identifier: BSD-2-Clause
#include <errno.h>
#include <string.h>

#include "calls.h"

#define PROT_MAX_BITS BSDVM_PROT_MAX(PROT_ALL)

#define MAP_SHARING (BSDVM_MAP_SHARED | BSDVM_MAP_PRIVATE)

#define MAP_GUARD_FLAGS                                       \
	(BSDVM_MAP_GUARD | BSDVM_MAP_FIXED | BSDVM_MAP_EXCL | \
	 BSDVM_MAP_32BIT | BSDVM_MAP_ALIGNMENT_MASK)

#define MAP_FLAGS                                                            \
	(MAP_SHARING | MAP_GUARD_FLAGS | BSDVM_MAP_RESERVED0020 |            \
	 BSDVM_MAP_RESERVED0040 | BSDVM_MAP_HASSEMAPHORE | BSDVM_MAP_STACK | \
	 BSDVM_MAP_NOSYNC | BSDVM_MAP_ANON | BSDVM_MAP_NOCORE |              \
	 BSDVM_MAP_PREFAULT_READ)

static uint64_t trunc_page(uint64_t x)
{
	return x & ~(PAGE - 1);
}

static uint64_t round_page(uint64_t x)
{
	return trunc_page(x + PAGE - 1);
}

/* --- ranges */

/**
 * struct range - the pages of a call
 * @addr: first address, truncated
 * @end: address behind the last, rounded
 * @wraps: they are not in order
 * @inside: they are, and lie in the window
 * @first: page at @addr, when inside
 * @last: page at @end, when inside
 */
struct range {
	uint64_t addr;
	uint64_t end;
	bool wraps;
	bool inside;
	unsigned int first;
	unsigned int last;
};

static struct range range_of(const struct proc *p, uint64_t addr, uint64_t len)
{
	struct range r = { .addr = trunc_page(addr) };
	const uint64_t size = len + (addr - r.addr);

	r.end = r.addr + round_page(size);
	r.wraps = size < len || round_page(size) < size || r.end < r.addr;
	r.inside = !r.wraps && r.addr >= p->start && r.end <= proc_end(p);
	if (r.inside) {
		r.first = proc_page(p, r.addr);
		r.last = proc_page(p, r.end);
	}
	return r;
}

static bool any_mapped(const struct proc *p, unsigned int first,
		       unsigned int last)
{
	for (; first < last; first++) {
		if (p->page[first].mapped)
			return true;
	}
	return false;
}

static bool all_mapped(const struct proc *p, unsigned int first,
		       unsigned int last)
{
	for (; first < last; first++) {
		if (!p->page[first].mapped)
			return false;
	}
	return true;
}

static bool any_flag(const struct proc *p, unsigned int first,
		     unsigned int last, uint32_t flag)
{
	for (; first < last; first++) {
		if (p->page[first].mapped && (p->page[first].flags & flag))
			return true;
	}
	return false;
}

static void unmap(struct proc *p, unsigned int first, unsigned int last)
{
	for (; first < last; first++)
		page_unmap(&p->page[first]);
}

/* --- wiring */

/* What cannot be read cannot be wired. */
static bool wirable(const struct page *page)
{
	return page->mapped && !(page->flags & PAGE_GUARD) &&
	       (page->prot & (BSDVM_PROT_READ | BSDVM_PROT_EXEC));
}

/* Wire what can be wired of a range, or nothing. */
static bool wire(struct proc *p, unsigned int first, unsigned int last)
{
	bool was_wired[WINDOW_PAGES], good = true;
	unsigned int i;

	for (i = first; i < last; i++)
		was_wired[i] = p->page[i].flags & PAGE_WIRED;
	for (i = first; i < last && good; i++) {
		if (wirable(&p->page[i]) && !was_wired[i])
			good = page_wire(&p->page[i]);
	}
	for (i = first; i < last && !good; i++) {
		if (!was_wired[i])
			p->page[i].flags &= ~PAGE_WIRED;
	}
	return good;
}

/* The same where all of it must be wirable, or wired already. */
static bool wire_all(struct proc *p, unsigned int first, unsigned int last)
{
	unsigned int i;

	for (i = first; i < last; i++) {
		if (!wirable(&p->page[i]) && !(p->page[i].flags & PAGE_WIRED))
			return false;
	}
	return wire(p, first, last);
}

static void unwire(struct proc *p, unsigned int first, unsigned int last)
{
	for (; first < last; first++)
		p->page[first].flags &= ~PAGE_WIRED;
}

/* --- mmap */

static int check_prot(uint32_t prot, int *new_prot, int *max)
{
	*new_prot = prot & PROT_ALL;
	*max = (prot & PROT_MAX_BITS) >> 16;
	if (prot & ~(PROT_ALL | PROT_MAX_BITS))
		return EINVAL;
	if (!*max)
		*max = PROT_ALL;
	return *new_prot & ~*max ? ENOTSUP : 0;
}

static int check_flags(const struct bsdvm_mmap *arg, int prot)
{
	const uint32_t flags = arg->flags;
	const bool anon = flags & BSDVM_MAP_ANON;
	const bool stack = flags & BSDVM_MAP_STACK;
	const bool guard = flags & BSDVM_MAP_GUARD;
	const int rw = BSDVM_PROT_READ | BSDVM_PROT_WRITE;

	if (!arg->len)
		return EINVAL;
	if (anon && (arg->fd != -1 || arg->offset))
		return EINVAL;
	if (stack && (arg->fd != -1 || (prot & rw) != rw))
		return EINVAL;
	if (flags & ~MAP_FLAGS)
		return EINVAL;
	if ((flags & BSDVM_MAP_EXCL) && !(flags & BSDVM_MAP_FIXED))
		return EINVAL;
	if ((flags & MAP_SHARING) == MAP_SHARING)
		return EINVAL;
	if (guard && (prot || arg->fd != -1 || arg->offset ||
		      (flags & ~MAP_GUARD_FLAGS)))
		return EINVAL;
	return 0;
}

/**
 * struct place - where a mapping goes
 * @addr: address, or hint
 * @size: bytes
 * @align: power of two
 * @colour: how far from such an address it begins
 * @max: its end is not above this
 * @off: what the offset is off a page
 */
struct place {
	uint64_t addr;
	uint64_t size;
	uint64_t align;
	uint64_t colour;
	uint64_t max;
	unsigned int off;
};

/* The alignment that flags ask for; 0: none that makes sense. */
static uint64_t alignment(uint32_t flags)
{
	const unsigned int shift = flags >> BSDVM_MAP_ALIGNMENT_SHIFT;

	if (!shift)
		return PAGE;
	if (shift == 1)
		return 1 << 21;
	return shift < 12 || shift > 63 ? 0 : 1ULL << shift;
}

/* Where the heap may reach: mappings without an address go behind it. */
static uint64_t heap_limit(const struct proc *p)
{
	const uint64_t limit =
		round_page(p->daddr + trunc_page(WINDOW_PAGES * PAGE / 4));

	return limit < proc_end(p) ? limit : proc_end(p);
}

static int check_place(const struct proc *p, const struct bsdvm_mmap *arg,
		       struct place *place)
{
	const bool below_2g = arg->flags & BSDVM_MAP_32BIT;
	uint64_t end;

	place->off = arg->offset & (PAGE - 1);
	place->size = round_page(arg->len + place->off);
	if (place->size < arg->len)
		return ENOMEM;
	place->align = alignment(arg->flags);
	if (!place->align)
		return EINVAL;
	/* A superpage of the file shall be one of the address space. */
	place->colour = 0;
	if (arg->flags >> BSDVM_MAP_ALIGNMENT_SHIFT == 1)
		place->colour = (arg->offset - place->off) & (place->align - 1);
	place->max = proc_end(p);
	if (arg->flags & BSDVM_MAP_FIXED) {
		place->addr = arg->addr - place->off;
		end = place->addr + place->size;
		if (place->addr % PAGE || place->addr < p->start ||
		    end < place->addr || end > proc_end(p) || below_2g)
			return EINVAL;
		return 0;
	}
	place->addr = round_page(arg->addr);
	/* A hint that makes no sense is none. */
	if (place->addr < p->start || place->addr >= proc_end(p))
		place->addr = 0;
	if (below_2g)
		place->max = 0;
	else if (!place->addr ||
		 (place->addr >= p->taddr && place->addr < heap_limit(p)))
		place->addr = heap_limit(p);
	return 0;
}

static const struct handle *handle_of(int fd)
{
	unsigned int i;

	for (i = 0; i < model.handles; i++) {
		if (model.handle[i].fd == fd)
			return &model.handle[i];
	}
	return NULL;
}

/* What may be mapped of a descriptor; *@max shrinks to it. */
static int check_file(const struct bsdvm_mmap *arg, const struct place *place,
		      int prot, int *max, struct file **file)
{
	const struct handle *handle = handle_of(arg->fd);
	int file_prot = 0;

	if (!handle || handle->kind == HANDLE_CLOSED)
		return EBADF;
	if (handle->kind == HANDLE_NODEV)
		return ENODEV;
	if (!(arg->flags & MAP_SHARING))
		return EINVAL;
	if (handle->readable) {
		file_prot = BSDVM_PROT_READ | BSDVM_PROT_EXEC;
		if (handle->writable || (arg->flags & BSDVM_MAP_PRIVATE))
			file_prot |= BSDVM_PROT_WRITE;
	}
	if (prot & ~file_prot)
		return EACCES;
	*max &= file_prot;
	if (handle->kind == HANDLE_ZERO)
		return 0;
	*file = handle->file;
	if (arg->offset < 0 ||
	    (uint64_t)arg->offset - place->off + place->size > INT64_MAX)
		return EINVAL;
	return 0;
}

/* The first place at or above @from, WINDOW_PAGES when there is none. */
static unsigned int find_from(const struct proc *p, const struct place *place,
			      uint64_t from)
{
	const uint64_t pages = place->size / PAGE;
	uint64_t addr;

	for (addr = from; addr < place->max; addr += PAGE) {
		const unsigned int first = proc_page(p, addr);

		if ((addr - place->colour) % place->align)
			continue;
		if (pages > WINDOW_PAGES - first)
			break;
		if (!any_mapped(p, first, first + pages))
			return first;
	}
	return WINDOW_PAGES;
}

/* Find the place, or clear it; returns the errno. */
static int take_place(struct proc *p, const struct bsdvm_mmap *arg,
		      const struct place *place, unsigned int *first)
{
	unsigned int last;

	if (arg->flags & BSDVM_MAP_FIXED) {
		*first = proc_page(p, place->addr);
		last = *first + place->size / PAGE;
		if (arg->flags & BSDVM_MAP_EXCL)
			return any_mapped(p, *first, last) ? ENOMEM : 0;
		return any_flag(p, *first, last, PAGE_IMMUTABLE) ? EPERM : 0;
	}
	*first = find_from(p, place, place->addr);
	if (*first == WINDOW_PAGES)
		*first = find_from(p, place, p->start);
	return *first == WINDOW_PAGES ? ENOMEM : 0;
}

/* Map one page of a file, or of anonymous memory. */
static void map_page(struct page *page, struct file *file, uint64_t index,
		     int prot, int max, int inherit, uint32_t flags)
{
	struct slot *slot = NULL;

	if (file)
		slot = slot_of_file(file, index);
	else if (!(flags & PAGE_GUARD))
		slot = slot_new();
	if (!file)
		flags |= PAGE_ALONE;
	page_map(page, slot, prot, max, inherit, flags);
	page->file = file;
	page->index = index;
}

/* The part of a stack that there is not yet. */
static void map_gap(struct proc *p, unsigned int first, unsigned int pages,
		    int prot, int max, uint32_t flags)
{
	unsigned int i;

	for (i = first; i < first + pages; i++) {
		page_map(&p->page[i], NULL, 0, 0, BSDVM_INHERIT_COPY,
			 PAGE_GUARD | PAGE_GAP | (flags & PAGE_NOCORE));
		p->page[i].stack_prot = prot;
		p->page[i].stack_max = max;
	}
}

static void map_pages(struct proc *p, const struct bsdvm_mmap *arg,
		      const struct place *place, struct file *file, int prot,
		      int max, unsigned int first)
{
	const bool shared = arg->flags & BSDVM_MAP_SHARED;
	const unsigned int pages = place->size / PAGE;
	unsigned int i, gap = 0;
	uint32_t flags = 0;

	if (arg->flags & BSDVM_MAP_GUARD)
		flags |= PAGE_GUARD;
	if (arg->flags & BSDVM_MAP_STACK)
		flags |= PAGE_STACK;
	if (arg->flags & BSDVM_MAP_NOCORE)
		flags |= PAGE_NOCORE;
	if ((arg->flags & BSDVM_MAP_NOSYNC) || (file && file->unlinked))
		flags |= PAGE_NOSYNC;
	if (file && !shared)
		flags |= PAGE_NEEDS_COPY | PAGE_COW;
	if (arg->flags & BSDVM_MAP_STACK)
		gap = pages - STACK_GUARD < STACK_GROWS ? STACK_GUARD :
							  pages - STACK_GROWS;
	unmap(p, first, first + pages);
	map_gap(p, first, gap, prot, max, flags);
	for (i = gap; i < pages; i++)
		map_page(&p->page[first + i], file,
			 (arg->offset - place->off) / PAGE + i, prot, max,
			 shared ? BSDVM_INHERIT_SHARE : BSDVM_INHERIT_COPY,
			 flags);
	/* Memory that cannot be locked is mapped all the same. */
	if (p->lock_future)
		wire(p, first, first + pages);
}

/* What mmap and mquery check alike. */
static int check_mmap(const struct proc *p, struct bsdvm_mmap *arg,
		      struct place *place, int *prot, int *max)
{
	int ret;

	ret = check_prot(arg->prot, prot, max);
	if (!ret)
		ret = check_flags(arg, *prot);
	if (ret)
		return ret;
	if (arg->flags & BSDVM_MAP_STACK)
		arg->offset = 0;
	return check_place(p, arg, place);
}

#define MAP_NO_FILE (BSDVM_MAP_ANON | BSDVM_MAP_GUARD | BSDVM_MAP_STACK)

int predict_mmap(struct proc *p, union call_arg *arg)
{
	struct bsdvm_mmap args = arg->mmap;
	struct file *file = NULL;
	struct place place;
	unsigned int first;
	int prot, max, ret;

	ret = check_mmap(p, &args, &place, &prot, &max);
	if (!ret && !(args.flags & MAP_NO_FILE))
		ret = check_file(&args, &place, prot, &max, &file);
	if (!ret)
		ret = take_place(p, &args, &place, &first);
	if (!ret && (args.flags & BSDVM_MAP_STACK) &&
	    place.size <= STACK_GUARD * PAGE)
		ret = EINVAL;
	if (ret)
		return ret;
	map_pages(p, &args, &place, file, prot, max, first);
	arg->mmap.addr = p->start + first * PAGE + place.off;
	return 0;
}

int predict_mquery(struct proc *p, union call_arg *arg)
{
	struct bsdvm_mmap args = arg->mmap;
	const struct handle *handle;
	struct place place;
	unsigned int first;
	int prot, max, ret;

	ret = check_mmap(p, &args, &place, &prot, &max);
	if (ret)
		return ret;
	handle = handle_of(args.fd);
	if (args.fd >= 0 && (!handle || handle->kind == HANDLE_CLOSED))
		return EBADF;
	if (args.flags & BSDVM_MAP_FIXED)
		args.flags |= BSDVM_MAP_EXCL;
	ret = take_place(p, &args, &place, &first);
	if (!ret)
		arg->mmap.addr = p->start + first * PAGE + place.off;
	return ret;
}

/* --- munmap, mprotect, msync, minherit */

int predict_munmap(struct proc *p, union call_arg *arg)
{
	const struct range r = range_of(p, arg->munmap.addr, arg->munmap.len);

	if (!arg->munmap.len || !r.inside)
		return EINVAL;
	if (any_flag(p, r.first, r.last, PAGE_IMMUTABLE))
		return EPERM;
	unmap(p, r.first, r.last);
	return 0;
}

static void protect_page(struct page *page, int prot, int max, bool max_given)
{
	page->prot = prot;
	if (max_given)
		page->max = max;
}

int predict_mprotect(struct proc *p, union call_arg *arg)
{
	const struct range r =
		range_of(p, arg->mprotect.addr, arg->mprotect.len);
	const bool max_given = arg->mprotect.prot & PROT_MAX_BITS;
	int prot, max, ret, wanted;
	unsigned int i;

	ret = check_prot(arg->mprotect.prot, &prot, &max);
	if (ret)
		return ret;
	if (!r.inside)
		return EINVAL;
	if (any_flag(p, r.first, r.last, PAGE_IMMUTABLE))
		return EPERM;
	wanted = max_given ? prot | max : prot;
	for (i = r.first; i < r.last; i++) {
		const struct page *page = &p->page[i];

		if (!page->mapped || (page->flags & PAGE_GUARD))
			continue;
		if (wanted & ~page->max)
			return EACCES;
	}
	for (i = r.first; i < r.last; i++) {
		struct page *page = &p->page[i];

		if (page->mapped && !(page->flags & PAGE_GUARD))
			protect_page(page, prot, max, max_given);
	}
	return 0;
}

int predict_msync(struct proc *p, union call_arg *arg)
{
	const struct range r = range_of(p, arg->msync.addr, arg->msync.len);
	const bool invalidate = arg->msync.flags & BSDVM_MS_INVALIDATE;
	unsigned int i, last;

	if (r.wraps || (invalidate && (arg->msync.flags & BSDVM_MS_ASYNC)))
		return EINVAL;
	if (r.addr < p->start || r.addr >= proc_end(p))
		return ENOMEM;
	i = proc_page(p, r.addr);
	last = r.inside ? r.last : WINDOW_PAGES;
	/* The rest of the entry that a length of 0 means is like its start. */
	if (!arg->msync.len)
		last = i + 1;
	/* The first page that is not as it should be decides. */
	for (; i < last; i++) {
		const struct page *page = &p->page[i];

		if (!page->mapped)
			return ENOMEM;
		if (!invalidate)
			continue;
		if (page->flags & PAGE_IMMUTABLE)
			return EPERM;
		if (page->flags & PAGE_WIRED)
			return EBUSY;
	}
	return r.inside ? 0 : ENOMEM;
}

int predict_minherit(struct proc *p, union call_arg *arg)
{
	const struct range r =
		range_of(p, arg->minherit.addr, arg->minherit.len);
	const uint32_t inherit = arg->minherit.inherit;
	unsigned int i;

	if (!r.inside || inherit > BSDVM_INHERIT_ZERO)
		return EINVAL;
	if (any_flag(p, r.first, r.last, PAGE_IMMUTABLE))
		return EPERM;
	for (i = r.first; i < r.last; i++) {
		struct page *page = &p->page[i];

		if (inherit == BSDVM_INHERIT_ZERO && (page->flags & PAGE_GUARD))
			continue;
		if (page->mapped)
			page->inherit = inherit;
	}
	return 0;
}

int predict_fault(struct proc *p, union call_arg *arg)
{
	const struct range r = range_of(p, arg->fault.addr, arg->fault.len);
	const uint32_t prot = arg->fault.prot;
	unsigned int i;

	if (!prot || (prot & ~PROT_ALL) || !r.inside)
		return EINVAL;
	for (i = r.first; i < r.last; i++) {
		arg->fault.outcome = proc_access(p, i, prot);
		if (arg->fault.outcome)
			break;
		arg->fault.done += PAGE;
	}
	return 0;
}

/* --- madvise, mincore */

static void advise_page(struct page *page, uint32_t behav)
{
	const uint32_t order = PAGE_RANDOM | PAGE_SEQUENTIAL;

	if (!page->mapped)
		return;
	switch (behav) {
	case BSDVM_MADV_NORMAL:
		page->flags &= ~order;
		break;
	case BSDVM_MADV_RANDOM:
		page->flags = (page->flags & ~order) | PAGE_RANDOM;
		break;
	case BSDVM_MADV_SEQUENTIAL:
		page->flags = (page->flags & ~order) | PAGE_SEQUENTIAL;
		break;
	case BSDVM_MADV_FREE:
		page_free(page);
		break;
	case BSDVM_MADV_NOSYNC:
		page->flags |= PAGE_NOSYNC;
		break;
	case BSDVM_MADV_AUTOSYNC:
		page->flags &= ~PAGE_NOSYNC;
		break;
	case BSDVM_MADV_NOCORE:
		page->flags |= PAGE_NOCORE;
		break;
	case BSDVM_MADV_CORE:
		page->flags &= ~PAGE_NOCORE;
		break;
	}
}

int predict_madvise(struct proc *p, union call_arg *arg)
{
	const struct range r = range_of(p, arg->madvise.addr, arg->madvise.len);
	const uint32_t behav = arg->madvise.behav;
	unsigned int i;

	if (behav == BSDVM_MADV_PROTECT)
		return 0;
	if (behav > BSDVM_MADV_PROTECT)
		return EINVAL;
	if (!r.inside)
		return ENOMEM;
	if (behav == BSDVM_MADV_FREE &&
	    any_flag(p, r.first, r.last, PAGE_IMMUTABLE))
		return EPERM;
	for (i = r.first; i < r.last; i++)
		advise_page(&p->page[i], behav);
	return 0;
}

int predict_mincore(struct proc *p, union call_arg *arg)
{
	const struct range r = range_of(p, arg->mincore.addr, arg->mincore.len);

	if (!r.inside || !all_mapped(p, r.first, r.last))
		return ENOMEM;
	return 0;
}

/* --- mlock and its kin */

int predict_mlock(struct proc *p, union call_arg *arg)
{
	const struct range r = range_of(p, arg->mlock.addr, arg->mlock.len);

	if (r.wraps)
		return EINVAL;
	/* Of nothing everything is locked, wherever it is. */
	if (r.addr == r.end)
		return 0;
	if (!r.inside || !wire_all(p, r.first, r.last))
		return ENOMEM;
	return 0;
}

int predict_munlock(struct proc *p, union call_arg *arg)
{
	const struct range r = range_of(p, arg->mlock.addr, arg->mlock.len);

	if (r.wraps)
		return EINVAL;
	if (r.addr == r.end)
		return 0;
	if (!r.inside || !all_mapped(p, r.first, r.last))
		return ENOMEM;
	unwire(p, r.first, r.last);
	return 0;
}

int predict_mlockall(struct proc *p, union call_arg *arg)
{
	const uint32_t how = arg->mlockall.how;

	if (!how || (how & ~(BSDVM_MCL_CURRENT | BSDVM_MCL_FUTURE)))
		return EINVAL;
	if (how & BSDVM_MCL_FUTURE)
		p->lock_future = true;
	if ((how & BSDVM_MCL_CURRENT) && !wire(p, 0, WINDOW_PAGES))
		return EAGAIN;
	return 0;
}

int predict_munlockall(struct proc *p, union call_arg *arg)
{
	if (arg->mlockall.how)
		return EINVAL;
	p->lock_future = false;
	unwire(p, 0, WINDOW_PAGES);
	return 0;
}

/* --- the heap */

int predict_break(struct proc *p, union call_arg *arg)
{
	const uint64_t base = round_page(p->daddr), wanted = arg->brk.addr;
	const uint64_t now = p->daddr + p->dsize;
	unsigned int first, last, i;

	if (wanted < base) {
		arg->brk.addr = now;
		return 0;
	}
	if (wanted > proc_end(p))
		return ENOMEM;
	first = proc_page(p, round_page(now));
	last = proc_page(p, round_page(wanted));
	if (last < first) {
		if (any_flag(p, last, first, PAGE_IMMUTABLE))
			return EPERM;
		unmap(p, last, first);
	}
	if (any_mapped(p, first, last))
		return ENOMEM;
	for (i = first; i < last; i++)
		map_page(&p->page[i], NULL, 0,
			 BSDVM_PROT_READ | BSDVM_PROT_WRITE, PROT_ALL,
			 BSDVM_INHERIT_COPY, 0);
	if (p->lock_future)
		wire(p, first, last);
	p->dsize = wanted - p->daddr;
	return 0;
}

int predict_segments(struct proc *p, union call_arg *arg)
{
	const struct bsdvm_segments *s = &arg->segments;
	const uint64_t max = proc_end(p);
	uint64_t end;

	if (s->taddr < p->start || s->taddr > max ||
	    s->tsize > max - s->taddr || s->daddr < p->start ||
	    s->daddr > max || s->dsize > max - s->daddr || s->taddr > s->daddr)
		return EINVAL;
	if (s->maxsaddr && (s->maxsaddr < p->start || s->maxsaddr > max))
		return EINVAL;
	p->taddr = s->taddr;
	p->daddr = s->daddr;
	end = round_page(s->daddr + s->dsize);
	p->dsize = (end < max ? end : max) - s->daddr;
	return 0;
}

/* --- OpenBSD's */

int predict_mimmutable(struct proc *p, union call_arg *arg)
{
	const struct range r =
		range_of(p, arg->mimmutable.addr, arg->mimmutable.len);
	unsigned int i;

	if (!r.inside)
		return EINVAL;
	for (i = r.first; i < r.last; i++) {
		if (p->page[i].mapped)
			p->page[i].flags |= PAGE_IMMUTABLE;
	}
	return 0;
}

/* --- NetBSD's */

/**
 * struct move - a mapping that mremap moves
 * @from: its first page
 * @pages: its pages
 * @to: where they go
 * @wanted: how many there will be
 */
struct move {
	unsigned int from;
	unsigned int pages;
	unsigned int to;
	unsigned int wanted;
};

static bool pages_free(const struct proc *p, uint64_t addr, uint64_t size)
{
	const struct range r = range_of(p, addr, size);

	return r.inside && !any_mapped(p, r.first, r.last);
}

/* Where it goes: it stays if it can. */
static int move_place(const struct proc *p, const struct bsdvm_mremap *m,
		      struct move *move)
{
	const bool fixed = m->flags & BSDVM_MAP_FIXED;
	const uint64_t size = move->wanted * PAGE;
	struct place place = {
		.size = size,
		.align = alignment(m->flags),
		.max = proc_end(p),
	};
	bool stays = !(m->flags & BSDVM_MAP_REMAPDUP) &&
		     m->old_addr % place.align == 0;

	if ((fixed || m->new_addr) && m->new_addr != m->old_addr)
		stays = false;
	if (move->wanted > move->pages &&
	    !pages_free(p, m->old_addr + move->pages * PAGE,
			size - move->pages * PAGE))
		stays = false;
	move->to = move->from;
	if (stays)
		return 0;
	if (fixed) {
		move->to = proc_page(p, m->new_addr);
		return m->new_addr % place.align == 0 &&
				       pages_free(p, m->new_addr, size) ?
			       0 :
			       ENOMEM;
	}
	place.addr = m->new_addr ? m->new_addr : m->old_addr;
	if (place.addr < p->start)
		place.addr = p->start;
	move->to = WINDOW_PAGES;
	if (place.addr < proc_end(p))
		move->to = find_from(p, &place, place.addr);
	if (move->to == WINDOW_PAGES)
		move->to = find_from(p, &place, p->start);
	return move->to == WINDOW_PAGES ? ENOMEM : 0;
}

/* What a mapping gains is more of its last page. */
static void extend(struct proc *p, const struct page *last, unsigned int first,
		   unsigned int pages)
{
	uint32_t flags = last->flags & (PAGE_GUARD | PAGE_NOCORE | PAGE_NOSYNC |
					PAGE_RANDOM | PAGE_SEQUENTIAL);
	unsigned int i;

	if (last->file && (last->flags & PAGE_COW))
		flags |= PAGE_NEEDS_COPY | PAGE_COW;
	for (i = 0; i < pages; i++)
		map_page(&p->page[first + i], last->file, last->index + 1 + i,
			 last->prot, last->max, last->inherit, flags);
	/* More of an object that others may have has what they wrote there. */
	if (last->slot && !last->file &&
	    !(last->flags & (PAGE_ALONE | PAGE_NEEDS_COPY))) {
		p->forget = first;
		p->forget_pages = pages;
	}
}

static void move_pages(struct proc *p, const struct move *move, bool dup)
{
	const unsigned int kept = move->wanted < move->pages ? move->wanted :
							       move->pages;
	struct page moving[WINDOW_PAGES] = { 0 }, last;
	unsigned int i;

	for (i = 0; i < kept; i++) {
		struct page *page = &p->page[move->from + i];

		if (dup) {
			page_share(page, &moving[i]);
			moving[i].flags &= ~PAGE_WIRED;
		} else {
			moving[i] = *page;
			memset(page, 0, sizeof(*page));
		}
	}
	if (!dup)
		unmap(p, move->from, move->from + move->pages);
	memcpy(&p->page[move->to], moving, kept * sizeof(moving[0]));
	last = moving[kept - 1];
	if (move->wanted > kept)
		extend(p, &last, move->to + kept, move->wanted - kept);
	if (dup)
		proc_share(p);
	if (p->lock_future)
		wire(p, move->to, move->to + move->wanted);
}

/* Would the map be larger than numbers are? The limit of all limits. */
static bool too_large(const struct proc *p, uint64_t gain)
{
	uint64_t size = 0;
	unsigned int i;

	for (i = 0; i < WINDOW_PAGES; i++) {
		if (p->page[i].mapped && !(p->page[i].flags & PAGE_GUARD))
			size += PAGE;
	}
	return size > UINT64_MAX - gain;
}

int predict_mremap(struct proc *p, union call_arg *arg)
{
	const uint32_t known = BSDVM_MAP_FIXED | BSDVM_MAP_REMAPDUP |
			       BSDVM_MAP_ALIGNMENT_MASK;
	struct bsdvm_mremap *m = &arg->mremap;
	const struct range old = range_of(p, m->old_addr, m->old_len);
	struct move move;
	uint64_t gain = 0;
	int ret;

	if ((m->flags & ~known) || !alignment(m->flags) ||
	    m->flags >> BSDVM_MAP_ALIGNMENT_SHIFT == 1)
		return EINVAL;
	if (m->old_addr % PAGE || !m->old_len || !old.inside ||
	    m->new_addr % PAGE || !m->new_len ||
	    round_page(m->new_len) < m->new_len)
		return EINVAL;
	if ((m->flags & BSDVM_MAP_FIXED) &&
	    !range_of(p, m->new_addr, m->new_len).inside)
		return EINVAL;
	if (alignment(m->flags) >= WINDOW_PAGES * PAGE)
		return ENOMEM;
	if (m->flags & BSDVM_MAP_REMAPDUP)
		gain = round_page(m->new_len);
	else if (m->new_len > m->old_len)
		gain = round_page(m->new_len) - round_page(m->old_len);
	if (too_large(p, gain))
		return ENOMEM;
	if (!all_mapped(p, old.first, old.last))
		return EINVAL;
	if (any_flag(p, old.first, old.last, PAGE_IMMUTABLE))
		return EPERM;
	if (m->new_len > WINDOW_PAGES * PAGE)
		return ENOMEM;
	move.from = old.first;
	move.pages = old.last - old.first;
	move.wanted = round_page(m->new_len) / PAGE;
	ret = move_place(p, m, &move);
	if (ret)
		return ret;
	move_pages(p, &move, m->flags & BSDVM_MAP_REMAPDUP);
	m->new_addr = p->start + move.to * PAGE;
	return 0;
}
