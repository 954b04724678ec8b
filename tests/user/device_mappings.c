// SPDX-License-Identifier: BSD-2-Clause
/*
 * Memory of devices: that of the test device (tests/module), which read(2) and
 * write(2) reach too, and physical ranges by /dev/mem. BSDVM_TESTDEV_KO names the
 * test device's module, which each test finds loaded.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "../module/bsdvm_testdev.h"
#include "vm.h"

#define SHARED	 BSDVM_MAP_SHARED
#define BYTES	 (TESTDEV_PAGES * PAGE)
/* Linux lets root read the ROM of a PC at this offset of /dev/mem. */
#define ROM	 TESTDEV_ROM_ADDRESS
#define ROM_SIZE TESTDEV_ROM_SIZE

static int unload(const char *name)
{
	return syscall(SYS_delete_module, name, O_NONBLOCK);
}

static void load_testdev(void)
{
	const char *path = getenv("BSDVM_TESTDEV_KO");
	int fd;

	ASSERT(path);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	ASSERT(fd >= 0);
	ASSERT(!syscall(SYS_finit_module, fd, "", 0) || errno == EEXIST);
	close(fd);
}

/* For whoever unloads bsdvm after us. */
__attribute__((destructor)) static void unload_testdev(void)
{
	unload("bsdvm_testdev");
}

/* A descriptor of the test device, whose memory is fresh. */
static int testdev_open(int flags)
{
	int fd;

	load_testdev();
	fd = open(TESTDEV_PATH, flags | O_CLOEXEC);
	ASSERT(fd >= 0);
	ASSERT(!ioctl(fd, TESTDEV_OFFER));
	return fd;
}

static void *map_at(int fd, size_t len, int prot, off_t offset)
{
	return bsdvm_mmap(NULL, len, prot, SHARED, fd, offset);
}

/* All of the device's pages. */
static char *map_all(int fd)
{
	char *map = map_at(fd, BYTES, RW, 0);

	ASSERT(map != BSDVM_MAP_FAILED);
	return map;
}

static char device_byte(int fd, off_t offset)
{
	char byte = 0;

	EXPECT_EQ(pread(fd, &byte, 1, offset), 1);
	return byte;
}

TEST(both_sides_see_the_same_memory)
{
	int fd = testdev_open(O_RDWR);
	uint64_t before;
	char *map = vm_anon(1);
	size_t i;

	/* What is the window's own costs pages; the device's memory does not. */
	*map = 1;
	before = vm_free_pages();
	map = map_all(fd);
	EXPECT(vm_all(map, BYTES, TESTDEV_FRESH));
	for (i = 0; i < TESTDEV_PAGES; i++) {
		map[i * PAGE + i] = 'a' + i;
		EXPECT_EQ(device_byte(fd, i * PAGE + i), 'a' + i);
		EXPECT_EQ(pwrite(fd, "Z", 1, i * PAGE + 100), 1);
		EXPECT_EQ(map[i * PAGE + 100], 'Z');
	}
	EXPECT_EQ(vm_free_pages(), before);
	EXPECT_ERRNO(bsdvm_munmap(map, BYTES), 0);
	EXPECT_EQ(device_byte(fd, PAGE + 1), 'b');
}

TEST(it_is_listed_as_a_device)
{
	int fd = testdev_open(O_RDWR);
	char *map = map_all(fd), *again;
	struct vm_entry entry;

	map[0] = 1;
	map[3 * PAGE] = 1;
	again = map_at(fd, PAGE, RW, 5 * PAGE);
	ASSERT(again != BSDVM_MAP_FAILED);
	entry = vm_entry_at(map);
	EXPECT_EQ(entry.e.kve_type, BSDVM_KVME_TYPE_DEVICE);
	EXPECT_EQ(entry.e.kve_resident, 2);
	EXPECT_EQ(entry.e.kve_inheritance, BSDVM_INHERIT_SHARE);
	EXPECT_EQ(entry.e.kve_max_protection & RW, RW);
	EXPECT_EQ(entry.object[0].kvo_type, BSDVM_KVME_TYPE_DEVICE);
	EXPECT_EQ(entry.object[0].kvo_size, TESTDEV_PAGES);
	EXPECT_EQ(entry.object[0].kvo_ref_count, 2);
	/* One object a device. */
	EXPECT_EQ(vm_entry_at(again).object[0].kvo_id, entry.object[0].kvo_id);
	EXPECT_EQ(vm_entry_at(again).e.kve_offset, 5 * PAGE);
}

