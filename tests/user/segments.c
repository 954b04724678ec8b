// SPDX-License-Identifier: BSD-2-Clause
/*
 * The image of a process as execve(2) builds it, from ELF files: text shared and
 * read-only, data private, bss zero, then the heap, and a stack at the top.
 *
 *	base				     window's end
 *	| r-- | r-x | r-- | rw- | bss | heap >   ...   < stack |
 */
#define _GNU_SOURCE
#include <elf.h>
#include <fcntl.h>
#include <libgen.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../../userlib/print/vmmap_print.h"
#include "vm.h"

/* Where the image begins, behind the window's start, and the stack's size. */
#define BASE	   ((size_t)1 << 30)
#define STACK_SIZE ((size_t)1 << 20)
#define MAX_PHDRS  16

/*
 * An ELF file in the window.
 * @bias: what is added to addresses of the file
 * @load: its PT_LOAD headers, by address
 * @bss_end: behind data and bss
 * @stack: the lowest address that the stack may reach, its guard included
 */
struct image {
	int fd;
	Elf64_Ehdr ehdr;
	Elf64_Phdr load[MAX_PHDRS];
	size_t count;
	char *bias;
	char *bss_end;
	char *stack;
};

static size_t page_down(size_t n)
{
	return n & ~(PAGE - 1);
}

static size_t page_up(size_t n)
{
	return page_down(n + PAGE - 1);
}

static int prot_of(const Elf64_Phdr *phdr)
{
	return (phdr->p_flags & PF_R ? BSDVM_PROT_READ : 0) |
	       (phdr->p_flags & PF_W ? BSDVM_PROT_WRITE : 0) |
	       (phdr->p_flags & PF_X ? BSDVM_PROT_EXEC : 0);
}

/* The only segment that has this flag. */
static const Elf64_Phdr *segment(const struct image *image, unsigned int flag)
{
	const Elf64_Phdr *found = NULL;
	size_t i;

	for (i = 0; i < image->count; i++) {
		if (image->load[i].p_flags & flag) {
			ASSERT(!found);
			found = &image->load[i];
		}
	}
	ASSERT(found);
	return found;
}

/* The guest's root cannot be mapped, so each file is copied first. */
static int copy_file(const char *from, const char *dir)
{
	char path[256], buf[65536];
	int in = open(from, O_RDONLY | O_CLOEXEC), out;
	ssize_t n;

	ASSERT(in >= 0);
	snprintf(path, sizeof(path), "%s/bsdvm-image.XXXXXX", dir);
	out = mkostemp(path, O_CLOEXEC);
	ASSERT(out >= 0);
	unlink(path);
	while ((n = read(in, buf, sizeof(buf))) > 0)
		ASSERT(write(out, buf, n) == n);
	ASSERT(!n && !fchmod(out, 0755));
	close(in);
	/* As execve(2) has it: nobody can write through this one. */
	in = vm_reopen(out, O_RDONLY);
	close(out);
	return in;
}

static void read_headers(struct image *image)
{
	Elf64_Phdr phdr;
	size_t i;

	ASSERT(pread(image->fd, &image->ehdr, sizeof(image->ehdr), 0) ==
	       sizeof(image->ehdr));
	ASSERT(!memcmp(image->ehdr.e_ident, ELFMAG, SELFMAG));
	ASSERT(image->ehdr.e_type == ET_DYN &&
	       image->ehdr.e_phentsize == sizeof(phdr));
	for (i = 0; i < image->ehdr.e_phnum; i++) {
		const off_t at = image->ehdr.e_phoff + i * sizeof(phdr);

		ASSERT(pread(image->fd, &phdr, sizeof(phdr), at) ==
		       sizeof(phdr));
		if (phdr.p_type != PT_LOAD)
			continue;
		ASSERT(image->count < MAX_PHDRS);
		image->load[image->count++] = phdr;
	}
	ASSERT(image->count >= 3);
}

