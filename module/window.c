// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * window: the VMA inside which BSD rules.
 *
 * Linux sees one VMA that it can neither split, move nor merge, whose pages are
 * none of its business, and whose faults it hands to us. Life of a window:
 *
 *  mmap    window_mmap() makes a window with an empty vmspace.
 *  fork    VM_WIPEONFORK: Linux copies no page table and calls ->open on the
 *          child's VMA, which forks the vmspace. It cannot say no: a child whose
 *          vmspace could not be made has a VMA without a window, and is killed
 *          when it first touches it.
 *  munmap, exit, exec: Linux clears and frees the page tables, then calls
 *          ->close, under mmap_lock. Emptying the vmspace may mean writing files
 *          back, which must not be done under that lock. So ->close only closes
 *          an open file of ours; Linux runs the release of a file before the
 *          task goes back to user mode or ends, with no lock held, and so before
 *          a parent's wait(2) returns.
 *
 * Locks: mmap_lock (or the lock of the VMA, in a fault) stands outside of all VM
 * locks. The table of windows has a spinlock for its writers, RCU for readers.
 */
#include "window.h"

#include <linux/anon_inodes.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/hashtable.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>

#include <bsdvm.h>

#include <asm/trap_pf.h>
#include <asm/trapnr.h>

#include "compat.h"
#include "vm/vm_fault.h"
#include "vm/vm_page.h"
#include "vm/vm_swapout.h"
#include "vm/vm_sysctl.h"

#define WINDOW_FLAGS	(VM_IO | VM_PFNMAP | VM_DONTEXPAND | VM_DONTDUMP | VM_WIPEONFORK)

static DEFINE_HASHTABLE(window_table, 10);
static DEFINE_SPINLOCK(window_lock);
/* How many are in the table; changes under window_lock. */
static unsigned int windows_mapped;

static struct window *window_lookup(struct mm_struct *mm)
{
	struct window *window;

	hash_for_each_possible_rcu(window_table, window, node, (unsigned long)mm)
		if (window->pmap.mm == mm)
			return window;
	return NULL;
}

struct window *window_get_of(struct mm_struct *mm)
{
	struct window *window;

	rcu_read_lock_sched();
	window = window_lookup(mm);
	if (window && !refcount_inc_not_zero(&window->refs))
		window = NULL;
	rcu_read_unlock_sched();
	return window;
}

struct window *window_get(void)
{
	return window_get_of(current->mm);
}

unsigned int window_count(void)
{
	return READ_ONCE(windows_mapped);
}

int window_list(struct window ***windows)
{
	struct window **list, *window;
	unsigned int n, room, i;

	do {
		/* Some more may come; without room to spare, some may be missing. */
		room = window_count() + 16;
		list = kvmalloc_array(room, sizeof(*list), GFP_KERNEL);
		if (!list)
			return -ENOMEM;
		n = 0;
		rcu_read_lock();
		hash_for_each_rcu(window_table, i, window, node)
			if (n < room && refcount_inc_not_zero(&window->refs))
				list[n++] = window;
		rcu_read_unlock();
		if (n == room)
			window_list_free(list, n);
	} while (n == room);
	*windows = list;
	return n;
}

void window_list_free(struct window **windows, int n)
{
	int i;

	for (i = 0; i < n; i++)
		window_put(windows[i]);
	kvfree(windows);
}

void window_put(struct window *window)
{
	if (!refcount_dec_and_test(&window->refs))
		return;
	vmspace_free(window->vmspace);
	kfree_rcu(window, rcu);
}

static int window_reaper_release(struct inode *inode, struct file *file)
{
	window_put(file->private_data);
	return 0;
}

static const struct file_operations window_reaper_fops = {
	.owner = THIS_MODULE,
	.release = window_reaper_release,
};

/* A window for @vma, which knows it from then on, with an empty vmspace. */
static struct window *window_create(struct vm_area_struct *vma, struct pmap_group *group)
{
	struct window *window;
	struct file *reaper;

