/* SPDX-License-Identifier: BSD-2-Clause */

#include "common.h"

static char *
map_file(int fd, size_t pages)
{
	char *p;

	p = mmap(NULL, pages * pagesize(), PROT_READ | PROT_WRITE, MAP_SHARED,
	    fd, 0);
	ATF_REQUIRE(p != MAP_FAILED);
	return (p);
}

ATF_TC_WITHOUT_HEAD(arguments);
ATF_TC_BODY(arguments, tc)
{
	const size_t len = pagesize();
	char *p;

	p = map_file(file("f", 3 * len), 3);
	ATF_CHECK_ERRNO(EINVAL, msync(p, SIZE_MAX - len, MS_SYNC) == -1);
	ATF_CHECK_ERRNO(EINVAL, msync(p, len, MS_ASYNC | MS_INVALIDATE) == -1);
	ATF_CHECK(msync(p + 1, 1, MS_SYNC) == 0);
	ATF_REQUIRE(munmap(p + len, len) == 0);
	ATF_CHECK_ERRNO(ENOMEM, msync(p, 3 * len, MS_SYNC) == -1);
	ATF_CHECK_ERRNO(ENOMEM, msync(p + len, len, MS_SYNC) == -1);
	ATF_CHECK_ERRNO(ENOMEM, msync(p + len, 0, MS_SYNC) == -1);
}

ATF_TC_WITHOUT_HEAD(stores_reach_the_file);
ATF_TC_BODY(stores_reach_the_file, tc)
{
	const size_t len = pagesize();
	char *p;
	int fd;

	fd = file("f", 4 * len);
	p = map_file(fd, 4);
	memset(p, 'x', 4 * len);
	ATF_CHECK(msync(p + len, len, MS_SYNC) == 0);
	ATF_CHECK_EQ('x', file_byte(fd, len));
	ATF_CHECK_EQ('x', file_byte(fd, 2 * len - 1));
	/* A length of zero is all of the mapping. */
	ATF_CHECK(msync(p + 2 * len, 0, MS_SYNC) == 0);
	ATF_CHECK_EQ('x', file_byte(fd, 0));
	ATF_CHECK_EQ('x', file_byte(fd, 4 * len - 1));
	*p = 'y';
	ATF_CHECK(msync(p, len, MS_ASYNC) == 0);
	ATF_CHECK(msync(p, len, MS_SYNC) == 0);
	ATF_CHECK_EQ('y', file_byte(fd, 0));
}

ATF_TC_WITHOUT_HEAD(nothing_else_reaches_a_file);
ATF_TC_BODY(nothing_else_reaches_a_file, tc)
{
	const size_t len = pagesize();
	char *p;
	int fd;

	fd = file("f", len);
	p = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
	ATF_REQUIRE(p != MAP_FAILED);
	*p = 'x';
	ATF_CHECK(msync(p, len, MS_SYNC) == 0);
	ATF_CHECK_EQ('a', file_byte(fd, 0));
	p = anon(1, PROT_READ | PROT_WRITE);
	*p = 'x';
	ATF_CHECK(msync(p, len, MS_SYNC) == 0);
	ATF_CHECK(msync(p, len, MS_INVALIDATE) == 0);
	ATF_CHECK_EQ('x', *p);
}

ATF_TC_WITHOUT_HEAD(invalidate_writes_first);
ATF_TC_BODY(invalidate_writes_first, tc)
{
	const size_t len = 2 * pagesize();
	char *p;
	int fd;

	fd = file("f", len);
	p = map_file(fd, 2);
	*p = 'x';
	ATF_CHECK(msync(p, len, MS_INVALIDATE) == 0);
	ATF_CHECK_EQ('x', *p);
	ATF_CHECK_EQ('x', file_byte(fd, 0));
	ATF_CHECK_EQ('b', p[pagesize()]);
}

ATF_TC_WITHOUT_HEAD(locked_memory_cannot_be_invalidated);
ATF_TC_BODY(locked_memory_cannot_be_invalidated, tc)
{
	const size_t len = pagesize();
	char *p;
	int fd;

	fd = file("f", 2 * len);
	p = map_file(fd, 2);
	ATF_REQUIRE(mlock(p, len) == 0);
	*p = 'x';
	ATF_CHECK_ERRNO(EBUSY, msync(p, 2 * len, MS_INVALIDATE) == -1);
	ATF_CHECK(msync(p + len, len, MS_INVALIDATE) == 0);
	ATF_CHECK(msync(p, 2 * len, MS_SYNC) == 0);
	ATF_CHECK_EQ('x', file_byte(fd, 0));
}

ATF_TC_WITHOUT_HEAD(a_childs_stores_reach_the_file_by_its_parent);
ATF_TC_BODY(a_childs_stores_reach_the_file_by_its_parent, tc)
{
	char *p;
	pid_t pid;
	int fd;

	fd = file("f", pagesize());
	p = map_file(fd, 1);
	pid = fork();
	if (pid == 0) {
		*p = 'c';
		_exit(0);
	}
	join(pid);
	ATF_CHECK_EQ('c', *p);
	ATF_CHECK(msync(p, pagesize(), MS_SYNC) == 0);
	ATF_CHECK_EQ('c', file_byte(fd, 0));
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, arguments);
	ATF_TP_ADD_TC(tp, stores_reach_the_file);
	ATF_TP_ADD_TC(tp, nothing_else_reaches_a_file);
	ATF_TP_ADD_TC(tp, invalidate_writes_first);
	ATF_TP_ADD_TC(tp, locked_memory_cannot_be_invalidated);
	ATF_TP_ADD_TC(tp, a_childs_stores_reach_the_file_by_its_parent);
	return (atf_no_error());
}
