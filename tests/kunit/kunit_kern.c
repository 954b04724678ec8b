// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * What the tests of the kernel map share: every one leaves the maps and the wirings as they
 * were.
 */
#include "vm_kern_kunit.h"

struct test_kern_before test_kern_before;

struct kmem_info test_kmem_info(struct kunit *test, const struct vm_map *map)
{
	struct kmem_info info;
	unsigned int i;

	for (i = 0; !kmem_info(i, &info); i++)
		if (info.start == map->min_offset && info.end == map->max_offset)
			return info;
	KUNIT_FAIL(test, "a map that kmem_info() does not know");
	return (struct kmem_info){ 0 };
}

struct vm_map *test_kernel_map(unsigned int i)
{
	struct vm_map *maps[] = { kernel_map, kmem_map, buffer_map, exec_map };

	return i < ARRAY_SIZE(maps) ? maps[i] : NULL;
}

static void test_maps_check(void *arg)
{
	struct kunit *test = arg;
	struct kmem_info now;
	unsigned int i;

	for (i = 0; test_kernel_map(i); i++) {
		const struct kmem_info *before = &test_kern_before.info[i];

		now = test_kmem_info(test, test_kernel_map(i));
		KUNIT_EXPECT_EQ_MSG(test, now.used, before->used, "%s", now.name);
		KUNIT_EXPECT_EQ_MSG(test, now.entries, before->entries, "%s", now.name);
		KUNIT_EXPECT_EQ_MSG(test, now.largest_free, before->largest_free, "%s", now.name);
		vm_map_lock(test_kernel_map(i));
		vm_map_assert_consistent(test_kernel_map(i));
		vm_map_unlock(test_kernel_map(i));
	}
	KUNIT_EXPECT_EQ(test, test_wire_count(), test_kern_before.wired);
}

int test_kern_init(struct kunit *test)
{
	int ret = test_pages_init(test);
	unsigned int i;

	for (i = 0; test_kernel_map(i); i++)
		test_kern_before.info[i] = test_kmem_info(test, test_kernel_map(i));
	test_kern_before.wired = test_wire_count();
	return ret ?: kunit_add_action(test, test_maps_check, test);
}
