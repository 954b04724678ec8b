// SPDX-License-Identifier: BSD-2-Clause
/*
 * The lists of entries, of objects and of their pages. Each is fetched in one call: between two,
 * entries may be split or merged and objects come and go. So a buffer that proves
 * too small is thrown away and a larger one tried.
 */
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>

#include "window.h"

#define FIRST_TRY (16 * 1024)

struct bsdvm_vmentry *bsdvm_getvmmap(size_t *count)
{
	return bsdvm_getvmmap_pid(0, count);
}

struct bsdvm_vmentry *bsdvm_getvmmap_pid(pid_t pid, size_t *count)
{
	size_t len;

	for (len = FIRST_TRY;; len *= 2) {
		void *buf = malloc(len);
		struct bsdvm_entries arg = {
			.size = sizeof(arg),
			.buf = (uintptr_t)buf,
			.buf_len = len,
			.pid = pid,
		};

		if (!buf)
			return NULL;
		if (!libbsdvm_process_ioctl(pid, BSDVM_IOC_ENTRIES, &arg)) {
			if (!arg.more) {
				*count = arg.count;
				return buf;
			}
		} else if (errno != ENOSPC) {
			free(buf);
			return NULL;
		}
		free(buf);
	}
}

void bsdvm_freevmmap(struct bsdvm_vmentry *map)
{
	free(map);
}

struct bsdvm_kvmobject *bsdvm_getvmobject(size_t *count)
{
	size_t len;

	for (len = FIRST_TRY;; len *= 2) {
		void *buf = malloc(len);
		struct bsdvm_objects arg = {
			.size = sizeof(arg),
			.buf = (uintptr_t)buf,
			.buf_len = len,
		};

		if (!buf)
			return NULL;
		if (!libbsdvm_device_ioctl(BSDVM_IOC_OBJECTS, &arg)) {
			if (!arg.more) {
				*count = arg.count;
				return buf;
			}
		} else if (errno != ENOSPC) {
			free(buf);
			return NULL;
		}
		free(buf);
	}
}

void bsdvm_freevmobject(struct bsdvm_kvmobject *objects)
{
	free(objects);
}

struct bsdvm_pagerun *bsdvm_getpages(pid_t pid, uint64_t addr, uint64_t object,
				     size_t *count)
{
	size_t len;

	for (len = FIRST_TRY;; len *= 2) {
		void *buf = malloc(len);
		struct bsdvm_pages arg = {
			.size = sizeof(arg),
			.pid = pid,
			.addr = addr,
			.object = object,
			.buf = (uintptr_t)buf,
			.buf_len = len,
		};

		if (!buf)
			return NULL;
		if (libbsdvm_process_ioctl(pid, BSDVM_IOC_PAGES, &arg)) {
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

void bsdvm_freepages(struct bsdvm_pagerun *pages)
{
	free(pages);
}
