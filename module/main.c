// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * main: load, unload, parameters.
 *
 * Each floor is set up on top of the ones below it, and taken down in the
 * opposite order. The device comes last: once it is there, so are the users.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/init.h>
#include <linux/module.h>

#include "copyio.h"
#include "debugfs.h"
#include "device.h"
#include "devmem.h"
#include "pmap_x86/pmap_x86.h"
#include "pool.h"
#include "proc.h"
#include "vm/device_pager.h"
#include "vm/malloc.h"
#include "vm/phys_pager.h"
#include "vm/swap_pager.h"
#include "vm/uma.h"
#include "vm/uipc_shm.h"
#include "vm/vm_fault.h"
#include "vm/vm_fork.h"
#include "vm/vm_kern.h"
#include "vm/vm_map.h"
#include "vm/vm_object.h"
#include "vm/vm_page.h"
#include "vm/vm_pageout.h"
#include "vm/vm_phys.h"
#include "vm/vm_sysctl.h"
#include "vm/vnode_pager.h"

/* Terabytes are no pool but a typing error. */
#define POOL_MB_MAX	(1024 * 1024)
/* Kernel addresses cost page tables, and as much again while they are made. */
#define KMAP_MB_MIN	4
#define KMAP_MB_MAX	(64 * 1024)

static unsigned int pool_mb = 64;
module_param(pool_mb, uint, 0444);
MODULE_PARM_DESC(pool_mb, "physical memory to reserve, MiB (default 64)");

static unsigned int kmap_mb;
module_param(kmap_mb, uint, 0444);
MODULE_PARM_DESC(kmap_mb,
		 "kernel addresses for the kernel map, MiB (default half of pool_mb, 16 to 512)");

static int swap_mb = -1;
module_param(swap_mb, int, 0444);
MODULE_PARM_DESC(swap_mb,
		 "swap of Linux's memory to begin with, MiB (default 4 times pool_mb, 0 none)");

/* Bounds and later changes: vm_sysctl.c. */
module_param_named(oom_kill, vm_oom_kill, uint, 0444);
MODULE_PARM_DESC(oom_kill,
		 "no memory left: 1 kills the largest process (default), 0 sends SIGBUS to who faults");

module_param_named(pfault_oom_attempts, vm_pfault_oom_attempts, uint, 0444);
MODULE_PARM_DESC(pfault_oom_attempts,
		 "how often a fault waits for a free page before it gives up (default 3)");

module_param_named(pfault_oom_wait, vm_pfault_oom_wait, uint, 0444);
MODULE_PARM_DESC(pfault_oom_wait, "seconds each time (default 2)");

module_param_named(uma_debug, uma_debug, bool, 0444);
MODULE_PARM_DESC(uma_debug, "look for misuse of items of zones (default: debug kernels only)");

static u64 __init swap_pages(void)
{
	return (swap_mb < 0 ? 4 * (u64)pool_mb : swap_mb) << (20 - VM_PAGE_SHIFT);
}

/* What the kernel map holds is the pool's, and should not be most of it. */
static vm_size_t __init kmap_bytes(void)
{
	return (vm_size_t)(kmap_mb ?: clamp(pool_mb / 2, 16U, 512U)) << 20;
}

static int __init bsdvm_init(void)
{
	int ret;

	if (!pool_mb || pool_mb > POOL_MB_MAX) {
		pr_err("pool_mb=%u: not between 1 and %u\n", pool_mb, POOL_MB_MAX);
		return -EINVAL;
	}
	if (kmap_mb && (kmap_mb < KMAP_MB_MIN || kmap_mb > KMAP_MB_MAX)) {
		pr_err("kmap_mb=%u: not between %u and %u\n", kmap_mb, KMAP_MB_MIN, KMAP_MB_MAX);
		return -EINVAL;
	}
	ret = pool_reserve((u64)pool_mb << 20);
	if (ret) {
		pr_err("cannot reserve %u MiB of memory: try a smaller pool_mb\n", pool_mb);
		goto fini_phys;
	}
	ret = vm_phys_init();
	if (ret)
		goto fini_phys;
	ret = vm_sysctl_init();
	if (ret)
		goto fini_phys;
	ret = vm_page_startup();
	if (ret)
		goto fini_phys;
	ret = uma_startup();
	if (ret)
		goto fini_page;
	ret = pmap_init();
	if (ret)
		goto fini_uma;
	ret = pmap_kernel_init(kmap_bytes());
	if (ret)
		goto fini_pmap;
	ret = vm_object_init();
	if (ret)
		goto fini_pmap_kernel;
	ret = swap_pager_init(swap_pages());
	if (ret)
		goto fini_object;
	ret = vnode_pager_init();
	if (ret)
		goto fini_swap;
	device_pager_init();
	phys_pager_init();
	ret = vm_map_startup();
	if (ret)
		goto fini_map;
	ret = kmem_init();
	if (ret)
		goto fini_map;
	ret = kmeminit();
	if (ret)
		goto fini_kmem;
	ret = vmspace_startup();
	if (ret)
		goto fini_malloc;
	ret = vm_pageout_init();
	if (ret)
		goto fini_vmspace;
	copyio_init();
	ret = devmem_init();
	if (ret)
		goto fini_copyio;
	ret = device_init();
	if (ret)
		goto fini_devmem;
	proc_init();
	bsdvm_debugfs_init();
	pr_info("%u MiB of memory under BSD rules\n", pool_mb);
	return 0;

fini_devmem:
	devmem_fini();
fini_copyio:
	copyio_fini();
	vm_pageout_fini();
fini_vmspace:
	vmspace_shutdown();
fini_malloc:
	kmemfini();
fini_kmem:
	kmem_fini();
fini_map:
	vm_map_shutdown();
	phys_pager_fini();
	device_pager_fini();
	vnode_pager_fini();
fini_swap:
	swap_pager_fini();
fini_object:
	vm_object_fini();
fini_pmap_kernel:
	pmap_kernel_fini();
fini_pmap:
	pmap_fini();
fini_uma:
	uma_shutdown();
fini_page:
	vm_page_shutdown();
fini_phys:
	vm_phys_fini();
	pool_release();
	return ret;
}

static void __exit bsdvm_exit(void)
{
	bsdvm_debugfs_fini();
	device_fini();
	devmem_fini();
	copyio_fini();
	vm_pageout_fini();
	proc_fini();
	vmspace_shutdown();
	uipc_shm_fini();
	kmemfini();
	kmem_fini();
	vm_map_shutdown();
	vnode_pager_stop();
	/* Waits for objects still on their way out, which need their pager. */
	vm_object_fini();
	phys_pager_fini();
	device_pager_fini();
	vnode_pager_fini();
	swap_pager_fini();
	pmap_kernel_fini();
	pmap_fini();
	uma_shutdown();
	vm_page_shutdown();
	vm_phys_fini();
	pool_release();
}

module_init(bsdvm_init);
module_exit(bsdvm_exit);

MODULE_AUTHOR("The bsdvm authors");
MODULE_DESCRIPTION("The BSD virtual memory system as a device");
MODULE_LICENSE("Dual BSD/GPL");
