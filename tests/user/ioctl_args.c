// SPDX-License-Identifier: BSD-2-Clause
/*
 * The conventions that hold for every ioctl, tried on every ioctl; and what
 * the mmap(2) that makes the window, and Linux calls on it, refuse.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "vm.h"

/* Room for the largest structure and a tail. */
union argument {
	__u32 size;
	struct bsdvm_info info;
	struct bsdvm_mmap mmap;
	struct bsdvm_munmap munmap;
	struct bsdvm_mprotect mprotect;
	struct bsdvm_msync msync;
	struct bsdvm_minherit minherit;
	struct bsdvm_entries entries;
	struct bsdvm_stats stats;
	struct bsdvm_fault fault;
	struct bsdvm_madvise madvise;
	struct bsdvm_mincore mincore;
	struct bsdvm_mlock mlock;
	struct bsdvm_mlockall mlockall;
	struct bsdvm_break brk;
	struct bsdvm_segments segments;
	struct bsdvm_rusage rusage;
	struct bsdvm_mremap mremap;
	struct bsdvm_mimmutable mimmutable;
	struct bsdvm_shm_open shm_open;
	struct bsdvm_shm_unlink shm_unlink;
	struct bsdvm_shm_rename shm_rename;
	struct bsdvm_shm_seals shm_seals;
	struct bsdvm_sysctl sysctl;
	struct bsdvm_objects objects;
	struct bsdvm_pages pages;
	struct bsdvm_swapon swapon;
	struct bsdvm_swapoff swapoff;
	struct bsdvm_swapinfo swapinfo;
	struct bsdvm_kmap kmap;
	struct bsdvm_table table;
	char bytes[1024];
};

static char records[16 * 1024];

/* Fill in arguments with which the call succeeds; @page is mapped memory. */

static void fill_nothing(union argument *arg, char *page)
{
	(void)arg;
	(void)page;
}

static void fill_mmap(union argument *arg, char *page)
{
	(void)page;
	arg->mmap.prot = BSDVM_PROT_READ;
	arg->mmap.flags = ANON;
	arg->mmap.fd = -1;
	arg->mmap.len = PAGE;
}

static void fill_munmap(union argument *arg, char *page)
{
	arg->munmap.addr = (uintptr_t)page;
	arg->munmap.len = PAGE;
}

static void fill_mprotect(union argument *arg, char *page)
{
	arg->mprotect.addr = (uintptr_t)page;
	arg->mprotect.len = PAGE;
	arg->mprotect.prot = BSDVM_PROT_READ;
}

static void fill_msync(union argument *arg, char *page)
{
	arg->msync.addr = (uintptr_t)page;
	arg->msync.len = PAGE;
}

static void fill_minherit(union argument *arg, char *page)
{
	arg->minherit.addr = (uintptr_t)page;
	arg->minherit.len = PAGE;
	arg->minherit.inherit = BSDVM_INHERIT_COPY;
}

static void fill_entries(union argument *arg, char *page)
{
	(void)page;
	arg->entries.buf = (uintptr_t)records;
	arg->entries.buf_len = sizeof(records);
}

static void fill_fault(union argument *arg, char *page)
{
	arg->fault.addr = (uintptr_t)page;
	arg->fault.len = PAGE;
	arg->fault.prot = BSDVM_PROT_READ;
}

static void fill_madvise(union argument *arg, char *page)
{
	arg->madvise.addr = (uintptr_t)page;
	arg->madvise.len = PAGE;
	arg->madvise.behav = BSDVM_MADV_RANDOM;
}

static void fill_mincore(union argument *arg, char *page)
{
	arg->mincore.addr = (uintptr_t)page;
	arg->mincore.len = PAGE;
	arg->mincore.vec = (uintptr_t)records;
}

static void fill_mlock(union argument *arg, char *page)
{
	arg->mlock.addr = (uintptr_t)page;
	arg->mlock.len = PAGE;
}

static void fill_mlockall(union argument *arg, char *page)
{
	(void)page;
	arg->mlockall.how = BSDVM_MCL_CURRENT;
}

static void fill_segments(union argument *arg, char *page)
{
	arg->segments.taddr = (uintptr_t)page;
	arg->segments.daddr = (uintptr_t)page;
}

static void fill_mremap(union argument *arg, char *page)
{
	arg->mremap.old_addr = (uintptr_t)page;
	arg->mremap.old_len = PAGE;
	arg->mremap.new_len = PAGE;
}

#define NAME	   "/ioctl_args"
#define OTHER_NAME "/ioctl_args.other"

static void fill_shm_open(union argument *arg, char *page)
{
	(void)page;
	arg->shm_open.flags = BSDVM_O_RDWR | BSDVM_O_CREAT;
	arg->shm_open.mode = 0600;
	arg->shm_open.shmflags = BSDVM_SHM_ALLOW_SEALING;
	arg->shm_open.path = (uintptr_t)NAME;
}

/* An object of that name; returns a descriptor. */
static int make_shm(void)
{
	struct bsdvm_shm_open arg = {
		.size = sizeof(arg),
		.flags = BSDVM_O_RDWR | BSDVM_O_CREAT,
		.mode = 0600,
		.shmflags = BSDVM_SHM_ALLOW_SEALING,
		.path = (uintptr_t)NAME,
	};

	ASSERT(!ioctl(bsdvm_fd(), BSDVM_IOC_SHM_OPEN, &arg));
	return arg.fd;
}

static void fill_shm_unlink(union argument *arg, char *page)
{
	(void)page;
	close(make_shm());
	arg->shm_unlink.path = (uintptr_t)NAME;
}

