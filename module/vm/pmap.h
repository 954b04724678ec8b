/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * pmap(9): the contract between the VM system and the machine.
 *
 * The obligations that matter: the pmap may forget any mapping at any time, a
 * fault builds it again; that a page was modified is known before a mapping that
 * allows it is entered (vm_page_dirty()), so nothing is lost with the mapping;
 * every function does nothing on an empty range.
 *
 * A NULL pmap is a map without translations: the functions that take one and
 * remove or reduce do nothing then.
 *
 * Locks: a range function (pmap_enter, pmap_enter_object, pmap_enter_copies,
 * pmap_remove, pmap_protect, pmap_extract, pmap_is_prefaultable) needs the page tables to
 * stand still: the caller is in a fault on the pmap, in its fork, or holds
 * pmap_pin(). A page function (pmap_remove_all, pmap_remove_write,
 * pmap_ts_referenced, and those for several pages) reaches every pmap by itself
 * and needs only the lock of the page's object. Inside of that it may try, but
 * never wait for, an address space's lock. Shootdowns are finished when a function
 * returns.
 */
#ifndef BSDVM_VM_PMAP_H
#define BSDVM_VM_PMAP_H

#include "_vm_page.h"

struct pmap;

/* pmap_enter flags, beside the VM_PROT_* of the access that needs the mapping. */
#define PMAP_ENTER_NOSLEEP	0x100	/* fail rather than sleep */
#define PMAP_ENTER_WIRED	0x200	/* the mapping is wired */

/**
 * pmap_pin() - make a pmap's page tables stand still
 * @pmap: the calling process's pmap, or NULL
 *
 * Comes before every VM lock. Not in a fault or fork, which hold as much already.
 *
 * Context: process, may sleep; no VM lock held.
 * Return: 0, -EINTR on a fatal signal, -ENXIO when the pmap's address space is
 * gone. NULL pins trivially.
 */
int pmap_pin(struct pmap *pmap);

/**
 * pmap_pin_nowait() - pmap_pin() for who holds a VM lock already
 * @pmap: the calling process's pmap, or NULL
 *
 * Context: process; does not sleep.
 * Return: true: undo it by pmap_unpin(); false where pmap_pin() would wait, or fail.
 */
bool pmap_pin_nowait(struct pmap *pmap);

/**
 * pmap_trypin() - make another process's page tables stand still, if that is easy
 * @pmap: the pmap, which the caller keeps from going
 *
 * Context: process, may sleep for a moment, but not for the address space's lock; no VM
 * lock held.
 * Return: true: undo it by pmap_unpin_async().
 */
bool pmap_trypin(struct pmap *pmap);

/**
 * pmap_unpin_async() - undo pmap_trypin()
 * @pmap: the pmap
 *
 * Context: process; no VM lock held.
 */
void pmap_unpin_async(struct pmap *pmap);

/**
 * pmap_unpin() - undo pmap_pin()
 * @pmap: the pmap
 *
 * Context: process; no VM lock held.
 */
void pmap_unpin(struct pmap *pmap);

/**
 * pmap_enter() - map a page
 * @pmap: where
 * @va: at which address, page aligned
 * @m: the page
 * @prot: what the mapping allows, VM_PROT_READ at least. With VM_PROT_WRITE the
 *	page is marked dirty.
 * @flags: PMAP_ENTER_*
 *
 * Replaces whatever is mapped there; a replaced frame or a reduced protection is
 * shot down before the function returns.
 *
 * Context: page tables pinned; the object of @m locked, shared or exclusively.
 * Return: KERN_SUCCESS; KERN_RESOURCE_SHORTAGE when a page table or pv entry
 * cannot be had (with PMAP_ENTER_NOSLEEP: not without sleeping); KERN_NO_SPACE when
 * the page may be mapped in too many places: pmap_pv_reclaim() it and try again.
 */
int pmap_enter(struct pmap *pmap, vm_offset_t va, struct vm_page *m,
	       vm_prot_t prot, unsigned int flags);

/**
 * pmap_enter_at() - map a page where a fault has been on the way already
 * @pmap: where
 * @md: what the trap knows of the slot, in the machine's terms; NULL: nothing
 * @va: at which address, page aligned
 * @m: the page
 * @prot: as pmap_enter() has it
 * @flags: PMAP_ENTER_*
 *
 * As pmap_enter(), without looking for the slot.
 *
 * Context: as pmap_enter(); the page tables have stood still since the trap.
 * Return: as pmap_enter().
 */
