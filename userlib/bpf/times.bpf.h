/* SPDX-License-Identifier: BSD-2-Clause */
/* Histograms of times, by powers of two. */
#ifndef _BSDVM_BPF_TIMES_H
#define _BSDVM_BPF_TIMES_H

/* The largest n with 2^n <= @value, and 0 for 0; without a loop. */
static __always_inline u32 times_log2(u64 value)
{
	u32 n = 0, step;

#pragma unroll
	for (step = 32; step; step /= 2) {
		if (value >> step) {
			value >>= step;
			n += step;
		}
	}
	return n;
}

static __always_inline void times_add(struct trace_times *times, u64 ns)
{
	const u32 slot = times_log2(ns);

	__sync_fetch_and_add(&times->total, ns);
	/* For the verifier, which does not follow the sum. */
	if (slot < TRACE_SLOTS)
		__sync_fetch_and_add(&times->slots[slot], 1);
}

#endif /* _BSDVM_BPF_TIMES_H */
