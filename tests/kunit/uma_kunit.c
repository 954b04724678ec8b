// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Tests of zones, on the real pool: items, constructors, statistics, buckets, and threads
 * against a model. Nobody else uses the pool meanwhile.
 */
#include "uma_kunit.h"

/* --- items */

#define MANY 300

static void uma_check_items(struct kunit *test, size_t size, unsigned int align, u32 flags)
{
	void **items = kunit_kcalloc(test, MANY, sizeof(*items), GFP_KERNEL);
	struct uma_zone *zone;
	unsigned int i;

	KUNIT_ASSERT_NOT_NULL(test, items);
	zone = uma_zcreate("test", size, NULL, NULL, NULL, NULL, align, flags);
	KUNIT_ASSERT_NOT_NULL(test, zone);
	for (i = 0; i < MANY; i++) {
		items[i] = uma_zalloc(zone, i & 1 ? M_WAITOK : M_NOWAIT);
		KUNIT_ASSERT_NOT_NULL(test, items[i]);
		KUNIT_EXPECT_EQ_MSG(test, (unsigned long)items[i] & align, 0UL, "size %zu", size);
		memset(items[i], i, size);
	}
	KUNIT_EXPECT_EQ(test, uma_zone_get_cur(zone), (unsigned long)MANY);
	for (i = 0; i < MANY; i++)
		KUNIT_ASSERT_NULL_MSG(test, memchr_inv(items[i], i, size),
				      "items of %zu bytes overlap", size);
	test_free_items(zone, items, MANY);
	KUNIT_EXPECT_EQ(test, uma_zone_get_cur(zone), 0UL);
	uma_zdestroy(zone);
	kunit_kfree(test, items);
}

static void uma_items_have_their_size_and_alignment(struct kunit *test)
{
	static const size_t sizes[] = {
		1, 7, 8, 16, 17, 40, 64, 100, 128, 255, 500, 512, 900, 1000, 1024, 1300, 2000,
		2032, 2048, 2049, 4000, 4095, 4096,
	};
	static const unsigned int aligns[] = {
		UMA_ALIGN_CHAR, UMA_ALIGN_SHORT, UMA_ALIGN_INT, UMA_ALIGN_PTR, UMA_ALIGN_CACHE,
		511, 4095,
	};
	unsigned int i, j, k;

	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		for (j = 0; j < ARRAY_SIZE(aligns); j++) {
			for (k = 0; k < ARRAY_SIZE(test_uma_modes); k++)
				uma_check_items(test, sizes[i], aligns[j], test_uma_modes[k]);
		}
	}
}

static void uma_zcreate_refuses_nonsense(struct kunit *test)
{
	KUNIT_EXPECT_NULL(test, uma_zcreate("test", 0, NULL, NULL, NULL, NULL, 7, 0));
	KUNIT_EXPECT_NULL(test, uma_zcreate("test", UMA_LARGEST_UNIT + 1, NULL, NULL, NULL, NULL,
					    7, 0));
	KUNIT_EXPECT_NULL(test, uma_zcreate("test", 8, NULL, NULL, NULL, NULL, 8, 0));
	KUNIT_EXPECT_NULL(test, uma_zcreate("test", 8, NULL, NULL, NULL, NULL, 8191, 0));
}

static void uma_zcreate_without_memory(struct kunit *test)
{
	struct uma_zone *zone;
	unsigned int n;
	bool failed;

	test_fail_init(test);
	for (n = 1; n < 20; n++) {
		test_fail_from(n);
		zone = uma_zcreate("test", 100, NULL, NULL, NULL, NULL, UMA_ALIGN_PTR, 0);
		failed = test_fail_done();
		KUNIT_EXPECT_EQ(test, failed, !zone);
		uma_zdestroy(zone);
		if (!failed)
			break;
	}
	KUNIT_EXPECT_GT(test, n, 1U);
	KUNIT_EXPECT_FALSE(test, failed);
}

