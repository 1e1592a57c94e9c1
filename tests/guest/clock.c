// guest: 64
/* The time-stamp counter never goes back, whoever reads it. For both widths. (SDM "Time-Stamp Counter") Oracles: Bochs,
 * QEMU. */
#include "guests/lib/guest.h"

#define READS	    10000
#define MSR_TSC	    0x10u
#define MSR_TSC_AUX 0xc0000103u

static u64 rdtscp(u32 *aux)
{
	u32 low, high;

	__asm__ volatile("rdtscp" : "=a"(low), "=d"(high), "=c"(*aux));
	return (u64)high << 32 | low;
}

CHECKS(clock)
{
	u64 last = rdtsc(), now;
	u32 backwards = 0, aux;

	for (u32 i = 0; i < READS; i++, last = now) {
		now = rdtsc();
		backwards += now < last;
		if (i % 64 == 0)
			cpuid(0, 0); /* an exit in between */
	}
	check_equal("tsc-monotonic", backwards, 0);
	check("tsc-advances", rdtsc() > last);
	last = rdmsr(MSR_TSC);
	check("tsc-not-behind-its-msr", rdtsc() >= last);
	if (cpuid(0x80000001, 0).edx & BIT(27)) {
		wrmsr(MSR_TSC_AUX, 0x1234);
		check("tsc-rdtscp-monotonic", rdtscp(&aux) >= last);
		check_equal("tsc-aux", aux, 0x1234);
	} else {
		check_skip("tsc-rdtscp-monotonic", "no RDTSCP");
	}
}
