// SPDX-License-Identifier: BSD-2-Clause
/* Step 8: the module's counters against what the steps did. */
#include <stdint.h>

#include "report.h"
#include "tour.h"

static void check_counter(const char *name, uint64_t before, uint64_t after,
			  unsigned long done)
{
	report_check(after - before == done, "%-24s %8llu, done %8lu", name,
		     (unsigned long long)(after - before), done);
}

static void check_gauge(const char *name, uint64_t before, uint64_t after)
{
	report_check(after == before, "%-24s %8llu, at the start %llu", name,
		     (unsigned long long)after, (unsigned long long)before);
}

void step_counters(struct tour *tour)
{
	const struct bsdvm_stats *before = &tour->before;
	const struct bsdvm_stats after = report_stats();
	const struct tally *did = &tour->did;
	const unsigned long must_fault =
		did->zero_fills + did->copies + did->loads;

	const uint64_t faults = after.v_vm_faults - before->v_vm_faults;

	report_step("The counters agree with what was done");
	report_say(
		"What the module counted since the start, beside what the\n"
		"steps above did. Faults have bounds: a fault may map resident\n"
		"neighbours, which then need none.\n");
	report_check(faults >= must_fault &&
			     faults <= must_fault + did->touches,
		     "%-24s %8llu, from %lu to %lu", "faults",
		     (unsigned long long)faults, must_fault,
		     must_fault + did->touches);
	check_counter("forks", before->v_forks, after.v_forks, did->forks);
	check_counter("pages zero-filled", before->v_zfod, after.v_zfod,
		      did->zero_fills);
	check_counter("pages copied on write", before->v_cow_faults,
		      after.v_cow_faults, did->copies);
	check_counter("objects collapsed", before->o_collapses,
		      after.o_collapses, did->collapses);
	check_gauge("objects", before->o_count, after.o_count);
	check_gauge("pages free", report_free(before), report_free(&after));
}
