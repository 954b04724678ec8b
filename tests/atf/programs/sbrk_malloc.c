/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * A malloc over sbrk(2), as it was done once: power of two size classes, free
 * lists, and what is at the end of the heap goes back to the system.
 */

#include <sys/types.h>

#include <err.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CLASSES 24
#define MAGIC	0xbd

struct header {
	struct header *next;
	uint8_t magic;
	uint8_t class;
};

#define HEADER 16

static struct header *freelist[CLASSES];
static size_t heap_size;

static struct header *
more(int class)
{
	const size_t size = (size_t)1 << class;
	struct header *h;
	char *p;

	/* Sizes are powers of two, so this keeps blocks aligned. */
	p = sbrk(0);
	if ((uintptr_t)p % HEADER != 0 &&
	    sbrk(HEADER - (uintptr_t)p % HEADER) == (void *)-1)
		return (NULL);
	h = sbrk(size);
	if (h == (void *)-1)
		return (NULL);
	heap_size += size;
	h->next = NULL;
	h->magic = MAGIC;
	h->class = class;
	return (h);
}

static void *
my_malloc(size_t size)
{
	struct header *h;
	int class;

	for (class = 5; ((size_t)1 << class) < size + HEADER; class ++)
		;
	if (class >= CLASSES)
		return (NULL);
	h = freelist[class];
	if (h != NULL)
		freelist[class] = h->next;
	else if ((h = more(class)) == NULL)
		return (NULL);
	return ((char *)h + HEADER);
}

static void
my_free(void *p)
{
	struct header *h;

	if (p == NULL)
		return;
	h = (struct header *)((char *)p - HEADER);
	if (h->magic != MAGIC)
		errx(1, "%p is no block", p);
	/* The last block of the heap makes it shorter. */
	if ((char *)h + ((size_t)1 << h->class) == (char *)sbrk(0)) {
		heap_size -= (size_t)1 << h->class;
		if (sbrk(-((intptr_t)1 << h->class)) == (void *)-1)
			err(1, "sbrk");
		return;
	}
	h->next = freelist[h->class];
	freelist[h->class] = h;
}

#define BLOCKS 400

static struct {
	unsigned char *p;
	size_t size;
} block[BLOCKS];

static void
check(int i)
{
	size_t n;

	for (n = 0; n < block[i].size; n++) {
		if (block[i].p[n] != (unsigned char)i)
			errx(1, "block %d has another's data at %zu", i, n);
	}
}

int
main(void)
{
	char *start;
	int i, round;

	start = sbrk(0);
	srandom(1);
	for (round = 0; round < 20; round++) {
		for (i = 0; i < BLOCKS; i++) {
			if (block[i].p == NULL) {
				block[i].size =
				    random() % (i % 40 == 0 ? 40000 : 500);
				block[i].p = my_malloc(block[i].size);
				if (block[i].p == NULL)
					err(1, "malloc");
				memset(block[i].p, i, block[i].size);
			} else if (random() % 3 == 0) {
				check(i);
				my_free(block[i].p);
				block[i].p = NULL;
			}
		}
	}
	if ((char *)sbrk(0) - start < (ptrdiff_t)heap_size)
		errx(1, "the heap is shorter than its blocks");
	printf("%zu bytes of heap\n", heap_size);
	for (i = 0; i < BLOCKS; i++) {
		if (block[i].p != NULL)
			check(i);
		my_free(block[i].p);
	}
	if (brk(start) == -1)
		err(1, "brk");
	return (sbrk(0) == start ? 0 : 1);
}
