// SPDX-License-Identifier: BSD-2-Clause
/*
 * Random calls against a model: workers with a window each, two and their fork
 * children, make every call there is; each answer, each page's place in the map
 * and each byte is compared with what the model says.
 *
 *	fuzz			some seeds, in TAP
 *	fuzz -s SEED -n CALLS	one of them; -v shows each call
 *
 * One worker is asked at a time, so the calls come in one order, which the seed
 * decides alone: a failure can be replayed. (Races are what stress is for.)
 */
#define _GNU_SOURCE
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "gen.h"
#include "names.h"

/* What is done without options. */
static const struct {
	uint64_t seed;
	unsigned long calls;
} usual[] = {
	{ 1, 2500 }, { 2, 2500 }, { 3, 2500 }, { 5, 2500 }, { 4, 400 },
};

#define USUAL (sizeof(usual) / sizeof(usual[0]))

/* Calls that a failure shows. */
#define HISTORY	   24
/* Steps between two looks at everything. */
#define FULL_CHECK 400
/* Workers that are not forked by others, and never exit. */
#define ROOTS	   2

const char *strerrorname_np(int err);

static uint64_t seed;
static unsigned long calls, step;
static bool verbose;

static int driver_end[WORKERS], worker_end[WORKERS];

/* --- telling */

static char history[HISTORY][320];
static unsigned long notes;

__attribute__((format(printf, 1, 2))) static void note(const char *fmt, ...)
{
	char *line = history[notes++ % HISTORY];
	va_list args;
	int len;

	len = snprintf(line, sizeof(history[0]), "%6lu  ", step);
	va_start(args, fmt);
	vsnprintf(line + len, sizeof(history[0]) - len, fmt, args);
	va_end(args);
	if (verbose) {
		printf("# %s\n", line);
		fflush(stdout);
	}
}

static void dump_map(unsigned int proc)
{
	static const char *const inherit[] = { "share", "copy", "none",
					       "zero" };
	const struct proc *p = &model.proc[proc];
	unsigned int i, from;

	printf("# map of %u, window at %#llx, by the model:\n", proc,
	       (unsigned long long)p->start);
	for (i = 0; i < WINDOW_PAGES; i++) {
		const struct page *page = &p->page[i];

		if (!page->mapped)
			continue;
		from = i;
		while (i + 1 < WINDOW_PAGES && p->page[i + 1].mapped &&
		       p->page[i + 1].prot == page->prot &&
		       p->page[i + 1].max == page->max &&
		       p->page[i + 1].inherit == page->inherit &&
		       p->page[i + 1].flags == page->flags)
			i++;
		printf("#   +%#x-%#x prot %u max %u %s flags %#x%s\n",
		       from * 4096, (i + 1) * 4096, page->prot, page->max,
		       inherit[page->inherit], page->flags,
		       page->slot && page->slot->file ? " file" : "");
	}
}

/* It is not as the model says: tell, and end this run. */
__attribute__((format(printf, 2, 3), noreturn)) static void
fail(unsigned int proc, const char *fmt, ...)
{
	unsigned long i = notes < HISTORY ? 0 : notes - HISTORY;
	va_list args;

	printf("# seed %llu, call %lu: ", (unsigned long long)seed, step);
	va_start(args, fmt);
	vprintf(fmt, args);
	va_end(args);
	printf("\n# the last calls:\n");
	for (; i < notes; i++)
		printf("# %s\n", history[i % HISTORY]);
	if (model.proc[proc].alive)
		dump_map(proc);
	printf("# replay: fuzz -s %llu -n %lu\n", (unsigned long long)seed,
	       step + 1);
	fflush(stdout);
	_exit(1);
}

static const char *errno_name(int error)
{
	return error ? strerrorname_np(error) : "success";
}

/* --- asking workers */

static void receive(unsigned int proc, struct answer *answer)
{
	if (recv(driver_end[proc], answer, sizeof(*answer), 0) <= 0)
		fail(proc, "worker %u does not answer (%s)", proc,
		     strerror(errno));
}

/* A worker that hangs in a load: which pages may it be? */
static void note_wanted(unsigned int proc, const struct command *command)
{
	char text[256] = "";
	unsigned int i;
	int len = 0;

	for (i = 0; i < WINDOW_PAGES && len < 240; i++) {
		if (command->want[i])
			len += snprintf(text + len, sizeof(text) - len, " +%#x",
					i * 4096);
	}
	note("%u: load from%s", proc, text);
}

