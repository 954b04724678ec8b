// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Tests of the promises: who is charged, when, for how long; and what happens when
 * no more may be promised.
 */
#include "vm/swap_pager.h"

#include "vm_map_kunit.h"

#define HUGE	BIT_ULL(63)

static void reserve_counts(struct kunit *test)
{
	u64 before = swap_reserved();

	test_tune_int(test, &vm_overcommit, 0);
	KUNIT_EXPECT_TRUE(test, swap_reserve(ptoa(3)));
	KUNIT_EXPECT_TRUE(test, swap_reserve(1ULL << 50));
	KUNIT_EXPECT_TRUE(test, swap_reserve(0));
	KUNIT_EXPECT_EQ(test, swap_reserved(), before + ptoa(3) + (1ULL << 50));
	/* Empty address space is cheap, and yet counted. */
	KUNIT_EXPECT_TRUE(test, swap_reserve(HUGE));
	KUNIT_EXPECT_TRUE(test, swap_reserve(HUGE));
	KUNIT_EXPECT_EQ(test, swap_reserved(), trunc_page(U64_MAX));
	swap_release(HUGE);
	swap_release(HUGE);
	swap_release(1ULL << 50);
	swap_release(ptoa(3));
	KUNIT_EXPECT_EQ(test, swap_reserved(), before);
}

static void reserve_is_bounded(struct kunit *test)
{
	u64 before = swap_reserved(), pool = ptoa(vm_phys_page_count()), page = VM_PAGE_SIZE;
	u64 swap, size, used;

	swap_pager_status(&size, &used);
	swap = ptoa(size);
	test_tune_int(test, &vm_overcommit, SWAP_RESERVE_FORCE_ON);
	KUNIT_EXPECT_EQ(test, swap_total(), swap);
	KUNIT_EXPECT_FALSE(test, swap_reserve(swap - before + page));
	KUNIT_EXPECT_TRUE(test, swap_reserve(0));
	/* What is promised stays when a device goes; nothing more is then. */
	KUNIT_EXPECT_TRUE(test, swap_reserve(swap - before));
	swap_reserve_shrink(1);
	KUNIT_EXPECT_EQ(test, swap_total(), swap - page);
	KUNIT_EXPECT_EQ(test, swap_reserved(), swap);
	swap_release(page);
	KUNIT_EXPECT_FALSE(test, swap_reserve(page));
	swap_reserve_grow(1);
	KUNIT_EXPECT_TRUE(test, swap_reserve(page));
	swap_release(swap - before);
	/* A limit by user does not bound the whole. */
	test_tune_int(test, &vm_overcommit, SWAP_RESERVE_RLIMIT_ON);
	KUNIT_EXPECT_TRUE(test, swap_reserve(page));
	swap_release(page);

	test_tune_int(test, &vm_overcommit, SWAP_RESERVE_FORCE_ON | SWAP_RESERVE_ALLOW_NONWIRED);
	pool += swap;
	KUNIT_EXPECT_EQ(test, swap_total(), pool);
	KUNIT_EXPECT_FALSE(test, swap_reserve(HUGE));
	KUNIT_EXPECT_TRUE(test, swap_reserve(pool - before));
	KUNIT_EXPECT_FALSE(test, swap_reserve(page));
	KUNIT_EXPECT_EQ(test, swap_reserved(), pool);
	swap_reserve_force(ptoa(5));
	KUNIT_EXPECT_EQ(test, swap_reserved(), pool + ptoa(5));
	KUNIT_EXPECT_TRUE(test, swap_reserve(0));
	KUNIT_EXPECT_FALSE(test, swap_reserve(page));
	swap_release(ptoa(6));
	KUNIT_EXPECT_TRUE(test, swap_reserve(page));
	swap_release(pool - before);
	KUNIT_EXPECT_EQ(test, swap_reserved(), before);
}

#define RACE_ROUNDS	10000

