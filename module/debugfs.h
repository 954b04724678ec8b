/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * debugfs: /sys/kernel/debug/bsdvm, for whoever looks at the whole machine.
 */
#ifndef BSDVM_DEBUGFS_H
#define BSDVM_DEBUGFS_H

/**
 * bsdvm_debugfs_init() - make the files
 *
 * Without debugfs there are none, and nothing else is missing.
 *
 * Context: module load.
 */
void bsdvm_debugfs_init(void);

/**
 * bsdvm_debugfs_fini() - take the files away, once nobody reads them
 *
 * Context: module unload. Harmless without bsdvm_debugfs_init().
 */
void bsdvm_debugfs_fini(void);

#endif /* BSDVM_DEBUGFS_H */
