/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * What the tests of a map's memory share: a map, operations on it as tables give
 * them, what it says of itself, and its memory, one word a page.
 *
 * Maps here have no pmap. Addresses are pages from the start of the map. A map
 * describes itself by one word an entry:
 *
 *	4-9:rw		pages 4 to 8, no object, readable and writable
 *	4-9:rw/A+2	an object, from its page 2 on: A is the first one in the map
 *	4-9:g, G	a guard; the gap below a stack
 *	^		before the maximum protection, when it is not rwx
 *	s, n, z		inheritance SHARE, NONE, ZERO
 *	c, +		a private mapping; one that still needs a copy
 *	N, C, Q, M	NOSYNC, NOCORE, SEQUENTIAL, RANDOM
 *	W, T, I		wired, in transition, immutable
 *	D, $		a stack, charged
 */
#ifndef BSDVM_VM_MAP_KUNIT_H
#define BSDVM_VM_MAP_KUNIT_H

#include "vm_fault_kunit.h"

#include "vm/swap_reserve.h"

#define TEST_MAP_MIN	0x10000000ULL
#define TEST_MAP_PAGES	64

#define R	VM_PROT_READ
#define W	VM_PROT_WRITE
#define X	VM_PROT_EXECUTE
#define RW	(R | W)

#define SHARE	VM_INHERIT_SHARE
#define COPY	VM_INHERIT_COPY
#define NONE	VM_INHERIT_NONE
#define ZERO	VM_INHERIT_ZERO

/* What test_load() gives where it may not load: this and the KERN_*. */
#define NO_ACCESS	0xdead0000ULL

static inline vm_offset_t test_va(u64 page)
{
	return TEST_MAP_MIN + ptoa(page);
}

static inline u64 test_page_of(vm_offset_t address)
{
	return atop(address - TEST_MAP_MIN);
}

static inline void test_map_empty(void *arg)
{
	struct vm_map *map = arg;
	LIST_HEAD(deferred);

	vm_map_remove_all(map, &deferred);
	vm_map_process_deferred(&deferred);
}

/* A map that is emptied when the test ends. */
static inline struct vm_map *test_map_new(struct kunit *test)
{
	struct vm_map *map = kunit_kzalloc(test, sizeof(*map), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, map);
	vm_map_init(map, NULL, TEST_MAP_MIN, test_va(TEST_MAP_PAGES));
	KUNIT_ASSERT_EQ(test, 0, kunit_add_action_or_reset(test, test_map_empty, map));
	return map;
}

/* --- what a map says of itself */

static inline int test_describe_prot(char *text, size_t size, vm_prot_t prot)
{
	return scnprintf(text, size, "%s%s%s%s", prot & R ? "r" : "", prot & W ? "w" : "",
			 prot & X ? "x" : "", prot ? "" : "-");
}

static inline int test_describe_flags(char *text, size_t size, const struct vm_map_entry *entry)
{
	static const struct {
		u32 flag;
		char letter;
	} names[] = {
		{ MAP_ENTRY_COW, 'c' }, { MAP_ENTRY_NEEDS_COPY, '+' }, { MAP_ENTRY_NOSYNC, 'N' },
		{ MAP_ENTRY_NOCOREDUMP, 'C' }, { MAP_ENTRY_BEHAV_SEQ, 'Q' },
		{ MAP_ENTRY_BEHAV_RANDOM, 'M' }, { MAP_ENTRY_USER_WIRED, 'W' },
		{ MAP_ENTRY_IN_TRANSITION, 'T' }, { MAP_ENTRY_IMMUTABLE, 'I' },
		{ MAP_ENTRY_GROWS_DOWN, 'D' }, { MAP_ENTRY_CHARGED, '$' },
	};
	unsigned int i;
	int n = 0;

	for (i = 0; i < ARRAY_SIZE(names); i++)
		if (entry->eflags & names[i].flag)
			n += scnprintf(text + n, size - n, "%c", names[i].letter);
	return n;
}

/* The number of the entry's object among those of its map. */
static inline unsigned int test_object_number(struct vm_map *map, struct vm_map_entry *which)
{
	struct vm_map_entry *entry, *first;
	unsigned int n = 0;

	VM_MAP_ENTRY_FOREACH(entry, map) {
		if (!entry->object)
			continue;
		first = vm_map_entry_first(map);
		while (first->object != entry->object)
			first = vm_map_entry_succ(map, first);
		if (entry->object == which->object)
			break;
		n += first == entry;
	}
	return n;
}

static inline int test_describe_entry(char *text, size_t size, struct vm_map *map,
				      struct vm_map_entry *entry, bool objects)
{
	static const char *const inherit[] = { "s", "", "n", "z" };
	int n = scnprintf(text, size, "%llu-%llu:", test_page_of(entry->start),
			  test_page_of(entry->end));

