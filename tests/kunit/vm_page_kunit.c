// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Tests of page caches, waiting for memory, page queues, wiring and busying, on
 * the real pool. Nobody else uses it meanwhile.
 */
#include "bsdvm_kunit.h"

#include <linux/io.h>
#include <linux/mm.h>
#include <linux/sched/signal.h>

static struct vm_page *test_page(struct kunit *test)
{
	struct vm_page *m = vm_page_alloc_noobj(VM_ALLOC_NORMAL);

	KUNIT_ASSERT_NOT_NULL(test, m);
	return m;
}

/* --- frames of others */

static struct page *test_frame(struct kunit *test)
{
	struct page *frame = alloc_page(GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, frame);
	return frame;
}

/* What is lent goes back when another frame is shown, and when the page is freed. */
static void page_shows_a_lent_frame_until_it_is_freed(struct kunit *test)
{
	struct page *frames[2] = { test_frame(test), test_frame(test) };
	struct vm_page *m = test_page(test);
	vm_paddr_t own = m->phys_addr;
	unsigned int i;

	KUNIT_EXPECT_EQ(test, vm_phys_frame(m), own);
	for (i = 0; i < ARRAY_SIZE(frames); i++) {
		get_page(frames[i]);
		vm_page_set_foreign(m, page_to_phys(frames[i]));
		KUNIT_EXPECT_EQ(test, m->phys_addr, page_to_phys(frames[i]));
		KUNIT_EXPECT_EQ(test, vm_phys_frame(m), own);
		KUNIT_EXPECT_NULL(test, PHYS_TO_VM_PAGE(page_to_phys(frames[i])));
	}
	KUNIT_EXPECT_EQ(test, page_count(frames[0]), 1);
	KUNIT_EXPECT_EQ(test, page_count(frames[1]), 2);
	vm_page_free(m);
	KUNIT_EXPECT_EQ(test, page_count(frames[1]), 1);
	KUNIT_EXPECT_EQ(test, m->phys_addr, own);
	KUNIT_EXPECT_PTR_EQ(test, PHYS_TO_VM_PAGE(own), m);
	for (i = 0; i < ARRAY_SIZE(frames); i++)
		__free_page(frames[i]);
}

/* A wired page keeps it beyond its object. */
static void page_orphan_keeps_a_lent_frame(struct kunit *test)
{
	struct page *frame = test_frame(test);
	struct vm_page *m = test_page(test);
	vm_paddr_t own = m->phys_addr;

	get_page(frame);
	vm_page_set_foreign(m, page_to_phys(frame));
	vm_page_wire(m);
	vm_page_release_orphan(m);
	KUNIT_EXPECT_EQ(test, page_count(frame), 2);
	vm_page_unwire(m, PQ_NONE);
	KUNIT_EXPECT_EQ(test, page_count(frame), 1);
	KUNIT_EXPECT_EQ(test, m->phys_addr, own);
	__free_page(frame);
}

/* --- caches */

static void page_is_clean_when_allocated(struct kunit *test)
{
	struct vm_page *m = test_page(test), *again;

	migrate_disable();
	vm_page_activate(m);
	vm_page_dirty(m);
	set_bit(PGA_REFERENCED, &m->aflags);
	m->valid = 1;
	vm_page_free(m);
	again = vm_page_alloc_noobj(VM_ALLOC_NORMAL);
	migrate_enable();

	KUNIT_EXPECT_PTR_EQ_MSG(test, again, m, "the cache is a stack");
	KUNIT_EXPECT_FALSE(test, vm_page_is_dirty(m));
	KUNIT_EXPECT_EQ(test, m->aflags, 0UL);
	KUNIT_EXPECT_EQ(test, m->valid, 0);
	KUNIT_EXPECT_EQ(test, m->act_count, 0);
	KUNIT_EXPECT_EQ(test, vm_page_queue(m), (unsigned int)PQ_NONE);
	KUNIT_EXPECT_FALSE(test, vm_page_wired(m));
	KUNIT_EXPECT_FALSE(test, vm_page_busied(m));
	KUNIT_EXPECT_NULL(test, m->object);
	vm_page_free(again);
}

