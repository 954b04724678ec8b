// SPDX-License-Identifier: BSD-2-Clause
#if !__has_include(<json-c/json.h>)
#error "json-c is missing: run scripts/setup, or install libjson-c-dev"
#endif

#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>

#include "json.h"
#include "utf8.h"

static const char *separator;

static void put(struct json_object *record, const char *key,
		struct json_object *value)
{
	if (json_object_object_add(record, key, cmd_need(value)))
		cmd_need(NULL);
}

struct json_object *json_record(void)
{
	return cmd_need(json_object_new_object());
}

void json_put_number(struct json_object *record, const char *key,
		     uint64_t value)
{
	put(record, key, json_object_new_uint64(value));
}

void json_put_time(struct json_object *record, const char *key,
		   const struct timespec *time)
{
	char text[32];

	snprintf(text, sizeof(text), "%lld.%06ld", (long long)time->tv_sec,
		 time->tv_nsec / 1000);
	put(record, key, json_object_new_double_s(time->tv_sec, text));
}

void json_put_string(struct json_object *record, const char *key,
		     const char *value)
{
	char *text = utf8_of(value);

	put(record, key, json_object_new_string(text));
	free(text);
}

void json_put_members(struct json_object *record, const void *base,
		      const struct member *members, size_t count)
{
	for (; count; count--, members++)
		json_put_number(record, members->name,
				member_value(base, members));
}

struct json_object *json_put_record(struct json_object *record, const char *key)
{
	struct json_object *inner = json_record();

	put(record, key, inner);
	return inner;
}

struct json_object *json_put_list(struct json_object *record, const char *key)
{
	struct json_object *list = cmd_need(json_object_new_array());

	put(record, key, list);
	return list;
}

void json_append(struct json_object *list, struct json_object *record)
{
	if (json_object_array_add(list, record))
		cmd_need(NULL);
}

static void print(struct json_object *record)
{
	fputs(cmd_need((void *)json_object_to_json_string_ext(
		      record,
		      JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE)),
	      stdout);
	json_object_put(record);
}

void json_print(struct json_object *record)
{
	print(record);
	putchar('\n');
}

void json_list_begin(void)
{
	putchar('[');
	separator = "\n";
}

void json_list_print(struct json_object *record)
{
	fputs(separator, stdout);
	print(record);
	separator = ",\n";
}

void json_list_end(void)
{
	fputs("\n]\n", stdout);
}