static void map_segment(struct image *image, const Elf64_Phdr *phdr)
{
	const bool writable = phdr->p_flags & PF_W;
	char *data = image->bias + phdr->p_vaddr;
	char *start = image->bias + page_down(phdr->p_vaddr);
	char *file_end = data + phdr->p_filesz;
	char *end = data + phdr->p_memsz;
	char *mapped_end =
		image->bias + page_up(phdr->p_vaddr + phdr->p_filesz);

	ASSERT(bsdvm_mmap(start, mapped_end - start, prot_of(phdr),
			  BSDVM_MAP_FIXED | BSDVM_MAP_EXCL |
				  (writable ? BSDVM_MAP_PRIVATE :
					      BSDVM_MAP_SHARED),
			  image->fd, page_down(phdr->p_offset)) == start);
	if (end <= file_end)
		return;
	/* The bss begins in the last page of the data. */
	ASSERT(writable);
	memset(file_end, 0, mapped_end - file_end);
	if (end <= mapped_end)
		return;
	ASSERT(bsdvm_mmap(mapped_end, end - mapped_end, prot_of(phdr),
			  ANON | BSDVM_MAP_FIXED | BSDVM_MAP_EXCL, -1,
			  0) == mapped_end);
}

static void map_stack(struct image *image)
{
	size_t size;
	void *start;

	ASSERT(!bsdvm_window(&start, &size));
	image->stack = (char *)start + size - STACK_SIZE;
	ASSERT(bsdvm_mmap(image->stack, STACK_SIZE, RW,
			  BSDVM_MAP_STACK | BSDVM_MAP_FIXED | BSDVM_MAP_EXCL,
			  -1, 0) == image->stack);
}

static struct image load(const char *path, const char *dir)
{
	struct image image = { .fd = copy_file(path, dir) };
	const Elf64_Phdr *text, *data;
	struct bsdvm_segments segments = { 0 };
	void *window;
	size_t i;

	read_headers(&image);
	ASSERT(!bsdvm_window(&window, NULL));
	image.bias = (char *)window + BASE;
	for (i = 0; i < image.count; i++)
		map_segment(&image, &image.load[i]);
	map_stack(&image);
	text = segment(&image, PF_X);
	data = segment(&image, PF_W);
	segments.taddr = (uintptr_t)image.bias + page_down(text->p_vaddr);
	segments.tsize = text->p_memsz + text->p_vaddr % PAGE;
	segments.daddr = (uintptr_t)image.bias + page_down(data->p_vaddr);
	segments.dsize = data->p_memsz + data->p_vaddr % PAGE;
	segments.maxsaddr = (uintptr_t)image.stack;
	ASSERT(!bsdvm_segments(&segments));
	image.bss_end = image.bias + data->p_vaddr + data->p_memsz;
	return image;
}

static void unload(struct image *image)
{
	void *start;
	size_t size;

	ASSERT(!bsdvm_window(&start, &size));
	ASSERT(!bsdvm_munmap(start, size));
	close(image->fd);
}

/* Beside this program. */
static const char *leaf_path(void)
{
	static char path[512];
	char self[400];
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);

	ASSERT(n > 0);
	self[n] = '\0';
	snprintf(path, sizeof(path), "%s/segments_leaf.so", dirname(self));
	return path;
}

static int call_leaf(const struct image *image, int i)
{
	return ((int (*)(int))(uintptr_t)(image->bias + image->ehdr.e_entry))(
		i);
}

/* --- what is in the image */

/* All of the pages that hold a segment, against the file, byte by byte. */
static void compare_segment(const struct image *image, const Elf64_Phdr *phdr)
{
	const size_t slack = phdr->p_vaddr % PAGE;
	const char *at = image->bias + phdr->p_vaddr - slack;
	const bool has_bss = phdr->p_memsz > phdr->p_filesz;
	size_t len = slack + phdr->p_filesz;
	char *content;
	ssize_t n;

	/* Behind a segment without a bss the file goes on, then zeroes do. */
	content = calloc(1, page_up(len));
	ASSERT(content);
	n = pread(image->fd, content, has_bss ? len : page_up(len),
		  phdr->p_offset - slack);
	ASSERT(n >= (ssize_t)len);
	if (has_bss)
		EXPECT(vm_all(at + len, slack + phdr->p_memsz - len, 0));
	EXPECT(!memcmp(at, content, page_up(len)));
	free(content);
}

