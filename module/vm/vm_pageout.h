/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * vm_pageout: the pageout daemon and the laundry thread.
 *
 * The daemon keeps some pages free. It ages active pages, takes inactive ones that
 * nobody has used, frees the clean and sends the dirty to the laundry, where a second
 * thread writes them in clusters. It only ever tries locks, so that nobody who waits
 * for memory can stop it, whatever he holds.
 *
 * (McKusick et al., chapter 6.12, page replacement.)
 */
#ifndef BSDVM_VM_PAGEOUT_H
#define BSDVM_VM_PAGEOUT_H

#include "vm_map.h"

/**
 * vm_pageout_init() - start the threads
 *
 * Context: start-up only, may sleep.
 * Return: 0, -ENOMEM.
 */
int vm_pageout_init(void);

/**
 * vm_pageout_fini() - stop them
 *
 * Context: shut-down only; nobody uses memory any more.
 */
void vm_pageout_fini(void);

/**
 * struct vm_pageout_hooks - what higher floors do when memory is short
 * @severe: severe shortage: idle vmspaces may be swapped out
 * @oom: nothing could be freed for vm_pageout_oom_seq passes: the largest is to be
 *	killed. Return: false when nobody could be.
 *
 * Context: the pageout daemon, no lock held; they may not wait for memory or for
 * anybody who does.
 */
struct vm_pageout_hooks {
	void (*severe)(void);
	bool (*oom)(void);
};

/**
 * vm_pageout_register() - register the hooks
 * @hooks: the hooks, NULL to take them away
 *
 * Context: start-up and shut-down only.
 */
void vm_pageout_register(const struct vm_pageout_hooks *hooks);

/**
 * vm_pageout_oom_hopeful() - may somebody yet be killed so that there is memory?
 *
 * Context: any.
 * Return: false when vm.oom_kill forbids it, or nobody is left who could be.
 */
bool vm_pageout_oom_hopeful(void);

/**
 * vm_pageout_oom_pagecount() - what killing the owner of a map would free
 * @map: the map
 *
 * Context: process, may sleep, no lock held; only tries the lock of @map.
 * Return: its anonymous pages, resident or in swap; 0 when the map is locked.
 */
unsigned long vm_pageout_oom_pagecount(struct vm_map *map);

/* Tunables, see vm_sysctl.c. */
extern unsigned int vm_oom_kill;		/* kill the largest vmspace */
extern unsigned int vm_pageout_oom_seq;		/* fruitless passes before the kill */
extern unsigned int vm_pageout_update_period;	/* seconds to look at all active pages */
extern unsigned int vm_lowmem_period;		/* seconds between two looks at zones */
extern unsigned int vm_disable_swapspace_pageouts; /* anonymous memory stays */
extern unsigned int vm_background_launder_rate;	/* KiB a second */
extern unsigned int vm_act_scan_laundry_weight;	/* what clean pages weigh to dirty ones */

#endif /* BSDVM_VM_PAGEOUT_H */
