/* SPDX-License-Identifier: BSD-2-Clause */
/* What the subcommands of bsdvm(1) have in common. */
#ifndef _BSDVM_CMD_H
#define _BSDVM_CMD_H

#include <getopt.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include <bsdvm.h>

/* Exit statuses, beside 0. */
#define STATUS_FAILED 1
#define STATUS_USAGE  2

/**
 * struct command - a subcommand
 * @name: what it is called
 * @arguments: its synopsis, without the name
 * @summary: what it does, in a few words
 * @help: its options and operands, a line each
 * @run: does it, argv[0] being "bsdvm NAME"; returns the exit status
 */
struct command {
	const char *name;
	const char *arguments;
	const char *summary;
	const char *help;
	int (*run)(int argc, char **argv);
};

extern const struct command graph_command;
extern const struct command kmap_command;
extern const struct command map_command;
extern const struct command objects_command;
extern const struct command rusage_command;
extern const struct command stat_command;
extern const struct command swapctl_command;
extern const struct command swapoff_command;
extern const struct command swapon_command;
extern const struct command sysctl_command;
extern const struct command top_command;
extern const struct command trace_command;

/* What getopt_long(3) gives for options that have no letter. */
enum {
	OPTION_HELP = 256,
	OPTION_JSON,
	OPTION_OBJECTS,
};

#define LONG_OPTION_HELP                                \
	{                                               \
		"help", no_argument, NULL, OPTION_HELP, \
	}
#define LONG_OPTION_JSON                                \
	{                                               \
		"json", no_argument, NULL, OPTION_JSON, \
	}

/**
 * cmd_option() - getopt_long(3), which also serves --help
 * @command: whose options these are
 * @argc: as for getopt_long()
 * @argv: as for getopt_long()
 * @letters: as for getopt_long()
 * @options: as for getopt_long(), LONG_OPTION_HELP among them
 *
 * Return: the next option, or -1 behind the last. Ends the program at --help
 * and at what is no option.
 */
int cmd_option(const struct command *command, int argc, char **argv,
	       const char *letters, const struct option *options);

/* Complain about the arguments and end the program. */
void cmd_usage(const struct command *command, const char *fmt, ...)
	__attribute__((noreturn, format(printf, 2, 3)));

/* Read a number in C's notation, all of @text; false if that is not what it is. */
bool cmd_parse_number(const char *text, uint64_t *number);

/* A process id, or the end of the program. */
pid_t cmd_parse_pid(const struct command *command, const char *text);

/* An interval in seconds, or the end of the program. */
double cmd_parse_interval(const struct command *command, const char *text);

/* Open the device; the program ends when there is none. */
void cmd_open_device(void);

/* What was allocated; the program ends when it was not. */
void *cmd_need(void *memory);

/* The command that a process runs, "?" for none that can be seen. */
void cmd_process_name(pid_t pid, char *name, size_t size);

/* Say why a call that was to look at a process failed. */
void cmd_warn_pid(pid_t pid);

/**
 * struct member - an unsigned member of a structure
 * @name: its name
 * @words: what it is called in a listing
 * @offset: where it begins
 * @size: its bytes, 4 or 8
 */
struct member {
	const char *name;
	const char *words;
	size_t offset;
	size_t size;
};

#define LISTED_MEMBER(_struct, _name, _words)                 \
	{                                                     \
		.name = #_name, .words = _words,              \
		.offset = offsetof(struct _struct, _name),    \
		.size = sizeof(((struct _struct *)0)->_name), \
	}
#define MEMBER(_struct, _name) LISTED_MEMBER(_struct, _name, NULL)

#define COUNT_OF(_array) (sizeof(_array) / sizeof((_array)[0]))

/* The value of a member of the structure at @base. */
uint64_t member_value(const void *base, const struct member *member);

#endif /* _BSDVM_CMD_H */
