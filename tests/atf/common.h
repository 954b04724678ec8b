/* SPDX-License-Identifier: BSD-2-Clause */
/* What these tests have in common. */

#ifndef _ATF_COMMON_H_
#define _ATF_COMMON_H_

#include <sys/types.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <atf-c.h>
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* What an access raised; si_signo is 0 when it went well. */
static siginfo_t caught;
static sigjmp_buf escape;

static inline size_t
pagesize(void)
{
	return ((size_t)getpagesize());
}

/* Private anonymous memory. */
static inline char *
anon(size_t pages, int prot)
{
	char *p;

	p = mmap(NULL, pages * pagesize(), prot, MAP_ANON | MAP_PRIVATE, -1, 0);
	ATF_REQUIRE_MSG(p != MAP_FAILED, "mmap: %s", strerror(errno));
	return (p);
}

/* A file in the current directory: each page begins with 'a', 'b', ... */
static inline int
file(const char *name, size_t size)
{
	size_t at;
	char byte;
	int fd;

	fd = open(name, O_RDWR | O_CREAT | O_TRUNC, 0644);
	ATF_REQUIRE_MSG(fd >= 0, "open: %s", strerror(errno));
	ATF_REQUIRE(ftruncate(fd, size) == 0);
	for (at = 0, byte = 'a'; at < size; at += pagesize(), byte++)
		ATF_REQUIRE(pwrite(fd, &byte, 1, at) == 1);
	return (fd);
}

/* A byte of a file, by pread(2); -1 behind its end. */
static inline int
file_byte(int fd, off_t at)
{
	unsigned char byte;

	return (pread(fd, &byte, 1, at) == 1 ? byte : -1);
}

static inline void
catch_fault(int sig, siginfo_t *info, void *context)
{
	(void)sig;
	(void)context;
	caught = *info;
	siglongjmp(escape, 1);
}

/* Load or store a byte; returns the signal that came, or 0. */
static inline int
probe(volatile char *p, bool store)
{
	struct sigaction sa, oldsegv, oldbus;

	memset(&sa, 0, sizeof(sa));
	sa.sa_sigaction = catch_fault;
	sa.sa_flags = SA_SIGINFO;
	ATF_REQUIRE(sigaction(SIGSEGV, &sa, &oldsegv) == 0);
	ATF_REQUIRE(sigaction(SIGBUS, &sa, &oldbus) == 0);
	memset(&caught, 0, sizeof(caught));
	if (sigsetjmp(escape, 1) == 0) {
		if (store)
			*p = 's';
		else
			(void)*p;
	}
	ATF_REQUIRE(sigaction(SIGSEGV, &oldsegv, NULL) == 0);
	ATF_REQUIRE(sigaction(SIGBUS, &oldbus, NULL) == 0);
	return (caught.si_signo);
}

/* The access must fault at this very address. */
#define CHECK_FAULT(p, store, sig, code)                                      \
	do {                                                                  \
		char *p_ = (char *)(p);                                       \
                                                                              \
		ATF_CHECK_EQ_MSG(sig, probe(p_, store), "%s", #p);            \
		ATF_CHECK_EQ_MSG(                                             \
		    code, caught.si_code, "%s: code %d", #p, caught.si_code); \
		ATF_CHECK_MSG(caught.si_addr == p_, "%s: %p, not %p", #p,     \
		    caught.si_addr, (void *)p_);                              \
	} while (0)

#define CHECK_LOAD(p, value)                                              \
	do {                                                              \
		ATF_CHECK_EQ_MSG(0, probe((char *)(p), false), "%s", #p); \
		ATF_CHECK_EQ(value, *(volatile char *)(p));               \
	} while (0)

#define CHECK_STORE(p) ATF_CHECK_EQ_MSG(0, probe((char *)(p), true), "%s", #p)

/* Wait for a child that must exit with 0. */
static inline void
join(pid_t pid)
{
	int status;

	ATF_REQUIRE(pid > 0);
	ATF_REQUIRE_EQ(pid, waitpid(pid, &status, 0));
	ATF_CHECK_MSG(WIFEXITED(status) && WEXITSTATUS(status) == 0,
	    "child ended with status %#x", (unsigned int)status);
}

/* Two processes take turns: each waits for the other one's byte. */
struct turns {
	int parent[2];
	int child[2];
};

static inline void
turns_init(struct turns *turns)
{
	ATF_REQUIRE(pipe(turns->parent) == 0 && pipe(turns->child) == 0);
}

static inline void
give(const int *pipefd)
{
	if (write(pipefd[1], "", 1) != 1)
		_exit(9);
}

static inline void
take(const int *pipefd)
{
	char byte;

	if (read(pipefd[0], &byte, 1) != 1)
		_exit(9);
}

#endif /* _ATF_COMMON_H_ */
