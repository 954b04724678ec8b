// SPDX-License-Identifier: BSD-2-Clause
/*
 * Row 21: which locks threads of a process take that do not touch each other's memory.
 *
 * Usage: bsdvm-locks
 *
 * Four threads, each on a CPU of its own and in a region of its own, fault, map and
 * unmap, on each of the peers. The kernel, which must be one with lockdep and four
 * CPUs, traces every lock and every interrupt sent to another CPU, and of that is
 * counted, outside of interrupts:
 *
 *  - acquisitions, exclusive ones, of locks that more than one of the threads took.
 *    It is the lock itself that counts, not its name: two objects' locks are two.
 *  - interrupts sent, one for each time, however many CPUs it went to.
 *
 * Each is done three times, in a process of its own, and the one with the fewest is
 * kept: a lock that the scheduler took on its own account is not always there. Writes
 * JSON to stdout.
 */
#define _GNU_SOURCE
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench.h"

#define TRACING	   "/sys/kernel/tracing/"
#define THREADS	   4
#define RUNS	   3
#define REGION	   (2 * 1024 * 1024)
#define FAULTS	   256
#define AREAS	   64
#define AREA_PAGES 4
#define LOCKS_MAX  4096
#define NAMES_MAX  64
#define BUFFER_KIB "8192"

enum phase {
	PHASE_FAULT,
	PHASE_MAP,
	PHASE_TOUCH,
	PHASE_UNMAP,
	PHASES
};

static const char *const phase_names[PHASES] = { "fault", "map", NULL,
						 "unmap" };
static const unsigned int phase_ops[PHASES] = { FAULTS, AREAS, 0, AREAS };

/*
 * What lockdep knows as a lock and is none; locks of the scheduler and of RCU, which are
 * those of a thread that sleeps; and those of tracing.
 */
static const char *const no_locks[] = {
	"fs_reclaim",
	"mmu_notifier_invalidate_range_start",
	"sched_map-wait-type-override",
	"&rq->__lock",
	"&p->pi_lock",
	"&sem->wait_lock",
	"rcu_node_0",
	"pool_lock",
	"&pid_list->lock",
};

/* --- what was found */

struct name {
	char name[64];
	unsigned int count;
};

struct tally {
	unsigned int exclusive;
	unsigned int sent;
	unsigned int nnames;
	struct name names[NAMES_MAX];
};

struct lock {
	unsigned long long address;
	char name[64];
	unsigned int threads; /* a bit for each */
	unsigned int exclusive;
};

/* Shared by the process that measures and the one that reports. */
static struct results {
	struct tally tally[PHASES];
} * results;

/* --- the threads */

static const struct peer *peer;
static char *region[THREADS];
static char *areas[THREADS][AREAS];
static pid_t tids[THREADS];
/*
 * How far the phases are: get up, do it, lie down again. Who is up spins, because who
 * sleeps takes locks; who lies down leaves the CPU to the one that reads the trace.
 */
static atomic_int up = -1, now = -1, down = -1;
static atomic_int busy;

static void do_phase(unsigned int thread, enum phase phase)
{
	size_t i, page;

	switch (phase) {
	case PHASE_FAULT:
		for (i = 0; i < FAULTS; i++)
			*(volatile char *)(region[thread] + i * PAGE) = 1;
		break;
	case PHASE_MAP:
		for (i = 0; i < AREAS; i++)
			areas[thread][i] = peer->map(AREA_PAGES * PAGE);
		break;
	case PHASE_TOUCH:
		for (i = 0; i < AREAS; i++)
			for (page = 0; page < AREA_PAGES; page++)
				areas[thread][i][page * PAGE] = 1;
		break;
	default:
		for (i = 0; i < AREAS; i++)
			peer->unmap(areas[thread][i], AREA_PAGES * PAGE);
	}
}

static void *thread_main(void *arg)
{
	const unsigned int thread = (uintptr_t)arg;
	cpu_set_t cpu;
	int phase;

	CPU_ZERO(&cpu);
	CPU_SET(thread, &cpu);
	if (sched_setaffinity(0, sizeof(cpu), &cpu))
		err(1, "sched_setaffinity");
	tids[thread] = syscall(SYS_gettid);
	for (phase = 0; phase < PHASES; phase++) {
		atomic_fetch_sub(&busy, 1);
		while (atomic_load(&up) < phase)
			usleep(1000);
		atomic_fetch_sub(&busy, 1);
		while (atomic_load(&now) < phase)
			;
		do_phase(thread, phase);
		atomic_fetch_sub(&busy, 1);
		while (atomic_load(&down) < phase)
			;
	}
	return NULL;
}

