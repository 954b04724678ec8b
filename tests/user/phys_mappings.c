// SPDX-License-Identifier: BSD-2-Clause
/*
 * Shared memory that stays in memory: kern.ipc.shm_use_phys. Runs with a pool of
 * 16 MiB, that other memory fills three times over; to be run alone.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "vm.h"

#define PAGES 256
#define BYTES (PAGES * PAGE)

/* A shared memory object without a name, of which nothing is resident. */
static int shm_make(bool phys, size_t bytes)
{
	int fd;

	ASSERT(!bsdvm_sysctl_set("kern.ipc.shm_use_phys", phys));
	fd = bsdvm_shm_open(BSDVM_SHM_ANON_PATH, O_RDWR, 0600);
	ASSERT(fd >= 0);
	ASSERT(!bsdvm_sysctl_set("kern.ipc.shm_use_phys", 0));
	ASSERT(!ftruncate(fd, bytes));
	return fd;
}

static char *shm_map(int fd, size_t bytes, int flags)
{
	char *map = bsdvm_mmap(NULL, bytes, RW, flags, fd, 0);

	ASSERT(map != BSDVM_MAP_FAILED);
	return map;
}

/* Each page has content of its own. */
static void fill(char *map, size_t pages)
{
	size_t i;

	for (i = 0; i < pages; i++)
		*(size_t *)(map + i * PAGE + 8 * (i % 512)) = i + 1;
}

static void expect_filled(const char *map, size_t pages)
{
	size_t i;

	for (i = 0; i < pages; i++)
		EXPECT_EQ(*(size_t *)(map + i * PAGE + 8 * (i % 512)), i + 1);
}

static uint64_t wired(void)
{
	return vm_wired_of(vm_stats());
}

/* Before a test begins: what the last one had is gone when its process is, or soon after. */
static uint64_t wired_at_first(void)
{
	const struct timespec nap = { .tv_nsec = 50 * 1000 * 1000 };
	int tries;

	for (tries = 0; wired() && tries < 100; tries++)
		nanosleep(&nap, NULL);
	return wired();
}

TEST(pages_are_wired_from_their_first_touch)
{
	uint64_t before = wired_at_first();
	int fd = shm_make(true, BYTES);
	char *map = shm_map(fd, BYTES, BSDVM_MAP_SHARED);
	struct vm_entry entry;

	EXPECT_EQ(wired(), before);
	EXPECT_EQ(map[PAGE], 0);
	EXPECT_EQ(wired(), before + 1);
	EXPECT(vm_all(map, BYTES, 0));
	EXPECT_EQ(wired(), before + PAGES);
	fill(map, PAGES);
	entry = vm_entry_at(map);
	EXPECT_EQ(entry.e.kve_type, BSDVM_KVME_TYPE_PHYS);
	EXPECT_EQ(entry.e.kve_resident, PAGES);
	EXPECT_EQ(entry.object[0].kvo_type, BSDVM_KVME_TYPE_PHYS);
	EXPECT_EQ(entry.object[0].kvo_size, PAGES);
	/* The user has locked nothing. */
	EXPECT_EQ(vm_stats().v_user_wire_count, 0);

	EXPECT_ERRNO(bsdvm_munmap(map, BYTES), 0);
	EXPECT_EQ(wired(), before + PAGES);
	map = shm_map(fd, BYTES, BSDVM_MAP_SHARED);
	expect_filled(map, PAGES);
	EXPECT_ERRNO(bsdvm_munmap(map, BYTES), 0);
	close(fd);
	EXPECT_EQ(wired(), before);
}

TEST(the_tunable_is_for_new_objects)
{
	int fd = shm_make(false, BYTES);
	char *map = shm_map(fd, BYTES, BSDVM_MAP_SHARED);
	uint64_t before = wired_at_first();

	EXPECT_ERRNO(bsdvm_sysctl_set("kern.ipc.shm_use_phys", 2), EINVAL);
	ASSERT(!bsdvm_sysctl_set("kern.ipc.shm_use_phys", 1));
	fill(map, PAGES);
	EXPECT_EQ(vm_entry_at(map).e.kve_type, BSDVM_KVME_TYPE_SWAP);
	EXPECT_EQ(wired(), before);
	ASSERT(!bsdvm_sysctl_set("kern.ipc.shm_use_phys", 0));
	/* Nor is it for those that were made with it. */
	fd = shm_make(true, BYTES);
	EXPECT_EQ(vm_entry_at(shm_map(fd, BYTES, BSDVM_MAP_SHARED)).e.kve_type,
		  BSDVM_KVME_TYPE_PHYS);
}

