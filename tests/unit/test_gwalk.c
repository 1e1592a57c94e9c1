// sources: arch/x86_64/mmu/gwalk.c
/*
 * The guest page walk: geometry and reserved bits of each mode, every combination of rights, accessed and dirty flags,
 * races.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include "fake_guest.h"

static void test_no_paging(void **state)
{
	(void)state;
	mode = (struct gwalk_mode){.cr0 = CR0_PE, .physical_bits = 36};
	expect_ok(0x12345678, write_access, 0x12345678, 4096);
	expect_ok(0x112345678, write_access, 0x12345678, 4096);
	assert_int_equal(reads, 0);
}

static void test_32(void **state)
{
	(void)state;
	use_32();
	put(0x1000 + 4 * 0x048, 4, 0x2000 | P | W | U);
	put(0x2000 + 4 * 0x345, 4, 0xabcde000 | P | W | U);
	expect_ok(0x12345678, read_access, 0xabcde678, 4096);
	expect_ok(0xff00000012345678, read_access, 0xabcde678, 4096); /* the low 32 bits */
	assert_true(out.writable && out.user && out.executable);
	assert_int_equal(get(0x1000 + 4 * 0x048, 4), 0x2000 | P | W | U | A);
	assert_int_equal(get(0x2000 + 4 * 0x345, 4), 0xabcde000 | P | W | U | A);
	assert_int_equal(exchanges, 2);
	expect_fault(0x12346000, read_access, 0);
	expect_fault(0x12346000, user_write, PF_WRITE | PF_USER);
	expect_fault(0x12400000, fetch_access, 0); /* no I/D without NXE or SMEP */
	mode.cr4 |= CR4_SMEP;
	expect_fault(0x12400000, fetch_access, PF_FETCH);
	mode.efer |= EFER_NXE; /* means nothing without PAE: no I/D, and bit 31 of an entry is address */
	mode.cr4 &= ~CR4_SMEP;
	expect_fault(0x12400000, fetch_access, 0);
	expect_ok(0x12345678, (struct gwalk_access){.fetch = true, .user = true}, 0xabcde678, 4096);
}

static void test_32_large(void **state)
{
	(void)state;
	use_32();
	put(0x1000 + 4 * 0x048, 4, 0x55000000 | 0x0001e000 | P | PS | W); /* 39:32 = 0f in bits 16:13 */
	expect_ok(0x12345678, write_access, 0xf55345678, 4 * MIB);
	assert_int_equal(get(0x1000 + 4 * 0x048, 4) & 0xff, P | PS | W | A | D);
	/* 36 bits: bits 21:17 reserved; 40 and more: bit 21 alone; 32: 21:13 */
	put(0x1000 + 4 * 0x048, 4, 0x55000000 | BIT(17) | P | PS);
	expect_fault(0x12345678, read_access, PF_PRESENT | PF_RSVD);
	mode.physical_bits = 46;
	expect_ok(0x12345678, read_access, 0x1055345678, 4 * MIB);
	put(0x1000 + 4 * 0x048, 4, 0x55000000 | BIT(20) | P | PS);
	expect_ok(0x12345678, read_access, 0x8055345678, 4 * MIB);
	put(0x1000 + 4 * 0x048, 4, 0x55000000 | BIT(21) | P | PS);
	expect_fault(0x12345678, user_write, PF_PRESENT | PF_RSVD | PF_WRITE | PF_USER);
	mode.physical_bits = 32;
	put(0x1000 + 4 * 0x048, 4, 0x55000000 | BIT(13) | P | PS);
	expect_fault(0x12345678, read_access, PF_PRESENT | PF_RSVD);
	put(0x1000 + 4 * 0x048, 4, 0x55000000 | BIT(12) | P | PS); /* PAT */
	expect_ok(0x12345678, read_access, 0x55345678, 4 * MIB);
	/* PSE off: the bit is ignored, and it is a table */
	mode.cr4 = 0;
	put(0x1000 + 4 * 0x048, 4, 0x2000 | P | PS | W);
	put(0x2000 + 4 * 0x345, 4, 0x7000 | P | PS | W);
	expect_ok(0x12345678, read_access, 0x7678, 4096);
}

