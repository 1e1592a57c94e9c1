#include "arch/x86_64/cpu/smp_call.h"
#include "arch/x86_64/cpu/cpu.h"
#include "arch/x86_64/cpu/insn.h"
#include "arch/x86_64/cpu/irq.h"
#include "arch/x86_64/cpu/lapic.h"
#include "core/lock.h"
#include "core/panic.h"
#include "core/percpu.h"
#include "core/time.h"

#define ANSWER_MS 10000u

/* One call at a time. Taken by trying, serving others' calls meanwhile. */
static struct spinlock call_lock = SPINLOCK_INIT;
static void (*call_work)(void *context); /* call_lock; read by the cores whose `asked` is set */
static void *call_context;		 /* likewise */
static bool asked[MAX_CORES];		 /* atomic: set by the caller, cleared by the core when it has done the work */

static void __attribute__((noinline)) answer(void)
{
	call_work(call_context);
	__atomic_store_n(&asked[this_core()->index], false, __ATOMIC_RELEASE);
}

void smp_poll(void)
{
	if (UNLIKELY(__atomic_load_n(&asked[this_core()->index], __ATOMIC_ACQUIRE)))
		answer();
}

/* A kick that brings no call still ends a guest's run or a halt, which is all that its sender wanted. */
static void on_kick(u8 vector UNUSED)
{
	smp_poll();
}

void smp_call_init(void)
{
	irq_register(HOST_VECTOR_KICK, on_kick);
}

static void ask_others(void)
{
	for (u32 i = 0; i < core_count; i++) {
		if (i == this_core()->index)
			continue;
		__atomic_store_n(&asked[i], true, __ATOMIC_RELEASE);
		lapic_ipi(percpu_table[i].apic_id, HOST_VECTOR_KICK);
	}
}

static void wait_for(u32 core)
{
	u64 start = rdtsc(), ticks = ms_to_ticks(ANSWER_MS);

	while (__atomic_load_n(&asked[core], __ATOMIC_ACQUIRE)) {
		if (rdtsc() - start > ticks)
			panic("core %u (APIC ID %u) has not answered a call for %u ms", core,
			      percpu_table[core].apic_id, ANSWER_MS);
		cpu_pause();
	}
}

void smp_call_all(void (*work)(void *context), void *context)
{
	/* Another caller may be waiting for this very core. */
	while (!lock_try(&call_lock)) {
		smp_poll();
		cpu_pause();
	}
	call_work = work;
	call_context = context;
	ask_others();
	work(context);
	for (u32 i = 0; i < core_count; i++)
		wait_for(i);
	lock_release(&call_lock);
}
