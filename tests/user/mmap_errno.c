// SPDX-License-Identifier: BSD-2-Clause
/*
 * mmap: each check of FreeBSD's kern_mmap and its errno, in order. Where two
 * checks would fail, the row shows that the earlier one decides.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <linux/fs.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "vm.h"

#define R	BSDVM_PROT_READ
#define W	BSDVM_PROT_WRITE
#define X	BSDVM_PROT_EXEC
#define MAX(p)	BSDVM_PROT_MAX(p)
#define SHARED	BSDVM_MAP_SHARED
#define PRIVATE BSDVM_MAP_PRIVATE
#define FIXED	BSDVM_MAP_FIXED
#define EXCL	BSDVM_MAP_EXCL
#define GUARD	BSDVM_MAP_GUARD
#define AL(n)	BSDVM_MAP_ALIGNED(n)

enum fd {
	NO,
	CLOSED,
	FILE_RW,
	FILE_RO,
	FILE_WO,
	PIPE,
	SOCKET,
	DIRECTORY,
	DEVICE,
	FDS
};

static int fds[FDS];

static void open_fds(void)
{
	int pair[2];

	fds[NO] = -1;
	fds[CLOSED] = 999;
	fds[FILE_RW] = vm_file("/tmp", 4 * PAGE);
	fds[FILE_RO] = vm_reopen(fds[FILE_RW], O_RDONLY);
	fds[FILE_WO] = vm_reopen(fds[FILE_RW], O_WRONLY);
	ASSERT(!pipe(pair));
	fds[PIPE] = pair[0];
	fds[SOCKET] = socket(AF_UNIX, SOCK_STREAM, 0);
	ASSERT(fds[SOCKET] >= 0);
	fds[DIRECTORY] = open("/tmp", O_RDONLY | O_DIRECTORY);
	ASSERT(fds[DIRECTORY] >= 0);
	fds[DEVICE] = bsdvm_fd();
}

/* Page 0 of the window is free in all rows, page 8 is mapped. */
#define FREE_PAGE 0
#define USED_PAGE 8

