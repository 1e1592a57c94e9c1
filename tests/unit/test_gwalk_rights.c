// sources: arch/x86_64/mmu/gwalk.c
/* The guest page walk: every combination of rights, protection keys, missing memory, races. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include "fake_guest.h"

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
		cmocka_unit_test_setup(test_rights_of_levels, clean),
		cmocka_unit_test_setup(test_all_rights, clean),
		cmocka_unit_test_setup(test_protection_keys, clean),
		cmocka_unit_test_setup(test_no_memory, clean),
		cmocka_unit_test_setup(test_still, clean),
		cmocka_unit_test_setup(test_races, clean),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