static void ask(unsigned int proc, struct command *command,
		struct answer *answer)
{
	if (send(driver_end[proc], command, sizeof(*command), 0) < 0)
		fail(proc, "worker %u is gone", proc);
	receive(proc, answer);
}

/* --- comparing */

static uint32_t expected_flags(const struct page *page)
{
	static const struct {
		uint32_t flag;
		uint32_t kve;
	} flags[] = {
		{ PAGE_WIRED, BSDVM_KVME_FLAG_USER_WIRED },
		{ PAGE_IMMUTABLE, BSDVM_KVME_FLAG_IMMUTABLE },
		{ PAGE_NOCORE, BSDVM_KVME_FLAG_NOCOREDUMP },
		{ PAGE_NOSYNC, BSDVM_KVME_FLAG_NOSYNC },
		{ PAGE_RANDOM, BSDVM_KVME_FLAG_RANDOM },
		{ PAGE_SEQUENTIAL, BSDVM_KVME_FLAG_SEQUENTIAL },
		{ PAGE_STACK, BSDVM_KVME_FLAG_GROWS_DOWN },
	};
	uint32_t kve = 0;
	size_t i;

	for (i = 0; i < sizeof(flags) / sizeof(flags[0]); i++) {
		if (page->flags & flags[i].flag)
			kve |= flags[i].kve;
	}
	return kve;
}

/* What an entry list says beyond the model. */
#define FLAGS_UNKNOWN                                       \
	(BSDVM_KVME_FLAG_COW | BSDVM_KVME_FLAG_NEEDS_COPY | \
	 BSDVM_KVME_FLAG_SUPER | BSDVM_KVME_FLAG_CHARGED)

/* Of a gap it may say that it belongs to a stack. */
static uint32_t flags_unknown(const struct page *page)
{
	return page->flags & PAGE_GAP ?
		       FLAGS_UNKNOWN | BSDVM_KVME_FLAG_GROWS_DOWN :
		       FLAGS_UNKNOWN;
}

static void check_seen(unsigned int proc, unsigned int n,
		       const struct seen *seen)
{
	const struct page *page = &model.proc[proc].page[n];
	const bool guard = page->flags & PAGE_GUARD;

	if (seen->mapped != page->mapped)
		fail(proc, "page +%#x is %smapped", n * 4096,
		     seen->mapped ? "" : "not ");
	if (!page->mapped)
		return;
	if ((seen->type == BSDVM_KVME_TYPE_GUARD) != guard)
		fail(proc, "page +%#x is of type %u", n * 4096, seen->type);
	if (seen->prot != page->prot || seen->max != page->max)
		fail(proc, "page +%#x has prot %u max %u, not %u, %u", n * 4096,
		     seen->prot, seen->max, page->prot, page->max);
	if (seen->inherit != page->inherit)
		fail(proc, "page +%#x has inheritance %u, not %u", n * 4096,
		     seen->inherit, page->inherit);
	if ((seen->flags & ~flags_unknown(page)) != expected_flags(page))
		fail(proc, "page +%#x has flags %#x, not %#x", n * 4096,
		     seen->flags & ~flags_unknown(page), expected_flags(page));
	if (!seen->wired != !(page->flags & PAGE_WIRED))
		fail(proc, "page +%#x is wired %u times", n * 4096,
		     seen->wired);
}

static void check_list(unsigned int proc, const struct answer *answer)
{
	unsigned int i;

	if (answer->list_error)
		fail(proc, "list: %s", errno_name(answer->list_error));
	for (i = 0; i < WINDOW_PAGES; i++)
		check_seen(proc, i, &answer->seen[i]);
}

static void check_map(unsigned int proc)
{
	struct command command = { .op = COMMAND_LIST };
	static struct answer answer;

	ask(proc, &command, &answer);
	check_list(proc, &answer);
}

