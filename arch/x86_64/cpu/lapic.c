#include "arch/x86_64/cpu/lapic.h"
#include "arch/x86_64/cpu/features.h"
#include "arch/x86_64/cpu/insn.h"
#include "arch/x86_64/cpu/regs.h"
#include "arch/x86_64/cpu/tsc.h"
#include "arch/x86_64/mmu/root.h"
#include "core/log.h"
#include "core/panic.h"
#include "core/percpu.h"
#include "core/time.h"

#define APIC_BASE_BSP	 BIT(8)
#define APIC_BASE_X2APIC BIT(10)
#define APIC_BASE_ENABLE BIT(11)
#define APIC_BASE_MASK	 BITS(51, 12)

/* Register numbers: MMIO offset / 16 = x2APIC MSR - 0x800 (SDM vol. 3 "x2APIC Register Address Space"). */
enum lapic_register {
	LAPIC_ID = 0x02,
	LAPIC_VERSION = 0x03,
	LAPIC_TPR = 0x08,
	LAPIC_EOI = 0x0b,
	LAPIC_SVR = 0x0f,
	LAPIC_ISR = 0x10, /* 8 registers */
	LAPIC_ESR = 0x28,
	LAPIC_LVT_CMCI = 0x2f,
	LAPIC_ICR = 0x30, /* x2APIC: 64 bits */
	LAPIC_ICR_HIGH = 0x31,
	LAPIC_LVT_TIMER = 0x32,
	LAPIC_LVT_THERMAL = 0x33,
	LAPIC_LVT_PERFORMANCE = 0x34,
	LAPIC_LVT_LINT0 = 0x35,
	LAPIC_LVT_LINT1 = 0x36,
	LAPIC_LVT_ERROR = 0x37,
	LAPIC_TIMER_INITIAL = 0x38,
	LAPIC_TIMER_CURRENT = 0x39,
	LAPIC_TIMER_DIVIDE = 0x3e,
};

#define SVR_ENABLE	   BIT(8)
#define LVT_MASKED	   BIT(16)
#define LVT_NMI		   (4u << 8)
#define LVT_TSC_DEADLINE   (2u << 17)
#define DIVIDE_BY_1	   0xbu
#define ICR_FIXED	   (0u << 8)
#define ICR_NMI		   (4u << 8)
#define ICR_INIT	   (5u << 8)
#define ICR_STARTUP	   (6u << 8)
#define ICR_PENDING	   BIT(12)
#define ICR_ASSERT	   BIT(14)
#define XAPIC_BROADCAST_ID 0xffu

#define CALIBRATION_US 10000u
/*
 * Looks at a pending ICR before it is written all the same: the SDM promises no time, and a dead bus must not hang a
 * core.
 */
#define ICR_LOOKS 1000000u

static bool ready;   /* set by the boot core's lapic_init(); before it nothing can be sent */
static bool x2apic;  /* all cores are in the same mode */
static volatile u32 *mmio;
static bool deadline_mode; /* the timer compares with the TSC, on all cores; else one-shot */
static u64 timer_hz;	   /* the one-shot timer's rate; 0: not yet measured */

static u32 lapic_read(enum lapic_register reg)
{
	return x2apic ? (u32)rdmsr(MSR_X2APIC_BASE + reg) : mmio[reg * 4];
}

static void lapic_write(enum lapic_register reg, u32 value)
{
	if (x2apic)
		wrmsr(MSR_X2APIC_BASE + reg, value);
	else
		mmio[reg * 4] = value;
}

/* x2APIC once on is never left: firmware may have locked it, and leaving it goes through a disabled APIC. */
static void choose_mode(void)
{
	u64 base = rdmsr(MSR_APIC_BASE);

	if (!(base & APIC_BASE_ENABLE)) {
		base |= APIC_BASE_ENABLE;
		wrmsr(MSR_APIC_BASE, base);
	}
	if (!(base & APIC_BASE_X2APIC) && cpu_has(FEATURE_X2APIC)) {
		base |= APIC_BASE_X2APIC;
		wrmsr(MSR_APIC_BASE, base);
	}
	if (ready) {
		/* Boot core first: the others have what it has, or cannot be spoken to. */
		if (x2apic != !!(base & APIC_BASE_X2APIC))
			panic("core %u: local APIC in another mode than the boot core's", this_core()->index);
		return;
	}
	x2apic = base & APIC_BASE_X2APIC;
	if (!x2apic)
		mmio = map_device(base & APIC_BASE_MASK, PAGE_SIZE, CACHE_UC);
	if (!x2apic && !mmio)
		panic("local APIC at 0x%llx could not be mapped", (unsigned long long)(base & APIC_BASE_MASK));
}

static void mask_lvts(void)
{
	u32 last = (lapic_read(LAPIC_VERSION) >> 16 & 0xff) + 1; /* number of LVT entries */
	bool boot_core = rdmsr(MSR_APIC_BASE) & APIC_BASE_BSP;

	lapic_write(LAPIC_LVT_TIMER, LVT_MASKED);
	lapic_write(LAPIC_LVT_LINT0, LVT_MASKED); /* the 8259's way in */
	/*
	 * The platform's NMI line (NMI button, fatal bus errors) ends at LINT1 of the boot core, as every PC wires it.
	 */
	lapic_write(LAPIC_LVT_LINT1, boot_core ? LVT_NMI : LVT_MASKED);
	lapic_write(LAPIC_LVT_ERROR, LVT_MASKED);
	if (last >= 5)
		lapic_write(LAPIC_LVT_PERFORMANCE, LVT_MASKED);
	if (last >= 6)
		lapic_write(LAPIC_LVT_THERMAL, LVT_MASKED);
	if (last >= 7)
		lapic_write(LAPIC_LVT_CMCI, LVT_MASKED);
}

