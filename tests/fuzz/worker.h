/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * worker: a process with a window, which does what the driver tells it to, one
 * command at a time. Driver and worker talk over a socket that keeps messages
 * apart; the driver has made the sockets of all workers there will ever be, so
 * that a fork child has its own from the start.
 */
#ifndef _FUZZ_WORKER_H
#define _FUZZ_WORKER_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include <bsdvm/uapi.h>

#define PAGE	     ((uint64_t)4096)
/* Pages of a window. */
#define WINDOW_PAGES 320
/* Stamps of a page, the first at its start, the last at its end. */
#define STAMPS	     3
/* Workers at a time. */
#define WORKERS	     6

/* Where in a page a stamp lies. */
static inline unsigned int stamp_offset(unsigned int i)
{
	static const unsigned int offset[STAMPS] = { 0, 2040, 4088 };

	return offset[i];
}

enum command_op {
	COMMAND_IOCTL, /* on the device; then, if @list, as COMMAND_LIST */
	COMMAND_LIST, /* the map, by pages */
	COMMAND_READ, /* contents of pages */
	COMMAND_WRITE, /* a stamp into a page */
	COMMAND_FORK, /* the child is worker @slot */
	COMMAND_WAIT, /* for the child @pid */
	COMMAND_EXIT,
};

/**
 * struct command - what to do
 * @op: which of them
 * @request: of ioctl
 * @page: to write to
 * @stamp: which stamp of it
 * @value: what to write
 * @slot: of the child
 * @pid: of the child
 * @list: whether the map is wanted, too
 * @want: pages to read
 * @arg: structure for ioctl
 */
struct command {
	enum command_op op;
	unsigned long request;
	unsigned int page;
	unsigned int stamp;
	uint64_t value;
	unsigned int slot;
	pid_t pid;
	bool list;
	bool want[WINDOW_PAGES];
	char arg[256];
};

/**
 * struct seen - a page of the map, as the entry list has it
 * @mapped: there is an entry
 * @type: kve_type
 * @prot: kve_protection
 * @max: kve_max_protection
 * @inherit: kve_inheritance
 * @wired: kve_wired_count
 * @flags: kve_flags
 */
struct seen {
	bool mapped;
	uint8_t type;
	uint8_t prot;
	uint8_t max;
	uint8_t inherit;
	uint8_t wired;
	uint32_t flags;
};

/**
 * struct content - a page, as loads see it
 * @sig: signal that reading raised, or 0
 * @code: its si_code
 * @rest: all words that are not stamps, or'ed
 * @stamp: the stamps
 */
struct content {
	int sig;
	int code;
	uint64_t rest;
	uint64_t stamp[STAMPS];
};

/**
 * struct answer - what came of a command
 * @error: errno, or 0
 * @sig: signal that the write raised
 * @code: its si_code
 * @pid: of the child
 * @arg: the structure after ioctl
 * @vec: what mincore has filled in
 * @list_error: errno of listing the map
 * @seen: the map
 * @content: for COMMAND_READ, of the pages wanted, one behind the other
 */
struct answer {
	int error;
	int list_error;
	int sig;
	int code;
	pid_t pid;
	char arg[256];
	unsigned char vec[WINDOW_PAGES + 8];
	union {
		struct seen seen[WINDOW_PAGES];
		struct content content[WINDOW_PAGES];
	};
};

/* The buffer that mincore fills, at this address in each worker. */
extern unsigned char worker_vec[WINDOW_PAGES + 8];

/**
 * worker_run() - serve until the driver goes or says so
 * @sockets: the workers' ends
 * @slot: which of them is ours
 * @start: where to put the window
 */
void worker_run(const int *sockets, unsigned int slot, uint64_t start)
	__attribute__((noreturn));

#endif /* _FUZZ_WORKER_H */
