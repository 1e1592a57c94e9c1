/* A VMCS is filled from tables: a field, and a value or a function that computes it. */
#include "arch/x86_64/cpu/gdt.h"
#include "arch/x86_64/cpu/insn.h"
#include "arch/x86_64/cpu/mitigation.h"
#include "arch/x86_64/vmx/vmcs.h"
#include "arch/x86_64/vmx/vmx.h"
#include "core/panic.h"
#include "core/percpu.h"
#include "core/pool.h"

/*
 * #MC is the host's. #DB and #AC are caught since their delivery can raise them again for ever, within one instruction,
 * with neither an interrupt nor an NMI getting through (CVE-2015-5307, CVE-2015-8104): each round is an exit now, and
 * the guest burns its own slice.
 */
#define CAUGHT_EXCEPTIONS (BIT(VECTOR_DB) | BIT(VECTOR_AC) | BIT(VECTOR_MC))

struct setup_row {
	u32 encoding;
	u32 value;			       /* when there is no function */
	u64 (*compute)(struct vmx_vcpu *v);
	/* The row counts only when this control is in use: the field may not exist else. */
	enum control_group group;
	u32 control;
};

void vmcs_access_failed(const char *instruction, u32 encoding)
{
	const char *words = "a field of no name";
	u64 error = 0;

	for (u32 i = 0; i < VMCS_FIELDS; i++) {
		if (vmcs_fields[i].encoding == encoding)
			words = vmcs_fields[i].words;
	}
	(void)vmcs_try_read(ENCODING_INSTRUCTION_ERROR, &error);
	panic("%s of %s (%x) failed, VM-instruction error %llu", instruction, words, encoding,
	      (unsigned long long)error);
}

/* The plan is one for all cores. */
u32 vmx_variant(void)
{
	u32 mask = this_core()->feature_mask;

	return (mask & MITIGATE_L1D_FLUSH ? (u32)ENTER_L1D_FLUSH : 0) | (mask & MITIGATE_VERW ? (u32)ENTER_VERW : 0) |
	       (mask & MITIGATE_RSB_FILL ? (u32)ENTER_RSB_FILL : 0) | (mask & MITIGATE_RSB_16 ? (u32)ENTER_RSB_16 : 0) |
	       (mask & MITIGATE_SPEC_CTRL ? (u32)ENTER_SPEC_CTRL : 0);
}

#define COMPUTE(name, expression)                                     \
	static u64 compute_##name(UNUSED struct vmx_vcpu *v)          \
	{                                                             \
		return expression;                                    \
	}
COMPUTE(pin, vmx_setup.control[CONTROL_PIN])
COMPUTE(primary, v->primary)
COMPUTE(secondary, vmx_setup.control[CONTROL_SECONDARY])
COMPUTE(exit, vmx_setup.control[CONTROL_EXIT])
COMPUTE(entry, v->entry)
COMPUTE(vpid, v->vpid)
COMPUTE(msr_bitmap, pool_pa(v->msr_bitmap))
COMPUTE(ept_pointer, vmx_vm_of(v->vcpu->vm)->ept_pointer)
COMPUTE(tsc_offset, v->vcpu->tsc_offset)
COMPUTE(cr0_mask, ~CR0_GUEST_OWNED)
COMPUTE(cr4_mask, ~CR4_GUEST_OWNED)
COMPUTE(all_ones, ~0ull)
COMPUTE(cr0, read_cr0())
COMPUTE(cr4, read_cr4())
COMPUTE(efer, rdmsr(MSR_EFER))
COMPUTE(pat, HOST_PAT)
COMPUTE(gs_base, (u64)this_core())
COMPUTE(tr_base, cpu_tss_base())
COMPUTE(gdtr_base, cpu_gdt_base())
COMPUTE(idtr_base, cpu_idt_base())
COMPUTE(rip, vmx_exit_points[vmx_variant()])

