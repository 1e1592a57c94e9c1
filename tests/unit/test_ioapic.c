// sources: vmm/devices/ioapic.c vmm/devices/bus.c
/* The IOAPIC against the 82093AA data sheet. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include "device_bench.h"
#include "vmm/devices/ioapic.h"

#define MASKED	0x10000u
#define LEVEL	0x8000u
#define IRR	0x4000u

static struct bench bench;
static struct ioapic ioapic;
static struct apic_message last;
static u32 sent;

static void send(void *context, const struct apic_message *message)
{
	assert_ptr_equal(context, &bench);
	last = *message;
	sent++;
}

static const struct ioapic_wires wires = {&bench, send};

static u32 get(u8 reg)
{
	u64 value;

	assert_int_equal(bus_mmio_write(&bench.bus, IOAPIC_ADDRESS, 4, reg), DEVICE_DONE);
	assert_int_equal(bus_mmio_read(&bench.bus, IOAPIC_ADDRESS + 0x10, 4, &value), DEVICE_DONE);
	return (u32)value;
}

static void set(u8 reg, u32 value)
{
	assert_int_equal(bus_mmio_write(&bench.bus, IOAPIC_ADDRESS, 4, reg), DEVICE_DONE);
	assert_int_equal(bus_mmio_write(&bench.bus, IOAPIC_ADDRESS + 0x10, 4, value), DEVICE_DONE);
}

static void route(u8 input, u32 low, u8 destination)
{
	set((u8)(0x11 + 2 * input), (u32)destination << 24);
	set((u8)(0x10 + 2 * input), low);
}

static int setup(void **state)
{
	(void)state;
	bench_init(&bench);
	sent = 0;
	ioapic_init(&ioapic, &bench.services, &wires, 3);
	assert_int_equal(ioapic_attach(&ioapic, &bench.bus), OK);
	return 0;
}

static void test_registers(void **state)
{
	(void)state;
	assert_int_equal(get(0), 3u << 24);
	assert_int_equal(get(1), 0x00170020);
	for (u8 i = 0; i < 24; i++) {
		assert_int_equal(get((u8)(0x10 + 2 * i)), MASKED);
		set((u8)(0x10 + 2 * i), 0xffffffff);
		set((u8)(0x11 + 2 * i), 0xffffffff);
		assert_int_equal(get((u8)(0x10 + 2 * i)), 0x1afff);
		assert_int_equal(get((u8)(0x11 + 2 * i)), 0xff000000);
	}
	assert_int_equal(get(0x40), 0); /* beyond the table */
	set(0x40, 0xffffffff);
	assert_int_equal(get(3), 0);
	set(0, 0xffffffff);
	assert_int_equal(get(0), 0x0f000000);
	ioapic.device.ops->reset(&ioapic.device);
	assert_int_equal(get(0x10), MASKED);
}

static void test_edge(void **state)
{
	(void)state;
	route(4, 0x34, 1);
	ioapic_set_line(&ioapic, 4, true);
	assert_int_equal(sent, 1);
	assert_true(last.vector == 0x34 && last.destination == 1 && !last.logical && last.delivery == APIC_FIXED &&
		    !last.level_triggered);
	ioapic_set_line(&ioapic, 4, true); /* no new edge */
	assert_int_equal(sent, 1);
	ioapic_set_line(&ioapic, 4, false);
	assert_int_equal(sent, 1);
	ioapic_set_line(&ioapic, 4, true);
	assert_int_equal(sent, 2);
	assert_int_equal(get(0x18) & IRR, 0);
}

static void test_masked_edge_is_lost(void **state)
{
	(void)state;
	route(4, 0x34 | MASKED, 1);
	ioapic_set_line(&ioapic, 4, true);
	route(4, 0x34, 1);
	assert_int_equal(sent, 0);
}

