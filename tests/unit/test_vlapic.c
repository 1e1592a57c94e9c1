// sources: vmm/devices/vlapic.c vmm/devices/vlapic_irq.c vmm/devices/vlapic_timer.c vmm/devices/vlapic_msr.c vmm/devices/apic_bus.c vmm/devices/bus.c
/* Local APICs against the SDM's chapter, three of them on one bus. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include "device_bench.h"
#include "vmm/devices/apic_bus.h"
#include "vmm/devices/vlapic_page.h"

#define COUNT  3
#define TSC_HZ 3000000000ull
#define BASE   0x1bu
#define X2(offset) (0x800u + ((offset) >> 4))

static struct bench bench;
static struct vlapic lapic[COUNT];
static struct vlapic *list[COUNT];
static u32 pages[COUNT][1024];
static u32 attention[COUNT];
static u8 eois[16];
static u32 eoi_count;
static const struct apic_bus bus = {COUNT, list};

static void ipi(void *context, struct vlapic *from, enum apic_shorthand to, const struct apic_message *message)
{
	assert_ptr_equal(context, &bench);
	assert_false(lock_try(&from->device.lock));
	apic_send(&bus, from, to, message);
}

static void eoi(void *context, u8 vector)
{
	assert_ptr_equal(context, &bench);
	eois[eoi_count++ % 16] = vector;
}

static void attend(void *context, struct vlapic *who)
{
	assert_ptr_equal(context, &bench);
	attention[who - lapic]++;
}

static u64 guest_tsc(void *context, struct vlapic *who)
{
	(void)who;
	return ((struct bench *)context)->now * 3 + 1000;
}

static const struct vlapic_wires wires = {&bench, ipi, eoi, attend, guest_tsc};

static u32 get(u32 i, u32 offset)
{
	return (u32)vlapic_read(&lapic[i], offset, 4);
}

static void set(u32 i, u32 offset, u32 value)
{
	vlapic_write(&lapic[i], offset, 4, value);
}

static int setup(void **state)
{
	(void)state;
	bench_init(&bench);
	memset(attention, 0, sizeof(attention));
	eoi_count = 0;
	for (u32 i = 0; i < COUNT; i++) {
		list[i] = &lapic[i];
		vlapic_init(&lapic[i], &bench.services, &wires, pages[i], i, i == 0, 40, TSC_HZ);
		set(i, LAPIC_SVR, 0x1ff);
	}
	memset(attention, 0, sizeof(attention));
	return 0;
}

static void post(u32 i, u8 vector, bool level)
{
	vlapic_post(&lapic[i], &(struct apic_message){.delivery = APIC_FIXED, .vector = vector, .level_triggered = level});
}

static u32 signals(u32 i)
{
	u8 vector;

	return vlapic_take_signals(&lapic[i], &vector);
}

static bool read_msr(u32 i, u32 msr, u64 *value)
{
	return vlapic_read_msr(&lapic[i], msr, value);
}

static bool write_msr(u32 i, u32 msr, u64 value)
{
	return vlapic_write_msr(&lapic[i], msr, value);
}

static void to_x2(u32 i)
{
	u64 base;

	assert_true(read_msr(i, BASE, &base));
	assert_true(write_msr(i, BASE, base | 0x400));
}

static void test_reset_values(void **state)
{
	u64 base;

	(void)state;
	vlapic_reset(&lapic[1]);
	assert_int_equal(get(1, LAPIC_ID), 1u << 24);
	assert_int_equal(get(1, LAPIC_VERSION), 0x00050014);
	assert_int_equal(get(1, LAPIC_TPR), 0);
	assert_int_equal(get(1, LAPIC_LDR), 0);
	assert_int_equal(get(1, LAPIC_DFR), 0xffffffff);
	assert_int_equal(get(1, LAPIC_SVR), 0xff);
	for (u32 lvt = 0x320; lvt <= 0x370; lvt += 0x10)
		assert_int_equal(get(1, lvt), 0x10000);
	assert_int_equal(get(1, LAPIC_TIMER_NOW), 0);
	assert_true(read_msr(1, BASE, &base) && base == 0xfee00800);
	assert_true(read_msr(0, BASE, &base) && base == 0xfee00900);
}

static void test_priorities(void **state)
{
	(void)state;
	post(0, 0x31, false);
	post(0, 0x52, false);
	post(0, 0x51, false);
	assert_int_equal(attention[0], 3);
	assert_int_equal(vlapic_pending(&lapic[0]), 0x52);
	assert_int_equal(get(0, LAPIC_IRR + 0x20), 0x60000);
	assert_int_equal(vlapic_take(&lapic[0]), 0x52);
	assert_int_equal(get(0, LAPIC_ISR + 0x20), 0x40000);
	assert_int_equal(get(0, LAPIC_PPR), 0x50);
	assert_int_equal(vlapic_pending(&lapic[0]), -1); /* 0x51 is of the same class */
	post(0, 0x60, false);
	assert_int_equal(vlapic_take(&lapic[0]), 0x60);
	set(0, LAPIC_EOI, 0);
	assert_int_equal(get(0, LAPIC_PPR), 0x50);
	set(0, LAPIC_EOI, 0);
	assert_int_equal(get(0, LAPIC_PPR), 0);
	assert_int_equal(vlapic_take(&lapic[0]), 0x51);
	set(0, LAPIC_EOI, 0);
	assert_int_equal(vlapic_take(&lapic[0]), 0x31);
	set(0, LAPIC_EOI, 0);
	set(0, LAPIC_EOI, 0); /* none in service: nothing happens */
	assert_int_equal(vlapic_take(&lapic[0]), -1);
	assert_int_equal(eoi_count, 0);
}