/* Pages that come and go in small numbers never reach the buddy allocator. */
static void page_cache_keeps_off_buddy(struct kunit *test)
{
	struct vm_page *m[16];
	unsigned long before;
	unsigned int i, round;

	migrate_disable();
	vm_page_drain_caches();
	m[0] = vm_page_alloc_noobj(VM_ALLOC_NORMAL);
	before = vm_phys_free_count();
	vm_page_free(m[0]);
	for (round = 0; round < 10; round++) {
		for (i = 0; i < ARRAY_SIZE(m); i++)
			m[i] = vm_page_alloc_noobj(VM_ALLOC_NORMAL);
		KUNIT_EXPECT_EQ(test, vm_phys_free_count(), before);
		for (i = 0; i < ARRAY_SIZE(m); i++)
			vm_page_free(m[i]);
		KUNIT_EXPECT_EQ(test, vm_phys_free_count(), before);
	}
	migrate_enable();
}

static void page_cache_is_bounded(struct kunit *test)
{
	struct test_pages *pages = test_pages_alloc(test);
	unsigned int i;

	for (i = 0; i < 10 * VM_PAGE_CACHE_SIZE; i++)
		KUNIT_ASSERT_TRUE(test, test_pages_get(pages, VM_ALLOC_NORMAL));
	test_pages_put_all(pages);
	KUNIT_EXPECT_GT(test, vm_free_count(), vm_phys_free_count());
	KUNIT_EXPECT_LE(test, vm_free_count() - vm_phys_free_count(),
			(unsigned long)VM_PAGE_CACHE_SIZE * num_possible_cpus());
	vm_page_drain_caches();
	KUNIT_EXPECT_EQ(test, vm_free_count(), vm_phys_free_count());
}

static void page_free_count_is_exact(struct kunit *test)
{
	struct test_pages *pages = test_pages_alloc(test);
	unsigned long before = vm_free_count();
	unsigned int i;

	for (i = 1; i <= 300; i++) {
		KUNIT_ASSERT_TRUE(test, test_pages_get(pages, VM_ALLOC_NORMAL));
		KUNIT_EXPECT_EQ(test, vm_free_count(), before - i);
	}
	for (i = 300; i-- > 0;) {
		test_pages_put(pages);
		KUNIT_EXPECT_EQ(test, vm_free_count(), before - i);
	}
}

static void page_reserves_are_kept(struct kunit *test)
{
	struct test_pages *pages = test_pages_alloc(test);
	unsigned long reserve, before;

	test_pages_exhaust(pages, VM_ALLOC_NORMAL);
	reserve = vm_free_count();
	KUNIT_EXPECT_EQ(test, reserve, vm_phys_free_count());
	KUNIT_EXPECT_GT(test, reserve, 0UL);
	KUNIT_EXPECT_EQ(test, reserve, vm_dom.v_free_reserved);

	/* One page of the reserve at a time, none is left where NORMAL finds it. */
	before = pages->count;
	while (test_pages_get(pages, VM_ALLOC_SYSTEM)) {
		KUNIT_ASSERT_EQ(test, vm_free_count(), reserve - (pages->count - before));
		KUNIT_ASSERT_FALSE(test, test_pages_get(pages, VM_ALLOC_NORMAL));
	}
	KUNIT_EXPECT_EQ(test, vm_free_count(), vm_dom.v_pageout_free_min);
	while (test_pages_get(pages, VM_ALLOC_INTERRUPT)) {
		KUNIT_ASSERT_EQ(test, vm_free_count(), reserve - (pages->count - before));
		KUNIT_ASSERT_FALSE(test, test_pages_get(pages, VM_ALLOC_SYSTEM));
	}
	KUNIT_EXPECT_EQ(test, pages->count - before, reserve);
	KUNIT_EXPECT_EQ(test, vm_free_count(), 0UL);
	KUNIT_EXPECT_EQ(test, pages->count, vm_phys_page_count() - vm_kmem_count());
}

static int page_free_thread(void *arg)
{
	test_pages_put_all(arg);
	return 0;
}

/* Pages in the cache of a CPU that does nothing are not out of reach. */
static void page_alloc_robs_other_caches(struct kunit *test)
{
	struct test_pages *pages = test_pages_alloc(test), *few = test_pages_alloc(test);
	unsigned long before = vm_free_count();
	struct test_thread *thread;
	unsigned int i;

	for (i = 0; i < VM_PAGE_CACHE_SIZE / 2; i++)
		KUNIT_ASSERT_TRUE(test, test_pages_get(few, VM_ALLOC_NORMAL));
	vm_page_drain_caches();
	thread = test_thread(test, test_cpu(1), page_free_thread, few);
	test_thread_join(thread);
	KUNIT_EXPECT_EQ(test, vm_free_count() - vm_phys_free_count(),
			(unsigned long)VM_PAGE_CACHE_SIZE / 2);

	thread = test_thread(test, test_cpu(0), page_free_thread, few);
	test_thread_join(thread);
	test_pages_exhaust(pages, VM_ALLOC_INTERRUPT);
	KUNIT_EXPECT_EQ(test, pages->count, before);
	KUNIT_EXPECT_EQ(test, vm_free_count(), 0UL);
}

