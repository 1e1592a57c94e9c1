/* The hypervisor's own ELF file, checked strictly before a byte of it is placed. Pure. */
#ifndef BOOT_ELF_H
#define BOOT_ELF_H

#include "lib/types.h"

#define ELF_MAX_SEGMENTS 8
#define ELF_MAX_IMAGE	 (64 * MIB)

struct elf_segment {
	u64 va, offset;		    /* va: where it is linked; offset: in the file */
	u64 file_size, memory_size; /* the rest of memory_size is zero */
};

struct elf_image {
	u64 base, size; /* page aligned: the addresses all segments lie in */
	u64 entry;
	u32 count;
	struct elf_segment segment[ELF_MAX_SEGMENTS];
};

/*
 * Read the headers of a static 64-bit x86-64 executable whose segments all lie at or above `lowest`. ERR_FORMAT: it is
 * not one; then *why is a phrase that completes "the file ...".
 */
int elf_parse(struct elf_image *image, const void *file, u64 size, u64 lowest, const char **why);
/* Place the segments in `memory` (image->size bytes), and zeros everywhere else. */
void elf_place(const struct elf_image *image, const void *file, void *memory);

#endif
