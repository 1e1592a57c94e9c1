/*
 * Traps and interrupts taken by the hypervisor itself. A fault of ours that no fixup covers is a panic with a report.
 */
#ifndef ARCH_CPU_TRAP_H
#define ARCH_CPU_TRAP_H

#include "lib/types.h"

/* As traps.asm pushes it. */
struct trap_frame {
	u64 r15, r14, r13, r12, r11, r10, r9, r8;
	u64 rbp, rdi, rsi, rdx, rcx, rbx, rax;
	u64 vector, error;
	u64 rip, cs, rflags, rsp, ss;
};

/* From traps.asm, interrupts off, on any root; NMI, #DF and #MC on their own stacks and with any GS. */
void trap_dispatch(struct trap_frame *frame);
/* From traps.asm and trap_dispatch: NMI, whether it came through the IDT or as a VM exit. Takes no lock. */
void nmi_handle(void);
/* Log registers and stop the machine. */
NORETURN void trap_fatal(const struct trap_frame *frame);
/* Log the callers of the calling function by frame pointers, by name where the symbol table knows them. */
void backtrace_log(void);

#endif
