// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* trace: where the tracepoints of trace.h are made. */
#ifndef NOTRACE
#define CREATE_TRACE_POINTS
#endif
#include "trace.h"

/* Other modules may listen, as the tests do. */
EXPORT_TRACEPOINT_SYMBOL_GPL(bsdvm_fault_end);
