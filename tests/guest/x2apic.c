// guest: 64
/*
 * The local APIC in x2APIC mode: identity, priorities, self-IPIs within one another, and what is #GP. For both widths;
 * none of the groups behind it can use the APIC by MMIO. (SDM "Extended XAPIC (x2APIC)") Oracle: Bochs.
 */
#include "guests/lib/guest.h"

#define CPUID1_ECX_X2APIC BIT(21)
#define MSR_X2APIC	  0x800u /* and a sixteenth of a register's offset */
#define APIC_LDR	  0xd0
#define APIC_DFR	  0xe0
#define APIC_SELF_IPI	  0x3f0
#define LVT_MASKED	  0x10000u
#define DIVIDE_BY_1	  0xbu
#define LOW		  0x41
#define HIGH		  0xc1
#define SPURIOUS	  0xff

/* What each handler found, in the order of their calls. */
static volatile char order[8];
static volatile u32 calls, served, patience;

static u64 read(u32 offset)
{
	return rdmsr(MSR_X2APIC + offset / 16);
}

static void write(u32 offset, u64 value)
{
	wrmsr(MSR_X2APIC + offset / 16, value);
}

static bool has(u32 registers, u8 vector)
{
	return read(registers + vector / 32 * 0x10u) >> vector % 32 & 1;
}

static void open_window(void)
{
	for (u32 i = 0; i < 10; i++)
		__asm__ volatile("sti; nop; nop; cli" : : : "memory");
}

static void note(char what)
{
	order[calls++ % sizeof(order)] = what;
}

/* A higher one comes in between, a lower one does not. */
static bool on_low(struct trap_frame *frame UNUSED)
{
	note('l');
	served = has(APIC_ISR, LOW);
	write(APIC_SELF_IPI, HIGH);
	open_window();
	note('L');
	write(APIC_EOI, 0);
	return true;
}

static bool on_high(struct trap_frame *frame UNUSED)
{
	note('h');
	if (calls < 4)
		write(APIC_SELF_IPI, LOW + 1);
	open_window();
	note('H');
	write(APIC_EOI, 0);
	return true;
}

static bool on_next(struct trap_frame *frame UNUSED)
{
	note('n');
	write(APIC_EOI, 0);
	return true;
}

/* Of a request that TPR overtook (SDM "Spurious Interrupt"): nothing is in service. */
static bool on_spurious(struct trap_frame *frame UNUSED)
{
	return true;
}

static bool order_is(const char *expected)
{
	for (u32 i = 0; i < calls; i++)
		if (!expected[i] || order[i] != expected[i])
			return false;
	return !expected[calls];
}

static void check_identity(void)
{
	u32 id = cpuid(1, 0).ebx >> 24;

	check_equal("x2-id", read(APIC_ID), id);
	check_equal("x2-ldr-from-id", read(APIC_LDR), id >> 4 << 16 | 1u << (id & 15));
	check_equal("x2-version", read(APIC_VERSION) & 0xf0, 0x10);
}

static void check_interrupts(void)
{
	write(APIC_SELF_IPI, LOW);
	check("x2-self-ipi-waits", has(APIC_IRR, LOW) && !has(APIC_ISR, LOW) && !calls);
	write(APIC_TPR, 0x40);
	open_window();
	check("x2-tpr-holds", has(APIC_IRR, LOW) && !calls);
	check_equal("x2-ppr-is-tpr", read(APIC_PPR), 0x40);
	write(APIC_TPR, 0x3f);
	open_window();
	/* LOW + 1 is of LOW's class: it waits until LOW is over. */
	check("x2-nesting", order_is("lhHLn"));
	check_equal("x2-isr-while-served", served, 1);
	check("x2-idle-after-eoi", !has(APIC_ISR, LOW) && !has(APIC_IRR, LOW) && !has(APIC_ISR, HIGH));
	check_equal("x2-ppr-idle", read(APIC_PPR), 0x3f);
	write(APIC_TPR, 0);
	calls = 0;
	write(APIC_ICR, ICR_SELF | (LOW + 1));
	open_window();
	check("x2-icr-self", order_is("n"));
	write(APIC_EOI, 0);
	check("x2-eoi-of-nothing", order_is("n"));
}

static void check_timer(void)
{
	u64 first;

	write(APIC_TIMER_DIVIDE, DIVIDE_BY_1);
	write(APIC_LVT_TIMER, LVT_MASKED | LOW);
	check_equal("x2-lvt-reads-back", read(APIC_LVT_TIMER), LVT_MASKED | LOW);
	write(APIC_TIMER_INITIAL, 0xffffffff);
	first = read(APIC_TIMER_CURRENT);
	for (patience = 100000; patience && read(APIC_TIMER_CURRENT) == first; patience--)
		pause();
	check("x2-timer-counts-down", read(APIC_TIMER_CURRENT) < first);
	write(APIC_TIMER_INITIAL, 0);
}

static void check_faults(void)
{
	expect_fault("x2-tpr-reserved", VECTOR_GP, 0, write(APIC_TPR, 0x100));
	expect_fault("x2-eoi-not-zero", VECTOR_GP, 0, write(APIC_EOI, 1));
	expect_fault("x2-self-ipi-reserved", VECTOR_GP, 0, write(APIC_SELF_IPI, 0x141));
	expect_fault("x2-eoi-is-write-only", VECTOR_GP, 0, read(APIC_EOI));
	expect_fault("x2-self-ipi-is-write-only", VECTOR_GP, 0, read(APIC_SELF_IPI));
	expect_fault("x2-id-is-read-only", VECTOR_GP, 0, write(APIC_ID, 0));
	expect_fault("x2-ldr-is-read-only", VECTOR_GP, 0, write(APIC_LDR, 0));
	expect_fault("x2-no-dfr", VECTOR_GP, 0, read(APIC_DFR));
	expect_fault("x2-no-icr-high", VECTOR_GP, 0, read(APIC_ICR_HIGH));
}

CHECKS(x2apic)
{
	if (!apic_there() || !(cpuid(1, 0).ecx & CPUID1_ECX_X2APIC)) {
		check_skip("x2apic", "no x2APIC here");
		return;
	}
	x2apic_enable();
	trap_handle(LOW, on_low);
	trap_handle(LOW + 1, on_next);
	trap_handle(HIGH, on_high);
	trap_handle(SPURIOUS, on_spurious);
	check_identity();
	check_interrupts();
	check_timer();
	check_faults();
}
