/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * swap_reserve: how much memory has been promised, and whether more may be.
 *
 * Private writable and shared anonymous memory is charged when it is mapped, not
 * when it is touched. vm.overcommit says whether promises are bounded.
 *
 * (FreeBSD's swap_reserve(), tuning(7) on vm.overcommit.)
 */
#ifndef BSDVM_SWAP_RESERVE_H
#define BSDVM_SWAP_RESERVE_H

#include "vm.h"

/* vm.overcommit */
#define SWAP_RESERVE_FORCE_ON	0x1	/* no more than there is swap */
#define SWAP_RESERVE_RLIMIT_ON	0x2	/* limit by user */
#define SWAP_RESERVE_ALLOW_NONWIRED 0x4	/* count the pool's pages as swap */

/**
 * swap_reserve() - promise memory
 * @incr: bytes, whole pages
 *
 * Context: any.
 * Return: false when vm.overcommit forbids it.
 */
bool swap_reserve(u64 incr);

/**
 * swap_reserve_force() - promise memory that must be promised
 * @incr: bytes, whole pages
 *
 * Context: any.
 */
void swap_reserve_force(u64 incr);

/**
 * swap_release() - take a promise back
 * @decr: bytes, whole pages
 *
 * Context: any.
 */
void swap_release(u64 decr);

/**
 * swap_reserved() - what is promised
 *
 * Return: bytes.
 */
u64 swap_reserved(void);

/**
 * swap_reserve_grow() - there is more swap
 * @pages: how many
 *
 * Context: any.
 */
void swap_reserve_grow(u64 pages);

/**
 * swap_reserve_shrink() - there is less swap
 * @pages: how many
 *
 * What has been promised stays so.
 *
 * Context: any.
 */
void swap_reserve_shrink(u64 pages);

/**
 * swap_total() - what may be promised while vm.overcommit enforces it
 *
 * Return: bytes.
 */
u64 swap_total(void);

/* Tunable: SWAP_RESERVE_*. */
extern unsigned int vm_overcommit;

#endif /* BSDVM_SWAP_RESERVE_H */
