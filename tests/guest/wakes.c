// guest: 64
/*
 * HLT right behind STI, with an interrupt waiting: it comes after the HLT, however often others interrupt the processor
 * between the two. Else a guest sleeps through what it waits for. (SDM "STI—Set Interrupt Flag")
 */
#include "guests/lib/guest.h"

#define VECTOR_IPI 0x60
#define ICR_ASSERT 0x4000u
#define OPCODE_HLT 0xf4
#define LVT_MASKED 0x10000u
#define LVT_PERIODIC 0x20000u
#define UNDIVIDED  0xb
#define PERIOD	   100000u /* some hundred microseconds at most */
#define AT_ONCE	   100u

static u32 taken, early;

static bool on_ipi(struct trap_frame *frame)
{
	taken++;
	if (*(const u8 *)frame->ip == OPCODE_HLT) {
		early++;
		frame->ip++; /* nothing would wake it */
	}
	apic_write(APIC_EOI, 0);
	return true;
}

static void sleep_and_wake(void)
{
	apic_write(APIC_ICR, ICR_SELF | ICR_ASSERT | VECTOR_IPI);
	sti_hlt();
	cli();
}

int guest_main(void)
{
	u64 end = time_ns() + option_number("ms", 1000) * 1000000;

	apic_enable();
	trap_handle(VECTOR_IPI, on_ipi);
	/* Masked, so that it interrupts whoever emulates it, and us no more than by that. */
	apic_write(APIC_TIMER_DIVIDE, UNDIVIDED);
	apic_write(APIC_LVT_TIMER, LVT_PERIODIC | LVT_MASKED);
	apic_write(APIC_TIMER_INITIAL, PERIOD);
	do {
		for (u32 i = 0; i < AT_ONCE; i++)
			sleep_and_wake();
	} while (time_ns() < end);
	print("woken %u times, %u too early\n", taken, early);
	return early != 0;
}
