// SPDX-License-Identifier: BSD-2-Clause
/*
 * bsdvm trace: counts faults, how long they take, where programs make them, and the
 * calls of the library, by BPF programs that the kernel runs when they happen.
 *
 * Signals are blocked but while trace_wait() waits, so that none is missed and none
 * comes while a report is made.
 */
#define _GNU_SOURCE
#include <bpf/libbpf.h>
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "trace.h"

#define TOP_DEFAULT 20
#define SECOND	    INT64_C(1000000000)

static const char *const view_names[] = {
	[VIEW_FAULTS] = "faults",
	[VIEW_LATENCY] = "latency",
	[VIEW_STACKS] = "stacks",
	[VIEW_CALLS] = "calls",
};

static const char *const outcome_names[] = {
	[OUTCOME_ZERO] = "zero",	 [OUTCOME_COW] = "cow",
	[OUTCOME_TAKEOVER] = "takeover", [OUTCOME_PAGEIN] = "pagein",
	[OUTCOME_AROUND] = "around",	 [OUTCOME_RESIDENT] = "resident",
	[OUTCOME_SPURIOUS] = "spurious", [OUTCOME_FAILED] = "failed",
};

_Static_assert(COUNT_OF(outcome_names) == OUTCOMES, "a name for each");

static volatile sig_atomic_t asked_to_end;
static sigset_t unblocked;

const char *trace_outcome_name(enum trace_outcome outcome)
{
	return outcome_names[outcome];
}

const char *trace_times_name(enum trace_view view, size_t number)
{
	return view == VIEW_CALLS ? trace_call_name(number) :
				    trace_outcome_name(number);
}

/* --- arguments */

static enum trace_view parse_view(const struct command *self, const char *name)
{
	size_t i;

	for (i = 0; i < COUNT_OF(view_names); i++)
		if (!strcmp(view_names[i], name))
			return i;
	cmd_usage(self, "no view '%s': faults, latency, stacks or calls", name);
}

static int64_t parse_seconds(const struct command *self, const char *text)
{
	return llround(cmd_parse_interval(self, text) * SECOND);
}

static void parse_options(const struct command *self, int argc, char **argv,
			  struct trace_options *options)
{
	static const struct option longs[] = {
		LONG_OPTION_HELP,
		LONG_OPTION_JSON,
		{ "interval", required_argument, NULL, 'i' },
		{ "duration", required_argument, NULL, 'd' },
		{ "top", required_argument, NULL, 'n' },
		{ "pid", required_argument, NULL, 'p' },
		{ "kernel", no_argument, NULL, 'k' },
		{ "executable", required_argument, NULL, 'x' },
		{ 0 },
	};
	int option;

	while ((option = cmd_option(self, argc, argv, "+i:d:n:p:kx:", longs)) !=
	       -1)
		switch (option) {
		case OPTION_JSON:
			options->json = true;
			break;
		case 'i':
			options->interval = parse_seconds(self, optarg);
			break;
		case 'd':
			options->duration = parse_seconds(self, optarg);
			break;
		case 'n':
			if (!cmd_parse_number(optarg, &options->top) ||
			    !options->top)
				cmd_usage(self, "'%s' is no number of rows",
					  optarg);
			break;
		case 'p':
			options->pid = cmd_parse_pid(self, optarg);
			break;
		case 'k':
			options->kernel = true;
			break;
		case 'x':
			options->file = optarg;
			break;
		}
	if (options->kernel && options->view != VIEW_STACKS)
		cmd_usage(self, "-k is for stacks");
	if (options->file && options->view != VIEW_CALLS)
		cmd_usage(self, "-x is for calls");
	if (optind < argc)
		options->command = argv + optind;
}

/* --- signals and the command */

static void on_signal(int sig)
{
	(void)sig;
	asked_to_end = 1;
}

/* Whoever started us to ignore one means it. */
static void catch_signal(int sig)
{
	struct sigaction action;

	sigaction(sig, NULL, &action);
	if (action.sa_handler == SIG_IGN && sig != SIGCHLD)
		return;
	action = (struct sigaction){ .sa_handler = on_signal };
	sigaction(sig, &action, NULL);
}

static void catch_signals(void)
{
	static const int signals[] = { SIGINT, SIGTERM, SIGCHLD };
	sigset_t set;
	size_t i;

	sigemptyset(&set);
	for (i = 0; i < COUNT_OF(signals); i++) {
		catch_signal(signals[i]);
		sigaddset(&set, signals[i]);
	}
	sigprocmask(SIG_BLOCK, &set, &unblocked);
	for (i = 0; i < COUNT_OF(signals); i++)
		sigdelset(&unblocked, signals[i]);
}

