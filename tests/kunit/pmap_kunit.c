// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Tests of the pmap against the page tables of a real address space: what it
 * enters is loaded from and stored to by a CPU, through the TLB.
 *
 * A window here is a mapping of a file of ours, with the VMA flags of a real one
 * but with no vmspace behind it. Its faults are ours: one means that a
 * translation is missing or forbids the access. Each test makes its window in the
 * mm of the thread that runs the test, and takes it down before it ends; between
 * the two it must not abort.
 */
#include "bsdvm_kunit.h"

#include <linux/anon_inodes.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/mm.h>
#include <linux/mman.h>
#include <linux/mmap_lock.h>
#include <linux/pgtable.h>
#include <linux/uaccess.h>

#include "pmap_x86/pmap_x86.h"
#include "vm/vm_fault.h"
#include "vm/vm_object.h"

#define WINDOW_PAGES	3072		/* four page tables at least */
#define TABLE_PAGES	512

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

static vm_fault_t test_vma_fault(struct vm_fault *vmf)
{
	struct test_window *w = vmf->vma->vm_private_data;

	atomic_inc(&w->faults);
	return READ_ONCE(w->retry) ? VM_FAULT_NOPAGE : VM_FAULT_SIGSEGV;
}

static void test_vma_close(struct vm_area_struct *vma)
{
	struct test_window *w = vma->vm_private_data;

	pmap_release(&w->pmap);
	w->start = 0;
}

static const struct vm_operations_struct test_vma_ops = {
	.fault = test_vma_fault,
	.pfn_mkwrite = test_vma_fault,
	.close = test_vma_close,
};

static int test_file_mmap(struct file *file, struct vm_area_struct *vma)
{
	struct test_window *w = file->private_data;

	vm_flags_set(vma, VM_IO | VM_PFNMAP | VM_DONTEXPAND | VM_DONTDUMP);
	vma->vm_private_data = w;
	vma->vm_ops = &test_vma_ops;
	pmap_pinit(&w->pmap, w->group, vma);
	/* A file of this kind cannot be mapped for execution. */
	w->pmap.prot = VM_PROT_ALL;
	return 0;
}

static const struct file_operations test_file_ops = {
	.owner = THIS_MODULE,
	.mmap = test_file_mmap,
};

/*
 * A window of the calling thread, of the same group as @other, or of its own when
 * that is NULL.
 */
static void window_open(struct kunit *test, struct test_window *w, struct test_window *other)
{
	memset(w, 0, sizeof(*w));
	if (other) {
		w->file = other->file;
		w->group = other->group;
		w->object = other->object;
		get_file(w->file);
		w->file->private_data = w;
	} else {
		w->file = anon_inode_create_getfile("[bsdvm_kunit]", &test_file_ops, w, O_RDWR,
						    NULL);
		KUNIT_ASSERT_NOT_ERR_OR_NULL(test, w->file);
		w->group = pmap_group_create(file_inode(w->file));
		KUNIT_ASSERT_NOT_NULL(test, w->group);
		w->object = vm_object_allocate_anon(1024);
		KUNIT_ASSERT_NOT_NULL(test, w->object);
	}
	w->start = kunit_vm_mmap(test, w->file, 0, ptoa(WINDOW_PAGES), PROT_READ | PROT_WRITE,
				 MAP_SHARED, 0);
	KUNIT_ASSERT_FALSE(test, !w->start || IS_ERR_VALUE(w->start));
	if (other)
		w->file->private_data = other;
}

static void window_unmap(struct test_window *w)
{
	if (w->start)
		vm_munmap(w->start, ptoa(WINDOW_PAGES));
}

/* Of windows of one group the one that was there first goes last. */
static void window_close(struct test_window *w, struct test_window *other)
{
	window_unmap(w);
	if (!other) {
		vm_object_deallocate(w->object);
		pmap_group_put(w->group);
		__fput_sync(w->file);
	} else {
		fput(w->file);
	}
}

static struct test_window *test_window(struct kunit *test)
{
	struct test_window *w = kunit_kzalloc(test, sizeof(*w), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, w);
	window_open(test, w, NULL);
	return w;
}

static unsigned long window_va(struct test_window *w, unsigned long page)
{
	return w->start + ptoa(page);
}

/* The first page of the window's second page table. */
static unsigned long window_seam(struct test_window *w)
{
	return TABLE_PAGES - (w->start >> PAGE_SHIFT) % TABLE_PAGES;
}

static u64 *page_content(struct vm_page *m)
{
	return pmap_quick_enter_page(m);
}

/* A page of the window's object whose first word is @value. */
static struct vm_page *window_page(struct kunit *test, struct test_window *w, u64 value)
{
	struct vm_page *m = vm_page_alloc_noobj(VM_ALLOC_NORMAL);

	if (!m) {
		KUNIT_FAIL(test, "no page is free");
		return NULL;
	}
	pmap_zero_page(m);
	*page_content(m) = value;
	VM_OBJECT_WLOCK(w->object);
	KUNIT_EXPECT_EQ(test, 0, vm_page_insert(m, w->object, w->next++));
	VM_OBJECT_WUNLOCK(w->object);
	return m;
}

static int enter_flags(struct test_window *w, unsigned long page, struct vm_page *m,
		       vm_prot_t prot, unsigned int flags)
{
	int rv;

	pmap_pin(&w->pmap);
	VM_OBJECT_RLOCK(w->object);
	rv = pmap_enter(&w->pmap, window_va(w, page), m, prot, flags);
	VM_OBJECT_RUNLOCK(w->object);
	pmap_unpin(&w->pmap);
	return rv;
}

static int enter(struct test_window *w, unsigned long page, struct vm_page *m, vm_prot_t prot)
{
	return enter_flags(w, page, m, prot, 0);
}

static void window_remove(struct test_window *w, unsigned long start, unsigned long end)
{
	pmap_pin(&w->pmap);
	pmap_remove(&w->pmap, window_va(w, start), window_va(w, end));
	pmap_unpin(&w->pmap);
}

static void window_protect(struct test_window *w, unsigned long start, unsigned long end,
			   vm_prot_t prot)
{
	pmap_pin(&w->pmap);
	pmap_protect(&w->pmap, window_va(w, start), window_va(w, end), prot);
	pmap_unpin(&w->pmap);
}

static vm_paddr_t window_extract(struct test_window *w, unsigned long page)
{
	vm_paddr_t pa;

	pmap_pin(&w->pmap);
	pa = pmap_extract(&w->pmap, window_va(w, page));
	pmap_unpin(&w->pmap);
	return pa;
}

static unsigned long window_resident(struct test_window *w)
{
	unsigned long n;

	pmap_pin(&w->pmap);
	n = pmap_resident_count(&w->pmap, w->start, window_va(w, WINDOW_PAGES));
	pmap_unpin(&w->pmap);
	return n;
}

/* A user's load; KUNIT_EXPECT compares what it gives. */
#define NO_ACCESS	0xdeadULL

static u64 load(struct test_window *w, unsigned long page)
{
	u64 value;

	if (get_user(value, (u64 __user *)window_va(w, page)))
		return NO_ACCESS;
	return value;
}

