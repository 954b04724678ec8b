// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Tests of wiring: what becomes wired, what the counts say, all or nothing; and
 * what others may and may not do to a map while a thread wires a part of it, who
 * then calls the test from where it would fault a page in.
 */
#include "vm_map_kunit.h"

/* Wirings of pages 0 on, as one digit a page, - where nothing can be loaded. */
#define WIRE_PAGES	30

static const char *wirings(struct kunit *test, struct vm_map *map, u64 start, u64 end)
{
	char *text = kunit_kzalloc(test, WIRE_PAGES + 1, GFP_KERNEL);
	unsigned int i;
	int count;

	KUNIT_ASSERT_NOT_NULL(test, text);
	for (i = 0; i < min_t(u64, end - start, WIRE_PAGES); i++) {
		count = test_wirings(map, start + i);
		text[i] = count < 0 ? '-' : '0' + count;
	}
	return text;
}

/* --- what becomes wired */

struct wire_case {
	const char *name;
	struct test_op ops[8];
	const char *want;
	const char *wirings;	/* of pages 10 to 29 */
};

#define MEMORY	{ TEST_MAP, 10, 20, RW }
#define NEXT	{ TEST_MAP, 20, 30, R }
#define APART	{ TEST_MAP, 24, 30, RW }
#define HOLES	VM_MAP_WIRE_HOLESOK

