#include "arch/x86_64/vmx/capability.h"

#include "arch/x86_64/vmx/apic_controls.h"
#include "arch/x86_64/vmx/controls.h"
#include "lib/fmt.h"
#include "lib/string.h"

/*
 * SDM vol. 3 "VM-Execution Control Fields" and the two sections on VM-exit and VM-entry controls; which settings a
 * processor allows: appendix "VMX Capability Reporting Facility". A bit in no row is left as the processor's default1
 * class wants it.
 *
 * CR8 exits unless there is a TPR shadow: without either a guest's MOV to CR8 would mask the host's own interrupts.
 * ENCLS and ENCLV exit where they exist, since CPUID hides them and they have no other enable bit that we own. TPAUSE,
 * UMWAIT and PCONFIG stay off: they are then #UD, as CPUID says. MOV-DR exiting is on until a guest first touches a DR.
 */
#define ROW(group, need, bit, name) {CONTROL_##group, NEED_##need, (u32)(bit), name}
const struct control_row control_table[] = {
	ROW(PIN, REQUIRED, PIN_EXTERNAL_INTERRUPT, "external-interrupt exiting"),
	ROW(PIN, REQUIRED, PIN_NMI, "NMI exiting"),
	ROW(PIN, REQUIRED, PIN_VIRTUAL_NMIS, "virtual NMIs"),
	ROW(PIN, OPTIONAL, PIN_PREEMPTION_TIMER, "VMX-preemption timer"),
	ROW(PIN, SHOWN, PIN_POSTED_INTERRUPTS, "posted interrupts"),

	ROW(PRIMARY, REQUIRED, PRIMARY_SECONDARY, "secondary controls"),
	ROW(PRIMARY, REQUIRED, PRIMARY_MSR_BITMAPS, "MSR bitmaps"),
	ROW(PRIMARY, REQUIRED, PRIMARY_TSC_OFFSETTING, "TSC offsetting"),
	ROW(PRIMARY, REQUIRED, PRIMARY_HLT, "HLT exiting"),
	ROW(PRIMARY, REQUIRED, PRIMARY_MWAIT, "MWAIT exiting"),
	ROW(PRIMARY, REQUIRED, PRIMARY_MONITOR, "MONITOR exiting"),
	ROW(PRIMARY, REQUIRED, PRIMARY_RDPMC, "RDPMC exiting"),
	ROW(PRIMARY, REQUIRED, PRIMARY_IO, "unconditional I/O exiting"),
	ROW(PRIMARY, REQUIRED, PRIMARY_CR8_LOAD, "CR8-load exiting"),
	ROW(PRIMARY, REQUIRED, PRIMARY_CR8_STORE, "CR8-store exiting"),
	ROW(PRIMARY, SWITCHED, PRIMARY_MOV_DR, "MOV-DR exiting"),
	ROW(PRIMARY, SWITCHED, PRIMARY_INTERRUPT_WINDOW, "interrupt-window exiting"),
	ROW(PRIMARY, SWITCHED, PRIMARY_NMI_WINDOW, "NMI-window exiting"),
	ROW(PRIMARY, FORBIDDEN, PRIMARY_CR3_LOAD, "CR3-load exiting"),
	ROW(PRIMARY, FORBIDDEN, PRIMARY_CR3_STORE, "CR3-store exiting"),
	ROW(PRIMARY, FORBIDDEN, PRIMARY_INVLPG, "INVLPG exiting"),
	ROW(PRIMARY, FORBIDDEN, PRIMARY_RDTSC, "RDTSC exiting"),
	ROW(PRIMARY, FORBIDDEN, PRIMARY_PAUSE, "PAUSE exiting"),
	ROW(PRIMARY, FORBIDDEN, PRIMARY_IO_BITMAPS, "I/O bitmaps"),
	ROW(PRIMARY, FORBIDDEN, PRIMARY_MONITOR_TRAP, "monitor trap flag"),
	ROW(PRIMARY, APIC, PRIMARY_TPR_SHADOW, "TPR shadow"),
	ROW(PRIMARY, SHOWN, PRIMARY_TERTIARY, "tertiary controls"),

	ROW(SECONDARY, REQUIRED, SECONDARY_EPT, "EPT"),
	ROW(SECONDARY, REQUIRED, SECONDARY_UNRESTRICTED, "unrestricted guest"),
	ROW(SECONDARY, OPTIONAL, SECONDARY_VPID, "VPID"),
	ROW(SECONDARY, OPTIONAL, SECONDARY_WBINVD, "WBINVD exiting"),
	ROW(SECONDARY, OPTIONAL, SECONDARY_RDTSCP, "RDTSCP"),
	ROW(SECONDARY, OPTIONAL, SECONDARY_INVPCID, "INVPCID"),
	ROW(SECONDARY, OPTIONAL, SECONDARY_XSAVES, "XSAVES"),
	ROW(SECONDARY, OPTIONAL, SECONDARY_ENCLS, "ENCLS exiting"),
	ROW(SECONDARY, OPTIONAL, SECONDARY_ENCLV, "ENCLV exiting"),
	ROW(SECONDARY, FORBIDDEN, SECONDARY_DESCRIPTOR_TABLE, "descriptor-table exiting"),
	ROW(SECONDARY, FORBIDDEN, SECONDARY_RDRAND, "RDRAND exiting"),
	ROW(SECONDARY, FORBIDDEN, SECONDARY_RDSEED, "RDSEED exiting"),
	ROW(SECONDARY, FORBIDDEN, SECONDARY_VE, "EPT-violation #VE"),
	ROW(SECONDARY, APIC, SECONDARY_APIC_ACCESS, "APIC-access page"),
	ROW(SECONDARY, APIC, SECONDARY_X2APIC, "x2APIC mode"),
	ROW(SECONDARY, APIC, SECONDARY_APIC_REGISTER, "APIC-register virtualization"),
	ROW(SECONDARY, APIC, SECONDARY_VIRTUAL_INTERRUPTS, "virtual-interrupt delivery"),
	ROW(SECONDARY, SHOWN, SECONDARY_PAUSE_LOOP, "PAUSE-loop exiting"),
	ROW(SECONDARY, SHOWN, SECONDARY_VMFUNC, "VMFUNC"),
	ROW(SECONDARY, SHOWN, SECONDARY_VMCS_SHADOWING, "VMCS shadowing"),
	ROW(SECONDARY, SHOWN, SECONDARY_PML, "PML"),
	ROW(SECONDARY, SHOWN, SECONDARY_MODE_BASED_EXECUTE, "mode-based execute control"),
	ROW(SECONDARY, SHOWN, SECONDARY_SUB_PAGE, "sub-page permissions"),
	ROW(SECONDARY, SHOWN, SECONDARY_TSC_SCALING, "TSC scaling"),
	ROW(SECONDARY, SHOWN, SECONDARY_BUS_LOCK, "bus-lock detection"),
	ROW(SECONDARY, SHOWN, SECONDARY_TIMEOUT, "instruction timeout"),

	ROW(EXIT, REQUIRED, EXIT_CTL_HOST_64, "host address-space size"),
	ROW(EXIT, REQUIRED, EXIT_CTL_SAVE_DEBUG, "save debug controls"),
	ROW(EXIT, REQUIRED, EXIT_CTL_ACKNOWLEDGE, "acknowledge interrupt on exit"),
	ROW(EXIT, REQUIRED, EXIT_CTL_SAVE_PAT, "save IA32_PAT"),
	ROW(EXIT, REQUIRED, EXIT_CTL_LOAD_PAT, "load IA32_PAT at exit"),
	ROW(EXIT, REQUIRED, EXIT_CTL_LOAD_EFER, "load IA32_EFER at exit"),
	ROW(EXIT, OPTIONAL, EXIT_CTL_SAVE_PREEMPTION, "save VMX-preemption timer"),
	ROW(EXIT, FORBIDDEN, EXIT_CTL_SECONDARY, "secondary VM-exit controls"),

	ROW(ENTRY, REQUIRED, ENTRY_CTL_LOAD_DEBUG, "load debug controls"),
	ROW(ENTRY, REQUIRED, ENTRY_CTL_PAT, "load IA32_PAT at entry"),
	ROW(ENTRY, REQUIRED, ENTRY_CTL_EFER, "load IA32_EFER at entry"),
	ROW(ENTRY, SWITCHED, ENTRY_CTL_IA32E, "IA-32e mode guest"),
	ROW(ENTRY, FORBIDDEN, ENTRY_CTL_SMM, "entry to SMM"),
	ROW(ENTRY, FORBIDDEN, ENTRY_CTL_DUAL_MONITOR, "deactivate dual-monitor treatment"),
};
const u32 control_table_rows = ARRAY_SIZE(control_table);

