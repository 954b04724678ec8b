// SPDX-License-Identifier: BSD-2-Clause
#define _GNU_SOURCE
#if !__has_include(<json-c/json.h>)
#error "json-c is missing: run scripts/setup, or install libjson-c-dev"
#endif

#include <err.h>
#include <json-c/json.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>

#include "json.h"

#define REPLACEMENT "\xef\xbf\xbd" /* U+FFFD */

static const char *separator;

static void *need(void *memory)
{
	if (!memory)
		errx(STATUS_FAILED, "out of memory");
	return memory;
}

static void put(struct json_object *record, const char *key,
		struct json_object *value)
{
	if (json_object_object_add(record, key, need(value)))
		need(NULL);
}

struct json_object *json_record(void)
{
	return need(json_object_new_object());
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

/* Paths are bytes, JSON is UTF-8, and json-c writes what it gets. */
static char *to_utf8(const char *bytes)
{
	const locale_t utf8 =
		need(newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0));
	const locale_t before = uselocale(utf8);
	size_t left = strlen(bytes), len;
	char *text = need(malloc(left * strlen(REPLACEMENT) + 1));
	char *to = text;
	mbstate_t state;

	for (; left; bytes += len, left -= len) {
		memset(&state, 0, sizeof(state));
		len = mbrlen(bytes, left, &state);
		if (len <= left) {
			to = mempcpy(to, bytes, len);
		} else {
			len = 1;
			to = mempcpy(to, REPLACEMENT, strlen(REPLACEMENT));
		}
	}
	*to = '\0';
	uselocale(before);
	freelocale(utf8);
	return text;
}

void json_put_string(struct json_object *record, const char *key,
		     const char *value)
{
	char *text = to_utf8(value);

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

struct json_object *json_put_list(struct json_object *record, const char *key)
{
	struct json_object *list = need(json_object_new_array());

	put(record, key, list);
	return list;
}

void json_append(struct json_object *list, struct json_object *record)
{
	if (json_object_array_add(list, record))
		need(NULL);
}

static void print(struct json_object *record)
{
	fputs(need((void *)json_object_to_json_string_ext(
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
