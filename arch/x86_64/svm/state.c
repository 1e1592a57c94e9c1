/* Guest state between the VMCB, the register file and the versioned record. */
#include "arch/x86_64/cpu/features.h"
#include "arch/x86_64/cpu/insn.h"
#include "arch/x86_64/cpu/xstate.h"
#include "arch/x86_64/cpu/xstate_image.h"
#include "arch/x86_64/svm/svm.h"
#include "lib/string.h"

/* Where each register of the file lives in the VMCB. */
static const struct {
	u8 reg;
	u16 offset;
	u16 clean; /* the clean-bit group it belongs to */
} rows[] = {
	{REG_RSP, offsetof(struct vmcb, rsp), 0},
	{REG_RIP, offsetof(struct vmcb, rip), 0},
	{REG_RFLAGS, offsetof(struct vmcb, rflags), 0},
	{REG_CR0, offsetof(struct vmcb, cr0), CLEAN_CR},
	{REG_CR3, offsetof(struct vmcb, cr3), CLEAN_CR},
	{REG_CR4, offsetof(struct vmcb, cr4), CLEAN_CR},
	{REG_EFER, offsetof(struct vmcb, efer), CLEAN_CR},
	{REG_CR2, offsetof(struct vmcb, cr2), CLEAN_CR2},
};

static u64 *field(struct vmcb *vmcb, u16 offset)
{
	return (u64 *)((u8 *)vmcb + offset);
}

void svm_fetch(struct vcpu *vcpu, u64 mask)
{
	struct vmcb *vmcb = svm_of(vcpu)->vmcb;

	for (u32 i = 0; i < ARRAY_SIZE(rows); i++) {
		u64 value = *field(vmcb, rows[i].offset);

		if (!(mask & BIT(rows[i].reg)) || vcpu->cached & BIT(rows[i].reg))
			continue;
		/* SVME must be set in a guest's EFER for VMRUN; the guest does not have SVM. */
		vcpu->reg[rows[i].reg] = rows[i].reg == REG_EFER ? value & ~EFER_SVME : value;
		vcpu->cached |= BIT(rows[i].reg);
	}
	if (mask & BIT(REG_RFLAGS) && svm_of(vcpu)->stepping)
		vcpu->reg[REG_RFLAGS] &= ~RFLAGS_TF;
}

void svm_write_back(struct vcpu *vcpu)
{
	struct svm_vcpu *svm = svm_of(vcpu);

	for (u32 i = 0; i < ARRAY_SIZE(rows); i++) {
		u64 value = vcpu->reg[rows[i].reg];

		if (!(vcpu->dirty & BIT(rows[i].reg)))
			continue;
		if (rows[i].reg == REG_EFER)
			value |= EFER_SVME;
		if (rows[i].reg == REG_RFLAGS && svm->stepping)
			value |= RFLAGS_TF;
		*field(svm->vmcb, rows[i].offset) = value;
		svm_dirty(svm, rows[i].clean);
	}
	vcpu->dirty = 0;
}

static const u16 segment_offsets[SEGMENTS] = {
	[SEG_ES] = offsetof(struct vmcb, es),	  [SEG_CS] = offsetof(struct vmcb, cs),
	[SEG_SS] = offsetof(struct vmcb, ss),	  [SEG_DS] = offsetof(struct vmcb, ds),
	[SEG_FS] = offsetof(struct vmcb, fs),	  [SEG_GS] = offsetof(struct vmcb, gs),
	[SEG_LDTR] = offsetof(struct vmcb, ldtr), [SEG_TR] = offsetof(struct vmcb, tr),
};

static struct vmcb_segment *segment_of(struct vmcb *vmcb, enum segment_name name)
{
	return (struct vmcb_segment *)((u8 *)vmcb + segment_offsets[name]);
}

/* The VMCB squeezes descriptor bits 47:40 and 55:52 into 12 bits; ours keep their places. */
static u16 squeeze(u32 attributes)
{
	return (u16)((attributes & 0xff) | (attributes >> 4 & 0xf00));
}

static u32 unsqueeze(u16 attributes)
{
	return (attributes & 0xffu) | (attributes & 0xf00u) << 4;
}

void svm_get_segment(struct vcpu *vcpu, enum segment_name name, struct segment *segment)
{
	struct vmcb *vmcb = svm_of(vcpu)->vmcb;
	const struct vmcb_segment *from = segment_of(vmcb, name);

	*segment = (struct segment){
		.selector = from->selector,
		.attributes = unsqueeze(from->attributes),
		.limit = from->limit,
		.base = from->base,
	};
	/*
	 * The processor does not keep P of a null segment's cache in order; CPL is in its own field, SS.DPL follows it.
	 */
	if (!(segment->attributes & SEGMENT_P))
		segment->attributes |= SEGMENT_UNUSABLE;
	if (name == SEG_SS)
		segment->attributes = (segment->attributes & ~(3u << 5)) | (u32)vmcb->cpl << 5;
}