static void check_content(const char *path, const char *dir)
{
	struct image image = load(path, dir);
	size_t i;

	for (i = 0; i < image.count; i++)
		compare_segment(&image, &image.load[i]);
	/* To the end of its last page, too. */
	EXPECT(vm_all(image.bss_end,
		      page_up((uintptr_t)image.bss_end) -
			      (uintptr_t)image.bss_end,
		      0));
	unload(&image);
}

TEST_FILES(an_image_has_each_byte_of_its_file)
{
	check_content(leaf_path(), dir);
	check_content("/proc/self/exe", dir);
	check_content("/bin/true", dir);
}

TEST_FILES(text_runs_and_works_on_its_data)
{
	struct image image = load(leaf_path(), dir);

	EXPECT_EQ(call_leaf(&image, 3), 1000000 + 9000 + 101);
	EXPECT_EQ(call_leaf(&image, 7), 2000000 + 49000 + 102);
	unload(&image);
	/* What it stored has not reached the file. */
	image = load(leaf_path(), dir);
	EXPECT_EQ(call_leaf(&image, 0), 1000000 + 101);
	unload(&image);
}

TEST_FILES(each_segment_allows_what_its_header_says)
{
	struct image image = load(leaf_path(), dir);
	char *text = image.bias + segment(&image, PF_X)->p_vaddr;
	char *data = image.bias + segment(&image, PF_W)->p_vaddr;
	char *headers = image.bias;

	EXPECT_FAULT(vm_write(text, 0), SIGSEGV, SEGV_ACCERR, text);
	EXPECT_FAULT(vm_write(headers, 0), SIGSEGV, SEGV_ACCERR, headers);
	EXPECT_FAULT(vm_execute(headers), SIGSEGV, SEGV_ACCERR, headers);
	EXPECT_FAULT(vm_execute(data), SIGSEGV, SEGV_ACCERR, data);
	EXPECT_NO_FAULT(vm_write(data, *data));
	/* The file was opened to be read: its text cannot be made writable. */
	EXPECT_ERRNO(bsdvm_mprotect(text, PAGE, RWX), EACCES);
	EXPECT_ERRNO(bsdvm_mprotect(headers, PAGE, RX), 0);
	/* A debugger sets a breakpoint in a private copy of the page. */
	ASSERT(bsdvm_mmap((void *)page_down((uintptr_t)text), PAGE, RWX,
			  BSDVM_MAP_PRIVATE | BSDVM_MAP_FIXED, image.fd,
			  page_down(segment(&image, PF_X)->p_offset)) !=
	       BSDVM_MAP_FAILED);
	EXPECT_EQ(call_leaf(&image, 3), 1000000 + 9000 + 101);
	text = image.bias + image.ehdr.e_entry;
	text[0] = (char)0xc3;
	call_leaf(&image, 3);
	unload(&image);
	image = load(leaf_path(), dir);
	EXPECT_EQ(call_leaf(&image, 3), 1000000 + 9000 + 101);
	unload(&image);
}

/* --- the heap */

TEST_FILES(the_heap_begins_behind_the_bss)
{
	struct image image = load(leaf_path(), dir);
	char *heap = (char *)page_up((uintptr_t)image.bss_end);
	char *at = bsdvm_sbrk(0);

	/* The break is where the bss ends, or the page behind it begins. */
	EXPECT(at == image.bss_end || at == heap);
	ASSERT(!bsdvm_brk(heap));
	EXPECT_FAULT(vm_read(heap), SIGSEGV, SEGV_MAPERR, heap);
	EXPECT(bsdvm_sbrk(5 * PAGE) == heap);
	EXPECT(bsdvm_sbrk(0) == heap + 5 * PAGE);
	EXPECT(vm_all(heap, 5 * PAGE, 0));
	memset(heap, 'h', 5 * PAGE);
	/* There is no page between them, nor was one of them touched. */
	EXPECT_EQ(heap[-1], 0);
	EXPECT_EQ(call_leaf(&image, 3), 1000000 + 9000 + 101);
	EXPECT(vm_all(heap, 5 * PAGE, 'h'));
	EXPECT_FAULT(vm_write(heap + 5 * PAGE, 'x'), SIGSEGV, SEGV_MAPERR,
		     heap + 5 * PAGE);
	ASSERT(!bsdvm_brk(heap + PAGE));
	EXPECT_FAULT(vm_read(heap + PAGE), SIGSEGV, SEGV_MAPERR, heap + PAGE);
	EXPECT(bsdvm_sbrk(PAGE) == heap + PAGE);
	EXPECT(vm_all(heap, PAGE, 'h'));
	EXPECT(vm_all(heap + PAGE, PAGE, 0));
	/* Below its base it stays as it is. */
	EXPECT_ERRNO(bsdvm_brk(image.bias), 0);
	EXPECT(bsdvm_sbrk(0) == heap + 2 * PAGE);
	unload(&image);
}

