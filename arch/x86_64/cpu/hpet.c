#include "arch/x86_64/cpu/hpet.h"
#include "arch/x86_64/mmu/root.h"

#define HPET_CAPABILITIES  0x000 /* period in femtoseconds in the upper half */
#define HPET_CONFIGURATION 0x010
#define HPET_COUNTER	   0x0f0
#define HPET_TIMER(n)	   (0x100 + 0x20 * (n))

#define CONFIGURATION_ENABLE BIT(0)
#define CONFIGURATION_LEGACY BIT(1)
#define TIMER_INTERRUPT	     BIT(2)

#define FEMTOSECONDS 1000000000000000ull
#define MAX_PERIOD   100000000u /* 100 ns: the specification's slowest */

static volatile u8 *registers;
static paddr_t opened;

static u32 read32(u32 offset)
{
	return *(volatile u32 *)(registers + offset);
}

static void write32(u32 offset, u32 value)
{
	*(volatile u32 *)(registers + offset) = value;
}

static u32 period(void)
{
	return read32(HPET_CAPABILITIES + 4);
}

bool hpet_open(paddr_t pa)
{
	if (pa == 0)
		return false;
	if (opened != pa) {
		paddr_t page = ALIGN_DOWN(pa, PAGE_SIZE);
		volatile u8 *mapped = map_device(page, PAGE_SIZE, CACHE_UC);

		if (!mapped)
			return false;
		registers = mapped + (pa - page);
		opened = pa;
	}
	if (period() == 0 || period() > MAX_PERIOD)
		return false;
	write32(HPET_CONFIGURATION, read32(HPET_CONFIGURATION) | (u32)CONFIGURATION_ENABLE);
	return true;
}

u64 hpet_hz(void)
{
	return FEMTOSECONDS / period();
}

u32 hpet_read(void)
{
	return read32(HPET_COUNTER);
}

void hpet_quiet(void)
{
	u32 timers = (read32(HPET_CAPABILITIES) >> 8 & 0x1f) + 1;

	write32(HPET_CONFIGURATION, read32(HPET_CONFIGURATION) & ~(u32)CONFIGURATION_LEGACY);
	for (u32 i = 0; i < timers; i++)
		write32(HPET_TIMER(i), read32(HPET_TIMER(i)) & ~(u32)TIMER_INTERRUPT);
}
