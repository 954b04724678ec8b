/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * bsdvm trace: BPF programs count (userlib/bpf), trace_bpf.c runs them, trace_read.c
 * makes reports of their maps, trace_frames.c knows what stacks are, trace_text.c and
 * trace_json.c print.
 */
#ifndef _BSDVM_TRACE_H
#define _BSDVM_TRACE_H

#include <linux/types.h>
#include <time.h>

#include "cmd.h"
#include "../bpf/trace.h"

/**
 * struct trace_options - what is asked for
 * @view: what to count
 * @pid: of this process alone, 0 for all
 * @interval: nanoseconds from one report to the next, 0 for one at the end
 * @duration: nanoseconds altogether, 0 for no end
 * @top: rows of a report at most
 * @json: as JSON
 * @kernel: stacks of the kernel
 * @file: program or library whose calls are counted, NULL for the shared library
 * @command: a command to run meanwhile, NULL for none
 */
struct trace_options {
	enum trace_view view;
	pid_t pid;
	int64_t interval;
	int64_t duration;
	uint64_t top;
	bool json;
	bool kernel;
	const char *file;
	char **command;
};

/**
 * struct trace_row - faults of a process, or with a stack of it
 * @pid: the process
 * @number: that of the stack, 0 for a process
 * @count: how many
 * @faults: how many by outcome; not of stacks
 * @comm: the command of the process
 */
struct trace_row {
	pid_t pid;
	uint64_t number;
	uint64_t count;
	uint64_t faults[OUTCOMES];
	char comm[TRACE_COMM];
};

/**
 * struct trace_report - what happened in an interval
 * @time: its end, of CLOCK_REALTIME
 * @seconds: its length
 * @lost: faults or calls that are counted nowhere
 * @faults: how many there were by outcome; of the view of faults
 * @rows: of the views of faults and stacks, the most frequent first
 * @nrows: how many
 * @times: of the views of latency and calls, by their numbers
 * @ntimes: how many
 */
struct trace_report {
	struct timespec time;
	double seconds;
	uint64_t lost;
	uint64_t faults[OUTCOMES];
	struct trace_row *rows;
	size_t nrows;
	struct trace_times *times;
	size_t ntimes;
};

/**
 * struct trace_frame - a place on a stack
 * @address: the address
 * @symbol: function that it is in, NULL for none that is known
 * @offset: how far behind the beginning of @symbol, or else of @file
 * @file: program, library or module of the kernel, NULL for none that is known
 */
struct trace_frame {
	uint64_t address;
	char *symbol;
	uint64_t offset;
	char *file;
};

/* What outcomes and calls are called. */
const char *trace_outcome_name(enum trace_outcome outcome);
const char *trace_call_name(size_t number);

/* What is timed, by its number in struct trace_report. */
const char *trace_times_name(enum trace_view view, size_t number);

/* --- trace_bpf.c: the programs. Each ends the program when it cannot be done. */

/**
 * struct trace_maps - descriptors of the maps that the programs write
 * @processes: struct trace_process by pid
 * @latency: struct trace_times by outcome
 * @stacks: struct trace_stack by struct trace_stack_key
 * @fresh: the ring of struct trace_fresh
 * @calls: struct trace_times by number of the call
 * @lost: what is counted nowhere
 *
 * Descriptors are -1 for what the view does not have.
 */
struct trace_maps {
	int processes;
	int latency;
	int stacks;
	int fresh;
	int calls;
	const __u64 *lost;
};

void trace_attach(const struct trace_options *options, struct trace_maps *maps);

/* --- trace_read.c */

/* The first report is of what happens from here on. */
void trace_report_begin(void);

/* What has been counted since the last time, for trace_report_free(). */
void trace_report_read(const struct trace_options *options,
		       const struct trace_maps *maps,
		       struct trace_report *report);
void trace_report_free(struct trace_report *report);

/* How many things were timed. */
uint64_t trace_times_count(const struct trace_times *times);

/* --- trace_frames.c */

/* Look up the frames of a stack, while its process is there to be asked. */
void trace_frames_note(const struct trace_fresh *fresh, bool kernel);

/* The frames of a stack that was noted, the innermost first; NULL for another one. */
const struct trace_frame *trace_frames(uint64_t number, size_t *count);

/* --- trace_text.c, trace_json.c */

void trace_text_print(const struct trace_options *options,
		      const struct trace_report *report);
void trace_json_print(const struct trace_options *options,
		      const struct trace_report *report);

#endif /* _BSDVM_TRACE_H */
