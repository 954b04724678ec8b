/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * malloc: what a caller who wants kernel memory can say of how.
 *
 * (FreeBSD's malloc(9), values and names.)
 */
#ifndef BSDVM_MALLOC_H
#define BSDVM_MALLOC_H

#define M_NOWAIT	0x0001	/* fail rather than sleep */
#define M_WAITOK	0x0002	/* may sleep */
#define M_ZERO		0x0100	/* filled with zeroes */
#define M_USE_RESERVE	0x0400	/* may dig into the pages kept for page-out */

#endif /* BSDVM_MALLOC_H */