static bool store(struct test_window *w, unsigned long page, u64 value)
{
	return !put_user(value, (u64 __user *)window_va(w, page));
}

/* May the CPU execute from the page? */
static bool may_execute(struct test_window *w, unsigned long page)
{
	unsigned long va = window_va(w, page);
	bool ret;

	pmap_pin(&w->pmap);
	ret = pte_exec(*pte_offset_kernel(pmd_off(w->pmap.mm, va), va));
	pmap_unpin(&w->pmap);
	return ret;
}

/* --- one page */

static void pmap_nothing_is_mapped_at_first(struct kunit *test)
{
	struct test_window *w = test_window(test);

	KUNIT_EXPECT_EQ(test, load(w, 0), NO_ACCESS);
	KUNIT_EXPECT_EQ(test, atomic_read(&w->faults), 1);
	KUNIT_EXPECT_FALSE(test, store(w, 1, 1));
	KUNIT_EXPECT_EQ(test, window_extract(w, 0), 0ULL);
	KUNIT_EXPECT_EQ(test, window_resident(w), 0UL);
	window_remove(w, 0, WINDOW_PAGES);
	window_protect(w, 0, WINDOW_PAGES, R);
	window_close(w, NULL);
}

static void pmap_enter_for_reading(struct kunit *test)
{
	struct test_window *w = test_window(test);
	struct vm_page *m = window_page(test, w, 42);

	KUNIT_EXPECT_FALSE(test, pmap_page_is_mapped(m));
	KUNIT_EXPECT_EQ(test, KERN_SUCCESS, enter(w, 5, m, R));
	KUNIT_EXPECT_TRUE(test, pmap_page_is_mapped(m));
	KUNIT_EXPECT_EQ(test, load(w, 5), 42ULL);
	KUNIT_EXPECT_EQ(test, atomic_read(&w->faults), 0);
	KUNIT_EXPECT_FALSE(test, store(w, 5, 43));
	KUNIT_EXPECT_EQ(test, *page_content(m), 42ULL);
	KUNIT_EXPECT_FALSE(test, vm_page_is_dirty(m));
	KUNIT_EXPECT_FALSE(test, pmap_is_modified(m));
	KUNIT_EXPECT_EQ(test, window_extract(w, 5), m->phys_addr);
	KUNIT_EXPECT_EQ(test, window_resident(w), 1UL);
	KUNIT_EXPECT_EQ(test, load(w, 4), NO_ACCESS);
	KUNIT_EXPECT_EQ(test, load(w, 6), NO_ACCESS);
	KUNIT_EXPECT_FALSE(test, may_execute(w, 5));
	window_close(w, NULL);
}

static void pmap_enter_for_writing(struct kunit *test)
{
	struct test_window *w = test_window(test);
	struct vm_page *m = window_page(test, w, 42);

	KUNIT_EXPECT_EQ(test, KERN_SUCCESS, enter(w, 5, m, RW));
	KUNIT_EXPECT_TRUE_MSG(test, vm_page_is_dirty(m), "dirty as soon as it can be written");
	KUNIT_EXPECT_TRUE(test, store(w, 5, 43));
	KUNIT_EXPECT_EQ(test, load(w, 5), 43ULL);
	KUNIT_EXPECT_EQ(test, *page_content(m), 43ULL);
	KUNIT_EXPECT_EQ(test, atomic_read(&w->faults), 0);
	window_close(w, NULL);
}

static void pmap_enter_for_execution(struct kunit *test)
{
	struct test_window *w = test_window(test);
	struct vm_page *m = window_page(test, w, 42);

	KUNIT_EXPECT_EQ(test, KERN_SUCCESS, enter(w, 5, m, R | X));
	KUNIT_EXPECT_TRUE(test, may_execute(w, 5));
	KUNIT_EXPECT_FALSE(test, store(w, 5, 43));
	window_protect(w, 5, 6, R);
	KUNIT_EXPECT_FALSE(test, may_execute(w, 5));
	KUNIT_EXPECT_EQ(test, load(w, 5), 42ULL);
	window_close(w, NULL);
}

/* What the window was mapped with bounds every translation. */
static void pmap_enter_is_bounded_by_window(struct kunit *test)
{
	struct test_window *w = test_window(test);
	struct vm_page *m = window_page(test, w, 42), *ma[1] = { window_page(test, w, 43) };

	w->pmap.prot = R;
	KUNIT_EXPECT_EQ(test, KERN_SUCCESS, enter(w, 5, m, RW | X));
	KUNIT_EXPECT_EQ(test, load(w, 5), 42ULL);
	KUNIT_EXPECT_FALSE(test, store(w, 5, 43));
	KUNIT_EXPECT_FALSE(test, may_execute(w, 5));
	pmap_pin(&w->pmap);
	VM_OBJECT_RLOCK(w->object);
	KUNIT_EXPECT_EQ(test, 1U, pmap_enter_object(&w->pmap, window_va(w, 6), ma, 1, R | X));
	VM_OBJECT_RUNLOCK(w->object);
	pmap_unpin(&w->pmap);
	KUNIT_EXPECT_EQ(test, load(w, 6), 43ULL);
	KUNIT_EXPECT_FALSE(test, may_execute(w, 6));
	window_close(w, NULL);
}

/* The same page again, with another protection. */
static void pmap_enter_again(struct kunit *test)
{
	struct test_window *w = test_window(test);
	struct vm_page *m = window_page(test, w, 42);

	KUNIT_EXPECT_EQ(test, KERN_SUCCESS, enter(w, 5, m, R));
	KUNIT_EXPECT_FALSE(test, store(w, 5, 43));
	KUNIT_EXPECT_EQ(test, KERN_SUCCESS, enter(w, 5, m, RW));
	KUNIT_EXPECT_TRUE(test, store(w, 5, 43));
	KUNIT_EXPECT_EQ(test, KERN_SUCCESS, enter(w, 5, m, R));
	KUNIT_EXPECT_FALSE_MSG(test, store(w, 5, 44), "the TLB must forget");
	KUNIT_EXPECT_EQ(test, load(w, 5), 43ULL);
	KUNIT_EXPECT_EQ(test, window_resident(w), 1UL);
	KUNIT_EXPECT_TRUE(test, RB_EMPTY_ROOT(&m->md.pv_more));
	window_close(w, NULL);
}

/* Another page in place of one: what copy-on-write does. */
static void pmap_enter_replaces(struct kunit *test)
{
	struct test_window *w = test_window(test);
	struct vm_page *old = window_page(test, w, 42), *new = window_page(test, w, 43);

	KUNIT_EXPECT_EQ(test, KERN_SUCCESS, enter(w, 5, old, R));
	KUNIT_EXPECT_EQ(test, load(w, 5), 42ULL);
	KUNIT_EXPECT_EQ(test, KERN_SUCCESS, enter(w, 5, new, RW));
	KUNIT_EXPECT_EQ(test, load(w, 5), 43ULL);
	KUNIT_EXPECT_TRUE(test, store(w, 5, 44));
	KUNIT_EXPECT_EQ(test, *page_content(old), 42ULL);
	KUNIT_EXPECT_EQ(test, *page_content(new), 44ULL);
	KUNIT_EXPECT_EQ(test, window_extract(w, 5), new->phys_addr);
	KUNIT_EXPECT_EQ(test, window_resident(w), 1UL);
	window_close(w, NULL);
}

