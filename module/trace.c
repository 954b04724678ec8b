// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* trace: where the tracepoints of trace.h are made. */
#define CREATE_TRACE_POINTS
#include "trace.h"

EXPORT_SYMBOL_IF_KUNIT(__tracepoint_bsdvm_fault_end);
