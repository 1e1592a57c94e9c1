// sources: vmm/account.c vmm/cpuid_account.c vmm/cpuid.c vmm/cpuid_table.c tests/unit/fake_engine.c tests/unit/fake_end.c tests/unit/fake_policy.c vmm/msr.c vmm/mtrr.c vmm/efer.c vmm/vcpu_regs.c vmm/event.c
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "tests/unit/fake_engine.h"
#include "vmm/cpuid_account.h"

#define RAW_NMI 80 /* of the fake engine; shares code 0 with exceptions */

static struct fake fake;
static struct vcpu second;

static void count(struct vcpu *vcpu, u32 raw, u64 exits, u64 ticks)
{
	vcpu->account.count[raw] = exits;
	vcpu->account.ticks[raw] = ticks;
}

static int set_up(void **state)
{
	(void)state;
	fake_init(&fake);
	fake.config.cpuid_accounting = ACCOUNTING_ON;
	second = (struct vcpu){.vm = &fake.vm};
	fake.vm.vcpu[1] = &second;
	fake.vm.vcpu_count = 2;
	count(&fake.vcpu, 10, 3, 0x100000000ull);
	count(&second, 10, 4, 0x12345678);
	count(&fake.vcpu, 0, 5, 50);
	count(&second, RAW_NMI, 6, 60);
	count(&fake.vcpu, ACCOUNT_REASONS, 1, 7);
	return 0;
}

static void assert_leaf(u32 leaf, u32 reason, u32 eax, u32 ebx, u32 ecx, u32 edx)
{
	struct cpuid_leaf is = cpuid_answer(&fake.vcpu, leaf, reason);

	assert_int_equal(is.eax, eax);
	assert_int_equal(is.ebx, ebx);
	assert_int_equal(is.ecx, ecx);
	assert_int_equal(is.edx, edx);
}

static void totals_are_of_all_vcpus_and_reasons(void **state)
{
	(void)state;
	assert_leaf(0x4ffffffc, 0, 3 + 4 + 5 + 6 + 1, 0, 0, 0);
	assert_leaf(0x4ffffffd, 0, 0, 1, 0x12345678 + 50 + 60 + 7, 0);
}

/* What shares a code is one reason. */
static void reasons_are_by_code(void **state)
{
	(void)state;
	assert_leaf(0x4ffffffe, 10, 7, 0, 0, 0);
	assert_leaf(0x4fffffff, 10, 0, 1, 0x12345678, 0);
	assert_leaf(0x4ffffffe, 0, 11, 0, 0, 0);
	assert_leaf(0x4fffffff, 0, 0, 0, 110, 0);
	assert_leaf(0x4ffffffe, 30, 0, 0, 0, 0);
}

static void what_is_no_reason_says_so(void **state)
{
	(void)state;
	assert_leaf(0x4ffffffe, RAW_NMI, 0, 0, 0, ~0u);
	assert_leaf(0x4fffffff, ~0u, 0, 0, 0, ~0u);
	assert_leaf(0x4ffffffe, 16, 0, 0, 0, 0);
	assert_leaf(0x4fffffff, 16, 0, 0, 0, 0);
}

/* As some years of the course have it: the totals at F and E, the reasons at D and C. */
static void the_order_can_be_reversed(void **state)
{
	(void)state;
	fake.config.cpuid_accounting = ACCOUNTING_REVERSED;
	assert_leaf(0x4fffffff, 0, 3 + 4 + 5 + 6 + 1, 0, 0, 0);
	assert_leaf(0x4ffffffe, 0, 0, 1, 0x12345678 + 50 + 60 + 7, 0);
	assert_leaf(0x4ffffffd, 10, 7, 0, 0, 0);
	assert_leaf(0x4ffffffc, 10, 0, 1, 0x12345678, 0);
	assert_leaf(0x4ffffffc, RAW_NMI, 0, 0, 0, ~0u);
	assert_leaf(0x4ffffffb, 10, 0, 0, 0, 0);
}

static void nothing_is_seen_unless_asked_for(void **state)
{
	(void)state;
	fake.config.cpuid_accounting = ACCOUNTING_OFF;
	for (u32 leaf = 0x4ffffffc; leaf <= 0x4fffffff; leaf++) {
		assert_leaf(leaf, 10, 0, 0, 0, 0);
		assert_leaf(leaf, RAW_NMI, 0, 0, 0, 0);
	}
	fake.config.cpuid_accounting = ACCOUNTING_ON;
	assert_leaf(0x4ffffffb, 10, 0, 0, 0, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(totals_are_of_all_vcpus_and_reasons, set_up),
		cmocka_unit_test_setup(reasons_are_by_code, set_up),
		cmocka_unit_test_setup(what_is_no_reason_says_so, set_up),
		cmocka_unit_test_setup(the_order_can_be_reversed, set_up),
		cmocka_unit_test_setup(nothing_is_seen_unless_asked_for, set_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
