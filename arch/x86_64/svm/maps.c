#include "arch/x86_64/svm/maps.h"

/* The three ranges the map covers, each 2 KiB: two bits an MSR, read below write. */
static const struct {
	u32 first, byte;
} ranges[] = {
	{0x00000000, 0x0000},
	{0xc0000000, 0x0800},
	{0xc0010000, 0x1000},
};

#define RANGE_MSRS 0x2000u

/* Bit number of the MSR's read bit; false: not covered. */
static bool find(u32 msr, u32 *bit)
{
	for (u32 i = 0; i < ARRAY_SIZE(ranges); i++) {
		if (msr - ranges[i].first < RANGE_MSRS) {
			*bit = ranges[i].byte * 8 + (msr - ranges[i].first) * 2;
			return true;
		}
	}
	return false;
}

static void put(u8 *map, u32 bit, bool value)
{
	u8 mask = (u8)(1u << (bit & 7));

	map[bit >> 3] = (u8)(value ? map[bit >> 3] | mask : map[bit >> 3] & ~mask);
}

bool msr_map_set(u8 *map, u32 msr, bool read, bool write)
{
	u32 bit;

	if (!find(msr, &bit))
		return false;
	put(map, bit, read);
	put(map, bit + 1, write);
	return true;
}

bool msr_map_test(const u8 *map, u32 msr, bool write)
{
	u32 bit;

	if (!find(msr, &bit))
		return true;
	bit += write;
	return map[bit >> 3] >> (bit & 7) & 1;
}
