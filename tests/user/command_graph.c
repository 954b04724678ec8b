// SPDX-License-Identifier: BSD-2-Clause
/*
 * bsdvm graph: what it draws of maps that are known, as Graphviz reads it. Runs with a
 * small pool, so that it does not take long until pages are in swap.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "command_run.h"

/* Pages of the scene, from shared->map on. */
#define PRIVATE_AT 0
#define SHARED_AT  6
#define GUARD_AT   10
#define EMPTY_AT   20
#define FILE_AT	   30

/*
 * A parent and its child; both have all of this:
 *
 *	PRIVATE_AT  4 pages; page 0 from before the fork, since then the parent has
 *		    written page 1 and the child page 0: a shadow each
 *	SHARED_AT   2 pages, of which both see page 1
 *	GUARD_AT    a guard
 *	EMPTY_AT    memory that nobody has touched
 *	FILE_AT     a page of a file, written to before the fork: one shadow for both
 */
static void build_scene(void)
{
	static const char path[] = "/tmp/bsdvm.graph";
	int fd, ready[2];
	void *start;
	size_t size;
	char *at, byte;
	pid_t pid;

	ASSERT(!bsdvm_window(&start, &size));
	shared->map = (char *)start + (size >> 1);
	*map_fixed(PRIVATE_AT, 4, RW, ANON, -1) = 1;
	at = map_fixed(SHARED_AT, 2, RW, BSDVM_MAP_ANON | BSDVM_MAP_SHARED, -1);
	at[PAGE] = 1;
	map_fixed(GUARD_AT, 2, BSDVM_PROT_NONE, BSDVM_MAP_GUARD, -1);
	map_fixed(EMPTY_AT, 1, BSDVM_PROT_READ, ANON, -1);
	fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	ASSERT(fd >= 0 && !ftruncate(fd, PAGE));
	*map_fixed(FILE_AT, 1, RW, BSDVM_MAP_PRIVATE, fd) = 1;

	ASSERT(!pipe(ready));
	pid = harness_fork();
	if (!pid) {
		shared->map[PRIVATE_AT * PAGE] = 2;
		if (write(ready[1], "", 1) == 1)
			for (;;)
				pause();
	}
	ASSERT(read(ready[0], &byte, 1) == 1);
	shared->child = pid;
	shared->map[(PRIVATE_AT + 1) * PAGE] = 3;
}

/* The numbers of the objects at a page of the scene; how many there are. */
static size_t chain_at(pid_t pid, size_t page, uint64_t id[2])
{
	const uintptr_t at = (uintptr_t)shared->map + page * PAGE;
	const struct bsdvm_vmobject *object;
	struct bsdvm_vmentry *map, *entry;
	size_t count, found = 0, i;

	map = bsdvm_getvmmap_pid(pid, &count);
	ASSERT(map);
	for (entry = map; count--; entry = bsdvm_vmentry_next(entry)) {
		if (entry->kve_start != at)
			continue;
		found = entry->kve_nobjects;
		object = bsdvm_vmentry_objects(entry);
		for (i = 0; i < found && i < 2; i++)
			id[i] = object[i].kvo_id;
	}
	bsdvm_freevmmap(map);
	return found;
}

/* What is in the graph for one of the two, but for objects. */
static size_t want_process(char *text, pid_t pid)
{
	static const size_t pages[] = { PRIVATE_AT, SHARED_AT, GUARD_AT,
					EMPTY_AT, FILE_AT };
	const uintptr_t base = (uintptr_t)shared->map;
	char *at = text;
	uint64_t id[2];
	size_t i;

	at += sprintf(at, "p%d\np%d -> e%d_%jx\n", pid, pid, pid,
		      (uintmax_t)(base + pages[0] * PAGE));
	for (i = 0; i < COUNT_OF(pages); i++) {
		const uintmax_t start = base + pages[i] * PAGE;

		at += sprintf(at, "e%d_%jx\n", pid, start);
		if (i)
			at += sprintf(at, "e%d_%jx -> e%d_%jx\n", pid,
				      (uintmax_t)(base + pages[i - 1] * PAGE),
				      pid, start);
		if (chain_at(pid, pages[i], id))
			at += sprintf(at, "e%d_%jx -> o%ju\n", pid, start,
				      (uintmax_t)id[0]);
	}
	return at - text;
}

