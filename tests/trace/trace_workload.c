// SPDX-License-Identifier: BSD-2-Clause
/*
 * What the trace scripts are watched with.
 *
 *	trace_workload hold READY DONE	make a file READY, then wait for a file DONE:
 *					for bpftrace -c, which attaches before
 *	trace_workload known DIRECTORY [SECONDS]
 *					do things whose faults and objects are known,
 *					print how many there are of each, and stay
 *	trace_workload pressure		write to twice the memory there is, twice
 *	trace_workload storm		fault for some seconds: zeroes, and copies after fork
 *
 * Exits 0 when everything went as it should.
 */
#include <err.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <bsdvm.h>

#define PAGE ((size_t)4096)
#define RW   (BSDVM_PROT_READ | BSDVM_PROT_WRITE)
/* Areas are so far apart that none grows over another. */
#define AREA ((size_t)1 << 20)

/* Pages of the areas, and how often things are done. */
#define WRITTEN	    64
#define READ	    32
#define COPIED	    16
#define GENERATIONS 4
#define CHAIN	    16
#define ROUNDS	    5
#define SMALL	    4
#define FILE_PAGES  32
#define AREAS	    7

static char *base;
static sigjmp_buf refused;

static char *area(unsigned int number, size_t pages, int prot, int flags,
		  int fd)
{
	char *map = bsdvm_mmap(base + number * AREA, pages * PAGE, prot,
			       flags | BSDVM_MAP_FIXED, fd, 0);

	if (map == BSDVM_MAP_FAILED)
		err(1, "bsdvm_mmap");
	return map;
}

static char *anon(unsigned int number, size_t pages)
{
	return area(number, pages, RW, BSDVM_MAP_ANON | BSDVM_MAP_PRIVATE, -1);
}

/* From the last to the first, so that no store finds that its page has come ahead. */
static void touch(char *map, size_t first, size_t pages)
{
	size_t i;

	for (i = first + pages; i-- > first;)
		((volatile char *)map)[i * PAGE] = 'x';
}

static void look(const char *map, size_t first, size_t pages)
{
	size_t i;

	for (i = first; i < first + pages; i++)
		(void)((volatile const char *)map)[i * PAGE];
}

static pid_t start_child(void)
{
	const pid_t pid = fork();

	if (pid < 0)
		err(1, "fork");
	return pid;
}

static void join(pid_t pid)
{
	int status;

	if (waitpid(pid, &status, 0) != pid || status)
		errx(1, "a child ended with status %#x", status);
}

/* 64 zeroed pages by writing, 32 by reading. */
static char *zero_fill(void)
{
	char *map = anon(1, WRITTEN);

	touch(map, 0, WRITTEN);
	look(anon(2, READ), 0, READ);
	return map;
}

/* 16 copies in a child, and a cluster of pages that is mapped with one fault. */
static void copy(char *map)
{
	const pid_t pid = start_child();

	if (!pid) {
		touch(map, 0, COPIED);
		look(map, 32, 8);
		_exit(0);
	}
	join(pid);
	/* All are the parent's alone again, and read-only since the fork. */
	touch(map, 0, WRITTEN);
}

/* Wiring what is mapped faults without need. */
static void wire(char *map)
{
	if (bsdvm_mlock(map, WRITTEN * PAGE) ||
	    bsdvm_munlock(map, WRITTEN * PAGE))
		err(1, "bsdvm_mlock");
}

/*
 * Each generation copies one page, from under one more shadow. The last has to go so deep
 * that it copies what the others have, and skips them.
 */
static void generations(char *map, size_t generation)
{
	const pid_t pid = start_child();

	if (!pid) {
		touch(map, generation, 1);
		if (generation < GENERATIONS)
			generations(map, generation + 1);
		_exit(0);
	}
	join(pid);
}

/* Run a child that writes @theirs pages first and lives until we have written @ours. */
static void beside(char *map, size_t theirs, size_t first, size_t ours)
{
	int ready[2], go[2];
	char byte;
	pid_t pid;

	if (pipe(ready) || pipe(go))
		err(1, "pipe");
	pid = start_child();
	if (!pid) {
		touch(map, 0, theirs);
		if (write(ready[1], "x", 1) != 1 || read(go[0], &byte, 1) != 1)
			_exit(1);
		_exit(0);
	}
	if (read(ready[0], &byte, 1) != 1)
		err(1, "read");
	touch(map, first, ours);
	if (write(go[1], "x", 1) != 1)
		err(1, "write");
	join(pid);
	close(ready[0]);
	close(ready[1]);
	close(go[0]);
	close(go[1]);
}

/* Page in one by one, write, and bring it to the disk. */
static void file(const char *dir)
{
	char path[256], page[4096];
	char *map;
	size_t i;
	int fd;

	snprintf(path, sizeof(path), "%s/trace_workload", dir);
	fd = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600);
	if (fd < 0 || unlink(path))
		err(1, "%s", path);
	memset(page, 'f', sizeof(page));
	for (i = 0; i < FILE_PAGES; i++)
		if (write(fd, page, sizeof(page)) != (ssize_t)sizeof(page))
			err(1, "write");
	map = area(6, FILE_PAGES, RW, BSDVM_MAP_SHARED, fd);
	if (bsdvm_madvise(map, FILE_PAGES * PAGE, BSDVM_MADV_RANDOM))
		err(1, "bsdvm_madvise");
	look(map, 0, FILE_PAGES);
	touch(map, 0, FILE_PAGES);
	if (bsdvm_msync(map, FILE_PAGES * PAGE, BSDVM_MS_SYNC))
		err(1, "bsdvm_msync");
}

