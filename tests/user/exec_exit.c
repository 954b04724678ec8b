// SPDX-License-Identifier: BSD-2-Clause
/* The ends of a process and of its window: exec, exit, vfork, clone. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "vm.h"

#define PAGES 32

static char *true_argv[] = { "/bin/true", NULL };

TEST(exec_takes_the_window_away)
{
	uint64_t before = vm_free_pages();
	pid_t child = harness_fork();

	if (!child) {
		memset(vm_anon(PAGES), 'x', PAGES * PAGE);
		execv(true_argv[0], true_argv);
		ASSERT(false);
	}
	harness_join(child);
	EXPECT_EQ(vm_free_pages(), before);
}

TEST(exec_closes_the_descriptor)
{
	ASSERT(!bsdvm_attach(0));
	EXPECT(fcntl(bsdvm_fd(), F_GETFD) & FD_CLOEXEC);
}

TEST(exec_with_the_descriptor_open_starts_without_a_window)
{
	uint64_t before = vm_free_pages();
	pid_t child = harness_fork();

	if (!child) {
		memset(vm_anon(PAGES), 'x', PAGES * PAGE);
		fcntl(bsdvm_fd(), F_SETFD, 0);
		execv(true_argv[0], true_argv);
		ASSERT(false);
	}
	harness_join(child);
	EXPECT_EQ(vm_free_pages(), before);
}

TEST(exit_gives_everything_back)
{
	struct bsdvm_stats before = vm_stats(), after;
	int i;

	for (i = 0; i < 5; i++) {
		pid_t child = harness_fork();

		if (!child) {
			memset(vm_anon(PAGES), 'x', PAGES * PAGE);
			memset(vm_anon_flags(PAGES, BSDVM_MAP_SHARED), 'x',
			       PAGES * PAGE);
			harness_exit();
		}
		harness_join(child);
	}
	after = vm_stats();
	EXPECT_EQ(vm_free_of(after), vm_free_of(before));
	EXPECT_EQ(after.o_count, before.o_count);
}

TEST(a_child_keeps_its_pages_when_the_parent_exits_first)
{
	uint64_t before = vm_free_pages();
	int pipes[2];
	pid_t parent;
	char byte;

	ASSERT(!pipe(pipes));
	parent = harness_fork();
	if (!parent) {
		char *map = vm_anon(PAGES);
		pid_t self = getpid();

		memset(map, 'p', PAGES * PAGE);
		if (harness_fork()) {
			memset(map, 'q', PAGES * PAGE);
			harness_exit();
		}
		while (getppid() == self)
			usleep(1000);
		EXPECT(vm_all(map, PAGES * PAGE, 'p'));
		memset(map, 'c', PAGES * PAGE);
		EXPECT(vm_all(map, PAGES * PAGE, 'c'));
		byte = vm_entry_at(map).e.kve_nobjects;
		ASSERT(write(pipes[1], &byte, 1) == 1);
		harness_exit();
	}
	close(pipes[1]);
	harness_join(parent);
	ASSERT(read(pipes[0], &byte, 1) == 1);
	EXPECT_EQ(byte, 1);
	EXPECT_EQ(read(pipes[0], &byte, 1), 0);
	EXPECT_EQ(vm_free_settles(before), before);
}

TEST(vfork_shares_the_window_until_exec)
{
	char *map = vm_anon(1);
	pid_t child;

	*map = 'p';
	child = vfork();
	if (!child) {
		*map = 'v';
		execv(true_argv[0], true_argv);
		_exit(1);
	}
	EXPECT_EQ(harness_wait(child), 0);
	EXPECT_EQ(*map, 'v');
	EXPECT_NO_FAULT(vm_write(map, 'p'));
}

TEST(posix_spawn_leaves_the_window_alone)
{
	char *map = vm_anon(1);
	pid_t child;

	*map = 'p';
	ASSERT(!posix_spawn(&child, true_argv[0], NULL, NULL, true_argv,
			    environ));
	EXPECT_EQ(harness_wait(child), 0);
	EXPECT_EQ(*map, 'p');
}

static char *shared_map;

/* A process that shares the memory, not a thread. */
static int clone_body(void *arg)
{
	(void)arg;
	usleep(50 * 1000);
	shared_map[PAGE] = 'c';
	return shared_map[0] == 'p' ? 0 : 1;
}

