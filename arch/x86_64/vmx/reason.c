#include "arch/x86_64/vmx/reason.h"

#define ROW(reason, text, exit, ...) [REASON_##reason] = {.name = (text), .kind = EXIT_##exit, __VA_ARGS__}
/* Its end is likely to be asked for: all of these are carried out, not refused. */
#define INSTRUCTION(reason, text, exit) ROW(reason, text, exit, .decode = DECODE_INSTRUCTION)
#define BARE(reason, text, exit)     ROW(reason, text, exit, .decode = DECODE_NOTHING)

/*
 * Reasons that the controls in use cannot give are UNKNOWN: should one come all the same, it ends its VM with a dump. RSM outside SMM,
 * VMX, SGX, GETSEC and the like are instructions our guests do not have.
 */
const struct reason_row reason_table[EXIT_REASONS] = {
	ROW(EXCEPTION_NMI, "exception or NMI", EXCEPTION, .decode = DECODE_VECTORED, .in_delivery = true),
	ROW(EXTERNAL_INTERRUPT, "external interrupt", INTERRUPT, .decode = DECODE_INTERRUPT),
	BARE(TRIPLE_FAULT, "triple fault", TRIPLE_FAULT),
	BARE(INIT, "INIT signal", INIT),
	BARE(SIPI, "start-up IPI", INIT),
	ROW(IO_SMI, "I/O SMI", UNKNOWN, .decode = DECODE_QUALIFICATION),
	ROW(OTHER_SMI, "other SMI", UNKNOWN, .decode = DECODE_QUALIFICATION),
	BARE(INTERRUPT_WINDOW, "interrupt window", INTERRUPT_WINDOW),
	BARE(NMI_WINDOW, "NMI window", NMI_WINDOW),
	ROW(TASK_SWITCH, "task switch", TASK_SWITCH, .decode = DECODE_TASK_SWITCH),
	INSTRUCTION(CPUID, "CPUID", CPUID),
	ROW(GETSEC, "GETSEC", UNDEFINED, .decode = DECODE_QUALIFICATION),
	INSTRUCTION(HLT, "HLT", HLT),
	ROW(INVD, "INVD", CACHE, .decode = DECODE_INVD),
	ROW(INVLPG, "INVLPG", UNKNOWN, .decode = DECODE_QUALIFICATION),
	BARE(RDPMC, "RDPMC", DENIED),
	ROW(RDTSC, "RDTSC", UNKNOWN, .decode = DECODE_QUALIFICATION),
	ROW(RSM, "RSM", UNDEFINED, .decode = DECODE_QUALIFICATION),
	INSTRUCTION(VMCALL, "VMCALL", HYPERCALL),
	ROW(VMCLEAR, "VMCLEAR", UNDEFINED, .decode = DECODE_QUALIFICATION),
	ROW(VMLAUNCH, "VMLAUNCH", UNDEFINED, .decode = DECODE_QUALIFICATION),
	ROW(VMPTRLD, "VMPTRLD", UNDEFINED, .decode = DECODE_QUALIFICATION),
	ROW(VMPTRST, "VMPTRST", UNDEFINED, .decode = DECODE_QUALIFICATION),
	ROW(VMREAD, "VMREAD", UNDEFINED, .decode = DECODE_QUALIFICATION),
	ROW(VMRESUME, "VMRESUME", UNDEFINED, .decode = DECODE_QUALIFICATION),
	ROW(VMWRITE, "VMWRITE", UNDEFINED, .decode = DECODE_QUALIFICATION),
	ROW(VMXOFF, "VMXOFF", UNDEFINED, .decode = DECODE_QUALIFICATION),
	ROW(VMXON, "VMXON", UNDEFINED, .decode = DECODE_QUALIFICATION),
	ROW(CR, "control-register access", CR, .decode = DECODE_CR),
	ROW(DR, "MOV DR", DR, .decode = DECODE_DR),
	ROW(IO, "I/O instruction", IO, .decode = DECODE_IO),
	INSTRUCTION(RDMSR, "RDMSR", MSR_READ),
	INSTRUCTION(WRMSR, "WRMSR", MSR_WRITE),
	ROW(ENTRY_GUEST_STATE, "entry failed: invalid guest state", ENTRY_FAILED, .decode = DECODE_QUALIFICATION),
	ROW(ENTRY_MSR, "entry failed: MSR loading", ENTRY_FAILED, .decode = DECODE_QUALIFICATION),
	BARE(MWAIT, "MWAIT", MONITOR),
	ROW(MONITOR_TRAP, "monitor trap flag", UNKNOWN, .decode = DECODE_QUALIFICATION),
	BARE(MONITOR, "MONITOR", MONITOR),
	INSTRUCTION(PAUSE, "PAUSE", PAUSE),
	ROW(ENTRY_MACHINE_CHECK, "entry failed: machine check", MACHINE_CHECK, .decode = DECODE_MACHINE_CHECK),
	ROW(TPR, "TPR below threshold", APIC, .decode = DECODE_APIC),
	ROW(APIC_ACCESS, "APIC access", MEMORY, .decode = DECODE_APIC_ACCESS, .in_delivery = true),
	ROW(VIRTUAL_EOI, "virtualized EOI", APIC, .decode = DECODE_APIC),
	ROW(GDTR_IDTR, "access to GDTR or IDTR", UNKNOWN, .decode = DECODE_QUALIFICATION),
	ROW(LDTR_TR, "access to LDTR or TR", UNKNOWN, .decode = DECODE_QUALIFICATION),
	ROW(EPT_VIOLATION, "EPT violation", MEMORY, .decode = DECODE_MEMORY, .in_delivery = true),
	ROW(EPT_MISCONFIGURATION, "EPT misconfiguration", UNKNOWN, .decode = DECODE_QUALIFICATION, .in_delivery = true),
	ROW(INVEPT, "INVEPT", UNDEFINED, .decode = DECODE_QUALIFICATION),
	ROW(RDTSCP, "RDTSCP", UNKNOWN, .decode = DECODE_QUALIFICATION),
	BARE(PREEMPTION_TIMER, "VMX-preemption timer", SLICE),
	ROW(INVVPID, "INVVPID", UNDEFINED, .decode = DECODE_QUALIFICATION),
	ROW(WBINVD, "WBINVD or WBNOINVD", CACHE, .decode = DECODE_WBINVD),
	INSTRUCTION(XSETBV, "XSETBV", XSETBV),
	ROW(APIC_WRITE, "APIC write", APIC, .decode = DECODE_APIC),
	ROW(RDRAND, "RDRAND", UNKNOWN, .decode = DECODE_QUALIFICATION),
	ROW(INVPCID, "INVPCID", UNKNOWN, .decode = DECODE_QUALIFICATION),
	ROW(VMFUNC, "VMFUNC", UNDEFINED, .decode = DECODE_QUALIFICATION),
	ROW(ENCLS, "ENCLS", UNDEFINED, .decode = DECODE_QUALIFICATION),
	ROW(RDSEED, "RDSEED", UNKNOWN, .decode = DECODE_QUALIFICATION),
	ROW(PML_FULL, "page-modification log full", UNKNOWN, .decode = DECODE_QUALIFICATION, .in_delivery = true),
	ROW(XSAVES, "XSAVES", UNDEFINED, .decode = DECODE_QUALIFICATION),
	ROW(XRSTORS, "XRSTORS", UNDEFINED, .decode = DECODE_QUALIFICATION),
	ROW(PCONFIG, "PCONFIG", UNDEFINED, .decode = DECODE_QUALIFICATION),
	ROW(SUB_PAGE, "sub-page permission event", UNKNOWN, .decode = DECODE_QUALIFICATION, .in_delivery = true),
	ROW(UMWAIT, "UMWAIT", UNDEFINED, .decode = DECODE_QUALIFICATION),
	ROW(TPAUSE, "TPAUSE", UNDEFINED, .decode = DECODE_QUALIFICATION),
	ROW(LOADIWKEY, "LOADIWKEY", UNDEFINED, .decode = DECODE_QUALIFICATION),
	ROW(ENCLV, "ENCLV", UNDEFINED, .decode = DECODE_QUALIFICATION),
	ROW(ENQCMD, "ENQCMD PASID translation", UNDEFINED, .decode = DECODE_QUALIFICATION),
	ROW(ENQCMDS, "ENQCMDS PASID translation", UNDEFINED, .decode = DECODE_QUALIFICATION),
	ROW(BUS_LOCK, "bus lock", UNKNOWN, .decode = DECODE_QUALIFICATION),
	ROW(INSTRUCTION_TIMEOUT, "instruction timeout", UNKNOWN, .decode = DECODE_QUALIFICATION),
	ROW(SEAMCALL, "SEAMCALL", UNDEFINED, .decode = DECODE_QUALIFICATION),
	ROW(TDCALL, "TDCALL", UNDEFINED, .decode = DECODE_QUALIFICATION),
	ROW(RDMSRLIST, "RDMSRLIST", UNDEFINED, .decode = DECODE_QUALIFICATION),
	ROW(WRMSRLIST, "WRMSRLIST", UNDEFINED, .decode = DECODE_QUALIFICATION),
};

