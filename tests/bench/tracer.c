// SPDX-License-Identifier: BSD-2-Clause
/*
 * tracer: a plugin for QEMU that writes down what a guest executes between two
 * addresses.
 *
 *	-plugin tracer.so,begin=ADDR,end=ADDR,out=FILE
 *
 * The file is an array of 64-bit words, one for each stretch of code without a
 * jump that was executed after the instruction at "begin" and before that at
 * "end": its address in the lower 48 bits, the number of its instructions in
 * the others. A word of zero is a visit of "begin". An exception within a
 * stretch cuts it short, and it counts whole; in the kernel there are next to
 * none.
 *
 * The declarations below are those of QEMU's plugin interface, version 1 (QEMU
 * 4.2 and later), of which Debian ships no header.
 */
#include <inttypes.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct qemu_plugin_tb;
struct qemu_info;

extern size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *tb);
extern uint64_t qemu_plugin_tb_vaddr(const struct qemu_plugin_tb *tb);
extern void qemu_plugin_register_vcpu_tb_trans_cb(
	uint64_t id, void (*callback)(uint64_t id, struct qemu_plugin_tb *tb));
extern void qemu_plugin_register_vcpu_tb_exec_cb(
	struct qemu_plugin_tb *tb,
	void (*callback)(unsigned int cpu, void *data), int flags, void *data);
extern void qemu_plugin_register_atexit_cb(
	uint64_t id, void (*callback)(uint64_t id, void *data), void *data);

/* QEMU looks these up. */
extern int qemu_plugin_version;
int qemu_plugin_version = 1;
int qemu_plugin_install(uint64_t id, const struct qemu_info *info, int argc,
			char **argv);

#define ADDRESS_BITS 48

static uint64_t begin, end;
static FILE *out;
static bool active;

static void put(uint64_t word)
{
	if (fwrite(&word, sizeof(word), 1, out) != 1) {
		perror("tracer");
		exit(1);
	}
}

static void on_begin(unsigned int cpu, void *data)
{
	(void)cpu;
	(void)data;
	active = true;
	put(0);
}

static void on_end(unsigned int cpu, void *data)
{
	(void)cpu;
	(void)data;
	active = false;
}

static void on_code(unsigned int cpu, void *data)
{
	(void)cpu;
	if (active)
		put((uintptr_t)data);
}

static void on_translation(uint64_t id, struct qemu_plugin_tb *tb)
{
	const uint64_t addr = qemu_plugin_tb_vaddr(tb);
	const uint64_t n = qemu_plugin_tb_n_insns(tb);
	const uint64_t word = (addr & ((UINT64_C(1) << ADDRESS_BITS) - 1)) |
			      n << ADDRESS_BITS;

	(void)id;
	qemu_plugin_register_vcpu_tb_exec_cb(tb,
					     addr == begin ? on_begin :
					     addr == end   ? on_end :
							     on_code,
					     0, (void *)(uintptr_t)word);
}

static void on_exit_of_qemu(uint64_t id, void *data)
{
	(void)id;
	(void)data;
	fclose(out);
}

int qemu_plugin_install(uint64_t id, const struct qemu_info *info, int argc,
			char **argv)
{
	int i;

	(void)info;
	for (i = 0; i < argc; i++) {
		if (!strncmp(argv[i], "begin=", 6))
			begin = strtoull(argv[i] + 6, NULL, 16);
		else if (!strncmp(argv[i], "end=", 4))
			end = strtoull(argv[i] + 4, NULL, 16);
		else if (!strncmp(argv[i], "out=", 4))
			out = fopen(argv[i] + 4, "w");
	}
	if (!begin || !end || !out) {
		fprintf(stderr, "tracer: begin=, end= and out= are needed\n");
		return -1;
	}
	qemu_plugin_register_vcpu_tb_trans_cb(id, on_translation);
	qemu_plugin_register_atexit_cb(id, on_exit_of_qemu, NULL);
	return 0;
}