static int reserve_thread(void *arg)
{
	unsigned int i;
	int had = 0;

	for (i = 0; i < RACE_ROUNDS; i++) {
		had += swap_reserve(VM_PAGE_SIZE);
		/* One that is being refused may keep another from being made, no more. */
		if (swap_reserved() > swap_total() + ptoa(2))
			return -1;
	}
	return had;
}

static void reserve_on_two_cpus(struct kunit *test)
{
	u64 before = swap_reserved(), room = RACE_ROUNDS, sum = 0;
	struct test_thread *thread[2];
	unsigned int i;
	int had;

	test_tune_int(test, &vm_overcommit, SWAP_RESERVE_FORCE_ON | SWAP_RESERVE_ALLOW_NONWIRED);
	swap_reserve_force(swap_total() - before - ptoa(room));
	for (i = 0; i < ARRAY_SIZE(thread); i++)
		thread[i] = test_thread(test, test_cpu(i), reserve_thread, NULL);
	for (i = 0; i < ARRAY_SIZE(thread); i++) {
		had = test_thread_join(thread[i]);
		KUNIT_EXPECT_GE(test, had, 0);
		sum += max(had, 0);
	}
	KUNIT_EXPECT_LE(test, sum, room);
	KUNIT_EXPECT_EQ(test, swap_reserved(), swap_total() - ptoa(room - sum));
	swap_release(swap_total() - before - ptoa(room - sum));
	KUNIT_EXPECT_EQ(test, swap_reserved(), before);
}

/* --- who is charged */

struct charge_case {
	const char *name;
	struct test_op ops[8];
	unsigned long map;	/* pages charged to the map */
	unsigned long objects;	/* and to objects */
};

#define MEMORY	{ TEST_MAP, 10, 20, RW }
#define FIXED	VM_MAP_MOVE_FIXED
#define DUP	(VM_MAP_MOVE_FIXED | VM_MAP_MOVE_DUP)

