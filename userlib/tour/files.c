// SPDX-License-Identifier: BSD-2-Clause
/* Steps 1 to 3: a file mapped private to read, shared, and private to write. */
#include <fcntl.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include "report.h"
#include "tour.h"
#include "turns.h"

static int open_file(const struct tour *tour, int flags)
{
	int fd = open(tour->file, flags | O_CLOEXEC);

	if (fd < 0)
		report_die(tour->file);
	return fd;
}

/* The descriptor is not kept: the object holds the file. */
static char *map_file(const struct tour *tour, int open_flags, int prot,
		      int flags)
{
	int fd = open_file(tour, open_flags);
	char *map = bsdvm_mmap(NULL, tour->size, prot, flags, fd, 0);

	if (map == BSDVM_MAP_FAILED)
		report_die("bsdvm_mmap of the file");
	close(fd);
	return map;
}

static void unmap_file(const struct tour *tour, char *map)
{
	if (bsdvm_munmap(map, tour->size))
		report_die("bsdvm_munmap");
}

static void read_file(const struct tour *tour, void *buf, size_t len, off_t off)
{
	int fd = open_file(tour, O_RDONLY);

	if (pread(fd, buf, len, off) != (ssize_t)len)
		report_die("read of the file");
	close(fd);
}

static size_t count_lines(const char *text, size_t len)
{
	size_t lines = 0;

	while (len--)
		lines += *text++ == '\n';
	return lines;
}

static size_t count_lines_by_read(const struct tour *tour)
{
	int fd = open_file(tour, O_RDONLY);
	char buf[65536];
	size_t lines = 0;
	ssize_t n;

	while ((n = read(fd, buf, sizeof(buf))) > 0)
		lines += count_lines(buf, n);
	close(fd);
	return lines;
}

void step_map_file(struct tour *tour)
{
	const size_t pages = tour_pages(tour, tour->size);
	struct bsdvm_stats before = report_stats(), after;
	struct chain chain;
	size_t by_read;
	char *map;

	report_step("A file, mapped private and read");
	report_say(
		"%s, %zu bytes.\n"
		"The map gets one entry. It refers to the object of the file\n"
		"(type vn), whose pages come in as the entry is touched.",
		tour->system_map, tour->size);
	map = map_file(tour, O_RDONLY, BSDVM_PROT_READ, BSDVM_MAP_PRIVATE);
	tour->symbols = count_lines(map, tour->size);
	tour->did.loads++;
	tour->did.touches += pages;
	after = report_stats();
	report_map("this process");
	chain = report_chain(map);
	by_read = count_lines_by_read(tour);
	report_check(tour->symbols == by_read && by_read,
		     "%zu symbols through the mapping, %zu through read(2)",
		     tour->symbols, by_read);
	report_check(chain.depth == 1 &&
			     chain.object[0].kvo_type == BSDVM_KVME_TYPE_VNODE,
		     "the chain is one object, the file's (depth %u)",
		     chain.depth);
	report_check(chain.object[0].kvo_resident == pages,
		     "%u of its %zu pages are resident",
		     chain.object[0].kvo_resident, pages);
	report_check(
		after.v_vm_faults > before.v_vm_faults &&
			after.v_vm_faults - before.v_vm_faults <= pages,
		"%llu faults brought %zu pages in",
		(unsigned long long)(after.v_vm_faults - before.v_vm_faults),
		pages);
	unmap_file(tour, map);
}

static const char parent_text[] = "[the parent was here]";
static const char child_text[] = "[and here the child]";

/* The child of step 2: sees the parent's edit, then makes its own. */
static void share_as_child(const struct tour *tour, const struct turns *turns)
{
	char *map = map_file(tour, O_RDWR, BSDVM_PROT_READ | BSDVM_PROT_WRITE,
			     BSDVM_MAP_SHARED);

	turns_give(turns);
	turns_take(turns);
	report_check(!memcmp(map, parent_text, strlen(parent_text)),
		     "the child sees the parent's edit: \"%.*s\"",
		     (int)strlen(parent_text), map);
	memcpy(map + tour->page, child_text, strlen(child_text));
	turns_give(turns);
	turns_take(turns);
	turns_exit();
}