static size_t want_object(char *text, uint64_t id, uint64_t backing, int page)
{
	char *at = text;

	at += sprintf(at, "o%ju\ng%ju_%d page %d\\nresident\n", (uintmax_t)id,
		      (uintmax_t)id, page, page);
	at += sprintf(at, "o%ju -> g%ju_%d\n", (uintmax_t)id, (uintmax_t)id,
		      page);
	if (backing)
		at += sprintf(at, "o%ju -> o%ju\n", (uintmax_t)id,
			      (uintmax_t)backing);
	return at - text;
}

/* Nodes and edges of the scene: 2 processes, 10 entries, 6 objects, a page of each. */
static const char *want_scene(const struct target *target)
{
	uint64_t mine[2], its[2], file[2], its_file[2], both[2], its_both[2],
		none[2];
	static char text[8192];
	char *at = text;

	ASSERT(chain_at(target->pid, PRIVATE_AT, mine) == 2);
	ASSERT(chain_at(target->child, PRIVATE_AT, its) == 2);
	ASSERT(mine[0] != its[0] && mine[1] == its[1]);
	ASSERT(chain_at(target->pid, FILE_AT, file) == 2);
	ASSERT(chain_at(target->child, FILE_AT, its_file) == 2);
	ASSERT(file[0] == its_file[0] && file[1] == its_file[1]);
	ASSERT(chain_at(target->pid, SHARED_AT, both) == 1);
	ASSERT(chain_at(target->child, SHARED_AT, its_both) == 1);
	ASSERT(both[0] == its_both[0]);
	ASSERT(!chain_at(target->pid, GUARD_AT, none));
	ASSERT(!chain_at(target->child, EMPTY_AT, none));

	at += want_process(at, target->pid);
	at += want_process(at, target->child);
	at += want_object(at, mine[0], mine[1], 1);
	at += want_object(at, its[0], its[1], 0);
	at += want_object(at, mine[1], 0, 0);
	at += want_object(at, both[0], 0, 1);
	at += want_object(at, file[0], file[1], 0);
	want_object(at, file[1], 0, 0);
	return text;
}

/* What dot makes of a graph must be what stands behind it. */
static const char compare_plain[] =
	"import shlex, subprocess, sys\n"
	"dot, want = sys.stdin.read().split('@@\\n')\n"
	"run = subprocess.run(['dot', '-Tplain'], input=dot, text=True,\n"
	"    stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=True)\n"
	"got = []\n"
	"for line in run.stdout.replace('\\\\\\n', '').splitlines():\n"
	"    kind, *words = line.split(' ')\n"
	"    if kind == 'node':\n"
	"        label = shlex.split(line, posix=False)[6].strip('\"')\n"
	"        got.append(words[0] + (' ' + label if words[0][0] == 'g' else ''))\n"
	"    elif kind == 'edge':\n"
	"        got.append(words[0] + ' -> ' + words[1])\n"
	"    elif kind not in ('graph', 'stop'):\n"
	"        got.append(line)\n"
	"want = want.splitlines()\n"
	"for line in sorted(set(got) - set(want)):\n"
	"    print('unexpected:', line)\n"
	"for line in sorted(set(want) - set(got)):\n"
	"    print('missing:', line)\n"
	"nodes = [line for line in got if '->' not in line]\n"
	"print(len(nodes), 'nodes,', len(got) - len(nodes), 'edges')\n";

TEST_LIMIT(graph_has_exactly_what_the_maps_have, 240)
{
	const struct target target = target_start(0, build_scene);
	const struct outcome *o = run("graph", target.text, target.more);
	char *both;

	EXPECT_SUCCESS(o);
	ASSERT(asprintf(&both, "%s@@\n%s", o->out, want_scene(&target)) > 0);
	EXPECT_TEXT(run_python(compare_plain, both), "24 nodes, 25 edges\n");
	free(both);
	target_end(&target);
}

TEST_LIMIT(a_process_given_twice_is_drawn_once, 180)
{
	const struct target target = target_start(0, build_scene);
	char *once = strdup(run("graph", target.text, target.more)->out);
	const struct outcome *o =
		run("graph", target.text, target.more, target.text);

	EXPECT_SUCCESS(o);
	EXPECT_TEXT(o->out, once);
	free(once);
	target_end(&target);
}

