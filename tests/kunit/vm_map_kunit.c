// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Tests of the map: placement, failure half-way, what a fault is told, and fork.
 */
#include "vm_map_table_kunit.h"

/* --- placement */

/* 10-20, 25-40, 50-60 and 70-96 are taken, so free are 0-10, 20-25, 40-50, 60-70. */
static const struct map_op space_ops[] = {
	{ INSERT, 10, 20, RW }, { INSERT, 25, 40, R }, { INSERT, 50, 60, 0,
	  .cow = MAP_CREATE_GUARD }, { INSERT, 70, MAP_PAGES, RW }, { END }
};

struct space_case {
	const char *name;
	u64 start;
	u64 length;
	u64 align;	/* pages; the map begins at a multiple of all */
	u64 max;
	int rv;
	u64 place;
};

static const struct space_case space_cases[] = {
	{ "first page", 0, 1, 1, MAP_PAGES, KERN_SUCCESS, 0 },
	{ "below the map", -16ULL, 1, 1, MAP_PAGES, KERN_SUCCESS, 0 },
	{ "fills the first gap", 0, 10, 1, MAP_PAGES, KERN_SUCCESS, 0 },
	{ "one too long for the first gap", 0, 11, 1, MAP_PAGES, KERN_NO_SPACE },
	{ "first fit, not best fit", 0, 5, 1, MAP_PAGES, KERN_SUCCESS, 0 },
	{ "from inside a gap", 3, 5, 1, MAP_PAGES, KERN_SUCCESS, 3 },
	{ "what is left of a gap", 3, 7, 1, MAP_PAGES, KERN_SUCCESS, 3 },
	{ "more than is left of a gap", 3, 8, 1, MAP_PAGES, KERN_SUCCESS, 40 },
	{ "from inside an entry", 15, 5, 1, MAP_PAGES, KERN_SUCCESS, 20 },
	{ "from an entry's start", 10, 5, 1, MAP_PAGES, KERN_SUCCESS, 20 },
	{ "from an entry's end", 20, 5, 1, MAP_PAGES, KERN_SUCCESS, 20 },
	{ "skips a gap", 15, 6, 1, MAP_PAGES, KERN_SUCCESS, 40 },
	{ "skips two gaps", 41, 10, 1, MAP_PAGES, KERN_SUCCESS, 60 },
	{ "from inside a guard", 52, 3, 1, MAP_PAGES, KERN_SUCCESS, 60 },
	{ "from the last entry", 75, 1, 1, MAP_PAGES, KERN_NO_SPACE },
	{ "from the end of the map", MAP_PAGES, 1, 1, MAP_PAGES, KERN_NO_SPACE },
	{ "beyond the end of the map", MAP_PAGES + 5, 1, 1, MAP_PAGES, KERN_NO_SPACE },
	{ "larger than the map", 0, MAP_PAGES + 1, 1, MAP_PAGES, KERN_NO_SPACE },
	{ "largest length there is", 0, atop(-VM_PAGE_SIZE), 1, MAP_PAGES, KERN_NO_SPACE },
	{ "aligned in the first gap", 1, 2, 4, MAP_PAGES, KERN_SUCCESS, 4 },
	{ "alignment does not fit one gap", 1, 3, 8, MAP_PAGES, KERN_SUCCESS, 40 },
	{ "alignment eats the gap", 20, 5, 8, MAP_PAGES, KERN_SUCCESS, 40 },
	{ "alignment larger than gaps", 1, 1, 64, MAP_PAGES, KERN_SUCCESS, 64 },
	{ "alignment larger than the map", 1, 1, 128, MAP_PAGES, KERN_NO_SPACE },
	{ "bounded above", 0, 5, 1, 5, KERN_SUCCESS, 0 },
	{ "bounded too low", 0, 5, 1, 4, KERN_NO_SPACE },
	{ "bound inside a gap", 15, 6, 1, 46, KERN_SUCCESS, 40 },
	{ "bound cuts the gap", 15, 6, 1, 45, KERN_NO_SPACE },
	{ "bound inside an entry", 15, 6, 1, 30, KERN_NO_SPACE },
	{ "bound beyond the map", 0, 10, 1, 1000, KERN_SUCCESS, 0 },
};

