// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * inspect: whose window a caller may look into, and records on their way out.
 *
 * Another process is looked at as ptrace(2) would read it: by who has all of its
 * user and group ids, unless the process may not be dumped; or by who has
 * CAP_SYS_PTRACE over its address space. Its ids are compared after its window was
 * found. While a program that takes on other ids by execve(2) still has the old
 * ones, its new address space has no window.
 */
#include "inspect.h"

#include <linux/capability.h>
#include <linux/cred.h>
#include <linux/pid.h>
#include <linux/sched/coredump.h>
#include <linux/sched/mm.h>
#include <linux/sched/signal.h>
#include <linux/sched/task.h>
#include <linux/slab.h>

#include <bsdvm.h>

#include "copyio.h"
#include "vm/malloc.h"
#include "vm/uma.h"
#include "vm/vm_meter.h"
#include "window.h"

/* Records are made in a buffer of this many bytes before they are staged. */
#define INSPECT_BUF_SIZE	(8 * 1024)

/**
 * struct inspect - a window that is being looked at
 * @window: the window, referenced
 * @mm: the address space it is in, referenced; NULL for the caller's own
 */
struct inspect {
	struct window *window;
	struct mm_struct *mm;
};

static struct task_struct *inspect_task(pid_t nr)
{
	struct pid *pid = find_get_pid(nr);
	struct task_struct *task = get_pid_task(pid, PIDTYPE_TGID);

	put_pid(pid);
	return task;
}

static bool inspect_same_ids(const struct cred *target)
{
	kuid_t uid = current_fsuid();
	kgid_t gid = current_fsgid();

	return uid_eq(uid, target->uid) && uid_eq(uid, target->euid) &&
	       uid_eq(uid, target->suid) && gid_eq(gid, target->gid) &&
	       gid_eq(gid, target->egid) && gid_eq(gid, target->sgid);
}

static bool inspect_allowed(struct task_struct *task, struct mm_struct *mm)
{
	const struct cred *target = get_task_cred(task);
	bool allowed;

	allowed = (inspect_same_ids(target) || ns_capable(target->user_ns, CAP_SYS_PTRACE)) &&
		  (!mm || get_dumpable(mm) == SUID_DUMP_USER ||
		   ns_capable(mm->user_ns, CAP_SYS_PTRACE));
	put_cred(target);
	return allowed;
}

static void inspect_end(struct inspect *inspect)
{
	if (inspect->window)
		window_put(inspect->window);
	if (inspect->mm)
		mmput(inspect->mm);
}

/* Find what process @pid, 0 for the caller, whose window is @own, has for a window. */
static int inspect_begin(struct window *own, s32 pid, struct inspect *inspect)
{
	struct task_struct *task;
	int ret = 0;

	inspect->mm = NULL;
	inspect->window = NULL;
	if (!pid) {
		if (!own)
			return -ENXIO;
		refcount_inc(&own->refs);
		inspect->window = own;
		return 0;
	}
	task = inspect_task(pid);
	if (!task)
		return -ESRCH;
	inspect->mm = get_task_mm(task);
	if (inspect->mm)
		inspect->window = window_get_of(inspect->mm);
	if (inspect->mm != current->mm && !inspect_allowed(task, inspect->mm))
		ret = -EPERM;
	else if (!inspect->mm && !(task->flags & PF_KTHREAD))
		ret = -ESRCH; /* it has ended, and nobody has waited for it */
	else if (!inspect->window)
		ret = -ENXIO;
	put_task_struct(task);
	if (ret)
		inspect_end(inspect);
	return ret;
}

ssize_t inspect_record(struct vm_map *map, u64 *start, struct inspect_buf *buf, size_t max)
{
	ssize_t len = -ENOSPC;

	for (;;) {
		if (buf->mem)
			len = vm_meter_entry(map, start, buf->mem, buf->len);
		if (len != -ENOSPC || (buf->mem && buf->len >= max))
			return len;
		/* The chain of an entry may be of any length. */
		buf->len = buf->mem ? 2 * buf->len : INSPECT_BUF_SIZE;
		free(buf->mem, M_TEMP);
		/* Not waiting: the window is held, whose memory may be what is missing. */
		buf->mem = malloc(buf->len, M_TEMP, M_NOWAIT);
		if (!buf->mem)
			return -ENOMEM;
	}
}

