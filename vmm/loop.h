/*
 * What every exit passes through between the engine's decoding and the next entry, inline: for the engines' own loops
 * around their entries.
 */
#ifndef VMM_LOOP_H
#define VMM_LOOP_H

#include "arch/x86_64/cpu/insn.h"
#include "vmm/vcpu.h"

/* The rare parts, in vmm/run.c. False: leave the loop; vcpu->step says how. */
bool loop_verdict(struct vcpu *vcpu, enum verdict verdict);
bool loop_slice_over(struct vcpu *vcpu);
bool loop_attend(struct vcpu *vcpu);

/*
 * vcpu_advance() for the usual instruction: its end is known, without a wrap of the low 32 bits, RF, TF, or blocking
 * that it ends.
 */
static inline void loop_advance(struct vcpu *vcpu)
{
	u64 length = vcpu->end.length, next = vcpu->reg[REG_RIP] + length;

	if (UNLIKELY(!(vcpu->cached & CACHED_END) || (u32)next < (u32)length ||
		     vcpu->reg[REG_RFLAGS] & (RFLAGS_RF | RFLAGS_TF) ||
		     vcpu->end.interruptibility & (BLOCKED_BY_STI | BLOCKED_BY_MOV_SS))) {
		vcpu_advance(vcpu);
		return;
	}
	vcpu->reg[REG_RIP] = next;
	vcpu->dirty |= BIT(REG_RIP);
}

/* The exit has been dealt with: count it. Returns the time. */
static inline u64 loop_count(struct vcpu *vcpu)
{
	struct account *account = &vcpu->account;
	u64 now = rdtsc();

	account->count[vcpu->exit.raw]++;
	account->ticks[vcpu->exit.raw] += now - vcpu->exit_tsc;
	return now;
}

static inline bool loop_go_on(struct vcpu *vcpu)
{
	u64 now = loop_count(vcpu);

	if (UNLIKELY(now >= vcpu->slice_end))
		return loop_slice_over(vcpu);
	return LIKELY(!__atomic_load_n(&vcpu->attention, __ATOMIC_ACQUIRE)) || loop_attend(vcpu);
}

/*
 * Dispatch vcpu->exit, account for it, and do what must be done before the next entry. True: enter. False: run() is to
 * return. Time in the guest is what is left over (account_guest_ticks()): it is not worth an instruction at each exit.
 */
static inline __attribute__((always_inline)) bool vcpu_exited(struct vcpu *vcpu)
{
	enum verdict verdict;

	vcpu->exit_tsc = rdtsc();
	verdict = exit_table[vcpu->exit.kind].handle(vcpu, &vcpu->exit);
	if (UNLIKELY(verdict != VERDICT_ADVANCE))
		return loop_verdict(vcpu, verdict);
	loop_advance(vcpu);
	return loop_go_on(vcpu);
}

#endif
