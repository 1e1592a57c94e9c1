#include "arch/x86_64/cpu/xstate_layout.h"
#include "arch/x86_64/cpu/regs.h"

#define LEAF_XSTATE	 0xdu
#define FIRST_EXTENDED	 2u /* 0 and 1 lie in the legacy region */
#define FEATURES_COUNT	 63u

#define KNOWN                                                                                                          \
	(XCR0_X87 | XCR0_SSE | XCR0_AVX | XCR0_BNDREG | XCR0_BNDCSR | XCR0_OPMASK | XCR0_ZMM_HI | XCR0_HI_ZMM |        \
	 XCR0_PKRU)
#define MPX    (XCR0_BNDREG | XCR0_BNDCSR)
#define AVX512 (XCR0_OPMASK | XCR0_ZMM_HI | XCR0_HI_ZMM)

u64 xstate_choose(u64 offered)
{
	u64 chosen = offered & KNOWN;

	/* SDM vol. 1 "Enabling the XSAVE Feature Set and XSAVE-Enabled Features" names the combinations that fault. */
	if ((chosen & MPX) != MPX)
		chosen &= ~MPX;
	if (!(chosen & XCR0_SSE))
		chosen &= ~XCR0_AVX;
	if (!(chosen & XCR0_AVX) || (chosen & AVX512) != AVX512)
		chosen &= ~AVX512;
	return chosen | XCR0_X87;
}

u32 xstate_standard_size(u64 features, struct cpuid_leaf (*read)(u32, u32))
{
	u32 size = XSTATE_LEGACY_SIZE + XSTATE_HEADER_SIZE;

	for (u32 i = FIRST_EXTENDED; i < FEATURES_COUNT; i++) {
		struct cpuid_leaf leaf;

		if (!(features & BIT(i)))
			continue;
		leaf = read(LEAF_XSTATE, i);
		size = MAX(size, leaf.ebx + leaf.eax);
	}
	return size;
}