static const struct setup_row control_rows[] = {
	{ENCODING_PIN_CONTROLS, .compute = compute_pin},
	{ENCODING_PRIMARY_CONTROLS, .compute = compute_primary},
	{ENCODING_SECONDARY_CONTROLS, .compute = compute_secondary},
	{ENCODING_EXIT_CONTROLS, .compute = compute_exit},
	{ENCODING_ENTRY_CONTROLS, .compute = compute_entry},
	{ENCODING_EXCEPTION_BITMAP, .value = (u32)CAUGHT_EXCEPTIONS},
	{ENCODING_PAGE_FAULT_ERROR_MASK, .value = 0},
	{ENCODING_PAGE_FAULT_ERROR_MATCH, .value = 0},
	{ENCODING_CR3_TARGET_COUNT, .value = 0},
	{ENCODING_EXIT_MSR_STORE_COUNT, .value = 0},
	{ENCODING_EXIT_MSR_LOAD_COUNT, .value = 0},
	{ENCODING_ENTRY_MSR_LOAD_COUNT, .value = 0},
	{ENCODING_ENTRY_INTERRUPTION_INFO, .value = 0},
	{ENCODING_ENTRY_EXCEPTION_ERROR, .value = 0},
	{ENCODING_ENTRY_INSTRUCTION_LENGTH, .value = 0},
	{ENCODING_MSR_BITMAP, .compute = compute_msr_bitmap},
	{ENCODING_EPT_POINTER, .compute = compute_ept_pointer},
	{ENCODING_TSC_OFFSET, .compute = compute_tsc_offset},
	{ENCODING_CR0_MASK, .compute = compute_cr0_mask},
	{ENCODING_CR4_MASK, .compute = compute_cr4_mask},
	{ENCODING_VMCS_LINK_POINTER, .compute = compute_all_ones},
	{ENCODING_VPID, .compute = compute_vpid, CONTROL_SECONDARY, (u32)SECONDARY_VPID},
	{ENCODING_XSS_EXITING_BITMAP, .value = 0, .group = CONTROL_SECONDARY, .control = (u32)SECONDARY_XSAVES},
	{ENCODING_ENCLS_EXITING_BITMAP, .compute = compute_all_ones, CONTROL_SECONDARY, (u32)SECONDARY_ENCLS},
	{ENCODING_ENCLV_EXITING_BITMAP, .compute = compute_all_ones, CONTROL_SECONDARY, (u32)SECONDARY_ENCLV},
};

/*
 * What a core has. GDTR and IDTR come back from an exit with the limit 0xffff (SDM "Loading Host Segment and
 * Descriptor-Table Registers"), whatever it was: no selector beyond the real GDT is ever loaded by the host, and the
 * IDT has all 256 gates, so the longer limits reach nothing. TR's limit becomes 0x67, as the TSS is. RSP is written by
 * vmx_run_at(), CR3 by vmx_load().
 */
static const struct setup_row host_rows[] = {
	{ENCODING_HOST_CS_SELECTOR, .value = HOST_CS},
	{ENCODING_HOST_SS_SELECTOR, .value = HOST_DS},
	{ENCODING_HOST_DS_SELECTOR, .value = HOST_DS},
	{ENCODING_HOST_ES_SELECTOR, .value = HOST_DS},
	{ENCODING_HOST_FS_SELECTOR, .value = 0},
	{ENCODING_HOST_GS_SELECTOR, .value = 0},
	{ENCODING_HOST_TR_SELECTOR, .value = HOST_TR},
	{ENCODING_HOST_CR0, .compute = compute_cr0},
	{ENCODING_HOST_CR4, .compute = compute_cr4},
	{ENCODING_HOST_FS_BASE, .value = 0},
	{ENCODING_HOST_GS_BASE, .compute = compute_gs_base},
	{ENCODING_HOST_TR_BASE, .compute = compute_tr_base},
	{ENCODING_HOST_GDTR_BASE, .compute = compute_gdtr_base},
	{ENCODING_HOST_IDTR_BASE, .compute = compute_idtr_base},
	{ENCODING_HOST_SYSENTER_CS, .value = 0},
	{ENCODING_HOST_SYSENTER_ESP, .value = 0},
	{ENCODING_HOST_SYSENTER_EIP, .value = 0},
	{ENCODING_HOST_PAT, .compute = compute_pat},
	{ENCODING_HOST_EFER, .compute = compute_efer},
	{ENCODING_HOST_RIP, .compute = compute_rip},
};

