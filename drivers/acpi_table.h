/*
 * One ACPI table, its header and checksum verified, read within its bounds. For the files drivers/acpi*.c only. Pure.
 */
#ifndef DRIVERS_ACPI_TABLE_H
#define DRIVERS_ACPI_TABLE_H

#include "drivers/acpi.h"

#define ACPI_HEADER_SIZE 36u /* of a system description table */

struct acpi_table {
	const struct acpi_reader *reader;
	paddr_t pa;
	u32 length;
	char signature[5];
};

/* Open the table at `pa`; a bad one is noted in info->problem. */
bool acpi_table_open(struct acpi_table *table, struct acpi_info *info, const struct acpi_reader *reader, paddr_t pa);
bool acpi_table_is(const struct acpi_table *table, const char *signature);
/* Copy [offset, offset+size) of the table; false when it is not that long, and `to` is all zero then. */
bool acpi_table_get(const struct acpi_table *table, u32 offset, void *to, u32 size);
/* The same for numbers; 0 when the table is not that long. */
u8 acpi_table_u8(const struct acpi_table *table, u32 offset);
u16 acpi_table_u16(const struct acpi_table *table, u32 offset);
u32 acpi_table_u32(const struct acpi_table *table, u32 offset);
u64 acpi_table_u64(const struct acpi_table *table, u32 offset);
struct acpi_register acpi_table_register(const struct acpi_table *table, u32 offset);
/* Note what is wrong with a table (4 letters). */
void acpi_problem(struct acpi_info *info, const char *signature, const char *what);

/* drivers/acpi_madt.c, acpi_fadt.c, acpi_s5.c: take what is needed from a table of that kind. */
void acpi_read_madt(struct acpi_info *info, const struct acpi_table *madt);
/* Returns the address of the DSDT, 0 when there is none. */
paddr_t acpi_read_fadt(struct acpi_info *info, const struct acpi_table *fadt);
/* Look for \_S5 in the DSDT or an SSDT; does nothing when it has been found before. */
void acpi_read_s5(struct acpi_info *info, const struct acpi_table *definitions);

#endif
