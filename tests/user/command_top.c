// SPDX-License-Identifier: BSD-2-Clause
/* bsdvm top: what it shows of processes that are known, as text and on a terminal. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include "command_run.h"

/* The machine before a test: shared memory that has a name may be left of others. */
static struct bsdvm_stats before;

static uint64_t queued(const struct bsdvm_stats *stats)
{
	return stats->v_active_count + stats->v_inactive_count +
	       stats->v_laundry_count + stats->v_unswappable_count;
}

/* What other tests had mapped is gone a moment after them, and stays so. */
static void wait_for_nothing(void)
{
	struct bsdvm_stats last = { 0 };
	int i, quiet = 0;

	for (i = 0; i < 1000 && quiet < 10; i++) {
		usleep(10000);
		before = vm_stats();
		if (before.v_vmspaces || before.o_count != last.o_count)
			quiet = 0;
		else
			quiet++;
		last = before;
	}
	ASSERT(quiet == 10);
}

static struct target start_alone(void (*build)(void))
{
	wait_for_nothing();
	return target_start(0, build);
}

static void build_usage(void)
{
	size_t i;

	shared->map = vm_anon(100);
	/* A fault for each page, none that comes ahead. */
	ASSERT(!bsdvm_madvise(shared->map, 100 * PAGE, BSDVM_MADV_RANDOM));
	for (i = 0; i < 60; i++)
		shared->map[i * PAGE] = 1;
	ASSERT(!bsdvm_munmap(shared->map, 20 * PAGE));
	ASSERT(!bsdvm_mlock(shared->map + 20 * PAGE, 3 * PAGE));
}

/* The line of a process, without its end; "" for none. */
static const char *line_of(const char *text, const char *pid)
{
	static char line[256];
	char begin[16];
	const char *at;

	snprintf(begin, sizeof(begin), "\n%7s ", pid);
	at = strstr(text, begin);
	snprintf(line, sizeof(line), "%.*s",
		 at ? (int)strcspn(at + 1, "\n") : 0, at ? at + 1 : "");
	return line;
}

static size_t count_of(const char *text, const char *what)
{
	size_t n = 0;

	for (; (text = strstr(text, what)); text++)
		n++;
	return n;
}

TEST(top_shows_the_windows_and_the_gauges)
{
	const struct target target = start_alone(build_usage);
	const struct outcome *o = run("top", "-b", "-n", "2", "-d", "0.1");
	unsigned long long free, active, inactive, laundry, unswappable, wired;
	const struct bsdvm_stats stats = vm_stats();
	const char *at;
	char want[256];

	EXPECT_SUCCESS(o);
	EXPECT_EQ(count_of(o->out, "bsdvm top - "), 2);
	snprintf(want, sizeof(want), " s: 1 windows, 1 shown, %llu objects\n",
		 before.o_count + 1);
	EXPECT(strstr(o->out, want));
	/* An entry is locked, another one not. */
	snprintf(
		want, sizeof(want),
		"%7d command_top             80       40        3       2       0       0",
		target.pid);
	EXPECT_TEXT(line_of(o->out, target.text), want);
	snprintf(want, sizeof(want), "\npages     %llu: ", stats.v_page_count);
	at = strstr(o->out, want);
	ASSERT(at &&
	       sscanf(at + strlen(want),
		      "%llu free (target %*u), %llu active, %llu inactive, "
		      "%llu laundry, %llu unswappable, %llu wired\n",
		      &free, &active, &inactive, &laundry, &unswappable,
		      &wired) == 6);
	EXPECT_EQ(active + inactive + laundry + unswappable,
		  queued(&before) + 37);
	EXPECT(free > 0 && wired >= 3);
	EXPECT(free + queued(&before) + 37 + wired <= stats.v_page_count);
	snprintf(want, sizeof(want),
		 "\nswap      %llu: %llu used; %llu reserved, ",
		 stats.v_swap_size, stats.v_swap_inuse,
		 stats.v_swap_reserved / PAGE);
	EXPECT(strstr(o->out, want));
	target_end(&target);
}

TEST(top_shows_the_largest_first_and_only_who_may_be_seen)
{
	const struct target large = start_alone(build_usage);
	const struct target small = target_start(NOBODY, build_empty);
	const struct outcome *o = run("top", "-b", "-n", "1", "-d", "0.1");
	const char *at;

	at = strstr(o->out, line_of(o->out, large.text));
	ASSERT(at && *line_of(o->out, large.text));
	EXPECT(*line_of(at, small.text));
	o = run_nobody("top", "-b", "-n", "1", "-d", "0.1");
	EXPECT_SUCCESS(o);
	EXPECT(strstr(o->out, " s: 2 windows, 1 shown, "));
	EXPECT(*line_of(o->out, small.text));
	EXPECT(!*line_of(o->out, large.text));
	target_end(&small);
	target_end(&large);
}

