/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * What the tests of zones share, in kunit_uma.c: zones that go with the test, and a thread
 * that uses one.
 *
 * The debug kernel watches every zone for misuse, and then nothing of a zone is in
 * line. So most tests are done with a zone that is watched, and with one that is
 * not.
 */
#ifndef BSDVM_UMA_KUNIT_H
#define BSDVM_UMA_KUNIT_H

#include "bsdvm_kunit.h"

#include "vm/uma_int.h"

/* Flags of a zone that is watched, and of one that is not. */
extern const u32 test_uma_modes[2];

/* Destroy a zone when the test ends. */
struct uma_zone *test_zone_keep(struct kunit *test, struct uma_zone *zone);

/* A zone of items of @size bytes, destroyed when the test ends. */
struct uma_zone *test_zone(struct kunit *test, size_t size, u32 flags);

/* What a zone says of itself. */
static inline struct uma_stats test_stats(struct uma_zone *zone)
{
	struct uma_stats stats;

	uma_zone_get_stats(zone, &stats);
	return stats;
}

/* Free @n items, the last one first. */
void test_free_items(struct uma_zone *zone, void **items, unsigned int n);

/**
 * struct churn - items that a thread allocates, all of them, and then frees
 * @zone: whose they are
 * @n: how many
 * @items: where the thread notes them
 */
struct churn {
	struct uma_zone *zone;
	unsigned int n;
	void **items;
};

/* Get ready for that. */
struct churn *test_churn(struct kunit *test, struct uma_zone *zone, unsigned int n);

/* Do it on a CPU; returns 0, or -ENOMEM when there was no item. */
int churn_on(struct kunit *test, unsigned int cpu, struct churn *churn);

#endif /* BSDVM_UMA_KUNIT_H */
