// SPDX-License-Identifier: BSD-2-Clause
/*
 * A map in the columns of procstat -v, and beneath an entry its chain of
 * objects, each a little further in than the one that shadows it:
 *
 *   PID          START            END PRT  RES PRES REF SHD FLAG  TP PATH
 *    90 0x7f0000000000 0x7f0000400000 rw- 1024    3   1   0 C---- vn /tmp/f
 *         at 0 of object 7 df: 1024 pages, 3 resident, ref 1, shd 0
 *           at 0 of object 2 vn: 1024 pages, 1024 resident, ref 1, shd 1
 */
#include <stdint.h>

#include "vmmap_print.h"

const char *vmmap_type_name(unsigned int type)
{
	switch (type) {
	case BSDVM_KVME_TYPE_NONE:
		return "--";
	case BSDVM_KVME_TYPE_DEFAULT:
		return "df";
	case BSDVM_KVME_TYPE_VNODE:
		return "vn";
	case BSDVM_KVME_TYPE_SWAP:
		return "sw";
	case BSDVM_KVME_TYPE_DEVICE:
		return "dv";
	case BSDVM_KVME_TYPE_PHYS:
		return "ph";
	case BSDVM_KVME_TYPE_DEAD:
		return "dd";
	case BSDVM_KVME_TYPE_SG:
		return "sg";
	case BSDVM_KVME_TYPE_MGTDEVICE:
		return "md";
	case BSDVM_KVME_TYPE_GUARD:
		return "gd";
	default:
		return "??";
	}
}

void vmmap_print_path(FILE *out, const char *path)
{
	for (; *path; path++) {
		const unsigned char byte = *path;

		if (byte < ' ' || byte == 0x7f || byte == '\\')
			fprintf(out, "\\%03o", byte);
		else
			putc(byte, out);
	}
}

static char grows(unsigned int flags)
{
	if (flags & BSDVM_KVME_FLAG_GROWS_UP)
		return 'U';
	return flags & BSDVM_KVME_FLAG_GROWS_DOWN ? 'D' : '-';
}

struct vmmap_letters vmmap_letters(const struct bsdvm_vmentry *e)
{
	const unsigned int prot = e->kve_protection;
	const unsigned int flags = e->kve_flags;

	return (struct vmmap_letters){
		.prot = {
			prot & BSDVM_PROT_READ ? 'r' : '-',
			prot & BSDVM_PROT_WRITE ? 'w' : '-',
			prot & BSDVM_PROT_EXEC ? 'x' : '-',
		},
		.flags = {
			flags & BSDVM_KVME_FLAG_COW ? 'C' : '-',
			flags & BSDVM_KVME_FLAG_NEEDS_COPY ? 'N' : '-',
			flags & BSDVM_KVME_FLAG_SUPER ? 'S' : '-',
			grows(flags),
			flags & BSDVM_KVME_FLAG_USER_WIRED ? 'W' : '-',
		},
	};
}

static void print_entry(FILE *out, int pid, const struct bsdvm_vmentry *e)
{
	const struct vmmap_letters letters = vmmap_letters(e);

	fprintf(out, "%5d %#14jx %#14jx %s %4u %4u %3u %3u %s %s", pid,
		(uintmax_t)e->kve_start, (uintmax_t)e->kve_end, letters.prot,
		e->kve_resident, e->kve_private_resident, e->kve_ref_count,
		e->kve_shadow_count, letters.flags,
		vmmap_type_name(e->kve_type));
	if (e->kve_path_len) {
		putc(' ', out);
		vmmap_print_path(out, bsdvm_vmentry_path(e));
	}
	putc('\n', out);
}

static void print_objects(FILE *out, const struct bsdvm_vmentry *e)
{
	const struct bsdvm_vmobject *object = bsdvm_vmentry_objects(e);
	uint64_t offset = e->kve_offset;
	unsigned int depth;

	for (depth = 0; depth < e->kve_nobjects; depth++, object++) {
		fprintf(out,
			"%*sat %#jx of object %ju %s: %ju pages, %u resident, ref %u, shd %u\n",
			8 + 2 * depth, "", (uintmax_t)offset,
			(uintmax_t)object->kvo_id,
			vmmap_type_name(object->kvo_type),
			(uintmax_t)object->kvo_size, object->kvo_resident,
			object->kvo_ref_count, object->kvo_shadow_count);
		offset = object->kvo_backing_offset;
	}
}

void vmmap_print(FILE *out, int pid, const struct bsdvm_vmentry *map,
		 size_t count, unsigned int flags)
{
	const struct bsdvm_vmentry *entry = map;

	if (!(flags & VMMAP_PRINT_NO_HEADER))
		fprintf(out, "%5s %14s %14s %3s %4s %4s %3s %3s %-5s %s %s\n",
			"PID", "START", "END", "PRT", "RES", "PRES", "REF",
			"SHD", "FLAG", "TP", "PATH");
	for (; count; count--, entry = bsdvm_vmentry_next(entry)) {
		print_entry(out, pid, entry);
		if (flags & VMMAP_PRINT_OBJECTS)
			print_objects(out, entry);
	}
}
