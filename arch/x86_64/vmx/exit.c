/*
 * The raw exit reason into one neutral exit: the row says the kind, a small decoder fetches the facts that kind needs
 * and no more.
 */
#include "arch/x86_64/vmx/exit.h"

#include "arch/x86_64/cpu/irq.h"
#include "arch/x86_64/vmx/qualification.h"
#include "arch/x86_64/vmx/vmcs.h"
#include "arch/x86_64/vmx/vmx.h"

typedef void (*decoder_t)(struct vcpu *vcpu, struct vm_exit *exit);

#define DR7_GD	BIT(13)

/*
 * SDM "Information for VM Exits Due to Vectored Events" and "...IRET": the exit came from an IRET that had already
 * ended NMI blocking; the IRET will run again, so the blocking is put back.
 */
static void restore_nmi_blocking(struct vcpu *vcpu)
{
	if (vcpu->events.in_flight.type == EVENT_NONE)
		vmx_set_interruptibility(vcpu, vmx_interruptibility(vcpu) | (u32)BLOCKED_BY_NMI);
}

/*
 * The processor did not do what delivering a #DB would have done beside setting DR6, which the handler does: clear
 * DR7.GD. An INT1 leaves RIP before it, and its #DB is a trap.
 */
static void debug_exception(struct vcpu *vcpu, u32 info, struct exit_exception *exception)
{
	u64 dr7 = vmread(VMCS_GUEST_DR7);

	exception->address = vmx_decode_debug(vmread(VMCS_EXIT_QUALIFICATION));
	if (dr7 & DR7_GD)
		vmwrite(VMCS_GUEST_DR7, dr7 & ~DR7_GD);
	if (INTERRUPTION_TYPE(info) == TYPE_PRIV_SOFTWARE_EXCEPTION) {
		vcpu_set(vcpu, REG_RIP, vcpu_get(vcpu, REG_RIP) + vmx_instruction_length(vcpu));
		return;
	}
	/*
	 * An entry is refused when TF is set with such blocking and no single step is pending; the delivery to come
	 * consumes it.
	 */
	if ((vmx_interruptibility(vcpu) & (BLOCKED_BY_STI | BLOCKED_BY_MOV_SS)) &&
	    (vcpu_get(vcpu, REG_RFLAGS) & RFLAGS_TF))
		vmx_set_single_step(vcpu);
}

static void decode_vectored(struct vcpu *vcpu, struct vm_exit *exit)
{
	u32 info = vmread32(VMCS_EXIT_INTERRUPTION_INFO);
	u8 vector = INTERRUPTION_VECTOR(info);

	if (INTERRUPTION_TYPE(info) == TYPE_NMI) {
		exit->kind = EXIT_NMI;
		exit->raw = RAW_NMI;
		nmi_handle_exit();
		return;
	}
	if (vector == VECTOR_MC) {
		exit->kind = EXIT_MACHINE_CHECK;
		exit->raw = RAW_MACHINE_CHECK;
		mce_handle_exit();
		return;
	}
	if ((info & INTERRUPTION_NMI_UNBLOCKED) && vector != VECTOR_DF)
		restore_nmi_blocking(vcpu);
	exit->exception = (struct exit_exception){.vector = vector, .has_error = info & INTERRUPTION_ERROR_VALID};
	if (exit->exception.has_error)
		exit->exception.error = vmread32(VMCS_EXIT_INTERRUPTION_ERROR);
	if (vector == VECTOR_DB)
		debug_exception(vcpu, info, &exit->exception);
	else if (vector == VECTOR_PF)
		exit->exception.address = vmread(VMCS_EXIT_QUALIFICATION);
}

/*
 * "Acknowledge interrupt on exit": the vector is in the exit's interruption information, and the local APIC waits for
 * its EOI.
 */
static void decode_interrupt(UNUSED struct vcpu *vcpu, UNUSED struct vm_exit *exit)
{
	irq_dispatch(INTERRUPTION_VECTOR(vmread32(VMCS_EXIT_INTERRUPTION_INFO)));
}

static void decode_machine_check(UNUSED struct vcpu *vcpu, UNUSED struct vm_exit *exit)
{
	mce_handle_exit();
}

void __attribute__((noinline)) vmx_decode_string(struct vcpu *vcpu, u64 qualification)
{
	vmx_decode_string_io(qualification, vmread32(VMCS_EXIT_INSTRUCTION_INFO), &vcpu->exit.io);
}

static void decode_cr(UNUSED struct vcpu *vcpu, struct vm_exit *exit)
{
	exit->cr = vmx_decode_cr(vmread(VMCS_EXIT_QUALIFICATION));
}

/*
 * From the first use on the guest has its debug registers in the processor, until it is put; this one access is for the
 * handler.
 */
static void decode_dr(struct vcpu *vcpu, struct vm_exit *exit)
{
	exit->dr = vmx_decode_dr(vmread(VMCS_EXIT_QUALIFICATION));
	vmx_load_debug(vmx_of(vcpu));
}

