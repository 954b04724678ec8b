/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * What the tests share that need the page tables of a real address space: a window, what
 * is mapped in it, and what a program would find there.
 *
 * A window here is a mapping of a file of ours, with the VMA flags of a real one
 * but with no vmspace behind it. Its faults are ours: one means that a
 * translation is missing or forbids the access. Each test makes its window in the
 * mm of the thread that runs the test, and takes it down before it ends; between
 * the two it must not abort. Pages are counted from the start of the window.
 */
#ifndef BSDVM_PMAP_KUNIT_H
#define BSDVM_PMAP_KUNIT_H

#include "vm_object_kunit.h"

#include <linux/mm.h>
#include <linux/pgtable.h>
#include <linux/uaccess.h>

#include "pmap_x86/pmap_x86.h"

#define TEST_WINDOW_PAGES	3072		/* four page tables at least */
#define TABLE_PAGES		512

#define R	VM_PROT_READ
#define W	VM_PROT_WRITE
#define X	VM_PROT_EXECUTE
#define RW	(R | W)

/**
 * struct test_window - a window
 * @file: what is mapped
 * @group: of its pmaps
 * @pmap: the translations
 * @start: first address
 * @object: holds the pages, so that there is a lock to take
 * @next: index of the next page of @object
 * @retry: try again after a fault, rather than fail
 * @faults: taken so far
 */
struct test_window {
	struct file *file;
	struct pmap_group *group;
	struct pmap pmap;
	unsigned long start;
	struct vm_object *object;
	vm_pindex_t next;
	bool retry;
	atomic_t faults;
};

/*
 * kunit_window.c: test_window_open() makes a window of the calling thread, of the same
 * group as @other, or of its own when that is NULL. All may be mapped in it.
 */
void test_window_open(struct kunit *test, struct test_window *w, struct test_window *other);

/* Unmap the window, if it still is mapped. */
void test_window_unmap(struct test_window *w);

/* Of windows of one group the one that was there first goes last. */
void test_window_close(struct test_window *w, struct test_window *other);

/* A window of the calling thread, in a group of its own. */
struct test_window *test_window(struct kunit *test);

/* The address of a page. */
static inline unsigned long window_va(struct test_window *w, unsigned long page)
{
	return w->start + ptoa(page);
}

/* The first page of the window's second page table. */
static inline unsigned long window_seam(struct test_window *w)
{
	return TABLE_PAGES - (w->start >> PAGE_SHIFT) % TABLE_PAGES;
}

/* A page of the window's object whose first word is @value. */
static inline struct vm_page *window_page(struct kunit *test, struct test_window *w, u64 value)
{
	struct vm_page *m = test_page_of_word(test, value);

	if (!m)
		return NULL;
	VM_OBJECT_WLOCK(w->object);
	KUNIT_EXPECT_EQ(test, 0, vm_page_insert(m, w->object, w->next++));
	VM_OBJECT_WUNLOCK(w->object);
	return m;
}

/* --- what is mapped */

/* Map a page of the window's object; @flags: PMAP_ENTER_*. */
static inline int window_enter_flags(struct test_window *w, unsigned long page,
				     struct vm_page *m, vm_prot_t prot, unsigned int flags)
{
	int rv;

	pmap_pin(&w->pmap);
	VM_OBJECT_RLOCK(w->object);
	rv = pmap_enter(&w->pmap, window_va(w, page), m, prot, flags);
	VM_OBJECT_RUNLOCK(w->object);
	pmap_unpin(&w->pmap);
	return rv;
}

/* The same without flags. */
static inline int window_enter(struct test_window *w, unsigned long page, struct vm_page *m,
			       vm_prot_t prot)
{
	return window_enter_flags(w, page, m, prot, 0);
}

/* Take the translations of a range away. */
static inline void window_remove(struct test_window *w, unsigned long start, unsigned long end)
{
	pmap_pin(&w->pmap);
	pmap_remove(&w->pmap, window_va(w, start), window_va(w, end));
	pmap_unpin(&w->pmap);
}

/* Leave the translations of a range no more than @prot. */
static inline void window_protect(struct test_window *w, unsigned long start, unsigned long end,
				  vm_prot_t prot)
{
	pmap_pin(&w->pmap);
	pmap_protect(&w->pmap, window_va(w, start), window_va(w, end), prot);
	pmap_unpin(&w->pmap);
}

/* Unmap a page of the window's object wherever it is mapped. */
static inline void window_remove_all(struct test_window *w, struct vm_page *m)
{
	VM_OBJECT_WLOCK(w->object);
	pmap_remove_all(m);
	VM_OBJECT_WUNLOCK(w->object);
}

/* The physical address behind a page, or 0. */
static inline vm_paddr_t window_extract(struct test_window *w, unsigned long page)
{
	vm_paddr_t pa;

	pmap_pin(&w->pmap);
	pa = pmap_extract(&w->pmap, window_va(w, page));
	pmap_unpin(&w->pmap);
	return pa;
}

/* How many pages of the window are mapped. */
static inline unsigned long window_resident(struct test_window *w)
{
	unsigned long n;

	pmap_pin(&w->pmap);
	n = pmap_resident_count(&w->pmap, w->start, window_va(w, TEST_WINDOW_PAGES));
	pmap_unpin(&w->pmap);
	return n;
}

/* --- what a program finds */

/* What window_load() gives where it may not load. */
#define WINDOW_NO_ACCESS	0xdeadULL

/* A user's load; KUNIT_EXPECT compares what it gives. */
static inline u64 window_load(struct test_window *w, unsigned long page)
{
	u64 value;

	if (get_user(value, (u64 __user *)window_va(w, page)))
		return WINDOW_NO_ACCESS;
	return value;
}

/* A user's store; says whether it could be done. */
static inline bool window_store(struct test_window *w, unsigned long page, u64 value)
{
	return !put_user(value, (u64 __user *)window_va(w, page));
}

/* May the CPU execute from the page? */
static inline bool window_may_execute(struct test_window *w, unsigned long page)
{
	unsigned long va = window_va(w, page);
	bool ret;

	pmap_pin(&w->pmap);
	ret = pte_exec(*pte_offset_kernel(pmd_off(w->pmap.mm, va), va));
	pmap_unpin(&w->pmap);
	return ret;
}

#endif /* BSDVM_PMAP_KUNIT_H */
