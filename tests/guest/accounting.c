// guest: 64
/*
 * A VM's exits as its guest sees them, by CPUID (docs/config.md), with accounting=0 on the command line: nothing at
 * all.
 */
#include "guests/lib/guest.h"

#define EXITS	  0x4ffffffcu
#define CYCLES	  0x4ffffffdu
#define EXITS_OF  0x4ffffffeu
#define CYCLES_OF 0x4fffffffu

static bool is(struct cpuid_leaf leaf, u32 eax, u32 ebx, u32 ecx, u32 edx)
{
	return leaf.eax == eax && leaf.ebx == ebx && leaf.ecx == ecx && leaf.edx == edx;
}

static u64 cycles(u32 leaf, u32 reason)
{
	return (u64)cpuid(leaf, reason).ebx << 32 | cpuid(leaf, reason).ecx;
}

/* How far a counter goes from one look to the next: the least of some, since interrupts of the machine exit too. */
static u32 step(u32 leaf, u32 reason)
{
	u32 least = ~0u;

	for (u32 i = 0; i < 8; i++) {
		u32 before = cpuid(leaf, reason).eax, after = cpuid(leaf, reason).eax;

		least = after - before < least ? after - before : least;
	}
	return least;
}

static u32 sum_of_reasons(void)
{
	u32 sum = 0;

	for (u32 reason = 0; reason < 0x420; reason++)
		sum += cpuid(EXITS_OF, reason).eax;
	return sum;
}

CHECKS(accounting)
{
	bool amd = uses_vmmcall();
	u32 reason_cpuid = amd ? 0x72 : 10, reason_rdtsc = amd ? 0x6e : 16, no_reason = amd ? 0xa7 : 35, total;

	if (option_number("accounting", 1) == 0) {
		for (u32 leaf = EXITS; leaf <= CYCLES_OF; leaf++)
			check("account-off",
			      is(cpuid(leaf, reason_cpuid), 0, 0, 0, 0) && is(cpuid(leaf, no_reason), 0, 0, 0, 0));
		return;
	}
	check_equal("account-asking-is-an-exit", step(EXITS, 0), 1);
	check_equal("account-of-the-reason-cpuid", step(EXITS_OF, reason_cpuid), 1);
	check_equal("account-total-is-in-eax-alone", cpuid(EXITS, 0).ebx | cpuid(EXITS, 0).ecx | cpuid(EXITS, 0).edx,
		    0);
	check("account-cycles-go", cycles(CYCLES, 0) < cycles(CYCLES, 0));
	check("account-cycles-of-cpuid-go", cycles(CYCLES_OF, reason_cpuid) < cycles(CYCLES_OF, reason_cpuid));
	check("account-cycles-of-one-are-fewer", cycles(CYCLES_OF, reason_cpuid) <= cycles(CYCLES, 0));
	check("account-undefined-reason",
	      is(cpuid(EXITS_OF, no_reason), 0, 0, 0, ~0u) && is(cpuid(CYCLES_OF, 0xffff0000), 0, 0, 0, ~0u));
	check("account-reason-not-enabled",
	      is(cpuid(EXITS_OF, reason_rdtsc), 0, 0, 0, 0) && is(cpuid(CYCLES_OF, reason_rdtsc), 0, 0, 0, 0));
	total = cpuid(EXITS, 0).eax;
	check("account-reasons-make-the-total", sum_of_reasons() - total < 2 * 0x420);
}
