// sources: arch/x86_64/vmx/apic_controls.c
/*
 * Which controls help with a local APIC, which x2APIC MSRs go without an exit, and what the VMCS is told of IRR, ISR
 * and TMR.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "arch/x86_64/vmx/apic_controls.h"

#define ACCESS	 ((u32)SECONDARY_APIC_ACCESS)
#define X2	 ((u32)SECONDARY_X2APIC)
#define REGISTER ((u32)SECONDARY_APIC_REGISTER)
#define DELIVERY ((u32)SECONDARY_VIRTUAL_INTERRUPTS)
#define ALL	 ((u32)APIC_CONTROLS)

static void controls_follow_the_state(void **state)
{
	static const struct {
		u32 offered;
		enum apic_access access;
		bool enabled;
		u32 controls;
	} cases[] = {
		{ALL, APIC_ACCESS_MMIO, true, ACCESS | REGISTER | DELIVERY},
		{ALL, APIC_ACCESS_MMIO, false, ACCESS | REGISTER},
		{ALL, APIC_ACCESS_MSR, true, X2 | REGISTER | DELIVERY},
		{ALL, APIC_ACCESS_MSR, false, X2 | REGISTER},
		{ALL, APIC_ACCESS_NONE, true, DELIVERY},
		{ALL, APIC_ACCESS_NONE, false, 0},
		{0, APIC_ACCESS_MMIO, true, 0},
		{0, APIC_ACCESS_MSR, true, 0},
		/* Ivy Bridge: accesses alone. */
		{ACCESS | X2, APIC_ACCESS_MMIO, true, ACCESS},
		{ACCESS | X2, APIC_ACCESS_MSR, true, X2},
		/* No way to the registers: none of them either. */
		{X2 | REGISTER | DELIVERY, APIC_ACCESS_MMIO, true, DELIVERY},
		{ACCESS | REGISTER, APIC_ACCESS_MSR, true, 0},
	};

	(void)state;
	for (u32 i = 0; i < ARRAY_SIZE(cases); i++) {
		const struct apic_view view = {.access = cases[i].access, .enabled = cases[i].enabled};

		assert_int_equal(apic_controls(cases[i].offered, &view), cases[i].controls);
	}
}

/* Whatever is offered and whatever the state: never what an entry would be refused with, nor what is not offered. */
static void controls_are_always_valid(void **state)
{
	(void)state;
	for (u32 bits = 0; bits < 16; bits++) {
		u32 offered = (bits & 1 ? ACCESS : 0) | (bits & 2 ? X2 : 0) | (bits & 4 ? REGISTER : 0) |
			      (bits & 8 ? DELIVERY : 0);

		for (u32 how = 0; how < 6; how++) {
			const struct apic_view view = {.access = (enum apic_access)(how / 2), .enabled = how & 1};
			u32 controls = apic_controls(offered, &view);

			assert_int_equal(controls & ~offered, 0);
			assert_false(controls & ACCESS && controls & X2);
			assert_false(controls & DELIVERY && !view.enabled);
		}
	}
}

/*
 * Every MSR exits unless it is named here: what would reach the processor's own local APIC, and what is not in the
 * page.
 */
static void msrs_that_do_not_exit(void **state)
{
	static const struct {
		u32 controls;
		u8 first, last;
		bool write;
	} free[] = {
		{X2, 0x08, 0x08, false}, {X2, 0x08, 0x08, true},
		{X2 | DELIVERY, 0x0b, 0x0b, true}, {X2 | DELIVERY, 0x3f, 0x3f, true},
		{X2 | REGISTER, 0x02, 0x03, false}, {X2 | REGISTER, 0x0d, 0x0d, false},
		{X2 | REGISTER, 0x0f, 0x28, false}, {X2 | REGISTER, 0x30, 0x30, false},
		{X2 | REGISTER, 0x32, 0x38, false}, {X2 | REGISTER, 0x3e, 0x3e, false},
		{X2 | REGISTER | DELIVERY, 0x0a, 0x0a, false},
	};
	static const u32 sets[] = {0, ACCESS, ACCESS | REGISTER | DELIVERY, DELIVERY, X2, X2 | DELIVERY, X2 | REGISTER,
				   X2 | REGISTER | DELIVERY};

	(void)state;
	for (u32 set = 0; set < ARRAY_SIZE(sets); set++) {
		for (u32 number = 0; number < 0x40; number++) {
			bool reads = false, writes = false;

			for (u32 i = 0; i < ARRAY_SIZE(free); i++)
				if ((sets[set] & free[i].controls) == free[i].controls && number >= free[i].first &&
				    number <= free[i].last)
					*(free[i].write ? &writes : &reads) = true;
			assert_int_equal(apic_msr_reads_page(sets[set], X2APIC_MSR_FIRST + number), reads);
			assert_int_equal(apic_msr_writes_page(sets[set], X2APIC_MSR_FIRST + number), writes);
		}
	}
}

static void status_threshold_and_eoi_exits(void **state)
{
	u32 level[8 * APIC_WORD] = {[1 * APIC_WORD] = 2, [2 * APIC_WORD] = 0x80000000, [7 * APIC_WORD] = 1};
	const struct apic_view view = {.requested = 0x51, .in_service = 0xe2, .threshold = 5, .level = level};

	(void)state;
	assert_int_equal(apic_interrupt_status(&view), 0xe251);
	assert_int_equal(apic_threshold(X2, &view), 5);
	assert_int_equal(apic_threshold(X2 | DELIVERY, &view), 0);
	assert_int_equal(apic_eoi_exits(&view, 0), 1ull << 33);
	assert_int_equal(apic_eoi_exits(&view, 1), 1ull << 31);
	assert_int_equal(apic_eoi_exits(&view, 2), 0);
	assert_int_equal(apic_eoi_exits(&view, 3), 1ull << 32);
	level[1 * APIC_WORD] = level[2 * APIC_WORD] = 0;
	assert_true(apic_any_eoi_exits(&view));
	level[7 * APIC_WORD] = 0;
	assert_false(apic_any_eoi_exits(&view));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(controls_follow_the_state),
		cmocka_unit_test(controls_are_always_valid),
		cmocka_unit_test(msrs_that_do_not_exit),
		cmocka_unit_test(status_threshold_and_eoi_exits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
