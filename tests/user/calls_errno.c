// SPDX-License-Identifier: BSD-2-Clause
/* munmap, mprotect, msync and minherit: what they refuse and what they skip. */
#include <string.h>

#include "vm.h"

/* The highest page of the address space: a range from there on wraps. */
#define LAST_PAGE ((char *)-PAGE)

static char *window(void)
{
	void *start;

	ASSERT(!bsdvm_window(&start, NULL));
	return start;
}

static char *window_end(void)
{
	return window() + BSDVM_WINDOW_SIZE_DEFAULT;
}

/* --- munmap */

TEST(munmap_refuses_a_length_of_zero)
{
	EXPECT_ERRNO(bsdvm_munmap(vm_anon(1), 0), EINVAL);
}

TEST(munmap_refuses_what_is_outside_the_window)
{
	vm_anon(1);
	EXPECT_ERRNO(bsdvm_munmap(LAST_PAGE, 2 * PAGE), EINVAL);
	EXPECT_ERRNO(bsdvm_munmap(window(), (size_t)-1), EINVAL);
	EXPECT_ERRNO(bsdvm_munmap(window() - PAGE, PAGE), EINVAL);
	EXPECT_ERRNO(bsdvm_munmap(window() - PAGE, 2 * PAGE), EINVAL);
	EXPECT_ERRNO(bsdvm_munmap(window_end(), PAGE), EINVAL);
	EXPECT_ERRNO(bsdvm_munmap(window_end() - PAGE, 2 * PAGE), EINVAL);
	EXPECT_EQ(vm_entry_count(), 1);
}

TEST(munmap_truncates_an_unaligned_address)
{
	char *map = vm_anon(4);

	memset(map, 'x', 4 * PAGE);
	/* Covers the end of page 1 and the first byte of page 2. */
	EXPECT_ERRNO(bsdvm_munmap(map + 2 * PAGE - 1, 2), 0);
	EXPECT_EQ(vm_read(map + PAGE).sig ? 1 : 0, 1);
	EXPECT_EQ(vm_read(map + 2 * PAGE).sig ? 1 : 0, 1);
	EXPECT_EQ(map[0], 'x');
	EXPECT_EQ(map[3 * PAGE], 'x');
	EXPECT_EQ(vm_entry_count(), 2);
}

TEST(munmap_of_holes_succeeds)
{
	char *map = vm_anon(5);

	ASSERT(!bsdvm_munmap(map + PAGE, PAGE));
	EXPECT_ERRNO(bsdvm_munmap(map + PAGE, PAGE), 0);
	EXPECT_ERRNO(bsdvm_munmap(map, 5 * PAGE), 0);
	EXPECT_EQ(vm_entry_count(), 0);
	EXPECT_ERRNO(bsdvm_munmap(window(), BSDVM_WINDOW_SIZE_DEFAULT), 0);
}

/* --- mprotect */

TEST(mprotect_refuses_unknown_bits)
{
	char *map = vm_anon(1);

	EXPECT_ERRNO(bsdvm_mprotect(map, PAGE, 8), EINVAL);
	EXPECT_ERRNO(bsdvm_mprotect(map, PAGE, BSDVM_PROT_MAX(8)), EINVAL);
	EXPECT_ERRNO(bsdvm_mprotect(map, PAGE, (int)0x80000001), EINVAL);
}

TEST(mprotect_refuses_more_than_its_own_prot_max)
{
	char *map = vm_anon(1);

	EXPECT_ERRNO(bsdvm_mprotect(map, PAGE,
				    RW | BSDVM_PROT_MAX(BSDVM_PROT_READ)),
		     ENOTSUP);
}

TEST(mprotect_refuses_what_wraps_or_is_outside)
{
	char *map = vm_anon(1);

	EXPECT_ERRNO(bsdvm_mprotect(map, (size_t)-1, RW), EINVAL);
	EXPECT_ERRNO(bsdvm_mprotect(LAST_PAGE, 2 * PAGE, RW), EINVAL);
	EXPECT_ERRNO(bsdvm_mprotect(window() - PAGE, PAGE, RW), EINVAL);
	EXPECT_ERRNO(bsdvm_mprotect(window_end(), PAGE, RW), EINVAL);
}

