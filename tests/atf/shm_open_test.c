/* SPDX-License-Identifier: BSD-2-Clause */

#include "common.h"

#include <stdio.h>

static int
shm(const char *path, int flags)
{
	int fd;

	fd = shm_open(path, flags, 0600);
	ATF_REQUIRE_MSG(fd >= 0, "shm_open: %s", strerror(errno));
	return (fd);
}

static int
shm_anon(size_t pages)
{
	int fd;

	fd = shm(SHM_ANON, O_RDWR);
	ATF_REQUIRE(ftruncate(fd, pages * pagesize()) == 0);
	return (fd);
}

static char *
map(int fd, size_t pages, int prot, int flags)
{
	char *p;

	p = mmap(NULL, pages * pagesize(), prot, flags, fd, 0);
	ATF_REQUIRE_MSG(p != MAP_FAILED, "mmap: %s", strerror(errno));
	return (p);
}

/* A name that no other test has. */
static const char *
name(const char *suffix)
{
	static char text[2][64];
	static int next;

	next = !next;
	snprintf(text[next], sizeof(text[next]), "/test.%ld.%s", (long)getpid(),
	    suffix);
	return (text[next]);
}

ATF_TC_WITHOUT_HEAD(arguments);
ATF_TC_BODY(arguments, tc)
{
	char path[1100];

	ATF_CHECK_ERRNO(EINVAL, shm_open(SHM_ANON, O_RDONLY, 0600) == -1);
	ATF_CHECK_ERRNO(EINVAL, shm_open("/a", O_WRONLY | O_CREAT, 0600) == -1);
	ATF_CHECK_ERRNO(
	    EINVAL, shm_open("/a", O_RDWR | O_CREAT | O_APPEND, 0600) == -1);
	ATF_CHECK_ERRNO(EINVAL, shm_open("a", O_RDWR | O_CREAT, 0600) == -1);
	ATF_CHECK_ERRNO(EFAULT, shm_open((char *)8, O_RDWR, 0600) == -1);
	ATF_CHECK_ERRNO(ENOENT, shm_open(name("none"), O_RDWR, 0600) == -1);
	memset(path, 'x', sizeof(path));
	path[0] = '/';
	path[sizeof(path) - 1] = '\0';
	ATF_CHECK_ERRNO(
	    ENAMETOOLONG, shm_open(path, O_RDWR | O_CREAT, 0600) == -1);
	ATF_CHECK_ERRNO(ENAMETOOLONG, shm_unlink(path) == -1);
	ATF_CHECK_ERRNO(ENOENT, shm_unlink(name("none")) == -1);
}

ATF_TC_WITHOUT_HEAD(named_objects);
ATF_TC_BODY(named_objects, tc)
{
	const char *path = name("a");
	struct stat sb;
	char *p, *q;
	int fd, fd2;

	fd = shm(path, O_RDWR | O_CREAT | O_EXCL);
	ATF_CHECK_ERRNO(
	    EEXIST, shm_open(path, O_RDWR | O_CREAT | O_EXCL, 0600) == -1);
	ATF_REQUIRE(ftruncate(fd, pagesize()) == 0);
	p = map(fd, 1, PROT_READ | PROT_WRITE, MAP_SHARED);
	fd2 = shm(path, O_RDWR | O_CREAT);
	q = map(fd2, 1, PROT_READ, MAP_SHARED);
	*p = 'x';
	ATF_CHECK_EQ('x', *q);
	ATF_REQUIRE(fstat(fd2, &sb) == 0);
	ATF_CHECK_EQ((off_t)pagesize(), sb.st_size);
	ATF_CHECK_EQ(0600, sb.st_mode & 07777);
	ATF_CHECK(shm_unlink(path) == 0);
	ATF_CHECK_ERRNO(ENOENT, shm_open(path, O_RDWR, 0600) == -1);
	/* What is open and mapped lives on. */
	*p = 'y';
	ATF_CHECK_EQ('y', *q);
	close(fd);
	close(fd2);
	ATF_CHECK_EQ('y', *q);
	/* The name is free, for an empty object. */
	fd = shm(path, O_RDWR | O_CREAT | O_EXCL);
	ATF_REQUIRE(fstat(fd, &sb) == 0);
	ATF_CHECK_EQ(0, sb.st_size);
	ATF_CHECK(shm_unlink(path) == 0);
}

ATF_TC_WITHOUT_HEAD(truncation);
ATF_TC_BODY(truncation, tc)
{
	const char *path = name("t");
	const size_t len = pagesize();
	struct stat sb;
	char *p;
	int fd;

	fd = shm(path, O_RDWR | O_CREAT);
	ATF_REQUIRE(ftruncate(fd, 3 * len) == 0);
	p = map(fd, 3, PROT_READ | PROT_WRITE, MAP_SHARED);
	memset(p, 'x', 3 * len);
	ATF_REQUIRE(ftruncate(fd, len + 10) == 0);
	CHECK_LOAD(p + len + 9, 'x');
	CHECK_LOAD(p + len + 10, 0);
	CHECK_FAULT(p + 2 * len, false, SIGBUS, BUS_OBJERR);
	ATF_REQUIRE(ftruncate(fd, 3 * len) == 0);
	CHECK_LOAD(p + 2 * len, 0);
	CHECK_LOAD(p + 2 * len - 1, 0);
	close(shm(path, O_RDWR | O_TRUNC));
	ATF_REQUIRE(fstat(fd, &sb) == 0);
	ATF_CHECK_EQ(0, sb.st_size);
	CHECK_FAULT(p, true, SIGBUS, BUS_OBJERR);
	ATF_CHECK(shm_unlink(path) == 0);
}