/* A parent with a chain of two, its child and that one's, with chains of three. */
static void build_chains(void)
{
	int ready[2], i;
	char byte;

	shared->map = vm_anon(4);
	shared->map[0] = 1;
	ASSERT(!pipe(ready));
	for (i = 1; i < 3; i++) {
		const pid_t pid = harness_fork();

		if (i == 1 && pid)
			shared->child = pid;
		shared->map[i * PAGE] = i;
		if (pid)
			break;
	}
	if (i == 1) {
		ASSERT(read(ready[0], &byte, 1) == 1);
		ASSERT(read(ready[0], &byte, 1) == 1);
		return;
	}
	/* Nobody else ends the last one. */
	if (i == 3)
		prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (write(ready[1], "", 1) != 1)
		_exit(1);
	for (;;)
		pause();
}

/* The numbers of the topmost and the bottommost object of a process's only entry. */
static size_t ends_of(pid_t pid, uint64_t *top, uint64_t *bottom)
{
	const struct bsdvm_vmobject *object;
	struct bsdvm_vmentry *map;
	size_t count;

	map = bsdvm_getvmmap_pid(pid, &count);
	ASSERT(map && count == 1);
	object = bsdvm_vmentry_objects(map);
	*top = object[0].kvo_id;
	count = map->kve_nobjects;
	ASSERT(count);
	*bottom = object[count - 1].kvo_id;
	bsdvm_freevmmap(map);
	return count;
}

TEST(top_shows_the_deepest_chains_first)
{
	const struct target target = start_alone(build_chains);
	const struct outcome *o = run("top", "-b", "-n", "1", "-d", "0.1");
	uint64_t top[2], bottom[2];
	const char *at, *three;
	char want[256];
	size_t i;

	EXPECT_SUCCESS(o);
	at = strstr(o->out, "\n  DEPTH      RES      TOP   BOTTOM TP\n");
	ASSERT(at);
	three = run_body(at + 1);
	EXPECT_BEGIN(three, "      3 ");
	EXPECT_EQ(ends_of(target.pid, &top[0], &bottom[0]), 2);
	EXPECT_EQ(ends_of(target.child, &top[1], &bottom[1]), 3);
	EXPECT_EQ(bottom[0], bottom[1]);
	for (i = 0; i < 2; i++) {
		snprintf(want, sizeof(want), "\n%7zu %8d %8ju %8ju df\n", 2 + i,
			 i ? 3 : 2, (uintmax_t)top[i], (uintmax_t)bottom[i]);
		EXPECT(strstr(at, want));
	}
	EXPECT_EQ(count_of(three, "\n"), 3);
	target_end(&target);
}

/* --- rates */

#define BURST 1000

static void fault_now(int sig)
{
	size_t i;

	(void)sig;
	for (i = 0; i < BURST; i++)
		shared->map[i * PAGE] = 1;
}

static void build_burst(void)
{
	shared->map = vm_anon(BURST);
	ASSERT(!bsdvm_madvise(shared->map, BURST * PAGE, BSDVM_MADV_RANDOM));
	signal(SIGUSR1, fault_now);
}

/* Read text until it has @what so many times, or ends. */
static void read_until(int fd, char *text, size_t room, const char *what,
		       size_t times)
{
	size_t len = strlen(text);
	ssize_t n;

	while (count_of(text, what) < times) {
		ASSERT(len + 1 < room);
		n = read(fd, text + len, room - 1 - len);
		if (n <= 0)
			return;
		len += n;
		text[len] = '\0';
	}
}

/**
 * struct happened - what happened in all intervals together, by rates
 * @taken: faults of the machine
 * @zero_filled: of them, or of what the kernel did for us
 * @flt: faults of a process
 */
struct happened {
	double taken;
	double zero_filled;
	double flt;
};

static struct happened happened(const char *text, const char *pid)
{
	double seconds, taken, filled, flt;
	struct happened sum = { 0 };
	const char *at = text;

