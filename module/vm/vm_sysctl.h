/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * vm_sysctl: the tunables of the VM system by name, with their bounds.
 *
 * (sysctl(8), tuning(7).)
 */
#ifndef BSDVM_VM_SYSCTL_H
#define BSDVM_VM_SYSCTL_H

#include "vm.h"

/**
 * struct vm_sysctl - a tunable, or a gauge
 * @name: its name
 * @desc: one line about it
 * @uint: the variable, where it is an unsigned int
 * @ulong: the variable, where it is an unsigned long
 * @get: what computes the value, where there is no variable
 * @min: least value allowed
 * @max: greatest value allowed
 * @max_get: what computes that, or NULL
 * @step: a value is a multiple of it; 0 for any
 *
 * With neither @uint nor @ulong it cannot be changed.
 */
struct vm_sysctl {
	const char *name;
	const char *desc;
	unsigned int *uint;
	unsigned long *ulong;
	u64 (*get)(void);
	u64 min;
	u64 max;
	u64 (*max_get)(void);
	u64 step;
};

/**
 * vm_sysctl_init() - set defaults that depend on the pool, check the others
 *
 * Context: start-up only, after vm_phys_init().
 * Return: 0, -EINVAL when a tunable was loaded with a value out of range.
 */
int vm_sysctl_init(void);

/**
 * vm_sysctl_at() - a tunable by number
 * @index: from 0 on
 *
 * Return: the tunable, NULL behind the last.
 */
const struct vm_sysctl *vm_sysctl_at(unsigned int index);

/**
 * vm_sysctl_find() - a tunable by name
 * @name: its name
 *
 * Return: the tunable, NULL when there is none.
 */
const struct vm_sysctl *vm_sysctl_find(const char *name);

/**
 * vm_sysctl_writable() - may it be changed at all?
 * @sysctl: the tunable
 *
 * Return: true when it may.
 */
static inline bool vm_sysctl_writable(const struct vm_sysctl *sysctl)
{
	return sysctl->uint || sysctl->ulong;
}

/**
 * vm_sysctl_max() - greatest value allowed
 * @sysctl: the tunable
 *
 * Return: the value.
 */
u64 vm_sysctl_max(const struct vm_sysctl *sysctl);

/**
 * vm_sysctl_get() - the value
 * @sysctl: the tunable
 *
 * Context: any.
 * Return: the value.
 */
u64 vm_sysctl_get(const struct vm_sysctl *sysctl);

/**
 * vm_sysctl_set() - change the value
 * @sysctl: the tunable
 * @value: what to
 *
 * Whether the caller may is the caller's business.
 *
 * Context: any.
 * Return: 0; -EPERM for what cannot be changed; -EINVAL for a value out of range.
 */
int vm_sysctl_set(const struct vm_sysctl *sysctl, u64 value);

/* Tunable: a forbidden access is told by SIGBUS rather than SIGSEGV. */
extern unsigned int vm_prot_fault_translation;

#endif /* BSDVM_VM_SYSCTL_H */
