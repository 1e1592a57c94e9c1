/* ELF headers. Everything is copied out of the file before it is used: nothing in it need be aligned. */
#include "vmm/elf.h"
#include "lib/fmt.h"
#include "lib/string.h"

#define ELF_CLASS_32 1
#define ELF_CLASS_64 2
#define ELF_LITTLE   1
#define ELF_VERSION  1
#define ELF_EXEC     2
#define ELF_386	     3
#define ELF_X86_64   62
#define PT_LOAD	     1
#define PT_NOTE	     4

struct elf_ident {
	u8 magic[4], class, data, version, rest[9];
};

struct elf32_header {
	struct elf_ident ident;
	u16 type, machine;
	u32 version, entry, phoff, shoff, flags;
	u16 ehsize, phentsize, phnum, shentsize, shnum, shstrndx;
} PACKED;

struct elf64_header {
	struct elf_ident ident;
	u16 type, machine;
	u32 version;
	u64 entry, phoff, shoff;
	u32 flags;
	u16 ehsize, phentsize, phnum, shentsize, shnum, shstrndx;
} PACKED;

struct elf32_program {
	u32 type, offset, va, pa, file_size, memory_size, flags, align;
} PACKED;

struct elf64_program {
	u32 type, flags;
	u64 offset, va, pa, file_size, memory_size, align;
} PACKED;

struct elf_note_header {
	u32 name_size, size, type;
} PACKED;

/* What both classes have, in the wide form. */
struct header {
	u16 type, machine, ehsize, phentsize, phnum;
	u32 version;
	u64 entry, phoff;
};

/* Where the reader stands, for messages. */
struct reader {
	struct elf *elf;
	char *message;
	size_t message_size;
};

static int fail(const struct reader *reader, int error, const char *format, ...) PRINTF(3, 4);
static int fail(const struct reader *reader, int error, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	fmt_vprint(reader->message, reader->message_size, format, args);
	va_end(args);
	return error;
}

static bool in_file(const struct elf *elf, u64 offset, u64 size)
{
	return offset <= elf->size && size <= elf->size - offset;
}

bool elf_recognize(const void *bytes, u64 size)
{
	return size >= sizeof(struct elf_ident) && !memcmp(bytes, "\x7f"
								  "ELF",
							   4);
}

bool elf_is_64(const void *bytes, u64 size)
{
	return elf_recognize(bytes, size) && ((const struct elf_ident *)bytes)->class == ELF_CLASS_64;
}

static int check_ident(const struct reader *reader)
{
	const struct elf_ident *ident = (const struct elf_ident *)reader->elf->bytes;

	if (!elf_recognize(reader->elf->bytes, reader->elf->size))
		return fail(reader, ERR_FORMAT, "e_ident: not an ELF file");
	if (ident->class != ELF_CLASS_32 && ident->class != ELF_CLASS_64)
		return fail(reader, ERR_FORMAT, "e_ident[EI_CLASS] is %u, expected 1 (32 bits) or 2 (64 bits)",
			    ident->class);
	if (ident->data != ELF_LITTLE)
		return fail(reader, ERR_UNSUPPORTED, "e_ident[EI_DATA] is %u, expected 1 (little-endian)", ident->data);
	if (ident->version != ELF_VERSION)
		return fail(reader, ERR_FORMAT, "e_ident[EI_VERSION] is %u, expected 1", ident->version);
	return OK;
}

static void read_header(const struct elf *elf, struct header *header)
{
	struct elf64_header wide;
	struct elf32_header narrow;

	if (elf->is_64) {
		memcpy(&wide, elf->bytes, sizeof(wide));
		*header = (struct header){wide.type,	wide.machine, wide.ehsize, wide.phentsize,
					  wide.phnum, wide.version, wide.entry, wide.phoff};
	} else {
		memcpy(&narrow, elf->bytes, sizeof(narrow));
		*header = (struct header){narrow.type,  narrow.machine, narrow.ehsize, narrow.phentsize,
					  narrow.phnum, narrow.version, narrow.entry,  narrow.phoff};
	}
}

