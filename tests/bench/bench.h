/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * bsdvm-bench: the same work on native Linux and on bsdvm, in one boot.
 *
 * A row is a workload, a peer is who serves its memory. Each run of a row on a
 * peer has a process of its own, which fills in a struct run in memory that it
 * shares with the main process.
 */
#ifndef _BENCH_H
#define _BENCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PAGE	    ((size_t)4096)
#define SAMPLES_MAX 16384

/**
 * struct peer - who serves the memory
 * @name: as reports have it
 * @map: private anonymous read-write memory; failure ends the process
 * @unmap: the way back
 * @map_file: a file, shared and read-write; failure ends the process
 * @sync: have what was written there on its disk; failure ends the process
 * @memory_fd: a file that is nowhere but in memory, empty; negative with errno
 * @read_only: memory is to be read only; failure ends the process
 * @read_write: and writable again; failure ends the process
 * @advise_sequential: it will be used in order; failure ends the process
 */
struct peer {
	const char *name;
	char *(*map)(size_t len);
	void (*unmap)(char *addr, size_t len);
	char *(*map_file)(int fd, size_t len);
	void (*sync)(char *addr, size_t len);
	int (*memory_fd)(void);
	void (*read_only)(char *addr, size_t len);
	void (*read_write)(char *addr, size_t len);
	void (*advise_sequential)(char *addr, size_t len);
};

extern const struct peer peer_native;
extern const struct peer peer_bsdvm;

/**
 * struct counts - what happened, beside how much it cost
 * @minflt: minor faults as Linux counts them for the process
 * @faults: faults that bsdvm served
 * @zero_fills: pages that bsdvm zeroed
 * @copies: pages that bsdvm copied on write
 * @takeovers: pages that bsdvm took over in place of a copy
 * @prefaults: neighbours that bsdvm mapped with a fault
 * @shootdowns: TLB shootdowns that bsdvm began
 * @pages_out: pages that bsdvm paged out to swap
 * @writes: requests that took
 * @pages_in: pages that it paged in
 * @reads: requests that took
 * @objects: of row 12, those there are in the end beyond those there were
 */
struct counts {
	uint64_t minflt;
	uint64_t faults;
	uint64_t zero_fills;
	uint64_t copies;
	uint64_t takeovers;
	uint64_t prefaults;
	uint64_t shootdowns;
	uint64_t pages_out;
	uint64_t writes;
	uint64_t pages_in;
	uint64_t reads;
	uint64_t objects;
};

/**
 * struct run - what one run of a row on a peer found, in instructions
 * @total: the measured part, from its first instruction to its last
 * @tail: what the kernel did for it afterwards on its own account (daemons,
 *	deferred frees), beyond what it does anyway
 * @base: what the same call costs without the memory (rows 6, 11 and 20), the same work
 *	with memory enough (row 14), or reading the pages before they are written (row 12)
 * @ops: operations that were done, where that is not for the row to say
 * @bytes: memory that the kernel took for it, beyond the pages themselves
 * @counts: events of the measured part
 * @nsamples: samples taken
 * @sample: each operation by itself
 */
struct run {
	uint64_t total;
	int64_t tail;
	uint64_t base;
	uint64_t ops;
	uint64_t bytes;
	struct counts counts;
	size_t nsamples;
	uint64_t sample[SAMPLES_MAX];
};

/* Which figure of the runs the row's ratio is made of. */
enum metric {
	METRIC_P50, /* median of all samples / operations of a sample */
	METRIC_MEAN, /* (total + tail) / operations, median of the runs */
	METRIC_TOTAL, /* first sample - base, median of the runs */
	METRIC_WHOLE, /* total + tail, median of the runs */
	METRIC_NET, /* (total + tail - base) / ops, median of the runs */
	METRIC_BYTES, /* bytes / ops, median of the runs */
};

/**
 * struct row - a workload
 * @number: as PERFORMANCE numbers it
 * @part: which part of it, where it has several; or NULL
 * @name: in a few words
 * @unit: what one operation is
 * @metric: which figure counts
 * @pages: size of the memory, pages; where the kernel allocates for itself, operations
 * @n: what a row's parts differ in, where it is a number; the x of its plot
 * @loop: where the kernel allocates for itself, which of its loops, enum bench_work
 * @size: bytes of each of the allocations
 * @batch: operations of a sample, 0 for one
 * @waits: whether the process may have to wait, which is not counted
 * @runs: processes for each peer
 * @target: ratio bsdvm / native to reach, 0 for none
 * @stretch: ratio to dream of
 * @work: runs it; does not return an error, failure ends the process
 */
struct row {
	unsigned int number;
	const char *part;
	const char *name;
	const char *unit;
	enum metric metric;
	size_t pages;
	size_t n;
	unsigned int loop;
	size_t size;
	unsigned int batch;
	bool waits;
	unsigned int runs;
	double target;
	double stretch;
	void (*work)(const struct row *row, const struct peer *peer,
		     struct run *run);
};

extern const struct row rows[];
extern const size_t nrows;

/* The clock. Where the guest counts instructions, a tick is one of them. */
static inline uint64_t ticks(void)
{
	return __builtin_ia32_rdtsc();
}

/**
 * struct measurement - a measured part under way
 * @run: what is to be filled in
 * @peer: whose counts
 * @start: when it began
 * @noise: what the kernel takes of an idle stretch of this process
 * @timer: when its timer came last in that
 * @before: counts at the beginning
 */
struct measurement {
	struct run *run;
	const struct peer *peer;
	uint64_t start;
	uint64_t noise;
	uint64_t timer;
	struct counts before;
};

/* Begin and end the measured part. */
struct measurement measure_begin(const struct peer *peer, struct run *run);
void measure_end(const struct peer *peer, struct measurement *m);

/* In a measured part: the clock, less what the CPU idled, where the row waits. */
uint64_t busy_ticks(void);

/* Measure the tail of it: time passes, in which nothing else may be done. */
void measure_tail(struct measurement *m);

/* Native Linux gets a RAM disk to page to; failure ends the program. */
void swap_begin(void);
void swap_end(void);

/*
 * A file of that size, all of it on the RAM disk, in a file system that is made for it;
 * failure ends the program.
 */
/* After that long nobody has anything left to do for what has been let go of. */
#define SETTLE_SECONDS 3

/* Load what of the kernel these need, as disk_file() and swap_begin() do when they are first called. */
void disk_load(void);
int disk_file(size_t pages);
void disk_end(int fd);

/* Load a module, unless it is part of the kernel or somebody has; failure ends the program. */
void load_module(const char *name, const char *args);

/* Load the module whose loops the following run, if it is there. */
void kernel_load(void);

/* Let the kernel run a row's loop, for its samples; failure ends the process. */
void kernel_loop(const struct row *row, const struct peer *peer,
		 struct run *run);

/*
 * Bytes that the kernel has in use for its own records, and for page tables of this
 * process. What caches keep free is given back first.
 */
uint64_t kernel_bytes(const struct peer *peer);

/* What stands beside a page, mapped or not, that a peer uses, bytes. */
uint64_t page_bytes(const struct peer *peer);

/* Run a row on a peer in a fresh process; failure ends the program. */
void measure_row(const struct row *row, const struct peer *peer,
		 struct run *run);

/*
 * Where a profile begins and ends. The profiler knows them by address; they do
 * nothing.
 */
void profile_begin(void);
void profile_end(void);

#endif /* _BENCH_H */
