/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * What bsdvm_bench.ko can be asked: to time one of the kernel's allocators, Linux's or
 * bsdvm's, in a loop of its own.
 */
#ifndef BSDVM_BENCH_H
#define BSDVM_BENCH_H

#include <linux/ioctl.h>
#include <linux/types.h>

#define BENCH_PATH	"/dev/bsdvm_bench"

enum bench_work {
	BENCH_ZONE_PAIRS,	/* an item of a zone, freed at once */
	BENCH_ZONE_MANY,	/* a sample's items, all of them there at the same time */
	BENCH_ZONE_COLD,	/* the same when nothing free was kept */
	BENCH_MALLOC_PAIRS,	/* memory of any size, freed at once */
	BENCH_KMEM_PAIRS,	/* mapped memory full of zeroes, freed at once */
	BENCH_WORKS,
};

enum bench_peer {
	BENCH_LINUX,
	BENCH_BSDVM,
	BENCH_PEERS,
};

/* What is larger fails with EINVAL, as does an item smaller than a pointer. */
#define BENCH_ITEM_MAX		4096
#define BENCH_SIZE_MAX		(1024 * 1024)
#define BENCH_BATCH_MAX		4096
#define BENCH_SAMPLES_MAX	16384

/**
 * struct bench_run - a loop
 * @work: enum bench_work
 * @peer: enum bench_peer
 * @size: bytes of each allocation
 * @batch: allocations of a sample
 * @samples: how many samples
 * @reserved: 0
 * @buf: address of the samples, __u64 each: ticks of rdtsc for the batch
 */
struct bench_run {
	__u32 work;
	__u32 peer;
	__u32 size;
	__u32 batch;
	__u32 samples;
	__u32 reserved;
	__u64 buf;
};

/**
 * struct bench_sizes - what stands beside each page, bytes
 * @page: a struct page of Linux, for each page of memory
 * @vm_page: a struct vm_page, for each page of the pool
 */
struct bench_sizes {
	__u64 page;
	__u64 vm_page;
};

#define BENCH_RUN	_IOW('b', 0, struct bench_run)
#define BENCH_SIZES	_IOR('b', 1, struct bench_sizes)
/* All zones of bsdvm's give back what is free. */
#define BENCH_RECLAIM	_IO('b', 2)

#endif /* BSDVM_BENCH_H */
