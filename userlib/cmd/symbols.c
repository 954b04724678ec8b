// SPDX-License-Identifier: BSD-2-Clause
#if !__has_include(<gelf.h>)
#error "libelf is missing: run scripts/setup, or install libelf-dev"
#endif

#include <fcntl.h>
#include <gelf.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cmd.h"
#include "symbols.h"

static void add(struct symbols *symbols, uint64_t start, uint64_t size,
		const char *name, const char *owner)
{
	if (symbols->count == symbols->room) {
		symbols->room = symbols->room ? 2 * symbols->room : 256;
		symbols->symbols = cmd_need(
			realloc(symbols->symbols,
				symbols->room * sizeof(*symbols->symbols)));
	}
	symbols->symbols[symbols->count++] = (struct symbol){
		.start = start,
		.size = size,
		.name = cmd_need(strdup(name)),
		.owner = owner ? cmd_need(strdup(owner)) : NULL,
	};
}

static int compare(const void *a, const void *b)
{
	const struct symbol *left = a, *right = b;

	if (left->start != right->start)
		return left->start < right->start ? -1 : 1;
	/* Of several names the one that covers most is found: it is the last. */
	return (left->size > right->size) - (left->size < right->size);
}

static void sort(struct symbols *symbols)
{
	if (symbols->count)
		qsort(symbols->symbols, symbols->count,
		      sizeof(*symbols->symbols), compare);
}

/* Where in the file an address of it is; false when it is in none of its segments. */
static bool file_offset(Elf *elf, uint64_t address, uint64_t *offset)
{
	GElf_Phdr header;
	size_t i, n;

	if (elf_getphdrnum(elf, &n))
		return false;
	for (i = 0; i < n; i++) {
		if (!gelf_getphdr(elf, (int)i, &header) ||
		    header.p_type != PT_LOAD || address < header.p_vaddr ||
		    address - header.p_vaddr >= header.p_filesz)
			continue;
		*offset = address - header.p_vaddr + header.p_offset;
		return true;
	}
	return false;
}

static void add_section(Elf *elf, Elf_Scn *section, const GElf_Shdr *header,
			struct symbols *symbols)
{
	Elf_Data *data = elf_getdata(section, NULL);
	const char *name;
	uint64_t offset;
	GElf_Sym symbol;
	int i;

	if (!data)
		return;
	for (i = 0; gelf_getsym(data, i, &symbol); i++) {
		if (GELF_ST_TYPE(symbol.st_info) != STT_FUNC ||
		    symbol.st_shndx == SHN_UNDEF ||
		    !file_offset(elf, symbol.st_value, &offset))
			continue;
		name = elf_strptr(elf, header->sh_link, symbol.st_name);
		if (name)
			add(symbols, offset, symbol.st_size, name, NULL);
	}
}

void symbols_file(const char *path, struct symbols *symbols)
{
	Elf_Scn *section = NULL;
	GElf_Shdr header;
	Elf *elf;
	int fd;

	*symbols = (struct symbols){ .count = 0 };
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return;
	elf_version(EV_CURRENT);
	elf = elf_begin(fd, ELF_C_READ_MMAP, NULL);
	/* The dynamic symbols are among the others, when there are others. */
	while (elf && (section = elf_nextscn(elf, section)))
		if (gelf_getshdr(section, &header) &&
		    (header.sh_type == SHT_SYMTAB ||
		     header.sh_type == SHT_DYNSYM))
			add_section(elf, section, &header, symbols);
	elf_end(elf);
	close(fd);
	sort(symbols);
}

void symbols_kernel(struct symbols *symbols)
{
	FILE *file = fopen("/proc/kallsyms", "re");
	char line[512], name[256], owner[128];
	unsigned long long start;
	char type;
	int n;

	*symbols = (struct symbols){ .count = 0 };
	while (file && fgets(line, sizeof(line), file)) {
		n = sscanf(line, "%llx %c %255s [%127[^]]", &start, &type, name,
			   owner);
		/* Zeroes are for those who may not know. */
		if (n >= 3 && start && (type == 't' || type == 'T'))
			add(symbols, start, 0, name, n == 4 ? owner : NULL);
	}
	if (file)
		fclose(file);
	sort(symbols);
}

const struct symbol *symbols_find(const struct symbols *symbols, uint64_t at)
{
	size_t low = 0, high = symbols->count, middle;
	const struct symbol *symbol;

	/* Behind the last one that does not begin behind it. */
	while (low < high) {
		middle = low + (high - low) / 2;
		if (symbols->symbols[middle].start <= at)
			low = middle + 1;
		else
			high = middle;
	}
	if (!low)
		return NULL;
	symbol = &symbols->symbols[low - 1];
	if (symbol->size && at - symbol->start >= symbol->size)
		return NULL;
	return symbol;
}
