/* The 8259A pair. Names of commands as in the data sheet. */
#include "vmm/devices/pic8259.h"

#define ICW1	       BIT(4)
#define ICW1_IC4       BIT(0)
#define ICW1_SINGLE    BIT(1)
#define ICW4_AEOI      BIT(1)
#define ICW4_SFNM      BIT(4)
#define OCW3	       BIT(3)
#define OCW3_RIS       BIT(0)
#define OCW3_RR	       BIT(1)
#define OCW3_POLL      BIT(2)
#define OCW3_SMM       BIT(5)
#define OCW3_ESMM      BIT(6)
#define CASCADE	       2u
#define SPURIOUS_INPUT 7u
#define POLL_INTERRUPT 0x80u

/* Inputs that a PC always has edge triggered: timer, keyboard, cascade; RTC and coprocessor. */
#define ELCR_MASTER 0xf8
#define ELCR_SLAVE  0xde

enum { MASTER, SLAVE };
enum { RANGE_MASTER, RANGE_SLAVE, RANGE_ELCR };

static struct pic8259 *pic_of(struct device *device)
{
	return CONTAINER_OF(device, struct pic8259, device);
}

/* How high the highest input of `mask` stands: 0 is the highest priority, 8 that of no input at all. */
static u32 priority(const struct pic_chip *chip, u8 mask)
{
	u32 turn = (chip->lowest + 1) & 7, turned = (u8)(mask >> turn | mask << (8 - turn));

	return turned ? (u32)__builtin_ctz(turned) : 8;
}

/* The input that the chip would request now, or -1. */
static int requested(const struct pic8259 *pic, u32 which)
{
	const struct pic_chip *chip = &pic->chip[which];
	u32 wanted = priority(chip, chip->irr & (u8)~chip->imr);
	u8 service = chip->isr;

	/* "Special mask mode": an input in service blocks nothing while it is masked. */
	if (chip->special_mask)
		service &= (u8)~chip->imr;
	/* "The special fully nested mode": the slave in service does not block the slave. */
	if (chip->special_fully_nested && which == MASTER)
		service &= (u8)~BIT(CASCADE);
	return wanted < priority(chip, service) ? (int)((chip->lowest + 1 + wanted) & 7) : -1;
}

/* Level-triggered requests last as long as the input; edges stay until they are acknowledged. */
static void set_input(struct pic_chip *chip, u32 input, bool level)
{
	u8 bit = (u8)BIT(input);
	bool rises = level && !(chip->level & bit);

	chip->level = level ? chip->level | bit : chip->level & (u8)~bit;
	if (chip->elcr & bit)
		chip->irr = level ? chip->irr | bit : chip->irr & (u8)~bit;
	else if (rises)
		chip->irr |= bit;
	/*
	 * The data sheet wants an edge's input held until INTA. A vCPU that is not running cannot answer in time, so a
	 * pulse is kept here, as every PC emulator does: else guests would lose timer ticks for a reason no PC has.
	 */
}

/*
 * The slave's output is the master's input; the master's is the pair's. The slave lets its output fall at each INTA and
 * raises it again for the next request, which a request that simply follows the output comes to.
 */
static void update(struct pic8259 *pic)
{
	u8 *master = &pic->chip[MASTER].irr;
	bool output;

	*master = requested(pic, SLAVE) >= 0 ? *master | (u8)BIT(CASCADE) : *master & (u8)~BIT(CASCADE);
	output = requested(pic, MASTER) >= 0;
	if (output == pic->output)
		return;
	__atomic_store_n(&pic->output, output, __ATOMIC_RELAXED);
	pic->wires->intr(pic->wires->context, output);
}

/* INTA for one chip: the request goes into service, or, with automatic EOI, is over at once. */
static void take(struct pic_chip *chip, u32 input)
{
	u8 bit = (u8)BIT(input);

	if (!(chip->elcr & bit))
		chip->irr &= (u8)~bit;
	if (!chip->auto_eoi)
		chip->isr |= bit;
	else if (chip->rotate_on_auto_eoi)
		chip->lowest = (u8)input;
}

static u8 acknowledge_chip(struct pic8259 *pic, u32 which)
{
	int input = requested(pic, which);

	if (input < 0)
		return (u8)(pic->chip[which].base + SPURIOUS_INPUT);
	take(&pic->chip[which], (u32)input);
	return (u8)(pic->chip[which].base + (u32)input);
}

/* OCW2 (data sheet, "Operation Command Words"): bits 7 to 5 say what, 2 to 0 which level. */
static void write_ocw2(struct pic_chip *chip, u8 value)
{
	u32 highest = priority(chip, chip->isr);
	u8 level = value & 7;
	bool specific = value & BIT(6), eoi = value & BIT(5), rotate = value & BIT(7);

	if (!eoi && !specific) {
		chip->rotate_on_auto_eoi = rotate;
		return;
	}
	if (!specific) {
		if (highest == 8)
			return;
		level = (u8)((chip->lowest + 1 + highest) & 7);
	}
	if (eoi)
		chip->isr &= (u8)~BIT(level);
	if (rotate)
		chip->lowest = level;
}

static void write_ocw3(struct pic_chip *chip, u8 value)
{
	if (value & OCW3_POLL)
		chip->poll = true;
	else if (value & OCW3_RR)
		chip->read_isr = value & OCW3_RIS;
	if (value & OCW3_ESMM)
		chip->special_mask = value & OCW3_SMM;
}

