// sources: vmm/devices/bus.c vmm/devices/debugcon.c vmm/devices/debugexit.c
/* The bus with a device that records, and the two debug ports on it. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include "device_bench.h"
#include "vmm/devices/debugcon.h"
#include "vmm/devices/debugexit.h"

static struct bench bench;

struct recorder {
	struct device device;
	u32 accesses, range;
	u64 offset, value;
	u8 size;
	bool write, pend;
};

static enum device_answer record(struct device *device, bool write, u32 range, u64 offset, u8 size, u64 value)
{
	struct recorder *recorder = CONTAINER_OF(device, struct recorder, device);

	assert_false(lock_try(&device->lock)); /* held by the bus */
	recorder->accesses++;
	recorder->write = write;
	recorder->range = range;
	recorder->offset = offset;
	recorder->size = size;
	recorder->value = value;
	return recorder->pend ? DEVICE_PENDING : DEVICE_DONE;
}

static enum device_answer port_read(struct device *device, u32 range, u16 offset, u8 size, u32 *value)
{
	*value = 0x11223344;
	return record(device, false, range, offset, size, 0);
}

static enum device_answer port_write(struct device *device, u32 range, u16 offset, u8 size, u32 value)
{
	return record(device, true, range, offset, size, value);
}

static enum device_answer mmio_read(struct device *device, u32 range, u64 offset, u8 size, u64 *value)
{
	*value = 0x1122334455667788;
	return record(device, false, range, offset, size, 0);
}

static enum device_answer mmio_write(struct device *device, u32 range, u64 offset, u8 size, u64 value)
{
	return record(device, true, range, offset, size, value);
}

static const struct device_ops recorder_ops = {
	.name = "recorder",
	.port_read = port_read,
	.port_write = port_write,
	.mmio_read = mmio_read,
	.mmio_write = mmio_write,
};
static const struct device_ops deaf_ops = {.name = "deaf"};

static struct recorder recorder(void)
{
	return (struct recorder){.device = {.ops = &recorder_ops}};
}

static int setup(void **state)
{
	(void)state;
	bench_init(&bench);
	return 0;
}

static void test_ports(void **state)
{
	struct recorder a = recorder();

	(void)state;
	assert_int_equal(bus_add_ports(&bench.bus, &a.device, 7, 0x100, 0x103), OK);
	assert_int_equal(bench_in(&bench, 0x102), 0x44); /* cut to size */
	assert_true(a.accesses == 1 && a.range == 7 && a.offset == 2 && a.size == 1 && !a.write);
	assert_int_equal(bench_in_sized(&bench, 0x100, 4), 0x11223344);
	assert_true(a.accesses == 2 && a.offset == 0 && a.size == 4);
	bench_out_sized(&bench, 0x101, 2, 0xabcdef);
	assert_true(a.accesses == 3 && a.offset == 1 && a.size == 2 && a.write && a.value == 0xcdef);
	assert_true(lock_try(&a.device.lock));
}

static void test_nobody_there(void **state)
{
	struct device deaf = {.ops = &deaf_ops};

	(void)state;
	assert_int_equal(bench_in(&bench, 0x80), 0xff);
	assert_int_equal(bench_in_sized(&bench, 0x80, 2), 0xffff);
	assert_int_equal(bench_in_sized(&bench, 0xfffe, 4), 0xffffffff);
	bench_out(&bench, 0x80, 1);
	assert_int_equal(bus_add_ports(&bench.bus, &deaf, 0, 0x80, 0x80), OK);
	assert_int_equal(bench_in(&bench, 0x80), 0xff);
	bench_out(&bench, 0x80, 1);
}

