// SPDX-License-Identifier: BSD-2-Clause
/* bsdvm map, objects and rusage: what they print of a map that is known. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "command_run.h"

/* A file that has a name, of one page. */
static void make_file(const char *path)
{
	const int fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	char *bytes = calloc(1, PAGE);

	ASSERT(fd >= 0 && bytes);
	ASSERT(write(fd, bytes, PAGE) == (ssize_t)PAGE);
	free(bytes);
	close(fd);
}

#define ODD_FILE "/tmp/bsdvm \xc3\xa9\xff\\\n.odd"

/* One entry of each kind, with holes between. */
static void build_known(void)
{
	void *start;
	size_t size;
	char *at;
	int fd;

	ASSERT(!bsdvm_window(&start, &size));
	shared->map = (char *)start + (size >> 1);

	at = map_fixed(0, 4, RW, ANON, -1);
	at[0] = 1;
	at[2 * PAGE] = 1;
	map_fixed(6, 2, BSDVM_PROT_NONE, BSDVM_MAP_GUARD, -1);
	map_fixed(10, 1, BSDVM_PROT_READ, ANON, -1);

	make_file("/tmp/bsdvm.known");
	fd = open("/tmp/bsdvm.known", O_RDWR | O_CLOEXEC);
	ASSERT(fd >= 0);
	at = map_fixed(20, 1, RW, BSDVM_MAP_SHARED, fd);
	at[0] = 1;
	map_fixed(30, 1, RWX, BSDVM_MAP_PRIVATE, fd);
	at = map_fixed(40, 1, RW, BSDVM_MAP_PRIVATE, fd);
	at[0] = 2;

	make_file(ODD_FILE);
	fd = open(ODD_FILE, O_RDONLY | O_CLOEXEC);
	ASSERT(fd >= 0);
	at = map_fixed(50, 1, BSDVM_PROT_READ, BSDVM_MAP_SHARED, fd);
	EXPECT_EQ(at[0], 0);
}

static size_t known_line(char *text, pid_t pid, size_t page, size_t pages,
			 const char *rest)
{
	const uintptr_t start = (uintptr_t)shared->map + page * PAGE;

	return sprintf(text, "%5d %#14jx %#14jx %s\n", pid, (uintmax_t)start,
		       (uintmax_t)(start + pages * PAGE), rest);
}

#define MAP_HEADER                                                            \
	"  PID          START            END PRT  RES PRES REF SHD FLAG  TP " \
	"PATH\n"

static const char *known_text(pid_t pid)
{
	static char text[4096];
	char *at = text;

	at += sprintf(at, MAP_HEADER);
	at += known_line(at, pid, 0, 4, "rw-    2    2   1   0 ----- df");
	at += known_line(at, pid, 6, 2, "---    0    0   0   0 ----- gd");
	at += known_line(at, pid, 10, 1, "r--    0    0   0   0 ----- --");
	at += known_line(at, pid, 20, 1,
			 "rw-    1    1   3   1 ----- vn /tmp/bsdvm.known");
	at += known_line(at, pid, 30, 1,
			 "rwx    1    1   3   1 CN--- vn /tmp/bsdvm.known");
	at += known_line(at, pid, 40, 1,
			 "rw-    1    1   1   0 C---- vn /tmp/bsdvm.known");
	known_line(at, pid, 50, 1,
		   "r--    1    1   1   0 ----- vn "
		   "/tmp/bsdvm \xc3\xa9\xff\\134\\012.odd");
	return text;
}

TEST(map_has_the_columns_of_procstat)
{
	const struct target target = target_start(0, build_known);
	const struct outcome *o = run("map", target.text);

	EXPECT_SUCCESS(o);
	EXPECT_TEXT(o->out, known_text(target.pid));
	target_end(&target);
}

TEST(map_of_an_empty_window_is_its_header)
{
	const struct target target = target_start(0, build_empty);

	EXPECT_SUCCESS(run("map", target.text));
	EXPECT_TEXT(run("map", target.text)->out, MAP_HEADER);
	EXPECT_TEXT(run("map", "--json", target.text)->out, "[\n]\n");
	target_end(&target);
}

static void build_wired(void)
{
	shared->map = vm_anon(4);
	ASSERT(!bsdvm_mlock(shared->map, 4 * PAGE));
}

