/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * What the tests of objects share: objects, shadows, and pages in them.
 */
#ifndef BSDVM_VM_OBJECT_KUNIT_H
#define BSDVM_VM_OBJECT_KUNIT_H

#include "bsdvm_kunit.h"

#include "vm/pmap.h"
#include "vm/vm_object.h"
#include "vm/vm_pager.h"

#define OBJECT_SIZE	16	/* pages of most objects here */

/* --- objects */

/* An anonymous object of @size pages. */
static inline struct vm_object *test_object(struct kunit *test, vm_pindex_t size)
{
	struct vm_object *object = vm_object_allocate_anon(size);

	KUNIT_ASSERT_NOT_NULL(test, object);
	return object;
}

/* From now on the object may be mapped in several places. */
static inline void test_object_mapped_twice(struct vm_object *object)
{
	VM_OBJECT_WLOCK(object);
	object->flags &= ~OBJ_ONEMAPPING;
	VM_OBJECT_WUNLOCK(object);
}

/* What a second entry, or a fork, does to an object. */
static inline void test_object_share(struct vm_object *object)
{
	vm_object_reference(object);
	test_object_mapped_twice(object);
}

/*
 * Put a shadow before @object, which is shared: the reference passes to the
 * shadow, whose own is returned.
 */
static inline struct vm_object *test_shadow(struct kunit *test, struct vm_object *object,
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

/*
 * A shadow of @object, of one page, that alone refers to it: as if another user had gone,
 * and nobody had found the time to merge the two.
 */
static inline struct vm_object *test_object_sole_shadow(struct kunit *test,
							struct vm_object *object)
{
	struct vm_object *shadow = object;
	vm_ooffset_t offset = 0;

	vm_object_reference(object);
	KUNIT_EXPECT_EQ(test, KERN_SUCCESS, vm_object_shadow(&shadow, &offset, VM_PAGE_SIZE));
	/* Not vm_object_deallocate(), which would collapse the two. */
	refcount_dec(&object->ref_count);
	return shadow;
}

/* Merge the object with what it shadows, as far as that can be done. */
static inline void test_collapse(struct vm_object *object)
{
	VM_OBJECT_WLOCK(object);
	vm_object_collapse(object);
	vm_object_assert_consistent(object);
	VM_OBJECT_WUNLOCK(object);
}

/* How many objects there are from @object down. */
static inline unsigned int test_depth(struct vm_object *object)
{
	unsigned int depth = 0;

	for (; object; object = object->backing_object)
		depth++;
	return depth;
}

/* How many refer to the object. */
static inline unsigned int test_refs(struct vm_object *object)
{
	return refcount_read(&object->ref_count);
}

/* Wait until somebody sleeps for the lock of @object, which we hold. */
static inline bool test_object_wait_contended(struct vm_object *object)
{
	unsigned long end = jiffies + TEST_PATIENCE;

	while (!rwsem_is_contended(&object->lock) && time_before(jiffies, end))
		usleep_range(1000, 2000);
	return rwsem_is_contended(&object->lock);
}

/* --- pages */

/* A fresh page of the object. */
static inline struct vm_page *test_insert(struct kunit *test, struct vm_object *object,
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

/* A fresh page for each bit of @pages; @ma, of 32, has NULL for the others. */
static inline void test_insert_all(struct kunit *test, struct vm_object *object, u32 pages,
				   struct vm_page **ma)
{
	unsigned int i;

	for (i = 0; i < 32; i++) {
		ma[i] = NULL;
		if (pages & BIT(i))
			ma[i] = test_insert(test, object, i);
	}
}

/* The place of the @i-th of pages so far apart that each needs nodes of its own. */
static inline vm_pindex_t test_far_page(unsigned int i)
{
	return (vm_pindex_t)i << 24;
}

/* Without the lock, which costs most here: nobody else knows the object. */
static inline struct vm_page *test_lookup(struct vm_object *object, vm_pindex_t pindex)
{
	return vm_page_lookup(object, pindex);
}

/* The page that shows at @pindex, down the chain. */
static inline struct vm_page *test_resolve(struct vm_object *object, vm_pindex_t pindex)
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

/* The words of a page. */
static inline u64 *test_page_words(struct vm_page *m)
{
	return pmap_quick_enter_page(m);
}

/* A page of zeroes but for its first word; without a free one the test fails and goes on. */
static inline struct vm_page *test_page_of_word(struct kunit *test, u64 word)
{
	struct vm_page *m = vm_page_alloc_noobj(VM_ALLOC_NORMAL);

	if (!m) {
		KUNIT_FAIL(test, "no page is free");
		return NULL;
	}
	pmap_zero_page(m);
	*test_page_words(m) = word;
	return m;
}

/* Give the object a page as a store leaves it: valid, dirty, active. */
static inline void test_page_insert_dirty(struct kunit *test, struct vm_page *m,
					  struct vm_object *object, vm_pindex_t pindex)
{
	m->valid = 1;
	vm_page_dirty(m);
	VM_OBJECT_WLOCK(object);
	KUNIT_EXPECT_EQ(test, 0, vm_page_insert(m, object, pindex));
	vm_page_enqueue(m, PQ_ACTIVE);
	VM_OBJECT_WUNLOCK(object);
}

/* Write a page to swap, as the laundry does; it stays resident unless @free. */
static inline void test_page_out(struct kunit *test, struct vm_object *object,
				 vm_pindex_t pindex, bool free)
{
	unsigned int done;
	struct vm_page *m;

	VM_OBJECT_WLOCK(object);
	m = vm_page_lookup(object, pindex);
	vm_pager_clean_pages(&m, 1);
	VM_OBJECT_WUNLOCK(object);
	KUNIT_EXPECT_EQ(test, 0, vm_pager_put_pages(object, &m, 1, PQ_ACTIVE, PQ_ACTIVE, &done));
	KUNIT_EXPECT_EQ(test, done, 1U);
	VM_OBJECT_WLOCK(object);
	KUNIT_EXPECT_FALSE(test, vm_page_is_dirty(m));
	KUNIT_EXPECT_TRUE(test, vm_pager_has_page(object, pindex));
	if (free)
		vm_page_destroy(m);
	VM_OBJECT_WUNLOCK(object);
}

#endif /* BSDVM_VM_OBJECT_KUNIT_H */
