// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * proc: which processes have run, and which one is killed.
 *
 * The pageout daemon only asks; a worker does it, since to let go of a window may mean
 * to take it down, which may mean to write files.
 *
 * Out of memory. The vmspace with the most anonymous pages, resident or in swap, goes:
 * every process that shares its mm is killed. madvise(MADV_PROTECT) exempts. While the
 * victim is on its way out nobody else is killed, for PROC_VICTIM_PATIENCE at the most.
 *
 * Severe shortage. What the threads of each vmspace have run is noted about once a
 * second; of those that have not for long, the one idle longest is swapped out.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include "proc.h"

#include <linux/mm.h>
#include <linux/sched/cputime.h>
#include <linux/sched/signal.h>
#include <linux/sched/task.h>
#include <linux/workqueue.h>

#include "vm/vm_page.h"
#include "vm/vm_pageout.h"
#include "vm/vm_swapout.h"
#include "window.h"

/* How long a killed process may take before the next is chosen, and between samples. */
#define PROC_VICTIM_PATIENCE	(10 * HZ)
#define PROC_SAMPLE_PERIOD	HZ

static struct task_struct *proc_victim;
static unsigned long proc_killed_at;
static bool proc_nobody;
static unsigned long proc_sampled_at;

static void proc_oom(struct work_struct *work);
static void proc_severe(struct work_struct *work);
static DECLARE_WORK(proc_oom_work, proc_oom);
static DECLARE_WORK(proc_severe_work, proc_severe);

/* --- out of memory */

/* Is the last victim still on its way out? */
static bool proc_victim_dying(void)
{
	if (!proc_victim)
		return false;
	if (READ_ONCE(proc_victim->mm) &&
	    time_before(jiffies, proc_killed_at + PROC_VICTIM_PATIENCE))
		return true;
	put_task_struct(proc_victim);
	proc_victim = NULL;
	/* Its pages come back when the last of its files is closed, a moment later. */
	return time_before(jiffies, proc_killed_at + HZ);
}

/* Kill all that use the address space. */
static bool proc_kill(const struct mm_struct *mm, unsigned long pages)
{
	struct task_struct *process, *thread;
	bool killed = false;

	rcu_read_lock();
	for_each_process(process) {
		for_each_thread(process, thread) {
			if (READ_ONCE(thread->mm) != mm)
				continue;
			if (!killed) {
				pr_warn("out of memory: killing process %d (%s), %lu pages\n",
					task_tgid_nr(process), process->comm, pages);
				get_task_struct(thread);
				proc_victim = thread;
				proc_killed_at = jiffies;
			}
			killed = true;
			send_sig(SIGKILL, process, 1);
			break;
		}
	}
	rcu_read_unlock();
	return killed;
}

static void proc_oom(struct work_struct *work)
{
	struct window **windows, *largest = NULL;
	unsigned long pages, most = 0;
	int n, i;

	if (proc_victim_dying())
		return;
	n = window_list(&windows);
	if (n < 0)
		return;
	for (i = 0; i < n; i++) {
		if (READ_ONCE(windows[i]->vmspace->vm_protected))
			continue;
		pages = vm_pageout_oom_pagecount(&windows[i]->vmspace->vm_map);
		if (pages > most) {
			most = pages;
			largest = windows[i];
		}
	}
	WRITE_ONCE(proc_nobody, !largest || !proc_kill(largest->pmap.mm, most));
	if (!proc_nobody)
		VM_CNT_INC(v_oom_kills);
	window_list_free(windows, n);
}

static bool proc_ask_oom(void)
{
	queue_work(system_unbound_wq, &proc_oom_work);
	/* What came of it is known the next time. */
	return !READ_ONCE(proc_nobody);
}

/* --- idle processes */

/* A number that moves whenever a thread of the address space runs. */
static u64 proc_ran(const struct mm_struct *mm)
{
	struct task_struct *process, *thread;
	u64 ran = 0;

	rcu_read_lock();
	for_each_process_thread(process, thread)
		if (READ_ONCE(thread->mm) == mm)
			ran += thread->nvcsw + thread->nivcsw + thread->utime + thread->stime;
	rcu_read_unlock();
	return ran;
}

static void proc_severe(struct work_struct *work)
{
	unsigned long idle, longest = 0, threshold;
	struct window **windows, *idlest = NULL;
	int n, i;

	n = window_list(&windows);
	if (n < 0)
		return;
	for (i = 0; i < n; i++) {
		idle = vm_swapout_idle(windows[i]->vmspace, proc_ran(windows[i]->pmap.mm));
		if (idle > longest) {
			longest = idle;
			idlest = windows[i];
		}
	}
	threshold = vm_free_count() <= vm_dom.v_free_reserved ?
			    READ_ONCE(vm_swap_idle_threshold1) :
			    READ_ONCE(vm_swap_idle_threshold2);
	if (idlest && longest >= threshold)
		vm_swapout_out(idlest->vmspace);
	window_list_free(windows, n);
}

static void proc_ask_swapout(void)
{
	if (time_before(jiffies, proc_sampled_at + PROC_SAMPLE_PERIOD))
		return;
	proc_sampled_at = jiffies;
	queue_work(system_unbound_wq, &proc_severe_work);
}

static const struct vm_pageout_hooks proc_hooks = {
	.severe = proc_ask_swapout,
	.oom = proc_ask_oom,
};

void proc_init(void)
{
	proc_sampled_at = jiffies;
	vm_pageout_register(&proc_hooks);
}

void proc_fini(void)
{
	vm_pageout_register(NULL);
	flush_work(&proc_oom_work);
	flush_work(&proc_severe_work);
	if (proc_victim)
		put_task_struct(proc_victim);
}
