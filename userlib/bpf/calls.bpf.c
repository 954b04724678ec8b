// SPDX-License-Identifier: BSD-2-Clause
/*
 * Calls of libbsdvm, timed from the probe at their entry to that at their return. The
 * number of the call is the cookie that each probe was attached with.
 */
#include "vmlinux.h"

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>
#include <bpf/usdt.bpf.h>

#include "trace.h"
#include "times.bpf.h"

/**
 * struct call - a call that a thread is in
 * @begun: when, 0 for none
 * @number: which
 */
struct call {
	u64 begun;
	u64 number;
};

/* Calls that are counted nowhere, for want of memory. */
__u64 lost;

struct {
	__uint(type, BPF_MAP_TYPE_TASK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct call);
} inside SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, TRACE_CALLS);
	__type(key, u32);
	__type(value, struct trace_times);
} calls SEC(".maps");

SEC("usdt")
int call_entry(struct pt_regs *ctx)
{
	struct call *call;

	call = bpf_task_storage_get(&inside, bpf_get_current_task_btf(), NULL,
				    BPF_LOCAL_STORAGE_GET_F_CREATE);
	if (!call) {
		__sync_fetch_and_add(&lost, 1);
		return 0;
	}
	call->number = bpf_usdt_cookie(ctx);
	call->begun = bpf_ktime_get_ns();
	return 0;
}

/* One that a signal's handler has made another call in is not that which returns. */
SEC("usdt")
int call_return(struct pt_regs *ctx)
{
	const u32 number = bpf_usdt_cookie(ctx);
	struct trace_times *times;
	struct call *call;

	call = bpf_task_storage_get(&inside, bpf_get_current_task_btf(), NULL,
				    0);
	if (!call || !call->begun || call->number != number)
		return 0;
	times = bpf_map_lookup_elem(&calls, &number);
	if (times)
		times_add(times, bpf_ktime_get_ns() - call->begun);
	call->begun = 0;
	return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
