// sources: vmm/msr.c vmm/mtrr.c vmm/efer.c vmm/vcpu_regs.c vmm/event.c tests/unit/fake_engine.c tests/unit/fake_end.c tests/unit/fake_policy.c vmm/cpuid.c vmm/cpuid_table.c vmm/cpuid_account.c vmm/account.c
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include "tests/unit/fake_engine.h"
#include "vmm/handlers.h"

static struct fake fake;

static bool reads(u32 msr, u64 *value)
{
	return msr_read(&fake.vcpu, msr, value);
}

static bool writes(u32 msr, u64 value)
{
	return msr_write(&fake.vcpu, msr, value);
}

static void test_table_is_sorted(void **state)
{
	(void)state;
	for (u32 i = 0; i < msr_row_count; i++) {
		assert_true(msr_table[i].first <= msr_table[i].last);
		if (i)
			assert_true(msr_table[i - 1].last < msr_table[i].first);
	}
}

/* Each number there is in the ranges that a bitmap covers: readable only when a row has it. */
static void test_default_deny(void **state)
{
	static const u32 known[] = {0, 1, 0x10, 0x17, 0x1b, 0x3b, 0x8b, 0xfe, 0x10a, 0x174, 0x175, 0x176, 0x179, 0x17a,
				    0x1a0, 0x1d9, 0x250, 0x258, 0x259, 0x277, 0x2ff, 0xc0000080, 0xc0000081, 0xc0000082,
				    0xc0000083, 0xc0000084, 0xc0000100, 0xc0000101, 0xc0000102, 0xc0000103, 0xc0010010,
				    0xc0010015, 0xc0010055};
	static const u32 first[] = {0, 0xc0000000, 0xc0010000};
	u64 value;

	(void)state;
	fake_init(&fake);
	fake.cpuid.intel = false;
	for (u32 n = 0; n < 0x2000 * ARRAY_SIZE(first); n++) {
		u32 msr = first[n / 0x2000] + n % 0x2000;
		bool want = (msr >= 0x200 && msr <= 0x20f) || (msr >= 0x268 && msr <= 0x26f);

		for (u32 i = 0; i < ARRAY_SIZE(known); i++)
			want |= known[i] == msr;
		assert_int_equal(reads(msr, &value), want);
	}
	assert_false(reads(0x40000000, &value));
	assert_false(writes(0xffffffff, 0));
	assert_false(writes(MSR_FEATURE_CONTROL, 1));
	assert_false(writes(MSR_VMX_BASIC, 0));
}

static void test_owned_are_given(void **state)
{
	(void)state;
	fake_init(&fake);
	msr_give_owned(&fake.vcpu);
	assert_int_equal(fake.intercepts, 11);
	fake_init(&fake);
	fake.cpuid.has_tsc_aux = false;
	msr_give_owned(&fake.vcpu);
	assert_int_equal(fake.intercepts, 10);
}

static void test_rows_follow_cpuid(void **state)
{
	u64 value;

	(void)state;
	fake_init(&fake);
	assert_true(reads(MSR_TSC_ADJUST, &value));
	fake.cpuid.has_tsc_adjust = fake.cpuid.has_capabilities = false;
	assert_false(reads(MSR_TSC_ADJUST, &value));
	assert_false(reads(MSR_ARCH_CAPABILITIES, &value));
	fake.cpuid.intel = true;
	assert_false(reads(MSR_SYSCFG, &value));
	fake.cpuid.intel = false;
	assert_true(reads(MSR_SYSCFG, &value));
	assert_int_equal(value, 0);
	assert_false(writes(MSR_SYSCFG, 0));
}

/* IBRS_ALL (1) and TSX_CTRL (7) promise MSRs the guest has not. */
static void test_capabilities(void **state)
{
	u64 value;

	(void)state;
	fake_init(&fake);
	assert_true(reads(MSR_ARCH_CAPABILITIES, &value));
	assert_int_equal(value & (BIT(1) | BIT(7)), 0);
	assert_int_equal(value & BIT(3), BIT(3));
	assert_false(writes(MSR_ARCH_CAPABILITIES, 0));
}

