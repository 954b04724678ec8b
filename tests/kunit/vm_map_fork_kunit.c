// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Tests of what a child's memory is, told by its content; of pages that fork splits
 * off, copies or cannot have; and processes that do everything at random, against a
 * model that knows of each page only what is in it and who shares it.
 */
#include "vm_map_kunit.h"

#define MEMORY	{ TEST_MAP, 10, 20, RW }
#define VALUES	{ TEST_STORE, 10, 20, 7 }
#define FAULTS	.rv = KERN_FAILURE

struct fork_case {
	const char *name;
	struct test_op before[6];
	struct test_op parent[5];	/* after the fork, in this order */
	struct test_op child[6];
	struct test_op parent_again[4];
};

static const struct fork_case fork_cases[] = {
	{ "a copy is what it was", { MEMORY, VALUES }, { { TEST_STORE, 10, 15, 100 } },
	  { { TEST_LOAD, 10, 20, 7 } } },
	{ "a copy is the child's own", { MEMORY, VALUES }, { }, { { TEST_STORE, 10, 15, 100 } },
	  { { TEST_LOAD, 10, 20, 7 } } },
	{ "a copy of nothing is zero", { MEMORY }, { { TEST_STORE, 10, 11, 5 } },
	  { { TEST_LOAD, 10, 11, 0 }, { TEST_STORE, 11, 12, 6 } }, { { TEST_LOAD, 11, 12, 0 } } },
	{ "what is shared is seen by both", { MEMORY, VALUES, { TEST_INHERIT, 10, 20, SHARE } },
	  { { TEST_STORE, 10, 15, 100 } },
	  { { TEST_LOAD, 10, 15, 100 }, { TEST_LOAD, 15, 20, 12 }, { TEST_STORE, 15, 20, 200 } },
	  { { TEST_LOAD, 15, 20, 200 } } },
	{ "what is shared untouched is seen by both", { MEMORY, { TEST_INHERIT, 10, 20, SHARE } },
	  { { TEST_STORE, 10, 15, 100 } },
	  { { TEST_LOAD, 10, 15, 100 }, { TEST_STORE, 15, 20, 200 } },
	  { { TEST_LOAD, 15, 20, 200 } } },
	{ "new memory is zero", { MEMORY, VALUES, { TEST_INHERIT, 10, 20, ZERO } }, { },
	  { { TEST_LOAD, 10, 11, 0 }, { TEST_LOAD, 19, 20, 0 }, { TEST_STORE, 10, 20, 100 } },
	  { { TEST_LOAD, 10, 20, 7 } } },
	{ "what is not inherited is a hole",
	  { MEMORY, VALUES, { TEST_INHERIT, 12, 15, NONE } }, { },
	  { { TEST_LOAD, 10, 12, 7 }, { TEST_LOAD, 12, 13, 0, FAULTS },
	    { TEST_LOAD, 15, 20, 12 }, { TEST_MAP, 12, 15, RW }, { TEST_LOAD, 13, 14, 0 } } },
	{ "wired memory is copied", { MEMORY, VALUES, { TEST_WIRE, 10, 20 } },
	  { { TEST_STORE, 10, 15, 100 } },
	  { { TEST_LOAD, 10, 20, 7 }, { TEST_STORE, 10, 15, 200 } },
	  { { TEST_LOAD, 10, 15, 100 } } },
	{ "wired memory is shared",
	  { MEMORY, VALUES, { TEST_WIRE, 10, 20 }, { TEST_INHERIT, 10, 20, SHARE } },
	  { { TEST_STORE, 10, 15, 100 } },
	  { { TEST_LOAD, 10, 15, 100 }, { TEST_STORE, 10, 15, 200 } },
	  { { TEST_LOAD, 10, 15, 200 } } },
	{ "wired memory is new",
	  { MEMORY, VALUES, { TEST_WIRE, 10, 20 }, { TEST_INHERIT, 10, 20, ZERO } },
	  { }, { { TEST_LOAD, 10, 11, 0 } }, { { TEST_LOAD, 10, 20, 7 } } },
	{ "wired memory that cannot be written is copied",
	  { MEMORY, VALUES, { TEST_PROTECT, 10, 20, R }, { TEST_WIRE, 10, 20 } },
	  { { TEST_PROTECT, 10, 20, RW }, { TEST_STORE, 10, 20, 100 } },
	  { { TEST_LOAD, 10, 20, 7 } } },
	{ "a part that is wired",
	  { MEMORY, VALUES, { TEST_WIRE, 12, 15 } }, { { TEST_STORE, 10, 20, 100 } },
	  { { TEST_LOAD, 10, 20, 7 }, { TEST_STORE, 10, 20, 200 } },
	  { { TEST_LOAD, 10, 20, 100 }, { TEST_UNWIRE, 12, 15 }, { TEST_LOAD, 10, 20, 100 } } },
	{ "protected after the fork", { MEMORY, VALUES }, { { TEST_PROTECT, 10, 20, R } },
	  { { TEST_STORE, 10, 20, 100 } }, { { TEST_LOAD, 10, 20, 7 } } },
	{ "wired after the fork", { MEMORY, VALUES },
	  { { TEST_WIRE, 10, 20 }, { TEST_STORE, 10, 12, 100 } }, { { TEST_LOAD, 10, 20, 7 } },
	  { { TEST_LOAD, 10, 12, 100 }, { TEST_LOAD, 12, 20, 9 } } },
	{ "moved after the fork", { MEMORY, VALUES },
	  { { TEST_MOVE, 12, 18, VM_MAP_MOVE_FIXED, .to = 30, .size = 8 },
	    { TEST_LOAD, 30, 36, 9 }, { TEST_LOAD, 36, 37, 0 }, { TEST_STORE, 30, 36, 100 } },
	  { { TEST_LOAD, 10, 20, 7 } }, { { TEST_LOAD, 10, 12, 7 }, { TEST_LOAD, 30, 36, 100 } } },
	{ "moved before the fork",
	  { MEMORY, VALUES, { TEST_MOVE, 12, 18, VM_MAP_MOVE_FIXED, .to = 30, .size = 8 } },
	  { { TEST_STORE, 30, 38, 100 } }, { { TEST_LOAD, 30, 36, 9 }, { TEST_LOAD, 36, 37, 0 } } },
	{ "shared memory that is not to be shared is copied once wired",
	  { { TEST_MAP, 10, 20, RW, MAP_INHERIT_SHARE }, { TEST_STORE, 10, 20, 7 },
	    { TEST_INHERIT, 10, 20, COPY }, { TEST_WIRE, 10, 20 } },
	  { { TEST_STORE, 10, 20, 100 } }, { { TEST_LOAD, 10, 20, 7 } } },
};

