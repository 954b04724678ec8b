/* SPDX-License-Identifier: BSD-2-Clause */

#include "common.h"

#include <sys/resource.h>

static size_t
in_core(char *p, size_t pages)
{
	char vec[64];
	size_t count, i;

	ATF_REQUIRE(pages <= sizeof(vec));
	ATF_REQUIRE(mincore(p, pages * pagesize(), vec) == 0);
	for (count = i = 0; i < pages; i++)
		count += (vec[i] & MINCORE_INCORE) != 0;
	return (count);
}

static void
limit_memlock(size_t pages)
{
	struct rlimit limit;

	limit.rlim_cur = limit.rlim_max = pages * pagesize();
	ATF_REQUIRE(setrlimit(RLIMIT_MEMLOCK, &limit) == 0);
}

ATF_TC_WITHOUT_HEAD(arguments);
ATF_TC_BODY(arguments, tc)
{
	const size_t len = pagesize();
	char *p;

	p = anon(3, PROT_READ | PROT_WRITE);
	ATF_CHECK_ERRNO(EINVAL, mlock(p, SIZE_MAX - len) == -1);
	ATF_CHECK_ERRNO(EINVAL, munlock(p, SIZE_MAX - len) == -1);
	ATF_CHECK_ERRNO(EINVAL, mlockall(0) == -1);
	ATF_CHECK_ERRNO(EINVAL, mlockall(0x8) == -1);
	ATF_CHECK_ERRNO(EINVAL, mlockall(MCL_CURRENT | 0x8) == -1);
	ATF_CHECK(munlock(p, 3 * len) == 0);
	ATF_REQUIRE(munmap(p + len, len) == 0);
	ATF_CHECK_ERRNO(ENOMEM, mlock(p, 3 * len) == -1);
	ATF_CHECK_ERRNO(ENOMEM, munlock(p, 3 * len) == -1);
}

ATF_TC_WITHOUT_HEAD(locking_brings_pages_in);
ATF_TC_BODY(locking_brings_pages_in, tc)
{
	const size_t len = pagesize();
	char *p, *q;
	int fd;

	p = anon(8, PROT_READ | PROT_WRITE);
	ATF_CHECK_EQ(0, in_core(p, 8));
	/* Each page that the range touches. */
	ATF_REQUIRE(mlock(p + 2 * len - 1, 2) == 0);
	ATF_CHECK_EQ(2, in_core(p, 8));
	ATF_REQUIRE(mlock(p, 8 * len) == 0);
	ATF_CHECK_EQ(8, in_core(p, 8));
	CHECK_LOAD(p, 0);
	CHECK_STORE(p);
	fd = file("f", 4 * len);
	q = mmap(NULL, 4 * len, PROT_READ, MAP_SHARED, fd, 0);
	ATF_REQUIRE(q != MAP_FAILED);
	ATF_REQUIRE(mlock(q, 4 * len) == 0);
	ATF_CHECK_EQ(4, in_core(q, 4));
	CHECK_LOAD(q + 3 * len, 'd');
	ATF_CHECK(munlock(p, 8 * len) == 0);
	ATF_CHECK(munlock(q, 4 * len) == 0);
}

ATF_TC(a_failure_locks_nothing);
ATF_TC_HEAD(a_failure_locks_nothing, tc)
{
	atf_tc_set_md_var(tc, "descr", "Locked memory refuses MS_INVALIDATE");
}
ATF_TC_BODY(a_failure_locks_nothing, tc)
{
	const size_t len = pagesize();
	char *p;

	p = anon(4, PROT_READ | PROT_WRITE);
	ATF_REQUIRE(mprotect(p + 2 * len, len, PROT_NONE) == 0);
	ATF_CHECK_ERRNO(ENOMEM, mlock(p, 4 * len) == -1);
	ATF_CHECK(msync(p, 4 * len, MS_INVALIDATE) == 0);
	ATF_REQUIRE(mlock(p, 2 * len) == 0);
	ATF_CHECK_ERRNO(EBUSY, msync(p, 4 * len, MS_INVALIDATE) == -1);
}

ATF_TC_WITHOUT_HEAD(locks_do_not_nest);
ATF_TC_BODY(locks_do_not_nest, tc)
{
	const size_t len = 4 * pagesize();
	char *p;

	p = anon(4, PROT_READ | PROT_WRITE);
	ATF_REQUIRE(mlock(p, len) == 0);
	ATF_REQUIRE(mlock(p, len) == 0);
	ATF_CHECK_ERRNO(EBUSY, msync(p, len, MS_INVALIDATE) == -1);
	ATF_REQUIRE(munlock(p, len) == 0);
	ATF_CHECK(msync(p, len, MS_INVALIDATE) == 0);
}

