/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * vm_meter: what the VM system tells about itself.
 *
 * (vmstat(8), procstat(1), sysctl vm.stats.)
 */
#ifndef BSDVM_VM_METER_H
#define BSDVM_VM_METER_H

#include "vm_fork.h"

struct bsdvm_pagerun;
struct bsdvm_rusage;
struct bsdvm_stats;

/**
 * vm_meter_stats() - counters and gauges of the whole machine
 * @stats: where they go; size, reserved and v_vmspaces are left alone
 *
 * Context: process.
 */
void vm_meter_stats(struct bsdvm_stats *stats);

/**
 * vm_meter_entry() - describe the first entry that ends above an address, from there
 * @map: the map
 * @start: in: the address; out: the end of the entry described
 * @buf: room for one record of the ABI, struct bsdvm_vmentry and what follows it
 * @len: bytes of @buf
 *
 * The map may change between two calls; a record is right for the moment it was
 * made, as far as its objects were not in motion.
 *
 * Context: process, may sleep and do I/O, no lock held.
 * Return: bytes of the record; 0 when there is no such entry; -ENOSPC when the
 * record does not fit; -ENOMEM.
 */
ssize_t vm_meter_entry(struct vm_map *map, u64 *start, void *buf, size_t len);

/**
 * vm_meter_object() - an object of the chain that is mapped at an address
 * @map: the map
 * @addr: the address
 * @id: the object's number
 *
 * Context: process, may sleep and do I/O, no lock held.
 * Return: the object, referenced; NULL when that chain does not have it.
 */
struct vm_object *vm_meter_object(struct vm_map *map, u64 addr, u64 id);

/**
 * vm_meter_pages() - describe the next pages of an object
 * @object: the object; the caller has a reference
 * @start: in: begin with this index; out: where to go on
 * @runs: room for runs of pages
 * @max: how many of them there is room for
 * @more: where it goes whether pages are left
 *
 * Context: process, may sleep, no lock held.
 * Return: how many runs there are; less than @max only when no page is left.
 */
unsigned int vm_meter_pages(struct vm_object *object, u64 *start,
			    struct bsdvm_pagerun *runs, unsigned int max,
			    bool *more);

/**
 * vm_meter_rusage() - what an address space uses and has used
 * @vm: the address space
 * @usage: where it goes; size and pid are left alone
 *
 * Context: process, may sleep, no lock held; the address space's page tables may go
 * away, but not the mm they are in.
 * Return: 0, -EINTR on a fatal signal.
 */
int vm_meter_rusage(struct vmspace *vm, struct bsdvm_rusage *usage);

/**
 * vm_meter_objects() - describe the next objects of the machine
 * @after: in: begin with the first id above it; out: the last id described
 * @paths: say where files are
 * @buf: room for records of the ABI, struct bsdvm_kvmobject and what follows it
 * @len: bytes of @buf
 * @count: where the number of records goes
 * @more: where it goes whether there may be more objects
 *
 * Context: process, may sleep and do I/O, no lock held.
 * Return: bytes of the records, 0 when the first one does not fit; -ENOMEM.
 */
ssize_t vm_meter_objects(u64 *after, bool paths, void *buf, size_t len,
			 u32 *count, bool *more);

#endif /* BSDVM_VM_METER_H */
