// SPDX-License-Identifier: BSD-2-Clause
/* mlock, munlock, mlockall and munlockall: what they do. */
#include <pthread.h>
#include <string.h>
#include <unistd.h>

#include "scene.h"
#include "effects.h"

#define SHARED	BSDVM_MAP_SHARED
#define PRIVATE BSDVM_MAP_PRIVATE

static uint64_t locked_pages(void)
{
	return vm_stats().v_user_wire_count;
}

void effect_mlock_limit_stay(void)
{
	const uint64_t before = locked_pages();
	char *map = vm_anon(4);

	ASSERT(!limit(RLIMIT_MEMLOCK, 2 * PAGE));
	EXPECT_ERRNO(bsdvm_mlock(map, 3 * PAGE), ENOMEM);
	EXPECT(none_locked(map, 4));
	EXPECT_EQ(locked_pages(), before);
	EXPECT_ERRNO(bsdvm_mlock(map, 2 * PAGE), 0);
	EXPECT_ERRNO(bsdvm_mlock(map + 2 * PAGE, PAGE), ENOMEM);
	EXPECT(all_locked(map, 2));
	EXPECT(none_locked(map + 2 * PAGE, 2));
	EXPECT_ERRNO(bsdvm_munlock(map, PAGE), 0);
	EXPECT_ERRNO(bsdvm_mlock(map + 2 * PAGE, PAGE), 0);
	ASSERT(!tunable("vm.max_user_wired", before + 2));
	EXPECT_ERRNO(bsdvm_mlock(map, PAGE), ENOMEM);
	EXPECT_EQ(locked_pages(), before + 2);
}

void effect_mlock_hole(void)
{
	const uint64_t before = locked_pages();
	char *map = vm_anon(6);

	ASSERT(!bsdvm_munmap(map + 2 * PAGE, PAGE));
	ASSERT(!bsdvm_mprotect(map + 4 * PAGE, PAGE, BSDVM_PROT_NONE));
	EXPECT_ERRNO(bsdvm_mlock(map, 4 * PAGE), ENOMEM);
	EXPECT_ERRNO(bsdvm_mlock(map + 3 * PAGE, 3 * PAGE), ENOMEM);
	EXPECT(none_locked(map, 6));
	EXPECT_EQ(locked_pages(), before);
	EXPECT_EQ(usage().vm_wired, 0);
	EXPECT_ERRNO(bsdvm_mlock(map, 2 * PAGE), 0);
	/* What was locked before the failure stays so. */
	EXPECT_ERRNO(bsdvm_mlock(map, 6 * PAGE), ENOMEM);
	EXPECT(all_locked(map, 2));
	EXPECT_EQ(locked_pages(), before + 2);
}

void effect_mlock_eof(void)
{
	const uint64_t before = locked_pages();
	const int fd = vm_file("/tmp", PAGE);
	char *map = must_map(NULL, 2 * PAGE, RW, SHARED, fd, 0);

	EXPECT_ERRNO(bsdvm_mlock(map, 2 * PAGE), ENOMEM);
	EXPECT(none_locked(map, 2));
	EXPECT_EQ(locked_pages(), before);
	EXPECT_ERRNO(bsdvm_mlock(map, PAGE), 0);
}

void effect_mlock_effect(void)
{
	const uint64_t before = locked_pages();
	const int fd = vm_file("/tmp", 4 * PAGE);
	char *map = vm_anon(4);
	char *file = must_map(NULL, 4 * PAGE, R, SHARED, fd, 0);
	struct vm_entry entry;
	uint64_t faults;

	EXPECT_ERRNO(bsdvm_mlock(map, 4 * PAGE), 0);
	EXPECT_ERRNO(bsdvm_mlock(file, 4 * PAGE), 0);
	entry = vm_entry_at(map);
	EXPECT(entry.e.kve_flags & BSDVM_KVME_FLAG_USER_WIRED);
	EXPECT_EQ(entry.e.kve_wired_count, 1);
	EXPECT_EQ(entry.e.kve_resident, 4);
	EXPECT_EQ(vm_entry_at(file).e.kve_resident, 4);
	EXPECT_EQ(usage().vm_wired, 8 * PAGE);
	EXPECT_EQ(locked_pages(), before + 8);
	/* No page is missing. A first store may still meet protection. */
	faults = fault_count();
	EXPECT(vm_all(map, 4 * PAGE, 0));
	EXPECT_EQ(file[3 * PAGE], vm_file_byte(3 * PAGE));
	EXPECT_EQ(fault_count(), faults);
	memset(map, 'x', 4 * PAGE);
	EXPECT_ERRNO(bsdvm_munlock(map + PAGE, PAGE), 0);
	EXPECT(all_locked(map, 1));
	EXPECT(none_locked(map + PAGE, 1));
	EXPECT_EQ(locked_pages(), before + 7);
	EXPECT(vm_all(map, 4 * PAGE, 'x'));
}