static void test_pae(void **state)
{
	(void)state;
	use_pae();
	put(0x1020 + 8 * 2, 8, 0x2000 | P);
	put(0x2000 + 8 * 0x091, 8, 0x3000 | P | W | U);
	put(0x3000 + 8 * 0x145, 8, 0x9abcde0000 | P | W | U | NX);
	expect_ok(0x92345678, write_access, 0x9abcde0678, 4096);
	assert_true(out.writable && out.user && !out.executable);
	assert_int_equal(get(0x1020 + 8 * 2, 8), 0x2000 | P); /* a PDPTE has no accessed flag */
	assert_int_equal(get(0x2000 + 8 * 0x091, 8), 0x3000 | P | W | U | A);
	assert_int_equal(get(0x3000 + 8 * 0x145, 8), 0x9abcde0000 | P | W | U | NX | A | D);
	expect_fault(0x92345678, fetch_access, PF_PRESENT | PF_FETCH);
	mode.efer = 0;
	expect_fault(0x92345678, read_access, PF_PRESENT | PF_RSVD);
	expect_fault(0x92345678, fetch_access, PF_PRESENT | PF_RSVD);
	mode.efer = EFER_NXE;
	put(0x2000 + 8 * 0x091, 8, 0x40000000 | P | PS | W);
	expect_ok(0x92345678, write_access, 0x40145678, 2 * MIB);
	expect_fault(0x12345678, read_access, 0);
}

static void test_pae_reserved(void **state)
{
	static const u32 pdpte[] = {1, 2, 6, 7, 8, 40, 51, 52, 62, 63};

	(void)state;
	use_pae();
	put(0x2000, 8, 0x3000 | P);
	put(0x3000, 8, 0x7000 | P);
	for (u32 i = 0; i < ARRAY_SIZE(pdpte); i++) {
		put(0x1020, 8, 0x2000 | P | BIT(pdpte[i]));
		expect_fault(0, read_access, PF_PRESENT | PF_RSVD);
	}
	/* Bit 5: see reserved_bits(). */
	put(0x1020, 8, 0x2000 | P | BITS(11, 9) | BITS(5, 3));
	expect_ok(0, read_access, 0x7000, 4096);
	for (u32 bit = 40; bit < 63; bit++) {
		put(0x2000, 8, 0x3000 | P | BIT(bit));
		expect_fault(0, read_access, PF_PRESENT | PF_RSVD);
		put(0x2000, 8, 0x3000 | P);
		put(0x3000, 8, 0x7000 | P | BIT(bit));
		expect_fault(0, read_access, PF_PRESENT | PF_RSVD);
		put(0x3000, 8, 0x7000 | P);
	}
	for (u32 bit = 13; bit < 21; bit++) {
		put(0x2000, 8, P | PS | BIT(bit));
		expect_fault(0, read_access, PF_PRESENT | PF_RSVD);
	}
	put(0x2000, 8, P | PS | BIT(12));
	expect_ok(0x1234, read_access, 0x1234, 2 * MIB);
}

/* Intel: the four were loaded, and checked, by the MOV to CR3; memory is not looked at. */
static void test_pae_loaded(void **state)
{
	(void)state;
	use_pae();
	mode.pdptes_loaded = true;
	mode.pdpte[3] = 0x2000 | P;
	put(0x2000, 8, 0x40000000 | P | PS);
	expect_ok(0xc0001234, read_access, 0x40001234, 2 * MIB);
	assert_int_equal(reads, 1);
	expect_fault(0x1234, read_access, 0);
	assert_int_equal(reads, 1);
	mode.pdpte[3] |= BIT(1);
	expect_ok(0xc0001234, read_access, 0x40001234, 2 * MIB);
}