static void fork_table(struct kunit *test)
{
	const struct fork_case *c = test->param_value;
	struct vm_map *map = test_map_new(test), *child;

	test_ops(test, map, c->before);
	child = test_fork(test, map);
	test_ops(test, map, c->parent);
	test_ops(test, child, c->child);
	test_ops(test, map, c->parent_again);
	test_describe(test, map, true);
	test_describe(test, child, true);
}

KUNIT_ARRAY_PARAM_DESC(fork, fork_cases, name);

/* The parent's wired pages stay where they are, whatever either side does. */
static void fork_leaves_wired_pages_in_place(struct kunit *test)
{
	struct vm_map *map = test_map_new(test), *child;
	struct vm_page *m[10];
	unsigned int i;

	TEST_OPS(test, map, MEMORY, VALUES, { TEST_WIRE, 10, 20 });
	for (i = 0; i < 10; i++)
		m[i] = test_page(map, 10 + i);
	child = test_fork(test, map);
	TEST_OPS(test, map, { TEST_STORE, 10, 20, 100 });
	TEST_OPS(test, child, { TEST_STORE, 10, 20, 200 });
	for (i = 0; i < 10; i++) {
		KUNIT_EXPECT_PTR_EQ(test, test_page(map, 10 + i), m[i]);
		KUNIT_EXPECT_PTR_NE(test, test_page(child, 10 + i), m[i]);
	}
	test_map_empty(child);
	for (i = 0; i < 10; i++)
		KUNIT_EXPECT_PTR_EQ(test, test_page(map, 10 + i), m[i]);
	TEST_EXPECT_MAP(test, map, "10-20:rwW$/A+0");
}

/*
 * One of several entries of an object, unmapped after a fork by both sides, gives its
 * pages back at once.
 */
