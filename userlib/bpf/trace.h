/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the BPF programs of bsdvm trace and the command have between them: the keys
 * and values of their maps. A BPF program has its types from vmlinux.h before.
 */
#ifndef _BSDVM_BPF_TRACE_H
#define _BSDVM_BPF_TRACE_H

#define TRACE_COMM	  16
#define TRACE_STACK_DEPTH 64
#define TRACE_SLOTS	  64
#define TRACE_CALLS	  128

/* What a fault came to. */
enum trace_outcome {
	OUTCOME_ZERO,
	OUTCOME_COW,
	OUTCOME_TAKEOVER,
	OUTCOME_PAGEIN,
	OUTCOME_AROUND,
	OUTCOME_RESIDENT,
	OUTCOME_SPURIOUS,
	OUTCOME_FAILED,
	OUTCOMES,
};

/* What is kept of faults. */
enum trace_view {
	VIEW_FAULTS,
	VIEW_LATENCY,
	VIEW_STACKS,
	VIEW_CALLS,
};

/**
 * struct trace_process - the faults of a process
 * @faults: how many, by outcome
 * @comm: the command that it ran when it faulted first
 */
struct trace_process {
	__u64 faults[OUTCOMES];
	char comm[TRACE_COMM];
};

/**
 * struct trace_times - how long things took
 * @total: nanoseconds, altogether
 * @slots: how many took from 2^n nanoseconds to less than twice that; none: 0
 */
struct trace_times {
	__u64 total;
	__u64 slots[TRACE_SLOTS];
};

/**
 * struct trace_stack_key - a stack of a process
 * @pid: the process
 * @size: bytes of @addresses, or minus an errno
 * @addresses: where it is, the innermost first; zeroes behind
 */
struct trace_stack_key {
	__u32 pid;
	__s32 size;
	__u64 addresses[TRACE_STACK_DEPTH];
};

/**
 * struct trace_stack - faults with a stack
 * @count: how many
 * @number: that of the stack, from 0 on
 * @comm: the command that the process ran when it faulted so first
 */
struct trace_stack {
	__u64 count;
	__u64 number;
	char comm[TRACE_COMM];
};

/**
 * struct trace_fresh - a stack that was not there before
 * @number: its number
 * @parent: the parent of the process
 * @comm: the command that the process runs
 * @key: it
 */
struct trace_fresh {
	__u64 number;
	__u64 parent;
	char comm[TRACE_COMM];
	struct trace_stack_key key;
};

#endif /* _BSDVM_BPF_TRACE_H */
