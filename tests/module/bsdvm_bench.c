// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Times the kernel's allocators, Linux's and bsdvm's, in the same loops.
 *
 * A loop is compiled for each allocator, so that what is timed are the calls that any
 * other module would make, functions in line included. How large an allocation is comes
 * from user space: no compiler picks kmalloc()'s cache. The loops run as a system call
 * does, preemptible and with interrupts on.
 */
#include <linux/err.h>
#include <linux/fs.h>
#include <linux/miscdevice.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <linux/vmalloc.h>
#include <asm/msr.h>

#include "bsdvm_bench.h"
#include "vm/malloc.h"
#include "vm/uma.h"
#include "vm/vm_kern.h"

MALLOC_DECLARE(M_BENCH);
MALLOC_DEFINE(M_BENCH, "bench", "What a benchmark allocates");

/**
 * struct bench - a loop that runs
 * @size: bytes of each allocation
 * @batch: allocations of a sample
 * @cache: Linux's items, while the loop is about some
 * @zone: bsdvm's
 * @items: of a sample, for loops that have them all at once
 */
struct bench {
	size_t size;
	unsigned int batch;
	struct kmem_cache *cache;
	struct uma_zone *zone;
	void **items;
};

/* --- the allocators */

static __always_inline void *linux_item_alloc(const struct bench *bench)
{
	return kmem_cache_alloc(bench->cache, GFP_KERNEL);
}

static __always_inline void linux_item_free(const struct bench *bench, void *item)
{
	kmem_cache_free(bench->cache, item);
}

static __always_inline void *bsdvm_item_alloc(const struct bench *bench)
{
	return uma_zalloc(bench->zone, M_WAITOK);
}

static __always_inline void bsdvm_item_free(const struct bench *bench, void *item)
{
	uma_zfree(bench->zone, item);
}

static __always_inline void *linux_malloc(const struct bench *bench)
{
	return kmalloc(bench->size, GFP_KERNEL);
}

static __always_inline void linux_free(const struct bench *bench, void *mem)
{
	kfree(mem);
}

static __always_inline void *bsdvm_malloc(const struct bench *bench)
{
	return malloc(bench->size, M_BENCH, M_WAITOK);
}

static __always_inline void bsdvm_free(const struct bench *bench, void *mem)
{
	free(mem, M_BENCH);
}

static __always_inline void *linux_kmem_alloc(const struct bench *bench)
{
	return vzalloc(bench->size);
}

static __always_inline void linux_kmem_free(const struct bench *bench, void *mem)
{
	vfree(mem);
}

static __always_inline void *bsdvm_kmem_alloc(const struct bench *bench)
{
	return (void *)kmem_alloc(kernel_map, bench->size, M_ZERO);
}

static __always_inline void bsdvm_kmem_free(const struct bench *bench, void *mem)
{
	kmem_free(kernel_map, (vm_offset_t)mem, bench->size);
}

/* --- a sample: ticks, or 0 when there was no memory */

static __always_inline u64 time_pairs(const struct bench *bench,
				      void *(*take)(const struct bench *),
				      void (*give)(const struct bench *, void *))
{
	u64 start = rdtsc();
	unsigned int i;

	for (i = 0; i < bench->batch; i++) {
		void *mem = take(bench);

		if (unlikely(!mem))
			return 0;
		give(bench, mem);
	}
	return rdtsc() - start;
}

/* They are freed in the order in which they were allocated. */
static __always_inline u64 time_many(const struct bench *bench,
				     void *(*take)(const struct bench *),
				     void (*give)(const struct bench *, void *))
{
	u64 start = rdtsc();
	unsigned int i, n;

	for (n = 0; n < bench->batch; n++) {
		bench->items[n] = take(bench);
		if (unlikely(!bench->items[n]))
			break;
	}
	for (i = 0; i < n; i++)
		give(bench, bench->items[i]);
	return n == bench->batch ? rdtsc() - start : 0;
}

static noinline u64 linux_item_pairs(const struct bench *bench)
{
	return time_pairs(bench, linux_item_alloc, linux_item_free);
}

static noinline u64 bsdvm_item_pairs(const struct bench *bench)
{
	return time_pairs(bench, bsdvm_item_alloc, bsdvm_item_free);
}

static noinline u64 linux_item_many(const struct bench *bench)
{
	return time_many(bench, linux_item_alloc, linux_item_free);
}

static noinline u64 bsdvm_item_many(const struct bench *bench)
{
	return time_many(bench, bsdvm_item_alloc, bsdvm_item_free);
}

static noinline u64 linux_item_cold(const struct bench *bench)
{
	kmem_cache_shrink(bench->cache);
	return time_many(bench, linux_item_alloc, linux_item_free);
}

static noinline u64 bsdvm_item_cold(const struct bench *bench)
{
	uma_zone_reclaim(bench->zone, UMA_RECLAIM_DRAIN_CPU);
	return time_many(bench, bsdvm_item_alloc, bsdvm_item_free);
}

static noinline u64 linux_malloc_pairs(const struct bench *bench)
{
	return time_pairs(bench, linux_malloc, linux_free);
}

static noinline u64 bsdvm_malloc_pairs(const struct bench *bench)
{
	return time_pairs(bench, bsdvm_malloc, bsdvm_free);
}

static noinline u64 linux_kmem_pairs(const struct bench *bench)
{
	return time_pairs(bench, linux_kmem_alloc, linux_kmem_free);
}

