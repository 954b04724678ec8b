// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Tests of stacks: memory at the top, below it a gap that faults turn into memory,
 * all but the guard.
 */
#include "vm_map_kunit.h"

#define STACK(start, end)	{ TEST_MAP, start, end, RW, MAP_STACK_GROWS_DOWN }
#define GROW_PAGES		4

struct stack_case {
	const char *name;
	struct test_op ops[8];
	const char *want;
	unsigned int guard;
	unsigned long grow;	/* bytes, 0 for GROW_PAGES */
};

#define FAILS	.rv = KERN_PROTECTION_FAILURE

static const struct stack_case stack_cases[] = {
	/* As it is made. */
	{ "made", { STACK(10, 30) }, "10-26:G 26-30:rwD$", 1 },
	{ "made, all but the guard at once", { STACK(10, 15) }, "10-11:G 11-15:rwD$", 1 },
	{ "made, of one page", { STACK(10, 12) }, "10-11:G 11-12:rwD$", 1 },
	{ "made, nothing but a guard",
	  { { TEST_MAP, 10, 11, RW, MAP_STACK_GROWS_DOWN, .rv = KERN_INVALID_ARGUMENT } }, "", 1 },
	{ "made without a guard", { STACK(10, 14) }, "10-14:rwD$" },
	{ "made without a guard, to grow", { STACK(10, 15) }, "10-11:G 11-15:rwD$" },
	{ "made with a large guard", { STACK(10, 14) }, "10-13:G 13-14:rwD$", 3 },
	{ "made, nothing but a large guard",
	  { { TEST_MAP, 10, 13, RW, MAP_STACK_GROWS_DOWN, .rv = KERN_INVALID_ARGUMENT } }, "", 3 },
	{ "made, by a size off a page", { STACK(10, 30) }, "10-25:G 25-30:rwD$", 1,
	  GROW_PAGES * VM_PAGE_SIZE + 1 },
	{ "made, not to be dumped",
	  { { TEST_MAP, 10, 30, RW, MAP_STACK_GROWS_DOWN | MAP_DISABLE_COREDUMP } },
	  "10-26:GC 26-30:rwCD$", 1 },

	/* As it grows. */
	{ "grows", { STACK(10, 30), { TEST_STORE, 25, 26 } },
	  "10-22:G 22-26:rwD$/A+0 26-30:rwD$", 1 },
	{ "grows when read", { STACK(10, 30), { TEST_LOAD, 25, 26 } },
	  "10-22:G 22-26:rwD$/A+0 26-30:rwD$", 1 },
	{ "grows by as much at least", { STACK(10, 30), { TEST_STORE, 22, 23 } },
	  "10-22:G 22-26:rwD$/A+0 26-30:rwD$", 1 },
	{ "grows by a multiple", { STACK(10, 30), { TEST_STORE, 21, 22 } },
	  "10-18:G 18-26:rwD$/A+0 26-30:rwD$", 1 },
	{ "grows twice", { STACK(10, 30), { TEST_STORE, 25, 26 }, { TEST_STORE, 21, 22 } },
	  "10-18:G 18-22:rwD$/A+0 22-26:rwD$/B+0 26-30:rwD$", 1 },
	{ "grows up to the guard", { STACK(10, 30), { TEST_STORE, 11, 12 } },
	  "10-11:G 11-26:rwD$/A+0 26-30:rwD$", 1 },
	{ "does not grow into the guard", { STACK(10, 30), { TEST_STORE, 10, 11, FAILS } },
	  "10-26:G 26-30:rwD$", 1 },
	{ "ends at the guard",
	  { STACK(10, 30), { TEST_STORE, 11, 12 }, { TEST_STORE, 10, 11, FAILS } },
	  "10-11:G 11-26:rwD$/A+0 26-30:rwD$", 1 },
	{ "grows less at the end",
	  { STACK(10, 30), { TEST_STORE, 14, 15 }, { TEST_STORE, 13, 14 } },
	  "10-11:G 11-14:rwD$/A+0 14-26:rwD$/B+0 26-30:rwD$", 1 },
	{ "grows over all of the gap", { STACK(10, 30), { TEST_STORE, 10, 11 } },
	  "10-26:rwD$/A+0 26-30:rwD$" },
	{ "grows up to a guard that has grown", { STACK(10, 30), { TEST_STORE, 13, 14 },
	    { TEST_STORE, 12, 13, FAILS } }, "10-13:G 13-26:rwD$/A+0 26-30:rwD$", 3 },

	/* Whatever was done to it. */
	{ "grows as it was made, not as it is protected",
	  { STACK(10, 30), { TEST_PROTECT, 26, 28, 0 }, { TEST_STORE, 25, 26 } },
	  "10-22:G 22-26:rwD$/A+0 26-28:-D$ 28-30:rwD$", 1 },
	{ "is no less a stack when all is protected",
	  { STACK(10, 30), { TEST_PROTECT, 10, 30, R }, { TEST_STORE, 25, 26 } },
	  "10-22:G 22-26:rwD$/A+0 26-30:rD$", 1 },
	{ "does not grow below a hole",
	  { STACK(10, 30), { TEST_REMOVE, 26, 27 }, { TEST_STORE, 25, 26, FAILS } },
	  "10-26:G 27-30:rwD$", 1 },
	{ "does not grow below what is mapped over it",
	  { STACK(10, 30), { TEST_FIXED, 26, 27, RW }, { TEST_STORE, 25, 26, FAILS } },
	  "10-26:G 26-27:rw$ 27-30:rwD$", 1 },
	{ "grows into what is left of the gap",
	  { STACK(10, 30), { TEST_REMOVE, 10, 20 }, { TEST_STORE, 21, 22 },
	    { TEST_STORE, 20, 21, FAILS } }, "20-21:G 21-26:rwD$/A+0 26-30:rwD$", 1 },
	{ "grows by what is inherited alike",
	  { STACK(10, 30), { TEST_INHERIT, 10, 30, NONE }, { TEST_STORE, 25, 26 } },
	  "10-22:Gn 22-26:rwnD$/A+0 26-30:rwnD$", 1 },
	{ "grows by what is not dumped either",
	  { STACK(10, 30), { TEST_ADVISE, 10, 30, VM_ADVICE_NOCORE }, { TEST_STORE, 25, 26 } },
	  "10-22:GC 22-26:rwCD$/A+0 26-30:rwCD$", 1 },
	{ "grows by immutable memory in an immutable gap",
	  { STACK(10, 30), { TEST_IMMUTABLE, 10, 30 }, { TEST_STORE, 25, 26 },
	    { TEST_REMOVE, 22, 23, .rv = KERN_NO_ACCESS } },
	  "10-22:GI 22-26:rwID$/A+0 26-30:rwID$", 1 },
	{ "grows where it was moved to",
	  { STACK(10, 30), { TEST_STORE, 29, 30, 5 },
	    { TEST_MOVE, 10, 30, VM_MAP_MOVE_FIXED, .to = 40, .size = 20 },
	    { TEST_STORE, 55, 56 }, { TEST_LOAD, 59, 60, 5 } },
	  "40-52:G 52-56:rwD$/A+0 56-60:rwD$/B+0", 1 },
	{ "grows pageable, wired as it may be",
	  { STACK(10, 30), { TEST_WIRE, 10, 30, VM_MAP_WIRE_HOLESOK }, { TEST_STORE, 25, 26 } },
	  "10-22:G 22-26:rwD$/A+0 26-30:rwWD$/B+0", 1 },
	{ "is nothing to wire as a whole",
	  { STACK(10, 30), { TEST_WIRE, 10, 30, .rv = KERN_INVALID_ADDRESS } },
	  "10-26:G 26-30:rwD$", 1 },
	{ "does not protect its gap",
	  { STACK(10, 30), { TEST_PROTECT, 10, 26, R }, { TEST_STORE, 25, 26 } },
	  "10-22:G 22-26:rwD$/A+0 26-30:rwD$", 1 },
	{ "two of them stay two",
	  { STACK(10, 20), STACK(20, 30), { TEST_STORE, 11, 12 }, { TEST_STORE, 21, 22 } },
	  "10-11:G 11-16:rwD$/A+0 16-20:rwD$ 20-21:G 21-26:rwD$/B+0 26-30:rwD$", 1 },
};

