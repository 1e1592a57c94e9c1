/*
 * Where devices are found: ports by a direct map, MMIO ranges by a sorted array. Pure. Built at VM creation, then
 * constant.
 */
#ifndef VMM_DEVICES_BUS_H
#define VMM_DEVICES_BUS_H

#include "core/lock.h"
#include "lib/types.h"
#include "vmm/devices/services.h"

enum device_answer { DEVICE_DONE, DEVICE_PENDING };

/*
 * Port and MMIO ops get the offset from the start of the range they were registered for; `range` is its number. Reads
 * set all of *value.
 */
struct device_ops {
	const char *name;
	bool byte_wide; /* an 8-bit bus: a wider access to its ports comes as one of each byte, in rising order */
	enum device_answer (*port_read)(struct device *device, u32 range, u16 offset, u8 size, u32 *value);
	enum device_answer (*port_write)(struct device *device, u32 range, u16 offset, u8 size, u32 value);
	enum device_answer (*mmio_read)(struct device *device, u32 range, u64 offset, u8 size, u64 *value);
	enum device_answer (*mmio_write)(struct device *device, u32 range, u64 offset, u8 size, u64 value);
	void (*reset)(struct device *device);
};

struct device {
	const struct device_ops *ops;
	const struct device_services *services;
	struct spinlock lock; /* held around every op */
};
/* A device type begins with struct device and finds itself by CONTAINER_OF. */

#define BUS_PORT_RANGES 48
#define BUS_MMIO_RANGES 24
#define BUS_MMIO_MAP	64

/* What an access needs is copied here, where it is in one place and never NULL. */
struct bus_port_range {
	u16 first, last, range;
	bool byte_wide;
	struct device *device;
	enum device_answer (*read)(struct device *device, u32 range, u16 offset, u8 size, u32 *value);
	enum device_answer (*write)(struct device *device, u32 range, u16 offset, u8 size, u32 value);
};

struct bus_mmio_range {
	gpa_t start, end;
	u32 range;
	struct device *device;
	enum device_answer (*read)(struct device *device, u32 range, u64 offset, u8 size, u64 *value);
	enum device_answer (*write)(struct device *device, u32 range, u64 offset, u8 size, u64 value);
};

struct bus {
	u32 port_count, mmio_count;
	struct device nobody; /* behind port[0] */
	struct bus_port_range port[1 + BUS_PORT_RANGES]; /* the first: what no device decodes */
	struct bus_mmio_range mmio[BUS_MMIO_RANGES];	 /* sorted */
	u8 mmio_map[BUS_MMIO_MAP]; /* index into mmio[] by bus_mmio_hash(): a guess, which the range itself confirms */
	u8 port_map[65536];				 /* index into port[] */
};

void bus_init(struct bus *bus);
/* ERR_EXISTS: overlaps another; ERR_MEMORY: table full. */
int bus_add_ports(struct bus *bus, struct device *device, u32 range, u16 first, u16 last);
int bus_add_mmio(struct bus *bus, struct device *device, u32 range, gpa_t start, u64 size);
/* All ones, by the size of a port access. */
extern const u32 bus_port_ones[5];

/* The parts of the two below for an access that no range takes whole. */
enum device_answer bus_read_bytes(struct bus *bus, u32 port, u8 size, u32 *value);
enum device_answer bus_write_bytes(struct bus *bus, u32 port, u8 size, u32 value);

/* The compiler is kept from working the address out anew at each use. */
static inline const struct bus_port_range *bus_port_range(const struct bus *bus, u16 port)
{
	const struct bus_port_range *range = &bus->port[bus->port_map[port]];

	__asm__("" : "+r"(range));
	return range;
}

/* Whether a range takes an access whole that begins in it. */
static inline bool bus_takes_whole(const struct bus_port_range *range, u32 port, u8 size)
{
	return LIKELY(size == 1) || (port + size - 1u <= range->last && !range->byte_wide);
}

/*
 * size 1, 2 or 4. What no device decodes reads as all ones and ignores writes, as on a PC; an access that straddles
 * ranges is split into bytes. DEVICE_PENDING: the access is to be repeated, whole, when the device woke the vCPU. What
 * is read beyond the size means nothing, here as in the devices' ops; what they are to write has 0 there.
 */
static inline enum device_answer bus_port_read(struct bus *bus, u16 port, u8 size, u32 *value)
{
	const struct bus_port_range *range = bus_port_range(bus, port);
	enum device_answer answer;

	if (UNLIKELY(!bus_takes_whole(range, port, size)))
		return bus_read_bytes(bus, port, size, value);
	lock_acquire(&range->device->lock);
	answer = range->read(range->device, range->range, (u16)(port - range->first), size, value);
	lock_release(&range->device->lock);
	return answer;
}

static inline enum device_answer bus_port_write(struct bus *bus, u16 port, u8 size, u32 value)
{
	const struct bus_port_range *range = bus_port_range(bus, port);
	enum device_answer answer;

	if (UNLIKELY(!bus_takes_whole(range, port, size)))
		return bus_write_bytes(bus, port, size, value);
	lock_acquire(&range->device->lock);
	answer = range->write(range->device, range->range, (u16)(port - range->first), size,
			      value & bus_port_ones[size]);
	lock_release(&range->device->lock);
	return answer;
}

/* Of a page: the APICs', which are a megabyte apart, must not be alike. */
static inline u32 bus_mmio_hash(gpa_t gpa)
{
	return (u32)(gpa >> 12 ^ gpa >> 20) % BUS_MMIO_MAP;
}

/* The slow part of what is below. */
const struct bus_mmio_range *bus_search_mmio(const struct bus *bus, gpa_t gpa);

/* The range that an address lies in; NULL: none. */
static inline const struct bus_mmio_range *bus_find_mmio(const struct bus *bus, gpa_t gpa)
{
	const struct bus_mmio_range *range = &bus->mmio[bus->mmio_map[bus_mmio_hash(gpa)]];

	return LIKELY(gpa >= range->start && gpa < range->end) ? range : bus_search_mmio(bus, gpa);
}

/* size 1, 2, 4 or 8, and the range that the access begins in; else the same. What is read has 0 beyond the size. */
enum device_answer bus_range_read(struct bus *bus, const struct bus_mmio_range *range, gpa_t gpa, u8 size, u64 *value);
enum device_answer bus_range_write(struct bus *bus, const struct bus_mmio_range *range, gpa_t gpa, u8 size, u64 value);

static inline enum device_answer bus_mmio_read(struct bus *bus, gpa_t gpa, u8 size, u64 *value)
{
	return bus_range_read(bus, bus_find_mmio(bus, gpa), gpa, size, value);
}

static inline enum device_answer bus_mmio_write(struct bus *bus, gpa_t gpa, u8 size, u64 value)
{
	return bus_range_write(bus, bus_find_mmio(bus, gpa), gpa, size, value);
}

#endif
