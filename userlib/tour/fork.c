// SPDX-License-Identifier: BSD-2-Clause
/* Steps 4 and 5: fork(2), once in detail and a thousand times. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "report.h"
#include "tour.h"
#include "turns.h"

/*
 * Step 4 in pictures. S is the shadow that step 3 made, with pages 0 and 3.
 *
 *	before		both wrote		the child is gone
 *
 *	parent		parent    child		parent
 *	  |		  |         |		  |
 *	  S		  P(0,1)    C(0,2)	  P(0,1,3)
 *	  |		   \       /		  |
 *	file		    S(0,3)		file
 *			    |
 *			   file
 */
static void fork_as_child(const struct tour *tour, const struct turns *turns,
			  uint64_t shadow)
{
	char *map = tour->private;
	struct chain chain;

	turns_take(turns);
	report_check(!strcmp(map, "[private]"),
		     "the child still sees \"%s\" on page 0", map);
	strcpy(map, "[child]");
	map[2 * tour->page] = 'c';
	report_map("the child, both having written");
	chain = report_chain(map);
	report_check(
		chain.depth == 3 && chain.object[1].kvo_id == shadow,
		"the child's own object, then %ju, then the file (depth %u)",
		(uintmax_t)chain.object[1].kvo_id, chain.depth);
	turns_give(turns);
	turns_take(turns);
	turns_exit();
}

void step_fork(struct tour *tour)
{
	char *map = tour->private;
	struct chain chain = report_chain(map);
	const uint64_t shadow = chain.object[0].kvo_id;
	const char page2 = map[2 * tour->page];
	struct bsdvm_stats before, after;
	struct turns turns;

	report_step("fork(2): copy-on-write on both sides");
	report_say(
		"fork copies no page. Parent and child refer to object %ju,\n"
		"which step 3 made, and both entries need a copy again. Then\n"
		"the parent writes pages 0 and 1, the child pages 0 and 2.",
		(uintmax_t)shadow);
	turns = turns_fork();
	if (!turns.child)
		fork_as_child(tour, &turns, shadow);
	tour->did.forks++;
	strcpy(map, "[parent]");
	map[tour->page] = 'p';
	turns_give(&turns);
	turns_take(&turns);
	tour->did.copies += 4;
	tour->did.touches += 8;
	report_map("the parent, both having written");
	chain = report_chain(map);
	report_check(
		chain.depth == 3 && chain.object[1].kvo_id == shadow,
		"the parent's own object, then %ju, then the file (depth %u)",
		(uintmax_t)chain.object[1].kvo_id, chain.depth);
	report_check(!strcmp(map, "[parent]") && map[2 * tour->page] == page2,
		     "the parent sees its own stores, not the child's: \"%s\"",
		     map);
	report_say(
		"\nThe child exits. Object %ju has one user left: it is merged\n"
		"into the object above it, and the chain is short again.",
		(uintmax_t)shadow);
	before = report_stats();
	turns_give(&turns);
	turns_wait(&turns);
	after = report_stats();
	tour->did.collapses++;
	report_map("the parent, alone again");
	chain = report_chain(map);
	report_check(chain.depth == 2 && chain.pages == 3,
		     "depth %u, pages 0, 1 and 3 in the shadow (%u)",
		     chain.depth, chain.pages);
	report_check(!strcmp(map, "[parent]") && map[tour->page] == 'p' &&
			     map[2 * tour->page] == page2 &&
			     map[3 * tour->page] == '!',
		     "each page is the one it was");
	report_check(
		after.o_collapses - before.o_collapses == 1,
		"%llu collapse counted",
		(unsigned long long)(after.o_collapses - before.o_collapses));
	if (bsdvm_munmap(map, tour->size))
		report_die("bsdvm_munmap");
	tour->private = NULL;
}

#define FORKS 1000
#define PAGES 32

/* The most that was seen in any of the forks. */
struct worst {
	unsigned int depth;
	unsigned int pages;
	bool isolated;
};