static void stack_tune(struct kunit *test, unsigned int guard, unsigned long grow)
{
	test_tune_int(test, &vm_stack_guard_page, guard);
	test_tune_long(test, &vm_sgrowsiz, grow);
}

static void stack_table(struct kunit *test)
{
	const struct stack_case *c = test->param_value;
	struct vm_map *map = test_map_new(test);
	u64 reserved = swap_reserved();

	stack_tune(test, c->guard, c->grow ?: ptoa(GROW_PAGES));
	test_ops(test, map, c->ops);
	TEST_EXPECT_MAP(test, map, c->want);
	KUNIT_EXPECT_EQ(test, swap_reserved() - reserved, map->charge);
	test_map_empty(map);
	KUNIT_EXPECT_EQ(test, swap_reserved(), reserved);
}

KUNIT_ARRAY_PARAM_DESC(stack, stack_cases, name);

static void stack_grows_in_parent_and_child(struct kunit *test)
{
	struct vm_map *map = test_map_new(test), *child;

	stack_tune(test, 1, ptoa(GROW_PAGES));
	TEST_OPS(test, map, STACK(10, 30), { TEST_STORE, 25, 30, 7 });
	child = test_fork(test, map);
	TEST_EXPECT_MAP(test, child, "10-22:G 22-26:rwc+D$/A+0 26-30:rwc+D$/B+0");
	TEST_OPS(test, child, { TEST_LOAD, 25, 30, 7 }, { TEST_STORE, 21, 22, 1 });
	TEST_OPS(test, map, { TEST_STORE, 20, 21, 2 }, { TEST_LOAD, 21, 22, 0 });
	TEST_OPS(test, child, { TEST_LOAD, 21, 22, 1 }, { TEST_LOAD, 20, 21, 0 });
	TEST_EXPECT_MAP(test, map, "10-18:G 18-22:rwD$/A+0 22-26:rwc+D$/B+0 26-30:rwc+D$/C+0");
}

