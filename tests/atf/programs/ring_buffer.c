/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * A ring buffer between two processes whose memory is mapped twice, one right
 * behind the other, so that no message is ever cut in two.
 */

#include <sys/types.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include <err.h>
#include <fcntl.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MESSAGES 20000

struct ring {
	_Atomic size_t head;
	_Atomic size_t tail;
};

static size_t size;

static char *
map_twice(void)
{
	char *p;
	int fd;

	if ((fd = shm_open(SHM_ANON, O_RDWR, 0600)) == -1)
		err(1, "shm_open");
	if (ftruncate(fd, size) == -1)
		err(1, "ftruncate");
	p = mmap(NULL, 2 * size, PROT_NONE, MAP_GUARD, -1, 0);
	if (p == MAP_FAILED)
		err(1, "mmap");
	if (mmap(p, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, fd,
		0) != p ||
	    mmap(p + size, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED,
		fd, 0) != p + size)
		err(1, "mmap again");
	close(fd);
	return (p);
}

static size_t
length(size_t i)
{
	return (1 + i * 7919 % 1500);
}

static void
produce(struct ring *ring, char *data)
{
	size_t i, len, tail;

	for (i = tail = 0; i < MESSAGES; i++) {
		len = length(i);
		while (tail + len - atomic_load(&ring->head) > size)
			sched_yield();
		memset(data + tail % size, (char)i, len);
		tail += len;
		atomic_store(&ring->tail, tail);
	}
}

static void
consume(struct ring *ring, const char *data)
{
	char expected[1500];
	size_t head, i, len;

	for (i = head = 0; i < MESSAGES; i++) {
		len = length(i);
		while (atomic_load(&ring->tail) - head < len)
			sched_yield();
		memset(expected, (char)i, len);
		if (memcmp(data + head % size, expected, len) != 0)
			errx(1, "message %zu is wrong", i);
		head += len;
		atomic_store(&ring->head, head);
	}
	printf("%d messages, %zu bytes\n", MESSAGES, head);
}

int
main(void)
{
	struct ring *ring;
	char *data;
	pid_t pid;
	int status;

	size = 4 * getpagesize();
	data = map_twice();
	ring = mmap(NULL, sizeof(*ring), PROT_READ | PROT_WRITE,
	    MAP_ANON | MAP_SHARED, -1, 0);
	if (ring == MAP_FAILED)
		err(1, "mmap");
	if ((pid = fork()) == -1)
		err(1, "fork");
	if (pid == 0) {
		produce(ring, data);
		_exit(0);
	}
	consume(ring, data);
	if (waitpid(pid, &status, 0) == -1 || status != 0)
		errx(1, "the producer failed");
	return (0);
}
