#include "boot/clock.h"
#include "lib/calendar.h"

#define ZONE_LIMIT 1440 /* minutes */

/* The ranges of EFI_TIME: a clock that has lost its battery may show anything. */
static bool sane(const struct clock_reading *reading)
{
	s32 zone = reading->zone;

	return reading->year >= 1970 && reading->year <= 9999 && reading->month >= 1 && reading->month <= 12 &&
	       reading->day >= 1 && reading->day <= 31 && reading->hour <= 23 && reading->minute <= 59 &&
	       reading->second <= 59 && reading->nanosecond <= 999999999 &&
	       (zone == CLOCK_ZONE_UNKNOWN || (zone >= -ZONE_LIMIT && zone <= ZONE_LIMIT));
}

u64 clock_seconds(const struct clock_reading *reading)
{
	const struct calendar_time local = {.year = reading->year, .month = reading->month, .day = reading->day,
		.hour = reading->hour, .minute = reading->minute, .second = reading->second};
	s64 seconds;

	if (!sane(reading))
		return 0;
	seconds = (s64)calendar_to_seconds(&local);
	if (reading->zone != CLOCK_ZONE_UNKNOWN)
		seconds += reading->zone * 60;
	return seconds > 0 ? (u64)seconds : 0;
}
