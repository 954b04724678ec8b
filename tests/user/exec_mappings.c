// SPDX-License-Identifier: BSD-2-Clause
/* Code in the window runs where execution is allowed, and nowhere else. */
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "vm.h"

/* int f(void) { return 42; } */
static const unsigned char code[] = { 0xb8, 0x2a, 0, 0, 0, 0xc3 };

static int call(void *addr)
{
	return ((int (*)(void))(uintptr_t)addr)();
}

TEST(code_copied_into_the_window_runs)
{
	char *map = bsdvm_mmap(NULL, PAGE, RWX, ANON, -1, 0);

	ASSERT(map != BSDVM_MAP_FAILED);
	memcpy(map, code, sizeof(code));
	EXPECT_EQ(call(map), 42);
	ASSERT(!bsdvm_mprotect(map, PAGE, RX));
	EXPECT_EQ(call(map), 42);
	EXPECT_FAULT(vm_write(map, 0), SIGSEGV, SEGV_ACCERR, map);
}

TEST(data_does_not_run)
{
	char *map = vm_anon(1);

	memcpy(map, code, sizeof(code));
	EXPECT_FAULT(vm_execute(map), SIGSEGV, SEGV_ACCERR, map);
	ASSERT(!bsdvm_mprotect(map, PAGE, RX));
	EXPECT_EQ(call(map), 42);
	ASSERT(!bsdvm_mprotect(map, PAGE, BSDVM_PROT_READ));
	EXPECT_FAULT(vm_execute(map), SIGSEGV, SEGV_ACCERR, map);
	EXPECT_EQ(*map, (char)0xb8);
}

TEST(a_jump_into_a_hole_is_maperr)
{
	char *map = vm_anon(2);

	ASSERT(!bsdvm_munmap(map + PAGE, PAGE));
	EXPECT_FAULT(vm_execute(map + PAGE), SIGSEGV, SEGV_MAPERR, map + PAGE);
}

TEST_FILES(code_in_a_file_runs)
{
	int fd = vm_file(dir, PAGE);
	char *map;

	ASSERT(pwrite(fd, code, sizeof(code), 0) == sizeof(code));
	map = bsdvm_mmap(NULL, PAGE, RX, BSDVM_MAP_PRIVATE, fd, 0);
	ASSERT(map != BSDVM_MAP_FAILED);
	EXPECT_EQ(call(map), 42);
}

TEST(a_child_runs_the_code_it_inherits)
{
	char *map = bsdvm_mmap(NULL, PAGE, RWX, ANON, -1, 0);
	pid_t child;

	ASSERT(map != BSDVM_MAP_FAILED);
	memcpy(map, code, sizeof(code));
	child = harness_fork();
	if (!child) {
		EXPECT_EQ(call(map), 42);
		map[1] = 43;
		EXPECT_EQ(call(map), 43);
		harness_exit();
	}
	harness_join(child);
	EXPECT_EQ(call(map), 42);
}