static void fill_shm_rename(union argument *arg, char *page)
{
	(void)page;
	close(make_shm());
	arg->shm_rename.from = (uintptr_t)NAME;
	arg->shm_rename.to = (uintptr_t)OTHER_NAME;
}

static void fill_shm_seals(union argument *arg, char *page)
{
	(void)page;
	arg->shm_seals.fd = make_shm();
}

static void fill_sysctl(union argument *arg, char *page)
{
	(void)page;
	strcpy(arg->sysctl.name, "vm.overcommit");
}

static void fill_objects(union argument *arg, char *page)
{
	(void)page;
	arg->objects.buf = (uintptr_t)records;
	arg->objects.buf_len = sizeof(records);
}

static void fill_pages(union argument *arg, char *page)
{
	/* Without a window there is nothing at it. */
	if (page == (char *)PAGE)
		return;
	*page = 'x';
	arg->pages.addr = (uintptr_t)page;
	arg->pages.object = vm_entry_at(page).object[0].kvo_id;
	arg->pages.buf = (uintptr_t)records;
	arg->pages.buf_len = sizeof(records);
}

static void fill_zones(union argument *arg, char *page)
{
	(void)page;
	arg->table.record = sizeof(struct bsdvm_zone);
	arg->table.buf = (uintptr_t)records;
	arg->table.buf_len = sizeof(records);
}

static void fill_malloc_types(union argument *arg, char *page)
{
	fill_zones(arg, page);
	arg->table.record = sizeof(struct bsdvm_malloc_type);
}

/* A file to page to, and nothing that an earlier call pages to. */
static void fill_swapon(union argument *arg, char *page)
{
	struct bsdvm_swapinfo info;
	unsigned int i;

	(void)page;
	for (i = 0; !bsdvm_swapinfo(i, &info); i++)
		if (!(info.flags & BSDVM_SWAPINFO_EMBEDDED)) {
			struct bsdvm_swapoff off = {
				.size = sizeof(off),
				.id = info.id,
			};

			ASSERT(!ioctl(bsdvm_fd(), BSDVM_IOC_SWAPOFF, &off));
			i--;
		}
	arg->swapon.fd = vm_file("/dev/shm", 4 * PAGE);
}

static void fill_swapoff(union argument *arg, char *page)
{
	union argument on = { .swapon = { .size = sizeof(on.swapon) } };

	fill_swapon(&on, page);
	ASSERT(!ioctl(bsdvm_fd(), BSDVM_IOC_SWAPON, &on));
	arg->swapoff.id = on.swapon.id;
}

/* Members that must be zero, at most; the first member of all is none. */
#define ZEROES 9

