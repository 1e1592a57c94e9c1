// guest: 32
/* REP OUTS and REP INS with large counts, then with counts that run over the end of RAM. natively: a while of nothing. */
#include "guests/lib/guest.h"

#define PORT_POST 0x80 /* the POST code port: anything may be written to it */
#define LARGE	  1000000u

static void rep_outs(word from, u32 count)
{
	__asm__ volatile("rep outsb" : "+S"(from), "+c"(count) : "d"(PORT_POST) : "memory");
}

static void rep_ins(word to, u32 count)
{
	__asm__ volatile("rep insb" : "+D"(to), "+c"(count) : "d"(PORT_POST) : "memory");
}

static void rep_insl_backwards(word to, u32 count)
{
	__asm__ volatile("std; rep insl; cld" : "+D"(to), "+c"(count) : "d"(PORT_POST) : "memory");
}

int guest_main(void)
{
	word end = (word)boot_ram_end();

	rep_outs(0x100000, LARGE);
	print("rep outsb of %u bytes done\n", LARGE);
	rep_ins(end - 2 * LARGE, LARGE);
	rep_insl_backwards(end - LARGE, LARGE / 8);
	print("rep ins done\n");
	rep_outs(end - 64, 128);
	print("rep outsb over the end of RAM done\n");
	rep_ins(end - 64, 128);
	print("rep insb over the end of RAM done\n");
	if (option_number("endless", 0))
		rep_outs(0, ~0u);
	return 0;
}
