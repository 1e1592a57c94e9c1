/* Powering the machine off, and resetting it. */
#ifndef DRIVERS_POWER_H
#define DRIVERS_POWER_H

#include "boot/boot_info.h"
#include "drivers/acpi.h"
#include "lib/types.h"

/*
 * Keep what power_off() needs. Boot core, once, after the ACPI tables have been read (`acpi` all zero where there are
 * none) and while the loader's memory map is still there. Both may be gone afterwards.
 */
void power_init(const struct boot_info *info, const struct acpi_info *acpi);
/*
 * Stop all other cores and switch the machine off: by UEFI's ResetSystem(), else by ACPI's \_S5, else by an emulator's
 * port. What does not work is logged; at last asks the user to do it, and halts.
 */
NORETURN void power_off(void);
/* The same for a cold restart: ResetSystem(), ACPI's reset register, the keyboard controller, a triple fault. */
NORETURN void power_reset(void);

#endif
