// SPDX-License-Identifier: BSD-2-Clause
/* Reports of bsdvm trace as JSON, an object each. */
#include "json.h"
#include "trace.h"

static void put_faults(struct json_object *record, const uint64_t *faults)
{
	struct json_object *outcomes = json_put_record(record, "outcomes");
	size_t i;

	for (i = 0; i < OUTCOMES; i++)
		json_put_number(outcomes, trace_outcome_name(i), faults[i]);
}

static struct json_object *row_record(const struct trace_row *row)
{
	struct json_object *record = json_record();

	json_put_number(record, "pid", row->pid);
	json_put_string(record, "command", row->comm);
	json_put_number(record, "faults", row->count);
	return record;
}

static struct json_object *frame_record(const struct trace_frame *frame)
{
	struct json_object *record = json_record();

	json_put_number(record, "address", frame->address);
	if (frame->symbol)
		json_put_string(record, "symbol", frame->symbol);
	if (frame->symbol || frame->file)
		json_put_number(record, "offset", frame->offset);
	if (frame->file)
		json_put_string(record, "file", frame->file);
	return record;
}

static void put_frames(struct json_object *record, const struct trace_row *row)
{
	struct json_object *list = json_put_list(record, "frames");
	const struct trace_frame *frames;
	size_t i, count;

	frames = trace_frames(row->number, &count);
	for (i = 0; i < count; i++)
		json_append(list, frame_record(&frames[i]));
}

static void put_rows(struct json_object *record,
		     const struct trace_options *options,
		     const struct trace_report *report)
{
	const bool stacks = options->view == VIEW_STACKS;
	struct json_object *list =
		json_put_list(record, stacks ? "stacks" : "processes");
	struct json_object *row;
	size_t i;

	for (i = 0; i < report->nrows && i < options->top; i++) {
		row = row_record(&report->rows[i]);
		if (stacks)
			put_frames(row, &report->rows[i]);
		else
			put_faults(row, report->rows[i].faults);
		json_append(list, row);
	}
}

static void put_histogram(struct json_object *record,
			  const struct trace_times *times)
{
	struct json_object *list = json_put_list(record, "histogram");
	struct json_object *slot;
	size_t i;

	for (i = 0; i < TRACE_SLOTS; i++) {
		if (!times->slots[i])
			continue;
		slot = json_record();
		json_put_number(slot, "ns", i ? UINT64_C(1) << i : 0);
		json_put_number(slot, "count", times->slots[i]);
		json_append(list, slot);
	}
}

static void put_times(struct json_object *record,
		      const struct trace_options *options,
		      const struct trace_report *report)
{
	const bool calls = options->view == VIEW_CALLS;
	struct json_object *list =
		json_put_list(record, calls ? "calls" : "outcomes");
	const struct trace_times *times;
	struct json_object *timed;
	size_t i;

	for (i = 0; i < report->ntimes; i++) {
		times = &report->times[i];
		if (!trace_times_count(times))
			continue;
		timed = json_record();
		json_put_string(timed, "name",
				trace_times_name(options->view, i));
		json_put_number(timed, "count", trace_times_count(times));
		json_put_number(timed, "total_ns", times->total);
		put_histogram(timed, times);
		json_append(list, timed);
	}
}

void trace_json_print(const struct trace_options *options,
		      const struct trace_report *report)
{
	struct json_object *record = json_record();

	json_put_time(record, "time", &report->time);
	json_put_number(record, "lost", report->lost);
	if (options->view == VIEW_FAULTS)
		put_faults(record, report->faults);
	if (report->times)
		put_times(record, options, report);
	else
		put_rows(record, options, report);
	json_print(record);
}
