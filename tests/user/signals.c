// SPDX-License-Identifier: BSD-2-Clause
/* What a process sees of a fault that cannot be served. */
#define _GNU_SOURCE
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "vm.h"

TEST(a_hole_is_segv_maperr_at_its_address)
{
	char *map = vm_anon(3);

	ASSERT(!bsdvm_munmap(map + PAGE, PAGE));
	EXPECT_FAULT(vm_read(map + PAGE + 77), SIGSEGV, SEGV_MAPERR,
		     map + PAGE + 77);
	EXPECT_FAULT(vm_write(map + PAGE + 78, 'x'), SIGSEGV, SEGV_MAPERR,
		     map + PAGE + 78);
	EXPECT_NO_FAULT(vm_write(map, 'x'));
}

TEST(a_write_to_read_only_memory_is_segv_accerr_at_its_address)
{
	char *map = vm_anon(1);

	ASSERT(!bsdvm_mprotect(map, PAGE, BSDVM_PROT_READ));
	EXPECT_FAULT(vm_write(map + 99, 'x'), SIGSEGV, SEGV_ACCERR, map + 99);
	/* Also when the page is there already. */
	EXPECT_NO_FAULT(vm_read(map));
	EXPECT_FAULT(vm_write(map + 99, 'x'), SIGSEGV, SEGV_ACCERR, map + 99);
	EXPECT_EQ(map[99], 0);
}

TEST(a_write_to_a_read_only_file_mapping_is_segv_accerr)
{
	int fd = vm_file("/tmp", PAGE);
	char *map = bsdvm_mmap(NULL, PAGE, BSDVM_PROT_READ, BSDVM_MAP_SHARED,
			       fd, 0);

	ASSERT(map != BSDVM_MAP_FAILED);
	EXPECT_NO_FAULT(vm_read(map));
	EXPECT_FAULT(vm_write(map, 'x'), SIGSEGV, SEGV_ACCERR, map);
	EXPECT_EQ(vm_file_read(fd, 0), vm_file_byte(0));
}

/* --- handlers that repair */

static char *region;
static volatile int handled;

static void allow_writing(int sig, siginfo_t *info, void *context)
{
	char *page = (char *)((uintptr_t)info->si_addr & ~(PAGE - 1));

	(void)sig;
	(void)context;
	handled++;
	bsdvm_mprotect(page, PAGE, RW);
}

static void on_segv(void (*handler)(int, siginfo_t *, void *))
{
	struct sigaction action = {
		.sa_sigaction = handler,
		.sa_flags = SA_SIGINFO,
	};

	sigaction(SIGSEGV, &action, NULL);
}

/* A write barrier: the first store to each page is seen, no other. */
TEST(a_handler_can_repair_and_return)
{
	const int pages = 64;
	int i;

	region = vm_anon(pages);
	memset(region, 'x', pages * PAGE);
	ASSERT(!bsdvm_mprotect(region, pages * PAGE, BSDVM_PROT_READ));
	on_segv(allow_writing);
	for (i = 0; i < 4 * pages; i++)
		((volatile char *)region)[i * PAGE / 4] = 'y';
	EXPECT_EQ(handled, pages);
	for (i = 0; i < 4 * pages; i++)
		EXPECT_EQ(region[i * PAGE / 4], 'y');
}

static void *write_region(void *arg)
{
	long i;

	for (i = (long)arg; i < 64; i += 2)
		((volatile char *)region)[i * PAGE] = 'y';
	return NULL;
}

TEST(handlers_in_two_threads_repair_each_its_own_fault)
{
	pthread_t thread;

	region = vm_anon(64);
	ASSERT(!bsdvm_mprotect(region, 64 * PAGE, BSDVM_PROT_READ));
	on_segv(allow_writing);
	ASSERT(!pthread_create(&thread, NULL, write_region, (void *)1));
	write_region((void *)0);
	pthread_join(thread, NULL);
	EXPECT_EQ(region[0], 'y');
	EXPECT_EQ(region[63 * PAGE], 'y');
}

/* --- signals that cannot be delivered kill */

static int status_of(void (*prepare)(void), char *addr)
{
	pid_t child = harness_fork();

	if (!child) {
		prepare();
		*(volatile char *)addr = 'x';
		_exit(0);
	}
	return harness_wait(child);
}

static void leave(void)
{
}

static void block(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGSEGV);
	sigaddset(&set, SIGBUS);
	sigprocmask(SIG_BLOCK, &set, NULL);
}

static void ignore(void)
{
	signal(SIGSEGV, SIG_IGN);
	signal(SIGBUS, SIG_IGN);
}

static void fault_in_handler(int sig)
{
	(void)sig;
	*(volatile char *)region = 'x';
}

static void handle_badly(void)
{
	signal(SIGSEGV, fault_in_handler);
}

TEST(sigsegv_kills_whatever_the_process_did_to_avoid_it)
{
	char *hole = vm_anon(3), *readonly = hole + 2 * PAGE;

	ASSERT(!bsdvm_munmap(hole, PAGE));
	ASSERT(!bsdvm_mprotect(readonly, PAGE, BSDVM_PROT_READ));
	region = readonly;
	EXPECT_EQ(WTERMSIG(status_of(leave, hole)), SIGSEGV);
	EXPECT_EQ(WTERMSIG(status_of(block, hole)), SIGSEGV);
	EXPECT_EQ(WTERMSIG(status_of(ignore, hole)), SIGSEGV);
	EXPECT_EQ(WTERMSIG(status_of(leave, readonly)), SIGSEGV);
	EXPECT_EQ(WTERMSIG(status_of(block, readonly)), SIGSEGV);
	EXPECT_EQ(WTERMSIG(status_of(ignore, readonly)), SIGSEGV);
	EXPECT_EQ(WTERMSIG(status_of(handle_badly, readonly)), SIGSEGV);
}

TEST(sigbus_kills_whatever_the_process_did_to_avoid_it)
{
	int fd = vm_file("/tmp", PAGE);
	char *map = bsdvm_mmap(NULL, 2 * PAGE, RW, BSDVM_MAP_SHARED, fd, 0);

	ASSERT(map != BSDVM_MAP_FAILED);
	EXPECT_EQ(WTERMSIG(status_of(leave, map + PAGE)), SIGBUS);
	EXPECT_EQ(WTERMSIG(status_of(block, map + PAGE)), SIGBUS);
	EXPECT_EQ(WTERMSIG(status_of(ignore, map + PAGE)), SIGBUS);
}

/* --- the kernel's own accesses get EFAULT, and no signal */

TEST(a_system_call_gets_efault_and_no_signal)
{
	char *map = vm_anon(3);
	int pipes[2];

	ASSERT(!pipe(pipes));
	ASSERT(write(pipes[1], "abc", 3) == 3);
	ASSERT(!bsdvm_munmap(map, PAGE));
	ASSERT(!bsdvm_mprotect(map + PAGE, PAGE, BSDVM_PROT_READ));
	EXPECT_ERRNO(read(pipes[0], map, 1), EFAULT);
	EXPECT_ERRNO(read(pipes[0], map + PAGE, 1), EFAULT);
	EXPECT_ERRNO(write(pipes[1], map, 1), EFAULT);
	EXPECT_EQ(write(pipes[1], map + PAGE, 1), 1);
	EXPECT_EQ(read(pipes[0], map + 2 * PAGE, 1), 1);
	EXPECT_EQ(map[2 * PAGE], 'a');
}
