// SPDX-License-Identifier: BSD-2-Clause
/*
 * What programs do with faults they handle themselves: garbage collectors,
 * persistent and sparse memory, checkpoints, overflow checks, pagers and shared
 * memory between machines. Each handler repairs what faulted and returns, and
 * each test says which signal, code and address it must see, and how often.
 */
#define _GNU_SOURCE
#include <assert.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <ucontext.h>
#include <unistd.h>

#include "vm.h"

/* --- one handler for all: it finds the arena, checks the fault, has it repaired */

/*
 * Memory whose faults are ours.
 * @code: the si_code that a fault here must have, 0 where @repair looks itself
 */
struct arena {
	char *start;
	size_t len;
	int sig;
	int code;
	void (*repair)(char *page, const siginfo_t *info);
	atomic_int faults;
	struct arena *next;
};

static struct arena *arenas;

/* The address that this thread is about to use, where it says so. */
static _Thread_local void *touching;

static void handle(int sig, siginfo_t *info, void *context)
{
	const int saved = errno;
	char *addr = info->si_addr;
	struct arena *a;

	(void)context;
	for (a = arenas; a; a = a->next) {
		if (addr >= a->start && addr < a->start + a->len)
			break;
	}
	if (!a || sig != a->sig || (a->code && info->si_code != a->code)) {
		harness_fail(__FILE__, __LINE__, "signal %d, code %d, at %p",
			     sig, info->si_code, info->si_addr);
		harness_exit();
	}
	if (touching)
		EXPECT_EQ((uintptr_t)addr, (uintptr_t)touching);
	atomic_fetch_add(&a->faults, 1);
	a->repair((char *)((uintptr_t)addr & ~(PAGE - 1)), info);
	errno = saved;
}

static void handle_faults(struct arena *a)
{
	struct sigaction action = {
		.sa_sigaction = handle,
		.sa_flags = SA_SIGINFO | SA_ONSTACK,
	};

	a->next = arenas;
	arenas = a;
	ASSERT(!sigaction(SIGSEGV, &action, NULL));
	ASSERT(!sigaction(SIGBUS, &action, NULL));
}

/*
 * A store and a load that must fault at this address, if they do. The fences
 * tell the compiler that a handler may run in between.
 */
static void store(uint64_t *p, uint64_t value)
{
	touching = p;
	atomic_signal_fence(memory_order_seq_cst);
	*(volatile uint64_t *)p = value;
	atomic_signal_fence(memory_order_seq_cst);
	touching = NULL;
}

static uint64_t load(const uint64_t *p)
{
	uint64_t value;

	touching = (void *)p;
	atomic_signal_fence(memory_order_seq_cst);
	value = *(const volatile uint64_t *)p;
	atomic_signal_fence(memory_order_seq_cst);
	touching = NULL;
	return value;
}

static uint32_t draw(uint32_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 17;
	*state ^= *state << 5;
	return *state;
}

static uint64_t *word_of(char *start, size_t page, size_t word)
{
	return (uint64_t *)(start + page * PAGE) + word;
}

/* --- a copying collector that runs beside the mutator */

#define NODES	  512
#define ROOTS	  4
#define NODE_SIZE 256
#define PER_PAGE  ((int)(PAGE / NODE_SIZE))
#define CYCLES	  8
#define STEPS	  4000

/*
 * The mutator must never hold a pointer into from-space. So each page of
 * to-space stays out of its reach until the pointers in it have been moved on,
 * by the collector or, if the mutator comes first, by its fault. The collector
 * itself sees to-space at a second address.
 */
struct node {
	uint32_t id;
	struct node *child[2];
	struct node *forward;
	char payload[NODE_SIZE - 4 * sizeof(void *)];
};

static struct {
	pthread_mutex_t lock;
	char *from;
	char *to;
	char *alias;
	size_t len;
	/* Objects in each page of to-space, and whether they are scanned. */
	int used[NODES + 1];
	bool scanned[NODES + 1];
	int top;
	int copied;
	atomic_bool done;
} gc = { .lock = PTHREAD_MUTEX_INITIALIZER };

static struct node *roots[ROOTS];
/* What the graph must look like, kept by the mutator. */
static int model_root[ROOTS], model_child[NODES][2];

static struct node *forward(struct node *old)
{
	size_t at;

	if (!old || old->forward)
		return old ? old->forward : NULL;
	while (gc.scanned[gc.top] || gc.used[gc.top] == PER_PAGE)
		gc.top++;
	at = gc.top * PAGE + (size_t)gc.used[gc.top]++ * NODE_SIZE;
	memcpy(gc.alias + at, old, NODE_SIZE);
	old->forward = (struct node *)(gc.to + at);
	gc.copied++;
	return old->forward;
}

/* Move the pointers of a page on and give it to the mutator. */
static void scan(int page)
{
	int i;

	if (gc.scanned[page])
		return;
	gc.scanned[page] = true;
	for (i = 0; i < gc.used[page]; i++) {
		struct node *node = (struct node *)(gc.alias + page * PAGE +
						    (size_t)i * NODE_SIZE);

		node->child[0] = forward(node->child[0]);
		node->child[1] = forward(node->child[1]);
	}
	EXPECT_ERRNO(bsdvm_mprotect(gc.to + page * PAGE, PAGE, RW), 0);
}