	if (entry->eflags & MAP_ENTRY_GUARD) {
		n += scnprintf(text + n, size - n,
			       entry->eflags & MAP_ENTRY_STACK_GAP ? "G" : "g");
	} else {
		n += test_describe_prot(text + n, size - n, entry->protection);
		if (entry->max_protection != VM_PROT_ALL) {
			n += scnprintf(text + n, size - n, "^");
			n += test_describe_prot(text + n, size - n, entry->max_protection);
		}
	}
	n += scnprintf(text + n, size - n, "%s", inherit[entry->inheritance]);
	n += test_describe_flags(text + n, size - n, entry);
	if (entry->object && objects)
		n += scnprintf(text + n, size - n, "/%c+%llu",
			       'A' + test_object_number(map, entry), OFF_TO_IDX(entry->offset));
	return n;
}

#define TEST_TEXT_SIZE	1024

/* The description, in memory that goes with the test. */
static inline const char *test_describe(struct kunit *test, struct vm_map *map, bool objects)
{
	char *text = kunit_kzalloc(test, TEST_TEXT_SIZE, GFP_KERNEL);
	struct vm_map_entry *entry;
	int n = 0;

	KUNIT_ASSERT_NOT_NULL(test, text);
	vm_map_lock_read(map);
	VM_MAP_ENTRY_FOREACH(entry, map) {
		if (n)
			n += scnprintf(text + n, TEST_TEXT_SIZE - n, " ");
		n += test_describe_entry(text + n, TEST_TEXT_SIZE - n, map, entry, objects);
	}
	vm_map_assert_consistent(map);
	vm_map_unlock_read(map);
	return text;
}

#define TEST_EXPECT_MAP(_test, _map, _want)					\
	do {									\
		struct kunit *test_ = (_test);					\
										\
		KUNIT_EXPECT_STREQ(test_, test_describe(test_, _map, true), _want); \
	} while (0)

/* The same where the text is too long for a line. */
#define TEST_EXPECT_MAP2(_test, _map, _low, _high) \
	TEST_EXPECT_MAP(_test, _map, _low _high)

/* --- its memory */

/* Fault a page of the map in; *m, wired, unless it fails. */
static inline int test_fault(struct vm_map *map, u64 page, vm_prot_t type, struct vm_page **m)
{
	return test_fault_at(map, test_va(page), type, m);
}

static inline int test_store(struct vm_map *map, u64 page, u64 value)
{
	struct vm_page *m;
	int rv = test_fault(map, page, W, &m);

	if (rv == KERN_SUCCESS) {
		*(u64 *)pmap_quick_enter_page(m) = value;
		vm_page_dirty(m);
		vm_page_unwire(m, PQ_ACTIVE);
	}
	return rv;
}

static inline u64 test_load(struct vm_map *map, u64 page)
{
	struct vm_page *m;
	int rv = test_fault(map, page, R, &m);
	u64 value = NO_ACCESS + rv;

	if (rv == KERN_SUCCESS) {
		value = *(u64 *)pmap_quick_enter_page(m);
		vm_page_unwire(m, PQ_ACTIVE);
	}
	return value;
}

/* The page that a load finds; only its identity may be used. */
static inline struct vm_page *test_page(struct vm_map *map, u64 page)
{
	struct vm_page *m = NULL;

	if (test_fault(map, page, R, &m) == KERN_SUCCESS)
		vm_page_unwire(m, PQ_ACTIVE);
	return m;
}

/* Times that a page of the map is wired. */
static inline int test_wirings(struct vm_map *map, u64 page)
{
	struct vm_page *m = test_page(map, page);

	return m ? atomic_read(&m->wire_count) : -1;
}

/* --- operations, as the tables give them */

/**
 * struct test_op - an operation on a map
 * @op: one of TEST_*, TEST_END (zero) behind the last of a list
 * @start: first page
 * @end: page behind the last
 * @arg: protection, inheritance, advice, flags, or the first page's new content
 * @cow: MAP_* of an insertion
 * @to: of a move: where to, the first page
 * @size: of a move: pages it has then
 * @rv: what it must answer
 */
struct test_op {
	enum {
		TEST_END, TEST_MAP, TEST_FIXED, TEST_PROTECT, TEST_INHERIT, TEST_REMOVE,
		TEST_WIRE, TEST_UNWIRE, TEST_ADVISE, TEST_IMMUTABLE, TEST_MOVE, TEST_STORE,
		TEST_LOAD
	} op;
	u64 start;
	u64 end;
	int arg;
	int cow;
	u64 to;
	u64 size;
	int rv;
};

static inline int test_op_map(struct vm_map *map, const struct test_op *op,
			      struct list_head *deferred)
{
	int rv;

	if (op->op == TEST_FIXED)
		return vm_map_fixed(map, NULL, 0, test_va(op->start), ptoa(op->end - op->start),
				    op->arg, VM_PROT_ALL, op->cow, false, deferred);
	vm_map_lock(map);
	rv = vm_map_insert(map, NULL, 0, test_va(op->start), test_va(op->end), op->arg,
			   VM_PROT_ALL, op->cow);
	vm_map_unlock(map);
	return rv;
}

static inline int test_op_store(struct vm_map *map, const struct test_op *op)
{
	int rv = KERN_SUCCESS;
	u64 page;

	for (page = op->start; page < op->end && rv == KERN_SUCCESS; page++)
		rv = test_store(map, page, op->arg + (page - op->start));
	return rv;
}

