/*
 * I/O APIC with 24 inputs (Intel 82093AA data sheet; version 0x20 of later chip sets, which has an EOI register). Pure.
 */
#ifndef VMM_DEVICES_IOAPIC_H
#define VMM_DEVICES_IOAPIC_H

#include "vmm/devices/apic.h"
#include "vmm/devices/bus.h"

#define IOAPIC_ADDRESS 0xfec00000ull
#define IOAPIC_SIZE    0x1000u
#define IOAPIC_INPUTS  24u

struct ioapic_wires {
	void *context;
	/* Deliver to the local APICs. Called with the IOAPIC's lock held. */
	void (*send)(void *context, const struct apic_message *message);
};

struct ioapic {
	struct device device;
	const struct ioapic_wires *wires;
	u8 id, select;
	u32 lines; /* BIT(input): asserted */
	u64 entry[IOAPIC_INPUTS]; /* redirection table */
};

void ioapic_init(struct ioapic *ioapic, const struct device_services *services, const struct ioapic_wires *wires,
		 u8 id);
/* Errors as bus_add_mmio(). */
int ioapic_attach(struct ioapic *ioapic, struct bus *bus);
/* Assert or release an input (whatever its polarity, true is asserted). Takes the device's lock; any core. */
void ioapic_set_line(struct ioapic *ioapic, u32 input, bool level);
/* A local APIC has ended a level-triggered interrupt of this vector. Takes the device's lock; any core. */
void ioapic_eoi(struct ioapic *ioapic, u8 vector);

#endif
