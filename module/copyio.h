/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * copyio: between kernel memory and the calling process's.
 */
#ifndef BSDVM_COPYIO_H
#define BSDVM_COPYIO_H

#include <linux/types.h>

/**
 * copyio_init() - tell vm_kern how user memory is reached
 *
 * Context: module load.
 */
void copyio_init(void);

/**
 * copyio_fini() - undo copyio_init()
 *
 * Context: module unload; nobody uses the device any more.
 */
void copyio_fini(void);

/**
 * struct copyio_stage - an answer of any length on its way to a process
 * @uaddr: where in the process's memory it goes
 * @kva: memory of exec_map, 0 when what is answered goes out at once
 * @size: bytes there
 * @used: bytes of them that are filled
 *
 * A long answer is gathered in pageable kernel memory and copied out in large
 * pieces, so that neither wired memory nor a lock waits for the process. Where there
 * is no such memory it goes out in the pieces that it comes in.
 */
struct copyio_stage {
	u64 uaddr;
	u64 kva;
	size_t size;
	size_t used;
};

/**
 * copyio_stage_begin() - begin an answer
 * @stage: it
 * @uaddr: where it goes
 * @len: bytes it may have
 *
 * Context: process, sleeps killably while others have all of exec_map.
 * Return: 0; -EINTR on a fatal signal, and there is nothing to end.
 */
int copyio_stage_begin(struct copyio_stage *stage, u64 uaddr, u64 len);

/**
 * copyio_stage_put() - go on with an answer
 * @stage: it
 * @buf: what comes next
 * @len: bytes
 *
 * Context: process, may sleep; no VM lock held.
 * Return: 0; -EFAULT, -EINTR on a fatal signal; -ENOMEM or -EIO where what was gathered
 * cannot be had back from swap.
 */
int copyio_stage_put(struct copyio_stage *stage, const void *buf, size_t len);

/**
 * copyio_stage_end() - finish an answer
 * @stage: it
 * @err: 0 to copy out what has not been yet; else what stopped it
 *
 * Context: process, may sleep; no VM lock held.
 * Return: @err; or as copyio_stage_put().
 */
int copyio_stage_end(struct copyio_stage *stage, int err);

#endif /* BSDVM_COPYIO_H */
