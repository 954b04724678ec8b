/* SPDX-License-Identifier: BSD-2-Clause */

#include "common.h"

#define MMAP_ERRNO(error, len, prot, flags, fd, off) \
	ATF_CHECK_ERRNO(                             \
	    error, mmap(NULL, len, prot, flags, fd, off) == MAP_FAILED)

ATF_TC_WITHOUT_HEAD(anonymous_memory_is_zero);
ATF_TC_BODY(anonymous_memory_is_zero, tc)
{
	char *p;
	size_t i;

	p = anon(4, PROT_READ | PROT_WRITE);
	for (i = 0; i < 4 * pagesize(); i++)
		ATF_REQUIRE_EQ(0, p[i]);
	memset(p, 'x', 4 * pagesize());
	ATF_REQUIRE(munmap(p, 4 * pagesize()) == 0);
	p = anon(4, PROT_READ | PROT_WRITE);
	for (i = 0; i < 4 * pagesize(); i++)
		ATF_REQUIRE_EQ(0, p[i]);
}

ATF_TC(arguments);
ATF_TC_HEAD(arguments, tc)
{
	atf_tc_set_md_var(tc, "descr", "What mmap(2) refuses with EINVAL");
}
ATF_TC_BODY(arguments, tc)
{
	const int rw = PROT_READ | PROT_WRITE;
	const int private = MAP_ANON | MAP_PRIVATE;
	int fd;

	fd = file("f", pagesize());
	MMAP_ERRNO(EINVAL, 0, rw, private, -1, 0);
	MMAP_ERRNO(EINVAL, pagesize(), 0x8 | rw, private, -1, 0);
	/* Anonymous memory has no file and no offset. */
	MMAP_ERRNO(EINVAL, pagesize(), rw, private, fd, 0);
	MMAP_ERRNO(EINVAL, pagesize(), rw, private, -1, pagesize());
	MMAP_ERRNO(
	    EINVAL, pagesize(), rw, MAP_ANON | MAP_SHARED | MAP_PRIVATE, -1, 0);
	/* A file is either shared or not. */
	MMAP_ERRNO(EINVAL, pagesize(), PROT_READ, 0, fd, 0);
	MMAP_ERRNO(
	    EINVAL, pagesize(), PROT_READ, MAP_SHARED | MAP_PRIVATE, fd, 0);
	MMAP_ERRNO(EINVAL, pagesize(), rw, private | MAP_EXCL, -1, 0);
	/* Alignment below a page, and beyond the address space. */
	MMAP_ERRNO(EINVAL, pagesize(), rw, private | MAP_ALIGNED(2), -1, 0);
	MMAP_ERRNO(EINVAL, pagesize(), rw, private | MAP_ALIGNED(64), -1, 0);
	MMAP_ERRNO(
	    EINVAL, pagesize(), PROT_READ, MAP_SHARED, fd, -(off_t)pagesize());
}

ATF_TC_WITHOUT_HEAD(prot_max);
ATF_TC_BODY(prot_max, tc)
{
	const size_t len = pagesize();
	char *p;

	MMAP_ERRNO(ENOTSUP, len, PROT_READ | PROT_WRITE | PROT_MAX(PROT_READ),
	    MAP_ANON | MAP_PRIVATE, -1, 0);
	p = mmap(NULL, len, PROT_READ | PROT_MAX(PROT_READ),
	    MAP_ANON | MAP_PRIVATE, -1, 0);
	ATF_REQUIRE(p != MAP_FAILED);
	ATF_CHECK_ERRNO(EACCES, mprotect(p, len, PROT_READ | PROT_WRITE) == -1);
	ATF_CHECK(mprotect(p, len, PROT_NONE) == 0);
	ATF_CHECK(mprotect(p, len, PROT_READ) == 0);
	CHECK_LOAD(p, 0);
	/* A new mapping begins anew. */
	ATF_CHECK(mmap(p, len, PROT_READ | PROT_WRITE,
		      MAP_ANON | MAP_PRIVATE | MAP_FIXED, -1, 0) == p);
	CHECK_STORE(p);
}

