// sources: vmm/cpuid.c vmm/cpuid_table.c vmm/cpuid_account.c vmm/account.c tests/unit/fake_engine.c tests/unit/fake_end.c tests/unit/fake_policy.c vmm/msr.c vmm/mtrr.c vmm/efer.c vmm/vcpu_regs.c vmm/event.c
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include "tests/unit/fake_engine.h"
#include "vmm/handlers.h"
#include "vmm/hypercall_abi.h"

static struct fake fake;

static struct cpuid_leaf all_ones(u32 leaf, u32 subleaf)
{
	(void)leaf;
	(void)subleaf;
	return (struct cpuid_leaf){~0u, ~0u, ~0u, ~0u};
}

/*
 * What a guest may see, stated a second time, independently of the table: whoever adds a bit there must come here, too.
 * Leaves that are not here must read as 0.
 */
static const struct {
	u32 leaf, subleaf, eax, ebx, ecx, edx;
} allowed[] = {
	{0x0, 0, 0x0d, ~0u, ~0u, ~0u},
	{0x1, 0, 0x0fff3fff, 0x0001ff00, 0xf7fa3203, 0x0f8bfbff},
	{0x2, 0, ~0u, ~0u, ~0u, ~0u},
	{0x4, 0, 0x3ff, ~0u, ~0u, 7},
	{0x4, 1, 0x3ff, ~0u, ~0u, 7},
	{0x4, 2, 0x3ff, ~0u, ~0u, 7},
	{0x4, 3, 0x3ff, ~0u, ~0u, 7},
	{0x4, 4, 0x3ff, ~0u, ~0u, 7},
	{0x6, 0, 4, 0, 0, 0},
	{0x7, 0, 1, 0xf1bf27eb, 0x1a405f4e, 0x2000451c},
	{0x7, 1, 0x1c30, 0, 0, 0},
	{0xb, 0, 0, 1, 0x100, 0},
	{0xb, 1, 0, 1, 0x201, 0},
	{0xb, 2, 0, 0, 2, 0},
	{0xd, 0, 0x2e7, ~0u, ~0u, 0},
	{0xd, 1, 7, ~0u, 0, 0},
	{0xd, 2, ~0u, ~0u, 2, 0},
	{0xd, 5, ~0u, ~0u, 2, 0},
	{0xd, 6, ~0u, ~0u, 2, 0},
	{0xd, 7, ~0u, ~0u, 2, 0},
	{0xd, 9, ~0u, ~0u, 2, 0},
	{0x40000000, 0, ~0u, ~0u, ~0u, ~0u},
	{0x40000001, 0, 1, 0, 0, 0},
	{0x40000010, 0, 1000000, 1000000, 0, 0},
	{0x40000100, 0, 0x40000101, ~0u, ~0u, ~0u},
	{0x40000101, 0, 0x100000b, 0, 0, 0},
	{0x80000000, 0, 0x80000008, ~0u, ~0u, ~0u},
	{0x80000001, 0, ~0u, 0, 0x002109e1, 0xefd3f9ff},
	{0x80000002, 0, ~0u, ~0u, ~0u, ~0u},
	{0x80000003, 0, ~0u, ~0u, ~0u, ~0u},
	{0x80000004, 0, ~0u, ~0u, ~0u, ~0u},
	{0x80000005, 0, ~0u, ~0u, ~0u, ~0u},
	{0x80000006, 0, ~0u, ~0u, ~0u, ~0u},
	{0x80000007, 0, 0, 0, 0, 0x100},
	{0x80000008, 0, 0x3030, 0x5, 0, 0},
};

/*
 * A host that has everything: whatever the guest sees must be in the list. (All ones is no vendor: taken as Intel's
 * rules.)
 */
static void check_leaf(u32 leaf, u32 subleaf)
{
	struct cpuid_leaf seen = cpuid_answer(&fake.vcpu, leaf, subleaf);

	for (u32 i = 0; i < ARRAY_SIZE(allowed); i++) {
		if (allowed[i].leaf != leaf || allowed[i].subleaf != subleaf)
			continue;
		if (seen.eax & ~allowed[i].eax || seen.ebx & ~allowed[i].ebx || seen.ecx & ~allowed[i].ecx ||
		    seen.edx & ~allowed[i].edx)
			fail_msg("leaf 0x%x.%u shows %x %x %x %x", leaf, subleaf, seen.eax, seen.ebx, seen.ecx,
				 seen.edx);
		return;
	}
	if (seen.eax | seen.ebx | seen.ecx | seen.edx)
		fail_msg("unlisted leaf 0x%x.%u shows %x %x %x %x", leaf, subleaf, seen.eax, seen.ebx, seen.ecx,
			 seen.edx);
}

static bool one_subleaf(u32 leaf)
{
	return leaf != 4 && leaf != 7 && leaf != 0xb && leaf != 0xd;
}