/* Other memory comes and goes, three times as much as there is. */
TEST_LIMIT(pages_stay_whoever_wants_memory, 240)
{
	char *stays = shm_map(shm_make(true, BYTES), BYTES, BSDVM_MAP_SHARED);
	char *goes = shm_map(shm_make(false, BYTES), BYTES, BSDVM_MAP_SHARED);
	size_t pages = 3 * vm_stats().v_page_count, i;
	uint64_t before = vm_stats().v_swappgsout, attempts;
	char *map = vm_anon(pages);

	/* How long it takes to write pages to swap is not the question here. */
	ASSERT(!bsdvm_sysctl_get("vm.pfault_oom_attempts", &attempts) &&
	       !bsdvm_sysctl_set("vm.pfault_oom_attempts", 100));
	fill(stays, PAGES);
	fill(goes, PAGES);
	for (i = 0; i < pages; i++) {
		map[i * PAGE] = i;
		if (i % 1024 == 0)
			EXPECT_EQ(vm_entry_at(stays).e.kve_resident, PAGES);
	}
	EXPECT_EQ(vm_entry_at(stays).e.kve_resident, PAGES);
	EXPECT(vm_entry_at(goes).e.kve_resident < PAGES);
	EXPECT(vm_stats().v_swappgsout > before);
	before = vm_stats().v_swappgsin;
	expect_filled(stays, PAGES);
	EXPECT_EQ(vm_stats().v_swappgsin, before);
	expect_filled(goes, PAGES);
	EXPECT(vm_stats().v_swappgsin > before);
	for (i = 0; i < pages; i++)
		EXPECT_EQ(map[i * PAGE], (char)i);
	expect_filled(stays, PAGES);
	ASSERT(!bsdvm_sysctl_set("vm.pfault_oom_attempts", attempts));
}

TEST(a_shorter_object_gives_its_pages_back)
{
	uint64_t before = wired_at_first(), pages = vm_free_pages();
	int fd = shm_make(true, BYTES);
	char *map = shm_map(fd, BYTES, BSDVM_MAP_SHARED);

	fill(map, PAGES);
	EXPECT_ERRNO(ftruncate(fd, 10 * PAGE + 100), 0);
	EXPECT_EQ(wired(), before + 11);
	EXPECT_FAULT(vm_read(map + 11 * PAGE), SIGBUS, BUS_OBJERR,
		     map + 11 * PAGE);
	expect_filled(map, 10);
	EXPECT(vm_all(map + 10 * PAGE + 100, PAGE - 100, 0));
	EXPECT_ERRNO(ftruncate(fd, BYTES), 0);
	EXPECT(vm_all(map + 11 * PAGE, BYTES - 11 * PAGE, 0));
	EXPECT_EQ(wired(), before + PAGES);
	EXPECT_ERRNO(ftruncate(fd, 0), 0);
	EXPECT_EQ(wired(), before);
	EXPECT_ERRNO(bsdvm_munmap(map, BYTES), 0);
	close(fd);
	EXPECT_EQ(wired(), before);
	/* The window's own translations are no pages of the pool. */
	EXPECT_EQ(vm_free_settles(pages), pages);
}

