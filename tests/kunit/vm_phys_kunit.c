// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Tests of the buddy allocator, on private domains over frames that nobody has:
 * vm_phys never looks into a frame.
 */
#include "bsdvm_kunit.h"

#define SLOT_PAGES	(1U << (VM_NFREEORDER - 1))
#define SLOT_SIZE	ptoa((u64)SLOT_PAGES)
#define BASE		0x100000000000ULL	/* aligned to a slot */

static void test_domain_fini(void *arg)
{
	struct vm_phys_domain *vd = arg;

	/* A test that failed may have left pages allocated: no complaint here. */
	vd->free_count = vd->page_count;
	vm_phys_domain_fini(vd);
}

static struct vm_phys_domain *test_domain_empty(struct kunit *test)
{
	struct vm_phys_domain *vd = kunit_kzalloc(test, sizeof(*vd), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, vd);
	KUNIT_ASSERT_EQ(test, 0, kunit_add_action_or_reset(test, test_domain_fini, vd));
	return vd;
}

/* Segments are given in pages from BASE. */
struct test_seg {
	u64 start;
	u64 end;
};

static struct vm_phys_domain *test_domain(struct kunit *test,
					  const struct test_seg *segs,
					  unsigned int n)
{
	struct vm_phys_domain *vd = test_domain_empty(test);
	unsigned int i;

	for (i = 0; i < n; i++)
		KUNIT_ASSERT_EQ(test, 0, vm_phys_domain_add_seg(vd, BASE + ptoa(segs[i].start),
								BASE + ptoa(segs[i].end)));
	KUNIT_ASSERT_EQ(test, 0, vm_phys_domain_init(vd));
	return vd;
}

static struct vm_phys_domain *test_domain_slots(struct kunit *test, u64 slots)
{
	struct test_seg seg = { 0, slots * SLOT_PAGES };

	return test_domain(test, &seg, 1);
}

/* Place of a page, in pages from BASE. */
static u64 test_place(const struct vm_page *m)
{
	return atop(m->phys_addr - BASE);
}

static unsigned int test_blocks(struct vm_phys_domain *vd, unsigned int order)
{
	return list_count_nodes(&vd->free_lists[order]);
}

/* Is everything free, in the blocks that it began with? */
static void test_expect_blocks(struct kunit *test, struct vm_phys_domain *vd,
			       const unsigned int *blocks)
{
	unsigned int order;

	KUNIT_EXPECT_TRUE(test, vm_phys_domain_check(vd));
	for (order = 0; order < VM_NFREEORDER; order++)
		KUNIT_EXPECT_EQ_MSG(test, test_blocks(vd, order), blocks[order],
				    "order %u", order);
}

static struct vm_page **test_page_array(struct kunit *test, unsigned int n)
{
	struct vm_page **ma = kunit_kcalloc(test, n, sizeof(*ma), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, ma);
	return ma;
}

static void phys_start_is_largest_blocks(struct kunit *test)
{
	struct vm_phys_domain *vd = test_domain_slots(test, 3);
	const unsigned int blocks[VM_NFREEORDER] = { [VM_NFREEORDER - 1] = 3 };

	KUNIT_EXPECT_EQ(test, vd->page_count, 3UL * SLOT_PAGES);
	KUNIT_EXPECT_EQ(test, vd->free_count, vd->page_count);
	test_expect_blocks(test, vd, blocks);
}

static void phys_split_frees_upper_halves(struct kunit *test)
{
	struct vm_phys_domain *vd = test_domain_slots(test, 1);
	unsigned int order;
	struct vm_page *m;

	m = vm_phys_domain_alloc_pages(vd, 0);
	KUNIT_ASSERT_NOT_NULL(test, m);
	KUNIT_EXPECT_EQ(test, test_place(m), 0ULL);
	KUNIT_EXPECT_EQ(test, m->order, VM_NFREEORDER);
	KUNIT_EXPECT_EQ(test, vd->free_count, SLOT_PAGES - 1UL);
	for (order = 0; order < VM_NFREEORDER - 1; order++) {
		KUNIT_ASSERT_EQ(test, test_blocks(vd, order), 1);
		m = list_first_entry(&vd->free_lists[order], struct vm_page, plinks);
		KUNIT_EXPECT_EQ(test, test_place(m), 1ULL << order);
	}
	KUNIT_EXPECT_EQ(test, test_blocks(vd, VM_NFREEORDER - 1), 0);
	KUNIT_EXPECT_TRUE(test, vm_phys_domain_check(vd));
}