static void test_task_priority(void **state)
{
	(void)state;
	set(0, LAPIC_TPR, 0x45);
	assert_int_equal(get(0, LAPIC_PPR), 0x45);
	post(0, 0x4f, false);
	assert_int_equal(vlapic_pending(&lapic[0]), -1);
	post(0, 0x50, false);
	assert_int_equal(vlapic_pending(&lapic[0]), 0x50);
	set(0, LAPIC_TPR, 0x3f);
	assert_int_equal(vlapic_take(&lapic[0]), 0x50);
	assert_int_equal(get(0, LAPIC_PPR), 0x50);
	vlapic_set_cr8(&lapic[0], 7);
	assert_int_equal(get(0, LAPIC_TPR), 0x70);
	assert_int_equal(get(0, LAPIC_PPR), 0x70);
	assert_int_equal(vlapic_get_cr8(&lapic[0]), 7);
}

static void test_eoi_broadcast(void **state)
{
	(void)state;
	post(0, 0x41, true);
	post(0, 0x42, false);
	assert_int_equal(vlapic_take(&lapic[0]), 0x42);
	assert_int_equal(get(0, LAPIC_TMR + 0x20), 2);
	set(0, LAPIC_EOI, 0);
	assert_int_equal(eoi_count, 0);
	assert_int_equal(vlapic_take(&lapic[0]), 0x41);
	set(0, LAPIC_EOI, 0);
	assert_int_equal(eoi_count, 1);
	assert_int_equal(eois[0], 0x41);
	post(0, 0x41, false); /* the next one is by edge: TMR follows */
	assert_int_equal(vlapic_take(&lapic[0]), 0x41);
	set(0, LAPIC_EOI, 0);
	assert_int_equal(eoi_count, 1);
}

static void test_software_disable(void **state)
{
	(void)state;
	set(0, LAPIC_LVT_TIMER, 0x30);
	post(0, 0x44, false);
	set(0, LAPIC_SVR, 0xff);
	assert_int_equal(get(0, LAPIC_LVT_TIMER), 0x10030);
	assert_int_equal(vlapic_pending(&lapic[0]), -1);
	set(0, LAPIC_LVT_LINT0, 0x700);
	assert_int_equal(get(0, LAPIC_LVT_LINT0), 0x10700); /* cannot be unmasked */
	set(0, LAPIC_SVR, 0x1ff);
	assert_int_equal(vlapic_pending(&lapic[0]), 0x44); /* kept */
}