static const struct row {
	int line;
	/* Number of the check in FreeBSD's order; 0: all pass. */
	int check;
	int want;
	/* Bytes from the start of the window; -1: NULL. */
	off_t addr;
	size_t len;
	int prot;
	unsigned int flags;
	enum fd fd;
	off_t off;
} rows[] = {
/* clang-format off */
#define ROW __LINE__
#define NONE -1
	/* 1: bits of prot */
	{ ROW, 1, EINVAL, NONE, PAGE, 8, ANON, NO, 0 },
	{ ROW, 1, EINVAL, NONE, PAGE, R | 0x100, ANON, NO, 0 },
	{ ROW, 1, EINVAL, NONE, PAGE, R | 8 << 16, ANON, NO, 0 },
	{ ROW, 1, EINVAL, NONE, PAGE, W | MAX(R) | 8, ANON, NO, 0 },
	/* 2: prot within PROT_MAX; before the length of 0 */
	{ ROW, 2, ENOTSUP, NONE, PAGE, W | MAX(R), ANON, NO, 0 },
	{ ROW, 2, ENOTSUP, NONE, 0, X | MAX(R | W), ANON, NO, 0 },
	{ ROW, 0, 0, NONE, PAGE, R | MAX(R | W), ANON, NO, 0 },
	{ ROW, 0, 0, NONE, PAGE, MAX(R), ANON, NO, 0 },
	/* 4: length */
	{ ROW, 4, EINVAL, NONE, 0, R, ANON, NO, 0 },
	{ ROW, 4, EINVAL, NONE, 0, R, SHARED, CLOSED, 0 },
	/* 5: anonymous memory has no file and no offset */
	{ ROW, 5, EINVAL, NONE, PAGE, R, ANON, FILE_RW, 0 },
	{ ROW, 5, EINVAL, NONE, PAGE, R, ANON, CLOSED, 0 },
	{ ROW, 5, EINVAL, NONE, PAGE, R, ANON, NO, PAGE },
	{ ROW, 5, EINVAL, NONE, (size_t)-1, R, ANON, NO, 1 },
	/* 7: flags */
	{ ROW, 7, EINVAL, NONE, PAGE, R, ANON | 0x80, NO, 0 },
	{ ROW, 7, EINVAL, NONE, PAGE, R, ANON | 0x100, NO, 0 },
	{ ROW, 7, EINVAL, NONE, PAGE, R, ANON | 0x4, NO, 0 },
	{ ROW, 7, EINVAL, NONE, PAGE, R, ANON | 0x8, NO, 0 },
	{ ROW, 7, EINVAL, NONE, PAGE, R, ANON | 0x8000, NO, 0 },
	{ ROW, 7, EINVAL, NONE, PAGE, R, ANON | 0x10000, NO, 0 },
	{ ROW, 7, EINVAL, NONE, PAGE, R, ANON | 0x100000, NO, 0 },
	{ ROW, 7, EINVAL, NONE, PAGE, R, PRIVATE | 0x8000, CLOSED, 0 },
	{ ROW, 0, 0, NONE, PAGE, R, ANON | BSDVM_MAP_RESERVED0020, NO, 0 },
	{ ROW, 0, 0, NONE, PAGE, R, ANON | BSDVM_MAP_RESERVED0040, NO, 0 },
	{ ROW, 0, 0, NONE, PAGE, R, ANON | BSDVM_MAP_HASSEMAPHORE, NO, 0 },
	{ ROW, 0, 0, NONE, PAGE, R, ANON | BSDVM_MAP_NOSYNC, NO, 0 },
	{ ROW, 0, 0, NONE, PAGE, R, ANON | BSDVM_MAP_NOCORE, NO, 0 },
	{ ROW, 0, 0, NONE, PAGE, R, ANON | BSDVM_MAP_PREFAULT_READ, NO, 0 },
	/* 8: EXCL goes with FIXED */
	{ ROW, 8, EINVAL, NONE, PAGE, R, ANON | EXCL, NO, 0 },
	{ ROW, 8, EINVAL, NONE, PAGE, R, PRIVATE | EXCL, CLOSED, 0 },
	/* 9: shared or private */
	{ ROW, 9, EINVAL, NONE, PAGE, R, ANON | SHARED, NO, 0 },
	{ ROW, 9, EINVAL, NONE, PAGE, R, PRIVATE | SHARED, CLOSED, 0 },
	{ ROW, 0, 0, NONE, PAGE, R, BSDVM_MAP_ANON, NO, 0 },
	{ ROW, 0, 0, NONE, PAGE, R, BSDVM_MAP_ANON | SHARED, NO, 0 },
	/* 10: what a guard may be */
	{ ROW, 10, EINVAL, NONE, PAGE, R, GUARD, NO, 0 },
	{ ROW, 10, EINVAL, NONE, PAGE, 0, GUARD, FILE_RW, 0 },
	{ ROW, 10, EINVAL, NONE, PAGE, 0, GUARD, NO, PAGE },
	{ ROW, 10, EINVAL, NONE, PAGE, 0, GUARD | PRIVATE, NO, 0 },
	{ ROW, 10, EINVAL, NONE, PAGE, 0, GUARD | SHARED, NO, 0 },
	{ ROW, 10, EINVAL, NONE, PAGE, 0, GUARD | BSDVM_MAP_NOCORE, NO, 0 },
	{ ROW, 0, 0, NONE, PAGE, 0, GUARD, NO, 0 },
	{ ROW, 0, 0, FREE_PAGE, PAGE, 0, GUARD | FIXED | EXCL, NO, 0 },
	/* 11: an offset within a page is none of the errors */
	{ ROW, 0, 0, NONE, PAGE, R, PRIVATE, FILE_RW, 100 },
	/* 12: the length wraps when rounded; before the alignment */
	{ ROW, 12, ENOMEM, NONE, (size_t)-1, R, ANON, NO, 0 },
	{ ROW, 12, ENOMEM, NONE, (size_t)-PAGE + 1, R, ANON | AL(3), NO, 0 },
	{ ROW, 12, ENOMEM, NONE, (size_t)-PAGE, R, PRIVATE, CLOSED, 1 },
	/* 13: alignment */
	{ ROW, 13, EINVAL, NONE, PAGE, R, ANON | AL(2), NO, 0 },
	{ ROW, 13, EINVAL, NONE, PAGE, R, ANON | AL(11), NO, 0 },
	{ ROW, 13, EINVAL, NONE, PAGE, R, ANON | AL(64), NO, 0 },
	{ ROW, 13, EINVAL, NONE, PAGE, R, PRIVATE | AL(255), CLOSED, 0 },
	{ ROW, 0, 0, NONE, PAGE, R, ANON | AL(12), NO, 0 },
	{ ROW, 0, 0, NONE, PAGE, R, ANON | AL(24), NO, 0 },
	{ ROW, 0, 0, NONE, PAGE, R, ANON | BSDVM_MAP_ALIGNED_SUPER, NO, 0 },
	/* 14: a fixed address has the offset's low bits */
	{ ROW, 14, EINVAL, FREE_PAGE + 1, PAGE, R, ANON | FIXED, NO, 0 },
	{ ROW, 14, EINVAL, FREE_PAGE + 1, PAGE, R, PRIVATE | FIXED, FILE_RW,
	  2 },
	{ ROW, 14, EINVAL, FREE_PAGE + 1, PAGE, R, PRIVATE | FIXED, CLOSED, 0 },
	{ ROW, 0, 0, FREE_PAGE + 1, PAGE, R, PRIVATE | FIXED, FILE_RW,
	  PAGE + 1 },
	/* 15: a fixed range lies in the window */
	{ ROW, 15, EINVAL, -(off_t)PAGE, PAGE, R, ANON | FIXED, NO, 0 },
	{ ROW, 15, EINVAL, (off_t)BSDVM_WINDOW_SIZE_DEFAULT, PAGE, R,
	  ANON | FIXED, NO, 0 },
	{ ROW, 15, EINVAL, (off_t)BSDVM_WINDOW_SIZE_DEFAULT - (off_t)PAGE,
	  2 * PAGE, R, ANON | FIXED, NO, 0 },
	{ ROW, 15, EINVAL, FREE_PAGE, (size_t)-PAGE, R, ANON | FIXED, NO, 0 },
	{ ROW, 15, EINVAL, -(off_t)PAGE, PAGE, R, PRIVATE | FIXED, CLOSED, 0 },
	/* 16: the window lies above 2 GiB */
	{ ROW, 16, EINVAL, FREE_PAGE, PAGE, R, ANON | FIXED | BSDVM_MAP_32BIT,
	  NO, 0 },
	{ ROW, 16, EINVAL, FREE_PAGE, PAGE, R,
	  PRIVATE | FIXED | BSDVM_MAP_32BIT, CLOSED, 0 },
	/* 18: the descriptor; before what kind of mapping of it */
	{ ROW, 18, EBADF, NONE, PAGE, R, PRIVATE, CLOSED, 0 },
	{ ROW, 18, EBADF, NONE, PAGE, R, SHARED, NO, 0 },
	{ ROW, 18, EBADF, NONE, PAGE, R, 0, CLOSED, 0 },
	{ ROW, 18, EBADF, NONE, PAGE, R, PRIVATE, CLOSED, -(off_t)PAGE },
	/* 19: what can be mapped */
	{ ROW, 19, ENODEV, NONE, PAGE, R, PRIVATE, PIPE, 0 },
	{ ROW, 19, ENODEV, NONE, PAGE, R, SHARED, SOCKET, 0 },
	{ ROW, 19, ENODEV, NONE, PAGE, R, SHARED, DIRECTORY, 0 },
	{ ROW, 19, ENODEV, NONE, PAGE, R, SHARED, DEVICE, 0 },
	{ ROW, 19, ENODEV, NONE, PAGE, R, 0, PIPE, 0 },
	/* 20: a file is mapped shared or private */
	{ ROW, 20, EINVAL, NONE, PAGE, R, 0, FILE_RW, 0 },
	{ ROW, 20, EINVAL, NONE, PAGE, R, 0, FILE_WO, 0 },
	/* 21: the descriptor allows it */
	{ ROW, 21, EACCES, NONE, PAGE, R, PRIVATE, FILE_WO, 0 },
	{ ROW, 21, EACCES, NONE, PAGE, R, SHARED, FILE_WO, 0 },
	{ ROW, 21, EACCES, NONE, PAGE, R | W, SHARED, FILE_RO, 0 },
	{ ROW, 21, EACCES, NONE, PAGE, R | W, SHARED, FILE_RO, -(off_t)PAGE },
	{ ROW, 0, 0, NONE, PAGE, R | W, PRIVATE, FILE_RO, 0 },
	{ ROW, 0, 0, NONE, PAGE, R | W, SHARED, FILE_RW, 0 },
	{ ROW, 0, 0, NONE, PAGE, R, SHARED, FILE_RO, 0 },
	/* 23: offsets */
	{ ROW, 23, EINVAL, NONE, PAGE, R, SHARED, FILE_RW, -(off_t)PAGE },
	{ ROW, 23, EINVAL, NONE, 2 * PAGE, R, PRIVATE, FILE_RW,
	  0x7ffffffffffff000 },
	{ ROW, 0, 0, NONE, PAGE, R, PRIVATE, FILE_RW, (off_t)1 << 40 },
	/* 26: no room */
	{ ROW, 26, ENOMEM, USED_PAGE *PAGE, PAGE, R, ANON | FIXED | EXCL, NO,
	  0 },
	{ ROW, 26, ENOMEM, (USED_PAGE - 1) * PAGE, 3 * PAGE, R,
	  PRIVATE | FIXED | EXCL, FILE_RW, 0 },
	{ ROW, 26, ENOMEM, NONE, BSDVM_WINDOW_SIZE_DEFAULT, R, ANON, NO, 0 },
	{ ROW, 26, ENOMEM, NONE, PAGE, R, ANON | BSDVM_MAP_32BIT, NO, 0 },
	{ ROW, 0, 0, USED_PAGE *PAGE, PAGE, R, ANON | FIXED, NO, 0 },
	/* clang-format on */
};

