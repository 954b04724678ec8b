/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * trace: the tracepoints, events of the system "bsdvm".
 *
 * To every floor they are functions trace_bsdvm_*(); a user-space build replaces
 * this file with empty ones. They take plain values and no structure of a higher floor.
 * While nobody listens a tracepoint is a nop; what costs more than reading a field
 * at hand is computed behind trace_bsdvm_*_enabled() alone.
 *
 * Names and fields are what scripts/trace and other people's scripts are written
 * against: add, do not rename. userlib/bpf takes the first arguments of fault_begin,
 * fault_end and fault_wait_end as they are: add others behind them. Objects are named by
 * vm_object.id, pages by the number of their frame, maps by vm_map.id. What is numbered on
 * a higher floor is printed by the lists below; static_assert()s there keep the two
 * together.
 *
 * Pairs, matched by thread: fault_begin and fault_end, fault_wait_begin and
 * fault_wait_end, map_fork_*, pageout_*, launder_*, pager_get_*, pager_put_*.
 */
#ifndef BSDVM_TRACE_TYPES_H
#define BSDVM_TRACE_TYPES_H

#include "vm/vm.h"

/* How a fault was resolved; 0: its page was resident. */
#define BSDVM_FAULT_ZERO	0x01	/* a zeroed page */
#define BSDVM_FAULT_COW		0x02	/* a copy of a page further down the chain */
#define BSDVM_FAULT_TAKEOVER	0x04	/* that page itself: nobody else could see it */
#define BSDVM_FAULT_PAGEIN	0x08	/* to be brought in by the pager, see fault_wait_* */
#define BSDVM_FAULT_SPURIOUS	0x10	/* it was mapped already, and allowed */
#define BSDVM_FAULT_AROUND	0x20	/* mapped with its neighbours, without vm_fault() */

/* Why the pageout daemon looks for pages. */
#define BSDVM_PAGEOUT_SHORTAGE	0	/* fewer are free than there should be */
#define BSDVM_PAGEOUT_USER	1	/* a user has as many as he may have */

/* Why the laundry thread writes. */
#define BSDVM_LAUNDER_ASKED	0	/* the daemon found too few clean ones */
#define BSDVM_LAUNDER_BACKGROUND 1	/* dirty ones have become many */

/* What became of a page that the daemon or the laundry thread looked at. */
#define BSDVM_PAGEOUT_PASSED	0	/* busied or wired: left alone */
#define BSDVM_PAGEOUT_NOT_HIS	1	/* another user's pages are wanted */
#define BSDVM_PAGEOUT_USED	2	/* used since: active, or active still */
#define BSDVM_PAGEOUT_AGED	3	/* not used since: older, but active still */
#define BSDVM_PAGEOUT_IDLE	4	/* clean and no longer active: inactive */
#define BSDVM_PAGEOUT_DIRTY	5	/* dirty: to the laundry */
#define BSDVM_PAGEOUT_FREED	6	/* clean: freed */
#define BSDVM_PAGEOUT_UNWANTED	7	/* given up by madvise(): freed */
#define BSDVM_PAGEOUT_WRITTEN	8	/* on its way to the file or to swap */
#define BSDVM_PAGEOUT_NO_SWAP	9	/* dirty, and there is no room in swap */
#define BSDVM_PAGEOUT_LATER	10	/* no worker is free to write it */

/**
 * struct bsdvm_fault_trace - what a fault notes of itself when it is traced
 * @start: first address of the entry; 0 when there is none
 * @end: address behind it
 * @object: id of the entry's object
 * @source: id of the object where the page, or the end of the chain, was found
 * @pindex: the page's place there
 * @depth: objects between the two, 0 when they are the same
 * @how: BSDVM_FAULT_*
 */
struct bsdvm_fault_trace {
	u64 start;
	u64 end;
	u64 object;
	u64 source;
	u64 pindex;
	u32 depth;
	u32 how;
};