/* Two CPUs allocate and free until nothing is left, again and again. */
static int page_churn_thread(void *arg)
{
	struct test_pages pages = { LIST_HEAD_INIT(pages.list) };
	struct rnd_state rnd;
	unsigned int step;

	prandom_seed_state(&rnd, (unsigned long)arg);
	for (step = 0; step < 20000; step++) {
		bool fill = step / 500 % 2 == 0;

		if (test_random(&rnd, 8) < (fill ? 7 : 1))
			test_pages_get(&pages, VM_ALLOC_NORMAL);
		else
			test_pages_put(&pages);
		if (step % 64 == 0)
			cond_resched();
	}
	test_pages_put_all(&pages);
	return 0;
}

static void page_churn_on_two_cpus(struct kunit *test)
{
	struct test_pages *pages = test_pages_alloc(test);
	struct test_thread *thread[2];
	unsigned long i;

	test_pages_exhaust(pages, VM_ALLOC_NORMAL);
	for (i = 0; i < 300; i++)
		test_pages_put(pages);
	for (i = 0; i < 2; i++)
		thread[i] = test_thread(test, test_cpu(i), page_churn_thread, (void *)(10 + i));
	for (i = 0; i < 2; i++)
		test_thread_join(thread[i]);
}

/* --- waiting for memory */

static void page_wait_is_over_when_memory_is_there(struct kunit *test)
{
	KUNIT_EXPECT_EQ(test, 0, vm_wait(0));
	KUNIT_EXPECT_EQ(test, 0, vm_wait(HZ));
}

static void page_wait_times_out(struct kunit *test)
{
	struct test_pages *pages = test_pages_alloc(test);
	unsigned long before;

	test_pages_exhaust(pages, VM_ALLOC_NORMAL);
	KUNIT_EXPECT_EQ(test, -ETIMEDOUT, vm_wait(0));
	before = jiffies;
	KUNIT_EXPECT_EQ(test, -ETIMEDOUT, vm_wait(HZ / 5));
	KUNIT_EXPECT_TRUE(test, time_after_eq(jiffies, before + HZ / 5));

	/* What is below the reserve is nothing to wake for. */
	KUNIT_EXPECT_TRUE(test, test_pages_get(pages, VM_ALLOC_SYSTEM));
	test_pages_put(pages);
	KUNIT_EXPECT_EQ(test, -ETIMEDOUT, vm_wait(HZ / 5));
	test_pages_put(pages);
	KUNIT_EXPECT_EQ(test, 0, vm_wait(HZ / 5));
}

/* A wait that ends with its time, though there was memory, was not woken. */
static int test_wait(void)
{
	unsigned long end = jiffies + TEST_PATIENCE;
	int ret = vm_wait(TEST_PATIENCE);

	return !ret && time_after_eq(jiffies, end) ? -ETIMEDOUT : ret;
}

/*
 * One page is freed for each wait, at about the time it begins: a wake-up that is
 * lost makes the wait time out.
 */
#define WAIT_ROUNDS	150

struct wait_duel {
	atomic_t round;		/* of the one who waits */
	atomic_t freed;
	struct vm_page *m;
};

static int page_wait_thread(void *arg)
{
	struct wait_duel *duel = arg;
	unsigned int i;
	int ret = 0;

	for (i = 1; i <= WAIT_ROUNDS; i++) {
		atomic_set_release(&duel->round, i);
		do {
			ret = test_wait();
			duel->m = ret ? NULL : vm_page_alloc_noobj(VM_ALLOC_NORMAL);
		} while (!ret && !duel->m);
		if (ret)
			break;
		/* Take turns: m is the other's until it is freed. */
		while (atomic_read_acquire(&duel->freed) < i)
			cond_resched();
	}
	atomic_set_release(&duel->round, WAIT_ROUNDS + 1);
	return ret;
}

