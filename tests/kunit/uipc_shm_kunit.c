// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Tests of shared memory objects: size and pages, names, seals, who may. A map here
 * has no pmap, so that a fault finds its page and maps nothing.
 */
#include "vm_fault_kunit.h"

#include <bsdvm.h>

#include "vm/swap_reserve.h"
#include "vm/uipc_shm.h"

#define ADDRESS		0x10000000ULL
#define PAGES		4
#define SIZE		(PAGES * VM_PAGE_SIZE)

#define RDWR		BSDVM_O_RDWR
#define CREAT		(BSDVM_O_RDWR | BSDVM_O_CREAT)

/**
 * struct test_buffer - one side of a copy
 * @bytes: the bytes
 * @at: how many have been copied
 * @room: how many there are before memory ends that can be accessed
 */
struct test_buffer {
	u8 *bytes;
	size_t at;
	size_t room;
};

static size_t test_copy_out(void *cookie, void *at, size_t count)
{
	struct test_buffer *buffer = cookie;

	count = min(count, buffer->room - buffer->at);
	if (at)
		memcpy(buffer->bytes + buffer->at, at, count);
	else
		memset(buffer->bytes + buffer->at, 0, count);
	buffer->at += count;
	return count;
}

static size_t test_copy_in(void *cookie, void *at, size_t count)
{
	struct test_buffer *buffer = cookie;

	count = min(count, buffer->room - buffer->at);
	memcpy(at, buffer->bytes + buffer->at, count);
	buffer->at += count;
	return count;
}

static ssize_t test_read(struct shmfd *shmfd, u64 pos, void *bytes, size_t len)
{
	struct test_buffer buffer = { .bytes = bytes, .room = len };

	memset(bytes, 0xee, len);
	return shm_read(shmfd, pos, len, test_copy_out, &buffer);
}

static ssize_t test_write(struct shmfd *shmfd, u64 pos, const void *bytes, size_t len)
{
	struct test_buffer buffer = { .bytes = (u8 *)bytes, .room = len };

	return shm_write(shmfd, pos, len, test_copy_in, &buffer);
}

static struct shm_attr test_stat(struct shmfd *shmfd)
{
	struct shm_attr attr;

	shm_stat(shmfd, &attr);
	return attr;
}

/* An object without a name, of PAGES pages. */
static struct shmfd *test_shm(struct kunit *test, u32 shmflags)
{
	struct shmfd *shmfd = NULL;

	KUNIT_ASSERT_EQ(test, 0, kern_shm_open(NULL, RDWR, 0600, shmflags, &shmfd));
	KUNIT_ASSERT_EQ(test, 0, shm_dotruncate(shmfd, SIZE));
	return shmfd;
}

static struct vm_object *test_object(struct kunit *test, struct shmfd *shmfd)
{
	vm_prot_t maxprot = VM_PROT_ALL;
	struct vm_object *object = NULL;

	KUNIT_ASSERT_EQ(test, 0, shm_mmap(shmfd, VM_PROT_READ | VM_PROT_WRITE, true, VM_PROT_READ,
					  &maxprot, &object));
	return object;
}

/* A map of the whole object, without translations. */
static void test_map(struct kunit *test, struct vm_map *map, struct shmfd *shmfd)
{
	struct vm_object *object = test_object(test, shmfd);

	vm_map_init(map, NULL, ADDRESS, ADDRESS + SIZE);
	test_map_insert(test, map, object, ADDRESS, ADDRESS + SIZE, VM_PROT_READ | VM_PROT_WRITE,
			MAP_INHERIT_SHARE);
}

static void test_unmap(struct vm_map *map)
{
	test_map_remove(map, ADDRESS, ADDRESS + SIZE);
}

static int test_fault(struct vm_map *map, vm_pindex_t pindex, vm_prot_t type, struct vm_page **m)
{
	return test_fault_at(map, ADDRESS + IDX_TO_OFF(pindex), type, m);
}

/* --- size and content */

