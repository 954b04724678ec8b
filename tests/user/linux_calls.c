// SPDX-License-Identifier: BSD-2-Clause
/*
 * Linux's own calls on window memory: what works, and how the rest fails. The
 * README has the table.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <linux/futex.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "vm.h"

/* --- read(2) and write(2) */

TEST_FILES(read_and_write_work)
{
	int fd = vm_file(dir, 8 * PAGE);
	char *map = vm_anon(8), *back = vm_anon(8);
	size_t i;

	EXPECT_EQ(pread(fd, map, 8 * PAGE, 0), 8 * PAGE);
	for (i = 0; i < 8 * PAGE; i++)
		ASSERT(map[i] == vm_file_byte(i));
	memset(map, 'x', 8 * PAGE);
	EXPECT_EQ(pwrite(fd, map, 8 * PAGE, 0), 8 * PAGE);
	EXPECT_EQ(pread(fd, back, 8 * PAGE, 0), 8 * PAGE);
	EXPECT(vm_all(back, 8 * PAGE, 'x'));
}

/* The kernel faults on the file's pages while it holds the file's lock. */
TEST_FILES(a_file_can_be_written_from_its_own_mapping)
{
	int fd = vm_file(dir, 4 * PAGE);
	char *map = bsdvm_mmap(NULL, 4 * PAGE, RW, BSDVM_MAP_SHARED, fd, 0);

	ASSERT(map != BSDVM_MAP_FAILED);
	EXPECT_EQ(pwrite(fd, map, 2 * PAGE, 2 * PAGE), 2 * PAGE);
	EXPECT_EQ(vm_file_read(fd, 2 * PAGE), vm_file_byte(0));
	/* A page onto itself. */
	EXPECT_EQ(pwrite(fd, map + PAGE, PAGE, PAGE), PAGE);
	EXPECT_EQ(vm_file_read(fd, PAGE), vm_file_byte(PAGE));
}

TEST_FILES(a_file_can_be_read_into_its_own_private_mapping)
{
	int fd = vm_file(dir, 4 * PAGE);
	char *map = bsdvm_mmap(NULL, 4 * PAGE, RW, BSDVM_MAP_PRIVATE, fd, 0);

	ASSERT(map != BSDVM_MAP_FAILED);
	EXPECT_EQ(pread(fd, map, PAGE, PAGE), PAGE);
	EXPECT_EQ(map[0], vm_file_byte(PAGE));
	EXPECT_EQ(map[PAGE], vm_file_byte(PAGE));
	EXPECT_EQ(vm_file_read(fd, 0), vm_file_byte(0));
}

TEST(readv_stops_at_a_hole)
{
	char *map = vm_anon(2);
	int pipes[2];

	ASSERT(!pipe(pipes));
	ASSERT(write(pipes[1], "abcd", 4) == 4);
	ASSERT(!bsdvm_munmap(map + PAGE, PAGE));
	/* Two bytes fit; whether two or EFAULT come back is the pipe's choice. */
	EXPECT(read(pipes[0], map + PAGE - 2, 4) != 4);
}

/* --- frames cannot be pinned */

TEST(o_direct_is_efault)
{
	int fd = open("/mnt/ext4/bsdvm-direct",
		      O_RDWR | O_CREAT | O_DIRECT | O_CLOEXEC, 0600);
	char *map = vm_anon(4), *plain;

	ASSERT(fd >= 0);
	unlink("/mnt/ext4/bsdvm-direct");
	plain = aligned_alloc(PAGE, 4 * PAGE);
	memset(plain, 'f', 4 * PAGE);
	ASSERT(pwrite(fd, plain, 4 * PAGE, 0) == (ssize_t)(4 * PAGE));
	memset(map, 'm', 4 * PAGE);
	EXPECT_ERRNO(pread(fd, map, 4 * PAGE, 0), EFAULT);
	EXPECT(vm_all(map, 4 * PAGE, 'm'));
	EXPECT_ERRNO(pwrite(fd, map, 4 * PAGE, 0), EFAULT);
	ASSERT(pread(fd, plain, 4 * PAGE, 0) == (ssize_t)(4 * PAGE));
	EXPECT(vm_all(plain, 4 * PAGE, 'f'));
}

TEST(vmsplice_is_efault)
{
	char *map = vm_anon(2);
	struct iovec iov = { map, 2 * PAGE };
	int pipes[2];

	memset(map, 'x', 2 * PAGE);
	ASSERT(!pipe(pipes));
	EXPECT_ERRNO(vmsplice(pipes[1], &iov, 1, 0), EFAULT);
	EXPECT_ERRNO(vmsplice(pipes[1], &iov, 1, SPLICE_F_GIFT), EFAULT);
	ASSERT(!bsdvm_munmap(map, 2 * PAGE));
}

