/*
 * #VMEXIT codes into neutral exits: a const table, one row a range of codes (APM appendix "SVM Intercept Exit Codes").
 */
#include "arch/x86_64/cpu/irq.h"
#include "arch/x86_64/svm/svm.h"
#include "vmm/fetch.h"

typedef void (*decode_t)(struct vcpu *vcpu, const struct vmcb *vmcb, struct vm_exit *exit);

/*
 * struct vm_exit.raw: codes below RAW_NPF stand for themselves, those far above are moved down. The rest is what a code
 * turns out to be when more is known, counted and timed apart.
 */
enum {
	RAW_NPF = 0x90,
	RAW_INVALID,
	RAW_MSR_WRITE,
	RAW_MACHINE_CHECK,
	RAW_NMI_WINDOW, /* the #DB of a step of ours */
	RAW_VMCALL,	/* an instruction that AMD's processors do not have */
	RAW_REASONS,
};

static void be(struct vm_exit *exit, u32 raw);

/* The guest changed its code or tables between the intercept and our look: let it run into that itself. */
static void look_again(struct vm_exit *exit)
{
	exit->kind = EXIT_INTERRUPT;
}

#define OPCODE_HLT 0xf4

/* EXITINFO1 of an I/O intercept. */
#define IOIO_IN	    BIT(0)
#define IOIO_STRING BIT(2)
#define IOIO_REP    BIT(3)

/*
 * Which segment an OUTS reads only decode assists tell. Without them the instruction itself is asked, for its address
 * size as well: QEMU's TCG leaves those bits of EXITINFO1 clear. (INS always writes to ES.)
 */
static bool string_operand(struct vcpu *vcpu, u64 info, struct exit_io *io)
{
	const struct insn *insn;

	io->segment = SEG_ES;
	if (svm_features.decode_assists) {
		io->address_size = (u8)(info >> 7 & 7) * 2; /* one-hot 16, 32, 64 bits */
		if (!io->in)
			io->segment = info >> 10 & 7;
		return true;
	}
	if (fetch_instruction(vcpu, &insn) != OK)
		return false;
	io->address_size = insn->address_size;
	if (!io->in)
		io->segment = insn->segment;
	return true;
}

static void decode_io(struct vcpu *vcpu, const struct vmcb *vmcb, struct vm_exit *exit)
{
	u64 info = vmcb->exit_info1;

	exit->io = (struct exit_io){
		.port = (u16)(info >> 16),
		.size = (u8)(info >> 4 & 7), /* one-hot 1, 2, 4: the size itself */
		.in = info & IOIO_IN,
		.string = info & IOIO_STRING,
		.rep = info & IOIO_REP,
	};
	if (exit->io.string && !string_operand(vcpu, info, &exit->io))
		look_again(exit);
}

static void decode_msr(struct vcpu *vcpu UNUSED, const struct vmcb *vmcb, struct vm_exit *exit)
{
	if (vmcb->exit_info1 & 1)
		be(exit, RAW_MSR_WRITE);
}

/*
 * The register operand of MOV to or from a control or debug register: from decode assists, else from the instruction
 * itself.
 */
static bool operand(struct vcpu *vcpu, const struct vmcb *vmcb, u8 *gpr)
{
	const struct insn *insn;

	if (svm_features.decode_assists) {
		*gpr = vmcb->exit_info1 & 15;
		return true;
	}
	if (fetch_instruction(vcpu, &insn) != OK)
		return false;
	*gpr = insn->rm;
	return true;
}

static void decode_cr(struct vcpu *vcpu, const struct vmcb *vmcb, struct vm_exit *exit)
{
	exit->cr = (struct exit_cr){
		.cr = vmcb->exit_code & 15,
		.access = vmcb->exit_code < SVM_EXIT_CR_WRITE(0) ? CR_READ : CR_WRITE,
	};
	if (!operand(vcpu, vmcb, &exit->cr.gpr))
		look_again(exit);
}

static void decode_dr(struct vcpu *vcpu, const struct vmcb *vmcb UNUSED, struct vm_exit *exit)
{
	/*
	 * With DR7.GD set, the access is to trap instead: the processor does that first ("Debug Registers"), so it
	 * never comes here.
	 */
	svm_load_debug(vcpu);
	look_again(exit);
}

