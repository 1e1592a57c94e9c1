/* The exit port. */
#include "vmm/devices/debugexit.h"

static enum device_answer debugexit_read(UNUSED struct device *device, UNUSED u32 range, UNUSED u16 offset,
					 UNUSED u8 size, u32 *value)
{
	*value = 0; /* as in QEMU */
	return DEVICE_DONE;
}

static enum device_answer debugexit_write(struct device *device, UNUSED u32 range, UNUSED u16 offset, UNUSED u8 size,
					  u32 value)
{
	device->services->end(device->services->context, value, "debug exit port");
	return DEVICE_DONE;
}

static const struct device_ops debugexit_ops = {
	.name = "debugexit",
	.port_read = debugexit_read,
	.port_write = debugexit_write,
};

void debugexit_init(struct debugexit *debugexit, const struct device_services *services)
{
	*debugexit = (struct debugexit){.device = {.ops = &debugexit_ops, .services = services}};
}

int debugexit_attach(struct debugexit *debugexit, struct bus *bus)
{
	return bus_add_ports(bus, &debugexit->device, 0, DEBUGEXIT_PORT, DEBUGEXIT_PORT + DEBUGEXIT_PORTS - 1);
}
