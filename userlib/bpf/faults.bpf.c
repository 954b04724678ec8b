// SPDX-License-Identifier: BSD-2-Clause
/*
 * Faults, put together of their passes and waits, and counted as the view wants it.
 *
 * A fault is one access of a thread, from its first pass to the last; what it waits
 * for in between belongs to it. The passes are tracepoints of the module, whose types
 * are found by their names in its BTF when this is loaded.
 */
#include "vmlinux.h"

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#include "trace.h"
#include "times.bpf.h"

/* Of module/trace.h and module/vm/vm.h. */
#define FAULT_ZERO     0x01
#define FAULT_COW      0x02
#define FAULT_TAKEOVER 0x04
#define FAULT_PAGEIN   0x08
#define FAULT_SPURIOUS 0x10
#define FAULT_AROUND   0x20
#define KERN_SUCCESS   0
#define KERN_RESTART   10

#define PAGE_SHIFT    12
#define PROCESSES_MAX 16384
#define STACKS_MAX    16384

struct bsdvm_fault_trace {
	u32 how;
} __attribute__((preserve_access_index));

/**
 * struct fault - a fault that a thread is in
 * @begun: when it began, 0 for none
 * @page: the number of its page
 * @paged: it had to wait for its pager
 */
struct fault {
	u64 begun;
	u64 page;
	bool paged;
};

const volatile __u32 view = VIEW_FAULTS;
const volatile __u32 only_pid;
const volatile bool kernel_stacks;

/* Faults that are counted nowhere, for want of memory or of room in a map. */
__u64 lost;

/* Stacks so far. */
__u64 numbers;

/* It goes with its thread, however that ends. */
struct {
	__uint(type, BPF_MAP_TYPE_TASK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct fault);
} pending SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, PROCESSES_MAX);
	__type(key, u32);
	__type(value, struct trace_process);
} processes SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, OUTCOMES);
	__type(key, u32);
	__type(value, struct trace_times);
} latency SEC(".maps");

/* By the stack itself: the kernel's own map of stacks has no place for some. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, STACKS_MAX);
	__type(key, struct trace_stack_key);
	__type(value, struct trace_stack);
} stacks SEC(".maps");

/* Stacks that are new: symbols are looked up while the process is still there. */
struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 1024 * 1024);
} fresh SEC(".maps");

/* Where a stack is gathered, which has no room on that of a BPF program. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct trace_fresh);
} scratch SEC(".maps");

static __always_inline bool wanted(void)
{
	return !only_pid || only_pid == bpf_get_current_pid_tgid() >> 32;
}

static __always_inline void lose(void)
{
	__sync_fetch_and_add(&lost, 1);
}

static __always_inline struct fault *pending_fault(u64 flags)
{
	return bpf_task_storage_get(&pending, bpf_get_current_task_btf(), NULL,
				    flags);
}

static __always_inline void count_process(u32 pid, u32 outcome)
{
	struct trace_process *process, none = {};

	process = bpf_map_lookup_elem(&processes, &pid);
	if (!process) {
		bpf_get_current_comm(none.comm, sizeof(none.comm));
		bpf_map_update_elem(&processes, &pid, &none, BPF_NOEXIST);
		process = bpf_map_lookup_elem(&processes, &pid);
	}
	if (process && outcome < OUTCOMES)
		__sync_fetch_and_add(&process->faults[outcome], 1);
	else
		lose();
}

static __always_inline void count_time(u32 outcome, u64 ns)
{
	struct trace_times *times = bpf_map_lookup_elem(&latency, &outcome);

	if (times)
		times_add(times, ns);
}

static __always_inline struct trace_stack *add_stack(struct trace_fresh *new)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct trace_stack none = {
		.number = __sync_fetch_and_add(&numbers, 1),
	};

	bpf_get_current_comm(none.comm, sizeof(none.comm));
	if (!bpf_map_update_elem(&stacks, &new->key, &none, BPF_NOEXIST)) {
		new->number = none.number;
		new->parent = BPF_CORE_READ(task, real_parent, tgid);
		__builtin_memcpy(new->comm, none.comm, sizeof(new->comm));
		bpf_ringbuf_output(&fresh, new, sizeof(*new), 0);
	}
	return bpf_map_lookup_elem(&stacks, &new->key);
}

static __always_inline void count_stack(void *ctx, u32 pid)
{
	struct trace_stack *stack;
	struct trace_fresh *new;
	const u32 zero = 0;

	new = bpf_map_lookup_elem(&scratch, &zero);
	if (!new)
		return;
	/* What is not written here is of another stack. */
	__builtin_memset(&new->key, 0, sizeof(new->key));
	new->key.pid = pid;
	new->key.size = bpf_get_stack(ctx, new->key.addresses,
				      sizeof(new->key.addresses),
				      kernel_stacks ? 0 : BPF_F_USER_STACK);
	stack = bpf_map_lookup_elem(&stacks, &new->key);
	if (!stack)
		stack = add_stack(new);
	if (stack)
		__sync_fetch_and_add(&stack->count, 1);
	else
		lose();
}

