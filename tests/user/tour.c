// SPDX-License-Identifier: BSD-2-Clause
/* The tour checks what it shows, beside whatever else the module is doing. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "vm.h"

#define LINES 20000

/* A text of lines that differ, as a symbol table is. */
static int text(const char *path)
{
	FILE *file = fopen(path, "w");
	unsigned int i;

	if (!file)
		return -1;
	for (i = 0; i < LINES; i++)
		fprintf(file, "%016x T symbol_%u\n", i * 64, i);
	return fclose(file);
}

static void show_end(int fd)
{
	static char output[65536];
	const ssize_t n = pread(fd, output, sizeof(output) - 1, 0);

	output[n < 0 ? 0 : n] = '\0';
	fputs(output, stderr);
}

TEST_LIMIT(each_check_of_the_tour_holds, 120)
{
	static char tour[4096];
	const int out = memfd_create("out", MFD_CLOEXEC);
	const ssize_t n = readlink("/proc/self/exe", tour, sizeof(tour) - 32);
	pid_t pid;
	int status;

	ASSERT(n > 0 && out >= 0 && !text("/mnt/ext4/tour"));
	strcpy(strrchr(tour, '/'), "/../bin/bsdvm-tour");
	pid = harness_fork();
	if (!pid) {
		dup2(out, STDOUT_FILENO);
		dup2(out, STDERR_FILENO);
		execl(tour, "bsdvm-tour", "-d", "/mnt/ext4", "/mnt/ext4/tour",
		      NULL);
		_exit(127);
	}
	status = harness_wait(pid);
	EXPECT_EQ(status, 0);
	if (status)
		show_end(out);
	close(out);
	unlink("/mnt/ext4/tour");
}
