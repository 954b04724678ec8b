/* SPDX-License-Identifier: BSD-2-Clause */

#include "common.h"

ATF_TC_WITHOUT_HEAD(arguments);
ATF_TC_BODY(arguments, tc)
{
	const size_t len = pagesize();
	char *p;

	p = anon(1, PROT_READ);
	ATF_CHECK_ERRNO(EINVAL, munmap(p, 0) == -1);
	ATF_CHECK_ERRNO(EINVAL, munmap(p, SIZE_MAX - len) == -1);
	ATF_CHECK_ERRNO(EINVAL, munmap((void *)-len, 2 * len) == -1);
	CHECK_LOAD(p, 0);
}

ATF_TC_WITHOUT_HEAD(unmapped_memory_faults);
ATF_TC_BODY(unmapped_memory_faults, tc)
{
	const size_t len = pagesize();
	char *p;

	p = anon(3, PROT_READ | PROT_WRITE);
	memset(p, 'x', 3 * len);
	ATF_REQUIRE(munmap(p + len, len) == 0);
	CHECK_FAULT(p + len, false, SIGSEGV, SEGV_MAPERR);
	CHECK_FAULT(p + 2 * len - 1, true, SIGSEGV, SEGV_MAPERR);
	CHECK_LOAD(p + len - 1, 'x');
	CHECK_LOAD(p + 2 * len, 'x');
}

ATF_TC_WITHOUT_HEAD(unaligned);
ATF_TC_BODY(unaligned, tc)
{
	const size_t len = pagesize();
	char *p;

	p = anon(3, PROT_READ);
	/* Every page that the range touches goes. */
	ATF_CHECK(munmap(p + len - 1, 2) == 0);
	CHECK_FAULT(p, false, SIGSEGV, SEGV_MAPERR);
	CHECK_FAULT(p + len, false, SIGSEGV, SEGV_MAPERR);
	CHECK_LOAD(p + 2 * len, 0);
}

ATF_TC_WITHOUT_HEAD(holes);
ATF_TC_BODY(holes, tc)
{
	const size_t len = pagesize();
	char *p;

	p = anon(5, PROT_READ);
	ATF_CHECK(munmap(p + len, len) == 0);
	ATF_CHECK(munmap(p + len, len) == 0);
	ATF_CHECK(munmap(p + 3 * len, len) == 0);
	ATF_CHECK(munmap(p, 5 * len) == 0);
	ATF_CHECK(munmap(p, 5 * len) == 0);
	CHECK_FAULT(p, false, SIGSEGV, SEGV_MAPERR);
	CHECK_FAULT(p + 4 * len, false, SIGSEGV, SEGV_MAPERR);
}

ATF_TC_WITHOUT_HEAD(a_place_can_be_used_again);
ATF_TC_BODY(a_place_can_be_used_again, tc)
{
	const size_t len = pagesize();
	char *p;

	p = anon(3, PROT_READ | PROT_WRITE);
	memset(p, 'x', 3 * len);
	ATF_REQUIRE(munmap(p, 2 * len) == 0);
	ATF_REQUIRE(
	    mmap(p, 2 * len, PROT_READ | PROT_WRITE,
		MAP_ANON | MAP_PRIVATE | MAP_FIXED | MAP_EXCL, -1, 0) == p);
	CHECK_LOAD(p, 0);
	CHECK_LOAD(p + 2 * len - 1, 0);
	CHECK_LOAD(p + 2 * len, 'x');
}

ATF_TC_WITHOUT_HEAD(the_child_keeps_its_mapping);
ATF_TC_BODY(the_child_keeps_its_mapping, tc)
{
	struct turns turns;
	char *p;
	pid_t pid;

	turns_init(&turns);
	p = anon(1, PROT_READ | PROT_WRITE);
	*p = 'x';
	pid = fork();
	if (pid == 0) {
		take(turns.parent);
		_exit(*p == 'x' ? 0 : 1);
	}
	ATF_REQUIRE(munmap(p, pagesize()) == 0);
	give(turns.parent);
	join(pid);
}

ATF_TC_WITHOUT_HEAD(shared_stores_reach_the_file);
ATF_TC_BODY(shared_stores_reach_the_file, tc)
{
	char *p;
	int fd;

	fd = file("f", pagesize());
	p = mmap(NULL, pagesize(), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	ATF_REQUIRE(p != MAP_FAILED);
	p[9] = 'x';
	ATF_REQUIRE(munmap(p, pagesize()) == 0);
	ATF_CHECK_EQ('x', file_byte(fd, 9));
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, arguments);
	ATF_TP_ADD_TC(tp, unmapped_memory_faults);
	ATF_TP_ADD_TC(tp, unaligned);
	ATF_TP_ADD_TC(tp, holes);
	ATF_TP_ADD_TC(tp, a_place_can_be_used_again);
	ATF_TP_ADD_TC(tp, the_child_keeps_its_mapping);
	ATF_TP_ADD_TC(tp, shared_stores_reach_the_file);
	return (atf_no_error());
}
