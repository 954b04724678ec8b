// SPDX-License-Identifier: BSD-2-Clause
/*
 * bsdvm graph: the maps of processes, their objects and the pages of these, as a
 * picture.
 *
 * Maps, and the pages of each object, are fetched by calls of their own, between which
 * a process goes on: an object may be collapsed into another meanwhile. Then all of it
 * is fetched anew.
 */
#define _GNU_SOURCE
#include <err.h>
#include <errno.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "graph.h"
#include "json.h"
#include "vmentry_json.h"

/* How often all is fetched before we say that it cannot be. */
#define TRIES 100

/* Runs of pages of one object that are drawn, unless all are asked for. */
#define PAGES_DRAWN 16

enum {
	OPTION_SVG = OPTION_OBJECTS + 1,
};

static const struct member page_members[] = {
	MEMBER(bsdvm_pagerun, pr_start),
	MEMBER(bsdvm_pagerun, pr_count),
	MEMBER(bsdvm_pagerun, pr_flags),
};

static void graph_clear(struct graph *graph)
{
	size_t i;

	for (i = 0; i < graph->nprocesses; i++)
		bsdvm_freevmmap(graph->processes[i].map);
	for (i = 0; i < graph->nobjects; i++)
		bsdvm_freepages(graph->objects[i].pages);
	graph->nprocesses = 0;
	graph->nobjects = 0;
}

static bool has_object(const struct graph *graph, uint64_t id)
{
	size_t i;

	for (i = 0; i < graph->nobjects; i++)
		if (graph->objects[i].info.kvo_id == id)
			return true;
	return false;
}

static struct graph_object *new_object(struct graph *graph)
{
	if (graph->nobjects == graph->room) {
		graph->room = graph->room ? 2 * graph->room : 64;
		graph->objects = cmd_need(reallocarray(
			graph->objects, graph->room, sizeof(*graph->objects)));
	}
	return &graph->objects[graph->nobjects++];
}

/* Add the objects of an entry that are not there yet; false with errno. */
static bool add_objects(struct graph *graph, pid_t pid,
			const struct bsdvm_vmentry *entry)
{
	const struct bsdvm_vmobject *info = bsdvm_vmentry_objects(entry);
	uint32_t left;

	for (left = entry->kve_nobjects; left; left--, info++) {
		struct bsdvm_pagerun *pages;
		struct graph_object *object;
		size_t count;

		/* What is below it has been found with it. */
		if (has_object(graph, info->kvo_id))
			return true;
		pages = bsdvm_getpages(pid, entry->kve_start, info->kvo_id,
				       &count);
		if (!pages)
			return false;
		object = new_object(graph);
		*object = (struct graph_object){
			.info = *info,
			.backing = left > 1 ? info[1].kvo_id : 0,
			.path = left > 1 ? "" : bsdvm_vmentry_path(entry),
			.pages = pages,
			.count = count,
		};
	}
	return true;
}

/* Add a process; false with errno. */
static bool add_process(struct graph *graph, pid_t pid)
{
	struct graph_process *process = &graph->processes[graph->nprocesses];
	struct bsdvm_vmentry *entry;
	size_t left;

	process->map = bsdvm_getvmmap_pid(pid, &process->count);
	if (!process->map)
		return false;
	process->pid = pid;
	cmd_process_name(pid, process->name, sizeof(process->name));
	graph->nprocesses++;
	for (entry = process->map, left = process->count; left;
	     left--, entry = bsdvm_vmentry_next(entry))
		if (!add_objects(graph, pid, entry))
			return false;
	return true;
}

/*
 * Fetch all of it; those that cannot be shown are taken from the list, of which there
 * are *@count. False when an object has gone meanwhile.
 */
static bool try_gather(struct graph *graph, pid_t *pids, size_t *count,
		       int *status)
{
	size_t i;

	graph_clear(graph);
	for (i = 0; i < *count; i++) {
		if (add_process(graph, pids[i]))
			continue;
		if (errno == ENOENT)
			return false;
		cmd_warn_pid(pids[i]);
		*status = STATUS_FAILED;
		memmove(&pids[i], &pids[i + 1], (--*count - i) * sizeof(*pids));
		/* Some of its objects may be there. */
		return false;
	}
	return true;
}

static int gather(struct graph *graph, pid_t *pids, size_t count)
{
	int status = 0, i;

	graph->processes = cmd_need(calloc(count, sizeof(*graph->processes)));
	for (i = 0; i < TRIES + (int)count; i++)
		if (try_gather(graph, pids, &count, &status))
			return status;
	errx(STATUS_FAILED,
	     "the maps change faster than they can be drawn; stop their processes meanwhile");
}

static struct json_object *object_record(const struct graph_object *object)
{
	struct json_object *record = vmobject_record(&object->info), *pages;
	size_t i;

	json_put_number(record, "kvo_backing_id", object->backing);
	json_put_string(record, "kvo_path", object->path);
	pages = json_put_list(record, "pages");
	for (i = 0; i < object->count; i++) {
		struct json_object *run = json_record();

		json_put_members(run, &object->pages[i], page_members,
				 COUNT_OF(page_members));
		json_append(pages, run);
	}
	return record;
}

