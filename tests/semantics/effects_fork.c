// SPDX-License-Identifier: BSD-2-Clause
/* fork: what each inheritance does, seen from the map. */
#include <signal.h>
#include <string.h>
#include <sys/wait.h>

#include "scene.h"
#include "effects.h"

#define COW	   BSDVM_KVME_FLAG_COW
#define NEEDS_COPY BSDVM_KVME_FLAG_NEEDS_COPY

void effect_fork_share(void)
{
	char *map = vm_anon(3);

	/* Page 0 is to be copied by whoever writes, page 2 has no page yet. */
	map[0] = 'p';
	IN_CHILD()
	{
		map[0] = 'x';
	}
	ASSERT(!bsdvm_minherit(map, 3 * PAGE, BSDVM_INHERIT_SHARE));
	IN_CHILD()
	{
		EXPECT_EQ(map[0], 'p');
		map[0] = 'c';
		map[2 * PAGE] = 'c';
		EXPECT(!(entry_flags(map) & NEEDS_COPY));
	}
	EXPECT_EQ(map[0], 'c');
	EXPECT_EQ(map[2 * PAGE], 'c');
	EXPECT(!(entry_flags(map) & NEEDS_COPY));
}

void effect_fork_copy(void)
{
	char *map = vm_anon(4);
	uint64_t copied;

	memset(map, 'p', 4 * PAGE);
	EXPECT(!(entry_flags(map) & NEEDS_COPY));
	copied = vm_stats().v_cow_faults;
	IN_CHILD()
	{
		EXPECT_EQ(entry_flags(map) & (COW | NEEDS_COPY),
			  COW | NEEDS_COPY);
		EXPECT(vm_all(map, 4 * PAGE, 'p'));
		/* To read copies nothing, a store its page. */
		EXPECT_EQ(vm_stats().v_cow_faults, copied);
		map[PAGE] = 'c';
		EXPECT_EQ(vm_stats().v_cow_faults, copied + 1);
		EXPECT_EQ(vm_entry_at(map).e.kve_private_resident, 1);
	}
	EXPECT_EQ(entry_flags(map) & (COW | NEEDS_COPY), COW | NEEDS_COPY);
	EXPECT(vm_all(map, 4 * PAGE, 'p'));
}

void effect_fork_copy_charge(void)
{
	uint64_t own, reserved;

	vm_anon(8);
	must_map(NULL, 8 * PAGE, R, ANON, -1, 0);
	own = usage().vm_charge;
	EXPECT_EQ(own, 8 * PAGE);
	reserved = vm_stats().v_swap_reserved;
	IN_CHILD()
	{
		EXPECT_EQ(usage().vm_charge, own);
		EXPECT_EQ(vm_stats().v_swap_reserved, reserved + own);
	}
	EXPECT_EQ(usage().vm_charge, own);
}

void effect_fork_reserve(void)
{
	static const int kinds[] = { BSDVM_INHERIT_COPY, BSDVM_INHERIT_ZERO };
	char *map = vm_anon(8);
	uint64_t reserved;
	size_t i;

	memset(map, 'p', 8 * PAGE);
	reserved = vm_stats().v_swap_reserved;
	ASSERT(!tunable("vm.overcommit", 1));
	for (i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		pid_t child;
		int status;

		ASSERT(!bsdvm_minherit(map, 8 * PAGE, kinds[i]));
		child = harness_fork();
		if (!child) {
			(void)*(volatile char *)map;
			harness_exit();
		}
		status = harness_wait(child);
		EXPECT(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
	}
	EXPECT(vm_all(map, 8 * PAGE, 'p'));
	EXPECT_EQ(usage().vm_charge, 8 * PAGE);
	EXPECT_EQ(vm_stats().v_swap_reserved, reserved);
	/* Without it, or shared, there is nothing to reserve. */
	ASSERT(!bsdvm_minherit(map, 4 * PAGE, BSDVM_INHERIT_NONE));
	ASSERT(!bsdvm_minherit(map + 4 * PAGE, 4 * PAGE, BSDVM_INHERIT_SHARE));
	IN_CHILD()
	{
		map[4 * PAGE] = 'c';
	}
	EXPECT_EQ(map[4 * PAGE], 'c');
}

void effect_fork_wired(void)
{
	char *map = vm_anon(4);
	uint64_t faults;

	memset(map, 'p', 4 * PAGE);
	ASSERT(!bsdvm_mlock(map, 4 * PAGE));
	faults = fault_count();
	IN_CHILD()
	{
		EXPECT(none_locked(map, 4));
		EXPECT_EQ(vm_entry_at(map).e.kve_private_resident, 4);
		EXPECT(vm_all(map, 4 * PAGE, 'p'));
		memset(map, 'c', 4 * PAGE);
	}
	EXPECT(all_locked(map, 4));
	EXPECT(!(entry_flags(map) & NEEDS_COPY));
	memset(map + PAGE, 'q', PAGE);
	EXPECT_EQ(fault_count(), faults);
	EXPECT(vm_all(map, PAGE, 'p'));
	EXPECT(vm_all(map + PAGE, PAGE, 'q'));
}

void effect_fork_zero(void)
{
	char *map = vm_anon(4);

	memset(map, 'p', 4 * PAGE);
	ASSERT(!bsdvm_mprotect(map + 2 * PAGE, 2 * PAGE, R));
	ASSERT(!bsdvm_mlock(map, PAGE));
	ASSERT(!bsdvm_minherit(map, 4 * PAGE, BSDVM_INHERIT_ZERO));
	IN_CHILD()
	{
		EXPECT(none_locked(map, 4));
		EXPECT_EQ(vm_entry_at(map).e.kve_protection, RW);
		EXPECT_EQ(vm_entry_at(map + 2 * PAGE).e.kve_protection, R);
		EXPECT_EQ(usage().vm_charge, 4 * PAGE);
		EXPECT(vm_all(map, 4 * PAGE, 0));
		EXPECT_EQ(vm_entry_at(map).e.kve_inheritance,
			  BSDVM_INHERIT_ZERO);
	}
	EXPECT(all_locked(map, 1));
	EXPECT(vm_all(map, 4 * PAGE, 'p'));
}

void effect_fork_guard(void)
{
	char *guards = must_map(NULL, 4 * PAGE, BSDVM_PROT_NONE,
				BSDVM_MAP_GUARD, -1, 0);

	ASSERT(!bsdvm_minherit(guards + 3 * PAGE, PAGE, BSDVM_INHERIT_NONE));
	IN_CHILD()
	{
		EXPECT_EQ(vm_entry_at(guards).e.kve_type,
			  BSDVM_KVME_TYPE_GUARD);
		EXPECT_EQ(vm_entry_at(guards).e.kve_end,
			  (uintptr_t)guards + 3 * PAGE);
		EXPECT_EQ(vm_entry_count(), 1);
		EXPECT(vm_read(guards).sig != 0);
	}
}
