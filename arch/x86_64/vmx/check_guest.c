/*
 * SDM vol. 3 "Checks on Guest Control Registers, Debug Registers, and MSRs", "... Descriptor-Table Registers", "...
 * RIP, RFLAGS, and SSP",
 * "... Non-Register State", "... Page-Directory-Pointer-Table Entries". Segment registers: check_segments.c.
 */
#include "arch/x86_64/vmx/check.h"

#include "arch/x86_64/cpu/regs.h"
#include "arch/x86_64/vmx/controls.h"
#include "vmm/vcpu_state.h"

#define CHECK(name, expression)                                   \
	static bool name(const struct check_context *c)           \
	{                                                         \
		return expression;                                \
	}

#define IA32E		((FIELD(ENTRY_CONTROLS) & ENTRY_CTL_IA32E) != 0)
#define UNRESTRICTED	((FIELD(SECONDARY_CONTROLS) & SECONDARY_UNRESTRICTED) != 0)
#define PAGING		((FIELD(GUEST_CR0) & CR0_PG) != 0)
#define IF_SET		((FIELD(GUEST_RFLAGS) & RFLAGS_IF) != 0)
#define BLOCKED(bit)	((FIELD(GUEST_INTERRUPTIBILITY) & (bit)) != 0)
#define CANONICAL(name) check_canonical(c, FIELD(name))
#define INFO		FIELD(ENTRY_INTERRUPTION_INFO)
#define INJECTS(type)	((INFO & INTERRUPTION_VALID) && INTERRUPTION_TYPE(INFO) == (type))
#define STI_OR_MOV_SS	(BLOCKED_BY_STI | BLOCKED_BY_MOV_SS)

/* Unrestricted guest frees PE and PG; NW and CD are never looked at, since an entry does not load them. */
static bool cr0_fixed(const struct check_context *c)
{
	u64 ignored = CR0_NW | CR0_CD | (UNRESTRICTED ? CR0_PE | CR0_PG : 0), value = FIELD(GUEST_CR0);
	u64 missing = c->machine->capability.cr0_fixed0 & ~value, extra = value & ~c->machine->capability.cr0_fixed1;

	return ((missing | extra) & ~ignored) == 0;
}

CHECK(cr0_paging, implies(PAGING, FIELD(GUEST_CR0) & CR0_PE))
CHECK(cr4_fixed, (c->machine->capability.cr4_fixed0 & ~FIELD(GUEST_CR4)) == 0 &&
			 (FIELD(GUEST_CR4) & ~c->machine->capability.cr4_fixed1) == 0)
CHECK(cet_wp, implies(FIELD(GUEST_CR4) & CR4_CET, FIELD(GUEST_CR0) & CR0_WP))
CHECK(debugctl, (FIELD(GUEST_DEBUGCTL) & ~(BITS(15, 6) | BITS(1, 0))) == 0)
CHECK(ia32e_paging, implies(IA32E, PAGING))
CHECK(ia32e_pae, implies(IA32E, FIELD(GUEST_CR4) & CR4_PAE))
CHECK(pcide, implies(!IA32E, !(FIELD(GUEST_CR4) & CR4_PCIDE)))
CHECK(cr3, check_physical(c, FIELD(GUEST_CR3)))
CHECK(dr7, FIELD(GUEST_DR7) >> 32 == 0)
CHECK(sysenter_esp, CANONICAL(GUEST_SYSENTER_ESP))
CHECK(sysenter_eip, CANONICAL(GUEST_SYSENTER_EIP))
CHECK(pat, check_pat(FIELD(GUEST_PAT)))
CHECK(efer_reserved, (FIELD(GUEST_EFER) & ~(EFER_SCE | EFER_LME | EFER_LMA | EFER_NXE)) == 0)
CHECK(efer_lma, IA32E == ((FIELD(GUEST_EFER) & EFER_LMA) != 0))
CHECK(efer_lme, implies(PAGING, ((FIELD(GUEST_EFER) & EFER_LMA) != 0) == ((FIELD(GUEST_EFER) & EFER_LME) != 0)))

CHECK(gdtr_base, CANONICAL(GUEST_GDTR_BASE))
CHECK(idtr_base, CANONICAL(GUEST_IDTR_BASE))
CHECK(gdtr_limit, FIELD(GUEST_GDTR_LIMIT) >> 16 == 0)
CHECK(idtr_limit, FIELD(GUEST_IDTR_LIMIT) >> 16 == 0)

