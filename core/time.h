/* Units of time. The hypervisor counts in TSC ticks; names end in _ticks, _ns, _us or _ms. Pure. */
#ifndef CORE_TIME_H
#define CORE_TIME_H

#include "lib/types.h"

extern u64 tsc_hz; /* set once at boot by the calibration (arch/x86_64/cpu/tsc.c), then constant */

static inline u64 ns_to_ticks(u64 ns)
{
	return (u64)((unsigned __int128)ns * tsc_hz / 1000000000u);
}

static inline u64 us_to_ticks(u64 us)
{
	return ns_to_ticks(us * 1000);
}

static inline u64 ms_to_ticks(u64 ms)
{
	return ns_to_ticks(ms * 1000000);
}

static inline u64 ticks_to_ns(u64 ticks)
{
	return (u64)((unsigned __int128)ticks * 1000000000u / tsc_hz);
}

static inline u64 ticks_to_us(u64 ticks)
{
	return ticks_to_ns(ticks) / 1000;
}

/*
 * The time of day, UTC: `wall_start_ns` since 1970 when the boot core's TSC was `wall_start_ticks`. Set once at boot
 * from what the loader handed over; both 0 where firmware has no clock, and the machine then thinks that it was
 * switched on in 1970.
 */
extern u64 wall_start_ns, wall_start_ticks;

/* Nanoseconds since 1970 at a TSC not before wall_start_ticks. */
static inline u64 wall_ns_at(u64 ticks)
{
	return wall_start_ns + ticks_to_ns(ticks - wall_start_ticks);
}

#endif
