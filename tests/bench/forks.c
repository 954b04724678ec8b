// SPDX-License-Identifier: BSD-2-Clause
/* Workloads that fork. */
#include <err.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <bsdvm.h>

#include "work.h"

void fork_resident(const struct row *row, const struct peer *peer,
		   struct run *run)
{
	struct measurement m;
	pid_t child;
	char *mem;

	run->base = fork_cost();
	mem = map(peer, row->pages);
	write_all(mem, row->pages);
	m = measure_begin(peer, run);
	profile_begin();
	child = fork_idle(&run->sample[0]);
	profile_end();
	run->nsamples = 1;
	measure_end(peer, &m);
	let_rest();
	measure_tail(&m);
	end_child(child);
}

/* Nothing is resident: it is the entries that count. */
void fork_entries(const struct row *row, const struct peer *peer,
		  struct run *run)
{
	struct measurement m;
	uint64_t cost;
	pid_t child;

	run->base = fork_cost();
	allow_entries(2 * row->n + 1024);
	make_entries(peer, map(peer, row->n), row->n);
	m = measure_begin(peer, run);
	profile_begin();
	child = fork_idle(&cost);
	profile_end();
	measure_end(peer, &m);
	let_rest();
	measure_tail(&m);
	run->ops = row->n;
	end_child(child);
}

/* --- the end of a child */

/* A child that waits until its parent has something to say, and exits. */
static pid_t fork_waiting(int *to_child)
{
	int fds[2];
	pid_t pid;
	char c;

	if (pipe(fds))
		err(1, "pipe");
	pid = fork();
	if (pid < 0)
		err(1, "fork");
	if (!pid)
		_exit(read(fds[0], &c, 1) != 1);
	close(fds[0]);
	*to_child = fds[1];
	let_rest();
	return pid;
}

/* From the word to the child until it is gone. */
static void exit_waiting(pid_t pid, int to_child)
{
	int status;

	if (write(to_child, "", 1) != 1 || waitpid(pid, &status, 0) != pid ||
	    status)
		err(1, "a child");
}

static uint64_t exit_cost(void)
{
	uint64_t cost[5], start;
	int to_child;
	pid_t child;
	size_t i;

	for (i = 0; i < 5; i++) {
		child = fork_waiting(&to_child);
		start = ticks();
		exit_waiting(child, to_child);
		cost[i] = ticks() - start;
		close(to_child);
	}
	return median_of(cost, 5);
}

/* A child exits that has touched nothing of what it got. */
void exit_resident(const struct row *row, const struct peer *peer,
		   struct run *run)
{
	struct measurement m;
	int to_child;
	pid_t child;
	char *mem;

	run->base = exit_cost();
	mem = map(peer, row->pages);
	write_all(mem, row->pages);
	child = fork_waiting(&to_child);
	m = measure_begin(peer, run);
	profile_begin();
	exit_waiting(child, to_child);
	profile_end();
	measure_end(peer, &m);
	measure_tail(&m);
}

/* --- the whole life of a fork */

/*
 * As a database saves itself: the child reads all of what it got, while the parent
 * goes on and writes a tenth. The child lives until both are done. Counts until it is
 * gone and nothing is left to be done.
 */
void fork_life(const struct row *row, const struct peer *peer, struct run *run)
{
	uint32_t *order = shuffled(row->pages);
	char *mem = map(peer, row->pages), c;
	struct measurement m;
	int to_child[2];
	pid_t child;
	size_t i;

	if (pipe(to_child))
		err(1, "pipe");
	write_all(mem, row->pages);
	m = measure_begin(peer, run);
	profile_begin();
	child = fork();
	if (child < 0)
		err(1, "fork");
	if (!child) {
		read_all(mem, row->pages);
		_exit(read(to_child[0], &c, 1) != 1);
	}
	for (i = 0; i < row->pages / 10; i++)
		write_byte(mem + order[i] * PAGE);
	exit_waiting(child, to_child[1]);
	profile_end();
	measure_end(peer, &m);
	measure_tail(&m);
}

/* --- chains of generations */

/*
 * Generation 0 has the memory; each that follows writes one page and forks the next,
 * so that in each an object is put in front of the others. All of them live when the
 * last one reads and writes the pages that nobody has written since. Then all others
 * end, 0 gives up its memory, and what objects are left is counted.
 */
struct chain {
	const struct row *row;
	const struct peer *peer;
	struct run *run;
	char *mem;
	uint64_t objects; /* there were before */
	int middle[2]; /* generations between end when they can read here */
	int last[2]; /* the last goes on when it can */
	int first[2]; /* and so does the first */
};

static void wait_for(const int pipe[2])
{
	char c;

	if (read(pipe[0], &c, 1) != 1)
		err(1, "read");
}

static void reap(void)
{
	int status;

	if (wait(&status) < 0 || status)
		err(1, "a generation");
}

static void wake(const int pipe[2])
{
	if (write(pipe[1], "", 1) != 1)
		err(1, "write");
}

/* The objects there are once nothing happens any more. */
static uint64_t objects_at_rest(void)
{
	struct bsdvm_stats stats;

	usleep(100 * 1000);
	if (bsdvm_stats(&stats))
		err(1, "bsdvm_stats");
	return stats.o_count;
}

static void last_generation(struct chain *c)
{
	const size_t pages = c->row->pages;
	uint32_t *order = shuffled(pages);
	struct measurement m;
	struct run *run = c->run;
	uint64_t start;
	size_t i;

	/* No page of it faults later. */
	for (i = 0; i < pages; i++)
		run->sample[i] = 0;
	m = measure_begin(c->peer, run);
	start = ticks();
	read_all(c->mem, pages);
	run->base = ticks() - start;
	write_sampled(run, c->mem, order, pages);
	measure_end(c->peer, &m);
	measure_tail(&m);
	wake(c->first);
	wait_for(c->last);
	run->counts.objects = objects_at_rest() - c->objects;
	_exit(0);
}

static pid_t next_generation(struct chain *c, size_t number)
{
	pid_t pid = fork();

	if (pid < 0)
		err(1, "fork");
	if (pid)
		return pid;
	write_byte(c->mem + (c->row->pages + number) * PAGE);
	if (number == c->row->n)
		last_generation(c);
	next_generation(c, number + 1);
	wait_for(c->middle);
	_exit(0);
}

void fork_chain(const struct row *row, const struct peer *peer, struct run *run)
{
	struct chain c = { .row = row, .peer = peer, .run = run };
	const size_t pages = row->pages + row->n + 1;
	size_t i;

	/* Those whose parents end are this one's. */
	if (prctl(PR_SET_CHILD_SUBREAPER, 1) || pipe(c.middle) ||
	    pipe(c.last) || pipe(c.first))
		err(1, "a chain");
	c.objects = objects_at_rest();
	c.mem = map(peer, pages);
	write_all(c.mem, pages);
	next_generation(&c, 1);
	wait_for(c.first);
	for (i = 1; i < row->n; i++)
		wake(c.middle);
	for (i = 1; i < row->n; i++)
		reap();
	peer->unmap(c.mem, pages * PAGE);
	wake(c.last);
	reap();
}
