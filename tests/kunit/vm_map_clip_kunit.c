// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Tests of the entries of a map: every way to clip and to merge them, as a table.
 */
#include "vm_map_table_kunit.h"

/* --- clipping: the range of the operation against the entries */

static const struct map_case clip_cases[] = {
	/* One entry. */
	{ "protect all of it", { ENTRY, { PROTECT, 10, 20, R } }, "10-20:r/A+5" },
	{ "protect around it", { ENTRY, { PROTECT, 5, 25, R } }, "10-20:r/A+5" },
	{ "protect its start", { ENTRY, { PROTECT, 10, 13, R } }, "10-13:r/A+5 13-20:rw/A+8" },
	{ "protect over its start", { ENTRY, { PROTECT, 5, 13, R } },
	  "10-13:r/A+5 13-20:rw/A+8" },
	{ "protect its end", { ENTRY, { PROTECT, 13, 20, R } }, "10-13:rw/A+5 13-20:r/A+8" },
	{ "protect over its end", { ENTRY, { PROTECT, 13, 25, R } }, "10-13:rw/A+5 13-20:r/A+8" },
	{ "protect its middle", { ENTRY, { PROTECT, 13, 16, R } },
	  "10-13:rw/A+5 13-16:r/A+8 16-20:rw/A+11" },
	{ "protect its first page", { ENTRY, { PROTECT, 10, 11, R } },
	  "10-11:r/A+5 11-20:rw/A+6" },
	{ "protect its last page", { ENTRY, { PROTECT, 19, 20, R } },
	  "10-19:rw/A+5 19-20:r/A+14" },
	{ "protect in front", { ENTRY, { PROTECT, 5, 10, R } }, "10-20:rw/A+5" },
	{ "protect behind", { ENTRY, { PROTECT, 20, 25, R } }, "10-20:rw/A+5" },
	{ "protect nothing", { ENTRY, { PROTECT, 15, 15, R } }, "10-20:rw/A+5" },

	{ "inherit its start", { ENTRY, { INHERIT, 10, 13, SHARE } },
	  "10-13:rws/A+5 13-20:rw/A+8" },
	{ "inherit its end", { ENTRY, { INHERIT, 13, 20, NONE } },
	  "10-13:rw/A+5 13-20:rwn/A+8" },
	{ "inherit its middle", { ENTRY, { INHERIT, 13, 16, ZERO } },
	  "10-13:rw/A+5 13-16:rwz/A+8 16-20:rw/A+11" },
	{ "inherit nothing", { ENTRY, { INHERIT, 15, 15, ZERO } }, "10-20:rw/A+5" },

	{ "remove all of it", { ENTRY, { REMOVE, 10, 20 } }, "" },
	{ "remove around it", { ENTRY, { REMOVE, 5, 25 } }, "" },
	{ "remove its start", { ENTRY, { REMOVE, 10, 13 } }, "13-20:rw/A+8" },
	{ "remove over its start", { ENTRY, { REMOVE, 5, 13 } }, "13-20:rw/A+8" },
	{ "remove its end", { ENTRY, { REMOVE, 13, 20 } }, "10-13:rw/A+5" },
	{ "remove over its end", { ENTRY, { REMOVE, 13, 25 } }, "10-13:rw/A+5" },
	{ "remove its middle", { ENTRY, { REMOVE, 13, 16 } }, "10-13:rw/A+5 16-20:rw/A+11" },
	{ "remove in front", { ENTRY, { REMOVE, 5, 10 } }, "10-20:rw/A+5" },
	{ "remove behind", { ENTRY, { REMOVE, 20, 25 } }, "10-20:rw/A+5" },
	{ "remove in an empty map", { { REMOVE, 0, MAP_PAGES } }, "" },

	{ "map over all of it", { ENTRY, { FIXED, 10, 20, X, 'B', 1 } }, "10-20:x/B+1" },
	{ "map around it", { ENTRY, { FIXED, 5, 25, X, 'B', 1 } }, "5-25:x/B+1" },
	{ "map over its start", { ENTRY, { FIXED, 5, 13, X, 'B', 1 } },
	  "5-13:x/B+1 13-20:rw/A+8" },
	{ "map over its end", { ENTRY, { FIXED, 13, 25, X, 'B', 1 } },
	  "10-13:rw/A+5 13-25:x/B+1" },
	{ "map over its middle", { ENTRY, { FIXED, 13, 16, X, 'B', 1 } },
	  "10-13:rw/A+5 13-16:x/B+1 16-20:rw/A+11" },
	{ "map memory over its middle", { ENTRY, { FIXED, 13, 16, RW } },
	  "10-13:rw/A+5 13-16:rw 16-20:rw/A+11" },

	/* Two entries that touch. */
	{ "protect across", { ENTRY, NEXT, { PROTECT, 15, 25, X } },
	  "10-15:rw/A+5 15-20:x/A+10 20-25:x/B+0 25-30:r/B+5" },
	{ "protect both", { ENTRY, NEXT, { PROTECT, 10, 30, X } }, "10-20:x/A+5 20-30:x/B+0" },
	{ "protect up to the seam", { ENTRY, NEXT, { PROTECT, 15, 20, X } },
	  "10-15:rw/A+5 15-20:x/A+10 20-30:r/B+0" },
	{ "protect from the seam", { ENTRY, NEXT, { PROTECT, 20, 25, X } },
	  "10-20:rw/A+5 20-25:x/B+0 25-30:r/B+5" },
	{ "remove across", { ENTRY, NEXT, { REMOVE, 15, 25 } }, "10-15:rw/A+5 25-30:r/B+5" },
	{ "map across", { ENTRY, NEXT, { FIXED, 15, 25, X, 'C', 0 } },
	  "10-15:rw/A+5 15-25:x/C+0 25-30:r/B+5" },

	/* Two entries with a hole between. */
	{ "protect across a hole", { ENTRY, APART, { PROTECT, 15, 26, X } },
	  "10-15:rw/A+5 15-20:x/A+10 24-26:x/B+0 26-30:r/B+2" },
	{ "protect from a hole", { ENTRY, APART, { PROTECT, 22, 26, X } },
	  "10-20:rw/A+5 24-26:x/B+0 26-30:r/B+2" },
	{ "protect in a hole", { ENTRY, APART, { PROTECT, 21, 23, X } },
	  "10-20:rw/A+5 24-30:r/B+0" },
	{ "inherit across a hole", { ENTRY, APART, { INHERIT, 15, 26, NONE } },
	  "10-15:rw/A+5 15-20:rwn/A+10 24-26:rn/B+0 26-30:r/B+2" },
	{ "remove across a hole", { ENTRY, APART, { REMOVE, 15, 26 } },
	  "10-15:rw/A+5 26-30:r/B+2" },
	{ "map across a hole", { ENTRY, APART, { FIXED, 15, 26, X } },
	  "10-15:rw/A+5 15-26:x 26-30:r/B+2" },

	/* Guards. */
	{ "protect skips a guard",
	  { { INSERT, 10, 20, 0, .cow = MAP_CREATE_GUARD }, { PROTECT, 12, 16, RW } }, "10-20:g" },
	{ "protect across a guard",
	  { ENTRY, { INSERT, 20, 24, 0, .cow = MAP_CREATE_GUARD }, { INSERT, 24, 30, RW },
	    { PROTECT, 15, 26, R } },
	  "10-15:rw/A+5 15-20:r/A+10 20-24:g 24-26:r 26-30:rw" },
	{ "remove part of a guard",
	  { { INSERT, 10, 20, 0, .cow = MAP_CREATE_GUARD }, { REMOVE, 12, 16 } },
	  "10-12:g 16-20:g" },
	{ "map over a guard",
	  { { INSERT, 10, 20, 0, .cow = MAP_CREATE_GUARD }, { FIXED, 12, 16, RW } },
	  "10-12:g 12-16:rw 16-20:g" },
	{ "a guard does not take ZERO",
	  { { INSERT, 10, 20, 0, .cow = MAP_CREATE_GUARD }, { INHERIT, 10, 20, ZERO } },
	  "10-20:g" },
	{ "a guard takes NONE",
	  { { INSERT, 10, 20, 0, .cow = MAP_CREATE_GUARD }, { INHERIT, 12, 16, NONE } },
	  "10-12:g 12-16:gn 16-20:g" },

	/* Refusals, which leave the map alone. */
	{ "protect beyond the maximum",
	  { ENTRY, { INSERT, 20, 30, R, .max = R }, { PROTECT, 15, 25, RW, .rv =
	    KERN_PROTECTION_FAILURE } }, "10-20:rw/A+5 20-30:r^r" },
	{ "no such inheritance",
	  { ENTRY, { INHERIT, 12, 15, 4, .rv = KERN_INVALID_ARGUMENT } }, "10-20:rw/A+5" },
	{ "insert over an entry",
	  { ENTRY, { INSERT, 19, 25, R, .rv = KERN_NO_SPACE } }, "10-20:rw/A+5" },
	{ "insert up into an entry",
	  { ENTRY, { INSERT, 5, 11, R, .rv = KERN_NO_SPACE } }, "10-20:rw/A+5" },
	{ "insert around an entry",
	  { ENTRY, { INSERT, 5, 25, R, .rv = KERN_NO_SPACE } }, "10-20:rw/A+5" },
	{ "insert inside an entry",
	  { ENTRY, { INSERT, 12, 13, R, 'B', .rv = KERN_NO_SPACE } }, "10-20:rw/A+5" },
	{ "exclusively over an entry",
	  { ENTRY, { EXCL, 12, 25, R, 'B', .rv = KERN_NO_SPACE } }, "10-20:rw/A+5" },
	{ "exclusively beside an entry",
	  { ENTRY, { EXCL, 20, 25, R, 'B' } }, "10-20:rw/A+5 20-25:r/B+0" },
	{ "exclusively over a guard",
	  { { INSERT, 10, 20, 0, .cow = MAP_CREATE_GUARD },
	    { EXCL, 12, 13, R, .rv = KERN_NO_SPACE } }, "10-20:g" },
	{ "insert more than the maximum",
	  { { INSERT, 10, 20, RW, .max = R, .rv = KERN_INVALID_ARGUMENT } }, "" },
	{ "map more than the maximum",
	  { ENTRY, { FIXED, 12, 15, RW, .max = R, .rv = KERN_INVALID_ARGUMENT } },
	  "10-20:rw/A+5" },
	{ "insert beyond the end",
	  { { INSERT, 90, MAP_PAGES + 1, R, .rv = KERN_INVALID_ADDRESS } }, "" },
	{ "insert before the start",
	  { { INSERT, -1ULL, 1, R, .rv = KERN_INVALID_ADDRESS } }, "" },
	{ "insert nothing", { { INSERT, 5, 5, R, .rv = KERN_INVALID_ADDRESS } }, "" },
	{ "map beyond the end",
	  { ENTRY, { FIXED, 15, MAP_PAGES + 1, R, .rv = KERN_INVALID_ADDRESS } },
	  "10-20:rw/A+5" },
	{ "insert all there is", { { INSERT, 0, MAP_PAGES, R } }, "0-96:r" },

	/* The maximum protection. */
	{ "the maximum takes away", { ENTRY, { MAXPROT, 12, 15, R } },
	  "10-12:rw/A+5 12-15:r^r/A+7 15-20:rw/A+10" },
	{ "the maximum never grows",
	  { ENTRY, { MAXPROT, 10, 20, R }, { MAXPROT, 10, 20, RW, .rv =
	    KERN_PROTECTION_FAILURE } }, "10-20:r^r/A+5" },
};

