// sources: vmm/devices/vlapic.c vmm/devices/vlapic_irq.c vmm/devices/vlapic_timer.c vmm/devices/vlapic_msr.c vmm/devices/apic_bus.c vmm/devices/bus.c
/*
 * A local APIC whose page a processor works on as well: what it is shown, and what it leaves to us. The test is the
 * processor.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include "vlapic_bench.h"

static struct apic_view view_of(u32 i)
{
	struct apic_view view;

	vlapic_collect(&lapic[i]);
	vlapic_view(&lapic[i], &view);
	return view;
}

/* As the guest writes with a processor that keeps the register in the page, and tells afterwards. */
static void write_by_processor(u32 i, u32 offset, u32 value)
{
	pages[i][offset / 4] = value;
	vlapic_written(&lapic[i], offset);
}

static int helped_setup(void **state)
{
	setup(state);
	for (u32 i = 0; i < COUNT; i++)
		vlapic_help(&lapic[i]);
	return 0;
}

static void put(u32 i, u32 bank, u8 vector)
{
	pages[i][(bank + vector / 32 * 0x10u) / 4] |= 1u << vector % 32;
}

static void access_follows_the_base(void **state)
{
	u64 base;

	(void)state;
	assert_int_equal(view_of(0).access, APIC_ACCESS_MMIO);
	assert_true(view_of(0).enabled);
	set(0, LAPIC_SVR, 0xff);
	assert_false(view_of(0).enabled);
	set(0, LAPIC_SVR, 0x1ff);
	assert_true(read_msr(0, BASE, &base) && write_msr(0, BASE, base + 0x100000));
	assert_int_equal(view_of(0).access, APIC_ACCESS_NONE);
	assert_true(view_of(0).enabled);
	assert_true(write_msr(0, BASE, base & ~0x800ull));
	assert_int_equal(view_of(0).access, APIC_ACCESS_NONE);
	assert_false(view_of(0).enabled);
	to_x2(1);
	assert_int_equal(view_of(1).access, APIC_ACCESS_MSR);
}

static void requests_and_service(void **state)
{
	(void)state;
	assert_int_equal(view_of(0).requested, 0);
	assert_int_equal(view_of(0).in_service, 0);
	post(0, 0x31, false);
	post(0, 0xc4, true);
	assert_int_equal(view_of(0).requested, 0xc4);
	assert_int_equal(view_of(0).level[6 * APIC_WORD], 0x10);
	assert_int_equal(take(0), 0xc4);
	assert_int_equal(view_of(0).requested, 0x31);
	assert_int_equal(view_of(0).in_service, 0xc4);
	set(0, LAPIC_SVR, 0xff);
	assert_int_equal(view_of(0).requested, 0); /* kept, but not to be delivered */
	assert_int_equal(view_of(0).in_service, 0xc4);
}

/* Enabled, with at most one vector requested and one in service (0: none), and this priority. */
static void begin_with(u8 request, u8 service, u8 tpr)
{
	vlapic_reset(&lapic[0]);
	set(0, LAPIC_SVR, 0x1ff);
	if (request)
		put(0, LAPIC_IRR, request);
	if (service)
		put(0, LAPIC_ISR, service);
	pages[0][LAPIC_TPR / 4] = tpr;
}

static void threshold_is_for_what_the_priority_alone_holds(void **state)
{
	static const struct {
		u8 request, service, tpr, threshold;
	} cases[] = {
		{0, 0, 0xf0, 0},       {0x51, 0, 0x00, 0},    {0x51, 0, 0x4f, 0},    {0x51, 0, 0x50, 5},
		{0x51, 0, 0xf0, 5},    {0x51, 0x52, 0xf0, 0}, {0x51, 0x61, 0xf0, 0}, {0x51, 0x4f, 0xf0, 5},
		{0x51, 0x4f, 0x40, 0}, {0xff, 0, 0xff, 15},
	};

	(void)state;
	for (u32 i = 0; i < ARRAY_SIZE(cases); i++) {
		begin_with(cases[i].request, cases[i].service, cases[i].tpr);
		assert_int_equal(view_of(0).threshold, cases[i].threshold);
		assert_int_equal(view_of(0).tpr, cases[i].tpr);
	}
}

/* What the processor finds in the page, whoever put it there. */
static void asks_by_the_page_alone(void **state)
{
	static const struct {
		u8 request, service, tpr;
		bool asks;
	} cases[] = {
		{0, 0, 0, false},      {0x51, 0, 0, true},     {0x51, 0, 0x4f, true},  {0x51, 0, 0x50, false},
		{0xff, 0, 0xef, true}, {0x51, 0x4f, 0, true},  {0x51, 0x50, 0, false}, {0x51, 0xf1, 0, false},
		{0x1f, 0, 0x0f, true}, {0x11, 0x10, 0, false},
	};

	(void)state;
	for (u32 i = 0; i < ARRAY_SIZE(cases); i++) {
		begin_with(cases[i].request, cases[i].service, cases[i].tpr);
		assert_int_equal(vlapic_asks(&lapic[0]), cases[i].asks);
		assert_int_equal(vlapic_pending(&lapic[0]) != 0, cases[i].asks);
		set(0, LAPIC_SVR, 0xff);
		assert_false(vlapic_asks(&lapic[0]));
	}
}