static void phys_split_stops_at_order(struct kunit *test)
{
	struct vm_phys_domain *vd;
	unsigned int order, o;
	struct vm_page *m;

	for (order = 0; order < VM_NFREEORDER; order++) {
		vd = test_domain_slots(test, 1);
		m = vm_phys_domain_alloc_pages(vd, order);
		KUNIT_ASSERT_NOT_NULL(test, m);
		KUNIT_EXPECT_EQ(test, vd->free_count, SLOT_PAGES - (1UL << order));
		for (o = 0; o < VM_NFREEORDER; o++)
			KUNIT_EXPECT_EQ_MSG(test, test_blocks(vd, o),
					    o >= order && o < VM_NFREEORDER - 1,
					    "order %u after taking %u", o, order);
		vm_phys_domain_free_pages(vd, m, order);
		KUNIT_EXPECT_EQ(test, test_blocks(vd, VM_NFREEORDER - 1), 1);
	}
}

/* The smallest block that is large enough goes, so that large ones last. */
static void phys_takes_smallest_block(struct kunit *test)
{
	const struct test_seg segs[] = { { 0, 2 * SLOT_PAGES }, { 2048, 2050 }, { 4100, 4104 } };
	struct vm_phys_domain *vd = test_domain(test, segs, ARRAY_SIZE(segs));

	KUNIT_EXPECT_EQ(test, test_place(vm_phys_domain_alloc_pages(vd, 0)), 2048ULL);
	KUNIT_EXPECT_EQ(test, test_place(vm_phys_domain_alloc_pages(vd, 1)), 4100ULL);
	KUNIT_EXPECT_EQ(test, test_blocks(vd, VM_NFREEORDER - 1), 2);
	KUNIT_EXPECT_TRUE(test, vm_phys_domain_check(vd));
}

static void test_shuffle(struct rnd_state *rnd, struct vm_page **ma, unsigned int n)
{
	while (n > 1) {
		unsigned int i = test_random(rnd, n--);

		swap(ma[i], ma[n]);
	}
}

/* Whatever the order pages are freed in, all of them merge. */
static void phys_merge_in_any_order(struct kunit *test)
{
	const unsigned int blocks[VM_NFREEORDER] = { [VM_NFREEORDER - 1] = 2 };
	struct vm_phys_domain *vd = test_domain_slots(test, 2);
	unsigned int n = 2 * SLOT_PAGES, round, i;
	struct rnd_state rnd;
	struct vm_page **ma;

	test_seed(test, &rnd, 1);
	ma = test_page_array(test, n);
	for (round = 0; round < 6; round++) {
		for (i = 0; i < n; i++) {
			ma[i] = vm_phys_domain_alloc_pages(vd, 0);
			KUNIT_ASSERT_NOT_NULL(test, ma[i]);
		}
		if (round == 1) {
			for (i = 0; i < n / 2; i++)
				swap(ma[i], ma[n - 1 - i]);
		} else if (round > 1) {
			test_shuffle(&rnd, ma, n);
		}
		for (i = 0; i < n; i++)
			vm_phys_domain_free_pages(vd, ma[i], 0);
		test_expect_blocks(test, vd, blocks);
	}
}

