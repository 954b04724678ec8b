// SPDX-License-Identifier: BSD-2-Clause
/*
 * The BPF programs of bsdvm trace: what they need of the kernel, loading them, and
 * attaching them to the tracepoints of the module and the probes of the library. They
 * are detached by the end of the program, when the last report has been printed: the
 * kernel takes its time over each.
 */
#if !__has_include(<bpf/libbpf.h>)
#error "libbpf is missing: run scripts/setup, or install libbpf-dev"
#endif

#define _GNU_SOURCE
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <dlfcn.h>
#include <err.h>
#include <errno.h>
#include <limits.h>
#include <link.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LIBBSDVM_NAMES_OUTSIDE
#include "../lib/entry.h"
#include "calls.skel.h"
#include "faults.skel.h"
#include "trace.h"

#define PROVIDER "libbsdvm"
#define LIBRARY	 "libbsdvm.so.1"
#define BTF	 "/sys/kernel/btf/"

#define CALL_NAME(_type, _name, ...) #_name,
#define VOID_NAME(_name, ...)	     #_name,

static const char *const call_names[] = {
	LIBBSDVM_CALLS(CALL_NAME, VOID_NAME) "compat_fcntl",
};

_Static_assert(COUNT_OF(call_names) <= TRACE_CALLS, "the map has room for all");

static struct faults_bpf *faults;
static struct calls_bpf *calls;

/* The last thing that libbpf complained about. */
static char complaint[512];

const char *trace_call_name(size_t number)
{
	return number < COUNT_OF(call_names) ? call_names[number] : NULL;
}

static int __attribute__((format(printf, 2, 0)))
note_complaint(enum libbpf_print_level level, const char *fmt, va_list args)
{
	if (level == LIBBPF_WARN) {
		vsnprintf(complaint, sizeof(complaint), fmt, args);
		complaint[strcspn(complaint, "\n")] = '\0';
	}
	return 0;
}

static void __attribute__((noreturn)) refused(const char *what, int error)
{
	if (*complaint)
		warnx("%s", complaint);
	errx(STATUS_FAILED, "%s: %s", what, strerror(error));
}

/* To look for the types of a module takes all that loading programs takes. */
static void check_permission(void)
{
	uint32_t id;

	if (!bpf_btf_get_next_id(0, &id) || errno == ENOENT)
		return;
	if (errno == EPERM)
		errx(STATUS_FAILED, "tracing takes root: %s", strerror(errno));
	if (errno == ENOSYS)
		errx(STATUS_FAILED, "this kernel has no BPF");
	err(STATUS_FAILED, "BPF");
}

static void check_btf(void)
{
	if (access(BTF "vmlinux", F_OK))
		errx(STATUS_FAILED,
		     "this kernel has no BTF (CONFIG_DEBUG_INFO_BTF)");
	if (access(BTF "bsdvm", F_OK))
		errx(STATUS_FAILED,
		     "the module has no BTF that this kernel takes: "
		     "see bsdvm-trace(1)");
}

static void attach_faults(const struct trace_options *options,
			  struct trace_maps *maps)
{
	int error;

	check_btf();
	faults = faults_bpf__open();
	if (!faults)
		refused("BPF programs", errno);
	faults->rodata->view = options->view;
	faults->rodata->only_pid = options->pid;
	faults->rodata->kernel_stacks = options->kernel;
	error = faults_bpf__load(faults);
	if (error)
		refused("the kernel refuses the BPF programs", -error);
	maps->processes = bpf_map__fd(faults->maps.processes);
	maps->latency = bpf_map__fd(faults->maps.latency);
	maps->stacks = bpf_map__fd(faults->maps.stacks);
	maps->fresh = bpf_map__fd(faults->maps.fresh);
	maps->lost = &faults->bss->lost;
	error = faults_bpf__attach(faults);
	if (error)
		refused("the tracepoints", -error);
}

/* The library that programs find; it needs not be where this one was built. */
static const char *shared_library(void)
{
	static char path[PATH_MAX];
	struct link_map *map;
	void *library = dlopen(LIBRARY, RTLD_LAZY);

	if (!library || dlinfo(library, RTLD_DI_LINKMAP, &map))
		errx(STATUS_FAILED, LIBRARY
		     " is not found; say with -x which file has the calls");
	snprintf(path, sizeof(path), "%s", map->l_name);
	dlclose(library);
	return path;
}

static void attach_probe(const struct bpf_program *program,
			 const struct trace_options *options, const char *path,
			 size_t call, const char *where)
{
	LIBBPF_OPTS(bpf_usdt_opts, opts, .usdt_cookie = call);
	char name[64];

	snprintf(name, sizeof(name), "%s__%s", call_names[call], where);
	if (bpf_program__attach_usdt(program, options->pid ? options->pid : -1,
				     path, PROVIDER, name, &opts))
		return;
	if (errno == ENOENT)
		errx(STATUS_FAILED, "%s has no probes of " PROVIDER, path);
	refused(path, errno);
}

/* The returns first, so that no call is seen to begin and not to end. */
static void attach_calls(const struct trace_options *options,
			 struct trace_maps *maps)
{
	const char *path = options->file ? options->file : shared_library();
	size_t i, n = COUNT_OF(call_names);

	/* libbpf would look for a name without a slash elsewhere. */
	path = realpath(path, NULL);
	if (!path)
		err(STATUS_FAILED, "%s", options->file);
	calls = calls_bpf__open_and_load();
	if (!calls)
		refused("the kernel refuses the BPF programs", errno);
	for (i = 0; i < n; i++)
		attach_probe(calls->progs.call_return, options, path, i,
			     "return");
	for (i = 0; i < n; i++)
		attach_probe(calls->progs.call_entry, options, path, i,
			     "entry");
	free((char *)path);
	maps->calls = bpf_map__fd(calls->maps.calls);
	maps->lost = &calls->bss->lost;
}

void trace_attach(const struct trace_options *options, struct trace_maps *maps)
{
	*maps = (struct trace_maps){ -1, -1, -1, -1, -1, NULL };
	libbpf_set_print(note_complaint);
	check_permission();
	if (options->view == VIEW_CALLS)
		attach_calls(options, maps);
	else
		attach_faults(options, maps);
}
