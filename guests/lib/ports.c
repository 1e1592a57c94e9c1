/* Ports that a guest which tries everything must leave alone. */
#include "guests/lib/guest.h"

static const struct {
	u16 first, last;
} kept[] = {
	{0x60, 0x64},	  /* keyboard controller: resets; port 0x61: speaker */
	{0x89, 0x92},	  /* port 0x92: resets */
	{0xe6, 0xf7},	  /* debug console, debug exit */
	{0x3f5, 0x3ff},	  /* COM1 */
	{0x500, 0x607},	  /* ACPI power management */
	{0xb000, 0xb0ff}, /* the same in Bochs */
	{0xcf6, 0xcff},	  /* PCI configuration, port 0xcf9: resets */
	{0x8900, 0x8901}, /* Bochs: shutdown */
};

bool port_ends_or_prints(u32 port)
{
	for (u32 i = 0; i < ARRAY_SIZE(kept); i++)
		if (port + 3 >= kept[i].first && port <= kept[i].last)
			return true;
	return false;
}