/* The signal, and its code, that an access with this outcome raises. */
static int signal_of(int outcome, int *code)
{
	switch (outcome) {
	case BSDVM_FAULT_OK:
		*code = 0;
		return 0;
	case BSDVM_FAULT_INVALID_ADDRESS:
		*code = SEGV_MAPERR;
		return SIGSEGV;
	case BSDVM_FAULT_PROTECTION:
		*code = SEGV_ACCERR;
		return SIGSEGV;
	default:
		*code = BUS_OBJERR;
		return SIGBUS;
	}
}

static void check_stamps(unsigned int proc, unsigned int n, struct slot *slot,
			 const uint64_t *got)
{
	if (slot_settle(slot, got))
		return;
	fail(proc,
	     "page +%#x has stamps %#llx %#llx %#llx, not %#llx %#llx %#llx%s",
	     n * 4096, (unsigned long long)got[0], (unsigned long long)got[1],
	     (unsigned long long)got[2], (unsigned long long)slot->stamp[0],
	     (unsigned long long)slot->stamp[1],
	     (unsigned long long)slot->stamp[2],
	     slot->freed || slot->loose ? " (or zero)" : "");
}

/*
 * Can a load be foretold? What the CPU lets pass for a page that may be written
 * or run only depends on whether it was touched.
 */
static bool can_read(const struct page *page)
{
	return !page->mapped || !page->prot || (page->prot & BSDVM_PROT_READ);
}

static void check_content(unsigned int proc, unsigned int n,
			  const struct content *content)
{
	struct page *page = &model.proc[proc].page[n];
	const int outcome = proc_access(&model.proc[proc], n, BSDVM_PROT_READ);
	int code, sig = signal_of(outcome, &code);

	if (content->sig != sig || content->code != code)
		fail(proc, "reading page +%#x raises signal %d/%d, not %d/%d",
		     n * 4096, content->sig, content->code, sig, code);
	if (sig)
		return;
	if (content->rest)
		fail(proc, "page +%#x has %#llx where nothing was written",
		     n * 4096, (unsigned long long)content->rest);
	check_stamps(proc, n, page_shows(page), content->stamp);
}

/* Read those pages that @command wants and compare them. */
static void check_wanted(unsigned int proc, struct command *command)
{
	static struct answer answer;
	unsigned int i, n;

	command->op = COMMAND_READ;
	for (i = 0; i < WINDOW_PAGES; i++)
		command->want[i] = command->want[i] &&
				   can_read(&model.proc[proc].page[i]);
	note_wanted(proc, command);
	ask(proc, command, &answer);
	for (i = 0, n = 0; i < WINDOW_PAGES; i++) {
		if (command->want[i])
			check_content(proc, i, &answer.content[n++]);
	}
}

static void check_some(unsigned int proc, unsigned int n)
{
	struct command command = { 0 };

	while (n--)
		command.want[gen_pick(WINDOW_PAGES)] = true;
	check_wanted(proc, &command);
}

static void check_one(unsigned int proc, unsigned int page)
{
	struct command command = { 0 };

	command.want[page] = true;
	check_wanted(proc, &command);
}

static unsigned int count_pages(const struct proc *p, uint32_t with,
				uint32_t without)
{
	unsigned int i, pages = 0;

	for (i = 0; i < WINDOW_PAGES; i++)
		pages += p->page[i].mapped &&
			 (p->page[i].flags & with) == with &&
			 !(p->page[i].flags & without);
	return pages;
}

/* What the map says of itself. */
static void check_accounts(unsigned int proc)
{
	struct command command = {
		.op = COMMAND_IOCTL,
		.request = BSDVM_IOC_RUSAGE,
	};
	const struct proc *p = &model.proc[proc];
	struct bsdvm_rusage usage = { .size = sizeof(usage) };
	static struct answer answer;

	memcpy(command.arg, &usage, sizeof(usage));
	ask(proc, &command, &answer);
	if (answer.error)
		fail(proc, "rusage: %s", errno_name(answer.error));
	memcpy(&usage, answer.arg, sizeof(usage));
	if (usage.vm_size != count_pages(p, 0, PAGE_GUARD) * PAGE)
		fail(proc, "the map has a size of %#llx",
		     (unsigned long long)usage.vm_size);
	if (usage.vm_wired != count_pages(p, PAGE_WIRED, 0) * PAGE)
		fail(proc, "%#llx bytes are locked",
		     (unsigned long long)usage.vm_wired);
	if (!(usage.vm_flags & BSDVM_VMSPACE_WIREFUTURE) != !p->lock_future)
		fail(proc, "flags of the map are %#x", usage.vm_flags);
}