static void pmap_enter_without_sleeping(struct kunit *test)
{
	struct test_window *w = test_window(test);
	struct vm_page *m = window_page(test, w, 42);
	unsigned long seam = window_seam(w);

	KUNIT_EXPECT_EQ_MSG(test, KERN_RESOURCE_SHORTAGE,
			    enter_flags(w, seam, m, R, PMAP_ENTER_NOSLEEP), "no page table");
	KUNIT_EXPECT_EQ(test, window_extract(w, seam), 0ULL);
	KUNIT_EXPECT_EQ(test, KERN_SUCCESS, enter(w, seam, m, R));
	test_fail_init(test);
	test_fail_from(1);
	KUNIT_EXPECT_EQ_MSG(test, KERN_RESOURCE_SHORTAGE,
			    enter_flags(w, seam + 1, m, R, PMAP_ENTER_NOSLEEP), "no pv entry");
	KUNIT_EXPECT_TRUE(test, test_fail_done());
	KUNIT_EXPECT_EQ(test, window_extract(w, seam + 1), 0ULL);
	/* It need not sleep for one as long as there is memory. */
	KUNIT_EXPECT_EQ(test, KERN_SUCCESS,
			enter_flags(w, seam + 1, m, R, PMAP_ENTER_NOSLEEP));
	test_fail_from(1);
	KUNIT_EXPECT_EQ_MSG(test, KERN_SUCCESS,
			    enter_flags(w, seam + 1, m, R, PMAP_ENTER_NOSLEEP), "is noted already");
	KUNIT_EXPECT_FALSE(test, test_fail_done());
	window_close(w, NULL);
}

static void pmap_enter_without_memory(struct kunit *test)
{
	struct test_window *w = test_window(test);
	struct vm_page *m = window_page(test, w, 42);

	test_fail_init(test);
	KUNIT_EXPECT_EQ(test, KERN_SUCCESS, enter(w, 5, m, R));
	test_fail_from(1);
	KUNIT_EXPECT_EQ(test, KERN_RESOURCE_SHORTAGE, enter(w, 6, m, R));
	KUNIT_EXPECT_TRUE(test, test_fail_done());
	KUNIT_EXPECT_EQ(test, load(w, 6), NO_ACCESS);
	KUNIT_EXPECT_EQ(test, load(w, 5), 42ULL);
	window_close(w, NULL);
}

/* --- ranges */

/* The pages of a range test, around the seams of page tables, and a far one. */
static unsigned int range_pages(struct test_window *w, unsigned long *pages)
{
	unsigned long seam = window_seam(w);

	pages[0] = 0;
	pages[1] = seam - 1;
	pages[2] = seam;
	pages[3] = seam + 1;
	pages[4] = seam + TABLE_PAGES - 1;
	/* The table between stays empty. */
	pages[5] = seam + 2 * TABLE_PAGES + 7;
	pages[6] = WINDOW_PAGES - 1;
	return 7;
}

struct range_case {
	const char *name;
	int first, last;	/* of the pages above, inclusive; -1: the window's ends */
};

static const struct range_case range_cases[] = {
	{ "all", -1, -1 },
	{ "one page", 2, 2 },
	{ "across a seam", 1, 2 },
	{ "up to a seam", 0, 1 },
	{ "from a seam", 2, 4 },
	{ "over a table that is not there", 3, 5 },
	{ "to the end", 4, -1 },
	{ "from the start", -1, 3 },
};

static void range_of(struct test_window *w, const struct range_case *c, unsigned long *start,
		     unsigned long *end)
{
	unsigned long pages[8];

	range_pages(w, pages);
	*start = c->first < 0 ? 0 : pages[c->first];
	*end = c->last < 0 ? WINDOW_PAGES : pages[c->last] + 1;
}

static void pmap_remove_range(struct kunit *test)
{
	const struct range_case *c = test->param_value;
	struct test_window *w = test_window(test);
	unsigned long pages[8], start, end, left = 0;
	unsigned int n = range_pages(w, pages), i;

	range_of(w, c, &start, &end);
	for (i = 0; i < n; i++) {
		KUNIT_EXPECT_EQ(test, KERN_SUCCESS,
				enter(w, pages[i], window_page(test, w, 100 + i), RW));
		KUNIT_EXPECT_EQ(test, load(w, pages[i]), 100ULL + i);
	}
	KUNIT_EXPECT_EQ(test, window_resident(w), (unsigned long)n);
	window_remove(w, start, end);
	for (i = 0; i < n; i++) {
		bool gone = pages[i] >= start && pages[i] < end;

		KUNIT_EXPECT_EQ_MSG(test, load(w, pages[i]), gone ? NO_ACCESS : 100ULL + i,
				    "page %lu", pages[i]);
		left += !gone;
	}
	KUNIT_EXPECT_EQ(test, window_resident(w), left);
	window_close(w, NULL);
}

KUNIT_ARRAY_PARAM_DESC(range, range_cases, name);

static void pmap_protect_range(struct kunit *test)
{
	const struct range_case *c = test->param_value;
	struct test_window *w = test_window(test);
	unsigned long pages[8], start, end;
	unsigned int n = range_pages(w, pages), i;

	range_of(w, c, &start, &end);
	for (i = 0; i < n; i++) {
		KUNIT_EXPECT_EQ(test, KERN_SUCCESS,
				enter(w, pages[i], window_page(test, w, 0), RW | X));
		KUNIT_EXPECT_TRUE(test, store(w, pages[i], 100 + i));
	}
	window_protect(w, start, end, R);
	for (i = 0; i < n; i++) {
		bool gone = pages[i] >= start && pages[i] < end;

		KUNIT_EXPECT_EQ_MSG(test, store(w, pages[i], 200 + i), !gone, "page %lu",
				    pages[i]);
		KUNIT_EXPECT_EQ_MSG(test, load(w, pages[i]), (gone ? 100ULL : 200ULL) + i,
				    "page %lu", pages[i]);
		KUNIT_EXPECT_EQ(test, may_execute(w, pages[i]), !gone);
	}
	KUNIT_EXPECT_EQ(test, window_resident(w), (unsigned long)n);
	window_close(w, NULL);
}

struct protect_case {
	const char *name;
	vm_prot_t from, to;
	bool load, store, execute;
};

static const struct protect_case protect_cases[] = {
	{ "rwx to rwx", RW | X, RW | X, true, true, true },
	{ "rwx to rw", RW | X, RW, true, true, false },
	{ "rwx to rx", RW | X, R | X, true, false, true },
	{ "rwx to r", RW | X, R, true, false, false },
	{ "rwx to nothing", RW | X, 0, false, false, false },
	{ "rw to rwx grants nothing", RW, RW | X, true, true, false },
	{ "r to rw grants nothing", R, RW, true, false, false },
	{ "rx to rw grants nothing", R | X, RW, true, false, false },
	{ "r to r", R, R, true, false, false },
	{ "r to nothing", R, 0, false, false, false },
};

