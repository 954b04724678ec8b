// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Tests of the map: every way to clip and to merge as a table, placement, failure
 * half-way, fork, and random operations against an array of pages.
 *
 * Maps here have no pmap. Addresses are pages from the start of the map. A map is
 * compared by its description, one word an entry:
 *
 *	4-9:rw		pages 4 to 8, no object, readable and writable
 *	4-9:rw/A+2	the same of object A, from its page 2 on
 *	4-9:g		a guard
 *	^		before the maximum protection, when it is not rwx
 *	s, n, z		behind the protection: inheritance SHARE, NONE, ZERO
 *	c, +		a private mapping; one that still needs a copy
 *	N, C		NOSYNC, NOCORE
 *	W		wired
 */
#include "vm_object_kunit.h"

#include "vm/swap_reserve.h"
#include "vm/vm_fault.h"
#include "vm/vm_map.h"

#define MAP_MIN		0x10000000ULL
#define MAP_PAGES	96
#define OBJECTS		3
#define OBJECT_PAGES	1024

#define R	VM_PROT_READ
#define W	VM_PROT_WRITE
#define X	VM_PROT_EXECUTE
#define RW	(R | W)
#define ALL	VM_PROT_ALL

#define SHARE	VM_INHERIT_SHARE
#define NONE	VM_INHERIT_NONE
#define ZERO	VM_INHERIT_ZERO

static vm_offset_t va(u64 page)
{
	return MAP_MIN + ptoa(page);
}

static u64 page_of(vm_offset_t address)
{
	return atop(address - MAP_MIN);
}

/*
 * A map, and objects A, B and C: shared memory, to which the test itself has a
 * reference, and paid for.
 */
struct test_map {
	struct vm_map map;
	struct vm_object *objects[OBJECTS];
	char text[1024];
};

static void test_empty(struct vm_map *map)
{
	LIST_HEAD(deferred);

	vm_map_remove(map, map->min_offset, map->max_offset, &deferred);
	vm_map_process_deferred(&deferred);
}

static void test_map_fini(void *arg)
{
	struct test_map *tm = arg;
	unsigned int i;

	test_empty(&tm->map);
	for (i = 0; i < OBJECTS; i++)
		vm_object_deallocate(tm->objects[i]);
}

static struct test_map *test_map(struct kunit *test)
{
	struct test_map *tm = kunit_kzalloc(test, sizeof(*tm), GFP_KERNEL);
	unsigned int i;

	KUNIT_ASSERT_NOT_NULL(test, tm);
	vm_map_init(&tm->map, NULL, va(0), va(MAP_PAGES));
	for (i = 0; i < OBJECTS; i++)
		tm->objects[i] = vm_object_allocate_anon(OBJECT_PAGES);
	KUNIT_ASSERT_EQ(test, 0, kunit_add_action_or_reset(test, test_map_fini, tm));
	for (i = 0; i < OBJECTS; i++) {
		KUNIT_ASSERT_NOT_NULL(test, tm->objects[i]);
		KUNIT_ASSERT_TRUE(test, swap_reserve(ptoa(OBJECT_PAGES)));
		tm->objects[i]->charge = ptoa(OBJECT_PAGES);
		test_object_mapped_twice(tm->objects[i]);
	}
	return tm;
}

/* The name of an entry's object: A to C, or ? for one the map has made. */
static char object_name(struct test_map *tm, const struct vm_object *object)
{
	unsigned int i;

	for (i = 0; i < OBJECTS; i++) {
		if (tm->objects[i] == object)
			return 'A' + i;
	}
	return '?';
}

static int describe_prot(char *text, size_t size, vm_prot_t prot)
{
	return scnprintf(text, size, "%s%s%s%s", prot & R ? "r" : "", prot & W ? "w" : "",
			 prot & X ? "x" : "", prot ? "" : "-");
}

