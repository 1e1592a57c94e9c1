#include "arch/x86_64/cpu/stop.h"
#include "arch/x86_64/cpu/cpu.h"
#include "arch/x86_64/cpu/insn.h"
#include "arch/x86_64/cpu/irq.h"
#include "arch/x86_64/cpu/lapic.h"
#include "arch/x86_64/cpu/trap.h"
#include "core/panic.h"
#include "core/percpu.h"

/* Looks at the others before the panic goes on without them; no clock is to be trusted by then. */
#define STOP_LOOKS 10000000u

static bool told;		/* atomic: every core but the one that set it is to stop */
static u32 teller;		/* its index; written before `told` */
static bool stopped[MAX_CORES]; /* atomic: set by each core */

void stop_here(void)
{
	for (;;)
		__asm__ volatile("cli; hlt" : : : "memory");
}

void stop_if_told(void)
{
	u32 index = this_core()->index;

	if (!__atomic_load_n(&told, __ATOMIC_ACQUIRE) || index == teller)
		return;
	__atomic_store_n(&stopped[index], true, __ATOMIC_RELEASE);
	stop_here();
}

static bool all_stopped(void)
{
	for (u32 i = 0; i < MAX_CORES; i++) {
		if (i != teller && __atomic_load_n(&percpu_table[i].online, __ATOMIC_ACQUIRE) &&
		    !__atomic_load_n(&stopped[i], __ATOMIC_ACQUIRE))
			return false;
	}
	return true;
}

void smp_stop_others(void)
{
	teller = this_core()->index;
	__atomic_store_n(&told, true, __ATOMIC_RELEASE);
	for (u32 i = 0; i < MAX_CORES; i++) {
		if (i != teller && __atomic_load_n(&percpu_table[i].online, __ATOMIC_ACQUIRE))
			lapic_nmi(percpu_table[i].apic_id);
	}
	for (u32 looks = 0; looks < STOP_LOOKS && !all_stopped(); looks++)
		cpu_pause();
}

void nmi_handle(void)
{
	this_core()->nmi_count++;
	stop_if_told();
}

static u32 core_index(void)
{
	return this_core()->index;
}

static const struct panic_ops ops = {
	.core = core_index,
	.stop_others = smp_stop_others,
	.backtrace = backtrace_log,
	.halt = stop_here,
};

void stop_register(void)
{
	panic_set_ops(&ops);
}
