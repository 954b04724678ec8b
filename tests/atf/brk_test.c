/* SPDX-License-Identifier: BSD-2-Clause */

#include "common.h"

#include <sys/resource.h>

/* The program's break, moved up to a page's beginning. */
static char *
aligned_break(void)
{
	char *p;

	p = sbrk(0);
	ATF_REQUIRE(p != (char *)-1);
	p += -(uintptr_t)p % pagesize();
	ATF_REQUIRE(brk(p) == 0);
	ATF_REQUIRE(sbrk(0) == p);
	return (p);
}

ATF_TC_WITHOUT_HEAD(sbrk_returns_the_old_break);
ATF_TC_BODY(sbrk_returns_the_old_break, tc)
{
	char *p;

	p = aligned_break();
	ATF_CHECK(sbrk(100) == p);
	ATF_CHECK(sbrk(0) == p + 100);
	ATF_CHECK(sbrk(3 * pagesize()) == p + 100);
	ATF_CHECK(sbrk(-50) == p + 100 + 3 * pagesize());
	ATF_CHECK(sbrk(0) == p + 50 + 3 * pagesize());
	ATF_CHECK(
	    sbrk(-(intptr_t)(50 + 3 * pagesize())) == p + 50 + 3 * pagesize());
	ATF_CHECK(sbrk(0) == p);
}

ATF_TC_WITHOUT_HEAD(the_heap_is_zero_and_writable);
ATF_TC_BODY(the_heap_is_zero_and_writable, tc)
{
	const size_t len = pagesize();
	size_t i;
	char *p;

	p = aligned_break();
	ATF_REQUIRE(sbrk(5 * len) == p);
	for (i = 0; i < 5 * len; i++)
		ATF_REQUIRE_EQ(0, p[i]);
	memset(p, 'h', 5 * len);
	/* The end of the last page is the program's as well. */
	ATF_REQUIRE(brk(p + 2 * len + 1) == 0);
	CHECK_LOAD(p + 2 * len, 'h');
	CHECK_LOAD(p + 3 * len - 1, 'h');
	CHECK_FAULT(p + 3 * len, false, SIGSEGV, SEGV_MAPERR);
	/* What comes back is new. */
	ATF_REQUIRE(brk(p + 5 * len) == 0);
	CHECK_LOAD(p + 3 * len, 0);
	CHECK_LOAD(p + 5 * len - 1, 0);
	CHECK_LOAD(p + 3 * len - 1, 'h');
	ATF_CHECK(brk(p) == 0);
	CHECK_FAULT(p, true, SIGSEGV, SEGV_MAPERR);
}

ATF_TC_WITHOUT_HEAD(the_break_stops_at_a_mapping);
ATF_TC_BODY(the_break_stops_at_a_mapping, tc)
{
	const size_t len = pagesize();
	char *p;

	p = aligned_break();
	ATF_REQUIRE(mmap(p + 4 * len, len, PROT_READ,
			MAP_ANON | MAP_PRIVATE | MAP_FIXED | MAP_EXCL, -1,
			0) == p + 4 * len);
	ATF_CHECK(brk(p + 4 * len) == 0);
	ATF_CHECK_ERRNO(ENOMEM, brk(p + 4 * len + 1) == -1);
	ATF_CHECK_ERRNO(ENOMEM, sbrk(len) == (void *)-1);
	ATF_CHECK(sbrk(0) == p + 4 * len);
	ATF_REQUIRE(munmap(p + 4 * len, len) == 0);
	ATF_CHECK(sbrk(len) == p + 4 * len);
	CHECK_STORE(p + 4 * len);
}

ATF_TC_WITHOUT_HEAD(limits);
ATF_TC_BODY(limits, tc)
{
	struct rlimit limit;
	char *p;

	p = aligned_break();
	ATF_CHECK_ERRNO(ENOMEM, sbrk((intptr_t)1 << 50) == (void *)-1);
	ATF_REQUIRE(getrlimit(RLIMIT_DATA, &limit) == 0);
	limit.rlim_cur = 0;
	ATF_REQUIRE(setrlimit(RLIMIT_DATA, &limit) == 0);
	ATF_CHECK_ERRNO(ENOMEM, sbrk(pagesize()) == (void *)-1);
	ATF_CHECK(sbrk(0) == p);
	limit.rlim_cur = limit.rlim_max;
	ATF_REQUIRE(setrlimit(RLIMIT_DATA, &limit) == 0);
	ATF_CHECK(sbrk(pagesize()) == p);
}

ATF_TC_WITHOUT_HEAD(a_child_has_its_own_heap);
ATF_TC_BODY(a_child_has_its_own_heap, tc)
{
	const size_t len = pagesize();
	char *p;
	pid_t pid;

	p = aligned_break();
	ATF_REQUIRE(sbrk(2 * len) == p);
	*p = 'p';
	pid = fork();
	if (pid == 0) {
		if (sbrk(len) != p + 2 * len || *p != 'p')
			_exit(1);
		*p = 'c';
		p[2 * len] = 'c';
		_exit(0);
	}
	join(pid);
	ATF_CHECK_EQ('p', *p);
	ATF_CHECK(sbrk(0) == p + 2 * len);
	CHECK_FAULT(p + 2 * len, true, SIGSEGV, SEGV_MAPERR);
}

ATF_TC_WITHOUT_HEAD(mmap_keeps_off_the_heap);
ATF_TC_BODY(mmap_keeps_off_the_heap, tc)
{
	char *p, *q;

	p = aligned_break();
	q = anon(1, PROT_READ);
	/* There is room for a heap before a mapping that nobody placed. */
	ATF_CHECK(q < p || q >= p + (1 << 20));
	ATF_CHECK(sbrk(1 << 20) == p);
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, sbrk_returns_the_old_break);
	ATF_TP_ADD_TC(tp, the_heap_is_zero_and_writable);
	ATF_TP_ADD_TC(tp, the_break_stops_at_a_mapping);
	ATF_TP_ADD_TC(tp, limits);
	ATF_TP_ADD_TC(tp, a_child_has_its_own_heap);
	ATF_TP_ADD_TC(tp, mmap_keeps_off_the_heap);
	return (atf_no_error());
}