static void check_row(const struct row *row, char *window)
{
	char *addr = row->addr == NONE ? NULL : window + row->addr;
	void *map;
	int got;

	errno = 0;
	map = bsdvm_mmap(addr, row->len, row->prot, row->flags, fds[row->fd],
			 row->off);
	got = map == BSDVM_MAP_FAILED ? errno : 0;
	if (got != row->want)
		harness_fail(__FILE__, row->line, "check %d: %s, not %s",
			     row->check, got ? strerrorname_np(got) : "success",
			     row->want ? strerrorname_np(row->want) :
					 "success");
	if (!got && (row->flags & FIXED) && map != addr)
		harness_fail(__FILE__, row->line, "mapped at %p, not at %p",
			     map, addr);
}

TEST(mmap_checks_its_arguments_in_freebsd_order)
{
	const size_t count = sizeof(rows) / sizeof(rows[0]);
	char *window;
	size_t size, i;

	open_fds();
	ASSERT(!bsdvm_window((void **)&window, &size));
	for (i = 0; i < count; i++) {
		ASSERT(!bsdvm_munmap(window, size));
		ASSERT(bsdvm_mmap(window + USED_PAGE * PAGE, PAGE, R,
				  ANON | FIXED, -1, 0) != BSDVM_MAP_FAILED);
		check_row(&rows[i], window);
	}
}

