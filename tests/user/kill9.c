// SPDX-License-Identifier: BSD-2-Clause
/*
 * SIGKILL in the middle of everything: whatever a process was doing, its pages
 * and objects are back once it is gone.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "vm.h"

#define KILLS 12
#define PAGES 64

/* The work of a victim: for ever, until it is killed. */
typedef void (*phase_fn)(int fd);

static void phase_fault(int fd)
{
	(void)fd;
	for (;;) {
		char *map = vm_anon(PAGES);
		int i;

		for (i = 0; i < PAGES; i++)
			map[i * PAGE] = i;
		bsdvm_munmap(map, PAGES * PAGE);
	}
}

static void phase_explicit_fault(int fd)
{
	(void)fd;
	for (;;) {
		char *map = vm_anon(PAGES);

		bsdvm_fault(map, PAGES * PAGE, BSDVM_PROT_WRITE, NULL, NULL);
		bsdvm_munmap(map, PAGES * PAGE);
	}
}

static void phase_fork(int fd)
{
	char *map = vm_anon(PAGES);

	(void)fd;
	memset(map, 'x', PAGES * PAGE);
	for (;;) {
		pid_t child = fork();

		map[rand() % PAGES * PAGE] = 'y';
		if (!child)
			_exit(0);
		map[rand() % PAGES * PAGE] = 'z';
		waitpid(child, NULL, 0);
	}
}

static void phase_msync(int fd)
{
	char *map = bsdvm_mmap(NULL, PAGES * PAGE, RW, BSDVM_MAP_SHARED, fd, 0);

	ASSERT(map != BSDVM_MAP_FAILED);
	for (;;) {
		memset(map, rand(), PAGES * PAGE);
		bsdvm_msync(map, PAGES * PAGE, BSDVM_MS_SYNC);
	}
}

static void phase_page_in(int fd)
{
	for (;;) {
		char *map = bsdvm_mmap(NULL, PAGES * PAGE, RW,
				       BSDVM_MAP_PRIVATE, fd, 0);
		int i;

		ASSERT(map != BSDVM_MAP_FAILED);
		for (i = 0; i < PAGES; i++)
			map[i * PAGE]++;
		bsdvm_munmap(map, PAGES * PAGE);
	}
}

/*
 * The first and the last page stay: a hole of one page between them is none that
 * another thread's mapping may come to lie in, and be taken away with.
 */
static void phase_map(int fd)
{
	char *map = vm_anon(PAGES + 2) + PAGE;
	int i;

	(void)fd;
	for (i = 0;; i++) {
		char *page = map + rand() % PAGES * PAGE;

		*(volatile char *)page = 'x';
		if (i % 3 == 0)
			bsdvm_mprotect(page, PAGE, RWX);
		else if (i % 3 == 1)
			bsdvm_munmap(page, PAGE);
		bsdvm_mmap(page, PAGE, RW, ANON | BSDVM_MAP_FIXED, -1, 0);
	}
}

/* Large enough that teardown takes a while. */
static void phase_window(int fd)
{
	const size_t size = (size_t)1 << 30;
	struct bsdvm_mmap arg;

	(void)fd;
	for (;;) {
		void *window = mmap(NULL, size, PROT_READ | PROT_WRITE,
				    MAP_SHARED | MAP_NORESERVE, bsdvm_fd(), 0);

		ASSERT(window != MAP_FAILED);
		arg = (struct bsdvm_mmap){
			.size = sizeof(arg),
			.prot = RW,
			.flags = ANON,
			.fd = -1,
			.len = 8 * PAGES * PAGE,
		};
		ASSERT(!ioctl(bsdvm_fd(), BSDVM_IOC_MMAP, &arg));
		memset((void *)(uintptr_t)arg.addr, 'x', 8 * PAGES * PAGE);
		munmap(window, size);
	}
}

static void *fault_forever(void *arg)
{
	phase_fault((int)(long)arg);
	return NULL;
}

static void phase_threads(int fd)
{
	pthread_t thread;

	pthread_create(&thread, NULL, fault_forever, NULL);
	phase_map(fd);
}

/* A victim in a process group of its own. */
static pid_t start(phase_fn phase, int fd, unsigned int seed)
{
	pid_t victim = harness_fork();

	if (!victim) {
		setpgid(0, 0);
		srand(seed);
		phase(fd);
	}
	setpgid(victim, victim);
	return victim;
}

/* All that @victim started is ours to wait for, too. */
static void reap_all(void)
{
	while (waitpid(-1, NULL, 0) > 0)
		;
}

static void kill_often(phase_fn phase, int fd)
{
	struct bsdvm_stats before = vm_stats(), after;
	int i;

	ASSERT(!prctl(PR_SET_CHILD_SUBREAPER, 1));
	for (i = 0; i < KILLS; i++) {
		pid_t victim = start(phase, fd, i);

		usleep(20 * 1000 + rand() % 30000);
		EXPECT(!kill(-victim, SIGKILL));
		EXPECT_EQ(WTERMSIG(harness_wait(victim)), SIGKILL);
		reap_all();
	}
	after = vm_stats();
	EXPECT_EQ(vm_free_of(after), vm_free_of(before));
	EXPECT_EQ(after.o_count, before.o_count);
	EXPECT_EQ(vm_wired_of(after), vm_wired_of(before));
}

TEST(killed_while_faulting)
{
	kill_often(phase_fault, -1);
}

TEST(killed_while_in_the_fault_call)
{
	kill_often(phase_explicit_fault, -1);
}

TEST(killed_while_forking)
{
	kill_often(phase_fork, -1);
}

TEST_FILES(killed_while_in_msync)
{
	kill_often(phase_msync, vm_file(dir, PAGES * PAGE));
}

TEST_FILES(killed_while_paging_in)
{
	kill_often(phase_page_in, vm_file(dir, PAGES * PAGE));
}

TEST(killed_while_changing_the_map)
{
	kill_often(phase_map, -1);
}

TEST(killed_while_tearing_the_window_down)
{
	kill_often(phase_window, -1);
}

TEST(killed_with_two_threads)
{
	kill_often(phase_threads, -1);
}
