/* Per-core data, found by GS. Each core owns its own; fields another core reads or writes say so. */
#ifndef CORE_PERCPU_H
#define CORE_PERCPU_H

#include "core/layout.h"
#include "lib/types.h"

struct vcpu;
struct core_vmm; /* vmm/core.h: scheduler queue, timers, current vCPU */

struct percpu {
	struct percpu *self;	 /* at GS:0 */
	u32 index;		 /* 0 is the boot core; dense over the cores that are up */
	u32 apic_id;
	u64 stack_top;		 /* for entry code */
	struct vcpu *current;	 /* the vCPU loaded on this core, running or halted, or NULL */
	struct core_vmm *vmm;
	void *engine;		 /* per-core state of the engine in use (VMXON region, ...) */
	u64 root;		 /* CR3 now in use on this core; other cores read it when they ask for a flush */
	s64 tsc_skew;		 /* this core's TSC minus the boot core's, measured at boot */
	bool online;		 /* atomic: set by the core when it is up */
	u64 nmi_count;		 /* by the NMI handler of this core only */
	u32 feature_mask;	 /* arch/x86_64/cpu/mitigation.h */
	void *arch;		 /* arch/x86_64/cpu's own: GDT, TSS, stacks */
};

extern struct percpu percpu_table[MAX_CORES];
extern u32 core_count; /* cores up; constant after boot */

static inline struct percpu *this_core(void)
{
	struct percpu *self;

	__asm__("mov %%gs:0, %0" : "=r"(self));
	return self;
}

#endif
