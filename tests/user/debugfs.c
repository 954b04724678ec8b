// SPDX-License-Identifier: BSD-2-Clause
/* The state of the module as text, for root, in /sys/kernel/debug/bsdvm. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "vm.h"

#define DIRECTORY "/sys/kernel/debug/bsdvm/"

static FILE *open_text(const char *name)
{
	char path[64];
	FILE *text;

	snprintf(path, sizeof(path), DIRECTORY "%s", name);
	text = fopen(path, "r");
	ASSERT(text);
	return text;
}

/* The line that begins with @start, blanks before it passed over; "" for none. */
static const char *line_of(const char *name, const char *start)
{
	FILE *text = open_text(name);
	static char line[4096];
	const char *found = "";
	const char *begin;

	while (!*found && fgets(line, sizeof(line), text)) {
		begin = line + strspn(line, " ");
		if (!strncmp(begin, start, strlen(start)))
			found = begin;
	}
	EXPECT(!ferror(text));
	fclose(text);
	return found;
}

/* The number behind a name. */
static uint64_t number_of(const char *file, const char *name)
{
	char start[64];
	const char *line;

	snprintf(start, sizeof(start), "%s ", name);
	line = line_of(file, start);
	EXPECT(*line);
	return *line ? strtoull(line + strlen(start), NULL, 10) : 0;
}

TEST(only_root_may_read)
{
	static const char *const names[] = { "stats", "sysctl", "vmspaces",
					     "maps", "objects" };
	struct stat st;
	char path[64];
	size_t i;

	for (i = 0; i < sizeof(names) / sizeof(*names); i++) {
		snprintf(path, sizeof(path), DIRECTORY "%s", names[i]);
		ASSERT(!stat(path, &st));
		EXPECT_EQ(st.st_mode & 07777, 0400);
		EXPECT_EQ(st.st_uid, 0);
	}
}

TEST(counters_and_tunables_are_those_of_the_calls)
{
	struct bsdvm_stats stats;
	uint64_t attempts;

	ASSERT(!bsdvm_stats(&stats));
	EXPECT_EQ(number_of("stats", "v_page_count"), stats.v_page_count);
	EXPECT_EQ(number_of("stats", "v_forks"), stats.v_forks);
	ASSERT(!bsdvm_sysctl_get("vm.pfault_oom_attempts", &attempts));
	EXPECT_EQ(number_of("sysctl", "vm.pfault_oom_attempts"), attempts);
	/* A name is a whole word. */
	EXPECT(!*line_of("stats", "v_page_coun "));
}

TEST(each_window_has_a_line)
{
	char pid[16], comm[32];
	uint64_t res;

	*vm_anon(3) = 'x';
	snprintf(pid, sizeof(pid), "%d ", getpid());
	ASSERT(sscanf(line_of("vmspaces", pid), "%*d %31s %*x %*x %*u %*u %lu",
		      comm, &res) == 2);
	EXPECT(!strcmp(comm, "debugfs"));
	EXPECT_EQ(res, 1);
}

TEST(a_path_cannot_make_a_line_of_its_own)
{
	char start[64], path[] = "/tmp/two\nlines";
	const int fd = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600);
	char *map;

	ASSERT(fd >= 0 && !ftruncate(fd, PAGE));
	map = bsdvm_mmap(NULL, PAGE, RW, BSDVM_MAP_SHARED, fd, 0);
	ASSERT(map != BSDVM_MAP_FAILED);
	*map = 'x';
	snprintf(start, sizeof(start), "%d 0x%016lx ", getpid(), (long)map);
	EXPECT(strstr(line_of("maps", start), " rw- "));
	EXPECT(strstr(line_of("maps", start), " vn /tmp/two\\012lines\n"));
	EXPECT(!*line_of("maps", "lines"));
	EXPECT(!*line_of("objects", "lines"));
	ASSERT(!unlink(path));
}

/* More than the first buffer of the file takes. */
TEST(a_long_map_is_shown_whole)
{
	char *map = vm_anon(4096), start[64];
	size_t i;

	for (i = 0; i < 4096; i += 2)
		ASSERT(!bsdvm_mprotect(map + i * PAGE, PAGE, BSDVM_PROT_READ));
	for (i = 0; i < 4096; i += 1365) {
		snprintf(start, sizeof(start), "%d 0x%016lx 0x%016lx %s ",
			 getpid(), (long)(map + i * PAGE),
			 (long)(map + (i + 1) * PAGE), i % 2 ? "rw-" : "r--");
		EXPECT(*line_of("maps", start));
	}
}

TEST(each_object_has_a_line)
{
	const char *map = vm_anon(5);
	struct vm_entry found;
	char start[32];
	uint64_t res, size;

	EXPECT_NO_FAULT(vm_write((char *)map + PAGE, 'x'));
	found = vm_entry_at(map);
	ASSERT(found.e.kve_nobjects == 1);
	snprintf(start, sizeof(start), "%llu ", found.object[0].kvo_id);
	ASSERT(sscanf(line_of("objects", start), "%*u %lu %*u %*u %lu", &res,
		      &size) == 2);
	EXPECT_EQ(res, 1);
	EXPECT_EQ(size, found.object[0].kvo_size);
}