static const struct charge_case charge_cases[] = {
	{ "memory", { MEMORY }, 10 },
	{ "shared memory", { { TEST_MAP, 10, 20, RW, MAP_INHERIT_SHARE } }, 10 },
	{ "read-only memory", { { TEST_MAP, 10, 20, R } } },
	{ "a guard", { { TEST_MAP, 10, 20, 0, MAP_CREATE_GUARD } } },
	{ "touched", { MEMORY, { TEST_STORE, 10, 20 } }, 10 },
	{ "unmapped", { MEMORY, { TEST_STORE, 10, 20 }, { TEST_REMOVE, 10, 20 } } },
	{ "unmapped in part", { MEMORY, { TEST_REMOVE, 12, 15 } }, 7 },
	{ "made writable", { { TEST_MAP, 10, 20, R }, { TEST_PROTECT, 10, 20, RW } }, 10 },
	{ "made writable in part", { { TEST_MAP, 10, 20, R }, { TEST_PROTECT, 12, 15, RW } }, 3 },
	{ "made writable twice",
	  { { TEST_MAP, 10, 20, R }, { TEST_PROTECT, 12, 15, RW }, { TEST_PROTECT, 10, 20, RW } },
	  10 },
	{ "made writable around",
	  { { TEST_MAP, 10, 20, R }, { TEST_PROTECT, 5, 15, RW }, { TEST_PROTECT, 12, 25, RW } },
	  10 },
	{ "made writable, a guard",
	  { { TEST_MAP, 10, 20, 0, MAP_CREATE_GUARD }, { TEST_PROTECT, 10, 20, RW } } },
	{ "made executable", { { TEST_MAP, 10, 20, R }, { TEST_PROTECT, 10, 20, R | X } } },
	{ "made read-only", { MEMORY, { TEST_PROTECT, 10, 20, R } }, 10 },
	{ "made read-only and back", { MEMORY, { TEST_PROTECT, 10, 20, R },
	    { TEST_PROTECT, 10, 20, RW } }, 10 },
	{ "mapped over", { MEMORY, { TEST_FIXED, 10, 20, RW } }, 10 },
	{ "mapped over in part", { MEMORY, { TEST_FIXED, 15, 25, RW } }, 15 },
	{ "mapped over by what is read-only", { MEMORY, { TEST_FIXED, 12, 15, R } }, 7 },
	{ "mapped over what is read-only",
	  { { TEST_MAP, 10, 20, R }, { TEST_FIXED, 12, 15, RW } }, 3 },
	{ "next to each other", { MEMORY, { TEST_STORE, 10, 20 }, { TEST_MAP, 20, 25, RW } }, 15 },
	{ "wired", { MEMORY, { TEST_WIRE, 10, 20 }, { TEST_UNWIRE, 12, 13 } }, 10 },
	{ "freed", { MEMORY, { TEST_STORE, 10, 20 }, { TEST_ADVISE, 10, 20, VM_ADVICE_FREE } },
	  10 },
	{ "moved", { MEMORY, { TEST_STORE, 10, 20 },
	    { TEST_MOVE, 10, 20, FIXED, .to = 30, .size = 10 } }, 10 },
	{ "moved in part", { MEMORY, { TEST_MOVE, 12, 15, FIXED, .to = 30, .size = 3 } }, 10 },
	{ "shrunk", { MEMORY, { TEST_MOVE, 10, 20, FIXED, .to = 30, .size = 4 } }, 4 },
	{ "grown", { MEMORY, { TEST_STORE, 10, 20 }, { TEST_MOVE, 10, 20, .size = 15 } }, 15 },
	{ "grown, never touched", { MEMORY, { TEST_MOVE, 10, 20, .size = 15 } }, 15 },
	{ "grown, read-only", { { TEST_MAP, 10, 20, R }, { TEST_MOVE, 10, 20, .size = 15 } } },
	{ "grown, a guard", { { TEST_MAP, 10, 20, 0, MAP_CREATE_GUARD },
	    { TEST_MOVE, 10, 20, .size = 15 } } },
	/* What two places mean is charged to the object, once. */
	{ "doubled", { MEMORY, { TEST_STORE, 10, 20 },
	    { TEST_MOVE, 10, 20, DUP, .to = 30, .size = 10 } }, 0, 10 },
	{ "doubled, and one unmapped", { MEMORY, { TEST_MOVE, 10, 20, DUP, .to = 30, .size = 10 },
	    { TEST_REMOVE, 10, 20 } }, 0, 10 },
	{ "doubled, and both unmapped",
	  { MEMORY, { TEST_MOVE, 10, 20, DUP, .to = 30, .size = 10 }, { TEST_REMOVE, 10, 20 },
	    { TEST_REMOVE, 30, 40 } } },
	{ "doubled in part", { MEMORY, { TEST_MOVE, 12, 15, DUP, .to = 30, .size = 3 } }, 7, 3 },
	{ "doubled twice", { MEMORY, { TEST_MOVE, 10, 20, DUP, .to = 30, .size = 10 },
	    { TEST_MOVE, 30, 40, DUP, .to = 40, .size = 10 } }, 0, 10 },
	{ "doubled, made read-only and back",
	  { MEMORY, { TEST_MOVE, 10, 20, DUP, .to = 30, .size = 10 },
	    { TEST_PROTECT, 10, 40, R }, { TEST_PROTECT, 10, 40, RW } }, 0, 10 },
};

static void charge_table(struct kunit *test)
{
	const struct charge_case *c = test->param_value;
	struct vm_map *map = test_map_new(test);
	u64 before = swap_reserved();

	test_ops(test, map, c->ops);
	test_describe(test, map, true);
	KUNIT_EXPECT_EQ(test, map->charge, ptoa(c->map));
	KUNIT_EXPECT_EQ(test, swap_reserved() - before, ptoa(c->map + c->objects));
	test_map_empty(map);
	KUNIT_EXPECT_EQ(test, map->charge, 0ULL);
	KUNIT_EXPECT_EQ(test, swap_reserved(), before);
}

KUNIT_ARRAY_PARAM_DESC(charge, charge_cases, name);

struct inherit_case {
	const char *name;
	struct test_op ops[4];
	unsigned long parent;	/* pages charged after a fork */
	unsigned long child;
	unsigned long objects;
};

