// SPDX-License-Identifier: BSD-2-Clause
#include <stdio.h>
#include <string.h>

#include "gen.h"

static uint64_t state, stamps;

static uint64_t next(void)
{
	/* xorshift64* */
	state ^= state >> 12;
	state ^= state << 25;
	state ^= state >> 27;
	return state * 0x2545f4914f6cdd1dULL;
}

void gen_seed(uint64_t seed)
{
	state = seed * 2 + 1;
	stamps = 0;
	for (seed = 0; seed < 16; seed++)
		next();
}

unsigned int gen_pick(unsigned int n)
{
	return (next() >> 33) % n;
}

bool gen_once_in(unsigned int n)
{
	return !gen_pick(n);
}

uint64_t gen_stamp(void)
{
	return ++stamps << 16 | 0xb5d;
}

#define ELEMENTS(_array) (sizeof(_array) / sizeof((_array)[0]))
#define PICK(_array)	 ((_array)[gen_pick(ELEMENTS(_array))])

/* --- addresses */

static uint64_t gen_addr(const struct proc *p)
{
	const uint64_t odd[] = {
		0,	     p->start - PAGE,	 p->start - 1,
		proc_end(p), proc_end(p) + PAGE, proc_end(p) - 1,
		-PAGE,	     (uint64_t)-1,	 proc_end(p) - PAGE,
		p->start,    1ULL << 63,
	};
	uint64_t addr;

	if (gen_once_in(40))
		return PICK(odd);
	addr = p->start + gen_pick(WINDOW_PAGES) * PAGE;
	return gen_once_in(10) ? addr + gen_pick(PAGE) : addr;
}

static uint64_t gen_len(const struct proc *p, uint64_t addr)
{
	const uint64_t odd[] = {
		0,
		1,
		-addr,
		-addr - 1,
		-PAGE,
		(uint64_t)-1,
		WINDOW_PAGES * PAGE,
		WINDOW_PAGES * PAGE + 1,
		proc_end(p) - addr,
		1ULL << 63,
	};
	uint64_t len;

	if (gen_once_in(40))
		return PICK(odd);
	len = (1 + gen_pick(gen_once_in(8) ? 64 : 12)) * PAGE;
	if (gen_once_in(10))
		len -= gen_pick(PAGE);
	/* Mostly within the window. */
	if (addr >= p->start && addr < proc_end(p) &&
	    len > proc_end(p) - addr && !gen_once_in(10))
		len = proc_end(p) - addr;
	return len;
}

static uint32_t gen_prot(void)
{
	static const uint32_t usual[] = {
		BSDVM_PROT_READ | BSDVM_PROT_WRITE,
		BSDVM_PROT_READ | BSDVM_PROT_WRITE,
		BSDVM_PROT_READ | BSDVM_PROT_WRITE,
		BSDVM_PROT_READ,
		BSDVM_PROT_READ,
		BSDVM_PROT_NONE,
		BSDVM_PROT_READ | BSDVM_PROT_EXEC,
	};
	uint32_t prot = PICK(usual);

	if (gen_once_in(10))
		prot = gen_pick(8);
	if (gen_once_in(25))
		prot |= BSDVM_PROT_MAX(gen_pick(8) | prot);
	if (gen_once_in(60))
		prot |= BSDVM_PROT_MAX(gen_pick(8));
	if (gen_once_in(100))
		prot |= 1U << gen_pick(32);
	return prot;
}

/* --- mmap */

static int gen_fd(void)
{
	return model.handle[gen_pick(model.handles)].fd;
}

static void gen_offset(struct bsdvm_mmap *arg)
{
	arg->offset = gen_pick(FILE_PAGES) / 2 * PAGE;
	if (gen_once_in(12))
		arg->offset += gen_pick(PAGE);
	if (gen_once_in(40))
		arg->offset = gen_once_in(2) ? -(int64_t)PAGE :
					       INT64_MAX - (int64_t)PAGE + 1;
	/* An offset off a page needs an address off it by as much. */
	if ((arg->flags & BSDVM_MAP_FIXED) && !gen_once_in(8))
		arg->addr += arg->offset % PAGE - arg->addr % PAGE;
}

