// sources: drivers/acpi.c drivers/acpi_table.c drivers/acpi_madt.c drivers/acpi_fadt.c drivers/acpi_s5.c
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>
#include "drivers/acpi.h"

/* Physical memory: 64 KiB at BASE; everything else cannot be read. */
#define BASE	    0xe0000u
#define MEMORY_SIZE 0x10000u

/* Where the tables are. */
#define RSDP BASE
#define RSDT (BASE + 0x100)
#define XSDT (BASE + 0x200)
#define MADT (BASE + 0x400)
#define FADT (BASE + 0x1400)
#define DSDT (BASE + 0x1600)
#define HPET (BASE + 0x4000)
#define SSDT (BASE + 0x4100)

static u8 memory[MEMORY_SIZE];
static struct acpi_info info;

static bool read_memory(void *context, paddr_t pa, void *to, u64 size)
{
	(void)context;
	if (pa < BASE || pa - BASE > MEMORY_SIZE || size > MEMORY_SIZE - (pa - BASE))
		return false;
	memcpy(to, memory + (pa - BASE), size);
	return true;
}

static const struct acpi_reader reader = {.read = read_memory};

static void put(u32 pa, u64 value, u32 size)
{
	memcpy(memory + (pa - BASE), &value, size);
}

static void put_bytes(u32 pa, const void *bytes, size_t size)
{
	memcpy(memory + (pa - BASE), bytes, size);
}

/* Set the byte at pa+at so that [pa, pa+size) adds up to zero. */
static void set_sum(u32 pa, u32 size, u32 at)
{
	u8 sum = 0;

	memory[pa + at - BASE] = 0;
	for (u32 i = 0; i < size; i++)
		sum = (u8)(sum + memory[pa + i - BASE]);
	memory[pa + at - BASE] = (u8)-sum;
}

static void finish(u32 pa, const char *signature, u32 length)
{
	put_bytes(pa, signature, 4);
	put(pa + 4, length, 4);
	set_sum(pa, length, 9);
}

static void finish_rsdp(void)
{
	set_sum(RSDP, 20, 8);
	set_sum(RSDP, 36, 32);
}

static void make_rsdp(void)
{
	put_bytes(RSDP, "RSD PTR ", 8);
	put(RSDP + 15, 2, 1);
	put(RSDP + 16, RSDT, 4);
	put(RSDP + 20, 36, 4);
	put(RSDP + 24, XSDT, 8);
	finish_rsdp();
}

static void make_lists(void)
{
	static const u32 tables[] = {FADT, MADT, HPET, SSDT};

	for (u32 i = 0; i < ARRAY_SIZE(tables); i++) {
		put(XSDT + 36 + 8 * i, tables[i], 8);
		put(RSDT + 36 + 4 * i, tables[i], 4);
	}
	finish(XSDT, "XSDT", 36 + 8 * ARRAY_SIZE(tables));
	finish(RSDT, "RSDT", 36 + 4 * ARRAY_SIZE(tables));
}

#define MADT_ENTRIES                                                                                       \
	0, 8, 0, 0, 1, 0, 0, 0,				    /* local APIC 0, enabled */                    \
	0, 8, 1, 2, 1, 0, 0, 0,				    /* local APIC 2, enabled */                    \
	0, 8, 2, 4, 0, 0, 0, 0,				    /* local APIC 4, neither enabled nor capable */ \
	0, 8, 3, 6, 2, 0, 0, 0,				    /* local APIC 6, online capable */             \
	0, 8, 4, 0xff, 1, 0, 0, 0,			    /* nobody */                                   \
	1, 12, 7, 0, 0, 0, 0xc0, 0xfe, 24, 0, 0, 0,	    /* IOAPIC 7 at fec00000, GSI 24 */             \
	2, 10, 0, 0, 2, 0, 0, 0, 0, 0,			    /* an override: passed over */                 \
	9, 16, 0, 0, 0, 1, 0, 0, 1, 0, 0, 0, 5, 0, 0, 0,    /* x2APIC 256, enabled */                      \
	9, 16, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0, 6, 0, 0, 0,    /* APIC 2 again */                             \
	9, 16, 0, 0, 255, 255, 255, 255, 1, 0, 0, 0, 7, 0, 0, 0

