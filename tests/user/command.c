// SPDX-License-Identifier: BSD-2-Clause
/* bsdvm(1): usage, exit status and output; the subcommands stat, sysctl and kmap. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "command_run.h"

/* The number in front of these words. */
static long long before(const char *text, const char *words)
{
	const char *line;
	char *end;

	for (line = text; *line; line = run_body(line)) {
		const long long value = strtoll(line, &end, 10);

		if (end == line + 9 && *end == ' ' &&
		    !strncmp(end + 1, words, strlen(words)) &&
		    end[1 + strlen(words)] == '\n')
			return value;
	}
	harness_fail(__FILE__, __LINE__, "no \"%s\"", words);
	return -1;
}

/* --- usage */

TEST_LIMIT(a_wrong_command_line_exits_2, 180)
{
	static char *const lines[][4] = {
		{ NULL },
		{ "nonsense" },
		{ "--nonsense" },
		{ "help", "nonsense" },
		{ "help", "map", "stat" },
		{ "map" },
		{ "map", "--nonsense", "1" },
		{ "map", "0" },
		{ "map", "1x" },
		{ "map", "1", "" },
		{ "map", "99999999999" },
		{ "map", "--", "-1" },
		{ "rusage" },
		{ "rusage", "one" },
		{ "stat", "0" },
		{ "stat", "-1" },
		{ "stat", "--", "-1" },
		{ "stat", "1s" },
		{ "stat", "nan" },
		{ "stat", "1e9" },
		{ "stat", "1", "0" },
		{ "stat", "1", "x" },
		{ "stat", "1", "1", "1" },
		{ "stat", "-z", "-m" },
		{ "stat", "-z", "1" },
		{ "stat", "-x" },
		{ "objects", "1" },
		{ "graph" },
		{ "graph", "init" },
		{ "graph", "--json", "--svg", "1" },
		{ "top", "1" },
		{ "top", "-d", "0" },
		{ "top", "-n", "0" },
		{ "kmap", "1" },
		{ "kmap", "-x" },
		{ "sysctl", "-x" },
		{ "sysctl", "-a", "vm.overcommit" },
		{ "sysctl", "=1" },
		{ "sysctl", "vm.overcommit=" },
		{ "sysctl", "vm.overcommit=x" },
		{ "sysctl", "vm.overcommit=-1" },
		{ "sysctl", "vm.overcommit=1 " },
		{ "sysctl", "vm.overcommit=18446744073709551616" },
		{ "sysctl", "-d", "vm.overcommit=1" },
	};
	size_t i;

	for (i = 0; i < COUNT_OF(lines); i++) {
		char *args[] = { "bsdvm",     lines[i][0], lines[i][1],
				 lines[i][2], lines[i][3], NULL };
		const struct outcome *o = run_args(&(struct way){ 0 }, args);

		if (o->status != 2 || *o->out ||
		    (strncmp(o->err, "bsdvm: ", 7) &&
		     strncmp(o->err, "usage: ", 7)))
			harness_fail(__FILE__, __LINE__,
				     "bsdvm %s %s: %d, \"%.80s\"",
				     lines[i][0] ?: "", lines[i][1] ?: "",
				     o->status, o->err);
	}
}

TEST_LIMIT(help_is_printed_and_no_failure, 180)
{
	static char *const commands[] = { "map",    "stat", "objects", "sysctl",
					  "rusage", "kmap", "graph",   "top" };
	char *general, *help, begin[64];
	size_t i;

	EXPECT_SUCCESS(run("--help"));
	general = strdup(run("--help")->out);
	EXPECT_TEXT(run("help")->out, general);
	EXPECT_TEXT(run("-h")->out, general);
	for (i = 0; i < COUNT_OF(commands); i++) {
		snprintf(begin, sizeof(begin), "\n  %s ", commands[i]);
		EXPECT(strstr(general, begin));
		EXPECT_SUCCESS(run("help", commands[i]));
		help = strdup(run("help", commands[i])->out);
		snprintf(begin, sizeof(begin), "usage: bsdvm %s [--json",
			 commands[i]);
		EXPECT(!strncmp(help, begin, strlen(begin)));
		EXPECT_TEXT(run(commands[i], "--help")->out, help);
		free(help);
	}
	free(general);
	EXPECT_SUCCESS(run("--version"));
	EXPECT(!strncmp(run("--version")->out, "bsdvm ", 6));
}

