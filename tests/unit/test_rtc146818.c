// sources: vmm/devices/rtc146818.c lib/calendar.c vmm/devices/bus.c
/* The clock against its data sheet, the calendar against libc's. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <time.h>
#include "device_bench.h"
#include "lib/calendar.h"
#include "vmm/devices/rtc146818.h"

#define LINE   8
#define SECOND 1000000000ull

static struct bench bench;
static struct rtc146818 rtc;

static u8 get(u8 index)
{
	bench_out(&bench, 0x70, index);
	return bench_in(&bench, 0x71);
}

static void set(u8 index, u8 value)
{
	bench_out(&bench, 0x70, index);
	bench_out(&bench, 0x71, value);
}

static u64 seconds_of(int year, int month, int day, int hour, int minute, int second)
{
	struct tm tm = {.tm_year = year - 1900, .tm_mon = month - 1, .tm_mday = day, .tm_hour = hour, .tm_min = minute,
			.tm_sec = second};

	return (u64)timegm(&tm);
}

static int setup(void **state)
{
	(void)state;
	bench_init(&bench);
	bench.now = 7777;
	rtc_init(&rtc, &bench.services, LINE);
	rtc_set_time(&rtc, seconds_of(2026, 11, 22, 13, 59, 58));
	assert_int_equal(rtc_attach(&rtc, &bench.bus), OK);
	return 0;
}

static void assert_time(u8 century, u8 year, u8 month, u8 day, u8 hour, u8 minute, u8 second)
{
	assert_int_equal(get(0), second);
	assert_int_equal(get(2), minute);
	assert_int_equal(get(4), hour);
	assert_int_equal(get(7), day);
	assert_int_equal(get(8), month);
	assert_int_equal(get(9), year);
	assert_int_equal(get(0x32), century);
}

static void test_calendar(void **state)
{
	u64 seconds = 0;

	(void)state;
	for (u32 i = 0; i < 200000; i++, seconds += 43199 + 86400 * (i % 5)) {
		struct calendar_time ours = calendar_from_seconds(seconds);
		time_t t = (time_t)seconds;
		struct tm theirs;

		gmtime_r(&t, &theirs);
		assert_int_equal(ours.year, theirs.tm_year + 1900);
		assert_int_equal(ours.month, theirs.tm_mon + 1);
		assert_int_equal(ours.day, theirs.tm_mday);
		assert_int_equal(ours.weekday, theirs.tm_wday + 1);
		assert_int_equal(ours.hour, theirs.tm_hour);
		assert_int_equal(ours.minute, theirs.tm_min);
		assert_int_equal(ours.second, theirs.tm_sec);
		assert_int_equal(calendar_to_seconds(&ours), seconds);
	}
}

static void test_reads_bcd(void **state)
{
	(void)state;
	assert_time(0x20, 0x26, 0x11, 0x22, 0x13, 0x59, 0x58);
	assert_int_equal(get(6), 1); /* Sunday */
	assert_int_equal(get(0x0d), 0x80);
	bench_pass(&bench, 2 * SECOND);
	assert_time(0x20, 0x26, 0x11, 0x22, 0x14, 0x00, 0x00);
	bench_pass(&bench, 10 * 3600 * SECOND);
	assert_time(0x20, 0x26, 0x11, 0x23, 0x00, 0x00, 0x00);
}

static void test_binary_and_12_hours(void **state)
{
	(void)state;
	set(0x0b, 0x86); /* SET, binary, 24 h */
	set(9, 99);
	set(0x32, 19);
	set(8, 12);
	set(7, 31);
	set(4, 23);
	set(2, 59);
	set(0, 59);
	set(0x0b, 0x06);
	assert_time(19, 99, 12, 31, 23, 59, 59);
	bench_pass(&bench, SECOND);
	assert_time(20, 0, 1, 1, 0, 0, 0);
	set(0x0b, 0x84); /* 12 h */
	set(4, 0x80 | 12);
	set(0x0b, 0x04);
	bench_pass(&bench, SECOND);
	assert_int_equal(get(4), 0x80 | 12); /* noon */
	bench_pass(&bench, 3600 * SECOND);
	assert_int_equal(get(4), 0x80 | 1);
	bench_pass(&bench, 11 * 3600 * SECOND);
	assert_int_equal(get(4), 12); /* midnight */
	bench_pass(&bench, 3600 * SECOND);
	assert_int_equal(get(4), 1);
}