static void decode_exception(struct vcpu *vcpu, const struct vmcb *vmcb, struct vm_exit *exit)
{
	u8 vector = (u8)(vmcb->exit_code - SVM_EXIT_EXCEPTION(0));
	const struct insn *insn;

	if (vector == VECTOR_MC) {
		svm_open_gate();
		mce_handle_exit();
		be(exit, RAW_MACHINE_CHECK);
		return;
	}
	if (vector == VECTOR_DB && svm_end_step(vcpu)) {
		be(exit, RAW_NMI_WINDOW);
		return;
	}
	/* VMCALL is an invalid opcode on AMD; guests of either engine use the same hypercall. */
	if (vector == VECTOR_UD && fetch_instruction(vcpu, &insn) == OK && insn->map == INSN_MAP_0F &&
	    insn->opcode == 0x01 && insn->modrm == 0xc1) {
		be(exit, RAW_VMCALL);
		return;
	}
	exit->exception = (struct exit_exception){
		.vector = vector,
		.has_error = vector == VECTOR_AC || (vector >= VECTOR_TS && vector <= VECTOR_PF) || vector == VECTOR_DF,
		.error = (u32)vmcb->exit_info1,
		.address = vector == VECTOR_PF ? vmcb->exit_info2 : vector == VECTOR_DB ? vmcb->dr6 : 0,
	};
}

#define NPF_PRESENT   BIT(0)
#define NPF_WRITE     BIT(1)
#define NPF_FETCH     BIT(4)
#define NPF_PAGE_WALK BIT(33)

static void decode_memory(struct vcpu *vcpu UNUSED, const struct vmcb *vmcb, struct vm_exit *exit)
{
	u64 error = vmcb->exit_info1;

	exit->memory = (struct exit_memory){
		.gpa = vmcb->exit_info2,
		.access = error & NPF_FETCH ? MEMORY_EXECUTE : error & NPF_WRITE ? MEMORY_WRITE : MEMORY_READ,
		.page_walk = error & NPF_PAGE_WALK,
		.present = error & NPF_PRESENT,
	};
}

/* EXITINFO2 of a task switch. */
#define TASK_BY_IRET   BIT(36)
#define TASK_BY_JMP    BIT(38)
#define TASK_HAS_ERROR BIT(44)

static void decode_task(struct vcpu *vcpu UNUSED, const struct vmcb *vmcb, struct vm_exit *exit)
{
	u64 info = vmcb->exit_info2, interrupted = vmcb->exit_int_info;
	u32 vector = interrupted & 0xff, type = interrupted >> EVENTINJ_TYPE_SHIFT & 7;
	bool by_event = interrupted & EVENTINJ_VALID;
	/* INT n, INT3 and INTO are instructions; RIP is still theirs. */
	bool software = by_event && (type == EVENTINJ_SOFT ||
				     (type == EVENTINJ_EXCEPTION && (vector == VECTOR_BP || vector == VECTOR_OF)));

	exit->task = (struct exit_task_switch){
		.selector = (u16)vmcb->exit_info1,
		.source = info & TASK_BY_IRET  ? TASK_IRET
			  : info & TASK_BY_JMP ? TASK_JMP
			  : by_event	       ? TASK_GATE
					       : TASK_CALL,
		.has_error = info & TASK_HAS_ERROR,
		.error = (u32)info,
		.by_instruction = !by_event || software,
	};
}

/*
 * QEMU's TCG alone: its VMRUN enters without the shadow that the VMCB asks for. After an exit between STI and HLT the
 * interrupt would then come before the HLT, and the guest sleep through what it waits for. True: the guest is still at
 * such a HLT.
 */
static bool lost_shadow(struct vcpu *vcpu, const struct vmcb *vmcb)
{
	const struct insn *insn;

	return UNLIKELY(vmcb->rip == svm_of(vcpu)->shadow_rip) && !(vmcb->interrupt_state & VMCB_SHADOW) &&
	       vmcb->cpl == 0 && fetch_instruction(vcpu, &insn) == OK && insn->map == INSN_MAP_ONE &&
	       insn->opcode == OPCODE_HLT;
}

static void decode_interrupt(struct vcpu *vcpu, const struct vmcb *vmcb, struct vm_exit *exit UNUSED)
{
	svm_open_gate();
	if (lost_shadow(vcpu, vmcb))
		svm_of(vcpu)->vmcb->interrupt_state |= VMCB_SHADOW;
}

