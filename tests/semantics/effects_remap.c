// SPDX-License-Identifier: BSD-2-Clause
/* mremap of NetBSD, mimmutable and mquery of OpenBSD: what they do. */
#include <signal.h>
#include <string.h>

#include "scene.h"
#include "effects.h"

#define SHARED	BSDVM_MAP_SHARED
#define PRIVATE BSDVM_MAP_PRIVATE
#define FIXED	BSDVM_MAP_FIXED
#define DUP	BSDVM_MAP_REMAPDUP

/* Memory with free space of 60 pages behind it. */
static char *map_with_room(size_t pages)
{
	char *map = vm_anon(64);

	memset(map, 'x', pages * PAGE);
	ASSERT(!bsdvm_munmap(map + pages * PAGE, (64 - pages) * PAGE));
	return map;
}

/* Memory with something else right behind it. */
static char *map_without_room(size_t pages)
{
	char *map = vm_anon(pages + 1);

	memset(map, 'x', pages * PAGE);
	ASSERT(!bsdvm_mprotect(map + pages * PAGE, PAGE, R));
	return map;
}

static char *remap(char *old, size_t old_pages, char *new, size_t new_pages,
		   int flags)
{
	char *map = bsdvm_mremap(old, old_pages * PAGE, new, new_pages * PAGE,
				 flags);

	ASSERT(map != BSDVM_MAP_FAILED);
	return map;
}

void effect_mremap_same(void)
{
	char *map = map_with_room(4);

	EXPECT_EQ(remap(map, 4, NULL, 4, 0), map);
	EXPECT(vm_all(map, 4 * PAGE, 'x'));
	EXPECT_EQ(vm_entry_count(), 1);
}

void effect_mremap_shrink(void)
{
	char *map = map_with_room(4);

	EXPECT_EQ(remap(map, 4, NULL, 2, 0), map);
	EXPECT(vm_all(map, 2 * PAGE, 'x'));
	EXPECT_FAULT(vm_read(map + 2 * PAGE), SIGSEGV, SEGV_MAPERR,
		     map + 2 * PAGE);
	EXPECT_EQ(vm_entry_at(map).e.kve_end, (uintptr_t)map + 2 * PAGE);
}

void effect_mremap_grow(void)
{
	char *map = map_with_room(4);

	EXPECT_EQ(remap(map, 4, NULL, 8, 0), map);
	EXPECT(vm_all(map, 4 * PAGE, 'x'));
	EXPECT(vm_all(map + 4 * PAGE, 4 * PAGE, 0));
	memset(map, 'y', 8 * PAGE);
	EXPECT_EQ(vm_entry_at(map).e.kve_end, (uintptr_t)map + 8 * PAGE);
	EXPECT_FAULT(vm_read(map + 8 * PAGE), SIGSEGV, SEGV_MAPERR,
		     map + 8 * PAGE);
}

void effect_mremap_move(void)
{
	char *map = map_without_room(4), *new;

	new = remap(map, 4, NULL, 8, 0);
	EXPECT(new != map);
	EXPECT(vm_all(new, 4 * PAGE, 'x'));
	EXPECT(vm_all(new + 4 * PAGE, 4 * PAGE, 0));
	memset(new, 'y', 8 * PAGE);
	EXPECT_FAULT(vm_read(map), SIGSEGV, SEGV_MAPERR, map);
	EXPECT_FAULT(vm_read(map + 3 * PAGE), SIGSEGV, SEGV_MAPERR,
		     map + 3 * PAGE);
	EXPECT_NO_FAULT(vm_read(map + 4 * PAGE));
	/* An alignment that the old place does not have moves it, too. */
	map = map_with_room(4);
	ASSERT(!bsdvm_munmap(map, PAGE));
	new = remap(map + PAGE, 3, NULL, 4, BSDVM_MAP_ALIGNED(21));
	EXPECT_EQ((uintptr_t) new &((1 << 21) - 1), 0);
	EXPECT(vm_all(new, 3 * PAGE, 'x'));
}

void effect_mremap_move_fixed(void)
{
	char *map = map_with_room(4), *to = map + 32 * PAGE;

	EXPECT_EQ(remap(map, 4, to, 4, FIXED), to);
	EXPECT(vm_all(to, 4 * PAGE, 'x'));
	EXPECT_FAULT(vm_read(map), SIGSEGV, SEGV_MAPERR, map);
	/* Part of a mapping, to a smaller and a larger place. */
	EXPECT_EQ(remap(to + 2 * PAGE, 2, map, 1, FIXED), map);
	EXPECT(vm_all(map, PAGE, 'x'));
	EXPECT(vm_all(to, 2 * PAGE, 'x'));
	EXPECT_FAULT(vm_read(to + 3 * PAGE), SIGSEGV, SEGV_MAPERR,
		     to + 3 * PAGE);
	EXPECT_EQ(remap(map, 1, map + 8 * PAGE, 3, FIXED), map + 8 * PAGE);
	EXPECT(vm_all(map + 8 * PAGE, PAGE, 'x'));
	EXPECT(vm_all(map + 9 * PAGE, 2 * PAGE, 0));
}