int pmap_enter_at(struct pmap *pmap, void *md, vm_offset_t va, struct vm_page *m,
		  vm_prot_t prot, unsigned int flags);

/**
 * pmap_enter_object() - map resident neighbours, as far as it is easy
 * @pmap: where
 * @start: first address, page aligned
 * @ma: pages in order of address, NULL where there is none to map
 * @count: number of slots of @ma
 * @prot: what the mappings allow. With VM_PROT_WRITE the pages are marked dirty.
 *
 * Slots already mapped stay as they are. Where no page table stands, or a pv entry
 * cannot be had without sleeping, nothing is mapped and the slot of @ma set to NULL.
 * Takes one page-table lock per table.
 *
 * Context: any that may take a spinlock, RCU included; with VM_PROT_WRITE also interrupts
 * on, for a shootdown; page tables pinned; the objects of all pages locked.
 * Return: number of pages mapped.
 */
unsigned int pmap_enter_object(struct pmap *pmap, vm_offset_t start,
			       struct vm_page **ma, unsigned int count,
			       vm_prot_t prot);

/**
 * pmap_enter_copies() - map pages in place of those that they are copies of
 * @pmap: where
 * @start: first address, page aligned
 * @ma: pages in order of address
 * @count: number of @ma
 * @prot: what the mappings allow. With VM_PROT_WRITE the pages are marked dirty.
 *
 * As pmap_enter_object(), but what is mapped there is replaced, with one shootdown for the
 * slots of a page table. What was mapped is unmapped even where the new page cannot be.
 * None of @ma is NULL before.
 *
 * Context: process, interrupts on; page tables pinned; the objects of all pages locked.
 * Return: number of pages mapped.
 */
unsigned int pmap_enter_copies(struct pmap *pmap, vm_offset_t start,
			       struct vm_page **ma, unsigned int count,
			       vm_prot_t prot);

/**
 * pmap_remove() - unmap a range
 * @pmap: where
 * @sva: first address, page aligned
 * @eva: address behind the last
 *
 * Context: page tables pinned.
 */
void pmap_remove(struct pmap *pmap, vm_offset_t sva, vm_offset_t eva);

/**
 * pmap_protect() - reduce what a range allows
 * @pmap: where
 * @sva: first address, page aligned
 * @eva: address behind the last
 * @prot: what is left; without VM_PROT_READ the range is unmapped
 *
 * Context: page tables pinned.
 */
void pmap_protect(struct pmap *pmap, vm_offset_t sva, vm_offset_t eva,
		  vm_prot_t prot);

/**
 * pmap_advise() - forget that a range was used
 * @pmap: where
 * @sva: first address, page aligned
 * @eva: address behind the last
 *
 * Clears the reference bits; no flush: a use that the TLB hides is seen the next
 * time.
 *
 * Context: page tables pinned.
 */
void pmap_advise(struct pmap *pmap, vm_offset_t sva, vm_offset_t eva);

/* pmap_mincore() answers: mincore(2)'s bits. */
#define MINCORE_INCORE		0x01
#define MINCORE_REFERENCED	0x02
#define MINCORE_MODIFIED	0x04
#define MINCORE_REFERENCED_OTHER 0x08
#define MINCORE_MODIFIED_OTHER	0x10

/**
 * pmap_mincore() - what the pmap knows of an address
 * @pmap: where
 * @va: page aligned
 *
 * Modified: there is, or was through this mapping, leave to write.
 *
 * Context: page tables pinned.
 * Return: MINCORE_*, of this pmap's own; 0 when nothing is mapped.
 */
unsigned int pmap_mincore(struct pmap *pmap, vm_offset_t va);

/**
 * pmap_extract() - physical address behind a virtual one
 * @pmap: where
 * @va: virtual address
 *
 * Context: page tables pinned.
 * Return: the physical address, 0 when nothing is mapped.
 */
vm_paddr_t pmap_extract(struct pmap *pmap, vm_offset_t va);

/**
 * pmap_is_prefaultable() - could a page be mapped here without a new table?
 * @pmap: where
 * @va: page aligned
 *
 * Context: page tables pinned.
 * Return: true when a page table stands and the slot is empty.
 */
