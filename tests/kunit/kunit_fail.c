// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Make the kernel's memory run out for one task, from its n-th allocation on: Linux's,
 * and that of our zones.
 *
 * The kernel's own fault injection is set up through debugfs, by somebody else
 * than the test; so this puts a probe where it decides. One test at a time.
 */
#include "bsdvm_kunit.h"

#include <linux/gfp.h>
#include <linux/kprobes.h>

#include "vm/malloc.h"

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

/* Where uma_dbg_fail() goes on instead. */
static noinline bool fail_item(void)
{
	return true;
}

static bool fail_this(void)
{
	if (READ_ONCE(fail.task) != current || !in_task())
		return false;
	if (fail.left) {
		fail.left--;
		return false;
	}
	fail.failed++;
	return true;
}

static int fail_probe(struct kprobe *probe, struct pt_regs *regs)
{
	gfp_t gfp = regs->si;

	/* Not the kernel's debugging, which gives up for good then. */
	if (gfp & (__GFP_NOMEMALLOC | __GFP_NORETRY | __GFP_HIGH) || !fail_this())
		return 0;
	regs->ip = (unsigned long)fail_allocation;
	return 1;
}

static int fail_item_probe(struct kprobe *probe, struct pt_regs *regs)
{
	if (!(regs->si & M_NOWAIT) || !fail_this())
		return 0;
	regs->ip = (unsigned long)fail_item;
	return 1;
}

static struct kprobe fail_kprobes[] = {
	{ .symbol_name = "should_failslab", .pre_handler = fail_probe },
	{ .symbol_name = "uma_dbg_fail", .pre_handler = fail_item_probe },
};

static void fail_end(void *arg)
{
	struct kprobe *probe = arg;

	WRITE_ONCE(fail.task, NULL);
	unregister_kprobe(probe);
	/* A probe that was registered before cannot be again as it is. */
	probe->addr = NULL;
	probe->flags = 0;
}

void test_fail_init(struct kunit *test)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(fail_kprobes); i++) {
		KUNIT_ASSERT_EQ(test, 0, register_kprobe(&fail_kprobes[i]));
		KUNIT_ASSERT_EQ(test, 0,
				kunit_add_action_or_reset(test, fail_end, &fail_kprobes[i]));
	}
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