static void scan_for_mutator(char *page, const siginfo_t *info)
{
	(void)info;
	pthread_mutex_lock(&gc.lock);
	scan((page - gc.to) / PAGE);
	pthread_mutex_unlock(&gc.lock);
}

static struct arena to_space = {
	.sig = SIGSEGV,
	.code = SEGV_ACCERR,
	.repair = scan_for_mutator,
};

static void *collect(void *arg)
{
	const int before = *(int *)arg;
	bool more = true;
	int page;

	/* The mutator goes first, so that there is a fault in each cycle. */
	while (atomic_load(&to_space.faults) == before)
		sched_yield();
	for (page = 0; more; page++) {
		pthread_mutex_lock(&gc.lock);
		more = page <= gc.top;
		if (more)
			scan(page);
		pthread_mutex_unlock(&gc.lock);
	}
	/* A pointer that was left behind is a fault from now on. */
	EXPECT_ERRNO(bsdvm_munmap(gc.from, gc.len), 0);
	EXPECT_ERRNO(bsdvm_munmap(gc.alias, gc.len), 0);
	atomic_store(&gc.done, true);
	return NULL;
}

/* The mutator stops for this alone: from-space becomes what to-space was. */
static void flip(void)
{
	int fd = memfd_create("to-space", MFD_CLOEXEC);
	int i;

	ASSERT(fd >= 0 && !ftruncate(fd, gc.len));
	gc.from = gc.to;
	gc.to = bsdvm_mmap(NULL, gc.len, BSDVM_PROT_NONE, BSDVM_MAP_SHARED, fd,
			   0);
	gc.alias = bsdvm_mmap(NULL, gc.len, RW, BSDVM_MAP_SHARED, fd, 0);
	ASSERT(gc.to != BSDVM_MAP_FAILED && gc.alias != BSDVM_MAP_FAILED);
	close(fd);
	to_space.start = gc.to;
	to_space.len = gc.len;
	memset(gc.used, 0, sizeof(gc.used));
	memset(gc.scanned, 0, sizeof(gc.scanned));
	gc.top = 0;
	gc.copied = 0;
	gc.done = false;
	for (i = 0; i < ROOTS; i++)
		roots[i] = forward(roots[i]);
}

static char payload_of(uint32_t id)
{
	return 'a' + id % 26;
}

static void check_node(const struct node *node, int id)
{
	const char *at = (const char *)node;

	ASSERT(at >= gc.to && at < gc.to + gc.len);
	ASSERT(node->id == (uint32_t)id);
	EXPECT(vm_all(node->payload, sizeof(node->payload), payload_of(id)));
}

/* Walk from a root, now and then change an edge into one to a known node. */
static void mutate(uint32_t *seed, int steps)
{
	struct node *at = roots[0], *kept = roots[0];
	int id = model_root[0], kept_id = id;

	while (steps--) {
		const uint32_t dice = draw(seed);
		const int side = dice & 1;

		check_node(at, id);
		if (dice % 64 == 2) {
			at->child[side] = kept;
			model_child[id][side] = kept_id;
		}
		if (dice % 16 == 3) {
			kept = at;
			kept_id = id;
		}
		at = at->child[side];
		id = model_child[id][side];
		if (!at || dice % 32 == 4) {
			const int root = dice / 64 % ROOTS;

			at = roots[root];
			id = model_root[root];
		}
	}
}

static int mark(int id, bool *reached)
{
	if (id < 0 || reached[id])
		return 0;
	reached[id] = true;
	return 1 + mark(model_child[id][0], reached) +
	       mark(model_child[id][1], reached);
}

static int model_reachable(void)
{
	bool reached[NODES] = { false };
	int count = 0, i;

	for (i = 0; i < ROOTS; i++)
		count += mark(model_root[i], reached);
	return count;
}

/* Each node of the model is one node of the heap, with the same edges. */
static void compare(struct node *node, int id, struct node **place)
{
	int side;

	if (id < 0) {
		EXPECT(!node);
		return;
	}
	if (place[id]) {
		EXPECT(place[id] == node);
		return;
	}
	check_node(node, id);
	place[id] = node;
	for (side = 0; side < 2; side++)
		compare(node->child[side], model_child[id][side], place);
}

static void build_graph(uint32_t *seed)
{
	struct node *nodes = (struct node *)gc.to;
	int i, side;

	for (i = 0; i < NODES; i++) {
		nodes[i].id = i;
		memset(nodes[i].payload, payload_of(i),
		       sizeof(nodes[i].payload));
		for (side = 0; side < 2; side++) {
			/* A tree, so that all is reached, and other edges. */
			int child = 2 * i + 1 + side;

			if (child >= NODES)
				child = draw(seed) % 8 ?
						(int)(draw(seed) % NODES) :
						-1;
			model_child[i][side] = child;
			nodes[i].child[side] = child < 0 ? NULL : nodes + child;
		}
	}
	for (i = 0; i < ROOTS; i++) {
		model_root[i] = i;
		roots[i] = nodes + i;
	}
}

