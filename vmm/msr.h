/*
 * The MSRs of a guest: a const table says for each what happens; what is not in it is #GP, as on a processor that lacks
 * it (SDM vol. 4 "Model-Specific Registers"). Pure.
 */
#ifndef VMM_MSR_H
#define VMM_MSR_H

#include "lib/types.h"
#include "vmm/exit.h"

struct vcpu;

#define MTRR_VARIABLE 8u
#define MTRR_FIXED    11u

/* What a VM's CPUID must have for the row to count. */
enum msr_need { MSR_ALWAYS, MSR_NEEDS_TSC_AUX, MSR_NEEDS_TSC_ADJUST, MSR_NEEDS_CAPABILITIES, MSR_NEEDS_AMD };

/* No function is NULL: what a row does not allow is refused by one. */
struct msr_row {
	u32 first, last;
	enum msr_need need;
	bool owned; /* the guest has it for itself: no exit, unless an engine intercepts what it was not asked to */
	u64 value; /* of one that reads the same always */
	bool (*read)(struct vcpu *vcpu, u32 msr, u64 *value); /* false: #GP(0) */
	bool (*write)(struct vcpu *vcpu, u32 msr, u64 value);
};

/* Sorted by number, ranges do not overlap. */
extern const struct msr_row msr_table[];
extern const u32 msr_row_count;

/* What the emulated ones remember. (c) the core on which the vCPU is current. */
#define MSR_HINTS 64u
struct msr_state {
	/*
	 * By the number's low bits: the row found there last, tried before the search; one that counts for every guest.
	 */
	const struct msr_row *hint[MSR_HINTS];
	u64 apic_base, misc_enable, tsc_adjust, arch_capabilities, mcg_status;
	u64 mtrr_def_type, mtrr_fixed[MTRR_FIXED], mtrr_base[MTRR_VARIABLE], mtrr_mask[MTRR_VARIABLE];
};

/*
 * What the host has: IA32_ARCH_CAPABILITIES, 0 where there is none, and IA32_MISC_ENABLE, all ones where there is none.
 */
struct msr_host {
	u64 arch_capabilities, misc_enable;
};

void msr_state_reset(struct msr_state *state, u32 vcpu_id, const struct msr_host *host);
/* Tell the engine which MSRs the guest owns. Before the first run. */
void msr_give_owned(struct vcpu *vcpu);

/* False: #GP(0). */
bool msr_read(struct vcpu *vcpu, u32 msr, u64 *value);
bool msr_write(struct vcpu *vcpu, u32 msr, u64 value);

/* SDM "IA32_PAT MSR": each of eight bytes one of UC, WC, WT, WP, WB, UC-. */
bool msr_pat_valid(u64 value);

/*
 * mtrr.c: a small consistent set, kept and read back; memory types under EPT come from the host's own, and guests' RAM
 * is write-back.
 */
#define MTRR_CAP_VALUE (MTRR_VARIABLE | BIT(8) /* fixed ranges */ | BIT(10) /* WC */)
bool guest_mtrr_read(struct vcpu *vcpu, u32 msr, u64 *value);
bool guest_mtrr_write(struct vcpu *vcpu, u32 msr, u64 value);
/* efer.c */
bool efer_read(struct vcpu *vcpu, u32 msr, u64 *value);
bool efer_write(struct vcpu *vcpu, u32 msr, u64 value);

#endif
