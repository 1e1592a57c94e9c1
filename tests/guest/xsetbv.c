// guest: 64
/* XSETBV as it must not be used. (SDM "XSETBV—Set Extended Control Register") Oracles: Bochs, QEMU. */
#include "guests/lib/guest.h"

#define CR4_OSXSAVE  BIT(18)
#define CPUID1_XSAVE BIT(26)
#define XCR0_X87     1
#define XCR0_SSE     2
#define XCR0_AVX     4
#define XCR0_MPX_ONE BIT(3)
#define XCR0_ZMM     BITS_5_TO_7
#define BITS_5_TO_7  0xe0

static word xsetbv_x87(word value)
{
	xsetbv(0, value);
	return 0;
}

CHECKS(xsetbv_abuse)
{
	if (!(cpuid(1, 0).ecx & CPUID1_XSAVE)) {
		check_skip("xsetbv", "this CPU has no XSAVE");
		return;
	}
	expect_fault("xsetbv-without-osxsave", VECTOR_UD, 0, xsetbv(0, XCR0_X87));
	write_cr4(read_cr4() | CR4_OSXSAVE);
	expect_none("xsetbv-x87", xsetbv(0, XCR0_X87));
	expect_none("xsetbv-x87-sse", xsetbv(0, XCR0_X87 | XCR0_SSE));
	expect_fault("xsetbv-without-x87", VECTOR_GP, 0, xsetbv(0, XCR0_SSE));
	expect_fault("xsetbv-nothing", VECTOR_GP, 0, xsetbv(0, 0));
	expect_fault("xsetbv-avx-without-sse", VECTOR_GP, 0, xsetbv(0, XCR0_X87 | XCR0_AVX));
	expect_fault("xsetbv-half-of-mpx", VECTOR_GP, 0, xsetbv(0, XCR0_X87 | XCR0_MPX_ONE));
	expect_fault("xsetbv-zmm-without-avx", VECTOR_GP, 0, xsetbv(0, XCR0_X87 | XCR0_SSE | XCR0_ZMM));
	expect_fault("xsetbv-reserved-bit", VECTOR_GP, 0, xsetbv(0, XCR0_X87 | BIT(62)));
	expect_fault("xsetbv-all-ones", VECTOR_GP, 0, xsetbv(0, ~0ull));
	expect_fault("xsetbv-xcr1", VECTOR_GP, 0, xsetbv(1, XCR0_X87));
	expect_fault("xsetbv-xcr-far", VECTOR_GP, 0, xsetbv(0xffffffff, XCR0_X87));
	expect_fault("xsetbv-ring-3", VECTOR_GP, 0, run_in_ring(3, xsetbv_x87, XCR0_X87, 2));
	check_equal("xcr0-unchanged-by-all-that", xgetbv(0), XCR0_X87 | XCR0_SSE);
}