static void uma_null_is_freed_and_destroyed(struct kunit *test)
{
	struct uma_zone *zone = test_zone(test, 64, 0);

	uma_zfree(zone, NULL);
	uma_zdestroy(NULL);
	KUNIT_EXPECT_EQ(test, uma_zone_get_cur(zone), 0UL);
	KUNIT_EXPECT_EQ(test, test_stats(zone).slabs, 0ULL);
}

/* Both when the item comes from its slab and when it comes from a bucket. */
static void uma_zero_flag_zeroes(struct kunit *test)
{
	unsigned int i, round;
	void *items[40];

	for (i = 0; i < ARRAY_SIZE(test_uma_modes); i++) {
		struct uma_zone *zone = test_zone(test, 200, test_uma_modes[i]);

		for (round = 0; round < 2 * ARRAY_SIZE(items); round++) {
			unsigned int j = round % ARRAY_SIZE(items);

			items[j] = uma_zalloc(zone, M_WAITOK | M_ZERO);
			KUNIT_ASSERT_NOT_NULL(test, items[j]);
			KUNIT_EXPECT_NULL(test, memchr_inv(items[j], 0, 200));
			memset(items[j], 0xff, 200);
			if (j == ARRAY_SIZE(items) - 1)
				test_free_items(zone, items, ARRAY_SIZE(items));
		}
	}
}

/* Zeroed by whoever made the slab; what was stored since stays, free or not. */
static void uma_zinit_items_begin_zero(struct kunit *test)
{
	unsigned int i, j;
	static u8 *items[64];

	for (i = 0; i < ARRAY_SIZE(test_uma_modes); i++) {
		struct uma_zone *zone = test_zone(test, 100, UMA_ZONE_ZINIT | test_uma_modes[i]);

		for (j = 0; j < ARRAY_SIZE(items); j++) {
			items[j] = uma_zalloc(zone, M_WAITOK);
			KUNIT_ASSERT_NOT_NULL(test, items[j]);
			KUNIT_EXPECT_NULL(test, memchr_inv(items[j], 0, 100));
			memset(items[j], 0x5a, 100);
		}
		test_free_items(zone, (void **)items, ARRAY_SIZE(items));
		migrate_disable();
		items[0] = uma_zalloc(zone, M_WAITOK);
		KUNIT_EXPECT_NULL(test, memchr_inv(items[0], 0x5a, 100));
		uma_zfree(zone, items[0]);
		migrate_enable();
	}
}

/* --- constructors and the like */

static struct {
	unsigned int ctors, dtors, inits, finis;
	unsigned int fail_ctor;	/* the next but so many fails, 0: none */
	unsigned int fail_init;
	void *arg;
	int flags;
	int size;
} calls;

#define MADE 0x1234

struct made {
	u32 made;
	u32 used;
	char more[80];
};

static int made_ctor(void *mem, int size, void *arg, int flags)
{
	struct made *item = mem;

	if (calls.fail_ctor && !--calls.fail_ctor)
		return -EPERM;
	calls.ctors += item->made == MADE && !item->used;
	calls.arg = arg;
	calls.flags = flags;
	item->used = 1;
	return 0;
}

static void made_dtor(void *mem, int size, void *arg)
{
	struct made *item = mem;

	calls.dtors += item->made == MADE && item->used;
	calls.arg = arg;
	item->used = 0;
}

static int made_init(void *mem, int size, int flags)
{
	struct made *item = mem;

	if (calls.fail_init && !--calls.fail_init)
		return -EPERM;
	calls.inits++;
	calls.size = size;
	item->made = MADE;
	item->used = 0;
	return 0;
}

static void made_fini(void *mem, int size)
{
	struct made *item = mem;

	calls.finis += item->made == MADE && !item->used;
	item->made = 0;
}

