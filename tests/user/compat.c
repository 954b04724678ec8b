// SPDX-License-Identifier: BSD-2-Clause
/*
 * <bsdvm/compat.h>: BSD's names, in the window and for memory that is not there.
 * What they do in the window is told by the tests in tests/atf.
 */
#include <bsdvm/compat.h>

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>

#include "vm.h"

/* Of Linux's <sys/mman.h>, which is not to be seen here. */
#define LINUX_MAP_PRIVATE   0x02
#define LINUX_MAP_ANONYMOUS 0x20

#define BUFFER_PAGES 4

static char buffer[BUFFER_PAGES * 4096] __attribute__((aligned(4096)));

/* Memory that a library would have got from Linux. */
static char *linux_anon(size_t pages)
{
	const long addr =
		syscall(SYS_mmap, NULL, pages * PAGE, PROT_READ | PROT_WRITE,
			LINUX_MAP_PRIVATE | LINUX_MAP_ANONYMOUS, -1, 0);

	ASSERT(addr != -1);
	return (char *)addr;
}

static bool in_window(const void *addr)
{
	void *start;
	size_t size;

	ASSERT(!bsdvm_window(&start, &size));
	return (const char *)addr >= (char *)start &&
	       (const char *)addr < (char *)start + size;
}

static bool has_window(void)
{
	struct bsdvm_info info;

	ASSERT(!bsdvm_info(&info));
	return info.window_start;
}

TEST(mmap_maps_in_the_window_also_through_a_pointer)
{
	void *(*map)(void *, size_t, int, int, int, off_t) = mmap;
	void *p, *q;

	p = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_ANON, -1, 0);
	q = map(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_ANON, -1, 0);
	ASSERT(p != MAP_FAILED && q != MAP_FAILED);
	EXPECT(in_window(p) && in_window(q));
	EXPECT_ERRNO(munmap(p, PAGE), 0);
	EXPECT_FAULT(vm_read(p), SIGSEGV, SEGV_MAPERR, p);
	EXPECT_NO_FAULT(vm_read(q));
}

TEST(mmap_fixed_outside_the_window_is_refused)
{
	buffer[0] = 'b';
	EXPECT_ERRNO(mmap(buffer, PAGE, PROT_READ, MAP_ANON | MAP_FIXED, -1, 0),
		     EINVAL);
	EXPECT_EQ(buffer[0], 'b');
}

TEST(malloc_keeps_linux_memory)
{
	char *p = malloc(1 << 20);

	ASSERT(p);
	EXPECT(!in_window(p));
	free(p);
	p = sbrk(PAGE);
	ASSERT(p != (char *)-1);
	EXPECT(in_window(p));
}

TEST(memory_outside_needs_no_window)
{
	EXPECT_ERRNO(mprotect(buffer, PAGE, PROT_READ), 0);
	EXPECT_ERRNO(mprotect(buffer, PAGE, PROT_READ | PROT_WRITE), 0);
	EXPECT_ERRNO(mlock(buffer, PAGE), 0);
	EXPECT_ERRNO(madvise(buffer, PAGE, MADV_WILLNEED), 0);
	EXPECT(!has_window());
}

TEST(mprotect_protects_whole_pages_of_a_static_buffer)
{
	ASSERT(!mprotect(buffer + PAGE + 10, 1, PROT_READ));
	EXPECT_NO_FAULT(vm_write(buffer + PAGE - 1, 'x'));
	EXPECT_NO_FAULT(vm_read(buffer + PAGE));
	EXPECT_FAULT(vm_write(buffer + PAGE, 'x'), SIGSEGV, SEGV_ACCERR,
		     buffer + PAGE);
	EXPECT_FAULT(vm_write(buffer + 2 * PAGE - 1, 'x'), SIGSEGV, SEGV_ACCERR,
		     buffer + 2 * PAGE - 1);
	EXPECT_NO_FAULT(vm_write(buffer + 2 * PAGE, 'x'));
	/* From the last byte of a page on, so that two are concerned. */
	ASSERT(!mprotect(buffer + 2 * PAGE - 1, 2, PROT_NONE));
	EXPECT_FAULT(vm_read(buffer + PAGE), SIGSEGV, SEGV_ACCERR,
		     buffer + PAGE);
	EXPECT_FAULT(vm_read(buffer + 2 * PAGE), SIGSEGV, SEGV_ACCERR,
		     buffer + 2 * PAGE);
	EXPECT_NO_FAULT(vm_read(buffer + 3 * PAGE));
	EXPECT_ERRNO(mprotect(buffer, sizeof(buffer), PROT_READ | PROT_WRITE),
		     0);
}

