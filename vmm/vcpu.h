/*
 * One virtual processor. Owned by the core on which it is current; `lock` letters: (c) that core, (s) the scheduler's
 * lock, (a) atomic, (i) set at creation.
 */
#ifndef VMM_VCPU_H
#define VMM_VCPU_H

#include "lib/list.h"
#include "vmm/account.h"
#include "vmm/engine.h"

struct msr_state;
struct vcpu_apic;
struct fetched;

/* What the machine around a vCPU does for it: its local APIC and its clock. Called on the core where it is current. */
struct vcpu_machine {
	/* Bring events.irq up to date, and take what else has been sent to it. */
	void (*look)(struct vcpu *vcpu);
	/* Those rows of vmm/msr.c that are its. False: #GP(0). */
	bool (*read_apic)(struct vcpu *vcpu, u32 msr, u64 *value);
	bool (*write_apic)(struct vcpu *vcpu, u32 msr, u64 value);
	bool (*read_clock)(struct vcpu *vcpu, u32 msr, u64 *value);
	bool (*write_clock)(struct vcpu *vcpu, u32 msr, u64 value);
	/* 0 to 15. */
	u64 (*get_cr8)(struct vcpu *vcpu);
	void (*set_cr8)(struct vcpu *vcpu, u64 value);
	/* The guest has set its TSC. */
	void (*tsc_moved)(struct vcpu *vcpu);
	/* The processor, which helps with the local APIC, has left something to us. */
	void (*apic_event)(struct vcpu *vcpu, const struct exit_apic *apic);
};

enum vcpu_run_state { VCPU_CREATED, VCPU_RUNNABLE, VCPU_RUNNING, VCPU_BLOCKED, VCPU_ENDED };

/* How the loop around one vCPU goes on. */
enum step { STEP_GO, STEP_YIELD, STEP_BLOCK, STEP_WAIT, STEP_END };

/* vcpu->attention, why the slow part of the run loop must look before the next entry. (a): other cores set bits. */
#define ATTENTION_EVENT	     BIT(0) /* something in `events` */
#define ATTENTION_KICK	     BIT(1) /* another core wants this one to look */
#define ATTENTION_END	     BIT(2) /* the VM is ending */
#define ATTENTION_RESCHEDULE BIT(3)

struct vcpu {
	u64 reg[REGS];	  /* (c) first: the engine's entry code addresses it */
	u64 cached;	  /* (c) BIT(enum reg): reg[] holds the value; CACHED_* */
	u64 dirty;	  /* (c) BIT(enum reg): reg[] is newer than the engine's */
	u64 attention;	  /* (a) */
	struct instruction_end end; /* (c) of the instruction that exited, as far as `cached` says */
	struct vm_exit exit; /* (c) the last one */
	struct vm *vm;	  /* (i) */
	const struct engine_ops *engine; /* (i) */
	void *engine_state; /* (i) the engine's own */
	void *xsave;	  /* (i) extended state while not current */
	u64 xcr0;	  /* (c) the guest's; written by engine->set_xcr0() and import_state() */
	u64 cr8;	  /* (c) the task priority, where no machine holds it */
	u64 slice_end;	  /* (c) TSC */
	u64 exit_tsc;	  /* (c) at the last exit */
	enum step step;	  /* (c) why the engine's loop was left last */
	u64 tsc_offset;	  /* (c) */
	struct event_state events; /* (c) */
	struct account account;	   /* (c) writes, anyone reads */
	u32 id;		  /* (i) in its VM */
	u32 core;	  /* (s) where it is queued */
	u32 last_core;	  /* (c) where it was loaded last; ~0: nowhere yet */
	bool debug_live;  /* (c) the engine's: the guest has the debug registers. False: no breakpoint is enabled */
	bool halted;	  /* (c) behind a HLT: enters again only with an event that ends it */
	bool window_wanted; /* (c) of the engine, at the last entry */
	/* (i) Takes what events.irq says from the VM's interrupt controller: the vector; NULL: the VM has none. */
	u8 (*irq_take)(struct vcpu *vcpu);
	const struct vcpu_machine *machine; /* (i) NULL: it has no local APIC */
	struct vcpu_apic *apic; /* (i) the machine's own (vmm/apic.h) */
	struct msr_state *msrs; /* (c) vmm/msr.h */
	struct fetched *fetched; /* (c) FETCHED of them (vmm/fetch.h) */
	enum vcpu_run_state state; /* (s) */
	bool wake_pending; /* (s) a wake came while it was about to block */
	u64 affinity;	  /* (i) BIT(core index) */
	struct list queue_link; /* (s) */
};

