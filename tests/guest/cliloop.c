// guest: 32
/* Loops with interrupts off and without one exit of its own: for `mticks=N` million TSC ticks, or for ever (0). */
#include "guests/lib/guest.h"

int guest_main(void)
{
	u64 ticks = option_number("mticks", 0) * 1000000, start = rdtsc();

	print("looping with interrupts off\n");
	cli();
	while (!ticks || rdtsc() - start < ticks)
		;
	print("loop over\n");
	return 0;
}