TEST_FILES(mappings_that_nobody_placed_leave_room_for_the_heap)
{
	struct image image = load(leaf_path(), dir);
	const size_t room = (size_t)64 << 20;
	char *heap = bsdvm_sbrk(0), *map = vm_anon(1);

	EXPECT(map >= heap + room);
	EXPECT(map < image.stack);
	/* A hint into the heap's room is none. */
	map = bsdvm_mmap(heap + room / 2, PAGE, RW, ANON, -1, 0);
	EXPECT(map >= heap + room);
	/* A fixed address is one, and ends the heap. */
	map = (char *)page_up((uintptr_t)heap) + 2 * PAGE;
	ASSERT(bsdvm_mmap(map, PAGE, RW, ANON | BSDVM_MAP_FIXED, -1, 0) == map);
	EXPECT_ERRNO(bsdvm_brk(map + 1), ENOMEM);
	EXPECT_ERRNO(bsdvm_brk(map), 0);
	EXPECT_NO_FAULT(vm_write(map - 1, 'h'));
	unload(&image);
}

/* --- the stack */

static uint64_t stack_grows(void)
{
	return vm_stats().v_stackgrows;
}

/* Touch each page of the stack, the topmost first; the lowest is the guard. */
static void descend(const struct image *image)
{
	char *at;

	for (at = image->stack + STACK_SIZE - 8; at > image->stack + PAGE;
	     at -= PAGE) {
		EXPECT_NO_FAULT(vm_read(at));
		EXPECT_EQ(*at, 0);
		*at = 's';
	}
	EXPECT_FAULT(vm_write(at, 's'), SIGSEGV, SEGV_ACCERR, at);
	EXPECT_FAULT(vm_read(image->stack), SIGSEGV, SEGV_ACCERR, image->stack);
	for (at += PAGE; at < image->stack + STACK_SIZE; at += PAGE)
		EXPECT_EQ(*at, 's');
}

TEST(the_stack_grows_down_to_its_guard)
{
	struct image image = load(leaf_path(), "/tmp");
	uint64_t grows = stack_grows(), step;

	ASSERT(!bsdvm_sysctl_get("kern.sgrowsiz", &step));
	descend(&image);
	/* One step was there to begin with, and one page stays a guard. */
	EXPECT_EQ(stack_grows() - grows, (STACK_SIZE - PAGE - 1) / step);
	unload(&image);
}

TEST(the_stack_grows_page_by_page_where_it_is_told_to)
{
	uint64_t grows = stack_grows(), step;
	struct image image;

	ASSERT(!bsdvm_sysctl_get("kern.sgrowsiz", &step));
	ASSERT(!bsdvm_sysctl_set("kern.sgrowsiz", PAGE));
	image = load(leaf_path(), "/tmp");
	descend(&image);
	EXPECT_ERRNO(bsdvm_sysctl_set("kern.sgrowsiz", step), 0);
	EXPECT_EQ(stack_grows() - grows, STACK_SIZE / PAGE - 2);
	unload(&image);
}

/* --- what the map shows */

