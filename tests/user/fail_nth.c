// SPDX-License-Identifier: BSD-2-Clause
/*
 * Every call with each of its allocations failing in turn. The call must say so,
 * and then the map, its bytes and its accounts are as they were before; what it
 * had begun is not lost either: when all is unmapped nothing is left over.
 *
 * (fork_fails has fork(2) of its own.) Copies from and to user memory are made to
 * fail, too, and with them a call may have had its effect already.
 *
 * Needs fault injection, which only the debug kernel has.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "vm.h"

#define FIXED	BSDVM_MAP_FIXED
#define PRIVATE BSDVM_MAP_PRIVATE
#define SHARED	BSDVM_MAP_SHARED
#define R	BSDVM_PROT_READ

/* --- fault injection */

static int fail_nth;

static void write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	ASSERT(fd >= 0 && write(fd, text, strlen(text)) > 0);
	close(fd);
}

static void prepare(void)
{
	write_file("/sys/kernel/debug/failslab/ignore-gfp-wait", "N");
	write_file("/sys/kernel/debug/failslab/verbose", "0");
	write_file("/sys/kernel/debug/fail_page_alloc/ignore-gfp-wait", "N");
	write_file("/sys/kernel/debug/fail_page_alloc/min-order", "0");
	write_file("/sys/kernel/debug/fail_page_alloc/verbose", "0");
	write_file("/sys/kernel/debug/fail_usercopy/verbose", "0");
	fail_nth = open("/proc/thread-self/fail-nth", O_RDWR | O_CLOEXEC);
	ASSERT(fail_nth >= 0);
}

/* Let the @nth allocation that this thread makes from now on fail. */
static void arm(unsigned int nth)
{
	char text[16];
	int len = snprintf(text, sizeof(text), "%u", nth);

	ASSERT(pwrite(fail_nth, text, len, 0) == len);
}

/* Returns whether there were fewer; the failure may hit this very read or write. */
static bool disarm(void)
{
	char text[16] = "";
	bool left = pread(fail_nth, text, sizeof(text) - 1, 0) <= 0 ||
		    strtoul(text, NULL, 10);

	if (pwrite(fail_nth, "0", 1, 0) != 1)
		arm(0);
	return left;
}

/* --- the scene: some of everything, so that a call has something to split */

#define SCENE 26

/* Pages of the scene. */
#define ANON_AT	    0 /* 4 pages, written */
#define SHARED_AT   4 /* 2 pages, written */
#define GUARD_AT    6
#define HOLE_AT	    7
#define PRIVATE_AT  8 /* 4 pages of the file, one of them written */
#define FILE_AT	    12 /* the same, shared */
#define LOCKED_AT   16 /* 2 pages, written */
#define READONLY_AT 18 /* 2 pages, never to be written */
#define FRESH_AT    20 /* 2 pages, not touched */
#define SHM_AT	    24 /* 2 pages of a shared memory object, written */

#define FILE_PAGES 8

static char *scene, *window, *heap;
static size_t window_size;
static int file, shm;

static void open_scene(void)
{
	ASSERT(!bsdvm_window((void **)&window, &window_size));
	scene = window + window_size / 2;
	heap = bsdvm_sbrk(0);
	ASSERT(heap != (void *)-1);
	file = vm_file("/tmp", FILE_PAGES * PAGE);
	shm = bsdvm_shm_open(BSDVM_SHM_ANON_PATH, O_RDWR, 0600);
	ASSERT(shm >= 0 && !ftruncate(shm, 4 * PAGE));
}

static char *at(unsigned int page)
{
	return scene + page * PAGE;
}

static void map(unsigned int page, unsigned int pages, int prot, int flags,
		int fd, off_t off)
{
	ASSERT(bsdvm_mmap(at(page), pages * PAGE, prot, flags | FIXED, fd,
			  off) == at(page));
}

static void fill(unsigned int page, unsigned int pages)
{
	for (; pages--; page++)
		memset(at(page), 'A' + page, PAGE);
}

