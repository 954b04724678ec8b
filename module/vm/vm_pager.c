// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * vm_pager: which pager serves which type of object.
 *
 * The pagers stand one floor up and register themselves, so that objects can
 * reach them without calling upwards by name.
 */
#include "vm_pager.h"

static const struct pagerops *pagertab[OBJT_SWAP + 1];

void vm_pager_register(u8 type, const struct pagerops *ops)
{
	pagertab[type] = ops;
}

const struct pagerops *vm_pager_ops(const struct vm_object *object)
{
	return pagertab[object->type];
}