TEST(a_clone_that_shares_memory_shares_the_window)
{
	char *stack = malloc(65536);
	pid_t child;

	shared_map = vm_anon(2);
	shared_map[0] = 'p';
	child = clone(clone_body, stack + 65536, CLONE_VM | SIGCHLD, NULL);
	ASSERT(child > 0);
	EXPECT_EQ(harness_wait(child), 0);
	EXPECT_EQ(shared_map[PAGE], 'c');
}

TEST(the_window_lives_until_the_last_sharer_exits)
{
	uint64_t before = vm_free_pages();
	int pipes[2];
	pid_t parent;
	char byte;

	ASSERT(!pipe(pipes));
	parent = harness_fork();
	if (!parent) {
		char *stack = malloc(65536);

		shared_map = vm_anon(PAGES);
		memset(shared_map, 'p', PAGES * PAGE);
		/* Exits before its clone has woken up. */
		ASSERT(clone(clone_body, stack + 65536, CLONE_VM, NULL) > 0);
		harness_exit();
	}
	close(pipes[1]);
	harness_join(parent);
	EXPECT_EQ(read(pipes[0], &byte, 1), 0);
	EXPECT_EQ(vm_free_settles(before), before);
}

static void *outlive(void *arg)
{
	usleep(100 * 1000);
	EXPECT_EQ(*(char *)arg, 'p');
	*(char *)arg = 'q';
	harness_exit();
}

TEST(a_thread_outlives_the_one_that_made_the_window)
{
	pid_t child = harness_fork();

	if (!child) {
		char *map = vm_anon(1);
		pthread_t thread;

		*map = 'p';
		ASSERT(!pthread_create(&thread, NULL, outlive, map));
		pthread_exit(NULL);
	}
	harness_join(child);
}

static void *attach(void *arg)
{
	*(char **)arg = vm_anon(1);
	**(char **)arg = 't';
	return NULL;
}

/* Two threads make the window at the same time: there is one. */
TEST(threads_that_attach_at_once_get_one_window)
{
	char *maps[8];
	pthread_t threads[8];
	int i;

	for (i = 0; i < 8; i++)
		ASSERT(!pthread_create(&threads[i], NULL, attach, &maps[i]));
	for (i = 0; i < 8; i++) {
		pthread_join(threads[i], NULL);
		EXPECT_EQ(*maps[i], 't');
	}
	EXPECT_EQ(vm_entry_at(maps[0]).e.kve_resident >= 1, 1);
}

TEST(a_child_that_unmaps_its_window_leaves_the_parents)
{
	char *map = vm_anon(PAGES), *start;
	size_t size;
	pid_t child;

	memset(map, 'p', PAGES * PAGE);
	ASSERT(!bsdvm_window((void **)&start, &size));
	child = harness_fork();
	if (!child) {
		struct bsdvm_munmap arg = {
			.size = sizeof(arg),
			.addr = (uintptr_t)map,
			.len = PAGE,
		};

		ASSERT(!munmap(start, size));
		EXPECT_ERRNO(ioctl(bsdvm_fd(), BSDVM_IOC_MUNMAP, &arg), ENXIO);
		/* And may have a new one. */
		EXPECT(mmap(NULL, size, PROT_READ | PROT_WRITE,
			    MAP_SHARED | MAP_NORESERVE, bsdvm_fd(),
			    0) != MAP_FAILED);
		harness_exit();
	}
	harness_join(child);
	EXPECT(vm_all(map, PAGES * PAGE, 'p'));
}

