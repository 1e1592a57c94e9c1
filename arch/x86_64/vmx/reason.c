#include "arch/x86_64/vmx/reason.h"

#define INSTRUCTION(reason, text, exit) ROW(reason, text, exit, .decode = DECODE_INSTRUCTION)
#define BARE(reason, text, exit)	ROW(reason, text, exit, .decode = DECODE_NOTHING)

#define ROW(reason, text, exit, ...) [REASON_##reason] = {.kind = EXIT_##exit, __VA_ARGS__},
const struct reason_row reason_table[EXIT_REASONS] = {
#include "arch/x86_64/vmx/reason_list.h"
};

#undef ROW
#define ROW(reason, text, exit, ...) [REASON_##reason] = (text),
static const char *const names[EXIT_REASONS] = {
#include "arch/x86_64/vmx/reason_list.h"
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
		*reason = (struct engine_reason){names[raw], raw, (enum exit_kind)reason_table[raw].kind};
	else if (raw == RAW_NMI)
		*reason = (struct engine_reason){"NMI", REASON_EXCEPTION_NMI, EXIT_NMI};
	else if (raw == RAW_MACHINE_CHECK)
		*reason = (struct engine_reason){"machine check", REASON_EXCEPTION_NMI, EXIT_MACHINE_CHECK};
	else if (raw >= RAW_ENTRY_REFUSED && raw < RAW_ENTRY_REFUSED + INSTRUCTION_ERRORS)
		*reason =
			(struct engine_reason){vmx_instruction_error(raw - RAW_ENTRY_REFUSED), raw, EXIT_ENTRY_FAILED};
	else
		return false;
	return reason->name;
}
