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
#include <string.h>

#include "arch/x86_64/mmu/gwalk.h"

#define P  0x1ull
#define W  0x2ull
#define U  0x4ull
#define A  0x20ull
#define D  0x40ull
#define PS 0x80ull
#define NX BIT(63)
#define PK BIT(5)

#define RAM 0x10000u

static u8 ram[RAM];
static u32 reads, exchanges;
static u32 race; /* so many exchanges find the entry changed */
static u64 race_bits;
static bool read_only;

static bool read_entry(void *context, gpa_t gpa, u32 size, u64 *entry)
{
	(void)context;
	reads++;
	assert_true(gpa % size == 0);
	if (gpa > RAM - size)
		return false;
	*entry = 0;
	memcpy(entry, ram + gpa, size);
	return true;
}

static bool exchange_entry(void *context, gpa_t gpa, u32 size, u64 *expected, u64 desired)
{
	u64 now = 0;

	(void)context;
	exchanges++;
	assert_true(gpa % size == 0 && gpa <= RAM - size);
	if (read_only)
		return false;
	memcpy(&now, ram + gpa, size);
	if (race > 0) {
		race--;
		now ^= race_bits;
		memcpy(ram + gpa, &now, size);
	}
	if (now == *expected)
		memcpy(ram + gpa, &desired, size);
	*expected = now;
	return true;
}

static const struct gwalk_memory memory = {read_entry, exchange_entry, NULL};
static const struct gwalk_memory memory_still = {read_entry, NULL, NULL};
static const struct gwalk_access read_access, write_access = {.write = true}, fetch_access = {.fetch = true},
					      user_access = {.user = true}, user_write = {.user = true, .write = true};

static void put(gpa_t gpa, u32 size, u64 entry)
{
	memcpy(ram + gpa, &entry, size);
}

static u64 get(gpa_t gpa, u32 size)
{
	u64 entry = 0;

	memcpy(&entry, ram + gpa, size);
	return entry;
}

static struct gwalk_mode mode;
static struct gwalk out;

static int clean(void **state)
{
	(void)state;
	memset(ram, 0, sizeof(ram));
	reads = exchanges = race = 0;
	race_bits = 0;
	read_only = false;
	return 0;
}

static void use_32(void)
{
	mode = (struct gwalk_mode){.cr0 = CR0_PG | CR0_PE | CR0_WP, .cr3 = 0x1018, .cr4 = CR4_PSE, .physical_bits = 36};
}

static void use_pae(void)
{
	mode = (struct gwalk_mode){
		.cr0 = CR0_PG | CR0_PE | CR0_WP, .cr3 = 0x1020, .cr4 = CR4_PAE, .efer = EFER_NXE, .physical_bits = 40};
}

static void use_long(void)
{
	mode = (struct gwalk_mode){.cr0 = CR0_PG | CR0_PE | CR0_WP,
				   .cr3 = 0x1fff,
				   .cr4 = CR4_PAE,
				   .efer = EFER_NXE | EFER_LMA | EFER_LME,
				   .physical_bits = 40,
				   .gib_pages = true};
}

static void expect_ok(gva_t gva, struct gwalk_access access, gpa_t gpa, u64 page_size)
{
	assert_int_equal(gwalk(&mode, &memory, gva, access, &out), GWALK_OK);
	assert_int_equal(out.gpa, gpa);
	assert_int_equal(out.page_size, page_size);
}

static void expect_fault(gva_t gva, struct gwalk_access access, u64 error)
{
	assert_int_equal(gwalk(&mode, &memory, gva, access, &out), GWALK_FAULT);
	assert_int_equal(out.error, error);
}

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
	static const u32 pdpte[] = {1, 2, 5, 6, 7, 8, 40, 51, 52, 62, 63};

	(void)state;
	use_pae();
	put(0x2000, 8, 0x3000 | P);
	put(0x3000, 8, 0x7000 | P);
	for (u32 i = 0; i < ARRAY_SIZE(pdpte); i++) {
		put(0x1020, 8, 0x2000 | P | BIT(pdpte[i]));
		expect_fault(0, read_access, PF_PRESENT | PF_RSVD);
	}
	put(0x1020, 8, 0x2000 | P | BITS(11, 9) | BITS(4, 3));
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

/* 0x0000_7f12_3456_7abc: indices 0fe, 048, 1a2, 167 */
#define VA 0x7f1234567abcull