TEST(a_collector_copies_the_heap_while_the_mutator_runs)
{
	struct node *place[NODES] = { NULL };
	uint64_t before = vm_free_pages();
	uint32_t seed = 2463534242;
	pthread_t collector;
	int cycle, i;

	static_assert(sizeof(struct node) == NODE_SIZE, "nodes fill a page");
	/* In the worst case each object is alone in its page. */
	gc.len = (NODES + 1) * PAGE;
	gc.to = vm_anon(NODES + 1);
	build_graph(&seed);
	handle_faults(&to_space);
	for (cycle = 0; cycle < CYCLES; cycle++) {
		const int live = model_reachable();
		int faults = to_space.faults;

		flip();
		ASSERT(!pthread_create(&collector, NULL, collect, &faults));
		do {
			mutate(&seed, STEPS);
		} while (!atomic_load(&gc.done));
		pthread_join(collector, NULL);
		EXPECT_EQ(gc.copied, live);
		EXPECT(to_space.faults > faults);
		mutate(&seed, STEPS);
	}
	for (i = 0; i < ROOTS; i++)
		compare(roots[i], model_root[i], place);
	ASSERT(!bsdvm_munmap(gc.to, gc.len));
	EXPECT_EQ(vm_free_settles(before), before);
}

/* --- a generational collector's remembered set */

#define OLD_PAGES   32
#define YOUNG_PAGES 8
#define SLOTS	    (PAGE / sizeof(uint64_t))

/* Old pages that a pointer to a young object may be in. */
static bool remembered[OLD_PAGES];
static char *old_space;

static void remember(char *page, const siginfo_t *info)
{
	const size_t i = (page - old_space) / PAGE;

	(void)info;
	EXPECT(!remembered[i]);
	remembered[i] = true;
	EXPECT_ERRNO(bsdvm_mprotect(page, PAGE, RW), 0);
}

/*
 * Slots of old space hold addresses of young words. A collection replaces each
 * of them by the word's value, looking only where the barrier remembers a
 * store; then young space goes.
 */
static void minor_collection(const char *young)
{
	size_t i, n;

	for (i = 0; i < OLD_PAGES; i++) {
		if (!remembered[i])
			continue;
		for (n = 0; n < SLOTS; n++) {
			uint64_t *slot = word_of(old_space, i, n);

			if (*slot >= (uintptr_t)young &&
			    *slot < (uintptr_t)young + YOUNG_PAGES * PAGE)
				*slot = *(uint64_t *)*slot;
		}
		remembered[i] = false;
	}
	ASSERT(!bsdvm_mprotect(old_space, OLD_PAGES * PAGE, BSDVM_PROT_READ));
}

TEST(a_remembered_set_has_each_page_stored_to_and_no_other)
{
	static uint64_t model[OLD_PAGES][SLOTS];
	struct arena old = {
		.len = OLD_PAGES * PAGE,
		.sig = SIGSEGV,
		.code = SEGV_ACCERR,
		.repair = remember,
	};
	uint32_t seed = 88172645;
	int round;

	old_space = vm_anon(OLD_PAGES);
	old.start = old_space;
	ASSERT(!bsdvm_mprotect(old_space, OLD_PAGES * PAGE, BSDVM_PROT_READ));
	handle_faults(&old);
	for (round = 0; round < 12; round++) {
		char *young = vm_anon(YOUNG_PAGES);
		bool stored[OLD_PAGES] = { false };
		int before = old.faults, pages = 0, i;

		for (i = 0; i < 40; i++) {
			/* Most stores hit a few pages, as they do. */
			const size_t page =
				draw(&seed) % (i % 4 ? 6 : OLD_PAGES);
			const size_t slot = draw(&seed) % SLOTS;
			uint64_t *object = word_of(young, i % YOUNG_PAGES, i);

			*object = round * 1000 + i;
			store(word_of(old_space, page, slot),
			      (uintptr_t)object);
			model[page][slot] = *object;
			pages += !stored[page];
			stored[page] = true;
		}
		EXPECT_EQ(old.faults - before, pages);
		EXPECT(!memcmp(stored, remembered, sizeof(stored)));
		minor_collection(young);
		ASSERT(!bsdvm_munmap(young, YOUNG_PAGES * PAGE));
		EXPECT(!memcmp(old_space, model, sizeof(model)));
	}
}

/* --- a persistent heap: a file, a note of what changed, commit and rollback */

#define HEAP_PAGES 32

static struct {
	char *map;
	bool dirty[HEAP_PAGES];
	/* Pages as they were before the transaction. */
	char undo[HEAP_PAGES][PAGE];
} heap;

static void note_dirty(char *page, const siginfo_t *info)
{
	const size_t i = (page - heap.map) / PAGE;

	(void)info;
	EXPECT(!heap.dirty[i]);
	heap.dirty[i] = true;
	memcpy(heap.undo[i], page, PAGE);
	EXPECT_ERRNO(bsdvm_mprotect(page, PAGE, RW), 0);
}

static struct arena heap_arena = {
	.len = HEAP_PAGES * PAGE,
	.sig = SIGSEGV,
	.code = SEGV_ACCERR,
	.repair = note_dirty,
};

