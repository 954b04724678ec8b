// SPDX-License-Identifier: BSD-2-Clause
/* bsdvm objects: all objects of the machine, as vmstat -o lists them. */
#include <err.h>
#include <stdio.h>

#include "cmd.h"
#include "json.h"
#include "vmmap_print.h"

static const struct member members[] = {
	MEMBER(bsdvm_kvmobject, kvo_type),
	MEMBER(bsdvm_kvmobject, kvo_id),
	MEMBER(bsdvm_kvmobject, kvo_size),
	MEMBER(bsdvm_kvmobject, kvo_resident),
	MEMBER(bsdvm_kvmobject, kvo_active),
	MEMBER(bsdvm_kvmobject, kvo_inactive),
	MEMBER(bsdvm_kvmobject, kvo_backing_id),
	MEMBER(bsdvm_kvmobject, kvo_vn_fileid),
	MEMBER(bsdvm_kvmobject, kvo_vn_fsid),
	MEMBER(bsdvm_kvmobject, kvo_ref_count),
	MEMBER(bsdvm_kvmobject, kvo_shadow_count),
	MEMBER(bsdvm_kvmobject, kvo_memattr),
};

/* The caching of x86, by the number in its page attribute table. */
static const char *caching(uint32_t memattr)
{
	static const char *const names[] = {
		"UC", "WC", "??", "??", "WT", "WP", "WB", "U-",
	};

	return memattr < COUNT_OF(names) ? names[memattr] : "??";
}

static void print_text(const struct bsdvm_kvmobject *object)
{
	const char *path = bsdvm_kvmobject_path(object);

	printf("%5ju %5ju %5ju %3u %3u %s %s", (uintmax_t)object->kvo_resident,
	       (uintmax_t)object->kvo_active, (uintmax_t)object->kvo_inactive,
	       object->kvo_ref_count, object->kvo_shadow_count,
	       caching(object->kvo_memattr), vmmap_type_name(object->kvo_type));
	if (*path) {
		putchar(' ');
		vmmap_print_path(stdout, path);
	}
	putchar('\n');
}

static void print_json(const struct bsdvm_kvmobject *object)
{
	struct json_object *record = json_record();

	json_put_members(record, object, members, COUNT_OF(members));
	json_put_string(record, "kvo_path", bsdvm_kvmobject_path(object));
	json_list_print(record);
}

static int run(int argc, char **argv)
{
	static const struct option options[] = {
		LONG_OPTION_HELP,
		LONG_OPTION_JSON,
		{ 0 },
	};
	const struct command *self = &objects_command;
	struct bsdvm_kvmobject *objects, *object;
	bool json = false;
	size_t count;

	while (cmd_option(self, argc, argv, "", options) != -1)
		json = true;
	if (optind != argc)
		cmd_usage(self, "'%s' is too much", argv[optind]);
	cmd_open_device();
	objects = bsdvm_getvmobject(&count);
	if (!objects)
		err(STATUS_FAILED, "the objects");
	if (json)
		json_list_begin();
	else
		puts("  RES   ACT INACT REF SHD CM TP PATH");
	for (object = objects; count; count--) {
		if (json)
			print_json(object);
		else
			print_text(object);
		object = bsdvm_kvmobject_next(object);
	}
	if (json)
		json_list_end();
	bsdvm_freevmobject(objects);
	return 0;
}

const struct command objects_command = {
	.name = "objects",
	.arguments = "[--json]",
	.summary = "show the objects of the machine",
	.help = "  --json  an array of objects, with the object that each one shadows\n"
		"\n"
		"RES, ACT, INACT: pages resident, and of them on the active and on the\n"
		"inactive queue. CM: caching. TP: as of bsdvm map. Only root sees paths.\n",
	.run = run,
};