TEST(offsets_are_the_devices)
{
	int fd = testdev_open(O_RDWR);
	char *map;

	EXPECT_EQ(pwrite(fd, "three", 5, 3 * PAGE + 17), 5);
	map = map_at(fd, PAGE, RW, 3 * PAGE);
	ASSERT(map != BSDVM_MAP_FAILED);
	EXPECT(!memcmp(map + 17, "three", 5));
	/* Not page aligned: the address is off by as much. */
	map = map_at(fd, 100, RW, 3 * PAGE + 17);
	ASSERT(map != BSDVM_MAP_FAILED);
	EXPECT_EQ((uintptr_t)map % PAGE, 17);
	EXPECT(!memcmp(map, "three", 5));
}

/* A call and what it must say. */
struct refusal {
	int open_flags;
	int prot;
	int flags;
	off_t offset;
	size_t len;
	int err;
};

static const struct refusal refusals[] = {
	{ O_RDWR, RW, SHARED, 0, BYTES, 0 },
	{ O_RDONLY, BSDVM_PROT_READ, SHARED, 0, BYTES, 0 },
	/* The descriptor does not allow it. */
	{ O_RDONLY, RW, SHARED, 0, PAGE, EACCES },
	{ O_WRONLY, BSDVM_PROT_READ, SHARED, 0, PAGE, EACCES },
	{ O_WRONLY, BSDVM_PROT_WRITE, SHARED, 0, PAGE, EACCES },
	/* Devices have no private mappings. */
	{ O_RDWR, RW, BSDVM_MAP_PRIVATE, 0, PAGE, EINVAL },
	{ O_RDONLY, BSDVM_PROT_READ, BSDVM_MAP_PRIVATE, 0, PAGE, EINVAL },
	{ O_RDWR, RW, 0, 0, PAGE, EINVAL },
	{ O_RDWR, RW, SHARED | BSDVM_MAP_PRIVATE, 0, PAGE, EINVAL },
	/* The driver does not offer it. */
	{ O_RDWR, RW, SHARED, BYTES, PAGE, EINVAL },
	{ O_RDWR, RW, SHARED, 0, BYTES + 1, EINVAL },
	{ O_RDWR, RW, SHARED, PAGE, BYTES, EINVAL },
	{ O_RDWR, RW, SHARED, TESTDEV_ROM + TESTDEV_ROM_SIZE - PAGE, 2 * PAGE,
	  EINVAL },
	{ O_RDWR, RW, SHARED, TESTDEV_FORBIDDEN, PAGE, EPERM },
	/* Which offsets there are is the driver's business, but for wrapping ones. */
	{ O_RDWR, RW, SHARED, INT64_MAX - (INT64_MAX % (off_t)PAGE), PAGE,
	  EPERM },
	{ O_RDWR, RW, SHARED, -2 * (off_t)PAGE, PAGE, EPERM },
	{ O_RDWR, RW, SHARED, -(off_t)PAGE, PAGE, EINVAL },
	{ O_RDWR, RW, SHARED, -(off_t)PAGE, 2 * PAGE, EINVAL },
};