void effect_mremap_dup(void)
{
	char *map = map_with_room(4), *dup;

	dup = remap(map, 4, map + 32 * PAGE, 4, FIXED | DUP);
	EXPECT_EQ(dup, map + 32 * PAGE);
	EXPECT(vm_all(dup, 4 * PAGE, 'x'));
	dup[0] = 'd';
	EXPECT_EQ(map[0], 'd');
	map[3 * PAGE] = 'm';
	EXPECT_EQ(dup[3 * PAGE], 'm');
	/* Two views of one memory may differ in what they allow. */
	ASSERT(!bsdvm_mprotect(dup, 4 * PAGE, R));
	map[PAGE] = 'n';
	EXPECT_EQ(dup[PAGE], 'n');
	EXPECT_EQ(vm_write(dup, 1).sig, SIGSEGV);
	ASSERT(!bsdvm_munmap(map, 4 * PAGE));
	EXPECT_EQ(dup[PAGE], 'n');
	/* Memory that nobody has touched is one memory as well. */
	map = vm_anon(2);
	dup = remap(map, 2, NULL, 2, DUP);
	EXPECT(dup != map);
	*dup = 'd';
	EXPECT_EQ(*map, 'd');
}

void effect_mremap_file(void)
{
	const int fd = vm_file("/tmp", 8 * PAGE);
	char *map = must_map(NULL, 8 * PAGE, RW, SHARED, fd, 0), *new;

	ASSERT(!bsdvm_munmap(map + 2 * PAGE, 6 * PAGE));
	EXPECT_EQ(remap(map, 2, NULL, 4, 0), map);
	EXPECT_EQ(map[3 * PAGE], vm_file_byte(3 * PAGE));
	must_map(map + 4 * PAGE, PAGE, R, ANON | FIXED, -1, 0);
	new = remap(map, 4, NULL, 8, 0);
	EXPECT(new != map);
	EXPECT_EQ(new[7 * PAGE], vm_file_byte(7 * PAGE));
	new[7 * PAGE] = '!';
	ASSERT(!bsdvm_msync(new, 8 * PAGE, 0));
	EXPECT_EQ(vm_file_read(fd, 7 * PAGE), '!');
}

void effect_mremap_kept(void)
{
	char *map = must_map(NULL, 4 * PAGE, RW | BSDVM_PROT_MAX(RW),
			     ANON | BSDVM_MAP_NOCORE, -1, 0);
	char *to = map + 64 * PAGE;
	struct vm_entry entry;
	uint64_t locked;

	memset(map, 'x', 4 * PAGE);
	ASSERT(!bsdvm_minherit(map, 4 * PAGE, BSDVM_INHERIT_NONE));
	ASSERT(!bsdvm_mlock(map, 4 * PAGE));
	ASSERT(!bsdvm_mprotect(map, 4 * PAGE, R));
	locked = vm_stats().v_user_wire_count;
	EXPECT_EQ(remap(map, 4, to, 4, FIXED), to);
	entry = vm_entry_at(to);
	EXPECT_EQ(entry.e.kve_protection, R);
	EXPECT_EQ(entry.e.kve_max_protection, RW);
	EXPECT_EQ(entry.e.kve_inheritance, BSDVM_INHERIT_NONE);
	EXPECT(entry.e.kve_flags & BSDVM_KVME_FLAG_NOCOREDUMP);
	EXPECT(entry.e.kve_flags & BSDVM_KVME_FLAG_USER_WIRED);
	EXPECT_EQ(vm_stats().v_user_wire_count, locked);
	EXPECT_EQ(usage().vm_wired, 4 * PAGE);
	EXPECT(vm_all(to, 4 * PAGE, 'x'));
	EXPECT_ERRNO(bsdvm_munlock(to, 4 * PAGE), 0);
	EXPECT_EQ(vm_stats().v_user_wire_count, locked - 4);
}

void effect_mremap_charge(void)
{
	char *map = map_with_room(4);

	EXPECT_EQ(usage().vm_charge, 4 * PAGE);
	EXPECT_EQ(remap(map, 4, NULL, 8, 0), map);
	EXPECT_EQ(usage().vm_charge, 8 * PAGE);
	EXPECT_EQ(remap(map, 8, map + 16 * PAGE, 4, FIXED), map + 16 * PAGE);
	EXPECT_EQ(usage().vm_charge, 4 * PAGE);
	/* What cannot be written is not reserved before it can be. */
	map += 16 * PAGE;
	ASSERT(!bsdvm_mprotect(map, 4 * PAGE, R));
	EXPECT_EQ(remap(map, 4, NULL, 8, 0), map);
	EXPECT_EQ(usage().vm_charge, 4 * PAGE);
	ASSERT(!bsdvm_mprotect(map, 8 * PAGE, RW));
	EXPECT_EQ(usage().vm_charge, 8 * PAGE);
	ASSERT(!bsdvm_munmap(map, 8 * PAGE));
	EXPECT_EQ(usage().vm_charge, 0);
}