#endif /* BSDVM_TRACE_TYPES_H */

#undef TRACE_SYSTEM
#define TRACE_SYSTEM bsdvm

#if !defined(BSDVM_TRACE_H) || defined(TRACE_HEADER_MULTI_READ)
#define BSDVM_TRACE_H

#include <linux/tracepoint.h>

#define show_bsdvm_prot(prot)						\
	__print_flags(prot, "|",					\
		{ VM_PROT_READ, "read" },				\
		{ VM_PROT_WRITE, "write" },				\
		{ VM_PROT_EXECUTE, "execute" },				\
		{ VM_PROT_COPY, "copy" })

#define show_bsdvm_result(result)					\
	__print_symbolic(result,					\
		{ KERN_SUCCESS, "success" },				\
		{ KERN_INVALID_ADDRESS, "invalid-address" },		\
		{ KERN_PROTECTION_FAILURE, "protection-failure" },	\
		{ KERN_NO_SPACE, "no-space" },				\
		{ KERN_INVALID_ARGUMENT, "invalid-argument" },		\
		{ KERN_FAILURE, "failure" },				\
		{ KERN_RESOURCE_SHORTAGE, "resource-shortage" },	\
		{ KERN_NO_ACCESS, "no-access" },			\
		{ KERN_OUT_OF_BOUNDS, "out-of-bounds" },		\
		{ KERN_RESTART, "restart" })

#define show_bsdvm_how(how)						\
	__print_flags(how, "|",						\
		{ BSDVM_FAULT_ZERO, "zero" },				\
		{ BSDVM_FAULT_COW, "cow" },				\
		{ BSDVM_FAULT_TAKEOVER, "takeover" },			\
		{ BSDVM_FAULT_PAGEIN, "pagein" },			\
		{ BSDVM_FAULT_SPURIOUS, "spurious" },			\
		{ BSDVM_FAULT_AROUND, "around" })

/* VM_FAULT_WAIT_* of vm_fault.h */
#define show_bsdvm_wait(wait)						\
	__print_symbolic(wait,						\
		{ 0, "none" }, { 1, "busy" }, { 2, "memory" },		\
		{ 3, "user" }, { 4, "pagein" }, { 5, "populate" },	\
		{ 6, "prepare" })

/* OBJT_* of vm_object.h */
#define show_bsdvm_type(type)						\
	__print_symbolic(type,						\
		{ 1, "default" }, { 2, "vnode" }, { 3, "swap" },	\
		{ 4, "device" }, { 5, "phys" })

/* PQ_* of vm_page.h */
#define show_bsdvm_queue(queue)						\
	__print_symbolic(queue,						\
		{ 0, "inactive" }, { 1, "active" }, { 2, "laundry" },	\
		{ 3, "unswappable" }, { 255, "none" })

/* enum outcome of vm_pageout.c */
#define show_bsdvm_outcome(outcome)					\
	__print_symbolic(outcome,					\
		{ 0, "nothing" }, { 1, "used" }, { 2, "aged" },		\
		{ 3, "freed" })

#define show_bsdvm_pageout(reason)					\
	__print_symbolic(reason,					\
		{ BSDVM_PAGEOUT_SHORTAGE, "shortage" },			\
		{ BSDVM_PAGEOUT_USER, "user" })

#define show_bsdvm_launder(reason)					\
	__print_symbolic(reason,					\
		{ BSDVM_LAUNDER_ASKED, "asked" },			\
		{ BSDVM_LAUNDER_BACKGROUND, "background" })

