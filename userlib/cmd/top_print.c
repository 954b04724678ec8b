// SPDX-License-Identifier: BSD-2-Clause
/* A reading of bsdvm top, as text and as JSON. */
#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdlib.h>

#include "json.h"
#include "rusage.h"
#include "stat.h"
#include "top.h"
#include "vmmap_print.h"

static double to_seconds(const struct timespec *time)
{
	return time->tv_sec + time->tv_nsec / 1e9;
}

/**
 * struct rates - how often a second something happened between two readings
 * @now: the later one
 * @before: the earlier one, NULL without one
 * @seconds: between them
 */
struct rates {
	const struct top_reading *now;
	const struct top_reading *before;
	double seconds;
};

static void put_rate(FILE *out, const struct rates *rates, uint64_t now,
		     uint64_t before, int width)
{
	if (rates->before)
		fprintf(out, "%*.0f", width,
			round((now - before) / rates->seconds));
	else
		fprintf(out, "%*s", width, "-");
}

/* One of the counters of the machine, with a word behind it. */
static void put_counter(FILE *out, const struct rates *rates, size_t offset,
			const char *words)
{
	const struct member member = { .offset = offset,
				       .size = sizeof(uint64_t) };
	const uint64_t now = member_value(&rates->now->stats, &member);

	put_rate(out, rates, now,
		 rates->before ? member_value(&rates->before->stats, &member) :
				 0,
		 0);
	fprintf(out, " %s", words);
}

#define RATE(_name, _words) \
	put_counter(out, rates, offsetof(struct bsdvm_stats, _name), _words)

static void print_head(FILE *out, const struct rates *rates)
{
	const struct top_reading *now = rates->now;
	const struct tm *day = localtime(&now->wall.tv_sec);
	char clock[16] = "";

	if (day)
		strftime(clock, sizeof(clock), "%T", day);
	fprintf(out, "bsdvm top - %s", clock);
	if (rates->before)
		fprintf(out, ", %.3f s", rates->seconds);
	fprintf(out, ": %" PRIu64 " windows, %zu shown, %" PRIu64 " objects\n",
		(uint64_t)now->stats.v_vmspaces, now->nwindows,
		(uint64_t)now->stats.o_count);
}

static void print_rates(FILE *out, const struct rates *rates)
{
	fputs("faults/s  ", out);
	RATE(v_vm_faults, "taken: ");
	RATE(v_zfod, "zero-filled, ");
	RATE(v_cow_faults, "copied, ");
	RATE(v_cow_optim, "taken over, ");
	RATE(v_io_faults, "with I/O, ");
	RATE(v_intrans, "waited; ");
	RATE(v_prefault, "neighbours mapped\n");

	fputs("paging/s  ", out);
	RATE(v_swappgsin, "in and ");
	RATE(v_swappgsout, "out by swap, ");
	RATE(v_vnodepgsin, "in and ");
	RATE(v_vnodepgsout, "out by files; ");
	RATE(v_tfree, "freed, ");
	RATE(v_pdpages, "scanned, ");
	RATE(v_reactivated, "reactivated\n");

	fputs("objects/s ", out);
	RATE(o_collapses, "collapsed, ");
	RATE(o_bypasses, "bypassed; ");
	RATE(v_forks, "forks, ");
	RATE(v_shootdowns, "shootdowns\n");
}

static void print_gauges(FILE *out, const struct bsdvm_stats *stats)
{
	fprintf(out,
		"pages     %" PRIu64 ": %" PRIu64 " free (target %" PRIu64
		"), %" PRIu64 " active, %" PRIu64 " inactive, %" PRIu64
		" laundry, %" PRIu64 " unswappable, %" PRIu64 " wired\n",
		(uint64_t)stats->v_page_count, (uint64_t)stats->v_free_count,
		(uint64_t)stats->v_free_target, (uint64_t)stats->v_active_count,
		(uint64_t)stats->v_inactive_count,
		(uint64_t)stats->v_laundry_count,
		(uint64_t)stats->v_unswappable_count,
		(uint64_t)stats->v_wire_count);
	fprintf(out,
		"swap      %" PRIu64 ": %" PRIu64 " used; %" PRIu64
		" reserved, %" PRIu64 " windows swapped out\n",
		(uint64_t)stats->v_swap_size, (uint64_t)stats->v_swap_inuse,
		(uint64_t)(stats->v_swap_reserved / stats->v_page_size),
		(uint64_t)stats->v_vmspaces_out);
}

