// SPDX-License-Identifier: BSD-2-Clause
/* The tracepoints, as tracefs shows them: that they are there, and fire with what is so. */
#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "vm.h"

#define TRACING	 "/sys/kernel/tracing/"
#define INSTANCE TRACING "instances/bsdvm_test/"

/* What scripts are written against: names and fields, in their order. */
static const struct {
	const char *name;
	const char *fields;
} events[] = {
	{ "bsdvm_fault_begin", "address access pass" },
	{ "bsdvm_fault_end",
	  "address start end object source pindex access depth how result wait" },
	{ "bsdvm_fault_wait_begin", "wait" },
	{ "bsdvm_fault_wait_end", "wait result" },
	{ "bsdvm_object_create", "object size type" },
	{ "bsdvm_object_shadow", "object backing offset size" },
	{ "bsdvm_object_collapse", "object backing next moved freed" },
	{ "bsdvm_object_bypass", "object backing next" },
	{ "bsdvm_object_destroy", "object resident type" },
	{ "bsdvm_map_insert", "map start end object offset prot max" },
	{ "bsdvm_map_delete", "map start end object" },
	{ "bsdvm_map_clip", "map start end at" },
	{ "bsdvm_map_fork_begin", "map child entries size" },
	{ "bsdvm_map_fork_end", "map child entries size result" },
	{ "bsdvm_pmap_enter", "address pfn prot" },
	{ "bsdvm_pmap_enter_object", "start pages entered prot" },
	{ "bsdvm_pmap_remove", "start end" },
	{ "bsdvm_pmap_remove_all", "pfn" },
	{ "bsdvm_pmap_remove_write", "pfn" },
	{ "bsdvm_pmap_protect", "start end prot" },
	{ "bsdvm_pmap_shootdown", "start pages cpus" },
	{ "bsdvm_page_alloc", "pfn" },
	{ "bsdvm_page_free", "pfn" },
	{ "bsdvm_page_queue", "pfn from to" },
	{ "bsdvm_pageout_begin", "shortage free reason" },
	{ "bsdvm_pageout_end", "freed aged reason outcome" },
	{ "bsdvm_pageout_page", "object pindex queue verdict" },
	{ "bsdvm_launder_begin", "wanted reason" },
	{ "bsdvm_launder_end", "wanted done reason" },
	{ "bsdvm_pager_get_begin", "object pindex type pages" },
	{ "bsdvm_pager_get_end", "object type pages done error" },
	{ "bsdvm_pager_put_begin", "object pindex type pages" },
	{ "bsdvm_pager_put_end", "object type pages done error" },
	{ "bsdvm_zone_refill", "zone wanted items" },
	{ "bsdvm_zone_drain", "zone items" },
};

#define EVENTS (sizeof(events) / sizeof(*events))

/* Append the name of the field that a line of a format file declares, if it does. */
static void add_field(char *fields, size_t size, char *line)
{
	char *end = strchr(line, ';'), *name;

	if (strncmp(line, "\tfield:", 7) || !end || strstr(line, " common_"))
		return;
	*end = '\0';
	name = strrchr(line, ' ') + 1;
	name[strcspn(name, "[")] = '\0';
	snprintf(fields + strlen(fields), size - strlen(fields), "%s%s",
		 *fields ? " " : "", name);
}

TEST(each_event_has_its_fields)
{
	char path[128], line[4096], fields[256];
	FILE *format;
	size_t i;

	for (i = 0; i < EVENTS; i++) {
		snprintf(path, sizeof(path), TRACING "events/bsdvm/%s/format",
			 events[i].name);
		format = fopen(path, "r");
		ASSERT(format);
		*fields = '\0';
		while (fgets(line, sizeof(line), format))
			add_field(fields, sizeof(fields), line);
		fclose(format);
		if (strcmp(fields, events[i].fields))
			harness_fail(__FILE__, __LINE__, "%s has %s, not %s",
				     events[i].name, fields, events[i].fields);
	}
}

TEST(there_is_no_other_event)
{
	DIR *dir = opendir(TRACING "events/bsdvm");
	struct dirent *entry;
	size_t n = 0;

	ASSERT(dir);
	while ((entry = readdir(dir)))
		n += !strncmp(entry->d_name, "bsdvm_", 6);
	closedir(dir);
	EXPECT_EQ(n, EVENTS);
}

/* --- what fires */

static void tell(const char *file, const char *text)
{
	char path[128];
	int fd;

	snprintf(path, sizeof(path), INSTANCE "%s", file);
	fd = open(path, O_WRONLY | O_TRUNC);
	ASSERT(fd >= 0);
	ASSERT(write(fd, text, strlen(text)) == (ssize_t)strlen(text));
	close(fd);
}