TEST(without_the_module_it_says_so)
{
	const struct way way = { .no_device = true };
	static char *const lines[][2] = {
		{ "map", "1" },
		{ "stat" },
		{ "stat", "1" },
		{ "stat", "-z" },
		{ "stat", "-m" },
		{ "objects" },
		{ "sysctl" },
		{ "rusage", "1" },
		{ "sysctl", "vm.overcommit=0" },
		{ "graph", "1" },
		{ "top", "-b" },
	};
	size_t i;

	for (i = 0; i < COUNT_OF(lines); i++)
		EXPECT_FAILURE(run_way(&way, lines[i][0], lines[i][1], NULL), 1,
			       "bsdvm: /dev/bsdvm: No such file or directory: "
			       "is the module loaded?\n");
}

TEST_LIMIT(output_that_does_not_arrive_is_a_failure, 180)
{
	const struct way way = { .output = "/dev/full" };
	const struct target target = target_start(0, build_fork);
	char *const lines[][3] = {
		{ "--help" },
		{ "--version" },
		{ "help", "map" },
		{ "map", (char *)target.text },
		{ "map", "--json", (char *)target.text },
		{ "stat" },
		{ "stat", "--json" },
		{ "stat", "-z" },
		{ "stat", "-m", "--json" },
		{ "stat", "0.01", "3" },
		{ "stat", "0.01" },
		{ "objects" },
		{ "sysctl" },
		{ "rusage", (char *)target.text },
		{ "graph", (char *)target.text },
		{ "graph", "--json", (char *)target.text },
		{ "top", "-b", "-d0.01" },
		{ "top", "--json", "-d0.01" },
	};
	size_t i;

	for (i = 0; i < COUNT_OF(lines); i++)
		EXPECT_FAILURE(
			run_way(&way, lines[i][0], lines[i][1], lines[i][2],
				NULL),
			1, "bsdvm: standard output: No space left on device\n");
	target_end(&target);
}

TEST(it_makes_no_window)
{
	const struct target target = target_start(0, build_empty);

	EXPECT_EQ(before(run("stat")->out, "windows"), 1);
	EXPECT_EQ(vm_stats().v_vmspaces, 1);
	target_end(&target);
}

/* --- stat */

TEST(stat_lists_the_counters_in_vmstats_words)
{
	const struct bsdvm_stats stats = vm_stats();
	const struct outcome *o = run("stat");
	char *first = strdup(o->out);
	struct target target;

	EXPECT_SUCCESS(o);
	EXPECT_EQ(before(first, "bytes per page"), PAGE);
	EXPECT_EQ(before(first, "pages in the pool"), stats.v_page_count);
	EXPECT_EQ(before(first, "copy-on-write faults"), stats.v_cow_faults);
	EXPECT_EQ(before(first, "fork() calls"), stats.v_forks);
	target = target_start(0, build_fork);
	o = run("stat");
	EXPECT_EQ(before(o->out, "fork() calls"), stats.v_forks + 1);
	EXPECT_EQ(before(o->out, "copy-on-write faults"),
		  stats.v_cow_faults + 1);
	EXPECT_EQ(before(o->out, "zero fill pages zeroed"), stats.v_zfod + 2);
	EXPECT_EQ(before(o->out, "windows"), stats.v_vmspaces + 2);
	target_end(&target);
	free(first);
}

/* Every counter, by the name that the header gives it. */
static const char stat_check[] =
	"import json, sys\n"
	"lines = [json.loads(line) for line in sys.stdin]\n"
	"names = [sorted(line) for line in lines]\n"
	"assert all(n == sorted(names[0] + ['time']) for n in names[1:])\n"
	"times = [line['time'] for line in lines[1:]]\n"
	"assert times == sorted(times) and times[0] > 1.7e9\n"
	"print(len(lines), len(lines[0]), lines[0]['v_page_size'],\n"
	"      lines[0]['v_page_count'], lines[2]['v_forks'])\n";

