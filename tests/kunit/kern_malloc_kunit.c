// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Tests of memory of any size, on the real pool. Nobody else uses it meanwhile. What
 * zones do is tested in uma_kunit.c.
 */
#include "bsdvm_kunit.h"

#include <linux/log2.h>

MALLOC_DECLARE(M_TEST);
MALLOC_DEFINE(M_TEST, "test", "Memory of tests");

static void test_type_end(void *arg)
{
	malloc_uninit(M_TEST);
}

/* For the suite: a type that nothing has been allocated of, and nothing is left of. */
static int malloc_test_init(struct kunit *test)
{
	unsigned int cpu;
	int ret;

	ret = test_kmem_none(test);
	if (ret)
		return ret;
	for_each_possible_cpu(cpu)
		memset(per_cpu_ptr(M_TEST->ks_stats, cpu), 0, sizeof(*M_TEST->ks_stats));
	atomic64_set(&M_TEST->ks_memuse, 0);
	atomic64_set(&M_TEST->ks_highuse, 0);
	return kunit_add_action(test, test_type_end, NULL);
}

static bool test_type_info(struct malloc_type_info *info)
{
	unsigned int i;

	for (i = 0; !malloc_type_info(i, info); i++) {
		if (!strcmp(info->name, "test"))
			return true;
	}
	memset(info, 0, sizeof(*info));
	return false;
}

/* --- sizes and flags */

static void malloc_has_every_size(struct kunit *test)
{
	static void *mem[3][4097];
	unsigned int i, n;

	for (i = 0; i < ARRAY_SIZE(mem); i++) {
		for (n = 0; n < ARRAY_SIZE(mem[i]); n++) {
			mem[i][n] = malloc(n, M_TEST, n & 1 ? M_WAITOK : M_NOWAIT);
			KUNIT_ASSERT_NOT_NULL(test, mem[i][n]);
			KUNIT_ASSERT_EQ(test, (unsigned long)mem[i][n] & 15, 0UL);
			if (n > 2048)
				KUNIT_ASSERT_EQ(test, (unsigned long)mem[i][n] & VM_PAGE_MASK,
						0ULL);
			KUNIT_ASSERT_EQ(test, malloc_usable_size(mem[i][n]),
					(size_t)max(16UL, roundup_pow_of_two(n ?: 1)));
			memset(mem[i][n], n + i, n);
		}
		cond_resched();
	}
	for (i = 0; i < ARRAY_SIZE(mem); i++) {
		for (n = 0; n < ARRAY_SIZE(mem[i]); n++) {
			KUNIT_ASSERT_NULL(test, memchr_inv(mem[i][n], n + i, n));
			free(mem[i][n], M_TEST);
		}
	}
}

static void malloc_zero_flag_zeroes(struct kunit *test)
{
	static const size_t sizes[] = { 1, 16, 100, 1000, 2049, 4096 };
	unsigned int i, round;
	void *mem;

	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		for (round = 0; round < 20; round++) {
			mem = malloc(sizes[i], M_TEST, M_WAITOK | M_ZERO);
			KUNIT_ASSERT_NOT_NULL(test, mem);
			KUNIT_EXPECT_NULL(test, memchr_inv(mem, 0, sizes[i]));
			memset(mem, 0xff, sizes[i]);
			free(mem, M_TEST);
		}
	}
}

static void malloc_null_is_freed(struct kunit *test)
{
	free(NULL, M_TEST);
	KUNIT_EXPECT_EQ(test, malloc_usable_size(NULL), (size_t)0);
}