static void test_tsc_and_adjust_move_each_other(void **state)
{
	u64 before, adjust, after;

	(void)state;
	fake_init(&fake);
	assert_true(reads(MSR_TSC, &before));
	assert_true(writes(MSR_TSC, before + (1ull << 40)));
	assert_true(reads(MSR_TSC_ADJUST, &adjust));
	assert_true(adjust <= 1ull << 40 && adjust > (1ull << 40) - (1ull << 34));
	assert_int_equal(adjust, fake.vcpu.tsc_offset);
	assert_true(writes(MSR_TSC_ADJUST, 0));
	assert_int_equal(fake.vcpu.tsc_offset, 0);
	assert_true(reads(MSR_TSC, &after));
	assert_true(after >= before && after < before + (1ull << 38));
}

static void test_pat(void **state)
{
	u64 value;

	(void)state;
	fake_init(&fake);
	assert_true(writes(MSR_PAT, 0x0007040600070406));
	assert_true(reads(MSR_PAT, &value));
	assert_int_equal(value, 0x0007040600070406);
	for (u32 i = 0; i < 8; i++)
		for (u64 type = 0; type < 256; type++) {
			bool valid = type == 0 || type == 1 || (type >= 4 && type <= 7);

			assert_int_equal(writes(MSR_PAT, 0x0606060606060606 ^ (6ull ^ type) << (8 * i)), valid);
		}
	assert_true(writes(MSR_PAT, 0x0606060606060606));
}

static void test_mtrrs(void **state)
{
	u64 value;

	(void)state;
	fake_init(&fake);
	assert_true(reads(MSR_MTRRCAP, &value));
	assert_int_equal(value, 0x508);
	assert_false(writes(MSR_MTRRCAP, value));
	assert_true(writes(MSR_MTRR_DEF_TYPE, 0xc06));
	assert_true(reads(MSR_MTRR_DEF_TYPE, &value));
	assert_int_equal(value, 0xc06);
	assert_false(writes(MSR_MTRR_DEF_TYPE, 0x1000));
	assert_false(writes(MSR_MTRR_DEF_TYPE, 2));
	assert_true(writes(0x200, 0x80000000));
	assert_false(writes(0x200, 0x100));
	assert_false(writes(0x200, 7));
	assert_false(writes(0x200, 1ull << 46));
	assert_true(writes(0x20f, 0x3fff80000800));
	assert_false(writes(0x20f, 0x1));
	assert_false(writes(0x20f, 1ull << 46));
	assert_false(writes(0x210, 0));
	assert_true(writes(0x26f, 0x0605040100060504));
	assert_false(writes(0x26f, 0x0205040100060504));
	assert_true(reads(0x26f, &value));
	assert_int_equal(value, 0x0605040100060504);
	assert_true(reads(0x26e, &value));
	assert_int_equal(value, 0);
	assert_true(reads(0x20f, &value));
	assert_int_equal(value, 0x3fff80000800);
}

static void test_efer(void **state)
{
	u64 value;

	(void)state;
	fake_init(&fake);
	/* LME must not change under paging; LMA is read-only and ignored. */
	assert_false(writes(MSR_EFER, EFER_SCE));
	assert_true(writes(MSR_EFER, EFER_SCE | EFER_LME));
	assert_true(reads(MSR_EFER, &value));
	assert_int_equal(value, EFER_SCE | EFER_LME | EFER_LMA);
	assert_int_equal(fake.flushes, 0);
	assert_true(writes(MSR_EFER, EFER_LME | EFER_LMA | EFER_NXE));
	assert_int_equal(fake.flushes, 1);
	assert_false(writes(MSR_EFER, EFER_LME | EFER_SVME));
	assert_false(writes(MSR_EFER, EFER_LME | EFER_LMSLE));
	assert_false(writes(MSR_EFER, EFER_LME | BIT(1)));
	fake.cpuid.has_nx = false;
	assert_false(writes(MSR_EFER, EFER_LME | EFER_NXE));
	fake_set_mode(&fake, CR0_PE, 0, 0xc09b, 0);
	assert_true(writes(MSR_EFER, EFER_LME | EFER_LMA));
	assert_true(reads(MSR_EFER, &value));
	assert_int_equal(value, EFER_LME);
}