static void phys_used_buddy_does_not_merge(struct kunit *test)
{
	struct vm_phys_domain *vd = test_domain_slots(test, 1);
	struct vm_page *m[4];
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(m); i++) {
		m[i] = vm_phys_domain_alloc_pages(vd, 0);
		KUNIT_ASSERT_EQ(test, test_place(m[i]), (u64)i);
	}
	/* 1 and 2 are neighbours, but no buddies. */
	vm_phys_domain_free_pages(vd, m[1], 0);
	vm_phys_domain_free_pages(vd, m[2], 0);
	KUNIT_EXPECT_EQ(test, test_blocks(vd, 0), 2);
	KUNIT_EXPECT_EQ(test, test_blocks(vd, 1), 0);
	vm_phys_domain_free_pages(vd, m[0], 0);
	KUNIT_EXPECT_EQ(test, test_blocks(vd, 0), 1);
	KUNIT_EXPECT_EQ(test, test_blocks(vd, 1), 1);
	KUNIT_EXPECT_TRUE(test, vm_phys_domain_check(vd));
	vm_phys_domain_free_pages(vd, m[3], 0);
	KUNIT_EXPECT_EQ(test, test_blocks(vd, VM_NFREEORDER - 1), 1);
}

static void phys_exhaustion(struct kunit *test)
{
	struct vm_phys_domain *vd = test_domain_slots(test, 1);
	struct vm_page **m = test_page_array(test, SLOT_PAGES);
	unsigned int i;

	for (i = 0; i < SLOT_PAGES; i++) {
		m[i] = vm_phys_domain_alloc_pages(vd, 0);
		KUNIT_ASSERT_NOT_NULL(test, m[i]);
		/* Each page once. */
		KUNIT_ASSERT_EQ(test, m[i]->wire_count.counter, 0);
		m[i]->wire_count.counter = 1;
	}
	KUNIT_EXPECT_EQ(test, vd->free_count, 0UL);
	for (i = 0; i < VM_NFREEORDER; i++)
		KUNIT_EXPECT_NULL(test, vm_phys_domain_alloc_pages(vd, i));

	vm_phys_domain_free_pages(vd, m[6], 0);
	KUNIT_EXPECT_NULL(test, vm_phys_domain_alloc_pages(vd, 1));
	KUNIT_EXPECT_PTR_EQ(test, vm_phys_domain_alloc_pages(vd, 0), m[6]);
	KUNIT_EXPECT_NULL(test, vm_phys_domain_alloc_pages(vd, 0));
	vm_phys_domain_free_pages(vd, m[6], 0);
	vm_phys_domain_free_pages(vd, m[7], 0);
	KUNIT_EXPECT_PTR_EQ(test, vm_phys_domain_alloc_pages(vd, 1), m[6]);
	KUNIT_EXPECT_TRUE(test, vm_phys_domain_check(vd));
}

/* --- segments */

struct add_case {
	const char *name;
	struct test_seg segs[4];	/* up to an empty one */
	struct test_seg added;
	int result;
	unsigned int nsegs;
};

static const struct add_case add_cases[] = {
	{ "first", {}, { 1, 2 }, 0, 1 },
	{ "empty", {}, { 5, 5 }, -EINVAL, 0 },
	{ "reversed", {}, { 6, 5 }, -EINVAL, 0 },
	{ "behind", { { 1, 2 } }, { 4, 5 }, 0, 2 },
	{ "in front", { { 4, 5 } }, { 1, 2 }, 0, 2 },
	{ "between", { { 1, 2 }, { 9, 10 } }, { 4, 5 }, 0, 3 },
	{ "touches from behind", { { 1, 4 } }, { 4, 5 }, 0, 1 },
	{ "touches from in front", { { 4, 5 } }, { 1, 4 }, 0, 1 },
	{ "fills a hole", { { 1, 4 }, { 6, 9 } }, { 4, 6 }, 0, 1 },
	{ "fills a hole of three", { { 1, 4 }, { 6, 9 }, { 11, 12 } }, { 4, 6 }, 0, 2 },
	{ "the same", { { 1, 4 } }, { 1, 4 }, -EINVAL, 1 },
	{ "inside", { { 1, 9 } }, { 4, 5 }, -EINVAL, 1 },
	{ "around", { { 4, 5 } }, { 1, 9 }, -EINVAL, 1 },
	{ "overlaps the end", { { 1, 4 } }, { 3, 6 }, -EINVAL, 1 },
	{ "overlaps the start", { { 4, 6 } }, { 1, 5 }, -EINVAL, 1 },
	{ "overlaps the next", { { 1, 2 }, { 6, 9 } }, { 4, 7 }, -EINVAL, 2 },
};

