// sources: vmm/cr.c vmm/cr_check.c vmm/dr.c vmm/xsetbv.c tests/unit/fake_end.c vmm/vcpu_regs.c vmm/event.c tests/unit/fake_engine.c tests/unit/fake_policy.c vmm/cpuid.c vmm/cpuid_table.c vmm/cpuid_account.c vmm/account.c vmm/msr.c vmm/mtrr.c vmm/efer.c
/*
 * Oracle: SDM vol. 2 "MOV—Move to/from Control Registers", "MOV—Move to/from Debug Registers", "XSETBV"; vol. 3
 * "Control Registers".
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include "tests/unit/fake_engine.h"
#include "vmm/cr.h"
#include "vmm/handlers.h"
#include "vmm/xsetbv.h"

#define LONG64	  0xa09b
#define LONG32	  0xc09b
#define PAGED	  (CR0_PE | CR0_PG | CR0_ET)
#define UNPAGED	  (CR0_PE | CR0_ET)

static struct fake fake;
static u64 memory[4];

int guest_read(struct vm *vm, gpa_t gpa, void *to, u64 size)
{
	(void)vm;
	if (gpa != 0x2000 || size != sizeof(memory))
		return ERR_RANGE;
	memcpy(to, memory, sizeof(memory));
	return OK;
}

static enum verdict write_cr(u8 cr, u64 value)
{
	struct vm_exit exit = {.kind = EXIT_CR, .cr = {.cr = cr, .access = CR_WRITE, .gpr = REG_RBX}};

	fake.vcpu.reg[REG_RBX] = value;
	fake.vcpu.events.exception.type = EVENT_NONE;
	return handle_cr(&fake.vcpu, &exit);
}

static void accepted(u8 cr, u64 value)
{
	assert_int_equal(write_cr(cr, value), VERDICT_ADVANCE);
}

static void general_protection(u8 cr, u64 value)
{
	u64 cr0 = fake.vcpu.reg[REG_CR0], cr3 = fake.vcpu.reg[REG_CR3], cr4 = fake.vcpu.reg[REG_CR4],
	    efer = fake.vcpu.reg[REG_EFER];

	assert_int_equal(write_cr(cr, value), VERDICT_INJECT);
	assert_int_equal(fake.vcpu.events.exception.vector, VECTOR_GP);
	assert_true(fake.vcpu.events.exception.has_error);
	assert_int_equal(fake.vcpu.events.exception.error, 0);
	assert_int_equal(fake.vcpu.reg[REG_CR0], cr0);
	assert_int_equal(fake.vcpu.reg[REG_CR3], cr3);
	assert_int_equal(fake.vcpu.reg[REG_CR4], cr4);
	assert_int_equal(fake.vcpu.reg[REG_EFER], efer);
}

static void mode(u64 cr0, u64 cr4, u64 efer, u32 cs)
{
	fake_init(&fake);
	fake_set_mode(&fake, cr0, efer, cs, 0);
	fake.vcpu.reg[REG_CR4] = cr4;
	fake.vcpu.reg[REG_CR3] = 0x2000;
	memset(memory, 0, sizeof(memory));
}

static void test_cr0_combinations(void **state)
{
	(void)state;
	mode(UNPAGED, 0, 0, LONG32);
	general_protection(0, CR0_PG);
	general_protection(0, CR0_PE | CR0_NW);
	accepted(0, CR0_PE | CR0_CD | CR0_NW);
	accepted(0, CR0_PE | CR0_CD);
	/*
	 * Reserved bits of the lower half are ignored, ET stays 1; outside 64-bit code the upper half of the register
	 * does not count.
	 */
	accepted(0, 0xffffffff00000000 | CR0_PE | BIT(6) | BIT(15));
	assert_int_equal(fake.vcpu.reg[REG_CR0], CR0_PE | CR0_ET);
	assert_int_equal(fake.flushes, 0);
	mode(PAGED, CR4_PAE, EFER_LME | EFER_LMA, LONG64);
	general_protection(0, PAGED | BIT(32));
	accepted(0, PAGED | CR0_WP | CR0_TS);
}

