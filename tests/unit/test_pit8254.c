// sources: vmm/devices/pit8254.c vmm/devices/pit_channel.c vmm/devices/bus.c
/* The 8254 against its data sheet; time in PIT ticks. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include "device_bench.h"
#include "vmm/devices/pit8254.h"

static struct bench bench;
static struct pit8254 pit;

static u8 in(u16 port)
{
	return bench_in(&bench, port);
}

static void out(u16 port, u8 value)
{
	bench_out(&bench, port, value);
}

static u64 tick_ns(u64 tick)
{
	return (u64)(((unsigned __int128)tick * 1000000000u + PIT_HZ - 1) / PIT_HZ);
}

/* Go on to the moment at which `tick` has just come. */
static void at(u64 tick)
{
	assert_true(tick_ns(tick) >= bench.now);
	bench_pass(&bench, tick_ns(tick) - bench.now);
}

static int setup(void **state)
{
	(void)state;
	bench_init(&bench);
	pit_init(&pit, &bench.services, 0);
	assert_int_equal(pit_attach(&pit, &bench.bus), OK);
	return 0;
}

static void load(u32 channel, u8 control, u16 count)
{
	out(0x43, (u8)(channel << 6 | control));
	out((u16)(0x40 + channel), (u8)count);
	out((u16)(0x40 + channel), (u8)(count >> 8));
}

static u16 read16(u16 port)
{
	u8 low = in(port);

	return (u16)(low | in(port) << 8);
}

static u16 latched(u32 channel)
{
	out(0x43, (u8)(channel << 6));
	return read16((u16)(0x40 + channel));
}

static u8 status(u32 channel)
{
	out(0x43, (u8)(0xe0 | 2u << channel));
	return in((u16)(0x40 + channel));
}

static bool output2(void)
{
	return in(0x61) & 0x20;
}

/* Mode 0: low until N + 1 ticks after the write, then high for good; the counter goes on. */
static void test_mode_0(void **state)
{
	(void)state;
	out(0x61, 1);
	load(2, 0x30, 100);
	assert_false(output2());
	at(1);
	assert_int_equal(latched(2), 100);
	at(51);
	assert_int_equal(latched(2), 50);
	at(100);
	assert_int_equal(latched(2), 1);
	assert_false(output2());
	at(101);
	assert_int_equal(latched(2), 0);
	assert_true(output2());
	at(102);
	assert_int_equal(latched(2), 0xffff);
	at(70000);
	assert_true(output2());
	assert_int_equal(latched(2), (u16)(100 - (70000 - 1)));
}

static void test_mode_0_gate(void **state)
{
	(void)state;
	out(0x61, 1);
	load(2, 0x30, 100);
	at(31);
	out(0x61, 0);
	at(500);
	assert_int_equal(latched(2), 70);
	assert_false(output2());
	out(0x61, 1);
	at(569);
	assert_false(output2());
	at(570);
	assert_true(output2());
}

static void test_mode_0_line(void **state)
{
	(void)state;
	load(0, 0x30, 1000);
	assert_false(bench.line[0]);
	at(1000);
	assert_false(bench.line[0]);
	at(1001);
	assert_true(bench.line[0]);
	at(100000);
	assert_int_equal(bench.rises[0], 1);
	/* A new count takes the line down at its first byte. */
	out(0x40, 10);
	assert_false(bench.line[0]);
	assert_ptr_equal(bench_next(&bench), NULL);
	out(0x40, 0);
	at(100011);
	assert_int_equal(bench.rises[0], 2);
}

static void test_mode_1(void **state)
{
	(void)state;
	load(2, 0x32, 50);
	assert_true(output2());
	at(100);
	assert_true(output2());
	out(0x61, 1); /* trigger */
	at(101);
	assert_false(output2());
	at(150);
	assert_false(output2());
	at(151);
	assert_true(output2());
	out(0x61, 0);
	out(0x61, 1);
	at(170);
	out(0x61, 0); /* low gate changes nothing */
	out(0x61, 1); /* but rising triggers again */
	at(202);
	assert_false(output2());
	at(221);
	assert_true(output2());
}