static void fork_splits_entries(struct kunit *test)
{
	struct vm_map *map = test_map_new(test), *child;
	unsigned long free;

	TEST_OPS(test, map, MEMORY, VALUES, { TEST_ADVISE, 14, 17, VM_ADVICE_NOCORE });
	TEST_EXPECT_MAP(test, map, "10-14:rw$/A+0 14-17:rwC$/A+4 17-20:rw$/A+7");
	free = test_free_count();
	child = test_fork(test, map);
	TEST_EXPECT_MAP(test, map, "10-14:rwc+$/A+0 14-17:rwc+C$/B+0 17-20:rwc+$/C+7");
	TEST_OPS(test, child, { TEST_LOAD, 10, 20, 7 });
	TEST_OPS(test, map, { TEST_REMOVE, 14, 17 });
	KUNIT_EXPECT_EQ(test, test_free_count(), free);
	TEST_OPS(test, child, { TEST_LOAD, 10, 20, 7 }, { TEST_REMOVE, 14, 17 });
	KUNIT_EXPECT_EQ(test, test_free_count(), free + 3);
	TEST_OPS(test, child, { TEST_LOAD, 10, 14, 7 }, { TEST_LOAD, 17, 20, 14 },
		 { TEST_REMOVE, 10, 20 });
	TEST_OPS(test, map, { TEST_LOAD, 10, 14, 7 }, { TEST_REMOVE, 10, 14 });
	KUNIT_EXPECT_EQ(test, test_free_count(), free + 7);
	TEST_OPS(test, map, { TEST_LOAD, 17, 20, 14 });
}

/* No memory, kernel's or ours: the parent's is what it was, the child can be emptied. */
static const struct test_op fail_ops[] = {
	MEMORY, VALUES, { TEST_INHERIT, 12, 14, SHARE }, { TEST_WIRE, 16, 18 },
	{ TEST_MAP, 20, 25, RW, MAP_INHERIT_SHARE }, { TEST_MAP, 25, 30, RW },
	{ TEST_STORE, 27, 28, 50 }, { TEST_INHERIT, 26, 27, ZERO }, { TEST_END }
};

static void fork_check_parent(struct kunit *test, struct vm_map *map)
{
	TEST_OPS(test, map, { TEST_LOAD, 10, 20, 7 }, { TEST_LOAD, 21, 22, 0 },
		 { TEST_LOAD, 27, 28, 50 }, { TEST_STORE, 10, 30, 300 },
		 { TEST_LOAD, 10, 30, 300 });
	KUNIT_EXPECT_EQ(test, map->wired, ptoa(2));
	KUNIT_EXPECT_EQ(test, test_wirings(map, 16), 1);
	KUNIT_EXPECT_EQ(test, test_wirings(map, 18), 0);
}

static void fork_without_memory(struct kunit *test)
{
	unsigned long wired = vm_map_user_wire_count();
	struct vm_map *map, *child;
	u64 reserved = swap_reserved();
	unsigned int nth;
	int rv;

	test_fail_init(test);
	for (nth = 1; nth < 60; nth++) {
		map = test_map_new(test);
		child = test_map_new(test);
		test_ops(test, map, fail_ops);
		test_fail_from(nth);
		rv = vm_map_fork(map, child);
		if (!test_fail_done())
			break;
		/* Where a split is all that failed, there is none. */
		if (rv != KERN_SUCCESS)
			KUNIT_EXPECT_EQ(test, rv, KERN_RESOURCE_SHORTAGE);
		test_describe(test, child, true);
		test_map_empty(child);
		test_describe(test, map, true);
		fork_check_parent(test, map);
		test_map_empty(map);
		KUNIT_EXPECT_EQ(test, swap_reserved(), reserved);
		KUNIT_EXPECT_EQ(test, vm_map_user_wire_count(), wired);
	}
	KUNIT_EXPECT_EQ(test, rv, KERN_SUCCESS);
	KUNIT_EXPECT_GT(test, nth, 8U);
	TEST_OPS(test, child, { TEST_LOAD, 10, 20, 7 });
	fork_check_parent(test, map);
}

