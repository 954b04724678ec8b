// SPDX-License-Identifier: BSD-2-Clause
#define _GNU_SOURCE
#if !__has_include(<curses.h>)
#error "ncurses is missing: run scripts/setup, or install libncurses-dev"
#endif

#include <curses.h>
#include <err.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cmd.h"
#include "screen.h"

static SCREEN *screen;
/* The mask to wait with: as it was at the beginning. */
static sigset_t unblocked;
/* The signal that asked for the end, 0 for none. */
static volatile sig_atomic_t ended_by;

static void note_end(int sig)
{
	ended_by = sig;
}

/* From now on the signal comes only while we wait. */
static void catch (int sig)
{
	struct sigaction action = { .sa_handler = note_end };
	struct sigaction before;
	sigset_t set;

	sigaction(sig, NULL, &before);
	/* Whoever started us to ignore it means it. */
	if (before.sa_handler == SIG_IGN)
		return;
	sigaction(sig, &action, NULL);
	sigemptyset(&set);
	sigaddset(&set, sig);
	sigprocmask(SIG_BLOCK, &set, NULL);
}

void screen_catch_interrupt(void)
{
	sigprocmask(SIG_SETMASK, NULL, &unblocked);
	catch (SIGINT);
}

/* ncurses has handlers for these, which write to the terminal. */
static void block_screen_signals(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGWINCH);
	sigaddset(&set, SIGTSTP);
	sigprocmask(SIG_BLOCK, &set, NULL);
}

/* Whatever ends the program, the terminal is as it was. */
static void give_back(void)
{
	if (!screen)
		return;
	endwin();
	delscreen(screen);
	screen = NULL;
}

void screen_begin(void)
{
	const char *type = getenv("TERM");

	if (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO))
		errx(STATUS_FAILED, "this is no terminal; see -b");
	screen_catch_interrupt();
	catch (SIGTERM);
	catch (SIGHUP);
	catch (SIGQUIT);
	block_screen_signals();
	screen = newterm(NULL, stdout, stdin);
	if (!screen)
		errx(STATUS_FAILED,
		     "a terminal of type '%s' is not known; see -b",
		     type ? type : "");
	atexit(give_back);
	cbreak();
	noecho();
	nodelay(stdscr, true);
	keypad(stdscr, true);
	curs_set(0);
}

size_t screen_lines(void)
{
	return LINES;
}

void screen_show(const char *text)
{
	int line;

	erase();
	for (line = 0; *text && line < LINES; line++) {
		const size_t length = strcspn(text, "\n");

		/* What is longer than the line would go on in the next. */
		mvaddnstr(line, 0, text,
			  length < (size_t)COLS ? (int)length : COLS);
		text += length;
		text += *text == '\n';
	}
	refresh();
}

/* What a key asks for; false when there is none. A new size comes as a key, too. */
static bool read_key(enum screen_event *event)
{
	const int key = getch();

	switch (key) {
	case ERR:
		return false;
	case KEY_RESIZE:
		*event = SCREEN_RESIZED;
		return true;
	case 'q':
	case 'Q':
		*event = SCREEN_QUIT;
		return true;
	default:
		*event = SCREEN_TIME;
		return true;
	}
}

/* The time that is left; false when there is none. */
static bool time_left(const struct timespec *deadline, struct timespec *left)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	left->tv_sec = deadline->tv_sec - now.tv_sec;
	left->tv_nsec = deadline->tv_nsec - now.tv_nsec;
	if (left->tv_nsec < 0) {
		left->tv_sec--;
		left->tv_nsec += 1000000000;
	}
	return left->tv_sec >= 0;
}

enum screen_event screen_wait(const struct timespec *deadline)
{
	struct pollfd keys = { .fd = STDIN_FILENO, .events = POLLIN };
	enum screen_event event;
	struct timespec left;
	int ready;

	while (time_left(deadline, &left)) {
		ready = ppoll(&keys, screen ? 1 : 0, &left, &unblocked);
		if (ended_by)
			return SCREEN_QUIT;
		if (screen && read_key(&event))
			return event;
		/* Nobody is there who could press a key. */
		if (ready > 0)
			return SCREEN_QUIT;
	}
	return SCREEN_TIME;
}

void screen_end(void)
{
	give_back();
	/* An interrupt is how one ends a view; it is no failure. */
	if (ended_by && ended_by != SIGINT) {
		signal(ended_by, SIG_DFL);
		sigprocmask(SIG_SETMASK, &unblocked, NULL);
		raise(ended_by);
	}
}
