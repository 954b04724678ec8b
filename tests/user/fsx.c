// SPDX-License-Identifier: BSD-2-Clause
/*
 * Random operations on one file from three sides: read(2) and write(2), a mapping, and the
 * mapping of a second process. Every byte that any of them sees must be what a model says,
 * right after each operation. (The idea is that of Apple's fsx.)
 *
 * TEST_SEED and TEST_OPS set the seed and the number of operations. Meant to be run with
 * a pool smaller than the file, so that the pageout daemon works on it, too.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "vm.h"

/* The longest the file gets, and the longest operation. */
#define FILE_MAX (2048 * PAGE)
#define LEN_MAX	 (24 * PAGE)

enum what {
	STORE,
	LOAD
};

/**
 * struct request - what the second process is to do
 * @what: STORE from, or LOAD to, struct state.buffer
 * @off: where in the file
 * @len: bytes
 */
struct request {
	enum what what;
	size_t off;
	size_t len;
};

/**
 * struct state - a run
 * @fd: the file
 * @map: our mapping of all that it may become
 * @size: of the file
 * @model: what it has
 * @buffer: of Linux's memory, shared with the second process
 * @ask: where it gets its requests
 * @answer: and answers
 * @random: state of the generator
 * @op: number of the operation
 * @locked: bytes that are locked, from @lock on
 * @lock: where
 */
struct state {
	int fd;
	char *map;
	size_t size;
	char *model;
	char *buffer;
	int ask[2];
	int answer[2];
	unsigned int random;
	unsigned long op;
	size_t locked;
	size_t lock;
};

static unsigned long option(const char *name, unsigned long preset)
{
	const char *value = getenv(name);

	return value ? strtoul(value, NULL, 0) : preset;
}

static size_t pick(struct state *s, size_t n)
{
	return (((size_t)rand_r(&s->random) << 16) ^ rand_r(&s->random)) % n;
}

/* A length: mostly short, now and then whole pages. */
static size_t pick_len(struct state *s)
{
	const size_t len = 1 + pick(s, pick(s, 4) ? 2 * PAGE : LEN_MAX);

	return pick(s, 4) ? len : (len + PAGE - 1) / PAGE * PAGE;
}

/* A place in the file as it is: false when it is empty. */
static bool pick_range(struct state *s, size_t *off, size_t *len)
{
	if (!s->size)
		return false;
	*off = pick(s, s->size);
	if (!pick(s, 4))
		*off = *off / PAGE * PAGE;
	*len = pick_len(s);
	if (*len > s->size - *off)
		*len = s->size - *off;
	return true;
}

static void expect_same(struct state *s, const char *side, const char *got,
			size_t off, size_t len)
{
	size_t i;

	if (!memcmp(got, s->model + off, len))
		return;
	for (i = 0; got[i] == s->model[off + i];)
		i++;
	harness_fail(__FILE__, __LINE__,
		     "op %lu: %s: byte %#zx of %#zx is %#x, not %#x", s->op,
		     side, off + i, s->size, (unsigned char)got[i],
		     (unsigned char)s->model[off + i]);
	harness_exit();
}

/* New bytes for the model, which @buffer gets as well. */
static void make_bytes(struct state *s, size_t off, size_t len)
{
	size_t i;

	for (i = 0; i < len; i++)
		s->buffer[i] = s->op + i / 7 + pick(s, 2);
	memcpy(s->model + off, s->buffer, len);
}

/* --- the second process */

static void serve(const struct state *s)
{
	char *map = bsdvm_mmap(NULL, FILE_MAX, RW, BSDVM_MAP_SHARED, s->fd, 0);
	struct request req;

	ASSERT(map != BSDVM_MAP_FAILED);
	while (read(s->ask[0], &req, sizeof(req)) == sizeof(req)) {
		if (req.what == STORE)
			memcpy(map + req.off, s->buffer, req.len);
		else
			memcpy(s->buffer, map + req.off, req.len);
		ASSERT(write(s->answer[1], "", 1) == 1);
	}
}

static void request(struct state *s, enum what what, size_t off, size_t len)
{
	const struct request req = { what, off, len };
	char byte;

	ASSERT(write(s->ask[1], &req, sizeof(req)) == sizeof(req));
	ASSERT(read(s->answer[0], &byte, 1) == 1);
}

/* --- operations */

static void op_read(struct state *s, size_t off, size_t len)
{
	ASSERT(pread(s->fd, s->buffer, len, off) == (ssize_t)len);
	expect_same(s, "read", s->buffer, off, len);
}

static void op_load(struct state *s, size_t off, size_t len)
{
	const size_t tail = -s->size % PAGE;

	expect_same(s, "load", s->map + off, off, len);
	if (off + len == s->size && !vm_all(s->map + s->size, tail, 0)) {
		harness_fail(__FILE__, __LINE__,
			     "op %lu: the tail behind %#zx is not zero", s->op,
			     s->size);
		harness_exit();
	}
}

static void op_load_other(struct state *s, size_t off, size_t len)
{
	request(s, LOAD, off, len);
	expect_same(s, "other load", s->buffer, off, len);
}

static void op_store(struct state *s, size_t off, size_t len)
{
	make_bytes(s, off, len);
	memcpy(s->map + off, s->buffer, len);
}

static void op_store_other(struct state *s, size_t off, size_t len)
{
	make_bytes(s, off, len);
	request(s, STORE, off, len);
}