static void map_findspace(struct kunit *test)
{
	const struct space_case *c = test->param_value;
	struct test_map *tm = test_map(test);
	const struct map_op *op;
	vm_offset_t addr = 1;
	int rv;

	for (op = space_ops; op->op != END; op++)
		KUNIT_ASSERT_EQ(test, KERN_SUCCESS, test_map_op(tm, op));
	vm_map_lock_read(&tm->map);
	rv = vm_map_findspace(&tm->map, test_va(c->start), ptoa(c->length), ptoa(c->align),
			      test_va(c->max), &addr);
	vm_map_unlock_read(&tm->map);
	KUNIT_EXPECT_EQ(test, rv, c->rv);
	if (rv == KERN_SUCCESS)
		KUNIT_EXPECT_EQ(test, test_page_of(addr), c->place);
}

KUNIT_ARRAY_PARAM_DESC(space, space_cases, name);

static void map_findspace_in_empty_map(struct kunit *test)
{
	struct test_map *tm = test_map(test);
	vm_offset_t addr;

	vm_map_lock_read(&tm->map);
	KUNIT_EXPECT_EQ(test, KERN_SUCCESS,
			vm_map_findspace(&tm->map, test_va(0), ptoa(MAP_PAGES), VM_PAGE_SIZE,
					 test_va(MAP_PAGES), &addr));
	KUNIT_EXPECT_EQ(test, addr, test_va(0));
	KUNIT_EXPECT_EQ(test, KERN_NO_SPACE,
			vm_map_findspace(&tm->map, test_va(1), ptoa(MAP_PAGES), VM_PAGE_SIZE,
					 test_va(MAP_PAGES), &addr));
	vm_map_unlock_read(&tm->map);
}

/* vm_map_find() begins again at the start of the map. */
static void map_find_wraps_around(struct kunit *test)
{
	struct test_map *tm = test_map(test);
	const struct map_op *op;
	vm_offset_t addr;

	for (op = space_ops; op->op != END; op++)
		KUNIT_ASSERT_EQ(test, KERN_SUCCESS, test_map_op(tm, op));
	addr = test_va(65);
	KUNIT_EXPECT_EQ(test, KERN_SUCCESS,
			vm_map_find(&tm->map, NULL, 0, &addr, ptoa(10), VM_PAGE_SIZE,
				    test_va(MAP_PAGES), X, ALL, 0));
	KUNIT_EXPECT_EQ(test, test_page_of(addr), 0ULL);
	addr = test_va(65);
	KUNIT_EXPECT_EQ(test, KERN_SUCCESS,
			vm_map_find(&tm->map, NULL, 0, &addr, ptoa(10), VM_PAGE_SIZE,
				    test_va(MAP_PAGES), X, ALL, 0));
	KUNIT_EXPECT_EQ(test, test_page_of(addr), 40ULL);
	addr = test_va(65);
	KUNIT_EXPECT_EQ(test, KERN_NO_SPACE,
			vm_map_find(&tm->map, NULL, 0, &addr, ptoa(11), VM_PAGE_SIZE,
				    test_va(MAP_PAGES), X, ALL, 0));
	KUNIT_EXPECT_EQ_MSG(test, addr, test_va(65), "the hint is as it was");
	KUNIT_EXPECT_STREQ(test, test_map_describe(tm, &tm->map),
			   "0-10:x 10-20:rw 25-40:r 40-50:x 50-60:g 70-96:rw");
}

/* --- no memory: whatever fails leaves the map as it was */

static const struct map_case fail_cases[] = {
	{ "insert", { ENTRY, { INSERT, 30, 40, R, 'B' } } },
	{ "map over the middle", { ENTRY, { FIXED, 13, 16, R, 'B' } } },
	{ "map over the start", { ENTRY, { FIXED, 5, 16, R, 'B' } } },
	{ "map over two", { ENTRY, NEXT, { FIXED, 15, 25, R, 'C' } } },
	{ "exclusively", { ENTRY, { EXCL, 20, 30, R, 'B' } } },
	{ "remove the middle", { ENTRY, { REMOVE, 13, 16 } } },
	{ "remove across", { ENTRY, NEXT, { REMOVE, 15, 25 } } },
	{ "protect the middle", { ENTRY, { PROTECT, 13, 16, R } } },
	{ "protect across", { ENTRY, NEXT, { PROTECT, 15, 25, X } } },
	{ "inherit the middle", { ENTRY, { INHERIT, 13, 16, NONE } } },
	{ "inherit across", { ENTRY, NEXT, { INHERIT, 15, 25, NONE } } },
};

