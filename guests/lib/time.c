/* Time: the hypervisor's where it has some, else the TSC, measured once against the PIT. */
#include "guests/lib/guest.h"

#define PIT_CHANNEL_2 0x42
#define PIT_CONTROL   0x43
#define PORT_SYSTEM   0x61 /* bit 0: gate of channel 2, bit 1: speaker, bit 5: its output */
#define MEASURE_HZ    100  /* for a hundredth of a second */
#define PATIENCE      (1u << 24)
#define GUESS_KHZ     1000000u

static u64 khz, base;
static const char *source;

/* Ticks of the TSC in 1/MEASURE_HZ s by channel 2 in mode 0, or 0 without a PIT. (8254 data sheet, "Mode 0") */
static u64 measure(void)
{
	u16 count = PIT_HZ / MEASURE_HZ;
	u8 port = in8(PORT_SYSTEM) & 0xfcu;
	u64 start;
	u32 i;

	out8(PORT_SYSTEM, port | 1);
	out8(PIT_CONTROL, 0xb0);
	out8(PIT_CHANNEL_2, (u8)count);
	out8(PIT_CHANNEL_2, (u8)(count >> 8));
	start = rdtsc();
	if (in8(PORT_SYSTEM) & 0x20)
		return 0;
	for (i = 0; i < PATIENCE && !(in8(PORT_SYSTEM) & 0x20); i++)
		pause();
	return i < PATIENCE ? rdtsc() - start : 0;
}

static void time_init(void)
{
	if (on_trivisor()) {
		source = "hypercall";
		return;
	}
	khz = measure() * MEASURE_HZ / 1000;
	source = khz ? "TSC, measured by the PIT" : "TSC, its rate guessed (no PIT)";
	khz = khz ? khz : GUESS_KHZ;
	base = rdtsc();
}

u64 time_ns(void)
{
	u64 ticks;

	if (!source)
		time_init();
	if (!khz)
		return hypercall_time();
	ticks = rdtsc() - base;
	return ticks / khz * 1000000 + ticks % khz * 1000000 / khz;
}

const char *time_source(void)
{
	if (!source)
		time_init();
	return source;
}