TEST(what_cannot_be_mapped_says_why)
{
	int fd = testdev_open(O_RDWR), null = open("/dev/null", O_RDWR);
	size_t i;

	for (i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++) {
		const struct refusal *r = &refusals[i];
		int dev = open(TESTDEV_PATH, r->open_flags | O_CLOEXEC);
		void *map;

		ASSERT(dev >= 0);
		errno = 0;
		map = bsdvm_mmap(NULL, r->len, r->prot, r->flags, dev,
				 r->offset);
		if (map != BSDVM_MAP_FAILED)
			errno = 0;
		if (errno != r->err)
			harness_fail(__FILE__, __LINE__, "row %zu: %s, not %s",
				     i, strerrorname_np(errno),
				     strerrorname_np(r->err));
		close(dev);
	}
	/* A device that nobody offers. */
	EXPECT_ERRNO(map_at(null, PAGE, RW, 0), ENODEV);
	close(fd);
}

TEST(read_only_stays_read_only)
{
	int fd = testdev_open(O_RDWR), ro = open(TESTDEV_PATH, O_RDONLY);
	char *map = map_at(ro, PAGE, BSDVM_PROT_READ, 0);

	ASSERT(map != BSDVM_MAP_FAILED);
	EXPECT_EQ(*map, TESTDEV_FRESH);
	EXPECT_FAULT(vm_write(map, 1), SIGSEGV, SEGV_ACCERR, map);
	EXPECT_ERRNO(bsdvm_mprotect(map, PAGE, RW), EACCES);
	map = map_at(fd, PAGE, BSDVM_PROT_READ, 0);
	ASSERT(map != BSDVM_MAP_FAILED);
	EXPECT_EQ(*map, TESTDEV_FRESH);
	EXPECT_ERRNO(bsdvm_mprotect(map, PAGE, RW), 0);
	*map = 'w';
	EXPECT_EQ(device_byte(fd, 0), 'w');
}

TEST(a_mapping_does_not_grow)
{
	int fd = testdev_open(O_RDWR);
	char *map = map_all(fd), *part = map_at(fd, PAGE, RW, 0);

	ASSERT(part != BSDVM_MAP_FAILED);
	/* Not even where another mapping is as long. */
	EXPECT_ERRNO(bsdvm_mremap(part, PAGE, NULL, 2 * PAGE, 0), EINVAL);
	EXPECT_ERRNO(bsdvm_mremap(map, BYTES, NULL, BYTES + PAGE, 0), EINVAL);
	EXPECT_ERRNO(bsdvm_mremap(part, PAGE, NULL, 2 * PAGE,
				  BSDVM_MAP_REMAPDUP),
		     EINVAL);
	part = bsdvm_mremap(map, BYTES, NULL, PAGE, 0);
	EXPECT_EQ((uintptr_t)part, (uintptr_t)map);
	*part = 'm';
	EXPECT_EQ(device_byte(fd, 0), 'm');
}

TEST(a_fork_shares)
{
	int fd = testdev_open(O_RDWR);
	char *map = map_all(fd);
	pid_t child;

	map[0] = 'p';
	child = harness_fork();
	if (!child) {
		EXPECT_EQ(map[0], 'p');
		map[0] = 'c';
		map[7 * PAGE] = 'd';
		harness_exit();
	}
	harness_join(child);
	EXPECT_EQ(map[0], 'c');
	EXPECT_EQ(map[7 * PAGE], 'd');
	EXPECT_EQ(device_byte(fd, 7 * PAGE), 'd');
}

/* Who wants a copy gets one, and who does not write sees the device. */
TEST(a_fork_copies_if_told_to)
{
	int fd = testdev_open(O_RDWR);
	char *map = map_all(fd);
	pid_t child;

	map[0] = 'p';
	EXPECT_ERRNO(bsdvm_minherit(map, BYTES, BSDVM_INHERIT_COPY), 0);
	child = harness_fork();
	if (!child) {
		map[0] = 'c';
		EXPECT_EQ(device_byte(fd, 0), 'p');
		EXPECT_EQ(pwrite(fd, "xy", 2, PAGE), 2);
		EXPECT_EQ(map[PAGE], 'x');
		map[PAGE] = 'c';
		EXPECT_EQ(map[PAGE + 1], 'y');
		EXPECT_EQ(device_byte(fd, PAGE), 'x');
		harness_exit();
	}
	harness_join(child);
	EXPECT_EQ(map[0], 'p');
	EXPECT_EQ(map[PAGE], 'x');
	/* The parent's is a copy, too, from when it writes. */
	map[0] = 'q';
	EXPECT_EQ(device_byte(fd, 0), 'p');
}