#define show_bsdvm_verdict(verdict)					\
	__print_symbolic(verdict,					\
		{ BSDVM_PAGEOUT_PASSED, "passed" },			\
		{ BSDVM_PAGEOUT_NOT_HIS, "not-his" },			\
		{ BSDVM_PAGEOUT_USED, "used" },				\
		{ BSDVM_PAGEOUT_AGED, "aged" },				\
		{ BSDVM_PAGEOUT_IDLE, "idle" },				\
		{ BSDVM_PAGEOUT_DIRTY, "dirty" },			\
		{ BSDVM_PAGEOUT_FREED, "freed" },			\
		{ BSDVM_PAGEOUT_UNWANTED, "unwanted" },			\
		{ BSDVM_PAGEOUT_WRITTEN, "written" },			\
		{ BSDVM_PAGEOUT_NO_SWAP, "no-swap" },			\
		{ BSDVM_PAGEOUT_LATER, "later" })

/* --- faults */

/* A pass over a fault begins; @pass counts those before it. */
TRACE_EVENT(bsdvm_fault_begin,
	TP_PROTO(vm_offset_t address, vm_prot_t access, unsigned int pass),
	TP_ARGS(address, access, pass),
	TP_STRUCT__entry(
		__field(u64, address)
		__field(u32, access)
		__field(u32, pass)
	),
	TP_fast_assign(
		__entry->address = address;
		__entry->access = access;
		__entry->pass = pass;
	),
	TP_printk("address=0x%llx access=%s pass=%u", __entry->address,
		  show_bsdvm_prot(__entry->access), __entry->pass)
);

/*
 * It ends: with the fault when @result is not KERN_RESTART, with something to wait for
 * when it is; @around alone: vm_fault() has to do it.
 */
TRACE_EVENT(bsdvm_fault_end,
	TP_PROTO(vm_offset_t address, vm_prot_t access, const struct bsdvm_fault_trace *note,
		 int result, unsigned int wait),
	TP_ARGS(address, access, note, result, wait),
	TP_STRUCT__entry(
		__field(u64, address)
		__field(u64, start)
		__field(u64, end)
		__field(u64, object)
		__field(u64, source)
		__field(u64, pindex)
		__field(u32, access)
		__field(u32, depth)
		__field(u32, how)
		__field(u32, result)
		__field(u32, wait)
	),
	TP_fast_assign(
		__entry->address = address;
		__entry->start = note->start;
		__entry->end = note->end;
		__entry->object = note->object;
		__entry->source = note->source;
		__entry->pindex = note->pindex;
		__entry->access = access;
		__entry->depth = note->depth;
		__entry->how = note->how;
		__entry->result = result;
		__entry->wait = wait;
	),
	TP_printk("address=0x%llx access=%s entry=0x%llx-0x%llx object=%llu source=%llu pindex=%llu depth=%u how=%s result=%s wait=%s",
		  __entry->address, show_bsdvm_prot(__entry->access), __entry->start,
		  __entry->end, __entry->object, __entry->source, __entry->pindex,
		  __entry->depth, __entry->how ? show_bsdvm_how(__entry->how) : "resident",
		  show_bsdvm_result(__entry->result), show_bsdvm_wait(__entry->wait))
);

TRACE_EVENT(bsdvm_fault_wait_begin,
	TP_PROTO(unsigned int wait),
	TP_ARGS(wait),
	TP_STRUCT__entry(
		__field(u32, wait)
	),
	TP_fast_assign(
		__entry->wait = wait;
	),
	TP_printk("wait=%s", show_bsdvm_wait(__entry->wait))
);

/* With anything but KERN_RESTART the fault has failed. */
TRACE_EVENT(bsdvm_fault_wait_end,
	TP_PROTO(unsigned int wait, int result),
	TP_ARGS(wait, result),
	TP_STRUCT__entry(
		__field(u32, wait)
		__field(u32, result)
	),
	TP_fast_assign(
		__entry->wait = wait;
		__entry->result = result;
	),
	TP_printk("wait=%s result=%s", show_bsdvm_wait(__entry->wait),
		  show_bsdvm_result(__entry->result))
);

/* --- objects */

