/* The 8259 PICs and the 8254 PIT, as far as a guest needs them: one interrupt, a while from now. */
#include "guests/lib/guest.h"

#define PIC_MASTER 0x20
#define PIC_SLAVE  0xa0
#define ICW1_INIT  0x11 /* edge triggered, cascaded, ICW4 follows */
#define ICW4_8086  0x01
#define OCW2_EOI   0x20
#define PIT_0	   0x40
#define PIT_MODE   0x43
#define PIT_ONE_SHOT 0x30 /* channel 0, low and high byte, mode 0 */

void pic_init(void)
{
	out8(PIC_MASTER, ICW1_INIT);
	out8(PIC_SLAVE, ICW1_INIT);
	out8(PIC_MASTER + 1, VECTOR_IRQ0);
	out8(PIC_SLAVE + 1, VECTOR_IRQ0 + 8);
	out8(PIC_MASTER + 1, 4); /* the slave hangs at IRQ 2 */
	out8(PIC_SLAVE + 1, 2);
	out8(PIC_MASTER + 1, ICW4_8086);
	out8(PIC_SLAVE + 1, ICW4_8086);
	pic_mask(0xffff);
}

void pic_mask(u16 mask)
{
	out8(PIC_MASTER + 1, (u8)mask);
	out8(PIC_SLAVE + 1, (u8)(mask >> 8));
}

void pic_eoi(u8 irq)
{
	if (irq >= 8)
		out8(PIC_SLAVE, OCW2_EOI);
	out8(PIC_MASTER, OCW2_EOI);
}

void pit_one_shot(u16 count)
{
	out8(PIT_MODE, PIT_ONE_SHOT);
	out8(PIT_0, (u8)count);
	out8(PIT_0, (u8)(count >> 8));
}

volatile bool alarm_rang;

static bool awake(struct trap_frame *frame UNUSED)
{
	alarm_rang = true;
	pic_eoi(0);
	pic_mask(0xffff);
	return true;
}

/* A PIC keeps the mask it is given, a PIT's counter moves; an empty bus does neither. */
bool timer_there(void)
{
	u8 first;

	out8(PIC_MASTER + 1, 0xfe);
	if (in8(PIC_MASTER + 1) != 0xfe)
		return false;
	out8(PIC_MASTER + 1, 0xff);
	pit_one_shot(0xffff);
	first = in8(PIT_0);
	for (u32 i = 0; i < 1000; i++)
		if (in8(PIT_0) != first)
			return true;
	return false;
}

void alarm(u16 count)
{
	alarm_rang = false;
	pic_init();
	trap_handle(VECTOR_IRQ0, awake);
	pit_one_shot(count);
	pic_mask(0xfffe);
}