static void shm_hole_reads_as_zeroes(struct kunit *test)
{
	struct shmfd *shmfd = test_shm(test, 0);
	u8 *bytes = kunit_kzalloc(test, SIZE + 1, GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, bytes);
	KUNIT_EXPECT_EQ(test, (ssize_t)SIZE, test_read(shmfd, 0, bytes, SIZE + 1));
	KUNIT_EXPECT_NULL(test, memchr_inv(bytes, 0, SIZE));
	KUNIT_EXPECT_EQ(test, bytes[SIZE], 0xee);
	KUNIT_EXPECT_EQ(test, test_stat(shmfd).resident, 0ULL);
	KUNIT_EXPECT_EQ(test, 0L, test_read(shmfd, SIZE, bytes, 1));
	KUNIT_EXPECT_EQ(test, 0L, test_read(shmfd, U64_MAX, bytes, 1));
	shm_drop(shmfd);
}

static void shm_write_stops_at_the_end(struct kunit *test)
{
	struct shmfd *shmfd = test_shm(test, 0);
	u8 bytes[8];

	KUNIT_EXPECT_EQ(test, 3L, test_write(shmfd, SIZE - 3, "abcdef", 6));
	KUNIT_EXPECT_EQ(test, 0L, test_write(shmfd, SIZE, "abcdef", 6));
	KUNIT_EXPECT_EQ(test, 4L, test_read(shmfd, SIZE - 4, bytes, 8));
	KUNIT_EXPECT_EQ(test, 0, memcmp(bytes, "\0abc\xee", 5));
	KUNIT_EXPECT_EQ(test, test_stat(shmfd).size, SIZE);
	KUNIT_EXPECT_EQ(test, test_stat(shmfd).resident, 1ULL);
	shm_drop(shmfd);
}

static void shm_write_across_pages(struct kunit *test)
{
	struct shmfd *shmfd = test_shm(test, 0);
	u8 bytes[8];

	KUNIT_EXPECT_EQ(test, 8L, test_write(shmfd, VM_PAGE_SIZE - 4, "abcdefgh", 8));
	KUNIT_EXPECT_EQ(test, 8L, test_read(shmfd, VM_PAGE_SIZE - 4, bytes, 8));
	KUNIT_EXPECT_EQ(test, 0, memcmp(bytes, "abcdefgh", 8));
	KUNIT_EXPECT_EQ(test, test_stat(shmfd).resident, 2ULL);
	shm_drop(shmfd);
}

static void shm_write_grows_where_asked(struct kunit *test)
{
	struct shmfd *shmfd = test_shm(test, BSDVM_SHM_GROW_ON_WRITE);
	u8 byte;

	KUNIT_EXPECT_EQ(test, 2L, test_write(shmfd, SIZE + 100, "ab", 2));
	KUNIT_EXPECT_EQ(test, test_stat(shmfd).size, SIZE + 102);
	KUNIT_EXPECT_EQ(test, 1L, test_read(shmfd, SIZE + 101, &byte, 1));
	KUNIT_EXPECT_EQ(test, byte, 'b');
	KUNIT_EXPECT_EQ(test, (ssize_t)-EFBIG, test_write(shmfd, S64_MAX, "a", 1));
	KUNIT_EXPECT_EQ(test, (ssize_t)-EFBIG, test_write(shmfd, U64_MAX, "ab", 2));
	KUNIT_EXPECT_EQ(test, test_stat(shmfd).size, SIZE + 102);
	shm_drop(shmfd);
}

static void shm_copy_that_faults_is_short(struct kunit *test)
{
	struct shmfd *shmfd = test_shm(test, 0);
	struct test_buffer buffer = { .bytes = "abcd", .room = 4 };

	KUNIT_EXPECT_EQ(test, 4L, shm_write(shmfd, 0, 100, test_copy_in, &buffer));
	KUNIT_EXPECT_EQ(test, (ssize_t)-EFAULT, shm_write(shmfd, 0, 100, test_copy_in, &buffer));
	shm_drop(shmfd);
}