ATF_TC_WITHOUT_HEAD(anonymous_objects);
ATF_TC_BODY(anonymous_objects, tc)
{
	struct stat sb;
	char *p, *q;
	int fd, fd2;

	fd = shm(SHM_ANON, O_RDWR);
	fd2 = shm_anon(1);
	ATF_REQUIRE(fstat(fd, &sb) == 0);
	ATF_CHECK_EQ(0, sb.st_size);
	ATF_REQUIRE(ftruncate(fd, pagesize()) == 0);
	p = map(fd, 1, PROT_READ | PROT_WRITE, MAP_SHARED);
	q = map(fd2, 1, PROT_READ | PROT_WRITE, MAP_SHARED);
	*p = 'x';
	ATF_CHECK_EQ(0, *q);
	ATF_CHECK(fcntl(fd, F_GETFD) & FD_CLOEXEC);
}

ATF_TC_WITHOUT_HEAD(access_follows_the_descriptor);
ATF_TC_BODY(access_follows_the_descriptor, tc)
{
	const char *path = name("r");
	char *p;
	int fd, rdonly;

	fd = shm(path, O_RDWR | O_CREAT);
	ATF_REQUIRE(ftruncate(fd, pagesize()) == 0);
	rdonly = shm(path, O_RDONLY);
	ATF_CHECK(shm_unlink(path) == 0);
	ATF_CHECK_ERRNO(EACCES,
	    mmap(NULL, pagesize(), PROT_READ | PROT_WRITE, MAP_SHARED, rdonly,
		0) == MAP_FAILED);
	ATF_CHECK(ftruncate(rdonly, 0) == -1);
	p = map(rdonly, 1, PROT_READ, MAP_SHARED);
	ATF_CHECK_ERRNO(
	    EACCES, mprotect(p, pagesize(), PROT_READ | PROT_WRITE) == -1);
	p = map(rdonly, 1, PROT_READ | PROT_WRITE, MAP_PRIVATE);
	CHECK_STORE(p);
	CHECK_LOAD(map(fd, 1, PROT_READ, MAP_SHARED), 0);
}

ATF_TC(permissions);
ATF_TC_HEAD(permissions, tc)
{
	atf_tc_set_md_var(tc, "require.user", "root");
}
ATF_TC_BODY(permissions, tc)
{
	const char *path = name("p");
	pid_t pid;

	close(shm(path, O_RDWR | O_CREAT));
	pid = fork();
	if (pid == 0) {
		if (setgid(65534) != 0 || setuid(65534) != 0)
			_exit(1);
		if (shm_open(path, O_RDWR, 0) != -1 || errno != EACCES)
			_exit(2);
		if (shm_open(path, O_RDONLY, 0) != -1 || errno != EACCES)
			_exit(3);
		if (shm_unlink(path) != -1 || errno != EACCES)
			_exit(4);
		_exit(0);
	}
	join(pid);
	ATF_CHECK(shm_unlink(path) == 0);
}

ATF_TC_WITHOUT_HEAD(read_and_write);
ATF_TC_BODY(read_and_write, tc)
{
	const size_t len = pagesize();
	char buf[8], *p;
	int fd;

	fd = shm_anon(2);
	p = map(fd, 2, PROT_READ | PROT_WRITE, MAP_SHARED);
	memcpy(p + len - 2, "abcd", 4);
	ATF_REQUIRE_EQ(4, pread(fd, buf, 4, len - 2));
	ATF_CHECK(memcmp(buf, "abcd", 4) == 0);
	ATF_REQUIRE_EQ(3, pwrite(fd, "xyz", 3, len - 1));
	ATF_CHECK(memcmp(p + len - 2, "axyz", 4) == 0);
	/* Neither goes behind the end. */
	ATF_CHECK_EQ(1, pread(fd, buf, 4, 2 * len - 1));
	ATF_CHECK_EQ(0, pread(fd, buf, 4, 2 * len));
	ATF_CHECK_EQ((off_t)(2 * len), lseek(fd, 0, SEEK_END));
}

ATF_TC_WITHOUT_HEAD(children_share_it);
ATF_TC_BODY(children_share_it, tc)
{
	struct turns turns;
	char *shared, *private;
	pid_t pid;
	int fd;

	turns_init(&turns);
	fd = shm_anon(1);
	shared = map(fd, 1, PROT_READ | PROT_WRITE, MAP_SHARED);
	private = map(fd, 1, PROT_READ | PROT_WRITE, MAP_PRIVATE);
	*shared = 'o';
	pid = fork();
	if (pid == 0) {
		if (*private != 'o')
			_exit(1);
		*private = 'c';
		*shared = 'C';
		give(turns.child);
		take(turns.parent);
		_exit(*shared == 'P' && *private == 'c' ? 0 : 2);
	}
	take(turns.child);
	ATF_CHECK_EQ('C', *shared);
	*shared = 'P';
	*private = 'p';
	give(turns.parent);
	join(pid);
	ATF_CHECK_EQ('p', *private);
}