static void pmap_protect_only_takes_away(struct kunit *test)
{
	const struct protect_case *c = test->param_value;
	struct test_window *w = test_window(test);
	struct vm_page *m = window_page(test, w, 42);

	KUNIT_EXPECT_EQ(test, KERN_SUCCESS, enter(w, 5, m, c->from));
	KUNIT_EXPECT_EQ(test, load(w, 5), 42ULL);
	store(w, 5, 42);
	window_protect(w, 5, 6, c->to);
	KUNIT_EXPECT_EQ(test, load(w, 5), c->load ? 42ULL : NO_ACCESS);
	KUNIT_EXPECT_EQ(test, store(w, 5, 43), c->store);
	KUNIT_EXPECT_EQ(test, *page_content(m), c->store ? 43ULL : 42ULL);
	KUNIT_EXPECT_EQ(test, c->load && may_execute(w, 5), c->execute);
	window_close(w, NULL);
}

KUNIT_ARRAY_PARAM_DESC(protect, protect_cases, name);

static void pmap_null_is_a_map_without_translations(struct kunit *test)
{
	pmap_remove(NULL, 0, PAGE_SIZE);
	pmap_protect(NULL, 0, PAGE_SIZE, R);
	KUNIT_EXPECT_EQ(test, 0, pmap_pin(NULL));
	pmap_unpin(NULL);
}

/* --- many at once */

static unsigned int enter_object(struct test_window *w, unsigned long page, struct vm_page **ma,
				 unsigned int count)
{
	unsigned int n;

	pmap_pin(&w->pmap);
	VM_OBJECT_RLOCK(w->object);
	n = pmap_enter_object(&w->pmap, window_va(w, page), ma, count, R);
	VM_OBJECT_RUNLOCK(w->object);
	pmap_unpin(&w->pmap);
	return n;
}

static void pmap_enter_object_maps_what_is_easy(struct kunit *test)
{
	struct test_window *w = test_window(test);
	struct vm_page *there = window_page(test, w, 1), *ma[8];
	unsigned long seam = window_seam(w), page = seam - 4;
	unsigned int i;

	/* One table stands, with one slot taken; one page is missing. */
	KUNIT_EXPECT_EQ(test, KERN_SUCCESS, enter(w, page + 1, there, RW));
	for (i = 0; i < ARRAY_SIZE(ma); i++)
		ma[i] = i == 2 ? NULL : window_page(test, w, 100 + i);
	KUNIT_EXPECT_EQ(test, 2U, enter_object(w, page, ma, ARRAY_SIZE(ma)));

	KUNIT_EXPECT_EQ(test, load(w, page), 100ULL);
	KUNIT_EXPECT_FALSE(test, store(w, page, 0));
	KUNIT_EXPECT_EQ_MSG(test, load(w, page + 1), 1ULL, "what was there stays");
	KUNIT_EXPECT_TRUE(test, store(w, page + 1, 2));
	KUNIT_EXPECT_EQ(test, load(w, page + 2), NO_ACCESS);
	KUNIT_EXPECT_EQ(test, load(w, page + 3), 103ULL);
	for (i = 4; i < 8; i++)
		KUNIT_EXPECT_EQ_MSG(test, load(w, page + i), NO_ACCESS, "no table there");
	KUNIT_EXPECT_EQ(test, window_resident(w), 3UL);
	window_close(w, NULL);
}

static void pmap_enter_object_across_tables(struct kunit *test)
{
	struct test_window *w = test_window(test);
	unsigned long seam = window_seam(w);
	struct vm_page *ma[8];
	unsigned int i;

	KUNIT_EXPECT_EQ(test, KERN_SUCCESS, enter(w, 0, window_page(test, w, 1), R));
	KUNIT_EXPECT_EQ(test, KERN_SUCCESS, enter(w, seam + 100, window_page(test, w, 1), R));
	for (i = 0; i < ARRAY_SIZE(ma); i++)
		ma[i] = window_page(test, w, 100 + i);
	KUNIT_EXPECT_EQ(test, 8U, enter_object(w, seam - 4, ma, ARRAY_SIZE(ma)));
	for (i = 0; i < ARRAY_SIZE(ma); i++)
		KUNIT_EXPECT_EQ(test, load(w, seam - 4 + i), 100ULL + i);
	window_close(w, NULL);
}

static void pmap_prefaultable(struct kunit *test)
{
	struct test_window *w = test_window(test);
	unsigned long seam = window_seam(w);

	KUNIT_EXPECT_EQ(test, KERN_SUCCESS, enter(w, seam, window_page(test, w, 1), R));
	pmap_pin(&w->pmap);
	KUNIT_EXPECT_FALSE(test, pmap_is_prefaultable(&w->pmap, window_va(w, seam)));
	KUNIT_EXPECT_TRUE(test, pmap_is_prefaultable(&w->pmap, window_va(w, seam + 1)));
	KUNIT_EXPECT_FALSE(test, pmap_is_prefaultable(&w->pmap, window_va(w, seam - 1)));
	pmap_unpin(&w->pmap);
	window_close(w, NULL);
}

/* --- pages, wherever they are mapped */

static void remove_all(struct test_window *w, struct vm_page *m)
{
	VM_OBJECT_WLOCK(w->object);
	pmap_remove_all(m);
	VM_OBJECT_WUNLOCK(w->object);
}

static void pmap_remove_all_in_one_window(struct kunit *test)
{
	struct test_window *w = test_window(test);
	struct vm_page *m = window_page(test, w, 42), *other = window_page(test, w, 43);
	unsigned long seam = window_seam(w), pages[] = { 0, 1, 7, seam, WINDOW_PAGES - 1 };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(pages); i++) {
		KUNIT_EXPECT_EQ(test, KERN_SUCCESS, enter(w, pages[i], m, i & 1 ? RW : R));
		KUNIT_EXPECT_EQ(test, load(w, pages[i]), 42ULL);
	}
	KUNIT_EXPECT_EQ(test, KERN_SUCCESS, enter(w, 2, other, RW));
	remove_all(w, m);
	for (i = 0; i < ARRAY_SIZE(pages); i++)
		KUNIT_EXPECT_EQ_MSG(test, load(w, pages[i]), NO_ACCESS, "page %lu", pages[i]);
	KUNIT_EXPECT_EQ(test, load(w, 2), 43ULL);
	KUNIT_EXPECT_FALSE(test, pmap_page_is_mapped(m));
	KUNIT_EXPECT_EQ(test, m->md.pv_first, 0ULL);
	KUNIT_EXPECT_TRUE(test, RB_EMPTY_ROOT(&m->md.pv_more));
	KUNIT_EXPECT_TRUE_MSG(test, pmap_is_modified(m), "dirty outlives the mappings");
	remove_all(w, m);

	KUNIT_EXPECT_EQ(test, KERN_SUCCESS, enter(w, 3, m, R));
	KUNIT_EXPECT_EQ(test, load(w, 3), 42ULL);
	window_close(w, NULL);
}

/*
 * A page that wanders through a window leaves no more than a few entries behind,
 * and no mapping that nobody remembers.
 */
