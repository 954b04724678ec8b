// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Tests of shadow chains. Pages are told apart by their struct vm_page: after a
 * collapse the very same ones must stand where they are expected, and the free
 * pages must be back.
 *
 * References are taken and given as map entries would; no page is mapped.
 */
#include "vm_object_kunit.h"

#include "vm/vm_user.h"

#define OBJECT_SIZE	16	/* pages of most objects here */

/* A fresh page of the object. */
static struct vm_page *test_insert(struct kunit *test, struct vm_object *object,
				   vm_pindex_t pindex)
{
	struct vm_page *m = vm_page_alloc_noobj(VM_ALLOC_NORMAL);
	int ret;

	KUNIT_ASSERT_NOT_NULL(test, m);
	m->valid = 1;
	VM_OBJECT_WLOCK(object);
	ret = vm_page_insert(m, object, pindex);
	VM_OBJECT_WUNLOCK(object);
	KUNIT_ASSERT_EQ(test, 0, ret);
	return m;
}

static void test_insert_all(struct kunit *test, struct vm_object *object, u32 pages,
			    struct vm_page **ma)
{
	unsigned int i;

	for (i = 0; i < 32; i++) {
		ma[i] = NULL;
		if (pages & BIT(i))
			ma[i] = test_insert(test, object, i);
	}
}

/*
 * Put a shadow before @object, which is shared: the reference passes to the
 * shadow, whose own is returned.
 */
static struct vm_object *test_shadow(struct kunit *test, struct vm_object *object,
				     vm_pindex_t from, vm_pindex_t size)
{
	vm_ooffset_t offset = IDX_TO_OFF(from);
	struct vm_object *shadow = object;

	KUNIT_ASSERT_EQ(test, KERN_SUCCESS,
			vm_object_shadow(&shadow, &offset, IDX_TO_OFF(size)));
	KUNIT_ASSERT_PTR_NE(test, shadow, object);
	KUNIT_ASSERT_EQ(test, offset, 0ULL);
	return shadow;
}

static void test_collapse(struct vm_object *object)
{
	VM_OBJECT_WLOCK(object);
	vm_object_collapse(object);
	vm_object_assert_consistent(object);
	VM_OBJECT_WUNLOCK(object);
}

/* Without the lock, which costs most here: nobody else knows the object. */
static struct vm_page *test_lookup(struct vm_object *object, vm_pindex_t pindex)
{
	return vm_page_lookup(object, pindex);
}

/* The page that shows at @pindex, down the chain. */
static struct vm_page *test_resolve(struct vm_object *object, vm_pindex_t pindex)
{
	struct vm_page *m;

	while (object) {
		m = test_lookup(object, pindex);
		if (m)
			return m;
		pindex += OFF_TO_IDX(object->backing_object_offset);
		object = object->backing_object;
	}
	return NULL;
}

static unsigned int test_depth(struct vm_object *object)
{
	unsigned int depth = 0;

	for (; object; object = object->backing_object)
		depth++;
	return depth;
}

static unsigned int test_refs(struct vm_object *object)
{
	return refcount_read(&object->ref_count);
}

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

/* --- the stories of fork */

/* The picture at the head of vm_object.c: the child goes, the parent merges. */
static void object_child_exit_collapses_parent(struct kunit *test)
{
	struct vm_object *object = test_object(test, OBJECT_SIZE), *parent, *child;
	struct vm_page *ma[32], *written;
	unsigned long free = test_free_count();
	unsigned int i;

	test_insert_all(test, object, 0xffff, ma);
	test_object_share(object);
	parent = test_shadow(test, object, 0, OBJECT_SIZE);
	child = test_shadow(test, object, 0, OBJECT_SIZE);
	written = test_insert(test, parent, 4);
	test_insert(test, child, 4);
	test_insert(test, child, 9);
	KUNIT_EXPECT_EQ(test, test_free_count(), free - OBJECT_SIZE - 3);

	vm_object_deallocate(child);
	KUNIT_EXPECT_EQ(test, test_depth(parent), 1U);
	for (i = 0; i < OBJECT_SIZE; i++)
		KUNIT_EXPECT_PTR_EQ(test, test_lookup(parent, i), i == 4 ? written : ma[i]);
	KUNIT_EXPECT_EQ(test, test_free_count(), free - OBJECT_SIZE);
	vm_object_deallocate(parent);
}

/*
 * An entry as fork and fault see it: @model holds, for each page, the page that
 * must show there.
 */