static void page_wait_loses_no_wakeup(struct kunit *test)
{
	struct test_pages *pages = test_pages_alloc(test);
	struct wait_duel *duel = kunit_kzalloc(test, sizeof(*duel), GFP_KERNEL);
	struct test_thread *thread;
	struct rnd_state rnd;
	struct vm_page *m;
	int i;

	KUNIT_ASSERT_NOT_NULL(test, duel);
	test_seed(test, &rnd, 20);
	test_pages_exhaust(pages, VM_ALLOC_NORMAL);
	m = list_first_entry(&pages->list, struct vm_page, plinks);
	list_del(&m->plinks);
	pages->count--;

	thread = test_thread(test, test_cpu(1), page_wait_thread, duel);
	for (i = 1; i <= WAIT_ROUNDS; i++) {
		while (atomic_read_acquire(&duel->round) < i)
			cond_resched();
		if (atomic_read(&duel->round) > WAIT_ROUNDS)
			break;
		udelay(test_random(&rnd, 100));
		vm_page_free(m);
		/* The other has taken it, or will. */
		while (!READ_ONCE(duel->m) && atomic_read(&duel->round) <= WAIT_ROUNDS)
			cond_resched();
		m = duel->m;
		duel->m = NULL;
		if (!m)
			break;
		atomic_set_release(&duel->freed, i);
	}
	atomic_set_release(&duel->freed, WAIT_ROUNDS + 1);
	KUNIT_EXPECT_EQ(test, 0, test_thread_join(thread));
	if (m)
		vm_page_free(m);
}

/* Several wait for one page, take it, give it back: everyone gets through. */
static int page_share_thread(void *arg)
{
	struct vm_page *m;
	unsigned int i;
	int ret;

	for (i = 0; i < 200; i++) {
		while (!(m = vm_page_alloc_noobj(VM_ALLOC_NORMAL))) {
			ret = test_wait();
			if (ret)
				return ret;
		}
		cond_resched();
		vm_page_free(m);
	}
	return 0;
}

static void page_wait_lets_everyone_through(struct kunit *test)
{
	struct test_pages *pages = test_pages_alloc(test);
	struct test_thread *thread[4];
	unsigned int i;

	test_pages_exhaust(pages, VM_ALLOC_NORMAL);
	test_pages_put(pages);
	for (i = 0; i < ARRAY_SIZE(thread); i++)
		thread[i] = test_thread(test, test_cpu(i), page_share_thread, NULL);
	for (i = 0; i < ARRAY_SIZE(thread); i++)
		KUNIT_EXPECT_EQ(test, 0, test_thread_join(thread[i]));
}

static int page_killed_thread(void *arg)
{
	allow_signal(SIGKILL);
	return vm_wait(TEST_PATIENCE);
}

static void page_wait_is_killable(struct kunit *test)
{
	struct test_pages *pages = test_pages_alloc(test);
	struct test_thread *thread;

	test_pages_exhaust(pages, VM_ALLOC_NORMAL);
	thread = test_thread(test, -1, page_killed_thread, NULL);
	msleep(50);
	send_sig(SIGKILL, thread->task, 1);
	KUNIT_EXPECT_EQ(test, -EINTR, test_thread_join(thread));
}

/* --- queues */

static void test_expect_queues(struct kunit *test, unsigned long inactive,
			       unsigned long active, unsigned long laundry)
{
	KUNIT_EXPECT_EQ(test, vm_page_queue_count(PQ_INACTIVE), inactive);
	KUNIT_EXPECT_EQ(test, vm_page_queue_count(PQ_ACTIVE), active);
	KUNIT_EXPECT_EQ(test, vm_page_queue_count(PQ_LAUNDRY), laundry);
}

static void page_moves_between_queues(struct kunit *test)
{
	static void (*const move[PQ_COUNT])(struct vm_page *m) = {
		[PQ_INACTIVE] = vm_page_deactivate,
		[PQ_ACTIVE] = vm_page_activate,
		[PQ_LAUNDRY] = vm_page_launder,
		[PQ_UNSWAPPABLE] = vm_page_unswappable,
	};
	struct vm_page *m = test_page(test);
	unsigned int from, to;

	test_expect_queues(test, 0, 0, 0);
	for (from = 0; from < PQ_COUNT; from++) {
		for (to = 0; to < PQ_COUNT; to++) {
			move[from](m);
			KUNIT_EXPECT_EQ(test, vm_page_queue(m), from);
			move[to](m);
			KUNIT_EXPECT_EQ(test, vm_page_queue(m), to);
			test_expect_queues(test, to == PQ_INACTIVE, to == PQ_ACTIVE,
					   to == PQ_LAUNDRY);
			vm_page_dequeue(m);
			vm_page_dequeue(m);
			KUNIT_EXPECT_EQ(test, vm_page_queue(m), (unsigned int)PQ_NONE);
			test_expect_queues(test, 0, 0, 0);
		}
	}
	vm_page_free(m);
}

