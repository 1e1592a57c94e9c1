/* From the event to the handler: exceptions, IPIs, timers, and waking from HLT. */
#include "guests/bench/bench.h"

#define MSR_UNKNOWN	 0xdeadu
#define MSR_TSC_DEADLINE 0x6e0u
#define VECTOR_BENCH	 0x50
#define TIMER_AHEAD	 20000 /* ticks */

/* stubs.asm: each returns the ticks from right before the operation to the first instruction of the handler. */
u32 stub_empty(u64 argument);
u32 stub_rdmsr_gp(u64 msr);
u32 stub_self_ipi(u64 vector);
u32 stub_self_ipi_empty(u64 vector);
u32 stub_hlt_pending(u64 vector);
u32 stub_hlt_pending_empty(u64 vector);
u32 stub_timer_spin(u64 ahead); /* the last two: from the deadline */
u32 stub_timer_hlt(u64 ahead);
void stub_gp_entry(void);
void stub_irq_entry(void);

static void bench_gp(void)
{
	idt_gate(VECTOR_GP, CODE(0), (const void *)trap_stubs[VECTOR_GP], GATE_INTERRUPT, 0);
	CATCH(rdmsr(MSR_UNKNOWN));
	if (!fault.taken) {
		no_row("rdmsr_unknown_gp_to_handler", "unknown MSRs do not fault here");
		return;
	}
	idt_gate(VECTOR_GP, CODE(0), (const void *)stub_gp_entry, GATE_INTERRUPT, 0);
	row("rdmsr_unknown_gp_to_handler", stub_rdmsr_gp, stub_empty, MSR_UNKNOWN);
	idt_gate(VECTOR_GP, CODE(0), (const void *)trap_stubs[VECTOR_GP], GATE_INTERRUPT, 0);
}

void bench_interrupts(void)
{
	static const char *const rows[] = {"self_ipi_to_handler", "hlt_irq_pending",
					   "timer_irq_latency_spinning_median", "timer_irq_latency_hlt_20k_median"};
	u32 features = cpuid(1, 0).ecx;

	bench_gp();
	if (!apic_there() || !(features & CPUID1_ECX_X2APIC) || !(features & CPUID1_ECX_DEADLINE)) {
		for (u32 i = 0; i < ARRAY_SIZE(rows); i++)
			no_row(rows[i], "no x2APIC with TSC-deadline timer");
		return;
	}
	x2apic_enable();
	x2apic_timer_deadline(VECTOR_BENCH, false);
	idt_gate(VECTOR_BENCH, CODE(0), (const void *)stub_irq_entry, GATE_INTERRUPT, 0);
	row(rows[0], stub_self_ipi, stub_self_ipi_empty, VECTOR_BENCH);
	row(rows[1], stub_hlt_pending, stub_hlt_pending_empty, VECTOR_BENCH);
	row_net(rows[2], stub_timer_spin, TIMER_AHEAD);
	row_net(rows[3], stub_timer_hlt, TIMER_AHEAD);
	wrmsr(MSR_TSC_DEADLINE, 0);
}