/* Write the dirty pages, each run with one call; returns their number. */
static int commit(void)
{
	int first, last, count = 0;

	for (first = 0; first < HEAP_PAGES; first = last + 1) {
		for (last = first; last < HEAP_PAGES && heap.dirty[last];)
			heap.dirty[last++] = false;
		if (last == first)
			continue;
		EXPECT_ERRNO(bsdvm_msync(heap.map + first * PAGE,
					 (last - first) * PAGE, BSDVM_MS_SYNC),
			     0);
		count += last - first;
	}
	EXPECT_ERRNO(bsdvm_mprotect(heap.map, HEAP_PAGES * PAGE,
				    BSDVM_PROT_READ),
		     0);
	return count;
}

static void roll_back(void)
{
	int i;

	for (i = 0; i < HEAP_PAGES; i++) {
		if (heap.dirty[i])
			memcpy(heap.map + i * PAGE, heap.undo[i], PAGE);
		heap.dirty[i] = false;
	}
	EXPECT_ERRNO(bsdvm_mprotect(heap.map, HEAP_PAGES * PAGE,
				    BSDVM_PROT_READ),
		     0);
}

/* The file, by read(2), must be what was committed. */
static void compare_file(int fd, const char *model)
{
	static char content[HEAP_PAGES * PAGE];

	ASSERT(pread(fd, content, sizeof(content), 0) == sizeof(content));
	EXPECT(!memcmp(content, model, sizeof(content)));
}

static void open_heap(int fd)
{
	heap.map = bsdvm_mmap(NULL, HEAP_PAGES * PAGE, BSDVM_PROT_READ,
			      BSDVM_MAP_SHARED, fd, 0);
	ASSERT(heap.map != BSDVM_MAP_FAILED);
	heap_arena.start = heap.map;
}

TEST_FILES(a_persistent_heap_writes_what_changed_and_nothing_else)
{
	static char model[HEAP_PAGES * PAGE], next[HEAP_PAGES * PAGE];
	int fd = vm_file(dir, HEAP_PAGES * PAGE), round, i;
	uint32_t seed = 12345;

	if (!heap_arena.start)
		handle_faults(&heap_arena);
	ASSERT(pread(fd, model, sizeof(model), 0) == sizeof(model));
	open_heap(fd);
	for (round = 0; round < 8; round++) {
		int faults = heap_arena.faults, pages;
		uint64_t written;

		memcpy(next, model, sizeof(next));
		for (i = 0; i < 12; i++) {
			const size_t page = draw(&seed) % HEAP_PAGES;
			const size_t word = draw(&seed) % SLOTS;
			const uint64_t value = round * 100 + i;

			store(word_of(heap.map, page, word), value);
			*word_of(next, page, word) = value;
		}
		EXPECT(!memcmp(heap.map, next, sizeof(next)));
		if (round % 3 == 2) {
			roll_back();
			EXPECT(!memcmp(heap.map, model, sizeof(model)));
			continue;
		}
		written = vm_stats().v_vnodepgsout;
		pages = commit();
		EXPECT_EQ(pages, heap_arena.faults - faults);
		EXPECT_EQ(vm_stats().v_vnodepgsout - written, pages);
		memcpy(model, next, sizeof(model));
		compare_file(fd, model);
	}
	ASSERT(!bsdvm_munmap(heap.map, HEAP_PAGES * PAGE));
	/* Another program opens it. */
	open_heap(vm_reopen(fd, O_RDWR));
	EXPECT(!memcmp(heap.map, model, sizeof(model)));
	store(word_of(heap.map, 3, 3), 333);
	*word_of(model, 3, 3) = 333;
	EXPECT_EQ(commit(), 1);
	compare_file(fd, model);
	ASSERT(!bsdvm_munmap(heap.map, HEAP_PAGES * PAGE));
}

/* --- checkpoints: by fork, and by protection */

#define BANK_PAGES 64
#define ACCOUNTS   (BANK_PAGES * SLOTS)
#define BALANCE	   1000

static uint64_t *bank;

static void open_bank(void)
{
	size_t i;

	bank = (uint64_t *)vm_anon(BANK_PAGES);
	for (i = 0; i < ACCOUNTS; i++)
		bank[i] = BALANCE;
}

static bool consistent(const uint64_t *accounts)
{
	uint64_t sum = 0;
	size_t i;

	for (i = 0; i < ACCOUNTS; i++)
		sum += accounts[i];
	return sum == (uint64_t)ACCOUNTS * BALANCE;
}

/* Move money about; notes pages written and returns how many were not before. */
static int transfer(uint32_t *seed, int count, bool *written)
{
	int fresh = 0;

	while (count--) {
		const uint32_t amount = draw(seed) % 10;
		const size_t from = draw(seed) % ACCOUNTS;
		const size_t to = draw(seed) % ACCOUNTS;

		bank[from] -= amount;
		bank[to] += amount;
		fresh += !written[from / SLOTS];
		written[from / SLOTS] = true;
		fresh += !written[to / SLOTS];
		written[to / SLOTS] = true;
	}
	return fresh;
}

static void signal_pipe(const int *pipe)
{
	ASSERT(write(pipe[1], "", 1) == 1);
}