static void test_default_deny(void **state)
{
	static const u32 bases[] = {0, 0x40000000, 0x80000000, 0xc0000000, 0x20000000, 0x8ffffff0};

	(void)state;
	fake_init(&fake);
	cpuid_build(&fake.cpuid, all_ones, ~0ull, 1, NULL);
	fake.cpuid.intel = false; /* so that leaves out of range read as 0 and not as the highest basic one */
	for (u32 b = 0; b < ARRAY_SIZE(bases); b++)
		for (u32 leaf = bases[b]; leaf < bases[b] + 0x400; leaf++)
			for (u32 subleaf = 0; subleaf < (leaf < 0x20 && !one_subleaf(leaf) ? 70u : 1u); subleaf++)
				if (leaf != 0xb || subleaf < 3)
					check_leaf(leaf, subleaf);
}

/* Bits that would let a guest use what it is not given, by name. */
static void test_never_shown(void **state)
{
	struct cpuid_leaf one, seven, extended;

	(void)state;
	fake_init(&fake);
	one = cpuid_answer(&fake.vcpu, 1, 0);
	seven = cpuid_answer(&fake.vcpu, 7, 0);
	extended = cpuid_answer(&fake.vcpu, 0x80000001, 0);
	assert_false(one.ecx & (1u << 5));	/* VMX */
	assert_false(one.ecx & (1u << 3));	/* MONITOR */
	assert_false(seven.ebx & (1u << 2));	/* SGX */
	assert_false(seven.ebx & (1u << 11));	/* RTM */
	assert_false(seven.ecx & (1u << 16));	/* LA57 */
	assert_false(seven.edx & (1u << 26));	/* SPEC_CTRL */
	assert_false(extended.ecx & (1u << 2)); /* SVM */
	/* What is ours is there on every host. */
	assert_true(one.ecx & (1u << 21));	/* x2APIC */
	assert_true(one.ecx & (1u << 24));	/* TSC deadline */
	assert_true(one.edx & (1u << 9));	/* APIC */
	assert_true(one.ecx & (1u << 31));	/* hypervisor present */
}

static void test_hypervisor_leaves(void **state)
{
	struct cpuid_leaf leaf;
	char text[13] = "";

	(void)state;
	fake_init(&fake);
	leaf = cpuid_answer(&fake.vcpu, 0x40000000, 0);
	memcpy(text, &leaf.ebx, 4);
	memcpy(text + 4, &leaf.ecx, 4);
	memcpy(text + 8, &leaf.edx, 4);
	assert_string_equal(text, TRIVISOR_SIGNATURE);
	assert_int_equal(leaf.eax, 0x40000010);
	/* Linux looks for KVM's signature every 0x100 leaves, and for at least one leaf more. */
	leaf = cpuid_answer(&fake.vcpu, 0x40000100, 0);
	memcpy(text, &leaf.ebx, 4);
	memcpy(text + 4, &leaf.ecx, 4);
	memcpy(text + 8, &leaf.edx, 4);
	assert_string_equal(text, "KVMKVMKVM");
	assert_true(leaf.eax >= 0x40000101);
	assert_int_equal(cpuid_answer(&fake.vcpu, 0x40000001, 0).eax, HYPERCALL_ABI_VERSION);
}

static void test_mirrors_of_control_registers(void **state)
{
	(void)state;
	fake_init(&fake);
	assert_false(cpuid_answer(&fake.vcpu, 1, 0).ecx & (1u << 27));
	fake.vcpu.reg[REG_CR4] |= CR4_OSXSAVE | CR4_PKE;
	assert_true(cpuid_answer(&fake.vcpu, 1, 0).ecx & (1u << 27));
	assert_true(cpuid_answer(&fake.vcpu, 7, 0).ecx & (1u << 4));
	fake.vcpu.reg[REG_CR4] &= ~CR4_PKE;
	assert_false(cpuid_answer(&fake.vcpu, 7, 0).ecx & (1u << 4));
}

/* Sizes of the fake host: component n has 64 bytes at 576 + (n - 2) * 128, all aligned to 64 in the compacted form. */
static void test_xsave_sizes_follow_xcr0(void **state)
{
	(void)state;
	fake_init(&fake);
	assert_int_equal(cpuid_answer(&fake.vcpu, 0xd, 0).ebx, 576);
	assert_int_equal(cpuid_answer(&fake.vcpu, 0xd, 0).ecx, 576 + 7 * 128 + 64);
	fake.vcpu.xcr0 = 7;
	assert_int_equal(cpuid_answer(&fake.vcpu, 0xd, 0).ebx, 576 + 64);
	fake.vcpu.xcr0 = 0x207;
	assert_int_equal(cpuid_answer(&fake.vcpu, 0xd, 0).ebx, 576 + 7 * 128 + 64);
	assert_int_equal(cpuid_answer(&fake.vcpu, 0xd, 1).ebx, 576 + 2 * 64);
}

static struct cpuid_leaf no_xsave(u32 leaf, u32 subleaf)
{
	struct cpuid_leaf value = fake_host_cpuid(leaf, subleaf);

	if (leaf == 1)
		value.ecx &= ~(1u << 26);
	return value;
}