bool pmap_is_prefaultable(struct pmap *pmap, vm_offset_t va);

/**
 * pmap_resident_count() - pages mapped in a range
 * @pmap: where
 * @sva: first address, page aligned
 * @eva: address behind the last
 *
 * Walks the tables that stand.
 *
 * Context: page tables pinned.
 * Return: pages.
 */
unsigned long pmap_resident_count(struct pmap *pmap, vm_offset_t sva,
				  vm_offset_t eva);

/**
 * struct pmap_hold - an address space that is held while several pages are dealt with
 * @pmap: its page tables stand still; NULL: none is held
 * @start: first address whose slot has changed
 * @end: address behind the last
 * @changing: a shootdown is owed
 * @table: the page table that was looked at last, in the machine's terms; NULL: none
 * @table_va: first address that it is for
 *
 * Begins as { NULL }. A page's function that is given one holds the address space that
 * has the page, if that can be done at once, and keeps it for the next page. While one is
 * held its process cannot change its map of memory; so not for long, and not while
 * waiting for anything.
 */
struct pmap_hold {
	struct pmap *pmap;
	vm_offset_t start;
	vm_offset_t end;
	bool changing;
	void *table;
	vm_offset_t table_va;
};

/**
 * pmap_hold_drop() - hold no address space any more
 * @hold: may be of none
 *
 * Context: process.
 */
void pmap_hold_drop(struct pmap_hold *hold);

/**
 * pmap_remove_all() - unmap a page everywhere
 * @m: the page
 *
 * Context: process, may sleep; the page's object locked exclusively.
 */
void pmap_remove_all(struct vm_page *m);

/**
 * pmap_remove_all_held() - pmap_remove_all(), one page after the other
 * @hold: what is held meanwhile
 * @m: the page
 *
 * Context: as pmap_remove_all().
 */
void pmap_remove_all_held(struct pmap_hold *hold, struct vm_page *m);

/**
 * pmap_remove_all_pages() - unmap pages everywhere, with as few shootdowns as possible
 * @ma: the pages
 * @count: how many
 *
 * Context: process, may sleep; the pages' objects locked exclusively.
 */
void pmap_remove_all_pages(struct vm_page **ma, unsigned int count);

/**
 * pmap_pv_reclaim() - unmap a page from the places that one pmap remembers
 * @pmap: the pmap
 * @m: the page
 *
 * Context: process, may sleep; the page's object locked exclusively.
 */
void pmap_pv_reclaim(struct pmap *pmap, struct vm_page *m);

/**
 * pmap_remove_write() - leave no writable mapping of a page
 * @m: the page
 *
 * Mappings may be lost altogether.
 *
 * Context: process, may sleep; the page's object locked exclusively.
 */
void pmap_remove_write(struct vm_page *m);

/**
 * pmap_remove_write_pages() - pmap_remove_write(), with as few shootdowns as possible
 * @ma: the pages
 * @count: how many
 *
 * Context: process, may sleep; the pages' objects locked exclusively.
 */
void pmap_remove_write_pages(struct vm_page **ma, unsigned int count);

/**
 * pmap_page_is_mapped() - may a page be mapped anywhere?
 * @m: the page
 *
 * Context: any.
 * Return: false only when it certainly is not.
 */
bool pmap_page_is_mapped(struct vm_page *m);

/**
 * pmap_is_modified() - has a page been modified, or may it be at any moment?
 * @m: the page
 *
 * Context: the page's object locked.
 * Return: true when it is dirty.
 */
bool pmap_is_modified(struct vm_page *m);

/**
 * pmap_is_referenced() - has a page been used since the bits were cleared?
 * @m: the page
 *
 * Context: process; the page's object locked.
 * Return: true when an address space that could be looked at has used it.
 */
bool pmap_is_referenced(struct vm_page *m);

/**
 * pmap_ts_referenced() - count and clear a page's reference bits
 * @m: the page
 *
 * An address space whose lock is held by somebody else is skipped.
 *
 * Context: process; the page's object locked.
 * Return: number of mappings that had used it.
 */
unsigned int pmap_ts_referenced(struct vm_page *m);

/**
 * pmap_ts_referenced_held() - pmap_ts_referenced(), one page after the other
 * @hold: what is held meanwhile
 * @m: the page
 *
 * Context: as pmap_ts_referenced().
 * Return: as pmap_ts_referenced().
 */
