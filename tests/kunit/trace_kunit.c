// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Tests of the tracepoints, for what no program can bring about at will; the others are
 * in tests/trace. A probe of our own sees how faults in a map without a pmap end.
 */
#include "vm_fault_kunit.h"
#include "vm_object_kunit.h"

#include "trace.h"

#define ADDRESS	0x10000000ULL

/**
 * struct test_seen - what the probe has seen of our faults
 * @count: how many ended
 * @result: of the last one
 * @note: what it told of itself
 */
struct test_seen {
	unsigned int count;
	int result;
	struct bsdvm_fault_trace note;
};

static void test_probe(void *data, vm_offset_t address, vm_prot_t access,
		       const struct bsdvm_fault_trace *note, int result, unsigned int wait)
{
	struct test_seen *seen = data;

	if (address != ADDRESS)
		return;
	seen->count++;
	seen->result = result;
	seen->note = *note;
}

/* An object with a page, behind a shadow that is the only one to refer to it. */
static struct vm_object *test_chain(struct kunit *test, u64 *backing)
{
	struct vm_object *object = test_object(test, 1);

	*backing = object->id;
	VM_OBJECT_WLOCK(object);
	KUNIT_EXPECT_FALSE(test, IS_ERR(vm_object_make_page(object, 0, NULL)));
	VM_OBJECT_WUNLOCK(object);
	return test_object_sole_shadow(test, object);
}

static int test_fault(struct vm_map *map, vm_prot_t type)
{
	struct vm_fault_wait fw = { .restarts = 0 };

	return vm_fault(map, ADDRESS, type, &fw, NULL);
}

static void takeover_is_told_from_a_copy(struct kunit *test)
{
	struct vm_map *map = kunit_kzalloc(test, sizeof(*map), GFP_KERNEL);
	struct test_seen seen = { .count = 0 };
	struct vm_object *shadow;
	u64 backing, id;

	KUNIT_ASSERT_NOT_NULL(test, map);
	shadow = test_chain(test, &backing);
	id = shadow->id;
	vm_map_init(map, NULL, ADDRESS, ADDRESS + VM_PAGE_SIZE);
	test_map_insert(test, map, shadow, ADDRESS, ADDRESS + VM_PAGE_SIZE, VM_PROT_ALL, 0);

	KUNIT_ASSERT_EQ(test, 0, register_trace_bsdvm_fault_end(test_probe, &seen));
	KUNIT_EXPECT_EQ(test, KERN_SUCCESS, test_fault(map, VM_PROT_READ));
	KUNIT_EXPECT_EQ(test, seen.count, 1);
	KUNIT_EXPECT_EQ(test, seen.note.how, 0);
	KUNIT_EXPECT_EQ(test, seen.note.depth, 1);

	KUNIT_EXPECT_EQ(test, KERN_SUCCESS, test_fault(map, VM_PROT_WRITE));
	KUNIT_EXPECT_EQ(test, seen.count, 2);
	KUNIT_EXPECT_EQ(test, seen.result, KERN_SUCCESS);
	KUNIT_EXPECT_EQ(test, seen.note.how, BSDVM_FAULT_TAKEOVER);
	KUNIT_EXPECT_EQ(test, seen.note.depth, 1);
	KUNIT_EXPECT_EQ(test, seen.note.object, id);
	KUNIT_EXPECT_EQ(test, seen.note.source, backing);
	KUNIT_EXPECT_EQ(test, seen.note.start, ADDRESS);
	KUNIT_EXPECT_EQ(test, seen.note.end, ADDRESS + VM_PAGE_SIZE);

	/* And now it is where it belongs. */
	KUNIT_EXPECT_EQ(test, KERN_SUCCESS, test_fault(map, VM_PROT_WRITE));
	KUNIT_EXPECT_EQ(test, seen.note.how, 0);
	KUNIT_EXPECT_EQ(test, seen.note.depth, 0);
	unregister_trace_bsdvm_fault_end(test_probe, &seen);
	tracepoint_synchronize_unregister();
	test_fault(map, VM_PROT_READ);
	KUNIT_EXPECT_EQ(test, seen.count, 3);

	test_map_remove(map, ADDRESS, ADDRESS + VM_PAGE_SIZE);
}

static struct kunit_case trace_cases[] = {
	KUNIT_CASE(takeover_is_told_from_a_copy),
	{}
};

static struct kunit_suite trace_suite = {
	.name = "bsdvm_trace",
	.init = test_pages_init,
	.test_cases = trace_cases,
};

kunit_test_suite(trace_suite);
