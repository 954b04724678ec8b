/* SPDX-License-Identifier: BSD-2-Clause */
/* What the tests of the VM have in common. */
#ifndef _TESTS_VM_H
#define _TESTS_VM_H

#include <stdint.h>

#include <bsdvm.h>

#include "harness.h"

#define PAGE ((size_t)4096)
#define RW   (BSDVM_PROT_READ | BSDVM_PROT_WRITE)
#define RX   (BSDVM_PROT_READ | BSDVM_PROT_EXEC)
#define RWX  (RW | BSDVM_PROT_EXEC)
#define ANON (BSDVM_MAP_ANON | BSDVM_MAP_PRIVATE)

/* Private anonymous read-write memory, wherever there is room. */
char *vm_anon(size_t pages);

/* The same with these flags beside BSDVM_MAP_ANON. */
char *vm_anon_flags(size_t pages, int flags);

/* Counters; a failure to get them ends the test. */
struct bsdvm_stats vm_stats(void);

/*
 * Pages that are free or the kernel's own: how many it has at hand of those depends
 * on what went before. And those that are wired, but for the kernel's own.
 */
uint64_t vm_free_of(struct bsdvm_stats stats);
uint64_t vm_wired_of(struct bsdvm_stats stats);

/* The former, now. */
uint64_t vm_free_pages(void);

/**
 * vm_free_settles() - free pages come back to @want
 * @want: free pages expected
 *
 * A process that was waited for has given its pages back, unless the page daemon held
 * its address space at that moment; one that was killed and is not our child may still
 * be on its way out: give it some seconds.
 *
 * Return: the free pages in the end.
 */
uint64_t vm_free_settles(uint64_t want);

/**
 * struct vm_entry - an entry and its chain, copied out of the list
 * @e: the record; zeroes where there is no entry
 * @object: the first objects of the chain
 */
struct vm_entry {
	struct bsdvm_vmentry e;
	struct bsdvm_vmobject object[16];
};

/* The entry that contains @addr. */
struct vm_entry vm_entry_at(const void *addr);

/* Entries of the map. */
size_t vm_entry_count(void);

/**
 * struct vm_fault - a signal that an access raised
 * @sig: its number; 0 when the access went well
 * @code: si_code
 * @addr: si_addr
 */
struct vm_fault {
	int sig;
	int code;
	void *addr;
};

/* Read, write or execute a byte at @addr and say which signal came. */
struct vm_fault vm_read(const volatile void *addr);
struct vm_fault vm_write(volatile void *addr, char byte);
struct vm_fault vm_execute(void *addr);

#define EXPECT_FAULT(_fault, _sig, _code, _addr)                       \
	do {                                                           \
		const struct vm_fault fault_ = (_fault);               \
                                                                       \
		EXPECT_EQ(fault_.sig, _sig);                           \
		EXPECT_EQ(fault_.code, _code);                         \
		EXPECT_EQ((uintptr_t)fault_.addr, (uintptr_t)(_addr)); \
	} while (0)

#define EXPECT_NO_FAULT(_fault) EXPECT_EQ((_fault).sig, 0)

/* Run @body in each directory there is: on tmpfs and on ext4. */
void vm_each_directory(void (*body)(const char *dir));

/* A test of files: the body has "dir". */
#define TEST_FILES(_name) TEST_FILES_LIMIT(_name, TEST_TIMEOUT)

/* With a limit of its own, in seconds. */
#define TEST_FILES_LIMIT(_name, _seconds)                  \
	static void in_directory_##_name(const char *dir); \
	TEST_LIMIT(_name, _seconds)                        \
	{                                                  \
		vm_each_directory(in_directory_##_name);   \
	}                                                  \
	static void in_directory_##_name(const char *dir)

/* Run a shell command; one that fails ends the test. */
void vm_run(const char *command);

/* The beginning of a command that makes a file a disk and prints its name. */
#define VM_LOOP "modprobe -q loop; losetup -f --show "

/**
 * vm_file() - an unlinked file of @size bytes in @dir
 * @dir: directory
 * @size: bytes; byte i has the value vm_file_byte(i)
 *
 * Return: a descriptor for reading and writing. Failure ends the test.
 */
int vm_file(const char *dir, size_t size);

static inline char vm_file_byte(size_t i)
{
	return 'a' + (i / PAGE + i) % 26;
}

/* A descriptor of the same file as @fd with these flags for open(2). */
int vm_reopen(int fd, int flags);

/* The byte at @off of the file, by read(2); -1 behind its end. */
int vm_file_read(int fd, off_t off);

/* Whether @len bytes from @p on are all @byte. */
bool vm_all(const char *p, size_t len, char byte);

#endif /* _TESTS_VM_H */
