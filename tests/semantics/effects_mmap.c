// SPDX-License-Identifier: BSD-2-Clause
/* mmap: where it maps, and what its flags do. */
#include <fcntl.h>
#include <linux/fs.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "scene.h"
#include "effects.h"

#define SHARED	  BSDVM_MAP_SHARED
#define PRIVATE	  BSDVM_MAP_PRIVATE
#define FIXED	  BSDVM_MAP_FIXED
#define SUPERPAGE ((size_t)2 << 20)

static char *window_begin(void)
{
	void *start;

	ASSERT(!bsdvm_window(&start, NULL));
	return start;
}

void effect_mmap_3(void)
{
	char *map = must_map(NULL, PAGE, R, ANON, -1, 0);

	EXPECT_EQ(vm_entry_at(map).e.kve_max_protection, RWX);
	ASSERT(!tunable("vm.imply_prot_max", 1));
	map = must_map(NULL, PAGE, R, ANON, -1, 0);
	EXPECT_EQ(vm_entry_at(map).e.kve_max_protection, R);
	EXPECT_ERRNO(bsdvm_mprotect(map, PAGE, RW), EACCES);
	map = must_map(NULL, PAGE, BSDVM_PROT_NONE, ANON, -1, 0);
	EXPECT_EQ(vm_entry_at(map).e.kve_max_protection, RWX);
	EXPECT_ERRNO(bsdvm_mprotect(map, PAGE, RW), 0);
	/* What is asked for counts. */
	map = must_map(NULL, PAGE, R | BSDVM_PROT_MAX(RW), ANON, -1, 0);
	EXPECT_EQ(vm_entry_at(map).e.kve_max_protection, RW);
}

void effect_mmap_11(void)
{
	const int fd = vm_file("/tmp", 4 * PAGE);
	char *map = must_map(NULL, PAGE, R, SHARED, fd, PAGE + 100);

	EXPECT_EQ((uintptr_t)map % PAGE, 100);
	EXPECT_EQ(*map, vm_file_byte(PAGE + 100));
	/* The length counts from there: two pages are mapped. */
	EXPECT_EQ(map[PAGE - 1], vm_file_byte(2 * PAGE + 99));
	EXPECT_EQ(vm_entry_at(map).e.kve_offset, PAGE);
	EXPECT_EQ(vm_entry_at(map).e.kve_end - vm_entry_at(map).e.kve_start,
		  2 * PAGE);
}

/* The end of what a heap may take, with all limits as they are. */
static char *heap_limit(void)
{
	size_t bytes, window_size;
	struct rlimit data;
	uint64_t maxdsiz;
	void *start;

	ASSERT(!bsdvm_window(&start, &window_size));
	ASSERT(!getrlimit(RLIMIT_DATA, &data));
	ASSERT(!bsdvm_sysctl_get("kern.maxdsiz", &maxdsiz));
	bytes = window_size / 4;
	if (bytes > maxdsiz)
		bytes = maxdsiz;
	if (bytes > data.rlim_max)
		bytes = data.rlim_max;
	return (char *)start + bytes;
}

/* Heap and hints where a program has its segments elsewhere. */
static void segments_away_from_the_start(void)
{
	char *base = window_begin();
	struct bsdvm_segments segments = {
		.taddr = (uintptr_t)base + 256 * PAGE,
		.tsize = 16 * PAGE,
		.daddr = (uintptr_t)base + 512 * PAGE,
		.dsize = 4 * PAGE,
	};
	char *end = base + 512 * PAGE + (1 << 20);

	ASSERT(!bsdvm_segments(&segments));
	EXPECT_EQ(bsdvm_mmap(NULL, PAGE, R, ANON, -1, 0), end);
	EXPECT_EQ(bsdvm_mmap(base + 256 * PAGE, PAGE, R, ANON, -1, 0),
		  end + PAGE);
	EXPECT_EQ(bsdvm_mmap(base + 300 * PAGE, PAGE, R, ANON, -1, 0),
		  end + 2 * PAGE);
	/* Below the text it is taken. */
	EXPECT_EQ(bsdvm_mmap(base + 16 * PAGE, PAGE, R, ANON, -1, 0),
		  base + 16 * PAGE);
}