TEST(locked_memory_is_copied_by_a_fork)
{
	int fd = testdev_open(O_RDWR);
	char *map = map_all(fd);
	pid_t child;

	EXPECT_ERRNO(bsdvm_mlock(map, BYTES), 0);
	EXPECT_ERRNO(bsdvm_minherit(map, BYTES, BSDVM_INHERIT_COPY), 0);
	map[0] = 'p';
	child = harness_fork();
	if (!child) {
		EXPECT_EQ(map[0], 'p');
		map[0] = 'c';
		harness_exit();
	}
	harness_join(child);
	map[1] = 'q';
	EXPECT_EQ(device_byte(fd, 0), 'p');
	EXPECT_EQ(device_byte(fd, 1), 'q');
}

TEST(calls_on_ranges_leave_it_alone)
{
	int fd = testdev_open(O_RDWR);
	struct bsdvm_stats before = vm_stats(), stats;
	char vec[TESTDEV_PAGES];
	char *map = map_all(fd);
	size_t i;

	EXPECT_ERRNO(bsdvm_mincore(map, BYTES, vec), 0);
	EXPECT(vm_all(vec, TESTDEV_PAGES, 0));
	memset(map, 'x', BYTES);
	EXPECT_ERRNO(bsdvm_mincore(map, BYTES, vec), 0);
	for (i = 0; i < TESTDEV_PAGES; i++)
		EXPECT_EQ(vec[i] & (BSDVM_MINCORE_INCORE |
				    BSDVM_MINCORE_MODIFIED),
			  BSDVM_MINCORE_INCORE | BSDVM_MINCORE_MODIFIED);
	EXPECT_ERRNO(bsdvm_madvise(map, BYTES, BSDVM_MADV_FREE), 0);
	EXPECT_ERRNO(bsdvm_madvise(map, BYTES, BSDVM_MADV_DONTNEED), 0);
	EXPECT_ERRNO(bsdvm_madvise(map, BYTES, BSDVM_MADV_WILLNEED), 0);
	EXPECT_ERRNO(bsdvm_msync(map, BYTES, BSDVM_MS_SYNC), 0);
	EXPECT_ERRNO(bsdvm_msync(map, BYTES, BSDVM_MS_INVALIDATE), 0);
	EXPECT_ERRNO(bsdvm_mlock(map, BYTES), 0);
	stats = vm_stats();
	/* Wired by the user; but none of the pool's pages are. */
	EXPECT_EQ(stats.v_user_wire_count - before.v_user_wire_count,
		  TESTDEV_PAGES);
	EXPECT_EQ(vm_wired_of(stats), vm_wired_of(before));
	EXPECT_EQ(stats.v_active_count, before.v_active_count);
	EXPECT_EQ(stats.v_inactive_count, before.v_inactive_count);
	EXPECT_ERRNO(bsdvm_munlock(map, BYTES), 0);
	EXPECT(vm_all(map, BYTES, 'x'));
	EXPECT_EQ(device_byte(fd, BYTES - 1), 'x');
	EXPECT_ERRNO(bsdvm_munmap(map, BYTES), 0);
	stats = vm_stats();
	EXPECT_EQ(stats.v_user_wire_count, before.v_user_wire_count);
	EXPECT_EQ(stats.v_active_count, before.v_active_count);
}