static void wait_pipe(const int *pipe)
{
	char byte;

	ASSERT(read(pipe[0], &byte, 1) == 1);
}

TEST_FILES(a_forked_child_writes_a_checkpoint_while_the_parent_goes_on)
{
	static uint64_t model[ACCOUNTS], content[ACCOUNTS];
	const ssize_t bytes = sizeof(content);
	uint32_t seed = 4711;
	int round;

	open_bank();
	for (round = 0; round < 4; round++) {
		bool written[BANK_PAGES] = { false };
		int fd = vm_file(dir, 0), go[2], done[2], pages;
		uint64_t copies;
		pid_t child;

		ASSERT(!pipe(go) && !pipe(done));
		memcpy(model, bank, sizeof(model));
		copies = vm_stats().v_cow_faults;
		child = harness_fork();
		if (!child) {
			EXPECT_EQ(pwrite(fd, bank, bytes, 0), bytes);
			signal_pipe(done);
			wait_pipe(go);
			/* Still what it was at the fork. */
			EXPECT(!memcmp(bank, model, sizeof(model)));
			harness_exit();
		}
		pages = transfer(&seed, 20, written);
		wait_pipe(done);
		pages += transfer(&seed, 20, written);
		/* Each page written is copied once, nothing else is. */
		EXPECT_EQ(vm_stats().v_cow_faults - copies, pages);
		signal_pipe(go);
		harness_join(child);
		ASSERT(pread(fd, content, bytes, 0) == bytes);
		EXPECT(!memcmp(content, model, sizeof(model)));
		EXPECT(consistent(content) && consistent(bank));
		close(fd);
		close(go[0]);
		close(go[1]);
		close(done[0]);
		close(done[1]);
	}
	ASSERT(!bsdvm_munmap(bank, BANK_PAGES * PAGE));
}

/* Pages still to be saved are read-only; who comes first saves them. */
static pthread_mutex_t save_lock = PTHREAD_MUTEX_INITIALIZER;
static uint64_t saved[ACCOUNTS];
static bool is_saved[BANK_PAGES];

static void save(char *page, const siginfo_t *info)
{
	const size_t i = (page - (char *)bank) / PAGE;

	(void)info;
	pthread_mutex_lock(&save_lock);
	if (!is_saved[i]) {
		memcpy(saved + i * SLOTS, page, PAGE);
		is_saved[i] = true;
		EXPECT_ERRNO(bsdvm_mprotect(page, PAGE, RW), 0);
	}
	pthread_mutex_unlock(&save_lock);
}

static void *save_all(void *arg)
{
	int i;

	(void)arg;
	for (i = 0; i < BANK_PAGES; i++) {
		save((char *)bank + i * PAGE, NULL);
		sched_yield();
	}
	return NULL;
}

TEST(a_thread_saves_a_checkpoint_while_the_others_go_on)
{
	struct arena accounts = {
		.len = BANK_PAGES * PAGE,
		.sig = SIGSEGV,
		.code = SEGV_ACCERR,
		.repair = save,
	};
	static uint64_t model[ACCOUNTS];
	uint32_t seed = 815;
	pthread_t saver;
	int round;

	open_bank();
	accounts.start = (char *)bank;
	handle_faults(&accounts);
	for (round = 0; round < 8; round++) {
		bool written[BANK_PAGES] = { false };

		memcpy(model, bank, sizeof(model));
		memset(is_saved, 0, sizeof(is_saved));
		ASSERT(!bsdvm_mprotect(bank, BANK_PAGES * PAGE,
				       BSDVM_PROT_READ));
		/* One fault for certain, then as it happens. */
		store(bank, *bank);
		EXPECT(accounts.faults > round);
		ASSERT(!pthread_create(&saver, NULL, save_all, NULL));
		transfer(&seed, 300, written);
		pthread_join(saver, NULL);
		EXPECT(!memcmp(saved, model, sizeof(model)));
		EXPECT(consistent(saved) && consistent(bank));
	}
}

/* --- a sparse array that grows where it is touched */

#define ELEMENTS ((size_t)1 << 27)

static int maperr, accerr;

/* A hole is filled; a page that was frozen is thawed. */
static void grow_array(char *page, const siginfo_t *info)
{
	switch (info->si_code) {
	case SEGV_MAPERR:
		maperr++;
		EXPECT(bsdvm_mmap(page, PAGE, RW,
				  ANON | BSDVM_MAP_FIXED | BSDVM_MAP_EXCL, -1,
				  0) == page);
		break;
	case SEGV_ACCERR:
		accerr++;
		EXPECT_ERRNO(bsdvm_mprotect(page, PAGE, RW), 0);
		break;
	default:
		EXPECT_EQ(info->si_code, SEGV_MAPERR);
		harness_exit();
	}
}