/* Beside the controls: what EPT itself must be able to do (SDM appendix "VPID and EPT Capabilities"). */
static const struct {
	u64 bits; /* all of them */
	const char *name;
} ept_needs[] = {
	{EPT_CAP_WALK_4, "EPT with 4 levels"},
	{EPT_CAP_WB, "EPT in write-back memory"},
	{EPT_CAP_INVEPT | EPT_CAP_INVEPT_ALL, "INVEPT of all contexts"},
};

static void add_name(char *list, size_t size, const char *prefix, const char *name)
{
	size_t used = strnlen(list, size);

	if (used < size)
		(void)fmt_print(list + used, size - used, "%s%s%s", used > 0 ? ", " : "", prefix, name);
}

static bool may_be_1(const struct capability *capability, const struct control_row *row)
{
	return capability->control[row->group] >> 32 & row->bit;
}

static bool may_be_0(const struct capability *capability, const struct control_row *row)
{
	return !((u32)capability->control[row->group] & row->bit);
}

/* NULL: the row is satisfied; otherwise what is wrong with it, as a prefix of its name. */
static const char *row_problem(const struct capability *capability, const struct control_row *row)
{
	switch (row->need) {
	case NEED_REQUIRED:
		return may_be_1(capability, row) ? NULL : "";
	case NEED_SWITCHED:
		if (!may_be_1(capability, row))
			return "";
		return may_be_0(capability, row) ? NULL : "a way to turn off ";
	case NEED_FORBIDDEN:
		return may_be_0(capability, row) ? NULL : "a way to turn off ";
	case NEED_OPTIONAL:
	case NEED_APIC:
	case NEED_SHOWN:
		break;
	}
	return NULL;
}

