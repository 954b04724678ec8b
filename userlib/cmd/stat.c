// SPDX-License-Identifier: BSD-2-Clause
/*
 * bsdvm stat: the counters of the machine, as vmstat -s lists them, and what
 * they do from one interval to the next, in vmstat's columns. With -m and -z, the
 * module's own memory (kmem.c).
 */
#include <err.h>
#include <errno.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "cmd.h"
#include "json.h"
#include "kmem.h"
#include "stat.h"

#define LINES_PER_HEADER 20

/* In the order and words of vmstat -s; behind them what it does not have. */
static const struct member members[] = {
	LISTED_MEMBER(bsdvm_stats, v_swapin, "swap pager pageins"),
	LISTED_MEMBER(bsdvm_stats, v_swappgsin, "swap pager pages paged in"),
	LISTED_MEMBER(bsdvm_stats, v_swapout, "swap pager pageouts"),
	LISTED_MEMBER(bsdvm_stats, v_swappgsout, "swap pager pages paged out"),
	LISTED_MEMBER(bsdvm_stats, v_vnodein, "vnode pager pageins"),
	LISTED_MEMBER(bsdvm_stats, v_vnodepgsin, "vnode pager pages paged in"),
	LISTED_MEMBER(bsdvm_stats, v_vnodeout, "vnode pager pageouts"),
	LISTED_MEMBER(bsdvm_stats, v_vnodepgsout,
		      "vnode pager pages paged out"),
	LISTED_MEMBER(bsdvm_stats, v_reactivated,
		      "pages reactivated by the page daemon"),
	LISTED_MEMBER(bsdvm_stats, v_cow_faults, "copy-on-write faults"),
	LISTED_MEMBER(bsdvm_stats, v_cow_optim,
		      "copy-on-write optimized faults"),
	LISTED_MEMBER(bsdvm_stats, v_zfod, "zero fill pages zeroed"),
	LISTED_MEMBER(bsdvm_stats, v_intrans, "intransit blocking page faults"),
	LISTED_MEMBER(bsdvm_stats, v_vm_faults, "total VM faults taken"),
	LISTED_MEMBER(bsdvm_stats, v_io_faults, "page faults requiring I/O"),
	LISTED_MEMBER(bsdvm_stats, v_forks, "fork() calls"),
	LISTED_MEMBER(bsdvm_stats, v_forkpages, "pages affected by fork()"),
	LISTED_MEMBER(bsdvm_stats, v_tfree, "pages freed"),
	LISTED_MEMBER(bsdvm_stats, v_dfree, "pages freed by daemon"),
	LISTED_MEMBER(bsdvm_stats, v_active_count, "pages active"),
	LISTED_MEMBER(bsdvm_stats, v_inactive_count, "pages inactive"),
	LISTED_MEMBER(bsdvm_stats, v_laundry_count,
		      "pages in the laundry queue"),
	LISTED_MEMBER(bsdvm_stats, v_wire_count, "pages wired down"),
	LISTED_MEMBER(bsdvm_stats, v_user_wire_count,
		      "virtual user pages wired down"),
	LISTED_MEMBER(bsdvm_stats, v_free_count, "pages free"),
	LISTED_MEMBER(bsdvm_stats, v_page_size, "bytes per page"),
	LISTED_MEMBER(bsdvm_stats, v_page_count, "pages in the pool"),
	LISTED_MEMBER(bsdvm_stats, v_free_target,
		      "pages free that are aimed at"),
	LISTED_MEMBER(bsdvm_stats, v_free_min,
		      "pages free that wake the page daemon"),
	LISTED_MEMBER(bsdvm_stats, v_free_reserved, "pages kept in reserve"),
	LISTED_MEMBER(bsdvm_stats, v_lazyfree_count, "pages given up lazily"),
	LISTED_MEMBER(bsdvm_stats, v_prefault, "pages mapped ahead by faults"),
	LISTED_MEMBER(bsdvm_stats, v_stackgrows, "stack growths"),
	LISTED_MEMBER(bsdvm_stats, v_swap_reserved, "bytes of swap reserved"),
	LISTED_MEMBER(bsdvm_stats, v_swap_total,
		      "bytes of swap to be reserved"),
	LISTED_MEMBER(bsdvm_stats, v_vmspaces, "windows"),
	LISTED_MEMBER(bsdvm_stats, v_vmspaces_out, "windows swapped out"),
	LISTED_MEMBER(bsdvm_stats, v_vmspace_swapout,
		      "windows swapped out, so far"),
	LISTED_MEMBER(bsdvm_stats, v_vmspace_swapin, "windows swapped in"),
	LISTED_MEMBER(bsdvm_stats, v_pdwakeups, "passes of the page daemon"),
	LISTED_MEMBER(bsdvm_stats, v_pdpages,
		      "pages examined by the page daemon"),
	LISTED_MEMBER(bsdvm_stats, v_pdshortfalls, "page daemon shortfalls"),
	LISTED_MEMBER(bsdvm_stats, v_lock_miss,
		      "pages the page daemon found locked"),
	LISTED_MEMBER(bsdvm_stats, v_pfree, "pages freed by exiting processes"),
	LISTED_MEMBER(bsdvm_stats, v_inactive_target,
		      "pages inactive that are aimed at"),
	LISTED_MEMBER(bsdvm_stats, v_pageout_free_min,
		      "pages kept for page-out"),
	LISTED_MEMBER(bsdvm_stats, v_interrupt_free_min,
		      "pages kept for interrupts"),
	LISTED_MEMBER(bsdvm_stats, v_free_severe,
		      "pages free that make idle windows go"),
	LISTED_MEMBER(bsdvm_stats, v_unswappable_count,
		      "pages that there is no swap for"),
	LISTED_MEMBER(bsdvm_stats, v_swap_size, "pages of swap"),
	LISTED_MEMBER(bsdvm_stats, v_swap_inuse, "pages of swap in use"),
	LISTED_MEMBER(bsdvm_stats, v_pagein_errors,
		      "pages that could not be read"),
	LISTED_MEMBER(bsdvm_stats, v_pageout_errors,
		      "pages that could not be written"),
	LISTED_MEMBER(bsdvm_stats, v_kmem_count, "pages of the kernel's own"),
	LISTED_MEMBER(bsdvm_stats, v_oom_kills,
		      "processes killed for want of memory"),
	LISTED_MEMBER(bsdvm_stats, o_count, "objects"),
	LISTED_MEMBER(bsdvm_stats, o_collapses, "object collapses"),
	LISTED_MEMBER(bsdvm_stats, o_bypasses, "object bypasses"),
	LISTED_MEMBER(bsdvm_stats, v_shootdowns, "TLB shootdowns"),
	LISTED_MEMBER(bsdvm_stats, v_shootdown_cpus,
		      "processors interrupted by TLB shootdowns"),
};

