// sources: vmm/mmio.c vmm/breakpoint.c vmm/memory.c vmm/fetch.c vmm/segment.c vmm/linear.c vmm/guest_memory_map.c arch/x86_64/mmu/gwalk.c vmm/devices/bus.c vmm/vcpu_regs.c vmm/event.c lib/fmt.c arch/x86_64/insn/alu.c arch/x86_64/insn/decode.c arch/x86_64/insn/emulate.c arch/x86_64/insn/emulate_string.c arch/x86_64/insn/emulate_table.c arch/x86_64/insn/name.c arch/x86_64/insn/opcode.c tests/unit/fake_engine.c tests/unit/fake_policy.c vmm/cpuid.c vmm/cpuid_table.c vmm/cpuid_account.c vmm/account.c vmm/msr.c vmm/mtrr.c vmm/efer.c tests/unit/fake_end.c
/* Accesses to devices by instructions, through the guest's own page tables; oracle: SDM vol. 3 "Page-Fault Exceptions",
 * "Limit Checking". */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include "arch/x86_64/mmu/window.h"
#include "tests/unit/fake_engine.h"
#include "vmm/handlers.h"

#define RAM_SIZE 0x20000u
#define DEVICE	 0xfec00000ull
#define CODE	 0x1000u

/* What the linear pages from PAGES on are. */
#define PAGES	 0x10000u
#define AT(page) (PAGES + (page)*0x1000u)
enum { TO_DEVICE, TO_RAM, ABSENT, READ_ONLY, TO_NOTHING, TO_DEVICE_NEXT, SUPERVISOR };
#define RAM_PAGE 0x8000u

static struct fake fake;
static u8 ram[RAM_SIZE];
static u8 registers[0x2000];
static u32 device_reads, device_writes;
static bool pending;
static u8 last_size;

int guest_compare_exchange(struct vm *vm, gpa_t gpa, u32 size, u64 *expected, u64 desired)
{
	u64 was = 0;

	if (!guest_memory_contains(&vm->memory, gpa, size, true))
		return ERR_RANGE;
	memcpy(&was, ram + gpa, size);
	if (was == *expected)
		memcpy(ram + gpa, &desired, size);
	*expected = was;
	return OK;
}

/* RAM on demand: where it was asked for, and what the answer is. */
static gpa_t touched;
static int touch_result;

int guest_memory_touch(struct vm *vm, gpa_t gpa)
{
	assert_true(vm->demand.on);
	touched = gpa;
	return touch_result;
}

int guest_read(struct vm *vm, gpa_t gpa, void *to, u64 size)
{
	if (!guest_memory_contains(&vm->memory, gpa, size, false))
		return ERR_RANGE;
	memcpy(to, ram + gpa, size);
	return OK;
}

int guest_write(struct vm *vm, gpa_t gpa, const void *from, u64 size)
{
	if (!guest_memory_contains(&vm->memory, gpa, size, true))
		return ERR_RANGE;
	memcpy(ram + gpa, from, size);
	return OK;
}

bool guest_unchanged(struct vm *vm, const struct window_word *word, u32 count)
{
	(void)vm;
	for (u32 i = 0; i < count; i++)
		if (memcmp(ram + word[i].gpa, &word[i].value, 8) != 0)
			return false;
	return true;
}

static enum device_answer device_read(struct device *device, u32 range, u64 offset, u8 size, u64 *value)
{
	(void)device;
	(void)range;
	if (pending)
		return DEVICE_PENDING;
	device_reads++;
	last_size = size;
	memcpy(value, registers + offset, size);
	return DEVICE_DONE;
}

static enum device_answer device_write(struct device *device, u32 range, u64 offset, u8 size, u64 value)
{
	(void)device;
	(void)range;
	if (pending)
		return DEVICE_PENDING;
	device_writes++;
	last_size = size;
	memcpy(registers + offset, &value, size);
	return DEVICE_DONE;
}

static const struct device_ops ops = {.name = "registers", .mmio_read = device_read, .mmio_write = device_write};
static struct device device;

static void put64(gpa_t gpa, u64 value)
{
	memcpy(ram + gpa, &value, 8);
}

