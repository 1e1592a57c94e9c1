// sources: arch/x86_64/cpu/tsc_math.c lib/int128.c
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include "arch/x86_64/cpu/tsc_math.h"
#include "core/time.h"

u64 tsc_hz;

static void test_rate(void **state)
{
	(void)state;
	/* 50 ms of a PM timer while the TSC made 150 million ticks: 3 GHz, to a part in 100000. */
	assert_in_range(tsc_rate(150000000, 178977, 3579545), 2999970000ull, 3000030000ull);
	assert_int_equal(tsc_rate(1000, 10, 10), 1000);
	/* Rounded, not cut. */
	assert_int_equal(tsc_rate(2, 3, 1), 1);
	assert_int_equal(tsc_rate(1, 3, 1), 0);
	assert_int_equal(tsc_rate(5, 0, 1000), 0);
	/* Products beyond 64 bits. */
	assert_int_equal(tsc_rate(1ull << 40, 1ull << 30, 1ull << 32), 1ull << 42);
}

static void test_middle(void **state)
{
	static const u64 orders[6][3] = {{1, 5, 9}, {1, 9, 5}, {5, 1, 9}, {5, 9, 1}, {9, 1, 5}, {9, 5, 1}};

	(void)state;
	for (u32 i = 0; i < 6; i++)
		assert_int_equal(tsc_middle(orders[i]), 5);
	assert_int_equal(tsc_middle((const u64[]){4, 4, 9}), 4);
	assert_true(tsc_agree((const u64[]){1000, 1005, 1009}, 100));
	assert_true(tsc_agree((const u64[]){2000, 1000, 1010}, 100));
	assert_true(tsc_agree((const u64[]){1000, 1010, 0}, 100));
	assert_false(tsc_agree((const u64[]){1000, 1020, 980}, 100));
	assert_false(tsc_agree((const u64[]){0, 1000, 0}, 100));
	assert_false(tsc_agree((const u64[]){0, 0, 0}, 100));
}

static void test_claim(void **state)
{
	(void)state;
	/* 24 MHz * 250 / 2 = 3 GHz; a leaf without ratio or without crystal claims nothing. */
	assert_int_equal(tsc_claimed((struct cpuid_leaf){2, 250, 24000000, 0}), 3000000000ull);
	assert_int_equal(tsc_claimed((struct cpuid_leaf){2, 250, 0, 0}), 0);
	assert_int_equal(tsc_claimed((struct cpuid_leaf){0, 250, 24000000, 0}), 0);
	assert_int_equal(tsc_claimed((struct cpuid_leaf){2, 0, 24000000, 0}), 0);
	/* Near what was measured: the claim. Bochs's 3500 MHz at 50 MHz: what was measured. */
	assert_int_equal(tsc_decide(2999000000ull, 3000000000ull), 3000000000ull);
	assert_int_equal(tsc_decide(3001000000ull, 3000000000ull), 3000000000ull);
	assert_int_equal(tsc_decide(49998000, 3500000000ull), 49998000);
	assert_int_equal(tsc_decide(2970000000ull, 3000000000ull), 2970000000ull);
}

static void test_skew(void **state)
{
	u64 error;
	struct tsc_exchange exchanges[3] = {
		{1000, 900, 3000},   /* slow: says little */
		{5000, 105050, 5100}, /* quickest: the other is 100000 ahead */
		{9000, 109900, 9300},
	};

	(void)state;
	assert_int_equal(tsc_skew(exchanges, 3, &error), 100000);
	assert_int_equal(error, 50);
	exchanges[1].other = 4050; /* behind */
	assert_int_equal(tsc_skew(exchanges, 3, &error), -1000);
	/* Inside its own error it is none. */
	exchanges[1].other = 5100;
	assert_int_equal(tsc_skew(exchanges, 3, &error), 0);
	exchanges[1].other = 5000;
	assert_int_equal(tsc_skew(exchanges, 3, &error), 0);
	exchanges[1].other = 5101;
	assert_int_equal(tsc_skew(exchanges, 3, &error), 51);
}

typedef unsigned __int128 u128;
u128 __udivti3(u128 dividend, u128 divisor);

/* q * divisor + r, with r < divisor, comes back as q; all sizes of both. */
static void test_division(void **state)
{
	u64 seed = 88172645463325252ull;
	u128 words[6];

	(void)state;
	for (u32 round = 0; round < 200000; round++) {
		for (u32 i = 0; i < 6; i++) {
			seed ^= seed << 13;
			seed ^= seed >> 7;
			seed ^= seed << 17;
			words[i] = seed >> (seed >> 58);
		}
		u128 divisor = (round & 1 ? words[0] << 64 : 0) | words[1] | 1;
		u128 dividend = (round & 2 ? words[2] << 64 : 0) | words[3];
		u128 quotient = __udivti3(dividend, divisor);

		/* Holds for the true quotient only, and no product overflows. */
		assert_true(quotient * divisor <= dividend && dividend - quotient * divisor < divisor);
		assert_true(quotient == 0 || divisor <= (u128)-1 / quotient);
	}
	/* Without remainder, where >= and > part. */
	assert_true(__udivti3((u128)6 << 70, (u128)3 << 70) == 2);
	assert_true(__udivti3((u128)1 << 127, (u128)1 << 127) == 1);
	assert_true(__udivti3(((u128)1 << 127) - 1, (u128)1 << 127) == 0);
	tsc_hz = 3000000000ull;
	assert_int_equal(ns_to_ticks(1000), 3000);
	assert_int_equal(ms_to_ticks(3600000), 10800000000000ull);
	assert_int_equal(ticks_to_ns(~0ull), 6148914691236517205ull);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rate),
		cmocka_unit_test(test_middle),
		cmocka_unit_test(test_claim),
		cmocka_unit_test(test_skew),
		cmocka_unit_test(test_division),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