TEST(process_vm_readv_and_writev_are_efault)
{
	char *map = vm_anon(1), local[16] = "local";
	struct iovec remote = { map, sizeof(local) };
	struct iovec buf = { local, sizeof(local) };

	*map = 'x';
	EXPECT_ERRNO(process_vm_readv(getpid(), &buf, 1, &remote, 1, 0),
		     EFAULT);
	EXPECT_ERRNO(process_vm_writev(getpid(), &buf, 1, &remote, 1, 0),
		     EFAULT);
	/* The other side of the copy may lie in the window. */
	remote.iov_base = local;
	buf.iov_base = map;
	EXPECT_EQ(process_vm_readv(getpid(), &buf, 1, &remote, 1, 0),
		  sizeof(local));
	EXPECT(!strcmp(map, "local"));
}

/* --- futex */

static int futex(void *addr, int op, int value, const struct timespec *timeout)
{
	return syscall(SYS_futex, addr, op, value, timeout, NULL, 0);
}

static void *wake(void *word)
{
	usleep(100 * 1000);
	__atomic_store_n((int *)word, 1, __ATOMIC_SEQ_CST);
	futex(word, FUTEX_WAKE_PRIVATE, 1, NULL);
	return NULL;
}

TEST(private_futexes_work)
{
	const struct timespec soon = { .tv_nsec = 50 * 1000 * 1000 };
	int *word = (int *)vm_anon(1);
	pthread_t thread;

	EXPECT_ERRNO(futex(word, FUTEX_WAIT_PRIVATE, 1, NULL), EAGAIN);
	EXPECT_ERRNO(futex(word, FUTEX_WAIT_PRIVATE, 0, &soon), ETIMEDOUT);
	ASSERT(!pthread_create(&thread, NULL, wake, word));
	while (!__atomic_load_n(word, __ATOMIC_SEQ_CST))
		EXPECT(!futex(word, FUTEX_WAIT_PRIVATE, 0, NULL) ||
		       errno == EAGAIN);
	pthread_join(thread, NULL);
}

TEST(shared_futexes_are_efault)
{
	int *word = (int *)vm_anon_flags(1, BSDVM_MAP_SHARED);

	*word = 0;
	EXPECT_ERRNO(futex(word, FUTEX_WAIT, 0, NULL), EFAULT);
	EXPECT_ERRNO(futex(word, FUTEX_WAKE, 1, NULL), EFAULT);
}

static pthread_mutex_t *mutex;
static int counter;

static void *count(void *arg)
{
	int i;

	for (i = 0; i < 1000; i++) {
		pthread_mutex_lock(mutex);
		counter++;
		pthread_mutex_unlock(mutex);
	}
	return arg;
}

TEST(a_mutex_in_the_window_works_between_threads)
{
	pthread_t thread;

	mutex = (pthread_mutex_t *)vm_anon(1);
	pthread_mutex_init(mutex, NULL);
	ASSERT(!pthread_create(&thread, NULL, count, NULL));
	count(NULL);
	pthread_join(thread, NULL);
	EXPECT_EQ(counter, 2000);
}

/* --- ptrace and /proc/PID/mem */

/* A child that is stopped, with its window; the tracer lets it go on. */
static pid_t start_tracee(void (*body)(void))
{
	pid_t child = harness_fork();
	int status;

	if (!child) {
		ptrace(PTRACE_TRACEME, 0, NULL, NULL);
		raise(SIGSTOP);
		body();
		harness_exit();
	}
	status = harness_wait(child);
	ASSERT(WIFSTOPPED(status));
	return child;
}

static void end_tracee(pid_t child)
{
	ASSERT(!ptrace(PTRACE_DETACH, child, NULL, NULL));
	harness_join(child);
}

static char *traced;

static void expect_poked(void)
{
	EXPECT_EQ(*(long *)traced, 0x1234);
	EXPECT_EQ(traced[PAGE], 'p');
}

