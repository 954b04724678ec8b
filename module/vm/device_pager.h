/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * device_pager: objects that are the memory of a device.
 *
 * What a driver may call is in bsdvm_cdev.h.
 *
 * (McKusick et al., chapter 6.10, the device pager.)
 */
#ifndef BSDVM_DEVICE_PAGER_H
#define BSDVM_DEVICE_PAGER_H

#include "vm_object.h"

/**
 * device_pager_init() - register the pager
 *
 * Context: start-up only.
 */
void device_pager_init(void);

/**
 * device_pager_fini() - undo device_pager_init(); every device's object is gone
 *
 * Context: shut-down only.
 */
void device_pager_fini(void);

/**
 * cdev_pager_known() - does a driver offer the memory of a device?
 * @dev: number of the character device
 *
 * Context: process, may sleep.
 * Return: true from bsdvm_cdev_register() to bsdvm_cdev_unregister().
 */
bool cdev_pager_known(dev_t dev);

/**
 * cdev_pager_allocate() - the object of a device
 * @dev: number of the character device
 * @offset: first byte that will be mapped, page aligned
 * @size: bytes that will be mapped, page aligned
 * @object: where the object goes, with one reference for the caller
 *
 * One object a device, whoever maps what of it.
 *
 * Context: process, may sleep, no VM lock held.
 * Return: 0; -ENODEV where nobody offers it; -ENXIO when it has been withdrawn;
 * -EINVAL when not all of the range is the device's; what else the driver
 * answered; -EINTR; -ENOMEM.
 */
int cdev_pager_allocate(dev_t dev, vm_ooffset_t offset, vm_size_t size,
			struct vm_object **object);

#endif /* BSDVM_DEVICE_PAGER_H */
