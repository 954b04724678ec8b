// SPDX-License-Identifier: BSD-2-Clause
/* Shared memory objects: what they are and what can be done with them. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "scene.h"
#include "effects.h"

#define SHARED	BSDVM_MAP_SHARED
#define PRIVATE BSDVM_MAP_PRIVATE
#define A	"/semantics.a"
#define B	"/semantics.b"

static int shm_named(const char *name, int flags)
{
	const int fd = bsdvm_shm_open(name, O_RDWR | flags, 0600);

	ASSERT(fd >= 0);
	return fd;
}

/* An object without a name, of this many pages. */
static int shm_anon(size_t pages)
{
	const int fd = shm_named(BSDVM_SHM_ANON_PATH, 0);

	ASSERT(!ftruncate(fd, pages * PAGE));
	return fd;
}

static off_t size_of(int fd)
{
	struct stat st;

	ASSERT(!fstat(fd, &st));
	return st.st_size;
}

static char *map_shared(int fd, size_t pages)
{
	return must_map(NULL, pages * PAGE, RW, SHARED, fd, 0);
}

static mode_t mode_of(int fd)
{
	struct stat st;

	ASSERT(!fstat(fd, &st));
	return st.st_mode & 07777;
}

void effect_shm_new(void)
{
	int fd;

	umask(022);
	fd = bsdvm_shm_open(A, O_RDWR | O_CREAT | O_EXCL, 0666);
	ASSERT(fd >= 0);
	EXPECT_EQ(size_of(fd), 0);
	EXPECT_EQ(mode_of(fd), 0644);
	EXPECT(fcntl(fd, F_GETFD) & FD_CLOEXEC);
	EXPECT_EQ(fcntl(fd, F_GETFL) & O_ACCMODE, O_RDWR);
	/* The mode is the object's and holds for whoever opens it later. */
	EXPECT_ERRNO(fchmod(fd, 0600), 0);
	EXPECT_EQ(mode_of(shm_named(A, 0)), 0600);
	ASSERT(!unprivileged());
	EXPECT_ERRNO(bsdvm_shm_open(A, O_RDONLY, 0), EACCES);
}

void effect_shm_size(void)
{
	const int fd = shm_anon(64);
	char *map = map_shared(fd, 64);
	uint64_t used;

	EXPECT_EQ(size_of(fd), 64 * PAGE);
	EXPECT(vm_all(map, 64 * PAGE, 0));
	memset(map, 'x', 64 * PAGE);
	used = vm_free_pages();
	EXPECT_ERRNO(ftruncate(fd, PAGE + 100), 0);
	EXPECT(vm_free_pages() >= used + 60);
	EXPECT_EQ(size_of(fd), PAGE + 100);
	EXPECT_EQ(vm_read(map + 2 * PAGE).sig, SIGBUS);
	EXPECT_ERRNO(ftruncate(fd, 3 * PAGE), 0);
	EXPECT(vm_all(map, PAGE + 100, 'x'));
	EXPECT(vm_all(map + PAGE + 100, 2 * PAGE - 100, 0));
	EXPECT_ERRNO(ftruncate(fd, -1), EINVAL);
}

void effect_shm_trunc(void)
{
	const int fd = shm_named(A, O_CREAT);

	ASSERT(!ftruncate(fd, 2 * PAGE));
	*map_shared(fd, 2) = 'x';
	EXPECT_EQ(size_of(shm_named(A, 0)), 2 * PAGE);
	EXPECT_EQ(size_of(shm_named(A, O_TRUNC)), 0);
	EXPECT_EQ(size_of(fd), 0);
	ASSERT(!ftruncate(fd, PAGE));
	EXPECT_EQ(*map_shared(fd, 1), 0);
}

void effect_shm_anon(void)
{
	char *a = map_shared(shm_anon(1), 1), *b = map_shared(shm_anon(1), 1);

	*a = 'a';
	EXPECT_EQ(*b, 0);
	IN_CHILD()
	{
		*a = 'c';
	}
	EXPECT_EQ(*a, 'c');
}