static const char *describe(struct test_map *tm, struct vm_map *map)
{
	static const char *const inherit[] = { "s", "", "n", "z" };
	size_t size = sizeof(tm->text);
	struct vm_map_entry *entry;
	char *text = tm->text;
	int n = 0;

	text[0] = '\0';
	VM_MAP_ENTRY_FOREACH(entry, map) {
		n += scnprintf(text + n, size - n, "%s%llu-%llu:", n ? " " : "",
			       page_of(entry->start), page_of(entry->end));
		if (entry->eflags & MAP_ENTRY_GUARD)
			n += scnprintf(text + n, size - n, "g");
		else
			n += describe_prot(text + n, size - n, entry->protection);
		if (entry->max_protection != ALL && !(entry->eflags & MAP_ENTRY_GUARD)) {
			n += scnprintf(text + n, size - n, "^");
			n += describe_prot(text + n, size - n, entry->max_protection);
		}
		n += scnprintf(text + n, size - n, "%s%s%s%s%s%s", inherit[entry->inheritance],
			       entry->eflags & MAP_ENTRY_COW ? "c" : "",
			       entry->eflags & MAP_ENTRY_NEEDS_COPY ? "+" : "",
			       entry->eflags & MAP_ENTRY_NOSYNC ? "N" : "",
			       entry->eflags & MAP_ENTRY_NOCOREDUMP ? "C" : "",
			       entry->wired_count ? "W" : "");
		if (entry->object)
			n += scnprintf(text + n, size - n, "/%c+%llu",
				       object_name(tm, entry->object), OFF_TO_IDX(entry->offset));
	}
	return text;
}

/* Each entry must hold one reference to its object, and each shadow. */
static void test_expect_references(struct kunit *test, struct test_map *tm)
{
	unsigned int i, refs, nentries = 0;
	struct vm_map_entry *entry;
	vm_size_t size = 0;

	for (i = 0; i < OBJECTS; i++) {
		refs = 1 + tm->objects[i]->shadow_count;
		VM_MAP_ENTRY_FOREACH(entry, &tm->map)
			refs += entry->object == tm->objects[i];
		KUNIT_EXPECT_EQ_MSG(test, refcount_read(&tm->objects[i]->ref_count), refs,
				    "object %c", 'A' + i);
	}
	VM_MAP_ENTRY_FOREACH(entry, &tm->map) {
		nentries++;
		if (!(entry->eflags & MAP_ENTRY_GUARD))
			size += entry->end - entry->start;
	}
	KUNIT_EXPECT_EQ(test, tm->map.nentries, (unsigned long)nentries);
	KUNIT_EXPECT_EQ(test, tm->map.size, size);
	vm_map_lock_read(&tm->map);
	vm_map_assert_consistent(&tm->map);
	vm_map_unlock_read(&tm->map);
}

/* --- operations, as the tables give them */

enum op { END, INSERT, FIXED, EXCL, PROTECT, MAXPROT, INHERIT, REMOVE, WIRE };

/**
 * struct map_op - an operation
 * @op: which
 * @start: first page
 * @end: page behind the last
 * @arg: protection, or inheritance
 * @object: 'A' to 'C', or 0
 * @offset: first page of the object
 * @cow: MAP_* of an insertion
 * @max: maximum protection of an insertion, 0 for rwx
 * @rv: what it must answer
 */
struct map_op {
	enum op op;
	u64 start;
	u64 end;
	int arg;
	char object;
	u64 offset;
	int cow;
	vm_prot_t max;
	int rv;
};

static int do_insert(struct test_map *tm, const struct map_op *op, struct list_head *deferred)
{
	struct vm_object *object = op->object ? tm->objects[op->object - 'A'] : NULL;
	vm_prot_t max = op->max ?: ALL;
	struct vm_map *map = &tm->map;
	int rv;

	vm_object_reference(object);
	if (op->op == INSERT) {
		vm_map_lock(map);
		rv = vm_map_insert(map, object, IDX_TO_OFF(op->offset), va(op->start),
				   va(op->end), op->arg, max, op->cow);
		vm_map_unlock(map);
	} else {
		rv = vm_map_fixed(map, object, IDX_TO_OFF(op->offset), va(op->start),
				  ptoa(op->end - op->start), op->arg, max, op->cow,
				  op->op == EXCL, deferred);
	}
	if (rv != KERN_SUCCESS)
		vm_object_deallocate(object);
	return rv;
}

