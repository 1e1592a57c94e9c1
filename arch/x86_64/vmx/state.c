/* The whole architectural state of a vCPU, out of the VMCS and the processor and into them. */
#include "arch/x86_64/cpu/features.h"
#include "arch/x86_64/cpu/insn.h"
#include "arch/x86_64/cpu/xstate.h"
#include "arch/x86_64/vmx/check.h"
#include "arch/x86_64/vmx/vmcs.h"
#include "arch/x86_64/vmx/vmx.h"
#include "arch/x86_64/cpu/xstate_image.h"
#include "core/log.h"
#include "lib/string.h"

/* 64-bit members of the record, and the VMCS field of each. */
static const struct {
	u32 encoding;
	u32 offset;
} plain_fields[] = {
	{ENCODING_GUEST_DR7, offsetof(struct vcpu_state, dr7)},
	{ENCODING_GUEST_GDTR_BASE, offsetof(struct vcpu_state, gdtr.base)},
	{ENCODING_GUEST_IDTR_BASE, offsetof(struct vcpu_state, idtr.base)},
	{ENCODING_GUEST_PAT, offsetof(struct vcpu_state, pat)},
	{ENCODING_GUEST_DEBUGCTL, offsetof(struct vcpu_state, debugctl)},
	{ENCODING_GUEST_SYSENTER_CS, offsetof(struct vcpu_state, sysenter_cs)},
	{ENCODING_GUEST_SYSENTER_ESP, offsetof(struct vcpu_state, sysenter_esp)},
	{ENCODING_GUEST_SYSENTER_EIP, offsetof(struct vcpu_state, sysenter_eip)},
	{ENCODING_GUEST_PDPTE0, offsetof(struct vcpu_state, pdpte[0])},
	{ENCODING_GUEST_PDPTE1, offsetof(struct vcpu_state, pdpte[1])},
	{ENCODING_GUEST_PDPTE2, offsetof(struct vcpu_state, pdpte[2])},
	{ENCODING_GUEST_PDPTE3, offsetof(struct vcpu_state, pdpte[3])},
	{ENCODING_GUEST_PENDING_DEBUG, offsetof(struct vcpu_state, pending_debug)},
};

/* The switched MSRs' members of the record, by enum switched_msr. */
static const u32 msr_offset[SWITCHED_MSRS] = {
	[SWITCHED_STAR] = offsetof(struct vcpu_state, star),
	[SWITCHED_LSTAR] = offsetof(struct vcpu_state, lstar),
	[SWITCHED_CSTAR] = offsetof(struct vcpu_state, cstar),
	[SWITCHED_SFMASK] = offsetof(struct vcpu_state, sfmask),
	[SWITCHED_KERNEL_GS_BASE] = offsetof(struct vcpu_state, kernel_gs_base),
	[SWITCHED_TSC_AUX] = offsetof(struct vcpu_state, tsc_aux),
};

static u64 member(const struct vcpu_state *state, u32 offset)
{
	return *(const u64 *)((const u8 *)state + offset);
}

static void set_member(struct vcpu_state *state, u32 offset, u64 value)
{
	*(u64 *)((u8 *)state + offset) = value;
}

/*
 * What is neither in the VMCS nor in reg[]: in memory while the vCPU is not in the processor, where the caller has
 * brought it.
 */
static void export_memory(struct vcpu *vcpu, struct vcpu_state *state)
{
	struct vmx_vcpu *v = vmx_of(vcpu);

	for (u32 i = 0; i < 4; i++)
		state->dr[i] = v->dr[i];
	state->dr6 = v->dr6;
	state->xcr0 = vcpu->xcr0;
	for (u32 i = 0; i < SWITCHED_MSRS; i++)
		set_member(state, msr_offset[i], v->msr[i]);
	state->xsave_size = xstate_export(vcpu->xsave, state->xsave, sizeof(state->xsave));
}

