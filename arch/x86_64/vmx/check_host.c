/*
 * SDM vol. 3 "Checks on Host Control Registers, MSRs, and SSP", "Checks on Host Segment and Descriptor-Table
 * Registers", "Checks Related to Address-Space Size".
 */
#include "arch/x86_64/vmx/check.h"

#include "arch/x86_64/cpu/regs.h"
#include "arch/x86_64/vmx/controls.h"

#define CHECK(name, expression)                                   \
	static bool name(const struct check_context *c)           \
	{                                                         \
		return expression;                                \
	}

static bool fixed(u64 value, u64 fixed0, u64 fixed1)
{
	return (fixed0 & ~value) == 0 && (value & ~fixed1) == 0;
}

/* RPL and TI of a host selector must be 0. */
#define PLAIN(name) ((FIELD(name) & 7) == 0)
#define CANONICAL(name) check_canonical(c, FIELD(name))
#define LONG_MODE (EFER_LMA | EFER_LME)

CHECK(cr0, fixed(FIELD(HOST_CR0), c->machine->capability.cr0_fixed0, c->machine->capability.cr0_fixed1))
CHECK(cr4, fixed(FIELD(HOST_CR4), c->machine->capability.cr4_fixed0, c->machine->capability.cr4_fixed1))
CHECK(cr3, check_physical(c, FIELD(HOST_CR3)))
CHECK(sysenter_esp, CANONICAL(HOST_SYSENTER_ESP))
CHECK(sysenter_eip, CANONICAL(HOST_SYSENTER_EIP))
CHECK(pat, check_pat(FIELD(HOST_PAT)))
CHECK(efer_reserved, (FIELD(HOST_EFER) & ~(EFER_SCE | EFER_LME | EFER_LMA | EFER_NXE)) == 0)
CHECK(efer_mode, (FIELD(HOST_EFER) & LONG_MODE) == LONG_MODE)
CHECK(cs_plain, PLAIN(HOST_CS_SELECTOR))
CHECK(ss_plain, PLAIN(HOST_SS_SELECTOR))
CHECK(ds_plain, PLAIN(HOST_DS_SELECTOR))
CHECK(es_plain, PLAIN(HOST_ES_SELECTOR))
CHECK(fs_plain, PLAIN(HOST_FS_SELECTOR))
CHECK(gs_plain, PLAIN(HOST_GS_SELECTOR))
CHECK(tr_plain, PLAIN(HOST_TR_SELECTOR))
CHECK(cs_there, FIELD(HOST_CS_SELECTOR) != 0)
CHECK(tr_there, FIELD(HOST_TR_SELECTOR) != 0)
CHECK(fs_base, CANONICAL(HOST_FS_BASE))
CHECK(gs_base, CANONICAL(HOST_GS_BASE))
CHECK(tr_base, CANONICAL(HOST_TR_BASE))
CHECK(gdtr_base, CANONICAL(HOST_GDTR_BASE))
CHECK(idtr_base, CANONICAL(HOST_IDTR_BASE))
CHECK(space_64, FIELD(EXIT_CONTROLS) & EXIT_CTL_HOST_64)
CHECK(pae, FIELD(HOST_CR4) & CR4_PAE)
CHECK(rip, CANONICAL(HOST_RIP))

const struct check_row check_host_rows[] = {
	{cr0, "CR0 lacks a bit VMX operation fixes, or has one it forbids", INDEX_HOST_CR0},
	{cr4, "CR4 lacks a bit VMX operation fixes, or has one it forbids", INDEX_HOST_CR4},
	{cr3, "CR3 is beyond the physical-address width", INDEX_HOST_CR3},
	{sysenter_esp, "SYSENTER_ESP is not canonical", INDEX_HOST_SYSENTER_ESP},
	{sysenter_eip, "SYSENTER_EIP is not canonical", INDEX_HOST_SYSENTER_EIP},
	{pat, "PAT holds a reserved memory type", INDEX_HOST_PAT},
	{efer_reserved, "reserved bits of EFER are set", INDEX_HOST_EFER},
	{efer_mode, "a 64-bit host needs EFER.LMA and EFER.LME", INDEX_HOST_EFER},
	{cs_plain, "CS must have RPL 0 and TI 0", INDEX_HOST_CS_SELECTOR},
	{ss_plain, "SS must have RPL 0 and TI 0", INDEX_HOST_SS_SELECTOR},
	{ds_plain, "DS must have RPL 0 and TI 0", INDEX_HOST_DS_SELECTOR},
	{es_plain, "ES must have RPL 0 and TI 0", INDEX_HOST_ES_SELECTOR},
	{fs_plain, "FS must have RPL 0 and TI 0", INDEX_HOST_FS_SELECTOR},
	{gs_plain, "GS must have RPL 0 and TI 0", INDEX_HOST_GS_SELECTOR},
	{tr_plain, "TR must have RPL 0 and TI 0", INDEX_HOST_TR_SELECTOR},
	{cs_there, "CS must not be null", INDEX_HOST_CS_SELECTOR},
	{tr_there, "TR must not be null", INDEX_HOST_TR_SELECTOR},
	{fs_base, "FS base is not canonical", INDEX_HOST_FS_BASE},
	{gs_base, "GS base is not canonical", INDEX_HOST_GS_BASE},
	{tr_base, "TR base is not canonical", INDEX_HOST_TR_BASE},
	{gdtr_base, "GDTR base is not canonical", INDEX_HOST_GDTR_BASE},
	{idtr_base, "IDTR base is not canonical", INDEX_HOST_IDTR_BASE},
	{space_64, "in IA-32e mode the exit must be to a 64-bit host", INDEX_EXIT_CONTROLS},
	{pae, "a 64-bit host needs CR4.PAE", INDEX_HOST_CR4},
	{rip, "RIP is not canonical", INDEX_HOST_RIP},
};
const u32 check_host_count = ARRAY_SIZE(check_host_rows);

bool check_host_state(const struct vmcs_snapshot *snapshot, const struct check_machine *machine,
		      struct check_result *result)
{
	return check_run(check_host_rows, check_host_count, snapshot, machine, "host state", result);
}