static void build(void)
{
	map(ANON_AT, 4, RW, ANON, -1, 0);
	fill(ANON_AT, 4);
	map(SHARED_AT, 2, RW, BSDVM_MAP_ANON | SHARED, -1, 0);
	fill(SHARED_AT, 2);
	map(GUARD_AT, 1, 0, BSDVM_MAP_GUARD, -1, 0);
	map(PRIVATE_AT, 4, RW, PRIVATE, file, 0);
	fill(PRIVATE_AT + 1, 1);
	map(FILE_AT, 4, RW, SHARED, file, 4 * PAGE);
	fill(FILE_AT + 1, 1);
	map(LOCKED_AT, 2, RW, ANON, -1, 0);
	fill(LOCKED_AT, 2);
	ASSERT(!bsdvm_mlock(at(LOCKED_AT), 2 * PAGE));
	map(READONLY_AT, 2, R | BSDVM_PROT_MAX(R), ANON, -1, 0);
	map(FRESH_AT, 2, RW, ANON, -1, 0);
	map(SHM_AT, 2, RW, SHARED, shm, 0);
	fill(SHM_AT, 2);
}

/* The byte that all of a page has, or 0; -1: as the file has it; -2: none. */
static int expected(unsigned int page)
{
	switch (page) {
	case GUARD_AT:
	case HOLE_AT:
	case FRESH_AT + 2:
	case FRESH_AT + 3:
		return -2;
	case READONLY_AT:
	case READONLY_AT + 1:
	case FRESH_AT:
	case FRESH_AT + 1:
		return 0;
	case PRIVATE_AT:
	case PRIVATE_AT + 2:
	case PRIVATE_AT + 3:
	case FILE_AT:
	case FILE_AT + 2:
	case FILE_AT + 3:
		return -1;
	default:
		return 'A' + page;
	}
}

static bool bytes_are_there(void)
{
	unsigned int page, i;

	for (page = 0; page < SCENE; page++) {
		const int want = expected(page);
		const size_t off = (page - PRIVATE_AT) * PAGE;

		if (want >= 0 && !vm_all(at(page), PAGE, want))
			return false;
		for (i = 0; want == -1 && i < PAGE; i++) {
			if (at(page)[i] != vm_file_byte(off + i))
				return false;
		}
	}
	return true;
}

static void tear_down(void)
{
	char name[] = "/fail-nth.b";

	ASSERT(!bsdvm_munlockall());
	ASSERT(!bsdvm_brk(heap));
	ASSERT(!bsdvm_munmap(window, window_size));
	bsdvm_shm_unlink("/fail-nth.a");
	bsdvm_shm_unlink(name);
}

/* --- what must not change */

#define ENTRIES 64

struct state {
	size_t count;
	struct bsdvm_vmentry entry[ENTRIES];
	struct bsdvm_stats stats;
	void *heap_end;
};

/*
 * What a call may have done all the same: an object or a shadow is made when it
 * is first needed, and then it pays for itself.
 */
#define FLAGS_LOOSE                                         \
	(BSDVM_KVME_FLAG_COW | BSDVM_KVME_FLAG_NEEDS_COPY | \
	 BSDVM_KVME_FLAG_CHARGED)

static void look(struct state *state)
{
	struct bsdvm_vmentry *list, *e;
	size_t i;

	memset(state, 0, sizeof(*state));
	list = bsdvm_getvmmap(&state->count);
	ASSERT(list && state->count <= ENTRIES);
	for (i = 0, e = list; i < state->count;
	     i++, e = bsdvm_vmentry_next(e)) {
		struct bsdvm_vmentry *to = &state->entry[i];

		to->kve_start = e->kve_start;
		to->kve_end = e->kve_end;
		/* Anonymous memory has no object until it needs one. */
		to->kve_type = e->kve_type;
		if (to->kve_type == BSDVM_KVME_TYPE_NONE ||
		    to->kve_type == BSDVM_KVME_TYPE_DEFAULT)
			to->kve_type = BSDVM_KVME_TYPE_SWAP;
		to->kve_protection = e->kve_protection;
		to->kve_max_protection = e->kve_max_protection;
		to->kve_inheritance = e->kve_inheritance;
		to->kve_wired_count = e->kve_wired_count;
		to->kve_flags = e->kve_flags & ~FLAGS_LOOSE;
	}
	bsdvm_freevmmap(list);
	state->stats = vm_stats();
	state->heap_end = bsdvm_sbrk(0);
}