static void check_everything(void)
{
	struct command command;
	unsigned int i;

	for (i = 0; i < WORKERS; i++) {
		if (!model.proc[i].alive)
			continue;
		memset(&command, 0, sizeof(command));
		memset(command.want, true, sizeof(command.want));
		check_map(i);
		check_accounts(i);
		check_wanted(i, &command);
	}
}

static void check_mincore(unsigned int proc, const struct bsdvm_mincore *arg,
			  const unsigned char *vec)
{
	const struct proc *p = &model.proc[proc];
	unsigned int i = (arg->addr - p->start) / PAGE;

	for (; p->start + i * PAGE < arg->addr + arg->len; i++, vec++) {
		if (*vec & ~0x7f)
			fail(proc, "mincore says %#x of +%#x", *vec, i * 4096);
		if (*vec &&
		    (!(*vec & BSDVM_MINCORE_INCORE) || !p->page[i].prot))
			fail(proc, "mincore says %#x of +%#x, prot %u", *vec,
			     i * 4096, p->page[i].prot);
	}
	if (*vec != 0xff)
		fail(proc, "mincore writes behind its vector");
}

/* --- files */

static struct file file_tmp, file_ext4, file_shm;
static char ext4_path[32];

/* The page of a file, as read(2) has it. */
static void check_file_page(unsigned int proc, int fd, const struct slot *slot)
{
	uint64_t got[STAMPS] = { 0 };
	unsigned int i;

	for (i = 0; i < STAMPS; i++) {
		const uint64_t at = slot->index * PAGE + stamp_offset(i);

		if (at >= slot->file->size)
			return;
		if (pread(fd, &got[i], sizeof(got[i]), at) != sizeof(got[i]))
			fail(proc, "read of page %u of a file", slot->index);
		if (got[i] != slot->stamp[i])
			fail(proc,
			     "page %u of the file has %#llx at %u, not %#llx",
			     slot->index, (unsigned long long)got[i],
			     stamp_offset(i),
			     (unsigned long long)slot->stamp[i]);
	}
}

static int file_fd(const struct file *file)
{
	unsigned int i;

	for (i = 0; i < model.handles; i++) {
		if (model.handle[i].file == file && model.handle[i].readable)
			return model.handle[i].fd;
	}
	return -1;
}

/* After an msync: the file has what was written. */
static void check_synced(unsigned int proc, const struct bsdvm_msync *arg)
{
	struct proc *p = &model.proc[proc];
	unsigned int i = (arg->addr - p->start) / PAGE;
	const uint64_t end = arg->addr + (arg->len ? arg->len : 1);

	for (; i < WINDOW_PAGES && p->start + i * PAGE < end; i++) {
		const struct slot *slot = p->page[i].slot;

		while (slot && !slot->file)
			slot = slot->backing;
		if (slot && slot->file && file_fd(slot->file) >= 0 &&
		    !slot->file->shm)
			check_file_page(proc, file_fd(slot->file), slot);
	}
}

static void check_file(const struct file *file)
{
	unsigned int i;

	for (i = 0; i < FILE_PAGES && file_fd(file) >= 0; i++)
		check_file_page(0, file_fd(file), &file->slot[i]);
}

static void add_handle(const char *name, enum handle_kind kind, int fd,
		       struct file *file, bool readable, bool writable)
{
	model.handle[model.handles++] = (struct handle){
		name, kind, fd, file, readable, writable,
	};
}

static void init_file(struct file *file, uint64_t size, bool shm)
{
	unsigned int i;

	memset(file, 0, sizeof(*file));
	file->size = size;
	file->shm = shm;
	for (i = 0; i < FILE_PAGES; i++)
		file->slot[i] = (struct slot){
			.refs = 1,
			.has = true,
			.file = file,
			.index = i,
		};
}

static int reopen(int fd, int flags)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	fd = open(path, flags | O_CLOEXEC);
	if (fd < 0)
		err(1, "%s", path);
	return fd;
}

