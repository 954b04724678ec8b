/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * What the tests of a map's entries share, in kunit_map.c: a map and three objects with
 * names, operations on it as tables give them, and its description, one word an entry:
 *
 *	4-9:rw		pages 4 to 8, no object, readable and writable
 *	4-9:rw/A+2	the same of object A, from its page 2 on
 *	4-9:g		a guard
 *	^		before the maximum protection, when it is not rwx
 *	s, n, z		behind the protection: inheritance SHARE, NONE, ZERO
 *	c, +		a private mapping; one that still needs a copy
 *	N, C		NOSYNC, NOCORE
 *	W		wired
 *
 * Maps here have no pmap. Addresses are pages from the start of the map, see test_va().
 */
#ifndef BSDVM_VM_MAP_TABLE_KUNIT_H
#define BSDVM_VM_MAP_TABLE_KUNIT_H

#include "vm_map_kunit.h"
#include "vm_object_kunit.h"

#define MAP_PAGES	96
#define OBJECTS		3
#define OBJECT_PAGES	1024

#define ALL	VM_PROT_ALL

/*
 * A map, and objects A, B and C: shared memory, to which the test itself has a
 * reference, and paid for.
 */
struct test_map {
	struct vm_map map;
	struct vm_object *objects[OBJECTS];
	char text[1024];
};

/* A map with nothing in it, which goes with the test. */
struct test_map *test_map(struct kunit *test);

/* Unmap all there is. */
static inline void test_map_unmap_all(struct vm_map *map)
{
	test_map_remove(map, map->min_offset, map->max_offset);
}

/* The name of an entry's object: A to C, or ? for one the map has made. */
char test_map_object_name(struct test_map *tm, const struct vm_object *object);

/* The description of @map, up to the next one of @tm, whose objects it may show. */
const char *test_map_describe(struct test_map *tm, struct vm_map *map);

/* Each entry must hold one reference to its object, and each shadow. */
void test_map_expect_references(struct kunit *test, struct test_map *tm);

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

/* Do it; what it answers. */
int test_map_op(struct test_map *tm, const struct map_op *op);

/**
 * struct map_case - a row of a table
 * @name: of the test
 * @ops: what is done
 * @want: the map's description after that
 */
struct map_case {
	const char *name;
	struct map_op ops[8];
	const char *want;
};

/* Do what the parameter of the test says, in a new map. */
void test_map_run_case(struct kunit *test);

/* Entries that many rows begin with: one, one behind it, one behind a gap. */
#define ENTRY	{ INSERT, 10, 20, RW, 'A', 5 }
#define NEXT	{ INSERT, 20, 30, R, 'B', 0 }
#define APART	{ INSERT, 24, 30, R, 'B', 0 }

#endif /* BSDVM_VM_MAP_TABLE_KUNIT_H */
