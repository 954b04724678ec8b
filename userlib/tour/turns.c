// SPDX-License-Identifier: BSD-2-Clause
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "report.h"
#include "turns.h"

struct turns turns_fork(void)
{
	int down[2], up[2];
	struct turns turns;

	if (pipe(down) || pipe(up))
		report_die("pipe");
	/* Or both would print what stands in the buffer. */
	fflush(stdout);
	turns.child = fork();
	if (turns.child < 0)
		report_die("fork");
	if (turns.child) {
		turns.give = down[1];
		turns.take = up[0];
		close(down[0]);
		close(up[1]);
	} else {
		turns.give = up[1];
		turns.take = down[0];
		close(down[1]);
		close(up[0]);
	}
	return turns;
}

void turns_give(const struct turns *turns)
{
	fflush(stdout);
	if (write(turns->give, "", 1) != 1)
		report_die("write to the other process");
}

void turns_take(const struct turns *turns)
{
	char byte;

	if (read(turns->take, &byte, 1) != 1)
		report_die("the other process ended early");
}

void turns_exit(void)
{
	fflush(stdout);
	_exit(report_failures() ? 1 : 0);
}

void turns_wait(const struct turns *turns)
{
	int status;

	close(turns->give);
	close(turns->take);
	if (waitpid(turns->child, &status, 0) != turns->child)
		report_die("waitpid");
	if (!WIFEXITED(status) || WEXITSTATUS(status))
		report_check(false, "the child ended with status %#x", status);
}