static int do_op(struct test_map *tm, const struct map_op *op)
{
	struct vm_map *map = &tm->map;
	LIST_HEAD(deferred);
	int rv;

	switch (op->op) {
	case PROTECT:
		rv = vm_map_protect(map, va(op->start), va(op->end), op->arg, 0,
				    VM_MAP_PROTECT_SET_PROT);
		break;
	case MAXPROT:
		rv = vm_map_protect(map, va(op->start), va(op->end), 0, op->arg,
				    VM_MAP_PROTECT_SET_MAXPROT);
		break;
	case INHERIT:
		rv = vm_map_inherit(map, va(op->start), va(op->end), op->arg);
		break;
	case REMOVE:
		rv = vm_map_remove(map, va(op->start), va(op->end), &deferred);
		break;
	case WIRE:
		rv = vm_map_wire(map, va(op->start), va(op->end), VM_MAP_WIRE_NOHOLES,
				 vm_fault_wire);
		break;
	default:
		rv = do_insert(tm, op, &deferred);
		break;
	}
	vm_map_process_deferred(&deferred);
	return rv;
}

struct map_case {
	const char *name;
	struct map_op ops[8];
	const char *want;
};

static void map_run_case(struct kunit *test)
{
	const struct map_case *c = test->param_value;
	struct test_map *tm = test_map(test);
	const struct map_op *op;

	for (op = c->ops; op->op != END; op++) {
		KUNIT_EXPECT_EQ_MSG(test, op->rv, do_op(tm, op), "operation %d",
				    (int)(op - c->ops));
		test_expect_references(test, tm);
	}
	KUNIT_EXPECT_STREQ(test, describe(tm, &tm->map), c->want);
	test_empty(&tm->map);
	KUNIT_EXPECT_STREQ(test, describe(tm, &tm->map), "");
	test_expect_references(test, tm);
}

/* --- clipping: the range of the operation against the entries */

#define ENTRY	{ INSERT, 10, 20, RW, 'A', 5 }
#define NEXT	{ INSERT, 20, 30, R, 'B', 0 }
#define APART	{ INSERT, 24, 30, R, 'B', 0 }

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
	map_run_case(test);
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
	map_run_case(test);
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

	KUNIT_EXPECT_EQ(test, KERN_SUCCESS, do_op(tm, &first));
	KUNIT_ASSERT_EQ(test, KERN_SUCCESS,
			vm_map_lookup(&tm->map, va(15), W, &entry, &object, &pindex, &prot));
	vm_map_unlock_read(&tm->map);
	KUNIT_EXPECT_EQ(test, KERN_SUCCESS, do_op(tm, &behind));
	KUNIT_EXPECT_STREQ(test, describe(tm, &tm->map), "10-30:rw/?+0");
	KUNIT_EXPECT_EQ(test, object->size, 20ULL);

	/* Not when somebody else may look behind the entry. */
	vm_object_reference(object);
	KUNIT_EXPECT_EQ(test, KERN_SUCCESS, do_op(tm, &shared));
	KUNIT_EXPECT_STREQ(test, describe(tm, &tm->map), "10-30:rw/?+0 30-40:rw");
	KUNIT_EXPECT_EQ(test, object->size, 20ULL);
	vm_object_deallocate(object);
	entry = vm_map_entry_first(&tm->map);
	KUNIT_EXPECT_PTR_EQ(test, entry->object, object);
}

