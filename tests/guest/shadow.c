// guest: 64
/*
 * Where an interrupt that waits gets in: one instruction after STI, at once after POPF, and never between STI and CLI.
 * For both widths. (SDM "STI—Set Interrupt Flag", "Masking Maskable Hardware Interrupts") Oracles: Bochs, QEMU.
 */
#include "guests/lib/guest.h"

#define VECTOR_IPI 0x60
#define ICR_ASSERT 0x4000u

extern const char sti_next[], sti_one_more[], popf_next[];
static u32 taken;
static word ip;

static bool on_ipi(struct trap_frame *frame)
{
	ip = frame->ip;
	taken++;
	apic_write(APIC_EOI, 0);
	return true;
}

/* An interrupt to ourselves, that waits since IF = 0. */
static void send(void)
{
	cli();
	apic_write(APIC_ICR, ICR_SELF | ICR_ASSERT | VECTOR_IPI);
	while (!apic_bit(APIC_IRR, VECTOR_IPI))
		pause();
	taken = 0;
}

CHECKS(shadow)
{
	if (!apic_there()) {
		check_skip("shadow", "no local APIC here");
		return;
	}
	apic_enable();
	trap_handle(VECTOR_IPI, on_ipi);
	send();
	check_equal("masked-by-if", taken, 0);
	__asm__ volatile("sti\nsti_next: nop\nsti_one_more: nop; nop; cli" : : : "memory");
	check_equal("sti-taken", taken, 1);
	check_equal("sti-shadow-of-one", ip, (word)sti_one_more);
	send();
	__asm__ volatile("sti; cli; nop" : : : "memory");
	check_equal("sti-cli-lets-none-in", taken, 0);
	__asm__ volatile("pushf; orl $0x200, (%%" STACK "); popf\npopf_next: nop; nop; cli" : : : "memory", "cc");
	check_equal("popf-taken", taken, 1);
	check_equal("popf-no-shadow", ip, (word)popf_next);
	send();
	sti_hlt();
	cli();
	check_equal("sti-hlt-wakes", taken, 1);
}