TEST(mprotect_cannot_exceed_max_protection)
{
	char *map = bsdvm_mmap(NULL, PAGE, BSDVM_PROT_READ | BSDVM_PROT_MAX(RW),
			       ANON, -1, 0);

	ASSERT(map != BSDVM_MAP_FAILED);
	EXPECT_ERRNO(bsdvm_mprotect(map, PAGE, RWX), EACCES);
	EXPECT_ERRNO(bsdvm_mprotect(map, PAGE, RW), 0);
	EXPECT_NO_FAULT(vm_write(map, 'x'));
	/* PROT_MAX can take away, and not give back. */
	EXPECT_ERRNO(bsdvm_mprotect(map, PAGE,
				    BSDVM_PROT_READ | BSDVM_PROT_MAX(RWX)),
		     EACCES);
	EXPECT_ERRNO(bsdvm_mprotect(map, PAGE,
				    BSDVM_PROT_READ |
					    BSDVM_PROT_MAX(BSDVM_PROT_READ)),
		     0);
	EXPECT_ERRNO(bsdvm_mprotect(map, PAGE, RW), EACCES);
	EXPECT_EQ(vm_entry_at(map).e.kve_max_protection, BSDVM_PROT_READ);
}

TEST(mprotect_is_all_or_nothing)
{
	char *map = vm_anon(3);

	ASSERT(!bsdvm_mprotect(map + 2 * PAGE, PAGE,
			       BSDVM_PROT_READ |
				       BSDVM_PROT_MAX(BSDVM_PROT_READ)));
	EXPECT_ERRNO(bsdvm_mprotect(map, 3 * PAGE, RWX), EACCES);
	EXPECT_EQ(vm_entry_at(map).e.kve_protection, RW);
	EXPECT_EQ(vm_entry_at(map + PAGE).e.kve_protection, RW);
	EXPECT_EQ(vm_entry_at(map + 2 * PAGE).e.kve_protection,
		  BSDVM_PROT_READ);
}

TEST(mprotect_skips_holes_and_guards)
{
	char *map = vm_anon(4);

	ASSERT(!bsdvm_munmap(map + PAGE, PAGE));
	ASSERT(bsdvm_mmap(map + 2 * PAGE, PAGE, BSDVM_PROT_NONE,
			  BSDVM_MAP_GUARD | BSDVM_MAP_FIXED, -1,
			  0) != BSDVM_MAP_FAILED);
	EXPECT_ERRNO(bsdvm_mprotect(map, 4 * PAGE, BSDVM_PROT_READ), 0);
	EXPECT_EQ(vm_entry_at(map).e.kve_protection, BSDVM_PROT_READ);
	EXPECT_EQ(vm_entry_at(map + PAGE).e.kve_end, 0);
	EXPECT_EQ(vm_entry_at(map + 2 * PAGE).e.kve_protection,
		  BSDVM_PROT_NONE);
	EXPECT_EQ(vm_entry_at(map + 2 * PAGE).e.kve_type,
		  BSDVM_KVME_TYPE_GUARD);
	EXPECT_EQ(vm_entry_at(map + 3 * PAGE).e.kve_protection,
		  BSDVM_PROT_READ);
}

TEST(mprotect_rounds_to_pages)
{
	char *map = vm_anon(3);

	EXPECT_ERRNO(bsdvm_mprotect(map + 2 * PAGE - 1, 2, BSDVM_PROT_READ), 0);
	EXPECT_EQ(vm_entry_at(map).e.kve_protection, RW);
	EXPECT_EQ(vm_entry_at(map + PAGE).e.kve_protection, BSDVM_PROT_READ);
	EXPECT_EQ(vm_entry_at(map + 2 * PAGE).e.kve_protection,
		  BSDVM_PROT_READ);
}

/* --- msync */

