/*
 * A guest's ACPI tables: RSDP, XSDT, FADT, FACS, MADT and the DSDT (ACPI specification 6.3 "ACPI Software Programming
 * Model"). Pure. They lie in one run of guest memory below 1 MiB, where systems without EFI look for the RSDP.
 */
#ifndef VMM_ACPI_TABLES_H
#define VMM_ACPI_TABLES_H

#include "lib/types.h"

#define ACPI_TABLES_ADDRESS 0xe0000ull
#define ACPI_TABLES_SIZE    0x10000u

struct acpi_machine {
	u32 vcpus;	  /* their local APIC IDs are 0 to vcpus - 1 */
	u8 ioapic_id;
	const void *dsdt; /* AML with its header */
	u32 dsdt_size;
};

/*
 * Build the tables into `buffer` as they are to stand at gpa (aligned to 64; the RSDP comes first). Returns how many
 * bytes they are, or ERR_MEMORY when `size` is too small, ERR_FORMAT when the DSDT is none.
 */
int acpi_tables_build(const struct acpi_machine *machine, u8 *buffer, u32 size, gpa_t gpa);

/* The DSDT, compiled from vmm/dsdt.asl at build time. */
extern const u8 dsdt_aml[];
extern const u32 dsdt_aml_size;

#endif
