// guest: 32 64
/*
 * Every instruction of docs/instructions.md, in every mode, with prefixes and ways of addressing, on RAM and then on a
 * device: both must leave the same in registers, flags, stack and memory. The devices are the VGA window, where all
 * bits read as ones and stay so, and registers of the local APIC and the IOAPIC that keep what is written.
 */
#include "tests/guest/mmio/mmio.h"

#define WINDOW	      0xa0800u /* in the middle of a page of the VGA window */
#define WINDOW_START  0xa0000u
#define WINDOW_OTHER  0xa2800u
#define APIC_CELL     (0xfee00000u + APIC_TIMER_INITIAL)
#define IOAPIC_SELECT ((volatile u32 *)0xfec00000)
#define IOAPIC_CELL   0xfec00010u
#define IOAPIC_HIGH   0x31u /* the destination of entry 16, which is masked from the start */

#define FLAGS_ALWAYS 0x2u
#define FLAG_CF	     0x1u
#define FLAG_PF	     0x4u
#define FLAG_AF	     0x10u
#define FLAG_ZF	     0x40u
#define FLAG_SF	     0x80u
#define FLAG_DF	     0x400u
#define FLAG_OF	     0x800u

#define AROUND 256u /* bytes of RAM on either side of an operand that a trial may touch */
#define STACK_WORDS 8u
#define STACK_ROOM  256u /* for the frame of an exception */
#define COMPLAINTS  20u
#define REPETITIONS 3u

#define PAGE 4096u
#define MIDDLE 0x800u /* of a page, as WINDOW is */
static u8 page[3 * PAGE] ALIGNED(4096), other[PAGE] ALIGNED(4096);
static word stack_room[STACK_ROOM + STACK_WORDS], *const stack = stack_room + STACK_ROOM;
static u32 trials, complaints;

/* What registers hold before a trial, and the flags. */
struct data {
	u64 ax, dx, r9;
	u32 flags;
};

static const struct data data[] = {
	{0x8123456789abcdef, 0x00ff00ff7f0180fe, 0x7654321001234567,
	 FLAG_CF | FLAG_PF | FLAG_AF | FLAG_ZF | FLAG_SF | FLAG_OF},
	{~0ull, 1, 0x8000000080008080, FLAG_DF},
};

/* Bit numbers reach beyond the operand, to either side. */
static const struct data bit_data[] = {{0x3a5, (u64)-0x1d3, 0x55, FLAG_CF}, {0, 31, (u64)-1, 0}};
/* In a register of a device there is no beyond. */
static const struct data bit_data_inside[] = {{5, 31, 0, FLAG_CF}, {0, 30, 16, 0}};

/* Whether the form is a bit test, whose register is a bit number. */
static bool tests_bits(const struct form *form)
{
	return form->name[0] == 'B';
}

/* A machine word's worth of what the manual leaves undefined (SDM "EFLAGS Cross-Reference"). */
static word undefined_flags(const struct form *form)
{
	static const char *const logic[] = {"AND", "OR ", "TEST"}; /* XOR too */

	if (tests_bits(form))
		return FLAG_OF | FLAG_SF | FLAG_AF | FLAG_PF;
	for (u32 i = 0; i < ARRAY_SIZE(logic); i++)
		if (form_is(form, logic[i]))
			return FLAG_AF;
	return 0;
}

/* Where a trial takes place. */
struct place {
	word target;
	word source, destination; /* of a string instruction */
};

static void prepare(const struct trial *trial, const struct data *with, const struct place *place,
		    struct registers *registers)
{
	for (u32 i = 0; i < REGISTERS; i++)
		registers->reg[i] = (word)(0x0123456789abcdefull * (i + 3));
	registers->reg[AX] = (word)with->ax;
	registers->reg[DX] = (word)with->dx;
	registers->reg[R9] = (word)with->r9;
	registers->flags = with->flags | FLAGS_ALWAYS;
	for (u32 i = 0; i < STACK_WORDS; i++)
		stack[i] = (word)(0x1122334455667788ull * (i + 1));
	registers->reg[SP] = (word)&stack[STACK_WORDS / 2];
	if (trial->form->reg == FORM_NO_MODRM) {
		registers->reg[CX] = REPETITIONS;
		aim_strings(trial, place->source, place->destination, registers);
	} else {
		aim(trial, place->target, registers);
	}
}

/* What a trial has made of registers, flags and stack. Registers by their change, since addresses differ. */
struct outcome {
	struct registers registers;
	word stack[STACK_WORDS];
};

static void carry_out(const struct trial *trial, const struct data *with, const struct place *place,
		      struct outcome *outcome)
{
	struct registers before;