static void gen_mmap(struct proc *p, union call_arg *arg)
{
	static const uint32_t kinds[] = {
		BSDVM_MAP_ANON | BSDVM_MAP_PRIVATE,
		BSDVM_MAP_ANON | BSDVM_MAP_PRIVATE,
		BSDVM_MAP_ANON,
		BSDVM_MAP_ANON | BSDVM_MAP_SHARED,
		BSDVM_MAP_SHARED,
		BSDVM_MAP_SHARED,
		BSDVM_MAP_PRIVATE,
		BSDVM_MAP_PRIVATE,
		BSDVM_MAP_PRIVATE,
		BSDVM_MAP_GUARD,
		BSDVM_MAP_STACK,
	};
	static const uint32_t extra[] = {
		BSDVM_MAP_NOSYNC,	 BSDVM_MAP_NOCORE,
		BSDVM_MAP_PREFAULT_READ, BSDVM_MAP_HASSEMAPHORE,
		BSDVM_MAP_RESERVED0020,	 BSDVM_MAP_RESERVED0040,
		BSDVM_MAP_EXCL,		 BSDVM_MAP_EXCL,
	};
	struct bsdvm_mmap *m = &arg->mmap;

	m->flags = PICK(kinds);
	m->prot = m->flags & BSDVM_MAP_GUARD ? 0 : gen_prot();
	if (m->flags & BSDVM_MAP_STACK)
		m->prot |= BSDVM_PROT_READ | BSDVM_PROT_WRITE;
	m->addr = gen_addr(p);
	m->len = gen_len(p, m->addr);
	m->fd = -1;
	if (!gen_once_in(4))
		m->flags |= BSDVM_MAP_FIXED;
	else if (gen_once_in(3))
		m->addr = 0;
	if (!(m->flags &
	      (BSDVM_MAP_ANON | BSDVM_MAP_GUARD | BSDVM_MAP_STACK)) ||
	    gen_once_in(60)) {
		m->fd = gen_fd();
		gen_offset(m);
	}
	if (gen_once_in(6))
		m->flags |= PICK(extra);
	if (gen_once_in(12))
		m->flags |= BSDVM_MAP_ALIGNED(12 + gen_pick(5));
	if (gen_once_in(60))
		m->flags |= BSDVM_MAP_ALIGNED(gen_pick(70));
	if (gen_once_in(60))
		m->flags ^= 1U << gen_pick(32);
}

static void format_prot(uint32_t prot, char text[24])
{
	static const char *const names[] = { "---", "r--", "-w-", "rw-",
					     "--x", "r-x", "-wx", "rwx" };
	int len = snprintf(text, 24, "%s", names[prot & 7]);

	if (prot >> 3)
		len += snprintf(text + len, 24 - len, "|%#x", prot & ~7U);
}

/* An address, from the start of the window on where it lies there. */
static const char *format_addr(const struct proc *p, uint64_t addr,
			       char text[24])
{
	if (addr - p->start <= WINDOW_PAGES * PAGE)
		snprintf(text, 24, "+%#llx",
			 (unsigned long long)(addr - p->start));
	else
		snprintf(text, 24, "%#llx", (unsigned long long)addr);
	return text;
}

static const char *format_fd(int fd)
{
	unsigned int i;

	for (i = 0; i < model.handles; i++) {
		if (model.handle[i].fd == fd)
			return model.handle[i].name;
	}
	return "?";
}