ATF_TC_WITHOUT_HEAD(descriptors);
ATF_TC_BODY(descriptors, tc)
{
	const size_t len = pagesize();
	int fds[2], rdonly, wronly;
	char *p;

	close(file("f", len));
	rdonly = open("f", O_RDONLY);
	wronly = open("f", O_WRONLY);
	ATF_REQUIRE(rdonly >= 0 && wronly >= 0 && pipe(fds) == 0);
	MMAP_ERRNO(EBADF, len, PROT_READ, MAP_SHARED, 1000, 0);
	MMAP_ERRNO(ENODEV, len, PROT_READ, MAP_SHARED, fds[0], 0);
	MMAP_ERRNO(EACCES, len, PROT_WRITE, MAP_SHARED, rdonly, 0);
	MMAP_ERRNO(EACCES, len, PROT_READ, MAP_SHARED, wronly, 0);
	MMAP_ERRNO(EACCES, len, PROT_READ, MAP_PRIVATE, wronly, 0);
	p = mmap(NULL, len, PROT_READ, MAP_SHARED, rdonly, 0);
	ATF_REQUIRE(p != MAP_FAILED);
	ATF_CHECK_ERRNO(EACCES, mprotect(p, len, PROT_READ | PROT_WRITE) == -1);
	/* A private copy may be written whatever the descriptor is for. */
	p = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_PRIVATE, rdonly, 0);
	ATF_REQUIRE(p != MAP_FAILED);
	CHECK_STORE(p);
	ATF_CHECK_EQ('a', file_byte(rdonly, 0));
}

ATF_TC_WITHOUT_HEAD(offset_need_not_be_aligned);
ATF_TC_BODY(offset_need_not_be_aligned, tc)
{
	char *p;
	int fd;

	fd = file("f", 3 * pagesize());
	p = mmap(NULL, pagesize(), PROT_READ, MAP_SHARED, fd, pagesize() - 5);
	ATF_REQUIRE(p != MAP_FAILED);
	ATF_CHECK_EQ(pagesize() - 5, (uintptr_t)p % pagesize());
	ATF_CHECK_EQ('b', p[5]);
	/* A fixed address must agree with it. */
	ATF_CHECK_ERRNO(EINVAL,
	    mmap(p + 1, pagesize(), PROT_READ, MAP_SHARED | MAP_FIXED, fd,
		pagesize() - 5) == MAP_FAILED);
	ATF_CHECK(mmap(p, pagesize(), PROT_READ, MAP_SHARED | MAP_FIXED, fd,
		      2 * pagesize() - 5) == p);
	ATF_CHECK_EQ('c', p[5]);
}

ATF_TC_WITHOUT_HEAD(fixed);
ATF_TC_BODY(fixed, tc)
{
	const int flags = MAP_ANON | MAP_PRIVATE | MAP_FIXED;
	const int rw = PROT_READ | PROT_WRITE;
	const size_t len = pagesize();
	char *p;

	p = anon(3, rw);
	memset(p, 'o', 3 * len);
	ATF_REQUIRE(mmap(p + len, len, rw, flags, -1, 0) == p + len);
	ATF_CHECK_EQ('o', p[len - 1]);
	ATF_CHECK_EQ(0, p[len]);
	ATF_CHECK_EQ(0, p[2 * len - 1]);
	ATF_CHECK_EQ('o', p[2 * len]);
	ATF_CHECK_ERRNO(
	    EINVAL, mmap(p + 1, len, rw, flags, -1, 0) == MAP_FAILED);
	ATF_CHECK_ERRNO(EINVAL,
	    mmap((void *)-len, 2 * len, rw, flags, -1, 0) == MAP_FAILED);
}

ATF_TC_WITHOUT_HEAD(excl);
ATF_TC_BODY(excl, tc)
{
	const int flags = MAP_ANON | MAP_PRIVATE | MAP_FIXED | MAP_EXCL;
	const int rw = PROT_READ | PROT_WRITE;
	const size_t len = pagesize();
	char *p;

	p = anon(3, rw);
	p[len] = 'o';
	ATF_REQUIRE(munmap(p, len) == 0);
	ATF_CHECK_ERRNO(
	    ENOMEM, mmap(p, 2 * len, rw, flags, -1, 0) == MAP_FAILED);
	ATF_CHECK_ERRNO(
	    ENOMEM, mmap(p + len, len, rw, flags, -1, 0) == MAP_FAILED);
	ATF_CHECK_EQ('o', p[len]);
	ATF_CHECK(mmap(p, len, rw, flags, -1, 0) == p);
	CHECK_STORE(p);
}

