/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * vm_pager: the table of pagers, one struct pagerops an object type.
 *
 * A pager brings pages in from what lies behind an object and writes them back.
 * Its functions do I/O, so nobody calls them with a lock held.
 *
 * (McKusick et al., chapter 6.10, the pager interface.)
 */
#ifndef BSDVM_VM_PAGER_H
#define BSDVM_VM_PAGER_H

#include "vm_object.h"

/* Results of a pager. */
#define VM_PAGER_OK	0
#define VM_PAGER_BAD	1	/* the page lies behind the end of the object */
#define VM_PAGER_FAIL	2
#define VM_PAGER_PEND	3
#define VM_PAGER_ERROR	4	/* an I/O error */
#define VM_PAGER_AGAIN	5

/**
 * struct pagerops - what a pager can do
 * @getpages: fill @count pages, exclusively busied and in order of pindex;
 *	answers VM_PAGER_OK when the one at @req is filled and sets @valid for each
 *	that is. Context: process, no lock held, may do I/O; the caller has a
 *	reference to the object.
 * @putpages: write @count pages, made clean and wired by vm_pager_clean_pages(), in
 *	order of pindex and of a swap object consecutive, from their frames; *@done says
 *	how many of them, from the first on, are written; the others are for the caller to
 *	make dirty again. Return: 0, or why not all could be: a negative errno. Context: as
 *	@getpages.
 * @sync: bring what @putpages wrote to stable storage, bytes @start to @end.
 *	Return: 0 or a negative errno. Context: as @getpages. NULL: nothing to do.
 * @settled: is there nothing for @sync to do? Context: any. NULL: there always is.
 * @haspage: can the page be had from behind the object? @before and @after, unless
 *	NULL, say how many neighbours may come with it. Context: object locked.
 * @dealloc: the last reference is gone; write what is dirty and let go of what
 *	lies behind. Context: as @getpages.
 * @freespace: forget what is behind pages @start to @end, @end excluded, but for
 *	pages that are busied. Context: object locked exclusively.
 * @copy: what is behind pages @offset to @offset + @size of @src is from now on
 *	behind pages 0 to @size of @dst, where that has neither a page nor something
 *	behind it; everything else that was behind @src goes when @destroy is set, and
 *	stays when not. Return: 0; -ENOMEM: some of it was not moved. Context: both
 *	locked exclusively.
 * @reserve: see to it that @copy to that page of @object needs no memory. Return: 0,
 *	-ENOMEM. Context: the object locked exclusively.
 * @prepare_write: the page, wired and resident, is about to be stored to for the first
 *	time; sets PGA_PREPARED. Context: as @getpages. NULL: nothing to do.
 * @unswapped: the page is about to be changed: what is behind it is stale. Context:
 *	object locked, shared or exclusively; the page not busied.
 * @populate: put the page at @pindex into the object, whoever else may be about to;
 *	answers VM_PAGER_OK when it is worth looking again, VM_PAGER_BAD,
 *	VM_PAGER_AGAIN when no page is free, VM_PAGER_FAIL when there is no kernel
 *	memory. Context: as @getpages. A pager that has it needs neither @getpages nor
 *	@haspage.
 * @next: the first page at or after *@pindex and before @end that @haspage is true
 *	of. Return: false when there is none. Context: object locked.
 * @crowded: is there so little room that a page that has come in should give its place
 *	back? Context: any.
 *
 * A pager without @freespace keeps nothing that would have to be freed: @freespace,
 * @copy, @reserve, @unswapped, @next and @crowded go together.
 */
struct pagerops {
	int (*getpages)(struct vm_object *object, struct vm_page **ma,
			unsigned int count, unsigned int req);
	int (*putpages)(struct vm_object *object, struct vm_page **ma,
			unsigned int count, unsigned int *done);
	int (*sync)(struct vm_object *object, vm_ooffset_t start,
		    vm_ooffset_t end);
	bool (*settled)(const struct vm_object *object);
	bool (*haspage)(struct vm_object *object, vm_pindex_t pindex, int *before,
			int *after);
	void (*dealloc)(struct vm_object *object);
	void (*freespace)(struct vm_object *object, vm_pindex_t start,
			  vm_pindex_t end);
	int (*copy)(struct vm_object *src, struct vm_object *dst,
		    vm_pindex_t offset, vm_pindex_t size, bool destroy);
	int (*reserve)(struct vm_object *object, vm_pindex_t pindex);
	void (*prepare_write)(struct vm_object *object, struct vm_page *m);
	void (*unswapped)(struct vm_page *m);
	int (*populate)(struct vm_object *object, vm_pindex_t pindex);
	bool (*next)(struct vm_object *object, vm_pindex_t *pindex,
		     vm_pindex_t end);
	bool (*crowded)(void);
};