TEST(map_flags_what_is_wired)
{
	const struct target target = target_start(0, build_wired);

	EXPECT(strstr(run("map", target.text)->out,
		      " rw-    4    4   1   0 ----W df\n"));
	target_end(&target);
}

static void build_stack(void)
{
	shared->map = bsdvm_mmap(
		NULL, 64 * PAGE, RW,
		BSDVM_MAP_STACK | BSDVM_MAP_ANON | BSDVM_MAP_PRIVATE, -1, 0);
	ASSERT(shared->map != BSDVM_MAP_FAILED);
	shared->map[64 * PAGE - 1] = 1;
}

TEST(map_flags_a_stack_that_grows)
{
	const struct target target = target_start(0, build_stack);

	EXPECT(strstr(run("map", target.text)->out, " ---D- df\n"));
	target_end(&target);
}

/* A line of --objects at this depth; returns the number of the object. */
static unsigned long expect_object(const char *line, int depth,
				   const char *rest)
{
	unsigned long id = 0;
	char want[128];

	ASSERT(sscanf(line, " at 0 of object %lu df:", &id) == 1);
	snprintf(want, sizeof(want), "%*sat 0 of object %lu df: %s\n",
		 8 + 2 * depth, "", id, rest);
	if (strncmp(line, want, strlen(want)))
		harness_fail(__FILE__, __LINE__, "\"%.70s\", not \"%.70s\"",
			     line, want);
	return id;
}

TEST(map_shows_the_chain_below_its_entry)
{
	const struct target target = target_start(0, build_fork);
	const char *line =
		run("map", "--objects", target.text, target.more)->out;
	unsigned long top[2], bottom[2];
	int i;

	/* One header for both of them, then an entry and two objects each. */
	EXPECT_BEGIN(line, MAP_HEADER);
	line = run_body(line);
	for (i = 0; i < 2; i++) {
		char begin[16];

		snprintf(begin, sizeof(begin), "%5d ",
			 i ? shared->child : target.pid);
		EXPECT_BEGIN(line, begin);
		line = run_body(line);
		top[i] = expect_object(line, 0,
				       "4 pages, 1 resident, ref 1, shd 0");
		line = run_body(line);
		bottom[i] = expect_object(line, 1,
					  "4 pages, 1 resident, ref 2, shd 2");
		line = run_body(line);
	}
	EXPECT_TEXT(line, "");
	EXPECT(top[0] != top[1]);
	EXPECT_EQ(bottom[0], bottom[1]);
	target_end(&target);
}

/* Text from JSON: the two must tell the same. */
static const char map_to_text[] =
	"import json, sys\n"
	"from functools import partial\n"
	"out = partial(print, end='')\n"
	"types = ['--','df','vn','sw','dv','ph','dd','sg','md','gd']\n"
	"def letters(value, pairs):\n"
	"    return ''.join(c if value & bit else '-' for bit, c in pairs)\n"
	"for e in json.loads(sys.stdin.buffer.read().decode('utf-8')):\n"
	"    assert e['kve_type'] == (e['objects'][-1]['kvo_type']\n"
	"        if e['objects'] else e['kve_type'])\n"
	"    print('%5d %#14x %#14x %s %4d %4d %3d %3d %s %s' % (\n"
	"        e['pid'], e['kve_start'], e['kve_end'],\n"
	"        letters(e['kve_protection'], zip((1, 2, 4), 'rwx')),\n"
	"        e['kve_resident'], e['kve_private_resident'],\n"
	"        e['kve_ref_count'], e['kve_shadow_count'],\n"
	"        letters(e['kve_flags'], zip((1, 2, 8, 0x20, 0x40), 'CNSDW')),\n"
	"        types[e['kve_type']]), e['kve_path'].replace('\\\\', '\\\\134')\n"
	"        .replace('\\n', '\\\\012'), sep=' ' if e['kve_path'] else '')\n"
	"    at = e['kve_offset']\n"
	"    for depth, o in enumerate(e['objects']):\n"
	"        print('%*sat %#x of object %d %s: %d pages, %d resident, '\n"
	"            'ref %d, shd %d' % (8 + 2 * depth, '', at, o['kvo_id'],\n"
	"            types[o['kvo_type']], o['kvo_size'], o['kvo_resident'],\n"
	"            o['kvo_ref_count'], o['kvo_shadow_count']))\n"
	"        at = o['kvo_backing_offset']\n";

