/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * vm_user: how many pages of the pool each user has.
 *
 * An object belongs to who made it, and its resident pages count for him. Who has as
 * many as vm.max_user_pages gets no more: he waits, and the pageout daemon takes pages
 * from him, used or not, and from nobody else. Root is not bounded.
 *
 * (FreeBSD bounds a user by rctl(8), resource memoryuse.)
 */
#ifndef BSDVM_VM_USER_H
#define BSDVM_VM_USER_H

#include "vm.h"

/**
 * struct vm_user - a user
 * @node: (L) place in the table
 * @uid: (C) who
 * @exempt: (C) not bounded
 * @pages: (A) pages resident in his objects
 *
 * Lives until the module goes: users are few.
 *
 * Locks: (A) atomic, by CPU, (C) constant, (L) the table's; RCU for readers.
 */
struct vm_user {
	struct hlist_node node;
	kuid_t uid;
	bool exempt;
	struct percpu_counter pages;
};

/**
 * vm_user_current() - the user of the calling process
 *
 * Context: process, may sleep.
 * Return: the user; NULL when there is no kernel memory.
 */
struct vm_user *vm_user_current(void);

/**
 * vm_user_fini() - forget all users; no object is left
 *
 * Context: shut-down only.
 */
void vm_user_fini(void);

/* Tunable: pages that a user may have; 0: as many as there are. */
extern unsigned long vm_max_user_pages;

/**
 * vm_user_charge() - count pages that have come or gone
 * @user: whose
 * @pages: how many, less than 0 when they have gone
 *
 * Context: any but interrupt.
 */
static inline void vm_user_charge(struct vm_user *user, long pages)
{
	/* As percpu_counter_add() does; in line, since each page of a fault comes here. */
	if (unlikely(abs(this_cpu_add_return(*user->pages.counters, (s32)pages)) >=
		     percpu_counter_batch))
		percpu_counter_add(&user->pages, 0);
}

/**
 * vm_user_has_room() - may a user have some more pages?
 * @user: the user
 * @pages: how many
 *
 * Exact to a few dozen pages a CPU.
 *
 * Context: any.
 * Return: false when they would be more than he may have.
 */
static inline bool vm_user_has_room(const struct vm_user *user, unsigned int pages)
{
	unsigned long max = READ_ONCE(vm_max_user_pages);

	return !max || user->exempt ||
	       percpu_counter_read_positive((struct percpu_counter *)&user->pages) + pages <=
	       (s64)max;
}

/**
 * vm_user_over() - has a user as many pages as he may have?
 * @user: the user
 *
 * Context: any.
 * Return: true when he gets no more.
 */
static inline bool vm_user_over(const struct vm_user *user)
{
	return !vm_user_has_room(user, 1);
}

/**
 * vm_user_wait_attempt() - wait until a user has fewer pages than he may have
 * @user: the user
 * @attempts: how often it was in vain; zero it before the first
 *
 * As long, and as often, as a fault waits for memory.
 *
 * Context: process, sleeps killably; no lock held that the pageout daemon may want.
 * Return: 0: look again; -ENOMEM: no more attempts; -EINTR on a fatal signal.
 */
int vm_user_wait_attempt(struct vm_user *user, unsigned int *attempts);

/**
 * vm_user_waiting() - does anybody wait in vm_user_wait()?
 *
 * Context: any.
 * Return: true: the pageout daemon has to look for his pages.
 */
bool vm_user_waiting(void);

/**
 * vm_user_wakeup() - pages of users have gone: let them look
 *
 * Context: any.
 */
void vm_user_wakeup(void);

#endif /* BSDVM_VM_USER_H */