static void page_new_is_enqueued(struct kunit *test)
{
	struct vm_page *m = test_page(test);

	vm_page_enqueue(m, PQ_ACTIVE);
	KUNIT_EXPECT_EQ(test, vm_page_queue(m), (unsigned int)PQ_ACTIVE);
	KUNIT_EXPECT_EQ(test, m->act_count, ACT_INIT);
	test_expect_queues(test, 0, 1, 0);
	vm_page_deactivate(m);
	test_expect_queues(test, 1, 0, 0);
	vm_page_wire(m);
	test_expect_queues(test, 0, 0, 0);
	vm_page_unwire(m, PQ_NONE);
	vm_page_free(m);
}

static void page_activation_counts(struct kunit *test)
{
	struct vm_page *m = test_page(test);

	vm_page_activate(m);
	KUNIT_EXPECT_EQ(test, m->act_count, ACT_INIT);
	m->act_count = ACT_INIT + 3;
	vm_page_deactivate(m);
	vm_page_activate(m);
	KUNIT_EXPECT_EQ(test, m->act_count, ACT_INIT + 3);
	vm_page_free(m);
}

static void page_free_takes_it_from_its_queue(struct kunit *test)
{
	struct vm_page *m = test_page(test);

	vm_page_deactivate(m);
	vm_page_free(m);
	test_expect_queues(test, 0, 0, 0);
}

static int page_deactivate_thread(void *arg)
{
	vm_page_deactivate(arg);
	return 0;
}

/* A page stays with the CPU that enqueued it first. */
static void page_is_moved_by_another_cpu(struct kunit *test)
{
	struct vm_page *m = test_page(test), *other = test_page(test);

	migrate_disable();
	vm_page_activate(m);
	vm_page_activate(other);
	KUNIT_EXPECT_EQ(test, m->queue >> PQ_CPU_SHIFT, (u32)smp_processor_id());
	migrate_enable();
	test_thread_join(test_thread(test, test_cpu(1), page_deactivate_thread, m));
	test_thread_join(test_thread(test, test_cpu(0), page_deactivate_thread, other));
	KUNIT_EXPECT_EQ(test, vm_page_queue(m), (unsigned int)PQ_INACTIVE);
	KUNIT_EXPECT_EQ(test, m->queue, other->queue);
	test_expect_queues(test, 2, 0, 0);
	vm_page_free(m);
	vm_page_free(other);
	test_expect_queues(test, 0, 0, 0);
}

#define QUEUE_PAGES	6
#define QUEUE_STEPS	20000

struct queue_race {
	struct vm_page *ma[QUEUE_PAGES];
	u64 seed;
};

static int page_queue_thread(void *arg)
{
	unsigned int wired[QUEUE_PAGES] = {}, step, i;
	struct queue_race *race = arg;
	struct rnd_state rnd;
	int bad = 0;

	prandom_seed_state(&rnd, race->seed);
	for (step = 0; step < QUEUE_STEPS; step++) {
		struct vm_page *m;

		i = test_random(&rnd, QUEUE_PAGES);
		m = race->ma[i];
		/* While it is wired by us nobody can enqueue it for good. */
		if (wired[i])
			bad += atomic_read(&m->wire_count) <= 0;
		switch (test_random(&rnd, 6)) {
		case 0:
			vm_page_activate(m);
			break;
		case 1:
			vm_page_deactivate(m);
			break;
		case 2:
			vm_page_launder(m);
			break;
		case 3:
			vm_page_dequeue(m);
			break;
		case 4:
			if (wired[i] < 3) {
				vm_page_wire(m);
				wired[i]++;
			}
			break;
		case 5:
			if (wired[i]) {
				vm_page_unwire(m, test_random(&rnd, 4) ?
					       test_random(&rnd, PQ_COUNT) : PQ_NONE);
				wired[i]--;
			}
			break;
		}
		if (step % 256 == 0)
			cond_resched();
	}
	for (i = 0; i < QUEUE_PAGES; i++) {
		while (wired[i]--)
			vm_page_unwire(race->ma[i], PQ_ACTIVE);
	}
	return bad;
}

