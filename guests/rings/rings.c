// guest: 32 64
/*
 * The rings laboratory: what the four privilege levels of x86 are, shown by trying everything and printing what
 * happened. In 32-bit protected mode first, then, as the same file goes on in long mode, what is left of the rings
 * there. Chapters of the SDM, volume 3: "Protection", "Interrupt and Exception Handling", "Paging". What it prints
 * depends on the processor alone, so natively and under a hypervisor it must be the same, line by line.
 */
#include "guests/rings/rings.h"

int guest_main(void)
{
	print("==== rings, %lu bits ====\n", (word)sizeof(word) * 8);
	for (const struct lesson *lesson = lessons; lesson->title; lesson++) {
		print("\n== %s\n", lesson->title);
		segments_init();
		traps_init();
		lesson->run();
	}
	return 0;
}
