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
	VM_END_TRIPLE_FAULT,
	VM_END_HALTED,	     /* halted for good */
	VM_END_ERROR,	     /* it did what no machine of its kind can do */
	VM_END_KILLED,	     /* from outside */
};

struct vm_console; /* vmm/console.h */

struct vm {
	u32 id; /* (i) slot in vm_table */
	const struct vm_config *config; /* (i) */
	const struct engine_ops *engine; /* (i) */
	void *engine_state; /* (i) the engine's own: second-level tables, bitmaps */
	struct root root; /* (i) host address space */
	struct guest_memory memory; /* (i) after loading */
	struct bus bus; /* (i) after creation */
	struct vm_console *console; /* (i) */
	u32 vcpu_count; /* (i) */
	struct vcpu *vcpu[MAX_VCPUS]; /* (i) */
	struct spinlock lock;
	enum vm_end_cause end_cause; /* (l) first cause wins */
	u64 end_code; /* (l) */
	char end_text[160]; /* (l) */
	u64 created_ticks, started_ticks; /* (i) TSC */
	u32 vcpus_live; /* (a) not yet ended */
};

extern struct vm *vm_table[MAX_VMS];

/* Create from a config: memory, vCPUs, devices, guest files loaded. NULL: a message said why; nothing is left behind. */
struct vm *vm_create(const struct vm_config *config, const struct engine_ops *engine);
void vm_start(struct vm *vm);
/* End it: first caller's cause is kept and printed in one line. Its other vCPUs are kicked. Any core. */
void vm_end(struct vm *vm, enum vm_end_cause cause, u64 code, const char *format, ...) PRINTF(4, 5);
/* Free everything; no vCPU of it is current anywhere. Called by the core that put its last vCPU. */
void vm_destroy(struct vm *vm);

#endif