static const struct wire_case wire_cases[] = {
	{ "all of it", { MEMORY, { TEST_WIRE, 10, 20 } }, "10-20:rwW$/A+0",
	  "1111111111----------" },
	{ "its middle", { MEMORY, { TEST_WIRE, 13, 16 } },
	  "10-13:rw$ 13-16:rwW$/A+0 16-20:rw$", "0001110000----------" },
	{ "its start", { MEMORY, { TEST_WIRE, 10, 13 } }, "10-13:rwW$/A+0 13-20:rw$",
	  "1110000000----------" },
	{ "its end", { MEMORY, { TEST_WIRE, 17, 20 } }, "10-17:rw$ 17-20:rwW$/A+0",
	  "0000000111----------" },
	{ "nothing", { MEMORY, { TEST_WIRE, 13, 13 } }, "10-20:rw$", "0000000000----------" },
	{ "across two", { MEMORY, NEXT, { TEST_WIRE, 15, 25 } },
	  "10-15:rw$ 15-20:rwW$/A+0 20-25:rW/B+0 25-30:r", "00000111111111100000" },
	{ "what can only be executed", { { TEST_MAP, 10, 20, X }, { TEST_WIRE, 10, 20 } },
	  "10-20:xW/A+0", "--------------------" },
	{ "twice is once", { MEMORY, { TEST_WIRE, 10, 20 }, { TEST_WIRE, 10, 20 } },
	  "10-20:rwW$/A+0", "1111111111----------" },
	{ "twice, overlapping", { MEMORY, { TEST_WIRE, 10, 15 }, { TEST_WIRE, 13, 20 } },
	  "10-15:rwW$/A+0 15-20:rwW$/B+0", "1111111111----------" },
	{ "the rest of it", { MEMORY, { TEST_STORE, 10, 20 }, { TEST_WIRE, 13, 16 },
	    { TEST_WIRE, 10, 20 } }, "10-20:rwW$/A+0", "1111111111----------" },
	{ "what can only be read",
	  { MEMORY, { TEST_STORE, 10, 20 }, { TEST_PROTECT, 10, 20, R }, { TEST_WIRE, 12, 14 } },
	  "10-12:r$/A+0 12-14:rW$/A+2 14-20:r$/A+4", "0011000000----------" },

	/* Holes, and what cannot be wired. */
	{ "a hole", { MEMORY, APART, { TEST_WIRE, 15, 26, .rv = KERN_INVALID_ADDRESS } },
	  "10-20:rw$ 24-30:rw$", "0000000000----000000" },
	{ "a hole at the start", { MEMORY, { TEST_WIRE, 5, 15, .rv = KERN_INVALID_ADDRESS } },
	  "10-20:rw$", "0000000000----------" },
	{ "a hole at the end", { MEMORY, { TEST_WIRE, 15, 21, .rv = KERN_INVALID_ADDRESS } },
	  "10-20:rw$", "0000000000----------" },
	{ "only a hole", { { TEST_WIRE, 15, 21, .rv = KERN_INVALID_ADDRESS } }, "",
	  "--------------------" },
	{ "beyond the map",
	  { { TEST_MAP, 60, TEST_MAP_PAGES, R },
	    { TEST_WIRE, 62, TEST_MAP_PAGES + 2, .rv = KERN_INVALID_ADDRESS } }, "60-64:r",
	  "--------------------" },
	{ "no access",
	  { MEMORY, { TEST_PROTECT, 15, 17, 0 },
	    { TEST_WIRE, 10, 20, .rv = KERN_INVALID_ADDRESS } },
	  "10-15:rw$ 15-17:-$ 17-20:rw$", "00000--000----------" },
	{ "a guard",
	  { MEMORY, { TEST_MAP, 20, 22, 0, MAP_CREATE_GUARD },
	    { TEST_WIRE, 10, 22, .rv = KERN_INVALID_ADDRESS } }, "10-20:rw$ 20-22:g",
	  "0000000000----------" },
	{ "over a hole", { MEMORY, APART, { TEST_WIRE, 15, 26, HOLES } },
	  "10-15:rw$ 15-20:rwW$/A+0 24-26:rwW$/B+0 26-30:rw$", "0000011111----110000" },
	{ "over no access",
	  { MEMORY, { TEST_PROTECT, 15, 17, 0 }, { TEST_WIRE, 10, 20, HOLES } },
	  "10-15:rwW$/A+0 15-17:-$ 17-20:rwW$/B+0", "11111--111----------" },
	{ "over a guard",
	  { MEMORY, { TEST_MAP, 20, 22, 0, MAP_CREATE_GUARD }, { TEST_MAP, 22, 30, R },
	    { TEST_WIRE, 0, TEST_MAP_PAGES, HOLES } },
	  "10-20:rwW$/A+0 20-22:g 22-30:rW/B+0", "1111111111--11111111" },
	{ "no access, but wired already",
	  { MEMORY, { TEST_WIRE, 10, 20 }, { TEST_PROTECT, 15, 17, 0 }, { TEST_WIRE, 10, 20 },
	    { TEST_PROTECT, 10, 20, RW } }, "10-20:rwW$/A+0", "1111111111----------" },

	/* Unwiring. */
	{ "undone", { MEMORY, { TEST_WIRE, 10, 20 }, { TEST_UNWIRE, 10, 20 } },
	  "10-20:rw$/A+0", "0000000000----------" },
	{ "undone once", { MEMORY, { TEST_WIRE, 10, 20 }, { TEST_WIRE, 10, 20 },
	    { TEST_UNWIRE, 10, 20 } }, "10-20:rw$/A+0", "0000000000----------" },
	{ "undone twice", { MEMORY, { TEST_WIRE, 10, 20 }, { TEST_UNWIRE, 10, 20 },
	    { TEST_UNWIRE, 10, 20 } }, "10-20:rw$/A+0", "0000000000----------" },
	{ "undone in the middle", { MEMORY, { TEST_WIRE, 10, 20 }, { TEST_UNWIRE, 13, 16 } },
	  "10-13:rwW$/A+0 13-16:rw$/A+3 16-20:rwW$/A+6", "1110001111----------" },
	{ "undone around", { MEMORY, { TEST_STORE, 10, 20 }, { TEST_WIRE, 13, 16 },
	    { TEST_UNWIRE, 10, 20 } }, "10-20:rw$/A+0", "0000000000----------" },
	{ "undone where nothing is wired", { MEMORY, { TEST_UNWIRE, 13, 16 } }, "10-20:rw$",
	  "0000000000----------" },
	{ "undone over a hole",
	  { MEMORY, APART, { TEST_WIRE, 10, 20 }, { TEST_WIRE, 24, 30 },
	    { TEST_UNWIRE, 15, 26, .rv = KERN_INVALID_ADDRESS } },
	  "10-20:rwW$/A+0 24-30:rwW$/B+0", "1111111111----111111" },
	{ "undone over all holes",
	  { MEMORY, APART, { TEST_WIRE, 10, 20 }, { TEST_WIRE, 24, 30 },
	    { TEST_UNWIRE, 0, TEST_MAP_PAGES, HOLES } },
	  "10-20:rw$/A+0 24-30:rw$/B+0", "0000000000----000000" },
	{ "unmapped", { MEMORY, { TEST_WIRE, 10, 20 }, { TEST_REMOVE, 10, 20 } }, "",
	  "--------------------" },
	{ "unmapped in the middle", { MEMORY, { TEST_WIRE, 10, 20 }, { TEST_REMOVE, 13, 16 } },
	  "10-13:rwW$/A+0 16-20:rwW$/A+6", "111---1111----------" },
	{ "mapped over", { MEMORY, { TEST_WIRE, 10, 20 }, { TEST_FIXED, 13, 16, RW } },
	  "10-13:rwW$/A+0 13-16:rw$ 16-20:rwW$/A+6", "1110001111----------" },
	{ "the start forgotten", { MEMORY, { TEST_WIRE, 10, 20 }, { TEST_REMOVE, 10, 13 },
	    { TEST_UNWIRE, 13, 15 } }, "13-15:rw$/A+3 15-20:rwW$/A+5", "---0011111----------" },

	/* It is not given up, nor does its protection matter any more. */
	{ "advice takes nothing away",
	  { MEMORY, { TEST_STORE, 10, 20, 7 }, { TEST_WIRE, 10, 20 },
	    { TEST_ADVISE, 10, 20, VM_ADVICE_DONTNEED },
	    { TEST_ADVISE, 10, 20, VM_ADVICE_FREE }, { TEST_LOAD, 10, 20, 7 } },
	  "10-20:rwW$/A+0", "1111111111----------" },
	{ "moved", { MEMORY, { TEST_STORE, 10, 20, 7 }, { TEST_WIRE, 10, 20 },
	    { TEST_MOVE, 10, 20, VM_MAP_MOVE_FIXED, .to = 20, .size = 10 },
	    { TEST_LOAD, 20, 30, 7 } }, "20-30:rwW$/A+0", "----------1111111111" },
	{ "doubled", { MEMORY, { TEST_STORE, 10, 20, 7 }, { TEST_WIRE, 10, 20 },
	    { TEST_MOVE, 10, 20, VM_MAP_MOVE_FIXED | VM_MAP_MOVE_DUP, .to = 20, .size = 10 },
	    { TEST_WIRE, 22, 24 }, { TEST_LOAD, 20, 30, 7 } },
	  "10-20:rwW/A+0 20-22:rw/A+0 22-24:rwW/A+2 24-30:rw/A+4", "11221111111122111111" },
};