#define CODE_64 (IA32E && (FIELD(GUEST_CS_RIGHTS) & SEGMENT_L))
CHECK(rip_32, implies(!CODE_64, FIELD(GUEST_RIP) >> 32 == 0))
CHECK(rip_64, implies(CODE_64, CANONICAL(GUEST_RIP)))
CHECK(rflags_reserved, (FIELD(GUEST_RFLAGS) & (BITS(63, 22) | BIT(15) | BIT(5) | BIT(3))) == 0)
CHECK(rflags_one, FIELD(GUEST_RFLAGS) & RFLAGS_ONE)
CHECK(rflags_vm, implies(FIELD(GUEST_RFLAGS) & RFLAGS_VM, !IA32E && (FIELD(GUEST_CR0) & CR0_PE)))
CHECK(rflags_if, implies(INJECTS(TYPE_EXTERNAL), IF_SET))

static bool activity_known(const struct check_context *c)
{
	u64 misc = c->machine->capability.misc;

	switch (FIELD(GUEST_ACTIVITY)) {
	case VMCS_ACTIVE:
		return true;
	case VMCS_HLT:
		return misc & MISC_ACTIVITY_HLT;
	case VMCS_SHUTDOWN:
		return misc & MISC_ACTIVITY_SHUTDOWN;
	case VMCS_WAIT_SIPI:
		return misc & MISC_ACTIVITY_SIPI;
	default:
		return false;
	}
}

CHECK(halted_ring, implies(FIELD(GUEST_ACTIVITY) == VMCS_HLT, SEGMENT_DPL(FIELD(GUEST_SS_RIGHTS)) == 0))
CHECK(activity_shadow, implies(BLOCKED(STI_OR_MOV_SS), FIELD(GUEST_ACTIVITY) == VMCS_ACTIVE))
CHECK(activity_event, implies(INFO & INTERRUPTION_VALID, FIELD(GUEST_ACTIVITY) <= VMCS_HLT))
CHECK(blocking_reserved, FIELD(GUEST_INTERRUPTIBILITY) >> 5 == 0)
CHECK(blocking_one, !(BLOCKED(BLOCKED_BY_STI) && BLOCKED(BLOCKED_BY_MOV_SS)))
CHECK(blocking_sti, implies(BLOCKED(BLOCKED_BY_STI), IF_SET))
CHECK(blocking_interrupt, implies(INJECTS(TYPE_EXTERNAL), !BLOCKED(STI_OR_MOV_SS)))
CHECK(blocking_nmi_shadow, implies(INJECTS(TYPE_NMI), !BLOCKED(STI_OR_MOV_SS)))
CHECK(blocking_smi, !BLOCKED(BLOCKED_BY_SMI))
CHECK(blocking_nmi, implies(INJECTS(TYPE_NMI), !BLOCKED(BLOCKED_BY_NMI)))

CHECK(pending_reserved, (FIELD(GUEST_PENDING_DEBUG) & (BITS(10, 4) | BIT(13) | BIT(15) | BITS(63, 17))) == 0)

/* With STI or MOV-SS blocking, or halted: BS must be pending exactly when single-stepping by instructions is on. */
static bool pending_step(const struct check_context *c)
{
	bool steps = (FIELD(GUEST_RFLAGS) & RFLAGS_TF) && !(FIELD(GUEST_DEBUGCTL) & DEBUGCTL_BTF);

	if (!BLOCKED(STI_OR_MOV_SS) && FIELD(GUEST_ACTIVITY) != VMCS_HLT)
		return true;
	return steps == ((FIELD(GUEST_PENDING_DEBUG) & PENDING_DEBUG_BS) != 0);
}

CHECK(link_pointer, FIELD(VMCS_LINK_POINTER) == ~0ull)

/* PAE paging under EPT: the PDPTEs are loaded from the VMCS. */
static bool pdptes(const struct check_context *c)
{
	static const enum vmcs_index index[4] = {INDEX_GUEST_PDPTE0, INDEX_GUEST_PDPTE1, INDEX_GUEST_PDPTE2,
						 INDEX_GUEST_PDPTE3};

	if (IA32E || !PAGING || !(FIELD(GUEST_CR4) & CR4_PAE))
		return true;
	for (u32 i = 0; i < 4; i++) {
		u64 entry = c->value[index[i]];

		if ((entry & BIT(0)) && ((entry & (BITS(8, 5) | BITS(2, 1))) || !check_physical(c, entry)))
			return false;
	}
	return true;
}