/* A file whose pages have stamps already, and the last of them is not whole. */
static int make_file(char *path, struct file *file, unsigned int pages)
{
	unsigned int i, j;
	int fd;

	fd = mkostemp(path, O_CLOEXEC);
	if (fd < 0)
		err(1, "%s", path);
	init_file(file, pages * PAGE + 100, false);
	if (ftruncate(fd, file->size))
		err(1, "ftruncate");
	for (i = 0; i <= pages; i++) {
		for (j = 0; j < STAMPS; j++) {
			uint64_t *stamp = &file->slot[i].stamp[j];
			const uint64_t at = i * PAGE + stamp_offset(j);

			if (at >= file->size)
				continue;
			*stamp = gen_stamp();
			if (pwrite(fd, stamp, sizeof(*stamp), at) !=
			    sizeof(*stamp))
				err(1, "pwrite");
		}
	}
	return fd;
}

static int device_call(unsigned long request, void *arg)
{
	int fd = open(BSDVM_DEVICE, O_RDWR | O_CLOEXEC), ret;

	if (fd < 0)
		err(1, "%s", BSDVM_DEVICE);
	ret = ioctl(fd, request, arg);
	close(fd);
	return ret;
}

static int open_shm(const char *name, uint32_t flags)
{
	struct bsdvm_shm_open arg = {
		.size = sizeof(arg),
		.flags = flags,
		.mode = 0600,
		.path = (uintptr_t)name,
	};

	if (device_call(BSDVM_IOC_SHM_OPEN, &arg))
		err(1, "shm_open");
	return arg.fd;
}

/* A shared memory object, by two descriptors. */
static void make_shm(void)
{
	struct bsdvm_shm_unlink unlink = { .size = sizeof(unlink) };
	char name[32];

	snprintf(name, sizeof(name), "/fuzz-%d", getpid());
	init_file(&file_shm, 0, true);
	add_handle("shm", HANDLE_FILE,
		   open_shm(name, BSDVM_O_RDWR | BSDVM_O_CREAT | BSDVM_O_EXCL),
		   &file_shm, true, true);
	add_handle("shm-ro", HANDLE_FILE, open_shm(name, BSDVM_O_RDONLY),
		   &file_shm, true, false);
	unlink.path = (uintptr_t)name;
	if (device_call(BSDVM_IOC_SHM_UNLINK, &unlink))
		err(1, "shm_unlink");
	if (ftruncate(file_fd(&file_shm), 8 * PAGE))
		err(1, "ftruncate");
	file_truncate(&file_shm, 8 * PAGE);
}

static void make_handles(void)
{
	char tmp[] = "/tmp/fuzz.XXXXXX";
	int fd, pipes[2];

	model.handles = 0;
	fd = make_file(tmp, &file_tmp, 11);
	unlink(tmp);
	file_tmp.unlinked = true;
	add_handle("tmp", HANDLE_FILE, fd, &file_tmp, true, true);
	add_handle("tmp-ro", HANDLE_FILE, reopen(fd, O_RDONLY), &file_tmp, true,
		   false);
	add_handle("tmp-wo", HANDLE_FILE, reopen(fd, O_WRONLY), &file_tmp,
		   false, true);
	if (!access("/mnt/ext4", W_OK)) {
		strcpy(ext4_path, "/mnt/ext4/fuzz.XXXXXX");
		fd = make_file(ext4_path, &file_ext4, 7);
		add_handle("ext4", HANDLE_FILE, fd, &file_ext4, true, true);
		add_handle("ext4-ro", HANDLE_FILE, reopen(fd, O_RDONLY),
			   &file_ext4, true, false);
	}
	add_handle("zero", HANDLE_ZERO, open("/dev/zero", O_RDWR | O_CLOEXEC),
		   NULL, true, true);
	if (pipe2(pipes, O_CLOEXEC))
		err(1, "pipe");
	add_handle("pipe", HANDLE_NODEV, pipes[0], NULL, true, false);
	add_handle("dir", HANDLE_NODEV,
		   open("/tmp", O_RDONLY | O_DIRECTORY | O_CLOEXEC), NULL, true,
		   false);
	make_shm();
	add_handle("closed", HANDLE_CLOSED, 999, NULL, false, false);
	add_handle("-1", HANDLE_CLOSED, -1, NULL, false, false);
}

static void close_handles(void)
{
	unsigned int i;

	unlink(ext4_path);
	for (i = 0; i < model.handles; i++)
		close(model.handle[i].fd);
}

