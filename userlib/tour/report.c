// SPDX-License-Identifier: BSD-2-Clause
#include <errno.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "report.h"
#include "vmmap_print.h"

static unsigned int steps;
static unsigned int failures;

void report_step(const char *title)
{
	printf("\n%u. %s\n\n", ++steps, title);
}

void report_say(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vprintf(fmt, args);
	va_end(args);
	putchar('\n');
}

void report_map(const char *whose)
{
	struct bsdvm_vmentry *map;
	size_t count;

	map = bsdvm_getvmmap(&count);
	if (!map)
		report_die("bsdvm_getvmmap");
	printf("\nThe map of %s:\n", whose);
	vmmap_print(stdout, getpid(), map, count, VMMAP_PRINT_OBJECTS);
	putchar('\n');
	bsdvm_freevmmap(map);
}

void report_check(bool held, const char *fmt, ...)
{
	va_list args;

	printf("  %-4s  ", held ? "ok" : "FAIL");
	va_start(args, fmt);
	vprintf(fmt, args);
	va_end(args);
	putchar('\n');
	if (!held)
		failures++;
}

unsigned int report_failures(void)
{
	return failures;
}

void report_die(const char *what)
{
	printf("  FAIL  %s: %s\n", what, strerror(errno));
	exit(1);
}

struct chain report_chain(const void *addr)
{
	const size_t room = sizeof(((struct chain *)NULL)->object) /
			    sizeof(struct bsdvm_vmobject);
	struct bsdvm_vmentry *map, *entry;
	struct chain chain = { 0 };
	size_t count;

	map = bsdvm_getvmmap(&count);
	if (!map)
		report_die("bsdvm_getvmmap");
	for (entry = map; count; count--, entry = bsdvm_vmentry_next(entry)) {
		const struct bsdvm_vmobject *object;
		unsigned int i;

		if ((uintptr_t)addr < entry->kve_start ||
		    (uintptr_t)addr >= entry->kve_end)
			continue;
		object = bsdvm_vmentry_objects(entry);
		chain.depth = entry->kve_nobjects;
		for (i = 0; i < chain.depth; i++) {
			if (object[i].kvo_type != BSDVM_KVME_TYPE_VNODE)
				chain.pages += object[i].kvo_resident;
			if (i < room)
				chain.object[i] = object[i];
		}
	}
	bsdvm_freevmmap(map);
	return chain;
}

struct bsdvm_stats report_stats(void)
{
	struct bsdvm_stats stats;

	if (bsdvm_stats(&stats))
		report_die("bsdvm_stats");
	return stats;
}

unsigned long long report_free(const struct bsdvm_stats *stats)
{
	return stats->v_free_count + stats->v_kmem_count;
}