/* Two CPUs move and wire the same few pages. */
static void page_queues_on_two_cpus(struct kunit *test)
{
	unsigned long wired = vm_wire_count(), counts[PQ_COUNT] = {};
	struct test_thread *thread[2];
	struct queue_race race[2];
	unsigned int i;

	for (i = 0; i < QUEUE_PAGES; i++) {
		race[0].ma[i] = test_page(test);
		race[1].ma[i] = race[0].ma[i];
	}
	for (i = 0; i < 2; i++) {
		race[i].seed = 30 + i;
		thread[i] = test_thread(test, test_cpu(i), page_queue_thread, &race[i]);
	}
	for (i = 0; i < 2; i++)
		KUNIT_EXPECT_EQ(test, 0, test_thread_join(thread[i]));

	KUNIT_EXPECT_EQ(test, vm_wire_count(), wired);
	for (i = 0; i < QUEUE_PAGES; i++) {
		struct vm_page *m = race[0].ma[i];

		KUNIT_EXPECT_FALSE(test, vm_page_wired(m));
		if (vm_page_queue(m) != PQ_NONE)
			counts[vm_page_queue(m)]++;
	}
	test_expect_queues(test, counts[PQ_INACTIVE], counts[PQ_ACTIVE], counts[PQ_LAUNDRY]);
	for (i = 0; i < QUEUE_PAGES; i++)
		vm_page_free(race[0].ma[i]);
	test_expect_queues(test, 0, 0, 0);
}

/* --- wiring */

static void page_wired_is_on_no_queue(struct kunit *test)
{
	unsigned long wired = vm_wire_count();
	struct vm_page *m = test_page(test);

	vm_page_activate(m);
	vm_page_wire(m);
	KUNIT_EXPECT_TRUE(test, vm_page_wired(m));
	KUNIT_EXPECT_EQ(test, vm_wire_count(), wired + 1);
	test_expect_queues(test, 0, 0, 0);
	vm_page_activate(m);
	vm_page_deactivate(m);
	test_expect_queues(test, 0, 0, 0);

	vm_page_wire(m);
	KUNIT_EXPECT_EQ(test, vm_wire_count(), wired + 1);
	vm_page_unwire(m, PQ_INACTIVE);
	KUNIT_EXPECT_TRUE(test, vm_page_wired(m));
	test_expect_queues(test, 0, 0, 0);

	vm_page_unwire(m, PQ_INACTIVE);
	KUNIT_EXPECT_FALSE(test, vm_page_wired(m));
	KUNIT_EXPECT_EQ(test, vm_wire_count(), wired);
	test_expect_queues(test, 1, 0, 0);

	vm_page_wire(m);
	vm_page_unwire(m, PQ_NONE);
	test_expect_queues(test, 0, 0, 0);
	vm_page_free(m);
}

static void page_orphan_is_freed_with_last_wiring(struct kunit *test)
{
	unsigned long free = vm_free_count(), wired = vm_wire_count();
	struct vm_page *m = test_page(test);

	vm_page_release_orphan(m);
	KUNIT_EXPECT_EQ_MSG(test, vm_free_count(), free, "not wired: at once");

	m = test_page(test);
	vm_page_wire(m);
	vm_page_wire(m);
	vm_page_release_orphan(m);
	KUNIT_EXPECT_EQ(test, vm_free_count(), free - 1);
	vm_page_unwire(m, PQ_ACTIVE);
	KUNIT_EXPECT_EQ(test, vm_free_count(), free - 1);
	KUNIT_EXPECT_EQ(test, vm_wire_count(), wired + 1);
	vm_page_unwire(m, PQ_ACTIVE);
	KUNIT_EXPECT_EQ(test, vm_free_count(), free);
	KUNIT_EXPECT_EQ(test, vm_wire_count(), wired);
	test_expect_queues(test, 0, 0, 0);
}

/*
 * One enqueues the page all the time while the other wires it: a page that stays
 * wired must be on no queue once the first has had time to notice.
 */
#define WIRE_ROUNDS	1500

struct wire_duel {
	struct vm_page *m;
	atomic_t loops;
	bool stop;
};

static int page_enqueue_thread(void *arg)
{
	struct wire_duel *duel = arg;

	while (!READ_ONCE(duel->stop)) {
		vm_page_activate(duel->m);
		if (!vm_page_wired(duel->m))
			vm_page_dequeue(duel->m);
		if (atomic_inc_return(&duel->loops) % 64 == 0)
			cond_resched();
	}
	return 0;
}

