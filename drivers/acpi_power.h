/* ACPI's fixed hardware for soft off and reset (ACPI specification, "Fixed Hardware Registers"). */
#ifndef DRIVERS_ACPI_POWER_H
#define DRIVERS_ACPI_POWER_H

#include "drivers/acpi.h"

/* Keep and map the registers. Boot core, once. */
void acpi_power_init(const struct acpi_info *acpi);
/* Both return only when it did not work, with the reason; two seconds (turning ACPI mode on: three more) at most. */
const char *acpi_power_off(void);
const char *acpi_power_reset(void);

#endif
