/* SPDX-License-Identifier: BSD-2-Clause */

#include "common.h"

ATF_TC_WITHOUT_HEAD(arguments);
ATF_TC_BODY(arguments, tc)
{
	const size_t len = pagesize();
	char *p;

	p = anon(3, PROT_READ | PROT_WRITE);
	ATF_CHECK_ERRNO(EINVAL, madvise(p, len, -1) == -1);
	ATF_CHECK_ERRNO(EINVAL, madvise(p, len, 99) == -1);
	/* EINVAL by the code, ENOMEM by the manual. */
	ATF_CHECK(madvise(p, SIZE_MAX - len, MADV_WILLNEED) == -1);
	ATF_CHECK(madvise(p + 1, 1, MADV_WILLNEED) == 0);
	ATF_CHECK(madvise(p, 0, MADV_WILLNEED) == 0);
	ATF_REQUIRE(munmap(p + len, len) == 0);
	ATF_CHECK(madvise(p, 3 * len, MADV_WILLNEED) == 0);
	ATF_CHECK(madvise(p, 3 * len, MADV_DONTNEED) == 0);
	ATF_CHECK(madvise(p, 3 * len, MADV_FREE) == 0);
}

ATF_TC_WITHOUT_HEAD(every_advice_but_free_keeps_data);
ATF_TC_BODY(every_advice_but_free_keeps_data, tc)
{
	static const int advice[] = { MADV_NORMAL, MADV_RANDOM, MADV_SEQUENTIAL,
		MADV_WILLNEED, MADV_DONTNEED, MADV_NOSYNC, MADV_AUTOSYNC,
		MADV_NOCORE, MADV_CORE };
	const size_t len = 8 * pagesize();
	size_t i, n;
	char *p, *q;
	int fd;

	fd = file("f", len);
	p = anon(8, PROT_READ | PROT_WRITE);
	q = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	ATF_REQUIRE(q != MAP_FAILED);
	for (i = 0; i < sizeof(advice) / sizeof(advice[0]); i++) {
		memset(p, 'A' + i, len);
		memset(q, 'a' + i, len);
		ATF_CHECK_MSG(madvise(p, len, advice[i]) == 0 &&
			madvise(q, len, advice[i]) == 0,
		    "advice %d: %s", advice[i], strerror(errno));
		for (n = 0; n < len; n++) {
			ATF_REQUIRE_EQ((int)('A' + i), p[n]);
			ATF_REQUIRE_EQ((int)('a' + i), q[n]);
		}
	}
}

ATF_TC_WITHOUT_HEAD(free_leaves_old_data_or_zeroes);
ATF_TC_BODY(free_leaves_old_data_or_zeroes, tc)
{
	const size_t len = pagesize();
	char *p;
	int i;

	p = anon(8, PROT_READ | PROT_WRITE);
	memset(p, 'x', 8 * len);
	ATF_REQUIRE(madvise(p, 8 * len, MADV_FREE) == 0);
	for (i = 0; i < 8; i += 2)
		ATF_CHECK(p[i * len] == 'x' || p[i * len] == 0);
	/* A store takes the page back. */
	for (i = 0; i < 8; i++)
		p[i * len] = 'y';
	for (i = 0; i < 8; i++)
		ATF_CHECK_EQ('y', p[i * len]);
}

ATF_TC(free_does_not_turn_back_time);
ATF_TC_HEAD(free_does_not_turn_back_time, tc)
{
	atf_tc_set_md_var(
	    tc, "descr", "Content from before a fork must not come back");
}
ATF_TC_BODY(free_does_not_turn_back_time, tc)
{
	struct turns turns;
	char *p;
	pid_t pid;
	int i;

	turns_init(&turns);
	p = anon(5, PROT_READ | PROT_WRITE);
	memset(p, 'o', 5 * pagesize());
	pid = fork();
	if (pid == 0) {
		take(turns.parent);
		for (i = 0; i < 5; i++) {
			if (p[i * pagesize()] != 'o')
				_exit(1);
		}
		_exit(0);
	}
	/* One page is still the one from before: what lies below must stay. */
	memset(p, 'n', 4 * pagesize());
	ATF_CHECK(madvise(p, 4 * pagesize(), MADV_FREE) == 0);
	for (i = 0; i < 4; i++)
		ATF_CHECK_EQ('n', p[i * pagesize()]);
	ATF_CHECK_EQ('o', p[4 * pagesize()]);
	give(turns.parent);
	join(pid);
}

ATF_TC_WITHOUT_HEAD(free_of_file_memory_keeps_it);
ATF_TC_BODY(free_of_file_memory_keeps_it, tc)
{
	char *p;
	int fd;

	fd = file("f", pagesize());
	p = mmap(NULL, pagesize(), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	ATF_REQUIRE(p != MAP_FAILED);
	*p = 'x';
	ATF_CHECK(madvise(p, pagesize(), MADV_FREE) == 0);
	ATF_CHECK_EQ('x', *p);
	ATF_REQUIRE(msync(p, pagesize(), MS_SYNC) == 0);
	ATF_CHECK_EQ('x', file_byte(fd, 0));
}

ATF_TC_WITHOUT_HEAD(posix_madvise_returns_the_error);
ATF_TC_BODY(posix_madvise_returns_the_error, tc)
{
	char *p;

	p = anon(1, PROT_READ | PROT_WRITE);
	*p = 'x';
	errno = 0;
	ATF_CHECK_EQ(EINVAL, posix_madvise(p, pagesize(), 99));
	ATF_CHECK_EQ(0, posix_madvise(p, pagesize(), POSIX_MADV_SEQUENTIAL));
	ATF_CHECK_EQ(0, posix_madvise(p, pagesize(), POSIX_MADV_DONTNEED));
	ATF_CHECK_EQ(0, errno);
	ATF_CHECK_EQ('x', *p);
}

ATF_TC(protect);
ATF_TC_HEAD(protect, tc)
{
	atf_tc_set_md_var(tc, "require.user", "root");
}
ATF_TC_BODY(protect, tc)
{
	char *p;
	pid_t pid;

	p = anon(1, PROT_READ);
	ATF_CHECK(madvise(p, pagesize(), MADV_PROTECT) == 0);
	pid = fork();
	if (pid == 0) {
		if (setuid(65534) != 0)
			_exit(1);
		if (madvise(p, pagesize(), MADV_PROTECT) != -1)
			_exit(2);
		_exit(errno == EPERM ? 0 : 3);
	}
	join(pid);
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, arguments);
	ATF_TP_ADD_TC(tp, every_advice_but_free_keeps_data);
	ATF_TP_ADD_TC(tp, free_leaves_old_data_or_zeroes);
	ATF_TP_ADD_TC(tp, free_does_not_turn_back_time);
	ATF_TP_ADD_TC(tp, free_of_file_memory_keeps_it);
	ATF_TP_ADD_TC(tp, posix_madvise_returns_the_error);
	ATF_TP_ADD_TC(tp, protect);
	return (atf_no_error());
}