ATF_TC_WITHOUT_HEAD(guard);
ATF_TC_BODY(guard, tc)
{
	const size_t len = pagesize();
	char *p;
	int fd;

	fd = file("f", len);
	MMAP_ERRNO(EINVAL, len, PROT_READ, MAP_GUARD, -1, 0);
	MMAP_ERRNO(EINVAL, len, PROT_NONE, MAP_GUARD, fd, 0);
	MMAP_ERRNO(EINVAL, len, PROT_NONE, MAP_GUARD, -1, len);
	MMAP_ERRNO(EINVAL, len, PROT_NONE, MAP_GUARD | MAP_SHARED, -1, 0);
	MMAP_ERRNO(EINVAL, len, PROT_NONE, MAP_GUARD | MAP_ANON, -1, 0);
	p = mmap(NULL, 3 * len, PROT_NONE, MAP_GUARD, -1, 0);
	ATF_REQUIRE(p != MAP_FAILED);
	ATF_CHECK_EQ(SIGSEGV, probe(p, false));
	/* It cannot be opened, only replaced or removed. */
	ATF_CHECK(mprotect(p, 3 * len, PROT_READ | PROT_WRITE) == 0);
	ATF_CHECK_EQ(SIGSEGV, probe(p, false));
	ATF_CHECK_ERRNO(ENOMEM,
	    mmap(p, len, PROT_READ,
		MAP_ANON | MAP_PRIVATE | MAP_FIXED | MAP_EXCL, -1,
		0) == MAP_FAILED);
	ATF_CHECK(mmap(p + len, len, PROT_READ | PROT_WRITE,
		      MAP_ANON | MAP_PRIVATE | MAP_FIXED, -1, 0) == p + len);
	CHECK_STORE(p + len);
	ATF_CHECK_EQ(SIGSEGV, probe(p + len - 1, true));
	ATF_CHECK_EQ(SIGSEGV, probe(p + 2 * len, true));
	ATF_CHECK(munmap(p, 3 * len) == 0);
}

ATF_TC_WITHOUT_HEAD(aligned);
ATF_TC_BODY(aligned, tc)
{
	unsigned int n;
	char *p;

	for (n = 12; n <= 24; n += 3) {
		p = mmap(NULL, pagesize(), PROT_READ | PROT_WRITE,
		    MAP_ANON | MAP_PRIVATE | MAP_ALIGNED(n), -1, 0);
		ATF_REQUIRE(p != MAP_FAILED);
		ATF_CHECK_EQ_MSG(0, (uintptr_t)p % ((uintptr_t)1 << n),
		    "MAP_ALIGNED(%u): %p", n, (void *)p);
		CHECK_STORE(p);
	}
	p = mmap(NULL, 4 << 20, PROT_READ | PROT_WRITE,
	    MAP_ANON | MAP_PRIVATE | MAP_ALIGNED_SUPER, -1, 0);
	ATF_REQUIRE(p != MAP_FAILED);
	ATF_CHECK_EQ(0, (uintptr_t)p % (2 << 20));
}

ATF_TC_WITHOUT_HEAD(hints);
ATF_TC_BODY(hints, tc)
{
	const size_t len = pagesize();
	char *p, *q;

	p = anon(4, PROT_READ);
	ATF_REQUIRE(munmap(p + len, len) == 0);
	/* What is there is in nobody's way. */
	q = mmap(p, len, PROT_READ, MAP_ANON | MAP_PRIVATE, -1, 0);
	ATF_REQUIRE(q != MAP_FAILED);
	ATF_CHECK(q != p && q != p + 2 * len && q != p + 3 * len);
	CHECK_LOAD(p, 0);
	CHECK_LOAD(q, 0);
}

