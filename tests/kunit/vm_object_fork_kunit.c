// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Tests of the shadow chains of processes that fork, clip, write and exit: no page may be
 * lost, and no chain grow for ever.
 */
#include "vm_object_kunit.h"

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

static struct kunit_case vm_object_fork_cases[] = {
	KUNIT_CASE(object_child_exit_collapses_parent),
	KUNIT_CASE(object_fork_loop_is_bounded),
	KUNIT_CASE(object_fork_line_is_bounded),
	KUNIT_CASE(object_random_against_model),
	KUNIT_CASE(object_trees_on_two_cpus),
	{}
};

static struct kunit_suite vm_object_fork_suite = {
	.name = "bsdvm_vm_object_fork",
	.init = test_pages_init,
	.test_cases = vm_object_fork_cases,
};

kunit_test_suite(vm_object_fork_suite);