bool capability_check(const struct capability *capability, char *missing, size_t size)
{
	bool fine = true;

	if (size > 0)
		missing[0] = '\0';
	for (u32 i = 0; i < control_table_rows; i++) {
		const char *problem = row_problem(capability, &control_table[i]);

		if (problem) {
			add_name(missing, size, problem, control_table[i].name);
			fine = false;
		}
	}
	/* A processor without EPT has no such capabilities at all: one name is enough then. */
	if (!(capability->control[CONTROL_SECONDARY] >> 32 & SECONDARY_EPT))
		return false;
	for (u32 i = 0; i < ARRAY_SIZE(ept_needs); i++) {
		if ((capability->ept_vpid & ept_needs[i].bits) != ept_needs[i].bits) {
			add_name(missing, size, "", ept_needs[i].name);
			fine = false;
		}
	}
	return fine;
}

bool capability_join(struct capability *common, const struct capability *core, char *why, size_t size)
{
	if (BASIC_REVISION(common->basic) != BASIC_REVISION(core->basic)) {
		(void)fmt_print(why, size, "its VMCS revision is %x, the boot core's is %x",
				BASIC_REVISION(core->basic), BASIC_REVISION(common->basic));
		return false;
	}
	if (MISC_TIMER_RATE(common->misc) != MISC_TIMER_RATE(core->misc)) {
		(void)fmt_print(why, size, "its VMX-preemption timer counts 2^%u ticks, the boot core's 2^%u",
				MISC_TIMER_RATE(core->misc), MISC_TIMER_RATE(common->misc));
		return false;
	}
	for (u32 i = 0; i < CONTROL_GROUPS; i++) {
		u64 must = (u32)(common->control[i] | core->control[i]);
		u64 may = (common->control[i] & core->control[i]) >> 32;

		if (must & ~may) {
			(void)fmt_print(
				why, size,
				"it cannot turn off a control that another core cannot turn on (group %u, bits %llx)",
				i, (unsigned long long)(must & ~may));
			return false;
		}
		common->control[i] = may << 32 | must;
	}
	common->ept_vpid &= core->ept_vpid;
	common->misc &= core->misc;
	common->cr0_fixed0 |= core->cr0_fixed0;
	common->cr0_fixed1 &= core->cr0_fixed1;
	common->cr4_fixed0 |= core->cr4_fixed0;
	common->cr4_fixed1 &= core->cr4_fixed1;
	return true;
}