/* Tables at 4000, 5000, 6000 and 7000: RAM one to one, then the pages above. */
static void build_tables(void)
{
	static const u64 page[] = {
		[TO_DEVICE] = DEVICE | 7,  [TO_RAM] = RAM_PAGE | 7,	  [ABSENT] = 0,
		[READ_ONLY] = DEVICE | 5,  [TO_NOTHING] = 0x50000000 | 7, [TO_DEVICE_NEXT] = (DEVICE + 0x1000) | 7,
		[SUPERVISOR] = DEVICE | 3,
	};

	put64(0x4000, 0x5007);
	put64(0x5000, 0x6007);
	put64(0x6000, 0x7007);
	for (u64 i = 0; i < 16; i++)
		put64(0x7000 + 8 * i, i << 12 | 7);
	for (u64 i = 0; i < ARRAY_SIZE(page); i++)
		put64(0x7080 + 8 * i, page[i]);
	fake.vcpu.reg[REG_CR3] = 0x4000;
	fake.vcpu.reg[REG_CR0] |= CR0_WP;
}

static int setup(void **state)
{
	(void)state;
	fake_init(&fake);
	memset(ram, 0, sizeof(ram));
	for (u32 i = 0; i < sizeof(registers); i++)
		registers[i] = (u8)(i * 3 + 1);
	guest_memory_insert(&fake.vm.memory, 0, RAM_SIZE, true);
	bus_init(&fake.vm.bus);
	device = (struct device){.ops = &ops};
	bus_add_mmio(&fake.vm.bus, &device, 0, DEVICE, sizeof(registers));
	bus_add_mmio(&fake.vm.bus, &fake.vm.bus.nobody, 0, 0xa0000, 0x20000);
	device_reads = device_writes = 0;
	pending = false;
	build_tables();
	fake.length = 0; /* the processor does not tell */
	fake.vcpu.reg[REG_RIP] = CODE;
	return 0;
}

static enum verdict at_gpa(const char *code, u32 length, struct exit_memory memory)
{
	struct vm_exit exit = {.kind = EXIT_MEMORY, .memory = memory};
	enum verdict verdict;

	memcpy(ram + fake.vcpu.reg[REG_RIP], code, length);
	fake.vcpu.cached = BITS(REGS - 1, 0);
	verdict = handle_memory(&fake.vcpu, &exit);
	if (verdict == VERDICT_ADVANCE)
		vcpu_advance(&fake.vcpu);
	return verdict;
}
#define RUN(code) at_gpa(code, sizeof(code) - 1, (struct exit_memory){.gpa = DEVICE, .access = MEMORY_READ})

static u64 *reg(enum reg number)
{
	return &fake.vcpu.reg[number];
}

static void expect_fault(u8 vector, u32 error)
{
	assert_int_equal(fake.vcpu.events.exception.vector, vector);
	assert_int_equal(fake.vcpu.events.exception.error, error);
	assert_int_equal(*reg(REG_RIP), CODE);
}

static void test_load_and_store(void **state)
{
	(void)state;
	*reg(REG_RBX) = AT(TO_DEVICE) + 0x10;
	*reg(REG_RAX) = ~0ull;
	assert_int_equal(RUN("\x8b\x43\x04"), VERDICT_ADVANCE);
	assert_int_equal(*reg(REG_RAX), 0x4643403d); /* bytes 3d 40 43 46 */
	assert_int_equal(*reg(REG_RIP), CODE + 3);
	assert_int_equal(last_size, 4);
	*reg(REG_RIP) = CODE;
	*reg(REG_RAX) = 0x1122334455667788;
	assert_int_equal(RUN("\x48\x89\x03"), VERDICT_ADVANCE);
	assert_int_equal(last_size, 8);
	assert_memory_equal(registers + 0x10, "\x88\x77\x66\x55\x44\x33\x22\x11", 8);
	assert_int_equal(device_reads, 1);
	assert_int_equal(device_writes, 1);
}

