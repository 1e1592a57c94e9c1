// sources: vmm/devices/pic8259.c vmm/devices/bus.c
/* The 8259A pair against its data sheet. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include "device_bench.h"
#include "vmm/devices/pic8259.h"

static struct bench bench;
static struct pic8259 pic;
static bool intr;

static void set_intr(void *context, bool level)
{
	assert_ptr_equal(context, &bench);
	assert_int_not_equal(level, intr); /* changes only */
	intr = level;
}

static const struct pic_wires wires = {&bench, set_intr};

static u8 in(u16 port)
{
	return bench_in(&bench, port);
}

static void out(u16 port, u8 value)
{
	bench_out(&bench, port, value);
}

/* As every PC does it: bases 0x20 and 0x28, all unmasked; `icw4` for the master. */
static void program(u8 icw4)
{
	out(0x20, 0x11);
	out(0xa0, 0x11);
	out(0x21, 0x20);
	out(0xa1, 0x28);
	out(0x21, 0x04);
	out(0xa1, 0x02);
	out(0x21, icw4);
	out(0xa1, 0x01);
	out(0x21, 0);
	out(0xa1, 0);
}

static int setup(void **state)
{
	(void)state;
	bench_init(&bench);
	intr = false;
	pic_init(&pic, &bench.services, &wires);
	assert_int_equal(pic_attach(&pic, &bench.bus), OK);
	program(0x01);
	return 0;
}

static void pulse(u32 line)
{
	pic_set_line(&pic, line, true);
	pic_set_line(&pic, line, false);
}

static void test_masked_before_it_is_programmed(void **state)
{
	(void)state;
	pic.device.ops->reset(&pic.device);
	for (u32 i = 0; i < 16; i++)
		pulse(i);
	assert_false(intr);
	assert_int_equal(in(0x21), 0xff);
	assert_int_equal(in(0xa1), 0xff);
}

static void test_master_edge(void **state)
{
	(void)state;
	pic_set_line(&pic, 4, true);
	assert_true(intr);
	assert_int_equal(in(0x20), 0x10); /* IRR */
	assert_int_equal(pic_acknowledge(&pic), 0x24);
	assert_false(intr);
	out(0x20, 0x0b);
	assert_int_equal(in(0x20), 0x10); /* ISR */
	out(0x20, 0x0a);
	assert_int_equal(in(0x20), 0);
	out(0x20, 0x20);
	assert_false(intr); /* the input is still high: no new edge */
	pic_set_line(&pic, 4, false);
	pic_set_line(&pic, 4, true);
	assert_true(intr);
}

static void test_slave(void **state)
{
	(void)state;
	pulse(12);
	assert_true(intr);
	assert_int_equal(in(0x20), 0x04);
	assert_int_equal(in(0xa0), 0x10);
	assert_int_equal(pic_acknowledge(&pic), 0x2c);
	assert_false(intr);
	out(0x20, 0x0b);
	out(0xa0, 0x0b);
	assert_int_equal(in(0x20), 0x04);
	assert_int_equal(in(0xa0), 0x10);
	pulse(12); /* the same again: waits for both EOIs */
	assert_false(intr);
	out(0xa0, 0x20);
	assert_false(intr);
	out(0x20, 0x20);
	assert_true(intr);
	assert_int_equal(pic_acknowledge(&pic), 0x2c);
}

/* Two requests of the slave: the second must not get lost though its output never seems to fall. */
static void test_slave_twice(void **state)
{
	(void)state;
	pulse(9);
	pulse(8);
	assert_int_equal(pic_acknowledge(&pic), 0x28);
	out(0xa0, 0x20);
	out(0x20, 0x20);
	assert_true(intr);
	assert_int_equal(pic_acknowledge(&pic), 0x29);
}

static void test_priorities(void **state)
{
	(void)state;
	pulse(7);
	pulse(3);
	pulse(1);
	pulse(15); /* through input 2: above 3 */
	assert_int_equal(pic_acknowledge(&pic), 0x21);
	assert_false(intr); /* 1 is in service and blocks all others */
	pulse(0);
	assert_true(intr); /* but 0 is higher */
	assert_int_equal(pic_acknowledge(&pic), 0x20);
	out(0x20, 0x20); /* ends 0, the highest */
	assert_false(intr);
	out(0x20, 0x20);
	assert_int_equal(pic_acknowledge(&pic), 0x2f);
	out(0xa0, 0x20);
	out(0x20, 0x20);
	assert_int_equal(pic_acknowledge(&pic), 0x23);
	out(0x20, 0x63); /* specific EOI */
	assert_int_equal(pic_acknowledge(&pic), 0x27);
}

static void test_mask(void **state)
{
	(void)state;
	out(0x21, 0x10);
	pulse(4);
	assert_false(intr);
	assert_int_equal(in(0x20), 0x10); /* the request stands */
	out(0x21, 0);
	assert_true(intr);
	out(0x21, 0x10);
	assert_false(intr);
	out(0x21, 0x04); /* masking the cascade masks the slave */
	pulse(10);
	assert_true(intr);
	assert_int_equal(pic_acknowledge(&pic), 0x24);
	out(0x20, 0x20);
	assert_false(intr);
}