/* What C prints with %#jx, Python prints alike but for the zero. */
static void zero_as_in_c(char *text)
{
	char *at;

	while ((at = strstr(text, "at 0x0 ")))
		memmove(at + 4, at + 6, strlen(at + 6) + 1);
}

/* In UTF-8 there is no byte 0xff, only its replacement. */
static char *as_utf8(const char *text)
{
	const char *odd = strchr(text, '\xff');
	char *utf8;

	ASSERT(odd && !strchr(odd + 1, '\xff'));
	ASSERT(asprintf(&utf8, "%.*s\xef\xbf\xbd%s", (int)(odd - text), text,
			odd + 1) > 0);
	return utf8;
}

TEST_LIMIT(map_in_json_tells_the_same, 180)
{
	const struct target known = target_start(0, build_known);
	const struct target forked = target_start(0, build_fork);
	const struct outcome *o;
	char *want, *got;

	o = run("map", "--objects", known.text, forked.text, forked.more);
	EXPECT_SUCCESS(o);
	want = as_utf8(run_body(o->out));
	o = run("map", "--json", known.text, forked.text, forked.more);
	EXPECT_SUCCESS(o);
	got = strdup(run_python(map_to_text, o->out));
	zero_as_in_c(got);
	EXPECT_TEXT(got, want);
	free(want);
	free(got);
	target_end(&known);
	target_end(&forked);
}

/* The number of a process that is no more. */
static pid_t dead_process(void)
{
	const pid_t pid = harness_fork();

	if (!pid)
		_exit(0);
	harness_wait(pid);
	return pid;
}

TEST(a_process_that_cannot_be_shown_is_named)
{
	const struct target without = target_start(0, build_nothing);
	char dead[16];

	snprintf(dead, sizeof(dead), "%d", dead_process());
	EXPECT_FAILURE(run("map", dead), 1, "bsdvm: %s: No such process\n",
		       dead);
	EXPECT_FAILURE(run("map", without.text), 1,
		       "bsdvm: %s: the process has no window\n", without.text);
	EXPECT_FAILURE(run("rusage", dead), 1, "bsdvm: %s: No such process\n",
		       dead);
	EXPECT_FAILURE(run("rusage", without.text), 1,
		       "bsdvm: %s: the process has no window\n", without.text);
	target_end(&without);
}

TEST(the_others_are_shown_nevertheless)
{
	const struct target known = target_start(0, build_known);
	const struct outcome *o;
	char dead[16], want[64];

	snprintf(dead, sizeof(dead), "%d", dead_process());
	snprintf(want, sizeof(want), "bsdvm: %s: No such process\n", dead);
	o = run("map", dead, known.text);
	EXPECT_EQ(o->status, 1);
	EXPECT_TEXT(o->out, known_text(known.pid));
	EXPECT_TEXT(o->err, want);
	o = run("rusage", dead, known.text);
	EXPECT_EQ(o->status, 1);
	EXPECT(strstr(o->out, " map entries "));
	EXPECT_TEXT(o->err, want);
	target_end(&known);
}

TEST(another_users_process_is_not_shown)
{
	const struct target roots = target_start(0, build_empty);
	const struct target own = target_start(NOBODY, build_empty);

	EXPECT_FAILURE(run_nobody("map", roots.text), 1,
		       "bsdvm: %s: Operation not permitted\n", roots.text);
	EXPECT_FAILURE(run_nobody("rusage", roots.text), 1,
		       "bsdvm: %s: Operation not permitted\n", roots.text);
	EXPECT_SUCCESS(run_nobody("map", own.text));
	EXPECT_SUCCESS(run_nobody("rusage", own.text));
	EXPECT_SUCCESS(run("map", own.text));
	target_end(&roots);
	target_end(&own);
}

/* --- rusage */

/* The number behind these words, in a table of rusage or a list of stat. */
static long long after(const char *text, const char *words)
{
	const char *at = strstr(text, words);

	if (!at) {
		harness_fail(__FILE__, __LINE__, "no \"%s\"", words);
		return -1;
	}
	return strtoll(at + strlen(words), NULL, 0);
}

