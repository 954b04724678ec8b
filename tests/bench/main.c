// SPDX-License-Identifier: BSD-2-Clause
/*
 * Usage: bsdvm-bench [--row N]... [--settle SECONDS] [--profile]
 *
 * Runs the rows, or those named, and writes what it found to stdout as JSON;
 * tests/bench/run makes a table of it. Only where the clock counts instructions
 * (scripts/vm --icount) do figures mean what they say.
 *
 *   --settle S  wait that long first, for what a boot has left (default 30)
 *   --profile   one run of each, and the addresses of the modules' functions
 */
#include <err.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "bench.h"

#define RUNS_MAX 8

/* What is kept of the runs of a row on a peer. */
struct outcome {
	uint64_t *samples;
	size_t nsamples;
	struct run run[RUNS_MAX]; /* their own samples are not kept */
	unsigned int nruns;
};

static const struct peer *const peers[] = { &peer_native, &peer_bsdvm };
#define NPEERS (sizeof(peers) / sizeof(peers[0]))

static unsigned long chosen_rows;
static unsigned int settle = 30;
static bool profile;

static int compare_u64(const void *a, const void *b)
{
	const uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

static int compare_double(const void *a, const void *b)
{
	const double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static void keep(struct outcome *outcome, const struct run *run)
{
	size_t n = outcome->nsamples + run->nsamples;

	if (outcome->nruns == RUNS_MAX)
		errx(1, "too many runs");
	outcome->run[outcome->nruns++] = *run;
	if (!run->nsamples)
		return;
	outcome->samples =
		realloc(outcome->samples, n * sizeof(outcome->samples[0]));
	if (!outcome->samples)
		err(1, "realloc");
	memcpy(outcome->samples + outcome->nsamples, run->sample,
	       run->nsamples * sizeof(run->sample[0]));
	outcome->nsamples = n;
}

/* Median over the runs of what @value gives for each. */
static double median(const struct row *row, const struct outcome *outcome,
		     double (*value)(const struct row *, const struct run *))
{
	double values[RUNS_MAX];
	unsigned int i;

	for (i = 0; i < outcome->nruns; i++)
		values[i] = value(row, &outcome->run[i]);
	qsort(values, outcome->nruns, sizeof(values[0]), compare_double);
	return values[outcome->nruns / 2];
}

static double run_total(const struct row *row, const struct run *run)
{
	(void)row;
	return (double)run->total;
}

static double run_tail(const struct row *row, const struct run *run)
{
	(void)row;
	return (double)run->tail;
}

static double run_base(const struct row *row, const struct run *run)
{
	(void)row;
	return (double)run->base;
}

static double run_mean(const struct row *row, const struct run *run)
{
	return ((double)run->total + (double)run->tail) / (double)row->pages;
}

static double run_net(const struct row *row, const struct run *run)
{
	(void)row;
	return (double)run->sample[0] - (double)run->base;
}

static double run_whole(const struct row *row, const struct run *run)
{
	(void)row;
	return (double)run->total + (double)run->tail;
}

static double run_net_mean(const struct row *row, const struct run *run)
{
	(void)row;
	return ((double)run->total + (double)run->tail - (double)run->base) /
	       (double)run->ops;
}

static double run_bytes(const struct row *row, const struct run *run)
{
	(void)row;
	return (double)run->bytes / (double)run->ops;
}

/* Operations of a sample. */
static unsigned int batch(const struct row *row)
{
	return row->batch ? row->batch : 1;
}

static double figure(const struct row *row, const struct outcome *outcome)
{
	switch (row->metric) {
	case METRIC_P50:
		return (double)outcome->samples[outcome->nsamples / 2] /
		       batch(row);
	case METRIC_MEAN:
		return median(row, outcome, run_mean);
	case METRIC_NET:
		return median(row, outcome, run_net_mean);
	case METRIC_WHOLE:
		return median(row, outcome, run_whole);
	case METRIC_BYTES:
		return median(row, outcome, run_bytes);
	default:
		return median(row, outcome, run_net);
	}
}

static void print_string(const char *name, const char *value)
{
	const char *p;

	printf("\"%s\": \"", name);
	for (p = value; *p && *p != '\n'; p++) {
		if (*p == '"' || *p == '\\')
			putchar('\\');
		if (*p != '\t')
			putchar(*p);
	}
	printf("\"");
}

static void print_samples(struct outcome *outcome)
{
	const uint64_t *s = outcome->samples;
	const size_t n = outcome->nsamples;
	double sum = 0;
	size_t i;

	if (!n)
		return;
	for (i = 0; i < n; i++)
		sum += (double)s[i];
	printf(", \"p50\": %llu, \"mean\": %.1f, \"min\": %llu, \"p99\": %llu, \"max\": %llu",
	       (unsigned long long)s[n / 2], sum / (double)n,
	       (unsigned long long)s[0], (unsigned long long)s[n * 99 / 100],
	       (unsigned long long)s[n - 1]);
}

static void print_outcome(const struct row *row, const struct peer *peer,
			  struct outcome *outcome)
{
	const struct counts *counts = &outcome->run[0].counts;

	if (outcome->nsamples)
		qsort(outcome->samples, outcome->nsamples,
		      sizeof(outcome->samples[0]), compare_u64);
	printf("      \"%s\": {\"figure\": %.4f, \"total\": %.0f, \"tail\": %.0f, \"base\": %.0f",
	       peer->name, figure(row, outcome),
	       median(row, outcome, run_total), median(row, outcome, run_tail),
	       median(row, outcome, run_base));
	print_samples(outcome);
	printf(", \"counts\": {\"minflt\": %llu, \"faults\": %llu, \"zero_fills\": %llu, \"copies\": %llu, \"takeovers\": %llu, \"prefaults\": %llu, \"shootdowns\": %llu, \"pages_out\": %llu, \"writes\": %llu, \"pages_in\": %llu, \"reads\": %llu, \"objects\": %llu}}",
	       (unsigned long long)counts->minflt,
	       (unsigned long long)counts->faults,
	       (unsigned long long)counts->zero_fills,
	       (unsigned long long)counts->copies,
	       (unsigned long long)counts->takeovers,
	       (unsigned long long)counts->prefaults,
	       (unsigned long long)counts->shootdowns,
	       (unsigned long long)counts->pages_out,
	       (unsigned long long)counts->writes,
	       (unsigned long long)counts->pages_in,
	       (unsigned long long)counts->reads,
	       (unsigned long long)counts->objects);
}

static const char *metric_name(enum metric metric)
{
	switch (metric) {
	case METRIC_P50:
		return "p50";
	case METRIC_MEAN:
	case METRIC_NET:
		return "mean";
	case METRIC_BYTES:
		return "bytes";
	default:
		return "total";
	}
}

static void run_row(const struct row *row, struct run *run, bool first)
{
	static struct outcome outcomes[NPEERS];
	unsigned int i, p;

	memset(outcomes, 0, sizeof(outcomes));
	for (i = 0; i < (profile ? 1 : row->runs); i++) {
		for (p = 0; p < NPEERS; p++) {
			fprintf(stderr, "row %u, run %u, %s\n", row->number,
				i + 1, peers[p]->name);
			measure_row(row, peers[p], run);
			keep(&outcomes[p], run);
		}
	}
	printf("%s    {\"row\": \"%u%s\", ", first ? "" : ",\n", row->number,
	       row->part ? row->part : "");
	print_string("name", row->name);
	printf(", \"unit\": \"%s\", \"metric\": \"%s\", \"pages\": %zu, \"n\": %zu, \"batch\": %u, \"target\": %.3f, \"stretch\": %.3f,\n",
	       row->unit, metric_name(row->metric), row->pages, row->n,
	       batch(row), row->target, row->stretch);
	for (p = 0; p < NPEERS; p++) {
		print_outcome(row, peers[p], &outcomes[p]);
		printf("%s\n", p + 1 < NPEERS ? "," : "}");
		free(outcomes[p].samples);
	}
	fflush(stdout);
}

/* The value of the line of @path that begins with @key; the first if NULL. */
static void print_line(const char *name, const char *path, const char *key)
{
	char line[4096], *value;
	FILE *file = fopen(path, "r");

	if (!file)
		err(1, "%s", path);
	while (fgets(line, sizeof(line), file)) {
		if (key && strncmp(line, key, strlen(key)) != 0)
			continue;
		value = key ? strchr(line, ':') : NULL;
		print_string(name, value ? value + 2 : line);
		printf(", ");
		break;
	}
	fclose(file);
}

/* Native Linux is to answer every fault with a page of 4 KiB. */
static void no_huge_pages(void)
{
	const char *path = "/sys/kernel/mm/transparent_hugepage/enabled";
	int fd = open(path, O_WRONLY);

	if (fd < 0 || write(fd, "never", 5) != 5)
		err(1, "%s", path);
	close(fd);
}

static void print_module_symbols(void)
{
	FILE *file = fopen("/proc/kallsyms", "r");
	char line[512];

	if (!file)
		err(1, "/proc/kallsyms");
	while (fgets(line, sizeof(line), file)) {
		if (strchr(line, '['))
			printf("symbol %s", line);
	}
	fclose(file);
}

/* A part of a row, as 16d, or all parts, as 16. */
static void choose(const char *name)
{
	const unsigned long before = chosen_rows;
	char *part;
	unsigned long number = strtoul(name, &part, 10);
	size_t i;

	for (i = 0; i < nrows; i++)
		if (rows[i].number == number &&
		    (!*part || (rows[i].part && !strcmp(rows[i].part, part))))
			chosen_rows |= 1UL << i;
	if (chosen_rows == before)
		errx(2, "there is no row %s", name);
}

static void parse_options(int argc, char **argv)
{
	static const struct option options[] = {
		{ "row", required_argument, NULL, 'r' },
		{ "settle", required_argument, NULL, 's' },
		{ "profile", no_argument, NULL, 'p' },
		{ NULL, 0, NULL, 0 },
	};
	int option;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		switch (option) {
		case 'r':
			choose(optarg);
			break;
		case 's':
			settle = strtoul(optarg, NULL, 10);
			break;
		case 'p':
			profile = true;
			break;
		default:
			exit(2);
		}
	}
	if (optind < argc)
		errx(2, "unexpected argument %s", argv[optind]);
}

int main(int argc, char **argv)
{
	bool first = true;
	struct utsname uts;
	struct run *run;
	size_t i;

	parse_options(argc, argv);
	no_huge_pages();
	run = mmap(NULL, sizeof(*run), PROT_READ | PROT_WRITE,
		   MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (run == MAP_FAILED)
		err(1, "mmap");
	if (profile) {
		kernel_load();
		disk_load();
		print_module_symbols();
	}
	uname(&uts);
	printf("{\n  ");
	print_string("kernel", uts.release);
	printf(", ");
	print_line("command_line", "/proc/cmdline", NULL);
	print_line("cpu", "/proc/cpuinfo", "model name");
	print_line("memory", "/proc/meminfo", "MemTotal");
	printf("\"settle\": %u,\n  \"rows\": [\n", settle);
	sleep(settle);
	for (i = 0; i < nrows; i++) {
		if (chosen_rows && !(chosen_rows & 1UL << i))
			continue;
		run_row(&rows[i], run, first);
		first = false;
	}
	printf("\n  ]\n}\n");
	return 0;
}
