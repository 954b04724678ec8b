// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * devmem: physical ranges, by a descriptor of /dev/mem.
 *
 * The device is Linux's, which opens it to whom it may; we offer what lies behind it
 * to mmap: an offset is a physical address. Never memory of the machine, which has
 * other owners, and above the first megabyte nothing that a driver has claimed. That
 * is as strict as Linux is with CONFIG_IO_STRICT_DEVMEM, whatever it was built with.
 * But what was mapped before a driver claims it, or memory is plugged in there, stays
 * mapped: nobody tells us.
 */
#include "devmem.h"

#include <linux/capability.h>
#include <linux/err.h>
#include <linux/ioport.h>
#include <linux/kdev_t.h>
#include <linux/major.h>
#include <linux/mm.h>
#include <linux/sizes.h>

#include "bsdvm_cdev.h"

/* Minor of /dev/mem, a number every Linux shares. */
#define DEVMEM_MINOR	1

static struct cdev_pager *devmem_cdev;

static int devmem_mmap(void *drv, u64 offset, u64 size)
{
	return capable(CAP_SYS_RAWIO) ? 0 : -EPERM;
}

static int devmem_claimed(struct resource *res, void *arg)
{
	return 1;
}

static int devmem_fault(void *drv, u64 offset, phys_addr_t *paddr, unsigned int *memattr)
{
	/* Mixed is not disjoint either. */
	if (region_intersects(offset, PAGE_SIZE, IORESOURCE_SYSTEM_RAM, IORES_DESC_NONE) !=
	    REGION_DISJOINT)
		return -EINVAL;
	if (offset >= SZ_1M &&
	    walk_iomem_res_desc(IORES_DESC_NONE, IORESOURCE_MEM | IORESOURCE_BUSY, offset,
				offset + PAGE_SIZE - 1, NULL, devmem_claimed) == 1)
		return -EINVAL;
	*paddr = offset;
	return 0;
}

static const struct bsdvm_cdevsw devmem_cdevsw = {
	.mmap = devmem_mmap,
	.fault = devmem_fault,
};

int devmem_init(void)
{
	devmem_cdev = bsdvm_cdev_register(MKDEV(MEM_MAJOR, DEVMEM_MINOR), &devmem_cdevsw, NULL);
	return PTR_ERR_OR_ZERO(devmem_cdev);
}

void devmem_fini(void)
{
	bsdvm_cdev_unregister(devmem_cdev);
}
