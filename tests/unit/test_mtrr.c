// sources: arch/x86_64/mmu/mtrr.c
/*
 * Memory types by MTRR: precedences of the SDM, run lengths, and random set-ups against the rule applied page by page.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "arch/x86_64/mmu/mtrr.h"

#define ENABLED (BIT(11))
#define FIXED	(BIT(10))
#define VALID	(BIT(11))

static struct mtrr m;

static void reset(u64 def_type)
{
	memset(&m, 0, sizeof(m));
	m.present = true;
	m.def_type = def_type;
}

static void add(paddr_t base, u64 size, enum memory_cache type)
{
	m.variable[m.count].base = base | type;
	m.variable[m.count++].mask = (BITS(51, 12) & ~(size - 1)) | VALID;
}

static void expect(paddr_t pa, u64 size, enum memory_cache type, u64 run)
{
	u64 found = 0;

	assert_int_equal(mtrr_type(&m, pa, size, &found), type);
	assert_int_equal(found, run);
}

static void test_off(void **state)
{
	(void)state;
	memset(&m, 0, sizeof(m));
	expect(0, 64 * GIB, CACHE_WB, 64 * GIB); /* no MTRRs at all */
	reset(CACHE_WB);
	expect(0, 64 * GIB, CACHE_UC, 64 * GIB); /* disabled: UC, whatever the default */
	reset(CACHE_WB | ENABLED);
	expect(0, 64 * GIB, CACHE_WB, 64 * GIB);
	expect(4096, ~0ull, CACHE_WB, ~0ull - 4096);
	reset(CACHE_UC | ENABLED);
	expect(5 * GIB, 4096, CACHE_UC, 4096);
	reset(2 | ENABLED); /* reserved */
	expect(0, 4096, CACHE_UC, 4096);
	reset(CACHE_UC_MINUS | ENABLED);
	expect(0, 4096, CACHE_UC, 4096);
}

static void test_fixed(void **state)
{
	(void)state;
	reset(CACHE_UC | ENABLED | FIXED);
	m.fixed[0] = 0x0606060606060606;
	m.fixed[1] = 0x0505050505050506;  /* 80000..83fff WB, then WP */
	m.fixed[2] = 0x0000000000000001;  /* a0000..a3fff WC */
	m.fixed[3] = 0x0606060606060604;  /* c0000 WT */
	m.fixed[10] = 0x0600000000000000; /* fffff WB */
	add(0, GIB, CACHE_WB);
	expect(0, GIB, CACHE_WB, 0x84000);
	expect(0x84000, GIB, CACHE_WP, 0x1c000);
	expect(0xa0000, GIB, CACHE_WC, 0x4000);
	expect(0xa4000, GIB, CACHE_UC, 0x1c000);
	expect(0xc0000, GIB, CACHE_WT, 0x1000);
	expect(0xc1000, GIB, CACHE_WB, 0x7000);
	expect(0xc8000, GIB, CACHE_UC, 0xff000 - 0xc8000);
	expect(0xff800, GIB, CACHE_WB, GIB - 0xff800); /* on into the variable range */
	/* not enabled: the variable range counts below 1 MiB as well */
	m.def_type &= ~FIXED;
	expect(0xa0000, GIB, CACHE_WB, GIB - 0xa0000);
}

static void test_variable(void **state)
{
	(void)state;
	reset(CACHE_UC | ENABLED);
	add(0, 2 * GIB, CACHE_WB);
	add(2 * GIB, GIB, CACHE_WB);
	add(4 * GIB, 4 * GIB, CACHE_WB);
	add(GIB, 2 * MIB, CACHE_UC);
	add(6 * GIB, MIB, CACHE_WT);
	add(0, 8 * GIB, CACHE_WC);
	m.variable[5].mask &= ~VALID;
	expect(0, 16 * GIB, CACHE_WB, GIB);
	expect(GIB, 16 * GIB, CACHE_UC, 2 * MIB);		      /* UC wins */
	expect(GIB + 2 * MIB, 16 * GIB, CACHE_WB, 2 * GIB - 2 * MIB); /* two pairs that touch are one run */
	expect(3 * GIB, 16 * GIB, CACHE_UC, GIB);		      /* the default */
	expect(6 * GIB, 16 * GIB, CACHE_WT, MIB);		      /* WT and WB: WT */
	expect(6 * GIB + 4096, 4096, CACHE_WT, 4096);
	expect(8 * GIB, 16 * GIB, CACHE_UC, 16 * GIB);
	/* WC over WB is undefined: UC; a reserved type: UC */
	add(5 * GIB, MIB, CACHE_WC);
	expect(5 * GIB, 2 * MIB, CACHE_UC, MIB);
	add(9 * GIB, MIB, 3);
	reset(CACHE_WB | ENABLED);
	add(3 * GIB, GIB, CACHE_UC);
	add(MIB, MIB, 3);
	expect(0, 8 * GIB, CACHE_WB, MIB);
	expect(MIB, 8 * GIB, CACHE_UC, MIB);
	expect(2 * MIB, 8 * GIB, CACHE_WB, 3 * GIB - 2 * MIB);
	expect(4 * GIB, 8 * GIB, CACHE_WB, 8 * GIB);
}