static void test_spurious(void **state)
{
	(void)state;
	out(0x20, 0x0b);
	assert_int_equal(pic_acknowledge(&pic), 0x27);
	assert_int_equal(in(0x20), 0); /* nothing in service */
}

static void test_spurious_of_the_slave(void **state)
{
	(void)state;
	out(0x4d1, 0x02);
	pic_set_line(&pic, 9, true);
	assert_true(intr);
	pic_set_line(&pic, 9, false);
	assert_false(intr);
	assert_int_equal(pic_acknowledge(&pic), 0x27);
}

static void test_level(void **state)
{
	(void)state;
	out(0x4d0, 0xff);
	out(0x4d1, 0xff);
	assert_int_equal(in(0x4d0), 0xf8); /* timer, keyboard, cascade are edge */
	assert_int_equal(in(0x4d1), 0xde); /* RTC, coprocessor too */
	pic_set_line(&pic, 11, true);
	assert_int_equal(pic_acknowledge(&pic), 0x2b);
	out(0xa0, 0x20);
	out(0x20, 0x20);
	assert_true(intr); /* still high: again */
	pic_set_line(&pic, 11, false);
	assert_false(intr);
}

static void test_rotation(void **state)
{
	(void)state;
	pulse(4);
	assert_int_equal(pic_acknowledge(&pic), 0x24);
	out(0x20, 0xa0); /* rotate on non-specific EOI: 4 becomes lowest */
	pulse(4);
	pulse(5);
	pulse(0);
	assert_int_equal(pic_acknowledge(&pic), 0x25);
	out(0x20, 0x20);
	assert_int_equal(pic_acknowledge(&pic), 0x20);
	out(0x20, 0xe0); /* rotate on specific EOI of 0 */
	assert_int_equal(pic_acknowledge(&pic), 0x24);
	out(0x20, 0x20);
	out(0x20, 0xc6); /* set priority: 6 is lowest */
	pulse(7);
	pulse(6);
	assert_int_equal(pic_acknowledge(&pic), 0x27);
}

static void test_automatic_eoi(void **state)
{
	(void)state;
	program(0x03);
	pulse(3);
	assert_int_equal(pic_acknowledge(&pic), 0x23);
	out(0x20, 0x0b);
	assert_int_equal(in(0x20), 0);
	out(0x20, 0x80); /* rotate in automatic EOI mode */
	pulse(3);
	assert_int_equal(pic_acknowledge(&pic), 0x23);
	pulse(3);
	pulse(4);
	assert_int_equal(pic_acknowledge(&pic), 0x24);
	out(0x20, 0x00); /* no more */
	pulse(5);
	assert_int_equal(pic_acknowledge(&pic), 0x25);
	assert_int_equal(pic_acknowledge(&pic), 0x23);
}

static void test_special_mask(void **state)
{
	(void)state;
	pulse(1);
	assert_int_equal(pic_acknowledge(&pic), 0x21);
	pulse(5);
	assert_false(intr);
	out(0x21, 0x02);
	assert_false(intr);
	out(0x20, 0x68);
	assert_true(intr);
	out(0x20, 0x48);
	assert_false(intr);
}

static void test_special_fully_nested(void **state)
{
	(void)state;
	program(0x11);
	pulse(13);
	assert_int_equal(pic_acknowledge(&pic), 0x2d);
	pulse(8); /* higher within the slave */
	assert_true(intr);
	assert_int_equal(pic_acknowledge(&pic), 0x28);
}

static void test_poll(void **state)
{
	(void)state;
	out(0x20, 0x0c);
	assert_int_equal(in(0x20), 0x07);
	pulse(6);
	out(0x20, 0x0c);
	assert_int_equal(in(0x20), 0x86);
	assert_false(intr);
	out(0x20, 0x0b);
	assert_int_equal(in(0x20), 0x40);
}

static void test_icw1_starts_anew(void **state)
{
	(void)state;
	pulse(5);
	out(0x21, 0xff);
	out(0x20, 0x11);
	assert_int_equal(in(0x20), 0);
	assert_int_equal(in(0x21), 0); /* the mask is cleared */
	out(0x21, 0x47);
	out(0x21, 0x04);
	out(0x21, 0x01);
	pulse(1);
	assert_int_equal(pic_acknowledge(&pic), 0x41); /* the low bits of ICW2 are not the base's */
	/* Without IC4 there are only three words. */
	out(0x20, 0x10);
	out(0x21, 0x50);
	out(0x21, 0x04);
	out(0x21, 0xaa);
	assert_int_equal(in(0x21), 0xaa);
}

static void test_no_device_on_the_cascade(void **state)
{
	(void)state;
	pic_set_line(&pic, 2, true);
	assert_false(intr);
	pic_set_line(&pic, 16, true);
	assert_false(intr);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup(f, setup)
	const struct CMUnitTest tests[] = {
		TEST(test_masked_before_it_is_programmed), TEST(test_master_edge), TEST(test_slave),
		TEST(test_slave_twice),
		TEST(test_priorities), TEST(test_mask), TEST(test_spurious), TEST(test_spurious_of_the_slave),
		TEST(test_level),
		TEST(test_rotation), TEST(test_automatic_eoi), TEST(test_special_mask), TEST(test_special_fully_nested),
		TEST(test_poll), TEST(test_icw1_starts_anew), TEST(test_no_device_on_the_cascade),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