static void shm_shrinking_frees_and_zeroes(struct kunit *test)
{
	struct shmfd *shmfd = test_shm(test, 0);
	unsigned long free = test_free_count();
	u8 *bytes = kunit_kzalloc(test, SIZE, GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, bytes);
	memset(bytes, 0x5a, SIZE);
	KUNIT_EXPECT_EQ(test, (ssize_t)SIZE, test_write(shmfd, 0, bytes, SIZE));
	KUNIT_EXPECT_EQ(test, test_free_count(), free - PAGES);
	KUNIT_EXPECT_EQ(test, 0, shm_dotruncate(shmfd, VM_PAGE_SIZE + 1));
	KUNIT_EXPECT_EQ(test, test_free_count(), free - 2);
	KUNIT_EXPECT_EQ(test, 0, shm_dotruncate(shmfd, SIZE));
	KUNIT_EXPECT_EQ(test, test_free_count(), free - 2);
	KUNIT_EXPECT_EQ(test, (ssize_t)SIZE, test_read(shmfd, 0, bytes, SIZE));
	KUNIT_EXPECT_NULL(test, memchr_inv(bytes, 0x5a, VM_PAGE_SIZE + 1));
	KUNIT_EXPECT_NULL(test, memchr_inv(bytes + VM_PAGE_SIZE + 1, 0, SIZE - VM_PAGE_SIZE - 1));
	KUNIT_EXPECT_EQ(test, 0, shm_dotruncate(shmfd, 0));
	KUNIT_EXPECT_EQ(test, test_free_count(), free);
	shm_drop(shmfd);
}

static void shm_swap_is_reserved_by_size(struct kunit *test)
{
	u64 before = swap_reserved();
	struct shmfd *shmfd = test_shm(test, 0);
	struct vm_object *object;

	KUNIT_EXPECT_EQ(test, swap_reserved(), before + SIZE);
	KUNIT_EXPECT_EQ(test, 0, shm_dotruncate(shmfd, 1));
	KUNIT_EXPECT_EQ(test, swap_reserved(), before + VM_PAGE_SIZE);
	KUNIT_EXPECT_EQ(test, 0, shm_dotruncate(shmfd, VM_PAGE_SIZE + 1));
	KUNIT_EXPECT_EQ(test, swap_reserved(), before + 2 * VM_PAGE_SIZE);
	/* The mapping keeps it. */
	object = test_object(test, shmfd);
	shm_drop(shmfd);
	KUNIT_EXPECT_EQ(test, swap_reserved(), before + 2 * VM_PAGE_SIZE);
	vm_object_deallocate(object);
	KUNIT_EXPECT_EQ(test, swap_reserved(), before);
}

static void shm_growing_needs_swap(struct kunit *test)
{
	struct shmfd *shmfd = test_shm(test, 0), *other = test_shm(test, 0);
	u64 before = swap_reserved();

	vm_overcommit = SWAP_RESERVE_FORCE_ON;
	KUNIT_EXPECT_EQ(test, -ENOMEM, shm_dotruncate(shmfd, SIZE + swap_total() + 1));
	KUNIT_EXPECT_EQ(test, 0, shm_dotruncate(shmfd, SIZE - 1));
	vm_overcommit = 0;
	KUNIT_EXPECT_EQ(test, test_stat(shmfd).size, SIZE - 1);
	KUNIT_EXPECT_EQ(test, swap_reserved(), before);
	/* The longest there can be, twice, are more bytes than can be counted. */
	KUNIT_EXPECT_EQ(test, 0, shm_dotruncate(shmfd, S64_MAX));
	KUNIT_EXPECT_EQ(test, 0, shm_dotruncate(other, S64_MAX));
	shm_drop(shmfd);
	shm_drop(other);
	KUNIT_EXPECT_EQ(test, swap_reserved(), before - 2 * SIZE);
}

/* --- faults */

static void shm_fault_fills_one_zeroed_page(struct kunit *test)
{
	struct shmfd *shmfd = test_shm(test, 0);
	struct vm_page *m = NULL;
	struct vm_map map;

	test_map(test, &map, shmfd);
	KUNIT_ASSERT_EQ(test, KERN_SUCCESS, test_fault(&map, 1, VM_PROT_WRITE, &m));
	KUNIT_EXPECT_EQ(test, m->pindex, 1ULL);
	KUNIT_EXPECT_NULL(test, memchr_inv(pmap_quick_enter_page(m), 0, VM_PAGE_SIZE));
	KUNIT_EXPECT_EQ(test, test_stat(shmfd).resident, 1ULL);
	vm_page_unwire(m, PQ_ACTIVE);
	test_unmap(&map);
	/* It is the object's, mapped or not. */
	KUNIT_EXPECT_EQ(test, test_stat(shmfd).resident, 1ULL);
	shm_drop(shmfd);
}

