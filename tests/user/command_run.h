/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The tests of bsdvm(1) run the command beside a target, a process whose map is
 * known. The test itself has no window, so that to start a command does not fork
 * one.
 */
#ifndef _TESTS_COMMAND_RUN_H
#define _TESTS_COMMAND_RUN_H

#include <stdlib.h>
#include <string.h>

#include "vm.h"

#define NOBODY		 65534
#define ARGS_MAX	 8
#define COUNT_OF(_array) (sizeof(_array) / sizeof((_array)[0]))

/**
 * struct way - how a command is run, beside its arguments
 * @output: where its standard output goes; NULL: into struct outcome
 * @uid: user, 0 to stay who we are
 * @no_device: without /dev/bsdvm
 */
struct way {
	const char *output;
	uid_t uid;
	bool no_device;
};

/**
 * struct outcome - how a command ended
 * @status: exit status, or minus the signal that ended it
 * @out: what it printed
 * @err: what it complained about
 */
struct outcome {
	int status;
	char out[128 * 1024];
	char err[8192];
};

/* Run the command, with arguments up to NULL. The outcome lives until the next. */
const struct outcome *run_args(const struct way *way, char **args);
const struct outcome *run_way(const struct way *way, ...)
	__attribute__((sentinel));

#define run(...) run_way(&(struct way){ 0 }, __VA_ARGS__, NULL)
#define run_nobody(...) \
	run_way(&(struct way){ .uid = NOBODY }, __VA_ARGS__, NULL)

/* Start it with these descriptors for output; and wait, as struct outcome has it. */
pid_t run_start(const struct way *way, int out, int err, char **args);
int run_finish(pid_t pid);

/* What a file holds, as a string; closes it. */
void run_read(int fd, char *text, size_t room);

/* Run a program of Python over @input and return what it prints. */
const char *run_python(const char *script, const char *input);

/* The text behind its first line. */
const char *run_body(const char *text);

void run_expect_begin(const char *file, int line, const char *got,
		      const char *want);
void run_expect_text(const char *file, int line, const char *got,
		     const char *want);

#define EXPECT_TEXT(_got, _want) \
	run_expect_text(__FILE__, __LINE__, _got, _want)

#define EXPECT_BEGIN(_got, _want) \
	run_expect_begin(__FILE__, __LINE__, _got, _want)

/* It failed, with this message and no other output. */
#define EXPECT_FAILURE(_outcome, _status, ...)                     \
	do {                                                       \
		const struct outcome *outcome_ = (_outcome);       \
		char message_[512];                                \
                                                                   \
		snprintf(message_, sizeof(message_), __VA_ARGS__); \
		EXPECT_EQ(outcome_->status, _status);              \
		EXPECT_TEXT(outcome_->err, message_);              \
		EXPECT_TEXT(outcome_->out, "");                    \
	} while (0)

#define EXPECT_SUCCESS(_outcome)                             \
	do {                                                 \
		const struct outcome *outcome_ = (_outcome); \
                                                             \
		EXPECT_EQ(outcome_->status, 0);              \
		EXPECT_TEXT(outcome_->err, "");              \
	} while (0)

/**
 * struct target - a process that waits to be looked at
 * @pid: its number
 * @child: that of its child, if it has one
 * @text: the number as an argument
 * @more: that of its child
 */
struct target {
	pid_t pid;
	pid_t child;
	char text[16];
	char more[16];
};

/**
 * struct shared - what the target tells the test, in memory of Linux
 * @map: where it has mapped
 * @child: its child, if it has one
 */
struct shared {
	char *map;
	pid_t child;
};

extern struct shared *shared;

/* Start a process of user @uid, which waits when @build has returned; and end it. */
struct target target_start(uid_t uid, void (*build)(void));
void target_end(const struct target *target);

/* Builds: no window; an empty one. */
void build_nothing(void);
void build_empty(void);

/*
 * A child and its parent, each with a page of its own in an object that shadows
 * the one that they share.
 */
void build_fork(void);

/* Map pages at a page counted from shared->map. */
char *map_fixed(size_t page, size_t pages, int prot, int flags, int fd);

#endif /* _TESTS_COMMAND_RUN_H */