static struct uma_zone *made_zone(u32 flags)
{
	memset(&calls, 0, sizeof(calls));
	return uma_zcreate("made", sizeof(struct made), made_ctor, made_dtor, made_init,
			   made_fini, UMA_ALIGN_PTR, flags);
}

static void uma_callbacks_are_called(struct kunit *test)
{
	unsigned int i, j, arg;
	struct uma_zone *zone;
	static void *items[100];

	for (i = 0; i < ARRAY_SIZE(test_uma_modes); i++) {
		zone = made_zone(test_uma_modes[i]);
		KUNIT_ASSERT_NOT_NULL(test, zone);
		for (j = 0; j < ARRAY_SIZE(items); j++) {
			items[j] = uma_zalloc_arg(zone, &arg, M_NOWAIT);
			KUNIT_ASSERT_NOT_NULL(test, items[j]);
			KUNIT_EXPECT_EQ(test, calls.ctors, j + 1);
			KUNIT_EXPECT_PTR_EQ(test, calls.arg, (void *)&arg);
			KUNIT_EXPECT_EQ(test, calls.flags, M_NOWAIT);
		}
		KUNIT_EXPECT_EQ(test, calls.size, (int)sizeof(struct made));
		KUNIT_EXPECT_GE(test, calls.inits, (unsigned int)ARRAY_SIZE(items));
		for (j = 0; j < ARRAY_SIZE(items); j++) {
			uma_zfree_arg(zone, items[j], items);
			KUNIT_EXPECT_EQ(test, calls.dtors, j + 1);
			KUNIT_EXPECT_PTR_EQ(test, calls.arg, (void *)items);
		}
		KUNIT_EXPECT_EQ(test, calls.finis, 0U);
		uma_zone_reclaim(zone, UMA_RECLAIM_DRAIN_CPU);
		KUNIT_EXPECT_EQ(test, calls.finis, calls.inits);
		items[0] = uma_zalloc(zone, M_WAITOK);
		uma_zfree(zone, items[0]);
		uma_zdestroy(zone);
		KUNIT_EXPECT_EQ(test, calls.finis, calls.inits);
		KUNIT_EXPECT_EQ(test, calls.ctors, calls.dtors);
	}
}

static void uma_ctor_that_refuses(struct kunit *test)
{
	unsigned int i;
	struct uma_zone *zone;
	void *item;

	for (i = 0; i < ARRAY_SIZE(test_uma_modes); i++) {
		zone = made_zone(test_uma_modes[i]);
		KUNIT_ASSERT_NOT_NULL(test, zone);
		calls.fail_ctor = 1;
		KUNIT_EXPECT_NULL(test, uma_zalloc(zone, M_WAITOK));
		calls.fail_ctor = 1;
		KUNIT_EXPECT_NULL(test, uma_zalloc(zone, M_NOWAIT));
		KUNIT_EXPECT_EQ(test, calls.dtors, 0U);
		KUNIT_EXPECT_EQ(test, test_stats(zone).failures, 2ULL);
		KUNIT_EXPECT_EQ(test, test_stats(zone).used, 0ULL);
		item = uma_zalloc(zone, M_WAITOK);
		KUNIT_EXPECT_NOT_NULL(test, item);
		uma_zfree(zone, item);
		uma_zdestroy(zone);
		KUNIT_EXPECT_EQ(test, calls.finis, calls.inits);
	}
}

