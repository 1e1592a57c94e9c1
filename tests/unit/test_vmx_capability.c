// sources: arch/x86_64/vmx/capability.c lib/fmt.c
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "arch/x86_64/vmx/capability.h"
#include "arch/x86_64/vmx/controls.h"

/* A processor on which everything in the table may be 0 or 1, and the SDM's default1 bits must be 1. */
static struct capability perfect(void)
{
	static const u32 default1[CONTROL_GROUPS] = {
		[CONTROL_PIN] = 0x16, [CONTROL_PRIMARY] = 0x04006172,
		[CONTROL_EXIT] = 0x00036dfb, [CONTROL_ENTRY] = 0x000011fb,
	};
	struct capability c = {
		.basic = BIT(55) | 6ull << 50 | 1024ull << 32 | 0x2b,
		.misc = 5,
		.ept_vpid = ~0ull,
		.cr0_fixed0 = 0x80000021, .cr0_fixed1 = 0xffffffff, .cr4_fixed0 = 0x2000, .cr4_fixed1 = 0x3767ff,
	};

	for (u32 i = 0; i < CONTROL_GROUPS; i++)
		c.control[i] = default1[i];
	for (u32 i = 0; i < CONTROL_GROUPS; i++)
		c.control[i] |= (u64)default1[i] << 32;
	/* These default1 bits are the ones the TRUE MSRs free. */
	c.control[CONTROL_PRIMARY] &= ~(PRIMARY_CR3_LOAD | PRIMARY_CR3_STORE);
	c.control[CONTROL_EXIT] &= ~EXIT_CTL_SAVE_DEBUG;
	c.control[CONTROL_ENTRY] &= ~ENTRY_CTL_LOAD_DEBUG;
	for (u32 i = 0; i < control_table_rows; i++)
		c.control[control_table[i].group] |= (u64)control_table[i].bit << 32;
	return c;
}

static void forbid(struct capability *c, enum control_group group, u64 bit)
{
	c->control[group] &= ~(bit << 32);
}

static void accepts_what_has_all(void **state)
{
	struct capability c = perfect();
	char missing[200] = "x";

	(void)state;
	assert_true(capability_check(&c, missing, sizeof(missing)));
	assert_string_equal(missing, "");
}

/* Each required or switched row, taken away alone, is named and alone; so is each forbidden one, forced on. */
static void names_each_missing_control(void **state)
{
	(void)state;
	for (u32 i = 0; i < control_table_rows; i++) {
		const struct control_row *row = &control_table[i];
		struct capability c = perfect();
		char missing[200];

		if (row->need == NEED_REQUIRED || row->need == NEED_SWITCHED)
			forbid(&c, row->group, row->bit);
		else if (row->need == NEED_FORBIDDEN)
			c.control[row->group] |= row->bit;
		else
			continue;
		assert_false(capability_check(&c, missing, sizeof(missing)));
		assert_non_null(strstr(missing, row->name));
		assert_null(strchr(missing, ','));
	}
}

static void optional_ones_are_not_missed(void **state)
{
	struct capability c = perfect();
	struct vmx_setup setup;
	char missing[200];

	(void)state;
	for (u32 i = 0; i < control_table_rows; i++) {
		if (control_table[i].need == NEED_OPTIONAL || control_table[i].need == NEED_SHOWN)
			forbid(&c, control_table[i].group, control_table[i].bit);
	}
	assert_true(capability_check(&c, missing, sizeof(missing)));
	capability_decide(&c, &setup);
	assert_false(setup.vpid);
	assert_false(setup.preemption_timer);
	assert_false(setup.control[CONTROL_SECONDARY] & SECONDARY_VPID);
}

/* Penryn has neither EPT nor unrestricted guest; lynnfield has EPT. */
static void refuses_old_models_by_name(void **state)
{
	struct capability penryn = perfect(), lynnfield = perfect();
	char missing[200];

	(void)state;
	forbid(&penryn, CONTROL_SECONDARY, SECONDARY_EPT | SECONDARY_UNRESTRICTED | SECONDARY_VPID);
	penryn.ept_vpid = 0;
	assert_false(capability_check(&penryn, missing, sizeof(missing)));
	assert_string_equal(missing, "EPT, unrestricted guest");
	forbid(&lynnfield, CONTROL_SECONDARY, SECONDARY_UNRESTRICTED);
	assert_false(capability_check(&lynnfield, missing, sizeof(missing)));
	assert_string_equal(missing, "unrestricted guest");
}