/* System calls read and write it; but not by way of another process. */
TEST(the_kernel_copies_to_it_and_from_it)
{
	int fd = testdev_open(O_RDWR), file = vm_file("/tmp", 2 * PAGE);
	int mem = open("/proc/self/mem", O_RDWR);
	char *map = map_all(fd), byte;

	ASSERT(mem >= 0);
	EXPECT_EQ(pread(file, map + PAGE - 10, 20, 0), 20);
	EXPECT_EQ(map[PAGE + 5], vm_file_byte(15));
	EXPECT_EQ(device_byte(fd, PAGE + 5), vm_file_byte(15));
	map[2 * PAGE] = '!';
	EXPECT_EQ(pwrite(file, map + 2 * PAGE, 1, 7), 1);
	EXPECT_EQ(vm_file_read(file, 7), '!');
	/* From the device to itself, by its driver. */
	EXPECT_EQ(pread(fd, map + 4 * PAGE, 1, 2 * PAGE), 1);
	EXPECT_EQ(map[4 * PAGE], '!');
	EXPECT_ERRNO(pread(mem, &byte, 1, (off_t)(uintptr_t)map), EIO);
	EXPECT_ERRNO(pwrite(mem, "x", 1, (off_t)(uintptr_t)map), EIO);
	EXPECT_EQ(map[0], TESTDEV_FRESH);
}

static void expect_gone(char *map)
{
	size_t i;

	for (i = 0; i < TESTDEV_PAGES; i++) {
		char *p = map + i * PAGE + i;

		EXPECT_FAULT(vm_read(p), SIGBUS, BUS_OBJERR, p);
		EXPECT_FAULT(vm_write(p, 1), SIGBUS, BUS_OBJERR, p);
	}
}

/* Touched or not, here and in a child. */
TEST(withdrawn_memory_is_out_of_bounds)
{
	int fd = testdev_open(O_RDWR), go[2], done[2];
	char *map = map_all(fd), *other, byte = 0;
	pid_t child;

	ASSERT(!pipe(go) && !pipe(done));
	other = map_at(fd, PAGE, BSDVM_PROT_READ, PAGE);
	ASSERT(other != BSDVM_MAP_FAILED);
	EXPECT_EQ(*other, TESTDEV_FRESH);
	memset(map, 'x', BYTES / 2);
	child = harness_fork();
	if (!child) {
		map[PAGE] = 'c';
		ASSERT(write(done[1], &byte, 1) == 1);
		ASSERT(read(go[0], &byte, 1) == 1);
		expect_gone(map);
		harness_exit();
	}
	ASSERT(read(done[0], &byte, 1) == 1);
	EXPECT_ERRNO(ioctl(fd, TESTDEV_WITHDRAW), 0);
	ASSERT(write(go[1], &byte, 1) == 1);
	expect_gone(map);
	EXPECT_FAULT(vm_read(other), SIGBUS, BUS_OBJERR, other);
	EXPECT_ERRNO(map_at(fd, PAGE, RW, 0), ENXIO);
	EXPECT_ERRNO(map_at(fd, PAGE, RW, BYTES), ENXIO);
	EXPECT_EQ(vm_entry_at(map).e.kve_resident, 0);
	harness_join(child);

	/* New memory is another object; what was mapped stays gone. */
	EXPECT_ERRNO(ioctl(fd, TESTDEV_OFFER), 0);
	expect_gone(map);
	EXPECT(vm_all(map_all(fd), BYTES, TESTDEV_FRESH));
	EXPECT_ERRNO(bsdvm_munmap(map, BYTES), 0);
}

/* What was copied before is the process's own. */
TEST(copies_outlive_the_device)
{
	int fd = testdev_open(O_RDWR);
	char *map = map_all(fd);
	pid_t child;

	memset(map, 'x', BYTES);
	EXPECT_ERRNO(bsdvm_minherit(map, BYTES, BSDVM_INHERIT_COPY), 0);
	child = harness_fork();
	if (!child) {
		map[PAGE] = 'c';
		EXPECT_ERRNO(ioctl(fd, TESTDEV_WITHDRAW), 0);
		EXPECT_EQ(map[PAGE], 'c');
		EXPECT_EQ(map[PAGE + 1], 'x');
		EXPECT_FAULT(vm_read(map), SIGBUS, BUS_OBJERR, map);
		EXPECT_FAULT(vm_write(map, 1), SIGBUS, BUS_OBJERR, map);
		harness_exit();
	}
	harness_join(child);
	EXPECT_FAULT(vm_read(map), SIGBUS, BUS_OBJERR, map);
}