static void test_register_masks(void **state)
{
	static const u32 offsets[] = {LAPIC_TPR, LAPIC_LDR, LAPIC_LVT_TIMER, LAPIC_LVT_THERMAL, LAPIC_LVT_PERF, LAPIC_LVT_LINT0, LAPIC_LVT_LINT1, LAPIC_LVT_ERROR, LAPIC_TIMER_DIV, LAPIC_ICR_HIGH};
	static const u32 masks[] = {0xff, 0xff000000, 0x700ff, 0x107ff, 0x107ff, 0x1a7ff, 0x1a7ff, 0x100ff, 0xb, 0xff000000};

	(void)state;
	for (u32 i = 0; i < ARRAY_SIZE(offsets); i++) {
		set(0, offsets[i], 0xffffffff);
		assert_int_equal(get(0, offsets[i]), masks[i]);
	}
	set(0, LAPIC_DFR, 0);
	assert_int_equal(get(0, LAPIC_DFR), 0x0fffffff);
	set(0, LAPIC_ID, 0);
	set(0, LAPIC_VERSION, 0);
	set(0, LAPIC_IRR, 0xffffffff);
	assert_int_equal(get(0, LAPIC_VERSION), 0x00050014);
	assert_int_equal(get(0, LAPIC_IRR), 0);
	lapic[1].tsc_hz = 0; /* no TSC-deadline: its mode bit is reserved */
	set(1, LAPIC_LVT_TIMER, 0xffffffff);
	assert_int_equal(get(1, LAPIC_LVT_TIMER), 0x300ff);
}

static void test_access_sizes(void **state)
{
	(void)state;
	set(0, LAPIC_TPR, 0x5a);
	assert_int_equal(vlapic_read(&lapic[0], LAPIC_SVR, 1), 0xff);
	assert_int_equal(vlapic_read(&lapic[0], LAPIC_SVR + 1, 1), 0x01);
	assert_int_equal(vlapic_read(&lapic[0], LAPIC_SVR, 2), 0x1ff);
	assert_int_equal(vlapic_read(&lapic[0], LAPIC_SVR + 4, 4), 0);
	vlapic_write(&lapic[0], LAPIC_TPR, 1, 0);
	vlapic_write(&lapic[0], LAPIC_TPR + 4, 4, 0);
	assert_int_equal(get(0, LAPIC_TPR), 0x5a);
}

static void test_errors(void **state)
{
	(void)state;
	set(0, LAPIC_LVT_ERROR, 0xfe);
	get(0, 0x40); /* no such register */
	assert_int_equal(vlapic_take(&lapic[0]), 0xfe);
	assert_int_equal(get(0, LAPIC_ESR), 0); /* shown by a write only */
	set(0, LAPIC_ESR, 0);
	assert_int_equal(get(0, LAPIC_ESR), 0x80);
	set(0, LAPIC_ESR, 0);
	assert_int_equal(get(0, LAPIC_ESR), 0);
	set(0, LAPIC_ICR_HIGH, 1u << 24);
	set(0, LAPIC_ICR, 0x0f); /* vector below 16 */
	post(0, 5, false);
	assert_int_equal(vlapic_pending(&lapic[0]), -1);
	set(0, LAPIC_ESR, 0);
	assert_int_equal(get(0, LAPIC_ESR), 0x60);
	assert_int_equal(vlapic_pending(&lapic[1]), -1);
	/* An error vector that is itself illegal must not go round for ever. */
	set(0, LAPIC_LVT_ERROR, 0x01);
	get(0, 0x40);
	assert_int_equal(vlapic_pending(&lapic[0]), -1);
	set(0, LAPIC_ESR, 0);
	assert_int_equal(get(0, LAPIC_ESR), 0xc0);
}

