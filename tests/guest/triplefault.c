// guest: 32
/* Triple fault: an exception with no IDT to deliver it. Ends the machine it runs on, natively by a reset. */
#include "guests/lib/guest.h"

int guest_main(void)
{
	struct table_pointer nothing = {0, 0};

	print("about to triple-fault\n");
	lidt(&nothing);
	__asm__ volatile("ud2");
	return 1;
}
