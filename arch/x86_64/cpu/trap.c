#include "arch/x86_64/cpu/trap.h"
#include "arch/x86_64/cpu/insn.h"
#include "arch/x86_64/cpu/irq.h"
#include "arch/x86_64/cpu/machine_check.h"
#include "arch/x86_64/cpu/regs.h"
#include "arch/x86_64/cpu/safe.h"
#include "core/panic.h"
#include "core/percpu.h"

#define FIRST_INTERRUPT 32u

extern const struct fixup fixups_start[], fixups_end[];

static bool fix_up(struct trap_frame *frame)
{
	if (frame->vector != VECTOR_GP && frame->vector != VECTOR_PF)
		return false;
	for (const struct fixup *f = fixups_start; f < fixups_end; f++) {
		if (f->fault == frame->rip) {
			frame->rip = f->resume;
			return true;
		}
	}
	return false;
}

/*
 * NMI, #DF and #MC come at any time, also when GS is not ours (AMD-V between an exit and VMLOAD; engines that run
 * guests in ring 3): the IST stack's top holds the core (gdt.h). Returns what GS was.
 */
static u64 enter_any_gs(const struct trap_frame *frame)
{
	const u64 *above = (const u64 *)(frame + 1);
	u64 was = rdmsr(MSR_GS_BASE);

	wrmsr(MSR_GS_BASE, *above);
	return was;
}

static void dispatch_ist(struct trap_frame *frame)
{
	u64 gs = enter_any_gs(frame);

	if (frame->vector == VECTOR_NMI)
		nmi_handle();
	else if (frame->vector == VECTOR_MC)
		machine_check_handle(frame->rip);
	else
		trap_fatal(frame);
	wrmsr(MSR_GS_BASE, gs);
}

void trap_dispatch(struct trap_frame *frame)
{
	switch (frame->vector) {
	case VECTOR_NMI:
	case VECTOR_DF:
	case VECTOR_MC:
		dispatch_ist(frame);
		break;
	default:
		if (frame->vector >= FIRST_INTERRUPT)
			irq_dispatch((u8)frame->vector);
		else if (!fix_up(frame))
			trap_fatal(frame);
	}
}