/*
 * One generation: the parent writes page @mine, the child then page @its, and
 * neither may see the other's store. Page contents are in @model.
 */
static void one_fork(struct tour *tour, char *map, char *model,
		     struct worst *worst)
{
	const unsigned int mine = rand() % PAGES;
	const unsigned int its = rand() % PAGES;
	struct turns turns = turns_fork();
	struct chain chain;

	if (!turns.child) {
		char *page = map + its * tour->page;

		turns_take(&turns);
		if (map[mine * tour->page] != model[mine])
			report_check(false, "the child saw the parent's store");
		*page = ~*page;
		turns_give(&turns);
		turns_take(&turns);
		turns_exit();
	}
	map[mine * tour->page] = ++model[mine];
	turns_give(&turns);
	turns_take(&turns);
	chain = report_chain(map);
	if (chain.depth > worst->depth)
		worst->depth = chain.depth;
	if (chain.pages > worst->pages)
		worst->pages = chain.pages;
	if (map[its * tour->page] != model[its])
		worst->isolated = false;
	turns_give(&turns);
	turns_wait(&turns);
	tour->did.forks++;
	tour->did.copies += 2;
	/* The child read the page of either side first. */
	tour->did.touches += 2;
	tour->did.collapses++;
}

static bool same_as_model(const struct tour *tour, const char *map,
			  const char *model)
{
	unsigned int i;

	for (i = 0; i < PAGES; i++) {
		if (map[i * tour->page] != model[i])
			return false;
	}
	return true;
}

static void show_progress(unsigned int forks, const char *map)
{
	struct chain chain = report_chain(map);
	struct bsdvm_stats stats = report_stats();

	printf("  after %4u forks: depth %u, %u pages, %llu pages free\n",
	       forks, chain.depth, chain.pages, report_free(&stats));
}

void step_thousand_forks(struct tour *tour)
{
	struct worst worst = { .isolated = true };
	struct bsdvm_stats before, after;
	char model[PAGES] = { 0 };
	struct chain chain;
	unsigned int i;
	char *map;

	report_step("A thousand forks leave nothing behind");
	report_say(
		"%d anonymous pages are written once. Then, %d times: fork,\n"
		"one store by the parent, one by the child, and the child\n"
		"exits. Were the chain never collapsed, it would be %d deep.\n",
		PAGES, FORKS, FORKS + 1);
	map = bsdvm_mmap(NULL, PAGES * tour->page,
			 BSDVM_PROT_READ | BSDVM_PROT_WRITE,
			 BSDVM_MAP_ANON | BSDVM_MAP_PRIVATE, -1, 0);
	if (map == BSDVM_MAP_FAILED)
		report_die("bsdvm_mmap");
	for (i = 0; i < PAGES; i++)
		map[i * tour->page] = model[i] = i;
	tour->did.zero_fills += PAGES;
	before = report_stats();
	show_progress(0, map);
	for (i = 1; i <= FORKS; i++) {
		one_fork(tour, map, model, &worst);
		if (i == 1 || i == 10 || i == 100 || i == FORKS)
			show_progress(i, map);
	}
	after = report_stats();
	report_map("this process");
	chain = report_chain(map);
	report_check(worst.isolated && same_as_model(tour, map, model),
		     "no store of a child was ever seen");
	report_check(worst.depth == 2 && chain.depth == 1,
		     "depth at most %u, and %u at the end", worst.depth,
		     chain.depth);
	report_check(worst.pages == PAGES + 1 && chain.pages == PAGES,
		     "at most %u pages in the chain, and %u at the end",
		     worst.pages, chain.pages);
	report_check(report_free(&after) == report_free(&before),
		     "%llu pages free before, %llu after", report_free(&before),
		     report_free(&after));
	report_check(
		after.o_collapses - before.o_collapses == FORKS,
		"%llu collapses counted",
		(unsigned long long)(after.o_collapses - before.o_collapses));
	if (bsdvm_munmap(map, PAGES * tour->page))
		report_die("bsdvm_munmap");
}
