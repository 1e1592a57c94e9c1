// sources: vmm/devices/vlapic.c vmm/devices/vlapic_irq.c vmm/devices/vlapic_timer.c vmm/devices/vlapic_msr.c vmm/devices/apic_bus.c vmm/devices/bus.c
/* A local APIC against the SDM's chapter: registers, priorities, errors, the timer. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include "vlapic_bench.h"

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
	assert_int_equal(pending(0), 0x52);
	assert_int_equal(get(0, LAPIC_IRR + 0x20), 0x60000);
	assert_int_equal(take(0), 0x52);
	assert_int_equal(get(0, LAPIC_ISR + 0x20), 0x40000);
	assert_int_equal(get(0, LAPIC_PPR), 0x50);
	assert_int_equal(pending(0), 0); /* 0x51 is of the same class */
	post(0, 0x60, false);
	assert_int_equal(take(0), 0x60);
	set(0, LAPIC_EOI, 0);
	assert_int_equal(get(0, LAPIC_PPR), 0x50);
	set(0, LAPIC_EOI, 0);
	assert_int_equal(get(0, LAPIC_PPR), 0);
	assert_int_equal(take(0), 0x51);
	set(0, LAPIC_EOI, 0);
	assert_int_equal(take(0), 0x31);
	set(0, LAPIC_EOI, 0);
	set(0, LAPIC_EOI, 0); /* none in service: nothing happens */
	assert_int_equal(take(0), 0);
	assert_int_equal(eoi_count, 0);
}

static void test_task_priority(void **state)
{
	(void)state;
	set(0, LAPIC_TPR, 0x45);
	assert_int_equal(get(0, LAPIC_PPR), 0x45);
	post(0, 0x4f, false);
	assert_int_equal(pending(0), 0);
	post(0, 0x50, false);
	assert_int_equal(pending(0), 0x50);
	set(0, LAPIC_TPR, 0x3f);
	assert_int_equal(take(0), 0x50);
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
	assert_int_equal(take(0), 0x42);
	assert_int_equal(get(0, LAPIC_TMR + 0x20), 2);
	set(0, LAPIC_EOI, 0);
	assert_int_equal(eoi_count, 0);
	assert_int_equal(take(0), 0x41);
	set(0, LAPIC_EOI, 0);
	assert_int_equal(eoi_count, 1);
	assert_int_equal(eois[0], 0x41);
	post(0, 0x41, false); /* the next one is by edge: TMR follows */
	assert_int_equal(take(0), 0x41);
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
	assert_int_equal(pending(0), 0);
	set(0, LAPIC_LVT_LINT0, 0x700);
	assert_int_equal(get(0, LAPIC_LVT_LINT0), 0x10700); /* cannot be unmasked */
	set(0, LAPIC_SVR, 0x1ff);
	assert_int_equal(pending(0), 0x44); /* kept */
}

static void test_register_masks(void **state)
{
	static const u32 offsets[] = {LAPIC_TPR,       LAPIC_LDR,	LAPIC_LVT_TIMER, LAPIC_LVT_THERMAL,
				      LAPIC_LVT_PERF,  LAPIC_LVT_LINT0, LAPIC_LVT_LINT1, LAPIC_LVT_ERROR,
				      LAPIC_TIMER_DIV, LAPIC_ICR_HIGH};
	static const u32 masks[] = {0xff,    0xff000000, 0x700ff, 0x107ff, 0x107ff,
				    0x1a7ff, 0x1a7ff,	 0x100ff, 0xb,	   0xff000000};

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
	assert_int_equal(take(0), 0xfe);
	assert_int_equal(get(0, LAPIC_ESR), 0); /* shown by a write only */
	set(0, LAPIC_ESR, 0);
	assert_int_equal(get(0, LAPIC_ESR), 0x80);
	set(0, LAPIC_ESR, 0);
	assert_int_equal(get(0, LAPIC_ESR), 0);
	set(0, LAPIC_ICR_HIGH, 1u << 24);
	set(0, LAPIC_ICR, 0x0f); /* vector below 16 */
	post(0, 5, false);
	assert_int_equal(pending(0), 0);
	set(0, LAPIC_ESR, 0);
	assert_int_equal(get(0, LAPIC_ESR), 0x60);
	assert_int_equal(pending(1), 0);
	/* An error vector that is itself illegal must not go round for ever. */
	set(0, LAPIC_LVT_ERROR, 0x01);
	get(0, 0x40);
	assert_int_equal(pending(0), 0);
	assert_int_equal(pending(0), 0);
	u32 calls = attention[0];
	assert_int_equal(pending(0), 0);
	assert_int_equal(attention[0], calls);
	set(0, LAPIC_ESR, 0);
	assert_int_equal(get(0, LAPIC_ESR), 0xc0);
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
	assert_int_equal(pending(0), 0);
	assert_int_equal(bench_pass(&bench, 1), 1);
	assert_int_equal(take(0), 0x40);
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
		assert_int_equal(take(0), 0x41);
		assert_int_equal(get(0, LAPIC_TIMER_NOW), 1000000);
		set(0, LAPIC_EOI, 0);
	}
	bench.now += 3500000; /* the core was busy: one interrupt, then in step again */
	assert_int_equal(bench_pass(&bench, 0), 1);
	assert_int_equal(get(0, LAPIC_TIMER_NOW), 500000);
	set(0, LAPIC_TIMER_COUNT, 1);
	assert_in_range(bench_pass(&bench, 100000000), 999, 1001); /* held back to 100 us */
	set(0, LAPIC_LVT_TIMER, 0x30041); /* masked: it counts on without interrupting */
	take(0);
	set(0, LAPIC_EOI, 0);
	set(0, LAPIC_TIMER_COUNT, 1000000);
	assert_int_equal(bench_pass(&bench, 2500000), 2);
	assert_int_equal(pending(0), 0);
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
	assert_int_equal(take(0), 0x42);
	assert_true(read_msr(0, 0x6e0, &value) && value == 0);
	assert_true(write_msr(0, 0x6e0, 5)); /* in the past: at once */
	assert_int_equal(bench_pass(&bench, 0), 1);
	assert_true(write_msr(0, 0x6e0, 1000000));
	assert_true(write_msr(0, 0x6e0, 0));
	assert_ptr_equal(bench_next(&bench), NULL);
	assert_true(write_msr(0, 0x6e0, ~0ull)); /* not within 146 years */
	assert_true(bench_next(&bench)->deadline_ns > BIT(62));
	set(0, LAPIC_LVT_TIMER, 0x42);
	assert_true(read_msr(0, 0x6e0, &value) && value == 0);
	lapic[1].tsc_hz = 0;
	assert_false(read_msr(1, 0x6e0, &value));
	assert_false(write_msr(1, 0x6e0, 0));
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup(f, setup)
	const struct CMUnitTest tests[] = {
		TEST(test_reset_values), TEST(test_priorities), TEST(test_task_priority), TEST(test_eoi_broadcast),
		TEST(test_software_disable), TEST(test_register_masks), TEST(test_access_sizes), TEST(test_errors),
		TEST(test_one_shot_timer), TEST(test_dividers), TEST(test_periodic_timer), TEST(test_tsc_deadline),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