void effect_mlock_write(void)
{
	const int fd = vm_file("/tmp", 2 * PAGE);
	char *map = must_map(NULL, 2 * PAGE, RW, PRIVATE, fd, 0);
	uint64_t copied;

	ASSERT(!bsdvm_mlock(map, 2 * PAGE));
	copied = vm_stats().v_cow_faults;
	EXPECT_EQ(vm_entry_at(map).e.kve_private_resident, 2);
	map[0] = '!';
	map[PAGE] = '!';
	EXPECT_EQ(vm_stats().v_cow_faults, copied);
	EXPECT_EQ(vm_file_read(fd, 0), vm_file_byte(0));
	EXPECT_EQ(map[PAGE + 1], vm_file_byte(PAGE + 1));
}

void effect_mlock_nesting(void)
{
	const uint64_t before = locked_pages();
	char *map = vm_anon(2);

	EXPECT_ERRNO(bsdvm_mlock(map, 2 * PAGE), 0);
	EXPECT_ERRNO(bsdvm_mlock(map, PAGE), 0);
	EXPECT_ERRNO(bsdvm_mlock(map, 2 * PAGE), 0);
	EXPECT_EQ(locked_pages(), before + 2);
	EXPECT_ERRNO(bsdvm_munlock(map, 2 * PAGE), 0);
	EXPECT(none_locked(map, 2));
	EXPECT_EQ(locked_pages(), before);
}

void effect_mlock_fork(void)
{
	char *map = vm_anon(2), *both = vm_anon_flags(2, SHARED);
	uint64_t locked;

	ASSERT(!bsdvm_mlock(map, 2 * PAGE));
	ASSERT(!bsdvm_mlock(both, 2 * PAGE));
	locked = locked_pages();
	IN_CHILD()
	{
		EXPECT(none_locked(map, 2));
		EXPECT(none_locked(both, 2));
		EXPECT_EQ(usage().vm_wired, 0);
		EXPECT_EQ(locked_pages(), locked);
	}
	EXPECT(all_locked(map, 2));
	EXPECT(all_locked(both, 2));
	EXPECT_EQ(locked_pages(), locked);
}

void effect_mlock_shared(void)
{
	const uint64_t before = locked_pages();
	char *both = vm_anon_flags(2, SHARED);

	memset(both, 's', 2 * PAGE);
	ASSERT(!bsdvm_mlock(both, 2 * PAGE));
	IN_CHILD()
	{
		EXPECT_ERRNO(bsdvm_mlock(both, 2 * PAGE), 0);
		EXPECT_EQ(locked_pages(), before + 4);
		EXPECT_ERRNO(bsdvm_munlock(both, PAGE), 0);
		EXPECT_EQ(locked_pages(), before + 3);
	}
	EXPECT_EQ(locked_pages(), before + 2);
	EXPECT(all_locked(both, 2));
	EXPECT_EQ(vm_entry_at(both).e.kve_resident, 2);
	EXPECT_ERRNO(bsdvm_munlock(both, 2 * PAGE), 0);
	EXPECT_EQ(locked_pages(), before);
	EXPECT(vm_all(both, 2 * PAGE, 's'));
}

void effect_mlockall_again(void)
{
	const int fd = vm_file("/tmp", PAGE);

	vm_anon(2);
	must_map(NULL, 2 * PAGE, R, SHARED, fd, 0);
	EXPECT_ERRNO(bsdvm_mlockall(BSDVM_MCL_CURRENT), EAGAIN);
}

void effect_mlockall_current(void)
{
	char *map = vm_anon(2), *none, *guards, *later;

	none = must_map(NULL, PAGE, BSDVM_PROT_NONE, ANON, -1, 0);
	guards = must_map(NULL, PAGE, BSDVM_PROT_NONE, BSDVM_MAP_GUARD, -1, 0);
	EXPECT_ERRNO(bsdvm_mlockall(BSDVM_MCL_CURRENT), 0);
	EXPECT(all_locked(map, 2));
	EXPECT(none_locked(none, 1));
	EXPECT(none_locked(guards, 1));
	EXPECT_EQ(vm_entry_at(map).e.kve_resident, 2);
	EXPECT(!(usage().vm_flags & BSDVM_VMSPACE_WIREFUTURE));
	later = must_map(NULL, PAGE, R, SHARED, vm_file("/tmp", PAGE), 0);
	EXPECT(none_locked(later, 1));
}