static void expect_same_entry(const struct bsdvm_vmentry *got,
			      const struct bsdvm_vmentry *want)
{
	EXPECT_EQ(got->kve_start, want->kve_start);
	EXPECT_EQ(got->kve_end, want->kve_end);
	EXPECT_EQ(got->kve_type, want->kve_type);
	EXPECT_EQ(got->kve_protection, want->kve_protection);
	EXPECT_EQ(got->kve_max_protection, want->kve_max_protection);
	EXPECT_EQ(got->kve_inheritance, want->kve_inheritance);
	EXPECT_EQ(got->kve_wired_count, want->kve_wired_count);
	EXPECT_EQ(got->kve_flags, want->kve_flags);
}

static void expect_same(const struct state *before)
{
	static struct state after;
	size_t i;

	look(&after);
	EXPECT_EQ(after.count, before->count);
	for (i = 0; i < ENTRIES; i++)
		expect_same_entry(&after.entry[i], &before->entry[i]);
	EXPECT_EQ(after.stats.v_user_wire_count,
		  before->stats.v_user_wire_count);
	EXPECT_EQ(after.stats.v_swap_reserved, before->stats.v_swap_reserved);
	EXPECT_EQ((uintptr_t)after.heap_end, (uintptr_t)before->heap_end);
	EXPECT(bytes_are_there());
}

static void expect_no_leak(const struct bsdvm_stats *before)
{
	struct bsdvm_stats after;

	EXPECT_EQ(vm_free_settles(vm_free_of(*before)), vm_free_of(*before));
	after = vm_stats();
	EXPECT_EQ(after.o_count, before->o_count);
	EXPECT_EQ(after.v_user_wire_count, before->v_user_wire_count);
	EXPECT_EQ(after.v_swap_reserved, before->v_swap_reserved);
	EXPECT_EQ(after.v_vmspaces, before->v_vmspaces);
}

/* --- the sweep */

/**
 * struct sweep - one call
 * @before: prepares the scene further; may be NULL
 * @call: makes the call; returns 0 or an errno
 * @after: takes back what unmapping everything does not; may be NULL
 * @allowed: an errno that may come beside ENOMEM and EFAULT, or 0
 * @partly: what it fails to do it may have begun
 * @frugal: it may need nothing
 */
struct sweep {
	void (*before)(void);
	int (*call)(void);
	void (*after)(void);
	int allowed;
	bool partly;
	bool frugal;
};

/* One round; returns whether the call made fewer than @nth allocations. */
static bool round_of(const struct sweep *sweep, unsigned int nth,
		     unsigned int *failed)
{
	static struct state state;
	bool done;
	int err;

	build();
	if (sweep->before)
		sweep->before();
	look(&state);
	arm(nth);
	err = sweep->call();
	done = disarm();
	if (err) {
		++*failed;
		if (done ||
		    (err != ENOMEM && err != EFAULT && err != sweep->allowed))
			harness_fail(__FILE__, __LINE__, "allocation %u%s: %s",
				     nth, done ? " is not made" : " fails",
				     strerrorname_np(err));
		if (sweep->partly)
			EXPECT(bytes_are_there());
		else if (err != EFAULT)
			expect_same(&state);
	}
	if (sweep->after)
		sweep->after();
	tear_down();
	return done;
}

static void run_sweep(const struct sweep *sweep)
{
	struct bsdvm_stats before;
	unsigned int nth, failed = 0;
	bool done = false;

	prepare();
	open_scene();
	/* Once without failures, so that all is there that stays. */
	round_of(sweep, 0, &failed);
	EXPECT_EQ(failed, 0);
	before = vm_stats();
	for (nth = 1; !done; nth++) {
		done = round_of(sweep, nth, &failed);
		expect_no_leak(&before);
	}
	printf("# %u allocations and copies, %u of them the call cannot do without\n",
	       nth - 2, failed);
	EXPECT(failed || sweep->frugal);
}

static int as_errno(long result)
{
	return result == -1 ? errno : 0;
}

