#include "arch/x86_64/cpu/xstate.h"
#include "arch/x86_64/cpu/features.h"
#include "arch/x86_64/cpu/insn.h"
#include "arch/x86_64/cpu/regs.h"
#include "arch/x86_64/cpu/xstate_layout.h"
#include "core/panic.h"
#include "lib/string.h"

#define AREA_ALIGNMENT 64ull
#define FCW_OFFSET     0u
#define FCW_INITIAL    0x37fu
#define MXCSR_OFFSET   24u
#define MXCSR_INITIAL  0x1f80u

#define CPUID_D1_XSAVEOPT BIT(0)

/*
 * The best of what all cores have. Not XSAVEC and XSAVES: while no supervisor feature is kept, XSAVEOPT leaves out as
 * much, and it writes the standard format, which needs no conversion. (Bochs 2.7 besides writes the compacted format in
 * another way than it reads it.)
 */
enum method { METHOD_FXSAVE, METHOD_XSAVE, METHOD_XSAVEOPT };

/* What xstate_init_core() found; the same on every core once all are up. */
static struct {
	enum method method;
	u64 xcr0;
	u32 size;
} host;

static enum method choose_method(void)
{
	u32 d1 = features_cpuid(0xd, 1).eax;

	if (!cpu_has(FEATURE_XSAVE))
		return METHOD_FXSAVE;
	return d1 & CPUID_D1_XSAVEOPT ? METHOD_XSAVEOPT : METHOD_XSAVE;
}

static u32 area_size(void)
{
	u32 size = host.method == METHOD_FXSAVE ? XSTATE_LEGACY_SIZE : xstate_standard_size(host.xcr0, features_cpuid);

	return (u32)ALIGN_UP((u64)size, AREA_ALIGNMENT);
}

static void set_xcr0(u64 value)
{
	if (host.method != METHOD_FXSAVE && xgetbv(0) != value)
		xsetbv(0, value);
}

void xstate_init_core(void)
{
	struct cpuid_leaf d0 = features_cpuid(0xd, 0);

	host.method = choose_method();
	if (host.method != METHOD_FXSAVE) {
		host.xcr0 = xstate_choose((u64)d0.edx << 32 | d0.eax);
		write_cr4(read_cr4() | CR4_OSXSAVE);
	}
	/* Guests have no supervisor features, nor the MSR, so none of theirs has to be kept. */
	if (cpu_has(FEATURE_XSAVES))
		wrmsr(MSR_XSS, 0);
	host.size = area_size();
	set_xcr0(host.xcr0);
}

u64 xstate_xcr0_max(void)
{
	return host.xcr0;
}

u32 xstate_size(void)
{
	return host.size;
}

void xstate_reset(void *area)
{
	u32 mxcsr = MXCSR_INITIAL;
	u16 fcw = FCW_INITIAL;

	/*
	 * XSTATE_BV 0 means initial state for all; the legacy words serve FXRSTOR, and XRSTOR reads MXCSR in any case.
	 */
	memset(area, 0, host.size);
	memcpy((u8 *)area + FCW_OFFSET, &fcw, sizeof(fcw));
	memcpy((u8 *)area + MXCSR_OFFSET, &mxcsr, sizeof(mxcsr));
}

/* All features under XCR0. */
#define WITH_ALL_FEATURES "a"(~0u), "d"(~0u)

void xstate_save(void *area)
{
	ASSERT(((u64)area & (AREA_ALIGNMENT - 1)) == 0);
	set_xcr0(host.xcr0);
	switch (host.method) {
	case METHOD_FXSAVE:
		__asm__ volatile("fxsave64 (%0)" : : "r"(area) : "memory");
		break;
	case METHOD_XSAVE:
		__asm__ volatile("xsave64 (%0)" : : "r"(area), WITH_ALL_FEATURES : "memory");
		break;
	case METHOD_XSAVEOPT:
		__asm__ volatile("xsaveopt64 (%0)" : : "r"(area), WITH_ALL_FEATURES : "memory");
		break;
	}
}

void xstate_restore(const void *area, u64 xcr0)
{
	ASSERT(((u64)area & (AREA_ALIGNMENT - 1)) == 0);
	set_xcr0(host.xcr0);
	switch (host.method) {
	case METHOD_FXSAVE:
		__asm__ volatile("fxrstor64 (%0)" : : "r"(area) : "memory");
		break;
	case METHOD_XSAVE:
	case METHOD_XSAVEOPT:
		__asm__ volatile("xrstor64 (%0)" : : "r"(area), WITH_ALL_FEATURES : "memory");
		break;
	}
	if (host.method != METHOD_FXSAVE && xcr0 != host.xcr0)
		xsetbv(0, xcr0);
}