static void make_madt(void)
{
	static const u8 entries[] = {MADT_ENTRIES};

	put(MADT + 36, 0xfee00000, 4);
	put(MADT + 40, 1, 4);
	put_bytes(MADT + 44, entries, sizeof(entries));
	finish(MADT, "APIC", 44 + sizeof(entries));
}

static void put_register(u32 pa, u8 space, u8 width, u64 address)
{
	put(pa, space, 1);
	put(pa + 1, width, 1);
	put(pa + 4, address, 8);
}

static void make_fadt(void)
{
	put(FADT + 40, 0xdead, 4); /* DSDT: X_DSDT comes first */
	put(FADT + 48, 0xb2, 4);
	put(FADT + 52, 0xf0, 1);
	put(FADT + 64, 0x404, 4);
	put(FADT + 68, 0, 4);
	put(FADT + 76, 0x408, 4);
	put(FADT + 89, 2, 1);
	put(FADT + 91, 4, 1);
	put(FADT + 112, BIT(8) | BIT(10), 4);
	put_register(FADT + 116, 1, 8, 0xcf9);
	put(FADT + 128, 6, 1);
	put(FADT + 140, DSDT, 8);
	put_register(FADT + 172, 1, 16, 0x1804);
	put_register(FADT + 244, 1, 8, 0x3f0);
	finish(FADT, "FACP", 276);
}

/* `bytes` at `offset` of a DSDT of 0x1000 bytes. */
static void make_dsdt(u32 offset, const void *bytes, size_t size)
{
	memset(memory + (DSDT - BASE), 0, 0x1000);
	put_bytes(DSDT + offset, bytes, size);
	finish(DSDT, "DSDT", 0x1000);
}

static const u8 s5[] = {0x08, '_', 'S', '5', '_', 0x12, 0x06, 0x04, 0x0a, 0x05, 0x01, 0x00, 0x00};

static void make_hpet(void)
{
	put_register(HPET + 40, 0, 64, 0xfed00000);
	finish(HPET, "HPET", 56);
}

static int setup(void **state)
{
	(void)state;
	memset(memory, 0, sizeof(memory));
	make_rsdp();
	make_lists();
	make_madt();
	make_fadt();
	make_dsdt(100, s5, sizeof(s5));
	make_hpet();
	finish(SSDT, "SSDT", 36);
	return 0;
}

static void assert_problem(const char *table, const char *what)
{
	for (u32 i = 0; i < info.problem_count && i < ACPI_MAX_PROBLEMS; i++) {
		if (strcmp(info.problem[i].table, table) == 0 && strstr(info.problem[i].what, what))
			return;
	}
	fail_msg("no problem \"%s: %s\"", table, what);
}

static void good_tables_are_read(void **state)
{
	(void)state;
	assert_int_equal(acpi_read(&info, &reader, RSDP), OK);
	assert_int_equal(info.problem_count, 0);
	assert_int_equal(info.cpu_count, 4);
	assert_int_equal(info.cpu[0].apic_id, 0);
	assert_int_equal(info.cpu[1].apic_id, 2);
	assert_int_equal(info.cpu[2].apic_id, 6);
	assert_int_equal(info.cpu[2].flags, ACPI_CPU_ONLINE_CAPABLE);
	assert_int_equal(info.cpu[3].apic_id, 256);
	assert_int_equal(info.cpu[3].flags, ACPI_CPU_ENABLED);
	assert_int_equal(info.ioapic_count, 1);
	assert_int_equal(info.ioapic[0].id, 7);
	assert_int_equal(info.ioapic[0].pa, 0xfec00000);
	assert_int_equal(info.ioapic[0].gsi_base, 24);
	assert_int_equal(info.lapic_pa, 0xfee00000);
	assert_true(info.has_8259);
	assert_int_equal(info.hpet, 0xfed00000);
}

