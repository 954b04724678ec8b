/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * What the test device understands, for it and for who tests with it.
 */
#ifndef BSDVM_TESTDEV_H
#define BSDVM_TESTDEV_H

#include <linux/ioctl.h>

#define TESTDEV_PATH	"/dev/bsdvm_testdev"

/* Its memory: pages of the machine from offset 0 on, ... */
#define TESTDEV_PAGES	16
/* ... nothing; and where no memory of the machine is, the BIOS's ROM. */
#define TESTDEV_ROM	0x100000
#define TESTDEV_ROM_ADDRESS 0xf0000
#define TESTDEV_ROM_SIZE 0x10000
/* Whoever maps from here on is told EPERM, page by page EINVAL. */
#define TESTDEV_FORBIDDEN 0x200000

/* What its pages contain at first, and what they are overwritten by when freed. */
#define TESTDEV_FRESH	'f'
#define TESTDEV_POISON	'p'

/* Withdraw its memory, and free it; offer new memory, forget the device between. */
#define TESTDEV_WITHDRAW _IO('t', 0)
#define TESTDEV_OFFER	_IO('t', 1)
/* How often the driver was asked for a page. */
#define TESTDEV_FAULTS	_IO('t', 2)

#endif /* BSDVM_TESTDEV_H */
