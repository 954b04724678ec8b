// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Tests of objects: references, pages, shadows, and growing in place.
 *
 * References are taken and given as map entries would; no page is mapped.
 */
#include "vm_object_kunit.h"

/* --- references and pages */

static void object_last_reference_frees_pages(struct kunit *test)
{
	unsigned long free = test_free_count();
	struct vm_object *object = test_object(test, OBJECT_SIZE);
	struct vm_page *ma[32];

	KUNIT_EXPECT_EQ(test, object->flags, OBJ_ANON | OBJ_ONEMAPPING);
	test_insert_all(test, object, 0xa5a5, ma);
	KUNIT_EXPECT_EQ(test, object->resident_page_count, 8UL);
	KUNIT_EXPECT_PTR_EQ(test, ma[0]->object, object);
	KUNIT_EXPECT_EQ(test, ma[15]->pindex, 15ULL);
	KUNIT_EXPECT_EQ(test, test_free_count(), free - 8);
	vm_object_reference(object);
	vm_object_deallocate(object);
	KUNIT_EXPECT_EQ(test, test_free_count(), free - 8);
	vm_object_deallocate(object);
	KUNIT_EXPECT_EQ(test, test_free_count(), free);
	vm_object_deallocate(NULL);
}

static void object_page_moves_whole(struct kunit *test)
{
	struct vm_object *from = test_object(test, OBJECT_SIZE);
	struct vm_object *to = test_object(test, OBJECT_SIZE);
	struct vm_page *m = test_insert(test, from, 3);

	VM_OBJECT_WLOCK(from);
	VM_OBJECT_WLOCK_NESTED(to, VM_OBJECT_BACKING);
	KUNIT_EXPECT_EQ(test, 0, vm_page_rename(m, to, 7));
	VM_OBJECT_WUNLOCK(to);
	VM_OBJECT_WUNLOCK(from);
	KUNIT_EXPECT_NULL(test, test_lookup(from, 3));
	KUNIT_EXPECT_PTR_EQ(test, test_lookup(to, 7), m);
	KUNIT_EXPECT_PTR_EQ(test, m->object, to);
	KUNIT_EXPECT_EQ(test, m->pindex, 7ULL);
	KUNIT_EXPECT_EQ(test, from->resident_page_count, 0UL);
	KUNIT_EXPECT_EQ(test, to->resident_page_count, 1UL);
	vm_object_deallocate(from);
	vm_object_deallocate(to);
}

static void object_page_leaves(struct kunit *test)
{
	struct vm_object *object = test_object(test, OBJECT_SIZE);
	struct vm_page *m = test_insert(test, object, 3);

	VM_OBJECT_WLOCK(object);
	vm_page_remove(m);
	KUNIT_EXPECT_NULL(test, m->object);
	KUNIT_EXPECT_NULL(test, vm_page_lookup(object, 3));
	KUNIT_EXPECT_EQ(test, object->resident_page_count, 0UL);
	KUNIT_EXPECT_EQ(test, 0, vm_page_insert(m, object, 4));
	KUNIT_EXPECT_PTR_EQ(test, vm_page_lookup(object, 4), m);
	vm_page_destroy(m);
	VM_OBJECT_WUNLOCK(object);
	vm_object_deallocate(object);
}

static void object_place_is_taken_once(struct kunit *test)
{
	struct vm_page *m, *n = vm_page_alloc_noobj(VM_ALLOC_NORMAL);
	struct vm_object *object = test_object(test, OBJECT_SIZE);

	KUNIT_ASSERT_NOT_NULL(test, n);
	m = test_insert(test, object, 3);
	VM_OBJECT_WLOCK(object);
	KUNIT_EXPECT_EQ(test, -EEXIST, vm_page_insert(n, object, 3));
	VM_OBJECT_WUNLOCK(object);
	KUNIT_EXPECT_PTR_EQ(test, test_lookup(object, 3), m);
	KUNIT_EXPECT_EQ(test, object->resident_page_count, 1UL);
	KUNIT_EXPECT_NULL(test, n->object);
	vm_page_free(n);
	vm_object_deallocate(object);
}