static void decode_memory(struct vcpu *vcpu, struct vm_exit *exit)
{
	u64 qualification = vmread(VMCS_EXIT_QUALIFICATION);

	vmx_decode_memory(qualification, &exit->memory);
	vmcs_read_to(ENCODING_GUEST_PHYSICAL_ADDRESS, &exit->memory.gpa);
	if (exit->memory.gva_valid)
		vmcs_read_to(ENCODING_GUEST_LINEAR_ADDRESS, &exit->memory.gva);
	if (qualification & MEMORY_NMI_UNBLOCKED)
		restore_nmi_blocking(vcpu);
}

/* The event that came through a task gate is delivered by the task switch itself: it is not in flight. */
static void decode_task_switch(struct vcpu *vcpu, struct vm_exit *exit)
{
	u32 vectoring = vmread32(VMCS_IDT_VECTORING_INFO), error = 0;

	if (vectoring & INTERRUPTION_VALID) {
		if (vectoring & INTERRUPTION_ERROR_VALID)
			error = vmread32(VMCS_IDT_VECTORING_ERROR);
		/* The NMI handler runs in the new task, with NMIs blocked. */
		if (INTERRUPTION_TYPE(vectoring) == TYPE_NMI)
			restore_nmi_blocking(vcpu);
	}
	exit->task = vmx_decode_task_switch(vmread(VMCS_EXIT_QUALIFICATION), vectoring, error);
}

static void decode_apic(UNUSED struct vcpu *vcpu, struct vm_exit *exit)
{
	exit->apic = vmx_decode_apic(exit->raw, vmread(VMCS_EXIT_QUALIFICATION));
}

/* To what is above, one more place where a device's registers are met. */
static void decode_apic_access(UNUSED struct vcpu *vcpu, struct vm_exit *exit)
{
	exit->memory = vmx_decode_apic_access(vmread(VMCS_EXIT_QUALIFICATION));
}

static void decode_invd(UNUSED struct vcpu *vcpu, struct vm_exit *exit)
{
	exit->cache = CACHE_INVD;
}

static void decode_wbinvd(struct vcpu *vcpu, struct vm_exit *exit)
{
	vmx_read_instruction(vcpu);
	exit->cache = CACHE_WBINVD;
}

static void decode_nothing(UNUSED struct vcpu *vcpu, UNUSED struct vm_exit *exit)
{
}

static void decode_qualification(UNUSED struct vcpu *vcpu, struct vm_exit *exit)
{
	exit->qualification = vmread(VMCS_EXIT_QUALIFICATION);
}

/* A reason from a newer processor than this table: the VM ends, the machine goes on. The dump has its number. */
static void decode_unknown(struct vcpu *vcpu, struct vm_exit *exit)
{
	exit->kind = EXIT_UNKNOWN;
	exit->raw = ACCOUNT_REASONS;
	decode_qualification(vcpu, exit);
}

static const decoder_t decoders[EXIT_DECODES] = {
	[DECODE_UNKNOWN] = decode_unknown,
	[DECODE_NOTHING] = decode_nothing,
	[DECODE_VECTORED] = decode_vectored,
	[DECODE_INTERRUPT] = decode_interrupt,
	[DECODE_MACHINE_CHECK] = decode_machine_check,
	[DECODE_CR] = decode_cr,
	[DECODE_DR] = decode_dr,
	[DECODE_MEMORY] = decode_memory,
	[DECODE_TASK_SWITCH] = decode_task_switch,
	[DECODE_APIC] = decode_apic,
	[DECODE_APIC_ACCESS] = decode_apic_access,
	[DECODE_INVD] = decode_invd,
	[DECODE_WBINVD] = decode_wbinvd,
	[DECODE_QUALIFICATION] = decode_qualification,
};

static inline void look_for_event(struct vcpu *vcpu)
{
	u32 info = vmread32(VMCS_IDT_VECTORING_INFO);

	if (UNLIKELY(info & INTERRUPTION_VALID))
		vmx_collect_event(vcpu, info);
}

void vmx_decode_facts(struct vcpu *vcpu, u64 reason)
{
	const struct reason_row *row = &reason_table[reason < EXIT_REASONS ? reason : REASON_UNASSIGNED];
	struct vm_exit *exit = &vcpu->exit;

	vcpu->cached = CACHED_AFTER_EXIT;
	exit->kind = (enum exit_kind)row->kind;
	if (row->in_delivery)
		look_for_event(vcpu);
	decoders[row->decode](vcpu, exit);
}

void vmx_decode_refusal(struct vcpu *vcpu, u32 failure)
{
	u32 error = failure == 1 ? 0 : vmread32(VMCS_INSTRUCTION_ERROR);

	vcpu->exit.kind = EXIT_ENTRY_FAILED;
	vcpu->exit.raw = RAW_ENTRY_REFUSED + MIN(error, INSTRUCTION_ERRORS - 1);
	vcpu->exit.qualification = error;
}