/* Without swap for all of the child it has none of it. */
static void fork_without_swap(struct kunit *test)
{
	struct vm_map *map = test_map_new(test), *child = test_map_new(test);
	unsigned int overcommit = vm_overcommit;
	u64 reserved, others;
	int rv;

	TEST_OPS(test, map, MEMORY, VALUES, { TEST_MAP, 30, 31, R }, { TEST_MAP, 40, 41, RW });
	vm_overcommit = SWAP_RESERVE_FORCE_ON;
	/* All but a page for one of the entries is taken. */
	others = swap_total() - ptoa(1) - swap_reserved();
	swap_reserve_force(others);
	reserved = swap_reserved();
	rv = vm_map_fork(map, child);
	vm_overcommit = overcommit;
	KUNIT_EXPECT_EQ(test, rv, KERN_RESOURCE_SHORTAGE);
	KUNIT_EXPECT_EQ(test, child->charge, 0ULL);
	KUNIT_EXPECT_EQ(test, swap_reserved(), reserved);
	test_describe(test, child, true);
	test_map_empty(child);
	KUNIT_EXPECT_EQ(test, swap_reserved(), reserved);
	swap_release(others);
	TEST_OPS(test, map, { TEST_LOAD, 10, 20, 7 }, { TEST_STORE, 10, 20, 100 },
		 { TEST_LOAD, 10, 20, 100 });
}

/* The black nodes on each way down; -1 where that differs, or red is below red. */
static int rb_black_height(struct rb_node *node, struct rb_node *parent)
{
	int left, right;

	if (!node)
		return 0;
	if (rb_parent(node) != parent || (rb_is_red(node) && (!parent || rb_is_red(parent))))
		return -1;
	left = rb_black_height(node->rb_left, node);
	right = rb_black_height(node->rb_right, node);
	return left < 0 || left != right ? -1 : left + rb_is_black(node);
}

/* As balanced as one that grew, also while it shrinks again. */
static void fork_makes_a_tree(struct kunit *test)
{
	struct vm_map *map = test_map_new(test), *child;
	LIST_HEAD(deferred);
	unsigned int n, i;

	for (n = 0; n < TEST_MAP_PAGES; n++) {
		const struct test_op ops[] = {
			{ TEST_MAP, n, n + 1, n % 2 ? RW : R }, { TEST_END }
		};

		if (n)
			test_ops(test, map, ops);
		child = test_fork(test, map);
		KUNIT_EXPECT_EQ(test, child->nentries, (unsigned long)n);
		for (i = 0; i <= n; i++) {
			KUNIT_EXPECT_GE_MSG(test, rb_black_height(child->root.rb_node, NULL), 0,
					    "%u of %u entries", n - i, n);
			/* Each of them once, in no order. */
			vm_map_remove(child, test_va(1 + i * 67 % max(n, 1U)),
				      test_va(2 + i * 67 % max(n, 1U)), &deferred);
			test_describe(test, child, false);
		}
		test_map_empty(child);
	}
}

/*
 * More wired pages to copy than the page daemon, which is at work meanwhile, can find: it
 * may page out what else the map has, and have zones give back what they do not use.
 */
#define MUCH	1024

static void fork_without_pages(struct kunit *test)
{
	struct test_pages *pages = test_pages_alloc(test);
	struct vm_map *map = test_map_new(test), *child = test_map_new(test);
	unsigned int attempts = vm_pfault_oom_attempts;

	map->max_offset = test_va(40 + MUCH);
	child->max_offset = map->max_offset;
	test_ops(test, map, fail_ops);
	TEST_OPS(test, map, { TEST_MAP, 40, 40 + MUCH, RW }, { TEST_WIRE, 40, 40 + MUCH });
	while (test_pages_get(pages, VM_ALLOC_NORMAL))
		;
	test_pages_put(pages);
	WRITE_ONCE(vm_pfault_oom_attempts, 0);
	KUNIT_EXPECT_EQ(test, KERN_RESOURCE_SHORTAGE, vm_map_fork(map, child));
	WRITE_ONCE(vm_pfault_oom_attempts, attempts);
	test_map_empty(child);
	test_pages_put_all(pages);
	TEST_OPS(test, map, { TEST_UNWIRE, 40, 40 + MUCH }, { TEST_REMOVE, 40, 40 + MUCH });
	fork_check_parent(test, map);
}

/* --- against a model */

#define PROCS		4
#define PAGES		32
#define CELLS		(PROCS * PAGES)
#define STEPS		3000
#define CHECK_STEPS	32

/* A page of memory, by whatever number of processes it is seen. */
struct cell {
	unsigned int refs;
	u64 value;
};

struct model_page {
	struct cell *cell;	/* NULL: nothing is mapped */
	vm_prot_t prot;
	vm_inherit_t inherit;
	bool wired;
};

struct model {
	struct cell cells[CELLS];
	struct model_page pages[PROCS][PAGES];
	struct vm_map *map[PROCS];
	bool lives[PROCS];
	unsigned int moves;
	unsigned int forks;
};

