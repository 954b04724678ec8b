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

/* Wait until somebody sleeps for the lock of @object, which we hold. */
static inline bool test_object_wait_contended(struct vm_object *object)
{
	unsigned long end = jiffies + TEST_PATIENCE;

	while (!rwsem_is_contended(&object->lock) && time_before(jiffies, end))
		usleep_range(1000, 2000);
	return rwsem_is_contended(&object->lock);
}

/* --- pages */

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
