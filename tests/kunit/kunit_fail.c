// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Make the kernel's memory run out for one task, from its n-th allocation on.
 *
 * The kernel's own fault injection is set up through debugfs, by somebody else
 * than the test; so this puts a probe where it decides. One test at a time.
 */
#include "bsdvm_kunit.h"

#include <linux/gfp.h>
#include <linux/kprobes.h>

static struct {
	struct task_struct *task;	/* for whom memory runs out, or NULL */
	unsigned int left;		/* allocations that succeed before */
	unsigned int failed;
} fail;

/* Where should_failslab() goes on instead. */
static noinline int fail_allocation(void)
{
	return -ENOMEM;
}

static int fail_probe(struct kprobe *probe, struct pt_regs *regs)
{
	gfp_t gfp = regs->si;

	if (READ_ONCE(fail.task) != current || !in_task())
		return 0;
	/* Not the kernel's debugging, which gives up for good then. */
	if (gfp & (__GFP_NOMEMALLOC | __GFP_NORETRY | __GFP_HIGH))
		return 0;
	if (fail.left) {
		fail.left--;
		return 0;
	}
	fail.failed++;
	regs->ip = (unsigned long)fail_allocation;
	return 1;
}

static struct kprobe fail_kprobe = {
	.symbol_name = "should_failslab",
	.pre_handler = fail_probe,
};

static void fail_end(void *arg)
{
	WRITE_ONCE(fail.task, NULL);
	unregister_kprobe(&fail_kprobe);
	/* A probe that was registered before cannot be again as it is. */
	fail_kprobe.addr = NULL;
	fail_kprobe.flags = 0;
}

void test_fail_init(struct kunit *test)
{
	KUNIT_ASSERT_EQ(test, 0, register_kprobe(&fail_kprobe));
	KUNIT_ASSERT_EQ(test, 0, kunit_add_action_or_reset(test, fail_end, NULL));
}

void test_fail_from(unsigned int nth)
{
	fail.left = nth - 1;
	fail.failed = 0;
	WRITE_ONCE(fail.task, current);
}

bool test_fail_done(void)
{
	WRITE_ONCE(fail.task, NULL);
	return fail.failed;
}