struct view {
	struct vm_object *object;
	vm_ooffset_t offset;
	vm_pindex_t size;
	bool needs_copy;
	struct vm_page *model[OBJECT_SIZE];
};

static void view_fork(struct view *from, struct view *to)
{
	VM_OBJECT_WLOCK(from->object);
	vm_object_collapse(from->object);
	from->object->flags &= ~OBJ_ONEMAPPING;
	VM_OBJECT_WUNLOCK(from->object);
	vm_object_reference(from->object);
	from->needs_copy = true;
	*to = *from;
}

/* Clip an entry in two at page @at. */
static void view_split(struct view *view, struct view *upper, vm_pindex_t at)
{
	*upper = *view;
	vm_object_reference(view->object);
	upper->offset += IDX_TO_OFF(at);
	upper->size -= at;
	memmove(upper->model, upper->model + at, upper->size * sizeof(upper->model[0]));
	view->size = at;
}

/* Write a page: the shadow that was put off, and a page of the top object. */
static void view_write(struct kunit *test, struct view *view, vm_pindex_t page)
{
	struct vm_page *m;

	if (view->needs_copy) {
		KUNIT_ASSERT_EQ(test, KERN_SUCCESS,
				vm_object_shadow(&view->object, &view->offset,
						 IDX_TO_OFF(view->size)));
		view->needs_copy = false;
	}
	m = test_lookup(view->object, OFF_TO_IDX(view->offset) + page);
	if (m) {
		KUNIT_ASSERT_PTR_EQ(test, m, view->model[page]);
		return;
	}
	view->model[page] = test_insert(test, view->object, OFF_TO_IDX(view->offset) + page);
	if (view->object->backing_object)
		test_collapse(view->object);
}

static void view_check(struct kunit *test, struct view *view)
{
	vm_pindex_t i;

	for (i = 0; i < view->size; i++)
		KUNIT_ASSERT_PTR_EQ_MSG(test,
					test_resolve(view->object, OFF_TO_IDX(view->offset) + i),
					view->model[i], "page %llu", i);
}

#define FORKS	300

/* A parent that forks for ever, both sides writing. */
static void object_fork_loop_is_bounded(struct kunit *test)
{
	struct view parent = { .size = OBJECT_SIZE }, child;
	unsigned long free = test_free_count();
	struct rnd_state rnd;
	unsigned int i, j;

	test_seed(test, &rnd, 50);
	parent.object = test_object(test, OBJECT_SIZE);
	for (i = 0; i < OBJECT_SIZE; i++)
		view_write(test, &parent, i);
	for (i = 0; i < FORKS; i++) {
		view_fork(&parent, &child);
		for (j = 0; j < 4; j++) {
			view_write(test, &parent, test_random(&rnd, OBJECT_SIZE));
			view_write(test, &child, test_random(&rnd, OBJECT_SIZE));
		}
		KUNIT_ASSERT_LE(test, test_depth(parent.object), 2U);
		view_check(test, &parent);
		view_check(test, &child);
		vm_object_deallocate(child.object);
		KUNIT_ASSERT_EQ(test, test_depth(parent.object), 1U);
		view_check(test, &parent);
		KUNIT_ASSERT_EQ(test, test_free_count(), free - OBJECT_SIZE);
	}
	vm_object_deallocate(parent.object);
}

/* A line of processes, each the child of the last, whose parent exits. */
static void object_fork_line_is_bounded(struct kunit *test)
{
	struct view parent = { .size = OBJECT_SIZE }, child;
	unsigned long free = test_free_count();
	struct rnd_state rnd;
	unsigned int i;

	test_seed(test, &rnd, 51);
	parent.object = test_object(test, OBJECT_SIZE);
	for (i = 0; i < OBJECT_SIZE; i++)
		view_write(test, &parent, i);
	for (i = 0; i < FORKS; i++) {
		view_fork(&parent, &child);
		view_write(test, &child, test_random(&rnd, OBJECT_SIZE));
		view_write(test, &parent, test_random(&rnd, OBJECT_SIZE));
		vm_object_deallocate(parent.object);
		parent = child;
		view_check(test, &parent);
		KUNIT_ASSERT_EQ(test, test_depth(parent.object), 1U);
		KUNIT_ASSERT_EQ(test, test_free_count(), free - OBJECT_SIZE);
	}
	vm_object_deallocate(parent.object);
}

/* --- against a model: fork, clip, write and exit at random */