void effect_mmap_17(void)
{
	char *base = window_begin(), *limit_end = heap_limit(), *map;

	EXPECT_EQ(bsdvm_mmap(NULL, PAGE, R, ANON, -1, 0), limit_end);
	map = bsdvm_mmap(base + 100 * PAGE, PAGE, R, ANON, -1, 0);
	EXPECT_EQ(map, limit_end + PAGE);
	map = bsdvm_mmap(limit_end - PAGE, PAGE, R, ANON, -1, 0);
	EXPECT_EQ(map, limit_end + 2 * PAGE);
	map = bsdvm_mmap(limit_end + 8 * PAGE, PAGE, R, ANON, -1, 0);
	EXPECT_EQ(map, limit_end + 8 * PAGE);
	/* A fixed address is taken wherever it is. */
	map = base + 100 * PAGE;
	EXPECT_EQ(bsdvm_mmap(map, PAGE, R, ANON | FIXED, -1, 0), map);
	/* A lower hard limit leaves a smaller range. */
	ASSERT(!limit(RLIMIT_DATA, 1 << 20));
	map = bsdvm_mmap(NULL, PAGE, R, ANON, -1, 0);
	EXPECT_EQ(map, base + (1 << 20));
	segments_away_from_the_start();
}

/* A window that lies on both sides of 2 GiB. */
#define LOW_WINDOW ((char *)0x70000000)
#define LOW_SIZE   ((size_t)0x20000000)
#define LOW_END	   ((uint64_t)0x80000000)

static uint64_t map_low(uint64_t hint, uint64_t len, uint32_t flags)
{
	struct bsdvm_mmap arg = {
		.size = sizeof(arg),
		.prot = RW,
		.flags = BSDVM_MAP_ANON | BSDVM_MAP_32BIT | flags,
		.fd = -1,
		.addr = hint,
		.len = len,
	};

	return ioctl(bsdvm_fd(), BSDVM_IOC_MMAP, &arg) ? 0 : arg.addr;
}

void effect_mmap_17_32bit(void)
{
	uint64_t at;

	ASSERT(mmap(LOW_WINDOW, LOW_SIZE, PROT_READ | PROT_WRITE | PROT_EXEC,
		    MAP_SHARED | MAP_FIXED | MAP_NORESERVE, bsdvm_fd(),
		    0) == LOW_WINDOW);
	/* No heap is kept free here: the first gap. */
	at = map_low(0, PAGE, 0);
	EXPECT_EQ(at, (uintptr_t)LOW_WINDOW);
	at = map_low(LOW_END + 16 * PAGE, PAGE, 0);
	EXPECT(at && at + PAGE <= LOW_END);
	at = map_low(LOW_END - PAGE, 2 * PAGE, 0);
	EXPECT(at && at + 2 * PAGE <= LOW_END);
	at = map_low(LOW_END - PAGE, PAGE, 0);
	EXPECT_EQ(at, LOW_END - PAGE);
	*(volatile char *)(uintptr_t)at = 'x';
	errno = 0;
	EXPECT_EQ(map_low(0, LOW_SIZE / 2 + PAGE, 0), 0);
	EXPECT_EQ(errno, ENOMEM);
	errno = 0;
	EXPECT_EQ(map_low(LOW_END - PAGE, 2 * PAGE, FIXED), 0);
	EXPECT_EQ(errno, EINVAL);
	EXPECT_EQ(map_low(LOW_END - 4 * PAGE, 2 * PAGE, FIXED),
		  LOW_END - 4 * PAGE);
}