TEST(a_sparse_array_grows_in_its_handler)
{
	struct arena array = {
		.len = ELEMENTS * sizeof(uint64_t),
		.sig = SIGSEGV,
		.repair = grow_array,
	};
	uint64_t before = vm_free_pages(), *element;
	size_t place[100];
	uint32_t seed = 99;
	int i;

	array.start = (char *)vm_anon(array.len / PAGE);
	ASSERT(!bsdvm_munmap(array.start, array.len));
	element = (uint64_t *)array.start;
	handle_faults(&array);
	for (i = 0; i < 100; i++) {
		/* A page of its own for each, the last element among them. */
		place[i] = (i + 1) * (ELEMENTS / 100) - 1 - draw(&seed) % 500;
		if (i % 2)
			EXPECT_EQ(load(element + place[i]), 0);
		store(element + place[i], place[i]);
	}
	EXPECT_EQ(maperr, 100);
	EXPECT_EQ(accerr, 0);
	for (i = 0; i < 100; i++)
		EXPECT_EQ(load(element + place[i]), place[i]);
	EXPECT_EQ(maperr, 100);
	/* Frozen pages can be read, and a store into them is another fault. */
	ASSERT(!bsdvm_mprotect(array.start, array.len, BSDVM_PROT_READ));
	for (i = 0; i < 100; i++)
		EXPECT_EQ(load(element + place[i]), place[i]);
	EXPECT_EQ(accerr, 0);
	for (i = 0; i < 100; i += 2)
		store(element + place[i], 1);
	EXPECT_EQ(accerr, 50);
	EXPECT_EQ(maperr, 100);
	ASSERT(!bsdvm_munmap(array.start, array.len));
	EXPECT_EQ(vm_free_settles(before), before);
}

/* --- a pager: few pages in memory, all of them in the store */

#define STORE_PAGES 48
#define FRAMES	    6

static char backing[STORE_PAGES][PAGE];
static char *paged, *frames[FRAMES];
static int victim;

/* Pages in the store are scrambled, so that nobody sees one by accident. */
static void scramble(char *to, const char *from)
{
	size_t i;

	for (i = 0; i < PAGE; i++)
		to[i] = from[i] ^ 0x5a;
}

static void page_in(char *page, const siginfo_t *info)
{
	(void)info;
	if (frames[victim]) {
		scramble(backing[(frames[victim] - paged) / PAGE],
			 frames[victim]);
		EXPECT_ERRNO(bsdvm_munmap(frames[victim], PAGE), 0);
	}
	EXPECT(bsdvm_mmap(page, PAGE, RW, ANON | BSDVM_MAP_FIXED, -1, 0) ==
	       page);
	scramble(page, backing[(page - paged) / PAGE]);
	frames[victim] = page;
	victim = (victim + 1) % FRAMES;
}

TEST(a_pager_in_user_space_serves_more_than_it_holds)
{
	static uint64_t model[STORE_PAGES];
	struct arena arena = {
		.len = STORE_PAGES * PAGE,
		.sig = SIGSEGV,
		.code = SEGV_MAPERR,
		.repair = page_in,
	};
	uint64_t before = vm_free_pages();
	uint32_t seed = 5;
	int i;

	paged = vm_anon(STORE_PAGES);
	ASSERT(!bsdvm_munmap(paged, STORE_PAGES * PAGE));
	arena.start = paged;
	memset(backing, 0x5a, sizeof(backing));
	handle_faults(&arena);
	for (i = 0; i < 3 * STORE_PAGES; i++) {
		const size_t page = i < STORE_PAGES ? (size_t)i :
						      draw(&seed) % STORE_PAGES;
		uint64_t *word = word_of(paged, page, page);

		EXPECT_EQ(load(word), model[page]);
		store(word, i + 1);
		model[page] = i + 1;
		/* No page is held but those in the frames. */
		EXPECT(before - vm_free_pages() <= FRAMES);
	}
	EXPECT(arena.faults >= STORE_PAGES);
	ASSERT(!bsdvm_munmap(paged, STORE_PAGES * PAGE));
}

/* --- shared memory of two machines: one writer or many readers of a page */

#define SHARED_PAGES 8
#define TURNS	     150

/* Asks the other side for a page; the answer is its content. */
struct request {
	uint32_t page;
	uint32_t exclusive;
};

enum access {
	NO_ACCESS,
	CAN_READ,
	CAN_WRITE
};

static struct {
	pthread_mutex_t lock;
	char *map;
	enum access access[SHARED_PAGES];
	int ask; /* to the other side's server */
	int serve;
} machine = { .lock = PTHREAD_MUTEX_INITIALIZER };

static void allow(uint32_t page, enum access access)
{
	static const int prot[] = { BSDVM_PROT_NONE, BSDVM_PROT_READ, RW };

	machine.access[page] = access;
	EXPECT_ERRNO(bsdvm_mprotect(machine.map + page * PAGE, PAGE,
				    prot[access]),
		     0);
}

/* Read all of it, as sockets do not promise to give it at once. */
static bool receive(int fd, void *buf, size_t len)
{
	return recv(fd, buf, len, MSG_WAITALL) == (ssize_t)len;
}