TEST_LIMIT(stat_in_json_has_the_members_names, 180)
{
	const struct bsdvm_stats stats = vm_stats();
	const size_t members = (sizeof(stats) - 8) / sizeof(stats.v_page_size);
	char *text = strdup(run("stat", "--json")->out), want[64];

	text = realloc(text, 65536);
	ASSERT(text);
	EXPECT_SUCCESS(run("stat", "--json", "0.05", "2"));
	strcat(text, run("stat", "--json", "0.05", "2")->out);
	snprintf(want, sizeof(want), "3 %zu %zu %ju %ju\n", members, PAGE,
		 (uintmax_t)stats.v_page_count, (uintmax_t)stats.v_forks);
	EXPECT_TEXT(run_python(stat_check, text), want);
	free(text);
}

/* --- stat -z, stat -m */

#define ZONES_HEADER                                                         \
	"ITEM                   SIZE    LIMIT      USED      FREE       REQ" \
	"  FAIL SLEEP\n"

/* Every zone a line, in its order; those of malloc(9) are always there. */
TEST(stat_z_lists_the_zones)
{
	const struct outcome *o = run("stat", "-z");
	unsigned long long size, v[6];
	struct bsdvm_zone *zones;
	const char *line = o->out;
	size_t i, count, mallocs = 0;

	EXPECT_SUCCESS(o);
	ASSERT(!strncmp(line, ZONES_HEADER, strlen(ZONES_HEADER)));
	line += strlen(ZONES_HEADER);
	zones = bsdvm_getzones(&count);
	ASSERT(zones);
	for (i = 0; i < count; i++) {
		const size_t len = strlen(zones[i].uz_name);

		ASSERT(!strncmp(line, zones[i].uz_name, len));
		ASSERT(line[len] == ':');
		ASSERT(sscanf(line + len + 1,
			      "%llu, %llu, %llu, %llu, %llu, %llu, %llu\n",
			      &size, &v[0], &v[1], &v[2], &v[3], &v[4],
			      &v[5]) == 7);
		EXPECT_EQ(size, zones[i].uz_size);
		EXPECT(zones[i].uz_rsize >= size);
		EXPECT(zones[i].uz_used <= zones[i].uz_requests);
		mallocs += !strncmp(line, "malloc-", 7);
		line = strchr(line, '\n') + 1;
	}
	EXPECT_TEXT(line, "");
	EXPECT_EQ(mallocs, 9);
	bsdvm_freezones(zones);
}

#define TYPES_HEADER \
	"            Type  InUse  MemUse HighUse Requests  Size(s)\n"

TEST(stat_m_lists_the_types_of_memory)
{
	const struct outcome *o = run("stat", "-m");
	struct bsdvm_malloc_type *types;
	const char *line = o->out;
	unsigned long long v[4];
	size_t i, count;
	char name[64];

	EXPECT_SUCCESS(o);
	ASSERT(!strncmp(line, TYPES_HEADER, strlen(TYPES_HEADER)));
	line += strlen(TYPES_HEADER);
	types = bsdvm_getmalloctypes(&count);
	ASSERT(types);
	for (i = 0; i < count; i++) {
		ASSERT(sscanf(line, "%63s %llu %lluK %lluK %llu", name, &v[0],
			      &v[1], &v[2], &v[3]) == 5);
		EXPECT_TEXT(name, types[i].mt_name);
		EXPECT(types[i].mt_memuse <= types[i].mt_highuse);
		EXPECT(types[i].mt_inuse <= types[i].mt_requests);
		line = strchr(line, '\n') + 1;
	}
	EXPECT_TEXT(line, "");
	bsdvm_freemalloctypes(types);
}

static const char table_check[] =
	"import json, sys\n"
	"table = json.load(sys.stdin)\n"
	"assert all(sorted(r) == sorted(table[0]) for r in table)\n"
	"print(len(table), len(table[0]) if table else 0)\n";

TEST_LIMIT(stat_z_in_json_has_the_members_names, 180)
{
	struct bsdvm_zone *zones;
	size_t count;
	char want[64];
	char *text = strdup(run("stat", "-z", "--json")->out);

	zones = bsdvm_getzones(&count);
	ASSERT(zones);
	snprintf(want, sizeof(want), "%zu 12\n", count);
	EXPECT_TEXT(run_python(table_check, text), want);
	bsdvm_freezones(zones);
	free(text);
}

