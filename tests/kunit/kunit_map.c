// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * The map of tests whose objects have names, and what is done to it by tables.
 */
#include "vm_map_table_kunit.h"

static void test_map_fini(void *arg)
{
	struct test_map *tm = arg;
	unsigned int i;

	test_map_unmap_all(&tm->map);
	for (i = 0; i < OBJECTS; i++)
		vm_object_deallocate(tm->objects[i]);
}

struct test_map *test_map(struct kunit *test)
{
	struct test_map *tm = kunit_kzalloc(test, sizeof(*tm), GFP_KERNEL);
	unsigned int i;

	KUNIT_ASSERT_NOT_NULL(test, tm);
	vm_map_init(&tm->map, NULL, test_va(0), test_va(MAP_PAGES));
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

char test_map_object_name(struct test_map *tm, const struct vm_object *object)
{
	unsigned int i;

	for (i = 0; i < OBJECTS; i++) {
		if (tm->objects[i] == object)
			return 'A' + i;
	}
	return '?';
}

const char *test_map_describe(struct test_map *tm, struct vm_map *map)
{
	static const char *const inherit[] = { "s", "", "n", "z" };
	size_t size = sizeof(tm->text);
	struct vm_map_entry *entry;
	char *text = tm->text;
	int n = 0;

	text[0] = '\0';
	VM_MAP_ENTRY_FOREACH(entry, map) {
		n += scnprintf(text + n, size - n, "%s%llu-%llu:", n ? " " : "",
			       test_page_of(entry->start), test_page_of(entry->end));
		if (entry->eflags & MAP_ENTRY_GUARD)
			n += scnprintf(text + n, size - n, "g");
		else
			n += test_describe_prot(text + n, size - n, entry->protection);
		if (entry->max_protection != ALL && !(entry->eflags & MAP_ENTRY_GUARD)) {
			n += scnprintf(text + n, size - n, "^");
			n += test_describe_prot(text + n, size - n, entry->max_protection);
		}
		n += scnprintf(text + n, size - n, "%s%s%s%s%s%s", inherit[entry->inheritance],
			       entry->eflags & MAP_ENTRY_COW ? "c" : "",
			       entry->eflags & MAP_ENTRY_NEEDS_COPY ? "+" : "",
			       entry->eflags & MAP_ENTRY_NOSYNC ? "N" : "",
			       entry->eflags & MAP_ENTRY_NOCOREDUMP ? "C" : "",
			       entry->wired_count ? "W" : "");
		if (entry->object)
			n += scnprintf(text + n, size - n, "/%c+%llu",
				       test_map_object_name(tm, entry->object),
				       OFF_TO_IDX(entry->offset));
	}
	return text;
}

void test_map_expect_references(struct kunit *test, struct test_map *tm)
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

static int do_insert(struct test_map *tm, const struct map_op *op, struct list_head *deferred)
{
	struct vm_object *object = op->object ? tm->objects[op->object - 'A'] : NULL;
	vm_prot_t max = op->max ?: ALL;
	struct vm_map *map = &tm->map;
	int rv;

	vm_object_reference(object);
	if (op->op == INSERT) {
		vm_map_lock(map);
		rv = vm_map_insert(map, object, IDX_TO_OFF(op->offset), test_va(op->start),
				   test_va(op->end), op->arg, max, op->cow);
		vm_map_unlock(map);
	} else {
		rv = vm_map_fixed(map, object, IDX_TO_OFF(op->offset), test_va(op->start),
				  ptoa(op->end - op->start), op->arg, max, op->cow,
				  op->op == EXCL, deferred);
	}
	if (rv != KERN_SUCCESS)
		vm_object_deallocate(object);
	return rv;
}

int test_map_op(struct test_map *tm, const struct map_op *op)
{
	struct vm_map *map = &tm->map;
	LIST_HEAD(deferred);
	int rv;

	switch (op->op) {
	case PROTECT:
		rv = vm_map_protect(map, test_va(op->start), test_va(op->end), op->arg, 0,
				    VM_MAP_PROTECT_SET_PROT);
		break;
	case MAXPROT:
		rv = vm_map_protect(map, test_va(op->start), test_va(op->end), 0, op->arg,
				    VM_MAP_PROTECT_SET_MAXPROT);
		break;
	case INHERIT:
		rv = vm_map_inherit(map, test_va(op->start), test_va(op->end), op->arg);
		break;
	case REMOVE:
		rv = vm_map_remove(map, test_va(op->start), test_va(op->end), &deferred);
		break;
	case WIRE:
		rv = vm_map_wire(map, test_va(op->start), test_va(op->end), VM_MAP_WIRE_NOHOLES,
				 vm_fault_wire);
		break;
	default:
		rv = do_insert(tm, op, &deferred);
		break;
	}
	vm_map_process_deferred(&deferred);
	return rv;
}

void test_map_run_case(struct kunit *test)
{
	const struct map_case *c = test->param_value;
	struct test_map *tm = test_map(test);
	const struct map_op *op;

	for (op = c->ops; op->op != END; op++) {
		KUNIT_EXPECT_EQ_MSG(test, op->rv, test_map_op(tm, op), "operation %d",
				    (int)(op - c->ops));
		test_map_expect_references(test, tm);
	}
	KUNIT_EXPECT_STREQ(test, test_map_describe(tm, &tm->map), c->want);
	test_map_unmap_all(&tm->map);
	KUNIT_EXPECT_STREQ(test, test_map_describe(tm, &tm->map), "");
	test_map_expect_references(test, tm);
}
