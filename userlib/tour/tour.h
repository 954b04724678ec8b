/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The tour: eight steps through BSD virtual memory, each of which shows the map
 * and checks what must hold.
 */
#ifndef _BSDVM_TOUR_H
#define _BSDVM_TOUR_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include <bsdvm.h>

/**
 * struct tally - what the steps did, to be compared with the module's counters
 * @forks: children made by fork(2)
 * @zero_fills: anonymous pages touched for the first time
 * @copies: pages written that somebody else still saw through a lower object
 * @collapses: objects that lost their last other user and were merged upward
 * @loads: other pages that a fault had to bring into a page table
 * @touches: accesses that needed a fault if no earlier one had mapped the page
 */
struct tally {
	unsigned long forks;
	unsigned long zero_fills;
	unsigned long copies;
	unsigned long collapses;
	unsigned long loads;
	unsigned long touches;
};

/**
 * struct tour - what one step leaves to the next
 * @system_map: the file that was named on the command line
 * @file: the copy of it that the steps map and change
 * @size: bytes of both
 * @page: bytes of a page
 * @symbols: lines of the file
 * @private: mapping that step 3 leaves to step 4
 * @before: counters at the start
 * @did: what was done since
 */
struct tour {
	const char *system_map;
	char file[PATH_MAX];
	size_t size;
	size_t page;
	size_t symbols;
	char *private;
	struct bsdvm_stats before;
	struct tally did;
};

/* Round up to pages of the tour. */
static inline size_t tour_pages(const struct tour *tour, size_t bytes)
{
	return (bytes + tour->page - 1) / tour->page;
}

/* The steps, in files.c, fork.c, signals.c, sparse.c and counters.c. */
void step_map_file(struct tour *tour);
void step_share_file(struct tour *tour);
void step_private_write(struct tour *tour);
void step_fork(struct tour *tour);
void step_thousand_forks(struct tour *tour);
void step_signals(struct tour *tour);
void step_sparse(struct tour *tour);
void step_counters(struct tour *tour);

#endif /* _BSDVM_TOUR_H */
