// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Tests of long chains that are made shorter by copies.
 */
#include "vm_object_kunit.h"

#include "vm/vm_user.h"

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
			ma[i] = test_insert(test, object, test_far_page(i));
			*test_page_words(ma[i]) = i;
		}
		test_object_share(object);
		shadow = test_shadow(test, object, 0, 1ULL << 30);
		test_fail_from(nth);
		test_shorten(shadow);
		done = !test_fail_done();
		for (i = 0; i < ARRAY_SIZE(ma); i++) {
			m = test_resolve(shadow, test_far_page(i));
			KUNIT_ASSERT_NOT_NULL(test, m);
			KUNIT_EXPECT_EQ(test, *test_page_words(m), i);
			KUNIT_EXPECT_PTR_EQ(test, test_lookup(object, test_far_page(i)), ma[i]);
		}
		KUNIT_EXPECT_EQ(test, test_depth(shadow), done ? 1U : 2U);
		vm_object_deallocate(shadow);
		vm_object_deallocate(object);
	}
	KUNIT_EXPECT_TRUE(test, done);
	KUNIT_EXPECT_GT_MSG(test, nth, 3U, "allocations did fail");
}

static struct kunit_case vm_object_shorten_cases[] = {
	KUNIT_CASE(object_shorten_a_long_chain),
	KUNIT_CASE(object_shorten_keeps_chains_short),
	KUNIT_CASE_PARAM(object_shorten_leaves_the_chain, keeps_gen_params),
	KUNIT_CASE(object_shorten_leaves_many_pages),
	KUNIT_CASE(object_shorten_survives_no_memory),
	{}
};

static struct kunit_suite vm_object_shorten_suite = {
	.name = "bsdvm_vm_object_shorten",
	.init = test_pages_init,
	.test_cases = vm_object_shorten_cases,
};

kunit_test_suite(vm_object_shorten_suite);
