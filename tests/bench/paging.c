// SPDX-License-Identifier: BSD-2-Clause
/* Workloads that read and write what is behind the memory. */
#include <err.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include <bsdvm.h>

#include "work.h"

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
	/* It is free a moment later. */
	usleep(100 * 1000);

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

void page_out(const struct row *row, const struct peer *peer, struct run *run)
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
