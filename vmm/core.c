#include "vmm/core.h"

#include "arch/x86_64/cpu/cpu.h"
#include "arch/x86_64/cpu/insn.h"
#include "arch/x86_64/cpu/irq.h"
#include "arch/x86_64/cpu/lapic.h"
#include "core/log.h"
#include "core/panic.h"
#include "core/percpu.h"
#include "core/pool.h"
#include "core/time.h"
#include "vmm/console.h"
#include "vmm/input.h"
#include "vmm/vm.h"

/* While a console is busy we come back this often; a 16-byte UART queue empties in 1.4 ms at 115200 baud. */
#define OUTPUT_PERIOD_US 1000

struct core_vmm core_vmm_table[MAX_CORES];
const struct vmm_house *house;

static void timer_interrupt(u8 vector)
{
	(void)vector;
	/* One shot: whatever was programmed is spent, even where a coarse timer fired a little early. */
	this_core()->vmm->programmed = ~0ull;
	timer_run(rdtsc());
}

/* Not percpu->current: that one may have halted and only be loaded still. */
static void interrupt_running(u64 attention)
{
	struct vcpu *running = this_core()->vmm->queue.running;

	if (running)
		__atomic_fetch_or(&running->attention, attention, __ATOMIC_RELAXED);
}

static void slice_over(struct timer *timer)
{
	(void)timer;
	interrupt_running(ATTENTION_RESCHEDULE);
}

/* Timers fire on the exit path; the work itself waits for the slow part of the loop. */
static void output_again(struct timer *timer)
{
	(void)timer;
	this_core()->vmm->output_due = true;
	interrupt_running(ATTENTION_KICK);
}

void core_output(void)
{
	struct core_vmm *core = this_core()->vmm;

	core->output_due = false;
	vm_console_drain_all();
	if (log_drain())
		timer_arm(&core->output_timer, rdtsc() + us_to_ticks(OUTPUT_PERIOD_US));
}

void core_output_soon(void)
{
	struct core_vmm *core = this_core()->vmm;

	if (core->output_timer.deadline == ~0ull)
		timer_arm(&core->output_timer, rdtsc() + us_to_ticks(OUTPUT_PERIOD_US));
}

void vmm_init(const struct vmm_house *the_house)
{
	house = the_house;
	sched_init(&sched_round_robin, MAX_CORES, ms_to_ticks(house->config->slice_ms));
	irq_register(HOST_VECTOR_TIMER, timer_interrupt);
}

void core_init(void)
{
	struct core_vmm *core = &core_vmm_table[this_core()->index];

	this_core()->vmm = core;
	list_init(&core->timers);
	core->programmed = ~0ull;
	timer_init(&core->slice_timer, slice_over);
	timer_init(&core->output_timer, output_again);
	if (this_core()->index == 0 && house->config->console[0])
		input_start();
	core->scratch = pool_alloc((u32)(ALIGN_UP(sizeof(*core->scratch), PAGE_SIZE) / PAGE_SIZE));
	if (!core->scratch)
		panic("core %u: no memory in the hypervisor's pool for its work area", this_core()->index);
}

static void output_if_any(void)
{
	if (UNLIKELY(vm_console_waits() || log_waits()))
		core_output();
}

/*
 * Nothing to run here: a look at the queue found nothing, with interrupts off, and STI lets none in before HLT, so a
 * kick that came after the look ends the halt. Timers that are due interrupt it as well. Whoever ran last stays loaded,
 * with its VM's root: when it is the next too, which is the rule, nothing has to be switched.
 */
static struct vcpu *idle(void)
{
	struct core_vmm *core = this_core()->vmm;
	struct vcpu *vcpu;

	core->overhead.left = 0;
	do {
		halt_until_interrupt();
		core->wakeups++;
		output_if_any();
		vcpu = sched_pick();
	} while (!vcpu);
	return vcpu;
}

static struct vcpu *choose(struct core_vmm *core, u64 start)
{
	struct vcpu *vcpu = sched_pick();

	if (vcpu)
		overhead_scheduled(&core->overhead, core->queue.count, rdtsc() - start);
	return vcpu;
}

/*
 * What has come due meanwhile. Interrupts come in guest mode and in the idle halt only, and a guest may keep them from
 * us for a slice (Bochs, with IF = 0).
 */
static void catch_up(struct core_vmm *core, u64 now)
{
	smp_poll();
	if (core->programmed <= now)
		timer_run(now);
	output_if_any();
}

void core_loop(void)
{
	struct core_vmm *core = this_core()->vmm;

	for (;;) {
		struct vcpu *vcpu;

		catch_up(core, rdtsc());
		vcpu = choose(core, rdtsc());
		vcpu_run(vcpu ? vcpu : idle());
	}
}