/* An instruction that ends blocks nothing any more, and is single-stepped. */
static void test_after_the_instruction(void **state)
{
	(void)state;
	*reg(REG_RBX) = AT(TO_DEVICE);
	*reg(REG_RFLAGS) |= RFLAGS_TF | RFLAGS_RF;
	fake.blocked = BLOCKED_BY_STI;
	assert_int_equal(RUN("\x80\x0b\x40"), VERDICT_ADVANCE);
	assert_int_equal(registers[0], 0x41);
	assert_int_equal(fake.steps_set, 1);
	assert_int_equal(fake.shadows_ended, 1);
	assert_false(*reg(REG_RFLAGS) & RFLAGS_RF);
	/* A repetition ends no instruction, but TF traps after each. */
	*reg(REG_RIP) = CODE;
	*reg(REG_RDI) = AT(TO_DEVICE);
	*reg(REG_RCX) = 2;
	assert_int_equal(RUN("\xf3\xaa"), VERDICT_RETRY);
	assert_int_equal(*reg(REG_RIP), CODE);
	assert_int_equal(*reg(REG_RCX), 1);
	assert_int_equal(fake.steps_set, 2);
}

/* Breakpoint 0 on four bytes; kind 1 is a write, kind 3 any access. */
static void watch(gva_t address, u64 kind)
{
	fake.vcpu.debug_live = true;
	fake.dr[0] = address;
	fake.dr[7] = 0x400 | BIT(0) | kind << 16 | 3ull << 18;
	fake.vcpu.events.exception.type = EVENT_NONE;
	*reg(REG_RIP) = CODE;
}

static void test_breakpoints_on_data(void **state)
{
	(void)state;
	*reg(REG_RBX) = AT(TO_DEVICE) + 0x10;
	watch(AT(TO_DEVICE) + 0x10, 3);
	assert_int_equal(RUN("\x8a\x43\x03"), VERDICT_INJECT);
	assert_int_equal(fake.vcpu.events.exception.vector, VECTOR_DB);
	assert_int_equal(fake.dr[6] & 0xf, 1);
	assert_int_equal(*reg(REG_RIP), CODE + 3);
	watch(AT(TO_DEVICE) + 0x10, 3);
	assert_int_equal(RUN("\x8a\x43\x04"), VERDICT_ADVANCE); /* beside it */
	watch(AT(TO_DEVICE) + 0x10, 1);
	assert_int_equal(RUN("\x8a\x43\x03"), VERDICT_ADVANCE); /* a read */
	watch(AT(TO_DEVICE) + 0x10, 1);
	assert_int_equal(RUN("\x80\x0b\x40"), VERDICT_INJECT); /* read and written */
	/* An access that faults has not been made. */
	*reg(REG_RBX) = AT(ABSENT);
	watch(AT(ABSENT), 3);
	assert_int_equal(RUN("\x8b\x03"), VERDICT_INJECT);
	assert_int_equal(fake.vcpu.events.exception.vector, VECTOR_PF);
}

static void test_moves_to_and_from_ram(void **state)
{
	(void)state;
	*reg(REG_RSI) = AT(TO_DEVICE);
	*reg(REG_RDI) = AT(TO_RAM) + 0xff0;
	*reg(REG_RCX) = 4;
	assert_int_equal(RUN("\xf3\xa5"), VERDICT_ADVANCE);
	assert_memory_equal(ram + RAM_PAGE + 0xff0, registers, 16);
	*reg(REG_RIP) = CODE;
	*reg(REG_RDI) = AT(TO_DEVICE) + 0x100;
	*reg(REG_RSI) = AT(TO_RAM) + 0xff0;
	*reg(REG_RCX) = 2;
	assert_int_equal(RUN("\xf3\x48\xa5"), VERDICT_ADVANCE);
	assert_memory_equal(registers + 0x100, ram + RAM_PAGE + 0xff0, 16);
}

/* The element whose destination faults has not read the device: the data is not lost. */
static void test_destination_faults_first(void **state)
{
	(void)state;
	*reg(REG_RSI) = AT(TO_DEVICE);
	*reg(REG_RDI) = AT(ABSENT) - 4;
	*reg(REG_RCX) = 3;
	assert_int_equal(RUN("\xf3\xa5"), VERDICT_INJECT);
	expect_fault(VECTOR_PF, PF_WRITE);
	assert_int_equal(*reg(REG_CR2), AT(ABSENT));
	assert_int_equal(device_reads, 1);
	assert_int_equal(*reg(REG_RCX), 2);
	assert_int_equal(*reg(REG_RSI), AT(TO_DEVICE) + 4);
}

