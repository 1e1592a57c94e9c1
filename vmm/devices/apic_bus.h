/* From a message to the local APICs it means (SDM "Determining IPI Destination"). Pure. */
#ifndef VMM_DEVICES_APIC_BUS_H
#define VMM_DEVICES_APIC_BUS_H

#include "vmm/devices/vlapic.h"

/* All local APICs of a VM; constant while it runs. */
struct apic_bus {
	u32 count;
	struct vlapic *const *lapic;
};

/* Deliver a message of an IOAPIC or (with `from` and a shorthand) of a local APIC. Takes no lock; any core. */
void apic_send(const struct apic_bus *bus, const struct vlapic *from, enum apic_shorthand to,
	       const struct apic_message *message);

#endif