/* A table in pieces, and with records of other sizes than the module's. */
TEST(tables_come_in_pieces_and_in_any_size)
{
	char buf[256];
	struct bsdvm_zone *zones;
	struct bsdvm_table arg = { .size = sizeof(arg) };
	size_t i, count;

	zones = bsdvm_getzones(&count);
	ASSERT(zones);
	for (i = 0; i <= count; i++) {
		arg = (struct bsdvm_table){
			.size = sizeof(arg),
			.record = 200,
			.buf = (uintptr_t)buf,
			.buf_len = sizeof(buf),
			.start = i,
		};
		memset(buf, 0xff, sizeof(buf));
		ASSERT(!ioctl(bsdvm_fd(), BSDVM_IOC_ZONES, &arg));
		EXPECT_EQ(arg.count, i < count);
		EXPECT_EQ(arg.more, i + 1 < count);
		EXPECT_EQ(arg.buf_len, i < count ? 200 : 0);
		if (i == count)
			break;
		EXPECT_TEXT(buf, zones[i].uz_name);
		EXPECT(vm_all(buf + sizeof(zones[i]), 200 - sizeof(zones[i]),
			      0));
		EXPECT_EQ((unsigned char)buf[200], 0xff);
	}
	bsdvm_freezones(zones);
	arg.start = 0xffffffff;
	arg.count = arg.more = 0;
	ASSERT(!ioctl(bsdvm_fd(), BSDVM_IOC_ZONES, &arg));
	EXPECT_EQ(arg.count, 0);
	arg.start = 0;
	arg.buf_len = 199;
	EXPECT(ioctl(bsdvm_fd(), BSDVM_IOC_ZONES, &arg) == -1 &&
	       errno == ENOSPC);
	arg.record = sizeof(struct bsdvm_zone) - 8;
	EXPECT(ioctl(bsdvm_fd(), BSDVM_IOC_ZONES, &arg) == -1 &&
	       errno == EINVAL);
	arg.record = 201;
	EXPECT(ioctl(bsdvm_fd(), BSDVM_IOC_ZONES, &arg) == -1 &&
	       errno == EINVAL);
	arg.record = 2 * PAGE;
	EXPECT(ioctl(bsdvm_fd(), BSDVM_IOC_ZONES, &arg) == -1 &&
	       errno == E2BIG);
	arg.record = sizeof(struct bsdvm_zone);
	arg.buf = 8;
	arg.buf_len = 4096;
	EXPECT(ioctl(bsdvm_fd(), BSDVM_IOC_ZONES, &arg) == -1 &&
	       errno == EFAULT);
}

#define STAT_HEADER                                              \
	"             memory                             page\n" \
	"      avm       fre    flt    re    pi    po     fr     sr\n"

TEST(stat_repeats_its_header_every_20_lines)
{
	const struct outcome *o = run("stat", "0.02", "41");
	const char *line = o->out;
	int i;

	EXPECT_SUCCESS(o);
	for (i = 0; i < 41; i++) {
		const bool header =
			!strncmp(line, STAT_HEADER, strlen(STAT_HEADER));
		unsigned long v[8];

		EXPECT_EQ(header, i % 20 == 0);
		if (header)
			line += strlen(STAT_HEADER);
		EXPECT_EQ(sscanf(line, "%lu %lu %lu %lu %lu %lu %lu %lu\n",
				 &v[0], &v[1], &v[2], &v[3], &v[4], &v[5],
				 &v[6], &v[7]),
			  8);
		line = strchr(line, '\n');
		ASSERT(line);
		line++;
	}
	EXPECT_TEXT(line, "");
}

/* A child that faults and frees a page, again and again. */
static void build_faults(void)
{
	pid_t pid;

	shared->map = vm_anon(1);
	pid = harness_fork();
	if (pid) {
		shared->child = pid;
		return;
	}
	for (;;) {
		*shared->map = 1;
		if (bsdvm_munmap(shared->map, PAGE))
			_exit(1);
		map_fixed(0, 1, RW, ANON, -1);
		usleep(1000);
	}
}

