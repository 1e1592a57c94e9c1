/*
 * The life of a vCPU on a core: make it current, deliver its events, run it, account and dispatch its exits, until
 * another one is to be picked. The straight line of vmm/loop.h is what every exit pays for; all that is rare hangs on
 * `attention`, and is here.
 */
#include "arch/x86_64/cpu/insn.h"
#include "arch/x86_64/cpu/mitigation.h"
#include "arch/x86_64/mmu/root.h"
#include "core/panic.h"
#include "core/percpu.h"
#include "vmm/core.h"
#include "vmm/loop.h"
#include "vmm/vm.h"

void core_release(void)
{
	struct percpu *cpu = this_core();

	if (cpu->current) {
		cpu->current->engine->put(cpu->current);
		cpu->current = NULL;
	}
	if (cpu->root != base_root.cr3)
		root_load(&base_root);
}

/* The root first: nothing is done for a vCPU on another VM's root (ARCHITECTURE.md "The memory it lives in"). */
static void make_current(struct vcpu *vcpu)
{
	struct percpu *cpu = this_core();

	if (cpu->current == vcpu)
		return;
	if (cpu->current)
		cpu->current->engine->put(cpu->current);
	if (cpu->root != vcpu->vm->root.cr3)
		root_load(&vcpu->vm->root);
	if (cpu->vmm->last_vm != vcpu->vm->serial) {
		cpu->vmm->last_vm = vcpu->vm->serial;
		mitigation_vm_switch();
	}
	cpu->current = vcpu;
	vcpu->engine->load(vcpu);
	vcpu->last_core = cpu->index;
}

static void begin_slice(struct vcpu *vcpu, u64 now)
{
	u64 slice = sched_slice(vcpu);

	vcpu->slice_end = now + slice;
	if (!vcpu->engine->set_slice(vcpu, slice))
		timer_arm(&this_core()->vmm->slice_timer, vcpu->slice_end);
}

static void __attribute__((noinline)) look_again(struct vcpu *vcpu)
{
	__atomic_fetch_or(&vcpu->attention, ATTENTION_EVENT, __ATOMIC_RELAXED);
}

static enum step deliver(struct vcpu *vcpu)
{
	return vcpu_deliver_events(vcpu) ? STEP_GO : STEP_BLOCK;
}

/* More than an event, or something else. */
static enum step __attribute__((noinline)) attend_others(struct vcpu *vcpu, u64 attention)
{
	if (attention & ATTENTION_END)
		return STEP_END;
	if (this_core()->vmm->output_due)
		core_output();
	/* Nothing may come between a delivery and the entry: a second one before it would overwrite the first. */
	if (attention & ATTENTION_RESCHEDULE) {
		if (attention & ATTENTION_EVENT)
			look_again(vcpu);
		return STEP_YIELD;
	}
	return attention & ATTENTION_EVENT ? deliver(vcpu) : STEP_GO;
}

/* The slow part before an entry. The bits are taken before what they announce is looked at, so that none is lost. */
static enum step attend(struct vcpu *vcpu)
{
	u64 attention = __atomic_exchange_n(&vcpu->attention, 0, __ATOMIC_SEQ_CST);

	return LIKELY(attention == ATTENTION_EVENT) ? deliver(vcpu) : attend_others(vcpu, attention);
}

/* SDM "HLT": a debug exception resumes execution, and the single-step trap of the HLT itself is one. */
static enum step halt(struct vcpu *vcpu)
{
	bool single_step = vcpu_get(vcpu, REG_RFLAGS) & RFLAGS_TF;

	vcpu_advance(vcpu);
	if (single_step)
		return STEP_GO;
	vcpu->halted = true;
	if (!vcpu_can_wake(vcpu))
		vm_vcpu_stuck(vcpu);
	look_again(vcpu);
	return STEP_GO;
}

static enum step slow_verdict(struct vcpu *vcpu, enum verdict verdict)
{
	switch (verdict) {
	case VERDICT_BLOCK:
		return halt(vcpu);
	case VERDICT_YIELD:
		vcpu_advance(vcpu);
		return STEP_YIELD;
	case VERDICT_RESCHEDULE:
		return STEP_YIELD;
	case VERDICT_WAIT:
		return STEP_WAIT;
	case VERDICT_END:
		return STEP_END;
	default:
		return STEP_GO;
	}
}

static bool go_by(struct vcpu *vcpu, enum step step)
{
	vcpu->step = step;
	return step == STEP_GO;
}

bool __attribute__((noinline)) loop_attend(struct vcpu *vcpu)
{
	u64 start = rdtsc();
	bool go = go_by(vcpu, attend(vcpu));

	vcpu->account.attend_ticks += rdtsc() - start;
	return go;
}

bool loop_slice_over(struct vcpu *vcpu)
{
	return go_by(vcpu, STEP_YIELD);
}

bool __attribute__((noinline)) loop_verdict(struct vcpu *vcpu, enum verdict verdict)
{
	if (go_by(vcpu, slow_verdict(vcpu, verdict)))
		return loop_go_on(vcpu);
	loop_count(vcpu);
	return false;
}

static enum step vcpu_loop(struct vcpu *vcpu, u64 start)
{
	if (!__atomic_load_n(&vcpu->attention, __ATOMIC_ACQUIRE) || loop_attend(vcpu))
		vcpu->engine->run(vcpu);
	vcpu->account.loop_ticks += rdtsc() - start;
	return vcpu->step;
}

static void leave(struct vcpu *vcpu, enum step step)
{
	switch (step) {
	case STEP_BLOCK:
	case STEP_WAIT:
		sched_block(vcpu);
		break;
	case STEP_END:
		core_release();
		sched_remove(vcpu);
		vm_vcpu_gone(vcpu);
		break;
	default:
		sched_yield(vcpu);
	}
}

/* Back into the queue or out of it. What this takes counts as the core's overhead, but for the end of a VM. */
static void leave_timed(struct vcpu *vcpu, enum step step)
{
	struct core_overhead *own = &this_core()->vmm->overhead;
	u64 start = rdtsc();

	leave(vcpu, step);
	own->left = step == STEP_END ? 0 : start;
	own->leaving = step == STEP_YIELD ? rdtsc() - start : 0;
}

void vcpu_run(struct vcpu *vcpu)
{
	struct core_vmm *core = this_core()->vmm;
	bool changes = core->last_vm != vcpu->vm->serial && core->overhead.left;
	u64 start = rdtsc();

	make_current(vcpu);
	begin_slice(vcpu, start);
	if (vcpu->halted)
		look_again(vcpu);
	if (changes)
		overhead_add(&core->overhead.change, rdtsc() - core->overhead.left);
	leave_timed(vcpu, vcpu_loop(vcpu, start));
}
