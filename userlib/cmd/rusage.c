// SPDX-License-Identifier: BSD-2-Clause
/* bsdvm rusage: what a process' vmspace uses, in the manner of procstat -r. */
#include <stdio.h>

#include "cmd.h"
#include "json.h"
#include "rusage.h"

/* getrusage(2)'s first, in procstat's words. */
static const struct member members[] = {
	LISTED_MEMBER(bsdvm_rusage, ru_maxrss, "maximum RSS, KB"),
	LISTED_MEMBER(bsdvm_rusage, ru_ixrss, "integral shared memory"),
	LISTED_MEMBER(bsdvm_rusage, ru_idrss, "integral unshared data"),
	LISTED_MEMBER(bsdvm_rusage, ru_isrss, "integral unshared stack"),
	LISTED_MEMBER(bsdvm_rusage, ru_minflt, "page reclaims"),
	LISTED_MEMBER(bsdvm_rusage, ru_majflt, "page faults"),
	LISTED_MEMBER(bsdvm_rusage, ru_nswap, "swaps"),
	LISTED_MEMBER(bsdvm_rusage, vm_size, "virtual size, bytes"),
	LISTED_MEMBER(bsdvm_rusage, vm_rssize, "resident, pages"),
	LISTED_MEMBER(bsdvm_rusage, vm_swrss,
		      "resident before swapped out, pages"),
	LISTED_MEMBER(bsdvm_rusage, vm_tsize, "text, pages"),
	LISTED_MEMBER(bsdvm_rusage, vm_dsize, "data and heap, pages"),
	LISTED_MEMBER(bsdvm_rusage, vm_ssize, "stack, pages"),
	LISTED_MEMBER(bsdvm_rusage, vm_taddr, "start of text"),
	LISTED_MEMBER(bsdvm_rusage, vm_daddr, "start of data"),
	LISTED_MEMBER(bsdvm_rusage, vm_maxsaddr, "lowest stack"),
	LISTED_MEMBER(bsdvm_rusage, vm_wired, "locked, bytes"),
	LISTED_MEMBER(bsdvm_rusage, vm_charge, "swap reserved, bytes"),
	LISTED_MEMBER(bsdvm_rusage, vm_entries, "map entries"),
	LISTED_MEMBER(bsdvm_rusage, vm_flags, "flags"),
};

static const char *flag_names(uint32_t flags)
{
	static const char *const names[] = {
		"-",
		"wirefuture",
		"protected",
		"wirefuture,protected",
	};

	return flags < COUNT_OF(names) ? names[flags] : "?";
}

static void print_line(pid_t pid, const struct member *member,
		       const struct bsdvm_rusage *usage)
{
	const uintmax_t value = member_value(usage, member);

	printf("%5d %-34s ", pid, member->words);
	switch (member->offset) {
	case offsetof(struct bsdvm_rusage, vm_taddr):
	case offsetof(struct bsdvm_rusage, vm_daddr):
	case offsetof(struct bsdvm_rusage, vm_maxsaddr):
		printf("%#14jx\n", value);
		break;
	case offsetof(struct bsdvm_rusage, vm_flags):
		printf("%14s\n", flag_names(usage->vm_flags));
		break;
	default:
		printf("%14ju\n", value);
	}
}

static void print_text(pid_t pid, const struct bsdvm_rusage *usage)
{
	static bool headed;
	size_t i;

	if (!headed)
		printf("%5s %-34s %14s\n", "PID", "RESOURCE", "VALUE");
	headed = true;
	for (i = 0; i < COUNT_OF(members); i++)
		print_line(pid, &members[i], usage);
}

struct json_object *rusage_record(pid_t pid, const struct bsdvm_rusage *usage)
{
	struct json_object *record = json_record();

	json_put_number(record, "pid", pid);
	json_put_members(record, usage, members, COUNT_OF(members));
	return record;
}

static int run(int argc, char **argv)
{
	static const struct option options[] = {
		LONG_OPTION_HELP,
		LONG_OPTION_JSON,
		{ 0 },
	};
	const struct command *self = &rusage_command;
	bool json = false;
	int i, status = 0;

	while (cmd_option(self, argc, argv, "", options) != -1)
		json = true;
	if (optind == argc)
		cmd_usage(self, "which process?");
	for (i = optind; i < argc; i++)
		cmd_parse_pid(self, argv[i]);
	cmd_open_device();
	if (json)
		json_list_begin();
	for (i = optind; i < argc; i++) {
		const pid_t pid = cmd_parse_pid(self, argv[i]);
		struct bsdvm_rusage usage;

		if (bsdvm_rusage(pid, &usage)) {
			cmd_warn_pid(pid);
			status = STATUS_FAILED;
		} else if (json) {
			json_list_print(rusage_record(pid, &usage));
		} else {
			print_text(pid, &usage);
		}
	}
	if (json)
		json_list_end();
	return status;
}

const struct command rusage_command = {
	.name = "rusage",
	.arguments = "[--json] PID...",
	.summary = "show what the windows of processes use",
	.help = "  --json  an array of objects\n"
		"\n"
		"A reclaim is a fault served without I/O, a page fault one that waited for it.\n",
	.run = run,
};