static void map_failure_changes_nothing(struct kunit *test)
{
	const struct map_case *c = test->param_value;
	struct test_map *tm = test_map(test);
	const struct map_op *op;
	unsigned int nth;
	char before[128];
	bool failed;
	int rv;

	test_fail_init(test);
	for (op = c->ops; op[1].op != END; op++)
		KUNIT_ASSERT_EQ(test, KERN_SUCCESS, test_map_op(tm, op));
	strscpy(before, test_map_describe(tm, &tm->map), sizeof(before));

	for (nth = 1; nth < 20; nth++) {
		test_fail_from(nth);
		rv = test_map_op(tm, op);
		failed = test_fail_done();
		if (!failed)
			break;
		KUNIT_EXPECT_EQ_MSG(test, rv, KERN_RESOURCE_SHORTAGE, "allocation %u", nth);
		KUNIT_EXPECT_STREQ(test, test_map_describe(tm, &tm->map), before);
		test_map_expect_references(test, tm);
	}
	KUNIT_EXPECT_EQ(test, rv, KERN_SUCCESS);
	KUNIT_EXPECT_GT_MSG(test, nth, 1U, "an allocation did fail");
	KUNIT_EXPECT_LE(test, nth, 4U);
	KUNIT_EXPECT_STRNEQ(test, test_map_describe(tm, &tm->map), before);
}

KUNIT_ARRAY_PARAM_DESC(fail, fail_cases, name);

/* --- what a fault is told */

static void map_lookup_says(struct kunit *test, struct test_map *tm, u64 page, vm_prot_t type,
			    int rv, char object, vm_pindex_t pindex, vm_prot_t prot)
{
	struct vm_map_entry *entry = NULL;
	struct vm_object *found = NULL;
	vm_pindex_t at = 0;
	vm_prot_t out = 0;

	KUNIT_EXPECT_EQ(test, rv, vm_map_lookup(&tm->map, test_va(page) + 5, type, &entry, &found,
						&at, &out));
	if (rv == KERN_SUCCESS) {
		KUNIT_ASSERT_NOT_NULL(test, entry);
		KUNIT_EXPECT_LE(test, entry->start, test_va(page));
		KUNIT_EXPECT_GT(test, entry->end, test_va(page));
		KUNIT_EXPECT_PTR_EQ(test, entry->object, found);
		KUNIT_EXPECT_EQ(test, test_map_object_name(tm, found), object);
		KUNIT_EXPECT_EQ(test, at, pindex);
		KUNIT_EXPECT_EQ(test, out, prot);
		vm_map_unlock_read(&tm->map);
	}
	/* Nothing is locked now. */
	KUNIT_ASSERT_TRUE(test, down_write_trylock(&tm->map.lock));
	up_write(&tm->map.lock);
}

static void map_lookup(struct kunit *test)
{
	static const struct map_op ops[] = {
		{ INSERT, 10, 20, RW, 'A', 5 },
		{ INSERT, 20, 30, R, 'B', 0 },
		{ INSERT, 30, 40, RW, 'B', 0, .cow = MAP_COPY_ON_WRITE },
		{ INSERT, 40, 50, RW },
		{ INSERT, 50, 60, 0, .cow = MAP_CREATE_GUARD },
		{ INSERT, 60, 70, 0, 'A' },
		{ END }
	};
	static const char after[] =
		"10-20:rw/A+5 20-30:r/B+0 30-40:rwc/?+0 40-50:rw/?+0 50-60:g 60-70:-/A+0";
	struct test_map *tm = test_map(test);
	const struct map_op *op;
	unsigned int locks;

	for (op = ops; op->op != END; op++)
		KUNIT_ASSERT_EQ(test, KERN_SUCCESS, test_map_op(tm, op));

	map_lookup_says(test, tm, 5, R, KERN_INVALID_ADDRESS, 0, 0, 0);
	map_lookup_says(test, tm, 80, R, KERN_INVALID_ADDRESS, 0, 0, 0);
	map_lookup_says(test, tm, 10, R, KERN_SUCCESS, 'A', 5, RW);
	map_lookup_says(test, tm, 19, W, KERN_SUCCESS, 'A', 14, RW);
	map_lookup_says(test, tm, 10, X, KERN_PROTECTION_FAILURE, 0, 0, 0);
	map_lookup_says(test, tm, 20, R, KERN_SUCCESS, 'B', 0, R);
	map_lookup_says(test, tm, 20, W, KERN_PROTECTION_FAILURE, 0, 0, 0);
	map_lookup_says(test, tm, 55, R, KERN_PROTECTION_FAILURE, 0, 0, 0);
	map_lookup_says(test, tm, 65, R, KERN_PROTECTION_FAILURE, 0, 0, 0);

	/* A private mapping is read in place and written in a shadow. */
	map_lookup_says(test, tm, 33, R, KERN_SUCCESS, 'B', 3, R);
	map_lookup_says(test, tm, 33, W, KERN_SUCCESS, '?', 3, RW);
	map_lookup_says(test, tm, 34, R, KERN_SUCCESS, '?', 4, RW);

	/* Memory gets its object with the first fault, which locks nobody else's out. */
	locks = tm->map.timestamp;
	map_lookup_says(test, tm, 42, R, KERN_SUCCESS, '?', 2, RW);
	KUNIT_EXPECT_EQ(test, tm->map.timestamp, locks);
	map_lookup_says(test, tm, 43, W, KERN_SUCCESS, '?', 3, RW);
	KUNIT_EXPECT_STREQ(test, test_map_describe(tm, &tm->map), after);
}

