/* I/O APIC. Names as in the 82093AA data sheet. */
#include "vmm/devices/ioapic.h"

#define IOREGSEL 0x00u
#define IOWIN	 0x10u
#define EOIR	 0x40u

#define REG_ID		0x00u
#define REG_VERSION	0x01u
#define REG_ARBITRATION 0x02u
#define REG_TABLE	0x10u

#define VERSION	   0x20u
#define ID_SHIFT   24u
#define ID_MASK	   0x0fu

#define ENTRY_VECTOR	 BITS(7, 0)
#define ENTRY_DELIVERY	 BITS(10, 8)
#define ENTRY_LOGICAL	 BIT(11)
#define ENTRY_REMOTE_IRR BIT(14)
#define ENTRY_LEVEL	 BIT(15)
#define ENTRY_MASKED	 BIT(16)
/* Delivery status and remote IRR are read-only. */
#define ENTRY_WRITABLE (BITS(11, 0) | BIT(13) | BIT(15) | BIT(16) | BITS(63, 56))

static struct ioapic *ioapic_of(struct device *device)
{
	return CONTAINER_OF(device, struct ioapic, device);
}

static void send(struct ioapic *ioapic, u32 input)
{
	u64 entry = ioapic->entry[input];
	struct apic_message message = {
		.destination = apic_destination((u32)(entry >> 56)),
		.logical = entry & ENTRY_LOGICAL,
		.delivery = (enum apic_delivery)((entry & ENTRY_DELIVERY) >> 8),
		.vector = (u8)(entry & ENTRY_VECTOR),
		.level_triggered = entry & ENTRY_LEVEL,
	};

	ioapic->wires->send(ioapic->wires->context, &message);
}

/* A level input is delivered while it is asserted, unmasked and not yet accepted; remote IRR says that it is. */
static void deliver_level(struct ioapic *ioapic, u32 input)
{
	u64 entry = ioapic->entry[input];

	if (!(ioapic->lines & BIT(input)) || !(entry & ENTRY_LEVEL) || entry & (ENTRY_MASKED | ENTRY_REMOTE_IRR))
		return;
	ioapic->entry[input] |= ENTRY_REMOTE_IRR;
	send(ioapic, input);
}

static void end_of_interrupt(struct ioapic *ioapic, u8 vector)
{
	for (u32 i = 0; i < IOAPIC_INPUTS; i++) {
		if ((ioapic->entry[i] & ENTRY_VECTOR) != vector || !(ioapic->entry[i] & ENTRY_REMOTE_IRR))
			continue;
		ioapic->entry[i] &= ~ENTRY_REMOTE_IRR;
		deliver_level(ioapic, i);
	}
}

static u32 read_register(const struct ioapic *ioapic)
{
	u32 select = ioapic->select, input = (select - REG_TABLE) / 2;

	if (select == REG_ID || select == REG_ARBITRATION)
		return (u32)ioapic->id << ID_SHIFT;
	if (select == REG_VERSION)
		return VERSION | (IOAPIC_INPUTS - 1) << 16;
	if (select < REG_TABLE || input >= IOAPIC_INPUTS)
		return 0;
	return (u32)(ioapic->entry[input] >> (select & 1 ? 32 : 0));
}

static void write_entry(struct ioapic *ioapic, u32 input, bool high, u32 value)
{
	u64 *entry = &ioapic->entry[input];
	u64 mask = high ? BITS(63, 32) : BITS(31, 0), wanted = high ? (u64)value << 32 : value;

	mask &= ENTRY_WRITABLE;
	*entry = (*entry & ~mask) | (wanted & mask);
	/*
	 * An edge input has nothing to wait for. Systems without an EOI register switch to edge and back to clear it by
	 * hand.
	 */
	if (!(*entry & ENTRY_LEVEL))
		*entry &= ~ENTRY_REMOTE_IRR;
	deliver_level(ioapic, input);
}

static void write_register(struct ioapic *ioapic, u32 value)
{
	u32 select = ioapic->select, input = (select - REG_TABLE) / 2;

	if (select == REG_ID)
		ioapic->id = value >> ID_SHIFT & ID_MASK;
	else if (select >= REG_TABLE && input < IOAPIC_INPUTS)
		write_entry(ioapic, input, select & 1, value);
}

/* The registers are 32 bits wide at addresses that are multiples of 16; what lies between reads as 0. */
static enum device_answer ioapic_read(struct device *device, UNUSED u32 range, u64 offset, UNUSED u8 size, u64 *value)
{
	struct ioapic *ioapic = ioapic_of(device);

	*value = 0;
	if (offset == IOREGSEL)
		*value = ioapic->select;
	else if (offset == IOWIN)
		*value = read_register(ioapic);
	return DEVICE_DONE;
}

static enum device_answer ioapic_write(struct device *device, UNUSED u32 range, u64 offset, UNUSED u8 size, u64 value)
{
	struct ioapic *ioapic = ioapic_of(device);

	if (offset == IOREGSEL)
		ioapic->select = (u8)value;
	else if (offset == IOWIN)
		write_register(ioapic, (u32)value);
	else if (offset == EOIR)
		end_of_interrupt(ioapic, (u8)value);
	return DEVICE_DONE;
}

static void ioapic_reset(struct device *device)
{
	struct ioapic *ioapic = ioapic_of(device);

	ioapic->select = 0;
	for (u32 i = 0; i < IOAPIC_INPUTS; i++)
		ioapic->entry[i] = ENTRY_MASKED;
}

static const struct device_ops ioapic_ops = {
	.name = "ioapic",
	.mmio_read = ioapic_read,
	.mmio_write = ioapic_write,
	.reset = ioapic_reset,
};

void ioapic_init(struct ioapic *ioapic, const struct device_services *services, const struct ioapic_wires *wires, u8 id)
{
	*ioapic = (struct ioapic){.device = {.ops = &ioapic_ops, .services = services}, .wires = wires, .id = id};
	ioapic_reset(&ioapic->device);
}

int ioapic_attach(struct ioapic *ioapic, struct bus *bus)
{
	return bus_add_mmio(bus, &ioapic->device, 0, IOAPIC_ADDRESS, IOAPIC_SIZE);
}

void ioapic_set_line(struct ioapic *ioapic, u32 input, bool level)
{
	bool rises;

	if (input >= IOAPIC_INPUTS)
		return;
	lock_acquire(&ioapic->device.lock);
	rises = level && !(ioapic->lines & BIT(input));
	ioapic->lines = level ? ioapic->lines | (u32)BIT(input) : ioapic->lines & (u32)~BIT(input);
	if (ioapic->entry[input] & ENTRY_LEVEL)
		deliver_level(ioapic, input);
	else if (rises && !(ioapic->entry[input] & ENTRY_MASKED)) /* "Interrupt Mask": a masked edge is not kept */
		send(ioapic, input);
	lock_release(&ioapic->device.lock);
}

void ioapic_eoi(struct ioapic *ioapic, u8 vector)
{
	lock_acquire(&ioapic->device.lock);
	end_of_interrupt(ioapic, vector);
	lock_release(&ioapic->device.lock);
}
