// SPDX-License-Identifier: BSD-2-Clause
#define _GNU_SOURCE
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "command_run.h"

struct shared *shared;

void run_read(int fd, char *text, size_t room)
{
	const ssize_t n = pread(fd, text, room - 1, 0);

	ASSERT(n >= 0 && (size_t)n < room - 1);
	text[n] = '\0';
	close(fd);
}

/* The program stands beside the tests: build/user/tests, build/user/bin. */
static int program(void)
{
	char path[4096];
	const ssize_t n = readlink("/proc/self/exe", path, sizeof(path) - 32);
	char *slash;
	int fd;

	ASSERT(n > 0);
	path[n] = '\0';
	slash = strrchr(path, '/');
	strcpy(slash, "/../bin/bsdvm");
	/* By descriptor, as nobody may be kept out of a directory on the way. */
	fd = open(path, O_PATH | O_CLOEXEC);
	ASSERT(fd >= 0);
	return fd;
}

static void __attribute__((noreturn))
become(const struct way *way, int fd, int out, int err, char **args)
{
	if (way->output)
		out = open(way->output, O_WRONLY);
	if (way->no_device &&
	    (unshare(CLONE_NEWNS) ||
	     mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
	     mount("none", "/dev", "tmpfs", 0, NULL)))
		_exit(99);
	if (dup2(out, STDOUT_FILENO) < 0 || dup2(err, STDERR_FILENO) < 0)
		_exit(98);
	if (way->uid && (setgid(way->uid) || setuid(way->uid)))
		_exit(97);
	execveat(fd, "", args, environ, AT_EMPTY_PATH);
	_exit(96);
}

static void arguments(char **args, va_list list)
{
	size_t i = 0;

	args[i++] = "bsdvm";
	do {
		ASSERT(i <= ARGS_MAX);
		args[i] = va_arg(list, char *);
	} while (args[i++]);
}

pid_t run_start(const struct way *way, int out, int err, char **args)
{
	const int fd = program();
	const pid_t pid = harness_fork();

	if (!pid)
		become(way, fd, out, err, args);
	close(fd);
	return pid;
}

int run_finish(pid_t pid)
{
	const int status = harness_wait(pid);

	return WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
}

const struct outcome *run_args(const struct way *way, char **args)
{
	static struct outcome outcome;
	const int out = memfd_create("out", MFD_CLOEXEC);
	const int err = memfd_create("err", MFD_CLOEXEC);

	ASSERT(out >= 0 && err >= 0);
	outcome.status = run_finish(run_start(way, out, err, args));
	run_read(out, outcome.out, sizeof(outcome.out));
	run_read(err, outcome.err, sizeof(outcome.err));
	return &outcome;
}

const struct outcome *run_way(const struct way *way, ...)
{
	char *args[ARGS_MAX + 2];
	va_list list;

	va_start(list, way);
	arguments(args, list);
	va_end(list);
	return run_args(way, args);
}

const char *run_python(const char *script, const char *input)
{
	static char text[128 * 1024];
	const int in = memfd_create("in", 0), out = memfd_create("out", 0);
	pid_t pid;

	ASSERT(in >= 0 && out >= 0);
	ASSERT(write(in, input, strlen(input)) == (ssize_t)strlen(input));
	ASSERT(!lseek(in, 0, SEEK_SET));
	pid = harness_fork();
	if (!pid) {
		dup2(in, STDIN_FILENO);
		dup2(out, STDOUT_FILENO);
		/* Debian's: it starts fastest, which counts in a guest. */
		execl("/usr/bin/python3", "python3", "-IS", "-c", script, NULL);
		_exit(127);
	}
	EXPECT_EQ(run_finish(pid), 0);
	close(in);
	run_read(out, text, sizeof(text));
	return text;
}

void run_expect_begin(const char *file, int line, const char *got,
		      const char *want)
{
	if (strncmp(got, want, strlen(want)))
		harness_fail(file, line,
			     "\"%.180s\" does not begin with \"%s\"", got,
			     want);
}

void run_expect_text(const char *file, int line, const char *got,
		     const char *want)
{
	if (strcmp(got, want))
		harness_fail(file, line, "printed \"%.180s\", not \"%.180s\"",
			     got, want);
}

const char *run_body(const char *text)
{
	const char *end = strchr(text, '\n');

	ASSERT(end);
	return end + 1;
}

struct target target_start(uid_t uid, void (*build)(void))
{
	struct target target;
	int ready[2];
	char byte;

	shared = mmap(NULL, PAGE, PROT_READ | PROT_WRITE,
		      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	ASSERT(shared != MAP_FAILED);
	ASSERT(!pipe2(ready, O_CLOEXEC));
	/* A child of the target becomes ours, for target_end() to wait for. */
	ASSERT(!prctl(PR_SET_CHILD_SUBREAPER, 1));
	target.pid = harness_fork();
	if (!target.pid) {
		close(ready[0]);
		ASSERT(!uid || (!setgid(uid) && !setuid(uid) &&
				!prctl(PR_SET_DUMPABLE, 1)));
		build();
		if (write(ready[1], "", 1) == 1)
			for (;;)
				pause();
		harness_exit();
	}
	close(ready[1]);
	/* None comes if it failed, and then it has said why. */
	ASSERT(read(ready[0], &byte, 1) == 1);
	close(ready[0]);
	snprintf(target.text, sizeof(target.text), "%d", target.pid);
	target.child = shared->child;
	snprintf(target.more, sizeof(target.more), "%d", target.child);
	return target;
}

void target_end(const struct target *target)
{
	kill(target->pid, SIGKILL);
	harness_wait(target->pid);
	if (target->child) {
		kill(target->child, SIGKILL);
		harness_wait(target->child);
	}
}

void build_nothing(void)
{
}

char *map_fixed(size_t page, size_t pages, int prot, int flags, int fd)
{
	char *at = shared->map + page * PAGE;

	ASSERT(bsdvm_mmap(at, pages * PAGE, prot, flags | BSDVM_MAP_FIXED, fd,
			  0) == at);
	return at;
}

void build_empty(void)
{
	ASSERT(!bsdvm_attach(0));
}

void build_fork(void)
{
	int ready[2];
	char byte;
	pid_t pid;

	shared->map = vm_anon(4);
	shared->map[0] = 1;
	ASSERT(!pipe(ready));
	pid = harness_fork();
	if (!pid) {
		shared->map[0] = 2;
		if (write(ready[1], "", 1) == 1)
			for (;;)
				pause();
	}
	ASSERT(read(ready[0], &byte, 1) == 1);
	shared->child = pid;
	shared->map[PAGE] = 3;
}