/* An insertion that fails for want of memory leaves page and object alone. */
static void object_insert_without_memory(struct kunit *test)
{
	struct vm_object *object = test_object(test, 1ULL << 30);
	struct vm_page *m = vm_page_alloc_noobj(VM_ALLOC_NORMAL);
	unsigned int nth, failures = 0;
	int ret = -ENOMEM;

	test_fail_init(test);
	KUNIT_ASSERT_NOT_NULL(test, m);
	for (nth = 1; nth < 20 && ret; nth++) {
		VM_OBJECT_WLOCK(object);
		test_fail_from(nth);
		ret = vm_page_insert(m, object, 1 << 24);
		failures += test_fail_done();
		VM_OBJECT_WUNLOCK(object);
		KUNIT_EXPECT_EQ(test, ret, failures == nth ? -ENOMEM : 0);
		KUNIT_EXPECT_PTR_EQ(test, test_lookup(object, 1 << 24), ret ? NULL : m);
		KUNIT_EXPECT_PTR_EQ(test, m->object, ret ? NULL : object);
		KUNIT_EXPECT_EQ(test, object->resident_page_count, ret ? 0UL : 1UL);
	}
	KUNIT_EXPECT_GT_MSG(test, failures, 1U, "allocations did fail");
	vm_object_deallocate(object);
}

/* More pages than a leaf of the tree holds, or are freed at once. */
#define MANY_PAGES	200

static void object_page_remove_many(struct kunit *test)
{
	struct vm_object *object = test_object(test, MANY_PAGES);
	unsigned long free = test_free_count();
	struct vm_page *busy;
	vm_pindex_t i;

	VM_OBJECT_WLOCK(object);
	for (i = 0; i < MANY_PAGES; i++)
		KUNIT_ASSERT_FALSE(test, IS_ERR(vm_object_make_page(object, i, NULL)));
	busy = vm_page_lookup(object, 70);
	vm_page_tryxbusy(busy);
	vm_object_page_remove(object, 3, MANY_PAGES - 3, OBJPR_NOTMAPPED);
	vm_object_assert_consistent(object);
	for (i = 0; i < MANY_PAGES; i++)
		KUNIT_EXPECT_EQ_MSG(test, !!vm_page_lookup(object, i),
				    i < 3 || i == 70 || i >= MANY_PAGES - 3, "page %llu", i);
	KUNIT_EXPECT_EQ(test, object->resident_page_count, 7UL);
	KUNIT_EXPECT_EQ(test, test_free_count(), free - 7);
	vm_page_xunbusy(busy);
	VM_OBJECT_WUNLOCK(object);
	vm_object_deallocate(object);
	KUNIT_EXPECT_EQ(test, test_free_count(), free);
}

struct remove_case {
	const char *name;
	vm_pindex_t start;
	vm_pindex_t end;
	unsigned int options;
	u32 left;		/* of all, with 2 busied, 3 wired and 4 dirty */
};

static const struct remove_case remove_cases[] = {
	{ "all", 0, 0, 0, BIT(2) },
	{ "all from", 6, 0, 0, 0x003f },
	{ "range", 5, 8, 0, 0xff1f },
	{ "one", 0, 1, 0, 0xfffe },
	{ "none", 16, 20, 0, 0xffff },
	{ "clean only", 0, 0, OBJPR_CLEANONLY, BIT(2) | BIT(3) | BIT(4) },
	{ "not mapped", 0, 0, OBJPR_NOTMAPPED, BIT(2) },
	{ "not mapped, from", 6, 0, OBJPR_NOTMAPPED, 0x003f },
	{ "not mapped, range", 2, 5, OBJPR_NOTMAPPED, 0xffe7 },
	{ "not mapped, none", 16, 20, OBJPR_NOTMAPPED, 0xffff },
};