/* Unmapping frees the pages that nothing else can reach. */
static void map_remove_frees_pages(struct kunit *test)
{
	const struct map_op middle = { REMOVE, 14, 17 };
	struct vm_object *object = vm_object_allocate_anon(10);
	struct test_map *tm = test_map(test);
	unsigned long free = test_free_count();
	struct vm_page *m;
	unsigned int i;

	KUNIT_ASSERT_NOT_NULL(test, object);
	for (i = 0; i < 10; i++) {
		m = vm_page_alloc_noobj(VM_ALLOC_NORMAL);
		KUNIT_ASSERT_NOT_NULL(test, m);
		VM_OBJECT_WLOCK(object);
		KUNIT_EXPECT_EQ(test, 0, vm_page_insert(m, object, i));
		VM_OBJECT_WUNLOCK(object);
	}
	vm_map_lock(&tm->map);
	KUNIT_EXPECT_EQ(test, KERN_SUCCESS, vm_map_insert(&tm->map, object, 0, va(10), va(20),
							  RW, ALL, 0));
	vm_map_unlock(&tm->map);
	KUNIT_EXPECT_EQ(test, KERN_SUCCESS, do_op(tm, &middle));
	KUNIT_EXPECT_EQ(test, test_free_count(), free - 7);
	KUNIT_EXPECT_EQ(test, object->resident_page_count, 7UL);
	test_empty(&tm->map);
	KUNIT_EXPECT_EQ(test, test_free_count(), free);
}

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
		KUNIT_ASSERT_EQ(test, KERN_SUCCESS, do_op(tm, op));
	vm_map_lock_read(&tm->map);
	rv = vm_map_findspace(&tm->map, va(c->start), ptoa(c->length), ptoa(c->align),
			      va(c->max), &addr);
	vm_map_unlock_read(&tm->map);
	KUNIT_EXPECT_EQ(test, rv, c->rv);
	if (rv == KERN_SUCCESS)
		KUNIT_EXPECT_EQ(test, page_of(addr), c->place);
}

KUNIT_ARRAY_PARAM_DESC(space, space_cases, name);

static void map_findspace_in_empty_map(struct kunit *test)
{
	struct test_map *tm = test_map(test);
	vm_offset_t addr;

	vm_map_lock_read(&tm->map);
	KUNIT_EXPECT_EQ(test, KERN_SUCCESS,
			vm_map_findspace(&tm->map, va(0), ptoa(MAP_PAGES), VM_PAGE_SIZE,
					 va(MAP_PAGES), &addr));
	KUNIT_EXPECT_EQ(test, addr, va(0));
	KUNIT_EXPECT_EQ(test, KERN_NO_SPACE,
			vm_map_findspace(&tm->map, va(1), ptoa(MAP_PAGES), VM_PAGE_SIZE,
					 va(MAP_PAGES), &addr));
	vm_map_unlock_read(&tm->map);
}

