#include "boot/elf.h"
#include "lib/string.h"

/* Names and values: System V ABI "Object Files"; AMD64 supplement for the machine. */
#define ELF_CLASS_64	  2
#define ELF_DATA_LITTLE	  1
#define ELF_VERSION	  1
#define ELF_TYPE_EXEC	  2
#define ELF_MACHINE_AMD64 62
#define SEGMENT_LOAD	  1
#define SEGMENT_DYNAMIC	  2
#define SEGMENT_INTERP	  3
#define SEGMENT_EXECUTE	  1u

struct file_header {
	u8 magic[4];
	u8 class, data, ident_version, abi, abi_version, pad[7];
	u16 type, machine;
	u32 version;
	u64 entry, program_headers, section_headers;
	u32 flags;
	u16 header_size, program_header_size, program_header_count;
	u16 section_header_size, section_header_count, section_names;
};

struct program_header {
	u32 type, flags;
	u64 offset, va, pa, file_size, memory_size, align;
};

_Static_assert(sizeof(struct file_header) == 64 && sizeof(struct program_header) == 56, "ELF64 sizes");

static int refuse(const char **why, const char *what)
{
	*why = what;
	return ERR_FORMAT;
}

static int check_header(const struct file_header *h, u64 size, const char **why)
{
	u64 table_size = (u64)h->program_header_count * sizeof(struct program_header);

	if (memcmp(h->magic, "\177ELF", 4) != 0)
		return refuse(why, "is not an ELF file");
	if (h->class != ELF_CLASS_64 || h->data != ELF_DATA_LITTLE || h->ident_version != ELF_VERSION)
		return refuse(why, "is not a 64-bit little-endian ELF file");
	if (h->type != ELF_TYPE_EXEC || h->machine != ELF_MACHINE_AMD64 || h->version != ELF_VERSION)
		return refuse(why, "is not a static x86-64 executable");
	if (h->program_header_size != sizeof(struct program_header) || h->program_header_count == 0)
		return refuse(why, "has no program headers of the right size");
	if (h->program_headers > size || size - h->program_headers < table_size)
		return refuse(why, "ends before its program headers");
	return OK;
}

static int check_segment(const struct program_header *p, u64 size, u64 lowest, u64 previous_end, const char **why)
{
	if (p->offset > size || size - p->offset < p->file_size)
		return refuse(why, "ends before a segment does");
	if (p->file_size > p->memory_size)
		return refuse(why, "has a segment that is larger in the file than in memory");
	if (p->memory_size > ELF_MAX_IMAGE)
		return refuse(why, "has a segment of more than 64 MiB");
	if (p->va < lowest || p->va + p->memory_size < p->va)
		return refuse(why, "has a segment outside the hypervisor's addresses");
	if (p->va < previous_end)
		return refuse(why, "has segments that overlap or are not in rising order");
	return OK;
}

static int add_segment(struct elf_image *image, const struct program_header *p, const char **why)
{
	if (image->count == ELF_MAX_SEGMENTS)
		return refuse(why, "has too many segments");
	if (image->count == 0)
		image->base = ALIGN_DOWN(p->va, PAGE_SIZE);
	/*
	 * Both addresses are at least `lowest` and rise, so the difference cannot wrap; rounding up is done on the size
	 * alone.
	 */
	image->size = ALIGN_UP(p->va - image->base + p->memory_size, PAGE_SIZE);
	if (image->size > ELF_MAX_IMAGE)
		return refuse(why, "spans more than 64 MiB");
	image->segment[image->count++] = (struct elf_segment){
		.va = p->va,
		.offset = p->offset,
		.file_size = p->file_size,
		.memory_size = p->memory_size,
	};
	return OK;
}

int elf_parse(struct elf_image *image, const void *file, u64 size, u64 lowest, const char **why)
{
	struct file_header header;
	bool entry_found = false;
	u64 end = 0;
	int error;

	memset(image, 0, sizeof(*image));
	if (size < sizeof(header))
		return refuse(why, "is shorter than an ELF header");
	memcpy(&header, file, sizeof(header));
	error = check_header(&header, size, why);
	for (u32 i = 0; !error && i < header.program_header_count; i++) {
		struct program_header p;

		memcpy(&p, (const u8 *)file + header.program_headers + i * sizeof(p), sizeof(p));
		if (p.type == SEGMENT_DYNAMIC || p.type == SEGMENT_INTERP)
			return refuse(why, "is dynamically linked");
		if (p.type != SEGMENT_LOAD || p.memory_size == 0)
			continue;
		error = check_segment(&p, size, lowest, end, why);
		if (!error)
			error = add_segment(image, &p, why);
		end = p.va + p.memory_size;
		if ((p.flags & SEGMENT_EXECUTE) && header.entry >= p.va && header.entry - p.va < p.file_size)
			entry_found = true;
	}
	if (error)
		return error;
	if (!entry_found)
		return refuse(why, "has no entry point inside an executable segment");
	image->entry = header.entry;
	return OK;
}

void elf_place(const struct elf_image *image, const void *file, void *memory)
{
	memset(memory, 0, image->size);
	for (u32 i = 0; i < image->count; i++) {
		const struct elf_segment *s = &image->segment[i];

		memcpy((u8 *)memory + (s->va - image->base), (const u8 *)file + s->offset, s->file_size);
	}
}
