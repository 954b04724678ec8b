// SPDX-License-Identifier: BSD-2-Clause
/*
 * Swap devices: what they are made of, how they come and go, and what happens when they
 * are full or fail. Runs with a pool of 8 MiB and an embedded device of 8 MiB, to be run
 * alone.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "vm.h"

/* More than the pool has, less than pool and embedded swap together. */
#define PAGES 3072

static const char *const dirs[] = { "/dev/shm", "/mnt/ext4" };

static const char *swap_file(const char *dir, size_t pages)
{
	static char path[64];
	static char zeroes[PAGE];
	int fd;

	snprintf(path, sizeof(path), "%s/swap.%d", dir, getpid());
	fd = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600);
	ASSERT(fd >= 0);
	while (pages--)
		ASSERT(write(fd, zeroes, PAGE) == PAGE);
	close(fd);
	return path;
}

static uint64_t used(const char *name)
{
	struct bsdvm_swapinfo info;

	ASSERT(!bsdvm_swapfind(name, &info));
	return info.used;
}

static void fill(char *map, size_t pages, unsigned int round)
{
	size_t i;

	for (i = 0; i < pages; i++)
		memset(map + i * PAGE, 'a' + (i * 7 + round) % 26, PAGE);
}

static bool filled(const char *map, size_t pages, unsigned int round)
{
	size_t i;

	for (i = 0; i < pages; i++)
		if (!vm_all(map + i * PAGE, PAGE, 'a' + (i * 7 + round) % 26))
			return false;
	return true;
}

static void on_and_off(const char *dir)
{
	const char *path = swap_file(dir, 1024);
	struct bsdvm_stats before = vm_stats();
	struct bsdvm_swapinfo info;
	char *map = vm_anon(PAGES);

	ASSERT(!bsdvm_swapon(path));
	EXPECT(bsdvm_swapon(path) == -1 && errno == EBUSY);
	EXPECT_EQ(vm_stats().v_swap_size, before.v_swap_size + 1024);
	EXPECT_EQ(vm_stats().v_swap_total, before.v_swap_total + 1024 * PAGE);
	ASSERT(!bsdvm_swapfind(path, &info));
	EXPECT_EQ(info.total, 1024);
	EXPECT_EQ(info.flags, 0);
	/* Both are paged to, in turn. */
	fill(map, PAGES, 0);
	EXPECT(used(path) && used("embedded"));
	EXPECT(filled(map, PAGES, 0));
	ASSERT(!bsdvm_swapoff(path));
	EXPECT(bsdvm_swapfind(path, &info) == -1 && errno == ENXIO);
	EXPECT(bsdvm_swapoff(path) == -1 && errno == ENXIO);
	EXPECT_EQ(vm_stats().v_swap_size, before.v_swap_size);
	EXPECT(filled(map, PAGES, 0));
	ASSERT(!bsdvm_munmap(map, PAGES * PAGE));
	unlink(path);
}

TEST_LIMIT(a_file_comes_and_goes, 120)
{
	size_t i;

	for (i = 0; i < sizeof(dirs) / sizeof(dirs[0]); i++)
		on_and_off(dirs[i]);
}

static int swapon_fd(int fd)
{
	struct bsdvm_swapon arg = { .size = sizeof(arg), .fd = fd };

	return ioctl(bsdvm_fd(), BSDVM_IOC_SWAPON, &arg) ? errno : 0;
}

TEST(swapon_refuses)
{
	struct bsdvm_swapinfo info;
	int pipes[2];

	ASSERT(!pipe(pipes));
	EXPECT_EQ(swapon_fd(-1), EBADF);
	EXPECT_EQ(swapon_fd(open(swap_file("/dev/shm", 8), O_RDONLY)), EBADF);
	EXPECT_EQ(swapon_fd(open("/dev/shm", O_RDONLY)), EBADF);
	EXPECT_EQ(swapon_fd(open("/dev/null", O_RDWR)), ENOTBLK);
	EXPECT_EQ(swapon_fd(open(swap_file("/dev/shm", 1), O_RDWR)), EINVAL);
	EXPECT_EQ(swapon_fd(open(swap_file("/dev/shm", 0), O_RDWR)), EINVAL);
	EXPECT(bsdvm_swapon("/nowhere") == -1 && errno == ENOENT);
	EXPECT(bsdvm_swapinfo(1, &info) == -1 && errno == ENOENT);
	ASSERT(!setuid(1234));
	EXPECT(bsdvm_swapon(swap_file("/tmp", 8)) == -1 && errno == EPERM);
	EXPECT(bsdvm_swapoff("embedded") == -1 && errno == EPERM);
	ASSERT(!bsdvm_swapinfo(0, &info));
	EXPECT_EQ(info.flags, BSDVM_SWAPINFO_EMBEDDED);
	EXPECT_EQ(strcmp(info.path, "embedded"), 0);
}

TEST(there_is_an_end_to_devices)
{
	int fds[16], n = 0, err;

	do {
		fds[n] = vm_file("/dev/shm", 4 * PAGE);
		err = swapon_fd(fds[n]);
	} while (!err && ++n < 16);
	EXPECT_EQ(err, ENOSPC);
	/* Beside the embedded one. */
	EXPECT_EQ(n, 15);
	for (struct bsdvm_swapinfo info; !bsdvm_swapinfo(1, &info);) {
		struct bsdvm_swapoff off = { sizeof(off), info.id };

		ASSERT(!ioctl(bsdvm_fd(), BSDVM_IOC_SWAPOFF, &off));
	}
}

