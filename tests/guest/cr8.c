// guest: 64
/*
 * CR8 is the class of the task priority, and what it held goes at once when it falls. (SDM "Task Priority in IA-32e
 * Mode") Oracles: Bochs, QEMU.
 */
#include "guests/lib/guest.h"

#define VECTOR	   0x41
#define CLASS	   (VECTOR >> 4)
#define ICR_ASSERT 0x4000u

extern const char cr8_fallen[];
static volatile u32 taken;
static word ip;

static u64 read_cr8(void)
{
	u64 value;

	__asm__ volatile("mov %%cr8, %0" : "=r"(value));
	return value;
}

static void write_cr8(u64 value)
{
	__asm__ volatile("mov %0, %%cr8" : : "r"(value) : "memory");
}

static bool on_interrupt(struct trap_frame *frame)
{
	ip = frame->ip;
	taken++;
	apic_write(APIC_EOI, 0);
	return true;
}

static void send(void)
{
	apic_write(APIC_ICR, ICR_SELF | ICR_ASSERT | VECTOR);
	while (!apic_bit(APIC_IRR, VECTOR))
		pause();
}

CHECKS(cr8)
{
	if (!apic_there()) {
		check_skip("cr8", "no local APIC here");
		return;
	}
	apic_enable();
	trap_handle(VECTOR, on_interrupt);
	write_cr8(5);
	check_equal("cr8-sets-tpr", apic_read(APIC_TPR), 0x50);
	check_equal("cr8-holds-the-class", read_cr8(), 5);
	apic_write(APIC_TPR, 0x7c);
	check_equal("cr8-reads-tpr", read_cr8(), 7);
	send();
	write_cr8(CLASS);
	__asm__ volatile("sti; nop; nop; nop; cli" : : : "memory");
	check_equal("cr8-holds", taken, 0);
	check_equal("cr8-ppr", apic_read(APIC_PPR), CLASS << 4);
	__asm__ volatile("sti; nop; mov %0, %%cr8\ncr8_fallen: nop; nop; cli" : : "r"((u64)CLASS - 1) : "memory");
	check_equal("cr8-lets-go", taken, 1);
	check_equal("cr8-lets-go-at-once", ip, (word)cr8_fallen);
	write_cr8(CLASS);
	send();
	write_cr8(0);
	check_equal("cr8-if-holds", taken, 1);
	__asm__ volatile("sti; nop; nop; cli" : : : "memory");
	check_equal("cr8-if-lets-go", taken, 2);
}