TEST(stat_shows_rates)
{
	struct target target = target_start(0, build_faults);
	unsigned long avm, fre, flt, re, pi, po, fr;
	const struct outcome *o;

	o = run("stat", "1", "1");
	EXPECT_SUCCESS(o);
	ASSERT(!strncmp(o->out, STAT_HEADER, strlen(STAT_HEADER)));
	ASSERT(sscanf(o->out + strlen(STAT_HEADER),
		      "%lu %lu %lu %lu %lu %lu %lu\n", &avm, &fre, &flt, &re,
		      &pi, &po, &fr) == 7);
	/* One at least in the second, and never more than it can sleep. */
	EXPECT(flt > 0 && flt <= 1000);
	EXPECT(fr > 0 && fr <= 1000);
	EXPECT(fre > 0 && fre <= vm_stats().v_page_count * PAGE / 1024);
	EXPECT_EQ(pi + po, 0);
	target_end(&target);
}

TEST(stat_ends_at_an_interrupt_with_whole_lines)
{
	char *args[] = { "bsdvm", "stat", "0.05", NULL };
	char text[65536];
	size_t len = 0;
	int out[2], lines = 0, status;
	ssize_t n;
	pid_t pid;

	ASSERT(!pipe2(out, O_CLOEXEC));
	pid = run_start(&(struct way){ 0 }, out[1], STDERR_FILENO, args);
	close(out[1]);
	/* Each line comes when it is due: it does not wait for a full buffer. */
	while (lines < 4 &&
	       (n = read(out[0], text + len, sizeof(text) - len)) > 0) {
		for (; n--; len++)
			lines += text[len] == '\n';
	}
	EXPECT(lines >= 4 && lines < 100);
	EXPECT(!waitpid(pid, &status, WNOHANG));
	ASSERT(!kill(pid, SIGINT));
	EXPECT_EQ(run_finish(pid), 0);
	while ((n = read(out[0], text + len, sizeof(text) - len)) > 0)
		len += n;
	EXPECT_EQ(text[len - 1], '\n');
	close(out[0]);
}

TEST(stat_ends_when_nobody_reads_it)
{
	char *args[] = { "bsdvm", "stat", "0.01", NULL };
	const int err = memfd_create("err", MFD_CLOEXEC);
	char text[256];
	int out[2];

	ASSERT(err >= 0 && !pipe2(out, O_CLOEXEC));
	close(out[0]);
	EXPECT_EQ(run_finish(run_start(&(struct way){ 0 }, out[1], err, args)),
		  -SIGPIPE);
	signal(SIGPIPE, SIG_IGN);
	EXPECT_EQ(run_finish(run_start(&(struct way){ 0 }, out[1], err, args)),
		  1);
	run_read(err, text, sizeof(text));
	EXPECT_TEXT(text, "bsdvm: standard output: Broken pipe\n");
}

/* --- sysctl */

TEST_LIMIT(sysctl_lists_all_of_them, 180)
{
	static const char *const names[] = {
		"vm.overcommit",
		"vm.max_user_wired",
		"vm.mincore_mapped",
		"vm.old_msync",
		"vm.imply_prot_max",
		"vm.pfault_oom_attempts",
		"vm.pfault_oom_wait",
		"security.bsd.stack_guard_page",
		"security.bsd.unprivileged_mlock",
		"kern.sgrowsiz",
		"kern.maxdsiz",
		"machdep.prot_fault_translation",
		"vm.swap_reserved",
		"vm.swap_total",
		"vm.user_wire_count",
		"vm.max_user_pages",
		"vm.oom_kill",
		"vm.swap_idle_threshold1",
		"vm.swap_idle_threshold2",
		"vm.pageout_oom_seq",
		"vm.pageout_update_period",
		"vm.max_proc_mmap",
		"vm.lowmem_period",
		"vm.act_scan_laundry_weight",
		"vm.background_launder_rate",
		"vm.disable_swapspace_pageouts",
		"debug.swap_fail_read",
		"debug.swap_fail_write",
	};
	char *all = strdup(run("sysctl")->out), line[128];
	uint64_t value;
	size_t i;

	EXPECT_SUCCESS(run("sysctl", "-a"));
	EXPECT_TEXT(run("sysctl", "-a")->out, all);
	for (i = 0; i < COUNT_OF(names); i++) {
		ASSERT(!bsdvm_sysctl_get(names[i], &value));
		snprintf(line, sizeof(line), "%s: %ju\n", names[i],
			 (uintmax_t)value);
		EXPECT(strstr(all, line));
		EXPECT_TEXT(run("sysctl", names[i])->out, line);
		EXPECT_TEXT(run("sysctl", "-n", names[i])->out,
			    strchr(line, ' ') + 1);
	}
	free(all);
}

