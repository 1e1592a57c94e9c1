/* A 64-bit guest is itself the second half: nothing follows. */
#include "guests/lib/guest.h"

void second_half(void)
{
	guest_exit(0);
}