/* Let them do a step, and wait until all have. */
static void step(atomic_int *which, int phase)
{
	atomic_store(&busy, THREADS);
	atomic_store(which, phase);
	while (atomic_load(&busy))
		usleep(1000);
}

/* --- tracing */

static void put(const char *file, const char *text)
{
	char path[128];
	int fd;

	snprintf(path, sizeof(path), TRACING "%s", file);
	fd = open(path, O_WRONLY | O_TRUNC);
	if (fd < 0 || write(fd, text, strlen(text)) < 0)
		err(1, "%s", path);
	close(fd);
}

static void trace_threads(void)
{
	char pids[128];

	put("tracing_on", "0");
	put("buffer_size_kb", BUFFER_KIB);
	snprintf(pids, sizeof(pids), "%d %d %d %d", tids[0], tids[1], tids[2],
		 tids[3]);
	put("set_event_pid", pids);
	put("events/lock/lock_acquire/enable", "1");
	put("events/ipi/ipi_send_cpu/enable", "1");
	put("events/ipi/ipi_send_cpumask/enable", "1");
}

static bool lost_events(void)
{
	char path[128], line[128];
	unsigned long lost = 0;
	unsigned int cpu;
	FILE *file;

	for (cpu = 0; cpu < THREADS && !lost; cpu++) {
		snprintf(path, sizeof(path), TRACING "per_cpu/cpu%u/stats",
			 cpu);
		file = fopen(path, "r");
		if (!file)
			err(1, "%s", path);
		while (fgets(line, sizeof(line), file))
			if (sscanf(line, "overrun: %lu", &lost) == 1)
				break;
		fclose(file);
	}
	return lost;
}

static struct lock locks[LOCKS_MAX];
static size_t nlocks;

static struct lock *find_lock(unsigned long long address, const char *name)
{
	struct lock *lock;

	for (lock = locks; lock < locks + nlocks; lock++)
		if (lock->address == address && !strcmp(lock->name, name))
			return lock;
	if (nlocks == LOCKS_MAX)
		errx(1, "too many locks");
	nlocks++;
	lock->address = address;
	snprintf(lock->name, sizeof(lock->name), "%s", name);
	lock->threads = 0;
	lock->exclusive = 0;
	return lock;
}

/* THREADS for what the scheduler did before and behind. */
static unsigned int thread_of(long pid)
{
	unsigned int i;

	for (i = 0; i < THREADS && tids[i] != pid; i++)
		;
	return i;
}

static void count_name(struct tally *tally, const char *name,
		       unsigned int count)
{
	struct name *n;

	for (n = tally->names; n < tally->names + tally->nnames; n++)
		if (!strcmp(n->name, name))
			break;
	if (n == tally->names + NAMES_MAX)
		errx(1, "too many names");
	if (n == tally->names + tally->nnames) {
		tally->nnames++;
		snprintf(n->name, sizeof(n->name), "%s", name);
	}
	n->count += count;
}

/* "0xADDRESS [try ][read ]NAME" */
static void acquired(unsigned int thread, const char *what)
{
	unsigned long long address;
	bool shared = false;
	struct lock *lock;
	char *name;
	size_t i;

	address = strtoull(what, &name, 16);
	name++;
	if (!strncmp(name, "try ", 4))
		name += 4;
	if (!strncmp(name, "read ", 5)) {
		name += 5;
		shared = true;
	}
	name[strcspn(name, "\n")] = '\0';
	for (i = 0; i < sizeof(no_locks) / sizeof(no_locks[0]); i++)
		if (!strcmp(name, no_locks[i]))
			return;
	lock = find_lock(address, name);
	lock->threads |= 1U << thread;
	lock->exclusive += !shared;
}

/* "comm-PID   [CPU] d.h1.  TIME: EVENT: ..." */
static void read_event(struct tally *tally, char *line)
{
	char *cpu = strstr(line, " ["), *p, *flags, *event;
	unsigned int thread;

	if (line[0] == '#' || !cpu)
		return;
	for (p = cpu; p > line && p[-1] != '-'; p--)
		;
	thread = thread_of(strtol(p, NULL, 10));
	flags = strchr(cpu, ']') + 2;
	/* h, H, s: in an interrupt; z, Z: in one that cannot be masked. */
	if (strchr("hHszZ", flags[2]))
		return;
	event = strstr(flags, ": ");
	if (!event || thread == THREADS)
		return;
	event += 2;
	if (!strncmp(event, "lock_acquire: ", 14)) {
		acquired(thread, event + 14);
	} else if (!strncmp(event, "ipi_send_", 9)) {
		/* Not those that wake a thread up. */
		if (!strstr(event, "=ttwu_") && !strstr(event, "resched"))
			tally->sent++;
	}
}

