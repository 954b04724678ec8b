// SPDX-License-Identifier: BSD-2-Clause
#define _GNU_SOURCE
#include <fcntl.h>
#include <grp.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "scene.h"

#define TUNABLES_MAX 64
#define NOBODY	     65534

char *window, *window_end;
char *anon, *hole, *readonly, *noaccess, *guard, *shared;
char *file_shared, *file_private, *locked, *immutable;
int fd_rw, fd_ro, fd_wo, fd_pipe, fd_socket, fd_dir, fd_device;
int fd_null, fd_zero, fd_shm, fd_shm_ro, fd_closed = 999;

static struct bsdvm_sysctl tunables[TUNABLES_MAX];
static unsigned int tunable_count;

/* Before the first test. A machine without the module has none. */
__attribute__((constructor)) static void note_tunables(void)
{
	struct bsdvm_sysctl info;
	unsigned int i;

	for (i = 0; i < TUNABLES_MAX && !bsdvm_sysctl_info(NULL, i, &info);
	     i++) {
		if (info.attr & BSDVM_SYSCTL_WRITABLE)
			tunables[tunable_count++] = info;
	}
}

static void restore_tunables(void)
{
	unsigned int i;
	uint64_t now;

	for (i = 0; i < tunable_count; i++) {
		if (!bsdvm_sysctl_get(tunables[i].name, &now) &&
		    now != tunables[i].value)
			bsdvm_sysctl_set(tunables[i].name, tunables[i].value);
	}
}

/* For the programs that run after this one. Tests end by _exit(). */
__attribute__((destructor)) static void leave_as_found(void)
{
	restore_tunables();
}

void scene_begin(void)
{
	restore_tunables();
	bsdvm_shm_unlink("/semantics.a");
	bsdvm_shm_unlink("/semantics.b");
	bsdvm_shm_unlink("/semantics.scene");
}

static int must_open(const char *path, int flags)
{
	const int fd = open(path, flags | O_CLOEXEC);

	ASSERT(fd >= 0);
	return fd;
}

void scene_open(void)
{
	int pair[2];

	fd_rw = vm_file("/tmp", 4 * PAGE);
	fd_ro = vm_reopen(fd_rw, O_RDONLY);
	fd_wo = vm_reopen(fd_rw, O_WRONLY);
	ASSERT(!pipe2(pair, O_CLOEXEC));
	fd_pipe = pair[0];
	fd_socket = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	ASSERT(fd_socket >= 0);
	fd_dir = must_open("/tmp", O_RDONLY | O_DIRECTORY);
	fd_null = must_open("/dev/null", O_RDWR);
	fd_zero = must_open("/dev/zero", O_RDWR);
	fd_device = bsdvm_fd();
}

/* Map at the place that *at tells, and move it behind the mapping. */
static char *place(char **at, size_t pages, int prot, int flags, int fd)
{
	char *map = bsdvm_mmap(*at, pages * PAGE, prot,
			       flags | BSDVM_MAP_FIXED | BSDVM_MAP_EXCL, fd, 0);

	ASSERT(map == *at);
	*at += pages * PAGE;
	return map;
}

static void make_shm(void)
{
	fd_shm = bsdvm_shm_open("/semantics.scene", O_RDWR | O_CREAT, 0600);
	ASSERT(fd_shm >= 0);
	ASSERT(!ftruncate(fd_shm, 4 * PAGE));
	fd_shm_ro = bsdvm_shm_open("/semantics.scene", O_RDONLY, 0);
	ASSERT(fd_shm_ro >= 0);
	ASSERT(!bsdvm_shm_unlink("/semantics.scene"));
}

void scene_make(unsigned int pieces)
{
	void *start;
	size_t size;
	char *at;

	ASSERT(!bsdvm_window(&start, &size));
	window = start;
	window_end = window + size;
	/* Far from the heap and from where hints lead. */
	at = window + size / 2;
	anon = place(&at, 4, RW, ANON, -1);
	memset(anon, 'a', 4 * PAGE);
	hole = at;
	at += 4 * PAGE;
	readonly = place(&at, 2, R | BSDVM_PROT_MAX(R), ANON, -1);
	noaccess = place(&at, 2, BSDVM_PROT_NONE, ANON, -1);
	guard = place(&at, 2, BSDVM_PROT_NONE, BSDVM_MAP_GUARD, -1);
	shared = place(&at, 2, RW, BSDVM_MAP_ANON | BSDVM_MAP_SHARED, -1);
	at += PAGE;
	file_shared = place(&at, 4, RW, BSDVM_MAP_SHARED, fd_rw);
	at += PAGE;
	file_private = place(&at, 4, RW, BSDVM_MAP_PRIVATE, fd_rw);
	at += PAGE;
	if (pieces & SCENE_LOCKED) {
		locked = place(&at, 2, RW, ANON, -1);
		ASSERT(!bsdvm_mlock(locked, 2 * PAGE));
	}
	at += 4 * PAGE;
	if (pieces & SCENE_IMMUTABLE) {
		immutable = place(&at, 2, RW, ANON, -1);
		ASSERT(!bsdvm_mimmutable(immutable, 2 * PAGE));
	}
	if (pieces & SCENE_FD_SHM)
		make_shm();
}

int limit(int resource, rlim_t value)
{
	const struct rlimit both = { value, value };

	return setrlimit(resource, &both);
}

int tunable(const char *name, uint64_t value)
{
	return bsdvm_sysctl_set(name, value);
}

int unprivileged(void)
{
	if (setgroups(0, NULL) || setresgid(NOBODY, NOBODY, NOBODY))
		return -1;
	return setresuid(NOBODY, NOBODY, NOBODY);
}

char *must_map(void *addr, size_t len, int prot, int flags, int fd, off_t off)
{
	char *map = bsdvm_mmap(addr, len, prot, flags, fd, off);

	ASSERT(map != BSDVM_MAP_FAILED);
	return map;
}

struct bsdvm_rusage usage(void)
{
	struct bsdvm_rusage usage;

	ASSERT(!bsdvm_rusage(0, &usage));
	return usage;
}

uint64_t fault_count(void)
{
	const struct bsdvm_rusage now = usage();

	return now.ru_minflt + now.ru_majflt;
}

uint32_t entry_flags(const void *addr)
{
	return vm_entry_at(addr).e.kve_flags;
}

bool all_locked(const char *addr, size_t pages)
{
	size_t i;

	for (i = 0; i < pages; i++) {
		if (!(entry_flags(addr + i * PAGE) &
		      BSDVM_KVME_FLAG_USER_WIRED))
			return false;
	}
	return true;
}

bool none_locked(const char *addr, size_t pages)
{
	size_t i;

	for (i = 0; i < pages; i++) {
		if (entry_flags(addr + i * PAGE) & BSDVM_KVME_FLAG_USER_WIRED)
			return false;
	}
	return true;
}