static void wire_table(struct kunit *test)
{
	const struct wire_case *c = test->param_value;
	unsigned long before = vm_map_user_wire_count(), pages = test_wire_count();
	struct vm_map *map = test_map_new(test);
	struct vm_map_entry *entry;
	vm_size_t wired = 0;

	test_ops(test, map, c->ops);
	TEST_EXPECT_MAP(test, map, c->want);
	KUNIT_EXPECT_STREQ(test, wirings(test, map, 10, 30), c->wirings);
	VM_MAP_ENTRY_FOREACH(entry, map)
		wired += entry->wired_count ? entry->end - entry->start : 0;
	KUNIT_EXPECT_EQ(test, map->wired, wired);
	KUNIT_EXPECT_EQ(test, vm_map_user_wire_count() - before, atop(wired));
	test_map_empty(map);
	KUNIT_EXPECT_EQ(test, map->wired, 0ULL);
	KUNIT_EXPECT_EQ(test, vm_map_user_wire_count(), before);
	KUNIT_EXPECT_EQ(test, test_wire_count(), pages);
}

KUNIT_ARRAY_PARAM_DESC(wire, wire_cases, name);

/* The wired page is the entry's own, whoever else shows it. */
static void wire_copies_what_is_shared(struct kunit *test)
{
	struct vm_map *map = test_map_new(test), *child;
	struct vm_page *parents;

	TEST_OPS(test, map, MEMORY, { TEST_STORE, 10, 20, 7 });
	child = test_fork(test, map);
	parents = test_page(map, 13);
	TEST_OPS(test, child, { TEST_PROTECT, 10, 20, R }, { TEST_WIRE, 10, 20 },
		 { TEST_LOAD, 10, 20, 7 });
	TEST_EXPECT_MAP(test, child, "10-20:rcW$/A+0");
	KUNIT_EXPECT_PTR_NE(test, test_page(child, 13), parents);
	KUNIT_EXPECT_EQ(test, atomic_read(&parents->wire_count), 0);
	TEST_OPS(test, map, { TEST_STORE, 10, 20, 100 });
	TEST_OPS(test, child, { TEST_LOAD, 10, 20, 7 });
}

/* --- the limit */

static void set_limit(struct kunit *test, unsigned long more)
{
	test_tune_long(test, &vm_max_user_wired, vm_map_user_wire_count() + more);
}

static void wire_has_a_limit(struct kunit *test)
{
	unsigned long before = vm_map_user_wire_count();
	struct vm_map *map = test_map_new(test);

	set_limit(test, 6);
	TEST_OPS(test, map, MEMORY, { TEST_WIRE, 10, 17, .rv = KERN_RESOURCE_SHORTAGE });
	TEST_EXPECT_MAP(test, map, "10-20:rw$");
	KUNIT_EXPECT_EQ(test, vm_map_user_wire_count(), before);
	TEST_OPS(test, map, { TEST_WIRE, 12, 16 }, { TEST_STORE, 10, 20 });
	/* What is wired already is not counted again. */
	TEST_OPS(test, map, { TEST_WIRE, 10, 16 });
	KUNIT_EXPECT_EQ(test, vm_map_user_wire_count(), before + 6);
	TEST_OPS(test, map, { TEST_WIRE, 10, 16 },
		 { TEST_WIRE, 10, 17, .rv = KERN_RESOURCE_SHORTAGE },
		 { TEST_REMOVE, 10, 11 }, { TEST_WIRE, 11, 17 },
		 { TEST_UNWIRE, 11, 20 });
	KUNIT_EXPECT_EQ(test, vm_map_user_wire_count(), before);
	/* A limit below what is wired: nothing more, and unwiring goes on. */
	TEST_OPS(test, map, { TEST_WIRE, 11, 14 });
	WRITE_ONCE(vm_max_user_wired, before);
	TEST_OPS(test, map, { TEST_WIRE, 11, 14 },
		 { TEST_WIRE, 11, 15, .rv = KERN_RESOURCE_SHORTAGE }, { TEST_UNWIRE, 11, 14 });
	KUNIT_EXPECT_EQ(test, vm_map_user_wire_count(), before);
}

