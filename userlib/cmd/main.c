// SPDX-License-Identifier: BSD-2-Clause
/*
 * bsdvm: looks at the virtual memory of processes and of the machine, and sets
 * its tunables. Each subcommand is a file; this one finds it, and sees to what
 * all of them owe their caller: usage, exit status, output that arrived.
 */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cmd.h"

#define INTERVAL_MAX (365 * 86400)

static const struct command *const commands[] = {
	&map_command,	 &stat_command,	  &objects_command, &sysctl_command,
	&rusage_command, &swapon_command, &swapoff_command, &swapctl_command,
	&kmap_command,	 &graph_command,  &top_command,	    &trace_command,
};

/* End the program; what it printed must have arrived for that to be a success. */
static void __attribute__((noreturn)) finish(int status)
{
	const bool failed = ferror(stdout);

	if (fclose(stdout))
		err(STATUS_FAILED, "standard output");
	if (failed)
		errx(STATUS_FAILED, "standard output: write error");
	exit(status);
}

static void print_usage(FILE *out)
{
	size_t i;

	fputs("usage: bsdvm COMMAND [ARGUMENT]...\n"
	      "       bsdvm COMMAND --help | help [COMMAND] | --help | --version\n"
	      "\n",
	      out);
	for (i = 0; i < COUNT_OF(commands); i++)
		fprintf(out, "  %-8s %s\n", commands[i]->name,
			commands[i]->summary);
	fputs("\nThe manual is bsdvm(1).\n", out);
}

static void print_synopsis(FILE *out, const struct command *command)
{
	fprintf(out, "usage: bsdvm %s %s\n", command->name, command->arguments);
}

static void print_help(const struct command *command)
{
	print_synopsis(stdout, command);
	printf("\nbsdvm %s: %s.\n\n%s", command->name, command->summary,
	       command->help);
}

static const struct command *find_command(const char *name)
{
	size_t i;

	for (i = 0; i < COUNT_OF(commands); i++)
		if (!strcmp(commands[i]->name, name))
			return commands[i];
	warnx("no command '%s'; see bsdvm --help", name);
	exit(STATUS_USAGE);
}

static void __attribute__((noreturn)) help(int argc, char **argv)
{
	if (argc > 1) {
		warnx("help takes one command");
		exit(STATUS_USAGE);
	}
	if (argc)
		print_help(find_command(argv[0]));
	else
		print_usage(stdout);
	finish(0);
}

int cmd_option(const struct command *command, int argc, char **argv,
	       const char *letters, const struct option *options)
{
	const int option = getopt_long(argc, argv, letters, options, NULL);

	switch (option) {
	case OPTION_HELP:
		print_help(command);
		finish(0);
	case '?': /* getopt has said what is wrong */
		print_synopsis(stderr, command);
		exit(STATUS_USAGE);
	default:
		return option;
	}
}

void cmd_usage(const struct command *command, const char *fmt, ...)
{
	va_list args;

	fprintf(stderr, "bsdvm: %s: ", command->name);
	va_start(args, fmt);
	vfprintf(stderr, fmt, args);
	va_end(args);
	fputc('\n', stderr);
	print_synopsis(stderr, command);
	exit(STATUS_USAGE);
}

bool cmd_parse_number(const char *text, uint64_t *number)
{
	char *end;

	/* strtoull() would take "-1", and blanks before a number. */
	if (*text < '0' || *text > '9')
		return false;
	errno = 0;
	*number = strtoull(text, &end, 0);
	return !errno && !*end;
}

pid_t cmd_parse_pid(const struct command *command, const char *text)
{
	uint64_t pid;

	if (!cmd_parse_number(text, &pid) || !pid || pid > INT_MAX)
		cmd_usage(command, "'%s' is no process id", text);
	return (pid_t)pid;
}

double cmd_parse_interval(const struct command *command, const char *text)
{
	char *end;
	const double interval = strtod(text, &end);

	if (end == text || *end || !(interval >= 0.001) ||
	    interval > INTERVAL_MAX)
		cmd_usage(command, "'%s' is no interval", text);
	return interval;
}

void cmd_open_device(void)
{
	if (bsdvm_fd() >= 0)
		return;
	if (errno == ENOENT || errno == ENXIO || errno == ENODEV)
		errx(STATUS_FAILED, "%s: %s: is the module loaded?",
		     BSDVM_DEVICE, strerror(errno));
	err(STATUS_FAILED, "%s", BSDVM_DEVICE);
}

void *cmd_need(void *memory)
{
	if (!memory)
		errx(STATUS_FAILED, "out of memory");
	return memory;
}

void cmd_process_name(pid_t pid, char *name, size_t size)
{
	char path[32];
	ssize_t n = 0;
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/comm", pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd >= 0) {
		n = read(fd, name, size - 1);
		close(fd);
	}
	if (n <= 0) {
		snprintf(name, size, "?");
		return;
	}
	/* The kernel ends it with a line feed; it may have others. */
	if (name[n - 1] == '\n')
		n--;
	name[n] = '\0';
}

void cmd_warn_pid(pid_t pid)
{
	if (errno == ENXIO)
		warnx("%d: the process has no window", pid);
	else
		warn("%d", pid);
}

uint64_t member_value(const void *base, const struct member *member)
{
	const char *at = (const char *)base + member->offset;
	uint64_t wide;
	uint32_t narrow;

	if (member->size == sizeof(narrow)) {
		memcpy(&narrow, at, sizeof(narrow));
		return narrow;
	}
	memcpy(&wide, at, sizeof(wide));
	return wide;
}

int main(int argc, char **argv)
{
	const struct command *command;
	char name[32];

	/* Or the device would be opened in its place, and be printed on. */
	if (fcntl(STDOUT_FILENO, F_GETFD) < 0)
		err(STATUS_FAILED, "standard output");
	if (argc < 2) {
		print_usage(stderr);
		return STATUS_USAGE;
	}
	if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h"))
		help(0, NULL);
	if (!strcmp(argv[1], "help"))
		help(argc - 2, argv + 2);
	if (!strcmp(argv[1], "--version")) {
		puts("bsdvm " BSDVM_VERSION);
		finish(0);
	}
	command = find_command(argv[1]);
	/* getopt complains in the name of argv[0]. */
	snprintf(name, sizeof(name), "bsdvm: %s", command->name);
	argv[1] = name;
	finish(command->run(argc - 1, argv + 1));
}
