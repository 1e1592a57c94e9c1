// guest: 64
/*
 * The local APIC: timer, priorities, requests and service, identity. For both widths. (SDM "Local APIC", "APIC Timer",
 * "Task and Processor Priorities") Oracles: Bochs, QEMU.
 */
#include "guests/lib/guest.h"

#define LOW	     0x41
#define HIGH	     0xc1
#define LVT_MASKED   0x10000u
#define LVT_PERIODIC 0x20000u
#define DIVIDE_BY_1  0xbu
#define ICR_ASSERT   0x4000u
#define PATIENCE     1000000u
#define MSR_APIC_BASE 0x1bu

static volatile u32 low, high, served;

static bool on_low(struct trap_frame *frame UNUSED)
{
	low++;
	served = apic_bit(APIC_ISR, LOW);
	apic_write(APIC_EOI, 0);
	return true;
}

static bool on_high(struct trap_frame *frame UNUSED)
{
	high++;
	apic_write(APIC_EOI, 0);
	return true;
}

static void send(u8 vector)
{
	apic_write(APIC_ICR, ICR_SELF | ICR_ASSERT | vector);
	while (!apic_bit(APIC_IRR, vector))
		pause();
}

static void open_window(void)
{
	for (u32 i = 0; i < 10; i++)
		__asm__ volatile("sti; nop; nop; cli" : : : "memory");
}

static void wait_low(u32 count)
{
	sti();
	for (u32 i = 0; i < PATIENCE && low < count; i++)
		pause();
	cli();
}

static void check_priorities(void)
{
	send(LOW);
	send(HIGH);
	check("apic-irr", apic_bit(APIC_IRR, LOW) && apic_bit(APIC_IRR, HIGH));
	apic_write(APIC_TPR, 0x50);
	open_window();
	check("apic-tpr-holds-lower", low == 0 && high == 1);
	check_equal("apic-ppr-is-tpr", apic_read(APIC_PPR), 0x50);
	apic_write(APIC_TPR, 0);
	open_window();
	check_equal("apic-tpr-lets-go", low, 1);
	check_equal("apic-isr-while-served", served, 1);
	check("apic-idle-after-eoi", !apic_bit(APIC_ISR, LOW) && !apic_bit(APIC_IRR, LOW));
}

static void check_timer(void)
{
	u32 first;

	low = 0;
	apic_write(APIC_TIMER_DIVIDE, DIVIDE_BY_1);
	apic_write(APIC_LVT_TIMER, LOW);
	apic_write(APIC_TIMER_INITIAL, 20000);
	wait_low(1);
	check_equal("apic-timer-one-shot", low, 1);
	check_equal("apic-timer-stands-after", apic_read(APIC_TIMER_CURRENT), 0);
	apic_write(APIC_LVT_TIMER, LOW | LVT_PERIODIC);
	apic_write(APIC_TIMER_INITIAL, 20000);
	wait_low(4);
	check("apic-timer-periodic", low >= 4);
	apic_write(APIC_LVT_TIMER, LOW | LVT_MASKED);
	apic_write(APIC_TIMER_INITIAL, 0xffffffff);
	first = apic_read(APIC_TIMER_CURRENT);
	for (u32 i = 0; i < PATIENCE && apic_read(APIC_TIMER_CURRENT) == first; i++)
		pause();
	check("apic-timer-counts-down", apic_read(APIC_TIMER_CURRENT) < first);
	apic_write(APIC_TIMER_INITIAL, 0);
	check_equal("apic-timer-stopped", apic_read(APIC_TIMER_CURRENT), 0);
	open_window(); /* for what the periodic timer left waiting */
}

CHECKS(apic)
{
	if (!apic_there()) {
		check_skip("apic", "no local APIC here");
		return;
	}
	apic_enable();
	trap_handle(LOW, on_low);
	trap_handle(HIGH, on_high);
	check_equal("apic-base", rdmsr(MSR_APIC_BASE) & 0xfffff900, 0xfee00900);
	check_equal("apic-id-as-cpuid", apic_read(APIC_ID) >> 24, cpuid(1, 0).ebx >> 24);
	check_equal("apic-version", apic_read(APIC_VERSION) & 0xf0, 0x10);
	check_priorities();
	check_timer();
}