static void page_wired_is_not_enqueued(struct kunit *test)
{
	struct wire_duel duel = { test_page(test), ATOMIC_INIT(0), false };
	unsigned int i, spin, queued = 0;
	struct test_thread *thread;
	struct rnd_state rnd;
	int loops;

	test_seed(test, &rnd, 41);
	thread = test_thread(test, test_cpu(1), page_enqueue_thread, &duel);
	for (i = 0; i < WIRE_ROUNDS; i++) {
		for (spin = test_random(&rnd, 200); spin; spin--)
			cpu_relax();
		vm_page_wire(duel.m);
		/* The other may be under way, and put it on a queue for a moment. */
		loops = atomic_read(&duel.loops);
		while (atomic_read(&duel.loops) == loops)
			cond_resched();
		queued += vm_page_queue(duel.m) != PQ_NONE;
		vm_page_unwire(duel.m, PQ_NONE);
	}
	WRITE_ONCE(duel.stop, true);
	test_thread_join(thread);
	KUNIT_EXPECT_EQ(test, queued, 0U);
	vm_page_free(duel.m);
	test_expect_queues(test, 0, 0, 0);
}

/* The last wiring and the object let go at once: exactly one frees the page. */
#define ORPHAN_ROUNDS	600

struct orphan_duel {
	atomic_t round;
	atomic_t done;
	struct vm_page *m;
};

static int page_orphan_thread(void *arg)
{
	struct orphan_duel *duel = arg;
	struct rnd_state rnd;
	int i;

	prandom_seed_state(&rnd, 40);
	for (i = 1; i <= ORPHAN_ROUNDS; i++) {
		u32 spin = test_random(&rnd, 300);

		while (atomic_read_acquire(&duel->round) < i)
			cond_resched();
		while (spin--)
			cpu_relax();
		vm_page_release_orphan(duel->m);
		atomic_set_release(&duel->done, i);
	}
	return 0;
}

static void page_orphan_is_freed_once(struct kunit *test)
{
	struct orphan_duel *duel = kunit_kzalloc(test, sizeof(*duel), GFP_KERNEL);
	unsigned long free = vm_free_count();
	struct test_thread *thread;
	struct vm_page *m;
	int i;

	KUNIT_ASSERT_NOT_NULL(test, duel);
	thread = test_thread(test, test_cpu(1), page_orphan_thread, duel);
	for (i = 1; i <= ORPHAN_ROUNDS; i++) {
		unsigned int spin = 150;

		m = vm_page_alloc_noobj(VM_ALLOC_NORMAL);
		vm_page_wire(m);
		duel->m = m;
		atomic_set_release(&duel->round, i);
		while (spin--)
			cpu_relax();
		vm_page_unwire(m, PQ_INACTIVE);
		while (atomic_read_acquire(&duel->done) < i)
			cond_resched();
		KUNIT_EXPECT_EQ_MSG(test, vm_free_count(), free, "round %d", i);
		if (vm_free_count() != free)
			break;
	}
	/* After a failure the other must still get to its end. */
	for (; i < ORPHAN_ROUNDS; i++) {
		duel->m = vm_page_alloc_noobj(VM_ALLOC_NORMAL);
		atomic_set_release(&duel->round, i + 1);
		while (atomic_read_acquire(&duel->done) < i + 1)
			cond_resched();
	}
	test_thread_join(thread);
	test_expect_queues(test, 0, 0, 0);
}

/* --- busying */

static void page_busy_excludes(struct kunit *test)
{
	struct vm_page *m = test_page(test);

	KUNIT_EXPECT_FALSE(test, vm_page_busied(m));
	KUNIT_EXPECT_EQ(test, 0, vm_page_busy_sleep(m));
	KUNIT_EXPECT_TRUE(test, vm_page_tryxbusy(m));
	KUNIT_EXPECT_TRUE(test, vm_page_busied(m));
	KUNIT_EXPECT_FALSE(test, vm_page_tryxbusy(m));
	vm_page_xunbusy(m);
	KUNIT_EXPECT_FALSE(test, vm_page_busied(m));
	KUNIT_EXPECT_TRUE(test, vm_page_tryxbusy(m));
	vm_page_xunbusy(m);
	vm_page_free(m);
}

static int page_busy_sleep_thread(void *arg)
{
	allow_signal(SIGKILL);
	return vm_page_busy_sleep(arg);
}

