/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * compat: what differs between the kernels supported, and nowhere else.
 */
#ifndef BSDVM_COMPAT_H
#define BSDVM_COMPAT_H

#include <linux/mm.h>
#include <linux/pagemap.h>
#include <linux/version.h>

/* 6.3: vm_flags became read-only and is changed by vm_flags_set(). */
#if KERNEL_VERSION(6, 3, 0) > LINUX_VERSION_CODE
static inline void vm_flags_set(struct vm_area_struct *vma, vm_flags_t flags)
{
	vma->vm_flags |= flags;
}
#endif

/* 6.3: what an inode operation is told of the mount changed its type. */
#if KERNEL_VERSION(6, 3, 0) > LINUX_VERSION_CODE
#define bsdvm_idmap user_namespace
#else
#define bsdvm_idmap mnt_idmap
#endif

/* 6.6: a fault may hold the lock of its VMA in place of mmap_lock. */
#if KERNEL_VERSION(6, 6, 0) > LINUX_VERSION_CODE
static inline void release_fault_lock(struct vm_fault *vmf)
{
	mmap_read_unlock(vmf->vma->vm_mm);
}
#endif

/*
 * Is a VMA that began at @start still in its mm's tree? Needs mmap_lock. From 6.4 to 6.14
 * it says so by itself, and RCU, which the caller needs as well, keeps it from being freed.
 */
static inline bool compat_vma_attached(struct mm_struct *mm, struct vm_area_struct *vma,
				       unsigned long start)
{
#if defined(CONFIG_PER_VMA_LOCK) && KERNEL_VERSION(6, 15, 0) > LINUX_VERSION_CODE
	return !vma->detached;
#else
	return find_vma(mm, start) == vma;
#endif
}

/* 6.12: a write to the page cache is told of a folio, before it was a page. */
static inline int compat_write_begin(struct file *file, loff_t pos, unsigned int len,
				     struct page **page, void **fsdata)
{
	struct address_space *mapping = file->f_mapping;
#if KERNEL_VERSION(6, 12, 0) > LINUX_VERSION_CODE
	return mapping->a_ops->write_begin(file, mapping, pos, len, page, fsdata);
#else
	struct folio *folio;
	int ret = mapping->a_ops->write_begin(file, mapping, pos, len, &folio, fsdata);

	if (!ret)
		*page = folio_file_page(folio, pos >> PAGE_SHIFT);
	return ret;
#endif
}

static inline int compat_write_end(struct file *file, loff_t pos, unsigned int len,
				   unsigned int copied, struct page *page, void *fsdata)
{
	struct address_space *mapping = file->f_mapping;
#if KERNEL_VERSION(6, 12, 0) <= LINUX_VERSION_CODE
	struct folio *folio = page_folio(page);
#else
	struct page *folio = page;
#endif

	return mapping->a_ops->write_end(file, mapping, pos, len, copied, folio, fsdata);
}

#endif /* BSDVM_COMPAT_H */
