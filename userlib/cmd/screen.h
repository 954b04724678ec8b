/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The terminal as a screen that text is shown on, by ncurses, and waiting for what may
 * end a view: its time, a key, a signal.
 *
 * Signals are blocked but while screen_wait() waits. So none is missed, and none comes
 * while the terminal is being written to.
 */
#ifndef _BSDVM_SCREEN_H
#define _BSDVM_SCREEN_H

#include <stdbool.h>
#include <stddef.h>
#include <time.h>

/* What screen_wait() waited for. */
enum screen_event {
	SCREEN_TIME,
	SCREEN_RESIZED,
	SCREEN_QUIT,
};

/* Have signals noted by screen_wait(): SIGINT, unless it is ignored. */
void screen_catch_interrupt(void);

/* Take the terminal; the program ends when there is none. */
void screen_begin(void);

/* How many lines it has now. */
size_t screen_lines(void);

/* Show text from the top left corner on; what has no room is not shown. */
void screen_show(const char *text);

/**
 * screen_wait() - wait for a time, or something before it
 * @deadline: the time, of CLOCK_MONOTONIC
 *
 * Return: SCREEN_TIME when it has come, or a key makes it come; SCREEN_RESIZED when the
 * screen has another size; SCREEN_QUIT when a key, a signal or the end of the terminal
 * asks for that.
 */
enum screen_event screen_wait(const struct timespec *deadline);

/* Give the terminal back as it was. A signal that asked for the end has its effect. */
void screen_end(void);

#endif /* _BSDVM_SCREEN_H */
