/* Reset by a rising edge of a bit. */
#include "vmm/devices/reset_ports.h"

#define PORT_A_RESET  BIT(0)
#define PORT_A_A20    BIT(1)
#define CONTROL_RESET BIT(2)
#define CONTROL_KEPT  0x0eu /* hard or soft, reset, full */

static struct reset_ports *ports_of(struct device *device)
{
	return CONTAINER_OF(device, struct reset_ports, device);
}

static void reset_machine(struct reset_ports *ports, const char *why)
{
	ports->device.services->reset(ports->device.services->context, why);
}

/* A20 is always on: masking it would take another second-level map, and nothing since the 80386 needs it off. */
static enum device_answer ports_read(struct device *device, UNUSED u32 range, UNUSED u16 offset, UNUSED u8 size,
				     u32 *value)
{
	*value = ports_of(device)->port_a | (u32)PORT_A_A20;
	return DEVICE_DONE;
}

static enum device_answer ports_write(struct device *device, UNUSED u32 range, UNUSED u16 offset, UNUSED u8 size,
				      u32 value)
{
	struct reset_ports *ports = ports_of(device);
	bool rises = value & ~(u32)ports->port_a & PORT_A_RESET;

	ports->port_a = (u8)value;
	if (rises)
		reset_machine(ports, "port 0x92");
	return DEVICE_DONE;
}

u8 reset_control_read(const struct reset_ports *ports)
{
	return ports->control;
}

void reset_control_write(struct reset_ports *ports, u8 value)
{
	bool rises = value & ~(u32)ports->control & CONTROL_RESET;

	ports->control = value & CONTROL_KEPT;
	if (rises)
		reset_machine(ports, "port 0xcf9");
}

static void ports_reset(struct device *device)
{
	ports_of(device)->port_a = ports_of(device)->control = 0;
}

static const struct device_ops ports_ops = {
	.name = "reset",
	.port_read = ports_read,
	.port_write = ports_write,
	.reset = ports_reset,
};

void reset_ports_init(struct reset_ports *ports, const struct device_services *services)
{
	*ports = (struct reset_ports){.device = {.ops = &ports_ops, .services = services}};
}

int reset_ports_attach(struct reset_ports *ports, struct bus *bus)
{
	return bus_add_ports(bus, &ports->device, 0, RESET_PORT_A, RESET_PORT_A);
}
