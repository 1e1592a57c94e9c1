// guest: 64
/*
 * The IOAPIC with a level-triggered interrupt, the serial port's: it comes again after its EOI while the line is up.
 * For both widths. (82093AA data sheet; SDM "Signaling Interrupt Servicing Completion") Oracles: Bochs, QEMU.
 */
#include "guests/lib/guest.h"

#define IOAPIC	     0xfec00000u
#define IOWIN	     (IOAPIC + 0x10)
#define COM1	     0x3f8
#define COM1_IER     (COM1 + 1)
#define COM1_IIR     (COM1 + 2)
#define COM1_MCR     (COM1 + 4)
#define COM1_INPUT   4
#define IER_EMPTY    2
#define MCR_QUIET    3
#define MCR_OUT2     8 /* lets the interrupt out of the port */
#define ENTRY(input) (0x10u + 2 * (input))
#define ENTRY_LEVEL  0x8000u
#define REMOTE_IRR   0x4000u
#define ENTRY_MASKED 0x10000u
#define VECTOR	     0x62
#define PATIENCE     100000u

static volatile u32 taken, at_first, level_mode;

static u32 read(u32 index)
{
	*(volatile u32 *)(word)IOAPIC = index;
	return *(volatile u32 *)(word)IOWIN;
}

static void write(u32 index, u32 value)
{
	*(volatile u32 *)(word)IOAPIC = index;
	*(volatile u32 *)(word)IOWIN = value;
}

/* The first call leaves the line up, the second one lets it fall. */
static bool on_serial(struct trap_frame *frame UNUSED)
{
	taken++;
	if (taken == 1)
		at_first = read(ENTRY(COM1_INPUT));
	else
		in8(COM1_IIR);
	level_mode = apic_bit(0x180, VECTOR);
	apic_write(APIC_EOI, 0);
	return true;
}

static void wait_for(u32 count)
{
	sti();
	for (u32 i = 0; i < PATIENCE && taken < count; i++)
		pause();
	for (u32 i = 0; i < 100; i++)
		pause();
	cli();
}

CHECKS(ioapic)
{
	if (!apic_there() || !ioapic_there() || !com1_there()) {
		check_skip("ioapic", "no IOAPIC or serial port here");
		return;
	}
	apic_enable();
	trap_handle(VECTOR, on_serial);
	write(ENTRY(COM1_INPUT) + 1, apic_read(APIC_ID));
	write(ENTRY(COM1_INPUT), ENTRY_LEVEL | VECTOR);
	check_equal("ioapic-entry-reads-back", read(ENTRY(COM1_INPUT)), ENTRY_LEVEL | VECTOR);
	out8(COM1_MCR, MCR_QUIET | MCR_OUT2);
	out8(COM1_IER, IER_EMPTY);
	wait_for(2);
	out8(COM1_IER, 0);
	out8(COM1_MCR, MCR_QUIET);
	check_equal("ioapic-level-comes-again", taken, 2);
	check_equal("ioapic-remote-irr-in-service", at_first & REMOTE_IRR, REMOTE_IRR);
	check_equal("ioapic-tmr-in-service", level_mode, 1);
	check_equal("ioapic-remote-irr-after-eoi", read(ENTRY(COM1_INPUT)) & REMOTE_IRR, 0);
	write(ENTRY(COM1_INPUT), ENTRY_MASKED);
}