void effect_mmap_28(void)
{
	char *map;

	ASSERT(!bsdvm_mlockall(BSDVM_MCL_FUTURE));
	map = must_map(NULL, PAGE, BSDVM_PROT_NONE, ANON, -1, 0);
	EXPECT(none_locked(map, 1));
	ASSERT(!tunable("vm.max_user_wired", 1));
	map = must_map(NULL, 4 * PAGE, RW, ANON, -1, 0);
	EXPECT(none_locked(map, 4));
	memset(map, 'x', 4 * PAGE);
	map = must_map(NULL, PAGE, RW, ANON, -1, 0);
	EXPECT(all_locked(map, 1));
}

void effect_order_22(void)
{
	const int fd = vm_file("/mnt/ext4", PAGE);
	const int ro = vm_reopen(fd, O_RDONLY);
	char *map = vm_anon(1);
	int flags;

	ASSERT(!ioctl(fd, FS_IOC_GETFLAGS, &flags));
	flags |= FS_IMMUTABLE_FL;
	ASSERT(!ioctl(fd, FS_IOC_SETFLAGS, &flags));
	EXPECT_ERRNO(bsdvm_mmap(NULL, PAGE, RW, SHARED, fd, 0), EPERM);
	EXPECT_ERRNO(bsdvm_mmap(NULL, PAGE, RW, SHARED, ro, 0), EACCES);
	EXPECT_ERRNO(bsdvm_mmap(NULL, PAGE, RW, SHARED, fd, -(off_t)PAGE),
		     EPERM);
	EXPECT_ERRNO(bsdvm_mmap(map, PAGE, RW, SHARED | FIXED | BSDVM_MAP_EXCL,
				fd, 0),
		     EPERM);
	EXPECT_ERRNO(bsdvm_mmap(NULL, PAGE, RW, 0, fd, 0), EINVAL);
	flags &= ~FS_IMMUTABLE_FL;
	ASSERT(!ioctl(fd, FS_IOC_SETFLAGS, &flags));
}

/* --- the flags */

void effect_flag_ANON(void)
{
	char *map = must_map(NULL, 4 * PAGE, RW, BSDVM_MAP_ANON, -1, 0);

	EXPECT_EQ(vm_entry_at(map).e.kve_nobjects, 0);
	EXPECT_EQ(vm_entry_at(map).e.kve_inheritance, BSDVM_INHERIT_COPY);
	EXPECT(vm_all(map + PAGE, PAGE, 0));
	EXPECT_EQ(vm_entry_at(map).e.kve_nobjects, 1);
	EXPECT_EQ(vm_entry_at(map).e.kve_resident, 1);
	map[0] = 'p';
	IN_CHILD()
	{
		map[0] = 'c';
	}
	EXPECT_EQ(map[0], 'p');
}

void effect_flag_SHARED(void)
{
	const int fd = vm_file("/tmp", PAGE);
	char *a = must_map(NULL, PAGE, RW, SHARED, fd, 0);
	char *b = must_map(NULL, PAGE, RW, SHARED, fd, 0);
	char *memory = vm_anon_flags(1, SHARED);

	*a = '!';
	EXPECT_EQ(*b, '!');
	EXPECT_EQ(vm_entry_at(a).e.kve_inheritance, BSDVM_INHERIT_SHARE);
	EXPECT_EQ(vm_entry_at(memory).e.kve_inheritance, BSDVM_INHERIT_SHARE);
	EXPECT(!(entry_flags(a) & BSDVM_KVME_FLAG_COW));
	IN_CHILD()
	{
		*a = 'c';
		*memory = 'c';
	}
	EXPECT_EQ(*b, 'c');
	EXPECT_EQ(*memory, 'c');
}