	window = kzalloc(sizeof(*window), GFP_KERNEL_ACCOUNT);
	if (!window)
		return ERR_PTR(-ENOMEM);
	refcount_set(&window->refs, 1);
	window->vmspace = vmspace_alloc(&window->pmap, vma->vm_start, vma->vm_end);
	if (!window->vmspace) {
		kfree(window);
		return ERR_PTR(-ENOMEM);
	}
	reaper = anon_inode_getfile("[bsdvm]", &window_reaper_fops, window, O_RDONLY);
	if (IS_ERR(reaper)) {
		vmspace_free(window->vmspace);
		kfree(window);
		return ERR_CAST(reaper);
	}
	window->reaper = reaper;
	pmap_pinit(&window->pmap, group, vma);
	vma->vm_private_data = window;
	spin_lock(&window_lock);
	hash_add_rcu(window_table, &window->node, (unsigned long)vma->vm_mm);
	WRITE_ONCE(windows_mapped, windows_mapped + 1);
	spin_unlock(&window_lock);
	return window;
}

static void window_vm_close(struct vm_area_struct *vma)
{
	struct window *window = vma->vm_private_data;

	if (!window)
		return;
	vma->vm_private_data = NULL;
	spin_lock(&window_lock);
	hash_del_rcu(&window->node);
	WRITE_ONCE(windows_mapped, windows_mapped - 1);
	spin_unlock(&window_lock);
	pmap_release(&window->pmap);
	fput(window->reaper);
}

static void window_vm_open(struct vm_area_struct *vma)
{
	struct window *parent = vma->vm_private_data, *child;
	unsigned int attempts = 0;
	int failures;

	vma->vm_private_data = NULL;
	if (!parent)
		return;
	/* A copy that mremap(2) makes before it hears our refusal. */
	if (parent->pmap.mm == vma->vm_mm)
		return;

	if (!(vma->vm_flags & VM_WIPEONFORK)) {
		/*
		 * Somebody said MADV_KEEPONFORK. By the kernel's version the page
		 * tables have been copied by now, or would be next: the child may not
		 * have translations we do not know of.
		 */
		vm_flags_set(vma, VM_WIPEONFORK);
		zap_vma_ptes(vma, vma->vm_start, vma->vm_end - vma->vm_start);
	}
	/* Nobody can be told that it failed: wait for pages as a fault would. */
	do {
		failures = atomic_read(&vm_page_kmem_failures);
		child = window_create(vma, parent->pmap.group);
		if (IS_ERR(child))
			continue;
		if (!vmspace_fork(parent->vmspace, child->vmspace))
			break;
		window_vm_close(vma);
	} while (failures != atomic_read(&vm_page_kmem_failures) && !vm_wait_attempt(&attempts));
}

static int window_vm_may_split(struct vm_area_struct *vma, unsigned long addr)
{
	return -EINVAL;
}

static int window_vm_mremap(struct vm_area_struct *vma)
{
	return -EINVAL;
}

static int window_vm_mprotect(struct vm_area_struct *vma, unsigned long start, unsigned long end,
			      unsigned long newflags)
{
	return -EACCES;
}

static vm_prot_t window_fault_type(const struct vm_fault *vmf)
{
	if (vmf->flags & FAULT_FLAG_WRITE)
		return VM_PROT_WRITE;
	if (vmf->flags & FAULT_FLAG_INSTRUCTION)
		return VM_PROT_EXECUTE;
	return VM_PROT_READ;
}

/* Must the signal be forced, since the thread could otherwise fault for ever? */
static bool window_signal_stuck(int sig)
{
	/* Nobody but the task itself takes its sighand away. */
	struct sighand_struct *sighand = rcu_dereference_protected(current->sighand, true);
	struct k_sigaction *sa = &sighand->action[sig - 1];

	return sigismember(&current->blocked, sig) || sa->sa.sa_handler == SIG_IGN ||
	       (sa->sa.sa_handler == SIG_DFL && (current->signal->flags & SIGNAL_UNKILLABLE));
}

/* A signal with BSD's code and the address, which Linux's own path would not give. */
static void window_signal(const struct vm_fault *vmf, int sig, int code)
{
	struct kernel_siginfo info;

	/* What a handler finds in its ucontext. */
	current->thread.trap_nr = X86_TRAP_PF;
	current->thread.cr2 = vmf->real_address;
	current->thread.error_code = X86_PF_USER |
				     (vmf->flags & FAULT_FLAG_WRITE ? X86_PF_WRITE : 0) |
				     (vmf->flags & FAULT_FLAG_INSTRUCTION ? X86_PF_INSTR : 0);
	if (window_signal_stuck(sig)) {
		force_sig(sig);
		return;
	}
	clear_siginfo(&info);
	info.si_signo = sig;
	info.si_code = code;
	info.si_addr = (void __user *)vmf->real_address;
	send_sig_info(sig, &info, current);
}