static int check_header(const struct reader *reader, const struct header *header)
{
	bool wide = reader->elf->is_64;
	u32 machine = wide ? ELF_X86_64 : ELF_386;
	size_t ehsize = wide ? sizeof(struct elf64_header) : sizeof(struct elf32_header);
	size_t phentsize = wide ? sizeof(struct elf64_program) : sizeof(struct elf32_program);

	if (header->type != ELF_EXEC)
		return fail(reader, ERR_UNSUPPORTED, "e_type is %u, expected 2 (executable at fixed addresses)",
			    header->type);
	if (header->machine != machine)
		return fail(reader, ERR_UNSUPPORTED, "e_machine is %u, expected %u", header->machine, machine);
	if (header->version != ELF_VERSION)
		return fail(reader, ERR_FORMAT, "e_version is %u, expected 1", header->version);
	if (header->ehsize < ehsize)
		return fail(reader, ERR_FORMAT, "e_ehsize is %u, expected %zu", header->ehsize, ehsize);
	if (header->phentsize != phentsize)
		return fail(reader, ERR_FORMAT, "e_phentsize is %u, expected %zu", header->phentsize, phentsize);
	if (!header->phnum || header->phnum == 0xffff)
		return fail(reader, ERR_FORMAT, "e_phnum is %u, expected from 1 to 65534", header->phnum);
	if (!in_file(reader->elf, header->phoff, header->phnum * phentsize))
		return fail(reader, ERR_FORMAT,
			    "e_phoff is 0x%llx: the program headers end beyond the file's %llu bytes",
			    (unsigned long long)header->phoff, (unsigned long long)reader->elf->size);
	return OK;
}

static void read_program(const struct elf *elf, u64 offset, struct elf64_program *program)
{
	struct elf32_program narrow;

	if (elf->is_64) {
		memcpy(program, elf->bytes + offset, sizeof(*program));
		return;
	}
	memcpy(&narrow, elf->bytes + offset, sizeof(narrow));
	*program = (struct elf64_program){narrow.type, narrow.flags,	 narrow.offset,	     narrow.va,
					  narrow.pa,   narrow.file_size, narrow.memory_size, narrow.align};
}

/* Enter a segment in its place. */
static int insert_segment(const struct reader *reader, u32 index, const struct elf_segment *segment)
{
	struct elf *elf = reader->elf;
	u32 at = 0;

	while (at < elf->segment_count && elf->segment[at].pa + elf->segment[at].memory_size <= segment->pa)
		at++;
	if (at < elf->segment_count && elf->segment[at].pa < segment->pa + segment->memory_size)
		return fail(reader, ERR_FORMAT, "program header %u: p_paddr 0x%llx overlaps another segment", index,
			    (unsigned long long)segment->pa);
	if (elf->segment_count == ELF_MAX_SEGMENTS)
		return fail(reader, ERR_UNSUPPORTED, "e_phnum: more than %u segments to load", ELF_MAX_SEGMENTS);
	memmove(elf->segment + at + 1, elf->segment + at, (elf->segment_count - at) * sizeof(*segment));
	elf->segment[at] = *segment;
	elf->segment_count++;
	return OK;
}

static int read_load(const struct reader *reader, u32 index, const struct elf64_program *program)
{
	struct elf_segment segment = {program->offset, program->file_size, program->memory_size, program->pa,
				      program->va};
	u64 limit = reader->elf->is_64 ? ~0ull : 0xffffffffull;

	if (!in_file(reader->elf, program->offset, program->file_size))
		return fail(reader, ERR_FORMAT,
			    "program header %u: p_offset and p_filesz reach beyond the file's %llu bytes", index,
			    (unsigned long long)reader->elf->size);
	if (program->file_size > program->memory_size)
		return fail(reader, ERR_FORMAT, "program header %u: p_filesz is larger than p_memsz", index);
	if (!program->memory_size)
		return OK;
	if (program->memory_size - 1 > limit - program->pa || program->pa + program->memory_size < program->pa)
		return fail(reader, ERR_FORMAT,
			    "program header %u: p_paddr and p_memsz reach beyond the end of the address space", index);
	return insert_segment(reader, index, &segment);
}

