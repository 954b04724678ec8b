// SPDX-License-Identifier: BSD-2-Clause
/*
 * Random calls against a model. Two processes with two threads each; each
 * thread has a slice of the window for itself, so that it knows what each of
 * its pages must be, while the map, the objects and the frames are shared with
 * the others. Now and then a thread forks a child, which checks and scribbles
 * over the slice it has inherited.
 *
 * TEST_SEED and TEST_OPS set the seed and the calls each thread makes; a
 * failure prints the seed.
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "vm.h"

#define PROCESSES 2
#define THREADS	  2
#define PAGES	  48
/* Bytes of a page that the model knows; the first is the page's start. */
#define BYTES	  4

/**
 * struct page - what a page must be
 * @mapped: there is an entry
 * @shared: the entry is shared: a child's stores would be ours
 * @prot: its protection
 * @byte: contents, at offsets i * PAGE / BYTES
 */
struct page {
	bool mapped;
	bool shared;
	int prot;
	char byte[BYTES];
};

/**
 * struct worker - a thread's slice
 * @base: first address
 * @page: the model
 * @file: a file of PAGES pages that is never written, for private mappings
 * @random: state of the generator
 * @ops: calls to make
 */
struct worker {
	char *base;
	struct page page[PAGES];
	int file;
	unsigned int random;
	unsigned long ops;
};

static unsigned long option(const char *name, unsigned long preset)
{
	const char *value = getenv(name);

	return value ? strtoul(value, NULL, 0) : preset;
}

static unsigned int pick(struct worker *w, unsigned int n)
{
	return rand_r(&w->random) % n;
}

/* A range of pages: [*first, return value). */
static unsigned int pick_range(struct worker *w, unsigned int *first)
{
	const unsigned int len = 1 + pick(w, 8);

	*first = pick(w, PAGES);
	return *first + len < PAGES ? *first + len : PAGES;
}

static char *byte_at(const struct worker *w, unsigned int page, unsigned int i)
{
	return w->base + page * PAGE + i * PAGE / BYTES;
}

static int expected_outcome(const struct page *page, int access)
{
	if (!page->mapped)
		return BSDVM_FAULT_INVALID_ADDRESS;
	return access & ~page->prot ? BSDVM_FAULT_PROTECTION : BSDVM_FAULT_OK;
}

static void check_page(struct worker *w, unsigned int n)
{
	const struct page *page = &w->page[n];
	unsigned int i;
	int outcome;

	ASSERT(!bsdvm_fault(w->base + n * PAGE, PAGE, BSDVM_PROT_READ, NULL,
			    &outcome));
	EXPECT_EQ(outcome, expected_outcome(page, BSDVM_PROT_READ));
	if (outcome != BSDVM_FAULT_OK)
		return;
	for (i = 0; i < BYTES; i++)
		EXPECT_EQ(*byte_at(w, n, i), page->byte[i]);
}

static void check_all(struct worker *w)
{
	unsigned int n;

	for (n = 0; n < PAGES; n++)
		check_page(w, n);
}

static void op_map(struct worker *w)
{
	unsigned int first, end = pick_range(w, &first), n, i;
	const int kind = pick(w, 3);
	const int prot = pick(w, 4) ? RW : BSDVM_PROT_READ;
	const int flags = kind == 0 ? ANON :
			  kind == 1 ? BSDVM_MAP_ANON | BSDVM_MAP_SHARED :
				      BSDVM_MAP_PRIVATE;

	ASSERT(bsdvm_mmap(w->base + first * PAGE, (end - first) * PAGE, prot,
			  flags | BSDVM_MAP_FIXED, kind == 2 ? w->file : -1,
			  kind == 2 ? first * PAGE : 0) != BSDVM_MAP_FAILED);
	for (n = first; n < end; n++) {
		struct page *page = &w->page[n];

		page->mapped = true;
		page->shared = kind == 1;
		page->prot = prot;
		for (i = 0; i < BYTES; i++)
			page->byte[i] = kind == 2 ?
						vm_file_byte(n * PAGE +
							     i * PAGE / BYTES) :
						0;
	}
}

static void op_unmap(struct worker *w)
{
	unsigned int first, end = pick_range(w, &first), n;

	ASSERT(!bsdvm_munmap(w->base + first * PAGE, (end - first) * PAGE));
	for (n = first; n < end; n++)
		w->page[n].mapped = false;
}