static void test_host_without_xsave(void **state)
{
	struct cpuid_leaf leaf;

	(void)state;
	fake_init(&fake);
	cpuid_build(&fake.cpuid, no_xsave, ~0ull, 1, NULL);
	leaf = cpuid_answer(&fake.vcpu, 0xd, 0);
	assert_int_equal(leaf.eax | leaf.ebx | leaf.ecx | leaf.edx, 0);
	assert_int_equal(fake.cpuid.cr4 & CR4_OSXSAVE, 0);
	assert_int_equal(fake.cpuid.xcr0, 0);
}

/* Six vCPUs: three bits of APIC ID; each vCPU a core. */
static void test_topology(void **state)
{
	struct cpuid_leaf leaf;

	(void)state;
	fake_init(&fake);
	cpuid_build(&fake.cpuid, fake_host_cpuid, ~0ull, 6, NULL);
	fake.vcpu.id = 5;
	leaf = cpuid_answer(&fake.vcpu, 1, 0);
	assert_int_equal(leaf.ebx >> 24, 5);
	assert_int_equal(leaf.ebx >> 16 & 0xff, 6);
	assert_true(leaf.edx & (1u << 28));
	assert_int_equal(cpuid_answer(&fake.vcpu, 4, 0).eax >> 26, 7);
	leaf = cpuid_answer(&fake.vcpu, 0xb, 0);
	assert_int_equal(leaf.eax, 0);
	assert_int_equal(leaf.ebx, 1);
	assert_int_equal(leaf.ecx, 0x100);
	assert_int_equal(leaf.edx, 5);
	leaf = cpuid_answer(&fake.vcpu, 0xb, 1);
	assert_int_equal(leaf.eax, 3);
	assert_int_equal(leaf.ebx, 6);
	assert_int_equal(leaf.ecx, 0x201);
	leaf = cpuid_answer(&fake.vcpu, 0xb, 9);
	assert_int_equal(leaf.ebx, 0);
	assert_int_equal(leaf.ecx, 9);
	assert_int_equal(leaf.edx, 5);
}

/* SDM "CPUID": beyond the highest leaf an Intel processor answers as for the highest basic one. */
static void test_out_of_range(void **state)
{
	struct cpuid_leaf highest, beyond;

	(void)state;
	fake_init(&fake);
	highest = cpuid_answer(&fake.vcpu, 0xd, 0);
	beyond = cpuid_answer(&fake.vcpu, 0x1f, 0);
	assert_memory_equal(&highest, &beyond, sizeof(highest));
	beyond = cpuid_answer(&fake.vcpu, 0x80000009, 0);
	assert_memory_equal(&highest, &beyond, sizeof(highest));
	beyond = cpuid_answer(&fake.vcpu, 0x40000200, 0);
	assert_int_equal(beyond.eax | beyond.ebx | beyond.ecx | beyond.edx, 0);
}

static void clear_rdtscp(u32 leaf, u32 subleaf, struct cpuid_leaf *value)
{
	(void)subleaf;
	if (leaf == 0x80000001)
		value->edx &= ~(1u << 27);
	if (leaf == 7)
		value->ecx &= ~(1u << 22);
}

static void test_engine_limits(void **state)
{
	(void)state;
	fake_init(&fake);
	assert_true(fake.cpuid.has_tsc_aux);
	cpuid_build(&fake.cpuid, fake_host_cpuid, ~0ull, 1, clear_rdtscp);
	assert_false(cpuid_answer(&fake.vcpu, 0x80000001, 0).edx & (1u << 27));
	assert_false(fake.cpuid.has_tsc_aux);
}

static void test_handler_clears_upper_halves(void **state)
{
	struct vm_exit exit = {.kind = EXIT_CPUID};

	(void)state;
	fake_init(&fake);
	fake.vcpu.reg[REG_RAX] = 0xdeadbeef40000000;
	fake.vcpu.reg[REG_RBX] = ~0ull;
	fake.vcpu.reg[REG_RCX] = ~0ull;
	fake.vcpu.reg[REG_RDX] = ~0ull;
	assert_int_equal(handle_cpuid(&fake.vcpu, &exit), VERDICT_ADVANCE);
	assert_int_equal(fake.vcpu.reg[REG_RAX], 0x40000010);
	assert_int_equal(fake.vcpu.reg[REG_RBX] >> 32 | fake.vcpu.reg[REG_RCX] >> 32 | fake.vcpu.reg[REG_RDX] >> 32, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_default_deny),
		cmocka_unit_test(test_never_shown),
		cmocka_unit_test(test_hypervisor_leaves),
		cmocka_unit_test(test_mirrors_of_control_registers),
		cmocka_unit_test(test_xsave_sizes_follow_xcr0),
		cmocka_unit_test(test_host_without_xsave),
		cmocka_unit_test(test_topology),
		cmocka_unit_test(test_out_of_range),
		cmocka_unit_test(test_engine_limits),
		cmocka_unit_test(test_handler_clears_upper_halves),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
