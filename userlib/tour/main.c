// SPDX-License-Identifier: BSD-2-Clause
/*
 * bsdvm-tour: BSD virtual memory in eight steps, on a real file. Read the
 * output beside chapter 6 of "The Design and Implementation of the FreeBSD
 * Operating System", or let the exit status tell whether all checks held.
 */
#include <err.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "report.h"
#include "tour.h"

static const char usage[] =
	"usage: bsdvm-tour [-d DIRECTORY] SYSTEM.MAP\n"
	"\n"
	"Shows BSD virtual memory at work on the file SYSTEM.MAP, or any other\n"
	"text of some pages. It is copied to a file in DIRECTORY (default:\n"
	"$TMPDIR, or /tmp), which is gone at the end. Exits 0 if all checks held.\n";

static void (*const steps[])(struct tour *tour) = {
	step_map_file,	     step_share_file, step_private_write, step_fork,
	step_thousand_forks, step_signals,    step_sparse,	  step_counters,
};

/* The copy, for exit(3) to remove; children of the tour leave by _exit(2). */
static struct tour tour;

static void remove_copy(void)
{
	unlink(tour.file);
}

static void copy_file(const char *directory)
{
	char buf[65536];
	ssize_t n;
	int in, out;

	in = open(tour.system_map, O_RDONLY | O_CLOEXEC);
	if (in < 0)
		err(1, "%s", tour.system_map);
	if ((size_t)snprintf(tour.file, sizeof(tour.file),
			     "%s/bsdvm-tour.XXXXXX",
			     directory) >= sizeof(tour.file))
		errx(1, "%s: name too long", directory);
	out = mkstemp(tour.file);
	if (out < 0)
		err(1, "%s", tour.file);
	atexit(remove_copy);
	while ((n = read(in, buf, sizeof(buf))) > 0) {
		if (write(out, buf, n) != n)
			err(1, "%s", tour.file);
		tour.size += n;
	}
	if (n < 0)
		err(1, "%s", tour.system_map);
	close(in);
	close(out);
}

static void arrive(void)
{
	struct bsdvm_info info;
	void *start;
	size_t size;

	if (bsdvm_attach(0))
		err(1, "%s", BSDVM_DEVICE);
	if (bsdvm_info(&info) || bsdvm_window(&start, &size))
		err(1, "bsdvm_info");
	tour.page = info.page_size;
	tour.before = report_stats();
	report_say("%s: a pool of %llu pages of %u bytes, %llu of them free.\n"
		   "This process has a window of %zu GiB at %p.",
		   BSDVM_DEVICE, (unsigned long long)tour.before.v_page_count,
		   info.page_size, (unsigned long long)tour.before.v_free_count,
		   size >> 30, start);
}

int main(int argc, char **argv)
{
	const char *directory = getenv("TMPDIR");
	size_t i;
	int opt;

	while ((opt = getopt(argc, argv, "d:h")) != -1) {
		switch (opt) {
		case 'd':
			directory = optarg;
			break;
		case 'h':
			fputs(usage, stdout);
			return 0;
		default:
			fputs(usage, stderr);
			return 2;
		}
	}
	if (optind != argc - 1) {
		fputs(usage, stderr);
		return 2;
	}
	tour.system_map = argv[optind];
	copy_file(directory ? directory : "/tmp");
	setvbuf(stdout, NULL, _IOLBF, 0);
	arrive();
	if (tour.size < 4 * tour.page)
		errx(1, "%s: %zu bytes are too few for the tour",
		     tour.system_map, tour.size);
	for (i = 0; i < sizeof(steps) / sizeof(steps[0]); i++)
		steps[i](&tour);
	if (report_failures())
		printf("\n%u checks FAILED\n", report_failures());
	else
		printf("\nAll checks held.\n");
	return report_failures() ? 1 : 0;
}
