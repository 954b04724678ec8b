/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A small test harness. A program is a list of TEST()s; each runs in a process
 * group of its own with a time limit, so that a crash or a hang is the failure
 * of that test and of no other, and each gets a fresh vmspace. Output is TAP.
 *
 *	program [NAME]...	run all tests, or those named
 *	program -l		list them
 */
#ifndef _TESTS_HARNESS_H
#define _TESTS_HARNESS_H

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* Seconds for a test that sets no limit of its own. */
#define TEST_TIMEOUT 60

/**
 * struct test - a test, put into the list before main() starts
 * @name: says what must hold
 * @run: does the work in a child process
 * @timeout: seconds
 * @next: list
 */
struct test {
	const char *name;
	void (*run)(void);
	unsigned int timeout;
	struct test *next;
};

void harness_add(struct test *test);

#define TEST_LIMIT(_name, _timeout)                                \
	static void test_##_name(void);                            \
	__attribute__((constructor)) static void add_##_name(void) \
	{                                                          \
		static struct test test = {                        \
			.name = #_name,                            \
			.run = test_##_name,                       \
			.timeout = _timeout,                       \
		};                                                 \
                                                                   \
		harness_add(&test);                                \
	}                                                          \
	static void test_##_name(void)

#define TEST(_name) TEST_LIMIT(_name, TEST_TIMEOUT)

/* Note a failure and go on; the first of them prints the place. */
void harness_fail(const char *file, int line, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* End this process as a failure if anything failed in it. */
void harness_exit(void) __attribute__((noreturn));

/* The condition must hold. */
#define EXPECT(_cond)                                                  \
	do {                                                           \
		if (!(_cond))                                          \
			harness_fail(__FILE__, __LINE__, "not so: %s", \
				     #_cond);                          \
	} while (0)

/* The same, and the test cannot go on otherwise. */
#define ASSERT(_cond)                                                 \
	do {                                                          \
		if (!(_cond)) {                                       \
			harness_fail(__FILE__, __LINE__,              \
				     "not so: %s (errno %s)", #_cond, \
				     strerrorname_np(errno));         \
			harness_exit();                               \
		}                                                     \
	} while (0)

/* Two integers must be equal. */
#define EXPECT_EQ(_got, _want)                                               \
	do {                                                                 \
		const long long got_ = (long long)(_got);                    \
		const long long want_ = (long long)(_want);                  \
                                                                             \
		if (got_ != want_)                                           \
			harness_fail(__FILE__, __LINE__,                     \
				     "%s is %lld (%#llx), not %lld (%#llx)", \
				     #_got, got_, got_, want_, want_);       \
	} while (0)

/* A call must fail with -1, or BSDVM_MAP_FAILED, and this errno; 0: succeed. */
#define EXPECT_ERRNO(_call, _errno)                                           \
	harness_errno(__FILE__, __LINE__, #_call, (errno = 0, (long)(_call)), \
		      _errno)

void harness_errno(const char *file, int line, const char *call, long result,
		   int want);

/* fork(2), where failure ends the test. The child ends by harness_exit(). */
pid_t harness_fork(void);

/* Wait for a child of harness_fork(), which must have had no failure. */
void harness_join(pid_t pid);

/* Wait for a child and return its status as waitpid(2) gives it. */
int harness_wait(pid_t pid);

/* glibc has it, but only shows it with _GNU_SOURCE. */
const char *strerrorname_np(int err);

#endif /* _TESTS_HARNESS_H */