/* Without room for its pages a device stays, and nothing is lost. */
TEST_LIMIT(swapoff_needs_room, 60)
{
	char *map = vm_anon(PAGES);

	fill(map, PAGES, 3);
	EXPECT(used("embedded") > 0);
	EXPECT(bsdvm_swapoff("embedded") == -1 && errno == ENOMEM);
	EXPECT(filled(map, PAGES, 3));
}

static void churn(unsigned int seed)
{
	char *map = vm_anon(PAGES / 2);
	unsigned int round;

	for (round = seed; round < seed + 6; round++) {
		fill(map, PAGES / 2, round);
		ASSERT(filled(map, PAGES / 2, round));
	}
	_exit(0);
}

TEST_LIMIT(swapoff_beside_who_pages, 240)
{
	const char *path = swap_file("/dev/shm", 2048);
	pid_t pid[2];
	int status, i;

	ASSERT(!bsdvm_swapon(path));
	for (i = 0; i < 2; i++) {
		pid[i] = harness_fork();
		if (!pid[i])
			churn(i * 100);
	}
	for (i = 0; i < 4; i++) {
		usleep(200 * 1000);
		ASSERT(!bsdvm_swapoff(path));
		ASSERT(!bsdvm_swapon(path));
	}
	for (i = 0; i < 2; i++) {
		ASSERT(waitpid(pid[i], &status, 0) == pid[i]);
		EXPECT(WIFEXITED(status) && !WEXITSTATUS(status));
	}
	ASSERT(!bsdvm_swapoff(path));
	unlink(path);
}

/* Pool and swap are full: who wants more is told; what there is stays right. */
TEST_LIMIT(swap_can_be_full, 120)
{
	size_t pages = 2 * PAGES, i;
	char *map = vm_anon(pages);
	struct vm_fault fault = { 0 };

	ASSERT(!bsdvm_sysctl_set("vm.oom_kill", 0));
	ASSERT(!bsdvm_sysctl_set("vm.pfault_oom_attempts", 1));
	for (i = 0; i < pages && !fault.sig; i++)
		fault = vm_write(map + i * PAGE, (char)i);
	i--;
	EXPECT_FAULT(fault, SIGBUS, BSDVM_BUS_OOMERR, map + i * PAGE);
	EXPECT(i > PAGES);
	EXPECT(vm_stats().v_swap_inuse > 0);
	/* Room is made, and it goes on. */
	ASSERT(!bsdvm_munmap(map, PAGES / 2 * PAGE));
	EXPECT_NO_FAULT(vm_write(map + i * PAGE, (char)i));
	while (i >= PAGES / 2) {
		ASSERT(map[i * PAGE] == (char)i);
		i--;
	}
	ASSERT(!bsdvm_sysctl_set("vm.pfault_oom_attempts", 3));
	ASSERT(!bsdvm_sysctl_set("vm.oom_kill", 1));
}

/* What cannot be written stays in memory until it can. */
TEST_LIMIT(a_write_that_fails_loses_nothing, 120)
{
	uint64_t errors = vm_stats().v_pageout_errors;
	char *map = vm_anon(PAGES);

	ASSERT(!bsdvm_sysctl_set("debug.swap_fail_write", 3));
	fill(map, PAGES, 5);
	EXPECT(filled(map, PAGES, 5));
	ASSERT(!bsdvm_sysctl_set("debug.swap_fail_write", 0));
	EXPECT(vm_stats().v_pageout_errors > errors);
	EXPECT(filled(map, PAGES, 5));
}

/* What cannot be read is an error there, and nowhere else, and only then. */
TEST_LIMIT(a_read_that_fails_is_sigbus_there, 120)
{
	uint64_t errors = vm_stats().v_pagein_errors;
	char *map = vm_anon(PAGES);
	struct vm_fault fault;
	size_t i, failed = 0;

	fill(map, PAGES, 9);
	ASSERT(!bsdvm_sysctl_set("debug.swap_fail_read", 2));
	for (i = 0; i < PAGES; i++) {
		fault = vm_read(map + i * PAGE);
		if (!fault.sig)
			continue;
		EXPECT_FAULT(fault, SIGBUS, BUS_OBJERR, map + i * PAGE);
		failed++;
	}
	ASSERT(!bsdvm_sysctl_set("debug.swap_fail_read", 0));
	EXPECT(failed > 0 && failed < PAGES);
	EXPECT(vm_stats().v_pagein_errors > errors);
	EXPECT(filled(map, PAGES, 9));
}

/* An object that was being written when its process went takes its promise with it. */
static uint64_t free_of_promises(void)
{
	struct bsdvm_stats stats;

	for (;;) {
		stats = vm_stats();
		if (!stats.v_swap_reserved)
			return stats.v_swap_total;
		usleep(10000);
	}
}

/* Promises are bounded by what there is. */
TEST(swap_is_what_may_be_promised)
{
	const uint64_t room = free_of_promises();

	ASSERT(!bsdvm_sysctl_set("vm.overcommit", 1));
	EXPECT_ERRNO(bsdvm_mmap(NULL, room + PAGE, RW, ANON, -1, 0), ENOMEM);
	EXPECT_ERRNO(bsdvm_mmap(NULL, room, RW, ANON, -1, 0), 0);
	EXPECT_ERRNO(bsdvm_mmap(NULL, PAGE, RW, ANON, -1, 0), ENOMEM);
	ASSERT(!bsdvm_sysctl_set("vm.overcommit", 0));
}