static void test_page_faults(void **state)
{
	(void)state;
	*reg(REG_RBX) = AT(READ_ONLY);
	assert_int_equal(RUN("\x8b\x03"), VERDICT_ADVANCE);
	*reg(REG_RIP) = CODE;
	assert_int_equal(RUN("\x89\x03"), VERDICT_INJECT);
	expect_fault(VECTOR_PF, PF_PRESENT | PF_WRITE);
	/* OR would write: the device is not even read. */
	fake.vcpu.events = (struct event_state){.irq = 0};
	assert_int_equal(RUN("\x09\x03"), VERDICT_INJECT);
	expect_fault(VECTOR_PF, PF_PRESENT | PF_WRITE);
	assert_int_equal(device_reads, 1);
	/* At CPL 3. */
	fake.vcpu.events = (struct event_state){.irq = 0};
	fake_set_mode(&fake, *reg(REG_CR0), EFER_LME | EFER_LMA, 0xa09b, 3);
	*reg(REG_RBX) = AT(SUPERVISOR);
	assert_int_equal(RUN("\x8b\x03"), VERDICT_INJECT);
	expect_fault(VECTOR_PF, PF_PRESENT | PF_USER);
	assert_int_equal(*reg(REG_CR2), AT(SUPERVISOR));
}

static void test_segment_faults(void **state)
{
	(void)state;
	*reg(REG_RBX) = 0x800000000000;
	assert_int_equal(RUN("\x8b\x03"), VERDICT_INJECT);
	expect_fault(VECTOR_GP, 0);
	fake.vcpu.events = (struct event_state){.irq = 0};
	*reg(REG_RBP) = 0x800000000000;
	assert_int_equal(RUN("\x8b\x45\x00"), VERDICT_INJECT);
	expect_fault(VECTOR_SS, 0);
	fake.vcpu.events = (struct event_state){.irq = 0};
	/* FS has a base. */
	fake.state.segment[SEG_FS].base = AT(TO_DEVICE) - 0x10;
	*reg(REG_RBX) = 0x20;
	assert_int_equal(RUN("\x64\x8a\x03"), VERDICT_ADVANCE);
	assert_int_equal(*reg(REG_RAX) & 0xff, 0x31);
}

static void test_alignment(void **state)
{
	(void)state;
	fake_set_mode(&fake, *reg(REG_CR0) | CR0_AM, EFER_LME | EFER_LMA, 0xa09b, 3);
	*reg(REG_RFLAGS) |= RFLAGS_AC;
	*reg(REG_RBX) = AT(TO_DEVICE) + 2;
	assert_int_equal(RUN("\x8b\x03"), VERDICT_INJECT);
	expect_fault(VECTOR_AC, 0);
	*reg(REG_RBX) = AT(TO_DEVICE) + 4;
	assert_int_equal(RUN("\x8b\x03"), VERDICT_ADVANCE);
}

/* One operand in two pages: device and RAM, device and absent, device and another page of it. */
static void test_page_crossing(void **state)
{
	(void)state;
	memcpy(ram + RAM_PAGE, "\xa1\xa2\xa3\xa4\xa5", 5);
	*reg(REG_RBX) = AT(TO_RAM) - 3;
	assert_int_equal(RUN("\x48\x8b\x03"), VERDICT_ADVANCE);
	assert_int_equal(*reg(REG_RAX) >> 24, 0xa5a4a3a2a1);
	assert_memory_equal(reg(REG_RAX), registers + 0xffd, 3);
	*reg(REG_RIP) = CODE;
	*reg(REG_RAX) = 0x0102030405060708;
	assert_int_equal(RUN("\x48\x89\x03"), VERDICT_ADVANCE);
	assert_memory_equal(registers + 0xffd, "\x08\x07\x06", 3);
	assert_memory_equal(ram + RAM_PAGE, "\x05\x04\x03\x02\x01", 5);
	/* What is read and then written, too: ADD. */
	*reg(REG_RIP) = CODE;
	*reg(REG_RAX) = 0x0101010101010101;
	assert_int_equal(RUN("\x48\x01\x03"), VERDICT_ADVANCE);
	assert_memory_equal(registers + 0xffd, "\x09\x08\x07", 3);
	assert_memory_equal(ram + RAM_PAGE, "\x06\x05\x04\x03\x02", 5);
	/* Nothing of it is done when one half cannot be. */
	*reg(REG_RIP) = CODE;
	*reg(REG_RBX) = AT(ABSENT) - 1;
	ram[RAM_PAGE + 0xfff] = 0x77;
	assert_int_equal(RUN("\x66\x89\x03"), VERDICT_INJECT);
	expect_fault(VECTOR_PF, PF_WRITE);
	assert_int_equal(*reg(REG_CR2), AT(ABSENT));
	assert_int_equal(ram[RAM_PAGE + 0xfff], 0x77);
}