	prepare(trial, with, place, &before);
	outcome->registers = before;
	run_trial(trial, place->target, &outcome->registers);
	for (u32 i = 0; i < REGISTERS; i++)
		outcome->registers.reg[i] -= before.reg[i];
	outcome->registers.flags &= ~undefined_flags(trial->form);
	memcpy(outcome->stack, stack, sizeof(outcome->stack));
}

static bool complain(const struct trial *trial, const char *what, u64 is, u64 should)
{
	if (complaints++ < COMPLAINTS)
		print("%s: %s, mode %d, %s%s%s%s, register %u: %s 0x%llx, should be 0x%llx\n", trial->form->name,
		      trial->way->name, (int)trial->mode, trial->operand_prefix ? "66 " : "",
		      trial->rex_w ? "REX.W " : "", trial->lock ? "LOCK " : "", trial->repeat ? "repeated" : "once",
		      trial->reg, what, (unsigned long long)is, (unsigned long long)should);
	return false;
}

static bool same(const struct trial *trial, const struct outcome *on_ram, const struct outcome *on_device)
{
	bool ok = true;

	trials++;
	for (u32 i = 0; i < REGISTERS; i++)
		if (on_ram->registers.reg[i] != on_device->registers.reg[i])
			ok = complain(trial, "a register changes by", on_device->registers.reg[i],
				      on_ram->registers.reg[i]);
	if (on_ram->registers.flags != on_device->registers.flags)
		ok = complain(trial, "flags", on_device->registers.flags, on_ram->registers.flags);
	for (u32 i = 0; i < STACK_WORDS; i++)
		if (on_ram->stack[i] != on_device->stack[i])
			ok = complain(trial, "stack", on_device->stack[i], on_ram->stack[i]);
	return ok;
}

/* RAM that looks as the window does, with its own offset in the page. */
static bool try_window(const struct trial *trial, const struct data *with)
{
	const struct place ram = {.target = (word)page + MIDDLE}, window = {.target = WINDOW};
	struct outcome on_ram, on_window;

	memset((u8 *)ram.target - AROUND, 0xff, 2 * AROUND);
	carry_out(trial, with, &ram, &on_ram);
	carry_out(trial, with, &window, &on_window);
	return same(trial, &on_ram, &on_window);
}

/* From a device to RAM, from RAM to a device, and from device to device. */
static bool try_strings(const struct trial *trial, const struct data *with)
{
	bool ok = true;

	for (u32 devices = 1; devices < 4; devices++) {
		const struct place ram = {.source = (word)page + MIDDLE, .destination = (word)other + MIDDLE};
		struct place device = ram;
		struct outcome on_ram, on_device;
		u8 made[2 * AROUND];

		for (u32 run = 0; run < 2; run++) {
			for (u32 i = 0; i < 2 * AROUND; i++) {
				page[MIDDLE - AROUND + i] = devices & 1 ? 0xff : (u8)(7 * i);
				other[MIDDLE - AROUND + i] = devices & 2 ? 0xff : (u8)(7 * i + i / 16);
			}
			if (devices & 1 && run)
				device.source = WINDOW;
			if (devices & 2 && run)
				device.destination = WINDOW_OTHER;
			carry_out(trial, with, run ? &device : &ram, run ? &on_device : &on_ram);
			if (!run)
				memcpy(made, other + MIDDLE - AROUND, sizeof(made));
		}
		ok &= same(trial, &on_ram, &on_device);
		if (!(devices & 2) && memcmp(made, other + MIDDLE - AROUND, sizeof(made)))
			ok = complain(trial, "what was stored differs, in RAM", 0, 0);
	}
	return ok;
}

/* A register of a device, `kept` the bits of it that keep what is written, against four bytes of RAM. */
struct cell {
	const char *name;
	word address;
	u32 start, kept;
};

static bool try_cell(const struct trial *trial, const struct data *with, const struct cell *cell)
{
	volatile u32 *ram = (volatile u32 *)(page + MIDDLE), *device = (volatile u32 *)cell->address;
	const struct place places[] = {
		{(word)ram, (word)ram, (word)ram},
		{cell->address, cell->address, cell->address},
	};
	struct outcome on_ram, on_device;
	bool ok;

	*ram = *device = cell->start & cell->kept;
	carry_out(trial, with, &places[0], &on_ram);
	carry_out(trial, with, &places[1], &on_device);
	ok = same(trial, &on_ram, &on_device);
	return (*ram & cell->kept) == *device ? ok : complain(trial, cell->name, *device, *ram & cell->kept);
}