static void pmap_places_are_bounded(struct kunit *test)
{
	struct test_window *w = test_window(test);
	struct vm_page *m = window_page(test, w, 42);
	unsigned int i, mapped = 0, reclaims = 0;
	int rv;

	for (i = 0; i < 200; i++) {
		rv = enter(w, i, m, R);
		if (rv == KERN_NO_SPACE) {
			KUNIT_EXPECT_EQ(test, load(w, i), NO_ACCESS);
			VM_OBJECT_WLOCK(w->object);
			pmap_pv_reclaim(&w->pmap, m);
			VM_OBJECT_WUNLOCK(w->object);
			reclaims++;
			rv = enter(w, i, m, R);
		}
		KUNIT_EXPECT_EQ(test, rv, KERN_SUCCESS);
		KUNIT_EXPECT_EQ(test, load(w, i), 42ULL);
	}
	KUNIT_EXPECT_GT(test, reclaims, 1U);
	KUNIT_EXPECT_LT(test, reclaims, 20U);
	for (i = 0; i < 200; i++)
		mapped += load(w, i) == 42;
	KUNIT_EXPECT_EQ(test, (unsigned long)mapped, window_resident(w));
	KUNIT_EXPECT_LT(test, mapped, 100U);
	remove_all(w, m);
	KUNIT_EXPECT_EQ(test, window_resident(w), 0UL);
	for (i = 0; i < 200; i++)
		KUNIT_EXPECT_EQ_MSG(test, load(w, i), NO_ACCESS, "page %u", i);
	window_close(w, NULL);
}

/* Another process: a thread with an mm and a window of its own. */
struct other_process {
	struct kunit *test;
	struct test_window *first;	/* whose group it shares, or NULL */
	struct test_window window;
	struct completion ready;
	struct completion go;
	struct completion done;
	u64 value;
	bool stored;
};

/* Each go: load from page 5 and store to it. The third ends it. */
static int other_process_thread(void *arg)
{
	struct other_process *other = arg;
	unsigned int i;

	window_open(other->test, &other->window, other->first);
	complete(&other->ready);
	for (i = 0; i < 2; i++) {
		wait_for_completion(&other->go);
		other->value = load(&other->window, 5);
		other->stored = store(&other->window, 5, other->value + 1);
		complete(&other->done);
	}
	wait_for_completion(&other->go);
	window_close(&other->window, other->first);
	return 0;
}

static struct test_thread *other_process(struct kunit *test, struct other_process *other,
					 struct test_window *first)
{
	struct test_thread *thread;

	memset(other, 0, sizeof(*other));
	other->test = test;
	other->first = first;
	init_completion(&other->ready);
	init_completion(&other->go);
	init_completion(&other->done);
	thread = test_thread(test, -1, other_process_thread, other);
	wait_for_completion(&other->ready);
	return thread;
}

static void other_process_access(struct other_process *other)
{
	complete(&other->go);
	wait_for_completion(&other->done);
}

static void two_processes(struct kunit *test, bool same_group)
{
	struct other_process *other = kunit_kzalloc(test, sizeof(*other), GFP_KERNEL);
	struct test_window *w = test_window(test);
	struct vm_page *m = window_page(test, w, 42);
	struct test_thread *thread;

	if (!other)
		return;
	thread = other_process(test, other, same_group ? w : NULL);
	KUNIT_EXPECT_PTR_NE(test, other->window.pmap.mm, w->pmap.mm);
	KUNIT_EXPECT_EQ(test, KERN_SUCCESS, enter(w, 5, m, R));
	KUNIT_EXPECT_EQ(test, KERN_SUCCESS, enter(&other->window, 5, m, RW));
	KUNIT_EXPECT_EQ_MSG(test, RB_EMPTY_ROOT(&m->md.pv_more), same_group,
			    "the same place in the same group is one entry");
	other_process_access(other);
	KUNIT_EXPECT_EQ(test, other->value, 42ULL);
	KUNIT_EXPECT_TRUE(test, other->stored);
	KUNIT_EXPECT_EQ(test, load(w, 5), 43ULL);
	KUNIT_EXPECT_FALSE(test, store(w, 5, 44));

	remove_all(w, m);
	KUNIT_EXPECT_EQ(test, load(w, 5), NO_ACCESS);
	other_process_access(other);
	KUNIT_EXPECT_EQ(test, other->value, NO_ACCESS);
	KUNIT_EXPECT_FALSE(test, other->stored);
	KUNIT_EXPECT_FALSE(test, pmap_page_is_mapped(m));

	complete(&other->go);
	test_thread_join(thread);
	window_close(w, NULL);
}

static void pmap_remove_all_in_a_fork_child(struct kunit *test)
{
	two_processes(test, true);
}

static void pmap_remove_all_in_another_process(struct kunit *test)
{
	two_processes(test, false);
}

/* Windows go without a word to the pages they mapped. */
static void pmap_page_outlives_window(struct kunit *test)
{
	struct other_process *other = kunit_kzalloc(test, sizeof(*other), GFP_KERNEL);
	struct test_window *w = test_window(test);
	struct vm_page *m = window_page(test, w, 42);
	struct test_thread *thread;
	unsigned int i;

	if (!other)
		return;
	for (i = 0; i < 4; i++) {
		thread = other_process(test, other, NULL);
		KUNIT_EXPECT_EQ(test, KERN_SUCCESS, enter(&other->window, 5, m, R));
		other_process_access(other);
		KUNIT_EXPECT_EQ(test, other->value, 42ULL);
		other_process_access(other);
		complete(&other->go);
		test_thread_join(thread);
	}
	/* The entry of a dead group was replaced each time: there is one at most. */
	KUNIT_EXPECT_TRUE(test, RB_EMPTY_ROOT(&m->md.pv_more));
	remove_all(w, m);
	KUNIT_EXPECT_FALSE(test, pmap_page_is_mapped(m));
	KUNIT_EXPECT_EQ(test, KERN_SUCCESS, enter(w, 5, m, R));
	KUNIT_EXPECT_EQ(test, load(w, 5), 42ULL);
	remove_all(w, m);
	KUNIT_EXPECT_EQ(test, load(w, 5), NO_ACCESS);
	window_close(w, NULL);
}

static void pmap_remove_write_leaves_none(struct kunit *test)
{
	struct test_window *w = test_window(test);
	struct vm_page *clean = window_page(test, w, 42), *dirty = window_page(test, w, 43);

	KUNIT_EXPECT_EQ(test, KERN_SUCCESS, enter(w, 1, clean, R));
	KUNIT_EXPECT_EQ(test, KERN_SUCCESS, enter(w, 2, dirty, RW));
	KUNIT_EXPECT_EQ(test, KERN_SUCCESS, enter(w, 3, dirty, RW));
	KUNIT_EXPECT_TRUE(test, store(w, 2, 44));
	KUNIT_EXPECT_TRUE(test, store(w, 3, 45));
	VM_OBJECT_WLOCK(w->object);
	pmap_remove_write(clean);
	pmap_remove_write(dirty);
	VM_OBJECT_WUNLOCK(w->object);
	KUNIT_EXPECT_EQ_MSG(test, load(w, 1), 42ULL, "a clean page has no writable mapping");
	KUNIT_EXPECT_FALSE(test, store(w, 2, 46));
	KUNIT_EXPECT_FALSE(test, store(w, 3, 47));
	KUNIT_EXPECT_EQ(test, *page_content(dirty), 45ULL);
	window_close(w, NULL);
}