void effect_flag_PRIVATE(void)
{
	const uint32_t cow = BSDVM_KVME_FLAG_COW | BSDVM_KVME_FLAG_NEEDS_COPY;
	const int fd = vm_file("/tmp", 3 * PAGE);
	char *map = must_map(NULL, 3 * PAGE, RW, PRIVATE, fd, 0);

	EXPECT_EQ(entry_flags(map) & cow, cow);
	EXPECT_EQ(*map, vm_file_byte(0));
	EXPECT_EQ(vm_entry_at(map).e.kve_nobjects, 1);
	*map = '!';
	EXPECT_EQ(entry_flags(map) & cow, BSDVM_KVME_FLAG_COW);
	EXPECT_EQ(vm_entry_at(map).e.kve_nobjects, 2);
	EXPECT_EQ(vm_entry_at(map).e.kve_private_resident, 1);
	EXPECT_EQ(vm_file_read(fd, 0), vm_file_byte(0));
	EXPECT_EQ(map[1], vm_file_byte(1));
}

void effect_flag_FIXED(void)
{
	char *map = vm_anon(8), *middle = map + 2 * PAGE;

	memset(map, 'x', 8 * PAGE);
	EXPECT_EQ(bsdvm_mmap(middle, 4 * PAGE, R, ANON | FIXED, -1, 0), middle);
	EXPECT(vm_all(map, 2 * PAGE, 'x'));
	EXPECT(vm_all(middle, 4 * PAGE, 0));
	EXPECT(vm_all(map + 6 * PAGE, 2 * PAGE, 'x'));
	EXPECT_EQ(vm_entry_count(), 3);
	EXPECT_EQ(vm_entry_at(middle).e.kve_protection, R);
}

void effect_flag_FIXED_fail(void)
{
	const int fd = vm_file("/tmp", 4 * PAGE);
	char *map = must_map(NULL, 4 * PAGE, RW, SHARED, fd, 0);

	memset(map, 'x', 4 * PAGE);
	ASSERT(!tunable("vm.overcommit", 1));
	EXPECT_ERRNO(bsdvm_mmap(map + PAGE, PAGE, RW, ANON | FIXED, -1, 0),
		     ENOMEM);
	EXPECT(vm_all(map, 4 * PAGE, 'x'));
	EXPECT_EQ(vm_entry_count(), 1);
	/* What needs no reservation can be mapped there. */
	EXPECT_EQ(bsdvm_mmap(map + PAGE, PAGE, R, ANON | FIXED, -1, 0),
		  map + PAGE);
	EXPECT_EQ(map[PAGE], 0);
}

static char *map_guard(void *addr, size_t pages, int flags)
{
	return must_map(addr, pages * PAGE, BSDVM_PROT_NONE,
			BSDVM_MAP_GUARD | flags, -1, 0);
}

void effect_flag_GUARD(void)
{
	const uint64_t before = (vm_anon(1), usage().vm_size);
	char *guards = map_guard(NULL, 4, 0), *map;

	EXPECT_EQ(usage().vm_size, before);
	EXPECT_EQ(vm_entry_at(guards).e.kve_nobjects, 0);
	EXPECT_EQ(vm_entry_at(guards).e.kve_type, BSDVM_KVME_TYPE_GUARD);
	EXPECT_FAULT(vm_read(guards), SIGSEGV, SEGV_ACCERR, guards);
	EXPECT_FAULT(vm_write(guards + PAGE, 1), SIGSEGV, SEGV_ACCERR,
		     guards + PAGE);
	map = must_map(guards, PAGE, RW, ANON, -1, 0);
	EXPECT(map < guards || map >= guards + 4 * PAGE);
	EXPECT_EQ(vm_entry_at(guards).e.kve_end -
			  vm_entry_at(guards).e.kve_start,
		  4 * PAGE);
}

void effect_flag_GUARD_mprotect(void)
{
	char *guards = map_guard(NULL, 2, 0);

	EXPECT_ERRNO(bsdvm_mprotect(guards, 2 * PAGE, RW), 0);
	EXPECT_FAULT(vm_read(guards), SIGSEGV, SEGV_ACCERR, guards);
	EXPECT_EQ(vm_entry_at(guards).e.kve_type, BSDVM_KVME_TYPE_GUARD);
}