TRACE_EVENT(bsdvm_object_create,
	TP_PROTO(u64 object, u8 type, vm_pindex_t size),
	TP_ARGS(object, type, size),
	TP_STRUCT__entry(
		__field(u64, object)
		__field(u64, size)
		__field(u32, type)
	),
	TP_fast_assign(
		__entry->object = object;
		__entry->size = size;
		__entry->type = type;
	),
	TP_printk("object=%llu type=%s size=%llu", __entry->object,
		  show_bsdvm_type(__entry->type), __entry->size)
);

/* @object, made before, stands in front of @backing from now on. */
TRACE_EVENT(bsdvm_object_shadow,
	TP_PROTO(u64 object, u64 backing, vm_ooffset_t offset, vm_pindex_t size),
	TP_ARGS(object, backing, offset, size),
	TP_STRUCT__entry(
		__field(u64, object)
		__field(u64, backing)
		__field(u64, offset)
		__field(u64, size)
	),
	TP_fast_assign(
		__entry->object = object;
		__entry->backing = backing;
		__entry->offset = offset;
		__entry->size = size;
	),
	TP_printk("object=%llu backing=%llu offset=0x%llx size=%llu", __entry->object,
		  __entry->backing, __entry->offset, __entry->size)
);

/* @backing was merged into @object, in front of @next now, 0 for nothing. */
TRACE_EVENT(bsdvm_object_collapse,
	TP_PROTO(u64 object, u64 backing, u64 next, unsigned long moved, unsigned long freed),
	TP_ARGS(object, backing, next, moved, freed),
	TP_STRUCT__entry(
		__field(u64, object)
		__field(u64, backing)
		__field(u64, next)
		__field(u64, moved)
		__field(u64, freed)
	),
	TP_fast_assign(
		__entry->object = object;
		__entry->backing = backing;
		__entry->next = next;
		__entry->moved = moved;
		__entry->freed = freed;
	),
	TP_printk("object=%llu backing=%llu next=%llu moved=%llu freed=%llu", __entry->object,
		  __entry->backing, __entry->next, __entry->moved, __entry->freed)
);

/* @object skips @backing, which it hides, and is in front of @next now. */
TRACE_EVENT(bsdvm_object_bypass,
	TP_PROTO(u64 object, u64 backing, u64 next),
	TP_ARGS(object, backing, next),
	TP_STRUCT__entry(
		__field(u64, object)
		__field(u64, backing)
		__field(u64, next)
	),
	TP_fast_assign(
		__entry->object = object;
		__entry->backing = backing;
		__entry->next = next;
	),
	TP_printk("object=%llu backing=%llu next=%llu", __entry->object, __entry->backing,
		  __entry->next)
);

TRACE_EVENT(bsdvm_object_destroy,
	TP_PROTO(u64 object, u8 type, unsigned long resident),
	TP_ARGS(object, type, resident),
	TP_STRUCT__entry(
		__field(u64, object)
		__field(u64, resident)
		__field(u32, type)
	),
	TP_fast_assign(
		__entry->object = object;
		__entry->resident = resident;
		__entry->type = type;
	),
	TP_printk("object=%llu type=%s resident=%llu", __entry->object,
		  show_bsdvm_type(__entry->type), __entry->resident)
);

/* --- maps */

TRACE_EVENT(bsdvm_map_insert,
	TP_PROTO(u64 map, vm_offset_t start, vm_offset_t end, u64 object,
		 vm_ooffset_t offset, vm_prot_t prot, vm_prot_t max),
	TP_ARGS(map, start, end, object, offset, prot, max),
	TP_STRUCT__entry(
		__field(u64, map)
		__field(u64, start)
		__field(u64, end)
		__field(u64, object)
		__field(u64, offset)
		__field(u32, prot)
		__field(u32, max)
	),
	TP_fast_assign(
		__entry->map = map;
		__entry->start = start;
		__entry->end = end;
		__entry->object = object;
		__entry->offset = offset;
		__entry->prot = prot;
		__entry->max = max;
	),
	TP_printk("map=%llu entry=0x%llx-0x%llx object=%llu offset=0x%llx prot=%s max=%s",
		  __entry->map, __entry->start, __entry->end, __entry->object,
		  __entry->offset, show_bsdvm_prot(__entry->prot),
		  show_bsdvm_prot(__entry->max))
);

