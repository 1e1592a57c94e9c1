/* One virtual machine: memory, vCPUs, devices, and how it ends. (i) set at creation, (l) its lock, (a) atomic. */
#ifndef VMM_VM_H
#define VMM_VM_H

#include "arch/x86_64/mmu/root.h"
#include "core/frame.h"
#include "core/lock.h"
#include "vmm/config.h"
#include "vmm/engine.h"
#include "vmm/guest_memory.h"
#include "vmm/devices/bus.h"

#define MAX_VMS	       128
#define MAX_VCPUS      32 /* of one VM */

enum vm_end_cause {
	VM_END_NONE,
	VM_END_EXIT,	     /* it said so itself, with a code */
	VM_END_RESET,	     /* it asked for a reset */
	VM_END_TRIPLE_FAULT,
	VM_END_HALTED,	     /* halted for good */
	VM_END_ERROR,	     /* it did what no machine of its kind can do */
	VM_END_CRASH,	     /* it said that it cannot go on */
	VM_END_KILLED,	     /* from outside */
};

/* What a hypercall may need. */
#define VM_MAY_PRINT BIT(0)
#define VM_MAY_EXIT  BIT(1)

struct vm_console; /* vmm/console.h */
struct cpuid_policy; /* vmm/cpuid.h */

struct vm {
	u32 id; /* (i) slot in vm_table */
	u64 serial; /* (i) of all VMs since boot, from 1 */
	const struct vm_config *config; /* (i) */
	const struct engine_ops *engine; /* (i) */
	void *engine_state; /* (i) the engine's own: second-level tables, bitmaps */
	struct root root; /* (i) host address space */
	struct guest_memory memory; /* (i) after loading */
	struct guest_demand demand; /* its own locks */
	struct bus bus; /* (i) after creation */
	struct vm_console *console; /* (i) */
	u32 vcpu_count; /* (i) */
	struct vcpu *vcpu[MAX_VCPUS]; /* (i) */
	struct spinlock lock;
	enum vm_end_cause end_cause; /* (l) first cause wins */
	u64 end_code; /* (l) */
	char end_text[160]; /* (l) */
	u64 started_ticks; /* (i) TSC at which VM time began, before the first device was made */
	u32 vcpus_live; /* (a) placed on a core and not yet ended */
	u32 vcpus_started, vcpus_stuck; /* (l) BIT(id): was placed; halted with nothing that could wake it */
	const struct cpuid_policy *cpuid; /* (i) what CPUID says here */
	u32 forbidden; /* (i) VM_MAY_*: which hypercalls it may not make */
	u64 create_ticks, zero_ticks; /* (i) what making it took, and what of that was to zero its RAM */
	u64 own_bytes; /* (i) of the pool: all it has beside its RAM, second-level tables included */
};

extern struct vm *vm_table[MAX_VMS];

/* Bytes typed for the VM of this name. Returns how many it took: none while there is none. Any core. */
u32 vm_type(const char *name, const char *bytes, u32 n);

/*
 * Create from a config: memory, vCPUs, devices, guest files loaded. NULL: a message said why; nothing is left behind.
 * Called on a core without a current vCPU, standing in the base root.
 */
struct vm *vm_create(const struct vm_config *config, const struct engine_ops *engine);
/* Its boot vCPU becomes ready on a core. The VM may have ended and be gone when this returns. */
void vm_start(struct vm *vm);
/* One vCPU halted with nothing that could wake it: when that holds for all of them, the VM is halted for good. */
void vm_vcpu_stuck(struct vcpu *vcpu);
/* A vCPU of an ended VM has left its core, which stands in the base root; the last one takes the VM with it. */
void vm_vcpu_gone(struct vcpu *vcpu);
/* End it: first caller's cause is kept and printed in one line. Its other vCPUs are kicked. Any core. */
void vm_end(struct vm *vm, enum vm_end_cause cause, u64 code, const char *format, ...) PRINTF(4, 5);
/* Whether vm_end() was called. Any core. */
bool vm_ended(struct vm *vm);
/* Take it down and make it anew from its config. As vm_destroy(), and the core has no current vCPU. */
void vm_restart(struct vm *vm);
/* Free everything; no vCPU of it is current anywhere. Called by the core that put its last vCPU. */
void vm_destroy(struct vm *vm);

#endif