static void shm_fault_behind_the_end_is_out_of_bounds(struct kunit *test)
{
	struct shmfd *shmfd = test_shm(test, 0);
	struct vm_map map;

	test_map(test, &map, shmfd);
	KUNIT_EXPECT_EQ(test, 0, shm_dotruncate(shmfd, VM_PAGE_SIZE + 1));
	KUNIT_EXPECT_EQ(test, KERN_SUCCESS, test_fault(&map, 1, VM_PROT_READ, NULL));
	KUNIT_EXPECT_EQ(test, KERN_OUT_OF_BOUNDS, test_fault(&map, 2, VM_PROT_READ, NULL));
	KUNIT_EXPECT_EQ(test, KERN_OUT_OF_BOUNDS, test_fault(&map, 2, VM_PROT_WRITE, NULL));
	KUNIT_EXPECT_EQ(test, 0, shm_dotruncate(shmfd, SIZE));
	KUNIT_EXPECT_EQ(test, KERN_SUCCESS, test_fault(&map, 2, VM_PROT_WRITE, NULL));
	test_unmap(&map);
	shm_drop(shmfd);
}

/* Who wired it must find it again; nobody else may, nor see what was in it. */
static void shm_wired_page_stays_behind_the_end(struct kunit *test)
{
	struct shmfd *shmfd = test_shm(test, 0);
	struct vm_page *m = NULL;
	struct vm_map map;
	u8 byte;

	test_map(test, &map, shmfd);
	KUNIT_EXPECT_EQ(test, 1L, test_write(shmfd, 2 * VM_PAGE_SIZE, "a", 1));
	KUNIT_ASSERT_EQ(test, KERN_SUCCESS, test_fault(&map, 2, VM_PROT_WRITE, &m));
	KUNIT_EXPECT_EQ(test, 0, shm_dotruncate(shmfd, VM_PAGE_SIZE));
	KUNIT_EXPECT_EQ(test, test_stat(shmfd).resident, 1ULL);
	KUNIT_EXPECT_NULL(test, memchr_inv(pmap_quick_enter_page(m), 0, VM_PAGE_SIZE));
	KUNIT_EXPECT_EQ(test, KERN_OUT_OF_BOUNDS, test_fault(&map, 2, VM_PROT_READ, NULL));
	/* A late store of who held it is gone as well. */
	*(u8 *)pmap_quick_enter_page(m) = 'b';
	KUNIT_EXPECT_EQ(test, 0, shm_dotruncate(shmfd, SIZE));
	KUNIT_EXPECT_EQ(test, 1L, test_read(shmfd, 2 * VM_PAGE_SIZE, &byte, 1));
	KUNIT_EXPECT_EQ(test, byte, 0);
	vm_page_unwire(m, PQ_ACTIVE);
	KUNIT_EXPECT_EQ(test, KERN_SUCCESS, test_fault(&map, 2, VM_PROT_READ, NULL));
	test_unmap(&map);
	shm_drop(shmfd);
}

static void shm_mapping_outlives_the_object(struct kunit *test)
{
	struct shmfd *shmfd = test_shm(test, 0);
	struct vm_map map;

	test_map(test, &map, shmfd);
	shm_drop(shmfd);
	KUNIT_EXPECT_EQ(test, KERN_SUCCESS, test_fault(&map, PAGES - 1, VM_PROT_WRITE, NULL));
	test_unmap(&map);
}

/* --- protection and seals */

