// guest: 64
/* NMI: taken with IF = 0, not again before IRET, and one that came meanwhile right after it. For both widths. (SDM
 * "Nonmaskable Interrupt (NMI)", "Handling Multiple NMIs") Oracles: Bochs, QEMU. */
#include "guests/lib/guest.h"

#define ICR_ASSERT 0x4000u
/*
 * Rounds to wait for an NMI, which comes at once or not at all. Few, and at the beginning of a slice, for while one is
 * handled no other guest should run: Bochs 2.7 keeps NMIs blocked at the entry of a guest in which they are not (SDM
 * "Interruptibility State", of VM entries).
 */
#define PATIENCE   50

static volatile u32 taken, depth, deepest;

/* By our own APIC ID: the self shorthand takes fixed interrupts only. */
static void send_nmi(void)
{
	apic_write(APIC_ICR_HIGH, apic_read(APIC_ID));
	apic_write(APIC_ICR, ICR_ASSERT | ICR_NMI);
}

static void wait_for(u32 count)
{
	for (u32 i = 0; i < PATIENCE && taken < count; i++)
		pause();
}

static bool on_nmi(struct trap_frame *frame UNUSED)
{
	u32 before = taken;

	depth++;
	deepest = depth > deepest ? depth : deepest;
	taken = before + 1;
	if (before == 0) {
		send_nmi();
		wait_for(2); /* in vain, if NMIs are blocked as they should be */
	}
	depth--;
	return true;
}

CHECKS(nmi)
{
	if (!apic_there()) {
		check_skip("nmi", "no local APIC here");
		return;
	}
	apic_enable();
	trap_handle(VECTOR_NMI, on_nmi);
	cli();
	let_others_run();
	send_nmi();
	wait_for(2);
	check_equal("nmi-taken-with-if-clear", taken >= 1, 1);
	check_equal("nmi-second-after-iret", taken, 2);
	check_equal("nmi-not-nested", deepest, 1);
	trap_handle(VECTOR_NMI, NULL);
	expect_fault("nmi-caught", VECTOR_NMI, 0, send_nmi(); taken = 0; wait_for(1));
}
