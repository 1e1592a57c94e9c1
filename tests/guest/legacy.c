// guest: 64
/* The PC's PICs and PIT. For both widths. (8259A and 8254 data sheets) Oracles: Bochs, QEMU. */
#include "guests/lib/guest.h"

#define PIC	     0x20
#define OCW3_IRR     0x0a
#define OCW3_ISR     0x0b
#define PIT_0	     0x40
#define PIT_MODE     0x43
#define LATCH_0	     0x00
#define READ_BACK_0  0xe2 /* status of channel 0, without its count */
#define RATE_0	     0x34 /* mode 2, low and high byte */
#define PATIENCE     1000000u

static volatile u32 ticks, in_service;

static u8 ocw3(u8 command)
{
	out8(PIC, command);
	return in8(PIC);
}

static bool on_tick(struct trap_frame *frame UNUSED)
{
	ticks++;
	in_service = ocw3(OCW3_ISR) & 1;
	pic_eoi(0);
	return true;
}

static u16 latched(void)
{
	u8 low;

	out8(PIT_MODE, LATCH_0);
	low = in8(PIT_0);
	return (u16)(low | in8(PIT_0) << 8);
}

static void wait_ticks(u32 count)
{
	sti();
	for (u32 i = 0; i < PATIENCE && ticks < count; i++)
		pause();
	cli();
}

static bool wait_irr(void)
{
	for (u32 i = 0; i < PATIENCE && !(ocw3(OCW3_IRR) & 1); i++)
		pause();
	return ocw3(OCW3_IRR) & 1;
}

CHECKS(legacy)
{
	u16 count;

	if (!timer_there()) {
		check_skip("legacy", "no PIC and PIT here");
		return;
	}
	pic_init();
	trap_handle(VECTOR_IRQ0, on_tick);
	check_equal("pic-mask-reads-back", in8(PIC + 1), 0xff);
	pit_one_shot(1000);
	check("pic-irr-while-masked", wait_irr());
	check_equal("pic-masked", ticks, 0);
	pic_mask(0xfffe);
	wait_ticks(1);
	check_equal("pic-unmasked", ticks, 1);
	check_equal("pic-in-service", in_service, 1);
	check_equal("pic-isr-after-eoi", ocw3(OCW3_ISR), 0);
	pit_one_shot(1000);
	wait_ticks(2);
	check_equal("pit-one-shot-again", ticks, 2);
	out8(PIT_MODE, RATE_0);
	out8(PIT_0, 0xe8); /* 1000 */
	out8(PIT_0, 0x03);
	wait_ticks(6);
	check("pit-rate-generator", ticks >= 6);
	pic_mask(0xffff);
	count = latched();
	check("pit-latch-in-range", count <= 1000);
	out8(PIT_MODE, READ_BACK_0);
	check_equal("pit-read-back-status", in8(PIT_0) & 0x3f, RATE_0);
	pit_one_shot(0xffff);
	count = latched();
	for (u32 i = 0; i < 100; i++)
		in8(0x80);
	check("pit-counts-down", latched() < count);
}
