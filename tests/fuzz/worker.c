// SPDX-License-Identifier: BSD-2-Clause
#define _GNU_SOURCE
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stddef.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "worker.h"

unsigned char worker_vec[WINDOW_PAGES + 8];

static int device;
static char *window;
static int sock;

static sigjmp_buf escape;
static volatile sig_atomic_t caught_sig, caught_code;

static void catch (int sig, siginfo_t *info, void *context)
{
	(void)context;
	caught_sig = sig;
	caught_code = info->si_code;
	siglongjmp(escape, 1);
}

static void read_page(unsigned int page, struct content *content)
{
	const volatile uint64_t *p =
		(const volatile uint64_t *)(window + page * PAGE);
	unsigned int i;

	memset(content, 0, sizeof(*content));
	caught_sig = 0;
	if (sigsetjmp(escape, 0)) {
		content->sig = caught_sig;
		content->code = caught_code;
		return;
	}
	for (i = 0; i < PAGE / 8; i++)
		content->rest |= p[i];
	if (!content->rest)
		return;
	content->rest = 0;
	for (i = 0; i < STAMPS; i++)
		content->stamp[i] = p[stamp_offset(i) / 8];
	for (i = 0; i < PAGE / 8; i++) {
		if (i * 8 != stamp_offset(0) && i * 8 != stamp_offset(1) &&
		    i * 8 != stamp_offset(2))
			content->rest |= p[i];
	}
}

static void write_stamp(const struct command *command, struct answer *answer)
{
	caught_sig = 0;
	caught_code = 0;
	if (!sigsetjmp(escape, 0))
		*(volatile uint64_t *)(window + command->page * PAGE +
				       stamp_offset(command->stamp)) =
			command->value;
	answer->sig = caught_sig;
	answer->code = caught_code;
}

static void note_entry(const struct bsdvm_vmentry *e, struct seen *seen)
{
	unsigned int page = (e->kve_start - (uintptr_t)window) / PAGE;
	const unsigned int end = (e->kve_end - (uintptr_t)window) / PAGE;

	for (; page < end && page < WINDOW_PAGES; page++) {
		seen[page] = (struct seen){
			.mapped = true,
			.type = e->kve_type,
			.prot = e->kve_protection,
			.max = e->kve_max_protection,
			.inherit = e->kve_inheritance,
			.wired = e->kve_wired_count,
			.flags = e->kve_flags,
		};
	}
}

static int list_map(struct seen *seen)
{
	static char buf[64 * 1024];
	struct bsdvm_entries arg;
	uint64_t start = 0;

	memset(seen, 0, WINDOW_PAGES * sizeof(*seen));
	do {
		char *record = buf;

		memset(&arg, 0, sizeof(arg));
		arg.size = sizeof(arg);
		arg.start = start;
		arg.buf = (uintptr_t)buf;
		arg.buf_len = sizeof(buf);
		if (ioctl(device, BSDVM_IOC_ENTRIES, &arg))
			return errno;
		for (; arg.count; arg.count--) {
			const struct bsdvm_vmentry *e =
				(struct bsdvm_vmentry *)record;

			note_entry(e, seen);
			record += e->kve_structsize;
		}
		start = arg.start;
	} while (arg.more);
	return 0;
}

/* Returns the bytes of the answer to send. */
static size_t execute(const int *sockets, const struct command *command,
		      struct answer *answer)
{
	const size_t head = offsetof(struct answer, seen);
	unsigned int i, n;
	int status;

	memset(answer, 0, head);
	switch (command->op) {
	case COMMAND_IOCTL:
		memcpy(answer->arg, command->arg, sizeof(answer->arg));
		memset(worker_vec, 0xff, sizeof(worker_vec));
		if (ioctl(device, command->request, answer->arg))
			answer->error = errno;
		memcpy(answer->vec, worker_vec, sizeof(answer->vec));
		if (!command->list)
			break;
		answer->list_error = list_map(answer->seen);
		return head + sizeof(answer->seen);
	case COMMAND_LIST:
		answer->list_error = list_map(answer->seen);
		return head + sizeof(answer->seen);
	case COMMAND_READ:
		for (i = 0, n = 0; i < WINDOW_PAGES; i++) {
			if (command->want[i])
				read_page(i, &answer->content[n++]);
		}
		return head + n * sizeof(answer->content[0]);
	case COMMAND_WRITE:
		write_stamp(command, answer);
		break;
	case COMMAND_FORK:
		answer->pid = fork();
		if (answer->pid < 0)
			answer->error = errno;
		if (!answer->pid)
			sock = sockets[command->slot];
		break;
	case COMMAND_WAIT:
		if (waitpid(command->pid, &status, 0) != command->pid)
			answer->error = errno;
		else if (status)
			answer->error = ECHILD;
		break;
	case COMMAND_EXIT:
		_exit(0);
	}
	return head;
}

static void make_window(uint64_t start)
{
	const struct rlimit unlimited = { RLIM_INFINITY, RLIM_INFINITY };
	const struct sigaction action = {
		.sa_sigaction = catch,
		/* Leaving the handler by a jump then needs no call. */
		.sa_flags = SA_SIGINFO | SA_NODEFER,
	};

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	sigaction(SIGSEGV, &action, NULL);
	sigaction(SIGBUS, &action, NULL);
	setrlimit(RLIMIT_MEMLOCK, &unlimited);
	device = open(BSDVM_DEVICE, O_RDWR | O_CLOEXEC);
	if (device < 0)
		err(1, "%s", BSDVM_DEVICE);
	window = mmap((void *)(uintptr_t)start, WINDOW_PAGES * PAGE,
		      PROT_READ | PROT_WRITE | PROT_EXEC,
		      MAP_SHARED | MAP_NORESERVE | MAP_FIXED_NOREPLACE, device,
		      0);
	if (window != (void *)(uintptr_t)start)
		err(1, "window");
}

void worker_run(const int *sockets, unsigned int slot, uint64_t start)
{
	static struct command command;
	static struct answer answer;

	make_window(start);
	sock = sockets[slot];
	while (recv(sock, &command, sizeof(command), 0) > 0) {
		const size_t size = execute(sockets, &command, &answer);

		if (send(sock, &answer, size, 0) != (ssize_t)size)
			break;
	}
	_exit(1);
}
