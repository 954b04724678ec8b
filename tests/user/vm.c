// SPDX-License-Identifier: BSD-2-Clause
#define _GNU_SOURCE
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "vm.h"

char *vm_anon_flags(size_t pages, int flags)
{
	char *map = bsdvm_mmap(NULL, pages * PAGE, RW, BSDVM_MAP_ANON | flags,
			       -1, 0);

	ASSERT(map != BSDVM_MAP_FAILED);
	return map;
}

char *vm_anon(size_t pages)
{
	return vm_anon_flags(pages, BSDVM_MAP_PRIVATE);
}

struct bsdvm_stats vm_stats(void)
{
	struct bsdvm_stats stats;

	ASSERT(!bsdvm_stats(&stats));
	return stats;
}

uint64_t vm_free_of(struct bsdvm_stats stats)
{
	return stats.v_free_count + stats.v_kmem_count;
}

uint64_t vm_wired_of(struct bsdvm_stats stats)
{
	return stats.v_wire_count - stats.v_kmem_count;
}

uint64_t vm_free_pages(void)
{
	return vm_free_of(vm_stats());
}

uint64_t vm_free_settles(uint64_t want)
{
	const struct timespec nap = { .tv_nsec = 50 * 1000 * 1000 };
	uint64_t got = vm_free_pages();
	int tries;

	for (tries = 0; got != want && tries < 100; tries++) {
		nanosleep(&nap, NULL);
		got = vm_free_pages();
	}
	return got;
}

struct vm_entry vm_entry_at(const void *addr)
{
	struct vm_entry found = { 0 };
	struct bsdvm_vmentry *map, *e;
	size_t count;

	map = bsdvm_getvmmap(&count);
	ASSERT(map);
	for (e = map; count; count--, e = bsdvm_vmentry_next(e)) {
		size_t n = e->kve_nobjects;

		if ((uintptr_t)addr < e->kve_start ||
		    (uintptr_t)addr >= e->kve_end)
			continue;
		if (n > sizeof(found.object) / sizeof(found.object[0]))
			n = sizeof(found.object) / sizeof(found.object[0]);
		found.e = *e;
		memcpy(found.object, bsdvm_vmentry_objects(e),
		       n * sizeof(found.object[0]));
	}
	bsdvm_freevmmap(map);
	return found;
}

size_t vm_entry_count(void)
{
	struct bsdvm_vmentry *map;
	size_t count;

	map = bsdvm_getvmmap(&count);
	ASSERT(map);
	bsdvm_freevmmap(map);
	return count;
}

static sigjmp_buf escape;
static volatile struct vm_fault caught;

static void catch (int sig, siginfo_t *info, void *context)
{
	(void)context;
	caught.sig = sig;
	caught.code = info->si_code;
	caught.addr = info->si_addr;
	siglongjmp(escape, 1);
}

enum access {
	ACCESS_READ,
	ACCESS_WRITE,
	ACCESS_EXECUTE
};

static void do_access(enum access access, volatile char *addr, char byte)
{
	switch (access) {
	case ACCESS_READ:
		(void)*addr;
		break;
	case ACCESS_WRITE:
		*addr = byte;
		break;
	case ACCESS_EXECUTE:
		((void (*)(void))(uintptr_t)addr)();
		break;
	}
}

static struct vm_fault try_access(enum access access, volatile void *addr,
				  char byte)
{
	struct sigaction action = {
		.sa_sigaction = catch,
		.sa_flags = SA_SIGINFO,
	}, old_segv, old_bus;

	caught.sig = 0;
	caught.code = 0;
	caught.addr = NULL;
	sigaction(SIGSEGV, &action, &old_segv);
	sigaction(SIGBUS, &action, &old_bus);
	if (!sigsetjmp(escape, 1))
		do_access(access, addr, byte);
	sigaction(SIGSEGV, &old_segv, NULL);
	sigaction(SIGBUS, &old_bus, NULL);
	return (struct vm_fault){ caught.sig, caught.code, caught.addr };
}

struct vm_fault vm_read(const volatile void *addr)
{
	return try_access(ACCESS_READ, (volatile void *)addr, 0);
}

struct vm_fault vm_write(volatile void *addr, char byte)
{
	return try_access(ACCESS_WRITE, addr, byte);
}

struct vm_fault vm_execute(void *addr)
{
	return try_access(ACCESS_EXECUTE, addr, 0);
}

void vm_each_directory(void (*body)(const char *dir))
{
	static const char *const directories[] = { "/tmp", "/mnt/ext4" };
	size_t i;

	for (i = 0; i < sizeof(directories) / sizeof(directories[0]); i++) {
		if (!access(directories[i], W_OK))
			body(directories[i]);
	}
}

int vm_file(const char *dir, size_t size)
{
	char *content = malloc(size + 1);
	char path[256];
	size_t i;
	int fd;

	ASSERT(content);
	for (i = 0; i < size; i++)
		content[i] = vm_file_byte(i);
	snprintf(path, sizeof(path), "%s/bsdvm-test.XXXXXX", dir);
	fd = mkostemp(path, O_CLOEXEC);
	ASSERT(fd >= 0);
	unlink(path);
	ASSERT(write(fd, content, size) == (ssize_t)size);
	free(content);
	return fd;
}

void vm_run(const char *command)
{
	if (system(command)) {
		harness_fail(__FILE__, __LINE__, "%s", command);
		harness_exit();
	}
}

int vm_reopen(int fd, int flags)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	fd = open(path, flags | O_CLOEXEC);
	ASSERT(fd >= 0);
	return fd;
}

int vm_file_read(int fd, off_t off)
{
	unsigned char byte;

	return pread(fd, &byte, 1, off) == 1 ? byte : -1;
}

bool vm_all(const char *p, size_t len, char byte)
{
	while (len && *p == byte) {
		p++;
		len--;
	}
	return !len;
}
