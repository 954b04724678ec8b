// SPDX-License-Identifier: BSD-2-Clause
/*
 * bsdvm top: the machine as it goes, on a terminal or, with -b, as text.
 *
 * The terminal shows what there is at once, and rates as soon as there is something to
 * compare with. Text has nothing but what was compared.
 */
#include <err.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "screen.h"
#include "top.h"

#define INTERVAL 2.0

/**
 * struct view - how it is shown
 * @interval: seconds between readings
 * @count: readings, 0 for no end
 * @batch: as text
 * @json: as JSON
 */
struct view {
	double interval;
	uint64_t count;
	bool batch;
	bool json;
};

static struct timespec later(struct timespec time, double seconds)
{
	double whole;
	const double fraction = modf(seconds, &whole);

	time.tv_sec += (time_t)whole;
	time.tv_nsec += (long)(fraction * 1e9);
	if (time.tv_nsec >= 1000000000) {
		time.tv_nsec -= 1000000000;
		time.tv_sec++;
	}
	return time;
}

/* A reading as it fits on the screen. */
static void show(const struct top_reading *now,
		 const struct top_reading *before)
{
	const size_t lines = screen_lines();
	char *text = NULL;
	size_t size;
	FILE *out = cmd_need(open_memstream(&text, &size));

	top_print(out, now, before,
		  lines > TOP_OTHER_LINES ? lines - TOP_OTHER_LINES : 1);
	if (fclose(out))
		cmd_need(NULL);
	screen_show(text);
	free(text);
}

static void print(const struct view *view, const struct top_reading *now,
		  const struct top_reading *before)
{
	if (view->json)
		top_print_json(now);
	else
		top_print(stdout, now, before, SIZE_MAX);
	if (fflush(stdout))
		err(STATUS_FAILED, "standard output");
}

/* Wait for the time of the next reading; false to end. */
static bool wait_for_next(const struct view *view,
			  const struct top_reading *now,
			  const struct top_reading *before)
{
	const struct timespec until = later(now->at, view->interval);
	enum screen_event event;

	while ((event = screen_wait(&until)) == SCREEN_RESIZED)
		show(now, before);
	return event == SCREEN_TIME;
}

/* Until the end; what could not be read, with errno, or NULL. */
static const char *watch(const struct view *view)
{
	/* As many readings, and in a batch the one that the first is compared with. */
	const uint64_t last = view->count - (view->batch ? 0 : 1);
	struct top_reading reading[2] = { 0 };
	const char *failed;
	uint64_t i;

	for (i = 0;; i++) {
		struct top_reading *now = &reading[i % 2];
		struct top_reading *before = i ? &reading[(i + 1) % 2] : NULL;

		top_clear(now);
		failed = top_read(now);
		if (failed)
			break;
		if (!view->batch)
			show(now, before);
		else if (before)
			print(view, now, before);
		if ((view->count && i == last) ||
		    !wait_for_next(view, now, before))
			break;
	}
	top_clear(&reading[0]);
	top_clear(&reading[1]);
	return failed;
}

static int run(int argc, char **argv)
{
	static const struct option options[] = {
		LONG_OPTION_HELP,
		LONG_OPTION_JSON,
		{ 0 },
	};
	const struct command *self = &top_command;
	struct view view = { .interval = INTERVAL };
	const char *failed;
	int option, error;

	while ((option = cmd_option(self, argc, argv, "bd:n:", options)) !=
	       -1) {
		switch (option) {
		case OPTION_JSON:
			view.json = true;
			/* fall through */
		case 'b':
			view.batch = true;
			break;
		case 'd':
			view.interval = cmd_parse_interval(self, optarg);
			break;
		case 'n':
			if (!cmd_parse_number(optarg, &view.count) ||
			    !view.count || view.count == UINT64_MAX)
				cmd_usage(self, "'%s' is no count", optarg);
			break;
		}
	}
	if (optind != argc)
		cmd_usage(self, "'%s' is too much", argv[optind]);
	cmd_open_device();
	if (view.batch)
		screen_catch_interrupt();
	else
		screen_begin();
	failed = watch(&view);
	error = errno;
	screen_end();
	if (failed)
		errx(STATUS_FAILED, "%s: %s", failed, strerror(error));
	return 0;
}

const struct command top_command = {
	.name = "top",
	.arguments = "[--json] [-b] [-d INTERVAL] [-n COUNT]",
	.summary = "watch the machine, its windows and its chains",
	.help = "  -b           as text, not on a terminal; what happened in each interval\n"
		"  -d INTERVAL  seconds between two readings, 2 without it\n"
		"  -n COUNT     so many readings, then the end\n"
		"  --json       as -b, an object a line\n"
		"\n"
		"q ends it, any other key reads anew. SIZE, RES, WIRED: pages. FLT, IO:\n"
		"faults without and with I/O. DEPTH: objects of a chain.\n",
	.run = run,
};
