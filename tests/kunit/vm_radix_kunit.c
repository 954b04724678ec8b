// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Tests that the tree of pages, walked and filled by its nodes, is the tree that the
 * kernel's xarray has: whatever the one puts there the other must find, and take out
 * again.
 */
#include "bsdvm_kunit.h"

#include "vm/vm_object.h"
#include "vm/vm_radix.h"

#define SHAPE_MAX	200

/* Places of a tree. */
struct shape {
	const char *name;
	unsigned int n;
	unsigned long index[SHAPE_MAX];
};

static const struct shape shapes[] = {
	{ "nothing", 0, {} },
	{ "the first place", 1, { 0 } },
	{ "the second", 1, { 1 } },
	{ "the last of a leaf", 1, { XA_CHUNK_MASK } },
	{ "the first behind", 1, { XA_CHUNK_SIZE } },
	{ "far away", 1, { 1UL << 24 } },
	{ "the last of all", 1, { ULONG_MAX } },
	{ "near and far", 3, { 0, 1UL << 13, 1UL << 40 } },
	{ "far and near", 3, { 1UL << 40, 1UL << 13, 0 } },
	{ "a leaf's ends", 4, { 0, XA_CHUNK_MASK, XA_CHUNK_SIZE, 2 * XA_CHUNK_SIZE - 1 } },
	{ "backwards", 5, { 70, 69, 64, 63, 0 } },
};

/* As many entries as a test wants: all that matters is where they are. */
static u64 test_entries[SHAPE_MAX];

static struct shape *test_run_shape(struct kunit *test, unsigned long first, unsigned int n,
				    unsigned int step)
{
	struct shape *shape = kunit_kzalloc(test, sizeof(*shape), GFP_KERNEL);
	unsigned int i;

	KUNIT_ASSERT_NOT_NULL(test, shape);
	shape->name = "a run";
	shape->n = n;
	for (i = 0; i < n; i++)
		shape->index[i] = first + i * step;
	return shape;
}

/* Each shape there is, as @fn(test, shape). */
static void test_shapes(struct kunit *test, void (*fn)(struct kunit *, const struct shape *))
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(shapes); i++)
		fn(test, &shapes[i]);
	fn(test, test_run_shape(test, 0, SHAPE_MAX, 1));
	fn(test, test_run_shape(test, 60, SHAPE_MAX, 1));
	fn(test, test_run_shape(test, 1UL << 30, SHAPE_MAX, 7));
	fn(test, test_run_shape(test, 3, SHAPE_MAX, XA_CHUNK_SIZE));
}

/* What stands at @index and beside it must be the same for both. */
static void expect_same_at(struct kunit *test, struct xarray *tree, unsigned long index,
			   const char *name)
{
	unsigned long at;

	for (at = index - 2; at != index + 3; at++)
		KUNIT_EXPECT_PTR_EQ_MSG(test, vm_radix_lookup(tree, at), xa_load(tree, at),
					"%s: at %lu", name, at);
}

static void expect_same(struct kunit *test, struct xarray *tree, const struct shape *shape)
{
	unsigned int i;

	expect_same_at(test, tree, 0, shape->name);
	expect_same_at(test, tree, XA_CHUNK_SIZE, shape->name);
	expect_same_at(test, tree, ULONG_MAX, shape->name);
	for (i = 0; i < shape->n; i++)
		expect_same_at(test, tree, shape->index[i], shape->name);
}

/* A leaf's count is that of its entries: by it the xarray knows when to free it. */
static void expect_count(struct kunit *test, struct xarray *tree, unsigned long index)
{
	unsigned int i, n = 0;
	struct xa_node *node;

	vm_radix_walk(tree, index, &node);
	if (!node)
		return;
	for (i = 0; i < XA_CHUNK_SIZE; i++)
		n += !!rcu_access_pointer(node->slots[i]);
	KUNIT_EXPECT_EQ_MSG(test, node->count, n, "at %lu", index);
}

/* Take all out, one by one; nothing may be left, not even a node. */
static void test_empty(struct kunit *test, struct xarray *tree, const struct shape *shape)
{
	unsigned int i;

	for (i = 0; i < shape->n; i++) {
		KUNIT_EXPECT_PTR_EQ(test, xa_erase(tree, shape->index[i]),
				    (void *)&test_entries[i]);
		expect_same_at(test, tree, shape->index[i], shape->name);
	}
	KUNIT_EXPECT_TRUE(test, xa_empty(tree));
	xa_destroy(tree);
}

static void find_shape(struct kunit *test, const struct shape *shape)
{
	struct xarray tree;
	unsigned int i;

	xa_init(&tree);
	expect_same(test, &tree, shape);
	for (i = 0; i < shape->n; i++) {
		KUNIT_EXPECT_FALSE(test, xa_err(xa_store(&tree, shape->index[i], &test_entries[i],
							 GFP_KERNEL)));
		KUNIT_EXPECT_PTR_EQ(test, vm_radix_lookup(&tree, shape->index[i]),
				    (void *)&test_entries[i]);
	}
	expect_same(test, &tree, shape);
	test_empty(test, &tree, shape);
}