/* --- a page that cannot be had */

static unsigned int fault_left;

static int fault_some(struct vm_map *map, vm_offset_t va, vm_prot_t prot, bool copy)
{
	return fault_left-- ? vm_fault_wire(map, va, prot, copy) : KERN_OUT_OF_BOUNDS;
}

static void wire_is_all_or_nothing(struct kunit *test)
{
	unsigned long before = vm_map_user_wire_count();
	struct vm_map *map = test_map_new(test);
	unsigned int n;

	TEST_OPS(test, map, { TEST_MAP, 5, 20, RW }, APART, { TEST_STORE, 5, 20 },
		 { TEST_STORE, 24, 30 }, { TEST_WIRE, 12, 15 }, { TEST_PROTECT, 8, 9, 0 });
	/* 6 and 7, 9 to 11, 15 to 19, 24 to 28 */
	for (n = 0; n < 2 + 3 + 5 + 5; n++) {
		fault_left = n;
		KUNIT_EXPECT_EQ(test, KERN_OUT_OF_BOUNDS,
				vm_map_wire(map, test_va(6), test_va(29), HOLES, fault_some));
		TEST_EXPECT_MAP2(test, map, "5-8:rw$/A+0 8-9:-$/A+3 9-12:rw$/A+4 12-15:rwW$/A+7 ",
				 "15-20:rw$/A+10 24-30:rw$/B+0");
		KUNIT_EXPECT_STREQ(test, wirings(test, map, 5, 30), "000-00011100000----000000");
		KUNIT_EXPECT_EQ(test, vm_map_user_wire_count(), before + 3);
	}
	fault_left = n;
	KUNIT_EXPECT_EQ_MSG(test, KERN_SUCCESS,
			    vm_map_wire(map, test_va(6), test_va(29), HOLES, fault_some),
			    "%u pages", n);
	KUNIT_EXPECT_EQ(test, fault_left, 0U);
}

/* No page free: waits, gives up, and nothing stays wired. */
static void wire_without_pages(struct kunit *test)
{
	unsigned int attempts = vm_pfault_oom_attempts;
	struct test_pages *pages = test_pages_alloc(test);
	struct vm_map *map = test_map_new(test);
	unsigned int i;

	TEST_OPS(test, map, MEMORY);
	while (test_pages_get(pages, VM_ALLOC_NORMAL))
		;
	for (i = 0; i < 4; i++)
		test_pages_put(pages);
	WRITE_ONCE(vm_pfault_oom_attempts, 0);
	TEST_OPS(test, map, { TEST_WIRE, 10, 20, .rv = KERN_RESOURCE_SHORTAGE });
	WRITE_ONCE(vm_pfault_oom_attempts, attempts);
	TEST_EXPECT_MAP(test, map, "10-20:rw$/A+0");
	test_pages_put_all(pages);
	KUNIT_EXPECT_STREQ(test, wirings(test, map, 10, 20), "0000000000");
}

struct fail_case {
	const char *name;
	struct test_op ops[8];
};

static const struct fail_case fail_cases[] = {
	{ "wire the middle", { MEMORY, { TEST_STORE, 10, 20 }, { TEST_WIRE, 13, 16 } } },
	{ "wire across",
	  { MEMORY, { TEST_MAP, 20, 30, RW, MAP_DISABLE_COREDUMP }, { TEST_STORE, 10, 30 },
	    { TEST_WIRE, 15, 25 } } },
	{ "wire what was never touched", { MEMORY, NEXT, { TEST_WIRE, 10, 30 } } },
	{ "unwire the middle", { MEMORY, { TEST_WIRE, 10, 20 }, { TEST_UNWIRE, 13, 16 } } },
	{ "unwire across",
	  { MEMORY, NEXT, { TEST_WIRE, 10, 30 }, { TEST_UNWIRE, 15, 25 } } },
};