TEST(locked_memory_can_be_withdrawn)
{
	int fd = testdev_open(O_RDWR);
	struct bsdvm_stats before = vm_stats();
	char *map = map_all(fd);

	EXPECT_ERRNO(bsdvm_mlock(map, BYTES), 0);
	map[0] = 'x';
	EXPECT_ERRNO(ioctl(fd, TESTDEV_WITHDRAW), 0);
	expect_gone(map);
	EXPECT_ERRNO(bsdvm_munlock(map, BYTES / 2), 0);
	expect_gone(map);
	EXPECT_ERRNO(bsdvm_mlock(map, PAGE), ENOMEM);
	EXPECT_ERRNO(bsdvm_munmap(map, BYTES), 0);
	EXPECT_EQ(vm_stats().v_user_wire_count, before.v_user_wire_count);
	EXPECT_EQ(vm_wired_of(vm_stats()), vm_wired_of(before));
}

/* What the threads of the next test share. */
static struct {
	char *map;
	volatile bool stop;
	volatile unsigned int seen;
	volatile unsigned int bad;
} race;

/* Whether the byte may be seen: fresh, or no memory at all. */
static void race_look(const int *fds, const char *p)
{
	char byte;

	/* The kernel reads for us, and says EFAULT in place of a signal. */
	if (write(fds[1], p, 1) != 1)
		return;
	if (read(fds[0], &byte, 1) != 1 || byte != TESTDEV_FRESH)
		race.bad++;
	race.seen++;
}

static void *race_reader(void *arg)
{
	size_t i = (uintptr_t)arg;
	int fds[2];

	if (pipe(fds))
		race.bad++;
	while (!race.stop && !race.bad) {
		i = (i + 7) % TESTDEV_PAGES;
		race_look(fds, race.map + i * PAGE);
	}
	return NULL;
}

/* Maps come and go with the device, and the last takes its object along. */
static void *race_mapper(void *arg)
{
	const int fd = *(int *)arg;
	int fds[2];
	char *map;

	if (pipe(fds))
		race.bad++;
	while (!race.stop && !race.bad) {
		map = map_at(fd, PAGE, BSDVM_PROT_READ, PAGE);
		if (map == BSDVM_MAP_FAILED) {
			/* Withdrawn; or forgotten, between two offers. */
			if (errno != ENXIO && errno != ENODEV)
				race.bad++;
			continue;
		}
		race_look(fds, map);
		if (bsdvm_munmap(map, PAGE))
			race.bad++;
	}
	return NULL;
}

TEST_LIMIT(nobody_sees_memory_that_was_freed, 120)
{
	int fd = testdev_open(O_RDWR), i;
	pthread_t threads[3];

	race.map = map_all(fd);
	for (i = 0; i < 2; i++)
		ASSERT(!pthread_create(&threads[i], NULL, race_reader,
				       (void *)(uintptr_t)i));
	ASSERT(!pthread_create(&threads[2], NULL, race_mapper, &fd));
	for (i = 0; i < 300; i++) {
		/* Time for them to look at what is there, and at what is not. */
		usleep(100);
		EXPECT_ERRNO(ioctl(fd, TESTDEV_WITHDRAW), 0);
		usleep(100);
		EXPECT_ERRNO(ioctl(fd, TESTDEV_OFFER), 0);
		/* In place of the old one, which is gone for good. */
		if (i % 4 == 0)
			EXPECT_ERRNO(bsdvm_munmap(race.map, BYTES), 0);
		else
			EXPECT_EQ((uintptr_t)bsdvm_mmap(
					  race.map, BYTES, RW,
					  SHARED | BSDVM_MAP_FIXED, fd, 0),
				  (uintptr_t)race.map);
	}
	race.stop = true;
	for (i = 0; i < 3; i++)
		ASSERT(!pthread_join(threads[i], NULL));
	EXPECT_EQ(race.bad, 0);
	EXPECT(race.seen > 0);
}

