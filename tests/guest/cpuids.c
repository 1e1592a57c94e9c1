// guest: 64
/*
 * CPUID agrees with itself and with the machine. For both widths. (SDM "CPUID—CPU Identification") Oracles: Bochs,
 * QEMU.
 */
#include "guests/lib/guest.h"

#define CR4_OSXSAVE BIT(18)
#define ECX_XSAVE   BIT(26)
#define ECX_OSXSAVE BIT(27)

static void check_xsave(void)
{
	u32 small, large;
	u64 all;

	if (!(cpuid(1, 0).ecx & ECX_XSAVE)) {
		check_skip("cpuid-osxsave", "no XSAVE");
		return;
	}
	check("cpuid-osxsave-clear", !(cpuid(1, 0).ecx & ECX_OSXSAVE));
	write_cr4(read_cr4() | (word)CR4_OSXSAVE);
	check("cpuid-osxsave-set", cpuid(1, 0).ecx & ECX_OSXSAVE);
	all = (u64)cpuid(13, 0).edx << 32 | cpuid(13, 0).eax;
	xsetbv(0, 1);
	small = cpuid(13, 0).ebx;
	expect_none("cpuid-xcr0-all-offered-can-be-set", xsetbv(0, all));
	large = cpuid(13, 0).ebx;
	check_equal("cpuid-xsave-size-x87", small, 576);
	check("cpuid-xsave-size-grows", large >= small && large == cpuid(13, 0).ecx);
	xsetbv(0, 1);
	write_cr4(read_cr4() & ~(word)CR4_OSXSAVE);
}

CHECKS(cpuids)
{
	struct cpuid_leaf basic = cpuid(0, 0), features = cpuid(1, 0), extended = cpuid(0x80000000, 0),
			  wide = cpuid(0x80000008, 0);

	check("cpuid-basic-leaves", basic.eax >= 1 && basic.eax < 0x100);
	check("cpuid-extended-leaves", extended.eax >= 0x80000008 && extended.eax < 0x80000100);
	check("cpuid-vendor-text", (basic.ebx & 0x80808080) == 0 && basic.ebx != 0);
	check("cpuid-long-mode", cpuid(0x80000001, 0).edx & BIT(29));
	check("cpuid-sse2-for-long-mode", features.edx & BIT(26));
	check("cpuid-physical-bits", (wide.eax & 0xff) >= 36 && (wide.eax & 0xff) <= 52);
	check("cpuid-linear-bits", (wide.eax >> 8 & 0xff) == 48 || (wide.eax >> 8 & 0xff) == 57);
	check("cpuid-hypervisor-bit-and-leaf", !(features.ecx & BIT(31)) || cpuid(0x40000000, 0).eax >= 0x40000000);
	check_equal("cpuid-stable", cpuid(1, 0).eax, features.eax);
	check_xsave();
}