static void test_straddling_is_split(void **state)
{
	struct recorder a = recorder(), b = recorder();

	(void)state;
	assert_int_equal(bus_add_ports(&bench.bus, &a.device, 0, 0x100, 0x101), OK);
	assert_int_equal(bus_add_ports(&bench.bus, &b.device, 0, 0x103, 0x103), OK);
	assert_int_equal(bench_in_sized(&bench, 0x100, 4), 0x44ff4444);
	assert_int_equal(a.accesses, 2);
	assert_int_equal(b.accesses, 1);
	bench_out_sized(&bench, 0x100, 4, 0xaabbccdd);
	assert_true(a.value == 0xcc && a.offset == 1 && a.size == 1);
	assert_true(b.value == 0xaa && b.offset == 0);
	/* The last port: what lies beyond does not come round to port 0. */
	assert_int_equal(bus_add_ports(&bench.bus, &a.device, 0, 0, 0), OK);
	assert_int_equal(bus_add_ports(&bench.bus, &b.device, 0, 0xffff, 0xffff), OK);
	a.accesses = 0;
	bench.now = ~0ull; /* lies behind the map in memory: to be seen if it were read */
	assert_int_equal(bench_in_sized(&bench, 0xffff, 2), 0xff44);
	assert_int_equal(a.accesses, 0);
}

static void test_port_overlaps(void **state)
{
	struct recorder a = recorder();

	(void)state;
	assert_int_equal(bus_add_ports(&bench.bus, &a.device, 0, 0x100, 0x10f), OK);
	assert_int_equal(bus_add_ports(&bench.bus, &a.device, 0, 0x10f, 0x110), ERR_EXISTS);
	assert_int_equal(bus_add_ports(&bench.bus, &a.device, 0, 0xff, 0x100), ERR_EXISTS);
	assert_int_equal(bus_add_ports(&bench.bus, &a.device, 0, 0x105, 0x105), ERR_EXISTS);
	assert_int_equal(bus_add_ports(&bench.bus, &a.device, 0, 2, 1), ERR_INVALID);
	for (u16 i = 1; i < BUS_PORT_RANGES; i++)
		assert_int_equal(bus_add_ports(&bench.bus, &a.device, i, (u16)(0x1000 + i), (u16)(0x1000 + i)), OK);
	assert_int_equal(bus_add_ports(&bench.bus, &a.device, 0, 0x2000, 0x2000), ERR_MEMORY);
	assert_int_equal(bench_in(&bench, 0x1000 + BUS_PORT_RANGES - 1), 0x44);
	assert_int_equal(a.range, BUS_PORT_RANGES - 1);
}

static void test_pending(void **state)
{
	struct recorder a = recorder();
	u32 value;
	u64 wide;

	(void)state;
	a.pend = true;
	assert_int_equal(bus_add_ports(&bench.bus, &a.device, 0, 0x100, 0x100), OK);
	assert_int_equal(bus_add_mmio(&bench.bus, &a.device, 0, 0x1000, 4), OK);
	assert_int_equal(bus_port_read(&bench.bus, 0x100, 1, &value), DEVICE_PENDING);
	assert_int_equal(bus_port_read(&bench.bus, 0x100, 2, &value), DEVICE_PENDING);
	assert_int_equal(bus_port_write(&bench.bus, 0x100, 1, 0), DEVICE_PENDING);
	assert_int_equal(bus_mmio_read(&bench.bus, 0x1000, 4, &wide), DEVICE_PENDING);
	assert_int_equal(bus_mmio_write(&bench.bus, 0x1000, 8, 0), DEVICE_PENDING);
}