/* --- steps */

static unsigned int pick_worker(void)
{
	unsigned int proc;

	do {
		proc = gen_pick(WORKERS);
	} while (!model.proc[proc].alive);
	return proc;
}

static unsigned int free_worker(void)
{
	unsigned int proc = ROOTS;

	while (proc < WORKERS && model.proc[proc].alive)
		proc++;
	return proc;
}

/* The structure must come back as the model has changed it. */
static void check_results(const struct call *call, const char *got)
{
	const uint64_t *want = (const uint64_t *)&call->arg;
	uint64_t word;
	size_t i;

	for (i = 0; i < call->type->size / 8; i++) {
		memcpy(&word, got + i * 8, 8);
		if (word != want[i])
			fail(call->proc,
			     "%s gives back %#llx at byte %zu, not %#llx",
			     call->type->name, (unsigned long long)word, i * 8,
			     (unsigned long long)want[i]);
	}
}

static void make_call(struct call *call)
{
	struct command command = { .op = COMMAND_IOCTL };
	struct proc *p = &model.proc[call->proc];
	const struct call before = *call;
	static struct answer answer;
	char text[280];
	int want;

	gen_format(call, text, sizeof(text));
	note("%s", text);
	notes--;
	command.request = call->type->request;
	memcpy(command.arg, &call->arg, sizeof(command.arg));
	want = call->type->predict(p, &call->arg);
	/* What should have changed nothing is looked at less often. */
	command.list = !want || gen_once_in(4);
	ask(call->proc, &command, &answer);
	note("%s = %s", text, errno_name(answer.error));
	if (answer.error != want)
		fail(call->proc, "%s is %s, not %s", call->type->name,
		     errno_name(answer.error), errno_name(want));
	if (want)
		*call = before;
	check_results(call, answer.arg);
	if (!want && call->type->request == BSDVM_IOC_MSYNC &&
	    !(call->arg.msync.flags & BSDVM_MS_ASYNC))
		check_synced(call->proc, &call->arg.msync);
	if (!want && call->type->request == BSDVM_IOC_MINCORE)
		check_mincore(call->proc, &call->arg.mincore, answer.vec);
	if (command.list)
		check_list(call->proc, &answer);
}

static void step_call(unsigned int proc)
{
	struct proc *p = &model.proc[proc];
	struct call call;

	gen_call(proc, &call);
	make_call(&call);
	if (!p->forget_pages)
		return;
	gen_unmap(proc, &call, p->forget, p->forget_pages);
	p->forget_pages = 0;
	make_call(&call);
}

static void step_write(unsigned int proc)
{
	struct command command = {
		.op = COMMAND_WRITE,
		.page = gen_pick(WINDOW_PAGES),
		.stamp = gen_pick(STAMPS),
		.value = gen_stamp(),
	};
	struct page *page = &model.proc[proc].page[command.page];
	static struct answer answer;
	int outcome, sig, code;

	note("%u: store to +%#x", proc, command.page * 4096);
	outcome =
		proc_access(&model.proc[proc], command.page, BSDVM_PROT_WRITE);
	sig = signal_of(outcome, &code);
	ask(proc, &command, &answer);
	if (answer.sig != sig || answer.code != code)
		fail(proc, "storing raises signal %d/%d, not %d/%d", answer.sig,
		     answer.code, sig, code);
	if (sig)
		return;
	slot_write(page_shows(page), command.stamp, command.value);
	if (can_read(page))
		check_one(proc, command.page);
}

static void step_fork(unsigned int proc)
{
	const unsigned int child = free_worker();
	struct command command = { .op = COMMAND_FORK, .slot = child };
	static struct answer answer;

	note("%u: fork, the child is %u", proc, child);
	ask(proc, &command, &answer);
	if (answer.error)
		fail(proc, "fork: %s", errno_name(answer.error));
	model.proc[child].alive = true;
	model.proc[child].pid = answer.pid;
	model.proc[child].parent = proc;
	proc_fork(&model.proc[proc], &model.proc[child]);
	receive(child, &answer);
	check_map(child);
	check_map(proc);
	check_some(child, 8);
}