static int read_note(const struct reader *reader, u32 index, const struct elf64_program *program)
{
	struct elf *elf = reader->elf;

	if (!in_file(elf, program->offset, program->file_size))
		return fail(reader, ERR_FORMAT,
			    "program header %u: p_offset and p_filesz reach beyond the file's %llu bytes", index,
			    (unsigned long long)elf->size);
	if (elf->note_count == ELF_MAX_NOTES)
		return fail(reader, ERR_UNSUPPORTED, "e_phnum: more than %u note segments", ELF_MAX_NOTES);
	/* Notes are padded to 4 bytes, in areas that ask for 8 to 8. */
	elf->note[elf->note_count++] =
		(struct elf_note_area){program->offset, program->file_size, program->align == 8 ? 8 : 4};
	return OK;
}

/* The entry point is a virtual address; a kernel linked high is entered where it was loaded. */
static u64 entry_pa(const struct elf *elf)
{
	for (u32 i = 0; i < elf->segment_count; i++) {
		const struct elf_segment *segment = &elf->segment[i];

		if (elf->entry >= segment->va && elf->entry - segment->va < segment->memory_size)
			return elf->entry - segment->va + segment->pa;
	}
	return elf->entry;
}

static int read_programs(const struct reader *reader, const struct header *header)
{
	struct elf *elf = reader->elf;

	for (u32 i = 0; i < header->phnum; i++) {
		struct elf64_program program;
		int error = OK;

		read_program(elf, header->phoff + (u64)i * header->phentsize, &program);
		if (program.type == PT_LOAD)
			error = read_load(reader, i, &program);
		else if (program.type == PT_NOTE)
			error = read_note(reader, i, &program);
		if (error)
			return error;
	}
	if (!elf->segment_count)
		return fail(reader, ERR_FORMAT, "e_phnum: no segment to load (PT_LOAD)");
	return OK;
}

int elf_parse(struct elf *elf, const void *bytes, u64 size, char *message, size_t message_size)
{
	struct reader reader = {elf, message, message_size};
	struct header header;
	int error;

	memset(elf, 0, sizeof(*elf));
	elf->bytes = bytes;
	elf->size = size;
	error = check_ident(&reader);
	if (error)
		return error;
	elf->is_64 = elf_is_64(bytes, size);
	if (!in_file(elf, 0, elf->is_64 ? sizeof(struct elf64_header) : sizeof(struct elf32_header)))
		return fail(&reader, ERR_FORMAT, "e_ehsize: the file ends within the ELF header");
	read_header(elf, &header);
	elf->entry = header.entry;
	error = check_header(&reader, &header);
	if (!error)
		error = read_programs(&reader, &header);
	elf->entry_pa = entry_pa(elf);
	return error;
}

/* One area of notes: headers, names and descriptions, each padded. What does not fit ends the area. */
static const void *find_in_area(const struct elf *elf, const struct elf_note_area *area, const char *name, u32 type,
				u32 *size)
{
	const u8 *bytes = elf->bytes + area->offset;
	u64 name_size = strlen(name) + 1, at = 0;

	while (area->size - at >= sizeof(struct elf_note_header)) {
		struct elf_note_header note;
		u64 description, end;

		memcpy(&note, bytes + at, sizeof(note));
		at += sizeof(note);
		description = ALIGN_UP(at + note.name_size, (u64)area->align);
		end = description + note.size;
		if (end > area->size)
			return NULL;
		if (note.type == type && note.name_size == name_size && !memcmp(bytes + at, name, name_size)) {
			*size = note.size;
			return bytes + description;
		}
		at = MIN(ALIGN_UP(end, (u64)area->align), area->size);
	}
	return NULL;
}

const void *elf_find_note(const struct elf *elf, const char *name, u32 type, u32 *size)
{
	for (u32 i = 0; i < elf->note_count; i++) {
		const void *found = find_in_area(elf, &elf->note[i], name, type, size);

		if (found)
			return found;
	}
	return NULL;
}