static void test_entering_long_mode(void **state)
{
	(void)state;
	mode(UNPAGED, CR4_PAE, EFER_LME, LONG32);
	accepted(0, PAGED);
	assert_int_equal(fake.vcpu.reg[REG_EFER], EFER_LME | EFER_LMA);
	assert_int_equal(fake.flushes, 1);
	assert_int_equal(fake.pdptes_set, 0);
	mode(UNPAGED, 0, EFER_LME, LONG32); /* without PAE */
	general_protection(0, PAGED);
	mode(UNPAGED, CR4_PAE, EFER_LME, LONG64); /* CS.L already set */
	general_protection(0, PAGED);
	mode(UNPAGED, CR4_PAE, EFER_LME, LONG32); /* 16-bit TSS */
	fake.state.segment[SEG_TR].attributes = 0x83;
	general_protection(0, PAGED);
}

static void test_leaving_long_mode(void **state)
{
	(void)state;
	mode(PAGED, CR4_PAE, EFER_LME | EFER_LMA, LONG64);
	general_protection(0, UNPAGED);
	mode(PAGED, CR4_PAE, EFER_LME | EFER_LMA, LONG32);
	accepted(0, UNPAGED);
	assert_int_equal(fake.vcpu.reg[REG_EFER], EFER_LME);
	mode(PAGED, CR4_PAE | CR4_PCIDE, EFER_LME | EFER_LMA, LONG32);
	general_protection(0, UNPAGED);
	mode(PAGED, CR4_PAE, EFER_LME | EFER_LMA, LONG32);
	general_protection(4, 0);
}

static void test_pae_paging_loads_pdptes(void **state)
{
	(void)state;
	mode(UNPAGED, CR4_PAE, 0, LONG32);
	memory[1] = 0x5001;
	accepted(0, PAGED);
	assert_int_equal(fake.pdptes_set, 1);
	assert_int_equal(fake.pdpte[1], 0x5001);
	accepted(0, PAGED | CR0_WP);
	assert_int_equal(fake.pdptes_set, 1);
	accepted(0, PAGED | CR0_WP | CR0_CD);
	assert_int_equal(fake.pdptes_set, 2);
	accepted(4, CR4_PAE | CR4_PGE);
	assert_int_equal(fake.pdptes_set, 3);
	memory[2] = 0x6003; /* bit 1 is reserved */
	general_protection(3, 0x2000);
	general_protection(4, CR4_PAE);
	memory[2] = 0x6002; /* but not where P is clear */
	accepted(3, 0x2000);
	memory[3] = BIT(46) | 1;
	general_protection(3, 0x2000);
	general_protection(3, 0x9000); /* not RAM: reads as ones */
}

static void test_cr3(void **state)
{
	(void)state;
	mode(PAGED, CR4_PAE, EFER_LME | EFER_LMA, LONG64);
	accepted(3, 0x5000);
	assert_int_equal(fake.flushes, 1);
	general_protection(3, BIT(46));
	general_protection(3, BIT(63) | 0x5000);
	fake.vcpu.reg[REG_CR4] |= CR4_PCIDE;
	accepted(3, BIT(63) | 0x6001);
	assert_int_equal(fake.vcpu.reg[REG_CR3], 0x6001);
	assert_int_equal(fake.flushes, 1);
}

static void test_cr4(void **state)
{
	(void)state;
	mode(PAGED, CR4_PAE, EFER_LME | EFER_LMA, LONG64);
	general_protection(4, CR4_PAE | CR4_VMXE);
	general_protection(4, CR4_PAE | CR4_SMXE);
	general_protection(4, CR4_PAE | CR4_LA57);
	general_protection(4, CR4_PAE | CR4_CET);
	general_protection(4, CR4_PAE | BIT(32));
	accepted(4, CR4_PAE | CR4_OSXSAVE | CR4_FSGSBASE);
	assert_int_equal(fake.flushes, 0);
	accepted(4, CR4_PAE | CR4_PGE);
	assert_int_equal(fake.flushes, 1);
	fake.vcpu.reg[REG_CR3] = 0x2001;
	general_protection(4, CR4_PAE | CR4_PCIDE);
	fake.vcpu.reg[REG_CR3] = 0x2000;
	accepted(4, CR4_PAE | CR4_PCIDE);
	fake.vcpu.reg[REG_CR3] = 0x2001;
	accepted(4, CR4_PAE | CR4_PCIDE | CR4_PGE); /* the PCID only matters when the bit is set anew */
	mode(PAGED, CR4_PAE, 0, LONG32);
	general_protection(4, CR4_PAE | CR4_PCIDE);
	fake.cpuid.cr4 &= ~CR4_SMEP;
	general_protection(4, CR4_PAE | CR4_SMEP);
}

