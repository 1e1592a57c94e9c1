/* SDM vol. 3 "Checks on VMX Controls". */
#include "arch/x86_64/vmx/check.h"

#include "arch/x86_64/cpu/regs.h"
#include "arch/x86_64/vmx/controls.h"

static bool allowed(const struct check_context *c, enum control_group group, u64 value)
{
	u64 capability = c->machine->capability.control[group];

	return (value & ~(capability >> 32)) == 0 && ((u32)capability & ~value) == 0;
}

static bool secondary(const struct check_context *c, u64 control)
{
	return (FIELD(PRIMARY_CONTROLS) & PRIMARY_SECONDARY) && (FIELD(SECONDARY_CONTROLS) & control);
}

static bool page_in_memory(const struct check_context *c, u64 address)
{
	return (address & (PAGE_SIZE - 1)) == 0 && check_physical(c, address);
}

#define CHECK(name, expression)                                   \
	static bool name(const struct check_context *c)           \
	{                                                         \
		return expression;                                \
	}

CHECK(pin_allowed, allowed(c, CONTROL_PIN, FIELD(PIN_CONTROLS)))
CHECK(primary_allowed, allowed(c, CONTROL_PRIMARY, FIELD(PRIMARY_CONTROLS)))
CHECK(secondary_allowed, implies(FIELD(PRIMARY_CONTROLS) & PRIMARY_SECONDARY,
				 allowed(c, CONTROL_SECONDARY, FIELD(SECONDARY_CONTROLS))))
CHECK(exit_allowed, allowed(c, CONTROL_EXIT, FIELD(EXIT_CONTROLS)))
CHECK(entry_allowed, allowed(c, CONTROL_ENTRY, FIELD(ENTRY_CONTROLS)))
CHECK(cr3_targets, FIELD(CR3_TARGET_COUNT) <= 4)
CHECK(msr_bitmap, implies(FIELD(PRIMARY_CONTROLS) & PRIMARY_MSR_BITMAPS, page_in_memory(c, FIELD(MSR_BITMAP))))
CHECK(virtual_nmis, implies(FIELD(PIN_CONTROLS) & PIN_VIRTUAL_NMIS, FIELD(PIN_CONTROLS) & PIN_NMI))
CHECK(nmi_window, implies(FIELD(PRIMARY_CONTROLS) & PRIMARY_NMI_WINDOW, FIELD(PIN_CONTROLS) & PIN_VIRTUAL_NMIS))
CHECK(vpid, implies(secondary(c, SECONDARY_VPID), FIELD(VPID) != 0))
CHECK(ept_type, implies(secondary(c, SECONDARY_EPT),
			(FIELD(EPT_POINTER) & 7) == CACHE_WB || (FIELD(EPT_POINTER) & 7) == CACHE_UC))
CHECK(ept_walk, implies(secondary(c, SECONDARY_EPT), (FIELD(EPT_POINTER) >> 3 & 7) == 3))
CHECK(ept_reserved, implies(secondary(c, SECONDARY_EPT),
			    (FIELD(EPT_POINTER) & BITS(11, 7)) == 0 && check_physical(c, FIELD(EPT_POINTER))))
CHECK(unrestricted, implies(secondary(c, SECONDARY_UNRESTRICTED), secondary(c, SECONDARY_EPT)))
CHECK(virtual_apic,
      implies(FIELD(PRIMARY_CONTROLS) & PRIMARY_TPR_SHADOW, page_in_memory(c, FIELD(VIRTUAL_APIC_ADDRESS))))
CHECK(threshold, implies(FIELD(PRIMARY_CONTROLS) & PRIMARY_TPR_SHADOW && !secondary(c, SECONDARY_VIRTUAL_INTERRUPTS),
			 FIELD(TPR_THRESHOLD) >> 4 == 0))
CHECK(apic_on_shadow, implies(secondary(c, SECONDARY_X2APIC | SECONDARY_APIC_REGISTER | SECONDARY_VIRTUAL_INTERRUPTS),
			      FIELD(PRIMARY_CONTROLS) & PRIMARY_TPR_SHADOW))
CHECK(apic_access, implies(secondary(c, SECONDARY_APIC_ACCESS), page_in_memory(c, FIELD(APIC_ACCESS_ADDRESS))))
CHECK(apic_one_access, !(secondary(c, SECONDARY_APIC_ACCESS) && secondary(c, SECONDARY_X2APIC)))
CHECK(virtual_interrupts,
      implies(secondary(c, SECONDARY_VIRTUAL_INTERRUPTS), FIELD(PIN_CONTROLS) & PIN_EXTERNAL_INTERRUPT))
CHECK(timer_saved, implies(FIELD(EXIT_CONTROLS) & EXIT_CTL_SAVE_PREEMPTION, FIELD(PIN_CONTROLS) & PIN_PREEMPTION_TIMER))
CHECK(no_smm, !(FIELD(ENTRY_CONTROLS) & (ENTRY_CTL_SMM | ENTRY_CTL_DUAL_MONITOR)))

/* The event to be injected. */
#define INFO	  FIELD(ENTRY_INTERRUPTION_INFO)
#define INJECTS	  ((INFO & INTERRUPTION_VALID) != 0)
#define TYPE	  INTERRUPTION_TYPE(INFO)
#define VECTOR	  INTERRUPTION_VECTOR(INFO)
#define HAS_ERROR ((INFO & INTERRUPTION_ERROR_VALID) != 0)