void step_share_file(struct tour *tour)
{
	char text[sizeof(parent_text) + sizeof(child_text)];
	struct turns turns;
	struct chain chain;
	char *map;

	report_step("A file, shared by two processes");
	report_say("Parent and child each open a copy of the file and map it\n"
		   "shared. There is one object per file, whoever maps it: a\n"
		   "store by one is seen by the other at once, and by read(2)\n"
		   "after msync.");
	turns = turns_fork();
	if (!turns.child)
		share_as_child(tour, &turns);
	tour->did.forks++;
	turns_take(&turns);
	map = map_file(tour, O_RDWR, BSDVM_PROT_READ | BSDVM_PROT_WRITE,
		       BSDVM_MAP_SHARED);
	memcpy(map, parent_text, strlen(parent_text));
	turns_give(&turns);
	turns_take(&turns);
	tour->did.loads += 4;
	tour->did.touches += 8;
	report_check(!memcmp(map + tour->page, child_text, strlen(child_text)),
		     "the parent sees the child's edit: \"%.*s\"",
		     (int)strlen(child_text), map + tour->page);
	report_map("the parent");
	chain = report_chain(map);
	report_check(chain.depth == 1 && chain.object[0].kvo_ref_count == 2,
		     "both map the same object (depth %u, ref %u)", chain.depth,
		     chain.object[0].kvo_ref_count);
	report_check(!bsdvm_msync(map, tour->size, BSDVM_MS_SYNC),
		     "msync of %zu bytes", tour->size);
	read_file(tour, text, strlen(parent_text), 0);
	report_check(!memcmp(text, parent_text, strlen(parent_text)),
		     "read(2) of page 0 gives \"%.*s\"",
		     (int)strlen(parent_text), text);
	read_file(tour, text, strlen(child_text), tour->page);
	report_check(!memcmp(text, child_text, strlen(child_text)),
		     "read(2) of page 1 gives \"%.*s\"",
		     (int)strlen(child_text), text);
	turns_give(&turns);
	turns_wait(&turns);
	unmap_file(tour, map);
}

void step_private_write(struct tour *tour)
{
	static const char text[] = "[private]";
	char before[sizeof(text)], after[sizeof(text)];
	struct chain chain;
	char *map;

	report_step("A private write makes a shadow object");
	report_say(
		"Mapped private to write, the entry starts as copy-on-write\n"
		"(C) that still needs its copy (N). The first store puts a\n"
		"shadow object between the entry and the file: it holds the\n"
		"pages that were written, all others show through.");
	read_file(tour, before, sizeof(before), 0);
	map = map_file(tour, O_RDONLY, BSDVM_PROT_READ | BSDVM_PROT_WRITE,
		       BSDVM_MAP_PRIVATE);
	report_map("this process, before the store");
	chain = report_chain(map);
	report_check(chain.depth == 1, "before the store: depth %u",
		     chain.depth);
	memcpy(map, text, sizeof(text));
	map[3 * tour->page] = '!';
	tour->did.copies += 2;
	tour->did.touches += 2;
	report_map("this process, after stores to pages 0 and 3");
	chain = report_chain(map);
	report_check(chain.depth == 2 && chain.pages == 2,
		     "after the stores: depth %u, %u pages in the shadow",
		     chain.depth, chain.pages);
	report_check(!strcmp(map, text), "the mapping has \"%s\"", map);
	read_file(tour, after, sizeof(after), 0);
	report_check(!memcmp(before, after, sizeof(after)),
		     "the file still has \"%.*s\"", (int)sizeof(after) - 1,
		     after);
	tour->private = map;
}