static const struct call {
	const char *name;
	unsigned long request;
	void (*fill)(union argument *arg, char *page);
	size_t size;
	/* Bytes of the structure as it was first. */
	size_t first_size;
	bool needs_window;
	/* Where the 32-bit words that must be zero are. */
	size_t zero[ZEROES];
} calls[] = {
#define CALL(_name, _fill, _struct, _window, ...)                         \
	{                                                                 \
#_name, BSDVM_IOC_##_name, _fill, sizeof(struct _struct), \
			sizeof(struct _struct), _window,                  \
		{                                                         \
			__VA_ARGS__                                       \
		}                                                         \
	}
#define AT(_struct, _member) offsetof(struct _struct, _member)
	CALL(INFO, fill_nothing, bsdvm_info, false, AT(bsdvm_info, reserved)),
	CALL(MMAP, fill_mmap, bsdvm_mmap, true),
	CALL(MUNMAP, fill_munmap, bsdvm_munmap, true,
	     AT(bsdvm_munmap, reserved)),
	CALL(MPROTECT, fill_mprotect, bsdvm_mprotect, true),
	CALL(MSYNC, fill_msync, bsdvm_msync, true),
	CALL(MINHERIT, fill_minherit, bsdvm_minherit, true),
	{ "ENTRIES",
	  BSDVM_IOC_ENTRIES,
	  fill_entries,
	  sizeof(struct bsdvm_entries),
	  offsetof(struct bsdvm_entries, pid),
	  true,
	  { AT(bsdvm_entries, flags), AT(bsdvm_entries, count),
	    AT(bsdvm_entries, more), AT(bsdvm_entries, reserved) } },
	{ "STATS",
	  BSDVM_IOC_STATS,
	  fill_nothing,
	  sizeof(struct bsdvm_stats),
	  offsetof(struct bsdvm_stats, v_user_wire_count),
	  false,
	  { AT(bsdvm_stats, reserved) } },
	CALL(FAULT, fill_fault, bsdvm_fault, true, AT(bsdvm_fault, reserved),
	     AT(bsdvm_fault, done), AT(bsdvm_fault, done) + 4,
	     AT(bsdvm_fault, outcome)),
	CALL(MADVISE, fill_madvise, bsdvm_madvise, true),
	CALL(MINCORE, fill_mincore, bsdvm_mincore, true,
	     AT(bsdvm_mincore, reserved)),
	CALL(MLOCK, fill_mlock, bsdvm_mlock, true, AT(bsdvm_mlock, reserved)),
	CALL(MUNLOCK, fill_mlock, bsdvm_mlock, true, AT(bsdvm_mlock, reserved)),
	CALL(MLOCKALL, fill_mlockall, bsdvm_mlockall, true),
	CALL(MUNLOCKALL, fill_nothing, bsdvm_mlockall, true,
	     AT(bsdvm_mlockall, how)),
	CALL(BREAK, fill_nothing, bsdvm_break, true, AT(bsdvm_break, reserved)),
	CALL(SEGMENTS, fill_segments, bsdvm_segments, true,
	     AT(bsdvm_segments, reserved)),
	CALL(RUSAGE, fill_nothing, bsdvm_rusage, true,
	     AT(bsdvm_rusage, reserved)),
	CALL(MREMAP, fill_mremap, bsdvm_mremap, true),
	CALL(MIMMUTABLE, fill_mlock, bsdvm_mimmutable, true,
	     AT(bsdvm_mimmutable, reserved)),
	CALL(MQUERY, fill_mmap, bsdvm_mmap, true),
	CALL(SHM_OPEN, fill_shm_open, bsdvm_shm_open, false,
	     AT(bsdvm_shm_open, fd), AT(bsdvm_shm_open, reserved)),
	CALL(SHM_UNLINK, fill_shm_unlink, bsdvm_shm_unlink, false,
	     AT(bsdvm_shm_unlink, reserved)),
	CALL(SHM_RENAME, fill_shm_rename, bsdvm_shm_rename, false),
	CALL(SHM_SEALS, fill_shm_seals, bsdvm_shm_seals, false,
	     AT(bsdvm_shm_seals, seals)),
	CALL(SYSCTL, fill_sysctl, bsdvm_sysctl, false, AT(bsdvm_sysctl, attr),
	     AT(bsdvm_sysctl, index), AT(bsdvm_sysctl, value),
	     AT(bsdvm_sysctl, min), AT(bsdvm_sysctl, max),
	     AT(bsdvm_sysctl, desc)),
	CALL(OBJECTS, fill_objects, bsdvm_objects, false,
	     AT(bsdvm_objects, flags), AT(bsdvm_objects, count),
	     AT(bsdvm_objects, more)),
	CALL(PAGES, fill_pages, bsdvm_pages, true, AT(bsdvm_pages, count),
	     AT(bsdvm_pages, more)),
	CALL(SWAPON, fill_swapon, bsdvm_swapon, false, AT(bsdvm_swapon, id),
	     AT(bsdvm_swapon, reserved)),
	CALL(SWAPOFF, fill_swapoff, bsdvm_swapoff, false),
	CALL(SWAPINFO, fill_nothing, bsdvm_swapinfo, false,
	     AT(bsdvm_swapinfo, id), AT(bsdvm_swapinfo, flags),
	     AT(bsdvm_swapinfo, total), AT(bsdvm_swapinfo, used),
	     AT(bsdvm_swapinfo, errors), AT(bsdvm_swapinfo, path)),
	CALL(KMAP, fill_nothing, bsdvm_kmap, false, AT(bsdvm_kmap, start),
	     AT(bsdvm_kmap, end), AT(bsdvm_kmap, used),
	     AT(bsdvm_kmap, largest_free), AT(bsdvm_kmap, entries),
	     AT(bsdvm_kmap, allocations), AT(bsdvm_kmap, failures),
	     AT(bsdvm_kmap, sleeps), AT(bsdvm_kmap, name)),
	CALL(ZONES, fill_zones, bsdvm_table, false, AT(bsdvm_table, count),
	     AT(bsdvm_table, more), AT(bsdvm_table, reserved)),
	CALL(MALLOC_TYPES, fill_malloc_types, bsdvm_table, false,
	     AT(bsdvm_table, count), AT(bsdvm_table, more),
	     AT(bsdvm_table, reserved)),
};

#define FOR_EACH_CALL(_call)                                                  \
	for (_call = calls; _call < calls + sizeof(calls) / sizeof(calls[0]); \
	     _call++)

static void prepare(union argument *arg, const struct call *call, char *page)
{
	memset(arg, 0, sizeof(*arg));
	call->fill(arg, page);
	arg->size = call->size;
}

/* Make the call and compare the errno; @how names the case. */
static void expect_call(const struct call *call, void *arg, int want,
			const char *how)
{
	const int ret = ioctl(bsdvm_fd(), call->request, arg);
	const int got = ret ? errno : 0;

	if (got != want)
		harness_fail(__FILE__, __LINE__, "%s with %s: %s, not %s",
			     call->name, how, strerrorname_np(got),
			     strerrorname_np(want));
}

TEST(every_call_succeeds_with_good_arguments)
{
	const struct call *call;
	union argument arg;

	FOR_EACH_CALL(call)
	{
		prepare(&arg, call, vm_anon(1));
		expect_call(call, &arg, 0, "good arguments");
	}
}

TEST(every_ioctl_is_tried_here)
{
	const struct call *call;
	unsigned int number;

	for (number = 0; number < 256; number++) {
		const unsigned long request = _IO(BSDVM_IOC_MAGIC, number);
		bool here = false;

		FOR_EACH_CALL(call)
		here |= call->request == request;
		EXPECT_ERRNO(ioctl(bsdvm_fd(), request, NULL),
			     here ? EFAULT : ENOTTY);
	}
}

TEST(every_call_refuses_a_structure_too_short)
{
	const struct call *call;
	union argument arg;

	FOR_EACH_CALL(call)
	{
		prepare(&arg, call, vm_anon(1));
		arg.size = call->first_size - 1;
		expect_call(call, &arg, EINVAL, "size - 1");
		arg.size = 4;
		expect_call(call, &arg, EINVAL, "size 4");
		arg.size = 0;
		expect_call(call, &arg, EINVAL, "size 0");
	}
}

