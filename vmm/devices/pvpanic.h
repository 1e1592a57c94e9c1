/*
 * QEMU's pvpanic at port 0x505, by which a guest's kernel says that it has panicked (QEMU, docs/specs/pvpanic; ACPI
 * device QEMU0001). Linux has the driver as the modules pvpanic and pvpanic-mmio. Pure.
 */
#ifndef VMM_DEVICES_PVPANIC_H
#define VMM_DEVICES_PVPANIC_H

#include "vmm/devices/bus.h"

#define PVPANIC_PORT	 0x505
#define PVPANIC_PANICKED BIT(0)

struct pvpanic {
	struct device device;
};

void pvpanic_init(struct pvpanic *pvpanic, const struct device_services *services);
/* Errors as bus_add_ports(). */
int pvpanic_attach(struct pvpanic *pvpanic, struct bus *bus);

#endif
