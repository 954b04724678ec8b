// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * copyio: between kernel memory and the calling process's.
 */
#include "copyio.h"

#include <linux/sched/signal.h>
#include <linux/uaccess.h>

#include "vm/vm_kern.h"

/* What is shorter goes out without being staged. */
#define COPYIO_STAGE_MIN	(16 * 1024)
/* What is longer is staged in parts. */
#define COPYIO_STAGE_MAX	(128 * 1024)

static unsigned long copyio_in(void *kaddr, u64 uaddr, size_t len)
{
	return copy_from_user(kaddr, u64_to_user_ptr(uaddr), len);
}

static unsigned long copyio_out(u64 uaddr, const void *kaddr, size_t len)
{
	return copy_to_user(u64_to_user_ptr(uaddr), kaddr, len);
}

static const struct kmem_user_ops copyio_ops = {
	.copyin = copyio_in,
	.copyout = copyio_out,
};

void copyio_init(void)
{
	kmem_user_register(&copyio_ops);
}

void copyio_fini(void)
{
	kmem_user_register(NULL);
}

int copyio_stage_begin(struct copyio_stage *stage, u64 uaddr, u64 len)
{
	*stage = (struct copyio_stage){ .uaddr = uaddr };
	if (len < COPYIO_STAGE_MIN)
		return 0;
	stage->size = min_t(u64, len, COPYIO_STAGE_MAX);
	/*
	 * Without room, memory or swap for it a long answer goes out as a short one does.
	 * Nobody waits for room: who has it may be waiting for a page of the user's.
	 */
	stage->kva = kmem_alloc_pageable(exec_map, stage->size);
	return 0;
}

static int copyio_stage_flush(struct copyio_stage *stage)
{
	int ret = kmem_copyout(exec_map, stage->kva, stage->uaddr, stage->used);

	if (!ret) {
		stage->uaddr += stage->used;
		stage->used = 0;
	}
	return ret;
}

static void copyio_stage_free(struct copyio_stage *stage)
{
	WARN_ON(kmem_free_wakeup(exec_map, stage->kva, stage->size) != KERN_SUCCESS);
	stage->kva = 0;
}

static int copyio_put_direct(struct copyio_stage *stage, const void *buf, size_t len)
{
	if (copy_to_user(u64_to_user_ptr(stage->uaddr), buf, len))
		return -EFAULT;
	stage->uaddr += len;
	return 0;
}

/* Put what there is room for; answers how much. */
static ssize_t copyio_put_staged(struct copyio_stage *stage, const void *buf, size_t len)
{
	size_t count = min(len, stage->size - stage->used);
	int ret = kmem_write(exec_map, stage->kva + stage->used, buf, count);

	if (!ret) {
		stage->used += count;
		if (stage->used == stage->size)
			ret = copyio_stage_flush(stage);
	} else if (ret == -ENOMEM) {
		/* No page for us: the rest goes out as a short answer does. */
		ret = copyio_stage_flush(stage);
		if (!ret)
			copyio_stage_free(stage);
		count = 0;
	}
	return ret ?: count;
}

int copyio_stage_put(struct copyio_stage *stage, const void *buf, size_t len)
{
	ssize_t count;

	for (; stage->kva && len; len -= count, buf += count) {
		count = copyio_put_staged(stage, buf, len);
		if (count < 0)
			return count;
	}
	return len ? copyio_put_direct(stage, buf, len) : 0;
}

int copyio_stage_end(struct copyio_stage *stage, int err)
{
	if (!stage->kva)
		return err;
	if (!err && stage->used)
		err = copyio_stage_flush(stage);
	copyio_stage_free(stage);
	return err;
}