static void test_long(void **state)
{
	(void)state;
	use_long();
	put_long(0x2000 | P | W | U, 0x3000 | P | W | U, 0x4000 | P | W | U, 0x123456000 | P | W | U);
	expect_ok(VA, read_access, 0x123456abc, 4096);
	assert_int_equal(reads, 4);
	assert_int_equal(exchanges, 4);
	assert_int_equal(get(0x1000 + 8 * 0x0fe, 8), 0x2000 | P | W | U | A);
	assert_int_equal(get(0x4000 + 8 * 0x167, 8), 0x123456000 | P | W | U | A);
	expect_ok(VA, write_access, 0x123456abc, 4096);
	assert_int_equal(exchanges, 5); /* dirty only */
	assert_int_equal(get(0x3000 + 8 * 0x1a2, 8), 0x4000 | P | W | U | A);
	assert_int_equal(get(0x4000 + 8 * 0x167, 8), 0x123456000 | P | W | U | A | D);
	expect_ok(VA, write_access, 0x123456abc, 4096);
	assert_int_equal(exchanges, 5);
	/* 2 MiB and 1 GiB */
	put_long(0x2000 | P | W, 0x3000 | P | W, 0x140000000 | P | PS | W, 0);
	expect_ok(VA, write_access, 0x140000000 + (VA & 0x1fffff), 2 * MIB);
	put_long(0x2000 | P | W, 0x180000000 | P | PS | W, 0, 0);
	expect_ok(VA, write_access, 0x180000000 + (VA & 0x3fffffff), GIB);
	mode.gib_pages = false;
	expect_fault(VA, write_access, PF_PRESENT | PF_RSVD | PF_WRITE);
	/* the upper half */
	put(0x1000 + 8 * 511, 8, 0x2000 | P);
	put(0x2000 + 8 * 511, 8, 0x3000 | P);
	put(0x3000 + 8 * 511, 8, 0x4000 | P);
	put(0x4000 + 8 * 511, 8, 0x5000 | P);
	expect_ok(~0ull, read_access, 0x5fff, 4096);
	/* ignored bits are ignored */
	put_long(0x2000 | P | BITS(62, 52) | BITS(11, 8), 0x3000 | P | BITS(62, 52), 0x4000 | P | BITS(62, 52),
		 0x6000 | P | BITS(62, 52));
	expect_ok(VA, read_access, 0x6abc, 4096);
}

static void test_canonical(void **state)
{
	(void)state;
	use_long();
	assert_int_equal(gwalk(&mode, &memory, BIT(47), read_access, &out), GWALK_NOT_CANONICAL);
	assert_int_equal(gwalk(&mode, &memory, ~BIT(47), read_access, &out), GWALK_NOT_CANONICAL);
	assert_int_equal(gwalk(&mode, &memory, BIT(63), read_access, &out), GWALK_NOT_CANONICAL);
	assert_int_equal(reads, 0);
	expect_fault(BIT(47) - 1, read_access, 0);
	expect_fault(~(BIT(47) - 1), read_access, 0);
}

