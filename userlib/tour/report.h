/* SPDX-License-Identifier: BSD-2-Clause */
/* What the tour prints, and the checks it counts. */
#ifndef _BSDVM_TOUR_REPORT_H
#define _BSDVM_TOUR_REPORT_H

#include <stdbool.h>
#include <stddef.h>

#include <bsdvm.h>

/* A heading, numbered by itself. */
void report_step(const char *title);

/* A paragraph of explanation; the text brings its own line breaks. */
void report_say(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* The map of the calling process, with chains, under a line that says whose. */
void report_map(const char *whose);

/* An "ok" or a "FAIL" line. */
void report_check(bool held, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/* Checks that failed in this process. */
unsigned int report_failures(void);

/* Something without which the tour cannot go on: say errno and exit. */
void report_die(const char *what) __attribute__((noreturn));

/**
 * struct chain - the objects of the entry that contains an address
 * @depth: their number
 * @pages: resident pages of the anonymous ones among them
 * @object: the topmost of them
 */
struct chain {
	unsigned int depth;
	unsigned int pages;
	struct bsdvm_vmobject object[4];
};

/* Look at the chain of the entry that contains @addr. */
struct chain report_chain(const void *addr);

/* Read the counters. */
struct bsdvm_stats report_stats(void);

/* Pages that are free, or that the kernel has for records of its own. */
unsigned long long report_free(const struct bsdvm_stats *stats);

#endif /* _BSDVM_TOUR_REPORT_H */