void effect_shm_name(void)
{
	int fd = shm_named(A, O_CREAT);
	char *map;

	ASSERT(!ftruncate(fd, PAGE));
	map = map_shared(fd, 1);
	close(fd);
	*map = 'p';
	IN_CHILD()
	{
		char *again = map_shared(shm_named(A, 0), 1);

		EXPECT_EQ(*again, 'p');
		*again = 'c';
	}
	EXPECT_EQ(*map, 'c');
	EXPECT_ERRNO(bsdvm_shm_unlink(A), 0);
	EXPECT_ERRNO(bsdvm_shm_open(A, O_RDWR, 0), ENOENT);
	EXPECT_EQ(*map, 'c');
	fd = shm_named(A, O_CREAT | O_EXCL);
	EXPECT_EQ(size_of(fd), 0);
}

static void send_fd(int sock, int fd)
{
	char control[CMSG_SPACE(sizeof(int))] = { 0 }, byte = 0;
	struct iovec iov = { &byte, 1 };
	struct msghdr msg = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control,
		.msg_controllen = sizeof(control),
	};
	struct cmsghdr *cmsg = CMSG_FIRSTHDR(&msg);

	cmsg->cmsg_level = SOL_SOCKET;
	cmsg->cmsg_type = SCM_RIGHTS;
	cmsg->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(cmsg), &fd, sizeof(int));
	ASSERT(sendmsg(sock, &msg, 0) == 1);
}

static int receive_fd(int sock)
{
	char control[CMSG_SPACE(sizeof(int))], byte;
	struct iovec iov = { &byte, 1 };
	struct msghdr msg = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control,
		.msg_controllen = sizeof(control),
	};
	int fd;

	ASSERT(recvmsg(sock, &msg, 0) == 1);
	ASSERT(CMSG_FIRSTHDR(&msg));
	memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&msg)), sizeof(int));
	return fd;
}

