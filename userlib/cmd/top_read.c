// SPDX-License-Identifier: BSD-2-Clause
/*
 * Reading what bsdvm top shows.
 *
 * Who has a window is found as ps(1) finds processes: by looking at each. Those that
 * we may not look at, and those that end meanwhile, are left out.
 */
#include <ctype.h>
#include <dirent.h>
#include <stdlib.h>
#include <string.h>

#include "top.h"

static int larger_first(const void *one, const void *two)
{
	const struct top_window *a = one, *b = two;

	if (a->usage.vm_rssize != b->usage.vm_rssize)
		return a->usage.vm_rssize < b->usage.vm_rssize ? 1 : -1;
	return a->pid < b->pid ? -1 : a->pid > b->pid;
}

static void add_window(struct top_reading *reading, size_t *room, pid_t pid)
{
	struct top_window window = { .pid = pid };

	if (bsdvm_rusage(pid, &window.usage))
		return;
	cmd_process_name(pid, window.name, sizeof(window.name));
	if (reading->nwindows == *room) {
		*room = *room ? 2 * *room : 64;
		reading->windows = cmd_need(
			reallocarray(reading->windows, *room, sizeof(window)));
	}
	reading->windows[reading->nwindows++] = window;
}

static bool read_windows(struct top_reading *reading)
{
	DIR *processes = opendir("/proc");
	struct dirent *process;
	size_t room = 0;

	if (!processes)
		return false;
	while ((process = readdir(processes)))
		if (isdigit((unsigned char)*process->d_name))
			add_window(reading, &room, atoi(process->d_name));
	closedir(processes);
	if (reading->nwindows)
		qsort(reading->windows, reading->nwindows,
		      sizeof(*reading->windows), larger_first);
	return true;
}

static int by_id(const void *one, const void *two)
{
	const struct bsdvm_kvmobject *const *a = one, *const *b = two;

	return (*a)->kvo_id < (*b)->kvo_id ? -1 : (*a)->kvo_id > (*b)->kvo_id;
}

/**
 * struct objects - those of the machine, to be found by their numbers
 * @list: the records, in order
 * @count: how many
 */
struct objects {
	const struct bsdvm_kvmobject **list;
	size_t count;
};

static const struct bsdvm_kvmobject *find(const struct objects *objects,
					  uint64_t id)
{
	const struct bsdvm_kvmobject key = { .kvo_id = id }, *at = &key;
	const struct bsdvm_kvmobject **found =
		bsearch(&at, objects->list, objects->count,
			sizeof(*objects->list), by_id);

	return found ? *found : NULL;
}

/* Records are made one after another: below one there may be what was above it. */
static struct top_chain follow(const struct objects *objects,
			       const struct bsdvm_kvmobject *object)
{
	struct top_chain chain = { .top = object->kvo_id };

	do {
		chain.bottom = object->kvo_id;
		chain.type = object->kvo_type;
		chain.resident += object->kvo_resident;
		chain.depth++;
		object = find(objects, object->kvo_backing_id);
	} while (object && chain.depth < objects->count);
	return chain;
}

/* Put a chain where it belongs among the deepest; equals stay in order. */
static void add_chain(struct top_reading *reading,
		      const struct top_chain *chain)
{
	size_t at = reading->nchains;

	while (at && reading->chains[at - 1].depth < chain->depth)
		at--;
	if (at == TOP_CHAINS)
		return;
	if (reading->nchains < TOP_CHAINS)
		reading->nchains++;
	memmove(&reading->chains[at + 1], &reading->chains[at],
		(reading->nchains - at - 1) * sizeof(*chain));
	reading->chains[at] = *chain;
}

static bool read_chains(struct top_reading *reading)
{
	struct bsdvm_kvmobject *records, *record;
	struct objects objects;
	size_t i;

	records = bsdvm_getvmobject(&objects.count);
	if (!records)
		return false;
	objects.list =
		cmd_need(calloc(objects.count + 1, sizeof(*objects.list)));
	for (i = 0, record = records; i < objects.count; i++) {
		objects.list[i] = record;
		record = bsdvm_kvmobject_next(record);
	}
	for (i = 0; i < objects.count; i++) {
		const struct bsdvm_kvmobject *top = objects.list[i];
		struct top_chain chain;

		if (top->kvo_shadow_count || !top->kvo_backing_id)
			continue;
		chain = follow(&objects, top);
		add_chain(reading, &chain);
	}
	free(objects.list);
	bsdvm_freevmobject(records);
	return true;
}

const char *top_read(struct top_reading *reading)
{
	memset(reading, 0, sizeof(*reading));
	if (bsdvm_stats(&reading->stats))
		return "the counters";
	clock_gettime(CLOCK_MONOTONIC, &reading->at);
	clock_gettime(CLOCK_REALTIME, &reading->wall);
	if (!read_windows(reading))
		return "/proc";
	return read_chains(reading) ? NULL : "the objects";
}

void top_clear(struct top_reading *reading)
{
	free(reading->windows);
	memset(reading, 0, sizeof(*reading));
}