/* An interrupt firmware took and never ended would block all of its priority and below. */
static void end_leftovers(void)
{
	for (u32 i = 0; i < 256; i++) {
		u32 in_service = 0;

		for (u32 word = 0; word < 8; word++)
			in_service |= lapic_read(LAPIC_ISR + word);
		if (!in_service)
			return;
		lapic_eoi();
	}
}

static void calibrate_timer(void)
{
	u64 start, ticks;
	u32 left;

	lapic_write(LAPIC_TIMER_DIVIDE, DIVIDE_BY_1);
	lapic_write(LAPIC_TIMER_INITIAL, ~0u);
	start = rdtsc();
	tsc_delay_us(CALIBRATION_US);
	left = lapic_read(LAPIC_TIMER_CURRENT);
	ticks = rdtsc() - start;
	lapic_write(LAPIC_TIMER_INITIAL, 0);
	timer_hz = (u64)((unsigned __int128)(~0u - left) * tsc_hz / ticks);
	if (timer_hz == 0)
		panic("the local APIC's timer does not count, and there is no TSC-deadline mode: nothing can measure a "
		      "time slice");
	log_line("local APIC timer: one-shot at %llu kHz", (unsigned long long)(timer_hz / 1000));
}

static void init_timer(void)
{
	if (!ready)
		deadline_mode = cpu_has(FEATURE_TSC_DEADLINE);
	if (deadline_mode) {
		lapic_write(LAPIC_LVT_TIMER, LVT_TSC_DEADLINE | HOST_VECTOR_TIMER);
		return;
	}
	if (timer_hz == 0)
		calibrate_timer();
	lapic_write(LAPIC_TIMER_DIVIDE, DIVIDE_BY_1);
	lapic_write(LAPIC_LVT_TIMER, HOST_VECTOR_TIMER);
}

void lapic_init(void)
{
	choose_mode();
	lapic_write(LAPIC_SVR, (u32)SVR_ENABLE | HOST_VECTOR_SPURIOUS);
	lapic_write(LAPIC_TPR, 0);
	mask_lvts();
	end_leftovers();
	lapic_write(LAPIC_ESR, 0);
	this_core()->apic_id = lapic_id();
	init_timer();
	ready = true;
}

u32 lapic_id(void)
{
	u32 id = lapic_read(LAPIC_ID);

	return x2apic ? id : id >> 24;
}

void lapic_eoi(void)
{
	lapic_write(LAPIC_EOI, 0);
}

static void wait_sent(void)
{
	for (u32 looks = 0; looks < ICR_LOOKS && (lapic_read(LAPIC_ICR) & ICR_PENDING); looks++)
		cpu_pause();
}

static void send(u32 apic_id, u32 command)
{
	if (!ready)
		return;
	if (x2apic) {
		/*
		 * WRMSR to the x2APIC does not wait for our stores to be seen (SDM vol. 3 "MSR Access in x2APIC Mode").
		 */
		__asm__ volatile("mfence; lfence" : : : "memory");
		wrmsr(MSR_X2APIC_BASE + LAPIC_ICR, (u64)apic_id << 32 | command);
		return;
	}
	ASSERT(apic_id < XAPIC_BROADCAST_ID);
	wait_sent();
	lapic_write(LAPIC_ICR_HIGH, apic_id << 24);
	lapic_write(LAPIC_ICR, command);
}

void lapic_ipi(u32 apic_id, u8 vector)
{
	send(apic_id, ICR_FIXED | (u32)ICR_ASSERT | vector);
}

void lapic_nmi(u32 apic_id)
{
	send(apic_id, ICR_NMI | (u32)ICR_ASSERT);
}

void lapic_init_ipi(u32 apic_id)
{
	send(apic_id, ICR_INIT | (u32)ICR_ASSERT);
}

void lapic_startup_ipi(u32 apic_id, u8 page)
{
	send(apic_id, ICR_STARTUP | (u32)ICR_ASSERT | page);
}

bool lapic_reaches(u32 apic_id)
{
	return x2apic || apic_id < XAPIC_BROADCAST_ID;
}

static void arm_one_shot(u64 deadline)
{
	u64 now = rdtsc(), count;

	if (deadline == ~0ull) {
		lapic_write(LAPIC_TIMER_INITIAL, 0);
		return;
	}
	count = deadline > now ? (u64)((unsigned __int128)(deadline - now) * timer_hz / tsc_hz) : 0;
	/* Zero would disarm it. What is too far for 32 bits fires early: whoever armed it looks at the clock. */
	lapic_write(LAPIC_TIMER_INITIAL, (u32)MIN(MAX(count, 1ull), (u64)~0u));
}

void lapic_timer(u64 deadline)
{
	if (!deadline_mode) {
		arm_one_shot(deadline);
		return;
	}
	/* In xAPIC mode the LVT was written by a store, which must be seen first (SDM vol. 3 "TSC-Deadline Mode"). */
	if (!x2apic)
		__asm__ volatile("mfence" : : : "memory");
	wrmsr(MSR_TSC_DEADLINE, deadline == ~0ull ? 0 : MAX(deadline, 1ull));
}
