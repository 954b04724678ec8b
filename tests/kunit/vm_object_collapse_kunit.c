// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Tests of what is merged and skipped in a shadow chain. Pages are told apart by their
 * struct vm_page: after a collapse the very same ones must stand where they are expected,
 * and the free pages must be back.
 */
#include "vm_object_kunit.h"

/* --- collapse: the backing object has no other user */

struct collapse_case {
	const char *name;
	u32 backing;		/* resident pages */
	u32 shadow;
	vm_pindex_t shift;	/* where the shadow begins in the backing object */
	vm_pindex_t size;	/* of the shadow */
};

static const struct collapse_case collapse_cases[] = {
	{ "nothing resident", 0x0000, 0x0000, 0, 16 },
	{ "all move", 0xffff, 0x0000, 0, 16 },
	{ "all hidden", 0xffff, 0xffff, 0, 16 },
	{ "some hidden", 0xf0f0, 0x3c3c, 0, 16 },
	{ "disjoint", 0xaaaa, 0x5555, 0, 16 },
	{ "window at the end", 0xffff, 0x0000, 8, 8 },
	{ "window at the start", 0xffff, 0x0002, 0, 8 },
	{ "window inside", 0xffff, 0x0005, 3, 7 },
	{ "window of one page", 0xffff, 0x0000, 9, 1 },
	{ "window behind all pages", 0x00ff, 0x0003, 12, 4 },
	{ "window beyond the object", 0xffff, 0x0000, 12, 16 },
	{ "sparse", 0x8001, 0x0000, 0, 16 },
	{ "fewer than below, hidden", 0xffff, 0x0810, 0, 16 },
	{ "fewer than below, alone", 0x1ff0, 0x8005, 0, 16 },
	{ "fewer than below, larger", 0xffff, 0x0001, 0, 32 },
	{ "first page, hidden", 0x0003, 0x0001, 0, 16 },
	{ "first page, alone", 0x0006, 0x0001, 0, 16 },
};

/* What shows, and where: in the shadow itself after a collapse. */
static void collapse_expect(struct kunit *test, const struct collapse_case *c,
			    struct vm_object *shadow, struct vm_page **bma,
			    struct vm_page **sma, unsigned long free)
{
	unsigned int i, left = 0;

	KUNIT_EXPECT_NULL(test, shadow->backing_object);
	KUNIT_EXPECT_EQ(test, shadow->backing_object_offset, 0ULL);
	KUNIT_EXPECT_EQ(test, test_refs(shadow), 1U);
	for (i = 0; i < c->size; i++) {
		struct vm_page *m = sma[i];

		if (!m && i + c->shift < 32)
			m = bma[i + c->shift];
		KUNIT_EXPECT_PTR_EQ_MSG(test, test_lookup(shadow, i), m, "page %u", i);
		if (m) {
			KUNIT_EXPECT_PTR_EQ(test, m->object, shadow);
			KUNIT_EXPECT_EQ(test, m->pindex, (vm_pindex_t)i);
			left++;
		}
	}
	KUNIT_EXPECT_EQ(test, shadow->resident_page_count, (unsigned long)left);
	KUNIT_EXPECT_EQ_MSG(test, test_free_count(), free - left, "hidden pages are freed");
}

static void object_collapse(struct kunit *test)
{
	const struct collapse_case *c = test->param_value;
	unsigned long free = test_free_count();
	struct vm_object *object, *shadow;
	struct vm_page *bma[32], *sma[32];

	object = test_object(test, OBJECT_SIZE);
	test_object_share(object);
	shadow = test_shadow(test, object, c->shift, c->size);
	test_insert_all(test, object, c->backing, bma);
	test_insert_all(test, shadow, c->shadow, sma);
	/* Its entry goes without a word, as in a fault that finds it so. */
	refcount_dec(&object->ref_count);
	test_collapse(shadow);
	collapse_expect(test, c, shadow, bma, sma, free);
	vm_object_deallocate(shadow);
	KUNIT_EXPECT_EQ(test, test_free_count(), free);
}

KUNIT_ARRAY_PARAM_DESC(collapse, collapse_cases, name);

