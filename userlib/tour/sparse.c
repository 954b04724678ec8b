// SPDX-License-Identifier: BSD-2-Clause
/* Step 7: address space costs nothing until it is touched. */
#include "report.h"
#include "tour.h"

void step_sparse(struct tour *tour)
{
	struct bsdvm_stats before, after;
	struct chain chain;
	void *start;
	size_t size;
	char *map;

	report_step("A huge sparse mapping costs what is touched");
	if (bsdvm_window(&start, &size))
		report_die("bsdvm_window");
	report_say("One anonymous mapping over the whole window, %zu GiB, of\n"
		   "which the first and the last byte are written.",
		   size >> 30);
	before = report_stats();
	/* EXCL: fails if the steps before have left anything mapped. */
	map = bsdvm_mmap(start, size, BSDVM_PROT_READ | BSDVM_PROT_WRITE,
			 BSDVM_MAP_ANON | BSDVM_MAP_PRIVATE | BSDVM_MAP_FIXED |
				 BSDVM_MAP_EXCL,
			 -1, 0);
	if (map == BSDVM_MAP_FAILED)
		report_die("bsdvm_mmap of the whole window");
	map[0] = 'a';
	map[size - 1] = 'z';
	tour->did.zero_fills += 2;
	after = report_stats();
	report_map("this process");
	chain = report_chain(map);
	report_check(map[0] == 'a' && map[size - 1] == 'z',
		     "both ends keep their byte");
	report_check(chain.depth == 1 && chain.pages == 2,
		     "%u pages resident in %zu GiB", chain.pages, size >> 30);
	report_check(report_free(&before) - report_free(&after) == 2,
		     "%llu pages fewer are free",
		     report_free(&before) - report_free(&after));
	if (bsdvm_munmap(start, size))
		report_die("bsdvm_munmap");
}