static void test_physical_ipi(void **state)
{
	(void)state;
	set(0, LAPIC_ICR_HIGH, 2u << 24);
	set(0, LAPIC_ICR, 0x4041);
	assert_int_equal(vlapic_pending(&lapic[0]), -1);
	assert_int_equal(vlapic_pending(&lapic[1]), -1);
	assert_int_equal(vlapic_pending(&lapic[2]), 0x41);
	assert_int_equal(attention[2], 1);
	set(0, LAPIC_ICR_HIGH, 0xffu << 24); /* broadcast */
	set(0, LAPIC_ICR, 0x4042);
	for (u32 i = 0; i < COUNT; i++)
		assert_int_equal(vlapic_pending(&lapic[i]), 0x42);
	set(0, LAPIC_ICR_HIGH, 9u << 24); /* nobody */
	set(0, LAPIC_ICR, 0x4043);
	for (u32 i = 0; i < COUNT; i++)
		assert_int_equal(vlapic_pending(&lapic[i]), 0x42);
}

static void test_shorthands(void **state)
{
	(void)state;
	set(1, LAPIC_ICR, 0x44050); /* self */
	assert_int_equal(vlapic_take(&lapic[1]), 0x50);
	assert_int_equal(vlapic_take(&lapic[0]), -1);
	set(1, LAPIC_ICR, 0x84051); /* all */
	assert_int_equal(vlapic_take(&lapic[0]), 0x51);
	assert_int_equal(vlapic_take(&lapic[2]), 0x51);
	set(1, LAPIC_ICR, 0xc4062); /* others */
	assert_int_equal(vlapic_take(&lapic[0]), 0x62);
	assert_int_equal(vlapic_take(&lapic[1]), -1);
	assert_int_equal(vlapic_take(&lapic[2]), 0x62);
}

static void test_logical_flat(void **state)
{
	(void)state;
	for (u32 i = 0; i < COUNT; i++)
		set(i, LAPIC_LDR, 1u << (24 + i));
	set(0, LAPIC_ICR_HIGH, 6u << 24);
	set(0, LAPIC_ICR, 0x4871);
	assert_int_equal(vlapic_pending(&lapic[0]), -1);
	assert_int_equal(vlapic_pending(&lapic[1]), 0x71);
	assert_int_equal(vlapic_pending(&lapic[2]), 0x71);
}

static void test_logical_cluster(void **state)
{
	(void)state;
	for (u32 i = 0; i < COUNT; i++)
		set(i, LAPIC_DFR, 0);
	set(0, LAPIC_LDR, 0x11u << 24);
	set(1, LAPIC_LDR, 0x12u << 24);
	set(2, LAPIC_LDR, 0x21u << 24);
	set(0, LAPIC_ICR_HIGH, 0x13u << 24);
	set(0, LAPIC_ICR, 0x4871);
	assert_int_equal(vlapic_take(&lapic[0]), 0x71);
	assert_int_equal(vlapic_take(&lapic[1]), 0x71);
	assert_int_equal(vlapic_take(&lapic[2]), -1);
	set(0, LAPIC_ICR_HIGH, 0xf1u << 24); /* every cluster */
	set(0, LAPIC_ICR, 0x4882);
	assert_int_equal(vlapic_take(&lapic[0]), 0x82);
	assert_int_equal(vlapic_take(&lapic[1]), -1);
	assert_int_equal(vlapic_take(&lapic[2]), 0x82);
}

static void test_lowest_priority_goes_to_one(void **state)
{
	u32 got = 0;

	(void)state;
	set(0, LAPIC_ICR, 0x84100 | 0x91);
	for (u32 i = 0; i < COUNT; i++)
		got += vlapic_pending(&lapic[i]) == 0x91;
	assert_int_equal(got, 1);
	/* Never to one that is off, though every third vector would be its turn. */
	set(1, LAPIC_SVR, 0xff);
	attention[1] = 0;
	for (u8 vector = 0xa1; vector <= 0xa3; vector++)
		set(0, LAPIC_ICR, 0x84100u | vector);
	assert_int_equal(attention[1], 0);
	assert_int_equal(vlapic_pending(&lapic[0]) >= 0xa1 || vlapic_pending(&lapic[2]) >= 0xa1, 1);
}

