// SPDX-License-Identifier: BSD-2-Clause
// The library from C++, and through its shared object.
#include <bsdvm.h>

#include <cstdio>
#include <cstring>

static int number;
static int failed;

static void check(bool held, const char *name)
{
	std::printf("%sok %d - %s\n", held ? "" : "not ", ++number, name);
	failed += !held;
}

int main()
{
	struct bsdvm_stats stats;
	struct bsdvm_info info;
	std::size_t count = 0;

	std::printf("TAP version 13\n1..4\n");
	check(!bsdvm_attach(0) && !bsdvm_info(&info) && info.window_start,
	      "the_window_is_made");

	void *map = bsdvm_mmap(nullptr, 8192,
			       BSDVM_PROT_READ | BSDVM_PROT_WRITE,
			       BSDVM_MAP_ANON | BSDVM_MAP_ALIGNED(16), -1, 0);
	bool touched = map != BSDVM_MAP_FAILED;

	if (touched)
		std::memset(map, 'x', 8192);
	check(touched, "memory_is_mapped_and_touched");

	struct bsdvm_vmentry *entry = bsdvm_getvmmap(&count);

	check(entry && count == 1 && entry->kve_nobjects == 1 &&
		      bsdvm_vmentry_objects(entry)[0].kvo_resident == 2 &&
		      !*bsdvm_vmentry_path(entry),
	      "the_entry_list_is_readable");
	bsdvm_freevmmap(entry);
	check(!bsdvm_munmap(map, 8192) && !bsdvm_stats(&stats) &&
		      stats.v_zfod >= 2,
	      "the_counters_are_readable");
	return failed ? 1 : 0;
}