/* Programs built before a structure grew go on working. */
TEST(every_call_takes_the_structure_as_it_was_first)
{
	const struct call *call;
	union argument arg;
	size_t i;

	FOR_EACH_CALL(call)
	{
		prepare(&arg, call, vm_anon(1));
		arg.size = call->first_size;
		/* It is not asked for and must stay as it is. */
		memset(arg.bytes + call->first_size, 0x5a, 64);
		expect_call(call, &arg, 0, "the first size");
		EXPECT_EQ(arg.size, call->first_size);
		for (i = 0; i < 64; i++)
			EXPECT_EQ(arg.bytes[call->first_size + i], 0x5a);
	}
}

TEST(every_call_refuses_a_structure_longer_than_a_page)
{
	const struct call *call;
	union argument arg;

	FOR_EACH_CALL(call)
	{
		prepare(&arg, call, vm_anon(1));
		arg.size = PAGE + 1;
		expect_call(call, &arg, E2BIG, "a page and a byte");
		arg.size = (__u32)-1;
		expect_call(call, &arg, E2BIG, "the longest size");
	}
}

TEST(every_call_takes_a_longer_structure_with_a_zero_tail)
{
	const struct call *call;
	union argument arg;

	FOR_EACH_CALL(call)
	{
		prepare(&arg, call, vm_anon(1));
		arg.size = call->size + 1;
		expect_call(call, &arg, 0, "size + 1, zero");
		prepare(&arg, call, vm_anon(1));
		arg.size = sizeof(arg);
		expect_call(call, &arg, 0, "a long zero tail");
	}
}

TEST(every_call_refuses_a_longer_structure_with_a_tail)
{
	const struct call *call;
	union argument arg;

	FOR_EACH_CALL(call)
	{
		prepare(&arg, call, vm_anon(1));
		arg.size = call->size + 1;
		arg.bytes[call->size] = 1;
		expect_call(call, &arg, E2BIG, "size + 1, not zero");
		prepare(&arg, call, vm_anon(1));
		arg.size = sizeof(arg);
		arg.bytes[sizeof(arg) - 1] = 1;
		expect_call(call, &arg, E2BIG, "a long tail, its end not zero");
	}
}

TEST(every_call_refuses_a_reserved_member_that_is_not_zero)
{
	const struct call *call;
	union argument arg;
	int i;

	FOR_EACH_CALL(call)
	{
		for (i = 0; i < ZEROES && call->zero[i]; i++) {
			prepare(&arg, call, vm_anon(1));
			arg.bytes[call->zero[i]] = 1;
			expect_call(call, &arg, EINVAL, "a reserved bit");
			prepare(&arg, call, vm_anon(1));
			arg.bytes[call->zero[i] + 3] = (char)0x80;
			expect_call(call, &arg, EINVAL, "a high reserved bit");
		}
	}
}

TEST(every_call_answers_a_bad_pointer_with_efault)
{
	char *edge = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	const struct call *call;
	union argument arg;

	ASSERT(edge != MAP_FAILED && !munmap(edge + PAGE, PAGE));
	FOR_EACH_CALL(call)
	{
		char *page = vm_anon(1);

		expect_call(call, NULL, EFAULT, "NULL");
		expect_call(call, (void *)-PAGE, EFAULT, "a kernel address");
		expect_call(call, edge + PAGE, EFAULT, "an unmapped address");
		/* The first member can be read, the others cannot. */
		prepare(&arg, call, page);
		memcpy(edge + PAGE - 4, &arg, 4);
		expect_call(call, edge + PAGE - 4, EFAULT, "its size only");
	}
}

/* Does it say more than whether it has succeeded? */
static bool has_result(const struct call *call)
{
	switch (call->request) {
	case BSDVM_IOC_MUNMAP:
	case BSDVM_IOC_MPROTECT:
	case BSDVM_IOC_MSYNC:
	case BSDVM_IOC_MINHERIT:
	case BSDVM_IOC_MADVISE:
	case BSDVM_IOC_MLOCK:
	case BSDVM_IOC_MUNLOCK:
	case BSDVM_IOC_MLOCKALL:
	case BSDVM_IOC_MUNLOCKALL:
	case BSDVM_IOC_MIMMUTABLE:
		return false;
	default:
		return true;
	}
}

/*
 * And what the result would have told of, a descriptor, is not left behind. Without a
 * result there is nothing to write.
 */
