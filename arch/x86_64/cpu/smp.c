/* Starting the other cores, one at a time (SDM vol. 3 "MP Initialization Protocol Algorithm for MP Systems"). */
#include "arch/x86_64/cpu/cpu.h"
#include "arch/x86_64/cpu/insn.h"
#include "arch/x86_64/cpu/lapic.h"
#include "arch/x86_64/cpu/skew.h"
#include "arch/x86_64/cpu/smp_call.h"
#include "arch/x86_64/cpu/stop.h"
#include "arch/x86_64/cpu/tsc.h"
#include "arch/x86_64/cpu/trampoline.h"
#include "arch/x86_64/mmu/root.h"
#include "core/log.h"
#include "core/panic.h"
#include "core/time.h"

#define INIT_DELAY_US	 10000u /* the SDM's, between INIT and the first SIPI */
#define STARTUP_DELAY_US 200u	/* and between the two SIPIs */
#define ANSWER_MS	 2000u	/* until the trampoline runs: its own time, not the SDM's */
#define READY_MS	 30000u /* until `main` says it is fit */

/* How far the core being started has come after the trampoline. Atomic. */
enum progress { STARTING, READY, UNFIT, GIVEN_UP };

static enum progress progress;
static const char *unfit_reason; /* written before progress becomes UNFIT */
static void (*core_main)(void);	 /* constant while cores start */

/* From entry.asm, on its own stack and the base root. */
void smp_core_main(u32 index);
void smp_core_main(u32 index)
{
	cpu_init_core(index);
	lapic_init();
	skew_answer();
	core_main();
	panic("the main function of core %u returned", index);
}

static bool advance(enum progress from, enum progress to)
{
	return __atomic_compare_exchange_n(&progress, &from, to, false, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE);
}

void smp_core_ready(void)
{
	struct percpu *core = this_core();

	__atomic_store_n(&core->online, true, __ATOMIC_RELEASE);
	if (!advance(STARTING, READY)) {
		/* Too late: it has been left out. */
		__atomic_store_n(&core->online, false, __ATOMIC_RELEASE);
		stop_here();
	}
}

void smp_core_unfit(const char *reason)
{
	unfit_reason = reason;
	advance(STARTING, UNFIT);
	stop_here();
}

/* Wait until the core has come on from STARTING; gives it up after the time. */
static enum progress wait_progress(void)
{
	u64 start = rdtsc(), ticks = ms_to_ticks(READY_MS);

	while (__atomic_load_n(&progress, __ATOMIC_ACQUIRE) == STARTING) {
		if (rdtsc() - start > ticks)
			advance(STARTING, GIVEN_UP);
		cpu_pause();
	}
	return __atomic_load_n(&progress, __ATOMIC_ACQUIRE);
}

/* INIT, SIPI and, if need be, the second SIPI. True: it runs our code. */
static bool wake(u32 apic_id, paddr_t page)
{
	lapic_init_ipi(apic_id);
	tsc_delay_us(INIT_DELAY_US);
	lapic_startup_ipi(apic_id, (u8)(page >> PAGE_SHIFT));
	tsc_delay_us(STARTUP_DELAY_US);
	if (trampoline_claimed())
		return true;
	lapic_startup_ipi(apic_id, (u8)(page >> PAGE_SHIFT));
	for (u64 start = rdtsc(), ticks = ms_to_ticks(ANSWER_MS); rdtsc() - start < ticks; cpu_pause()) {
		if (trampoline_claimed())
			return true;
	}
	/* Should it wake after all, the trampoline halts it, unless it came in this very moment. */
	return !trampoline_withdraw();
}

static bool map_stacks(u32 index)
{
	for (u32 which = 0; which < STACKS; which++) {
		if (!map_stack(index, which))
			return false;
	}
	percpu_table[index].stack_top = (u64)map_stack(index, STACK_NORMAL);
	return true;
}

/* What became of a core whose trampoline has answered. */
static enum progress accompany(u32 index, u32 apic_id)
{
	u64 error = 0;
	s64 skew = 0;
	enum progress reached;

	percpu_table[index].apic_id = apic_id;
	if (skew_measure(&skew, &error) != OK) {
		advance(STARTING, GIVEN_UP);
		return GIVEN_UP;
	}
	percpu_table[index].tsc_skew = skew;
	reached = wait_progress();
	if (reached == READY)
		log_line("core %u: APIC ID %u, TSC skew %lld ticks, known to +-%llu", index, apic_id, (long long)skew,
			 (unsigned long long)error);
	return reached;
}

/* False: no further core can be started. */
static bool start_one(u32 apic_id, paddr_t page)
{
	u32 index = core_count;

	if (index == MAX_CORES || !map_stacks(index)) {
		log_line("core with APIC ID %u and those after it are left out: %s", apic_id,
			 index == MAX_CORES ? "more cores than this build knows" : "no memory for their stacks");
		return false;
	}
	if (!lapic_reaches(apic_id)) {
		log_line("core with APIC ID %u is left out: its number needs x2APIC mode, which this machine lacks",
			 apic_id);
		return true;
	}
	progress = STARTING;
	trampoline_offer(apic_id, index, percpu_table[index].stack_top);
	if (!wake(apic_id, page)) {
		log_line("core with APIC ID %u is left out: it does not answer INIT and start-up IPIs", apic_id);
		return true;
	}
	switch (accompany(index, apic_id)) {
	case READY:
		core_count++;
		return true;
	case UNFIT:
		log_line("core with APIC ID %u is left out: %s", apic_id, unfit_reason);
		/* Back to waiting for a SIPI, so that the next core can have its stacks. */
		lapic_init_ipi(apic_id);
		tsc_delay_us(INIT_DELAY_US);
		return true;
	default:
		/* It runs our code, nobody knows where: its stacks and number cannot be given to another. */
		log_line("core with APIC ID %u is left out, with those after it: it started and then fell silent",
			 apic_id);
		return false;
	}
}

u32 smp_start(const u32 *apic_ids, u32 count, paddr_t trampoline, u32 trampoline_size, void (*main)(void))
{
	int result;

	smp_call_init();
	core_main = main;
	if (count <= 1)
		return core_count;
	result = trampoline_prepare(trampoline, trampoline_size);
	if (result) {
		log_line("only the boot core is used: the trampoline at 0x%llx, %u bytes, cannot be had",
			 (unsigned long long)trampoline, trampoline_size);
		return core_count;
	}
	for (u32 i = 0; i < count; i++) {
		if (apic_ids[i] != this_core()->apic_id && !start_one(apic_ids[i], trampoline))
			break;
	}
	return core_count;
}