static void names_what_ept_lacks(void **state)
{
	static const struct {
		u64 bits;
		const char *name;
	} cases[] = {
		{EPT_CAP_WALK_4, "EPT with 4 levels"},
		{EPT_CAP_WB, "EPT in write-back memory"},
		{EPT_CAP_INVEPT, "INVEPT of all contexts"},
		{EPT_CAP_INVEPT_ALL, "INVEPT of all contexts"},
	};

	(void)state;
	for (u32 i = 0; i < ARRAY_SIZE(cases); i++) {
		struct capability c = perfect();
		char missing[200];

		c.ept_vpid &= ~cases[i].bits;
		assert_false(capability_check(&c, missing, sizeof(missing)));
		assert_string_equal(missing, cases[i].name);
	}
}

static void decides_within_what_is_allowed(void **state)
{
	struct capability c = perfect();
	struct vmx_setup setup;

	(void)state;
	capability_decide(&c, &setup);
	for (u32 i = 0; i < CONTROL_GROUPS; i++) {
		assert_int_equal(setup.control[i] & ~(u32)(c.control[i] >> 32), 0);
		assert_int_equal((u32)c.control[i] & ~setup.control[i], 0);
	}
	for (u32 i = 0; i < control_table_rows; i++) {
		const struct control_row *row = &control_table[i];
		bool on = setup.control[row->group] & row->bit;

		assert_int_equal(on, row->need == NEED_REQUIRED || row->need == NEED_OPTIONAL);
	}
	assert_true(setup.vpid);
	assert_true(setup.preemption_timer);
	assert_int_equal(setup.timer_rate, 5);
	assert_int_equal(setup.ept_largest, 3);
	assert_int_equal(setup.revision, 0x2b);
}

static void ept_leaves_follow_capabilities(void **state)
{
	struct capability c = perfect();
	struct vmx_setup setup;

	(void)state;
	c.ept_vpid &= ~EPT_CAP_1GIB;
	capability_decide(&c, &setup);
	assert_int_equal(setup.ept_largest, 2);
	c.ept_vpid &= ~EPT_CAP_2MIB;
	capability_decide(&c, &setup);
	assert_int_equal(setup.ept_largest, 1);
}

/*
 * A timer that is not saved at exits would start afresh at each entry; a VPID that cannot be flushed must not be used.
 */
static void drops_useless_pairs(void **state)
{
	struct capability c = perfect();
	struct vmx_setup setup;

	(void)state;
	forbid(&c, CONTROL_EXIT, EXIT_CTL_SAVE_PREEMPTION);
	c.ept_vpid &= ~EPT_CAP_INVVPID_ALL;
	capability_decide(&c, &setup);
	assert_false(setup.preemption_timer);
	assert_false(setup.control[CONTROL_PIN] & PIN_PREEMPTION_TIMER);
	assert_false(setup.vpid);
	assert_false(setup.control[CONTROL_SECONDARY] & SECONDARY_VPID);
	c = perfect();
	forbid(&c, CONTROL_PIN, PIN_PREEMPTION_TIMER);
	capability_decide(&c, &setup);
	assert_false(setup.control[CONTROL_EXIT] & EXIT_CTL_SAVE_PREEMPTION);
}

static void hybrid_cores_get_the_intersection(void **state)
{
	struct capability common = perfect(), small = perfect();
	struct vmx_setup setup;
	char why[200] = "";

	(void)state;
	forbid(&small, CONTROL_SECONDARY, SECONDARY_INVPCID);
	small.ept_vpid &= ~EPT_CAP_1GIB;
	small.cr4_fixed1 &= ~BIT(17);
	assert_true(capability_join(&common, &small, why, sizeof(why)));
	capability_decide(&common, &setup);
	assert_false(setup.control[CONTROL_SECONDARY] & SECONDARY_INVPCID);
	assert_true(setup.control[CONTROL_SECONDARY] & SECONDARY_RDTSCP);
	assert_int_equal(setup.ept_largest, 2);
	assert_false(setup.cr4_fixed1 & BIT(17));
}