static void phys_add_seg(struct kunit *test)
{
	const struct add_case *c = test->param_value;
	struct vm_phys_domain *vd = test_domain_empty(test);
	unsigned int i;

	for (i = 0; c->segs[i].end; i++)
		KUNIT_ASSERT_EQ(test, 0, vm_phys_domain_add_seg(vd, BASE + ptoa(c->segs[i].start),
								BASE + ptoa(c->segs[i].end)));
	KUNIT_EXPECT_EQ(test, c->result, vm_phys_domain_add_seg(vd, BASE + ptoa(c->added.start),
								BASE + ptoa(c->added.end)));
	KUNIT_EXPECT_EQ(test, vd->nsegs, c->nsegs);
	for (i = 1; i < vd->nsegs; i++)
		KUNIT_EXPECT_LT(test, vd->segs[i - 1].end, vd->segs[i].start);
}

KUNIT_ARRAY_PARAM_DESC(add, add_cases, name);

static void phys_add_seg_rejects_unaligned(struct kunit *test)
{
	struct vm_phys_domain *vd = test_domain_empty(test);

	KUNIT_EXPECT_EQ(test, -EINVAL, vm_phys_domain_add_seg(vd, BASE + 1, BASE + 4096));
	KUNIT_EXPECT_EQ(test, -EINVAL, vm_phys_domain_add_seg(vd, BASE, BASE + 4095));
	KUNIT_EXPECT_EQ(test, -EINVAL, vm_phys_domain_add_seg(vd, 0, 4096));
	KUNIT_EXPECT_EQ(test, -EINVAL, vm_phys_domain_init(vd));
}

/* Single pages in a random order: the table of segments grows and stays sorted. */
static void phys_add_seg_many(struct kunit *test)
{
	struct vm_phys_domain *vd = test_domain_empty(test);
	unsigned int n = 512, i, j;
	struct rnd_state rnd;
	u16 *place;

	test_seed(test, &rnd, 2);
	place = kunit_kcalloc(test, n, sizeof(*place), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, place);
	for (i = 0; i < n; i++) {
		j = test_random(&rnd, i + 1);
		place[i] = place[j];
		place[j] = i;
	}
	for (i = 0; i < n; i++)
		KUNIT_ASSERT_EQ(test, 0, vm_phys_domain_add_seg(vd, BASE + ptoa(3ULL * place[i]),
								BASE + ptoa(3ULL * place[i] + 1)));
	KUNIT_ASSERT_EQ(test, vd->nsegs, n);
	for (i = 0; i < n; i++)
		KUNIT_EXPECT_EQ(test, vd->segs[i].start, BASE + ptoa(3ULL * i));
	KUNIT_ASSERT_EQ(test, 0, vm_phys_domain_init(vd));
	KUNIT_EXPECT_EQ(test, vd->free_count, (unsigned long)n);
	KUNIT_EXPECT_EQ(test, test_blocks(vd, 0), n);
	KUNIT_EXPECT_TRUE(test, vm_phys_domain_check(vd));
}

/* --- slots of which we own only part */

struct partial_case {
	const char *name;
	struct test_seg segs[4];	/* up to an empty one */
	unsigned int blocks[VM_NFREEORDER];
};

static const struct partial_case partial_cases[] = {
	{ "first page", { { 0, 1 } }, { [0] = 1 } },
	{ "last page", { { 511, 512 } }, { [0] = 1 } },
	{ "odd ends", { { 3, 17 } }, { [0] = 2, [2] = 1, [3] = 1 } },
	{ "all but the first", { { 1, 512 } },
	  { 1, 1, 1, 1, 1, 1, 1, 1, 1, 0 } },
	{ "all but the last", { { 0, 511 } },
	  { 1, 1, 1, 1, 1, 1, 1, 1, 1, 0 } },
	{ "across two slots", { { 256, 768 } }, { [8] = 2 } },
	{ "two segments in a slot", { { 0, 8 }, { 16, 32 } }, { [3] = 1, [4] = 1 } },
	{ "buddy is not ours", { { 0, 4 }, { 8, 12 } }, { [2] = 2 } },
	{ "a whole slot between parts", { { 508, 1030 } },
	  { [1] = 1, [2] = 2, [9] = 1 } },
	{ "far apart", { { 0, 1 }, { 100 * 512 + 2, 100 * 512 + 4 } },
	  { [0] = 1, [1] = 1 } },
};

