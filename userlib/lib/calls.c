// SPDX-License-Identifier: BSD-2-Clause
/* The BSD calls: each fills in its structure and leaves the rest to the kernel. */
#include <errno.h>
#include <stdint.h>
#include <unistd.h>

#include "window.h"

void *bsdvm_mmap(void *addr, size_t len, int prot, int flags, int fd, off_t off)
{
	struct bsdvm_mmap arg = {
		.size = sizeof(arg),
		.prot = prot,
		.flags = flags,
		.fd = fd,
		.addr = (uintptr_t)addr,
		.len = len,
		.offset = off,
	};

	if (libbsdvm_ioctl(BSDVM_IOC_MMAP, &arg))
		return BSDVM_MAP_FAILED;
	return (void *)(uintptr_t)arg.addr;
}

int bsdvm_munmap(void *addr, size_t len)
{
	struct bsdvm_munmap arg = {
		.size = sizeof(arg),
		.addr = (uintptr_t)addr,
		.len = len,
	};

	return libbsdvm_ioctl(BSDVM_IOC_MUNMAP, &arg);
}

int bsdvm_mprotect(void *addr, size_t len, int prot)
{
	struct bsdvm_mprotect arg = {
		.size = sizeof(arg),
		.prot = prot,
		.addr = (uintptr_t)addr,
		.len = len,
	};

	return libbsdvm_ioctl(BSDVM_IOC_MPROTECT, &arg);
}

int bsdvm_msync(void *addr, size_t len, int flags)
{
	struct bsdvm_msync arg = {
		.size = sizeof(arg),
		.flags = flags,
		.addr = (uintptr_t)addr,
		.len = len,
	};

	return libbsdvm_ioctl(BSDVM_IOC_MSYNC, &arg);
}

int bsdvm_minherit(void *addr, size_t len, int inherit)
{
	struct bsdvm_minherit arg = {
		.size = sizeof(arg),
		.inherit = inherit,
		.addr = (uintptr_t)addr,
		.len = len,
	};

	return libbsdvm_ioctl(BSDVM_IOC_MINHERIT, &arg);
}

void *bsdvm_mquery(void *addr, size_t len, int prot, int flags, int fd,
		   off_t off)
{
	struct bsdvm_mmap arg = {
		.size = sizeof(arg),
		.prot = prot,
		.flags = flags,
		.fd = fd,
		.addr = (uintptr_t)addr,
		.len = len,
		.offset = off,
	};

	if (libbsdvm_ioctl(BSDVM_IOC_MQUERY, &arg))
		return BSDVM_MAP_FAILED;
	return (void *)(uintptr_t)arg.addr;
}

void *bsdvm_mremap(void *old_addr, size_t old_len, void *new_addr,
		   size_t new_len, int flags)
{
	struct bsdvm_mremap arg = {
		.size = sizeof(arg),
		.flags = flags,
		.old_addr = (uintptr_t)old_addr,
		.old_len = old_len,
		.new_addr = (uintptr_t)new_addr,
		.new_len = new_len,
	};

	if (libbsdvm_ioctl(BSDVM_IOC_MREMAP, &arg))
		return BSDVM_MAP_FAILED;
	return (void *)(uintptr_t)arg.new_addr;
}

int bsdvm_mimmutable(void *addr, size_t len)
{
	struct bsdvm_mimmutable arg = {
		.size = sizeof(arg),
		.addr = (uintptr_t)addr,
		.len = len,
	};

	return libbsdvm_ioctl(BSDVM_IOC_MIMMUTABLE, &arg);
}

int bsdvm_madvise(void *addr, size_t len, int behav)
{
	struct bsdvm_madvise arg = {
		.size = sizeof(arg),
		.behav = behav,
		.addr = (uintptr_t)addr,
		.len = len,
	};

	return libbsdvm_ioctl(BSDVM_IOC_MADVISE, &arg);
}

int bsdvm_posix_madvise(void *addr, size_t len, int behav)
{
	const int saved = errno;
	const int error = bsdvm_madvise(addr, len, behav) ? errno : 0;

	errno = saved;
	return error;
}

int bsdvm_mincore(const void *addr, size_t len, char *vec)
{
	struct bsdvm_mincore arg = {
		.size = sizeof(arg),
		.addr = (uintptr_t)addr,
		.len = len,
		.vec = (uintptr_t)vec,
	};

	return libbsdvm_ioctl(BSDVM_IOC_MINCORE, &arg);
}

int bsdvm_mlock(const void *addr, size_t len)
{
	struct bsdvm_mlock arg = {
		.size = sizeof(arg),
		.addr = (uintptr_t)addr,
		.len = len,
	};

	return libbsdvm_ioctl(BSDVM_IOC_MLOCK, &arg);
}

int bsdvm_munlock(const void *addr, size_t len)
{
	struct bsdvm_mlock arg = {
		.size = sizeof(arg),
		.addr = (uintptr_t)addr,
		.len = len,
	};

	return libbsdvm_ioctl(BSDVM_IOC_MUNLOCK, &arg);
}

int bsdvm_mlockall(int flags)
{
	struct bsdvm_mlockall arg = { .size = sizeof(arg), .how = flags };

	return libbsdvm_ioctl(BSDVM_IOC_MLOCKALL, &arg);
}

int bsdvm_munlockall(void)
{
	struct bsdvm_mlockall arg = { .size = sizeof(arg) };

	return libbsdvm_ioctl(BSDVM_IOC_MUNLOCKALL, &arg);
}

int bsdvm_fault(void *addr, size_t len, int prot, size_t *done, int *outcome)
{
	struct bsdvm_fault arg = {
		.size = sizeof(arg),
		.prot = prot,
		.addr = (uintptr_t)addr,
		.len = len,
	};

	if (libbsdvm_ioctl(BSDVM_IOC_FAULT, &arg))
		return -1;
	if (done)
		*done = arg.done;
	if (outcome)
		*outcome = arg.outcome;
	return 0;
}

int bsdvm_stats(struct bsdvm_stats *stats)
{
	*stats = (struct bsdvm_stats){ .size = sizeof(*stats) };
	return libbsdvm_device_ioctl(BSDVM_IOC_STATS, stats);
}

int bsdvm_info(struct bsdvm_info *info)
{
	*info = (struct bsdvm_info){ .size = sizeof(*info) };
	return libbsdvm_device_ioctl(BSDVM_IOC_INFO, info);
}

int bsdvm_rusage(pid_t pid, struct bsdvm_rusage *usage)
{
	*usage = (struct bsdvm_rusage){ .size = sizeof(*usage), .pid = pid };
	return libbsdvm_process_ioctl(pid, BSDVM_IOC_RUSAGE, usage);
}

int bsdvm_getpagesizes(size_t pagesize[], int nelem)
{
	if (nelem < 0 || (nelem > 0 && !pagesize)) {
		errno = EINVAL;
		return -1;
	}
	if (nelem > 0)
		pagesize[0] = sysconf(_SC_PAGESIZE);
	return 1;
}
