// guest: 64
/*
 * Model-specific registers that do not exist, and reserved bits of those that do: all #GP(0). (SDM "WRMSR—Write to
 * Model Specific Register") Oracles: the SDM for MSRs that do not exist, of which neither emulator complains; Bochs for
 * the rest.
 */
#include "guests/lib/guest.h"

#define MSR_NONE	0xdeadu
#define MSR_NONE_HIGH	0xc0ffee00u
#define MSR_APIC_BASE	0x1bu
#define MSR_FEATURE	0x3au
#define MSR_PAT		0x277u
#define MSR_EFER	0xc0000080u
#define MSR_LSTAR	0xc0000082u
#define MSR_FS_BASE	0xc0000100u
#define EFER_RESERVED	BIT(9)
#define EFER_LME	BIT(8)
#define NOT_CANONICAL	0x8000000000000000ull
#define PAT_RESET	0x0007040600070406ull
#define PAT_BAD		0x0007040600070402ull /* memory type 2 is reserved */

/* What was accepted all the same is taken back, so that it does not spoil the next check. */
#define REFUSED(name, ...)                                      \
	do {                                                    \
		u64 efer = rdmsr(MSR_EFER);                     \
		expect_fault(name, VECTOR_GP, 0, __VA_ARGS__);  \
		wrmsr(MSR_EFER, efer);                          \
	} while (0)

CHECKS(bad_msr)
{
	REFUSED("rdmsr-unknown", rdmsr(MSR_NONE));
	REFUSED("wrmsr-unknown", wrmsr(MSR_NONE, 1));
	REFUSED("rdmsr-unknown-high", rdmsr(MSR_NONE_HIGH));
	REFUSED("wrmsr-unknown-high", wrmsr(MSR_NONE_HIGH, 1));
	REFUSED("efer-reserved-bit", wrmsr(MSR_EFER, rdmsr(MSR_EFER) | EFER_RESERVED));
	REFUSED("efer-lme-while-paging", wrmsr(MSR_EFER, rdmsr(MSR_EFER) & ~EFER_LME));
	REFUSED("lstar-not-canonical", wrmsr(MSR_LSTAR, NOT_CANONICAL));
	REFUSED("fs-base-not-canonical", wrmsr(MSR_FS_BASE, NOT_CANONICAL));
	REFUSED("pat-reserved-type", wrmsr(MSR_PAT, PAT_BAD));
	wrmsr(MSR_PAT, PAT_RESET);
	REFUSED("apic-base-reserved-bits", wrmsr(MSR_APIC_BASE, rdmsr(MSR_APIC_BASE) | 0xff));
	REFUSED("apic-base-beyond-memory", wrmsr(MSR_APIC_BASE, rdmsr(MSR_APIC_BASE) | BIT(60)));
}
