/* The bytes of a trial, and what they need to find their operand. (SDM "Instruction Format") */
#include "tests/guest/mmio/mmio.h"

#define MSR_FS_BASE   0xc0000100u
#define ACCESS_CODE   0x9a
#define ACCESS_DATA   0x92
#define FLAGS_16      0x8 /* 4 KiB granularity */
#define FLAGS_32      0xc
#define CODE_16	      SELECTOR(SLOT_FREE)
#define DATA_FS	      SELECTOR(SLOT_FREE + 1)
#define DATA_ES	      SELECTOR(SLOT_FREE + 2)
#define IMMEDIATE     0x89abcd9cu /* negative, in one byte as in four */
#define NOBODY_READS  0xdeadull	  /* stands above an address that is narrower than its register */

const struct form forms[] = {INSTRUCTION_LIST}; /* made by tools/instruction_list */
const u32 form_count = ARRAY_SIZE(forms);

const struct way ways[] = {
	{"[rBX]", FORM_32 | FORM_64, 0, 0, 0, 0x03, -1, 0, 0, 0, BX, -1, 0},
	{"[rBP + disp8]", FORM_32 | FORM_64, 0, 0, 0, 0x45, -1, 1, -0x20, 0, BP, -1, 0},
	{"[rSI + disp32]", FORM_32 | FORM_64, 0, 0, 0, 0x86, -1, 4, 0x12345, 0, SI, -1, 0},
	{"[rBX + 4 * rDI + disp8]", FORM_32 | FORM_64, 0, 0, 0, 0x44, 0xbb, 1, 0x40, 0, BX, DI, 4},
	{"[8 * rDI + disp32]", FORM_32 | FORM_64, 0, 0, 0, 0x04, 0xfd, 4, 0, 0, -1, DI, 8},
	{"[disp32]", FORM_32, 0, 0, 0, 0x05, -1, 4, 0, 0, -1, -1, 0},
	{"[RIP + disp32]", FORM_64, 0, 0, 0, 0x05, -1, 4, 0, 1, -1, -1, 0},
	{"[disp32] by SIB", FORM_32 | FORM_64, 0, 0, 0, 0x04, 0x25, 4, 0, 0, -1, -1, 0},
	{"FS:[rBX]", FORM_32 | FORM_64, 0, 1, 0, 0x03, -1, 0, 0, 0, BX, -1, 0},
	{"[R13 + 2 * R14 + disp8]", FORM_64, 0, 0, 3, 0x44, 0x75, 1, 0x10, 0, R13, R14, 2},
	{"[EBX]", FORM_64 | FORM_16, 1, 0, 0, 0x03, -1, 0, 0, 0, BX, -1, 0},
	{"[EBX + 4 * EDI + disp8]", FORM_16, 1, 0, 0, 0x44, 0xbb, 1, 0x40, 0, BX, DI, 4},
	{"FS:[BX + SI]", FORM_16, 0, 1, 0, 0x00, -1, 0, 0, 0, BX, SI, 1},
	{"FS:[BP + DI + disp8]", FORM_16, 0, 1, 0, 0x43, -1, 1, -0x20, 0, BP, DI, 1},
	{"FS:[SI + disp16]", FORM_16, 0, 1, 0, 0x84, -1, 2, 0x123, 0, SI, -1, 0},
	{"FS:[disp16]", FORM_16, 0, 1, 0, 0x06, -1, 2, 0, 0, -1, -1, 0},
	{"FS:[BX + SI]", FORM_32, 1, 1, 0, 0x00, -1, 0, 0, 0, BX, SI, 1},
	{"FS:[disp16]", FORM_32, 1, 1, 0, 0x06, -1, 2, 0, 0, -1, -1, 0},
};
const u32 way_count = ARRAY_SIZE(ways);

static u32 address_size(const struct trial *trial)
{
	static const u8 size[][2] = {{2, 4}, {4, 2}, {8, 4}};

	return size[trial->mode][trial->way->address_prefix];
}

static bool begins(const char *text, const char *part)
{
	return !strncmp(text, part, strlen(part));
}

bool form_is(const struct form *form, const char *text)
{
	for (const char *at = form->name; *at; at++)
		if (begins(at, text))
			return true;
	return false;
}

u32 operand_size(const struct trial *trial)
{
	const struct form *form = trial->form;

	if (form_is(form, "m8") || form_is(form, "moffs8") || form_is(form, "bytes"))
		return 1;
	if (form_is(form, "m16"))
		return 2;
	if (form_is(form, "m32"))
		return trial->operand_prefix && !trial->rex_w ? 2 : 4;
	if (trial->rex_w || (trial->mode == MODE_64 && !trial->operand_prefix &&
			     (begins(form->name, "PUSH") || begins(form->name, "POP"))))
		return 8;
	return (trial->mode == MODE_16) == trial->operand_prefix ? 4 : 2;
}

