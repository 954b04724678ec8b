// SPDX-License-Identifier: BSD-2-Clause
/* One measured part, in a process of its own. */
#define _GNU_SOURCE
#include <err.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <bsdvm.h>

#include "bench.h"

/* The timer of a 250 Hz kernel, and how long the tail of a measurement is. */
#define TIMER_TICKS (4 * 1000 * 1000)
#define TAIL_TICKS  (5 * TIMER_TICKS)

/* So often a CPU keeps an eighth less of the pages that were freed there. */
#define SETTLE_REFRESHES 64

/* How often it is tried to see two such stretches alike. */
#define QUIET_TRIES 20

/* Two readings of the clock lie closer together, if nobody comes between. */
#define TICKS_APART 100

__attribute__((noinline)) void profile_begin(void)
{
	asm volatile("");
}

__attribute__((noinline)) void profile_end(void)
{
	asm volatile("");
}

/*
 * The clock goes on while nobody has anything to do, and then in leaps. So where a
 * process may have to wait, another one spins when nobody else wants the CPU, and adds up
 * how long. What comes between two of its readings is somebody's work.
 */
static struct {
	pid_t pid; /* 0 for none */
	volatile uint64_t *ticks;
} idler;

static void spin_idly(void)
{
	const struct sched_param param = { 0 };
	uint64_t last, now;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (sched_setscheduler(0, SCHED_IDLE, &param))
		err(1, "SCHED_IDLE");
	raise(SIGSTOP);
	for (last = ticks();; last = now) {
		now = ticks();
		if (now - last <= TICKS_APART)
			*idler.ticks += now - last;
	}
}

