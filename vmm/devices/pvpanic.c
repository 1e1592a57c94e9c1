/* The panic port. */
#include "vmm/devices/pvpanic.h"

/*
 * The events that count here. "Crash loaded" is not among them: a guest that has a crash kernel loaded goes on into it,
 * and its end is what that kernel asks for.
 */
static enum device_answer pvpanic_read(UNUSED struct device *device, UNUSED u32 range, UNUSED u16 offset,
				       UNUSED u8 size, u32 *value)
{
	*value = PVPANIC_PANICKED;
	return DEVICE_DONE;
}

static enum device_answer pvpanic_write(struct device *device, UNUSED u32 range, UNUSED u16 offset, UNUSED u8 size,
					u32 value)
{
	if (value & PVPANIC_PANICKED)
		device->services->crash(device->services->context, "kernel panic, as it said by pvpanic");
	return DEVICE_DONE;
}

static const struct device_ops pvpanic_ops = {
	.name = "pvpanic",
	.port_read = pvpanic_read,
	.port_write = pvpanic_write,
};

void pvpanic_init(struct pvpanic *pvpanic, const struct device_services *services)
{
	*pvpanic = (struct pvpanic){.device = {.ops = &pvpanic_ops, .services = services}};
}

int pvpanic_attach(struct pvpanic *pvpanic, struct bus *bus)
{
	return bus_add_ports(bus, &pvpanic->device, 0, PVPANIC_PORT, PVPANIC_PORT);
}
