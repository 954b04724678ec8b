// SPDX-License-Identifier: BSD-2-Clause
/*
 * bsdvm kmap: the kernel map and its submaps, and what is used of them.
 */
#include <err.h>
#include <errno.h>
#include <stdio.h>

#include "cmd.h"
#include "json.h"

static const struct member members[] = {
	MEMBER(bsdvm_kmap, start),    MEMBER(bsdvm_kmap, end),
	MEMBER(bsdvm_kmap, used),     MEMBER(bsdvm_kmap, largest_free),
	MEMBER(bsdvm_kmap, entries),  MEMBER(bsdvm_kmap, allocations),
	MEMBER(bsdvm_kmap, failures), MEMBER(bsdvm_kmap, sleeps),
};

static void print_json(const struct bsdvm_kmap *info)
{
	struct json_object *record = json_record();

	json_put_string(record, "name", info->name);
	json_put_members(record, info, members, COUNT_OF(members));
	json_list_print(record);
}

static void print_text(const struct bsdvm_kmap *info)
{
	/* Submaps lie within the kernel map, which comes first. */
	const int indent = info->index ? 2 : 0;

	printf("%*s%-*s %#18jx %#18jx %8ju %8ju %8ju %7ju %10ju %5ju %6ju\n",
	       indent, "", 12 - indent, info->name, (uintmax_t)info->start,
	       (uintmax_t)info->end,
	       (uintmax_t)(info->end - info->start) / 1024,
	       (uintmax_t)info->used / 1024,
	       (uintmax_t)info->largest_free / 1024, (uintmax_t)info->entries,
	       (uintmax_t)info->allocations, (uintmax_t)info->failures,
	       (uintmax_t)info->sleeps);
}

static int run_kmap(int argc, char **argv)
{
	static const struct option options[] = {
		LONG_OPTION_HELP,
		LONG_OPTION_JSON,
		{ 0 },
	};
	const struct command *self = &kmap_command;
	struct bsdvm_kmap info;
	bool json = false;
	unsigned int i;

	while (cmd_option(self, argc, argv, "", options) != -1)
		json = true;
	if (optind < argc)
		cmd_usage(self, "'%s' is too much", argv[optind]);
	cmd_open_device();
	if (json)
		json_list_begin();
	else
		printf("%-12s %18s %18s %8s %8s %8s %7s %10s %5s %6s\n", "MAP",
		       "START", "END", "SIZE", "USED", "LARGEST", "ENTRIES",
		       "ALLOCS", "FAILS", "SLEEPS");
	for (i = 0; !bsdvm_kmap(i, &info); i++) {
		if (json)
			print_json(&info);
		else
			print_text(&info);
	}
	if (json)
		json_list_end();
	if (errno == ENOENT)
		return 0;
	warn("kernel map");
	return STATUS_FAILED;
}

const struct command kmap_command = {
	.name = "kmap",
	.arguments = "[--json]",
	.summary = "list the kernel map and its submaps",
	.help = "  --json  an array of objects, in bytes\n"
		"\n"
		"Sizes are in KiB. Who may not see kernel addresses is told how far from\n"
		"the beginning of the kernel map they are.\n",
	.run = run_kmap,
};
