// sources: arch/x86_64/cpu/mitigation.c lib/fmt.c
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>
#include "arch/x86_64/cpu/mitigation.h"

/* IA32_ARCH_CAPABILITIES, by the SDM's names. */
#define RDCL_NO	      BIT(0)
#define IBRS_ALL      BIT(1)
#define SKIP_L1DFL    BIT(3)
#define MDS_NO	      BIT(5)
#define TAA_NO	      BIT(8)
#define MMIO_NO	      BITS(15, 13)
#define FB_CLEAR      BIT(17)
#define BHI_NO	      BIT(20)
#define PBRSB_NO      BIT(24)
#define RFDS_NO	      BIT(27)
#define RFDS_CLEAR    BIT(28)

#define INTEL .vendor = VENDOR_INTEL, .family = 6
#define NEW_MICROCODE .ibrs_ibpb = true, .md_clear = true, .l1d_flush = true

#define L1D  MITIGATE_L1D_FLUSH
#define VERW MITIGATE_VERW
#define IBPB MITIGATE_IBPB
#define RSB  MITIGATE_RSB_FILL
#define RSB16 (MITIGATE_RSB_FILL | MITIGATE_RSB_16)
#define IBRS MITIGATE_SPEC_CTRL

/* Generations as Intel's "Affected Processors" table and AMD's guide have them. */
static const struct {
	const char *name;
	struct mitigation_inputs in;
	u64 mask;
	u64 spec_ctrl;
	u64 unmitigated;
} generations[] = {
	{"Nehalem, old microcode",
	 {INTEL, .model = 0x1a},
	 RSB16, 0, UNMITIGATED_L1TF | UNMITIGATED_BUFFERS | UNMITIGATED_BRANCH},
	{"Nehalem, new microcode", {INTEL, .model = 0x1a, NEW_MICROCODE}, L1D | IBPB | RSB16 | IBRS, 1, 0},
	{"Ivy Bridge without L1D_FLUSH",
	 {INTEL, .model = 0x3a, .ibrs_ibpb = true, .md_clear = true},
	 VERW | IBPB | RSB16 | IBRS, 1, UNMITIGATED_L1TF},
	{"Skylake server", {INTEL, .model = 0x55, NEW_MICROCODE, .rtm = true}, L1D | IBPB | RSB16 | IBRS, 1, 0},
	{"Skylake client under a VMM that flushes",
	 {INTEL, .model = 0x5e, .virtual = true, NEW_MICROCODE, .has_capabilities = true, .capabilities = SKIP_L1DFL},
	 VERW | IBPB | RSB | IBRS, 1, 0},
	{"Cascade Lake",
	 {INTEL, .model = 0x55, NEW_MICROCODE, .rtm = true, .has_capabilities = true,
	  .capabilities = RDCL_NO | IBRS_ALL | SKIP_L1DFL | MDS_NO},
	 VERW | IBPB | RSB16, 1, 0},
	{"Cascade Lake without TSX, MMIO cured by FB_CLEAR alone",
	 {INTEL, .model = 0x55, .ibrs_ibpb = true, .has_capabilities = true,
	  .capabilities = RDCL_NO | IBRS_ALL | SKIP_L1DFL | MDS_NO | TAA_NO | FB_CLEAR | PBRSB_NO},
	 VERW | IBPB, 1, 0},
	{"Ice Lake server",
	 {INTEL, .model = 0x6a, NEW_MICROCODE, .has_capabilities = true,
	  .capabilities = RDCL_NO | IBRS_ALL | SKIP_L1DFL | MDS_NO | TAA_NO | FB_CLEAR},
	 VERW | IBPB | RSB, 1, 0},
	{"Ice Lake server, old microcode: nothing clears the fill buffers",
	 {INTEL, .model = 0x6a, .ibrs_ibpb = true, .has_capabilities = true,
	  .capabilities = RDCL_NO | IBRS_ALL | SKIP_L1DFL | MDS_NO | TAA_NO},
	 IBPB | RSB, 1, UNMITIGATED_BUFFERS},
	{"Alder Lake",
	 {INTEL, .model = 0x97, NEW_MICROCODE, .bhi_ctrl = true, .has_capabilities = true,
	  .capabilities = RDCL_NO | IBRS_ALL | SKIP_L1DFL | MDS_NO | TAA_NO | MMIO_NO | RFDS_CLEAR},
	 VERW | IBPB | RSB, 1 | BIT(10), 0},
	{"Sapphire Rapids",
	 {INTEL, .model = 0x8f, NEW_MICROCODE, .rtm = true, .bhi_ctrl = true, .has_capabilities = true,
	  .capabilities = RDCL_NO | IBRS_ALL | SKIP_L1DFL | MDS_NO | TAA_NO | MMIO_NO | PBRSB_NO | RFDS_NO},
	 IBPB, 1 | BIT(10), 0},
	{"a core to come that says it has none of it",
	 {INTEL, .model = 0xfe, NEW_MICROCODE, .bhi_ctrl = true, .has_capabilities = true,
	  .capabilities = RDCL_NO | IBRS_ALL | MDS_NO | TAA_NO | MMIO_NO | BHI_NO | PBRSB_NO | RFDS_NO},
	 IBPB, 1, 0},
	{"TSX, with a word against MDS but none against TAA",
	 {INTEL, .model = 0xfe, NEW_MICROCODE, .rtm = true, .has_capabilities = true,
	  .capabilities = RDCL_NO | IBRS_ALL | MDS_NO | MMIO_NO | PBRSB_NO | RFDS_NO},
	 VERW | IBPB, 1, 0},
	{"Ice Lake that is free of one kind of MMIO stale data only",
	 {INTEL, .model = 0x6a, NEW_MICROCODE, .has_capabilities = true,
	  .capabilities = RDCL_NO | IBRS_ALL | MDS_NO | TAA_NO | BIT(13) | PBRSB_NO},
	 VERW | IBPB, 1, 0},
	{"Atom, in order", {INTEL, .model = 0x1c}, RSB, 0, UNMITIGATED_BRANCH},
	{"Silvermont", {INTEL, .model = 0x37, .ibrs_ibpb = true, .md_clear = true}, VERW | IBPB | RSB | IBRS, 1, 0},
	{"Goldmont Plus",
	 {INTEL, .model = 0x7a, .ibrs_ibpb = true, .has_capabilities = true, .capabilities = RDCL_NO | MDS_NO},
	 IBPB | RSB | IBRS, 1, UNMITIGATED_BUFFERS},
	{"Zen 2", {.vendor = VENDOR_AMD, .family = 0x17, .model = 0x31, .amd_ibpb = true}, IBPB | RSB, 0, 0},
	{"K10", {.vendor = VENDOR_AMD, .family = 0x10, .model = 4}, RSB, 0, UNMITIGATED_BRANCH},
	/* An AMD of family 6 is no Intel, and its RTM bit no TSX. */
	{"AMD with an Intel's number",
	 {.vendor = VENDOR_AMD, .family = 6, .model = 0x55, .amd_ibpb = true, .rtm = true},
	 IBPB | RSB, 0, 0},
	{"somebody else's", {.vendor = VENDOR_OTHER, .family = 6, .model = 0x55}, 0, 0, 0},
};

