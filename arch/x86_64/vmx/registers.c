/* Guest registers in the VMCS: fetched when someone asks, written back at the next entry when they were changed. */
#include "arch/x86_64/cpu/insn.h"
#include "arch/x86_64/vmx/vmcs.h"
#include "arch/x86_64/vmx/vmx.h"

/*
 * A control register as the guest sees it (SDM "Guest/Host Masks and Read Shadows"): its own bits from the field. The
 * others are in the read shadow, and in reg[] as well, where they stay right: the guest changes them by an exit only,
 * which ends in reg[].
 */
static u64 seen(struct vmcs_natural real, u64 guest_owned, u64 known)
{
	return (vmread(real) & guest_owned) | (known & ~guest_owned);
}

_Static_assert(!(CR0_PAGING & CR0_GUEST_OWNED) && !(CR4_PAGING & CR4_GUEST_OWNED), "CACHED_PAGING is always set");

static void __attribute__((noinline)) fetch_rare(struct vcpu *vcpu, u64 missing)
{
	if (missing & BIT(REG_CR0))
		vcpu->reg[REG_CR0] = seen(VMCS_GUEST_CR0, CR0_GUEST_OWNED, vcpu->reg[REG_CR0]);
	if (missing & BIT(REG_CR2))
		vcpu->reg[REG_CR2] = read_cr2();
	if (missing & BIT(REG_CR4))
		vcpu->reg[REG_CR4] = seen(VMCS_GUEST_CR4, CR4_GUEST_OWNED, vcpu->reg[REG_CR4]);
	if (missing & BIT(REG_EFER))
		vcpu->reg[REG_EFER] = vmread64(VMCS_GUEST_EFER);
}

#define OFTEN_FETCHED (BIT(REG_RIP) | BIT(REG_RFLAGS) | BIT(REG_RSP) | BIT(REG_CR3))

void vmx_fetch(struct vcpu *vcpu, u64 mask)
{
	u64 missing = mask & ~vcpu->cached;

	if (missing & BIT(REG_RIP))
		vmcs_read_to(ENCODING_GUEST_RIP, &vcpu->reg[REG_RIP]);
	if (missing & BIT(REG_RFLAGS))
		vmcs_read_to(ENCODING_GUEST_RFLAGS, &vcpu->reg[REG_RFLAGS]);
	if (missing & BIT(REG_RSP))
		vmcs_read_to(ENCODING_GUEST_RSP, &vcpu->reg[REG_RSP]);
	if (missing & BIT(REG_CR3))
		vmcs_read_to(ENCODING_GUEST_CR3, &vcpu->reg[REG_CR3]);
	vcpu->cached |= mask;
	if (missing & ~OFTEN_FETCHED)
		fetch_rare(vcpu, missing);
}

/*
 * What the processor has for a guest's CR0: fixed bits, of which unrestricted guest frees PE and PG; ET is 1 on every
 * processor; CD and NW are not loaded by an entry and stay in the shadow.
 */
static void write_cr0_field(u64 value)
{
	u64 fixed = (vmx_setup.cr0_fixed0 & ~(CR0_PE | CR0_PG)) | CR0_ET;

	vmwrite(VMCS_GUEST_CR0, (value | fixed) & vmx_setup.cr0_fixed1 & ~(CR0_CD | CR0_NW));
	vmwrite(VMCS_CR0_SHADOW, value);
}

/*
 * MCE stays 1: a machine check with MCE = 0 shuts the machine down (SDM "Interrupt 18—Machine-Check Exception (#MC)").
 */
static void write_cr4_field(u64 value)
{
	vmwrite(VMCS_GUEST_CR4, (value | vmx_setup.cr4_fixed0 | CR4_MCE) & vmx_setup.cr4_fixed1);
	vmwrite(VMCS_CR4_SHADOW, value);
}

#define TSS_TYPE_BUSY_16 3u
#define TSS_TYPE_BUSY_64 11u

/*
 * IA-32e mode is on with LME and PG; the entry control must say the same (SDM "Checks on Guest Control Registers, Debug
 * Registers, and MSRs"). Real processors keep a 16-bit TSS in TR over the switch to IA-32e mode, VM entry does not: it
 * becomes a 64-bit one.
 */
