/* PCI configuration space by two ports. */
#include "vmm/devices/pci_host.h"

#define ADDRESS_ENABLE	 BIT(31)
#define ADDRESS_FUNCTION BITS(23, 8) /* bus, device, function */
#define ADDRESS_REGISTER BITS(7, 2)
#define ADDRESS_KEPT	 (ADDRESS_ENABLE | ADDRESS_FUNCTION | ADDRESS_REGISTER)

#define DATA_OFFSET    4u
#define CONTROL_OFFSET (RESET_CONTROL_PORT - PCI_ADDRESS_PORT)

/*
 * The IDs of the generic host bridge that QEMU's vendor reserved for such machines: no operating system has quirks for
 * it.
 */
#define HOST_ID	   (0x0008u << 16 | 0x1b36u)
#define HOST_CLASS 0x06000000u /* host bridge, revision 0 */

static struct pci_host *host_of(struct device *device)
{
	return CONTAINER_OF(device, struct pci_host, device);
}

/* Where no function is, reads give all ones. The bridge has no registers that could be written. */
static u32 read_config(const struct pci_host *host)
{
	u32 at = (u32)(host->address & ADDRESS_REGISTER);

	if (!(host->address & ADDRESS_ENABLE) || host->address & ADDRESS_FUNCTION)
		return 0xffffffff;
	if (at == 0x00)
		return HOST_ID;
	return at == 0x08 ? HOST_CLASS : 0;
}

/* The address register is only there for 32-bit accesses; narrower ones belong to whatever else has these ports. */
static enum device_answer host_read(struct device *device, UNUSED u32 range, u16 offset, u8 size, u32 *value)
{
	struct pci_host *host = host_of(device);

	*value = ~0u;
	if (offset >= DATA_OFFSET)
		*value = read_config(host) >> (8 * (offset - DATA_OFFSET));
	else if (offset == 0 && size == 4)
		*value = host->address;
	else if (offset == CONTROL_OFFSET && size == 1)
		*value = reset_control_read(host->reset);
	return DEVICE_DONE;
}

static enum device_answer host_write(struct device *device, UNUSED u32 range, u16 offset, u8 size, u32 value)
{
	struct pci_host *host = host_of(device);

	if (offset == 0 && size == 4)
		host->address = value & (u32)ADDRESS_KEPT;
	else if (offset == CONTROL_OFFSET && size == 1)
		reset_control_write(host->reset, (u8)value);
	return DEVICE_DONE;
}

static void host_reset(struct device *device)
{
	host_of(device)->address = 0;
}

static const struct device_ops host_ops = {
	.name = "pci-host",
	.port_read = host_read,
	.port_write = host_write,
	.reset = host_reset,
};

void pci_host_init(struct pci_host *host, const struct device_services *services, struct reset_ports *reset)
{
	*host = (struct pci_host){.device = {.ops = &host_ops, .services = services}, .reset = reset};
}

int pci_host_attach(struct pci_host *host, struct bus *bus)
{
	return bus_add_ports(bus, &host->device, 0, PCI_ADDRESS_PORT, PCI_DATA_PORT + 3);
}
