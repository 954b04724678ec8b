/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * The one door from module/vm/ to Linux: locks, lists, trees, memory for our
 * own records, per-CPU data, printing. Nothing here knows an mm_struct, a VMA, a
 * PTE or a struct page; a user-space build of module/vm/ replaces this file.
 */
#ifndef BSDVM_VM_LINUX_H
#define BSDVM_VM_LINUX_H

#ifndef pr_fmt
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt
#endif

#include <linux/atomic.h>
#include <linux/bitops.h>
#include <linux/bug.h>
#include <linux/cpu.h>
#include <linux/cred.h>
#include <linux/capability.h>
#include <linux/errno.h>
#include <linux/fault-inject.h>
#include <linux/hashtable.h>
#include <linux/io.h>
#include <linux/jiffies.h>
#include <linux/kasan.h>
#include <linux/kernel.h>
#include <linux/kmemleak.h>
#include <linux/kthread.h>
#include <linux/limits.h>
#include <linux/list.h>
#include <linux/list_sort.h>
#include <linux/llist.h>
#include <linux/lockdep.h>
#include <linux/log2.h>
#include <linux/math.h>
#include <linux/minmax.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/overflow.h>
#include <linux/percpu.h>
#include <linux/percpu_counter.h>
#include <linux/printk.h>
#include <linux/rbtree_augmented.h>
#include <linux/rcupdate.h>
#include <linux/refcount.h>
#include <linux/resource.h>
#include <linux/rwsem.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/string.h>
#include <linux/timekeeping.h>
#include <linux/types.h>
#include <linux/uidgid.h>
#include <linux/vmalloc.h>
#include <linux/wait.h>
#include <linux/wait_bit.h>
#include <linux/workqueue.h>
#include <linux/xarray.h>

/* EXPORT_SYMBOL_IF_KUNIT(); Kbuild defines it away where there is no KUnit. */
#if IS_ENABLED(CONFIG_KUNIT)
#include <kunit/visibility.h>
#endif

/*
 * Where the kernel reaches all memory, and back; an address from elsewhere gives a
 * physical address that no memory has.
 */
#define PHYS_TO_DMAP(pa)	phys_to_virt(pa)
#define DMAP_TO_PHYS(va)	((unsigned long)(va) - PAGE_OFFSET)

/*
 * Consistency checks that walk whole structures: on in the debug kernel, where
 * time matters less than finding the fault, and compiled away elsewhere.
 */
#ifdef BSDVM_DEBUG
#define VM_ASSERT(cond)		WARN_ON_ONCE(!(cond))
#else
#define VM_ASSERT(cond)		BUILD_BUG_ON_INVALID(cond)
#endif

#endif /* BSDVM_VM_LINUX_H */