static void print_map(void)
{
	char *text = NULL, *line, *rest;
	struct bsdvm_vmentry *map;
	size_t count, size;
	FILE *out;

	map = bsdvm_getvmmap(&count);
	out = open_memstream(&text, &size);
	ASSERT(map && out);
	vmmap_print(out, getpid(), map, count, 0);
	fclose(out);
	for (line = text; (rest = strchr(line, '\n')); line = rest + 1)
		printf("# %.*s\n", (int)(rest - line), line);
	fflush(stdout);
	free(text);
	bsdvm_freevmmap(map);
}

static bool anonymous(unsigned int type)
{
	return type == BSDVM_KVME_TYPE_DEFAULT || type == BSDVM_KVME_TYPE_SWAP;
}

/* A segment's file part. */
static void check_entry(const struct image *image, const Elf64_Phdr *phdr)
{
	const bool writable = phdr->p_flags & PF_W;
	const size_t start = (uintptr_t)image->bias + page_down(phdr->p_vaddr);
	const struct vm_entry found = vm_entry_at((void *)start);
	const struct bsdvm_vmentry *e = &found.e;
	struct stat st;

	ASSERT(!fstat(image->fd, &st));
	EXPECT_EQ(e->kve_start, start);
	EXPECT_EQ(e->kve_end, (uintptr_t)image->bias +
				      page_up(phdr->p_vaddr + phdr->p_filesz));
	EXPECT_EQ(e->kve_type, BSDVM_KVME_TYPE_VNODE);
	EXPECT_EQ(e->kve_protection, prot_of(phdr));
	EXPECT_EQ(e->kve_max_protection, writable ? RWX : RX);
	EXPECT_EQ(e->kve_vn_fileid, st.st_ino);
	EXPECT_EQ(e->kve_vn_size, st.st_size);
	EXPECT_EQ(e->kve_vn_type, BSDVM_KF_VTYPE_VREG);
	EXPECT_EQ(e->kve_vn_mode & 0777, 0755);
	EXPECT_EQ(e->kve_inheritance,
		  writable ? BSDVM_INHERIT_COPY : BSDVM_INHERIT_SHARE);
	if (!writable) {
		/* The image has no name any more. */
		EXPECT_EQ(e->kve_flags, BSDVM_KVME_FLAG_NOSYNC);
		EXPECT_EQ(e->kve_nobjects, 1);
		EXPECT_EQ(e->kve_offset, page_down(phdr->p_offset));
		return;
	}
	/* Its last page was copied when the bss was cleared: see map_segment(). */
	EXPECT(phdr->p_memsz > phdr->p_filesz);
	EXPECT_EQ(e->kve_flags &
			  (BSDVM_KVME_FLAG_COW | BSDVM_KVME_FLAG_NEEDS_COPY |
			   BSDVM_KVME_FLAG_GROWS_DOWN),
		  BSDVM_KVME_FLAG_COW);
	EXPECT_EQ(e->kve_nobjects, 2);
	EXPECT_EQ(e->kve_private_resident, 1);
	EXPECT(anonymous(found.object[0].kvo_type));
	EXPECT_EQ(found.object[1].kvo_type, BSDVM_KVME_TYPE_VNODE);
	EXPECT_EQ(e->kve_offset + found.object[0].kvo_backing_offset,
		  page_down(phdr->p_offset));
}

static void check_stack(const struct image *image)
{
	char *top = image->stack + STACK_SIZE;
	struct vm_entry found = vm_entry_at(top - 1);
	uint64_t step;

	ASSERT(!bsdvm_sysctl_get("kern.sgrowsiz", &step));
	EXPECT_EQ(found.e.kve_end, (uintptr_t)top);
	EXPECT_EQ(found.e.kve_start, (uintptr_t)top - step);
	EXPECT_EQ(found.e.kve_protection, RW);
	EXPECT(found.e.kve_flags & BSDVM_KVME_FLAG_GROWS_DOWN);
	/* Untouched, so there is no object yet. */
	EXPECT_EQ(found.e.kve_type, BSDVM_KVME_TYPE_NONE);
	/* Where it can grow, guard and all. */
	found = vm_entry_at(image->stack);
	EXPECT_EQ(found.e.kve_start, (uintptr_t)image->stack);
	EXPECT_EQ(found.e.kve_end, (uintptr_t)top - step);
	EXPECT_EQ(found.e.kve_type, BSDVM_KVME_TYPE_GUARD);
	EXPECT_EQ(found.e.kve_protection, BSDVM_PROT_NONE);
}