static void uma_init_that_refuses(struct kunit *test)
{
	unsigned int i, n;
	struct uma_zone *zone;
	void *item;

	for (i = 0; i < ARRAY_SIZE(test_uma_modes); i++) {
		zone = made_zone(test_uma_modes[i] | UMA_ZONE_NOBUCKET);
		KUNIT_ASSERT_NOT_NULL(test, zone);
		for (n = 1; n < 10; n++) {
			calls.fail_init = n;
			KUNIT_EXPECT_NULL(test, uma_zalloc(zone, n & 1 ? M_WAITOK : M_NOWAIT));
			KUNIT_EXPECT_EQ(test, calls.finis, calls.inits);
			KUNIT_EXPECT_EQ(test, test_stats(zone).slabs, 0ULL);
		}
		calls.fail_init = 1;
		KUNIT_EXPECT_EQ(test, -EPERM, uma_prealloc(zone, 1));
		item = uma_zalloc(zone, M_WAITOK);
		KUNIT_EXPECT_NOT_NULL(test, item);
		uma_zfree(zone, item);
		uma_zdestroy(zone);
		KUNIT_EXPECT_EQ(test, calls.finis, calls.inits);
	}
}

/* --- statistics */

static void uma_stats_add_up(struct kunit *test)
{
	unsigned int i, n;
	static void *items[100];

	for (i = 0; i < ARRAY_SIZE(test_uma_modes); i++) {
		struct uma_zone *zone = test_zone(test, 200, test_uma_modes[i]);
		struct uma_stats stats;

		for (n = 0; n < ARRAY_SIZE(items); n++)
			items[n] = uma_zalloc(zone, M_WAITOK);
		test_free_items(zone, items + 60, 40);
		stats = test_stats(zone);
		KUNIT_EXPECT_STREQ(test, stats.name, "test");
		KUNIT_EXPECT_EQ(test, stats.size, 200ULL);
		KUNIT_EXPECT_GE(test, stats.rsize, 200ULL);
		KUNIT_EXPECT_EQ(test, stats.used, 60ULL);
		KUNIT_EXPECT_EQ(test, stats.requests, 100ULL);
		KUNIT_EXPECT_EQ(test, stats.failures, 0ULL);
		KUNIT_EXPECT_EQ(test, stats.sleeps, 0ULL);
		KUNIT_EXPECT_EQ(test, stats.limit, 0ULL);
		KUNIT_EXPECT_EQ(test, stats.pages, stats.slabs);
		KUNIT_EXPECT_GE(test, stats.free, 40ULL);
		/* All of it is in slabs, but for their headers and what is left of a page. */
		KUNIT_EXPECT_LE(test, (stats.used + stats.free) * stats.rsize, stats.pages * 4096);
		KUNIT_EXPECT_GE(test, (stats.used + stats.free + stats.slabs) * stats.rsize +
				stats.slabs * 128, stats.pages * 4096);
		test_free_items(zone, items, 60);
	}
}

static void uma_zones_are_listed(struct kunit *test)
{
	struct uma_stats stats;
	unsigned int i, n, found = 0;
	struct uma_zone *zone;
	void *item;

	for (n = 0; !uma_zone_stats(n, &stats); n++)
		KUNIT_EXPECT_STRNEQ(test, stats.name, "test listed");
	KUNIT_EXPECT_GT(test, n, 5U);
	zone = test_zone_keep(test, uma_zcreate("test listed", 40, NULL, NULL, NULL, NULL,
						UMA_ALIGN_PTR, 0));
	item = uma_zalloc(zone, M_WAITOK);
	for (i = 0; !uma_zone_stats(i, &stats); i++) {
		if (strcmp(stats.name, "test listed"))
			continue;
		found++;
		KUNIT_EXPECT_EQ(test, stats.used, 1ULL);
	}
	KUNIT_EXPECT_EQ(test, found, 1U);
	KUNIT_EXPECT_EQ(test, i, n + 1);
	KUNIT_EXPECT_EQ(test, -ENOENT, uma_zone_stats(i, &stats));
	uma_zfree(zone, item);
}

/* --- buckets */