/* From here on everything that this process and its children do is noted. */
static void trace_begin(void)
{
	char pid[16];

	rmdir(INSTANCE);
	ASSERT(!mkdir(INSTANCE, 0700));
	snprintf(pid, sizeof(pid), "%d", getpid());
	tell("buffer_size_kb", "4096");
	tell("options/event-fork", "1");
	tell("set_event_pid", pid);
	tell("events/bsdvm/enable", "1");
}

static char *trace;

static void trace_end(void)
{
	const size_t size = 16 << 20;
	size_t n = 0;
	ssize_t got;
	int fd;

	tell("events/bsdvm/enable", "0");
	fd = open(INSTANCE "trace", O_RDONLY);
	trace = malloc(size);
	ASSERT(fd >= 0 && trace);
	while ((got = read(fd, trace + n, size - 1 - n)) > 0)
		n += got;
	ASSERT(!got && n < size - 1);
	trace[n] = '\0';
	close(fd);
	ASSERT(!rmdir(INSTANCE));
}

/* How often an event was noted whose text holds @part; *@first: the first of them. */
static unsigned int noted_first(const char *event, const char *part,
				char *first, size_t size)
{
	char name[64], line[1024], *at, *end, *text;
	unsigned int n = 0;

	snprintf(name, sizeof(name), " bsdvm_%s: ", event);
	for (at = trace; *at; at = end) {
		end = strchr(at, '\n');
		end = end ? end + 1 : at + strlen(at);
		snprintf(line, sizeof(line), "%.*s", (int)(end - at), at);
		text = strstr(line, name);
		if (!text || !strstr(text + strlen(name), part))
			continue;
		if (!n++ && first)
			snprintf(first, size, "%s", text + strlen(name));
	}
	return n;
}

static unsigned int noted(const char *event, const char *part)
{
	return noted_first(event, part, NULL, 0);
}

/* The number that the first such event has for a field. */
static unsigned long field(const char *event, const char *part,
			   const char *name)
{
	char line[1024], key[32], *at;

	snprintf(key, sizeof(key), "%s=", name);
	if (!noted_first(event, part, line, sizeof(line)))
		return ~0UL;
	at = strstr(line, key);
	return at ? strtoul(at + strlen(key), NULL, 0) : ~0UL;
}

static const char *text(const char *format, ...)
	__attribute__((format(printf, 1, 2)));

static const char *text(const char *format, ...)
{
	static char buffer[4][256];
	static unsigned int next;
	char *place = buffer[next++ % 4];
	va_list args;

	va_start(args, format);
	vsnprintf(place, sizeof(buffer[0]), format, args);
	va_end(args);
	return place;
}

TEST(zero_fill_is_told_from_the_map_to_the_page)
{
	unsigned long object;
	char *map;

	trace_begin();
	map = vm_anon(2);
	map[PAGE + 5] = 'x';
	trace_end();
	EXPECT_EQ(noted("map_insert", text("entry=%#lx-%#lx object=0 ",
					   (long)map, (long)map + 2 * PAGE)),
		  1);
	EXPECT_EQ(noted("map_insert", "prot=read|write max=read|write|execute"),
		  1);
	EXPECT_EQ(noted("fault_begin", text("address=%#lx access=write pass=0",
					    (long)map + PAGE)),
		  1);
	EXPECT_EQ(noted("fault_begin", ""), 1);
	EXPECT_EQ(noted("fault_end",
			text("address=%#lx access=write entry=%#lx-%#lx ",
			     (long)map + PAGE, (long)map,
			     (long)map + 2 * PAGE)),
		  1);
	object = field("fault_end", "", "object");
	EXPECT_EQ(
		noted("fault_end",
		      text("object=%lu source=%lu pindex=1 depth=0 how=zero result=success wait=none",
			   object, object)),
		1);
	EXPECT_EQ(noted("object_create",
			text("object=%lu type=default size=2", object)),
		  1);
	EXPECT_EQ(noted("pmap_enter", text("address=%#lx ", (long)map + PAGE)),
		  1);
	EXPECT_EQ(noted("pmap_enter", "prot=read|write"), 1);
	EXPECT_EQ(noted("page_alloc",
			text("pfn=%#lx\n", field("pmap_enter", "", "pfn"))),
		  1);
	EXPECT_EQ(noted("page_queue", text("pfn=%#lx from=none to=active",
					   field("pmap_enter", "", "pfn"))),
		  1);
	EXPECT_EQ(noted("fault_wait_begin", ""), 0);
}

