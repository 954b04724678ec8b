// SPDX-License-Identifier: BSD-2-Clause
/* The BSD calls: each fills in its structure and leaves the rest to the kernel. */
#include <stdint.h>
#include <sys/ioctl.h>

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

/* What is known without a window makes none. */
static int device_ioctl(unsigned long request, void *arg)
{
	const int fd = bsdvm_fd();

	return fd < 0 || ioctl(fd, request, arg) ? -1 : 0;
}

int bsdvm_stats(struct bsdvm_stats *stats)
{
	*stats = (struct bsdvm_stats){ .size = sizeof(*stats) };
	return device_ioctl(BSDVM_IOC_STATS, stats);
}

int bsdvm_info(struct bsdvm_info *info)
{
	*info = (struct bsdvm_info){ .size = sizeof(*info) };
	return device_ioctl(BSDVM_IOC_INFO, info);
}