u32 svm_segment_attributes(struct vcpu *vcpu, enum segment_name name)
{
	struct segment segment;

	svm_get_segment(vcpu, name, &segment);
	return segment.attributes;
}

u32 svm_cpl(struct vcpu *vcpu)
{
	return svm_of(vcpu)->vmcb->cpl;
}

static void set_segment(struct vmcb *vmcb, enum segment_name name, const struct segment *segment)
{
	bool usable = !(segment->attributes & SEGMENT_UNUSABLE);

	*segment_of(vmcb, name) = (struct vmcb_segment){
		.selector = segment->selector,
		.attributes = usable ? squeeze(segment->attributes) : 0,
		.limit = segment->limit,
		.base = segment->base,
	};
}

/* MSRs that the VMCB holds. */
static const struct {
	u32 msr;
	u16 offset;
} msr_rows[] = {
	{MSR_PAT, offsetof(struct vmcb, pat)},
	{MSR_DEBUGCTL, offsetof(struct vmcb, debugctl)},
	{MSR_FS_BASE, offsetof(struct vmcb, fs) + offsetof(struct vmcb_segment, base)},
	{MSR_GS_BASE, offsetof(struct vmcb, gs) + offsetof(struct vmcb_segment, base)},
	{MSR_KERNEL_GS_BASE, offsetof(struct vmcb, kernel_gs_base)},
	{MSR_SYSENTER_CS, offsetof(struct vmcb, sysenter_cs)},
	{MSR_SYSENTER_ESP, offsetof(struct vmcb, sysenter_esp)},
	{MSR_SYSENTER_EIP, offsetof(struct vmcb, sysenter_eip)},
	{MSR_STAR, offsetof(struct vmcb, star)},
	{MSR_LSTAR, offsetof(struct vmcb, lstar)},
	{MSR_CSTAR, offsetof(struct vmcb, cstar)},
	{MSR_SFMASK, offsetof(struct vmcb, sfmask)},
};

static u64 *msr_field(struct vcpu *vcpu, u32 msr)
{
	for (u32 i = 0; i < ARRAY_SIZE(msr_rows); i++)
		if (msr_rows[i].msr == msr)
			return field(svm_of(vcpu)->vmcb, msr_rows[i].offset);
	return msr == MSR_TSC_AUX ? &svm_of(vcpu)->tsc_aux : NULL;
}

int svm_get_msr(struct vcpu *vcpu, u32 msr, u64 *value)
{
	const u64 *from = msr_field(vcpu, msr);

	if (!from)
		return ERR_MISSING;
	*value = *from;
	return OK;
}

int svm_set_msr(struct vcpu *vcpu, u32 msr, u64 value)
{
	u64 *to = msr_field(vcpu, msr);

	if (!to)
		return ERR_MISSING;
	if (msr == MSR_TSC_AUX)
		return svm_set_tsc_aux(vcpu, value) ? OK : ERR_INVALID;
	*to = value;
	/* PAT is in the nested group, DEBUGCTL in LBR, the bases among the segments; the rest is never cached. */
	svm_dirty(svm_of(vcpu), CLEAN_NESTED | CLEAN_LBR | CLEAN_SEGMENTS);
	return OK;
}

static void export_registers(struct vcpu *vcpu, struct vcpu_state *state)
{
	svm_fetch(vcpu, BITS(REGS - 1, 0) & ~vcpu->cached);
	memcpy(state->reg, vcpu->reg, sizeof(state->reg));
	for (u32 i = 0; i < 4; i++)
		state->dr[i] = svm_get_dr(vcpu, i);
	state->dr6 = svm_get_dr(vcpu, 6);
	state->dr7 = svm_get_dr(vcpu, 7);
}