static void map_lookup_without_memory(struct kunit *test)
{
	static const struct map_op ops[] = {
		{ INSERT, 10, 20, RW, 'B', 0, .cow = MAP_COPY_ON_WRITE },
		{ INSERT, 20, 30, RW },
		{ END }
	};
	struct test_map *tm = test_map(test);
	struct vm_map_entry *entry;
	struct vm_object *object;
	const struct map_op *op;
	vm_pindex_t pindex;
	vm_prot_t prot;
	u64 page;

	test_fail_init(test);
	for (op = ops; op->op != END; op++)
		KUNIT_ASSERT_EQ(test, KERN_SUCCESS, test_map_op(tm, op));
	for (page = 15; page <= 25; page += 10) {
		test_fail_from(1);
		KUNIT_EXPECT_EQ(test, KERN_RESOURCE_SHORTAGE,
				vm_map_lookup(&tm->map, test_va(page), W, &entry, &object, &pindex,
					      &prot));
		KUNIT_EXPECT_TRUE(test, test_fail_done());
		KUNIT_ASSERT_TRUE(test, down_write_trylock(&tm->map.lock));
		up_write(&tm->map.lock);
	}
	KUNIT_EXPECT_STREQ(test, test_map_describe(tm, &tm->map), "10-20:rwc+/B+0 20-30:rw");
	test_map_expect_references(test, tm);
}

/* --- fork */

struct fork_case {
	const char *name;
	struct map_op ops[8];
	const char *parent;
	const char *child;
};

static const struct fork_case fork_cases[] = {
	{ "nothing", {}, "", "" },
	{ "copy", { ENTRY }, "10-20:rwc+/A+5", "10-20:rwc+/A+5" },
	{ "copy of what is read-only", { { INSERT, 10, 20, R, 'A', 5 } },
	  "10-20:rc+/A+5", "10-20:rc+/A+5" },
	{ "copy of a private mapping",
	  { { INSERT, 10, 20, RW, 'A', 5, .cow = MAP_COPY_ON_WRITE } },
	  "10-20:rwc+/A+5", "10-20:rwc+/A+5" },
	{ "copy of untouched memory", { { INSERT, 10, 20, RW } }, "10-20:rw", "10-20:rw" },
	{ "share", { ENTRY, { INHERIT, 10, 20, SHARE } }, "10-20:rws/A+5", "10-20:rws/A+5" },
	{ "share untouched memory", { { INSERT, 10, 20, RW }, { INHERIT, 10, 20, SHARE } },
	  "10-20:rws/?+0", "10-20:rws/?+0" },
	{ "share a private mapping",
	  { { INSERT, 10, 20, RW, 'A', 5, .cow = MAP_COPY_ON_WRITE },
	    { INHERIT, 10, 20, SHARE } }, "10-20:rwsc/?+0", "10-20:rwsc/?+0" },
	{ "none", { ENTRY, { INHERIT, 10, 20, NONE } }, "10-20:rwn/A+5", "" },
	{ "none in the middle", { ENTRY, { INHERIT, 13, 16, NONE } },
	  "10-13:rwc+/A+5 13-16:rwn/A+8 16-20:rwc+/A+11", "10-13:rwc+/A+5 16-20:rwc+/A+11" },
	{ "zero", { ENTRY, { INHERIT, 10, 20, ZERO } }, "10-20:rwz/A+5", "10-20:rwz" },
	{ "zero of a private mapping",
	  { { INSERT, 10, 20, RW, 'A', 5, .cow = MAP_COPY_ON_WRITE },
	    { INHERIT, 10, 20, ZERO } }, "10-20:rwzc+/A+5", "10-20:rwz" },
	{ "a guard", { { INSERT, 10, 20, 0, .cow = MAP_CREATE_GUARD } }, "10-20:g", "10-20:g" },
	{ "a guard, shared",
	  { { INSERT, 10, 20, 0, .cow = MAP_CREATE_GUARD }, { INHERIT, 10, 20, SHARE } },
	  "10-20:gs", "10-20:gs" },
	{ "a guard, none",
	  { { INSERT, 10, 20, 0, .cow = MAP_CREATE_GUARD }, { INHERIT, 10, 20, NONE } },
	  "10-20:gn", "" },
	{ "the maximum and flags go along",
	  { { INSERT, 10, 20, R, 'A', .cow = MAP_DISABLE_SYNCER | MAP_DISABLE_COREDUMP,
	      .max = R } }, "10-20:r^rc+NC/A+0", "10-20:r^rc+NC/A+0" },
	{ "all of them",
	  { { INSERT, 0, 40, RW, 'A' }, { INHERIT, 10, 20, SHARE }, { INHERIT, 20, 30, NONE },
	    { INHERIT, 30, 40, ZERO } },
	  "0-10:rwc+/A+0 10-20:rws/A+10 20-30:rwn/A+20 30-40:rwz/A+30",
	  "0-10:rwc+/A+0 10-20:rws/A+10 30-40:rwz" },
};