ATF_TC_WITHOUT_HEAD(a_child_inherits_no_lock);
ATF_TC_BODY(a_child_inherits_no_lock, tc)
{
	const size_t len = 4 * pagesize();
	char *p;
	pid_t pid;

	p = anon(4, PROT_READ | PROT_WRITE);
	memset(p, 'p', len);
	ATF_REQUIRE(mlock(p, len) == 0);
	pid = fork();
	if (pid == 0) {
		if (msync(p, len, MS_INVALIDATE) != 0)
			_exit(1);
		if (p[0] != 'p' || p[len - 1] != 'p')
			_exit(2);
		memset(p, 'c', len);
		_exit(0);
	}
	memset(p, 'q', len);
	join(pid);
	ATF_CHECK_EQ('q', p[0]);
	ATF_CHECK_EQ('q', p[len - 1]);
	ATF_CHECK_ERRNO(EBUSY, msync(p, len, MS_INVALIDATE) == -1);
}

ATF_TC_WITHOUT_HEAD(future_mappings_are_locked);
ATF_TC_BODY(future_mappings_are_locked, tc)
{
	const size_t len = 4 * pagesize();
	char *p, *q, *r;

	p = anon(4, PROT_READ | PROT_WRITE);
	ATF_REQUIRE(mlockall(MCL_FUTURE) == 0);
	q = anon(4, PROT_READ | PROT_WRITE);
	ATF_CHECK_EQ(0, in_core(p, 4));
	ATF_CHECK_EQ(4, in_core(q, 4));
	ATF_CHECK_ERRNO(EBUSY, msync(q, len, MS_INVALIDATE) == -1);
	ATF_REQUIRE(munlockall() == 0);
	ATF_CHECK(msync(q, len, MS_INVALIDATE) == 0);
	r = anon(4, PROT_READ | PROT_WRITE);
	ATF_CHECK_EQ(0, in_core(r, 4));
}

ATF_TC_WITHOUT_HEAD(current_mappings_are_locked);
ATF_TC_BODY(current_mappings_are_locked, tc)
{
	const size_t len = pagesize();
	char *p, *q;

	p = anon(8, PROT_READ | PROT_WRITE);
	/* Holes and memory that cannot be accessed do not matter. */
	ATF_REQUIRE(munmap(p + 2 * len, len) == 0);
	ATF_REQUIRE(mprotect(p + 4 * len, len, PROT_NONE) == 0);
	ATF_REQUIRE(mlockall(MCL_CURRENT) == 0);
	ATF_CHECK_EQ(2, in_core(p, 2));
	ATF_CHECK_EQ(3, in_core(p + 5 * len, 3));
	q = anon(2, PROT_READ | PROT_WRITE);
	ATF_CHECK_EQ(0, in_core(q, 2));
	ATF_REQUIRE(munlockall() == 0);
	ATF_CHECK(msync(p, 2 * len, MS_INVALIDATE) == 0);
}

ATF_TC(limit);
ATF_TC_HEAD(limit, tc)
{
	atf_tc_set_md_var(tc, "descr", "RLIMIT_MEMLOCK bounds what is locked");
}
ATF_TC_BODY(limit, tc)
{
	const size_t len = pagesize();
	char *p;

	p = anon(16, PROT_READ | PROT_WRITE);
	limit_memlock(8);
	ATF_CHECK_ERRNO(ENOMEM, mlock(p, 9 * len) == -1);
	ATF_REQUIRE(mlock(p, 6 * len) == 0);
	ATF_CHECK_ERRNO(ENOMEM, mlock(p + 8 * len, 3 * len) == -1);
	ATF_CHECK(mlock(p + 8 * len, 2 * len) == 0);
	ATF_REQUIRE(munlock(p, 6 * len) == 0);
	ATF_CHECK(mlock(p + 8 * len, 6 * len) == 0);
	ATF_CHECK_ERRNO(ENOMEM, mlockall(MCL_CURRENT) == -1);
}

ATF_TC_WITHOUT_HEAD(unlocking_is_whole_or_part);
ATF_TC_BODY(unlocking_is_whole_or_part, tc)
{
	const size_t len = pagesize();
	char *p;

	p = anon(3, PROT_READ | PROT_WRITE);
	ATF_REQUIRE(mlock(p, 3 * len) == 0);
	ATF_REQUIRE(munlock(p + len, len) == 0);
	ATF_CHECK_ERRNO(EBUSY, msync(p, len, MS_INVALIDATE) == -1);
	ATF_CHECK(msync(p + len, len, MS_INVALIDATE) == 0);
	ATF_CHECK_ERRNO(EBUSY, msync(p + 2 * len, len, MS_INVALIDATE) == -1);
	/* Unmapping needs no unlocking. */
	ATF_CHECK(munmap(p, 3 * len) == 0);
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, arguments);
	ATF_TP_ADD_TC(tp, locking_brings_pages_in);
	ATF_TP_ADD_TC(tp, a_failure_locks_nothing);
	ATF_TP_ADD_TC(tp, locks_do_not_nest);
	ATF_TP_ADD_TC(tp, a_child_inherits_no_lock);
	ATF_TP_ADD_TC(tp, future_mappings_are_locked);
	ATF_TP_ADD_TC(tp, current_mappings_are_locked);
	ATF_TP_ADD_TC(tp, limit);
	ATF_TP_ADD_TC(tp, unlocking_is_whole_or_part);
	return (atf_no_error());
}