static struct cell *cell_new(struct model *model, u64 value)
{
	struct cell *cell = model->cells;

	while (cell->refs)
		cell++;
	*cell = (struct cell){ 1, value };
	return cell;
}

static void page_drop(struct model_page *p)
{
	if (p->cell)
		p->cell->refs--;
	memset(p, 0, sizeof(*p));
}

static bool range_all(struct model_page *pages, u64 start, u64 end, bool mapped)
{
	for (; start < end; start++)
		if (mapped != !!pages[start].cell)
			return false;
	return true;
}

/* A range that holds shared memory, whose inheritance is for ever. */
static bool range_shared(struct model_page *pages, u64 start, u64 end)
{
	for (; start < end; start++)
		if (pages[start].cell && pages[start].inherit == SHARE)
			return true;
	return false;
}

static bool range_all_shared(struct model_page *pages, u64 start, u64 end)
{
	for (; start < end; start++)
		if (!pages[start].cell || pages[start].inherit != SHARE)
			return false;
	return true;
}

static void model_fork(struct kunit *test, struct model *model, unsigned int from, unsigned int to)
{
	struct model_page *p, *q;
	unsigned int i;

	KUNIT_ASSERT_EQ(test, KERN_SUCCESS, vm_map_fork(model->map[from], model->map[to]));
	for (i = 0; i < PAGES; i++) {
		p = &model->pages[from][i];
		q = &model->pages[to][i];
		if (!p->cell || p->inherit == NONE)
			continue;
		*q = *p;
		q->wired = false;
		if (p->inherit == SHARE)
			p->cell->refs++;
		else
			q->cell = cell_new(model, p->inherit == ZERO ? 0 : p->cell->value);
	}
	model->lives[to] = true;
	model->forks++;
}

static void model_exit(struct model *model, unsigned int proc)
{
	unsigned int i;

	test_map_empty(model->map[proc]);
	for (i = 0; i < PAGES; i++)
		page_drop(&model->pages[proc][i]);
	model->lives[proc] = false;
}

/* Move pages of the model; the place is free, or the old one itself. */
static void model_move(struct model *model, struct model_page *pages, const struct test_op *op,
		       u64 to)
{
	u64 n = min_t(u64, op->size, op->end - op->start), i;
	struct model_page moved[PAGES], last = pages[op->end - 1];
	bool dup = op->arg & VM_MAP_MOVE_DUP;

	memcpy(moved, pages + op->start, n * sizeof(moved[0]));
	for (i = op->start; i < op->end && !dup; i++) {
		if (i - op->start >= n)
			page_drop(&pages[i]);
		memset(&pages[i], 0, sizeof(pages[i]));
	}
	for (i = 0; i < op->size; i++) {
		pages[to + i] = i < n ? moved[i] : last;
		if (i >= n)
			pages[to + i].cell = cell_new(model, 0);
		else if (dup)
			moved[i].cell->refs++;
		if (i >= n || dup)
			pages[to + i].wired = false;
	}
	model->moves++;
}

static void random_move(struct kunit *test, struct model *model, unsigned int proc,
			struct test_op *op, struct rnd_state *rnd)
{
	struct model_page *pages = model->pages[proc];
	vm_offset_t addr = 0;
	u64 size = op->end - op->start, to = op->start;
	bool fits;
	LIST_HEAD(deferred);
	int rv;

	if (!range_all(pages, op->start, op->end, true))
		return;
	op->arg = test_random(rnd, 2) ? VM_MAP_MOVE_FIXED : 0;
	op->size = size;
	/* What two places share must be shared for ever; and what is gained, new. */
	if (range_shared(pages, op->end - 1, op->end))
		op->size = 1 + test_random(rnd, size);
	else
		op->size = 1 + test_random(rnd, size + 4);
	if (range_all_shared(pages, op->start, op->end) && test_random(rnd, 2))
		op->arg |= VM_MAP_MOVE_DUP;
	if (op->arg & VM_MAP_MOVE_FIXED) {
		to = test_random(rnd, PAGES);
		addr = test_va(to);
	}
	rv = vm_map_move(model->map[proc], test_va(op->start), ptoa(size), &addr, ptoa(op->size),
			 VM_PAGE_SIZE, op->arg, &deferred);
	vm_map_process_deferred(&deferred);
	if (rv == KERN_SUCCESS)
		to = test_page_of(addr);
	/* May it be there? */
	fits = to + op->size <= PAGES &&
	       (to == op->start && !(op->arg & VM_MAP_MOVE_DUP) ?
			op->size <= size || range_all(pages, op->end, to + op->size, false) :
			range_all(pages, to, to + op->size, false));
	if ((op->arg & VM_MAP_MOVE_FIXED) || rv == KERN_SUCCESS)
		KUNIT_ASSERT_EQ_MSG(test, rv, fits ? KERN_SUCCESS : KERN_NO_SPACE,
				    "%llu-%llu to %llu, %llu pages", op->start, op->end, to,
				    op->size);
	if (rv == KERN_SUCCESS)
		model_move(model, pages, op, to);
}

