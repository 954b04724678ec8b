// SPDX-License-Identifier: BSD-2-Clause
/*
 * What the stacks of bsdvm trace are: addresses, which the map of their process leads
 * to files, and the symbols of these to functions. A stack is looked up when it is
 * first seen, as its process may be gone when a report is made.
 */
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "symbols.h"
#include "trace.h"

/**
 * struct stack - a stack that was looked up
 * @frames: its frames, the innermost first; NULL when it was not
 * @count: how many
 */
struct stack {
	struct trace_frame *frames;
	size_t count;
};

/**
 * struct object - a file that addresses were in
 * @path: its path
 * @symbols: its functions
 */
struct object {
	char *path;
	struct symbols symbols;
};

/**
 * struct mapping - a line of /proc/PID/maps
 * @start: first address
 * @end: address behind it
 * @offset: what of the file is there
 * @path: the file, which may be no file: "[stack]"
 */
struct mapping {
	uint64_t start;
	uint64_t end;
	uint64_t offset;
	char path[PATH_MAX];
};

/* By their numbers. */
static struct stack *stacks;
static size_t nstacks;
static struct object *objects;
static size_t nobjects;
static struct symbols kernel;

static const struct symbols *object_symbols(pid_t pid, const char *path)
{
	char inside[PATH_MAX + 32];
	struct object *object;
	size_t i;

	for (i = 0; i < nobjects; i++)
		if (!strcmp(objects[i].path, path))
			return &objects[i].symbols;
	objects = cmd_need(realloc(objects, (nobjects + 1) * sizeof(*objects)));
	object = &objects[nobjects++];
	object->path = cmd_need(strdup(path));
	/* It may have another root than we. */
	snprintf(inside, sizeof(inside), "/proc/%d/root%s", pid, path);
	symbols_file(inside, &object->symbols);
	if (!object->symbols.count)
		symbols_file(path, &object->symbols);
	return &object->symbols;
}

static void name_frame(struct trace_frame *frame, const struct symbol *symbol,
		       uint64_t at)
{
	frame->offset = at;
	if (!symbol)
		return;
	frame->symbol = cmd_need(strdup(symbol->name));
	frame->offset = at - symbol->start;
}

/* Where a function is returned to is behind a call, which may be the last thing there. */
static uint64_t called_from(uint64_t at, bool innermost)
{
	return innermost ? at : at - 1;
}

static void find_in_mapping(struct trace_frame *frame, bool innermost,
			    pid_t pid, const struct mapping *mapping)
{
	const uint64_t at = frame->address - mapping->start + mapping->offset;
	const struct symbol *symbol = NULL;

	if (*mapping->path == '/')
		symbol = symbols_find(object_symbols(pid, mapping->path),
				      called_from(at, innermost));
	name_frame(frame, symbol, at);
	frame->file = cmd_need(strdup(mapping->path));
}

/* False when there is no map to be read: the process is gone, or going. */
static bool find_in_process(struct trace_frame *frames, size_t count, pid_t pid)
{
	struct mapping mapping;
	char path[32], *line = NULL;
	size_t i, room = 0;
	bool any = false;
	FILE *file;
	int n;

	snprintf(path, sizeof(path), "/proc/%d/maps", pid);
	file = fopen(path, "re");
	while (file && getline(&line, &room, file) > 0) {
		any = true;
		n = 0;
		if (sscanf(line,
			   "%" SCNx64 "-%" SCNx64 " %*s %" SCNx64 " %*s %*s %n",
			   &mapping.start, &mapping.end, &mapping.offset,
			   &n) < 3 ||
		    !n)
			continue;
		line[strcspn(line, "\n")] = '\0';
		if (!line[n])
			continue;
		snprintf(mapping.path, sizeof(mapping.path), "%s", line + n);
		for (i = 0; i < count; i++)
			if (!frames[i].file &&
			    frames[i].address >= mapping.start &&
			    frames[i].address < mapping.end)
				find_in_mapping(&frames[i], !i, pid, &mapping);
	}
	free(line);
	if (file)
		fclose(file);
	return any;
}

/*
 * What a child that has not executed another program runs is where its parent has it.
 * One that has runs elsewhere, at random, and mostly under another name.
 */
static void find_in_parent(struct trace_frame *frames, size_t count,
			   const struct trace_fresh *fresh)
{
	char name[TRACE_COMM];

	cmd_process_name((pid_t)fresh->parent, name, sizeof(name));
	if (fresh->parent && !strncmp(name, fresh->comm, sizeof(name)))
		find_in_process(frames, count, (pid_t)fresh->parent);
}

/* Where a program keeps something else than frame pointers, they lead astray. */
static size_t count_found(const struct trace_frame *frames, size_t count)
{
	size_t i;

	for (i = 0; i < count && frames[i].file; i++)
		;
	return i ? i : count;
}

static void find_in_kernel(struct trace_frame *frames, size_t count)
{
	const struct symbol *symbol;
	size_t i;

	if (!kernel.count)
		symbols_kernel(&kernel);
	for (i = 0; i < count; i++) {
		symbol = symbols_find(&kernel,
				      called_from(frames[i].address, !i));
		if (!symbol)
			continue;
		name_frame(&frames[i], symbol, frames[i].address);
		if (symbol->owner)
			frames[i].file = cmd_need(strdup(symbol->owner));
	}
}

/* Make room for a stack of that number. */
static struct stack *stack_of(uint64_t number)
{
	const size_t room = 2 * number + 64;

	if (number >= nstacks) {
		stacks = cmd_need(realloc(stacks, room * sizeof(*stacks)));
		memset(stacks + nstacks, 0, (room - nstacks) * sizeof(*stacks));
		nstacks = room;
	}
	return &stacks[number];
}

void trace_frames_note(const struct trace_fresh *fresh, bool kernel_stack)
{
	const struct trace_stack_key *key = &fresh->key;
	struct stack *stack = stack_of(fresh->number);
	size_t i;

	if (key->size > 0)
		stack->count = key->size / sizeof(key->addresses[0]);
	stack->frames =
		cmd_need(calloc(stack->count + 1, sizeof(*stack->frames)));
	for (i = 0; i < stack->count; i++)
		stack->frames[i].address = key->addresses[i];
	if (kernel_stack) {
		find_in_kernel(stack->frames, stack->count);
		return;
	}
	if (!find_in_process(stack->frames, stack->count, (pid_t)key->pid))
		find_in_parent(stack->frames, stack->count, fresh);
	stack->count = count_found(stack->frames, stack->count);
}

const struct trace_frame *trace_frames(uint64_t number, size_t *count)
{
	if (number >= nstacks) {
		*count = 0;
		return NULL;
	}
	*count = stacks[number].count;
	return stacks[number].frames;
}