void vmx_export_state(struct vcpu *vcpu, struct vcpu_state *state)
{
	struct vmx_vcpu *v = vmx_of(vcpu), *before = vmx_hold(v);
	bool loaded = v->loaded;

	if (loaded)
		vmx_unload_processor(vcpu);
	memset(state, 0, sizeof(*state));
	state->version = VCPU_STATE_VERSION;
	state->size = sizeof(*state);
	vmx_fetch(vcpu, BITS(REGS - 1, 0));
	memcpy(state->reg, vcpu->reg, sizeof(state->reg));
	for (u32 i = 0; i < ARRAY_SIZE(plain_fields); i++)
		set_member(state, plain_fields[i].offset, vmcs_read_encoding(plain_fields[i].encoding));
	state->gdtr.limit = (u16)vmread32(VMCS_GUEST_GDTR_LIMIT);
	state->idtr.limit = (u16)vmread32(VMCS_GUEST_IDTR_LIMIT);
	for (u32 i = 0; i < SEGMENTS; i++)
		vmx_get_segment(vcpu, (enum segment_name)i, &state->segment[i]);
	export_memory(vcpu, state);
	state->cr8 = vcpu->cr8;
	state->tsc = rdtsc() + vcpu->tsc_offset;
	state->interruptibility = vmread32(VMCS_GUEST_INTERRUPTIBILITY);
	state->in_flight = vcpu->events.in_flight;
	state->activity = v->activity;
	if (loaded)
		vmx_load_processor(vcpu);
	vmx_release(v, before);
}

static int import_memory(struct vcpu *vcpu, const struct vcpu_state *state)
{
	struct vmx_vcpu *v = vmx_of(vcpu);

	for (u32 i = 0; i < 4; i++)
		v->dr[i] = state->dr[i];
	v->dr6 = state->dr6;
	vcpu->xcr0 = state->xcr0;
	for (u32 i = 0; i < vmx_switched_count(); i++)
		v->msr[i] = member(state, msr_offset[i]);
	return xstate_import(vcpu->xsave, state->xsave, state->xsave_size);
}

static void import_vmcs(struct vcpu *vcpu, const struct vcpu_state *state)
{
	struct vmx_vcpu *v = vmx_of(vcpu);

	for (u32 i = 0; i < ARRAY_SIZE(plain_fields); i++)
		vmcs_write_encoding(plain_fields[i].encoding, member(state, plain_fields[i].offset));
	vmx_note_dr7(v, state->dr7);
	vmwrite32(VMCS_GUEST_GDTR_LIMIT, state->gdtr.limit);
	vmwrite32(VMCS_GUEST_IDTR_LIMIT, state->idtr.limit);
	for (u32 i = 0; i < SEGMENTS; i++)
		vmx_set_segment((enum segment_name)i, &state->segment[i]);
	/* Registers last: the switch to IA-32e mode looks at TR. */
	memcpy(vcpu->reg, state->reg, sizeof(state->reg));
	vcpu->cached = vcpu->dirty = BITS(REGS - 1, 0);
	vmx_write_back(vcpu);
	vmx_set_interruptibility(vcpu, state->interruptibility);
	/*
	 * Always active: halted vCPUs are the scheduler's, and some processors do not leave the state HLT as they
	 * should (Bochs).
	 */
	vmwrite32(VMCS_GUEST_ACTIVITY, VMCS_ACTIVE);
	v->activity = state->activity;
	vcpu->cr8 = state->cr8;
	vcpu->tsc_offset = state->tsc - rdtsc();
	vmwrite64(VMCS_TSC_OFFSET, vcpu->tsc_offset);
	vmwrite32(VMCS_ENTRY_INTERRUPTION_INFO, 0);
}

static void import_events(struct vcpu *vcpu, const struct vcpu_state *state)
{
	vcpu->events.in_flight = state->in_flight;
	if (state->in_flight.type != EVENT_NONE)
		__atomic_fetch_or(&vcpu->attention, ATTENTION_EVENT, __ATOMIC_RELAXED);
}

/* What the next entry would say to it. */
static int check_state(void)
{
	struct vmcs_snapshot snapshot;
	struct check_result result;
	struct check_machine machine;

	vmx_check_machine(&machine);
	vmx_take_snapshot(&snapshot);
	if (check_guest_state(&snapshot, &machine, &result))
		return OK;
	log_line("VT-x refuses this vCPU state: %s", result.text);
	return ERR_INVALID;
}

int vmx_import_state(struct vcpu *vcpu, const struct vcpu_state *state)
{
	struct vmx_vcpu *v = vmx_of(vcpu), *before;
	bool loaded = v->loaded;
	int error;

	if (state->version != VCPU_STATE_VERSION || state->size != sizeof(*state))
		return ERR_INVALID;
	if ((state->xcr0 & ~xstate_xcr0_max() & ~XCR0_X87) || state->xss)
		return ERR_UNSUPPORTED;
	before = vmx_hold(v);
	if (loaded)
		vmx_unload_processor(vcpu);
	error = import_memory(vcpu, state);
	if (!error) {
		import_vmcs(vcpu, state);
		import_events(vcpu, state);
		error = check_state();
	}
	if (loaded)
		vmx_load_processor(vcpu);
	vmx_release(v, before);
	return error;
}