static void op_protect(struct worker *w)
{
	static const int prots[] = { BSDVM_PROT_NONE, BSDVM_PROT_READ, RW, RW };
	unsigned int first, end = pick_range(w, &first), n;
	const int prot = prots[pick(w, 4)];

	ASSERT(!bsdvm_mprotect(w->base + first * PAGE, (end - first) * PAGE,
			       prot));
	for (n = first; n < end; n++)
		w->page[n].prot = prot;
}

static void write_page(struct worker *w, unsigned int n)
{
	const unsigned int i = pick(w, BYTES);
	struct page *page = &w->page[n];
	const char byte = pick(w, 256);
	int outcome;

	if (pick(w, 2)) {
		ASSERT(!bsdvm_fault(w->base + n * PAGE, PAGE, BSDVM_PROT_WRITE,
				    NULL, &outcome));
		EXPECT_EQ(outcome, expected_outcome(page, BSDVM_PROT_WRITE));
	}
	if (expected_outcome(page, BSDVM_PROT_WRITE) != BSDVM_FAULT_OK)
		return;
	*byte_at(w, n, i) = byte;
	page->byte[i] = byte;
}

static void op_write(struct worker *w)
{
	write_page(w, pick(w, PAGES));
}

static void op_check(struct worker *w)
{
	check_page(w, pick(w, PAGES));
}

static void op_sync(struct worker *w)
{
	unsigned int first, end = pick_range(w, &first), n;
	int want = 0;

	for (n = first; n < end; n++) {
		if (!w->page[n].mapped)
			want = ENOMEM;
	}
	EXPECT_ERRNO(bsdvm_msync(w->base + first * PAGE, (end - first) * PAGE,
				 pick(w, 2) ? BSDVM_MS_INVALIDATE :
					      BSDVM_MS_SYNC),
		     want);
}

/*
 * While both are there they write to private pages only: a store to a shared one
 * would be seen by the other, whose model does not know of it.
 */
static void op_fork(struct worker *w)
{
	pid_t child = harness_fork();
	unsigned int n;

	if (!child) {
		check_all(w);
		for (n = 0; n < PAGES; n++) {
			struct page *page = &w->page[n];

			if (!page->mapped || page->shared || page->prot != RW)
				continue;
			*byte_at(w, n, 1) = page->byte[1] = n;
		}
		check_all(w);
		harness_exit();
	}
	for (n = pick(w, 8); n < PAGES; n += 8) {
		if (!w->page[n].shared)
			write_page(w, n);
	}
	harness_join(child);
	check_all(w);
}

static void (*const operations[])(struct worker *w) = {
	op_map,	  op_map,   op_unmap, op_protect, op_protect,
	op_sync,  op_write, op_write, op_write,	  op_write,
	op_write, op_write, op_check, op_check,	  op_check,
};

#define OPERATIONS (sizeof(operations) / sizeof(operations[0]))

static void *work(void *arg)
{
	struct worker *w = arg;
	unsigned long i;

	for (i = 0; i < w->ops; i++) {
		if (i % 100 == 99)
			op_fork(w);
		else
			operations[pick(w, OPERATIONS)](w);
	}
	check_all(w);
	return NULL;
}

static void run_process(unsigned int process, unsigned long seed)
{
	struct worker worker[THREADS] = { 0 };
	pthread_t thread[THREADS];
	char *window;
	int i;

	ASSERT(!bsdvm_window((void **)&window, NULL));
	for (i = 0; i < THREADS; i++) {
		worker[i].base = window + i * PAGES * PAGE;
		worker[i].file = vm_file("/tmp", PAGES * PAGE);
		worker[i].random = seed + process * THREADS + i;
		worker[i].ops = option("TEST_OPS", 8000);
		ASSERT(!pthread_create(&thread[i], NULL, work, &worker[i]));
	}
	for (i = 0; i < THREADS; i++)
		pthread_join(thread[i], NULL);
	ASSERT(!bsdvm_munmap(window, THREADS * PAGES * PAGE));
}

TEST_LIMIT(random_calls_agree_with_the_model, 3600)
{
	const unsigned long seed = option("TEST_SEED", 1);
	struct bsdvm_stats before = vm_stats(), after;
	pid_t child[PROCESSES];
	int i;

	printf("# TEST_SEED=%lu TEST_OPS=%lu\n", seed,
	       option("TEST_OPS", 8000));
	for (i = 0; i < PROCESSES; i++) {
		child[i] = harness_fork();
		if (!child[i]) {
			run_process(i, seed);
			harness_exit();
		}
	}
	for (i = 0; i < PROCESSES; i++)
		harness_join(child[i]);
	after = vm_stats();
	EXPECT_EQ(vm_free_of(after), vm_free_of(before));
	EXPECT_EQ(after.o_count, before.o_count);
}