	while ((at = strstr(at, "bsdvm top - "))) {
		ASSERT(sscanf(at, "bsdvm top - %*s %lf s:", &seconds) == 1);
		ASSERT(sscanf(line_of(at, pid), "%*d %*s %*d %*d %*d %*d %lf",
			      &flt) == 1);
		at = strstr(at, "\nfaults/s  ");
		ASSERT(at && sscanf(at, "\nfaults/s  %lf taken: %lf zero",
				    &taken, &filled) == 2);
		sum.taken += taken * seconds;
		sum.zero_filled += filled * seconds;
		sum.flt += flt * seconds;
	}
	return sum;
}

TEST_LIMIT(rates_add_up_to_what_happened, 180)
{
	char *args[] = { "bsdvm", "top", "-b", "-d", "1", "-n", "5", NULL };
	const struct target target = start_alone(build_burst);
	static char text[65536];
	struct happened sum;
	int out[2];
	pid_t pid;

	ASSERT(!pipe2(out, O_CLOEXEC));
	pid = run_start(&(struct way){ 0 }, out[1], STDERR_FILENO, args);
	close(out[1]);
	/* In the middle of it, so that all of it is seen. */
	read_until(out[0], text, sizeof(text), "BOTTOM", 1);
	ASSERT(!kill(target.pid, SIGUSR1));
	read_until(out[0], text, sizeof(text), "no such thing", 1);
	EXPECT_EQ(run_finish(pid), 0);
	EXPECT_EQ(count_of(text, "BOTTOM"), 5);
	/* Each rate is rounded. */
	sum = happened(text, target.text);
	EXPECT(sum.taken > BURST - 5 && sum.taken < BURST + 5);
	EXPECT(sum.flt > BURST - 5 && sum.flt < BURST + 5);
	/* For each reading the kernel has a page of its own, too. */
	EXPECT(sum.zero_filled > BURST - 5 && sum.zero_filled < BURST + 10);
	close(out[0]);
	target_end(&target);
}

TEST(an_interrupt_ends_it_well)
{
	char *args[] = { "bsdvm", "top", "-b", "-d", "0.05", NULL };
	static char text[262144];
	int out[2], status;
	pid_t pid;

	ASSERT(!pipe2(out, O_CLOEXEC));
	pid = run_start(&(struct way){ 0 }, out[1], STDERR_FILENO, args);
	close(out[1]);
	read_until(out[0], text, sizeof(text), "BOTTOM", 3);
	EXPECT(!waitpid(pid, &status, WNOHANG));
	ASSERT(!kill(pid, SIGINT));
	read_until(out[0], text, sizeof(text), "no such thing", 1);
	EXPECT_EQ(run_finish(pid), 0);
	EXPECT_EQ(count_of(text, "BOTTOM TP\n"), count_of(text, "bsdvm top"));
	close(out[0]);
}

static const char json_check[] =
	"import json, sys\n"
	"lines = [json.loads(line) for line in sys.stdin]\n"
	"assert lines[1]['time'] >= lines[0]['time'] + 0.1\n"
	"for line in lines:\n"
	"    w = {w['pid']: w for w in line['windows']}\n"
	"    assert line['v_vmspaces'] == len(w) == 3\n"
	"    print(line['v_page_size'],\n"
	"          *['%s %d %d' % (u['command'], u['vm_rssize'], u['vm_entries'])\n"
	"            for u in line['windows']][:1],\n"
	"          *['%d %d %d' % (c['depth'], c['resident'], c['type'])\n"
	"            for c in line['chains']],\n"
	"          len({c['bottom'] for c in line['chains']}),\n"
	"          len({c['top'] for c in line['chains']}))\n";

TEST_LIMIT(top_in_json_has_the_members_names, 180)
{
	const struct target usage = start_alone(build_usage);
	const struct target forked = target_start(0, build_fork);
	const struct outcome *o = run("top", "--json", "-n", "2", "-d", "0.1");

	EXPECT_SUCCESS(o);
	EXPECT_TEXT(run_python(json_check, o->out),
		    "4096 command_top 40 2 2 2 1 2 2 1 1 2\n"
		    "4096 command_top 40 2 2 2 1 2 2 1 1 2\n");
	target_end(&usage);
	target_end(&forked);
}

/* --- on a terminal */

/**
 * struct terminal - a terminal with bsdvm top on it
 * @master: the other end of it
 * @before: how it was
 * @pid: the command
 * @text: what it has written so far
 */
struct terminal {
	int master;
	struct termios before;
	pid_t pid;
	char text[65536];
};

static struct terminal terminal;

static void set_size(unsigned short lines, unsigned short columns)
{
	const struct winsize size = { .ws_row = lines, .ws_col = columns };

	ASSERT(!ioctl(terminal.master, TIOCSWINSZ, &size));
}

