// SPDX-License-Identifier: BSD-2-Clause
/*
 * The workloads. What is written is always one byte of a page, by one store
 * between two readings of the clock.
 */
#include <err.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <bsdvm.h>

#include "../module/bsdvm_bench.h"
#include "bench.h"

/* The operations of a run that a profile shows: from the middle on. */
#define PROFILE_OPS 256

/* 0 to n - 1 in an order that is random and always the same. */
static uint32_t *shuffled(size_t n)
{
	uint32_t *order = malloc(n * sizeof(*order)), other;
	uint64_t x = 88172645463325252;
	size_t i, j;

	if (!order)
		err(1, "malloc");
	for (i = 0; i < n; i++)
		order[i] = i;
	for (i = n - 1; i > 0; i--) {
		x ^= x << 13;
		x ^= x >> 7;
		x ^= x << 17;
		j = x % (i + 1);
		other = order[i];
		order[i] = order[j];
		order[j] = other;
	}
	return order;
}

static char *map(const struct peer *peer, size_t pages)
{
	return peer->map(pages * PAGE);
}

static void write_byte(char *p)
{
	*(volatile char *)p = 1;
}

static void write_all(char *mem, size_t pages)
{
	size_t i;

	for (i = 0; i < pages; i++)
		write_byte(mem + i * PAGE);
}

/* Write each page in this order, each by itself. */
static void write_sampled(struct run *run, char *mem, const uint32_t *order,
			  size_t pages)
{
	uint64_t start;
	size_t i;
	char *p;

	for (i = 0; i < pages; i++) {
		p = mem + order[i] * PAGE;
		if (i == pages / 2)
			profile_begin();
		start = ticks();
		write_byte(p);
		run->sample[i] = ticks() - start;
		if (i == pages / 2 + PROFILE_OPS - 1)
			profile_end();
	}
	run->nsamples = pages;
}

/* fork(2) a child that does nothing; how long it took is left in @cost. */
static pid_t fork_idle(uint64_t *cost)
{
	uint64_t start = ticks();
	pid_t pid = fork();

	if (!pid) {
		for (;;)
			pause();
	}
	*cost = ticks() - start;
	if (pid < 0)
		err(1, "fork");
	return pid;
}

/* Let a child come to its rest, so that it takes no part in what follows. */
static void let_rest(void)
{
	usleep(1000);
}

static void end_child(pid_t pid)
{
	kill(pid, SIGKILL);
	if (waitpid(pid, NULL, 0) != pid)
		err(1, "waitpid");
}

static void zero_fill_random(const struct row *row, const struct peer *peer,
			     struct run *run)
{
	uint32_t *order = shuffled(row->pages);
	char *mem = map(peer, row->pages);
	struct measurement m = measure_begin(peer, run);

	write_sampled(run, mem, order, row->pages);
	measure_end(peer, &m);
	measure_tail(&m);
}

/* The whole life of the memory is measured: map, write, unmap. */
static void zero_fill_sequential(const struct row *row, const struct peer *peer,
				 struct run *run)
{
	struct measurement m;
	char *mem;

	/* The first mapping makes the window. */
	peer->unmap(map(peer, 1), PAGE);
	m = measure_begin(peer, run);
	profile_begin();
	mem = map(peer, row->pages);
	write_all(mem, row->pages);
	peer->unmap(mem, row->pages * PAGE);
	profile_end();
	measure_end(peer, &m);
	measure_tail(&m);
}

static void cow_random(const struct row *row, const struct peer *peer,
		       struct run *run)
{
	uint32_t *order = shuffled(row->pages);
	char *mem = map(peer, row->pages);
	struct measurement m;
	uint64_t cost;
	pid_t child;

	write_all(mem, row->pages);
	child = fork_idle(&cost);
	let_rest();
	m = measure_begin(peer, run);
	write_sampled(run, mem, order, row->pages);
	measure_end(peer, &m);
	measure_tail(&m);
	end_child(child);
}

