// SPDX-License-Identifier: BSD-2-Clause
/*
 * Shared memory objects. The flags of open(2) come with the numbers of this host
 * and go to the kernel with those of FreeBSD.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include "window.h"

#define MFD_PREFIX     "memfd:"
/* Where the flags name a size of large pages. */
#define MFD_HUGE_SIZES 0xfc000000u

static int fail(int error)
{
	errno = error;
	return -1;
}

static int open_flags(int flags, __u32 *bsd_flags)
{
	static const struct {
		int host;
		__u32 bsd;
	} table[] = {
		{ O_CREAT, BSDVM_O_CREAT },
		{ O_EXCL, BSDVM_O_EXCL },
		{ O_TRUNC, BSDVM_O_TRUNC },
		{ O_CLOEXEC, BSDVM_O_CLOEXEC },
	};
	size_t i;

	switch (flags & O_ACCMODE) {
	case O_RDONLY:
		*bsd_flags = BSDVM_O_RDONLY;
		break;
	case O_RDWR:
		*bsd_flags = BSDVM_O_RDWR;
		break;
	default:
		return fail(EINVAL);
	}
	flags &= ~O_ACCMODE;
	for (i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		if (flags & table[i].host)
			*bsd_flags |= table[i].bsd;
		flags &= ~table[i].host;
	}
	return flags ? fail(EINVAL) : 0;
}

static int object_open(const char *path, int flags, mode_t mode, int shmflags)
{
	struct bsdvm_shm_open arg = {
		.size = sizeof(arg),
		.mode = mode,
		.shmflags = shmflags,
		.path = (uintptr_t)path,
	};

	if (open_flags(flags, &arg.flags))
		return -1;
	if (libbsdvm_device_ioctl(BSDVM_IOC_SHM_OPEN, &arg))
		return -1;
	return arg.fd;
}

int bsdvm_shm_open(const char *path, int flags, mode_t mode)
{
	return object_open(path, flags | O_CLOEXEC, mode, 0);
}

int bsdvm_shm_open2(const char *path, int flags, mode_t mode, int shmflags,
		    const char *name)
{
	const int fd = object_open(path, flags, mode, shmflags);

	(void)name;
	/* The kernel's descriptors are close-on-exec whatever was asked for. */
	if (fd >= 0 && !(flags & O_CLOEXEC))
		fcntl(fd, F_SETFD, 0);
	return fd;
}

int bsdvm_shm_unlink(const char *path)
{
	struct bsdvm_shm_unlink arg = {
		.size = sizeof(arg),
		.path = (uintptr_t)path,
	};

	return libbsdvm_device_ioctl(BSDVM_IOC_SHM_UNLINK, &arg);
}

int bsdvm_shm_rename(const char *from, const char *to, int flags)
{
	struct bsdvm_shm_rename arg = {
		.size = sizeof(arg),
		.flags = flags,
		.from = (uintptr_t)from,
		.to = (uintptr_t)to,
	};

	return libbsdvm_device_ioctl(BSDVM_IOC_SHM_RENAME, &arg);
}

int bsdvm_memfd_create(const char *name, unsigned int flags)
{
	const unsigned int known = BSDVM_MFD_CLOEXEC | BSDVM_MFD_ALLOW_SEALING |
				   BSDVM_MFD_HUGETLB | MFD_HUGE_SIZES;
	int open_flags = O_RDWR;
	int shmflags = BSDVM_SHM_GROW_ON_WRITE;

	if (!name)
		return fail(EBADF);
	if (strlen(name) + strlen(MFD_PREFIX) > NAME_MAX || (flags & ~known))
		return fail(EINVAL);
	if ((flags & MFD_HUGE_SIZES) && !(flags & BSDVM_MFD_HUGETLB))
		return fail(EINVAL);
	if (flags & BSDVM_MFD_HUGETLB)
		return fail(ENOSYS);
	if (flags & BSDVM_MFD_CLOEXEC)
		open_flags |= O_CLOEXEC;
	if (flags & BSDVM_MFD_ALLOW_SEALING)
		shmflags |= BSDVM_SHM_ALLOW_SEALING;
	return bsdvm_shm_open2(BSDVM_SHM_ANON_PATH, open_flags, 0, shmflags,
			       name);
}

int bsdvm_shm_create_largepage(const char *path, int flags, int psind,
			       int alloc_policy, mode_t mode)
{
	/* x86 has 4 KiB, 2 MiB and 1 GiB; the first is not large. */
	if (psind < 1 || psind > 2 ||
	    alloc_policy < BSDVM_SHM_LARGEPAGE_ALLOC_DEFAULT ||
	    alloc_policy > BSDVM_SHM_LARGEPAGE_ALLOC_HARD)
		return fail(EINVAL);
	return bsdvm_shm_open2(path, flags | O_CREAT, mode, BSDVM_SHM_LARGEPAGE,
			       NULL);
}

int bsdvm_shm_seals(int fd, int add)
{
	struct bsdvm_shm_seals arg = {
		.size = sizeof(arg),
		.fd = fd,
		.add = add,
	};

	if (libbsdvm_device_ioctl(BSDVM_IOC_SHM_SEALS, &arg))
		return -1;
	return arg.seals;
}