static void malloc_large_needs_the_kernel_map(struct kunit *test)
{
	static const size_t sizes[] = { 4097, 8192, 10000, 100000 };
	unsigned int i;
	void *mem[4];

	KUNIT_EXPECT_NULL(test, malloc(4097, M_TEST, M_NOWAIT));
	KUNIT_EXPECT_NULL(test, malloc(4097, M_TEST, M_WAITOK));
	KUNIT_EXPECT_NULL(test, malloc(SIZE_MAX, M_TEST, M_NOWAIT));

	test_kmem_init(test);
	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		mem[i] = malloc(sizes[i], M_TEST, i & 1 ? M_WAITOK : M_NOWAIT | M_ZERO);
		KUNIT_ASSERT_NOT_NULL(test, mem[i]);
		KUNIT_EXPECT_EQ(test, (unsigned long)mem[i] & VM_PAGE_MASK, 0ULL);
		KUNIT_EXPECT_EQ(test, malloc_usable_size(mem[i]), (size_t)round_page(sizes[i]));
		if (!(i & 1))
			KUNIT_EXPECT_NULL(test, memchr_inv(mem[i], 0, sizes[i]));
		memset(mem[i], i, sizes[i]);
	}
	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		KUNIT_EXPECT_NULL(test, memchr_inv(mem[i], i, sizes[i]));
		free(mem[i], M_TEST);
	}
	KUNIT_EXPECT_NULL(test, malloc(SIZE_MAX, M_TEST, M_NOWAIT));
}

static void malloc_nowait_is_for_atomic_context(struct kunit *test)
{
	static DEFINE_SPINLOCK(lock);
	static void *mem[100];
	unsigned int i, failed = 0;

	spin_lock_irq(&lock);
	for (i = 0; i < ARRAY_SIZE(mem); i++) {
		mem[i] = malloc(i * 40, M_TEST, M_NOWAIT);
		mem[i] = realloc(mem[i], i * 20, M_TEST, M_NOWAIT);
		failed += !mem[i];
	}
	for (i = 0; i < ARRAY_SIZE(mem); i++)
		free(mem[i], M_TEST);
	spin_unlock_irq(&lock);
	KUNIT_EXPECT_EQ(test, failed, 0U);
}

/* --- realloc() */

static void realloc_keeps_content(struct kunit *test)
{
	static const size_t sizes[] = { 10, 100, 120, 5000, 20000, 4096, 70, 40, 1, 16, 30000, 0 };
	size_t size, now = 1;
	unsigned int i;
	u8 *mem, *new;

	test_kmem_init(test);
	mem = realloc(NULL, now, M_TEST, M_WAITOK);
	KUNIT_ASSERT_NOT_NULL(test, mem);
	mem[0] = 0x77;
	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		size = sizes[i];
		new = realloc(mem, size, M_TEST, M_WAITOK);
		KUNIT_ASSERT_NOT_NULL(test, new);
		KUNIT_EXPECT_GE(test, malloc_usable_size(new), size);
		KUNIT_EXPECT_NULL(test, memchr_inv(new, 0x77, min(size, now)));
		/* What there were not before may be any. */
		memset(new, 0x77, size);
		now = size;
		mem = new;
	}
	free(mem, M_TEST);
}

static void realloc_moves_only_if_worth_while(struct kunit *test)
{
	void *mem = malloc(1000, M_TEST, M_WAITOK);

	KUNIT_EXPECT_PTR_EQ(test, realloc(mem, 1024, M_TEST, M_WAITOK), mem);
	KUNIT_EXPECT_PTR_EQ(test, realloc(mem, 513, M_TEST, M_WAITOK), mem);
	/* All of it may be used again. */
	KUNIT_EXPECT_PTR_EQ(test, realloc(mem, 1024, M_TEST, M_WAITOK), mem);
	memset(mem, 1, 1024);
	mem = realloc(mem, 512, M_TEST, M_WAITOK);
	KUNIT_EXPECT_EQ(test, malloc_usable_size(mem), (size_t)512);
	KUNIT_EXPECT_NULL(test, memchr_inv(mem, 1, 512));
	free(mem, M_TEST);
}

