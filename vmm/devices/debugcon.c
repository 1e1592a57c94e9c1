/* Debug console at port 0xe9. */
#include "vmm/devices/debugcon.h"

/* Reading the port number back is how a guest finds out that the console is there. */
static enum device_answer debugcon_read(UNUSED struct device *device, UNUSED u32 range, UNUSED u16 offset,
					UNUSED u8 size, u32 *value)
{
	*value = DEBUGCON_PORT;
	return DEVICE_DONE;
}

/*
 * The range is one port wide, so the bus only brings single bytes. What the backend does not take is lost: the port has
 * no state.
 */
static enum device_answer debugcon_write(struct device *device, UNUSED u32 range, UNUSED u16 offset, UNUSED u8 size,
					 u32 value)
{
	u8 byte = (u8)value;

	device->services->push(device->services->context, BACKEND_CONSOLE, &byte, 1);
	return DEVICE_DONE;
}

static const struct device_ops debugcon_ops = {
	.name = "debugcon",
	.port_read = debugcon_read,
	.port_write = debugcon_write,
};

void debugcon_init(struct debugcon *debugcon, const struct device_services *services)
{
	*debugcon = (struct debugcon){.device = {.ops = &debugcon_ops, .services = services}};
}

int debugcon_attach(struct debugcon *debugcon, struct bus *bus)
{
	return bus_add_ports(bus, &debugcon->device, 0, DEBUGCON_PORT, DEBUGCON_PORT);
}
