/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef _BSDVM_VMMAP_PRINT_H
#define _BSDVM_VMMAP_PRINT_H

#include <stdio.h>

#include <bsdvm.h>

/* Also print each entry's chain of objects. */
#define VMMAP_PRINT_OBJECTS   0x1
/* Leave the line of column names out. */
#define VMMAP_PRINT_NO_HEADER 0x2

/**
 * vmmap_print() - print a map as procstat -v does
 * @out: where to
 * @pid: for the first column
 * @map: records of bsdvm_getvmmap()
 * @count: their number
 * @flags: VMMAP_PRINT_*
 */
void vmmap_print(FILE *out, int pid, const struct bsdvm_vmentry *map,
		 size_t count, unsigned int flags);

/**
 * struct vmmap_letters - an entry in letters
 * @prot: its protection, as in the column PRT
 * @flags: its flags, as in the column FLAG
 */
struct vmmap_letters {
	char prot[4];
	char flags[6];
};

struct vmmap_letters vmmap_letters(const struct bsdvm_vmentry *entry);

/* The two letters of a BSDVM_KVME_TYPE_*, as in the column TP. */
const char *vmmap_type_name(unsigned int type);

/* Print a path; what would end its line, or hide, as \ and three octal digits. */
void vmmap_print_path(FILE *out, const char *path);

#endif /* _BSDVM_VMMAP_PRINT_H */
