// SPDX-License-Identifier: BSD-2-Clause
/*
 * bsdvm swapon, swapoff, swapctl: page to a file or block device, or no more, and what
 * there is, in the manner of swapctl(8).
 */
#include <err.h>
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cmd.h"
#include "json.h"

/* How often the progress of swapoff is shown, microseconds. */
#define PROGRESS_PERIOD 200000

static int run_swapon(int argc, char **argv)
{
	static const struct option options[] = { LONG_OPTION_HELP, { 0 } };
	const struct command *self = &swapon_command;
	int i, status = 0;

	while (cmd_option(self, argc, argv, "", options) != -1)
		;
	if (optind == argc)
		cmd_usage(self, "which file?");
	cmd_open_device();
	for (i = optind; i < argc; i++)
		if (bsdvm_swapon(argv[i])) {
			warn("%s", argv[i]);
			status = STATUS_FAILED;
		}
	return status;
}

/**
 * struct progress - a swapoff that is being watched
 * @info: the device, as it was
 * @done: the call has returned
 */
struct progress {
	struct bsdvm_swapinfo info;
	volatile bool done;
};

static void show_progress(const struct progress *progress)
{
	struct bsdvm_swapinfo now;

	if (bsdvm_swapfind(progress->info.path, &now))
		return;
	fprintf(stderr, "\r%s: %ju of %ju pages left ", now.path,
		(uintmax_t)now.used, (uintmax_t)progress->info.used);
}

static void *watch_progress(void *arg)
{
	const struct progress *progress = arg;

	while (!progress->done) {
		show_progress(progress);
		usleep(PROGRESS_PERIOD);
	}
	fputs("\n", stderr);
	return NULL;
}

static int swapoff(const char *name, bool verbose)
{
	struct progress progress = { .done = false };
	pthread_t thread;
	int ret, error;

	if (bsdvm_swapfind(name, &progress.info))
		return -1;
	if (verbose && pthread_create(&thread, NULL, watch_progress, &progress))
		verbose = false;
	ret = bsdvm_swapoff(name);
	error = errno;
	progress.done = true;
	if (verbose)
		pthread_join(thread, NULL);
	errno = error;
	return ret;
}

static int run_swapoff(int argc, char **argv)
{
	static const struct option options[] = { LONG_OPTION_HELP, { 0 } };
	const struct command *self = &swapoff_command;
	bool verbose = isatty(STDERR_FILENO);
	int i, status = 0;

	while (cmd_option(self, argc, argv, "v", options) != -1)
		verbose = true;
	if (optind == argc)
		cmd_usage(self, "which file?");
	cmd_open_device();
	for (i = optind; i < argc; i++)
		if (swapoff(argv[i], verbose)) {
			warn("%s", argv[i]);
			status = STATUS_FAILED;
		}
	return status;
}

static const struct member members[] = {
	MEMBER(bsdvm_swapinfo, id),	MEMBER(bsdvm_swapinfo, flags),
	MEMBER(bsdvm_swapinfo, total),	MEMBER(bsdvm_swapinfo, used),
	MEMBER(bsdvm_swapinfo, errors),
};

static void list_json(void)
{
	struct bsdvm_swapinfo info;
	struct json_object *record;
	unsigned int i;

	json_list_begin();
	for (i = 0; !bsdvm_swapinfo(i, &info); i++) {
		record = json_record();
		json_put_string(record, "path", info.path);
		json_put_members(record, &info, members, COUNT_OF(members));
		json_list_print(record);
	}
	json_list_end();
}

static void list_text(void)
{
	const uintmax_t kilobytes = sysconf(_SC_PAGESIZE) / 1024;
	struct bsdvm_swapinfo info;
	unsigned int i;

	printf("%-24s %12s %10s %7s\n", "Device:", "1024-blocks",
	       "Used:", "Errors:");
	for (i = 0; !bsdvm_swapinfo(i, &info); i++)
		printf("%-24s %12ju %10ju %7ju\n", info.path,
		       (uintmax_t)info.total * kilobytes,
		       (uintmax_t)info.used * kilobytes,
		       (uintmax_t)info.errors);
}

static int run_swapctl(int argc, char **argv)
{
	static const struct option options[] = {
		LONG_OPTION_HELP,
		LONG_OPTION_JSON,
		{ 0 },
	};
	const struct command *self = &swapctl_command;
	bool json = false, list = false;
	int option;

	while ((option = cmd_option(self, argc, argv, "l", options)) != -1) {
		json |= option == OPTION_JSON;
		list |= option == 'l';
	}
	if (!list)
		cmd_usage(self, "what? -l lists the devices");
	if (optind < argc)
		cmd_usage(self, "'%s' is too much", argv[optind]);
	cmd_open_device();
	if (json)
		list_json();
	else
		list_text();
	return 0;
}

const struct command swapon_command = {
	.name = "swapon",
	.arguments = "FILE...",
	.summary = "page to files and block devices",
	.help = "What is in the file is lost. It must not be written to while it is used.\n",
	.run = run_swapon,
};

const struct command swapoff_command = {
	.name = "swapoff",
	.arguments = "[-v] FILE...|embedded",
	.summary = "page to them no more",
	.help = "  -v  show how many pages are left, as on a terminal\n"
		"\n"
		"All pages are brought back first; without room for them it fails.\n",
	.run = run_swapoff,
};

const struct command swapctl_command = {
	.name = "swapctl",
	.arguments = "-l [--json]",
	.summary = "list what is paged to",
	.help = "  -l      list the devices, in KiB\n"
		"  --json  an array of objects, in pages\n",
	.run = run_swapctl,
};