static void step_exit(unsigned int proc)
{
	struct proc *p = &model.proc[proc];
	struct command command = { .op = COMMAND_EXIT };
	static struct answer answer;
	unsigned int i;
	int status;

	note("%u: exit", proc);
	if (send(driver_end[proc], &command, sizeof(command), 0) < 0)
		fail(proc, "worker %u is gone", proc);
	if (p->parent < 0) {
		if (waitpid(p->pid, &status, 0) != p->pid || status)
			fail(proc, "exit status %#x", status);
	} else {
		command.op = COMMAND_WAIT;
		command.pid = p->pid;
		ask(p->parent, &command, &answer);
		if (answer.error)
			fail(proc, "wait: %s", errno_name(answer.error));
	}
	for (i = 0; i < WORKERS; i++) {
		if (model.proc[i].alive && model.proc[i].parent == (int)proc)
			model.proc[i].parent = -1;
	}
	proc_exit(p);
}

/* The object has another size, or a write(2) changes it. */
static void step_shm(void)
{
	const uint64_t size =
		gen_pick(FILE_PAGES) * PAGE + (gen_once_in(2) ? 100 : 0);
	const unsigned int page = gen_pick(FILE_PAGES);
	const unsigned int i = gen_pick(STAMPS);
	const uint64_t at = page * PAGE + stamp_offset(i), stamp = gen_stamp();
	const int fd = file_fd(&file_shm);

	if (gen_once_in(2)) {
		note("ftruncate(shm, %#llx)", (unsigned long long)size);
		if (ftruncate(fd, size))
			fail(0, "ftruncate: %s", errno_name(errno));
		file_truncate(&file_shm, size);
	} else if (at < file_shm.size) {
		note("pwrite(shm, %#llx)", (unsigned long long)at);
		if (pwrite(fd, &stamp, sizeof(stamp), at) != sizeof(stamp))
			fail(0, "pwrite: %s", errno_name(errno));
		slot_write(&file_shm.slot[page], i, stamp);
	}
	check_file(&file_shm);
}

static void step_name(void)
{
	char text[80] = "";
	const char *wrong = names_step(text, sizeof(text));

	note("%s", text);
	if (wrong)
		fail(0, "%s", wrong);
}

static void one_step(void)
{
	const unsigned int proc = pick_worker(), what = gen_pick(100);

	if (what < 2 && free_worker() < WORKERS)
		step_fork(proc);
	else if (what < 4 && proc >= ROOTS)
		step_exit(proc);
	else if (what < 6)
		step_shm();
	else if (what < 9)
		step_name();
	else if (what < 40)
		step_write(proc);
	else
		step_call(proc);
	check_some(pick_worker(), 3);
	if (step % FULL_CHECK == FULL_CHECK - 1)
		check_everything();
}

/* --- a run */

static void start_root(unsigned int proc)
{
	struct proc *p = &model.proc[proc];
	unsigned int i;

	p->alive = true;
	p->parent = -1;
	p->start = 0x100000000000ULL + proc * 0x1000000000ULL;
	p->taddr = p->start;
	p->daddr = p->start;
	fflush(stdout);
	p->pid = fork();
	if (p->pid < 0)
		err(1, "fork");
	if (p->pid)
		return;
	for (i = 0; i < WORKERS; i++)
		close(driver_end[i]);
	worker_run(worker_end, proc, p->start);
}

/*
 * One CPU at a time has something to do. Handing on between CPUs costs most of the
 * time in a guest, so only each fourth seed does it.
 */
static void choose_cpus(void)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(0, &set);
	if (seed % 4)
		sched_setaffinity(0, sizeof(set), &set);
}

static void start(void)
{
	const struct timeval patience = { .tv_sec = 30 };
	unsigned int i;

	choose_cpus();
	/* Orphans among the workers are ours to wait for. */
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	signal(SIGPIPE, SIG_IGN);
	for (i = 0; i < WORKERS; i++) {
		int pair[2];

		if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair))
			err(1, "socketpair");
		driver_end[i] = pair[0];
		worker_end[i] = pair[1];
		setsockopt(pair[0], SOL_SOCKET, SO_RCVTIMEO, &patience,
			   sizeof(patience));
	}
	for (i = 0; i < ROOTS; i++)
		start_root(i);
	for (i = 0; i < WORKERS; i++)
		close(worker_end[i]);
}