static noinline u64 bsdvm_kmem_pairs(const struct bench *bench)
{
	return time_pairs(bench, bsdvm_kmem_alloc, bsdvm_kmem_free);
}

static u64 (*const bench_works[BENCH_WORKS][BENCH_PEERS])(const struct bench *bench) = {
	[BENCH_ZONE_PAIRS] = { linux_item_pairs, bsdvm_item_pairs },
	[BENCH_ZONE_MANY] = { linux_item_many, bsdvm_item_many },
	[BENCH_ZONE_COLD] = { linux_item_cold, bsdvm_item_cold },
	[BENCH_MALLOC_PAIRS] = { linux_malloc_pairs, bsdvm_malloc_pairs },
	[BENCH_KMEM_PAIRS] = { linux_kmem_pairs, bsdvm_kmem_pairs },
};

/* --- a run */

static void bench_end(struct bench *bench)
{
	kmem_cache_destroy(bench->cache);
	uma_zdestroy(bench->zone);
	kvfree(bench->items);
}

static int bench_begin_items(struct bench *bench)
{
	/* A cache that user memory may be copied to is one by itself: it is not merged. */
	bench->cache = kmem_cache_create_usercopy("bsdvm_bench", bench->size, sizeof(void *), 0,
						  0, bench->size, NULL);
	bench->zone = uma_zcreate("bench", bench->size, NULL, NULL, NULL, NULL, UMA_ALIGN_PTR, 0);
	bench->items = kvcalloc(bench->batch, sizeof(*bench->items), GFP_KERNEL);
	if (bench->cache && bench->zone && bench->items)
		return 0;
	bench_end(bench);
	return -ENOMEM;
}

static bool bench_has_items(const struct bench_run *run)
{
	return run->work <= BENCH_ZONE_COLD;
}

static int bench_begin(struct bench *bench, const struct bench_run *run)
{
	*bench = (struct bench){ .size = run->size, .batch = run->batch };
	return bench_has_items(run) ? bench_begin_items(bench) : 0;
}

static int bench_sample(const struct bench *bench, const struct bench_run *run, u64 *samples)
{
	unsigned int i;

	for (i = 0; i < run->samples; i++) {
		samples[i] = bench_works[run->work][run->peer](bench);
		if (!samples[i])
			return -ENOMEM;
		if (fatal_signal_pending(current))
			return -EINTR;
		cond_resched();
	}
	return 0;
}

static bool bench_valid(const struct bench_run *run)
{
	const u32 min = bench_has_items(run) ? sizeof(void *) : 1;
	const u32 max = bench_has_items(run) ? BENCH_ITEM_MAX : BENCH_SIZE_MAX;

	return run->work < BENCH_WORKS && run->peer < BENCH_PEERS && !run->reserved &&
	       run->size >= min && run->size <= max &&
	       run->batch && run->batch <= BENCH_BATCH_MAX &&
	       run->samples && run->samples <= BENCH_SAMPLES_MAX;
}

static int bench_run(const struct bench_run __user *arg)
{
	struct bench_run run;
	struct bench bench;
	size_t len;
	u64 *samples;
	int ret;

	if (copy_from_user(&run, arg, sizeof(run)))
		return -EFAULT;
	if (!bench_valid(&run))
		return -EINVAL;
	len = run.samples * sizeof(*samples);
	samples = kvzalloc(len, GFP_KERNEL);
	if (!samples)
		return -ENOMEM;
	ret = bench_begin(&bench, &run);
	if (ret)
		goto free_samples;
	ret = bench_sample(&bench, &run, samples);
	bench_end(&bench);
	if (!ret && copy_to_user(u64_to_user_ptr(run.buf), samples, len))
		ret = -EFAULT;

free_samples:
	kvfree(samples);
	return ret;
}

static int bench_sizes(struct bench_sizes __user *arg)
{
	const struct bench_sizes sizes = {
		.page = sizeof(struct page),
		.vm_page = sizeof(struct vm_page),
	};

	return copy_to_user(arg, &sizes, sizeof(sizes)) ? -EFAULT : 0;
}

/* Two loops at once would be about each other; and a cache's name is taken. */
static DEFINE_MUTEX(bench_lock);

static long bench_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	void __user *argp = (void __user *)arg;
	long ret;

	switch (cmd) {
	case BENCH_RUN:
		if (mutex_lock_interruptible(&bench_lock))
			return -EINTR;
		ret = bench_run(argp);
		mutex_unlock(&bench_lock);
		return ret;
	case BENCH_SIZES:
		return bench_sizes(argp);
	case BENCH_RECLAIM:
		uma_reclaim(UMA_RECLAIM_DRAIN_CPU);
		return 0;
	default:
		return -ENOTTY;
	}
}

static const struct file_operations bench_fops = {
	.owner = THIS_MODULE,
	.unlocked_ioctl = bench_ioctl,
};

static struct miscdevice bench_device = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "bsdvm_bench",
	.mode = 0600,
	.fops = &bench_fops,
};

static int __init bench_init(void)
{
	return misc_register(&bench_device);
}

static void __exit bench_exit(void)
{
	misc_deregister(&bench_device);
	malloc_uninit(M_BENCH);
}

module_init(bench_init);
module_exit(bench_exit);

MODULE_AUTHOR("The bsdvm authors");
MODULE_DESCRIPTION("Benchmarks of the kernel's allocators");
MODULE_LICENSE("Dual BSD/GPL");
MODULE_IMPORT_NS(BSDVM);
