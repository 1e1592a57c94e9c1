/*
 * One physical core at work: its queue, its timers, its loop. vmm/main.c prepares with vmm_init(), lets each core call
 * core_init() and core_loop(), and creates and starts the VMs on the boot core in between.
 */
#ifndef VMM_CORE_H
#define VMM_CORE_H

#include "core/layout.h"
#include "vmm/config.h"
#include "vmm/loader.h"
#include "vmm/overhead.h"
#include "vmm/sched.h"
#include "vmm/timer.h"

struct vm;
struct vcpu_state;

/* (c) this core only, (s) the queue's lock, (a) atomic. */
struct core_vmm {
	struct sched_queue queue; /* (s) */
	struct list timers;	  /* (c) by deadline */
	u64 programmed;		  /* (c) what the APIC timer is set to, the first timer's deadline; ~0: nothing */
	struct timer slice_timer; /* (c) for engines without a slice timer of their own */
	struct timer output_timer; /* (c) goes on with output that the consoles could not take at once */
	bool output_due;	  /* (c) that timer fired */
	/* (c) serial of the VM that was current last: another one's branches must not steer this one's. */
	u64 last_vm;
	u64 wakeups;		  /* (c) returns from the idle halt */
	struct core_overhead overhead; /* (c) */
	struct vcpu_state *scratch; /* (c) for work on a whole state: task switch, loading */
};

extern struct core_vmm core_vmm_table[MAX_CORES];

/* What the house gives the heart; filled by vmm/main.c, constant. */
struct vmm_house {
	const struct config *config;
	/* A file named in the config; false: it is not there. */
	bool (*find_file)(const char *name, struct loader_file *file);
	/*
	 * The engine that `engine =` names ("" or "auto": the best available); NULL: not available here, `reason` says
	 * why.
	 */
	const struct engine_ops *(*find_engine)(const char *name, const char **reason);
	/* The last VM has ended; called on one core, which stands in the base root. May return. */
	void (*all_ended)(void);
};

/* Boot core, before the other cores start: queues, timers, and the timer's and kick's vectors. */
void vmm_init(const struct vmm_house *house);
extern const struct vmm_house *house;

/* Every core, on itself, before its core_loop(); lapic_init() has been done. */
void core_init(void);
/*
 * Create every VM of the config (what cannot be created is reported and left out) and make the others ready. Boot core,
 * all cores counted. Returns how many.
 */
u32 vmm_start_all(void);
/* Schedule for ever. Other cores may call it before there is a VM. */
NORETURN void core_loop(void);

/* For the run loop: run `vcpu` until another one is to be picked. (vmm/run.c) */
void vcpu_run(struct vcpu *vcpu);
/* No vCPU is current on this core any more, not even a halted one; it stands in the base root. */
void core_release(void);
/* A console of a guest or the log has something: see to it soon, off the exit path. */
void core_output(void);
/* The same within about a millisecond. */
void core_output_soon(void);

#endif
