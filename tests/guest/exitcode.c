// guest: 32
/* Ends at once with code=N (0). */
#include "guests/lib/guest.h"

int guest_main(void)
{
	return (int)option_number("code", 0);
}
