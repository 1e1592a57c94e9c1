// guest: 32
/* Halts with interrupts off: nothing can ever wake it. */
#include "guests/lib/guest.h"

int guest_main(void)
{
	print("halting for good\n");
	for (;;) {
		cli();
		hlt();
	}
}
