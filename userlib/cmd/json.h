/* SPDX-License-Identifier: BSD-2-Clause */
/* JSON on the standard output, by json-c. Without memory, the program ends. */
#ifndef _BSDVM_JSON_H
#define _BSDVM_JSON_H

#include <time.h>

#include "cmd.h"

struct json_object;

/* An object without members. */
struct json_object *json_record(void);

/* Add members. A string that is not UTF-8 gets U+FFFD for each byte of no use. */
void json_put_number(struct json_object *record, const char *key,
		     uint64_t value);
void json_put_time(struct json_object *record, const char *key,
		   const struct timespec *time);
void json_put_string(struct json_object *record, const char *key,
		     const char *value);

/* Add @count members of the structure at @base, under their names. */
void json_put_members(struct json_object *record, const void *base,
		      const struct member *members, size_t count);

/* Add an object without members. */
struct json_object *json_put_record(struct json_object *record,
				    const char *key);

/* Add a list, and add a record to it. */
struct json_object *json_put_list(struct json_object *record, const char *key);
void json_append(struct json_object *list, struct json_object *record);

/* Print an object on a line of its own, and free it. */
void json_print(struct json_object *record);

/* A list on the standard output: records are printed as they come. */
void json_list_begin(void);
void json_list_print(struct json_object *record);
void json_list_end(void);

#endif /* _BSDVM_JSON_H */