static void write_efer_field(struct vcpu *vcpu)
{
	struct vmx_vcpu *v = vmx_of(vcpu);
	u64 cr0 = vcpu_get(vcpu, REG_CR0), efer = vcpu_get(vcpu, REG_EFER);
	u32 entry = v->entry & ~(u32)ENTRY_CTL_IA32E;
	u32 rights;

	efer = (efer & EFER_LME) && (cr0 & CR0_PG) ? efer | EFER_LMA : efer & ~EFER_LMA;
	if (efer & EFER_LMA)
		entry |= (u32)ENTRY_CTL_IA32E;
	vcpu->reg[REG_EFER] = efer;
	vmwrite64(VMCS_GUEST_EFER, efer);
	if (entry == v->entry)
		return;
	v->entry = entry;
	vmwrite32(VMCS_ENTRY_CONTROLS, entry);
	rights = vmread32(VMCS_GUEST_TR_RIGHTS);
	if ((efer & EFER_LMA) && SEGMENT_TYPE(rights) == TSS_TYPE_BUSY_16)
		vmwrite32(VMCS_GUEST_TR_RIGHTS, (rights & ~15u) | TSS_TYPE_BUSY_64);
}

/*
 * MOV to CR0, CR3 and CR4 and WRMSR of EFER drop the guest's own translations (SDM "Operations that Invalidate TLBs and
 * Paging-Structure Caches"). Emulated they do not, and under VPID no entry does.
 */
static void write_back_control(struct vcpu *vcpu, u64 dirty)
{
	if (dirty & BIT(REG_CR0))
		write_cr0_field(vcpu->reg[REG_CR0]);
	if (dirty & BIT(REG_CR3))
		vmwrite(VMCS_GUEST_CR3, vcpu->reg[REG_CR3]);
	if (dirty & BIT(REG_CR4))
		write_cr4_field(vcpu->reg[REG_CR4]);
	if (dirty & (BIT(REG_CR0) | BIT(REG_EFER)))
		write_efer_field(vcpu);
	vmx_flush_guest(vcpu);
}

#define CONTROL_REGISTERS (BIT(REG_CR0) | BIT(REG_CR3) | BIT(REG_CR4) | BIT(REG_EFER))

void vmx_write_back(struct vcpu *vcpu)
{
	u64 dirty = vcpu->dirty;

	if (dirty & BIT(REG_RIP))
		vmwrite(VMCS_GUEST_RIP, vcpu->reg[REG_RIP]);
	if (dirty & BIT(REG_RSP))
		vmwrite(VMCS_GUEST_RSP, vcpu->reg[REG_RSP]);
	if (dirty & BIT(REG_RFLAGS))
		vmwrite(VMCS_GUEST_RFLAGS, vcpu->reg[REG_RFLAGS] | RFLAGS_ONE);
	if (dirty & BIT(REG_CR2))
		write_cr2(vcpu->reg[REG_CR2]);
	if (dirty & CONTROL_REGISTERS)
		write_back_control(vcpu, dirty);
	vcpu->dirty = 0;
}

/* The fields of a segment lie in four rows, in the order of enum segment_name, two apart. */
void vmx_get_segment(struct vcpu *vcpu, enum segment_name name, struct segment *segment)
{
	struct vmx_vcpu *v = vmx_of(vcpu), *before = vmx_hold(v);
	u32 n = 2 * (u32)name;

	segment->selector = (u16)vmcs_read_encoding(ENCODING_GUEST_ES_SELECTOR + n);
	segment->attributes = (u32)vmcs_read_encoding(ENCODING_GUEST_ES_RIGHTS + n);
	segment->limit = (u32)vmcs_read_encoding(ENCODING_GUEST_ES_LIMIT + n);
	segment->base = vmcs_read_encoding(ENCODING_GUEST_ES_BASE + n);
	vmx_release(v, before);
}

u32 vmx_segment_attributes(UNUSED struct vcpu *vcpu, enum segment_name name)
{
	return (u32)vmcs_read_encoding(ENCODING_GUEST_ES_RIGHTS + 2 * (u32)name);
}

/* SS.DPL (SDM "Guest Register State"). */
u32 vmx_cpl(UNUSED struct vcpu *vcpu)
{
	return SEGMENT_DPL(vmread32(VMCS_GUEST_SS_RIGHTS));
}

/*
 * G is made to agree with the limit (SDM "Checks on Guest Segment Registers"): a loader or a task switch has the limit
 * in bytes and need not care. An unusable segment has no other attribute.
 */