/* The same, when the last entry of the backing object lets go. */
static void object_deallocate_collapses(struct kunit *test)
{
	const struct collapse_case *c = test->param_value;
	unsigned long free = test_free_count();
	struct vm_object *object, *shadow;
	struct vm_page *bma[32], *sma[32];

	object = test_object(test, OBJECT_SIZE);
	test_object_share(object);
	shadow = test_shadow(test, object, c->shift, c->size);
	test_insert_all(test, object, c->backing, bma);
	test_insert_all(test, shadow, c->shadow, sma);
	vm_object_deallocate(object);
	collapse_expect(test, c, shadow, bma, sma, free);
	vm_object_deallocate(shadow);
}

/* A chain of many merges into its top at once; what is higher hides. */
static void object_collapse_takes_whole_chain(struct kunit *test)
{
	static const u32 pages[] = { 0xff00, 0x0ff0, 0x00ff, 0x1111, 0x0001 };
	struct vm_object *object[ARRAY_SIZE(pages)];
	unsigned int i, level, n = ARRAY_SIZE(pages);
	unsigned long free = test_free_count();
	struct vm_page *(*ma)[32];

	ma = kunit_kcalloc(test, n, sizeof(*ma), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, ma);
	object[0] = test_object(test, OBJECT_SIZE);
	test_insert_all(test, object[0], pages[0], ma[0]);
	for (level = 1; level < n; level++) {
		test_object_share(object[level - 1]);
		object[level] = test_shadow(test, object[level - 1], 0, OBJECT_SIZE);
		test_insert_all(test, object[level], pages[level], ma[level]);
	}
	KUNIT_EXPECT_EQ(test, test_depth(object[n - 1]), n);
	for (level = 0; level < n - 1; level++)
		refcount_dec(&object[level]->ref_count);
	test_collapse(object[n - 1]);
	KUNIT_EXPECT_EQ(test, test_depth(object[n - 1]), 1U);
	for (i = 0; i < OBJECT_SIZE; i++) {
		level = n;
		while (level-- > 1) {
			if (ma[level][i])
				break;
		}
		KUNIT_EXPECT_PTR_EQ_MSG(test, test_lookup(object[n - 1], i), ma[level][i],
					"page %u", i);
	}
	KUNIT_EXPECT_EQ(test, test_free_count(), free - OBJECT_SIZE);
	vm_object_deallocate(object[n - 1]);
}

/* The windows of a chain add up. */
static void object_collapse_adds_offsets(struct kunit *test)
{
	struct vm_object *bottom, *middle, *top;
	struct vm_page *m, *n;

	bottom = test_object(test, 32);
	m = test_insert(test, bottom, 13);
	test_object_share(bottom);
	middle = test_shadow(test, bottom, 8, 16);
	n = test_insert(test, middle, 6);
	test_object_share(middle);
	top = test_shadow(test, middle, 4, 4);
	KUNIT_EXPECT_PTR_EQ(test, test_resolve(top, 1), m);
	KUNIT_EXPECT_PTR_EQ(test, test_resolve(top, 2), n);

	vm_object_deallocate(middle);
	KUNIT_EXPECT_PTR_EQ(test, top->backing_object, bottom);
	KUNIT_EXPECT_EQ(test, top->backing_object_offset, IDX_TO_OFF(12));
	KUNIT_EXPECT_PTR_EQ(test, list_first_entry(&bottom->shadow_head, struct vm_object,
						   shadow_list), top);
	KUNIT_EXPECT_EQ(test, bottom->shadow_count, 1U);
	KUNIT_EXPECT_EQ(test, test_refs(bottom), 2U);
	KUNIT_EXPECT_PTR_EQ(test, test_resolve(top, 1), m);
	KUNIT_EXPECT_PTR_EQ(test, test_lookup(top, 2), n);

	vm_object_deallocate(bottom);
	KUNIT_EXPECT_PTR_EQ(test, test_lookup(top, 1), m);
	KUNIT_EXPECT_PTR_EQ(test, test_lookup(top, 2), n);
	KUNIT_EXPECT_NULL(test, top->backing_object);
	vm_object_deallocate(top);
}

static void object_collapse_leaves_what_is_used(struct kunit *test)
{
	struct vm_object *object = test_object(test, OBJECT_SIZE), *shadow;
	struct vm_page *m = test_insert(test, object, 5);

	test_object_share(object);
	shadow = test_shadow(test, object, 0, OBJECT_SIZE);
	test_insert(test, shadow, 4);
	test_collapse(shadow);
	KUNIT_EXPECT_PTR_EQ(test, shadow->backing_object, object);
	KUNIT_EXPECT_PTR_EQ(test, test_lookup(object, 5), m);
	KUNIT_EXPECT_EQ(test, test_refs(object), 2U);
	vm_object_deallocate(shadow);
	vm_object_deallocate(object);
}