int inspect_entries(struct window *own, struct bsdvm_entries *req)
{
	size_t max = min_t(u64, req->buf_len, INSPECT_BUF_MAX);
	struct inspect_buf buf = { 0 };
	u64 room = req->buf_len, start;
	struct copyio_stage stage;
	struct inspect inspect;
	ssize_t len;
	int ret;

	if (req->flags || req->count || req->more || req->reserved)
		return -EINVAL;
	len = inspect_begin(own, req->pid, &inspect);
	if (len)
		return len;
	len = copyio_stage_begin(&stage, req->buf, room);
	if (len)
		goto end_inspect;
	req->buf_len = 0;
	for (;;) {
		start = req->start;
		len = inspect_record(&inspect.window->vmspace->vm_map, &start, &buf, max);
		if (len == -ENOSPC && req->count) {
			req->more = 1;
			len = 0;
		}
		if (len <= 0)
			break;
		if (len > room - req->buf_len) {
			req->more = 1;
			len = req->count ? 0 : -ENOSPC;
			break;
		}
		ret = copyio_stage_put(&stage, buf.mem, len);
		if (ret) {
			len = ret;
			break;
		}
		req->buf_len += len;
		req->start = start;
		req->count++;
		if (fatal_signal_pending(current)) {
			len = -EINTR;
			break;
		}
		cond_resched();
	}
	free(buf.mem, M_TEMP);
	len = copyio_stage_end(&stage, len);
end_inspect:
	inspect_end(&inspect);
	return len;
}

/* List pages of an object from req->start on; -ENOSPC where not one run fits. */
static int inspect_put_pages(struct vm_object *object, struct bsdvm_pages *req, u64 room,
			     struct bsdvm_pagerun *runs, struct copyio_stage *stage)
{
	unsigned int n, max;
	bool more = true;
	int ret;

	req->buf_len = 0;
	while (more) {
		max = min_t(u64, room - req->buf_len, INSPECT_BUF_SIZE) / sizeof(*runs);
		n = vm_meter_pages(object, &req->start, runs, max, &more);
		if (!n)
			break;
		ret = copyio_stage_put(stage, runs, n * sizeof(*runs));
		if (ret)
			return ret;
		req->buf_len += n * sizeof(*runs);
		req->count += n;
		if (fatal_signal_pending(current))
			return -EINTR;
	}
	req->more = more;
	return more && !req->count ? -ENOSPC : 0;
}

int inspect_pages(struct window *own, struct bsdvm_pages *req)
{
	struct copyio_stage stage;
	struct bsdvm_pagerun *runs;
	struct inspect inspect;
	struct vm_object *object;
	u64 room = req->buf_len;
	int ret;

	if (req->count || req->more)
		return -EINVAL;
	ret = inspect_begin(own, req->pid, &inspect);
	if (ret)
		return ret;
	runs = malloc(INSPECT_BUF_SIZE, M_TEMP, M_WAITOK);
	if (!runs) {
		ret = -ENOMEM;
		goto end_inspect;
	}
	object = vm_meter_object(&inspect.window->vmspace->vm_map, req->addr, req->object);
	if (!object) {
		ret = -ENOENT;
		goto free_runs;
	}
	ret = copyio_stage_begin(&stage, req->buf, room);
	if (ret)
		goto drop_object;
	ret = inspect_put_pages(object, req, room, runs, &stage);
	ret = copyio_stage_end(&stage, ret);
drop_object:
	vm_object_deallocate(object);
free_runs:
	free(runs, M_TEMP);
end_inspect:
	inspect_end(&inspect);
	return ret;
}

int inspect_rusage(struct window *own, struct bsdvm_rusage *req)
{
	struct bsdvm_rusage out = { .size = req->size, .pid = req->pid };
	struct inspect inspect;
	int ret;

	/* Everything but size and process is for us to say. */
	if (memchr_inv(&req->ru_minflt, 0, sizeof(*req) - offsetof(struct bsdvm_rusage, ru_minflt)))
		return -EINVAL;
	ret = inspect_begin(own, req->pid, &inspect);
	if (ret)
		return ret;
	ret = vm_meter_rusage(inspect.window->vmspace, &out);
	if (!ret)
		*req = out;
	inspect_end(&inspect);
	return ret;
}

int inspect_objects(struct bsdvm_objects *req)
{
	bool paths = capable(CAP_SYS_ADMIN), more = true;
	u64 room = req->buf_len;
	struct copyio_stage stage;
	ssize_t len = 0;
	u32 count;
	void *buf;
	int ret;

	if (req->flags || req->count || req->more)
		return -EINVAL;
	buf = malloc(INSPECT_BUF_SIZE, M_TEMP, M_WAITOK);
	if (!buf)
		return -ENOMEM;
	ret = copyio_stage_begin(&stage, req->buf, room);
	if (ret)
		goto free_buf;
	req->buf_len = 0;
	while (more) {
		len = vm_meter_objects(&req->after, paths, buf,
				       min_t(u64, room - req->buf_len, INSPECT_BUF_SIZE), &count,
				       &more);
		if (len < 0)
			break;
		if (!count) {
			len = more && !req->count ? -ENOSPC : 0;
			break;
		}
		ret = copyio_stage_put(&stage, buf, len);
		if (ret) {
			len = ret;
			break;
		}
		req->buf_len += len;
		req->count += count;
		len = 0;
		if (fatal_signal_pending(current)) {
			len = -EINTR;
			break;
		}
		cond_resched();
	}
	req->more = more;
	ret = copyio_stage_end(&stage, len);
free_buf:
	free(buf, M_TEMP);
	return ret;
}