void effect_shm_pass(void)
{
	int pair[2], fd;
	pid_t child;
	char *map;

	ASSERT(!socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
	/* Neither has a window yet: they are processes of their own. */
	child = harness_fork();
	close(pair[!child ? 0 : 1]);
	if (!child) {
		fd = shm_anon(2);
		map = map_shared(fd, 2);
		map[PAGE] = 'c';
		send_fd(pair[1], fd);
		ASSERT(read(pair[1], map, 1) == 1);
		EXPECT_EQ(map[PAGE], 'p');
		harness_exit();
	}
	fd = receive_fd(pair[0]);
	EXPECT_EQ(size_of(fd), 2 * PAGE);
	map = map_shared(fd, 2);
	EXPECT_EQ(map[PAGE], 'c');
	map[PAGE] = 'p';
	ASSERT(write(pair[0], "!", 1) == 1);
	harness_join(child);
	EXPECT_EQ(map[0], '!');
	EXPECT_EQ(map[PAGE], 'p');
}

void effect_shm_read(void)
{
	const int fd = shm_anon(2);
	char *map = map_shared(fd, 2), buf[8] = "";

	EXPECT_EQ(write(fd, "hello", 5), 5);
	EXPECT(!memcmp(map, "hello", 5));
	EXPECT_EQ(lseek(fd, 0, SEEK_CUR), 5);
	EXPECT_EQ(lseek(fd, PAGE, SEEK_SET), PAGE);
	map[PAGE] = 'x';
	EXPECT_EQ(read(fd, buf, 1), 1);
	EXPECT_EQ(buf[0], 'x');
	EXPECT_EQ(pread(fd, buf, 5, 0), 5);
	EXPECT(!memcmp(buf, "hello", 5));
	EXPECT_EQ(lseek(fd, 0, SEEK_END), 2 * PAGE);
	EXPECT_EQ(read(fd, buf, 1), 0);
}

void effect_shm_private(void)
{
	const int fd = shm_named(A, O_CREAT);
	char *map, *copy;
	int ro;

	ASSERT(!ftruncate(fd, PAGE));
	ro = bsdvm_shm_open(A, O_RDONLY, 0);
	ASSERT(ro >= 0);
	map = map_shared(fd, 1);
	*map = 's';
	copy = must_map(NULL, PAGE, RW, PRIVATE, ro, 0);
	EXPECT_EQ(*copy, 's');
	EXPECT_NO_FAULT(vm_write(copy, 'p'));
	EXPECT_EQ(*copy, 'p');
	EXPECT_EQ(*map, 's');
	EXPECT_EQ(vm_entry_at(copy).e.kve_max_protection & RW, RW);
}

void effect_shm_eof(void)
{
	const int fd = shm_anon(1);
	char *map = map_shared(fd, 3);

	*map = 'x';
	EXPECT_FAULT(vm_read(map + PAGE), SIGBUS, BUS_OBJERR, map + PAGE);
	EXPECT_FAULT(vm_write(map + 2 * PAGE, 1), SIGBUS, BUS_OBJERR,
		     map + 2 * PAGE);
	/* Once it is larger, the same mapping shows more. */
	ASSERT(!ftruncate(fd, 2 * PAGE));
	EXPECT_NO_FAULT(vm_write(map + PAGE, 'y'));
	EXPECT_EQ(vm_read(map + 2 * PAGE).sig, SIGBUS);
	EXPECT_EQ(*map, 'x');
}

static void make_named(const char *name, char byte)
{
	const int fd = shm_named(name, O_CREAT | O_EXCL);

	ASSERT(!ftruncate(fd, PAGE));
	*map_shared(fd, 1) = byte;
	close(fd);
}

static char byte_of(const char *name)
{
	return *map_shared(shm_named(name, 0), 1);
}

void effect_shm_rename_effect(void)
{
	make_named(A, 'a');
	EXPECT_ERRNO(bsdvm_shm_rename(A, B, 0), 0);
	EXPECT_ERRNO(bsdvm_shm_open(A, O_RDWR, 0), ENOENT);
	EXPECT_EQ(byte_of(B), 'a');
	make_named(A, 'n');
	EXPECT_ERRNO(bsdvm_shm_rename(A, B, BSDVM_SHM_RENAME_EXCHANGE), 0);
	EXPECT_EQ(byte_of(A), 'a');
	EXPECT_EQ(byte_of(B), 'n');
	EXPECT_ERRNO(bsdvm_shm_rename(A, B, 0), 0);
	EXPECT_EQ(byte_of(B), 'a');
	EXPECT_ERRNO(bsdvm_shm_unlink(A), ENOENT);
	/* Nothing to exchange it with: a plain change of the name. */
	EXPECT_ERRNO(bsdvm_shm_rename(B, A, BSDVM_SHM_RENAME_EXCHANGE), 0);
	EXPECT_EQ(byte_of(A), 'a');
}

/* --- seals */

static int shm_sealable(void)
{
	const int fd = bsdvm_memfd_create(
		"semantics", BSDVM_MFD_CLOEXEC | BSDVM_MFD_ALLOW_SEALING);

	ASSERT(fd >= 0);
	ASSERT(!ftruncate(fd, 2 * PAGE));
	return fd;
}

void effect_shm_seal(void)
{
	const int fd = shm_sealable();
	char *map;

	EXPECT_EQ(bsdvm_shm_seals(fd, BSDVM_F_SEAL_GROW), BSDVM_F_SEAL_GROW);
	EXPECT_ERRNO(ftruncate(fd, 3 * PAGE), EPERM);
	EXPECT_ERRNO(ftruncate(fd, PAGE), 0);
	EXPECT_EQ(bsdvm_shm_seals(fd, BSDVM_F_SEAL_SHRINK),
		  BSDVM_F_SEAL_GROW | BSDVM_F_SEAL_SHRINK);
	EXPECT_ERRNO(ftruncate(fd, 0), EPERM);
	EXPECT_ERRNO(ftruncate(fd, PAGE), 0);
	EXPECT_EQ(pwrite(fd, "x", 1, 0), 1);
	EXPECT_EQ(bsdvm_shm_seals(fd, BSDVM_F_SEAL_WRITE),
		  BSDVM_F_SEAL_GROW | BSDVM_F_SEAL_SHRINK | BSDVM_F_SEAL_WRITE);
	EXPECT_ERRNO(pwrite(fd, "y", 1, 0), EPERM);
	EXPECT_ERRNO(bsdvm_mmap(NULL, PAGE, RW, SHARED, fd, 0), EACCES);
	map = must_map(NULL, PAGE, R, SHARED, fd, 0);
	EXPECT_EQ(*map, 'x');
	EXPECT_ERRNO(bsdvm_mprotect(map, PAGE, RW), EACCES);
	map = must_map(NULL, PAGE, RW, PRIVATE, fd, 0);
	EXPECT_NO_FAULT(vm_write(map, 'p'));
	EXPECT_EQ(vm_file_read(fd, 0), 'x');
}

void effect_shm_seal_busy(void)
{
	const int fd = shm_sealable();
	char *map = map_shared(fd, 1);

	EXPECT_ERRNO(bsdvm_shm_seals(fd, BSDVM_F_SEAL_WRITE), EBUSY);
	EXPECT_EQ(bsdvm_shm_seals(fd, 0), 0);
	*map = 'x';
	ASSERT(!bsdvm_munmap(map, PAGE));
	/* To read, or privately, is no hindrance. */
	must_map(NULL, PAGE, R, PRIVATE, fd, 0);
	EXPECT_EQ(bsdvm_shm_seals(fd, BSDVM_F_SEAL_WRITE), BSDVM_F_SEAL_WRITE);
	EXPECT_EQ(vm_file_read(fd, 0), 'x');
}

void effect_shm_seal_seal(void)
{
	int fd = shm_sealable();

	EXPECT_EQ(bsdvm_shm_seals(fd, BSDVM_F_SEAL_SEAL), BSDVM_F_SEAL_SEAL);
	EXPECT_ERRNO(bsdvm_shm_seals(fd, BSDVM_F_SEAL_GROW), EPERM);
	EXPECT_ERRNO(ftruncate(fd, 3 * PAGE), 0);
	fd = shm_anon(1);
	EXPECT_EQ(bsdvm_shm_seals(fd, 0), BSDVM_F_SEAL_SEAL);
	EXPECT_ERRNO(bsdvm_shm_seals(fd, BSDVM_F_SEAL_GROW), EPERM);
	EXPECT_ERRNO(bsdvm_shm_seals(fd, 0x100), EINVAL);
	EXPECT_ERRNO(bsdvm_shm_seals(999, 0), EBADF);
	EXPECT_ERRNO(bsdvm_shm_seals(vm_file("/tmp", PAGE), 0), EINVAL);
}

void effect_shm_grow(void)
{
	int fd = bsdvm_shm_open2(BSDVM_SHM_ANON_PATH, O_RDWR | O_CLOEXEC, 0600,
				 BSDVM_SHM_GROW_ON_WRITE, NULL);

	ASSERT(fd >= 0);
	EXPECT_EQ(pwrite(fd, "hello", 5, PAGE), 5);
	EXPECT_EQ(size_of(fd), PAGE + 5);
	EXPECT_EQ(vm_file_read(fd, 0), 0);
	EXPECT_EQ(vm_file_read(fd, PAGE + 4), 'o');
	/* Others keep their size. */
	fd = shm_anon(1);
	pwrite(fd, "hello", 5, PAGE - 2);
	EXPECT_EQ(size_of(fd), PAGE);
}

void effect_shm_large(void)
{
	EXPECT_ERRNO(bsdvm_shm_create_largepage(BSDVM_SHM_ANON_PATH, O_RDWR, 0,
						0, 0600),
		     EINVAL);
	EXPECT_ERRNO(bsdvm_shm_create_largepage(BSDVM_SHM_ANON_PATH, O_RDWR, 1,
						9, 0600),
		     EINVAL);
	EXPECT_ERRNO(bsdvm_shm_create_largepage(BSDVM_SHM_ANON_PATH, O_RDWR, 1,
						0, 0600),
		     EOPNOTSUPP);
}