static void uma_buckets_grow_and_shrink(struct kunit *test)
{
	struct uma_zone *zone = test_zone(test, 32, UMA_ZONE_NODEBUG);
	struct churn *churn = test_churn(test, zone, 4000);
	u64 before = test_stats(zone).bucket, after;

	KUNIT_EXPECT_EQ(test, 0, churn_on(test, 0, churn));
	KUNIT_EXPECT_EQ(test, 0, churn_on(test, 0, churn));
	after = test_stats(zone).bucket;
	KUNIT_EXPECT_GT(test, after, before);
	uma_zone_reclaim(zone, UMA_RECLAIM_TRIM);
	KUNIT_EXPECT_LT(test, test_stats(zone).bucket, after);
}

static void uma_nobucket_has_none(struct kunit *test)
{
	struct uma_zone *zone = test_zone(test, 1000, UMA_ZONE_NOBUCKET);
	void *item = uma_zalloc(zone, M_WAITOK);

	KUNIT_EXPECT_EQ(test, test_stats(zone).bucket, 0ULL);
	uma_zfree(zone, item);
	uma_zone_reclaim(zone, UMA_RECLAIM_TRIM);
	KUNIT_EXPECT_EQ(test, test_stats(zone).pages, 0ULL);
	uma_zone_set_max(zone, 10000);
	KUNIT_EXPECT_EQ(test, test_stats(zone).bucket, 0ULL);
}

/* --- contexts */

static void uma_nowait_is_for_atomic_context(struct kunit *test)
{
	static DEFINE_SPINLOCK(lock);
	unsigned int i, n, failed = 0;
	static void *items[200];

	for (i = 0; i < ARRAY_SIZE(test_uma_modes); i++) {
		struct uma_zone *zone = test_zone(test, 500, test_uma_modes[i]);

		spin_lock_irq(&lock);
		for (n = 0; n < ARRAY_SIZE(items); n++) {
			items[n] = uma_zalloc(zone, M_NOWAIT | (n & 1 ? M_ZERO : 0));
			failed += !items[n];
		}
		test_free_items(zone, items, ARRAY_SIZE(items));
		spin_unlock_irq(&lock);
		KUNIT_EXPECT_EQ(test, failed, 0U);
		rcu_read_lock();
		preempt_disable();
		uma_zfree(zone, uma_zalloc(zone, M_NOWAIT));
		preempt_enable();
		rcu_read_unlock();
	}
}

/* --- against a model */

#define MODEL_ZONES	6
#define MODEL_SLOTS	128
#define MODEL_STEPS	6000

/* In each item; the rest of it is the low byte of its stamp. */
struct model_item {
	u32 zone;
	u32 stamp;
	u8 rest[];
};

/* Slots are exchanged, so that items are often freed by another CPU. */
struct model {
	struct uma_zone *zones[MODEL_ZONES];
	size_t sizes[MODEL_ZONES];
	struct model_item *slots[MODEL_SLOTS];
	atomic_t used[MODEL_ZONES];
	atomic_t running;
};

struct model_thread {
	struct model *model;
	u64 seed;
};

static void model_fill(struct model *model, struct model_item *item, u32 zone, u32 stamp)
{
	item->zone = zone;
	item->stamp = stamp;
	memset(item->rest, stamp, model->sizes[zone] - sizeof(*item));
}

static bool model_free(struct model *model, struct model_item *item)
{
	u32 zone;
	bool good;

	if (!item)
		return true;
	zone = item->zone;
	if (zone >= MODEL_ZONES)
		return false;
	good = !memchr_inv(item->rest, item->stamp & 0xff, model->sizes[zone] - sizeof(*item));
	atomic_dec(&model->used[zone]);
	uma_zfree(model->zones[zone], item);
	return good;
}