static void object_collapse_stops_at_other_type(struct kunit *test)
{
	struct vm_object *object = vm_object_allocate(OBJT_DEFAULT, OBJECT_SIZE), *shadow;
	struct vm_page *m;

	KUNIT_ASSERT_NOT_NULL(test, object);
	m = test_insert(test, object, 5);
	shadow = test_shadow(test, object, 0, OBJECT_SIZE);
	test_collapse(shadow);
	KUNIT_EXPECT_PTR_EQ(test, shadow->backing_object, object);
	KUNIT_EXPECT_PTR_EQ(test, test_lookup(object, 5), m);
	vm_object_deallocate(shadow);
}

/* A wired page may move, and must still be there for whoever wired it. */
static void object_collapse_keeps_wiring(struct kunit *test)
{
	struct vm_object *object = test_object(test, OBJECT_SIZE), *shadow;
	struct vm_page *moved = test_insert(test, object, 1);
	struct vm_page *hidden = test_insert(test, object, 2);
	unsigned long free;

	vm_page_wire(moved);
	vm_page_wire(hidden);
	test_object_share(object);
	shadow = test_shadow(test, object, 0, OBJECT_SIZE);
	test_insert(test, shadow, 2);
	free = test_free_count();
	vm_object_deallocate(object);
	KUNIT_EXPECT_PTR_EQ(test, test_lookup(shadow, 1), moved);
	KUNIT_EXPECT_TRUE(test, vm_page_wired(moved));
	KUNIT_EXPECT_EQ_MSG(test, test_free_count(), free, "the hidden page is an orphan");
	vm_page_unwire(hidden, PQ_INACTIVE);
	KUNIT_EXPECT_EQ(test, test_free_count(), free + 1);
	vm_page_unwire(moved, PQ_INACTIVE);
	KUNIT_EXPECT_EQ(test, test_free_count(), free + 1);
	vm_object_deallocate(shadow);
}

/* --- bypass: the backing object has other users, but shows nothing */

struct bypass_case {
	const char *name;
	u32 backing;
	u32 shadow;
	vm_pindex_t shift;
	vm_pindex_t size;
	bool bypassed;
};

static const struct bypass_case bypass_cases[] = {
	{ "nothing to show", 0x0000, 0x0000, 0, 16, true },
	{ "all hidden", 0xffff, 0xffff, 0, 16, true },
	{ "those there are hidden", 0x0180, 0x07e0, 0, 16, true },
	{ "one shows", 0x0180, 0x0080, 0, 16, false },
	{ "the last page shows", 0x8000, 0x7fff, 0, 16, false },
	{ "the first page shows", 0x0001, 0xfffe, 0, 16, false },
	{ "others lie outside the window", 0xf00f, 0x0000, 4, 8, true },
	{ "hidden in the window", 0xffff, 0x00ff, 4, 8, true },
	{ "one shows in the window", 0xffff, 0x007f, 4, 8, false },
	{ "the page before the window", 0x0008, 0x0000, 4, 8, true },
	{ "the page behind the window", 0x1000, 0x0000, 4, 8, true },
};

