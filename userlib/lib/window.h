/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef _LIBBSDVM_WINDOW_H
#define _LIBBSDVM_WINDOW_H

#include <bsdvm.h>

/**
 * libbsdvm_ioctl() - ioctl(2) on the device, with the window made before
 * @request: BSDVM_IOC_*
 * @arg: its structure
 *
 * Return: 0, or -1 with errno.
 */
int libbsdvm_ioctl(unsigned long request, void *arg);

#endif /* _LIBBSDVM_WINDOW_H */