static void shm_mmap_allows_what_the_descriptor_does(struct kunit *test)
{
	static const struct {
		vm_prot_t fd, prot, max, want;
		bool shared;
		int ret;
	} cases[] = {
		{ VM_PROT_READ, VM_PROT_READ, VM_PROT_ALL, VM_PROT_READ | VM_PROT_EXECUTE, true },
		{ VM_PROT_READ, VM_PROT_WRITE, VM_PROT_ALL, 0, true, -EACCES },
		{ VM_PROT_READ, VM_PROT_WRITE, VM_PROT_ALL, VM_PROT_ALL, false },
		{ VM_PROT_READ | VM_PROT_WRITE, VM_PROT_WRITE, VM_PROT_ALL, VM_PROT_ALL, true },
		{ VM_PROT_READ | VM_PROT_WRITE, VM_PROT_READ, VM_PROT_READ, VM_PROT_READ, true },
		{ VM_PROT_READ | VM_PROT_WRITE, VM_PROT_NONE, VM_PROT_ALL, VM_PROT_ALL, true },
	};
	struct shmfd *shmfd = test_shm(test, 0);
	struct vm_object *object;
	vm_prot_t max;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		max = cases[i].max;
		KUNIT_EXPECT_EQ_MSG(test, cases[i].ret,
				    shm_mmap(shmfd, cases[i].fd, cases[i].shared, cases[i].prot,
					     &max, &object), "case %u", i);
		if (cases[i].ret)
			continue;
		KUNIT_EXPECT_EQ_MSG(test, cases[i].want, max, "case %u", i);
		vm_object_deallocate(object);
	}
	shm_drop(shmfd);
}

static void shm_seals_hold(struct kunit *test)
{
	struct shmfd *shmfd = test_shm(test, BSDVM_SHM_ALLOW_SEALING | BSDVM_SHM_GROW_ON_WRITE);
	vm_prot_t max = VM_PROT_ALL;
	struct vm_object *object;

	KUNIT_EXPECT_EQ(test, shm_get_seals(shmfd), 0U);
	KUNIT_EXPECT_EQ(test, -EINVAL, shm_add_seals(shmfd, 0x10));

	KUNIT_EXPECT_EQ(test, 0, shm_add_seals(shmfd, BSDVM_F_SEAL_GROW));
	KUNIT_EXPECT_EQ(test, -EPERM, shm_dotruncate(shmfd, SIZE + 1));
	KUNIT_EXPECT_EQ(test, (ssize_t)-EPERM, test_write(shmfd, SIZE - 1, "ab", 2));
	KUNIT_EXPECT_EQ(test, 2L, test_write(shmfd, SIZE - 2, "ab", 2));
	KUNIT_EXPECT_EQ(test, 0, shm_dotruncate(shmfd, SIZE - 1));

	KUNIT_EXPECT_EQ(test, 0, shm_add_seals(shmfd, BSDVM_F_SEAL_SHRINK));
	KUNIT_EXPECT_EQ(test, -EPERM, shm_dotruncate(shmfd, 0));
	KUNIT_EXPECT_EQ(test, 0, shm_dotruncate(shmfd, SIZE - 1));

	KUNIT_ASSERT_EQ(test, 0, shm_mmap(shmfd, VM_PROT_READ | VM_PROT_WRITE, true,
					  VM_PROT_WRITE, &max, &object));
	atomic64_inc(&object->writemappings);
	KUNIT_EXPECT_EQ(test, -EBUSY, shm_add_seals(shmfd, BSDVM_F_SEAL_WRITE));
	atomic64_dec(&object->writemappings);
	vm_object_deallocate(object);
	shm_mmap_begin(shmfd);
	KUNIT_EXPECT_EQ(test, -EBUSY,
			shm_add_seals(shmfd, BSDVM_F_SEAL_WRITE));
	shm_mmap_end(shmfd);
	KUNIT_EXPECT_EQ(test, 0, shm_add_seals(shmfd, BSDVM_F_SEAL_WRITE));
	KUNIT_EXPECT_EQ(test, (ssize_t)-EPERM, test_write(shmfd, 0, "a", 1));
	KUNIT_EXPECT_EQ(test, -EACCES, shm_mmap(shmfd, VM_PROT_READ | VM_PROT_WRITE, true,
						VM_PROT_WRITE, &max, &object));
	KUNIT_ASSERT_EQ(test, 0, shm_mmap(shmfd, VM_PROT_READ | VM_PROT_WRITE, true,
					  VM_PROT_READ, &max, &object));
	KUNIT_EXPECT_EQ(test, max, VM_PROT_READ | VM_PROT_EXECUTE);
	vm_object_deallocate(object);
	/* Once more is no harm, where it is mapped as it may be. */
	KUNIT_EXPECT_EQ(test, 0, shm_add_seals(shmfd, BSDVM_F_SEAL_WRITE));

	KUNIT_EXPECT_EQ(test, 0, shm_add_seals(shmfd, BSDVM_F_SEAL_SEAL));
	KUNIT_EXPECT_EQ(test, -EPERM, shm_add_seals(shmfd, BSDVM_F_SEAL_SEAL));
	KUNIT_EXPECT_EQ(test, shm_get_seals(shmfd), 0xfU);
	shm_drop(shmfd);
}