static void radix_finds_what_the_xarray_stores(struct kunit *test)
{
	test_shapes(test, find_shape);
}

static void insert_shape(struct kunit *test, const struct shape *shape)
{
	struct xarray tree;
	unsigned int i;

	xa_init(&tree);
	for (i = 0; i < shape->n; i++) {
		void *entry = &test_entries[i];

		/* As who puts a page there does it. */
		if (!vm_radix_fill(&tree, shape->index[i], &entry, 1))
			KUNIT_EXPECT_EQ(test, 0, vm_radix_insert(&tree, shape->index[i], entry));
		KUNIT_EXPECT_PTR_EQ(test, xa_load(&tree, shape->index[i]), entry);
		KUNIT_EXPECT_EQ(test, -EEXIST,
				vm_radix_insert(&tree, shape->index[i], test_entries));
		KUNIT_EXPECT_PTR_EQ(test, xa_load(&tree, shape->index[i]), entry);
	}
	for (i = 0; i < shape->n; i++)
		expect_count(test, &tree, shape->index[i]);
	expect_same(test, &tree, shape);
	test_empty(test, &tree, shape);
}

static void radix_puts_what_the_xarray_finds(struct kunit *test)
{
	test_shapes(test, insert_shape);
}

/* A reserved place is no page's and not empty. */
static void radix_leaves_what_is_reserved(struct kunit *test)
{
	void *entry = test_entries;
	struct xarray tree;

	xa_init(&tree);
	KUNIT_EXPECT_EQ(test, 0, xa_reserve(&tree, 5, GFP_KERNEL));
	KUNIT_EXPECT_NULL(test, vm_radix_lookup(&tree, 5));
	KUNIT_EXPECT_EQ(test, 0U, vm_radix_fill(&tree, 5, &entry, 1));
	KUNIT_EXPECT_EQ(test, -EEXIST, vm_radix_insert(&tree, 5, entry));
	KUNIT_EXPECT_EQ(test, 0, vm_radix_insert(&tree, 6, entry));
	xa_release(&tree, 5);
	KUNIT_EXPECT_PTR_EQ(test, xa_erase(&tree, 6), entry);
	KUNIT_EXPECT_TRUE(test, xa_empty(&tree));
}

static void radix_fills_up_to_what_is_in_the_way(struct kunit *test)
{
	void *entries[XA_CHUNK_SIZE];
	struct xarray tree;
	unsigned int i;

	xa_init(&tree);
	for (i = 0; i < XA_CHUNK_SIZE; i++)
		entries[i] = &test_entries[i];
	KUNIT_EXPECT_EQ_MSG(test, 0U, vm_radix_fill(&tree, 0, entries, 4), "there is no leaf");
	KUNIT_EXPECT_EQ(test, 0, vm_radix_insert(&tree, 20, entries[20]));
	KUNIT_EXPECT_EQ(test, 10U, vm_radix_fill(&tree, 10, entries + 10, 30));
	KUNIT_EXPECT_EQ(test, 0U, vm_radix_fill(&tree, 10, entries, 30));
	KUNIT_EXPECT_EQ_MSG(test, 4U, vm_radix_fill(&tree, 60, entries + 60, 30), "up to its end");
	KUNIT_EXPECT_EQ(test, 0U, vm_radix_fill(&tree, 64, entries, 30));
	expect_count(test, &tree, 0);
	for (i = 0; i < XA_CHUNK_SIZE; i++)
		KUNIT_EXPECT_PTR_EQ(test, vm_radix_lookup(&tree, i),
				    (i >= 10 && i <= 20) || i >= 60 ? entries[i] : NULL);
	for (i = 0; i < XA_CHUNK_SIZE; i++)
		xa_erase(&tree, i);
	KUNIT_EXPECT_TRUE(test, xa_empty(&tree));
}

static unsigned int run_before(struct xarray *tree, unsigned long index, unsigned int max)
{
	unsigned int n = 0;

	while (n < max && n < index && xa_load(tree, index - n - 1))
		n++;
	return n;
}

static void run_shape(struct kunit *test, const struct shape *shape)
{
	unsigned long at, last = shape->n ? shape->index[0] : 0;
	struct xa_node *node;
	struct xarray tree;
	unsigned int i, n;

	xa_init(&tree);
	for (i = 0; i < shape->n; i++)
		xa_store(&tree, shape->index[i], &test_entries[i], GFP_KERNEL);
	for (at = last; at < last + SHAPE_MAX + 3 && at >= last; at++) {
		for (n = 0; n < 80; n += 13)
			KUNIT_EXPECT_EQ_MSG(test, vm_radix_run_before(&tree, at, n),
					    run_before(&tree, at, n), "%s: %u before %lu",
					    shape->name, n, at);
		vm_radix_walk(&tree, at, &node);
		if (run_before(&tree, at, 7) == 7)
			KUNIT_EXPECT_TRUE(test, vm_radix_may_follow(node, at, 7));
	}
	test_empty(test, &tree, shape);
}

