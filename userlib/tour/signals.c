// SPDX-License-Identifier: BSD-2-Clause
/* Step 6: faults that cannot be served reach the program as signals. */
#include <signal.h>
#include <stdint.h>

#include "report.h"
#include "tour.h"

/* What the handler saw last, and what it needs to repair the damage. */
static volatile struct {
	int count;
	int code;
	void *addr;
	size_t page;
} seen;

/*
 * Repair and return, so that the instruction is tried again: a page for a
 * hole, write access for a read-only page.
 */
static void repair(int sig, siginfo_t *info, void *context)
{
	char *page = (char *)((uintptr_t)info->si_addr & ~(seen.page - 1));
	const int prot = BSDVM_PROT_READ | BSDVM_PROT_WRITE;

	(void)sig;
	(void)context;
	seen.count++;
	seen.code = info->si_code;
	seen.addr = info->si_addr;
	if (info->si_code == SEGV_MAPERR)
		bsdvm_mmap(page, seen.page, prot,
			   BSDVM_MAP_ANON | BSDVM_MAP_PRIVATE | BSDVM_MAP_FIXED,
			   -1, 0);
	else
		bsdvm_mprotect(page, seen.page, prot);
}

static const char *code_name(int code)
{
	switch (code) {
	case SEGV_MAPERR:
		return "SEGV_MAPERR";
	case SEGV_ACCERR:
		return "SEGV_ACCERR";
	default:
		return "another code";
	}
}

/* Store a byte at @addr, where the handler must be called with @code. */
static void store(volatile char *addr, int code)
{
	seen.count = 0;
	*addr = 'x';
	report_check(seen.count == 1 && seen.code == code &&
			     seen.addr == (void *)addr,
		     "%d signal: %s at %p; the store was at %p", seen.count,
		     code_name(seen.code), seen.addr, (void *)addr);
	report_check(*addr == 'x',
		     "the handler repaired it, the store is done");
}

void step_signals(struct tour *tour)
{
	struct sigaction action = {
		.sa_sigaction = repair,
		.sa_flags = SA_SIGINFO,
	}, old;
	char *map;

	report_step("Holes and read-only memory raise SIGSEGV");
	report_say("Three pages, of which the middle one is unmapped and the\n"
		   "last one made read-only. A handler sees what happened and\n"
		   "where, repairs it, and the program goes on.");
	map = bsdvm_mmap(NULL, 3 * tour->page,
			 BSDVM_PROT_READ | BSDVM_PROT_WRITE,
			 BSDVM_MAP_ANON | BSDVM_MAP_PRIVATE, -1, 0);
	if (map == BSDVM_MAP_FAILED ||
	    bsdvm_munmap(map + tour->page, tour->page) ||
	    bsdvm_mprotect(map + 2 * tour->page, tour->page, BSDVM_PROT_READ))
		report_die("making the three pages");
	report_map("this process");
	seen.page = tour->page;
	sigaction(SIGSEGV, &action, &old);
	store(map + tour->page + 123, SEGV_MAPERR);
	store(map + 2 * tour->page + 456, SEGV_ACCERR);
	sigaction(SIGSEGV, &old, NULL);
	tour->did.zero_fills += 2;
	/* What raised the signals. */
	tour->did.touches += 2;
	report_map("this process, repaired");
	if (bsdvm_munmap(map, 3 * tour->page))
		report_die("bsdvm_munmap");
}
