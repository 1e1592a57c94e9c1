/*
 * Speculation mitigations. What this machine needs is decided by one pure function from what CPUID and
 * IA32_ARCH_CAPABILITIES say (Intel: "Affected Processors: Transient Execution Attacks", the SDM's
 * IA32_ARCH_CAPABILITIES; AMD: "Software Techniques for Managing Speculation"); mitigation_host.c reads the machine and
 * does it.
 */
#ifndef ARCH_CPU_MITIGATION_H
#define ARCH_CPU_MITIGATION_H

#include "lib/types.h"

enum mitigation_vendor { VENDOR_OTHER, VENDOR_INTEL, VENDOR_AMD };

struct mitigation_inputs {
	bool off; /* mitigations = off */
	enum mitigation_vendor vendor;
	u32 family, model;	     /* display family and model */
	bool virtual;		     /* under another hypervisor: the model may be another than the processor's */
	bool has_capabilities;	     /* IA32_ARCH_CAPABILITIES exists */
	u64 capabilities;
	bool md_clear;		     /* VERW overwrites buffers */
	bool l1d_flush;		     /* IA32_FLUSH_CMD */
	bool ibrs_ibpb;		     /* IA32_SPEC_CTRL and IA32_PRED_CMD (Intel) */
	bool amd_ibpb;		     /* IA32_PRED_CMD (AMD) */
	bool amd_automatic_ibrs;     /* EFER.AIBRSE */
	bool rtm;		     /* transactional memory */
	bool bhi_ctrl;		     /* IA32_SPEC_CTRL.BHI_DIS_S */
};

/* percpu.feature_mask: what the engine does on this core. */
#define MITIGATE_L1D_FLUSH BIT(0) /* at VM entry */
#define MITIGATE_VERW	   BIT(1) /* at VM entry, the last thing before it */
#define MITIGATE_IBPB	   BIT(2) /* when another VM's vCPU becomes current */
#define MITIGATE_RSB_FILL  BIT(3) /* at VM exit, before the first RET */
#define MITIGATE_RSB_16	   BIT(5) /* with RSB_FILL: it has 16 entries, not up to 32 */
#define MITIGATE_SPEC_CTRL BIT(4) /* at VM exit: write IA32_SPEC_CTRL again, before the first indirect branch */

struct mitigation_plan {
	u32 mask;	   /* MITIGATE_* */
	u64 spec_ctrl;	   /* IA32_SPEC_CTRL of the host; 0: not written */
	bool automatic_ibrs; /* set EFER.AIBRSE */
	u32 unmitigated;   /* UNMITIGATED_*: affected, and the means are missing (microcode too old) */
};

#define UNMITIGATED_L1TF    BIT(0)
#define UNMITIGATED_BUFFERS BIT(1) /* MDS, TAA, MMIO stale data, RFDS */
#define UNMITIGATED_BRANCH  BIT(2) /* branch target injection */

struct mitigation_plan mitigation_decide(const struct mitigation_inputs *inputs);
/* The status line, at most size bytes with its NUL. */
void mitigation_describe(const struct mitigation_plan *plan, bool off, char *text, size_t size);

/* Boot core, once all cores are up and the config is read: decide and log the status line. */
void mitigation_init(bool off);
/* Then on every core (smp_call_all): what is set once, and percpu.feature_mask. */
void mitigation_init_core(void);
/* When another VM's vCPU becomes current on this core. */
void mitigation_vm_switch(void);

#endif
