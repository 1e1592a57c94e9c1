// sources: arch/x86_64/cpu/cpuid_set.c arch/x86_64/cpu/xstate_layout.c
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include "arch/x86_64/cpu/cpuid_set.h"
#include "arch/x86_64/cpu/regs.h"
#include "arch/x86_64/cpu/xstate_layout.h"

static struct cpuid_set set; /* static: zeroed */

/* A big core, and a small one that lacks AVX2, some leaves and address bits but has a bit of its own. */
static struct cpuid_leaf big(u32 leaf, u32 subleaf)
{
	switch (leaf) {
	case 0:
		return (struct cpuid_leaf){0x16, 0x756e6547, 0x6c65746e, 0x49656e69};
	case 1:
		return (struct cpuid_leaf){0x906a4, 0x00100800, 0xfffff000, 0x0fffffff};
	case 7:
		return subleaf == 0 ? (struct cpuid_leaf){2, 0xff, 0xf0, 0x0f} : (struct cpuid_leaf){3, 3, 3, 3};
	case 0xa:
		return (struct cpuid_leaf){0x08300805, 0x1, 0xf, 0x603};
	case 0x80000000u:
		return (struct cpuid_leaf){0x80000008, 0, 0, 0};
	case 0x80000008u:
		return (struct cpuid_leaf){0x3927, 0xff, 0, 0};
	default:
		return (struct cpuid_leaf){0xdead, 0xdead, 0xdead, 0xdead};
	}
}

static struct cpuid_leaf small(u32 leaf, u32 subleaf)
{
	switch (leaf) {
	case 0:
		return (struct cpuid_leaf){0xd, 0, 0, 0};
	case 1:
		return (struct cpuid_leaf){0x906a5, 0x01100800, 0x0ff0f00f, 0xf0ffff0f};
	case 7:
		return subleaf == 0 ? (struct cpuid_leaf){0, 0x1df, 0xff, 0x0a} : (struct cpuid_leaf){0, 0, 0, 0};
	case 0xa:
		return (struct cpuid_leaf){0x07300604, 0x4, 0x7, 0x602};
	case 0x80000008u:
		return (struct cpuid_leaf){0x302e, 0x0f, 0, 0};
	default:
		return big(leaf, subleaf);
	}
}

static void test_one_core(void **state)
{
	(void)state;
	cpuid_set_add(&set, big);
	assert_int_equal(cpuid_set_get(&set, 1, 0).ecx, 0xfffff000);
	assert_int_equal(cpuid_set_get(&set, 7, 1).edx, 3);
	assert_int_equal(cpuid_set_get(&set, 0x16, 0).eax, 0xdead);
	/* Beyond the largest extended leaf; never listed; a subleaf that is not. */
	assert_int_equal(cpuid_set_get(&set, 0x8000000a, 0).eax, 0);
	assert_int_equal(cpuid_set_get(&set, 0x17, 0).eax, 0);
	assert_int_equal(cpuid_set_get(&set, 7, 3).eax, 0);
	assert_int_equal(cpuid_set_get(&set, 0x40000000, 0).eax, 0);
}

static void test_two_cores(void **state)
{
	struct cpuid_leaf leaf;

	(void)state;
	cpuid_set_add(&set, small);
	leaf = cpuid_set_get(&set, 0, 0);
	assert_int_equal(leaf.eax, 0xd);	/* the smaller */
	assert_int_equal(leaf.ebx, 0x756e6547); /* the boot core's */
	leaf = cpuid_set_get(&set, 1, 0);
	assert_int_equal(leaf.eax, 0x906a4);
	assert_int_equal(leaf.ebx, 0x00100800);
	assert_int_equal(leaf.ecx, 0x0ff0f000);
	assert_int_equal(leaf.edx, 0x00ffff0f);
	leaf = cpuid_set_get(&set, 7, 0);
	assert_int_equal(leaf.eax, 0);
	assert_int_equal(leaf.ebx, 0xdf);
	assert_int_equal(leaf.ecx, 0xf0);
	assert_int_equal(leaf.edx, 0x0a);
	assert_int_equal(cpuid_set_get(&set, 7, 1).edx, 0);
	leaf = cpuid_set_get(&set, 0xa, 0);
	assert_int_equal(leaf.eax, 0x07300604); /* each byte's smaller */
	assert_int_equal(leaf.ebx, 0x5);	/* missing on either */
	/* 39 and 46 physical bits, 57 and 48 linear: 39 and 48. */
	assert_int_equal(cpuid_set_get(&set, 0x80000008, 0).eax, 0x3027);
	assert_int_equal(cpuid_set_get(&set, 0x80000008, 0).ebx, 0x0f);
	/* Adding one again changes nothing. */
	cpuid_set_add(&set, big);
	assert_int_equal(cpuid_set_get(&set, 1, 0).ecx, 0x0ff0f000);
}

/* Skylake server's leaf 0DH. */
static struct cpuid_leaf skylake(u32 leaf, u32 subleaf)
{
	static const struct cpuid_leaf components[10] = {
		[2] = {256, 576, 0, 0}, [3] = {64, 960, 0, 0},	[4] = {64, 1024, 0, 0},	 [5] = {64, 1088, 0, 0},
		[6] = {512, 1152, 0, 0}, [7] = {1024, 1664, 0, 0}, [8] = {128, 0, 1, 0}, [9] = {8, 2688, 2, 0},
	};

	assert_int_equal(leaf, 0xd);
	return subleaf < 10 ? components[subleaf] : (struct cpuid_leaf){0, 0, 0, 0};
}

static void test_xstate_sizes(void **state)
{
	(void)state;
	assert_int_equal(xstate_standard_size(0x3, skylake), 576);
	assert_int_equal(xstate_standard_size(0x7, skylake), 832);
	assert_int_equal(xstate_standard_size(0xff, skylake), 2688);
	assert_int_equal(xstate_standard_size(0x2ff, skylake), 2696);
}

static void test_xstate_choice(void **state)
{
	(void)state;
	assert_int_equal(xstate_choose(0x2ff), 0x2ff);
	assert_int_equal(xstate_choose(0x3), 0x3);
	/* Half of MPX or of AVX-512, AVX-512 without AVX, AVX without SSE: XSETBV would fault. */
	assert_int_equal(xstate_choose(0xf), 0x7);
	assert_int_equal(xstate_choose(0x67), 0x7);
	assert_int_equal(xstate_choose(0xe3), 0x3);
	assert_int_equal(xstate_choose(0xe5), 0x1);
	/* AMX and what nobody knows yet stay off; x87 cannot. */
	assert_int_equal(xstate_choose(0x600e7), 0xe7);
	assert_int_equal(xstate_choose(~0ull), 0x2ff);
	assert_int_equal(xstate_choose(0), 0x1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_one_core),	  cmocka_unit_test(test_two_cores),
	    cmocka_unit_test(test_xstate_sizes),
	    cmocka_unit_test(test_xstate_choice),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