/* Answers the other side until it hangs up. */
static void *serve(void *arg)
{
	struct request request;
	char content[PAGE];

	(void)arg;
	while (receive(machine.serve, &request, sizeof(request))) {
		char *page = machine.map + request.page * PAGE;

		pthread_mutex_lock(&machine.lock);
		if (machine.access[request.page] == CAN_WRITE)
			allow(request.page, CAN_READ);
		if (machine.access[request.page] == CAN_READ) {
			memcpy(content, page, PAGE);
			if (request.exclusive)
				allow(request.page, NO_ACCESS);
		} else {
			/* Lost already: the asker has it, or it asks again. */
			memset(content, 0xff, PAGE);
		}
		pthread_mutex_unlock(&machine.lock);
		ASSERT(send(machine.serve, content, PAGE, MSG_NOSIGNAL) ==
		       PAGE);
	}
	return NULL;
}

/*
 * Each side takes its turn under a token (see turn()), so only one of them asks
 * at a time and the other one has the page.
 */
static void fetch(char *page, const siginfo_t *info)
{
	const uint32_t number = (page - machine.map) / PAGE;
	const struct request request = {
		.page = number,
		/* A page that can be read faults because it is written. */
		.exclusive = machine.access[number] == CAN_READ,
	};
	char content[PAGE];

	(void)info;
	ASSERT(send(machine.ask, &request, sizeof(request), MSG_NOSIGNAL) ==
	       sizeof(request));
	ASSERT(receive(machine.ask, content, PAGE));
	pthread_mutex_lock(&machine.lock);
	if (request.exclusive) {
		allow(number, CAN_WRITE);
	} else {
		allow(number, CAN_WRITE);
		memcpy(page, content, PAGE);
		allow(number, CAN_READ);
	}
	pthread_mutex_unlock(&machine.lock);
}

static struct arena machine_arena = {
	.len = SHARED_PAGES * PAGE,
	.sig = SIGSEGV,
	.code = SEGV_ACCERR,
	.repair = fetch,
};

/* Add to words of both sides; the token comes and goes with the sum. */
static void take_turns(int token, bool first, uint32_t seed)
{
	uint64_t sum = 0;
	int turn;

	for (turn = 0; turn < TURNS; turn++) {
		const size_t page = draw(&seed) % SHARED_PAGES;
		uint64_t total = 0;
		size_t i;

		if (turn || !first)
			ASSERT(receive(token, &sum, sizeof(sum)));
		store(word_of(machine.map, page, 1),
		      load(word_of(machine.map, page, 1)) + turn + 1);
		sum += turn + 1;
		for (i = 0; i < SHARED_PAGES; i += turn % 4 ? SHARED_PAGES : 1)
			total += load(word_of(machine.map, i, 1));
		if (turn % 4 == 0)
			EXPECT_EQ(total, sum);
		ASSERT(send(token, &sum, sizeof(sum), MSG_NOSIGNAL) ==
		       sizeof(sum));
	}
}

/* Our end of each pair of sockets is @self, the other side's is the other. */
static void be_machine(int self, int pair[3][2], uint32_t seed)
{
	pthread_t server;
	size_t i;

	/* Of the two pairs for pages one asks and the other one serves. */
	machine.ask = pair[self][self];
	machine.serve = pair[!self][self];
	for (i = 0; i < 3; i++)
		close(pair[i][!self]);
	/* Memory of our own: nothing but messages joins the two. */
	machine.map = vm_anon(SHARED_PAGES);
	machine_arena.start = machine.map;
	handle_faults(&machine_arena);
	for (i = 0; i < SHARED_PAGES; i++)
		allow(i, self ? NO_ACCESS : CAN_WRITE);
	ASSERT(!pthread_create(&server, NULL, serve, NULL));
	take_turns(pair[2][self], !self, seed);
	EXPECT(machine_arena.faults > TURNS / 4);
	/* The other side may still ask. */
	shutdown(machine.ask, SHUT_WR);
	pthread_join(server, NULL);
}

TEST(two_processes_share_memory_by_messages_alone)
{
	int pair[3][2], i;
	pid_t other;

	for (i = 0; i < 3; i++)
		ASSERT(!socketpair(AF_UNIX, SOCK_STREAM, 0, pair[i]));
	other = harness_fork();
	be_machine(!other, pair, other ? 7 : 11);
	if (!other)
		harness_exit();
	harness_join(other);
}

/* --- stacks with a guard, and handlers on a stack of their own */

#define STACK_PAGES 32

static char *stack, *guard;
static ucontext_t caller;
static sigjmp_buf overflowed;
static int depth_reached;

/* A frame of some hundred bytes for each level. */
static __attribute__((noinline)) int descend(int depth)
{
	volatile char frame[512];

	frame[0] = depth;
	depth_reached = depth;
	if (!depth)
		return 0;
	return descend(depth - 1) + (frame[0] == (char)depth);
}

static int descend_from, descend_result;

static void start_on_stack(void)
{
	descend_result = descend(descend_from);
}

static void run_on_stack(int depth)
{
	ucontext_t context;

	descend_from = depth;
	descend_result = -1;
	ASSERT(!getcontext(&context));
	context.uc_stack.ss_sp = stack;
	context.uc_stack.ss_size = STACK_PAGES * PAGE;
	context.uc_link = &caller;
	makecontext(&context, start_on_stack, 0);
	ASSERT(!swapcontext(&caller, &context));
}

static void use_alternate_stack(void *memory, size_t len)
{
	stack_t alternate = { .ss_sp = memory, .ss_size = len };

	ASSERT(!sigaltstack(&alternate, NULL));
}