static void format_mmap(const struct proc *p, const union call_arg *arg,
			char *text, size_t len)
{
	static const struct {
		uint32_t flag;
		const char *name;
	} flags[] = {
		{ BSDVM_MAP_SHARED, "SHARED" },
		{ BSDVM_MAP_PRIVATE, "PRIVATE" },
		{ BSDVM_MAP_FIXED, "FIXED" },
		{ BSDVM_MAP_EXCL, "EXCL" },
		{ BSDVM_MAP_ANON, "ANON" },
		{ BSDVM_MAP_GUARD, "GUARD" },
		{ BSDVM_MAP_STACK, "STACK" },
		{ BSDVM_MAP_32BIT, "32BIT" },
	};
	uint32_t rest = arg->mmap.flags;
	char words[128] = "", prot[24], addr[24];
	unsigned int i;
	int used = 0;

	for (i = 0; i < ELEMENTS(flags); i++) {
		if (!(rest & flags[i].flag))
			continue;
		used += snprintf(words + used, sizeof(words) - used, "%s|",
				 flags[i].name);
		rest &= ~flags[i].flag;
	}
	format_prot(arg->mmap.prot, prot);
	snprintf(text, len, "%s, %#llx, %s, %s%#x, %s, %#llx",
		 format_addr(p, arg->mmap.addr, addr),
		 (unsigned long long)arg->mmap.len, prot, words, rest,
		 format_fd(arg->mmap.fd), (long long)arg->mmap.offset);
}

/* --- calls on a range: size, another word, address, length */

static void gen_range(struct proc *p, union call_arg *arg)
{
	arg->munmap.addr = gen_addr(p);
	arg->munmap.len = gen_len(p, arg->munmap.addr);
}

static void gen_mprotect(struct proc *p, union call_arg *arg)
{
	gen_range(p, arg);
	arg->mprotect.prot = gen_prot();
}

static void gen_msync(struct proc *p, union call_arg *arg)
{
	static const uint32_t flags[] = {
		BSDVM_MS_SYNC,
		BSDVM_MS_ASYNC,
		BSDVM_MS_INVALIDATE,
		BSDVM_MS_INVALIDATE,
		BSDVM_MS_ASYNC | BSDVM_MS_INVALIDATE,
		0x104,
	};

	gen_range(p, arg);
	arg->msync.flags = PICK(flags);
	if (gen_once_in(8))
		arg->msync.len = 0;
}

static void gen_minherit(struct proc *p, union call_arg *arg)
{
	gen_range(p, arg);
	arg->minherit.inherit = gen_once_in(30) ? 4 + gen_pick(9) : gen_pick(4);
}

static void gen_madvise(struct proc *p, union call_arg *arg)
{
	gen_range(p, arg);
	arg->madvise.behav = gen_pick(BSDVM_MADV_PROTECT);
	if (gen_once_in(3))
		arg->madvise.behav = BSDVM_MADV_FREE;
	if (gen_once_in(30))
		arg->madvise.behav = BSDVM_MADV_PROTECT + gen_pick(3);
}

static void gen_fault(struct proc *p, union call_arg *arg)
{
	gen_range(p, arg);
	arg->fault.prot = gen_once_in(20) ? gen_pick(10) : 1 + gen_pick(3);
}

static void format_range(const struct proc *p, const union call_arg *arg,
			 char *text, size_t len)
{
	char addr[24];

	snprintf(text, len, "%s, %#llx", format_addr(p, arg->munmap.addr, addr),
		 (unsigned long long)arg->munmap.len);
}

static void format_range_word(const struct proc *p, const union call_arg *arg,
			      char *text, size_t len)
{
	char addr[24];

	snprintf(text, len, "%s, %#llx, %#x",
		 format_addr(p, arg->mprotect.addr, addr),
		 (unsigned long long)arg->mprotect.len, arg->mprotect.prot);
}

/* --- the heap, and calls without a range */

static void gen_mlockall(struct proc *p, union call_arg *arg)
{
	(void)p;
	arg->mlockall.how = gen_once_in(10) ? gen_pick(8) : 1 + gen_pick(3);
}

static void gen_munlockall(struct proc *p, union call_arg *arg)
{
	(void)p;
	arg->mlockall.how = gen_once_in(30);
}

static void gen_break(struct proc *p, union call_arg *arg)
{
	if (gen_once_in(3)) {
		arg->brk.addr = gen_addr(p);
		return;
	}
	/* A step from where it is. */
	arg->brk.addr = p->daddr + p->dsize + gen_pick(16 * PAGE);
	if (gen_once_in(2))
		arg->brk.addr -= 16 * PAGE;
}

