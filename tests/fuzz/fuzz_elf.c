// sources: vmm/elf.c lib/fmt.c
/* Any bytes as an ELF file: what elf_parse() lets through keeps the promises of elf.h, and a refusal says why. */
#include <string.h>
#include "tests/fuzz/fuzz.h"
#include "vmm/elf.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct elf elf;
	char message[160] = "";
	volatile u8 sum = 0;
	const u8 *note;
	u32 note_size = 0;

	if (elf_parse(&elf, data, size, message, sizeof(message))) {
		REQUIRE(message[0] && memchr(message, 0, sizeof(message)));
		return 0;
	}
	REQUIRE(elf.segment_count >= 1 && elf.segment_count <= ELF_MAX_SEGMENTS);
	for (u32 i = 0; i < elf.segment_count; i++) {
		const struct elf_segment *segment = &elf.segment[i];

		REQUIRE(segment->offset <= size && segment->file_size <= size - segment->offset);
		REQUIRE(segment->file_size <= segment->memory_size && segment->pa + segment->memory_size > segment->pa);
		REQUIRE(!i || segment->pa >= segment[-1].pa + segment[-1].memory_size);
	}
	note = elf_find_note(&elf, "Xen", 18, &note_size);
	if (note) {
		REQUIRE(note >= data && note_size <= size && note + note_size <= data + size);
		for (u32 i = 0; i < note_size; i++)
			sum = (u8)(sum + note[i]);
	}
	return 0;
}
