// SPDX-License-Identifier: BSD-2-Clause
/* Reports of bsdvm trace as text. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "trace.h"

#define BAR_WIDTH 40

static void print_header(const struct trace_report *report)
{
	char text[32];
	struct tm tm;

	localtime_r(&report->time.tv_sec, &tm);
	strftime(text, sizeof(text), "%H:%M:%S", &tm);
	printf("--- %s, %.1f s\n", text, report->seconds);
}

static void print_faults(const struct trace_options *options,
			 const struct trace_report *report)
{
	uint64_t total = 0;
	size_t i, j;

	printf("%7s %-15s %9s", "PID", "COMMAND", "FAULTS");
	for (i = 0; i < OUTCOMES; i++)
		printf(" %9s", trace_outcome_name(i));
	putchar('\n');
	for (i = 0; i < report->nrows && i < options->top; i++) {
		const struct trace_row *row = &report->rows[i];

		printf("%7d %-15.15s %9" PRIu64, row->pid, row->comm,
		       row->count);
		for (j = 0; j < OUTCOMES; j++)
			printf(" %9" PRIu64, row->faults[j]);
		putchar('\n');
	}
	for (i = 0; i < OUTCOMES; i++)
		total += report->faults[i];
	printf("%7s %-15s %9" PRIu64, "", "all", total);
	for (i = 0; i < OUTCOMES; i++)
		printf(" %9" PRIu64, report->faults[i]);
	putchar('\n');
}

static void print_frame(const struct trace_frame *frame)
{
	printf("        %#18" PRIx64 " ", frame->address);
	if (frame->symbol)
		printf("%s+%#" PRIx64, frame->symbol, frame->offset);
	if (frame->symbol && frame->file)
		printf(" (%s)", frame->file);
	else if (frame->file)
		printf("(%s+%#" PRIx64 ")", frame->file, frame->offset);
	else if (!frame->symbol)
		printf("?");
	putchar('\n');
}

static void print_stacks(const struct trace_options *options,
			 const struct trace_report *report)
{
	const struct trace_frame *frames;
	size_t i, j, count;

	for (i = 0; i < report->nrows && i < options->top; i++) {
		const struct trace_row *row = &report->rows[i];

		printf("%" PRIu64 " faults, process %d (%.15s)\n", row->count,
		       row->pid, row->comm);
		frames = trace_frames(row->number, &count);
		for (j = 0; j < count; j++)
			print_frame(&frames[j]);
		if (!count)
			puts("        no stack");
	}
}

/* A power of two as people write it: 512, 1K, 2M. */
static const char *power(size_t n, char *text, size_t size)
{
	static const char units[] = { ' ', 'K', 'M', 'G', 'T', 'P', 'E' };

	snprintf(text, size, "%u%.1s", 1U << n % 10,
		 n < 10 ? "" : &units[n / 10]);
	return text;
}

static void print_slot(size_t slot, uint64_t count, uint64_t most)
{
	static const char bar[] = "@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@";
	char from[8], to[8], range[24];

	_Static_assert(sizeof(bar) == BAR_WIDTH + 1, "a bar of that width");
	snprintf(range, sizeof(range), "[%s, %s)",
		 slot ? power(slot, from, sizeof(from)) : "0",
		 power(slot + 1, to, sizeof(to)));
	printf("%-14s %9" PRIu64 " |%-*.*s|\n", range, count, BAR_WIDTH,
	       (int)(count * BAR_WIDTH / most), bar);
}

static void print_histogram(const struct trace_times *times)
{
	size_t first = 0, end = TRACE_SLOTS, i;
	uint64_t most = 1;

	while (!times->slots[first])
		first++;
	while (!times->slots[end - 1])
		end--;
	for (i = first; i < end; i++)
		if (times->slots[i] > most)
			most = times->slots[i];
	for (i = first; i < end; i++)
		print_slot(i, times->slots[i], most);
}

static void print_times(const struct trace_options *options,
			const struct trace_report *report)
{
	uint64_t count, average;
	size_t i;

	for (i = 0; i < report->ntimes; i++) {
		count = trace_times_count(&report->times[i]);
		if (!count)
			continue;
		average = report->times[i].total / count;
		printf("%s: %" PRIu64 ", %" PRIu64 " ns on average\n",
		       trace_times_name(options->view, i), count, average);
		print_histogram(&report->times[i]);
	}
}

void trace_text_print(const struct trace_options *options,
		      const struct trace_report *report)
{
	print_header(report);
	switch (options->view) {
	case VIEW_FAULTS:
		print_faults(options, report);
		break;
	case VIEW_STACKS:
		print_stacks(options, report);
		break;
	default:
		print_times(options, report);
	}
	if (report->lost)
		printf("%" PRIu64 " lost\n", report->lost);
}
