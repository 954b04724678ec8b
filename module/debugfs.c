// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * debugfs: the state of the whole machine as text, for root.
 *
 *  stats     the counters and gauges of vm.stats, a name and a value a line
 *  sysctl    the tunables likewise; they are changed by the ioctl
 *  vmspaces  a line for each window
 *  maps      the entries of each window, in the columns of procstat(1)
 *  objects   a line for each object, in the manner of vmstat(8)
 *
 * Whose a window is, is not noted anywhere: a fork makes it before its process is
 * known. So the processes are searched for the one with its address space. Where
 * none is found (the last thread is on its way out) the process is a dash.
 */
#include "debugfs.h"

#include <linux/debugfs.h>
#include <linux/module.h>
#include <linux/sched/mm.h>
#include <linux/sched/signal.h>
#include <linux/sched/task.h>
#include <linux/seq_file.h>

#include <bsdvm.h>

#include "inspect.h"
#include "vm/malloc.h"
#include "vm/vm_meter.h"
#include "vm/vm_sysctl.h"
#include "vm/vnode_pager.h"
#include "window.h"

#define DEBUGFS_PATH_MAX	1024
#define DEBUGFS_OBJECTS		64

static struct dentry *debugfs_dir;

/**
 * struct debugfs_stat - where a number of vm.stats stands
 * @name: its name
 * @offset: in struct bsdvm_stats
 */
struct debugfs_stat {
	const char *name;
	size_t offset;
};