TEST(sysctl_describes)
{
	const struct outcome *o = run("sysctl", "-d", "vm.overcommit");

	EXPECT_SUCCESS(o);
	EXPECT(!strncmp(o->out, "vm.overcommit: ", 15));
	EXPECT(strstr(o->out, " (0 to 7)\n"));
	o = run("sysctl", "-d", "vm.swap_total");
	EXPECT(strstr(o->out, " (read-only)\n"));
	EXPECT_SUCCESS(run("sysctl", "-d"));
}

TEST(sysctl_sets_and_says_what_it_was)
{
	uint64_t value;

	EXPECT_SUCCESS(run("sysctl", "vm.pfault_oom_wait=7"));
	ASSERT(!bsdvm_sysctl_get("vm.pfault_oom_wait", &value));
	EXPECT_EQ(value, 7);
	EXPECT_TEXT(run("sysctl", "vm.pfault_oom_wait=0x3")->out,
		    "vm.pfault_oom_wait: 7 -> 3\n");
	EXPECT_TEXT(run("sysctl", "vm.pfault_oom_wait", "vm.pfault_oom_wait=2",
			"vm.pfault_oom_wait")
			    ->out,
		    "vm.pfault_oom_wait: 3\nvm.pfault_oom_wait: 3 -> 2\n"
		    "vm.pfault_oom_wait: 2\n");
}

TEST(sysctl_that_is_refused_changes_nothing)
{
	uint64_t before_it, value;

	ASSERT(!bsdvm_sysctl_get("vm.overcommit", &before_it));
	EXPECT_FAILURE(run("sysctl", "vm.overcommit=8"), 1,
		       "bsdvm: vm.overcommit: 8 is not from 0 to 7\n");
	EXPECT_FAILURE(run_nobody("sysctl", "vm.overcommit=1"), 1,
		       "bsdvm: vm.overcommit: Operation not permitted\n");
	EXPECT_FAILURE(run("sysctl", "vm.swap_total=1"), 1,
		       "bsdvm: vm.swap_total: Operation not permitted\n");
	EXPECT_FAILURE(run("sysctl", "vm.nonsense=1"), 1,
		       "bsdvm: no sysctl 'vm.nonsense'\n");
	EXPECT_FAILURE(run("sysctl", "vm.nonsense"), 1,
		       "bsdvm: no sysctl 'vm.nonsense'\n");
	EXPECT_FAILURE(run("sysctl", ""), 1, "bsdvm: no sysctl ''\n");
	/* Nor does a line of which a later word is wrong. */
	EXPECT_EQ(run("sysctl", "vm.overcommit=1", "vm.overcommit=x")->status,
		  2);
	ASSERT(!bsdvm_sysctl_get("vm.overcommit", &value));
	EXPECT_EQ(value, before_it);
	/* But nobody may look. */
	EXPECT_SUCCESS(run_nobody("sysctl", "vm.overcommit"));
}

static const char sysctl_to_text[] =
	"import json, sys\n"
	"for s in json.load(sys.stdin):\n"
	"    assert s['desc'] and s['attr'] in (0, 1)\n"
	"    assert not s['attr'] or s['min'] <= s['value'] <= s['max']\n"
	"    print(s['name'], s['value'], sep=': ')\n";

TEST_LIMIT(sysctl_in_json_tells_the_same, 180)
{
	char *text = strdup(run("sysctl")->out);

	EXPECT(strstr(text, "vm.overcommit: "));
	EXPECT_TEXT(run_python(sysctl_to_text, run("sysctl", "--json")->out),
		    text);
	EXPECT_TEXT(run("sysctl", "--json", "vm.nonsense")->out, "[\n]\n");
	free(text);
}

/* --- kmap */

static const char *const kmap_names[] = { "kernel_map", "kmem_map",
					  "buffer_map", "exec_map" };

/* What the command says of a map: the line, without what may change meanwhile. */
static void kmap_line(const struct bsdvm_kmap *info, char *line, size_t size)
{
	snprintf(line, size, "%s %#jx %#jx %ju", info->name,
		 (uintmax_t)info->start, (uintmax_t)info->end,
		 (uintmax_t)(info->end - info->start) / 1024);
}