static void power_registers_are_read(void **state)
{
	(void)state;
	assert_int_equal(acpi_read(&info, &reader, RSDP), OK);
	assert_int_equal(info.pm_timer_port, 0x408);
	assert_true(info.pm_timer_32);
	assert_int_equal(info.pm1a_control.address, 0x1804); /* the extended field wins */
	assert_int_equal(info.pm1b_control.address, 0);
	assert_int_equal(info.smi_command_port, 0xb2);
	assert_int_equal(info.acpi_enable_value, 0xf0);
	assert_int_equal(info.reset.address, 0xcf9);
	assert_int_equal(info.reset_value, 6);
	assert_int_equal(info.sleep_control.address, 0); /* only with reduced hardware */
	assert_true(info.has_s5);
	assert_int_equal(info.s5_a, 5);
	assert_int_equal(info.s5_b, 1);
}

static void old_fadt_has_no_extended_fields(void **state)
{
	(void)state;
	put(FADT + 40, DSDT, 4);
	finish(FADT, "FACP", 116);
	assert_int_equal(acpi_read(&info, &reader, RSDP), OK);
	assert_int_equal(info.pm1a_control.address, 0x404);
	assert_int_equal(info.pm1a_control.space, ACPI_SPACE_IO);
	assert_int_equal(info.reset.address, 0);
	assert_true(info.has_s5);
	finish(FADT, "FACP", 180); /* ends in the middle of the extended field's address */
	assert_int_equal(acpi_read(&info, &reader, RSDP), OK);
	assert_int_equal(info.pm1a_control.address, 0x404);
}

static void reduced_hardware_has_only_the_sleep_register(void **state)
{
	(void)state;
	put(FADT + 112, BIT(20), 4);
	finish(FADT, "FACP", 276);
	assert_int_equal(acpi_read(&info, &reader, RSDP), OK);
	assert_true(info.hardware_reduced);
	assert_int_equal(info.sleep_control.address, 0x3f0);
	assert_int_equal(info.pm1a_control.address, 0);
	assert_int_equal(info.pm_timer_port, 0);
	assert_int_equal(info.reset.address, 0);
}

static void impossible_registers_are_left_out(void **state)
{
	(void)state;
	put(FADT + 64, 0x10404, 4);		      /* no port */
	put_register(FADT + 172, 1, 16, 0x100001804); /* neither */
	put_register(FADT + 116, 0x7f, 8, 0xcf9);     /* functional fixed hardware */
	put(FADT + 91, 0, 1);
	finish(FADT, "FACP", 276);
	assert_int_equal(acpi_read(&info, &reader, RSDP), OK);
	assert_int_equal(info.pm1a_control.address, 0);
	assert_int_equal(info.reset.address, 0);
	assert_int_equal(info.pm_timer_port, 0);
}

static void rsdp_of_revision_1_leads_to_the_rsdt(void **state)
{
	(void)state;
	put(RSDP + 15, 0, 1);
	put(RSDP + 24, 0xdead, 8);
	set_sum(RSDP, 20, 8);
	assert_int_equal(acpi_read(&info, &reader, RSDP), OK);
	assert_int_equal(info.cpu_count, 4);
	assert_int_equal(info.problem_count, 0);
}

static void damaged_roots_are_refused(void **state)
{
	(void)state;
	assert_int_equal(acpi_read(&info, &reader, 0), ERR_FORMAT);
	assert_int_equal(acpi_read(&info, &reader, ~0ull), ERR_FORMAT);
	assert_int_equal(acpi_read(&info, &reader, BASE - 4), ERR_FORMAT);
	put(RSDP + 8, 0, 1);
	assert_int_equal(acpi_read(&info, &reader, RSDP), ERR_FORMAT);
	assert_problem("RSDP", "checksum");
	assert_int_equal(info.cpu_count, 0);
}