/* An access of which the exit tells all: `linear` is where the processor says that it led to the device. */
static enum verdict told(const char *code, u32 length, gva_t linear, gpa_t gpa, u32 access)
{
	fake.vcpu.events = (struct event_state){.irq = 0};
	*reg(REG_RIP) = CODE;
	return at_gpa(code, length,
		      (struct exit_memory){.gpa = gpa, .gva = linear, .gva_valid = true, .access = access});
}
#define TOLD(code, linear, gpa, access) told(code, sizeof(code) - 1, linear, gpa, access)

/*
 * The page is absent by now, so that an access that is looked up faults: the processor's own translation counts where
 * it told one.
 */
static void test_told_by_the_exit(void **state)
{
	gva_t at = AT(ABSENT) + 0x10;

	(void)state;
	*reg(REG_RBX) = at;
	assert_int_equal(TOLD("\x8b\x03", at, DEVICE + 0x10, MEMORY_READ), VERDICT_ADVANCE);
	assert_int_equal(*reg(REG_RAX), 0x3a373431);
	assert_int_equal(TOLD("\x89\x03", at, DEVICE + 0x10, MEMORY_WRITE), VERDICT_ADVANCE);
	assert_int_equal(TOLD("\x83\x03\x01", at, DEVICE + 0x10, MEMORY_READ | MEMORY_WRITE), VERDICT_ADVANCE);
	assert_int_equal(registers[0x10], 0x32);
	/* Who may write may read. */
	assert_int_equal(TOLD("\x83\x03\x01", at, DEVICE + 0x10, MEMORY_WRITE), VERDICT_ADVANCE);
	assert_int_equal(registers[0x10], 0x33);
	/* But not the other way round. */
	assert_int_equal(TOLD("\x83\x03\x01", at, DEVICE + 0x10, MEMORY_READ), VERDICT_INJECT);
	expect_fault(VECTOR_PF, PF_WRITE);
	assert_int_equal(TOLD("\x89\x03", at, DEVICE + 0x10, MEMORY_READ), VERDICT_INJECT);
	expect_fault(VECTOR_PF, PF_WRITE);
	/* Not about this operand: another page, another address, only a part of it, a page offset that cannot be. */
	assert_int_equal(TOLD("\x8b\x03", AT(TO_NOTHING) + 0x10, DEVICE + 0x10, MEMORY_READ), VERDICT_INJECT);
	expect_fault(VECTOR_PF, 0);
	assert_int_equal(TOLD("\x8b\x03", at + 4, DEVICE + 0x14, MEMORY_READ), VERDICT_INJECT);
	expect_fault(VECTOR_PF, 0);
	assert_int_equal(TOLD("\x8b\x03", at, DEVICE, MEMORY_READ), VERDICT_INJECT);
	*reg(REG_RBX) = AT(ABSENT) + 0xffe;
	assert_int_equal(TOLD("\x8b\x03", *reg(REG_RBX), DEVICE + 0xffe, MEMORY_READ), VERDICT_INJECT);
	assert_int_equal(TOLD("\x66\x8b\x03", *reg(REG_RBX), DEVICE + 0xffe, MEMORY_READ), VERDICT_ADVANCE);
	/* Where no address is valid, whatever stands there. */
	assert_int_equal(
		at_gpa("\x66\x8b\x03", 3,
		       (struct exit_memory){.gpa = DEVICE + 0xffe, .gva = *reg(REG_RBX), .access = MEMORY_READ}),
		VERDICT_INJECT);
}

