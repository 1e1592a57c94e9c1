/*
 * The basic exit reasons and the VM-instruction errors, by number and name (SDM vol. 3 appendix "VMX Basic Exit
 * Reasons", "VM-Instruction Error Numbers"). Pure.
 */
#ifndef ARCH_VMX_REASON_H
#define ARCH_VMX_REASON_H

#include "lib/types.h"
#include "vmm/engine.h"

enum exit_reason {
	REASON_EXCEPTION_NMI = 0,
	REASON_EXTERNAL_INTERRUPT = 1,
	REASON_TRIPLE_FAULT = 2,
	REASON_INIT = 3,
	REASON_SIPI = 4,
	REASON_IO_SMI = 5,
	REASON_OTHER_SMI = 6,
	REASON_INTERRUPT_WINDOW = 7,
	REASON_NMI_WINDOW = 8,
	REASON_TASK_SWITCH = 9,
	REASON_CPUID = 10,
	REASON_GETSEC = 11,
	REASON_HLT = 12,
	REASON_INVD = 13,
	REASON_INVLPG = 14,
	REASON_RDPMC = 15,
	REASON_RDTSC = 16,
	REASON_RSM = 17,
	REASON_VMCALL = 18,
	REASON_VMCLEAR = 19,
	REASON_VMLAUNCH = 20,
	REASON_VMPTRLD = 21,
	REASON_VMPTRST = 22,
	REASON_VMREAD = 23,
	REASON_VMRESUME = 24,
	REASON_VMWRITE = 25,
	REASON_VMXOFF = 26,
	REASON_VMXON = 27,
	REASON_CR = 28,
	REASON_DR = 29,
	REASON_IO = 30,
	REASON_RDMSR = 31,
	REASON_WRMSR = 32,
	REASON_ENTRY_GUEST_STATE = 33,
	REASON_ENTRY_MSR = 34,
	REASON_UNASSIGNED = 35, /* the SDM has none: its empty row serves for all numbers beyond the table */
	REASON_MWAIT = 36,
	REASON_MONITOR_TRAP = 37,
	REASON_MONITOR = 39,
	REASON_PAUSE = 40,
	REASON_ENTRY_MACHINE_CHECK = 41,
	REASON_TPR = 43,
	REASON_APIC_ACCESS = 44,
	REASON_VIRTUAL_EOI = 45,
	REASON_GDTR_IDTR = 46,
	REASON_LDTR_TR = 47,
	REASON_EPT_VIOLATION = 48,
	REASON_EPT_MISCONFIGURATION = 49,
	REASON_INVEPT = 50,
	REASON_RDTSCP = 51,
	REASON_PREEMPTION_TIMER = 52,
	REASON_INVVPID = 53,
	REASON_WBINVD = 54,
	REASON_XSETBV = 55,
	REASON_APIC_WRITE = 56,
	REASON_RDRAND = 57,
	REASON_INVPCID = 58,
	REASON_VMFUNC = 59,
	REASON_ENCLS = 60,
	REASON_RDSEED = 61,
	REASON_PML_FULL = 62,
	REASON_XSAVES = 63,
	REASON_XRSTORS = 64,
	REASON_PCONFIG = 65,
	REASON_SUB_PAGE = 66,
	REASON_UMWAIT = 67,
	REASON_TPAUSE = 68,
	REASON_LOADIWKEY = 69,
	REASON_ENCLV = 70,
	REASON_ENQCMD = 72,
	REASON_ENQCMDS = 73,
	REASON_BUS_LOCK = 74,
	REASON_INSTRUCTION_TIMEOUT = 75,
	REASON_SEAMCALL = 76,
	REASON_TDCALL = 77,
	REASON_RDMSRLIST = 78,
	REASON_WRMSRLIST = 79,
	EXIT_REASONS,
};

/* How an exit's facts are to be had beyond its kind: which decoder of exit.c. */
enum exit_decode {
	DECODE_UNKNOWN, /* no row: a reason from a newer processor than this table */
	DECODE_INSTRUCTION, /* one that most likely will be carried out: what its end needs is read at once */
	DECODE_NOTHING,
	DECODE_VECTORED, /* exception or NMI */
	DECODE_INTERRUPT,
	DECODE_MACHINE_CHECK,
	DECODE_IO,
	DECODE_CR,
	DECODE_DR,
	DECODE_MEMORY,
	DECODE_TASK_SWITCH,
	DECODE_APIC,
	DECODE_APIC_ACCESS,
	DECODE_INVD,
	DECODE_WBINVD,
	DECODE_QUALIFICATION,
	EXIT_DECODES,
};

/* Four bytes, which an index can be scaled by: every exit looks here. The names are apart (vmx_reason()). */
struct reason_row {
	_Alignas(4) u8 kind; /* enum exit_kind */
	u8 decode;	     /* enum exit_decode; DECODE_UNKNOWN: the SDM has no such reason, or it cannot come */
	bool in_delivery; /* it can interrupt the delivery of an event: IDT-vectoring information is to be read */
};

extern const struct reason_row reason_table[EXIT_REASONS];

/* Values of struct vm_exit.raw beyond the reasons: what the reason 0 is besides an exception, ... */
#define RAW_NMI		   ((u32)EXIT_REASONS)
#define RAW_MACHINE_CHECK  (RAW_NMI + 1)
/*
 * ... and an entry that failed without an exit: this plus the VM-instruction error (0: VMfailInvalid; the last: any
 * above).
 */
#define RAW_ENTRY_REFUSED  (RAW_NMI + 2)
#define INSTRUCTION_ERRORS 32u

/* Of engine_ops. */
bool vmx_reason(u32 raw, struct engine_reason *reason);

struct vmx_setup;
/* Whether exits of this reason are asked for, by the controls in use. (reason_state.c) */
enum reason_state vmx_reason_state_under(const struct vmx_setup *setup, u32 code);

/* What a VM-instruction error means and, for those a user meets, where to look. Never NULL. */
const char *vmx_instruction_error(u32 error);

#endif