#define MAX_VIEWS	12
#define VIEW_STEPS	4000
#define MAX_OBJECTS	(2 * MAX_VIEWS * MAX_VIEWS)

/* Pages of all objects that any view reaches. */
static unsigned long views_resident(struct kunit *test, struct view *views, unsigned int n,
				    struct vm_object **seen)
{
	unsigned int i, j, count = 0;
	struct vm_object *object;
	unsigned long pages = 0;

	for (i = 0; i < n; i++) {
		/* No longer than the number of those that may have put them there. */
		KUNIT_ASSERT_LE(test, test_depth(views[i].object), n + 1);
		for (object = views[i].object; object; object = object->backing_object) {
			for (j = 0; j < count && seen[j] != object; j++)
				;
			if (j < count)
				break;
			KUNIT_ASSERT_LT(test, count, (unsigned int)MAX_OBJECTS);
			seen[count++] = object;
			pages += object->resident_page_count;
		}
	}
	return pages;
}

static void object_random_against_model(struct kunit *test)
{
	unsigned long free = test_free_count();
	unsigned int n = 0, step, i;
	struct vm_object **seen;
	struct rnd_state rnd;
	struct view *views;

	test_seed(test, &rnd, 52);
	views = kunit_kcalloc(test, MAX_VIEWS, sizeof(*views), GFP_KERNEL);
	seen = kunit_kcalloc(test, MAX_OBJECTS, sizeof(*seen), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, views);
	KUNIT_ASSERT_NOT_NULL(test, seen);
	for (step = 0; step < VIEW_STEPS; step++) {
		if (!n) {
			memset(&views[0], 0, sizeof(views[0]));
			views[0].size = OBJECT_SIZE;
			views[0].object = test_object(test, OBJECT_SIZE);
			n = 1;
		}
		i = test_random(&rnd, n);
		switch (test_random(&rnd, 10)) {
		case 0:
		case 1:
			if (n < MAX_VIEWS)
				view_fork(&views[i], &views[n++]);
			break;
		case 2:
			if (n < MAX_VIEWS && views[i].size > 1) {
				view_split(&views[i], &views[n],
					   1 + test_random(&rnd, views[i].size - 1));
				n++;
			}
			break;
		case 3:
		case 4:
			vm_object_deallocate(views[i].object);
			views[i] = views[--n];
			break;
		default:
			view_write(test, &views[i], test_random(&rnd, views[i].size));
			break;
		}
		for (i = 0; i < n; i++)
			view_check(test, &views[i]);
		KUNIT_ASSERT_EQ_MSG(test, free - test_free_count(),
				    views_resident(test, views, n, seen), "step %u", step);
	}
	while (n)
		vm_object_deallocate(views[--n].object);
	KUNIT_EXPECT_EQ(test, test_free_count(), free);
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

/* --- two CPUs: siblings of one object come, write and go */

#define TREE_ROUNDS	200

struct tree_race {
	struct vm_object *object;	/* a reference of its own for each thread */
	u64 seed;
};

static int object_tree_thread(void *arg)
{
	struct tree_race *race = arg;
	struct vm_object *shadow;
	struct rnd_state rnd;
	unsigned int round, i;
	vm_ooffset_t offset;
	struct vm_page *m;
	int bad = 0, ret;

	prandom_seed_state(&rnd, race->seed);
	for (round = 0; round < TREE_ROUNDS && !bad; round++) {
		test_object_share(race->object);
		shadow = race->object;
		offset = 0;
		if (vm_object_shadow(&shadow, &offset, IDX_TO_OFF(OBJECT_SIZE))) {
			vm_object_deallocate(race->object);
			return -ENOMEM;
		}
		for (i = 0; i < OBJECT_SIZE; i++) {
			if (!test_random(&rnd, 4))
				continue;
			m = vm_page_alloc_noobj(VM_ALLOC_NORMAL);
			if (!m) {
				bad++;
				break;
			}
			VM_OBJECT_WLOCK(shadow);
			ret = vm_page_insert(m, shadow, i);
			vm_object_collapse(shadow);
			bad += ret || vm_page_lookup(shadow, i) != m;
			VM_OBJECT_WUNLOCK(shadow);
		}
		/* Parents that fork, and children that outlive them. */
		if (test_random(&rnd, 2)) {
			vm_object_deallocate(race->object);
			race->object = shadow;
		} else {
			vm_object_deallocate(shadow);
		}
	}
	vm_object_deallocate(race->object);
	return bad;
}

static void object_trees_on_two_cpus(struct kunit *test)
{
	struct vm_object *object = test_object(test, OBJECT_SIZE);
	struct test_thread *thread[3];
	struct tree_race race[3];
	struct vm_page *ma[32];
	unsigned int i;

	test_insert_all(test, object, 0xffff, ma);
	for (i = 0; i < ARRAY_SIZE(race); i++) {
		test_object_share(object);
		race[i].object = object;
		race[i].seed = 60 + i;
	}
	for (i = 0; i < ARRAY_SIZE(race); i++)
		thread[i] = test_thread(test, test_cpu(i), object_tree_thread, &race[i]);
	for (i = 0; i < ARRAY_SIZE(race); i++)
		KUNIT_EXPECT_EQ(test, 0, test_thread_join(thread[i]));
	/* Only our own reference is left, and nothing before the object. */
	KUNIT_EXPECT_EQ(test, test_refs(object), 1U);
	KUNIT_EXPECT_EQ(test, object->shadow_count, 0U);
	for (i = 0; i < OBJECT_SIZE; i++)
		KUNIT_EXPECT_PTR_EQ(test, test_lookup(object, i), ma[i]);
	vm_object_deallocate(object);
}

/* --- no memory */

/* Far apart, so that each needs nodes of its own. */
static vm_pindex_t far_page(unsigned int i)
{
	return (vm_pindex_t)i << 24;
}

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
		KUNIT_EXPECT_PTR_EQ_MSG(test, test_resolve(shadow, far_page(i)), m[i],
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
			m[i] = test_insert(test, object, c->shift + far_page(i));
		test_object_share(object);
		shadow = test_shadow(test, object, c->shift, 1ULL << 30);
		for (; i < n; i++)
			m[i] = test_insert(test, shadow, far_page(i));
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

/* --- long chains */

#define LEVELS	12	/* generations that have each written one page and live */

/**
 * struct generations - objects of generations, each before that of the one before it
 * @object: the objects, one reference each beside that of the next
 * @ma: the page that each wrote, at its number
 */
struct generations {
	struct vm_object *object[LEVELS];
	struct vm_page *ma[LEVELS];
};

static void generations_make(struct kunit *test, struct generations *g)
{
	unsigned int i;

	for (i = 0; i < LEVELS; i++) {
		if (i) {
			test_object_share(g->object[i - 1]);
			g->object[i] = test_shadow(test, g->object[i - 1], 0, LEVELS);
		} else {
			g->object[i] = test_object(test, LEVELS);
		}
		g->ma[i] = test_insert(test, g->object[i], i);
		*test_page_words(g->ma[i]) = i;
	}
}

static void generations_end(struct generations *g)
{
	unsigned int i;

	for (i = 0; i < LEVELS; i++)
		vm_object_deallocate(g->object[i]);
}

/* Each sees what those before it wrote, and nothing else; who wrote a page has it still. */
static void generations_check(struct kunit *test, struct generations *g)
{
	struct vm_page *m;
	unsigned int i, j;

	for (i = 0; i < LEVELS; i++) {
		KUNIT_EXPECT_PTR_EQ(test, test_lookup(g->object[i], i), g->ma[i]);
		for (j = 0; j < LEVELS; j++) {
			m = test_resolve(g->object[i], j);
			KUNIT_EXPECT_EQ_MSG(test, !!m, j <= i, "page %u of %u", j, i);
			if (m)
				KUNIT_EXPECT_EQ(test, *test_page_words(m), j);
		}
	}
}

static void test_shorten(struct vm_object *object)
{
	VM_OBJECT_WLOCK(object);
	vm_object_shorten(object);
	vm_object_assert_consistent(object);
	VM_OBJECT_WUNLOCK(object);
}

/* The last one gets all of it, and none of the others loses anything. */
static void object_shorten_a_long_chain(struct kunit *test)
{
	unsigned long free = test_free_count();
	struct generations g;
	struct vm_page *m;
	unsigned int i;

	generations_make(test, &g);
	KUNIT_EXPECT_EQ(test, test_depth(g.object[LEVELS - 1]), (unsigned int)LEVELS);
	test_shorten(g.object[LEVELS - 1]);
	KUNIT_EXPECT_EQ(test, test_depth(g.object[LEVELS - 1]), 1U);
	KUNIT_EXPECT_EQ(test, test_free_count(), free - LEVELS - (LEVELS - 1));
	generations_check(test, &g);
	for (i = 0; i < LEVELS - 1; i++) {
		m = test_lookup(g.object[LEVELS - 1], i);
		KUNIT_ASSERT_NOT_NULL(test, m);
		KUNIT_EXPECT_TRUE(test, m->valid && vm_page_is_dirty(m));
		KUNIT_EXPECT_EQ(test, (unsigned int)PQ_ACTIVE, vm_page_queue(m));
	}
	generations_end(&g);
	KUNIT_EXPECT_EQ(test, test_free_count(), free);
}

/* Where each makes its chain shorter when it has grown, no chain becomes long. */
static void object_shorten_keeps_chains_short(struct kunit *test)
{
	unsigned long free = test_free_count();
	struct vm_object *object[64];
	unsigned int i, depth = 0;

	for (i = 0; i < ARRAY_SIZE(object); i++) {
		if (i) {
			test_object_share(object[i - 1]);
			object[i] = test_shadow(test, object[i - 1], 0, ARRAY_SIZE(object));
		} else {
			object[i] = test_object(test, ARRAY_SIZE(object));
		}
		test_insert(test, object[i], i);
		if (test_depth(object[i]) > 4)
			test_shorten(object[i]);
		depth = max(depth, test_depth(object[i]));
	}
	KUNIT_EXPECT_LE(test, depth, 8U);
	KUNIT_EXPECT_GT_MSG(test, test_free_count(), free - 8 * ARRAY_SIZE(object),
			    "copies of copies");
	for (i = 0; i < ARRAY_SIZE(object); i++)
		vm_object_deallocate(object[i]);
	KUNIT_EXPECT_EQ(test, test_free_count(), free);
}

/* What keeps a chain as it is: set up for the object below the last, and undone. */
struct keeps_case {
	const char *name;
	void (*begin)(struct generations *g);
	void (*end)(struct generations *g);
};

static void page_busy(struct generations *g)
{
	vm_page_tryxbusy(g->ma[LEVELS - 2]);
}

static void page_unbusy(struct generations *g)
{
	vm_page_xunbusy(g->ma[LEVELS - 2]);
}

static void page_wire(struct generations *g)
{
	vm_page_wire(g->ma[LEVELS - 2]);
}

static void page_unwire(struct generations *g)
{
	vm_page_unwire(g->ma[LEVELS - 2], PQ_ACTIVE);
}

/* Something is; what, nobody asks who does nothing. */
static void page_in_swap(struct generations *g)
{
	xa_store(&g->object[LEVELS - 2]->swap, 0, g, GFP_KERNEL);
}

static void page_not_in_swap(struct generations *g)
{
	xa_erase(&g->object[LEVELS - 2]->swap, 0);
}

static void memory_short(struct generations *g)
{
	vm_dom.v_free_target += 1UL << 40;
}

static void memory_not_short(struct generations *g)
{
	vm_dom.v_free_target -= 1UL << 40;
}

static void user_has_all(struct generations *g)
{
	g->object[0]->user->exempt = false;
	vm_max_user_pages = 1;
}

static void user_has_room(struct generations *g)
{
	g->object[0]->user->exempt = true;
	vm_max_user_pages = 0;
}

static const struct keeps_case keeps_cases[] = {
	{ "busy", page_busy, page_unbusy },
	{ "wired", page_wire, page_unwire },
	{ "in swap", page_in_swap, page_not_in_swap },
	{ "memory is short", memory_short, memory_not_short },
	{ "user has all he may", user_has_all, user_has_room },
};

KUNIT_ARRAY_PARAM_DESC(keeps, keeps_cases, name);

static void object_shorten_leaves_the_chain(struct kunit *test)
{
	const struct keeps_case *c = test->param_value;
	unsigned long free = test_free_count();
	struct generations g;

	generations_make(test, &g);
	c->begin(&g);
	test_shorten(g.object[LEVELS - 1]);
	KUNIT_EXPECT_EQ(test, test_depth(g.object[LEVELS - 1]), (unsigned int)LEVELS);
	KUNIT_EXPECT_EQ(test, g.object[LEVELS - 1]->resident_page_count, 1UL);
	c->end(&g);
	generations_check(test, &g);
	test_shorten(g.object[LEVELS - 1]);
	KUNIT_EXPECT_EQ(test, test_depth(g.object[LEVELS - 1]), 1U);
	generations_check(test, &g);
	generations_end(&g);
	KUNIT_EXPECT_EQ(test, test_free_count(), free);
}

/* More than a few more than it has itself are too many. */
static void object_shorten_leaves_many_pages(struct kunit *test)
{
	struct vm_object *object = test_object(test, OBJECT_SIZE), *shadow;
	struct vm_page *ma[32], *own[32];

	test_insert_all(test, object, 0x001f, ma);
	test_object_share(object);
	shadow = test_shadow(test, object, 0, OBJECT_SIZE);
	test_insert_all(test, shadow, 0x8000, own);
	test_shorten(shadow);
	KUNIT_EXPECT_PTR_EQ(test, shadow->backing_object, object);
	KUNIT_EXPECT_EQ(test, shadow->resident_page_count, 1UL);
	test_insert_all(test, shadow, 0x7800, own);
	test_shorten(shadow);
	KUNIT_EXPECT_NULL(test, shadow->backing_object);
	KUNIT_EXPECT_EQ(test, shadow->resident_page_count, 10UL);
	vm_object_deallocate(shadow);
	vm_object_deallocate(object);
}

/* A copy that finds no kernel memory leaves what shows as it was. */
static void object_shorten_survives_no_memory(struct kunit *test)
{
	struct vm_object *object, *shadow;
	unsigned int nth, i, done = 0;
	struct vm_page *m, *ma[3];

	test_fail_init(test);
	for (nth = 1; nth < 50 && !done; nth++) {
		object = test_object(test, 1ULL << 30);
		for (i = 0; i < ARRAY_SIZE(ma); i++) {
			ma[i] = test_insert(test, object, far_page(i));
			*test_page_words(ma[i]) = i;
		}
		test_object_share(object);
		shadow = test_shadow(test, object, 0, 1ULL << 30);
		test_fail_from(nth);
		test_shorten(shadow);
		done = !test_fail_done();
		for (i = 0; i < ARRAY_SIZE(ma); i++) {
			m = test_resolve(shadow, far_page(i));
			KUNIT_ASSERT_NOT_NULL(test, m);
			KUNIT_EXPECT_EQ(test, *test_page_words(m), i);
			KUNIT_EXPECT_PTR_EQ(test, test_lookup(object, far_page(i)), ma[i]);
		}
		KUNIT_EXPECT_EQ(test, test_depth(shadow), done ? 1U : 2U);
		vm_object_deallocate(shadow);
		vm_object_deallocate(object);
	}
	KUNIT_EXPECT_TRUE(test, done);
	KUNIT_EXPECT_GT_MSG(test, nth, 3U, "allocations did fail");
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
	KUNIT_CASE_PARAM(object_collapse, collapse_gen_params),
	KUNIT_CASE_PARAM(object_deallocate_collapses, collapse_gen_params),
	KUNIT_CASE(object_collapse_takes_whole_chain),
	KUNIT_CASE(object_collapse_adds_offsets),
	KUNIT_CASE(object_collapse_leaves_what_is_used),
	KUNIT_CASE(object_collapse_stops_at_other_type),
	KUNIT_CASE(object_collapse_keeps_wiring),
	KUNIT_CASE_PARAM(object_collapse_survives_no_memory, no_memory_gen_params),
	KUNIT_CASE(object_exchange_of_many_pages),
	KUNIT_CASE(object_shorten_a_long_chain),
	KUNIT_CASE(object_shorten_keeps_chains_short),
	KUNIT_CASE_PARAM(object_shorten_leaves_the_chain, keeps_gen_params),
	KUNIT_CASE(object_shorten_leaves_many_pages),
	KUNIT_CASE(object_shorten_survives_no_memory),
	KUNIT_CASE_PARAM(object_bypass, bypass_gen_params),
	KUNIT_CASE(object_bypass_merges_the_other),
	KUNIT_CASE(object_child_exit_collapses_parent),
	KUNIT_CASE(object_fork_loop_is_bounded),
	KUNIT_CASE(object_fork_line_is_bounded),
	KUNIT_CASE(object_random_against_model),
	KUNIT_CASE_PARAM(object_coalesce, coalesce_gen_params),
	KUNIT_CASE(object_coalesce_of_nothing),
	KUNIT_CASE(object_trees_on_two_cpus),
	{}
};

static struct kunit_suite vm_object_suite = {
	.name = "bsdvm_vm_object",
	.init = test_pages_init,
	.test_cases = vm_object_cases,
};

kunit_test_suite(vm_object_suite);