static u32 consistent_attributes(const struct segment *segment)
{
	u32 attributes = segment->attributes;

	if (attributes & SEGMENT_UNUSABLE)
		return (u32)SEGMENT_UNUSABLE | (attributes & (u32)BITS(6, 5));
	if (segment->limit & 0xfff00000u)
		attributes |= (u32)SEGMENT_G;
	else if ((segment->limit & 0xfff) != 0xfff)
		attributes &= ~(u32)SEGMENT_G;
	return attributes;
}

void vmx_set_segment(enum segment_name name, const struct segment *segment)
{
	u32 n = 2 * (u32)name;

	vmcs_write_encoding(ENCODING_GUEST_ES_SELECTOR + n, segment->selector);
	vmcs_write_encoding(ENCODING_GUEST_ES_RIGHTS + n, consistent_attributes(segment));
	vmcs_write_encoding(ENCODING_GUEST_ES_LIMIT + n, segment->limit);
	vmcs_write_encoding(ENCODING_GUEST_ES_BASE + n, segment->base);
}

/* MSRs that an entry loads and an exit saves. */
static const struct {
	u32 msr, encoding;
} field_msrs[] = {
	{MSR_PAT, ENCODING_GUEST_PAT},
	{MSR_DEBUGCTL, ENCODING_GUEST_DEBUGCTL},
	{MSR_FS_BASE, ENCODING_GUEST_FS_BASE},
	{MSR_GS_BASE, ENCODING_GUEST_GS_BASE},
	{MSR_SYSENTER_CS, ENCODING_GUEST_SYSENTER_CS},
	{MSR_SYSENTER_ESP, ENCODING_GUEST_SYSENTER_ESP},
	{MSR_SYSENTER_EIP, ENCODING_GUEST_SYSENTER_EIP},
};

static u32 field_of_msr(u32 msr)
{
	for (u32 i = 0; i < ARRAY_SIZE(field_msrs); i++) {
		if (field_msrs[i].msr == msr)
			return field_msrs[i].encoding;
	}
	return ~0u;
}

int vmx_get_msr(struct vcpu *vcpu, u32 msr, u64 *value)
{
	struct vmx_vcpu *v = vmx_of(vcpu), *before;
	u32 field = field_of_msr(msr);

	if (field == ~0u)
		return vmx_get_switched_msr(v, msr, value) ? OK : ERR_MISSING;
	before = vmx_hold(v);
	*value = vmcs_read_encoding(field);
	vmx_release(v, before);
	return OK;
}

int vmx_set_msr(struct vcpu *vcpu, u32 msr, u64 value)
{
	struct vmx_vcpu *v = vmx_of(vcpu), *before;
	u32 field = field_of_msr(msr);

	if (field == ~0u)
		return vmx_set_switched_msr(v, msr, value);
	before = vmx_hold(v);
	vmcs_write_encoding(field, value);
	vmx_release(v, before);
	return OK;
}

static u64 __attribute__((noinline)) get_switched_dr(struct vmx_vcpu *v, u32 dr)
{
	if (v->vcpu->debug_live) {
		/* Through memory: the processor's registers are numbers in the instruction. */
		vmx_unload_debug(v);
		vmx_load_debug(v);
	}
	return dr == 6 ? v->dr6 : v->dr[dr & 3];
}

u64 vmx_get_dr(struct vcpu *vcpu, u32 dr)
{
	return dr == 7 ? vmread(VMCS_GUEST_DR7) : get_switched_dr(vmx_of(vcpu), dr);
}

void vmx_set_dr(struct vcpu *vcpu, u32 dr, u64 value)
{
	struct vmx_vcpu *v = vmx_of(vcpu);

	vmx_unload_debug(v);
	if (dr == 7) {
		vmwrite(VMCS_GUEST_DR7, value);
		vmx_note_dr7(v, value);
	} else if (dr == 6) {
		v->dr6 = value;
	} else {
		v->dr[dr & 3] = value;
	}
	if (v->loaded)
		vmx_load_debug(v);
}

void vmx_set_pdptes(UNUSED struct vcpu *vcpu, const u64 pdpte[4])
{
	for (u32 i = 0; i < 4; i++)
		vmcs_write_encoding(ENCODING_GUEST_PDPTE0 + 2 * i, pdpte[i]);
}
