// sources: vmm/acpi_tables.c
/*
 * The guest's ACPI tables, read as an operating system reads them: from the RSDP on, every length and checksum believed
 * only when right.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>
#include "vmm/acpi_tables.h"

static u8 memory[ACPI_TABLES_SIZE];
static u8 dsdt[36 + 8];

static u64 field(const u8 *table, u32 offset, u32 size)
{
	u64 value = 0;

	memcpy(&value, table + offset, size);
	return value;
}

static u8 sum(const u8 *bytes, u64 size)
{
	u8 total = 0;

	while (size--)
		total = (u8)(total + *bytes++);
	return total;
}

static const u8 *at(u64 gpa)
{
	assert_in_range(gpa, ACPI_TABLES_ADDRESS, ACPI_TABLES_ADDRESS + ACPI_TABLES_SIZE - 1);
	return memory + (gpa - ACPI_TABLES_ADDRESS);
}

static const u8 *table_at(u64 gpa, const char *signature)
{
	const u8 *table = at(gpa);

	assert_memory_equal(table, signature, 4);
	assert_true(field(table, 4, 4) >= 36);
	assert_int_equal(sum(table, field(table, 4, 4)), 0);
	return table;
}

static struct acpi_machine machine_of(u32 vcpus)
{
	memset(dsdt, 0, sizeof(dsdt));
	memcpy(dsdt, "DSDT", 4);
	dsdt[4] = sizeof(dsdt);
	memcpy(dsdt + 36, "contents", 8);
	dsdt[9] = (u8)(0 - sum(dsdt, sizeof(dsdt)));
	return (struct acpi_machine){.vcpus = vcpus, .ioapic_id = 7, .dsdt = dsdt, .dsdt_size = sizeof(dsdt)};
}

static const u8 *xsdt_of(int size)
{
	const u8 *rsdp = at(ACPI_TABLES_ADDRESS);

	assert_true(size > 0 && size <= (int)sizeof(memory));
	assert_memory_equal(rsdp, "RSD PTR ", 8);
	assert_int_equal(sum(rsdp, 20), 0);
	assert_int_equal(sum(rsdp, 36), 0);
	assert_int_equal(rsdp[15], 2);
	assert_int_equal(field(rsdp, 20, 4), 36);
	return table_at(field(rsdp, 24, 8), "XSDT");
}

static void test_tables(void **state)
{
	struct acpi_machine machine = machine_of(2);
	const u8 *xsdt = xsdt_of(acpi_tables_build(&machine, memory, sizeof(memory), ACPI_TABLES_ADDRESS));
	const u8 *fadt, *facs;

	(void)state;
	assert_int_equal(field(xsdt, 4, 4), 36 + 16);
	fadt = table_at(field(xsdt, 36, 8), "FACP");
	table_at(field(xsdt, 44, 8), "APIC");
	assert_int_equal(field(fadt, 4, 4), 276);
	assert_int_equal(field(fadt, 40, 4), field(fadt, 140, 8));
	assert_memory_equal(table_at(field(fadt, 140, 8), "DSDT"), dsdt, sizeof(dsdt));
	facs = at(field(fadt, 36, 4));
	assert_memory_equal(facs, "FACS", 4);
	assert_int_equal((uintptr_t)(facs - memory) % 64, 0);
	assert_int_equal(field(facs, 4, 4), 64);
}

static void test_fadt(void **state)
{
	struct acpi_machine machine = machine_of(1);
	const u8 *xsdt = xsdt_of(acpi_tables_build(&machine, memory, sizeof(memory), ACPI_TABLES_ADDRESS));
	const u8 *fadt = table_at(field(xsdt, 36, 8), "FACP");

	(void)state;
	assert_int_equal(field(fadt, 46, 2), 9);    /* SCI_INT */
	assert_int_equal(field(fadt, 48, 4), 0);    /* SMI_CMD: always in ACPI mode */
	assert_int_equal(field(fadt, 56, 4), 0x600); /* PM1a_EVT_BLK */
	assert_int_equal(field(fadt, 64, 4), 0x604); /* PM1a_CNT_BLK */
	assert_int_equal(field(fadt, 76, 4), 0x608); /* PM_TMR_BLK */
	assert_int_equal(fadt[88], 4);
	assert_int_equal(fadt[89], 2);
	assert_int_equal(fadt[91], 4);
	assert_int_equal(fadt[108], 0x32); /* CENTURY */
	assert_int_equal(field(fadt, 109, 2) & 3, 1);
	assert_int_equal(field(fadt, 112, 4), 1 | 4 | 0x20 | 0x40 | 0x100 | 0x400 | 0x1000);
	assert_int_equal(fadt[116], 1); /* RESET_REG: system I/O */
	assert_int_equal(field(fadt, 120, 8), 0xcf9);
	assert_int_equal(fadt[128], 6);
	assert_int_equal(fadt[131], 3);
	assert_int_equal(field(fadt, 152, 8), 0x600); /* X_PM1a_EVT_BLK */
	assert_int_equal(field(fadt, 176, 8), 0x604);
	assert_int_equal(field(fadt, 212, 8), 0x608);
	assert_memory_equal(fadt + 268, "TRIVISOR", 8);
}