static void build_usage(void)
{
	struct bsdvm_rusage usage;
	int i;

	shared->map = vm_anon(100);
	/* A fault for each page, none that comes ahead. */
	ASSERT(!bsdvm_madvise(shared->map, 100 * PAGE, BSDVM_MADV_RANDOM));
	for (i = 0; i < 60; i++)
		shared->map[i * PAGE] = 1;
	/* The largest is that of those that somebody saw. */
	ASSERT(!bsdvm_rusage(0, &usage));
	ASSERT(!bsdvm_munmap(shared->map, 20 * PAGE));
	shared->map = map_fixed(200, 8, BSDVM_PROT_READ, ANON, -1);
}

TEST(rusage_counts_what_a_process_did)
{
	const struct target target = target_start(0, build_usage);
	const struct outcome *o = run("rusage", target.text);

	EXPECT_SUCCESS(o);
	EXPECT_BEGIN(o->out, "  PID RESOURCE ");
	EXPECT_EQ(after(o->out, "page reclaims "), 60);
	EXPECT_EQ(after(o->out, "page faults "), 0);
	EXPECT_EQ(after(o->out, "maximum RSS, KB "), 60 * 4);
	EXPECT_EQ(after(o->out, "virtual size, bytes "), 88 * (long)PAGE);
	EXPECT_EQ(after(o->out, "resident, pages "), 40);
	EXPECT_EQ(after(o->out, "map entries "), 2);
	target_end(&target);
}

static const char rusage_check[] =
	"import json, sys\n"
	"a, = json.load(sys.stdin)\n"
	"print(a['pid'], a['ru_minflt'], a['ru_majflt'], a['ru_maxrss'],\n"
	"      a['vm_size'], a['vm_rssize'], a['vm_entries'], len(a))\n";

TEST_LIMIT(rusage_in_json_has_the_members_names, 180)
{
	const struct target target = target_start(0, build_usage);
	char want[64];

	snprintf(want, sizeof(want), "%d 60 0 240 %zu 40 2 21\n", target.pid,
		 88 * PAGE);
	EXPECT_TEXT(run_python(rusage_check,
			       run("rusage", "--json", target.text)->out),
		    want);
	target_end(&target);
}

/* --- objects */

TEST(objects_lists_those_of_every_process)
{
	const struct target target = target_start(0, build_known);
	const struct outcome *o = run("objects");

	EXPECT_SUCCESS(o);
	EXPECT_BEGIN(o->out, "  RES   ACT INACT REF SHD CM TP PATH\n");
	EXPECT(strstr(o->out, "   3   1 WB vn /tmp/bsdvm.known\n"));
	EXPECT(strstr(o->out, "   1   0 WB vn "
			      "/tmp/bsdvm \xc3\xa9\xff\\134\\012.odd\n"));
	EXPECT(strstr(o->out, "   1   0 WB df\n"));
	/* Paths are not for everybody. */
	o = run_nobody("objects");
	EXPECT_SUCCESS(o);
	EXPECT(strstr(o->out, "   3   1 WB vn\n"));
	EXPECT(!strstr(o->out, "/tmp"));
	target_end(&target);
}

static const char objects_to_text[] =
	"import json, sys\n"
	"types = ['--','df','vn','sw','dv','ph','dd','sg','md','gd']\n"
	"objects = json.loads(sys.stdin.buffer.read().decode('utf-8'))\n"
	"ids = [o['kvo_id'] for o in objects]\n"
	"assert ids == sorted(set(ids))\n"
	"for o in objects:\n"
	"    assert o['kvo_backing_id'] == 0 or o['kvo_backing_id'] in ids\n"
	"    print('%5d %5d %5d %3d %3d WB %s' % (o['kvo_resident'],\n"
	"        o['kvo_active'], o['kvo_inactive'], o['kvo_ref_count'],\n"
	"        o['kvo_shadow_count'], types[o['kvo_type']]),\n"
	"        o['kvo_path'], sep=' ' if o['kvo_path'] else '')\n";

TEST_LIMIT(objects_in_json_tells_the_same, 180)
{
	const struct target target = target_start(0, build_fork);
	char *text = strdup(run("objects")->out);

	EXPECT_TEXT(run_python(objects_to_text, run("objects", "--json")->out),
		    run_body(text));
	free(text);
	target_end(&target);
}
