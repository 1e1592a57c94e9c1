// guest: 32
/*
 * Reads, or with access=write writes, where there is no RAM; natively nothing answers (all ones, or in QEMU zero, are
 * read).
 */
#include "guests/lib/guest.h"

#define BEYOND (64u << 20) /* this far above the end of RAM */

int guest_main(void)
{
	volatile u32 *where = (volatile u32 *)((u32)boot_ram_end() + BEYOND);
	char access[8] = "read";

	option_text("access", access, sizeof(access));
	print("about to %s beyond RAM, at 0x%lx\n", access, (word)where);
	if (access[0] == 'w')
		*where = 0x12345678;
	else
		print("read 0x%x\n", *where);
	return 0;
}