/* A record of any table, as it is now. */
union inspect_row {
	struct bsdvm_zone zone;
	struct bsdvm_malloc_type malloc_type;
};

/**
 * struct inspect_table - a table of records
 * @size: bytes of a record
 * @min_size: bytes of its first version
 * @row: fills in the record of that index, in a row of zeroes; 0 or -ENOENT
 */
struct inspect_table {
	size_t size;
	size_t min_size;
	int (*row)(unsigned int index, union inspect_row *row);
};

/* Copy a row out, with zeroes behind it where the caller knows of more. */
static int inspect_put_row(const struct inspect_table *table, const struct bsdvm_table *req,
			   const union inspect_row *row)
{
	void __user *to = u64_to_user_ptr(req->buf + req->buf_len);
	size_t n = min_t(size_t, req->record, table->size);

	if (copy_to_user(to, row, n) || clear_user(to + n, req->record - n))
		return -EFAULT;
	return 0;
}

static int inspect_table(const struct inspect_table *table, struct bsdvm_table *req)
{
	u64 room = req->buf_len;
	union inspect_row row;
	int ret;

	if (req->count || req->more || req->reserved || req->record < table->min_size ||
	    req->record % sizeof(u64))
		return -EINVAL;
	if (req->record > PAGE_SIZE)
		return -E2BIG;
	req->buf_len = 0;
	for (;;) {
		memset(&row, 0, sizeof(row));
		if (req->start > U32_MAX - req->count ||
		    table->row(req->start + req->count, &row))
			return 0;
		if (room - req->buf_len < req->record) {
			req->more = 1;
			return req->count ? 0 : -ENOSPC;
		}
		ret = inspect_put_row(table, req, &row);
		if (ret)
			return ret;
		req->buf_len += req->record;
		req->count++;
		if (fatal_signal_pending(current))
			return -EINTR;
		cond_resched();
	}
}

static int inspect_zone_row(unsigned int index, union inspect_row *row)
{
	struct bsdvm_zone *zone = &row->zone;
	struct uma_stats stats;
	int ret;

	ret = uma_zone_stats(index, &stats);
	if (ret)
		return ret;
	BUILD_BUG_ON(sizeof(zone->uz_name) != sizeof(stats.name));
	memcpy(zone->uz_name, stats.name, sizeof(zone->uz_name));
	zone->uz_size = stats.size;
	zone->uz_rsize = stats.rsize;
	zone->uz_limit = stats.limit;
	zone->uz_used = stats.used;
	zone->uz_free = stats.free;
	zone->uz_requests = stats.requests;
	zone->uz_failures = stats.failures;
	zone->uz_sleeps = stats.sleeps;
	zone->uz_slabs = stats.slabs;
	zone->uz_pages = stats.pages;
	zone->uz_bucket = stats.bucket;
	return 0;
}

int inspect_zones(struct bsdvm_table *req)
{
	static const struct inspect_table table = {
		.size = sizeof(struct bsdvm_zone),
		.min_size = offsetofend(struct bsdvm_zone, uz_bucket),
		.row = inspect_zone_row,
	};

	return inspect_table(&table, req);
}

static int inspect_malloc_type_row(unsigned int index, union inspect_row *row)
{
	struct bsdvm_malloc_type *type = &row->malloc_type;
	struct malloc_type_info info;
	int ret;

	ret = malloc_type_info(index, &info);
	if (ret)
		return ret;
	BUILD_BUG_ON(sizeof(type->mt_name) != sizeof(info.name));
	memcpy(type->mt_name, info.name, sizeof(type->mt_name));
	type->mt_inuse = info.inuse;
	type->mt_memuse = info.memuse;
	type->mt_highuse = info.highuse;
	type->mt_requests = info.requests;
	type->mt_sizes = info.sizes;
	return 0;
}

int inspect_malloc_types(struct bsdvm_table *req)
{
	static const struct inspect_table table = {
		.size = sizeof(struct bsdvm_malloc_type),
		.min_size = offsetofend(struct bsdvm_malloc_type, mt_reserved),
		.row = inspect_malloc_type_row,
	};

	return inspect_table(&table, req);
}