static void put_long(u64 pml4e, u64 pdpte, u64 pde, u64 pte)
{
	put(0x1000 + 8 * 0x0fe, 8, pml4e);
	put(0x2000 + 8 * 0x048, 8, pdpte);
	put(0x3000 + 8 * 0x1a2, 8, pde);
	put(0x4000 + 8 * 0x167, 8, pte);
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

/* A right counts only where all levels give it. */
static void test_rights_of_levels(void **state)
{
	(void)state;
	use_long();
	for (u32 level = 0; level < 4; level++) {
		u64 e[4] = {0x2000 | P | W | U, 0x3000 | P | W | U, 0x4000 | P | W | U, 0x5000 | P | W | U};

		e[level] &= ~W;
		put_long(e[0], e[1], e[2], e[3]);
		expect_ok(VA, user_access, 0x5abc, 4096);
		assert_true(!out.writable && out.user);
		expect_fault(VA, user_write, PF_PRESENT | PF_WRITE | PF_USER);
		expect_fault(VA, write_access, PF_PRESENT | PF_WRITE);
		e[level] |= W;
		e[level] &= ~U;
		put_long(e[0], e[1], e[2], e[3]);
		expect_fault(VA, user_access, PF_PRESENT | PF_USER);
		expect_ok(VA, write_access, 0x5abc, 4096);
		assert_true(out.writable && !out.user);
	}
}

/* SDM "Determination of Access Rights", sentence by sentence; the page's own rights are given. */
static bool sdm_allows(bool w, bool u, bool nx, struct gwalk_access access)
{
	bool wp = mode.cr0 & CR0_WP, smep = mode.cr4 & CR4_SMEP, smap = mode.cr4 & CR4_SMAP;
	bool ac = mode.rflags & RFLAGS_AC;

	if (access.user) {
		if (!u)
			return false; /* user-mode accesses: not to supervisor-mode addresses */
		if (access.fetch)
			return !nx;
		return access.write ? w : true;
	}
	if (access.fetch) {
		if (!u)
			return !nx;
		return smep ? false : !nx;
	}
	if (u && smap && access.implicit)
		return false;
	if (u && smap && !ac)
		return false;
	if (!access.write)
		return true;
	return wp ? w : true;
}

static void test_all_rights(void **state)
{
	u32 allowed = 0, denied = 0;

	(void)state;
	for (u32 i = 0; i < 1u << 11; i++) {
		bool w = i & 1, u = i & 2, nx = i & 4;
		struct gwalk_access access = {
			.write = (i >> 3 & 3) == 1, .fetch = (i >> 3 & 3) == 2, .user = i & 32, .implicit = i & 64};
		u64 error = PF_PRESENT;

		if ((i >> 3 & 3) == 3 || (access.user && access.implicit) || (access.fetch && access.implicit))
			continue;
		use_long();
		clean(NULL);
		mode.cr0 = CR0_PE | CR0_PG | (i & 128 ? CR0_WP : 0);
		mode.cr4 |= (i & 256 ? CR4_SMEP : 0) | (i & 512 ? CR4_SMAP : 0);
		mode.rflags = i & 1024 ? RFLAGS_AC : 0;
		put_long(0x2000 | P | W | U, 0x3000 | P | W | U, 0x4000 | P | W | U,
			 0x5000 | P | (w ? W : 0) | (u ? U : 0) | (nx ? NX : 0));
		error |= (access.write ? PF_WRITE : 0) | (access.user ? PF_USER : 0) | (access.fetch ? PF_FETCH : 0);
		if (sdm_allows(w, u, nx, access)) {
			expect_ok(VA, access, 0x5abc, 4096);
			assert_int_equal(get(0x4000 + 8 * 0x167, 8) & (A | D), access.write ? A | D : A);
			allowed++;
		} else {
			expect_fault(VA, access, error);
			/* a fault leaves the flags alone */
			assert_int_equal(get(0x4000 + 8 * 0x167, 8) & (A | D), 0);
			assert_int_equal(exchanges, 0);
			denied++;
		}
	}
	assert_true(allowed > 300 && denied > 300);
}

static void test_protection_keys(void **state)
{
	(void)state;
	use_long();
	mode.cr4 |= CR4_PKE;
	put_long(0x2000 | P | W | U, 0x3000 | P | W | U, 0x4000 | P | W | U, 0x5000 | P | W | U | 5ull << 59);
	mode.pkru = 1u << 10; /* AD of key 5 */
	expect_fault(VA, user_access, PF_PRESENT | PF_USER | PK);
	expect_fault(VA, read_access, PF_PRESENT | PK);
	expect_ok(VA, (struct gwalk_access){.fetch = true, .user = true}, 0x5abc, 4096);
	mode.pkru = 2u << 10; /* WD */
	expect_ok(VA, user_access, 0x5abc, 4096);
	expect_fault(VA, user_write, PF_PRESENT | PF_USER | PF_WRITE | PK);
	expect_fault(VA, write_access, PF_PRESENT | PF_WRITE | PK);
	mode.cr0 &= ~CR0_WP;
	expect_ok(VA, write_access, 0x5abc, 4096);
	expect_fault(VA, user_write, PF_PRESENT | PF_USER | PF_WRITE | PK);
	/* other keys, supervisor pages, and CR4.PKE off: nothing */
	mode.pkru = ~(3u << 10);
	expect_ok(VA, user_write, 0x5abc, 4096);
	mode.pkru = ~0u;
	put_long(0x2000 | P | W, 0x3000 | P | W, 0x4000 | P | W, 0x5000 | P | W | 5ull << 59);
	expect_ok(VA, write_access, 0x5abc, 4096);
	put_long(0x2000 | P | W | U, 0x3000 | P | W | U, 0x4000 | P | W | U, 0x5000 | P | W | U | 5ull << 59);
	mode.cr4 &= ~CR4_PKE;
	expect_ok(VA, user_write, 0x5abc, 4096);
}

static void test_no_memory(void **state)
{
	(void)state;
	use_long();
	put_long(0x2000 | P, 0x3000 | P, RAM | P, 0);
	assert_int_equal(gwalk(&mode, &memory, VA, read_access, &out), GWALK_NO_MEMORY);
	assert_int_equal(out.gpa, RAM + 8 * 0x167);
	mode.cr3 = 0xff00000000;
	assert_int_equal(gwalk(&mode, &memory, VA, read_access, &out), GWALK_NO_MEMORY);
	assert_int_equal(out.gpa, 0xff00000000 + 8 * 0x0fe);
	/* flags that cannot be written */
	use_long();
	put_long(0x2000 | P, 0x3000 | P, 0x4000 | P, 0x5000 | P);
	read_only = true;
	assert_int_equal(gwalk(&mode, &memory, VA, read_access, &out), GWALK_NO_MEMORY);
	assert_int_equal(out.gpa, 0x1000 + 8 * 0x0fe);
}

/* Without an exchange nothing is written: for looking on. */
static void test_still(void **state)
{
	u8 before[RAM];

	(void)state;
	use_long();
	put_long(0x2000 | P | W, 0x3000 | P | W, 0x4000 | P | W, 0x5000 | P | W);
	memcpy(before, ram, RAM);
	assert_int_equal(gwalk(&mode, &memory_still, VA, write_access, &out), GWALK_OK);
	assert_int_equal(out.gpa, 0x5abc);
	assert_memory_equal(before, ram, RAM);
}

static void test_races(void **state)
{
	(void)state;
	use_long();
	put_long(0x2000 | P | W | A, 0x3000 | P | W | A, 0x4000 | P | W | A, 0x5000 | P | W);
	/* another processor sets accessed meanwhile: seen, and done once more */
	race = 1;
	race_bits = A;
	expect_ok(VA, write_access, 0x5abc, 4096);
	assert_int_equal(get(0x4000 + 8 * 0x167, 8), 0x5000 | P | W | A | D);
	/* it takes the page away: the new state counts */
	put_long(0x2000 | P | W | A, 0x3000 | P | W | A, 0x4000 | P | W | A, 0x5000 | P | W);
	race = 1;
	race_bits = W;
	expect_fault(VA, write_access, PF_PRESENT | PF_WRITE);
	assert_int_equal(get(0x4000 + 8 * 0x167, 8), 0x5000 | P);
	put_long(0x2000 | P | W | A, 0x3000 | P | W | A, 0x4000 | P | W | A, 0x5000 | P | W);
	race = 1;
	race_bits = 0x3000;
	expect_ok(VA, write_access, 0x6abc, 4096);
	/* for ever: given up */
	put_long(0x2000 | P | W | A, 0x3000 | P | W | A, 0x4000 | P | W | A, 0x5000 | P | W);
	race = ~0u;
	race_bits = BIT(52);
	exchanges = 0;
	assert_int_equal(gwalk(&mode, &memory, VA, write_access, &out), GWALK_RETRY);
	assert_in_range(exchanges, 2, 100);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_no_paging, clean),	   cmocka_unit_test_setup(test_32, clean),
		cmocka_unit_test_setup(test_32_large, clean),	   cmocka_unit_test_setup(test_pae, clean),
		cmocka_unit_test_setup(test_pae_reserved, clean),  cmocka_unit_test_setup(test_pae_loaded, clean),
		cmocka_unit_test_setup(test_long, clean),	   cmocka_unit_test_setup(test_canonical, clean),
		cmocka_unit_test_setup(test_long_reserved, clean), cmocka_unit_test_setup(test_rights_of_levels, clean),
		cmocka_unit_test_setup(test_all_rights, clean),	   cmocka_unit_test_setup(test_protection_keys, clean),
		cmocka_unit_test_setup(test_no_memory, clean),	   cmocka_unit_test_setup(test_still, clean),
		cmocka_unit_test_setup(test_races, clean),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