/* The same nodes and edges, from JSON. */
static const char json_to_plain[] =
	"import json, sys\n"
	"dot, text = sys.stdin.read().split('@@\\n')\n"
	"want = set()\n"
	"for line in dot.splitlines():\n"
	"    words = line.split()\n"
	"    if len(words) > 2 and words[1] == '->':\n"
	"        want.add(words[0] + ' ' + words[2].rstrip(';'))\n"
	"    elif len(words) > 1 and words[1].startswith('[') \\\n"
	"            and words[0] not in ('node', 'edge'):\n"
	"        want.add(words[0])\n"
	"graph = json.loads(text)\n"
	"got = set()\n"
	"for p in graph['processes']:\n"
	"    assert p['command'] == 'command_graph'\n"
	"    last = 'p%d' % p['pid']\n"
	"    got.add(last)\n"
	"    for e in p['entries']:\n"
	"        name = 'e%d_%x' % (p['pid'], e['kve_start'])\n"
	"        got |= {name, last + ' ' + name}\n"
	"        if e['objects']:\n"
	"            got.add('%s o%d' % (name, e['objects'][0]['kvo_id']))\n"
	"        last = name\n"
	"paths = []\n"
	"for o in graph['objects']:\n"
	"    name = 'o%d' % o['kvo_id']\n"
	"    got.add(name)\n"
	"    if o['kvo_backing_id']:\n"
	"        got.add('%s o%d' % (name, o['kvo_backing_id']))\n"
	"    if o['kvo_path']:\n"
	"        paths.append(o['kvo_path'])\n"
	"    for g in o['pages']:\n"
	"        assert g['pr_count'] == 1 and g['pr_flags'] == 1\n"
	"        page = 'g%d_%d' % (o['kvo_id'], g['pr_start'])\n"
	"        got |= {page, name + ' ' + page}\n"
	"print(*sorted(want ^ got), *paths, len(got))\n";

TEST_LIMIT(graph_in_json_tells_the_same, 180)
{
	const struct target target = target_start(0, build_scene);
	const struct outcome *o;
	char *both, *dot = strdup(run("graph", target.text, target.more)->out);

	o = run("graph", "--json", target.text, target.more);
	EXPECT_SUCCESS(o);
	ASSERT(asprintf(&both, "%s@@\n%s", dot, o->out) > 0);
	EXPECT_TEXT(run_python(json_to_plain, both), "/tmp/bsdvm.graph 49\n");
	free(dot);
	free(both);
	target_end(&target);
}

#define ODD_NAME "q\"\\&<\n\xff"
#define ODD_TEXT "q\"\\134&<\\012\xef\xbf\xbd"