/* Several pages at once, in several tables; @locked: while their address space is not to be had. */
static void several_pages(struct kunit *test, bool locked)
{
	struct test_window *w = test_window(test);
	unsigned long places[] = { 1, 2, window_seam(w), WINDOW_PAGES - 1 };
	struct vm_page *ma[ARRAY_SIZE(places)];
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(places); i++) {
		ma[i] = window_page(test, w, 40 + i);
		KUNIT_EXPECT_EQ(test, KERN_SUCCESS, enter(w, places[i], ma[i], i ? RW : R));
	}
	/* One of them in a second place. */
	KUNIT_EXPECT_EQ(test, KERN_SUCCESS, enter(w, 7, ma[1], RW));
	if (locked)
		mmap_write_lock(w->pmap.mm);
	VM_OBJECT_WLOCK(w->object);
	pmap_remove_write_pages(ma, ARRAY_SIZE(ma));
	VM_OBJECT_WUNLOCK(w->object);
	if (locked)
		mmap_write_unlock(w->pmap.mm);
	KUNIT_EXPECT_EQ(test, load(w, places[0]), 40ULL);
	for (i = 1; i < ARRAY_SIZE(places); i++) {
		KUNIT_EXPECT_FALSE(test, store(w, places[i], 1));
		KUNIT_EXPECT_EQ(test, load(w, places[i]), locked ? NO_ACCESS : 40ULL + i);
		KUNIT_EXPECT_EQ(test, KERN_SUCCESS, enter(w, places[i], ma[i], RW));
	}
	KUNIT_EXPECT_FALSE(test, store(w, 7, 1));
	KUNIT_EXPECT_EQ(test, load(w, 7), locked ? NO_ACCESS : 41ULL);

	if (locked)
		mmap_write_lock(w->pmap.mm);
	VM_OBJECT_WLOCK(w->object);
	pmap_remove_all_pages(ma, ARRAY_SIZE(ma));
	VM_OBJECT_WUNLOCK(w->object);
	if (locked)
		mmap_write_unlock(w->pmap.mm);
	for (i = 0; i < ARRAY_SIZE(places); i++) {
		KUNIT_EXPECT_EQ(test, load(w, places[i]), NO_ACCESS);
		KUNIT_EXPECT_FALSE(test, pmap_page_is_mapped(ma[i]));
	}
	KUNIT_EXPECT_EQ(test, load(w, 7), NO_ACCESS);
	window_close(w, NULL);
}

static void pmap_deals_with_several_pages(struct kunit *test)
{
	several_pages(test, false);
}

static void pmap_deals_with_several_pages_of_a_busy_address_space(struct kunit *test)
{
	several_pages(test, true);
}

/* --- who has used it */

static unsigned int ts_referenced(struct test_window *w, struct vm_page *m)
{
	unsigned int n;

	VM_OBJECT_WLOCK(w->object);
	n = pmap_ts_referenced(m);
	VM_OBJECT_WUNLOCK(w->object);
	return n;
}

static bool is_referenced(struct test_window *w, struct vm_page *m)
{
	bool ret;

	VM_OBJECT_RLOCK(w->object);
	ret = pmap_is_referenced(m);
	VM_OBJECT_RUNLOCK(w->object);
	return ret;
}

static void pmap_counts_references(struct kunit *test)
{
	struct test_window *w = test_window(test);
	struct vm_page *m = window_page(test, w, 42);
	unsigned int i;

	KUNIT_EXPECT_EQ(test, ts_referenced(w, m), 0U);
	for (i = 0; i < 3; i++)
		KUNIT_EXPECT_EQ(test, KERN_SUCCESS, enter(w, 10 * i, m, R));
	KUNIT_EXPECT_TRUE(test, is_referenced(w, m));
	KUNIT_EXPECT_TRUE_MSG(test, is_referenced(w, m), "a look changes nothing");
	KUNIT_EXPECT_EQ_MSG(test, ts_referenced(w, m), 3U, "entered is used");
	KUNIT_EXPECT_EQ(test, ts_referenced(w, m), 0U);
	KUNIT_EXPECT_FALSE(test, is_referenced(w, m));

	/* Two were never loaded into the TLB, so the CPU tells. */
	KUNIT_EXPECT_EQ(test, load(w, 0), 42ULL);
	KUNIT_EXPECT_EQ(test, load(w, 20), 42ULL);
	KUNIT_EXPECT_TRUE(test, is_referenced(w, m));
	KUNIT_EXPECT_EQ(test, ts_referenced(w, m), 2U);
	KUNIT_EXPECT_EQ(test, ts_referenced(w, m), 0U);
	KUNIT_EXPECT_EQ_MSG(test, load(w, 0), 42ULL, "clearing takes no access away");
	/* Seen or not, as the TLB still had it or not. */
	KUNIT_EXPECT_LE(test, ts_referenced(w, m), 1U);

	/* A slot that holds another page by now says nothing about this one. */
	KUNIT_EXPECT_EQ(test, KERN_SUCCESS, enter(w, 10, window_page(test, w, 1), R));
	KUNIT_EXPECT_EQ(test, load(w, 10), 1ULL);
	KUNIT_EXPECT_EQ(test, ts_referenced(w, m), 0U);
	window_close(w, NULL);
}

static void pmap_counts_references_up_to_a_few(struct kunit *test)
{
	struct test_window *w = test_window(test);
	struct vm_page *m = window_page(test, w, 42);
	unsigned int i, n;

	for (i = 0; i < 20; i++)
		KUNIT_EXPECT_EQ(test, KERN_SUCCESS, enter(w, i, m, R));
	n = ts_referenced(w, m);
	KUNIT_EXPECT_GT(test, n, 0U);
	KUNIT_EXPECT_LE(test, n, 20U);
	/* All are seen in the end. */
	for (i = 0; i < 20 && ts_referenced(w, m); i++)
		;
	KUNIT_EXPECT_LT(test, i, 20U);
	KUNIT_EXPECT_FALSE(test, is_referenced(w, m));
	window_close(w, NULL);
}

static void pmap_counts_references_of_a_fork_child(struct kunit *test)
{
	struct other_process *other = kunit_kzalloc(test, sizeof(*other), GFP_KERNEL);
	struct test_window *w = test_window(test);
	struct vm_page *m = window_page(test, w, 42);
	struct test_thread *thread;

	if (!other)
		return;
	thread = other_process(test, other, w);
	KUNIT_EXPECT_EQ(test, KERN_SUCCESS, enter(w, 5, m, R));
	KUNIT_EXPECT_EQ(test, KERN_SUCCESS, enter(&other->window, 5, m, R));
	KUNIT_EXPECT_EQ(test, ts_referenced(w, m), 2U);
	KUNIT_EXPECT_EQ(test, ts_referenced(w, m), 0U);
	other_process_access(other);
	KUNIT_EXPECT_EQ(test, other->value, 42ULL);
	KUNIT_EXPECT_EQ(test, ts_referenced(w, m), 1U);
	other_process_access(other);
	complete(&other->go);
	test_thread_join(thread);
	window_close(w, NULL);
}

/* --- page content */

