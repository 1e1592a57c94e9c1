/*
 * Who may use which segment: CPL (who we are), RPL (whom the selector speaks for), DPL (what the segment asks for).
 * Every combination is really tried. (SDM "Privilege Levels", "Privilege Level Checking When Accessing Data Segments",
 * "... When Transferring Program Control Between Code Segments")
 */
#include "guests/rings/rings.h"

#define SLOT_PROBE	SLOT_FREE
#define ACCESS_DATA	0x92
#define ACCESS_CODE	0x9a
#define ACCESS_CONFORM	0x9e
#define FLAGS_CODE	(sizeof(word) == 8 ? 0xa : 0xc) /* 4 KiB units; 64-bit or 32-bit code */
#define FLAGS_DATA	0xc

static word load_ds(word selector)
{
	__asm__ volatile("mov %0, %%ds" : : "r"(selector) : "memory");
	return 0;
}

static word load_ss(word selector)
{
	__asm__ volatile("mov %0, %%ss" : : "r"(selector) : "memory");
	return 0;
}

static word call_far(word selector)
{
	far_call((u16)selector, (const void *)far_return_target);
	return 0;
}

static void segment(u8 access, u8 flags, int dpl)
{
	gdt[SLOT_PROBE] = descriptor(0, 0xfffff, (u8)(access | dpl << 5), flags);
}

static void gate(u8 code_dpl, u8 flags, int dpl)
{
	(void)flags;
	call_gate(SLOT_PROBE, CODE(code_dpl) & 0xfcu, (const void *)gate_return_target, 0, (u8)dpl);
}

/* What is tried at once: four columns, the DPL of each being its number. */
struct columns {
	const char *title;
	void (*prepare)(u8 access, u8 flags, int dpl);
	u8 access, flags;
	word (*attempt)(word selector);
};

static void print_columns(const struct columns *columns, int ring, u32 rpl)
{
	print(" |");
	for (int dpl = 0; dpl < 4; dpl++) {
		columns->prepare(columns->access, columns->flags, dpl);
		faults_in_ring(ring, columns->attempt, SELECTOR(SLOT_PROBE) | rpl, FLAG_FIXED, NULL);
		print(" %-4s", outcome());
	}
}

static void print_table(const struct columns *columns, u32 count)
{
	print("  CPL RPL");
	for (u32 i = 0; i < count; i++)
		print(" | %-19s", columns[i].title);
	print("\n");
	for (int ring = 0; ring < 4; ring++) {
		for (u32 rpl = 0; rpl < 4; rpl++) {
			print("   %d   %u ", ring, rpl);
			for (u32 i = 0; i < count; i++)
				print_columns(&columns[i], ring, rpl);
			print("\n");
		}
	}
}

void lesson_data_rules(void)
{
	static const struct columns columns[] = {
		{"DS: data, DPL 0-3", segment, ACCESS_DATA, FLAGS_DATA, load_ds},
		{"DS: code, DPL 0-3", segment, ACCESS_CODE, 0, load_ds},
		{"DS: conforming 0-3", segment, ACCESS_CONFORM, 0, load_ds},
		{"SS: data, DPL 0-3", segment, ACCESS_DATA, FLAGS_DATA, load_ss},
	};

	print("  Loading DS needs max(CPL, RPL) <= DPL, save for conforming code; loading SS needs CPL = RPL = DPL.\n");
	print_table(columns, ARRAY_SIZE(columns));
}

void lesson_code_rules(void)
{
	const struct columns columns[] = {
		{"CALL: code, DPL 0-3", segment, ACCESS_CODE, FLAGS_CODE, call_far},
		{"conforming, DPL 0-3", segment, ACCESS_CONFORM, FLAGS_CODE, call_far},
	};

	print("  A far CALL to code needs CPL = DPL and RPL <= CPL; to conforming code DPL <= CPL, and CPL stays.\n");
	print_table(columns, ARRAY_SIZE(columns));
}

void lesson_gate_rules(void)
{
	static const struct columns columns[] = {
		{"to ring 0, DPL 0-3", gate, 0, 0, call_far},
		{"to ring 1, DPL 0-3", gate, 1, 0, call_far},
		{"to ring 2, DPL 0-3", gate, 2, 0, call_far},
		{"to ring 3, DPL 0-3", gate, 3, 0, call_far},
	};
	static u8 stack[2][1024] ALIGNED(16);

	tss_stack(1, (word)(stack[0] + sizeof(stack[0])));
	tss_stack(2, (word)(stack[1] + sizeof(stack[1])));
	print("  A call gate needs max(CPL, RPL) <= DPL of the gate, and leads inwards or stays: code DPL <= CPL.\n");
	print_table(columns, ARRAY_SIZE(columns));
}