static void test_cr4_follows_cpuid(void **state)
{
	(void)state;
	fake_init(&fake);
	assert_int_equal(fake.cpuid.cr4, CR4_VME | CR4_PVI | CR4_TSD | CR4_DE | CR4_PSE | CR4_PAE | CR4_MCE | CR4_PGE |
						 CR4_PCE | CR4_OSFXSR | CR4_OSXMMEXCPT | CR4_UMIP | CR4_FSGSBASE |
						 CR4_PCIDE | CR4_OSXSAVE | CR4_SMEP | CR4_SMAP | CR4_PKE);
}

static void test_cr8(void **state)
{
	struct vm_exit exit = {.kind = EXIT_CR, .cr = {.cr = 8, .access = CR_READ, .gpr = REG_RCX}};

	(void)state;
	mode(PAGED, CR4_PAE, EFER_LME | EFER_LMA, LONG64);
	accepted(8, 15);
	general_protection(8, 16);
	assert_int_equal(handle_cr(&fake.vcpu, &exit), VERDICT_ADVANCE);
	assert_int_equal(fake.vcpu.reg[REG_RCX], 15);
}

static void test_clts_and_lmsw(void **state)
{
	struct vm_exit exit = {.kind = EXIT_CR, .cr = {.access = CR_CLTS}};

	(void)state;
	mode(PAGED | CR0_TS, CR4_PAE, EFER_LME | EFER_LMA, LONG64);
	assert_int_equal(handle_cr(&fake.vcpu, &exit), VERDICT_ADVANCE);
	assert_int_equal(fake.vcpu.reg[REG_CR0], PAGED);
	exit.cr = (struct exit_cr){.access = CR_LMSW, .source = 0xfffe};
	assert_int_equal(handle_cr(&fake.vcpu, &exit), VERDICT_ADVANCE);
	assert_int_equal(fake.vcpu.reg[REG_CR0], PAGED | CR0_MP | CR0_EM | CR0_TS); /* PE cannot be cleared by it */
	exit.cr.source = 1;
	assert_int_equal(handle_cr(&fake.vcpu, &exit), VERDICT_ADVANCE);
	assert_int_equal(fake.vcpu.reg[REG_CR0], PAGED);
}

static enum verdict move_dr(u8 dr, bool read, u64 *value)
{
	struct vm_exit exit = {.kind = EXIT_DR, .dr = {.dr = dr, .read = read, .gpr = REG_RSI}};
	enum verdict verdict;

	fake.vcpu.reg[REG_RSI] = *value;
	fake.vcpu.events.exception.type = EVENT_NONE;
	verdict = handle_dr(&fake.vcpu, &exit);
	*value = fake.vcpu.reg[REG_RSI];
	return verdict;
}

static void test_debug_registers(void **state)
{
	u64 value = 0x123456789abcdef0;

	(void)state;
	mode(PAGED, CR4_PAE, EFER_LME | EFER_LMA, LONG64);
	assert_int_equal(move_dr(0, false, &value), VERDICT_ADVANCE);
	assert_int_equal(fake.dr[0], 0x123456789abcdef0);
	value = 0;
	assert_int_equal(move_dr(4, false, &value), VERDICT_ADVANCE);
	assert_int_equal(fake.dr[6], DR6_RESERVED_ONES);
	value = 0xffffffff;
	assert_int_equal(move_dr(6, false, &value), VERDICT_ADVANCE);
	assert_int_equal(fake.dr[6], 0xffffefff);
	assert_int_equal(move_dr(7, false, &value), VERDICT_ADVANCE);
	assert_int_equal(fake.dr[7], 0xffff27ff);
	value = 5;
	assert_int_equal(move_dr(5, true, &value), VERDICT_INJECT); /* GD is set now */
	assert_int_equal(fake.vcpu.events.exception.vector, VECTOR_DB);
	assert_true(fake.dr[6] & DR6_BD);
	assert_false(fake.dr[7] & DR7_GD);
	assert_int_equal(move_dr(5, true, &value), VERDICT_ADVANCE);
	assert_int_equal(value, 0xffff07ff);
	value = BIT(32);
	assert_int_equal(move_dr(7, false, &value), VERDICT_INJECT);
	assert_int_equal(fake.vcpu.events.exception.vector, VECTOR_GP);
	fake.vcpu.reg[REG_CR4] |= CR4_DE;
	assert_int_equal(move_dr(4, true, &value), VERDICT_INJECT);
	assert_int_equal(fake.vcpu.events.exception.vector, VECTOR_UD);
}