static void test_long_reserved(void **state)
{
	u64 good[4] = {0x2000 | P, 0x3000 | P, 0x4000 | P, 0x5000 | P};

	(void)state;
	use_long();
	for (u32 level = 0; level < 4; level++) {
		u64 e[4];

		for (u32 bit = 40; bit < 52; bit++) {
			memcpy(e, good, sizeof(e));
			e[level] |= BIT(bit);
			put_long(e[0], e[1], e[2], e[3]);
			expect_fault(VA, write_access, PF_PRESENT | PF_RSVD | PF_WRITE);
			/* not present: nothing else is looked at */
			e[level] &= ~P;
			put_long(e[0], e[1], e[2], e[3]);
			expect_fault(VA, write_access, PF_WRITE);
		}
		memcpy(e, good, sizeof(e));
		e[level] |= NX;
		put_long(e[0], e[1], e[2], e[3]);
		expect_ok(VA, read_access, 0x5abc, 4096);
		expect_fault(VA, fetch_access, PF_PRESENT | PF_FETCH);
		mode.efer &= ~EFER_NXE;
		expect_fault(VA, read_access, PF_PRESENT | PF_RSVD);
		mode.efer |= EFER_NXE;
	}
	mode.physical_bits = 52;
	put_long(good[0], good[1], good[2], BIT(51) | P);
	expect_ok(VA, read_access, BIT(51) | 0xabc, 4096);
	put_long(good[0] | PS, good[1], good[2], good[3]);
	expect_fault(VA, read_access, PF_PRESENT | PF_RSVD);
	for (u32 bit = 13; bit < 21; bit++) {
		put_long(good[0], good[1], P | PS | BIT(bit), 0);
		expect_fault(VA, read_access, PF_PRESENT | PF_RSVD);
	}
	for (u32 bit = 13; bit < 30; bit++) {
		put_long(good[0], P | PS | BIT(bit), 0, 0);
		expect_fault(VA, read_access, PF_PRESENT | PF_RSVD);
	}
}

/* What the last walk tells to have used is what is in memory now, `count` entries from the top. */
static void expect_steps(u32 count, u32 entry_size, gpa_t first)
{
	assert_int_equal(out.steps, count);
	assert_int_equal(out.entry_size, entry_size);
	for (u32 i = 0; i < count; i++)
		assert_int_equal(get(out.step[i].gpa, entry_size), out.step[i].entry);
	if (count)
		assert_int_equal(out.step[0].gpa, first);
}

static void test_steps(void **state)
{
	(void)state;
	use_long();
	put_long(0x2000 | P | W, 0x3000 | P | W, 0x4000 | P | W, 0x5000 | P | W);
	expect_ok(VA, write_access, 0x5abc, 4096);
	expect_steps(4, 8, 0x1000 + 8 * 0x0fe);
	assert_int_equal(out.step[3].entry, 0x5000 | P | W | A | D);
	put(0x3000 + 8 * 0x1a2, 8, 0x200000 | P | PS);
	expect_ok(VA, read_access, 0x200000 + (VA & 0x1fffff), 2 * MIB);
	expect_steps(3, 8, 0x1000 + 8 * 0x0fe);
	/* another processor sets A at the same time: the walk that counts is the second */
	put_long(0x2000 | P | W, 0x3000 | P | W, 0x4000 | P | W, 0x5000 | P | W);
	race = 1;
	race_bits = A;
	expect_ok(VA, write_access, 0x5abc, 4096);
	expect_steps(4, 8, 0x1000 + 8 * 0x0fe);
	use_pae();
	put(0x1020, 8, 0x2000 | P);
	put(0x2000, 8, 0x3000 | P);
	put(0x3000, 8, 0x5000 | P);
	expect_ok(0, read_access, 0x5000, 4096);
	expect_steps(3, 8, 0x1020);
	mode.pdptes_loaded = true;
	mode.pdpte[0] = 0x2000 | P;
	expect_ok(0, read_access, 0x5000, 4096);
	expect_steps(2, 8, 0x2000);
	use_32();
	put(0x1000, 4, 0x2000 | P);
	put(0x2000, 4, 0x5000 | P);
	expect_ok(0, read_access, 0x5000, 4096);
	expect_steps(2, 4, 0x1000);
	mode.cr0 &= ~CR0_PG;
	expect_ok(0, read_access, 0, 4096);
	expect_steps(0, 0, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_no_paging, clean),
		cmocka_unit_test_setup(test_32, clean),
		cmocka_unit_test_setup(test_32_large, clean),
		cmocka_unit_test_setup(test_pae, clean),
		cmocka_unit_test_setup(test_pae_reserved, clean),
		cmocka_unit_test_setup(test_pae_loaded, clean),
		cmocka_unit_test_setup(test_long, clean),
		cmocka_unit_test_setup(test_canonical, clean),
		cmocka_unit_test_setup(test_steps, clean),
		cmocka_unit_test_setup(test_long_reserved, clean),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