static void object_page_remove(struct kunit *test)
{
	const struct remove_case *c = test->param_value;
	struct vm_object *object = test_object(test, OBJECT_SIZE);
	unsigned long free = test_free_count(), gone;
	struct vm_page *ma[32];
	unsigned int i;

	test_insert_all(test, object, 0xffff, ma);
	vm_page_tryxbusy(ma[2]);
	vm_page_wire(ma[3]);
	vm_page_dirty(ma[4]);
	VM_OBJECT_WLOCK(object);
	vm_object_page_remove(object, c->start, c->end, c->options);
	vm_object_assert_consistent(object);
	VM_OBJECT_WUNLOCK(object);

	for (i = 0; i < OBJECT_SIZE; i++)
		KUNIT_EXPECT_PTR_EQ_MSG(test, test_lookup(object, i),
					c->left & BIT(i) ? ma[i] : NULL, "page %u", i);
	/* The wired one is free only once it is unwired. */
	gone = OBJECT_SIZE - hweight32(c->left) - !(c->left & BIT(3));
	KUNIT_EXPECT_EQ(test, test_free_count(), free - OBJECT_SIZE + gone);
	if (!(c->left & BIT(3)))
		KUNIT_EXPECT_NULL(test, ma[3]->object);
	vm_page_unwire(ma[3], PQ_INACTIVE);
	KUNIT_EXPECT_EQ(test, test_free_count(), free - hweight32(c->left));
	vm_page_xunbusy(ma[2]);
	vm_object_deallocate(object);
	KUNIT_EXPECT_EQ(test, test_free_count(), free);
}

KUNIT_ARRAY_PARAM_DESC(remove, remove_cases, name);

/* --- shadows */

static void object_shadow_of_sole_reference_is_none(struct kunit *test)
{
	struct vm_object *object = test_object(test, OBJECT_SIZE), *same = object;
	vm_ooffset_t offset = IDX_TO_OFF(3);

	KUNIT_EXPECT_EQ(test, KERN_SUCCESS, vm_object_shadow(&same, &offset, IDX_TO_OFF(4)));
	KUNIT_EXPECT_PTR_EQ(test, same, object);
	KUNIT_EXPECT_EQ(test, offset, IDX_TO_OFF(3));
	KUNIT_EXPECT_EQ(test, test_refs(object), 1U);
	vm_object_deallocate(object);
}

static void object_shadow_takes_reference_over(struct kunit *test)
{
	struct vm_object *object = test_object(test, OBJECT_SIZE), *shadow;

	test_object_share(object);
	shadow = test_shadow(test, object, 3, 4);
	KUNIT_EXPECT_EQ(test, test_refs(object), 2U);
	KUNIT_EXPECT_EQ(test, object->shadow_count, 1U);
	KUNIT_EXPECT_TRUE(test, list_is_singular(&object->shadow_head));
	KUNIT_EXPECT_PTR_EQ(test, shadow->backing_object, object);
	KUNIT_EXPECT_EQ(test, shadow->backing_object_offset, IDX_TO_OFF(3));
	KUNIT_EXPECT_EQ(test, shadow->size, 4ULL);
	KUNIT_EXPECT_EQ(test, test_refs(shadow), 1U);
	KUNIT_EXPECT_EQ(test, shadow->flags, OBJ_ANON | OBJ_ONEMAPPING);

	vm_object_deallocate(shadow);
	KUNIT_EXPECT_EQ(test, test_refs(object), 1U);
	KUNIT_EXPECT_EQ(test, object->shadow_count, 0U);
	vm_object_deallocate(object);
}

/* An object that is not anonymous is never written, however few refer to it. */
static void object_shadow_of_other_type_always_is(struct kunit *test)
{
	struct vm_object *object = vm_object_allocate(OBJT_DEFAULT, OBJECT_SIZE), *shadow;

	KUNIT_ASSERT_NOT_NULL(test, object);
	shadow = test_shadow(test, object, 0, OBJECT_SIZE);
	KUNIT_EXPECT_PTR_EQ(test, shadow->backing_object, object);
	vm_object_deallocate(shadow);
}

