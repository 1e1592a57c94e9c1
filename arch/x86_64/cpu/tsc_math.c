#include "arch/x86_64/cpu/tsc_math.h"

#define BELIEVABLE 200u /* one part in: 0.5 % */

u64 tsc_rate(u64 tsc_ticks, u64 reference, u64 reference_hz)
{
	if (reference == 0)
		return 0;
	return (u64)(((unsigned __int128)tsc_ticks * reference_hz + reference / 2) / reference);
}

u64 tsc_middle(const u64 rates[3])
{
	u64 low = MIN(rates[0], rates[1]), high = MAX(rates[0], rates[1]);

	return MAX(low, MIN(high, rates[2]));
}

bool tsc_agree(const u64 rates[3], u32 denominator)
{
	u64 low = MIN(MIN(rates[0], rates[1]), rates[2]), high = MAX(MAX(rates[0], rates[1]), rates[2]);
	u64 middle = tsc_middle(rates);

	return middle != 0 && MIN(high - middle, middle - low) <= middle / denominator;
}

u64 tsc_claimed(struct cpuid_leaf leaf15)
{
	if (leaf15.eax == 0 || leaf15.ebx == 0 || leaf15.ecx == 0)
		return 0;
	return (u64)leaf15.ecx * leaf15.ebx / leaf15.eax;
}

u64 tsc_decide(u64 measured, u64 claimed)
{
	u64 difference = measured > claimed ? measured - claimed : claimed - measured;

	return difference <= measured / BELIEVABLE ? claimed : measured;
}

s64 tsc_skew(const struct tsc_exchange *exchanges, u32 n, u64 *error)
{
	const struct tsc_exchange *best = exchanges;
	s64 skew;

	for (u32 i = 1; i < n; i++) {
		if (exchanges[i].after - exchanges[i].before < best->after - best->before)
			best = &exchanges[i];
	}
	*error = (best->after - best->before + 1) / 2;
	skew = (s64)(best->other - best->before) - (s64)((best->after - best->before) / 2);
	return skew <= (s64)*error && -skew <= (s64)*error ? 0 : skew;
}
