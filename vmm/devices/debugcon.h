/* The debug console that QEMU and Bochs have at port 0xe9: a byte written is printed, a read gives 0xe9. Pure. */
#ifndef VMM_DEVICES_DEBUGCON_H
#define VMM_DEVICES_DEBUGCON_H

#include "vmm/devices/bus.h"

#define DEBUGCON_PORT 0xe9

struct debugcon {
	struct device device;
};

void debugcon_init(struct debugcon *debugcon, const struct device_services *services);
/* Errors as bus_add_ports(). */
int debugcon_attach(struct debugcon *debugcon, struct bus *bus);

#endif