static void test_set_stops_the_clock(void **state)
{
	(void)state;
	bench_pass(&bench, SECOND / 4);
	set(0x0b, 0x82);
	bench_pass(&bench, 10 * SECOND);
	assert_int_equal(get(0), 0x58);
	assert_int_equal(get(0x0a) & 0x80, 0);
	set(0x0b, 0x02);
	assert_int_equal(get(0), 0x58);
	bench_pass(&bench, 3 * SECOND / 4 - 1); /* the fraction went on */
	assert_int_equal(get(0), 0x58);
	bench_pass(&bench, 1);
	assert_int_equal(get(0), 0x59);
}

static void test_update_in_progress(void **state)
{
	(void)state;
	assert_int_equal(get(0x0a), 0x26);
	bench_pass(&bench, SECOND - 244001);
	assert_int_equal(get(0x0a), 0x26);
	bench_pass(&bench, 1);
	assert_int_equal(get(0x0a), 0xa6);
	bench_pass(&bench, 243999);
	assert_int_equal(get(0x0a), 0xa6);
	assert_int_equal(get(0), 0x58);
	bench_pass(&bench, 1);
	assert_int_equal(get(0x0a), 0x26);
	assert_int_equal(get(0), 0x59);
	set(0x0a, 0xff);
	assert_int_equal(get(0x0a), 0x7f); /* UIP cannot be written */
}

static void test_divider_reset(void **state)
{
	(void)state;
	set(0x0a, 0x66);
	bench_pass(&bench, 5 * SECOND);
	assert_int_equal(get(0), 0x58);
	set(0x0a, 0x26);
	bench_pass(&bench, SECOND / 2 - 1);
	assert_int_equal(get(0), 0x58);
	bench_pass(&bench, 1);
	assert_int_equal(get(0), 0x59);
}

static void test_update_interrupt(void **state)
{
	(void)state;
	get(0x0c);
	set(0x0b, 0x12);
	bench_pass(&bench, SECOND - 1);
	assert_false(bench.line[LINE]);
	bench_pass(&bench, 1);
	assert_true(bench.line[LINE]);
	bench_pass(&bench, 3 * SECOND); /* stays until C is read, and costs no timers */
	assert_int_equal(bench.rises[LINE], 1);
	assert_int_equal(get(0x0c) & 0xb0, 0x90);
	assert_false(bench.line[LINE]);
	assert_int_equal(get(0x0c), 0);
	bench_pass(&bench, SECOND);
	assert_int_equal(bench.rises[LINE], 2);
	set(0x0b, 0x92); /* SET clears UIE */
	assert_int_equal(get(0x0b), 0x82);
}

static void test_alarm(void **state)
{
	(void)state;
	set(1, 0x03);
	set(3, 0x00);
	set(5, 0x14);
	set(0x0b, 0x22);
	get(0x0c);
	bench_pass(&bench, 5 * SECOND - 1);
	assert_false(bench.line[LINE]);
	assert_int_equal(bench_pass(&bench, 1), 1);
	assert_true(bench.line[LINE]);
	assert_int_equal(get(0x0c) & 0xa0, 0xa0);
	bench_pass(&bench, 86400 * SECOND - 1);
	assert_false(bench.line[LINE]);
	bench_pass(&bench, 1);
	assert_true(bench.line[LINE]);
}

static void test_alarm_wildcards(void **state)
{
	(void)state;
	set(1, 0x10);
	set(3, 0xff);
	set(5, 0xc0);
	set(0x0b, 0x22);
	for (u32 i = 0; i < 5; i++) {
		bench_pass(&bench, i ? 60 * SECOND : 12 * SECOND);
		assert_int_equal(bench.rises[LINE], i + 1);
		get(0x0c);
	}
	set(1, 0x6f); /* no such second: never, and quickly found */
	bench_pass(&bench, 10 * 86400 * SECOND);
	assert_int_equal(bench.rises[LINE], 5);
	assert_ptr_equal(bench_next(&bench), NULL);
}