TEST_FILES(the_map_has_each_segment)
{
	struct image image = load(leaf_path(), dir);
	char *heap = (char *)page_up((uintptr_t)image.bss_end);
	struct vm_entry found;
	size_t i;

	ASSERT(!bsdvm_brk(heap + 3 * PAGE));
	print_map();
	for (i = 0; i < image.count; i++)
		check_entry(&image, &image.load[i]);
	check_stack(&image);
	/* Bss and heap are alike: one entry, if the map joins them. */
	found = vm_entry_at(heap - 1);
	EXPECT_EQ(found.e.kve_protection, RW);
	EXPECT_EQ(found.e.kve_max_protection, RWX);
	EXPECT_EQ(found.e.kve_type, BSDVM_KVME_TYPE_NONE);
	found = vm_entry_at(heap + 3 * PAGE - 1);
	EXPECT_EQ(found.e.kve_end, (uintptr_t)heap + 3 * PAGE);
	EXPECT_EQ(found.e.kve_protection, RW);
	EXPECT_EQ(found.e.kve_type, BSDVM_KVME_TYPE_NONE);
	heap[0] = 'h';
	EXPECT(anonymous(vm_entry_at(heap).e.kve_type));
	EXPECT_EQ(vm_entry_at(heap).e.kve_private_resident, 1);
	unload(&image);
}

TEST_FILES(an_image_is_counted_by_segment)
{
	struct image image = load(leaf_path(), dir);
	const Elf64_Phdr *text = segment(&image, PF_X);
	const Elf64_Phdr *data = segment(&image, PF_W);
	char *heap = (char *)page_up((uintptr_t)image.bss_end);
	struct bsdvm_rusage usage;
	size_t pages;

	ASSERT(!bsdvm_rusage(0, &usage));
	EXPECT_EQ(usage.vm_taddr,
		  (uintptr_t)image.bias + page_down(text->p_vaddr));
	EXPECT_EQ(usage.vm_tsize,
		  page_up(text->p_memsz + text->p_vaddr % PAGE) / PAGE);
	EXPECT_EQ(usage.vm_daddr,
		  (uintptr_t)image.bias + page_down(data->p_vaddr));
	pages = page_up(data->p_memsz + data->p_vaddr % PAGE) / PAGE;
	EXPECT_EQ(usage.vm_dsize, pages);
	EXPECT_EQ(usage.vm_maxsaddr, (uintptr_t)image.stack);
	/* The heap counts as data. */
	ASSERT(!bsdvm_brk(heap + 7 * PAGE));
	ASSERT(!bsdvm_rusage(0, &usage));
	EXPECT_EQ(usage.vm_dsize, pages + 7);
	unload(&image);
}

/* --- processes that have the same image */

TEST_FILES(a_child_shares_text_and_copies_the_rest)
{
	struct image image = load(leaf_path(), dir);
	char *text = image.bias + segment(&image, PF_X)->p_vaddr;
	char *data = image.bias + segment(&image, PF_W)->p_vaddr;
	char *heap = (char *)page_up((uintptr_t)image.bss_end);
	char *top = image.stack + STACK_SIZE;
	uint64_t text_object;
	pid_t child;

	EXPECT_EQ(call_leaf(&image, 1), 1000000 + 1000 + 101);
	ASSERT(!bsdvm_brk(heap + PAGE));
	*heap = 'p';
	top[-1] = 'p';
	text_object = vm_entry_at(text).object[0].kvo_id;
	child = harness_fork();
	if (!child) {
		const struct vm_entry found = vm_entry_at(data);

		EXPECT_EQ(vm_entry_at(text).object[0].kvo_id, text_object);
		EXPECT(found.e.kve_flags & BSDVM_KVME_FLAG_COW);
		EXPECT_EQ(call_leaf(&image, 2), 2000000 + 4000 + 102);
		EXPECT_EQ(*heap, 'p');
		EXPECT_EQ(top[-1], 'p');
		*heap = 'c';
		top[-1] = 'c';
		/* Heap and stack grow for the child alone. */
		EXPECT(bsdvm_sbrk(PAGE) == heap + PAGE);
		heap[PAGE] = 'c';
		image.stack[PAGE] = 'c';
		EXPECT_EQ(call_leaf(&image, 2), 3000000 + 4000 + 103);
		harness_exit();
	}
	harness_join(child);
	EXPECT_EQ(call_leaf(&image, 3), 2000000 + 9000 + 102);
	EXPECT_EQ(*heap, 'p');
	EXPECT_EQ(top[-1], 'p');
	EXPECT_FAULT(vm_read(heap + PAGE), SIGSEGV, SEGV_MAPERR, heap + PAGE);
	EXPECT(bsdvm_sbrk(0) == heap + PAGE);
	EXPECT_EQ(image.stack[PAGE], 0);
	unload(&image);
}