TEST(a_failing_mmap_leaves_the_map_alone)
{
	char *map = vm_anon(4);

	memset(map, 'x', 4 * PAGE);
	EXPECT_ERRNO(bsdvm_mmap(map, PAGE, R, PRIVATE | FIXED, 999, 0), EBADF);
	EXPECT_ERRNO(bsdvm_mmap(map + 3 * PAGE, 3 * PAGE, R,
				ANON | FIXED | EXCL, -1, 0),
		     ENOMEM);
	EXPECT(vm_all(map, 4 * PAGE, 'x'));
	EXPECT_EQ(vm_entry_count(), 1);
}

/* 21, 21a: nothing on a noexec mount can be executed, now or later. */
TEST(a_noexec_mount_forbids_exec)
{
	char dir[] = "/tmp/bsdvm-noexec.XXXXXX";
	char *map;
	int fd;

	ASSERT(mkdtemp(dir));
	ASSERT(!mount("none", dir, "tmpfs", MS_NOEXEC, NULL));
	fd = vm_file(dir, PAGE);
	EXPECT_ERRNO(bsdvm_mmap(NULL, PAGE, R | X, PRIVATE, fd, 0), EACCES);
	EXPECT_ERRNO(bsdvm_mmap(NULL, PAGE, R | X, SHARED, fd, 0), EACCES);
	map = bsdvm_mmap(NULL, PAGE, R, PRIVATE, fd, 0);
	ASSERT(map != BSDVM_MAP_FAILED);
	EXPECT_ERRNO(bsdvm_mprotect(map, PAGE, R | X), EACCES);
	EXPECT_ERRNO(bsdvm_munmap(map, PAGE), 0);
	close(fd);
	EXPECT_ERRNO(umount(dir), 0);
	rmdir(dir);
}

