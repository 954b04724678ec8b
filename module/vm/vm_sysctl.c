// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * vm_sysctl: one table of all tunables.
 *
 * Each variable belongs to the file that obeys it, which reads it with READ_ONCE()
 * whenever it needs it: a change is seen by what comes later.
 */
#include "vm_sysctl.h"

#include "swap_pager.h"
#include "swap_reserve.h"
#include "uipc_shm.h"
#include "vm_fault.h"
#include "vm_map.h"
#include "vm_mmap.h"
#include "vm_page.h"
#include "vm_pageout.h"
#include "vm_phys.h"
#include "vm_swapout.h"
#include "vm_unix.h"
#include "vm_user.h"
#include "vnode_pager.h"

/* As much of user space as there can be: more changes nothing. */
#define VM_ADDRESS_BITS	47

unsigned int vm_prot_fault_translation;

static u64 get_pool_pages(void)
{
	return vm_phys_page_count();
}

static u64 get_user_wire_count(void)
{
	return vm_map_user_wire_count();
}

static const struct vm_sysctl vm_sysctls[] = {
	{
		.name = "vm.overcommit",
		.desc = "bounds on memory promised: 1 swap, 2 by user, 4 count the pool as swap",
		.uint = &vm_overcommit,
		.max = 7,
	}, {
		.name = "vm.swap_reserved",
		.desc = "bytes of memory promised",
		.get = swap_reserved,
		.max = U64_MAX,
	}, {
		.name = "vm.swap_total",
		.desc = "bytes that may be promised while vm.overcommit bounds them",
		.get = swap_total,
		.max = U64_MAX,
	}, {
		.name = "vm.max_user_wired",
		.desc = "pages that users may wire",
		.ulong = &vm_max_user_wired,
		.max_get = get_pool_pages,
	}, {
		.name = "vm.max_user_pages",
		.desc = "pages that a user may have resident, root excepted; 0 for any number",
		.ulong = &vm_max_user_pages,
		.max_get = get_pool_pages,
	}, {
		.name = "vm.user_wire_count",
		.desc = "pages that users have wired",
		.get = get_user_wire_count,
		.max = U64_MAX,
	}, {
		.name = "vm.mincore_mapped",
		.desc = "mincore tells only of pages that the caller maps",
		.uint = &vm_mincore_mapped,
		.max = 1,
	}, {
		.name = "vm.old_msync",
		.desc = "MS_INVALIDATE drops pages that are still changed, too",
		.uint = &vm_old_msync,
		.max = 1,
	}, {
		.name = "vm.imply_prot_max",
		.desc = "mmap without PROT_MAX bounds later protections by the first",
		.uint = &vm_imply_prot_max,
		.max = 1,
	}, {
		.name = "vm.pfault_oom_attempts",
		.desc = "times that a fault waits for a free page before it gives up",
		.uint = &vm_pfault_oom_attempts,
		.max = 1000,
	}, {
		.name = "vm.pfault_oom_wait",
		.desc = "seconds each time",
		.uint = &vm_pfault_oom_wait,
		.min = 1,
		.max = 600,
	}, {
		.name = "vm.oom_kill",
		.desc = "no memory left: the largest process is killed",
		.uint = &vm_oom_kill,
		.max = 1,
	}, {
		.name = "vm.swap_idle_threshold1",
		.desc = "seconds idle before a process is swapped out, when nothing is free",
		.uint = &vm_swap_idle_threshold1,
		.min = 1,
		.max = 86400,
	}, {
		.name = "vm.swap_idle_threshold2",
		.desc = "seconds idle before a process is swapped out, when little is free",
		.uint = &vm_swap_idle_threshold2,
		.min = 1,
		.max = 86400,
	}, {
		.name = "vm.pageout_oom_seq",
		.desc = "fruitless passes of the pageout daemon before that",
		.uint = &vm_pageout_oom_seq,
		.min = 1,
		.max = 1000,
	}, {
		.name = "vm.pageout_update_period",
		.desc = "seconds in which all active pages are looked at, 0 for never",
		.uint = &vm_pageout_update_period,
		.max = 86400,
	}, {
		.name = "vm.max_proc_mmap",
		.desc = "entries that the map of one process may have",
		.ulong = &vm_max_proc_mmap,
		.min = 16,
		.max = ULONG_MAX,
	}, {
		.name = "vm.lowmem_period",
		.desc = "seconds between two attempts to get memory back from the kernel's zones",
		.uint = &vm_lowmem_period,
		.min = 1,
		.max = 86400,
	}, {
		.name = "vm.act_scan_laundry_weight",
		.desc = "what a clean page weighs to a dirty one when active pages are aged",
		.uint = &vm_act_scan_laundry_weight,
		.min = 1,
		.max = 100,
	}, {
		.name = "vm.background_launder_rate",
		.desc = "KiB a second to write when nobody is short of memory",
		.uint = &vm_background_launder_rate,
		.max = 1 << 20,
	}, {
		.name = "vm.disable_swapspace_pageouts",
		.desc = "anonymous memory is not paged out",
		.uint = &vm_disable_swapspace_pageouts,
		.max = 1,
	}, {
		.name = "debug.swap_fail_read",
		.desc = "for tests: every n-th request to read from swap fails, 0 for none",
		.uint = &swap_fail_read,
		.max = UINT_MAX,
	}, {
		.name = "debug.swap_fail_write",
		.desc = "for tests: every n-th request to write to swap fails, 0 for none",
		.uint = &swap_fail_write,
		.max = UINT_MAX,
	}, {
		.name = "security.bsd.stack_guard_page",
		.desc = "pages that a growing stack leaves below itself",
		.uint = &vm_stack_guard_page,
		.max = 64,
	}, {
		.name = "security.bsd.unprivileged_mlock",
		.desc = "everyone may wire memory",
		.uint = &vm_unprivileged_mlock,
		.max = 1,
	}, {
		.name = "kern.filedelay",
		.desc = "seconds between two runs of the syncer, 0 for none",
		.uint = &vm_filedelay,
		.max = 86400,
	}, {
		.name = "kern.ipc.shm_use_phys",
		.desc = "new shared memory objects stay in memory",
		.uint = &shm_use_phys,
		.max = 1,
	}, {
		.name = "kern.sgrowsiz",
		.desc = "bytes that a stack grows by",
		.ulong = &vm_sgrowsiz,
		.min = VM_PAGE_SIZE,
		.max = 64 << 20,
		.step = VM_PAGE_SIZE,
	}, {
		.name = "kern.maxdsiz",
		.desc = "bytes that a heap may have room for",
		.ulong = &vm_maxdsiz,
		.max = BIT_ULL(VM_ADDRESS_BITS),
	}, {
		.name = "machdep.prot_fault_translation",
		.desc = "a forbidden access raises SIGBUS rather than SIGSEGV",
		.uint = &vm_prot_fault_translation,
		.max = 1,
	},
};

