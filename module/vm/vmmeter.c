// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * The event counters themselves. Each CPU changes its own with one instruction
 * and no lock; who reads adds them up and gets a sum that was never exact at any
 * one moment, but of which no event is missing.
 */

#include "vmmeter.h"

DEFINE_PER_CPU(struct vmmeter, bsd_vmmeter);
/* The in-kernel tests call inline functions that count. */
EXPORT_SYMBOL_IF_KUNIT(bsd_vmmeter);
