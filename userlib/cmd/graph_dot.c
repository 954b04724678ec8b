// SPDX-License-Identifier: BSD-2-Clause
/*
 * A graph in the language of Graphviz: from left to right as the textbook has it.
 *
 *	p214 ──► e214_7f00 ──► o7 ──► o3	o7 shadows o3
 *	            │           └──► g7_0	a run of pages
 *	            ▼
 *	         e214_7f08 ──► ...
 *
 * A process's entries stand in a column, each linked to the next as in its map, and
 * those of several processes have different colours. (A box around each process would
 * have Graphviz forget the order within.)
 */
#include <inttypes.h>
#include <stdlib.h>
#include <unistd.h>

#include "graph.h"
#include "utf8.h"
#include "vmmap_print.h"

/*
 * Text within a quoted string: what is special to that, and the entities of HTML, which
 * labels may have. A control character shows as in a listing of maps.
 */
static void put_text(FILE *out, const char *bytes)
{
	char *text = utf8_of(bytes);
	const char *at;

	for (at = text; *at; at++) {
		const unsigned char byte = *at;

		if (byte < ' ' || byte == 0x7f || byte == '\\')
			fprintf(out, "\\\\%03o", byte);
		else if (byte == '"')
			fputs("\\\"", out);
		else if (byte == '&')
			fputs("&amp;", out);
		else
			putc(byte, out);
	}
	free(text);
}

static uint64_t pages_of(const struct bsdvm_vmentry *entry)
{
	return (entry->kve_end - entry->kve_start) / sysconf(_SC_PAGESIZE);
}

static void put_entry_name(FILE *out, pid_t pid,
			   const struct bsdvm_vmentry *entry)
{
	fprintf(out, "e%d_%" PRIx64, pid, (uint64_t)entry->kve_start);
}

static const char *inheritance(uint32_t inherit)
{
	switch (inherit) {
	case BSDVM_INHERIT_SHARE:
		return "share";
	case BSDVM_INHERIT_COPY:
		return "copy";
	case BSDVM_INHERIT_NONE:
		return "none";
	case BSDVM_INHERIT_ZERO:
		return "zero";
	default:
		return "?";
	}
}

/* It says whose it is, unless there is an @only process. */
static void put_entry(FILE *out, pid_t pid, const struct bsdvm_vmentry *entry,
		      bool only)
{
	const struct vmmap_letters letters = vmmap_letters(entry);
	const char *what = "", *style = "";

	if (entry->kve_type == BSDVM_KVME_TYPE_GUARD) {
		what = "\\nguard";
		style = ", style=dotted";
	} else if (!entry->kve_nobjects) {
		what = "\\nno object yet";
	}
	fputs("\t\t", out);
	put_entry_name(out, pid, entry);
	fputs(" [label=\"", out);
	if (!only)
		fprintf(out, "entry of %d\\n", pid);
	fprintf(out, "%#" PRIx64 "\\n%#" PRIx64 "\\n%s %s %s%s\"%s];\n",
		(uint64_t)entry->kve_start, (uint64_t)entry->kve_end,
		letters.prot, letters.flags,
		inheritance(entry->kve_inheritance), what, style);
}

/* What is at @offset bytes of what comes next; said unless it is the beginning. */
static void put_offset(FILE *out, uint64_t offset, const char *more)
{
	if (offset)
		fprintf(out, " [label=\"at %#" PRIx64 "\"%s%s]", offset,
			*more ? ", " : "", more);
	else if (*more)
		fprintf(out, " [%s]", more);
	fputs(";\n", out);
}

/* From the process to its first entry, and from each to the next and to its object. */
static void put_links(FILE *out, const struct graph_process *process,
		      const char *color)
{
	const struct bsdvm_vmentry *entry = process->map;
	const pid_t pid = process->pid;
	size_t left;

	fprintf(out, "\n\tedge [color=%s];\n", color);
	if (process->count) {
		fprintf(out, "\tp%d -> ", pid);
		put_entry_name(out, pid, entry);
		fputs(";\n", out);
	}
	for (left = process->count; left;
	     left--, entry = bsdvm_vmentry_next(entry)) {
		if (left > 1) {
			fputc('\t', out);
			put_entry_name(out, pid, entry);
			fputs(" -> ", out);
			put_entry_name(out, pid, bsdvm_vmentry_next(entry));
			fputs(" [arrowhead=vee];\n", out);
		}
		if (!entry->kve_nobjects)
			continue;
		fputc('\t', out);
		put_entry_name(out, pid, entry);
		fprintf(out, " -> o%" PRIu64,
			(uint64_t)bsdvm_vmentry_objects(entry)->kvo_id);
		put_offset(out, entry->kve_offset, "");
	}
}