static void test_init_sipi_nmi(void **state)
{
	u8 vector;

	(void)state;
	set(1, LAPIC_SVR, 0xff); /* these come even when it is software-disabled */
	set(0, LAPIC_ICR_HIGH, 1u << 24);
	set(0, LAPIC_ICR, 0xc500); /* INIT, level, assert */
	assert_int_equal(signals(1), LAPIC_SIGNAL_INIT);
	set(0, LAPIC_ICR, 0x8500); /* de-assert: nothing */
	assert_int_equal(signals(1), 0);
	set(0, LAPIC_ICR, 0x4608);
	assert_int_equal(vlapic_take_signals(&lapic[1], &vector), LAPIC_SIGNAL_STARTUP);
	assert_int_equal(vector, 8);
	set(0, LAPIC_ICR, 0x4400);
	set(0, LAPIC_ICR, 0x4200);
	assert_int_equal(signals(1), LAPIC_SIGNAL_NMI | LAPIC_SIGNAL_SMI);
	assert_int_equal(signals(1), 0);
	assert_int_equal(attention[1], 4);
	set(0, LAPIC_ICR, 0x4041); /* but not fixed ones */
	assert_int_equal(attention[1], 4);
	set(0, LAPIC_ICR, 0x4300); /* a reserved delivery mode */
	assert_int_equal(attention[1], 4);
}

static void test_init_reset(void **state)
{
	(void)state;
	set(1, LAPIC_TPR, 0x20);
	post(1, 0x50, false);
	vlapic_take(&lapic[1]);
	set(1, LAPIC_LVT_TIMER, 0x30);
	set(1, LAPIC_TIMER_COUNT, 1000);
	vlapic_init_reset(&lapic[1]);
	assert_int_equal(get(1, LAPIC_SVR), 0xff);
	assert_int_equal(get(1, LAPIC_PPR), 0);
	assert_int_equal(get(1, LAPIC_ISR + 0x20), 0);
	assert_int_equal(get(1, LAPIC_ID), 1u << 24);
	assert_ptr_equal(bench_next(&bench), NULL);
	to_x2(1);
	vlapic_init_reset(&lapic[1]);
	u64 value;
	assert_true(read_msr(1, X2(LAPIC_ID), &value) && value == 1);
	assert_true(read_msr(1, X2(LAPIC_LDR), &value) && value == 2);
}

static void test_one_shot_timer(void **state)
{
	(void)state;
	set(0, LAPIC_LVT_TIMER, 0x40);
	set(0, LAPIC_TIMER_DIV, 0x3); /* by 16 */
	set(0, LAPIC_TIMER_COUNT, 1000);
	assert_int_equal(get(0, LAPIC_TIMER_NOW), 1000);
	bench_pass(&bench, 16 * 400);
	assert_int_equal(get(0, LAPIC_TIMER_NOW), 600);
	bench_pass(&bench, 16 * 600 - 1);
	assert_int_equal(vlapic_pending(&lapic[0]), -1);
	assert_int_equal(bench_pass(&bench, 1), 1);
	assert_int_equal(vlapic_take(&lapic[0]), 0x40);
	assert_int_equal(get(0, LAPIC_TIMER_NOW), 0);
	assert_int_equal(get(0, LAPIC_TIMER_COUNT), 1000);
	assert_ptr_equal(bench_next(&bench), NULL);
	set(0, LAPIC_TIMER_COUNT, 10);
	set(0, LAPIC_TIMER_COUNT, 0); /* stops */
	assert_ptr_equal(bench_next(&bench), NULL);
}

static void test_dividers(void **state)
{
	static const u8 value[] = {0xb, 0x0, 0x1, 0x2, 0x3, 0x8, 0x9, 0xa};

	(void)state;
	for (u32 i = 0; i < 8; i++) {
		set(0, LAPIC_TIMER_DIV, value[i]);
		set(0, LAPIC_TIMER_COUNT, 100000);
		bench_pass(&bench, 50000ull << i);
		assert_int_equal(get(0, LAPIC_TIMER_NOW), 50000);
	}
	set(0, LAPIC_TIMER_DIV, 0xb); /* a running count goes on at the new rate */
	assert_int_equal(get(0, LAPIC_TIMER_NOW), 50000);
	bench_pass(&bench, 20000);
	assert_int_equal(get(0, LAPIC_TIMER_NOW), 30000);
}