static bool partial_owns(const struct partial_case *c, u64 place)
{
	unsigned int i;

	for (i = 0; c->segs[i].end; i++) {
		if (place >= c->segs[i].start && place < c->segs[i].end)
			return true;
	}
	return false;
}

static void phys_partial_slots(struct kunit *test)
{
	const struct partial_case *c = test->param_value;
	struct vm_phys_domain *vd;
	struct vm_page *m, *n;
	LIST_HEAD(taken);
	unsigned int nsegs = 0, count = 0;
	u64 place, last, slot = -1ULL, slots = 0;

	while (c->segs[nsegs].end)
		nsegs++;
	vd = test_domain(test, c->segs, nsegs);
	test_expect_blocks(test, vd, c->blocks);

	/* Every frame finds its page, and no other frame finds one. */
	last = round_up(c->segs[nsegs - 1].end, SLOT_PAGES) + SLOT_PAGES;
	for (place = 0; place < last; place++) {
		m = vm_phys_domain_page(vd, BASE + ptoa(place) + 123);
		if (!partial_owns(c, place)) {
			KUNIT_ASSERT_NULL_MSG(test, m, "frame %llu", place);
			continue;
		}
		KUNIT_ASSERT_NOT_NULL_MSG(test, m, "frame %llu", place);
		KUNIT_ASSERT_EQ(test, test_place(m), place);
		slots += slot != place / SLOT_PAGES;
		slot = place / SLOT_PAGES;
	}
	KUNIT_EXPECT_EQ_MSG(test, vd->npages, slots * SLOT_PAGES, "no slot costs twice");
	KUNIT_EXPECT_NULL(test, vm_phys_domain_page(vd, BASE - 1));
	KUNIT_EXPECT_NULL(test, vm_phys_domain_page(vd, 0));
	KUNIT_EXPECT_NULL(test, vm_phys_domain_page(vd, ~0ULL));

	/* Take it apart and put it together: nothing merges with a foreign frame. */
	while ((m = vm_phys_domain_alloc_pages(vd, 0))) {
		KUNIT_ASSERT_TRUE(test, partial_owns(c, test_place(m)));
		list_add(&m->plinks, &taken);
		count++;
	}
	KUNIT_EXPECT_EQ(test, vd->page_count, (unsigned long)count);
	list_for_each_entry_safe(m, n, &taken, plinks)
		vm_phys_domain_free_pages(vd, m, 0);
	test_expect_blocks(test, vd, c->blocks);
}

KUNIT_ARRAY_PARAM_DESC(partial, partial_cases, name);

/* --- single pages for the caches */

static void phys_npages(struct kunit *test)
{
	struct vm_phys_domain *vd = test_domain_slots(test, 1);
	struct vm_page **ma = test_page_array(test, SLOT_PAGES);
	unsigned int n, i;

	for (n = 1; n <= SLOT_PAGES; n = 2 * n + 1) {
		KUNIT_ASSERT_EQ(test, n, vm_phys_domain_alloc_npages(vd, ma, n, 0));
		KUNIT_EXPECT_EQ(test, vd->free_count, (unsigned long)(SLOT_PAGES - n));
		KUNIT_EXPECT_TRUE(test, vm_phys_domain_check(vd));
		for (i = 0; i < n; i++) {
			KUNIT_ASSERT_EQ(test, ma[i]->order, VM_NFREEORDER);
			KUNIT_ASSERT_EQ(test, ma[i]->wire_count.counter, 0);
			ma[i]->wire_count.counter = 1;
		}
		for (i = 0; i < n; i++)
			ma[i]->wire_count.counter = 0;
		vm_phys_domain_free_npages(vd, ma, n);
		KUNIT_EXPECT_EQ(test, test_blocks(vd, VM_NFREEORDER - 1), 1);
	}
}

