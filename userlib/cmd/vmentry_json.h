/* SPDX-License-Identifier: BSD-2-Clause */
/* The entries of a map, and their objects, as JSON. */
#ifndef _BSDVM_VMENTRY_JSON_H
#define _BSDVM_VMENTRY_JSON_H

#include "cmd.h"

struct json_object;

/* An entry of a process's map, its chain of objects included. */
struct json_object *vmentry_record(pid_t pid,
				   const struct bsdvm_vmentry *entry);

/* One object of a chain. */
struct json_object *vmobject_record(const struct bsdvm_vmobject *object);

#endif /* _BSDVM_VMENTRY_JSON_H */
