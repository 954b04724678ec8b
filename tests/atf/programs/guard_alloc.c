/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * An allocator for secrets: each block lies between two guards, right before
 * the second one, does not go to core dumps, is locked in memory, and is all
 * zeroes in a child.
 */

#include <sys/param.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include <err.h>
#include <errno.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct block {
	char *base;
	size_t mapped;
	char *data;
	size_t size;
};

static size_t pagesz;

static int
guard_alloc(struct block *b, size_t size)
{
	b->size = size;
	b->mapped = roundup(size, pagesz);
	b->base =
	    mmap(NULL, b->mapped + 2 * pagesz, PROT_NONE, MAP_GUARD, -1, 0);
	if (b->base == MAP_FAILED)
		return (-1);
	if (mmap(b->base + pagesz, b->mapped, PROT_READ | PROT_WRITE,
		MAP_ANON | MAP_PRIVATE | MAP_FIXED | MAP_NOCORE, -1,
		0) == MAP_FAILED ||
	    minherit(b->base + pagesz, b->mapped, INHERIT_ZERO) == -1 ||
	    mlock(b->base + pagesz, b->mapped) == -1) {
		(void)munmap(b->base, b->mapped + 2 * pagesz);
		return (-1);
	}
	b->data = b->base + pagesz + b->mapped - size;
	return (0);
}

static void
guard_free(struct block *b)
{
	memset(b->data, 0, b->size);
	if (munmap(b->base, b->mapped + 2 * pagesz) == -1)
		err(1, "munmap");
}

/* Does a store there kill a child? */
static int
kills(volatile char *p)
{
	pid_t pid;
	int status;

	if ((pid = fork()) == -1)
		err(1, "fork");
	if (pid == 0) {
		*p = 1;
		_exit(0);
	}
	if (waitpid(pid, &status, 0) == -1)
		err(1, "waitpid");
	return (WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV);
}

int
main(void)
{
	static const size_t sizes[] = { 1, 100, 4096, 5000, 65536 };
	struct block b;
	size_t i;
	pid_t pid;
	int status;

	pagesz = getpagesize();
	for (i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		if (guard_alloc(&b, sizes[i]) == -1)
			err(1, "guard_alloc(%zu)", sizes[i]);
		memset(b.data, 0x5a, b.size);
		if (kills(b.data) || kills(b.data + b.size - 1))
			errx(1, "%zu: a block cannot be written", b.size);
		if (!kills(b.data + b.size))
			errx(1, "%zu: an overrun goes unseen", b.size);
		if (!kills(b.base + pagesz - 1))
			errx(1, "%zu: an underrun goes unseen", b.size);
		if ((pid = fork()) == -1)
			err(1, "fork");
		if (pid == 0)
			_exit(b.data[0] | b.data[b.size - 1]);
		if (waitpid(pid, &status, 0) == -1 || status != 0)
			errx(1, "%zu: a child has the secret", b.size);
		if (b.data[0] != 0x5a || b.data[b.size - 1] != 0x5a)
			errx(1, "%zu: the secret has changed", b.size);
		guard_free(&b);
		if (!kills(b.data))
			errx(1, "%zu: still there when freed", b.size);
	}
	printf("%zu sizes\n", sizeof(sizes) / sizeof(sizes[0]));
	return (0);
}