/*
 * In `cached`: reg[] holds CR0_PAGING of CR0 and CR4_PAGING of CR4, whether or not it holds all of them. Members of
 * `end` are valid; all of it is, and RIP and RFLAGS are cached.
 */
#define CACHED_PAGING		BIT(27)
#define CACHED_LENGTH		BIT(28)
#define CACHED_INTERRUPTIBILITY BIT(29)
#define CACHED_END		BIT(30)
/* These live in reg[] while the guest does not run: neither fetched nor written back. */
#define REGS_CACHED_ALWAYS (BITS(REG_R15, REG_RAX) & ~BIT(REG_RSP))

/* The one way to read and write guest registers. 64-bit values; in 16- and 32-bit code the caller truncates. */
static inline u64 vcpu_get(struct vcpu *vcpu, enum reg reg)
{
	if (UNLIKELY(!((vcpu->cached | REGS_CACHED_ALWAYS) & BIT(reg))))
		vcpu->engine->fetch(vcpu, BIT(reg));
	return vcpu->reg[reg];
}

/* Bring several in one go, of which most are not cached: they are in reg[] then. */
static inline void vcpu_need(struct vcpu *vcpu, u64 mask)
{
	u64 missing = mask & ~vcpu->cached;

	if (LIKELY(missing))
		vcpu->engine->fetch(vcpu, missing);
}

static inline void vcpu_set(struct vcpu *vcpu, enum reg reg, u64 value)
{
	vcpu->reg[reg] = value;
	vcpu->cached |= BIT(reg) & ~REGS_CACHED_ALWAYS;
	vcpu->dirty |= BIT(reg) & ~REGS_CACHED_ALWAYS;
}

/* Set the low `size` bytes (1, 2, 4, 8) as an instruction would: 4 clears the upper half, 1 and 2 keep the rest. */
static inline void vcpu_set_sized(struct vcpu *vcpu, enum reg reg, u32 size, u64 value)
{
	if (size == 1)
		value = (vcpu_get(vcpu, reg) & ~0xffull) | (u8)value;
	else if (size == 2)
		value = (vcpu_get(vcpu, reg) & ~0xffffull) | (u16)value;
	else if (size == 4)
		value = (u32)value;
	vcpu_set(vcpu, reg, value);
}

/* Reset state, not yet placed. 0, or ERR_MEMORY or the engine's error; nothing is left behind. */
int vcpu_create(struct vm *vm, u32 id, u64 affinity);
/* No core holds it. */
void vcpu_destroy(struct vcpu *vcpu);

/*
 * After an emulated instruction: RIP, RF, TF and the one-instruction blocking (SDM "Changes to Instruction Behavior",
 * "Interruptibility State").
 */
void vcpu_advance(struct vcpu *vcpu);
/*
 * From a handler that has decoded the instruction: so long it is, when it comes to its end. RIP and RFLAGS are cached.
 */
static inline void vcpu_end_is(struct vcpu *vcpu, u32 length)
{
	vcpu->end.interruptibility = vcpu->engine->interruptibility(vcpu);
	vcpu->end.length = length;
	vcpu->cached |= CACHED_LENGTH | CACHED_INTERRUPTIBILITY | CACHED_END;
}
/* Whether anything the VM has could ever end a HLT that begins now; if not, it is halted for good. */
bool vcpu_can_wake(struct vcpu *vcpu);

/*
 * Put the event whose turn it is into the next entry, and ask for windows for those that must wait. A vCPU behind a
 * HLT goes on only with an event that ends it. False: there is none.
 */
bool vcpu_deliver_events(struct vcpu *vcpu);

/* Queue an exception for the current instruction and answer VERDICT_INJECT (VERDICT_END after a triple fault). */
enum verdict vcpu_raise(struct vcpu *vcpu, u8 vector);
enum verdict vcpu_raise_error(struct vcpu *vcpu, u8 vector, u32 error);
/* #PF: CR2 as well. */
enum verdict vcpu_raise_page_fault(struct vcpu *vcpu, gva_t address, u32 error);

/*
 * Length of the instruction that exited: from the engine, or decoded where the processor does not tell. 0: its bytes
 * are gone.
 */
u32 vcpu_instruction_length(struct vcpu *vcpu);

/* Current privilege level (0 in real mode), and whether code is 64-bit. */
static inline u32 vcpu_cpl(struct vcpu *vcpu)
{
	return vcpu->engine->cpl(vcpu);
}
bool vcpu_long_mode(struct vcpu *vcpu);
/* RFLAGS.VM, and protected mode without it. */
bool vcpu_v8086(struct vcpu *vcpu);
bool vcpu_protected(struct vcpu *vcpu);

#endif
