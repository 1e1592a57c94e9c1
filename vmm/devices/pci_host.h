/*
 * PCI host bridge: configuration mechanism 1 at 0xcf8 and 0xcfc (PCI Local Bus Specification "Configuration Mechanism
 * #1"). Bus 0 has the bridge itself and nothing else yet. Pure.
 */
#ifndef VMM_DEVICES_PCI_HOST_H
#define VMM_DEVICES_PCI_HOST_H

#include "vmm/devices/bus.h"
#include "vmm/devices/reset_ports.h"

#define PCI_ADDRESS_PORT 0xcf8
#define PCI_DATA_PORT	 0xcfc

struct pci_host {
	struct device device;
	struct reset_ports *reset; /* has port 0xcf9, which is among ours */
	u32 address;
};

void pci_host_init(struct pci_host *host, const struct device_services *services, struct reset_ports *reset);
/* Errors as bus_add_ports(). */
int pci_host_attach(struct pci_host *host, struct bus *bus);

#endif