/* The end of the pipe that closes with a successful execvp() tells how it went. */
static void start_command(char **command)
{
	int ends[2], error;
	pid_t pid;

	if (pipe2(ends, O_CLOEXEC))
		err(STATUS_FAILED, "%s", command[0]);
	pid = fork();
	if (pid < 0)
		err(STATUS_FAILED, "%s", command[0]);
	if (!pid) {
		sigprocmask(SIG_SETMASK, &unblocked, NULL);
		execvp(command[0], command);
		error = errno;
		if (write(ends[1], &error, sizeof(error)) < 0)
			_exit(127);
		_exit(127);
	}
	close(ends[1]);
	if (read(ends[0], &error, sizeof(error)) == sizeof(error)) {
		errno = error;
		err(STATUS_FAILED, "%s", command[0]);
	}
	close(ends[0]);
}

/* --- watching */

/**
 * struct watch - what is watched
 * @options: what is asked for
 * @maps: what the programs count
 * @fresh: the ring of stacks that are new, NULL without
 */
struct watch {
	const struct trace_options *options;
	struct trace_maps maps;
	struct ring_buffer *fresh;
};

static int note_stack(void *context, void *data, size_t size)
{
	const struct watch *watch = context;
	const struct trace_fresh *fresh = data;

	if (size >= sizeof(*fresh))
		trace_frames_note(fresh, watch->options->kernel);
	return 0;
}

static int64_t now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec * SECOND + time.tv_nsec;
}

/* Until a time, looking up stacks meanwhile; false when asked to end before it. */
static bool trace_wait(const struct watch *watch, int64_t until)
{
	struct pollfd poll = { .fd = -1, .events = POLLIN };
	struct timespec rest;
	int64_t left;
	int n;

	if (watch->fresh)
		poll.fd = ring_buffer__epoll_fd(watch->fresh);
	while (!asked_to_end) {
		left = until - now();
		if (left <= 0)
			return true;
		rest = (struct timespec){ left / SECOND, left % SECOND };
		n = ppoll(&poll, 1, &rest, &unblocked);
		if (n < 0 && errno != EINTR)
			err(STATUS_FAILED, "waiting");
		if (n > 0)
			ring_buffer__consume(watch->fresh);
	}
	return false;
}

static void report(const struct watch *watch)
{
	struct trace_report report;

	if (watch->fresh)
		ring_buffer__consume(watch->fresh);
	trace_report_read(watch->options, &watch->maps, &report);
	if (watch->options->json)
		trace_json_print(watch->options, &report);
	else
		trace_text_print(watch->options, &report);
	trace_report_free(&report);
	if (fflush(stdout))
		err(STATUS_FAILED, "standard output");
}

static void watch_until_end(const struct watch *watch)
{
	const struct trace_options *options = watch->options;
	const int64_t begin = now();
	const int64_t end = options->duration ? begin + options->duration :
						INT64_MAX;
	int64_t until = begin;

	for (;;) {
		if (options->interval && end - until > options->interval)
			until += options->interval;
		else
			until = end;
		if (!trace_wait(watch, until) || until == end)
			break;
		report(watch);
	}
	report(watch);
}

static int run(int argc, char **argv)
{
	struct trace_options options = { .top = TOP_DEFAULT };
	const struct command *self = &trace_command;
	struct watch watch = { .options = &options };

	if (argc > 1 && *argv[1] != '-') {
		options.view = parse_view(self, argv[1]);
		argv[1] = argv[0];
		parse_options(self, argc - 1, argv + 1, &options);
	} else {
		parse_options(self, argc, argv, &options);
		cmd_usage(self, "which view? faults, latency, stacks or calls");
	}
	cmd_open_device();
	trace_attach(&options, &watch.maps);
	if (options.view == VIEW_STACKS)
		watch.fresh = cmd_need(ring_buffer__new(
			watch.maps.fresh, note_stack, &watch, NULL));
	catch_signals();
	trace_report_begin();
	if (options.command)
		start_command(options.command);
	watch_until_end(&watch);
	return 0;
}

const struct command trace_command = {
	.name = "trace",
	.arguments =
		"faults | latency | stacks | calls [OPTION]... [COMMAND...]",
	.summary = "count faults, their times and stacks, and calls",
	.help = "  faults      how many, by process and outcome\n"
		"  latency     how long they took, by outcome\n"
		"  stacks      where programs made them\n"
		"  calls       calls of libbsdvm, and how long they took\n"
		"  -d SECONDS  for so long; or else until COMMAND ends, or interrupted\n"
		"  -i SECONDS  a report for each interval, not one at the end\n"
		"  -n ROWS     the most frequent processes or stacks (20)\n"
		"  -p PID      of this process alone\n"
		"  -k          stacks of the kernel\n"
		"  -x FILE     calls by this program, which has the library in it, or through\n"
		"              this library; without it, through the one that programs find\n"
		"  --json      an object a report\n",
	.run = run,
};
