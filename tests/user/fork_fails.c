// SPDX-License-Identifier: BSD-2-Clause
/*
 * fork(2) with each of its allocations failing in turn. Linux does not let a
 * driver refuse a fork: a child whose vmspace could not be made is killed when it
 * first touches the window, and the parent must not notice.
 *
 * Needs fault injection, which only the debug kernel has.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "vm.h"

#define PAGES 4

static int fail_nth;

static void write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	ASSERT(fd >= 0 && write(fd, text, strlen(text)) > 0);
	close(fd);
}

/* Let the @nth allocation that this thread makes from now on fail. */
static void arm(unsigned int nth)
{
	char text[16];
	int len = snprintf(text, sizeof(text), "%u", nth);

	ASSERT(pwrite(fail_nth, text, len, 0) == len);
}

/*
 * Returns whether there were fewer than that. The failure may then hit this very
 * read or write, whose copy from or to user memory counts, too; but only once.
 */
static bool disarm(void)
{
	char text[16] = "";
	bool left = pread(fail_nth, text, sizeof(text) - 1, 0) <= 0 ||
		    strtoul(text, NULL, 10);

	if (pwrite(fail_nth, "0", 1, 0) != 1)
		arm(0);
	return left;
}

static void prepare(void)
{
	write_file("/sys/kernel/debug/failslab/ignore-gfp-wait", "N");
	write_file("/sys/kernel/debug/failslab/verbose", "0");
	write_file("/sys/kernel/debug/fail_page_alloc/ignore-gfp-wait", "N");
	write_file("/sys/kernel/debug/fail_page_alloc/min-order", "0");
	write_file("/sys/kernel/debug/fail_page_alloc/verbose", "0");
	fail_nth = open("/proc/thread-self/fail-nth", O_RDWR | O_CLOEXEC);
	ASSERT(fail_nth >= 0);
}

static void live_as_child(char *private, char *shared)
{
	if (!vm_all(private, PAGES * PAGE, 'p') ||
	    !vm_all(shared, PAGES * PAGE, 's'))
		_exit(1);
	memset(private, 'c', PAGES * PAGE);
	_exit(0);
}

TEST_LIMIT(a_fork_that_runs_out_of_memory_leaves_the_parent_whole, 240)
{
	char *private = vm_anon(PAGES);
	char *shared = vm_anon_flags(PAGES, BSDVM_MAP_SHARED);
	unsigned int nth, refused = 0, killed = 0, whole = 0;
	struct bsdvm_stats before, after;
	bool done = false;

	prepare();
	memset(private, 'p', PAGES * PAGE);
	memset(shared, 's', PAGES * PAGE);
	before = vm_stats();
	for (nth = 1; !done; nth++) {
		pid_t child;
		int status;

		fflush(stdout);
		arm(nth);
		child = fork();
		if (!child)
			live_as_child(private, shared);
		done = disarm();
		if (child < 0) {
			refused++;
		} else {
			status = harness_wait(child);
			if (WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL)
				killed++;
			else if (!status)
				whole++;
			else
				EXPECT_EQ(status, 0);
		}
		ASSERT(vm_all(private, PAGES * PAGE, 'p'));
		memset(private, 'p', PAGES * PAGE);
	}
	printf("# %u forks: %u refused, %u children killed, %u whole\n",
	       nth - 1, refused, killed, whole);
	EXPECT(refused && killed && whole);
	after = vm_stats();
	EXPECT_EQ(vm_free_of(after), vm_free_of(before));
	EXPECT_EQ(after.o_count, before.o_count);
	EXPECT_EQ(vm_entry_at(private).e.kve_nobjects, 1);
}
