/* 64-bit division for 32-bit code: gcc calls these by name, and its own 32-bit library is not installed everywhere. */
#include "guests/lib/guest.h"

u64 __udivmoddi4(u64 dividend, u64 divisor, u64 *rest);
u64 __udivdi3(u64 dividend, u64 divisor);
u64 __umoddi3(u64 dividend, u64 divisor);

u64 __udivmoddi4(u64 dividend, u64 divisor, u64 *rest)
{
	u64 quotient = 0, remainder = 0;

	for (int bit = 63; bit >= 0; bit--) {
		remainder = remainder << 1 | (dividend >> bit & 1);
		if (remainder >= divisor) {
			remainder -= divisor;
			quotient |= BIT(bit);
		}
	}
	if (rest)
		*rest = remainder;
	return quotient;
}

u64 __udivdi3(u64 dividend, u64 divisor)
{
	return __udivmoddi4(dividend, divisor, NULL);
}

u64 __umoddi3(u64 dividend, u64 divisor)
{
	u64 rest;

	__udivmoddi4(dividend, divisor, &rest);
	return rest;
}
