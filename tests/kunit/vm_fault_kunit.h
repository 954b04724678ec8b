/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * What the tests share that fault: in a map that has a pmap, or none.
 */
#ifndef BSDVM_VM_FAULT_KUNIT_H
#define BSDVM_VM_FAULT_KUNIT_H

#include "bsdvm_kunit.h"

#include "vm/pmap.h"
#include "vm/vm_fault.h"
#include "vm/vm_map.h"

/* An entry that shows @object, from its first page on; the map gets the reference. */
static inline void test_map_insert(struct kunit *test, struct vm_map *map,
				   struct vm_object *object, vm_offset_t start, vm_offset_t end,
				   vm_prot_t prot, int cow)
{
	vm_map_lock(map);
	KUNIT_EXPECT_EQ(test, KERN_SUCCESS,
			vm_map_insert(map, object, 0, start, end, prot, VM_PROT_ALL, cow));
	vm_map_unlock(map);
}

/* Unmap a range, and let go of what was there; returns what vm_map_remove() said. */
static inline int test_map_remove(struct vm_map *map, vm_offset_t start, vm_offset_t end)
{
	LIST_HEAD(deferred);
	int rv;

	rv = vm_map_remove(map, start, end, &deferred);
	vm_map_process_deferred(&deferred);
	return rv;
}

/* Fault until it is done or fails; without @m it maps the page, with @m that is it, wired. */
static inline int test_fault_at(struct vm_map *map, vm_offset_t address, vm_prot_t type,
				struct vm_page **m)
{
	struct vm_fault_wait fw = { .restarts = 0 };
	int rv;

	do {
		pmap_pin(map->pmap);
		rv = vm_fault(map, address, type, &fw, m);
		pmap_unpin(map->pmap);
		if (rv == KERN_RESTART)
			rv = vm_fault_wait(&fw);
	} while (rv == KERN_RESTART);
	return rv;
}

#endif /* BSDVM_VM_FAULT_KUNIT_H */