/* Map all of a segment at another place and read it; the pages that came in. */
static uint64_t read_again(const struct image *image, const Elf64_Phdr *phdr)
{
	const uint64_t before = vm_stats().v_vnodepgsin;
	size_t i;
	char *map = bsdvm_mmap(NULL, page_up(phdr->p_filesz), RX,
			       BSDVM_MAP_SHARED, image->fd,
			       page_down(phdr->p_offset));

	ASSERT(map != BSDVM_MAP_FAILED);
	for (i = 0; i < phdr->p_filesz; i += PAGE)
		(void)*(volatile char *)(map + i);
	return vm_stats().v_vnodepgsin - before;
}

TEST_FILES(text_is_in_memory_once_for_all_who_map_it)
{
	struct image image = load("/proc/self/exe", dir);
	const Elf64_Phdr *text = segment(&image, PF_X);
	uint64_t pages = vm_free_pages();
	pid_t child;

	EXPECT(read_again(&image, text) > 0);
	pages -= vm_free_pages();
	EXPECT(pages >= text->p_filesz / PAGE);
	child = harness_fork();
	if (!child) {
		const uint64_t free_pages = vm_free_pages();

		/* No inheritance: the child begins with an empty map. */
		void *start;
		size_t size;

		ASSERT(!bsdvm_window(&start, &size));
		ASSERT(!bsdvm_munmap(start, size));
		EXPECT_EQ(read_again(&image, text), 0);
		EXPECT(vm_free_pages() + 1 >= free_pages);
		harness_exit();
	}
	harness_join(child);
	EXPECT_EQ(read_again(&image, text), 0);
	unload(&image);
}

/* --- the call that says where they are */

TEST(segments_must_lie_in_the_window_text_first)
{
	struct bsdvm_segments good = { 0 }, s;
	size_t size;
	void *window;
	char *heap;

	ASSERT(!bsdvm_window(&window, &size));
	good.taddr = (uintptr_t)window + BASE;
	good.tsize = 10 * PAGE;
	good.daddr = good.taddr + 20 * PAGE;
	good.dsize = 5 * PAGE + 1;
	good.maxsaddr = (uintptr_t)window + size - STACK_SIZE;
	EXPECT_ERRNO(bsdvm_segments(&good), 0);
	heap = bsdvm_sbrk(0);
	EXPECT(page_up((uintptr_t)heap) == good.daddr + 6 * PAGE);
	s = good;
	s.taddr = (uintptr_t)window - PAGE;
	EXPECT_ERRNO(bsdvm_segments(&s), EINVAL);
	s = good;
	s.dsize = size;
	EXPECT_ERRNO(bsdvm_segments(&s), EINVAL);
	s = good;
	s.dsize = -(uint64_t)PAGE;
	EXPECT_ERRNO(bsdvm_segments(&s), EINVAL);
	s = good;
	s.taddr = good.daddr;
	s.daddr = good.taddr;
	EXPECT_ERRNO(bsdvm_segments(&s), EINVAL);
	/* None of them has changed anything. */
	EXPECT(bsdvm_sbrk(0) == heap);
	EXPECT_EQ(vm_entry_count(), 0);
}
