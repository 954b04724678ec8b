// SPDX-License-Identifier: BSD-2-Clause
/*
 * bsdvm stat -z and -m: the module's own memory, in vmstat's columns.
 */
#include <err.h>
#include <stdio.h>

#include "cmd.h"
#include "json.h"
#include "kmem.h"

/* The smallest size of malloc(9), and the bit of mt_sizes for more than a page. */
#define SMALLEST  16
#define LARGE_BIT 9

static const struct member zone_members[] = {
	MEMBER(bsdvm_zone, uz_size),	 MEMBER(bsdvm_zone, uz_rsize),
	MEMBER(bsdvm_zone, uz_limit),	 MEMBER(bsdvm_zone, uz_used),
	MEMBER(bsdvm_zone, uz_free),	 MEMBER(bsdvm_zone, uz_requests),
	MEMBER(bsdvm_zone, uz_failures), MEMBER(bsdvm_zone, uz_sleeps),
	MEMBER(bsdvm_zone, uz_slabs),	 MEMBER(bsdvm_zone, uz_pages),
	MEMBER(bsdvm_zone, uz_bucket),
};

static const struct member type_members[] = {
	MEMBER(bsdvm_malloc_type, mt_inuse),
	MEMBER(bsdvm_malloc_type, mt_memuse),
	MEMBER(bsdvm_malloc_type, mt_highuse),
	MEMBER(bsdvm_malloc_type, mt_requests),
	MEMBER(bsdvm_malloc_type, mt_sizes),
};

static void print_record(const char *name_key, const char *name,
			 const void *base, const struct member *members,
			 size_t count)
{
	struct json_object *record = json_record();

	json_put_string(record, name_key, name);
	json_put_members(record, base, members, count);
	json_list_print(record);
}

static void print_zone(const struct bsdvm_zone *zone)
{
	char name[sizeof(zone->uz_name) + 1];

	snprintf(name, sizeof(name), "%s:", zone->uz_name);
	printf("%-20s %6ju, %7ju, %8ju, %8ju, %9ju, %4ju, %4ju\n", name,
	       (uintmax_t)zone->uz_size, (uintmax_t)zone->uz_limit,
	       (uintmax_t)zone->uz_used, (uintmax_t)zone->uz_free,
	       (uintmax_t)zone->uz_requests, (uintmax_t)zone->uz_failures,
	       (uintmax_t)zone->uz_sleeps);
}

void kmem_print_zones(bool json)
{
	struct bsdvm_zone *zones;
	size_t i, count;

	zones = bsdvm_getzones(&count);
	if (!zones)
		err(STATUS_FAILED, "the zones");
	if (json)
		json_list_begin();
	else
		puts("ITEM                   SIZE    LIMIT      USED      FREE       REQ"
		     "  FAIL SLEEP");
	for (i = 0; i < count; i++) {
		if (json)
			print_record("uz_name", zones[i].uz_name, &zones[i],
				     zone_members, COUNT_OF(zone_members));
		else
			print_zone(&zones[i]);
	}
	if (json)
		json_list_end();
	bsdvm_freezones(zones);
}

/* The sizes that some allocation had, with commas between. */
static void print_sizes(uint32_t sizes)
{
	const char *comma = "";
	unsigned int bit;

	for (bit = 0; bit < LARGE_BIT; bit++) {
		if (!(sizes & 1U << bit))
			continue;
		printf("%s%u", comma, SMALLEST << bit);
		comma = ",";
	}
	if (sizes & 1U << LARGE_BIT)
		printf("%slarger", comma);
}

static void print_type(const struct bsdvm_malloc_type *type)
{
	printf("%16s %6ju %6juK %6juK %8ju  ", type->mt_name,
	       (uintmax_t)type->mt_inuse,
	       (uintmax_t)(type->mt_memuse + 1023) / 1024,
	       (uintmax_t)(type->mt_highuse + 1023) / 1024,
	       (uintmax_t)type->mt_requests);
	print_sizes(type->mt_sizes);
	putchar('\n');
}

void kmem_print_malloc_types(bool json)
{
	struct bsdvm_malloc_type *types;
	size_t i, count;

	types = bsdvm_getmalloctypes(&count);
	if (!types)
		err(STATUS_FAILED, "the types of memory");
	if (json)
		json_list_begin();
	else
		puts("            Type  InUse  MemUse HighUse Requests  Size(s)");
	for (i = 0; i < count; i++) {
		if (json)
			print_record("mt_name", types[i].mt_name, &types[i],
				     type_members, COUNT_OF(type_members));
		else
			print_type(&types[i]);
	}
	if (json)
		json_list_end();
	bsdvm_freemalloctypes(types);
}
