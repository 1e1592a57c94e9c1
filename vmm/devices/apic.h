/*
 * What IOAPIC and local APICs say to each other: an interrupt message (SDM "Interrupt Command Register", "Message Data
 * Register").
 */
#ifndef VMM_DEVICES_APIC_H
#define VMM_DEVICES_APIC_H

#include "lib/types.h"

enum apic_delivery {
	APIC_FIXED = 0,
	APIC_LOWEST = 1,
	APIC_SMI = 2,
	APIC_NMI = 4,
	APIC_INIT = 5,
	APIC_STARTUP = 6,
	APIC_EXTINT = 7,
};

/* All ones: every local APIC, in physical and logical mode alike. Senders with 8-bit destinations widen 0xff to it. */
#define APIC_BROADCAST 0xffffffffu

struct apic_message {
	u32 destination;
	bool logical;
	enum apic_delivery delivery;
	u8 vector;
	bool level_triggered; /* an EOI is to be broadcast for it */
};

/* Widen an 8-bit destination. */
static inline u32 apic_destination(u32 byte)
{
	return byte == 0xff ? APIC_BROADCAST : byte;
}

#endif
