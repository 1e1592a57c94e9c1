/* Where devices are found. An access that lies in one range goes to its device whole; any other is split into bytes. */
#include "vmm/devices/bus.h"
#include "lib/string.h"

static enum device_answer read_ones(UNUSED struct device *device, UNUSED u32 range, UNUSED u16 offset, UNUSED u8 size,
				    u32 *value)
{
	*value = ~0u;
	return DEVICE_DONE;
}

static enum device_answer write_nothing(UNUSED struct device *device, UNUSED u32 range, UNUSED u16 offset,
					UNUSED u8 size, UNUSED u32 value)
{
	return DEVICE_DONE;
}

static enum device_answer read_mmio_ones(UNUSED struct device *device, UNUSED u32 range, UNUSED u64 offset,
					 UNUSED u8 size, u64 *value)
{
	*value = ~0ull;
	return DEVICE_DONE;
}

static enum device_answer write_mmio_nothing(UNUSED struct device *device, UNUSED u32 range, UNUSED u64 offset,
					     UNUSED u8 size, UNUSED u64 value)
{
	return DEVICE_DONE;
}

static const struct device_ops nobody_ops = {.name = "nobody"};

const u32 bus_port_ones[5] = {[1] = 0xff, [2] = 0xffff, [4] = 0xffffffff};

void bus_init(struct bus *bus)
{
	memset(bus, 0, sizeof(*bus));
	bus->nobody.ops = &nobody_ops;
	/* Its end is before every port: only single bytes are taken whole. */
	bus->port[0] = (struct bus_port_range){.device = &bus->nobody, .read = read_ones, .write = write_nothing};
}

int bus_add_ports(struct bus *bus, struct device *device, u32 range, u16 first, u16 last)
{
	const struct device_ops *ops = device->ops;

	if (first > last)
		return ERR_INVALID;
	for (u32 port = first; port <= last; port++)
		if (bus->port_map[port])
			return ERR_EXISTS;
	if (bus->port_count == BUS_PORT_RANGES)
		return ERR_MEMORY;
	bus->port[++bus->port_count] = (struct bus_port_range){
		.first = first,
		.last = last,
		.range = (u16)range,
		.byte_wide = ops->byte_wide,
		.device = device,
		.read = ops->port_read ? ops->port_read : read_ones,
		.write = ops->port_write ? ops->port_write : write_nothing,
	};
	memset(bus->port_map + first, (u8)bus->port_count, last - first + 1u);
	return OK;
}

int bus_add_mmio(struct bus *bus, struct device *device, u32 range, gpa_t start, u64 size)
{
	const struct device_ops *ops = device->ops;
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
	bus->mmio[at] = (struct bus_mmio_range){
		.start = start,
		.end = end,
		.range = range,
		.device = device,
		.read = ops->mmio_read ? ops->mmio_read : read_mmio_ones,
		.write = ops->mmio_write ? ops->mmio_write : write_mmio_nothing,
	};
	bus->mmio_count++;
	for (u32 i = at; i < bus->mmio_count; i++)
		bus->mmio_map[bus_mmio_hash(bus->mmio[i].start)] = (u8)i;
	return OK;
}

const struct bus_mmio_range *bus_search_mmio(const struct bus *bus, gpa_t gpa)
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

/* The last port has none behind it: port 0 is not it. */
enum device_answer bus_read_bytes(struct bus *bus, u32 port, u8 size, u32 *value)
{
	*value = ~0u;
	for (u8 i = 0; i < size && port + i < ARRAY_SIZE(bus->port_map); i++) {
		u32 byte;

		if (bus_port_read(bus, (u16)(port + i), 1, &byte) == DEVICE_PENDING)
			return DEVICE_PENDING;
		*value = (*value & ~(0xffu << (8 * i))) | (byte & 0xff) << (8 * i);
	}
	return DEVICE_DONE;
}

enum device_answer bus_write_bytes(struct bus *bus, u32 port, u8 size, u32 value)
{
	for (u8 i = 0; i < size && port + i < ARRAY_SIZE(bus->port_map); i++)
		if (bus_port_write(bus, (u16)(port + i), 1, value >> (8 * i)) == DEVICE_PENDING)
			return DEVICE_PENDING;
	return DEVICE_DONE;
}

static const u64 size_masks[9] = {[1] = 0xff, [2] = 0xffff, [4] = 0xffffffff, [8] = ~0ull};

static inline enum device_answer read_range(const struct bus_mmio_range *range, gpa_t gpa, u8 size, u64 *value)
{
	enum device_answer answer;

	*value = 0;
	lock_acquire(&range->device->lock);
	answer = range->read(range->device, range->range, gpa - range->start, size, value);
	lock_release(&range->device->lock);
	*value &= size_masks[size];
	return answer;
}

static inline enum device_answer write_range(const struct bus_mmio_range *range, gpa_t gpa, u8 size, u64 value)
{
	enum device_answer answer;

	lock_acquire(&range->device->lock);
	answer = range->write(range->device, range->range, gpa - range->start, size, value & size_masks[size]);
	lock_release(&range->device->lock);
	return answer;
}

static enum device_answer __attribute__((noinline)) read_mmio_bytes(struct bus *bus, gpa_t gpa, u8 size, u64 *value)
{
	*value = size_masks[size];
	for (u8 i = 0; i < size; i++) {
		const struct bus_mmio_range *range = bus_find_mmio(bus, gpa + i);
		u64 byte = 0xff;

		if (range && read_range(range, gpa + i, 1, &byte) == DEVICE_PENDING)
			return DEVICE_PENDING;
		*value = (*value & ~(0xffull << (8 * i))) | byte << (8 * i);
	}
	return DEVICE_DONE;
}

static enum device_answer __attribute__((noinline)) write_mmio_bytes(struct bus *bus, gpa_t gpa, u8 size, u64 value)
{
	for (u8 i = 0; i < size; i++) {
		const struct bus_mmio_range *range = bus_find_mmio(bus, gpa + i);

		if (range && write_range(range, gpa + i, 1, value >> (8 * i)) == DEVICE_PENDING)
			return DEVICE_PENDING;
	}
	return DEVICE_DONE;
}

static inline bool mmio_takes_whole(const struct bus_mmio_range *range, gpa_t gpa, u8 size)
{
	return range && size <= range->end - gpa;
}

enum device_answer bus_range_read(struct bus *bus, const struct bus_mmio_range *range, gpa_t gpa, u8 size, u64 *value)
{
	return LIKELY(mmio_takes_whole(range, gpa, size)) ? read_range(range, gpa, size, value) :
							  read_mmio_bytes(bus, gpa, size, value);
}

enum device_answer bus_range_write(struct bus *bus, const struct bus_mmio_range *range, gpa_t gpa, u8 size, u64 value)
{
	return LIKELY(mmio_takes_whole(range, gpa, size)) ? write_range(range, gpa, size, value) :
							  write_mmio_bytes(bus, gpa, size, value);
}
