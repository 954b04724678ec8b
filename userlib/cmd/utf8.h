/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef _BSDVM_UTF8_H
#define _BSDVM_UTF8_H

/**
 * utf8_of() - make text of bytes
 * @bytes: what a path or a name is, which is any bytes
 *
 * Who reads JSON, or a graph, wants UTF-8. Each byte that is no part of that becomes
 * U+FFFD.
 *
 * Return: the text, for free(). Without memory, the program ends.
 */
char *utf8_of(const char *bytes);

#endif /* _BSDVM_UTF8_H */