static void on_signal(int sig)
{
	siglongjmp(refused, sig);
}

/* Where nothing is mapped, and where nothing may be written. */
static void trespass(void)
{
	char *map = area(7, 1, BSDVM_PROT_READ,
			 BSDVM_MAP_ANON | BSDVM_MAP_PRIVATE, -1);

	signal(SIGSEGV, on_signal);
	if (!sigsetjmp(refused, 1))
		look(base + 8 * AREA, 0, 1);
	if (!sigsetjmp(refused, 1))
		touch(map, 0, 1);
	signal(SIGSEGV, SIG_DFL);
}

static void known(const char *dir)
{
	char *map, *small;
	size_t i;

	base = bsdvm_mmap(NULL, (AREAS + 2) * AREA, BSDVM_PROT_NONE,
			  BSDVM_MAP_ANON | BSDVM_MAP_PRIVATE, -1, 0);
	if (base == BSDVM_MAP_FAILED || bsdvm_munmap(base, (AREAS + 2) * AREA))
		err(1, "bsdvm_mmap");
	/* Clusters of faults are aligned. */
	base = (char *)(((uintptr_t)base + AREA - 1) & ~(AREA - 1));

	map = zero_fill();
	copy(map);
	wire(map);
	map = anon(3, CHAIN);
	touch(map, 0, CHAIN);
	generations(map, 1);
	small = anon(4, SMALL);
	touch(small, 0, SMALL);
	for (i = 0; i < ROUNDS; i++)
		beside(small, 1, 1, 1);
	small = anon(5, SMALL);
	touch(small, 0, SMALL);
	beside(small, 0, 0, SMALL);
	file(dir);
	trespass();

	printf("pid %d\n", getpid());
	printf("entry %#lx %#lx\n", (unsigned long)(base + AREA),
	       (unsigned long)(base + AREA + WRITTEN * PAGE));
	printf("zero %d\n", WRITTEN + READ + CHAIN + 2 * SMALL);
	printf("cow %d\n", COPIED + GENERATIONS + 2 * ROUNDS + SMALL);
	printf("around 1\n");
	printf("resident %d\n", WRITTEN + FILE_PAGES);
	printf("spurious %d\n", WRITTEN);
	printf("pagein %d\n", FILE_PAGES);
	printf("unmapped 1\n");
	printf("protected 1\n");
	/* In the area that is written first, by this process. */
	printf("there %d\n", WRITTEN + WRITTEN + WRITTEN);
	printf("depth1 %d\n", COPIED + 1 + 2 * ROUNDS + SMALL);
	printf("deepest %d\n", GENERATIONS);
	printf("shadow %d\n", 1 + GENERATIONS + 2 * ROUNDS + 1);
	/* Each shadow, and those of five areas and a file. */
	printf("create %d\n", 1 + GENERATIONS + 2 * ROUNDS + 1 + 6);
	printf("collapse %d\n", ROUNDS);
	printf("moved %d\n", ROUNDS * (SMALL - 1));
	printf("freed %d\n", ROUNDS);
	printf("bypass %d\n", GENERATIONS - 1 + 1);
	printf("file_pages %d\n", FILE_PAGES);
	printf("call_mmap %d\n", 1 + AREAS);
	printf("call_munmap 1\n");
	printf("call_mlock 1\n");
	printf("call_munlock 1\n");
	printf("call_madvise 1\n");
	printf("call_msync 1\n");
}

static void pressure(void)
{
	struct bsdvm_stats stats;
	size_t pages;
	char *map;

	if (bsdvm_stats(&stats))
		err(1, "bsdvm_stats");
	pages = 2 * stats.v_page_count;
	map = bsdvm_mmap(NULL, pages * PAGE, RW,
			 BSDVM_MAP_ANON | BSDVM_MAP_PRIVATE, -1, 0);
	if (map == BSDVM_MAP_FAILED)
		err(1, "bsdvm_mmap");
	touch(map, 0, pages);
	touch(map, 0, pages);
}

static void storm(void)
{
	const time_t end = time(NULL) + 3;
	char *map;
	pid_t pid;

	while (time(NULL) < end) {
		map = bsdvm_mmap(NULL, AREA, RW,
				 BSDVM_MAP_ANON | BSDVM_MAP_PRIVATE, -1, 0);
		if (map == BSDVM_MAP_FAILED)
			err(1, "bsdvm_mmap");
		touch(map, 0, AREA / PAGE);
		pid = start_child();
		if (!pid) {
			touch(map, 0, AREA / PAGE);
			_exit(0);
		}
		join(pid);
		if (bsdvm_munmap(map, AREA))
			err(1, "bsdvm_munmap");
	}
}

static void hold(const char *ready, const char *done)
{
	const struct timespec nap = { .tv_nsec = 50 * 1000 * 1000 };
	const int fd = open(ready, O_WRONLY | O_CREAT, 0600);

	if (fd < 0)
		err(1, "%s", ready);
	close(fd);
	while (access(done, F_OK))
		nanosleep(&nap, NULL);
}

int main(int argc, char **argv)
{
	if (argc == 4 && !strcmp(argv[1], "hold"))
		hold(argv[2], argv[3]);
	else if ((argc == 3 || argc == 4) && !strcmp(argv[1], "known"))
		known(argv[2]);
	else if (argc == 2 && !strcmp(argv[1], "pressure"))
		pressure();
	else if (argc == 2 && !strcmp(argv[1], "storm"))
		storm();
	else
		errx(2,
		     "usage: trace_workload hold READY DONE | known DIR [SECONDS] | pressure | storm");
	if (argc == 4 && !strcmp(argv[1], "known"))
		sleep(atoi(argv[3]));
	return 0;
}