static void test_periodic_timer(void **state)
{
	(void)state;
	set(0, LAPIC_LVT_TIMER, 0x20041);
	set(0, LAPIC_TIMER_DIV, 0xb);
	set(0, LAPIC_TIMER_COUNT, 1000000);
	for (u32 i = 0; i < 5; i++) {
		assert_int_equal(bench_pass(&bench, 999999), i ? 0 : 0);
		assert_int_equal(get(0, LAPIC_TIMER_NOW), 1);
		assert_int_equal(bench_pass(&bench, 1), 1);
		assert_int_equal(vlapic_take(&lapic[0]), 0x41);
		assert_int_equal(get(0, LAPIC_TIMER_NOW), 1000000);
		set(0, LAPIC_EOI, 0);
	}
	bench.now += 3500000; /* the core was busy: one interrupt, then in step again */
	assert_int_equal(bench_pass(&bench, 0), 1);
	assert_int_equal(get(0, LAPIC_TIMER_NOW), 500000);
	set(0, LAPIC_TIMER_COUNT, 1);
	assert_in_range(bench_pass(&bench, 100000000), 999, 1001); /* held back to 100 us */
	set(0, LAPIC_LVT_TIMER, 0x30041); /* masked: it counts on without interrupting */
	vlapic_take(&lapic[0]);
	set(0, LAPIC_EOI, 0);
	set(0, LAPIC_TIMER_COUNT, 1000000);
	assert_int_equal(bench_pass(&bench, 2500000), 2);
	assert_int_equal(vlapic_pending(&lapic[0]), -1);
	assert_int_equal(get(0, LAPIC_TIMER_NOW), 500000);
}

static void test_tsc_deadline(void **state)
{
	u64 value;

	(void)state;
	assert_true(write_msr(0, 0x6e0, 5000)); /* not in that mode: stays 0 */
	assert_true(read_msr(0, 0x6e0, &value) && value == 0);
	set(0, LAPIC_TIMER_COUNT, 100);
	set(0, LAPIC_LVT_TIMER, 0x40042);
	assert_ptr_equal(bench_next(&bench), NULL); /* the mode change disarmed it */
	set(0, LAPIC_TIMER_COUNT, 100);
	assert_int_equal(get(0, LAPIC_TIMER_COUNT), 0);
	assert_true(write_msr(0, 0x6e0, 1000 + 3 * 5000 + 1)); /* 5000.33 ns */
	assert_true(read_msr(0, 0x6e0, &value) && value == 16001);
	assert_int_equal(get(0, LAPIC_TIMER_NOW), 0);
	assert_int_equal(bench_pass(&bench, 5000), 0);
	assert_int_equal(bench_pass(&bench, 1), 1);
	assert_int_equal(vlapic_take(&lapic[0]), 0x42);
	assert_true(read_msr(0, 0x6e0, &value) && value == 0);
	assert_true(write_msr(0, 0x6e0, 5)); /* in the past: at once */
	assert_int_equal(bench_pass(&bench, 0), 1);
	assert_true(write_msr(0, 0x6e0, 1000000));
	assert_true(write_msr(0, 0x6e0, 0));
	assert_ptr_equal(bench_next(&bench), NULL);
	assert_true(write_msr(0, 0x6e0, ~0ull));
	assert_ptr_equal(bench_next(&bench), NULL);
	set(0, LAPIC_LVT_TIMER, 0x42);
	assert_true(read_msr(0, 0x6e0, &value) && value == 0);
	lapic[1].tsc_hz = 0;
	assert_false(read_msr(1, 0x6e0, &value));
	assert_false(write_msr(1, 0x6e0, 0));
}