TEST(a_result_that_cannot_be_written_is_efault)
{
	char *page = mmap(NULL, PAGE, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	const struct call *call;

	ASSERT(page != MAP_FAILED);
	ASSERT(!bsdvm_attach(0));
	FOR_EACH_CALL(call)
	{
		int before, after;

		ASSERT(!mprotect(page, PAGE, PROT_READ | PROT_WRITE));
		prepare((union argument *)page, call, vm_anon(1));
		ASSERT(!mprotect(page, PAGE, PROT_READ));
		before = dup(0);
		close(before);
		expect_call(call, page, has_result(call) ? EFAULT : 0,
			    "a page to read only");
		after = dup(0);
		close(after);
		EXPECT_EQ(after, before);
	}
}

/* Before and behind the members there are none: each byte of them is read. */
TEST(a_structure_may_end_where_memory_ends)
{
	char *edge = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	const struct call *call;
	union argument arg;

	ASSERT(edge != MAP_FAILED && !munmap(edge + PAGE, PAGE));
	FOR_EACH_CALL(call)
	{
		char *last = edge + PAGE - call->size;

		prepare(&arg, call, vm_anon(1));
		memcpy(last, &arg, call->size);
		expect_call(call, last, 0, "the last bytes of a page");
		prepare(&arg, call, vm_anon(1));
		arg.size = call->size + 1;
		memcpy(last, &arg, call->size);
		expect_call(call, last, EFAULT, "a size beyond the page");
	}
}

/* The structures, and the buffer, may lie in the window itself. */
TEST(arguments_may_lie_in_the_window)
{
	const struct call *call;
	union argument *arg;
	char *buf;

	ASSERT(!bsdvm_attach(0));
	arg = (union argument *)vm_anon(1);
	FOR_EACH_CALL(call)
	{
		char *page = vm_anon(1);

		prepare(arg, call, page);
		expect_call(call, arg, 0, "arguments in the window");
	}
	buf = vm_anon(4);
	memset(arg, 0, sizeof(*arg));
	arg->entries.size = sizeof(arg->entries);
	arg->entries.buf = (uintptr_t)buf;
	arg->entries.buf_len = 4 * PAGE;
	EXPECT_ERRNO(ioctl(bsdvm_fd(), BSDVM_IOC_ENTRIES, arg), 0);
	EXPECT_EQ(arg->entries.count, vm_entry_count());
}

TEST(an_unknown_ioctl_is_enotty)
{
	char arg[4096] = { 0 };

	ASSERT(!bsdvm_attach(0));
	EXPECT_ERRNO(ioctl(bsdvm_fd(), _IO(BSDVM_IOC_MAGIC, 0xff), arg),
		     ENOTTY);
	EXPECT_ERRNO(ioctl(bsdvm_fd(), _IO('x', 1), arg), ENOTTY);
	EXPECT_ERRNO(ioctl(bsdvm_fd(), 0, arg), ENOTTY);
	EXPECT_ERRNO(ioctl(bsdvm_fd(), -1UL, arg), ENOTTY);
}

TEST(without_a_window_calls_that_need_one_are_enxio)
{
	const struct call *call;
	union argument arg;

	FOR_EACH_CALL(call)
	{
		prepare(&arg, call, (char *)PAGE);
		expect_call(call, &arg, call->needs_window ? ENXIO : 0,
			    "no window");
	}
}

TEST(info_tells_the_window_once_it_is_there)
{
	struct bsdvm_info info;
	void *start;
	size_t size;

	ASSERT(!bsdvm_info(&info));
	EXPECT_EQ(info.abi_version, BSDVM_ABI_VERSION);
	EXPECT_EQ(info.page_size, sysconf(_SC_PAGESIZE));
	EXPECT_EQ(info.window_start, 0);
	EXPECT_EQ(info.window_size, 0);
	EXPECT(info.pool_bytes >= PAGE);
	ASSERT(!bsdvm_window(&start, &size));
	ASSERT(!bsdvm_info(&info));
	EXPECT_EQ(info.window_start, (uintptr_t)start);
	EXPECT_EQ(info.window_size, size);
	EXPECT_EQ(size, BSDVM_WINDOW_SIZE_DEFAULT);
	EXPECT_EQ(info.pool_bytes / PAGE, vm_stats().v_page_count);
}

/* --- entries */

static int list(struct bsdvm_entries *arg, __u64 start, size_t len)
{
	memset(arg, 0, sizeof(*arg));
	arg->size = sizeof(*arg);
	arg->start = start;
	arg->buf = (uintptr_t)records;
	arg->buf_len = len;
	return ioctl(bsdvm_fd(), BSDVM_IOC_ENTRIES, arg);
}

TEST(entries_come_in_pieces_when_the_buffer_is_small)
{
	struct bsdvm_entries arg;
	size_t seen = 0, one;
	char *map = vm_anon(9);
	__u64 start = 0;
	int i;

	/* Every second page read-only: nine entries. */
	for (i = 1; i < 9; i += 2)
		ASSERT(!bsdvm_mprotect(map + i * PAGE, PAGE, BSDVM_PROT_READ));
	EXPECT_ERRNO(list(&arg, 0, sizeof(struct bsdvm_vmentry) - 1), ENOSPC);
	ASSERT(!list(&arg, 0, sizeof(records)));
	EXPECT_EQ(arg.count, 9);
	EXPECT_EQ(arg.more, 0);
	one = arg.buf_len / 9;
	do {
		ASSERT(!list(&arg, start, 2 * one + one / 2));
		ASSERT(arg.count >= 1 && arg.count <= 2);
		EXPECT_EQ(arg.buf_len, arg.count * one);
		EXPECT_EQ(((struct bsdvm_vmentry *)records)->kve_start,
			  (uintptr_t)map + seen * PAGE);
		seen += arg.count;
		start = arg.start;
	} while (arg.more);
	EXPECT_EQ(seen, 9);
	EXPECT_EQ(start, (uintptr_t)map + 9 * PAGE);
	ASSERT(!list(&arg, start, sizeof(records)));
	EXPECT_EQ(arg.count, 0);
	EXPECT_EQ(arg.more, 0);
}

TEST(entries_into_a_bad_buffer_are_efault)
{
	struct bsdvm_entries arg = {
		.size = sizeof(arg),
		.buf = -PAGE,
		.buf_len = PAGE,
	};

	vm_anon(1);
	EXPECT_ERRNO(ioctl(bsdvm_fd(), BSDVM_IOC_ENTRIES, &arg), EFAULT);
}

/* --- pages of an object */

static int list_pages(struct bsdvm_pages *arg, const char *at, __u64 start,
		      size_t len)
{
	memset(arg, 0, sizeof(*arg));
	arg->size = sizeof(*arg);
	arg->addr = (uintptr_t)at;
	arg->object = vm_entry_at(at).object[0].kvo_id;
	arg->start = start;
	arg->buf = (uintptr_t)records;
	arg->buf_len = len;
	return ioctl(bsdvm_fd(), BSDVM_IOC_PAGES, arg);
}

TEST(pages_come_in_pieces_when_the_buffer_is_small)
{
	const struct bsdvm_pagerun *run = (struct bsdvm_pagerun *)records;
	struct bsdvm_pages arg;
	char *map = vm_anon(20);
	size_t i;

	/* What has no pages yet needs no room for them. */
	map[19 * PAGE] = 'x';
	ASSERT(!list_pages(&arg, map, 20, 0));
	EXPECT_EQ(arg.count, 0);
	EXPECT_EQ(arg.more, 0);
	/* Two, and two apart: runs of 0 to 1, 4 to 5, ... and the last page. */
	for (i = 0; i < 18; i += 4)
		memset(map + i * PAGE, 'x', 2 * PAGE);
	EXPECT_ERRNO(list_pages(&arg, map, 0, sizeof(*run) - 1), ENOSPC);
	for (i = 0; i < 20; i += 8) {
		ASSERT(!list_pages(&arg, map, i ? i - 2 : 0,
				   2 * sizeof(*run) + 1));
		EXPECT_EQ(arg.count, 2);
		EXPECT_EQ(arg.buf_len, 2 * sizeof(*run));
		EXPECT_EQ(arg.more, i < 16);
		EXPECT_EQ(arg.start, i < 16 ? i + 6 : 20);
		EXPECT_EQ(run[0].pr_start, i);
		EXPECT_EQ(run[0].pr_count, 2);
		EXPECT_EQ(run[0].pr_flags, BSDVM_PAGE_RESIDENT);
		EXPECT_EQ(run[1].pr_start, i < 16 ? i + 4 : 19);
	}
	/* In the middle of a run the rest of it. */
	ASSERT(!list_pages(&arg, map, 1, sizeof(*run)));
	EXPECT_EQ(run[0].pr_start, 1);
	EXPECT_EQ(run[0].pr_count, 1);
}

TEST(pages_of_what_is_not_mapped_there_are_enoent)
{
	struct bsdvm_pages arg;
	char *map = vm_anon(4), *other;

	*map = 'x';
	other = bsdvm_mmap(map + 2 * PAGE, PAGE, RW,
			   BSDVM_MAP_ANON | BSDVM_MAP_SHARED | BSDVM_MAP_FIXED,
			   -1, 0);
	ASSERT(other == map + 2 * PAGE);
	ASSERT(!list_pages(&arg, map + 3 * PAGE, 0, sizeof(records)));
	arg.count = 0;
	arg.start = 0;
	arg.addr = (uintptr_t)other;
	EXPECT_ERRNO(ioctl(bsdvm_fd(), BSDVM_IOC_PAGES, &arg), ENOENT);
	arg.addr = (uintptr_t)map + 4 * PAGE;
	EXPECT_ERRNO(ioctl(bsdvm_fd(), BSDVM_IOC_PAGES, &arg), ENOENT);
	arg.addr = 0;
	EXPECT_ERRNO(ioctl(bsdvm_fd(), BSDVM_IOC_PAGES, &arg), ENOENT);
	arg.addr = -1ULL;
	EXPECT_ERRNO(ioctl(bsdvm_fd(), BSDVM_IOC_PAGES, &arg), ENOENT);
	arg.addr = (uintptr_t)map;
	EXPECT_ERRNO(ioctl(bsdvm_fd(), BSDVM_IOC_PAGES, &arg), 0);
	arg.count = 0;
	arg.start = 0;
	arg.object = 0;
	EXPECT_ERRNO(ioctl(bsdvm_fd(), BSDVM_IOC_PAGES, &arg), ENOENT);
}

/* --- the explicit fault */

TEST(fault_checks_its_arguments)
{
	char *map = vm_anon(4);
	void *start;
	size_t size;

	ASSERT(!bsdvm_window(&start, &size));
	EXPECT_ERRNO(bsdvm_fault(map, PAGE, 0, NULL, NULL), EINVAL);
	EXPECT_ERRNO(bsdvm_fault(map, PAGE, 8, NULL, NULL), EINVAL);
	EXPECT_ERRNO(bsdvm_fault((char *)start - PAGE, PAGE, BSDVM_PROT_READ,
				 NULL, NULL),
		     EINVAL);
	EXPECT_ERRNO(bsdvm_fault((char *)start + size - PAGE, 2 * PAGE,
				 BSDVM_PROT_READ, NULL, NULL),
		     EINVAL);
	EXPECT_ERRNO(bsdvm_fault(map, (size_t)-PAGE, BSDVM_PROT_READ, NULL,
				 NULL),
		     EINVAL);
}

TEST(fault_brings_pages_in_and_tells_where_it_stopped)
{
	struct bsdvm_stats before, after;
	char *map = vm_anon(8);
	size_t done;
	int outcome;

	ASSERT(!bsdvm_mprotect(map + 3 * PAGE, PAGE, BSDVM_PROT_READ));
	ASSERT(!bsdvm_munmap(map + 6 * PAGE, PAGE));
	before = vm_stats();
	EXPECT_ERRNO(bsdvm_fault(map + 1, 8 * PAGE - 1, BSDVM_PROT_WRITE, &done,
				 &outcome),
		     0);
	EXPECT_EQ(done, 3 * PAGE);
	EXPECT_EQ(outcome, BSDVM_FAULT_PROTECTION);
	after = vm_stats();
	EXPECT_EQ(after.v_zfod - before.v_zfod, 3);
	EXPECT_ERRNO(bsdvm_fault(map, 8 * PAGE, BSDVM_PROT_READ, &done,
				 &outcome),
		     0);
	EXPECT_EQ(done, 6 * PAGE);
	EXPECT_EQ(outcome, BSDVM_FAULT_INVALID_ADDRESS);
	EXPECT_ERRNO(bsdvm_fault(map, 6 * PAGE, BSDVM_PROT_READ, &done,
				 &outcome),
		     0);
	EXPECT_EQ(done, 6 * PAGE);
	EXPECT_EQ(outcome, BSDVM_FAULT_OK);
	after = vm_stats();
	EXPECT_EQ(after.v_zfod - before.v_zfod, 6);
}

/* --- the window itself */

static void *map_window(size_t size, int prot, int flags, off_t off)
{
	return mmap(NULL, size, prot, flags, bsdvm_fd(), off);
}

TEST(a_window_must_be_shared_and_begin_at_offset_zero)
{
	const int rw = PROT_READ | PROT_WRITE;

	EXPECT_ERRNO(map_window(64 * PAGE, rw, MAP_PRIVATE, 0), EINVAL);
	EXPECT_ERRNO(map_window(64 * PAGE, rw, MAP_SHARED, PAGE), EINVAL);
	EXPECT_ERRNO(map_window(0, rw, MAP_SHARED, 0), EINVAL);
	EXPECT_ERRNO(map_window(64 * PAGE, rw, MAP_SHARED | MAP_NORESERVE, 0),
		     0);
}

TEST(a_second_window_is_ebusy)
{
	const int rw = PROT_READ | PROT_WRITE;
	int fd = open(BSDVM_DEVICE, O_RDWR | O_CLOEXEC);
	char *map = vm_anon(1);

	*map = 'x';
	EXPECT_ERRNO(map_window(64 * PAGE, rw, MAP_SHARED, 0), EBUSY);
	EXPECT_ERRNO(mmap(NULL, PAGE, rw, MAP_SHARED, fd, 0), EBUSY);
	EXPECT_EQ(*map, 'x');
}

TEST(attach_again_succeeds_if_the_size_fits)
{
	size_t size;

	EXPECT_ERRNO(bsdvm_attach(1 << 20), 0);
	EXPECT_ERRNO(bsdvm_attach(1 << 20), 0);
	EXPECT_ERRNO(bsdvm_attach(1), 0);
	EXPECT_ERRNO(bsdvm_attach(0), 0);
	EXPECT_ERRNO(bsdvm_attach((1 << 20) + 1), EBUSY);
	ASSERT(!bsdvm_window(NULL, &size));
	EXPECT_EQ(size, 1 << 20);
}

TEST(a_failed_attach_can_be_repeated)
{
	EXPECT_ERRNO(bsdvm_attach((size_t)1 << 60), ENOMEM);
	EXPECT_ERRNO(bsdvm_attach(1 << 20), 0);
}

TEST(a_window_can_be_made_again_after_munmap)
{
	const int rw = PROT_READ | PROT_WRITE;
	const size_t size = 64 * PAGE;
	struct bsdvm_mmap arg = {
		.size = sizeof(arg),
		.prot = RW,
		.flags = ANON,
		.fd = -1,
		.len = PAGE,
	};
	void *window;
	int i;

	for (i = 0; i < 3; i++) {
		window = map_window(size, rw, MAP_SHARED, 0);
		ASSERT(window != MAP_FAILED);
		arg.addr = 0;
		ASSERT(!ioctl(bsdvm_fd(), BSDVM_IOC_MMAP, &arg));
		EXPECT_EQ(*(char *)(uintptr_t)arg.addr, 0);
		*(char *)(uintptr_t)arg.addr = 'x';
		EXPECT_ERRNO(munmap(window, size), 0);
		EXPECT_ERRNO(ioctl(bsdvm_fd(), BSDVM_IOC_MMAP, &arg), ENXIO);
	}
}

/* Read-write memory, with this protection in FreeBSD's sense, in any window. */
static char *map_in_window(int prot)
{
	struct bsdvm_mmap arg = {
		.size = sizeof(arg),
		.prot = prot,
		.flags = ANON,
		.fd = -1,
		.len = PAGE,
	};

	ASSERT(!ioctl(bsdvm_fd(), BSDVM_IOC_MMAP, &arg));
	return (char *)(uintptr_t)arg.addr;
}

TEST(nothing_is_written_in_a_window_that_is_not_writable)
{
	char *map;

	ASSERT(map_window(64 * PAGE, PROT_READ, MAP_SHARED, 0) != MAP_FAILED);
	map = map_in_window(RW);
	EXPECT_EQ(vm_read(map).sig, 0);
	EXPECT_EQ(vm_write(map, 'x').sig, SIGSEGV);
	EXPECT_EQ(*map, 0);
}

TEST(nothing_runs_in_a_window_that_is_not_executable)
{
	const int rw = PROT_READ | PROT_WRITE;
	char *map;

	ASSERT(map_window(64 * PAGE, rw, MAP_SHARED, 0) != MAP_FAILED);
	map = map_in_window(RWX);
	*map = (char)0xc3; /* ret */
	EXPECT_EQ(vm_execute(map).sig, SIGSEGV);
}

/* x86 cannot forbid reading what may be written: the kernel reads it as well. */
TEST_LIMIT(a_window_that_is_only_writable_can_be_read, 20)
{
	char *map, byte = 'x';
	int pipes[2];

	ASSERT(!pipe(pipes));
	ASSERT(map_window(64 * PAGE, PROT_WRITE, MAP_SHARED, 0) != MAP_FAILED);
	map = map_in_window(RW);
	EXPECT_EQ(write(pipes[1], map, 1), 1);
	EXPECT_EQ(read(pipes[0], &byte, 1), 1);
	EXPECT_EQ(byte, 0);
	map = map_in_window(RW);
	EXPECT_NO_FAULT(vm_read(map));
	EXPECT_NO_FAULT(vm_write(map, 'x'));
	EXPECT_EQ(write(pipes[1], map, 1), 1);
	EXPECT_EQ(read(pipes[0], &byte, 1), 1);
	EXPECT_EQ(byte, 'x');
}

TEST_LIMIT(an_untouched_page_does_not_run_in_a_window_that_is_not_executable,
	   20)
{
	const int rw = PROT_READ | PROT_WRITE;
	char *map;

	ASSERT(map_window(64 * PAGE, rw, MAP_SHARED, 0) != MAP_FAILED);
	map = map_in_window(RWX);
	EXPECT_FAULT(vm_execute(map), SIGSEGV, SEGV_ACCERR, map);
	map = map_in_window(BSDVM_PROT_EXEC);
	EXPECT_FAULT(vm_execute(map), SIGSEGV, SEGV_ACCERR, map);
}

/* Whatever a window allows, each access ends, by itself or by a signal. */
TEST_LIMIT(no_access_spins_whatever_the_window_allows, 40)
{
	const size_t size = 64 * PAGE;
	int pipes[2], prot;
	char byte;

	ASSERT(!pipe(pipes));
	for (prot = 0; prot < 8; prot++) {
		char *window = map_window(size, prot, MAP_SHARED, 0);
		char *map;

		ASSERT(window != MAP_FAILED);
		map = map_in_window(RWX);
		bsdvm_fault(map, PAGE, BSDVM_PROT_WRITE, NULL, NULL);
		EXPECT_EQ(vm_write(map, (char)0xc3).sig,
			  prot & PROT_WRITE ? 0 : SIGSEGV);
		EXPECT_EQ(vm_read(map).sig, prot ? 0 : SIGSEGV);
		if (!(prot & PROT_EXEC))
			EXPECT_EQ(vm_execute(map).sig, SIGSEGV);
		map = map_in_window(RWX);
		EXPECT_ERRNO(write(pipes[1], map, 1), prot ? 0 : EFAULT);
		if (prot)
			EXPECT_EQ(read(pipes[0], &byte, 1), 1);
		map = map_in_window(RWX);
		ASSERT(write(pipes[1], "", 1) == 1);
		EXPECT_ERRNO(read(pipes[0], map, 1),
			     prot & PROT_WRITE ? 0 : EFAULT);
		if (!(prot & PROT_WRITE))
			EXPECT_EQ(read(pipes[0], &byte, 1), 1);
		ASSERT(!munmap(window, size));
	}
}

TEST(linux_calls_cannot_cut_or_change_the_window)
{
	char *map = vm_anon(2), *start;
	size_t size;

	*map = 'x';
	ASSERT(!bsdvm_window((void **)&start, &size));
	EXPECT_ERRNO(munmap(map, PAGE), EINVAL);
	EXPECT_ERRNO(munmap(start, size - PAGE), EINVAL);
	EXPECT_ERRNO(munmap(start + PAGE, size - PAGE), EINVAL);
	EXPECT_ERRNO(mprotect(map, PAGE, PROT_READ), EACCES);
	EXPECT_ERRNO(mprotect(start, size, PROT_READ), EACCES);
	EXPECT_ERRNO(mremap(map, PAGE, 2 * PAGE, MREMAP_MAYMOVE), EFAULT);
	EXPECT_ERRNO(mremap(start, size, size, MREMAP_MAYMOVE | MREMAP_FIXED,
			    start - 2 * size),
		     EINVAL);
	EXPECT_ERRNO(madvise(map, PAGE, MADV_DONTNEED), EINVAL);
	/* EINVAL since 6.2, ENOMEM before. */
	EXPECT(mmap(map, PAGE, PROT_READ,
		    MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1,
		    0) == MAP_FAILED);
	EXPECT_EQ(*map, 'x');
	EXPECT_EQ(vm_write(map, 'y').sig, 0);
	EXPECT_EQ(*map, 'y');
}

/* MADV_KEEPONFORK would have Linux copy page tables to the child. */
TEST(keeponfork_does_not_share_pages_with_a_child)
{
	char *map = vm_anon(4), *start;
	size_t size;
	pid_t child;
	int status;

	ASSERT(!bsdvm_window((void **)&start, &size));
	memset(map, 'p', 4 * PAGE);
	ASSERT(!madvise(start, size, MADV_KEEPONFORK));
	child = harness_fork();
	if (!child) {
		EXPECT(vm_all(map, 4 * PAGE, 'p'));
		memset(map, 'c', 2 * PAGE);
		EXPECT(vm_all(map, 2 * PAGE, 'c'));
		harness_exit();
	}
	status = harness_wait(child);
	EXPECT_EQ(status, 0);
	EXPECT(vm_all(map, 4 * PAGE, 'p'));
}

TEST(dontfork_leaves_the_child_without_a_window)
{
	char *map = vm_anon(1), *start;
	size_t size;
	pid_t child;

	*map = 'p';
	ASSERT(!bsdvm_window((void **)&start, &size));
	ASSERT(!madvise(start, size, MADV_DONTFORK));
	child = harness_fork();
	if (!child) {
		EXPECT_EQ(vm_read(map).sig, SIGSEGV);
		EXPECT_ERRNO(bsdvm_munmap(map, PAGE), ENXIO);
		harness_exit();
	}
	harness_join(child);
	EXPECT_EQ(*map, 'p');
}