#define DEBUGFS_STAT(_name) \
	{ .name = #_name, .offset = offsetof(struct bsdvm_stats, _name) }

static const struct debugfs_stat debugfs_stats[] = {
	DEBUGFS_STAT(v_vm_faults),
	DEBUGFS_STAT(v_io_faults),
	DEBUGFS_STAT(v_cow_faults),
	DEBUGFS_STAT(v_cow_optim),
	DEBUGFS_STAT(v_zfod),
	DEBUGFS_STAT(v_intrans),
	DEBUGFS_STAT(v_vnodein),
	DEBUGFS_STAT(v_vnodeout),
	DEBUGFS_STAT(v_vnodepgsin),
	DEBUGFS_STAT(v_vnodepgsout),
	DEBUGFS_STAT(v_tfree),
	DEBUGFS_STAT(v_forks),
	DEBUGFS_STAT(v_forkpages),
	DEBUGFS_STAT(v_prefault),
	DEBUGFS_STAT(v_page_size),
	DEBUGFS_STAT(v_page_count),
	DEBUGFS_STAT(v_free_count),
	DEBUGFS_STAT(v_wire_count),
	DEBUGFS_STAT(v_active_count),
	DEBUGFS_STAT(v_inactive_count),
	DEBUGFS_STAT(v_laundry_count),
	DEBUGFS_STAT(o_collapses),
	DEBUGFS_STAT(o_bypasses),
	DEBUGFS_STAT(o_count),
	DEBUGFS_STAT(v_shootdowns),
	DEBUGFS_STAT(v_shootdown_cpus),
	DEBUGFS_STAT(v_user_wire_count),
	DEBUGFS_STAT(v_swap_reserved),
	DEBUGFS_STAT(v_swap_total),
	DEBUGFS_STAT(v_lazyfree_count),
	DEBUGFS_STAT(v_stackgrows),
	DEBUGFS_STAT(v_reactivated),
	DEBUGFS_STAT(v_dfree),
	DEBUGFS_STAT(v_swapin),
	DEBUGFS_STAT(v_swapout),
	DEBUGFS_STAT(v_swappgsin),
	DEBUGFS_STAT(v_swappgsout),
	DEBUGFS_STAT(v_free_target),
	DEBUGFS_STAT(v_free_min),
	DEBUGFS_STAT(v_free_reserved),
	DEBUGFS_STAT(v_vmspaces),
	DEBUGFS_STAT(v_pdwakeups),
	DEBUGFS_STAT(v_pdpages),
	DEBUGFS_STAT(v_pdshortfalls),
	DEBUGFS_STAT(v_pfree),
	DEBUGFS_STAT(v_inactive_target),
	DEBUGFS_STAT(v_pageout_free_min),
	DEBUGFS_STAT(v_interrupt_free_min),
	DEBUGFS_STAT(v_free_severe),
	DEBUGFS_STAT(v_unswappable_count),
	DEBUGFS_STAT(v_swap_size),
	DEBUGFS_STAT(v_swap_inuse),
	DEBUGFS_STAT(v_pagein_errors),
	DEBUGFS_STAT(v_pageout_errors),
	DEBUGFS_STAT(v_lock_miss),
	DEBUGFS_STAT(v_vmspace_swapout),
	DEBUGFS_STAT(v_vmspace_swapin),
	DEBUGFS_STAT(v_vmspaces_out),
	DEBUGFS_STAT(v_oom_kills),
	DEBUGFS_STAT(v_kmem_count),
};

static int stats_show(struct seq_file *seq, void *unused)
{
	struct bsdvm_stats stats = { .size = sizeof(stats) };
	unsigned int i;

	/* None may be forgotten: they are all there is behind the first two members. */
	BUILD_BUG_ON(ARRAY_SIZE(debugfs_stats) * sizeof(u64) + 2 * sizeof(u32) != sizeof(stats));
	vm_meter_stats(&stats);
	stats.v_vmspaces = window_count();
	for (i = 0; i < ARRAY_SIZE(debugfs_stats); i++)
		seq_printf(seq, "%s %llu\n", debugfs_stats[i].name,
			   *(const u64 *)((const void *)&stats + debugfs_stats[i].offset));
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(stats);

static int sysctl_show(struct seq_file *seq, void *unused)
{
	const struct vm_sysctl *sysctl;
	unsigned int i;

	for (i = 0; (sysctl = vm_sysctl_at(i)); i++)
		seq_printf(seq, "%s %llu\n", sysctl->name, vm_sysctl_get(sysctl));
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(sysctl);

/* A thread that runs in an address space, referenced; NULL when none does. */
static struct task_struct *debugfs_owner(const struct mm_struct *mm)
{
	struct task_struct *process, *thread;

	rcu_read_lock();
	for_each_process_thread(process, thread) {
		if (READ_ONCE(thread->mm) == mm) {
			get_task_struct(thread);
			rcu_read_unlock();
			return thread;
		}
	}
	rcu_read_unlock();
	return NULL;
}

static void vmspaces_show_window(struct seq_file *seq, struct window *window)
{
	struct task_struct *owner = debugfs_owner(window->pmap.mm);
	struct mm_struct *mm = owner ? get_task_mm(owner) : NULL;
	struct bsdvm_rusage usage = { 0 };
	char comm[TASK_COMM_LEN] = "-";

	/* Only in an address space that stays may tables be looked at. */
	if (mm && mm == window->pmap.mm) {
		get_task_comm(comm, owner);
		vm_meter_rusage(window->vmspace, &usage);
		seq_printf(seq, "%7d", task_tgid_nr(owner));
	} else {
		seq_printf(seq, "%7s", "-");
	}
	seq_printf(seq, " %-15s 0x%016llx 0x%016llx %10llu %7llu %8llu\n", comm,
		   window->pmap.start, window->pmap.end, atop(usage.vm_size), usage.vm_entries,
		   usage.vm_rssize);
	if (mm)
		mmput(mm);
	if (owner)
		put_task_struct(owner);
}

static int vmspaces_show(struct seq_file *seq, void *unused)
{
	struct window **windows;
	int n, i;

	n = window_list(&windows);
	if (n < 0)
		return n;
	seq_printf(seq, "%7s %-15s %-18s %-18s %10s %7s %8s\n", "PID", "COMM", "START", "END",
		   "SIZE", "ENTRIES", "RES");
	for (i = 0; i < n; i++)
		vmspaces_show_window(seq, windows[i]);
	window_list_free(windows, n);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(vmspaces);

/* The letters of procstat(1) and vmstat(8). */
static const char *debugfs_type(u32 type)
{
	static const char * const names[] = {
		[BSDVM_KVME_TYPE_NONE] = "--",
		[BSDVM_KVME_TYPE_DEFAULT] = "df",
		[BSDVM_KVME_TYPE_VNODE] = "vn",
		[BSDVM_KVME_TYPE_SWAP] = "sw",
		[BSDVM_KVME_TYPE_DEVICE] = "dv",
		[BSDVM_KVME_TYPE_PHYS] = "ph",
		[BSDVM_KVME_TYPE_DEAD] = "dd",
		[BSDVM_KVME_TYPE_SG] = "sg",
		[BSDVM_KVME_TYPE_MGTDEVICE] = "md",
		[BSDVM_KVME_TYPE_GUARD] = "gd",
	};

	return type < ARRAY_SIZE(names) ? names[type] : "??";
}

static char debugfs_letter(u32 flags, u32 flag, char letter)
{
	return flags & flag ? letter : '-';
}

/* The end of a line. A path may hold anything, but not end the line by itself. */
static void debugfs_path(struct seq_file *seq, const char *path)
{
	if (path)
		seq_escape(seq, path, "\n\\");
	seq_putc(seq, '\n');
}

static void maps_show_entry(struct seq_file *seq, const struct bsdvm_vmentry *kve)
{
	const void *path = (const void *)(kve + 1) +
			   kve->kve_nobjects * sizeof(struct bsdvm_vmobject);
	u32 prot = kve->kve_protection, flags = kve->kve_flags;

	seq_printf(seq, " 0x%016llx 0x%016llx %c%c%c %6u %6u %4u %4u %c%c%c%c%c %s ",
		   kve->kve_start, kve->kve_end, debugfs_letter(prot, BSDVM_PROT_READ, 'r'),
		   debugfs_letter(prot, BSDVM_PROT_WRITE, 'w'),
		   debugfs_letter(prot, BSDVM_PROT_EXEC, 'x'), kve->kve_resident,
		   kve->kve_private_resident, kve->kve_ref_count, kve->kve_shadow_count,
		   debugfs_letter(flags, BSDVM_KVME_FLAG_COW, 'C'),
		   debugfs_letter(flags, BSDVM_KVME_FLAG_NEEDS_COPY, 'N'),
		   debugfs_letter(flags, BSDVM_KVME_FLAG_SUPER, 'S'),
		   debugfs_letter(flags, BSDVM_KVME_FLAG_GROWS_DOWN, 'D'),
		   debugfs_letter(flags, BSDVM_KVME_FLAG_USER_WIRED, 'W'),
		   debugfs_type(kve->kve_type));
	debugfs_path(seq, kve->kve_path_len ? path : NULL);
}

static int maps_show_window(struct seq_file *seq, struct window *window, struct inspect_buf *buf)
{
	struct task_struct *owner = debugfs_owner(window->pmap.mm);
	u64 start = window->pmap.start;
	ssize_t len;

	while ((len = inspect_record(&window->vmspace->vm_map, &start, buf, INSPECT_BUF_MAX)) > 0) {
		/* Then the file is shown once more, with more room. */
		if (seq_has_overflowed(seq) || fatal_signal_pending(current)) {
			len = 0;
			break;
		}
		if (owner)
			seq_printf(seq, "%7d", task_tgid_nr(owner));
		else
			seq_printf(seq, "%7s", "-");
		maps_show_entry(seq, buf->mem);
		cond_resched();
	}
	if (owner)
		put_task_struct(owner);
	return len;
}

static int maps_show(struct seq_file *seq, void *unused)
{
	struct inspect_buf buf = { 0 };
	struct window **windows;
	int n, i, ret = 0;

	n = window_list(&windows);
	if (n < 0)
		return n;
	seq_printf(seq, "%7s %-18s %-18s PRT %6s %6s %4s %4s FLAG  TP PATH\n", "PID", "START",
		   "END", "RES", "PRES", "REF", "SHD");
	for (i = 0; i < n && !ret; i++)
		ret = maps_show_window(seq, windows[i], &buf);
	window_list_free(windows, n);
	free(buf.mem, M_TEMP);
	return ret;
}
DEFINE_SHOW_ATTRIBUTE(maps);

static void objects_show_object(struct seq_file *seq, const struct vm_object_info *info, char *buf)
{
	const char *path = NULL;

	if (info->file)
		path = vnode_pager_path(info->file, buf, DEBUGFS_PATH_MAX);
	seq_printf(seq, "%8llu %8llu %8llu %8llu %10llu %4u %4u %8llu %s ", info->id,
		   info->resident, info->active, info->inactive, info->size, info->ref_count,
		   info->shadow_count, info->backing_id, debugfs_type(info->type));
	debugfs_path(seq, path);
}

static int objects_show(struct seq_file *seq, void *unused)
{
	struct vm_object_info *info;
	char *buf;
	u64 after = 0;
	int n, i;

	info = malloc(DEBUGFS_OBJECTS * sizeof(*info), M_TEMP, M_WAITOK);
	buf = malloc(DEBUGFS_PATH_MAX, M_TEMP, M_WAITOK);
	n = info ? 0 : -ENOMEM;
	seq_printf(seq, "%8s %8s %8s %8s %10s %4s %4s %8s TP PATH\n", "ID", "RES", "ACT", "INACT",
		   "SIZE", "REF", "SHD", "BACKING");
	while (n >= 0) {
		n = vm_object_list(after, info, DEBUGFS_OBJECTS);
		for (i = 0; i < n; i++) {
			objects_show_object(seq, &info[i], buf);
			vm_object_deallocate(info[i].file);
			after = info[i].id;
		}
		if (n < DEBUGFS_OBJECTS || seq_has_overflowed(seq) ||
		    fatal_signal_pending(current))
			break;
		cond_resched();
	}
	free(buf, M_TEMP);
	free(info, M_TEMP);
	return n < 0 ? n : 0;
}
DEFINE_SHOW_ATTRIBUTE(objects);

void bsdvm_debugfs_init(void)
{
	debugfs_dir = debugfs_create_dir("bsdvm", NULL);
	debugfs_create_file("stats", 0400, debugfs_dir, NULL, &stats_fops);
	debugfs_create_file("sysctl", 0400, debugfs_dir, NULL, &sysctl_fops);
	debugfs_create_file("vmspaces", 0400, debugfs_dir, NULL, &vmspaces_fops);
	debugfs_create_file("maps", 0400, debugfs_dir, NULL, &maps_fops);
	debugfs_create_file("objects", 0400, debugfs_dir, NULL, &objects_fops);
}

void bsdvm_debugfs_fini(void)
{
	debugfs_remove(debugfs_dir);
}
