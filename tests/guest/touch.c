// guest: 64
/*
 * Writes to each page of the first mib=N MiB above FIRST, which must have been zero, and reads all of it again:
 * seconds=N after its start.
 */
#include "guests/lib/guest.h"

#define PAGE  4096u
#define FIRST (16ull << 20) /* above all that a loader puts anywhere */

/* Each page gets its own address, over zeroes. */
static u32 write_all(u64 end)
{
	u32 wrong = 0;

	for (u64 at = FIRST; at < end; at += PAGE) {
		volatile u64 *word_of = (volatile u64 *)at;

		wrong += word_of[511] != 0;
		word_of[0] = at;
	}
	return wrong;
}

static u32 read_all(u64 end)
{
	u32 wrong = 0;

	for (u64 at = FIRST; at < end; at += PAGE)
		wrong += *(volatile u64 *)at != at || *(volatile u64 *)(at + PAGE - 8) != 0;
	return wrong;
}

int guest_main(void)
{
	u64 size = option_number("mib", 1) << 20;
	u64 begin = time_ns() + option_number("seconds", 0) * 1000000000;
	u32 wrong;

	while (time_ns() < begin)
		;
	wrong = write_all(FIRST + size);
	wrong += read_all(FIRST + size);
	print("%u MiB touched, %u pages wrong\n", (u32)(size >> 20), wrong);
	return wrong ? 1 : 0;
}