TEST(ptrace_reads_and_writes_the_tracee_and_not_the_tracer)
{
	pid_t child;

	traced = vm_anon(4);
	memset(traced, 'p', 2 * PAGE);
	child = start_tracee(expect_poked);
	errno = 0;
	EXPECT_EQ(ptrace(PTRACE_PEEKDATA, child, traced + PAGE, NULL),
		  0x7070707070707070);
	EXPECT_EQ(errno, 0);
	/* A page that nobody has touched. */
	EXPECT_EQ(ptrace(PTRACE_PEEKDATA, child, traced + 3 * PAGE, NULL), 0);
	EXPECT_EQ(errno, 0);
	EXPECT_ERRNO(ptrace(PTRACE_POKEDATA, child, traced, 0x1234), 0);
	EXPECT_EQ(ptrace(PTRACE_PEEKDATA, child, traced, NULL), 0x1234);
	EXPECT(vm_all(traced, 2 * PAGE, 'p'));
	end_tracee(child);
}

TEST(ptrace_of_a_hole_is_eio)
{
	pid_t child;

	traced = vm_anon(3);
	memset(traced, 'p', 3 * PAGE);
	*(long *)traced = 0x1234;
	ASSERT(!bsdvm_munmap(traced + 2 * PAGE, PAGE));
	child = start_tracee(expect_poked);
	EXPECT_ERRNO(ptrace(PTRACE_PEEKDATA, child, traced + 2 * PAGE, NULL),
		     EIO);
	EXPECT_ERRNO(ptrace(PTRACE_POKEDATA, child, traced + 2 * PAGE, 1), EIO);
	end_tracee(child);
}

TEST(ptrace_cannot_write_read_only_memory)
{
	pid_t child;

	traced = vm_anon(2);
	memset(traced, 'p', 2 * PAGE);
	*(long *)traced = 0x1234;
	ASSERT(!bsdvm_mprotect(traced, 2 * PAGE, BSDVM_PROT_READ));
	child = start_tracee(expect_poked);
	EXPECT_ERRNO(ptrace(PTRACE_POKEDATA, child, traced, 0x4321), EIO);
	EXPECT_EQ(ptrace(PTRACE_PEEKDATA, child, traced, NULL), 0x1234);
	end_tracee(child);
}

static void expect_written(void)
{
	EXPECT_EQ(traced[0], 'w');
	EXPECT_EQ(traced[PAGE - 1], 'w');
	EXPECT_EQ(traced[PAGE], 'w');
	EXPECT_EQ(traced[PAGE + 1], 'p');
}

TEST(proc_mem_reads_and_writes_across_pages)
{
	char path[64], buf[PAGE + 1];
	pid_t child;
	int fd;

	traced = vm_anon(3);
	memset(traced, 'p', 2 * PAGE);
	ASSERT(!bsdvm_munmap(traced + 2 * PAGE, PAGE));
	child = start_tracee(expect_written);
	snprintf(path, sizeof(path), "/proc/%d/mem", child);
	fd = open(path, O_RDWR | O_CLOEXEC);
	ASSERT(fd >= 0);
	EXPECT_EQ(pread(fd, buf, sizeof(buf), (off_t)(uintptr_t)traced),
		  sizeof(buf));
	EXPECT(vm_all(buf, sizeof(buf), 'p'));
	memset(buf, 'w', sizeof(buf));
	EXPECT_EQ(pwrite(fd, buf, sizeof(buf), (off_t)(uintptr_t)traced),
		  sizeof(buf));
	EXPECT_ERRNO(pread(fd, buf, 1, (off_t)(uintptr_t)traced + 2 * PAGE),
		     EIO);
	close(fd);
	EXPECT(vm_all(traced, 2 * PAGE, 'p'));
	end_tracee(child);
}

/* --- calls that Linux answers for memory it does not manage */

TEST(mlock_succeeds_and_does_nothing)
{
	uint64_t before = vm_free_pages();
	char *map = vm_anon(4);

	EXPECT_ERRNO(mlock(map, 4 * PAGE), 0);
	EXPECT_ERRNO(munlock(map, 4 * PAGE), 0);
	EXPECT_EQ(vm_free_pages(), before);
	EXPECT_ERRNO(mlockall(MCL_CURRENT), 0);
	EXPECT_EQ(vm_free_pages(), before);
	EXPECT_ERRNO(munlockall(), 0);
}

TEST(madvise_is_refused_where_it_would_touch_pages)
{
	char *map = vm_anon(2);

	*map = 'x';
	EXPECT_ERRNO(madvise(map, PAGE, MADV_DONTNEED), EINVAL);
	EXPECT_ERRNO(madvise(map, PAGE, MADV_FREE), EINVAL);
	EXPECT_ERRNO(madvise(map, PAGE, MADV_REMOVE), ENODEV);
	EXPECT_ERRNO(madvise(map, PAGE, MADV_DODUMP), EINVAL);
	EXPECT_EQ(*map, 'x');
}