static void realloc_that_fails_leaves_it(struct kunit *test)
{
	struct malloc_type_info info;
	void *mem = malloc(100, M_TEST, M_WAITOK);

	memset(mem, 5, 100);
	KUNIT_EXPECT_NULL(test, realloc(mem, 10000, M_TEST, M_NOWAIT));
	KUNIT_EXPECT_NULL(test, memchr_inv(mem, 5, 100));
	KUNIT_EXPECT_NULL(test, reallocf(mem, 10000, M_TEST, M_NOWAIT));
	KUNIT_EXPECT_TRUE(test, test_type_info(&info));
	KUNIT_EXPECT_EQ(test, info.inuse, 0ULL);
	mem = reallocf(NULL, 100, M_TEST, M_NOWAIT);
	KUNIT_EXPECT_NOT_NULL(test, mem);
	free(mem, M_TEST);
}

/* --- statistics */

static void malloc_stats_add_up(struct kunit *test)
{
	struct malloc_type_info info;
	void *mem[10];
	unsigned int i;

	KUNIT_EXPECT_FALSE(test, test_type_info(&info));
	for (i = 0; i < ARRAY_SIZE(mem); i++)
		mem[i] = malloc(100, M_TEST, M_WAITOK);
	KUNIT_ASSERT_TRUE(test, test_type_info(&info));
	KUNIT_EXPECT_EQ(test, info.inuse, 10ULL);
	KUNIT_EXPECT_EQ(test, info.memuse, 10 * 128ULL);
	KUNIT_EXPECT_EQ(test, info.highuse, 10 * 128ULL);
	KUNIT_EXPECT_EQ(test, info.requests, 10ULL);
	KUNIT_EXPECT_EQ(test, info.sizes, 1U << 3);
	for (i = 0; i < ARRAY_SIZE(mem); i++)
		free(mem[i], M_TEST);
	test_kmem_init(test);
	free(malloc(16, M_TEST, M_WAITOK), M_TEST);
	free(malloc(10000, M_TEST, M_WAITOK), M_TEST);
	KUNIT_ASSERT_TRUE(test, test_type_info(&info));
	KUNIT_EXPECT_EQ(test, info.inuse, 0ULL);
	KUNIT_EXPECT_EQ(test, info.memuse, 0ULL);
	/* More than all that was in use before. */
	KUNIT_EXPECT_EQ(test, info.highuse, 3 * 4096ULL);
	KUNIT_EXPECT_EQ(test, info.requests, 12ULL);
	KUNIT_EXPECT_EQ(test, info.sizes, 1U << 3 | 1U << 0 | 1U << 9);
}

/* However much it was, and whenever anyone looked. */
static void malloc_highuse_remembers(struct kunit *test)
{
	struct malloc_type_info info;
	void **mem = kunit_kcalloc(test, 300, sizeof(*mem), GFP_KERNEL);
	unsigned int i, round;

	KUNIT_ASSERT_NOT_NULL(test, mem);
	migrate_disable();
	for (round = 0; round < 3; round++) {
		for (i = 0; i < 300; i++)
			mem[i] = malloc(2048, M_TEST, M_WAITOK);
		for (i = 0; i < 300; i++)
			free(mem[i], M_TEST);
	}
	migrate_enable();
	KUNIT_ASSERT_TRUE(test, test_type_info(&info));
	KUNIT_EXPECT_EQ(test, info.highuse, 300 * 2048ULL);
	KUNIT_EXPECT_EQ(test, info.memuse, 0ULL);
	KUNIT_EXPECT_EQ(test, info.requests, 900ULL);
}

/* --- misuse */

static void malloc_finds_leaks(struct kunit *test)
{
	void *mem = malloc(100, M_TEST, M_WAITOK);
	struct malloc_type_info info;

	test_misuse_init(test);
	malloc_uninit(M_TEST);
	KUNIT_EXPECT_EQ(test, test_misuse.count, 1U);
	KUNIT_EXPECT_EQ(test, test_misuse.what, UMA_LEAK);
	KUNIT_EXPECT_STREQ(test, test_misuse.zone, "test");
	KUNIT_EXPECT_PTR_EQ(test, test_misuse.item, (const void *)1);
	KUNIT_EXPECT_FALSE(test, test_type_info(&info));
	free(mem, M_TEST);
	malloc_uninit(M_TEST);
	KUNIT_EXPECT_EQ(test, test_misuse.count, 1U);
}

