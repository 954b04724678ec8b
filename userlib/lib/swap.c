// SPDX-License-Identifier: BSD-2-Clause
/* Swap devices, by name. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "window.h"

int bsdvm_swapon(const char *special)
{
	struct bsdvm_swapon arg = { .size = sizeof(arg) };
	int ret, err;

	arg.fd = open(special, O_RDWR | O_CLOEXEC);
	if (arg.fd < 0)
		return -1;
	ret = libbsdvm_device_ioctl(BSDVM_IOC_SWAPON, &arg);
	err = errno;
	close(arg.fd);
	errno = err;
	return ret;
}

int bsdvm_swapinfo(unsigned int index, struct bsdvm_swapinfo *info)
{
	*info = (struct bsdvm_swapinfo){
		.size = sizeof(*info),
		.index = index,
	};
	return libbsdvm_device_ioctl(BSDVM_IOC_SWAPINFO, info);
}

int bsdvm_swapfind(const char *special, struct bsdvm_swapinfo *info)
{
	char *path = realpath(special, NULL);
	const char *name = path ? path : special;
	unsigned int i;
	bool found = false;

	for (i = 0; !found && !bsdvm_swapinfo(i, info); i++)
		found = !strncmp(info->path, name, sizeof(info->path));
	free(path);
	if (found)
		return 0;
	/* Behind the last: there is none of that name. */
	if (errno == ENOENT)
		errno = ENXIO;
	return -1;
}

int bsdvm_swapoff(const char *special)
{
	struct bsdvm_swapoff arg = { .size = sizeof(arg) };
	struct bsdvm_swapinfo info;

	if (bsdvm_swapfind(special, &info))
		return -1;
	arg.id = info.id;
	return libbsdvm_device_ioctl(BSDVM_IOC_SWAPOFF, &arg);
}