static struct bsdvm_stats stats(void)
{
	struct bsdvm_stats stats = { .size = sizeof(stats) };

	if (device_call(BSDVM_IOC_STATS, &stats))
		err(1, "stats");
	return stats;
}

/* Free pages, and those that the kernel has for its own records, used or not. */
static uint64_t unused(const struct bsdvm_stats *stats)
{
	return stats->v_free_count + stats->v_kmem_count;
}

/* Pages and objects are freed a moment after they were given up. */
static void check_leaks(const struct bsdvm_stats *before)
{
	const struct timespec nap = { .tv_nsec = 50 * 1000 * 1000 };
	struct bsdvm_stats after = stats();
	unsigned int tries;

	for (tries = 0; tries < 100 && (unused(&after) != unused(before) ||
					after.o_count != before->o_count);
	     tries++) {
		nanosleep(&nap, NULL);
		after = stats();
	}
	if (unused(&after) != unused(before))
		fail(0, "%lld pages are missing",
		     (long long)(unused(before) - unused(&after)));
	if (after.o_count != before->o_count)
		fail(0, "%lld objects are left over",
		     (long long)(after.o_count - before->o_count));
	if (after.v_user_wire_count != before->v_user_wire_count)
		fail(0, "%lld pages are still wired",
		     (long long)(after.v_user_wire_count -
				 before->v_user_wire_count));
	if (after.v_swap_reserved != before->v_swap_reserved)
		fail(0, "%lld bytes of swap are still reserved",
		     (long long)(after.v_swap_reserved -
				 before->v_swap_reserved));
}

/* Nobody else is there: what is not free belongs to who is on the way out. */
static struct bsdvm_stats stats_at_rest(void)
{
	const struct timespec nap = { .tv_nsec = 50 * 1000 * 1000 };
	struct bsdvm_stats now = stats();
	unsigned int tries;

	for (tries = 0; tries < 200 && now.o_count; tries++) {
		nanosleep(&nap, NULL);
		now = stats();
	}
	return now;
}

static void run(void)
{
	const struct bsdvm_stats before = stats_at_rest();
	unsigned int i;

	gen_seed(seed);
	make_handles();
	start();
	for (step = 0; step < calls; step++)
		one_step();
	note("the end");
	check_everything();
	for (i = WORKERS; i--;) {
		if (model.proc[i].alive)
			step_exit(i);
	}
	check_file(&file_tmp);
	check_file(&file_ext4);
	check_file(&file_shm);
	close_handles();
	names_end();
	check_leaks(&before);
	if (model_end())
		fail(0, "the model itself leaks");
}

/* In a process of its own, as a failure ends it. */
static bool run_seed(void)
{
	pid_t pid;
	int status;

	fflush(stdout);
	pid = fork();
	if (pid < 0)
		err(1, "fork");
	if (!pid) {
		run();
		_exit(0);
	}
	if (waitpid(pid, &status, 0) != pid)
		err(1, "waitpid");
	return !status;
}

static int run_usual(void)
{
	int failed = 0;
	size_t i;

	printf("TAP version 13\n1..%zu\n", USUAL);
	for (i = 0; i < USUAL; i++) {
		bool good;

		seed = usual[i].seed;
		calls = usual[i].calls;
		good = run_seed();
		printf("%sok %zu - seed_%llu_agrees_with_the_model\n",
		       good ? "" : "not ", i + 1, (unsigned long long)seed);
		failed |= !good;
	}
	return failed;
}

int main(int argc, char **argv)
{
	bool one = false;
	int c;

	calls = 10000;
	seed = 1;
	while ((c = getopt(argc, argv, "s:n:v")) != -1) {
		one = true;
		switch (c) {
		case 's':
			seed = strtoull(optarg, NULL, 0);
			break;
		case 'n':
			calls = strtoul(optarg, NULL, 0);
			break;
		case 'v':
			verbose = true;
			break;
		default:
			fprintf(stderr,
				"usage: fuzz [-v] [-s SEED] [-n CALLS]\n");
			return 2;
		}
	}
	if (!one)
		return run_usual();
	if (!run_seed())
		return 1;
	printf("# seed %llu, %lu calls: as the model says\n",
	       (unsigned long long)seed, calls);
	return 0;
}
