// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Random operations on a map, against an array of pages.
 */
#include "vm_map_table_kunit.h"

/* --- against a model */

#define MODEL_STEPS	100000

struct model_page {
	bool mapped;
	u8 prot;
	u8 max;
	u8 inherit;
	u32 eflags;
	char object;
	u64 offset;
};

struct model {
	struct model_page pages[MAP_PAGES];
	unsigned int successes;
};

static bool model_free(struct model *model, u64 start, u64 end)
{
	for (; start < end; start++) {
		if (model->pages[start].mapped)
			return false;
	}
	return true;
}

static void model_map(struct model *model, const struct map_op *op)
{
	struct model_page *p;
	u64 page;

	for (page = op->start; page < op->end; page++) {
		p = &model->pages[page];
		memset(p, 0, sizeof(*p));
		p->mapped = true;
		p->prot = op->arg;
		p->max = op->max ?: ALL;
		p->inherit = op->cow & MAP_INHERIT_SHARE ? VM_INHERIT_SHARE : VM_INHERIT_COPY;
		if (op->cow & MAP_CREATE_GUARD)
			p->eflags |= MAP_ENTRY_GUARD;
		if (op->cow & MAP_DISABLE_COREDUMP)
			p->eflags |= MAP_ENTRY_NOCOREDUMP;
		p->object = op->object;
		p->offset = op->object ? op->offset + (page - op->start) : 0;
		if (!p->object && (p->prot & W))
			p->eflags |= MAP_ENTRY_CHARGED;
	}
}

/* What the operation must answer; done in the model when that is a success. */
static int model_op(struct model *model, const struct map_op *op)
{
	struct model_page *p;
	u64 page;

	switch (op->op) {
	case INSERT:
	case EXCL:
	case FIXED:
		if (op->end > MAP_PAGES || op->start >= op->end)
			return KERN_INVALID_ADDRESS;
		if (op->arg & ~(op->max ?: ALL))
			return KERN_INVALID_ARGUMENT;
		if (op->op != FIXED && !model_free(model, op->start, op->end))
			return KERN_NO_SPACE;
		model_map(model, op);
		break;
	case REMOVE:
		for (page = op->start; page < op->end; page++)
			model->pages[page].mapped = false;
		break;
	case PROTECT:
	case MAXPROT:
		for (page = op->start; page < op->end; page++) {
			p = &model->pages[page];
			if (p->mapped && !(p->eflags & MAP_ENTRY_GUARD) && (op->arg & ~p->max))
				return KERN_PROTECTION_FAILURE;
		}
		for (page = op->start; page < op->end; page++) {
			p = &model->pages[page];
			if (p->eflags & MAP_ENTRY_GUARD)
				continue;
			if (op->op == PROTECT)
				p->prot = op->arg;
			else
				p->max = op->arg;
			p->prot &= p->max;
			/* Once paid for, always paid for. */
			if (op->op == PROTECT && p->mapped && !p->object && (p->prot & W))
				p->eflags |= MAP_ENTRY_CHARGED;
		}
		break;
	case INHERIT:
		if (op->arg > VM_INHERIT_ZERO)
			return KERN_INVALID_ARGUMENT;
		for (page = op->start; page < op->end; page++) {
			p = &model->pages[page];
			if (!(p->eflags & MAP_ENTRY_GUARD) || op->arg != VM_INHERIT_ZERO)
				p->inherit = op->arg;
		}
		break;
	default:
		break;
	}
	return KERN_SUCCESS;
}

static bool model_same_entry(const struct model_page *a, const struct model_page *b)
{
	return a->mapped && b->mapped && a->prot == b->prot && a->max == b->max &&
	       a->inherit == b->inherit && a->eflags == b->eflags && a->object == b->object &&
	       (!a->object || a->offset + 1 == b->offset);
}

static void model_check_entry(struct kunit *test, struct test_map *tm, struct model *model,
			      struct vm_map_entry *entry, unsigned int step)
{
	const struct model_page *p;
	u64 page;