static void wire_failure_changes_nothing(struct kunit *test)
{
	const struct fail_case *c = test->param_value;
	unsigned long before = vm_map_user_wire_count();
	struct vm_map *map = test_map_new(test);
	const struct test_op *op;
	const char *was;
	unsigned int nth;
	vm_size_t wired;
	int rv;

	test_fail_init(test);
	for (op = c->ops; op[1].op != TEST_END; op++)
		KUNIT_ASSERT_EQ(test, KERN_SUCCESS, test_op(map, op));
	wired = map->wired;
	/* An object made, or not, is nobody's business. */
	was = test_describe(test, map, false);
	for (nth = 1; nth < 40; nth++) {
		test_fail_from(nth);
		rv = test_op(map, op);
		if (!test_fail_done())
			break;
		KUNIT_EXPECT_EQ_MSG(test, rv, KERN_RESOURCE_SHORTAGE, "allocation %u", nth);
		KUNIT_EXPECT_STREQ(test, test_describe(test, map, false), was);
		KUNIT_EXPECT_EQ(test, map->wired, wired);
		KUNIT_EXPECT_EQ(test, vm_map_user_wire_count() - before, atop(wired));
	}
	KUNIT_EXPECT_EQ(test, rv, KERN_SUCCESS);
	KUNIT_EXPECT_GT_MSG(test, nth, 1U, "an allocation did fail");
	KUNIT_EXPECT_STRNEQ(test, test_describe(test, map, false), was);
}

KUNIT_ARRAY_PARAM_DESC(fail, fail_cases, name);

/* --- while a thread wires */

/* What happens before page @at is faulted in; there is no room for an argument. */
static struct during {
	struct kunit *test;
	u64 at;
	void (*fn)(struct kunit *test, struct vm_map *map);
	unsigned int calls;
} during;

static int fault_during(struct vm_map *map, vm_offset_t va, vm_prot_t prot, bool copy)
{
	if (test_page_of(va) == during.at) {
		during.calls++;
		during.fn(during.test, map);
	}
	return vm_fault_wire(map, va, prot, copy);
}

/* Wire [start, end) of @map, and call @fn when that has come to page @at. */
static int wire_during(struct kunit *test, struct vm_map *map, u64 start, u64 end, u64 at,
		       void (*fn)(struct kunit *test, struct vm_map *map))
{
	int rv;

	during = (struct during){ .test = test, .at = at, .fn = fn };
	rv = vm_map_wire(map, test_va(start), test_va(end), HOLES, fault_during);
	KUNIT_EXPECT_EQ(test, during.calls, 1U);
	return rv;
}

static void who_changes_waits(struct kunit *test, struct vm_map *map)
{
	TEST_EXPECT_MAP(test, map, "10-12:rw$/A+0 12-18:rwT$/A+2 18-20:rw$/A+8 24-30:rw$");
	TEST_OPS(test, map,
		 { TEST_REMOVE, 17, 19, .rv = KERN_RESTART },
		 { TEST_REMOVE, 0, TEST_MAP_PAGES, .rv = KERN_RESTART },
		 { TEST_PROTECT, 17, 19, R, .rv = KERN_RESTART },
		 { TEST_FIXED, 17, 19, R, .rv = KERN_RESTART },
		 { TEST_UNWIRE, 17, 19, .rv = KERN_RESTART },
		 { TEST_UNWIRE, 0, TEST_MAP_PAGES, HOLES, .rv = KERN_RESTART },
		 { TEST_MOVE, 17, 19, 0, .to = 40, .size = 2, .rv = KERN_RESTART },
		 { TEST_MOVE, 17, 19, VM_MAP_MOVE_DUP, .to = 40, .size = 2, .rv = KERN_RESTART });
	TEST_EXPECT_MAP(test, map, "10-12:rw$/A+0 12-18:rwT$/A+2 18-20:rw$/A+8 24-30:rw$");
	KUNIT_EXPECT_EQ(test, map->transitions, 1U);
	/* Beside it all is as ever. */
	TEST_OPS(test, map, { TEST_PROTECT, 18, 20, R }, { TEST_REMOVE, 10, 11 },
		 { TEST_WIRE, 24, 26 }, { TEST_UNWIRE, 24, 25 });
}

static void transition_holds_entries(struct kunit *test)
{
	struct vm_map *map = test_map_new(test);
	unsigned int gen = map->transition_gen;

	TEST_OPS(test, map, MEMORY, APART, { TEST_STORE, 10, 20, 7 });
	KUNIT_EXPECT_EQ(test, KERN_SUCCESS, wire_during(test, map, 12, 18, 14, who_changes_waits));
	TEST_EXPECT_MAP2(test, map, "11-12:rw$/A+1 12-18:rwW$/A+2 18-20:r$/A+8 24-25:rw$/B+0 ",
			 "25-26:rwW$/B+1 26-30:rw$");
	KUNIT_EXPECT_STREQ(test, wirings(test, map, 10, 30), "-011111100----010000");
	KUNIT_EXPECT_EQ(test, map->transitions, 0U);
	KUNIT_EXPECT_NE(test, map->transition_gen, gen);
}