/* 21a: the descriptor bounds what mprotect may give later. */
TEST(the_descriptor_bounds_later_protection)
{
	int rw = vm_file("/tmp", PAGE), ro = vm_reopen(rw, O_RDONLY);
	char *shared = bsdvm_mmap(NULL, PAGE, R, SHARED, ro, 0);
	char *private = bsdvm_mmap(NULL, PAGE, R, PRIVATE, ro, 0);

	ASSERT(shared != BSDVM_MAP_FAILED && private != BSDVM_MAP_FAILED);
	EXPECT_ERRNO(bsdvm_mprotect(shared, PAGE, R | W), EACCES);
	EXPECT_ERRNO(bsdvm_mprotect(private, PAGE, R | W), 0);
	*private = 'p';
	EXPECT_EQ(*private, 'p');
	EXPECT_EQ(*shared, vm_file_byte(0));
	EXPECT_EQ(vm_entry_at(shared).e.kve_max_protection, R | X);
	EXPECT_EQ(vm_entry_at(private).e.kve_max_protection, R | W | X);
}

static void set_file_flags(int fd, int flags)
{
	ASSERT(!ioctl(fd, FS_IOC_SETFLAGS, &flags));
}

/* 22 */
TEST_FILES(an_immutable_file_cannot_be_mapped_shared_to_write)
{
	static const int kinds[] = { FS_IMMUTABLE_FL, FS_APPEND_FL };
	int fd = vm_file(dir, PAGE), flags;
	size_t i;

	if (ioctl(fd, FS_IOC_GETFLAGS, &flags))
		return; /* tmpfs has no such flags on 6.1 */
	for (i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		char *map;

		set_file_flags(fd, flags | kinds[i]);
		EXPECT_ERRNO(bsdvm_mmap(NULL, PAGE, R | W, SHARED, fd, 0),
			     EPERM);
		map = bsdvm_mmap(NULL, PAGE, R, SHARED, fd, 0);
		EXPECT(map != BSDVM_MAP_FAILED);
		EXPECT_ERRNO(bsdvm_mprotect(map, PAGE, R | W), EACCES);
		EXPECT_ERRNO(bsdvm_mmap(NULL, PAGE, R | W, PRIVATE, fd, 0), 0);
		set_file_flags(fd, flags);
		EXPECT_ERRNO(bsdvm_mmap(NULL, PAGE, R | W, SHARED, fd, 0), 0);
	}
}

/* What may be written or run can also be read, which the descriptor forbids. */
TEST_FILES(a_write_only_descriptor_cannot_be_mapped)
{
	static const int kinds[] = { SHARED, PRIVATE };
	int fd = vm_reopen(vm_file(dir, PAGE), O_WRONLY), prot;
	size_t i;

	for (i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		char *map;

		for (prot = 1; prot <= (R | W | X); prot++)
			EXPECT_ERRNO(bsdvm_mmap(NULL, PAGE, prot, kinds[i], fd,
						0),
				     EACCES);
		/* No access is always granted, and stays that. */
		map = bsdvm_mmap(NULL, PAGE, 0, kinds[i], fd, 0);
		ASSERT(map != BSDVM_MAP_FAILED);
		EXPECT_EQ(vm_entry_at(map).e.kve_max_protection, 0);
		for (prot = 1; prot <= (R | W | X); prot++)
			EXPECT_ERRNO(bsdvm_mprotect(map, PAGE, prot), EACCES);
		EXPECT_FAULT(vm_read(map), SIGSEGV, SEGV_ACCERR, map);
		EXPECT_ERRNO(bsdvm_munmap(map, PAGE), 0);
	}
}

/* --- the seals of a memfd */