TEST(prot_max_is_checked_outside_and_no_more)
{
	EXPECT_ERRNO(mprotect(buffer, PAGE, PROT_READ | PROT_MAX(PROT_READ)),
		     0);
	EXPECT_ERRNO(mprotect(buffer, PAGE, PROT_READ | PROT_WRITE), 0);
	EXPECT_ERRNO(mprotect(buffer, PAGE,
			      PROT_READ | PROT_WRITE | PROT_MAX(PROT_READ)),
		     ENOTSUP);
	EXPECT_ERRNO(mprotect(buffer, PAGE, 8), EINVAL);
	EXPECT_NO_FAULT(vm_write(buffer, 'x'));
}

TEST(dontneed_keeps_data_outside)
{
	char *map = linux_anon(2);

	memset(map, 'm', 2 * PAGE);
	memset(buffer, 's', sizeof(buffer));
	EXPECT_ERRNO(madvise(map, 2 * PAGE, MADV_DONTNEED), 0);
	EXPECT_ERRNO(madvise(buffer, sizeof(buffer), MADV_DONTNEED), 0);
	EXPECT_EQ(posix_madvise(map, PAGE, POSIX_MADV_DONTNEED), 0);
	EXPECT(vm_all(map, 2 * PAGE, 'm'));
	EXPECT(vm_all(buffer, sizeof(buffer), 's'));
}

TEST(advice_outside_never_fails)
{
	char *map = linux_anon(3);
	int behav;

	memset(map, 'm', 3 * PAGE);
	ASSERT(!munmap(map + PAGE, PAGE));
	errno = EDOM;
	for (behav = MADV_NORMAL; behav < MADV_PROTECT; behav++)
		EXPECT_EQ(madvise(map + 1, 3 * PAGE - 1, behav), 0);
	EXPECT_EQ(errno, EDOM);
	EXPECT_ERRNO(madvise(map, PAGE, MADV_PROTECT + 1), EINVAL);
	EXPECT_ERRNO(madvise(map, PAGE, -1), EINVAL);
	errno = EDOM;
	EXPECT_EQ(posix_madvise(map, PAGE, 77), EINVAL);
	EXPECT_EQ(errno, EDOM);
}

TEST(msync_outside_has_bsd_flags)
{
	EXPECT_ERRNO(msync(buffer + 1, PAGE, MS_SYNC), 0);
	EXPECT_ERRNO(msync(buffer, PAGE, MS_ASYNC), 0);
	EXPECT_ERRNO(msync(buffer, PAGE, MS_INVALIDATE), 0);
	EXPECT_ERRNO(msync(buffer, PAGE, MS_ASYNC | MS_INVALIDATE), EINVAL);
}

TEST(mincore_outside_knows_what_is_resident)
{
	char *map = linux_anon(2);
	char vec[3] = { 'v', 'v', 'v' };

	map[PAGE] = 'x';
	ASSERT(!mincore(map + 1, 2 * PAGE - 1, vec));
	EXPECT_EQ(vec[0], 0);
	EXPECT_EQ(vec[1], MINCORE_INCORE);
	EXPECT_EQ(vec[2], 'v');
}

TEST(mlock_outside_is_of_whole_pages)
{
	EXPECT_ERRNO(mlock(buffer + PAGE - 1, 2), 0);
	EXPECT_ERRNO(munlock(buffer + PAGE - 1, 2), 0);
	/* This is what Linux answers to a hole, once it is asked. */
	EXPECT_ERRNO(mlock((void *)PAGE, PAGE), ENOMEM);
}

TEST(munmap_outside_unmaps)
{
	char *map = linux_anon(3);

	EXPECT_ERRNO(munmap(map + PAGE + 1, 1), 0);
	EXPECT_NO_FAULT(vm_read(map));
	EXPECT_FAULT(vm_read(map + PAGE), SIGSEGV, SEGV_MAPERR, map + PAGE);
	EXPECT_NO_FAULT(vm_read(map + 2 * PAGE));
	EXPECT_ERRNO(munmap(map, 0), EINVAL);
}