TEST(a_fork_names_the_map_and_the_new_one)
{
	unsigned long map, child;
	pid_t pid;

	vm_anon(1);
	trace_begin();
	pid = harness_fork();
	if (!pid) {
		vm_anon_flags(1, BSDVM_MAP_SHARED);
		harness_exit();
	}
	harness_join(pid);
	vm_anon_flags(1, BSDVM_MAP_SHARED);
	trace_end();
	map = field("map_fork_begin", "", "map");
	child = field("map_fork_begin", "", "child");
	EXPECT(map != child);
	EXPECT_EQ(noted("map_fork_end",
			text("map=%lu child=%lu entries=1 ", map, child)),
		  1);
	EXPECT_EQ(noted("map_insert", text("map=%lu ", map)), 1);
	EXPECT_EQ(noted("map_insert", text("map=%lu ", child)), 1);
	EXPECT(noted("map_delete", text("map=%lu ", child)) >= 1);
}

TEST(copy_on_write_tells_the_depth_of_the_chain)
{
	unsigned long bottom, top;
	char *map = vm_anon(4);
	pid_t pid;

	memset(map, 'x', 4 * PAGE);
	trace_begin();
	pid = harness_fork();
	if (!pid) {
		map[0] = 'y';
		pid = harness_fork();
		if (!pid) {
			map[PAGE] = 'y';
			harness_exit();
		}
		harness_join(pid);
		harness_exit();
	}
	harness_join(pid);
	trace_end();
	EXPECT_EQ(noted("map_fork_begin", ""), 2);
	EXPECT_EQ(noted("map_fork_end", "result=success"), 2);
	EXPECT_EQ(field("map_fork_end", "", "entries"),
		  field("map_fork_begin", "", "entries"));
	EXPECT_EQ(noted("fault_end", "depth=1 how=cow result=success"), 1);
	EXPECT_EQ(noted("fault_end", "depth=2 how=cow result=success"), 1);
	EXPECT_EQ(noted("object_shadow", ""), 2);
	bottom = field("fault_end", "depth=1 how=cow", "source");
	top = field("fault_end", "depth=1 how=cow", "object");
	EXPECT_EQ(noted("object_shadow",
			text("object=%lu backing=%lu offset=0x0 size=4", top,
			     bottom)),
		  1);
	EXPECT_EQ(noted("object_destroy",
			text("object=%lu type=default resident=1", top)),
		  1);
	EXPECT_EQ(noted("object_destroy", ""), 2);
	/* Both parents' pages were made read-only. */
	EXPECT(noted("pmap_protect", "prot=read|execute") >= 2);
}

TEST(wiring_what_is_mapped_is_spurious)
{
	char *map = vm_anon(3);

	memset(map, 'x', 3 * PAGE);
	trace_begin();
	ASSERT(!bsdvm_mlock(map, 3 * PAGE));
	trace_end();
	EXPECT_EQ(noted("fault_end", "how=spurious result=success"), 3);
	EXPECT_EQ(noted("fault_end", ""), 3);
	EXPECT_EQ(noted("page_queue", "from=active to=none"), 3);
}

TEST(first_store_after_fork_is_not_spurious)
{
	char *map = vm_anon(1);
	pid_t pid;

	map[0] = 'x';
	pid = harness_fork();
	if (!pid)
		harness_exit();
	harness_join(pid);
	trace_begin();
	map[0] = 'y';
	trace_end();
	EXPECT_EQ(noted("fault_end", "depth=0 how=resident result=success"), 1);
	EXPECT_EQ(noted("fault_end", ""), 1);
}

TEST(refused_accesses_end_with_a_result)
{
	char *map = vm_anon(2);

	ASSERT(!bsdvm_mprotect(map, PAGE, BSDVM_PROT_READ));
	ASSERT(!bsdvm_munmap(map + PAGE, PAGE));
	trace_begin();
	EXPECT_EQ(vm_write(map, 'x').sig, SIGSEGV);
	EXPECT_EQ(vm_write(map + PAGE, 'x').sig, SIGSEGV);
	trace_end();
	EXPECT_EQ(noted("fault_end",
			"how=resident result=protection-failure wait=none"),
		  1);
	EXPECT_EQ(noted("fault_end", "entry=0x0-0x0 object=0 "), 2);
	EXPECT_EQ(noted("fault_end", "result=invalid-address wait=none"), 1);
}

