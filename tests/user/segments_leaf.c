// SPDX-License-Identifier: BSD-2-Clause
/*
 * A program of one function, for the image that tests/user/segments.c builds. Its
 * text needs no relocation, reads constants, and has data and bss of more than a
 * page each. Its entry point is leaf().
 */
#define LOCAL __attribute__((visibility("hidden")))

/* Read through the text's own addresses. */
LOCAL extern const int squares[];
LOCAL extern int counter[];
LOCAL extern int calls[];

const int squares[2048] = { 0, 1, 4, 9, 16, 25, 36, 49 };
/* Not so many that the data would end with a page. */
int counter[2050] = { 100 };
int calls[4096];

/* For @i below 8: 1000 * i * i, 101 at first, and the calls so far. */
int leaf(int i);
int leaf(int i)
{
	calls[4095]++;
	calls[0]++;
	return 1000000 * calls[4095] + 1000 * squares[i] + ++counter[0];
}
