/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef _BSDVM_RUSAGE_H
#define _BSDVM_RUSAGE_H

#include <sys/types.h>

#include <bsdvm.h>

struct json_object;

/* What a process uses, as JSON. */
struct json_object *rusage_record(pid_t pid, const struct bsdvm_rusage *usage);

#endif /* _BSDVM_RUSAGE_H */
