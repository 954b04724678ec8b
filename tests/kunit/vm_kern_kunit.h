/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * What the tests of the kernel map share, in kunit_kern.c: its parts, what they say of
 * themselves, and that a test leaves them and the wirings as they were.
 */
#ifndef BSDVM_VM_KERN_KUNIT_H
#define BSDVM_VM_KERN_KUNIT_H

#include "bsdvm_kunit.h"

#include "vm/pmap.h"
#include "vm/vm_kern.h"

/* As it was when the test began: the maps in the order of test_kernel_map(). */
struct test_kern_before {
	struct kmem_info info[4];
	unsigned long wired;
};

extern struct test_kern_before test_kern_before;

/* For suites: notes the above, and sees to it that the test leaves all of it so. */
int test_kern_init(struct kunit *test);

/* The kernel map (0) and its submaps, NULL behind the last. */
struct vm_map *test_kernel_map(unsigned int i);

/* What a map says of itself. */
struct kmem_info test_kmem_info(struct kunit *test, const struct vm_map *map);

/**
 * struct test_mem - an allocation of a test
 * @map: where
 * @addr: its address
 * @size: its size
 */
struct test_mem {
	struct vm_map *map;
	vm_offset_t addr;
	vm_size_t size;
};

#endif /* BSDVM_VM_KERN_KUNIT_H */