void effect_flag_GUARD_remove(void)
{
	char *guards = map_guard(NULL, 4, 0);

	ASSERT(!bsdvm_munmap(guards, PAGE));
	EXPECT_FAULT(vm_read(guards), SIGSEGV, SEGV_MAPERR, guards);
	must_map(guards + PAGE, PAGE, RW, ANON | FIXED, -1, 0);
	EXPECT_NO_FAULT(vm_write(guards + PAGE, 'x'));
	EXPECT_FAULT(vm_read(guards + 2 * PAGE), SIGSEGV, SEGV_ACCERR,
		     guards + 2 * PAGE);
	EXPECT_EQ(vm_entry_count(), 2);
}

void effect_flag_GUARD_inherit(void)
{
	char *guards = map_guard(NULL, 4, 0);

	EXPECT_ERRNO(bsdvm_minherit(guards, PAGE, BSDVM_INHERIT_ZERO), 0);
	EXPECT(vm_entry_at(guards).e.kve_inheritance != BSDVM_INHERIT_ZERO);
	EXPECT_ERRNO(bsdvm_minherit(guards + 2 * PAGE, 2 * PAGE,
				    BSDVM_INHERIT_NONE),
		     0);
	IN_CHILD()
	{
		EXPECT_FAULT(vm_write(guards, 1), SIGSEGV, SEGV_ACCERR, guards);
		EXPECT_FAULT(vm_write(guards + 2 * PAGE, 1), SIGSEGV,
			     SEGV_MAPERR, guards + 2 * PAGE);
		EXPECT_EQ(vm_entry_at(guards).e.kve_type,
			  BSDVM_KVME_TYPE_GUARD);
	}
}

void effect_flag_ALIGNED(void)
{
	char *hint = heap_limit() + 3 * PAGE;
	unsigned int n;

	for (n = 12; n <= 32; n++) {
		char *map = must_map(hint, PAGE, R, ANON | BSDVM_MAP_ALIGNED(n),
				     -1, 0);

		EXPECT_EQ((uintptr_t)map & (((uintptr_t)1 << n) - 1), 0);
		EXPECT(map >= hint);
	}
}

void effect_flag_ALIGNED_SUPER(void)
{
	const int fd = vm_file("/tmp", 2 * PAGE);
	char *hint = heap_limit() + 3 * PAGE, *map;

	map = must_map(hint, SUPERPAGE, R, ANON | BSDVM_MAP_ALIGNED_SUPER, -1,
		       0);
	EXPECT_EQ((uintptr_t)map % SUPERPAGE, 0);
	map = must_map(hint, SUPERPAGE, R, SHARED | BSDVM_MAP_ALIGNED_SUPER, fd,
		       0);
	EXPECT_EQ((uintptr_t)map % SUPERPAGE, 0);
	/* Where the file's own superpages begin, the map's do. */
	map = must_map(hint, 2 * SUPERPAGE, R, SHARED | BSDVM_MAP_ALIGNED_SUPER,
		       fd, PAGE);
	EXPECT_EQ((uintptr_t)map % SUPERPAGE, PAGE);
}

void effect_flag_NOSYNC(void)
{
	char path[] = "/tmp/semantics.XXXXXX";
	const int fd = mkstemp(path);
	char *map, *other;

	ASSERT(fd >= 0);
	ASSERT(!ftruncate(fd, PAGE));
	map = must_map(NULL, PAGE, RW, SHARED | BSDVM_MAP_NOSYNC, fd, 0);
	other = must_map(NULL, PAGE, RW, SHARED, fd, 0);
	EXPECT(entry_flags(map) & BSDVM_KVME_FLAG_NOSYNC);
	EXPECT(!(entry_flags(other) & BSDVM_KVME_FLAG_NOSYNC));
	*map = '!';
	EXPECT_EQ(*other, '!');
	EXPECT_ERRNO(bsdvm_msync(map, PAGE, 0), 0);
	EXPECT_EQ(vm_file_read(fd, 0), '!');
	/* Nobody will miss a file without a name after a crash. */
	unlink(path);
	other = must_map(NULL, PAGE, RW, SHARED, fd, 0);
	EXPECT(entry_flags(other) & BSDVM_KVME_FLAG_NOSYNC);
}