unsigned int pmap_ts_referenced_held(struct pmap_hold *hold, struct vm_page *m);

/**
 * pmap_page_reset() - forget a page that is mapped nowhere, before it is freed
 * @m: the page
 *
 * Context: any but interrupt; nobody else can reach the page.
 */
void pmap_page_reset(struct vm_page *m);

/**
 * pmap_zero_page() - fill a page with zeroes
 * @m: the page
 *
 * Context: any; the caller alone can reach the page.
 */
void pmap_zero_page(struct vm_page *m);

/**
 * pmap_copy_page() - copy a page
 * @src: from, vm_page_copyable(), not changing meanwhile (or the caller does not mind)
 * @dst: to; the caller alone can reach it
 *
 * Context: any.
 */
void pmap_copy_page(struct vm_page *src, struct vm_page *dst);

/**
 * pmap_phys_memattr() - how a frame that is not the pool's may be mapped
 * @pa: its physical address
 * @memattr: how its owner would like it
 *
 * Memory has a cached mapping already, the kernel's, and no CPU likes two that differ;
 * anything else is not to be cached.
 *
 * Context: any.
 * Return: VM_MEMATTR_*; -EINVAL for what is no address at all.
 */
int pmap_phys_memattr(vm_paddr_t pa, unsigned int memattr);

/**
 * pmap_quick_enter_page() - a kernel address to reach a page's content
 * @m: the page
 *
 * Valid until the page is freed; costs nothing and needs no undoing here.
 *
 * Context: any.
 * Return: the address.
 */
void *pmap_quick_enter_page(struct vm_page *m);

/*
 * Kernel addresses.
 *
 * The pmap has a range of them, from virtual_avail up to virtual_end. Who enters or
 * removes a translation owns its address: nobody else enters, removes or uses it
 * meanwhile. Where there is no translation an access faults. Translations can be
 * read and written, not executed.
 *
 * A translation that goes or changes is forgotten by every CPU before the call
 * returns; CPUs are interrupted for that, once a call and not at all where nothing was
 * valid before.
 *
 * (FreeBSD's pmap(9), pmap_kenter(9), pmap_kextract(9), pmap_qenter(9); there
 * pmap_kenter() leaves the shootdown to the caller.)
 */
extern vm_offset_t virtual_avail;
extern vm_offset_t virtual_end;

/**
 * pmap_kernel_init() - get the range of kernel addresses
 * @size: bytes, whole pages
 *
 * Context: start-up only, may sleep.
 * Return: 0, -ENOMEM.
 */
int pmap_kernel_init(vm_size_t size);

/**
 * pmap_kernel_fini() - give the range back; every translation was removed
 *
 * Context: shut-down only.
 */
void pmap_kernel_fini(void);

/**
 * pmap_kenter() - map a frame at a kernel address
 * @va: the address, page aligned
 * @pa: physical address of the frame
 *
 * Replaces what is mapped there.
 *
 * Context: a thread with interrupts on, spinlocks may be held that nobody takes
 * with interrupts off.
 */
void pmap_kenter(vm_offset_t va, vm_paddr_t pa);

/**
 * pmap_kremove() - unmap a kernel address
 * @va: the address, page aligned
 *
 * Context: as pmap_kenter().
 */
void pmap_kremove(vm_offset_t va);

/**
 * pmap_qenter() - map pages at consecutive kernel addresses
 * @va: the first, page aligned
 * @ma: the pages
 * @count: how many
 *
 * Replaces what is mapped there.
 *
 * Context: as pmap_kenter().
 */
void pmap_qenter(vm_offset_t va, struct vm_page **ma, unsigned long count);

/**
 * pmap_qremove() - unmap consecutive kernel addresses
 * @va: the first, page aligned
 * @count: pages
 *
 * Those where nothing is mapped are skipped.
 *
 * Context: as pmap_kenter().
 */
void pmap_qremove(vm_offset_t va, unsigned long count);

/**
 * pmap_kextract() - physical address behind a kernel address
 * @va: an address of the range, or one of memory that Linux always has mapped, as
 *	pmap_quick_enter_page() gives
 *
 * Context: any.
 * Return: the physical address, 0 when nothing is mapped.
 */
vm_paddr_t pmap_kextract(vm_offset_t va);

#endif /* BSDVM_VM_PMAP_H */