static void read_trace(struct tally *tally)
{
	FILE *file = fopen(TRACING "trace", "r");
	char line[512];
	size_t i;

	if (!file)
		err(1, "trace");
	if (lost_events())
		errx(1, "the trace buffer is too small");
	memset(tally, 0, sizeof(*tally));
	nlocks = 0;
	while (fgets(line, sizeof(line), file))
		read_event(tally, line);
	fclose(file);
	if (!nlocks)
		errx(1, "no lock was traced");
	for (i = 0; i < nlocks; i++) {
		if (!(locks[i].threads & (locks[i].threads - 1)) ||
		    !locks[i].exclusive)
			continue;
		tally->exclusive += locks[i].exclusive;
		count_name(tally, locks[i].name, locks[i].exclusive);
	}
}

/* --- a run */

static void run_phase(enum phase phase)
{
	const bool traced = phase_names[phase];

	step(&up, phase);
	if (traced) {
		put("trace", "");
		put("tracing_on", "1");
	}
	step(&now, phase);
	if (traced)
		put("tracing_on", "0");
	if (phase == PHASES - 1)
		atomic_store(&down, phase);
	else
		step(&down, phase);
	if (traced)
		read_trace(&results->tally[phase]);
}

static void run_peer(void)
{
	pthread_t threads[THREADS];
	uintptr_t i;
	int phase;

	/* Each region begins with a page table of its own. */
	for (i = 0; i < THREADS; i++)
		region[i] = (char *)(((uintptr_t)peer->map(2 * REGION) +
				      REGION - 1) &
				     -(uintptr_t)REGION);
	atomic_store(&busy, THREADS);
	for (i = 0; i < THREADS; i++)
		if (pthread_create(&threads[i], NULL, thread_main, (void *)i))
			errx(1, "pthread_create");
	while (atomic_load(&busy))
		usleep(1000);
	trace_threads();
	for (phase = 0; phase < PHASES; phase++)
		run_phase(phase);
	for (i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
}

static void measure_peer(struct tally *best)
{
	int run, phase, status;
	pid_t pid;

	for (run = 0; run < RUNS; run++) {
		pid = fork();
		if (pid < 0)
			err(1, "fork");
		if (!pid) {
			run_peer();
			_exit(0);
		}
		if (waitpid(pid, &status, 0) != pid || status)
			errx(1, "%s: status %#x", peer->name, status);
		for (phase = 0; phase < PHASES; phase++)
			if (!run || results->tally[phase].exclusive <
					    best[phase].exclusive)
				best[phase] = results->tally[phase];
	}
}

static void print_tally(enum phase phase, const struct tally *tally, bool first)
{
	const unsigned int ops = THREADS * phase_ops[phase];
	unsigned int i;

	printf("%s    {\"op\": \"%s\", \"peer\": \"%s\", \"ops\": %u, \"exclusive\": %u, \"interrupts\": %u, \"locks\": {",
	       first ? "" : ",\n", phase_names[phase], peer->name, ops,
	       tally->exclusive, tally->sent);
	for (i = 0; i < tally->nnames; i++)
		printf("%s\"%s\": %u", i ? ", " : "", tally->names[i].name,
		       tally->names[i].count);
	printf("}}");
}

int main(void)
{
	static const struct peer *const peers[] = { &peer_native, &peer_bsdvm };
	static struct tally best[PHASES];
	bool first = true;
	size_t i;
	int phase;

	if (sysconf(_SC_NPROCESSORS_ONLN) < THREADS)
		errx(1, "%d CPUs are needed", THREADS);
	results = mmap(NULL, sizeof(*results), PROT_READ | PROT_WRITE,
		       MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (results == MAP_FAILED)
		err(1, "mmap");
	printf("{\n  \"pages\": %u,\n  \"counts\": [\n", AREA_PAGES);
	for (i = 0; i < 2; i++) {
		peer = peers[i];
		measure_peer(best);
		for (phase = 0; phase < PHASES; phase++) {
			if (!phase_names[phase])
				continue;
			print_tally(phase, &best[phase], first);
			first = false;
		}
	}
	printf("\n  ]\n}\n");
	return 0;
}