/* Not every processor has the second opcode of TEST (QEMU's emulation has not). */
static bool is_there(const struct trial *trial)
{
	const struct place ram = {(word)page + MIDDLE, (word)page + MIDDLE, (word)other + MIDDLE};
	struct outcome outcome;

	CATCH(carry_out(trial, tests_bits(trial->form) ? &bit_data[0] : &data[0], &ram, &outcome));
	return !fault.taken;
}

/* How a form is tried: on the window, or on a register of a device. */
struct attempt {
	const struct cell *cell; /* NULL: the window */
	u32 failed;
};

static void try_data(struct attempt *attempt, const struct trial *trial)
{
	for (u32 i = 0; i < ARRAY_SIZE(data); i++) {
		const struct data *with =
			tests_bits(trial->form) ? attempt->cell ? &bit_data_inside[i] : &bit_data[i] : &data[i];
		bool ok;

		if (attempt->cell)
			ok = try_cell(trial, with, attempt->cell);
		else if (trial->form->reg == FORM_NO_MODRM)
			ok = try_strings(trial, with);
		else
			ok = try_window(trial, with);
		attempt->failed += !ok;
	}
}

/* AH where a byte register can be it, and R9 where it is there; none that the address is made of. */
static void try_registers(struct attempt *attempt, struct trial *trial)
{
	static const u8 reg[] = {AX, DX, SP, R9};
	bool byte = operand_size(trial) == 1 && !form_is(trial->form, "MOVZX") && !form_is(trial->form, "MOVSX");

	if (trial->form->reg != FORM_ANY_REG) {
		try_data(attempt, trial);
		return;
	}
	for (u32 i = 0; i < ARRAY_SIZE(reg); i++) {
		if ((reg[i] == SP && (!byte || trial->rex_w || trial->way->rex)) ||
		    (reg[i] == R9 && trial->mode != MODE_64))
			continue;
		trial->reg = reg[i];
		try_data(attempt, trial);
	}
}

static void try_prefixes(struct attempt *attempt, struct trial *trial)
{
	static const u8 repeat[] = {0, 0xf3, 0xf2};
	u32 flags = trial->form->flags;
	u32 repeats = flags & FORM_REP && !attempt->cell ? ARRAY_SIZE(repeat) : 1;

	for (u32 i = 0; i < 2 * repeats; i++) {
		trial->lock = i % 2;
		trial->repeat = repeat[i / 2];
		if (!trial->lock || flags & FORM_LOCK)
			try_registers(attempt, trial);
	}
}

static void try_sizes(struct attempt *attempt, struct trial *trial)
{
	for (u32 i = 0; i < 4; i++) {
		trial->operand_prefix = i & 1;
		trial->rex_w = i & 2;
		if ((trial->rex_w && trial->mode != MODE_64) ||
		    (trial->operand_prefix && trial->form->flags & FORM_NO_66))
			continue;
		if (!attempt->cell || operand_size(trial) == 4)
			try_prefixes(attempt, trial);
	}
}

/* Absolute addresses, and those of the index registers: only prefixes tell them apart. */
static const struct way plain_ways[] = {
	{.name = "plain", .modes = FORM_32 | FORM_64, .base = -1, .index = -1},
	{.name = "67", .modes = FORM_16 | FORM_64, .address_prefix = true, .base = -1, .index = -1},
	{.name = "FS", .modes = FORM_16, .fs = true, .base = -1, .index = -1},
	{.name = "67 FS", .modes = FORM_32, .address_prefix = true, .fs = true, .base = -1, .index = -1},
};

static bool try_across(const struct trial *trial, const struct data *with, u32 in_ram)
{
	u8 *const ram_part = page + PAGE - AROUND, *const window_part = (u8 *)(WINDOW_START - AROUND);
	const struct place ram = {.target = (word)page + PAGE - in_ram}, window = {.target = WINDOW_START - in_ram};
	struct outcome on_ram, on_window;

	memset(page + PAGE, 0xff, AROUND);
	for (u32 i = 0; i < AROUND; i++)
		ram_part[i] = window_part[i] = (u8)(0x5b * i);
	carry_out(trial, with, &ram, &on_ram);
	carry_out(trial, with, &window, &on_window);
	if (memcmp(ram_part, window_part, AROUND))
		return complain(trial, "what was stored differs, in RAM before a device", 0, 0);
	return same(trial, &on_ram, &on_window);
}