TEST(msync_refuses_what_wraps)
{
	EXPECT_ERRNO(bsdvm_msync(vm_anon(1), (size_t)-1, 0), EINVAL);
	EXPECT_ERRNO(bsdvm_msync(LAST_PAGE, 2 * PAGE, 0), EINVAL);
}

TEST(msync_refuses_async_with_invalidate)
{
	char *map = vm_anon(1);

	EXPECT_ERRNO(bsdvm_msync(map, PAGE,
				 BSDVM_MS_ASYNC | BSDVM_MS_INVALIDATE),
		     EINVAL);
	EXPECT_ERRNO(bsdvm_msync(map, PAGE, BSDVM_MS_ASYNC), 0);
	EXPECT_ERRNO(bsdvm_msync(map, PAGE, BSDVM_MS_INVALIDATE), 0);
	EXPECT_ERRNO(bsdvm_msync(map, PAGE, BSDVM_MS_SYNC), 0);
}

TEST(msync_ignores_unknown_bits)
{
	EXPECT_ERRNO(bsdvm_msync(vm_anon(1), PAGE, 0x100), 0);
}

TEST(msync_refuses_holes)
{
	char *map = vm_anon(3);

	ASSERT(!bsdvm_munmap(map + PAGE, PAGE));
	EXPECT_ERRNO(bsdvm_msync(map, 3 * PAGE, 0), ENOMEM);
	EXPECT_ERRNO(bsdvm_msync(map + PAGE, PAGE, 0), ENOMEM);
	EXPECT_ERRNO(bsdvm_msync(map + PAGE, 0, 0), ENOMEM);
	EXPECT_ERRNO(bsdvm_msync(map, PAGE, 0), 0);
}

TEST(msync_does_nothing_to_anonymous_memory)
{
	char *map = vm_anon(2);

	memset(map, 'x', 2 * PAGE);
	EXPECT_ERRNO(bsdvm_msync(map, 0, BSDVM_MS_SYNC), 0);
	EXPECT_ERRNO(bsdvm_msync(map, 2 * PAGE, BSDVM_MS_INVALIDATE), 0);
	EXPECT(vm_all(map, 2 * PAGE, 'x'));
}

/* --- minherit */

TEST(minherit_refuses_unknown_values)
{
	EXPECT_ERRNO(bsdvm_minherit(vm_anon(1), PAGE, 4), EINVAL);
	EXPECT_ERRNO(bsdvm_minherit(vm_anon(1), PAGE, -1), EINVAL);
}

TEST(minherit_refuses_what_wraps)
{
	EXPECT_ERRNO(bsdvm_minherit(vm_anon(1), (size_t)-1, BSDVM_INHERIT_NONE),
		     EINVAL);
	EXPECT_ERRNO(bsdvm_minherit(LAST_PAGE, 2 * PAGE, BSDVM_INHERIT_NONE),
		     EINVAL);
}

TEST(minherit_skips_holes_and_takes_nothing)
{
	char *map = vm_anon(3);

	ASSERT(!bsdvm_munmap(map + PAGE, PAGE));
	EXPECT_ERRNO(bsdvm_minherit(map, 0, BSDVM_INHERIT_NONE), 0);
	EXPECT_EQ(vm_entry_at(map).e.kve_inheritance, BSDVM_INHERIT_COPY);
	EXPECT_ERRNO(bsdvm_minherit(map, 3 * PAGE, BSDVM_INHERIT_NONE), 0);
	EXPECT_EQ(vm_entry_at(map).e.kve_inheritance, BSDVM_INHERIT_NONE);
	EXPECT_EQ(vm_entry_at(map + 2 * PAGE).e.kve_inheritance,
		  BSDVM_INHERIT_NONE);
}

TEST(a_mapping_is_inherited_as_it_was_made)
{
	EXPECT_EQ(vm_entry_at(vm_anon(1)).e.kve_inheritance,
		  BSDVM_INHERIT_COPY);
	EXPECT_EQ(vm_entry_at(vm_anon_flags(1, BSDVM_MAP_SHARED))
			  .e.kve_inheritance,
		  BSDVM_INHERIT_SHARE);
}