/* What the guest waits for is there: the HLT is over as soon as it begins. */
static void decode_window(struct vcpu *vcpu, const struct vmcb *vmcb, struct vm_exit *exit)
{
	if (lost_shadow(vcpu, vmcb))
		be(exit, SVM_EXIT_HLT);
}

static void decode_iret(struct vcpu *vcpu, const struct vmcb *vmcb, struct vm_exit *exit)
{
	struct svm_vcpu *svm = svm_of(vcpu);

	/* It executes next; NMIs are open when RIP has moved (svm_collect_events). */
	svm->vmcb->intercept3 &= ~(1u << INTERCEPT_IRET);
	svm_dirty(svm, CLEAN_INTERCEPTS);
	svm->iret_seen = true;
	svm->iret_rip = vmcb->rip;
	if (svm->want_nmi)
		svm_request_window(vcpu, svm->want_irq, true);
	look_again(exit);
}

/* The sizes of the XSAVE area that CPUID tells follow XCR0. */
static void decode_cpuid(struct vcpu *vcpu, const struct vmcb *vmcb UNUSED, struct vm_exit *exit UNUSED)
{
	svm_sync_xcr0(vcpu);
}

static void decode_cache(struct vcpu *vcpu UNUSED, const struct vmcb *vmcb, struct vm_exit *exit)
{
	exit->cache = vmcb->exit_code == SVM_EXIT_INVD ? CACHE_INVD : CACHE_WBINVD;
}

static void decode_raw(struct vcpu *vcpu UNUSED, const struct vmcb *vmcb, struct vm_exit *exit)
{
	exit->qualification = vmcb->exit_info1;
}

static const struct exit_code_row {
	enum exit_kind kind;
	decode_t decode; /* NULL: the kind says all */
	const char *name; /* NULL: never intercepted (control.c) */
	u32 code; /* of rows from RAW_NPF on */
} rows[RAW_REASONS] = {
	[SVM_EXIT_CR_READ(8)] = {EXIT_CR, decode_cr, "MOV from CR8"},
	[SVM_EXIT_CR_WRITE(4)] = {EXIT_CR, decode_cr, "MOV to CR4"},
	[SVM_EXIT_CR_WRITE(8)] = {EXIT_CR, decode_cr, "MOV to CR8"},
	[SVM_EXIT_DR_READ(0) ... SVM_EXIT_DR_WRITE(15)] = {EXIT_DR, decode_dr, "DR access"},
	[SVM_EXIT_EXCEPTION(VECTOR_DB)] = {EXIT_EXCEPTION, decode_exception, "#DB"},
	[SVM_EXIT_EXCEPTION(VECTOR_UD)] = {EXIT_EXCEPTION, decode_exception, "#UD"},
	[SVM_EXIT_EXCEPTION(VECTOR_AC)] = {EXIT_EXCEPTION, decode_exception, "#AC"},
	[SVM_EXIT_EXCEPTION(VECTOR_MC)] = {EXIT_EXCEPTION, decode_exception, "#MC"},
	[SVM_EXIT_INTR] = {EXIT_INTERRUPT, decode_interrupt, "physical interrupt"},
	[SVM_EXIT_NMI] = {EXIT_NMI, decode_interrupt, "physical NMI"},
	[SVM_EXIT_INIT] = {EXIT_INIT, NULL, "INIT"},
	[SVM_EXIT_VINTR] = {EXIT_INTERRUPT_WINDOW, decode_window, "virtual interrupt window"},
	[SVM_EXIT_RDPMC] = {EXIT_DENIED, NULL, "RDPMC"},
	[SVM_EXIT_CPUID] = {EXIT_CPUID, decode_cpuid, "CPUID"},
	[SVM_EXIT_IRET] = {EXIT_INTERRUPT, decode_iret, "IRET"},
	[SVM_EXIT_INVD] = {EXIT_CACHE, decode_cache, "INVD"},
	[SVM_EXIT_PAUSE] = {EXIT_PAUSE, NULL, "PAUSE"},
	[SVM_EXIT_HLT] = {EXIT_HLT, NULL, "HLT"},
	[SVM_EXIT_INVLPGA] = {EXIT_UNDEFINED, decode_raw, "INVLPGA"},
	[SVM_EXIT_IOIO] = {EXIT_IO, decode_io, "port I/O"},
	[SVM_EXIT_MSR] = {EXIT_MSR_READ, decode_msr, "RDMSR"},
	[SVM_EXIT_TASK_SWITCH] = {EXIT_TASK_SWITCH, decode_task, "task switch"},
	[SVM_EXIT_FERR_FREEZE] = {EXIT_UNKNOWN, decode_raw, "FERR freeze"},
	[SVM_EXIT_SHUTDOWN] = {EXIT_TRIPLE_FAULT, NULL, "shutdown"},
	[SVM_EXIT_VMRUN] = {EXIT_UNDEFINED, decode_raw, "VMRUN"},
	[SVM_EXIT_VMMCALL] = {EXIT_HYPERCALL, NULL, "VMMCALL"},
	[SVM_EXIT_VMLOAD ... SVM_EXIT_SKINIT] = {EXIT_UNDEFINED, decode_raw, "SVM instruction"},
	[SVM_EXIT_WBINVD] = {EXIT_CACHE, decode_cache, "WBINVD"},
	[SVM_EXIT_MONITOR ... SVM_EXIT_MWAIT] = {EXIT_MONITOR, NULL, "MONITOR/MWAIT"},
	[SVM_EXIT_XSETBV] = {EXIT_XSETBV, NULL, "XSETBV"},
	[SVM_EXIT_RDPRU] = {EXIT_UNDEFINED, decode_raw, "RDPRU"},
	[RAW_NPF] = {EXIT_MEMORY, decode_memory, "nested page fault", SVM_EXIT_NPF},
	[RAW_INVALID] = {EXIT_ENTRY_FAILED, decode_raw, "VMRUN refused", (u32)SVM_EXIT_INVALID},
	[RAW_MSR_WRITE] = {EXIT_MSR_WRITE, NULL, "WRMSR", SVM_EXIT_MSR},
	[RAW_MACHINE_CHECK] = {EXIT_MACHINE_CHECK, NULL, "machine check", SVM_EXIT_EXCEPTION(VECTOR_MC)},
	[RAW_NMI_WINDOW] = {EXIT_NMI_WINDOW, NULL, "single step to the NMI window", SVM_EXIT_EXCEPTION(VECTOR_DB)},
	[RAW_VMCALL] = {EXIT_HYPERCALL, NULL, "VMCALL", SVM_EXIT_EXCEPTION(VECTOR_UD)},
};
_Static_assert(RAW_REASONS <= ACCOUNT_REASONS, "each has a counter");

