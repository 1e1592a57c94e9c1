// guest: 32
/* Jumps to where there is no memory at all. */
#include "guests/lib/guest.h"

#define BEYOND (64u << 20) /* this far above the end of RAM */

int guest_main(void)
{
	void (*nowhere)(void) = (void (*)(void))((u32)boot_ram_end() + BEYOND);

	print("about to jump to 0x%lx\n", (word)nowhere);
	nowhere();
	print("came back\n");
	return 1;
}
