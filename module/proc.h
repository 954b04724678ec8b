/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * proc: what the VM system wants of Linux's processes when memory is short: which of
 * them have run, and one to be killed.
 */
#ifndef BSDVM_PROC_H
#define BSDVM_PROC_H

/**
 * proc_init() - offer both to the pageout daemon
 *
 * Context: start-up only.
 */
void proc_init(void);

/**
 * proc_fini() - undo proc_init()
 *
 * Context: shut-down only, after vm_pageout_fini(), before the last window's table goes.
 */
void proc_fini(void);

#endif /* BSDVM_PROC_H */
