/*
 * The PC's two 8259A interrupt controllers, the slave on input 2 of the master, with the edge/level registers of later
 * chip sets (Intel 8259A data sheet; Intel 82371AB data sheet for ELCR). Pure.
 */
#ifndef VMM_DEVICES_PIC8259_H
#define VMM_DEVICES_PIC8259_H

#include "vmm/devices/bus.h"

#define PIC_MASTER_PORT 0x20
#define PIC_SLAVE_PORT	0xa0
#define PIC_ELCR_PORT	0x4d0
#define PIC_LINES	16

/* What the pair's INTR output leads to. Called with the device's lock held. */
struct pic_wires {
	void *context;
	void (*intr)(void *context, bool level);
};

enum pic_init { PIC_READY, PIC_WANTS_ICW2, PIC_WANTS_ICW3, PIC_WANTS_ICW4 };

/* One 8259A. */
struct pic_chip {
	u8 irr, isr, imr;
	u8 level;     /* inputs as they are now */
	u8 elcr;      /* BIT(input): level triggered */
	u8 base;      /* vector of input 0 */
	u8 lowest;    /* input with the lowest priority */
	enum pic_init init;
	bool wants_icw4;
	bool read_isr, poll, special_mask, auto_eoi, rotate_on_auto_eoi, special_fully_nested;
};

struct pic8259 {
	struct device device;
	const struct pic_wires *wires;
	struct pic_chip chip[2]; /* master, slave */
	bool output;
};

void pic_init(struct pic8259 *pic, const struct device_services *services, const struct pic_wires *wires);
/* Errors as bus_add_ports(). */
int pic_attach(struct pic8259 *pic, struct bus *bus);
/* Set input `line` (0 to 15). Takes the device's lock; any core. */
void pic_set_line(struct pic8259 *pic, u32 line, bool level);
/*
 * Acknowledge (INTA): the vector to deliver. Without a request it is the spurious one, of input 7. Takes the device's
 * lock.
 */
u8 pic_acknowledge(struct pic8259 *pic);
/* Whether INTR is active. */
static inline bool pic_output(const struct pic8259 *pic)
{
	return __atomic_load_n(&pic->output, __ATOMIC_RELAXED);
}

#endif
