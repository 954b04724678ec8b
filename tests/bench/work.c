// SPDX-License-Identifier: BSD-2-Clause
/* What the workloads have in common. */
#include <err.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "work.h"

/* The operations of a run that a profile shows: from the middle on. */
#define PROFILE_OPS 256

uint32_t *shuffled(size_t n)
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

char *map(const struct peer *peer, size_t pages)
{
	return peer->map(pages * PAGE);
}

int shared_fd(const struct peer *peer, size_t pages)
{
	int fd = peer->memory_fd();

	if (fd < 0 || ftruncate(fd, pages * PAGE))
		err(1, "memfd_create");
	return fd;
}

void write_all(char *mem, size_t pages)
{
	size_t i;

	for (i = 0; i < pages; i++)
		write_byte(mem + i * PAGE);
}

void read_all(const char *mem, size_t pages)
{
	size_t i;

	for (i = 0; i < pages; i++)
		read_byte(mem + i * PAGE);
}

void write_sampled(struct run *run, char *mem, const uint32_t *order,
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

pid_t fork_idle(uint64_t *cost)
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

void let_rest(void)
{
	usleep(1000);
}

void end_child(pid_t pid)
{
	kill(pid, SIGKILL);
	if (waitpid(pid, NULL, 0) != pid)
		err(1, "waitpid");
}

static int compare(const void *a, const void *b)
{
	const uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

uint64_t median_of(uint64_t *costs, size_t n)
{
	qsort(costs, n, sizeof(costs[0]), compare);
	return costs[n / 2];
}

uint64_t fork_cost(void)
{
	uint64_t cost[5];
	pid_t child;
	size_t i;

	for (i = 0; i < 5; i++) {
		child = fork_idle(&cost[i]);
		let_rest();
		end_child(child);
	}
	return median_of(cost, 5);
}

void make_entries(const struct peer *peer, char *mem, size_t pages)
{
	size_t i;

	for (i = 1; i < pages; i += 2)
		peer->read_only(mem + i * PAGE, PAGE);
}

void allow_entries(size_t n)
{
	FILE *file = fopen("/proc/sys/vm/max_map_count", "w");

	if (!file || fprintf(file, "%zu", n) < 0 || fclose(file))
		err(1, "max_map_count");
}