const struct check_row check_guest_rows[] = {
	{cr0_fixed, "CR0 lacks a bit VMX operation fixes, or has one it forbids", INDEX_GUEST_CR0},
	{cr0_paging, "CR0.PG needs CR0.PE", INDEX_GUEST_CR0},
	{cr4_fixed, "CR4 lacks a bit VMX operation fixes, or has one it forbids", INDEX_GUEST_CR4},
	{cet_wp, "CR4.CET needs CR0.WP", INDEX_GUEST_CR4},
	{debugctl, "reserved bits of IA32_DEBUGCTL are set", INDEX_GUEST_DEBUGCTL},
	{ia32e_paging, "IA-32e mode needs CR0.PG", INDEX_GUEST_CR0},
	{ia32e_pae, "IA-32e mode needs CR4.PAE", INDEX_GUEST_CR4},
	{pcide, "CR4.PCIDE needs IA-32e mode", INDEX_GUEST_CR4},
	{cr3, "CR3 is beyond the physical-address width", INDEX_GUEST_CR3},
	{dr7, "the upper half of DR7 is not 0", INDEX_GUEST_DR7},
	{sysenter_esp, "SYSENTER_ESP is not canonical", INDEX_GUEST_SYSENTER_ESP},
	{sysenter_eip, "SYSENTER_EIP is not canonical", INDEX_GUEST_SYSENTER_EIP},
	{pat, "PAT holds a reserved memory type", INDEX_GUEST_PAT},
	{efer_reserved, "reserved bits of EFER are set", INDEX_GUEST_EFER},
	{efer_lma, "EFER.LMA and the entry control \"IA-32e mode guest\" differ", INDEX_GUEST_EFER},
	{efer_lme, "with paging EFER.LMA and EFER.LME must be equal", INDEX_GUEST_EFER},
	{gdtr_base, "GDTR base is not canonical", INDEX_GUEST_GDTR_BASE},
	{idtr_base, "IDTR base is not canonical", INDEX_GUEST_IDTR_BASE},
	{gdtr_limit, "GDTR limit is wider than 16 bits", INDEX_GUEST_GDTR_LIMIT},
	{idtr_limit, "IDTR limit is wider than 16 bits", INDEX_GUEST_IDTR_LIMIT},
	{rip_32, "outside 64-bit code the upper half of RIP must be 0", INDEX_GUEST_RIP},
	{rip_64, "RIP is not canonical", INDEX_GUEST_RIP},
	{rflags_reserved, "reserved bits of RFLAGS are set", INDEX_GUEST_RFLAGS},
	{rflags_one, "bit 1 of RFLAGS must be 1", INDEX_GUEST_RFLAGS},
	{rflags_vm, "RFLAGS.VM needs protected mode outside IA-32e mode", INDEX_GUEST_RFLAGS},
	{rflags_if, "injecting an external interrupt needs RFLAGS.IF", INDEX_GUEST_RFLAGS},
	{activity_known, "an activity state this processor does not have", INDEX_GUEST_ACTIVITY},
	{halted_ring, "halted outside ring 0", INDEX_GUEST_SS_RIGHTS},
	{activity_shadow, "STI or MOV-SS blocking needs the active state", INDEX_GUEST_ACTIVITY},
	{activity_event, "an event cannot be injected in this activity state", INDEX_GUEST_ACTIVITY},
	{blocking_reserved, "reserved bits of the interruptibility state are set", INDEX_GUEST_INTERRUPTIBILITY},
	{blocking_one, "blocking by STI and by MOV SS at once", INDEX_GUEST_INTERRUPTIBILITY},
	{blocking_sti, "blocking by STI needs RFLAGS.IF", INDEX_GUEST_INTERRUPTIBILITY},
	{blocking_interrupt, "an external interrupt is injected while STI or MOV SS blocks it",
	 INDEX_GUEST_INTERRUPTIBILITY},
	{blocking_nmi_shadow, "an NMI is injected while STI or MOV SS blocks it", INDEX_GUEST_INTERRUPTIBILITY},
	{blocking_smi, "blocking by SMI outside SMM", INDEX_GUEST_INTERRUPTIBILITY},
	{blocking_nmi, "an NMI is injected while NMIs are blocked", INDEX_GUEST_INTERRUPTIBILITY},
	{pending_reserved, "reserved bits of the pending debug exceptions are set", INDEX_GUEST_PENDING_DEBUG},
	{pending_step, "pending debug exceptions: BS and RFLAGS.TF disagree under STI or MOV-SS blocking",
	 INDEX_GUEST_PENDING_DEBUG},
	{link_pointer, "the VMCS link pointer must be all ones", INDEX_VMCS_LINK_POINTER},
	{pdptes, "a PDPTE has reserved bits set", INDEX_GUEST_PDPTE0},
};
const u32 check_guest_count = ARRAY_SIZE(check_guest_rows);

bool check_guest_state(const struct vmcs_snapshot *snapshot, const struct check_machine *machine,
		       struct check_result *result)
{
	return check_run(check_guest_rows, check_guest_count, snapshot, machine, "guest state", result) &&
	       check_run(check_segment_rows, check_segment_count, snapshot, machine, "guest state", result);
}
