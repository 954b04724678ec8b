/* SPDX-License-Identifier: BSD-2-Clause */
/* bsdvm stat -z and -m: the module's own memory. */
#ifndef _BSDVM_KMEM_H
#define _BSDVM_KMEM_H

#include <stdbool.h>

/* Print the zones of the kernel memory allocator. */
void kmem_print_zones(bool json);

/* Print what memory of malloc(9) is for. */
void kmem_print_malloc_types(bool json);

#endif /* _BSDVM_KMEM_H */
