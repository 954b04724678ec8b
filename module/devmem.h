/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * devmem: what is mapped of /dev/mem.
 */
#ifndef BSDVM_DEVMEM_H
#define BSDVM_DEVMEM_H

/**
 * devmem_init() - let physical ranges be mapped
 *
 * Context: start-up only.
 * Return: 0, -ENOMEM.
 */
int devmem_init(void);

/**
 * devmem_fini() - undo devmem_init()
 *
 * Context: shut-down only.
 */
void devmem_fini(void);

#endif /* BSDVM_DEVMEM_H */
