// SPDX-License-Identifier: BSD-2-Clause
/*
 * Stacks of MAP_STACK: 128 pages, of which the 32 that kern.sgrowsiz says are
 * memory from the begin.
 *
 *	map                                  grows down           map + STACK
 *	| guard | gap ................................. | memory ... |
 */
#include <signal.h>
#include <string.h>

#include "scene.h"
#include "effects.h"

#define STACK ((size_t)128 * PAGE)
#define GROW  ((size_t)32 * PAGE)

static char *map_stack(void)
{
	char *map;

	ASSERT(!tunable("kern.sgrowsiz", GROW));
	map = must_map(NULL, STACK, RW, BSDVM_MAP_STACK, -1, 0);
	return map;
}

/* Bytes of memory at the end of the stack, in one entry or more. */
static size_t stack_size(const char *map)
{
	const struct vm_entry gap = vm_entry_at(map);

	EXPECT_EQ(vm_entry_at(map + STACK - 1).e.kve_end,
		  (uintptr_t)map + STACK);
	if (gap.e.kve_type != BSDVM_KVME_TYPE_GUARD)
		return STACK;
	return (uintptr_t)map + STACK - gap.e.kve_end;
}

void effect_flag_STACK(void)
{
	char *map = map_stack();
	struct vm_entry gap = vm_entry_at(map);

	EXPECT_EQ(stack_size(map), GROW);
	EXPECT_EQ(gap.e.kve_type, BSDVM_KVME_TYPE_GUARD);
	EXPECT_EQ(gap.e.kve_end, (uintptr_t)map + STACK - GROW);
	EXPECT(entry_flags(map + STACK - 1) & BSDVM_KVME_FLAG_GROWS_DOWN);
	EXPECT(vm_all(map + STACK - GROW, GROW, 0));
	EXPECT_EQ(stack_size(map), GROW);
	/* A short one: all but the guard is memory. */
	map = must_map(NULL, 4 * PAGE, RW, BSDVM_MAP_STACK, -1, 0);
	EXPECT_NO_FAULT(vm_write(map + PAGE, 'x'));
	EXPECT_EQ(vm_write(map, 'x').sig, SIGSEGV);
}

void effect_flag_STACK_grow(void)
{
	const uint64_t grown = vm_stats().v_stackgrows;
	char *map = map_stack();

	EXPECT_NO_FAULT(vm_write(map + STACK - GROW - 1, 'x'));
	EXPECT_EQ(stack_size(map), 2 * GROW);
	EXPECT_EQ(usage().vm_charge, 2 * GROW);
	EXPECT_EQ(vm_stats().v_stackgrows, grown + 1);
	EXPECT_NO_FAULT(vm_read(map + STACK - 2 * GROW - 1));
	EXPECT_EQ(stack_size(map), 3 * GROW);
	/* The last step leaves the guard. */
	EXPECT_NO_FAULT(vm_write(map + PAGE, 'y'));
	EXPECT_EQ(stack_size(map), STACK - PAGE);
	EXPECT_FAULT(vm_write(map, 'x'), SIGSEGV, SEGV_ACCERR, map);
	EXPECT_FAULT(vm_read(map + PAGE - 1), SIGSEGV, SEGV_ACCERR,
		     map + PAGE - 1);
	EXPECT_EQ(map[STACK - GROW - 1], 'x');
	EXPECT_EQ(map[PAGE], 'y');
	EXPECT(vm_all(map + STACK - GROW, GROW, 0));
}

void effect_flag_STACK_guard(void)
{
	char *map;

	ASSERT(!tunable("security.bsd.stack_guard_page", 4));
	map = map_stack();
	EXPECT_EQ(vm_write(map + 3 * PAGE, 'x').sig, SIGSEGV);
	EXPECT_NO_FAULT(vm_write(map + 4 * PAGE, 'x'));
	EXPECT_EQ(stack_size(map), STACK - 4 * PAGE);
	EXPECT_EQ(vm_write(map + 4 * PAGE - 1, 'x').sig, SIGSEGV);
	ASSERT(!tunable("security.bsd.stack_guard_page", 0));
	map = map_stack();
	EXPECT_NO_FAULT(vm_write(map, 'x'));
	EXPECT_EQ(stack_size(map), STACK);
}

void effect_flag_STACK_mprotect(void)
{
	char *map = map_stack(), *memory = map + STACK - GROW;

	memset(memory, 's', GROW);
	EXPECT_ERRNO(bsdvm_mprotect(memory, GROW, RWX), 0);
	EXPECT_NO_FAULT(vm_write(memory - 1, 'x'));
	EXPECT_ERRNO(bsdvm_mprotect(map, STACK, RW), 0);
	EXPECT_NO_FAULT(vm_write(memory - GROW - 1, 'y'));
	EXPECT_NO_FAULT(vm_write(map + PAGE, 'z'));
	EXPECT_EQ(vm_write(map, 'x').sig, SIGSEGV);
	EXPECT(vm_all(memory, GROW, 's'));
	EXPECT_EQ(memory[-1], 'x');
}

void effect_flag_STACK_rlimit(void)
{
	const size_t size = (size_t)1 << 20;
	char *map;

	ASSERT(!limit(RLIMIT_STACK, size / 4));
	map = must_map(NULL, size, RW, BSDVM_MAP_STACK, -1, 0);
	EXPECT_NO_FAULT(vm_write(map + PAGE, 'x'));
	EXPECT_NO_FAULT(vm_write(map + size / 2, 'x'));
}

void effect_flag_STACK_fork(void)
{
	char *map = map_stack(), *top = map + STACK - 1;

	*top = 'p';
	IN_CHILD()
	{
		EXPECT_EQ(*top, 'p');
		*top = 'c';
		EXPECT_NO_FAULT(vm_write(map + STACK - GROW - 1, 'c'));
		EXPECT_EQ(stack_size(map), 2 * GROW);
	}
	EXPECT_EQ(*top, 'p');
	EXPECT_EQ(stack_size(map), GROW);
	EXPECT_NO_FAULT(vm_write(map + STACK - GROW - 1, 'q'));
	EXPECT_EQ(stack_size(map), 2 * GROW);
}

void effect_flag_STACK_future(void)
{
	uint64_t made;
	char *map;

	ASSERT(!bsdvm_mlockall(BSDVM_MCL_FUTURE));
	map = map_stack();
	EXPECT(all_locked(map + STACK - GROW, GROW / PAGE));
	EXPECT_NO_FAULT(vm_read(map + STACK - GROW - 1));
	EXPECT_EQ(stack_size(map), 2 * GROW);
	EXPECT(all_locked(map + STACK - 2 * GROW, 2 * GROW / PAGE));
	EXPECT_EQ(usage().vm_wired, 2 * GROW);
	/* All of it is there. */
	made = vm_stats().v_zfod;
	EXPECT(vm_all(map + STACK - 2 * GROW, 2 * GROW, 0));
	EXPECT_EQ(vm_stats().v_zfod, made);
	EXPECT_ERRNO(bsdvm_munlockall(), 0);
	EXPECT_EQ(usage().vm_wired, 0);
}
