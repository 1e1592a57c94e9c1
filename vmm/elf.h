/*
 * Strict reading of ELF executables for x86 (System V ABI "Object Files"; little-endian, 32 and 64 bits). Pure; fuzzed.
 */
#ifndef VMM_ELF_H
#define VMM_ELF_H

#include "lib/types.h"

#define ELF_MAX_SEGMENTS 32
#define ELF_MAX_NOTES	 8

/* A PT_LOAD with memory: file bytes [offset, offset + file_size) go to pa, zeros follow up to memory_size. */
struct elf_segment {
	u64 offset, file_size, memory_size;
	u64 pa, va;
};

/* A PT_NOTE within the file. */
struct elf_note_area {
	u64 offset, size;
	u32 align;
};

struct elf {
	const u8 *bytes;
	u64 size;
	bool is_64;
	u64 entry;	    /* e_entry, a virtual address */
	u64 entry_pa;	    /* the same through the segment that holds it */
	u32 segment_count;
	u32 note_count;
	struct elf_segment segment[ELF_MAX_SEGMENTS]; /* sorted by pa, not overlapping */
	struct elf_note_area note[ELF_MAX_NOTES];
};

/* Whether the file begins as an ELF file does, and whether it says it is for 64 bits. */
bool elf_recognize(const void *bytes, u64 size);
bool elf_is_64(const void *bytes, u64 size);
/*
 * Read the headers of an executable for x86. OK; ERR_FORMAT or ERR_UNSUPPORTED with a message that names the field.
 * On success every range of `elf` lies in the file and no address wraps.
 */
int elf_parse(struct elf *elf, const void *bytes, u64 size, char *message, size_t message_size);
/* The description of the first note of that name and type; NULL: none. */
const void *elf_find_note(const struct elf *elf, const char *name, u32 type, u32 *size);

#endif
