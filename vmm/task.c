/* The steps of a task switch, in the order of SDM "Task Switching". */
#include "vmm/task.h"

#include "arch/x86_64/cpu/regs.h"
#include "lib/string.h"
#include "vmm/cr.h"

#define TSS_BUSY      BIT(1) /* of the type */
#define TSS_IS_32BIT  BIT(3)
#define TSS_AVAILABLE 1u     /* type, the two bits above left out */
#define DR7_LOCAL     (BIT(0) | BIT(2) | BIT(4) | BIT(6) | BIT(8)) /* L0 to L3 and LE */
#define ERROR_EXT     1u

bool task_fail(struct task *task, u8 vector, u16 selector)
{
	task->fault = (struct task_fault){
		.kind = TASK_FAULT_EXCEPTION,
		.vector = vector,
		.error = (selector & 0xfffcu) | (task->external ? ERROR_EXT : 0),
	};
	return false;
}

static bool linear_done(struct task *task, enum linear_result result)
{
	static const enum task_fault_kind kinds[] = {
		[LINEAR_FAULT] = TASK_FAULT_PAGE,
		[LINEAR_NO_RAM] = TASK_FAULT_NO_RAM,
		[LINEAR_RETRY] = TASK_FAULT_RETRY,
	};

	if (result == LINEAR_OK)
		return true;
	task->fault.kind = kinds[result];
	return false;
}

bool task_read(struct task *task, gva_t gva, void *to, u32 size)
{
	return linear_done(task, linear_read(task->vm, &task->view, (u32)gva, to, size, &task->fault.linear));
}

bool task_write(struct task *task, gva_t gva, const void *from, u32 size)
{
	return linear_done(task, linear_write(task->vm, &task->view, (u32)gva, from, size, &task->fault.linear));
}

static bool probe(struct task *task, gva_t gva, u32 size)
{
	return linear_done(task, linear_probe_write(task->vm, &task->view, (u32)gva, size, &task->fault.linear));
}

bool task_descriptor(struct task *task, u16 selector, u8 vector, u64 *descriptor, gva_t *at)
{
	const struct segment *ldt = &task->state->segment[SEG_LDTR];
	bool local = selector & 4;
	u64 base = local ? ldt->base : task->state->gdtr.base;
	u32 limit = local ? ldt->limit : task->state->gdtr.limit;

	if ((selector | 7u) > limit || (local && ldt->attributes & SEGMENT_UNUSABLE))
		return task_fail(task, vector, selector);
	*at = base + (selector & ~7u);
	return task_read(task, *at, descriptor, sizeof(*descriptor));
}

static bool is_iret(const struct task *task)
{
	return task->source == TASK_IRET;
}

/* CALL and gates nest: the new task remembers the old one. */
static bool nests(const struct task *task)
{
	return task->source == TASK_CALL || task->source == TASK_GATE;
}

static const struct tss_layout *layout_of(u32 attributes)
{
	return attributes & TSS_IS_32BIT ? &tss_32bit : &tss_16bit;
}

/* The processor checked all of this before the exit; another vCPU may have changed the table since. */
static bool check_new_tss(struct task *task, gva_t *at)
{
	u8 wrong_type = is_iret(task) ? VECTOR_TS : VECTOR_GP;
	struct segment tss;
	u32 type;

	if (task->selector & 4 || (task->selector & ~7u) == 0)
		return task_fail(task, wrong_type, task->selector);
	if (!task_descriptor(task, task->selector, wrong_type, &task->descriptor, at))
		return false;
	tss = segment_from_descriptor(task->selector, task->descriptor);
	type = SEGMENT_TYPE(tss.attributes);
	if (tss.attributes & SEGMENT_S || (type & ~(TSS_BUSY | TSS_IS_32BIT)) != TSS_AVAILABLE ||
	    (bool)(type & TSS_BUSY) != is_iret(task))
		return task_fail(task, wrong_type, task->selector);
	if (!(tss.attributes & SEGMENT_P))
		return task_fail(task, VECTOR_NP, task->selector);
	task->new_layout = layout_of(tss.attributes);
	if (tss.limit < task->new_layout->size - 1)
		return task_fail(task, VECTOR_TS, task->selector);
	return true;
}

static gva_t descriptor_at(const struct task *task, u16 selector)
{
	return task->state->gdtr.base + (selector & ~7u);
}

/*
 * "Checks that the current TSS, the new TSS and all segment descriptors used in the task switch are paged into system
 * memory."
 */
static bool page_in(struct task *task, gva_t new_descriptor)
{
	const struct segment *old = &task->state->segment[SEG_TR];
	const struct tss_layout *layout = layout_of(old->attributes);
	u64 new_base = segment_from_descriptor(0, task->descriptor).base;

	task->old_layout = layout;
	if (!task_read(task, new_base, task->new_tss, task->new_layout->size))
		return false;
	if (!probe(task, old->base + layout->save_start, layout->save_end - layout->save_start) ||
	    !task_read(task, old->base + layout->save_start, task->old_tss + layout->save_start,
		       layout->save_end - layout->save_start))
		return false;
	if (!nests(task) && !probe(task, descriptor_at(task, old->selector) + 5, 1))
		return false;
	if (nests(task) && !probe(task, new_base, 2))
		return false;
	return is_iret(task) || probe(task, new_descriptor + 5, 1);
}