/* Strings: the exit speaks of one element of one operand. */
static void test_told_of_one_element(void **state)
{
	(void)state;
	*reg(REG_RDI) = AT(ABSENT);
	*reg(REG_RCX) = 3;
	*reg(REG_RAX) = 0x99;
	assert_int_equal(TOLD("\xf3\xaa", AT(ABSENT), DEVICE, MEMORY_WRITE), VERDICT_INJECT);
	expect_fault(VECTOR_PF, PF_WRITE);
	assert_int_equal(*reg(REG_CR2), AT(ABSENT) + 1);
	assert_int_equal(*reg(REG_RCX), 2);
	assert_int_equal(registers[0], 0x99);
	*reg(REG_RSI) = AT(ABSENT);
	*reg(REG_RDI) = AT(TO_RAM);
	assert_int_equal(TOLD("\xa5", AT(ABSENT), DEVICE, MEMORY_READ), VERDICT_ADVANCE);
	assert_memory_equal(ram + RAM_PAGE, registers, 4);
	*reg(REG_RSI) = AT(ABSENT);
	*reg(REG_RDI) = AT(ABSENT) + 8;
	assert_int_equal(TOLD("\xa5", AT(ABSENT), DEVICE, MEMORY_READ), VERDICT_INJECT);
	expect_fault(VECTOR_PF, PF_WRITE);
}

/* What the processor would have checked later, and what is not paging's business, holds all the same. */
static void test_told_and_checked(void **state)
{
	(void)state;
	fake_set_mode(&fake, *reg(REG_CR0) | CR0_AM, EFER_LME | EFER_LMA, 0xa09b, 3);
	*reg(REG_RFLAGS) |= RFLAGS_AC;
	*reg(REG_RBX) = AT(ABSENT) + 2;
	assert_int_equal(TOLD("\x8b\x03", AT(ABSENT) + 2, DEVICE + 2, MEMORY_READ), VERDICT_INJECT);
	expect_fault(VECTOR_AC, 0);
	fake_set_mode(&fake, *reg(REG_CR0) & ~CR0_PG, 0, 0xc09b, 0);
	fake.state.segment[SEG_DS].limit = AT(ABSENT);
	assert_int_equal(TOLD("\x8b\x03", AT(ABSENT) + 2, DEVICE + 2, MEMORY_READ), VERDICT_INJECT);
	expect_fault(VECTOR_GP, 0);
	watch(AT(ABSENT) + 4, 3);
	*reg(REG_RBX) = AT(ABSENT) + 4;
	fake.state.segment[SEG_DS].limit = ~0u;
	assert_int_equal(TOLD("\x8b\x03", AT(ABSENT) + 4, DEVICE + 4, MEMORY_READ), VERDICT_INJECT);
	assert_int_equal(fake.vcpu.events.exception.vector, VECTOR_DB);
	pending = true;
	assert_int_equal(TOLD("\x8b\x03", AT(ABSENT) + 4, DEVICE + 4, MEMORY_READ), VERDICT_WAIT);
}

static void test_not_ready(void **state)
{
	(void)state;
	pending = true;
	*reg(REG_RBX) = AT(TO_DEVICE);
	*reg(REG_RAX) = 5;
	assert_int_equal(RUN("\x8b\x03"), VERDICT_WAIT);
	assert_int_equal(RUN("\x87\x03"), VERDICT_WAIT);
	assert_int_equal(*reg(REG_RAX), 5);
	assert_int_equal(*reg(REG_RIP), CODE);
}

/* Another vCPU mapped RAM where the device was: a read-modify-write is the processor's, atomic as it must be. */
static void test_ram_meanwhile(void **state)
{
	(void)state;
	*reg(REG_RBX) = AT(TO_RAM);
	assert_int_equal(RUN("\xf0\x83\x0b\x01"), VERDICT_RETRY);
	assert_int_equal(ram[RAM_PAGE], 0);
	assert_int_equal(*reg(REG_RIP), CODE);
	/* And its code went away. */
	*reg(REG_RIP) = AT(ABSENT);
	assert_int_equal(at_gpa("", 0, (struct exit_memory){.gpa = DEVICE}), VERDICT_RETRY);
	assert_int_equal(fake.ends, 0);
}

