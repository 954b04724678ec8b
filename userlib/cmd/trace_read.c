// SPDX-License-Identifier: BSD-2-Clause
/*
 * Reports of bsdvm trace: the BPF programs count on, and a report is the difference
 * from the one before. Nothing is set back, so nothing that happens meanwhile is lost.
 */
#include <bpf/bpf.h>
#include <err.h>
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "trace.h"

/**
 * struct table - what a map held at some time
 * @rows: by their keys
 * @count: how many
 * @room: of @rows
 */
struct table {
	struct trace_row *rows;
	size_t count;
	size_t room;
};

static struct table last;
static struct trace_times last_times[TRACE_CALLS];
static struct timespec last_at;
static uint64_t last_lost;

static int compare_keys(const void *a, const void *b)
{
	const struct trace_row *left = a, *right = b;

	if (left->pid != right->pid)
		return left->pid < right->pid ? -1 : 1;
	return (left->number > right->number) - (left->number < right->number);
}

/* The most frequent first, and those of the same number in the order of their keys. */
static int compare_counts(const void *a, const void *b)
{
	const struct trace_row *left = a, *right = b;

	if (left->count != right->count)
		return left->count < right->count ? 1 : -1;
	return compare_keys(a, b);
}

static const struct trace_row *table_find(const struct table *table,
					  const struct trace_row *row)
{
	if (!table->count)
		return NULL;
	return bsearch(row, table->rows, table->count, sizeof(*row),
		       compare_keys);
}

static struct trace_row *table_add(struct table *table)
{
	if (table->count == table->room) {
		table->room = table->room ? 2 * table->room : 64;
		table->rows = cmd_need(realloc(
			table->rows, table->room * sizeof(*table->rows)));
	}
	table->rows[table->count] = (struct trace_row){ .count = 0 };
	return &table->rows[table->count++];
}

static void read_process(int map, uint32_t pid, struct trace_row *row)
{
	struct trace_process process;
	size_t i;

	if (bpf_map_lookup_elem(map, &pid, &process))
		return;
	row->pid = (pid_t)pid;
	for (i = 0; i < OUTCOMES; i++) {
		row->faults[i] = process.faults[i];
		row->count += process.faults[i];
	}
	memcpy(row->comm, process.comm, sizeof(row->comm));
}

static void read_stack(int map, const struct trace_stack_key *key, bool kernel,
		       struct trace_row *row)
{
	struct trace_fresh fresh = { .parent = 0 };
	struct trace_stack stack;
	size_t count;

	if (bpf_map_lookup_elem(map, key, &stack))
		return;
	row->pid = (pid_t)key->pid;
	row->number = stack.number;
	row->count = stack.count;
	memcpy(row->comm, stack.comm, sizeof(row->comm));
	/* The ring may have had no room to tell. */
	if (trace_frames(stack.number, &count))
		return;
	fresh.number = stack.number;
	fresh.key = *key;
	trace_frames_note(&fresh, kernel);
}

/* It has not faulted since the last report, and will not: it makes room for others. */
static bool is_gone(const struct trace_row *row)
{
	const struct trace_row *before = table_find(&last, row);

	return before && before->count == row->count && kill(row->pid, 0) &&
	       errno == ESRCH;
}

/* Keys of processes are the beginning of those of stacks. */
static void read_table(const struct trace_options *options,
		       const struct trace_maps *maps, struct table *table)
{
	const bool stacks = options->view == VIEW_STACKS;
	const int map = stacks ? maps->stacks : maps->processes;
	struct trace_stack_key at, next = { .pid = 0 };
	struct trace_row *row;
	int error = 0;
	bool gone;

	if (bpf_map_get_next_key(map, NULL, &next))
		error = errno;
	while (!error) {
		at = next;
		row = table_add(table);
		if (stacks)
			read_stack(map, &at, options->kernel, row);
		else
			read_process(map, at.pid, row);
		gone = is_gone(row);
		if (bpf_map_get_next_key(map, &at, &next))
			error = errno;
		if (gone)
			bpf_map_delete_elem(map, &at);
		if (gone || !row->count)
			table->count--;
	}
	if (error != ENOENT)
		errx(STATUS_FAILED, "what was counted: %s", strerror(error));
	if (table->count)
		qsort(table->rows, table->count, sizeof(*table->rows),
		      compare_keys);
}

static void subtract(struct trace_row *row, const struct trace_row *before)
{
	size_t i;

	row->count -= before->count;
	for (i = 0; i < OUTCOMES; i++)
		row->faults[i] -= before->faults[i];
}

static void report_rows(const struct trace_options *options,
			const struct trace_maps *maps,
			struct trace_report *report)
{
	struct table now = { NULL, 0, 0 };
	const struct trace_row *before;
	struct trace_row *row;
	size_t i, j;

	read_table(options, maps, &now);
	report->rows = cmd_need(calloc(now.count + 1, sizeof(*report->rows)));
	for (i = 0; i < now.count; i++) {
		row = &report->rows[report->nrows];
		*row = now.rows[i];
		before = table_find(&last, row);
		if (before)
			subtract(row, before);
		if (row->count)
			report->nrows++;
		for (j = 0; j < OUTCOMES && row->count; j++)
			report->faults[j] += row->faults[j];
	}
	qsort(report->rows, report->nrows, sizeof(*report->rows),
	      compare_counts);
	free(last.rows);
	last = now;
}

static void report_times(const struct trace_options *options,
			 const struct trace_maps *maps,
			 struct trace_report *report)
{
	const bool calls = options->view == VIEW_CALLS;
	struct trace_times *times, *before, now;
	uint32_t i;
	size_t slot;

	report->ntimes = calls ? TRACE_CALLS : OUTCOMES;
	report->times =
		cmd_need(calloc(report->ntimes, sizeof(*report->times)));
	for (i = 0; i < report->ntimes; i++) {
		times = &report->times[i];
		before = &last_times[i];
		if (bpf_map_lookup_elem(calls ? maps->calls : maps->latency, &i,
					times))
			err(STATUS_FAILED, "what was counted");
		now = *times;
		times->total -= before->total;
		for (slot = 0; slot < TRACE_SLOTS; slot++)
			times->slots[slot] -= before->slots[slot];
		*before = now;
	}
}

uint64_t trace_times_count(const struct trace_times *times)
{
	uint64_t count = 0;
	size_t slot;

	for (slot = 0; slot < TRACE_SLOTS; slot++)
		count += times->slots[slot];
	return count;
}

void trace_report_begin(void)
{
	clock_gettime(CLOCK_MONOTONIC, &last_at);
}

void trace_report_read(const struct trace_options *options,
		       const struct trace_maps *maps,
		       struct trace_report *report)
{
	const uint64_t lost = __atomic_load_n(maps->lost, __ATOMIC_RELAXED);
	struct timespec now;

	*report = (struct trace_report){ .lost = lost - last_lost };
	last_lost = lost;
	clock_gettime(CLOCK_REALTIME, &report->time);
	clock_gettime(CLOCK_MONOTONIC, &now);
	report->seconds = (now.tv_sec - last_at.tv_sec) +
			  (now.tv_nsec - last_at.tv_nsec) / 1e9;
	last_at = now;
	if (options->view == VIEW_LATENCY || options->view == VIEW_CALLS)
		report_times(options, maps, report);
	else
		report_rows(options, maps, report);
}

void trace_report_free(struct trace_report *report)
{
	free(report->rows);
	free(report->times);
}
