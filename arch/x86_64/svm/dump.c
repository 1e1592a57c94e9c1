/* The last exit and the VMCB in words, for an entry that failed or an exit nobody knows. */
#include "arch/x86_64/svm/svm.h"
#include "core/log.h"

static void dump_segment(const char *name, const struct vmcb_segment *segment)
{
	log_line("  %-4s selector %04x base %016llx limit %08x attributes %03x", name, segment->selector,
		 (unsigned long long)segment->base, segment->limit, segment->attributes);
}

static void dump_control(const struct vmcb *vmcb)
{
	log_line("  intercepts: CR %04x/%04x DR %04x/%04x exceptions %08x words %08x %08x", vmcb->cr_read,
		 vmcb->cr_write, vmcb->dr_read, vmcb->dr_write, vmcb->exceptions, vmcb->intercept3, vmcb->intercept4);
	log_line("  ASID %u, TLB control %u, V_INTR %016llx, interrupt state %llx, TSC offset %016llx", vmcb->asid,
		 vmcb->tlb_control, (unsigned long long)vmcb->vintr, (unsigned long long)vmcb->interrupt_state,
		 (unsigned long long)vmcb->tsc_offset);
	log_line("  event injection %016llx, interrupted event %016llx, nested CR3 %016llx, clean %llx",
		 (unsigned long long)vmcb->event_injection, (unsigned long long)vmcb->exit_int_info,
		 (unsigned long long)vmcb->nested_cr3, (unsigned long long)vmcb->clean);
}

static void dump_guest(const struct vmcb *vmcb)
{
	log_line("  RIP %016llx RSP %016llx RFLAGS %016llx RAX %016llx CPL %u", (unsigned long long)vmcb->rip,
		 (unsigned long long)vmcb->rsp, (unsigned long long)vmcb->rflags, (unsigned long long)vmcb->rax,
		 vmcb->cpl);
	log_line("  CR0 %016llx CR2 %016llx CR3 %016llx CR4 %016llx EFER %016llx", (unsigned long long)vmcb->cr0,
		 (unsigned long long)vmcb->cr2, (unsigned long long)vmcb->cr3, (unsigned long long)vmcb->cr4,
		 (unsigned long long)vmcb->efer);
	log_line("  DR6 %016llx DR7 %016llx PAT %016llx", (unsigned long long)vmcb->dr6, (unsigned long long)vmcb->dr7,
		 (unsigned long long)vmcb->pat);
	dump_segment("ES", &vmcb->es);
	dump_segment("CS", &vmcb->cs);
	dump_segment("SS", &vmcb->ss);
	dump_segment("DS", &vmcb->ds);
	dump_segment("FS", &vmcb->fs);
	dump_segment("GS", &vmcb->gs);
	dump_segment("LDTR", &vmcb->ldtr);
	dump_segment("TR", &vmcb->tr);
	dump_segment("GDTR", &vmcb->gdtr);
	dump_segment("IDTR", &vmcb->idtr);
}

void svm_dump(struct vcpu *vcpu, const struct vm_exit *exit)
{
	const struct vmcb *vmcb = svm_of(vcpu)->vmcb;
	struct engine_reason reason;

	log_line("VMCB of %s vCPU %u: exit code %llx (%s), info %016llx %016llx", vcpu->vm->config->name, vcpu->id,
		 (unsigned long long)vmcb->exit_code, svm_reason(exit->raw, &reason) ? reason.name : "unknown",
		 (unsigned long long)vmcb->exit_info1, (unsigned long long)vmcb->exit_info2);
	dump_control(vmcb);
	dump_guest(vmcb);
}
