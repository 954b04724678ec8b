// SPDX-License-Identifier: BSD-2-Clause
/* What the library adds to the calls: threads, forks, lists, its descriptor. */
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "vm.h"

#define THREADS 4
#define GROWTHS 400

/*
 * Threads that grow the heap, each by pieces of its own size and contents. They
 * wait for each other before each piece, so as to ask for it all at once.
 */
static char *pieces[THREADS][GROWTHS];
static pthread_barrier_t barrier;

static size_t piece_size(size_t thread)
{
	return 300 + thread;
}

static void *grow(void *arg)
{
	const size_t thread = (size_t)arg;
	size_t i;

	for (i = 0; i < GROWTHS; i++) {
		pthread_barrier_wait(&barrier);
		pieces[thread][i] = bsdvm_sbrk(piece_size(thread));
		ASSERT(pieces[thread][i] != (char *)-1);
		memset(pieces[thread][i], 'a' + thread, piece_size(thread));
	}
	return NULL;
}

static void start_growing(pthread_t *threads)
{
	size_t i;

	ASSERT(!pthread_barrier_init(&barrier, NULL, THREADS));
	for (i = 0; i < THREADS; i++)
		ASSERT(!pthread_create(&threads[i], NULL, grow, (void *)i));
}

static void expect_pieces(const char *base)
{
	size_t i, j, sum = 0;

	for (i = 0; i < THREADS; i++) {
		for (j = 0; j < GROWTHS; j++)
			EXPECT(vm_all(pieces[i][j], piece_size(i), 'a' + i));
		sum += GROWTHS * piece_size(i);
	}
	EXPECT_EQ((char *)bsdvm_sbrk(0) - base, sum);
}