TRACE_EVENT(bsdvm_map_delete,
	TP_PROTO(u64 map, vm_offset_t start, vm_offset_t end, u64 object),
	TP_ARGS(map, start, end, object),
	TP_STRUCT__entry(
		__field(u64, map)
		__field(u64, start)
		__field(u64, end)
		__field(u64, object)
	),
	TP_fast_assign(
		__entry->map = map;
		__entry->start = start;
		__entry->end = end;
		__entry->object = object;
	),
	TP_printk("map=%llu entry=0x%llx-0x%llx object=%llu", __entry->map, __entry->start,
		  __entry->end, __entry->object)
);

/* An entry becomes two at @at. */
TRACE_EVENT(bsdvm_map_clip,
	TP_PROTO(u64 map, vm_offset_t start, vm_offset_t end, vm_offset_t at),
	TP_ARGS(map, start, end, at),
	TP_STRUCT__entry(
		__field(u64, map)
		__field(u64, start)
		__field(u64, end)
		__field(u64, at)
	),
	TP_fast_assign(
		__entry->map = map;
		__entry->start = start;
		__entry->end = end;
		__entry->at = at;
	),
	TP_printk("map=%llu entry=0x%llx-0x%llx at=0x%llx", __entry->map, __entry->start,
		  __entry->end, __entry->at)
);

TRACE_EVENT(bsdvm_map_fork_begin,
	TP_PROTO(u64 map, u64 child, unsigned long entries, vm_size_t size),
	TP_ARGS(map, child, entries, size),
	TP_STRUCT__entry(
		__field(u64, map)
		__field(u64, child)
		__field(u64, entries)
		__field(u64, size)
	),
	TP_fast_assign(
		__entry->map = map;
		__entry->child = child;
		__entry->entries = entries;
		__entry->size = size;
	),
	TP_printk("map=%llu child=%llu entries=%llu size=%llu", __entry->map, __entry->child,
		  __entry->entries, __entry->size)
);

/* @entries and @size are the child's. */
TRACE_EVENT(bsdvm_map_fork_end,
	TP_PROTO(u64 map, u64 child, unsigned long entries, vm_size_t size,
		 int result),
	TP_ARGS(map, child, entries, size, result),
	TP_STRUCT__entry(
		__field(u64, map)
		__field(u64, child)
		__field(u64, entries)
		__field(u64, size)
		__field(u32, result)
	),
	TP_fast_assign(
		__entry->map = map;
		__entry->child = child;
		__entry->entries = entries;
		__entry->size = size;
		__entry->result = result;
	),
	TP_printk("map=%llu child=%llu entries=%llu size=%llu result=%s", __entry->map,
		  __entry->child, __entry->entries, __entry->size,
		  show_bsdvm_result(__entry->result))
);

/* --- translations */

TRACE_EVENT(bsdvm_pmap_enter,
	TP_PROTO(vm_offset_t address, vm_paddr_t pa, vm_prot_t prot),
	TP_ARGS(address, pa, prot),
	TP_STRUCT__entry(
		__field(u64, address)
		__field(u64, pfn)
		__field(u32, prot)
	),
	TP_fast_assign(
		__entry->address = address;
		__entry->pfn = atop(pa);
		__entry->prot = prot;
	),
	TP_printk("address=0x%llx pfn=0x%llx prot=%s", __entry->address, __entry->pfn,
		  show_bsdvm_prot(__entry->prot))
);