void effect_mlockall_future(void)
{
	char *map = vm_anon(2), *later;

	EXPECT_ERRNO(bsdvm_mlockall(BSDVM_MCL_FUTURE), 0);
	EXPECT(none_locked(map, 2));
	EXPECT(usage().vm_flags & BSDVM_VMSPACE_WIREFUTURE);
	later = must_map(NULL, PAGE, R, SHARED, vm_file("/tmp", PAGE), 0);
	EXPECT(all_locked(later, 1));
	EXPECT_EQ(vm_entry_at(later).e.kve_resident, 1);
	/* The heap grows locked, too. */
	EXPECT(bsdvm_sbrk(PAGE) != (void *)-1);
	EXPECT(all_locked((char *)bsdvm_sbrk(0) - PAGE, 1));
}

void effect_munlockall(void)
{
	const uint64_t before = locked_pages();
	char *map = vm_anon(2), *later;

	ASSERT(!bsdvm_mlockall(BSDVM_MCL_CURRENT | BSDVM_MCL_FUTURE));
	EXPECT(all_locked(map, 2));
	EXPECT_ERRNO(bsdvm_munlockall(), 0);
	EXPECT(none_locked(map, 2));
	EXPECT(!(usage().vm_flags & BSDVM_VMSPACE_WIREFUTURE));
	EXPECT_EQ(usage().vm_wired, 0);
	EXPECT_EQ(locked_pages(), before);
	later = must_map(NULL, PAGE, R, SHARED, vm_file("/tmp", PAGE), 0);
	EXPECT(none_locked(later, 1));
}

void effect_mlock_future_fork(void)
{
	ASSERT(!bsdvm_mlockall(BSDVM_MCL_FUTURE));
	vm_anon(1);
	IN_CHILD()
	{
		EXPECT(!(usage().vm_flags & BSDVM_VMSPACE_WIREFUTURE));
		EXPECT(none_locked(vm_anon(1), 1));
	}
	EXPECT(usage().vm_flags & BSDVM_VMSPACE_WIREFUTURE);
	EXPECT(all_locked(vm_anon(1), 1));
}

/* --- two threads */

#define ROUNDS 100
#define PAGES  32

static char *range;
static volatile bool done;

/* Lock and unlock what another thread unmaps, and what it forks. */
static void *lock_and_unlock(void *unused)
{
	while (!done) {
		bsdvm_mlock(range, PAGES * PAGE);
		bsdvm_munlock(range, PAGES * PAGE);
	}
	return unused;
}

static pthread_t locker_start(void)
{
	pthread_t thread;

	done = false;
	ASSERT(!pthread_create(&thread, NULL, lock_and_unlock, NULL));
	return thread;
}

static void locker_stop(pthread_t thread)
{
	done = true;
	ASSERT(!pthread_join(thread, NULL));
}

void effect_munmap_transition(void)
{
	const uint64_t before = locked_pages();
	pthread_t thread;
	int round;

	range = vm_anon(PAGES);
	thread = locker_start();
	for (round = 0; round < ROUNDS; round++) {
		char *middle = range + (round % 16) * PAGE;

		EXPECT_ERRNO(bsdvm_munmap(middle, 8 * PAGE), 0);
		EXPECT_EQ(bsdvm_mmap(middle, 8 * PAGE, RW,
				     ANON | BSDVM_MAP_FIXED, -1, 0),
			  middle);
		EXPECT_ERRNO(bsdvm_mprotect(range, PAGE, R), 0);
		EXPECT_ERRNO(bsdvm_mprotect(range, PAGE, RW), 0);
	}
	locker_stop(thread);
	EXPECT_ERRNO(bsdvm_munmap(range, PAGES * PAGE), 0);
	EXPECT_EQ(locked_pages(), before);
	EXPECT_EQ(usage().vm_wired, 0);
}

void effect_fork_busy(void)
{
	pthread_t thread;
	int round;

	range = vm_anon(PAGES);
	thread = locker_start();
	for (round = 0; round < ROUNDS / 4; round++) {
		memset(range, round, PAGES * PAGE);
		IN_CHILD()
		{
			EXPECT(vm_all(range, PAGES * PAGE, round));
			EXPECT(none_locked(range, PAGES));
			EXPECT_EQ(usage().vm_wired, 0);
			memset(range, 'c', PAGES * PAGE);
		}
		EXPECT(vm_all(range, PAGES * PAGE, round));
	}
	locker_stop(thread);
}
