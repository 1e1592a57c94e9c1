/* A physical core's life: descriptor tables, traps, control registers, per-CPU data; and how the other cores start. */
#ifndef ARCH_CPU_CPU_H
#define ARCH_CPU_CPU_H

#include "core/percpu.h"
#include "lib/types.h"

/*
 * This core: percpu and GS, GDT, TSS with IST for NMI, #DF and #MC, IDT, CR0/CR4 (WP, MCE, SMEP, SMAP, UMIP; CET off),
 * PAT, EFER.NXE; CPUID collected (features.h). Called first on every core.
 */
void cpu_init_core(u32 index);

/*
 * Boot core, once the base root is loaded: take its IST stacks and its own stack from map_stack(), with guard pages,
 * and go on in `main`, which does not return. What stood on the old stack is gone.
 */
NORETURN void cpu_leave_boot_stack(void (*main)(void));

/*
 * Mask the PICs, the IOAPICs' pins and HPET legacy routing that firmware may have left on. Boot core, once, after ACPI.
 */
void cpu_quiet_firmware(const paddr_t *ioapics, u32 count, paddr_t hpet);

/*
 * Measure the TSC's rate (tsc_hz) against what the machine has: CPUID 0x15 when believable, HPET, PM timer or PIT
 * channel 2.
 */
void tsc_calibrate(u16 pm_timer_port, paddr_t hpet);

/*
 * Start the other cores by INIT-SIPI-SIPI through the trampoline page, one at a time; each runs cpu_init_core() with a
 * dense index, measures its TSC skew and calls `main`, which does not return. A core that does not answer is named and
 * left out. Returns how many cores are up, the boot core included. `main` ends its checks with smp_core_ready() or
 * smp_core_unfit().
 */
u32 smp_start(const u32 *apic_ids, u32 count, paddr_t trampoline, u32 trampoline_size, void (*main)(void));
/* Called by `main` of a core: it is fit for work; smp_start() goes on with the next core. */
void smp_core_ready(void);
/* Called by `main` of a core that lacks something: named and left out; halts for good. */
NORETURN void smp_core_unfit(const char *reason);

/* Stop all other cores by NMI; for panic. */
void smp_stop_others(void);
/*
 * Run `work` on every online core (this one too), wait until all have done it. Cores in guest mode are kicked; a core
 * that is busy in the hypervisor does it when it next enters a guest or idles. So the caller holds no lock that another
 * core may spin on. A core that has not answered after ten seconds is a panic that names it.
 */
void smp_call_all(void (*work)(void *context), void *context);
/* Do what other cores have asked of this one: for loops that wait with interrupts off. */
void smp_poll(void);

#endif
