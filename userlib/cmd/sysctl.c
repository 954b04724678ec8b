// SPDX-License-Identifier: BSD-2-Clause
/* bsdvm sysctl: tunables and gauges by name, as sysctl(8) has them. */
#include <err.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "cmd.h"
#include "json.h"

/**
 * struct style - how to print
 * @json: as a list of objects
 * @describe: the description and the range rather than the value
 * @bare: the value without the name
 */
struct style {
	bool json;
	bool describe;
	bool bare;
};

static const struct member members[] = {
	MEMBER(bsdvm_sysctl, attr),
	MEMBER(bsdvm_sysctl, value),
	MEMBER(bsdvm_sysctl, min),
	MEMBER(bsdvm_sysctl, max),
};

static void print_json(const struct bsdvm_sysctl *info)
{
	struct json_object *record = json_record();

	json_put_string(record, "name", info->name);
	json_put_members(record, info, members, COUNT_OF(members));
	json_put_string(record, "desc", info->desc);
	json_list_print(record);
}

static void print_info(const struct bsdvm_sysctl *info,
		       const struct style *style)
{
	if (style->json) {
		print_json(info);
		return;
	}
	if (!style->bare)
		printf("%s: ", info->name);
	if (!style->describe)
		printf("%ju\n", (uintmax_t)info->value);
	else if (info->attr & BSDVM_SYSCTL_WRITABLE)
		printf("%s (%ju to %ju)\n", info->desc, (uintmax_t)info->min,
		       (uintmax_t)info->max);
	else
		printf("%s (read-only)\n", info->desc);
}

static int print_all(const struct style *style)
{
	struct bsdvm_sysctl info;
	unsigned int i;

	for (i = 0; !bsdvm_sysctl_info(NULL, i, &info); i++)
		print_info(&info, style);
	if (errno == ENOENT)
		return 0;
	warn("the tunables");
	return STATUS_FAILED;
}

static void warn_name(const char *name)
{
	if (errno == ENOENT)
		warnx("no sysctl '%s'", name);
	else
		warn("%s", name);
}

/* What stands before the "=" of an assignment, and what it is to become. */
static bool parse_assignment(const char *text, char *name, size_t room,
			     uint64_t *value)
{
	const size_t len = strcspn(text, "=");

	if (!text[len])
		return false;
	if (!len || len >= room)
		cmd_usage(&sysctl_command, "'%s' has no name", text);
	if (!cmd_parse_number(text + len + 1, value))
		cmd_usage(&sysctl_command, "'%s' has no number", text);
	memcpy(name, text, len);
	name[len] = '\0';
	return true;
}

/* As sysctl(8): the value there was, and the one there is. */
static int set(const char *name, uint64_t value, const struct style *style)
{
	struct bsdvm_sysctl before, after;

	if (bsdvm_sysctl_info(name, 0, &before)) {
		warn_name(name);
		return STATUS_FAILED;
	}
	if (bsdvm_sysctl_set(name, value)) {
		if (errno == EINVAL)
			warnx("%s: %ju is not from %ju to %ju", name,
			      (uintmax_t)value, (uintmax_t)before.min,
			      (uintmax_t)before.max);
		else
			warn("%s", name);
		return STATUS_FAILED;
	}
	if (bsdvm_sysctl_info(name, 0, &after)) {
		warn("%s", name);
		return STATUS_FAILED;
	}
	if (style->json)
		print_json(&after);
	else if (style->bare)
		printf("%ju -> %ju\n", (uintmax_t)before.value,
		       (uintmax_t)after.value);
	else
		printf("%s: %ju -> %ju\n", after.name, (uintmax_t)before.value,
		       (uintmax_t)after.value);
	return 0;
}

static int serve(const char *operand, const struct style *style)
{
	char name[BSDVM_SYSCTL_NAME_MAX];
	struct bsdvm_sysctl info;
	uint64_t value;

	if (parse_assignment(operand, name, sizeof(name), &value))
		return set(name, value, style);
	if (bsdvm_sysctl_info(operand, 0, &info)) {
		warn_name(operand);
		return STATUS_FAILED;
	}
	print_info(&info, style);
	return 0;
}

static int run(int argc, char **argv)
{
	static const struct option options[] = {
		LONG_OPTION_HELP,
		LONG_OPTION_JSON,
		{ 0 },
	};
	const struct command *self = &sysctl_command;
	char name[BSDVM_SYSCTL_NAME_MAX];
	struct style style = { 0 };
	bool all = false;
	int option, i, status = 0;
	uint64_t value;

	while ((option = cmd_option(self, argc, argv, "dan", options)) != -1) {
		if (option == OPTION_JSON)
			style.json = true;
		else if (option == 'd')
			style.describe = true;
		else if (option == 'n')
			style.bare = true;
		else
			all = true;
	}
	if (all && optind != argc)
		cmd_usage(self, "-a takes no names");
	/* Nothing is set before all of the line is understood. */
	for (i = optind; i < argc; i++)
		if (parse_assignment(argv[i], name, sizeof(name), &value) &&
		    style.describe)
			cmd_usage(self, "-d sets nothing");
	cmd_open_device();
	if (style.json)
		json_list_begin();
	if (optind == argc)
		status = print_all(&style);
	for (i = optind; i < argc; i++)
		status |= serve(argv[i], &style);
	if (style.json)
		json_list_end();
	return status;
}

const struct command sysctl_command = {
	.name = "sysctl",
	.arguments = "[--json] [-a] [-d] [-n] [NAME[=VALUE]]...",
	.summary = "show and set tunables and gauges",
	.help = "  -a      all of them, as without a name\n"
		"  -d      what they are and which values they take\n"
		"  -n      without their names\n"
		"  --json  an array of objects\n"
		"\n"
		"Only root can set them.\n",
	.run = run,
};
