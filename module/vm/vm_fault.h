/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * vm_fault: make one page of a map accessible.
 *
 * A pass over a fault never sleeps for a page, for memory or for I/O. Where it
 * would have to, it lets go of everything and says what to wait for; the caller
 * lets go of what it holds in turn, waits by vm_fault_wait(), and faults again.
 *
 *	do {
 *		rv = vm_fault(map, va, type, &fw, NULL);
 *		if (rv == KERN_RESTART)
 *			rv = vm_fault_wait(&fw);	(KERN_RESTART: again)
 *	} while (rv == KERN_RESTART);
 *
 * (McKusick et al., chapter 6.11, demand paging.)
 */
#ifndef BSDVM_VM_FAULT_H
#define BSDVM_VM_FAULT_H

#include "vm_map.h"

/* What a fault waits for. */
#define VM_FAULT_WAIT_NONE	0
#define VM_FAULT_WAIT_BUSY	1	/* a page is busied by somebody else */
#define VM_FAULT_WAIT_MEMORY	2	/* no page is free */
#define VM_FAULT_WAIT_USER	3	/* none for this user */
#define VM_FAULT_WAIT_PAGEIN	4	/* the page must be brought in by its pager */
#define VM_FAULT_WAIT_POPULATE	5	/* the pager has pages of its own to put there */
#define VM_FAULT_WAIT_PREPARE	6	/* the pager must know of the store before */

/* Pages a page-in brings at once, a power of two: as a rule, and the most. */
#define VM_FAULT_READ_DEFAULT	16
#define VM_FAULT_READ_MAX	32

/**
 * struct vm_fault_wait - what a fault that said KERN_RESTART waits for
 * @what: VM_FAULT_WAIT_*
 * @restarts: how often the fault has been restarted; zero it before the first
 * @shortages: how often it was short of memory while there were pages; likewise
 * @patient: set it when the waiting hinders nobody: no lock is held
 * @md: what the machine's side knows of the slot of the address, for pmap_enter_at();
 *	or NULL
 * @count: pages of @ma
 * @req: which of them is needed
 * @ma: the page somebody else has busied; or the pages to bring in, busied by us,
 *	in order of pindex; or the page to be stored to, wired
 * @user: for VM_FAULT_WAIT_USER: who has as many pages as he may have
 * @object: referenced, from VM_FAULT_WAIT_PAGEIN on: the object of the pages
 * @pindex: which page, for VM_FAULT_WAIT_POPULATE
 */
struct vm_fault_wait {
	unsigned int what;
	unsigned int restarts;
	unsigned int shortages;
	bool patient;
	void *md;
	unsigned int count;
	unsigned int req;
	struct vm_user *user;
	struct vm_page *ma[VM_FAULT_READ_MAX];
	struct vm_object *object;
	vm_pindex_t pindex;
};

/**
 * vm_fault_wait_init() - before the first pass over a fault
 * @fw: what to make ready; nobody reads the rest before it is written
 * @md: see vm_fault_wait.md
 */
static inline void vm_fault_wait_init(struct vm_fault_wait *fw, void *md)
{
	fw->restarts = 0;
	fw->shortages = 0;
	fw->patient = false;
	fw->md = md;
}

/**
 * vm_fault() - one pass over a fault
 * @map: the map
 * @vaddr: the address
 * @fault_type: VM_PROT_* of the access, not zero; VM_PROT_COPY beside it: the page
 *	must become the entry's own, whether or not it may be written
 * @fw: where it says what to wait for
 * @m_hold: NULL, or where the page goes, wired
 *
 * Context: process, may sleep for kernel memory; page tables of @map stand still.
 * Return: KERN_SUCCESS: mapped; KERN_RESTART: vm_fault_wait() must be called;
 * KERN_INVALID_ADDRESS: nothing mapped there; KERN_PROTECTION_FAILURE;
 * KERN_OUT_OF_BOUNDS: behind the end of the file; KERN_RESOURCE_SHORTAGE: no
 * kernel memory.
 */
int vm_fault(struct vm_map *map, vm_offset_t vaddr, vm_prot_t fault_type,
	     struct vm_fault_wait *fw, struct vm_page **m_hold);

/**
 * vm_fault_wait() - wait for what vm_fault() said
 * @fw: as vm_fault() left it
 *
 * Context: process, may sleep and do I/O, killably; no VM lock held, best no
 * address-space lock either.
 * Return: KERN_RESTART: fault again; KERN_OUT_OF_BOUNDS: the pager could not
 * bring the page in; KERN_RESOURCE_SHORTAGE: no page came free in the time that
 * vm.pfault_oom_attempts and vm.pfault_oom_wait give; KERN_FAILURE: a fatal
 * signal.
 */
int vm_fault_wait(struct vm_fault_wait *fw);

/**
 * vm_fault_prefault() - map resident pages around an address, without sleeping
 * @map: the map
 * @vaddr: the address
 * @fault_type: VM_PROT_* of the access, no VM_PROT_WRITE
 *
 * Serves the fault itself when its page is among them.
 *
 * Context: any that may take a spinlock, RCU included; page tables stand still.
 * Return: true when @vaddr is mapped now.
 */
bool vm_fault_prefault(struct vm_map *map, vm_offset_t vaddr,
		       vm_prot_t fault_type);

/**
 * vm_fault_wire() - bring a page in and wire it, for vm_map_wire()
 * @map: the map
 * @va: the address
 * @prot: protection of the entry
 * @copy: the page must become the entry's own
 *
 * Context: process, may sleep and do I/O; no lock held.
 * Return: KERN_SUCCESS; KERN_FAILURE on a fatal signal; what vm_fault() and
 * vm_fault_wait() say.
 */
int vm_fault_wire(struct vm_map *map, vm_offset_t va, vm_prot_t prot, bool copy);

/**
 * vm_fault_willneed() - map what is resident of a range
 * @map: the map
 * @start: first address, page aligned
 * @end: address behind the last
 *
 * Starts no I/O.
 *
 * Context: process, may sleep; page tables pinned; takes the lock of @map.
 */
void vm_fault_willneed(struct vm_map *map, vm_offset_t start, vm_offset_t end);

#endif /* BSDVM_VM_FAULT_H */