static int sealable_file(void)
{
	int fd = memfd_create("bsdvm-test", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	ASSERT(fd >= 0);
	ASSERT(!ftruncate(fd, 2 * PAGE));
	return fd;
}

TEST(a_file_sealed_against_writing_cannot_be_mapped_shared_to_write)
{
	static const int seals[] = { F_SEAL_WRITE, F_SEAL_FUTURE_WRITE };
	size_t i;

	for (i = 0; i < sizeof(seals) / sizeof(seals[0]); i++) {
		int fd = sealable_file();
		char *shared, *private;

		ASSERT(!fcntl(fd, F_ADD_SEALS, seals[i]));
		EXPECT_ERRNO(bsdvm_mmap(NULL, PAGE, R | W, SHARED, fd, 0),
			     EPERM);
		shared = bsdvm_mmap(NULL, PAGE, R, SHARED, fd, 0);
		ASSERT(shared != BSDVM_MAP_FAILED);
		EXPECT_ERRNO(bsdvm_mprotect(shared, PAGE, R | W), EACCES);
		private = bsdvm_mmap(NULL, PAGE, R | W, PRIVATE, fd, 0);
		ASSERT(private != BSDVM_MAP_FAILED);
		EXPECT_NO_FAULT(vm_write(private, 'p'));
		EXPECT_EQ(*shared, 0);
		EXPECT_ERRNO(bsdvm_munmap(private, PAGE), 0);
		EXPECT_ERRNO(bsdvm_munmap(shared, PAGE), 0);
		EXPECT_EQ(vm_file_read(fd, 0), 0);
		close(fd);
	}
}

TEST(a_file_mapped_shared_to_write_cannot_be_sealed_against_writing)
{
	int fd = sealable_file();
	char *a = bsdvm_mmap(NULL, PAGE, R | W, SHARED, fd, 0);
	char *b = bsdvm_mmap(NULL, PAGE, R | W, SHARED, fd, PAGE);

	ASSERT(a != BSDVM_MAP_FAILED && b != BSDVM_MAP_FAILED);
	EXPECT_ERRNO(fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE), EBUSY);
	*a = 'a';
	EXPECT_ERRNO(bsdvm_munmap(a, PAGE), 0);
	EXPECT_ERRNO(fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE), EBUSY);
	*b = 'b';
	EXPECT_ERRNO(bsdvm_munmap(b, PAGE), 0);
	EXPECT_ERRNO(fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE), 0);
	EXPECT_EQ(vm_file_read(fd, 0), 'a');
	EXPECT_EQ(vm_file_read(fd, PAGE), 'b');
}

TEST(a_private_mapping_does_not_hinder_a_seal)
{
	int fd = sealable_file();
	char *map = bsdvm_mmap(NULL, PAGE, R | W, PRIVATE, fd, 0);

	ASSERT(map != BSDVM_MAP_FAILED);
	*map = 'p';
	EXPECT_ERRNO(fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE), 0);
	EXPECT_NO_FAULT(vm_write(map + 1, 'p'));
	EXPECT_EQ(vm_file_read(fd, 0), 0);
}

TEST(dev_zero_is_anonymous_memory_and_other_devices_are_enodev)
{
	int zero = open("/dev/zero", O_RDWR | O_CLOEXEC);
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	char *private, *shared;
	pid_t child;

	ASSERT(zero >= 0 && null >= 0);
	private = bsdvm_mmap(NULL, PAGE, R | W, PRIVATE, zero, 0);
	shared = bsdvm_mmap(NULL, PAGE, R | W, SHARED, zero, 0);
	ASSERT(private != BSDVM_MAP_FAILED && shared != BSDVM_MAP_FAILED);
	EXPECT(vm_all(private, PAGE, 0));
	EXPECT(vm_all(shared, PAGE, 0));
	child = harness_fork();
	if (!child) {
		*private = 'p';
		*shared = 's';
		harness_exit();
	}
	harness_join(child);
	EXPECT_EQ(*private, 0);
	EXPECT_EQ(*shared, 's');
	EXPECT_ERRNO(bsdvm_mmap(NULL, PAGE, R, PRIVATE, null, 0), ENODEV);
}

TEST(the_address_space_limit_bounds_what_is_mapped)
{
	const struct rlimit limit = { 16 * PAGE, RLIM_INFINITY };
	char *map;

	map = bsdvm_mmap(NULL, 8 * PAGE, R | W, BSDVM_MAP_ANON, -1, 0);
	ASSERT(map != BSDVM_MAP_FAILED);
	ASSERT(!setrlimit(RLIMIT_AS, &limit));
	EXPECT_ERRNO(bsdvm_mmap(NULL, 9 * PAGE, R, BSDVM_MAP_ANON, -1, 0),
		     ENOMEM);
	EXPECT_ERRNO(bsdvm_mmap(NULL, 17 * PAGE, R, BSDVM_MAP_ANON, -1, 0),
		     ENOMEM);
	EXPECT_ERRNO(bsdvm_mmap(NULL, 8 * PAGE, R, BSDVM_MAP_ANON, -1, 0), 0);
	EXPECT_ERRNO(bsdvm_mmap(NULL, PAGE, R, BSDVM_MAP_ANON, -1, 0), ENOMEM);
	EXPECT_ERRNO(bsdvm_munmap(map, 8 * PAGE), 0);
	EXPECT_ERRNO(bsdvm_mmap(NULL, PAGE, R, BSDVM_MAP_ANON, -1, 0), 0);
}
