// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * vm_user: how many pages of the pool each user has.
 *
 * The counts are kept by CPU and gathered now and then, so that faults of one user on
 * two CPUs share no cache line; a user may get a few dozen pages more a CPU.
 *
 * Lock: vm_user_lock guards the table against other writers; a leaf.
 */
#include "vm_user.h"

#include "vm_page.h"

unsigned long vm_max_user_pages;
EXPORT_SYMBOL_IF_KUNIT(vm_max_user_pages);

static DEFINE_HASHTABLE(vm_users, 6);
static DEFINE_SPINLOCK(vm_user_lock);
static DECLARE_WAIT_QUEUE_HEAD(vm_user_queue);
static atomic_t vm_user_waiters = ATOMIC_INIT(0);

static struct vm_user *vm_user_lookup(kuid_t uid)
{
	struct vm_user *user;

	hash_for_each_possible_rcu(vm_users, user, node, __kuid_val(uid))
		if (uid_eq(user->uid, uid))
			return user;
	return NULL;
}

static struct vm_user *vm_user_create(kuid_t uid)
{
	struct vm_user *user = kzalloc(sizeof(*user), GFP_KERNEL), *other;

	if (!user)
		return NULL;
	if (percpu_counter_init(&user->pages, 0, GFP_KERNEL)) {
		kfree(user);
		return NULL;
	}
	user->uid = uid;
	user->exempt = uid_eq(uid, GLOBAL_ROOT_UID);
	spin_lock(&vm_user_lock);
	other = vm_user_lookup(uid);
	if (!other)
		hash_add_rcu(vm_users, &user->node, __kuid_val(uid));
	spin_unlock(&vm_user_lock);
	if (!other)
		return user;
	percpu_counter_destroy(&user->pages);
	kfree(user);
	return other;
}

struct vm_user *vm_user_current(void)
{
	kuid_t uid = current_uid();
	struct vm_user *user;

	rcu_read_lock_sched();
	user = vm_user_lookup(uid);
	rcu_read_unlock_sched();
	return user ? user : vm_user_create(uid);
}
EXPORT_SYMBOL_IF_KUNIT(vm_user_current);

void vm_user_fini(void)
{
	struct hlist_node *next;
	struct vm_user *user;
	unsigned int i;

	hash_for_each_safe(vm_users, i, next, user, node) {
		VM_ASSERT(!percpu_counter_sum(&user->pages));
		hash_del(&user->node);
		percpu_counter_destroy(&user->pages);
		kfree(user);
	}
}

int vm_user_wait_attempt(struct vm_user *user, unsigned int *attempts)
{
	long left;

	if (*attempts >= READ_ONCE(vm_pfault_oom_attempts))
		return -ENOMEM;
	atomic_inc(&vm_user_waiters);
	vm_pageout_wakeup();
	left = wait_event_killable_timeout(vm_user_queue, !vm_user_over(user),
					   READ_ONCE(vm_pfault_oom_wait) * HZ);
	atomic_dec(&vm_user_waiters);
	if (left < 0)
		return -EINTR;
	*attempts += !left;
	return 0;
}

bool vm_user_waiting(void)
{
	return atomic_read(&vm_user_waiters);
}

void vm_user_wakeup(void)
{
	wake_up_all(&vm_user_queue);
}
