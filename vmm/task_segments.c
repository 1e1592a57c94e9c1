/*
 * The segment registers of a new task (SDM "Task Switching", the table "Exception Conditions Checked During a Task
 * Switch"). Pure but for the reading of descriptor tables.
 */
#include "arch/x86_64/cpu/regs.h"
#include "vmm/task.h"

#define TYPE_CODE	BIT(3)
#define TYPE_CONFORMING BIT(2) /* code */
#define TYPE_WRITABLE	BIT(1) /* data; for code: readable */
#define TYPE_ACCESSED	BIT(0)
#define TYPE_LDT	2u
#define RPL(selector)	((selector) & 3u)
#define IS_NULL(s)	(((s) & ~3u) == 0)

struct segment segment_from_descriptor(u16 selector, u64 d)
{
	u32 limit = (u32)((d & 0xffff) | (d >> 32 & 0xf0000));
	u32 attributes = (u32)(d >> 40 & 0xf0ff);

	if (attributes & SEGMENT_G)
		limit = limit << 12 | 0xfff;
	return (struct segment){
		.selector = selector,
		.attributes = attributes,
		.limit = limit,
		.base = (d >> 16 & 0xffffff) | (d >> 56 << 24),
	};
}

static void load_null(struct segment *segment)
{
	*segment = (struct segment){.selector = segment->selector, .attributes = SEGMENT_UNUSABLE};
}

/* Virtual-8086 mode: the selector is the base (SDM "Virtual-8086 Mode"). */
static void load_v8086(struct vcpu_state *state)
{
	for (u32 i = SEG_ES; i <= SEG_GS; i++) {
		u16 selector = state->segment[i].selector;

		state->segment[i] = (struct segment){
			.selector = selector, .attributes = 0xf3, .limit = 0xffff, .base = (u64)selector << 4};
	}
}

static bool load_ldt(struct task *task)
{
	struct segment *ldtr = &task->state->segment[SEG_LDTR];
	struct segment new;
	u64 descriptor;
	gva_t at;

	load_null(ldtr);
	if (IS_NULL(ldtr->selector))
		return true;
	if (ldtr->selector & 4)
		return task_fail(task, VECTOR_TS, ldtr->selector);
	if (!task_descriptor(task, ldtr->selector, VECTOR_TS, &descriptor, &at))
		return false;
	new = segment_from_descriptor(ldtr->selector, descriptor);
	if (new.attributes & SEGMENT_S || SEGMENT_TYPE(new.attributes) != TYPE_LDT || !(new.attributes & SEGMENT_P))
		return task_fail(task, VECTOR_TS, ldtr->selector);
	*ldtr = new;
	return true;
}

/* Which of #TS, #NP, #SS a descriptor earns in a register; 0: none. `cpl` is the new task's: the RPL of its CS. */
static u8 check_code(u32 a, u32 rpl, u32 cpl)
{
	bool conforming = a & TYPE_CONFORMING;

	(void)rpl;
	if (!(a & SEGMENT_S) || !(a & TYPE_CODE))
		return VECTOR_TS;
	if (conforming ? SEGMENT_DPL(a) > cpl : SEGMENT_DPL(a) != cpl)
		return VECTOR_TS;
	return a & SEGMENT_P ? 0 : VECTOR_NP;
}

static u8 check_stack(u32 a, u32 rpl, u32 cpl)
{
	if (!(a & SEGMENT_S) || a & TYPE_CODE || !(a & TYPE_WRITABLE))
		return VECTOR_TS;
	if (SEGMENT_DPL(a) != cpl || rpl != cpl)
		return VECTOR_TS;
	return a & SEGMENT_P ? 0 : VECTOR_SS;
}

static u8 check_data(u32 a, u32 rpl, u32 cpl)
{
	bool code = a & TYPE_CODE;

	if (!(a & SEGMENT_S) || (code && !(a & TYPE_WRITABLE)))
		return VECTOR_TS;
	if (!(code && a & TYPE_CONFORMING) && (SEGMENT_DPL(a) < cpl || SEGMENT_DPL(a) < rpl))
		return VECTOR_TS;
	return a & SEGMENT_P ? 0 : VECTOR_NP;
}

/* The processor sets the accessed bit in the table when it loads a segment register. */
static bool mark_accessed(struct task *task, gva_t at, u64 *descriptor)
{
	u8 byte = (u8)(*descriptor >> 40);

	if (byte & TYPE_ACCESSED)
		return true;
	byte = (u8)(byte | TYPE_ACCESSED);
	*descriptor |= (u64)TYPE_ACCESSED << 40;
	return task_write(task, at + 5, &byte, 1);
}

typedef u8 (*segment_check_t)(u32 attributes, u32 rpl, u32 cpl);

static bool load_one(struct task *task, enum segment_name name, segment_check_t check, u32 cpl)
{
	struct segment *segment = &task->state->segment[name];
	u16 selector = segment->selector;
	u64 descriptor;
	gva_t at;
	u8 vector;

	if (IS_NULL(selector)) {
		if (check != check_data)
			return task_fail(task, VECTOR_TS, selector);
		load_null(segment);
		return true;
	}
	if (!task_descriptor(task, selector, VECTOR_TS, &descriptor, &at))
		return false;
	vector = check((u32)(descriptor >> 40 & 0xf0ff), RPL(selector), cpl);
	if (vector)
		return task_fail(task, vector, selector);
	if (!mark_accessed(task, at, &descriptor))
		return false;
	*segment = segment_from_descriptor(selector, descriptor);
	return true;
}

static void set_dpl(struct segment *segment, u32 dpl)
{
	segment->attributes = (segment->attributes & ~(3u << 5)) | dpl << 5;
}

/*
 * A register whose load has not come or has failed keeps its old contents, apart from the privilege level: that is the
 * new task's from here on, and it is the level at which a fault is delivered.
 */
bool task_load_segments(struct task *task)
{
	static const u8 data[] = {SEG_DS, SEG_ES, SEG_FS, SEG_GS};
	struct vcpu_state *state = task->state;
	u32 cpl = RPL(state->segment[SEG_CS].selector);

	if (state->reg[REG_RFLAGS] & RFLAGS_VM) {
		load_v8086(state);
		return load_ldt(task);
	}
	set_dpl(&state->segment[SEG_SS], cpl);
	set_dpl(&state->segment[SEG_CS], cpl);
	if (!load_ldt(task) || !load_one(task, SEG_CS, check_code, cpl) || !load_one(task, SEG_SS, check_stack, cpl))
		return false;
	for (u32 i = 0; i < ARRAY_SIZE(data); i++)
		if (!load_one(task, (enum segment_name)data[i], check_data, cpl))
			return false;
	return true;
}
