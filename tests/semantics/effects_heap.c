// SPDX-License-Identifier: BSD-2-Clause
/* brk and sbrk, and the signals of faults. */
#include <signal.h>
#include <string.h>

#include "scene.h"
#include "effects.h"

static char *heap(void)
{
	void *start;

	ASSERT(!bsdvm_window(&start, NULL));
	return start;
}

void effect_brk_below(void)
{
	char *base = heap();

	EXPECT_EQ(bsdvm_sbrk(0), base);
	EXPECT_ERRNO(bsdvm_brk(base + PAGE), 0);
	*base = 'x';
	EXPECT_ERRNO(bsdvm_brk(base - 1), 0);
	EXPECT_ERRNO(bsdvm_brk(NULL), 0);
	EXPECT_EQ(bsdvm_sbrk(0), base + PAGE);
	EXPECT_EQ(*base, 'x');
	/* The base itself is an end like any other. */
	EXPECT_ERRNO(bsdvm_brk(base), 0);
	EXPECT_EQ(bsdvm_sbrk(0), base);
	EXPECT_EQ(vm_entry_count(), 0);
}

void effect_brk_grow(void)
{
	char *base = heap();
	struct vm_entry entry;

	EXPECT_ERRNO(bsdvm_brk(base + 3 * PAGE - 5), 0);
	EXPECT_EQ(bsdvm_sbrk(0), base + 3 * PAGE - 5);
	entry = vm_entry_at(base);
	EXPECT_EQ(entry.e.kve_start, (uintptr_t)base);
	EXPECT_EQ(entry.e.kve_end, (uintptr_t)base + 3 * PAGE);
	EXPECT_EQ(entry.e.kve_protection, RW);
	EXPECT_EQ(entry.e.kve_max_protection, RWX);
	EXPECT(vm_all(base, 3 * PAGE, 0));
	memset(base, 'x', 3 * PAGE);
	EXPECT_ERRNO(bsdvm_brk(base + 6 * PAGE), 0);
	EXPECT_EQ(vm_entry_count(), 1);
	EXPECT(vm_all(base, 3 * PAGE, 'x'));
	EXPECT(vm_all(base + 3 * PAGE, 3 * PAGE, 0));
	EXPECT_EQ(usage().vm_dsize, 6);
}

void effect_brk_shrink(void)
{
	char *base = heap();

	ASSERT(!bsdvm_brk(base + 4 * PAGE));
	memset(base, 'x', 4 * PAGE);
	EXPECT_ERRNO(bsdvm_brk(base + 2 * PAGE), 0);
	EXPECT_FAULT(vm_read(base + 2 * PAGE), SIGSEGV, SEGV_MAPERR,
		     base + 2 * PAGE);
	EXPECT(vm_all(base, 2 * PAGE, 'x'));
	EXPECT_ERRNO(bsdvm_brk(base + 4 * PAGE), 0);
	EXPECT(vm_all(base + 2 * PAGE, 2 * PAGE, 0));
	ASSERT(!limit(RLIMIT_DATA, 0));
	ASSERT(!limit(RLIMIT_MEMLOCK, 0));
	ASSERT(!bsdvm_mlockall(BSDVM_MCL_FUTURE));
	EXPECT_ERRNO(bsdvm_brk(base + PAGE), 0);
	EXPECT_EQ(bsdvm_sbrk(0), base + PAGE);
	EXPECT_EQ(*base, 'x');
	EXPECT_ERRNO(bsdvm_brk(base + 2 * PAGE), ENOMEM);
}

void effect_brk_fork(void)
{
	char *base = heap();

	ASSERT(!bsdvm_brk(base + PAGE));
	*base = 'p';
	IN_CHILD()
	{
		EXPECT_EQ(bsdvm_sbrk(0), base + PAGE);
		*base = 'c';
		EXPECT_EQ(bsdvm_sbrk(PAGE), base + PAGE);
		base[PAGE] = 'c';
	}
	EXPECT_EQ(*base, 'p');
	EXPECT_EQ(bsdvm_sbrk(0), base + PAGE);
	EXPECT_EQ(vm_read(base + PAGE).sig, SIGSEGV);
}