static void phys_npages_keeps_reserve(struct kunit *test)
{
	struct vm_phys_domain *vd = test_domain_slots(test, 1);
	struct vm_page **m = test_page_array(test, SLOT_PAGES);

	KUNIT_EXPECT_EQ(test, 500U, vm_phys_domain_alloc_npages(vd, m, 500, 4));
	KUNIT_EXPECT_EQ(test, 8U, vm_phys_domain_alloc_npages(vd, m + 500, 12, 4));
	KUNIT_EXPECT_EQ(test, 0U, vm_phys_domain_alloc_npages(vd, m + 508, 1, 4));
	KUNIT_EXPECT_EQ(test, 0U, vm_phys_domain_alloc_npages(vd, m + 508, 1, 5));
	KUNIT_EXPECT_EQ(test, 1U, vm_phys_domain_alloc_npages(vd, m + 508, 9, 3));
	KUNIT_EXPECT_EQ(test, 3U, vm_phys_domain_alloc_npages(vd, m + 509, 9, 0));
	KUNIT_EXPECT_EQ(test, vd->free_count, 0UL);
	vm_phys_domain_free_npages(vd, m, SLOT_PAGES);
	KUNIT_EXPECT_EQ(test, test_blocks(vd, VM_NFREEORDER - 1), 1);
}

/* --- the check must see what is wrong */

static void phys_check_sees_damage(struct kunit *test)
{
	struct vm_phys_domain *vd = test_domain_slots(test, 2);
	struct vm_page *m, *last;

	m = vm_phys_domain_alloc_pages(vd, 0);
	last = vm_phys_domain_page(vd, BASE + SLOT_SIZE - 1);
	KUNIT_ASSERT_NOT_NULL(test, last);
	KUNIT_EXPECT_TRUE(test, vm_phys_domain_check(vd));

	vd->free_count++;
	KUNIT_EXPECT_FALSE_MSG(test, vm_phys_domain_check(vd), "count");
	vd->free_count--;

	/* Of an order that no neighbour is compared with. */
	m->order = VM_NFREEORDER - 1;
	KUNIT_EXPECT_FALSE_MSG(test, vm_phys_domain_check(vd), "used page marked free");
	m->order = VM_NFREEORDER;

	last->order = 3;
	KUNIT_EXPECT_FALSE_MSG(test, vm_phys_domain_check(vd), "mark inside a free block");
	last->order = VM_NFREEORDER;

	m[1].order = 1;
	KUNIT_EXPECT_FALSE_MSG(test, vm_phys_domain_check(vd), "wrong order on a list");
	m[1].order = 0;

	m[1].phys_addr += VM_PAGE_SIZE;
	KUNIT_EXPECT_FALSE_MSG(test, vm_phys_domain_check(vd), "wrong address");
	m[1].phys_addr -= VM_PAGE_SIZE;

	/* The free buddy of a free page, not merged. */
	m->order = 0;
	list_add(&m->plinks, &vd->free_lists[0]);
	vd->free_count++;
	KUNIT_EXPECT_FALSE_MSG(test, vm_phys_domain_check(vd), "buddies not merged");
	list_del(&m->plinks);
	m->order = VM_NFREEORDER;
	vd->free_count--;

	KUNIT_EXPECT_TRUE(test, vm_phys_domain_check(vd));
	vm_phys_domain_free_pages(vd, m, 0);
}

/* --- against a model */

#define MODEL_SLOTS	8
#define MODEL_PAGES	(MODEL_SLOTS * SLOT_PAGES)
#define MODEL_STEPS	30000
#define MODEL_BLOCKS	1024

/* Whole slots, parts of slots, a hole. */
static const struct test_seg model_segs[] = {
	{ 5, 1024 }, { 1100, 1101 }, { 1104, 1500 }, { 2048, 3072 }, { 3500, 4095 },
};

struct model {
	DECLARE_BITMAP(used, MODEL_PAGES);	/* foreign frames are always used */
	struct {
		struct vm_page *m;
		unsigned int order;
	} blocks[MODEL_BLOCKS];
	unsigned int nblocks;
	unsigned long free;
};