TEST(locked_pages_go_when_they_are_unlocked)
{
	uint64_t before = wired_at_first(), pages = vm_free_pages();
	int fd = shm_make(true, BYTES);
	char *map = shm_map(fd, BYTES, BSDVM_MAP_SHARED);

	EXPECT_ERRNO(bsdvm_mlock(map, BYTES), 0);
	fill(map, PAGES);
	EXPECT_EQ(wired(), before + PAGES);
	EXPECT_ERRNO(bsdvm_munlock(map, BYTES / 2), 0);
	EXPECT_EQ(wired(), before + PAGES);
	EXPECT_ERRNO(ftruncate(fd, PAGE), 0);
	/* Those that are locked still are out of reach. */
	EXPECT_EQ(wired(), before + 1 + PAGES / 2);
	EXPECT_FAULT(vm_read(map + BYTES - PAGE), SIGBUS, BUS_OBJERR,
		     map + BYTES - PAGE);
	EXPECT_ERRNO(ftruncate(fd, BYTES), 0);
	EXPECT(vm_all(map + PAGE, BYTES - PAGE, 0));
	EXPECT_ERRNO(bsdvm_munmap(map, BYTES), 0);
	EXPECT_EQ(wired(), before + PAGES);
	close(fd);
	EXPECT_EQ(wired(), before);
	EXPECT_EQ(vm_free_settles(pages), pages);
}

TEST(read_and_write_go_to_the_same_pages)
{
	uint64_t before = wired_at_first();
	int fd = shm_make(true, BYTES);
	char *map = shm_map(fd, BYTES, BSDVM_MAP_SHARED), buf[20] = "x";

	/* A read makes no page, a write does. */
	EXPECT_EQ(pread(fd, buf, sizeof(buf), 5 * PAGE), sizeof(buf));
	EXPECT(vm_all(buf, sizeof(buf), 0));
	EXPECT_EQ(wired(), before);
	EXPECT_EQ(pwrite(fd, "hello", 5, 6 * PAGE - 2), 5);
	EXPECT_EQ(wired(), before + 2);
	EXPECT(!memcmp(map + 6 * PAGE - 2, "hello", 5));
	EXPECT_EQ(wired(), before + 2);
	EXPECT_ERRNO(bsdvm_madvise(map, BYTES, BSDVM_MADV_FREE), 0);
	EXPECT_ERRNO(bsdvm_madvise(map, BYTES, BSDVM_MADV_DONTNEED), 0);
	EXPECT_ERRNO(bsdvm_madvise(map, BYTES, BSDVM_MADV_WILLNEED), 0);
	EXPECT_EQ(wired(), before + 2);
	EXPECT(!memcmp(map + 6 * PAGE - 2, "hello", 5));
}

TEST(private_copies_are_ordinary_memory)
{
	int fd = shm_make(true, BYTES);
	char *shared = shm_map(fd, BYTES, BSDVM_MAP_SHARED);
	char *own = shm_map(fd, BYTES, BSDVM_MAP_PRIVATE);
	uint64_t before;
	pid_t child;

	fill(shared, PAGES);
	before = wired();
	expect_filled(own, PAGES);
	own[0] = 'p';
	EXPECT(shared[0] != 'p');
	child = harness_fork();
	if (!child) {
		EXPECT_EQ(own[0], 'p');
		own[PAGE] = 'c';
		shared[2 * PAGE] = 's';
		EXPECT_EQ(own[2 * PAGE], 's');
		harness_exit();
	}
	harness_join(child);
	EXPECT_EQ(shared[2 * PAGE], 's');
	EXPECT(own[PAGE] != 'c');
	EXPECT_EQ(wired(), before);
}

/* A private mapping of what nobody has touched yet: the page is the object's. */
TEST(a_private_read_makes_a_shared_page)
{
	uint64_t before = wired_at_first();
	int fd = shm_make(true, BYTES);
	char *own = shm_map(fd, BYTES, BSDVM_MAP_PRIVATE);
	char *shared = shm_map(fd, BYTES, BSDVM_MAP_SHARED);

	EXPECT_EQ(own[PAGE], 0);
	EXPECT_EQ(wired(), before + 1);
	shared[PAGE] = 's';
	EXPECT_EQ(own[PAGE], 's');
	EXPECT_EQ(wired(), before + 1);
}

/* What the threads of the next test share. */
static struct {
	char *map;
	int fd;
	volatile bool stop;
	volatile unsigned int done;
} race;

static void *race_toucher(void *arg)
{
	unsigned int seed = (uintptr_t)arg;
	int null = open("/dev/zero", O_RDONLY);
	char byte;

	while (!race.stop) {
		size_t page = rand_r(&seed) % PAGES;

		/* Behind the end it is EFAULT, or nothing to write to. */
		if (read(null, race.map + page * PAGE, 1) == 1)
			race.done++;
		if (rand_r(&seed) % 8 == 0)
			(void)!pwrite(race.fd, "x", 1, page * PAGE);
		if (rand_r(&seed) % 8 == 0)
			(void)!pread(race.fd, &byte, 1, page * PAGE);
	}
	close(null);
	return NULL;
}