static __always_inline void finish(void *ctx, struct fault *fault, u32 outcome)
{
	const u64 ns = bpf_ktime_get_ns() - fault->begun;
	const u32 pid = bpf_get_current_pid_tgid() >> 32;

	fault->begun = 0;
	if (view == VIEW_FAULTS)
		count_process(pid, outcome);
	else if (view == VIEW_LATENCY)
		count_time(outcome, ns);
	else
		count_stack(ctx, pid);
}

static __always_inline u32 outcome_of(u32 how, bool paged)
{
	if (paged)
		return OUTCOME_PAGEIN;
	if (how & FAULT_AROUND)
		return OUTCOME_AROUND;
	if (how & FAULT_SPURIOUS)
		return OUTCOME_SPURIOUS;
	if (how & FAULT_ZERO)
		return OUTCOME_ZERO;
	if (how & FAULT_COW)
		return OUTCOME_COW;
	if (how & FAULT_TAKEOVER)
		return OUTCOME_TAKEOVER;
	return OUTCOME_RESIDENT;
}

/*
 * A pass at the page of the one before goes on with its fault; at another page, that
 * one was given up, by a signal that could be served first.
 */
SEC("tp_btf/bsdvm_fault_begin")
int BPF_PROG(fault_begin, u64 address)
{
	const u64 page = address >> PAGE_SHIFT;
	struct fault *fault;

	if (!wanted())
		return 0;
	fault = pending_fault(BPF_LOCAL_STORAGE_GET_F_CREATE);
	if (!fault) {
		lose();
		return 0;
	}
	if (fault->begun && fault->page == page)
		return 0;
	fault->begun = bpf_ktime_get_ns();
	fault->page = page;
	fault->paged = false;
	return 0;
}

SEC("tp_btf/bsdvm_fault_end")
int BPF_PROG(fault_end, u64 address, u64 access, struct bsdvm_fault_trace *note,
	     int result)
{
	struct fault *fault;

	if (!wanted())
		return 0;
	fault = pending_fault(0);
	/* It may have begun before we did. */
	if (!fault || !fault->begun || !note)
		return 0;
	if (note->how & FAULT_PAGEIN)
		fault->paged = true;
	if (result == KERN_SUCCESS)
		finish(ctx, fault, outcome_of(note->how, fault->paged));
	else if (result != KERN_RESTART)
		finish(ctx, fault, OUTCOME_FAILED);
	return 0;
}

/* What a fault waited for cannot be had. */
SEC("tp_btf/bsdvm_fault_wait_end")
int BPF_PROG(fault_wait_end, u32 wait, int result)
{
	struct fault *fault;

	if (!wanted() || result == KERN_RESTART)
		return 0;
	fault = pending_fault(0);
	if (fault && fault->begun)
		finish(ctx, fault, OUTCOME_FAILED);
	return 0;
}

/* Helpers that this needs are for programs under the GPL; it is under either. */
char LICENSE[] SEC("license") = "Dual BSD/GPL";
