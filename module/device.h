/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * device: /dev/bsdvm.
 */
#ifndef BSDVM_DEVICE_H
#define BSDVM_DEVICE_H

/**
 * device_init() - make /dev/bsdvm
 *
 * Everything else must be ready.
 *
 * Context: module load.
 * Return: 0 or a negative errno.
 */
int device_init(void);

/**
 * device_fini() - take /dev/bsdvm away; nobody has it open
 *
 * Context: module unload.
 */
void device_fini(void);

#endif /* BSDVM_DEVICE_H */