static void bad_xsdt_falls_back_to_the_rsdt(void **state)
{
	(void)state;
	put(XSDT + 20, 0x55, 1);
	assert_int_equal(acpi_read(&info, &reader, RSDP), OK);
	assert_problem("XSDT", "checksum");
	assert_int_equal(info.cpu_count, 4);
	put(RSDT + 4, 35, 4);
	assert_int_equal(acpi_read(&info, &reader, RSDP), ERR_FORMAT);
	assert_problem("RSDT", "length");
}

static void damaged_extension_falls_back_to_revision_1(void **state)
{
	(void)state;
	put(RSDP + 20, 0xffffffff, 4);
	assert_int_equal(acpi_read(&info, &reader, RSDP), OK);
	assert_problem("RSDP", "extended");
	assert_int_equal(info.cpu_count, 4);
}

static void bad_tables_are_left_out_and_named(void **state)
{
	(void)state;
	put(MADT + 44, 0x55, 1);
	put(HPET + 4, 0xfffffff0, 4);
	put(DSDT + 4, 0x20000, 4); /* beyond memory */
	put(XSDT + 36 + 8 * 3, 0x12345678, 8);
	finish(XSDT, "XSDT", 36 + 8 * 4);
	assert_int_equal(acpi_read(&info, &reader, RSDP), OK);
	assert_problem("APIC", "checksum");
	assert_problem("HPET", "length");
	assert_problem("DSDT", "checksum");
	assert_problem("????", "nothing can be read");
	assert_int_equal(info.cpu_count, 0);
	assert_int_equal(info.hpet, 0);
	assert_false(info.has_s5);
	assert_int_equal(info.pm1a_control.address, 0x1804);
}

static void madt_entries_stay_inside(void **state)
{
	(void)state;
	put(MADT + 44 + 8 + 1, 0, 1); /* the second entry has no length */
	finish(MADT, "APIC", 180);
	assert_int_equal(acpi_read(&info, &reader, RSDP), OK);
	assert_problem("APIC", "beyond its end");
	assert_int_equal(info.cpu_count, 1);
	put(MADT + 44 + 8 + 1, 200, 1); /* or reaches too far */
	finish(MADT, "APIC", 180);
	assert_int_equal(acpi_read(&info, &reader, RSDP), OK);
	assert_int_equal(info.cpu_count, 1);
	put(MADT + 44 + 8 + 1, 7, 1); /* or is too short for its kind */
	finish(MADT, "APIC", 59);
	assert_int_equal(acpi_read(&info, &reader, RSDP), OK);
	assert_problem("APIC", "too short");
	assert_int_equal(info.cpu_count, 1);
}

static void too_many_processors_are_counted_out(void **state)
{
	const u32 count = ACPI_MAX_CPUS + 2;

	(void)state;
	for (u32 i = 0; i < count; i++) {
		u32 at = FADT + 44 + i * 16; /* there is room where the FADT was */

		put(at, 9 | 16 << 8, 8);
		put(at + 4, i + 1000, 4);
		put(at + 8, 1, 8);
	}
	put(FADT + 36, 0, 8);
	finish(FADT, "APIC", 44 + count * 16);
	put(XSDT + 36 + 8, 0, 8);
	finish(XSDT, "XSDT", 36 + 8 * 2);
	assert_int_equal(acpi_read(&info, &reader, RSDP), OK);
	assert_int_equal(info.cpu_count, ACPI_MAX_CPUS);
	assert_int_equal(info.problem_count, 2);
}

static void s5_is_found_wherever_it_stands(void **state)
{
	(void)state;
	/* 36 is the first byte after the header; the search goes by blocks of 512 bytes. */
	for (u32 offset = 36; offset <= 0x1000 - sizeof(s5); offset++) {
		make_dsdt(offset, s5, sizeof(s5));
		assert_int_equal(acpi_read(&info, &reader, RSDP), OK);
		assert_true(info.has_s5);
		assert_int_equal(info.s5_a, 5);
	}
}