static void *race_locker(void *arg)
{
	unsigned int seed = (uintptr_t)arg;

	while (!race.stop) {
		size_t page = rand_r(&seed) % PAGES;

		/* Fails where the object has ended. */
		bsdvm_mlock(race.map + page * PAGE, PAGE);
		bsdvm_munlock(race.map + rand_r(&seed) % PAGES * PAGE, PAGE);
	}
	return NULL;
}

/* Changes of the size: a slow machine makes fewer in the time that it is given. */
#define ROUNDS_MIN   200
#define ROUNDS_MAX   10000
#define RACE_SECONDS 30

/* The object's size changes while its pages come and are locked. */
TEST_LIMIT(no_page_is_lost_in_a_race, 120)
{
	const time_t end = time(NULL) + RACE_SECONDS;
	uint64_t before = wired_at_first(), pages = vm_free_pages();
	pthread_t threads[3];
	unsigned int seed = 1, i;
	struct vm_entry entry;

	race.fd = shm_make(true, BYTES);
	race.map = shm_map(race.fd, BYTES, BSDVM_MAP_SHARED);
	for (i = 0; i < 3; i++)
		ASSERT(!pthread_create(&threads[i], NULL,
				       i ? race_toucher : race_locker,
				       (void *)(uintptr_t)(i + 1)));
	for (i = 0; i < ROUNDS_MIN || (i < ROUNDS_MAX && time(NULL) < end); i++)
		EXPECT_ERRNO(ftruncate(race.fd, rand_r(&seed) % (BYTES + 1)),
			     0);
	race.stop = true;
	for (i = 0; i < 3; i++)
		ASSERT(!pthread_join(threads[i], NULL));
	EXPECT(race.done > 0);
	EXPECT_ERRNO(bsdvm_munlock(race.map, BYTES), 0);
	EXPECT_ERRNO(ftruncate(race.fd, 0), 0);
	EXPECT_EQ(wired(), before);
	EXPECT_ERRNO(ftruncate(race.fd, BYTES), 0);
	EXPECT(vm_all(race.map, BYTES, 0));
	entry = vm_entry_at(race.map);
	EXPECT_EQ(entry.object[0].kvo_resident, PAGES);
	EXPECT_EQ(wired(), before + PAGES);
	EXPECT_ERRNO(bsdvm_munmap(race.map, BYTES), 0);
	close(race.fd);
	EXPECT_EQ(wired(), before);
	EXPECT_EQ(vm_stats().v_user_wire_count, 0);
	EXPECT_EQ(vm_free_settles(pages), pages);
}

/* More than there is (with oom_kill=0): what was wired comes back. */
TEST_LIMIT(too_much_of_it_is_a_shortage_of_memory, 120)
{
	uint64_t before = wired_at_first(), pages = vm_free_pages();
	size_t all = 2 * vm_stats().v_page_count, done;
	pid_t child = harness_fork();
	struct vm_fault fault;
	int outcome;

	if (!child) {
		char *map = shm_map(shm_make(true, all * PAGE), all * PAGE,
				    BSDVM_MAP_SHARED);

		ASSERT(!bsdvm_fault(map, all * PAGE, BSDVM_PROT_WRITE, &done,
				    &outcome));
		EXPECT_EQ(outcome, BSDVM_FAULT_SHORTAGE);
		EXPECT(done > all / 4 * PAGE);
		EXPECT_EQ(wired(), before + done / PAGE);
		/* The kernel may have given up some of its own meanwhile. */
		while (!(fault = vm_write(map + done, 1)).sig)
			done += PAGE;
		EXPECT_FAULT(fault, SIGBUS, BSDVM_BUS_OOMERR, map + done);
		EXPECT(done < all * PAGE);
		harness_exit();
	}
	harness_join(child);
	EXPECT_EQ(vm_free_settles(pages), pages);
	EXPECT_EQ(wired(), before);
}
