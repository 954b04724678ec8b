// SPDX-License-Identifier: BSD-2-Clause
/* The two that serve memory. */
#define _GNU_SOURCE
#include <err.h>
#include <sys/mman.h>

#include <bsdvm.h>

#include "bench.h"

static char *native_map(size_t len)
{
	void *p = mmap(NULL, len, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED)
		err(1, "mmap");
	return p;
}

static void native_unmap(char *addr, size_t len)
{
	if (munmap(addr, len))
		err(1, "munmap");
}

static char *native_map_file(int fd, size_t len)
{
	void *p = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	if (p == MAP_FAILED)
		err(1, "mmap");
	return p;
}

static void native_sync(char *addr, size_t len)
{
	if (msync(addr, len, MS_SYNC))
		err(1, "msync");
}

static void native_read_only(char *addr, size_t len)
{
	if (mprotect(addr, len, PROT_READ))
		err(1, "mprotect");
}

static void native_read_write(char *addr, size_t len)
{
	if (mprotect(addr, len, PROT_READ | PROT_WRITE))
		err(1, "mprotect");
}

static int native_memory_fd(void)
{
	return memfd_create("bench", 0);
}

static void native_advise_sequential(char *addr, size_t len)
{
	if (madvise(addr, len, MADV_SEQUENTIAL))
		err(1, "madvise");
}

const struct peer peer_native = {
	.name = "native",
	.map = native_map,
	.unmap = native_unmap,
	.map_file = native_map_file,
	.sync = native_sync,
	.memory_fd = native_memory_fd,
	.read_only = native_read_only,
	.read_write = native_read_write,
	.advise_sequential = native_advise_sequential,
};

static char *window_map(size_t len)
{
	void *p = bsdvm_mmap(NULL, len, BSDVM_PROT_READ | BSDVM_PROT_WRITE,
			     BSDVM_MAP_PRIVATE | BSDVM_MAP_ANON, -1, 0);

	if (p == BSDVM_MAP_FAILED)
		err(1, "bsdvm_mmap");
	return p;
}

static void window_unmap(char *addr, size_t len)
{
	if (bsdvm_munmap(addr, len))
		err(1, "bsdvm_munmap");
}

static char *window_map_file(int fd, size_t len)
{
	void *p = bsdvm_mmap(NULL, len, BSDVM_PROT_READ | BSDVM_PROT_WRITE,
			     BSDVM_MAP_SHARED, fd, 0);

	if (p == BSDVM_MAP_FAILED)
		err(1, "bsdvm_mmap");
	return p;
}

static void window_sync(char *addr, size_t len)
{
	if (bsdvm_msync(addr, len, BSDVM_MS_SYNC))
		err(1, "bsdvm_msync");
}

static void window_read_only(char *addr, size_t len)
{
	if (bsdvm_mprotect(addr, len, BSDVM_PROT_READ))
		err(1, "bsdvm_mprotect");
}

static void window_read_write(char *addr, size_t len)
{
	if (bsdvm_mprotect(addr, len, BSDVM_PROT_READ | BSDVM_PROT_WRITE))
		err(1, "bsdvm_mprotect");
}

static int window_memory_fd(void)
{
	return bsdvm_memfd_create("bench", 0);
}

static void window_advise_sequential(char *addr, size_t len)
{
	if (bsdvm_madvise(addr, len, BSDVM_MADV_SEQUENTIAL))
		err(1, "bsdvm_madvise");
}

const struct peer peer_bsdvm = {
	.name = "bsdvm",
	.map = window_map,
	.unmap = window_unmap,
	.map_file = window_map_file,
	.sync = window_sync,
	.memory_fd = window_memory_fd,
	.read_only = window_read_only,
	.read_write = window_read_write,
	.advise_sequential = window_advise_sequential,
};
