// sources: vmm/devices/vlapic.c vmm/devices/vlapic_irq.c vmm/devices/vlapic_timer.c vmm/devices/vlapic_msr.c vmm/devices/apic_bus.c vmm/devices/bus.c
/* Local APICs against the SDM's chapter: messages between them, INIT, the base MSR and x2APIC mode. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include "vlapic_bench.h"

static void test_physical_ipi(void **state)
{
	(void)state;
	set(0, LAPIC_ICR_HIGH, 2u << 24);
	set(0, LAPIC_ICR, 0x4041);
	assert_int_equal(pending(0), 0);
	assert_int_equal(pending(1), 0);
	assert_int_equal(pending(2), 0x41);
	assert_int_equal(attention[2], 1);
	set(0, LAPIC_ICR_HIGH, 0xffu << 24); /* broadcast */
	set(0, LAPIC_ICR, 0x4042);
	for (u32 i = 0; i < COUNT; i++)
		assert_int_equal(pending(i), 0x42);
	set(0, LAPIC_ICR_HIGH, 9u << 24); /* nobody */
	set(0, LAPIC_ICR, 0x4043);
	for (u32 i = 0; i < COUNT; i++)
		assert_int_equal(pending(i), 0x42);
}

static void test_shorthands(void **state)
{
	(void)state;
	set(1, LAPIC_ICR, 0x44050); /* self */
	assert_int_equal(take(1), 0x50);
	assert_int_equal(take(0), 0);
	set(1, LAPIC_ICR, 0x84051); /* all */
	assert_int_equal(take(0), 0x51);
	assert_int_equal(take(2), 0x51);
	set(1, LAPIC_ICR, 0xc4062); /* others */
	assert_int_equal(take(0), 0x62);
	assert_int_equal(take(1), 0);
	assert_int_equal(take(2), 0x62);
}

static void test_logical_flat(void **state)
{
	(void)state;
	for (u32 i = 0; i < COUNT; i++)
		set(i, LAPIC_LDR, 1u << (24 + i));
	set(0, LAPIC_ICR_HIGH, 6u << 24);
	set(0, LAPIC_ICR, 0x4871);
	assert_int_equal(pending(0), 0);
	assert_int_equal(pending(1), 0x71);
	assert_int_equal(pending(2), 0x71);
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
	assert_int_equal(take(0), 0x71);
	assert_int_equal(take(1), 0x71);
	assert_int_equal(take(2), 0);
	set(0, LAPIC_ICR_HIGH, 0xf1u << 24); /* every cluster */
	set(0, LAPIC_ICR, 0x4882);
	assert_int_equal(take(0), 0x82);
	assert_int_equal(take(1), 0);
	assert_int_equal(take(2), 0x82);
}

static void test_lowest_priority_goes_to_one(void **state)
{
	u32 got = 0;

	(void)state;
	set(0, LAPIC_ICR, 0x84100 | 0x91);
	for (u32 i = 0; i < COUNT; i++)
		got += pending(i) == 0x91;
	assert_int_equal(got, 1);
	/* Never to one that is off, though every third vector would be its turn. */
	set(1, LAPIC_SVR, 0xff);
	attention[1] = 0;
	for (u8 vector = 0xa1; vector <= 0xa3; vector++)
		set(0, LAPIC_ICR, 0x84100u | vector);
	assert_int_equal(attention[1], 0);
	assert_int_equal(pending(0) >= 0xa1 || pending(2) >= 0xa1, 1);
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
	take(1);
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
	/*
	 * Delivery status and remote IRR are read-only, not reserved; the timer has no remote IRR. Linux writes them at
	 * its end.
	 */
	assert_true(write_msr(1, X2(LAPIC_LVT_LINT0), 0x5700));
	assert_true(read_msr(1, X2(LAPIC_LVT_LINT0), &value) && value == 0x700);
	assert_false(write_msr(1, X2(LAPIC_LVT_TIMER), 0x4031));
	assert_true(read_msr(1, X2(LAPIC_IRR), &value) && value == 0);
}

static void test_x2_ipi(void **state)
{
	u64 value;

	(void)state;
	for (u32 i = 0; i < COUNT; i++)
		to_x2(i);
	assert_true(write_msr(0, X2(LAPIC_ICR), 0x0000000200004041ull));
	assert_int_equal(take(2), 0x41);
	assert_true(read_msr(0, X2(LAPIC_ICR), &value) && value == 0x0000000200004041ull);
	assert_false(write_msr(0, X2(LAPIC_ICR), 0x1000));
	assert_true(write_msr(0, X2(LAPIC_ICR), 0x0000000600004851ull)); /* logical: cluster 0, bits 1 and 2 */
	assert_int_equal(take(0), 0);
	assert_int_equal(take(1), 0x51);
	assert_int_equal(take(2), 0x51);
	assert_true(write_msr(0, X2(LAPIC_ICR), 0x0001000600004861ull)); /* cluster 1: nobody */
	assert_int_equal(take(1), 0);
	assert_true(write_msr(0, X2(LAPIC_ICR), 0xffffffff00004071ull)); /* broadcast */
	for (u32 i = 0; i < COUNT; i++)
		assert_int_equal(take(i), 0x71);
	assert_true(write_msr(0, X2(LAPIC_ICR), 0x000000ff00004081ull)); /* 255 is an ID like others here */
	assert_int_equal(take(1), 0);
	assert_true(write_msr(1, X2(LAPIC_SELF_IPI), 0x91));
	assert_int_equal(take(1), 0x91);
	assert_int_equal(take(0), 0);
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
		TEST(test_physical_ipi), TEST(test_shorthands), TEST(test_logical_flat), TEST(test_logical_cluster),
		TEST(test_lowest_priority_goes_to_one), TEST(test_init_sipi_nmi), TEST(test_init_reset),
		TEST(test_base_msr), TEST(test_disabled_hears_nothing), TEST(test_x2_registers), TEST(test_x2_ipi),
		TEST(test_pic_path),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