static void test_mode_2(void **state)
{
	(void)state;
	out(0x61, 1);
	load(2, 0x34, 10);
	at(1);
	for (u32 cycle = 0; cycle < 3; cycle++)
		for (u32 i = 0; i < 10; i++) {
			at(1 + cycle * 10 + i);
			assert_int_equal(latched(2), 10 - i);
			assert_int_equal(output2(), i != 9);
		}
	out(0x61, 0); /* low gate: high output, no counting */
	at(35);
	assert_true(output2());
	out(0x61, 1); /* rising: starts anew */
	at(36);
	assert_int_equal(latched(2), 10);
}

static void test_mode_2_new_count_waits(void **state)
{
	(void)state;
	out(0x61, 1);
	load(2, 0x34, 100);
	at(51);
	out(0x42, 40);
	out(0x42, 0);
	assert_int_equal(latched(2), 50);
	assert_int_equal(status(2) & 0x40, 0x40); /* null count */
	at(100);
	assert_int_equal(latched(2), 1);
	at(101);
	assert_int_equal(latched(2), 40);
	assert_int_equal(status(2) & 0x40, 0);
	at(141);
	assert_int_equal(latched(2), 40);
}

static void test_mode_3(void **state)
{
	(void)state;
	out(0x61, 1);
	load(2, 0x36, 10);
	for (u32 i = 0; i < 20; i++) {
		at(1 + i);
		assert_int_equal(output2(), i % 10 < 5);
		assert_int_equal(latched(2), 10 - 2 * (i % 5));
	}
	load(2, 0x36, 7); /* odd: high for one tick more */
	for (u32 i = 0; i < 14; i++) {
		at(22 + i - 1);
		assert_int_equal(output2(), i % 7 < 4);
	}
}

static void test_mode_3_new_count_at_half(void **state)
{
	(void)state;
	out(0x61, 1);
	load(2, 0x36, 100);
	at(21);
	out(0x42, 20);
	out(0x42, 0);
	at(50);
	assert_true(output2());
	at(51); /* the low half is already the new one */
	assert_false(output2());
	at(60);
	assert_false(output2());
	at(61);
	assert_true(output2());
	at(71);
	assert_false(output2());
	/* Written in the low half: the next whole cycle. */
	out(0x42, 40);
	out(0x42, 0);
	at(80);
	assert_false(output2());
	at(81);
	assert_true(output2());
	at(100);
	assert_true(output2());
	at(101);
	assert_false(output2());
}

static void test_mode_4(void **state)
{
	(void)state;
	out(0x61, 1);
	load(2, 0x38, 10);
	at(10);
	assert_true(output2());
	at(11);
	assert_false(output2());
	at(12);
	assert_true(output2());
	at(100000);
	assert_true(output2());
}

static void test_mode_5(void **state)
{
	(void)state;
	load(2, 0x3a, 10);
	at(100);
	assert_true(output2());
	out(0x61, 1);
	at(110);
	assert_true(output2());
	at(111);
	assert_false(output2());
	at(112);
	assert_true(output2());
}

static void test_periodic_interrupts(void **state)
{
	static const u8 modes[] = {0x34, 0x36};

	(void)state;
	for (u32 i = 0; i < 2; i++) {
		u32 before;
		u64 start;

		start = bench.now * PIT_HZ / 1000000000;
		load(0, modes[i], 11932); /* 100 Hz */
		before = bench.rises[0];
		at(start + 1 + 11931);
		assert_int_equal(bench.rises[0], before);
		at(start + 1 + 11932);
		assert_int_equal(bench.rises[0], before + 1);
		at(start + 1 + 100 * 11932);
		assert_int_equal(bench.rises[0], before + 100);
	}
}

static void test_largest_count(void **state)
{
	(void)state;
	load(0, 0x34, 0);
	u32 before = bench.rises[0];

	at(65536);
	assert_int_equal(bench.rises[0], before);
	at(65537);
	assert_int_equal(bench.rises[0], before + 1);
}

static void test_one_shot_line_in_mode_4(void **state)
{
	u32 before;

	(void)state;
	load(0, 0x38, 100);
	before = bench.rises[0];
	at(101);
	assert_int_equal(bench.rises[0], before);
	at(102);
	assert_int_equal(bench.rises[0], before + 1);
	at(500000);
	assert_int_equal(bench.rises[0], before + 1);
}

static void test_too_fast_is_slowed(void **state)
{
	(void)state;
	load(0, 0x34, 2);
	assert_in_range(bench_pass(&bench, 100000000), 900, 1010); /* 100 ms: at most every 100 us */
}