/* What is a property of the entry may change, and cuts it. */
static void who_advises_does_not_wait(struct kunit *test, struct vm_map *map)
{
	TEST_OPS(test, map, { TEST_ADVISE, 13, 15, VM_ADVICE_NOCORE },
		 { TEST_ADVISE, 12, 19, VM_ADVICE_DONTNEED },
		 { TEST_ADVISE, 12, 19, VM_ADVICE_FREE }, { TEST_INHERIT, 16, 17, NONE },
		 { TEST_STORE, 10, 20, 9 });
	TEST_EXPECT_MAP2(test, map, "10-12:rw$/A+0 12-13:rwT$/A+2 13-15:rwCT$/A+3 15-16:rwT$/A+5 ",
			 "16-17:rwnT$/A+6 17-18:rwT$/A+7 18-20:rw$/A+8");
}

static void transition_survives_clipping(struct kunit *test)
{
	struct vm_map *map = test_map_new(test);

	TEST_OPS(test, map, MEMORY, { TEST_STORE, 10, 20, 7 });
	KUNIT_EXPECT_EQ(test, KERN_SUCCESS,
			wire_during(test, map, 12, 18, 14, who_advises_does_not_wait));
	TEST_EXPECT_MAP2(test, map, "10-12:rw$/A+0 12-13:rwW$/A+2 13-15:rwCW$/A+3 15-16:rwW$/A+5 ",
			 "16-17:rwnW$/A+6 17-18:rwW$/A+7 18-20:rw$/A+8");
	KUNIT_EXPECT_STREQ(test, wirings(test, map, 10, 20), "0011111100");
	TEST_OPS(test, map, { TEST_ADVISE, 13, 15, VM_ADVICE_CORE }, { TEST_INHERIT, 16, 17, COPY },
		 { TEST_LOAD, 10, 20, 9 });
	TEST_EXPECT_MAP(test, map, "10-12:rw$/A+0 12-18:rwW$/A+2 18-20:rw$/A+8");
}

static int fault_during_then_fail(struct vm_map *map, vm_offset_t va, vm_prot_t prot, bool copy)
{
	return test_page_of(va) == 17 ? KERN_FAILURE : fault_during(map, va, prot, copy);
}

static void transition_fails_after_clipping(struct kunit *test)
{
	unsigned long before = vm_map_user_wire_count();
	struct vm_map *map = test_map_new(test);

	TEST_OPS(test, map, MEMORY, { TEST_STORE, 10, 20, 7 });
	during = (struct during){ .test = test, .at = 14, .fn = who_advises_does_not_wait };
	KUNIT_EXPECT_EQ(test, KERN_FAILURE,
			vm_map_wire(map, test_va(12), test_va(18), 0, fault_during_then_fail));
	TEST_OPS(test, map, { TEST_ADVISE, 13, 15, VM_ADVICE_CORE }, { TEST_INHERIT, 16, 17, COPY },
		 { TEST_LOAD, 10, 20, 9 });
	TEST_EXPECT_MAP(test, map, "10-20:rw$/A+0");
	KUNIT_EXPECT_STREQ(test, wirings(test, map, 10, 20), "0000000000");
	KUNIT_EXPECT_EQ(test, vm_map_user_wire_count(), before);
}

static void who_maps_is_not_wired(struct kunit *test, struct vm_map *map)
{
	TEST_OPS(test, map, { TEST_MAP, 20, 22, RW }, { TEST_MAP, 22, 24, RW },
		 { TEST_MAP, 5, 10, RW },
		 { TEST_STORE, 20, 22, 3 });
}

/* Memory mapped meanwhile, in a hole of the range, is not part of what is wired. */
static void transition_leaves_new_memory_alone(struct kunit *test)
{
	struct vm_map *map = test_map_new(test);

	TEST_OPS(test, map, MEMORY, APART);
	KUNIT_EXPECT_EQ(test, KERN_SUCCESS,
			wire_during(test, map, 0, 40, 12, who_maps_is_not_wired));
	TEST_EXPECT_MAP(test, map, "5-10:rw$ 10-20:rwW$/A+0 20-24:rw$/B+0 24-30:rwW$/C+0");
	KUNIT_EXPECT_STREQ(test, wirings(test, map, 5, 30), "0000011111111110000111111");
}

static struct vm_map *forked;

static void who_forks_gets_copies(struct kunit *test, struct vm_map *map)
{
	forked = test_fork(test, map);
}