static const char kmap_to_text[] = "import sys\n"
				   "for line in sys.stdin:\n"
				   "    print(*line.split()[:4])\n";

TEST_LIMIT(kmap_lists_the_maps_in_order, 180)
{
	struct bsdvm_kmap info[COUNT_OF(kmap_names) + 1];
	char want[1024] = "MAP START END SIZE\n", line[128];
	const struct outcome *o;
	size_t i, n = 0;

	while (n < COUNT_OF(info) && !bsdvm_kmap(n, &info[n]))
		n++;
	EXPECT_EQ(errno, ENOENT);
	ASSERT(n == COUNT_OF(kmap_names));
	for (i = 0; i < n; i++) {
		EXPECT(!strcmp(info[i].name, kmap_names[i]));
		EXPECT(info[i].start < info[i].end);
		EXPECT(info[i].used + info[i].largest_free <=
		       info[i].end - info[i].start);
		/* A kernel address: we are root. */
		EXPECT(info[i].start >> 63);
		if (i) {
			EXPECT(info[i].start >= info[0].start);
			EXPECT(info[i].end <= info[0].end);
			EXPECT(i == 1 || info[i].start >= info[i - 1].end);
		}
		kmap_line(&info[i], line, sizeof(line));
		strcat(strcat(want, line), "\n");
	}
	/* The submaps are what is taken of the kernel map. */
	EXPECT(info[0].entries >= n - 1);
	o = run("kmap");
	EXPECT_SUCCESS(o);
	EXPECT_TEXT(run_python(kmap_to_text, o->out), want);
}

TEST_LIMIT(kmap_hides_kernel_addresses, 180)
{
	struct bsdvm_kmap info[COUNT_OF(kmap_names)];
	char want[1024] = "MAP START END SIZE\n", line[128];
	const struct outcome *o;
	uint64_t base;
	size_t i;

	for (i = 0; i < COUNT_OF(info); i++) {
		ASSERT(!bsdvm_kmap(i, &info[i]));
		base = i ? base : info[0].start;
		info[i].start -= base;
		info[i].end -= base;
		kmap_line(&info[i], line, sizeof(line));
		strcat(strcat(want, line), "\n");
	}
	o = run_nobody("kmap");
	EXPECT_SUCCESS(o);
	EXPECT_TEXT(run_python(kmap_to_text, o->out), want);
}

static const char kmap_json_to_text[] =
	"import json, sys\n"
	"for m in json.load(sys.stdin):\n"
	"    assert m['used'] + m['largest_free'] <= m['end'] - m['start']\n"
	"    assert m['allocations'] >= 0 and m['sleeps'] >= 0\n"
	"    print(m['name'], hex(m['start']), hex(m['end']), m['entries'])\n";

TEST_LIMIT(kmap_in_json_tells_the_same, 180)
{
	char want[1024] = "", line[128];
	struct bsdvm_kmap info;
	size_t i;

	for (i = 0; !bsdvm_kmap(i, &info); i++) {
		snprintf(line, sizeof(line), "%s %#jx %#jx %ju\n", info.name,
			 (uintmax_t)info.start, (uintmax_t)info.end,
			 (uintmax_t)info.entries);
		strcat(want, line);
	}
	EXPECT_TEXT(run_python(kmap_json_to_text, run("kmap", "--json")->out),
		    want);
}

/* A long list is staged in the exec map, and nothing of it stays there. */
TEST(long_answers_are_staged_in_the_exec_map)
{
	struct bsdvm_kmap before_it, after_it;
	struct bsdvm_objects arg = {
		.size = sizeof(arg),
		.buf = (uintptr_t)malloc(64 * 1024),
		.buf_len = 64 * 1024,
	};

	ASSERT(arg.buf);
	ASSERT(!bsdvm_kmap(3, &before_it));
	ASSERT(!ioctl(bsdvm_fd(), BSDVM_IOC_OBJECTS, &arg));
	ASSERT(!bsdvm_kmap(3, &after_it));
	EXPECT(after_it.allocations > before_it.allocations);
	EXPECT_EQ(after_it.entries, before_it.entries);
	EXPECT_EQ(after_it.used, before_it.used);
	EXPECT_EQ(after_it.failures, before_it.failures);
	free((void *)(uintptr_t)arg.buf);
}