/* --- names */

static void shm_names(struct kunit *test)
{
	struct shmfd *shmfd, *again;
	u64 ino;

	KUNIT_EXPECT_EQ(test, -ENOENT, kern_shm_open("/k", RDWR, 0, 0, &shmfd));
	KUNIT_EXPECT_EQ(test, -ENOENT, kern_shm_unlink("/k"));
	KUNIT_EXPECT_EQ(test, -EINVAL, kern_shm_open(NULL, BSDVM_O_RDONLY, 0, 0, &shmfd));
	KUNIT_ASSERT_EQ(test, 0, kern_shm_open("/k", CREAT, 07777, 0, &shmfd));
	ino = test_stat(shmfd).ino;
	KUNIT_EXPECT_EQ(test, test_stat(shmfd).mode, 0777U);
	KUNIT_EXPECT_EQ(test, 0, shm_dotruncate(shmfd, SIZE));
	shm_drop(shmfd);

	KUNIT_EXPECT_EQ(test, -EEXIST,
			kern_shm_open("/k", CREAT | BSDVM_O_EXCL, 0600, 0, &shmfd));
	KUNIT_EXPECT_EQ(test, -EINVAL,
			kern_shm_open("/k", RDWR, 0, BSDVM_SHM_GROW_ON_WRITE, &shmfd));
	KUNIT_ASSERT_EQ(test, 0, kern_shm_open("/k", BSDVM_O_TRUNC, 0, 0, &shmfd));
	KUNIT_EXPECT_EQ(test, test_stat(shmfd).ino, ino);
	KUNIT_EXPECT_EQ(test, test_stat(shmfd).size, SIZE);
	KUNIT_ASSERT_EQ(test, 0, kern_shm_open("/k", CREAT | BSDVM_O_TRUNC, 0, 0, &again));
	KUNIT_EXPECT_PTR_EQ(test, again, shmfd);
	KUNIT_EXPECT_EQ(test, test_stat(shmfd).size, 0ULL);
	shm_drop(again);

	/* Without its name it lives on, and the name is free. */
	KUNIT_EXPECT_EQ(test, 0, kern_shm_unlink("/k"));
	KUNIT_ASSERT_EQ(test, 0, kern_shm_open("/k", CREAT | BSDVM_O_EXCL, 0600, 0, &again));
	KUNIT_EXPECT_NE(test, test_stat(again).ino, ino);
	KUNIT_EXPECT_EQ(test, 0, shm_dotruncate(shmfd, SIZE));
	shm_drop(shmfd);
	shm_drop(again);
	KUNIT_EXPECT_EQ(test, 0, kern_shm_unlink("/k"));
}

static void shm_opening_without_seals_ends_sealing(struct kunit *test)
{
	struct shmfd *shmfd, *again;

	KUNIT_ASSERT_EQ(test, 0, kern_shm_open("/k", CREAT, 0600, BSDVM_SHM_ALLOW_SEALING, &shmfd));
	KUNIT_ASSERT_EQ(test, 0, kern_shm_open("/k", RDWR, 0, BSDVM_SHM_ALLOW_SEALING, &again));
	KUNIT_EXPECT_EQ(test, shm_get_seals(shmfd), 0U);
	shm_drop(again);
	KUNIT_ASSERT_EQ(test, 0, kern_shm_open("/k", RDWR, 0, 0, &again));
	KUNIT_EXPECT_EQ(test, shm_get_seals(shmfd), (u32)BSDVM_F_SEAL_SEAL);
	shm_drop(again);
	shm_drop(shmfd);
	KUNIT_EXPECT_EQ(test, 0, kern_shm_unlink("/k"));
}

/* The number of what a name means, 0 for nothing. */
static u64 test_named(const char *path)
{
	struct shmfd *shmfd;
	u64 ino;

	if (kern_shm_open(path, RDWR, 0, 0, &shmfd))
		return 0;
	ino = test_stat(shmfd).ino;
	shm_drop(shmfd);
	return ino;
}

