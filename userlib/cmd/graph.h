/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What bsdvm graph draws: processes, the entries of their maps, the objects below
 * them, each once, and the pages of these.
 */
#ifndef _BSDVM_GRAPH_H
#define _BSDVM_GRAPH_H

#include <stdio.h>

#include "cmd.h"

/**
 * struct graph_process - a process whose map is drawn
 * @pid: its number
 * @name: the command it runs
 * @map: its entries
 * @count: how many
 */
struct graph_process {
	pid_t pid;
	char name[32];
	struct bsdvm_vmentry *map;
	size_t count;
};

/**
 * struct graph_object - an object that some entry has in its chain
 * @info: what its first finder was told of it
 * @backing: the number of the object it shadows, 0 for none
 * @path: the file behind it, "" for none; the finder's
 * @pages: its pages
 * @count: how many runs
 */
struct graph_object {
	struct bsdvm_vmobject info;
	uint64_t backing;
	const char *path;
	struct bsdvm_pagerun *pages;
	size_t count;
};

/**
 * struct graph - all that is drawn
 * @processes: in the order they were asked for
 * @nprocesses: how many
 * @objects: in the order they were found
 * @nobjects: how many
 * @room: of @objects
 */
struct graph {
	struct graph_process *processes;
	size_t nprocesses;
	struct graph_object *objects;
	size_t nobjects;
	size_t room;
};

/**
 * graph_print_dot() - write a graph in the language of Graphviz
 * @out: where to
 * @graph: the graph
 * @most: runs of pages of one object before the others are only counted
 */
void graph_print_dot(FILE *out, const struct graph *graph, size_t most);

#endif /* _BSDVM_GRAPH_H */