static void pmap_fills_pages(struct kunit *test)
{
	struct test_window *w = test_window(test);
	struct vm_page *a = window_page(test, w, 1), *b = window_page(test, w, 2);
	u64 *from = page_content(a), *to = page_content(b);
	unsigned int i;

	for (i = 0; i < PAGE_SIZE / sizeof(u64); i++)
		from[i] = i * 0x0101010101010101ULL + 1;
	pmap_copy_page(a, b);
	KUNIT_EXPECT_EQ(test, 0, memcmp(from, to, PAGE_SIZE));
	pmap_zero_page(a);
	KUNIT_EXPECT_NULL(test, memchr_inv(from, 0, PAGE_SIZE));
	KUNIT_EXPECT_EQ(test, to[511], 511 * 0x0101010101010101ULL + 1);
	window_close(w, NULL);
}

/* --- pinning */

static void pmap_pin_refuses_what_is_gone(struct kunit *test)
{
	struct test_window *w = test_window(test);
	int ret;

	ret = pmap_pin(&w->pmap);
	KUNIT_EXPECT_EQ(test, 0, ret);
	mmap_assert_locked(w->pmap.mm);
	if (!ret)
		pmap_unpin(&w->pmap);
	window_unmap(w);
	ret = pmap_pin(&w->pmap);
	KUNIT_EXPECT_EQ(test, -ENXIO, ret);
	if (!ret)
		pmap_unpin(&w->pmap);
	/* And has not left it locked. */
	KUNIT_EXPECT_FALSE(test, rwsem_is_locked(&w->pmap.mm->mmap_lock));
	window_close(w, NULL);
}

/* --- two CPUs in one address space */

#define CPU_ROUNDS	400
#define POISON		0x6b6b6b6bULL

/**
 * struct cpu_race - a thread on another CPU that uses page 5 all the time
 * @w: the window, whose mm the thread uses
 * @published: no load may give less than this had before it
 * @writes: it stores, rather than loads
 * @loops: how often it did
 * @stale: what it should not have seen
 * @stop: it is enough
 */
struct cpu_race {
	struct test_window *w;
	u64 published;
	bool writes;
	unsigned long loops;
	u64 stale;
	bool stop;
};

static int cpu_race_thread(void *arg)
{
	struct cpu_race *race = arg;
	u64 least, value;

	kthread_use_mm(race->w->pmap.mm);
	while (!READ_ONCE(race->stop)) {
		if (race->writes) {
			store(race->w, 5, race->loops);
		} else {
			/* The load below may not come before this one. */
			least = smp_load_acquire(&race->published);
			value = load(race->w, 5);
			if (value == NO_ACCESS || value == POISON || value < least)
				race->stale = value;
		}
		WRITE_ONCE(race->loops, race->loops + 1);
		if (race->loops % 64 == 0)
			cond_resched();
	}
	kthread_unuse_mm(race->w->pmap.mm);
	return 0;
}

static struct test_thread *cpu_race(struct kunit *test, struct cpu_race *race,
				    struct test_window *w, bool writes)
{
	memset(race, 0, sizeof(*race));
	race->w = w;
	race->writes = writes;
	/* A fault while a translation is being replaced ends when it has been. */
	w->retry = true;
	return test_thread(test, test_cpu(1), cpu_race_thread, race);
}

/* Let the other CPU use the page, so that it is in its TLB. */
static void cpu_race_wait(struct cpu_race *race)
{
	unsigned long before = READ_ONCE(race->loops), end = jiffies + TEST_PATIENCE;

	while (READ_ONCE(race->loops) < before + 3 && time_before(jiffies, end))
		cond_resched();
}

static void cpu_race_end(struct kunit *test, struct cpu_race *race, struct test_thread *thread)
{
	WRITE_ONCE(race->stop, true);
	test_thread_join(thread);
	KUNIT_EXPECT_GT(test, race->loops, (unsigned long)CPU_ROUNDS);
	KUNIT_EXPECT_EQ_MSG(test, race->stale, 0ULL, "the other CPU saw what was gone");
}

/*
 * Copy-on-write as another CPU sees it: once pmap_enter() has returned, the old
 * page is seen no more, and may be somebody else's.
 */
static void pmap_replacement_is_seen_by_both_cpus(struct kunit *test)
{
	struct test_window *w = test_window(test);
	struct vm_page *ma[2] = { window_page(test, w, 0), window_page(test, w, 0) };
	struct test_thread *thread;
	struct cpu_race race;
	u64 i;

	KUNIT_EXPECT_EQ(test, KERN_SUCCESS, enter(w, 5, ma[0], R));
	thread = cpu_race(test, &race, w, false);
	for (i = 1; i <= CPU_ROUNDS; i++) {
		cpu_race_wait(&race);
		*page_content(ma[i & 1]) = i;
		KUNIT_EXPECT_EQ(test, KERN_SUCCESS, enter(w, 5, ma[i & 1], R));
		/* The new page is entered before this is seen. */
		smp_store_release(&race.published, i);
		*page_content(ma[~i & 1]) = POISON;
		KUNIT_EXPECT_EQ(test, load(w, 5), i);
	}
	cpu_race_end(test, &race, thread);
	window_close(w, NULL);
}

static void pmap_removal_is_seen_by_both_cpus(struct kunit *test)
{
	struct test_window *w = test_window(test);
	struct vm_page *m = window_page(test, w, 0);
	struct test_thread *thread;
	struct cpu_race race;
	u64 i;

	KUNIT_EXPECT_EQ(test, KERN_SUCCESS, enter(w, 5, m, R));
	thread = cpu_race(test, &race, w, false);
	for (i = 1; i <= CPU_ROUNDS; i++) {
		cpu_race_wait(&race);
		if (i & 1)
			window_remove(w, 5, 6);
		else
			remove_all(w, m);
		*page_content(m) = POISON;
		udelay(9);
		*page_content(m) = i;
		KUNIT_EXPECT_EQ(test, KERN_SUCCESS, enter(w, 5, m, R));
		/* The page is entered again before this is seen. */
		smp_store_release(&race.published, i);
	}
	cpu_race_end(test, &race, thread);
	window_close(w, NULL);
}

/* Once a page is read-only no store is on its way to it. */
static void pmap_protection_is_seen_by_both_cpus(struct kunit *test)
{
	struct test_window *w = test_window(test);
	struct vm_page *m = window_page(test, w, 0);
	unsigned int i, late = 0;
	struct test_thread *thread;
	struct cpu_race race;
	u64 value;

	KUNIT_EXPECT_EQ(test, KERN_SUCCESS, enter(w, 5, m, RW));
	thread = cpu_race(test, &race, w, true);
	for (i = 0; i < CPU_ROUNDS; i++) {
		cpu_race_wait(&race);
		if (i % 3 == 0) {
			window_protect(w, 5, 6, R);
		} else if (i % 3 == 1) {
			KUNIT_EXPECT_EQ(test, KERN_SUCCESS, enter(w, 5, m, R));
		} else {
			VM_OBJECT_WLOCK(w->object);
			pmap_remove_write(m);
			VM_OBJECT_WUNLOCK(w->object);
		}
		value = READ_ONCE(*page_content(m));
		udelay(9);
		late += READ_ONCE(*page_content(m)) != value;
		KUNIT_EXPECT_EQ(test, KERN_SUCCESS, enter(w, 5, m, RW));
	}
	cpu_race_end(test, &race, thread);
	KUNIT_EXPECT_EQ_MSG(test, late, 0U, "stores after the page was read-only");
	window_close(w, NULL);
}