static void test_generations(void **state)
{
	(void)state;
	for (u32 i = 0; i < ARRAY_SIZE(generations); i++) {
		struct mitigation_plan plan = mitigation_decide(&generations[i].in);

		if (plan.mask != generations[i].mask || plan.spec_ctrl != generations[i].spec_ctrl ||
		    plan.unmitigated != generations[i].unmitigated)
			fail_msg("%s: mask %#x, SPEC_CTRL %#llx, unmitigated %#x", generations[i].name, plan.mask,
				 (unsigned long long)plan.spec_ctrl, plan.unmitigated);
	}
}

static void test_off(void **state)
{
	(void)state;
	for (u32 i = 0; i < ARRAY_SIZE(generations); i++) {
		struct mitigation_inputs in = generations[i].in;
		struct mitigation_plan plan;

		in.off = true;
		plan = mitigation_decide(&in);
		assert_int_equal(plan.mask, 0);
		assert_int_equal(plan.spec_ctrl, 0);
		assert_false(plan.automatic_ibrs);
	}
}

static void test_automatic_ibrs(void **state)
{
	struct mitigation_inputs in = {
		.vendor = VENDOR_AMD, .family = 0x19, .amd_ibpb = true, .amd_automatic_ibrs = true};

	(void)state;
	assert_true(mitigation_decide(&in).automatic_ibrs);
	in.vendor = VENDOR_INTEL;
	assert_false(mitigation_decide(&in).automatic_ibrs);
}

static const char *describe(struct mitigation_plan plan, bool off)
{
	static char text[320];

	mitigation_describe(&plan, off, text, sizeof(text));
	return text;
}

static void test_status_line(void **state)
{
	char tiny[8];
	struct mitigation_plan plan = {.mask = L1D | IBPB};

	(void)state;
	assert_string_equal(describe(plan, false), "L1D flush at entry, IBPB at VM switch");
	assert_string_equal(describe((struct mitigation_plan){0}, false), "none needed");
	assert_string_equal(describe((struct mitigation_plan){0}, true), "off by configuration");
	assert_string_equal(describe((struct mitigation_plan){.spec_ctrl = 1}, false), "enhanced IBRS");
	assert_string_equal(describe((struct mitigation_plan){.spec_ctrl = 1, .mask = IBRS}, false), "IBRS at exit");
	assert_non_null(strstr(describe((struct mitigation_plan){.unmitigated = UNMITIGATED_L1TF}, false),
			       "L1TF NOT mitigated"));
	/* The longest there is has room; one that has none is cut. */
	assert_true(strlen(describe((struct mitigation_plan){~0u, 1, true, ~0u}, false)) < 319);
	mitigation_describe(&plan, false, tiny, sizeof(tiny));
	assert_string_equal(tiny, "L1D flu");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_generations),
		cmocka_unit_test(test_off),
		cmocka_unit_test(test_automatic_ibrs),
		cmocka_unit_test(test_status_line),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