static void object_bypass(struct kunit *test)
{
	const struct bypass_case *c = test->param_value;
	struct vm_object *bottom, *object, *shadow;
	/* What hides all of the object may hide all of the bottom as well. */
	bool twice = c->bypassed && (c->shadow & BIT(3));
	struct vm_page *bma[32], *sma[32], *deep;
	unsigned long free;
	unsigned int i;

	bottom = test_object(test, 32);
	deep = test_insert(test, bottom, c->shift + 5);
	test_object_share(bottom);
	object = test_shadow(test, bottom, 2, OBJECT_SIZE);
	test_insert_all(test, object, c->backing, bma);
	test_object_share(object);
	shadow = test_shadow(test, object, c->shift, c->size);
	test_insert_all(test, shadow, c->shadow, sma);
	free = test_free_count();
	test_collapse(shadow);

	KUNIT_EXPECT_PTR_EQ(test, shadow->backing_object,
			    twice ? NULL : c->bypassed ? bottom : object);
	KUNIT_EXPECT_EQ(test, shadow->backing_object_offset,
			twice ? 0 : IDX_TO_OFF(c->shift + (c->bypassed ? 2 : 0)));
	KUNIT_EXPECT_EQ(test, test_refs(object), c->bypassed ? 1U : 2U);
	KUNIT_EXPECT_EQ(test, object->shadow_count, c->bypassed ? 0U : 1U);
	KUNIT_EXPECT_EQ(test, test_refs(bottom), c->bypassed && !twice ? 3U : 2U);
	KUNIT_EXPECT_EQ(test, bottom->shadow_count, c->bypassed && !twice ? 2U : 1U);
	/* The other users' pages stay, and what was seen is seen still. */
	for (i = 0; i < OBJECT_SIZE; i++)
		KUNIT_EXPECT_PTR_EQ(test, test_lookup(object, i), bma[i]);
	for (i = 0; i < c->size; i++) {
		struct vm_page *m = sma[i] ?: bma[i + c->shift];

		if (!m && i == 3)
			m = deep;
		KUNIT_EXPECT_PTR_EQ_MSG(test, test_resolve(shadow, i), m, "page %u", i);
	}
	KUNIT_EXPECT_EQ(test, test_free_count(), free);
	vm_object_deallocate(shadow);
	vm_object_deallocate(object);
	vm_object_deallocate(bottom);
}

KUNIT_ARRAY_PARAM_DESC(bypass, bypass_cases, name);

/* Once skipped by one shadow, the object has only the other: they merge. */
static void object_bypass_merges_the_other(struct kunit *test)
{
	struct vm_object *object = test_object(test, OBJECT_SIZE), *one, *two;
	struct vm_page *ma[32], *own[32];
	unsigned long free = test_free_count();
	unsigned int i;

	test_insert_all(test, object, 0xffff, ma);
	test_object_share(object);
	one = test_shadow(test, object, 0, OBJECT_SIZE);
	two = test_shadow(test, object, 0, OBJECT_SIZE);
	KUNIT_EXPECT_EQ(test, object->shadow_count, 2U);
	test_insert_all(test, one, 0xffff, own);
	test_insert_all(test, two, 0x0001, own);
	test_collapse(one);
	KUNIT_EXPECT_NULL(test, one->backing_object);
	KUNIT_EXPECT_NULL(test, two->backing_object);
	KUNIT_EXPECT_PTR_EQ(test, test_lookup(two, 0), own[0]);
	for (i = 1; i < OBJECT_SIZE; i++)
		KUNIT_EXPECT_PTR_EQ(test, test_lookup(two, i), ma[i]);
	KUNIT_EXPECT_EQ(test, test_free_count(), free - 2 * OBJECT_SIZE);
	vm_object_deallocate(one);
	vm_object_deallocate(two);
}

/* --- no memory */

struct no_memory_case {
	const char *name;
	vm_pindex_t shift;	/* where the shadow begins in the backing object */
	unsigned int own;	/* far pages that only the shadow has */
};

static const struct no_memory_case no_memory_cases[] = {
	{ "pages move up", 1, 0 },
	{ "trees are exchanged", 0, 2 },
};

KUNIT_ARRAY_PARAM_DESC(no_memory, no_memory_cases, name);

/* What shows of @n far pages. */
static void expect_far(struct kunit *test, struct vm_object *shadow, struct vm_page **m,
		       unsigned int n, unsigned int nth)
{
	unsigned int i;

	for (i = 0; i < n; i++)
		KUNIT_EXPECT_PTR_EQ_MSG(test, test_resolve(shadow, test_far_page(i)), m[i],
					"page %u, allocation %u failed", i, nth);
	VM_OBJECT_WLOCK(shadow);
	vm_object_assert_consistent(shadow);
	VM_OBJECT_WUNLOCK(shadow);
}