static u64 test_create(struct kunit *test, const char *path)
{
	struct shmfd *shmfd;

	KUNIT_ASSERT_EQ(test, 0, kern_shm_open(path, CREAT | BSDVM_O_EXCL, 0600, 0, &shmfd));
	shm_drop(shmfd);
	return test_named(path);
}

static void shm_rename(struct kunit *test)
{
	u64 a = test_create(test, "/a"), b = test_create(test, "/b");

	KUNIT_EXPECT_EQ(test, -EINVAL, kern_shm_rename("/a", "/b", 4));
	KUNIT_EXPECT_EQ(test, -EINVAL,
			kern_shm_rename("/a", "/b", BSDVM_SHM_RENAME_NOREPLACE |
					BSDVM_SHM_RENAME_EXCHANGE));
	KUNIT_EXPECT_EQ(test, -ENOENT, kern_shm_rename("/c", "/b", 0));
	KUNIT_EXPECT_EQ(test, -EEXIST, kern_shm_rename("/a", "/b", BSDVM_SHM_RENAME_NOREPLACE));
	KUNIT_EXPECT_EQ(test, 0, kern_shm_rename("/a", "/a", BSDVM_SHM_RENAME_NOREPLACE));

	KUNIT_EXPECT_EQ(test, 0, kern_shm_rename("/a", "/b", BSDVM_SHM_RENAME_EXCHANGE));
	KUNIT_EXPECT_EQ(test, test_named("/a"), b);
	KUNIT_EXPECT_EQ(test, test_named("/b"), a);
	/* With nothing to exchange it for, it is an ordinary one. */
	KUNIT_EXPECT_EQ(test, 0, kern_shm_rename("/a", "/c", BSDVM_SHM_RENAME_EXCHANGE));
	KUNIT_EXPECT_EQ(test, test_named("/a"), 0ULL);
	KUNIT_EXPECT_EQ(test, test_named("/c"), b);
	KUNIT_EXPECT_EQ(test, 0, kern_shm_rename("/c", "/d", BSDVM_SHM_RENAME_NOREPLACE));
	KUNIT_EXPECT_EQ(test, test_named("/d"), b);
	KUNIT_EXPECT_EQ(test, 0, kern_shm_rename("/b", "/d", 0));
	KUNIT_EXPECT_EQ(test, test_named("/b"), 0ULL);
	KUNIT_EXPECT_EQ(test, test_named("/d"), a);
	KUNIT_EXPECT_EQ(test, 0, kern_shm_unlink("/d"));
}

/* --- who may */

/* Become somebody without privileges until the test ends. */
static void test_become(struct kunit *test, struct cred **credp, unsigned int uid)
{
	struct cred *cred = prepare_creds();

	KUNIT_ASSERT_NOT_NULL(test, cred);
	cred->fsuid = make_kuid(&init_user_ns, uid);
	cred->fsgid = make_kgid(&init_user_ns, uid);
	cap_clear(cred->cap_effective);
	*credp = cred;
}

