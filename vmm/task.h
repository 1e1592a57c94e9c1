/*
 * A hardware task switch under way (SDM "Task Switching"). VT-x never does one in a guest, so it is done here: over the
 * vCPU's exported state and guest-linear memory. Up to task_commit() a fault belongs to the old task and nothing has
 * changed; after it, to the new one.
 */
#ifndef VMM_TASK_H
#define VMM_TASK_H

#include "vmm/exit.h"
#include "vmm/linear.h"
#include "vmm/vcpu_state.h"

#define TSS_MAX 104u

/* Where a TSS keeps what (SDM "32-Bit Task-State Segment", "16-Bit TSS Format"). Offset 0 means: this kind has none. */
struct tss_layout {
	u32 size;	/* of the part that a switch uses */
	u32 width;	/* of EIP, EFLAGS and the general registers: 2 or 4 */
	u32 save_start, save_end; /* what is written when a task is left */
	u32 cr3, eip, eflags, gpr, segment, segments, segment_stride, ldt, trap;
};

extern const struct tss_layout tss_16bit, tss_32bit;

enum task_fault_kind { TASK_FAULT_NONE, TASK_FAULT_EXCEPTION, TASK_FAULT_PAGE, TASK_FAULT_NO_RAM, TASK_FAULT_RETRY };

struct task_fault {
	enum task_fault_kind kind;
	u8 vector;
	u32 error;
	struct linear_fault linear;
};

/* On the stack of the core that handles the exit. */
struct task {
	struct vm *vm;
	struct vcpu_state *state; /* the old task's, then the new one's */
	enum task_switch_source source;
	u16 selector;
	bool external; /* EXT of error codes: an event external to the program */
	u32 physical_bits;
	struct linear_view view; /* implicit accesses; CR3 becomes the new task's */
	const struct tss_layout *old_layout, *new_layout;
	u64 descriptor; /* of the new TSS */
	u8 old_tss[TSS_MAX], new_tss[TSS_MAX];
	struct task_fault fault;
};

/* All of these: false with task->fault set. */
bool task_fail(struct task *task, u8 vector, u16 selector);
bool task_read(struct task *task, gva_t gva, void *to, u32 size);
bool task_write(struct task *task, gva_t gva, const void *from, u32 size);
/* A descriptor by its selector, through GDT or LDT. Beyond the table's limit: fault `vector`. */
bool task_descriptor(struct task *task, u16 selector, u8 vector, u64 *descriptor, gva_t *at);
/*
 * task_segments.c: LDTR, then the six segment registers of the new task, with the checks the SDM lists for a task
 * switch.
 */
bool task_load_segments(struct task *task);
struct segment segment_from_descriptor(u16 selector, u64 descriptor);

/* task_tss.c */
u32 tss_get(const u8 *tss, u32 offset, u32 width);
void tss_save(const struct tss_layout *layout, u8 *tss, const struct vcpu_state *state, u64 rip, u64 rflags);
void tss_load(const struct tss_layout *layout, const u8 *tss, struct vcpu_state *state);

/* Check the new TSS and that all that is needed is there. A fault is the old task's: nothing has changed. */
bool task_prepare(struct task *task, gva_t *new_descriptor);
/*
 * Switch. `next_rip` is saved as the old task's EIP; an error code goes onto the new task's stack. task->state is the
 * new task's in any case; false: with a fault, or the trap that its T flag asks for, to be delivered in it.
 */
bool task_commit(struct task *task, gva_t new_descriptor, u64 next_rip, bool has_error, u32 error);

#endif