/* What a process had used before; nothing when it is new. */
static struct bsdvm_rusage usage_before(const struct rates *rates,
					const struct top_window *window)
{
	const struct top_reading *before = rates->before;
	size_t i;

	for (i = 0; before && i < before->nwindows; i++) {
		const struct top_window *old = &before->windows[i];

		if (old->pid != window->pid)
			continue;
		/* Or it is another one of that number. */
		if (old->usage.ru_minflt <= window->usage.ru_minflt &&
		    old->usage.ru_majflt <= window->usage.ru_majflt)
			return old->usage;
	}
	return (struct bsdvm_rusage){ 0 };
}

/* A name may have any bytes; on a terminal each is to take one column. */
static void put_name(FILE *out, const char *name)
{
	int width = 15;

	for (; *name && width; name++, width--)
		putc(*name < ' ' || *name > '~' ? '?' : *name, out);
	fprintf(out, "%*s", width, "");
}

static void print_window(FILE *out, const struct rates *rates,
			 const struct top_window *window)
{
	const struct bsdvm_rusage *usage = &window->usage;
	const struct bsdvm_rusage old = usage_before(rates, window);
	const uint64_t page = rates->now->stats.v_page_size;

	fprintf(out, "%7d ", window->pid);
	put_name(out, window->name);
	fprintf(out, " %10" PRIu64 " %8" PRIu64 " %8" PRIu64 " %7" PRIu64 " ",
		(uint64_t)(usage->vm_size / page), (uint64_t)usage->vm_rssize,
		(uint64_t)(usage->vm_wired / page),
		(uint64_t)usage->vm_entries);
	put_rate(out, rates, usage->ru_minflt, old.ru_minflt, 7);
	putc(' ', out);
	put_rate(out, rates, usage->ru_majflt, old.ru_majflt, 7);
	putc('\n', out);
}

static void print_chains(FILE *out, const struct top_reading *now)
{
	size_t i;

	fputs("\n  DEPTH      RES      TOP   BOTTOM TP\n", out);
	for (i = 0; i < now->nchains; i++) {
		const struct top_chain *chain = &now->chains[i];

		fprintf(out, "%7zu %8" PRIu64 " %8" PRIu64 " %8" PRIu64 " %s\n",
			chain->depth, chain->resident, chain->top,
			chain->bottom, vmmap_type_name(chain->type));
	}
}

void top_print(FILE *out, const struct top_reading *now,
	       const struct top_reading *before, size_t most)
{
	const struct rates rates = {
		.now = now,
		.before = before,
		.seconds = before ? to_seconds(&now->at) -
					    to_seconds(&before->at) :
				    0,
	};
	size_t i;

	print_head(out, &rates);
	print_rates(out, &rates);
	print_gauges(out, &now->stats);
	fputs("\n    PID COMMAND               SIZE      RES    WIRED ENTRIES   FLT/s    IO/s\n",
	      out);
	for (i = 0; i < now->nwindows && i < most; i++)
		print_window(out, &rates, &now->windows[i]);
	print_chains(out, now);
}

static struct json_object *chain_record(const struct top_chain *chain)
{
	struct json_object *record = json_record();

	json_put_number(record, "depth", chain->depth);
	json_put_number(record, "resident", chain->resident);
	json_put_number(record, "top", chain->top);
	json_put_number(record, "bottom", chain->bottom);
	json_put_number(record, "type", chain->type);
	return record;
}

void top_print_json(const struct top_reading *reading)
{
	struct json_object *record = stat_record(&reading->stats), *list;
	size_t i;

	json_put_time(record, "time", &reading->wall);
	list = json_put_list(record, "windows");
	for (i = 0; i < reading->nwindows; i++) {
		const struct top_window *window = &reading->windows[i];
		struct json_object *usage =
			rusage_record(window->pid, &window->usage);

		json_put_string(usage, "command", window->name);
		json_append(list, usage);
	}
	list = json_put_list(record, "chains");
	for (i = 0; i < reading->nchains; i++)
		json_append(list, chain_record(&reading->chains[i]));
	json_print(record);
}