void effect_mremap_dup_fork(void)
{
	char *map = map_with_room(2), *dup = remap(map, 2, NULL, 2, DUP);

	IN_CHILD()
	{
		EXPECT(vm_all(map, 2 * PAGE, 'x'));
		EXPECT(vm_all(dup, 2 * PAGE, 'x'));
		map[0] = 'c';
		dup[PAGE] = 'c';
	}
	EXPECT(vm_all(map, 2 * PAGE, 'x'));
	EXPECT(vm_all(dup, 2 * PAGE, 'x'));
}

void effect_pass_visible(void)
{
	char *map = map_with_room(16), *to = map + 32 * PAGE;

	IN_CHILD()
	{
		const uint64_t copied = vm_stats().v_cow_faults;
		const uint64_t made = vm_stats().v_zfod;

		EXPECT_EQ(remap(map, 16, to, 16, FIXED), to);
		EXPECT(vm_all(to, 16 * PAGE, 'x'));
		EXPECT_EQ(vm_stats().v_cow_faults, copied);
		EXPECT_EQ(vm_stats().v_zfod, made);
		to[0] = 'c';
		EXPECT_EQ(vm_stats().v_cow_faults, copied + 1);
	}
	EXPECT(vm_all(map, 16 * PAGE, 'x'));
}

/* --- mimmutable */

void effect_immutable_use(void)
{
	char *map = vm_anon(4);

	map[0] = 'a';
	EXPECT_ERRNO(bsdvm_mimmutable(map, 2 * PAGE), 0);
	EXPECT(entry_flags(map) & BSDVM_KVME_FLAG_IMMUTABLE);
	EXPECT(!(entry_flags(map + 2 * PAGE) & BSDVM_KVME_FLAG_IMMUTABLE));
	EXPECT_EQ(map[0], 'a');
	map[0] = 'b';
	map[PAGE] = 'c';
	EXPECT_EQ(map[0], 'b');
	/* Again is fine, and the rest is as free as before. */
	EXPECT_ERRNO(bsdvm_mimmutable(map, PAGE), 0);
	EXPECT_ERRNO(bsdvm_mlock(map, 2 * PAGE), 0);
	EXPECT_ERRNO(bsdvm_munlock(map, 2 * PAGE), 0);
	EXPECT_ERRNO(bsdvm_munmap(map + 2 * PAGE, 2 * PAGE), 0);
	EXPECT_ERRNO(bsdvm_munmap(map + PAGE, 2 * PAGE), EPERM);
}

void effect_immutable_fork(void)
{
	char *map = vm_anon(2);

	memset(map, 'p', 2 * PAGE);
	ASSERT(!bsdvm_mimmutable(map, 2 * PAGE));
	IN_CHILD()
	{
		EXPECT_ERRNO(bsdvm_munmap(map, PAGE), EPERM);
		EXPECT_ERRNO(bsdvm_mprotect(map, PAGE, R), EPERM);
		map[0] = 'c';
		EXPECT_EQ(map[0], 'c');
	}
	EXPECT(vm_all(map, 2 * PAGE, 'p'));
}

/* --- mquery */

void effect_mquery_place(void)
{
	const int fd = vm_file("/tmp", 4 * PAGE);
	size_t entries;
	char *at;

	vm_anon(1);
	entries = vm_entry_count();
	at = bsdvm_mquery(NULL, 4 * PAGE, R, SHARED, fd, 0);
	EXPECT(at != BSDVM_MAP_FAILED);
	EXPECT_EQ(vm_entry_count(), entries);
	EXPECT_FAULT(vm_read(at), SIGSEGV, SEGV_MAPERR, at);
	EXPECT_EQ(bsdvm_mmap(NULL, 4 * PAGE, R, SHARED, fd, 0), at);
	/* A fixed place that is free is the answer. */
	EXPECT_EQ(bsdvm_mquery(at + 64 * PAGE, PAGE, R, FIXED, -1, 0),
		  at + 64 * PAGE);
}

void effect_mquery_up(void)
{
	char *map = vm_anon(4), *at;

	at = bsdvm_mquery(map, 2 * PAGE, RW, 0, -1, 0);
	EXPECT_EQ(at, map + 4 * PAGE);
	at = bsdvm_mquery(map + 16 * PAGE, 2 * PAGE, RW, 0, -1, 0);
	EXPECT_EQ(at, map + 16 * PAGE);
}