/**
 * vm_pager_register() - name the pager of an object type
 * @type: OBJT_*
 * @ops: its functions, NULL to take them away
 *
 * Context: start-up and shut-down only.
 */
void vm_pager_register(u8 type, const struct pagerops *ops);

/**
 * vm_pager_ops() - the pager of an object
 * @object: the object
 *
 * Return: its functions; NULL for an object with no pager, whose missing pages
 * are zero.
 */
const struct pagerops *vm_pager_ops(const struct vm_object *object);

/**
 * vm_pager_swapped() - may anything of the object be in swap?
 * @object: an object of type OBJT_DEFAULT or OBJT_SWAP
 *
 * Costs a load: most objects never have anything there.
 *
 * Context: object locked.
 * Return: false when certainly nothing is.
 */
static inline bool vm_pager_swapped(const struct vm_object *object)
{
	return unlikely(!xa_empty(&object->swap));
}

/**
 * vm_pager_type() - the type of an object as people are told of it
 * @object: the object
 *
 * Context: any; a guess unless @object is locked.
 * Return: OBJT_*; OBJT_SWAP for anonymous memory that has something in swap.
 */
static inline u8 vm_pager_type(const struct vm_object *object)
{
	return object->type == OBJT_DEFAULT && vm_pager_swapped(object) ? OBJT_SWAP :
									  object->type;
}

/**
 * vm_pager_has_page() - can the pager bring a page in?
 * @object: the object
 * @pindex: which page
 *
 * Context: object locked.
 * Return: true when a page that is not resident must come from the pager.
 */
bool vm_pager_has_page(struct vm_object *object, vm_pindex_t pindex);

/**
 * vm_pager_freespace() - forget what is behind pages of an object
 * @object: the object
 * @start: first page
 * @end: page behind the last, 0 for all from @start
 *
 * Context: object locked exclusively.
 */
void vm_pager_freespace(struct vm_object *object, vm_pindex_t start,
			vm_pindex_t end);

/**
 * vm_pager_page_unswapped() - what is behind a page is stale
 * @m: the page, about to be changed and therefore dirty
 *
 * Context: its object locked, shared or exclusively; the page not busied.
 */
static inline void vm_pager_page_unswapped(struct vm_page *m)
{
	if (vm_pager_swapped(m->object))
		vm_pager_ops(m->object)->unswapped(m);
}

/**
 * vm_pager_clean_pages() - make pages ready to be written
 * @ma: dirty pages of one object
 * @count: how many
 *
 * Read-only everywhere, clean, and wired so that they stay while they are written with
 * no lock held. Who stores to one from now on makes it dirty again.
 *
 * Context: process, may sleep; their object locked exclusively.
 */
void vm_pager_clean_pages(struct vm_page **ma, unsigned int count);

/**
 * vm_pager_get_pages() - have the pager fill pages
 * @object: their object; the caller has a reference
 * @ma: the pages, exclusively busied, in the object, with consecutive pindex
 * @count: how many
 * @req: the one that is needed
 *
 * Context: process, does I/O: no VM lock and no address-space lock held.
 * Return: VM_PAGER_OK when the page at @req is filled; @valid says which others are.
 */
int vm_pager_get_pages(struct vm_object *object, struct vm_page **ma,
		       unsigned int count, unsigned int req);

/**
 * vm_pager_put_pages() - write pages that vm_pager_clean_pages() made ready
 * @object: their object; the caller has a reference
 * @ma: the pages, in order of pindex; of a swap object consecutive
 * @count: how many
 * @queue: PQ_* for the pages that were written
 * @err_queue: PQ_* for those that were not, which are dirty again
 * @done: where it goes how many were written, from the first on; or NULL
 *
 * Context: process, does I/O: no VM lock and no address-space lock held.
 * Return: 0, or why not all were written: a negative errno.
 */
int vm_pager_put_pages(struct vm_object *object, struct vm_page **ma,
		       unsigned int count, unsigned int queue,
		       unsigned int err_queue, unsigned int *done);

#endif /* BSDVM_VM_PAGER_H */