static bool model_is_free(struct model *model, u64 place, unsigned int order)
{
	u64 end = place + (1ULL << order);

	return find_next_bit(model->used, end, place) >= end;
}

/* Is there a free aligned run of this order? */
static bool model_can_alloc(struct model *model, unsigned int order)
{
	u64 place;

	for (place = 0; place < MODEL_PAGES; place += 1ULL << order) {
		if (model_is_free(model, place, order))
			return true;
	}
	return false;
}

static void model_alloc(struct kunit *test, struct vm_phys_domain *vd,
			struct model *model, unsigned int order)
{
	struct vm_page *m = vm_phys_domain_alloc_pages(vd, order);
	unsigned int i;

	if (!m) {
		KUNIT_ASSERT_FALSE_MSG(test, model_can_alloc(model, order),
				       "order %u could be allocated", order);
		return;
	}
	KUNIT_ASSERT_TRUE(test, IS_ALIGNED(test_place(m), 1ULL << order));
	KUNIT_ASSERT_LT(test, test_place(m), (u64)MODEL_PAGES);
	KUNIT_ASSERT_TRUE(test, model_is_free(model, test_place(m), order));
	for (i = 0; i < 1U << order; i++)
		KUNIT_ASSERT_EQ(test, test_place(m + i), test_place(m) + i);
	bitmap_set(model->used, test_place(m), 1U << order);
	model->free -= 1UL << order;
	model->blocks[model->nblocks].m = m;
	model->blocks[model->nblocks].order = order;
	model->nblocks++;
}

static void model_free(struct vm_phys_domain *vd, struct model *model, unsigned int i)
{
	struct vm_page *m = model->blocks[i].m;
	unsigned int order = model->blocks[i].order;

	bitmap_clear(model->used, test_place(m), 1U << order);
	model->free += 1UL << order;
	model->blocks[i] = model->blocks[--model->nblocks];
	vm_phys_domain_free_pages(vd, m, order);
}

static void phys_random_against_model(struct kunit *test)
{
	struct vm_phys_domain *vd = test_domain(test, model_segs, ARRAY_SIZE(model_segs));
	unsigned int blocks[VM_NFREEORDER], order, step, i;
	struct rnd_state rnd;
	struct model *model;
	bool fill;

	test_seed(test, &rnd, 3);
	model = kunit_kzalloc(test, sizeof(*model), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, model);
	bitmap_fill(model->used, MODEL_PAGES);
	for (i = 0; i < ARRAY_SIZE(model_segs); i++) {
		u64 n = model_segs[i].end - model_segs[i].start;

		bitmap_clear(model->used, model_segs[i].start, n);
		model->free += n;
	}
	for (order = 0; order < VM_NFREEORDER; order++)
		blocks[order] = test_blocks(vd, order);

	for (step = 0; step < MODEL_STEPS; step++) {
		/* Fill and empty the domain in turns; small orders more often. */
		fill = step / 1500 % 2 == 0;
		if (model->nblocks < MODEL_BLOCKS &&
		    (!model->nblocks || test_random(&rnd, 8) < (fill ? 5 : 3))) {
			order = min(test_random(&rnd, VM_NFREEORDER),
				    test_random(&rnd, VM_NFREEORDER));
			model_alloc(test, vd, model, order);
		} else if (model->nblocks) {
			model_free(vd, model, test_random(&rnd, model->nblocks));
		}
		KUNIT_ASSERT_EQ_MSG(test, vd->free_count, model->free, "step %u", step);
		if (step % 64 == 0)
			KUNIT_ASSERT_TRUE_MSG(test, vm_phys_domain_check(vd), "step %u", step);
	}
	while (model->nblocks)
		model_free(vd, model, model->nblocks - 1);
	test_expect_blocks(test, vd, blocks);
}

/* --- two CPUs at once */

#define RACE_STEPS	10000
#define RACE_BLOCKS	16

struct race {
	struct vm_phys_domain *vd;
	u64 seed;
};

