// SPDX-License-Identifier: BSD-2-Clause
/*
 * The workloads. What is written is always one byte of a page, by one store
 * between two readings of the clock.
 */
#include <err.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

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
};

const size_t nrows = sizeof(rows) / sizeof(rows[0]);