static void test_mmio(void **state)
{
	struct recorder a = recorder(), b = recorder(), c = recorder();
	u64 value;

	(void)state;
	assert_int_equal(bus_add_mmio(&bench.bus, &b.device, 2, 0xfee00000, 0x1000), OK);
	assert_int_equal(bus_add_mmio(&bench.bus, &a.device, 1, 0xfec00000, 0x1000), OK);
	assert_int_equal(bus_add_mmio(&bench.bus, &c.device, 3, 0xfee01000, 0x1000), OK);
	assert_int_equal(bus_add_mmio(&bench.bus, &c.device, 3, 0xfee00fff, 1), ERR_EXISTS);
	assert_int_equal(bus_add_mmio(&bench.bus, &c.device, 3, 0xfe000000, 0x1000000), ERR_EXISTS);
	assert_int_equal(bus_add_mmio(&bench.bus, &c.device, 3, 0, 0), ERR_INVALID);
	assert_int_equal(bus_add_mmio(&bench.bus, &c.device, 3, ~0ull, 2), ERR_INVALID);
	assert_non_null(bus_find_mmio(&bench.bus, 0xfec00000));
	assert_non_null(bus_find_mmio(&bench.bus, 0xfee01fff));
	assert_null(bus_find_mmio(&bench.bus, 0xfebfffff));
	assert_null(bus_find_mmio(&bench.bus, 0xfec01000));
	assert_null(bus_find_mmio(&bench.bus, 0xfee02000));
	assert_int_equal(bus_mmio_read(&bench.bus, 0xfee00020, 4, &value), DEVICE_DONE);
	assert_int_equal(value, 0x55667788);
	assert_true(b.accesses == 1 && b.range == 2 && b.offset == 0x20 && b.size == 4);
	assert_int_equal(bus_mmio_read(&bench.bus, 0xfec00000, 8, &value), DEVICE_DONE);
	assert_true(value == 0x1122334455667788);
	assert_int_equal(bus_mmio_write(&bench.bus, 0xfee00ffe, 4, 0xaabbccdd), DEVICE_DONE);
	assert_true(b.value == 0xcc && b.offset == 0xfff && c.value == 0xaa && c.offset == 1);
	assert_int_equal(bus_mmio_read(&bench.bus, 0xfee01ffc, 8, &value), DEVICE_DONE);
	assert_true(value == 0xffffffff88888888);
	assert_int_equal(bus_mmio_read(&bench.bus, 0x1000, 2, &value), DEVICE_DONE);
	assert_int_equal(value, 0xffff);
}

/* Many ranges, more than the map of guesses can tell apart, in any order, and what lies between them. */
static void test_mmio_many(void **state)
{
	struct recorder any = recorder();

	(void)state;
	for (u32 i = 0; i < BUS_MMIO_RANGES; i++) {
		u64 at = (i * 7 + 3) % BUS_MMIO_RANGES;

		assert_int_equal(bus_add_mmio(&bench.bus, &any.device, (u32)at, at << 18, 0x2800), OK);
	}
	assert_int_equal(bus_add_mmio(&bench.bus, &any.device, 0, 1ull << 40, 1), ERR_MEMORY);
	for (u64 page = 0; page < (BUS_MMIO_RANGES + 1) << 6; page++) {
		const struct bus_mmio_range *range = bus_find_mmio(&bench.bus, page << 12 | 0x7ff);

		if (page >> 6 < BUS_MMIO_RANGES && page % 64 < 3) {
			assert_non_null(range);
			assert_int_equal(range->range, page >> 6);
		} else {
			assert_null(range);
		}
	}
	assert_null(bus_find_mmio(&bench.bus, 0x2800));
}

static void test_debugcon(void **state)
{
	struct debugcon debugcon;

	(void)state;
	debugcon_init(&debugcon, &bench.services);
	assert_int_equal(debugcon_attach(&debugcon, &bench.bus), OK);
	assert_int_equal(bench_in(&bench, 0xe9), 0xe9);
	for (const char *s = "hello"; *s; s++)
		bench_out(&bench, 0xe9, (u8)*s);
	assert_string_equal(bench.output, "hello");
	bench_out_sized(&bench, 0xe9, 2, 0x4142); /* the upper byte is port 0xea */
	assert_string_equal(bench.output, "helloB");
}

static void test_debugexit(void **state)
{
	struct debugexit debugexit;

	(void)state;
	debugexit_init(&debugexit, &bench.services);
	assert_int_equal(debugexit_attach(&debugexit, &bench.bus), OK);
	assert_int_equal(bench_in(&bench, 0xf4), 0);
	assert_int_equal(bench.ends, 0);
	bench_out_sized(&bench, 0xf4, 4, 0x12345678);
	assert_int_equal(bench.ends, 1);
	assert_int_equal(bench.end_code, 0x12345678);
	bench_out(&bench, 0xf7, 3);
	assert_int_equal(bench.end_code, 3);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup(f, setup)
	const struct CMUnitTest tests[] = {
		TEST(test_ports),   TEST(test_nobody_there), TEST(test_straddling_is_split), TEST(test_port_overlaps),
		TEST(test_pending), TEST(test_mmio),	     TEST(test_mmio_many),	     TEST(test_debugcon),
		TEST(test_debugexit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
