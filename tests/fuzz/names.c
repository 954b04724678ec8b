// SPDX-License-Identifier: BSD-2-Clause
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <bsdvm/uapi.h>

#include "gen.h"
#include "names.h"

#define NAMES 3

static struct name {
	bool exists;
	off_t size;
} names[NAMES];

static const char *name_of(unsigned int i)
{
	static char text[2][32];

	snprintf(text[i % 2], sizeof(text[0]), "/fuzz-%d-%u", getpid(), i);
	return text[i % 2];
}

static int call(unsigned long request, void *arg)
{
	int fd = open(BSDVM_DEVICE, O_RDWR | O_CLOEXEC), error;

	error = ioctl(fd, request, arg) ? errno : 0;
	close(fd);
	return error;
}

static const char *judge(int got, int want)
{
	static char text[64];

	if (got == want)
		return NULL;
	snprintf(text, sizeof(text), "errno is %d, not %d", got, want);
	return text;
}

static int predict_open(const struct name *name, uint32_t flags)
{
	const uint32_t known = 3 | BSDVM_O_CREAT | BSDVM_O_EXCL |
			       BSDVM_O_TRUNC | BSDVM_O_CLOEXEC;

	if ((flags & 1) || (flags & ~known))
		return EINVAL;
	if (!name->exists)
		return flags & BSDVM_O_CREAT ? 0 : ENOENT;
	if ((flags & BSDVM_O_CREAT) && (flags & BSDVM_O_EXCL))
		return EEXIST;
	return 0;
}

/* It is the object it should be; and then it gets another size. */
static const char *check_object(struct name *name, int fd, bool writable)
{
	struct stat st;

	if (fstat(fd, &st))
		return "fstat fails";
	if (st.st_size != name->size)
		return "the object has another size";
	if (!writable)
		return NULL;
	name->size = gen_pick(1 << 20);
	return ftruncate(fd, name->size) ? "ftruncate fails" : NULL;
}

static const char *step_open(char *text, size_t len)
{
	const unsigned int i = gen_pick(NAMES);
	struct bsdvm_shm_open arg = { .size = sizeof(arg), .mode = 0600 };
	const char *wrong;
	bool writable;
	int want;

	arg.flags = gen_once_in(3) ? BSDVM_O_RDONLY : BSDVM_O_RDWR;
	if (!gen_once_in(3))
		arg.flags |= BSDVM_O_CREAT;
	if (gen_once_in(3))
		arg.flags |= BSDVM_O_EXCL;
	if (gen_once_in(3))
		arg.flags |= BSDVM_O_TRUNC;
	if (gen_once_in(20))
		arg.flags ^= 1U << gen_pick(32);
	writable = arg.flags & BSDVM_O_RDWR;
	arg.path = (uintptr_t)name_of(i);
	snprintf(text, len, "shm_open(%u, %#x)", i, arg.flags);
	want = predict_open(&names[i], arg.flags);
	wrong = judge(call(BSDVM_IOC_SHM_OPEN, &arg), want);
	if (wrong || want)
		return wrong;
	if (!names[i].exists || (writable && (arg.flags & BSDVM_O_TRUNC)))
		names[i].size = 0;
	names[i].exists = true;
	wrong = check_object(&names[i], arg.fd, writable);
	close(arg.fd);
	return wrong;
}

static int unlink_name(unsigned int i)
{
	struct bsdvm_shm_unlink arg = {
		.size = sizeof(arg),
		.path = (uintptr_t)name_of(i),
	};

	return call(BSDVM_IOC_SHM_UNLINK, &arg);
}

static const char *step_unlink(char *text, size_t len)
{
	const unsigned int i = gen_pick(NAMES);
	const int want = names[i].exists ? 0 : ENOENT;

	snprintf(text, len, "shm_unlink(%u)", i);
	names[i].exists = false;
	return judge(unlink_name(i), want);
}

static int predict_rename(unsigned int from, unsigned int to, uint32_t flags)
{
	const struct name old = names[to];

	if (flags > BSDVM_SHM_RENAME_EXCHANGE)
		return EINVAL;
	if (!names[from].exists)
		return ENOENT;
	if ((flags & BSDVM_SHM_RENAME_NOREPLACE) && old.exists)
		return EEXIST;
	names[to] = names[from];
	names[from].exists = false;
	if (flags & BSDVM_SHM_RENAME_EXCHANGE)
		names[from] = old;
	return 0;
}

static const char *step_rename(char *text, size_t len)
{
	const unsigned int from = gen_pick(NAMES);
	const unsigned int to = (from + 1 + gen_pick(NAMES - 1)) % NAMES;
	char from_name[32];
	struct bsdvm_shm_rename arg = {
		.size = sizeof(arg),
		.flags = gen_once_in(10) ? gen_pick(8) : gen_pick(3),
		.from = (uintptr_t)from_name,
	};
	int want;

	snprintf(from_name, sizeof(from_name), "%s", name_of(from));
	arg.to = (uintptr_t)name_of(to);
	snprintf(text, len, "shm_rename(%u, %u, %#x)", from, to, arg.flags);
	want = predict_rename(from, to, arg.flags);
	return judge(call(BSDVM_IOC_SHM_RENAME, &arg), want);
}

const char *names_step(char *text, size_t len)
{
	switch (gen_pick(5)) {
	case 0:
		return step_unlink(text, len);
	case 1:
		return step_rename(text, len);
	default:
		return step_open(text, len);
	}
}

void names_end(void)
{
	unsigned int i;

	for (i = 0; i < NAMES; i++) {
		if (names[i].exists)
			unlink_name(i);
		names[i].exists = false;
	}
}