/* CR8 has changed TPR without us: priorities and PPR must follow. */
static void priorities_are_read_from_the_page(void **state)
{
	(void)state;
	post(0, 0x51, false);
	assert_int_equal(pending(0), 0x51);
	pages[0][LAPIC_TPR / 4] = 0x60;
	assert_int_equal(pending(0), 0);
	assert_int_equal(get(0, LAPIC_PPR), 0x60);
	pages[0][LAPIC_TPR / 4] = 0;
	put(0, LAPIC_ISR, 0x71);
	assert_int_equal(get(0, LAPIC_PPR), 0x70);
	assert_int_equal(pending(0), 0);
}

static void an_end_is_told(void **state)
{
	(void)state;
	vlapic_ended(&lapic[0], 0x41);
	assert_int_equal(eoi_count, 1);
	assert_int_equal(eois[0], 0x41);
}

static void written_registers_keep_their_fixed_bits(void **state)
{
	static const u32 offsets[] = {LAPIC_ID,	       LAPIC_LDR,	LAPIC_DFR, LAPIC_SVR,
				      LAPIC_LVT_LINT0, LAPIC_TIMER_DIV, LAPIC_EOI, LAPIC_ICR_HIGH};
	static const u32 then[] = {1u << 24, 0xff000000, 0xffffffff, 0x1ff, 0x1a7ff, 0xb, 0, 0xff000000};

	(void)state;
	for (u32 i = 0; i < ARRAY_SIZE(offsets); i++) {
		write_by_processor(1, offsets[i], 0xffffffff);
		assert_int_equal(pages[1][offsets[i] / 4], then[i]);
	}
}

static void written_commands_are_carried_out(void **state)
{
	(void)state;
	pages[0][LAPIC_ICR_HIGH / 4] = 2u << 24;
	write_by_processor(0, LAPIC_ICR, 0x4000 | 0x66);
	assert_int_equal(pending(2), 0x66);
	post(0, 0x55, true);
	assert_int_equal(take(0), 0x55);
	write_by_processor(0, LAPIC_EOI, 0);
	assert_int_equal(eoi_count, 1);
	assert_int_equal(pending(0), 0);
	assert_int_equal(view_of(0).in_service, 0);
	set(0, LAPIC_LVT_ERROR, 0x77);
	write_by_processor(0, LAPIC_SELF_IPI, 5); /* a vector that cannot be sent */
	assert_int_equal(pending(0), 0x77);
	write_by_processor(0, LAPIC_ESR, 0x12345);
	assert_int_equal(get(0, LAPIC_ESR), ESR_SEND_VECTOR);
	write_by_processor(0, LAPIC_SVR + 1, 0); /* by a byte: the register it is in */
}

/*
 * The page holds the new mode or divider before we hear of it; what ran under the old one must end, or go on, all the
 * same.
 */
static void timer_changes_are_seen(void **state)
{
	(void)state;
	write_by_processor(0, LAPIC_LVT_TIMER, 0x40000 | 0x30);
	assert_true(write_msr(0, 0x6e0, bench.now * 3 + 1000 + 3000000));
	assert_int_not_equal(lapic[0].timer.deadline_ns, TIMER_NEVER);
	write_by_processor(0, LAPIC_TIMER_COUNT, 500);
	assert_int_equal(get(0, LAPIC_TIMER_COUNT), 0); /* ignored in this mode */
	write_by_processor(0, LAPIC_LVT_TIMER, 0x30);
	assert_int_equal(lapic[0].timer.deadline_ns, TIMER_NEVER);
	assert_int_equal(lapic[0].tsc_deadline, 0);
	write_by_processor(0, LAPIC_TIMER_DIV, 0xb);
	write_by_processor(0, LAPIC_TIMER_COUNT, 8000);
	assert_int_equal(lapic[0].timer.deadline_ns, bench.now + 8000);
	write_by_processor(0, LAPIC_TIMER_DIV, 0);
	assert_int_equal(get(0, LAPIC_TIMER_NOW), 8000);
	assert_int_equal(lapic[0].timer.deadline_ns, bench.now + 16000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(access_follows_the_base, helped_setup),
		cmocka_unit_test_setup(requests_and_service, helped_setup),
		cmocka_unit_test_setup(threshold_is_for_what_the_priority_alone_holds, helped_setup),
		cmocka_unit_test_setup(asks_by_the_page_alone, helped_setup),
		cmocka_unit_test_setup(priorities_are_read_from_the_page, helped_setup),
		cmocka_unit_test_setup(an_end_is_told, helped_setup),
		cmocka_unit_test_setup(written_registers_keep_their_fixed_bits, helped_setup),
		cmocka_unit_test_setup(written_commands_are_carried_out, helped_setup),
		cmocka_unit_test_setup(timer_changes_are_seen, helped_setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