static void be(struct vm_exit *exit, u32 raw)
{
	exit->raw = raw;
	exit->kind = rows[raw].kind;
}

u32 svm_raw_index(u64 code)
{
	if (code == SVM_EXIT_NPF)
		return RAW_NPF;
	/* -1; of which QEMU's TCG writes 32 bits only. No other code has them all set. */
	if ((u32)code == (u32)SVM_EXIT_INVALID)
		return RAW_INVALID;
	return code < RAW_NPF && rows[code].name ? (u32)code : ACCOUNT_REASONS;
}

bool svm_reason(u32 raw, struct engine_reason *reason)
{
	if (raw >= RAW_REASONS || !rows[raw].name)
		return false;
	*reason = (struct engine_reason){rows[raw].name, raw < RAW_NPF ? raw : rows[raw].code, rows[raw].kind};
	return true;
}

/* What the APM has codes for: one a bit of the intercept words, and those above. Busy and idle VMSAs are SEV's. */
static const struct {
	u32 first, last;
} defined[] = {{0, 0xa6}, {SVM_EXIT_NPF, 0x403}, {(u32)SVM_EXIT_INVALID - 2, (u32)SVM_EXIT_INVALID}};

enum reason_state svm_reason_state(u32 code)
{
	u32 raw = svm_raw_index(code);

	for (u32 i = 0; i < ARRAY_SIZE(defined); i++)
		if (code >= defined[i].first && code <= defined[i].last)
			return raw == ACCOUNT_REASONS ? REASON_OFF : REASON_ON;
	return REASON_UNDEFINED;
}

void svm_decode_exit(struct vcpu *vcpu, struct vm_exit *exit)
{
	const struct vmcb *vmcb = svm_of(vcpu)->vmcb;
	u32 raw = svm_raw_index(vmcb->exit_code);

	exit->raw = raw;
	if (UNLIKELY(raw == ACCOUNT_REASONS)) {
		exit->kind = EXIT_UNKNOWN;
		exit->qualification = vmcb->exit_info1;
		return;
	}
	exit->kind = rows[raw].kind;
	if (rows[raw].decode)
		rows[raw].decode(vcpu, vmcb, exit);
}