ATF_TC_WITHOUT_HEAD(renaming);
ATF_TC_BODY(renaming, tc)
{
	const char *a = name("a"), *b = name("b");
	struct stat sb;
	int fd;

	fd = shm(a, O_RDWR | O_CREAT);
	ATF_REQUIRE(ftruncate(fd, 111) == 0);
	fd = shm(b, O_RDWR | O_CREAT);
	ATF_REQUIRE(ftruncate(fd, 222) == 0);
	ATF_CHECK_ERRNO(EINVAL, shm_rename(a, b, 0x80) == -1);
	ATF_CHECK_ERRNO(EINVAL,
	    shm_rename(a, b, SHM_RENAME_NOREPLACE | SHM_RENAME_EXCHANGE) == -1);
	ATF_CHECK_ERRNO(EEXIST, shm_rename(a, b, SHM_RENAME_NOREPLACE) == -1);
	ATF_CHECK(shm_rename(a, b, SHM_RENAME_EXCHANGE) == 0);
	ATF_REQUIRE(fstat(shm(a, O_RDWR), &sb) == 0);
	ATF_CHECK_EQ(222, sb.st_size);
	ATF_REQUIRE(fstat(shm(b, O_RDWR), &sb) == 0);
	ATF_CHECK_EQ(111, sb.st_size);
	ATF_CHECK(shm_rename(a, b, 0) == 0);
	ATF_REQUIRE(fstat(shm(b, O_RDWR), &sb) == 0);
	ATF_CHECK_EQ(222, sb.st_size);
	ATF_CHECK_ERRNO(ENOENT, shm_rename(a, b, 0) == -1);
	ATF_CHECK(shm_rename(b, a, SHM_RENAME_NOREPLACE) == 0);
	ATF_CHECK(shm_unlink(a) == 0);
	ATF_CHECK_ERRNO(ENOENT, shm_unlink(b) == -1);
}

ATF_TC_WITHOUT_HEAD(seals);
ATF_TC_BODY(seals, tc)
{
	const size_t len = pagesize();
	char *p;
	int fd;

	fd = memfd_create("sealed", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	ATF_REQUIRE(fd >= 0);
	ATF_CHECK_EQ(0, fcntl(fd, F_GET_SEALS));
	ATF_REQUIRE(ftruncate(fd, 2 * len) == 0);
	ATF_REQUIRE(fcntl(fd, F_ADD_SEALS, F_SEAL_GROW) == 0);
	ATF_CHECK_ERRNO(EPERM, ftruncate(fd, 3 * len) == -1);
	ATF_CHECK(ftruncate(fd, len) == 0);
	ATF_REQUIRE(fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK) == 0);
	ATF_CHECK_ERRNO(EPERM, ftruncate(fd, 0) == -1);
	p = map(fd, 1, PROT_READ | PROT_WRITE, MAP_SHARED);
	ATF_CHECK_ERRNO(EBUSY, fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE) == -1);
	*p = 'x';
	ATF_REQUIRE(munmap(p, len) == 0);
	ATF_REQUIRE(fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE) == 0);
	ATF_CHECK_ERRNO(EPERM, pwrite(fd, "y", 1, 0) == -1);
	ATF_CHECK(mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0) ==
	    MAP_FAILED);
	CHECK_LOAD(map(fd, 1, PROT_READ, MAP_SHARED), 'x');
	ATF_CHECK_EQ(
	    F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_WRITE, fcntl(fd, F_GET_SEALS));
	ATF_REQUIRE(fcntl(fd, F_ADD_SEALS, F_SEAL_SEAL) == 0);
	ATF_CHECK_ERRNO(EPERM, fcntl(fd, F_ADD_SEALS, F_SEAL_GROW) == -1);
	/* Who did not ask for seals gets an object that has all of them off. */
	fd = memfd_create("plain", 0);
	ATF_REQUIRE(fd >= 0);
	ATF_CHECK_ERRNO(EPERM, fcntl(fd, F_ADD_SEALS, F_SEAL_GROW) == -1);
	ATF_CHECK_EQ(0, fcntl(fd, F_GETFD) & FD_CLOEXEC);
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, arguments);
	ATF_TP_ADD_TC(tp, named_objects);
	ATF_TP_ADD_TC(tp, truncation);
	ATF_TP_ADD_TC(tp, anonymous_objects);
	ATF_TP_ADD_TC(tp, access_follows_the_descriptor);
	ATF_TP_ADD_TC(tp, permissions);
	ATF_TP_ADD_TC(tp, read_and_write);
	ATF_TP_ADD_TC(tp, children_share_it);
	ATF_TP_ADD_TC(tp, renaming);
	ATF_TP_ADD_TC(tp, seals);
	return (atf_no_error());
}