#define SWEEP(_name, ...)                                          \
	static int call_##_name(void);                             \
	TEST_LIMIT(_name, 200)                                     \
	{                                                          \
		const struct sweep sweep = { .call = call_##_name, \
					     ##__VA_ARGS__ };      \
                                                                   \
		run_sweep(&sweep);                                 \
	}                                                          \
	static int call_##_name(void)

/* --- mmap */

static int mmap_at(unsigned int page, unsigned int pages, int prot, int flags,
		   int fd, off_t off)
{
	void *addr = page < SCENE ? at(page) : NULL;

	return as_errno(
		(long)bsdvm_mmap(addr, pages * PAGE, prot, flags, fd, off));
}

SWEEP(mmap_of_anonymous_memory_in_the_middle)
{
	return mmap_at(ANON_AT + 1, 2, RW, ANON | FIXED, -1, 0);
}

SWEEP(mmap_over_everything)
{
	return mmap_at(ANON_AT + 1, SHM_AT, RW, ANON | FIXED, -1, 0);
}

SWEEP(mmap_anywhere)
{
	return mmap_at(SCENE, 4, RW, BSDVM_MAP_ANON | SHARED, -1, 0);
}

SWEEP(mmap_of_a_file)
{
	return mmap_at(FILE_AT + 1, 2, R, PRIVATE | FIXED, file, PAGE);
}

/* Another file than the scene's: its object must be made. */
static int other_file;

static void open_other(void)
{
	other_file = vm_file("/tmp", 4 * PAGE);
}

static void close_other(void)
{
	close(other_file);
}

SWEEP(mmap_of_a_file_that_is_new, .before = open_other, .after = close_other)
{
	return mmap_at(ANON_AT + 1, 2, RW, SHARED | FIXED, other_file, 0);
}

SWEEP(mmap_with_prefault, .before = open_other, .after = close_other)
{
	return mmap_at(SCENE, 4, R, SHARED | BSDVM_MAP_PREFAULT_READ,
		       other_file, 0);
}

SWEEP(mmap_of_shared_memory)
{
	return mmap_at(ANON_AT + 1, 2, RW, SHARED | FIXED, shm, PAGE);
}

SWEEP(mmap_of_a_guard)
{
	return mmap_at(ANON_AT + 1, 2, 0, BSDVM_MAP_GUARD | FIXED, -1, 0);
}

SWEEP(mmap_of_a_stack)
{
	return mmap_at(SCENE, 64, RW, BSDVM_MAP_STACK, -1, 0);
}

SWEEP(mmap_excl)
{
	return mmap_at(HOLE_AT, 1, RW, ANON | FIXED | BSDVM_MAP_EXCL, -1, 0);
}

static void lock_future(void)
{
	ASSERT(!bsdvm_mlockall(BSDVM_MCL_FUTURE));
}

SWEEP(mmap_with_locks_to_come, .before = lock_future)
{
	return mmap_at(ANON_AT + 1, 2, RW, ANON | FIXED, -1, 0);
}

SWEEP(mquery)
{
	return as_errno((long)bsdvm_mquery(NULL, PAGE, R, PRIVATE, file, 0));
}

/* --- the rest of the map */

SWEEP(munmap_of_the_middle)
{
	return as_errno(bsdvm_munmap(at(ANON_AT + 1), 2 * PAGE));
}

SWEEP(munmap_from_the_middle_to_the_middle)
{
	return as_errno(bsdvm_munmap(at(ANON_AT + 1), 10 * PAGE));
}

SWEEP(munmap_of_a_part_that_is_locked)
{
	return as_errno(bsdvm_munmap(at(LOCKED_AT + 1), PAGE));
}

SWEEP(mprotect_of_the_middle)
{
	return as_errno(bsdvm_mprotect(at(ANON_AT + 1), 10 * PAGE, R));
}

SWEEP(minherit_of_the_middle)
{
	return as_errno(
		bsdvm_minherit(at(ANON_AT + 1), 10 * PAGE, BSDVM_INHERIT_ZERO));
}

SWEEP(madvise_random)
{
	return as_errno(
		bsdvm_madvise(at(ANON_AT + 1), 10 * PAGE, BSDVM_MADV_RANDOM));
}

SWEEP(madvise_free)
{
	return as_errno(bsdvm_madvise(at(FRESH_AT), PAGE, BSDVM_MADV_FREE));
}

SWEEP(madvise_willneed)
{
	return as_errno(
		bsdvm_madvise(at(FILE_AT), 4 * PAGE, BSDVM_MADV_WILLNEED));
}

SWEEP(madvise_dontneed)
{
	return as_errno(
		bsdvm_madvise(at(ANON_AT), 4 * PAGE, BSDVM_MADV_DONTNEED));
}

/* What cannot be written stays dirty, and is written another time. */
SWEEP(msync_sync, .allowed = EIO)
{
	return as_errno(bsdvm_msync(at(FILE_AT), 4 * PAGE, BSDVM_MS_SYNC));
}

SWEEP(msync_invalidate, .allowed = EIO)
{
	return as_errno(
		bsdvm_msync(at(FILE_AT), 4 * PAGE, BSDVM_MS_INVALIDATE));
}

SWEEP(mincore)
{
	char vec[4];

	return as_errno(bsdvm_mincore(at(ANON_AT), 4 * PAGE, vec));
}

SWEEP(mlock_of_the_middle)
{
	return as_errno(bsdvm_mlock(at(ANON_AT + 1), 3 * PAGE));
}

SWEEP(mlock_of_private_file_memory)
{
	return as_errno(bsdvm_mlock(at(PRIVATE_AT), 4 * PAGE));
}

SWEEP(mlock_of_fresh_memory)
{
	return as_errno(bsdvm_mlock(at(FRESH_AT + 1), PAGE));
}

SWEEP(munlock_of_the_middle)
{
	return as_errno(bsdvm_munlock(at(LOCKED_AT + 1), PAGE));
}

SWEEP(mlockall_now, .allowed = EAGAIN)
{
	return as_errno(bsdvm_mlockall(BSDVM_MCL_CURRENT));
}

SWEEP(munlockall)
{
	return as_errno(bsdvm_munlockall());
}

SWEEP(brk_that_grows)
{
	return as_errno(bsdvm_brk(heap + 5 * PAGE));
}

SWEEP(brk_that_grows_with_locks_to_come, .before = lock_future)
{
	return as_errno(bsdvm_brk(heap + 5 * PAGE));
}

static void grow_heap(void)
{
	ASSERT(!bsdvm_brk(heap + 5 * PAGE));
	memset(heap, 'h', 5 * PAGE);
}

SWEEP(brk_that_shrinks, .before = grow_heap)
{
	return as_errno(bsdvm_brk(heap + 2 * PAGE));
}

static int segments_at(char *start)
{
	const struct bsdvm_segments segments = {
		.taddr = (uintptr_t)start,
		.daddr = (uintptr_t)start,
	};

	return as_errno(bsdvm_segments(&segments));
}

SWEEP(segments)
{
	return segments_at(window);
}

SWEEP(mremap_that_grows_in_place)
{
	return as_errno(
		(long)bsdvm_mremap(at(FRESH_AT), 2 * PAGE, NULL, 3 * PAGE, 0));
}

SWEEP(mremap_that_moves)
{
	return as_errno((long)bsdvm_mremap(at(ANON_AT + 1), 2 * PAGE, NULL,
					   8 * PAGE, 0));
}

SWEEP(mremap_of_a_file_that_moves)
{
	return as_errno((long)bsdvm_mremap(at(PRIVATE_AT + 1), 2 * PAGE, NULL,
					   8 * PAGE, 0));
}

SWEEP(mremap_that_shrinks)
{
	return as_errno(
		(long)bsdvm_mremap(at(ANON_AT), 4 * PAGE, NULL, PAGE, 0));
}

SWEEP(mremap_that_doubles)
{
	return as_errno((long)bsdvm_mremap(at(PRIVATE_AT), 10 * PAGE, NULL,
					   10 * PAGE, BSDVM_MAP_REMAPDUP));
}

/* --- what only looks */

SWEEP(entries)
{
	struct bsdvm_vmentry *list;
	size_t count;

	list = bsdvm_getvmmap(&count);
	if (!list)
		return errno;
	bsdvm_freevmmap(list);
	return 0;
}

static uint64_t anon_object;

static void find_object(void)
{
	anon_object = vm_entry_at(at(ANON_AT)).object[0].kvo_id;
}

SWEEP(pages, .before = find_object)
{
	struct bsdvm_pagerun *runs;
	size_t count;

	runs = bsdvm_getpages(0, (uintptr_t)at(ANON_AT), anon_object, &count);
	if (!runs)
		return errno;
	bsdvm_freepages(runs);
	return 0;
}

SWEEP(objects)
{
	struct bsdvm_kvmobject *list;
	size_t count;

	list = bsdvm_getvmobject(&count);
	if (!list)
		return errno;
	bsdvm_freevmobject(list);
	return 0;
}

SWEEP(stats)
{
	struct bsdvm_stats stats;

	return as_errno(bsdvm_stats(&stats));
}

SWEEP(info)
{
	struct bsdvm_info info;

	return as_errno(bsdvm_info(&info));
}

SWEEP(rusage)
{
	struct bsdvm_rusage usage;

	return as_errno(bsdvm_rusage(0, &usage));
}

SWEEP(sysctl)
{
	uint64_t value;

	return as_errno(bsdvm_sysctl_get("vm.overcommit", &value));
}

/* --- shared memory objects */

static int made;

static int shm_make(const char *name, int flags)
{
	made = bsdvm_shm_open(name, flags, 0600);
	return as_errno(made);
}

static void shm_close(void)
{
	if (made >= 0)
		close(made);
	made = -1;
}

static void shm_named(void)
{
	ASSERT(!shm_make("/fail-nth.a", O_RDWR | O_CREAT | O_EXCL));
	ASSERT(!ftruncate(made, 3 * PAGE));
}

static void shm_two(void)
{
	int fd = bsdvm_shm_open("/fail-nth.b", O_RDWR | O_CREAT, 0600);

	ASSERT(fd >= 0);
	close(fd);
	shm_named();
}

SWEEP(shm_open_creates, .after = shm_close)
{
	return shm_make("/fail-nth.a", O_RDWR | O_CREAT | O_EXCL);
}

SWEEP(shm_open_anonymous, .after = shm_close)
{
	return shm_make(BSDVM_SHM_ANON_PATH, O_RDWR);
}

static int second;

static void second_close(void)
{
	if (second >= 0)
		close(second);
	shm_close();
}

SWEEP(shm_open_again, .before = shm_named, .after = second_close)
{
	second = bsdvm_shm_open("/fail-nth.a", O_RDWR | O_TRUNC, 0600);
	return as_errno(second);
}

SWEEP(shm_unlink, .before = shm_named, .after = shm_close)
{
	return as_errno(bsdvm_shm_unlink("/fail-nth.a"));
}

SWEEP(shm_rename, .before = shm_two, .after = shm_close)
{
	return as_errno(bsdvm_shm_rename("/fail-nth.a", "/fail-nth.b", 0));
}

static void shm_sealable(void)
{
	made = bsdvm_memfd_create("fail-nth", BSDVM_MFD_ALLOW_SEALING);
	ASSERT(made >= 0);
}

SWEEP(shm_seals, .before = shm_sealable, .after = shm_close)
{
	return as_errno(bsdvm_shm_seals(made, BSDVM_F_SEAL_GROW));
}

/* FRESH pages of the object, so that the write must make them. */
SWEEP(shm_write, .before = shm_named, .after = shm_close)
{
	char text[2 * PAGE] = "text";

	return as_errno(pwrite(made, text, sizeof(text), PAGE / 2));
}

SWEEP(shm_truncate, .before = shm_named, .after = shm_close, .frugal = true)
{
	return as_errno(ftruncate(made, PAGE + 1));
}

/* --- faults */

/* Without a page the explicit fault says so; where it was the file: as if there were none. */
static int fault(unsigned int page, unsigned int pages, int prot)
{
	int outcome;

	if (bsdvm_fault(at(page), pages * PAGE, prot, NULL, &outcome))
		return errno;
	return outcome == BSDVM_FAULT_OK ? 0 : ENOMEM;
}

SWEEP(fault_of_fresh_memory)
{
	return fault(FRESH_AT, 2, BSDVM_PROT_WRITE);
}

SWEEP(fault_that_copies)
{
	return fault(PRIVATE_AT + 2, 2, BSDVM_PROT_WRITE);
}

SWEEP(fault_that_reads_a_file)
{
	return fault(FILE_AT, 4, R);
}

static sigjmp_buf escape;
static volatile sig_atomic_t caught;

static void catch (int sig)
{
	caught = sig;
	siglongjmp(escape, 1);
}

static void catch_signals(void)
{
	/* Not masked in the handler, so that leaving it needs no call. */
	const struct sigaction action = {
		.sa_handler = catch,
		.sa_flags = SA_NODEFER,
	};

	ASSERT(!sigaction(SIGBUS, &action, NULL));
}

static int access_pages(unsigned int page, unsigned int pages, bool store)
{
	volatile char *volatile p = at(page);
	volatile unsigned int left = pages;

	if (sigsetjmp(escape, 0))
		return ENOMEM;
	for (; left; left--, p += PAGE) {
		if (store)
			*p = *p;
		else
			(void)*p;
	}
	return 0;
}

SWEEP(stores_to_fresh_memory, .before = catch_signals)
{
	return access_pages(FRESH_AT, 2, true);
}

SWEEP(stores_that_copy, .before = catch_signals, .frugal = true)
{
	return access_pages(PRIVATE_AT, 4, true);
}

SWEEP(loads_from_a_file, .before = catch_signals, .frugal = true)
{
	return access_pages(FILE_AT, 4, false);
}

/* A stack with room to grow, of which nothing was touched. */
static char *stack;

static void make_stack(void)
{
	stack = bsdvm_mmap(NULL, 100 * PAGE, RW, BSDVM_MAP_STACK, -1, 0);
	ASSERT(stack != BSDVM_MAP_FAILED);
}

/* Grown it stays, also where there is no page for it then. */
SWEEP(a_stack_that_grows, .before = make_stack, .partly = true)
{
	int outcome;

	if (bsdvm_fault(stack + 40 * PAGE, PAGE, BSDVM_PROT_WRITE, NULL,
			&outcome))
		return errno;
	/* Where it cannot grow there is only its guard. */
	return outcome == BSDVM_FAULT_OK ? 0 : ENOMEM;
}

/* --- a process's begin */

/* Where there was no window, there is none, and the descriptor was closed. */
static bool make_window(unsigned int nth, unsigned int *failed)
{
	void *start = MAP_FAILED;
	bool done;
	int fd;

	arm(nth);
	fd = open(BSDVM_DEVICE, O_RDWR | O_CLOEXEC);
	if (fd >= 0)
		start = mmap(NULL, 64 * PAGE, PROT_READ | PROT_WRITE,
			     MAP_SHARED | MAP_NORESERVE, fd, 0);
	done = disarm();
	if (start == MAP_FAILED) {
		++*failed;
		EXPECT(!done);
		EXPECT(errno == ENOMEM || errno == EFAULT || errno == ENFILE);
	} else {
		ASSERT(!munmap(start, 64 * PAGE));
	}
	if (fd >= 0)
		close(fd);
	return done;
}

TEST_LIMIT(a_window_that_cannot_be_made, 200)
{
	const struct bsdvm_stats before = vm_stats();
	unsigned int nth, failed = 0;
	bool done = false;

	prepare();
	for (nth = 1; !done; nth++)
		done = make_window(nth, &failed);
	printf("# %u allocations and copies, %u of them needed\n", nth - 2,
	       failed);
	EXPECT(failed);
	expect_no_leak(&before);
}

/* Each in a child, as it is for ever. */
static bool make_immutable(unsigned int nth)
{
	static struct state state;
	pid_t child = harness_fork();
	int status;

	if (!child) {
		bool done;
		int err;

		fail_nth =
			open("/proc/thread-self/fail-nth", O_RDWR | O_CLOEXEC);
		build();
		look(&state);
		arm(nth);
		err = as_errno(bsdvm_mimmutable(at(ANON_AT + 1), 10 * PAGE));
		done = disarm();
		if (err) {
			EXPECT(!done && (err == ENOMEM || err == EFAULT));
			if (err == ENOMEM)
				expect_same(&state);
		}
		EXPECT(bytes_are_there());
		if (done)
			_exit(2);
		harness_exit();
	}
	status = harness_wait(child);
	if (WIFEXITED(status) && WEXITSTATUS(status) == 2)
		return true;
	ASSERT(!status);
	return false;
}

TEST_LIMIT(mimmutable_of_the_middle, 200)
{
	struct bsdvm_stats before;
	unsigned int nth;

	prepare();
	open_scene();
	build();
	tear_down();
	before = vm_stats();
	for (nth = 1; !make_immutable(nth); nth++)
		expect_no_leak(&before);
	printf("# %u allocations and copies\n", nth - 1);
	EXPECT(nth > 2);
}