/* Take blocks, sign each page, give them back if nobody else has signed. */
static int phys_race_thread(void *arg)
{
	struct vm_page *blocks[RACE_BLOCKS] = {};
	unsigned int orders[RACE_BLOCKS], step, i, j;
	struct race *race = arg;
	struct rnd_state rnd;
	int bad = 0;

	prandom_seed_state(&rnd, race->seed);
	for (step = 0; step < RACE_STEPS + RACE_BLOCKS; step++) {
		i = step < RACE_STEPS ? test_random(&rnd, RACE_BLOCKS) : step - RACE_STEPS;
		if (blocks[i]) {
			for (j = 0; j < 1U << orders[i]; j++) {
				bad += blocks[i][j].pindex != race->seed;
				blocks[i][j].pindex = 0;
			}
			vm_phys_domain_free_pages(race->vd, blocks[i], orders[i]);
			blocks[i] = NULL;
		} else if (step < RACE_STEPS) {
			orders[i] = test_random(&rnd, 4);
			blocks[i] = vm_phys_domain_alloc_pages(race->vd, orders[i]);
			for (j = 0; blocks[i] && j < 1U << orders[i]; j++) {
				bad += blocks[i][j].pindex != 0;
				blocks[i][j].pindex = race->seed;
			}
		}
		if (step % 64 == 0)
			cond_resched();
	}
	return bad;
}

/* Few frames, so that lists are empty more often than not. */
static void phys_two_cpus(struct kunit *test)
{
	const unsigned int blocks[VM_NFREEORDER] = { [6] = 1 };
	const struct test_seg seg = { 0, 64 };
	struct vm_phys_domain *vd = test_domain(test, &seg, 1);
	struct race race[2] = { { vd, 4 }, { vd, 5 } };
	struct test_thread *thread[2];
	unsigned int i;

	for (i = 0; i < 2; i++)
		thread[i] = test_thread(test, test_cpu(i), phys_race_thread, &race[i]);
	for (i = 0; i < 2; i++)
		KUNIT_EXPECT_EQ(test, 0, test_thread_join(thread[i]));
	test_expect_blocks(test, vd, blocks);
}

static void phys_pool_is_consistent(struct kunit *test)
{
	struct vm_page *m = vm_page_alloc_noobj(VM_ALLOC_NORMAL);

	KUNIT_ASSERT_NOT_NULL(test, m);
	KUNIT_EXPECT_PTR_EQ(test, PHYS_TO_VM_PAGE(m->phys_addr), m);
	KUNIT_EXPECT_PTR_EQ(test, PHYS_TO_VM_PAGE(m->phys_addr + VM_PAGE_MASK), m);
	KUNIT_EXPECT_LE(test, vm_phys_free_count(), vm_phys_page_count());
	KUNIT_EXPECT_TRUE(test, vm_phys_check());
	vm_page_free(m);
}

static struct kunit_case vm_phys_cases[] = {
	KUNIT_CASE(phys_start_is_largest_blocks),
	KUNIT_CASE(phys_split_frees_upper_halves),
	KUNIT_CASE(phys_split_stops_at_order),
	KUNIT_CASE(phys_takes_smallest_block),
	KUNIT_CASE(phys_merge_in_any_order),
	KUNIT_CASE(phys_used_buddy_does_not_merge),
	KUNIT_CASE(phys_exhaustion),
	KUNIT_CASE_PARAM(phys_add_seg, add_gen_params),
	KUNIT_CASE(phys_add_seg_rejects_unaligned),
	KUNIT_CASE(phys_add_seg_many),
	KUNIT_CASE_PARAM(phys_partial_slots, partial_gen_params),
	KUNIT_CASE(phys_npages),
	KUNIT_CASE(phys_npages_keeps_reserve),
	KUNIT_CASE(phys_check_sees_damage),
	KUNIT_CASE(phys_random_against_model),
	KUNIT_CASE(phys_two_cpus),
	KUNIT_CASE(phys_pool_is_consistent),
	{}
};

static struct kunit_suite vm_phys_suite = {
	.name = "bsdvm_vm_phys",
	.init = test_pages_init,
	.test_cases = vm_phys_cases,
};

kunit_test_suite(vm_phys_suite);
