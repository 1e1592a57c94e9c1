/*
 * The ports by which software resets a PC: system control port A at 0x92 and the reset control register at 0xcf9 (Intel
 * PIIX data sheet "RC - Reset Control Register"), which lies within the PCI host bridge's ports and comes from there.
 * Pure.
 */
#ifndef VMM_DEVICES_RESET_PORTS_H
#define VMM_DEVICES_RESET_PORTS_H

#include "vmm/devices/bus.h"

#define RESET_PORT_A	    0x92
#define RESET_CONTROL_PORT  0xcf9
#define RESET_CONTROL_VALUE 0x06 /* what ACPI tells a guest to write there */

struct reset_ports {
	struct device device;
	u8 port_a, control;
};

void reset_ports_init(struct reset_ports *ports, const struct device_services *services);
/* Port 0x92. Errors as bus_add_ports(). */
int reset_ports_attach(struct reset_ports *ports, struct bus *bus);
/* A byte access to 0xcf9. The caller holds the lock of the device that decodes it, and no other device calls these. */
u8 reset_control_read(const struct reset_ports *ports);
void reset_control_write(struct reset_ports *ports, u8 value);

#endif
