// SPDX-License-Identifier: BSD-2-Clause
/* Tunables and gauges, by name. */
#include <errno.h>
#include <stdint.h>
#include <string.h>

#include "window.h"

/* No name is as long as the array: a longer one is none. */
static int name_set(struct bsdvm_sysctl *arg, const char *name)
{
	const size_t len = strnlen(name, sizeof(arg->name));

	if (len == sizeof(arg->name)) {
		errno = ENOENT;
		return -1;
	}
	memcpy(arg->name, name, len);
	return 0;
}

int bsdvm_sysctl_info(const char *name, unsigned int index,
		      struct bsdvm_sysctl *info)
{
	*info = (struct bsdvm_sysctl){ .size = sizeof(*info) };
	if (name) {
		if (name_set(info, name))
			return -1;
	} else {
		info->flags = BSDVM_SYSCTL_INDEX;
		info->index = index;
	}
	return libbsdvm_device_ioctl(BSDVM_IOC_SYSCTL, info);
}

int bsdvm_sysctl_get(const char *name, uint64_t *value)
{
	struct bsdvm_sysctl arg;

	if (!name) {
		errno = EFAULT;
		return -1;
	}
	if (bsdvm_sysctl_info(name, 0, &arg))
		return -1;
	*value = arg.value;
	return 0;
}

int bsdvm_sysctl_set(const char *name, uint64_t value)
{
	struct bsdvm_sysctl arg = {
		.size = sizeof(arg),
		.flags = BSDVM_SYSCTL_SET,
		.value = value,
	};

	if (!name) {
		errno = EFAULT;
		return -1;
	}
	if (name_set(&arg, name))
		return -1;
	return libbsdvm_device_ioctl(BSDVM_IOC_SYSCTL, &arg);
}