/* A driver is not asked again for a page that is there. */
TEST(the_driver_is_asked_once_a_page)
{
	int fd = testdev_open(O_RDWR), before, i;
	char *map = map_all(fd);

	before = ioctl(fd, TESTDEV_FAULTS);
	for (i = 0; i < 3; i++)
		map[i % 2 * PAGE] = i;
	EXPECT_EQ(ioctl(fd, TESTDEV_FAULTS) - before, 2);
}

TEST(an_offering_driver_is_unloaded_first)
{
	int fd = testdev_open(O_RDWR);
	char *map = map_all(fd);

	map[0] = 'x';
	/* It uses bsdvm. */
	EXPECT_ERRNO(unload("bsdvm"), EWOULDBLOCK);
	/* Its device is open. */
	EXPECT_ERRNO(unload("bsdvm_testdev"), EWOULDBLOCK);
	close(fd);
	/* A mapping does not keep it. */
	EXPECT_ERRNO(unload("bsdvm_testdev"), 0);
	expect_gone(map);
	load_testdev();
	expect_gone(map);
}

/* --- what is no memory of the machine */

TEST(a_rom_is_mapped_uncached)
{
	int fd = testdev_open(O_RDWR), n = 0;
	struct bsdvm_kvmobject *objects, *o;
	char *map = map_at(fd, ROM_SIZE, RW, TESTDEV_ROM);
	uint64_t id;
	size_t count;

	ASSERT(map != BSDVM_MAP_FAILED);
	/* Where the CPU starts: a jump, and the date of the BIOS. */
	EXPECT_EQ((unsigned char)map[ROM_SIZE - 16], 0xea);
	EXPECT_EQ(map[ROM_SIZE - 16 + 7], '/');
	id = vm_entry_at(map).object[0].kvo_id;
	objects = bsdvm_getvmobject(&count);
	ASSERT(objects);
	for (o = objects; count; count--, o = bsdvm_kvmobject_next(o)) {
		if (o->kvo_id != id)
			continue;
		EXPECT_EQ(o->kvo_type, BSDVM_KVME_TYPE_DEVICE);
		EXPECT_EQ(o->kvo_memattr, 0);
		n++;
	}
	EXPECT_EQ(n, 1);
	bsdvm_freevmobject(objects);
}

/* The kernel has no address for it: a copy is seen, and not written. */
static void expect_no_copy(bool lock)
{
	int fd = testdev_open(O_RDWR);
	unsigned char *map = map_at(fd, ROM_SIZE, RW, TESTDEV_ROM);
	unsigned char *jump = map + ROM_SIZE - 16;
	pid_t child;

	ASSERT((void *)map != BSDVM_MAP_FAILED);
	EXPECT_ERRNO(bsdvm_minherit(map, ROM_SIZE, BSDVM_INHERIT_COPY), 0);
	if (lock)
		EXPECT_ERRNO(bsdvm_mlock(map, ROM_SIZE), 0);
	child = harness_fork();
	if (!child) {
		EXPECT_EQ(*jump, 0xea);
		EXPECT_FAULT(vm_write(jump, 0), SIGSEGV, SEGV_ACCERR, jump);
		EXPECT_EQ(*jump, 0xea);
		harness_exit();
	}
	harness_join(child);
	EXPECT_EQ(*jump, 0xea);
}

TEST(what_is_no_memory_is_not_copied)
{
	expect_no_copy(false);
	expect_no_copy(true);
}

/* --- /dev/mem */

