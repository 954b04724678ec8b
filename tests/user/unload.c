// SPDX-License-Identifier: BSD-2-Clause
/*
 * Loading and unloading. The module is not loaded when the program starts;
 * BSDVM_KO names it.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "vm.h"

static int load(const char *parameters)
{
	const char *path = getenv("BSDVM_KO");
	int fd, ret;

	ASSERT(path);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	ASSERT(fd >= 0);
	ret = syscall(SYS_finit_module, fd, parameters, 0);
	close(fd);
	return ret;
}

static int unload(void)
{
	return syscall(SYS_delete_module, "bsdvm", O_NONBLOCK);
}

/* A field of /proc/meminfo, in KiB. */
static long meminfo(const char *name)
{
	FILE *file = fopen("/proc/meminfo", "r");
	char line[128];
	long value = -1;

	ASSERT(file);
	while (fgets(line, sizeof(line), file)) {
		if (!strncmp(line, name, strlen(name)))
			value = strtol(line + strlen(name) + 1, NULL, 10);
	}
	fclose(file);
	ASSERT(value >= 0);
	return value;
}

/*
 * Free pages of the machine, those in the lists of each CPU included: they come
 * and go by the thousand, and /proc/meminfo leaves them out.
 */
static long machine_free_pages(void)
{
	FILE *file = fopen("/proc/zoneinfo", "r");
	long total = 0, n;
	char line[128];

	ASSERT(file);
	while (fgets(line, sizeof(line), file)) {
		if (sscanf(line, " nr_free_pages %ld", &n) == 1 ||
		    sscanf(line, " count: %ld", &n) == 1)
			total += n;
	}
	fclose(file);
	ASSERT(total > 0);
	return total;
}

/* The device opens, and memory can be touched. */
static void use(void)
{
	pid_t child = harness_fork();

	if (!child) {
		int fd = vm_file("/tmp", 16 * PAGE);
		char *map = vm_anon(64), *file;
		pid_t grandchild;

		memset(map, 'x', 64 * PAGE);
		file = bsdvm_mmap(NULL, 16 * PAGE, RW, BSDVM_MAP_SHARED, fd, 0);
		ASSERT(file != BSDVM_MAP_FAILED);
		file[PAGE] = 'x';
		grandchild = harness_fork();
		if (!grandchild) {
			memset(map, 'y', 8 * PAGE);
			harness_exit();
		}
		harness_join(grandchild);
		EXPECT(vm_all(map, 64 * PAGE, 'x'));
		harness_exit();
	}
	harness_join(child);
}

TEST(bad_parameters_are_refused)
{
	EXPECT_ERRNO(load("pool_mb=0"), EINVAL);
	EXPECT_ERRNO(load("pool_mb=abc"), EINVAL);
	EXPECT_ERRNO(load("pool_mb=-1"), EINVAL);
	EXPECT_ERRNO(load("pool_mb="), EINVAL);
	EXPECT_ERRNO(load("pool_mb=8 kmap_mb=3"), EINVAL);
	EXPECT_ERRNO(load("pool_mb=8 kmap_mb=65537"), EINVAL);
	EXPECT_ERRNO(access(BSDVM_DEVICE, F_OK), ENOENT);
}

TEST(a_pool_that_cannot_be_had_is_enomem)
{
	const long before = machine_free_pages();
	char parameters[64];

	snprintf(parameters, sizeof(parameters), "pool_mb=%ld",
		 meminfo("MemTotal") / 1024 + 64);
	EXPECT_ERRNO(load(parameters), ENOMEM);
	EXPECT_ERRNO(access(BSDVM_DEVICE, F_OK), ENOENT);
	/* The machine goes on, with the memory that it had. */
	EXPECT(before - machine_free_pages() < 8192);
	EXPECT_ERRNO(load("pool_mb=16"), 0);
	use();
	EXPECT_ERRNO(unload(), 0);
}

TEST(kernel_addresses_that_cannot_be_had_are_enomem)
{
	EXPECT_ERRNO(load("pool_mb=8 kmap_mb=65536"), ENOMEM);
	EXPECT_ERRNO(access(BSDVM_DEVICE, F_OK), ENOENT);
	EXPECT_ERRNO(load("pool_mb=8 kmap_mb=4"), 0);
	use();
	EXPECT_ERRNO(unload(), 0);
}

TEST(a_second_load_is_eexist)
{
	ASSERT(!load("pool_mb=16"));
	EXPECT_ERRNO(load("pool_mb=16"), EEXIST);
	use();
	EXPECT_ERRNO(unload(), 0);
}

/* Linux's word for a module in use is EWOULDBLOCK; rmmod(8) says "in use". */
TEST(unloading_is_refused_while_a_descriptor_is_open)
{
	int fd;

	ASSERT(!load("pool_mb=16"));
	fd = open(BSDVM_DEVICE, O_RDWR | O_CLOEXEC);
	ASSERT(fd >= 0);
	EXPECT_ERRNO(unload(), EWOULDBLOCK);
	EXPECT(system("rmmod bsdvm 2>/dev/null") != 0);
	close(fd);
	EXPECT_ERRNO(unload(), 0);
}

TEST(unloading_is_refused_while_a_window_is_mapped)
{
	char *map, *start;
	size_t size;

	ASSERT(!load("pool_mb=16"));
	map = vm_anon(1);
	*map = 'x';
	ASSERT(!bsdvm_window((void **)&start, &size));
	close(bsdvm_fd());
	EXPECT_ERRNO(unload(), EWOULDBLOCK);
	EXPECT_EQ(*map, 'x');
	ASSERT(!munmap(start, size));
	EXPECT_ERRNO(unload(), 0);
}

TEST(unloading_is_refused_while_a_child_has_the_window)
{
	int pipes[2];
	pid_t parent, child;
	char byte;

	ASSERT(!load("pool_mb=16"));
	ASSERT(!pipe(pipes));
	parent = harness_fork();
	if (!parent) {
		char *map = vm_anon(1);

		*map = 'x';
		child = harness_fork();
		if (child)
			harness_exit();
		close(pipes[1]);
		close(bsdvm_fd());
		/* The parent is gone when it says so. */
		EXPECT_EQ(read(pipes[0], &byte, 1), 0);
		EXPECT_EQ(*map, 'x');
		harness_exit();
	}
	harness_join(parent);
	EXPECT_ERRNO(unload(), EWOULDBLOCK);
	close(pipes[1]);
	/* Its exit is not ours to wait for. */
	while (unload()) {
		ASSERT(errno == EWOULDBLOCK);
		usleep(10 * 1000);
	}
}

/* What Linux itself may take for good meanwhile, pages: 10 a time. */
#define SLACK 200

TEST_LIMIT(twenty_times_load_run_unload_leaks_no_page, 240)
{
	long before = 0, after;
	int i;

	/* The first times fill caches that stay. */
	for (i = -5; i < 20; i++) {
		if (!i)
			before = machine_free_pages();
		ASSERT(!load("pool_mb=32"));
		use();
		ASSERT(!unload());
	}
	after = machine_free_pages();
	printf("# %ld pages free before, %ld after\n", before, after);
	/*
	 * A debug kernel is no place to count pages: KASAN gives back its shadow of
	 * each module's areas when it pleases, thousands of pages later. It has
	 * kmemleak to say what was lost.
	 */
	if (access("/sys/kernel/debug/kmemleak", F_OK))
		EXPECT(before - after < SLACK);
}