/* A load must find what a store like it would leave. */
static inline int test_op_load(struct vm_map *map, const struct test_op *op)
{
	u64 page;

	for (page = op->start; page < op->end; page++)
		if (test_load(map, page) != op->arg + (page - op->start))
			return KERN_FAILURE;
	return KERN_SUCCESS;
}

static inline int test_op_move(struct vm_map *map, const struct test_op *op,
			       struct list_head *deferred)
{
	vm_offset_t addr = op->to ? test_va(op->to) : 0;

	return vm_map_move(map, test_va(op->start), ptoa(op->end - op->start), &addr,
			   ptoa(op->size), VM_PAGE_SIZE, op->arg, deferred);
}

static inline int test_op_list(struct vm_map *map, const struct test_op *op,
			       struct list_head *deferred)
{
	vm_offset_t start = test_va(op->start), end = test_va(op->end);

	switch (op->op) {
	case TEST_MAP:
	case TEST_FIXED:
		return test_op_map(map, op, deferred);
	case TEST_PROTECT:
		return vm_map_protect(map, start, end, op->arg, 0, VM_MAP_PROTECT_SET_PROT);
	case TEST_INHERIT:
		return vm_map_inherit(map, start, end, op->arg);
	case TEST_REMOVE:
		return vm_map_remove(map, start, end, deferred);
	case TEST_WIRE:
		return vm_map_wire(map, start, end, op->arg, vm_fault_wire);
	case TEST_UNWIRE:
		return vm_map_unwire(map, start, end, op->arg);
	case TEST_ADVISE:
		return vm_map_madvise(map, start, end, op->arg);
	case TEST_IMMUTABLE:
		return vm_map_immutable(map, start, end);
	case TEST_MOVE:
		return test_op_move(map, op, deferred);
	case TEST_STORE:
		return test_op_store(map, op);
	case TEST_LOAD:
		return test_op_load(map, op);
	default:
		return KERN_SUCCESS;
	}
}

static inline int test_op(struct vm_map *map, const struct test_op *op)
{
	LIST_HEAD(deferred);
	int rv = test_op_list(map, op, &deferred);

	vm_map_process_deferred(&deferred);
	return rv;
}

/* Each must answer what its @rv says. */
static inline void test_ops(struct kunit *test, struct vm_map *map, const struct test_op *ops)
{
	const struct test_op *op;

	for (op = ops; op->op != TEST_END; op++)
		KUNIT_EXPECT_EQ_MSG(test, op->rv, test_op(map, op), "operation %d: %s",
				    (int)(op - ops), test_describe(test, map, true));
}

#define TEST_OPS(test, map, ...) \
	do { \
		static const struct test_op ops[] = { __VA_ARGS__, { TEST_END } }; \
		test_ops(test, map, ops); \
	} while (0)

/* A child of @map, emptied when the test ends. */
static inline struct vm_map *test_fork(struct kunit *test, struct vm_map *map)
{
	struct vm_map *child = test_map_new(test);

	KUNIT_EXPECT_EQ(test, KERN_SUCCESS, vm_map_fork(map, child));
	return child;
}

/* --- tunables, for the length of a test */

struct test_tunable {
	void *where;
	unsigned long was;
	bool is_long;
};

static inline void test_tunable_set(struct test_tunable *tunable, unsigned long value)
{
	if (tunable->is_long)
		WRITE_ONCE(*(unsigned long *)tunable->where, value);
	else
		WRITE_ONCE(*(unsigned int *)tunable->where, value);
}

static inline void test_tunable_restore(void *arg)
{
	struct test_tunable *tunable = arg;

	test_tunable_set(tunable, tunable->was);
}

static inline void test_tune(struct kunit *test, void *where, unsigned long was, bool is_long,
			     unsigned long value)
{
	struct test_tunable *tunable = kunit_kzalloc(test, sizeof(*tunable), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, tunable);
	*tunable = (struct test_tunable){ where, was, is_long };
	KUNIT_ASSERT_EQ(test, 0, kunit_add_action_or_reset(test, test_tunable_restore, tunable));
	test_tunable_set(tunable, value);
}

static inline void test_tune_int(struct kunit *test, unsigned int *where, unsigned int value)
{
	test_tune(test, where, *where, false, value);
}

static inline void test_tune_long(struct kunit *test, unsigned long *where, unsigned long value)
{
	test_tune(test, where, *where, true, value);
}

static inline void test_swap_release(void *arg)
{
	swap_release((unsigned long)arg);
}

/* From now on no more than so many pages can be charged. */
static inline void test_swap_leave(struct kunit *test, unsigned long pages)
{
	u64 take;

	test_tune_int(test, &vm_overcommit, SWAP_RESERVE_FORCE_ON | SWAP_RESERVE_ALLOW_NONWIRED);
	take = swap_total() - swap_reserved() - ptoa(pages);
	KUNIT_ASSERT_TRUE(test, swap_reserve(take));
	KUNIT_ASSERT_EQ(test, 0, kunit_add_action_or_reset(test, test_swap_release,
							   (void *)(unsigned long)take));
}

#endif /* BSDVM_VM_MAP_KUNIT_H */