static void test_alarm_without_interrupt_sets_the_flag(void **state)
{
	(void)state;
	set(1, 0x00);
	set(3, 0xff);
	set(5, 0xff);
	get(0x0c);
	assert_ptr_equal(bench_next(&bench), NULL);
	bench_pass(&bench, SECOND);
	assert_int_equal(get(0x0c) & 0xf0, 0x50); /* update and period, no alarm */
	bench_pass(&bench, SECOND);
	assert_int_equal(get(0x0c) & 0xf0, 0x70);
	assert_int_equal(bench.rises[LINE], 0);
}

static void test_periodic(void **state)
{
	(void)state;
	set(0x0a, 0x26); /* 1024 Hz */
	set(0x0b, 0x42);
	for (u32 i = 0; i < 1024; i++) {
		bench_pass(&bench, SECOND / 1024 + 1);
		assert_true(bench.line[LINE]);
		assert_int_equal(get(0x0c) & 0xc0, 0xc0);
	}
	set(0x0a, 0x2f); /* 2 Hz */
	get(0x0c);
	bench_pass(&bench, SECOND);
	assert_int_equal(bench.rises[LINE], 1025); /* once: not acknowledged */
	set(0x0a, 0x20); /* off */
	get(0x0c);
	bench_pass(&bench, 10 * SECOND);
	assert_int_equal(bench.rises[LINE], 1025);
	/* Rates 1 and 2 are as 8 and 9 with this crystal: 256 and 128 Hz. */
	for (u8 rate = 1; rate <= 2; rate++) {
		u32 before = bench.rises[LINE];

		set(0x0a, 0x20 | rate);
		for (u32 i = 0; i < 1000; i++) {
			bench_pass(&bench, SECOND / 1000);
			get(0x0c);
		}
		assert_in_range(bench.rises[LINE] - before, rate == 1 ? 255 : 127, rate == 1 ? 257 : 129);
	}
}

static void test_memory_and_ports(void **state)
{
	(void)state;
	for (u8 i = 0x0e; i < 0x7f; i++)
		if (i != 0x32)
			set(i, (u8)~i);
	for (u8 i = 0x0e; i < 0x7f; i++)
		if (i != 0x32)
			assert_int_equal(get(i), (u8)~i);
	bench_out(&bench, 0x70, 0x8e); /* bit 7 is the NMI mask */
	assert_int_equal(bench_in(&bench, 0x71), 0xf1);
	assert_int_equal(bench_in(&bench, 0x70), 0xff);
	bench_out_sized(&bench, 0x70, 2, 0x5510);
	assert_int_equal(get(0x10), 0x55);
	set(0x0d, 0);
	assert_int_equal(get(0x0d), 0x80);
	rtc_set_cmos(&rtc, 0x15, 0x80);
	assert_int_equal(get(0x15), 0x80);
}

static void test_reset_keeps_time(void **state)
{
	(void)state;
	set(0x0b, 0x72);
	bench_pass(&bench, SECOND);
	assert_true(bench.line[LINE]);
	rtc.device.ops->reset(&rtc.device);
	assert_false(bench.line[LINE]);
	assert_int_equal(get(0x0b), 0x02);
	assert_int_equal(get(0), 0x59);
	assert_ptr_equal(bench_next(&bench), NULL);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup(f, setup)
	const struct CMUnitTest tests[] = {
		TEST(test_calendar), TEST(test_reads_bcd), TEST(test_binary_and_12_hours),
		TEST(test_set_stops_the_clock),
		TEST(test_update_in_progress), TEST(test_divider_reset), TEST(test_update_interrupt), TEST(test_alarm),
		TEST(test_alarm_wildcards), TEST(test_alarm_without_interrupt_sets_the_flag), TEST(test_periodic),
		TEST(test_memory_and_ports), TEST(test_reset_keeps_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
