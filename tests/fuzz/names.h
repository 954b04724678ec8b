/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * names: random calls on names of shared memory objects. An object is known again
 * by its size.
 */
#ifndef _FUZZ_NAMES_H
#define _FUZZ_NAMES_H

#include <stddef.h>

/**
 * names_step() - make one call and compare
 * @text: filled with the call in words
 * @len: room in it
 *
 * Return: NULL, or what was wrong.
 */
const char *names_step(char *text, size_t len);

/* Unlink all of them. */
void names_end(void);

#endif /* _FUZZ_NAMES_H */
