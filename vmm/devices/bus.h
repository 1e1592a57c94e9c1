/* Where devices are found: ports by a direct map, MMIO ranges by a sorted array. Pure. Built at VM creation, then constant. */
#ifndef VMM_DEVICES_BUS_H
#define VMM_DEVICES_BUS_H

#include "core/lock.h"
#include "lib/types.h"
#include "vmm/devices/services.h"

enum device_answer { DEVICE_DONE, DEVICE_PENDING };

/* Port and MMIO ops get the offset from the start of the range they were registered for; `range` is its number. Reads set all of *value. */
struct device_ops {
	const char *name;
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

struct bus_port_range {
	u16 first, last;
	u32 range;
	struct device *device;
};

struct bus_mmio_range {
	gpa_t start, end;
	u32 range;
	struct device *device;
};

struct bus {
	u32 port_count, mmio_count;
	struct bus_port_range port[BUS_PORT_RANGES];
	struct bus_mmio_range mmio[BUS_MMIO_RANGES]; /* sorted */
	u8 port_map[65536]; /* 0: nothing, else index + 1 into port[] */
};

void bus_init(struct bus *bus);
/* ERR_EXISTS: overlaps another; ERR_MEMORY: table full. */
int bus_add_ports(struct bus *bus, struct device *device, u32 range, u16 first, u16 last);
int bus_add_mmio(struct bus *bus, struct device *device, u32 range, gpa_t start, u64 size);
/*
 * size 1, 2 or 4. What no device decodes reads as all ones and ignores writes, as on a PC; an access that straddles ranges
 * is split into bytes. DEVICE_PENDING: the access is to be repeated, whole, when the device woke the vCPU.
 */
enum device_answer bus_port_read(struct bus *bus, u16 port, u8 size, u32 *value);
enum device_answer bus_port_write(struct bus *bus, u16 port, u8 size, u32 value);
/* size 1, 2, 4 or 8; otherwise the same. */
bool bus_has_mmio(const struct bus *bus, gpa_t gpa);
enum device_answer bus_mmio_read(struct bus *bus, gpa_t gpa, u8 size, u64 *value);
enum device_answer bus_mmio_write(struct bus *bus, gpa_t gpa, u8 size, u64 value);

#endif
