// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * vm_fault_wait: what a fault has to sleep for, with nothing locked.
 */
#include "vm_fault.h"

#include "trace.h"
#include "uma.h"
#include "vm_page.h"
#include "vm_pageout.h"
#include "vm_pager.h"
#include "vm_user.h"

/* Bring pages in with no lock held, and let go of the object. */
static int fault_wait_pagein(struct vm_fault_wait *fw)
{
	struct vm_object *object = fw->object;
	int rv;

	rv = vm_pager_get_pages(object, fw->ma, fw->count, fw->req);
	vm_object_pagein_done(object, fw->ma, fw->count, fw->req);
	vm_object_deallocate_later(object);
	return rv == VM_PAGER_OK ? KERN_RESTART : KERN_OUT_OF_BOUNDS;
}

static int fault_wait_prepare(struct vm_fault_wait *fw)
{
	vm_pager_ops(fw->object)->prepare_write(fw->object, fw->ma[0]);
	vm_page_unwire(fw->ma[0], PQ_ACTIVE);
	vm_object_deallocate_later(fw->object);
	return KERN_RESTART;
}

/* While somebody may be killed for it, who is in nobody's way goes on waiting. */
static bool fault_hopes(const struct vm_fault_wait *fw)
{
	return fw->patient && vm_pageout_oom_hopeful();
}

static int fault_wait_for_memory(const struct vm_fault_wait *fw)
{
	unsigned int i;
	int ret;

	for (i = 0; i < READ_ONCE(vm_pfault_oom_attempts) || fault_hopes(fw); i++) {
		ret = vm_wait((unsigned long)READ_ONCE(vm_pfault_oom_wait) * HZ);
		if (!ret)
			return KERN_RESTART;
		if (ret == -EINTR)
			return KERN_FAILURE;
	}
	/* Unless the kernel itself has some that it does not use. */
	uma_reclaim(UMA_RECLAIM_DRAIN_CPU);
	return vm_wait(0) ? KERN_RESOURCE_SHORTAGE : KERN_RESTART;
}

/* Have the pager put a page into the object, and let go of the object. */
static int fault_wait_populate(struct vm_fault_wait *fw)
{
	struct vm_object *object = fw->object;
	int rv = vm_pager_ops(object)->populate(object, fw->pindex);

	vm_object_deallocate_later(object);
	switch (rv) {
	case VM_PAGER_OK:
		return KERN_RESTART;
	case VM_PAGER_AGAIN:
		return fault_wait_for_memory(fw);
	case VM_PAGER_FAIL:
		return KERN_RESOURCE_SHORTAGE;
	default:
		return KERN_OUT_OF_BOUNDS;
	}
}

/* The user's own pages have to go first. */
static int fault_wait_for_user(const struct vm_fault_wait *fw)
{
	unsigned int attempts = 0;
	int ret;

	ret = vm_user_wait_attempt(fw->user, &attempts);
	while (!ret && vm_user_over(fw->user))
		ret = vm_user_wait_attempt(fw->user, &attempts);
	if (ret)
		return ret == -EINTR ? KERN_FAILURE : KERN_RESOURCE_SHORTAGE;
	return KERN_RESTART;
}

static int fault_wait(struct vm_fault_wait *fw)
{
	switch (fw->what) {
	case VM_FAULT_WAIT_BUSY:
		return vm_page_busy_sleep(fw->ma[0]) ? KERN_FAILURE : KERN_RESTART;
	case VM_FAULT_WAIT_MEMORY:
		return fault_wait_for_memory(fw);
	case VM_FAULT_WAIT_USER:
		return fault_wait_for_user(fw);
	case VM_FAULT_WAIT_PAGEIN:
		return fault_wait_pagein(fw);
	case VM_FAULT_WAIT_PREPARE:
		return fault_wait_prepare(fw);
	case VM_FAULT_WAIT_POPULATE:
		return fault_wait_populate(fw);
	default:
		return KERN_RESTART;
	}
}

int vm_fault_wait(struct vm_fault_wait *fw)
{
	int rv;

	trace_bsdvm_fault_wait_begin(fw->what);
	rv = fault_wait(fw);
	trace_bsdvm_fault_wait_end(fw->what, rv);
	return rv;
}
EXPORT_SYMBOL_IF_KUNIT(vm_fault_wait);
