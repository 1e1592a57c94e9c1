/* Destinations: physical, logical flat and cluster, x2APIC's cluster; shorthands; lowest priority. */
#include "vmm/devices/apic_bus.h"
#include "vmm/devices/vlapic_page.h"

#define DFR_FLAT 0xfu

static bool is_physical_target(const struct vlapic *lapic, u32 destination)
{
	return destination == lapic->id;
}

/* The LDR of x2APIC mode: cluster in bits 31:16, a bit for the processor in 15:0. */
static bool is_x2_logical_target(const struct vlapic *lapic, u32 destination)
{
	u32 ldr = vlapic_get(lapic, LAPIC_LDR);

	return destination >> 16 == ldr >> 16 && destination & ldr & 0xffff;
}

/* SDM "Logical Destination Mode": eight bits each, by the model that DFR chooses. */
static bool is_logical_target(const struct vlapic *lapic, u32 destination)
{
	u32 id = vlapic_get(lapic, LAPIC_LDR) >> 24;

	if (destination > 0xff)
		return false;
	if (vlapic_get(lapic, LAPIC_DFR) >> 28 == DFR_FLAT)
		return destination & id;
	return (destination >> 4 == id >> 4 || destination >> 4 == 0xf) && destination & id & 0xf;
}

/*
 * Software-disabled, a local APIC still takes INIT, NMI, SMI and SIPI (SDM "Local APIC State After It Has Been Software
 * Disabled").
 */
static bool takes(const struct vlapic *lapic, enum apic_delivery delivery)
{
	return delivery > APIC_LOWEST || vlapic_is_enabled(lapic);
}

bool vlapic_is_target(const struct vlapic *lapic, const struct apic_message *message)
{
	if (!(vlapic_base(lapic) & BASE_EN) || !takes(lapic, message->delivery))
		return false;
	if (message->destination == APIC_BROADCAST)
		return true;
	if (!message->logical)
		return is_physical_target(lapic, message->destination);
	return vlapic_is_x2(lapic) ? is_x2_logical_target(lapic, message->destination) :
				    is_logical_target(lapic, message->destination);
}

static bool is_meant(const struct vlapic *lapic, const struct vlapic *from, enum apic_shorthand to,
		     const struct apic_message *message)
{
	switch (to) {
	case APIC_TO_SELF:
		return lapic == from && takes(lapic, message->delivery);
	case APIC_TO_ALL:
		return vlapic_base(lapic) & BASE_EN && takes(lapic, message->delivery);
	case APIC_TO_OTHERS:
		return lapic != from && vlapic_base(lapic) & BASE_EN && takes(lapic, message->delivery);
	default:
		return vlapic_is_target(lapic, message);
	}
}

/*
 * Lowest priority: one of those that are meant. Which one is up to the system (SDM "Lowest Priority Delivery Mode"); by
 * the vector, an interrupt stays with its processor and different ones are spread.
 */
static struct vlapic *choose_one(const struct apic_bus *bus, const struct vlapic *from, enum apic_shorthand to,
				const struct apic_message *message)
{
	for (u32 i = 0; i < bus->count; i++) {
		struct vlapic *lapic = bus->lapic[(message->vector + i) % bus->count];

		if (is_meant(lapic, from, to, message))
			return lapic;
	}
	return NULL;
}

void apic_send(const struct apic_bus *bus, const struct vlapic *from, enum apic_shorthand to,
	       const struct apic_message *message)
{
	struct vlapic *one = message->delivery == APIC_LOWEST ? choose_one(bus, from, to, message) : NULL;

	if (one)
		vlapic_post(one, message);
	if (message->delivery == APIC_LOWEST)
		return;
	for (u32 i = 0; i < bus->count; i++)
		if (is_meant(bus->lapic[i], from, to, message))
			vlapic_post(bus->lapic[i], message);
}