/* A mask with a gap: every other 64 KiB. */
static void test_discontinuous(void **state)
{
	(void)state;
	reset(CACHE_WB | ENABLED);
	m.variable[0].base = 0x10000 | CACHE_UC;
	m.variable[0].mask = (BITS(51, 12) & ~0xe0000ull & ~0xffffull) | VALID; /* bit 16 and 20.. count */
	m.count = 1;
	expect(0, MIB, CACHE_WB, 0x10000);
	expect(0x10000, MIB, CACHE_UC, 0x10000);
	expect(0x20000, MIB, CACHE_WB, 0x10000);
	expect(0xf0000, MIB, CACHE_UC, 0x10000);
	expect(0x100000, MIB, CACHE_WB, MIB);
}

/* The rule, for one page at a time. */
static enum memory_cache plain_type(paddr_t pa)
{
	bool uc = false, wt = false, wb = false, other = false;
	u32 hits = 0, type = 0;

	if (pa < MIB && (m.def_type & FIXED)) {
		u64 i = pa < 0x80000   ? pa >> 16
			: pa < 0xc0000 ? 8 + ((pa - 0x80000) >> 14)
				       : 24 + ((pa - 0xc0000) >> 12);

		return (enum memory_cache)(m.fixed[i / 8] >> (i % 8 * 8) & 0xff);
	}
	for (u32 i = 0; i < m.count; i++) {
		if (!(m.variable[i].mask & VALID) || ((pa ^ m.variable[i].base) & m.variable[i].mask & BITS(51, 12)))
			continue;
		type = m.variable[i].base & 0xff;
		hits++;
		uc |= type == CACHE_UC;
		wt |= type == CACHE_WT;
		wb |= type == CACHE_WB;
		other |= type == CACHE_WC || type == CACHE_WP;
	}
	if (hits == 0)
		return (enum memory_cache)(m.def_type & 0xff);
	if (uc || (other && (wt || wb)))
		return CACHE_UC;
	if (other) /* all alike, or undefined */
		return hits == 1 ? (enum memory_cache)type : CACHE_UC;
	return wt ? CACHE_WT : CACHE_WB;
}

static void test_random(void **state)
{
	static const u8 types[] = {CACHE_UC, CACHE_WC, CACHE_WT, CACHE_WP, CACHE_WB, CACHE_WB};

	(void)state;
	srand(6);
	for (u32 round = 0; round < 300; round++) {
		bool used_other = false;

		reset(types[rand() % 6] | ENABLED | (rand() % 2 ? FIXED : 0));
		for (u32 i = 0; i < MTRR_FIXED * 8; i++)
			((u8 *)m.fixed)[i] = types[rand() % 6];
		for (u32 i = (u32)rand() % 6; i > 0; i--) {
			u64 size = 4096ull << rand() % 10;
			enum memory_cache type = types[rand() % 6];

			/* at most one of the types whose overlaps with themselves plain_type() does not tell apart */
			if ((type == CACHE_WC || type == CACHE_WP) && used_other)
				continue;
			used_other |= type == CACHE_WC || type == CACHE_WP;
			add(ALIGN_DOWN((u64)(rand() % (4 << 20)), size), size, type);
			if (rand() % 8 == 0)
				m.variable[m.count - 1].mask &= ~(BIT(13) | BIT(18));
		}
		for (paddr_t pa = 0; pa < 4 * MIB;) {
			u64 run = 0;
			enum memory_cache type = mtrr_type(&m, pa, 4 * MIB - pa, &run);

			assert_true(run > 0 && run <= 4 * MIB - pa && run % PAGE_SIZE == 0);
			for (u64 page = pa; page < pa + run; page += PAGE_SIZE)
				assert_int_equal(plain_type(page), type);
			pa += run;
			/* the run is as long as can be */
			if (pa < 4 * MIB)
				assert_int_not_equal(plain_type(pa), type);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_off),	      cmocka_unit_test(test_fixed),  cmocka_unit_test(test_variable),
		cmocka_unit_test(test_discontinuous), cmocka_unit_test(test_random),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
