/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef _LIBBSDVM_WINDOW_H
#define _LIBBSDVM_WINDOW_H

#include <stdbool.h>

#include "entry.h"

/**
 * libbsdvm_ioctl() - ioctl(2) on the device, with the window made before
 * @request: BSDVM_IOC_*
 * @arg: its structure
 *
 * Return: 0, or -1 with errno.
 */
int libbsdvm_ioctl(unsigned long request, void *arg);

/**
 * libbsdvm_device_ioctl() - the same for what needs no window, which makes none
 * @request: BSDVM_IOC_*
 * @arg: its structure
 *
 * Return: 0, or -1 with errno.
 */
int libbsdvm_device_ioctl(unsigned long request, void *arg);

/**
 * libbsdvm_process_ioctl() - the same for what is about a process
 * @pid: process, 0 for the caller, whose window is made before
 * @request: BSDVM_IOC_*
 * @arg: its structure
 *
 * Return: 0, or -1 with errno.
 */
int libbsdvm_process_ioctl(pid_t pid, unsigned long request, void *arg);

/**
 * libbsdvm_window_meets() - has a range an address in common with the window?
 * @start: first address
 * @end: address behind the last
 *
 * Makes no window: where there is none, no range meets it.
 */
bool libbsdvm_window_meets(uintptr_t start, uintptr_t end);

#endif /* _LIBBSDVM_WINDOW_H */