static bool on_alternate_stack(void)
{
	stack_t now;

	return !sigaltstack(NULL, &now) && (now.ss_flags & SS_ONSTACK);
}

/* Down to the last page the guard moves out of the way, then it is an end. */
static void give_stack(char *page, const siginfo_t *info)
{
	(void)info;
	EXPECT(on_alternate_stack());
	EXPECT(page == guard);
	if (page == stack)
		siglongjmp(overflowed, 1);
	guard = page - PAGE;
	EXPECT(bsdvm_mmap(page, PAGE, RW, ANON | BSDVM_MAP_FIXED, -1, 0) ==
	       page);
	EXPECT(bsdvm_mmap(guard, PAGE, BSDVM_PROT_NONE,
			  BSDVM_MAP_GUARD | BSDVM_MAP_FIXED, -1, 0) == guard);
}

static void overflow_a_stack(void *alternate, size_t len)
{
	struct arena arena = {
		.len = STACK_PAGES * PAGE,
		.sig = SIGSEGV,
		.code = SEGV_ACCERR,
		.repair = give_stack,
	};

	use_alternate_stack(alternate, len);
	/* Two pages to begin with; frames are smaller than the guard. */
	stack = bsdvm_mmap(NULL, STACK_PAGES * PAGE, BSDVM_PROT_NONE,
			   BSDVM_MAP_GUARD, -1, 0);
	ASSERT(stack != BSDVM_MAP_FAILED);
	guard = stack + (STACK_PAGES - 3) * PAGE;
	ASSERT(bsdvm_mmap(guard + PAGE, 2 * PAGE, RW, ANON | BSDVM_MAP_FIXED,
			  -1, 0) == guard + PAGE);
	arena.start = stack;
	handle_faults(&arena);
	run_on_stack(8);
	EXPECT_EQ(descend_result, 8);
	EXPECT_EQ(arena.faults, 0);
	run_on_stack(100);
	EXPECT_EQ(descend_result, 100);
	EXPECT(arena.faults > 0 && arena.faults < STACK_PAGES - 3);
	if (!sigsetjmp(overflowed, 1)) {
		run_on_stack(100000);
		EXPECT(!"no overflow");
	}
	EXPECT(guard == stack);
	EXPECT_EQ(arena.faults, STACK_PAGES - 2);
	EXPECT(depth_reached > 100000 - (int)(STACK_PAGES * PAGE / 512));
	/* The process goes on, and can do it again. */
	if (!sigsetjmp(overflowed, 1)) {
		run_on_stack(100000);
		EXPECT(!"no overflow");
	}
	EXPECT_EQ(arena.faults, STACK_PAGES - 1);
	run_on_stack(100);
	EXPECT_EQ(descend_result, 100);
	arenas = NULL;
	ASSERT(!bsdvm_munmap(stack, STACK_PAGES * PAGE));
}

TEST(a_guard_moves_down_with_the_stack_and_then_stops_it)
{
	const size_t len = 16 * PAGE;
	void *plain = malloc(len);

	ASSERT(plain);
	overflow_a_stack(plain, len);
	/* The same where the kernel writes the signal's frame into the window. */
	overflow_a_stack(vm_anon(16), len);
}

/* --- behind the end of a file */

static int grown_fd;
static char *grown;

static void grow_file(char *page, const siginfo_t *info)
{
	(void)info;
	EXPECT_ERRNO(ftruncate(grown_fd, page - grown + PAGE), 0);
}

TEST_FILES(a_handler_makes_the_file_longer_where_it_is_touched)
{
	const size_t pages = 12;
	struct arena arena = {
		.len = pages * PAGE,
		.sig = SIGBUS,
		.code = BUS_OBJERR,
		.repair = grow_file,
	};
	size_t i;

	grown_fd = vm_file(dir, PAGE);
	grown = bsdvm_mmap(NULL, pages * PAGE, RW, BSDVM_MAP_SHARED, grown_fd,
			   0);
	ASSERT(grown != BSDVM_MAP_FAILED);
	arena.start = grown;
	handle_faults(&arena);
	EXPECT_EQ(grown[0], vm_file_byte(0));
	EXPECT_EQ(arena.faults, 0);
	/* Once for each step; the pages between come along. */
	for (i = 2; i < pages; i += 2) {
		if (i % 4)
			EXPECT_EQ(load(word_of(grown, i, 1)), 0);
		store(word_of(grown, i, 1), i);
		EXPECT_EQ(arena.faults, i / 2);
		EXPECT_EQ(load(word_of(grown, i - 1, 1)), 0);
		EXPECT_EQ(arena.faults, i / 2);
	}
	ASSERT(!bsdvm_msync(grown, 0, BSDVM_MS_SYNC));
	EXPECT_EQ(lseek(grown_fd, 0, SEEK_END), (pages - 1) * PAGE);
	for (i = 2; i < pages; i += 2)
		EXPECT_EQ(vm_file_read(grown_fd, i * PAGE + 8), i);
	arenas = NULL;
	ASSERT(!bsdvm_munmap(grown, pages * PAGE));
}
