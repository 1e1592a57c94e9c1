// sources: vmm/devices/reset_ports.c vmm/devices/pci_host.c vmm/devices/i8042.c vmm/devices/acpi_pm.c vmm/devices/pvpanic.c vmm/devices/bus.c
/* The small devices of a PC: reset ports, PCI host bridge, keyboard controller, ACPI fixed hardware, panic port. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include "device_bench.h"
#include "vmm/devices/acpi_pm.h"
#include "vmm/devices/i8042.h"
#include "vmm/devices/pci_host.h"
#include "vmm/devices/pvpanic.h"
#include "vmm/devices/reset_ports.h"

#define LINE 9

static struct bench bench;
static struct reset_ports reset;
static struct pci_host pci;
static struct i8042 i8042;
static struct acpi_pm pm;
static struct pvpanic pvpanic;

static u8 in(u16 port)
{
	return bench_in(&bench, port);
}

static void out(u16 port, u8 value)
{
	bench_out(&bench, port, value);
}

static int setup(void **state)
{
	(void)state;
	bench_init(&bench);
	reset_ports_init(&reset, &bench.services);
	pci_host_init(&pci, &bench.services, &reset);
	i8042_init(&i8042, &bench.services);
	acpi_pm_init(&pm, &bench.services, LINE);
	pvpanic_init(&pvpanic, &bench.services);
	assert_int_equal(reset_ports_attach(&reset, &bench.bus), OK);
	assert_int_equal(pci_host_attach(&pci, &bench.bus), OK);
	assert_int_equal(i8042_attach(&i8042, &bench.bus), OK);
	assert_int_equal(acpi_pm_attach(&pm, &bench.bus), OK);
	assert_int_equal(pvpanic_attach(&pvpanic, &bench.bus), OK);
	return 0;
}

/* A driver asks first which events there are; "crash loaded" (bit 1) is none, and so ends nothing. */
static void test_panic(void **state)
{
	(void)state;
	assert_int_equal(in(0x505), 1);
	out(0x505, 2);
	assert_int_equal(bench.crashes, 0);
	out(0x505, 1);
	assert_int_equal(bench.crashes, 1);
	assert_int_equal(bench.ends + bench.resets, 0);
}

static void test_reset_by_cf9(void **state)
{
	(void)state;
	out(0xcf9, 0x02);
	assert_int_equal(bench.resets, 0);
	assert_int_equal(in(0xcf9), 0x02);
	out(0xcf9, 0x06);
	assert_int_equal(bench.resets, 1);
	out(0xcf9, 0x06); /* no edge */
	assert_int_equal(bench.resets, 1);
	out(0xcf9, 0x00);
	out(0xcf9, 0x0e);
	assert_int_equal(bench.resets, 2);
}

static void test_reset_by_92(void **state)
{
	(void)state;
	assert_int_equal(in(0x92) & 3, 2);
	out(0x92, 0x02);
	assert_int_equal(bench.resets, 0);
	out(0x92, 0x00); /* A20 off: not here */
	assert_int_equal(in(0x92) & 2, 2);
	out(0x92, 0x01);
	assert_int_equal(bench.resets, 1);
}

static u32 config(u32 bus, u32 device, u32 function, u32 reg)
{
	bench_out_sized(&bench, 0xcf8, 4, 0x80000000u | bus << 16 | device << 11 | function << 8 | (reg & 0xfc));
	return bench_in_sized(&bench, 0xcfc, 4);
}

static void test_pci_mechanism_1(void **state)
{
	(void)state;
	/*
	 * How Linux finds out that it is there: byte writes to 0xcfb and beside it, then the address register's own
	 * bits.
	 */
	out(0xcfb, 0x01);
	bench_out_sized(&bench, 0xcf8, 4, 0x80000000);
	assert_int_equal(bench_in_sized(&bench, 0xcf8, 4), 0x80000000);
	bench_out_sized(&bench, 0xcf8, 4, 0xffffffff);
	assert_int_equal(bench_in_sized(&bench, 0xcf8, 4), 0x80fffffc);
	out(0xcf9, 0x00); /* goes to the reset register, not into the address */
	assert_int_equal(bench_in_sized(&bench, 0xcf8, 4), 0x80fffffc);
	assert_int_equal(bench_in_sized(&bench, 0xcf8, 2), 0xffff);
}

static void test_pci_bus(void **state)
{
	(void)state;
	assert_int_equal(config(0, 0, 0, 0), 0x00081b36);
	assert_int_equal(config(0, 0, 0, 8) >> 16, 0x0600);
	assert_int_equal(bench_in_sized(&bench, 0xcfe, 2), 0x0600);
	assert_int_equal(in(0xcff), 0x06);
	assert_int_equal(config(0, 0, 0, 0x0c), 0);
	bench_out_sized(&bench, 0xcfc, 4, 0xffffffff);
	assert_int_equal(config(0, 0, 0, 0x0c), 0);
	assert_int_equal(config(0, 0, 1, 0), 0xffffffff);
	assert_int_equal(config(0, 1, 0, 0), 0xffffffff);
	assert_int_equal(config(1, 0, 0, 0), 0xffffffff);
	bench_out_sized(&bench, 0xcf8, 4, 0); /* not enabled */
	assert_int_equal(bench_in_sized(&bench, 0xcfc, 4), 0xffffffff);
}

