/* Days and dates of the Gregorian calendar. Pure. */
#ifndef LIB_CALENDAR_H
#define LIB_CALENDAR_H

#include "lib/types.h"

struct calendar_time {
	u32 year;  /* 1970 and later */
	u32 month; /* 1 to 12 */
	u32 day;   /* 1 to 31 */
	u32 weekday; /* 1: Sunday; ignored when read */
	u32 hour, minute, second;
};

struct calendar_time calendar_from_seconds(u64 seconds);
/* Fields out of their range count on into the next larger one, as clocks with nonsense in them do. */
u64 calendar_to_seconds(const struct calendar_time *time);

#endif
