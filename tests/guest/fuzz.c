// guest: 64
/*
 * Executes random bytes: `count=N` trials from `seed=N` in `ring=N` (0), half of them starting with an opcode that
 * hypervisors care about. The code sees memory only through 64 KiB of scratch, is single-stepped, and each exception
 * takes a known-good stack (IST), so that nearly all trials come back. Instructions that would end the run by
 * themselves (HLT, a new IDT or CR) end their trial instead, unless deadly=1. show=N prints each trial's bytes from the
 * Nth on.
 */
#include "guests/lib/guest.h"

#define SCRATCH	   65536u
#define SCRATCH_AT 0x400000000000ull
#define CODE_AT	   0x8000u /* of the scratch area */
#define CODE_BYTES 24
#define STEPS	   64 /* of one trial */
#define FLAG_TF	   0x100u
#define OPCODE_UD2 0x0b0fu
#define DR7_IDLE   0x400u
#define CR0_NE	   BIT(5)
#define PAGE_OPEN  7u	 /* present, writable, user */
#define PAGE_OURS  0x83u /* present, writable, 2 MiB */

static u8 scratch[SCRATCH] ALIGNED(4096);
static u8 good_stack[8192] ALIGNED(16);
static u64 tables[6][512] ALIGNED(4096);
static u32 state, steps, by_vector[33], refused;
static bool deadly;

static const struct {
	u8 length, byte[3];
} interesting[] = {
	{2, {0x0f, 0x00}},	 {2, {0x0f, 0x01}},	  {2, {0x0f, 0x20}},	   {2, {0x0f, 0x21}}, {2, {0x0f, 0x23}},
	{2, {0x0f, 0x30}},	 {2, {0x0f, 0x32}},	  {2, {0x0f, 0x33}},	   {2, {0x0f, 0x31}}, {2, {0x0f, 0xa2}},
	{2, {0x0f, 0xc7}},	 {2, {0x0f, 0x78}},	  {2, {0x0f, 0x79}},	   {2, {0x0f, 0x06}}, {2, {0x0f, 0x08}},
	{2, {0x0f, 0x09}},	 {2, {0x0f, 0x05}},	  {2, {0x0f, 0x07}},	   {2, {0x0f, 0x34}}, {2, {0x0f, 0x35}},
	{2, {0x0f, 0xaa}},	 {2, {0x0f, 0x37}},	  {2, {0x0f, 0xae}},	   {2, {0x0f, 0x02}}, {2, {0x0f, 0x03}},
	{2, {0x0f, 0xb2}},	 {1, {0x6c}},		  {1, {0x6d}},		   {1, {0x6e}},	      {1, {0x6f}},
	{2, {0xf3, 0x6d}},	 {2, {0xf3, 0x6f}},	  {2, {0xe4, 0x21}},	   {2, {0xe5, 0x40}}, {1, {0xec}},
	{1, {0xed}},		 {1, {0xef}},		  {2, {0xcd, 0x03}},	   {1, {0xcf}},	      {1, {0x9d}},
	{1, {0x8e}},		 {1, {0xca}},		  {1, {0xcb}},		   {1, {0xfa}},	      {1, {0xfb}},
	{3, {0x0f, 0x38, 0x80}}, {3, {0x0f, 0x38, 0x81}}, {3, {0x0f, 0x38, 0x82}}, {1, {0xf1}},	      {2, {0xf3, 0x90}},
	{3, {0x0f, 0x01, 0xc1}}, {3, {0x0f, 0x01, 0xd9}}, {3, {0x0f, 0x01, 0xd1}}, {2, {0x0f, 0x0d}}, {2, {0x48, 0xcf}},
};

static u32 next(void)
{
	state ^= state << 13;
	state ^= state >> 17;
	state ^= state << 5;
	return state;
}

static bool is_prefix(u8 byte)
{
	static const u8 prefixes[] = {0x26, 0x2e, 0x36, 0x3e, 0x64, 0x65, 0x66, 0x67, 0xf0, 0xf2, 0xf3};

	for (u32 i = 0; i < sizeof(prefixes); i++)
		if (byte == prefixes[i])
			return true;
	return (byte & 0xf0) == 0x40; /* REX */
}

/* OUT and OUTS. */
static bool writes_port(u8 opcode)
{
	return (opcode & 0xf6) == 0xe6 || (opcode & 0xfe) == 0x6e;
}

/*
 * HLT, LGDT, LIDT, MOV to a control register, OUT to the ports that end the machine or reset it; and LTR, since QEMU
 * (7.2) aborts at the exception after it when the selector was null.
 */
static bool ends_the_run(const u8 *code, u16 dx)
{
	if (deadly)
		return false;
	for (u32 i = 0; i < 15 && is_prefix(*code); i++)
		code++;
	if (writes_port(code[0]))
		return port_ends_or_prints((code[0] & 0xfe) == 0xe6 ? code[1] : dx);
	if (code[0] == 0x0f && code[1] == 0x01)
		return code[2] < 0xc0 && (code[2] >> 3 & 6) == 2;
	if (code[0] == 0x0f && code[1] == 0x00)
		return (code[2] >> 3 & 7) == 3;
	return code[0] == 0xf4 || (code[0] == 0x0f && code[1] == 0x22);
}