static void test_i8042(void **state)
{
	(void)state;
	assert_int_equal(in(0x64) & 3, 0);
	out(0x64, 0xaa);
	assert_int_equal(in(0x64) & 0x0d, 0x0d);
	assert_int_equal(in(0x60), 0x55);
	assert_int_equal(in(0x64) & 1, 0);
	out(0x64, 0x60);
	out(0x60, 0x47);
	assert_int_equal(in(0x64) & 8, 0);
	out(0x64, 0xad);
	out(0x64, 0xa7);
	out(0x64, 0x20);
	assert_int_equal(in(0x60), 0x77);
	out(0x64, 0xae);
	out(0x64, 0xa8);
	out(0x64, 0x20);
	assert_int_equal(in(0x60), 0x47);
	out(0x64, 0xab);
	assert_int_equal(in(0x60), 1); /* no keyboard */
	out(0x64, 0xd0);
	assert_int_equal(in(0x60) & 3, 3);
	out(0x60, 0xff); /* to a keyboard that is not there */
	assert_int_equal(in(0x64) & 1, 0);
	assert_int_equal(bench.resets, 0);
}

static void test_i8042_reset(void **state)
{
	(void)state;
	out(0x64, 0xff); /* pulses nothing */
	out(0x64, 0xd1);
	out(0x60, 0x03);
	assert_int_equal(bench.resets, 0);
	out(0x64, 0xfe);
	assert_int_equal(bench.resets, 1);
	out(0x64, 0xd1);
	out(0x60, 0x02);
	assert_int_equal(bench.resets, 2);
	out(0x60, 0x00); /* the command was used up */
	assert_int_equal(bench.resets, 2);
}

static void test_power_off(void **state)
{
	(void)state;
	assert_int_equal(bench_in_sized(&bench, 0x604, 2), 1); /* SCI_EN from the start */
	bench_out_sized(&bench, 0x604, 2, 5 << 10);
	assert_int_equal(bench.ends, 0);
	assert_int_equal(bench_in_sized(&bench, 0x604, 2), 5 << 10 | 1);
	bench_out_sized(&bench, 0x604, 2, 3 << 10 | 1 << 13);
	assert_int_equal(bench.ends, 0);
	assert_int_equal(bench.logs, 1);
	bench_out_sized(&bench, 0x604, 2, 5 << 10 | 1 << 13);
	assert_int_equal(bench.ends, 1);
	assert_int_equal(bench.end_code, 0);
	out(0x605, 0x34); /* the same by its high byte */
	assert_int_equal(bench.ends, 2);
}

static void test_power_button(void **state)
{
	(void)state;
	acpi_pm_power_button(&pm);
	assert_false(bench.line[LINE]);
	assert_int_equal(bench_in_sized(&bench, 0x600, 2), 0x100);
	bench_out_sized(&bench, 0x602, 2, 0x100);
	assert_true(bench.line[LINE]);
	bench_out_sized(&bench, 0x600, 2, 0x001);
	assert_true(bench.line[LINE]);
	bench_out_sized(&bench, 0x600, 2, 0x100);
	assert_false(bench.line[LINE]);
	assert_int_equal(bench_in_sized(&bench, 0x600, 4), 0x01000000);
	out(0x603, 0);
	assert_int_equal(bench_in_sized(&bench, 0x602, 2), 0);
}

static void test_pm_timer(void **state)
{
	u64 top = ((1ull << 31) * 1000000000u + 3579544) / 3579545;

	(void)state;
	assert_int_equal(bench_in_sized(&bench, 0x608, 4), 0);
	bench_pass(&bench, 1000000000);
	assert_int_equal(bench_in_sized(&bench, 0x608, 4), 3579545);
	assert_int_equal(in(0x609), 3579545 >> 8 & 0xff);
	bench_out_sized(&bench, 0x608, 4, 0); /* read-only */
	assert_int_equal(bench_in_sized(&bench, 0x608, 4), 3579545);
	bench_out_sized(&bench, 0x602, 2, 1);
	bench_pass(&bench, top - bench.now - 1);
	assert_false(bench.line[LINE]);
	assert_int_equal(bench_pass(&bench, 1), 1);
	assert_true(bench.line[LINE]);
	assert_int_equal(bench_in_sized(&bench, 0x600, 2), 1);
	bench_out_sized(&bench, 0x600, 2, 1);
	assert_false(bench.line[LINE]);
	assert_int_equal(bench_pass(&bench, top + 1), 1);
	assert_true(bench.line[LINE]);
	assert_true(bench_in_sized(&bench, 0x608, 4) < 10); /* wrapped */
	pm.device.ops->reset(&pm.device);
	assert_false(bench.line[LINE]);
	assert_ptr_equal(bench_next(&bench), NULL);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup(f, setup)
	const struct CMUnitTest tests[] = {
		TEST(test_panic),	 TEST(test_reset_by_cf9), TEST(test_reset_by_92), TEST(test_pci_mechanism_1),
		TEST(test_pci_bus),	 TEST(test_i8042),	  TEST(test_i8042_reset), TEST(test_power_off),
		TEST(test_power_button), TEST(test_pm_timer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