/* --- a fault replaces a translation, and then lets go of the page */

struct collapsing_fault {
	struct vm_map map;
	struct completion go;
	unsigned long va;
};

static int fault_for_writing(void *arg)
{
	struct vm_fault_wait fw = { .restarts = 0 };
	struct collapsing_fault *fault = arg;
	int rv;

	wait_for_completion(&fault->go);
	pmap_pin(fault->map.pmap);
	rv = vm_fault(&fault->map, fault->va, W, &fw, NULL);
	pmap_unpin(fault->map.pmap);
	return rv;
}

/* A shadow of @object, of one page, which takes its only reference over. */
static struct vm_object *shadow_of(struct kunit *test, struct vm_object *object)
{
	vm_ooffset_t offset = 0;

	vm_object_reference(object);
	KUNIT_EXPECT_EQ(test, KERN_SUCCESS, vm_object_shadow(&object, &offset, VM_PAGE_SIZE));
	/* Not vm_object_deallocate(), which would collapse the two. */
	refcount_dec(&object->backing_object->ref_count);
	return object;
}

/*
 * A write copies the one page of the object beneath, which collapses: its page is
 * hidden and goes. To do that it needs the lock of the object at the bottom,
 * which we hold, and by then the old page must not be mapped any more.
 */
static void pmap_hidden_page_is_unmapped_before_it_goes(struct kunit *test)
{
	struct vm_object *bottom = vm_object_allocate_anon(1), *beneath, *first;
	struct collapsing_fault *fault = kunit_kzalloc(test, sizeof(*fault), GFP_KERNEL);
	struct vm_page *m = vm_page_alloc_noobj(VM_ALLOC_NORMAL);
	unsigned long end = jiffies + TEST_PATIENCE;
	struct vm_fault_wait fw = { .restarts = 0 };
	struct test_thread *thread;
	struct test_window *w;
	LIST_HEAD(deferred);

	KUNIT_ASSERT_TRUE(test, bottom && fault && m);
	w = test_window(test);
	/* The test's own reference lets the bottom stay as it is. */
	vm_object_reference(bottom);
	beneath = shadow_of(test, bottom);
	pmap_zero_page(m);
	VM_OBJECT_WLOCK(beneath);
	KUNIT_EXPECT_EQ(test, 0, vm_page_insert(m, beneath, 0));
	m->valid = 1;
	VM_OBJECT_WUNLOCK(beneath);
	first = shadow_of(test, beneath);
	fault->va = w->start;
	vm_map_init(&fault->map, &w->pmap, w->start, window_va(w, WINDOW_PAGES));
	vm_map_lock(&fault->map);
	KUNIT_EXPECT_EQ(test, KERN_SUCCESS,
			vm_map_insert(&fault->map, first, 0, w->start, window_va(w, 1), RW, RW,
				      0));
	vm_map_unlock(&fault->map);
	init_completion(&fault->go);
	thread = test_thread(test, test_cpu(1), fault_for_writing, fault);

	pmap_pin(&w->pmap);
	KUNIT_EXPECT_EQ(test, KERN_SUCCESS, vm_fault(&fault->map, w->start, R, &fw, NULL));
	KUNIT_EXPECT_EQ(test, pmap_extract(&w->pmap, w->start), m->phys_addr);
	/* Wired, it is copied rather than taken over, and cannot be reused. */
	vm_page_wire(m);
	VM_OBJECT_RLOCK(bottom);
	complete(&fault->go);
	while (!rwsem_is_contended(&bottom->lock) && time_before(jiffies, end))
		usleep_range(1000, 2000);
	KUNIT_EXPECT_TRUE(test, rwsem_is_contended(&bottom->lock));
	KUNIT_EXPECT_NULL(test, READ_ONCE(m->object));
	KUNIT_EXPECT_NE(test, pmap_extract(&w->pmap, w->start), m->phys_addr);
	VM_OBJECT_RUNLOCK(bottom);
	pmap_unpin(&w->pmap);

	KUNIT_EXPECT_EQ(test, KERN_SUCCESS, test_thread_join(thread));
	vm_page_unwire(m, PQ_ACTIVE);
	pmap_pin(&w->pmap);
	vm_map_remove(&fault->map, w->start, window_va(w, 1), &deferred);
	pmap_unpin(&w->pmap);
	vm_map_process_deferred(&deferred);
	vm_object_deallocate(bottom);
	window_close(w, NULL);
}

static struct kunit_case pmap_cases[] = {
	KUNIT_CASE(pmap_nothing_is_mapped_at_first),
	KUNIT_CASE(pmap_enter_for_reading),
	KUNIT_CASE(pmap_enter_for_writing),
	KUNIT_CASE(pmap_enter_for_execution),
	KUNIT_CASE(pmap_enter_is_bounded_by_window),
	KUNIT_CASE(pmap_enter_again),
	KUNIT_CASE(pmap_enter_replaces),
	KUNIT_CASE(pmap_enter_without_sleeping),
	KUNIT_CASE(pmap_enter_without_memory),
	KUNIT_CASE_PARAM(pmap_remove_range, range_gen_params),
	KUNIT_CASE_PARAM(pmap_protect_range, range_gen_params),
	KUNIT_CASE_PARAM(pmap_protect_only_takes_away, protect_gen_params),
	KUNIT_CASE(pmap_null_is_a_map_without_translations),
	KUNIT_CASE(pmap_enter_object_maps_what_is_easy),
	KUNIT_CASE(pmap_enter_object_across_tables),
	KUNIT_CASE(pmap_prefaultable),
	KUNIT_CASE(pmap_remove_all_in_one_window),
	KUNIT_CASE(pmap_places_are_bounded),
	KUNIT_CASE(pmap_remove_all_in_a_fork_child),
	KUNIT_CASE(pmap_remove_all_in_another_process),
	KUNIT_CASE(pmap_page_outlives_window),
	KUNIT_CASE(pmap_remove_write_leaves_none),
	KUNIT_CASE(pmap_deals_with_several_pages),
	KUNIT_CASE(pmap_deals_with_several_pages_of_a_busy_address_space),
	KUNIT_CASE(pmap_counts_references),
	KUNIT_CASE(pmap_counts_references_up_to_a_few),
	KUNIT_CASE(pmap_counts_references_of_a_fork_child),
	KUNIT_CASE(pmap_fills_pages),
	KUNIT_CASE(pmap_pin_refuses_what_is_gone),
	KUNIT_CASE(pmap_replacement_is_seen_by_both_cpus),
	KUNIT_CASE(pmap_removal_is_seen_by_both_cpus),
	KUNIT_CASE(pmap_protection_is_seen_by_both_cpus),
	KUNIT_CASE(pmap_hidden_page_is_unmapped_before_it_goes),
	{}
};

static struct kunit_suite pmap_suite = {
	.name = "bsdvm_pmap",
	.init = test_pages_init,
	.test_cases = pmap_cases,
};

kunit_test_suite(pmap_suite);