static void get(struct bsdvm_stats *stats)
{
	if (bsdvm_stats(stats))
		err(STATUS_FAILED, "the counters");
}

static void print_all(const struct bsdvm_stats *stats)
{
	size_t i;

	for (i = 0; i < COUNT_OF(members); i++)
		printf("%9ju %s\n", (uintmax_t)member_value(stats, &members[i]),
		       members[i].words);
}

struct json_object *stat_record(const struct bsdvm_stats *stats)
{
	struct json_object *record = json_record();

	json_put_members(record, stats, members, COUNT_OF(members));
	return record;
}

/* How often a second a counter went up between two readings. */
static uintmax_t rate(uint64_t now, uint64_t before, double seconds)
{
	return (uintmax_t)llround((now - before) / seconds);
}

static void print_rates(const struct bsdvm_stats *now,
			const struct bsdvm_stats *before, double seconds)
{
#define RATE(_member) rate(now->_member, before->_member, seconds)
	printf("%9ju %9ju %6ju %5ju %5ju %5ju %6ju %6ju\n",
	       (uintmax_t)now->v_swap_reserved / 1024,
	       (uintmax_t)(now->v_free_count * now->v_page_size / 1024),
	       RATE(v_vm_faults), RATE(v_reactivated),
	       RATE(v_swappgsin) + RATE(v_vnodepgsin),
	       RATE(v_swappgsout) + RATE(v_vnodepgsout), RATE(v_tfree),
	       RATE(v_pdpages));
#undef RATE
}

static void print_header(void)
{
	puts("             memory                             page\n"
	     "      avm       fre    flt    re    pi    po     fr     sr");
}

static void print_json_now(const struct bsdvm_stats *stats)
{
	struct json_object *record = stat_record(stats);
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	json_put_time(record, "time", &now);
	json_print(record);
}