bool capability_has_vpid(const struct capability *capability)
{
	const u64 needed = EPT_CAP_INVVPID | EPT_CAP_INVVPID_ALL;

	return (capability->control[CONTROL_SECONDARY] >> 32 & SECONDARY_VPID) &&
	       (capability->ept_vpid & needed) == needed;
}

/* A VPID without INVVPID of all contexts, or a timer that starts afresh at each entry, is of no use to us. */
static void drop_useless(const struct capability *common, struct vmx_setup *setup)
{
	if (!capability_has_vpid(common))
		setup->control[CONTROL_SECONDARY] &= ~(u32)SECONDARY_VPID;
	if (!(setup->control[CONTROL_PIN] & PIN_PREEMPTION_TIMER) ||
	    !(setup->control[CONTROL_EXIT] & EXIT_CTL_SAVE_PREEMPTION)) {
		setup->control[CONTROL_PIN] &= ~(u32)PIN_PREEMPTION_TIMER;
		setup->control[CONTROL_EXIT] &= ~(u32)EXIT_CTL_SAVE_PREEMPTION;
	}
}

/* Without a TPR shadow an entry with any of the others is refused (SDM "Checks on VMX Controls"). */
static void decide_apic(const struct capability *common, struct vmx_setup *setup)
{
	setup->tpr_shadow = common->control[CONTROL_PRIMARY] >> 32 & PRIMARY_TPR_SHADOW &&
			    !(common->control[CONTROL_PRIMARY] & (PRIMARY_CR8_LOAD | PRIMARY_CR8_STORE));
	if (setup->tpr_shadow)
		setup->apic_controls = (u32)(common->control[CONTROL_SECONDARY] >> 32 & APIC_CONTROLS);
}