static int model_thread(void *arg)
{
	struct model_thread *self = arg;
	struct model *model = self->model;
	struct model_item *item;
	struct rnd_state rnd;
	unsigned int i;
	int ret = 0;
	u32 zone;

	prandom_seed_state(&rnd, self->seed);
	for (i = 0; i < MODEL_STEPS && !ret; i++) {
		item = NULL;
		if (test_random(&rnd, 5)) {
			zone = test_random(&rnd, MODEL_ZONES);
			item = uma_zalloc(model->zones[zone],
					  test_random(&rnd, 2) ? M_WAITOK : M_NOWAIT);
			if (item) {
				atomic_inc(&model->used[zone]);
				model_fill(model, item, zone, prandom_u32_state(&rnd));
			}
		}
		item = xchg(&model->slots[test_random(&rnd, MODEL_SLOTS)], item);
		if (!model_free(model, item))
			ret = -EIO;
		if (i % 64 == 0)
			cond_resched();
	}
	atomic_dec(&model->running);
	return ret;
}

static void model_run(struct kunit *test, u32 flags, u64 seed)
{
	static const size_t sizes[MODEL_ZONES] = { 16, 48, 200, 1024, 2048, 4096 };
	struct model *model = kunit_kzalloc(test, sizeof(*model), GFP_KERNEL);
	struct model_thread self[3];
	struct test_thread *thread[3];
	unsigned int i;

	KUNIT_ASSERT_NOT_NULL(test, model);
	for (i = 0; i < MODEL_ZONES; i++) {
		model->sizes[i] = sizes[i];
		model->zones[i] = test_zone(test, sizes[i], flags);
	}
	/* One that is often full; who waits for it holds none of it. */
	uma_zone_set_max(model->zones[2], MODEL_SLOTS + ARRAY_SIZE(thread));
	atomic_set(&model->running, ARRAY_SIZE(thread));
	for (i = 0; i < ARRAY_SIZE(thread); i++) {
		self[i] = (struct model_thread){ model, seed + i };
		thread[i] = test_thread(test, test_cpu(i), model_thread, &self[i]);
	}
	while (atomic_read(&model->running)) {
		uma_reclaim(UMA_RECLAIM_DRAIN_CPU);
		msleep(20);
	}
	for (i = 0; i < ARRAY_SIZE(thread); i++)
		KUNIT_EXPECT_EQ(test, 0, test_thread_join(thread[i]));
	for (i = 0; i < MODEL_ZONES; i++)
		KUNIT_EXPECT_EQ(test, uma_zone_get_cur(model->zones[i]),
				(unsigned long)atomic_read(&model->used[i]));
	for (i = 0; i < MODEL_SLOTS; i++)
		KUNIT_EXPECT_TRUE(test, model_free(model, model->slots[i]));
}

static void uma_random_on_two_cpus(struct kunit *test)
{
	model_run(test, 0, 100);
	model_run(test, UMA_ZONE_NODEBUG, 200);
	model_run(test, UMA_ZONE_NODEBUG | UMA_ZONE_NOBUCKET, 300);
}

static struct kunit_case uma_cases[] = {
	KUNIT_CASE_SLOW(uma_items_have_their_size_and_alignment),
	KUNIT_CASE(uma_zcreate_refuses_nonsense),
	KUNIT_CASE(uma_zcreate_without_memory),
	KUNIT_CASE(uma_null_is_freed_and_destroyed),
	KUNIT_CASE(uma_zero_flag_zeroes),
	KUNIT_CASE(uma_zinit_items_begin_zero),
	KUNIT_CASE(uma_callbacks_are_called),
	KUNIT_CASE(uma_ctor_that_refuses),
	KUNIT_CASE(uma_init_that_refuses),
	KUNIT_CASE(uma_stats_add_up),
	KUNIT_CASE(uma_zones_are_listed),
	KUNIT_CASE(uma_buckets_grow_and_shrink),
	KUNIT_CASE(uma_nobucket_has_none),
	KUNIT_CASE(uma_nowait_is_for_atomic_context),
	KUNIT_CASE(uma_random_on_two_cpus),
	{}
};

static struct kunit_suite uma_suite = {
	.name = "bsdvm_uma",
	.init = test_kmem_none,
	.test_cases = uma_cases,
};

kunit_test_suite(uma_suite);