static void test_late_timer_skips(void **state)
{
	(void)state;
	load(0, 0x34, 1000);
	u32 before = bench.rises[0];

	bench.now = tick_ns(10501); /* the core was busy elsewhere */
	bench_pass(&bench, 0);
	assert_int_equal(bench.rises[0], before + 1);
	at(11001);
	assert_int_equal(bench.rises[0], before + 2);
}

static void test_access_modes(void **state)
{
	(void)state;
	out(0x61, 1);
	out(0x43, 0x90); /* low byte only */
	out(0x42, 200);
	at(1);
	assert_int_equal(in(0x42), 200);
	assert_int_equal(in(0x42), 200);
	out(0x43, 0xa0); /* high byte only */
	out(0x42, 0x12);
	at(2);
	assert_int_equal(in(0x42), 0x12);
	load(2, 0x30, 0x1234);
	at(3);
	assert_int_equal(in(0x42), 0x34);
	assert_int_equal(in(0x42), 0x12);
}

static void test_latch_holds(void **state)
{
	(void)state;
	out(0x61, 1);
	load(2, 0x34, 1000);
	at(101);
	out(0x43, 0x80);
	at(151);
	out(0x43, 0x80); /* a second latch is ignored until the first is read */
	assert_int_equal(in(0x42), (u8)900);
	at(201);
	assert_int_equal(in(0x42), 900 >> 8);
	assert_int_equal(read16(0x42), 800); /* live again */
}

static void test_read_back(void **state)
{
	(void)state;
	out(0x61, 1);
	load(2, 0x34, 1000);
	load(0, 0x36, 500);
	at(101);
	out(0x43, 0xca); /* count and status of channels 0 and 2 */
	at(151);
	assert_int_equal(in(0x42), 0x80 | 0x34);
	assert_int_equal(read16(0x42), 900);
	assert_int_equal(in(0x40), 0x80 | 0x36);
	assert_int_equal(read16(0x40), 300);
	out(0x43, 0xd8); /* count only */
	assert_int_equal(read16(0x42), 850);
	out(0x43, 0xe8); /* status only */
	assert_int_equal(in(0x42), 0x80 | 0x34);
	out(0x43, 0xb0);
	assert_int_equal(status(2), 0x40 | 0x30); /* mode 0 without a count: low, null */
}

static void test_bcd(void **state)
{
	(void)state;
	out(0x61, 1);
	load(2, 0x31, 0x1000);
	at(1);
	assert_int_equal(latched(2), 0x1000);
	at(2);
	assert_int_equal(latched(2), 0x0999);
	at(1001);
	assert_int_equal(latched(2), 0);
	assert_true(output2());
	at(1002);
	assert_int_equal(latched(2), 0x9999);
	load(2, 0x35, 0);
	at(1003);
	assert_int_equal(latched(2), 0); /* 10000 */
	at(1004);
	assert_int_equal(latched(2), 0x9999);
}

static void test_modes_6_and_7(void **state)
{
	(void)state;
	out(0x43, 0xbc);
	assert_int_equal(status(2) & 0x0e, 0x04);
	out(0x43, 0xbe);
	assert_int_equal(status(2) & 0x0e, 0x06);
}

static void test_port_61(void **state)
{
	u8 before = in(0x61) & 0x10;

	(void)state;
	out(0x61, 0xff);
	assert_int_equal(in(0x61) & 0x0f, 0x0f);
	assert_int_equal(in(0x61) & 0xc0, 0);
	bench_pass(&bench, 15085);
	assert_int_not_equal(in(0x61) & 0x10, before);
	bench_pass(&bench, 15085);
	assert_int_equal(in(0x61) & 0x10, before);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup(f, setup)
	const struct CMUnitTest tests[] = {
		TEST(test_mode_0), TEST(test_mode_0_gate), TEST(test_mode_0_line), TEST(test_mode_1), TEST(test_mode_2),
		TEST(test_mode_2_new_count_waits), TEST(test_mode_3), TEST(test_mode_3_new_count_at_half),
		TEST(test_mode_4),
		TEST(test_mode_5), TEST(test_periodic_interrupts), TEST(test_largest_count),
		TEST(test_one_shot_line_in_mode_4),
		TEST(test_too_fast_is_slowed), TEST(test_late_timer_skips), TEST(test_access_modes),
		TEST(test_latch_holds),
		TEST(test_read_back), TEST(test_bcd), TEST(test_modes_6_and_7), TEST(test_port_61),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
