// SPDX-License-Identifier: BSD-2-Clause
/* The kernel map and its submaps. */
#include "window.h"

int bsdvm_kmap(unsigned int index, struct bsdvm_kmap *info)
{
	*info = (struct bsdvm_kmap){
		.size = sizeof(*info),
		.index = index,
	};
	return libbsdvm_device_ioctl(BSDVM_IOC_KMAP, info);
}
