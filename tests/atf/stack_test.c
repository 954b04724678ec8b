/* SPDX-License-Identifier: BSD-2-Clause */

#include "common.h"

#define STACK_PAGES 1024

static char *
stack(void)
{
	char *p;

	p = mmap(NULL, STACK_PAGES * pagesize(), PROT_READ | PROT_WRITE,
	    MAP_STACK, -1, 0);
	ATF_REQUIRE_MSG(p != MAP_FAILED, "mmap: %s", strerror(errno));
	return (p);
}

ATF_TC_WITHOUT_HEAD(arguments);
ATF_TC_BODY(arguments, tc)
{
	const int rw = PROT_READ | PROT_WRITE;
	const size_t len = 16 * pagesize();
	int fd;

	fd = file("f", len);
	ATF_CHECK_ERRNO(
	    EINVAL, mmap(NULL, len, PROT_READ, MAP_STACK, -1, 0) == MAP_FAILED);
	ATF_CHECK_ERRNO(
	    EINVAL, mmap(NULL, len, PROT_NONE, MAP_STACK, -1, 0) == MAP_FAILED);
	ATF_CHECK_ERRNO(
	    EINVAL, mmap(NULL, len, rw, MAP_STACK, fd, 0) == MAP_FAILED);
	ATF_CHECK_ERRNO(
	    EINVAL, mmap(NULL, 0, rw, MAP_STACK, -1, 0) == MAP_FAILED);
	/* Nothing but the guard would be left. */
	ATF_CHECK_ERRNO(
	    EINVAL, mmap(NULL, pagesize(), rw, MAP_STACK, -1, 0) == MAP_FAILED);
}

ATF_TC_WITHOUT_HEAD(it_grows_down_to_the_guard);
ATF_TC_BODY(it_grows_down_to_the_guard, tc)
{
	const size_t len = pagesize();
	char *p, *at;

	p = stack();
	for (at = p + STACK_PAGES * len - 1; at > p + len; at -= len) {
		ATF_REQUIRE_EQ_MSG(0, probe(at, false), "%td", at - p);
		ATF_REQUIRE_EQ(0, *at);
		*at = 'x';
	}
	ATF_CHECK_EQ(SIGSEGV, probe(p, true));
	ATF_CHECK_EQ(SIGSEGV, probe(p + len - 1, true));
	for (at = p + STACK_PAGES * len - 1; at > p + len; at -= len)
		ATF_REQUIRE_EQ('x', *at);
}

ATF_TC_WITHOUT_HEAD(a_store_far_below_grows_it_as_well);
ATF_TC_BODY(a_store_far_below_grows_it_as_well, tc)
{
	const size_t len = pagesize();
	char *p;

	p = stack();
	CHECK_STORE(p + STACK_PAGES * len - 1);
	CHECK_STORE(p + 2 * len);
	/* All between is memory now. */
	CHECK_LOAD(p + STACK_PAGES / 2 * len, 0);
	CHECK_LOAD(p + STACK_PAGES * len - 1, 's');
}

ATF_TC(mprotect_does_not_end_growth);
ATF_TC_HEAD(mprotect_does_not_end_growth, tc)
{
	atf_tc_set_md_var(tc, "descr", "PR 272585");
}
ATF_TC_BODY(mprotect_does_not_end_growth, tc)
{
	const size_t len = pagesize();
	char *p, *top;

	p = stack();
	top = p + STACK_PAGES * len;
	CHECK_STORE(top - 1);
	ATF_REQUIRE(mprotect(top - len, len, PROT_READ) == 0);
	ATF_REQUIRE(mprotect(top - len, len, PROT_READ | PROT_WRITE) == 0);
	CHECK_STORE(p + STACK_PAGES / 2 * len);
	CHECK_STORE(p + 2 * len);
	CHECK_LOAD(top - 1, 's');
}

ATF_TC_WITHOUT_HEAD(what_has_not_grown_yet_holds_its_place);
ATF_TC_BODY(what_has_not_grown_yet_holds_its_place, tc)
{
	const size_t len = pagesize();
	char *p, *q;

	p = stack();
	ATF_CHECK_ERRNO(ENOMEM,
	    mmap(p + 4 * len, len, PROT_READ,
		MAP_ANON | MAP_PRIVATE | MAP_FIXED | MAP_EXCL, -1,
		0) == MAP_FAILED);
	q = mmap(p + 4 * len, len, PROT_READ, MAP_ANON | MAP_PRIVATE, -1, 0);
	ATF_REQUIRE(q != MAP_FAILED);
	ATF_CHECK(q + len <= p || q >= p + STACK_PAGES * len);
}

ATF_TC_WITHOUT_HEAD(a_child_grows_its_own);
ATF_TC_BODY(a_child_grows_its_own, tc)
{
	const size_t len = pagesize();
	char *p;
	pid_t pid;

	p = stack();
	p[STACK_PAGES * len - 1] = 'p';
	pid = fork();
	if (pid == 0) {
		if (p[STACK_PAGES * len - 1] != 'p')
			_exit(1);
		p[2 * len] = 'c';
		_exit(p[2 * len] == 'c' ? 0 : 2);
	}
	join(pid);
	CHECK_LOAD(p + 2 * len, 0);
	CHECK_LOAD(p + STACK_PAGES * len - 1, 'p');
}

ATF_TC_WITHOUT_HEAD(all_of_it_can_be_unmapped);
ATF_TC_BODY(all_of_it_can_be_unmapped, tc)
{
	const size_t len = pagesize();
	char *p;

	p = stack();
	CHECK_STORE(p + STACK_PAGES / 2 * len);
	ATF_CHECK(munmap(p, STACK_PAGES * len) == 0);
	CHECK_FAULT(p, false, SIGSEGV, SEGV_MAPERR);
	CHECK_FAULT(p + 2 * len, false, SIGSEGV, SEGV_MAPERR);
	CHECK_FAULT(p + STACK_PAGES * len - 1, false, SIGSEGV, SEGV_MAPERR);
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, arguments);
	ATF_TP_ADD_TC(tp, it_grows_down_to_the_guard);
	ATF_TP_ADD_TC(tp, a_store_far_below_grows_it_as_well);
	ATF_TP_ADD_TC(tp, mprotect_does_not_end_growth);
	ATF_TP_ADD_TC(tp, what_has_not_grown_yet_holds_its_place);
	ATF_TP_ADD_TC(tp, a_child_grows_its_own);
	ATF_TP_ADD_TC(tp, all_of_it_can_be_unmapped);
	return (atf_no_error());
}