static void page_busy_wakes_all_sleepers(struct kunit *test)
{
	struct vm_page *m = test_page(test);
	struct test_thread *thread[4];
	unsigned int i;

	vm_page_tryxbusy(m);
	for (i = 0; i < ARRAY_SIZE(thread); i++)
		thread[i] = test_thread(test, test_cpu(i), page_busy_sleep_thread, m);
	msleep(50);
	for (i = 0; i < ARRAY_SIZE(thread); i++)
		KUNIT_EXPECT_FALSE(test, completion_done(&thread[i]->done));
	KUNIT_EXPECT_FALSE(test, vm_page_tryxbusy(m));
	vm_page_xunbusy(m);
	for (i = 0; i < ARRAY_SIZE(thread); i++)
		KUNIT_EXPECT_EQ(test, 0, test_thread_join(thread[i]));
	vm_page_free(m);
}

static void page_busy_sleep_is_killable(struct kunit *test)
{
	struct vm_page *m = test_page(test);
	struct test_thread *thread;

	vm_page_tryxbusy(m);
	thread = test_thread(test, -1, page_busy_sleep_thread, m);
	msleep(50);
	send_sig(SIGKILL, thread->task, 1);
	KUNIT_EXPECT_EQ(test, -EINTR, test_thread_join(thread));
	vm_page_xunbusy(m);
	KUNIT_EXPECT_FALSE(test, vm_page_busied(m));
	vm_page_free(m);
}

/* Two take turns in a page's busy state, as a lock. */
struct busy_race {
	struct vm_page *m;
	unsigned long count;
};

static int page_busy_thread(void *arg)
{
	struct busy_race *race = arg;
	unsigned int i;
	int ret;

	for (i = 0; i < 2000; i++) {
		while (!vm_page_tryxbusy(race->m)) {
			ret = vm_page_busy_sleep(race->m);
			if (ret)
				return ret;
		}
		WRITE_ONCE(race->count, READ_ONCE(race->count) + 1);
		vm_page_xunbusy(race->m);
	}
	return 0;
}

static void page_busy_on_two_cpus(struct kunit *test)
{
	struct busy_race race = { test_page(test), 0 };
	struct test_thread *thread[3];
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(thread); i++)
		thread[i] = test_thread(test, test_cpu(i), page_busy_thread, &race);
	for (i = 0; i < ARRAY_SIZE(thread); i++)
		KUNIT_EXPECT_EQ(test, 0, test_thread_join(thread[i]));
	KUNIT_EXPECT_EQ(test, race.count, 2000UL * ARRAY_SIZE(thread));
	vm_page_free(race.m);
}

static struct kunit_case vm_page_cases[] = {
	KUNIT_CASE(page_shows_a_lent_frame_until_it_is_freed),
	KUNIT_CASE(page_orphan_keeps_a_lent_frame),
	KUNIT_CASE(page_is_clean_when_allocated),
	KUNIT_CASE(page_cache_keeps_off_buddy),
	KUNIT_CASE(page_cache_is_bounded),
	KUNIT_CASE(page_free_count_is_exact),
	KUNIT_CASE(page_reserves_are_kept),
	KUNIT_CASE(page_alloc_robs_other_caches),
	KUNIT_CASE(page_churn_on_two_cpus),
	KUNIT_CASE(page_wait_is_over_when_memory_is_there),
	KUNIT_CASE(page_wait_times_out),
	KUNIT_CASE(page_wait_loses_no_wakeup),
	KUNIT_CASE(page_wait_lets_everyone_through),
	KUNIT_CASE(page_wait_is_killable),
	KUNIT_CASE(page_moves_between_queues),
	KUNIT_CASE(page_new_is_enqueued),
	KUNIT_CASE(page_activation_counts),
	KUNIT_CASE(page_free_takes_it_from_its_queue),
	KUNIT_CASE(page_is_moved_by_another_cpu),
	KUNIT_CASE(page_queues_on_two_cpus),
	KUNIT_CASE(page_wired_is_on_no_queue),
	KUNIT_CASE(page_wired_is_not_enqueued),
	KUNIT_CASE(page_orphan_is_freed_with_last_wiring),
	KUNIT_CASE(page_orphan_is_freed_once),
	KUNIT_CASE(page_busy_excludes),
	KUNIT_CASE(page_busy_wakes_all_sleepers),
	KUNIT_CASE(page_busy_sleep_is_killable),
	KUNIT_CASE(page_busy_on_two_cpus),
	{}
};

static struct kunit_suite vm_page_suite = {
	.name = "bsdvm_vm_page",
	.init = test_pages_init,
	.test_cases = vm_page_cases,
};

kunit_test_suite(vm_page_suite);