struct package {
	u8 bytes[24];
	u8 size;
	s8 a, b; /* -1: not to be found */
};

static const struct package packages[] = {
	{{0x08, '\\', '_', 'S', '5', '_', 0x12, 0x07, 2, 0x0a, 7, 0x0a, 6}, 13, 7, 6},
	{{0x08, '_', 'S', '5', '_', 0x12, 0x48, 0, 2, 0x0b, 3, 0, 0x0c, 4, 0, 0, 0}, 17, 3, 4},
	{{0x08, '_', 'S', '5', '_', 0x12, 0xc8, 0, 0, 0, 2, 0, 1}, 13, 0, 1},
	{{'_', 'S', '5', '_', 0x12, 0x06, 4, 5, 5}, 9, -1, 0},				/* a mention, no definition */
	{{0x08, '_', 'S', '5', '_', 0x14, 0x06, 4, 0, 0}, 10, -1, 0},			/* no package */
	{{0x08, '_', 'S', '5', '_', 0x12, 0x06, 1, 0, 0}, 10, -1, 0},			/* one element */
	{{0x08, '_', 'S', '5', '_', 0x12, 0x06, 4, 0x0a, 8, 0}, 11, -1, 0},		/* four bits */
	{{0x08, '_', 'S', '5', '_', 0x12, 0x06, 4, 'A', 'B', 'C', 'D'}, 12, -1, 0},	/* a name */
	{{0x08, '_', 'S', '5', '_', 0x12, 0x09, 2, 0x0b, 0, 1, 0}, 12, -1, 0},		/* 256 */
};

static void packages_are_read_as_aml_says(void **state)
{
	(void)state;
	for (u32 i = 0; i < ARRAY_SIZE(packages); i++) {
		const struct package *p = &packages[i];

		make_dsdt(0x300, p->bytes, p->size);
		assert_int_equal(acpi_read(&info, &reader, RSDP), OK);
		if (info.has_s5 != (p->a >= 0) || (info.has_s5 && (info.s5_a != p->a || info.s5_b != p->b)))
			fail_msg("package %u: found %d, %u %u", i, info.has_s5, info.s5_a, info.s5_b);
	}
}

static void s5_at_the_very_end_is_not_read_past_it(void **state)
{
	(void)state;
	for (u32 cut = 1; cut < sizeof(s5) - 2; cut++) { /* the last two elements are not needed */
		make_dsdt(0x1000 - cut, s5, cut);
		put_bytes(DSDT + 0x1000, s5 + cut, sizeof(s5) - cut); /* the rest lies behind the table */
		assert_int_equal(acpi_read(&info, &reader, RSDP), OK);
		assert_false(info.has_s5);
	}
}

static void s5_in_an_ssdt_is_found(void **state)
{
	(void)state;
	make_dsdt(100, "", 1);
	put_bytes(SSDT + 50, s5, sizeof(s5));
	finish(SSDT, "SSDT", 80);
	assert_int_equal(acpi_read(&info, &reader, RSDP), OK);
	assert_true(info.has_s5);
}

#define TEST(name) cmocka_unit_test_setup(name, setup)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(good_tables_are_read),
		TEST(power_registers_are_read),
		TEST(old_fadt_has_no_extended_fields),
		TEST(reduced_hardware_has_only_the_sleep_register),
		TEST(impossible_registers_are_left_out),
		TEST(rsdp_of_revision_1_leads_to_the_rsdt),
		TEST(damaged_roots_are_refused),
		TEST(bad_xsdt_falls_back_to_the_rsdt),
		TEST(damaged_extension_falls_back_to_revision_1),
		TEST(bad_tables_are_left_out_and_named),
		TEST(madt_entries_stay_inside),
		TEST(too_many_processors_are_counted_out),
		TEST(s5_is_found_wherever_it_stands),
		TEST(packages_are_read_as_aml_says),
		TEST(s5_at_the_very_end_is_not_read_past_it),
		TEST(s5_in_an_ssdt_is_found),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