void svm_export_state(struct vcpu *vcpu, struct vcpu_state *state)
{
	struct svm_vcpu *svm = svm_of(vcpu);
	const struct vmcb *vmcb = svm->vmcb;

	memset(state, 0, sizeof(*state));
	state->version = VCPU_STATE_VERSION;
	state->size = sizeof(*state);
	export_registers(vcpu, state);
	svm_sync_xcr0(vcpu);
	for (enum segment_name i = 0; i < SEGMENTS; i++)
		svm_get_segment(vcpu, i, &state->segment[i]);
	state->gdtr = (struct descriptor_table){.base = vmcb->gdtr.base, .limit = (u16)vmcb->gdtr.limit};
	state->idtr = (struct descriptor_table){.base = vmcb->idtr.base, .limit = (u16)vmcb->idtr.limit};
	state->cr8 = vmcb->vintr & VINTR_TPR_MASK;
	state->xcr0 = vcpu->xcr0;
	state->pat = vmcb->pat;
	state->debugctl = vmcb->debugctl;
	state->star = vmcb->star;
	state->lstar = vmcb->lstar;
	state->cstar = vmcb->cstar;
	state->sfmask = vmcb->sfmask;
	state->kernel_gs_base = vmcb->kernel_gs_base;
	state->tsc_aux = svm->tsc_aux;
	state->sysenter_cs = vmcb->sysenter_cs;
	state->sysenter_esp = vmcb->sysenter_esp;
	state->sysenter_eip = vmcb->sysenter_eip;
	state->tsc = rdtsc() + vmcb->tsc_offset;
	state->interruptibility = svm_interruptibility(vcpu);
	state->in_flight = vcpu->events.in_flight;
	if (this_core()->current == vcpu)
		xstate_save(vcpu->xsave);
	state->xsave_size = xstate_export(vcpu->xsave, state->xsave, sizeof(state->xsave));
	if (this_core()->current == vcpu)
		svm_set_xcr0(vcpu, vcpu->xcr0);
}

/* What VMRUN would refuse (APM "Canonicalization and Consistency Checks"). */
static bool refused(const struct vcpu_state *state)
{
	u64 cr0 = state->reg[REG_CR0], cr4 = state->reg[REG_CR4], efer = state->reg[REG_EFER];
	u32 cs = state->segment[SEG_CS].attributes;
	bool long_mode = efer & EFER_LME && cr0 & CR0_PG;

	return (!(cr0 & CR0_CD) && cr0 & CR0_NW) || cr0 >> 32 || state->dr6 >> 32 || state->dr7 >> 32 ||
	       (long_mode && (!(cr4 & CR4_PAE) || !(cr0 & CR0_PE))) ||
	       (long_mode && cs & SEGMENT_L && cs & SEGMENT_DB) || state->version != VCPU_STATE_VERSION;
}

static void import_msrs(struct svm_vcpu *svm, const struct vcpu_state *state)
{
	struct vmcb *vmcb = svm->vmcb;

	vmcb->pat = state->pat;
	vmcb->debugctl = state->debugctl;
	vmcb->star = state->star;
	vmcb->lstar = state->lstar;
	vmcb->cstar = state->cstar;
	vmcb->sfmask = state->sfmask;
	vmcb->kernel_gs_base = state->kernel_gs_base;
	vmcb->sysenter_cs = state->sysenter_cs;
	vmcb->sysenter_esp = state->sysenter_esp;
	vmcb->sysenter_eip = state->sysenter_eip;
}

int svm_import_state(struct vcpu *vcpu, const struct vcpu_state *state)
{
	struct svm_vcpu *svm = svm_of(vcpu);
	struct vmcb *vmcb = svm->vmcb;

	int error = refused(state) ? ERR_INVALID : OK;

	if (error == OK && state->xss)
		error = ERR_UNSUPPORTED;
	if (error == OK && state->xsave_size)
		error = xstate_import(vcpu->xsave, state->xsave, state->xsave_size);
	if (error == OK && cpu_has(FEATURE_RDTSCP) && !svm_set_tsc_aux(vcpu, state->tsc_aux))
		error = ERR_INVALID;
	if (error != OK)
		return error;
	memcpy(vcpu->reg, state->reg, sizeof(state->reg));
	vcpu->cached = vcpu->dirty = BITS(REGS - 1, 0);
	svm_write_back(vcpu);
	vmcb->rax = state->reg[REG_RAX];
	for (enum segment_name i = 0; i < SEGMENTS; i++)
		set_segment(vmcb, i, &state->segment[i]);
	vmcb->cpl = (u8)SEGMENT_DPL(state->segment[SEG_SS].attributes);
	vmcb->gdtr = (struct vmcb_segment){.base = state->gdtr.base, .limit = state->gdtr.limit};
	vmcb->idtr = (struct vmcb_segment){.base = state->idtr.base, .limit = state->idtr.limit};
	for (u32 i = 0; i < 4; i++)
		svm_set_dr(vcpu, i, state->dr[i]);
	vmcb->dr6 = state->dr6;
	vmcb->dr7 = state->dr7;
	vmcb->vintr = (vmcb->vintr & ~VINTR_TPR_MASK) | (state->cr8 & 15);
	import_msrs(svm, state);
	vmcb->interrupt_state = state->interruptibility & (BLOCKED_BY_STI | BLOCKED_BY_MOV_SS) ? VMCB_SHADOW : 0;
	svm->nmi_blocked = state->interruptibility & BLOCKED_BY_NMI;
	vcpu->events.in_flight = state->in_flight;
	if (this_core()->current == vcpu && state->xsave_size)
		xstate_restore(vcpu->xsave, state->xcr0);
	svm_set_xcr0(vcpu, state->xcr0);
	vmcb->clean = 0;
	return OK;
}