static void write_rows(struct vmx_vcpu *v, const struct setup_row *rows, u32 count)
{
	for (u32 i = 0; i < count; i++) {
		const struct setup_row *row = &rows[i];

		if (row->control && !(vmx_setup.control[row->group] & row->control))
			continue;
		vmcs_write_encoding(row->encoding, row->compute ? row->compute(v) : row->value);
	}
}

void vmx_write_controls(struct vmx_vcpu *v)
{
	v->primary = vmx_setup.control[CONTROL_PRIMARY] | (u32)PRIMARY_MOV_DR;
	v->entry = vmx_setup.control[CONTROL_ENTRY];
	write_rows(v, control_rows, ARRAY_SIZE(control_rows));
}

void vmx_write_host(struct vmx_vcpu *v)
{
	write_rows(v, host_rows, ARRAY_SIZE(host_rows));
}

void vmx_set_primary(struct vmx_vcpu *v, u32 controls)
{
	if (v->primary == controls)
		return;
	v->primary = controls;
	vmwrite32(VMCS_PRIMARY_CONTROLS, controls);
}

/*
 * SDM "MSR-Bitmap Address": four maps of 1 KiB, read low, read high, write low, write high, for the MSRs 0 to 1fff and
 * c0000000 to c0001fff. A set bit exits; so does every MSR outside.
 */
void vmx_intercept_msr(struct vcpu *vcpu, u32 msr, bool read, bool write)
{
	bool exits[] = {read, write || vmx_watches_writes(msr)};
	u8 *map = vmx_of(vcpu)->msr_bitmap;
	u32 number = msr & 0x1fff;

	if (msr - number == 0xc0000000u)
		map += KIB;
	else if (msr != number)
		return;
	for (u32 i = 0; i < 2; i++) {
		u8 *byte = map + i * 2 * KIB + number / 8, bit = (u8)BIT(number % 8);

		if (exits[i])
			*byte |= bit;
		else
			*byte &= (u8)~bit;
	}
}

/* CPUID bits of instructions that are #UD in a guest unless a secondary control turns them on. */
static const struct {
	u32 leaf, subleaf;
	u32 ebx, ecx, edx, eax;
	u32 control;
} cpuid_limits[] = {
	{0x80000001, 0, .edx = (u32)BIT(27), .control = (u32)SECONDARY_RDTSCP},
	{7, 0, .ecx = (u32)BIT(22), .control = (u32)SECONDARY_RDTSCP}, /* RDPID */
	{7, 0, .ebx = (u32)BIT(10), .control = (u32)SECONDARY_INVPCID},
	{0xd, 1, .eax = (u32)BIT(3), .control = (u32)SECONDARY_XSAVES},
};

void vmx_limit_cpuid(u32 leaf, u32 subleaf, struct cpuid_leaf *value)
{
	vmx_decide();
	for (u32 i = 0; i < ARRAY_SIZE(cpuid_limits); i++) {
		if (cpuid_limits[i].leaf != leaf || cpuid_limits[i].subleaf != subleaf ||
		    (vmx_setup.control[CONTROL_SECONDARY] & cpuid_limits[i].control))
			continue;
		value->eax &= ~cpuid_limits[i].eax;
		value->ebx &= ~cpuid_limits[i].ebx;
		value->ecx &= ~cpuid_limits[i].ecx;
		value->edx &= ~cpuid_limits[i].edx;
	}
}