/* What Linux is told of a fault that ended with @rv. */
static vm_fault_t window_fault_result(const struct vm_fault *vmf, int rv)
{
	bool user = vmf->flags & FAULT_FLAG_USER;

	switch (rv) {
	case KERN_SUCCESS:
		return VM_FAULT_NOPAGE;
	case KERN_PROTECTION_FAILURE:
		if (!user)
			return VM_FAULT_SIGSEGV;
		if (READ_ONCE(vm_prot_fault_translation))
			window_signal(vmf, SIGBUS, BSDVM_BUS_PAGEFLT);
		else
			window_signal(vmf, SIGSEGV, SEGV_ACCERR);
		return VM_FAULT_NOPAGE;
	case KERN_OUT_OF_BOUNDS:
		if (!user)
			return VM_FAULT_SIGBUS;
		window_signal(vmf, SIGBUS, BUS_OBJERR);
		return VM_FAULT_NOPAGE;
	case KERN_RESOURCE_SHORTAGE:
		/* Not VM_FAULT_OOM: Linux's OOM killer could not help us. */
		if (!user)
			return VM_FAULT_SIGBUS;
		window_signal(vmf, SIGBUS, BSDVM_BUS_OOMERR);
		return VM_FAULT_NOPAGE;
	case KERN_FAILURE:
		return user ? VM_FAULT_NOPAGE : VM_FAULT_SIGBUS; /* being killed */
	default:
		return VM_FAULT_SIGSEGV;
	}
}

/* May the fault let go of its lock to wait? Only then is waiting harmless to others. */
static bool window_may_unlock(const struct vm_fault *vmf)
{
	return (vmf->flags & (FAULT_FLAG_ALLOW_RETRY | FAULT_FLAG_USER)) ==
	       (FAULT_FLAG_ALLOW_RETRY | FAULT_FLAG_USER) &&
	       !(vmf->flags & FAULT_FLAG_RETRY_NOWAIT);
}

/* Wait for what the fault wants, or for the vmspace to be swapped in. */
static int window_wait(struct window *window, struct vm_fault_wait *fw)
{
	/* What the fault holds is let go of by waiting for it. */
	if (vm_swapped_out(window->vmspace) && fw->what < VM_FAULT_WAIT_PAGEIN)
		return vm_swapin_wait(window->vmspace) ? KERN_FAILURE : KERN_RESTART;
	return vm_fault_wait(fw);
}

/* One pass over a fault; of a vmspace that is out nothing is looked at. */
static int window_fault(struct window *window, vm_offset_t va, vm_prot_t fault_type,
			struct vm_fault_wait *fw, struct vm_page **m_hold)
{
	if (vm_swapped_out(window->vmspace)) {
		fw->what = VM_FAULT_WAIT_NONE;
		return KERN_RESTART;
	}
	return vm_fault(&window->vmspace->vm_map, va, fault_type, fw, m_hold);
}

/* Let go of the fault's lock, wait, and have Linux fault again. */
static vm_fault_t window_wait_unlocked(struct vm_fault *vmf, struct window *window,
				       struct vm_fault_wait *fw)
{
	/*
	 * NOPAGE for ->pfn_mkwrite, whose caller does not know RETRY and would make
	 * the old page writable, with no lock held.
	 */
	vm_fault_t ret = VM_FAULT_RETRY | VM_FAULT_NOPAGE |
			 (fw->what == VM_FAULT_WAIT_PAGEIN ? VM_FAULT_MAJOR : 0);
	struct file *file = get_file(vmf->vma->vm_file);
	int rv;

	if (fw->what == VM_FAULT_WAIT_PAGEIN)
		atomic_long_inc(&window->vmspace->vm_majflt);
	refcount_inc(&window->refs);
	release_fault_lock(vmf);
	fw->patient = true;
	rv = window_wait(window, fw);
	if (rv != KERN_RESTART)
		window_fault_result(vmf, rv);
	window_put(window);
	/* Last: the window may be gone, and this is what keeps the module here. */
	fput(file);
	return ret;
}