static void test_level(void **state)
{
	(void)state;
	route(9, 0x55 | LEVEL, 2);
	ioapic_set_line(&ioapic, 9, true);
	assert_int_equal(sent, 1);
	assert_true(last.level_triggered);
	assert_int_equal(get(0x10 + 18), 0x55 | LEVEL | IRR);
	ioapic_set_line(&ioapic, 9, false);
	ioapic_set_line(&ioapic, 9, true); /* not before the EOI */
	assert_int_equal(sent, 1);
	ioapic_eoi(&ioapic, 0x54);
	assert_int_equal(sent, 1);
	ioapic_eoi(&ioapic, 0x55);
	assert_int_equal(sent, 2); /* still asserted */
	ioapic_set_line(&ioapic, 9, false);
	ioapic_eoi(&ioapic, 0x55);
	assert_int_equal(sent, 2);
	assert_int_equal(get(0x10 + 18), 0x55 | LEVEL);
}

static void test_masked_level_waits(void **state)
{
	(void)state;
	route(9, 0x55 | LEVEL | MASKED, 2);
	ioapic_set_line(&ioapic, 9, true);
	assert_int_equal(sent, 0);
	route(9, 0x55 | LEVEL, 2);
	assert_int_equal(sent, 1);
	/* Masked in service and unmasked: no second one before the EOI. */
	route(9, 0x55 | LEVEL | MASKED, 2);
	route(9, 0x55 | LEVEL, 2);
	assert_int_equal(sent, 1);
	route(9, 0x55 | LEVEL | MASKED, 2);
	ioapic_eoi(&ioapic, 0x55);
	assert_int_equal(sent, 1);
	route(9, 0x55 | LEVEL, 2);
	assert_int_equal(sent, 2);
}

static void test_eoi_register_and_edge_trick(void **state)
{
	(void)state;
	route(9, 0x55 | LEVEL, 2);
	ioapic_set_line(&ioapic, 9, true);
	assert_int_equal(bus_mmio_write(&bench.bus, IOAPIC_ADDRESS + 0x40, 4, 0x55), DEVICE_DONE);
	assert_int_equal(sent, 2);
	/* Edge and back clears remote IRR. */
	set(0x10 + 18, 0x55 | MASKED);
	assert_int_equal(get(0x10 + 18) & IRR, 0);
	set(0x10 + 18, 0x55 | LEVEL);
	assert_int_equal(sent, 3);
}

static void test_two_inputs_with_one_vector(void **state)
{
	(void)state;
	route(10, 0x60 | LEVEL, 0);
	route(11, 0x60 | LEVEL, 0);
	ioapic_set_line(&ioapic, 10, true);
	ioapic_set_line(&ioapic, 11, true);
	assert_int_equal(sent, 2);
	ioapic_eoi(&ioapic, 0x60);
	assert_int_equal(sent, 4);
}

static void test_message_fields(void **state)
{
	(void)state;
	route(0, 0x800 | 0x700 | 0x20, 0x0f);
	ioapic_set_line(&ioapic, 0, true);
	assert_true(last.logical && last.delivery == APIC_EXTINT && last.destination == 0x0f);
	route(1, 0x400, 0xff);
	ioapic_set_line(&ioapic, 1, true);
	assert_true(last.delivery == APIC_NMI && last.destination == APIC_BROADCAST);
	ioapic_set_line(&ioapic, 24, true);
	assert_int_equal(sent, 2);
}

static void test_odd_accesses(void **state)
{
	u64 value;

	(void)state;
	assert_int_equal(bus_mmio_write(&bench.bus, IOAPIC_ADDRESS, 1, 1), DEVICE_DONE);
	assert_int_equal(bus_mmio_read(&bench.bus, IOAPIC_ADDRESS, 4, &value), DEVICE_DONE);
	assert_int_equal(value, 1);
	assert_int_equal(bus_mmio_read(&bench.bus, IOAPIC_ADDRESS + 0x10, 1, &value), DEVICE_DONE);
	assert_int_equal(value, 0x20);
	assert_int_equal(bus_mmio_read(&bench.bus, IOAPIC_ADDRESS + 0x14, 4, &value), DEVICE_DONE);
	assert_int_equal(value, 0);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup(f, setup)
	const struct CMUnitTest tests[] = {
		TEST(test_registers), TEST(test_edge), TEST(test_masked_edge_is_lost), TEST(test_level),
		TEST(test_masked_level_waits), TEST(test_eoi_register_and_edge_trick),
		TEST(test_two_inputs_with_one_vector), TEST(test_message_fields), TEST(test_odd_accesses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
