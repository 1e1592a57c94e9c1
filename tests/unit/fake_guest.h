/* A guest's RAM and registers for tests of the page walk. */
#ifndef TESTS_UNIT_FAKE_GUEST_H
#define TESTS_UNIT_FAKE_GUEST_H

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

static UNUSED void use_32(void)
{
	mode = (struct gwalk_mode){.cr0 = CR0_PG | CR0_PE | CR0_WP, .cr3 = 0x1018, .cr4 = CR4_PSE, .physical_bits = 36};
}

static UNUSED void use_pae(void)
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

/* 0x0000_7f12_3456_7abc: indices 0fe, 048, 1a2, 167 */
#define VA 0x7f1234567abcull

static void put_long(u64 pml4e, u64 pdpte, u64 pde, u64 pte)
{
	put(0x1000 + 8 * 0x0fe, 8, pml4e);
	put(0x2000 + 8 * 0x048, 8, pdpte);
	put(0x3000 + 8 * 0x1a2, 8, pde);
	put(0x4000 + 8 * 0x167, 8, pte);
}

#endif
