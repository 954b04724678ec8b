/* SPDX-License-Identifier: BSD-2-Clause */

#include "common.h"

ATF_TC_WITHOUT_HEAD(arguments);
ATF_TC_BODY(arguments, tc)
{
	const size_t len = pagesize();
	char *p;

	p = anon(3, PROT_READ | PROT_WRITE);
	ATF_CHECK_ERRNO(EINVAL, minherit(p, len, -1) == -1);
	ATF_CHECK_ERRNO(EINVAL, minherit(p, len, 99) == -1);
	ATF_CHECK_ERRNO(
	    EINVAL, minherit(p, SIZE_MAX - len, INHERIT_NONE) == -1);
	ATF_CHECK(minherit(p, 0, INHERIT_NONE) == 0);
	ATF_REQUIRE(munmap(p + len, len) == 0);
	ATF_CHECK(minherit(p, 3 * len, INHERIT_NONE) == 0);
}

ATF_TC_WITHOUT_HEAD(none);
ATF_TC_BODY(none, tc)
{
	const size_t len = pagesize();
	char *p;
	pid_t pid;

	p = anon(3, PROT_READ | PROT_WRITE);
	memset(p, 'p', 3 * len);
	ATF_REQUIRE(minherit(p + len, len, INHERIT_NONE) == 0);
	pid = fork();
	if (pid == 0) {
		if (probe(p + len, false) != SIGSEGV ||
		    caught.si_code != SEGV_MAPERR)
			_exit(1);
		if (p[len - 1] != 'p' || p[2 * len] != 'p')
			_exit(2);
		/* There is room. */
		if (mmap(p + len, len, PROT_READ,
			MAP_ANON | MAP_PRIVATE | MAP_FIXED | MAP_EXCL, -1,
			0) != p + len)
			_exit(3);
		_exit(0);
	}
	join(pid);
	CHECK_LOAD(p + len, 'p');
}

ATF_TC_WITHOUT_HEAD(zero);
ATF_TC_BODY(zero, tc)
{
	const size_t len = pagesize();
	size_t i;
	char *p;
	pid_t pid;

	p = anon(3, PROT_READ | PROT_WRITE);
	memset(p, 'p', 3 * len);
	ATF_REQUIRE(minherit(p + len, len, INHERIT_ZERO) == 0);
	pid = fork();
	if (pid == 0) {
		for (i = len; i < 2 * len; i++) {
			if (p[i] != 0)
				_exit(1);
		}
		if (p[len - 1] != 'p' || p[2 * len] != 'p')
			_exit(2);
		p[len] = 'c';
		/* And so for the child's child. */
		pid = fork();
		if (pid == 0)
			_exit(p[len] == 0 ? 0 : 3);
		join(pid);
		_exit(p[len] == 'c' ? 0 : 4);
	}
	join(pid);
	for (i = 0; i < 3 * len; i++)
		ATF_REQUIRE_EQ('p', p[i]);
}

ATF_TC_WITHOUT_HEAD(share);
ATF_TC_BODY(share, tc)
{
	struct turns turns;
	const size_t len = pagesize();
	char *p;
	pid_t pid;

	turns_init(&turns);
	p = anon(3, PROT_READ | PROT_WRITE);
	memset(p, 'p', 3 * len);
	ATF_REQUIRE(minherit(p, 2 * len, INHERIT_SHARE) == 0);
	pid = fork();
	if (pid == 0) {
		p[0] = 'c';
		p[2 * len] = 'c';
		give(turns.child);
		take(turns.parent);
		_exit(p[len] == 'q' && p[2 * len] == 'c' ? 0 : 1);
	}
	take(turns.child);
	ATF_CHECK_EQ('c', p[0]);
	ATF_CHECK_EQ('p', p[2 * len]);
	p[len] = 'q';
	p[2 * len] = 'q';
	give(turns.parent);
	join(pid);
}

ATF_TC_WITHOUT_HEAD(copy);
ATF_TC_BODY(copy, tc)
{
	char *p;
	pid_t pid;

	/* What was mapped shared becomes private. */
	p = mmap(NULL, pagesize(), PROT_READ | PROT_WRITE,
	    MAP_ANON | MAP_SHARED, -1, 0);
	ATF_REQUIRE(p != MAP_FAILED);
	*p = 'p';
	ATF_REQUIRE(minherit(p, pagesize(), INHERIT_COPY) == 0);
	pid = fork();
	if (pid == 0) {
		if (*p != 'p')
			_exit(1);
		*p = 'c';
		_exit(0);
	}
	join(pid);
	ATF_CHECK_EQ('p', *p);
}

ATF_TC_WITHOUT_HEAD(the_last_call_counts);
ATF_TC_BODY(the_last_call_counts, tc)
{
	char *p;
	pid_t pid;

	p = anon(1, PROT_READ | PROT_WRITE);
	*p = 'p';
	ATF_REQUIRE(minherit(p, pagesize(), INHERIT_NONE) == 0);
	ATF_REQUIRE(minherit(p, pagesize(), INHERIT_ZERO) == 0);
	ATF_REQUIRE(minherit(p, pagesize(), INHERIT_COPY) == 0);
	pid = fork();
	if (pid == 0)
		_exit(*p == 'p' ? 0 : 1);
	join(pid);
}

ATF_TC_WITHOUT_HEAD(shared_file_memory_may_be_kept_from_children);
ATF_TC_BODY(shared_file_memory_may_be_kept_from_children, tc)
{
	char *p;
	pid_t pid;
	int fd;

	fd = file("f", pagesize());
	p = mmap(NULL, pagesize(), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	ATF_REQUIRE(p != MAP_FAILED);
	ATF_REQUIRE(minherit(p, pagesize(), INHERIT_NONE) == 0);
	pid = fork();
	if (pid == 0)
		_exit(probe(p, false) == SIGSEGV ? 0 : 1);
	join(pid);
	CHECK_LOAD(p, 'a');
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, arguments);
	ATF_TP_ADD_TC(tp, none);
	ATF_TP_ADD_TC(tp, zero);
	ATF_TP_ADD_TC(tp, share);
	ATF_TP_ADD_TC(tp, copy);
	ATF_TP_ADD_TC(tp, the_last_call_counts);
	ATF_TP_ADD_TC(tp, shared_file_memory_may_be_kept_from_children);
	return (atf_no_error());
}