static const struct inherit_case inherit_cases[] = {
	{ "memory", { MEMORY }, 10, 10 },
	{ "memory that was touched", { MEMORY, { TEST_STORE, 10, 20 } }, 10, 10 },
	{ "read-only memory", { { TEST_MAP, 10, 20, R } } },
	{ "memory that was made read-only", { MEMORY, { TEST_PROTECT, 10, 20, R } }, 10, 10 },
	{ "shared memory", { { TEST_MAP, 10, 20, RW, MAP_INHERIT_SHARE } }, 0, 0, 10 },
	{ "memory that is shared in part", { MEMORY, { TEST_INHERIT, 12, 15, SHARE } }, 7, 7, 3 },
	{ "memory that is not inherited", { MEMORY, { TEST_INHERIT, 12, 15, NONE } }, 10, 7 },
	{ "memory that is new", { MEMORY, { TEST_INHERIT, 12, 15, ZERO } }, 10, 10 },
	{ "a guard", { { TEST_MAP, 10, 20, 0, MAP_CREATE_GUARD } } },
	{ "wired memory", { MEMORY, { TEST_WIRE, 10, 20 } }, 10, 10 },
	{ "a stack and its gap", { { TEST_MAP, 10, 50, RW, MAP_STACK_GROWS_DOWN } }, 32, 32 },
};

static void charge_of_fork(struct kunit *test)
{
	const struct inherit_case *c = test->param_value;
	struct vm_map *map = test_map_new(test), *child;
	u64 before = swap_reserved();
	unsigned int parent_first;

	for (parent_first = 0; parent_first < 2; parent_first++) {
		test_ops(test, map, c->ops);
		child = test_fork(test, map);
		KUNIT_EXPECT_EQ(test, map->charge, ptoa(c->parent));
		KUNIT_EXPECT_EQ(test, child->charge, ptoa(c->child));
		KUNIT_EXPECT_EQ(test, swap_reserved() - before,
				ptoa(c->parent + c->child + c->objects));
		test_map_empty(parent_first ? map : child);
		KUNIT_EXPECT_EQ(test, swap_reserved() - before,
				ptoa((parent_first ? c->child : c->parent) + c->objects));
		test_map_empty(map);
		test_map_empty(child);
		KUNIT_EXPECT_EQ(test, swap_reserved(), before);
	}
}

KUNIT_ARRAY_PARAM_DESC(inherit, inherit_cases, name);

/* --- no more may be promised */

struct refuse_case {
	const char *name;
	struct test_op ops[8];
	const char *want;
};

#define ROOM	12	/* pages that may be charged */
#define REFUSED	.rv = KERN_RESOURCE_SHORTAGE

static const struct refuse_case refuse_cases[] = {
	{ "map", { MEMORY, { TEST_MAP, 30, 33, RW, REFUSED }, { TEST_MAP, 30, 32, RW } },
	  "10-20:rw$ 30-32:rw$" },
	{ "map what is free of charge",
	  { { TEST_MAP, 0, 64, R } }, "0-64:r" },
	{ "map over", { MEMORY, { TEST_FIXED, 15, 23, RW, REFUSED }, { TEST_FIXED, 15, 22, RW } },
	  "10-22:rw$" },
	{ "map over, what is replaced pays", { MEMORY, { TEST_FIXED, 8, 20, RW } }, "8-20:rw$" },
	{ "map over what was free",
	  { { TEST_MAP, 10, 30, R }, { TEST_FIXED, 12, 25, RW, REFUSED },
	    { TEST_FIXED, 12, 24, RW } }, "10-12:r 12-24:rw$ 24-30:r" },
	{ "make writable",
	  { { TEST_MAP, 10, 30, R }, { TEST_PROTECT, 12, 25, RW, REFUSED },
	    { TEST_PROTECT, 12, 24, RW } }, "10-12:r 12-24:rw$ 24-30:r" },
	{ "make writable across two",
	  { { TEST_MAP, 10, 20, R }, { TEST_MAP, 20, 30, R | X },
	    { TEST_PROTECT, 12, 25, RW, REFUSED } }, "10-20:r 20-30:rx" },
	{ "grow", { MEMORY, { TEST_MOVE, 10, 20, .size = 13, REFUSED },
	    { TEST_MOVE, 10, 20, .size = 12 } }, "10-22:rw$" },
	{ "grow elsewhere", { MEMORY, { TEST_MAP, 20, 21, 0 },
	    { TEST_MOVE, 10, 20, FIXED, .to = 30, .size = 13, REFUSED } }, "10-20:rw$ 20-21:-" },
	{ "grow in part", { MEMORY, { TEST_MOVE, 12, 15, FIXED, .to = 30, .size = 6, REFUSED } },
	  "10-20:rw$" },
	{ "double is free of charge",
	  { MEMORY, { TEST_MOVE, 10, 20, DUP, .to = 30, .size = 10 } },
	  "10-20:rw/A+0 30-40:rw/A+0" },
	{ "unmap and map again",
	  { MEMORY, { TEST_REMOVE, 10, 15 }, { TEST_MAP, 30, 37, RW } }, "15-20:rw$ 30-37:rw$" },
};

