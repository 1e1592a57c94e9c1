// guest: 32
/* Prints lines far longer than any buffer, and at the end one without a newline. */
#include "guests/lib/guest.h"

static void line(u32 length)
{
	for (u32 i = 0; i < length; i++)
		put_char((char)('a' + i % 26));
}

int guest_main(void)
{
	print("long lines follow\n");
	for (u32 length = 100; length <= 100000; length *= 10) {
		line(length);
		put_char('\n');
	}
	print("long lines over\n");
	line(300);
	return 0;
}