/* A descriptor of it, which the debug kernel has not; -1. */
static int devmem_open(void)
{
	int fd = open("/dev/mem", O_RDWR | O_CLOEXEC);

	if (fd < 0) {
		EXPECT(!strcmp(getenv("BSDVM_KERNEL"), "debug"));
		EXPECT(errno == ENOENT || errno == ENXIO);
	}
	return fd;
}

TEST(devmem_shows_the_rom)
{
	int fd = devmem_open();
	char *map, *copy;

	if (fd < 0)
		return;
	map = map_at(fd, ROM_SIZE, BSDVM_PROT_READ, ROM);
	ASSERT(map != BSDVM_MAP_FAILED);
	copy = malloc(ROM_SIZE);
	ASSERT(copy && pread(fd, copy, ROM_SIZE, ROM) == ROM_SIZE);
	EXPECT(!memcmp(map, copy, ROM_SIZE));
	EXPECT(!vm_all(map, ROM_SIZE, *map));
	EXPECT_EQ(vm_entry_at(map).e.kve_type, BSDVM_KVME_TYPE_DEVICE);
	EXPECT_EQ(vm_entry_at(map).e.kve_offset, ROM);
}

/* The first range of this name in /proc/iomem. */
static off_t iomem_find(const char *name)
{
	FILE *file = fopen("/proc/iomem", "r");
	unsigned long start, found = 0;
	char line[256];

	ASSERT(file);
	while (!found && fgets(line, sizeof(line), file))
		if (strstr(line, name) && sscanf(line, "%lx-", &start) == 1 &&
		    start >= 0x100000)
			found = start;
	fclose(file);
	ASSERT(found);
	return found;
}

TEST(devmem_shows_no_memory_of_the_machine)
{
	int fd = devmem_open();

	if (fd < 0)
		return;
	EXPECT_ERRNO(map_at(fd, PAGE, BSDVM_PROT_READ,
			    iomem_find("System RAM")),
		     EINVAL);
	EXPECT_ERRNO(map_at(fd, PAGE, BSDVM_PROT_READ,
			    iomem_find("Kernel code")),
		     EINVAL);
	EXPECT_ERRNO(map_at(fd, PAGE, BSDVM_PROT_READ, PAGE), EINVAL);
	/* Up to where memory begins, and not a page more. */
	EXPECT_ERRNO(map_at(fd, ROM_SIZE + PAGE, BSDVM_PROT_READ, ROM), EINVAL);
	/* A driver has it. */
	EXPECT_ERRNO(map_at(fd, PAGE, BSDVM_PROT_READ, iomem_find("IOAPIC 0")),
		     EINVAL);
	/* No address of this CPU. */
	EXPECT_ERRNO(map_at(fd, PAGE, BSDVM_PROT_READ, 1LL << 52), EINVAL);
	EXPECT_ERRNO(map_at(fd, PAGE, BSDVM_PROT_READ, -2 * (off_t)PAGE),
		     EINVAL);
	EXPECT_ERRNO(map_at(fd, PAGE, BSDVM_PROT_READ, -(off_t)PAGE), EINVAL);
	EXPECT_ERRNO(bsdvm_mmap(NULL, PAGE, BSDVM_PROT_READ, BSDVM_MAP_PRIVATE,
				fd, ROM),
		     EINVAL);
}

/* Whoever opened it: who maps it must have the right, too. */
TEST(devmem_is_for_root)
{
	int fd = devmem_open();
	char *map;

	if (fd < 0)
		return;
	map = map_at(fd, PAGE, BSDVM_PROT_READ, ROM);
	ASSERT(map != BSDVM_MAP_FAILED);
	ASSERT(!setresuid(65534, 65534, 65534));
	EXPECT_ERRNO(map_at(fd, PAGE, BSDVM_PROT_READ, ROM), EPERM);
	/* What is mapped stays, touched or not; it does not become more. */
	EXPECT_NO_FAULT(vm_read(map));
	EXPECT_ERRNO(bsdvm_mremap(map, PAGE, NULL, 2 * PAGE, 0), EINVAL);
}
