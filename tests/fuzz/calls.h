/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * calls: what each call must answer, and what it does to the model.
 *
 * The rules are those of the manual pages and of the table in bsdvm(3); nothing
 * here looks at what the module does.
 */
#ifndef _FUZZ_CALLS_H
#define _FUZZ_CALLS_H

#include "model.h"

/* The structure of any call. */
union call_arg {
	uint32_t size;
	struct bsdvm_mmap mmap;
	struct bsdvm_munmap munmap;
	struct bsdvm_mprotect mprotect;
	struct bsdvm_msync msync;
	struct bsdvm_minherit minherit;
	struct bsdvm_fault fault;
	struct bsdvm_madvise madvise;
	struct bsdvm_mincore mincore;
	struct bsdvm_mlock mlock;
	struct bsdvm_mlockall mlockall;
	struct bsdvm_break brk;
	struct bsdvm_segments segments;
	struct bsdvm_mremap mremap;
	struct bsdvm_mimmutable mimmutable;
	char bytes[256];
};

/**
 * struct call - an ioctl that a worker makes
 * @proc: the worker
 * @type: which
 * @arg: its structure; afterwards what must come back
 */
struct call {
	unsigned int proc;
	const struct call_type *type;
	union call_arg arg;
};

/**
 * struct call_type - a kind of call
 * @name: its name
 * @request: the ioctl
 * @size: bytes of its structure
 * @weight: how often it is made
 * @predict: applies it to the model and to @arg; returns the errno, with which
 *	it has changed nothing
 * @generate: makes up arguments
 * @format: puts the arguments into words
 */
struct call_type {
	const char *name;
	unsigned long request;
	size_t size;
	unsigned int weight;
	int (*predict)(struct proc *p, union call_arg *arg);
	void (*generate)(struct proc *p, union call_arg *arg);
	void (*format)(const struct proc *p, const union call_arg *arg,
		       char *text, size_t len);
};

int predict_mmap(struct proc *p, union call_arg *arg);
int predict_mquery(struct proc *p, union call_arg *arg);
int predict_munmap(struct proc *p, union call_arg *arg);
int predict_mprotect(struct proc *p, union call_arg *arg);
int predict_msync(struct proc *p, union call_arg *arg);
int predict_minherit(struct proc *p, union call_arg *arg);
int predict_fault(struct proc *p, union call_arg *arg);
int predict_madvise(struct proc *p, union call_arg *arg);
int predict_mincore(struct proc *p, union call_arg *arg);
int predict_mlock(struct proc *p, union call_arg *arg);
int predict_munlock(struct proc *p, union call_arg *arg);
int predict_mlockall(struct proc *p, union call_arg *arg);
int predict_munlockall(struct proc *p, union call_arg *arg);
int predict_break(struct proc *p, union call_arg *arg);
int predict_segments(struct proc *p, union call_arg *arg);
int predict_mremap(struct proc *p, union call_arg *arg);
int predict_mimmutable(struct proc *p, union call_arg *arg);

#endif /* _FUZZ_CALLS_H */
