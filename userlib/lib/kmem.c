// SPDX-License-Identifier: BSD-2-Clause
/*
 * The module's own memory: zones, and types of malloc(9). Each table is fetched in one
 * call, for what is in it may change between two.
 */
#include <errno.h>
#include <stdlib.h>

#include "window.h"

/* Records of the first try. */
#define FIRST_TRY 64

static void *get_table(unsigned long request, size_t record, size_t *count)
{
	size_t n;

	for (n = FIRST_TRY;; n *= 2) {
		void *buf = malloc(n * record);
		struct bsdvm_table arg = {
			.size = sizeof(arg),
			.record = record,
			.buf = (uintptr_t)buf,
			.buf_len = n * record,
		};

		if (!buf)
			return NULL;
		if (libbsdvm_device_ioctl(request, &arg)) {
			free(buf);
			return NULL;
		}
		if (!arg.more) {
			*count = arg.count;
			return buf;
		}
		free(buf);
	}
}

struct bsdvm_zone *bsdvm_getzones(size_t *count)
{
	return get_table(BSDVM_IOC_ZONES, sizeof(struct bsdvm_zone), count);
}

void bsdvm_freezones(struct bsdvm_zone *zones)
{
	free(zones);
}

struct bsdvm_malloc_type *bsdvm_getmalloctypes(size_t *count)
{
	return get_table(BSDVM_IOC_MALLOC_TYPES,
			 sizeof(struct bsdvm_malloc_type), count);
}

void bsdvm_freemalloctypes(struct bsdvm_malloc_type *types)
{
	free(types);
}