/* May write behind the end, over what is then zero. */
static void op_write(struct state *s)
{
	const size_t off = pick(s, 8) ? pick(s, s->size + 1) :
					pick(s, FILE_MAX - LEN_MAX);
	size_t len = pick_len(s);

	if (len > FILE_MAX - off)
		len = FILE_MAX - off;
	if (!len)
		return;
	make_bytes(s, off, len);
	ASSERT(pwrite(s->fd, s->buffer, len, off) == (ssize_t)len);
	if (off + len > s->size)
		s->size = off + len;
}

/* A write(2) whose source is the mapping, somewhere else in the file. */
static void op_write_mapped(struct state *s, size_t off, size_t len)
{
	const size_t to = pick(s, s->size);
	char *copy = malloc(len);

	if (len > s->size - to)
		len = s->size - to;
	/* Where the two overlap, what a page gets depends on the order. */
	if ((to < off + len && off < to + len) || !copy) {
		free(copy);
		return;
	}
	memcpy(copy, s->model + off, len);
	ASSERT(pwrite(s->fd, s->map + off, len, to) == (ssize_t)len);
	memcpy(s->model + to, copy, len);
	free(copy);
}

static void op_truncate(struct state *s)
{
	size_t size = pick(s, FILE_MAX);

	/* Mostly a little, so that there is something to lose. */
	if (pick(s, 8))
		size = s->size > LEN_MAX ? s->size - pick(s, LEN_MAX) : size;
	ASSERT(!ftruncate(s->fd, size));
	if (size < s->size)
		memset(s->model + size, 0, s->size - size);
	s->size = size;
	/* Behind the end there is nothing. */
	size = (size + PAGE - 1) / PAGE * PAGE;
	if (size < FILE_MAX)
		EXPECT_FAULT(vm_read(s->map + size), SIGBUS, BUS_OBJERR,
			     s->map + size);
}

static void op_punch(struct state *s, size_t off, size_t len)
{
	ASSERT(!fallocate(s->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
			  off, len));
	memset(s->model + off, 0, len);
}

static void op_sync(struct state *s, size_t off, size_t len)
{
	static const int flags[] = { BSDVM_MS_SYNC, BSDVM_MS_ASYNC,
				     BSDVM_MS_INVALIDATE };

	/* What is locked is not to be dropped. */
	ASSERT(!bsdvm_msync(s->map + off, len,
			    flags[pick(s, s->locked ? 2 : 3)]));
}

/* Locked pages stay, whatever is cut out under them. */
static void op_lock(struct state *s, size_t off, size_t len)
{
	if (s->locked) {
		ASSERT(!bsdvm_munlock(s->map + s->lock, s->locked));
		s->locked = 0;
	} else if (!bsdvm_mlock(s->map + off, len)) {
		s->lock = off;
		s->locked = len;
	}
}

static void step(struct state *s)
{
	const size_t op = pick(s, 100);
	size_t off, len;

	if (op < 15 || !pick_range(s, &off, &len))
		op_write(s);
	else if (op < 27)
		op_read(s, off, len);
	else if (op < 42)
		op_store(s, off, len);
	else if (op < 55)
		op_load(s, off, len);
	else if (op < 67)
		op_store_other(s, off, len);
	else if (op < 79)
		op_load_other(s, off, len);
	else if (op < 84)
		op_write_mapped(s, off, len);
	else if (op < 88)
		op_truncate(s);
	else if (op < 92)
		op_punch(s, off, len);
	else if (op < 98)
		op_sync(s, off, len);
	else
		op_lock(s, off, len);
}

/* All of the file, from all sides. */
static void check_all(struct state *s)
{
	size_t off, len;

	for (off = 0; off < s->size; off += len) {
		len = s->size - off < LEN_MAX ? s->size - off : LEN_MAX;
		op_read(s, off, len);
		op_load(s, off, len);
		op_load_other(s, off, len);
	}
}

static void *linux_memory(size_t len)
{
	void *p = mmap(NULL, len, PROT_READ | PROT_WRITE,
		       MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	ASSERT(p != MAP_FAILED);
	return p;
}

static void run(const char *dir)
{
	const unsigned long ops = option("TEST_OPS", 1500);
	struct state s = { .random = option("TEST_SEED", 1) };
	pid_t child;

	printf("# %s: TEST_SEED=%u TEST_OPS=%lu\n", dir, s.random, ops);
	fflush(stdout);
	s.fd = vm_file(dir, 0);
	s.model = linux_memory(FILE_MAX);
	s.buffer = linux_memory(LEN_MAX);
	ASSERT(!pipe(s.ask) && !pipe(s.answer));
	child = harness_fork();
	if (!child) {
		close(s.ask[1]);
		serve(&s);
		harness_exit();
	}
	s.map = bsdvm_mmap(NULL, FILE_MAX, RW, BSDVM_MAP_SHARED, s.fd, 0);
	ASSERT(s.map != BSDVM_MAP_FAILED);
	for (s.op = 1; s.op <= ops; s.op++) {
		step(&s);
		if (s.op % 500 == 0)
			check_all(&s);
	}
	check_all(&s);
	close(s.ask[1]);
	harness_join(child);
	/* What is left is the file's. */
	ASSERT(!bsdvm_munmap(s.map, FILE_MAX));
	ASSERT(s.size <= FILE_MAX);
	memset(s.map = linux_memory(FILE_MAX), 0, FILE_MAX);
	ASSERT(pread(s.fd, s.map, FILE_MAX, 0) == (ssize_t)s.size);
	expect_same(&s, "the file", s.map, 0, s.size);
}

TEST_LIMIT(a_file_is_one_memory_from_three_sides, 300)
{
	vm_each_directory(run);
}
