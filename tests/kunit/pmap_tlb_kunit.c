// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Tests of what other CPUs see of a change in the page tables: no store and no load may
 * reach a page through a translation that is gone.
 */
#include "pmap_kunit.h"

#include "vm_fault_kunit.h"

/* --- two CPUs in one address space */

#define CPU_ROUNDS	400
#define POISON		0x6b6b6b6bULL

/**
 * struct cpu_race - a thread on another CPU that uses page 5 all the time
 * @w: the window, whose mm the thread uses
 * @published: no load may give less than this had before it
 * @writes: it stores, rather than loads
 * @loops: how often it did
 * @stale: what it should not have seen
 * @stop: it is enough
 */
struct cpu_race {
	struct test_window *w;
	u64 published;
	bool writes;
	unsigned long loops;
	u64 stale;
	bool stop;
};

static int cpu_race_thread(void *arg)
{
	struct cpu_race *race = arg;
	u64 least, value;

	kthread_use_mm(race->w->pmap.mm);
	while (!READ_ONCE(race->stop)) {
		if (race->writes) {
			window_store(race->w, 5, race->loops);
		} else {
			/* The load below may not come before this one. */
			least = smp_load_acquire(&race->published);
			value = window_load(race->w, 5);
			if (value == WINDOW_NO_ACCESS || value == POISON || value < least)
				race->stale = value;
		}
		WRITE_ONCE(race->loops, race->loops + 1);
		if (race->loops % 64 == 0)
			cond_resched();
	}
	kthread_unuse_mm(race->w->pmap.mm);
	return 0;
}

static struct test_thread *cpu_race(struct kunit *test, struct cpu_race *race,
				    struct test_window *w, bool writes)
{
	memset(race, 0, sizeof(*race));
	race->w = w;
	race->writes = writes;
	/* A fault while a translation is being replaced ends when it has been. */
	w->retry = true;
	return test_thread(test, test_cpu(1), cpu_race_thread, race);
}

/* Let the other CPU use the page, so that it is in its TLB. */
static void cpu_race_wait(struct cpu_race *race)
{
	unsigned long before = READ_ONCE(race->loops), end = jiffies + TEST_PATIENCE;

	while (READ_ONCE(race->loops) < before + 3 && time_before(jiffies, end))
		cond_resched();
}

static void cpu_race_end(struct kunit *test, struct cpu_race *race, struct test_thread *thread)
{
	WRITE_ONCE(race->stop, true);
	test_thread_join(thread);
	KUNIT_EXPECT_GT(test, race->loops, (unsigned long)CPU_ROUNDS);
	KUNIT_EXPECT_EQ_MSG(test, race->stale, 0ULL, "the other CPU saw what was gone");
}

/*
 * Copy-on-write as another CPU sees it: once pmap_enter() has returned, the old
 * page is seen no more, and may be somebody else's.
 */
static void pmap_replacement_is_seen_by_both_cpus(struct kunit *test)
{
	struct test_window *w = test_window(test);
	struct vm_page *ma[2] = { window_page(test, w, 0), window_page(test, w, 0) };
	struct test_thread *thread;
	struct cpu_race race;
	u64 i;

	KUNIT_EXPECT_EQ(test, KERN_SUCCESS, window_enter(w, 5, ma[0], R));
	thread = cpu_race(test, &race, w, false);
	for (i = 1; i <= CPU_ROUNDS; i++) {
		cpu_race_wait(&race);
		*test_page_words(ma[i & 1]) = i;
		KUNIT_EXPECT_EQ(test, KERN_SUCCESS, window_enter(w, 5, ma[i & 1], R));
		/* The new page is entered before this is seen. */
		smp_store_release(&race.published, i);
		*test_page_words(ma[~i & 1]) = POISON;
		KUNIT_EXPECT_EQ(test, window_load(w, 5), i);
	}
	cpu_race_end(test, &race, thread);
	test_window_close(w, NULL);
}

static void pmap_removal_is_seen_by_both_cpus(struct kunit *test)
{
	struct test_window *w = test_window(test);
	struct vm_page *m = window_page(test, w, 0);
	struct test_thread *thread;
	struct cpu_race race;
	u64 i;

	KUNIT_EXPECT_EQ(test, KERN_SUCCESS, window_enter(w, 5, m, R));
	thread = cpu_race(test, &race, w, false);
	for (i = 1; i <= CPU_ROUNDS; i++) {
		cpu_race_wait(&race);
		if (i & 1)
			window_remove(w, 5, 6);
		else
			window_remove_all(w, m);
		*test_page_words(m) = POISON;
		udelay(9);
		*test_page_words(m) = i;
		KUNIT_EXPECT_EQ(test, KERN_SUCCESS, window_enter(w, 5, m, R));
		/* The page is entered again before this is seen. */
		smp_store_release(&race.published, i);
	}
	cpu_race_end(test, &race, thread);
	test_window_close(w, NULL);
}

