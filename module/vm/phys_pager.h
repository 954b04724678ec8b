/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * phys_pager: objects whose pages stay in memory.
 *
 * A page comes with its first touch, zeroed, and is wired until the object lets go of
 * it: it is never paged out, whoever runs short of memory.
 */
#ifndef BSDVM_PHYS_PAGER_H
#define BSDVM_PHYS_PAGER_H

#include "vm_object.h"

/**
 * phys_pager_init() - register the pager
 *
 * Context: start-up only.
 */
void phys_pager_init(void);

/**
 * phys_pager_fini() - undo phys_pager_init(); every such object is gone
 *
 * Context: shut-down only.
 */
void phys_pager_fini(void);

/**
 * phys_pager_destroy() - free a page of such an object
 * @m: the page: not busied, mapped nowhere
 *
 * Who else wires it keeps it until then.
 *
 * Context: its object locked exclusively.
 */
void phys_pager_destroy(struct vm_page *m);

#endif /* BSDVM_PHYS_PAGER_H */