/* A child of a process that is wiring has copies; the parent's pages are its own. */
static void transition_can_be_forked(struct kunit *test)
{
	struct vm_map *map = test_map_new(test);
	struct vm_page *m;

	TEST_OPS(test, map, MEMORY, { TEST_STORE, 10, 20, 7 }, APART,
		 { TEST_INHERIT, 24, 26, SHARE },
		 { TEST_INHERIT, 26, 28, ZERO }, { TEST_STORE, 24, 27, 50 },
		 { TEST_MAP, 30, 32, R });
	m = test_page(map, 13);
	KUNIT_EXPECT_EQ(test, KERN_SUCCESS,
			wire_during(test, map, 0, 40, 15, who_forks_gets_copies));
	TEST_EXPECT_MAP2(test, map, "10-20:rwW$/A+0 24-26:rwsW/B+0 26-28:rwzW$/C+0 28-30:rwW$/D+0 ",
			 "30-32:rW/E+0");
	TEST_EXPECT_MAP(test, forked,
			"10-20:rwc$/A+0 24-26:rws/B+0 26-28:rwz$ 28-30:rw$ 30-32:r");
	KUNIT_EXPECT_STREQ(test, wirings(test, map, 10, 32), "1111111111----11111111");
	KUNIT_EXPECT_STREQ(test, wirings(test, forked, 10, 32), "0000000000----11000000");
	KUNIT_EXPECT_EQ(test, forked->wired, 0ULL);
	KUNIT_EXPECT_PTR_EQ(test, test_page(map, 13), m);
	KUNIT_EXPECT_PTR_NE(test, test_page(forked, 13), m);

	TEST_OPS(test, forked, { TEST_LOAD, 10, 20, 7 }, { TEST_LOAD, 24, 26, 50 },
		 { TEST_LOAD, 26, 27, 0 });
	TEST_OPS(test, map, { TEST_STORE, 10, 20, 100 }, { TEST_STORE, 24, 26, 200 });
	KUNIT_EXPECT_PTR_EQ(test, test_page(map, 13), m);
	TEST_OPS(test, forked, { TEST_LOAD, 10, 20, 7 }, { TEST_LOAD, 24, 26, 200 },
		 { TEST_STORE, 10, 20, 300 });
	TEST_OPS(test, map, { TEST_LOAD, 10, 20, 100 }, { TEST_UNWIRE, 0, 40, HOLES });
	KUNIT_EXPECT_STREQ(test, wirings(test, forked, 10, 32), "0000000000----00000000");
}

/* Forked before its first page is copied, memory that needs a copy gets its own. */
static void transition_of_copy_can_be_forked(struct kunit *test)
{
	struct vm_map *parent = test_map_new(test), *map;

	TEST_OPS(test, parent, MEMORY, { TEST_STORE, 10, 20, 7 });
	map = test_fork(test, parent);
	KUNIT_EXPECT_EQ(test, KERN_SUCCESS,
			wire_during(test, map, 10, 20, 10, who_forks_gets_copies));
	TEST_EXPECT_MAP(test, map, "10-20:rwcW$/A+0");
	TEST_EXPECT_MAP(test, forked, "10-20:rwc$/A+0");
	TEST_OPS(test, parent, { TEST_STORE, 10, 20, 100 });
	TEST_OPS(test, map, { TEST_LOAD, 10, 20, 7 }, { TEST_STORE, 10, 20, 200 });
	TEST_OPS(test, forked, { TEST_LOAD, 10, 20, 7 });
	KUNIT_EXPECT_STREQ(test, wirings(test, map, 10, 20), "1111111111");
}

static void who_makes_it_immutable(struct kunit *test, struct vm_map *map)
{
	/* That it can never be changed is known at once. */
	TEST_OPS(test, map, { TEST_IMMUTABLE, 12, 14 },
		 { TEST_REMOVE, 10, 20, .rv = KERN_NO_ACCESS },
		 { TEST_PROTECT, 15, 20, R, .rv = KERN_RESTART });
	/* Wiring is no such change: it waits, for this one cannot be undone half-way. */
	TEST_OPS(test, map, { TEST_UNWIRE, 10, 20, .rv = KERN_RESTART },
		 { TEST_UNWIRE, 13, 20, .rv = KERN_RESTART });
}

static void transition_of_immutable_memory(struct kunit *test)
{
	unsigned long before = vm_map_user_wire_count();
	struct vm_map *map = test_map_new(test);

	TEST_OPS(test, map, MEMORY, { TEST_WIRE, 16, 18 });
	KUNIT_EXPECT_EQ(test, KERN_SUCCESS,
			wire_during(test, map, 10, 20, 15, who_makes_it_immutable));
	KUNIT_EXPECT_STREQ(test, wirings(test, map, 10, 20), "1111111111");
	KUNIT_EXPECT_EQ(test, vm_map_user_wire_count(), before + 10);
	TEST_OPS(test, map, { TEST_UNWIRE, 10, 20 });
	KUNIT_EXPECT_STREQ(test, wirings(test, map, 10, 20), "0000000000");
	KUNIT_EXPECT_EQ(test, vm_map_user_wire_count(), before);
}