/* @entered of the @pages from @start on. */
TRACE_EVENT(bsdvm_pmap_enter_object,
	TP_PROTO(vm_offset_t start, unsigned int pages, unsigned int entered, vm_prot_t prot),
	TP_ARGS(start, pages, entered, prot),
	TP_STRUCT__entry(
		__field(u64, start)
		__field(u32, pages)
		__field(u32, entered)
		__field(u32, prot)
	),
	TP_fast_assign(
		__entry->start = start;
		__entry->pages = pages;
		__entry->entered = entered;
		__entry->prot = prot;
	),
	TP_printk("start=0x%llx pages=%u entered=%u prot=%s", __entry->start, __entry->pages,
		  __entry->entered, show_bsdvm_prot(__entry->prot))
);

TRACE_EVENT(bsdvm_pmap_remove,
	TP_PROTO(vm_offset_t start, vm_offset_t end),
	TP_ARGS(start, end),
	TP_STRUCT__entry(
		__field(u64, start)
		__field(u64, end)
	),
	TP_fast_assign(
		__entry->start = start;
		__entry->end = end;
	),
	TP_printk("range=0x%llx-0x%llx", __entry->start, __entry->end)
);

DECLARE_EVENT_CLASS(bsdvm_pmap_page,
	TP_PROTO(vm_paddr_t pa),
	TP_ARGS(pa),
	TP_STRUCT__entry(
		__field(u64, pfn)
	),
	TP_fast_assign(
		__entry->pfn = atop(pa);
	),
	TP_printk("pfn=0x%llx", __entry->pfn)
);

/* A page is mapped nowhere any more. */
DEFINE_EVENT(bsdvm_pmap_page, bsdvm_pmap_remove_all,
	TP_PROTO(vm_paddr_t pa),
	TP_ARGS(pa)
);

/* A page is mapped to be read only, wherever it is mapped. */
DEFINE_EVENT(bsdvm_pmap_page, bsdvm_pmap_remove_write,
	TP_PROTO(vm_paddr_t pa),
	TP_ARGS(pa)
);

TRACE_EVENT(bsdvm_pmap_protect,
	TP_PROTO(vm_offset_t start, vm_offset_t end, vm_prot_t prot),
	TP_ARGS(start, end, prot),
	TP_STRUCT__entry(
		__field(u64, start)
		__field(u64, end)
		__field(u32, prot)
	),
	TP_fast_assign(
		__entry->start = start;
		__entry->end = end;
		__entry->prot = prot;
	),
	TP_printk("range=0x%llx-0x%llx prot=%s", __entry->start, __entry->end,
		  show_bsdvm_prot(__entry->prot))
);

/* @cpus were interrupted, 0 when only this one had to forget. */
TRACE_EVENT(bsdvm_pmap_shootdown,
	TP_PROTO(vm_offset_t start, vm_offset_t end, unsigned int cpus),
	TP_ARGS(start, end, cpus),
	TP_STRUCT__entry(
		__field(u64, start)
		__field(u64, pages)
		__field(u32, cpus)
	),
	TP_fast_assign(
		__entry->start = start;
		__entry->pages = atop(end - start);
		__entry->cpus = cpus;
	),
	TP_printk("start=0x%llx pages=%llu cpus=%u", __entry->start, __entry->pages,
		  __entry->cpus)
);

/* --- pages */

DECLARE_EVENT_CLASS(bsdvm_page,
	TP_PROTO(vm_paddr_t pa),
	TP_ARGS(pa),
	TP_STRUCT__entry(
		__field(u64, pfn)
	),
	TP_fast_assign(
		__entry->pfn = atop(pa);
	),
	TP_printk("pfn=0x%llx", __entry->pfn)
);

DEFINE_EVENT(bsdvm_page, bsdvm_page_alloc,
	TP_PROTO(vm_paddr_t pa),
	TP_ARGS(pa)
);

DEFINE_EVENT(bsdvm_page, bsdvm_page_free,
	TP_PROTO(vm_paddr_t pa),
	TP_ARGS(pa)
);