static void test_debug_registers_are_of_ring_0(void **state)
{
	u64 value = DR7_GD;

	(void)state;
	mode(PAGED, CR4_PAE, EFER_LME | EFER_LMA, LONG64);
	fake.state.segment[SEG_SS].attributes |= 3u << 5;
	assert_int_equal(move_dr(7, false, &value), VERDICT_INJECT);
	assert_int_equal(fake.vcpu.events.exception.vector, VECTOR_GP);
	assert_false(fake.dr[7] & DR7_GD);
}

static void test_xcr0_values(void **state)
{
	const u64 all = 0x2e7;

	(void)state;
	for (u64 value = 0; value < 0x400; value++) {
		bool avx512 = value & 0xe0;
		bool want = (value & 1) && !(value & ~all) && (!(value & 4) || value & 2) &&
			    (!avx512 || ((value & 0xe0) == 0xe0 && value & 4));

		assert_int_equal(xcr0_valid(value, all), want);
	}
	assert_false(xcr0_valid(7, 3));
	assert_false(xcr0_valid(BIT(63) | 7, all));
}

static void test_xsetbv(void **state)
{
	struct vm_exit exit = {.kind = EXIT_XSETBV};

	(void)state;
	mode(PAGED, CR4_PAE, EFER_LME | EFER_LMA, LONG64);
	fake.vcpu.reg[REG_RAX] = 0xffffffff00000007;
	fake.vcpu.reg[REG_RDX] = fake.vcpu.reg[REG_RCX] = 0xffffffff00000000;
	assert_int_equal(handle_xsetbv(&fake.vcpu, &exit), VERDICT_INJECT);
	assert_int_equal(fake.vcpu.events.exception.vector, VECTOR_UD);
	fake.vcpu.events.exception.type = EVENT_NONE;
	fake.vcpu.reg[REG_CR4] |= CR4_OSXSAVE;
	assert_int_equal(handle_xsetbv(&fake.vcpu, &exit), VERDICT_ADVANCE);
	assert_int_equal(fake.vcpu.xcr0, 7);
	fake.vcpu.reg[REG_RCX] = 1;
	assert_int_equal(handle_xsetbv(&fake.vcpu, &exit), VERDICT_INJECT);
	assert_int_equal(fake.vcpu.events.exception.vector, VECTOR_GP);
	fake.vcpu.events.exception.type = EVENT_NONE;
	fake.vcpu.reg[REG_RCX] = 0;
	fake.state.segment[SEG_SS].attributes |= 3 << 5;
	assert_int_equal(handle_xsetbv(&fake.vcpu, &exit), VERDICT_INJECT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cr0_combinations),	cmocka_unit_test(test_entering_long_mode),
		cmocka_unit_test(test_leaving_long_mode),	cmocka_unit_test(test_pae_paging_loads_pdptes),
		cmocka_unit_test(test_cr3),			cmocka_unit_test(test_cr4),
		cmocka_unit_test(test_cr4_follows_cpuid),	cmocka_unit_test(test_cr8),
		cmocka_unit_test(test_clts_and_lmsw),		cmocka_unit_test(test_debug_registers),
		cmocka_unit_test(test_debug_registers_are_of_ring_0),
		cmocka_unit_test(test_xcr0_values),		cmocka_unit_test(test_xsetbv),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