static void map_fork(struct kunit *test)
{
	const struct fork_case *c = test->param_value;
	struct test_map *tm = test_map(test);
	const struct map_op *op;
	struct vm_map *child;

	child = kunit_kzalloc(test, sizeof(*child), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, child);
	vm_map_init(child, NULL, test_va(0), test_va(MAP_PAGES));
	for (op = c->ops; op->op != END; op++)
		KUNIT_ASSERT_EQ(test, KERN_SUCCESS, test_map_op(tm, op));
	KUNIT_EXPECT_EQ(test, KERN_SUCCESS, vm_map_fork(&tm->map, child));
	KUNIT_EXPECT_STREQ(test, test_map_describe(tm, &tm->map), c->parent);
	KUNIT_EXPECT_STREQ(test, test_map_describe(tm, child), c->child);
	test_map_unmap_all(child);
	test_map_expect_references(test, tm);
}

KUNIT_ARRAY_PARAM_DESC(fork, fork_cases, name);

/* A fork that fails leaves a child that can be emptied, and loses nothing. */
static void map_fork_without_memory(struct kunit *test)
{
	static const struct map_op ops[] = {
		{ INSERT, 10, 20, RW, 'A', 5 },
		{ INSERT, 20, 30, RW },
		{ INHERIT, 20, 30, SHARE },
		{ INSERT, 30, 40, RW, 'B', 0, .cow = MAP_COPY_ON_WRITE },
		{ INHERIT, 30, 40, SHARE },
		{ INSERT, 40, 50, RW, 'C', 0 },
		{ END }
	};
	unsigned int nth, failures = 0;
	const struct map_op *op;
	struct test_map *tm;
	struct vm_map *child;
	int rv;

	test_fail_init(test);
	child = kunit_kzalloc(test, sizeof(*child), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, child);
	for (nth = 1; nth < 20; nth++) {
		tm = test_map(test);
		for (op = ops; op->op != END; op++)
			KUNIT_ASSERT_EQ(test, KERN_SUCCESS, test_map_op(tm, op));
		vm_map_init(child, NULL, test_va(0), test_va(MAP_PAGES));
		test_fail_from(nth);
		rv = vm_map_fork(&tm->map, child);
		if (test_fail_done()) {
			KUNIT_EXPECT_EQ(test, rv, KERN_RESOURCE_SHORTAGE);
			failures++;
		} else {
			KUNIT_EXPECT_EQ(test, rv, KERN_SUCCESS);
			nth = 20;
		}
		test_map_unmap_all(child);
		test_map_expect_references(test, tm);
	}
	KUNIT_EXPECT_EQ_MSG(test, failures, 6U, "four entries, an object, a shadow");
}

static struct kunit_case vm_map_cases[] = {
	KUNIT_CASE_PARAM(map_findspace, space_gen_params),
	KUNIT_CASE(map_findspace_in_empty_map),
	KUNIT_CASE(map_find_wraps_around),
	KUNIT_CASE_PARAM(map_failure_changes_nothing, fail_gen_params),
	KUNIT_CASE(map_lookup),
	KUNIT_CASE(map_lookup_without_memory),
	KUNIT_CASE_PARAM(map_fork, fork_gen_params),
	KUNIT_CASE(map_fork_without_memory),
	{}
};

static struct kunit_suite vm_map_suite = {
	.name = "bsdvm_vm_map",
	.init = test_pages_init,
	.test_cases = vm_map_cases,
};

kunit_test_suite(vm_map_suite);