/* A collapse that runs out of memory half-way loses no page and can go on. */
static void object_collapse_survives_no_memory(struct kunit *test)
{
	const struct no_memory_case *c = test->param_value;
	unsigned int nth, i, done = 0, n = 3 + c->own;
	struct vm_object *object, *shadow;
	struct vm_page *m[5];

	test_fail_init(test);
	for (nth = 1; nth < 50 && !done; nth++) {
		object = test_object(test, 1ULL << 30);
		for (i = 0; i < 3; i++)
			m[i] = test_insert(test, object, c->shift + test_far_page(i));
		test_object_share(object);
		shadow = test_shadow(test, object, c->shift, 1ULL << 30);
		for (; i < n; i++)
			m[i] = test_insert(test, shadow, test_far_page(i));
		refcount_dec(&object->ref_count);
		test_fail_from(nth);
		test_collapse(shadow);
		done = !test_fail_done();
		expect_far(test, shadow, m, n, nth);
		for (i = 3; i < n; i++)
			KUNIT_EXPECT_PTR_EQ(test, m[i]->object, shadow);
		KUNIT_EXPECT_EQ(test, test_depth(shadow), done ? 1U : 2U);
		test_collapse(shadow);
		KUNIT_EXPECT_EQ(test, test_depth(shadow), 1U);
		expect_far(test, shadow, m, n, nth);
		vm_object_deallocate(shadow);
	}
	KUNIT_EXPECT_TRUE(test, done);
	KUNIT_EXPECT_GT_MSG(test, nth, 3U, "allocations did fail");
}

/* --- many pages */

#define MANY	300	/* pages: some leaves of a tree, the last one not full */

/* Every page of what is below, every third of the shadow, and some that it has alone. */
static void object_exchange_of_many_pages(struct kunit *test)
{
	struct vm_object *object, *shadow;
	unsigned long free = test_free_count();
	struct vm_page **bma, **sma, *m;
	unsigned int i, left = 0;

	bma = kunit_kcalloc(test, 2 * MANY, sizeof(*bma), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, bma);
	sma = bma + MANY;
	object = test_object(test, MANY);
	test_object_share(object);
	shadow = test_shadow(test, object, 0, MANY);
	for (i = 0; i < MANY; i++) {
		if (i % 7)
			bma[i] = test_insert(test, object, i);
		if (i % 3 == 0)
			sma[i] = test_insert(test, shadow, i);
	}
	vm_page_wire(sma[7 * 3]);
	vm_object_deallocate(object);
	KUNIT_EXPECT_EQ(test, test_depth(shadow), 1U);
	VM_OBJECT_WLOCK(shadow);
	vm_object_assert_consistent(shadow);
	VM_OBJECT_WUNLOCK(shadow);
	for (i = 0; i < MANY; i++) {
		m = sma[i] ?: bma[i];
		KUNIT_EXPECT_PTR_EQ_MSG(test, test_lookup(shadow, i), m, "page %u", i);
		left += !!m;
	}
	KUNIT_EXPECT_EQ(test, shadow->resident_page_count, (unsigned long)left);
	KUNIT_EXPECT_EQ(test, test_free_count(), free - left);
	vm_page_unwire(sma[7 * 3], PQ_ACTIVE);
	/* Nothing stands in the way of pages that come later. */
	KUNIT_EXPECT_NULL(test, test_lookup(shadow, 7));
	test_insert(test, shadow, 7);
	vm_object_deallocate(shadow);
	KUNIT_EXPECT_EQ(test, test_free_count(), free);
}

static struct kunit_case vm_object_collapse_cases[] = {
	KUNIT_CASE_PARAM(object_collapse, collapse_gen_params),
	KUNIT_CASE_PARAM(object_deallocate_collapses, collapse_gen_params),
	KUNIT_CASE(object_collapse_takes_whole_chain),
	KUNIT_CASE(object_collapse_adds_offsets),
	KUNIT_CASE(object_collapse_leaves_what_is_used),
	KUNIT_CASE(object_collapse_stops_at_other_type),
	KUNIT_CASE(object_collapse_keeps_wiring),
	KUNIT_CASE_PARAM(object_collapse_survives_no_memory, no_memory_gen_params),
	KUNIT_CASE(object_exchange_of_many_pages),
	KUNIT_CASE_PARAM(object_bypass, bypass_gen_params),
	KUNIT_CASE(object_bypass_merges_the_other),
	{}
};

static struct kunit_suite vm_object_collapse_suite = {
	.name = "bsdvm_vm_object_collapse",
	.init = test_pages_init,
	.test_cases = vm_object_collapse_cases,
};

kunit_test_suite(vm_object_collapse_suite);