KUNIT_ARRAY_PARAM_DESC(clip, clip_cases, name);

static void map_clip(struct kunit *test)
{
	test_map_run_case(test);
}

/* --- merging: what makes one entry of two, and what keeps them apart */

static const struct map_case merge_cases[] = {
	{ "memory behind memory", { { INSERT, 10, 20, RW }, { INSERT, 20, 30, RW } },
	  "10-30:rw" },
	{ "memory in front of memory", { { INSERT, 20, 30, RW }, { INSERT, 10, 20, RW } },
	  "10-30:rw" },
	{ "memory between memory",
	  { { INSERT, 10, 15, RW }, { INSERT, 20, 30, RW }, { INSERT, 15, 20, RW } }, "10-30:rw" },
	{ "one object, one after the other",
	  { { INSERT, 10, 20, RW, 'A', 5 }, { INSERT, 20, 30, RW, 'A', 15 } }, "10-30:rw/A+5" },
	{ "one object, from the other side",
	  { { INSERT, 20, 30, RW, 'A', 15 }, { INSERT, 10, 20, RW, 'A', 5 } }, "10-30:rw/A+5" },
	{ "one object, closing a hole",
	  { { INSERT, 10, 15, RW, 'A', 5 }, { INSERT, 20, 30, RW, 'A', 15 },
	    { INSERT, 15, 20, RW, 'A', 10 } }, "10-30:rw/A+5" },
	{ "guards",
	  { { INSERT, 10, 20, 0, .cow = MAP_CREATE_GUARD },
	    { INSERT, 20, 30, 0, .cow = MAP_CREATE_GUARD } }, "10-30:g" },

	{ "not: a hole between", { { INSERT, 10, 20, RW }, { INSERT, 21, 30, RW } },
	  "10-20:rw 21-30:rw" },
	{ "not: another object",
	  { { INSERT, 10, 20, RW, 'A', 5 }, { INSERT, 20, 30, RW, 'B', 15 } },
	  "10-20:rw/A+5 20-30:rw/B+15" },
	{ "not: memory behind an object",
	  { { INSERT, 10, 20, RW, 'A', 5 }, { INSERT, 20, 30, RW } }, "10-20:rw/A+5 20-30:rw" },
	{ "not: an object behind memory",
	  { { INSERT, 10, 20, RW }, { INSERT, 20, 30, RW, 'A' } }, "10-20:rw 20-30:rw/A+0" },
	{ "not: an offset too far",
	  { { INSERT, 10, 20, RW, 'A', 5 }, { INSERT, 20, 30, RW, 'A', 16 } },
	  "10-20:rw/A+5 20-30:rw/A+16" },
	{ "not: the same offset",
	  { { INSERT, 10, 20, RW, 'A', 5 }, { INSERT, 20, 30, RW, 'A', 5 } },
	  "10-20:rw/A+5 20-30:rw/A+5" },
	{ "not: another protection", { { INSERT, 10, 20, RW }, { INSERT, 20, 30, R } },
	  "10-20:rw 20-30:r" },
	{ "not: another maximum", { { INSERT, 10, 20, R }, { INSERT, 20, 30, R, .max = RW } },
	  "10-20:r 20-30:r^rw" },
	{ "not: another inheritance",
	  { { INSERT, 10, 20, R }, { INSERT, 20, 30, R, .cow = MAP_INHERIT_SHARE } },
	  "10-20:r 20-30:rs" },
	{ "not: private and shared",
	  { { INSERT, 10, 20, R, 'A', 0 },
	    { INSERT, 20, 30, R, 'A', 10, .cow = MAP_COPY_ON_WRITE } },
	  "10-20:r/A+0 20-30:rc+/A+10" },
	{ "not: another syncing",
	  { { INSERT, 10, 20, R }, { INSERT, 20, 30, R, .cow = MAP_DISABLE_SYNCER } },
	  "10-20:r 20-30:rN" },
	{ "not: another dumping",
	  { { INSERT, 10, 20, R }, { INSERT, 20, 30, R, .cow = MAP_DISABLE_COREDUMP } },
	  "10-20:r 20-30:rC" },
	{ "not: a guard",
	  { { INSERT, 10, 20, 0 }, { INSERT, 20, 30, 0, .cow = MAP_CREATE_GUARD } },
	  "10-20:- 20-30:g" },
	{ "not: wired and not",
	  { { INSERT, 10, 20, R }, { WIRE, 10, 20 }, { INSERT, 20, 30, R } },
	  "10-20:rW/?+0 20-30:r" },
	{ "not: two objects in front and behind",
	  { { INSERT, 10, 15, RW, 'A', 5 }, { INSERT, 20, 30, RW, 'B', 15 },
	    { INSERT, 15, 20, RW, 'C', 10 } }, "10-15:rw/A+5 15-20:rw/C+10 20-30:rw/B+15" },

	{ "protect and back",
	  { ENTRY, { PROTECT, 13, 16, R }, { PROTECT, 13, 16, RW } }, "10-20:rw/A+5" },
	{ "protect piece by piece",
	  { ENTRY, { PROTECT, 10, 13, R }, { PROTECT, 16, 20, R }, { PROTECT, 13, 16, R } },
	  "10-20:r/A+5" },
	{ "protect the rest",
	  { ENTRY, { PROTECT, 13, 16, R }, { PROTECT, 10, 20, R } }, "10-20:r/A+5" },
	{ "protect up to a neighbour",
	  { ENTRY, { PROTECT, 16, 20, R }, { PROTECT, 13, 16, R } },
	  "10-13:rw/A+5 13-20:r/A+8" },
	{ "protect down to a neighbour",
	  { ENTRY, { PROTECT, 10, 13, R }, { PROTECT, 13, 16, R } },
	  "10-16:r/A+5 16-20:rw/A+11" },
	{ "inherit and back",
	  { ENTRY, { INHERIT, 13, 16, NONE }, { INHERIT, 13, 16, VM_INHERIT_COPY } },
	  "10-20:rw/A+5" },
	{ "protect without a change", { ENTRY, { PROTECT, 13, 16, RW } }, "10-20:rw/A+5" },
	{ "inherit without a change", { ENTRY, { INHERIT, 13, 16, VM_INHERIT_COPY } },
	  "10-20:rw/A+5" },
	{ "map back what was there",
	  { ENTRY, { REMOVE, 13, 16 }, { INSERT, 13, 16, RW, 'A', 8 } }, "10-20:rw/A+5" },
	{ "map over with the same", { ENTRY, { FIXED, 13, 16, RW, 'A', 8 } }, "10-20:rw/A+5" },
	{ "map memory over memory",
	  { { INSERT, 10, 30, RW }, { FIXED, 15, 20, RW } }, "10-30:rw" },
};

