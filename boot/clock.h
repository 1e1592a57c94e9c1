/* What firmware's clock shows, as a time of day. Pure. */
#ifndef BOOT_CLOCK_H
#define BOOT_CLOCK_H

#include "lib/types.h"

/* UEFI "GetTime()": EFI_TIME. */
struct clock_reading {
	u32 year, month, day, hour, minute, second, nanosecond;
	s32 zone; /* UTC is this many minutes later; CLOCK_ZONE_UNKNOWN: local time of an unknown place */
};

#define CLOCK_ZONE_UNKNOWN 0x7ff

/*
 * Seconds since 1970, UTC. A clock of an unknown zone is taken to show UTC, as Linux takes it. 0: what it shows is no
 * time, or before 1970.
 */
u64 clock_seconds(const struct clock_reading *reading);

#endif