static void build_odd(void)
{
	const int fd = open("/tmp/" ODD_NAME,
			    O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	char *at;

	ASSERT(!prctl(PR_SET_NAME, ODD_NAME));
	ASSERT(fd >= 0 && !ftruncate(fd, PAGE));
	at = bsdvm_mmap(NULL, PAGE, BSDVM_PROT_READ, BSDVM_MAP_SHARED, fd, 0);
	ASSERT(at != BSDVM_MAP_FAILED && !*at);
}

static const char read_svg[] =
	"import sys, xml.etree.ElementTree as tree\n"
	"svg = '{http://www.w3.org/2000/svg}'\n"
	"root = tree.fromstring(sys.stdin.buffer.read())\n"
	"assert root.tag == svg + 'svg'\n"
	"for kind in ('node', 'edge'):\n"
	"    print(kind, len([g for g in root.iter(svg + 'g')\n"
	"                     if g.get('class') == kind]))\n"
	"texts = [t.text for t in root.iter(svg + 'text')]\n"
	"out = sorted(t for t in texts if 'q' in t)\n"
	"sys.stdout.flush()\n"
	"sys.stdout.buffer.write(('\\n'.join(out) + '\\n').encode())\n";

TEST_LIMIT(a_picture_shows_names_as_they_are, 240)
{
	const struct target target = target_start(0, build_odd);
	const struct outcome *o = run("graph", "--svg", target.text);

	EXPECT_SUCCESS(o);
	EXPECT_TEXT(run_python(read_svg, o->out),
		    "node 4\nedge 3\n/tmp/" ODD_TEXT "\n" ODD_TEXT "\n");
	target_end(&target);
}

TEST(without_graphviz_it_says_so)
{
	const struct target target = target_start(0, build_empty);

	ASSERT(!setenv("PATH", "/nonexistent", 1));
	EXPECT_FAILURE(run("graph", "--svg", target.text), 1,
		       "bsdvm: dot: no such program; is Graphviz installed?\n");
	EXPECT_SUCCESS(run("graph", target.text));
	target_end(&target);
}

TEST(those_that_cannot_be_drawn_are_named)
{
	const struct target without = target_start(0, build_nothing);
	const struct target roots = target_start(0, build_empty);
	const struct target own = target_start(NOBODY, build_empty);
	const struct outcome *o;
	char want[64], node[32];

	EXPECT_FAILURE(run("graph", without.text), 1,
		       "bsdvm: %s: the process has no window\n", without.text);
	EXPECT_FAILURE(run_nobody("graph", roots.text), 1,
		       "bsdvm: %s: Operation not permitted\n", roots.text);
	snprintf(want, sizeof(want), "bsdvm: %s: Operation not permitted\n",
		 roots.text);
	snprintf(node, sizeof(node), "\tp%s [", own.text);
	o = run_nobody("graph", roots.text, own.text);
	EXPECT_EQ(o->status, 1);
	EXPECT_TEXT(o->err, want);
	EXPECT(strstr(o->out, node));
	snprintf(node, sizeof(node), "\tp%s [", roots.text);
	EXPECT(!strstr(o->out, node));
	target_end(&without);
	target_end(&roots);
	target_end(&own);
}

/* --- pages that are not resident */

static size_t large_pages(void)
{
	return 2 * vm_stats().v_page_count;
}

/* Twice the pool: what was touched first is in swap. */
static void build_large(void)
{
	const size_t pages = large_pages();
	size_t i;

	shared->map = vm_anon(pages);
	for (i = 0; i < pages; i++)
		shared->map[i * PAGE] = 1;
}

/* Each page once, in order; how many there are, and of which state. */
static const char count_pages[] =
	"import re, sys\n"
	"at, states = 0, {}\n"
	"for line in sys.stdin:\n"
	"    m = re.search(r'label=\"pages? (\\d+)(?:-(\\d+))?\\\\n(.*?)\"', line)\n"
	"    if m:\n"
	"        first = int(m[1])\n"
	"        last = int(m[2] or first)\n"
	"        assert first == at, line\n"
	"        at = last + 1\n"
	"        states[m[3]] = states.get(m[3], 0) + at - first\n"
	"assert sum(states.values()) == at\n"
	"print(at, min(states.get('swapped', 0), 1),\n"
	"      min(states.get('resident', 0) + states.get('resident, swapped', 0), 1))\n";

TEST_LIMIT(pages_in_swap_are_drawn_as_such, 240)
{
	const struct target target = target_start(0, build_large);
	const struct outcome *o = run("graph", "-a", target.text);
	char want[64];

	EXPECT_SUCCESS(o);
	snprintf(want, sizeof(want), "%zu 1 1\n", large_pages());
	EXPECT_TEXT(run_python(count_pages, o->out), want);
	target_end(&target);
}

/* More runs of pages than are drawn: every other page of these. */
static void build_runs(void)
{
	size_t i;

	shared->map = vm_anon(64);
	for (i = 0; i < 64; i += 2)
		shared->map[i * PAGE] = 1;
}

TEST(of_many_runs_only_the_first_are_drawn)
{
	const struct target target = target_start(0, build_runs);
	const struct outcome *o = run("graph", target.text);
	const char *at;
	int runs = 0;

	EXPECT_SUCCESS(o);
	for (at = o->out; (at = strstr(at, "label=\"page ")); at++)
		runs++;
	EXPECT_EQ(runs, 16);
	EXPECT(strstr(o->out, "_more [shape=plaintext, label=\"16 pages\\n"
			      "16 more runs\"];\n"));
	o = run("graph", "-a", target.text);
	for (at = o->out, runs = 0; (at = strstr(at, "label=\"page ")); at++)
		runs++;
	EXPECT_EQ(runs, 32);
	EXPECT(!strstr(o->out, "_more"));
	target_end(&target);
}

/* A chain that changes all the time: it grows by a fork, and collapses with its end. */
static void build_restless(void)
{
	shared->child = 0;
	shared->map = vm_anon(8);
	shared->map[0] = 1;
	if (harness_fork())
		return;
	/* Ends with the target, whose child it is. */
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	shared->child = getpid();
	for (;;) {
		const pid_t pid = harness_fork();

		shared->map[PAGE] = 2;
		if (!pid)
			_exit(0);
		shared->map[2 * PAGE] = 3;
		harness_wait(pid);
	}
}

TEST_LIMIT(a_process_that_changes_is_drawn_whole, 180)
{
	struct target target = target_start(0, build_restless);
	const struct outcome *o;
	int i;

	while (!shared->child)
		usleep(1000);
	target.child = shared->child;
	snprintf(target.more, sizeof(target.more), "%d", target.child);
	for (i = 0; i < 20; i++) {
		o = run("graph", target.text, target.more);
		EXPECT_SUCCESS(o);
		EXPECT(strstr(o->out, " -> o"));
		EXPECT(!strcmp(o->out + strlen(o->out) - 3, "\n}\n") ||
		       !strcmp(o->out + strlen(o->out) - 4, ";\n}\n"));
	}
	target_end(&target);
}