static void put_process(FILE *out, const struct graph_process *process,
			const char *color, bool only)
{
	const struct bsdvm_vmentry *entry = process->map;
	const pid_t pid = process->pid;
	uint64_t pages = 0;
	size_t i;

	/* In a column, where the links of a map keep them in order. */
	fprintf(out, "\n\tsubgraph {\n\t\trank=same;\n\t\tnode [color=%s];\n",
		color);
	for (i = 0; i < process->count; i++) {
		put_entry(out, pid, entry, only);
		pages += pages_of(entry);
		entry = bsdvm_vmentry_next(entry);
	}
	fprintf(out,
		"\t}\n\tp%d [shape=ellipse, color=%s, label=\"vmspace of %d\\n",
		pid, color, pid);
	put_text(out, process->name);
	fprintf(out, "\\n%zu entries, %" PRIu64 " pages\"];\n", process->count,
		pages);
	put_links(out, process, color);
}

/* More than an edge can say: what an object is, in a word. */
static const char *kind(uint32_t type)
{
	switch (type) {
	case BSDVM_KVME_TYPE_DEFAULT:
		return "anonymous";
	case BSDVM_KVME_TYPE_VNODE:
		return "vnode";
	case BSDVM_KVME_TYPE_SWAP:
		return "swap";
	case BSDVM_KVME_TYPE_DEVICE:
		return "device";
	case BSDVM_KVME_TYPE_PHYS:
		return "physical";
	default:
		return vmmap_type_name(type);
	}
}

static void put_pages(FILE *out, uint64_t id, const struct bsdvm_pagerun *run)
{
	static const char *const states[] = {
		[BSDVM_PAGE_RESIDENT] = "resident\", style=filled",
		[BSDVM_PAGE_SWAPPED] = "swapped\", style=dashed",
		[BSDVM_PAGE_RESIDENT | BSDVM_PAGE_SWAPPED] =
			"resident, swapped\", style=\"filled,dashed\"",
	};

	fprintf(out, "\tg%" PRIu64 "_%" PRIu64 " [shape=note, label=\"", id,
		(uint64_t)run->pr_start);
	if (run->pr_count == 1)
		fprintf(out, "page %" PRIu64, (uint64_t)run->pr_start);
	else
		fprintf(out, "pages %" PRIu64 "-%" PRIu64,
			(uint64_t)run->pr_start,
			(uint64_t)(run->pr_start + run->pr_count - 1));
	fprintf(out, "\\n%s];\n",
		run->pr_flags < COUNT_OF(states) && run->pr_flags ?
			states[run->pr_flags] :
			"?\"");
	fprintf(out,
		"\to%" PRIu64 " -> g%" PRIu64 "_%" PRIu64
		" [arrowhead=none];\n",
		id, id, (uint64_t)run->pr_start);
}

static void put_more_pages(FILE *out, uint64_t id,
			   const struct bsdvm_pagerun *run, size_t count)
{
	const size_t runs = count;
	uint64_t pages = 0;

	for (; count; count--, run++)
		pages += run->pr_count;
	fprintf(out,
		"\tg%" PRIu64 "_more [shape=plaintext, label=\"%" PRIu64
		" pages\\n%zu more runs\"];\n"
		"\to%" PRIu64 " -> g%" PRIu64 "_more [arrowhead=none];\n",
		id, pages, runs, id, id);
}

static void put_object(FILE *out, const struct graph_object *object,
		       size_t most)
{
	const struct bsdvm_vmobject *info = &object->info;
	const uint64_t id = info->kvo_id;
	size_t i, shown = object->count;

	/* A node that says "one more" is no shorter than the one. */
	if (shown > most + 1)
		shown = most;
	fprintf(out,
		"\n\to%" PRIu64
		" [ordering=out, style=bold, label=\"%s object %" PRIu64 "\\n"
		"%" PRIu64 " pages, %u resident\\nref %u, shd %u",
		id, kind(info->kvo_type), id, (uint64_t)info->kvo_size,
		info->kvo_resident, info->kvo_ref_count,
		info->kvo_shadow_count);
	if (*object->path) {
		fputs("\\n", out);
		put_text(out, object->path);
	}
	fputs("\"];\n", out);
	if (object->backing) {
		fprintf(out, "\to%" PRIu64 " -> o%" PRIu64, id,
			object->backing);
		put_offset(out, info->kvo_backing_offset, "style=bold");
	}
	for (i = 0; i < shown; i++)
		put_pages(out, id, &object->pages[i]);
	if (shown < object->count)
		put_more_pages(out, id, &object->pages[shown],
			       object->count - shown);
}

void graph_print_dot(FILE *out, const struct graph *graph, size_t most)
{
	static const char *const colors[] = {
		"black",     "mediumblue", "firebrick",
		"darkgreen", "purple",	   "chocolate",
	};
	size_t i;

	fputs("digraph bsdvm {\n"
	      "\tcharset=\"UTF-8\";\n"
	      "\trankdir=LR;\n"
	      "\tnode [shape=box, fontname=\"monospace\", fontsize=10, fillcolor=lightgray];\n"
	      "\tedge [fontname=\"monospace\", fontsize=9];\n",
	      out);
	for (i = 0; i < graph->nprocesses; i++)
		put_process(out, &graph->processes[i],
			    colors[i % COUNT_OF(colors)],
			    graph->nprocesses == 1);
	fputs("\n\tedge [color=black];\n", out);
	for (i = 0; i < graph->nobjects; i++)
		put_object(out, &graph->objects[i], most);
	fputs("}\n", out);
}