/* MCL_FUTURE: what grows is wired at once. */
static void stack_grows_wired(struct kunit *test)
{
	unsigned long before = vm_map_user_wire_count();
	struct vm_map *map = test_map_new(test);
	u64 page;

	stack_tune(test, 1, ptoa(GROW_PAGES));
	TEST_OPS(test, map, STACK(10, 30));
	map->flags |= MAP_WIREFUTURE;
	TEST_OPS(test, map, { TEST_LOAD, 25, 26, 0 });
	TEST_EXPECT_MAP(test, map, "10-22:G 22-26:rwWD$/A+0 26-30:rwD$");
	KUNIT_EXPECT_EQ(test, vm_map_user_wire_count(), before + GROW_PAGES);
	for (page = 22; page < 26; page++)
		KUNIT_EXPECT_EQ(test, test_wirings(map, page), 1);
	TEST_OPS(test, map, { TEST_LOAD, 22, 23, 0 }, { TEST_UNWIRE, 22, 26 });
	KUNIT_EXPECT_EQ(test, vm_map_user_wire_count(), before);

	/* Or not at all. */
	test_tune_long(test, &vm_max_user_wired, before + GROW_PAGES - 1);
	TEST_OPS(test, map, { TEST_STORE, 21, 22, FAILS });
	TEST_EXPECT_MAP(test, map, "10-22:G 22-26:rwD$/A+0 26-30:rwD$");
	KUNIT_EXPECT_EQ(test, vm_map_user_wire_count(), before);
	KUNIT_EXPECT_EQ(test, map->wired, 0ULL);
	test_tune_long(test, &vm_max_user_wired, before + GROW_PAGES);
	TEST_OPS(test, map, { TEST_STORE, 21, 22 });
	KUNIT_EXPECT_EQ(test, map->wired, ptoa(GROW_PAGES));
}

/* A limit of the thread, for the length of the test. */
static void stack_limits(struct kunit *test)
{
	struct rlimit *limits = current->signal->rlim;
	struct vm_map *map = test_map_new(test);

	stack_tune(test, 1, ptoa(GROW_PAGES));
	TEST_OPS(test, map, STACK(10, 30));
	test_tune_long(test, &limits[RLIMIT_AS].rlim_cur, map->size + ptoa(GROW_PAGES) - 1);
	TEST_OPS(test, map, { TEST_STORE, 25, 26, FAILS });
	test_tune_long(test, &limits[RLIMIT_AS].rlim_cur, map->size + ptoa(GROW_PAGES));
	TEST_OPS(test, map, { TEST_STORE, 25, 26 }, { TEST_STORE, 21, 22, FAILS });
	test_tune_long(test, &limits[RLIMIT_AS].rlim_cur, RLIM_INFINITY);

	map->flags |= MAP_WIREFUTURE;
	test_tune_long(test, &limits[RLIMIT_MEMLOCK].rlim_cur, ptoa(GROW_PAGES) - 1);
	TEST_OPS(test, map, { TEST_STORE, 21, 22, FAILS });
	test_tune_long(test, &limits[RLIMIT_MEMLOCK].rlim_cur, ptoa(GROW_PAGES));
	TEST_OPS(test, map, { TEST_STORE, 21, 22 }, { TEST_STORE, 17, 18, FAILS });
	TEST_EXPECT_MAP(test, map, "10-18:G 18-22:rwWD$/A+0 22-26:rwD$/B+0 26-30:rwD$");
}