KUNIT_ARRAY_PARAM_DESC(merge, merge_cases, name);

static void map_merge(struct kunit *test)
{
	test_map_run_case(test);
}

/* Memory behind memory that has an object: the object grows with the entry. */
static void map_insert_extends_object(struct kunit *test)
{
	const struct map_op first = { INSERT, 10, 20, RW }, behind = { INSERT, 20, 30, RW };
	const struct map_op shared = { INSERT, 30, 40, RW };
	struct test_map *tm = test_map(test);
	struct vm_map_entry *entry;
	struct vm_object *object;
	vm_pindex_t pindex;
	vm_prot_t prot;

	KUNIT_EXPECT_EQ(test, KERN_SUCCESS, test_map_op(tm, &first));
	KUNIT_ASSERT_EQ(test, KERN_SUCCESS,
			vm_map_lookup(&tm->map, test_va(15), W, &entry, &object, &pindex, &prot));
	vm_map_unlock_read(&tm->map);
	KUNIT_EXPECT_EQ(test, KERN_SUCCESS, test_map_op(tm, &behind));
	KUNIT_EXPECT_STREQ(test, test_map_describe(tm, &tm->map), "10-30:rw/?+0");
	KUNIT_EXPECT_EQ(test, object->size, 20ULL);

	/* Not when somebody else may look behind the entry. */
	vm_object_reference(object);
	KUNIT_EXPECT_EQ(test, KERN_SUCCESS, test_map_op(tm, &shared));
	KUNIT_EXPECT_STREQ(test, test_map_describe(tm, &tm->map), "10-30:rw/?+0 30-40:rw");
	KUNIT_EXPECT_EQ(test, object->size, 20ULL);
	vm_object_deallocate(object);
	entry = vm_map_entry_first(&tm->map);
	KUNIT_EXPECT_PTR_EQ(test, entry->object, object);
}