static void gen_segments(struct proc *p, union call_arg *arg)
{
	struct bsdvm_segments *s = &arg->segments;

	s->taddr = p->start + gen_pick(40) * PAGE;
	s->tsize = gen_pick(20 * PAGE);
	s->daddr = s->taddr + s->tsize + gen_pick(4 * PAGE);
	s->dsize = gen_pick(20 * PAGE);
	if (gen_once_in(2))
		s->maxsaddr = p->start + gen_pick(WINDOW_PAGES) * PAGE;
	if (gen_once_in(8))
		s->taddr = gen_addr(p);
	if (gen_once_in(8))
		s->daddr = gen_addr(p);
	if (gen_once_in(8))
		s->dsize = gen_len(p, s->daddr);
	if (gen_once_in(8))
		s->tsize = gen_len(p, s->taddr);
	if (gen_once_in(8))
		s->maxsaddr = gen_addr(p);
}

static void format_how(const struct proc *p, const union call_arg *arg,
		       char *text, size_t len)
{
	(void)p;
	snprintf(text, len, "%#x", arg->mlockall.how);
}

static void format_break(const struct proc *p, const union call_arg *arg,
			 char *text, size_t len)
{
	char addr[24];

	format_addr(p, arg->brk.addr, addr);
	snprintf(text, len, "%s", addr);
}

static void format_segments(const struct proc *p, const union call_arg *arg,
			    char *text, size_t len)
{
	const struct bsdvm_segments *s = &arg->segments;
	char taddr[24], daddr[24], maxsaddr[24];

	snprintf(text, len, "%s, %#llx, %s, %#llx, %s",
		 format_addr(p, s->taddr, taddr), (unsigned long long)s->tsize,
		 format_addr(p, s->daddr, daddr), (unsigned long long)s->dsize,
		 format_addr(p, s->maxsaddr, maxsaddr));
}

static void gen_mincore(struct proc *p, union call_arg *arg)
{
	do {
		gen_range(p, arg);
	} while (arg->mincore.len > WINDOW_PAGES * PAGE && !gen_once_in(4));
	arg->mincore.vec = (uintptr_t)worker_vec;
}

static void gen_mimmutable(struct proc *p, union call_arg *arg)
{
	gen_range(p, arg);
	/* It is for ever: only in those that will end before us. */
	if (p < &model.proc[2])
		arg->mimmutable.len = -arg->mimmutable.addr;
}

static void gen_mremap(struct proc *p, union call_arg *arg)
{
	struct bsdvm_mremap *m = &arg->mremap;

	m->old_addr = p->start + gen_pick(WINDOW_PAGES) * PAGE;
	m->old_len = (1 + gen_pick(8)) * PAGE;
	m->new_len = gen_once_in(3) ? m->old_len : (1 + gen_pick(16)) * PAGE;
	if (gen_once_in(2))
		m->flags |= BSDVM_MAP_REMAPDUP;
	if (gen_once_in(2))
		m->new_addr = p->start + gen_pick(WINDOW_PAGES) * PAGE;
	if (gen_once_in(3))
		m->flags |= BSDVM_MAP_FIXED;
	if (gen_once_in(10))
		m->flags |= BSDVM_MAP_ALIGNED(12 + gen_pick(5));
	if (gen_once_in(15))
		m->old_addr = gen_addr(p);
	if (gen_once_in(15))
		m->new_addr = gen_addr(p);
	if (gen_once_in(15))
		m->old_len = gen_len(p, m->old_addr);
	if (gen_once_in(15))
		m->new_len = gen_len(p, m->new_addr);
	if (gen_once_in(30))
		m->flags ^= 1U << gen_pick(32);
}

static void format_mremap(const struct proc *p, const union call_arg *arg,
			  char *text, size_t len)
{
	const struct bsdvm_mremap *m = &arg->mremap;
	char from[24], to[24];

	snprintf(text, len, "%s, %#llx, %s, %#llx, %#x",
		 format_addr(p, m->old_addr, from),
		 (unsigned long long)m->old_len,
		 format_addr(p, m->new_addr, to),
		 (unsigned long long)m->new_len, m->flags);
}

/* --- the table */

