// SPDX-License-Identifier: BSD-2-Clause
/*
 * What the kernel allocates for itself: loops of bsdvm_bench.ko, and how much memory it
 * has in use. Modules come from the directory TEST_DRIVERS, or are of the initramfs.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <bsdvm.h>

#include "../module/bsdvm_bench.h"
#include "bench.h"

#define CACHES "/sys/kernel/slab"

/* Long enough for what waits until nobody can read it any more. */
#define GRACE_US (300 * 1000)

void load_module(const char *name, const char *args)
{
	const char *dirs[] = { getenv("TEST_DRIVERS"), "/lib/modules" };
	char path[256];
	size_t i;
	int fd = -1;

	for (i = 0; fd < 0 && i < sizeof(dirs) / sizeof(dirs[0]); i++) {
		snprintf(path, sizeof(path), "%s/%s.ko", dirs[i], name);
		fd = open(path, O_RDONLY);
	}
	if (fd < 0)
		return;
	if (syscall(SYS_finit_module, fd, args, 0) && errno != EEXIST)
		err(1, "%s", path);
	close(fd);
}

void kernel_load(void)
{
	load_module("bsdvm_bench", "");
}

/* --- loops */

static int open_bench(void)
{
	int fd;

	kernel_load();
	fd = open(BENCH_PATH, O_RDWR);
	if (fd < 0)
		err(1, "%s", BENCH_PATH);
	return fd;
}

void kernel_loop(const struct row *row, const struct peer *peer,
		 struct run *run)
{
	const struct bench_run arg = {
		.work = row->loop,
		.peer = peer == &peer_native ? BENCH_LINUX : BENCH_BSDVM,
		.size = row->size,
		.batch = row->batch,
		.samples = row->pages / row->batch,
		.buf = (uintptr_t)run->sample,
	};
	int fd = open_bench();
	struct measurement m = measure_begin(peer, run);

	profile_begin();
	if (ioctl(fd, BENCH_RUN, &arg))
		err(1, "BENCH_RUN");
	profile_end();
	measure_end(peer, &m);
	measure_tail(&m);
	run->nsamples = arg.samples;
	close(fd);
}

uint64_t page_bytes(const struct peer *peer)
{
	struct bench_sizes sizes;
	int fd = open_bench();

	if (ioctl(fd, BENCH_SIZES, &sizes))
		err(1, "BENCH_SIZES");
	close(fd);
	/* The pool's pages were Linux's once, which keeps its record of them. */
	return sizes.page + (peer == &peer_bsdvm ? sizes.vm_page : 0);
}

/* --- memory in use */

static void write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY);

	if (fd < 0 || write(fd, text, strlen(text)) < 0)
		err(1, "%s", path);
	close(fd);
}

/* Have bsdvm's zones give back what an earlier run has left. */
static void shrink_zones(void)
{
	int fd = open_bench();

	if (ioctl(fd, BENCH_RECLAIM))
		err(1, "BENCH_RECLAIM");
	close(fd);
}

/* Have Linux's caches give back slabs that have nothing in them. */
static void shrink_caches(void)
{
	char path[512];
	struct dirent *entry;
	DIR *dir = opendir(CACHES);

	if (!dir)
		err(1, CACHES);
	while ((entry = readdir(dir))) {
		/* Those with links to them come by their own name as well. */
		if (entry->d_type != DT_DIR || entry->d_name[0] == '.')
			continue;
		snprintf(path, sizeof(path), CACHES "/%s/shrink",
			 entry->d_name);
		write_file(path, "1");
	}
	closedir(dir);
}

/* /proc/meminfo is some pages behind; this is exact. */
static uint64_t cache_bytes(void)
{
	unsigned long per_slab, slabs;
	uint64_t pages = 0;
	char line[512];
	FILE *file = fopen("/proc/slabinfo", "r");

	if (!file)
		err(1, "/proc/slabinfo");
	while (fgets(line, sizeof(line), file)) {
		if (sscanf(line,
			   "%*s %*u %*u %*u %*u %lu : tunables %*u %*u %*u : slabdata %*u %lu",
			   &per_slab, &slabs) == 2)
			pages += per_slab * slabs;
	}
	fclose(file);
	if (!pages)
		errx(1, "/proc/slabinfo says nothing");
	return pages * PAGE;
}

static uint64_t page_table_bytes(void)
{
	unsigned long kib = 0;
	char line[512];
	FILE *file = fopen("/proc/self/status", "r");

	if (!file)
		err(1, "/proc/self/status");
	while (fgets(line, sizeof(line), file)) {
		if (sscanf(line, "VmPTE: %lu kB", &kib) == 1)
			break;
	}
	fclose(file);
	if (!kib)
		errx(1, "no VmPTE in /proc/self/status");
	return kib * 1024;
}

static uint64_t zone_bytes(void)
{
	struct bsdvm_stats stats;

	if (bsdvm_stats(&stats))
		err(1, "bsdvm_stats");
	return stats.v_kmem_count * PAGE;
}

uint64_t kernel_bytes(const struct peer *peer)
{
	usleep(GRACE_US);
	shrink_zones();
	shrink_caches();
	return cache_bytes() + page_table_bytes() +
	       (peer == &peer_bsdvm ? zone_bytes() : 0);
}