static struct json_object *process_record(const struct graph_process *process)
{
	const struct bsdvm_vmentry *entry = process->map;
	struct json_object *record = json_record(), *entries;
	size_t left;

	json_put_number(record, "pid", process->pid);
	json_put_string(record, "command", process->name);
	entries = json_put_list(record, "entries");
	for (left = process->count; left;
	     left--, entry = bsdvm_vmentry_next(entry))
		json_append(entries, vmentry_record(process->pid, entry));
	return record;
}

static void print_json(const struct graph *graph)
{
	struct json_object *record = json_record(), *list;
	size_t i;

	list = json_put_list(record, "processes");
	for (i = 0; i < graph->nprocesses; i++)
		json_append(list, process_record(&graph->processes[i]));
	list = json_put_list(record, "objects");
	for (i = 0; i < graph->nobjects; i++)
		json_append(list, object_record(&graph->objects[i]));
	json_print(record);
}

/* Have Graphviz draw what is in a file, on the standard output. */
static int draw(int fd)
{
	static char *const args[] = { "dot", "-Tsvg", NULL };
	posix_spawn_file_actions_t actions;
	int status, error;
	pid_t pid;

	if (posix_spawn_file_actions_init(&actions) ||
	    posix_spawn_file_actions_adddup2(&actions, fd, STDIN_FILENO))
		cmd_need(NULL);
	error = posix_spawnp(&pid, args[0], &actions, NULL, args, environ);
	posix_spawn_file_actions_destroy(&actions);
	if (error == ENOENT)
		errx(STATUS_FAILED,
		     "dot: no such program; is Graphviz installed?");
	if (error)
		errx(STATUS_FAILED, "dot: %s", strerror(error));
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			err(STATUS_FAILED, "dot");
	/* What is wrong dot has said, unless it was killed. */
	if (WIFSIGNALED(status))
		errx(STATUS_FAILED, "dot: %s", strsignal(WTERMSIG(status)));
	return WEXITSTATUS(status) ? STATUS_FAILED : 0;
}

/* Dot reads a file: it may end before it has read all of a pipe. */
static int print_svg(const struct graph *graph, size_t most)
{
	const int fd = memfd_create("bsdvm-graph", MFD_CLOEXEC);
	FILE *file = fd < 0 ? NULL : fdopen(fd, "w");
	int status;

	if (!file)
		err(STATUS_FAILED, "the graph");
	graph_print_dot(file, graph, most);
	if (fflush(file) || lseek(fd, 0, SEEK_SET))
		err(STATUS_FAILED, "the graph");
	status = draw(fd);
	fclose(file);
	return status;
}

static bool has_pid(const pid_t *pids, size_t count, pid_t pid)
{
	size_t i;

	for (i = 0; i < count; i++)
		if (pids[i] == pid)
			return true;
	return false;
}

static int run(int argc, char **argv)
{
	static const struct option options[] = {
		LONG_OPTION_HELP,
		LONG_OPTION_JSON,
		{ "svg", no_argument, NULL, OPTION_SVG },
		{ 0 },
	};
	const struct command *self = &graph_command;
	size_t most = PAGES_DRAWN, count = 0;
	struct graph graph = { 0 };
	int option, as = 0, status;
	pid_t *pids;

	while ((option = cmd_option(self, argc, argv, "a", options)) != -1) {
		if (option == 'a')
			most = SIZE_MAX - 1;
		else if (as && as != option)
			cmd_usage(self, "--json and --svg are two things");
		else
			as = option;
	}
	if (optind == argc)
		cmd_usage(self, "which process?");
	pids = cmd_need(calloc(argc, sizeof(*pids)));
	for (; optind < argc; optind++) {
		const pid_t pid = cmd_parse_pid(self, argv[optind]);

		if (!has_pid(pids, count, pid))
			pids[count++] = pid;
	}
	cmd_open_device();
	status = gather(&graph, pids, count);
	/* A picture of nothing would be taken for a process without memory. */
	if (!graph.nprocesses)
		return status;
	if (as == OPTION_JSON)
		print_json(&graph);
	else if (as == OPTION_SVG && print_svg(&graph, most))
		status = STATUS_FAILED;
	else if (!as)
		graph_print_dot(stdout, &graph, most);
	graph_clear(&graph);
	free(graph.processes);
	free(graph.objects);
	free(pids);
	return status;
}

const struct command graph_command = {
	.name = "graph",
	.arguments = "[--json | --svg] [-a] PID...",
	.summary = "draw maps, their objects and pages",
	.help = "  -a      every run of pages, not only the first 16 of an object\n"
		"  --json  an object: processes with their entries, and objects with pages\n"
		"  --svg   a picture, for which Graphviz must be installed\n"
		"\n"
		"Without --json and --svg it prints what Graphviz reads. What several of the\n"
		"processes share is drawn once.\n",
	.run = run,
};