/* Unmapping frees the pages that nothing else can reach. */
static void map_remove_frees_pages(struct kunit *test)
{
	const struct map_op middle = { REMOVE, 14, 17 };
	struct vm_object *object = test_object(test, 10);
	struct test_map *tm = test_map(test);
	unsigned long free = test_free_count();
	unsigned int i;

	for (i = 0; i < 10; i++)
		test_insert(test, object, i);
	test_map_insert(test, &tm->map, object, test_va(10), test_va(20), RW, 0);
	KUNIT_EXPECT_EQ(test, KERN_SUCCESS, test_map_op(tm, &middle));
	KUNIT_EXPECT_EQ(test, test_free_count(), free - 7);
	KUNIT_EXPECT_EQ(test, object->resident_page_count, 7UL);
	test_map_unmap_all(&tm->map);
	KUNIT_EXPECT_EQ(test, test_free_count(), free);
}

static struct kunit_case vm_map_clip_cases[] = {
	KUNIT_CASE_PARAM(map_clip, clip_gen_params),
	KUNIT_CASE_PARAM(map_merge, merge_gen_params),
	KUNIT_CASE(map_insert_extends_object),
	KUNIT_CASE(map_remove_frees_pages),
	{}
};

static struct kunit_suite vm_map_clip_suite = {
	.name = "bsdvm_vm_map_clip",
	.init = test_pages_init,
	.test_cases = vm_map_clip_cases,
};

kunit_test_suite(vm_map_clip_suite);