/* --- two threads */

static struct completion wirer_is_there, wirer_may_go_on;

static int fault_and_wait(struct vm_map *map, vm_offset_t va, vm_prot_t prot, bool copy)
{
	if (test_page_of(va) == 13) {
		complete(&wirer_is_there);
		wait_for_completion(&wirer_may_go_on);
	}
	return vm_fault_wire(map, va, prot, copy);
}

static int wire_and_wait_thread(void *arg)
{
	return vm_map_wire(arg, test_va(10), test_va(16), 0, fault_and_wait);
}

static int wire_thread(void *arg)
{
	return vm_map_wire(arg, test_va(12), test_va(20), 0, vm_fault_wire);
}

static int remove_thread(void *arg)
{
	const struct test_op remove = { TEST_REMOVE, 10, 11 };
	int rv;

	do {
		rv = test_op(arg, &remove);
		if (rv == KERN_RESTART && vm_map_transition_wait(arg))
			return -EINTR;
	} while (rv == KERN_RESTART);
	return rv;
}

/* With @immutable, the range begins with something that is no reason not to wait. */
static void two_wire(struct kunit *test, bool immutable)
{
	unsigned long before = vm_map_user_wire_count();
	struct test_thread *first, *second, *third;
	struct vm_map *map = test_map_new(test);

	init_completion(&wirer_is_there);
	init_completion(&wirer_may_go_on);
	TEST_OPS(test, map, MEMORY);
	if (immutable)
		TEST_OPS(test, map, { TEST_IMMUTABLE, 12, 13 });
	first = test_thread(test, test_cpu(0), wire_and_wait_thread, map);
	KUNIT_EXPECT_TRUE(test, wait_for_completion_timeout(&wirer_is_there, TEST_PATIENCE));
	second = test_thread(test, test_cpu(1), wire_thread, map);
	third = test_thread(test, test_cpu(1), remove_thread, map);
	KUNIT_EXPECT_FALSE(test, wait_for_completion_timeout(&second->done, HZ / 10));
	KUNIT_EXPECT_FALSE(test, completion_done(&third->done));
	complete(&wirer_may_go_on);
	KUNIT_EXPECT_EQ(test, KERN_SUCCESS, test_thread_join(first));
	KUNIT_EXPECT_EQ(test, KERN_SUCCESS, test_thread_join(second));
	KUNIT_EXPECT_EQ(test, KERN_SUCCESS, test_thread_join(third));
	KUNIT_EXPECT_STREQ(test, wirings(test, map, 10, 20), "-111111111");
	KUNIT_EXPECT_EQ(test, vm_map_user_wire_count(), before + 9);
	TEST_OPS(test, map, { TEST_UNWIRE, 11, 20 });
	KUNIT_EXPECT_STREQ(test, wirings(test, map, 10, 20), "-000000000");
	KUNIT_EXPECT_EQ(test, vm_map_user_wire_count(), before);
}

static void transition_makes_others_wait(struct kunit *test)
{
	two_wire(test, false);
}

static void transition_makes_others_wait_for_immutable_memory(struct kunit *test)
{
	two_wire(test, true);
}

static void transition_wait_of_quiet_map(struct kunit *test)
{
	struct vm_map *map = test_map_new(test);

	KUNIT_EXPECT_EQ(test, 0, vm_map_transition_wait(map));
}

static struct kunit_case vm_map_wire_cases[] = {
	KUNIT_CASE_PARAM(wire_table, wire_gen_params),
	KUNIT_CASE(wire_copies_what_is_shared),
	KUNIT_CASE(wire_has_a_limit),
	KUNIT_CASE(wire_is_all_or_nothing),
	KUNIT_CASE(wire_without_pages),
	KUNIT_CASE_PARAM(wire_failure_changes_nothing, fail_gen_params),
	KUNIT_CASE(transition_holds_entries),
	KUNIT_CASE(transition_survives_clipping),
	KUNIT_CASE(transition_fails_after_clipping),
	KUNIT_CASE(transition_leaves_new_memory_alone),
	KUNIT_CASE(transition_can_be_forked),
	KUNIT_CASE(transition_of_copy_can_be_forked),
	KUNIT_CASE(transition_of_immutable_memory),
	KUNIT_CASE(transition_makes_others_wait),
	KUNIT_CASE(transition_makes_others_wait_for_immutable_memory),
	KUNIT_CASE(transition_wait_of_quiet_map),
	{}
};

static struct kunit_suite vm_map_wire_suite = {
	.name = "bsdvm_vm_map_wire",
	.init = test_pages_init,
	.test_cases = vm_map_wire_cases,
};

kunit_test_suite(vm_map_wire_suite);
