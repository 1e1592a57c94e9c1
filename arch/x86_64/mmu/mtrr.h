/*
 * Which memory type the MTRRs give a physical address (SDM "Memory Type Range Registers (MTRRs)", "MTRR Precedences").
 * Pure: works on a snapshot, which mtrr_snapshot() takes.
 */
#ifndef ARCH_MMU_MTRR_H
#define ARCH_MMU_MTRR_H

#include "arch/x86_64/cpu/regs.h"
#include "lib/types.h"

#define MTRR_FIXED    11 /* registers: one of 64 KiB ranges, two of 16 KiB, eight of 4 KiB */
#define MTRR_VARIABLE 40 /* pairs at most: after them MSR 250H is the first fixed one; CPUs have 8 to 20 */

/* The registers as RDMSR gives them, but `mask` widened to bit 51 where the CPU has no address bits. */
struct mtrr {
	bool present; /* CPUID.1:EDX.MTRR; without, all is left to the PAT */
	u64 def_type;
	u64 fixed[MTRR_FIXED];
	u32 count;
	struct {
		u64 base, mask;
	} variable[MTRR_VARIABLE];
};

/* Take the snapshot on this core; firmware sets all cores alike. */
void mtrr_snapshot(struct mtrr *mtrr);
/*
 * The type at pa, and in *run how many bytes from pa on have it, at most `size` (> 0). Overlaps that the SDM leaves
 * undefined, and types it reserves, are UC: slow, but never wrong.
 */
enum memory_cache mtrr_type(const struct mtrr *mtrr, paddr_t pa, u64 size, u64 *run);

#endif
