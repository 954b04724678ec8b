// SPDX-License-Identifier: BSD-2-Clause
/* Workloads whose cost is that of map entries. */

#include <stddef.h>

#include "work.h"

/*
 * The rest of a map, with no room in between. At both ends it is read only, so that no
 * new mapping is joined with it.
 */
static void other_entries(const struct row *row, const struct peer *peer)
{
	const size_t n = row->n | 1;
	char *mem = map(peer, n);

	allow_entries(2 * n + 1024);
	peer->read_only(mem, PAGE);
	if (n > 1)
		make_entries(peer, mem + PAGE, n - 1);
}

/*
 * What a change of a map costs depends on how full the node of the tree is in which it
 * falls, for Linux by half: so it is measured with some more entries each time.
 */
#define LAYOUTS 16

static void more_entries(const struct peer *peer)
{
	char *mem = map(peer, 3);

	peer->read_only(mem, PAGE);
	peer->read_only(mem + 2 * PAGE, PAGE);
}

static void sample_pairs(const struct row *row, const struct peer *peer,
			 struct run *run,
			 void (*pair)(const struct peer *peer, char *mem),
			 char *mem)
{
	struct measurement m = measure_begin(peer, run);
	uint64_t start;
	size_t i;

	for (i = 0; i < row->pages; i++) {
		if (i % (row->pages / LAYOUTS) == 0)
			more_entries(peer);
		if (i == row->pages / 2)
			profile_begin();
		start = ticks();
		pair(peer, mem);
		run->sample[i] = ticks() - start;
		if (i == row->pages / 2)
			profile_end();
	}
	run->nsamples = row->pages;
	measure_end(peer, &m);
	measure_tail(&m);
}

static void map_and_unmap(const struct peer *peer, char *mem)
{
	(void)mem;
	peer->unmap(map(peer, 1), PAGE);
}

/* A page that nobody touches is mapped and unmapped. */
void map_pair(const struct row *row, const struct peer *peer, struct run *run)
{
	other_entries(row, peer);
	sample_pairs(row, peer, run, map_and_unmap, NULL);
}

static void protect_and_back(const struct peer *peer, char *mem)
{
	peer->read_only(mem + 24 * PAGE, 16 * PAGE);
	peer->read_write(mem + 24 * PAGE, 16 * PAGE);
}

/* The 16 pages in the middle of 64 become read only, and writable again. */
void protect_pair(const struct row *row, const struct peer *peer,
		  struct run *run)
{
	sample_pairs(row, peer, run, protect_and_back, map(peer, 64));
}

/*
 * The first write of a page, in entries at random: of n entries every second one may be
 * written. Where there is one only, in any page of it.
 */
void lookup(const struct row *row, const struct peer *peer, struct run *run)
{
	const size_t places = row->n > 1 ? row->n / 2 : row->pages;
	const size_t apart = row->n > 1 ? 2 : 1;
	uint32_t *order = shuffled(places);
	struct measurement m;
	char *mem;
	size_t i;

	allow_entries(2 * row->n + 1024);
	mem = map(peer, places * apart);
	if (row->n > 1)
		make_entries(peer, mem, row->n);
	for (i = 0; i < places; i++)
		order[i] *= apart;
	m = measure_begin(peer, run);
	write_sampled(run, mem, order, row->pages);
	measure_end(peer, &m);
	measure_tail(&m);
}

/* Only the unmapping is measured. */
void unmap_resident(const struct row *row, const struct peer *peer,
		    struct run *run)
{
	char *mem = map(peer, row->pages);
	struct measurement m;

	write_all(mem, row->pages);
	m = measure_begin(peer, run);
	profile_begin();
	peer->unmap(mem, row->pages * PAGE);
	profile_end();
	measure_end(peer, &m);
	measure_tail(&m);
}

void entry_bytes(const struct row *row, const struct peer *peer,
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