static void test_base_msr(void **state)
{
	u64 value;

	(void)state;
	assert_true(vlapic_covers(&lapic[0], 0xfee00fff));
	assert_false(vlapic_covers(&lapic[0], 0xfee01000));
	assert_false(vlapic_covers(&lapic[0], 0xfedfffff));
	assert_false(write_msr(0, BASE, 0xfee00500));	    /* x2APIC without enable */
	assert_false(write_msr(0, BASE, 0xfee00901));	    /* reserved */
	assert_false(write_msr(0, BASE, 0x100fee00900ull)); /* above 40 bits */
	assert_true(write_msr(1, BASE, 0xfee00900));	    /* BSP cannot be changed */
	assert_true(read_msr(1, BASE, &value) && value == 0xfee00800);
	assert_true(write_msr(0, BASE, 0xf0000900));
	assert_true(vlapic_covers(&lapic[0], 0xf0000020));
	assert_false(vlapic_covers(&lapic[0], 0xfee00020));
	assert_true(write_msr(0, BASE, 0xfee00d00));
	assert_false(vlapic_covers(&lapic[0], 0xfee00020)); /* x2APIC has no MMIO */
	assert_false(write_msr(0, BASE, 0xfee00900));	   /* not back to xAPIC */
	assert_true(write_msr(0, BASE, 0xfee00100));	   /* off */
	assert_false(vlapic_covers(&lapic[0], 0xfee00020));
	assert_false(write_msr(0, BASE, 0xfee00d00)); /* not from off to x2APIC */
	assert_true(write_msr(0, BASE, 0xfee00900));
	assert_int_equal(get(0, LAPIC_SVR), 0xff); /* state was lost */
}

static void test_disabled_hears_nothing(void **state)
{
	(void)state;
	assert_true(write_msr(1, BASE, 0xfee00000));
	set(0, LAPIC_ICR, 0xc4050);
	set(0, LAPIC_ICR, 0xc4400);
	assert_int_equal(attention[1], 0);
	assert_int_equal(attention[2], 2);
}

static void test_x2_registers(void **state)
{
	u64 value;

	(void)state;
	assert_false(read_msr(1, X2(LAPIC_ID), &value)); /* not in xAPIC mode */
	assert_false(write_msr(1, X2(LAPIC_TPR), 0));
	to_x2(1);
	assert_true(read_msr(1, X2(LAPIC_ID), &value) && value == 1);
	assert_true(read_msr(1, X2(LAPIC_LDR), &value) && value == 2);
	assert_true(write_msr(1, X2(LAPIC_TPR), 0x20));
	assert_true(read_msr(1, X2(LAPIC_TPR), &value) && value == 0x20);
	assert_false(write_msr(1, X2(LAPIC_TPR), 0x100));
	assert_false(write_msr(1, X2(LAPIC_TPR), 0x100000000ull));
	assert_false(write_msr(1, X2(LAPIC_ID), 0));
	assert_false(write_msr(1, X2(LAPIC_LDR), 0));
	assert_false(write_msr(1, X2(LAPIC_DFR), 0));
	assert_false(read_msr(1, X2(LAPIC_DFR), &value));
	assert_false(read_msr(1, X2(LAPIC_ICR_HIGH), &value));
	assert_false(read_msr(1, X2(LAPIC_EOI), &value));
	assert_false(read_msr(1, X2(LAPIC_SELF_IPI), &value));
	assert_false(write_msr(1, X2(LAPIC_EOI), 1));
	assert_true(write_msr(1, X2(LAPIC_EOI), 0));
	assert_false(write_msr(1, X2(LAPIC_ESR), 1));
	assert_true(write_msr(1, X2(LAPIC_ESR), 0));
	assert_false(read_msr(1, 0x8ff, &value));
	assert_false(write_msr(1, 0x8ff, 0));
	assert_false(write_msr(1, X2(LAPIC_VERSION), 0));
	assert_false(write_msr(1, X2(LAPIC_LVT_TIMER), 0x80000));
	assert_true(write_msr(1, X2(LAPIC_LVT_TIMER), 0x20031));
	assert_true(read_msr(1, X2(LAPIC_IRR), &value) && value == 0);
}

