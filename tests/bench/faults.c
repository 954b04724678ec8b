// SPDX-License-Identifier: BSD-2-Clause
/* Workloads whose cost is that of faults. */

#include "work.h"

void zero_fill_random(const struct row *row, const struct peer *peer,
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
void zero_fill_sequential(const struct row *row, const struct peer *peer,
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

void cow_random(const struct row *row, const struct peer *peer, struct run *run)
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

/*
 * All of it is resident, and mapped by nobody: each page is only to be found and
 * entered.
 */
void read_resident(const struct row *row, const struct peer *peer,
		   struct run *run)
{
	const int fd = shared_fd(peer, row->pages);
	char *mem = peer->map_file(fd, row->pages * PAGE);
	struct measurement m;

	write_all(mem, row->pages);
	peer->unmap(mem, row->pages * PAGE);
	mem = peer->map_file(fd, row->pages * PAGE);
	m = measure_begin(peer, run);
	profile_begin();
	read_all(mem, row->pages);
	profile_end();
	measure_end(peer, &m);
	measure_tail(&m);
}

/* Both are told that it will be in order, which lets bsdvm copy some pages ahead. */
void cow_sequential(const struct row *row, const struct peer *peer,
		    struct run *run)
{
	char *mem = map(peer, row->pages);
	struct measurement m;
	uint64_t cost;
	pid_t child;

	peer->advise_sequential(mem, row->pages * PAGE);
	write_all(mem, row->pages);
	child = fork_idle(&cost);
	let_rest();
	m = measure_begin(peer, run);
	profile_begin();
	write_all(mem, row->pages);
	profile_end();
	measure_end(peer, &m);
	measure_tail(&m);
	end_child(child);
}

void resident_bytes(const struct row *row, const struct peer *peer,
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
