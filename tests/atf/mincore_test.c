/* SPDX-License-Identifier: BSD-2-Clause */

#include "common.h"

ATF_TC_WITHOUT_HEAD(arguments);
ATF_TC_BODY(arguments, tc)
{
	const size_t len = pagesize();
	char vec[4], *p;

	p = anon(3, PROT_READ | PROT_WRITE);
	ATF_CHECK_ERRNO(ENOMEM, mincore(p, SIZE_MAX - len, vec) == -1);
	ATF_CHECK_ERRNO(EFAULT, mincore(p, 3 * len, (char *)1) == -1);
	ATF_REQUIRE(munmap(p + len, len) == 0);
	ATF_CHECK_ERRNO(ENOMEM, mincore(p + len, len, vec) == -1);
	ATF_CHECK_ERRNO(ENOMEM, mincore(p, 3 * len, vec) == -1);
	ATF_CHECK(mincore(p + 5, 1, vec) == 0);
}

ATF_TC_WITHOUT_HEAD(touched_pages_are_in_core);
ATF_TC_BODY(touched_pages_are_in_core, tc)
{
	const size_t len = pagesize();
	char vec[8], *p;
	int i;

	p = anon(6, PROT_READ | PROT_WRITE);
	memset(vec, '!', sizeof(vec));
	ATF_REQUIRE(mincore(p, 6 * len, vec) == 0);
	for (i = 0; i < 6; i++)
		ATF_CHECK_EQ(0, vec[i]);
	/* One byte for each page, and no more. */
	ATF_CHECK_EQ('!', vec[6]);
	p[len] = 'x';
	p[4 * len] = 'x';
	ATF_REQUIRE(mincore(p, 6 * len, vec) == 0);
	for (i = 0; i < 6; i++) {
		if (i == 1 || i == 4) {
			ATF_CHECK(vec[i] & MINCORE_INCORE);
			ATF_CHECK(vec[i] & MINCORE_REFERENCED);
			ATF_CHECK(vec[i] & MINCORE_MODIFIED);
		} else {
			ATF_CHECK_EQ(0, vec[i]);
		}
	}
}

ATF_TC_WITHOUT_HEAD(an_unaligned_range_has_each_page_it_touches);
ATF_TC_BODY(an_unaligned_range_has_each_page_it_touches, tc)
{
	const size_t len = pagesize();
	char vec[4], *p;

	p = anon(3, PROT_READ | PROT_WRITE);
	p[len] = 'x';
	memset(vec, '!', sizeof(vec));
	ATF_REQUIRE(mincore(p + len - 1, 2, vec) == 0);
	ATF_CHECK_EQ(0, vec[0]);
	ATF_CHECK(vec[1] & MINCORE_INCORE);
	ATF_CHECK_EQ('!', vec[2]);
}

ATF_TC_WITHOUT_HEAD(pages_read_from_a_file_are_not_modified);
ATF_TC_BODY(pages_read_from_a_file_are_not_modified, tc)
{
	const size_t len = pagesize();
	char vec[4], *p;
	int fd;

	fd = file("f", 4 * len);
	ATF_REQUIRE(fsync(fd) == 0);
	p = mmap(NULL, 4 * len, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
	ATF_REQUIRE(p != MAP_FAILED);
	CHECK_LOAD(p + len, 'b');
	p[2 * len] = 'x';
	ATF_REQUIRE(mincore(p, 4 * len, vec) == 0);
	ATF_CHECK(vec[1] & MINCORE_INCORE);
	ATF_CHECK_EQ(0, vec[1] & MINCORE_MODIFIED);
	ATF_CHECK(vec[2] & MINCORE_INCORE);
	ATF_CHECK(vec[2] & MINCORE_MODIFIED);
}

ATF_TC_WITHOUT_HEAD(locked_pages_are_in_core);
ATF_TC_BODY(locked_pages_are_in_core, tc)
{
	const size_t len = pagesize();
	char vec[6], *p;
	int i;

	p = anon(6, PROT_READ | PROT_WRITE);
	ATF_REQUIRE(mlock(p + len, 4 * len) == 0);
	ATF_REQUIRE(mincore(p, 6 * len, vec) == 0);
	ATF_CHECK_EQ(0, vec[0]);
	for (i = 1; i < 5; i++)
		ATF_CHECK(vec[i] & MINCORE_INCORE);
	ATF_CHECK_EQ(0, vec[5]);
}

ATF_TC_WITHOUT_HEAD(guards_and_inaccessible_memory_are_not_in_core);
ATF_TC_BODY(guards_and_inaccessible_memory_are_not_in_core, tc)
{
	char vec[2], *p;

	p = mmap(NULL, 2 * pagesize(), PROT_NONE, MAP_GUARD, -1, 0);
	ATF_REQUIRE(p != MAP_FAILED);
	ATF_REQUIRE(mincore(p, 2 * pagesize(), vec) == 0);
	ATF_CHECK_EQ(0, vec[0]);
	ATF_CHECK_EQ(0, vec[1]);
	p = anon(2, PROT_NONE);
	ATF_REQUIRE(mincore(p, 2 * pagesize(), vec) == 0);
	ATF_CHECK_EQ(0, vec[0]);
	ATF_CHECK_EQ(0, vec[1]);
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, arguments);
	ATF_TP_ADD_TC(tp, touched_pages_are_in_core);
	ATF_TP_ADD_TC(tp, an_unaligned_range_has_each_page_it_touches);
	ATF_TP_ADD_TC(tp, pages_read_from_a_file_are_not_modified);
	ATF_TP_ADD_TC(tp, locked_pages_are_in_core);
	ATF_TP_ADD_TC(tp, guards_and_inaccessible_memory_are_not_in_core);
	return (atf_no_error());
}