ATF_TC_WITHOUT_HEAD(private_file);
ATF_TC_BODY(private_file, tc)
{
	const size_t len = pagesize();
	char *p, *q;
	int fd;

	fd = file("f", 2 * len);
	p = mmap(NULL, 2 * len, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
	q = mmap(NULL, 2 * len, PROT_READ, MAP_PRIVATE, fd, 0);
	ATF_REQUIRE(p != MAP_FAILED && q != MAP_FAILED);
	close(fd);
	ATF_CHECK_EQ('a', p[0]);
	ATF_CHECK_EQ('b', p[len]);
	ATF_CHECK_EQ(0, p[2 * len - 1]);
	p[0] = 'x';
	ATF_CHECK_EQ('x', p[0]);
	ATF_CHECK_EQ('a', q[0]);
	ATF_REQUIRE(msync(p, 2 * len, MS_SYNC) == 0);
	fd = open("f", O_RDONLY);
	ATF_CHECK_EQ('a', file_byte(fd, 0));
}

ATF_TC_WITHOUT_HEAD(shared_file);
ATF_TC_BODY(shared_file, tc)
{
	const size_t len = pagesize();
	char *p, *q;
	int fd;

	fd = file("f", 2 * len);
	p = mmap(NULL, 2 * len, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	q = mmap(NULL, len, PROT_READ, MAP_SHARED, fd, len);
	ATF_REQUIRE(p != MAP_FAILED && q != MAP_FAILED);
	p[len + 7] = 'x';
	ATF_CHECK_EQ('x', q[7]);
	ATF_REQUIRE(msync(p, 2 * len, MS_SYNC) == 0);
	ATF_CHECK_EQ('x', file_byte(fd, len + 7));
	ATF_CHECK_EQ('a', file_byte(fd, 0));
}

ATF_TC_WITHOUT_HEAD(end_of_file);
ATF_TC_BODY(end_of_file, tc)
{
	const size_t len = pagesize();
	char *p;
	int fd;

	fd = file("f", len + 100);
	p = mmap(NULL, 3 * len, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	ATF_REQUIRE(p != MAP_FAILED);
	CHECK_LOAD(p + len, 'b');
	CHECK_LOAD(p + 2 * len - 1, 0);
	CHECK_FAULT(p + 2 * len + 5, false, SIGBUS, BUS_OBJERR);
	CHECK_FAULT(p + 2 * len + 5, true, SIGBUS, BUS_OBJERR);
	/* What is stored behind the end does not make the file longer. */
	p[len + 200] = 'x';
	ATF_REQUIRE(msync(p, len + 100, MS_SYNC) == 0);
	ATF_CHECK_EQ((off_t)len + 100, lseek(fd, 0, SEEK_END));
}

ATF_TC_WITHOUT_HEAD(dev_zero);
ATF_TC_BODY(dev_zero, tc)
{
	char *p;
	int fd;

	fd = open("/dev/zero", O_RDWR);
	ATF_REQUIRE(fd >= 0);
	p = mmap(NULL, pagesize(), PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
	ATF_REQUIRE(p != MAP_FAILED);
	CHECK_LOAD(p, 0);
	CHECK_STORE(p);
	ATF_CHECK_EQ('s', p[0]);
}

ATF_TC_WITHOUT_HEAD(shared_with_child);
ATF_TC_BODY(shared_with_child, tc)
{
	char *shared, *private;
	pid_t pid;

	private = anon(1, PROT_READ | PROT_WRITE);
	shared = mmap(NULL, pagesize(), PROT_READ | PROT_WRITE,
	    MAP_ANON | MAP_SHARED, -1, 0);
	ATF_REQUIRE(shared != MAP_FAILED);
	*private = 'p';
	pid = fork();
	if (pid == 0) {
		*shared = *private + 1;
		*private = 'c';
		_exit(0);
	}
	join(pid);
	ATF_CHECK_EQ('q', *shared);
	ATF_CHECK_EQ('p', *private);
}

ATF_TC_WITHOUT_HEAD(address_space_limit);
ATF_TC_BODY(address_space_limit, tc)
{
	/* More than any address space has. */
	MMAP_ERRNO(
	    ENOMEM, (size_t)1 << 62, PROT_READ, MAP_ANON | MAP_PRIVATE, -1, 0);
	/* Rounding up wraps. */
	MMAP_ERRNO(ENOMEM, SIZE_MAX, PROT_READ, MAP_ANON | MAP_PRIVATE, -1, 0);
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, anonymous_memory_is_zero);
	ATF_TP_ADD_TC(tp, arguments);
	ATF_TP_ADD_TC(tp, prot_max);
	ATF_TP_ADD_TC(tp, descriptors);
	ATF_TP_ADD_TC(tp, offset_need_not_be_aligned);
	ATF_TP_ADD_TC(tp, fixed);
	ATF_TP_ADD_TC(tp, excl);
	ATF_TP_ADD_TC(tp, guard);
	ATF_TP_ADD_TC(tp, aligned);
	ATF_TP_ADD_TC(tp, hints);
	ATF_TP_ADD_TC(tp, private_file);
	ATF_TP_ADD_TC(tp, shared_file);
	ATF_TP_ADD_TC(tp, end_of_file);
	ATF_TP_ADD_TC(tp, dev_zero);
	ATF_TP_ADD_TC(tp, shared_with_child);
	ATF_TP_ADD_TC(tp, address_space_limit);
	return (atf_no_error());
}