/* "Initialization Command Words": edge sensing, mask and priorities start anew; level inputs still ask. */
static void write_icw1(struct pic_chip *chip, u8 value)
{
	u8 elcr = chip->elcr, level = chip->level, base = chip->base;

	*chip = (struct pic_chip){
		.elcr = elcr,
		.level = level,
		.irr = level & elcr,
		.base = base,
		.lowest = 7,
		.init = PIC_WANTS_ICW2,
		.wants_icw4 = value & ICW1_IC4,
	};
}

static void write_command(struct pic_chip *chip, u8 value)
{
	if (value & ICW1)
		write_icw1(chip, value);
	else if (value & OCW3)
		write_ocw3(chip, value);
	else
		write_ocw2(chip, value);
}

static void write_data(struct pic_chip *chip, u8 value)
{
	switch (chip->init) {
	case PIC_WANTS_ICW2:
		chip->base = value & 0xf8;
		chip->init = PIC_WANTS_ICW3;
		break;
	case PIC_WANTS_ICW3: /* who is whose slave is wired on a PC */
		chip->init = chip->wants_icw4 ? PIC_WANTS_ICW4 : PIC_READY;
		break;
	case PIC_WANTS_ICW4:
		chip->auto_eoi = value & ICW4_AEOI;
		chip->special_fully_nested = value & ICW4_SFNM;
		chip->init = PIC_READY;
		break;
	default:
		chip->imr = value;
		break;
	}
}

/*
 * After a poll command the next read is an INTA without vector: bit 7 says whether there was a request, bits 2 to 0
 * which.
 */
static u8 __attribute__((noinline)) read_poll(struct pic8259 *pic, u32 which)
{
	int input = requested(pic, which);

	pic->chip[which].poll = false;
	if (input < 0)
		return SPURIOUS_INPUT;
	take(&pic->chip[which], (u32)input);
	update(pic);
	return (u8)(POLL_INTERRUPT | (u32)input);
}

static u8 read_chip(struct pic8259 *pic, u32 which, u16 offset)
{
	const struct pic_chip *chip = &pic->chip[which];

	if (chip->poll)
		return read_poll(pic, which);
	if (offset)
		return chip->imr;
	return chip->read_isr ? chip->isr : chip->irr;
}

static void write_elcr(struct pic_chip *chip, u8 value)
{
	chip->elcr = value;
	chip->irr |= chip->level & value;
}

static enum device_answer pic_read(struct device *device, u32 range, u16 offset, UNUSED u8 size, u32 *value)
{
	struct pic8259 *pic = pic_of(device);

	*value = range == RANGE_ELCR ? pic->chip[offset].elcr : read_chip(pic, range, offset);
	return DEVICE_DONE;
}

static enum device_answer pic_write(struct device *device, u32 range, u16 offset, UNUSED u8 size, u32 value)
{
	struct pic8259 *pic = pic_of(device);

	if (range == RANGE_ELCR)
		write_elcr(&pic->chip[offset], (u8)value & (offset ? ELCR_SLAVE : ELCR_MASTER));
	else if (offset)
		write_data(&pic->chip[range], (u8)value);
	else
		write_command(&pic->chip[range], (u8)value);
	update(pic);
	return DEVICE_DONE;
}

/*
 * The chip itself does not mask; but no guest expects requests before it has programmed it, since firmware masks them.
 */
static void pic_reset(struct device *device)
{
	struct pic8259 *pic = pic_of(device);

	for (u32 i = 0; i < 2; i++)
		pic->chip[i] = (struct pic_chip){.level = pic->chip[i].level, .imr = 0xff, .lowest = 7};
	update(pic);
}

static const struct device_ops pic_ops = {
	.name = "pic8259",
	.byte_wide = true,
	.port_read = pic_read,
	.port_write = pic_write,
	.reset = pic_reset,
};

void pic_init(struct pic8259 *pic, const struct device_services *services, const struct pic_wires *wires)
{
	*pic = (struct pic8259){.device = {.ops = &pic_ops, .services = services}, .wires = wires};
	pic_reset(&pic->device);
}

int pic_attach(struct pic8259 *pic, struct bus *bus)
{
	int error = bus_add_ports(bus, &pic->device, RANGE_MASTER, PIC_MASTER_PORT, PIC_MASTER_PORT + 1);

	if (!error)
		error = bus_add_ports(bus, &pic->device, RANGE_SLAVE, PIC_SLAVE_PORT, PIC_SLAVE_PORT + 1);
	if (!error)
		error = bus_add_ports(bus, &pic->device, RANGE_ELCR, PIC_ELCR_PORT, PIC_ELCR_PORT + 1);
	return error;
}

void pic_set_line(struct pic8259 *pic, u32 line, bool level)
{
	lock_acquire(&pic->device.lock);
	/* Input 2 of the master is the slave: no device has it. */
	if (line < PIC_LINES && line != CASCADE)
		set_input(&pic->chip[line >> 3], line & 7, level);
	update(pic);
	lock_release(&pic->device.lock);
}

u8 pic_acknowledge(struct pic8259 *pic)
{
	u8 vector;

	lock_acquire(&pic->device.lock);
	if (requested(pic, MASTER) == (int)CASCADE) {
		take(&pic->chip[MASTER], CASCADE);
		vector = acknowledge_chip(pic, SLAVE);
	} else {
		vector = acknowledge_chip(pic, MASTER);
	}
	update(pic);
	lock_release(&pic->device.lock);
	return vector;
}
