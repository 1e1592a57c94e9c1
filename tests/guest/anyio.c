// guest: 32
/* Reads and writes every I/O port, by byte, word and double word, apart from those that end, reset or print. */
#include "guests/lib/guest.h"

static bool avoided(u32 port)
{
	return (port >= 0x60 && port <= 0x64) ||    /* keyboard controller: resets; port 0x61: speaker */
	       (port >= 0x89 && port <= 0x92) ||    /* port 0x92: resets */
	       (port >= 0xe6 && port <= 0xf7) ||    /* debug console, debug exit */
	       (port >= 0x3f5 && port <= 0x3ff) ||  /* COM1 */
	       (port >= 0x500 && port <= 0x607) ||  /* ACPI power management */
	       (port >= 0xb000 && port <= 0xb0ff) ||
	       (port >= 0xcf6 && port <= 0xcff) ||  /* PCI configuration, port 0xcf9: resets */
	       (port >= 0x8900 && port <= 0x8901);  /* Bochs: shutdown */
}

int guest_main(void)
{
	u32 sum = 0, done = 0;

	for (u32 port = 0; port < 0x10000; port++) {
		if (avoided(port) || avoided(port + 3))
			continue;
		sum += in8((u16)port) + in16((u16)port) + in32((u16)port);
		done++;
	}
	print("read %u ports, last sum 0x%x\n", done, sum);
	for (u32 port = 0x1000; port < 0x10000; port++) {
		if (avoided(port) || avoided(port + 3))
			continue;
		out8((u16)port, (u8)port);
		out16((u16)port, (u16)port);
		out32((u16)port, port);
	}
	print("wrote the upper ones; still here\n");
	return 0;
}
