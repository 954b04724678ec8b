/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef _BSDVM_STAT_H
#define _BSDVM_STAT_H

#include <bsdvm.h>

struct json_object;

/* The counters and gauges of the machine, as JSON. */
struct json_object *stat_record(const struct bsdvm_stats *stats);

#endif /* _BSDVM_STAT_H */