static void write_code(void)
{
	u8 *code = scratch + CODE_AT;
	u32 at = 0;

	if (next() & 1) {
		u32 pick = next() % ARRAY_SIZE(interesting);

		at = interesting[pick].length;
		memcpy(code, interesting[pick].byte, at);
	}
	for (; at < CODE_BYTES; at++)
		code[at] = (u8)(next() >> 11);
	for (; at < CODE_BYTES + 256; at++)
		code[at] = (u8)(OPCODE_UD2 >> (at & 1) * 8);
}

/* A step of the random code goes on until its budget is spent; then it is a caught fault, as all else is. */
static bool on_step(struct trap_frame *frame)
{
	u64 offset = frame->ip - SCRATCH_AT;

	if (offset >= SCRATCH - 16 || ++steps > STEPS)
		return false;
	if (ends_the_run(scratch + offset, (u16)frame->dx)) {
		refused++;
		return false;
	}
	frame->flags |= FLAG_TF;
	return true;
}

/* Random registers that mostly point into the scratch area, TF set, and off by IRET; comes back only by a fault. */
static NORETURN void run_code(u32 ring, u16 dx)
{
	u64 frame[5] = {SCRATCH_AT + CODE_AT, CODE(ring), FLAG_TF | 2, SCRATCH_AT + CODE_AT, DATA(ring)};
	u64 pointers = SCRATCH_AT + (next() & 0xfff0);

	__asm__ volatile("mov %[frame], %%rsp\n"
			 "mov %%rbx, %%rbp; mov %%rbx, %%r8; mov %%rax, %%r9; mov %%rbx, %%r12; mov %%rcx, %%r14\n"
			 "iretq\n"
			 :
			 : [frame] "r"(frame), "a"(next()), "b"(pointers), "c"(next() & 0xfff), "d"(dx),
			   "S"(pointers), "D"(SCRATCH_AT + (next() & 0xfff0))
			 : "memory");
	__builtin_unreachable();
}

/* Only our own first 4 MiB, closed to ring 3, and the scratch area far away from them. */
static void map_little(void)
{
	tables[0][0] = (u64)tables[1] + 3;
	tables[1][0] = (u64)tables[2] + 3;
	tables[2][0] = PAGE_OURS;
	tables[2][1] = 0x200000 + PAGE_OURS;
	tables[0][SCRATCH_AT >> 39] = (u64)tables[3] + PAGE_OPEN;
	tables[3][0] = (u64)tables[4] + PAGE_OPEN;
	tables[4][0] = (u64)tables[5] + PAGE_OPEN;
	for (u32 i = 0; i < SCRATCH / 4096; i++)
		tables[5][i] = (u64)scratch + i * 4096u + PAGE_OPEN;
	write_cr3((u64)tables[0]);
}

/* What a trial may have bent: segments, IDT, TSS, debug registers, flags. */
static void repair(void)
{
	u64 top = (u64)(good_stack + sizeof(good_stack));

	segments_init();
	memcpy(tss + 36, &top, sizeof(top)); /* IST1 (SDM "64-Bit Task State Segment") */
	tss_stack(0, top);
	for (u32 v = 0; v < 256; v++)
		idt[v * 16 + 4] = 1;
	write_cr0(read_cr0() | CR0_NE); /* without it, x87 errors go by IRQ 13, which QEMU TCG (7.2) asserts against */
	write_dr7(DR7_IDLE);
	write_flags(2);
}

static void trial(u32 ring, bool show)
{
	u16 dx = (u16)next();

	write_code();
	for (u32 i = 0; show && i < CODE_BYTES; i++)
		print("%02x%s", scratch[CODE_AT + i], i + 1 < CODE_BYTES ? " " : "\n");
	steps = 0;
	if (ends_the_run(scratch + CODE_AT, dx)) {
		refused++;
		return;
	}
	CATCH(run_code(ring, dx));
	by_vector[fault.vector < 32 ? fault.vector : 32]++;
}

int guest_main(void)
{
	u32 count = (u32)option_number("count", 1000), ring = (u32)option_number("ring", 0) & 3;
	u32 show = (u32)option_number("show", ~0u);

	state = (u32)option_number("seed", 1) * 2654435761u | 1;
	deadly = option_number("deadly", 0);
	print("%u trials in ring %u\n", count, ring);
	map_little();
	trap_handle(VECTOR_DB, on_step);
	for (u32 i = 0; i < count; i++) {
		repair();
		trial(ring, i >= show);
		if ((i + 1) % 1000 == 0)
			print("%u trials\n", i + 1);
	}
	for (u32 v = 0; v <= 32; v++)
		if (by_vector[v])
			print("%s %u\n", v < 32 ? vector_name(v) : "others", by_vector[v]);
	print("ended early %u\nsurvived\n", refused);
	return 0;
}
