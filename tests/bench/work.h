/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the workloads are made of, and the workloads. What is written is always one byte
 * of a page, by one store between two readings of the clock. Whatever fails ends the
 * process.
 */
#ifndef _WORK_H
#define _WORK_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "bench.h"

/* 0 to n - 1 in an order that is random and always the same. */
uint32_t *shuffled(size_t n);

/* Private anonymous memory. */
char *map(const struct peer *peer, size_t pages);

/* Memory that is an object of its own: memfd_create(2) by the peer's name. */
int shared_fd(const struct peer *peer, size_t pages);

static inline void write_byte(char *p)
{
	*(volatile char *)p = 1;
}

static inline void read_byte(const char *p)
{
	(void)*(const volatile char *)p;
}

/* A byte of each page, in order. */
void write_all(char *mem, size_t pages);
void read_all(const char *mem, size_t pages);

/* Write each page in this order, each by itself: samples of the run. */
void write_sampled(struct run *run, char *mem, const uint32_t *order,
		   size_t pages);

/* fork(2) a child that does nothing; how long it took is left in @cost. */
pid_t fork_idle(uint64_t *cost);

/* Let a child come to its rest, so that it takes no part in what follows. */
void let_rest(void);

/* End one that does nothing. */
void end_child(pid_t pid);

/* Of a few of them; puts them in order. */
uint64_t median_of(uint64_t *costs, size_t n);

/* What fork(2) costs this process as it is. */
uint64_t fork_cost(void);

/*
 * As many entries of one page as pages: every second page is read only, from the
 * second on. allow_entries() lets a process have so many.
 */
void allow_entries(size_t n);
void make_entries(const struct peer *peer, char *mem, size_t pages);

typedef void work_fn(const struct row *row, const struct peer *peer,
		     struct run *run);

/* faults.c */
work_fn zero_fill_random, zero_fill_sequential, read_resident, cow_random,
	cow_sequential, resident_bytes;
/* forks.c */
work_fn fork_resident, fork_life, fork_entries, fork_chain, exit_resident;
/* maps.c */
work_fn map_pair, protect_pair, lookup, unmap_resident, entry_bytes;
/* paging.c */
work_fn page_out, page_in_sequential, page_in_scattered, sync_file;

#endif /* _WORK_H */
