// SPDX-License-Identifier: BSD-2-Clause
#define _GNU_SOURCE
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "harness.h"

static struct test *first, **last = &first;
static unsigned int failures;

void harness_add(struct test *test)
{
	*last = test;
	last = &test->next;
}

void harness_fail(const char *file, int line, const char *fmt, ...)
{
	va_list args;

	/* One write a line, so that processes do not mix theirs. */
	char text[512];
	int len = snprintf(text, sizeof(text), "# %s:%d: ", file, line);

	va_start(args, fmt);
	vsnprintf(text + len, sizeof(text) - len, fmt, args);
	va_end(args);
	puts(text);
	fflush(stdout);
	failures++;
}

void harness_exit(void)
{
	fflush(stdout);
	_exit(failures ? 1 : 0);
}

void harness_errno(const char *file, int line, const char *call, long result,
		   int want)
{
	const int got = result == -1 ? errno : 0;

	if (got != want)
		harness_fail(file, line, "%s: %s, not %s", call,
			     got ? strerrorname_np(got) : "success",
			     want ? strerrorname_np(want) : "success");
}

pid_t harness_fork(void)
{
	pid_t pid;

	fflush(stdout);
	pid = fork();
	ASSERT(pid >= 0);
	if (!pid)
		failures = 0;
	return pid;
}

int harness_wait(pid_t pid)
{
	int status;

	ASSERT(waitpid(pid, &status, 0) == pid);
	return status;
}

void harness_join(pid_t pid)
{
	int status = harness_wait(pid);

	if (WIFSIGNALED(status))
		harness_fail(__FILE__, __LINE__, "child died of SIG%s",
			     sigabbrev_np(WTERMSIG(status)));
	else if (WEXITSTATUS(status))
		harness_fail(__FILE__, __LINE__, "child failed");
}

static void run_in_child(const struct test *test)
{
	setpgid(0, 0);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	test->run();
	harness_exit();
}

/* Wait for @pid until the limit, then kill it. Says what was wrong, or NULL. */
static const char *reap(pid_t pid, unsigned int timeout)
{
	static char text[64];
	const struct timespec limit = { .tv_sec = timeout };
	bool late = false;
	sigset_t set;
	int status;

	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	while (!waitpid(pid, &status, WNOHANG)) {
		if (sigtimedwait(&set, NULL, &limit) < 0 && errno == EAGAIN) {
			late = true;
			kill(-pid, SIGKILL);
			waitpid(pid, &status, 0);
			break;
		}
	}
	/* Whatever it has left running belongs to this test, too. */
	kill(-pid, SIGKILL);
	if (late)
		snprintf(text, sizeof(text), "no end after %u s", timeout);
	else if (WIFSIGNALED(status))
		snprintf(text, sizeof(text), "died of SIG%s",
			 sigabbrev_np(WTERMSIG(status)));
	else if (WEXITSTATUS(status))
		snprintf(text, sizeof(text), "failed");
	else
		return NULL;
	return text;
}

/* Returns whether it passed. */
static bool run_test(const struct test *test, unsigned int number)
{
	struct timespec begin, end;
	const char *wrong;
	double seconds;
	pid_t pid;

	clock_gettime(CLOCK_MONOTONIC, &begin);
	fflush(stdout);
	pid = fork();
	if (!pid) {
		sigset_t none;

		sigemptyset(&none);
		sigprocmask(SIG_SETMASK, &none, NULL);
		run_in_child(test);
	}
	setpgid(pid, pid);
	wrong = reap(pid, test->timeout);
	clock_gettime(CLOCK_MONOTONIC, &end);
	seconds =
		end.tv_sec - begin.tv_sec + (end.tv_nsec - begin.tv_nsec) / 1e9;
	if (wrong)
		printf("# %s\n", wrong);
	printf("%sok %u - %s # %.1f s\n", wrong ? "not " : "", number,
	       test->name, seconds);
	return !wrong;
}

static bool wanted(const struct test *test, char **names)
{
	if (!*names)
		return true;
	for (; *names; names++) {
		if (!strcmp(*names, test->name))
			return true;
	}
	return false;
}

int main(int argc, char **argv)
{
	unsigned int count = 0, number = 0, failed = 0;
	const struct test *test;
	sigset_t set;

	(void)argc;
	if (argv[1] && !strcmp(argv[1], "-l")) {
		for (test = first; test; test = test->next)
			puts(test->name);
		return 0;
	}
	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	sigprocmask(SIG_BLOCK, &set, NULL);
	for (test = first; test; test = test->next)
		count += wanted(test, argv + 1);
	printf("TAP version 13\n1..%u\n", count);
	for (test = first; test; test = test->next) {
		if (wanted(test, argv + 1))
			failed += !run_test(test, ++number);
	}
	return failed || !count ? 1 : 0;
}
