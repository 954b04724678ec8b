/* SPDX-License-Identifier: BSD-2-Clause */
/* gen: random calls, from one seed; most of them sensible, some not at all. */
#ifndef _FUZZ_GEN_H
#define _FUZZ_GEN_H

#include "calls.h"

/* Start over. */
void gen_seed(uint64_t seed);

/* A number below @n. */
unsigned int gen_pick(unsigned int n);

/* True once in @n times. */
bool gen_once_in(unsigned int n);

/* A number that was not there before, never zero. */
uint64_t gen_stamp(void);

/* Some call, with its arguments, for a worker. */
void gen_call(unsigned int proc, struct call *call);

/* A munmap of those pages. */
void gen_unmap(unsigned int proc, struct call *call, unsigned int first,
	       unsigned int pages);

/* Put a call into words. */
void gen_format(const struct call *call, char *text, size_t len);

#endif /* _FUZZ_GEN_H */