static void malloc_finds_bad_addresses(struct kunit *test)
{
	struct uma_zone *zone = uma_zcreate("other", 100, NULL, NULL, NULL, NULL, UMA_ALIGN_PTR, 0);
	void *item, *mem = malloc(100, M_TEST, M_WAITOK);

	KUNIT_ASSERT_NOT_NULL(test, zone);
	item = uma_zalloc(zone, M_WAITOK);
	test_misuse_init(test);
	free(test, M_TEST);
	KUNIT_EXPECT_EQ(test, test_misuse.count, 1U);
	KUNIT_EXPECT_EQ(test, test_misuse.what, UMA_BAD_ADDRESS);
	free(item, M_TEST);
	KUNIT_EXPECT_EQ(test, test_misuse.count, 2U);
	KUNIT_EXPECT_EQ(test, test_misuse.what, UMA_WRONG_ZONE);
	free(mem, M_TEST);
	KUNIT_EXPECT_EQ(test, test_misuse.count, 2U);
	free(mem, M_TEST);
	KUNIT_EXPECT_EQ(test, test_misuse.count, 3U);
	KUNIT_EXPECT_EQ(test, test_misuse.what, UMA_DOUBLE_FREE);
	uma_zfree(zone, item);
	uma_zdestroy(zone);
}

/* Not only what lies behind the item, but what was not asked for. */
static void malloc_kasan_knows_what_was_asked_for(struct kunit *test)
{
	u8 *mem = malloc(68, M_TEST, M_WAITOK);

	KUNIT_EXPECT_EQ(test, test_kasan_shadow(mem + 56), 0);
	KUNIT_EXPECT_EQ(test, test_kasan_shadow(mem + 64), 4);
	KUNIT_EXPECT_GE(test, test_kasan_shadow(mem + 72), 0x80);
	KUNIT_EXPECT_GE(test, test_kasan_shadow(mem + 120), 0x80);
	mem = realloc(mem, 128, M_TEST, M_WAITOK);
	KUNIT_EXPECT_EQ(test, test_kasan_shadow(mem + 120), 0);
	mem = realloc(mem, 80, M_TEST, M_WAITOK);
	KUNIT_EXPECT_EQ(test, test_kasan_shadow(mem + 72), 0);
	KUNIT_EXPECT_GE(test, test_kasan_shadow(mem + 80), 0x80);
	free(mem, M_TEST);
	KUNIT_EXPECT_GE(test, test_kasan_shadow(mem), 0x80);
}

/* --- against a model */

#define MODEL_SLOTS	64
#define MODEL_STEPS	4000

struct malloc_model {
	struct {
		u8 *mem;
		size_t size;
		u8 byte;
	} slots[MODEL_SLOTS];
	u64 seed;
};

static size_t malloc_model_size(struct rnd_state *rnd)
{
	return test_random(rnd, 1 << (test_random(rnd, 15) + 1));
}

static int malloc_model_step(struct malloc_model *model, struct rnd_state *rnd)
{
	unsigned int i = test_random(rnd, MODEL_SLOTS), what = test_random(rnd, 3);
	size_t size = malloc_model_size(rnd), old = model->slots[i].size;
	u8 *mem = model->slots[i].mem;

	if (mem && memchr_inv(mem, model->slots[i].byte, old))
		return -EIO;
	if (mem && what == 0) {
		free(mem, M_TEST);
		mem = NULL;
		size = 0;
	} else if (mem) {
		mem = realloc(mem, size, M_TEST, M_WAITOK);
		if (!mem || memchr_inv(mem, model->slots[i].byte, min(old, size)))
			return -EIO;
	} else {
		mem = malloc(size, M_TEST, M_WAITOK | (what == 1 ? M_ZERO : 0));
		if (!mem || (what == 1 && memchr_inv(mem, 0, size)))
			return -EIO;
	}
	model->slots[i].mem = mem;
	model->slots[i].size = size;
	model->slots[i].byte = prandom_u32_state(rnd);
	if (mem)
		memset(mem, model->slots[i].byte, size);
	return 0;
}