	for (page = test_page_of(entry->start); page < test_page_of(entry->end); page++) {
		p = &model->pages[page];
		if (p->mapped && p->prot == entry->protection && p->max == entry->max_protection &&
		    p->inherit == entry->inheritance && p->eflags == entry->eflags &&
		    p->object == (entry->object ? test_map_object_name(tm, entry->object) : 0) &&
		    (!p->object || ptoa(p->offset) == entry->offset + test_va(page) - entry->start))
			continue;
		KUNIT_FAIL_AND_ABORT(test, "step %u, page %llu: %u^%u inherit %u %c+%llu, not %s",
				     step, page, p->prot, p->max, p->inherit, p->object ?: '-',
				     p->offset, test_map_describe(tm, &tm->map));
	}
}

/* Every page as the model has it, in as few entries as can be. */
static void model_check(struct kunit *test, struct test_map *tm, struct model *model,
			unsigned int step)
{
	unsigned long entries = 0, mapped = 0, found = 0;
	struct vm_map_entry *entry;
	unsigned int page;

	for (page = 0; page < MAP_PAGES; page++) {
		if (!model->pages[page].mapped)
			continue;
		mapped++;
		if (!page || !model_same_entry(&model->pages[page - 1], &model->pages[page]))
			entries++;
	}
	VM_MAP_ENTRY_FOREACH(entry, &tm->map) {
		model_check_entry(test, tm, model, entry, step);
		found += atop(entry->end - entry->start);
	}
	KUNIT_ASSERT_EQ_MSG(test, found, mapped, "step %u", step);
	KUNIT_ASSERT_EQ_MSG(test, tm->map.nentries, entries, "step %u: %s", step,
			    test_map_describe(tm, &tm->map));
}

static u64 model_findspace(struct model *model, u64 start, u64 length, u64 align, u64 max)
{
	u64 page;

	for (page = round_up(start, align); page + length <= min_t(u64, max, MAP_PAGES);
	     page += align) {
		if (model_free(model, page, page + length))
			return page;
	}
	return MAP_PAGES;
}

/* First fit at or behind a hint, then anywhere. */
static void model_find(struct kunit *test, struct test_map *tm, struct model *model,
		       struct map_op *op, struct rnd_state *rnd, unsigned int step)
{
	struct vm_object *object = op->object ? tm->objects[op->object - 'A'] : NULL;
	u64 length = op->end - op->start, align = 1ULL << test_random(rnd, 4), place;
	u64 max = test_random(rnd, 4) ? MAP_PAGES : test_random(rnd, MAP_PAGES);
	vm_offset_t addr = test_va(op->start);
	int rv, want = KERN_SUCCESS;

	place = model_findspace(model, op->start, length, align, max);
	if (place == MAP_PAGES)
		place = model_findspace(model, 0, length, align, max);
	if (place == MAP_PAGES)
		want = KERN_NO_SPACE;
	else if (op->arg & ~(op->max ?: ALL))
		want = KERN_INVALID_ARGUMENT;

	vm_object_reference(object);
	rv = vm_map_find(&tm->map, object, IDX_TO_OFF(op->offset), &addr, ptoa(length),
			 ptoa(align), test_va(max), op->arg, op->max ?: ALL, op->cow);
	KUNIT_ASSERT_EQ_MSG(test, rv, want, "step %u: %llu pages, %s", step, length,
			    test_map_describe(tm, &tm->map));
	if (rv != KERN_SUCCESS) {
		vm_object_deallocate(object);
		return;
	}
	KUNIT_ASSERT_EQ_MSG(test, test_page_of(addr), place, "step %u: %llu pages", step, length);
	op->start = place;
	op->end = place + length;
	model_map(model, op);
	model->successes++;
}