const struct vm_sysctl *vm_sysctl_at(unsigned int index)
{
	return index < ARRAY_SIZE(vm_sysctls) ? &vm_sysctls[index] : NULL;
}

const struct vm_sysctl *vm_sysctl_find(const char *name)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(vm_sysctls); i++)
		if (!strcmp(vm_sysctls[i].name, name))
			return &vm_sysctls[i];
	return NULL;
}

u64 vm_sysctl_max(const struct vm_sysctl *sysctl)
{
	return sysctl->max_get ? sysctl->max_get() : sysctl->max;
}

u64 vm_sysctl_get(const struct vm_sysctl *sysctl)
{
	if (sysctl->uint)
		return READ_ONCE(*sysctl->uint);
	if (sysctl->ulong)
		return READ_ONCE(*sysctl->ulong);
	return sysctl->get();
}

static bool vm_sysctl_in_range(const struct vm_sysctl *sysctl, u64 value)
{
	return value >= sysctl->min && value <= vm_sysctl_max(sysctl) &&
	       (!sysctl->step || !(value % sysctl->step));
}

int vm_sysctl_set(const struct vm_sysctl *sysctl, u64 value)
{
	if (!vm_sysctl_writable(sysctl))
		return -EPERM;
	if (!vm_sysctl_in_range(sysctl, value))
		return -EINVAL;
	if (sysctl->uint)
		WRITE_ONCE(*sysctl->uint, value);
	else
		WRITE_ONCE(*sysctl->ulong, value);
	return 0;
}

int vm_sysctl_init(void)
{
	const struct vm_sysctl *sysctl;
	unsigned int i;

	vm_max_user_wired = vm_phys_page_count() / 3;
	vm_max_user_pages = vm_phys_page_count() - vm_phys_page_count() / 8;
	/* A quarter of the pool, as the kernel's memory. */
	vm_max_proc_mmap = ptoa(vm_phys_page_count()) / 4 / sizeof(struct vm_map_entry);
	for (i = 0; (sysctl = vm_sysctl_at(i)); i++) {
		if (!vm_sysctl_writable(sysctl) ||
		    vm_sysctl_in_range(sysctl, vm_sysctl_get(sysctl)))
			continue;
		pr_err("%s=%llu: not between %llu and %llu\n", sysctl->name, vm_sysctl_get(sysctl),
		       sysctl->min, vm_sysctl_max(sysctl));
		return -EINVAL;
	}
	return 0;
}