/* Start the command on a new terminal, which this process then belongs to. */
static void terminal_start(void)
{
	char *args[] = { "bsdvm", "top", "-d", "1000", NULL };
	int slave;

	ASSERT(setsid() > 0);
	terminal.master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
	ASSERT(terminal.master >= 0);
	ASSERT(!grantpt(terminal.master) && !unlockpt(terminal.master));
	slave = open(ptsname(terminal.master), O_RDWR);
	ASSERT(slave >= 0 && !tcgetattr(slave, &terminal.before));
	set_size(24, 200);
	ASSERT(dup2(slave, STDIN_FILENO) == STDIN_FILENO);
	ASSERT(!setenv("TERM", "xterm", 1));
	terminal.pid = run_start(&(struct way){ 0 }, slave, slave, args);
	/* What it shows last. */
	read_until(terminal.master, terminal.text, sizeof(terminal.text),
		   "BOTTOM", 1);
}

/* It has ended: nothing of it is left on the terminal. */
static void terminal_expect_restored(void)
{
	struct termios now;

	ASSERT(!tcgetattr(terminal.master, &now));
	EXPECT_EQ(now.c_lflag, terminal.before.c_lflag);
	EXPECT_EQ(now.c_iflag, terminal.before.c_iflag);
	EXPECT_EQ(now.c_oflag, terminal.before.c_oflag);
	read_until(terminal.master, terminal.text, sizeof(terminal.text),
		   "\033[?1049l", 1);
	EXPECT_EQ(count_of(terminal.text, "\033[?1049h"), 1);
	EXPECT_EQ(count_of(terminal.text, "\033[?1049l"), 1);
}

static void in_session(void (*body)(void))
{
	const pid_t pid = harness_fork();

	if (!pid) {
		/* The end of a session's leader hangs its terminal up. */
		signal(SIGHUP, SIG_IGN);
		body();
		harness_exit();
	}
	harness_join(pid);
}

static void keys_and_sizes(void)
{
	struct termios now;
	int status;

	terminal_start();
	ASSERT(!tcgetattr(terminal.master, &now));
	EXPECT(!(now.c_lflag & (ICANON | ECHO)));
	/* Nothing to compare with yet, but all columns. */
	EXPECT(strstr(terminal.text, "- taken: - zero-filled"));
	EXPECT(strstr(terminal.text, "neighbours mapped"));

	terminal.text[0] = '\0';
	set_size(20, 40);
	read_until(terminal.master, terminal.text, sizeof(terminal.text),
		   "BOTTOM", 1);
	EXPECT(strstr(terminal.text, "bsdvm top - "));
	EXPECT(!strstr(terminal.text, "neighbours"));

	terminal.text[0] = '\0';
	ASSERT(write(terminal.master, "x", 1) == 1);
	read_until(terminal.master, terminal.text, sizeof(terminal.text),
		   " s:", 1);
	EXPECT(!waitpid(terminal.pid, &status, WNOHANG));

	strcpy(terminal.text, "\033[?1049h");
	ASSERT(write(terminal.master, "q", 1) == 1);
	EXPECT_EQ(run_finish(terminal.pid), 0);
	terminal_expect_restored();
}

TEST(a_terminal_has_keys_and_a_size)
{
	in_session(keys_and_sizes);
}

static void interrupted(void)
{
	terminal_start();
	signal(SIGINT, SIG_IGN);
	ASSERT(write(terminal.master, "\003", 1) == 1);
	EXPECT_EQ(run_finish(terminal.pid), 0);
	terminal_expect_restored();
}

TEST(control_c_gives_the_terminal_back)
{
	in_session(interrupted);
}

static void killed(void)
{
	static const int signals[] = { SIGTERM, SIGHUP, SIGQUIT };
	size_t i;

	for (i = 0; i < COUNT_OF(signals); i++) {
		const pid_t pid = harness_fork();

		if (!pid) {
			/* The first one's terminal is not ours. */
			signal(signals[i], SIG_DFL);
			terminal_start();
			ASSERT(!kill(terminal.pid, signals[i]));
			EXPECT_EQ(run_finish(terminal.pid), -signals[i]);
			terminal_expect_restored();
			harness_exit();
		}
		harness_join(pid);
	}
}

TEST(a_signal_gives_the_terminal_back)
{
	killed();
}

TEST(without_a_terminal_it_says_so)
{
	EXPECT_FAILURE(run("top"), 1, "bsdvm: this is no terminal; see -b\n");
}
