/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Where the calls of docs/semantics.md are made: mappings and descriptors of
 * each kind, under the names that its head explains.
 */
#ifndef _SEMANTICS_SCENE_H
#define _SEMANTICS_SCENE_H

#include <sys/resource.h>

#include "vm.h"

#define R BSDVM_PROT_READ
#define W BSDVM_PROT_WRITE
#define X BSDVM_PROT_EXEC

/* Parts of the scene that are only made where they are asked for. */
#define SCENE_LOCKED	0x1
#define SCENE_IMMUTABLE 0x2
#define SCENE_FD_SHM	0x4

extern char *window, *window_end;
extern char *anon, *hole, *readonly, *noaccess, *guard, *shared;
extern char *file_shared, *file_private, *locked, *immutable;
extern int fd_rw, fd_ro, fd_wo, fd_pipe, fd_socket, fd_dir, fd_device;
extern int fd_null, fd_zero, fd_shm, fd_shm_ro, fd_closed;

/**
 * scene_begin() - tunables and names as they were before the first test
 *
 * At the begin of each test, whatever the one before it left behind.
 */
void scene_begin(void);

/* Open the descriptors of the scene. Failure ends the test. */
void scene_open(void);

/* Make the mappings of the scene, with these SCENE_*. Failure ends the test. */
void scene_make(unsigned int pieces);

/* Set both limits of a resource. Return: 0 or -1. */
int limit(int resource, rlim_t value);

/* Set a tunable until the end of the test. Return: 0 or -1. */
int tunable(const char *name, uint64_t value);

/* Become nobody, for good. Return: 0 or -1. */
int unprivileged(void);

#define GIB ((size_t)1 << 30)

/* bsdvm_mmap(), where failure ends the test. */
char *must_map(void *addr, size_t len, int prot, int flags, int fd, off_t off);

/* What this vmspace uses. Failure ends the test. */
struct bsdvm_rusage usage(void);

/* Faults that this vmspace has taken. */
uint64_t fault_count(void);

/* BSDVM_KVME_FLAG_* of the entry at @addr. */
uint32_t entry_flags(const void *addr);

/* Whether all of these pages are locked, or none of them is. */
bool all_locked(const char *addr, size_t pages);
bool none_locked(const char *addr, size_t pages);

/* Do what follows in a child, and wait for it. */
#define IN_CHILD()                                                      \
	for (pid_t child_ = harness_fork(), done_ = 0; !done_;          \
	     done_ = 1, child_ ? harness_join(child_) : harness_exit()) \
		if (!child_)

#endif /* _SEMANTICS_SCENE_H */
