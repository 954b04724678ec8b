// SPDX-License-Identifier: BSD-2-Clause
/*
 * A row of docs/semantics.md: makes its calls, and looks at the map of who made
 * one that failed.
 */
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>

#include "calls.h"

#define DOCUMENT "docs/semantics.md"
#define MAP_MAX	 64

char vec[64];
char long_name[BSDVM_SHM_PATH_MAX + 8];

/*
 * What a failing call must not change. A page may have become resident: to look
 * at memory is no change.
 */
struct entry {
	uint64_t start, end, offset;
	uint32_t type, flags, prot, max_prot, inheritance, wired;
};

struct map {
	struct entry entry[MAP_MAX];
	size_t count;
};

/* Without malloc, which a limit on the address space may stop. */
static void note_map(struct map *map)
{
	static char buf[64 * 1024] __attribute__((aligned(8)));
	struct bsdvm_entries arg = {
		.size = sizeof(arg),
		.buf = (uintptr_t)buf,
		.buf_len = sizeof(buf),
	};
	const struct bsdvm_vmentry *e = (void *)buf;
	size_t i;

	memset(map, 0, sizeof(*map));
	ASSERT(!ioctl(bsdvm_fd(), BSDVM_IOC_ENTRIES, &arg));
	ASSERT(!arg.more && arg.count <= MAP_MAX);
	map->count = arg.count;
	for (i = 0; i < map->count; i++, e = bsdvm_vmentry_next(e))
		map->entry[i] = (struct entry){
			.start = e->kve_start,
			.end = e->kve_end,
			.offset = e->kve_offset,
			.type = e->kve_type,
			.flags = e->kve_flags,
			.prot = e->kve_protection,
			.max_prot = e->kve_max_protection,
			.inheritance = e->kve_inheritance,
			.wired = e->kve_wired_count,
		};
}

static void compare_maps(int line, const char *text, const struct map *before,
			 const struct map *after)
{
	size_t i;

	if (before->count != after->count)
		harness_fail(DOCUMENT, line,
			     "%s: %zu entries before, %zu after", text,
			     before->count, after->count);
	for (i = 0; i < before->count && i < after->count; i++) {
		const struct entry *b = &before->entry[i];
		const struct entry *a = &after->entry[i];

		if (!memcmp(b, a, sizeof(*b)))
			continue;
		harness_fail(DOCUMENT, line,
			     "%s: entry %zu was [%#llx, %#llx) prot %u max %u "
			     "inherit %u flags %#x wired %u, is [%#llx, %#llx) "
			     "prot %u max %u inherit %u flags %#x wired %u",
			     text, i, (long long)b->start, (long long)b->end,
			     b->prot, b->max_prot, b->inheritance, b->flags,
			     b->wired, (long long)a->start, (long long)a->end,
			     a->prot, a->max_prot, a->inheritance, a->flags,
			     a->wired);
		return;
	}
}

static void make_call(int line, const struct semantics_call *call)
{
	static struct map before, after;
	long result;
	int got;

	note_map(&before);
	errno = 0;
	result = call->make();
	got = result == -1 ? errno : 0;
	if (got != call->want)
		harness_fail(DOCUMENT, line, "%s: %s, not %s", call->text,
			     got ? strerrorname_np(got) : "success",
			     call->want ? strerrorname_np(call->want) :
					  "success");
	if (!got)
		return;
	note_map(&after);
	compare_maps(line, call->text, &before, &after);
	EXPECT(vm_all(anon, 4 * PAGE, 'a'));
}

/* Whether @next finds after @call what a scene of its own would show it. */
static bool same_scene(const struct semantics_call *call,
		       const struct semantics_call *next)
{
	return call->want && !call->prepare && !next->prepare &&
	       call->pieces == next->pieces;
}

void semantics_row(int line, const struct semantics_call *calls, size_t count)
{
	size_t i, behind;

	memset(long_name, 'n', sizeof(long_name) - 1);
	long_name[0] = '/';
	scene_begin();
	scene_open();
	for (i = 0; i < count; i = behind) {
		pid_t child;

		behind = i + 1;
		while (behind < count &&
		       same_scene(&calls[behind - 1], &calls[behind]))
			behind++;
		child = harness_fork();
		if (!child) {
			scene_make(calls[i].pieces);
			if (calls[i].prepare)
				calls[i].prepare();
			for (; i < behind; i++)
				make_call(line, &calls[i]);
			harness_exit();
		}
		if (harness_wait(child))
			harness_fail(DOCUMENT, line, "%s, or one behind it",
				     calls[i].text);
		scene_begin();
	}
}

void semantics_unprepared(const char *text)
{
	harness_fail(DOCUMENT, 0, "%s: %s", text, strerrorname_np(errno));
	harness_exit();
}