static void random_map(struct kunit *test, struct model *model, unsigned int proc,
		       struct test_op *op, struct rnd_state *rnd)
{
	struct model_page *pages = model->pages[proc];
	u64 i;

	op->op = TEST_FIXED;
	op->arg = test_random(rnd, 3) ? RW : R;
	op->cow = test_random(rnd, 4) ? 0 : MAP_INHERIT_SHARE;
	KUNIT_ASSERT_EQ(test, KERN_SUCCESS, test_op(model->map[proc], op));
	for (i = op->start; i < op->end; i++) {
		page_drop(&pages[i]);
		pages[i].cell = cell_new(model, 0);
		pages[i].prot = op->arg;
		pages[i].inherit = op->cow ? SHARE : COPY;
	}
}

/* What changes nothing but the properties of pages. */
static void random_change(struct kunit *test, struct model *model, unsigned int proc,
			  struct test_op *op, struct rnd_state *rnd)
{
	static const vm_inherit_t inherits[] = { COPY, COPY, COPY, ZERO, NONE };
	static const vm_prot_t prots[] = { RW, RW, R, 0 };
	static const unsigned int ops[] = {
		TEST_REMOVE, TEST_PROTECT, TEST_PROTECT, TEST_INHERIT, TEST_WIRE, TEST_WIRE,
		TEST_UNWIRE, TEST_ADVISE
	};
	struct model_page *pages = model->pages[proc];
	u64 i;

	op->op = ops[test_random(rnd, ARRAY_SIZE(ops))];
	if (op->op == TEST_INHERIT && range_shared(pages, op->start, op->end))
		return;
	if (op->op == TEST_PROTECT)
		op->arg = prots[test_random(rnd, ARRAY_SIZE(prots))];
	else if (op->op == TEST_INHERIT)
		op->arg = inherits[test_random(rnd, ARRAY_SIZE(inherits))];
	else if (op->op == TEST_ADVISE)
		op->arg = test_random(rnd, 2) ? VM_ADVICE_DONTNEED : VM_ADVICE_RANDOM;
	else
		op->arg = VM_MAP_WIRE_HOLESOK;
	KUNIT_ASSERT_EQ(test, KERN_SUCCESS, test_op(model->map[proc], op));
	for (i = op->start; i < op->end; i++) {
		if (op->op == TEST_REMOVE)
			page_drop(&pages[i]);
		if (!pages[i].cell)
			continue;
		if (op->op == TEST_PROTECT)
			pages[i].prot = op->arg;
		else if (op->op == TEST_INHERIT)
			pages[i].inherit = op->arg;
		else if (op->op == TEST_UNWIRE)
			pages[i].wired = false;
		else if (op->op == TEST_WIRE && pages[i].prot)
			pages[i].wired = true;
	}
}

static void random_store(struct kunit *test, struct model *model, unsigned int proc, u64 page,
			 u64 value)
{
	struct model_page *p = &model->pages[proc][page];
	int rv = test_store(model->map[proc], page, value);

	if (!p->cell)
		KUNIT_ASSERT_EQ(test, rv, KERN_INVALID_ADDRESS);
	else if (!(p->prot & W))
		KUNIT_ASSERT_EQ(test, rv, KERN_PROTECTION_FAILURE);
	else
		KUNIT_ASSERT_EQ(test, rv, KERN_SUCCESS);
	if (rv == KERN_SUCCESS)
		p->cell->value = value;
}

static void model_check_page(struct kunit *test, struct model *model, unsigned int proc, u64 page,
			     unsigned int step)
{
	struct model_page *p = &model->pages[proc][page];
	u64 want;

	if (!p->cell)
		want = NO_ACCESS + KERN_INVALID_ADDRESS;
	else if (!(p->prot & R))
		want = NO_ACCESS + KERN_PROTECTION_FAILURE;
	else
		want = p->cell->value;
	KUNIT_ASSERT_EQ_MSG(test, test_load(model->map[proc], page), want,
			    "step %u, process %u, page %llu: %s", step, proc, page,
			    test_describe(test, model->map[proc], true));
}