static const struct call_type types[] = {
	{ "mmap", BSDVM_IOC_MMAP, sizeof(struct bsdvm_mmap), 20, predict_mmap,
	  gen_mmap, format_mmap },
	{ "mquery", BSDVM_IOC_MQUERY, sizeof(struct bsdvm_mmap), 3,
	  predict_mquery, gen_mmap, format_mmap },
	{ "munmap", BSDVM_IOC_MUNMAP, sizeof(struct bsdvm_munmap), 8,
	  predict_munmap, gen_range, format_range },
	{ "mprotect", BSDVM_IOC_MPROTECT, sizeof(struct bsdvm_mprotect), 16,
	  predict_mprotect, gen_mprotect, format_range_word },
	{ "msync", BSDVM_IOC_MSYNC, sizeof(struct bsdvm_msync), 6,
	  predict_msync, gen_msync, format_range_word },
	{ "minherit", BSDVM_IOC_MINHERIT, sizeof(struct bsdvm_minherit), 10,
	  predict_minherit, gen_minherit, format_range_word },
	{ "fault", BSDVM_IOC_FAULT, sizeof(struct bsdvm_fault), 8,
	  predict_fault, gen_fault, format_range_word },
	{ "madvise", BSDVM_IOC_MADVISE, sizeof(struct bsdvm_madvise), 12,
	  predict_madvise, gen_madvise, format_range_word },
	{ "mincore", BSDVM_IOC_MINCORE, sizeof(struct bsdvm_mincore), 3,
	  predict_mincore, gen_mincore, format_range },
	{ "mlock", BSDVM_IOC_MLOCK, sizeof(struct bsdvm_mlock), 7,
	  predict_mlock, gen_range, format_range },
	{ "munlock", BSDVM_IOC_MUNLOCK, sizeof(struct bsdvm_mlock), 6,
	  predict_munlock, gen_range, format_range },
	{ "mlockall", BSDVM_IOC_MLOCKALL, sizeof(struct bsdvm_mlockall), 1,
	  predict_mlockall, gen_mlockall, format_how },
	{ "munlockall", BSDVM_IOC_MUNLOCKALL, sizeof(struct bsdvm_mlockall), 2,
	  predict_munlockall, gen_munlockall, format_how },
	{ "break", BSDVM_IOC_BREAK, sizeof(struct bsdvm_break), 6,
	  predict_break, gen_break, format_break },
	{ "segments", BSDVM_IOC_SEGMENTS, sizeof(struct bsdvm_segments), 1,
	  predict_segments, gen_segments, format_segments },
	{ "mremap", BSDVM_IOC_MREMAP, sizeof(struct bsdvm_mremap), 9,
	  predict_mremap, gen_mremap, format_mremap },
	{ "mimmutable", BSDVM_IOC_MIMMUTABLE, sizeof(struct bsdvm_mimmutable),
	  1, predict_mimmutable, gen_mimmutable, format_range },
};

void gen_call(unsigned int proc, struct call *call)
{
	unsigned int total = 0, i, at;

	for (i = 0; i < ELEMENTS(types); i++)
		total += types[i].weight;
	at = gen_pick(total);
	for (i = 0; at >= types[i].weight; i++)
		at -= types[i].weight;
	memset(call, 0, sizeof(*call));
	call->proc = proc;
	call->type = &types[i];
	types[i].generate(&model.proc[proc], &call->arg);
	call->arg.size = types[i].size;
}

void gen_unmap(unsigned int proc, struct call *call, unsigned int first,
	       unsigned int pages)
{
	const struct proc *p = &model.proc[proc];
	unsigned int i;

	memset(call, 0, sizeof(*call));
	for (i = 0; types[i].predict != predict_munmap; i++)
		;
	call->proc = proc;
	call->type = &types[i];
	call->arg.munmap.addr = p->start + first * PAGE;
	call->arg.munmap.len = pages * PAGE;
	call->arg.size = types[i].size;
}

void gen_format(const struct call *call, char *text, size_t len)
{
	char args[256];

	call->type->format(&model.proc[call->proc], &call->arg, args,
			   sizeof(args));
	snprintf(text, len, "%u: %s(%s)", call->proc, call->type->name, args);
}
