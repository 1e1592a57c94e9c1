// guest: 32
/* Prints every byte there is, terminal escapes, and lines that try to look like another VM's or the hypervisor's. */
#include "guests/lib/guest.h"

static const char forged[] =
	"\rhello| forged\n\x1b[2J\x1b[H\x1b]0;title\ahello| forged\n\x1b[31m\x9b\x32Jpanic: forged\n";

int guest_main(void)
{
	u8 all[256];

	for (u32 i = 0; i < sizeof(all); i++)
		all[i] = (u8)i;
	print("bytes follow\n");
	put_bytes(all, sizeof(all));
	put_bytes("\n", 1);
	put_bytes(forged, sizeof(forged));
	print("\nbytes over\n");
	return 0;
}
