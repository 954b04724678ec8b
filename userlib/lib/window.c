// SPDX-License-Identifier: BSD-2-Clause
/*
 * The one descriptor and the one window of a process, made on first use.
 *
 * The window is made under the lock and then never changes: it is read without the
 * lock when its start is not NULL. After a failure nothing is kept, so that the
 * next call tries again. A child of fork(2) inherits the window, and the kernel
 * gives it a vmspace of its own at the same address: there is nothing to do in the
 * child but to unlock.
 *
 * The descriptor needs no lock. Who finds none opens one, and closes it again when
 * somebody else was faster. A program that closes all descriptors, as daemons do,
 * closes this one: that is found out when a call fails, and another one is opened.
 * The window does not depend on it.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "window.h"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static atomic_int device = -1;
static _Atomic(dev_t) device_number; /* of what the descriptor is */
static _Atomic(void *) window_start;
static size_t window_size;

static void lock_window(void)
{
	pthread_mutex_lock(&lock);
}

static void unlock_window(void)
{
	pthread_mutex_unlock(&lock);
}

/* Nobody may be half-way through making the window while the process forks. */
__attribute__((constructor)) static void register_fork_handlers(void)
{
	pthread_atfork(lock_window, unlock_window, unlock_window);
}

/* Put a new descriptor in the place of an old one, or of -1. */
static int device_open(int old)
{
	const int fd = open(BSDVM_DEVICE, O_RDWR | O_CLOEXEC);
	struct stat stat;

	if (fd < 0)
		return -1;
	if (!fstat(fd, &stat))
		atomic_store(&device_number, stat.st_rdev);
	if (atomic_compare_exchange_strong(&device, &old, fd))
		return fd;
	close(fd);
	return old;
}

/* Or has it been closed, and its number gone to another file? */
static bool is_device(int fd)
{
	struct stat stat;

	return !fstat(fd, &stat) && S_ISCHR(stat.st_mode) &&
	       stat.st_rdev == atomic_load(&device_number);
}

static void *window_map(int fd, size_t size)
{
	const int prot = PROT_READ | PROT_WRITE;
	const int flags = MAP_SHARED | MAP_NORESERVE;
	void *start;

	start = mmap(NULL, size, prot | PROT_EXEC, flags, fd, 0);
	/* A noexec /dev says EPERM, a security module EACCES: do without. */
	if (start == MAP_FAILED && (errno == EPERM || errno == EACCES))
		start = mmap(NULL, size, prot, flags, fd, 0);
	return start;
}

static int window_make_locked(size_t size)
{
	const size_t page = sysconf(_SC_PAGESIZE);
	void *start;
	int fd;

	if (atomic_load(&window_start))
		return 0;
	fd = bsdvm_fd();
	if (fd >= 0 && !is_device(fd))
		fd = device_open(fd);
	if (fd < 0)
		return -1;
	if (!size)
		size = BSDVM_WINDOW_SIZE_DEFAULT;
	if (size > SIZE_MAX - page) {
		errno = ENOMEM;
		return -1;
	}
	size = (size + page - 1) & ~(page - 1);
	start = window_map(fd, size);
	if (start == MAP_FAILED)
		return -1;
	window_size = size;
	atomic_store(&window_start, start);
	return 0;
}

int bsdvm_attach(size_t size)
{
	if (!atomic_load(&window_start)) {
		int ret;

		lock_window();
		ret = window_make_locked(size);
		unlock_window();
		if (ret)
			return -1;
	}
	if (size > window_size) {
		errno = EBUSY;
		return -1;
	}
	return 0;
}

int bsdvm_fd(void)
{
	const int fd = atomic_load(&device);

	return fd < 0 ? device_open(-1) : fd;
}

int bsdvm_window(void **start, size_t *size)
{
	if (bsdvm_attach(0))
		return -1;
	if (start)
		*start = atomic_load(&window_start);
	if (size)
		*size = window_size;
	return 0;
}

bool libbsdvm_window_meets(uintptr_t start, uintptr_t end)
{
	const uintptr_t first = (uintptr_t)atomic_load(&window_start);

	/* An empty range lies where it begins. */
	if (end == start)
		end++;
	return first && start < first + window_size && end > first;
}

int libbsdvm_device_ioctl(unsigned long request, void *arg)
{
	int fd = bsdvm_fd();

	if (fd < 0)
		return -1;
	if (!ioctl(fd, request, arg))
		return 0;
	if (errno != EBADF && errno != ENOTTY)
		return -1;
	/*
	 * Was that some other file, or none? Ask again in any case: another
	 * thread may have put the descriptor back in between.
	 */
	if (!is_device(fd))
		fd = device_open(fd);
	return fd < 0 || ioctl(fd, request, arg) ? -1 : 0;
}

int libbsdvm_process_ioctl(pid_t pid, unsigned long request, void *arg)
{
	if (!pid)
		return libbsdvm_ioctl(request, arg);
	return libbsdvm_device_ioctl(request, arg);
}

int libbsdvm_ioctl(unsigned long request, void *arg)
{
	if (bsdvm_attach(0))
		return -1;
	return libbsdvm_device_ioctl(request, arg);
}