/* --- growing in place */

struct coalesce_case {
	const char *name;
	vm_pindex_t prev_start;		/* in an object of 16 pages */
	vm_pindex_t prev_size;
	bool shared;
	bool shadowed;
	bool shadows;
	bool anon;
	bool ret;
	vm_pindex_t size;
};

static const struct coalesce_case coalesce_cases[] = {
	{ "at the end", .prev_size = 16, .anon = true, .ret = true, .size = 20 },
	{ "over what was unmapped", .prev_size = 8, .anon = true, .ret = true, .size = 16 },
	{ "half over, half beyond", .prev_size = 14, .anon = true, .ret = true, .size = 18 },
	{ "entry begins inside", 4, 12, .anon = true, .ret = true, .size = 20 },
	{ "shared", .prev_size = 16, .anon = true, .shared = true, .size = 16 },
	{ "shadowed", .prev_size = 16, .anon = true, .shadowed = true, .size = 16 },
	{ "a shadow", .prev_size = 16, .anon = true, .shadows = true, .size = 16 },
	{ "not anonymous", .prev_size = 16, .size = 16 },
};

static void object_coalesce(struct kunit *test)
{
	const struct coalesce_case *c = test->param_value;
	struct vm_object *object, *other = NULL;
	struct vm_page *ma[32];
	unsigned int i, end = c->prev_start + c->prev_size;

	object = c->anon ? test_object(test, 16) : vm_object_allocate(OBJT_DEFAULT, 16);
	KUNIT_ASSERT_NOT_NULL(test, object);
	if (c->shadows) {
		other = object;
		test_object_share(other);
		object = test_shadow(test, other, 0, 16);
	}
	if (c->shared)
		vm_object_reference(object);
	if (c->shadowed) {
		test_object_share(object);
		other = test_shadow(test, object, 0, 16);
	}
	test_insert_all(test, object, 0xffff, ma);
	KUNIT_EXPECT_EQ(test, c->ret,
			vm_object_coalesce(object, IDX_TO_OFF(c->prev_start),
					   IDX_TO_OFF(c->prev_size), IDX_TO_OFF(4)));
	KUNIT_EXPECT_EQ(test, object->size, c->size);
	/* Zero-fill memory: no old page may show in the new part. */
	for (i = 0; i < 16; i++)
		KUNIT_EXPECT_PTR_EQ_MSG(test, test_lookup(object, i),
					c->ret && i >= end && i < end + 4 ? NULL : ma[i],
					"page %u", i);
	if (c->shared)
		vm_object_deallocate(object);
	vm_object_deallocate(object);
	vm_object_deallocate(other);
}

KUNIT_ARRAY_PARAM_DESC(coalesce, coalesce_cases, name);

static void object_coalesce_of_nothing(struct kunit *test)
{
	KUNIT_EXPECT_TRUE(test, vm_object_coalesce(NULL, 0, VM_PAGE_SIZE, VM_PAGE_SIZE));
}

static struct kunit_case vm_object_cases[] = {
	KUNIT_CASE(object_last_reference_frees_pages),
	KUNIT_CASE(object_page_moves_whole),
	KUNIT_CASE(object_page_leaves),
	KUNIT_CASE(object_place_is_taken_once),
	KUNIT_CASE(object_insert_without_memory),
	KUNIT_CASE_PARAM(object_page_remove, remove_gen_params),
	KUNIT_CASE(object_page_remove_many),
	KUNIT_CASE(object_shadow_of_sole_reference_is_none),
	KUNIT_CASE(object_shadow_takes_reference_over),
	KUNIT_CASE(object_shadow_of_other_type_always_is),
	KUNIT_CASE_PARAM(object_coalesce, coalesce_gen_params),
	KUNIT_CASE(object_coalesce_of_nothing),
	{}
};

static struct kunit_suite vm_object_suite = {
	.name = "bsdvm_vm_object",
	.init = test_pages_init,
	.test_cases = vm_object_cases,
};

kunit_test_suite(vm_object_suite);
