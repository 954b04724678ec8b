// SPDX-License-Identifier: BSD-2-Clause
/* bsdvm map: the entries of processes' maps, as procstat -v lists them. */
#include <stdio.h>

#include "cmd.h"
#include "json.h"
#include "vmentry_json.h"
#include "vmmap_print.h"

static void print_json(pid_t pid, const struct bsdvm_vmentry *entry,
		       size_t count)
{
	for (; count; count--, entry = bsdvm_vmentry_next(entry))
		json_list_print(vmentry_record(pid, entry));
}

static int run(int argc, char **argv)
{
	static const struct option options[] = {
		LONG_OPTION_HELP,
		LONG_OPTION_JSON,
		{ "objects", no_argument, NULL, OPTION_OBJECTS },
		{ 0 },
	};
	unsigned int flags = 0;
	bool json = false;
	int option, i, status = 0;

	while ((option = cmd_option(&map_command, argc, argv, "", options)) !=
	       -1) {
		if (option == OPTION_JSON)
			json = true;
		else
			flags |= VMMAP_PRINT_OBJECTS;
	}
	if (optind == argc)
		cmd_usage(&map_command, "which process?");
	for (i = optind; i < argc; i++)
		cmd_parse_pid(&map_command, argv[i]);
	cmd_open_device();
	if (json)
		json_list_begin();
	for (i = optind; i < argc; i++) {
		const pid_t pid = cmd_parse_pid(&map_command, argv[i]);
		struct bsdvm_vmentry *map;
		size_t count;

		map = bsdvm_getvmmap_pid(pid, &count);
		if (!map) {
			cmd_warn_pid(pid);
			status = STATUS_FAILED;
			continue;
		}
		if (json)
			print_json(pid, map, count);
		else
			vmmap_print(stdout, pid, map, count, flags);
		/* One header for all of them. */
		flags |= VMMAP_PRINT_NO_HEADER;
		bsdvm_freevmmap(map);
	}
	if (json)
		json_list_end();
	return status;
}

const struct command map_command = {
	.name = "map",
	.arguments = "[--json] [--objects] PID...",
	.summary = "show the maps of processes",
	.help = "  --objects  below each entry its chain of objects, the topmost first\n"
		"  --json     an array of entries, chains included\n"
		"\n"
		"FLAG: C copy on write, N needs copy, S superpages, U or D grows up or\n"
		"down, W wired by the user. TP: df anonymous, vn file, sw swap, dv device,\n"
		"ph physical memory, sg, md, dd dead, gd guard, -- no object yet.\n",
	.run = run,
};