static void refuses_cores_that_cannot_share(void **state)
{
	struct capability common = perfect(), other = perfect();
	char why[200];

	(void)state;
	other.basic ^= 1;
	assert_false(capability_join(&common, &other, why, sizeof(why)));
	assert_non_null(strstr(why, "VMCS revision"));
	other = perfect();
	other.misc = 3;
	assert_false(capability_join(&common, &other, why, sizeof(why)));
	assert_non_null(strstr(why, "preemption timer"));
	/* One core forces a bit on that the other cannot turn on. */
	other = perfect();
	forbid(&common, CONTROL_SECONDARY, SECONDARY_PML);
	other.control[CONTROL_SECONDARY] |= SECONDARY_PML;
	assert_false(capability_join(&common, &other, why, sizeof(why)));
}

static void late_cores_must_do_what_was_decided(void **state)
{
	struct capability c = perfect(), late = perfect();
	struct vmx_setup setup;
	char missing[200];

	(void)state;
	capability_decide(&c, &setup);
	assert_true(capability_supports(&late, &setup, missing, sizeof(missing)));
	forbid(&late, CONTROL_SECONDARY, SECONDARY_XSAVES);
	assert_false(capability_supports(&late, &setup, missing, sizeof(missing)));
	assert_string_equal(missing, "XSAVES");
	late = perfect();
	late.ept_vpid &= ~EPT_CAP_1GIB;
	assert_false(capability_supports(&late, &setup, missing, sizeof(missing)));
}

/*
 * Nothing of it without a TPR shadow, and none without a way to turn CR8 exits off. A core that comes later must have
 * all that may be on.
 */
static void apic_controls_rest_on_the_tpr_shadow(void **state)
{
	const u32 all = (u32)(SECONDARY_APIC_ACCESS | SECONDARY_X2APIC | SECONDARY_APIC_REGISTER |
			      SECONDARY_VIRTUAL_INTERRUPTS);
	struct capability c = perfect(), late = perfect();
	struct vmx_setup setup;
	char missing[200];

	(void)state;
	capability_decide(&c, &setup);
	assert_true(setup.tpr_shadow);
	assert_int_equal(setup.apic_controls, all);
	forbid(&late, CONTROL_SECONDARY, SECONDARY_VIRTUAL_INTERRUPTS);
	assert_false(capability_supports(&late, &setup, missing, sizeof(missing)));
	assert_string_equal(missing, "virtual-interrupt delivery");
	late = perfect();
	forbid(&late, CONTROL_PRIMARY, PRIMARY_TPR_SHADOW);
	assert_false(capability_supports(&late, &setup, missing, sizeof(missing)));
	assert_string_equal(missing, "TPR shadow");
	capability_decide(&late, &setup);
	assert_false(setup.tpr_shadow);
	assert_int_equal(setup.apic_controls, 0);
	c.control[CONTROL_PRIMARY] |= PRIMARY_CR8_LOAD;
	capability_decide(&c, &setup);
	assert_false(setup.tpr_shadow);
	c = perfect();
	forbid(&c, CONTROL_SECONDARY, SECONDARY_APIC_REGISTER);
	capability_decide(&c, &setup);
	assert_int_equal(setup.apic_controls, all & ~(u32)SECONDARY_APIC_REGISTER);
}

static void describes_and_cuts(void **state)
{
	struct capability c = perfect();
	char text[400], tiny[20];

	(void)state;
	capability_describe(&c, text, sizeof(text));
	assert_non_null(strstr(text, "1 GiB"));
	assert_non_null(strstr(text, "VPID"));
	assert_non_null(strstr(text, "found, not used yet:"));
	capability_describe(&c, tiny, sizeof(tiny));
	assert_true(strlen(tiny) < sizeof(tiny));
	forbid(&c, CONTROL_PIN, PIN_NMI | PIN_EXTERNAL_INTERRUPT);
	assert_false(capability_check(&c, tiny, sizeof(tiny)));
	assert_true(strlen(tiny) < sizeof(tiny));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(accepts_what_has_all),
		cmocka_unit_test(names_each_missing_control),
		cmocka_unit_test(optional_ones_are_not_missed),
		cmocka_unit_test(refuses_old_models_by_name),
		cmocka_unit_test(names_what_ept_lacks),
		cmocka_unit_test(decides_within_what_is_allowed),
		cmocka_unit_test(ept_leaves_follow_capabilities),
		cmocka_unit_test(drops_useless_pairs),
		cmocka_unit_test(hybrid_cores_get_the_intersection),
		cmocka_unit_test(refuses_cores_that_cannot_share),
		cmocka_unit_test(late_cores_must_do_what_was_decided),
		cmocka_unit_test(apic_controls_rest_on_the_tpr_shadow),
		cmocka_unit_test(describes_and_cuts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