static void test_madt(void **state)
{
	struct acpi_machine machine = machine_of(3);
	const u8 *xsdt = xsdt_of(acpi_tables_build(&machine, memory, sizeof(memory), ACPI_TABLES_ADDRESS));
	const u8 *madt = table_at(field(xsdt, 44, 8), "APIC"), *end = madt + field(madt, 4, 4), *entry;
	u32 counts[5] = {0};

	(void)state;
	assert_int_equal(field(madt, 36, 4), 0xfee00000);
	assert_int_equal(field(madt, 40, 4), 1);
	for (entry = madt + 44; entry < end; entry += entry[1]) {
		assert_true(entry[0] < 5 && entry[1] >= 6);
		if (entry[0] == 0)
			assert_true(entry[2] == counts[0] && entry[3] == counts[0] && field(entry, 4, 4) == 1);
		if (entry[0] == 1)
			assert_true(entry[2] == 7 && field(entry, 4, 4) == 0xfec00000 && field(entry, 8, 4) == 0);
		if (entry[0] == 2 && !counts[2])
			assert_true(entry[3] == 0 && field(entry, 4, 4) == 2 && field(entry, 8, 2) == 0);
		else if (entry[0] == 2)
			assert_true(entry[3] == 9 && field(entry, 4, 4) == 9 && field(entry, 8, 2) == 0xd);
		if (entry[0] == 4)
			assert_true(entry[2] == 0xff && entry[5] == 1);
		counts[entry[0]]++;
	}
	assert_ptr_equal(entry, end);
	assert_true(counts[0] == 3 && counts[1] == 1 && counts[2] == 2 && counts[4] == 1);
}

/* Every size that is too small is refused, and nothing is written beyond it (ASan watches). */
static void test_too_small(void **state)
{
	struct acpi_machine machine = machine_of(4);
	int needed = acpi_tables_build(&machine, memory, sizeof(memory), ACPI_TABLES_ADDRESS);

	(void)state;
	for (int size = 36; size <= needed; size++) {
		u8 *buffer = malloc((size_t)size);

		assert_int_equal(acpi_tables_build(&machine, buffer, (u32)size, ACPI_TABLES_ADDRESS),
				 size < needed ? ERR_MEMORY : needed);
		free(buffer);
	}
}

static void test_broken_dsdt(void **state)
{
	struct acpi_machine machine = machine_of(1);

	(void)state;
	dsdt[36]++;
	assert_int_equal(acpi_tables_build(&machine, memory, sizeof(memory), ACPI_TABLES_ADDRESS), ERR_FORMAT);
	dsdt[36]--;
	machine.dsdt_size--;
	assert_int_equal(acpi_tables_build(&machine, memory, sizeof(memory), ACPI_TABLES_ADDRESS), ERR_FORMAT);
	machine.dsdt_size = 10;
	assert_int_equal(acpi_tables_build(&machine, memory, sizeof(memory), ACPI_TABLES_ADDRESS), ERR_FORMAT);
	machine = machine_of(256);
	assert_int_equal(acpi_tables_build(&machine, memory, sizeof(memory), ACPI_TABLES_ADDRESS), ERR_FORMAT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_tables),	  cmocka_unit_test(test_fadt),	     cmocka_unit_test(test_madt),
		cmocka_unit_test(test_too_small), cmocka_unit_test(test_broken_dsdt),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