static int compare(const void *a, const void *b)
{
	const uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

/* What fork(2) costs this process as it is. */
static uint64_t fork_cost(void)
{
	uint64_t cost[5];
	pid_t child;
	size_t i;

	for (i = 0; i < 5; i++) {
		child = fork_idle(&cost[i]);
		let_rest();
		end_child(child);
	}
	qsort(cost, 5, sizeof(cost[0]), compare);
	return cost[2];
}

static void fork_resident(const struct row *row, const struct peer *peer,
			  struct run *run)
{
	struct measurement m;
	pid_t child;
	char *mem;

	run->base = fork_cost();
	mem = map(peer, row->pages);
	write_all(mem, row->pages);
	m = measure_begin(peer, run);
	profile_begin();
	child = fork_idle(&run->sample[0]);
	profile_end();
	run->nsamples = 1;
	measure_end(peer, &m);
	let_rest();
	measure_tail(&m);
	end_child(child);
}

/* Random bytes, so that no store can make less of them. */
static void write_random(char *mem, size_t pages)
{
	uint64_t *word = (uint64_t *)mem, x = 2463534242;
	size_t i;

	for (i = 0; i < pages * PAGE / sizeof(*word); i++) {
		x ^= x << 13;
		x ^= x >> 7;
		x ^= x << 17;
		word[i] = x;
	}
}

static void page_out_native(char *mem, size_t pages)
{
	if (madvise(mem, pages * PAGE, MADV_PAGEOUT))
		err(1, "MADV_PAGEOUT");
}

static uint64_t free_pages(void)
{
	struct bsdvm_stats stats;

	if (bsdvm_stats(&stats))
		err(1, "bsdvm_stats");
	return stats.v_free_count;
}

/* Have all of the pool but @pages locked. */
static void lock_all_but(const struct peer *peer, size_t pages)
{
	const struct rlimit all = { RLIM_INFINITY, RLIM_INFINITY };
	const size_t hog = free_pages() - pages;

	if (setrlimit(RLIMIT_MEMLOCK, &all) ||
	    bsdvm_sysctl_set("vm.max_user_wired", hog + pages) ||
	    bsdvm_mlock(map(peer, hog), hog * PAGE))
		err(1, "%zu pages", hog);
}

/*
 * BSD has no advice that pages out: somebody else must want the memory. So all of the
 * pool but what the pages need, and some more, is locked; then as many pages again are
 * touched. What touching them costs when there is memory is not counted. That leaves
 * what the fault that waits costs, the daemon, and the writing. Native Linux is told by
 * MADV_PAGEOUT.
 */
static void press_out(const struct row *row, const struct peer *peer,
		      struct run *run)
{
	char *mem = map(peer, row->pages), *other;
	struct measurement m;

	other = map(peer, row->pages);
	m = measure_begin(peer, run);
	write_all(other, row->pages);
	measure_end(peer, &m);
	measure_tail(&m);
	run->base = run->total + run->tail;
	peer->unmap(other, row->pages * PAGE);

	lock_all_but(peer, 5 * row->pages / 4);
	write_random(mem, row->pages);
	other = map(peer, row->pages);
	m = measure_begin(peer, run);
	profile_begin();
	write_all(other, row->pages);
	profile_end();
	measure_end(peer, &m);
	measure_tail(&m);
	run->ops = run->counts.pages_out;
	/* What is to be paged in is not to wait for that of the others. */
	peer->unmap(other, row->pages * PAGE);
	/* Both peers read the same. */
	run->sample[0] = (uintptr_t)mem;
}

static char *out_native(const struct row *row, const struct peer *peer,
			struct run *run)
{
	char *mem = map(peer, row->pages);
	struct measurement m;

	write_random(mem, row->pages);
	m = measure_begin(peer, run);
	page_out_native(mem, row->pages);
	measure_end(peer, &m);
	measure_tail(&m);
	return mem;
}

static char *get_out(const struct row *row, const struct peer *peer,
		     struct run *run)
{
	char *mem;

	if (peer == &peer_native) {
		swap_begin();
		return out_native(row, peer, run);
	}
	press_out(row, peer, run);
	mem = (char *)(uintptr_t)run->sample[0];
	return mem;
}

static void page_out(const struct row *row, const struct peer *peer,
		     struct run *run)
{
	get_out(row, peer, run);
	if (peer == &peer_native)
		swap_end();
}

static void page_in(const struct row *row, const struct peer *peer,
		    struct run *run, const uint32_t *order)
{
	char *mem = get_out(row, peer, run);
	struct measurement m;
	uint64_t sum = 0;
	size_t i;

	run->base = 0;
	m = measure_begin(peer, run);
	profile_begin();
	for (i = 0; i < row->pages; i++)
		sum += *(volatile char *)(mem + (order ? order[i] : i) * PAGE);
	profile_end();
	measure_end(peer, &m);
	measure_tail(&m);
	run->ops = peer == &peer_native ? row->pages : run->counts.pages_in;
	if (peer == &peer_native)
		swap_end();
}

static void page_in_sequential(const struct row *row, const struct peer *peer,
			       struct run *run)
{
	page_in(row, peer, run, NULL);
}

static void page_in_scattered(const struct row *row, const struct peer *peer,
			      struct run *run)
{
	page_in(row, peer, run, shuffled(row->pages));
}

/*
 * The file is mapped and resident, and has been written and synced before, so that it
 * is only the dirty pages that make a difference.
 */
static void sync_file(const struct row *row, const struct peer *peer,
		      struct run *run, size_t dirty)
{
	int fd = disk_file(row->pages);
	char *mem = peer->map_file(fd, row->pages * PAGE);
	struct measurement m;
	uint64_t start;
	size_t i;

	write_all(mem, row->pages);
	peer->sync(mem, row->pages * PAGE);
	for (i = 0; i < dirty; i++)
		write_byte(mem + i * (row->pages / dirty) * PAGE);
	m = measure_begin(peer, run);
	profile_begin();
	start = ticks();
	peer->sync(mem, row->pages * PAGE);
	run->sample[0] = ticks() - start;
	profile_end();
	run->nsamples = 1;
	measure_end(peer, &m);
	measure_tail(&m);
	peer->unmap(mem, row->pages * PAGE);
	disk_end(fd);
}

static void sync_0(const struct row *row, const struct peer *peer,
		   struct run *run)
{
	sync_file(row, peer, run, 0);
}

static void sync_1(const struct row *row, const struct peer *peer,
		   struct run *run)
{
	sync_file(row, peer, run, 1);
}

static void sync_256(const struct row *row, const struct peer *peer,
		     struct run *run)
{
	sync_file(row, peer, run, 256);
}

static void sync_4096(const struct row *row, const struct peer *peer,
		      struct run *run)
{
	sync_file(row, peer, run, 4096);
}

/* As many entries as pages: no two neighbours have the same protection. */
static void make_entries(const struct peer *peer, char *mem, size_t pages)
{
	size_t i;

	for (i = 1; i < pages; i += 2)
		peer->read_only(mem + i * PAGE, PAGE);
}

/* Let a process have so many entries. */
static void allow_entries(size_t n)
{
	FILE *file = fopen("/proc/sys/vm/max_map_count", "w");

	if (!file || fprintf(file, "%zu", n) < 0 || fclose(file))
		err(1, "max_map_count");
}

static void entry_bytes(const struct row *row, const struct peer *peer,
			struct run *run)
{
	char *mem = map(peer, row->pages);
	uint64_t before;
	struct measurement m;

	allow_entries(2 * row->pages);
	before = kernel_bytes(peer);
	m = measure_begin(peer, run);
	profile_begin();
	make_entries(peer, mem, row->pages);
	profile_end();
	measure_end(peer, &m);
	measure_tail(&m);
	run->bytes = kernel_bytes(peer) - before;
}

static void resident_bytes(const struct row *row, const struct peer *peer,
			   struct run *run)
{
	char *mem = map(peer, row->pages);
	uint64_t before = kernel_bytes(peer);
	struct measurement m = measure_begin(peer, run);

	profile_begin();
	write_all(mem, row->pages);
	profile_end();
	measure_end(peer, &m);
	measure_tail(&m);
	run->bytes =
		kernel_bytes(peer) - before + row->pages * page_bytes(peer);
}

const struct row rows[] = {
	{
		.number = 1,
		.name = "zero-fill, random order",
		.unit = "fault",
		.metric = METRIC_P50,
		.pages = 16384,
		.runs = 3,
		.target = 0.80,
		.stretch = 0.70,
		.work = zero_fill_random,
	},
	{
		.number = 2,
		.name = "zero-fill, in order, unmap",
		.unit = "page",
		.metric = METRIC_MEAN,
		.pages = 16384,
		.runs = 5,
		.target = 0.30,
		.stretch = 0.20,
		.work = zero_fill_sequential,
	},
	{
		.number = 4,
		.name = "copy-on-write, random order",
		.unit = "fault",
		.metric = METRIC_P50,
		.pages = 4096,
		.runs = 3,
		.target = 0.55,
		.stretch = 0.45,
		.work = cow_random,
	},
	{
		.number = 6,
		.name = "fork of 1 GiB resident",
		.unit = "fork",
		.metric = METRIC_TOTAL,
		.pages = 262144,
		.runs = 3,
		.target = 0.08,
		.stretch = 0.015,
		.work = fork_resident,
	},
	{
		.number = 14,
		.name = "page-out, 32 MiB dirty",
		.unit = "page",
		.metric = METRIC_NET,
		.pages = 8192,
		.runs = 1,
		.target = 0.30,
		.stretch = 0.15,
		.work = page_out,
	},
	{
		.number = 15,
		.part = "s",
		.name = "page-in, in order",
		.unit = "page",
		.metric = METRIC_NET,
		.pages = 8192,
		.runs = 1,
		.target = 0.30,
		.stretch = 0.15,
		.work = page_in_sequential,
	},
	{
		.number = 15,
		.part = "r",
		.name = "page-in, scattered",
		.unit = "page",
		.metric = METRIC_NET,
		.pages = 8192,
		.runs = 1,
		.target = 0.60,
		.stretch = 0.40,
		.work = page_in_scattered,
	},
	{
		.number = 16,
		.part = "a",
		.name = "msync, 0 dirty of 4096",
		.unit = "call",
		.metric = METRIC_TOTAL,
		.pages = 4096,
		.runs = 3,
		.target = 0.70,
		.stretch = 0.40,
		.work = sync_0,
	},
	{
		.number = 16,
		.part = "b",
		.name = "msync, 1 dirty of 4096",
		.unit = "call",
		.metric = METRIC_TOTAL,
		.pages = 4096,
		.runs = 3,
		.target = 0.70,
		.stretch = 0.40,
		.work = sync_1,
	},
	{
		.number = 16,
		.part = "c",
		.name = "msync, 256 dirty of 4096",
		.unit = "call",
		.metric = METRIC_TOTAL,
		.pages = 4096,
		.runs = 3,
		.target = 0.70,
		.stretch = 0.40,
		.work = sync_256,
	},
	{
		.number = 16,
		.part = "d",
		.name = "msync, 4096 dirty of 4096",
		.unit = "call",
		.metric = METRIC_TOTAL,
		.pages = 4096,
		.runs = 3,
		.target = 0.70,
		.stretch = 0.40,
		.work = sync_4096,
	},
	{
		.number = 22,
		.part = "a",
		.name = "item, alloc and free",
		.unit = "pair",
		.metric = METRIC_P50,
		.pages = 102400,
		.loop = BENCH_ZONE_PAIRS,
		.size = 192,
		.batch = 100,
		.runs = 3,
		.target = 1.0,
		.stretch = 0.5,
		.work = kernel_loop,
	},
	{
		.number = 22,
		.part = "b",
		.name = "1000 items, then 1000 freed",
		.unit = "pair",
		.metric = METRIC_P50,
		.pages = 64000,
		.loop = BENCH_ZONE_MANY,
		.size = 192,
		.batch = 1000,
		.runs = 3,
		.target = 1.0,
		.stretch = 0.7,
		.work = kernel_loop,
	},
	{
		.number = 22,
		.part = "c",
		.name = "the same, nothing kept",
		.unit = "pair",
		.metric = METRIC_P50,
		.pages = 64000,
		.loop = BENCH_ZONE_COLD,
		.size = 192,
		.batch = 1000,
		.runs = 3,
		.target = 1.0,
		.stretch = 0.7,
		.work = kernel_loop,
	},
	{
		.number = 23,
		.part = "a",
		.name = "malloc(9), 128 bytes",
		.unit = "pair",
		.metric = METRIC_P50,
		.pages = 102400,
		.loop = BENCH_MALLOC_PAIRS,
		.size = 128,
		.batch = 100,
		.runs = 3,
		.target = 1.0,
		.stretch = 0.7,
		.work = kernel_loop,
	},
	{
		.number = 23,
		.part = "b",
		.name = "malloc(9), 2000 bytes",
		.unit = "pair",
		.metric = METRIC_P50,
		.pages = 102400,
		.loop = BENCH_MALLOC_PAIRS,
		.size = 2000,
		.batch = 100,
		.runs = 3,
		.target = 1.0,
		.stretch = 0.7,
		.work = kernel_loop,
	},
	{
		.number = 23,
		.part = "c",
		.name = "malloc(9), 16 KiB",
		.unit = "pair",
		.metric = METRIC_P50,
		.pages = 2048,
		.loop = BENCH_MALLOC_PAIRS,
		.size = 16 * 1024,
		.batch = 1,
		.runs = 3,
		/* kmalloc() needs no translations. */
		.target = 1.5,
		.stretch = 1.0,
		.work = kernel_loop,
	},
	{
		.number = 24,
		.name = "kernel map, 64 KiB of zeroes",
		.unit = "pair",
		.metric = METRIC_NET,
		.pages = 2048,
		.loop = BENCH_KMEM_PAIRS,
		.size = 64 * 1024,
		.batch = 1,
		.runs = 3,
		.target = 1.0,
		.stretch = 0.7,
		.work = kernel_loop,
	},
	{
		.number = 25,
		.part = "a",
		.name = "records of a map entry",
		.unit = "entry",
		.metric = METRIC_BYTES,
		.pages = 50000,
		.runs = 3,
		.target = 1.0,
		.stretch = 0.7,
		.work = entry_bytes,
	},
	{
		.number = 25,
		.part = "b",
		.name = "records of a resident page",
		.unit = "page",
		.metric = METRIC_BYTES,
		.pages = 65536,
		.runs = 1,
		/* Linux keeps its record of a page beside ours. */
		.target = 2.25,
		.stretch = 2.0,
		.work = resident_bytes,
	},
};

const size_t nrows = sizeof(rows) / sizeof(rows[0]);