TRACE_EVENT(bsdvm_page_queue,
	TP_PROTO(vm_paddr_t pa, unsigned int from, unsigned int to),
	TP_ARGS(pa, from, to),
	TP_STRUCT__entry(
		__field(u64, pfn)
		__field(u32, from)
		__field(u32, to)
	),
	TP_fast_assign(
		__entry->pfn = atop(pa);
		__entry->from = from;
		__entry->to = to;
	),
	TP_printk("pfn=0x%llx from=%s to=%s", __entry->pfn, show_bsdvm_queue(__entry->from),
		  show_bsdvm_queue(__entry->to))
);

/* --- pageout */

TRACE_EVENT(bsdvm_pageout_begin,
	TP_PROTO(unsigned int reason, unsigned long shortage, unsigned long free),
	TP_ARGS(reason, shortage, free),
	TP_STRUCT__entry(
		__field(u64, shortage)
		__field(u64, free)
		__field(u32, reason)
	),
	TP_fast_assign(
		__entry->shortage = shortage;
		__entry->free = free;
		__entry->reason = reason;
	),
	TP_printk("reason=%s shortage=%llu free=%llu", show_bsdvm_pageout(__entry->reason),
		  __entry->shortage, __entry->free)
);

/* @freed counts the daemon's own, not what the laundry thread freed meanwhile. */
TRACE_EVENT(bsdvm_pageout_end,
	TP_PROTO(unsigned int reason, unsigned long freed, unsigned long aged,
		 unsigned int outcome),
	TP_ARGS(reason, freed, aged, outcome),
	TP_STRUCT__entry(
		__field(u64, freed)
		__field(u64, aged)
		__field(u32, reason)
		__field(u32, outcome)
	),
	TP_fast_assign(
		__entry->freed = freed;
		__entry->aged = aged;
		__entry->reason = reason;
		__entry->outcome = outcome;
	),
	TP_printk("reason=%s freed=%llu aged=%llu outcome=%s",
		  show_bsdvm_pageout(__entry->reason), __entry->freed, __entry->aged,
		  show_bsdvm_outcome(__entry->outcome))
);

/* A page that was found on @queue. */
TRACE_EVENT(bsdvm_pageout_page,
	TP_PROTO(u64 object, vm_pindex_t pindex, unsigned int queue, unsigned int verdict),
	TP_ARGS(object, pindex, queue, verdict),
	TP_STRUCT__entry(
		__field(u64, object)
		__field(u64, pindex)
		__field(u32, queue)
		__field(u32, verdict)
	),
	TP_fast_assign(
		__entry->object = object;
		__entry->pindex = pindex;
		__entry->queue = queue;
		__entry->verdict = verdict;
	),
	TP_printk("object=%llu pindex=%llu queue=%s verdict=%s", __entry->object,
		  __entry->pindex, show_bsdvm_queue(__entry->queue),
		  show_bsdvm_verdict(__entry->verdict))
);

TRACE_EVENT(bsdvm_launder_begin,
	TP_PROTO(unsigned int reason, unsigned long wanted),
	TP_ARGS(reason, wanted),
	TP_STRUCT__entry(
		__field(u64, wanted)
		__field(u32, reason)
	),
	TP_fast_assign(
		__entry->wanted = wanted;
		__entry->reason = reason;
	),
	TP_printk("reason=%s wanted=%llu", show_bsdvm_launder(__entry->reason), __entry->wanted)
);

/* @done: pages that need no more washing, those that workers are writing included. */
TRACE_EVENT(bsdvm_launder_end,
	TP_PROTO(unsigned int reason, unsigned long wanted, unsigned long done),
	TP_ARGS(reason, wanted, done),
	TP_STRUCT__entry(
		__field(u64, wanted)
		__field(u64, done)
		__field(u32, reason)
	),
	TP_fast_assign(
		__entry->wanted = wanted;
		__entry->done = done;
		__entry->reason = reason;
	),
	TP_printk("reason=%s wanted=%llu done=%llu", show_bsdvm_launder(__entry->reason),
		  __entry->wanted, __entry->done)
);

/* --- pagers */