static void model_lookup(struct kunit *test, struct test_map *tm, struct model *model,
			 u64 page, unsigned int step)
{
	struct vm_map_entry *entry, *ge;
	u64 next = page;
	bool found;

	vm_map_lock_read(&tm->map);
	found = vm_map_lookup_entry(&tm->map, test_va(page) + 77, &entry);
	ge = vm_map_lookup_entry_ge(&tm->map, test_va(page) + 77);
	vm_map_unlock_read(&tm->map);
	KUNIT_ASSERT_EQ_MSG(test, found, model->pages[page].mapped, "step %u", step);
	if (found) {
		KUNIT_ASSERT_TRUE(test,
				  entry->start <= test_va(page) && entry->end > test_va(page));
		KUNIT_ASSERT_PTR_EQ(test, ge, entry);
		return;
	}
	while (next < MAP_PAGES && !model->pages[next].mapped)
		next++;
	while (page && !model->pages[page - 1].mapped)
		page--;
	if (page)
		KUNIT_ASSERT_TRUE(test, entry && entry->end == test_va(page));
	else
		KUNIT_ASSERT_NULL(test, entry);
	if (next < MAP_PAGES)
		KUNIT_ASSERT_TRUE(test, ge && ge->start == test_va(next));
	else
		KUNIT_ASSERT_NULL(test, ge);
}

static void model_random_op(struct map_op *op, struct rnd_state *rnd)
{
	static const vm_prot_t prots[] = { 0, R, RW, R | X };

	memset(op, 0, sizeof(*op));
	/* Short ranges mostly, at few places, so that entries meet again. */
	op->start = test_random(rnd, MAP_PAGES);
	op->end = op->start + 1 + test_random(rnd, test_random(rnd, 4) ? 8 : 40);
	op->op = INSERT + test_random(rnd, REMOVE - INSERT + 1);
	if (op->op == INHERIT) {
		op->arg = test_random(rnd, 5);
	} else {
		op->arg = prots[test_random(rnd, ARRAY_SIZE(prots))];
		if (!test_random(rnd, 6))
			op->max = test_random(rnd, 2) ? RW : R;
	}
	/* Maxima that only shrink would soon leave nothing to protect. */
	if (op->op == MAXPROT && op->arg != R && op->arg != RW)
		op->op = REMOVE;
	if (op->op == REMOVE || op->op == PROTECT || op->op == MAXPROT || op->op == INHERIT) {
		op->end = min_t(u64, op->end, MAP_PAGES);
		return;
	}
	switch (test_random(rnd, 8)) {
	case 0:
		op->cow = MAP_CREATE_GUARD;
		op->arg = 0;
		break;
	case 1:
		op->cow = MAP_INHERIT_SHARE;
		break;
	case 2:
		op->cow = MAP_DISABLE_COREDUMP;
		break;
	case 3:
	case 4:
		/* One object at the same place in map and object: it can merge. */
		op->object = 'A';
		op->offset = op->start;
		break;
	case 5:
		op->object = 'A' + test_random(rnd, OBJECTS);
		op->offset = test_random(rnd, 100);
		break;
	}
}

static void map_random_against_model(struct kunit *test)
{
	struct test_map *tm = test_map(test);
	struct rnd_state rnd;
	struct model *model;
	unsigned int step;
	struct map_op op;
	int rv;

	test_seed(test, &rnd, 70);
	model = kunit_kzalloc(test, sizeof(*model), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, model);
	for (step = 0; step < MODEL_STEPS; step++) {
		model_random_op(&op, &rnd);
		switch (test_random(&rnd, 8)) {
		case 0:
			model_lookup(test, tm, model, op.start, step);
			continue;
		case 1:
			if (op.op > EXCL)
				break;
			model_find(test, tm, model, &op, &rnd, step);
			break;
		default:
			rv = model_op(model, &op);
			KUNIT_ASSERT_EQ_MSG(test, test_map_op(tm, &op), rv, "step %u", step);
			model->successes += rv == KERN_SUCCESS;
			break;
		}
		/* An error shows soon enough, and a later check costs less. */
		if (step % 8 == 0)
			model_check(test, tm, model, step);
	}
	model_check(test, tm, model, step);
	test_map_expect_references(test, tm);
	KUNIT_EXPECT_GT_MSG(test, model->successes, MODEL_STEPS / 3, "most did something");
}

static struct kunit_case vm_map_model_cases[] = {
	KUNIT_CASE(map_random_against_model),
	{}
};

static struct kunit_suite vm_map_model_suite = {
	.name = "bsdvm_vm_map_model",
	.init = test_pages_init,
	.test_cases = vm_map_model_cases,
};

kunit_test_suite(vm_map_model_suite);
