/*
 * ACPI fixed hardware: PM1a event and control registers and the PM timer (ACPI specification "ACPI Register Model").
 * The machine is in ACPI mode from the start: there is no SMI command port. Pure.
 */
#ifndef VMM_DEVICES_ACPI_PM_H
#define VMM_DEVICES_ACPI_PM_H

#include "vmm/devices/bus.h"

#define ACPI_PM_EVENT_PORT   0x600 /* status, enable: 16 bits each */
#define ACPI_PM_CONTROL_PORT 0x604
#define ACPI_PM_TIMER_PORT   0x608
#define ACPI_PM_TIMER_HZ     3579545u
#define ACPI_PM_LINE	     9 /* SCI */
#define ACPI_SLEEP_S5	     5 /* SLP_TYP of \_S5 in vmm/dsdt.asl */

struct acpi_pm {
	struct device device;
	u32 line;
	u16 status, enable, control;
	u64 checked_ticks; /* PM timer, 64 bits wide, up to which TMR_STS has been found */
	bool level;
	struct device_timer timer; /* the next change of the PM timer's top bit, while that interrupt is enabled */
};

void acpi_pm_init(struct acpi_pm *pm, const struct device_services *services, u32 line);
/* Errors as bus_add_ports(). */
int acpi_pm_attach(struct acpi_pm *pm, struct bus *bus);
/* Somebody presses the power button: the guest is asked to shut down. Takes the device's lock; any core. */
void acpi_pm_power_button(struct acpi_pm *pm);

#endif