static bool has_error_code(u8 vector)
{
	const u32 with = BIT(VECTOR_DF) | BIT(VECTOR_TS) | BIT(VECTOR_NP) | BIT(VECTOR_SS) | BIT(VECTOR_GP) |
			 BIT(VECTOR_PF) | BIT(VECTOR_AC) | BIT(VECTOR_CP);

	return vector < 32 && (with & BIT(vector));
}

/* Without unrestricted guest PE is 1 always; the check is about the guest's CR0 all the same. */
static bool error_code_right(const struct check_context *c)
{
	bool wanted = TYPE == TYPE_HARDWARE_EXCEPTION && has_error_code(VECTOR) && (FIELD(GUEST_CR0) & CR0_PE);

	/* Vector 21 has an error code on processors with CET only. */
	return !INJECTS || VECTOR == VECTOR_CP || wanted == HAS_ERROR;
}

CHECK(event_type, implies(INJECTS, TYPE != 1 && TYPE != TYPE_OTHER))
CHECK(event_nmi, implies(INJECTS && TYPE == TYPE_NMI, VECTOR == VECTOR_NMI))
CHECK(event_exception, implies(INJECTS && TYPE == TYPE_HARDWARE_EXCEPTION, VECTOR <= 31))
CHECK(event_reserved, implies(INJECTS, (INFO & BITS(30, 12)) == 0))
CHECK(error_code_width, implies(INJECTS && HAS_ERROR, FIELD(ENTRY_EXCEPTION_ERROR) >> 16 == 0))
CHECK(event_length,
      implies(INJECTS && TYPE >= TYPE_SOFTWARE_INTERRUPT && TYPE <= TYPE_SOFTWARE_EXCEPTION,
	      FIELD(ENTRY_INSTRUCTION_LENGTH) <= 15 &&
		      (FIELD(ENTRY_INSTRUCTION_LENGTH) > 0 || (c->machine->capability.misc & MISC_ZERO_LENGTH))))

const struct check_row check_control_rows[] = {
	{pin_allowed, "pin-based controls this processor does not allow", INDEX_PIN_CONTROLS},
	{primary_allowed, "primary controls this processor does not allow", INDEX_PRIMARY_CONTROLS},
	{secondary_allowed, "secondary controls this processor does not allow", INDEX_SECONDARY_CONTROLS},
	{exit_allowed, "VM-exit controls this processor does not allow", INDEX_EXIT_CONTROLS},
	{entry_allowed, "VM-entry controls this processor does not allow", INDEX_ENTRY_CONTROLS},
	{cr3_targets, "more than four CR3-target values", INDEX_CR3_TARGET_COUNT},
	{msr_bitmap, "the MSR bitmap is not a page of physical memory", INDEX_MSR_BITMAP},
	{virtual_nmis, "virtual NMIs need NMI exiting", INDEX_PIN_CONTROLS},
	{nmi_window, "NMI-window exiting needs virtual NMIs", INDEX_PRIMARY_CONTROLS},
	{vpid, "VPID is on and the VPID is 0", INDEX_VPID},
	{ept_type, "the EPT pointer's memory type is neither UC nor WB", INDEX_EPT_POINTER},
	{ept_walk, "the EPT pointer's page-walk length is not 4", INDEX_EPT_POINTER},
	{ept_reserved, "reserved bits of the EPT pointer are set", INDEX_EPT_POINTER},
	{unrestricted, "unrestricted guest needs EPT", INDEX_SECONDARY_CONTROLS},
	{virtual_apic, "the virtual-APIC page is not a page of physical memory", INDEX_VIRTUAL_APIC_ADDRESS},
	{threshold, "reserved bits of the TPR threshold are set", INDEX_TPR_THRESHOLD},
	{apic_on_shadow, "APIC virtualization needs the TPR shadow", INDEX_SECONDARY_CONTROLS},
	{apic_access, "the APIC-access page is not a page of physical memory", INDEX_APIC_ACCESS_ADDRESS},
	{apic_one_access, "an APIC-access page and x2APIC mode at once", INDEX_SECONDARY_CONTROLS},
	{virtual_interrupts, "virtual-interrupt delivery needs external-interrupt exiting", INDEX_PIN_CONTROLS},
	{timer_saved, "saving the VMX-preemption timer needs the timer on", INDEX_EXIT_CONTROLS},
	{no_smm, "entry to SMM from outside SMM", INDEX_ENTRY_CONTROLS},
	{event_type, "the injected event has a reserved type", INDEX_ENTRY_INTERRUPTION_INFO},
	{event_nmi, "an injected NMI must have vector 2", INDEX_ENTRY_INTERRUPTION_INFO},
	{event_exception, "an injected exception must have a vector up to 31", INDEX_ENTRY_INTERRUPTION_INFO},
	{error_code_right, "the injected event has an error code it must not have, or lacks one",
	 INDEX_ENTRY_INTERRUPTION_INFO},
	{event_reserved, "reserved bits of the injected event are set", INDEX_ENTRY_INTERRUPTION_INFO},
	{error_code_width, "the injected error code is wider than 16 bits", INDEX_ENTRY_EXCEPTION_ERROR},
	{event_length, "the injected software event's instruction length is not 1 to 15",
	 INDEX_ENTRY_INSTRUCTION_LENGTH},
};
const u32 check_control_count = ARRAY_SIZE(check_control_rows);

bool check_controls(const struct vmcs_snapshot *snapshot, const struct check_machine *machine,
		    struct check_result *result)
{
	return check_run(check_control_rows, check_control_count, snapshot, machine, "controls", result);
}
