/*
 * The seventeen instructions of Robin and Irvine that are sensitive (they show or change what the kernel owns, or go by
 * the current ring) and yet do not trap in ring 3: SGDT, SIDT, SLDT, SMSW, PUSHF, POPF; LAR, LSL, VERR, VERW, POP,
 * PUSH, CALL, JMP, INT n, RET, STR, MOV. A kernel moved to ring 1 or 3 would see and do something else, and nobody
 * would be told.
 */
#include "guests/privilege/privilege.h"

#define FLAG_ZF	     0x40u
#define FLAG_IF	     0x200u
#define FLAGS_IOPL   0x3000u
#define VECTOR_PROBE 0x42

#define STORE_TABLE(name, instruction)                                              \
	word name(word ring UNUSED)                                                 \
	{                                                                           \
		struct table_pointer table;                                         \
		__asm__ volatile(instruction " %0" : "=m"(table) : : "memory");     \
		return table.base;                                                  \
	}
STORE_TABLE(run_sgdt, "sgdt")
STORE_TABLE(run_sidt, "sidt")

#define STORE_WORD(name, instruction)                            \
	word name(word ring UNUSED)                              \
	{                                                        \
		u16 value;                                       \
		__asm__ volatile(instruction " %0" : "=r"(value)); \
		return value;                                    \
	}
STORE_WORD(run_sldt, "sldt")
STORE_WORD(run_str, "str")
STORE_WORD(run_smsw, "smsw")

static word run_pushf(word ring UNUSED)
{
	return read_flags() & (FLAG_IF | FLAGS_IOPL);
}

/* Asks for IF and for IOPL 3, and returns what came of it. */
static word run_popf(word ring UNUSED)
{
	word before = read_flags(), after;

	write_flags(before | FLAG_IF | FLAGS_IOPL);
	after = read_flags();
	write_flags(before);
	return after & (FLAG_IF | FLAGS_IOPL);
}

#define LAR_DEFINED 0x00f0ff00u /* LAR leaves the other bits undefined */

/* Of the kernel's data segment, DPL 0: what LAR and LSL tell, or 0 where they refuse (ZF clear). */
#define LOAD_ABOUT(name, instruction, mask)                                                     \
	static word name(word ring UNUSED)                                                  \
	{                                                                                   \
		u32 value = 0;                                                              \
		__asm__ volatile(instruction " %1, %0" : "+r"(value) : "r"((u32)DATA(0)) : "cc"); \
		return value & (mask);                                                        \
	}
LOAD_ABOUT(run_lar, "lar", LAR_DEFINED)
LOAD_ABOUT(run_lsl, "lsl", ~0u)

#define VERIFY(name, instruction)                                                                    \
	static word name(word ring UNUSED)                                                           \
	{                                                                                            \
		bool allowed;                                                                        \
		__asm__ volatile(instruction " %1; setz %0" : "=q"(allowed) : "r"(DATA(0)) : "cc");  \
		return allowed;                                                                      \
	}
VERIFY(run_verr, "verr")
VERIFY(run_verw, "verw")

static word run_push_fs(word ring UNUSED)
{
	word value;

	__asm__ volatile("push %%fs; pop %0" : "=r"(value));
	return value & 0xffff;
}

static word run_mov_from_cs(word ring UNUSED)
{
	return read_cs();
}

static word run_pop_fs(word ring UNUSED)
{
	__asm__ volatile("push %0; pop %%fs" : : "r"((word)DATA(0)) : "memory");
	return 0;
}

static word run_mov_to_fs(word ring UNUSED)
{
	__asm__ volatile("mov %0, %%fs" : : "r"(DATA(0)));
	return 0;
}

/* Far transfers to the kernel's code segment, each to the instruction behind it. */
struct far_target {
	u32 offset;
	u16 selector;
} __attribute__((packed)) far_target;

void far_call_target(void);
void far_jump_target(void);
void far_back(void);
void near_back(void);
__asm__("far_call_target:\n\tlcall *far_target\n\tret\n"
	"far_jump_target:\n\tljmp *far_target\n"
	"far_back:\n\tlret\n"
	"near_back:\n\tret\n");

static word run_call_far(word ring UNUSED)
{
	far_target = (struct far_target){(u32)(word)far_back, CODE(0)};
	far_call_target();
	return 0;
}

static word run_jmp_far(word ring UNUSED)
{
	far_target = (struct far_target){(u32)(word)near_back, CODE(0)};
	far_jump_target();
	return 0;
}

static word run_ret_far(word ring UNUSED)
{
	__asm__ volatile("push %0; push $1f; " LRET "\n1:" : : "r"((word)CODE(0)) : "memory");
	return 0;
}

static bool probed(struct trap_frame *frame UNUSED)
{
	return true;
}

/* Through a gate that is open to ring 3, as system calls once were. */
static word run_int(word ring UNUSED)
{
	__asm__ volatile("int %0" : : "i"(VECTOR_PROBE) : "memory");
	return 0;
}

void open_probe_gate(void)
{
	trap_handle(VECTOR_PROBE, probed);
	idt_gate(VECTOR_PROBE, CODE(0), (const void *)trap_stubs[VECTOR_PROBE], GATE_INTERRUPT, 3);
}

const struct row sensitive_rows[] = {
	ROW("SGDT", run_sgdt, "GDTR/IDTR (46), if set", "GDTR read (0x67)"),
	ROW("SIDT", run_sidt, "GDTR/IDTR (46), if set", "IDTR read (0x66)"),
	ROW("SLDT", run_sldt, "LDTR/TR (47), if set", "LDTR read (0x68)"),
	ROW("STR", run_str, "LDTR/TR (47), if set", "TR read (0x69)"),
	ROW("SMSW", run_smsw, "never", "CR0 read (0x00)"),
	ROW("PUSHF", run_pushf, "never", "PUSHF (0x70)"),
	ROW("POPF of IF and IOPL", run_popf, "never", "POPF (0x71)"),
	ROW("LAR of the kernel's data", run_lar, "never", "never"),
	ROW("LSL of the kernel's data", run_lsl, "never", "never"),
	ROW("VERR of the kernel's data", run_verr, "never", "never"),
	ROW("VERW of the kernel's data", run_verw, "never", "never"),
	ROW("PUSH FS", run_push_fs, "never", "never", .hidden = true),
	ROW("MOV from CS", run_mov_from_cs, "never", "never"),
	ROW("POP FS, kernel's data", run_pop_fs, "never", "never"),
	ROW("MOV to FS, kernel's data", run_mov_to_fs, "never", "never"),
	ROW("CALL far, kernel's code", run_call_far, "never (to a task: 9)", "never (task: 0x7d)"),
	ROW("JMP far, kernel's code", run_jmp_far, "never (to a task: 9)", "never (task: 0x7d)"),
	ROW("RET far, kernel's code", run_ret_far, "never", "never"),
	ROW("INT n, gate DPL 3", run_int, "never (task gate: 9)", "INTn (0x75)"),
	{.name = NULL},
};
