// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Windows of tests: mappings of a file of ours that have a pmap, and nothing else.
 */
#include "pmap_kunit.h"

#include <linux/anon_inodes.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/mman.h>

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

void test_window_open(struct kunit *test, struct test_window *w, struct test_window *other)
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
	w->start = kunit_vm_mmap(test, w->file, 0, ptoa(TEST_WINDOW_PAGES), PROT_READ | PROT_WRITE,
				 MAP_SHARED, 0);
	KUNIT_ASSERT_FALSE(test, !w->start || IS_ERR_VALUE(w->start));
	if (other)
		w->file->private_data = other;
}

void test_window_unmap(struct test_window *w)
{
	if (w->start)
		vm_munmap(w->start, ptoa(TEST_WINDOW_PAGES));
}

void test_window_close(struct test_window *w, struct test_window *other)
{
	test_window_unmap(w);
	if (!other) {
		vm_object_deallocate(w->object);
		pmap_group_put(w->group);
		__fput_sync(w->file);
	} else {
		fput(w->file);
	}
}

struct test_window *test_window(struct kunit *test)
{
	struct test_window *w = kunit_kzalloc(test, sizeof(*w), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, w);
	test_window_open(test, w, NULL);
	return w;
}