/* vm_map_find() begins again at the start of the map. */
static void map_find_wraps_around(struct kunit *test)
{
	struct test_map *tm = test_map(test);
	const struct map_op *op;
	vm_offset_t addr;

	for (op = space_ops; op->op != END; op++)
		KUNIT_ASSERT_EQ(test, KERN_SUCCESS, do_op(tm, op));
	addr = va(65);
	KUNIT_EXPECT_EQ(test, KERN_SUCCESS,
			vm_map_find(&tm->map, NULL, 0, &addr, ptoa(10), VM_PAGE_SIZE,
				    va(MAP_PAGES), X, ALL, 0));
	KUNIT_EXPECT_EQ(test, page_of(addr), 0ULL);
	addr = va(65);
	KUNIT_EXPECT_EQ(test, KERN_SUCCESS,
			vm_map_find(&tm->map, NULL, 0, &addr, ptoa(10), VM_PAGE_SIZE,
				    va(MAP_PAGES), X, ALL, 0));
	KUNIT_EXPECT_EQ(test, page_of(addr), 40ULL);
	addr = va(65);
	KUNIT_EXPECT_EQ(test, KERN_NO_SPACE,
			vm_map_find(&tm->map, NULL, 0, &addr, ptoa(11), VM_PAGE_SIZE,
				    va(MAP_PAGES), X, ALL, 0));
	KUNIT_EXPECT_EQ_MSG(test, addr, va(65), "the hint is as it was");
	KUNIT_EXPECT_STREQ(test, describe(tm, &tm->map),
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
		KUNIT_ASSERT_EQ(test, KERN_SUCCESS, do_op(tm, op));
	strscpy(before, describe(tm, &tm->map), sizeof(before));

	for (nth = 1; nth < 20; nth++) {
		test_fail_from(nth);
		rv = do_op(tm, op);
		failed = test_fail_done();
		if (!failed)
			break;
		KUNIT_EXPECT_EQ_MSG(test, rv, KERN_RESOURCE_SHORTAGE, "allocation %u", nth);
		KUNIT_EXPECT_STREQ(test, describe(tm, &tm->map), before);
		test_expect_references(test, tm);
	}
	KUNIT_EXPECT_EQ(test, rv, KERN_SUCCESS);
	KUNIT_EXPECT_GT_MSG(test, nth, 1U, "an allocation did fail");
	KUNIT_EXPECT_LE(test, nth, 4U);
	KUNIT_EXPECT_STRNEQ(test, describe(tm, &tm->map), before);
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

	KUNIT_EXPECT_EQ(test, rv, vm_map_lookup(&tm->map, va(page) + 5, type, &entry, &found, &at,
						&out));
	if (rv == KERN_SUCCESS) {
		KUNIT_ASSERT_NOT_NULL(test, entry);
		KUNIT_EXPECT_LE(test, entry->start, va(page));
		KUNIT_EXPECT_GT(test, entry->end, va(page));
		KUNIT_EXPECT_PTR_EQ(test, entry->object, found);
		KUNIT_EXPECT_EQ(test, object_name(tm, found), object);
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
		KUNIT_ASSERT_EQ(test, KERN_SUCCESS, do_op(tm, op));

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
	KUNIT_EXPECT_STREQ(test, describe(tm, &tm->map), after);
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
		KUNIT_ASSERT_EQ(test, KERN_SUCCESS, do_op(tm, op));
	for (page = 15; page <= 25; page += 10) {
		test_fail_from(1);
		KUNIT_EXPECT_EQ(test, KERN_RESOURCE_SHORTAGE,
				vm_map_lookup(&tm->map, va(page), W, &entry, &object, &pindex,
					      &prot));
		KUNIT_EXPECT_TRUE(test, test_fail_done());
		KUNIT_ASSERT_TRUE(test, down_write_trylock(&tm->map.lock));
		up_write(&tm->map.lock);
	}
	KUNIT_EXPECT_STREQ(test, describe(tm, &tm->map), "10-20:rwc+/B+0 20-30:rw");
	test_expect_references(test, tm);
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
	vm_map_init(child, NULL, va(0), va(MAP_PAGES));
	for (op = c->ops; op->op != END; op++)
		KUNIT_ASSERT_EQ(test, KERN_SUCCESS, do_op(tm, op));
	KUNIT_EXPECT_EQ(test, KERN_SUCCESS, vm_map_fork(&tm->map, child));
	KUNIT_EXPECT_STREQ(test, describe(tm, &tm->map), c->parent);
	KUNIT_EXPECT_STREQ(test, describe(tm, child), c->child);
	test_empty(child);
	test_expect_references(test, tm);
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
			KUNIT_ASSERT_EQ(test, KERN_SUCCESS, do_op(tm, op));
		vm_map_init(child, NULL, va(0), va(MAP_PAGES));
		test_fail_from(nth);
		rv = vm_map_fork(&tm->map, child);
		if (test_fail_done()) {
			KUNIT_EXPECT_EQ(test, rv, KERN_RESOURCE_SHORTAGE);
			failures++;
		} else {
			KUNIT_EXPECT_EQ(test, rv, KERN_SUCCESS);
			nth = 20;
		}
		test_empty(child);
		test_expect_references(test, tm);
	}
	KUNIT_EXPECT_EQ_MSG(test, failures, 6U, "four entries, an object, a shadow");
}

/* --- against a model */

#define MODEL_STEPS	100000

struct model_page {
	bool mapped;
	u8 prot;
	u8 max;
	u8 inherit;
	u32 eflags;
	char object;
	u64 offset;
};

struct model {
	struct model_page pages[MAP_PAGES];
	unsigned int successes;
};

static bool model_free(struct model *model, u64 start, u64 end)
{
	for (; start < end; start++) {
		if (model->pages[start].mapped)
			return false;
	}
	return true;
}

static void model_map(struct model *model, const struct map_op *op)
{
	struct model_page *p;
	u64 page;

	for (page = op->start; page < op->end; page++) {
		p = &model->pages[page];
		memset(p, 0, sizeof(*p));
		p->mapped = true;
		p->prot = op->arg;
		p->max = op->max ?: ALL;
		p->inherit = op->cow & MAP_INHERIT_SHARE ? VM_INHERIT_SHARE : VM_INHERIT_COPY;
		if (op->cow & MAP_CREATE_GUARD)
			p->eflags |= MAP_ENTRY_GUARD;
		if (op->cow & MAP_DISABLE_COREDUMP)
			p->eflags |= MAP_ENTRY_NOCOREDUMP;
		p->object = op->object;
		p->offset = op->object ? op->offset + (page - op->start) : 0;
		if (!p->object && (p->prot & W))
			p->eflags |= MAP_ENTRY_CHARGED;
	}
}

/* What the operation must answer; done in the model when that is a success. */
static int model_op(struct model *model, const struct map_op *op)
{
	struct model_page *p;
	u64 page;

	switch (op->op) {
	case INSERT:
	case EXCL:
	case FIXED:
		if (op->end > MAP_PAGES || op->start >= op->end)
			return KERN_INVALID_ADDRESS;
		if (op->arg & ~(op->max ?: ALL))
			return KERN_INVALID_ARGUMENT;
		if (op->op != FIXED && !model_free(model, op->start, op->end))
			return KERN_NO_SPACE;
		model_map(model, op);
		break;
	case REMOVE:
		for (page = op->start; page < op->end; page++)
			model->pages[page].mapped = false;
		break;
	case PROTECT:
	case MAXPROT:
		for (page = op->start; page < op->end; page++) {
			p = &model->pages[page];
			if (p->mapped && !(p->eflags & MAP_ENTRY_GUARD) && (op->arg & ~p->max))
				return KERN_PROTECTION_FAILURE;
		}
		for (page = op->start; page < op->end; page++) {
			p = &model->pages[page];
			if (p->eflags & MAP_ENTRY_GUARD)
				continue;
			if (op->op == PROTECT)
				p->prot = op->arg;
			else
				p->max = op->arg;
			p->prot &= p->max;
			/* Once paid for, always paid for. */
			if (op->op == PROTECT && p->mapped && !p->object && (p->prot & W))
				p->eflags |= MAP_ENTRY_CHARGED;
		}
		break;
	case INHERIT:
		if (op->arg > VM_INHERIT_ZERO)
			return KERN_INVALID_ARGUMENT;
		for (page = op->start; page < op->end; page++) {
			p = &model->pages[page];
			if (!(p->eflags & MAP_ENTRY_GUARD) || op->arg != VM_INHERIT_ZERO)
				p->inherit = op->arg;
		}
		break;
	default:
		break;
	}
	return KERN_SUCCESS;
}

static bool model_same_entry(const struct model_page *a, const struct model_page *b)
{
	return a->mapped && b->mapped && a->prot == b->prot && a->max == b->max &&
	       a->inherit == b->inherit && a->eflags == b->eflags && a->object == b->object &&
	       (!a->object || a->offset + 1 == b->offset);
}

static void model_check_entry(struct kunit *test, struct test_map *tm, struct model *model,
			      struct vm_map_entry *entry, unsigned int step)
{
	const struct model_page *p;
	u64 page;

	for (page = page_of(entry->start); page < page_of(entry->end); page++) {
		p = &model->pages[page];
		if (p->mapped && p->prot == entry->protection && p->max == entry->max_protection &&
		    p->inherit == entry->inheritance && p->eflags == entry->eflags &&
		    p->object == (entry->object ? object_name(tm, entry->object) : 0) &&
		    (!p->object || ptoa(p->offset) == entry->offset + va(page) - entry->start))
			continue;
		KUNIT_FAIL_AND_ABORT(test, "step %u, page %llu: %u^%u inherit %u %c+%llu, not %s",
				     step, page, p->prot, p->max, p->inherit, p->object ?: '-',
				     p->offset, describe(tm, &tm->map));
	}
}

/* Every page as the model has it, in as few entries as can be. */
static void model_check(struct kunit *test, struct test_map *tm, struct model *model,
			unsigned int step)
{
	unsigned long entries = 0, mapped = 0, found = 0;
	struct vm_map_entry *entry;
	unsigned int page;

	for (page = 0; page < MAP_PAGES; page++) {
		if (!model->pages[page].mapped)
			continue;
		mapped++;
		if (!page || !model_same_entry(&model->pages[page - 1], &model->pages[page]))
			entries++;
	}
	VM_MAP_ENTRY_FOREACH(entry, &tm->map) {
		model_check_entry(test, tm, model, entry, step);
		found += atop(entry->end - entry->start);
	}
	KUNIT_ASSERT_EQ_MSG(test, found, mapped, "step %u", step);
	KUNIT_ASSERT_EQ_MSG(test, tm->map.nentries, entries, "step %u: %s", step,
			    describe(tm, &tm->map));
}

static u64 model_findspace(struct model *model, u64 start, u64 length, u64 align, u64 max)
{
	u64 page;

	for (page = round_up(start, align); page + length <= min_t(u64, max, MAP_PAGES);
	     page += align) {
		if (model_free(model, page, page + length))
			return page;
	}
	return MAP_PAGES;
}

/* First fit at or behind a hint, then anywhere. */
static void model_find(struct kunit *test, struct test_map *tm, struct model *model,
		       struct map_op *op, struct rnd_state *rnd, unsigned int step)
{
	struct vm_object *object = op->object ? tm->objects[op->object - 'A'] : NULL;
	u64 length = op->end - op->start, align = 1ULL << test_random(rnd, 4), place;
	u64 max = test_random(rnd, 4) ? MAP_PAGES : test_random(rnd, MAP_PAGES);
	vm_offset_t addr = va(op->start);
	int rv, want = KERN_SUCCESS;

	place = model_findspace(model, op->start, length, align, max);
	if (place == MAP_PAGES)
		place = model_findspace(model, 0, length, align, max);
	if (place == MAP_PAGES)
		want = KERN_NO_SPACE;
	else if (op->arg & ~(op->max ?: ALL))
		want = KERN_INVALID_ARGUMENT;

	vm_object_reference(object);
	rv = vm_map_find(&tm->map, object, IDX_TO_OFF(op->offset), &addr, ptoa(length),
			 ptoa(align), va(max), op->arg, op->max ?: ALL, op->cow);
	KUNIT_ASSERT_EQ_MSG(test, rv, want, "step %u: %llu pages, %s", step, length,
			    describe(tm, &tm->map));
	if (rv != KERN_SUCCESS) {
		vm_object_deallocate(object);
		return;
	}
	KUNIT_ASSERT_EQ_MSG(test, page_of(addr), place, "step %u: %llu pages", step, length);
	op->start = place;
	op->end = place + length;
	model_map(model, op);
	model->successes++;
}

static void model_lookup(struct kunit *test, struct test_map *tm, struct model *model,
			 u64 page, unsigned int step)
{
	struct vm_map_entry *entry, *ge;
	u64 next = page;
	bool found;

	vm_map_lock_read(&tm->map);
	found = vm_map_lookup_entry(&tm->map, va(page) + 77, &entry);
	ge = vm_map_lookup_entry_ge(&tm->map, va(page) + 77);
	vm_map_unlock_read(&tm->map);
	KUNIT_ASSERT_EQ_MSG(test, found, model->pages[page].mapped, "step %u", step);
	if (found) {
		KUNIT_ASSERT_TRUE(test, entry->start <= va(page) && entry->end > va(page));
		KUNIT_ASSERT_PTR_EQ(test, ge, entry);
		return;
	}
	while (next < MAP_PAGES && !model->pages[next].mapped)
		next++;
	while (page && !model->pages[page - 1].mapped)
		page--;
	if (page)
		KUNIT_ASSERT_TRUE(test, entry && entry->end == va(page));
	else
		KUNIT_ASSERT_NULL(test, entry);
	if (next < MAP_PAGES)
		KUNIT_ASSERT_TRUE(test, ge && ge->start == va(next));
	else
		KUNIT_ASSERT_NULL(test, ge);
}

static void model_random_op(struct map_op *op, struct rnd_state *rnd)
{
	static const vm_prot_t prots[] = { 0, R, RW, R | X };

	memset(op, 0, sizeof(*op));
	/* Short ranges mostly, at few places, so that entries meet again. */
	op->start = test_random(rnd, MAP_PAGES);
	op->end = op->start + 1 + test_random(rnd, test_random(rnd, 4) ? 8 : 40);
	op->op = INSERT + test_random(rnd, REMOVE - INSERT + 1);
	if (op->op == INHERIT) {
		op->arg = test_random(rnd, 5);
	} else {
		op->arg = prots[test_random(rnd, ARRAY_SIZE(prots))];
		if (!test_random(rnd, 6))
			op->max = test_random(rnd, 2) ? RW : R;
	}
	/* Maxima that only shrink would soon leave nothing to protect. */
	if (op->op == MAXPROT && op->arg != R && op->arg != RW)
		op->op = REMOVE;
	if (op->op == REMOVE || op->op == PROTECT || op->op == MAXPROT || op->op == INHERIT) {
		op->end = min_t(u64, op->end, MAP_PAGES);
		return;
	}
	switch (test_random(rnd, 8)) {
	case 0:
		op->cow = MAP_CREATE_GUARD;
		op->arg = 0;
		break;
	case 1:
		op->cow = MAP_INHERIT_SHARE;
		break;
	case 2:
		op->cow = MAP_DISABLE_COREDUMP;
		break;
	case 3:
	case 4:
		/* One object at the same place in map and object: it can merge. */
		op->object = 'A';
		op->offset = op->start;
		break;
	case 5:
		op->object = 'A' + test_random(rnd, OBJECTS);
		op->offset = test_random(rnd, 100);
		break;
	}
}

static void map_random_against_model(struct kunit *test)
{
	struct test_map *tm = test_map(test);
	struct rnd_state rnd;
	struct model *model;
	unsigned int step;
	struct map_op op;
	int rv;

	test_seed(test, &rnd, 70);
	model = kunit_kzalloc(test, sizeof(*model), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, model);
	for (step = 0; step < MODEL_STEPS; step++) {
		model_random_op(&op, &rnd);
		switch (test_random(&rnd, 8)) {
		case 0:
			model_lookup(test, tm, model, op.start, step);
			continue;
		case 1:
			if (op.op > EXCL)
				break;
			model_find(test, tm, model, &op, &rnd, step);
			break;
		default:
			rv = model_op(model, &op);
			KUNIT_ASSERT_EQ_MSG(test, do_op(tm, &op), rv, "step %u", step);
			model->successes += rv == KERN_SUCCESS;
			break;
		}
		/* An error shows soon enough, and a later check costs less. */
		if (step % 8 == 0)
			model_check(test, tm, model, step);
	}
	model_check(test, tm, model, step);
	test_expect_references(test, tm);
	KUNIT_EXPECT_GT_MSG(test, model->successes, MODEL_STEPS / 3, "most did something");
}

static struct kunit_case vm_map_cases[] = {
	KUNIT_CASE_PARAM(map_clip, clip_gen_params),
	KUNIT_CASE_PARAM(map_merge, merge_gen_params),
	KUNIT_CASE(map_insert_extends_object),
	KUNIT_CASE(map_remove_frees_pages),
	KUNIT_CASE_PARAM(map_findspace, space_gen_params),
	KUNIT_CASE(map_findspace_in_empty_map),
	KUNIT_CASE(map_find_wraps_around),
	KUNIT_CASE_PARAM(map_failure_changes_nothing, fail_gen_params),
	KUNIT_CASE(map_lookup),
	KUNIT_CASE(map_lookup_without_memory),
	KUNIT_CASE_PARAM(map_fork, fork_gen_params),
	KUNIT_CASE(map_fork_without_memory),
	KUNIT_CASE(map_random_against_model),
	{}
};

static struct kunit_suite vm_map_suite = {
	.name = "bsdvm_vm_map",
	.init = test_pages_init,
	.test_cases = vm_map_cases,
};

kunit_test_suite(vm_map_suite);