void effect_flag_NOCORE(void)
{
	char *map = must_map(NULL, PAGE, RW, ANON | BSDVM_MAP_NOCORE, -1, 0);

	EXPECT(entry_flags(map) & BSDVM_KVME_FLAG_NOCOREDUMP);
	EXPECT(!(entry_flags(vm_anon(1)) & BSDVM_KVME_FLAG_NOCOREDUMP));
	EXPECT_EQ(vm_entry_count(), 2);
}

void effect_flag_PREFAULT_READ(void)
{
	const int fd = vm_file("/tmp", 8 * PAGE);
	char *map = must_map(NULL, 8 * PAGE, R,
			     SHARED | BSDVM_MAP_PREFAULT_READ, fd, 0);
	const uint64_t before = fault_count();
	size_t i;

	EXPECT_EQ(vm_entry_at(map).e.kve_resident, 8);
	for (i = 0; i < 8; i++)
		EXPECT_EQ(map[i * PAGE], vm_file_byte(i * PAGE));
	EXPECT_EQ(fault_count(), before);
}

void effect_flag_PROT_MAX(void)
{
	const int fd = vm_file("/tmp", PAGE);
	char *map = must_map(NULL, PAGE, R | BSDVM_PROT_MAX(R), SHARED, fd, 0);

	EXPECT_EQ(vm_entry_at(map).e.kve_max_protection, R);
	EXPECT_ERRNO(bsdvm_mprotect(map, PAGE, RW), EACCES);
	EXPECT_EQ(bsdvm_mmap(map, PAGE, R, SHARED | FIXED, fd, 0), map);
	EXPECT_EQ(vm_entry_at(map).e.kve_max_protection, RWX);
	EXPECT_ERRNO(bsdvm_mprotect(map, PAGE, RW), 0);
	EXPECT_NO_FAULT(vm_write(map, '!'));
}

void effect_flag_MCL_FUTURE(void)
{
	const int fd = vm_file("/tmp", 2 * PAGE);
	char *map, *file;
	uint64_t before;

	ASSERT(!bsdvm_mlockall(BSDVM_MCL_FUTURE));
	map = must_map(NULL, 4 * PAGE, RW, ANON, -1, 0);
	file = must_map(NULL, 2 * PAGE, RW, SHARED, fd, 0);
	EXPECT(all_locked(map, 4));
	EXPECT(all_locked(file, 2));
	EXPECT_EQ(vm_entry_at(map).e.kve_resident, 4);
	EXPECT_EQ(usage().vm_wired, 6 * PAGE);
	before = fault_count();
	EXPECT(vm_all(map, 4 * PAGE, 0));
	EXPECT_EQ(file[PAGE], vm_file_byte(PAGE));
	EXPECT_EQ(fault_count(), before);
}

void effect_flag_placement(void)
{
	char *base = heap_limit() + 16 * PAGE;

	/* A hint is rounded up. */
	EXPECT_EQ(bsdvm_mmap(base + 1, PAGE, R, ANON, -1, 0), base + PAGE);
	/* The first gap behind it that is large enough. */
	must_map(base + 4 * PAGE, PAGE, R, ANON | FIXED, -1, 0);
	EXPECT_EQ(bsdvm_mmap(base + PAGE, 3 * PAGE, R, ANON, -1, 0),
		  base + 5 * PAGE);
	EXPECT_EQ(bsdvm_mmap(base + PAGE, 2 * PAGE, R, ANON, -1, 0),
		  base + 2 * PAGE);
	/* A hint outside the window is none. */
	EXPECT_EQ(bsdvm_mmap((char *)PAGE, PAGE, R, ANON, -1, 0), heap_limit());
}
