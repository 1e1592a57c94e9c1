/*
 * What gcc calls for 128-bit division, which the products of ticks and rates need. There is no libgcc in the
 * hypervisor.
 */
#include "lib/types.h"

typedef unsigned __int128 u128;

u128 __udivti3(u128 dividend, u128 divisor);

/* High:low / divisor, where high < divisor, so that the quotient fits. */
static u64 divide_128_by_64(u64 high, u64 low, u64 divisor, u64 *remainder)
{
	u64 quotient;

	__asm__("divq %4" : "=a"(quotient), "=d"(*remainder) : "a"(low), "d"(high), "rm"(divisor) : "cc");
	return quotient;
}

/* Bit by bit: the divisor has more than 64 bits, the quotient therefore less. */
static u128 divide_slowly(u128 dividend, u128 divisor)
{
	u128 quotient = 0, remainder = 0;

	for (u32 bit = 128; bit-- > 0;) {
		remainder = remainder << 1 | (dividend >> bit & 1);
		quotient <<= 1;
		if (remainder >= divisor) {
			remainder -= divisor;
			quotient |= 1;
		}
	}
	return quotient;
}

u128 __udivti3(u128 dividend, u128 divisor)
{
	u64 by = (u64)divisor, high, low, rest;

	if (divisor >> 64)
		return divide_slowly(dividend, divisor);
	high = divide_128_by_64(0, (u64)(dividend >> 64), by, &rest);
	low = divide_128_by_64(rest, (u64)dividend, by, &rest);
	return (u128)high << 64 | low;
}
