/*
 * QEMU's isa-debug-exit at ports 0xf4 to 0xf7: a write ends the machine. The code reported is the value the guest
 * wrote; QEMU, whose exit status has only 8 bits, makes (value << 1) | 1 of it. Pure.
 */
#ifndef VMM_DEVICES_DEBUGEXIT_H
#define VMM_DEVICES_DEBUGEXIT_H

#include "vmm/devices/bus.h"

#define DEBUGEXIT_PORT	0xf4
#define DEBUGEXIT_PORTS 4

struct debugexit {
	struct device device;
};

void debugexit_init(struct debugexit *debugexit, const struct device_services *services);
/* Errors as bus_add_ports(). */
int debugexit_attach(struct debugexit *debugexit, struct bus *bus);

#endif