static void shm_access_by_owner_and_mode(struct kunit *test)
{
	static const struct {
		u32 mode;
		int read, write;
	} others[] = {
		{ 0600, -EACCES, -EACCES },
		{ 0604, 0, -EACCES },
		{ 0602, -EACCES, -EACCES },
		{ 0606, 0, 0 },
	};
	const struct cred *old;
	struct shmfd *shmfd, *opened;
	struct cred *cred;
	unsigned int i;

	test_become(test, &cred, 1000);
	KUNIT_ASSERT_EQ(test, 0, kern_shm_open("/k", CREAT, 0600, 0, &shmfd));
	for (i = 0; i < ARRAY_SIZE(others); i++) {
		KUNIT_EXPECT_EQ(test, 0, shm_chmod(shmfd, others[i].mode));
		old = override_creds(cred);
		KUNIT_EXPECT_EQ_MSG(test, others[i].read,
				    kern_shm_open("/k", BSDVM_O_RDONLY, 0, 0, &opened),
				    "mode %o", others[i].mode);
		if (!others[i].read)
			shm_drop(opened);
		KUNIT_EXPECT_EQ_MSG(test, others[i].write,
				    kern_shm_open("/k", RDWR, 0, 0, &opened), "mode %o",
				    others[i].mode);
		if (!others[i].write)
			shm_drop(opened);
		if (others[i].write) {
			KUNIT_EXPECT_EQ(test, -EACCES, kern_shm_unlink("/k"));
			KUNIT_EXPECT_EQ(test, -EACCES, kern_shm_rename("/k", "/l", 0));
		}
		KUNIT_EXPECT_EQ(test, -EPERM, shm_chmod(shmfd, 0666));
		KUNIT_EXPECT_EQ(test, -EPERM,
				shm_chown(shmfd, make_kuid(&init_user_ns, 1000), INVALID_GID));
		revert_creds(old);
	}
	/* The owner's bits are what counts for the owner. */
	KUNIT_EXPECT_EQ(test, 0, shm_chown(shmfd, make_kuid(&init_user_ns, 1000),
					   make_kgid(&init_user_ns, 1000)));
	KUNIT_EXPECT_EQ(test, 0, shm_chmod(shmfd, 0066));
	old = override_creds(cred);
	KUNIT_EXPECT_EQ(test, -EACCES, kern_shm_open("/k", BSDVM_O_RDONLY, 0, 0, &opened));
	KUNIT_EXPECT_EQ(test, 0, shm_chmod(shmfd, 0600));
	KUNIT_EXPECT_EQ(test, -EPERM,
			shm_chown(shmfd, INVALID_UID, make_kgid(&init_user_ns, 1001)));
	KUNIT_EXPECT_EQ(test, 0, kern_shm_unlink("/k"));
	revert_creds(old);
	abort_creds(cred);
	shm_drop(shmfd);
}

/* --- without memory */

static int test_open_rename_unlink(void)
{
	struct shmfd *shmfd;
	int ret;

	ret = kern_shm_open("/k", CREAT | BSDVM_O_EXCL, 0600, 0, &shmfd);
	if (ret)
		return ret;
	shm_drop(shmfd);
	ret = kern_shm_rename("/k", "/l", 0);
	if (ret) {
		kern_shm_unlink("/k");
		return ret;
	}
	return kern_shm_unlink("/l");
}

static void shm_names_without_memory(struct kunit *test)
{
	unsigned int nth;
	bool failed;
	int ret;

	test_fail_init(test);
	for (nth = 1; nth < 100; nth++) {
		test_fail_from(nth);
		ret = test_open_rename_unlink();
		failed = test_fail_done();
		KUNIT_EXPECT_EQ(test, failed ? -ENOMEM : 0, ret);
		KUNIT_EXPECT_EQ(test, test_named("/k"), 0ULL);
		KUNIT_EXPECT_EQ(test, test_named("/l"), 0ULL);
		if (!failed)
			break;
	}
	KUNIT_EXPECT_GT(test, nth, 3U);
	KUNIT_EXPECT_LT(test, nth, 100U);
}

static struct kunit_case shm_cases[] = {
	KUNIT_CASE(shm_hole_reads_as_zeroes),
	KUNIT_CASE(shm_write_stops_at_the_end),
	KUNIT_CASE(shm_write_across_pages),
	KUNIT_CASE(shm_write_grows_where_asked),
	KUNIT_CASE(shm_copy_that_faults_is_short),
	KUNIT_CASE(shm_shrinking_frees_and_zeroes),
	KUNIT_CASE(shm_swap_is_reserved_by_size),
	KUNIT_CASE(shm_growing_needs_swap),
	KUNIT_CASE(shm_fault_fills_one_zeroed_page),
	KUNIT_CASE(shm_fault_behind_the_end_is_out_of_bounds),
	KUNIT_CASE(shm_wired_page_stays_behind_the_end),
	KUNIT_CASE(shm_mapping_outlives_the_object),
	KUNIT_CASE(shm_mmap_allows_what_the_descriptor_does),
	KUNIT_CASE(shm_seals_hold),
	KUNIT_CASE(shm_names),
	KUNIT_CASE(shm_opening_without_seals_ends_sealing),
	KUNIT_CASE(shm_rename),
	KUNIT_CASE(shm_access_by_owner_and_mode),
	KUNIT_CASE(shm_names_without_memory),
	{}
};

static struct kunit_suite shm_suite = {
	.name = "bsdvm_shm",
	.init = test_pages_init,
	.test_cases = shm_cases,
};

kunit_test_suite(shm_suite);