static vm_fault_t window_vm_fault(struct vm_fault *vmf)
{
	struct window *window = vmf->vma->vm_private_data;
	struct vm_fault_wait fw __uninitialized;
	int rv;

	if (!window) {
		/* Its fork found no memory for it. */
		force_sig(SIGKILL);
		return VM_FAULT_SIGBUS;
	}
	if (window_fault_type(vmf) & ~window->pmap.prot)
		return window_fault_result(vmf, KERN_PROTECTION_FAILURE);
	vm_fault_wait_init(&fw, vmf->pmd);
	fw.restarts = !!(vmf->flags & FAULT_FLAG_TRIED);
	do {
		rv = window_fault(window, vmf->address, window_fault_type(vmf), &fw, NULL);
		if (likely(rv != KERN_RESTART))
			break;
		if (window_may_unlock(vmf))
			return window_wait_unlocked(vmf, window, &fw);
		if (fw.what == VM_FAULT_WAIT_PAGEIN)
			atomic_long_inc(&window->vmspace->vm_majflt);
		rv = window_wait(window, &fw);
	} while (rv == KERN_RESTART);
	if (unlikely(rv != KERN_SUCCESS))
		return window_fault_result(vmf, rv);
	/* Once for each access: one that waited comes here again. */
	if (!(vmf->flags & FAULT_FLAG_TRIED))
		atomic_long_inc(&window->vmspace->vm_minflt);
	return VM_FAULT_NOPAGE;
}

static vm_fault_t window_vm_map_pages(struct vm_fault *vmf, pgoff_t start_pgoff, pgoff_t end_pgoff)
{
	struct window *window = vmf->vma->vm_private_data;

	if (!window || vm_swapped_out(window->vmspace))
		return 0;
	if (!vm_fault_prefault(&window->vmspace->vm_map, vmf->address, window_fault_type(vmf)))
		return 0;
	atomic_long_inc(&window->vmspace->vm_minflt);
	return VM_FAULT_NOPAGE;
}

/* ptrace(2) and /proc/PID/mem: a copy of at most one page. */
static int window_vm_access(struct vm_area_struct *vma, unsigned long addr, void *buf, int len,
			    int write)
{
	struct window *window = vma->vm_private_data;
	struct vm_fault_wait fw = { .restarts = 0 };
	struct vm_page *m;
	void *content;
	int rv;

	if (!window)
		return -EFAULT;
	do {
		rv = window_fault(window, addr, write ? VM_PROT_WRITE : VM_PROT_READ, &fw, &m);
		if (rv == KERN_RESTART)
			rv = window_wait(window, &fw);
	} while (rv == KERN_RESTART);
	if (rv != KERN_SUCCESS)
		return -EFAULT;
	if (vm_page_fictitious(m)) {
		/* Its driver may be taking it away. */
		vm_page_unwire(m, PQ_NONE);
		return -EFAULT;
	}

	len = min_t(unsigned long, len, PAGE_SIZE - offset_in_page(addr));
	content = pmap_quick_enter_page(m) + offset_in_page(addr);
	if (write) {
		memcpy(content, buf, len);
		/* It may have been made clean since the fault. */
		vm_object_dirty_page(m);
	} else {
		memcpy(buf, content, len);
	}
	vm_page_unwire(m, PQ_ACTIVE);
	return len;
}

static const struct vm_operations_struct window_vm_ops = {
	.open = window_vm_open,
	.close = window_vm_close,
	.may_split = window_vm_may_split,
	.mremap = window_vm_mremap,
	.mprotect = window_vm_mprotect,
	.fault = window_vm_fault,
	.pfn_mkwrite = window_vm_fault,
	.map_pages = window_vm_map_pages,
	.access = window_vm_access,
};

int window_mmap(struct vm_area_struct *vma, struct pmap_group *group)
{
	struct window *window;

	if (!(vma->vm_flags & VM_SHARED) || vma->vm_pgoff)
		return -EINVAL;
	rcu_read_lock();
	window = window_lookup(vma->vm_mm);
	rcu_read_unlock();
	if (window)
		return -EBUSY;
	vm_flags_set(vma, WINDOW_FLAGS);
	window = window_create(vma, group);
	if (IS_ERR(window))
		return PTR_ERR(window);
	vma->vm_ops = &window_vm_ops;
	return 0;
}
