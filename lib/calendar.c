/* Years are counted from March, so that the leap day is the last of its year and months have a simple pattern. */
#include "lib/calendar.h"

#define DAY_SECONDS	86400u
#define DAYS_PER_CYCLE	146097u /* 400 years */
#define DAYS_TO_1970	719468u /* from 0000-03-01 */
#define THURSDAY	4u	/* 1970-01-01, Sunday being 0 */

/* Days before the month, counted from March = 0, within a year that begins in March. */
static u32 days_before_month(u32 month_from_march)
{
	return (153 * month_from_march + 2) / 5;
}

static u64 days_before_year(u64 year)
{
	return 365 * year + year / 4 - year / 100 + year / 400;
}

u64 calendar_to_seconds(const struct calendar_time *time)
{
	u64 months = 12ull * time->year + (time->month ? time->month - 1 : 0) - 2; /* from March of year 0 */
	u64 days = days_before_year(months / 12) + days_before_month((u32)(months % 12)) + time->day;

	/* `days` counts the first of a month as 1. */
	days = days > DAYS_TO_1970 ? days - 1 - DAYS_TO_1970 : 0;
	return days * DAY_SECONDS + time->hour * 3600ull + time->minute * 60ull + time->second;
}

struct calendar_time calendar_from_seconds(u64 seconds)
{
	u64 days = seconds / DAY_SECONDS, from_march = days + DAYS_TO_1970;
	u32 rest = (u32)(seconds % DAY_SECONDS);
	u64 cycle = from_march / DAYS_PER_CYCLE;
	u32 day = (u32)(from_march % DAYS_PER_CYCLE);
	/* The year within the cycle: take out the leap days that the days so far hold. */
	u32 year = (day - day / 1460 + day / 36524 - day / 146096) / 365;
	u32 day_of_year = day - (u32)days_before_year(year);
	u32 month = (5 * day_of_year + 2) / 153;

	return (struct calendar_time){
		.year = (u32)(400 * cycle) + year + (month >= 10),
		.month = month < 10 ? month + 3 : month - 9,
		.day = day_of_year - days_before_month(month) + 1,
		.weekday = (u32)((days + THURSDAY) % 7) + 1,
		.hour = rest / 3600,
		.minute = rest / 60 % 60,
		.second = rest % 60,
	};
}