/* Once a page is read-only no store is on its way to it. */
static void pmap_protection_is_seen_by_both_cpus(struct kunit *test)
{
	struct test_window *w = test_window(test);
	struct vm_page *m = window_page(test, w, 0);
	unsigned int i, late = 0;
	struct test_thread *thread;
	struct cpu_race race;
	u64 value;

	KUNIT_EXPECT_EQ(test, KERN_SUCCESS, window_enter(w, 5, m, RW));
	thread = cpu_race(test, &race, w, true);
	for (i = 0; i < CPU_ROUNDS; i++) {
		cpu_race_wait(&race);
		if (i % 3 == 0) {
			window_protect(w, 5, 6, R);
		} else if (i % 3 == 1) {
			KUNIT_EXPECT_EQ(test, KERN_SUCCESS, window_enter(w, 5, m, R));
		} else {
			VM_OBJECT_WLOCK(w->object);
			pmap_remove_write(m);
			VM_OBJECT_WUNLOCK(w->object);
		}
		value = READ_ONCE(*test_page_words(m));
		udelay(9);
		late += READ_ONCE(*test_page_words(m)) != value;
		KUNIT_EXPECT_EQ(test, KERN_SUCCESS, window_enter(w, 5, m, RW));
	}
	cpu_race_end(test, &race, thread);
	KUNIT_EXPECT_EQ_MSG(test, late, 0U, "stores after the page was read-only");
	test_window_close(w, NULL);
}

/* --- a fault replaces a translation, and then lets go of the page */

struct collapsing_fault {
	struct vm_map map;
	struct completion go;
	unsigned long va;
};

static int fault_for_writing(void *arg)
{
	struct vm_fault_wait fw = { .restarts = 0 };
	struct collapsing_fault *fault = arg;
	int rv;

	wait_for_completion(&fault->go);
	pmap_pin(fault->map.pmap);
	rv = vm_fault(&fault->map, fault->va, W, &fw, NULL);
	pmap_unpin(fault->map.pmap);
	return rv;
}

/*
 * A write copies the one page of the object beneath, which collapses: its page is
 * hidden and goes. To do that it needs the lock of the object at the bottom,
 * which we hold, and by then the old page must not be mapped any more.
 */
static void pmap_hidden_page_is_unmapped_before_it_goes(struct kunit *test)
{
	struct vm_object *bottom = vm_object_allocate_anon(1), *beneath, *first;
	struct collapsing_fault *fault = kunit_kzalloc(test, sizeof(*fault), GFP_KERNEL);
	struct vm_page *m = vm_page_alloc_noobj(VM_ALLOC_NORMAL);
	struct vm_fault_wait fw = { .restarts = 0 };
	struct test_thread *thread;
	struct test_window *w;

	KUNIT_ASSERT_TRUE(test, bottom && fault && m);
	w = test_window(test);
	/* The test's own reference lets the bottom stay as it is. */
	vm_object_reference(bottom);
	beneath = test_object_sole_shadow(test, bottom);
	pmap_zero_page(m);
	VM_OBJECT_WLOCK(beneath);
	KUNIT_EXPECT_EQ(test, 0, vm_page_insert(m, beneath, 0));
	m->valid = 1;
	VM_OBJECT_WUNLOCK(beneath);
	first = test_object_sole_shadow(test, beneath);
	fault->va = w->start;
	vm_map_init(&fault->map, &w->pmap, w->start, window_va(w, TEST_WINDOW_PAGES));
	test_map_insert(test, &fault->map, first, w->start, window_va(w, 1), RW, 0);
	init_completion(&fault->go);
	thread = test_thread(test, test_cpu(1), fault_for_writing, fault);

	pmap_pin(&w->pmap);
	KUNIT_EXPECT_EQ(test, KERN_SUCCESS, vm_fault(&fault->map, w->start, R, &fw, NULL));
	KUNIT_EXPECT_EQ(test, pmap_extract(&w->pmap, w->start), m->phys_addr);
	/* Wired, it is copied rather than taken over, and cannot be reused. */
	vm_page_wire(m);
	VM_OBJECT_RLOCK(bottom);
	complete(&fault->go);
	KUNIT_EXPECT_TRUE(test, test_object_wait_contended(bottom));
	KUNIT_EXPECT_NULL(test, READ_ONCE(m->object));
	KUNIT_EXPECT_NE(test, pmap_extract(&w->pmap, w->start), m->phys_addr);
	VM_OBJECT_RUNLOCK(bottom);
	pmap_unpin(&w->pmap);

	KUNIT_EXPECT_EQ(test, KERN_SUCCESS, test_thread_join(thread));
	vm_page_unwire(m, PQ_ACTIVE);
	test_map_remove(&fault->map, w->start, window_va(w, 1));
	vm_object_deallocate(bottom);
	test_window_close(w, NULL);
}

static struct kunit_case pmap_tlb_cases[] = {
	KUNIT_CASE(pmap_replacement_is_seen_by_both_cpus),
	KUNIT_CASE(pmap_removal_is_seen_by_both_cpus),
	KUNIT_CASE(pmap_protection_is_seen_by_both_cpus),
	KUNIT_CASE(pmap_hidden_page_is_unmapped_before_it_goes),
	{}
};

static struct kunit_suite pmap_tlb_suite = {
	.name = "bsdvm_pmap_tlb",
	.init = test_pages_init,
	.test_cases = pmap_tlb_cases,
};

kunit_test_suite(pmap_tlb_suite);