static void stack_grows_only_on_promise(struct kunit *test)
{
	struct vm_map *map = test_map_new(test);

	stack_tune(test, 1, ptoa(GROW_PAGES));
	TEST_OPS(test, map, STACK(10, 30));
	test_swap_leave(test, 2 * GROW_PAGES - 1);
	TEST_OPS(test, map, { TEST_STORE, 25, 26 }, { TEST_STORE, 21, 22, FAILS });
	TEST_EXPECT_MAP(test, map, "10-22:G 22-26:rwD$/A+0 26-30:rwD$");
}

/* Kernel memory that runs out: the stack has grown, or it is as it was. */
static void stack_without_memory(struct kunit *test)
{
	static const struct test_op grow = { TEST_STORE, 25, 26 };
	unsigned int nth, failures = 0, wire;
	struct vm_map *map;
	const char *text;
	int rv;

	test_fail_init(test);
	stack_tune(test, 1, ptoa(GROW_PAGES));
	for (wire = 0; wire < 2; wire++) {
		for (nth = 1; nth < 30; nth++) {
			map = test_map_new(test);
			TEST_OPS(test, map, STACK(10, 30));
			map->flags |= wire ? MAP_WIREFUTURE : 0;
			test_fail_from(nth);
			rv = test_op(map, &grow);
			if (!test_fail_done())
				break;
			failures++;
			KUNIT_EXPECT_NE(test, rv, KERN_SUCCESS);
			text = test_describe(test, map, false);
			if (wire || nth == 1)
				KUNIT_EXPECT_STREQ(test, text, "10-26:G 26-30:rwD$");
			else
				KUNIT_EXPECT_STREQ(test, text, "10-22:G 22-26:rwD$ 26-30:rwD$");
			KUNIT_EXPECT_EQ(test, map->wired, 0ULL);
		}
		KUNIT_EXPECT_EQ(test, rv, KERN_SUCCESS);
	}
	KUNIT_EXPECT_GE(test, failures, 5U);
}

static void stack_wired_without_pages(struct kunit *test)
{
	struct test_pages *pages = test_pages_alloc(test);
	struct vm_map *map = test_map_new(test);
	unsigned long free;

	stack_tune(test, 1, ptoa(GROW_PAGES));
	TEST_OPS(test, map, STACK(10, 30));
	map->flags |= MAP_WIREFUTURE;
	while (test_pages_get(pages, VM_ALLOC_NORMAL))
		;
	test_pages_put(pages);
	free = test_free_count();
	TEST_OPS(test, map, { TEST_STORE, 25, 26, FAILS });
	TEST_EXPECT_MAP(test, map, "10-26:G 26-30:rwD$");
	KUNIT_EXPECT_EQ(test, map->wired, 0ULL);
	test_pages_put_all(pages);
	KUNIT_EXPECT_GE(test, test_free_count(), free);
}

static struct kunit_case vm_map_stack_cases[] = {
	KUNIT_CASE_PARAM(stack_table, stack_gen_params),
	KUNIT_CASE(stack_grows_in_parent_and_child),
	KUNIT_CASE(stack_grows_wired),
	KUNIT_CASE(stack_limits),
	KUNIT_CASE(stack_grows_only_on_promise),
	KUNIT_CASE(stack_without_memory),
	KUNIT_CASE(stack_wired_without_pages),
	{}
};

static struct kunit_suite vm_map_stack_suite = {
	.name = "bsdvm_vm_map_stack",
	.init = test_pages_init,
	.test_cases = vm_map_stack_cases,
};

kunit_test_suite(vm_map_stack_suite);