static int malloc_model_thread(void *arg)
{
	struct malloc_model *model = arg;
	struct rnd_state rnd;
	unsigned int i;
	int ret = 0;

	prandom_seed_state(&rnd, model->seed);
	for (i = 0; i < MODEL_STEPS && !ret; i++) {
		ret = malloc_model_step(model, &rnd);
		cond_resched();
	}
	return ret;
}

static void malloc_random_on_two_cpus(struct kunit *test)
{
	struct malloc_model *model = kunit_kcalloc(test, 3, sizeof(*model), GFP_KERNEL);
	struct malloc_type_info info;
	struct test_thread *thread[3];
	u64 inuse = 0, memuse = 0;
	unsigned int i, j;

	KUNIT_ASSERT_NOT_NULL(test, model);
	test_kmem_init(test);
	for (i = 0; i < ARRAY_SIZE(thread); i++) {
		model[i].seed = 40 + i;
		thread[i] = test_thread(test, test_cpu(i), malloc_model_thread, &model[i]);
	}
	for (i = 0; i < ARRAY_SIZE(thread); i++)
		KUNIT_EXPECT_EQ(test, 0, test_thread_join(thread[i]));
	for (i = 0; i < ARRAY_SIZE(thread); i++) {
		for (j = 0; j < MODEL_SLOTS; j++) {
			inuse += !!model[i].slots[j].mem;
			memuse += malloc_usable_size(model[i].slots[j].mem);
		}
	}
	KUNIT_ASSERT_TRUE(test, test_type_info(&info));
	KUNIT_EXPECT_EQ(test, info.inuse, inuse);
	KUNIT_EXPECT_EQ(test, info.memuse, memuse);
	KUNIT_EXPECT_GE(test, info.highuse, memuse);
	/* All this would be if everything were in use at once. */
	KUNIT_EXPECT_LE(test, info.highuse, 3 * MODEL_SLOTS * 32768ULL);
	for (i = 0; i < ARRAY_SIZE(thread); i++) {
		for (j = 0; j < MODEL_SLOTS; j++)
			free(model[i].slots[j].mem, M_TEST);
	}
	KUNIT_ASSERT_TRUE(test, test_type_info(&info));
	KUNIT_EXPECT_EQ(test, info.memuse, 0ULL);
}

static struct kunit_case malloc_cases[] = {
	KUNIT_CASE_SLOW(malloc_has_every_size),
	KUNIT_CASE(malloc_zero_flag_zeroes),
	KUNIT_CASE(malloc_null_is_freed),
	KUNIT_CASE(malloc_large_needs_the_kernel_map),
	KUNIT_CASE(malloc_nowait_is_for_atomic_context),
	KUNIT_CASE(realloc_keeps_content),
	KUNIT_CASE(realloc_moves_only_if_worth_while),
	KUNIT_CASE(realloc_that_fails_leaves_it),
	KUNIT_CASE(malloc_stats_add_up),
	KUNIT_CASE(malloc_highuse_remembers),
	KUNIT_CASE(malloc_finds_leaks),
	KUNIT_CASE(malloc_finds_bad_addresses),
	KUNIT_CASE(malloc_kasan_knows_what_was_asked_for),
	KUNIT_CASE(malloc_random_on_two_cpus),
	{}
};

static struct kunit_suite malloc_suite = {
	.name = "bsdvm_malloc",
	.init = malloc_test_init,
	.test_cases = malloc_cases,
};

kunit_test_suite(malloc_suite);