/* A base for FS, and for ES where code is not of 64 bits. */
static void set_base(u16 selector, word base)
{
	gdt[selector / 8] = descriptor((u32)base, 0xfffff, ACCESS_DATA, FLAGS_32);
	if (selector == DATA_ES)
		mmio_es = DATA_ES;
	else if (sizeof(word) == 8)
		wrmsr(MSR_FS_BASE, base);
	else
		__asm__ volatile("mov %0, %%fs" : : "r"(DATA_FS));
}

/* An address register, with something above it that does not belong to the address. */
static word narrow(const struct trial *trial, word value)
{
	u32 bits = 8 * address_size(trial);

	return bits == 8 * sizeof(word) ? value : (value & (((word)1 << bits) - 1)) | (word)NOBODY_READS << bits;
}

void aim(const struct trial *trial, word target, struct registers *registers)
{
	const struct way *way = trial->way;
	word offset = way->fs ? FS_OFFSET : target;

	if (way->fs)
		set_base(DATA_FS, target - FS_OFFSET);
	if (way->index >= 0)
		registers->reg[way->index] = narrow(trial, INDEX);
	if (way->base >= 0)
		registers->reg[way->base] = narrow(trial, offset - (word)way->displacement -
								  (word)way->scale * (way->index >= 0 ? INDEX : 0));
}

/* With 16-bit addresses the source is at FS:SI, the destination at ES:DI. */
void aim_strings(const struct trial *trial, word source, word destination, struct registers *registers)
{
	mmio_es = DATA(0);
	if (trial->way->fs) {
		set_base(DATA_FS, source - FS_OFFSET);
		set_base(DATA_ES, destination - FS_OFFSET);
		source = destination = FS_OFFSET;
	}
	registers->reg[SI] = source;
	registers->reg[DI] = destination;
}

static u8 code[64];

static u8 *put(u8 *at, u64 value, u32 size)
{
	memcpy(at, &value, size);
	return at + size;
}

static u8 *put_prefixes(u8 *at, const struct trial *trial)
{
	u8 rex = (u8)(trial->rex_w << 3 | (trial->form->reg == FORM_ANY_REG && trial->reg >= 8) << 2 | trial->way->rex);

	if (trial->lock)
		*at++ = 0xf0;
	if (trial->repeat)
		*at++ = trial->repeat;
	if (trial->operand_prefix)
		*at++ = 0x66;
	if (trial->way->address_prefix)
		*at++ = 0x67;
	if (trial->way->fs)
		*at++ = 0x64;
	if (rex)
		*at++ = 0x40 | rex;
	return at;
}

/* Where all of the address is in the displacement, the operand is found from `target`. */
static u8 *put_memory(u8 *at, const struct trial *trial, word target, u32 immediate)
{
	const struct way *way = trial->way;
	const struct form *form = trial->form;
	word displacement = (word)way->displacement;

	*at++ = (u8)(way->modrm | ((form->reg >= 0 ? form->reg : trial->reg) & 7) << 3);
	if (way->sib >= 0)
		*at++ = (u8)way->sib;
	if (way->base < 0)
		displacement = (way->fs ? FS_OFFSET : target) - (word)way->scale * (way->index >= 0 ? INDEX : 0);
	if (way->relative)
		displacement = target - ((word)at + way->displacement_size + immediate);
	return put(at, displacement, way->displacement_size);
}

static u8 *put_back(u8 *at, enum mode mode)
{
	if (mode == MODE_16) {
		*at++ = 0x66; /* JMP ptr16:32 */
		*at++ = 0xea;
		at = put(at, (word)mmio_back, 4);
		return put(at, CODE(0), 2);
	}
	*at++ = 0xe9;
	return put(at, (word)mmio_back - ((word)at + 4), 4);
}

void run_trial(const struct trial *trial, word target, struct registers *registers)
{
	const struct form *form = trial->form;
	u32 size = operand_size(trial);
	u32 immediate = form->immediate == FORM_OPERAND_SIZE ? (size < 4 ? size : 4) : (u32)form->immediate;
	u8 *at = put_prefixes(code, trial);

	if (form->escape)
		*at++ = 0x0f;
	*at++ = form->byte;
	if (form->reg == FORM_MOFFS)
		at = put(at, trial->way->fs ? FS_OFFSET : target, address_size(trial));
	else if (form->reg != FORM_NO_MODRM)
		at = put_memory(at, trial, target, immediate);
	at = put(at, IMMEDIATE, immediate);
	put_back(at, trial->mode);
	/* 16-bit code has its own segment, since instruction pointers above 64 KiB are not for it. */
	gdt[SLOT_FREE] = descriptor((u32)(word)code, 0xfffff, ACCESS_CODE, FLAGS_16);
	mmio_entry.offset = trial->mode == MODE_16 ? 0 : (word)code;
	mmio_entry.selector = trial->mode == MODE_16 ? CODE_16 : CODE(0);
	mmio_registers = *registers;
	mmio_run();
	*registers = mmio_registers;
}
