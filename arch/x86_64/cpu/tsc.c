#include "arch/x86_64/cpu/tsc.h"
#include "arch/x86_64/cpu/cpu.h"
#include "arch/x86_64/cpu/features.h"
#include "arch/x86_64/cpu/hpet.h"
#include "arch/x86_64/cpu/insn.h"
#include "arch/x86_64/cpu/tsc_math.h"
#include "core/log.h"
#include "core/panic.h"
#include "core/time.h"

#define PM_TIMER_HZ   3579545u
#define PM_TIMER_MASK 0xffffffu /* 24 bits that every one has (ACPI "Power Management Timer") */
#define PIT_HZ	      1193182u

#define PIT_CHANNEL2	    0x42
#define PIT_COMMAND	    0x43
#define PIT_ONE_SHOT	    0xb0 /* channel 2, low then high byte, mode 0, binary */
#define PIT_LATCH	    0x80 /* channel 2 */
#define SPEAKER_PORT	    0x61
#define SPEAKER_GATE	    BIT(0)
#define SPEAKER_DATA	    BIT(1)
#define PIT_START	    0xffffu
#define PIT_LOADED	    0x1000u /* ticks after the start in which we surely look once */

/* How long one measurement takes, as a part of the reference's second: 20 ms; the PIT's 16 bits reach 55 ms. */
#define MEASURE_PART 50u
/* Reads of a reference that does not move before it counts as absent: about a second on a real bus. */
#define DEAD_READS 1000000u
/* Reads of a reference of which the quickest counts. */
#define LOOKS 8u
/* Three measurements of which no two agree to one part in this are not trusted; the next reference is tried. */
#define TRUSTED 100u

u64 tsc_hz;

static u16 pm_port;

/* A counter of known rate that counts up, or is made to. */
struct reference {
	const char *name;
	bool (*open)(void);
	u64 (*hz)(void);
	u32 (*read)(void);
	u32 mask;
};

static paddr_t hpet_pa;

static bool open_hpet(void)
{
	return hpet_open(hpet_pa);
}

static bool open_pm_timer(void)
{
	return pm_port != 0;
}

static u64 pm_timer_hz(void)
{
	return PM_TIMER_HZ;
}

static u32 pm_timer_read(void)
{
	return in32(pm_port) & PM_TIMER_MASK;
}

static u64 pit_hz(void)
{
	return PIT_HZ;
}

static u32 pit_read(void)
{
	u32 low;

	out8(PIT_COMMAND, PIT_LATCH);
	low = in8(PIT_CHANNEL2);
	return (PIT_START - (low | (u32)in8(PIT_CHANNEL2) << 8)) & PIT_START;
}

/*
 * Gate on, speaker off, counting down once from the largest value; what is read before that has been loaded is of the
 * last count.
 */
static bool open_pit(void)
{
	out8(SPEAKER_PORT, (u8)((in8(SPEAKER_PORT) & ~(u32)SPEAKER_DATA) | (u32)SPEAKER_GATE));
	out8(PIT_COMMAND, PIT_ONE_SHOT);
	out8(PIT_CHANNEL2, PIT_START & 0xff);
	out8(PIT_CHANNEL2, PIT_START >> 8);
	for (u32 reads = 0; reads < DEAD_READS; reads++) {
		if (pit_read() - 1 < PIT_LOADED)
			return true;
	}
	return false;
}

static const struct reference references[] = {
	{"HPET", open_hpet, hpet_hz, hpet_read, ~0u},
	{"ACPI PM timer", open_pm_timer, pm_timer_hz, pm_timer_read, PM_TIMER_MASK},
	{"PIT channel 2", open_pit, pit_hz, pit_read, PIT_START},
};

/* Where the reference and the TSC stood at one moment. */
struct moment {
	u64 tsc, width; /* the read took this many ticks */
	u32 count;
};

/* The quickest of a few reads: an SMI, or a hypervisor under us, may have come into the others. */
static struct moment look(const struct reference *r)
{
	struct moment best = {0, ~0ull, 0};

	for (u32 i = 0; i < LOOKS; i++) {
		u64 before = rdtsc();
		u32 count = r->read();
		u64 width = rdtsc() - before;

		if (width < best.width)
			best = (struct moment){before + width / 2, width, count};
	}
	return best;
}

/* One measurement; 0: the counter stands still. */
static u64 measure(const struct reference *r)
{
	u64 hz = r->hz();
	u32 moved = 0, previous = 0;
	struct moment start, end;

	if (!r->open())
		return 0;
	start = look(r);
	for (u32 still = 0; moved < hz / MEASURE_PART; still++) {
		moved = (r->read() - start.count) & r->mask;
		if (moved != previous)
			still = 0;
		else if (still == DEAD_READS)
			return 0;
		previous = moved;
	}
	end = look(r);
	return tsc_rate(end.tsc - start.tsc, (end.count - start.count) & r->mask, hz);
}

/* 0: it is not there, stands still or is not to be trusted; what is there and no use is named. */
static u64 measure_thrice(const struct reference *r)
{
	u64 rates[3];

	if (!r->open())
		return 0;
	for (u32 i = 0; i < 3; i++)
		rates[i] = measure(r);
	if (tsc_agree(rates, TRUSTED))
		return tsc_middle(rates);
	log_line("TSC: the %s gives no steady rate (%llu, %llu, %llu kHz)", r->name,
		 (unsigned long long)(rates[0] / 1000), (unsigned long long)(rates[1] / 1000),
		 (unsigned long long)(rates[2] / 1000));
	return 0;
}

static void report(const char *how)
{
	log_line("TSC: %llu kHz by %s%s", (unsigned long long)(tsc_hz / 1000), how,
		 cpu_has(FEATURE_INVARIANT_TSC) ? "" : "; not invariant: time may drift with the core's speed");
}

void tsc_calibrate(u16 pm_timer_port, paddr_t hpet)
{
	u64 claimed = tsc_claimed(features_cpuid(0x15, 0));

	pm_port = pm_timer_port;
	hpet_pa = hpet;
	for (u32 i = 0; i < ARRAY_SIZE(references); i++) {
		u64 measured = measure_thrice(&references[i]);

		if (measured == 0)
			continue;
		tsc_hz = claimed ? tsc_decide(measured, claimed) : measured;
		report(claimed && tsc_hz == claimed ? "CPUID, as measured" : references[i].name);
		return;
	}
	if (!claimed)
		panic("the TSC's rate could not be measured: no HPET, PM timer or PIT channel 2 counts, and CPUID 0x15 "
		      "does not tell it");
	tsc_hz = claimed;
	report("CPUID 0x15 alone: nothing here to measure it against");
}

void tsc_delay_us(u64 us)
{
	u64 start = rdtsc(), ticks = us_to_ticks(us);

	while (rdtsc() - start < ticks)
		cpu_pause();
}