static const char *const instruction_errors[INSTRUCTION_ERRORS] = {
	[0] = "no current VMCS, or it is damaged (VMfailInvalid)",
	[1] = "VMCALL in VMX root operation",
	[2] = "VMCLEAR with an invalid physical address",
	[3] = "VMCLEAR with the VMXON pointer",
	[4] = "VMLAUNCH with a VMCS that is not clear",
	[5] = "VMRESUME with a VMCS that was not launched",
	[6] = "VMRESUME after VMXOFF",
	[7] = "VM entry with invalid control fields",
	[8] = "VM entry with invalid host-state fields",
	[9] = "VMPTRLD with an invalid physical address",
	[10] = "VMPTRLD with the VMXON pointer",
	[11] = "VMPTRLD with another VMCS revision identifier",
	[12] = "VMREAD or VMWRITE of a field this processor does not have",
	[13] = "VMWRITE to a read-only field",
	[15] = "VMXON in VMX root operation",
	[16] = "VM entry with an invalid executive-VMCS pointer",
	[17] = "VM entry with an executive VMCS that was not launched",
	[18] = "VM entry with an executive-VMCS pointer that is not the VMXON pointer",
	[19] = "VMCALL with a VMCS that is not clear",
	[20] = "VMCALL with invalid VM-exit control fields",
	[22] = "VMCALL with an incorrect MSEG revision identifier",
	[23] = "VMXOFF under dual-monitor treatment of SMIs and SMM",
	[24] = "VMCALL with invalid SMM-monitor features",
	[25] = "VM entry with invalid VM-execution control fields in the executive VMCS",
	[26] = "VM entry with events blocked by MOV SS",
	[28] = "invalid operand to INVEPT or INVVPID",
};

const char *vmx_instruction_error(u32 error)
{
	if (error < ARRAY_SIZE(instruction_errors) && instruction_errors[error])
		return instruction_errors[error];
	return "an error this SDM does not know";
}

bool vmx_reason(u32 raw, struct engine_reason *reason)
{
	if (raw < EXIT_REASONS)
		*reason = (struct engine_reason){reason_table[raw].name, raw, (enum exit_kind)reason_table[raw].kind};
	else if (raw == RAW_NMI)
		*reason = (struct engine_reason){"NMI", REASON_EXCEPTION_NMI, EXIT_NMI};
	else if (raw == RAW_MACHINE_CHECK)
		*reason = (struct engine_reason){"machine check", REASON_EXCEPTION_NMI, EXIT_MACHINE_CHECK};
	else if (raw >= RAW_ENTRY_REFUSED && raw < RAW_ENTRY_REFUSED + INSTRUCTION_ERRORS)
		*reason = (struct engine_reason){vmx_instruction_error(raw - RAW_ENTRY_REFUSED), raw, EXIT_ENTRY_FAILED};
	else
		return false;
	return reason->name;
}