static u32 try_crossing(const struct form *form, u32 in_ram)
{
	enum mode mode = sizeof(word) == 8 ? MODE_64 : MODE_32;
	u32 failed = 0;

	for (u32 i = 0; i < 4; i++) {
		struct trial trial = {.form = form,
				      .way = &ways[0],
				      .mode = mode,
				      .operand_prefix = i & 1,
				      .rex_w = i & 2,
				      .reg = DX};

		if (!(form->flags & BIT(mode)) || (trial.rex_w && mode != MODE_64) || !is_there(&trial) ||
		    (trial.operand_prefix && form->flags & FORM_NO_66) || operand_size(&trial) <= in_ram)
			continue;
		for (u32 n = 0; n < ARRAY_SIZE(data); n++)
			failed += !try_across(&trial, tests_bits(form) ? &bit_data_inside[n] : &data[n], in_ram);
	}
	return failed;
}

/* How many tries of the form in that mode went wrong. */
static u32 try_form(const struct form *form, enum mode mode, const struct cell *cell)
{
	bool plain = form->reg == FORM_NO_MODRM || form->reg == FORM_MOFFS;
	struct attempt attempt = {.cell = cell};
	u32 count = plain ? ARRAY_SIZE(plain_ways) : way_count;

	if (!(form->flags & BIT(mode)))
		return 0;
	for (u32 i = 0; i < (cell ? 1 : count); i++) {
		struct trial trial = {.form = form, .way = plain ? &plain_ways[i] : &ways[i], .mode = mode};

		if (!(trial.way->modes & BIT(mode)))
			continue;
		if (!is_there(&trial)) {
			check_skip(form->opcode, "this processor does not have it");
			return 0;
		}
		try_sizes(&attempt, &trial);
	}
	return attempt.failed;
}

/* All forms of one mode; `least`: how many trials there must have been, so that a loop that ends early is seen. */
static void try_all(const char *name, enum mode mode, const struct cell *cell, u32 least)
{
	u32 failed = 0;

	trials = 0;
	for (u32 i = 0; i < form_count; i++)
		failed += try_form(&forms[i], mode, cell);
	print("%s: %u trials, %u wrong\n", name, trials, failed);
	check(name, !failed && trials >= least);
}

static void on_window(void)
{
#ifdef __x86_64__
	try_all("window-64", MODE_64, NULL, 10000);
#else
	try_all("window-16", MODE_16, NULL, 4000);
	try_all("window-32", MODE_32, NULL, 6000);
#endif
}

static void on_registers(void)
{
	const struct cell apic = {"the timer's initial count", APIC_CELL, 0x7654321f, ~0u};
	const struct cell ioapic = {"an entry's destination", IOAPIC_CELL, 0xa5000000, 0xff000000};
	enum mode mode = sizeof(word) == 8 ? MODE_64 : MODE_32;

	try_all("local-apic", mode, &apic, 250);
	apic_write(APIC_TIMER_INITIAL, 0);
	*IOAPIC_SELECT = IOAPIC_HIGH;
	try_all("ioapic", mode, &ioapic, 250);
}

/* The command line can leave XCHG out, for a machine that does it wrong. */
static bool can_cross(const struct form *form)
{
	char text[16] = "";

	if (option_text("across-pages", text, sizeof(text)) && form_is(form, "XCHG r"))
		return false;
	return form->reg != FORM_NO_MODRM && form->reg != FORM_MOFFS;
}

/* The first bytes in RAM below the window, the rest in it, by each form and size. What RAM keeps must be the same. */
static void across_pages(void)
{
	u32 failed = 0;

	trials = 0;
	for (u32 i = 0; i < form_count; i++)
		for (u32 in_ram = 1; in_ram < 8 && can_cross(&forms[i]); in_ram++)
			failed += try_crossing(&forms[i], in_ram);
	print("crossing: %u trials, %u wrong\n", trials, failed);
	check("crossing", !failed && trials > 400);
}

/* More repetitions than are carried out at once. */
static void long_strings(void)
{
	const u32 count = 3000;
	word left = count, to = (word)page;

	memset(page, 0, sizeof(page));
	__asm__ volatile("rep stosb" : "+c"(left), "+D"(to) : "a"(0) : "memory");
	check("long-stos-to-ram", !left && to == (word)page + count);
	left = count;
	to = WINDOW_START;
	__asm__ volatile("rep stosb" : "+c"(left), "+D"(to) : "a"(0) : "memory");
	check("long-stos-to-window", !left && to == WINDOW_START + count);
	left = count;
	to = (word)page;
	word from = WINDOW_START;
	__asm__ volatile("rep movsb" : "+c"(left), "+D"(to), "+S"(from) : : "memory");
	check("long-movs", !left && to == (word)page + count && from == WINDOW_START + count);
	check("long-movs-bytes", page[0] == 0xff && page[count - 1] == 0xff && page[count] == 0);
}

int guest_main(void)
{
	on_window();
	on_registers();
	across_pages();
	long_strings();
#ifndef __x86_64__
	if (!check_summary())
		second_half();
#endif
	return check_summary();
}