static void idler_begin(void)
{
	int status;

	idler.ticks = mmap(NULL, PAGE, PROT_READ | PROT_WRITE,
			   MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (idler.ticks == MAP_FAILED)
		err(1, "mmap");
	*idler.ticks = 0;
	idler.pid = fork();
	if (idler.pid < 0)
		err(1, "fork");
	if (!idler.pid)
		spin_idly();
	/* It is stopped before anything is measured. */
	if (waitpid(idler.pid, &status, WUNTRACED) != idler.pid ||
	    !WIFSTOPPED(status))
		errx(1, "the idler: status %#x", status);
}

static void idler_end(void)
{
	kill(idler.pid, SIGKILL);
	waitpid(idler.pid, NULL, 0);
}

uint64_t busy_ticks(void)
{
	return ticks() - (idler.pid ? *idler.ticks : 0);
}

static struct counts counts_now(const struct peer *peer)
{
	struct bsdvm_stats stats;
	struct counts counts = { 0 };
	struct rusage usage;

	if (peer == &peer_bsdvm) {
		if (bsdvm_stats(&stats))
			err(1, "bsdvm_stats");
		counts.faults = stats.v_vm_faults;
		counts.zero_fills = stats.v_zfod;
		counts.copies = stats.v_cow_faults;
		counts.takeovers = stats.v_cow_optim;
		counts.prefaults = stats.v_prefault;
		counts.shootdowns = stats.v_shootdowns;
		counts.pages_out = stats.v_swappgsout;
		counts.writes = stats.v_swapout;
		counts.pages_in = stats.v_swappgsin;
		counts.reads = stats.v_swapin;
	}
	if (getrusage(RUSAGE_SELF, &usage))
		err(1, "getrusage");
	counts.minflt = usage.ru_minflt;
	return counts;
}

static struct counts counts_since(const struct peer *peer,
				  const struct counts *before)
{
	struct counts now = counts_now(peer);

	now.minflt -= before->minflt;
	now.faults -= before->faults;
	now.zero_fills -= before->zero_fills;
	now.copies -= before->copies;
	now.takeovers -= before->takeovers;
	now.prefaults -= before->prefaults;
	now.shootdowns -= before->shootdowns;
	now.pages_out -= before->pages_out;
	now.writes -= before->writes;
	now.pages_in -= before->pages_in;
	now.reads -= before->reads;
	return now;
}

/*
 * Spin, and add up what others take of the CPU: interrupts, and the threads of
 * the kernel that have something to do. The last time they did is left in @when.
 */
static uint64_t taken_by_others(uint64_t how_long, uint64_t *when)
{
	uint64_t start = ticks(), last = start, now, taken = 0;

	do {
		now = ticks();
		if (now - last > TICKS_APART) {
			taken += now - last;
			*when = now;
		}
		last = now;
	} while (now - start < how_long);
	return taken;
}

static bool alike(uint64_t a, uint64_t b)
{
	return a < b + b / 20 && b < a + a / 20;
}

/* What the timer takes of this process once nobody else does any more. */
static uint64_t wait_for_quiet(uint64_t *timer)
{
	uint64_t before, now = taken_by_others(TAIL_TICKS, timer);
	unsigned int tries = QUIET_TRIES;

	do {
		before = now;
		now = taken_by_others(TAIL_TICKS, timer);
	} while (!alike(before, now) && --tries);
	return before < now ? before : now;
}

struct measurement measure_begin(const struct peer *peer, struct run *run)
{
	struct measurement m = { .run = run, .peer = peer };

	m.noise = wait_for_quiet(&m.timer);
	m.before = counts_now(peer);
	if (idler.pid)
		kill(idler.pid, SIGCONT);
	m.start = busy_ticks();
	return m;
}

void measure_end(const struct peer *peer, struct measurement *m)
{
	m->run->total = busy_ticks() - m->start;
	if (idler.pid)
		kill(idler.pid, SIGSTOP);
	m->run->counts = counts_since(peer, &m->before);
}

/* How often the timer has come until then, since it did at @timer. */
static int64_t timer_count(const struct measurement *m, uint64_t then)
{
	return (int64_t)((then - m->timer) / TIMER_TICKS);
}

void measure_tail(struct measurement *m)
{
	const uint64_t start = ticks();
	uint64_t when;
	int64_t taken = (int64_t)taken_by_others(TAIL_TICKS, &when);
	int64_t timers = timer_count(m, ticks()) - timer_count(m, start);

	/* What was done meanwhile is of what it cost. */
	m->run->counts = counts_since(m->peer, &m->before);
	/* The timer came as often in the noise, or once less or more. */
	m->run->tail =
		taken - timers * (int64_t)m->noise / (TAIL_TICKS / TIMER_TICKS);
}

/*
 * What an earlier process has left to be done. Linux keeps pages that were freed with the
 * CPU, more the more there were, and lets go of them bit by bit each time that it gathers
 * its statistics; or of all at once, in the middle of what comes next.
 */
static void settle_down(void)
{
	unsigned int i;
	FILE *refresh;

	sleep(SETTLE_SECONDS);
	for (i = 0; i < SETTLE_REFRESHES; i++) {
		refresh = fopen("/proc/sys/vm/stat_refresh", "w");
		if (!refresh || fputs("1\n", refresh) < 0 || fclose(refresh))
			err(1, "vm.stat_refresh");
	}
}

void measure_row(const struct row *row, const struct peer *peer,
		 struct run *run)
{
	int status;
	pid_t pid;

	if (row->waits)
		settle_down();
	else
		usleep(200 * 1000);
	pid = fork();
	if (pid < 0)
		err(1, "fork");
	if (!pid) {
		/* Also so that no page of it faults later. */
		memset(run, 0, sizeof(*run));
		run->ops = row->pages;
		if (row->waits)
			idler_begin();
		row->work(row, peer, run);
		if (row->waits)
			idler_end();
		_exit(0);
	}
	if (waitpid(pid, &status, 0) != pid)
		err(1, "waitpid");
	if (status)
		errx(1, "row %u on %s: its process ended with status %#x",
		     row->number, peer->name, status);
}
