/* SPDX-License-Identifier: BSD-2-Clause */

#include "common.h"

ATF_TC_WITHOUT_HEAD(arguments);
ATF_TC_BODY(arguments, tc)
{
	const size_t len = pagesize();
	char *p;

	p = anon(1, PROT_READ);
	ATF_CHECK_ERRNO(EINVAL, mprotect(p, len, 0x8) == -1);
	ATF_CHECK_ERRNO(EINVAL, mprotect(p, SIZE_MAX - len, PROT_READ) == -1);
	ATF_CHECK_ERRNO(
	    ENOTSUP, mprotect(p, len, PROT_WRITE | PROT_MAX(PROT_READ)) == -1);
	ATF_CHECK(mprotect(p, 0, PROT_NONE) == 0);
	CHECK_LOAD(p, 0);
}

ATF_TC_WITHOUT_HEAD(protections);
ATF_TC_BODY(protections, tc)
{
	const size_t len = pagesize();
	char *p;

	p = anon(2, PROT_READ | PROT_WRITE);
	CHECK_STORE(p);
	/* Also of a page that nobody has touched. */
	ATF_REQUIRE(mprotect(p, 2 * len, PROT_READ) == 0);
	CHECK_LOAD(p, 's');
	CHECK_FAULT(p, true, SIGSEGV, SEGV_ACCERR);
	CHECK_LOAD(p + len, 0);
	CHECK_FAULT(p + len + 3, true, SIGSEGV, SEGV_ACCERR);
	ATF_REQUIRE(mprotect(p, 2 * len, PROT_NONE) == 0);
	CHECK_FAULT(p, false, SIGSEGV, SEGV_ACCERR);
	CHECK_FAULT(p + len, false, SIGSEGV, SEGV_ACCERR);
	/* The data has waited. */
	ATF_REQUIRE(mprotect(p, 2 * len, PROT_READ | PROT_WRITE) == 0);
	CHECK_LOAD(p, 's');
	CHECK_STORE(p + len);
}

ATF_TC_WITHOUT_HEAD(unaligned);
ATF_TC_BODY(unaligned, tc)
{
	const size_t len = pagesize();
	char *p;

	p = anon(3, PROT_READ | PROT_WRITE);
	ATF_CHECK(mprotect(p + len - 1, 2, PROT_READ) == 0);
	CHECK_FAULT(p, true, SIGSEGV, SEGV_ACCERR);
	CHECK_FAULT(p + 2 * len - 1, true, SIGSEGV, SEGV_ACCERR);
	CHECK_STORE(p + 2 * len);
}

ATF_TC_WITHOUT_HEAD(holes);
ATF_TC_BODY(holes, tc)
{
	const size_t len = pagesize();
	char *p;

	p = anon(3, PROT_READ | PROT_WRITE);
	ATF_REQUIRE(munmap(p + len, len) == 0);
	ATF_CHECK(mprotect(p, 3 * len, PROT_READ) == 0);
	CHECK_FAULT(p, true, SIGSEGV, SEGV_ACCERR);
	CHECK_FAULT(p + len, true, SIGSEGV, SEGV_MAPERR);
	CHECK_FAULT(p + 2 * len, true, SIGSEGV, SEGV_ACCERR);
}

ATF_TC(all_or_nothing);
ATF_TC_HEAD(all_or_nothing, tc)
{
	atf_tc_set_md_var(tc, "descr",
	    "An entry that may not have the protection keeps all as they were");
}
ATF_TC_BODY(all_or_nothing, tc)
{
	const size_t len = pagesize();
	char *p;

	p = anon(3, PROT_READ);
	ATF_REQUIRE(
	    mmap(p + 2 * len, len, PROT_READ | PROT_MAX(PROT_READ),
		MAP_ANON | MAP_PRIVATE | MAP_FIXED, -1, 0) == p + 2 * len);
	ATF_CHECK_ERRNO(
	    EACCES, mprotect(p, 3 * len, PROT_READ | PROT_WRITE) == -1);
	CHECK_FAULT(p, true, SIGSEGV, SEGV_ACCERR);
	ATF_CHECK(mprotect(p, 2 * len, PROT_READ | PROT_WRITE) == 0);
	CHECK_STORE(p);
}

ATF_TC_WITHOUT_HEAD(prot_max);
ATF_TC_BODY(prot_max, tc)
{
	const size_t len = pagesize();
	char *p;

	p = anon(1, PROT_READ | PROT_WRITE);
	ATF_CHECK(mprotect(p, len, PROT_READ | PROT_MAX(PROT_READ)) == 0);
	ATF_CHECK_ERRNO(EACCES, mprotect(p, len, PROT_READ | PROT_WRITE) == -1);
	/* It can be lowered further, and not raised again. */
	ATF_CHECK_ERRNO(EACCES,
	    mprotect(p, len, PROT_READ | PROT_MAX(PROT_READ | PROT_WRITE)) ==
		-1);
	CHECK_LOAD(p, 0);
}

ATF_TC_WITHOUT_HEAD(copies_of_parent_and_child);
ATF_TC_BODY(copies_of_parent_and_child, tc)
{
	char *p;
	pid_t pid;

	p = anon(1, PROT_READ | PROT_WRITE);
	*p = 'p';
	ATF_REQUIRE(mprotect(p, pagesize(), PROT_READ) == 0);
	pid = fork();
	if (pid == 0) {
		if (mprotect(p, pagesize(), PROT_READ | PROT_WRITE) != 0)
			_exit(1);
		*p = 'c';
		_exit(*p == 'c' ? 0 : 2);
	}
	join(pid);
	CHECK_FAULT(p, true, SIGSEGV, SEGV_ACCERR);
	CHECK_LOAD(p, 'p');
}

static char *repaired;
static volatile sig_atomic_t repairs;

static void
repair(int sig, siginfo_t *info, void *context)
{
	(void)sig;
	(void)context;
	if (info->si_addr != repaired ||
	    mprotect(repaired, pagesize(), PROT_READ | PROT_WRITE) != 0)
		_exit(1);
	repairs++;
}

ATF_TC_WITHOUT_HEAD(a_handler_may_repair);
ATF_TC_BODY(a_handler_may_repair, tc)
{
	struct sigaction sa;
	int i;

	memset(&sa, 0, sizeof(sa));
	sa.sa_sigaction = repair;
	sa.sa_flags = SA_SIGINFO;
	ATF_REQUIRE(sigaction(SIGSEGV, &sa, NULL) == 0);
	repaired = anon(1, PROT_READ | PROT_WRITE);
	for (i = 0; i < 10; i++) {
		ATF_REQUIRE(mprotect(repaired, pagesize(), PROT_READ) == 0);
		*(volatile char *)repaired = i;
		*(volatile char *)repaired += 1;
		ATF_CHECK_EQ(i + 1, *repaired);
	}
	ATF_CHECK_EQ(10, repairs);
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, arguments);
	ATF_TP_ADD_TC(tp, protections);
	ATF_TP_ADD_TC(tp, unaligned);
	ATF_TP_ADD_TC(tp, holes);
	ATF_TP_ADD_TC(tp, all_or_nothing);
	ATF_TP_ADD_TC(tp, prot_max);
	ATF_TP_ADD_TC(tp, copies_of_parent_and_child);
	ATF_TP_ADD_TC(tp, a_handler_may_repair);
	return (atf_no_error());
}
