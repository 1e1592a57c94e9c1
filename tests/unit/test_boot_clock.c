// sources: boot/clock.c lib/calendar.c
/* Firmware's clock, against libc's calendar. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <time.h>
#include "boot/clock.h"

static const struct clock_reading noon = {.year = 2026, .month = 11, .day = 22, .hour = 12, .zone = CLOCK_ZONE_UNKNOWN};

static u64 by_libc(s32 year, s32 month, s32 day, s32 hour, s32 minute, s32 second)
{
	struct tm tm = {.tm_year = year - 1900, .tm_mon = month - 1, .tm_mday = day, .tm_hour = hour, .tm_min = minute,
			.tm_sec = second};

	return (u64)timegm(&tm);
}

static void test_dates(void **state)
{
	struct clock_reading reading = noon;

	(void)state;
	assert_int_equal(clock_seconds(&reading), by_libc(2026, 11, 22, 12, 0, 0));
	reading = (struct clock_reading){
		.year = 2028, .month = 2, .day = 29, .hour = 23, .minute = 59, .second = 59, .nanosecond = 999999999};
	assert_int_equal(clock_seconds(&reading), by_libc(2028, 2, 29, 23, 59, 59));
	reading = (struct clock_reading){.year = 9999, .month = 12, .day = 31, .zone = CLOCK_ZONE_UNKNOWN};
	assert_int_equal(clock_seconds(&reading), by_libc(9999, 12, 31, 0, 0, 0));
	reading = (struct clock_reading){.year = 1970, .month = 1, .day = 1, .second = 1};
	assert_int_equal(clock_seconds(&reading), 1);
}

/* "Localtime = UTC - TimeZone": an hour east of Greenwich is -60. */
static void test_zones(void **state)
{
	struct clock_reading reading = noon;

	(void)state;
	reading.zone = -60;
	assert_int_equal(clock_seconds(&reading), by_libc(2026, 11, 22, 11, 0, 0));
	reading.zone = 1440;
	assert_int_equal(clock_seconds(&reading), by_libc(2026, 11, 23, 12, 0, 0));
	reading = (struct clock_reading){.year = 1970, .month = 1, .day = 1, .zone = -60};
	assert_int_equal(clock_seconds(&reading), 0);
}

static void test_nonsense_is_no_time(void **state)
{
	struct clock_reading bad[] = {noon, noon, noon, noon, noon, noon, noon, noon, noon, noon, noon, noon};

	(void)state;
	bad[0].year = 1969;
	bad[1].year = 10000;
	bad[2].month = 0;
	bad[3].month = 13;
	bad[4].day = 0;
	bad[5].day = 32;
	bad[6].hour = 24;
	bad[7].minute = 60;
	bad[8].second = 60;
	bad[9].nanosecond = 1000000000;
	bad[10].zone = 1441;
	bad[11].zone = -1441;
	for (u32 i = 0; i < ARRAY_SIZE(bad); i++)
		assert_int_equal(clock_seconds(&bad[i]), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_dates),
		cmocka_unit_test(test_zones),
		cmocka_unit_test(test_nonsense_is_no_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