static void test_x2_ipi(void **state)
{
	u64 value;

	(void)state;
	for (u32 i = 0; i < COUNT; i++)
		to_x2(i);
	assert_true(write_msr(0, X2(LAPIC_ICR), 0x0000000200004041ull));
	assert_int_equal(vlapic_take(&lapic[2]), 0x41);
	assert_true(read_msr(0, X2(LAPIC_ICR), &value) && value == 0x0000000200004041ull);
	assert_false(write_msr(0, X2(LAPIC_ICR), 0x1000));
	assert_true(write_msr(0, X2(LAPIC_ICR), 0x0000000600004851ull)); /* logical: cluster 0, bits 1 and 2 */
	assert_int_equal(vlapic_take(&lapic[0]), -1);
	assert_int_equal(vlapic_take(&lapic[1]), 0x51);
	assert_int_equal(vlapic_take(&lapic[2]), 0x51);
	assert_true(write_msr(0, X2(LAPIC_ICR), 0x0001000600004861ull)); /* cluster 1: nobody */
	assert_int_equal(vlapic_take(&lapic[1]), -1);
	assert_true(write_msr(0, X2(LAPIC_ICR), 0xffffffff00004071ull)); /* broadcast */
	for (u32 i = 0; i < COUNT; i++)
		assert_int_equal(vlapic_take(&lapic[i]), 0x71);
	assert_true(write_msr(0, X2(LAPIC_ICR), 0x000000ff00004081ull)); /* 255 is an ID like others here */
	assert_int_equal(vlapic_take(&lapic[1]), -1);
	assert_true(write_msr(1, X2(LAPIC_SELF_IPI), 0x91));
	assert_int_equal(vlapic_take(&lapic[1]), 0x91);
	assert_int_equal(vlapic_take(&lapic[0]), -1);
	assert_false(write_msr(1, X2(LAPIC_SELF_IPI), 0x191));
	assert_true(write_msr(1, X2(LAPIC_SELF_IPI), 0x01));
	assert_true(write_msr(1, X2(LAPIC_ESR), 0));
	assert_true(read_msr(1, X2(LAPIC_ESR), &value) && value == 0x20);
}

static void test_pic_path(void **state)
{
	(void)state;
	vlapic_reset(&lapic[0]);
	assert_false(vlapic_accepts_pic(&lapic[0]));
	vlapic_virtual_wire(&lapic[0]);
	assert_true(vlapic_accepts_pic(&lapic[0]));
	assert_int_equal(get(0, LAPIC_LVT_LINT1), 0x400);
	set(0, LAPIC_LVT_LINT0, 0x10700);
	assert_false(vlapic_accepts_pic(&lapic[0]));
	set(0, LAPIC_LVT_LINT0, 0x400);
	assert_false(vlapic_accepts_pic(&lapic[0]));
	assert_true(write_msr(0, BASE, 0xfee00100));
	assert_true(vlapic_accepts_pic(&lapic[0]));
	assert_true(write_msr(1, BASE, 0xfee00000));
	assert_false(vlapic_accepts_pic(&lapic[1]));
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup(f, setup)
	const struct CMUnitTest tests[] = {
		TEST(test_reset_values), TEST(test_priorities), TEST(test_task_priority), TEST(test_eoi_broadcast),
		TEST(test_software_disable), TEST(test_register_masks), TEST(test_access_sizes), TEST(test_errors),
		TEST(test_physical_ipi), TEST(test_shorthands), TEST(test_logical_flat), TEST(test_logical_cluster),
		TEST(test_lowest_priority_goes_to_one), TEST(test_init_sipi_nmi), TEST(test_init_reset), TEST(test_one_shot_timer),
		TEST(test_dividers), TEST(test_periodic_timer), TEST(test_tsc_deadline), TEST(test_base_msr),
		TEST(test_disabled_hears_nothing), TEST(test_x2_registers), TEST(test_x2_ipi), TEST(test_pic_path),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