TEST(memory_stays_when_the_descriptor_is_closed)
{
	char *map = vm_anon(2);
	pid_t child;

	map[0] = 'p';
	close(bsdvm_fd());
	EXPECT_EQ(map[0], 'p');
	EXPECT_NO_FAULT(vm_write(map + PAGE, 'p'));
	child = harness_fork();
	if (!child) {
		EXPECT_EQ(map[PAGE], 'p');
		map[0] = 'c';
		harness_exit();
	}
	harness_join(child);
	EXPECT_EQ(map[0], 'p');
}

/* Any descriptor of the device serves: the vmspace is the caller's. */
TEST(another_descriptor_works_on_the_same_vmspace)
{
	char *map = vm_anon(1);
	int fd = open(BSDVM_DEVICE, O_RDWR | O_CLOEXEC);
	struct bsdvm_munmap arg = {
		.size = sizeof(arg),
		.addr = (uintptr_t)map,
		.len = PAGE,
	};

	ASSERT(fd >= 0);
	EXPECT_ERRNO(ioctl(fd, BSDVM_IOC_MUNMAP, &arg), 0);
	EXPECT_EQ(vm_entry_count(), 0);
}

/* --- a window goes while a call works on it */

#define WINDOW_SIZE ((size_t)64 << 20)
#define LONG_PAGES  1024

struct long_fault {
	int fd;
	char *map;
	atomic_bool begun;
};

static void *fault_long(void *arg)
{
	struct long_fault *job = arg;
	struct bsdvm_fault fault = {
		.size = sizeof(fault),
		.prot = BSDVM_PROT_WRITE,
		.addr = (uintptr_t)job->map,
		.len = LONG_PAGES * PAGE,
	};

	atomic_store(&job->begun, true);
	if (ioctl(job->fd, BSDVM_IOC_FAULT, &fault))
		EXPECT(errno == ENXIO || errno == EBADF);
	return NULL;
}

static void replace_a_window_that_is_faulted(unsigned int delay)
{
	struct long_fault job = { .fd = open(BSDVM_DEVICE, O_RDWR) };
	struct bsdvm_mmap arg = {
		.size = sizeof(arg),
		.prot = RW,
		.flags = ANON,
		.fd = -1,
		.len = LONG_PAGES * PAGE,
	};
	char *window, *ordinary;
	pthread_t thread;
	int i;

	ASSERT(job.fd >= 0);
	window = mmap(NULL, WINDOW_SIZE, PROT_READ | PROT_WRITE,
		      MAP_SHARED | MAP_NORESERVE, job.fd, 0);
	ASSERT(window != MAP_FAILED);
	ASSERT(!ioctl(job.fd, BSDVM_IOC_MMAP, &arg));
	job.map = (char *)(uintptr_t)arg.addr;
	ASSERT(!pthread_create(&thread, NULL, fault_long, &job));
	while (!atomic_load(&job.begun))
		sched_yield();
	usleep(delay);

	ASSERT(!munmap(window, WINDOW_SIZE));
	close(job.fd);
	ordinary = mmap(window, WINDOW_SIZE, PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1,
			0);
	ASSERT(ordinary == window);
	for (i = 0; i < LONG_PAGES; i += 2)
		job.map[i * PAGE] = 'o';
	pthread_join(thread, NULL);
	for (i = 0; i < LONG_PAGES; i++)
		EXPECT_EQ(job.map[i * PAGE], i % 2 ? 0 : 'o');
	ASSERT(!munmap(ordinary, WINDOW_SIZE));
}

TEST(a_call_on_a_window_that_goes_leaves_its_successor_alone)
{
	uint64_t before = vm_free_pages();
	unsigned int i;

	for (i = 0; i < 30; i++)
		replace_a_window_that_is_faulted(i * 300);
	EXPECT_EQ(vm_free_settles(before), before);
}