void capability_decide(const struct capability *common, struct vmx_setup *setup)
{
	memset(setup, 0, sizeof(*setup));
	setup->capability = *common;
	for (u32 i = 0; i < CONTROL_GROUPS; i++)
		setup->control[i] = (u32)common->control[i];
	for (u32 i = 0; i < control_table_rows; i++) {
		const struct control_row *row = &control_table[i];

		if (row->need == NEED_REQUIRED || (row->need == NEED_OPTIONAL && may_be_1(common, row)))
			setup->control[row->group] |= row->bit;
	}
	drop_useless(common, setup);
	decide_apic(common, setup);
	setup->vpid = setup->control[CONTROL_SECONDARY] & SECONDARY_VPID;
	setup->preemption_timer = setup->control[CONTROL_PIN] & PIN_PREEMPTION_TIMER;
	setup->invept_single = common->ept_vpid & EPT_CAP_INVEPT_SINGLE;
	setup->invvpid_single = common->ept_vpid & EPT_CAP_INVVPID_SINGLE;
	setup->timer_rate = MISC_TIMER_RATE(common->misc);
	setup->ept_largest = common->ept_vpid & EPT_CAP_2MIB ? common->ept_vpid & EPT_CAP_1GIB ? 3 : 2 : 1;
	setup->zero_length = common->misc & MISC_ZERO_LENGTH;
	setup->revision = BASIC_REVISION(common->basic);
	setup->cr0_fixed0 = common->cr0_fixed0;
	setup->cr0_fixed1 = common->cr0_fixed1;
	setup->cr4_fixed0 = common->cr4_fixed0;
	setup->cr4_fixed1 = common->cr4_fixed1;
}

/* EPT and VPID capabilities that the decided set-up relies on. */
static bool supports_ept(const struct capability *core, const struct vmx_setup *setup)
{
	u64 used = EPT_CAP_2MIB | EPT_CAP_1GIB | EPT_CAP_INVEPT_SINGLE | EPT_CAP_INVEPT_ALL | EPT_CAP_INVVPID |
		   EPT_CAP_INVVPID_SINGLE | EPT_CAP_INVVPID_ALL;

	return (setup->capability.ept_vpid & used & ~core->ept_vpid) == 0;
}

static const char *control_name(enum control_group group, u32 bit)
{
	for (u32 i = 0; i < control_table_rows; i++) {
		if (control_table[i].group == group && control_table[i].bit == bit)
			return control_table[i].name;
	}
	return "a reserved control";
}

u32 capability_used(const struct vmx_setup *setup, enum control_group group)
{
	u32 later = 0;

	if (group == CONTROL_PRIMARY && setup->tpr_shadow)
		later = (u32)PRIMARY_TPR_SHADOW;
	else if (group == CONTROL_SECONDARY)
		later = setup->apic_controls;
	return setup->control[group] | later;
}

bool capability_supports(const struct capability *core, const struct vmx_setup *setup, char *missing, size_t size)
{
	bool fine = true;

	if (size > 0)
		missing[0] = '\0';
	for (u32 group = 0; group < CONTROL_GROUPS; group++) {
		u32 wrong = (capability_used(setup, group) & ~(u32)(core->control[group] >> 32)) |
			    ((u32)core->control[group] & ~setup->control[group]);

		for (u32 bit = 0; bit < 32; bit++) {
			if (!(wrong & BIT(bit)))
				continue;
			add_name(missing, size, "", control_name((enum control_group)group, (u32)BIT(bit)));
			fine = false;
		}
	}
	if (!supports_ept(core, setup)) {
		add_name(missing, size, "", "EPT or VPID capabilities of the other cores");
		fine = false;
	}
	return fine;
}

static void describe(const struct capability *capability, enum control_need need, char *text, size_t size)
{
	for (u32 i = 0; i < control_table_rows; i++) {
		const struct control_row *row = &control_table[i];

		if (row->need == need && may_be_1(capability, row))
			add_name(text, size, "", row->name);
	}
}

void capability_describe(const struct capability *capability, char *text, size_t size)
{
	char found[256] = "";

	(void)fmt_print(text, size, "EPT with 4 KiB%s%s pages", capability->ept_vpid & EPT_CAP_2MIB ? ", 2 MiB" : "",
			capability->ept_vpid & EPT_CAP_1GIB ? ", 1 GiB" : "");
	describe(capability, NEED_OPTIONAL, text, size);
	describe(capability, NEED_APIC, text, size);
	describe(capability, NEED_SHOWN, found, sizeof(found));
	if (found[0] != '\0') {
		size_t used = strnlen(text, size);

		if (used < size)
			(void)fmt_print(text + used, size - used, "; found, not used yet: %s", found);
	}
}
