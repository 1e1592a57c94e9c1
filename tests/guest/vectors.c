// guest: 64
/*
 * Vector registers stay as they are, whoever else runs on the core. (SDM "Managing State Using the XSAVE Feature Set")
 * Oracles: Bochs, QEMU.
 */
#include "guests/lib/guest.h"

#define CR4_OSXSAVE  BIT(18)
#define CPUID1_XSAVE BIT(26)
#define CPUID1_AVX   BIT(28)
#define X87_SSE_AVX  7

#define REGISTERS 16
#define WORDS	  8 /* of a YMM register */
#define ROUNDS	  2000000u /* some slices of a scheduler, on a slow emulator and on a fast one */

#define ALL_REGISTERS "0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15"

static void load(const u32 (*from)[WORDS])
{
	__asm__ volatile(".irp n," ALL_REGISTERS "\n\tvmovdqu \\n * 32(%0), %%ymm\\n\n\t.endr"
			 : : "r"(from) : "memory");
}

static void store(u32 (*to)[WORDS])
{
	__asm__ volatile(".irp n," ALL_REGISTERS "\n\tvmovdqu %%ymm\\n, \\n * 32(%0)\n\t.endr" : : "r"(to) : "memory");
}

static u32 stay_equal(void)
{
	static u32 before[REGISTERS][WORDS], after[REGISTERS][WORDS];
	u32 seed = (u32)rdtsc() | 1, different = 0;

	for (u32 i = 0; i < REGISTERS * WORDS; i++)
		before[i / WORDS][i % WORDS] = seed + i;
	load(before);
	for (volatile u32 i = 0; i < ROUNDS; i++)
		continue;
	store(after);
	for (u32 i = 0; i < REGISTERS * WORDS; i++)
		different += before[i / WORDS][i % WORDS] != after[i / WORDS][i % WORDS];
	return different;
}

CHECKS(vectors)
{
	word cr4 = read_cr4(), wanted = CPUID1_XSAVE | CPUID1_AVX;
	u64 xcr0;

	if ((cpuid(1, 0).ecx & wanted) != wanted) {
		check_skip("vectors", "this CPU has no AVX");
		return;
	}
	write_cr4(cr4 | CR4_OSXSAVE);
	xcr0 = xgetbv(0);
	xsetbv(0, X87_SSE_AVX);
	check_equal("vectors-ymm-stay", stay_equal(), 0);
	xsetbv(0, xcr0);
	write_cr4(cr4);
}
