/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * bsdvm_cdev: how a driver offers its memory to the processes of bsdvm.
 *
 * A driver that has a character device registers functions for its device number.
 * Who may open the device may then map its memory into a window, by mmap in bsdvm's
 * sense on a descriptor of the device: shared, to read what was opened for reading
 * and to write what was opened for writing as well.
 *
 *	static const struct bsdvm_cdevsw my_cdevsw = { .fault = my_fault };
 *
 *	cdev = bsdvm_cdev_register(my_dev, &my_cdevsw, my_softc);
 *	...
 *	bsdvm_cdev_unregister(cdev);
 *
 * A frame that was named stays the driver's: bsdvm neither counts nor frees nor
 * pages it, and maps it until bsdvm_cdev_withdraw() or bsdvm_cdev_unregister() has
 * returned. Until then it must stay what it is. A module that uses this header
 * depends on bsdvm, so that bsdvm cannot be unloaded under it.
 */
#ifndef BSDVM_CDEV_H
#define BSDVM_CDEV_H

#include <linux/types.h>

struct cdev_pager;

/* How memory is cached; the numbers are x86's, for FreeBSD's vm_memattr_t. */
#define VM_MEMATTR_UNCACHEABLE		0
#define VM_MEMATTR_WRITE_COMBINING	1
#define VM_MEMATTR_WRITE_BACK		6

/**
 * struct bsdvm_cdevsw - what a driver answers
 * @mmap: may the calling process map bytes @offset to @offset + @size of the device?
 *	Asked at each mmap, beside what @fault says of each page. Return: 0, or the
 *	errno that mmap fails with, negative. NULL: whoever has a descriptor may.
 * @fault: which frame is at @offset, a multiple of the page size? *@paddr is its
 *	physical address. *@memattr is VM_MEMATTR_WRITE_BACK when the function is
 *	called; memory of the machine is always mapped so, and anything else never:
 *	there it means VM_MEMATTR_UNCACHEABLE, and VM_MEMATTR_WRITE_COMBINING is the
 *	choice. Must answer the same for the same @offset until the memory is
 *	withdrawn. Return: 0; a negative errno where the device has no memory.
 *
 * Both are called in the process that maps or touches the memory, may sleep, and
 * may not touch user memory, nor take a lock under which the driver touches some or
 * withdraws its memory. @drv is what bsdvm_cdev_register() was given.
 */
struct bsdvm_cdevsw {
	int (*mmap)(void *drv, u64 offset, u64 size);
	int (*fault)(void *drv, u64 offset, phys_addr_t *paddr,
		     unsigned int *memattr);
};

/**
 * bsdvm_cdev_register() - offer the memory of a character device
 * @dev: the number of the device
 * @csw: the driver's functions, which stay until bsdvm_cdev_unregister()
 * @drv: for them
 *
 * Context: process, may sleep.
 * Return: what the other functions want to see; ERR_PTR of -EBUSY where the number
 * is registered, of -ENOMEM.
 */
struct cdev_pager *bsdvm_cdev_register(dev_t dev, const struct bsdvm_cdevsw *csw,
				       void *drv);

/**
 * bsdvm_cdev_withdraw() - the memory is going away
 * @cdev: the device
 *
 * When it returns nothing of the memory is mapped anywhere, the driver's functions
 * run no more, and who touches what was mapped gets SIGBUS. From now on mmap of the
 * device fails with ENXIO. Done twice it does nothing.
 *
 * Context: process, may sleep; no lock held that a function of the driver takes.
 */
void bsdvm_cdev_withdraw(struct cdev_pager *cdev);

/**
 * bsdvm_cdev_unregister() - withdraw the memory, and forget the device
 * @cdev: the device, ERR_PTR or NULL
 *
 * Context: as bsdvm_cdev_withdraw().
 */
void bsdvm_cdev_unregister(struct cdev_pager *cdev);

#endif /* BSDVM_CDEV_H */