static bool set_busy(struct task *task, gva_t descriptor, bool busy)
{
	u8 byte;

	if (!task_read(task, descriptor + 5, &byte, 1))
		return false;
	byte = (u8)(busy ? byte | TSS_BUSY : byte & ~TSS_BUSY);
	return task_write(task, descriptor + 5, &byte, 1);
}

static bool leave_old(struct task *task, u64 next_rip)
{
	struct vcpu_state *state = task->state;
	const struct segment *old = &state->segment[SEG_TR];
	const struct tss_layout *layout = task->old_layout;
	u64 rflags = state->reg[REG_RFLAGS];

	if (!nests(task) && !set_busy(task, descriptor_at(task, old->selector), false))
		return false;
	if (is_iret(task))
		rflags &= ~RFLAGS_NT;
	tss_save(layout, task->old_tss, state, next_rip, rflags);
	return task_write(task, old->base + layout->save_start, task->old_tss + layout->save_start,
			  layout->save_end - layout->save_start);
}

static bool link_new(struct task *task, gva_t new_descriptor)
{
	u64 new_base = segment_from_descriptor(0, task->descriptor).base;
	u16 link = task->state->segment[SEG_TR].selector;

	if (nests(task) && !task_write(task, new_base, &link, sizeof(link)))
		return false;
	return is_iret(task) || set_busy(task, new_descriptor, true);
}

/* The registers of the new task. From here on faults are its own. */
static void enter_new(struct task *task)
{
	struct vcpu_state *state = task->state;

	tss_load(task->new_layout, task->new_tss, state);
	if (nests(task))
		state->reg[REG_RFLAGS] |= RFLAGS_NT;
	state->segment[SEG_TR] = segment_from_descriptor(task->selector, task->descriptor);
	state->segment[SEG_TR].attributes |= TSS_BUSY;
	state->reg[REG_CR0] |= CR0_TS;
	state->dr7 = (state->dr7 & ~DR7_LOCAL) | DR7_RESERVED_ONES;
	state->interruptibility &= ~(u32)(BLOCKED_BY_STI | BLOCKED_BY_MOV_SS | (is_iret(task) ? BLOCKED_BY_NMI : 0));
	state->in_flight = (struct event){.type = EVENT_NONE};
}

/* A 16-bit TSS has no CR3, and without paging nothing is loaded. */
static bool load_cr3(struct task *task)
{
	struct vcpu_state *state = task->state;
	u64 cr3;

	if (!task->new_layout->cr3 || !(state->reg[REG_CR0] & CR0_PG))
		return true;
	cr3 = tss_get(task->new_tss, task->new_layout->cr3, 4);
	if (pae_paging(state->reg[REG_CR0], state->reg[REG_CR4], state->reg[REG_EFER]) &&
	    !read_pdptes(task->vm, cr3, task->physical_bits, state->pdpte))
		return task_fail(task, VECTOR_GP, 0);
	state->reg[REG_CR3] = cr3;
	task->view.mode.cr3 = cr3;
	return true;
}

static bool check_eip(struct task *task)
{
	const struct vcpu_state *state = task->state;

	return state->reg[REG_RIP] <= state->segment[SEG_CS].limit || task_fail(task, VECTOR_GP, 0);
}

/* An exception's error code goes onto the new task's stack, as wide as its TSS. */
static bool push_error(struct task *task, u32 error)
{
	struct vcpu_state *state = task->state;
	const struct segment *ss = &state->segment[SEG_SS];
	u64 mask = ss->attributes & SEGMENT_DB ? 0xffffffffu : 0xffffu;
	u64 rsp = state->reg[REG_RSP];
	u32 width = task->new_layout->width;
	u64 top = (rsp - width) & mask;

	if (!segment_holds(ss, top, width))
		return task_fail(task, VECTOR_SS, 0);
	task->view.user = SEGMENT_DPL(ss->attributes) == 3;
	task->view.implicit = false;
	task->view.mode.rflags = state->reg[REG_RFLAGS];
	if (!task_write(task, ss->base + top, &error, width))
		return false;
	state->reg[REG_RSP] = (rsp & ~mask) | top;
	return true;
}

/* The T flag: a debug trap before the first instruction of the new task. */
static bool trap(struct task *task)
{
	const struct tss_layout *layout = task->new_layout;

	if (!layout->trap || !(tss_get(task->new_tss, layout->trap, 2) & 1))
		return true;
	task->state->dr6 |= DR6_BT;
	task->fault = (struct task_fault){.kind = TASK_FAULT_EXCEPTION, .vector = VECTOR_DB};
	return false;
}

bool task_prepare(struct task *task, gva_t *new_descriptor)
{
	return check_new_tss(task, new_descriptor) && page_in(task, *new_descriptor);
}

bool task_commit(struct task *task, gva_t new_descriptor, u64 next_rip, bool has_error, u32 error)
{
	if (!leave_old(task, next_rip) || !link_new(task, new_descriptor))
		return false;
	enter_new(task);
	return load_cr3(task) && task_load_segments(task) && check_eip(task) &&
	       (!has_error || push_error(task, error)) && trap(task);
}