void effect_sbrk(void)
{
	char *base = heap();

	EXPECT_EQ(bsdvm_sbrk(0), base);
	EXPECT_EQ(bsdvm_sbrk(100), base);
	EXPECT_EQ(bsdvm_sbrk(PAGE), base + 100);
	EXPECT_EQ(bsdvm_sbrk(0), base + 100 + PAGE);
	base[99 + PAGE] = 'x';
	EXPECT_EQ(bsdvm_sbrk(-(intptr_t)PAGE), base + 100 + PAGE);
	EXPECT_EQ(bsdvm_sbrk(0), base + 100);
	ASSERT(!limit(RLIMIT_DATA, PAGE));
	EXPECT_ERRNO(bsdvm_sbrk(PAGE), ENOMEM);
	EXPECT_EQ(bsdvm_sbrk(0), base + 100);
}

/* --- faults */

void effect_fault_none(void)
{
	char *map = vm_anon(1);

	ASSERT(!bsdvm_munmap(map, PAGE));
	EXPECT_FAULT(vm_read(map + 5), SIGSEGV, SEGV_MAPERR, map + 5);
	EXPECT_FAULT(vm_write(map + 6, 1), SIGSEGV, SEGV_MAPERR, map + 6);
	EXPECT_FAULT(vm_execute(map), SIGSEGV, SEGV_MAPERR, map);
}

/* Each access that an entry does not allow raises this signal. */
static void expect_denied(int sig)
{
	char *map = vm_anon(3), *code = vm_anon(1);

	memset(map, 'x', 3 * PAGE);
	ASSERT(!bsdvm_mprotect(map, PAGE, BSDVM_PROT_NONE));
	ASSERT(!bsdvm_mprotect(map + PAGE, PAGE, R));
	EXPECT_EQ(vm_read(map).sig, sig);
	EXPECT_EQ(vm_write(map, 1).sig, sig);
	EXPECT_EQ(vm_write(map + PAGE, 1).sig, sig);
	EXPECT_NO_FAULT(vm_read(map + PAGE));
	/* Of a page that is there, Linux says SIGSEGV and does not ask. */
	EXPECT_EQ(vm_execute(code).sig, sig);
}

void effect_fault_protection(void)
{
	char *map = must_map(NULL, PAGE, R, ANON, -1, 0);

	expect_denied(SIGSEGV);
	EXPECT_FAULT(vm_write(map + 7, 1), SIGSEGV, SEGV_ACCERR, map + 7);
	EXPECT_EQ(*map, 0);
	EXPECT_FAULT(vm_write(map + 7, 1), SIGSEGV, SEGV_ACCERR, map + 7);
	EXPECT_FAULT(vm_execute(map), SIGSEGV, SEGV_ACCERR, map);
}

void effect_fault_translation(void)
{
	char *map = vm_anon(1);

	ASSERT(!tunable("machdep.prot_fault_translation", 1));
	expect_denied(SIGBUS);
	/* A hole is what it was. */
	ASSERT(!bsdvm_munmap(map, PAGE));
	EXPECT_FAULT(vm_read(map), SIGSEGV, SEGV_MAPERR, map);
}

void effect_fault_bounds(void)
{
	const int fd = vm_file("/tmp", PAGE + 1);
	char *map = must_map(NULL, 4 * PAGE, RW, BSDVM_MAP_SHARED, fd, 0);
	char *copy = must_map(NULL, 4 * PAGE, RW, BSDVM_MAP_PRIVATE, fd, 0);

	EXPECT_NO_FAULT(vm_read(map + PAGE));
	EXPECT_EQ(map[PAGE + 1], 0);
	EXPECT_FAULT(vm_read(map + 2 * PAGE), SIGBUS, BUS_OBJERR,
		     map + 2 * PAGE);
	EXPECT_FAULT(vm_write(map + 3 * PAGE + 1, 1), SIGBUS, BUS_OBJERR,
		     map + 3 * PAGE + 1);
	EXPECT_FAULT(vm_read(copy + 2 * PAGE), SIGBUS, BUS_OBJERR,
		     copy + 2 * PAGE);
	EXPECT_FAULT(vm_write(copy + 2 * PAGE, 1), SIGBUS, BUS_OBJERR,
		     copy + 2 * PAGE);
}