DECLARE_EVENT_CLASS(bsdvm_pager_begin,
	TP_PROTO(u64 object, u8 type, vm_pindex_t pindex, unsigned int pages),
	TP_ARGS(object, type, pindex, pages),
	TP_STRUCT__entry(
		__field(u64, object)
		__field(u64, pindex)
		__field(u32, type)
		__field(u32, pages)
	),
	TP_fast_assign(
		__entry->object = object;
		__entry->pindex = pindex;
		__entry->type = type;
		__entry->pages = pages;
	),
	TP_printk("object=%llu type=%s pindex=%llu pages=%u", __entry->object,
		  show_bsdvm_type(__entry->type), __entry->pindex, __entry->pages)
);

/* @pindex: the first page. */
DEFINE_EVENT(bsdvm_pager_begin, bsdvm_pager_get_begin,
	TP_PROTO(u64 object, u8 type, vm_pindex_t pindex, unsigned int pages),
	TP_ARGS(object, type, pindex, pages)
);

DEFINE_EVENT(bsdvm_pager_begin, bsdvm_pager_put_begin,
	TP_PROTO(u64 object, u8 type, vm_pindex_t pindex, unsigned int pages),
	TP_ARGS(object, type, pindex, pages)
);

DECLARE_EVENT_CLASS(bsdvm_pager_end,
	TP_PROTO(u64 object, u8 type, unsigned int pages, unsigned int done, int error),
	TP_ARGS(object, type, pages, done, error),
	TP_STRUCT__entry(
		__field(u64, object)
		__field(u32, type)
		__field(u32, pages)
		__field(u32, done)
		__field(s32, error)
	),
	TP_fast_assign(
		__entry->object = object;
		__entry->type = type;
		__entry->pages = pages;
		__entry->done = done;
		__entry->error = error;
	),
	TP_printk("object=%llu type=%s pages=%u done=%u error=%d", __entry->object,
		  show_bsdvm_type(__entry->type), __entry->pages, __entry->done,
		  __entry->error)
);

/* @done of @pages are valid now; @error is VM_PAGER_*. */
DEFINE_EVENT(bsdvm_pager_end, bsdvm_pager_get_end,
	TP_PROTO(u64 object, u8 type, unsigned int pages, unsigned int done, int error),
	TP_ARGS(object, type, pages, done, error)
);

/* @done of @pages were written; @error is an errno. */
DEFINE_EVENT(bsdvm_pager_end, bsdvm_pager_put_end,
	TP_PROTO(u64 object, u8 type, unsigned int pages, unsigned int done, int error),
	TP_ARGS(object, type, pages, done, error)
);

/* --- zones */

/* A bucket was filled from the slabs, or could not be. */
TRACE_EVENT(bsdvm_zone_refill,
	TP_PROTO(const char *zone, unsigned int wanted, unsigned int items),
	TP_ARGS(zone, wanted, items),
	TP_STRUCT__entry(
		__array(char, zone, 32)
		__field(u32, wanted)
		__field(u32, items)
	),
	TP_fast_assign(
		strscpy(__entry->zone, zone, sizeof(__entry->zone));
		__entry->wanted = wanted;
		__entry->items = items;
	),
	TP_printk("wanted=%u items=%u zone=%s", __entry->wanted, __entry->items, __entry->zone)
);

/* A bucket was emptied back into its slabs. */
TRACE_EVENT(bsdvm_zone_drain,
	TP_PROTO(const char *zone, unsigned int items),
	TP_ARGS(zone, items),
	TP_STRUCT__entry(
		__array(char, zone, 32)
		__field(u32, items)
	),
	TP_fast_assign(
		strscpy(__entry->zone, zone, sizeof(__entry->zone));
		__entry->items = items;
	),
	TP_printk("items=%u zone=%s", __entry->items, __entry->zone)
);

#endif /* BSDVM_TRACE_H */

#undef TRACE_INCLUDE_PATH
#define TRACE_INCLUDE_PATH .
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_FILE trace
#include <trace/define_trace.h>
