/* What firmware says of the machine: ACPI where there is any, MP Services' list where not. */
#ifndef VMM_PLATFORM_H
#define VMM_PLATFORM_H

#include "boot/boot_info.h"
#include "drivers/acpi.h"

/* Boot core, once, before the others start; constant after. */
extern struct acpi_info platform_acpi;

/* Read the ACPI tables, if any, and log what was found and what is wrong with them. */
void platform_read(const struct boot_info *info);
/* The APIC IDs of all enabled cores, this one too; at most `max`. Returns how many. */
u32 platform_list_cores(const struct boot_info *info, u32 *apic_ids, u32 max);

#endif