static void radix_sees_what_stands_in_a_row(struct kunit *test)
{
	test_shapes(test, run_shape);
}

/* --- several at once */

#define RACE_THREADS	2
#define RACE_PLACES	192		/* three leaves */
#define RACE_ROUNDS	20

/**
 * struct race - threads that put pages into one object
 * @object: the object
 * @base: the first place; all want the first RACE_PLACES, and each has as many of its own
 *	behind them, which alternate with those of the others
 * @threads: that have begun
 * @at: how often a thread has come to a place
 * @won: places that were got
 * @lost: places that somebody else had got
 * @failed: what went otherwise
 */
struct race {
	struct vm_object *object;
	vm_pindex_t base;
	atomic_t threads;
	atomic_t at;
	atomic_t won;
	atomic_t lost;
	atomic_t failed;
};

static void race_put(struct race *race, vm_pindex_t pindex)
{
	struct vm_page *m = vm_page_alloc_noobj(VM_ALLOC_NORMAL), *found;
	int ret;

	if (!m) {
		atomic_inc(&race->failed);
		return;
	}
	m->valid = 1;
	vm_page_enqueue(m, PQ_ACTIVE);
	ret = vm_page_insert(m, race->object, pindex);
	/* Whoever has won: all of it is to be seen. */
	found = vm_page_lookup(race->object, pindex);
	if (!found || found->object != race->object || found->pindex != pindex ||
	    (ret ? found == m : found != m) || (ret && ret != -EEXIST))
		atomic_inc(&race->failed);
	atomic_inc(ret ? &race->lost : &race->won);
	if (ret)
		vm_page_free(m);
}

static int race_thread(void *arg)
{
	struct race *race = arg;
	int me = atomic_fetch_inc(&race->threads), i;

	for (i = 0; i < RACE_PLACES; i++) {
		VM_OBJECT_RLOCK(race->object);
		atomic_inc(&race->at);
		while (atomic_read(&race->at) < RACE_THREADS * (i + 1))
			cond_resched();
		race_put(race, race->base + i);
		race_put(race, race->base + RACE_PLACES + RACE_THREADS * i + me);
		VM_OBJECT_RUNLOCK(race->object);
	}
	return 0;
}

static void race_round(struct kunit *test, vm_pindex_t base)
{
	struct race *race = kunit_kzalloc(test, sizeof(*race), GFP_KERNEL);
	const int places = (1 + RACE_THREADS) * RACE_PLACES;
	struct test_thread *thread[RACE_THREADS];
	int i;

	KUNIT_ASSERT_NOT_NULL(test, race);
	race->object = vm_object_allocate_anon(base + places);
	KUNIT_ASSERT_NOT_NULL(test, race->object);
	race->base = base;
	for (i = 0; i < ARRAY_SIZE(thread); i++)
		thread[i] = test_thread(test, test_cpu(i), race_thread, race);
	for (i = 0; i < ARRAY_SIZE(thread); i++)
		test_thread_join(thread[i]);
	KUNIT_EXPECT_EQ(test, atomic_read(&race->failed), 0);
	KUNIT_EXPECT_EQ(test, atomic_read(&race->won), places);
	KUNIT_EXPECT_EQ(test, atomic_read(&race->lost), RACE_PLACES);
	VM_OBJECT_WLOCK(race->object);
	KUNIT_EXPECT_EQ(test, race->object->resident_page_count, (unsigned long)places);
	vm_object_assert_consistent(race->object);
	for (i = 0; i < places; i++)
		expect_count(test, &race->object->pages, base + i);
	vm_object_page_remove(race->object, 0, 0, OBJPR_NOTMAPPED);
	KUNIT_EXPECT_TRUE_MSG(test, xa_empty(&race->object->pages), "a node is left");
	KUNIT_EXPECT_EQ(test, race->object->resident_page_count, 0UL);
	VM_OBJECT_WUNLOCK(race->object);
	vm_object_deallocate(race->object);
}

/*
 * Two want the same place, and one of them gets it; then each puts one beside the other's;
 * the leaves are made meanwhile, and the tree grows.
 */
static void radix_gives_each_place_to_one(struct kunit *test)
{
	unsigned int round;

	for (round = 0; round < RACE_ROUNDS; round++)
		race_round(test, round % 2 ? (1UL << 18) - 70 : 0);
}

static struct kunit_case radix_cases[] = {
	KUNIT_CASE(radix_finds_what_the_xarray_stores),
	KUNIT_CASE(radix_puts_what_the_xarray_finds),
	KUNIT_CASE(radix_leaves_what_is_reserved),
	KUNIT_CASE(radix_fills_up_to_what_is_in_the_way),
	KUNIT_CASE(radix_sees_what_stands_in_a_row),
	KUNIT_CASE(radix_gives_each_place_to_one),
	{}
};

static struct kunit_suite radix_suite = {
	.name = "bsdvm_vm_radix",
	.init = test_pages_init,
	.test_cases = radix_cases,
};

kunit_test_suite(radix_suite);
