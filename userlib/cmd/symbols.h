/* SPDX-License-Identifier: BSD-2-Clause */
/* The names of functions: of a program or library by its ELF file, of the kernel. */
#ifndef _BSDVM_SYMBOLS_H
#define _BSDVM_SYMBOLS_H

#include <stddef.h>
#include <stdint.h>

/**
 * struct symbol - a function
 * @start: its address, or its place in the file
 * @size: its bytes, 0 for what is not known
 * @name: its name
 * @owner: the kernel's module that has it, NULL for none
 */
struct symbol {
	uint64_t start;
	uint64_t size;
	char *name;
	char *owner;
};

/**
 * struct symbols - functions, by where they are
 * @symbols: each
 * @count: how many
 * @room: of @symbols
 */
struct symbols {
	struct symbol *symbols;
	size_t count;
	size_t room;
};

/**
 * symbols_file() - the functions of an ELF file
 * @path: the file
 * @symbols: them, by their places in the file; none when it is no such file
 */
void symbols_file(const char *path, struct symbols *symbols);

/* The functions of the kernel, by their addresses; none when it does not tell. */
void symbols_kernel(struct symbols *symbols);

/* The function that has this address or place, or NULL. */
const struct symbol *symbols_find(const struct symbols *symbols, uint64_t at);

#endif /* _BSDVM_SYMBOLS_H */
