/* Task-state segments: their two formats as data, what is saved into one and loaded from one. Pure. */
#include "arch/x86_64/cpu/regs.h"
#include "lib/string.h"
#include "vmm/task.h"

#define RFLAGS_DEFINED \
	(RFLAGS_CF | RFLAGS_PF | RFLAGS_AF | RFLAGS_ZF | RFLAGS_SF | RFLAGS_TF | RFLAGS_IF | RFLAGS_DF | RFLAGS_OF | \
	 RFLAGS_IOPL | RFLAGS_NT | RFLAGS_RF | RFLAGS_VM | RFLAGS_AC | RFLAGS_VIF | RFLAGS_VIP | RFLAGS_ID)

const struct tss_layout tss_32bit = {
	.size = 104, .width = 4, .save_start = 0x20, .save_end = 0x60, .cr3 = 0x1c, .eip = 0x20,
	.eflags = 0x24, .gpr = 0x28, .segment = 0x48, .segments = 6, .segment_stride = 4, .ldt = 0x60, .trap = 0x64,
};
const struct tss_layout tss_16bit = {
	.size = 44, .width = 2, .save_start = 14, .save_end = 42, .eip = 14, .eflags = 16, .gpr = 18, .segment = 34,
	.segments = 4, .segment_stride = 2, .ldt = 42,
};

/*
 * Both formats keep the registers in the order of their encodings, and so does enum reg; ES, CS, SS, DS, FS, GS
 * likewise.
 */
u32 tss_get(const u8 *tss, u32 offset, u32 width)
{
	u32 value = 0;

	memcpy(&value, tss + offset, width);
	return value;
}

static void put(u8 *tss, u32 offset, u32 width, u64 value)
{
	memcpy(tss + offset, &value, width);
}

void tss_save(const struct tss_layout *layout, u8 *tss, const struct vcpu_state *state, u64 rip, u64 rflags)
{
	put(tss, layout->eip, layout->width, rip);
	put(tss, layout->eflags, layout->width, rflags);
	for (u32 i = 0; i < 8; i++)
		put(tss, layout->gpr + i * layout->width, layout->width, state->reg[REG_RAX + i]);
	for (u32 i = 0; i < layout->segments; i++)
		put(tss, layout->segment + i * layout->segment_stride, 2, state->segment[SEG_ES + i].selector);
}

/* Selectors only: what they stand for is loaded later, so that a fault then finds the new task's selectors in place. */
void tss_load(const struct tss_layout *layout, const u8 *tss, struct vcpu_state *state)
{
	/* The 80386 and its successors set the upper halves that a 16-bit TSS does not have. */
	u64 upper = layout->width == 2 ? 0xffff0000u : 0;

	state->reg[REG_RIP] = tss_get(tss, layout->eip, layout->width);
	state->reg[REG_RFLAGS] = (tss_get(tss, layout->eflags, layout->width) & RFLAGS_DEFINED) | RFLAGS_ONE;
	for (u32 i = 0; i < 8; i++)
		state->reg[REG_RAX + i] = upper | tss_get(tss, layout->gpr + i * layout->width, layout->width);
	for (u32 i = 0; i < 6; i++) {
		u32 at = layout->segment + i * layout->segment_stride;

		state->segment[SEG_ES + i].selector = i < layout->segments ? (u16)tss_get(tss, at, 2) : 0;
	}
	state->segment[SEG_LDTR].selector = (u16)tss_get(tss, layout->ldt, 2);
}