TEST(sbrk_gives_each_thread_memory_of_its_own)
{
	pthread_t threads[THREADS];
	char *base = bsdvm_sbrk(0);
	size_t i;

	start_growing(threads);
	for (i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	expect_pieces(base);
}

/* A child must not find a lock that a thread held which it does not have. */
TEST_LIMIT(a_child_of_a_thread_s_process_can_use_sbrk, 120)
{
	pthread_t threads[THREADS];
	char *base = bsdvm_sbrk(0);
	size_t i;

	start_growing(threads);
	for (i = 0; i < 30; i++) {
		const pid_t child = harness_fork();

		if (!child) {
			char *end = bsdvm_sbrk(0);

			EXPECT(bsdvm_sbrk(5000) == end);
			memset(end, 'c', 5000);
			EXPECT(bsdvm_sbrk(-5000) == end + 5000);
			EXPECT(bsdvm_sbrk(0) == end);
			harness_exit();
		}
		harness_join(child);
	}
	for (i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	expect_pieces(base);
}

TEST(sbrk_asks_the_kernel_where_the_heap_ends)
{
	struct bsdvm_break arg = { .size = sizeof(arg) };
	char *base = bsdvm_sbrk(1);
	pid_t child;

	ASSERT(base != (char *)-1);
	EXPECT(bsdvm_sbrk(0) == base + 1);
	ASSERT(!bsdvm_brk(base + 5000));
	EXPECT(bsdvm_sbrk(0) == base + 5000);
	arg.addr = (uintptr_t)base + 100;
	ASSERT(!ioctl(bsdvm_fd(), BSDVM_IOC_BREAK, &arg));
	EXPECT(bsdvm_sbrk(0) == base + 100);
	child = harness_fork();
	if (!child) {
		EXPECT(bsdvm_sbrk(10) == base + 100);
		harness_exit();
	}
	harness_join(child);
	EXPECT(bsdvm_sbrk(0) == base + 100);
}

TEST(sbrk_does_not_shrink_by_more_than_there_is)
{
	char *base = bsdvm_sbrk(0);

	ASSERT(bsdvm_sbrk(100) == base);
	EXPECT_ERRNO(bsdvm_sbrk(-101), EINVAL);
	EXPECT_ERRNO(bsdvm_sbrk(INTPTR_MIN), EINVAL);
	EXPECT_ERRNO(bsdvm_sbrk(INTPTR_MAX), ENOMEM);
	EXPECT(bsdvm_sbrk(-100) == base + 100);
	EXPECT(bsdvm_sbrk(0) == base);
}

TEST(posix_madvise_returns_the_error_and_leaves_errno)
{
	char *map = vm_anon(1);

	errno = EDOM;
	EXPECT_EQ(bsdvm_posix_madvise(map, PAGE, BSDVM_MADV_WILLNEED), 0);
	EXPECT_EQ(bsdvm_posix_madvise(map, PAGE, 77), EINVAL);
	EXPECT_EQ(errno, EDOM);
}

/* More than the first buffer of the library holds. */
TEST(a_long_entry_list_is_fetched_whole)
{
	const size_t pages = 600;
	char *map = vm_anon(pages);
	struct bsdvm_vmentry *list, *entry;
	size_t i, count;

	for (i = 0; i < pages; i += 2)
		ASSERT(!bsdvm_mprotect(map + i * PAGE, PAGE, BSDVM_PROT_READ));
	list = bsdvm_getvmmap(&count);
	ASSERT(list);
	ASSERT(count == pages);
	for (i = 0, entry = list;; entry = bsdvm_vmentry_next(entry)) {
		EXPECT_EQ(entry->kve_start, (uintptr_t)map + i * PAGE);
		if (++i == count)
			break;
	}
	EXPECT((char *)entry - (char *)list > 16 * 1024);
	bsdvm_freevmmap(list);
}

TEST(a_child_s_entries_are_listed_by_its_number)
{
	struct bsdvm_rusage usage;
	struct bsdvm_vmentry *list;
	size_t count;
	pid_t child;
	char *map;

	map = vm_anon(3);
	ASSERT(!bsdvm_minherit(map + PAGE, PAGE, BSDVM_INHERIT_NONE));
	child = harness_fork();
	if (!child) {
		pause();
		harness_exit();
	}
	list = bsdvm_getvmmap_pid(child, &count);
	ASSERT(list);
	EXPECT_EQ(count, 2);
	EXPECT_EQ(list->kve_start, (uintptr_t)map);
	EXPECT_EQ(bsdvm_vmentry_next(list)->kve_start,
		  (uintptr_t)map + 2 * PAGE);
	bsdvm_freevmmap(list);
	ASSERT(!bsdvm_rusage(child, &usage));
	EXPECT_EQ(usage.vm_entries, 2);
	EXPECT_EQ(usage.vm_size, 2 * PAGE);
	ASSERT(!bsdvm_rusage(0, &usage));
	EXPECT_EQ(usage.vm_size, 3 * PAGE);
	ASSERT(!kill(child, SIGKILL));
	harness_wait(child);
	EXPECT(!bsdvm_getvmmap_pid(child, &count) && errno == ESRCH);
	EXPECT_ERRNO(bsdvm_rusage(child, &usage), ESRCH);
}

/* The harness itself has none; nor has this process, before and after. */
TEST(looking_at_a_process_without_a_window_makes_none)
{
	struct bsdvm_rusage usage;
	struct bsdvm_info info;
	size_t count;

	EXPECT(!bsdvm_getvmmap_pid(getppid(), &count) && errno == ENXIO);
	EXPECT_ERRNO(bsdvm_rusage(getppid(), &usage), ENXIO);
	ASSERT(!bsdvm_info(&info));
	EXPECT_EQ(info.window_start, 0);
}

TEST(the_list_of_objects_has_those_of_the_map)
{
	struct bsdvm_kvmobject *list, *object;
	struct vm_entry entry;
	size_t i, count, found = 0;
	uint64_t last = 0;
	char *map;

	map = vm_anon(5);
	memset(map, 'x', 2 * PAGE);
	entry = vm_entry_at(map);
	list = bsdvm_getvmobject(&count);
	ASSERT(list);
	for (i = 0, object = list; i < count;
	     i++, object = bsdvm_kvmobject_next(object)) {
		EXPECT(object->kvo_id > last);
		last = object->kvo_id;
		if (object->kvo_id != entry.object[0].kvo_id)
			continue;
		found++;
		EXPECT_EQ(object->kvo_size, 5);
		EXPECT_EQ(object->kvo_resident, 2);
		EXPECT_EQ(*bsdvm_kvmobject_path(object), 0);
	}
	EXPECT_EQ(found, 1);
	bsdvm_freevmobject(list);
}

/* More runs of pages than the library has room for at first. */
TEST(all_pages_of_an_object_are_listed)
{
	const size_t pages = 2000;
	struct bsdvm_pagerun *runs;
	char *map = vm_anon(pages);
	struct vm_entry entry;
	size_t i, count;

	for (i = 0; i < pages; i += 2)
		map[i * PAGE] = 'x';
	entry = vm_entry_at(map);
	runs = bsdvm_getpages(0, entry.e.kve_start, entry.object[0].kvo_id,
			      &count);
	ASSERT(runs);
	EXPECT_EQ(count, pages / 2);
	for (i = 0; i < count; i++) {
		ASSERT(runs[i].pr_start == 2 * i && runs[i].pr_count == 1);
		ASSERT(runs[i].pr_flags == BSDVM_PAGE_RESIDENT);
	}
	bsdvm_freepages(runs);
	EXPECT(!bsdvm_getpages(0, entry.e.kve_start, -1ULL, &count) &&
	       errno == ENOENT);
	EXPECT(!bsdvm_getpages(getppid(), entry.e.kve_start, 1, &count) &&
	       errno == ENXIO);
}

/* Below what a child has written there is what it shares with its parent. */
TEST(pages_of_a_chain_are_those_of_each_object)
{
	char *map = vm_anon(8);
	size_t i, count;
	pid_t pid;

	memset(map, 'x', 8 * PAGE);
	pid = harness_fork();
	if (!pid) {
		struct vm_entry entry;
		struct bsdvm_pagerun *runs;

		map[3 * PAGE] = 'y';
		map[4 * PAGE] = 'y';
		entry = vm_entry_at(map);
		ASSERT(entry.e.kve_nobjects == 2);
		for (i = 0; i < 2; i++) {
			runs = bsdvm_getpages(0, (uintptr_t)map,
					      entry.object[i].kvo_id, &count);
			ASSERT(runs && count == 1);
			EXPECT_EQ(runs->pr_start, i ? 0 : 3);
			EXPECT_EQ(runs->pr_count, i ? 8 : 2);
			bsdvm_freepages(runs);
		}
		harness_exit();
	}
	harness_join(pid);
}

/* As a daemon closes all descriptors when it starts. */
TEST(a_descriptor_that_was_closed_is_opened_again)
{
	char *map = vm_anon(2);

	memset(map, 'x', 2 * PAGE);
	ASSERT(!close(bsdvm_fd()));
	EXPECT_ERRNO(bsdvm_munmap(map + PAGE, PAGE), 0);
	EXPECT_EQ(map[0], 'x');
	/* An EBADF that means another descriptor stays one. */
	EXPECT_ERRNO(bsdvm_mmap(NULL, PAGE, BSDVM_PROT_READ, BSDVM_MAP_SHARED,
				1000, 0),
		     EBADF);
}

TEST(a_descriptor_whose_number_another_file_got_is_opened_again)
{
	char *map = vm_anon(2);
	int fd = bsdvm_fd();
	int other = open("/dev/null", O_RDWR);

	ASSERT(other >= 0 && dup2(other, fd) == fd);
	EXPECT_ERRNO(bsdvm_munmap(map + PAGE, PAGE), 0);
	EXPECT(bsdvm_fd() != fd);
	/* The other file is still there. */
	EXPECT_EQ(write(fd, "", 1), 1);
}

TEST(no_window_is_made_of_another_file)
{
	struct bsdvm_info info;
	int fd, other;

	/* The descriptor alone first. */
	ASSERT(!bsdvm_info(&info));
	fd = bsdvm_fd();
	other = open("/dev/zero", O_RDWR);
	ASSERT(other >= 0 && dup2(other, fd) == fd);
	vm_anon(1);
	ASSERT(!bsdvm_info(&info));
	EXPECT(info.window_start);
}

TEST(getpagesizes_counts_and_fills)
{
	size_t sizes[8] = { 0 };
	int count = bsdvm_getpagesizes(NULL, 0);

	EXPECT(count >= 1);
	EXPECT_EQ(bsdvm_getpagesizes(sizes, 8), count);
	EXPECT_EQ(sizes[0], PAGE);
	EXPECT_EQ(bsdvm_getpagesizes(sizes, 1), 1);
	EXPECT_ERRNO(bsdvm_getpagesizes(sizes, -1), EINVAL);
	EXPECT_ERRNO(bsdvm_getpagesizes(NULL, 1), EINVAL);
}

TEST(memfd_create_checks_its_name_and_flags)
{
	char name[NAME_MAX + 1];
	int fd;

	memset(name, 'n', sizeof(name));
	name[NAME_MAX - strlen("memfd:")] = '\0';
	EXPECT(bsdvm_memfd_create(name, 0) >= 0);
	name[strlen(name)] = 'n';
	name[NAME_MAX] = '\0';
	EXPECT_ERRNO(bsdvm_memfd_create(name, 0), EINVAL);
	EXPECT_ERRNO(bsdvm_memfd_create(NULL, 0), EBADF);
	EXPECT_ERRNO(bsdvm_memfd_create("", 8), EINVAL);
	EXPECT_ERRNO(bsdvm_memfd_create("", 21U << 26), EINVAL);
	EXPECT_ERRNO(bsdvm_memfd_create("", BSDVM_MFD_HUGETLB), ENOSYS);
	fd = bsdvm_memfd_create("", 0);
	EXPECT_EQ(fcntl(fd, F_GETFD), 0);
	EXPECT_EQ(bsdvm_shm_seals(fd, 0), BSDVM_F_SEAL_SEAL);
	/* It grows on write. */
	EXPECT_EQ(write(fd, "abc", 3), 3);
	fd = bsdvm_memfd_create("",
				BSDVM_MFD_CLOEXEC | BSDVM_MFD_ALLOW_SEALING);
	EXPECT_EQ(fcntl(fd, F_GETFD), FD_CLOEXEC);
	EXPECT_EQ(bsdvm_shm_seals(fd, 0), 0);
}

TEST(shm_open_is_always_close_on_exec_and_shm_open2_if_asked)
{
	int fd = bsdvm_shm_open(BSDVM_SHM_ANON_PATH, O_RDWR, 0600);

	EXPECT_EQ(fcntl(fd, F_GETFD), FD_CLOEXEC);
	fd = bsdvm_shm_open2(BSDVM_SHM_ANON_PATH, O_RDWR, 0600, 0, NULL);
	EXPECT_EQ(fcntl(fd, F_GETFD), 0);
	fd = bsdvm_shm_open2(BSDVM_SHM_ANON_PATH, O_RDWR | O_CLOEXEC, 0600, 0,
			     NULL);
	EXPECT_EQ(fcntl(fd, F_GETFD), FD_CLOEXEC);
}

TEST(shm_create_largepage_checks_its_arguments_first)
{
	char *anon = BSDVM_SHM_ANON_PATH;

	EXPECT_ERRNO(bsdvm_shm_create_largepage(anon, O_RDWR, 0, 0, 0600),
		     EINVAL);
	EXPECT_ERRNO(bsdvm_shm_create_largepage(anon, O_RDWR, 3, 0, 0600),
		     EINVAL);
	EXPECT_ERRNO(bsdvm_shm_create_largepage(anon, O_RDWR, -1, 0, 0600),
		     EINVAL);
	EXPECT_ERRNO(bsdvm_shm_create_largepage(anon, O_RDWR, 1, 3, 0600),
		     EINVAL);
	EXPECT_ERRNO(bsdvm_shm_create_largepage(anon, O_WRONLY, 1, 0, 0600),
		     EINVAL);
	EXPECT_ERRNO(bsdvm_shm_create_largepage(anon, O_RDWR, 1,
						BSDVM_SHM_LARGEPAGE_ALLOC_HARD,
						0600),
		     EOPNOTSUPP);
}

TEST(tunables_have_names_and_numbers)
{
	struct bsdvm_sysctl by_index, by_name;
	char name[2 * BSDVM_SYSCTL_NAME_MAX];
	uint64_t value;
	unsigned int i;

	for (i = 0; !bsdvm_sysctl_info(NULL, i, &by_index); i++) {
		ASSERT(!bsdvm_sysctl_info(by_index.name, 0, &by_name));
		EXPECT(!strcmp(by_name.name, by_index.name));
		EXPECT(!strcmp(by_name.desc, by_index.desc));
		EXPECT(*by_name.desc);
		ASSERT(!bsdvm_sysctl_get(by_index.name, &value));
		EXPECT(value >= by_name.min && value <= by_name.max);
	}
	EXPECT_EQ(errno, ENOENT);
	EXPECT(i > 10);
	memset(name, 'n', sizeof(name));
	name[sizeof(name) - 1] = '\0';
	EXPECT_ERRNO(bsdvm_sysctl_get(name, &value), ENOENT);
	EXPECT_ERRNO(bsdvm_sysctl_set(name, 0), ENOENT);
	EXPECT_ERRNO(bsdvm_sysctl_get("", &value), ENOENT);
	EXPECT_ERRNO(bsdvm_sysctl_get(NULL, &value), EFAULT);
	EXPECT_ERRNO(bsdvm_sysctl_set(NULL, 0), EFAULT);
}