static void expect_end(const char *text)
{
	assert_int_equal(fake.ends, 1);
	assert_int_equal(fake.end_cause, VM_END_ERROR);
	if (!strstr(fake.end_text, text))
		fail_msg("\"%s\" is not in \"%s\"", text, fake.end_text);
	fake.ends = 0;
}

static void test_refusals(void **state)
{
	(void)state;
	*reg(REG_RBX) = AT(TO_DEVICE);
	assert_int_equal(RUN("\x0f\x28\x03"), VERDICT_END);
	expect_end("MOVAPS is not emulated for a device: gpa 0xfec00000, rip 0x1000, bytes 0f 28 03 00");
	assert_int_equal(RUN("\xf7\x23"), VERDICT_END);
	expect_end("MUL is not emulated");
	assert_int_equal(RUN("\xf0\x8b\x03"), VERDICT_INJECT); /* LOCK MOV */
	assert_int_equal(fake.vcpu.events.exception.vector, VECTOR_UD);
	assert_int_equal(device_reads + device_writes, 0);
}

static void test_outside_everything(void **state)
{
	(void)state;
	*reg(REG_RSI) = AT(TO_DEVICE);
	*reg(REG_RDI) = AT(TO_NOTHING);
	assert_int_equal(RUN("\xa4"), VERDICT_END);
	expect_end("outside its memory and devices: gpa 0x50000000");
	assert_int_equal(device_reads, 0);
	assert_int_equal(at_gpa("\x8b\x03", 2, (struct exit_memory){.gpa = 0x50000000, .access = MEMORY_READ}),
			 VERDICT_END);
	expect_end("read of outside its memory: gpa 0x50000000");
	assert_int_equal(at_gpa("\x8b\x03", 2, (struct exit_memory){.gpa = DEVICE, .access = MEMORY_EXECUTE}),
			 VERDICT_END);
	expect_end("execute of a device");
	assert_int_equal(
		at_gpa("\x8b\x03", 2, (struct exit_memory){.gpa = DEVICE, .access = MEMORY_READ, .page_walk = true}),
		VERDICT_END);
	expect_end("(page walk)");
	fake.vcpu.events.in_flight = (struct event){.type = EVENT_EXCEPTION, .vector = VECTOR_GP};
	assert_int_equal(RUN("\x8b\x03"), VERDICT_END);
	expect_end("read of a device");
}

/* RAM that is not there yet is backed, whatever met it; what was there and lacks a right, and devices, are not. */
static void test_ram_on_demand(void **state)
{
	const struct exit_memory walk = {.gpa = RAM_SIZE - 8, .access = MEMORY_WRITE, .page_walk = true};
	const struct exit_memory code = {.gpa = 0x5000, .access = MEMORY_EXECUTE};
	struct exit_memory denied = {.gpa = 0x5000, .access = MEMORY_WRITE, .present = true};

	(void)state;
	touched = 0;
	touch_result = OK;
	fake.vm.demand.on = true;
	assert_int_equal(at_gpa("\x90", 1, walk), VERDICT_RETRY);
	assert_int_equal(touched, RAM_SIZE - 8);
	fake.vcpu.events.in_flight.type = EVENT_INTERRUPT;
	assert_int_equal(at_gpa("\x90", 1, code), VERDICT_RETRY);
	assert_int_equal(touched, 0x5000);
	assert_int_equal(fake.vcpu.events.in_flight.type, EVENT_INTERRUPT);
	fake.vcpu.events.in_flight.type = EVENT_NONE;
	touched = 0;
	assert_int_equal(RUN("\x8b\x03"), VERDICT_ADVANCE);
	assert_int_equal(at_gpa("\x90", 1, denied), VERDICT_END);
	expect_end("write of memory without that right: gpa 0x5000");
	assert_int_equal(touched, 0);
	touch_result = ERR_MEMORY;
	assert_int_equal(at_gpa("\x90", 1, code), VERDICT_END);
	/* Where nothing is on demand, such an access is a mistake of ours or the guest's. */
	fake.vm.demand.on = false;
	assert_int_equal(at_gpa("\x90", 1, code), VERDICT_END);
}

