/* Where devices are found. An access that lies in one range goes to its device whole; any other is split into bytes. */
#include "vmm/devices/bus.h"
#include "lib/string.h"

void bus_init(struct bus *bus)
{
	memset(bus, 0, sizeof(*bus));
}

int bus_add_ports(struct bus *bus, struct device *device, u32 range, u16 first, u16 last)
{
	if (first > last)
		return ERR_INVALID;
	for (u32 port = first; port <= last; port++)
		if (bus->port_map[port])
			return ERR_EXISTS;
	if (bus->port_count == BUS_PORT_RANGES)
		return ERR_MEMORY;
	bus->port[bus->port_count++] = (struct bus_port_range){first, last, range, device};
	memset(bus->port_map + first, (u8)bus->port_count, last - first + 1u);
	return OK;
}

int bus_add_mmio(struct bus *bus, struct device *device, u32 range, gpa_t start, u64 size)
{
	gpa_t end = start + size;
	u32 at = 0;

	if (!size || end < start)
		return ERR_INVALID;
	while (at < bus->mmio_count && bus->mmio[at].end <= start)
		at++;
	if (at < bus->mmio_count && bus->mmio[at].start < end)
		return ERR_EXISTS;
	if (bus->mmio_count == BUS_MMIO_RANGES)
		return ERR_MEMORY;
	memmove(bus->mmio + at + 1, bus->mmio + at, (bus->mmio_count - at) * sizeof(bus->mmio[0]));
	bus->mmio[at] = (struct bus_mmio_range){start, end, range, device};
	bus->mmio_count++;
	return OK;
}

static u64 all_ones(u8 size)
{
	return ~0ull >> (64 - 8 * size);
}

static const struct bus_port_range *port_range(const struct bus *bus, u32 port)
{
	u8 index = port <= 0xffff ? bus->port_map[port] : 0;

	return index ? &bus->port[index - 1] : NULL;
}

static const struct bus_mmio_range *mmio_range(const struct bus *bus, gpa_t gpa)
{
	u32 low = 0, high = bus->mmio_count;

	while (low < high) {
		u32 middle = (low + high) / 2;

		if (gpa >= bus->mmio[middle].end)
			low = middle + 1;
		else
			high = middle;
	}
	return low < bus->mmio_count && gpa >= bus->mmio[low].start ? &bus->mmio[low] : NULL;
}

static enum device_answer read_port_range(const struct bus_port_range *range, u32 port, u8 size, u32 *value)
{
	struct device *device = range->device;
	enum device_answer answer;

	*value = (u32)all_ones(size);
	if (!device->ops->port_read)
		return DEVICE_DONE;
	lock_acquire(&device->lock);
	answer = device->ops->port_read(device, range->range, (u16)(port - range->first), size, value);
	lock_release(&device->lock);
	*value &= (u32)all_ones(size);
	return answer;
}

static enum device_answer write_port_range(const struct bus_port_range *range, u32 port, u8 size, u32 value)
{
	struct device *device = range->device;
	enum device_answer answer;

	if (!device->ops->port_write)
		return DEVICE_DONE;
	lock_acquire(&device->lock);
	answer = device->ops->port_write(device, range->range, (u16)(port - range->first), size,
					 value & (u32)all_ones(size));
	lock_release(&device->lock);
	return answer;
}

/* Whether one range, or none, has all bytes of the access. */
static bool port_is_whole(const struct bus *bus, u32 port, u8 size)
{
	const struct bus_port_range *range = port_range(bus, port);

	for (u8 i = 1; i < size; i++)
		if (port_range(bus, port + i) != range)
			return false;
	return true;
}

enum device_answer bus_port_read(struct bus *bus, u16 port, u8 size, u32 *value)
{
	const struct bus_port_range *range = port_range(bus, port);

	*value = (u32)all_ones(size);
	if (port_is_whole(bus, port, size))
		return range ? read_port_range(range, port, size, value) : DEVICE_DONE;
	for (u8 i = 0; i < size; i++) {
		u32 byte = 0xff;

		range = port_range(bus, (u32)port + i);
		if (range && read_port_range(range, (u32)port + i, 1, &byte) == DEVICE_PENDING)
			return DEVICE_PENDING;
		*value = (*value & ~(0xffu << (8 * i))) | byte << (8 * i);
	}
	return DEVICE_DONE;
}

enum device_answer bus_port_write(struct bus *bus, u16 port, u8 size, u32 value)
{
	const struct bus_port_range *range = port_range(bus, port);

	if (port_is_whole(bus, port, size))
		return range ? write_port_range(range, port, size, value) : DEVICE_DONE;
	for (u8 i = 0; i < size; i++) {
		range = port_range(bus, (u32)port + i);
		if (range && write_port_range(range, (u32)port + i, 1, value >> (8 * i)) == DEVICE_PENDING)
			return DEVICE_PENDING;
	}
	return DEVICE_DONE;
}

bool bus_has_mmio(const struct bus *bus, gpa_t gpa)
{
	return mmio_range(bus, gpa) != NULL;
}

static enum device_answer read_mmio_range(const struct bus_mmio_range *range, gpa_t gpa, u8 size, u64 *value)
{
	struct device *device = range->device;
	enum device_answer answer;

	*value = all_ones(size);
	if (!device->ops->mmio_read)
		return DEVICE_DONE;
	lock_acquire(&device->lock);
	answer = device->ops->mmio_read(device, range->range, gpa - range->start, size, value);
	lock_release(&device->lock);
	*value &= all_ones(size);
	return answer;
}

static enum device_answer write_mmio_range(const struct bus_mmio_range *range, gpa_t gpa, u8 size, u64 value)
{
	struct device *device = range->device;
	enum device_answer answer;

	if (!device->ops->mmio_write)
		return DEVICE_DONE;
	lock_acquire(&device->lock);
	answer = device->ops->mmio_write(device, range->range, gpa - range->start, size, value & all_ones(size));
	lock_release(&device->lock);
	return answer;
}

static bool mmio_is_whole(const struct bus *bus, gpa_t gpa, u8 size)
{
	const struct bus_mmio_range *range = mmio_range(bus, gpa);

	for (u8 i = 1; i < size; i++)
		if (mmio_range(bus, gpa + i) != range)
			return false;
	return true;
}

enum device_answer bus_mmio_read(struct bus *bus, gpa_t gpa, u8 size, u64 *value)
{
	const struct bus_mmio_range *range = mmio_range(bus, gpa);

	*value = all_ones(size);
	if (mmio_is_whole(bus, gpa, size))
		return range ? read_mmio_range(range, gpa, size, value) : DEVICE_DONE;
	for (u8 i = 0; i < size; i++) {
		u64 byte = 0xff;

		range = mmio_range(bus, gpa + i);
		if (range && read_mmio_range(range, gpa + i, 1, &byte) == DEVICE_PENDING)
			return DEVICE_PENDING;
		*value = (*value & ~(0xffull << (8 * i))) | byte << (8 * i);
	}
	return DEVICE_DONE;
}

enum device_answer bus_mmio_write(struct bus *bus, gpa_t gpa, u8 size, u64 value)
{
	const struct bus_mmio_range *range = mmio_range(bus, gpa);

	if (mmio_is_whole(bus, gpa, size))
		return range ? write_mmio_range(range, gpa, size, value) : DEVICE_DONE;
	for (u8 i = 0; i < size; i++) {
		range = mmio_range(bus, gpa + i);
		if (range && write_mmio_range(range, gpa + i, 1, value >> (8 * i)) == DEVICE_PENDING)
			return DEVICE_PENDING;
	}
	return DEVICE_DONE;
}
