/* SPDX-License-Identifier: BSD-2-Clause */
/* What bsdvm top reads, and how it is shown. */
#ifndef _BSDVM_TOP_H
#define _BSDVM_TOP_H

#include <stdio.h>
#include <time.h>

#include "cmd.h"

/* The deepest chains that are shown. */
#define TOP_CHAINS 5

/**
 * struct top_window - a process that has a window
 * @pid: its number
 * @name: the command it runs
 * @usage: what it uses
 */
struct top_window {
	pid_t pid;
	char name[32];
	struct bsdvm_rusage usage;
};

/**
 * struct top_chain - a chain of objects, described by its ends
 * @top: the number of the object that nothing shadows
 * @bottom: that of the object that shadows nothing
 * @type: of that object
 * @depth: how many objects there are
 * @resident: their resident pages
 */
struct top_chain {
	uint64_t top;
	uint64_t bottom;
	uint32_t type;
	size_t depth;
	uint64_t resident;
};

/**
 * struct top_reading - the machine at a moment
 * @wall: the time of day
 * @at: the time since boot
 * @stats: counters and gauges
 * @windows: processes that have a window, the largest first
 * @nwindows: how many of them there are that we may look at
 * @chains: the chains of more than one object, the deepest first
 * @nchains: how many of them are here
 */
struct top_reading {
	struct timespec wall;
	struct timespec at;
	struct bsdvm_stats stats;
	struct top_window *windows;
	size_t nwindows;
	struct top_chain chains[TOP_CHAINS];
	size_t nchains;
};

/* Read it all. Returns NULL, or what could not be read, with errno. */
const char *top_read(struct top_reading *reading);

/* Free what top_read() allocated; harmless for zeroes. */
void top_clear(struct top_reading *reading);

/* The lines that top_print() needs beside those of windows, at most. */
#define TOP_OTHER_LINES (10 + TOP_CHAINS)

/**
 * top_print() - show a reading in lines of text
 * @out: where to
 * @now: the reading
 * @before: an earlier one, for rates; NULL without one
 * @most: windows to show
 */
void top_print(FILE *out, const struct top_reading *now,
	       const struct top_reading *before, size_t most);

/* Show a reading as JSON, in a line. */
void top_print_json(const struct top_reading *reading);

#endif /* _BSDVM_TOP_H */