/* Linux would end the window, and the program with it. */
TEST(a_range_that_meets_the_window_is_not_for_linux)
{
	char *map, *start;
	void *window;
	size_t size;

	ASSERT(!bsdvm_window(&window, &size));
	start = window;
	map = vm_anon(1);
	*map = 'w';
	buffer[0] = 'b';
	EXPECT_ERRNO(munmap(start - PAGE, size + 2 * PAGE), EINVAL);
	EXPECT_ERRNO(munmap(start - PAGE, PAGE + 1), EINVAL);
	EXPECT_ERRNO(munmap(start - 1, 2), EINVAL);
	EXPECT_ERRNO(mprotect(start - PAGE, 2 * PAGE, PROT_NONE), EINVAL);
	EXPECT_ERRNO(mlock(start - PAGE, 2 * PAGE), ENOMEM);
	EXPECT_ERRNO(munmap(start + size - PAGE, 2 * PAGE), EINVAL);
	/* So is one that wraps. */
	EXPECT_ERRNO(munmap(buffer, -PAGE), EINVAL);
	EXPECT_ERRNO(mprotect(buffer, SIZE_MAX, PROT_NONE), EINVAL);
	EXPECT_EQ(*map, 'w');
	EXPECT_EQ(buffer[0], 'b');
}

TEST(minherit_outside_wipes_and_hides)
{
	char *map = linux_anon(3);
	pid_t child;

	memset(map, 'p', 3 * PAGE);
	EXPECT_ERRNO(minherit(map, PAGE, INHERIT_ZERO), 0);
	EXPECT_ERRNO(minherit(map + PAGE, PAGE, INHERIT_NONE), 0);
	child = harness_fork();
	if (!child) {
		EXPECT(vm_all(map, PAGE, 0));
		EXPECT_FAULT(vm_read(map + PAGE), SIGSEGV, SEGV_MAPERR,
			     map + PAGE);
		EXPECT(vm_all(map + 2 * PAGE, PAGE, 'p'));
		harness_exit();
	}
	harness_join(child);
	EXPECT_ERRNO(minherit(map, 3 * PAGE, INHERIT_COPY), 0);
	child = harness_fork();
	if (!child) {
		EXPECT(vm_all(map, 3 * PAGE, 'p'));
		harness_exit();
	}
	harness_join(child);
	EXPECT_ERRNO(minherit(map, PAGE, INHERIT_SHARE), EINVAL);
	EXPECT_ERRNO(minherit(map, PAGE, 77), EINVAL);
}

TEST(fcntl_seals_objects_of_both)
{
	const int ours = memfd_create("compat", MFD_ALLOW_SEALING);
	const int linux_fd =
		syscall(SYS_memfd_create, "compat", MFD_ALLOW_SEALING);
	const int fds[] = { ours, linux_fd };
	size_t i;

	for (i = 0; i < 2; i++) {
		ASSERT(fds[i] >= 0);
		ASSERT(!ftruncate(fds[i], PAGE));
		EXPECT_EQ(fcntl(fds[i], F_GET_SEALS), 0);
		EXPECT_ERRNO(fcntl(fds[i], F_ADD_SEALS, F_SEAL_GROW), 0);
		EXPECT_EQ(fcntl(fds[i], F_GET_SEALS), F_SEAL_GROW);
		EXPECT_ERRNO(ftruncate(fds[i], 2 * PAGE), EPERM);
		EXPECT_ERRNO(fcntl(fds[i], F_ADD_SEALS, F_SEAL_SEAL), 0);
		EXPECT_ERRNO(fcntl(fds[i], F_ADD_SEALS, F_SEAL_SHRINK), EPERM);
		EXPECT_EQ(fcntl(fds[i], F_GET_SEALS),
			  F_SEAL_GROW | F_SEAL_SEAL);
	}
}

TEST(fcntl_is_otherwise_the_system_s)
{
	int fd = open("/dev/null", O_RDWR);

	ASSERT(fd >= 0);
	EXPECT_ERRNO(fcntl(fd, F_GET_SEALS), EINVAL);
	EXPECT_ERRNO(fcntl(-1, F_GET_SEALS), EBADF);
	EXPECT_EQ(fcntl(fd, F_GETFL) & O_ACCMODE, O_RDWR);
	EXPECT_ERRNO(fcntl(fd, F_SETFD, FD_CLOEXEC), 0);
	EXPECT_EQ(fcntl(fd, F_GETFD), FD_CLOEXEC);
	EXPECT_EQ(fcntl(fd, F_DUPFD, 100), 100);
}