/* The window of a VGA card that is not there. */
static void test_empty_vga_window(void **state)
{
	(void)state;
	put64(0x7080, 0xa0000 | 7);
	*reg(REG_RBX) = AT(0);
	assert_int_equal(at_gpa("\x8b\x03", 2, (struct exit_memory){.gpa = 0xa0000, .access = MEMORY_READ}),
			 VERDICT_ADVANCE);
	assert_int_equal(*reg(REG_RAX), 0xffffffff);
	*reg(REG_RIP) = CODE;
	assert_int_equal(at_gpa("\x89\x03", 2, (struct exit_memory){.gpa = 0xa0000, .access = MEMORY_WRITE}),
			 VERDICT_ADVANCE);
}

/* Code across a page's end, the second page needed or not. */
static void test_code_at_a_page_end(void **state)
{
	(void)state;
	*reg(REG_RBX) = AT(TO_DEVICE);
	*reg(REG_RIP) = 0xffe;
	put64(0x7008, 0); /* the page at 0x1000 is absent */
	assert_int_equal(RUN("\x8b\x03"), VERDICT_ADVANCE);
	assert_int_equal(*reg(REG_RIP), 0x1000);
	*reg(REG_RIP) = 0xffe;
	assert_int_equal(RUN("\x8b\x43"), VERDICT_RETRY);
	put64(0x7008, 0x1007);
	ram[0x1000] = 0x04;
	assert_int_equal(RUN("\x8b\x43"), VERDICT_ADVANCE);
	assert_int_equal(*reg(REG_RIP), 0x1001);
	assert_memory_equal(reg(REG_RAX), registers + 4, 4);
}

/* 16-bit code in real mode, and a 32-bit stack that is pushed to from a device. */
static void test_other_modes(void **state)
{
	(void)state;
	fake_set_mode(&fake, CR0_ET, 0, 0x9b, 0);
	fake.state.segment[SEG_DS].base = 0xb0000;
	*reg(REG_RBX) = 0xffff1000;
	assert_int_equal(RUN("\x8a\x07"), VERDICT_ADVANCE); /* [BX], VGA */
	assert_int_equal(*reg(REG_RAX) & 0xff, 0xff);
	*reg(REG_RIP) = CODE;
	fake.state.segment[SEG_DS].limit = 0xfff;
	assert_int_equal(RUN("\x8a\x07"), VERDICT_INJECT);
	assert_int_equal(fake.vcpu.events.exception.vector, VECTOR_GP);
	fake.vcpu.events = (struct event_state){.irq = 0};
	fake_set_mode(&fake, CR0_PE | CR0_ET, 0, 0xc09b, 0);
	fake.state.segment[SEG_DS] = (struct segment){.attributes = 0xc093, .limit = ~0u};
	*reg(REG_RBX) = DEVICE + 8;
	*reg(REG_RSP) = 0x19000;
	assert_int_equal(RUN("\xff\x33"), VERDICT_ADVANCE); /* PUSH [EBX] */
	assert_int_equal(*reg(REG_RSP), 0x18ffc);
	assert_memory_equal(ram + 0x18ffc, registers + 8, 4);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_load_and_store, setup),
		cmocka_unit_test_setup(test_after_the_instruction, setup),
		cmocka_unit_test_setup(test_breakpoints_on_data, setup),
		cmocka_unit_test_setup(test_moves_to_and_from_ram, setup),
		cmocka_unit_test_setup(test_destination_faults_first, setup),
		cmocka_unit_test_setup(test_page_faults, setup),
		cmocka_unit_test_setup(test_segment_faults, setup),
		cmocka_unit_test_setup(test_alignment, setup),
		cmocka_unit_test_setup(test_page_crossing, setup),
		cmocka_unit_test_setup(test_told_by_the_exit, setup),
		cmocka_unit_test_setup(test_told_of_one_element, setup),
		cmocka_unit_test_setup(test_told_and_checked, setup),
		cmocka_unit_test_setup(test_not_ready, setup),
		cmocka_unit_test_setup(test_ram_meanwhile, setup),
		cmocka_unit_test_setup(test_refusals, setup),
		cmocka_unit_test_setup(test_outside_everything, setup),
		cmocka_unit_test_setup(test_ram_on_demand, setup),
		cmocka_unit_test_setup(test_empty_vga_window, setup),
		cmocka_unit_test_setup(test_code_at_a_page_end, setup),
		cmocka_unit_test_setup(test_other_modes, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