TEST(page_in_waits_for_the_pager)
{
	const int fd = vm_file("/mnt/ext4", 4 * PAGE);
	unsigned long object;
	char *map;

	/* A page-in brings what is around in the cluster of 16 pages. */
	map = bsdvm_mmap(NULL, 4 * PAGE, RW,
			 BSDVM_MAP_SHARED | BSDVM_MAP_ALIGNED(16), fd, 0);
	ASSERT(map != BSDVM_MAP_FAILED);
	trace_begin();
	EXPECT_EQ(map[PAGE], vm_file_byte(PAGE));
	map[PAGE] = 'x';
	ASSERT(!bsdvm_msync(map, 4 * PAGE, BSDVM_MS_SYNC));
	trace_end();
	EXPECT_EQ(noted("fault_end", "how=pagein result=restart wait=pagein"),
		  1);
	EXPECT_EQ(noted("fault_wait_begin", "wait=pagein"), 1);
	EXPECT_EQ(noted("fault_wait_end", "wait=pagein result=restart"), 1);
	object = field("fault_end", "how=pagein", "source");
	EXPECT_EQ(noted("pager_get_begin",
			text("object=%lu type=vnode pindex=0 pages=4", object)),
		  1);
	EXPECT_EQ(noted("pager_get_end",
			text("object=%lu type=vnode pages=4 done=4 error=0",
			     object)),
		  1);
	/* The pager hears of the first store before. */
	EXPECT_EQ(noted("fault_end", "result=restart wait=prepare"), 1);
	EXPECT_EQ(noted("pager_put_begin",
			text("object=%lu type=vnode pindex=1 pages=1", object)),
		  1);
	EXPECT_EQ(noted("pager_put_end",
			text("object=%lu type=vnode pages=1 done=1 error=0",
			     object)),
		  1);
	/* Whoever reads it goes on doing so. */
	EXPECT_EQ(noted("pmap_remove_write", ""), 1);
	EXPECT_EQ(noted("pmap_remove_all", ""), 0);
}

TEST(neighbours_of_a_read_come_with_it)
{
	char *map = vm_anon(8);
	pid_t pid;

	memset(map, 'x', 8 * PAGE);
	trace_begin();
	pid = harness_fork();
	if (!pid) {
		EXPECT_EQ(map[0], 'x');
		EXPECT_EQ(map[PAGE], 'x');
		harness_exit();
	}
	harness_join(pid);
	trace_end();
	/* Those of its cluster, which may begin somewhere before. */
	EXPECT(noted("fault_end", "how=around result=success") >= 1);
	EXPECT(noted("pmap_enter_object", "prot=read") >= 1);
	EXPECT(field("pmap_enter_object", "", "entered") <= 8);
}

TEST(cutting_a_hole_clips_and_deletes)
{
	char *map = vm_anon(5);

	memset(map, 'x', 5 * PAGE);
	trace_begin();
	ASSERT(!bsdvm_munmap(map + 2 * PAGE, PAGE));
	trace_end();
	EXPECT_EQ(noted("map_clip", ""), 2);
	EXPECT_EQ(noted("map_clip",
			text("entry=%#lx-%#lx at=%#lx", (long)map,
			     (long)map + 5 * PAGE, (long)map + 2 * PAGE)),
		  1);
	EXPECT_EQ(noted("map_delete",
			text("entry=%#lx-%#lx ", (long)map + 2 * PAGE,
			     (long)map + 3 * PAGE)),
		  1);
	EXPECT_EQ(noted("map_delete", ""), 1);
	EXPECT_EQ(noted("pmap_remove",
			text("range=%#lx-%#lx", (long)map + 2 * PAGE,
			     (long)map + 3 * PAGE)),
		  1);
	EXPECT_EQ(noted("pmap_shootdown",
			text("start=%#lx pages=1 ", (long)map + 2 * PAGE)),
		  1);
	EXPECT_EQ(noted("page_free", ""), 1);
}

TEST(protection_is_shot_down)
{
	char *map = vm_anon(6);

	memset(map, 'x', 6 * PAGE);
	trace_begin();
	ASSERT(!bsdvm_mprotect(map, 6 * PAGE, BSDVM_PROT_READ));
	trace_end();
	EXPECT_EQ(noted("pmap_protect", text("range=%#lx-%#lx prot=read",
					     (long)map, (long)map + 6 * PAGE)),
		  1);
	EXPECT_EQ(noted("pmap_shootdown",
			text("start=%#lx pages=6 ", (long)map)),
		  1);
}

TEST(many_entries_fill_and_drain_buckets)
{
	enum {
		ENTRIES = 3000
	};
	char *map;
	size_t i;

	trace_begin();
	map = vm_anon(2 * ENTRIES);
	for (i = 0; i < ENTRIES; i++)
		ASSERT(!bsdvm_munmap(map + (2 * i + 1) * PAGE, PAGE));
	ASSERT(!bsdvm_munmap(map, 2 * ENTRIES * PAGE));
	trace_end();
	EXPECT(noted("zone_refill", "zone=MAP ENTRY") > 0);
	EXPECT(field("zone_refill", "zone=MAP ENTRY", "items") <=
	       field("zone_refill", "zone=MAP ENTRY", "wanted"));
	EXPECT(noted("zone_drain", "zone=MAP ENTRY") > 0);
}