static void test_small_ones(void **state)
{
	u64 value;

	(void)state;
	fake_init(&fake);
	assert_true(reads(MSR_BIOS_SIGN_ID, &value));
	assert_true(writes(MSR_BIOS_SIGN_ID, 0));
	assert_true(reads(MSR_APIC_BASE, &value));
	assert_int_equal(value, 0xfee00100);
	assert_false(writes(MSR_APIC_BASE, 0xfee00100 | BIT(11)));
	assert_false(writes(MSR_APIC_BASE, 0xfee00100 | BIT(10)));
	assert_true(writes(MSR_MISC_ENABLE, 0));
	assert_true(reads(MSR_MISC_ENABLE, &value));
	assert_int_equal(value, BIT(11) | BIT(12));
	assert_false(writes(MSR_MISC_ENABLE, BIT(34)));
	assert_true(writes(MSR_MCG_STATUS, 4));
	assert_false(writes(MSR_MCG_STATUS, 8));
	assert_true(writes(MSR_DEBUGCTL, DEBUGCTL_BTF));
	assert_int_equal(fake.debugctl, DEBUGCTL_BTF);
	assert_false(writes(MSR_DEBUGCTL, DEBUGCTL_LBR));
}

/*
 * Of the host's IA32_MISC_ENABLE the guest has the one bit that says how to copy; what is not virtualized looks absent
 * whatever it says.
 */
static void test_fast_strings_as_in_the_host(void **state)
{
	struct msr_host host = {.misc_enable = ~BIT(0)};
	struct msr_state msrs;

	(void)state;
	msr_state_reset(&msrs, 0, &host);
	assert_int_equal(msrs.misc_enable, BIT(11) | BIT(12));
	host.misc_enable = BIT(0);
	msr_state_reset(&msrs, 0, &host);
	assert_int_equal(msrs.misc_enable, BIT(0) | BIT(11) | BIT(12));
}

static void test_handlers(void **state)
{
	struct vm_exit exit = {.kind = EXIT_MSR_READ};

	(void)state;
	fake_init(&fake);
	fake.vcpu.reg[REG_RCX] = 0xffffffff00000000 | MSR_MTRRCAP;
	fake.vcpu.reg[REG_RAX] = fake.vcpu.reg[REG_RDX] = ~0ull;
	assert_int_equal(handle_msr_read(&fake.vcpu, &exit), VERDICT_ADVANCE);
	assert_int_equal(fake.vcpu.reg[REG_RAX], 0x508);
	assert_int_equal(fake.vcpu.reg[REG_RDX], 0);
	fake.vcpu.reg[REG_RCX] = MSR_VMX_BASIC;
	assert_int_equal(handle_msr_read(&fake.vcpu, &exit), VERDICT_INJECT);
	assert_int_equal(fake.vcpu.events.exception.vector, VECTOR_GP);
	assert_true(fake.vcpu.events.exception.has_error);
	assert_int_equal(fake.vcpu.reg[REG_RIP], 0x1000);
	fake_init(&fake);
	fake.vcpu.reg[REG_RCX] = MSR_PAT;
	fake.vcpu.reg[REG_RAX] = 0xffffffff00070406;
	fake.vcpu.reg[REG_RDX] = 0x00070406;
	assert_int_equal(handle_msr_write(&fake.vcpu, &exit), VERDICT_ADVANCE);
	assert_int_equal(fake.pat, 0x0007040600070406);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_table_is_sorted),	 cmocka_unit_test(test_default_deny),
		cmocka_unit_test(test_owned_are_given),	 cmocka_unit_test(test_rows_follow_cpuid),
		cmocka_unit_test(test_capabilities),	 cmocka_unit_test(test_tsc_and_adjust_move_each_other),
		cmocka_unit_test(test_pat),		 cmocka_unit_test(test_mtrrs),
		cmocka_unit_test(test_efer),		 cmocka_unit_test(test_small_ones),
		cmocka_unit_test(test_fast_strings_as_in_the_host), cmocka_unit_test(test_handlers),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