static void model_check(struct kunit *test, struct model *model, unsigned long wire_count,
			unsigned int step)
{
	unsigned int proc, i, wired, all = 0;

	for (proc = 0; proc < PROCS; proc++) {
		wired = 0;
		for (i = 0; i < PAGES; i++) {
			model_check_page(test, model, proc, i, step);
			wired += model->pages[proc][i].wired;
		}
		vm_map_lock_read(model->map[proc]);
		vm_map_assert_consistent(model->map[proc]);
		vm_map_unlock_read(model->map[proc]);
		KUNIT_ASSERT_EQ_MSG(test, model->map[proc]->wired, ptoa(wired), "step %u", step);
		all += wired;
	}
	KUNIT_ASSERT_EQ_MSG(test, vm_map_user_wire_count() - wire_count, (unsigned long)all,
			    "step %u", step);
}

static void random_step(struct kunit *test, struct model *model, struct rnd_state *rnd,
			unsigned int step)
{
	unsigned int proc = test_random(rnd, PROCS), other = test_random(rnd, PROCS);
	struct test_op op = { .start = test_random(rnd, PAGES) };

	op.end = min_t(u64, op.start + 1 + test_random(rnd, 10), PAGES);
	if (!model->lives[proc])
		return;
	switch (test_random(rnd, 16)) {
	case 0:
		if (!model->lives[other])
			model_fork(test, model, proc, other);
		else if (proc != other)
			model_exit(model, proc);
		break;
	case 1:
	case 2:
		random_map(test, model, proc, &op, rnd);
		break;
	case 3:
	case 4:
		random_move(test, model, proc, &op, rnd);
		break;
	case 5:
	case 6:
	case 7:
		random_change(test, model, proc, &op, rnd);
		break;
	default:
		random_store(test, model, proc, op.start, step + 1);
		model_check_page(test, model, proc, op.end - 1, step);
		break;
	}
}

static void processes_at_random_against_model(struct kunit *test)
{
	unsigned long wire_count = vm_map_user_wire_count(), wirings = test_wire_count();
	struct model *model = kunit_kzalloc(test, sizeof(*model), GFP_KERNEL);
	u64 reserved = swap_reserved();
	struct rnd_state rnd;
	unsigned int step, i;

	KUNIT_ASSERT_NOT_NULL(test, model);
	test_seed(test, &rnd, 90);
	for (i = 0; i < PROCS; i++) {
		model->map[i] = test_map_new(test);
		model->map[i]->max_offset = test_va(PAGES);
	}
	model->lives[0] = true;
	for (step = 0; step < STEPS; step++) {
		random_step(test, model, &rnd, step);
		if (step % CHECK_STEPS == 0)
			model_check(test, model, wire_count, step);
	}
	model_check(test, model, wire_count, step);
	for (i = 0; i < PROCS; i++)
		model_exit(model, i);
	KUNIT_EXPECT_EQ(test, swap_reserved(), reserved);
	KUNIT_EXPECT_EQ(test, vm_map_user_wire_count(), wire_count);
	KUNIT_EXPECT_EQ(test, test_wire_count(), wirings);
	KUNIT_EXPECT_GT(test, model->forks, (unsigned int)STEPS / 100);
	KUNIT_EXPECT_GT(test, model->moves, (unsigned int)STEPS / 50);
}

static struct kunit_case vm_map_fork_cases[] = {
	KUNIT_CASE_PARAM(fork_table, fork_gen_params),
	KUNIT_CASE(fork_leaves_wired_pages_in_place),
	KUNIT_CASE(fork_splits_entries),
	KUNIT_CASE(fork_without_memory),
	KUNIT_CASE(fork_without_swap),
	KUNIT_CASE(fork_makes_a_tree),
	KUNIT_CASE(fork_without_pages),
	KUNIT_CASE(processes_at_random_against_model),
	{}
};

static struct kunit_suite vm_map_fork_suite = {
	.name = "bsdvm_vm_map_fork",
	.init = test_pages_init,
	.test_cases = vm_map_fork_cases,
};

kunit_test_suite(vm_map_fork_suite);
