/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * pool: the frames that the module takes from Linux for as long as it is loaded.
 */
#ifndef BSDVM_POOL_H
#define BSDVM_POOL_H

#include <linux/types.h>

/**
 * pool_reserve() - take frames from Linux and offer them to vm_phys
 * @bytes: how many bytes of them
 *
 * All or none. Never provokes Linux's OOM killer.
 *
 * Context: module load.
 * Return: 0, -ENOMEM.
 */
int pool_reserve(u64 bytes);

/**
 * pool_release() - give all frames back to Linux
 *
 * Nobody may use them any more. Harmless when pool_reserve() failed.
 *
 * Context: module unload.
 */
void pool_release(void);

/**
 * pool_bytes() - size of the pool
 *
 * Return: bytes.
 */
u64 pool_bytes(void);

#endif /* BSDVM_POOL_H */