/* What is printed leaves in whole lines, so there is nothing to wait for. */
static void interrupted(int sig)
{
	(void)sig;
	_exit(0);
}

static void catch_interrupt(void)
{
	struct sigaction action;

	sigaction(SIGINT, NULL, &action);
	/* Whoever started us to ignore it means it. */
	if (action.sa_handler == SIG_IGN)
		return;
	action = (struct sigaction){ .sa_handler = interrupted };
	sigaction(SIGINT, &action, NULL);
}

static double to_seconds(const struct timespec *time)
{
	return time->tv_sec + time->tv_nsec / 1e9;
}

/* Intervals follow one another without a gap, however long a line takes. */
static void wait_until(struct timespec *deadline, double interval)
{
	double whole;
	const double fraction = modf(interval, &whole);

	deadline->tv_sec += (time_t)whole;
	deadline->tv_nsec += (long)(fraction * 1e9);
	if (deadline->tv_nsec >= 1000000000) {
		deadline->tv_nsec -= 1000000000;
		deadline->tv_sec++;
	}
	while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, deadline,
			       NULL) == EINTR)
		;
}

static void print_flush(void)
{
	if (fflush(stdout))
		err(STATUS_FAILED, "standard output");
}

/* @count 0: until interrupted. */
static void watch(double interval, uint64_t count, bool json)
{
	struct timespec deadline, at[2];
	struct bsdvm_stats stats[2];
	uint64_t line;

	catch_interrupt();
	clock_gettime(CLOCK_MONOTONIC, &deadline);
	at[0] = deadline;
	get(&stats[0]);
	for (line = 1; !count || line <= count; line++) {
		const unsigned int now = line % 2, before = !now;

		wait_until(&deadline, interval);
		get(&stats[now]);
		clock_gettime(CLOCK_MONOTONIC, &at[now]);
		if (json) {
			print_json_now(&stats[now]);
		} else {
			if (line % LINES_PER_HEADER == 1)
				print_header();
			print_rates(&stats[now], &stats[before],
				    to_seconds(&at[now]) -
					    to_seconds(&at[before]));
		}
		print_flush();
	}
}

static int run(int argc, char **argv)
{
	static const struct option options[] = {
		LONG_OPTION_HELP,
		LONG_OPTION_JSON,
		{ 0 },
	};
	const struct command *self = &stat_command;
	struct bsdvm_stats stats;
	uint64_t count = 0;
	double interval = 0;
	bool json = false;
	int option, what = 0;

	while ((option = cmd_option(self, argc, argv, "mz", options)) != -1) {
		if (option == OPTION_JSON)
			json = true;
		else if (what && what != option)
			cmd_usage(self, "-m and -z are two things");
		else
			what = option;
	}
	if (what && argc > optind)
		cmd_usage(self, "'%s' is too much", argv[optind]);
	if (argc - optind > 2)
		cmd_usage(self, "'%s' is too much", argv[optind + 2]);
	if (argc - optind >= 1)
		interval = cmd_parse_interval(self, argv[optind]);
	if (argc - optind == 2 &&
	    (!cmd_parse_number(argv[optind + 1], &count) || !count))
		cmd_usage(self, "'%s' is no count", argv[optind + 1]);
	cmd_open_device();
	if (what) {
		if (what == 'z')
			kmem_print_zones(json);
		else
			kmem_print_malloc_types(json);
		return 0;
	}
	if (interval > 0) {
		watch(interval, count, json);
		return 0;
	}
	get(&stats);
	if (json)
		json_print(stat_record(&stats));
	else
		print_all(&stats);
	return 0;
}

const struct command stat_command = {
	.name = "stat",
	.arguments = "[--json] [-m | -z | INTERVAL [COUNT]]",
	.summary = "show the counters of the machine",
	.help = "  INTERVAL  seconds: a line after each, until interrupted\n"
		"  COUNT     so many lines\n"
		"  -m        what the module's own memory is for, as vmstat -m\n"
		"  -z        the zones that memory is from, as vmstat -z\n"
		"  --json    an object; with INTERVAL one a line; with -m and -z an array\n"
		"\n"
		"avm, fre: KiB reserved for private memory, and free in the pool. A second:\n"
		"flt faults, re pages reactivated, pi and po pages paged in and out, fr freed,\n"
		"sr looked at by the pageout daemon.\n",
	.run = run,
};