static void promise_is_kept(struct kunit *test)
{
	const struct refuse_case *c = test->param_value;
	struct vm_map *map = test_map_new(test);
	u64 before;

	test_swap_leave(test, ROOM);
	before = swap_reserved();
	test_ops(test, map, c->ops);
	TEST_EXPECT_MAP(test, map, c->want);
	KUNIT_EXPECT_LE(test, swap_reserved(), before + ptoa(ROOM));
	test_map_empty(map);
	KUNIT_EXPECT_EQ(test, swap_reserved(), before);
}

KUNIT_ARRAY_PARAM_DESC(refuse, refuse_cases, name);

static void promise_keeps_fork_back(struct kunit *test)
{
	struct vm_map *map = test_map_new(test), *child = test_map_new(test);
	u64 reserved;

	TEST_OPS(test, map, MEMORY, { TEST_STORE, 10, 20, 7 }, { TEST_INHERIT, 10, 12, SHARE },
		 { TEST_MAP, 30, 35, RW, MAP_DISABLE_COREDUMP });
	reserved = swap_reserved();
	test_swap_leave(test, 12);
	KUNIT_EXPECT_EQ(test, KERN_RESOURCE_SHORTAGE, vm_map_fork(map, child));
	test_map_empty(child);
	/* What was to be shared is the object's now. */
	KUNIT_EXPECT_EQ(test, map->charge, ptoa(13));
	KUNIT_EXPECT_EQ(test, swap_reserved() + ptoa(12), swap_total());
	TEST_OPS(test, map, { TEST_LOAD, 10, 20, 7 }, { TEST_STORE, 10, 20, 8 },
		 { TEST_LOAD, 10, 20, 8 }, { TEST_REMOVE, 34, 35 });
	KUNIT_EXPECT_EQ(test, KERN_SUCCESS, vm_map_fork(map, child));
	KUNIT_EXPECT_EQ(test, child->charge, ptoa(12));
	TEST_OPS(test, child, { TEST_LOAD, 10, 20, 8 });
	KUNIT_EXPECT_GT(test, reserved, 0ULL);
}

static struct kunit_case swap_reserve_cases[] = {
	KUNIT_CASE(reserve_counts),
	KUNIT_CASE(reserve_is_bounded),
	KUNIT_CASE(reserve_on_two_cpus),
	KUNIT_CASE_PARAM(charge_table, charge_gen_params),
	KUNIT_CASE_PARAM(charge_of_fork, inherit_gen_params),
	KUNIT_CASE_PARAM(promise_is_kept, refuse_gen_params),
	KUNIT_CASE(promise_keeps_fork_back),
	{}
};

static struct kunit_suite swap_reserve_suite = {
	.name = "bsdvm_swap_reserve",
	.init = test_pages_init,
	.test_cases = swap_reserve_cases,
};

kunit_test_suite(swap_reserve_suite);
