// SPDX-License-Identifier: BSD-2-Clause
#include "json.h"
#include "vmentry_json.h"

static const struct member entry_members[] = {
	MEMBER(bsdvm_vmentry, kve_type),
	MEMBER(bsdvm_vmentry, kve_start),
	MEMBER(bsdvm_vmentry, kve_end),
	MEMBER(bsdvm_vmentry, kve_offset),
	MEMBER(bsdvm_vmentry, kve_vn_fileid),
	MEMBER(bsdvm_vmentry, kve_vn_fsid),
	MEMBER(bsdvm_vmentry, kve_vn_size),
	MEMBER(bsdvm_vmentry, kve_flags),
	MEMBER(bsdvm_vmentry, kve_resident),
	MEMBER(bsdvm_vmentry, kve_private_resident),
	MEMBER(bsdvm_vmentry, kve_protection),
	MEMBER(bsdvm_vmentry, kve_max_protection),
	MEMBER(bsdvm_vmentry, kve_inheritance),
	MEMBER(bsdvm_vmentry, kve_ref_count),
	MEMBER(bsdvm_vmentry, kve_shadow_count),
	MEMBER(bsdvm_vmentry, kve_vn_type),
	MEMBER(bsdvm_vmentry, kve_vn_mode),
	MEMBER(bsdvm_vmentry, kve_vn_rdev),
	MEMBER(bsdvm_vmentry, kve_status),
	MEMBER(bsdvm_vmentry, kve_wired_count),
};

static const struct member object_members[] = {
	MEMBER(bsdvm_vmobject, kvo_id),
	MEMBER(bsdvm_vmobject, kvo_size),
	MEMBER(bsdvm_vmobject, kvo_backing_offset),
	MEMBER(bsdvm_vmobject, kvo_type),
	MEMBER(bsdvm_vmobject, kvo_ref_count),
	MEMBER(bsdvm_vmobject, kvo_shadow_count),
	MEMBER(bsdvm_vmobject, kvo_resident),
	MEMBER(bsdvm_vmobject, kvo_flags),
};

struct json_object *vmobject_record(const struct bsdvm_vmobject *object)
{
	struct json_object *record = json_record();

	json_put_members(record, object, object_members,
			 COUNT_OF(object_members));
	return record;
}

struct json_object *vmentry_record(pid_t pid, const struct bsdvm_vmentry *entry)
{
	const struct bsdvm_vmobject *object = bsdvm_vmentry_objects(entry);
	struct json_object *record = json_record(), *chain;
	uint32_t left;

	json_put_number(record, "pid", pid);
	json_put_members(record, entry, entry_members, COUNT_OF(entry_members));
	json_put_string(record, "kve_path", bsdvm_vmentry_path(entry));
	chain = json_put_list(record, "objects");
	for (left = entry->kve_nobjects; left; left--, object++)
		json_append(chain, vmobject_record(object));
	return record;
}
