// SPDX-License-Identifier: BSD-2-Clause
/* Workloads that read and write what is behind the memory. */
#include <err.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include <bsdvm.h>

#include "work.h"

/* Free pages that nobody means to use: for tables and records. */
#define SPARE_PAGES 256

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

static struct bsdvm_stats stats_now(void)
{
	struct bsdvm_stats stats;

	if (bsdvm_stats(&stats))
		err(1, "bsdvm_stats");
	return stats;
}

/*
 * Have all of the pool locked but @pages and what the daemon wants to see free: until
 * more than these are used it has nothing to do.
 */
static void lock_all_but(const struct peer *peer, size_t pages)
{
	const struct rlimit all = { RLIM_INFINITY, RLIM_INFINITY };
	const struct bsdvm_stats stats = stats_now();
	const size_t hog = stats.v_free_count - stats.v_free_target - pages;

	if (setrlimit(RLIMIT_MEMLOCK, &all) ||
	    bsdvm_sysctl_set("vm.max_user_wired", hog + pages) ||
	    bsdvm_mlock(map(peer, hog), hog * PAGE))
		err(1, "%zu pages", hog);
}

/* A profile is of what the row is about, which may be what comes behind this. */
static void profile_out(const struct row *row, void (*mark)(void))
{
	if (row->work == page_out)
		mark();
}

/* The daemon goes on until enough is free; it is part of what this costs. */
static void wait_for_daemon(void)
{
	struct bsdvm_stats stats;
	unsigned int tries = 0;

	do {
		usleep(4 * 1000);
		stats = stats_now();
	} while (stats.v_free_count < stats.v_free_target && ++tries < 1000);
}

/*
 * BSD has no advice that pages out: somebody else must want the memory. So all of the
 * pool but what the pages need is locked; then @press pages are touched. What touching
 * them costs when there is memory is not counted. That leaves the daemon and the writing.
 * Native Linux is told by MADV_PAGEOUT.
 */
static void press_out(const struct row *row, const struct peer *peer,
		      struct run *run, size_t press)
{
	char *mem = map(peer, row->pages), *other;
	struct measurement m;

	other = map(peer, press);
	m = measure_begin(peer, run);
	write_all(other, press);
	measure_end(peer, &m);
	measure_tail(&m);
	run->base = run->total + run->tail;
	peer->unmap(other, press * PAGE);
	/* It is free a moment later. */
	usleep(100 * 1000);

	lock_all_but(peer, row->pages + SPARE_PAGES);
	write_random(mem, row->pages);
	other = map(peer, press);
	m = measure_begin(peer, run);
	profile_out(row, profile_begin);
	write_all(other, press);
	wait_for_daemon();
	profile_out(row, profile_end);
	measure_end(peer, &m);
	measure_tail(&m);
	run->ops = run->counts.pages_out;
	/* What is to be paged in is not to wait for that of the others. */
	peer->unmap(other, press * PAGE);
	/* The store gives back what it does not need any more a second later. */
	sleep(SETTLE_SECONDS);
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
	profile_out(row, profile_begin);
	page_out_native(mem, row->pages);
	profile_out(row, profile_end);
	measure_end(peer, &m);
	measure_tail(&m);
	return mem;
}

static char *get_out(const struct row *row, const struct peer *peer,
		     struct run *run, size_t press)
{
	char *mem;

	if (peer == &peer_native) {
		swap_begin();
		return out_native(row, peer, run);
	}
	press_out(row, peer, run, press);
	mem = (char *)(uintptr_t)run->sample[0];
	return mem;
}

void page_out(const struct row *row, const struct peer *peer, struct run *run)
{
	get_out(row, peer, run, row->pages);
	if (peer == &peer_native)
		swap_end();
}

static void page_in(const struct row *row, const struct peer *peer,
		    struct run *run, const uint32_t *order)
{
	/* More than the pages, so that all of them go. */
	char *mem = get_out(row, peer, run, 2 * row->pages);
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

void page_in_sequential(const struct row *row, const struct peer *peer,
			struct run *run)
{
	page_in(row, peer, run, NULL);
}

void page_in_scattered(const struct row *row, const struct peer *peer,
		       struct run *run)
{
	page_in(row, peer, run, shuffled(row->pages));
}

/*
 * The file is mapped and resident, and has been written and synced before, so that it
 * is only the dirty pages that make a difference.
 */
void sync_file(const struct row *row, const struct peer *peer, struct run *run)
{
	int fd = disk_file(row->pages);
	char *mem = peer->map_file(fd, row->pages * PAGE);
	struct measurement m;
	uint64_t start;
	size_t i;

	write_all(mem, row->pages);
	peer->sync(mem, row->pages * PAGE);
	for (i = 0; i < row->n; i++)
		write_byte(mem + i * (row->pages / row->n) * PAGE);
	m = measure_begin(peer, run);
	profile_begin();
	start = busy_ticks();
	peer->sync(mem, row->pages * PAGE);
	run->sample[0] = busy_ticks() - start;
	profile_end();
	run->nsamples = 1;
	measure_end(peer, &m);
	measure_tail(&m);
	peer->unmap(mem, row->pages * PAGE);
	disk_end(fd);
}
